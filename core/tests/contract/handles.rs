//! C12: a handle that names nothing is answered so, whatever it looks like.

use nmr::*;

use super::support::*;

/// What is wrong with the numbers, according to each function that takes a handle.
fn answers(registrar: &Registrar, (owner, bits): (u32, u64)) -> [Option<HandleFault>; 7] {
    let client = ClientHandle::from_raw(owner, bits);
    let provider = ProviderHandle::from_raw(owner, bits);
    let binding = BindingHandle::from_raw(owner, bits);
    [
        match registrar.deregister_client(client) {
            Err(DeregisterError::InvalidParameter { fault, .. }) => Some(fault),
            _ => None,
        },
        match registrar.deregister_provider(provider) {
            Err(DeregisterError::InvalidParameter { fault, .. }) => Some(fault),
            _ => None,
        },
        match registrar.wait_for_client_deregister(client) {
            Err(WaitError::InvalidParameter { fault, .. }) => Some(fault),
            _ => None,
        },
        match registrar.wait_for_provider_deregister(provider) {
            Err(WaitError::InvalidParameter { fault, .. }) => Some(fault),
            _ => None,
        },
        match registrar.client_attach_provider(binding, Attachment::default()) {
            Err(AttachError::InvalidParameter { fault, .. }) => Some(fault),
            _ => None,
        },
        match registrar.client_detach_complete(binding) {
            Err(DetachCompleteError::InvalidParameter { fault, .. }) => Some(fault),
            _ => None,
        },
        match registrar.provider_detach_complete(binding) {
            Err(DetachCompleteError::InvalidParameter { fault, .. }) => Some(fault),
            _ => None,
        },
    ]
}

#[test]
fn every_function_refuses_a_handle_of_another_registrar() {
    let (world, other) = (World::default(), World::default());
    let (client, _) = world.add_client(world.client("c"));
    let foreign = answers(&other.registrar, client.to_raw());
    assert_eq!(foreign, [Some(HandleFault::Foreign); 7]);
    world.end_client(client);
}

#[test]
fn a_handle_has_the_number_of_its_registrar() {
    let (world, other) = (World::default(), World::default());
    let (client, _) = world.add_client(world.client("c"));
    assert_eq!(client.to_raw().0, world.registrar.number());
    assert_ne!(other.registrar.number(), world.registrar.number());
    world.end_client(client);
}

#[test]
fn every_function_refuses_handles_of_the_other_kinds() {
    use HandleFault::WrongKind;
    let world = World::default();
    let (client, _) = world.add_client(world.client("c").on_attach(|_| Err(WHY)));
    let (provider, _) = world.add_provider(world.provider("p"));
    let wrong = Some(WrongKind);
    let registrar = &world.registrar;
    let as_binding = BindingHandle::from_raw(client.to_raw().0, client.to_raw().1);
    assert_eq!(
        registrar.client_detach_complete(as_binding),
        Err(DetachCompleteError::InvalidParameter {
            handle: as_binding,
            fault: WrongKind
        })
    );
    assert_eq!(
        answers(registrar, client.to_raw())[1..],
        [wrong, None, wrong, wrong, wrong, wrong]
    );
    let (_, module) = world.add_client(world.client("attached"));
    let all_but_binding = answers(registrar, module.binding().to_raw());
    assert_eq!(
        all_but_binding,
        [wrong, wrong, wrong, wrong, None, None, None]
    );
    world.end_provider(provider);
}

#[test]
fn a_forged_kind_over_a_live_slot_is_seen_through() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c"));
    let (owner, bits) = client.to_raw();
    // Kind 1 is a client's, kind 2 a provider's; they share the slots.
    let forged = ProviderHandle::from_raw(owner, bits & !(0b11 << 62) | 0b10 << 62);
    let fault = HandleFault::WrongKind;
    let wrong = Err(DeregisterError::InvalidParameter {
        handle: forged,
        fault,
    });
    assert_eq!(world.registrar.deregister_provider(forged), wrong);
    world.end_client(client);
}

#[test]
fn a_handle_beyond_the_last_stripe_is_unknown() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c"));
    let (owner, bits) = client.to_raw();
    // A registrar has 256 stripes, and a handle bits for 1,024.
    let beyond = ClientHandle::from_raw(owner, bits & !(0x3FF << 52) | 256 << 52);
    let fault = HandleFault::Unknown;
    let unknown = Err(DeregisterError::InvalidParameter {
        handle: beyond,
        fault,
    });
    assert_eq!(world.registrar.deregister_client(beyond), unknown);
    world.end_client(client);
}

