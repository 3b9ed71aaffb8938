//! The status values of the Windows functions that appear in this API.

use std::fmt;

/// An NTSTATUS value.
///
/// A module that declines an attachment gives one as its reason; a deregister call answers
/// [`Status::PENDING`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u32);

impl Status {
    /// STATUS_SUCCESS.
    pub const SUCCESS: Self = Self(0);
    /// STATUS_PENDING: what a deregister call always answers, also when nothing is left to detach.
    pub const PENDING: Self = Self(0x0000_0103);
    /// STATUS_INVALID_PARAMETER.
    pub const INVALID_PARAMETER: Self = Self(0xC000_000D);
    /// STATUS_INSUFFICIENT_RESOURCES.
    pub const INSUFFICIENT_RESOURCES: Self = Self(0xC000_009A);
    /// STATUS_NOINTERFACE: the usual reason to decline, and the answer of a closing door (C6).
    pub const NOINTERFACE: Self = Self(0xC000_02B9);
    /// STATUS_INVALID_DEVICE_STATE.
    pub const INVALID_DEVICE_STATE: Self = Self(0xC000_0184);
    /// STATUS_POSSIBLE_DEADLOCK.
    pub const POSSIBLE_DEADLOCK: Self = Self(0xC000_0194);
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::SUCCESS => "STATUS_SUCCESS",
            Self::PENDING => "STATUS_PENDING",
            Self::INVALID_PARAMETER => "STATUS_INVALID_PARAMETER",
            Self::INSUFFICIENT_RESOURCES => "STATUS_INSUFFICIENT_RESOURCES",
            Self::NOINTERFACE => "STATUS_NOINTERFACE",
            Self::INVALID_DEVICE_STATE => "STATUS_INVALID_DEVICE_STATE",
            Self::POSSIBLE_DEADLOCK => "STATUS_POSSIBLE_DEADLOCK",
            Self(value) => return write!(f, "status 0x{value:08X}"),
        };
        f.write_str(name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
