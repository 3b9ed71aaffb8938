//! What is simpler than a failing sequence: fewer operations, plainer modules, lower numbers.
//!
//! Every variant is *sound*: each of its operations is made, and returns.

use nmr_models::scenario::Limits;

use super::event::{Answer, What};
use super::handle_ref::{HandleRef, Slot};
use super::ops::{Attach, DetachScript, Op, Parts, Register};
use super::reference::Model;
use crate::minimize::{Variants, without_pairs, without_runs};

/// A sequence and the limits of its registrar.
pub type Sequence = (Limits, Vec<Op>);

/// Pairs of operations are tried only in sequences that are no longer than this.
const SHORT: usize = 20;

/// The sound variants of a sequence that are simpler, the boldest first.
pub fn variants(of: &Sequence) -> Variants<'_, Sequence> {
    let (limits, ops) = of;
    let pairs = if ops.len() <= SHORT { &ops[..] } else { &[] };
    let shorter = without_runs(ops).chain(without_pairs(pairs));
    let plainer = (0..ops.len()).flat_map(move |index| {
        plainer(&ops[index]).into_iter().map(move |op| {
            let mut ops = ops.clone();
            ops[index] = op;
            ops
        })
    });
    let renamed = [renumbered(ops), on_one_interface(ops)].into_iter();
    let same_limits = shorter
        .chain(plainer)
        .chain(renamed)
        .map(move |ops| (*limits, ops));
    let fewer_limits = less_limited(*limits).map(move |limits| (limits, ops.clone()));
    let all = fewer_limits
        .chain(same_limits)
        .map(|(limits, ops)| (limits, sound(limits, ops)));
    Box::new(all.filter(move |variant| variant != of))
}

/// Takes out the operations that are not made, or that can never return.
#[must_use]
pub fn sound(limits: Limits, ops: Vec<Op>) -> Vec<Op> {
    let mut model = Model::new(limits);
    let is_made = |op: &Op| {
        let mut next = model.clone();
        let made = carry_out(&mut next, op);
        if made {
            model = next;
        }
        made
    };
    ops.into_iter().filter(is_made).collect()
}

/// Brings `model` to the end of this operation; answers whether the specification makes it, and it returns.
pub fn carry_out(model: &mut Model, op: &Op) -> bool {
    let events = model.apply(op);
    let mut newest_first = events.iter().rev();
    let answer = newest_first.find_map(|event| match &event.what {
        What::Answered(answer) if event.depth == 0 => Some(answer),
        _ => None,
    });
    !matches!(answer, Some(Answer::NotMade(_))) && !model.is_stuck()
}

fn less_limited(limits: Limits) -> impl Iterator<Item = Limits> {
    let without = [
        Limits {
            max_registrations: None,
            ..limits
        },
        Limits {
            max_bindings: None,
            ..limits
        },
        Limits {
            fail_reservation: None,
            ..limits
        },
    ];
    let lower = limits.fail_reservation.filter(|&k| k > 1).map(|k| Limits {
        fail_reservation: Some(k - 1),
        ..limits
    });
    without
        .into_iter()
        .filter(move |less| *less != limits)
        .chain(lower)
}

/// The same operation with something left out.
fn plainer(op: &Op) -> Vec<Op> {
    match op.parts() {
        Parts::Register(script) => plainer_script(script)
            .into_iter()
            .map(|script| Op::Register(Box::new(script)))
            .collect(),
        Parts::Call(function, handle) => match handle {
            HandleRef::Registration(slot, age @ 1..) => {
                vec![function.of(HandleRef::Registration(slot, age - 1))]
            }
            HandleRef::Binding(client, provider, age @ 1..) => {
                vec![function.of(HandleRef::Binding(client, provider, age - 1))]
            }
            _ => Vec::new(),
        },
    }
}

fn plainer_script(script: &Register) -> Vec<Register> {
    let with = |change: &dyn Fn(&mut Register)| {
        let mut plainer = script.clone();
        change(&mut plainer);
        plainer
    };
    let mut all = vec![
        Register::new(script.module, script.npi),
        with(&|s| s.attach = Attach::default()),
        with(&|s| s.detach = DetachScript::default()),
        with(&|s| s.cleanup_panics = false),
        with(&|s| s.null_context = false),
    ];
    let hooks: [fn(&mut Register) -> &mut Vec<Op>; 4] = [
        |s| &mut s.before_attach,
        |s| &mut s.after_attach,
        |s| &mut s.in_detach,
        |s| &mut s.in_cleanup,
    ];
    for calls in hooks {
        let own = calls(&mut script.clone()).clone();
        all.extend(without_runs(&own).map(|fewer| with(&|s| *calls(s) = fewer.clone())));
        for (index, op) in own.iter().enumerate() {
            for simple in plainer(op) {
                all.push(with(&|s| calls(s)[index] = simple.clone()));
            }
        }
    }
    all.retain(|plainer| plainer != script);
    all
}

/// The same sequence with its modules and interfaces numbered as they come.
fn renumbered(ops: &[Op]) -> Vec<Op> {
    let mut slots: Vec<Slot> = Vec::new();
    let mut interfaces: Vec<u8> = Vec::new();
    let mut renamed = ops.to_vec();
    rename_all(&mut renamed, &mut |name| match name {
        Named::Module(slot) => {
            if !slots.contains(slot) {
                slots.push(*slot);
            }
            let of_side = slots.iter().filter(|other| other.side == slot.side);
            let place = of_side.clone().position(|other| other == slot);
            slot.number = u8::try_from(place.unwrap_or_default() + 1).unwrap_or(u8::MAX);
        }
        Named::Interface(0) => {}
        Named::Interface(npi) => {
            if !interfaces.contains(npi) {
                interfaces.push(*npi);
            }
            let place = interfaces.iter().position(|other| other == npi);
            *npi = u8::try_from(place.unwrap_or_default() + 1).unwrap_or(u8::MAX);
        }
    });
    renamed
}

fn on_one_interface(ops: &[Op]) -> Vec<Op> {
    let mut renamed = ops.to_vec();
    rename_all(&mut renamed, &mut |name| {
        if let Named::Interface(npi) = name {
            *npi = 1;
        }
    });
    renamed
}

/// A name in an operation.
enum Named<'a> {
    Module(&'a mut Slot),
    Interface(&'a mut u8),
}

fn rename_all(ops: &mut [Op], rename: &mut dyn FnMut(Named<'_>)) {
    for op in ops {
        match op.handle_mut() {
            Some(HandleRef::Registration(slot, _)) => rename(Named::Module(slot)),
            Some(HandleRef::Binding(client, provider, _)) => {
                rename(Named::Module(client));
                rename(Named::Module(provider));
            }
            Some(HandleRef::Foreign(_)) | None => {}
        }
        if let Op::Register(script) = op {
            rename(Named::Module(&mut script.module));
            rename(Named::Interface(&mut script.npi));
            for calls in [
                &mut script.before_attach,
                &mut script.after_attach,
                &mut script.in_detach,
                &mut script.in_cleanup,
            ] {
                rename_all(calls, rename);
            }
        }
    }
}
