//! Who waits for whom: of the calls that are open, and of what the tables hold.

use std::collections::BTreeMap;

use super::{Binding, State, Wait};
use crate::event::{Call, Deed, RegId, What};
use crate::render::name;
use crate::scenario::Scenario;

/// The threads, as far as an execution has been read.
pub(super) struct Waits<'a> {
    scenario: &'a Scenario,
    threads: BTreeMap<u8, Thread>,
    set: Vec<u8>,
    /// The modules' own locks, and who has each.
    locks: BTreeMap<u8, u8>,
    /// The main thread waits for the others as long as they go on.
    has_begun: bool,
}

#[derive(Default)]
struct Thread {
    inside: Vec<What>,
    /// Whether the innermost call has made a critical section.
    has_entered: bool,
    /// An event that it has come to wait for, or a lock that it has come to take.
    deed: Option<Deed>,
}

impl<'a> Waits<'a> {
    pub(super) const fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            threads: BTreeMap::new(),
            set: Vec::new(),
            locks: BTreeMap::new(),
            has_begun: false,
        }
    }

    /// How many calls and callbacks the thread is inside of.
    pub(super) fn depth(&self, thread: u8) -> u8 {
        self.threads
            .get(&thread)
            .map_or(0, |thread| thread.inside.len() as u8)
    }

    /// A thread has made a critical section.
    pub(super) fn section(&mut self, thread: u8) {
        self.goes_on(thread).has_entered = true;
    }

    /// Something has happened.
    pub(super) fn event(&mut self, number: u8, what: What) {
        self.has_begun = number != 0;
        let thread = self.goes_on(number);
        thread.has_entered = false;
        match what {
            What::Call(_) | What::Begin(_) | What::DispatchBegin { .. } => thread.inside.push(what),
            What::Return(_) | What::End(_) | What::DispatchEnd { .. } => {
                thread.inside.pop();
            }
            What::Did(deed @ (Deed::Await(_) | Deed::Lock(_))) => thread.deed = Some(deed),
            What::Did(Deed::Set(event)) => self.set.push(event),
            What::Did(Deed::Unlock(lock)) => {
                self.locks.remove(&lock);
            }
            _ => {}
        }
        if let What::Did(Deed::Lock(lock)) = what {
            self.locks.entry(lock).or_insert(number);
        }
    }

    /// A thread that does something has what it came to wait for.
    fn goes_on(&mut self, number: u8) -> &mut Thread {
        let thread = self.threads.entry(number).or_default();
        if let Some(Deed::Lock(lock)) = thread.deed.take() {
            self.locks.insert(lock, number);
        }
        thread
    }

    /// Who waits now.
    pub(super) fn now(&self, state: &State) -> Vec<Wait> {
        let mut waits = Vec::new();
        if self.has_begun {
            waits.push(Wait {
                thread: 0,
                what: "the other threads to end".to_owned(),
                from: None,
            });
        }
        for (&number, thread) in &self.threads {
            let found = match (thread.deed, thread.inside.last()) {
                (Some(deed), _) => self.deed(number, deed).into_iter().collect(),
                (None, Some(&What::Call(Call::Wait(Some(reg)) | Call::Release(reg))))
                    if thread.has_entered =>
                {
                    self.registration(number, reg, state)
                }
                _ => Vec::new(),
            };
            waits.extend(found);
        }
        waits
    }

    fn deed(&self, thread: u8, deed: Deed) -> Option<Wait> {
        match deed {
            Deed::Await(event) if !self.set.contains(&event) => Some(Wait {
                thread,
                what: format!("the event {}", self.scenario.events[usize::from(event)]),
                from: None,
            }),
            Deed::Lock(lock) => {
                let holder = self.locks.get(&lock).copied();
                let holder = holder.filter(|&holder| holder != thread)?;
                Some(Wait {
                    thread,
                    what: format!("the lock {}", self.scenario.locks[usize::from(lock)]),
                    from: Some(holder),
                })
            }
            _ => None,
        }
    }

    /// What keeps a registration for which a thread waits, if its table counts a waiter.
    fn registration(&self, thread: u8, reg: RegId, state: &State) -> Vec<Wait> {
        let wanted = name(self.scenario, reg);
        let mut all = state.registrations.iter();
        let Some(registration) = all.find(|one| one.name == wanted && one.waiters > 0) else {
            return Vec::new();
        };
        if registration.stage == "closed" {
            return Vec::new();
        }
        let of = |what: String, from| Wait { thread, what, from };
        let its = |one: &&Binding| one.client == wanted || one.provider == wanted;
        let bindings = state.bindings.iter().filter(its);
        let keep = bindings.map(|one| of(keeps(one), one.running));
        let keep: Vec<Wait> = keep.collect();
        match keep.is_empty() {
            true => vec![of(format!("the register call of {wanted}"), None)],
            false => keep,
        }
    }
}

/// What a binding lacks to be over.
fn keeps(binding: &Binding) -> String {
    let owners = [&binding.client, &binding.provider];
    let pending = owners.into_iter().zip(&binding.sides);
    let pending = pending.filter(|(_, side)| *side == "pending");
    let owing: Vec<&str> = pending.map(|(owner, _)| owner.as_str()).collect();
    let name = &binding.name;
    match (&binding.running, owing.is_empty()) {
        (Some(_), _) => format!("binding {name}: a callback runs"),
        (None, false) => format!("binding {name}: the completion of {}", owing.join(" and ")),
        (None, true) => format!("binding {name}: {}", binding.stage),
    }
}
