//! What the interpreter needs of the world: what threads share, who hears of what happens, and how a call of the
//! registrar is made.

use std::hash::Hash;

use super::shared::{AnyHandle, Contexts, Issued, PendingDetach, Which};
use super::task::{After, Foreign, Gate, On, Task};
use super::{Broken, Done, Function, Interpreter, Script};
use crate::event::{Call, Callback, Pair, RegId, Reply, Side, Thing, What};
use crate::milestone::Use;
use crate::permuted::ThreadNumber;

/// A callback that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenCallback {
    pub(crate) callback: Callback,
    /// What it will answer.
    pub(crate) reply: Reply,
    /// It is the second of two that come one right after the other.
    pub(crate) second: bool,
}

impl OpenCallback {
    /// The registration that is called.
    pub(super) const fn owner(&self) -> RegId {
        self.callback.pair.side(self.callback.side)
    }
}

/// See the [module's documentation](self).
pub(crate) trait Host: Sized {
    /// What only this host has to do.
    type Task: Copy;

    /// What a side of a binding gives out.
    type Attachment;

    /// What the thread has still to do, the next one last.
    fn tasks(&mut self) -> &mut Vec<Task<Self::Task>>;

    /// The scenario's number of the thread.
    fn thread(&self) -> ThreadNumber;

    /// Does what only this host has to do.
    fn carry_out(interpreter: &mut Interpreter<'_, Self>, task: Self::Task) -> Done;

    /// Others have come between.
    fn pass(&mut self, gate: Gate);

    /// Performs a script's operations, before anything else.
    fn perform(interpreter: &mut Interpreter<'_, Self>, script: Script) -> Done;

    /// Another thread goes first, if one can.
    fn yield_now(&mut self);

    /// What happened, for the oracle.
    fn record(&mut self, what: What) -> Done;

    /// The thread has come to something that threads share beside the registrar.
    fn come_to(&mut self, one: Use);

    /// Something came out that could have come out otherwise.
    fn saw(&mut self, outcome: impl Hash);

    /// The innermost callback of this stack.
    ///
    /// # Panics
    /// If there is none.
    fn callback(&mut self) -> &mut OpenCallback;

    /// A callback has begun.
    fn enter_callback(&mut self, callback: Callback);

    /// The innermost one ends, and will have answered.
    fn leave_callback(&mut self) -> OpenCallback;

    /// What comes before the end of a callback that has its answer.
    fn delay_end(interpreter: &mut Interpreter<'_, Self>);

    /// A callback has ended, and everybody has heard of it.
    fn has_ended(interpreter: &mut Interpreter<'_, Self>, callback: OpenCallback);

    /// Whose callback the thread is inside of, if of any: the innermost one.
    fn inside(&self) -> Option<RegId>;

    /// Whether the thread is inside the destructor of something of this kind that the registrar has let go of.
    fn is_destroying(&self, wanted: fn(Thing) -> bool) -> bool;

    /// A module is about to register, under this name.
    fn new_registration(&mut self, module: u8) -> RegId;

    /// Whether the memory of a registration context is freed.
    fn is_freed(&mut self, reg: RegId) -> bool;

    /// It is freed.
    fn free(&mut self, reg: RegId);

    /// The memory of binding contexts.
    fn contexts<R>(&mut self, how: impl FnOnce(&mut Contexts) -> R) -> R;

    /// The handles that were issued.
    fn issued<R>(&mut self, how: impl FnOnce(&mut Issued) -> R) -> R;

    /// The latest registration of a module.
    fn latest(&mut self, module: u8) -> Option<(RegId, AnyHandle)>;

    /// It is this one from now on.
    fn set_latest(&mut self, reg: RegId, handle: AnyHandle);

    /// The last binding of a module.
    fn last_binding(&mut self, module: u8) -> Option<(Pair, nmr::BindingHandle)>;

    /// It is this one from now on.
    fn set_last_binding(&mut self, module: u8, pair: Pair, binding: nmr::BindingHandle);

    /// A registration that a call has just answered is owned from now on.
    fn keep_owned(&mut self, reg: RegId, handle: AnyHandle);

    /// The latest registration of a module that is owned is owned no more: the next call is about it.
    fn take_owned(&mut self, module: u8) -> Option<(RegId, AnyHandle)>;

    /// A detach becomes pending.
    fn push_pending(&mut self, detach: PendingDetach);

    /// A pending detach, as soon as there is one; `None` once no thread will wait any more.
    fn next_pending(&mut self, which: Which) -> Option<PendingDetach>;

    /// The oldest pending detach of a module, if there is one now.
    fn try_pending(&mut self, module: u8) -> Option<PendingDetach>;

    /// A thread's wait for a module is over.
    fn has_waited(&mut self, module: u8);

    /// Takes one of so many places of a module's that counts its bindings; whether one was free.
    fn admit(&mut self, module: u8, places: u8) -> bool;

    /// It is free again.
    fn part(&mut self, module: u8);

    /// Waits until the event is set, or takes the lock.
    fn block(&mut self, on: On);

    /// An event is set.
    fn set(&mut self, event: u8);

    /// A lock is given back.
    fn unlock(&mut self, lock: u8);

    /// A module may call through a binding from now on.
    fn open_rundown(&mut self, module: u8, pair: Pair, binding: nmr::BindingHandle);

    /// It is closed to new calls, but by who `forgets` it where none runs; whether none runs.
    fn close_rundown(&mut self, module: u8, binding: nmr::BindingHandle, forgets: bool) -> bool;

    /// All open bindings of a module are entered; what is to be completed when one is left by the last.
    fn enter_rundowns(&mut self, module: u8, side: Side) -> Vec<PendingDetach>;

    /// One is left; whether this was the last call of a closed one.
    fn leave_rundown(&mut self, module: u8, binding: nmr::BindingHandle) -> bool;

    /// What a side gives out.
    fn attachment(&mut self, pair: Pair, side: Side) -> Self::Attachment;

    /// What a client gives out for a binding that there is not.
    fn no_attachment() -> Self::Attachment;

    /// The innermost callback will have handed this over.
    fn hand_over(&mut self, attachment: Self::Attachment);

    /// A module with null contexts is done with its side of a binding: what stands behind the context is let go of.
    fn let_go(interpreter: &mut Interpreter<'_, Self>, pair: Pair, side: Side);

    /// A call of the registrar is about to be made; what is done with its answer.
    fn open(&mut self, call: Call, function: Function<Self::Attachment>, after: After);

    /// The call that was opened last.
    fn opened(&mut self) -> Call;

    /// Runs code of a module in C; what that answers, if it is a callback.
    fn foreign(
        interpreter: &mut Interpreter<'_, Self>,
        foreign: Foreign,
    ) -> Result<Option<Reply>, Broken>;

    /// Makes it, or begins to.
    fn enter(interpreter: &mut Interpreter<'_, Self>) -> Done;
}
