//! The comparison: a sequence through the specification and through the registrar, in step.
//!
//! The registrar runs on a thread of its own, so that a call that never returns is a difference
//! like any other and not the end of the test.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use nmr_models::scenario::{FormatError, Limits};

use super::event::Event;
use super::ops::{Case, KIND, Op};
use super::reference::Model;
use super::world::World;
use crate::case;

/// How long one operation may take before it counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Changes what the specification expects: a planted difference, to test the comparison.
pub type Doctor = fn(&mut Vec<Event>);

/// Leaves the specification as it is.
pub fn faithful(_: &mut Vec<Event>) {}

/// What happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The operations that were carried out, those of the shutdown included.
    pub steps: Vec<Step>,
    /// The first difference between the registrar and the specification, at which the run ended.
    pub difference: Option<Difference>,
}

/// One operation and all that was seen of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What the registrar did.
    pub events: Vec<Event>,
}

/// The registrar is not as specified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The operation, counted from 1.
    pub step: usize,
    /// The operation as text.
    pub op: String,
    /// What the specification says happens next.
    pub expected: String,
    /// What happened.
    pub got: String,
}

/// A run in progress.
pub struct Session {
    to_worker: Sender<Job>,
    patience: Duration,
    report: Report,
}

/// What the thread that makes the calls has to do next.
type Job = Box<dyn FnOnce(&Arc<World>) + Send>;

impl Session {
    /// A registrar with nothing in it, whose calls may take `patience` each.
    #[must_use]
    pub fn new(limits: Limits, patience: Duration) -> Self {
        let (to_worker, jobs) = channel::<Job>();
        // A session that is over drops its sender, which ends the thread.
        thread::spawn(move || {
            let world = World::new(limits);
            for job in jobs {
                job(&world);
            }
        });
        Self {
            to_worker,
            patience,
            report: Report {
                steps: Vec::new(),
                difference: None,
            },
        }
    }

    /// The first difference so far.
    #[must_use]
    pub const fn difference(&self) -> Option<&Difference> {
        self.report.difference.as_ref()
    }

    /// Asks the thread that makes the calls, or says why there is no answer.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&Arc<World>) -> R + Send + 'static,
    ) -> Result<R, String> {
        let (reply, answer) = channel();
        let job: Job = Box::new(move |world| {
            // A session that was given up hears no answer.
            let _ = reply.send(question(world));
        });
        let sent = self.to_worker.send(job);
        let heard = sent.map_err(|_| RecvTimeoutError::Disconnected);
        heard
            .and_then(|()| answer.recv_timeout(self.patience))
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => {
                    format!("the call had not returned after {:?}", self.patience)
                }
                RecvTimeoutError::Disconnected => {
                    "the thread that makes the calls has died".to_owned()
                }
            })
    }

    /// Carries out one operation, of which `expected` should be seen. After a difference it does
    /// nothing.
    pub fn step(&mut self, op: &Op, expected: &[Event]) {
        let (op, events) = (op.clone(), expected.to_vec());
        let text = op.to_string();
        self.compare(text, expected, move |world| world.step(&op, events));
    }

    /// Lets the world do something of which `expected` should be seen. After a difference it does
    /// nothing.
    pub(crate) fn compare(
        &mut self,
        op: String,
        expected: &[Event],
        act: impl FnOnce(&Arc<World>) -> Vec<Event> + Send + 'static,
    ) {
        if self.report.difference.is_some() {
            return;
        }
        let (events, differs) = match self.ask(act) {
            Ok(got) => {
                let differs = first_difference(expected, &got);
                (got, differs)
            }
            Err(problem) => (Vec::new(), Some((expected.last(), problem))),
        };
        self.report.difference = differs.map(|(expected, got)| Difference {
            step: self.report.steps.len() + 1,
            op,
            expected: text_of(expected),
            got,
        });
        self.report.steps.push(Step { events });
    }

    /// Shuts everything down, again in step with the specification, and checks that nothing is
    /// left (C19) and that the other registrar was not touched.
    #[must_use]
    pub fn finish(mut self, mut model: Model, doctor: Doctor) -> Report {
        model.be_quiet();
        // If the worker is gone, the next step says so.
        let _ = self.ask(|world| world.be_quiet());
        while let Some(op) = model.shutdown_op() {
            let mut expected = model.apply(&op);
            doctor(&mut expected);
            self.step(&op, &expected);
        }
        if self.report.difference.is_none() {
            self.leave();
        }
        self.report
    }

    fn leave(&mut self) {
        let problem = match self.ask(|world| world.leave()) {
            Ok(Ok(())) => return,
            Ok(Err(problem)) | Err(problem) => problem,
        };
        self.report.difference = Some(Difference {
            step: self.report.steps.len(),
            op: "the end".to_owned(),
            expected: "nothing has reached the other registrar".to_owned(),
            got: problem,
        });
    }
}

