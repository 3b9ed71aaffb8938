//! A report says under which assumptions its verdict was reached.

use nmr_explorer::{Explorer, Reduction, Report};

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
    assert!(report.spurious);
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
