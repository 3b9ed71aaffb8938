//! Executions that one of shuttle's schedulers chooses, one after the other, until one breaks something. It samples,
//! and proves nothing.
//!
//! The scheduler is given the threads that can go on, at each operation that others might notice; a choice of
//! the program's own, and who is woken, it draws. What is found has a schedule like any other.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use shuttle::scheduler::Scheduler;

use crate::checker::conflicts::Conflicts;
use crate::checker::control::{Control, Lead};
use crate::checker::execution::{self, Body, Driver, Left, Outcome};
use crate::checker::options::Options;
use crate::checker::replay::Raw;
use crate::checker::visited::Visited;

/// How the sampling ended.
#[derive(Debug)]
pub(crate) enum End {
    Violated(Box<Raw>),
    /// The scheduler makes no more, or enough were made.
    Over,
    Failed(String),
    /// An execution was too long.
    Cut(String),
}

/// What was made.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) executions: u64,
    pub(crate) longest: usize,
    pub(crate) preemptions: u64,
}

struct Sampler {
    options: Arc<Options>,
    started: Instant,
    begun: bool,
    made: Made,
    /// What was known of conflicts when the execution at hand began.
    conflicts: Conflicts,
    end: Option<End>,
}

/// Makes executions. `options` are to be [led](Options::led).
pub(crate) fn run(
    options: &Arc<Options>,
    program: &Body,
    scheduler: Box<dyn Scheduler + Send>,
    started: Instant,
) -> (Made, End) {
    std::thread::scope(|scope| {
        let ended = scope.spawn(|| {
            let control = Control::new(options.clone(), Arc::new(Visited::new()), Arc::default());
            control.with(|state| state.lead = Lead::Sample(scheduler));
            let sampler = Rc::new(RefCell::new(Sampler {
                options: options.clone(),
                started,
                begun: false,
                made: Made::default(),
                conflicts: Conflicts::default(),
                end: None,
            }));
            let left = execution::run(&control, program, &sampler);
            control.with(|state| state.alarm_end());
            let mut sampler = sampler.borrow_mut();
            let end = sampler.end.take().unwrap_or(match left {
                Left::AtTheEnd => End::Over,
                Left::InAPanic => End::Failed("a destructor waits for ever".to_owned()),
            });
            (sampler.made, end)
        });
        ended.join().unwrap_or_else(|payload| {
            let why = nmr_sync::hook::text(&*payload).to_owned();
            (Made::default(), End::Failed(why))
        })
    })
}

impl Sampler {
    /// Whether the sampling goes on.
    fn conclude(&mut self, control: &Control, panic: Option<String>) -> bool {
        let (ended, outcome) = execution::judge(control, &self.options, panic);
        if let Some(after) = &self.options.after {
            after();
        }
        self.made.longest = self.made.longest.max(ended.choices);
        self.made.preemptions = self.made.preemptions.max(ended.preemptions.into());
        self.end = match outcome {
            Outcome::Good => return true,
            Outcome::Found(found) => Some(End::Violated(Box::new(Raw {
                found,
                preemptions: ended.preemptions,
                script: control.with(|state| state.script()),
                conflicts: self.conflicts.clone(),
            }))),
            Outcome::Cut(why) => Some(End::Cut(why)),
            Outcome::Failed(error) => Some(End::Failed(error)),
            Outcome::Misfit => unreachable!("it follows no schedule"),
        };
        false
    }

    fn is_enough(&self) -> bool {
        let options = &self.options;
        let is_made = |most| self.made.executions >= most;
        let is_late = |most| self.made.executions > 0 && self.started.elapsed() >= most;
        let is_stopped = options
            .stop
            .as_ref()
            .is_some_and(|stop| stop.load(Ordering::Relaxed));
        options.max_executions.is_some_and(is_made)
            || options.budget.is_some_and(is_late)
            || is_stopped
    }
}

impl Driver for Sampler {
    fn next(&mut self, control: &Control) -> bool {
        if std::mem::take(&mut self.begun) && !self.conclude(control, None) || self.is_enough() {
            return false;
        }
        let begins = control.with(|state| {
            if state.conflicts.take_changed() {
                self.conflicts.clone_from(&state.conflicts);
            }
            match &mut state.lead {
                Lead::Sample(scheduler) => scheduler.new_execution().is_some(),
                _ => false,
            }
        });
        self.begun = begins;
        self.made.executions += u64::from(begins);
        begins
    }

    fn panicked(&mut self, control: &Control, message: &str) -> bool {
        if !std::mem::take(&mut self.begun) || control.with(|state| state.is_picking) {
            self.end = Some(End::Failed(format!(
                "the scheduler, or what it was given, panicked: {message}"
            )));
            return false;
        }
        self.conclude(control, Some(message.to_owned()))
    }
}
