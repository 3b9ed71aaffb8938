//! C7 to C9: each side is asked once, completes once, and cleans up last.

use std::sync::Arc;
use std::sync::Barrier;
use std::thread;

use nmr::*;

use super::support::*;

#[test]
fn either_side_may_begin_and_both_are_asked_once() {
    let world = World::default();
    for client_begins in [true, false] {
        let (client, _) = world.add_client(world.client("c"));
        let (provider, _) = world.add_provider(world.provider("p"));
        world.assert_log(["c attach", "p attach"]);
        if client_begins {
            world.end_client(client);
        } else {
            world.end_provider(provider);
        }
        world.assert_log(["c detach", "p detach", "c cleanup", "p cleanup"]);
        if client_begins {
            world.end_provider(provider);
        } else {
            world.end_client(client);
        }
        world.assert_log([]);
    }
    world.assert_empty();
}

#[test]
fn sides_that_begin_together_are_asked_once_each() {
    in_time(|| {
        for _ in 0..300 {
            let world = World::default();
            let (client, _) = world.add_client(world.client("c"));
            let (provider, _) = world.add_provider(world.provider("p"));
            let start = Arc::new(Barrier::new(2));
            let (other, meet) = (world.clone(), start.clone());
            let thread = thread::spawn(move || {
                meet.wait();
                other.end_client(client);
            });
            start.wait();
            world.end_provider(provider);
            thread.join().unwrap();
            world.assert_log(WHOLE_LIFE);
            world.assert_empty();
        }
    });
}

#[test]
fn a_null_context_is_asked_to_detach_like_any_other() {
    let world = World::default();
    let asked = world.log.clone();
    let client = world.client("c").on_detach(move |it| {
        asked.add(if it.context.is_null() {
            "null"
        } else {
            "a value"
        });
        Detach::Complete
    });
    let (client, _) = world.add_client(client);
    world.add_provider(world.provider("p"));
    world.end_client(client);
    let (before, after) = (
        ["c attach", "p attach"],
        ["p detach", "c cleanup", "p cleanup"],
    );
    assert_eq!(
        world.log.take(),
        [&before[..], &["c detach", "null"], &after].concat()
    );
}

#[test]
fn a_pending_side_completes_from_any_thread() {
    in_time(|| {
        let world = World::default();
        let client = world.client("c").on_detach(|_| Detach::Pending);
        let (handle, client) = world.add_client(client);
        world.add_provider(world.provider("p"));
        world.log.take();
        assert_eq!(
            world.registrar.deregister_client(handle),
            Ok(Status::PENDING)
        );
        world.assert_log(["c detach", "p detach"]);
        assert_eq!(world.registrar.count().bindings, 1);
        let (registrar, binding) = (world.registrar.clone(), client.binding());
        let thread = thread::spawn(move || registrar.client_detach_complete(binding));
        assert_eq!(world.registrar.wait_for_client_deregister(handle), Ok(()));
        assert_eq!(thread.join().unwrap(), Ok(()));
        world.assert_log(["c cleanup", "p cleanup"]);
    });
}

#[test]
fn with_both_sides_pending_the_last_to_complete_cleans_up() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c").on_detach(|_| Detach::Pending));
    let provider = world.provider("p").on_detach(|_| Detach::Pending);
    let (_, provider) = world.add_provider(provider);
    world.registrar.deregister_client(client).unwrap();
    world.log.take();
    let binding = provider.binding();
    assert_eq!(world.registrar.provider_detach_complete(binding), Ok(()));
    world.assert_log([]);
    assert_eq!(world.registrar.client_detach_complete(binding), Ok(()));
    world.assert_log(["c cleanup", "p cleanup"]);
    assert_eq!(world.registrar.wait_for_client_deregister(client), Ok(()));
}

#[test]
fn a_completion_may_come_before_the_callback_has_returned() {
    for answer in [Detach::Pending, Detach::Complete] {
        let world = World::default();
        let registrar = world.registrar.clone();
        let client = world.client("c").on_detach(move |asked| {
            let handle = asked.binding;
            let (own, other) = (registrar.clone(), registrar.clone());
            let early = thread::spawn(move || own.client_detach_complete(handle));
            assert_eq!(early.join().unwrap(), Ok(()));
            let twice = other.client_detach_complete(handle);
            assert_eq!(twice, Err(DetachCompleteError::InvalidState { handle }));
            answer
        });
        let (client, _) = world.add_client(client);
        world.add_provider(world.provider("p"));
        world.end_client(client);
        world.assert_log(WHOLE_LIFE);
    }
}

