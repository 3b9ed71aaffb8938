//! The explorer against shuttle's own search by depth, which branches at every operation and leaves out
//! nothing: another implementation of scheduling and of all primitives.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use nmr_explorer::Reduction;
use shuttle::scheduler::DfsScheduler;
use shuttle::{Config, FailurePersistence, Runner};

use super::explored::{builder, explored, without};
use super::generator::family;
use super::program::{Op, Outcome, Program};

/// Of as many programs one that shuttle comes to an end with.
const OF: usize = 8;

/// More executions shuttle is not given.
const CAP: usize = 1_000;

/// What shuttle finds: the final states up to the first deadlock, and whether there is one. `None` if it
/// has not come to an end.
fn outcomes(program: &Program) -> Option<(BTreeSet<Outcome>, bool)> {
    let finals: Arc<Mutex<BTreeSet<Outcome>>> = Arc::default();
    let run = {
        let (program, finals) = (program.clone(), finals.clone());
        move || {
            let end = program.canonical(program.run());
            finals.lock().unwrap().insert(end);
        }
    };
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let scheduler = DfsScheduler::new(Some(CAP), false);
    let ended = catch_unwind(AssertUnwindSafe(|| Runner::new(scheduler, config).run(run)));
    let sticks = match ended {
        Ok(CAP) => return None,
        Ok(_) => false,
        Err(payload) => {
            let message = payload.downcast_ref::<String>().expect("a message");
            assert!(message.starts_with("deadlock"), "{message}");
            true
        }
    };
    let finals = finals.lock().unwrap().clone();
    Some((finals, sticks))
}

#[test]
fn shuttle_finds_the_same() {
    // Shuttle's search chooses threads only.
    let all = family().iter();
    let programs = all.filter(|program| !program.has(|op| matches!(op, Op::Choose(_))));
    let wanted = family().len() / OF;
    let (mut compared, mut stuck) = (0, 0);
    for program in programs {
        if compared == wanted {
            break;
        }
        let Some((finals, sticks)) = outcomes(program) else {
            continue;
        };
        for off in [&[] as &[Reduction], &Reduction::ALL] {
            let found = explored(program, without(builder(program), off));
            assert_eq!(
                found.sticks(),
                Ok(Some(sticks)),
                "{program:?}\n{}",
                found.report
            );
            if !sticks {
                assert_eq!(found.finals, finals, "{program:?}\n{}", found.report);
            }
        }
        compared += 1;
        stuck += usize::from(sticks);
    }
    assert!(
        compared == wanted && (wanted / 8..wanted * 7 / 8).contains(&stuck),
        "{compared} compared, {stuck} stuck"
    );
}
