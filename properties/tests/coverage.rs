//! What is reached today is reached tomorrow: each cell of coverage has a program in the corpus of this repository.
//!
//! After a change that makes other cells reachable, or these by other programs:
//! `NMR_UPDATE=1 cargo test --release -p nmr-properties --test coverage`.

use std::collections::BTreeSet;

use nmr_models::conditions::Conditions;
use nmr_models::coverage::Cell;
use nmr_models::scenario::Scenario;
use nmr_properties::campaign::about::About;
use nmr_properties::campaign::corpus::{Corpus, cells};
use nmr_properties::campaign::matrix::reason;
use nmr_properties::campaign::plan::Plan;

/// Batches of programs that an update looks at.
const BATCHES: u64 = 150;

/// What the programs of several batches reach, and mutants of what was kept before.
fn update() {
    let mut corpus = Corpus::built_in().expect("it can be read");
    let about = About::new(1, 100, Conditions::default(), String::new());
    for batch in 0..BATCHES {
        let plan = Plan::new(&about, batch);
        let kept: Vec<Scenario> = corpus.programs().map(|(_, it)| it.clone()).collect();
        let pool: Vec<&Scenario> = kept.iter().collect();
        for index in 0..about.programs {
            let program = plan.program(index, &pool).program;
            let known: BTreeSet<&Cell> = corpus.cells().collect();
            let reached = cells(&program, Conditions::default());
            if reached.iter().any(|cell| !known.contains(cell)) {
                corpus.offer(&program, Conditions::default());
            }
        }
    }
    corpus
        .save(&Corpus::built_in_folder())
        .expect("it can be written");
}

#[test]
fn no_cell_that_is_reached_today_is_lost() {
    if std::env::var_os("NMR_UPDATE").is_some() {
        update();
    }
    let corpus = Corpus::built_in().expect("it can be read");
    assert!(corpus.cells().count() > 300, "{}", corpus.cells().count());
    let mut lost = Vec::new();
    for (name, program) in corpus.programs() {
        let reached = cells(program, Conditions::default());
        let own = corpus
            .cells()
            .filter(|cell| corpus.program_for(cell) == Some(name));
        lost.extend(
            own.filter(|cell| !reached.contains(cell))
                .map(|cell| format!("{name}: {cell}")),
        );
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn what_cannot_be_reached_is_not() {
    let corpus = Corpus::built_in().expect("it can be read");
    let wrong = corpus.cells().filter(|cell| reason(cell).is_some());
    let wrong: Vec<String> = wrong
        .map(|cell| format!("{cell}: {:?}", reason(cell)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
