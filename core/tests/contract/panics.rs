//! C18: a callback's panic is accounted for and goes on to the caller.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use nmr::*;
use nmr_sync::Mutex;

use super::support::*;

/// Unwinds without the panic hook's output.
fn unwind(words: &'static str) -> ! {
    resume_unwind(Box::new(words))
}

/// The words with which `call` unwinds.
#[track_caller]
fn words_of<R>(call: impl FnOnce() -> R) -> &'static str {
    let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else {
        panic!("the call did not panic")
    };
    payload
        .downcast_ref::<&str>()
        .copied()
        .expect("one of the tests' own panics")
}

#[test]
fn a_panicking_client_attach_counts_as_declining_and_undoes_the_register_call() {
    let world = World::default();
    world.add_provider(world.provider("p1"));
    world.add_provider(world.provider("p2"));
    let client = Arc::new(world.client("c").on_attach(|_| unwind("attach")));
    let register = || world.registrar.register_client(instance(), client);
    assert_eq!(words_of(register), "attach");
    world.assert_log(["c attach", "c attach"]);
    assert_eq!(
        world.registrar.count(),
        Count {
            registrations: 2,
            bindings: 0
        }
    );
}

#[test]
fn a_panic_after_the_provider_attached_is_a_change_of_mind() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c").on_attach(|offer| {
        accept(offer)?;
        unwind("attach")
    }));
    let provider = Arc::new(world.provider("p"));
    let register = || world.registrar.register_provider(instance(), provider);
    assert_eq!(words_of(register), "attach");
    world.assert_log(["c attach", "p attach", "p detach", "p cleanup"]);
    world.end_client(client);
    world.assert_empty();
}

#[test]
fn a_panicking_provider_attach_passes_through_the_client_and_counts_as_declining() {
    let world = World::default();
    world.add_provider(world.provider("p").on_attach(|_| unwind("provider")));
    let client = Arc::new(world.client("c"));
    let register = || world.registrar.register_client(instance(), client);
    assert_eq!(words_of(register), "provider");
    world.assert_log(["c attach", "p attach"]);
    assert_eq!(
        world.registrar.count(),
        Count {
            registrations: 1,
            bindings: 0
        }
    );
}

#[test]
fn a_client_may_catch_its_providers_panic() {
    let world = World::default();
    world.add_provider(world.provider("p").on_attach(|_| unwind("provider")));
    let (client, _) = world.add_client(world.client("c").on_attach(|offer| {
        assert_eq!(words_of(|| accept(offer)), "provider");
        Err(WHY)
    }));
    assert_eq!(world.registrar.count().bindings, 0);
    world.end_client(client);
}

#[test]
fn a_register_call_that_panics_detaches_what_it_had_attached() {
    let world = World::default();
    world.add_provider(world.provider("p1"));
    world.add_provider(world.provider("p2").on_attach(|_| unwind("second")));
    let client = Arc::new(world.client("c"));
    let register = || world.registrar.register_client(instance(), client.clone());
    assert_eq!(words_of(register), "second");
    let attach = ["c attach", "p1 attach", "c attach", "p2 attach"];
    let undo = ["c detach", "p1 detach", "c cleanup", "p1 cleanup"];
    assert_eq!(world.log.take(), [attach, undo].concat());
    assert_eq!(
        world.registrar.count(),
        Count {
            registrations: 2,
            bindings: 0
        }
    );
    assert_eq!(Arc::strong_count(&client), 1, "the module is let go of");
}

#[test]
fn a_panicking_detach_counts_as_complete_and_a_panicking_cleanup_as_done() {
    let world = World::default();
    let (client, _) = world.add_client(
        world
            .client("c")
            .on_detach(|_| unwind("first"))
            .on_cleanup(|_| unwind("third")),
    );
    let provider = world.provider("p").on_detach(|_| unwind("second"));
    let (provider, _) = world.add_provider(provider.on_cleanup(|_| unwind("fourth")));
    world.log.take();
    assert_eq!(
        words_of(|| world.registrar.deregister_client(client)),
        "first"
    );
    world.assert_log(["c detach", "p detach", "c cleanup", "p cleanup"]);
    assert_eq!(world.registrar.wait_for_client_deregister(client), Ok(()));
    world.end_provider(provider);
    world.assert_empty();
}

