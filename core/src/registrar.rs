//! The registrar: the table's stripes, each under its monitor, and the public functions.
//!
//! Each function is a transition of the table inside one critical section, and then the callbacks
//! that its answer names, outside it (C15): see [`drive`](crate::drive).

use std::fmt;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crossbeam_utils::CachePadded;
use nmr_sync::{Monitor, thread};
use tracing::debug;

use crate::drive::{Payload, catching};
use crate::error::{AttachError, DeregisterError, DetachCompleteError, RegisterError, WaitError};
use crate::handle::{
    BindingHandle, ClientHandle, Handle, HandleFault, HandleKind, Key, Kind, OfBinding, OfClient,
    OfProvider, Place, ProviderHandle, STRIPE_BITS,
};
use crate::module::{Attachment, ClientModule, ProviderModule};
use crate::npi::{NpiId, RegistrationInstance, Side};
use crate::reserve::Reserve;
use crate::status::Status;
use crate::table::{AttachCall, Characteristics, Module, Table, Visit, WaitFault, Waited};

static NEXT_REGISTRAR: AtomicU32 = AtomicU32::new(1);

/// The Network Module Registrar.
///
/// A cheap handle to shared state: clones name the same registrar. See the
/// [crate's documentation](crate) for an example and [`Builder`] for limits.
#[derive(Clone)]
pub struct Registrar {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    id: u32,
    /// A power of two; an interface lives in one of them for good, chosen by its NPIID.
    stripes: Box<[CachePadded<Monitor<Table>>]>,
}

/// Sets a registrar's limits; made by [`Registrar::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    max_registrations: Option<usize>,
    max_bindings: Option<usize>,
    stripes: usize,
    last_generation: u32,
    fail_reservation: Option<u64>,
}

impl Builder {
    /// At most this many registrations at a time, of both sides together; one counts until the wait
    /// for its deregistration has returned. Beyond, registering answers `InsufficientResources`
    /// (C17). Default: what the handles can name, 2²⁰ for each stripe.
    pub const fn max_registrations(mut self, limit: usize) -> Self {
        self.max_registrations = Some(limit);
        self
    }

    /// At most this many bindings at a time, those that are proposed and not yet attached included.
    /// Beyond, registering answers `InsufficientResources` (C17). Default as for registrations.
    ///
    /// The limits are shared by all interfaces: a register call that is refused for want of bindings
    /// has held its registration's place for a moment, in which another interface's may be refused.
    pub const fn max_bindings(mut self, limit: usize) -> Self {
        self.max_bindings = Some(limit);
        self
    }

    /// The number of monitors over which the interfaces are spread, 1 to 1024, rounded up to a
    /// power of two. Two interfaces with different monitors never wait for each other. Default 256.
    pub const fn stripes(mut self, stripes: usize) -> Self {
        self.stripes = stripes;
        self
    }

    /// The generation after which a slot is retired instead of being used again (C12), at least 1.
    /// Default `u32::MAX`; a small one lets a test see slots being retired.
    pub const fn last_generation(mut self, generation: u32) -> Self {
        self.last_generation = generation;
        self
    }

    /// Makes the k-th reservation of memory fail, counted from 1 over all register calls: fault
    /// injection for tests. A register call reserves for the registration, for the interface, and
    /// for its bindings if there are any to make.
    pub const fn fail_reservation(mut self, k: u64) -> Self {
        self.fail_reservation = Some(k);
        self
    }

