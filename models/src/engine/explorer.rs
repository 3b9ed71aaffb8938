//! nmr-explorer: every interleaving under sequential consistency, without a bound on preemptions; executions that
//! one of shuttle's schedulers chooses; and the repetition of one schedule.
//!
//! Two transitions are independent if they touch no primitive and no registration together: what the
//! oracle is told of a registration is ordered as a lock would be. A state is what the primitives
//! protect, what the threads know, and what the harness and the oracle keep beside that.

use std::sync::Arc;

use nmr_explorer::{
    Builder, Counterexample, Ending, Evidence, Explorer, Fit, Judgement, Misfit, Replay, Replayed,
    Report, Schedule, Verdict,
};
use shuttle::scheduler::Scheduler;

use super::{Control, Exploration, ExplorerOptions, Request, current, install_panic_hook};
use crate::engine_name::Engine;
use crate::interpreter::Prepared;
use crate::permuted::{self, Symmetry};
use crate::report::Extent;
use crate::rule::Rule;
use crate::run::foreign_module::{self, Modules};
use crate::run::{Finding, Run, Traced, Watch};

/// About how many bytes it takes to keep what the oracle knows: measured on `four-lives`.
const KEPT: u64 = 1 << 10;

/// The stack of a thread, in bytes, of which only what is used is ever there. A callback inside of a callback takes some kilobytes,
/// and a scenario may have a hundred of them. With 8 MiB there were 0.75 times as many executions a second as with 32 KiB.
const STACK: usize = 512 << 10;

pub(super) fn explore(request: &Request) -> Exploration {
    searched(request, watching(request), |builder, execution| {
        builder.check(execution)
    })
}

/// The same, where violations of this rule alone count.
pub(crate) fn explore_for(request: &Request, rule: Option<Rule>) -> Exploration {
    searched(request, watching(request), |builder, execution| {
        builder.only_kind(kind(rule)).check(execution)
    })
}

/// The same in so many executions at most. The one that is found has the fewest preemptions, as far as that is known by then.
pub(super) fn explore_within(
    request: &Request,
    only: Option<Option<Rule>>,
    executions: u64,
) -> Exploration {
    searched(request, watching(request), |builder, execution| {
        let builder = match only {
            Some(rule) => builder.only_kind(kind(rule)),
            None => builder,
        };
        builder.max_executions(executions).check(execution)
    })
}

/// So many executions, chosen by a scheduler.
pub(super) fn sample(
    request: &Request,
    executions: Option<u64>,
    scheduler: Box<dyn Scheduler + Send>,
) -> Exploration {
    let exploration = searched(
        request,
        watching(request).counting_classes(),
        |builder, execution| {
            let builder = match executions {
                Some(most) => builder.max_executions(most),
                None => builder,
            };
            builder.sample(execution, scheduler)
        },
    );
    Exploration {
        extent: Extent::Sampled,
        states: None,
        certificate: None,
        report: None,
        ..exploration
    }
}

/// Why a search cannot begin: the modules in C that it is to run, or the checkpoint that it is to go on from.
pub(super) fn refusal(request: &Request) -> Option<String> {
    if let Err(why) = foreign_module::load(&request.scenario) {
        return Some(why);
    }
    if request.engine != Engine::Explorer {
        return None;
    }
    let prepared = Prepared::new(&request.scenario);
    let checked = builder(request, &prepared).check_checkpoint();
    checked.err().map(|error| error.to_string())
}

fn searched(
    request: &Request,
    watch: Watch,
    search: impl FnOnce(Builder, Execution) -> Report,
) -> Exploration {
    let watch = Arc::new(watch);
    let prepared = Prepared::new(&request.scenario);
    let report = search(builder(request, &prepared), execution(&prepared, &watch));
    current::leave();
    let exploration = exploration(&watch, &report);
    Exploration {
        certificate: exploration
            .certificate
            .map(|text| text + &of_c_modules(request)),
        ..exploration
    }
}

/// What a certificate says of modules in C.
fn of_c_modules(request: &Request) -> String {
    let modules = request.scenario.modules.iter();
    let words = modules.filter_map(|module| {
        let c_module = module.c_module.as_ref()?;
        let hash = c_module.hash.as_deref().unwrap_or("unknown");
        let (name, file) = (&module.name, c_module.name());
        Some(format!(
            "\nC module {name} ({file}, hash {hash}): switched at registrar calls only; complete as long as the module keeps \
             its state in its variables and its memory"
        ))
    });
    words.collect()
}

