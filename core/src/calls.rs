//! The public functions as calls of the [`machine`](crate::machine): how each begins, and what its answer is
//! called. The rest is [`drive`](crate::drive)'s.
//!
//! Generic over the side wherever both have the function; the public functions are not.

use nmr_sync::thread::{self, ThreadId};
use tracing::debug;

use crate::drive::Real;
use crate::error::{AttachError, DeregisterError, DetachCompleteError, RegisterError, WaitError};
use crate::handle::{BindingHandle, Handle, HandleFault};
use crate::machine::{
    Answer, AttachFault, Call, CompleteFault, DeregisterFault, Layout, WaitFault,
};
use crate::module::Attachment;
use crate::npi::Side;
use crate::registrar::{Registrar, RegistrationKind};
use crate::status::Status;
use crate::table::Characteristics;

impl Registrar {
    pub(crate) fn register<K: RegistrationKind>(
        &self,
        characteristics: Characteristics,
    ) -> Result<Handle<K>, RegisterError> {
        self.registered(Call::register, characteristics)
    }

    /// As [`register`](Self::register), for an owner.
    pub(crate) fn own<K: RegistrationKind>(
        &self,
        characteristics: Characteristics,
    ) -> Result<Handle<K>, RegisterError> {
        self.registered(Call::own, characteristics)
    }

    #[inline(always)]
    fn registered<K: RegistrationKind>(
        &self,
        begin: impl FnOnce(Layout, Characteristics, ThreadId) -> Result<Call<Real>, RegisterError>,
        characteristics: Characteristics,
    ) -> Result<Handle<K>, RegisterError> {
        let npi = characteristics.instance.npi;
        let mut call = begin(self.shared.layout, characteristics, thread::current_id())?;
        let Answer::Register(registered) = self.drive(&mut call, Call::go_on_registering) else {
            unreachable!("a register call answers so, or panics")
        };
        let (registrar, bits) = registered?;
        let handle = Handle::from_raw(registrar, bits);
        debug!(%handle, %npi, "registered");
        Ok(handle)
    }

    pub(crate) fn deregister<K: RegistrationKind>(
        &self,
        handle: Handle<K>,
    ) -> Result<Status, DeregisterError<K>> {
        let invalid = |fault| DeregisterError::InvalidParameter { handle, fault };
        let call = Call::deregister(self.shared.layout, handle, thread::current_id());
        let mut call = call.map_err(invalid)?;
        match self.drive(&mut call, Call::go_on_deregistering) {
            Answer::Deregister(Ok(())) => Ok(Status::PENDING),
            Answer::Deregister(Err(DeregisterFault::Handle(fault))) => Err(invalid(fault)),
            Answer::Deregister(Err(DeregisterFault::Already)) => {
                Err(DeregisterError::AlreadyDeregistering { handle })
            }
            other => unreachable!("a deregister call answers {other:?}"),
        }
    }

    pub(crate) fn wait<K: RegistrationKind>(&self, handle: Handle<K>) -> Result<(), WaitError<K>> {
        self.waited(
            handle,
            Call::wait(self.shared.layout, handle, thread::current_id()),
        )
    }

    /// As [`wait`](Self::wait); where it must not wait, the registration frees itself.
    pub(crate) fn finish<K: RegistrationKind>(
        &self,
        handle: Handle<K>,
    ) -> Result<(), WaitError<K>> {
        self.waited(
            handle,
            Call::finish(self.shared.layout, handle, thread::current_id()),
        )
    }

    fn waited<K: RegistrationKind>(
        &self,
        handle: Handle<K>,
        call: Result<Call<Real>, HandleFault>,
    ) -> Result<(), WaitError<K>> {
        let invalid = |fault| WaitError::InvalidParameter { handle, fault };
        let mut call = call.map_err(invalid)?;
        match self.drive(&mut call, Call::go_on_waiting) {
            Answer::Wait(Ok(())) => {
                debug!(%handle, "deregistered");
                Ok(())
            }
            Answer::Wait(Err(WaitFault::Handle(fault))) => Err(invalid(fault)),
            Answer::Wait(Err(WaitFault::NotDeregistered)) => {
                Err(WaitError::NotDeregistered { handle })
            }
            Answer::Wait(Err(WaitFault::WouldDeadlock)) => Err(WaitError::WouldDeadlock { handle }),
            other => unreachable!("a wait answers {other:?}"),
        }
    }

    /// Begins to deregister, and after a panic waits.
    pub(crate) fn leave<K: RegistrationKind>(&self, handle: Handle<K>) {
        if let Ok(mut call) = Call::leave(self.shared.layout, handle, thread::current_id()) {
            self.drive(&mut call, Call::go_on_deregistering);
        }
    }

    /// Deregisters and waits; where it must not wait, the registration frees itself.
    pub(crate) fn release<K: RegistrationKind>(&self, handle: Handle<K>) {
        if let Ok(mut call) = Call::release(self.shared.layout, handle, thread::current_id()) {
            self.drive(&mut call, Call::go_on_deregistering);
        }
    }

    pub(crate) fn attach_provider(
        &self,
        binding: BindingHandle,
        mut client: Attachment,
    ) -> Result<Attachment, AttachError> {
        let handle = binding;
        let invalid = |fault| AttachError::InvalidParameter { handle, fault };
        let context = client.context.clone();
        let thread = thread::current_id();
        let call = Call::<Real>::attach(self.shared.layout, binding, context, thread);
        let mut call = call.map_err(invalid)?;
        let peer = self.drive_attach(&mut call, &mut client);
        match call.answer().expect("it is over") {
            Answer::Attach(Ok(()) | Err(AttachFault::Refused)) => {
                let peer = peer.expect("the provider was asked");
                peer.map_err(AttachError::Refused)
            }
            Answer::Attach(Err(AttachFault::Handle(fault))) => Err(invalid(*fault)),
            Answer::Attach(Err(AttachFault::InvalidState)) => {
                Err(AttachError::InvalidState { handle })
            }
            Answer::Attach(Err(AttachFault::NoInterface)) => {
                Err(AttachError::NoInterface { handle })
            }
            other => unreachable!("an attach call answers {other:?}"),
        }
    }

    pub(crate) fn detach_complete(
        &self,
        binding: BindingHandle,
        side: Side,
    ) -> Result<(), DetachCompleteError> {
        let handle = binding;
        let invalid = |fault| DetachCompleteError::InvalidParameter { handle, fault };
        let thread = thread::current_id();
        let call = Call::detach_complete(self.shared.layout, binding, side, thread);
        let mut call = call.map_err(invalid)?;
        match self.drive(&mut call, Call::go_on) {
            Answer::Complete(Ok(())) => {
                debug!(%binding, %side, "detach completed");
                Ok(())
            }
            Answer::Complete(Err(CompleteFault::Handle(fault))) => Err(invalid(fault)),
            Answer::Complete(Err(CompleteFault::InvalidState)) => {
                Err(DetachCompleteError::InvalidState { handle })
            }
            other => unreachable!("a completion answers {other:?}"),
        }
    }
}
