//! States with something left to choose, in the order in which a worker turns to them.
//!
//! First found, first turned to: near the beginning an execution has the longest way before it, and meets
//! the most choices that nobody has taken yet. But the states that wait would be a good part of all
//! states, and what is known of each of them is kept. So the states are put into levels, each of them
//! found from the one before, and a level comes before its predecessor as long as it is long. With
//! levels of length 1 that is a search by depth, in which few states wait; without a limit, one by breadth.

use std::collections::VecDeque;

use crate::walk::Open;

/// States in a level from which it comes before its predecessor.
pub(crate) const LONG: usize = 1 << 14;

/// See the [module's documentation](self).
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// Each state was found by an execution that turned at one of the level before.
    levels: Vec<VecDeque<Open>>,
    /// The level that is being worked on.
    current: usize,
}

impl Queue {
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

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Open> {
        self.levels.iter().flatten()
    }

    fn level(&mut self, number: usize) -> &mut VecDeque<Open> {
        if self.levels.len() <= number {
            self.levels.resize(number + 1, VecDeque::new());
        }
        &mut self.levels[number]
    }

    /// Puts in what there is at the beginning.
    pub(crate) fn fill(&mut self, open: impl IntoIterator<Item = Open>) {
        self.level(0).extend(open);
    }

    /// Puts in what was found by the execution that turned at the state answered last.
    pub(crate) fn put(&mut self, found: impl IntoIterator<Item = Open>) {
        self.level(self.current + 1).extend(found);
    }

    /// Puts the state answered last back in its place.
    pub(crate) fn put_back(&mut self, open: Open) {
        self.level(self.current).push_front(open);
    }

    /// The state to turn to, if a level is long with so many states.
    pub(crate) fn next(&mut self, long: usize) -> Option<Open> {
        while self.levels.last().is_some_and(VecDeque::is_empty) {
            self.levels.pop();
        }
        let last = self.levels.len().checked_sub(1)?;
        let before = self.levels[..last].iter().rposition(|one| !one.is_empty());
        self.current = match before {
            Some(before) if self.levels[last].len() < long => before,
            _ => last,
        };
        self.levels[self.current].pop_front()
    }

    /// The state from which the most can be expected, for another worker.
    pub(crate) fn give(&mut self) -> Option<Open> {
        self.levels.iter_mut().find_map(VecDeque::pop_front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use crate::walk::Place;

    fn open(number: usize) -> Open {
        Open {
            path: None,
            state: Some(Place {
                digest: 0,
                fingerprint: Fingerprint(number as u128),
                permutation: 0,
            }),
        }
    }

    fn number(open: &Open) -> u128 {
        open.state.expect("a number").fingerprint.0
    }

    /// The order in which the states of a tree are turned to in which those up to `inner` have two below
    /// them: of n, 2n + 1 and 2n + 2.
    fn order(long: usize, inner: u128) -> Vec<u128> {
        let mut queue = Queue::new();
        queue.fill([open(0)]);
        let mut order = Vec::new();
        while let Some(next) = queue.next(long) {
            let number = number(&next);
            order.push(number);
            if number <= inner {
                queue.put([2 * number + 1, 2 * number + 2].map(|number| open(number as usize)));
            }
        }
        assert!(queue.is_empty());
        order
    }

    #[test]
    fn short_levels_are_turned_to_one_after_the_other() {
        assert_eq!(order(100, 2), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_level_comes_before_its_predecessor_as_long_as_it_is_long() {
        assert_eq!(order(2, 2), [0, 1, 3, 2, 4, 5, 6]);
    }

    #[test]
    fn levels_as_short_as_can_be_are_a_search_by_depth() {
        assert_eq!(order(1, 2), [0, 1, 3, 4, 2, 5, 6]);
        assert_eq!(
            order(1, 6),
            [0, 1, 3, 7, 8, 4, 9, 10, 2, 5, 11, 12, 6, 13, 14]
        );
    }

    #[test]
    fn what_is_put_back_comes_next() {
        let mut queue = Queue::new();
        queue.fill([open(1), open(2)]);
        let first = queue.next(LONG).expect("there are two");
        queue.put([open(3)]);
        queue.put_back(first);
        let order: Vec<u128> = std::iter::from_fn(|| queue.next(LONG))
            .map(|one| number(&one))
            .collect();
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn what_is_given_away_is_nearest_to_the_beginning() {
        let mut queue = Queue::new();
        queue.fill([open(1), open(2)]);
        queue.next(LONG);
        queue.put([open(3)]);
        let given: Vec<u128> = std::iter::from_fn(|| queue.give())
            .map(|one| number(&one))
            .collect();
        assert_eq!(given, [2, 3]);
    }
}