    /// Makes the registrar.
    #[must_use]
    pub fn build(self) -> Registrar {
        let stripes = self.stripes.clamp(1, 1 << STRIPE_BITS).next_power_of_two();
        let reserve = Arc::new(Reserve::new(
            self.max_registrations,
            self.max_bindings,
            self.fail_reservation,
        ));
        let last = NonZeroU32::new(self.last_generation).unwrap_or(NonZeroU32::MIN);
        Registrar {
            shared: Arc::new(Shared {
                id: NEXT_REGISTRAR.fetch_add(1, Ordering::Relaxed),
                stripes: (0..stripes)
                    .map(|_| CachePadded::new(Monitor::new(Table::new(last, Arc::clone(&reserve)))))
                    .collect(),
            }),
        }
    }
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
        Builder {
            max_registrations: None,
            max_bindings: None,
            stripes: 256,
            last_generation: u32::MAX,
            fail_reservation: None,
        }
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
        let invalid = |fault| AttachError::InvalidParameter {
            handle: binding,
            fault,
        };
        let place = self.place(binding).map_err(invalid)?;
        let thread = thread::current_id();
        let context = client.context.clone();
        let call = self.enter(place.stripe, |table| {
            table.attach_provider(place.key, context, thread)
        });
        match call.map_err(invalid)? {
            AttachCall::InvalidState => Err(AttachError::InvalidState { handle: binding }),
            AttachCall::NoInterface => Err(AttachError::NoInterface { handle: binding }),
            AttachCall::Provider { provider, instance } => {
                let answer = catch_unwind(AssertUnwindSafe(|| {
                    provider.attach_client(binding, &instance, &client)
                }));
                drop((provider, instance, client));
                let context = match &answer {
                    Ok(Ok(attachment)) => Some(attachment.context.clone()),
                    Ok(Err(_)) | Err(_) => None,
                };
                self.enter(place.stripe, |table| {
                    table.provider_returned(place.key, context);
                });
                let answer = answer.unwrap_or_else(|payload| resume_unwind(payload));
                debug!(%binding, accepted = answer.is_ok(), "provider's attach callback returned");
                answer.map_err(AttachError::Refused)
            }
        }
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
            let (registrations, bindings) = stripe.enter(|table| table.count());
            count.registrations += registrations;
            count.bindings += bindings;
        }
        count
    }

    fn register<K: RegistrationKind>(
        &self,
        characteristics: Characteristics,
    ) -> Result<Handle<K>, RegisterError> {
        let npi = characteristics.instance.npi;
        if npi == NpiId::NIL {
            return Err(RegisterError::InvalidParameter(npi));
        }
        let visit = &mut Visit::new(thread::current_id());
        let stripe = self.stripe_of(npi);
        let registered = self.enter(stripe, |table| table.register(characteristics, visit));
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
        let begun = self.enter(stripe, |table| table.deregister(key, K::SIDE, visit));
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
            if !entered {
                entered = true;
                if let Err(fault) = table.begin_wait(key, K::SIDE, thread) {
                    return Some(Err(fault));
                }
            }
            let waited = table.wait_over(key)?;
            let mut dropped = None;
            let wake = table.leave(&mut dropped);
            debug_assert!(
                !wake && dropped.is_none(),
                "the answer says all that is to do"
            );
            Some(Ok(waited))
        });
        match waited {
            Ok(Waited::Gone) => {}
            Ok(Waited::Alone(module)) => drop(module),
            Ok(Waited::First(module)) => {
                // The others are waiting for this drop, even if it panics.
                let mut panic = None;
                catching(&mut panic, || drop(module));
                self.enter(stripe, |table| table.let_go(key));
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
            self.enter(stripe, |table| table.abandon(key));
        }
    }

    fn detach_complete(
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
        let step = self.enter(stripe, |table| table.detach_complete(key, side, visit));
        let Some(step) = step.map_err(invalid)? else {
            return Err(DetachCompleteError::InvalidState { handle: binding });
        };
        debug!(%binding, %side, "detach completed");
        go_on_with(self.drive(stripe, step, visit));
        Ok(())
    }

    /// One critical section, and outside it the drop of what the table has let go of, which may
    /// panic.
    fn enter<R>(&self, stripe: u32, section: impl FnOnce(&mut Table) -> R) -> R {
        let mut panic = None;
        let answer = self.enter_keeping(stripe, &mut panic, section);
        go_on_with(panic);
        answer
    }

    /// [`enter`](Self::enter) for a thread that has more to do before a panic may go on.
    pub(crate) fn enter_keeping<R>(
        &self,
        stripe: u32,
        panic: &mut Option<Payload>,
        section: impl FnOnce(&mut Table) -> R,
    ) -> R {
        let monitor = &self.shared.stripes[stripe as usize];
        // Beside the answer, for it is large and mostly empty; nobody learns anything from it.
        let mut dropped = None;
        let answer = monitor.enter_then_leave(section, |table| table.leave(&mut dropped));
        if let Some(dropped) = dropped {
            catching(panic, || drop(dropped));
        }
        answer
    }

    fn place<K: HandleKind>(&self, handle: Handle<K>) -> Result<Place, HandleFault> {
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

    fn stripe_of(&self, npi: NpiId) -> u32 {
        // Fibonacci hashing: GUIDs made by hand differ in few bits, and often in the low ones.
        let folded = (npi.0 >> 64) as u64 ^ npi.0 as u64;
        let hash = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let bits = self.shared.stripes.len().trailing_zeros();
        (hash.rotate_left(bits) & (self.shared.stripes.len() as u64 - 1)) as u32
    }
}

/// See [`Registrar::count`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Registrations whose end nobody has waited for yet.
    pub registrations: usize,
    /// Bindings, from proposed to cleaned up.
    pub bindings: usize,
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar")
            .field("id", &self.shared.id)
            .finish_non_exhaustive()
    }
}

fn go_on_with(panic: Option<Payload>) {
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}
