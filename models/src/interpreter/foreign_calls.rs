//! The calls of the registrar that modules in C make, and of their peers.

use nmr::{BindingHandle, Side};

use super::Interpreter;
use super::calls::Function;
use super::host::Host;
use super::ops::call;
use super::shared::AnyHandle;
use super::task::{After, Attempt};
use crate::event::{Call, Pair, RegId};
use crate::permuted::ModuleNumber;

impl<H: Host> Interpreter<'_, H> {
    /// A module registers; under which name.
    pub(crate) fn registers(&mut self, module: u8) -> RegId {
        self.register(module, false);
        match self.host.opened() {
            Call::Register { reg, .. } => reg,
            other => unreachable!("{other:?} is no register call"),
        }
    }

    pub(crate) fn deregisters(&mut self, module: u8, handle: AnyHandle) {
        let reg = self.host.issued(|issued| issued.registration(handle));
        self.deregister(reg, handle, After::Deregistered(ModuleNumber(module)));
    }

    pub(crate) fn waits(&mut self, module: u8, handle: AnyHandle) {
        let reg = self.host.issued(|issued| issued.registration(handle));
        let after = After::ForeignWaited(ModuleNumber(module), reg);
        self.open(Call::Wait(reg), Function::Wait(handle), after);
    }

    pub(crate) fn attaches(&mut self, binding: BindingHandle) {
        let pair = self.host.issued(|issued| issued.pair(binding));
        self.attach(pair, binding, Attempt::AtLarge);
    }

    /// A detach is completed; of which binding.
    pub(crate) fn completes_detach(&mut self, side: Side, binding: BindingHandle) -> Option<Pair> {
        let pair = self.host.issued(|issued| issued.pair(binding));
        self.detach_complete(side, pair, binding, After::Nothing);
        pair
    }

    /// A module calls its peer, which is none in C.
    pub(crate) fn calls_peer(&mut self, pair: Pair, by: Side) {
        self.then(call(pair, by));
    }
}
