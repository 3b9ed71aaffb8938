//! One step of a search: the successor by an action, the encoding that stands for it, and what is to be explored there. Searches by
//! depth and by breadth make the same steps.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::claims::Claims;
use crate::encoder::{Encoder, Fingerprint};
use crate::finding::{Fault, Finding, WrongClaim};
use crate::system::System;
use crate::verify::{self, Signatures};

/// The reductions that are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) symmetry: bool,
    /// Not together with `verify`.
    pub(crate) ample: bool,
    pub(crate) verify: bool,
}

/// What stands for a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Canonical {
    pub(crate) fingerprint: Fingerprint,
    /// The permutation that the encoding was made under.
    pub(crate) permutation: usize,
}

/// The measure of progress where an ample set is explored alone: it has to grow.
pub(crate) type Progress = Option<u64>;

type FindingOf<S> = Finding<<S as System>::Action, <S as System>::Violation>;

/// Makes steps, with buffers of its own.
pub(crate) struct Expander<'a, S: System> {
    system: &'a S,
    mode: Mode,
    signatures: &'a Signatures,
    encoder: Encoder,
    candidates: Vec<usize>,
    claims: Claims<S::Action>,
    processes: [Vec<usize>; 2],
}

impl<'a, S: System> Expander<'a, S> {
    pub(crate) fn new(system: &'a S, mode: Mode, signatures: &'a Signatures) -> Self {
        Self {
            system,
            mode,
            signatures,
            encoder: Encoder::default(),
            candidates: Vec::new(),
            claims: Claims::default(),
            processes: Default::default(),
        }
    }

    /// The initial state, and what stands for it.
    pub(crate) fn begin(&mut self) -> Result<(S::State, Canonical), FindingOf<S>> {
        guarded(|| {
            let state = self.system.initial();
            let canonical = self.arrive(&state)?;
            Ok((state, canonical))
        })
    }

    /// Whether the claims are verified.
    pub(crate) const fn verifies(&self) -> bool {
        self.mode.verify
    }

    /// A copy of a state, into one that is not needed any more.
    pub(crate) fn copy(
        &self,
        state: &S::State,
        spare: Option<S::State>,
    ) -> Result<S::State, FindingOf<S>> {
        guarded(|| {
            Ok(match spare {
                Some(mut spare) => {
                    spare.clone_from(state);
                    spare
                }
                None => state.clone(),
            })
        })
    }

    /// Does the action. `before` is the progress of the state until then.
    pub(crate) fn step(
        &mut self,
        state: &mut S::State,
        action: S::Action,
        before: Progress,
    ) -> Result<Canonical, FindingOf<S>> {
        guarded(|| {
            let applied = self.system.apply(state, action);
            applied.map_err(Finding::Violation)?;
            if let Some(before) = before {
                let after = self.system.progress(state);
                if after <= before {
                    return Err(Finding::Fault(Fault::NoProgress {
                        action,
                        before,
                        after,
                    }));
                }
            }
            self.arrive(state)
        })
    }

    /// Puts into `actions` what is to be explored in a new state; nothing at an end.
    pub(crate) fn expand(
        &mut self,
        state: &S::State,
        permutation: usize,
        actions: &mut Vec<S::Action>,
    ) -> Result<Progress, FindingOf<S>> {
        actions.clear();
        guarded(|| {
            self.system.actions(state, actions);
            if actions.is_empty() {
                let finished = self.system.finished(state);
                return finished.map(|()| None).map_err(Finding::Violation);
            }
            if !self.mode.ample && !self.mode.verify {
                return Ok(None);
            }
            self.claims.clear();
            self.system.ample(state, actions, &mut self.claims);
            check_subsets(&self.claims, actions)?;
            if self.mode.verify {
                let checked = verify::check_claims(self.system, state, actions, &self.claims);
                return checked.map(|()| None).map_err(Finding::WrongClaim);
            }
            let Some(ample) = self.least_claim(permutation) else {
                return Ok(None);
            };
            actions.clear();
            actions.extend_from_slice(self.claims.iter().nth(ample).expect("it was found there"));
            Ok(Some(self.system.progress(state)))
        })
    }

