//! A copy of the algorithm, step by step and order by order, with a bug at one of them or none.
//!
//! It says besides when its memory is used after it was freed: each step that uses it asks first.

use std::num::NonZeroUsize;
use std::sync::Arc;

use nmr::{Closing, Released};
use nmr_sync::Monitor;
use nmr_sync::atomic::{AtomicUsize, Ordering};

use super::Protection;

const CLOSED: usize = 1;
const ONE: usize = 2;

/// What is wrong with a copy. Real threads need not show it, and are not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(any(loom, shuttle)),
    allow(dead_code, reason = "some are matched, and none is made")
)]
pub(crate) enum Bug {
    // A weaker order.
    AcquiresRelaxed,
    ReleasesRelaxed,
    ReleasesClosedWithoutRelease,
    ReleasesClosedWithoutAcquire,
    ClosesRelaxed,
    LooksRelaxed,
    ReinitialisesWithoutRelease,
    ReinitialisesWithoutAcquire,
    // A wrong step.
    /// It looks whether it is open, and counts afterwards.
    AcquiresInTwoSteps,
    /// It counts, looks whether it was open, and takes back what it has counted.
    AcquiresAndTakesBack,
    /// It looks whether others hold references, and gives its own back afterwards.
    ReleasesInTwoSteps,
    /// Whoever sleeps looks at the number too early, and is not woken again.
    WakesBeforeItReleases,
    /// It forgets that those asleep have to be woken.
    WakesNobody,
    /// It asks where the sleepers are when it has released.
    UsesItsMemoryAfterwards,
    /// It looks whether anything runs, and closes then.
    ChecksBeforeItCloses,
    /// It closes, looks once, and does not wait.
    WaitsForNothing,
    /// It does not know that what it waited for has been replaced.
    WaitsForAnyRound,
    /// In which round it closes it has looked up before.
    ReadsTheRoundBeforeItCloses,
    /// It says what was so before.
    ClosesInTwoSteps,
    /// It looks whether it is run down, and opens it afterwards.
    ReinitialisesInTwoSteps,
    /// It takes the closing away and leaves the references.
    ReinitialisesInUse,
}

#[cfg(any(loom, shuttle))]
impl Bug {
    pub(crate) const ORDERS: [Self; 8] = [
        Self::AcquiresRelaxed,
        Self::ReleasesRelaxed,
        Self::ReleasesClosedWithoutRelease,
        Self::ReleasesClosedWithoutAcquire,
        Self::ClosesRelaxed,
        Self::LooksRelaxed,
        Self::ReinitialisesWithoutRelease,
        Self::ReinitialisesWithoutAcquire,
    ];
    pub(crate) const STEPS: [Self; 13] = [
        Self::AcquiresInTwoSteps,
        Self::AcquiresAndTakesBack,
        Self::ReleasesInTwoSteps,
        Self::WakesBeforeItReleases,
        Self::WakesNobody,
        Self::UsesItsMemoryAfterwards,
        Self::ChecksBeforeItCloses,
        Self::WaitsForNothing,
        Self::WaitsForAnyRound,
        Self::ReadsTheRoundBeforeItCloses,
        Self::ClosesInTwoSteps,
        Self::ReinitialisesInTwoSteps,
        Self::ReinitialisesInUse,
    ];

