//! C10, C11, C13, C14: what a deregistration waits for and lets go of, and the order of its steps.

use std::sync::{Arc, Weak};
use std::thread;

use nmr::*;

use super::support::*;

#[test]
fn deregistering_answers_pending_also_when_nothing_is_left_to_detach() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c"));
    let (provider, _) = world.add_provider(world.provider("p").on_attach(|_| Err(WHY)));
    assert_eq!(
        world.registrar.deregister_client(client),
        Ok(Status::PENDING)
    );
    assert_eq!(
        world.registrar.deregister_provider(provider),
        Ok(Status::PENDING)
    );
    assert_eq!(Status::PENDING, Status(0x103));
}

#[test]
fn a_wait_returns_after_the_cleanup_callbacks_have_returned() {
    in_time(|| {
        let world = World::default();
        let (inside, leave) = (Gate::default(), Gate::default());
        let (entered, left, log) = (inside.clone(), leave.clone(), world.log.clone());
        let provider = world.provider("p").on_cleanup(move |_| {
            entered.open();
            left.pass();
            log.add("cleaned up");
        });
        let (provider, _) = world.add_provider(provider);
        let (client, _) = world.add_client(world.client("c"));
        world.log.take();
        let deregistering = world.clone();
        let deregister =
            thread::spawn(move || deregistering.registrar.deregister_provider(provider));
        inside.pass();
        // The client has nothing to detach itself: the other thread cleans up for it.
        assert_eq!(
            world.registrar.deregister_client(client),
            Ok(Status::PENDING)
        );
        let waiting = world.clone();
        let wait = thread::spawn(move || {
            waiting
                .registrar
                .wait_for_client_deregister(client)
                .unwrap();
            waiting.log.add("waited");
        });
        leave.open();
        wait.join().unwrap();
        deregister.join().unwrap().unwrap();
        let end = ["cleaned up", "waited"];
        let expected = [
            &["c detach", "p detach", "c cleanup", "p cleanup"],
            &end[..],
        ]
        .concat();
        assert_eq!(world.log.take(), expected);
    });
}

#[test]
fn a_wait_covers_bindings_that_other_threads_detach() {
    in_time(|| {
        let world = World::default();
        let (client, _) = world.add_client(world.client("c"));
        let mut pending = Vec::new();
        for name in ["p1", "p2", "p3"] {
            let provider = world.provider(name).on_detach(|_| Detach::Pending);
            pending.push(world.add_provider(provider));
        }
        // The providers begin first, so that the client's own deregister call finds nothing to do.
        for (handle, _) in &pending {
            world.registrar.deregister_provider(*handle).unwrap();
        }
        world.log.take();
        world.registrar.deregister_client(client).unwrap();
        world.assert_log([]);
        let waiting = world.clone();
        let wait = thread::spawn(move || {
            waiting
                .registrar
                .wait_for_client_deregister(client)
                .unwrap();
            assert_eq!(waiting.registrar.count().bindings, 0);
        });
        for (_, module) in &pending {
            world
                .registrar
                .provider_detach_complete(module.binding())
                .unwrap();
        }
        wait.join().unwrap();
    });
}

/// A module's things, and whether the registrar still holds them.
struct Held {
    instance: Weak<RegistrationInstance>,
    module: Weak<Client>,
    context: Weak<&'static str>,
}

impl Held {
    fn assert_gone(&self) {
        assert_eq!(self.module.strong_count(), 0, "the module is held");
        assert_eq!(
            self.instance.strong_count(),
            0,
            "its characteristics are held"
        );
        assert_eq!(
            self.context.strong_count(),
            0,
            "its binding context is held"
        );
    }
}

fn register_and_forget(world: &World) -> (ClientHandle, Held) {
    let context = Arc::new("context");
    let held = Arc::downgrade(&context);
    let context = nmr_sync::Mutex::new(Some(context));
    let client = Arc::new(world.client("c").on_attach(move |offer| {
        let context = BindingContext::from_arc(context.lock().take().expect("one provider"));
        let own = Attachment {
            context,
            ..Attachment::default()
        };
        offer.attach(own).map(drop).map_err(AttachError::status)
    }));
    let instance = Arc::new(instance());
    let held = Held {
        instance: Arc::downgrade(&instance),
        module: Arc::downgrade(&client),
        context: held,
    };
    (
        world.registrar.register_client(instance, client).unwrap(),
        held,
    )
}

