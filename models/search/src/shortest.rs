//! A shortest way to what a search has found, by breadth and on one thread, so that it is the same however it was
//! found.

use crate::expand::{Expander, Mode};
use crate::finding::{Finding, Found};
use crate::memory::Memory;
use crate::report::Counts;
use crate::system::System;
use crate::verify::Signatures;
use crate::visited::{Insertion, Visited};

/// It looks at so many states at most: what was found is mostly found much earlier by breadth.
const MOST: u64 = 2_000_000;

/// A state that is yet to be expanded.
struct Open<S: System> {
    state: S::State,
    permutation: usize,
    /// Its place in the tree of all ways.
    place: usize,
}

/// Where a state was come from, and by which action.
type Step<A> = (usize, A);

type FoundOf<S> = Found<<S as System>::Action, <S as System>::Violation>;

/// Something wrong that no shorter way leads to than the one reported, which is the least of these in the order of
/// actions; and what was counted up to there. There has to be something after `depth` actions at most.
///
/// # Errors
/// Why there is none.
pub(crate) fn search<S: System>(
    system: &S,
    mode: Mode,
    depth: usize,
) -> Result<(FoundOf<S>, Counts), String> {
    let signatures = Signatures::default();
    let mut expander = Expander::new(system, mode, &signatures);
    let (visited, memory) = (Visited::new(), Memory::new(u64::MAX));
    let mut tree: Vec<Step<S::Action>> = Vec::new();
    let mut counts = Counts::default();
    let mut level = Vec::new();
    match expander.begin() {
        Ok((state, canonical)) => {
            let inserted = visited.insert(canonical.fingerprint, &memory);
            debug_assert_eq!(inserted, Ok(Insertion::New));
            counts.states = 1;
            level.push(Open::<S> {
                state,
                permutation: canonical.permutation,
                place: usize::MAX,
            });
        }
        Err(finding) => return Ok((found(&tree, usize::MAX, None, finding), counts)),
    }
    let mut actions = Vec::new();
    for _ in 0..=depth {
        let mut next = Vec::new();
        for open in level {
            let before = match expander.expand(&open.state, open.permutation, &mut actions) {
                Ok(before) => before,
                Err(finding) => return Ok((found(&tree, open.place, None, finding), counts)),
            };
            counts.ends += u64::from(actions.is_empty());
            for &action in &actions {
                counts.transitions += 1;
                let mut state = open.state.clone();
                let canonical = match expander.step(&mut state, action, before) {
                    Ok(canonical) => canonical,
                    Err(finding) => {
                        let found = found(&tree, open.place, Some(action), finding);
                        return Ok((found, counts));
                    }
                };
                if visited.insert(canonical.fingerprint, &memory) == Ok(Insertion::New) {
                    counts.states += 1;
                    tree.push((open.place, action));
                    next.push(Open {
                        state,
                        permutation: canonical.permutation,
                        place: tree.len() - 1,
                    });
                }
            }
            if counts.states > MOST {
                return Err(format!("by breadth there is nothing within {MOST} states"));
            }
        }
        level = next;
    }
    Err("by breadth there is nothing: the system does not answer the same each time".to_owned())
}

fn found<A: Copy + std::fmt::Debug, V>(
    tree: &[Step<A>],
    mut place: usize,
    last: Option<A>,
    finding: Finding<A, V>,
) -> Found<A, V> {
    let mut path: Vec<A> = last.into_iter().collect();
    while let Some(&(from, action)) = tree.get(place) {
        path.push(action);
        place = from;
    }
    path.reverse();
    Found { path, finding }
}
