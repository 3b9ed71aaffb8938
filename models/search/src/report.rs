//! What a search came to, and the certificate of it.

use std::fmt::{self, Debug, Display};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::encoder::FINGERPRINT_BITS;
use crate::finding::{Fault, WrongClaim};

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[serde(bound(serialize = "A: Serialize + Debug, V: Serialize"))]
#[non_exhaustive]
pub enum Outcome<A: Debug, V> {
    /// Every state was searched, or one that is as good. Said only of a search that ended by itself.
    Exhausted,
    /// The system is wrong.
    Violated(Counterexample<A, V>),
    /// What the system claims of itself is wrong. Only a search that verifies finds it.
    WrongClaim {
        /// The claim.
        claim: WrongClaim<A>,
        /// The way to the state where it does not hold.
        path: Vec<A>,
        /// Which way that is.
        choice: Choice,
    },
    /// The search was cut short. It proves nothing.
    Incomplete(Cut),
    /// The search itself failed; not a finding.
    HarnessError {
        /// Why.
        fault: Fault<A>,
        /// Where.
        path: Vec<A>,
    },
}

/// A way to what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counterexample<A, V> {
    /// What is wrong.
    pub violation: V,
    /// The actions from the initial state on: [`replay`](crate::replay) does them again.
    pub path: Vec<A>,
    /// Which of all ways this is.
    pub choice: Choice,
}

/// Which of all ways to something wrong was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Choice {
    /// None is shorter in what was searched, and it is the first of these in the order of actions. The same for any
    /// number of workers.
    Shortest,
    /// The first one that one worker finds by depth, for this reason. There may be shorter ones. The same for
    /// any number of workers.
    DepthFirst(String),
    /// The one that some worker found first, for this reason. Another search may find another one.
    AsFound(String),
}

/// Why a search was cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cut {
    /// There are more states than it may have.
    #[error("there are more than {0} states")]
    States(u64),
    /// It has no room for more.
    #[error("the states take more than {0} bytes")]
    Memory(u64),
    /// Its time was over.
    #[error("its time was over")]
    Deadline,
    /// Somebody stopped it.
    #[error("it was interrupted")]
    Stopped,
}

/// What was counted: the same for any number of workers, if the search was exhausted, or if the way to what is wrong is
/// ([`Choice`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Different states met; with symmetry, up to renaming.
    pub states: u64,
    /// Actions done in them, into new states and into known ones.
    pub transitions: u64,
    /// States in which nothing was enabled.
    pub ends: u64,
}

/// What a verdict rests on, besides the search itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Assumptions {
    /// States were told apart up to so many permutations of names, the one that changes nothing included.
    pub symmetries: usize,
    /// Claimed ample sets were explored alone.
    pub ample_sets: bool,
    /// The claims of the system were checked in each state, instead of being believed.
    pub verified: bool,
    /// States are told apart by hashes of so many bits.
    pub hash_bits: u32,
    /// An upper bound on the chance that two of the states met have the same hash, in which case one of
    /// them may have been left out: n·(n−1)/2 pairs, each with a chance of 2⁻¹²⁸.
    pub chance_of_a_missed_state: f64,
}

/// What it took. It differs from one search to the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Effort {
    /// Wall-clock time; in seconds where it is data.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Actions of the longest path. It depends on the workers, who cut each other's paths short.
    pub deepest: usize,
    /// The most bytes that states took.
    pub memory: u64,
    /// Workers.
    pub workers: usize,
    /// States that were taken over from a checkpoint; 0 if the search began anew.
    pub resumed: u64,
}

fn seconds<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(elapsed.as_secs_f64())
}

/// An outcome, the figures behind it, and under which assumptions it was reached. Its `Display` is the
/// certificate; as JSON it is the same as data.
#[derive(Clone, Debug, Serialize)]
#[serde(bound(serialize = "A: Serialize + Debug, V: Serialize"))]
#[non_exhaustive]
#[must_use = "it says whether something is wrong, and whether the search came to its end"]
pub struct Report<A: Debug, V> {
    /// The system's identity.
    pub system: String,
    /// Version of the search.
    pub version: &'static str,
    /// The outcome.
    pub outcome: Outcome<A, V>,
    /// What was counted.
    pub counts: Counts,
    /// Under which assumptions.
    pub assumptions: Assumptions,
    /// What it took.
    pub effort: Effort,
}

