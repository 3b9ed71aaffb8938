//! What a search came to, and the certificate of it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::checker::assumptions::Assumptions;
use crate::checker::execution::{Found, Outcome};
use crate::checker::follow::Misfit;
use crate::checker::judge::{Ending, Evidence, Violation};
use crate::checker::replay::Again;
use crate::checker::schedule::Schedule;

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Every interleaving was looked at, or one that is the same but for what the reductions leave out.
    Exhausted,
    /// An execution went wrong.
    Violated(Counterexample),
    /// The search was cut short, for this reason. It proves nothing.
    Incomplete(String),
    /// Some executions were made, and none went wrong. It proves nothing.
    Sampled,
    /// The search itself failed; not a finding.
    HarnessError(String),
}

/// An execution that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counterexample {
    /// What it broke.
    pub violation: Violation,
    /// How it ended: of a deadlock or a livelock all that is known, whoever judged it.
    pub ending: Ending,
    /// What whoever judged it took along.
    #[serde(skip)]
    pub evidence: Option<Evidence>,
    /// Its choices: [`Explorer::replay`](crate::Explorer::replay) makes it again.
    pub schedule: Schedule,
    /// Switches away from a thread that could have gone on.
    pub preemptions: u32,
    /// Whether there certainly is no violation of this kind with fewer preemptions. Otherwise the search
    /// for one was cut short, or none was made.
    pub is_minimal: bool,
}

impl Counterexample {
    pub(crate) fn new(found: Found, schedule: Schedule, preemptions: u32) -> Self {
        Self {
            violation: found.violation,
            ending: found.ending,
            evidence: found.evidence,
            schedule,
            preemptions,
            is_minimal: preemptions == 0,
        }
    }

    /// What happened, in words.
    #[must_use]
    pub fn message(&self) -> String {
        self.violation.to_string()
    }
}

/// What came of following a schedule.
#[derive(Clone, Debug)]
#[must_use = "it says what went wrong, and whether the schedule fits"]
#[non_exhaustive]
pub struct Replay {
    /// What came of it.
    pub outcome: Replayed,
    /// Where the schedule does not fit; none if it does. One that the execution was over before does not, whatever came
    /// of it.
    pub misfits: Vec<Misfit>,
    /// The choices as they were made now.
    pub schedule: Schedule,
}

/// How an execution that follows a schedule ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Replayed {
    /// It went wrong.
    Violated(Box<Counterexample>),
    /// It came to its end, and nothing was wrong.
    Completed,
    /// It ended where the schedule does not fit.
    Misfit,
    /// It was too long.
    Incomplete(String),
    /// Nobody can say.
    HarnessError(String),
}

impl Replay {
    pub(crate) fn failed(why: String) -> Self {
        Self {
            outcome: Replayed::HarnessError(why),
            misfits: Vec::new(),
            schedule: Schedule::default(),
        }
    }

    pub(crate) fn new(again: Again) -> Self {
        let preemptions = again.ended.map_or(0, |ended| ended.preemptions);
        let schedule = again.schedule;
        Self {
            outcome: match again.outcome {
                Outcome::Good => Replayed::Completed,
                Outcome::Misfit => Replayed::Misfit,
                Outcome::Cut(why) => Replayed::Incomplete(why),
                Outcome::Failed(error) => Replayed::HarnessError(error),
                Outcome::Found(found) => Replayed::Violated(Box::new(Counterexample::new(
                    found,
                    schedule.clone(),
                    preemptions,
                ))),
            },
            misfits: again.misfits,
            schedule,
        }
    }
}

/// A verdict, the figures behind it, and under which assumptions it was reached. Its `Display` is the
/// certificate; as JSON it is the same as data.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
#[must_use = "it says whether something went wrong, and whether the search came to its end"]
pub struct Report {
    /// The program's name.
    pub name: String,
    /// Version of the explorer.
    pub version: String,
    /// The commit that it was built from, if that is known.
    pub commit: String,
    /// The outcome.
    pub verdict: Verdict,
    /// Executions begun.
    pub executions: u64,
    /// Of these, the ones made before the search last began again.
    pub before_restart: u64,
    /// Executions made, besides, in the search for a violation with fewer preemptions.
    pub minimising: u64,
    /// Executions made, besides, a second time, to see that the same comes of them, or whether a thread that waits by
    /// looking looks at the same again.
    pub verifying: u64,
    /// Of the executions since the last restart, the ones that came to a state where nothing was left to
    /// choose.
    pub known: u64,
    /// Choices made for the first time.
    pub transitions: u64,
    /// Different states with a choice; 0 if they were not kept.
    pub states: u64,
    /// Visible operations of the longest execution.
    pub longest: usize,
    /// The most preemptions in one execution.
    pub preemptions: u64,
    /// Times that the search began again, knowing better which operations can conflict.
    pub restarts: u64,
    /// Bytes that the states took.
    pub memory: u64,
    /// Wall-clock time; in seconds where it is data.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Workers.
    pub workers: usize,
    /// The reductions that were in force, by name: on, and with something to reduce.
    pub reductions: Vec<&'static str>,
    /// Under which assumptions.
    pub assumptions: Assumptions,
}

