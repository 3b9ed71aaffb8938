//! What modules in C hand each other, as the Rust API carries it: pointers that nobody here looks into.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use nmr::{Attachment, BindingContext, Dispatch, ModuleId, NpiId, RegistrationInstance};

use crate::abi::{PNPI_REGISTRATION_INSTANCE, PVOID};

/// One side's binding context and dispatch table.
#[derive(Clone, Copy)]
pub(crate) struct Handed {
    pub(crate) context: PVOID,
    pub(crate) dispatch: *const c_void,
}

// SAFETY: two addresses, handed on and never dereferenced here. The modules on both sides are called from any
// thread, by netioddk.h, and what they do with their own pointers is theirs.
unsafe impl Send for Handed {}
// SAFETY: as above.
unsafe impl Sync for Handed {}

impl Handed {
    const NULL: Self = Self {
        context: ptr::null_mut(),
        dispatch: ptr::null(),
    };

    /// Both pointers travel as the context, in one allocation, or in none if both are NULL.
    pub(crate) fn attachment(self) -> Attachment {
        let null = self.context.is_null() && self.dispatch.is_null();
        Attachment {
            context: if null {
                BindingContext::null()
            } else {
                BindingContext::new(self)
            },
            dispatch: Dispatch::null(),
        }
    }

    pub(crate) fn of(context: &BindingContext) -> Self {
        context.downcast_ref().copied().unwrap_or(Self::NULL)
    }
}

/// What the registrar keeps of a module's registration instance: the interface, which is its key, and where the
/// instance is. The Rust API has a place for the module's name, which it hands on and never compares; here a
/// module is named by that address.
pub(crate) fn instance(
    npi: NpiId,
    instance: PNPI_REGISTRATION_INSTANCE,
) -> Arc<RegistrationInstance> {
    let address = ModuleId(instance.expose_provenance() as u128);
    Arc::new(RegistrationInstance::new(npi, address))
}

/// Where the instance is, for a peer to read.
pub(crate) fn instance_of(instance: &RegistrationInstance) -> PNPI_REGISTRATION_INSTANCE {
    ptr::with_exposed_provenance(instance.module.0 as usize)
}
