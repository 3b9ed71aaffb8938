//! A search that was cut short and is gone on with comes to the same as one that was not; a checkpoint of anything else
//! is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nmr_search::{Choice, Counts, Cut, Fault, Outcome, Report, Search, System};
use tempfile::TempDir;

use crate::systems::counters::Counters;
use crate::systems::graph::Graph;
use crate::systems::handoff::Handoff;
use crate::systems::held::Held;
use crate::systems::liar::{Liar, Lie};
use crate::systems::philosophers::Philosophers;
use crate::systems::tokens::Tokens;

type ReportOf<S> = Report<<S as System>::Action, <S as System>::Violation>;

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("search.checkpoint");
    (folder, file)
}

/// Cut short each time `more` states further on, and gone on with; how often, and what came out in the end.
fn in_pieces<S: System>(search: &Search, system: &S, more: u64) -> (usize, ReportOf<S>)
where
    S::Violation: PartialEq,
{
    let (_folder, file) = folder();
    let search = search.clone().checkpoint(&file);
    let mut cuts = 0;
    loop {
        let most = (cuts + 1) * more;
        let report = search.clone().max_states(most).run(system);
        assert_eq!(
            report.effort.resumed,
            cuts * more,
            "what was there is taken over"
        );
        if report.outcome != Outcome::Incomplete(Cut::States(most)) {
            assert!(!file.exists(), "nothing is left of it");
            return (cuts as usize, report);
        }
        assert_eq!(report.counts.states, most);
        cuts += 1;
    }
}

#[track_caller]
fn assert_the_same<S: System>(search: &Search, system: &S, more: u64)
where
    S::Violation: PartialEq,
{
    let whole = search.run(system);
    for workers in [1, 2, 4] {
        let (cuts, pieces) = in_pieces(&search.clone().workers(workers), system, more);
        assert!(cuts > 1, "{} was cut short {cuts} times", whole.system);
        assert_eq!(pieces.outcome, whole.outcome, "{workers} workers");
        assert_eq!(pieces.counts, whole.counts, "{workers} workers");
    }
}

fn plain() -> Search {
    Search::new().symmetry(false).ample(false)
}

#[test]
fn an_interrupted_search_comes_to_the_same() {
    let tokens = Tokens::new(12, 6);
    for more in [1, 7, 100, 400] {
        assert_the_same(&plain(), &tokens, more);
    }
    assert_the_same(&plain().symmetry(true), &tokens, 11);
    assert_the_same(&plain(), &Philosophers::new(6, true), 50);
    let handoff = Handoff {
        threads: 2,
        items: 3,
        wakes_all: true,
    };
    assert_the_same(&plain(), &handoff, 20);
}

#[test]
fn an_interrupted_search_with_reductions_or_verified_claims_comes_to_the_same() {
    let counters = Counters::new(5, 3);
    assert_the_same(&Search::new(), &counters, 3);
    assert_the_same(&Search::new().verify(true), &counters, 10);
    assert_the_same(&Search::new().verify(true).symmetry(false), &counters, 300);
}

#[test]
fn an_interrupted_search_finds_the_same() {
    let mut counters = Counters::new(4, 4);
    counters.end_is_wrong = true;
    // The end comes after the first 16 actions; states of the other ways are met only if it is not.
    assert_the_same(&plain(), &counters, 5);
}

/// How deep it was is of the whole search, and the same one with one worker.
#[test]
fn one_worker_goes_on_by_depth_where_it_was() {
    let tokens = Tokens::new(14, 7);
    let whole = plain().run(&tokens);
    let (_, pieces) = in_pieces(&plain(), &tokens, 500);
    assert_eq!(pieces.effort.deepest, whole.effort.deepest);
}

#[test]
fn what_two_workers_left_one_goes_on_with_and_the_other_way_round() {
    let tokens = Tokens::new(14, 7);
    let whole = plain().run(&tokens).counts;
    for [first, then] in [[1, 4], [4, 1], [2, 2]] {
        let (_folder, file) = folder();
        let search = plain().checkpoint(&file);
        let cut = search.clone().workers(first).max_states(2000).run(&tokens);
        assert_eq!(cut.outcome, Outcome::Incomplete(Cut::States(2000)));
        let report = search.workers(then).run(&tokens);
        report.assert_exhausted();
        assert_eq!(report.counts, whole);
    }
}

