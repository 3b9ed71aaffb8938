//! Rundown protection in every interleaving: what it promises (R1–R11), and that each step and each memory order of it is
//! needed.
//!
//! One file for each part, compiled in each build: [`programs`] are a few threads that use a [`Protection`] and assert
//! what it promises; [`search`] runs them on real threads, under loom, or under the explorer; [`planted`] is a copy of
//! the algorithm with a bug in it.
//!
//! Why a copy, and not a switch in the product: the product would name each bug at the step that it breaks, and its
//! memory orders could not be constants. That the copy is one is tested too: without a bug it passes the same programs,
//! and the model builds count exactly as many executions and states of it, program by program. Another step, another
//! order of steps, or an ordering that lets a load read something else makes these counts differ.

mod planted;
mod programs;
mod protection;
mod search;

use std::sync::Arc;

use nmr::Rundown;

use planted::{Bug, Planted};
use programs::{FREES, PROGRAMS, Program};
use protection::Protection;
use search::{End, search};

fn of_the_product(program: &Program) -> End {
    let run = program.run;
    search(move || run(Arc::new(Rundown::new())))
}

fn of_a_copy(program: &Program, bug: Option<Bug>) -> End {
    let run = program.run;
    let is_freed = program.name == FREES.name;
    search(move || run(Arc::new(Planted::new(bug, is_freed))))
}

#[test]
fn every_program_holds() {
    for program in &PROGRAMS {
        let end = of_the_product(program);
        println!("{}: {end:?}", program.name);
        assert!(matches!(end, End::Holds(_)), "{}: {end:?}", program.name);
    }
}

#[test]
fn the_copy_without_a_bug_is_one() {
    for program in &PROGRAMS {
        let copy = of_a_copy(program, None);
        assert_eq!(copy, of_the_product(program), "{}", program.name);
    }
}

/// Of the copy, for Rust without `unsafe` cannot free what is borrowed: that the product's last step is the same one is
/// seen by reading `Rundown::release_closed`.
#[test]
fn nothing_is_used_after_it_may_be_freed() {
    let end = of_a_copy(&FREES, None);
    assert!(matches!(end, End::Holds(_)), "{end:?}");
}

/// The programs that find a bug, with what they say.
#[cfg(any(loom, shuttle))]
fn found(bug: Bug) -> Vec<(&'static str, String)> {
    let programs = PROGRAMS.iter().chain([&FREES]);
    let found = programs.filter_map(|program| {
        let End::Broken(words) = of_a_copy(program, Some(bug)) else {
            return None;
        };
        Some((program.name, words))
    });
    found.collect()
}

/// Asserts that the program for this bug finds it, in the expected words.
#[cfg(any(loom, shuttle))]
fn assert_found(bug: Bug) {
    let (program, words) = bug.shown_by();
    let all = found(bug);
    let said = all.iter().find(|(name, _)| *name == program);
    let said = said.unwrap_or_else(|| panic!("{bug:?} is not found by {program}, but by {all:?}"));
    assert!(said.1.contains(words), "{bug:?}: {said:?}");
}

#[cfg(any(loom, shuttle))]
#[test]
fn a_wrong_step_is_found() {
    Bug::STEPS.into_iter().for_each(assert_found);
}

#[cfg(loom)]
#[test]
fn a_weaker_memory_order_is_found() {
    Bug::ORDERS.into_iter().for_each(assert_found);
}

/// What the explorer's certificate says of it: it knows sequential consistency only. So these bugs are of the memory
/// order and of nothing else.
#[cfg(shuttle)]
#[test]
fn a_weaker_memory_order_is_no_wrong_step() {
    for bug in Bug::ORDERS {
        assert_eq!(found(bug), [], "{bug:?}");
    }
}
