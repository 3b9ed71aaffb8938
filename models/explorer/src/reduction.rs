//! What the search leaves out because it can prove that nothing new is there. Each reduction can be
//! switched off, to be checked against the search without it.

use std::fmt;
use std::str::FromStr;

/// A reason to leave out a part of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reduction {
    /// Branches only before operations that others can notice. Without it, also before each release.
    VisibleOperations,
    /// Chooses at a state seen before only what nobody has chosen there yet, and runs an execution that comes
    /// to one where nothing is left to its end without choosing. States of real code are told apart by
    /// their hashes (hash compaction: Wolper and Leroy, CAV 1993; for code: CMC, Musuvathi et al., OSDI
    /// 2002), here of 128 bits. Without it each path leads to a state of its own.
    VisitedStates,
    /// Takes a thread at its word when it forgets (`nmr_sync::forget`) what it had learnt.
    Forgetting,
    /// Takes two states for one that differ by an exchange of interchangeable threads (Ip and Dill,
    /// "Better verification through symmetry", 1996).
    Symmetry,
    /// Does not order critical sections of one lock that only read, and does not branch at locks whose
    /// sections never conflict (the idea is LAPOR's: Kokologiannakis, Raad and Vafeiadis, OOPSLA 2019).
    LockAware,
}

impl Reduction {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::VisibleOperations,
        Self::VisitedStates,
        Self::Forgetting,
        Self::Symmetry,
        Self::LockAware,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VisibleOperations => "visible-operations",
            Self::VisitedStates => "visited-states",
            Self::Forgetting => "forgetting",
            Self::Symmetry => "symmetry",
            Self::LockAware => "lock-aware",
        }
    }
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no reduction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no reduction: expected visible-operations, visited-states, forgetting, symmetry or \
     lock-aware"
)]
pub struct UnknownReduction(String);

impl FromStr for Reduction {
    type Err = UnknownReduction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|one| one.name() == text);
        found.ok_or_else(|| UnknownReduction(text.to_owned()))
    }
}

/// A set of reductions.
#[cfg(shuttle)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reductions(u8);

#[cfg(shuttle)]
impl Reductions {
    pub(crate) const fn all() -> Self {
        Self((1 << Reduction::ALL.len()) - 1)
    }

    pub(crate) const fn has(self, reduction: Reduction) -> bool {
        self.0 & 1 << reduction as u8 != 0
    }

    pub(crate) const fn without(self, reduction: Reduction) -> Self {
        Self(self.0 & !(1 << reduction as u8))
    }

    /// For certificates and checkpoints.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let on = Reduction::ALL.into_iter().filter(|&one| self.has(one));
        on.map(Reduction::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for reduction in Reduction::ALL {
            assert_eq!(reduction.name().parse(), Ok(reduction));
        }
        let error = "sleep-sets".parse::<Reduction>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`sleep-sets` is no reduction")
        );
    }

    #[cfg(shuttle)]
    #[test]
    fn switching_one_off_leaves_the_others() {
        let some = Reductions::all().without(Reduction::Symmetry);
        let off = Reduction::ALL.into_iter().filter(|&one| !some.has(one));
        assert_eq!(off.collect::<Vec<_>>(), [Reduction::Symmetry]);
    }
}
