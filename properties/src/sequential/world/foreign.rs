//! A second registrar, whose handles are foreign to the one under test (C12).
//!
//! Nothing that the sequence does may reach it; it says so at the end if something did.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nmr::{
    Attachment, BindingContext, BindingHandle, ClientHandle, ClientModule, Count, Detach, ModuleId,
    NpiId, Offer, ProviderHandle, ProviderModule, Registrar, RegistrationInstance, Side, Status,
};
use nmr_sync::Mutex;

use crate::sequential::handle_ref::Kind;

/// A registrar with one client attached to one provider.
pub struct Foreign {
    registrar: Registrar,
    client: ClientHandle,
    provider: ProviderHandle,
    module: Arc<Bystander>,
}

/// Attaches, and counts its callbacks.
#[derive(Default)]
struct Bystander {
    callbacks: AtomicUsize,
    binding: Mutex<Option<BindingHandle>>,
}

impl Foreign {
    #[expect(
        clippy::missing_panics_doc,
        clippy::new_without_default,
        reason = "a registrar without limits registers"
    )]
    /// Makes the registrar and attaches the two.
    #[must_use]
    pub fn new() -> Self {
        let registrar = Registrar::builder().stripes(4).build();
        let module = Arc::new(Bystander::default());
        let instance = |n| RegistrationInstance::new(NpiId(1), ModuleId(n));
        let client = registrar.register_client(instance(1), module.clone());
        let provider = registrar.register_provider(instance(2), module.clone());
        Self {
            client: client.expect("there are no limits"),
            provider: provider.expect("there are no limits"),
            registrar,
            module,
        }
    }

    /// The numbers of one of its live handles.
    #[must_use]
    pub fn handle(&self, kind: Kind) -> (u32, u64) {
        match kind {
            Kind::Registration(Side::Client) => self.client.to_raw(),
            Kind::Registration(Side::Provider) => self.provider.to_raw(),
            Kind::Binding => {
                let binding = *self.module.binding.lock();
                binding.map_or((0, 0), BindingHandle::to_raw)
            }
        }
    }

    /// Shuts it down, if nothing has reached it so far.
    ///
    /// # Errors
    /// What reached it.
    pub fn leave(&self) -> Result<(), String> {
        let before = Count {
            registrations: 2,
            bindings: 1,
        };
        let callbacks = self.module.callbacks.load(Ordering::Relaxed);
        if self.registrar.count() != before || callbacks != 2 {
            let count = self.registrar.count();
            return Err(format!("{count:?} after {callbacks} callbacks"));
        }
        let problem = |error: &dyn std::fmt::Display| error.to_string();
        self.registrar
            .deregister_client(self.client)
            .map_err(|error| problem(&error))?;
        self.registrar
            .deregister_provider(self.provider)
            .map_err(|error| problem(&error))?;
        self.registrar
            .wait_for_client_deregister(self.client)
            .map_err(|error| problem(&error))?;
        self.registrar
            .wait_for_provider_deregister(self.provider)
            .map_err(|error| problem(&error))
    }
}

impl Bystander {
    fn called(&self) {
        self.callbacks.fetch_add(1, Ordering::Relaxed);
    }
}

impl ClientModule for Bystander {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        self.called();
        *self.binding.lock() = Some(offer.binding());
        let attached = offer.attach(Attachment::default());
        attached.map(drop).map_err(|error| error.status())
    }

    fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        self.called();
        Detach::Complete
    }
}

impl ProviderModule for Bystander {
    fn attach_client(
        &self,
        _: BindingHandle,
        _: &RegistrationInstance,
        _: &Attachment,
    ) -> Result<Attachment, Status> {
        self.called();
        Ok(Attachment::default())
    }

    fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        self.called();
        Detach::Complete
    }
}
