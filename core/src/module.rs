//! What a client or provider module implements, and what the two hand each other.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::handle::BindingHandle;
use crate::npi::RegistrationInstance;
use crate::offer::Offer;
use crate::status::Status;

/// Something of one module that the registrar keeps, and hands on, without looking into it.
///
/// It may be null, as a `PVOID` may; a null one is a value like any other (C7). What it holds is
/// shared: the registrar lets go of its reference when the contract says so (C11).
#[derive(Clone, Default)]
pub struct Opaque(Option<Arc<dyn Any + Send + Sync>>);

/// What a module remembers about one binding: Windows' `ClientBindingContext` and
/// `ProviderBindingContext`. The registrar holds it from attach to cleanup.
pub type BindingContext = Opaque;
/// The functions that one side offers the other: Windows' `ClientDispatch` and `ProviderDispatch`.
pub type Dispatch = Opaque;

impl Opaque {
    /// Wraps a value.
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self(Some(Arc::new(value)))
    }

    /// Wraps a value that is shared already.
    pub fn from_arc<T: Any + Send + Sync>(value: Arc<T>) -> Self {
        Self(Some(value))
    }

    /// The null one.
    #[must_use]
    pub const fn null() -> Self {
        Self(None)
    }

    /// Whether this is the null one.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// The value, if this is not null and holds a `T`.
    #[must_use]
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.0.as_deref()?.downcast_ref()
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_null() { "null" } else { "opaque" })
    }
}

/// What one side hands to the other when they attach.
#[derive(Clone, Debug, Default)]
pub struct Attachment {
    /// Given back to this side in its detach and cleanup callbacks, and to the peer for its calls
    /// through `dispatch`.
    pub context: BindingContext,
    /// The functions that the peer may call until this side's detach is complete.
    pub dispatch: Dispatch,
}

/// A detach callback's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detach {
    /// This side is detached: no call through the peer's dispatch table is running or will come.
    Complete,
    /// This side will say so later, with its detach-complete call (C8).
    Pending,
}

/// A client module's callbacks: Windows' `NPI_CLIENT_CHARACTERISTICS`.
///
/// No registrar lock is held while one of them runs, so each may call any registrar function (C15).
/// A panic in one is caught, accounted for, and passed on to whoever made the registrar call it (C18).
pub trait ClientModule: Send + Sync {
    /// A provider of the client's interface is there: Windows' `ClientAttachProvider`.
    ///
    /// To take it, call [`Offer::attach`] and answer `Ok`. To decline, answer the reason. Answering
    /// `Ok` without having attached counts as declining (C4); answering `Err` after having attached
    /// makes the registrar detach the provider again (C5).
    ///
    /// # Errors
    /// The reason to decline.
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status>;

    /// Stop using the provider: Windows' `ClientDetachProvider`. Called once for each attached
    /// binding (C7).
    fn detach_provider(&self, binding: BindingHandle, context: &BindingContext) -> Detach;

    /// Both sides are detached: free the binding context: Windows' `ClientCleanupBindingContext`.
    /// The last callback for the binding (C9).
    fn cleanup_binding_context(&self, context: &BindingContext) {
        let _ = context;
    }
}

/// A provider module's callbacks: Windows' `NPI_PROVIDER_CHARACTERISTICS`. See [`ClientModule`] for
/// what holds for all callbacks.
pub trait ProviderModule: Send + Sync {
    /// A client attaches: Windows' `ProviderAttachClient`. Runs only inside the client's
    /// [`Offer::attach`] (C3). `client` is what that client says of itself, `peer` what it handed over.
    ///
    /// # Errors
    /// The reason to decline, which becomes the answer of the client's call.
    fn attach_client(
        &self,
        binding: BindingHandle,
        client: &RegistrationInstance,
        peer: &Attachment,
    ) -> Result<Attachment, Status>;

    /// Stop using the client: Windows' `ProviderDetachClient`. Called once for each attached
    /// binding (C7).
    fn detach_client(&self, binding: BindingHandle, context: &BindingContext) -> Detach;

    /// Both sides are detached: free the binding context: Windows'
    /// `ProviderCleanupBindingContext`. The last callback for the binding (C9).
    fn cleanup_binding_context(&self, context: &BindingContext) {
        let _ = context;
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Opaque};

    #[test]
    fn a_value_that_is_shared_is_wrapped_as_it_is() {
        let value = Arc::new(7_u32);
        let opaque = Opaque::from_arc(value.clone());
        assert_eq!(opaque.downcast_ref(), Some(&7_u32));
        assert_eq!(Arc::strong_count(&value), 2);
    }
}
