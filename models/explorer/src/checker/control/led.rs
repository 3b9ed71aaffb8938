//! Executions that are led by something else than the search: by what was chosen in another one, by a schedule,
//! or by one of shuttle's schedulers.

use std::fmt;

use nmr_sync::hook::Operation;
use shuttle::scheduler::{Scheduler, Task, TaskId};
use smallvec::SmallVec;

use super::probe::Probe;
use super::{Choices, Execution, Phase, State, Stopped};
use crate::checker::follow::{Fit, Follower, Misfit};
use crate::checker::program::{Choice, Next, Stop, Thread};
use crate::checker::schedule::{Outcome, Schedule, Step};

/// Choices after the end of a schedule in which a thread runs on for as long as it can; then each has its turn.
const RUN_ON: usize = 1_000;

/// What decides where several threads can go on.
pub(crate) enum Lead {
    /// The search.
    Search,
    /// What was chosen in another execution of the same program by the same search.
    Script(Script),
    /// The same up to where a thread waits for a change, and then that thread alone.
    Probe(Probe),
    /// A schedule, with threads and operations by names.
    Schedule(Follower),
    /// Another scheduler, which is given the threads that can go on.
    Sample(Box<dyn Scheduler + Send>),
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Search => "Search",
            Self::Script(_) => "Script",
            Self::Probe(_) => "Probe",
            Self::Schedule(_) => "Schedule",
            Self::Sample(_) => "Sample",
        })
    }
}

/// The choices of an execution, by numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) choices: Vec<Choice>,
    /// From this choice on it was redundant, and each thread had its turn.
    pub(crate) redundant_from: Option<usize>,
}

/// What a schedule comes to where several threads can go on.
enum Followed {
    Choice(Choice),
    /// A thread that rests goes on.
    GoesOn(Thread),
    /// The next step does not fit.
    Misfit(String),
    /// It is over.
    Over,
}

impl Execution {
    /// What was chosen, to be chosen again.
    pub(crate) fn script(&self) -> Script {
        Script {
            choices: self.schedule.clone(),
            redundant_from: self.redundant_from,
        }
    }
}

impl State {
    /// Whether names are kept.
    pub(super) fn labels_mut(&mut self) -> Option<&mut crate::checker::labels::Labels> {
        self.execution.labels.as_mut()
    }

    /// What was chosen by names, and where threads stopped last.
    pub(crate) fn take_schedule(&mut self) -> Schedule {
        let Some(labels) = &self.execution.labels else {
            return Schedule::default();
        };
        let threads = self.execution.program.threads.iter().enumerate();
        let rest = threads.filter_map(|(thread, state)| match state.stop?.next {
            Next::Operation(Operation::Join(_)) => None,
            Next::Asleep { .. } | Next::Spins => None,
            next => Some(labels.step(thread, next)),
        });
        let rest = rest.collect();
        let steps = std::mem::take(&mut self.execution.steps);
        Schedule { steps, rest }
    }

    /// Where the schedule that was followed did not fit. The execution is over.
    pub(crate) fn take_misfits(&mut self) -> Vec<Misfit> {
        let Lead::Schedule(follower) = &mut self.lead else {
            return Vec::new();
        };
        // Where nothing has to be chosen nobody asks for the next step.
        let is_stopped = follower.fit() == Fit::Exact && !follower.misfits.is_empty();
        if follower.head().is_some() && !is_stopped {
            follower.miss("the execution was over before".to_owned());
        }
        std::mem::take(&mut follower.misfits)
    }

    /// Whatever was made in the executions may be used like anything else.
    pub(crate) fn alarm_end(&self) {
        self.alarm.end();
    }

    /// Whether a thread runs on, as its schedule says, where it comes to an operation.
    pub(super) fn runs_on(&self, thread: Thread, next: Next) -> Option<bool> {
        let Lead::Schedule(follower) = &self.lead else {
            return None;
        };
        let labels = self.execution.labels.as_ref()?;
        let now = labels.step(thread, next);
        Some(!follower.stops(labels, thread, &now))
    }

    /// The thread that goes next where something else than the search decides.
    pub(super) fn led(&mut self, options: &[Choice], tasks: &[&Task]) -> Option<Led> {
        match &mut self.lead {
            Lead::Search => unreachable!("then the search is asked"),
            Lead::Script(script) | Lead::Probe(Probe { script, .. }) => {
                let at = self.execution.schedule.len();
                if script.redundant_from == Some(at) {
                    self.execution.become_redundant();
                    return Some(Led::Choice(options[0]));
                }
                let next = script.choices.get(at).copied();
                match next.filter(|next| options.contains(next)) {
                    Some(next) => Some(Led::Choice(next)),
                    None => self.diverged("the threads can do other things than before"),
                }
            }
            Lead::Schedule(_) => self.follow(options),
            Lead::Sample(_) => self.sample(options, tasks).map(Led::Choice),
        }
    }

