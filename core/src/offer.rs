//! What a client's attach callback is given. It decides nothing and keeps no state: to attach through it
//! is the registrar's call.
//!
//! Apart from the modules' traits, of which nothing else knows a registrar.

use crate::error::AttachError;
use crate::handle::BindingHandle;
use crate::module::Attachment;
use crate::npi::RegistrationInstance;
use crate::registrar::Registrar;

/// A provider that is offered to a client, for the time of the client's attach callback.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    pub(crate) registrar: &'a Registrar,
    pub(crate) binding: BindingHandle,
    pub(crate) provider: &'a RegistrationInstance,
}

impl<'a> Offer<'a> {
    /// The registrar that makes the offer.
    #[must_use]
    pub const fn registrar(&self) -> &'a Registrar {
        self.registrar
    }

    /// The binding that would be made; the client needs it for its detach-complete call.
    #[must_use]
    pub const fn binding(&self) -> BindingHandle {
        self.binding
    }

    /// What the provider says of itself.
    #[must_use]
    pub const fn provider(&self) -> &'a RegistrationInstance {
        self.provider
    }

    /// Attaches: hands the client's context and dispatch table to the provider and returns the
    /// provider's. The same as [`Registrar::client_attach_provider`] for this binding; at most one
    /// call succeeds.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn attach(&self, client: Attachment) -> Result<Attachment, AttachError> {
        self.registrar.client_attach_provider(self.binding, client)
    }
}