    /// What stands for the state; if the claims are verified, that it goes on as others for which the same stands.
    fn arrive(&mut self, state: &S::State) -> Result<Canonical, FindingOf<S>> {
        let canonical = self.canonical(state);
        if self.mode.verify {
            let system = self.system;
            let of = |state: &S::State| self.canonical(state).fingerprint;
            let signature = verify::signature(system, state, of);
            let differs = self.signatures.compare(canonical.fingerprint, signature);
            if let Some(what) = differs {
                let first = None;
                return Err(Finding::WrongClaim(WrongClaim::SameEncoding {
                    what,
                    first,
                }));
            }
        }
        Ok(canonical)
    }

    /// The least fingerprint under the permutations that the system proposes.
    fn canonical(&mut self, state: &S::State) -> Canonical {
        let mut least = None;
        if self.mode.symmetry {
            let mut candidates = std::mem::take(&mut self.candidates);
            candidates.clear();
            self.system.candidates(state, &mut candidates);
            least = candidates
                .iter()
                .map(|&permutation| (self.fingerprint(state, permutation), permutation))
                .min();
            self.candidates = candidates;
        }
        let (fingerprint, permutation) = least.unwrap_or_else(|| (self.fingerprint(state, 0), 0));
        Canonical {
            fingerprint,
            permutation,
        }
    }

    fn fingerprint(&mut self, state: &S::State, permutation: usize) -> Fingerprint {
        self.encoder.clear();
        let names = &self.system.permutations()[permutation];
        self.system.encode(state, names, &mut self.encoder);
        self.encoder.fingerprint()
    }

    /// The claim with the fewest actions; of these, the one whose processes come first, with the names that
    /// they have under the permutation. So it is the same one whichever image of a state is searched.
    fn least_claim(&mut self, permutation: usize) -> Option<usize> {
        let names = &self.system.permutations()[permutation];
        let [least, processes] = &mut self.processes;
        let mut best: Option<(usize, usize)> = None;
        for (place, claim) in self.claims.iter().enumerate() {
            if best.is_some_and(|(_, len)| claim.len() > len) {
                continue;
            }
            processes.clear();
            processes.extend(claim.iter().map(|&action| {
                let process = self.system.process(action);
                self.system.renamed(process, names)
            }));
            processes.sort_unstable();
            if best.is_none_or(|(_, len)| claim.len() < len || *processes < *least) {
                best = Some((place, claim.len()));
                std::mem::swap(least, processes);
            }
        }
        best.map(|(place, _)| place)
    }
}

/// Each claimed set is a part of what is enabled, and not empty.
fn check_subsets<A: Copy + Eq + std::fmt::Debug, V>(
    claims: &Claims<A>,
    enabled: &[A],
) -> Result<(), Finding<A, V>> {
    for set in claims.iter() {
        if set.is_empty() || !set.iter().all(|action| enabled.contains(action)) {
            return Err(Finding::Fault(Fault::NoSubset {
                set: set.to_vec(),
                enabled: enabled.to_vec(),
            }));
        }
    }
    Ok(())
}

/// A panic of the system is a fault at this place, and does not take the search down.
pub(crate) fn guarded<A: std::fmt::Debug, V, T>(
    step: impl FnOnce() -> Result<T, Finding<A, V>>,
) -> Result<T, Finding<A, V>> {
    // What was being written is cleared before it is used again, and the state is given up.
    let caught = catch_unwind(AssertUnwindSafe(step));
    caught.unwrap_or_else(|panic| Err(Finding::Fault(Fault::Panicked(message(&*panic)))))
}

fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(message) = panic.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = panic.downcast_ref::<String>() {
        message.clone()
    } else {
        "no message".to_owned()
    }
}
