//! A client module in C, as the registrar calls it.

use nmr::{BindingContext, BindingHandle, ClientModule, Detach, Offer, Status};

use crate::abi::{PNPI_CLIENT_CHARACTERISTICS, PVOID};
use crate::handed::{Handed, instance_of};
use crate::registrars::handle_of;
use crate::status::{self, STATUS_SUCCESS};

/// A registered client: where its characteristics are, and its registration context.
pub(crate) struct Client {
    characteristics: PNPI_CLIENT_CHARACTERISTICS,
    context: PVOID,
}

// SAFETY: the characteristics are only read, and constant while they are registered; the context is handed to the
// module's own callbacks, which netioddk.h calls from any thread.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

impl Client {
    /// # Safety
    /// The characteristics are good ([`check::client`](crate::check::client)), and stay valid and constant, as does what
    /// the callbacks make of the context, until the registrar has let go of this value (C11).
    pub(crate) const unsafe fn new(
        characteristics: PNPI_CLIENT_CHARACTERISTICS,
        context: PVOID,
    ) -> Self {
        Self {
            characteristics,
            context,
        }
    }
}

impl ClientModule for Client {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        // SAFETY: valid while this value is there (`new`).
        let attach = unsafe { (*self.characteristics).ClientAttachProvider };
        let Some(attach) = attach else {
            return Err(Status::NOINTERFACE);
        };
        let (binding, provider) = (handle_of(offer.binding()), instance_of(offer.provider()));
        // SAFETY: the module's callback, with its own context and a provider that is registered as long as this
        // runs: its deregistration waits for the binding (C10).
        let answer = unsafe { attach(binding, self.context, provider) };
        if answer == STATUS_SUCCESS {
            Ok(())
        } else {
            Err(status::to(answer))
        }
    }

    fn detach_provider(&self, _: BindingHandle, context: &BindingContext) -> Detach {
        // SAFETY: valid while this value is there (`new`).
        let detach = unsafe { (*self.characteristics).ClientDetachProvider };
        let Some(detach) = detach else {
            return Detach::Complete;
        };
        // SAFETY: the module's callback, once (C7), with the context that it gave for this binding, before its
        // cleanup (C9).
        status::detach(unsafe { detach(Handed::of(context).context) })
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        // SAFETY: valid while this value is there (`new`).
        let cleanup = unsafe { (*self.characteristics).ClientCleanupBindingContext };
        if let Some(cleanup) = cleanup {
            // SAFETY: the module's callback, once and last (C9), with the context that it gave for this binding.
            unsafe { cleanup(Handed::of(context).context) }
        }
    }
}
