//! What was sampled of a program, and of several: what the [estimates](super::estimate) are made of.

use std::collections::BTreeMap;

#[cfg(shuttle)]
use nmr_models::engine::Exploration;
#[cfg(shuttle)]
use nmr_models::engine_name::Engine;
use serde::{Deserialize, Serialize};

use super::estimate::missed;

/// What was sampled of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Its threads, the main one included.
    pub threads: u64,
    /// Executions, by all engines.
    pub executions: u64,
    /// The classes that random scheduling met.
    pub classes: Classes,
    /// The most choices between threads that an execution had.
    pub choices: u64,
    /// Executions by PCT, by the depth that it looked for.
    pub by_depth: BTreeMap<u64, u64>,
}

/// How many executions were of how many classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Classes {
    /// Executions.
    pub executions: u64,
    /// Different classes, added up over programs.
    pub different: u64,
    /// Those that were seen once.
    pub once: u64,
    /// Those that were seen twice.
    pub twice: u64,
}

impl Classes {
    /// Of how many executions of each class.
    pub fn of(counts: impl Iterator<Item = u64>) -> Self {
        let mut classes = Self::default();
        for count in counts {
            classes.executions += count;
            classes.different += 1;
            classes.once += u64::from(count == 1);
            classes.twice += u64::from(count == 2);
        }
        classes
    }

    /// Adds those of another program.
    pub const fn add(&mut self, other: Self) {
        self.executions += other.executions;
        self.different += other.different;
        self.once += other.once;
        self.twice += other.twice;
    }
}

impl Sample {
    /// Nothing yet, of a program with so many threads.
    #[must_use]
    pub fn new(threads: u64) -> Self {
        Self {
            threads,
            ..Self::default()
        }
    }

    /// Adds what an engine of the portfolio has made.
    #[cfg(shuttle)]
    pub fn add(&mut self, engine: Engine, depth: usize, exploration: &Exploration) {
        self.choices = self.choices.max(exploration.choices);
        match engine {
            Engine::Random => self.classes = Classes::of(exploration.classes.values().copied()),
            Engine::Pct => {
                *self.by_depth.entry(depth as u64).or_default() += exploration.executions;
            }
            _ => {}
        }
    }
}

/// What was sampled of several programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sampled {
    /// Programs.
    pub programs: u64,
    /// Executions, by all engines.
    pub executions: u64,
    /// The classes that random scheduling met.
    pub classes: Classes,
    /// By the depth of a bug: the chances that it was missed, at most, added up over programs, and how many programs.
    pub missed: BTreeMap<u64, Missed>,
}

/// See [`Sampled::missed`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Missed {
    /// Programs.
    pub programs: u64,
    /// The sum over them, in billionths: whole numbers add up to the same in any order.
    pub billionths: u64,
}

impl Missed {
    /// The chance on average; `None` of no program.
    #[must_use]
    pub fn average(self) -> Option<f64> {
        (self.programs > 0).then(|| self.billionths as f64 / BILLION / self.programs as f64)
    }
}

const BILLION: f64 = 1e9;

impl Sampled {
    /// Adds a program.
    pub fn add(&mut self, sample: &Sample) {
        self.programs += 1;
        self.executions += sample.executions;
        self.classes.add(sample.classes);
        for (&depth, &executions) in &sample.by_depth {
            let missed_by = self.missed.entry(depth).or_default();
            missed_by.programs += 1;
            let chance = missed(sample.threads, sample.choices, depth, executions);
            missed_by.billionths += (chance * BILLION).round() as u64;
        }
    }

    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        self.programs += other.programs;
        self.executions += other.executions;
        self.classes.add(other.classes);
        for (&depth, other) in &other.missed {
            let own = self.missed.entry(depth).or_default();
            own.programs += other.programs;
            own.billionths += other.billionths;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Classes;

    #[test]
    fn classes_are_counted_by_how_often_they_were_seen() {
        let classes = Classes::of([1, 1, 2, 6].into_iter());
        let expected = Classes {
            executions: 10,
            different: 4,
            once: 2,
            twice: 1,
        };
        assert_eq!(classes, expected);
    }
}
