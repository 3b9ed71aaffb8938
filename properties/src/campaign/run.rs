//! Runs a batch.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nmr_models::coverage::Cell;
use nmr_models::report::Finding;
use nmr_models::scenario::Scenario;

use super::about::About;
use super::batch::{Batch, Failures, Skipped};
use super::corpus::{Corpus, cells};
use super::folder::{Folder, write};
use super::plan::{Plan, Planned};
use super::reached::Places;
use crate::concurrent::explore::{Explored, Sampler};
use crate::concurrent::identity::{Identity, Variant};

/// One of so many programs runs under the explorer as well, and every one that is new in kind.
pub const CLOSELY: u64 = 32;

/// What all batches have in common.
#[derive(Debug)]
pub struct Runner {
    /// What they are of.
    pub about: About,
    /// What explores.
    pub sampler: Sampler,
    /// What is there to be mutated, and what it reaches.
    pub corpus: Corpus,
    /// Where cases and batches go.
    pub folder: Folder,
    /// Where the program is written that is at hand: what somebody finds there after a crash.
    pub at: Option<PathBuf>,
    /// Counts the programs as they are begun.
    pub begun: Arc<AtomicU64>,
    /// Programs that are left out, for nobody comes to an end with them.
    pub skipped: Vec<Skipped>,
}

/// A batch that is being run.
struct Running<'a> {
    runner: &'a Runner,
    batch: Batch,
    /// The corpus, and what has been kept.
    known: BTreeSet<Cell>,
    kept: Vec<Scenario>,
    places: Places,
}

impl Runner {
    /// Runs a batch until it is done or the time is up, and writes what came of it. `say` hears of each finding once.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn run(
        &self,
        number: u64,
        say: &mut dyn FnMut(Finding) -> io::Result<()>,
    ) -> io::Result<Batch> {
        let plan = Plan::new(&self.about, number);
        let mut running = Running {
            runner: self,
            batch: Batch::new(self.about.clone(), number, plan.left_out()),
            known: self.corpus.cells().cloned().collect(),
            kept: Vec::new(),
            places: Places::default(),
        };
        let own: Vec<&Scenario> = self.corpus.programs().map(|(_, program)| program).collect();
        for index in 0..self.about.programs {
            if self.sampler.is_over() {
                break;
            }
            let pool: Vec<&Scenario> = own.iter().copied().chain(&running.kept).collect();
            let planned = plan.program(index, &pool);
            if !running.program(index, &planned, say)? {
                break;
            }
        }
        let mut batch = running.batch;
        batch.kept.sort_unstable();
        self.folder.write_batch(&batch)?;
        Ok(batch)
    }
}

impl Running<'_> {
    /// Whether there was time for it.
    fn program(
        &mut self,
        index: u64,
        planned: &Planned,
        say: &mut dyn FnMut(Finding) -> io::Result<()>,
    ) -> io::Result<bool> {
        let (batch, mut skipped) = (self.batch.number, self.runner.skipped.iter());
        if let Some(skipped) = skipped.find(|it| (it.batch, it.program) == (batch, index)) {
            self.skip(skipped);
            return Ok(true);
        }
        if let Some(at) = &self.runner.at {
            let Batch { number, .. } = self.batch;
            let head = format!("# {number} {index} {}\n", planned.seed);
            fs::write(at, head + &planned.program.to_toml())?;
        }
        self.runner.begun.fetch_add(1, Ordering::Relaxed);
        let is_new = self.reach(&planned.program)?;
        let closely = is_new || planned.seed.is_multiple_of(CLOSELY);
        let sampler = &self.runner.sampler;
        let explored = sampler.explore(&planned.program, planned.seed, closely);
        if explored.cut {
            return Ok(false);
        }
        self.count(index, planned, &explored)?;
        if let Some(case) = explored.found {
            self.failed(index, planned.seed, case, say)?;
        }
        self.batch.programs += 1;
        Ok(true)
    }

    fn skip(&mut self, skipped: &Skipped) {
        self.batch.programs += 1;
        match &skipped.finding {
            None => drop((self.batch.incomplete).insert(skipped.program, skipped.why.clone())),
            Some(finding) => {
                let failures = self.batch.failures.entry(finding.name.clone());
                let failures = failures.or_insert_with(|| Failures {
                    rule: finding.rule,
                    count: 0,
                    first: skipped.program,
                    variant: finding.variant.clone(),
                });
                failures.count += 1;
            }
        }
    }

    /// What the program reaches; whether something of it is new, which is kept then.
    fn reach(&mut self, program: &Scenario) -> io::Result<bool> {
        let conditions = self.runner.about.conditions;
        let reached = cells(program, conditions);
        self.batch.reached.extend(&self.places.reached(&reached));
        if reached.is_subset(&self.known) {
            return Ok(false);
        }
        self.known.extend(reached);
        // Its least form, which goes by another name and other walks.
        let mut own = Corpus::default();
        if let Some(name) = own.offer(program, conditions) {
            self.known.extend(own.cells().cloned());
            self.batch.reached.extend(&self.places.reached(own.cells()));
            self.kept
                .extend(own.programs().map(|(_, program)| program.clone()));
            self.batch.kept.push(name);
            self.runner.folder.keep(own)?;
        }
        Ok(true)
    }

    fn count(&mut self, index: u64, planned: &Planned, explored: &Explored) -> io::Result<()> {
        let batch = &mut self.batch;
        batch.mutants += u64::from(planned.is_mutant);
        batch.exhausted += u64::from(explored.states.is_some());
        batch.states += explored.states.unwrap_or_default();
        if let Some(sample) = &explored.sample {
            batch.sampled.add(sample);
        }
        batch.explored += u64::from(explored.explored.is_some());
        batch.explored_whole += u64::from(explored.explored == Some(true));
        for (sum, more) in batch.exercised.iter_mut().zip(explored.exercised) {
            *sum = sum.saturating_add(more);
        }
        if let Some(error) = explored.errors.first() {
            batch.errors.insert(index, error.to_string());
            let name = format!("{:016x}.toml", planned.seed);
            let head: String = error
                .to_string()
                .lines()
                .map(|line| format!("# {line}\n"))
                .collect();
            let path = self.runner.folder.errors().join(name);
            write(&path, &(head + &planned.program.to_toml()))?;
        }
        Ok(())
    }

    /// The first failure of a finding in a batch is made small; others are counted.
    fn failed(
        &mut self,
        index: u64,
        seed: u64,
        case: nmr_models::case::Case,
        say: &mut dyn FnMut(Finding) -> io::Result<()>,
    ) -> io::Result<()> {
        let finding = Identity::of(&case).name();
        if let Some(failures) = self.batch.failures.get_mut(&finding) {
            failures.count += 1;
            return Ok(());
        }
        let small = self.runner.sampler.smallest(case);
        let failures = Failures {
            rule: small.rule,
            count: 1,
            first: index,
            variant: Variant::of(&small).name(),
        };
        self.batch.failures.insert(finding, failures);
        let path = self.runner.folder.write_case(&small)?;
        say(Finding {
            rule: small.rule,
            message: small.message,
            seed,
            case: Some(path),
            repeats: 0,
        })
    }
}
