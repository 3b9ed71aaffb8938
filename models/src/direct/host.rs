//! A state as what an [interpreter](crate::interpreter) runs on: what threads share is in it, and a stack is left at each
//! gate, so that nothing here ever waits.

use std::hash::Hash;

use nmr::machine::Act;
use nmr::{BindingHandle, Side};

use super::state::OpenCall;
use super::step::Step;
use super::task::{Driven, Task};
use crate::event::{Call, Callback, CallbackKind, Pair, RegId, Reply, Thing, What};
use crate::interpreter::{
    After, AnyHandle, Broken, Context, Contexts, Done, Foreign, Function, Gate, Host, Interpreter,
    Issued, On, OpenCallback, PendingDetach, Script, Which, admit,
};
use crate::milestone::{Milestone, Use};
use crate::permuted::ThreadNumber;

impl Host for Step<'_> {
    type Task = Driven;
    type Attachment = Context;

    fn tasks(&mut self) -> &mut Vec<Task> {
        &mut self.me().tasks
    }

    fn thread(&self) -> ThreadNumber {
        ThreadNumber(self.number)
    }

    fn carry_out(interpreter: &mut Interpreter<'_, Self>, task: Driven) -> Done {
        match task {
            Driven::Woken => unreachable!("a step ends there"),
            Driven::Ops(script, index) => interpreter.perform_from(script, index),
            Driven::Section => interpreter.section(),
            Driven::Make => return interpreter.make(),
            Driven::Return => return interpreter.returns(),
            Driven::Drop(thing) => return interpreter.drop(thing),
            Driven::Destroyed(_) => return interpreter.host.record(What::Destroyed),
            Driven::CleanUp(second) => return interpreter.clean_up(second),
        }
        Ok(())
    }

    fn pass(&mut self, _: Gate) {
        unreachable!("a step ends there")
    }

    fn perform(interpreter: &mut Interpreter<'_, Self>, script: Script) -> Done {
        interpreter.perform_from(script, 0);
        Ok(())
    }

    /// Others go whenever they can.
    fn yield_now(&mut self) {}

    fn record(&mut self, what: What) -> Done {
        self.record_of(Some(self.number), what)
    }

    fn come_to(&mut self, one: Use) {
        self.passes(Milestone::Shared(one));
    }

    fn saw(&mut self, outcome: impl Hash) {
        self.program.saw(outcome);
    }

    fn callback(&mut self) -> &mut OpenCallback {
        let open = self.me().callbacks.last_mut();
        open.expect("the thread is inside a callback")
    }

    fn enter_callback(&mut self, callback: Callback) {
        self.me().callbacks.push(OpenCallback {
            callback,
            reply: Reply::Success,
            second: false,
        });
    }

    fn leave_callback(&mut self) -> OpenCallback {
        let open = self.me().callbacks.pop();
        open.expect("the thread is inside a callback")
    }

    /// The two cleanups of a binding come one right after the other.
    fn delay_end(interpreter: &mut Interpreter<'_, Self>) {
        if !interpreter.host.callback().second {
            interpreter.then([Task::Gate(Gate::Lingering)]);
        }
    }

    fn has_ended(interpreter: &mut Interpreter<'_, Self>, open: OpenCallback) {
        if open.reply == Reply::Panicked {
            interpreter.host.open_call().panicked = true;
        }
        let Callback { kind, side, pair } = open.callback;
        if kind != CallbackKind::Cleanup {
            let outcome = interpreter.host.program.outcome(&open);
            return interpreter.resume(outcome);
        }
        interpreter.then([Task::Host(Driven::CleanUp(side == Side::Client))]);
        if !interpreter.script(pair.side(side)).null_context {
            interpreter.lets_go(Thing::Context { pair, side });
        }
    }

    fn inside(&self) -> Option<RegId> {
        let callbacks = &self.state.threads[usize::from(self.number)].callbacks;
        let innermost = callbacks.last().map(|open| open.callback);
        innermost.map(|callback| callback.pair.side(callback.side))
    }

    fn is_destroying(&self, wanted: fn(Thing) -> bool) -> bool {
        let tasks = &self.state.threads[usize::from(self.number)].tasks;
        tasks
            .iter()
            .any(|task| matches!(task, Task::Host(Driven::Destroyed(thing)) if wanted(*thing)))
    }

    fn new_registration(&mut self, module: u8) -> RegId {
        let registrations = &mut self.module(module).registrations;
        let nth = *registrations;
        *registrations = (nth.checked_add(1)).expect("a module registers at most 255 times");
        RegId { module, nth }
    }

    fn is_freed(&mut self, reg: RegId) -> bool {
        self.has_freed(reg)
    }

    fn free(&mut self, reg: RegId) {
        self.module(reg.module).freed.push(reg);
    }

    fn contexts<R>(&mut self, how: impl FnOnce(&mut Contexts) -> R) -> R {
        how(&mut self.state.shared.contexts)
    }

    fn issued<R>(&mut self, how: impl FnOnce(&mut Issued) -> R) -> R {
        how(&mut self.state.shared.issued)
    }

    fn latest(&mut self, module: u8) -> Option<(RegId, AnyHandle)> {
        self.module(module).latest
    }

    fn set_latest(&mut self, reg: RegId, handle: AnyHandle) {
        self.module(reg.module).latest = Some((reg, handle));
    }

    fn last_binding(&mut self, module: u8) -> Option<(Pair, BindingHandle)> {
        self.module(module).last_binding
    }

    fn set_last_binding(&mut self, module: u8, pair: Pair, binding: BindingHandle) {
        self.module(module).last_binding = Some((pair, binding));
    }

    fn keep_owned(&mut self, reg: RegId, handle: AnyHandle) {
        self.module(reg.module).owned.push((reg, handle));
    }

    fn take_owned(&mut self, module: u8) -> Option<(RegId, AnyHandle)> {
        self.module(module).owned.pop()
    }

    fn push_pending(&mut self, detach: PendingDetach) {
        self.state.shared.pending.push(detach);
    }

    fn next_pending(&mut self, _: Which) -> Option<PendingDetach> {
        unreachable!("a step ends there")
    }

    fn try_pending(&mut self, module: u8) -> Option<PendingDetach> {
        let pending = &mut self.state.shared.pending;
        let place = pending.candidates(Which::OldestOf(module)).next();
        place.map(|place| pending.remove(place))
    }

    fn has_waited(&mut self, module: u8) {
        self.state.shared.pending.has_waited(module);
    }

    fn admit(&mut self, module: u8, places: u8) -> bool {
        admit(&mut self.module(module).taken, places)
    }

    fn part(&mut self, module: u8) {
        self.module(module).taken -= 1;
    }

    /// It goes on only if it can.
    fn block(&mut self, on: On) {
        if let On::Lock(lock) = on {
            let thread = self.thread();
            self.state.shared.locks[usize::from(lock)] = Some(thread);
        }
    }

    fn set(&mut self, event: u8) {
        self.state.shared.events[usize::from(event)] = true;
    }

    fn unlock(&mut self, lock: u8) {
        self.state.shared.locks[usize::from(lock)] = None;
    }

    fn open_rundown(&mut self, module: u8, pair: Pair, binding: BindingHandle) {
        self.module(module).rundown.open(pair, binding);
    }

    fn close_rundown(&mut self, module: u8, binding: BindingHandle, forgets: bool) -> bool {
        let rundown = &mut self.module(module).rundown;
        match forgets {
            true => rundown.close_if_called(binding),
            false => rundown.close(binding),
        }
    }

    fn enter_rundowns(&mut self, module: u8, side: Side) -> Vec<PendingDetach> {
        self.module(module).rundown.enter_all(side)
    }

    fn leave_rundown(&mut self, module: u8, binding: BindingHandle) -> bool {
        self.module(module).rundown.leave(binding)
    }

    /// A null context cannot be seen to be dropped; the module keeps what stands behind it.
    fn attachment(&mut self, pair: Pair, side: Side) -> Context {
        let module = usize::from(pair.side(side).module);
        if self.program.prepared.scenario.modules[module].null_context {
            self.state.shared.kept.push((pair, side));
            Context::Null
        } else {
            Context::Of(pair, side)
        }
    }

    fn no_attachment() -> Context {
        Context::Null
    }

    /// It follows from whose it is.
    fn hand_over(&mut self, _: Context) {}

    fn let_go(interpreter: &mut Interpreter<'_, Self>, pair: Pair, side: Side) {
        let kept = &mut interpreter.host.state.shared.kept;
        if let Some(index) = kept.iter().position(|&it| it == (pair, side)) {
            kept.swap_remove(index);
            interpreter.lets_go(Thing::Context { pair, side });
        }
    }

    fn foreign(
        interpreter: &mut Interpreter<'_, Self>,
        foreign: Foreign,
    ) -> Result<Option<Reply>, Broken> {
        let thread = interpreter.host.number;
        unreachable!(
            "thread {thread} comes to {foreign:?}: a scenario with modules in C is refused here"
        )
    }

    fn open(&mut self, what: Call, function: Function<Context>, after: After) {
        let client = match function {
            Function::Attach(_, context) => Some(context),
            _ => None,
        };
        let call = self.call(what, function);
        self.me().calls.push(OpenCall {
            what,
            call,
            act: Act::Return,
            client,
            after,
            panicked: false,
        });
    }

    fn opened(&mut self) -> Call {
        self.open_call().what
    }

    fn enter(interpreter: &mut Interpreter<'_, Self>) -> Done {
        match &interpreter.host.open_call().call {
            Some(call) if call.answer().is_none() => {
                interpreter.then([Task::Host(Driven::Section)]);
            }
            _ => interpreter.over(),
        }
        Ok(())
    }
}
