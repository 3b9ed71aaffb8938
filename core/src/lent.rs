//! What modules lend to a registrar, which holds it and never looks into it.
//!
//! The table and the calls are the same whatever that is: shared references to real modules and contexts under
//! [`Registrar`](crate::Registrar), or plain values where there are no threads and nobody is called, as in a
//! simulator or a checker. Drops are not seen from here: they are whoever drives a call's.

use std::fmt::Debug;
use std::hash::Hash;

use crate::npi::{NpiId, Side};

/// The types of what a registrar holds for its modules.
///
/// A value is cloned where the registrar needs it outside a critical section, and moved where it is done with it.
/// The supertraits serve derived implementations; the type itself has no values.
pub trait Lent: Clone + Debug + 'static {
    /// A module: whom to call, its registration context.
    type Module: Clone;
    /// What a module says of itself to its peers.
    type Instance: Clone;
    /// What one side remembers about a binding.
    type Context: Clone;
    /// Who makes a call. Two callers at the same time are different.
    type Thread: Copy + Eq + Hash + Debug;
    /// What a registration is known by in [hashes](Hash) of a table, whatever its place there.
    type Name: Clone + Hash;

    /// The side on which a module registers.
    fn side(module: &Self::Module) -> Side;
    /// The interface for which it registers.
    fn npi(instance: &Self::Instance) -> NpiId;
    /// Whether a context is a null one. The registrar treats it like any other (C7); hashes tell it apart.
    fn is_null(context: &Self::Context) -> bool;
    /// The name of a registration that is being made.
    fn name(module: &Self::Module) -> Self::Name;
}
