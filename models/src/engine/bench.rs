//! One search of a program, measured: a row of `nmr bench`.
//!
//! As the engines search for a check, but with one search only: loom without a bound, and the explorer
//! with some of its reductions if so asked.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use super::{Control, Exploration, ExplorerOptions, install_panic_hook};
use crate::engine_name::{BenchEngine, Build};
use crate::programs::Program;
use crate::report::{Bench, Verdict};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Order {
    /// The program.
    pub program: Program,
    /// The engine.
    pub engine: BenchEngine,
    /// The time for the search.
    pub budget: Duration,
    /// The most executions; not of a scenario, and not under loom.
    pub max_executions: Option<u64>,
    /// Counts the executions as they are made.
    pub executions: Arc<AtomicU64>,
    /// How the explorer is to search.
    pub explorer: ExplorerOptions,
    /// Who waits for it.
    pub control: Control,
}

/// What became of a search, apart from its time.
#[derive(Clone, Debug)]
struct Found {
    verdict: Verdict,
    how: Option<String>,
    executions: u64,
    before_restart: Option<u64>,
    states: Option<u64>,
}

impl Order {
    /// Why it cannot be carried out, whatever the build.
    ///
    /// # Errors
    /// The engine knows no such limit, or no scenarios.
    pub fn check(&self) -> Result<(), &'static str> {
        match (&self.program, self.engine) {
            (Program::Scenario(_), BenchEngine::Dfs) => Err("dfs is not for scenarios"),
            (Program::Plain(_), BenchEngine::Direct) => Err("direct is for scenarios only"),
            (Program::Scenario(_), _) | (_, BenchEngine::Loom) if self.max_executions.is_some() => {
                Err("--max-executions is neither for scenarios nor for loom")
            }
            _ => Ok(()),
        }
    }

    /// Searches. As with [`explore`](super::explore), `end` is called, and must end the process, where
    /// something was found and the engine cannot be left.
    #[must_use]
    pub fn run(&self, end: impl Fn(Bench) + Send + Sync + 'static) -> Bench {
        install_panic_hook();
        let started = Instant::now();
        if self.engine.build() != Build::current() {
            let why = format!("{} is not an engine of this build", self.engine);
            return self.row(&Found::failed(why), started);
        }
        let order = self.clone();
        let found = search(self, move |exploration| {
            end(order.row(&Found::new(&exploration), started));
        });
        self.row(&found, started)
    }

    fn row(&self, found: &Found, started: Instant) -> Bench {
        let seconds = started.elapsed().as_secs_f64();
        let without = match self.engine {
            BenchEngine::Direct => names(&self.explorer.direct.without),
            _ => names(&self.explorer.without),
        };
        Bench {
            program: self.program.name().to_owned(),
            engine: self.engine,
            verdict: found.verdict,
            how: found.how.clone(),
            executions: found.executions,
            before_restart: found.before_restart,
            states: found.states,
            seconds,
            workers: match self.engine {
                BenchEngine::Direct | BenchEngine::Explorer => self.explorer.workers.into(),
                _ => 1,
            },
            memory: most_memory(),
            without,
        }
    }
}

impl Found {
    fn failed(why: String) -> Self {
        Self {
            verdict: Verdict::HarnessError,
            how: Some(why),
            executions: 0,
            before_restart: None,
            states: None,
        }
    }

    fn new(exploration: &Exploration) -> Self {
        let found = exploration.finding.as_ref();
        let found = found.map(|finding| finding.message.clone());
        let how = found.or_else(|| exploration.error.clone());
        Self {
            verdict: exploration.verdict(),
            how: how.or_else(|| exploration.cut.clone()),
            executions: exploration.executions,
            before_restart: None,
            states: exploration.states,
        }
    }
}

/// The most memory that this process had in use so far, where the system says so.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    peak(&status)
}

