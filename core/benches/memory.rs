//! What a registration holds: bytes of the heap, while it is there.
//!
//! 100,000 registrations, providers and clients by turns, each on an interface of its own. Counted is what the
//! registrar has asked of the allocator and not given back while it registered them, so also the room that its
//! tables have grown ahead; not what the allocator rounds up to, nor what an empty registrar holds. The module is one
//! for all, and what it says of itself (`RegistrationInstance`) is made before: both are the module's matter.
//!
//! Not in `registrar.rs`, for an allocator that counts takes time. Prints one JSON object, for people and for
//! `cargo nmr bench registrar`, which compiles this file against two revisions: so only the registrar's public API
//! is used here.

#[cfg(not(any(loom, shuttle)))]
fn main() {
    memory::main();
}

#[cfg(any(loom, shuttle))]
fn main() {
    eprintln!("a model's registrar holds more: build without --cfg loom and --cfg shuttle");
}

#[cfg(not(any(loom, shuttle)))]
mod memory {
    use std::alloc::System;
    use std::sync::Arc;

    use nmr::{
        Attachment, BindingContext, BindingHandle, ClientModule, Detach, ModuleId, NpiId, Offer,
        ProviderModule, Registrar, RegistrationInstance, Status,
    };
    use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

    #[global_allocator]
    static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

    /// Never called: nobody meets anybody.
    struct Hermit;

    impl ClientModule for Hermit {
        fn attach_provider(&self, _: Offer<'_>) -> Result<(), Status> {
            Err(Status::NOINTERFACE)
        }

        fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            Detach::Complete
        }
    }

    impl ProviderModule for Hermit {
        fn attach_client(
            &self,
            _: BindingHandle,
            _: &RegistrationInstance,
            _: &Attachment,
        ) -> Result<Attachment, Status> {
            Err(Status::NOINTERFACE)
        }

        fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            Detach::Complete
        }
    }

    pub(super) fn main() {
        // `cargo test --benches` only tries it.
        let is_measured = std::env::args().any(|argument| argument == "--bench");
        let registrations = if is_measured { 100_000 } else { 100 };
        let bytes = held(registrations);
        println!(r#"{{"registrations":{registrations},"bytes":{bytes}}}"#);
    }

    /// The bytes that so many registrations hold.
    fn held(registrations: u32) -> usize {
        let registrar = Registrar::new();
        let module = Arc::new(Hermit);
        let instances: Vec<_> = (1..=registrations)
            .map(|npi| RegistrationInstance::new(NpiId(npi.into()), ModuleId(1)))
            .map(Arc::new)
            .collect();
        let region = Region::new(ALLOCATOR);
        for (index, instance) in instances.iter().enumerate() {
            let (instance, module) = (Arc::clone(instance), Arc::clone(&module));
            let registered = match index % 2 {
                0 => registrar.register_provider(instance, module).map(drop),
                _ => registrar.register_client(instance, module).map(drop),
            };
            registered.expect("there is no limit");
        }
        let change = region.change();
        change.bytes_allocated - change.bytes_deallocated
    }
}
