//! The random search: the specification as proptest's reference state machine, the registrar as the
//! system under test.
//!
//! proptest draws and shrinks the sequences; what is compared, and how, is [`run`](mod@super::run)'s.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

use nmr_models::scenario::Limits;
use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{Config, Reason, TestError, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use super::event::Event;
use super::generate;
use super::ops::{Case, KIND, Op};
use super::reference::Model;
use super::run::{Doctor, PATIENCE, Session, faithful, run_with};
use super::simplify::{self, Sequence};
use crate::case;
use crate::minimize::minimize;

/// The length of a random sequence, at most.
pub const LENGTH: usize = 60;

/// How many simpler variants of a failure are tried, at most.
const VARIANTS: usize = 20_000;

/// Which specification is searched against: the contract's, or one with a planted difference.
pub trait Specification: 'static {
    /// See [`Doctor`].
    const DOCTOR: Doctor;
}

/// The contract's.
#[derive(Clone, Copy, Debug)]
pub struct Contract;

impl Specification for Contract {
    const DOCTOR: Doctor = faithful;
}

/// The specification as a state machine.
#[derive(Debug)]
pub struct Reference<S>(PhantomData<S>);

/// The specification's state and what is to be seen of the last operation.
#[derive(Clone, Debug)]
pub struct Specified {
    /// The limits of the registrar.
    pub limits: Limits,
    /// The state.
    pub model: Model,
    /// The events of the last operation.
    pub expected: Vec<Event>,
}

impl<S: Specification> ReferenceStateMachine for Reference<S> {
    type State = Specified;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Specified> {
        let specified = |limits| Specified {
            limits,
            model: Model::new(limits),
            expected: Vec::new(),
        };
        generate::limits().prop_map(specified).boxed()
    }

    fn transitions(state: &Specified) -> BoxedStrategy<Op> {
        generate::operation(&state.model)
    }

    fn apply(mut state: Specified, op: &Op) -> Specified {
        state.expected = state.model.apply(op);
        S::DOCTOR(&mut state.expected);
        state
    }

    /// The operation is made, and it returns.
    fn preconditions(state: &Specified, op: &Op) -> bool {
        simplify::carry_out(&mut state.model.clone(), op)
    }
}

/// The registrar beside the specification.
#[derive(Debug)]
pub struct Comparison<S>(PhantomData<S>);

impl<S: Specification> StateMachineTest for Comparison<S> {
    type SystemUnderTest = Session;
    type Reference = Reference<S>;

    fn init_test(start: &Specified) -> Session {
        Session::new(start.limits, PATIENCE)
    }

    fn apply(mut session: Session, state: &Specified, op: Op) -> Session {
        session.step(&op, &state.expected);
        session
    }

    fn check_invariants(session: &Session, _: &Specified) {
        fail_if(session.difference());
    }

    fn teardown(session: Session, state: Specified) {
        let report = session.finish(state.model, S::DOCTOR);
        fail_if(report.difference.as_ref());
    }
}

/// Fails the proptest case without a panic message on the terminal.
fn fail_if(difference: Option<&impl fmt::Display>) {
    if let Some(difference) = difference {
        resume_unwind(Box::new(difference.to_string()));
    }
}

/// A sequence on which the registrar is not as specified, as small as shrinking made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The limits of the registrar.
    pub limits: Limits,
    /// The sequence.
    pub ops: Vec<Op>,
    /// The difference.
    pub message: String,
}

impl Failure {
    /// The failure as a case.
    #[must_use]
    pub fn case(&self) -> Case {
        Case {
            kind: KIND.to_owned(),
            found: self.message.clone(),
            limits: self.limits,
            ops: self.ops.clone(),
        }
    }

    /// Saves the failure as a case file in `folder`; answers its path.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, folder: &Path) -> io::Result<PathBuf> {
        case::save(folder, KIND, &self.case())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        write!(f, "in this sequence:")?;
        for (index, op) in self.ops.iter().enumerate() {
            write!(f, "\n{:3}. {op}", index + 1)?;
        }
        Ok(())
    }
}

/// Why a search ended before it had tried all its cases.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Stopped {
    /// The registrar is not as specified.
    #[error("{0}")]
    Found(Failure),
    /// proptest gave up: a defect of the generator, not a finding.
    #[error("the search itself failed: {0}")]
    GaveUp(String),
}

/// Searches with random sequences for a difference.
///
/// # Errors
/// See [`Stopped`].
pub fn search<S: Specification>(config: Config) -> Result<(), Stopped> {
    let strategy = Reference::<S>::sequential_strategy(1..=LENGTH);
    let mut runner = TestRunner::new(config.clone());
    let searched = runner.run(&strategy, |(start, ops, seen)| {
        Comparison::<S>::test_sequential(config.clone(), start, ops, seen);
        Ok(())
    });
    match searched {
        Ok(()) => Ok(()),
        Err(TestError::Abort(reason)) => Err(Stopped::GaveUp(reason.to_string())),
        Err(TestError::Fail(reason, (start, ops, _))) => {
            Err(Stopped::Found(smallest::<S>(start.limits, ops, &reason)))
        }
    }
}

/// Makes what proptest has shrunk smaller still, and says what is wrong with it.
fn smallest<S: Specification>(limits: Limits, ops: Vec<Op>, reason: &Reason) -> Failure {
    let difference = |(limits, ops): &Sequence| {
        let report = run_with(*limits, ops, S::DOCTOR, PATIENCE);
        report.difference.map(|difference| difference.to_string())
    };
    let fails = |sequence: &Sequence| difference(sequence).is_some();
    let smallest = minimize((limits, ops), simplify::variants, fails, VARIANTS);
    // proptest's reason is of the last failure that it saw.
    let message = difference(&smallest).unwrap_or_else(|| format!("not reproducible: {reason}"));
    let (limits, ops) = smallest;
    Failure {
        limits,
        ops,
        message,
    }
}
