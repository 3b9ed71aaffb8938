//! What a table holds, in words, for whoever shows an execution to people: seen at the end of each critical
//! section, by one observer, in the build that has an explorer. It is no part of any state.

use std::sync::OnceLock;

use super::{Attaching, Binding, Detaching, Phase, Registration, Table};
use crate::lent::Lent;
use crate::npi::RegistrationInstance;

/// A table at the end of a critical section.
#[derive(Debug)]
#[non_exhaustive]
pub struct Seen<'a> {
    /// Which table: another number than any other one's that is there at the same time.
    pub table: usize,
    /// Registrations, as their modules call themselves, and how far each is.
    pub registrations: Vec<(&'a RegistrationInstance, &'static str)>,
    /// Bindings, by the client and the provider; how far each is, and while it is detached, how far each side.
    pub bindings: Vec<(
        [&'a RegistrationInstance; 2],
        &'static str,
        [&'static str; 2],
    )>,
}

static OBSERVER: OnceLock<fn(&Seen<'_>)> = OnceLock::new();

/// Shows every table of this process to `observer` from now on; the first one stays. It must not call the
/// registrar.
pub fn observe(observer: fn(&Seen<'_>)) {
    OBSERVER.get_or_init(|| observer);
}

impl Table {
    pub(crate) fn show(&self) {
        if let Some(observer) = OBSERVER.get() {
            observer(&self.seen());
        }
    }

    fn seen(&self) -> Seen<'_> {
        let registrations = self.registrations.iter().filter_map(|(_, it)| {
            let own = it.characteristics.as_ref()?;
            Some((&*own.instance, it.stage()))
        });
        let bindings = self.bindings.iter().filter_map(|(_, it)| {
            let owners = self.registrations_of(it);
            let [client, provider] = owners.map(|owner| owner.characteristics.as_ref());
            let (phase, sides) = it.stage();
            Some(([&*client?.instance, &*provider?.instance], phase, sides))
        });
        Seen {
            table: std::ptr::from_ref(self).addr(),
            registrations: registrations.collect(),
            bindings: bindings.collect(),
        }
    }
}

impl<L: Lent> Registration<L> {
    fn stage(&self) -> &'static str {
        match (self.closing, self.registering) {
            _ if self.is_finished() => "closed",
            (true, _) => "closing",
            (false, true) => "registering",
            (false, false) => "open",
        }
    }
}

impl<L: Lent> Binding<L> {
    fn stage(&self) -> (&'static str, [&'static str; 2]) {
        let phase = match self.phase {
            Phase::Proposed { .. } => "proposed",
            Phase::Attaching(Attaching::Offered) => "offered",
            Phase::Attaching(Attaching::CallingProvider) => "attaching",
            Phase::Attaching(Attaching::Refused) => "refused",
            Phase::Attaching(Attaching::Accepted) => "accepted",
            Phase::Attached => "attached",
            Phase::Detaching(sides) => return ("detaching", sides.map(Detaching::words)),
            Phase::CleaningUp => "cleaning up",
        };
        (phase, [""; 2])
    }
}

impl Detaching {
    const fn words(self) -> &'static str {
        match self {
            Self::ToCall => "to be asked",
            Self::Calling => "asked",
            Self::CompletedEarly => "completed early",
            Self::Pending => "pending",
            Self::Complete => "complete",
        }
    }
}
