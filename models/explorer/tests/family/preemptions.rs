//! A deadlock is reported with as few preemptions as the reference needs for it.

use nmr_explorer::{Explorer, Reduction, Verdict};

use super::explored::without;
use super::generator::family;
use super::program::{Cover, Op, Program, Says, write_beside};
use super::reference::preemptions_to_stick;

/// The preemptions of the reported deadlock, and whether they are said to be the fewest.
fn reported(program: &Program, off: &[Reduction]) -> Option<(u32, bool)> {
    let run = {
        let program = program.clone();
        move || drop(program.run())
    };
    let builder = without(Explorer::builder(), off).symmetries(program.symmetries());
    let report = match program.beside {
        true => builder.beside(write_beside).check(run),
        false => builder.check(run),
    };
    match report.verdict {
        Verdict::Exhausted => None,
        Verdict::Violated(found) => Some((found.preemptions, found.is_minimal)),
        other => panic!("{program:?}: {other:?}"),
    }
}

#[test]
fn a_deadlock_is_reported_with_as_few_preemptions_as_it_needs() {
    let mut counts = [0; 2];
    // Whether a lock is held can be noticed by those who only try.
    let notices = |op| matches!(op, Op::Try(..) | Op::Doze(..) | Op::Hold(_));
    for program in family().iter().filter(|program| !program.has(notices)) {
        let Some(fewest) = preemptions_to_stick(program) else {
            continue;
        };
        // Locks at which no two threads can disagree would be no places to switch at.
        let found = reported(program, &[Reduction::LockAware]);
        assert_eq!(found, Some((fewest, true)), "{program:?}");
        counts[usize::from(fewest > 0)] += 1;
    }
    assert!(counts[0] > 200 && counts[1] > 5, "{counts:?}");
}

#[test]
fn a_deadlock_that_is_met_before_its_conflicts_are_known_has_its_preemptions_counted() {
    // The first execution takes the locks for ones of one thread each, and comes to the deadlock after
    // what it does not take for a switch.
    let program = Program {
        cells: vec![Cover::Mutex(Says::default()); 3],
        threads: vec![
            vec![Op::Change(1, 3)],
            vec![Op::Mix(1, 2)],
            vec![Op::Mix(2, 1)],
        ],
        has_child: false,
        main_takes_part: false,
        forgets: false,
        beside: false,
        alike: 0,
    };
    assert_eq!(reported(&program, &[]), Some((1, true)));
}
