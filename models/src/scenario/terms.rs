//! What a scenario is judged by besides the contract, which is always in force.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The rules in force besides the contract's: the scenario's own, and those that somebody asks for who checks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// What modules leave over is a violation, and no note (rules S1 to S4): registrations that nobody deregisters or
    /// waits for, pending detaches that nobody completes, calls for what is not registered.
    #[arg(long)]
    pub strict: bool,
    /// Judge what modules do by the rules of this platform, too (windows: rules W1 to W4).
    #[arg(long, value_name = "NAME")]
    pub platform: Option<Platform>,
}

/// A platform that has rules of its own for modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Platform {
    /// Windows' kernel, as its documentation describes it.
    Windows,
}

impl Terms {
    /// What either asks for.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            strict: self.strict || other.strict,
            platform: self.platform.or(other.platform),
        }
    }

    /// Whether the contract alone is in force.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn is_windows(self) -> bool {
        self.platform == Some(Platform::Windows)
    }

    /// The options that ask for it.
    #[must_use]
    pub fn arguments(self) -> Vec<String> {
        let strict = self.strict.then(|| vec!["--strict".to_owned()]);
        let platform = self
            .platform
            .map(|it| vec!["--platform".to_owned(), it.to_string()]);
        strict.into_iter().chain(platform).flatten().collect()
    }

    /// What is in force besides the contract, each in a few words.
    #[must_use]
    pub fn in_force(self) -> Vec<String> {
        let strict = self.strict.then(|| "strict (S1–S4)".to_owned());
        let platform = self.platform.map(|it| format!("platform {it} (W1–W4)"));
        strict.into_iter().chain(platform).collect()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Windows => "windows",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_either_asks_for_is_in_force() {
        let strict = Terms {
            strict: true,
            platform: None,
        };
        let windows = Terms {
            strict: false,
            platform: Some(Platform::Windows),
        };
        let both = strict.and(windows);
        assert_eq!(both, windows.and(strict));
        assert_eq!(
            both.in_force(),
            ["strict (S1–S4)", "platform windows (W1–W4)"]
        );
        assert_eq!(
            both.arguments(),
            ["--strict", "--platform", "windows"].map(str::to_owned)
        );
        assert!(Terms::default().is_plain() && !both.is_plain());
    }
}
