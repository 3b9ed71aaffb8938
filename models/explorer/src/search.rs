//! The search: depth first over the choices of which thread goes next, with sleep sets.
//!
//! Pure: it knows threads by number and transitions by the objects that they touch, runs nothing, and
//! is told what happened. Sleep sets are Godefroid's (Partial-Order Methods for the Verification of
//! Concurrent Systems, LNCS 1032, 1996, chapter 5). A transition is here what a thread does from one
//! visible operation up to the next, and two are independent if they touch no object together. What a
//! sleeping thread would do is known from when it was done at an earlier node: as long as only
//! independent transitions come between, it would do the same.
//!
//! It does not compute persistent sets: an execution that turns out to be asleep is ended early by its
//! runner, but has begun.

use std::collections::{BTreeMap, BTreeSet};

/// A thread of the program, by its number.
pub(crate) type Thread = usize;

/// The objects that a transition touches.
pub(crate) type Footprint<O> = BTreeSet<O>;

/// What the runner does at a branching point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This thread goes next.
    Go(Thread),
    /// Whatever comes from here on was seen in another order: nothing needs to be chosen any more.
    Asleep,
}

/// The program did not do what it did before in the same place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "at step {step} of a repeated execution the threads that can go on are {now:?}, and were {then:?}: \
     the program depends on something that is not under control (time, a random number, the order of \
     a hash map)"
)]
pub(crate) struct Diverged {
    pub(crate) step: usize,
    pub(crate) then: Vec<Thread>,
    pub(crate) now: Vec<Thread>,
}

/// One branching point of the current path.
#[derive(Clone, Debug)]
struct Node<O> {
    enabled: Vec<Thread>,
    chosen: Thread,
    /// The chosen transition's, once it is over.
    footprint: Footprint<O>,
    /// Threads that need not go next, with what they would do.
    sleep: BTreeMap<Thread, Footprint<O>>,
}

/// See the [module's documentation](self).
#[derive(Clone, Debug)]
pub(crate) struct Search<O> {
    path: Vec<Node<O>>,
    /// How far the current execution has come on the path.
    depth: usize,
    asleep: bool,
    /// Branching points whose successors were chosen, over all executions.
    transitions: u64,
    deepest: usize,
}

impl<O: Ord + Copy> Search<O> {
    pub(crate) const fn new() -> Self {
        Self {
            path: Vec::new(),
            depth: 0,
            asleep: false,
            transitions: 0,
            deepest: 0,
        }
    }

    pub(crate) const fn transitions(&self) -> u64 {
        self.transitions
    }

    pub(crate) const fn deepest(&self) -> usize {
        self.deepest
    }

    /// Whether the execution that has just ended was seen in another order.
    pub(crate) const fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// The threads chosen so far in the current execution.
    pub(crate) fn schedule(&self) -> Vec<Thread> {
        self.path[..self.depth]
            .iter()
            .map(|node| node.chosen)
            .collect()
    }

    /// Forgets the path, and keeps the figures.
    pub(crate) fn start_again(&mut self) {
        self.path.clear();
    }

    /// An execution begins.
    pub(crate) fn begin(&mut self) {
        self.depth = 0;
        self.asleep = false;
    }

    /// A branching point: `enabled` can go on, the most welcome first; `before` is what the transition
    /// chosen at the last one has touched.
    ///
    /// # Errors
    /// On a part of the path that was taken before, other threads can go on than then.
    pub(crate) fn choose(
        &mut self,
        enabled: &[Thread],
        before: &Footprint<O>,
    ) -> Result<Choice, Diverged> {
        if self.asleep {
            return Ok(Choice::Asleep);
        }
        if let Some(last) = self.depth.checked_sub(1) {
            self.path[last].footprint.clone_from(before);
        }
        if let Some(node) = self.path.get(self.depth) {
            if node.enabled != enabled {
                return Err(Diverged {
                    step: self.depth + 1,
                    then: node.enabled.clone(),
                    now: enabled.to_vec(),
                });
            }
            let chosen = node.chosen;
            self.depth += 1;
            return Ok(Choice::Go(chosen));
        }
        let sleep = self.inherited();
        let Some(&chosen) = enabled.iter().find(|thread| !sleep.contains_key(thread)) else {
            self.asleep = true;
            return Ok(Choice::Asleep);
        };
        self.path.push(Node {
            enabled: enabled.to_vec(),
            chosen,
            footprint: Footprint::new(),
            sleep,
        });
        self.depth += 1;
        self.transitions += 1;
        self.deepest = self.deepest.max(self.depth);
        Ok(Choice::Go(chosen))
    }

