//! Random drafts of scenarios.
//!
//! A draft names modules by index, and strings phrases together that belong together (register,
//! deregister, wait), so that most of what is drawn makes sense.

use nmr_models::scenario::{Attach, Cleanup, Detach, Limits, Scenario};
use proptest::arbitrary::any;
use proptest::bool;
use proptest::collection::vec;
use proptest::option;
use proptest::sample::Index;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::assemble::assemble;
use super::weights::Weights;

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
pub fn scenarios(weights: &Weights) -> impl Strategy<Value = Scenario> + use<> {
    drafts(weights).prop_map(|draft| assemble(&draft))
}

/// One of these, each as often as its number says. Those of 0 are left out; there has to be another one.
fn one_of<T: std::fmt::Debug + 'static>(
    options: impl IntoIterator<Item = (u32, BoxedStrategy<T>)>,
) -> BoxedStrategy<T> {
    let some = options.into_iter().filter(|(weight, _)| *weight > 0);
    Union::new_weighted(some.collect()).boxed()
}

fn just<T: Clone + std::fmt::Debug + 'static>(
    options: impl IntoIterator<Item = (u32, T)>,
) -> BoxedStrategy<T> {
    let options = options.into_iter();
    one_of(options.map(|(weight, one)| (weight, Just(one).boxed())))
}

/// With this chance there is one.
fn sometimes<T: Clone + std::fmt::Debug + 'static>(
    chance: f64,
    one: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    match chance > 0.0 {
        true => option::weighted(chance, one).boxed(),
        false => Just(None).boxed(),
    }
}

/// Random drafts.
pub fn drafts(weights: &Weights) -> impl Strategy<Value = Draft> + use<> {
    let modules = || {
        one_of([
            (3, vec(module(weights), 1..=2).boxed()),
            (
                weights.of("many-modules"),
                vec(module(weights), 1..=4).boxed(),
            ),
        ])
    };
    let thread = one_of([
        (2, vec(phrase(weights), 1..=2).boxed()),
        (
            weights.of("long-threads"),
            vec(phrase(weights), 1..=4).boxed(),
        ),
    ]);
    let many = weights.of("many-threads");
    let threads = one_of([
        (3, vec(thread.clone(), 2..=2).boxed()),
        (3 * many, vec(thread.clone(), 3..=3).boxed()),
        (many, vec(thread, 4..=4).boxed()),
    ]);
    let beside = (
        one_of([
            (4, Just(Vec::new()).boxed()),
            (weights.of("hand-overs"), vec(hand_over(), 1..=2).boxed()),
        ]),
        one_of([
            (5, Just(Vec::new()).boxed()),
            (weights.of("locks"), vec(section(), 1..=3).boxed()),
        ]),
    );
    let calling = weights.chance("calling-providers", 0.1);
    let all = (
        modules(),
        modules(),
        threads,
        beside,
        limits(weights),
        bool::weighted(0.8),
        sometimes(calling, (any::<Index>(), any::<Index>())),
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

fn limits(weights: &Weights) -> impl Strategy<Value = Limits> + use<> {
    let chance = |usual| weights.chance("limits", usual);
    let registrations = sometimes(chance(0.05), 1..=4_usize);
    let bindings = sometimes(chance(0.05), 0..=3_usize);
    let fault = sometimes(chance(0.1), 1..=12_usize);
    let generation = sometimes(chance(0.1), 1..=2_u32);
    (registrations, bindings, fault, generation).prop_map(
        |(max_registrations, max_bindings, fail_reservation, last_generation)| Limits {
            max_registrations,
            max_bindings,
            fail_reservation,
            last_generation,
        },
    )
}

fn module(weights: &Weights) -> impl Strategy<Value = ModuleDraft> + use<> {
    let flags = (
        bool::weighted(weights.chance("two-interfaces", 0.2)),
        bool::weighted(weights.chance("null-contexts", 0.2)),
        bool::weighted(weights.chance("registered-twice", 0.1)),
    );
    let calls = || calls(weights);
    let calls = [calls(), calls(), calls(), calls()];
    let peer = sometimes(weights.chance("peers", 0.1), any::<Index>());
    let panics = bool::weighted(weights.chance("cleanup-panics", 0.05));
    (flags, peer, attach(weights), detach(weights), panics, calls).prop_map(
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

fn attach(weights: &Weights) -> BoxedStrategy<Attach> {
    just([
        (14, Attach::Accept),
        (weights.of("decline"), Attach::Decline),
        (weights.of("one-at-a-time"), Attach::OneAtATime),
        (weights.of("hollow"), Attach::Hollow),
        (2 * weights.of("change-of-mind"), Attach::ChangeOfMind),
        (weights.of("attach-twice"), Attach::Twice),
        (weights.of("attach-panics"), Attach::Panic),
        (weights.of("attach-panics-late"), Attach::PanicAfterAttach),
    ])
}

fn detach(weights: &Weights) -> BoxedStrategy<Detach> {
    just([
        (8, Detach::Complete),
        (8 * weights.of("pending"), Detach::Pending),
        (3 * weights.of("complete-early"), Detach::CompleteEarly),
        (3 * weights.of("rundown"), Detach::Rundown),
        (weights.of("detach-panics"), Detach::Panic),
    ])
}

fn calls(weights: &Weights) -> BoxedStrategy<Vec<(Verb, Index)>> {
    let verb = one_of([
        (3, Just(Verb::Deregister).boxed()),
        (2, Just(Verb::Wait).boxed()),
        (2, Just(Verb::Register).boxed()),
        (1, small_verb(weights)),
    ]);
    let call = (verb, any::<Index>());
    one_of([
        (8, Just(Vec::new()).boxed()),
        (weights.of("calls-in-callbacks"), vec(call, 1..=2).boxed()),
    ])
}

fn phrase(weights: &Weights) -> BoxedStrategy<Phrase> {
    let [lives, ends, lone] = ["lives", "ends", "lone-operations"].map(|name| weights.of(name));
    let step = one_of([
        (
            // Otherwise, if all three are left out, there is nothing to do.
            if ends + lone > 0 { 4 * lives } else { 4 },
            option::weighted(0.3, small_verb(weights))
                .prop_map(Step::Live)
                .boxed(),
        ),
        (4 * ends, Just(Step::Close).boxed()),
        (lone, Just(Step::Do(Verb::Register)).boxed()),
        (2 * lone, Just(Step::Do(Verb::Deregister)).boxed()),
        (lone, Just(Step::Do(Verb::Wait)).boxed()),
        (lone, small_verb(weights).prop_map(Step::Do).boxed()),
    ]);
    (step, any::<Index>())
        .prop_map(|(step, module)| Phrase { step, module })
        .boxed()
}

/// Operations beside the life cycle.
fn small_verb(weights: &Weights) -> BoxedStrategy<Verb> {
    let wrong = weights.of("wrong-handles");
    let forged = weights.of("forged-handles");
    just([
        (2 * weights.of("try-complete"), Verb::TryComplete),
        (2 * weights.of("complete-again"), Verb::CompleteAgain),
        (weights.of("attach-calls"), Verb::Attach),
        (3 * weights.of("dispatches"), Verb::Dispatch),
        (wrong, Verb::DeregisterWrong),
        (wrong, Verb::DeregisterForeign),
        (forged, Verb::DeregisterForged),
        (forged, Verb::WaitForged),
        (forged, Verb::CompleteForged),
        (1, Verb::Yield),
    ])
}
