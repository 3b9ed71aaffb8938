//! C17 and C19: registering is all or nothing, and nothing is left in the end.

use std::sync::Arc;
use std::thread;

use nmr::*;

use super::support::*;

fn refused(wanted: usize, what: Resource) -> RegisterError {
    InsufficientResources { wanted, what }.into()
}

#[test]
fn a_registration_beyond_the_limit_is_refused_without_effect() {
    let world = World::with(Registrar::builder().max_registrations(2));
    let (client, _) = world.add_client(world.client("c"));
    let (provider, _) = world.add_provider(world.provider("p"));
    let before = (world.log.take(), world.registrar.count()).1;
    let third = Arc::new(world.client("third"));
    let answer = world.registrar.register_client(instance(), third.clone());
    assert_eq!(answer, Err(refused(1, Resource::Registration)));
    world.assert_log([]);
    assert_eq!(world.registrar.count(), before);
    assert_eq!(
        Arc::strong_count(&third),
        1,
        "the refused module is let go of"
    );
    world.registrar.deregister_client(client).unwrap();
    let still = world.registrar.register_client(instance(), third.clone());
    assert_eq!(
        still,
        Err(refused(1, Resource::Registration)),
        "it counts until waited for"
    );
    world.registrar.wait_for_client_deregister(client).unwrap();
    let now = world.registrar.register_client(instance(), third).unwrap();
    world.end_client(now);
    world.end_provider(provider);
    world.assert_empty();
}

#[test]
fn a_registration_that_would_make_too_many_bindings_is_refused() {
    let world = World::with(Registrar::builder().max_bindings(2));
    let providers = ["p1", "p2", "p3"].map(|name| world.add_provider(world.provider(name)).0);
    let client = Arc::new(world.client("c"));
    let answer = world.registrar.register_client(instance(), client.clone());
    assert_eq!(answer, Err(refused(3, Resource::Binding)));
    world.assert_log([]);
    world.end_provider(providers[0]);
    let client = world.registrar.register_client(instance(), client).unwrap();
    assert_eq!(world.registrar.count().bindings, 2);
    let fourth = world
        .registrar
        .register_provider(instance(), Arc::new(world.provider("p4")));
    assert_eq!(fourth, Err(refused(1, Resource::Binding)));
    world.end_client(client);
    world.end_provider(providers[1]);
    world.end_provider(providers[2]);
    world.assert_empty();
}

#[test]
fn each_reservation_that_fails_leaves_the_registrar_as_it_was() {
    // The provider's register call reserves for itself (1) and for its interface (2), the client's
    // for itself (3), for the interface (4) and for one binding (5).
    let expected = [
        (1, Resource::Registration),
        (2, Resource::Interface),
        (3, Resource::Registration),
        (4, Resource::Interface),
        (5, Resource::Binding),
    ];
    for (k, what) in expected {
        let world = World::with(
            Registrar::builder()
                .fail_reservation(k)
                .max_registrations(2),
        );
        let (provider, client) = (Arc::new(world.provider("p")), Arc::new(world.client("c")));
        let add_provider = || {
            world
                .registrar
                .register_provider(instance(), provider.clone())
        };
        let add_client = || world.registrar.register_client(instance(), client.clone());
        let provider = if k <= 2 {
            assert_eq!(add_provider(), Err(refused(1, what)), "reservation {k}");
            world.assert_empty();
            add_provider().unwrap()
        } else {
            add_provider().unwrap()
        };
        let client = if k > 2 {
            assert_eq!(add_client(), Err(refused(1, what)), "reservation {k}");
            world.assert_log([]);
            assert_eq!(
                world.registrar.count(),
                Count {
                    registrations: 1,
                    bindings: 0
                }
            );
            add_client().unwrap()
        } else {
            add_client().unwrap()
        };
        world.end_client(client);
        world.end_provider(provider);
        world.assert_log(WHOLE_LIFE);
        world.assert_empty();
    }
}

#[test]
fn the_nil_interface_is_refused() {
    let world = World::default();
    let nil = RegistrationInstance::new(NpiId::NIL, ModuleId(1));
    let client = world
        .registrar
        .register_client(nil.clone(), Arc::new(world.client("c")));
    assert_eq!(client, Err(RegisterError::InvalidParameter(NpiId::NIL)));
    let provider = world
        .registrar
        .register_provider(nil, Arc::new(world.provider("p")));
    assert_eq!(provider, Err(RegisterError::InvalidParameter(NpiId::NIL)));
    world.assert_empty();
}

#[test]
fn every_slot_can_be_used_again_when_all_is_quiet() {
    let limits = Registrar::builder().max_registrations(3).max_bindings(2);
    let world = World::with(limits);
    for round in 0..100_u128 {
        let instance = || RegistrationInstance::new(NpiId(1 + round % 7), ModuleId(1));
        let registrar = &world.registrar;
        let provider = registrar
            .provider(instance(), Arc::new(world.provider("p")))
            .unwrap();
        let first = registrar
            .client(instance(), Arc::new(world.client("c1")))
            .unwrap();
        let second = registrar
            .client(instance(), Arc::new(world.client("c2")))
            .unwrap();
        assert_eq!(
            registrar.count(),
            Count {
                registrations: 3,
                bindings: 2
            }
        );
        drop((first, provider, second));
        world.assert_empty();
    }
}

#[test]
fn room_is_back_when_the_wait_returns_whoever_cleaned_up() {
    in_time(|| {
        for _ in 0..300 {
            let limits = Registrar::builder().max_registrations(2).max_bindings(1);
            let world = World::with(limits);
            let (provider, _) = world.add_provider(world.provider("p"));
            let (client, _) = world.add_client(world.client("c"));
            let other = world.clone();
            let thread = thread::spawn(move || {
                other.registrar.deregister_provider(provider).unwrap();
            });
            world.end_client(client);
            thread.join().unwrap();
            let waited = world.registrar.wait_for_provider_deregister(provider);
            assert_eq!(waited, Ok(()));
            let (client, _) = world.add_client(world.client("c"));
            let (provider, _) = world.add_provider(world.provider("p"));
            world.end_client(client);
            world.end_provider(provider);
        }
    });
}

#[test]
fn room_is_back_when_the_first_of_two_waits_returns() {
    in_time(|| {
        for _ in 0..300 {
            let world = World::with(Registrar::builder().max_registrations(1));
            let (client, _) = world.add_client(world.client("c"));
            world.registrar.deregister_client(client).unwrap();
            let first = Gate::default();
            let waiters = [(); 2].map(|()| {
                let (registrar, first) = (world.registrar.clone(), first.clone());
                thread::spawn(move || {
                    let waited = registrar.wait_for_client_deregister(client).is_ok();
                    if waited {
                        first.open();
                    }
                    waited
                })
            });
            first.pass();
            let (next, _) = world.add_client(world.client("next"));
            world.end_client(next);
            let waited = waiters.map(|waiter| waiter.join().unwrap());
            assert!(waited.contains(&true), "{waited:?}");
        }
    });
}