impl Assumptions {
    pub(crate) fn new(symmetries: usize, ample_sets: bool, verified: bool, states: u64) -> Self {
        let pairs = states as f64 * (states as f64 - 1.0).max(0.0) / 2.0;
        Self {
            symmetries,
            ample_sets,
            verified,
            hash_bits: FINGERPRINT_BITS,
            chance_of_a_missed_state: pairs / 2_f64.powi(FINGERPRINT_BITS as i32),
        }
    }
}

impl<A: Debug, V: Display> Report<A, V> {
    /// Whether every state was searched.
    #[must_use]
    pub const fn is_exhausted(&self) -> bool {
        matches!(self.outcome, Outcome::Exhausted)
    }

    /// For tests: the search has come to its end, and nothing is wrong.
    ///
    /// # Panics
    /// Otherwise, with the certificate.
    #[track_caller]
    pub fn assert_exhausted(&self) {
        assert!(self.is_exhausted(), "{self}");
    }
}

fn write_path<A: Debug>(f: &mut fmt::Formatter<'_>, path: &[A], choice: &Choice) -> fmt::Result {
    match choice {
        Choice::Shortest => writeln!(f, "  {} actions, and no way is shorter:", path.len())?,
        Choice::DepthFirst(why) => writeln!(
            f,
            "  {} actions, the first way by depth ({why}; there may be shorter ones):",
            path.len()
        )?,
        Choice::AsFound(why) => writeln!(
            f,
            "  {} actions, the way on which it was found ({why}; another search may find another one):",
            path.len()
        )?,
    }
    path.iter()
        .try_for_each(|action| writeln!(f, "    {action:?}"))
}

impl<A: Debug, V: Display> fmt::Display for Report<A, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.system)?;
        match &self.outcome {
            Outcome::Exhausted => writeln!(f, "exhausted")?,
            Outcome::Violated(found) => {
                writeln!(f, "violated: {}", found.violation)?;
                write_path(f, &found.path, &found.choice)?;
            }
            Outcome::WrongClaim {
                claim,
                path,
                choice,
            } => {
                writeln!(f, "wrong claim: {claim}")?;
                write_path(f, path, choice)?;
            }
            Outcome::Incomplete(cut) => writeln!(f, "incomplete: {cut}; this proves nothing")?,
            Outcome::HarnessError { fault, path } => {
                writeln!(f, "harness error: {fault}")?;
                match path.is_empty() {
                    true => (),
                    false => writeln!(f, "  after {path:?}")?,
                }
            }
        }
        let Counts {
            states,
            transitions,
            ends,
        } = self.counts;
        writeln!(
            f,
            "  {states} states, {transitions} transitions, {ends} ends"
        )?;
        let effort = &self.effort;
        writeln!(
            f,
            "  at most {} actions on one path; {:.3} s, {} worker(s), {} bytes of states",
            effort.deepest,
            effort.elapsed.as_secs_f64(),
            effort.workers,
            effort.memory
        )?;
        if effort.resumed > 0 {
            writeln!(f, "  {} of the states from a checkpoint", effort.resumed)?;
        }
        write!(f, "  {}; nmr-search {}", self.assumptions, self.version)
    }
}

impl fmt::Display for Assumptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symmetries {
            1 => f.write_str("without symmetry")?,
            all => write!(f, "up to {all} permutations of names")?,
        }
        f.write_str(match (self.ample_sets, self.verified) {
            (_, true) => ", without ample sets, the claims checked in each state",
            (true, false) => ", with ample sets, the claims believed",
            (false, false) => ", without ample sets",
        })?;
        write!(
            f,
            "; hashes of {} bits: the chance of a missed state is at most {:.1e}",
            self.hash_bits, self.chance_of_a_missed_state
        )
    }
}