/// Stopped by somebody, at whatever place, and gone on with.
#[test]
fn a_stopped_search_is_gone_on_with() {
    let tokens = Tokens::new(16, 8);
    let whole = plain().run(&tokens).counts;
    for workers in [1, 2] {
        let (_folder, file) = folder();
        let stop = Arc::new(AtomicBool::new(false));
        let also = Arc::clone(&stop);
        let search = plain().workers(workers).checkpoint(&file);
        // It is slow to the end, unless it is stopped.
        let slow = Held::new(tokens.clone(), || false);
        let stopped = search
            .clone()
            .progress(move |_| also.store(true, Ordering::Relaxed))
            .stop(stop)
            .run(&slow);
        assert_eq!(stopped.outcome, Outcome::Incomplete(Cut::Stopped));
        assert!(file.exists());
        let report = search.run(&tokens);
        report.assert_exhausted();
        assert_eq!(report.effort.resumed, stopped.counts.states);
        assert_eq!(report.counts, whole);
    }
}

/// Each sends the workers home and lets new ones go on.
#[test]
fn checkpoints_while_it_runs_change_nothing() {
    let tokens = Tokens::new(16, 8);
    let whole = plain().run(&tokens);
    for workers in [1, 2, 4] {
        let (_folder, file) = folder();
        let held = Held::new(tokens.clone(), || file.exists());
        let search = plain().workers(workers).checkpoint(&file);
        let interval = Duration::from_micros(100);
        let report = search.checkpoint_interval(interval).run(&held);
        assert!(held.has_happened(), "it was written, and gone on with");
        report.assert_exhausted();
        assert_eq!(report.counts, whole.counts, "{workers} workers");
        assert!(!file.exists());
    }
}

/// A deep path is written once, and not once for each state on it.
#[test]
fn a_checkpoint_of_a_deep_path_is_small() {
    let nodes = 4000;
    let edges = (0..nodes).map(|node| vec![(node + 1) % nodes, 0]).collect();
    let (_folder, file) = folder();
    let graph = Graph {
        edges,
        forbidden: Vec::new(),
        no_ends: Vec::new(),
    };
    let report = plain().checkpoint(&file).max_states(3999).run(&graph);
    assert_eq!(report.outcome, Outcome::Incomplete(Cut::States(3999)));
    let bytes = file.metadata().expect("it is there").len();
    assert!(bytes < 40 * nodes as u64, "{bytes} bytes");
    let report = plain().checkpoint(&file).run(&graph);
    report.assert_exhausted();
    let (states, transitions) = (report.counts.states, report.counts.transitions);
    assert_eq!((states, transitions), (4000, 8000));
}

/// A checkpoint of 12 places, and what is said of it to a search.
fn refused(search: &Search, system: &Tokens, damage: impl FnOnce(&Path)) -> String {
    let (_folder, file) = folder();
    let cut = plain()
        .checkpoint(&file)
        .max_states(100)
        .run(&Tokens::new(12, 6));
    assert_eq!(cut.outcome, Outcome::Incomplete(Cut::States(100)));
    damage(&file);
    let before = std::fs::read(&file).expect("it is there");
    let report = search.clone().checkpoint(&file).run(system);
    assert_eq!(std::fs::read(&file).expect("it is there"), before);
    assert_eq!(report.counts, Counts::default());
    match report.outcome {
        Outcome::HarnessError {
            fault: Fault::Checkpoint(message),
            path,
        } if path.is_empty() => message,
        _ => panic!("{report}"),
    }
}

#[test]
fn a_checkpoint_of_another_system_or_of_other_reductions_is_refused() {
    let message = refused(&plain(), &Tokens::new(13, 6), |_| {});
    assert!(
        message.contains(
            "another system: it has 6 tokens on 12 places, this is 6 tokens on 13 places"
        ),
        "{message}"
    );
    let message = refused(&plain().symmetry(true), &Tokens::new(12, 6), |_| {});
    assert!(
        message.contains("another set of reductions: it has [], this is [symmetry]"),
        "{message}"
    );
    assert!(message.ends_with("remove it to begin anew"), "{message}");
}

