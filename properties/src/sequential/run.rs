//! The comparison: a sequence through the specification and through the registrar, in step.
//!
//! The registrar runs on a thread of its own, so that a call that never returns is a difference
//! like any other and not the end of the test.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::event::Event;
use super::ops::{Case, KIND, Op};
use super::reference::Model;
use super::world::World;
use crate::case::{self, CaseError};

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
    from_worker: Receiver<Vec<Event>>,
    patience: Duration,
    report: Report,
}

enum Job {
    Step(Op, Vec<Event>),
    BeQuiet,
    Leave(Sender<Result<(), String>>),
}

fn work(jobs: &Receiver<Job>, seen: &Sender<Vec<Event>>) {
    let world = World::new();
    // A session that was given up hears no answer, which ends the thread.
    for job in jobs {
        let heard = match job {
            Job::Step(op, expected) => seen.send(world.step(&op, expected)).is_ok(),
            Job::BeQuiet => {
                world.be_quiet();
                true
            }
            Job::Leave(reply) => reply.send(world.leave()).is_ok(),
        };
        if !heard {
            return;
        }
    }
}

impl Session {
    /// A registrar with nothing in it, whose calls may take `patience` each.
    #[must_use]
    pub fn new(patience: Duration) -> Self {
        let (to_worker, jobs) = channel();
        let (seen, from_worker) = channel();
        thread::spawn(move || work(&jobs, &seen));
        Self {
            to_worker,
            from_worker,
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

    /// Carries out one operation, of which `expected` should be seen. After a difference it does
    /// nothing.
    pub fn step(&mut self, op: &Op, expected: &[Event]) {
        if self.report.difference.is_some() {
            return;
        }
        let step = self.report.steps.len() + 1;
        let difference = |expected: Option<&Event>, got: String| Difference {
            step,
            op: op.to_string(),
            expected: expected.map_or("nothing more".to_owned(), |event| event.what.to_string()),
            got,
        };
        let job = Job::Step(op.clone(), expected.to_vec());
        let answer = match self.to_worker.send(job) {
            Ok(()) => self.from_worker.recv_timeout(self.patience),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        };
        let (events, difference) = match answer {
            Ok(got) => {
                let same = expected
                    .iter()
                    .zip(&got)
                    .take_while(|(a, b)| a == b)
                    .count();
                let differs = (same < expected.len().max(got.len())).then(|| {
                    let next = got.get(same);
                    let text = next.map_or("nothing more".to_owned(), |e| e.what.to_string());
                    difference(expected.get(same), text)
                });
                (got, differs)
            }
            Err(RecvTimeoutError::Timeout) => {
                let got = format!("the call had not returned after {:?}", self.patience);
                (Vec::new(), Some(difference(expected.last(), got)))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let got = "the thread that makes the calls has died".to_owned();
                (Vec::new(), Some(difference(expected.last(), got)))
            }
        };
        self.report.steps.push(Step { events });
        self.report.difference = difference;
    }

    /// Shuts everything down, again in step with the specification, and checks that nothing is
    /// left (C19) and that the other registrar was not touched.
    #[must_use]
    pub fn finish(mut self, mut model: Model, doctor: Doctor) -> Report {
        model.be_quiet();
        // If the worker is gone, the next step says so.
        let _ = self.to_worker.send(Job::BeQuiet);
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
        let (reply, answer) = channel();
        let _ = self.to_worker.send(Job::Leave(reply));
        let problem = match answer.recv_timeout(self.patience) {
            Ok(Ok(())) => return,
            Ok(Err(problem)) => problem,
            Err(error) => error.to_string(),
        };
        self.report.difference = Some(Difference {
            step: self.report.steps.len(),
            op: "the end".to_owned(),
            expected: "nothing has reached the other registrar".to_owned(),
            got: problem,
        });
    }
}

/// The number of the first operation that can never return on one thread: a register call that
/// panics while one of its bindings has a pending detach has to wait for it.
#[must_use]
pub fn stuck_at(ops: &[Op]) -> Option<usize> {
    let mut model = Model::default();
    ops.iter().position(|op| {
        model.apply(op);
        model.is_stuck()
    })
}

/// Runs a sequence. It must not be [stuck](stuck_at).
#[must_use]
pub fn run(ops: &[Op]) -> Report {
    run_with(ops, faithful, PATIENCE)
}

/// Runs a sequence against a specification that is changed by `doctor`.
#[must_use]
pub fn run_with(ops: &[Op], doctor: Doctor, patience: Duration) -> Report {
    let mut model = Model::default();
    let mut session = Session::new(patience);
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
pub fn replay(path: &Path) -> Result<Report, CaseError> {
    replay_text(&path.display().to_string(), &case::read(path)?)
}

/// Runs a case that was read from `file`, which is named in errors only.
///
/// # Errors
/// As [`replay`].
pub fn replay_text(file: &str, text: &str) -> Result<Report, CaseError> {
    let case: Case = case::parse(file, text, KIND)?;
    if let Some(index) = stuck_at(&case.ops) {
        let message = format!(
            "operation {} ({}) can never return on one thread: its register call panics and then \
             waits for a detach that is pending",
            index + 1,
            case.ops[index]
        );
        return Err(CaseError::whole(file, message));
    }
    Ok(run(&case.ops))
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
