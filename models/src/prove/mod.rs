//! All programs up to a size, exhausted one after the other: what `nmr prove` does.
//!
//! The named scenarios are a list that somebody thought of. A [`Size`] is a set of bounds, and its [`Space`] every
//! program within them: modules that register on some interfaces, threads with operations on them, and what the
//! callbacks do. A [`Prover`] exhausts each of them; [`run`] goes over all, on several threads and machines.
//! That is the small scope hypothesis (Jackson, "Software Abstractions", 2006) put to use: what is wrong shows
//! in a small program, so look at all of these. It proves nothing of larger ones.
//!
//! # Which programs there are
//!
//! A program is well formed: each of its modules is registered by some thread; no thread uses a module before it
//! can have been registered (by itself, or in a race by another one); and nobody waits for what no thread
//! deregisters. What has to be around it so that it ends, `frame.rs` adds.
//!
//! Programs that are the same up to a renaming of the modules of a side, of the interfaces, or of the threads are
//! one. Nothing in the registrar depends on these names: modules are opaque to it, interfaces are compared, threads
//! are only told apart.
//!
//! Left out is what differs only in what cannot matter:
//!
//! - **What a callback does that is never called.** Never called are, if the registrar keeps its contract: all
//!   callbacks of a module that can meet no peer (C1; and C6 if one thread registers both, one after the end of the
//!   other); the provider's attach callback where no client attaches (C3); detach and cleanup callbacks where no binding
//!   comes about (C4, C5, C7, C9). If the registrar does call one of these, then it does so in the program where it is
//!   plain as well, and the oracle judges that call itself to be wrong.
//! - **Threads without operations**: they take no step.
//! - **Operations that can do nothing**: a call through dispatch tables by a client that is never attached, trying to
//!   complete what is never pending, completing again where there was never a binding. The program without them is
//!   there.
//! - **A rundown that nobody enters**: it answers complete at once, as a plain detach callback does.
//! - **Limits that nothing can reach**: as many registrations, bindings or reservations of memory as a program can come
//!   to at most are as good as no limit.
//! - **Waiting in a callback for anything but the own module**, and for that where it registers more than once: such a wait can
//!   be a deadlock of the program's own making. The wait for oneself the registrar has to refuse (C15).
//! - **A provider that calls its client too early**: unless its own thread has registered both before, the client may not have
//!   attached yet, which is the provider's own mistake (C3).
//! - **One binding at a time where there is never another one**: it is a plain module.
//! - **An owner that registers twice**, or whose detaches pend: see `callable.rs`. A module is an owner's if and only if something is done to it that owners do.
//! - **Completing by hand what a rundown completes**: a mistake of the module's own, while calls run (C9).
//!
//! *Not* left out are programs that fall into parts without a common interface, though each part is a program of its
//! own: that interfaces do not affect each other is a rule (C1), which these programs are there to check. Nor is what
//! the registrar refuses: waits before a deregister, deregistering twice.

mod act;
mod behaviours;
mod callable;
mod cast;
pub mod checkpoint;
pub mod engine;
mod facts;
mod frame;
mod program;
mod prover;
pub mod report;
pub mod run;
pub mod session;
pub mod shrink;
mod size;
mod skeletons;
mod space;
#[cfg(test)]
mod tests;
mod totals;

pub use act::{Act, Verb};
pub use program::{Behaviour, Called, Inside, Manner, Member, Program};
pub use prover::{Outcome, Proved, Prover, Violation};
pub use size::Size;
pub use space::Space;
pub use totals::Totals;
