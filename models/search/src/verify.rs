//! Checks what a system claims of itself, in one state after the other: that its ample sets are ample, and that states with one encoding
//! are one state.
//!
//! **Ample sets.** Each claimed set is tried against each other enabled action: both orders come to the same, neither
//! disables the other, and the set is claimed after the other action too. The last of these makes it an
//! induction: wherever the system goes without an action of the set, the set is claimed and checked there again, as
//! long as every state is searched. That is condition C1 of Clarke, Grumberg and Peled (Model Checking, 1999, chapter 10) whole, and not
//! only one step ahead. An action that itself is a violation is found by either search.
//!
//! **Encodings.** Of each state that is come to, also of one whose encoding is known, the fingerprints of all
//! successors are compared with those of the first one that had this encoding: a bisimulation, step by
//! step. The claims and the measure of progress are compared with it.
//!
//! What it does not see: a claim that would be wrong only in states that the search does not come to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::encoder::{Encoder, Fingerprint};
use crate::finding::{Difference, WrongClaim};
use crate::system::System;

/// How the first state with some encoding goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signature {
    successors: Fingerprint,
    claims: Fingerprint,
}

/// About how many bytes a signature takes, with its key and the table's free places.
pub(crate) const SIGNATURE_BYTES: u64 = 3 * size_of::<(Fingerprint, Signature)>() as u64 / 2;

/// For each encoding a [`Signature`]. Shared by all workers.
#[derive(Debug, Default)]
pub(crate) struct Signatures(Mutex<HashMap<Fingerprint, Signature>>);

impl Signatures {
    fn map(&self) -> MutexGuard<'_, HashMap<Fingerprint, Signature>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, for a checkpoint; in an order that is always the same.
    pub(crate) fn saved(&self) -> Vec<(Fingerprint, Signature)> {
        let mut all: Vec<_> = self.map().iter().map(|(&of, &it)| (of, it)).collect();
        all.sort_unstable_by_key(|&(of, _)| of);
        all
    }

    /// What a checkpoint has.
    pub(crate) fn restored(saved: Vec<(Fingerprint, Signature)>) -> Self {
        Self(Mutex::new(saved.into_iter().collect()))
    }

    /// In what a state with this encoding differs from the first one that had it.
    pub(crate) fn compare(&self, of: Fingerprint, now: Signature) -> Option<Difference> {
        match self.map().entry(of) {
            Entry::Vacant(entry) => {
                entry.insert(now);
                None
            }
            Entry::Occupied(then) if then.get().successors != now.successors => {
                Some(Difference::Successors)
            }
            Entry::Occupied(then) if then.get().claims != now.claims => Some(Difference::Claims),
            Entry::Occupied(_) => None,
        }
    }
}

/// Stands for a successor that is a violation, or for an end that is one.
const VIOLATION: Fingerprint = Fingerprint(1);

/// How a state goes on; `fingerprint` is that of a state under its least encoding.
pub(crate) fn signature<S: System>(
    system: &S,
    state: &S::State,
    mut fingerprint: impl FnMut(&S::State) -> Fingerprint,
) -> Signature {
    let mut enabled = Vec::new();
    system.actions(state, &mut enabled);
    let successor = |&action: &S::Action| {
        let mut next = state.clone();
        let applied = system.apply(&mut next, action);
        applied.map_or(VIOLATION, |()| fingerprint(&next))
    };
    let successors: Vec<Fingerprint> = enabled.iter().map(successor).collect();
    let of = |set: &[S::Action]| {
        let places = (0..enabled.len()).filter(|&place| set.contains(&enabled[place]));
        hash(places.map(|place| successors[place]).collect())
    };
    let mut claims = Claims::default();
    system.ample(state, &enabled, &mut claims);
    let mut claimed: Vec<Fingerprint> = claims.iter().map(of).collect();
    claimed.push(Fingerprint(u128::from(system.progress(state))));
    let mut all = successors.clone();
    if enabled.is_empty() && system.finished(state).is_err() {
        all.push(VIOLATION);
    }
    Signature {
        successors: hash(all),
        claims: hash(claimed),
    }
}

/// The hash of a multiset.
fn hash(mut all: Vec<Fingerprint>) -> Fingerprint {
    all.sort_unstable();
    let mut encoder = Encoder::default();
    all.iter().for_each(|one| encoder.put_u128(one.0));
    encoder.fingerprint()
}

/// Whether the sets that are claimed in this state are ample, one step ahead.
pub(crate) fn check_claims<S: System>(
    system: &S,
    state: &S::State,
    enabled: &[S::Action],
    claims: &Claims<S::Action>,
) -> Result<(), WrongClaim<S::Action>> {
    for ample in claims.iter() {
        let others = enabled.iter().filter(|action| !ample.contains(action));
        for &other in others {
            check_against(system, state, ample, other)?;
        }
    }
    Ok(())
}

/// The set stays as it is after the other action, and each of its actions can change places with that.
fn check_against<S: System>(
    system: &S,
    state: &S::State,
    ample: &[S::Action],
    other: S::Action,
) -> Result<(), WrongClaim<S::Action>> {
    let after_other = after(system, state, other);
    if let Some(state) = &after_other {
        check_kept(system, state, ample, other)?;
    }
    for &action in ample {
        let Some(after_action) = after(system, state, action) else {
            continue;
        };
        if !enabled(system, &after_action).contains(&other) {
            return Err(WrongClaim::Disables {
                first: action,
                second: other,
            });
        }
        let ample_first = after(system, &after_action, other);
        let other_first = after_other
            .as_ref()
            .and_then(|state| after(system, state, action));
        let full = |state: &Option<S::State>| state.as_ref().map(|state| encoded(system, state));
        if full(&ample_first) != full(&other_first) {
            return Err(WrongClaim::Order {
                ample: action,
                other,
            });
        }
    }
    Ok(())
}

/// The set is enabled and claimed in the state after the other action.
fn check_kept<S: System>(
    system: &S,
    after_other: &S::State,
    ample: &[S::Action],
    other: S::Action,
) -> Result<(), WrongClaim<S::Action>> {
    let enabled = enabled(system, after_other);
    if let Some(&second) = ample.iter().find(|action| !enabled.contains(action)) {
        return Err(WrongClaim::Disables {
            first: other,
            second,
        });
    }
    let mut claims = Claims::default();
    system.ample(after_other, &enabled, &mut claims);
    let same = |claim: &[S::Action]| {
        claim.len() == ample.len() && claim.iter().all(|action| ample.contains(action))
    };
    if !claims.iter().any(same) {
        let ample = ample.to_vec();
        return Err(WrongClaim::NotKept { ample, other });
    }
    Ok(())
}

/// The state after an action; `None` if that is a violation.
fn after<S: System>(system: &S, state: &S::State, action: S::Action) -> Option<S::State> {
    let mut next = state.clone();
    system.apply(&mut next, action).is_ok().then_some(next)
}

fn enabled<S: System>(system: &S, state: &S::State) -> Vec<S::Action> {
    let mut enabled = Vec::new();
    system.actions(state, &mut enabled);
    enabled
}

/// The full encoding, with the names as they are.
fn encoded<S: System>(system: &S, state: &S::State) -> Vec<u8> {
    let mut encoder = Encoder::default();
    system.encode(state, &system.permutations()[0], &mut encoder);
    encoder.as_bytes().to_vec()
}
