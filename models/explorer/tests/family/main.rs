//! Generated programs, explored and compared with an independent reference: the same final states, and
//! a deadlock exactly where the reference has one.
#![cfg(shuttle)]

mod program;
mod reference;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use nmr_explorer::{Explorer, Verdict};

use program::{Generator, Program};

/// What the explorer finds: the final states, and whether it came upon a deadlock.
fn explored(program: &Program) -> (BTreeSet<Vec<u64>>, bool) {
    let finals: Arc<Mutex<BTreeSet<_>>> = Arc::default();
    let report = Explorer::builder().check({
        let (program, finals) = (program.clone(), finals.clone());
        move || {
            let last = program.run();
            finals.lock().unwrap().insert(last);
        }
    });
    let stuck = match &report.verdict {
        Verdict::Exhausted => false,
        Verdict::Violated(found) if found.message.starts_with("deadlock") => true,
        other => panic!("{program:?}: {other:?}"),
    };
    let finals = finals.lock().unwrap().clone();
    (finals, stuck)
}

#[test]
fn two_thousand_programs_end_as_the_reference_says() {
    let mut generator = Generator::new(1);
    let (mut deadlocks, mut several) = (0, 0);
    for number in 0..2_000 {
        let program = generator.next_program();
        let (expected, can_stick) = reference::outcomes(&program);
        let (found, stuck) = explored(&program);
        assert_eq!(stuck, can_stick, "program {number}: {program:?}");
        if stuck {
            deadlocks += 1;
            assert!(found.is_subset(&expected), "program {number}: {program:?}");
        } else {
            several += usize::from(expected.len() > 1);
            assert_eq!(found, expected, "program {number}: {program:?}");
        }
    }
    // The comparison had the chance to fail in both ways.
    assert!(
        deadlocks > 100 && several > 500,
        "{deadlocks} deadlocks, {several} with several ends"
    );
}

#[test]
fn the_same_seed_generates_the_same_programs() {
    let programs = |seed| {
        let mut generator = Generator::new(seed);
        (0..50)
            .map(|_| generator.next_program())
            .collect::<Vec<_>>()
    };
    assert_eq!(programs(7), programs(7));
    assert_ne!(programs(7), programs(8));
}
