//! The search where states are not kept: depth first over the choices of who goes next and what comes of
//! it, with sleep sets.
//!
//! Pure: it knows threads by number and transitions by the objects that they touch, runs nothing, and
//! is told what happened. Sleep sets are Godefroid's (Partial-Order Methods for the Verification of
//! Concurrent Systems, LNCS 1032, 1996, chapter 5). A transition is here what a thread does from one
//! scheduling point up to the next one with a choice, and two are independent if they touch no object
//! together but to read it. What a sleeping thread would do is known from when it was done at an
//! earlier node: as long as only independent transitions come between, it would do the same.
//!
//! It does not compute persistent sets: an execution that turns out to be asleep is ended early by its
//! runner, but has begun.

use nmr_sync::hook::ObjectId;
use serde::{Deserialize, Serialize};

use crate::program::{Choice, Thread};

/// The objects that a transition touches, each with whether it may change what others find there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footprint {
    touched: Vec<(ObjectId, bool)>,
}

impl Footprint {
    pub(crate) fn add(&mut self, object: ObjectId, writes: bool) {
        match self.touched.iter_mut().find(|(other, _)| *other == object) {
            Some((_, before)) => *before |= writes,
            None => self.touched.push((object, writes)),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.touched.clear();
    }

    fn extend(&mut self, more: &Self) {
        for &(object, writes) in &more.touched {
            self.add(object, writes);
        }
    }

    /// Whether the order of the two can matter.
    fn conflicts(&self, other: &Self) -> bool {
        self.touched.iter().any(|&(object, writes)| {
            let mut others = other.touched.iter();
            others.any(|&(same, also)| same == object && (writes || also))
        })
    }
}

/// What the runner does at a scheduling point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This comes next.
    Go(Choice),
    /// Whatever comes from here on was or will be seen in another order: nothing needs to be chosen any
    /// more.
    Asleep,
}

/// One scheduling point with a choice, on the current path.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What each thread stops at, and the choices, as one number.
    digest: u64,
    chosen: Choice,
    /// Threads that have several outcomes here, as bits. They are not put to sleep.
    several: u64,
    /// To be chosen later, the last one first.
    todo: Vec<Choice>,
    /// How many there were.
    total: u32,
    /// What the chosen transition touches, once it is over.
    footprint: Option<Footprint>,
    /// What is touched up to the next node: by the chosen transition, and by those after it that were
    /// no choice.
    since: Footprint,
    /// Threads that need not go next, with what they would touch.
    sleep: Vec<(Thread, Footprint)>,
}

/// A part of the search that can be done by any worker: a path, of which the first `root` nodes are
/// not to be changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Job {
    root: usize,
    path: Vec<SavedNode>,
}

/// A [`Node`] without what belongs to its worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedNode {
    digest: u64,
    chosen: Choice,
    several: u64,
    todo: Vec<Choice>,
    total: u32,
    footprint: Option<SavedFootprint>,
    since: SavedFootprint,
    sleep: Vec<(Thread, SavedFootprint)>,
}

/// A [`Footprint`]: thread and number of each object.
type SavedFootprint = Vec<(u32, u32, bool)>;

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    path: Vec<Node>,
    root: usize,
    /// How far the current execution has come on the path.
    depth: usize,
    /// Whether transitions that do not conflict are left unordered.
    sleep_sets: bool,
    /// Choices made for the first time.
    pub(crate) transitions: u64,
}

impl Search {
    pub(crate) fn new(sleep_sets: bool) -> Self {
        Self {
            sleep_sets,
            ..Self::default()
        }
    }

    /// Whether the execution is still where one was before.
    pub(crate) fn is_repeating(&self) -> bool {
        self.depth < self.path.len()
    }

    /// The nodes passed so far in this execution.
    #[cfg(test)]
    pub(crate) const fn depth(&self) -> usize {
        self.depth
    }

    /// The nodes of the path.
    pub(crate) const fn path_len(&self) -> usize {
        self.path.len()
    }

    /// An execution begins.
    pub(crate) fn begin(&mut self) {
        self.depth = 0;
    }

    /// Repeats a choice. `None`: the program does not do what it did before in this place.
    pub(crate) fn repeat(&mut self, digest: u64) -> Option<Choice> {
        let node = &self.path[self.depth];
        (node.digest == digest).then(|| {
            self.depth += 1;
            node.chosen
        })
    }

    /// A transition is over, and has touched this.
    pub(crate) fn touched(&mut self, footprint: &Footprint) {
        if let Some(last) = self.depth.checked_sub(1)
            && self.sleep_sets
            && !self.is_repeating()
        {
            let node = &mut self.path[last];
            node.footprint.get_or_insert_with(|| footprint.clone());
            node.since.extend(footprint);
        }
    }

    /// Who sleeps after the last transition: those whom it does not concern.
    pub(crate) fn asleep(&self) -> Vec<(Thread, Footprint)> {
        let Some(last) = self.path.last().filter(|_| self.sleep_sets) else {
            return Vec::new();
        };
        let asleep = last.sleep.iter().filter(|(thread, footprint)| {
            *thread != last.chosen.thread() && !footprint.conflicts(&last.since)
        });
        asleep.cloned().collect()
    }

