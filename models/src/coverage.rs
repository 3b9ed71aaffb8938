//! What programs reach, as cells of three matrices: a binding's state × what happens then, an operation × another one whose
//! critical sections it comes between, and a rule × what it judges.
//!
//! It is seen on walks at random through a program's states, without threads ([`reached`]): the same seed sees the same. What
//! is not seen may be there all the same.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::direct;
use crate::event::{Answer, Call, CallbackKind, Deed, Reply, Side, Thing, What};
use crate::scenario::Scenario;

/// Which matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Matrix {
    /// The state of a binding × what happens to it or to one of its registrations.
    States,
    /// The operation that has a critical section × another thread's operation that is between two of its own.
    Overlaps,
    /// A rule that could fail × what it was about to judge.
    Rules,
}

/// A cell of a [`Matrix`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cell {
    /// Of which matrix.
    pub matrix: Matrix,
    /// A state, an operation, or a rule.
    pub row: Cow<'static, str>,
    /// An event, or an operation.
    pub column: Cow<'static, str>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.row, self.column)
    }
}

/// Where there is no binding.
pub const NO_BINDING: &str = "no binding";

/// The end of an execution, which rules judge, too.
pub const END: &str = "the end";

/// The states of a binding that is not being detached.
pub const STAGES: [&str; 7] = [
    "proposed",
    "offered",
    "attaching",
    "refused",
    "accepted",
    "attached",
    "cleaning up",
];

/// How far a side is in being detached.
pub const SIDES: [&str; 5] = [
    "to be asked",
    "asked",
    "completed early",
    "pending",
    "complete",
];

/// The operations.
pub const OPERATIONS: [&str; 7] = [
    "register",
    "deregister",
    "wait",
    "attach",
    "client completes",
    "provider completes",
    "release",
];

/// The state of a binding, by the words of its view.
#[must_use]
pub fn state(stage: &'static str, [client, provider]: [&'static str; 2]) -> Cow<'static, str> {
    match client.is_empty() && provider.is_empty() {
        true => stage.into(),
        false => format!("detaching: client {client}, provider {provider}").into(),
    }
}

/// All rows of the matrix of states.
pub fn states() -> impl Iterator<Item = Cow<'static, str>> {
    let sides = SIDES
        .into_iter()
        .flat_map(|client| SIDES.map(|provider| [client, provider]));
    let detaching = sides.map(|sides| state("detaching", sides));
    let plain = [NO_BINDING].into_iter().chain(STAGES);
    plain.map(Cow::from).chain(detaching)
}

/// The operation that a call is.
#[must_use]
pub const fn operation(call: Call) -> &'static str {
    match call {
        Call::Register { .. } => "register",
        Call::Deregister(_) => "deregister",
        Call::Wait(_) => "wait",
        Call::AttachProvider(_) => "attach",
        Call::DetachComplete {
            side: Side::Client, ..
        } => "client completes",
        Call::DetachComplete {
            side: Side::Provider,
            ..
        } => "provider completes",
        Call::Release(_) => "release",
    }
}

/// All columns of the matrices of states and rules, but [`END`].
pub const EVENTS: [&str; 47] = [
    "register",
    "deregister",
    "wait",
    "attach",
    "client completes",
    "provider completes",
    "release",
    "answer: registered",
    "answer: pending",
    "answer: wrong status",
    "answer: done",
    "answer: attached",
    "answer: refused",
    "answer: no interface",
    "answer: insufficient resources",
    "answer: invalid parameter",
    "answer: invalid state",
    "answer: would deadlock",
    "answer: panicked",
    "client: attach",
    "client: detach",
    "client: cleanup",
    "provider: attach",
    "provider: detach",
    "provider: cleanup",
    "reply: success",
    "reply: failure",
    "reply: complete",
    "reply: pending",
    "reply: panicked",
    "client dispatches",
    "provider dispatches",
    "client has dispatched",
    "provider has dispatched",
    "used after free",
    "not ready",
    "misused",
    "refused call",
    "module dropped",
    "client context dropped",
    "provider context dropped",
    "destroyed",
    "event awaited",
    "event set",
    "lock taken",
    "lock given back",
    "module unloaded",
];

/// The column of an event; `None` of what is only shown.
#[must_use]
pub const fn event(what: What) -> Option<&'static str> {
    Some(match what {
        What::Call(call) => operation(call),
        What::Return(answer) => match answer {
            Answer::Registered => "answer: registered",
            Answer::Pending => "answer: pending",
            Answer::WrongStatus => "answer: wrong status",
            Answer::Done => "answer: done",
            Answer::Attached => "answer: attached",
            Answer::Refused => "answer: refused",
            Answer::NoInterface => "answer: no interface",
            Answer::InsufficientResources => "answer: insufficient resources",
            Answer::InvalidParameter => "answer: invalid parameter",
            Answer::InvalidState => "answer: invalid state",
            Answer::WouldDeadlock => "answer: would deadlock",
            Answer::Panicked => "answer: panicked",
        },
        What::Begin(callback) => match (callback.side, callback.kind) {
            (Side::Client, CallbackKind::Attach) => "client: attach",
            (Side::Client, CallbackKind::Detach) => "client: detach",
            (Side::Client, CallbackKind::Cleanup) => "client: cleanup",
            (Side::Provider, CallbackKind::Attach) => "provider: attach",
            (Side::Provider, CallbackKind::Detach) => "provider: detach",
            (Side::Provider, CallbackKind::Cleanup) => "provider: cleanup",
        },
        What::End(reply) => match reply {
            Reply::Success => "reply: success",
            Reply::Failure => "reply: failure",
            Reply::Complete => "reply: complete",
            Reply::Pending => "reply: pending",
            Reply::Panicked => "reply: panicked",
        },
        What::DispatchBegin { by, .. } => match by {
            Side::Client => "client dispatches",
            Side::Provider => "provider dispatches",
        },
        What::DispatchEnd { by, .. } => match by {
            Side::Client => "client has dispatched",
            Side::Provider => "provider has dispatched",
        },
        What::UsedAfterFree(_) => "used after free",
        What::NotReady { .. } => "not ready",
        What::Misused { .. } => "misused",
        What::Refused { .. } => "refused call",
        What::Dropped(Thing::Module(_)) => "module dropped",
        What::Dropped(Thing::Context { side, .. }) => match side {
            Side::Client => "client context dropped",
            Side::Provider => "provider context dropped",
        },
        What::Destroyed => "destroyed",
        What::Did(deed) => match deed {
            Deed::Await(_) => "event awaited",
            Deed::Set(_) => "event set",
            Deed::Lock(_) | Deed::SpinLock(_) => "lock taken",
            Deed::Unlock(_) | Deed::SpinUnlock(_) => "lock given back",
            Deed::Unload(_) => "module unloaded",
        },
        What::Changed(_) => return None,
    })
}

/// What a scenario reaches on so many walks. The same in every build and on every machine.
#[must_use]
pub fn reached(
    scenario: &Arc<Scenario>,
    conditions: Conditions,
    seed: u64,
    walks: u64,
) -> BTreeSet<Cell> {
    direct::walk(scenario, conditions, seed, walks)
}
