//! What the executions of a search leave over, taken together.

use std::collections::BTreeMap;

use crate::event::Refusal;
use crate::oracle::{Left, Leftover};
use crate::permuted::Symmetry;
use crate::scenario::Scenario;

/// The least and the most that any execution has left of something. What comes out does not hang on the
/// order of the executions, nor on which of several alike were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    /// Of the modules, as soon as an execution has ended.
    names: Vec<String>,
    ranges: Option<BTreeMap<Leftover, Range>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    least: usize,
    most: usize,
}

impl Notes {
    /// An execution has ended. With it have those that differ from it by a symmetry: an engine need not make
    /// them.
    pub(super) fn add(&mut self, scenario: &Scenario, left: &Left, symmetries: &[Symmetry]) {
        if self.names.is_empty() {
            let modules = scenario.modules.iter();
            self.names = modules.map(|module| module.name.clone()).collect();
        }
        for symmetry in symmetries {
            let moved = left
                .iter()
                .map(|(&it, &count)| (moved(it, symmetry), count));
            self.add_one(&moved.collect());
        }
    }

    fn add_one(&mut self, left: &Left) {
        let Some(ranges) = &mut self.ranges else {
            let exactly = |&count| Range {
                least: count,
                most: count,
            };
            let ranges = left.iter().map(|(&it, count)| (it, exactly(count)));
            self.ranges = Some(ranges.collect());
            return;
        };
        for (it, range) in ranges.iter_mut() {
            let count = left.get(it).copied().unwrap_or(0);
            range.least = range.least.min(count);
            range.most = range.most.max(count);
        }
        for (&it, &most) in left {
            ranges.entry(it).or_insert(Range { least: 0, most });
        }
    }

    pub(super) fn in_words(&self) -> Vec<String> {
        let ranges = self.ranges.iter().flatten();
        let notes = ranges.map(|(&it, &range)| self.note(it, range));
        notes.collect()
    }

    fn note(&self, leftover: Leftover, Range { least, most }: Range) -> String {
        let name = |module: u8| &self.names[usize::from(module)];
        let (when, count) = match least {
            0 if most > 1 => ("in some executions ", format!("up to {most}")),
            0 => ("in some executions ", most.to_string()),
            _ if least < most => ("", format!("{least} to {most}")),
            _ => ("", most.to_string()),
        };
        let one = most == 1;
        let (are, them) = if one { ("is", "it") } else { ("are", "them") };
        match leftover {
            Leftover::Registration(module) => {
                let things = if one { "registration" } else { "registrations" };
                let module = name(module);
                format!(
                    "{when}{count} {things} of {module} {are} left at the end: nobody deregistered {them}"
                )
            }
            Leftover::Detach(owner, peer) => {
                let things = if one { "detach" } else { "detaches" };
                let (owner, peer) = (name(owner), name(peer));
                format!(
                    "{when}{count} {things} that {owner} answered pending, from {peer}, {are} not completed \
                     at the end"
                )
            }
            Leftover::Unwaited(module) => {
                let things = if one { "registration" } else { "registrations" };
                let module = name(module);
                format!(
                    "{when}{count} deregistered {things} of {module} {are} left at the end: nobody waited for {them}"
                )
            }
            Leftover::Refused(module, refusal) => {
                let does = match refusal {
                    Refusal::Deregister => "is deregistered",
                    Refusal::Wait => "is waited for",
                };
                let module = name(module);
                format!(
                    "{when}{module} {does} where it is not registered, or not any more: the call is refused"
                )
            }
        }
    }
}

fn moved(leftover: Leftover, symmetry: &Symmetry) -> Leftover {
    let place = |module: u8| symmetry.modules[usize::from(module)];
    match leftover {
        Leftover::Registration(module) => Leftover::Registration(place(module)),
        Leftover::Detach(owner, peer) => Leftover::Detach(place(owner), place(peer)),
        Leftover::Unwaited(module) => Leftover::Unwaited(place(module)),
        Leftover::Refused(module, refusal) => Leftover::Refused(place(module), refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios;
    use crate::symmetry::symmetries;

    /// What is noted if executions leave so many registrations of the first module.
    fn noted(counts: &[usize]) -> Vec<String> {
        let scenario = scenarios::named("two-lives").expect("a scenario");
        let mut notes = Notes::default();
        for &count in counts {
            let left = Left::from([(Leftover::Registration(0), count)]);
            let left = left.into_iter().filter(|&(_, count)| count > 0).collect();
            notes.add(&scenario, &left, &symmetries(&scenario));
        }
        notes.in_words()
    }

    #[test]
    fn the_order_of_executions_does_not_count() {
        let varies = "in some executions up to 3 registrations of c are left at the end: nobody deregistered them";
        for counts in [[0, 3, 1], [3, 0, 1], [1, 3, 0]] {
            assert_eq!(noted(&counts), [varies]);
        }
        let always = "1 to 2 registrations of c are left at the end: nobody deregistered them";
        assert_eq!(noted(&[1, 2]), [always]);
        assert_eq!(noted(&[2, 1]), [always]);
        assert_eq!(noted(&[0, 0]), [""; 0]);
    }
}
