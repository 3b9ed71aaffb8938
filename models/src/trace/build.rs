//! A [trace](super::Trace), of what was observed in an execution and of what its tables held.

use std::collections::HashMap;

use super::waits::Waits;
use super::{Kind, Left, Module, State, Step, Trace, Violation};
use crate::event::What;
use crate::render::{Line, each_line};
use crate::run::{Finding, Held, Traced};
use crate::scenario::Scenario;

/// Puts it together; `finding` is what broke.
pub(crate) fn build(scenario: &Scenario, traced: &Traced, finding: Option<&Finding>) -> Trace {
    let numbers = 0..=scenario.threads.len() as u8;
    let mut trace = Trace {
        threads: numbers
            .map(|number| scenario.thread_name(number).to_owned())
            .collect(),
        modules: scenario.modules.iter().map(module).collect(),
        ..Trace::default()
    };
    let mut builder = Builder::new(scenario, traced);
    builder.go_through();
    (trace.steps, trace.states) = (builder.steps, builder.states.all);
    trace.violation = finding.map(|finding| Violation {
        rule: finding.rule,
        message: finding.message.clone(),
        step: trace.steps.len().saturating_sub(1),
        by_step: traced.by_event,
    });
    trace
}

fn module(module: &crate::scenario::Module) -> Module {
    Module {
        name: module.name.clone(),
        side: module.side.to_string(),
        interface: module.npi,
    }
}

/// States by their places, each one once.
#[derive(Default)]
struct States {
    all: Vec<State>,
    places: HashMap<State, usize>,
}

impl States {
    fn place(&mut self, state: State) -> usize {
        let next = self.all.len();
        *self.places.entry(state.clone()).or_insert_with(|| {
            self.all.push(state);
            next
        })
    }
}

struct Builder<'a> {
    traced: &'a Traced,
    /// For each event; none of the end of a destructor.
    lines: Vec<Option<Line>>,
    /// What each table held when it was last seen, in the order in which they came.
    tables: Vec<(usize, &'a Held)>,
    waits: Waits<'a>,
    preemptions: u32,
    scheduled: usize,
    steps: Vec<Step>,
    states: States,
}

impl<'a> Builder<'a> {
    fn new(scenario: &'a Scenario, traced: &'a Traced) -> Self {
        let mut states = States::default();
        states.place(State::default());
        Self {
            traced,
            lines: each_line(scenario, &traced.history),
            tables: Vec::new(),
            waits: Waits::new(scenario),
            preemptions: 0,
            scheduled: 0,
            steps: Vec::new(),
            states,
        }
    }

    fn go_through(&mut self) {
        let mut event = 0;
        for moment in &self.traced.moments {
            let interrupts = (moment.preemptions > self.preemptions)
                .then(|| self.steps.last().map(|step| step.thread))
                .flatten();
            (self.preemptions, self.scheduled) = (moment.preemptions, moment.scheduled);
            match &moment.section {
                None => self.event(event, interrupts),
                Some((thread, held)) => {
                    event = self.section(event, *thread, held, interrupts);
                    continue;
                }
            }
            event += 1;
        }
    }

    fn event(&mut self, event: usize, interrupts: Option<u8>) {
        let what = self.traced.history[event].what;
        let Some(Line {
            thread,
            depth,
            words,
        }) = &self.lines[event]
        else {
            return;
        };
        let (thread, depth, text) = (*thread, *depth, words.clone());
        self.waits.event(thread, what);
        self.push(thread, depth, kind(what), text, interrupts);
    }

    /// A section, with the changes that were noted as it ended. Answers the next event.
    fn section(
        &mut self,
        event: usize,
        thread: u8,
        held: &'a Held,
        interrupts: Option<u8>,
    ) -> usize {
        let events = &self.traced.history[event..];
        let changes = events.iter().take_while(|event| is_change(event.what));
        let next = event + changes.count().min(held.changes);
        let words = self.lines[event..next].iter().flatten();
        let words: Vec<&str> = words
            .map(|line| line.words.trim_start_matches("· "))
            .collect();
        let text = match words.is_empty() {
            true => "nothing changes".to_owned(),
            false => words.join("; "),
        };
        match self
            .tables
            .iter_mut()
            .find(|(table, _)| *table == held.table)
        {
            Some((_, known)) => *known = held,
            None => self.tables.push((held.table, held)),
        }
        self.waits.section(thread);
        // Inside the call that makes it.
        let depth = self.waits.depth(thread);
        let state = self.state();
        self.steps.push(Step {
            thread,
            kind: Kind::Section,
            text,
            depth,
            state,
            interrupts,
            scheduled: self.scheduled,
        });
        next
    }

    fn push(&mut self, thread: u8, depth: u8, kind: Kind, text: String, interrupts: Option<u8>) {
        let state = self.state();
        self.steps.push(Step {
            thread,
            kind,
            text,
            depth,
            state,
            interrupts,
            scheduled: self.scheduled,
        });
    }

    fn state(&mut self) -> usize {
        let mut state = State::default();
        for (_, held) in &self.tables {
            state.registrations.extend_from_slice(&held.registrations);
            state.bindings.extend_from_slice(&held.bindings);
            state.interfaces.extend_from_slice(&held.interfaces);
        }
        // The limits are the registrar's. The section that ended last has looked at them last.
        let last = self.tables.iter().max_by_key(|(_, held)| held.nth);
        state.left = last.map_or_else(Left::default, |(_, held)| held.left);
        state.interfaces.sort_unstable_by_key(|one| one.number);
        state.waits = self.waits.now(&state);
        self.states.place(state)
    }
}

const fn is_change(what: What) -> bool {
    matches!(what, What::Changed(_))
}

const fn kind(what: What) -> Kind {
    match what {
        What::Call(_) => Kind::Call,
        What::Return(_) => Kind::Return,
        What::Begin(_) => Kind::Callback,
        What::End(_) => Kind::Reply,
        What::DispatchBegin { .. } => Kind::Dispatch,
        What::DispatchEnd { .. } => Kind::Dispatched,
        // The end of a destructor is no step of its own.
        What::Dropped(_) | What::Destroyed => Kind::Drop,
        What::Did(_) => Kind::Deed,
        What::UsedAfterFree(_)
        | What::NotReady { .. }
        | What::Misused { .. }
        | What::Refused { .. } => Kind::Mistake,
        What::Changed(_) => Kind::Section,
    }
}