/// `VmHWM:      1234 kB`, in bytes.
fn peak(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn names(all: &[impl ToString]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// Once, and with whatever reductions are left: nobody wants to measure two searches as one.
#[cfg(not(any(loom, shuttle)))]
fn search(order: &Order, _end: impl Fn(Exploration)) -> Found {
    match &order.program {
        Program::Scenario(scenario) => {
            Found::new(&crate::direct::explore_once(&order.request(scenario)))
        }
        Program::Plain(_) => Found::failed("direct is for scenarios only".to_owned()),
    }
}

#[cfg(loom)]
fn search(order: &Order, end: impl Fn(Exploration) + Send + Sync + 'static) -> Found {
    use super::loom::{self, Search};
    use std::sync::atomic::Ordering;

    match &order.program {
        Program::Scenario(scenario) => Found::new(&loom::exhaust(&order.request(scenario), end)),
        Program::Plain(_) => {
            let search = loom::exhaust_program(order.executions(), order.budget);
            let how = match &search {
                Search::Failed(why) => return Found::failed(why.clone()),
                search => search.cut(order.budget),
            };
            Found {
                verdict: match how {
                    Some(_) => Verdict::Incomplete,
                    None => Verdict::Holds,
                },
                how,
                executions: order.executions.load(Ordering::Relaxed),
                before_restart: None,
                states: None,
            }
        }
    }
}

#[cfg(shuttle)]
fn search(order: &Order, end: impl Fn(Exploration) + Send + Sync + 'static) -> Found {
    match (&order.program, order.engine) {
        (Program::Scenario(scenario), _) => {
            Found::new(&super::explore(&order.request(scenario), end))
        }
        (Program::Plain(_), BenchEngine::Dfs) => by_dfs(order),
        (Program::Plain(_), _) => by_explorer(order),
    }
}

#[cfg(shuttle)]
fn by_explorer(order: &Order) -> Found {
    use nmr_explorer::{Explorer, Verdict as Explored};

    let builder = Explorer::builder()
        .name(order.program.name())
        .budget(order.budget);
    let mut builder = super::explorer::asked(builder, &order.explorer, &order.control);
    if let Some(most) = order.max_executions {
        builder = builder.max_executions(most);
    }
    let report = builder.check(order.executions());
    let (verdict, how) = match report.verdict {
        Explored::Exhausted => (Verdict::Holds, None),
        Explored::Violated(found) => (Verdict::Violated, Some(found.message())),
        Explored::Incomplete(why) => (Verdict::Incomplete, Some(why)),
        Explored::HarnessError(why) => (Verdict::HarnessError, Some(why)),
        other => (Verdict::Incomplete, Some(format!("{other:?}"))),
    };
    Found {
        verdict,
        how,
        executions: report.executions,
        before_restart: Some(report.before_restart),
        states: Some(report.states),
    }
}

#[cfg(shuttle)]
fn by_dfs(order: &Order) -> Found {
    use super::dfs::{self, Search};
    use std::sync::atomic::Ordering;

    let search = dfs::search(order.executions(), order.budget, order.max_executions);
    let (verdict, how) = match search {
        Search::Exhausted => (Verdict::Holds, None),
        Search::Cut(why) => (Verdict::Incomplete, Some(why)),
        Search::Failed(why) => (Verdict::HarnessError, Some(why)),
    };
    Found {
        verdict,
        how,
        executions: order.executions.load(Ordering::Relaxed),
        before_restart: None,
        states: None,
    }
}

impl Order {
    /// What an engine executes again and again.
    #[cfg(any(loom, shuttle))]
    fn executions(&self) -> impl Fn() + Send + Sync + 'static {
        use std::sync::atomic::Ordering;

        let Program::Plain(plain) = &self.program else {
            unreachable!("scenarios have their own way to be executed");
        };
        let (run, executions) = (plain.run, self.executions.clone());
        move || {
            executions.fetch_add(1, Ordering::Relaxed);
            run();
        }
    }

    fn request(&self, scenario: &Arc<crate::scenario::Scenario>) -> super::Request {
        use crate::engine_name::Engine;

        super::Request {
            scenario: scenario.clone(),
            conditions: Default::default(),
            engine: match self.engine {
                BenchEngine::Loom => Engine::Loom,
                BenchEngine::Direct => Engine::Direct,
                BenchEngine::Explorer | BenchEngine::Dfs => Engine::Explorer,
            },
            seed: 0,
            budget: self.budget,
            executions: self.executions.clone(),
            explorer: self.explorer.clone(),
            control: self.control.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(name: &str, engine: BenchEngine) -> Order {
        Order {
            program: crate::programs::named(name).expect("it is there"),
            engine,
            budget: Duration::from_secs(20),
            max_executions: None,
            executions: Arc::default(),
            explorer: ExplorerOptions::default(),
            control: Control::default(),
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut order = order("two-lives", BenchEngine::Dfs);
        assert!(order.check().is_err());
        order.engine = BenchEngine::Explorer;
        assert_eq!(order.check(), Ok(()));
        order.max_executions = Some(5);
        assert!(order.check().is_err());
        order.program = crate::programs::named("small").expect("it is there");
        assert_eq!(order.check(), Ok(()));
        order.engine = BenchEngine::Loom;
        assert!(order.check().is_err());
    }

    #[test]
    fn an_engine_of_another_build_is_an_error_of_the_harness() {
        let engines = BenchEngine::ALL.into_iter();
        for engine in engines.filter(|engine| engine.build() != Build::current()) {
            let row = order("small", engine).run(|_| {});
            assert_eq!(row.verdict, Verdict::HarnessError);
        }
    }

    #[test]
    fn the_most_memory_is_read_from_what_linux_says() {
        assert_eq!(
            peak("VmPeak:\t 9 kB\nVmHWM:\t    1234 kB\n"),
            Some(1234 * 1024)
        );
        assert_eq!(peak("VmPeak:\t 9 kB\n"), None);
    }

    /// 4! orders of four sections; loom also orders what comes before and after them.
    #[cfg(loom)]
    #[test]
    fn loom_exhausts_the_sections_that_only_read() {
        let row = order("read-only-sections", BenchEngine::Loom).run(|_| {});
        assert_eq!(row.verdict, Verdict::Holds, "{:?}", row.how);
        assert!(row.executions >= 24, "{} executions", row.executions);
    }

    #[cfg(loom)]
    #[test]
    fn a_search_of_loom_s_that_was_cut_short_says_so() {
        let order = Order {
            budget: Duration::ZERO,
            ..order("read-only-sections", BenchEngine::Loom)
        };
        let row = order.run(|_| {});
        assert_eq!(row.verdict, Verdict::Incomplete);
        assert_eq!(row.how.as_deref(), Some("0ns were over"));
    }

    #[cfg(loom)]
    #[test]
    fn five_threads_are_too_many_for_loom() {
        let row = order("four-lives-pending", BenchEngine::Loom).run(|_| {});
        assert_eq!(row.verdict, Verdict::Incomplete);
        let why = "loom has no more than 5 threads, this scenario needs 6";
        assert_eq!(row.how.as_deref(), Some(why));
    }

    #[cfg(shuttle)]
    #[test]
    fn a_search_ends_at_its_limit_and_says_so() {
        for engine in [BenchEngine::Explorer, BenchEngine::Dfs] {
            let order = Order {
                max_executions: Some(20),
                explorer: ExplorerOptions {
                    without: nmr_explorer::Reduction::ALL.to_vec(),
                    ..ExplorerOptions::default()
                },
                ..order("small", engine)
            };
            let row = order.run(|_| {});
            assert_eq!((row.verdict, row.executions), (Verdict::Incomplete, 20));
            assert_eq!(row.how.as_deref(), Some("20 executions were made"));
        }
    }

    #[cfg(shuttle)]
    #[test]
    fn a_scenario_is_exhausted_by_the_explorer() {
        let row = order("both-deregister", BenchEngine::Explorer).run(|_| {});
        assert_eq!(row.verdict, Verdict::Holds, "{:?}", row.how);
        assert!(row.states > Some(1) && row.executions > 1, "{row:?}");
    }
}
