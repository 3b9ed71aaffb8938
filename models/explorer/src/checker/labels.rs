//! The names by which a [schedule](crate::checker::schedule) knows threads, objects and places. Kept for the executions
//! that are followed or told of; a search goes by numbers.

use nmr_sync::hook::{Kind, ObjectId, Operation};
use rustc_hash::FxHashMap;

use crate::checker::notifications::{Notifications, Sent};
use crate::checker::program::{At, Next, Program, Thread};
use crate::checker::schedule::{Action, Mark, Step};

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    threads: Vec<ThreadLabels>,
    objects: FxHashMap<ObjectId, String>,
    /// How many objects of a kind each thread has made.
    made: FxHashMap<(u32, String), u32>,
    /// Who was woken by whom.
    pub(crate) notifications: Notifications,
}

#[derive(Clone, Debug, Default)]
struct ThreadLabels {
    name: String,
    /// The last place, which of the visits to it.
    mark: Option<Mark>,
    /// How often each place was visited.
    visits: FxHashMap<String, u32>,
    /// What was done since the last mark.
    done: FxHashMap<(Action, Option<ObjectId>), u32>,
}

impl Labels {
    fn thread(&mut self, thread: Thread) -> &mut ThreadLabels {
        while self.threads.len() <= thread {
            self.threads.push(ThreadLabels {
                name: default_name(self.threads.len()),
                ..ThreadLabels::default()
            });
        }
        &mut self.threads[thread]
    }

    /// What people call a thread.
    pub(crate) fn name(&self, thread: Thread) -> String {
        let known = self.threads.get(thread);
        known.map_or_else(|| default_name(thread), |known| known.name.clone())
    }

    /// The thread of this name.
    pub(crate) fn thread_named(&self, name: &str) -> Option<Thread> {
        let known = self.threads.iter().position(|known| known.name == name);
        // The main thread is there before it has done anything.
        known.or_else(|| (name == default_name(0)).then_some(0))
    }