#[test]
fn a_completion_at_the_wrong_time_changes_nothing() {
    let world = World::default();
    let registrar = world.registrar.clone();
    let client = world.client("c").on_attach(move |offer| {
        let handle = offer.binding();
        let invalid = Err(DetachCompleteError::InvalidState { handle });
        assert_eq!(
            registrar.client_detach_complete(handle),
            invalid,
            "while it is offered"
        );
        accept(offer)
    });
    let (client, module) = world.add_client(client);
    let provider = world.provider("p").on_detach(|_| Detach::Pending);
    world.add_provider(provider);
    let handle = module.binding();
    let invalid = Err(DetachCompleteError::InvalidState { handle });
    let registrar = &world.registrar;
    assert_eq!(
        registrar.client_detach_complete(handle),
        invalid,
        "while it is attached"
    );
    assert_eq!(
        registrar.provider_detach_complete(handle),
        invalid,
        "while it is attached"
    );
    registrar.deregister_client(client).unwrap();
    assert_eq!(
        registrar.client_detach_complete(handle),
        invalid,
        "that side is complete"
    );
    world.assert_log(["c attach", "p attach", "c detach", "p detach"]);
    assert_eq!(registrar.provider_detach_complete(handle), Ok(()));
    world.assert_log(["c cleanup", "p cleanup"]);
    let fault = HandleFault::Dead;
    let dead = Err(DetachCompleteError::InvalidParameter { handle, fault });
    assert_eq!(registrar.provider_detach_complete(handle), dead);
}

#[test]
fn during_cleanup_a_completion_is_too_late() {
    let world = World::default();
    let registrar = world.registrar.clone();
    let (handle, client) = world.add_client(world.client("c"));
    let reached = Gate::default();
    let seen = reached.clone();
    let binding = move || client.binding();
    let provider = world.provider("p").on_cleanup(move |_| {
        let handle = binding();
        let late = registrar.client_detach_complete(handle);
        assert_eq!(late, Err(DetachCompleteError::InvalidState { handle }));
        seen.open();
    });
    world.add_provider(provider);
    world.end_client(handle);
    assert!(reached.is_open());
}

#[test]
fn many_pending_completions_that_race_clean_up_once() {
    in_time(|| {
        for _ in 0..300 {
            let world = World::default();
            let (client, _) = world.add_client(world.client("c").on_detach(|_| Detach::Pending));
            let provider = world.provider("p").on_detach(|_| Detach::Pending);
            let (_, provider) = world.add_provider(provider);
            world.registrar.deregister_client(client).unwrap();
            world.log.take();
            let binding = provider.binding();
            let start = Arc::new(Barrier::new(2));
            let (registrar, meet) = (world.registrar.clone(), start.clone());
            let thread = thread::spawn(move || {
                meet.wait();
                registrar.client_detach_complete(binding)
            });
            start.wait();
            assert_eq!(world.registrar.provider_detach_complete(binding), Ok(()));
            assert_eq!(thread.join().unwrap(), Ok(()));
            assert_eq!(world.registrar.wait_for_client_deregister(client), Ok(()));
            world.assert_log(["c cleanup", "p cleanup"]);
        }
    });
}

#[test]
fn a_module_without_a_cleanup_callback_needs_none() {
    struct Plain;
    impl ProviderModule for Plain {
        fn attach_client(
            &self,
            _: BindingHandle,
            _: &RegistrationInstance,
            _: &Attachment,
        ) -> Result<Attachment, Status> {
            Ok(Attachment::default())
        }
        fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            Detach::Complete
        }
    }
    let world = World::default();
    let plain = world
        .registrar
        .provider(instance(), Arc::new(Plain))
        .unwrap();
    let (client, _) = world.add_client(world.client("c"));
    world.end_client(client);
    world.assert_log(["c attach", "c detach", "c cleanup"]);
    drop(plain);
    world.assert_empty();
}
