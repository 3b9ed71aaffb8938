//! What a search counts over all its executions, and what it found.

#[cfg(shuttle)]
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::STRIPES;
#[cfg(shuttle)]
use super::along::Follower;
#[cfg(shuttle)]
use super::foreign_module as c_modules;
use super::notes::Notes;
use super::recorder::Finding;
#[cfg(shuttle)]
use super::traced::Traced;
use crate::interpreter::Prepared;
use crate::invisible::{Invisible, lock};
use crate::oracle::Left;
use crate::permuted::with_symmetry;
use crate::rule::Rule;

type OnFinding = Box<dyn Fn(&Watch, &Finding) + Send + Sync>;

/// The running totals of one search.
pub(crate) struct Watch {
    executions: Arc<AtomicU64>,
    exercised: Invisible<[u64; Rule::COUNT]>,
    outcomes: Invisible<BTreeSet<u64>>,
    /// How many executions were of each class, where that is wanted.
    #[cfg(shuttle)]
    classes: Option<Invisible<BTreeMap<u64, u64>>>,
    /// What its executions leave over.
    notes: Invisible<Notes>,
    /// Whether histories have what changes in the registrar's tables.
    #[cfg(shuttle)]
    shows_changes: bool,
    /// The last execution as it was seen, where it is shown.
    #[cfg(shuttle)]
    trace: Invisible<Option<Traced>>,
    /// What its executions go along.
    #[cfg(shuttle)]
    follower: Option<Follower>,
    /// The scenario's modules in C.
    #[cfg(shuttle)]
    c_modules: c_modules::Modules,
    /// Findings made, by whichever execution.
    found: AtomicU64,
    /// Findings that an engine has heard of.
    heard: AtomicU64,
    /// Called with each finding. An engine that cannot be stopped from inside ends the process here.
    on_finding: OnFinding,
}

impl Watch {
    pub(crate) fn new(
        executions: Arc<AtomicU64>,
        on_finding: impl Fn(&Self, &Finding) + Send + Sync + 'static,
    ) -> Self {
        Self {
            executions,
            exercised: Invisible::new([0; Rule::COUNT]),
            outcomes: Invisible::default(),
            #[cfg(shuttle)]
            classes: None,
            notes: Invisible::default(),
            #[cfg(shuttle)]
            shows_changes: false,
            #[cfg(shuttle)]
            trace: Invisible::default(),
            #[cfg(shuttle)]
            follower: None,
            #[cfg(shuttle)]
            c_modules: Vec::new(),
            found: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            on_finding: Box::new(on_finding),
        }
    }

    /// The same, of executions that are repeated for people to see: their histories have what changes in the
    /// registrar's tables.
    #[cfg(shuttle)]
    pub(crate) fn showing_changes(self) -> Self {
        super::changes::observe();
        Self {
            shows_changes: true,
            ..self
        }
    }

    /// The same, which counts executions by their [class](super::classes).
    #[cfg(shuttle)]
    pub(crate) fn counting_classes(self) -> Self {
        Self {
            classes: Some(Invisible::default()),
            ..self
        }
    }

    /// An execution is over, and was of this class. What differs by a symmetry alone is the same.
    #[cfg(shuttle)]
    pub(super) fn classify(&self, prepared: &Prepared, class: impl Fn() -> u64) {
        if let Some(classes) = &self.classes {
            let under = |symmetry| with_symmetry(symmetry, &class);
            let least = prepared.symmetries.iter().map(under).min();
            *lock(classes).entry(least.unwrap_or_default()).or_default() += 1;
        }
    }

    /// How many executions were of each class.
    #[cfg(shuttle)]
    pub(crate) fn classes(&self) -> BTreeMap<u64, u64> {
        self.classes
            .as_ref()
            .map(|classes| lock(classes).clone())
            .unwrap_or_default()
    }

    #[cfg(shuttle)]
    pub(super) const fn shows_changes(&self) -> bool {
        self.shows_changes
    }

    /// An execution is over. What comes after its first end is of its being taken apart.
    #[cfg(shuttle)]
    pub(super) fn keep_trace(&self, trace: Traced) {
        lock(&self.trace).get_or_insert(trace);
    }

    /// The last execution as it was seen.
    #[cfg(shuttle)]
    pub(crate) fn take_trace(&self) -> Option<Traced> {
        lock(&self.trace).take()
    }