/// The first place where two lists of events differ: what was expected there, and what came.
fn first_difference<'a>(
    expected: &'a [Event],
    got: &[Event],
) -> Option<(Option<&'a Event>, String)> {
    let pairs = expected.iter().zip(got);
    let same = pairs.take_while(|(expected, got)| expected == got).count();
    let differ = same < expected.len().max(got.len());
    differ.then(|| (expected.get(same), text_of(got.get(same))))
}

fn text_of(event: Option<&Event>) -> String {
    event.map_or("nothing more".to_owned(), |event| event.what.to_string())
}

/// The number of the first operation that can never return on one thread: a register call that
/// panics while one of its bindings has a pending detach has to wait for it.
#[must_use]
pub fn stuck_at(limits: Limits, ops: &[Op]) -> Option<usize> {
    let mut model = Model::new(limits);
    ops.iter().position(|op| {
        model.apply(op);
        model.is_stuck()
    })
}

/// Runs a sequence. It must not be [stuck](stuck_at).
#[must_use]
pub fn run(limits: Limits, ops: &[Op]) -> Report {
    run_with(limits, ops, faithful, PATIENCE)
}

/// Runs a sequence against a specification that is changed by `doctor`.
#[must_use]
pub fn run_with(limits: Limits, ops: &[Op], doctor: Doctor, patience: Duration) -> Report {
    let mut model = Model::new(limits);
    let mut session = Session::new(limits, patience);
    for op in ops {
        let mut expected = model.apply(op);
        doctor(&mut expected);
        session.step(op, &expected);
    }
    session.finish(model, doctor)
}

/// Runs a case file.
///
/// # Errors
/// It cannot be read, or is no case of this kind, or has an operation that can never return.
pub fn replay(path: &Path) -> Result<Report, FormatError> {
    replay_text(&path.display().to_string(), &case::read(path)?)
}

/// Runs a case that was read from `file`, which is named in errors only.
///
/// # Errors
/// As [`replay`].
pub fn replay_text(file: &str, text: &str) -> Result<Report, FormatError> {
    let case: Case = case::parse(file, text, KIND)?;
    refuse_stuck(file, case.limits, &case.ops)?;
    Ok(run(case.limits, &case.ops))
}

/// An error for a case with an operation that can never return.
pub(crate) fn refuse_stuck(file: &str, limits: Limits, ops: &[Op]) -> Result<(), FormatError> {
    let Some(index) = stuck_at(limits, ops) else {
        return Ok(());
    };
    let message = format!(
        "operation {} ({}) can never return on one thread: its register call panics and then \
         waits for a detach that is pending",
        index + 1,
        ops[index]
    );
    Err(case::refused(file, message))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            for (nth, event) in step.events.iter().enumerate() {
                match nth {
                    0 => writeln!(f, "{:3}. {event}", index + 1)?,
                    _ => writeln!(f, "     {event}")?,
                }
            }
        }
        match &self.difference {
            Some(difference) => write!(f, "{difference}"),
            None => f.write_str("The registrar is as specified."),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The registrar is not as specified in operation {} ({}):",
            self.step, self.op
        )?;
        writeln!(f, "  expected: {}", self.expected)?;
        write!(f, "  got:      {}", self.got)
    }
}
