//! Whatever reductions are on or off, a program comes to what the reference says.

use std::collections::HashMap;
use std::mem::discriminant;

use nmr_explorer::Reduction::{
    self, Forgetting, LockAware, Symmetry, VisibleOperations, VisitedStates,
};

use super::explored::{builder, compare, explored, without};
use super::generator::family;
use super::program::{Cover, Program, Says};
use super::reference::{Outcomes, outcomes};

/// Explores every program without these reductions. Of 100 programs no more than `cut` may be left
/// unfinished after `executions`.
fn nothing_is_missed_without(off: &[Reduction], executions: u64, cut: usize) {
    let compared = compare(
        family(),
        |program| {
            let search = without(builder(program), off);
            explored(program, search.max_executions(executions))
        },
        |program| outcomes(program, false),
    );
    assert_eq!(compared.programs, family().len());
    assert!(
        compared.cut * 100 <= compared.programs * cut,
        "{compared:?}"
    );
}

#[test]
fn with_all_reductions() {
    nothing_is_missed_without(&[], 100_000, 0);
}

#[test]
fn without_visible_operations() {
    nothing_is_missed_without(&[VisibleOperations], 3_000, 1);
}

#[test]
fn without_visited_states() {
    nothing_is_missed_without(&[VisitedStates], 1_000, 5);
}

#[test]
fn without_forgetting() {
    nothing_is_missed_without(&[Forgetting], 1_000, 1);
}

#[test]
fn without_symmetry() {
    nothing_is_missed_without(&[Symmetry], 3_000, 1);
}

#[test]
fn without_lock_awareness() {
    nothing_is_missed_without(&[LockAware], 1_000, 1);
}

#[test]
fn with_visited_states_alone() {
    let others = [VisibleOperations, Forgetting, Symmetry, LockAware];
    nothing_is_missed_without(&others, 1_000, 5);
}

#[test]
fn with_lock_awareness_alone() {
    let others = [VisibleOperations, VisitedStates, Forgetting, Symmetry];
    nothing_is_missed_without(&others, 200, 25);
}

#[test]
fn without_any_reduction() {
    nothing_is_missed_without(&Reduction::ALL, 300, 35);
}

#[test]
fn the_comparison_has_the_chance_to_fail() {
    let count = |is: &dyn Fn(&Program, &Outcomes) -> bool| {
        let programs = family().iter();
        let programs = programs.filter(|program| is(program, &outcomes(program, false)));
        programs.count()
    };
    let stuck = count(&|_, outcomes| outcomes.sticks);
    let several = count(&|_, outcomes| !outcomes.sticks && outcomes.finals.len() > 1);
    assert!(
        stuck > 300 && several > 1_000,
        "{stuck} stuck, {several} with several ends"
    );
    for programs in [
        count(&|program, _| program.alike > 0),
        count(&|program, _| program.has_child),
        count(&|program, _| program.main_takes_part),
        count(&|program, _| program.forgets),
        count(&|program, _| program.external_state),
    ] {
        assert!(programs > 200, "{programs}");
    }
    let detached = count(&|program, _| program.is_child_detached());
    assert!(detached > 80, "{detached}");
}

#[test]
fn every_operation_and_every_way_to_tell_of_it_is_tried() {
    let says = |data, learnt| Cover::Mutex(Says { data, learnt });
    for cover in [
        says(false, false),
        says(false, true),
        says(true, false),
        says(true, true),
        Cover::Monitor,
    ] {
        let programs = family().iter();
        let programs = programs.filter(|program| program.cells.contains(&cover));
        assert!(programs.count() > 300, "{cover:?}");
    }
    let all = family().iter().flat_map(|program| &program.threads);
    let mut counts = HashMap::new();
    for op in all.flatten() {
        *counts.entry(discriminant(op)).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 28, "{counts:?}");
    assert!(counts.values().all(|&count| count > 80), "{counts:?}");
}