    /// The program that shows it, and a part of what that says.
    pub(crate) const fn shown_by(self) -> (&'static str, &'static str) {
        match self {
            Self::AcquiresRelaxed | Self::ReinitialisesWithoutRelease => (
                "what_is_granted_again_sees_the_new_object",
                "granted, and the object is the old one",
            ),
            Self::ReleasesRelaxed | Self::ClosesRelaxed => (
                "a_wait_that_finds_nothing_returns_after_the_work",
                "run down, and work is undone",
            ),
            Self::ReleasesClosedWithoutRelease | Self::LooksRelaxed => (
                "what_looks_run_down_is_run_down",
                "run down, and work is undone",
            ),
            Self::ReleasesClosedWithoutAcquire => (
                "exactly_one_is_told_of_the_end",
                "run down, and work is undone",
            ),
            Self::ReinitialisesWithoutAcquire => (
                "who_reinitialises_sees_the_work",
                "run down, and work is undone",
            ),
            Self::AcquiresInTwoSteps | Self::ChecksBeforeItCloses | Self::WaitsForNothing => (
                "a_wait_returns_after_all_work",
                "run down, and work is undone",
            ),
            Self::AcquiresAndTakesBack | Self::ReleasesInTwoSteps => (
                "exactly_one_is_told_of_the_end",
                "nobody is told of the end",
            ),
            Self::ClosesInTwoSteps => ("exactly_one_is_told_of_the_end", "two are told of the end"),
            Self::WakesBeforeItReleases | Self::WakesNobody => {
                ("all_waits_return_after_the_work", "deadlock")
            }
            Self::UsesItsMemoryAfterwards => {
                ("what_is_freed_is_not_used", "used after it was freed")
            }
            Self::WaitsForAnyRound => ("a_wait_ends_with_its_round", "deadlock"),
            Self::ReadsTheRoundBeforeItCloses => (
                "a_wait_ends_with_its_round",
                "a wait has returned too early",
            ),
            Self::ReinitialisesInTwoSteps => {
                ("one_of_two_reinitialises", "one of two reinitialises it")
            }
            Self::ReinitialisesInUse => (
                "nothing_in_use_is_reinitialised",
                "reinitialised while it is in use",
            ),
        }
    }
}

/// See `nmr::Rundown`, whose parts have the same names.
pub(crate) struct Planted {
    bug: Option<Bug>,
    state: AtomicUsize,
    rounds: Arc<Monitor<u64>>,
    /// 1 if it was freed. Only where a program frees it, for to ask is a step.
    is_freed: Option<AtomicUsize>,
}

