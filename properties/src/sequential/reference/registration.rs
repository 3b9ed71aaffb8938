//! The specification of registering, deregistering and waiting.

use std::sync::Arc;

use nmr::{InsufficientResources, Resource, Side, Status};

use super::{BLOCKS, BUSY, Binding, Model, Phase, Registration, State, keep_first};
use crate::sequential::event::{Answer, Name};
use crate::sequential::handle_ref::Slot;
use crate::sequential::ops::Register;

impl Model {
    pub(super) fn is_busy(&self, slot: Slot) -> bool {
        let mut all = self.registrations.iter();
        all.any(|r| r.name.slot == slot && r.state != State::Gone)
    }

    pub(super) fn register(&mut self, script: &Register) -> Answer {
        let slot = script.module;
        if self.is_busy(slot) {
            return Answer::NotMade(BUSY);
        }
        if script.npi == 0 {
            return Answer::NilInterface;
        }
        let earlier = self.registrations.iter().filter(|r| r.name.slot == slot);
        let turn = u32::try_from(earlier.count() + 1).expect("sequences are short");
        let name = Name { slot, turn };
        let own = self.registrations.len();
        let reserved = self.reserve(script);
        let proposals = match reserved {
            Ok(()) => self.propose(own, script),
            Err(_) => 0..0,
        };
        self.registrations.push(Registration {
            name,
            script: Arc::new(script.clone()),
            state: match reserved {
                Ok(()) => State::Open,
                Err(_) => State::Gone,
            },
            spent: Vec::new(),
        });
        if let Err(refusal) = reserved {
            return Answer::InsufficientResources(refusal);
        }
        // Oldest peer first. A proposal may be withdrawn before its turn comes (C6).
        let mut panic = None;
        for binding in proposals {
            if self.bindings[binding].phase == Phase::Proposed {
                let thrown = self.offer(binding);
                keep_first(&mut panic, thrown);
            }
        }
        match panic {
            Some(text) => {
                self.withdraw(own);
                Answer::Panicked(text)
            }
            None => {
                self.issued.push(own);
                Answer::Registered(name)
            }
        }
    }

    /// C17: room for the registration, then for the interface, then for the bindings if there are
    /// any to make; all of it, or nothing.
    fn reserve(&mut self, script: &Register) -> Result<(), InsufficientResources> {
        let registrations = self.registrations.iter();
        let registered = registrations.filter(|r| r.state != State::Gone).count();
        let bound = self
            .bindings
            .iter()
            .filter(|b| b.phase != Phase::Gone)
            .count();
        let peers = self.peers(script).count();
        let left = |limit: Option<usize>, used: usize| limit.map(|limit| limit - used);
        let steps = [
            (
                Resource::Registration,
                1,
                left(self.limits.max_registrations, registered),
            ),
            (Resource::Interface, 1, None),
            (
                Resource::Binding,
                peers,
                left(self.limits.max_bindings, bound),
            ),
        ];
        for (what, wanted, left) in steps.into_iter().filter(|&(_, wanted, _)| wanted > 0) {
            self.reservations += 1;
            let fault = self.limits.fail_reservation == Some(self.reservations);
            if fault || left.is_some_and(|left| left < wanted) {
                return Err(InsufficientResources { wanted, what });
            }
        }
        Ok(())
    }

    /// The open registrations of the other side and the same interface, oldest first.
    fn peers(&self, script: &Register) -> impl Iterator<Item = usize> {
        let (side, npi) = (script.module.side, script.npi);
        let all = self.registrations.iter().enumerate();
        all.filter(move |(_, other)| {
            let matches = other.name.slot.side != side && other.script.npi == npi;
            other.state == State::Open && matches
        })
        .map(|(peer, _)| peer)
    }

    /// C1 and C2: one binding with each open registration of the other side.
    fn propose(&mut self, own: usize, script: &Register) -> std::ops::Range<usize> {
        let first = self.bindings.len();
        for peer in self.peers(script).collect::<Vec<_>>() {
            self.bindings.push(Binding {
                ends: match script.module.side {
                    Side::Client => [own, peer],
                    Side::Provider => [peer, own],
                },
                phase: Phase::Proposed,
                inside: false,
                provider_alone: false,
            });
        }
        first..self.bindings.len()
    }

    /// A register call that panics returns no handle, so it ends the registration itself.
    fn withdraw(&mut self, own: usize) {
        self.deregister(own);
        if self
            .bindings_of(own)
            .any(|b| self.bindings[b].phase != Phase::Gone)
        {
            self.stuck = true;
        }
        self.registrations[own].state = State::Gone;
    }

    fn bindings_of(&self, registration: usize) -> impl Iterator<Item = usize> {
        (0..self.bindings.len()).filter(move |&b| self.bindings[b].ends.contains(&registration))
    }

    pub(super) fn deregister(&mut self, own: usize) -> Answer {
        if self.registrations[own].state == State::Closing {
            return Answer::AlreadyDeregistering;
        }
        self.registrations[own].state = State::Closing;
        let bindings: Vec<usize> = self.bindings_of(own).collect();
        for &binding in &bindings {
            if self.bindings[binding].phase == Phase::Proposed {
                self.bindings[binding].phase = Phase::Gone;
            }
        }
        // One by one, oldest first: a callback may detach the later ones before their turn comes.
        let mut panic = None;
        for binding in bindings {
            if self.bindings[binding].phase == Phase::Attached {
                let thrown = self.detach(binding);
                keep_first(&mut panic, thrown);
            }
        }
        panic.map_or(Answer::Deregistering(Status::PENDING), Answer::Panicked)
    }

    pub(super) fn wait(&mut self, own: usize) -> Answer {
        if self.registrations[own].state != State::Closing {
            return Answer::NotDeregistered;
        }
        if self.bindings_of(own).any(|b| self.bindings[b].inside) {
            return Answer::WouldDeadlock;
        }
        if self
            .bindings_of(own)
            .any(|b| self.bindings[b].phase != Phase::Gone)
        {
            return Answer::NotMade(BLOCKS);
        }
        self.registrations[own].state = State::Gone;
        Answer::Done
    }
}
