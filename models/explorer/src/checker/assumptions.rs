//! What a verdict rests on, besides the search itself.

use std::fmt;

use serde::Serialize;

use crate::checker::fingerprint::FINGERPRINT_BITS;
use crate::checker::options::Options;

/// Under which assumptions a search has looked at every interleaving.
///
/// ```
/// # #[cfg(shuttle)] {
/// let report = nmr_explorer::Explorer::builder().check(|| ());
/// assert_eq!(report.assumptions.memory, "sequential consistency");
/// assert!(!report.assumptions.rounds_repeat, "nobody yields");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Assumptions {
    /// The memory model.
    pub memory: &'static str,
    /// Whether sleeping threads could wake without a reason.
    pub spurious_wakeups: bool,
    /// The most preemptions in an execution; `None` without a bound.
    pub max_preemptions: Option<u32>,
    /// States are told apart by hashes of so many bits.
    pub hash_bits: u32,
    /// See [`Report::chance_of_a_missed_state`](crate::Report::chance_of_a_missed_state).
    pub chance_of_a_missed_state: f64,
    /// A thread that yields has waited for a change: its rounds are taken to repeat until then.
    pub rounds_repeat: bool,
    /// The program said what its external state is, and is believed that it is all.
    pub external_state: bool,
    /// Exchanges of threads that the program says change nothing, the one of nothing included.
    pub symmetries: usize,
}

impl Assumptions {
    pub(crate) fn new(options: &Options, states: u64, rounds_repeat: bool) -> Self {
        let pairs = states as f64 * (states as f64 - 1.0).max(0.0) / 2.0;
        Self {
            memory: "sequential consistency",
            spurious_wakeups: options.spurious,
            max_preemptions: options.preemptions,
            hash_bits: FINGERPRINT_BITS,
            chance_of_a_missed_state: pairs / 2_f64.powi(FINGERPRINT_BITS as i32),
            rounds_repeat,
            external_state: options.external_state.is_some(),
            symmetries: options.symmetries.len().max(1),
        }
    }
}

impl fmt::Display for Assumptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |is: bool| if is { "with" } else { "without" };
        write!(f, "under {}, ", self.memory)?;
        write!(f, "{} spurious wake-ups, ", with(self.spurious_wakeups))?;
        match self.max_preemptions {
            None => f.write_str("no bound on preemptions")?,
            Some(most) => write!(f, "at most {most} preemptions")?,
        }
        if self.rounds_repeat {
            f.write_str(", a thread that has only looked and yields waits for a change")?;
        }
        if self.external_state {
            f.write_str(", with what the program says stands beside the primitives")?;
        }
        Ok(())
    }
}
