//! What the engines are called, and which build each of them needs.
//!
//! Names only: what they do is in [`engine`](crate::engine), and each build has its own engines.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::UnknownName;

/// What explores a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The registrar's calls without threads: every order of their critical sections, at memory speed.
    Direct,
    /// nmr-explorer: every interleaving under sequential consistency, up to the order of what is
    /// independent.
    Explorer,
    /// loom: every interleaving, and the C11 memory model.
    Loom,
    /// shuttle, each next thread drawn at random.
    Random,
    /// shuttle, probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).
    Pct,
    /// shuttle, uniform random walk (Zhao et al., ASPLOS 2025).
    Urw,
    /// Real threads over parking_lot.
    Threads,
}

/// The build that an engine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Build {
    /// No cfg: parking_lot.
    Native,
    /// `--cfg loom`.
    Loom,
    /// `--cfg shuttle`.
    Shuttle,
}

impl Engine {
    /// All engines.
    pub const ALL: [Self; 7] = [
        Self::Direct,
        Self::Explorer,
        Self::Loom,
        Self::Random,
        Self::Pct,
        Self::Urw,
        Self::Threads,
    ];

    /// The build that it needs.
    #[must_use]
    pub const fn build(self) -> Build {
        match self {
            Self::Loom => Build::Loom,
            Self::Explorer | Self::Random | Self::Pct | Self::Urw => Build::Shuttle,
            Self::Direct | Self::Threads => Build::Native,
        }
    }

    /// Whether it looks at some interleavings, drawn from a seed or by chance, and not at all of them.
    #[must_use]
    pub const fn is_sampling(self) -> bool {
        !matches!(self, Self::Direct | Self::Explorer | Self::Loom)
    }

    /// Whether it runs modules in C: on threads that it switches by itself, one at a time.
    #[must_use]
    pub const fn runs_c_modules(self) -> bool {
        matches!(self.build(), Build::Shuttle)
    }

    /// Whether it can wake who waits for a condition without a notification.
    #[must_use]
    pub const fn wakes_spuriously(self) -> bool {
        match self {
            Self::Direct | Self::Explorer | Self::Random | Self::Urw => true,
            Self::Loom | Self::Pct | Self::Threads => false,
        }
    }

    /// Its name, as in the JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Explorer => "explorer",
            Self::Loom => "loom",
            Self::Random => "random",
            Self::Pct => "pct",
            Self::Urw => "urw",
            Self::Threads => "threads",
        }
    }
}

impl Build {
    /// The build that this crate was compiled in.
    #[must_use]
    pub const fn current() -> Self {
        if cfg!(loom) {
            Self::Loom
        } else if cfg!(shuttle) {
            Self::Shuttle
        } else {
            Self::Native
        }
    }

    /// The cfg that selects it.
    #[must_use]
    pub const fn cfg(self) -> Option<&'static str> {
        match self {
            Self::Native => None,
            Self::Loom => Some("loom"),
            Self::Shuttle => Some("shuttle"),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Engine {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|engine| engine.name() == text);
        found.ok_or_else(|| {
            UnknownName::new(
                text,
                "an engine: direct, explorer, loom, random, pct, urw or threads",
            )
        })
    }
}

/// What makes a search for `nmr bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum BenchEngine {
    /// nmr-explorer.
    Explorer,
    /// loom, without a bound.
    Loom,
    /// shuttle's own depth-first search.
    Dfs,
    /// The direct engine.
    Direct,
}

impl BenchEngine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Explorer, Self::Loom, Self::Dfs, Self::Direct];

    /// The build that it needs.
    #[must_use]
    pub const fn build(self) -> Build {
        match self {
            Self::Loom => Build::Loom,
            Self::Explorer | Self::Dfs => Build::Shuttle,
            Self::Direct => Build::Native,
        }
    }

    /// Its name, as in the JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Explorer => "explorer",
            Self::Loom => "loom",
            Self::Dfs => "dfs",
            Self::Direct => "direct",
        }
    }
}

impl fmt::Display for BenchEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BenchEngine {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|engine| engine.name() == text);
        found.ok_or_else(|| {
            UnknownName::new(
                text,
                "an engine of `nmr bench`: explorer, loom, dfs or direct",
            )
        })
    }
}
