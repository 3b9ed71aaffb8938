//! The neighbourhood of a schedule: the same switches between threads, a little earlier or later.
//!
//! Where code has changed, a schedule that is aligned again may stop a thread an operation too early. So each of
//! its steps is put off, put forward, left out or exchanged with the next one; then each two. The order is fixed, and
//! nothing of it is random.

use crate::checker::follow::Fit;
use crate::checker::report::Replay;
use crate::checker::schedule::{Schedule, Step};

/// What came of a search in the neighbourhood of a schedule.
#[derive(Clone, Debug)]
#[must_use = "it says whether something was found"]
#[non_exhaustive]
pub struct Near {
    /// Executions made.
    pub executions: u64,
    /// The execution that was looked for.
    pub found: Option<Replay>,
}

/// A change of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    /// The thread stops so many operations of the kind later.
    Later(usize, u32),
    /// One earlier.
    Earlier(usize),
    /// It does not stop there.
    Drop(usize),
    /// The next step comes first.
    Swap(usize),
}

impl Edit {
    /// All changes of a schedule with so many steps, small ones first.
    fn all(steps: usize) -> impl Iterator<Item = Self> {
        let each = move |edit: fn(usize) -> Self| (0..steps).rev().map(edit);
        each(|step| Self::Later(step, 1))
            .chain(each(Self::Earlier))
            .chain(each(|step| Self::Later(step, 2)))
            .chain(each(Self::Swap))
            .chain(each(Self::Drop))
    }

    const fn step(self) -> usize {
        match self {
            Self::Later(step, _) | Self::Earlier(step) | Self::Drop(step) | Self::Swap(step) => {
                step
            }
        }
    }

    /// `None` if there is nothing to change.
    fn apply(self, schedule: &Schedule) -> Option<Schedule> {
        let mut schedule = schedule.clone();
        let steps = &mut schedule.steps;
        match self {
            Self::Later(step, by) => steps.get_mut(step)?.nth += by,
            Self::Earlier(step) => {
                let nth = &mut steps.get_mut(step)?.nth;
                *nth = nth.checked_sub(1).filter(|&nth| nth > 0)?;
            }
            Self::Drop(step) if step < steps.len() => {
                steps.remove(step);
            }
            Self::Swap(step) if step + 1 < steps.len() => steps.swap(step, step + 1),
            Self::Drop(_) | Self::Swap(_) => return None,
        }
        Some(schedule)
    }
}

/// The neighbours, the nearest first.
fn neighbours(schedule: &Schedule) -> impl Iterator<Item = Schedule> {
    by_one(schedule).chain(by_two(schedule))
}

/// Those that differ by one change.
fn by_one(schedule: &Schedule) -> impl Iterator<Item = Schedule> {
    Edit::all(schedule.steps.len()).filter_map(|edit| edit.apply(schedule))
}

/// Those that differ by two.
fn by_two(schedule: &Schedule) -> impl Iterator<Item = Schedule> {
    let steps = schedule.steps.len();
    let pairs = Edit::all(steps).flat_map(move |one| {
        // A later step first: what comes before it keeps its place.
        Edit::all(steps)
            .filter(move |other| other.step() < one.step())
            .map(move |other| (one, other))
    });
    pairs.filter_map(|(one, other)| other.apply(&one.apply(schedule)?))
}

/// Executions that leave a schedule, the latest first: at a step another thread goes on in the place of the one that did,
/// or the one that ran; and then each thread as long as it can.
fn branches(schedule: &Schedule) -> impl Iterator<Item = Schedule> {
    (0..schedule.steps.len()).rev().flat_map(move |at| {
        let (before, after) = schedule.steps.split_at(at);
        let mut nexts: Vec<&Step> = Vec::new();
        for step in after.iter().chain(&schedule.rest) {
            if nexts.iter().all(|other| other.thread != step.thread) {
                nexts.push(step);
            }
        }
        // The first one is the step itself.
        let others = nexts.into_iter().skip(1).map(Some).chain([None]);
        others.map(|other| Schedule {
            steps: before.iter().chain(other).cloned().collect(),
            rest: Vec::new(),
        })
    })
}

/// Tries what differs by one step, what leaves the schedule for good, and what differs by two, until one is wanted or `most`
/// executions are made.
pub(crate) fn search_others(
    schedule: &Schedule,
    most: u64,
    replay: &dyn Fn(&Schedule, Fit) -> Replay,
    is_wanted: impl Fn(&Replay) -> bool,
) -> Near {
    let mut near = Near {
        executions: 0,
        found: None,
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let others = by_one(schedule).chain(branches(schedule));
    for other in others.chain(by_two(schedule)).take(most) {
        near.executions += 1;
        let replay = replay(&other, Fit::Aligned);
        if is_wanted(&replay) {
            near.found = Some(replay);
            break;
        }
    }
    near
}

/// Tries neighbours until one is wanted, or `most` executions are made.
pub(crate) fn search(
    schedule: &Schedule,
    most: u64,
    replay: &dyn Fn(&Schedule, Fit) -> Replay,
    is_wanted: impl Fn(&Replay) -> bool,
) -> Near {
    let schedule = schedule.condensed();
    let mut near = Near {
        executions: 0,
        found: None,
    };
    let itself = [Fit::Aligned, Fit::Renamed].map(|fit| (schedule.clone(), fit));
    let others = neighbours(&schedule);
    let others = others.flat_map(|one| [(one.clone(), Fit::Aligned), (one, Fit::Renamed)]);
    for (neighbour, fit) in itself.into_iter().chain(others) {
        if near.executions >= most {
            break;
        }
        near.executions += 1;
        let replay = replay(&neighbour, fit);
        if is_wanted(&replay) {
            near.found = Some(replay);
            break;
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(lines: &str) -> Schedule {
        lines.parse().unwrap()
    }

    #[test]
    fn a_neighbour_differs_by_one_step_and_then_by_two() {
        let schedule = schedule("a: load Atomic.1 #2\nb: load Atomic.1\n");
        let all: Vec<String> = neighbours(&schedule).map(|one| one.to_string()).collect();
        assert_eq!(all[0], "a: load Atomic.1 #2\nb: load Atomic.1 #2\n");
        assert!(all.contains(&"a: load Atomic.1\nb: load Atomic.1\n".to_owned()));
        assert!(all.contains(&"b: load Atomic.1\na: load Atomic.1 #2\n".to_owned()));
        assert!(all.contains(&"a: load Atomic.1 #3\nb: load Atomic.1 #3\n".to_owned()));
        assert!(all.contains(&"b: load Atomic.1\n".to_owned()));
        assert!(!all.contains(&schedule.to_string()));
    }

    #[test]
    fn a_branch_leaves_the_schedule_at_one_step_the_latest_first() {
        let schedule = schedule("a: load Atomic.1\nb: load Atomic.1\nc: load Atomic.1\n");
        let all: Vec<String> = branches(&schedule).map(|one| one.to_string()).collect();
        let expected = [
            "a: load Atomic.1\nb: load Atomic.1\n",
            "a: load Atomic.1\nc: load Atomic.1\n",
            "a: load Atomic.1\n",
            "b: load Atomic.1\n",
            "c: load Atomic.1\n",
            "",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn it_ends_at_its_bound() {
        let schedule = schedule("a: load Atomic.1\nb: load Atomic.1\nc: load Atomic.1\n");
        let near = search(&schedule, 5, &|_, _| Replay::failed(String::new()), |_| {
            false
        });
        assert_eq!((near.executions, near.found.is_some()), (5, false));
    }
}
