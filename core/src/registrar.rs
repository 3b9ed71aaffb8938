//! The registrar: the table's stripes, each under its monitor, and the public functions.
//!
//! What they do is in [`calls`](crate::calls), and the callbacks that they make in [`drive`](crate::drive).

use std::fmt;
use std::sync::Arc;

use crossbeam_utils::CachePadded;
use nmr_sync::{Monitor, learn};

use crate::builder::Builder;
use crate::drive::Module;
use crate::error::{AttachError, DeregisterError, DetachCompleteError, RegisterError, WaitError};
use crate::handle::{
    BindingHandle, ClientHandle, HandleKind, OfClient, OfProvider, ProviderHandle,
};
use crate::machine::Layout;
use crate::module::{Attachment, ClientModule, ProviderModule};
use crate::npi::{RegistrationInstance, Side};
use crate::status::Status;
use crate::table::{Characteristics, Table};

/// The Network Module Registrar.
///
/// A cheap handle to shared state: clones name the same registrar. See the
/// [crate's documentation](crate) for an example and [`Builder`] for limits.
#[derive(Clone)]
pub struct Registrar {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) layout: Layout,
    /// A power of two; an interface lives in one of them for good, chosen by its NPIID.
    pub(crate) stripes: Box<[CachePadded<Monitor<Table>>]>,
}

/// The kinds of handle that name a registration.
pub trait RegistrationKind: HandleKind {
    #[doc(hidden)]
    const SIDE: Side;
}

impl RegistrationKind for OfClient {
    const SIDE: Side = Side::Client;
}

impl RegistrationKind for OfProvider {
    const SIDE: Side = Side::Provider;
}

impl Default for Registrar {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Registrar {
    /// A registrar without limits of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts to describe a registrar with limits.
    pub const fn builder() -> Builder {
        Builder::new()
    }

    /// The registrar's number, unique in the process: the first of the two of which its
    /// [handles are made](crate::Handle::to_raw).
    #[must_use]
    pub fn number(&self) -> u32 {
        self.shared.layout.registrar()
    }

    /// Registers a client module: Windows' `NmrRegisterClient`.
    ///
    /// Offers the client every open provider of its interface, oldest first, through its attach
    /// callback, before it returns. Providers that register later are offered inside their own
    /// register calls.
    ///
    /// # Errors
    /// See [`RegisterError`]; nothing was called and nothing changed (C17).
    ///
    /// # Panics
    /// With the first panic of a callback that it made (C18). The caller then has no handle, so the
    /// registration is deregistered, and waited for, before the panic goes on. (Inside a callback
    /// for which that wait would deadlock, it is not waited for.)
    pub fn register_client(
        &self,
        instance: impl Into<Arc<RegistrationInstance>>,
        module: Arc<dyn ClientModule>,
    ) -> Result<ClientHandle, RegisterError> {
        self.register(Characteristics {
            module: Module::Client(module),
            instance: instance.into(),
        })
    }

    /// Registers a provider module: Windows' `NmrRegisterProvider`. Offers the provider to every
    /// open client of its interface, as [`register_client`](Self::register_client) does.
    ///
    /// # Errors
    /// See [`RegisterError`].
    ///
    /// # Panics
    /// As [`register_client`](Self::register_client).
    pub fn register_provider(
        &self,
        instance: impl Into<Arc<RegistrationInstance>>,
        module: Arc<dyn ProviderModule>,
    ) -> Result<ProviderHandle, RegisterError> {
        self.register(Characteristics {
            module: Module::Provider(module),
            instance: instance.into(),
        })
    }

    /// Begins to deregister a client: Windows' `NmrDeregisterClient`. Asks both sides of each of its
    /// bindings to detach, and returns without waiting for pending ones.
    ///
    /// Always answers [`Status::PENDING`], as Windows does; wait for the end with
    /// [`wait_for_client_deregister`](Self::wait_for_client_deregister), which also frees the handle.
    ///
    /// # Errors
    /// See [`DeregisterError`].
    ///
    /// # Panics
    /// With the first panic of a callback that it made, after everything was done (C18).
    pub fn deregister_client(
        &self,
        handle: ClientHandle,
    ) -> Result<Status, DeregisterError<OfClient>> {
        self.deregister(handle)
    }

