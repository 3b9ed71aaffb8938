//! Walks at random through a scenario's states, and the cells of [coverage](crate::coverage) that they reach.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nmr_search::System;

use super::state::State;
use super::{Action, Program};
use crate::conditions::Conditions;
use crate::coverage::{Cell, END, Matrix, NO_BINDING, event, operation};
use crate::event::{Event, Pair, RegId, What};
use crate::milestone::Milestone;
use crate::oracle::Oracle;
use crate::rule::Rule;
use crate::scenario::Scenario;
use crate::seed::{GAMMA, split_mix};

/// A walk that has no end by then is left: programs that are larger are not generated.
const STEPS: usize = 5_000;

/// See [`reached`](crate::coverage::reached).
pub(crate) fn walk(
    scenario: &Arc<Scenario>,
    conditions: Conditions,
    seed: u64,
    walks: u64,
) -> BTreeSet<Cell> {
    let scenario = Arc::new(conditions.of(Scenario::clone(scenario)));
    let program = Program::new(&scenario).waking_spuriously(conditions.spurious_wakeups);
    let mut seen = Seen::default();
    let mut random = seed;
    for _ in 0..walks {
        walk_once(&program, &mut random, &mut seen);
    }
    seen.cells
}

fn walk_once(program: &Program, random: &mut u64, seen: &mut Seen) {
    let mut state = program.begin_with_history();
    let mut enabled: Vec<Action> = Vec::new();
    seen.open.clear();
    for _ in 0..STEPS {
        enabled.clear();
        program.actions(&state, &mut enabled);
        if enabled.is_empty() {
            return seen.end(program, &state);
        }
        *random = random.wrapping_add(GAMMA);
        let action = enabled[(split_mix(*random) % enabled.len() as u64) as usize];
        let oracle = state.oracle.clone();
        let broke = program.apply(&mut state, action).is_err();
        seen.step(&state, action, oracle);
        if broke {
            return;
        }
        let history = state.history.as_mut().expect("it is kept");
        history.events.clear();
        history.passed.clear();
    }
}

#[derive(Default)]
struct Seen {
    cells: BTreeSet<Cell>,
    /// What each thread is inside of: the registrations that it is about.
    open: BTreeMap<Option<u8>, Vec<About>>,
}

/// What an event is about.
#[derive(Clone, Copy)]
enum About {
    Nothing,
    Registration(RegId),
    Binding(Pair),
}

impl Seen {
    fn add(
        &mut self,
        matrix: Matrix,
        row: impl Into<Cow<'static, str>>,
        column: impl Into<Cow<'static, str>>,
    ) {
        let (row, column) = (row.into(), column.into());
        self.cells.insert(Cell {
            matrix,
            row,
            column,
        });
    }

    /// A step has been made. The history has what was observed in it alone.
    fn step(&mut self, state: &State, action: Action, mut oracle: Oracle) {
        let history = state.history.as_ref().expect("it is kept");
        let mut sections = history.passed.iter();
        if sections.any(|passed| matches!(passed.milestone, Milestone::Section(_))) {
            self.overlaps(state, action.thread);
        }
        let bindings = bindings(state);
        for event in &history.events {
            self.happened(event, &bindings);
            let _ = oracle.step(event);
            self.judged(&mut oracle, crate::coverage::event(event.what));
        }
    }

    /// The bindings of what an event is about, each in its state after the critical section before it.
    fn happened(&mut self, it: &Event, bindings: &BTreeMap<Pair, Cow<'static, str>>) {
        let Some(column) = event(it.what) else { return };
        let about = self.about(it);
        let is_about = |pair: &Pair| match about {
            About::Nothing => false,
            About::Registration(reg) => pair.registrations().contains(&reg),
            About::Binding(one) => *pair == one,
        };
        let mut found = bindings
            .iter()
            .filter(|(pair, _)| is_about(pair))
            .peekable();
        if found.peek().is_none() {
            return self.add(Matrix::States, NO_BINDING, column);
        }
        for (_, stage) in found {
            self.add(Matrix::States, stage.clone(), column);
        }
    }

    fn about(&mut self, event: &Event) -> About {
        let within = self.open.entry(event.thread).or_default();
        let about = match event.what {
            What::Return(_) | What::End(_) | What::Destroyed => {
                return within.pop().unwrap_or(About::Nothing);
            }
            what => about(what),
        };
        let is_opened = match event.what {
            What::Call(_) | What::Begin(_) => true,
            What::Dropped(_) => event.thread.is_some(),
            _ => false,
        };
        if is_opened {
            within.push(about);
        }
        about
    }

    /// A thread has had a critical section; others are inside of calls.
    fn overlaps(&mut self, state: &State, thread: u8) {
        let operation_of = |number: usize| {
            let call = state.threads[number].calls.last()?;
            Some(operation(call.what))
        };
        let Some(own) = operation_of(thread.into()) else {
            return;
        };
        for other in (0..state.threads.len()).filter(|&other| other != usize::from(thread)) {
            if let Some(other) = operation_of(other) {
                self.add(Matrix::Overlaps, own, other);
            }
        }
    }

    fn judged(&mut self, oracle: &mut Oracle, column: Option<&'static str>) {
        let exercised = oracle.take_exercised();
        let Some(column) = column else { return };
        for (rule, _) in Rule::every().zip(exercised).filter(|(_, count)| *count > 0) {
            self.add(Matrix::Rules, rule.to_string(), column);
        }
    }

    fn end(&mut self, program: &Program, state: &State) {
        if state.is_over() {
            let mut oracle = state.oracle.clone();
            let _ = oracle.quiet(&program.quiet_of(state));
            self.judged(&mut oracle, Some(END));
        }
    }
}

fn about(what: What) -> About {
    match what {
        What::Call(call) | What::Misused { call, .. } => {
            let mut named = call.registrations();
            match (named.next(), named.next()) {
                (Some(client), Some(provider)) => About::Binding(Pair { client, provider }),
                (Some(reg), None) => About::Registration(reg),
                _ => About::Nothing,
            }
        }
        What::Begin(callback) => About::Binding(callback.pair),
        What::DispatchBegin { pair, .. } | What::DispatchEnd { pair, .. } => About::Binding(pair),
        What::UsedAfterFree(thing) | What::Dropped(thing) => {
            let mut named = thing.registrations();
            match (named.next(), named.next()) {
                (Some(client), Some(provider)) => About::Binding(Pair { client, provider }),
                (Some(reg), None) => About::Registration(reg),
                _ => About::Nothing,
            }
        }
        What::NotReady { reg } => About::Registration(reg),
        _ => About::Nothing,
    }
}

/// The bindings that there are, each in its state.
fn bindings(state: &State) -> BTreeMap<Pair, Cow<'static, str>> {
    let view = state.table.view();
    let registration = |slot: u32| {
        let mut all = view.registrations.iter();
        let found = all.find(|one| one.slot == slot)?;
        Some(found.characteristics?.instance.reg)
    };
    let named = view.bindings.iter().filter_map(|binding| {
        let [client, provider] = binding.registrations.map(registration);
        let (client, provider) = (client?, provider?);
        let stage = crate::coverage::state(binding.stage, binding.sides);
        Some((Pair { client, provider }, stage))
    });
    named.collect()
}
