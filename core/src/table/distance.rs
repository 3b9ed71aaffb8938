//! Questions about how far things are: for claims of independence, and for a measure that shrinks.

use super::{Attaching, Binding, Detaching, Job, Phase, Table};
use crate::handle::Key;
use crate::lent::Lent;
use crate::npi::{NpiId, Side};

impl<L: Lent> Table<L> {
    /// Whether a registration that somebody may wait for is over, and nobody else waits for it.
    pub(crate) fn is_over(&self, key: Key) -> bool {
        let registration = self.registrations.lookup(key);
        registration.is_ok_and(|it| {
            it.is_finished() && it.waiters <= 1 && !it.owned && it.characteristics.is_some()
        })
    }

    /// How far both sides of a binding are that is detaching.
    pub(crate) fn detaching(&self, key: Key) -> Option<[Detaching; 2]> {
        match self.bindings.lookup(key).ok()?.phase {
            Phase::Detaching(sides) => Some(sides),
            _ => None,
        }
    }

    /// Whether one of a binding's sides is leaving.
    pub(crate) fn is_closing(&self, key: Key) -> bool {
        let binding = self.bindings.lookup(key);
        binding.is_ok_and(|it| self.registrations_of(it).iter().any(|side| side.closing))
    }

    /// Whether the provider has attached, in a client's attach callback that runs.
    pub(crate) fn is_accepted(&self, key: Key) -> bool {
        let binding = self.bindings.lookup(key);
        binding.is_ok_and(|it| it.phase == Phase::Attaching(Attaching::Accepted))
    }

    /// Whether the client may attach in its callback, on this thread.
    pub(crate) fn is_offered_to(&self, key: Key, thread: L::Thread) -> bool {
        let binding = self.bindings.lookup(key);
        binding.is_ok_and(|it| {
            it.phase == Phase::Attaching(Attaching::Offered) && it.running == Some(thread)
        })
    }

    /// Whether an interface has an open registration of that side.
    pub(crate) fn has_open(&self, npi: NpiId, side: Side) -> bool {
        let npi = self.npis.get(&npi);
        npi.is_some_and(|npi| !npi.sides[side as usize].is_empty())
    }

    /// Whether each binding of a registration, which is open, is on its way out.
    pub(crate) fn has_only_leaving(&self, key: Key) -> bool {
        let registration = self.registrations.lookup(key);
        let leaves = |phase| matches!(phase, Phase::Detaching(_) | Phase::CleaningUp);
        registration.is_ok_and(|it| !it.closing) && !self.has_binding(key, |phase| !leaves(phase))
    }

    /// Whether a register or deregister call would find nothing more to do.
    pub(crate) fn has_nothing_for(&self, job: Job) -> bool {
        match job {
            Job::Complete => true,
            Job::Deregister(key) => !self.has_binding(key, |phase| phase == Phase::Attached),
            Job::Register(key) => {
                let registration = self.registrations.lookup(key);
                let side = registration.map(|it| it.side);
                !self.has_binding(key, |phase| {
                    Ok(phase) == side.map(|by| Phase::Proposed { by })
                })
            }
        }
    }

    fn has_binding(&self, key: Key, wanted: impl Fn(Phase) -> bool) -> bool {
        let Ok(registration) = self.registrations.lookup(key) else {
            return false;
        };
        let mut cursor = registration.bindings.first;
        while let Some(next) = cursor {
            let binding = self.bindings.get(next);
            if wanted(binding.phase) {
                return true;
            }
            cursor = binding.ends[registration.side as usize].links.next;
        }
        false
    }

    /// How much is still to happen to the registrations and bindings that there are. Each section that does not
    /// register makes it less, or leaves it as it is.
    #[must_use]
    pub fn distance(&self) -> u64 {
        let bindings = self.bindings.iter();
        let bindings = bindings.map(|(_, binding)| binding.phase.distance());
        let registrations = self.registrations.iter().map(|(_, it)| {
            let flags = [
                it.registering,
                !it.closing,
                it.waiters == 0,
                it.characteristics.is_some(),
            ];
            1 + flags.into_iter().map(u64::from).sum::<u64>()
        });
        bindings.chain(registrations).sum()
    }

    /// Tells of each registration what it is like, its bindings included, as a number that names do not change: those
    /// that are exchanged by a permutation of names have the same one. Different ones may have it too.
    pub fn outlines(&self, mut outline: impl FnMut(&L::Name, u64)) {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        for (_, it) in self.registrations.iter() {
            let flags = [
                it.registering,
                it.closing,
                it.waiters > 0,
                it.characteristics.is_some(),
            ];
            let mut all: u64 = flags
                .iter()
                .fold(1, |all, &flag| all << 1 | u64::from(flag));
            for key in self.bindings_of(it) {
                let Ok(Binding {
                    phase,
                    running,
                    ends,
                }) = self.bindings.lookup(key)
                else {
                    continue;
                };
                let own = &ends[it.side as usize];
                let one = phase.distance() << 2
                    | u64::from(running.is_some()) << 1
                    | u64::from(own.context.is_some());
                let one = (one + 64).wrapping_mul(ODD);
                all = all.wrapping_add(one ^ one >> 29);
            }
            outline(&it.name, all.wrapping_mul(ODD));
        }
    }
}

impl Phase {
    const fn distance(self) -> u64 {
        match self {
            Self::Proposed { .. } => 20,
            Self::Attaching(Attaching::Offered) => 19,
            Self::Attaching(Attaching::CallingProvider) => 18,
            Self::Attaching(Attaching::Refused | Attaching::Accepted) => 17,
            Self::Attached => 16,
            Self::Detaching([one, other]) => 4 + one.distance() + other.distance(),
            Self::CleaningUp => 1,
        }
    }
}

impl Detaching {
    const fn distance(self) -> u64 {
        match self {
            Self::ToCall => 4,
            Self::Calling => 3,
            Self::Pending => 2,
            Self::CompletedEarly => 1,
            Self::Complete => 0,
        }
    }
}
