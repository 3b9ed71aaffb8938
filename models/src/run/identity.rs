//! Who is who in an execution: the engine's threads, and the keys by which an explorer knows what is no primitive.

use std::sync::Arc;

use nmr_sync::thread;

use super::{CURRENT, Run};
use crate::event::RegId;
use crate::invisible::lock;

impl Run {
    pub(super) fn begin_thread(self: &Arc<Self>, number: u8) {
        CURRENT.set(Arc::downgrade(self));
        let id = thread::current_id();
        let mut threads = lock(&self.threads);
        // An operating system may give a new thread the name of one that has ended.
        threads.retain(|&(other, _)| other != id);
        threads.push((id, number));
        lock(&self.active).insert(number);
        #[cfg(shuttle)]
        if let Some(follower) = self.watch.follower() {
            follower.begins(number);
        }
    }

    pub(super) fn end_thread(&self, number: u8) {
        lock(&self.active).remove(&number);
        #[cfg(shuttle)]
        if let Some(follower) = self.watch.follower() {
            follower.ends(number);
        }
    }

    pub(super) fn number(&self) -> u8 {
        let id = thread::current_id();
        let threads = lock(&self.threads);
        let found = threads.iter().find(|(other, _)| *other == id);
        found
            .expect("the registrar makes callbacks on its callers' threads only")
            .1
    }
}

/// Keys of what is no primitive and is used by several threads, with the module's index; see
/// [`touch`](nmr_sync::touch). Those of registrations are below.
pub(super) const MEMORIES: u32 = 1 << 16;
pub(super) const LATEST: u32 = 2 << 16;
pub(super) const LAST_BINDING: u32 = 3 << 16;
pub(super) const MEMORY: u32 = 4 << 16;
pub(super) const OWNED: u32 = 5 << 16;

/// A registration, as a part of such a key.
pub(super) fn key(reg: RegId) -> u32 {
    u32::from(reg.module) << 8 | u32::from(reg.nth)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::collections::BTreeSet;

    use nmr::{BindingHandle, Registrar};

    use super::*;
    use crate::interpreter::npi_id;
    use crate::run::STRIPES;

    #[test]
    fn the_first_three_interfaces_share_no_lock() {
        // Registrations of one interface are made inside an attach callback of another only if
        // their monitors differ or none is held; the stripe is in the handle's bits.
        let registrar = Registrar::builder().stripes(STRIPES).build();
        struct Nobody;
        impl nmr::ClientModule for Nobody {
            fn attach_provider(&self, _: nmr::Offer<'_>) -> Result<(), nmr::Status> {
                Ok(())
            }
            fn detach_provider(&self, _: BindingHandle, _: &nmr::BindingContext) -> nmr::Detach {
                nmr::Detach::Complete
            }
        }
        let stripes = [1, 2, 3, 0x11, 0x21, 0x41, 0x81].map(|number| {
            let instance = nmr::RegistrationInstance::new(npi_id(number), nmr::ModuleId(1));
            let handle = registrar
                .register_client(instance, Arc::new(Nobody))
                .unwrap();
            handle.to_raw().1 >> 52 & 0x3ff
        });
        let different: BTreeSet<u64> = stripes[..3].iter().copied().collect();
        assert_eq!(different.len(), 3, "{stripes:?}");
        // The others differ from 1 in one part of the GUID alone, and are under the same monitor.
        assert!(
            stripes[3..].iter().all(|&stripe| stripe == stripes[0]),
            "{stripes:?}"
        );
    }
}
