//! An execution, step by step, for whoever shows it to people: what each thread did, and after each critical section what
//! the registrar's tables held.
//!
//! What is said of the registrar was read from its tables ([`nmr::machine::View`]) while they were locked, at the end of
//! each critical section. It is not made of the events. Only [`waits`](State::waits) are made of both: whose wait a
//! table counts follows from the calls that are open.

#[cfg(shuttle)]
mod build;
#[cfg(all(test, shuttle))]
mod tests;
#[cfg(shuttle)]
mod waits;

use serde::{Deserialize, Serialize};

use crate::rule::Rule;

#[cfg(shuttle)]
pub(crate) use build::build;

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trace {
    /// The threads, the main one first. Steps name them by their places.
    pub threads: Vec<String>,
    /// The modules of the scenario.
    pub modules: Vec<Module>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// The different states in which the registrar was. The first one is empty.
    pub states: Vec<State>,
    /// The schedule: each step at which several threads could have gone on, or one in several ways.
    pub schedule: Vec<String>,
    /// What broke in it.
    pub violation: Option<Violation>,
    /// Where the saved schedule does not fit the code as it is now.
    pub misfits: Vec<String>,
}

/// A module of the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TraceModule")
)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// `client` or `provider`.
    pub side: String,
    /// The scenario's number of its interface.
    pub interface: u8,
}

/// What broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TraceViolation")
)]
pub struct Violation {
    /// The rule; `None` for a panic that names none.
    pub rule: Option<Rule>,
    /// Who did what, and what was expected.
    pub message: String,
    /// The step that breaks it; the last one, if what breaks it is that nothing follows.
    pub step: usize,
    /// Whether that step breaks it by itself. Otherwise it is the end that does: a standstill, or what is left over.
    pub by_step: bool,
}

/// Something that a thread did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TraceStep")
)]
pub struct Step {
    /// The thread's place. What is let go of is given to the thread that acted last.
    pub thread: u8,
    /// What it is.
    pub kind: Kind,
    /// In words.
    pub text: String,
    /// How many calls and callbacks its thread is inside of.
    pub depth: u8,
    /// The place of the state that the registrar is in afterwards.
    pub state: usize,
    /// A thread that could have gone on, and was interrupted before this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupts: Option<u8>,
    /// Steps of the schedule up to here.
    pub scheduled: usize,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A call of the registrar begins.
    Call,
    /// The innermost call returns.
    Return,
    /// The registrar calls a module back.
    Callback,
    /// The innermost callback returns.
    Reply,
    /// A module calls its peer's dispatch table.
    Dispatch,
    /// That call returns.
    Dispatched,
    /// A critical section of the registrar is over.
    Section,
    /// The registrar has let go of something.
    Drop,
    /// Something beside the registrar: an event, a lock.
    Deed,
    /// A module's mistake.
    Mistake,
}

/// What the registrar holds, and who waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TraceState")
)]
pub struct State {
    /// Registrations.
    pub registrations: Vec<Registration>,
    /// Bindings.
    pub bindings: Vec<Binding>,
    /// Interfaces that have open registrations.
    pub interfaces: Vec<Interface>,
    /// What is left of the limits, if there are some.
    pub left: Left,
    /// Threads that wait.
    pub waits: Vec<Wait>,
}

/// A registration, as a table has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TraceRegistration")
)]
pub struct Registration {
    /// The module's name, with how many times it had registered before.
    pub name: String,
    /// `client` or `provider`.
    pub side: String,
    /// `registering`, `open`, `closing` or `closed`.
    pub stage: String,
    /// Its bindings, oldest first.
    pub bindings: Vec<String>,
    /// The binding that its register call looks at next.
    pub offers: Option<String>,
    /// The binding that its deregister call looks at next.
    pub teardown: Option<String>,
    /// Threads inside a wait for it.
    pub waiters: u32,
    /// Whether nobody will wait for it.
    pub abandoned: bool,
    /// Whether the table still has its module.
    pub has_module: bool,
}

/// A binding, as a table has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TraceBinding")
)]
pub struct Binding {
    /// Its name: client–provider.
    pub name: String,
    /// The client's registration.
    pub client: String,
    /// The provider's.
    pub provider: String,
    /// See [`nmr::machine::BindingView::stage`].
    pub stage: String,
    /// While it is detached, how far client and provider are; see [`nmr::machine::BindingView::sides`].
    pub sides: [String; 2],
    /// The thread that is inside one of its callbacks.
    pub running: Option<u8>,
    /// Whether the table has a context of the client and of the provider.
    pub contexts: [bool; 2],
}

/// An interface's open registrations, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interface {
    /// The scenario's number.
    pub number: u8,
    /// Its clients.
    pub clients: Vec<String>,
    /// Its providers.
    pub providers: Vec<String>,
}

/// For how many there is room yet; `None` where there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Left {
    /// Registrations.
    pub registrations: Option<usize>,
    /// Bindings.
    pub bindings: Option<usize>,
}

/// A thread that cannot go on by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Wait {
    /// The thread.
    pub thread: u8,
    /// For what, in words.
    pub what: String,
    /// The thread from whom it has to come, where one is known.
    pub from: Option<u8>,
}

/// An execution near another one, in which nothing breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Passing {
    /// Executions that were tried for it, in a fixed order, the smallest changes of the schedule first.
    pub tried: u64,
    /// What happens in it; `None` if none of those tried passes.
    pub trace: Option<Trace>,
}
