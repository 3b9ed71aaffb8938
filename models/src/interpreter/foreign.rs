//! Modules in C: where their code runs instead of a script. How it is run is the host's matter.

use nmr::BindingHandle;

use super::host::Host;
use super::shared::PendingDetach;
use super::task::{ByName, Entry, Foreign, Piece, Task};
use super::{Done, Interpreter};
use crate::event::{Callback, Reply};
use crate::permuted::ModuleNumber;

/// Where their code runs.
impl<H: Host> Interpreter<'_, H> {
    pub(super) fn foreign(&mut self, foreign: Foreign) -> Done {
        let reply = H::foreign(self, foreign)?;
        match (foreign, reply) {
            (Foreign::Entry(ModuleNumber(module), Entry::Wait), _) => self.has_waited(module),
            (Foreign::Callback(binding), Some(reply)) => self.foreign_replies(reply, binding),
            _ => {}
        }
        Ok(())
    }

    fn foreign_replies(&mut self, reply: Reply, ByName(binding): ByName<Option<BindingHandle>>) {
        let Callback { pair, side, .. } = self.host.callback().callback;
        self.replies(reply);
        if let (Reply::Pending, Some(binding)) = (reply, binding) {
            let detach = PendingDetach {
                side,
                pair,
                binding,
            };
            self.gated(true, Task::Piece(Piece::Push(detach)));
        }
    }

    /// An operation on a module in C.
    pub(super) fn enter(&mut self, module: u8, entry: Entry) {
        self.then([Task::Foreign(Foreign::Entry(ModuleNumber(module), entry))]);
    }
}
