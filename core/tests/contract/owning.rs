//! The owning API: registrations as values.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use nmr::*;
use nmr_sync::Mutex;

use super::support::*;

#[test]
fn the_steps_are_taken_in_order() {
    let world = World::default();
    let client = world
        .registrar
        .client(instance(), Arc::new(world.client("c")))
        .unwrap();
    let provider = world
        .registrar
        .provider(instance(), Arc::new(world.provider("p")))
        .unwrap();
    world.assert_log(["c attach", "p attach"]);
    let leaving = client.deregister();
    world.assert_log(["c detach", "p detach", "c cleanup", "p cleanup"]);
    assert_eq!(leaving.wait(), Ok(()));
    assert_eq!(provider.deregister().wait(), Ok(()));
    world.assert_empty();
}

#[test]
fn dropping_a_registration_deregisters_and_waits() {
    in_time(|| {
        let world = World::default();
        let module = Arc::new(world.client("c").on_detach(|_| Detach::Pending));
        let client = world.registrar.client(instance(), module.clone()).unwrap();
        world.add_provider(world.provider("p"));
        let dropping = world.clone();
        let thread = thread::spawn(move || {
            drop(client);
            dropping.log.add("dropped");
        });
        // The completion is invalid until the other thread has begun to detach.
        while world
            .registrar
            .client_detach_complete(module.binding())
            .is_err()
        {
            thread::yield_now();
        }
        thread.join().unwrap();
        let all = [
            "c attach",
            "p attach",
            "c detach",
            "p detach",
            "c cleanup",
            "p cleanup",
        ];
        assert_eq!(world.log.take(), [&all[..], &["dropped"]].concat());
        assert_eq!(Arc::strong_count(&module), 1);
    });
}

#[test]
fn dropping_what_is_deregistering_waits() {
    let world = World::default();
    let module = Arc::new(world.client("c"));
    let client = world.registrar.client(instance(), module.clone()).unwrap();
    drop(client.deregister());
    assert_eq!(Arc::strong_count(&module), 1);
    world.assert_empty();
}

/// A client that holds its own registration and gives it up inside a callback.
fn gives_up(
    world: &World,
    then: fn(ClientRegistration, &Log),
) -> Arc<Mutex<Option<ClientRegistration>>> {
    let own = Arc::new(Mutex::new(None));
    let (held, log) = (own.clone(), world.log.clone());
    let client = world.client("c").on_cleanup(move |_| {
        let registration = held.lock().take();
        if let Some(registration) = registration {
            then(registration, &log);
        }
    });
    let registration = world
        .registrar
        .client(instance(), Arc::new(client))
        .unwrap();
    *own.lock() = Some(registration);
    own
}

#[test]
fn a_registration_dropped_inside_its_own_callback_frees_itself() {
    in_time(|| {
        let world = World::default();
        let own = gives_up(&world, |registration, _| drop(registration));
        let (provider, _) = world.add_provider(world.provider("p"));
        world.end_provider(provider);
        assert!(own.lock().is_none());
        world.assert_empty();
    });
}

#[test]
fn a_wait_inside_its_own_callback_is_refused_and_the_registration_frees_itself() {
    in_time(|| {
        let world = World::default();
        gives_up(&world, |registration, log| {
            let waited = registration.deregister().wait();
            assert!(matches!(waited, Err(WaitError::WouldDeadlock { .. })));
            log.add("refused");
        });
        let (provider, _) = world.add_provider(world.provider("p"));
        world.log.take();
        world.end_provider(provider);
        world.assert_log(["c detach", "p detach", "c cleanup", "refused", "p cleanup"]);
        world.assert_empty();
    });
}

#[test]
fn a_panicking_detach_leaves_an_owned_registration_waited_for() {
    let world = World::default();
    let module = Arc::new(
        world
            .client("c")
            .on_detach(|_| resume_unwind(Box::new("detach"))),
    );
    let client = world.registrar.client(instance(), module.clone()).unwrap();
    world.add_provider(world.provider("p"));
    let unwound = catch_unwind(AssertUnwindSafe(|| client.deregister())).map(drop);
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"detach"));
    assert_eq!(Arc::strong_count(&module), 1);
}

#[test]
fn a_registration_dropped_by_a_panic_keeps_that_panic() {
    let world = World::default();
    let module = world
        .client("c")
        .on_detach(|_| resume_unwind(Box::new("detach")));
    let client = world
        .registrar
        .client(instance(), Arc::new(module))
        .unwrap();
    let (provider, _) = world.add_provider(world.provider("p"));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _client = client;
        resume_unwind(Box::new("first"))
    }));
    let unwound: Result<(), _> = unwound;
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"first"));
    world.end_provider(provider);
    world.assert_empty();
}

#[test]
fn the_raw_handle_may_be_used_beside_the_value() {
    let world = World::default();
    let client = world
        .registrar
        .client(instance(), Arc::new(world.client("c")))
        .unwrap();
    let handle = client.handle();
    world.end_client(handle);
    let fault = HandleFault::Dead;
    let dead = Err(WaitError::InvalidParameter { handle, fault });
    assert_eq!(client.deregister().wait(), dead);
}
