//! `nmr bench`: what can be measured, each in a file of its own.

use std::io::Write;
use std::sync::atomic::AtomicBool;

use crate::args::{self, BenchTarget};
use crate::error::Error;
use crate::exit::Exit;

mod registrar;
#[cfg(test)]
pub(crate) use registrar::Line as RegistrarLine;
mod searches;

/// Measures, and prints what came of it to `out`; soon after `stop` becomes true it prints what it has.
///
/// # Errors
/// A program cannot be built or run, `out` cannot be written.
pub fn run(args: &args::Bench, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    match &args.target {
        BenchTarget::Direct(args) => searches::run(args, searches::rows::direct, stop, out),
        BenchTarget::Explorer(args) => searches::run(args, searches::rows::explorer, stop, out),
        BenchTarget::Registrar(args) => registrar::run(args, stop, out),
    }
}
