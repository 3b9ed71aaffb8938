//! The frontier: states with something left to choose, in the order in which a worker turns to them.
//!
//! First found, first turned to: near the beginning an execution has the longest way before it, and meets
//! the most choices that nobody has taken yet. But the frontier would be a good part of all states, and of
//! each there is a snapshot. So it has levels, each of them found from the one before: it is searched by
//! breadth until a level holds `CAP` entries; then that level is drained first, which bounds the frontier as a
//! search by depth does. With a cap of 1 it is a search by depth; without one, by breadth.

use std::collections::VecDeque;

use crate::checker::walk::FrontierEntry;

/// Entries of a level from which on it comes before its predecessor.
pub(crate) const CAP: usize = 1 << 14;

/// See the [module's documentation](self).
#[derive(Clone, Debug)]
pub(crate) struct Frontier {
    /// Each state was found by an execution that turned at one of the level before.
    levels: Vec<VecDeque<FrontierEntry>>,
    /// The level that is being worked on.
    current: usize,
}

impl Frontier {
    pub(crate) const fn new() -> Self {
        Self {
            levels: Vec::new(),
            current: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.levels.iter().all(VecDeque::is_empty)
    }

    pub(crate) fn clear(&mut self) {
        self.levels.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &FrontierEntry> {
        self.levels.iter().flatten()
    }

    fn level(&mut self, number: usize) -> &mut VecDeque<FrontierEntry> {
        if self.levels.len() <= number {
            self.levels.resize(number + 1, VecDeque::new());
        }
        &mut self.levels[number]
    }

    /// Puts in what there is at the beginning.
    pub(crate) fn fill(&mut self, entries: impl IntoIterator<Item = FrontierEntry>) {
        self.level(0).extend(entries);
    }

    /// Puts in what was discovered by the execution that turned at the state answered last.
    pub(crate) fn put(&mut self, discovered: impl IntoIterator<Item = FrontierEntry>) {
        self.level(self.current + 1).extend(discovered);
    }

    /// Puts the state answered last back in its place.
    pub(crate) fn put_back(&mut self, entry: FrontierEntry) {
        self.level(self.current).push_front(entry);
    }

    /// The state to turn to, where so many entries are too many for a level.
    pub(crate) fn next(&mut self, cap: usize) -> Option<FrontierEntry> {
        while self.levels.last().is_some_and(VecDeque::is_empty) {
            self.levels.pop();
        }
        let last = self.levels.len().checked_sub(1)?;
        let before = self.levels[..last].iter().rposition(|one| !one.is_empty());
        self.current = match before {
            Some(before) if self.levels[last].len() < cap => before,
            _ => last,
        };
        self.levels[self.current].pop_front()
    }

    /// The state from which the most can be expected, for another worker.
    pub(crate) fn give(&mut self) -> Option<FrontierEntry> {
        self.levels.iter_mut().find_map(VecDeque::pop_front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fingerprint::Fingerprint;
    use crate::checker::walk::Place;

    fn entry(number: usize) -> FrontierEntry {
        FrontierEntry {
            path: None,
            place: Some(Place {
                digest: 0,
                fingerprint: Fingerprint(number as u128),
                permutation: 0,
            }),
        }
    }

    fn number(entry: &FrontierEntry) -> u128 {
        entry.place.expect("a number").fingerprint.0
    }

    /// The order in which the states of a tree are turned to in which those up to `inner` have two below
    /// them: of n, 2n + 1 and 2n + 2.
    fn order(cap: usize, inner: u128) -> Vec<u128> {
        let mut frontier = Frontier::new();
        frontier.fill([entry(0)]);
        let mut order = Vec::new();
        while let Some(next) = frontier.next(cap) {
            let number = number(&next);
            order.push(number);
            if number <= inner {
                frontier.put([2 * number + 1, 2 * number + 2].map(|number| entry(number as usize)));
            }
        }
        assert!(frontier.is_empty());
        order
    }

    #[test]
    fn levels_that_are_not_full_are_turned_to_one_after_the_other() {
        assert_eq!(order(100, 2), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_full_level_comes_before_its_predecessor() {
        assert_eq!(order(2, 2), [0, 1, 3, 2, 4, 5, 6]);
    }

    #[test]
    fn a_cap_of_one_is_a_search_by_depth() {
        assert_eq!(order(1, 2), [0, 1, 3, 4, 2, 5, 6]);
        assert_eq!(
            order(1, 6),
            [0, 1, 3, 7, 8, 4, 9, 10, 2, 5, 11, 12, 6, 13, 14]
        );
    }

    #[test]
    fn what_is_put_back_comes_next() {
        let mut frontier = Frontier::new();
        frontier.fill([entry(1), entry(2)]);
        let first = frontier.next(CAP).expect("there are two");
        frontier.put([entry(3)]);
        frontier.put_back(first);
        let order: Vec<u128> = std::iter::from_fn(|| frontier.next(CAP))
            .map(|one| number(&one))
            .collect();
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn what_is_given_away_is_nearest_to_the_beginning() {
        let mut frontier = Frontier::new();
        frontier.fill([entry(1), entry(2)]);
        frontier.next(CAP);
        frontier.put([entry(3)]);
        let given: Vec<u128> = std::iter::from_fn(|| frontier.give())
            .map(|one| number(&one))
            .collect();
        assert_eq!(given, [2, 3]);
    }
}