#[test]
fn every_function_refuses_a_dead_handle_and_one_never_issued() {
    let world = World::default();
    let (client, module) = world.add_client(world.client("c"));
    let (provider, _) = world.add_provider(world.provider("p"));
    let binding = module.binding();
    world.end_client(client);
    world.end_provider(provider);
    let dead = Some(HandleFault::Dead);
    let registrar = &world.registrar;
    assert_eq!(answers(registrar, client.to_raw())[0], dead);
    assert_eq!(answers(registrar, client.to_raw())[2], dead);
    assert_eq!(answers(registrar, provider.to_raw())[1], dead);
    assert_eq!(answers(registrar, provider.to_raw())[3], dead);
    assert_eq!(answers(registrar, binding.to_raw())[4..], [dead; 3]);
    let unknown = Some(HandleFault::Unknown);
    let (owner, bits) = client.to_raw();
    for never in [
        bits + 1,
        bits | 0xF_FFFF << 32,
        bits & !0xFFFF_FFFF,
        bits ^ 0x3FF << 52,
    ] {
        assert_eq!(answers(registrar, (owner, never))[0], unknown, "{never:#x}");
        assert_eq!(answers(registrar, (owner, never))[2], unknown, "{never:#x}");
    }
}

#[test]
fn a_dead_handle_does_not_name_the_slots_next_tenant() {
    let world = World::default();
    let (first, _) = world.add_client(world.client("c1"));
    world.end_client(first);
    let (second, _) = world.add_client(world.client("c2"));
    assert_ne!(first, second);
    let slot = |handle: ClientHandle| handle.to_raw().1 >> 32;
    assert_eq!(
        slot(first),
        slot(second),
        "this test needs the slot to be used again"
    );
    assert!(world.registrar.deregister_client(first).is_err());
    world.end_client(second);
}

#[test]
fn a_slot_whose_generations_are_used_up_is_not_used_again() {
    let world = World::with(Registrar::builder().stripes(1).last_generation(2));
    let mut issued = Vec::new();
    for _ in 0..6 {
        let (handle, _) = world.add_client(world.client("c"));
        world.end_client(handle);
        assert!(!issued.contains(&handle), "{handle} is issued twice");
        issued.push(handle);
    }
    let slots: Vec<u64> = issued
        .iter()
        .map(|handle| handle.to_raw().1 >> 32 & 0xF_FFFF)
        .collect();
    assert_eq!(slots, [0, 0, 1, 1, 2, 2]);
    for handle in issued {
        let fault = HandleFault::Dead;
        let dead = Err(WaitError::InvalidParameter { handle, fault });
        assert_eq!(world.registrar.wait_for_client_deregister(handle), dead);
    }
}

/// The table's own lists keep the last bits of a generation alone.
#[test]
fn a_binding_is_told_from_those_that_had_its_slot_thousands_of_times_before() {
    let world = World::default();
    let (client, module) = world.add_client(world.client("c"));
    let mut before: Vec<BindingHandle> = Vec::new();
    for _ in 0..4_100 {
        let (provider, _) = world.add_provider(world.provider("p"));
        let binding = module.binding();
        for ago in [1, 1_024, 2_048, 4_096] {
            let Some(&dead) = before.iter().rev().nth(ago - 1) else {
                continue;
            };
            assert_ne!(dead, binding);
            let completed = world.registrar.client_detach_complete(dead);
            let fault = HandleFault::Dead;
            let refused = DetachCompleteError::InvalidParameter {
                handle: dead,
                fault,
            };
            assert_eq!(completed, Err(refused), "{ago} bindings ago");
        }
        before.push(binding);
        world.end_provider(provider);
    }
    world.end_client(client);
    world.assert_empty();
}

#[test]
fn a_handle_survives_the_way_through_numbers() {
    let world = World::default();
    let (client, _) = world.add_client(world.client("c"));
    let (registrar, bits) = client.to_raw();
    assert_eq!(ClientHandle::from_raw(registrar, bits), client);
    world.end_client(ClientHandle::from_raw(registrar, bits));
}
