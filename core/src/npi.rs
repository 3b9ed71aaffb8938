//! Names and characteristics: what a module says of itself when it registers.

use std::fmt;

/// The name of a Network Programming Interface: Windows' NPIID, a GUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NpiId(pub u128);

/// The name of a module: Windows' `NPI_MODULEID`, a GUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ModuleId(pub u128);

impl NpiId {
    /// The nil GUID. It names no interface: registering with it answers `InvalidParameter`.
    pub const NIL: Self = Self(0);
}

fn write_guid(f: &mut fmt::Formatter<'_>, value: u128) -> fmt::Result {
    let (a, b, c) = (value >> 96, (value >> 80) & 0xffff, (value >> 64) & 0xffff);
    let (d, e) = ((value >> 48) & 0xffff, value & 0xffff_ffff_ffff);
    write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}

impl fmt::Display for NpiId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_guid(f, self.0)
    }
}

impl fmt::Debug for NpiId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_guid(f, self.0)
    }
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_guid(f, self.0)
    }
}

impl fmt::Debug for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_guid(f, self.0)
    }
}

/// What one registration says of itself to the modules of the other side: Windows'
/// `NPI_REGISTRATION_INSTANCE`.
///
/// It is shared, never copied: the registrar holds a reference from the register call to the end of
/// the deregistration (C11).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RegistrationInstance {
    /// The interface that the module consumes or implements; only equal ones are attached (C1).
    pub npi: NpiId,
    /// The module.
    pub module: ModuleId,
    /// Which of the module's implementations of the interface this is.
    pub number: u32,
    /// Data that the interface's own definition gives a meaning; opaque to the registrar.
    pub npi_specific: Box<[u8]>,
}

impl RegistrationInstance {
    /// An instance of `npi` for `module`, number 0, without interface-specific data.
    #[must_use]
    pub fn new(npi: NpiId, module: ModuleId) -> Self {
        Self {
            npi,
            module,
            ..Self::default()
        }
    }
}

/// The two sides of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The side that consumes the interface.
    Client,
    /// The side that implements it.
    Provider,
}

impl Side {
    /// Both sides, in the order in which the registrar asks them to detach and to clean up.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Provider];

    /// The other side.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Provider,
            Self::Provider => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Provider => "provider",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_written_in_groups() {
        let npi = NpiId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(npi.to_string(), "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(format!("{npi:?}"), npi.to_string());
        let module = ModuleId(npi.0);
        assert_eq!(module.to_string(), npi.to_string());
        assert_eq!(format!("{module:?}"), npi.to_string());
    }

    #[test]
    fn sides_are_written_as_words() {
        let words = [Side::Client, Side::Provider].map(|side| side.to_string());
        assert_eq!(words, ["client", "provider"]);
    }
}
