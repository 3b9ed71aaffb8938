//! Every named scenario under every engine of this build, each in a worker process of its own; then what
//! each found, and how often each rule could have failed. The explorer must exhaust each.
//!
//! A scenario must hold, and a rule that was never exercised fails the suite. `NMR_DEEP=1` gives loom
//! ten minutes for each search instead of one second.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use nmr_models::engine_name::{Build, Engine};
use nmr_models::process::{GRACE, Job, Outcome, Source};
use nmr_models::report::{Extent, RunResult, Verdict};
use nmr_models::rule::Rule;
use nmr_models::scenario::Terms;
use nmr_models::scenarios;

/// The sampling engines' seed: the same executions each time, as far as the time goes.
const SEED: u64 = 1;
const LOOM: Duration = Duration::from_secs(1);
const LOOM_DEEP: Duration = Duration::from_secs(600);
/// The longest takes 15 s on an idle machine; the search must come to its end.
const EXPLORER: Duration = Duration::from_secs(300);
const SAMPLING: Duration = Duration::from_millis(300);

/// What the trials found.
#[derive(Default)]
struct Found {
    results: BTreeMap<(String, Engine), RunResult>,
    exercised: BTreeMap<(Engine, Rule), u64>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A worker and the engine in it keep a core busy.
    arguments.test_threads.get_or_insert(2);
    let found: Arc<Mutex<Found>> = Arc::default();
    let engines = Engine::ALL.into_iter();
    let engines: Vec<_> = engines
        .filter(|engine| engine.build() == Build::current())
        .collect();
    let trials = scenarios::all().into_iter().flat_map(|scenario| {
        let found = &found;
        let trial = |engine: &Engine| {
            let engine = *engine;
            let (name, found) = (scenario.name.clone(), found.clone());
            Trial::test(format!("{name}::{engine}"), move || {
                run(&name, engine, &found)
            })
        };
        engines.iter().map(trial).collect::<Vec<_>>()
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    let found = found.lock().expect("no trial panics with it");
    let whole = conclusion.num_filtered_out == 0 && !arguments.list;
    print_results(&found);
    let covered = !whole || print_coverage(&found, &engines);
    if conclusion.has_failed() || !covered {
        ExitCode::from(101)
    } else {
        ExitCode::SUCCESS
    }
}

fn run(name: &str, engine: Engine, found: &Mutex<Found>) -> Result<(), Failed> {
    let deep = std::env::var_os("NMR_DEEP").is_some_and(|value| value == "1");
    let job = Job {
        worker: Path::new(env!("CARGO_BIN_EXE_nmr-worker")),
        source: Source::Named(name.to_owned()),
        terms: Terms::default(),
        conditions: Default::default(),
        engine,
        seed: SEED,
        budget: match engine {
            Engine::Loom if deep => LOOM_DEEP,
            Engine::Loom => LOOM,
            Engine::Direct | Engine::Explorer => EXPLORER,
            _ => SAMPLING,
        },
        grace: GRACE,
        case_dir: None,
        env: &[],
    };
    let Outcome {
        result, coverage, ..
    } = job.run(&mut |_| {});
    let verdict = match result.verdict {
        Verdict::Holds
            if matches!(engine, Engine::Direct | Engine::Explorer)
                && result.extent != Extent::Complete =>
        {
            Err(Failed::from("not exhausted, and yet it holds"))
        }
        Verdict::Holds => Ok(()),
        Verdict::Violated => {
            let rule = result
                .rule
                .map_or("by a crash".to_owned(), |rule| rule.to_string());
            Err(Failed::from(format!("violated {rule}: {}", result.message)))
        }
        Verdict::Incomplete => Err(Failed::from(format!("incomplete: {}", how(&result)))),
        Verdict::HarnessError => Err(Failed::from(format!("harness error: {}", result.message))),
    };
    let mut found = found.lock().expect("no trial panics with it");
    for rule in coverage {
        *found.exercised.entry((engine, rule.rule)).or_default() += rule.exercised;
    }
    found.results.insert((name.to_owned(), engine), result);
    verdict
}

fn how(result: &RunResult) -> &str {
    result.how.as_deref().unwrap_or("no reason given")
}

fn print_results(found: &Found) {
    for ((name, engine), result) in &found.results {
        let extent = match (result.verdict, result.extent) {
            (Verdict::Holds, Extent::Complete) => "complete".to_owned(),
            (Verdict::Holds, Extent::Bounded) => format!("bounded ({})", how(result)),
            (Verdict::Holds, Extent::Sampled) => "sampled".to_owned(),
            _ => continue,
        };
        let executions = result.executions;
        println!("{name:36} {engine:7} holds, {extent}: {executions} executions");
    }
}

/// Whether each engine exercised each rule.
fn print_coverage(found: &Found, engines: &[Engine]) -> bool {
    let mut covered = true;
    for &engine in engines {
        println!("\nrule coverage under {engine}:");
        for rule in Rule::every() {
            let exercised = found.exercised.get(&(engine, rule)).copied().unwrap_or(0);
            println!("{rule:4} {:24} {exercised:>12}", rule.title());
            if exercised == 0 {
                println!("error: no scenario exercised {rule} under {engine}");
                covered = false;
            }
        }
    }
    covered
}