    /// A new scheduling point, where `options` can come next, the most welcome first.
    pub(crate) fn choose(&mut self, options: &[Choice], digest: u64) -> Step {
        debug_assert!(!self.is_repeating());
        let sleep = self.asleep();
        let is_awake =
            |choice: &&Choice| !sleep.iter().any(|(thread, _)| *thread == choice.thread());
        if let [only] = options {
            return match is_awake(&only) {
                true => Step::Go(*only),
                false => Step::Asleep,
            };
        }
        let mut todo: Vec<Choice> = options.iter().filter(is_awake).rev().copied().collect();
        let total = todo.len() as u32;
        let Some(chosen) = todo.pop() else {
            return Step::Asleep;
        };
        let several = options.iter().filter(|choice| choice.variant > 0);
        let several = several.fold(0, |bits, choice| bits | 1 << choice.thread);
        self.path.push(Node {
            digest,
            chosen,
            several,
            todo,
            total,
            footprint: None,
            since: Footprint::default(),
            sleep,
        });
        self.depth += 1;
        self.transitions += 1;
        Step::Go(chosen)
    }

    /// The execution has ended: goes back to the last node with something left to choose. Whether
    /// there is one.
    pub(crate) fn turn_back(&mut self) -> bool {
        while self.path.len() > self.root {
            let Some(node) = self.path.last_mut() else {
                return false;
            };
            let done = node.footprint.take();
            node.since.clear();
            if let Some(next) = node.todo.pop() {
                if let Some(done) = done
                    && node.several & 1 << node.chosen.thread == 0
                {
                    node.sleep.push((node.chosen.thread(), done));
                }
                node.chosen = next;
                self.transitions += 1;
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Which part of the search is done, from 0 to 1, if all branches of a node were alike.
    pub(crate) fn done(&self) -> f64 {
        let (mut done, mut share) = (0.0, 1.0);
        for node in &self.path[self.root..] {
            let (total, left) = (f64::from(node.total), node.todo.len() as f64);
            share /= total;
            done += share * (total - 1.0 - left);
        }
        done
    }

    /// Gives away the part of the search that is furthest up: what is left to choose at the first
    /// node where something is. To be called between executions.
    pub(crate) fn split(&mut self) -> Option<Job> {
        let nodes = &self.path[self.root..];
        let index = self.root + nodes.iter().position(|node| !node.todo.is_empty())?;
        let mut path: Vec<SavedNode> = self.path[..=index].iter().map(Node::saved).collect();
        let node = &mut self.path[index];
        let given = path.last_mut().expect("it has the node");
        // What the last node's choice touches is not known yet.
        if let Some(footprint) = &node.footprint
            && node.several & 1 << node.chosen.thread == 0
        {
            given.sleep.push((node.chosen.thread(), footprint.saved()));
        }
        given.chosen = given.todo.pop().expect("something is left");
        given.footprint = None;
        given.since.clear();
        node.todo.clear();
        Some(Job { root: index, path })
    }

    /// All that is left of the search, for another worker or a checkpoint. To be called between
    /// executions.
    pub(crate) fn save(&mut self) -> Job {
        let path = self.path.iter().map(Node::saved).collect();
        let root = self.root;
        self.path.clear();
        self.root = 0;
        Job { root, path }
    }

    /// Takes over a part of the search.
    pub(crate) fn take(&mut self, job: Job) {
        self.root = job.root;
        self.path = job.path.into_iter().map(SavedNode::restored).collect();
    }
}

impl Node {
    fn saved(&self) -> SavedNode {
        SavedNode {
            digest: self.digest,
            chosen: self.chosen,
            several: self.several,
            todo: self.todo.clone(),
            total: self.total,
            footprint: self.footprint.as_ref().map(Footprint::saved),
            since: self.since.saved(),
            sleep: self
                .sleep
                .iter()
                .map(|(thread, footprint)| (*thread, footprint.saved()))
                .collect(),
        }
    }
}

impl SavedNode {
    fn restored(self) -> Node {
        Node {
            digest: self.digest,
            chosen: self.chosen,
            several: self.several,
            todo: self.todo,
            total: self.total,
            footprint: self.footprint.as_ref().map(Footprint::restored),
            since: Footprint::restored(&self.since),
            sleep: self
                .sleep
                .iter()
                .map(|(thread, footprint)| (*thread, Footprint::restored(footprint)))
                .collect(),
        }
    }
}

impl Footprint {
    fn saved(&self) -> SavedFootprint {
        let touched = self.touched.iter();
        touched
            .map(|&(object, writes)| (object.thread, object.nth, writes))
            .collect()
    }

    fn restored(saved: &SavedFootprint) -> Self {
        let touched = saved
            .iter()
            .map(|&(thread, nth, writes)| (ObjectId { thread, nth }, writes));
        Self {
            touched: touched.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One access of a thread: to an object, which it changes if the letter is a capital.
    fn access(letter: char) -> Footprint {
        let mut footprint = Footprint::default();
        let nth = u32::from(letter.to_ascii_lowercase());
        footprint.add(ObjectId { thread: 0, nth }, letter.is_ascii_uppercase());
        footprint
    }

    struct Explored {
        whole: u64,
        asleep: u64,
    }

    /// Threads that each make some accesses, one after the other, explored by `search` from where it
    /// is.
    fn go_on(search: &mut Search, program: &[&str]) -> Explored {
        let mut explored = Explored {
            whole: 0,
            asleep: 0,
        };
        loop {
            search.begin();
            let mut done = vec![0; program.len()];
            let mut stopped = false;
            loop {
                let left = |t: &usize| done[*t] < program[*t].len();
                let threads = (0..program.len()).filter(left);
                let options: Vec<Choice> = threads.map(|t| Choice::new(t, 0)).collect();
                if options.is_empty() {
                    break;
                }
                let choice = if search.is_repeating() && options.len() > 1 {
                    search.repeat(options.len() as u64).expect("the same again")
                } else {
                    let digest = options.len() as u64;
                    match search.choose(&options, digest) {
                        Step::Go(choice) => choice,
                        Step::Asleep => {
                            stopped = true;
                            break;
                        }
                    }
                };
                let letter = program[choice.thread()].as_bytes()[done[choice.thread()]];
                search.touched(&access(char::from(letter)));
                done[choice.thread()] += 1;
            }
            *(if stopped {
                &mut explored.asleep
            } else {
                &mut explored.whole
            }) += 1;
            if !search.turn_back() {
                return explored;
            }
        }
    }

    fn explore(program: &[&str]) -> (u64, u64) {
        let mut search = Search::new(true);
        let explored = go_on(&mut search, program);
        (explored.whole, explored.asleep)
    }

    #[test]
    fn threads_that_share_nothing_have_one_order() {
        assert_eq!(explore(&["A", "B"]).0, 1);
        assert_eq!(explore(&["AA", "BB", "CC"]).0, 1);
    }

    #[test]
    fn threads_that_change_one_object_have_every_order() {
        // 2 threads of 2 steps: 4!/(2!·2!) = 6. 3 of 2: 6!/(2!·2!·2!) = 90. 4 of 1: 4! = 24.
        assert_eq!(explore(&["AA", "AA"]), (6, 0));
        assert_eq!(explore(&["AA", "AA", "AA"]), (90, 0));
        assert_eq!(explore(&["A", "A", "A", "A"]), (24, 0));
    }

    #[test]
    fn threads_that_only_read_have_one_order() {
        assert_eq!(explore(&["aa", "aa", "aa"]).0, 1);
        // One change among two reads: before both, between them in either order, after both; the
        // reads before or after it are not ordered: 4.
        assert_eq!(explore(&["a", "A", "a"]).0, 4);
    }

    #[test]
    fn only_the_order_of_what_is_shared_counts() {
        // The two steps on `x` have 2 orders; `a` and `b` are private.
        assert_eq!(explore(&["AX", "BX"]).0, 2);
        // Two pairs of conflicting steps, each pair on its own object: 2 · 2.
        assert_eq!(explore(&["X", "X", "Y", "Y"]).0, 4);
    }

    #[test]
    fn without_sleep_sets_every_order_is_made() {
        let mut search = Search::default();
        assert_eq!(go_on(&mut search, &["A", "B", "C"]).whole, 6);
    }

    #[test]
    fn a_path_on_which_something_else_happens_is_refused() {
        let mut search = Search::default();
        let options = [Choice::new(0, 0), Choice::new(1, 0)];
        search.begin();
        search.choose(&options, 17);
        search.turn_back();
        search.begin();
        assert_eq!(search.repeat(18), None);
        assert_eq!(search.repeat(17), Some(Choice::new(1, 0)));
    }

    #[test]
    fn what_is_given_away_and_what_is_kept_make_the_whole() {
        let program = ["AB", "AB", "BA"];
        let (whole, _) = explore(&program);
        let mut search = Search::new(true);
        // One execution, then a part is given away.
        let options: Vec<Choice> = (0..3).map(|t| Choice::new(t, 0)).collect();
        search.begin();
        search.choose(&options, 3);
        let job = search.split().expect("two choices are left");
        let mut other = Search::new(true);
        let bytes = postcard::to_stdvec(&job).unwrap();
        other.take(postcard::from_bytes(&bytes).unwrap());
        let parts = go_on(&mut search, &program).whole + go_on(&mut other, &program).whole;
        // At the last node what the kept choice touches was not known, and is not slept on.
        assert!(parts >= whole, "{parts} of {whole}");
    }

    #[test]
    fn how_much_is_done_grows_up_to_the_whole() {
        let mut search = Search::default();
        let options = [Choice::new(0, 0), Choice::new(1, 0)];
        let mut before = 0.0;
        loop {
            search.begin();
            while search.is_repeating() {
                search.repeat(2).unwrap();
            }
            while search.depth() < 3 {
                search.choose(&options, 2);
            }
            assert!(search.done() >= before);
            before = search.done();
            if !search.turn_back() {
                break;
            }
        }
        assert!(before >= 0.875, "the last of 8 leaves: {before}");
    }
}
