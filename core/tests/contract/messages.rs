//! Each error says what was wrong with which handle, and which status Windows has for it.

use std::sync::Arc;

use nmr::*;

use super::support::*;

#[test]
fn register_errors_say_what_ran_out() {
    let world = World::with(Registrar::builder().max_registrations(0));
    let full = world
        .registrar
        .register_client(instance(), Arc::new(world.client("c")));
    let full = full.unwrap_err();
    assert_eq!(
        full.to_string(),
        "insufficient resources: no room for 1 more registration(s)"
    );
    assert_eq!(full.status(), Status::INSUFFICIENT_RESOURCES);
    let nil = RegisterError::InvalidParameter(NpiId::NIL);
    assert_eq!(
        nil.to_string(),
        "invalid parameter: 00000000-0000-0000-0000-000000000000 is the nil NPIID and names no \
         interface"
    );
    assert_eq!(nil.status(), Status::INVALID_PARAMETER);
    let interfaces = InsufficientResources {
        wanted: 1,
        what: Resource::Interface,
    };
    assert_eq!(
        interfaces.to_string(),
        "insufficient resources: no room for 1 more interface(s)"
    );
    let bindings = InsufficientResources {
        wanted: 4,
        what: Resource::Binding,
    };
    assert_eq!(
        bindings.to_string(),
        "insufficient resources: no room for 4 more binding(s)"
    );
}

/// Kind client, stripe 3, slot 5, generation 9.
const CLIENT: ClientHandle = ClientHandle::from_raw(1, 1 << 62 | 3 << 52 | 5 << 32 | 9);
const BINDING: BindingHandle = BindingHandle::from_raw(1, 3 << 62 | 2 << 32 | 7);

#[test]
fn deregister_and_wait_errors_name_the_handle() {
    let fault = HandleFault::Dead;
    let dead = DeregisterError::InvalidParameter {
        handle: CLIENT,
        fault,
    };
    assert_eq!(
        dead.to_string(),
        "invalid parameter: client 3:5#9: what it named is gone"
    );
    let again = DeregisterError::AlreadyDeregistering { handle: CLIENT };
    assert_eq!(
        again.to_string(),
        "invalid parameter: client 3:5#9: it is being deregistered already"
    );
    assert_eq!(
        (dead.status(), again.status()),
        (Status::INVALID_PARAMETER, dead.status())
    );

    let fault = HandleFault::Unknown;
    let unknown = WaitError::InvalidParameter {
        handle: CLIENT,
        fault,
    };
    assert_eq!(
        unknown.to_string(),
        "invalid parameter: client 3:5#9: it was never issued"
    );
    let early = WaitError::NotDeregistered { handle: CLIENT };
    assert_eq!(
        early.to_string(),
        "invalid parameter: client 3:5#9: it is not being deregistered, so the wait would have no \
         end"
    );
    let stuck = WaitError::WouldDeadlock { handle: CLIENT };
    assert_eq!(
        stuck.to_string(),
        "possible deadlock: client 3:5#9: this thread is inside one of its callbacks"
    );
    let statuses = [unknown, early, stuck].map(WaitError::status);
    let invalid = Status::INVALID_PARAMETER;
    assert_eq!(statuses, [invalid, invalid, Status::POSSIBLE_DEADLOCK]);
}

#[test]
fn attach_and_detach_errors_name_the_binding() {
    let fault = HandleFault::Foreign;
    let attach = [
        AttachError::InvalidParameter {
            handle: BINDING,
            fault,
        },
        AttachError::InvalidState { handle: BINDING },
        AttachError::NoInterface { handle: BINDING },
        AttachError::Refused(WHY),
    ];
    assert_eq!(
        attach.map(|error| error.to_string()),
        [
            "invalid parameter: binding 0:2#7: it belongs to another registrar",
            "invalid state: binding 0:2#7: not inside its client's attach callback, or attached \
             already",
            "no interface: binding 0:2#7: one of its sides is being deregistered",
            "the provider declined: status 0xE0000001",
        ]
    );
    let invalid = Status::INVALID_PARAMETER;
    let state = Status::INVALID_DEVICE_STATE;
    assert_eq!(
        attach.map(AttachError::status),
        [invalid, state, Status::NOINTERFACE, WHY]
    );

    let fault = HandleFault::WrongKind;
    let complete = [
        DetachCompleteError::InvalidParameter {
            handle: BINDING,
            fault,
        },
        DetachCompleteError::InvalidState { handle: BINDING },
    ];
    assert_eq!(
        complete.map(|error| error.to_string()),
        [
            "invalid parameter: binding 0:2#7: it is a handle of another kind",
            "invalid state: binding 0:2#7: that side is not detaching, or it has completed already",
        ]
    );
    assert_eq!(complete.map(DetachCompleteError::status), [invalid, state]);
}

#[test]
fn statuses_have_windows_values_and_names() {
    let expected = [
        (Status::SUCCESS, 0, "STATUS_SUCCESS"),
        (Status::PENDING, 0x103, "STATUS_PENDING"),
        (
            Status::INVALID_PARAMETER,
            0xC000_000D,
            "STATUS_INVALID_PARAMETER",
        ),
        (
            Status::INSUFFICIENT_RESOURCES,
            0xC000_009A,
            "STATUS_INSUFFICIENT_RESOURCES",
        ),
        (Status::NOINTERFACE, 0xC000_02B9, "STATUS_NOINTERFACE"),
        (
            Status::INVALID_DEVICE_STATE,
            0xC000_0184,
            "STATUS_INVALID_DEVICE_STATE",
        ),
        (
            Status::POSSIBLE_DEADLOCK,
            0xC000_0194,
            "STATUS_POSSIBLE_DEADLOCK",
        ),
    ];
    for (status, value, name) in expected {
        assert_eq!((status.0, status.to_string().as_str()), (value, name));
    }
}

#[test]
fn what_is_printed_for_debugging_names_things() {
    let world = World::default();
    let client = world
        .registrar
        .client(instance(), Arc::new(world.client("c")))
        .unwrap();
    let handle = client.handle();
    assert_eq!(format!("{client:?}"), format!("Registration({handle})"));
    assert!(format!("{:?}", world.registrar).starts_with("Registrar { id: "));
    let deregistering = client.deregister();
    assert_eq!(
        format!("{deregistering:?}"),
        format!("Deregistering(Some({handle}))")
    );
    assert_eq!(
        format!("{:?} {:?}", Opaque::null(), Opaque::new(1)),
        "null opaque"
    );
}
