//! Runs a case against the specification, searches for failing ones and makes them small.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nmr::HandleFault;
use nmr_models::scenario::FormatError;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use super::{Case, KIND, Mask, Probe, cases};
use crate::case;
use crate::minimize::{Variants, minimize, without_runs};
use crate::sequential::event::{Answer, Event, What};
use crate::sequential::handle_ref::HandleRef;
use crate::sequential::reference::Model;
use crate::sequential::run::{self, PATIENCE, Report, Session};
use crate::sequential::simplify;
use crate::sequential::world::{Raw, World};

/// How many simpler variants of a failure are tried, at most.
const VARIANTS: usize = 20_000;

/// Changes the answer that is expected of bits which name nothing: a planted difference, to test the
/// comparison.
pub type Doctor = fn(Answer) -> Answer;

/// Leaves the specification as it is.
#[must_use]
pub const fn faithful(answer: Answer) -> Answer {
    answer
}

/// Runs a case. Its operations must not be [stuck](run::stuck_at).
#[must_use]
pub fn run(case: &Case) -> Report {
    run_with(case, faithful)
}

/// Runs a case against a specification that is changed by `doctor`.
#[must_use]
pub fn run_with(case: &Case, doctor: Doctor) -> Report {
    let mut model = Model::new(case.limits);
    let mut session = Session::new(case.limits, PATIENCE);
    for op in &case.ops {
        let expected = model.apply(op);
        session.step(op, &expected);
    }
    for probe in &case.probes {
        make(probe, &mut model, &mut session, doctor);
    }
    session.finish(model, run::faithful)
}

/// What the bits of a probe are, once the registrar has issued its handles.
struct Aimed {
    raw: Raw,
    /// The handle that they name, whether the probe meant it or not.
    named: Option<HandleRef>,
    foreign: bool,
}

fn make(probe: &Probe, model: &mut Model, session: &mut Session, doctor: Doctor) {
    if session.difference().is_some() {
        return;
    }
    let asked = probe.clone();
    // Without an answer the worker is gone, which the next step says.
    let Ok(Some(aimed)) = session.ask(move |world| aim(&asked, world)) else {
        return;
    };
    if let Some(handle) = aimed.named {
        let op = probe.call.of(handle);
        let before = model.clone();
        if simplify::carry_out(model, &op) {
            let expected = before.clone().apply(&op);
            session.step(&op, &expected);
        } else {
            *model = before;
        }
        return;
    }
    let answer = match aimed.foreign {
        true => Answer::InvalidParameter(HandleFault::Foreign),
        false => Answer::InvalidHandle,
    };
    let text = probe.to_string();
    let expected = [
        What::Called(text.clone()),
        What::Answered(doctor(answer)),
        What::Holds(model.held()),
    ]
    .map(|what| Event { depth: 0, what });
    let (call, events) = (probe.call, expected.to_vec());
    session.compare(text.clone(), &expected, move |world| {
        world.probe(call, aimed.raw, &text, events)
    });
}

fn aim(probe: &Probe, world: &World) -> Option<Aimed> {
    let own = world.number()?;
    let (number, bits) = match probe.handle {
        Some(handle) => world.raw(handle),
        None => (own, 0),
    };
    let raw = (number ^ probe.registrar, bits ^ probe.flip.0);
    Some(Aimed {
        raw,
        named: world.named(raw),
        foreign: raw.0 != own,
    })
}

/// A case on which the registrar is not as specified, as small as could be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The case, with the difference in its `found` field.
    pub case: Case,
}

impl Failure {
    /// Saves the failure as a case file in `folder`; answers its path.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, folder: &Path) -> io::Result<PathBuf> {
        case::save(folder, KIND, &self.case)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nin this sequence:", self.case.found)?;
        let ops = self.case.ops.iter().map(ToString::to_string);
        let probes = self.case.probes.iter().map(ToString::to_string);
        for (index, text) in ops.chain(probes).enumerate() {
            write!(f, "\n{:3}. {text}", index + 1)?;
        }
        Ok(())
    }
}

/// Why a search ended before it had tried all its cases.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Stopped {
    /// The registrar is not as specified.
    #[error("{0}")]
    Found(Box<Failure>),
    /// proptest gave up: a defect of the generator, not a finding.
    #[error("the search itself failed: {0}")]
    GaveUp(String),
}

/// Searches with random cases for a difference.
///
/// # Errors
/// See [`Stopped`].
pub fn search(config: Config, doctor: Doctor) -> Result<(), Stopped> {
    let difference = |case: &Case| {
        let difference = run_with(case, doctor).difference;
        difference.map(|difference| difference.to_string())
    };
    let searched = TestRunner::new(config).run(&cases(), |case| match difference(&case) {
        Some(difference) => Err(TestCaseError::fail(difference)),
        None => Ok(()),
    });
    match searched {
        Ok(()) => Ok(()),
        Err(TestError::Abort(reason)) => Err(Stopped::GaveUp(reason.to_string())),
        Err(TestError::Fail(reason, case)) => {
            let fails = |case: &Case| difference(case).is_some();
            let mut case = minimize(case, variants, fails, VARIANTS);
            case.found = difference(&case).unwrap_or_else(|| format!("not reproducible: {reason}"));
            Err(Stopped::Found(Box::new(Failure { case })))
        }
    }
}

/// The simpler variants of a case: fewer probes, fewer and plainer operations, fewer bits.
fn variants(case: &Case) -> Variants<'_, Case> {
    let with = |change: &dyn Fn(&mut Case)| {
        let mut simpler = case.clone();
        change(&mut simpler);
        simpler
    };
    let fewer = without_runs(&case.probes).map(move |probes| with(&|c| c.probes = probes.clone()));
    let plainer = (0..case.probes.len()).flat_map(move |index| {
        let all = plainer_probes(&case.probes[index]).into_iter();
        all.map(move |probe| with(&|c| c.probes[index] = probe.clone()))
    });
    let sequence = (case.limits, case.ops.clone());
    let sequences: Vec<_> = simplify::variants(&sequence).collect();
    let shorter = sequences.into_iter().map(move |(limits, ops)| Case {
        limits,
        ops,
        ..case.clone()
    });
    Box::new(fewer.chain(shorter).chain(plainer))
}

fn plainer_probes(probe: &Probe) -> Vec<Probe> {
    let with_flip = |flip| Probe {
        flip: Mask(flip),
        ..probe.clone()
    };
    let own_registrar = Probe {
        registrar: 0,
        ..probe.clone()
    };
    let bits = (0..64_u32).map(|bit| 1_u64 << bit);
    let fewer = bits.filter(|bit| probe.flip.0 & bit != 0);
    let mut all = vec![with_flip(0), own_registrar];
    all.extend(fewer.map(|bit| with_flip(probe.flip.0 & !bit)));
    all.retain(|plainer| plainer != probe);
    all
}

/// Runs a case that was read from `file`, which is named in errors only.
///
/// # Errors
/// It is no case of this kind, or has an operation that can never return.
pub fn replay_text(file: &str, text: &str) -> Result<Report, FormatError> {
    let case: Case = case::parse(file, text, KIND)?;
    run::refuse_stuck(file, case.limits, &case.ops)?;
    Ok(run(&case))
}
