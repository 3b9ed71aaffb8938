//! One execution, made again: from its choices by the search that found it, or from a [schedule](Schedule) by anybody.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use crate::checker::conflicts::Conflicts;
use crate::checker::control::{Control, Ended, Lead, Script};
use crate::checker::execution::{self, Body, Driver, Found, Outcome};
use crate::checker::follow::{Fit, Follower, Misfit};
use crate::checker::options::Options;
use crate::checker::schedule::Schedule;
use crate::checker::visited::Visited;

/// What came of an execution that was made again.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) outcome: Outcome,
    pub(crate) ended: Option<Ended>,
    /// By names, as it was made now.
    pub(crate) schedule: Schedule,
    pub(crate) misfits: Vec<Misfit>,
}

/// An execution that broke something, as the search knows it.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) found: Found,
    pub(crate) preemptions: u32,
    pub(crate) script: Script,
    /// What was known of conflicts when it was made.
    pub(crate) conflicts: Conflicts,
}

/// Makes the execution again that the search has found, and keeps its names.
pub(crate) fn by_script(options: &Arc<Options>, program: &Body, raw: &Raw) -> Again {
    let lead = Lead::Script(raw.script.clone());
    once(options.clone(), program, lead, raw.conflicts.clone())
}

/// Makes an execution that follows a schedule.
pub(crate) fn by_schedule(
    options: &Options,
    program: &Body,
    schedule: &Schedule,
    fit: Fit,
) -> Again {
    let options = Arc::new(options.led());
    let lead = Lead::Schedule(Follower::new(schedule.clone(), fit));
    once(options, program, lead, Conflicts::default())
}

fn once(options: Arc<Options>, program: &Body, lead: Lead, conflicts: Conflicts) -> Again {
    thread::scope(|scope| {
        // A thread of its own, which a panic that is stuck may keep.
        let made = scope.spawn(|| Once::make(options, program, lead, conflicts));
        made.join().unwrap_or_else(|payload| Again {
            outcome: Outcome::Failed(nmr_sync::hook::text(&*payload).to_owned()),
            ended: None,
            schedule: Schedule::default(),
            misfits: Vec::new(),
        })
    })
}

/// Makes one execution.
struct Once {
    options: Arc<Options>,
    begun: bool,
    made: Option<Again>,
}

impl Once {
    fn make(options: Arc<Options>, program: &Body, lead: Lead, conflicts: Conflicts) -> Again {
        let control = Control::new(options.clone(), Arc::new(Visited::new()), Arc::default());
        control.with(|state| {
            (state.lead, state.keeps_names) = (lead, true);
            state.conflicts = conflicts;
        });
        let once = Rc::new(RefCell::new(Self {
            options,
            begun: false,
            made: None,
        }));
        execution::run(&control, program, &once);
        control.with(|state| state.alarm_end());
        let made = once.borrow_mut().made.take();
        made.expect("an execution was made")
    }

    fn conclude(&mut self, control: &Control, panic: Option<String>) {
        let (ended, outcome) = execution::judge(control, &self.options, panic);
        if let Some(after) = &self.options.after {
            after();
        }
        self.made = Some(control.with(|state| Again {
            outcome,
            ended: Some(ended),
            schedule: state.take_schedule(),
            misfits: state.take_misfits(),
        }));
    }
}

impl Driver for Once {
    fn next(&mut self, control: &Control) -> bool {
        if std::mem::replace(&mut self.begun, true) {
            self.conclude(control, None);
            return false;
        }
        true
    }

    fn panicked(&mut self, control: &Control, message: &str) -> bool {
        self.conclude(control, Some(message.to_owned()));
        false
    }
}
