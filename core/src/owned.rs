//! The owning API: registrations as values, whose steps can only be taken in order.
//!
//! [`Registration`] → [`deregister`](Registration::deregister) → [`Deregistering`] →
//! [`wait`](Deregistering::wait). Deregistering twice (C13) or waiting first (C14) does not compile.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::drive::Module;
use crate::error::{RegisterError, WaitError};
use crate::handle::{Handle, OfClient, OfProvider};
use crate::module::{ClientModule, ProviderModule};
use crate::npi::RegistrationInstance;
use crate::registrar::{Registrar, RegistrationKind};
use crate::table::Characteristics;

/// A registration that deregisters itself, and waits for the end of it, when dropped.
pub struct Registration<K: RegistrationKind> {
    // `None` only in the value that `deregister` takes apart.
    held: Option<(Registrar, Handle<K>)>,
}

/// A client's registration.
pub type ClientRegistration = Registration<OfClient>;
/// A provider's registration.
pub type ProviderRegistration = Registration<OfProvider>;

/// A registration whose deregistration has begun. Dropping it waits.
#[must_use = "dropping it waits for the deregistration"]
pub struct Deregistering<K: RegistrationKind> {
    // `None` once it has been waited for.
    held: Option<(Registrar, Handle<K>)>,
}

impl Registrar {
    /// Registers a client and owns the registration; see
    /// [`register_client`](Self::register_client).
    ///
    /// # Errors
    /// See [`RegisterError`].
    ///
    /// # Panics
    /// As [`register_client`](Self::register_client).
    pub fn client(
        &self,
        instance: impl Into<Arc<RegistrationInstance>>,
        module: Arc<dyn ClientModule>,
    ) -> Result<ClientRegistration, RegisterError> {
        let handle = self.own(Characteristics {
            module: Module::Client(module),
            instance: instance.into(),
        })?;
        Ok(Registration {
            held: Some((self.clone(), handle)),
        })
    }

    /// Registers a provider and owns the registration; see
    /// [`register_provider`](Self::register_provider).
    ///
    /// # Errors
    /// See [`RegisterError`].
    ///
    /// # Panics
    /// As [`register_provider`](Self::register_provider).
    pub fn provider(
        &self,
        instance: impl Into<Arc<RegistrationInstance>>,
        module: Arc<dyn ProviderModule>,
    ) -> Result<ProviderRegistration, RegisterError> {
        let handle = self.own(Characteristics {
            module: Module::Provider(module),
            instance: instance.into(),
        })?;
        Ok(Registration {
            held: Some((self.clone(), handle)),
        })
    }
}

impl<K: RegistrationKind> Registration<K> {
    /// The raw handle. Deregistering through it as well takes the steps out of this type's hands. Who waits by it may be the one
    /// that drops the module; this value's own wait is over only then.
    ///
    /// # Panics
    /// Never: only a value that is being taken apart has no handle.
    #[must_use]
    pub fn handle(&self) -> Handle<K> {
        self.held.as_ref().expect("not being taken apart").1
    }

    /// Begins to deregister; see [`Registrar::deregister_client`].
    ///
    /// # Panics
    /// With the first panic of a callback that it made (C18); the registration is then waited for.
    pub fn deregister(mut self) -> Deregistering<K> {
        let (registrar, handle) = self.held.take().expect("not being taken apart");
        // That it is deregistered already means that the raw handle was used beside this value.
        registrar.leave(handle);
        Deregistering {
            held: Some((registrar, handle)),
        }
    }
}

impl<K: RegistrationKind> Deregistering<K> {
    /// Waits for the end of the deregistration; see [`Registrar::wait_for_client_deregister`].
    ///
    /// # Errors
    /// [`WaitError::WouldDeadlock`] inside a callback that the wait would wait for; the registration
    /// then frees itself when its deregistration is over.
    pub fn wait(mut self) -> Result<(), WaitError<K>> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), WaitError<K>> {
        let Some((registrar, handle)) = self.held.take() else {
            return Ok(());
        };
        registrar.finish(handle)
    }
}

impl<K: RegistrationKind> Drop for Registration<K> {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else {
            return;
        };
        let (registrar, handle) = held;
        quiet_in_a_panic(|| registrar.release(handle));
    }
}

impl<K: RegistrationKind> Drop for Deregistering<K> {
    fn drop(&mut self) {
        // There is nobody to tell: a wait that would deadlock is not made.
        quiet_in_a_panic(|| {
            let _ = self.finish();
        });
    }
}

/// Runs a part of a drop. While its thread is panicking, a second panic would abort the process.
fn quiet_in_a_panic(part: impl FnOnce()) {
    if std::thread::panicking() {
        let _ = catch_unwind(AssertUnwindSafe(part));
    } else {
        part();
    }
}

impl<K: RegistrationKind> fmt::Debug for Registration<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registration").field(&self.handle()).finish()
    }
}

impl<K: RegistrationKind> fmt::Debug for Deregistering<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handle = self.held.as_ref().map(|(_, handle)| handle);
        f.debug_tuple("Deregistering").field(&handle).finish()
    }
}