impl Planted {
    pub(crate) fn new(bug: Option<Bug>, is_freed_some_time: bool) -> Self {
        Self {
            bug,
            state: AtomicUsize::new(0),
            rounds: Arc::new(Monitor::new(0)),
            is_freed: is_freed_some_time.then(|| AtomicUsize::new(0)),
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The order of a step, and what it is with one of these bugs.
    fn order(&self, right: Ordering, wrong: &[(Bug, Ordering)]) -> Ordering {
        let wrong = wrong.iter().find(|(bug, _)| self.has(*bug));
        wrong.map_or(right, |(_, order)| *order)
    }

    /// Its memory, to be used by the next step.
    fn memory(&self) -> &Self {
        if let Some(is_freed) = &self.is_freed {
            let is_freed = is_freed.load(Ordering::SeqCst) == 1;
            assert!(!is_freed, "used after it was freed");
        }
        self
    }

    fn state(&self) -> &AtomicUsize {
        &self.memory().state
    }

    fn rounds(&self) -> &Arc<Monitor<u64>> {
        &self.memory().rounds
    }

    fn release_closed(&self, units: usize) -> Released {
        let rounds = Arc::clone(self.rounds());
        if self.has(Bug::WakesBeforeItReleases) {
            rounds.enter_then_notify(|_| ((), true));
        }
        let order = self.order(
            Ordering::AcqRel,
            &[
                (Bug::ReleasesClosedWithoutRelease, Ordering::Acquire),
                (Bug::ReleasesClosedWithoutAcquire, Ordering::Release),
            ],
        );
        let before = if self.has(Bug::ReleasesInTwoSteps) {
            let before = self.state().load(Ordering::SeqCst);
            self.state().fetch_sub(units, order);
            before
        } else {
            let less = |state: usize| state.checked_sub(units);
            let released = self.state().fetch_update(order, Ordering::Relaxed, less);
            released.expect("it is held")
        };
        if before - CLOSED != units {
            return Released::NotLast;
        }
        if self.has(Bug::UsesItsMemoryAfterwards) {
            self.rounds().enter_then_notify(|_| ((), true));
        } else if !self.has(Bug::WakesBeforeItReleases) && !self.has(Bug::WakesNobody) {
            rounds.enter_then_notify(|_| ((), true));
        }
        Released::Last
    }

    fn acquire_in_two_steps(&self, units: usize) -> bool {
        let is_open = self.state().load(Ordering::SeqCst) & CLOSED == 0;
        if is_open {
            self.state().fetch_add(units, Ordering::SeqCst);
        }
        is_open
    }

    fn acquire_and_take_back(&self, units: usize) -> bool {
        let is_open = self.state().fetch_add(units, Ordering::SeqCst) & CLOSED == 0;
        if !is_open {
            self.state().fetch_sub(units, Ordering::SeqCst);
        }
        is_open
    }

    fn reinitialise_in_two_steps(&self) -> bool {
        let is_run_down = self.state().load(Ordering::SeqCst) == CLOSED;
        if is_run_down {
            self.state().store(0, Ordering::SeqCst);
            self.rounds().enter(|round| *round += 1);
        }
        is_run_down
    }
}

fn units(count: NonZeroUsize) -> usize {
    count.get() * ONE
}

impl Protection for Planted {
    fn try_acquire_many(&self, count: NonZeroUsize) -> bool {
        if self.has(Bug::AcquiresInTwoSteps) {
            return self.acquire_in_two_steps(units(count));
        }
        if self.has(Bug::AcquiresAndTakesBack) {
            return self.acquire_and_take_back(units(count));
        }
        let order = self.order(
            Ordering::Acquire,
            &[(Bug::AcquiresRelaxed, Ordering::Relaxed)],
        );
        let more = |state: usize| (state & CLOSED == 0).then_some(state + units(count));
        let acquired = self.state().fetch_update(order, Ordering::Relaxed, more);
        acquired.is_ok()
    }

    fn release_many(&self, count: NonZeroUsize) -> Released {
        let units = units(count);
        let order = self.order(
            Ordering::Release,
            &[(Bug::ReleasesRelaxed, Ordering::Relaxed)],
        );
        let less = |state: usize| match state & CLOSED {
            0 => Some(state.checked_sub(units).expect("it is held")),
            _ => None,
        };
        match self.state().fetch_update(order, Ordering::Relaxed, less) {
            Ok(_) => Released::NotLast,
            Err(_) => self.release_closed(units),
        }
    }

    fn close(&self) -> Closing {
        let order = self.order(
            Ordering::Acquire,
            &[(Bug::ClosesRelaxed, Ordering::Relaxed)],
        );
        let close = |state: usize| Some(state | CLOSED);
        let closed = self.state().fetch_update(order, Ordering::Relaxed, close);
        let mut before = closed.expect("it is never left");
        if self.has(Bug::ClosesInTwoSteps) {
            before = self.state().load(Ordering::SeqCst);
        }
        if before >= ONE {
            Closing::Running
        } else {
            Closing::RunDown
        }
    }

    fn wait(&self) {
        if self.has(Bug::ChecksBeforeItCloses) && self.state().load(Ordering::SeqCst) < ONE {
            let _ = self.close();
            return;
        }
        let early = self.has(Bug::ReadsTheRoundBeforeItCloses);
        let early = early.then(|| self.rounds().enter(|round| *round));
        let running = self.rounds().enter(|round| match self.close() {
            Closing::RunDown => None,
            Closing::Running => Some(early.unwrap_or(*round)),
        });
        if self.has(Bug::WaitsForNothing) {
            return;
        }
        if let Some(own) = running {
            let is_over = |round: u64| round != own && !self.has(Bug::WaitsForAnyRound);
            self.rounds()
                .wait_until(|round| (is_over(*round) || self.is_run_down()).then_some(()));
        }
    }

    fn is_run_down(&self) -> bool {
        let order = self.order(Ordering::Acquire, &[(Bug::LooksRelaxed, Ordering::Relaxed)]);
        self.state().load(order) == CLOSED
    }

    fn reinitialise(&self) -> bool {
        if self.has(Bug::ReinitialisesInTwoSteps) {
            return self.reinitialise_in_two_steps();
        }
        let order = self.order(
            Ordering::AcqRel,
            &[
                (Bug::ReinitialisesWithoutRelease, Ordering::Acquire),
                (Bug::ReinitialisesWithoutAcquire, Ordering::Release),
            ],
        );
        let in_use = self.has(Bug::ReinitialisesInUse);
        let open = |state: usize| match state {
            CLOSED => Some(0),
            _ => in_use.then_some(state & !CLOSED),
        };
        self.rounds().enter(|round| {
            let opened = self.state().fetch_update(order, Ordering::Relaxed, open);
            *round += u64::from(opened.is_ok());
            opened.is_ok()
        })
    }

    fn free(&self) {
        if let Some(is_freed) = &self.is_freed {
            is_freed.store(1, Ordering::SeqCst);
        }
    }
}
