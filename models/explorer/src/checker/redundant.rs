//! Lets the program under test ask whether anybody is interested in what it does.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use crate::checker::control::Control;

thread_local! {
    static CONTROL: RefCell<Weak<Control>> = const { RefCell::new(Weak::new()) };
}

/// Whether the execution at hand is redundant: nothing is left to choose in it, and it is only run to its end; or, for a program
/// with [snapshots](crate::Builder::snapshots) of external state, to where something new
/// comes. What a program counts or collects over all executions it need not count or collect then.
#[must_use]
pub fn is_redundant() -> bool {
    let control = CONTROL.with_borrow(Weak::upgrade);
    control.is_some_and(|control| control.tells_nothing_new())
}

/// How far the execution at hand has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reached {
    /// Steps of its schedule so far: where something had to be chosen.
    pub steps: usize,
    /// Switches so far away from a thread that could have gone on.
    pub preemptions: u32,
}

/// How far the execution at hand has come, for a program that shows itself to people; `None` outside of one. Nothing that
/// a program does may depend on it.
#[must_use]
pub fn reached() -> Option<Reached> {
    let control = CONTROL.with_borrow(Weak::upgrade)?;
    Some(control.with(|state| state.reached()))
}

/// The program's main thread has come to its end.
pub(crate) fn main_ended() {
    if let Some(control) = CONTROL.with_borrow(Weak::upgrade) {
        control.with(|state| state.main_ended());
    }
}

/// Until the answer is dropped, [`is_redundant`] is about this control's executions.
pub(crate) fn follow(control: &Rc<Control>) -> Following {
    CONTROL.set(Rc::downgrade(control));
    Following
}

pub(crate) struct Following;

impl Drop for Following {
    fn drop(&mut self) {
        CONTROL.set(Weak::new());
    }
}
