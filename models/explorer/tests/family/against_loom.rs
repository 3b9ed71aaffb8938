//! The reference against loom: a scheduler, primitives and a reduction that have nothing in common with ours.
//! What the explorer is compared with is thereby compared itself.
//!
//! loom wakes whoever has slept longest, so that where one of several is woken it may find less. Left out are
//! the programs with:
//! - loads and stores of atomics: loom 0.7.3 misses orders there (a thread's own load hides another one's, so
//!   that the store after it is not taken to conflict with that one), and takes `SeqCst` for less than it is;
//! - `try_lock`, guards that a panic drops or that stay for good: loom's are not like real ones;
//! - what is shared beside the primitives, and choices: loom knows neither.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use super::generator::family;
use super::program::{Op, Program};
use super::reference::{Outcomes, outcomes};

/// More executions loom is not given.
const CAP: usize = 2_000;

/// The payload that ends a search that takes too long.
struct Cut;

/// What loom finds: the ends up to the first deadlock. `None` if it has not come to an end.
fn found_by_loom(program: &Program) -> Option<Outcomes> {
    let found: Arc<Mutex<(usize, BTreeSet<_>)>> = Arc::default();
    let execution = {
        let (program, found) = (program.clone(), found.clone());
        move || {
            found.lock().unwrap().0 += 1;
            if found.lock().unwrap().0 > CAP {
                resume_unwind(Box::new(Cut));
            }
            let end = program.canonical(program.run());
            found.lock().unwrap().1.insert(end);
        }
    };
    let mut builder = loom::model::Builder::new();
    builder.max_threads = 5;
    builder.max_branches = 10_000;
    let checked = catch_unwind(AssertUnwindSafe(|| builder.check(execution)));
    let sticks = match checked {
        Ok(()) => false,
        Err(payload) if payload.is::<Cut>() => return None,
        Err(payload) => {
            let message = payload.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| payload.downcast_ref::<&str>().copied());
            let message = message.expect("a message");
            assert!(message.starts_with("deadlock"), "{program}\n{message}");
            true
        }
    };
    let finals = found.lock().unwrap().1.clone();
    Some(Outcomes { finals, sticks })
}

fn has_room(program: &Program) -> bool {
    let left_out = |op| {
        matches!(
            op,
            Op::Choose(_)
                | Op::Touch(..)
                | Op::Try(..)
                | Op::Panic(..)
                | Op::Leak(_)
                | Op::Load(_)
                | Op::Put(_)
                | Op::Look(..)
        )
    };
    program.threads.len() <= 3 && !program.has(left_out)
}

/// So many threads may sleep.
fn sleepers(program: &Program) -> usize {
    let sleeps = |op: &Op| matches!(op, Op::Sleep(_) | Op::Await(_) | Op::Doze(..));
    let threads = program.threads.iter();
    threads.filter(|ops| ops.iter().any(sleeps)).count()
}

/// Several may sleep where one is woken.
fn may_find_less(program: &Program) -> bool {
    sleepers(program) > 1 && program.has(|op| matches!(op, Op::Signal(..) | Op::Notify(_)))
}

fn agree(program: &Program, found: &Outcomes, expected: &Outcomes) -> bool {
    if may_find_less(program) {
        return found.sticks <= expected.sticks && found.finals.is_subset(&expected.finals);
    }
    // What comes after a deadlock is not looked for.
    found.sticks == expected.sticks
        && found.finals.is_subset(&expected.finals)
        && (found.sticks || found.finals == expected.finals)
}

/// How many programs were compared, of how many loom found that they get stuck, and how many have to come to
/// exactly what the reference says.
#[derive(Debug, Default)]
struct Compared {
    programs: usize,
    stuck: usize,
    exactly: usize,
}

/// Compares the first programs of which it `is` true.
fn compared(count: usize, is: impl Fn(&Program) -> bool) -> Compared {
    let mut compared = Compared::default();
    for program in family().iter().filter(|one| has_room(one) && is(one)) {
        if compared.programs == count {
            break;
        }
        let Some(found) = found_by_loom(program) else {
            continue;
        };
        let expected = outcomes(program, false);
        assert!(
            agree(program, &found, &expected),
            "{program}\nloom: {found:?}\nreference: {expected:?}"
        );
        compared.programs += 1;
        compared.stuck += usize::from(found.sticks);
        compared.exactly += usize::from(!may_find_less(program));
    }
    compared
}

#[test]
fn loom_finds_what_the_reference_says() {
    let compared = compared(300, |_| true);
    let Compared {
        programs,
        stuck,
        exactly,
    } = compared;
    assert!(
        programs == 300 && stuck > 40 && exactly > 200,
        "{compared:?}"
    );
}

#[test]
fn loom_wakes_those_whom_the_reference_wakes() {
    let wakes = |op| matches!(op, Op::Announce(..) | Op::Call(_));
    let compared = compared(60, |program| sleepers(program) > 1 && program.has(wakes));
    assert!(
        compared.programs == 60 && compared.exactly > 30 && compared.stuck < 50,
        "{compared:?}"
    );
}
