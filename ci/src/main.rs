//! The program `nmr`. See the library.

use std::io::{ErrorKind, Write};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::Parser;
use nmr_ci::args::{Cli, Command};
use nmr_ci::error::Error;
use nmr_ci::exit::Exit;
use nmr_ci::{
    bench, bugs, case, check, fuzz, init, list, merge, prove, replay, report, status, test,
};

/// Becomes true at the first Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = listen() {
        eprintln!("nmr: {error:#}");
        return ExitCode::from(Exit::Harness.code());
    }
    let mut out = anstream::stdout();
    let done = run(&cli.command, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    let exit = done.unwrap_or_else(|error| {
        // A reader that has seen enough is no reason to complain.
        if !matches!(&error, Error::Output(error) if error.kind() == ErrorKind::BrokenPipe) {
            eprintln!("nmr: {error}");
        }
        if let Error::Format(error) = &error {
            eprint!("{}", error.excerpt().unwrap_or_default());
        }
        error.exit()
    });
    ExitCode::from(exit.code())
}

fn run(command: &Command, out: &mut (dyn Write + Send)) -> Result<Exit, Error> {
    match command {
        Command::Check(args) => check::run(args, &STOP, out),
        Command::Bugs(args) => bugs::run(args, &STOP, out),
        Command::Bench(args) => bench::run(args, &STOP, out),
        Command::Fuzz(args) => fuzz::run(args, &STOP, out),
        Command::Merge(args) => merge::run(args, out),
        Command::Status(args) => status::run(args, out),
        Command::Prove(args) => prove::run(args, &STOP, out),
        Command::Init(args) => init::run(args, out),
        Command::List(args) => list::run(args, out),
        Command::Replay(args) => replay::run(args, &STOP, out),
        Command::Report(args) => report::run(args, &STOP, out),
        Command::Case(args) => case::run(args, &STOP, out),
        Command::Test(args) => test::run(args, &STOP, out),
    }
}

/// The first Ctrl-C lets workers be killed and results be printed, the second one ends everything.
fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            process::exit(i32::from(Exit::Interrupted.code()));
        }
    })
    .context("cannot listen for Ctrl-C")
}
