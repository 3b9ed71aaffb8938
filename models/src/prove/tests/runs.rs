//! Runs over programs, with a prover that looks at a program and makes up what comes of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use super::TINY;
use crate::conditions::Conditions;
use crate::prove::checkpoint::{About, Checkpoint};
use crate::prove::run::{Run, Share};
use crate::prove::{Outcome, Proved, Prover, Size, Space, Totals, Violation};
use crate::report::Verdict;
use crate::rule::Rule;
use crate::scenario::Scenario;
use crate::shard::Shard;

/// As if programs had as many states as their text has letters, and one in so many broke some rule.
struct MakingUp {
    one_in: u64,
    asked: AtomicU64,
}

impl MakingUp {
    fn new(one_in: u64) -> Self {
        Self {
            one_in,
            asked: AtomicU64::new(0),
        }
    }
}

impl Prover for MakingUp {
    fn exhaust(&self, scenario: &Scenario) -> Proved {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let text = scenario.to_toml();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        let rule = Rule::all().nth(hash as usize % 3);
        let outcome = match hash % self.one_in {
            0 => Outcome::Violated(Violation {
                rule,
                message: text.clone(),
                executions: Some(1),
                schedule: Vec::new(),
                sections: None,
            }),
            1 => Outcome::Incomplete(format!("{hash}")),
            2 => Outcome::Failed(format!("{hash}")),
            _ => Outcome::Holds,
        };
        Proved {
            states: text.len() as u64,
            transitions: hash % 1_000,
            exercised: std::array::from_fn(|rule| hash >> rule & 1),
            outcome,
        }
    }
}

/// So that there is more than one batch for each worker.
fn space() -> Space {
    Space::new(Size {
        attach: Size::MEDIUM.attach,
        detach: Size::MEDIUM.detach,
        ..TINY
    })
}

fn run(space: &Space, shard: Shard, workers: usize) -> Totals {
    let mut totals = Totals::default();
    let prover = MakingUp::new(97);
    let run = Run {
        share: Share::new(space, shard),
        prover: &prover,
        workers: NonZeroUsize::new(workers).unwrap(),
    };
    run.go_on(&mut totals, &|| false, |_| {});
    assert_eq!(totals.programs, prover.asked.load(Ordering::Relaxed));
    totals
}

#[test]
fn totals_are_the_same_however_many_work_on_them() {
    let space = space();
    assert!(space.len() > 500, "{}", space.len());
    let one = run(&space, Shard::WHOLE, 1);
    assert_eq!(one.programs, space.len());
    assert!(
        one.violated > 0 && one.incomplete > 0 && one.failed > 0,
        "{one:?}"
    );
    assert!(one.broken.len() > 1, "several rules: {one:?}");
    for workers in [2, 7] {
        assert_eq!(run(&space, Shard::WHOLE, workers), one);
    }
}

#[test]
fn shares_add_up_to_the_whole() {
    let space = space();
    let whole = run(&space, Shard::WHOLE, 2);
    for shards in [2, 3, 64] {
        let mut sum = Totals::default();
        // In another order than that of the shards.
        for index in (1..=shards).rev() {
            let shard: Shard = format!("{index}/{shards}").parse().unwrap();
            let totals = run(&space, shard, 2);
            assert_eq!(totals.programs, Share::new(&space, shard).len());
            sum.merge(totals);
        }
        assert_eq!(sum, whole);
    }
}

#[test]
fn there_may_be_more_shards_than_programs() {
    let space = Space::new(Size {
        operations_in_all: 1,
        ..TINY
    });
    assert_eq!(space.len(), 2);
    let lengths = [1, 2, 3].map(|index| {
        let shard = format!("{index}/3").parse().unwrap();
        Share::new(&space, shard).len()
    });
    assert_eq!(lengths, [1, 1, 0]);
    assert_eq!(run(&space, "3/3".parse().unwrap(), 2), Totals::default());
}

#[test]
fn a_run_that_is_stopped_again_and_again_comes_to_the_same() {
    let space = space();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("programs.checkpoint");
    let about = || About::new(space.size(), Shard::WHOLE, Conditions::default());
    let mut stops = 0;
    let totals = loop {
        let mut checkpoint = Checkpoint::load(&path, about()).unwrap();
        let before = checkpoint.totals.programs;
        let prover = MakingUp::new(97);
        let run = Run {
            share: Share::new(&space, Shard::WHOLE),
            prover: &prover,
            workers: NonZeroUsize::new(3).unwrap(),
        };
        let stop = || prover.asked.load(Ordering::Relaxed) >= 101;
        run.go_on(&mut checkpoint.totals, &stop, |_| {});
        checkpoint.save(&path).unwrap();
        let totals = checkpoint.totals;
        if totals.programs == space.len() {
            break totals;
        }
        // How far the workers came before they were stopped is theirs.
        let expected = match totals.violated {
            0 => Verdict::Incomplete,
            _ => Verdict::Violated,
        };
        assert_eq!(totals.verdict(space.len()), expected);
        assert!(totals.programs > before, "nothing was done");
        stops += 1;
    };
    assert!(stops > 2, "{stops}");
    assert_eq!(totals, run(&space, Shard::WHOLE, 1));
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("programs.checkpoint");
    let about =
        |size: &Size, shard: &str| About::new(size, shard.parse().unwrap(), Conditions::default());
    Checkpoint::new(about(&TINY, "1/2")).save(&path).unwrap();
    assert!(Checkpoint::load(&path, about(&TINY, "1/2")).is_ok());
    let refused = |about| Checkpoint::load(&path, about).unwrap_err().to_string();
    let other = refused(about(&Size::MEDIUM, "1/2"));
    assert!(
        other.contains("is of another size: it has tiny, this is medium"),
        "{other}"
    );
    let other = refused(about(&TINY, "2/2"));
    assert!(
        other.contains("is of another shard: it has 1/2, this is 2/2"),
        "{other}"
    );
    let hard = Conditions {
        spurious_wakeups: true,
        ..Conditions::default()
    };
    let other = refused(About::new(&TINY, "1/2".parse().unwrap(), hard));
    assert!(
        other.contains("set of conditions: it has none, this is with spurious wake-ups"),
        "{other}"
    );
    let other = refused(about(
        &Size {
            limits: true,
            ..TINY
        },
        "1/2",
    ));
    assert!(other.contains("is of another set of bounds"), "{other}");

    let text = std::fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("\"executable\":\"").unwrap();
    let changed = format!("{before}\"executable\":\"0{}", &after[1..]);
    let same = changed == text;
    std::fs::write(&path, changed).unwrap();
    let other = Checkpoint::load(&path, about(&TINY, "1/2"));
    assert!(
        same || other
            .unwrap_err()
            .to_string()
            .contains("is of another build")
    );

    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let cut = refused(about(&TINY, "1/2"));
    assert!(cut.contains("is no checkpoint of programs"), "{cut}");
}

#[test]
fn the_gravest_decides_and_what_is_left_is_no_proof() {
    let of = |violated, failed, incomplete, programs| Totals {
        violated,
        failed,
        incomplete,
        programs,
        ..Totals::default()
    };
    assert_eq!(of(0, 0, 0, 9).verdict(9), Verdict::Holds);
    assert_eq!(of(0, 0, 0, 8).verdict(9), Verdict::Incomplete);
    assert_eq!(of(0, 0, 1, 9).verdict(9), Verdict::Incomplete);
    assert_eq!(of(0, 1, 1, 9).verdict(9), Verdict::HarnessError);
    assert_eq!(of(1, 1, 1, 9).verdict(9), Verdict::Violated);
}