/// What counts the executions of a search.
fn watching(request: &Request) -> Watch {
    let watch = Watch::new(request.executions.clone(), |_, _| {});
    watch.with_c_modules(c_modules(request))
}

/// The scenario's modules in C.
///
/// # Panics
/// If one cannot be loaded: [`refusal`] says so before.
fn c_modules(request: &Request) -> Modules {
    let modules = foreign_module::load(&request.scenario);
    modules.unwrap_or_else(|why| panic!("{why}"))
}

/// One execution of a scenario.
pub(super) type Execution = Box<dyn Fn() + Send + Sync>;

pub(super) fn execution(prepared: &Arc<Prepared>, watch: &Arc<Watch>) -> Execution {
    install_panic_hook();
    let (prepared, watch) = (prepared.clone(), watch.clone());
    Box::new(move || {
        permuted::install(&prepared.symmetries);
        watch.begin();
        current::execute(&prepared, &watch);
    })
}

pub(super) fn builder(request: &Request, prepared: &Prepared) -> Builder {
    let threads = |symmetry: &Symmetry| {
        let threads = symmetry.threads.iter().copied();
        threads.map(usize::from).collect()
    };
    let builder = Explorer::builder()
        .name(request.scenario.name.as_str())
        .budget(request.budget)
        .symmetries(prepared.symmetries.iter().map(threads).collect())
        .external_state(|state| {
            if let Some(run) = Run::current() {
                run.hash_state(state);
            }
        })
        .snapshots(
            KEPT,
            || Box::new(Run::current().map(|run| run.keep())),
            |snapshot| {
                if let (Some(run), Some(Some(kept))) = (Run::current(), snapshot.downcast_ref()) {
                    run.put_back(kept);
                }
            },
        )
        .after_each(current::conclude)
        .judge(judge);
    let builder = match request.conditions.spurious_wakeups {
        true => builder.spurious_wakeups(),
        false => builder,
    };
    // A module in C has what it says it needs, so that one that needs more is told.
    let stack = foreign_module::stack(&c_modules(request)).unwrap_or(STACK);
    let builder = builder.stack_size(stack);
    asked(builder, &request.explorer, &request.control)
}

/// As it was asked for.
pub(super) fn asked(builder: Builder, options: &ExplorerOptions, control: &Control) -> Builder {
    let mut builder = builder.workers(options.workers.into());
    if let Some(bytes) = options.max_memory {
        builder = builder.max_memory(bytes);
    }
    if let Some(path) = &options.checkpoint {
        builder = builder.checkpoint(path);
    }
    for &reduction in &options.without {
        builder = builder.without(reduction);
    }
    if let Some(progress) = &control.progress {
        let progress = progress.clone();
        builder = builder.progress(move |now| progress(&now.to_string()));
    }
    if let Some(stop) = &control.stop {
        builder = builder.stop(stop.clone());
    }
    builder
}

/// The kind of a violation: the rule that it breaks.
fn kind(rule: Option<Rule>) -> String {
    rule.map_or_else(|| "a crash".to_owned(), |rule| rule.to_string())
}

/// What the execution that has just ended has found, whichever way it ended.
fn judge(ending: &Ending) -> Result<Option<Judgement>, String> {
    if let Some(why) = current::take_refusal() {
        return Err(why);
    }
    match ending {
        Ending::Deadlocked(why) => current::stuck(&why.to_string()),
        Ending::Livelocked(why) => current::livelocked(&why.to_string()),
        _ => {}
    }
    let Some(finding) = current::take_finding() else {
        return match ending {
            Ending::Completed | Ending::Abandoned => Ok(None),
            other => Err(format!("nothing was found, and yet: {other:?}")),
        };
    };
    Ok(Some(Judgement {
        kind: kind(finding.rule),
        message: finding.message.clone(),
        evidence: Some(Evidence::new(finding)),
    }))
}

/// The finding that a counterexample comes with.
pub(super) fn finding(found: &Counterexample) -> Option<Finding> {
    found.evidence.as_ref()?.downcast_ref().cloned()
}

