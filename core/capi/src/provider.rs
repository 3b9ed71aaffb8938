//! A provider module in C, as the registrar calls it.

use std::ptr;

use nmr::{
    Attachment, BindingContext, BindingHandle, Detach, ProviderModule, RegistrationInstance, Status,
};

use crate::abi::{PNPI_PROVIDER_CHARACTERISTICS, PVOID};
use crate::handed::{Handed, instance_of};
use crate::registrars::handle_of;
use crate::status::{self, STATUS_SUCCESS};

/// A registered provider: where its characteristics are, and its registration context.
pub(crate) struct Provider {
    characteristics: PNPI_PROVIDER_CHARACTERISTICS,
    context: PVOID,
}

// SAFETY: the characteristics are only read, and constant while they are registered; the context is handed to the
// module's own callbacks, which netioddk.h calls from any thread.
unsafe impl Send for Provider {}
// SAFETY: as above.
unsafe impl Sync for Provider {}

impl Provider {
    /// # Safety
    /// The characteristics are good ([`check::provider`](crate::check::provider)), and stay valid and constant, as does
    /// what the callbacks make of the context, until the registrar has let go of this value (C11).
    pub(crate) const unsafe fn new(
        characteristics: PNPI_PROVIDER_CHARACTERISTICS,
        context: PVOID,
    ) -> Self {
        Self {
            characteristics,
            context,
        }
    }
}

impl ProviderModule for Provider {
    fn attach_client(
        &self,
        binding: BindingHandle,
        client: &RegistrationInstance,
        peer: &Attachment,
    ) -> Result<Attachment, Status> {
        // SAFETY: valid while this value is there (`new`).
        let attach = unsafe { (*self.characteristics).ProviderAttachClient };
        let Some(attach) = attach else {
            return Err(Status::NOINTERFACE);
        };
        let peer = Handed::of(&peer.context);
        let mut ours = Handed {
            context: ptr::null_mut(),
            dispatch: ptr::null(),
        };
        // SAFETY: the module's callback, with its own context, a client that is registered as long as this runs
        // (C10), what that client handed over, and two places to write to.
        let answer = unsafe {
            attach(
                handle_of(binding),
                self.context,
                instance_of(client),
                peer.context,
                peer.dispatch,
                &raw mut ours.context,
                &raw mut ours.dispatch,
            )
        };
        if answer == STATUS_SUCCESS {
            Ok(ours.attachment())
        } else {
            Err(status::to(answer))
        }
    }

    fn detach_client(&self, _: BindingHandle, context: &BindingContext) -> Detach {
        // SAFETY: valid while this value is there (`new`).
        let detach = unsafe { (*self.characteristics).ProviderDetachClient };
        let Some(detach) = detach else {
            return Detach::Complete;
        };
        // SAFETY: the module's callback, once (C7), with the context that it gave for this binding, before its
        // cleanup (C9).
        status::detach(unsafe { detach(Handed::of(context).context) })
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        // SAFETY: valid while this value is there (`new`).
        let cleanup = unsafe { (*self.characteristics).ProviderCleanupBindingContext };
        if let Some(cleanup) = cleanup {
            // SAFETY: the module's callback, once and last (C9), with the context that it gave for this binding.
            unsafe { cleanup(Handed::of(context).context) }
        }
    }
}
