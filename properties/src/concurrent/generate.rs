//! Random drafts of scenarios.
//!
//! A draft names modules by index, and strings phrases together that belong together (register,
//! deregister, wait), so that most of what is drawn makes sense.

use nmr_models::scenario::{Attach, Cleanup, Detach, Limits, Scenario};
use proptest::arbitrary::any;
use proptest::bool;
use proptest::collection::vec;
use proptest::option;
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use proptest::strategy::{Just, Strategy};

use super::assemble::assemble;

/// A scenario before its modules have names.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The client modules.
    pub clients: Vec<ModuleDraft>,
    /// The provider modules.
    pub providers: Vec<ModuleDraft>,
    /// The threads.
    pub threads: Vec<Vec<Phrase>>,
    /// What one thread tells another one by an event.
    pub hand_overs: Vec<HandOver>,
    /// What is done under locks.
    pub sections: Vec<Section>,
    /// The registrar's limits and faults.
    pub limits: Limits,
    /// Whether the main thread deregisters everything in the end.
    pub shut_down: bool,
    /// The main thread registers everything before the others start, and this provider calls its clients, under a rundown, in that
    /// thread: they are surely attached.
    pub calling: Option<(Index, Index)>,
}

/// A module before it has a name.
#[derive(Clone, Debug)]
pub struct ModuleDraft {
    /// Whether it is on the second interface.
    pub elsewhere: bool,
    /// The only one that it attaches to, if it chooses.
    pub peer: Option<Index>,
    /// Its attach callback; a provider takes what it does not know for [`Attach::Accept`].
    pub attach: Attach,
    /// Its detach callback.
    pub detach: Detach,
    /// Its cleanup callback.
    pub cleanup: Cleanup,
    /// Whether its binding contexts are null.
    pub null_context: bool,
    /// Whether the main thread registers it before the others start, though one of them does too.
    pub twice: bool,
    /// Operations in its attach, detach and cleanup callbacks, and of a client after it has attached.
    pub calls: [Vec<(Verb, Index)>; 4],
}

/// An event: a thread sets it, and another one, or a callback, awaits it.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// The thread that sets it.
    pub from: Index,
    /// Before which of its operations, up to the first wait.
    pub set: Index,
    /// The thread that awaits it.
    pub to: Index,
    /// Before which of its operations.
    pub awaited: Index,
    /// The module and the callback that await it, instead.
    pub inside: Option<(Index, Index)>,
}

/// A piece of a list of operations, under a lock.
#[derive(Clone, Debug)]
pub struct Section {
    /// Whether it is the lock that is taken first, where two are taken.
    pub outer: bool,
    /// The thread.
    pub thread: Index,
    /// From which of its operations on.
    pub from: Index,
    /// How many of them.
    pub length: usize,
    /// The module and the callback that do so, instead, and only yield meanwhile.
    pub inside: Option<(Index, Index)>,
}

/// What a thread does with one module.
#[derive(Clone, Debug)]
pub struct Phrase {
    /// What.
    pub step: Step,
    /// With which.
    pub module: Index,
}

/// See [`Phrase`].
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Registers, perhaps does something else, deregisters and waits.
    Live(Option<Verb>),
    /// Deregisters and waits.
    Close,
    /// One operation.
    Do(Verb),
}

/// An operation without its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the operation of its name")]
pub enum Verb {
    Register,
    Deregister,
    Wait,
    TryComplete,
    CompleteAgain,
    Attach,
    Dispatch,
    DeregisterWrong,
    DeregisterForeign,
    DeregisterForged,
    WaitForged,
    CompleteForged,
    Yield,
}

/// Random scenarios, each of which is valid and fair.
pub fn scenarios() -> impl Strategy<Value = Scenario> {
    drafts().prop_map(|draft| assemble(&draft))
}

/// Random drafts.
pub fn drafts() -> impl Strategy<Value = Draft> {
    let modules = || prop_oneof![3 => vec(module(), 1..=2), 1 => vec(module(), 1..=4)];
    let thread = prop_oneof![2 => vec(phrase(), 1..=2), 1 => vec(phrase(), 1..=4)];
    let threads = prop_oneof![
        3 => vec(thread.clone(), 2..=2),
        3 => vec(thread.clone(), 3..=3),
        1 => vec(thread, 4..=4),
    ];
    let beside = (
        prop_oneof![4 => Just(Vec::new()), 1 => vec(hand_over(), 1..=2)],
        prop_oneof![5 => Just(Vec::new()), 1 => vec(section(), 1..=3)],
    );
    let all = (
        modules(),
        modules(),
        threads,
        beside,
        limits(),
        bool::weighted(0.8),
        option::weighted(0.1, (any::<Index>(), any::<Index>())),
    );
    all.prop_map(
        |(clients, providers, threads, beside, limits, shut_down, calling)| {
            let (hand_overs, sections) = beside;
            Draft {
                clients,
                providers,
                threads,
                hand_overs,
                sections,
                limits,
                shut_down,
                calling,
            }
        },
    )
}

