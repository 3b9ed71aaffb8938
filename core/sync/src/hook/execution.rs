//! One execution, and what goes wrong in it where nobody observes.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// What went wrong where no observer is: on a thread that is none of the program's, for instance. One for
/// all executions of a search.
#[derive(Debug, Default)]
pub struct Alarm {
    raised: OnceLock<String>,
    over: AtomicBool,
}

impl Alarm {
    /// What went wrong first.
    #[must_use]
    pub fn raised(&self) -> Option<&str> {
        self.raised.get().map(String::as_str)
    }

    /// The search is over: what was made in it may be used like anything else.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// See [`Alarm::end`].
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(super) fn raise(&self, why: &str) {
        self.raised.get_or_init(|| why.to_owned());
    }
}

/// One execution, by its address. What is made in it holds on to it.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) alarm: Arc<Alarm>,
    /// The program says that nothing more is to come of it.
    is_abandoned: AtomicBool,
}

impl Execution {
    /// The one at hand, if somebody has said that one began.
    pub(super) fn current() -> Option<Arc<Self>> {
        EXECUTION.with_borrow(Clone::clone)
    }

    pub(super) fn is_current(self: &Arc<Self>) -> bool {
        EXECUTION.with_borrow(|current| {
            let current = current.as_ref();
            current.is_some_and(|current| Arc::ptr_eq(current, self))
        })
    }
}

thread_local! {
    static EXECUTION: RefCell<Option<Arc<Execution>>> = const { RefCell::new(None) };
}

/// An execution begins. What was made before belongs to another one, and must not be used in it.
pub fn begin_execution(alarm: &Arc<Alarm>) {
    let alarm = alarm.clone();
    EXECUTION.set(Some(Arc::new(Execution {
        alarm,
        is_abandoned: AtomicBool::new(false),
    })));
}

/// Says that the execution at hand need not go on: it ends at the next scheduling point, with all its
/// threads where they are. For a program that has found what it looks for. Does nothing without an observer.
pub fn abandon_execution() {
    EXECUTION.with_borrow(|execution| {
        if let Some(execution) = execution {
            execution.is_abandoned.store(true, Ordering::Relaxed);
        }
    });
}

/// Whether the execution at hand was [abandoned](abandon_execution).
#[must_use]
pub fn is_abandoned() -> bool {
    EXECUTION.with_borrow(|execution| {
        let execution = execution.as_ref();
        execution.is_some_and(|execution| execution.is_abandoned.load(Ordering::Relaxed))
    })
}

/// Says that the program of the execution at hand does what no observer can follow.
pub fn raise_alarm(why: &str) {
    EXECUTION.with_borrow(|execution| {
        if let Some(execution) = execution {
            execution.alarm.raise(why);
        }
    });
}

/// Nothing that comes belongs to an execution.
pub(super) fn end_execution() {
    EXECUTION.set(None);
}
