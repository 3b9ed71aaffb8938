//! Runs the explorer on a generated program.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use nmr_explorer::{Builder, Explorer, Panic, Reduction, Report, Verdict, Violation, is_redundant};

use super::program::{Outcome, Program};
use super::reference::Outcomes;
use super::running::write_external_state;
use super::shrink::shrunk;

/// What the explorer makes of a program.
#[derive(Clone, Debug)]
pub(crate) struct Explored {
    /// The final states, of those that are alike the least. Only what the search vouches for counts:
    /// not what it came upon in executions that it knew already, or before it last began again.
    pub(crate) finals: BTreeSet<Outcome>,
    pub(crate) report: Report,
}

impl Explored {
    /// Whether the program was found to get stuck; `None` if the search was cut short. An error, if it
    /// went wrong in another way.
    pub(crate) fn sticks(&self) -> Result<Option<bool>, &Verdict> {
        match &self.report.verdict {
            Verdict::Exhausted => Ok(Some(false)),
            Verdict::Violated(found) => match &found.violation {
                Violation::Deadlock(_) | Violation::Livelock(_) => Ok(Some(true)),
                // Whoever would be told of a failure may be stuck before.
                Violation::Panic(panic) if is_asked_for(panic) => Ok(Some(true)),
                _ => Err(&self.report.verdict),
            },
            Verdict::Incomplete(_) => Ok(None),
            other => Err(other),
        }
    }
}

/// Whether a thread has failed as its program says, and nobody could go on to be told of it.
fn is_asked_for(panic: &Panic) -> bool {
    let is_stuck = |then: &str| then.starts_with("deadlock") || then.starts_with("livelock");
    panic.message == "a panic without a message" && panic.then.as_deref().is_some_and(is_stuck)
}

/// A search that fits the program.
pub(crate) fn builder(program: &Program) -> Builder {
    let builder = Explorer::builder()
        .symmetries(program.symmetries())
        .max_memory(1 << 30)
        .first_violation();
    match program.external_state {
        true => builder.external_state(write_external_state),
        false => builder,
    }
}

/// Without these.
pub(crate) fn without(builder: Builder, off: &[Reduction]) -> Builder {
    off.iter()
        .fold(builder, |builder, &one| builder.without(one))
}

/// Explores a program.
pub(crate) fn explored(program: &Program, builder: Builder) -> Explored {
    explored_behind(0, program, builder)
}

/// Explores a program of which the threads have numbers that are larger by `others`.
pub(crate) fn explored_behind(others: usize, program: &Program, builder: Builder) -> Explored {
    let finals: Arc<Mutex<BTreeSet<Outcome>>> = Arc::default();
    let begun_again = {
        let finals = finals.clone();
        move || finals.lock().unwrap().clear()
    };
    let report = builder.on_restart(begun_again).check({
        let (program, finals) = (program.clone(), finals.clone());
        move || {
            let end = program.run_behind(others);
            if !is_redundant() {
                finals.lock().unwrap().insert(program.canonical(end));
            }
        }
    });
    let finals = finals.lock().unwrap().clone();
    Explored { finals, report }
}

/// Whether the explorer found what the reference says, as far as it came.
pub(crate) fn agrees(found: &Explored, expected: &Outcomes) -> bool {
    match found.sticks() {
        Ok(None) => found.finals.is_subset(&expected.finals),
        Ok(Some(false)) => !expected.sticks && found.finals == expected.finals,
        Ok(Some(true)) => expected.sticks && found.finals.is_subset(&expected.finals),
        Err(_) => false,
    }
}

/// In words: what the explorer finds and what it should.
fn disagreement(program: &Program, found: &Explored, expected: &Outcomes) -> String {
    let missed: Vec<_> = expected.finals.difference(&found.finals).collect();
    let added: Vec<_> = found.finals.difference(&expected.finals).collect();
    format!(
        "{program}\nexpected: {} ends, and that it {} get stuck\nmissed: {missed:?}\nadded: \
         {added:?}\n{}",
        expected.finals.len(),
        if expected.sticks { "can" } else { "cannot" },
        found.report
    )
}

/// What comparing many programs came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) programs: usize,
    /// Of these, the ones that were cut short.
    pub(crate) cut: usize,
}

/// Compares what `explore` finds with what `reference` says, and shows the smallest program with a
/// difference.
pub(crate) fn compare<'a>(
    programs: impl IntoIterator<Item = &'a Program>,
    explore: impl Fn(&Program) -> Explored,
    reference: impl Fn(&Program) -> Arc<Outcomes>,
) -> Compared {
    let mut compared = Compared::default();
    for program in programs {
        let found = explore(program);
        compared.programs += 1;
        compared.cut += usize::from(found.sticks() == Ok(None));
        if !agrees(&found, &reference(program)) {
            let least = shrunk(program, |one| !agrees(&explore(one), &reference(one)));
            panic!(
                "{}",
                disagreement(&least, &explore(&least), &reference(&least))
            );
        }
    }
    compared
}