#[test]
fn when_a_wait_returns_the_registrar_has_let_go_of_everything() {
    let world = World::default();
    world.add_provider(world.provider("p"));
    let (handle, held) = register_and_forget(&world);
    world.registrar.deregister_client(handle).unwrap();
    assert_eq!(
        held.context.strong_count(),
        0,
        "a context is used from attach to cleanup"
    );
    assert_eq!(
        held.module.strong_count(),
        1,
        "the wait lets go of the module"
    );
    world.registrar.wait_for_client_deregister(handle).unwrap();
    held.assert_gone();
}

#[test]
fn no_context_outlives_a_wait_for_what_another_thread_cleans_up() {
    in_time(|| {
        for _ in 0..300 {
            let world = World::default();
            let (provider, _) = world.add_provider(world.provider("p"));
            let (handle, held) = register_and_forget(&world);
            let other = world.clone();
            let thread = thread::spawn(move || other.end_provider(provider));
            world.end_client(handle);
            held.assert_gone();
            thread.join().unwrap();
        }
    });
}

#[test]
fn of_two_waiters_neither_returns_before_the_module_is_dropped() {
    in_time(|| {
        for _ in 0..300 {
            let world = World::default();
            let provider = world.provider("p").on_detach(|_| Detach::Pending);
            let (_, provider) = world.add_provider(provider);
            let (handle, held) = register_and_forget(&world);
            let held = Arc::new(held);
            world.registrar.deregister_client(handle).unwrap();
            let waiters = [(); 2].map(|()| {
                let (registrar, held) = (world.registrar.clone(), held.clone());
                thread::spawn(move || {
                    let waited = registrar.wait_for_client_deregister(handle);
                    if waited.is_ok() {
                        held.assert_gone();
                    }
                    let again = registrar.wait_for_client_deregister(handle);
                    assert!(
                        again.is_err(),
                        "the handle is dead when a wait has returned"
                    );
                    waited
                })
            });
            world
                .registrar
                .provider_detach_complete(provider.binding())
                .unwrap();
            let waited = waiters.map(|waiter| waiter.join().unwrap());
            let fault = HandleFault::Dead;
            let dead = Err(WaitError::InvalidParameter { handle, fault });
            assert!(waited.contains(&Ok(())));
            assert!(
                waited.iter().all(|one| [Ok(()), dead].contains(one)),
                "{waited:?}"
            );
        }
    });
}

#[test]
fn a_module_may_call_the_registrar_when_it_is_dropped() {
    struct Caller(Registrar, Log);
    impl Drop for Caller {
        fn drop(&mut self) {
            self.1.add(format!("{} left", self.0.count().registrations));
        }
    }
    let world = World::with(Registrar::builder().stripes(1).max_registrations(2));
    let caller = || {
        let keep = Caller(world.registrar.clone(), world.log.clone());
        let client = world.client("c").on_detach(move |_| {
            keep.1.add("never attached");
            Detach::Complete
        });
        Arc::new(client)
    };
    let first = world
        .registrar
        .register_client(instance(), caller())
        .unwrap();
    let second = world
        .registrar
        .register_client(instance(), caller())
        .unwrap();
    let third = world.registrar.register_client(instance(), caller());
    assert!(third.is_err());
    world.assert_log(["2 left"]);
    world.end_client(first);
    world.end_client(second);
    world.assert_log(["1 left", "0 left"]);
}

#[test]
fn a_registration_is_deregistered_once() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c"));
    world.add_provider(world.provider("p"));
    assert_eq!(
        world.registrar.deregister_client(client),
        Ok(Status::PENDING)
    );
    world.log.take();
    let again = world.registrar.deregister_client(client);
    assert_eq!(
        again,
        Err(DeregisterError::AlreadyDeregistering { handle: client })
    );
    world.assert_log([]);
    assert_eq!(world.registrar.wait_for_client_deregister(client), Ok(()));
    let fault = HandleFault::Dead;
    let dead = Err(DeregisterError::InvalidParameter {
        handle: client,
        fault,
    });
    assert_eq!(world.registrar.deregister_client(client), dead);
}

#[test]
fn a_wait_comes_after_deregistering() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c"));
    let (provider, _) = world.add_provider(world.provider("p"));
    let too_early = world.registrar.wait_for_client_deregister(client);
    assert_eq!(
        too_early,
        Err(WaitError::NotDeregistered { handle: client })
    );
    let too_early = world.registrar.wait_for_provider_deregister(provider);
    assert_eq!(
        too_early,
        Err(WaitError::NotDeregistered { handle: provider })
    );
    world.end_client(client);
    world.end_provider(provider);
}
