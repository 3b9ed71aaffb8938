//! What the rounds came to: figures with what is asked of them, and how they compare. Pure.

use serde::Serialize;

use super::program::Held;
use super::rounds::{Samples, Sides, Workload};
use super::statistics::{Estimate, Quartiles};

/// What is asked of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    AtMost(f64),
    AtLeast(f64),
}

impl Asked {
    pub(super) fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
        }
    }
}

/// What is asked of workloads, in ns an element.
const TIMES: [(&str, Asked); 3] = [
    ("W1 alone", Asked::AtMost(100.0)),
    ("W2 one provider", Asked::AtMost(317.0)),
    ("W5 100 providers", Asked::AtMost(240.0)),
];

/// A figure that is the ratio of two medians.
struct Of {
    name: &'static str,
    over: &'static str,
    under: &'static str,
    asked: Option<Asked>,
}

/// Two threads do twice as much: a speedup of 2 is as good as it gets.
const RATIOS: [Of; 4] = [
    Of {
        name: "W3/W2: 1,000 idle modules",
        over: "W3 1,000 idle",
        under: "W2 one provider",
        asked: Some(Asked::AtMost(1.2)),
    },
    Of {
        name: "W4/W2: 10,000 idle modules",
        over: "W4 10,000 idle",
        under: "W2 one provider",
        asked: Some(Asked::AtMost(1.2)),
    },
    Of {
        name: "W6: speedup of two threads",
        over: "W6 one thread",
        under: "W6 two threads",
        asked: Some(Asked::AtLeast(1.7)),
    },
    Of {
        name: "W6: the same on one interface",
        over: "W6 one thread",
        under: "W6 two threads on one interface",
        asked: None,
    },
];

/// A workload, over all rounds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Time {
    pub(super) workload: String,
    /// In ns an element.
    pub(super) of: Sides<Quartiles>,
    /// Of the medians of each round, now to baseline.
    pub(super) ratio: Option<Estimate>,
    pub(super) asked: Option<Asked>,
}

/// The ratio of two medians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratio {
    pub(super) name: &'static str,
    pub(super) of: Sides<f64>,
    pub(super) asked: Option<Asked>,
}

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) rounds: usize,
    /// Empty if no round is complete.
    pub(super) times: Vec<Time>,
    pub(super) ratios: Vec<Ratio>,
    pub(super) held: Sides<Held>,
}

impl Report {
    pub(super) fn of(workloads: &[Workload], held: Sides<Held>) -> Self {
        let times: Vec<Time> = workloads.iter().filter_map(time).collect();
        let rounds = workloads.iter().map(|workload| workload.rounds.len());
        Self {
            rounds: rounds.min().unwrap_or(0),
            ratios: RATIOS.iter().filter_map(|of| ratio(of, &times)).collect(),
            times,
            held,
        }
    }
}

fn time(workload: &Workload) -> Option<Time> {
    let rounds = &workload.rounds;
    let medians = rounds
        .iter()
        .map(|round| round.map(|samples| median(samples)));
    let ratios = medians.filter_map(|round| Some(round.now? / round.baseline??));
    let name = workload.id.split_once('/').map_or(&*workload.id, |id| id.1);
    let now: Samples = rounds.iter().flat_map(|round| round.now.clone()).collect();
    let then = rounds.iter().filter_map(|round| round.baseline.clone());
    let then: Samples = then.flatten().collect();
    let asked = TIMES.iter().find(|(of, _)| *of == name);
    Some(Time {
        workload: name.to_owned(),
        of: Sides {
            now: Quartiles::of(&now)?,
            baseline: Quartiles::of(&then),
        },
        ratio: Estimate::of(&ratios.collect::<Vec<_>>()),
        asked: asked.map(|&(_, asked)| asked),
    })
}

fn median(samples: &[f64]) -> Option<f64> {
    Quartiles::of(samples).map(|of| of.median)
}

fn ratio(of: &Of, times: &[Time]) -> Option<Ratio> {
    let find = |name| times.iter().find(|time| time.workload == name);
    let (over, under) = (find(of.over)?, find(of.under)?);
    let baseline = over.of.baseline.zip(under.of.baseline);
    Some(Ratio {
        name: of.name,
        of: Sides {
            now: over.of.now.median / under.of.now.median,
            baseline: baseline.map(|(over, under)| over.median / under.median),
        },
        asked: of.asked,
    })
}

/// A line for programs. Times are in ns an element; what the baseline has is `null` without one.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind")]
pub(crate) enum Line<'a> {
    /// A workload.
    #[serde(rename = "registrar-time")]
    Time {
        workload: &'a str,
        /// The hash of the baseline's commit.
        revision: Option<&'a str>,
        rounds: usize,
        now: Quartiles,
        baseline: Option<Quartiles>,
        ratio: Option<Estimate>,
        asked: Option<Asked>,
    },
    /// A ratio of medians.
    #[serde(rename = "registrar-ratio")]
    Ratio {
        ratio: &'a str,
        revision: Option<&'a str>,
        now: f64,
        baseline: Option<f64>,
        asked: Option<Asked>,
    },
    /// What registrations hold.
    #[serde(rename = "registrar-memory")]
    Memory {
        revision: Option<&'a str>,
        now: Held,
        baseline: Option<Held>,
    },
}

