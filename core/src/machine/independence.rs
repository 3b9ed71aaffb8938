//! Which sections commute with those of others, and how far things are: for searches of all orders of calls that
//! leave out what makes no difference.
//!
//! What is said here are claims about the sections of today. Nothing in the registrar depends on them; whoever uses
//! them has to try them out, for a change of the table may make one wrong.

use super::Call;
use super::call::{At, Then};
use crate::lent::Lent;
use crate::module::Detach;
use crate::npi::Side;
use crate::table::{Detaching, Returned, Table};

/// What other calls may do before a section, of which a claim has to know.
#[derive(Clone, Copy, Debug)]
pub struct Others {
    /// Whether somebody of a side may yet register, by side.
    pub may_register: [bool; 2],
}

impl<L: Lent> Call<L> {
    /// Whether the next section comes to the same before or after whatever other calls do meanwhile, and they come
    /// to the same whether it was before or after; to be asked of a call that has been resumed, or has not begun.
    ///
    /// Claimed for registrars without limits, whose registrations are each deregistered by one call and waited for
    /// by one, and whose pending detaches are each completed by one; and if what a wait waits for comes, the wait's
    /// next section follows right after.
    #[must_use]
    pub fn is_independent(&self, table: &Table<L>, others: Others) -> bool {
        match &self.at {
            // The binding is in the hands of this thread, and nobody looks how far it is.
            At::Asked(..) => true,
            // There is one waiter, and it goes on right after the section that wakes it.
            At::Wait(..) => true,
            At::Asleep(key) => table.is_over(*key),
            At::Made(Returned::Detach(key, side, answer)) => {
                let Some(sides) = table.detaching(*key) else {
                    return false;
                };
                let [own, other] = [sides[*side as usize], sides[side.peer() as usize]];
                // The same comes out whether the client's side is completed before or after.
                let provider_comes = *side == Side::Client && other == Detaching::ToCall;
                // And who is surely the last is alone with the binding.
                let complete = *answer == Detach::Complete || own == Detaching::CompletedEarly;
                provider_comes || complete && other == Detaching::Complete
            }
            At::Made(Returned::Attach(key, _)) => {
                // A door is closed already: it stays so.
                table.is_closing(*key) && (table.is_accepted(*key) || self.takes_nothing(table))
            }
            At::Made(Returned::CleanUp(_)) => self.takes_nothing(table),
            At::Attach(key) => {
                table.is_offered_to(*key, self.visit.thread) && table.is_closing(*key)
            }
            At::Complete(key, side) => {
                let Some(sides) = table.detaching(*key) else {
                    return false;
                };
                let pair = (sides[*side as usize], sides[side.peer() as usize]);
                matches!(
                    pair,
                    (
                        Detaching::Pending,
                        Detaching::Pending | Detaching::Calling | Detaching::Complete
                    ) | (Detaching::Calling, Detaching::ToCall | Detaching::Pending)
                )
            }
            At::Register { .. } => {
                let characteristics = self.brought.as_ref().expect("it has yet to begin");
                let peers = L::side(&characteristics.module).peer();
                let npi = L::npi(&characteristics.instance);
                !others.may_register[peers as usize] && !table.has_open(npi, peers)
            }
            At::Deregister(key, side) => {
                !others.may_register[side.peer() as usize] && table.has_only_leaving(*key)
            }
            At::Making(_)
            | At::Asking(_)
            | At::LettingGo(_)
            | At::Turning(..)
            | At::Dropping
            | At::Over => false,
        }
    }

    /// Whether what the call goes on with, when the binding at hand needs nothing more, takes nothing that others
    /// could take or close.
    #[must_use]
    pub fn takes_nothing(&self, table: &Table<L>) -> bool {
        let alone = match self.then {
            Then::Nothing => true,
            Then::TakeBack(_) => !self.panicked,
            Then::WaitAfterPanic(..) | Then::Wait(..) => false,
        };
        alone && table.has_nothing_for(self.visit.job)
    }
}
