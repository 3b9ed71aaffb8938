//! Random operations: mostly ones that mean something in the specification's present state, and
//! some that do not.

use nmr::Side;
use nmr_models::scenario::Limits;
use proptest::bool;
use proptest::collection::vec;
use proptest::option;
use proptest::prop_oneof;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::handle_ref::{HandleRef, KINDS, Slot};
use super::ops::{Attach, DetachScript, Function, Op, Register};
use super::reference::Model;

/// The limits of a registrar: mostly none. Where the k-th reservation fails, k is small enough for a
/// sequence to come to it.
pub fn limits() -> impl Strategy<Value = Limits> {
    let registrations = option::weighted(0.2, 0..=6_usize);
    let bindings = option::weighted(0.2, 0..=6_usize);
    let fault = option::weighted(0.3, 1..=40_usize);
    (registrations, bindings, fault).prop_map(|(registrations, bindings, fault)| Limits {
        max_registrations: registrations,
        max_bindings: bindings,
        fail_reservation: fault,
        last_generation: None,
    })
}

/// One operation for a sequence that has brought the specification to `model`.
pub fn operation(model: &Model) -> BoxedStrategy<Op> {
    let mut choices: Vec<(u32, BoxedStrategy<Op>)> = vec![(2, wild())];
    let mut offer = |weight, ops: Vec<Op>| {
        if !ops.is_empty() {
            choices.push((weight, select(ops).boxed()));
        }
    };
    let registration = |slot| HandleRef::Registration(slot, 0);
    offer(
        3,
        model
            .open()
            .map(|slot| Op::deregister(slot.side, registration(slot)))
            .collect(),
    );
    offer(
        3,
        model
            .closing()
            .map(|slot| Op::wait(slot.side, registration(slot)))
            .collect(),
    );
    offer(
        4,
        model
            .pending()
            .map(|(side, handle)| Op::detach_complete(side, handle))
            .collect(),
    );
    offer(1, model.bound().map(Op::AttachProvider).collect());
    let free: Vec<Slot> = model.free().collect();
    if !free.is_empty() {
        choices.push((8, register(select(free).boxed(), true).boxed()));
    }
    Union::new_weighted(choices).boxed()
}

/// A register call of one of these modules; with calls back into the registrar if `calls`.
fn register(module: BoxedStrategy<Slot>, calls: bool) -> BoxedStrategy<Op> {
    let npi = prop_oneof![12 => Just(1), 8 => Just(2), 4 => Just(3), 1 => Just(0)];
    let hooks = match calls {
        true => [calls_back(), calls_back(), calls_back(), calls_back()],
        false => [(); 4].map(|()| Just(Vec::new()).boxed()),
    };
    let script = (attach(), detach(), bool::weighted(0.1), bool::weighted(0.2));
    (module, npi, script, hooks)
        .prop_map(|(module, npi, script, hooks)| {
            let (attach, detach, cleanup_panics, null_context) = script;
            let [before_attach, after_attach, in_detach, in_cleanup] = hooks;
            Op::Register(Box::new(Register {
                module,
                npi,
                attach,
                detach,
                cleanup_panics,
                null_context,
                before_attach,
                after_attach,
                in_detach,
                in_cleanup,
            }))
        })
        .boxed()
}

fn attach() -> impl Strategy<Value = Attach> {
    prop_oneof![
        14 => Just(Attach::Accept),
        2 => Just(Attach::Decline),
        1 => Just(Attach::Hollow),
        2 => Just(Attach::ChangeOfMind),
        1 => Just(Attach::Insist),
        1 => Just(Attach::Twice),
        1 => Just(Attach::Panic),
        1 => Just(Attach::AttachThenPanic),
    ]
}

fn detach() -> impl Strategy<Value = DetachScript> {
    prop_oneof![
        6 => Just(DetachScript::AtOnce),
        6 => Just(DetachScript::Pending),
        2 => Just(DetachScript::Early),
        1 => Just(DetachScript::EarlyThenComplete),
        1 => Just(DetachScript::Panic),
        1 => Just(DetachScript::EarlyThenPanic),
    ]
}

/// The calls of a script at one point: often none, and often a deregistration with its wait.
fn calls_back() -> BoxedStrategy<Vec<Op>> {
    let shut = slot().prop_map(|slot| {
        let handle = HandleRef::Registration(slot, 0);
        vec![
            Op::deregister(slot.side, handle),
            Op::wait(slot.side, handle),
        ]
    });
    let one = prop_oneof![3 => wild(), 2 => register(slot().boxed(), false)];
    prop_oneof![
        6 => Just(Vec::new()),
        1 => shut,
        1 => vec(one, 1..=3),
    ]
    .boxed()
}

/// Any call with any handle: stale ones, ones of the wrong kind, foreign ones, good ones.
fn wild() -> BoxedStrategy<Op> {
    let function = select(Function::ALL.to_vec());
    let any = (function, handle()).prop_map(|(function, handle)| function.of(handle));
    // Of the right kind: any state may meet it.
    let fitting = prop_oneof![
        slot().prop_map(|slot| Op::deregister(slot.side, HandleRef::Registration(slot, 0))),
        slot().prop_map(|slot| Op::wait(slot.side, HandleRef::Registration(slot, 0))),
        (binding(), select(Side::BOTH.to_vec()))
            .prop_map(|(binding, side)| Op::detach_complete(side, binding)),
    ];
    prop_oneof![any, fitting].boxed()
}

fn handle() -> impl Strategy<Value = HandleRef> {
    prop_oneof![
        6 => (slot(), age()).prop_map(|(slot, age)| HandleRef::Registration(slot, age)),
        4 => binding(),
        1 => select(KINDS.to_vec()).prop_map(HandleRef::Foreign),
    ]
}

fn binding() -> impl Strategy<Value = HandleRef> {
    let of = |side| {
        select(
            Slot::all()
                .filter(|slot| slot.side == side)
                .collect::<Vec<_>>(),
        )
    };
    (of(Side::Client), of(Side::Provider), age())
        .prop_map(|(client, provider, age)| HandleRef::Binding(client, provider, age))
}

fn slot() -> impl Strategy<Value = Slot> {
    select(Slot::all().collect::<Vec<_>>())
}

fn age() -> impl Strategy<Value = u8> {
    prop_oneof![6 => Just(0_u8), 1 => Just(1), 1 => Just(2)]
}
