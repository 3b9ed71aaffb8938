//! C1 to C5: who is offered to whom, and what attaching means.

use std::sync::Arc;
use std::thread;

use nmr::*;

use super::support::*;

#[test]
fn only_modules_of_one_interface_are_attached() {
    // One stripe: both interfaces share everything that they can share.
    let world = World::with(Registrar::builder().stripes(1));
    let other = RegistrationInstance::new(OTHER_NPI, ModuleId(2));
    let elsewhere = Arc::new(world.client("elsewhere"));
    let elsewhere = world.registrar.register_client(other.clone(), elsewhere);
    let (client, _) = world.add_client(world.client("c"));
    world.assert_log([]);
    let (provider, _) = world.add_provider(world.provider("p"));
    world.assert_log(["c attach", "p attach"]);
    let late = Arc::new(world.provider("late"));
    let late = world.registrar.register_provider(other, late).unwrap();
    world.assert_log(["elsewhere attach", "late attach"]);
    world.end_provider(provider);
    world.assert_log(["c detach", "p detach", "c cleanup", "p cleanup"]);
    world.end_client(client);
    world.end_provider(late);
    world.end_client(elsewhere.unwrap());
    world.assert_empty();
}

#[test]
fn two_modules_of_one_side_are_not_attached() {
    let world = World::default();
    world.add_client(world.client("c1"));
    world.add_client(world.client("c2"));
    world.assert_log([]);
    assert_eq!(world.registrar.count().bindings, 0);
}

#[test]
fn every_pair_is_offered_once_and_oldest_first() {
    let world = World::default();
    world.add_client(world.client("c1"));
    world.add_client(world.client("c2"));
    world.add_provider(world.provider("p1"));
    world.assert_log(["c1 attach", "p1 attach", "c2 attach", "p1 attach"]);
    world.add_provider(world.provider("p2"));
    world.assert_log(["c1 attach", "p2 attach", "c2 attach", "p2 attach"]);
    world.add_client(world.client("c3"));
    world.assert_log(["c3 attach", "p1 attach", "c3 attach", "p2 attach"]);
    assert_eq!(world.registrar.count().bindings, 6);
}

#[test]
fn a_declined_pair_is_not_offered_again() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c").on_attach(|_| Err(WHY)));
    world.add_provider(world.provider("p1"));
    world.assert_log(["c attach"]);
    world.add_provider(world.provider("p2"));
    world.assert_log(["c attach"]);
    assert_eq!(world.registrar.count().bindings, 0);
    world.end_client(client);
    world.assert_log([]);
}

#[test]
fn one_module_may_register_on_both_sides_and_meet_itself() {
    struct Both(Log);
    impl ClientModule for Both {
        fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
            self.0.add("client attach");
            accept(offer)
        }
        fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            Detach::Complete
        }
    }
    impl ProviderModule for Both {
        fn attach_client(
            &self,
            _: BindingHandle,
            _: &RegistrationInstance,
            _: &Attachment,
        ) -> Result<Attachment, Status> {
            self.0.add("provider attach");
            Ok(Attachment::default())
        }
        fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            Detach::Complete
        }
    }
    let world = World::default();
    let both = Arc::new(Both(world.log.clone()));
    let client = world.registrar.client(instance(), both.clone()).unwrap();
    let provider = world.registrar.provider(instance(), both).unwrap();
    world.assert_log(["client attach", "provider attach"]);
    drop((client, provider));
    world.assert_empty();
}

#[test]
fn both_sides_receive_what_the_other_hands_over() {
    let world = World::default();
    let describe = |number| RegistrationInstance {
        number,
        npi_specific: Box::new([number as u8]),
        ..instance()
    };
    let provider = world.provider("p").on_attach(|visitor| {
        assert_eq!(
            (visitor.instance.number, &*visitor.instance.npi_specific),
            (7, &[7][..])
        );
        assert_eq!(
            visitor.peer.context.downcast_ref(),
            Some(&"client's context")
        );
        assert_eq!(visitor.peer.dispatch.downcast_ref(), Some(&1_u8));
        Ok(Attachment {
            context: BindingContext::new("provider's context"),
            dispatch: Dispatch::new(2_u8),
        })
    });
    let provider = provider.on_detach(|asked| {
        assert_eq!(asked.context.downcast_ref(), Some(&"provider's context"));
        Detach::Complete
    });
    let client = world.client("c").on_attach(|offer| {
        assert_eq!((offer.provider().number, offer.provider().npi), (8, NPI));
        let own = Attachment {
            context: BindingContext::new("client's context"),
            dispatch: Dispatch::new(1_u8),
        };
        let peer = offer.attach(own).expect("the provider takes it");
        assert_eq!(peer.context.downcast_ref(), Some(&"provider's context"));
        assert_eq!(peer.dispatch.downcast_ref(), Some(&2_u8));
        Ok(())
    });
    let client = client.on_cleanup(|context| {
        assert_eq!(context.downcast_ref(), Some(&"client's context"));
    });
    let client = world
        .registrar
        .client(describe(7), Arc::new(client))
        .unwrap();
    let provider = world
        .registrar
        .provider(describe(8), Arc::new(provider))
        .unwrap();
    drop((client, provider));
    world.assert_log(WHOLE_LIFE);
}

