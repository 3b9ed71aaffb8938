//! The language of the sequences: operations, the scripts of the modules, and how both are written.
//!
//! Registrations and bindings are referred to by place, not by number ("the last registration of
//! `c1`"), so that taking an operation out of a sequence leaves the others meaningful. It says
//! nothing about what an operation does.

use std::fmt;
use std::str::FromStr;

use nmr::{HandleFault, Side};
use nmr_models::scenario::Limits;
use serde::{Deserialize, Serialize};

use super::function::Parts;

/// What a case file of this module says in its `kind` field.
pub const KIND: &str = "sequential";

/// Slots have few generations, so that they are retired while a sequence runs.
pub const LAST_GENERATION: u32 = 4;

/// How many modules there are of each side.
pub const MODULES: u8 = 4;
/// How many interfaces there are. Interface 0 is the nil one, which registers nothing.
pub const INTERFACES: u8 = 3;

/// A case file: a sequence, and what was wrong when it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// [`KIND`].
    pub kind: String,
    /// The difference that the sequence showed when it was saved; empty for one written by hand.
    #[serde(default)]
    pub found: String,
    /// The limits and the fault of the registrar under test. Its slots are retired after
    /// [`LAST_GENERATION`], if nothing else is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// The operations, in order. All registrations that are left are deregistered after the last.
    #[serde(rename = "op")]
    pub ops: Vec<Op>,
}

/// One call of a registrar function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// `register_client` or `register_provider`, according to the module.
    Register(Box<Register>),
    /// `deregister_client`.
    DeregisterClient(HandleRef),
    /// `deregister_provider`.
    DeregisterProvider(HandleRef),
    /// `wait_for_client_deregister`. Not made where it would block for good.
    WaitClient(HandleRef),
    /// `wait_for_provider_deregister`. Not made where it would block for good.
    WaitProvider(HandleRef),
    /// `client_attach_provider`, beside the one that a client's script makes.
    AttachProvider(HandleRef),
    /// `client_detach_complete`.
    ClientDetachComplete(HandleRef),
    /// `provider_detach_complete`.
    ProviderDetachComplete(HandleRef),
}

impl Op {
    /// The deregister call of one side.
    #[must_use]
    pub fn deregister(side: Side, handle: HandleRef) -> Self {
        match side {
            Side::Client => Self::DeregisterClient(handle),
            Side::Provider => Self::DeregisterProvider(handle),
        }
    }

    /// The wait of one side.
    #[must_use]
    pub fn wait(side: Side, handle: HandleRef) -> Self {
        match side {
            Side::Client => Self::WaitClient(handle),
            Side::Provider => Self::WaitProvider(handle),
        }
    }

    /// The detach-complete call of one side.
    #[must_use]
    pub fn detach_complete(side: Side, handle: HandleRef) -> Self {
        match side {
            Side::Client => Self::ClientDetachComplete(handle),
            Side::Provider => Self::ProviderDetachComplete(handle),
        }
    }
}

/// A register call and the script of the module for this registration.
///
/// The calls in a script are made the first time that the registration comes to that point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Register {
    /// The module. It has one registration at a time: while it has one, the call is not made.
    pub module: Slot,
    /// The interface, 1 to [`INTERFACES`]; 0 is the nil NPIID.
    pub npi: u8,
    /// How its attach callback goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attach: Attach,
    /// How its detach callback goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detach: DetachScript,
    /// Whether its cleanup callback panics.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cleanup_panics: bool,
    /// Whether its binding context is null.
    #[serde(default, skip_serializing_if = "is_default")]
    pub null_context: bool,
    /// Calls at the start of its attach callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_attach: Vec<Op>,
    /// Calls in a client's attach callback, after its own attach call has returned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_attach: Vec<Op>,
    /// Calls at the start of its detach callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_detach: Vec<Op>,
    /// Calls at the start of its cleanup callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_cleanup: Vec<Op>,
}

impl Register {
    /// A registration of `module` for `npi` that accepts, detaches at once and calls nobody.
    #[must_use]
    pub fn new(module: Slot, npi: u8) -> Self {
        Self {
            module,
            npi,
            attach: Attach::default(),
            detach: DetachScript::default(),
            cleanup_panics: false,
            null_context: false,
            before_attach: Vec::new(),
            after_attach: Vec::new(),
            in_detach: Vec::new(),
            in_cleanup: Vec::new(),
        }
    }

    /// The calls that the script makes at one point.
    #[must_use]
    pub fn calls(&self, hook: Hook) -> &[Op] {
        match hook {
            Hook::BeforeAttach => &self.before_attach,
            Hook::AfterAttach => &self.after_attach,
            Hook::Detach => &self.in_detach,
            Hook::Cleanup => &self.in_cleanup,
        }
    }
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A point in a script at which a module calls the registrar back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// At the start of the attach callback.
    BeforeAttach,
    /// In a client's attach callback, after its attach call.
    AfterAttach,
    /// At the start of the detach callback.
    Detach,
    /// At the start of the cleanup callback.
    Cleanup,
}

