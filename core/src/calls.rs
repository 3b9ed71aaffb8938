//! What the public functions do: a transition of the table inside one critical section, then the
//! callbacks that its answer names, outside it (C15).
//!
//! Generic over the side wherever both have the function; the public functions are not. The callbacks
//! are made in [`drive`](crate::drive).

use std::panic::resume_unwind;

use nmr_sync::{learn, thread};
use tracing::debug;

use crate::drive::{Payload, call_attach_client, catching};
use crate::error::{AttachError, DeregisterError, DetachCompleteError, RegisterError, WaitError};
use crate::handle::{BindingHandle, Handle, HandleFault, HandleKind, Key, Kind, OfBinding, Place};
use crate::module::Attachment;
use crate::npi::{NpiId, Side};
use crate::registrar::{Registrar, RegistrationKind};
use crate::status::Status;
use crate::table::{AttachCall, ByName, Characteristics, Table, Visit, WaitFault, Waited};

impl Registrar {
    pub(crate) fn register<K: RegistrationKind>(
        &self,
        characteristics: Characteristics,
    ) -> Result<Handle<K>, RegisterError> {
        let npi = characteristics.instance.npi;
        if npi == NpiId::NIL {
            return Err(RegisterError::InvalidParameter(npi));
        }
        let visit = &mut Visit::new(thread::current_id());
        let stripe = self.stripe_of(npi);
        let registered = self.enter(stripe, visit, |table, visit| {
            table.register(characteristics, visit)
        });
        let (key, step) = registered?;
        let handle = self.handle(Kind::Registration(K::SIDE), stripe, key);
        debug!(%handle, %npi, "registered");
        if let Some(payload) = self.drive(stripe, step, visit) {
            self.withdraw(handle);
            resume_unwind(payload);
        }
        Ok(handle)
    }

    /// Takes a registration back whose register call panics, and which therefore nobody can.
    fn withdraw<K: RegistrationKind>(&self, handle: Handle<K>) {
        // A panic from here on is not the first one.
        let mut later = None;
        catching(&mut later, || self.deregister(handle));
        if let Some(Err(_)) = catching(&mut later, || self.wait(handle)) {
            catching(&mut later, || self.abandon(handle));
        }
    }

    pub(crate) fn deregister<K: RegistrationKind>(
        &self,
        handle: Handle<K>,
    ) -> Result<Status, DeregisterError<K>> {
        let invalid = |fault| DeregisterError::InvalidParameter { handle, fault };
        let Place { stripe, key } = self.place(handle).map_err(invalid)?;
        let visit = &mut Visit::new(thread::current_id());
        let begun = self.enter(stripe, visit, |table, visit| {
            table.deregister(key, K::SIDE, visit)
        });
        let Some(step) = begun.map_err(invalid)? else {
            return Err(DeregisterError::AlreadyDeregistering { handle });
        };
        debug!(%handle, "deregistering");
        go_on_with(self.drive(stripe, step, visit));
        Ok(Status::PENDING)
    }

    pub(crate) fn wait<K: RegistrationKind>(&self, handle: Handle<K>) -> Result<(), WaitError<K>> {
        let place = self.place(handle);
        let Place { stripe, key } =
            place.map_err(|fault| WaitError::InvalidParameter { handle, fault })?;
        let thread = thread::current_id();
        let mut entered = false;
        let waited = self.shared.stripes[stripe as usize].wait_until(|table| {
            let learnt = |table: &Table, answer| {
                learn(&table.lesson(&answer, &()));
                answer
            };
            if !entered {
                entered = true;
                if let Err(fault) = table.begin_wait(key, K::SIDE, thread) {
                    return Some(learnt(table, Err(fault)));
                }
            }
            let waited = table.end_wait(key)?;
            let waited = learnt(table, Ok(waited));
            let mut dropped = None;
            let wake = table.leave(&mut dropped);
            debug_assert!(
                !wake && dropped.is_none(),
                "the answer says all that is to do"
            );
            Some(waited)
        });
        match waited {
            Ok(Waited::Gone) => {}
            Ok(Waited::Alone(module)) => drop(module),
            Ok(Waited::First(module)) => {
                // The others are waiting for this drop, even if it panics.
                let mut panic = None;
                catching(&mut panic, || drop(module));
                self.enter(stripe, &mut (), |table, ()| table.let_go(key));
                go_on_with(panic);
            }
            Err(WaitFault::Handle(fault)) => {
                return Err(WaitError::InvalidParameter { handle, fault });
            }
            Err(WaitFault::NotDeregistered) => return Err(WaitError::NotDeregistered { handle }),
            Err(WaitFault::WouldDeadlock) => return Err(WaitError::WouldDeadlock { handle }),
        }
        debug!(%handle, "deregistered");
        Ok(())
    }

