//! A scenario: modules with a script of behaviour, and threads that use the registrar. Data only.
//!
//! It has a text form in TOML that a person can write; see the `scenarios` folder of this crate. It
//! knows nothing of engines and runs nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use nmr::Side;
use serde::{Deserialize, Serialize};

use crate::op::Op;
use crate::report::Rule;

/// The most threads that a scenario may have besides the main one: loom has room for five in all.
pub const MAX_THREADS: usize = 4;

/// One program to explore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Its name, in kebab case.
    pub name: String,
    /// What happens in it, in a line.
    pub summary: String,
    /// The rules that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// The registrar's limits and faults.
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
    /// Operations of the main thread before the others start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Op>,
    /// Operations of the main thread after the others have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Op>,
    /// The modules.
    #[serde(rename = "module")]
    pub modules: Vec<Module>,
    /// The threads that run side by side.
    #[serde(default, rename = "thread", skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
}

/// See [`nmr::Builder`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// At most so many registrations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_registrations: Option<usize>,
    /// At most so many bindings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bindings: Option<usize>,
    /// The k-th reservation of memory fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_reservation: Option<u64>,
    /// Slots are retired after this generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_generation: Option<u32>,
}

impl Limits {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A client or provider module and what it does when it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Module {
    /// Its name, by which operations refer to it.
    pub name: String,
    /// Which side it registers on.
    #[serde(with = "side_name")]
    pub side: Side,
    /// The number of its interface, from 1; 0 is the nil NPIID.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub npi: u8,
    /// Its attach callback.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attach: Attach,
    /// Its detach callback.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detach: Detach,
    /// Its cleanup callback.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cleanup: Cleanup,
    /// Whether it hands over a null binding context.
    #[serde(default, skip_serializing_if = "is_default")]
    pub null_context: bool,
    /// Operations inside its attach callback, before it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_attach: Vec<Op>,
    /// Operations inside its detach callback, before it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_detach: Vec<Op>,
    /// Operations inside its cleanup callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_cleanup: Vec<Op>,
}

const fn one() -> u8 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_one(npi: &u8) -> bool {
    *npi == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

mod side_name {
    use nmr::Side;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub(super) fn serialize<S: Serializer>(side: &Side, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(side)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Side, D::Error> {
        match String::deserialize(from)?.as_str() {
            "client" => Ok(Side::Client),
            "provider" => Ok(Side::Provider),
            other => Err(de::Error::invalid_value(
                de::Unexpected::Str(other),
                &"`client` or `provider`",
            )),
        }
    }
}

/// What an attach callback does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attach {
    /// Attaches and answers success.
    #[default]
    Accept,
    /// Declines. A client does so without calling `client_attach_provider`.
    Decline,
    /// Client only: answers success without having attached (C4).
    Hollow,
    /// Client only: attaches, then answers failure (C5).
    ChangeOfMind,
    /// Client only: attaches, and calls `client_attach_provider` a second time (C3).
    Twice,
    /// Panics, a client before it attaches.
    Panic,
    /// Client only: attaches, then panics (C18, C5).
    PanicAfterAttach,
}

/// What a detach callback does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detach {
    /// Answers complete.
    #[default]
    Complete,
    /// Answers pending; a `complete` operation completes it.
    Pending,
    /// Calls its detach-complete function, then answers pending (C8).
    CompleteEarly,
    /// Waits for calls through the peer's dispatch table to end: answers complete if none runs, else
    /// pending, and the last of them completes.
    Rundown,
    /// Panics.
    Panic,
}

/// What a cleanup callback does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cleanup {
    /// Returns.
    #[default]
    Return,
    /// Panics.
    Panic,
}

/// A thread and its operations, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thread {
    /// Its name.
    pub name: String,
    /// What it does.
    pub ops: Vec<Op>,
}

/// A file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    path: PathBuf,
    /// Line and column, from 1, where they are known.
    at: Option<(usize, usize)>,
    message: String,
}

