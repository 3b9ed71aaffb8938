//! What scripted modules lend to a registrar where there are no threads: plain values that say whose they are.

use nmr::machine::Lent;
use nmr::{NpiId, Side};

use crate::event::RegId;
use crate::interpreter::{Context, npi_id};
use crate::permuted::ThreadNumber;

/// See [`Lent`].
#[derive(Clone, Debug)]
pub(crate) enum Plain {}

/// A module, by one of its registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) reg: RegId,
    pub(crate) side: Side,
}

/// What it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) reg: RegId,
    /// The scenario's number of the interface.
    pub(crate) npi: u8,
}

impl Lent for Plain {
    type Module = Module;
    type Instance = Instance;
    type Context = Context;
    type Thread = ThreadNumber;
    type Name = RegId;

    fn side(module: &Module) -> Side {
        module.side
    }

    fn npi(instance: &Instance) -> NpiId {
        npi_id(instance.npi)
    }

    fn is_null(context: &Context) -> bool {
        *context == Context::Null
    }

    fn name(module: &Module) -> RegId {
        module.reg
    }
}
