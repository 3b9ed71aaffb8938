//! With spurious wake-ups a program comes to what the reference says, which then has one more
//! transition: whoever sleeps may wake. Nobody has to: a program that needs it is stuck.

use nmr_explorer::Reduction;

use super::explored::{builder, compare, explored, without};
use super::generator::family;
use super::program::{Cover, Op, Program, Says};
use super::reference::outcomes;

/// The program, changed so that a thread that sleeps again and again knows no more each time.
fn tamed(program: &Program) -> Program {
    let mut program = program.clone();
    for op in program.threads.iter().flatten() {
        if let Op::Await(cell) = *op
            && let Cover::Mutex(says) = &mut program.cells[cell]
        {
            *says = Says {
                data: true,
                learnt: true,
            };
        }
    }
    program
}

fn sleeps(op: Op) -> bool {
    matches!(op, Op::Await(_) | Op::Sleep(_) | Op::Doze(..))
}

/// Explores programs without these reductions; answers how many of 100 were not finished.
fn cut_without(programs: &[Program], off: &[Reduction], executions: u64) -> usize {
    let explore = |program: &Program| {
        let search = without(builder(program), off).spurious_wakeups();
        explored(&tamed(program), search.max_executions(executions))
    };
    let compared = compare(programs, explore, |program| outcomes(program, true));
    compared.cut * 100 / compared.programs
}

fn sleepers() -> Vec<Program> {
    let sleepers = family().iter().filter(|program| program.has(sleeps));
    sleepers.take(400).cloned().collect()
}

#[test]
fn a_thread_may_wake_without_a_reason() {
    let programs = sleepers();
    assert_eq!(programs.len(), 400);
    assert_eq!(cut_without(&programs, &[], 5_000), 0);
    for one in [Reduction::VisibleOperations, Reduction::LockAware] {
        assert!(cut_without(&programs, &[one], 1_000) <= 2);
    }
}

#[test]
fn who_sleeps_once_needs_no_reduction_to_end() {
    let mut programs = sleepers();
    let again_and_again = |program: &Program| {
        program.has(|op| matches!(op, Op::Await(_))) || program.is_child_detached()
    };
    programs.retain(|program| !again_and_again(program));
    assert!(programs.len() > 100);
    assert!(cut_without(&programs, &Reduction::ALL, 500) <= 50);
}