    /// Begins to deregister a provider: Windows' `NmrDeregisterProvider`. See
    /// [`deregister_client`](Self::deregister_client).
    ///
    /// # Errors
    /// See [`DeregisterError`].
    ///
    /// # Panics
    /// As [`deregister_client`](Self::deregister_client).
    pub fn deregister_provider(
        &self,
        handle: ProviderHandle,
    ) -> Result<Status, DeregisterError<OfProvider>> {
        self.deregister(handle)
    }

    /// Waits until the client's deregistration is over: Windows'
    /// `NmrWaitForClientDeregisterComplete`.
    ///
    /// When it returns, every binding of the registration is cleaned up, no callback of it runs or
    /// will run (C10), the registrar has let go of the module and its instance (C11), and the handle
    /// is dead. Several threads may wait at the same time.
    ///
    /// # Errors
    /// See [`WaitError`].
    ///
    /// # Panics
    /// With the panic of the module's drop, if it is dropped here.
    pub fn wait_for_client_deregister(
        &self,
        handle: ClientHandle,
    ) -> Result<(), WaitError<OfClient>> {
        self.wait(handle)
    }

    /// Waits until the provider's deregistration is over: Windows'
    /// `NmrWaitForProviderDeregisterComplete`. See
    /// [`wait_for_client_deregister`](Self::wait_for_client_deregister).
    ///
    /// # Errors
    /// See [`WaitError`].
    ///
    /// # Panics
    /// As [`wait_for_client_deregister`](Self::wait_for_client_deregister).
    pub fn wait_for_provider_deregister(
        &self,
        handle: ProviderHandle,
    ) -> Result<(), WaitError<OfProvider>> {
        self.wait(handle)
    }

    /// Attaches a client to the provider that it is being offered: Windows'
    /// `NmrClientAttachProvider`. Valid once, inside the client's attach callback for that binding
    /// and on its thread (C3). Answers what the provider handed over.
    ///
    /// # Errors
    /// See [`AttachError`].
    ///
    /// # Panics
    /// With the panic of the provider's attach callback, which counts as declining (C18).
    pub fn client_attach_provider(
        &self,
        binding: BindingHandle,
        client: Attachment,
    ) -> Result<Attachment, AttachError> {
        self.attach_provider(binding, client)
    }

    /// Completes a client's pending detach: Windows' `NmrClientDetachProviderComplete`. May be called
    /// by any thread, also before the detach callback has returned *pending* (C8). If it is the last
    /// thing that the binding waited for, the cleanup callbacks run inside this call.
    ///
    /// # Errors
    /// See [`DetachCompleteError`].
    ///
    /// # Panics
    /// With the first panic of a cleanup callback that it made (C18).
    pub fn client_detach_complete(
        &self,
        binding: BindingHandle,
    ) -> Result<(), DetachCompleteError> {
        self.detach_complete(binding, Side::Client)
    }

    /// Completes a provider's pending detach: Windows' `NmrProviderDetachClientComplete`. See
    /// [`client_detach_complete`](Self::client_detach_complete).
    ///
    /// # Errors
    /// See [`DetachCompleteError`].
    ///
    /// # Panics
    /// As [`client_detach_complete`](Self::client_detach_complete).
    pub fn provider_detach_complete(
        &self,
        binding: BindingHandle,
    ) -> Result<(), DetachCompleteError> {
        self.detach_complete(binding, Side::Provider)
    }

    /// How many registrations and bindings there are now: for tests and monitoring. Both are zero
    /// when every registration has been waited for (C19).
    #[must_use]
    pub fn count(&self) -> Count {
        let mut count = Count::default();
        for stripe in &self.shared.stripes {
            let one = stripe.enter(|table| {
                let count = table.count();
                learn(&count);
                count
            });
            count.registrations += one.registrations;
            count.bindings += one.bindings;
        }
        count
    }
}

/// See [`Registrar::count`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Count {
    /// Registrations whose end nobody has waited for yet.
    pub registrations: usize,
    /// Bindings, from proposed to cleaned up.
    pub bindings: usize,
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar")
            .field("id", &self.shared.layout.registrar())
            .finish_non_exhaustive()
    }
}
