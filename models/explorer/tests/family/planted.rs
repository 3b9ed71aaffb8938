//! The comparison itself: a disagreement is noticed whichever side errs, and is shown as a small program.

use std::panic::catch_unwind;
use std::sync::Arc;

use super::explored::{Explored, builder, compare, explored};
use super::generator::family;
use super::program::{Op, Program};
use super::reference::{Outcomes, outcomes};

fn found(program: &Program) -> Explored {
    explored(program, builder(program))
}

fn expected(program: &Program) -> Arc<Outcomes> {
    outcomes(program, false)
}

/// What is shown of the first disagreement: the program's lines, and what follows.
fn shown(
    explore: impl Fn(&Program) -> Explored,
    reference: impl Fn(&Program) -> Arc<Outcomes>,
) -> String {
    let compared = catch_unwind(std::panic::AssertUnwindSafe(|| {
        compare(family().iter().take(400), explore, reference)
    }));
    let payload = compared.expect_err("they disagree");
    let message = payload.downcast_ref::<String>().expect("a message");
    let until = message.find("\nprogram: ").expect("the report follows");
    message[..until].to_owned()
}

/// The operations in the lines of the threads.
fn operations(shown: &str) -> usize {
    let threads = shown.lines().filter(|line| line.starts_with("thread "));
    let ops = threads.filter_map(|line| line.split_once(": "));
    ops.map(|(_, ops)| ops.split("; ").filter(|op| !op.is_empty()).count())
        .sum()
}

#[test]
fn an_explorer_that_loses_an_end_is_noticed() {
    let shown = shown(
        |program| {
            let mut found = found(program);
            if found.finals.len() > 1 {
                found.finals.pop_last();
            }
            found
        },
        expected,
    );
    // Two ends need two operations, or one that chooses.
    assert!((1..=3).contains(&operations(&shown)), "{shown}");
    assert!(shown.contains("missed: [(["), "{shown}");
    assert!(shown.ends_with("added: []"), "{shown}");
}

#[test]
fn an_explorer_that_comes_to_an_end_that_is_none_is_noticed() {
    let shown = shown(
        |program| {
            let mut found = found(program);
            if let Some((numbers, slots, answers)) = found.finals.pop_first() {
                let beyond = numbers.iter().map(|number| number + 1).collect();
                found.finals.insert((beyond, slots, answers));
            }
            found
        },
        expected,
    );
    assert_eq!(operations(&shown), 0, "{shown}");
    assert!(shown.contains("added: [([1"), "{shown}");
}

/// The program, in which nobody is woken.
fn deaf(program: &Program) -> Program {
    let mut program = program.clone();
    for op in program.threads.iter_mut().flatten() {
        if let Op::Announce(cell, by) = *op {
            *op = Op::Change(cell, by);
        }
    }
    program
}

#[test]
fn a_deadlock_that_one_side_does_not_know_is_noticed() {
    let deadlock = "and that it can get stuck";
    let unknown_to_the_explorer = shown(found, |program| expected(&deaf(program)));
    assert!(
        unknown_to_the_explorer.contains(deadlock),
        "{unknown_to_the_explorer}"
    );
    let unknown_to_the_reference = shown(|program| found(&deaf(program)), expected);
    assert!(
        unknown_to_the_reference.contains("cannot get stuck"),
        "{unknown_to_the_reference}"
    );
    for shown in [unknown_to_the_explorer, unknown_to_the_reference] {
        // One sleeps, and one would wake it.
        assert!(
            shown.contains("Await(") && shown.contains("Announce("),
            "{shown}"
        );
        assert!(operations(&shown) <= 3, "{shown}");
    }
}
