//! One worker's way through the states.
//!
//! An execution goes along a known path to a state where something is left to choose, chooses it, and
//! goes on as long as it comes to states where something is left.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::checker::fingerprint::Fingerprint;
use crate::checker::knowledge::Snapshot;
use crate::checker::program::Choice;
use crate::checker::visited::Visited;

/// Snapshots that a worker has at most, so as to turn at a state without following the path.
const SNAPSHOTS: usize = 1 << 17;

/// One choice on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// What each thread stops at, and the choices, as one number.
    pub(crate) digest: u64,
    /// The state.
    pub(crate) fingerprint: Fingerprint,
    pub(crate) choice: Choice,
}

/// A path to a state, shared by all that begin with it.
pub(crate) type Path = Option<Arc<Link>>;

/// The end of a path.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) before: Path,
    pub(crate) step: Step,
}

impl Drop for Link {
    /// One after the other: a path can be longer than the stack is deep.
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.before.take();
        }
    }
}

/// The steps of a path, the first one first.
fn steps(path: &Path) -> Vec<Step> {
    let links = std::iter::successors(path.as_ref(), |link| link.before.as_ref());
    let mut steps: Vec<Step> = links.map(|link| link.step).collect();
    steps.reverse();
    steps
}

/// A state where something may be left to choose, and how to get there.
#[derive(Clone, Debug)]
pub(crate) struct FrontierEntry {
    pub(crate) path: Path,
    /// `None`: the program's beginning.
    pub(crate) place: Option<Place>,
}

/// A state as it is found at the end of a certain path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) digest: u64,
    pub(crate) fingerprint: Fingerprint,
    /// The permutation under which the threads have the names that the state knows them by.
    pub(crate) permutation: usize,
}

/// Where an execution leaves the path that it replays, and what it chooses there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) place: Place,
    /// By the names that the state knows the threads by.
    pub(crate) choice: Choice,
}

impl FrontierEntry {
    /// The program's beginning, from where nothing was done yet.
    pub(crate) const fn beginning() -> Self {
        Self {
            path: None,
            place: None,
        }
    }

    /// What an execution turns to. `None`: nothing is left here any more.
    pub(crate) fn turn(&self, visited: &Visited) -> Option<Option<Turn>> {
        let Some(place) = self.place else {
            return Some(None);
        };
        let choice = visited.take(place.fingerprint)?;
        Some(Some(Turn { place, choice }))
    }

    /// Whether an execution may turn here.
    pub(crate) fn is_needed(&self, visited: &Visited) -> bool {
        self.place.is_none() || self.has_more(visited)
    }

    /// Whether something is left to choose here.
    pub(crate) fn has_more(&self, visited: &Visited) -> bool {
        self.place
            .is_some_and(|place| visited.has_unexplored(place.fingerprint))
    }
}

/// See the [module's documentation](self).
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// What is replayed.
    prefix: Vec<Step>,
    /// Where it ends.
    turn: Option<Turn>,
    /// The choices made so far in this execution.
    depth: usize,
    /// The path up to here.
    path: Path,
    /// States that this execution was the first to come to.
    discovered: Vec<FrontierEntry>,
    /// Choices that this execution took, by the names that the states know the threads by.
    taken: Vec<(Fingerprint, Choice)>,
    /// With about how many bytes each takes.
    snapshots: FxHashMap<Fingerprint, (Snapshot, u64)>,
}

impl Walk {
    /// The next execution goes this way.
    pub(crate) fn set_out(&mut self, entry: &FrontierEntry, turn: Option<Turn>) {
        self.prefix = steps(&entry.path);
        self.path.clone_from(&entry.path);
        self.turn = turn;
        self.depth = 0;
        self.taken.clear();
        let taken = turn.map(|turn| (turn.place.fingerprint, turn.choice));
        self.taken.extend(taken);
    }

    /// Whether the execution has not yet come to where something new can come.
    pub(crate) fn is_replaying(&self) -> bool {
        self.depth < self.prefix.len() || self.depth == self.prefix.len() && self.turn.is_some()
    }

