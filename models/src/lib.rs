//! Scenarios, scripted modules, the oracle and the engines that judge the registrar.
//!
//! - [`scenario`] and [`op`]: what a scenario is, and its text form; [`scenarios`]: those that come
//!   with this crate; [`symmetry`]: what may be exchanged in one without making it another.
//! - [`event`] and [`oracle`]: what can be observed of a registrar, and the judgement of it, rule by
//!   rule.
//! - [`engine`]: loom, shuttle's schedulers, or real threads, whichever this build has.
//! - [`case`], [`message`] and [`render`]: a finding as a file, in words and as a picture.
//! - [`prove`]: every program up to a size; [`minimize`]: what fails, made small.
//! - [`programs`]: what `nmr bench` measures the engines with.
//! - [`rule`], [`engine_name`], [`shard`]: the words in which all of these are spoken of; [`seed`]: what follows from
//!   a seed.
//! - [`trace`]: an execution step by step, for whoever shows it.
//! - [`report`]: the lines that workers print; [`process`]: the parent's side of that.

pub mod case;
pub mod conditions;
pub mod coverage;
#[cfg_attr(
    any(loom, shuttle),
    allow(
        dead_code,
        unused_imports,
        reason = "an engine of the native build; elsewhere tests compare it with theirs"
    )
)]
mod direct;
pub mod engine;
pub mod engine_name;
pub mod event;
mod fingerprint;
mod flat;
mod interpreter;
mod invisible;
pub mod message;
mod milestone;
pub mod minimize;
pub mod name;
pub mod op;
pub mod oracle;
mod permuted;
pub mod process;
pub mod programs;
pub mod prove;
pub mod render;
pub mod replay;
pub mod report;
pub mod rule;
mod run;
pub mod scenario;
pub mod scenarios;
pub mod sections;
pub mod seed;
pub mod shard;
pub mod symmetry;
pub mod trace;

pub use run::Finding;
