//! Who is who in an execution: the engine's threads, the handles that the registrar issued, interfaces, and the keys by
//! which an explorer knows what is no primitive.

use std::sync::Arc;

use nmr::{BindingHandle, NpiId};
use nmr_sync::thread;

use super::shared::AnyHandle;
use super::{CURRENT, Run};
use crate::event::{Pair, RegId};
use crate::invisible::lock;
use crate::message::message;
use crate::rule::Rule;

/// Handle validity.
const VALIDITY: Rule = Rule::new(12);

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

    /// The registrar issued a handle. Dead ones are not issued again (C12).
    ///
    /// What was issued before needs no part in the state that an explorer sees, unless stale handles are
    /// used: a value that is issued again is found right then, and which value comes next follows from the
    /// slots. Where handles are not used once they are dead, no later verdict rests on them but this one.
    pub(super) fn issued(&self, reg: RegId, handle: AnyHandle) {
        if lock(&self.handles).insert(handle, reg).is_some() {
            let why = message!["the handle of " {reg} " was issued before"];
            self.violated(VALIDITY, why);
        }
    }

    /// The same for a binding's handle, of which both sides are told.
    pub(super) fn issued_binding(&self, pair: Pair, binding: BindingHandle) {
        let before = lock(&self.bindings).insert(binding, pair);
        if before.is_some_and(|before| before != pair) {
            let why = message!["the handle of " {pair} " was issued before"];
            self.violated(VALIDITY, why);
        }
    }

    /// Whether the register call has returned, after which its caller is ready.
    pub(super) fn is_ready(&self, reg: RegId) -> bool {
        lock(&self.handles).values().any(|&issued| issued == reg)
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

/// The lower four bits of the number are the GUID's lowest ones; each of the upper four is a bit of another
/// part of it, by which alone an interface can differ from another one under the same monitor.
pub(crate) fn npi_id(number: u8) -> NpiId {
    const PARTS: [u32; 4] = [17, 33, 67, 97];
    let parts = PARTS.iter().enumerate();
    let parts = parts.map(|(nth, part)| u128::from(number >> (4 + nth) & 1) << part);
    NpiId(parts.sum::<u128>() | u128::from(number & 15))
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use nmr::Registrar;

    use super::*;
    use crate::run::{Prepared, STRIPES, Watch, recorder};
    use crate::scenarios;

    fn run() -> Arc<Run> {
        let scenario = scenarios::named("two-lives").expect("a scenario");
        let watch = Watch::new(Arc::default(), |_, _| {});
        Run::new(&Prepared::new(&Arc::new(scenario)), &Arc::new(watch))
    }

    #[track_caller]
    fn finds(run: &Run, issue_again: impl FnOnce(), message: &str) {
        let stopped = catch_unwind(AssertUnwindSafe(issue_again));
        assert!(stopped.is_err_and(|payload| payload.is::<recorder::Stop>()));
        let finding = run.take_finding().expect("stopped by it");
        assert_eq!(finding.rule, Some(VALIDITY));
        assert_eq!(finding.message, message);
    }

    #[test]
    fn a_handle_is_issued_once() {
        let run = run();
        let reg = |nth| RegId { module: 0, nth };
        let handle = |bits| AnyHandle::from_raw(nmr::Side::Client, (1, bits));
        run.issued(reg(0), handle(7));
        run.issued(reg(1), handle(8));
        let again = || run.issued(reg(2), handle(7));
        finds(&run, again, "the handle of c'2 was issued before");
    }

    #[test]
    fn a_bindings_handle_is_told_to_both_sides_and_to_no_other_binding() {
        let run = run();
        let [client, provider] = [0, 1].map(|module| RegId { module, nth: 0 });
        let pair = Pair { client, provider };
        let binding = BindingHandle::from_raw(1, 7);
        run.issued_binding(pair, binding);
        run.issued_binding(pair, binding);
        let other = Pair {
            client: RegId { nth: 1, ..client },
            provider,
        };
        let again = || run.issued_binding(other, binding);
        finds(&run, again, "the handle of c'1–p was issued before");
    }

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