#[test]
fn a_damaged_checkpoint_is_refused_whatever_byte_it_is() {
    let tokens = Tokens::new(12, 6);
    let (_folder, file) = folder();
    let cut = plain().checkpoint(&file).max_states(5).run(&tokens);
    assert_eq!(cut.outcome, Outcome::Incomplete(Cut::States(5)));
    for byte in 0..file.metadata().expect("it is there").len() as usize {
        let message = refused_bytes(&tokens, &file, |bytes| bytes[byte] ^= 1);
        assert!(
            message.contains("no checkpoint that can be used"),
            "{message}"
        );
    }
    for size in [0, 10, 30, 60] {
        refused_bytes(&tokens, &file, |bytes| bytes.truncate(size));
    }
}

/// Another damage of the same checkpoint.
fn refused_bytes(system: &Tokens, file: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> String {
    refused(&plain(), system, |damaged| {
        let mut bytes = std::fs::read(file).expect("it is there");
        damage(&mut bytes);
        std::fs::write(damaged, bytes).expect("a file");
    })
}

#[test]
fn where_no_checkpoint_can_be_written_the_search_says_so() {
    let (_folder, file) = folder();
    let nowhere = file.join("below a file that is not there");
    let report = plain()
        .checkpoint(&nowhere)
        .max_states(5)
        .run(&Tokens::new(12, 6));
    match &report.outcome {
        Outcome::HarnessError {
            fault: Fault::Checkpoint(message),
            ..
        } => assert!(message.contains("cannot be written"), "{message}"),
        _ => panic!("{report}"),
    }
}

/// The system has changed, and its identity has not: the saved path cannot be followed.
#[test]
fn a_path_that_cannot_be_followed_again_is_a_harness_error() {
    let (_folder, file) = folder();
    let graph = |edges: &[&[usize]]| Graph {
        edges: edges.iter().map(|to| to.to_vec()).collect(),
        forbidden: Vec::new(),
        no_ends: Vec::new(),
    };
    let cut = plain()
        .checkpoint(&file)
        .max_states(2)
        .run(&graph(&[&[1], &[0, 2], &[]]));
    assert_eq!(cut.outcome, Outcome::Incomplete(Cut::States(2)));
    let report = plain().checkpoint(&file).run(&graph(&[&[1], &[0], &[]]));
    match &report.outcome {
        Outcome::HarnessError {
            fault: Fault::NotTheSame(_),
            ..
        } => {}
        _ => panic!("{report}"),
    }
}

/// A checkpoint is none of what was found: the search that goes on after it is mended begins anew.
#[test]
fn what_is_found_leaves_no_checkpoint() {
    let (_folder, file) = folder();
    let philosophers = Philosophers::new(5, false);
    let search = plain().checkpoint(&file);
    let cut = search.clone().max_states(3).run(&philosophers);
    assert_eq!(cut.outcome, Outcome::Incomplete(Cut::States(3)));
    let report = search.run(&philosophers);
    match &report.outcome {
        Outcome::Violated(found) => assert_eq!(found.choice, Choice::Shortest),
        _ => panic!("{report}"),
    }
    assert!(!file.exists());
}

/// Two states with one encoding are met in two pieces: what the first was like is in the checkpoint.
#[test]
fn what_was_verified_is_remembered() {
    let (_, report) = in_pieces(&Search::new().verify(true), &Liar(Lie::LeavesOut), 1);
    assert!(
        matches!(report.outcome, Outcome::WrongClaim { .. }),
        "{report}"
    );
}

/// Of a set of two actions the first was done before the cut, and the second, that makes no progress, after it.
#[test]
fn the_measure_of_progress_is_remembered() {
    let (cuts, report) = in_pieces(&Search::new(), &Liar(Lie::HalfProgress), 1);
    let expected = Fault::NoProgress {
        action: 1,
        before: 0,
        after: 0,
    };
    assert!(cuts > 0);
    match &report.outcome {
        Outcome::HarnessError { fault, .. } => assert_eq!(fault, &expected),
        _ => panic!("{report}"),
    }
}
