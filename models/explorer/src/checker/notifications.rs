//! Who was woken by whom, for the report of a deadlock: of each thread the last notifications that woke it on each condvar
//! and what it did then, of each condvar the last notification that came when nobody slept there.
//!
//! Kept beside the names, in the executions that are told of; a search keeps nothing of it. It does not count who
//! wakes without a reason.

use std::collections::VecDeque;

use nmr_sync::hook::ObjectId;

use crate::checker::deadlock::Then;
use crate::checker::program::{At, Next, Stop, Thread};
use crate::checker::schedule::Mark;

/// As many notifications are kept of one thread on one condvar.
pub(crate) const KEPT: usize = 4;

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default)]
pub(crate) struct Notifications {
    heard: Vec<Heard>,
    unheard: Vec<Unheard>,
    /// Threads that were woken, and have neither slept again nor gone on.
    looking: Vec<Looking>,
    /// Notifications so far.
    count: u64,
}

/// Where a notification comes from.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) by: Thread,
    pub(crate) from: At,
    /// The last place that its thread has named.
    pub(crate) after: Option<Mark>,
}

/// What has woken a thread on a condvar.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    thread: Thread,
    condvar: ObjectId,
    pub(crate) count: u32,
    /// The last ones, at most [`KEPT`].
    pub(crate) last: VecDeque<WakeUp>,
    /// The number of the last one among all notifications.
    number: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct WakeUp {
    pub(crate) sent: Sent,
    pub(crate) then: Then,
}

/// The last notification of a condvar that came when nobody slept there.
#[derive(Clone, Debug)]
struct Unheard {
    condvar: ObjectId,
    sent: Sent,
    /// Its number among all notifications.
    number: u64,
}

#[derive(Clone, Copy, Debug)]
struct Looking {
    thread: Thread,
    condvar: ObjectId,
    mutex: ObjectId,
    /// Where it has slept.
    at: At,
}

impl Notifications {
    /// Somebody notifies a condvar, which wakes these threads.
    pub(crate) fn sent(
        &mut self,
        condvar: ObjectId,
        sent: &Sent,
        woken: impl Iterator<Item = (Thread, Stop)>,
    ) {
        self.count += 1;
        let mut is_heard = false;
        for (thread, stop) in woken {
            is_heard = true;
            self.hears(thread, condvar, sent);
            if let Next::Asleep { mutex, .. } = stop.next {
                self.looking.push(Looking {
                    thread,
                    condvar,
                    mutex,
                    at: stop.at,
                });
            }
        }
        if !is_heard {
            self.unheard.retain(|unheard| unheard.condvar != condvar);
            self.unheard.push(Unheard {
                condvar,
                sent: sent.clone(),
                number: self.count,
            });
        }
    }

    fn hears(&mut self, thread: Thread, condvar: ObjectId, sent: &Sent) {
        let index = self.index(thread, condvar);
        let index = index.unwrap_or_else(|| {
            self.heard.push(Heard {
                thread,
                condvar,
                count: 0,
                last: VecDeque::new(),
                number: 0,
            });
            self.heard.len() - 1
        });
        let heard = &mut self.heard[index];
        (heard.count, heard.number) = (heard.count + 1, self.count);
        if heard.last.len() == KEPT {
            heard.last.pop_front();
        }
        heard.last.push_back(WakeUp {
            sent: sent.clone(),
            then: Then::WentOn,
        });
    }

    fn index(&self, thread: Thread, condvar: ObjectId) -> Option<usize> {
        let mut heard = self.heard.iter();
        heard.position(|heard| heard.thread == thread && heard.condvar == condvar)
    }

    /// A thread falls asleep there.
    pub(crate) fn sleeps(&mut self, thread: Thread, condvar: ObjectId, at: At) {
        let Some(looking) = self.looking.iter().position(|one| one.thread == thread) else {
            return;
        };
        let looking = self.looking.swap_remove(looking);
        if (looking.condvar, looking.at) != (condvar, at) {
            return;
        }
        let index = self.index(thread, condvar);
        if let Some(last) = index.and_then(|index| self.heard[index].last.back_mut()) {
            last.then = Then::SleptAgain;
        }
    }

    /// A thread releases a mutex, and does not sleep then.
    pub(crate) fn releases(&mut self, thread: Thread, mutex: ObjectId) {
        self.looking
            .retain(|one| (one.thread, one.mutex) != (thread, mutex));
    }

    /// What has woken a thread on a condvar.
    pub(crate) fn heard(&self, thread: Thread, condvar: ObjectId) -> Option<&Heard> {
        Some(&self.heard[self.index(thread, condvar)?])
    }

    /// The last notification that a thread has not heard, because nobody slept when it came, if it came after those
    /// that it has heard.
    pub(crate) fn missed(&self, thread: Thread, condvar: ObjectId) -> Option<&Sent> {
        let heard = self.heard(thread, condvar).map_or(0, |heard| heard.number);
        let mut unheard = self.unheard.iter();
        let missed = unheard.find(|one| one.condvar == condvar && one.number > heard)?;
        Some(&missed.sent)
    }
}