impl Report {
    /// All of it for programs. `revision` is the hash of the baseline's commit.
    pub(super) fn lines<'a>(&'a self, revision: Option<&'a str>) -> impl Iterator<Item = Line<'a>> {
        let times = self.times.iter().map(move |time| Line::Time {
            workload: &time.workload,
            revision,
            rounds: self.rounds,
            now: time.of.now,
            baseline: time.of.baseline,
            ratio: time.ratio,
            asked: time.asked,
        });
        let ratios = self.ratios.iter().map(move |ratio| Line::Ratio {
            ratio: ratio.name,
            revision,
            now: ratio.of.now,
            baseline: ratio.of.baseline,
            asked: ratio.asked,
        });
        let memory = Line::Memory {
            revision,
            now: self.held.now,
            baseline: self.held.baseline,
        };
        times.chain(ratios).chain([memory])
    }
}

#[cfg(test)]
pub(super) mod samples {
    //! Measured workloads for this module's unit tests.

    use super::{Held, Report, Sides, Workload};

    /// Rounds in which now takes `now` ns and the baseline `then` ns, on a machine that gets slower by a
    /// tenth from one round to the next.
    pub(in super::super) fn workload(name: &str, now: f64, then: Option<f64>) -> Workload {
        let rounds = (0..6).map(|round| {
            let slow = 1.0 + 0.1 * f64::from(round);
            let samples = |ns: &f64| [0.99, 1.0, 1.01].map(|part| part * ns * slow).to_vec();
            Sides {
                now,
                baseline: then,
            }
            .map(samples)
        });
        Workload {
            id: format!("registrar/{name}"),
            rounds: rounds.collect(),
        }
    }

    pub(in super::super) fn report(workloads: &[Workload], is_compared: bool) -> Report {
        let held = |bytes| Held {
            registrations: 100_000,
            bytes,
        };
        let held = Sides {
            now: held(18_000_000),
            baseline: is_compared.then(|| held(24_000_000)),
        };
        Report::of(workloads, held)
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{report, workload};
    use super::{Asked, Report};

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn what_is_compared_was_measured_together() {
        // From the first round to the last the machine gets slower by half: no ratio of rounds hears of it.
        let report = report(&[workload("W1 alone", 90.0, Some(100.0))], true);
        let ratio = report.times[0].ratio.expect("there is a baseline");
        let all = [ratio.low, ratio.median, ratio.high];
        assert!(all.iter().all(|&one| near(one, 0.9)), "{ratio:?}");
        assert!(ratio.confidence > 0.95, "{ratio:?}");
        assert_eq!(report.rounds, 6);
    }

    #[test]
    fn a_disturbed_sample_changes_nothing() {
        let calm = [
            workload("W2 one provider", 300.0, Some(310.0)),
            workload("W4 10,000 idle", 360.0, Some(310.0)),
        ];
        let mut disturbed = calm.clone();
        disturbed[0].rounds[0].now[0] = 1.0;
        disturbed[1].rounds[5].now[2] = 1e9;
        let medians = |report: Report| {
            let times = report
                .times
                .iter()
                .map(|time| (time.of.now.median, time.ratio));
            (times.collect::<Vec<_>>(), report.ratios)
        };
        assert_eq!(
            medians(report(&calm, true)),
            medians(report(&disturbed, true))
        );
    }

    #[test]
    fn ratios_are_of_medians() {
        let all = [
            workload("W2 one provider", 300.0, None),
            workload("W3 1,000 idle", 330.0, None),
            workload("W4 10,000 idle", 390.0, None),
            workload("W6 one thread", 300.0, None),
            workload("W6 two threads", 160.0, None),
            workload("W6 two threads on one interface", 600.0, None),
        ];
        let report = report(&all, false);
        let ratios: Vec<f64> = report.ratios.iter().map(|ratio| ratio.of.now).collect();
        let expected = [1.1, 1.3, 1.875, 0.5];
        assert_eq!(ratios.len(), expected.len());
        let pairs = ratios.iter().zip(expected);
        assert!(
            pairs.clone().all(|(&one, other)| near(one, other)),
            "{ratios:?}"
        );
        assert!(
            report
                .ratios
                .iter()
                .all(|ratio| ratio.of.baseline.is_none())
        );
        assert!(report.times.iter().all(|time| time.ratio.is_none()));
    }

    #[test]
    fn nothing_is_said_of_what_was_not_measured() {
        let mut stopped = workload("W1 alone", 90.0, None);
        stopped.rounds.clear();
        let report = report(&[stopped], false);
        assert_eq!(
            (report.rounds, report.times, report.ratios),
            (0, vec![], vec![])
        );
    }

    #[test]
    fn bounds_are_met_at_their_edge() {
        assert!(Asked::AtMost(1.2).is_met(1.2) && !Asked::AtMost(1.2).is_met(1.21));
        assert!(Asked::AtLeast(1.7).is_met(1.7) && !Asked::AtLeast(1.7).is_met(1.69));
    }
}
