//! The form for programs: one JSON object a line.

use std::io::Write;

use serde::Serialize;

use crate::error::Error;

/// Prints a line, and sees to it that whoever reads has it.
///
/// # Errors
/// `out` cannot be written.
pub fn print(out: &mut dyn Write, line: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}").and_then(|()| out.flush())?)
}
