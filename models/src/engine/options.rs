//! What the explorer is asked besides its scenario: the options of `nmr check`, which its worker gets as JSON.

use std::path::PathBuf;
use std::str::FromStr;

use super::DirectOptions;
use bytesize::ByteSize;
use nmr_explorer::Reduction;
use serde::{Deserialize, Serialize};

/// Over what no other engine than these knows of.
const HEADING: &str = "Options of the explorer and the direct engine";

/// Most stand for a builder method of the explorer; one that is not given is left as it is there. Workers and memory are
/// the direct engine's too. The other engines have nothing to do with any of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExplorerOptions {
    /// Threads of a search, each of which keeps a core busy.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), help_heading = HEADING)]
    pub workers: u16,
    /// The most memory for the states of a search, such as `4GiB`; at the limit it is
    /// incomplete [default: half of the machine's].
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = HEADING)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_memory: Option<u64>,
    /// Write the explorer's search to this file, and go on from it if it is there; for one scenario only.
    ///
    /// It is written every minute, and when the search ends or its time is up; only the same build goes
    /// on from it. At Ctrl-C in a terminal the worker writes it and ends; if that takes more than two
    /// seconds, or if this command alone is told to stop, the worker is killed, and the file is what was
    /// written last.
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// Search without this reduction of the explorer: visible-operations, visited-states, forgetting, symmetry or
    /// lock-aware; may be given several times.
    #[arg(long = "no-reduction", value_name = "NAME", help_heading = HEADING)]
    #[serde(with = "names", skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Reduction>,
    /// What the direct engine is asked.
    #[command(flatten)]
    #[serde(skip_serializing_if = "is_default")]
    pub direct: DirectOptions,
}

fn is_default(options: &DirectOptions) -> bool {
    *options == DirectOptions::default()
}

impl Default for ExplorerOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            max_memory: None,
            checkpoint: None,
            without: Vec::new(),
            direct: DirectOptions::default(),
        }
    }
}

impl ExplorerOptions {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The options of `nmr check` that say the same.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let workers = (self.workers != 1).then(|| ("--workers", self.workers.to_string()));
        let memory = self.max_memory.map(|max| ("--max-memory", max.to_string()));
        let checkpoint = self.checkpoint.as_ref();
        let checkpoint = checkpoint.map(|file| ("--checkpoint", file.display().to_string()));
        let without = self.without.iter();
        let without = without.map(|reduction| ("--no-reduction", reduction.to_string()));
        let all = [workers, memory, checkpoint].into_iter().flatten();
        all.chain(without)
            .flat_map(|(option, value)| [option.to_owned(), value])
            .chain(self.direct.arguments())
            .collect()
    }

    /// For the worker: what [`FromStr`] reads.
    ///
    /// # Panics
    /// Never: the options have a text form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("options have a text form")
    }
}

/// From JSON; what is not there is not asked.
impl FromStr for ExplorerOptions {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(ByteSize(0)) => Err("expected at least one byte".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(_) => Err("expected a size such as 4GiB or 512MiB".to_owned()),
    }
}

/// Reductions are written by their names.
mod names {
    use nmr_explorer::Reduction;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(all: &[Reduction], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(all.iter().map(|reduction| reduction.name()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Reduction>, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        let read = names.iter().map(|name| name.parse());
        read.collect::<Result<_, _>>().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: ExplorerOptions,
    }

    fn given(arguments: &[&str]) -> ExplorerOptions {
        Cli::parse_from([&["nmr"], arguments].concat()).options
    }

    #[test]
    fn they_go_to_the_worker_and_back_to_a_command_line_unchanged() {
        for arguments in [
            &[][..],
            &["--workers", "3", "--checkpoint", "a b.checkpoint"],
            &["--max-memory", "1073741824", "--no-reduction", "symmetry"],
            &["--no-reduction", "symmetry", "--no-reduction", "lock-aware"],
            &["--direct-without", "drops-at-once", "--verify"],
        ] {
            let options = given(arguments);
            assert_eq!(options.arguments(), arguments);
            assert_eq!(
                options.to_json().parse::<ExplorerOptions>().unwrap(),
                options
            );
        }
    }

    #[test]
    fn by_hand_only_what_is_asked_needs_to_be_there() {
        let options: ExplorerOptions = r#"{"workers":2}"#.parse().unwrap();
        assert_eq!(options, given(&["--workers", "2"]));
        for wrong in [r#"{"wrokers":2}"#, r#"{"without":["sleep"]}"#, "2"] {
            assert!(wrong.parse::<ExplorerOptions>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(bytes("4GiB"), Ok(4 << 30));
        assert_eq!(bytes("512 MiB"), Ok(512 << 20));
        assert_eq!(bytes("1073741824"), Ok(1 << 30));
        assert!(bytes("0").unwrap_err().contains("at least one"));
        assert!(bytes("much").unwrap_err().contains("such as 4GiB"));
    }
}
