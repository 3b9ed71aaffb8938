//! Modules in C inside of an explorer: a shared object with a client or provider module, made with `nmrex_module.h`, is loaded, and
//! its functions are called on whatever stack the caller runs on. What it calls of the registrar comes to a `Host`, which
//! knows executions; nothing here does.
//!
//! - **A fresh module for each execution** (`Hosted::reset`): its variables are put back to what they were when it was loaded, its
//!   allocated memory is taken away, and addresses begin anew. What it keeps elsewhere (libc, files, another library) stays;
//!   `Hosted::show` shows all of the former, and nothing of the latter. But for `errno`: it is 0 when the module is called, and
//!   no call out of it changes it, as if each of its calls were made on a thread of its own.
//! - **What it frees nobody reads any more**: each block has pages of its own. What is written there outside of the block is seen
//!   when the module calls the registrar, frees the block, or comes back.
//! - **A call comes back** (`Hosted::call`), also from a fault, an endless loop, and a jump over its caller.
//!
//! The table of functions is handed to the object: the process that loads it exports nothing. It is loaded by `dlopen` itself, and not
//! by a crate around it, for what else there is to do with it (its addresses, its pages) is libc's too.
//!
//! Of [`nmr-capi`](../../README.md) it has the types, what characteristics have to be like, and the status codes: the same files, for that
//! one is a shared library, of which there is one in a target folder. It is for the shuttle build, and empty in the others.
//!
//! # What is unsafe here, and why it is sound
//!
//! - **A module's structures and callbacks** are read and called as `nmr-capi` does, by the same promises.
//! - **Its code is run because somebody gives it to be run.** What it does to this process nobody can rule out; what it does to itself it
//!   comes back from.
//! - **Signals** end a module's code by a jump over frames of C, and do nothing else but look at numbers.
//! - **Pages** are those of the module's own variables and memory. No reference to them outlives a function, and none is there while its code runs.

#![cfg(shuttle)]

#[path = "../../src/abi.rs"]
pub mod abi;
#[cfg(target_os = "linux")]
#[path = "../../src/check.rs"]
mod check;
#[path = "../../src/status.rs"]
pub mod status;
#[cfg(target_os = "linux")]
#[path = "../../src/writable.rs"]
mod writable;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::fmt;

use nmr::Side;

use crate::abi::NTSTATUS;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Hosted, take_stdout};
#[cfg(target_os = "linux")]
pub use linux::{Hosted, take_stdout};

/// The stack of a module's functions, if it does not say how much it needs.
pub const STACK: usize = 256 << 10;

/// Why an object cannot be driven, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError(String);

impl std::error::Error for LoadError {}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One side's binding context and dispatch table, as addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Handed {
    /// The context.
    pub context: usize,
    /// The dispatch table.
    pub dispatch: usize,
}

/// What a module has registered, as addresses: its own, and valid until its deregistration is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Registered {
    characteristics: usize,
    instance: usize,
    context: usize,
}

impl Registered {
    /// Its registration context.
    #[must_use]
    pub const fn context(&self) -> usize {
        self.context
    }
}

/// A mistake of a module's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It registers something that is none; what is wrong with it.
    Registers(&'static str),
    /// It frees a block again.
    FreesTwice(Block),
    /// It frees what is no block, by its address.
    FreesNothing(usize),
    /// It has written outside of a block.
    Outside(Outside),
    /// It has jumped out of a function by which the registrar had called it.
    Jumped,
}

/// Why a function of a module did not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The system stopped it.
    Fault {
        /// By this signal.
        signal: &'static str,
        /// For this address, if for one.
        address: Option<usize>,
        /// The block that the address is in, or right behind.
        block: Option<Block>,
    },
    /// It needs more than this many bytes of stack.
    Overflow(usize),
    /// It was inside for this many seconds, and called nothing.
    Stuck(u32),
    /// It has jumped out of a function by which the registrar had called it.
    Jumped,
    /// It has come back, and has written outside of a block.
    Outside(Outside),
}

/// What a module is called for beside its callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// To register.
    Register,
    /// To deregister.
    Deregister,
    /// To wait for the end of that.
    Wait,
    /// To complete a pending detach, by its binding context.
    Complete(usize),
    /// To call its peers.
    Dispatch,
    /// A peer calls it, by its binding context.
    Called(usize),
}

/// Whoever runs the module: its calls come here, on the stack of the function that makes them, with the module's number. What these
/// functions panic with goes through the module's code to where that was called.
pub trait Host: Send + Sync {
    /// The module registers: the status, and the bits of the handle.
    fn register(&self, module: u8, side: Side, what: Registered) -> (NTSTATUS, Option<u64>);
    /// It deregisters.
    fn deregister(&self, module: u8, side: Side, handle: u64) -> NTSTATUS;
    /// It waits for the end of that.
    fn wait(&self, module: u8, side: Side, handle: u64) -> NTSTATUS;
    /// It completes a detach.
    fn complete(&self, module: u8, side: Side, binding: u64);
    /// It attaches, and hands this over; what the provider hands over.
    ///
    /// # Errors
    /// It is not attached, by this status.
    fn attach(&self, module: u8, binding: u64, own: Handed) -> Result<Handed, NTSTATUS>;
    /// It calls a peer that is no module in C, by the context that it was handed.
    fn call_peer(&self, module: u8, context: usize);
    /// It has made a mistake.
    fn mistaken(&self, module: u8, mistake: &Mistake);
    /// It does something that cannot be driven.
    fn refuse(&self, module: u8, why: &str);
}

/// A peer, as a module is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A module in C, by what it has registered.
    Registered(Registered),
    /// Another one, by its number.
    Number(u8),
}

/// A block of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its address.
    pub address: usize,
    /// How many bytes were asked for.
    pub size: usize,
    /// Whether it was freed.
    pub is_freed: bool,
}

/// A byte that was written next to a block of memory, and not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The block.
    pub block: Block,
    /// Which byte, from the block's address on: one before it is negative.
    pub byte: i64,
}