#[test]
fn a_client_attaches_only_once_and_only_inside_its_attach_callback() {
    let world = World::default();
    world.add_provider(world.provider("p"));
    let client = world.client("c").on_attach(|offer| {
        let elsewhere = thread::scope(|scope| {
            let attach = scope.spawn(|| offer.attach(Attachment::default()).map(drop));
            attach.join().unwrap()
        });
        let invalid = Err(AttachError::InvalidState {
            handle: offer.binding(),
        });
        assert_eq!(
            elsewhere, invalid,
            "another thread is not inside the callback"
        );
        accept(offer)?;
        assert_eq!(
            offer.attach(Attachment::default()).map(drop),
            invalid,
            "a second time"
        );
        Ok(())
    });
    let (handle, client) = world.add_client(client);
    world.assert_log(["c attach", "p attach"]);
    let binding = client.binding();
    let again = world
        .registrar
        .client_attach_provider(binding, Attachment::default());
    assert_eq!(
        again.map(drop),
        Err(AttachError::InvalidState { handle: binding })
    );
    world.end_client(handle);
    world.assert_log(["c detach", "p detach", "c cleanup", "p cleanup"]);
    let dead = world
        .registrar
        .client_attach_provider(binding, Attachment::default());
    let fault = HandleFault::Dead;
    assert_eq!(
        dead.map(drop),
        Err(AttachError::InvalidParameter {
            handle: binding,
            fault
        })
    );
}

#[test]
fn inside_the_providers_callback_the_one_call_is_already_used() {
    let world = World::default();
    let registrar = world.registrar.clone();
    let provider = world.provider("p").on_attach(move |visitor| {
        let again = registrar.client_attach_provider(visitor.binding, Attachment::default());
        let handle = visitor.binding;
        assert_eq!(again.map(drop), Err(AttachError::InvalidState { handle }));
        Ok(Attachment::default())
    });
    world.add_provider(provider);
    world.add_client(world.client("c"));
    world.assert_log(["c attach", "p attach"]);
}

#[test]
fn a_providers_refusal_is_the_answer_and_hands_out_nothing() {
    let world = World::default();
    let context = Arc::new(());
    let handed = context.clone();
    let client = world.client("c").on_attach(move |offer| {
        let own = Attachment {
            context: BindingContext::from_arc(handed.clone()),
            ..Attachment::default()
        };
        let refused = offer.attach(own).map(drop);
        assert_eq!(refused, Err(AttachError::Refused(WHY)));
        assert_eq!(Arc::strong_count(&handed), 2, "the registrar kept nothing");
        let again = offer.attach(Attachment::default()).map(drop);
        assert_eq!(
            again,
            Err(AttachError::InvalidState {
                handle: offer.binding()
            })
        );
        Err(WHY)
    });
    let (client, module) = world.add_client(client);
    let (provider, _) = world.add_provider(world.provider("p").on_attach(|_| Err(WHY)));
    world.assert_log(["c attach", "p attach"]);
    world.end_client(client);
    world.end_provider(provider);
    world.assert_log([]);
    drop(module);
    assert_eq!(Arc::strong_count(&context), 1);
}

#[test]
fn hollow_success_counts_as_declining() {
    let world = World::default();
    let (client, module) = world.add_client(world.client("c").on_attach(|_| Ok(())));
    let (provider, _) = world.add_provider(world.provider("p"));
    world.assert_log(["c attach"]);
    assert_eq!(world.registrar.count().bindings, 0);
    let dead = world.registrar.client_detach_complete(module.binding());
    assert!(matches!(
        dead,
        Err(DetachCompleteError::InvalidParameter { .. })
    ));
    world.end_client(client);
    world.end_provider(provider);
    world.assert_log([]);
}

#[test]
fn success_after_a_refusal_is_hollow_too() {
    let world = World::default();
    let client = world.client("c").on_attach(|offer| {
        assert!(accept(offer).is_err());
        Ok(())
    });
    world.add_client(client);
    world.add_provider(world.provider("p").on_attach(|_| Err(WHY)));
    assert_eq!(world.registrar.count().bindings, 0);
    world.assert_log(["c attach", "p attach"]);
}

#[test]
fn a_change_of_mind_detaches_and_cleans_up_the_provider_alone() {
    let world = World::default();
    let client = world
        .client("c")
        .on_attach(|offer| accept(offer).and(Err(WHY)));
    let (client, _) = world.add_client(client);
    let (provider, _) = world.add_provider(world.provider("p"));
    world.assert_log(["c attach", "p attach", "p detach", "p cleanup"]);
    assert_eq!(world.registrar.count().bindings, 0);
    world.end_client(client);
    world.end_provider(provider);
    world.assert_log([]);
}

#[test]
fn after_a_change_of_mind_a_pending_provider_is_waited_for() {
    in_time(|| {
        let world = World::default();
        let client = world
            .client("c")
            .on_attach(|offer| accept(offer).and(Err(WHY)));
        let (client, _) = world.add_client(client);
        let provider = world.provider("p").on_detach(|_| Detach::Pending);
        let (_, provider) = world.add_provider(provider);
        world.assert_log(["c attach", "p attach", "p detach"]);
        let binding = provider.binding();
        let not_its_turn = world.registrar.client_detach_complete(binding);
        assert_eq!(
            not_its_turn,
            Err(DetachCompleteError::InvalidState { handle: binding })
        );
        world.registrar.deregister_client(client).unwrap();
        let waiting = world.clone();
        let wait = thread::spawn(move || {
            waiting
                .registrar
                .wait_for_client_deregister(client)
                .unwrap();
            waiting.log.add("waited");
        });
        world.log.add("completing");
        assert_eq!(world.registrar.provider_detach_complete(binding), Ok(()));
        wait.join().unwrap();
        world.assert_log(["completing", "p cleanup", "waited"]);
    });
}
