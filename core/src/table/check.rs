//! The table's consistency, asserted at the end of every critical section in debug and model builds.
//!
//! It says nothing about callbacks and their order: that is judged from outside, by the oracle.

use super::list::List;
use super::{Phase, Table};
use crate::handle::Key;
use crate::lent::Lent;
use crate::npi::Side;

impl<L: Lent> Table<L> {
    /// Checks that the table is consistent.
    ///
    /// # Panics
    /// With the rule that it breaks. [`Call::section`](crate::machine::Call::section) checks it too, but in
    /// release builds of what is not a model.
    pub fn check(&self) {
        for (key, registration) in self.registrations.iter() {
            let side = registration.side;
            let characteristics = registration.characteristics.as_ref();
            let npi = characteristics.and_then(|own| self.npis.get(&L::npi(&own.instance)));
            assert!(
                registration.closing || npi.is_some_and(|npi| !npi.sides[side as usize].is_empty()),
                "C2: an open registration is listed under its interface"
            );
            let bindings = self.bindings.iter();
            let own = bindings.filter(|(_, b)| b.ends[side as usize].registration == key);
            assert_eq!(
                own.count(),
                self.bindings_of(registration).count(),
                "C10: a registration lists exactly its bindings"
            );
        }
        for (key, binding) in self.bindings.iter() {
            self.check_binding(key);
            for side in Side::BOTH {
                let owner = binding.ends[side as usize].registration;
                assert!(
                    self.registrations.contains(owner),
                    "C10: a binding's ends are there"
                );
            }
        }
        for npi in self.npis.values() {
            assert!(
                !npi.sides.iter().all(List::is_empty),
                "C19: an interface is noted only while it has open registrations"
            );
        }
    }

    fn check_binding(&self, key: Key) {
        let binding = self.bindings.get(key);
        let [client, provider] = self.registrations_of(binding);
        let [one, other] = [client, provider].map(|end| L::npi(&end.characteristics().instance));
        assert_eq!(one, other, "C1: one interface");
        let closing = client.closing || provider.closing;
        match binding.phase {
            Phase::Proposed { .. } => assert!(!closing, "C6: proposals are withdrawn"),
            Phase::Attaching(_) | Phase::CleaningUp => {
                assert!(
                    binding.running.is_some(),
                    "C15: it is noted whose thread runs a callback"
                );
            }
            Phase::Attached | Phase::Detaching(_) => assert!(
                binding.ends[Side::Provider as usize].context.is_some(),
                "C4: the provider attached"
            ),
        }
    }
}