#[test]
fn a_panic_does_not_keep_the_other_bindings_from_being_detached() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c"));
    world.add_provider(world.provider("p1").on_detach(|_| unwind("p1")));
    world.add_provider(world.provider("p2"));
    world.log.take();
    assert_eq!(words_of(|| world.registrar.deregister_client(client)), "p1");
    let first = ["c detach", "p1 detach", "c cleanup", "p1 cleanup"];
    let second = ["c detach", "p2 detach", "c cleanup", "p2 cleanup"];
    assert_eq!(world.log.take(), [first, second].concat());
    assert_eq!(world.registrar.wait_for_client_deregister(client), Ok(()));
}

#[test]
fn a_cleanups_panic_goes_to_the_thread_that_completed() {
    let world = World::default();
    let client = world.client("c").on_detach(|_| Detach::Pending);
    let (handle, client) = world.add_client(client.on_cleanup(|_| unwind("cleanup")));
    world.add_provider(world.provider("p"));
    assert_eq!(
        world.registrar.deregister_client(handle),
        Ok(Status::PENDING)
    );
    let complete = || world.registrar.client_detach_complete(client.binding());
    assert_eq!(words_of(complete), "cleanup");
    assert_eq!(world.registrar.wait_for_client_deregister(handle), Ok(()));
}

/// Panics when it is dropped.
struct Fragile(&'static str);

impl Drop for Fragile {
    fn drop(&mut self) {
        unwind(self.0);
    }
}

#[test]
fn a_context_that_panics_when_dropped_loses_nothing() {
    let world = World::default();
    let client = world.client("c").on_attach(|offer| {
        let context = BindingContext::new(Fragile("context"));
        offer
            .attach(Attachment {
                context,
                ..Attachment::default()
            })
            .map(drop)
            .unwrap();
        Err(WHY)
    });
    let (client, _) = world.add_client(client);
    let provider = Arc::new(world.provider("p"));
    let register = || world.registrar.register_provider(instance(), provider);
    assert_eq!(words_of(register), "context");
    world.assert_log(["c attach", "p attach", "p detach", "p cleanup"]);
    world.end_client(client);
    world.assert_empty();
}

#[test]
fn a_module_that_panics_when_dropped_does_not_strand_the_other_waiter() {
    in_time(|| {
        for _ in 0..100 {
            let world = World::default();
            let fragile = Mutex::new(Some(Fragile("module")));
            let client = world.client("c").on_detach(move |_| {
                assert!(fragile.lock().is_some());
                Detach::Complete
            });
            let client = world
                .registrar
                .register_client(instance(), Arc::new(client))
                .unwrap();
            let provider = world.provider("p").on_detach(|_| Detach::Pending);
            let (_, provider) = world.add_provider(provider);
            world.registrar.deregister_client(client).unwrap();
            let waiters = [(); 2].map(|()| {
                let registrar = world.registrar.clone();
                std::thread::spawn(move || registrar.wait_for_client_deregister(client))
            });
            world
                .registrar
                .provider_detach_complete(provider.binding())
                .unwrap();
            let ends = waiters.map(|waiter| waiter.join());
            let panics = ends.iter().filter(|end| end.is_err()).count();
            assert_eq!(panics, 1, "one of them drops the module");
            assert_eq!(world.registrar.count().registrations, 1);
        }
    });
}

#[test]
fn a_peers_module_that_panics_when_dropped_in_a_register_call_undoes_that() {
    /// Ends its own registration as it is asked, and panics when it is dropped.
    struct Leaving {
        own: Mutex<Option<ProviderRegistration>>,
        _fragile: Fragile,
    }
    impl ProviderModule for Leaving {
        fn attach_client(
            &self,
            _: BindingHandle,
            _: &RegistrationInstance,
            _: &Attachment,
        ) -> Result<Attachment, Status> {
            let own = self.own.lock().take();
            drop(own);
            Err(WHY)
        }

        fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            unreachable!("it never attaches")
        }
    }
    let world = World::default();
    let leaving = Arc::new(Leaving {
        own: Mutex::new(None),
        _fragile: Fragile("module"),
    });
    let own = world.registrar.provider(instance(), leaving.clone());
    *leaving.own.lock() = Some(own.unwrap());
    drop(leaving);
    let client = Arc::new(world.client("c"));
    let register = || world.registrar.register_client(instance(), client);
    assert_eq!(words_of(register), "module");
    world.assert_empty();
}
