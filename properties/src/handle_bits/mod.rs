//! Random handles: any 96 bits may be passed for a handle, and those that name nothing are answered
//! `InvalidParameter` with no effect (C12).
//!
//! A case is a sequence of operations, which leaves the registrar with live, detaching and dead
//! registrations and bindings, and then *probes*: calls with a handle that was seen before, changed
//! in some of its bits. Bits that happen to name something are held to what the specification says
//! of that handle; all others must be refused, call nobody, and leave everything as it was, which
//! the shutdown after the last probe shows. What happens between threads is not looked at.

mod generate;
mod run;

use std::fmt;

use nmr_models::scenario::Limits;
use serde::{Deserialize, Serialize};

use crate::sequential::Op;
use crate::sequential::handle_ref::HandleRef;
use crate::sequential::ops::{Function, is_default};

pub use generate::cases;
pub use run::{Doctor, Failure, Stopped, faithful, replay_text, run, run_with, search};

/// What a case file of this module says in its `kind` field.
pub const KIND: &str = "handle-bits";

/// A case file: operations, then probes, and what was wrong when it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// [`KIND`].
    pub kind: String,
    /// The difference that the case showed when it was saved; empty for one written by hand.
    #[serde(default)]
    pub found: String,
    /// As in a [sequential](crate::sequential::Case) case.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// The operations before the first probe.
    #[serde(default, rename = "op", skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Op>,
    /// The probes, in order. They are made only if the operations were issued a handle.
    #[serde(default, rename = "probe", skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
}

/// One call with made-up bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The function.
    pub call: Function,
    /// The handle whose bits are changed; without one, all bits are zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<HandleRef>,
    /// The bits that are flipped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flip: Mask,
    /// The bits of the registrar's number that are flipped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub registrar: u32,
}

/// 64 bits, written in hexadecimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mask(pub u64);

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

impl From<Mask> for String {
    fn from(mask: Mask) -> Self {
        mask.to_string()
    }
}

impl TryFrom<String> for Mask {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix("0x");
        digits
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no mask: expected 64 bits as `0x` and digits"))
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with ", self.call.name())?;
        match self.handle {
            Some(handle) => write!(f, "{handle}")?,
            None => f.write_str("zero")?,
        }
        if self.flip != Mask::default() {
            write!(f, ", bits {} flipped", self.flip)?;
        }
        if self.registrar != 0 {
            write!(f, ", bits {:#x} of the registrar flipped", self.registrar)?;
        }
        Ok(())
    }
}