    /// Nobody will wait for a registration whose deregistration has begun: it frees itself.
    pub(crate) fn abandon<K: RegistrationKind>(&self, handle: Handle<K>) {
        if let Ok(Place { stripe, key }) = self.place(handle) {
            self.enter(stripe, &mut (), |table, ()| table.abandon(key));
        }
    }

    pub(crate) fn attach_provider(
        &self,
        binding: BindingHandle,
        client: Attachment,
    ) -> Result<Attachment, AttachError> {
        let invalid = |fault| AttachError::InvalidParameter {
            handle: binding,
            fault,
        };
        let Place { stripe, key } = self.place(binding).map_err(invalid)?;
        let thread = thread::current_id();
        let context = client.context.clone();
        let call = self.enter(stripe, &mut (), |table, ()| {
            table.attach_provider(key, context, thread)
        });
        let (provider, instance) = match call.map_err(invalid)? {
            AttachCall::InvalidState => return Err(AttachError::InvalidState { handle: binding }),
            AttachCall::NoInterface => return Err(AttachError::NoInterface { handle: binding }),
            AttachCall::Provider { provider, instance } => (provider, instance),
        };
        let answer = call_attach_client(binding, provider, instance, client);
        let context = match &answer {
            Ok(Ok(attachment)) => Some(attachment.context.clone()),
            Ok(Err(_)) | Err(_) => None,
        };
        self.enter(stripe, &mut (), |table, ()| {
            table.provider_returned(key, context);
        });
        let answer = answer.unwrap_or_else(|payload| resume_unwind(payload));
        debug!(%binding, accepted = answer.is_ok(), "provider's attach callback returned");
        answer.map_err(AttachError::Refused)
    }

    pub(crate) fn detach_complete(
        &self,
        binding: BindingHandle,
        side: Side,
    ) -> Result<(), DetachCompleteError> {
        let invalid = |fault| DetachCompleteError::InvalidParameter {
            handle: binding,
            fault,
        };
        let Place { stripe, key } = self.place(binding).map_err(invalid)?;
        let visit = &mut Visit::new(thread::current_id());
        let step = self.enter(stripe, visit, |table, visit| {
            table.detach_complete(key, side, visit)
        });
        let Some(step) = step.map_err(invalid)? else {
            return Err(DetachCompleteError::InvalidState { handle: binding });
        };
        debug!(%binding, %side, "detach completed");
        go_on_with(self.drive(stripe, step, visit));
        Ok(())
    }

    /// One critical section, and outside it the drop of what the table has let go of, which may
    /// panic. The thread takes along what the section answers and what it puts into `visit`.
    #[cfg_attr(shuttle, track_caller)]
    pub(crate) fn enter<V: ByName, R: ByName>(
        &self,
        stripe: u32,
        visit: &mut V,
        section: impl FnOnce(&mut Table, &mut V) -> R,
    ) -> R {
        let mut panic = None;
        let answer = self.enter_keeping(stripe, &mut panic, visit, section);
        go_on_with(panic);
        answer
    }

    /// [`enter`](Self::enter) for a thread that has more to do before a panic may go on.
    #[cfg_attr(shuttle, track_caller)]
    pub(crate) fn enter_keeping<V: ByName, R: ByName>(
        &self,
        stripe: u32,
        panic: &mut Option<Payload>,
        visit: &mut V,
        section: impl FnOnce(&mut Table, &mut V) -> R,
    ) -> R {
        let monitor = &self.shared.stripes[stripe as usize];
        // Beside the answer, for it is large and mostly empty.
        let mut dropped = None;
        let answer = monitor.enter_then_leave(
            |table| {
                let answer = section(table, visit);
                learn(&table.lesson(&answer, visit));
                answer
            },
            |table| table.leave(&mut dropped),
        );
        if let Some(dropped) = dropped {
            catching(panic, || drop(dropped));
        }
        answer
    }

    pub(crate) fn place<K: HandleKind>(&self, handle: Handle<K>) -> Result<Place, HandleFault> {
        let place = handle.place(self.shared.id)?;
        if (place.stripe as usize) < self.shared.stripes.len() {
            Ok(place)
        } else {
            Err(HandleFault::Unknown)
        }
    }

    fn handle<K: HandleKind>(&self, kind: Kind, stripe: u32, key: Key) -> Handle<K> {
        Handle::new(self.shared.id, kind, Place { stripe, key })
    }

    pub(crate) fn binding(&self, stripe: u32, key: Key) -> Handle<OfBinding> {
        self.handle(Kind::Binding, stripe, key)
    }

    pub(crate) fn stripe_of(&self, npi: NpiId) -> u32 {
        // Fibonacci hashing: GUIDs made by hand differ in few bits, and often in the low ones.
        let folded = (npi.0 >> 64) as u64 ^ npi.0 as u64;
        let hash = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let bits = self.shared.stripes.len().trailing_zeros();
        (hash.rotate_left(bits) & (self.shared.stripes.len() as u64 - 1)) as u32
    }
}

fn go_on_with(panic: Option<Payload>) {
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}
