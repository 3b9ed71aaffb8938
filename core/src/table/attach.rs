//! Attaching: the client's callback, and the provider's inside it (C3 to C6).

use super::{Attaching, Detaching, Phase, Step, Table, Visit};
use crate::handle::{HandleFault, Key};
use crate::lent::Lent;
use crate::npi::Side;

/// What `client_attach_provider` has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AttachCall {
    /// Make the provider's attach callback, then report `provider_returned`.
    Provider,
    /// Nothing: the call comes at the wrong time or for the second time (C3).
    InvalidState,
    /// Nothing: the door is closing (C6).
    NoInterface,
}

impl<L: Lent> Table<L> {
    /// Begins a client's attach callback.
    pub(super) fn offer(&mut self, key: Key, visit: &mut Visit<L>) -> Step {
        let binding = self.bindings.get_mut(key);
        binding.phase = Phase::Attaching(Attaching::Offered);
        binding.running = Some(visit.thread);
        let provider = binding.ends[Side::Provider as usize].registration;
        self.lend(key, Side::Client, &mut visit.hand);
        let provider = self.registrations.get(provider);
        visit.hand.peer = Some(provider.characteristics().instance.clone());
        Step::Attach(key)
    }

    /// `client_attach_provider` was called, whose caller holds on to the context itself too.
    pub(crate) fn attach_provider(
        &mut self,
        key: Key,
        context: L::Context,
        visit: &mut Visit<L>,
    ) -> Result<AttachCall, HandleFault> {
        let binding = self.bindings.lookup(key)?;
        if binding.phase != Phase::Attaching(Attaching::Offered)
            || binding.running != Some(visit.thread)
        {
            return Ok(AttachCall::InvalidState);
        }
        let [client, provider] = self.registrations_of(binding);
        if client.closing || provider.closing {
            self.bindings.get_mut(key).phase = Phase::Attaching(Attaching::Refused);
            return Ok(AttachCall::NoInterface);
        }
        visit.hand.peer = Some(client.characteristics().instance.clone());
        self.lend(key, Side::Provider, &mut visit.hand);
        let binding = self.bindings.get_mut(key);
        binding.phase = Phase::Attaching(Attaching::CallingProvider);
        binding.ends[Side::Client as usize].context = Some(context);
        Ok(AttachCall::Provider)
    }

    /// The provider's attach callback returned; with its binding context if it attached.
    pub(crate) fn provider_returned(
        &mut self,
        key: Key,
        context: Option<L::Context>,
        visit: &mut Visit<L>,
    ) {
        let binding = self.bindings.get_mut(key);
        binding.take_back(Side::Provider, &mut visit.hand);
        debug_assert_eq!(binding.phase, Phase::Attaching(Attaching::CallingProvider));
        if context.is_some() {
            binding.phase = Phase::Attaching(Attaching::Accepted);
            binding.ends[Side::Provider as usize].context = context;
        } else {
            binding.phase = Phase::Attaching(Attaching::Refused);
            let refused = binding.ends[Side::Client as usize].context.take();
            self.dropped.get_or_insert_default().context = refused;
        }
    }

    /// The client's attach callback returned; `success` is its answer.
    pub(super) fn attach_returned(
        &mut self,
        key: Key,
        success: bool,
        visit: &mut Visit<L>,
    ) -> Step {
        let [client, provider] = self.registrations_of(self.bindings.get(key));
        let closing = client.closing || provider.closing;
        let binding = self.bindings.get_mut(key);
        binding.take_back(Side::Client, &mut visit.hand);
        binding.running = None;
        let accepted = match binding.phase {
            Phase::Attaching(attaching) => attaching == Attaching::Accepted,
            phase => unreachable!("an attach callback returned in {phase:?}"),
        };
        match (accepted, success) {
            // Declined, or hollow success (C4).
            (false, _) => {
                self.remove_binding(key);
                self.next(visit)
            }
            (true, true) if !closing => {
                binding.phase = Phase::Attached;
                self.next(visit)
            }
            // A late comer (C6).
            (true, true) => self.begin_detach(key, visit),
            // Change of mind (C5): the client's side is out at once.
            (true, false) => {
                let withdrawn = binding.ends[Side::Client as usize].context.take();
                self.dropped.get_or_insert_default().context = withdrawn;
                binding.phase = Phase::Detaching([Detaching::Complete, Detaching::ToCall]);
                self.next_detach(key, visit)
            }
        }
    }
}
