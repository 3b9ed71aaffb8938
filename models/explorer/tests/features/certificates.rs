//! A report says under which assumptions its verdict was reached.

use std::sync::Arc;

use nmr_explorer::{Explorer, Reduction, Report};
use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::thread;

use super::programs::{adders, appenders};

fn report(workers: usize) -> Report {
    let builder = Explorer::builder().name("three adders").workers(workers);
    builder.check(|| {
        adders(3, 3);
    })
}

#[test]
fn a_certificate_names_everything_that_the_verdict_hangs_on() {
    let report = report(2);
    let text = report.to_string();
    assert!(text.starts_with("three adders: exhausted\n"), "{text}");
    let explorer = format!("nmr-explorer {} ({})", report.version, report.commit);
    let chance = format!(
        "the chance of a missed state is at most {:.1e}",
        report.chance_of_a_missed_state()
    );
    let states = format!("{} states", report.states);
    for part in [
        "under sequential consistency",
        "without spurious wake-ups",
        "no bound on preemptions",
        "hashes of 128 bits",
        "2 worker(s)",
        &explorer,
        &chance,
        &states,
    ] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    assert_eq!(report.version, env!("CARGO_PKG_VERSION"));
    assert!(report.commit.starts_with("commit "), "{}", report.commit);
    // Nothing is exchanged here, and what is not in force is not named.
    let in_force = "reductions: visible-operations, visited-states, forgetting, lock-aware\n";
    assert!(text.contains(in_force), "{text}");
}

#[test]
fn as_data_a_certificate_has_whatever_it_says_in_words() {
    let builder = Explorer::builder().name("a wait").spurious_wakeups();
    let report = builder
        .external_state(|_| {})
        .symmetries(vec![vec![0, 1]])
        .check(|| {
            let flag = Arc::new(AtomicUsize::new(0));
            let other = flag.clone();
            let thread = thread::spawn(move || other.store(1, SeqCst));
            while flag.load(SeqCst) == 0 {
                thread::yield_now();
            }
            thread.join().unwrap();
        });
    let json = serde_json::to_value(&report).unwrap();
    let expected = serde_json::json!({
        "memory": "sequential consistency",
        "spurious_wakeups": true,
        "max_preemptions": null,
        "hash_bits": 128,
        "chance_of_a_missed_state": report.chance_of_a_missed_state(),
        "rounds_repeat": true,
        "external_state": true,
        "symmetries": 1,
    });
    assert_eq!(json["assumptions"], expected);
    assert!(report.chance_of_a_missed_state() > 0.0, "{report}");
    for part in [
        "waits for a change",
        "stands beside the primitives",
        "with spurious wake-ups",
    ] {
        assert!(report.to_string().contains(part), "no `{part}`: {report}");
    }
    assert_eq!(json["verdict"], "exhausted");
    assert_eq!(json["reductions"], serde_json::json!(report.reductions));
    let figures = [
        ("executions", report.executions),
        ("before_restart", report.before_restart),
        ("known", report.known),
        ("verifying", report.verifying),
        ("transitions", report.transitions),
        ("states", report.states),
        ("preemptions", report.preemptions),
        ("restarts", report.restarts),
        ("memory", report.memory),
    ];
    for (name, figure) in figures {
        assert_eq!(json[name], figure, "{name}");
    }
    for (name, text) in [
        ("name", "a wait"),
        ("version", &report.version),
        ("commit", &report.commit),
    ] {
        assert_eq!(json[name], text, "{name}");
    }
}

#[test]
fn a_reduction_that_was_off_is_not_named() {
    let builder = || Explorer::builder().symmetries(vec![vec![0], vec![0]]);
    let all = builder().check(|| {});
    assert_eq!(all.reductions, Reduction::ALL.map(Reduction::name));
    for one in Reduction::ALL {
        let report = builder().without(one).check(|| {});
        assert!(!report.to_string().contains(one.name()), "{report}");
    }
}

#[test]
fn a_reduction_that_has_nothing_to_reduce_is_not_named() {
    let one = Explorer::builder().symmetries(vec![vec![0]]).check(|| {});
    assert!(!one.reductions.contains(&"symmetry"), "{one}");
    let stateless = Explorer::builder()
        .symmetries(vec![vec![0], vec![0]])
        .without(Reduction::VisitedStates)
        .check(|| {});
    assert_eq!(stateless.reductions, ["visible-operations", "lock-aware"]);
    let off = Reduction::ALL.into_iter();
    let none = off.fold(Explorer::builder(), nmr_explorer::Builder::without);
    let none = none.check(|| {}).to_string();
    assert!(none.contains("reductions: none\n"), "{none}");
}

#[test]
fn spurious_wake_ups_are_named() {
    let report = Explorer::builder().spurious_wakeups().check(|| {});
    assert!(
        report.to_string().contains(", with spurious wake-ups,"),
        "{report}"
    );
    assert!(report.assumptions.spurious_wakeups);
}

#[test]
fn the_chance_of_a_missed_state_is_that_of_two_equal_hashes() {
    // 4³ − 1 − 9 states with a choice: 54·53/2 pairs.
    let report = report(1);
    assert_eq!(report.states, 54);
    let chance = report.chance_of_a_missed_state();
    assert!(
        (chance * 2_f64.powi(128) - 1_431.0).abs() < 1e-9,
        "{chance}"
    );
    let none = Explorer::builder().without(Reduction::VisitedStates);
    let report = none.check(|| {
        adders(2, 1);
    });
    assert_eq!(report.chance_of_a_missed_state(), 0.0);
}

#[test]
fn whatever_the_verdict_the_certificate_begins_with_it() {
    let text = |report: Report| report.to_string();
    let name = || Explorer::builder().name("name");
    let violated = name().check(|| panic!("on purpose"));
    assert!(text(violated).starts_with("name: violated: on purpose\n"));
    let cut = name().max_executions(1).check(|| drop(appenders(2, 2)));
    assert!(text(cut).starts_with("name: incomplete: "));
    let lock = std::sync::Arc::new(nmr_sync::Mutex::new(()));
    let refused = name().check(move || drop(lock.lock()));
    assert!(text(refused).starts_with("name: harness error: "));
}
