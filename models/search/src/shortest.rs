//! A shortest way to what a search has found, by breadth and on one thread, so that it is the same however it was
//! found.

use crate::expand::{Canonical, Expander, Mode, Progress};
use crate::finding::{Finding, Found};
use crate::memory::{Memory, NoRoom};
use crate::report::Counts;
use crate::system::System;
use crate::verify::Signatures;
use crate::visited::{Insertion, Visited};

/// It looks at so many states at most: what was found is mostly found much earlier by breadth.
const MOST: u64 = 2_000_000;

/// A state, what is to be explored there, and how it was come to.
struct Open<S: System> {
    state: S::State,
    actions: Vec<S::Action>,
    before: Progress,
    /// Its place in the tree of all ways; none if it is the initial state.
    place: Option<usize>,
}

/// A search by breadth.
struct Breadth<'a, S: System> {
    system: &'a S,
    expander: Expander<'a, S>,
    visited: Visited,
    memory: Memory,
    /// Where a state was come from, and by which action.
    tree: Vec<(Option<usize>, S::Action)>,
    counts: Counts,
}

type FoundOf<S> = Found<<S as System>::Action, <S as System>::Violation>;

/// Why a search by breadth is over.
enum Stop<S: System> {
    Found(FoundOf<S>),
    NoRoom(NoRoom),
}

impl<S: System> From<NoRoom> for Stop<S> {
    fn from(no_room: NoRoom) -> Self {
        Self::NoRoom(no_room)
    }
}

/// Something wrong that no shorter way leads to than the one reported, which is the least of these in the order of
/// actions; and what was counted up to there. There has to be something after `depth` actions at most. States
/// may take so many bytes.
///
/// # Errors
/// Why there is none.
pub(crate) fn search<S: System>(
    system: &S,
    mode: Mode,
    depth: usize,
    bytes: u64,
) -> Result<(FoundOf<S>, Counts), String> {
    let signatures = Signatures::default();
    let mut breadth = Breadth {
        system,
        expander: Expander::new(system, mode, &signatures),
        visited: Visited::new(),
        memory: Memory::new(bytes).with_states(Some(MOST)),
        tree: Vec::new(),
        counts: Counts::default(),
    };
    match breadth.run(depth) {
        Err(Stop::Found(found)) => Ok((found, breadth.counts)),
        Err(Stop::NoRoom(NoRoom::States)) => {
            Err(format!("by breadth there is nothing within {MOST} states"))
        }
        Err(Stop::NoRoom(NoRoom::Bytes)) => {
            Err(format!("by breadth there is nothing within {bytes} bytes"))
        }
        Ok(()) => Err(
            "by breadth there is nothing: the system does not answer the same each time, or states that are not the \
             same have one encoding"
                .to_owned(),
        ),
    }
}

impl<S: System> Breadth<'_, S> {
    /// Level by level. What is wrong with a state is seen as it is come to, so all that is found on one level
    /// is as near, and what is found first is the least.
    fn run(&mut self, depth: usize) -> Result<(), Stop<S>> {
        let begun = self.expander.begin();
        let (state, canonical) = begun.map_err(|finding| self.found(None, None, finding))?;
        let mut level: Vec<_> = self
            .enter(state, canonical, None, None)?
            .into_iter()
            .collect();
        for _ in 0..depth {
            let mut next = Vec::new();
            for open in level {
                for &action in &open.actions {
                    next.extend(self.step(&open, action)?);
                }
                self.memory.give_back(self.bytes(&open));
            }
            level = next;
        }
        Ok(())
    }

    /// The state that an action leads to, if it is new.
    fn step(&mut self, open: &Open<S>, action: S::Action) -> Result<Option<Open<S>>, Stop<S>> {
        self.counts.transitions += 1;
        let copied = self.expander.copy(&open.state, None);
        let stepped = copied.and_then(|mut state| {
            let canonical = self.expander.step(&mut state, action, open.before)?;
            Ok((state, canonical))
        });
        let (state, canonical) =
            stepped.map_err(|finding| self.found(open.place, Some(action), finding))?;
        self.enter(state, canonical, open.place, Some(action))
    }

    fn enter(
        &mut self,
        state: S::State,
        canonical: Canonical,
        from: Option<usize>,
        action: Option<S::Action>,
    ) -> Result<Option<Open<S>>, Stop<S>> {
        if self.visited.insert(canonical.fingerprint, &self.memory)? == Insertion::Known {
            return Ok(None);
        }
        self.counts.states += 1;
        let mut actions = Vec::new();
        let expanded = self
            .expander
            .expand(&state, canonical.permutation, &mut actions);
        let before = expanded.map_err(|finding| self.found(from, action, finding))?;
        self.counts.ends += u64::from(actions.is_empty());
        let place = action.map(|action| {
            self.tree.push((from, action));
            self.tree.len() - 1
        });
        let open = Open {
            state,
            actions,
            before,
            place,
        };
        self.memory.take(self.bytes(&open))?;
        Ok(Some(open))
    }

    fn bytes(&self, open: &Open<S>) -> u64 {
        let state = self.system.state_bytes(&open.state);
        (state + size_of_val(open.actions.as_slice()) + size_of::<Open<S>>()) as u64
    }

    fn found(
        &self,
        mut place: Option<usize>,
        last: Option<S::Action>,
        finding: Finding<S::Action, S::Violation>,
    ) -> Stop<S> {
        let mut path: Vec<S::Action> = last.into_iter().collect();
        while let Some(&(from, action)) = place.and_then(|place| self.tree.get(place)) {
            path.push(action);
            place = from;
        }
        path.reverse();
        Stop::Found(Found { path, finding })
    }
}