impl std::error::Error for FormatError {}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl FormatError {
    /// An error about the whole file.
    #[must_use]
    pub fn new(path: &Path, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            at: None,
            message: message.into(),
        }
    }

    /// An error that the TOML reader found in `text`.
    #[must_use]
    pub fn from_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map(|span| {
            let before = &text[..span.start.min(text.len())];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            (
                before.matches('\n').count() + 1,
                before[line_start..].chars().count() + 1,
            )
        });
        Self {
            at,
            ..Self::new(path, error.message())
        }
    }

    /// The same error, at the line of `text` that first mentions `word`.
    pub(crate) fn at_mention(mut self, text: &str, word: &str) -> Self {
        self.at = text.lines().enumerate().find_map(|(line, content)| {
            let column = content.find(word)?;
            Some((line + 1, content[..column].chars().count() + 1))
        });
        self
    }
}

impl Scenario {
    /// Reads the text form; `path` is for messages only.
    ///
    /// # Errors
    /// With file, line, what is wrong and what was expected.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, FormatError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| FormatError::from_toml(path, text, &error))?;
        scenario.check(path, text)?;
        Ok(scenario)
    }

    /// Whether it makes sense; `text` is where it was read from.
    ///
    /// # Errors
    /// What does not, and where it says so.
    pub fn check(&self, path: &Path, text: &str) -> Result<(), FormatError> {
        self.validate()
            .map_err(|fault| FormatError::new(path, fault.message).at_mention(text, &fault.mention))
    }

    /// The text form.
    ///
    /// # Panics
    /// Never: a scenario has a text form.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a scenario has a text form")
    }

    /// The index of a module.
    #[must_use]
    pub fn module(&self, name: &str) -> Option<usize> {
        self.modules.iter().position(|module| module.name == name)
    }

    /// Every operation with the index of its thread: 0 is the main thread (before and after), the
    /// others follow. `None`: inside a callback.
    fn operations(&self) -> impl Iterator<Item = (Option<usize>, &Op)> {
        let main = self
            .before
            .iter()
            .chain(&self.after)
            .map(|op| (Some(0), op));
        let threads = self.threads.iter().enumerate();
        let threads = threads
            .flat_map(|(index, thread)| thread.ops.iter().map(move |op| (Some(index + 1), op)));
        let callbacks = self.modules.iter().flat_map(|module| {
            let lists = [&module.in_attach, &module.in_detach, &module.in_cleanup];
            lists.into_iter().flatten().map(|op| (None, op))
        });
        main.chain(threads).chain(callbacks)
    }

    /// Whether one thread or callback registers the module while another one uses its handle. The
    /// main thread races with nobody.
    pub(crate) fn is_raced(&self, module: &str) -> bool {
        let ops = self
            .operations()
            .filter(|(by, op)| op.module() == Some(module) && *by != Some(0));
        let ops: Vec<_> = ops.collect();
        let mut registering = ops.iter().filter(|(_, op)| matches!(op, Op::Register(_)));
        registering.any(|(by, _)| ops.iter().any(|(other, _)| other != by))
    }

    /// Whether some thread completes pending detaches as they come.
    pub(crate) fn has_completer(&self) -> bool {
        self.operations().any(|(_, op)| is_completer(op))
    }

    fn validate(&self) -> Result<(), Fault> {
        let fault = |mention: &str, message: String| {
            Err(Fault {
                mention: mention.to_owned(),
                message,
            })
        };
        if self.threads.len() > MAX_THREADS {
            let more = &self.threads[MAX_THREADS].name;
            return fault(
                more,
                format!("a scenario has at most {MAX_THREADS} threads, this is one more"),
            );
        }
        let mut names = BTreeSet::new();
        let all = self.modules.iter().map(|module| &module.name);
        for name in all.chain(self.threads.iter().map(|thread| &thread.name)) {
            if !names.insert(name) || name == "main" {
                return fault(name, format!("`{name}` is taken: expected another name"));
            }
        }
        for module in &self.modules {
            let client_only = !matches!(
                module.attach,
                Attach::Accept | Attach::Decline | Attach::Panic
            );
            if module.side == Side::Provider && client_only {
                return fault(
                    &module.name,
                    format!(
                        "`{}` is a provider: expected attach = accept, decline or panic",
                        module.name
                    ),
                );
            }
        }
        self.validate_null_contexts()?;
        self.validate_completers()?;
        self.validate_ops()
    }

    /// A cleanup callback is told nothing but its context: where that is null, only one binding can
    /// be meant.
    fn validate_null_contexts(&self) -> Result<(), Fault> {
        let registers = |name: &str| {
            let ops = self.operations();
            ops.filter(|(_, op)| matches!(op, Op::Register(module) if module == name))
                .count()
        };
        for module in self.modules.iter().filter(|module| module.null_context) {
            let peers = self.modules.iter();
            let peers = peers.filter(|peer| peer.npi == module.npi && peer.side != module.side);
            let peers: usize = peers.map(|peer| registers(&peer.name)).sum();
            let plain = matches!(module.attach, Attach::Accept | Attach::Decline);
            if peers > 1 || registers(&module.name) > 1 || !plain {
                return Err(Fault {
                    mention: module.name.clone(),
                    message: format!(
                        "`{}` has null contexts: expected attach = accept or decline, at most one \
                         registration of it, and one of the other side on its interface",
                        module.name
                    ),
                });
            }
        }
        Ok(())
    }

    /// A completer goes on until the others have done their waits: it must not stand in their way.
    fn validate_completers(&self) -> Result<(), Fault> {
        for thread in &self.threads {
            let Some(completer) = thread.ops.iter().find(|op| is_completer(op)) else {
                continue;
            };
            let last = thread.ops.last() == Some(completer);
            let waits = thread.ops.iter().any(|op| matches!(op, Op::Wait(_)));
            if !last || waits {
                return Err(Fault {
                    mention: completer.to_string(),
                    message: format!(
                        "`{completer}` goes on until the other threads' waits are done: expected it at \
                         the end of a thread that does not wait"
                    ),
                });
            }
        }
        let mut elsewhere = self
            .operations()
            .filter(|(by, op)| is_completer(op) && by.is_none_or(|by| by == 0));
        let Some((_, completer)) = elsewhere.next() else {
            return Ok(());
        };
        Err(Fault {
            mention: completer.to_string(),
            message: format!(
                "`{completer}` goes on until the threads' waits are done: expected it in a thread"
            ),
        })
    }

    fn validate_ops(&self) -> Result<(), Fault> {
        for (_, op) in self.operations() {
            let text = op.to_string();
            let fault = |message: String| Fault {
                mention: text.clone(),
                message,
            };
            let Some(name) = op.module() else { continue };
            let Some(module) = self.module(name) else {
                let known: Vec<_> = self.modules.iter().map(|m| m.name.as_str()).collect();
                let known = known.join(", ");
                return Err(fault(format!(
                    "`{text}` names no module: expected one of {known}"
                )));
            };
            let module = &self.modules[module];
            match op {
                Op::Dispatch(_)
                    if module.side == Side::Provider || module.detach != Detach::Rundown =>
                {
                    return Err(fault(format!(
                        "`{text}`: expected a client with detach = \"rundown\", which may call its \
                         providers"
                    )));
                }
                Op::Attach(_) if module.side == Side::Provider => {
                    return Err(fault(format!(
                        "`{text}`: expected a client, which attaches"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

const fn is_completer(op: &Op) -> bool {
    matches!(op, Op::Complete(_) | Op::CompleteAll)
}

/// What is wrong, and a piece of the text near which it is.
struct Fault {
    mention: String,
    message: String,
}
