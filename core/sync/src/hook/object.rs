//! The half of a primitive that reports.

use std::hash::Hash;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

use super::execution::Execution;
use super::observer;
use super::protocol::{Kind, ObjectId, Observer, Operation, Told, Write};

const STRANGER: &str = "a primitive of nmr-sync is used on a thread that the explorer does not know \
    (std::thread, perhaps): start all threads of the program with nmr_sync::thread::spawn";

/// The part of a primitive that reports.
#[derive(Debug)]
pub(crate) struct Object {
    /// With the execution in which it was made; `None` if nobody watched then.
    made: Option<(ObjectId, Arc<Execution>)>,
    /// Whoever drops it runs destructors of what it protects, and those do what that says.
    is_read_when_dropped: bool,
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(watched) = self.owned() {
            if self.is_read_when_dropped {
                watched.opened(false);
            }
            watched.observer.dropped(watched.id);
        }
    }
}

/// A primitive and who watches it.
pub(crate) struct Watched {
    pub(crate) id: ObjectId,
    observer: Rc<dyn Observer>,
}

impl Object {
    pub(crate) fn new(kind: Kind, data: &'static str) -> Self {
        let made = observer().and_then(|observer| {
            let execution = Execution::current()?;
            Some((observer.created(kind, data), execution))
        });
        Self {
            made,
            is_read_when_dropped: false,
        }
    }

    /// The same, of a mutex that protects what may have a destructor.
    pub(crate) const fn protecting<T>(mut self) -> Self {
        self.is_read_when_dropped = std::mem::needs_drop::<T>();
        self
    }

    /// Where nobody else has it. `None` where nobody watches, and elsewhere than in the execution in which it was made.
    pub(crate) fn owned(&self) -> Option<Watched> {
        match (&self.made, observer()) {
            (Some((id, execution)), Some(observer)) if execution.is_current() => {
                Some(Watched { id: *id, observer })
            }
            _ => None,
        }
    }

    pub(crate) const fn is_observed(&self) -> bool {
        self.made.is_some()
    }

    /// `None` where nobody watches.
    ///
    /// # Panics
    /// On a thread that is none of the program's, while others of it are being explored.
    pub(crate) fn watched(&self) -> Option<Watched> {
        match (&self.made, observer()) {
            (Some((id, execution)), Some(observer)) if execution.is_current() => {
                Some(Watched { id: *id, observer })
            }
            (_, Some(observer)) => {
                observer.outsider();
                None
            }
            (Some((_, execution)), None) if !execution.alarm.is_over() => {
                execution.alarm.raise(STRANGER);
                panic!("{STRANGER}");
            }
            (_, None) => None,
        }
    }
}

impl Watched {
    /// See [`Observer::waits_in_vain`].
    pub(crate) fn waits_in_vain(&self) -> bool {
        self.observer.waits_in_vain()
    }

    /// See [`Observer::sleeps_with_another`].
    pub(crate) fn sleeps_with_another(&self, mutex: &Self) -> bool {
        self.observer.sleeps_with_another(self.id, mutex.id)
    }

    /// See [`Observer::opened`].
    pub(crate) fn opened(&self, may_change: bool) {
        self.observer.opened(self.id, may_change);
    }

    /// See [`Observer::changed`].
    pub(crate) fn changed(&self) {
        self.observer.changed(self.id);
    }

    /// Announces the operation, stops if told to, and answers what came of it.
    pub(crate) fn perform(&self, operation: Operation, at: &'static Location<'static>) -> usize {
        super::perform(&*self.observer, operation, at)
    }

    pub(crate) fn needs_release_point(&self) -> bool {
        self.observer.needs_release_point(self.id)
    }

    pub(crate) fn released(&self) {
        self.observer.released(self.id);
    }

    pub(crate) fn found(&self, write: Write<'_>) {
        self.observer.told(Told::Found(self.id), write);
    }

    pub(crate) fn describe(&self, write: Write<'_>) {
        self.observer.told(Told::Data(self.id), write);
    }

    pub(crate) fn value(&self, value: &impl Hash) {
        let write: Write<'_> = &|mut state| value.hash(&mut state);
        self.observer.told(Told::Value(self.id), write);
    }
}
