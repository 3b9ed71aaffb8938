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
#[cfg(any(loom, shuttle))]
use programs::PROGRAMS;
use programs::{FREES, Program};
use protection::Protection;
use search::{End, search};

/// A copy under a program.
fn of_a_copy(program: Program, bug: Option<Bug>) -> End {
    let is_freed = program.name == FREES.name;
    let run = move || (program.run)(Arc::new(Planted::new(bug, is_freed)));
    search(run, program.is_large)
}

/// Asserts that the product holds what a program asserts, and that a copy without a bug is one.
fn assert_holds(program: Program) {
    let run = move || (program.run)(Arc::new(Rundown::new()));
    let product = search(run, program.is_large);
    println!("{product:?}");
    assert!(matches!(product, End::Holds(_)), "{product:?}");
    assert_eq!(of_a_copy(program, None), product, "the copy is another");
}

/// Of the copy, for Rust without `unsafe` cannot free what is borrowed: that the product's last step is the same one is
/// seen by reading `Rundown::release_closed`.
#[test]
fn nothing_is_used_after_it_may_be_freed() {
    let end = of_a_copy(FREES, None);
    println!("{end:?}");
    assert!(matches!(end, End::Holds(_)), "{end:?}");
}

/// Asserts that the program for this bug finds it, in the expected words.
#[cfg(any(loom, shuttle))]
fn assert_found(bug: Bug) {
    let (name, words) = bug.shown_by();
    let mut programs = PROGRAMS.iter().chain([&FREES]);
    let program = programs.find(|program| program.name == name);
    let end = of_a_copy(*program.expect("there is such a program"), Some(bug));
    let is_found = matches!(&end, End::Broken(said) if said.contains(words));
    assert!(is_found, "{bug:?} under {name}: {end:?}");
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
        for &program in PROGRAMS {
            let end = of_a_copy(program, Some(bug));
            let holds = matches!(end, End::Holds(_));
            assert!(holds, "{bug:?} under {}: {end:?}", program.name);
        }
    }
}
