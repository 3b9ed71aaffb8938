//! C15: callbacks may call everything; a wait that they could never get out of is refused.

use std::sync::Arc;

use nmr::*;
use nmr_sync::Mutex;

use super::support::*;

/// The handles of the pair under test, as its callbacks see them.
#[derive(Clone, Default)]
struct Pair {
    client: Arc<Mutex<Option<ClientHandle>>>,
    provider: Arc<Mutex<Option<ProviderHandle>>>,
}

/// What waiting for the two sides answers, where a side is known.
fn try_waits(world: &World, pair: &Pair) {
    if let Some(handle) = *pair.client.lock() {
        let waited = world.registrar.wait_for_client_deregister(handle);
        world.log.add(match waited {
            Err(WaitError::WouldDeadlock { handle: same }) if same == handle => "c would deadlock",
            Err(WaitError::NotDeregistered { .. }) => "c not deregistered",
            _ => "c something else",
        });
    }
    if let Some(handle) = *pair.provider.lock() {
        let waited = world.registrar.wait_for_provider_deregister(handle);
        world.log.add(match waited {
            Err(WaitError::WouldDeadlock { handle: same }) if same == handle => "p would deadlock",
            Err(WaitError::NotDeregistered { .. }) => "p not deregistered",
            _ => "p something else",
        });
    }
}

#[test]
fn a_wait_inside_a_detach_or_cleanup_callback_of_either_side_would_deadlock() {
    in_time(|| {
        let (world, pair) = (World::default(), Pair::default());
        let waits = || {
            let (world, pair) = (world.clone(), pair.clone());
            move || try_waits(&world, &pair)
        };
        let (on_detach, on_cleanup) = (waits(), waits());
        let client = world.client("c").on_detach(move |_| {
            on_detach();
            Detach::Complete
        });
        let (client, _) = world.add_client(client.on_cleanup(move |_| on_cleanup()));
        let (on_detach, on_cleanup) = (waits(), waits());
        let provider = world.provider("p").on_detach(move |_| {
            on_detach();
            Detach::Complete
        });
        let (provider, _) = world.add_provider(provider.on_cleanup(move |_| on_cleanup()));
        *pair.client.lock() = Some(client);
        *pair.provider.lock() = Some(provider);
        world.log.take();
        world.end_client(client);
        let refused = ["c would deadlock", "p not deregistered"];
        let expected = ["c detach", "p detach", "c cleanup", "p cleanup"]
            .map(|callback| [&[callback], &refused[..]].concat());
        assert_eq!(world.log.take(), expected.concat());
    });
}

#[test]
fn a_wait_inside_an_attach_callback_of_either_side_would_deadlock() {
    in_time(|| {
        let (world, pair) = (World::default(), Pair::default());
        let (provider, _) = world.add_provider({
            let (inner, pair) = (world.clone(), pair.clone());
            world.provider("p").on_attach(move |_| {
                let handle = pair.provider.lock().expect("registered first");
                inner.registrar.deregister_provider(handle).unwrap();
                try_waits(&inner, &pair);
                Ok(Attachment::default())
            })
        });
        *pair.provider.lock() = Some(provider);
        let inner = (world.clone(), pair.clone());
        let client = world.client("c").on_attach(move |offer| {
            let attached = accept(offer);
            try_waits(&inner.0, &inner.1);
            attached
        });
        let (client, _) = world.add_client(client);
        let (attach, twice) = (["c attach", "p attach"], ["p would deadlock"; 2]);
        let late = ["c detach", "p detach", "c cleanup", "p cleanup"];
        assert_eq!(world.log.take(), [&attach[..], &twice, &late].concat());
        world
            .registrar
            .wait_for_provider_deregister(provider)
            .unwrap();
        world.end_client(client);
        world.assert_empty();
    });
}

#[test]
fn a_wait_for_another_registration_inside_a_callback_ends() {
    in_time(|| {
        let world = World::default();
        let (other, _) = world.add_client(world.client("other"));
        let inner = world.clone();
        let client = world.client("c").on_detach(move |_| {
            inner.end_client(other);
            Detach::Complete
        });
        let (client, _) = world.add_client(client);
        world.add_provider(world.provider("p"));
        world.log.take();
        world.end_client(client);
        let nested = ["other detach", "p detach", "other cleanup", "p cleanup"];
        let after = ["p detach", "c cleanup", "p cleanup"];
        assert_eq!(
            world.log.take(),
            [&["c detach"], &nested[..], &after].concat()
        );
    });
}

#[test]
fn inside_a_callback_a_sibling_binding_does_not_stand_in_the_way() {
    in_time(|| {
        // The client's deregister call has not reached the second provider when that provider
        // deregisters, and is waited for, inside the detach callback for the first.
        let world = World::default();
        let second = Arc::new(Mutex::new(None));
        let (inner, later) = (world.clone(), second.clone());
        let client = world.client("c").on_detach(move |_| {
            let provider = later.lock().take();
            if let Some(provider) = provider {
                inner.end_provider(provider);
            }
            Detach::Complete
        });
        let (client, _) = world.add_client(client);
        world.add_provider(world.provider("p1"));
        let (provider, _) = world.add_provider(world.provider("p2"));
        *second.lock() = Some(provider);
        world.log.take();
        world.end_client(client);
        let nested = ["c detach", "p2 detach", "c cleanup", "p2 cleanup"];
        let rest = ["p1 detach", "c cleanup", "p1 cleanup"];
        assert_eq!(
            world.log.take(),
            [&["c detach"], &nested[..], &rest].concat()
        );
    });
}

#[test]
fn a_callback_may_register_and_deregister_on_its_own_interface() {
    in_time(|| {
        let world = World::with(Registrar::builder().stripes(1));
        let inner = world.clone();
        let provider = world.provider("p").on_attach(move |visitor| {
            if visitor.instance.number == 0 {
                let nested = Arc::new(inner.client("nested"));
                let number = 1;
                let instance = RegistrationInstance {
                    number,
                    ..instance()
                };
                let nested = inner.registrar.register_client(instance, nested).unwrap();
                inner.end_client(nested);
            }
            Ok(Attachment::default())
        });
        world.add_provider(provider);
        let (client, _) = world.add_client(world.client("c"));
        let nested = ["nested attach", "p attach", "nested detach", "p detach"];
        let cleanup = ["nested cleanup", "p cleanup"];
        assert_eq!(
            world.log.take(),
            [&["c attach", "p attach"], &nested[..], &cleanup].concat()
        );
        world.end_client(client);
    });
}

#[test]
fn a_side_may_begin_to_deregister_inside_its_own_detach_callback() {
    in_time(|| {
        let (world, pair) = (World::default(), Pair::default());
        let (registrar, own) = (world.registrar.clone(), pair.provider.clone());
        let provider = world.provider("p").on_detach(move |_| {
            let handle = own.lock().take().expect("asked once");
            assert_eq!(registrar.deregister_provider(handle), Ok(Status::PENDING));
            Detach::Complete
        });
        let (provider, _) = world.add_provider(provider);
        *pair.provider.lock() = Some(provider);
        let (client, _) = world.add_client(world.client("c"));
        world.end_client(client);
        world.assert_log(WHOLE_LIFE);
        world
            .registrar
            .wait_for_provider_deregister(provider)
            .unwrap();
        world.assert_empty();
    });
}