/// How an attach callback goes. A provider knows `accept`, `decline` and `panic`, and takes every
/// other value for `accept`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attach {
    /// Attaches, and answers what came of it.
    #[default]
    Accept,
    /// Declines without attaching.
    Decline,
    /// Answers success without attaching (C4).
    Hollow,
    /// Attaches, then declines whatever came of it (C5).
    ChangeOfMind,
    /// Attaches, then answers success whatever came of it, even a panic of the provider.
    Insist,
    /// Attaches twice (C3), and answers what came of the first call.
    Twice,
    /// Panics without attaching.
    Panic,
    /// Attaches, then panics.
    AttachThenPanic,
}

/// How a detach callback goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetachScript {
    /// Answers complete.
    #[default]
    AtOnce,
    /// Answers pending.
    Pending,
    /// Completes inside the callback, then answers pending (C8).
    Early,
    /// Completes inside the callback, then answers complete.
    EarlyThenComplete,
    /// Panics, which counts as complete (C18).
    Panic,
    /// Completes inside the callback, then panics.
    EarlyThenPanic,
}

/// A module: `c1` to `c4`, `p1` to `p4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slot {
    /// Its side.
    pub side: Side,
    /// Its number, from 1.
    pub number: u8,
}

impl Slot {
    /// All modules, clients first.
    pub fn all() -> impl Iterator<Item = Self> {
        Side::BOTH
            .into_iter()
            .flat_map(|side| (1..=MODULES).map(move |number| Self { side, number }))
    }
}

/// A handle, as a sequence refers to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HandleRef {
    /// The handle that a module's register call returned: `c1` the last, `c1~1` the one before.
    Registration(Slot, u8),
    /// A binding that the client was offered: `c1/p2` the last of the two, `c1/p2~1` the one before.
    Binding(Slot, Slot, u8),
    /// A live handle of another registrar: `foreign client`, `foreign provider`, `foreign binding`.
    Foreign(Kind),
}

impl HandleRef {
    /// The newest handle of the same name.
    #[must_use]
    pub const fn newest(self) -> Self {
        match self {
            Self::Registration(slot, _) => Self::Registration(slot, 0),
            Self::Binding(client, provider, _) => Self::Binding(client, provider, 0),
            Self::Foreign(_) => self,
        }
    }
}

/// The kinds of handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A registration's.
    Registration(Side),
    /// A binding's.
    Binding,
}

/// All kinds of handle.
pub const KINDS: [Kind; 3] = [
    Kind::Registration(Side::Client),
    Kind::Registration(Side::Provider),
    Kind::Binding,
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registration(side) => write!(f, "{side}"),
            Self::Binding => f.write_str("binding"),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.side {
            Side::Client => 'c',
            Side::Provider => 'p',
        };
        write!(f, "{letter}{}", self.number)
    }
}

impl FromStr for Slot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all()
            .find(|slot| slot.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no module: expected c1 to c4 or p1 to p4"))
    }
}

impl fmt::Display for HandleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = match self {
            Self::Foreign(kind) => return write!(f, "foreign {kind}"),
            Self::Registration(slot, age) => {
                write!(f, "{slot}")?;
                age
            }
            Self::Binding(client, provider, age) => {
                write!(f, "{client}/{provider}")?;
                age
            }
        };
        if *age > 0 {
            write!(f, "~{age}")?;
        }
        Ok(())
    }
}

impl FromStr for HandleRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "`{text}` is no handle: expected a registration (`c1`, `c1~1`), \
                 a binding (`c1/p2`, `c1/p2~1`) or `foreign client|provider|binding`"
            )
        };
        match text {
            "foreign client" => return Ok(Self::Foreign(Kind::Registration(Side::Client))),
            "foreign provider" => return Ok(Self::Foreign(Kind::Registration(Side::Provider))),
            "foreign binding" => return Ok(Self::Foreign(Kind::Binding)),
            _ => {}
        }
        let (name, age) = match text.split_once('~') {
            Some((name, age)) => (name, age.parse().map_err(|_| expected())?),
            None => (text, 0),
        };
        let slot = |text: &str| text.parse::<Slot>().map_err(|_| expected());
        match name.split_once('/') {
            None => Ok(Self::Registration(slot(name)?, age)),
            Some((client, provider)) => {
                let (client, provider) = (slot(client)?, slot(provider)?);
                if (client.side, provider.side) == (Side::Client, Side::Provider) {
                    Ok(Self::Binding(client, provider, age))
                } else {
                    Err(expected())
                }
            }
        }
    }
}

macro_rules! as_text {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}
as_text!(Slot);
as_text!(HandleRef);

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Parts::Call(function, handle) => write!(f, "{} {handle}", function.name()),
            Parts::Register(register) => {
                write!(f, "register {} on npi {}", register.module, register.npi)
            }
        }
    }
}

/// The word for what is wrong with a handle.
#[must_use]
pub fn fault_name(fault: HandleFault) -> &'static str {
    match fault {
        HandleFault::Foreign => "foreign",
        HandleFault::WrongKind => "wrong kind",
        HandleFault::Unknown => "never issued",
        HandleFault::Dead => "dead",
        _ => "another fault",
    }
}
