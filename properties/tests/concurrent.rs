//! Random scenarios: what is generated, in every build, and what the oracle says of it under shuttle.

use std::collections::BTreeSet;
use std::path::Path;

use nmr::Side;
use nmr_models::op::Op;
use nmr_models::scenario::{Detach, Scenario};
use nmr_models::shard::Shard;
use nmr_properties::concurrent::assemble::OPERATIONS;
use nmr_properties::concurrent::fair::{is_fair, mended};
use nmr_properties::concurrent::series::{scenario, scenario_seed};
use nmr_properties::concurrent::simplify::{renumbered, size, variants};
use nmr_properties::minimize::minimize;

const SEED: u64 = 0x6e6d_7203;

fn drawn(count: u32) -> impl Iterator<Item = Scenario> {
    (0..count).map(|index| scenario(scenario_seed(SEED, Shard::WHOLE, index)))
}

#[test]
fn every_generated_scenario_is_valid_fair_and_within_the_bounds() {
    for scenario in drawn(2_000) {
        let text = scenario.to_toml();
        let checked = scenario.check(Path::new("generated"), &text);
        checked.unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(is_fair(&scenario), "{text}");
        assert!((2..=4).contains(&scenario.threads.len()), "{text}");
        let mut threads = scenario.threads.iter();
        assert!(
            threads.all(|thread| thread.ops.len() <= OPERATIONS),
            "{text}"
        );
        assert!((2..=8).contains(&scenario.modules.len()), "{text}");
    }
}

#[test]
fn generated_scenarios_survive_being_saved() {
    for scenario in drawn(200) {
        let text = scenario.to_toml();
        let again = Scenario::from_toml(Path::new("generated"), &text);
        assert_eq!(again.unwrap_or_else(|error| panic!("{error}")), scenario);
    }
}

#[test]
fn a_seed_and_a_shard_fix_the_series() {
    let shard = |text: &str| -> Shard { text.parse().expect("a shard") };
    let series = |seed, shard| -> Vec<Scenario> {
        (0..20)
            .map(|index| scenario(scenario_seed(seed, shard, index)))
            .collect()
    };
    let first = series(1, shard("1/2"));
    assert_eq!(first, series(1, shard("1/2")));
    assert_ne!(first, series(1, shard("2/2")));
    assert_ne!(first, series(2, shard("1/2")));
    // Documented, and therefore not to change without notice: SplitMix64's own first output.
    assert_eq!(
        splitmix_reference(5),
        scenario_seed(5_u64.wrapping_sub(shift()), Shard::WHOLE, 0)
    );
}

/// What the first shard adds to the state.
fn shift() -> u64 {
    0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(1 << 32)
}