    /// The step that is replayed next; `None` at the turn.
    pub(crate) fn replayed(&self) -> Option<Step> {
        self.prefix.get(self.depth).copied()
    }

    pub(crate) fn replay(&mut self) {
        self.depth += 1;
    }

    /// Where the execution turns, while it is on its way there.
    pub(crate) fn turn(&self) -> Option<Turn> {
        self.turn
    }

    /// The snapshot of where the execution turns, if there is one.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        let (snapshot, _) = self.snapshots.get(&self.turn?.place.fingerprint)?;
        Some(snapshot)
    }

    /// Takes a choice, by the name that the state knows the thread by.
    pub(crate) fn take(&mut self, fingerprint: Fingerprint, choice: Choice) {
        self.taken.push((fingerprint, choice));
    }

    /// The execution came to nothing that counts: what it took is left again.
    pub(crate) fn undo(&mut self, visited: &Visited) {
        for (fingerprint, choice) in self.taken.drain(..).rev() {
            visited.give_back(fingerprint, choice);
        }
    }

    /// Makes a choice that was not made before on this path.
    pub(crate) fn choose(&mut self, place: Place, choice: Choice) {
        let Place {
            digest,
            fingerprint,
            ..
        } = place;
        let step = Step {
            digest,
            fingerprint,
            choice,
        };
        let before = self.path.take();
        self.path = Some(Arc::new(Link { before, step }));
        self.turn = None;
        self.depth += 1;
    }

    /// Comes to a state where nobody was before.
    pub(crate) fn discover(
        &mut self,
        place: Place,
        visited: &Visited,
        snapshot: impl FnOnce() -> (Snapshot, u64),
    ) {
        self.discovered.push(FrontierEntry {
            path: self.path.clone(),
            place: Some(place),
        });
        if self.snapshots.len() < SNAPSHOTS {
            let (snapshot, bytes) = snapshot();
            visited.add_snapshot(bytes);
            self.snapshots.insert(place.fingerprint, (snapshot, bytes));
        }
    }

    /// The states discovered in the execution that has ended.
    pub(crate) fn discovered(&mut self) -> Vec<FrontierEntry> {
        std::mem::take(&mut self.discovered)
    }

    /// Nothing is left to choose at a state.
    pub(crate) fn release(&mut self, entry: &FrontierEntry, visited: &Visited) {
        let snapshot = entry
            .place
            .and_then(|place| self.snapshots.remove(&place.fingerprint));
        if let Some((_, bytes)) = snapshot {
            visited.remove_snapshot(bytes);
        }
    }

    /// Everything begins again, with no state seen.
    pub(crate) fn begin_again(&mut self) {
        *self = Self::default();
    }

    /// Choices on the way to where the execution turns.
    pub(crate) const fn depth(&self) -> usize {
        self.prefix.len()
    }
}

/// FrontierEntry states for a file: the steps, each with the one before it, counted from 1, or 0; and the
/// states, each with its path's last step.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    steps: Vec<(u32, Step)>,
    entries: Vec<(u32, Option<Place>)>,
}