    pub(crate) fn spawned(&mut self, thread: Thread, name: Option<&str>) {
        let name = plain(&name.map_or_else(|| default_name(thread), str::to_owned));
        self.thread(thread);
        let taken = |name: &str| {
            let mut others = self.threads.iter().enumerate();
            others.any(|(other, known)| other != thread && known.name == name)
        };
        let numbered = (2..).map(|nth| format!("{name}#{nth}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        let free = names.find(|name| !taken(name));
        self.threads[thread].name = free.expect("some number is free");
    }

    pub(crate) fn created(&mut self, id: ObjectId, kind: Kind, data: &str) {
        let kind = match kind {
            Kind::Mutex => format!("Mutex<{}>", short(data)),
            Kind::Condvar => "Condvar".to_owned(),
            Kind::Atomic => "Atomic".to_owned(),
            Kind::Name => return,
        };
        let count = self.made.entry((id.thread, kind.clone())).or_default();
        *count += 1;
        let own = format!("{kind}.{count}");
        let name = match id.thread {
            0 => own,
            maker => format!("{}/{own}", self.name(maker as Thread).replace(' ', "_")),
        };
        self.objects.insert(id, name);
    }

    /// What people call an object.
    pub(crate) fn object(&self, id: ObjectId) -> Option<&str> {
        self.objects.get(&id).map(String::as_str)
    }

    pub(crate) fn marked(&mut self, thread: Thread, place: &str) {
        let place = unbroken(place);
        let known = self.thread(thread);
        let nth = known.visits.entry(place.clone()).or_default();
        *nth += 1;
        known.mark = Some(Mark { place, nth: *nth });
        known.done.clear();
    }

    /// Whether a thread has been at a place and has left it.
    pub(crate) fn has_left(&self, thread: Thread, mark: Option<&Mark>) -> bool {
        let Some(known) = self.threads.get(thread) else {
            return false;
        };
        match mark {
            None => known.mark.is_some(),
            Some(mark) => {
                let visits = known.visits.get(&mark.place).copied().unwrap_or(0);
                visits >= mark.nth && known.mark.as_ref() != Some(mark)
            }
        }
    }

    /// A thread is about to notify others, as an operation that it does from there.
    pub(crate) fn notifies(
        &mut self,
        program: &Program,
        by: Thread,
        operation: Operation,
        variant: u32,
        from: At,
    ) {
        let (Operation::NotifyOne(condvar) | Operation::NotifyAll(condvar)) = operation else {
            return;
        };
        let after = self.thread(by).mark.clone();
        let woken = program.woken(operation, variant).into_iter();
        let woken = woken.filter_map(|thread| Some((thread, program.stop_of(thread)?)));
        let sent = Sent { by, from, after };
        self.notifications.sent(condvar, &sent, woken);
    }

    /// A thread has done something.
    pub(crate) fn done(&mut self, thread: Thread, next: Next) {
        let key = key(next);
        *self.thread(thread).done.entry(key).or_default() += 1;
    }

    /// What a thread does when it goes on, as a step.
    pub(crate) fn step(&self, thread: Thread, next: Next) -> Step {
        let (action, object) = key(next);
        let known = self.threads.get(thread);
        let done = known.and_then(|known| known.done.get(&(action, object)));
        Step {
            thread: self.name(thread),
            action,
            object: object.and_then(|id| Some(self.object(id)?.to_owned())),
            nth: done.copied().unwrap_or(0) + 1,
            after: known.and_then(|known| known.mark.clone()),
            outcome: None,
        }
    }
}

/// What a thread is called that has no other name.
pub(crate) fn default_name(thread: Thread) -> String {
    match thread {
        0 => "main".to_owned(),
        number => number.to_string(),
    }
}

/// A name as it may stand in a line of a schedule.
fn plain(name: &str) -> String {
    unbroken(name).replace(": ", ":_")
}

/// Without what ends a line or a quotation.
fn unbroken(text: &str) -> String {
    let is_broken = |char: char| char == '`' || char.is_control();
    text.replace(is_broken, "_")
}

/// What is done, with what.
fn key(next: Next) -> (Action, Option<ObjectId>) {
    match next {
        Next::Asleep { mutex, .. } => (Action::Wake, Some(mutex)),
        Next::Reacquire { mutex, .. } => (Action::Reacquire, Some(mutex)),
        Next::Spins => (Action::Yield, None),
        Next::Operation(operation) => match operation {
            Operation::Acquire(object) => (Action::Acquire, Some(object)),
            Operation::TryAcquire(object) => (Action::TryAcquire, Some(object)),
            // A thread falls asleep as it releases the mutex.
            Operation::Release(object) | Operation::Wait { mutex: object, .. } => {
                (Action::Release, Some(object))
            }
            Operation::NotifyOne(object) => (Action::NotifyOne, Some(object)),
            Operation::NotifyAll(object) => (Action::NotifyAll, Some(object)),
            Operation::Load(object) => (Action::Load, Some(object)),
            Operation::Update(object) => (Action::Update, Some(object)),
            Operation::Choose(1) => (Action::Begin, None),
            Operation::Choose(_) => (Action::Choose, None),
            Operation::Linger => (Action::Linger, None),
            Operation::Join(_) | Operation::JoinAll => (Action::Join, None),
            Operation::Yield => (Action::Yield, None),
        },
    }
}

/// A type without the paths to it.
fn short(data: &str) -> String {
    let is_path = |char: char| char.is_alphanumeric() || matches!(char, '_' | ':');
    let mut short = String::new();
    let mut rest = data;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|char| !is_path(char)).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        short.push_str(path.rsplit("::").next().unwrap_or(path));
        rest = after;
        if end == 0 {
            if !first.is_whitespace() && first != '#' {
                short.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: ObjectId = ObjectId { thread: 0, nth: 4 };
    const ACQUIRE: Next = Next::Operation(Operation::Acquire(LOCK));

    #[test]
    fn a_type_is_named_without_paths() {
        assert_eq!(short("i32"), "i32");
        assert_eq!(
            short("alloc::vec::Vec<core::option::Option<(u8, my::Own)>>"),
            "Vec<Option<(u8,Own)>>"
        );
        assert_eq!(short("[usize; 4]"), "[usize;4]");
    }

    #[test]
    fn an_object_is_known_by_its_type_and_its_maker() {
        let mut labels = Labels::default();
        let mut made = |thread, nth, kind, data: &str| {
            let id = ObjectId { thread, nth };
            labels.created(id, kind, data);
            labels.object(id).map(str::to_owned)
        };
        assert_eq!(made(0, 0, Kind::Mutex, "a::T").unwrap(), "Mutex<T>.1");
        assert_eq!(made(0, 1, Kind::Condvar, "").unwrap(), "Condvar.1");
        assert_eq!(made(0, 2, Kind::Name, ""), None);
        assert_eq!(made(0, 3, Kind::Mutex, "b::T").unwrap(), "Mutex<T>.2");
        assert_eq!(made(2, 0, Kind::Mutex, "b::T").unwrap(), "2/Mutex<T>.1");
    }

    #[test]
    fn threads_of_one_name_are_told_apart() {
        let mut labels = Labels::default();
        for thread in 1..=3 {
            labels.spawned(thread, Some("a: b"));
        }
        labels.spawned(4, None);
        let names = [0, 1, 2, 3, 4].map(|thread| labels.name(thread));
        assert_eq!(names, ["main", "a:_b", "a:_b#2", "a:_b#3", "4"]);
        assert_eq!(labels.thread_named("a:_b#2"), Some(2));
    }

    #[test]
    fn an_operation_is_counted_since_the_last_mark() {
        let mut labels = Labels::default();
        labels.created(LOCK, Kind::Mutex, "T");
        labels.done(1, ACQUIRE);
        let at = |labels: &Labels| labels.step(1, ACQUIRE).to_string();
        assert_eq!(at(&labels), "1: acquire Mutex<T>.1 #2");
        labels.marked(1, "call");
        assert_eq!(at(&labels), "1: acquire Mutex<T>.1 after `call`");
        labels.done(1, ACQUIRE);
        labels.marked(1, "call");
        assert_eq!(at(&labels), "1: acquire Mutex<T>.1 after `call` #2");
    }

    #[test]
    fn a_place_is_left_when_another_one_is_named() {
        let mut labels = Labels::default();
        let mark = |nth| {
            let place = "call".to_owned();
            Some(Mark { place, nth })
        };
        labels.marked(1, "call");
        assert!(labels.has_left(1, None));
        assert!(!labels.has_left(1, mark(1).as_ref()));
        labels.marked(1, "call");
        assert!(labels.has_left(1, mark(1).as_ref()));
        assert!(!labels.has_left(1, mark(2).as_ref()));
        assert!(!labels.has_left(1, mark(3).as_ref()));
        labels.marked(1, "return");
        assert!(labels.has_left(1, mark(2).as_ref()));
    }
}
