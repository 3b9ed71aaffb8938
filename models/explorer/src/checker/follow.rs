//! Follows a schedule: says which step is next, where a thread has to stop for it, and what no longer fits.
//!
//! It chooses nothing by itself and runs nothing; [`Control`](crate::checker::control::Control) carries out what it says.

use crate::checker::labels::Labels;
use crate::checker::program::Thread;
use crate::checker::schedule::{Schedule, Step};

/// How closely a schedule is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fit {
    /// Step by step, and no farther than it fits.
    Exact,
    /// Where it does not fit it is aligned again: what is new is run along, what is gone is left out, and a thread
    /// that has passed the place where it was to stop stops at the next one.
    Aligned,
    /// As [`Aligned`](Self::Aligned), whatever the objects are called now.
    Renamed,
}

/// Where a schedule does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misfit {
    /// Which step, from 1.
    pub step: usize,
    /// What was to come.
    pub wanted: String,
    /// What the thread does instead, or that the execution was over.
    pub instead: String,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            step,
            wanted,
            instead,
        } = self;
        write!(f, "step {step}, `{wanted}`: {instead}")
    }
}

/// See the [module's documentation](self).
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    schedule: Schedule,
    fit: Fit,
    /// Steps carried out or left out.
    at: usize,
    pub(crate) misfits: Vec<Misfit>,
}

impl Follower {
    pub(crate) fn new(schedule: Schedule, fit: Fit) -> Self {
        Self {
            schedule,
            fit,
            at: 0,
            misfits: Vec::new(),
        }
    }

    pub(crate) const fn fit(&self) -> Fit {
        self.fit
    }

    /// The next step; `None` if all are over.
    pub(crate) fn head(&self) -> Option<&Step> {
        self.schedule.steps.get(self.at)
    }

    /// The next step is carried out.
    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }

    /// The next step does not fit. It is left out.
    pub(crate) fn miss(&mut self, instead: String) {
        let wanted = self.head().map(ToString::to_string).unwrap_or_default();
        self.at += 1;
        self.misfits.push(Misfit {
            step: self.at,
            wanted,
            instead,
        });
    }

    /// Where this thread is to stop next.
    fn wanted(&self, thread: &str) -> Option<&Step> {
        let steps = self.schedule.steps[self.at..].iter();
        let mut all = steps.chain(&self.schedule.rest);
        all.find(|step| step.thread == thread)
    }

    fn is_in_it(&self, thread: &str) -> bool {
        let mut all = self.schedule.steps.iter().chain(&self.schedule.rest);
        all.any(|step| step.thread == thread)
    }

    /// Whether a thread that comes to `now` stops there.
    pub(crate) fn stops(&self, labels: &Labels, thread: Thread, now: &Step) -> bool {
        match self.wanted(&now.thread) {
            Some(wanted) => self.fits(labels, thread, wanted, now),
            // A thread that nobody knew waits for those that are.
            None => self.fit != Fit::Exact && self.head().is_some() && !self.is_in_it(&now.thread),
        }
    }

    /// Whether `now` is the place where `wanted` was, or the first one after it.
    pub(crate) fn fits(&self, labels: &Labels, thread: Thread, wanted: &Step, now: &Step) -> bool {
        match self.fit {
            Fit::Exact => now.is_at(wanted),
            Fit::Aligned => now.is_at(wanted) || labels.has_left(thread, wanted.after.as_ref()),
            Fit::Renamed => now.is_like(wanted) || labels.has_left(thread, wanted.after.as_ref()),
        }
    }
}
