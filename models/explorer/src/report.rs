//! What a search came to, and the certificate of it.

use std::fmt;
use std::time::Duration;

use crate::judge::{Ending, Evidence, Judgement};
use crate::knowledge::WIDTH;

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every interleaving was looked at, or one that is the same but for what the reductions leave out.
    Exhausted,
    /// An execution panicked or deadlocked.
    Violated(Counterexample),
    /// The search was cut short, for this reason. It proves nothing.
    Incomplete(String),
    /// The search itself failed; not a finding.
    HarnessError(String),
}

/// An execution that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counterexample {
    /// What the panic said, which threads are blocked and why, or what
    /// [whoever judged it](crate::Builder::judge) said.
    pub message: String,
    /// What kind of violation it is, in the words of whoever judged it, or else `deadlock` or the panic's
    /// message.
    pub kind: String,
    /// How the execution ended.
    pub ending: Ending,
    /// What whoever judged it took along.
    pub evidence: Option<Evidence>,
    /// The threads in the order of their visible operations, by number: 0 is the main thread, the
    /// others follow as they were spawned.
    pub schedule: Vec<usize>,
    /// Switches away from a thread that could have gone on.
    pub preemptions: u32,
    /// Whether there certainly is no violation of this kind with fewer preemptions. Otherwise the search
    /// for one was cut short, or none was made.
    pub is_minimal: bool,
}

impl Counterexample {
    pub(crate) fn new(
        ending: Ending,
        judgement: Judgement,
        schedule: Vec<usize>,
        preemptions: u32,
    ) -> Self {
        let Judgement {
            kind,
            message,
            evidence,
        } = judgement;
        Self {
            message,
            kind,
            ending,
            evidence,
            schedule,
            preemptions,
            is_minimal: preemptions == 0,
        }
    }
}

/// A verdict, the figures behind it, and under which assumptions it was reached. Its `Display` is the
/// certificate.
#[derive(Clone, Debug)]
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
    /// Executions made, besides, a second time, to see that the same comes of them.
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
    /// Wall-clock time.
    pub elapsed: Duration,
    /// Workers.
    pub workers: usize,
    /// The reductions that were in force, by name: on, and with something to reduce.
    pub reductions: Vec<&'static str>,
    /// Whether sleeping threads could wake without a reason.
    pub spurious: bool,
}

impl Report {
    /// Executions since the search last began that had something new up to their end.
    #[must_use]
    pub const fn whole(&self) -> u64 {
        self.executions - self.before_restart - self.known
    }

    /// An upper bound on the chance that two of the states met have the same hash, in which case one
    /// of them may have been left out: n·(n−1)/2 pairs, each with a chance of 2⁻¹²⁸.
    #[must_use]
    pub fn chance_of_a_missed_state(&self) -> f64 {
        let states = self.states as f64;
        states * (states - 1.0).max(0.0) / 2.0 / 2_f64.powi(WIDTH as i32)
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
                match found.message.contains(&found.kind) {
                    true => writeln!(f, "violated: {}", found.message)?,
                    false => writeln!(f, "violated ({}): {}", found.kind, found.message)?,
                }
                writeln!(f, "  preemptions: {preemptions}{fewest}")?;
                writeln!(f, "  schedule: {:?}", found.schedule)?;
            }
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
        let spurious = match self.spurious {
            true => "with",
            false => "without",
        };
        writeln!(
            f,
            "  under sequential consistency, {spurious} spurious wake-ups, no bound on preemptions; \
             reductions: {}",
            match self.reductions.is_empty() {
                true => "none".to_owned(),
                false => self.reductions.join(", "),
            }
        )?;
        write!(
            f,
            "  hashes of {WIDTH} bits: the chance of a missed state is at most {:.1e}; nmr-explorer \
             {} ({})",
            self.chance_of_a_missed_state(),
            self.version,
            self.commit
        )
    }
}
