//! C6: once a side has begun to deregister, nobody new comes in, and a late comer goes at once.

use std::thread;

use nmr::*;

use super::support::*;

#[test]
fn a_closing_door_lets_nobody_in() {
    in_time(|| {
        let world = World::default();
        let (first, _) = world.add_provider(world.provider("p1"));
        let (second, _) = world.add_provider(world.provider("p2"));
        let (registrar, log) = (world.registrar.clone(), world.log.clone());
        let client = world.client("c").on_attach(move |offer| {
            // Both providers begin to deregister while the first pair is being offered.
            assert_eq!(registrar.deregister_provider(first), Ok(Status::PENDING));
            assert_eq!(registrar.deregister_provider(second), Ok(Status::PENDING));
            let handle = offer.binding();
            let refused = offer.attach(Attachment::default()).map(drop);
            assert_eq!(refused, Err(AttachError::NoInterface { handle }));
            let again = offer.attach(Attachment::default()).map(drop);
            assert_eq!(again, Err(AttachError::InvalidState { handle }));
            log.add("refused");
            Err(Status::NOINTERFACE)
        });
        let (client, _) = world.add_client(client);
        world.assert_log(["c attach", "refused"]);
        world.registrar.wait_for_provider_deregister(first).unwrap();
        world
            .registrar
            .wait_for_provider_deregister(second)
            .unwrap();
        world.end_client(client);
        world.assert_empty();
    });
}

#[test]
fn a_late_comer_is_detached_by_the_thread_that_attached_it() {
    in_time(|| {
        let world = World::default();
        let (inside, closing) = (Gate::default(), Gate::default());
        let (entered, closed) = (inside.clone(), closing.clone());
        let provider = world.provider("p").on_attach(move |_| {
            entered.open();
            closed.pass();
            Ok(Attachment::default())
        });
        let (provider, _) = world.add_provider(provider);
        let attaching = world.clone();
        let thread = thread::spawn(move || {
            let me = thread::current().id();
            let client = attaching.client("c").on_detach(move |_| {
                assert_eq!(thread::current().id(), me);
                Detach::Complete
            });
            attaching.add_client(client).0
        });
        inside.pass();
        assert_eq!(
            world.registrar.deregister_provider(provider),
            Ok(Status::PENDING)
        );
        world.assert_log(["c attach", "p attach"]);
        closing.open();
        world
            .registrar
            .wait_for_provider_deregister(provider)
            .unwrap();
        world.assert_log(["c detach", "p detach", "c cleanup", "p cleanup"]);
        world.end_client(thread.join().unwrap());
        world.assert_empty();
    });
}
