//! What a command writes for other programs, besides what it prints.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Files and messages for other programs, besides what is printed.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "For other programs")]
pub struct Outputs {
    /// Write JUnit XML there: what is tried is a suite, and each engine a test of it. What was cut short is an error, not a
    /// success.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write SARIF 2.1.0 there: each finding at the operation of its scenario, with the lines of the source that it names and
    /// the interleaving as a code flow.
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// How findings are told besides the report.
    #[arg(long, value_enum, default_value_t)]
    pub message_format: MessageFormat,
}

/// How findings are told besides the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// Not at all.
    #[default]
    Human,
    /// As GitHub's annotations, at the lines of their scenarios; and as Markdown in the job's summary, where
    /// `GITHUB_STEP_SUMMARY` says where that is.
    Github,
}
