//! The command `nmr`: everything that a person or a CI does with the registrar's harness.
//!
//! - [`check`]: explores each scenario with the engines, each run in a process of its own.
//! - [`bugs`]: plants known bugs, and shows that they are found.
//! - [`bench`](mod@bench): measures the explorer, and the registrar.
//! - [`fuzz`]: generated scenarios until the time is up.
//! - [`prove`]: every program up to a size.
//! - [`replay`], [`case`]: a saved case step by step, and all of them.
//! - [`report`]: a page to look at, of cases and of what runs have printed.
//! - [`list`], [`test`](mod@test): what there is, all tests.
//!
//! Which executions to make, what the oracle says of them and how a scenario is written is the
//! business of `nmr-models` and `nmr-properties`; this crate builds their programs with the right
//! cfg, runs them and tells the outcome. Reading arguments ([`args`]), choosing, counting, wording
//! and exit codes ([`exit`]) are pure; processes and output are at the edge.

pub mod args;
pub mod bench;
pub mod bugs;
pub mod c_module;
pub mod cargo;
pub mod case;
pub mod check;
pub mod error;
pub mod exit;
pub mod fuzz;
pub mod init;
pub mod json;
pub mod list;
pub mod merge;
pub mod outputs;
pub mod pool;
pub mod progress;
pub mod prove;
pub mod replay;
pub mod report;
pub mod seed;
pub mod select;
pub mod status;
pub mod style;
pub mod test;
pub mod words;
pub mod workers;
