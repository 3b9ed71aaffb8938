//! How a sequence refers to modules and handles, and how that is written.
//!
//! Registrations and bindings are referred to by place, not by number ("the last registration of
//! `c1`"), so that taking an operation out of a sequence leaves the others meaningful.

use std::fmt;
use std::str::FromStr;

use nmr::Side;
use serde::{Deserialize, Serialize};

/// How many modules there are of each side.
pub const MODULES: u8 = 4;
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
