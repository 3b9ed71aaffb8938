//! Random cases: a sequence of operations, then probes around the handles that it has issued.

use std::sync::atomic::Ordering;

use proptest::collection::vec;
use proptest::option;
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use proptest::strategy::{Just, Strategy};
use proptest_state_machine::ReferenceStateMachine;

use super::{Case, KIND, Mask, Probe};
use crate::sequential::machine::{Contract, Reference};
use crate::sequential::ops::Function;
use crate::sequential::reference::Model;

/// The most operations before the first probe.
const OPERATIONS: usize = 20;
/// The most probes of a case.
const PROBES: usize = 40;

/// A probe, before it is known which handles there are.
#[derive(Clone, Debug)]
struct Draft {
    call: Function,
    handle: Option<Index>,
    flip: u64,
    registrar: u32,
}

/// Random cases.
pub fn cases() -> impl Strategy<Value = Case> {
    let setup = Reference::<Contract>::sequential_strategy(1..=OPERATIONS);
    (setup, vec(draft(), 1..=PROBES)).prop_map(|((start, ops, seen), drafts)| {
        // proptest takes operations for superfluous that it was not told were carried out.
        if let Some(seen) = seen {
            seen.fetch_max(ops.len(), Ordering::Relaxed);
        }
        let mut model = Model::new(start.limits);
        for op in &ops {
            model.apply(op);
        }
        let handles: Vec<_> = model.handles().collect();
        let probe = |draft: Draft| Probe {
            call: draft.call,
            handle: draft
                .handle
                .filter(|_| !handles.is_empty())
                .map(|index| *index.get(&handles)),
            flip: Mask(draft.flip),
            registrar: draft.registrar,
        };
        Case {
            kind: KIND.to_owned(),
            found: String::new(),
            limits: start.limits,
            ops,
            probes: drafts.into_iter().map(probe).collect(),
        }
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    let handle = option::weighted(0.9, proptest::arbitrary::any::<Index>());
    (select(Function::ALL.to_vec()), handle, flip(), registrar()).prop_map(
        |(call, handle, flip, registrar)| Draft {
            call,
            handle,
            flip,
            registrar,
        },
    )
}

/// None, one or two bits, a few low or high ones, or any.
fn flip() -> impl Strategy<Value = u64> {
    let bit = (0..64_u32).prop_map(|bit| 1_u64 << bit);
    prop_oneof![
        2 => Just(0),
        6 => bit.clone(),
        2 => (bit.clone(), bit).prop_map(|(one, other)| one ^ other),
        2 => 0..8_u64,
        1 => (0..4_u64).prop_map(|kind| kind << 62),
        2 => proptest::num::u64::ANY,
    ]
}

fn registrar() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => Just(0),
        1 => (0..32_u32).prop_map(|bit| 1 << bit),
        1 => proptest::num::u32::ANY,
    ]
}
