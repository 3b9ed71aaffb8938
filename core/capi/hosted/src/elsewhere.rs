//! Systems on which nobody has made modules in C run yet: loading one is refused, and nothing else can be done.

use std::convert::Infallible;
use std::fs::File;
use std::io;

use nmr::Side;

use super::{Block, Entry, Handed, Host, Left, LoadError, Named, Registered};
use crate::abi::NTSTATUS;

/// A module that is loaded: there is none.
#[derive(Debug)]
pub struct Hosted(Infallible);

/// Nothing is printed by modules that there are not.
///
/// # Errors
/// Always.
pub fn take_stdout() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Hosted {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn load(_: &[u8], _: u8, _: u8, _: Box<dyn Host>) -> Result<&'static Self, LoadError> {
        Err(LoadError("modules in C are run on Linux only".to_owned()))
    }

    /// Of none.
    #[must_use]
    pub fn stack(&self) -> usize {
        match self.0 {}
    }

    /// Of none.
    #[must_use]
    pub fn peer_dispatch(&self) -> usize {
        match self.0 {}
    }

    /// Of none.
    pub fn reset(&self) {
        match self.0 {}
    }

    /// Of none.
    pub fn show(&self, _: &mut dyn FnMut(&[u8])) {
        match self.0 {}
    }

    /// Of none.
    #[must_use]
    pub fn block_at(&self, _: usize) -> Option<Block> {
        match self.0 {}
    }

    /// Of none.
    pub fn refuse_strangers(&self) {
        match self.0 {}
    }

    /// Of none.
    ///
    /// # Errors
    /// Never.
    pub fn call(&self, _: Entry) -> Result<NTSTATUS, Left> {
        match self.0 {}
    }

    /// Of none.
    #[must_use]
    pub fn has(&self, _: Entry) -> bool {
        match self.0 {}
    }

    /// Of none.
    ///
    /// # Errors
    /// Never.
    pub fn attach_provider(&self, _: Registered, _: u64, _: Named) -> Result<NTSTATUS, Left> {
        match self.0 {}
    }

    /// Of none.
    ///
    /// # Errors
    /// Never.
    pub fn attach_client(
        &self,
        _: Registered,
        _: u64,
        _: Named,
        _: Handed,
    ) -> Result<(NTSTATUS, Handed), Left> {
        match self.0 {}
    }

    /// Of none.
    ///
    /// # Errors
    /// Never.
    pub fn detach(&self, _: Side, _: Registered, _: usize) -> Result<NTSTATUS, Left> {
        match self.0 {}
    }

    /// Of none.
    ///
    /// # Errors
    /// Never.
    pub fn clean_up(&self, _: Side, _: Registered, _: usize) -> Result<(), Left> {
        match self.0 {}
    }
}