    /// The same, of executions that go along one without threads.
    #[cfg(shuttle)]
    pub(crate) fn along(self, follower: Follower) -> Self {
        super::changes::observe();
        Self {
            follower: Some(follower),
            ..self
        }
    }

    /// The same, of a scenario with these modules in C.
    #[cfg(shuttle)]
    pub(crate) fn with_c_modules(self, c_modules: c_modules::Modules) -> Self {
        Self { c_modules, ..self }
    }

    #[cfg(shuttle)]
    pub(super) const fn c_modules(&self) -> &c_modules::Modules {
        &self.c_modules
    }

    #[cfg(shuttle)]
    pub(crate) const fn follower(&self) -> Option<&Follower> {
        self.follower.as_ref()
    }

    /// Stripes of the registrar under test. Without threads there is one table.
    pub(super) const fn stripes(&self) -> usize {
        #[cfg(shuttle)]
        if self.follower.is_some() {
            return 1;
        }
        STRIPES
    }

    /// An execution begins.
    pub(crate) fn begin(&self) {
        #[cfg(shuttle)]
        if let Some(follower) = &self.follower {
            follower.begin();
        }
        #[cfg(shuttle)]
        lock(&self.trace).take();
        self.executions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn executions(&self) -> u64 {
        self.executions.load(Ordering::Relaxed)
    }

    pub(crate) fn add_exercised(&self, exercised: &[u64; Rule::COUNT]) {
        for (total, more) in lock(&self.exercised).iter_mut().zip(exercised) {
            *total += more;
        }
    }

    pub(crate) fn exercised(&self) -> [u64; Rule::COUNT] {
        *lock(&self.exercised)
    }

    /// Something came out that could have come out otherwise. What differs by a symmetry of the scenario
    /// alone is the same: the least of its fingerprints stands for all.
    pub(crate) fn saw(&self, prepared: &Prepared, fingerprint: impl Fn() -> u64) {
        let under = |symmetry| with_symmetry(symmetry, &fingerprint);
        let outcome = prepared.symmetries.iter().map(under).min();
        lock(&self.outcomes).extend(outcome);
    }

    /// An execution has come to its end, and leaves this over.
    pub(crate) fn ended(&self, prepared: &Prepared, left: &Left) {
        lock(&self.notes).add(&prepared.scenario, left, &prepared.symmetries);
    }

    /// What executions leave over, in words.
    pub(crate) fn notes(&self) -> Vec<String> {
        lock(&self.notes).in_words()
    }

    pub(crate) fn outcomes(&self) -> BTreeSet<u64> {
        lock(&self.outcomes).clone()
    }

    /// An execution has found something, which it keeps itself.
    pub(super) fn found(&self, finding: &Finding) {
        self.found.fetch_add(1, Ordering::Relaxed);
        (self.on_finding)(self, finding);
    }

    /// The engine has heard of a finding.
    #[cfg(not(loom))]
    pub(super) fn heard(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// Findings that no engine has heard of: a verdict that leaves them out is worth nothing.
    pub(crate) fn unheard(&self) -> u64 {
        self.found.load(Ordering::Relaxed) - self.heard.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Finding, Rule, Watch};
    use crate::engine::Exploration;
    use crate::report::{Extent, Verdict};

    fn finding() -> Finding {
        Finding {
            rule: Some(Rule::new(2)),
            message: "it was never offered".to_owned(),
            history: Vec::new(),
        }
    }

    /// The verdict of a search that has come to its end with this finding, or without one.
    fn verdict(watch: &Watch, finding: Option<Finding>) -> Verdict {
        Exploration::new(watch, Extent::Complete, finding).verdict()
    }

    #[test]
    fn a_finding_that_does_not_arrive_is_an_error_of_the_harness() {
        let watch = Watch::new(Arc::default(), |_, _| {});
        assert_eq!(verdict(&watch, None), Verdict::Holds);
        watch.found(&finding());
        assert_eq!(verdict(&watch, Some(finding())), Verdict::Violated);
        assert_eq!(verdict(&watch, None), Verdict::HarnessError);
    }

    #[cfg(not(loom))]
    #[test]
    fn a_finding_that_an_engine_has_heard_of_is_not_lost() {
        let watch = Watch::new(Arc::default(), |_, _| {});
        watch.found(&finding());
        watch.heard();
        assert_eq!(watch.unheard(), 0);
    }
}