    /// Goes along a schedule.
    fn follow(&mut self, options: &[Choice]) -> Option<Led> {
        loop {
            match self.followed(options) {
                Followed::Choice(choice) => {
                    self.follower().advance();
                    return Some(Led::Choice(choice));
                }
                Followed::GoesOn(thread) => return Some(Led::GoesOn(thread)),
                Followed::Over => return Some(Led::Choice(self.run_on(options))),
                Followed::Misfit(instead) => {
                    let follower = self.follower();
                    follower.miss(instead);
                    if follower.fit() == Fit::Exact {
                        return self.stop(Stopped::Misfit);
                    }
                }
            }
        }
    }

    fn follower(&mut self) -> &mut Follower {
        match &mut self.lead {
            Lead::Schedule(follower) => follower,
            _ => unreachable!("it follows a schedule"),
        }
    }

    fn followed(&self, options: &[Choice]) -> Followed {
        let (Lead::Schedule(follower), Some(labels)) = (&self.lead, &self.execution.labels) else {
            unreachable!("it follows a schedule");
        };
        let Some(head) = follower.head() else {
            return Followed::Over;
        };
        let program = &self.execution.program;
        let Some(thread) = labels.thread_named(&head.thread) else {
            return Followed::Misfit(format!(
                "the schedule's thread {} is not there: the program has none of that name, or has not started it yet",
                head.thread
            ));
        };
        let Some(Stop { next, .. }) = program.stop_of(thread) else {
            let ended = program.threads.get(thread).is_some_and(|state| state.ended);
            let has = if ended { "has ended" } else { "has not begun" };
            return Followed::Misfit(format!("the thread {has}"));
        };
        let now = labels.step(thread, next);
        if !follower.fits(labels, thread, head, &now) {
            return match program.threads[thread].rests {
                true => Followed::GoesOn(thread),
                false => Followed::Misfit(format!("it is at `{now}`")),
            };
        }
        match self.chosen(thread, next, head) {
            Some(choice) if options.contains(&choice) => Followed::Choice(choice),
            _ if program.ways(next) == 0 => Followed::Misfit(format!("`{now}` has to wait")),
            _ => Followed::Misfit(format!("`{now}` cannot come to that")),
        }
    }

    /// The choice that a step stands for.
    fn chosen(&self, thread: Thread, next: Next, head: &Step) -> Option<Choice> {
        let variant = match (next, &head.outcome) {
            (Next::Operation(Operation::NotifyOne(condvar)), Some(Outcome::Woken(name))) => {
                let woken = self.execution.labels.as_ref()?.thread_named(name)?;
                let mut sleepers = self.execution.program.sleepers(condvar);
                sleepers.position(|sleeper| sleeper == woken)? as u32
            }
            (_, Some(Outcome::Chosen(value))) => *value,
            _ => 0,
        };
        Some(Choice::new(thread, variant))
    }

    /// After the end of a schedule.
    fn run_on(&mut self, options: &[Choice]) -> Choice {
        self.execution.run_on += 1;
        match self.execution.run_on > RUN_ON {
            true => self.next_in_turn(options),
            false => options[0],
        }
    }

    /// What another scheduler chooses.
    fn sample(&mut self, options: &[Choice], tasks: &[&Task]) -> Option<Choice> {
        let Lead::Sample(scheduler) = &mut self.lead else {
            unreachable!("another scheduler decides");
        };
        let can_go_on = |task: &&&Task| {
            let thread = usize::from(task.id());
            options.iter().any(|choice| choice.thread() == thread)
        };
        let tasks: SmallVec<[&Task; 8]> = tasks.iter().filter(can_go_on).copied().collect();
        let current = self.execution.running.map(TaskId::from);
        let Some(next) = scheduler.next_task(&tasks, current, false) else {
            let why = "the scheduler makes no more executions".to_owned();
            return self.stop(Stopped::Cut(why));
        };
        let next = usize::from(next);
        let own: Choices = options
            .iter()
            .filter(|choice| choice.thread() == next)
            .copied()
            .collect();
        let index = match own.len() {
            1 => 0,
            several => (scheduler.next_u64() % several as u64) as usize,
        };
        Some(own[index])
    }

    /// A choice by names, where names are kept. Before it is carried out.
    pub(super) fn note_step(&mut self, choice: Choice, next: Next) {
        let Some(labels) = &self.execution.labels else {
            return;
        };
        let thread = choice.thread();
        let program = &self.execution.program;
        let outcome = match next {
            _ if program.ways(next) < 2 => None,
            Next::Operation(Operation::NotifyOne(condvar)) => {
                let woken = program.sleepers(condvar).nth(choice.variant as usize);
                woken.map(|woken| Outcome::Woken(labels.name(woken)))
            }
            _ => Some(Outcome::Chosen(choice.variant)),
        };
        let mut step = labels.step(thread, next);
        step.outcome = outcome;
        self.execution.steps.push(step);
    }
}

/// What is to be done next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Led {
    /// This is chosen.
    Choice(Choice),
    /// A thread that rests goes on.
    GoesOn(Thread),
}

impl Execution {
    /// Nothing is left to choose from here on.
    pub(super) fn become_redundant(&mut self) {
        self.phase = Phase::Redundant;
        self.redundant_from = Some(self.schedule.len());
    }
}