fn exploration(watch: &Watch, report: &Report) -> Exploration {
    let (mut cut, mut error, mut found) = (None, None, None);
    let (mut preemptions, mut schedule) = (None, Vec::new());
    match &report.verdict {
        Verdict::Exhausted | Verdict::Sampled => {}
        Verdict::Incomplete(why) => cut = Some(why.clone()),
        Verdict::HarnessError(message) => error = Some(message.clone()),
        Verdict::Violated(counterexample) => {
            preemptions = Some(counterexample.preemptions);
            schedule = counterexample.schedule.condensed().into();
            found = finding(counterexample);
            if found.is_none() {
                error = Some(format!("without evidence: {}", counterexample.message()));
            }
        }
        other => error = Some(format!("a verdict that nobody knows: {other:?}")),
    }
    let extent = match report.verdict {
        Verdict::Exhausted | Verdict::Violated(_) => Extent::Complete,
        _ => Extent::Sampled,
    };
    let exploration = Exploration::new(watch, extent, found);
    Exploration {
        executions: report.executions,
        cut,
        error: error.or_else(|| exploration.error.clone()),
        states: Some(report.states),
        certificate: Some(report.to_string()),
        report: serde_json::to_value(report).ok(),
        preemptions,
        schedule,
        ..exploration
    }
}

/// The one execution of a schedule, or one near it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followed {
    /// What it found.
    pub(crate) finding: Option<Finding>,
    /// What it chose.
    pub(crate) schedule: Schedule,
    /// Where it is not the execution that was meant.
    pub(crate) misfits: Vec<Misfit>,
    /// What there is to show of it, if it came to an end.
    pub(crate) traced: Option<Traced>,
    /// The harness failed.
    pub(crate) error: Option<String>,
}

impl Followed {
    fn new(replay: Replay, watch: &Watch) -> Self {
        let (found, error) = match &replay.outcome {
            Replayed::Violated(found) => (finding(found), None),
            Replayed::HarnessError(error) => (None, Some(error.clone())),
            _ => (None, None),
        };
        Self {
            finding: found,
            schedule: replay.schedule,
            misfits: replay.misfits,
            traced: watch.take_trace(),
            error,
        }
    }
}

/// Makes the one execution of a schedule.
pub(crate) fn follow(request: &Request, schedule: &Schedule) -> Followed {
    follow_as(request, schedule, Fit::Exact)
}

/// The same, as closely as `fit` says.
pub(crate) fn follow_as(request: &Request, schedule: &Schedule, fit: Fit) -> Followed {
    let watch = watching(request);
    let watch = Arc::new(watch.showing_changes());
    let prepared = Prepared::new(&request.scenario);
    let execution = execution(&prepared, &watch);
    let replay = builder(request, &prepared).replay_as(execution, schedule, fit);
    current::leave();
    Followed::new(replay, &watch)
}

/// Looks for an execution near a schedule that breaks this rule: how many were made, and the one that does.
pub(crate) fn search_near(
    request: &Request,
    schedule: &Schedule,
    rule: Option<Rule>,
    executions: u64,
) -> (u64, Option<Followed>) {
    let watch = watching(request);
    let watch = Arc::new(watch.showing_changes());
    let is_wanted = |found: &Counterexample| finding(found).is_some_and(|one| one.rule == rule);
    let prepared = Prepared::new(&request.scenario);
    let builder = builder(request, &prepared).max_executions(executions);
    let near = builder.search_near(execution(&prepared, &watch), schedule, is_wanted);
    current::leave();
    let followed = near.found.map(|found| Followed::new(found, &watch));
    (near.executions, followed)
}

/// Looks for an execution near a schedule in which nothing breaks: how many were made, and the nearest one.
pub(crate) fn search_passing(
    request: &Request,
    schedule: &Schedule,
    executions: u64,
) -> (u64, Option<Followed>) {
    let watch = watching(request);
    let watch = Arc::new(watch.showing_changes());
    let prepared = Prepared::new(&request.scenario);
    let builder = builder(request, &prepared).max_executions(executions);
    let near = builder.search_good_near(execution(&prepared, &watch), schedule);
    current::leave();
    let followed = near.found.map(|found| Followed::new(found, &watch));
    (near.executions, followed.filter(|one| one.error.is_none()))
}
