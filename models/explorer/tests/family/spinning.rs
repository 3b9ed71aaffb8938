//! Threads that spin instead of sleeping come to what the reference says, in which they go on when they can: that
//! they look again and again in between is nothing that anybody notices.

use nmr_explorer::{Reduction, Violation};

use super::explored::{builder, compare, explored, without};
use super::generator::family;
use super::program::{Op, Program};
use super::reference::outcomes;

/// Programs in which threads wait for a number, by spinning.
fn spinners() -> Vec<Program> {
    let mut programs: Vec<Program> = family().to_vec();
    // Who only tries to take a lock notices that others look.
    programs.retain(|program| {
        program.has(|op| matches!(op, Op::Await(_))) && !program.has(|op| matches!(op, Op::Try(..)))
    });
    for op in programs.iter_mut().flat_map(|program| &mut program.threads) {
        for op in op {
            if let Op::Await(cell) = *op {
                *op = Op::Spin(cell);
            }
        }
    }
    programs
}

/// Explores programs; answers how many of 100 were not finished.
fn cut(programs: &[Program], off: &[Reduction], executions: u64, workers: usize) -> usize {
    let explore = |program: &Program| {
        let search = without(builder(program), off).workers(workers);
        explored(program, search.max_executions(executions))
    };
    let compared = compare(programs, explore, |program| outcomes(program, false));
    compared.cut * 100 / compared.programs
}

#[test]
fn with_all_reductions_and_any_number_of_workers() {
    let programs = spinners();
    assert!(programs.len() > 400, "{}", programs.len());
    // Many who spin for one number that nobody describes have many orders.
    assert!(cut(&programs, &[], 3_000, 1) <= 3);
    assert!(cut(&programs[..100], &[], 3_000, 3) <= 5);
}

#[test]
fn without_each_reduction() {
    let programs = &spinners()[..300];
    for one in Reduction::ALL {
        let off = cut(programs, &[one], 1_000, 1);
        assert!(off <= 10, "{off} of 100 without {one}");
    }
    let off = cut(programs, &Reduction::ALL, 300, 1);
    assert!(off <= 50, "{off} of 100 without any reduction");
}

#[test]
fn some_are_in_a_livelock_and_some_are_not() {
    let livelocked = |program: &Program| {
        let found = explored(program, builder(program).max_executions(3_000));
        let found = found.report.into_result();
        found.is_err_and(|unproven| match unproven.0.verdict {
            nmr_explorer::Verdict::Violated(found) => {
                matches!(found.violation, Violation::Livelock(_))
            }
            _ => false,
        })
    };
    let programs = spinners();
    let livelocks = programs
        .iter()
        .filter(|program| livelocked(program))
        .count();
    assert!(
        livelocks > 50 && programs.len() - livelocks > 50,
        "{livelocks} of {}",
        programs.len()
    );
}