/// The first output of SplitMix64 from `seed`, written out.
fn splitmix_reference(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
fn mending_a_fair_scenario_changes_nothing() {
    for scenario in drawn(500) {
        assert_eq!(mended(scenario.clone()), scenario);
    }
}

#[test]
fn every_simpler_variant_is_fair_and_smaller_down_to_almost_nothing() {
    for start in drawn(10) {
        let mut scenario = start;
        loop {
            let next = variants(&scenario).next();
            let Some(variant) = next else { break };
            assert!(is_fair(&variant), "{}", variant.to_toml());
            assert!(size(&variant) < size(&scenario));
            scenario = variant;
        }
        assert_eq!(size(&scenario), 0, "{}", scenario.to_toml());
    }
}

#[test]
fn renumbering_keeps_the_scenario_and_is_done_once() {
    for scenario in drawn(200) {
        // Generated ones are numbered as they come.
        assert_eq!(renumbered(&scenario), scenario);
        let shorter = variants(&scenario).find(|v| v.modules.len() < scenario.modules.len());
        let Some(shorter) = shorter else { continue };
        let renamed = renumbered(&shorter);
        assert!(is_fair(&renamed), "{}", renamed.to_toml());
        assert_eq!(size(&renamed), size(&shorter));
        assert_eq!(renumbered(&renamed), renamed);
    }
}

/// What is left of a scenario in which one thread registers a client while another one deregisters it.
#[test]
fn shrinking_leaves_what_is_needed_and_nothing_else() {
    let does = |scenario: &Scenario, op: &Op| -> Option<usize> {
        let mut threads = scenario.threads.iter();
        threads.position(|thread| thread.ops.contains(op))
    };
    let fails = |scenario: &Scenario| {
        scenario.modules.iter().any(|module| {
            let register = does(scenario, &Op::Register(module.name.clone()));
            let deregister = does(scenario, &Op::Deregister(module.name.clone()));
            module.side == Side::Client && register.is_some() && deregister > register
        })
    };
    let mut shrunk = BTreeSet::new();
    for start in drawn(300).filter(|scenario| fails(scenario)) {
        let least = renumbered(&minimize(start, variants, fails, 10_000));
        shrunk.insert((least.modules.len(), least.threads.len(), size(&least)));
    }
    // A module (10), and two threads (5 each) with one operation (2 each).
    assert_eq!(shrunk, BTreeSet::from([(1, 2, 24)]));
}

/// Otherwise the search would show little.
#[test]
fn generated_scenarios_have_every_behaviour() {
    let all: Vec<Scenario> = drawn(500).collect();
    let pending = |s: &&Scenario| s.modules.iter().any(|m| m.detach == Detach::Pending);
    assert!(all.iter().filter(pending).count() > 150);
    let text: String = all.iter().map(Scenario::to_toml).collect();
    for word in [
        "attach = \"decline\"",
        "attach = \"hollow\"",
        "attach = \"change-of-mind\"",
        "attach = \"twice\"",
        "attach = \"panic\"",
        "attach = \"panic-after-attach\"",
        "detach = \"complete-early\"",
        "detach = \"rundown\"",
        "detach = \"panic\"",
        "cleanup = \"panic\"",
        "null-context = true",
        "npi = 2",
        "in-attach = [\"deregister",
        "in-attach = [\"wait",
        "in-attach = [\"register",
        "in-detach = [\"deregister",
        "in-detach = [\"wait",
        "in-cleanup = [\"deregister",
        "\"complete-all\"",
        "\"try-complete",
        "\"complete-again",
        "\"attach",
        "\"dispatch",
        "\"deregister-forged",
        "attach = \"one-at-a-time\"",
        "peers = [",
        "\"dispatch p",
        "\"set e",
        "\"await e",
        "in-detach = [\"await",
        "\"lock outer",
        "\"lock inner",
        "\"lock leaf",
        "max-registrations",
        "max-bindings",
        "fail-reservation",
        "last-generation",
    ] {
        assert!(text.contains(word), "`{word}` never turns up");
    }
}

#[cfg(shuttle)]
mod under_shuttle {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use nmr_models::case::{Case, KIND};
    use nmr_models::engine::{Request, shuttle};
    use nmr_models::engine_name::Engine;
    use nmr_models::replay::{Options, Replayed, Verdict, replay};
    use nmr_models::rule::Rule;
    use nmr_properties::campaign::folder::Folder;
    use nmr_properties::case;
    use nmr_properties::concurrent::canonical::{canonical, program};
    use nmr_properties::concurrent::explore::{Explored, PORTFOLIO, Sampler};

    use super::{SEED, Scenario, Shard, drawn, scenario, scenario_seed};

    /// About 20 s in a release build on one core.
    const SCENARIOS: u32 = 1_000;
    /// A run that takes longer than this has found something, and is shrinking it.
    const TIME: Duration = Duration::from_secs(600);

    fn load(file: &Path) -> Case {
        let text = case::read(file).unwrap_or_else(|error| panic!("{error}"));
        Case::from_toml(file, &text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn explorer() -> Sampler {
        Sampler::new(Instant::now() + TIME, Default::default())
    }

    /// Replays the saved cases; answers how many there are.
    fn replay_saved() -> usize {
        let files = case::of_kind(&case::regressions(), KIND);
        let files = files.unwrap_or_else(|error| panic!("{error}"));
        for file in &files {
            let case = load(file);
            let replayed = again(&case);
            assert!(
                replayed.verdict.is(case.expect.unwrap_or_default()),
                "{}replay with: {}",
                replayed.text(),
                case::replay_command(file)
            );
        }
        files.len()
    }

    fn again(case: &Case) -> Replayed {
        replay(case, &Options::default(), |_| {})
    }

    #[test]
    fn every_saved_schedule_comes_to_what_is_expected() {
        assert!(replay_saved() > 2, "the folder holds examples");
    }

    /// A scenario that hangs by its own fault: nobody completes the pending detach.
    const UNFAIR: &str = r#"
        name = "unfair"
        summary = "a wait for a detach that nobody completes"
        before = ["register c1", "register p1"]

        [[module]]
        name = "c1"
        side = "client"
        detach = "pending"

        [[module]]
        name = "p1"
        side = "provider"

        [[thread]]
        name = "t1"
        ops = ["deregister p1"]

        [[thread]]
        name = "t2"
        ops = ["deregister c1", "wait c1"]
    "#;

    #[test]
    fn a_failure_is_found_saved_and_found_again() {
        let scenario = Scenario::from_toml(Path::new("unfair"), UNFAIR).expect("well-formed");
        let Explored { found, errors, .. } = explorer().explore(&scenario, 5, false);
        assert!(errors.is_empty(), "{errors:?}");
        let found = explorer().smallest(found.expect("it hangs"));
        assert_eq!(
            program(&found.scenario),
            program(&canonical(&scenario)),
            "nothing simpler is fair and hangs"
        );
        assert_eq!(found.rule.map(|rule| rule.number()), Some(16));

        let folder = tempfile::tempdir().expect("a folder");
        let own = Folder::at(folder.path().to_owned());
        let file = own.write_case(&found).expect("saved");
        let text = case::read(&file).expect("read");
        let name = file.file_name().expect("it has one");
        let command = format!("# {}\n", case::replay_command(name.as_ref()));
        assert!(text.starts_with(&command), "{text}");
        let loaded = load(&file);
        assert_eq!(loaded, found);
        let again = again(&loaded);
        assert_eq!(
            (&again.verdict, again.executions),
            (&Verdict::Reproduces, 1)
        );
        assert_eq!((again.broken, &again.message), (found.rule, &found.message));
        assert_eq!(again.schedule, found.schedule);
    }

    /// Otherwise the search would show little.
    #[test]
    fn generated_scenarios_exercise_every_rule() {
        let mut exercised = [0; Rule::COUNT];
        for scenario in drawn(500) {
            let exploration = shuttle::explore(&request(scenario, Engine::Random), Some(5));
            for (sum, count) in exercised.iter_mut().zip(exploration.exercised) {
                *sum += count;
            }
        }
        let rarely: Vec<Rule> = Rule::all()
            .filter(|rule| exercised[usize::from(rule.number()) - 1] < 20)
            .collect();
        assert!(rarely.is_empty(), "{rarely:?} of {exercised:?}");
    }

    fn request(scenario: Scenario, engine: Engine) -> Request {
        Request {
            scenario: Arc::new(scenario),
            conditions: Default::default(),
            engine,
            seed: 11,
            budget: TIME,
            executions: Arc::default(),
            explorer: Default::default(),
            control: Default::default(),
        }
    }

    #[test]
    fn a_seed_fixes_the_executions() {
        let explored = |engine| -> Vec<_> {
            let explore = |scenario: Scenario| {
                let exploration = shuttle::explore(&request(scenario, engine), Some(20));
                (exploration.executions, exploration.exercised)
            };
            drawn(20).map(explore).collect()
        };
        for (engine, _) in PORTFOLIO {
            assert_eq!(explored(engine), explored(engine), "{engine}");
        }
    }

    #[test]
    fn random_scenarios_keep_the_contract() {
        replay_saved();
        let explorer = explorer();
        for index in 0..SCENARIOS {
            let seed = scenario_seed(SEED, Shard::WHOLE, index);
            let Explored { found, errors, .. } = explorer.explore(&scenario(seed), seed, false);
            assert!(errors.is_empty(), "{errors:?}");
            if let Some(case) = found {
                let case = explorer.smallest(case);
                let file = case.save(&case::regressions()).expect("it can be saved");
                let command = case::replay_command(&file);
                panic!(
                    "{}\nreplay with: {command}\n{}",
                    case.message,
                    case.to_toml()
                );
            }
            assert!(!explorer.is_over(), "only {index} scenarios in {TIME:?}");
        }
    }
}