impl Saved {
    pub(crate) fn new<'a>(frontier: impl Iterator<Item = &'a FrontierEntry>) -> Self {
        let mut saved = Self::default();
        let mut numbers = FxHashMap::default();
        for one in frontier {
            let links = std::iter::successors(one.path.as_ref(), |link| link.before.as_ref());
            let unknown: Vec<_> = links
                .take_while(|link| !numbers.contains_key(&Arc::as_ptr(link)))
                .collect();
            for link in unknown.into_iter().rev() {
                let before = link.before.as_ref();
                let before = before.map_or(0, |before| numbers[&Arc::as_ptr(before)]);
                saved.steps.push((before, link.step));
                numbers.insert(Arc::as_ptr(link), saved.steps.len() as u32);
            }
            let end = one.path.as_ref();
            let end = end.map_or(0, |end| numbers[&Arc::as_ptr(end)]);
            saved.entries.push((end, one.place));
        }
        saved
    }

    /// `None`: it is not what was saved.
    pub(crate) fn restored(self) -> Option<Vec<FrontierEntry>> {
        let mut paths: Vec<Path> = vec![None];
        for (before, step) in self.steps {
            let before = paths.get(before as usize)?.clone();
            paths.push(Some(Arc::new(Link { before, step })));
        }
        let entries = self.entries.into_iter().map(|(end, place)| {
            let path = paths.get(end as usize)?.clone();
            Some(FrontierEntry { path, place })
        });
        entries.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64) -> Place {
        Place {
            digest: number,
            fingerprint: Fingerprint(number.into()),
            permutation: 0,
        }
    }

    /// A walk that has made choices of these threads, at new states with these numbers.
    fn walked(walk: &mut Walk, steps: &[(u64, usize)]) {
        for &(number, thread) in steps {
            walk.choose(place(number), Choice::new(thread, 0));
        }
    }

    fn entry(walk: &mut Walk, number: u64) -> FrontierEntry {
        FrontierEntry {
            path: walk.path.clone(),
            place: Some(place(number)),
        }
    }

    fn threads(entry: &FrontierEntry) -> Vec<usize> {
        let steps = steps(&entry.path).into_iter();
        steps.map(|step| step.choice.thread()).collect()
    }

    #[test]
    fn an_entry_of_the_frontier_is_found_by_its_path() {
        let mut walk = Walk::default();
        walked(&mut walk, &[(1, 1), (2, 2)]);
        let entry = entry(&mut walk, 3);
        let turn = Turn {
            place: place(3),
            choice: Choice::new(4, 0),
        };
        walk.set_out(&entry, Some(turn));
        assert!(walk.is_replaying());
        for expected in [1, 2] {
            let step = walk.replayed().expect("a known step");
            assert_eq!(step.choice, Choice::new(expected, 0));
            walk.replay();
        }
        assert_eq!((walk.replayed(), walk.turn()), (None, Some(turn)));
        walk.choose(place(3), Choice::new(4, 0));
        assert!(!walk.is_replaying());
        assert_eq!(threads(&self::entry(&mut walk, 5)), [1, 2, 4]);
    }

    #[test]
    fn what_an_execution_took_in_vain_is_left_again() {
        let visited = Visited::new();
        let mut walk = Walk::default();
        let [one, two] = [1, 2].map(|thread| Choice::new(thread, 0));
        visited.visit(Fingerprint(3), &[one, two]);
        walk.take(Fingerprint(3), one);
        walk.undo(&visited);
        assert_eq!(visited.take(Fingerprint(3)), Some(one));
        assert_eq!(visited.take(Fingerprint(3)), Some(two));
    }

    #[test]
    fn a_frontier_is_read_as_it_was_written() {
        let mut walk = Walk::default();
        walked(&mut walk, &[(1, 1), (2, 2)]);
        let first = entry(&mut walk, 3);
        walked(&mut walk, &[(3, 3)]);
        let all = [first, FrontierEntry::beginning(), entry(&mut walk, 4)];
        let saved = Saved::new(all.iter());
        assert_eq!(saved.steps.len(), 3, "what two paths share is saved once");
        let bytes = postcard::to_stdvec(&saved).unwrap();
        let saved: Saved = postcard::from_bytes(&bytes).unwrap();
        let restored = saved.restored().unwrap();
        assert_eq!(restored.len(), 3);
        for (before, after) in all.iter().zip(&restored) {
            assert_eq!(steps(&before.path), steps(&after.path));
            assert_eq!(before.place, after.place);
        }
    }

    #[test]
    fn what_was_never_written_is_refused() {
        let saved = Saved {
            steps: Vec::new(),
            entries: vec![(1, None)],
        };
        assert!(saved.restored().is_none());
    }

    #[test]
    fn a_path_of_any_length_can_be_dropped() {
        let mut walk = Walk::default();
        for number in 0..1_000_000 {
            walk.choose(place(number), Choice::new(1, 0));
        }
    }
}