    /// Who still sleeps after the last transition: those whom it does not concern.
    fn inherited(&self) -> BTreeMap<Thread, Footprint<O>> {
        let Some(last) = self.path.last() else {
            return BTreeMap::new();
        };
        let asleep = last.sleep.iter().filter(|&(&thread, would_touch)| {
            thread != last.chosen && would_touch.is_disjoint(&last.footprint)
        });
        asleep
            .map(|(&thread, touched)| (thread, touched.clone()))
            .collect()
    }

    /// The execution has ended; `last` is what its last transition touched. Whether there is another
    /// one to make.
    pub(crate) fn end(&mut self, last: &Footprint<O>) -> bool {
        if !self.asleep
            && let Some(node) = self.depth.checked_sub(1).map(|index| &mut self.path[index])
        {
            node.footprint.clone_from(last);
        }
        while let Some(node) = self.path.last_mut() {
            let done = std::mem::take(&mut node.footprint);
            node.sleep.insert(node.chosen, done);
            let next = node
                .enabled
                .iter()
                .find(|thread| !node.sleep.contains_key(thread));
            if let Some(&next) = next {
                node.chosen = next;
                self.transitions += 1;
                return true;
            }
            self.path.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads that each touch objects, one after the other.
    fn explore(program: &[&[char]]) -> (u64, u64) {
        let mut search: Search<char> = Search::new();
        let (mut whole, mut asleep) = (0, 0);
        loop {
            search.begin();
            let mut done = vec![0; program.len()];
            let mut before = Footprint::new();
            loop {
                let threads = 0..program.len();
                let enabled: Vec<_> = threads.filter(|&t| done[t] < program[t].len()).collect();
                if enabled.is_empty() {
                    break;
                }
                let Choice::Go(thread) = search.choose(&enabled, &before).unwrap() else {
                    break;
                };
                before = Footprint::from([program[thread][done[thread]]]);
                done[thread] += 1;
            }
            *(if search.is_asleep() {
                &mut asleep
            } else {
                &mut whole
            }) += 1;
            if !search.end(&before) {
                return (whole, asleep);
            }
        }
    }

    #[test]
    fn threads_that_share_nothing_have_one_order() {
        // Two of one step: the second choice at the root is tried and found asleep.
        assert_eq!(explore(&[&['a'], &['b']]).0, 1);
        assert_eq!(explore(&[&['a', 'a'], &['b', 'b'], &['c', 'c']]).0, 1);
    }

    #[test]
    fn threads_that_share_one_object_have_every_order() {
        // 2 threads of 2 steps: 4!/(2!·2!) = 6. 3 of 2: 6!/(2!·2!·2!) = 90. 4 of 1: 4! = 24.
        assert_eq!(explore(&[&['a', 'a'], &['a', 'a']]), (6, 0));
        assert_eq!(explore(&[&['a', 'a'], &['a', 'a'], &['a', 'a']]), (90, 0));
        assert_eq!(explore(&[&['a'], &['a'], &['a'], &['a']]), (24, 0));
    }

    #[test]
    fn only_the_order_of_what_is_shared_counts() {
        // The two steps on `x` have 2 orders; `a` and `b` are private.
        assert_eq!(explore(&[&['a', 'x'], &['b', 'x']]).0, 2);
        // Two pairs of conflicting steps, each pair on its own object: 2 · 2.
        assert_eq!(explore(&[&['x'], &['x'], &['y'], &['y']]).0, 4);
    }

    #[test]
    fn another_set_of_threads_on_the_same_path_is_refused() {
        let mut search: Search<char> = Search::new();
        search.begin();
        search.choose(&[0, 1], &Footprint::new()).unwrap();
        search.end(&Footprint::from(['a']));
        search.begin();
        let error = search.choose(&[0, 2], &Footprint::new()).unwrap_err();
        assert_eq!(
            (error.step, error.then, error.now),
            (1, vec![0, 1], vec![0, 2])
        );
    }
}
