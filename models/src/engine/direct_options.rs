//! What the direct engine is asked besides its scenario.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Over what only the direct engine knows of.
const HEADING: &str = "Options of the direct engine";

/// Without any of them a scenario with few states is searched with symmetry alone, and only one with many with all
/// reductions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DirectOptions {
    /// Search with all reductions of the direct engine but this one: symmetry, ample-sets, drops-at-once or
    /// list-orders; may be given several times.
    #[arg(id = "direct-without", long, value_name = "NAME", help_heading = HEADING)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<DirectReduction>,
    /// Try out in every state what the reductions claim, instead of believing it: each step of an ample set with each
    /// other one in both orders, and the symmetries' successors. Takes several times as long.
    #[arg(long, help_heading = HEADING)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub verify: bool,
}

/// A reason for the direct engine to leave out a part of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectReduction {
    /// States are one that differ by a permutation of modules and threads.
    Symmetry,
    /// Of some states the steps of one thread alone are explored.
    AmpleSets,
    /// What the registrar lets go of is dropped within the step before.
    DropsAtOnce,
    /// A place in one of the registrar's lists counts only where it can still matter.
    ListOrders,
}

impl DirectReduction {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Symmetry,
        Self::AmpleSets,
        Self::DropsAtOnce,
        Self::ListOrders,
    ];

    /// Those that rest on claims about the registrar.
    pub(crate) const CLAIMED: [Self; 3] = [Self::AmpleSets, Self::DropsAtOnce, Self::ListOrders];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Symmetry => "symmetry",
            Self::AmpleSets => "ample-sets",
            Self::DropsAtOnce => "drops-at-once",
            Self::ListOrders => "list-orders",
        }
    }
}

impl fmt::Display for DirectReduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DirectReduction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is no reduction of the direct engine: expected one of {names}")
        })
    }
}

impl DirectOptions {
    /// The options of `nmr check` that say the same.
    pub(super) fn arguments(&self) -> impl Iterator<Item = String> {
        let without = self.without.iter();
        let without =
            without.flat_map(|reduction| ["--direct-without".to_owned(), reduction.to_string()]);
        without.chain(self.verify.then(|| "--verify".to_owned()))
    }
}