fn seconds<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(elapsed.as_secs_f64())
}

/// A search that proves nothing, or the contrary.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unproven(pub Box<Report>);

impl Report {
    /// Passes on an exhausted search.
    ///
    /// # Errors
    /// A violation, a search that was cut short or one that failed.
    pub fn into_result(self) -> Result<Self, Unproven> {
        match self.verdict {
            Verdict::Exhausted => Ok(self),
            _ => Err(Unproven(Box::new(self))),
        }
    }

    /// For tests: the search has come to its end, and nothing went wrong.
    ///
    /// ```
    /// # #[cfg(shuttle)] {
    /// nmr_explorer::Explorer::builder().check(|| ()).assert_exhausted();
    /// # }
    /// ```
    ///
    /// # Panics
    /// Otherwise, with the certificate.
    #[track_caller]
    pub fn assert_exhausted(&self) {
        assert!(matches!(self.verdict, Verdict::Exhausted), "{self}");
    }

    /// Executions since the search last began that had something new up to their end.
    #[must_use]
    pub const fn whole(&self) -> u64 {
        self.executions - self.before_restart - self.known
    }

    /// An upper bound on the chance that two of the states met have the same hash, in which case one
    /// of them may have been left out: n·(n−1)/2 pairs, each with a chance of 2⁻¹²⁸.
    #[must_use]
    pub const fn chance_of_a_missed_state(&self) -> f64 {
        self.assumptions.chance_of_a_missed_state
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.verdict {
            Verdict::Exhausted => writeln!(f, "exhausted")?,
            Verdict::Violated(found) => {
                let fewest = match found.is_minimal {
                    true => "; no such violation has fewer",
                    false => "; whether fewer are enough was not found out",
                };
                let preemptions = found.preemptions;
                let Counterexample {
                    violation,
                    schedule,
                    ..
                } = found;
                match violation {
                    Violation::Judged { kind, message } if !message.contains(kind) => {
                        writeln!(f, "violated ({kind}): {message}")?;
                    }
                    _ => writeln!(f, "violated: {violation}")?,
                }
                writeln!(f, "  preemptions: {preemptions}{fewest}")?;
                writeln!(f, "  schedule:")?;
                for line in schedule.condensed().to_string().lines() {
                    writeln!(f, "    {line}")?;
                }
            }
            Verdict::Sampled => writeln!(f, "sampled: nothing went wrong; this proves nothing")?,
            Verdict::Incomplete(why) => writeln!(f, "incomplete: {why}; this proves nothing")?,
            Verdict::HarnessError(error) => writeln!(f, "harness error: {error}")?,
        }
        writeln!(
            f,
            "  {} executions ({} before the last restart, {} whole, {} came to a known state), {} made \
             twice, {} transitions, {} states",
            self.executions,
            self.before_restart,
            self.whole(),
            self.known,
            self.verifying,
            self.transitions,
            self.states
        )?;
        writeln!(
            f,
            "  at most {} visible operations and {} preemptions in one execution; {:.3} s, {} \
             worker(s), {} bytes of states, {} restart(s)",
            self.longest,
            self.preemptions,
            self.elapsed.as_secs_f64(),
            self.workers,
            self.memory,
            self.restarts
        )?;
        writeln!(
            f,
            "  {}; reductions: {}",
            self.assumptions,
            match self.reductions.is_empty() {
                true => "none".to_owned(),
                false => self.reductions.join(", "),
            }
        )?;
        write!(
            f,
            "  hashes of {} bits: the chance of a missed state is at most {:.1e}; nmr-explorer {} ({})",
            self.assumptions.hash_bits,
            self.chance_of_a_missed_state(),
            self.version,
            self.commit
        )
    }
}