fn inside() -> impl Strategy<Value = Option<(Index, Index)>> {
    option::weighted(0.3, (any::<Index>(), any::<Index>()))
}

fn hand_over() -> impl Strategy<Value = HandOver> {
    let threads = (any::<Index>(), any::<Index>());
    let places = (any::<Index>(), any::<Index>());
    (threads, places, inside()).prop_map(|((from, to), (set, awaited), inside)| HandOver {
        from,
        set,
        to,
        awaited,
        inside,
    })
}

fn section() -> impl Strategy<Value = Section> {
    let place = (any::<Index>(), any::<Index>(), 1..=3_usize);
    (bool::ANY, place, inside()).prop_map(|(outer, (thread, from, length), inside)| Section {
        outer,
        thread,
        from,
        length,
        inside,
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let registrations = option::weighted(0.05, 1..=4_usize);
    let bindings = option::weighted(0.05, 0..=3_usize);
    let fault = option::weighted(0.1, 1..=12_usize);
    let generation = option::weighted(0.1, 1..=2_u32);
    (registrations, bindings, fault, generation).prop_map(
        |(max_registrations, max_bindings, fail_reservation, last_generation)| Limits {
            max_registrations,
            max_bindings,
            fail_reservation,
            last_generation,
        },
    )
}

fn module() -> impl Strategy<Value = ModuleDraft> {
    let flags = (
        bool::weighted(0.2),
        bool::weighted(0.2),
        bool::weighted(0.1),
    );
    let calls = [calls(), calls(), calls(), calls()];
    let peer = option::weighted(0.1, any::<Index>());
    (flags, peer, attach(), detach(), bool::weighted(0.05), calls).prop_map(
        |((elsewhere, null_context, twice), peer, attach, detach, panics, calls)| ModuleDraft {
            elsewhere,
            peer,
            attach,
            detach,
            cleanup: if panics {
                Cleanup::Panic
            } else {
                Cleanup::Return
            },
            null_context,
            twice,
            calls,
        },
    )
}

fn attach() -> impl Strategy<Value = Attach> {
    prop_oneof![
        14 => Just(Attach::Accept),
        1 => Just(Attach::Decline),
        1 => Just(Attach::OneAtATime),
        1 => Just(Attach::Hollow),
        2 => Just(Attach::ChangeOfMind),
        1 => Just(Attach::Twice),
        1 => Just(Attach::Panic),
        1 => Just(Attach::PanicAfterAttach),
    ]
}

fn detach() -> impl Strategy<Value = Detach> {
    prop_oneof![
        8 => Just(Detach::Complete),
        8 => Just(Detach::Pending),
        3 => Just(Detach::CompleteEarly),
        3 => Just(Detach::Rundown),
        1 => Just(Detach::Panic),
    ]
}

fn calls() -> impl Strategy<Value = Vec<(Verb, Index)>> + Clone {
    let verb = prop_oneof![
        3 => Just(Verb::Deregister),
        2 => Just(Verb::Wait),
        2 => Just(Verb::Register),
        1 => small_verb(),
    ];
    let call = (verb, any::<Index>());
    prop_oneof![8 => Just(Vec::new()), 1 => vec(call, 1..=2)]
}

fn phrase() -> impl Strategy<Value = Phrase> + Clone {
    let step = prop_oneof![
        4 => option::weighted(0.3, small_verb()).prop_map(Step::Live),
        4 => Just(Step::Close),
        1 => Just(Step::Do(Verb::Register)),
        2 => Just(Step::Do(Verb::Deregister)),
        1 => Just(Step::Do(Verb::Wait)),
        1 => small_verb().prop_map(Step::Do),
    ];
    (step, any::<Index>()).prop_map(|(step, module)| Phrase { step, module })
}

/// Operations beside the life cycle.
fn small_verb() -> impl Strategy<Value = Verb> + Clone {
    select(vec![
        Verb::TryComplete,
        Verb::TryComplete,
        Verb::CompleteAgain,
        Verb::CompleteAgain,
        Verb::Attach,
        Verb::Dispatch,
        Verb::Dispatch,
        Verb::Dispatch,
        Verb::DeregisterWrong,
        Verb::DeregisterForeign,
        Verb::DeregisterForged,
        Verb::WaitForged,
        Verb::CompleteForged,
        Verb::Yield,
    ])
}
