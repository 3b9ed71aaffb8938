//! A thread as what an [interpreter](crate::interpreter) runs on: a call of the registrar blocks, and what a thread does inside
//! of a callback is a frame of its own, on the thread's stack.
//!
//! What threads share is behind locks, at which others may come between by themselves. Only where nothing is
//! shared does a gate say so.

use std::hash::Hash;
use std::mem::ManuallyDrop;
use std::panic::resume_unwind;
use std::sync::Arc;

use nmr::{Attachment, BindingContext, BindingHandle, Dispatch, Offer, Side, Status};
use nmr_sync::{Mutex, Remembered, forget, learn, linger, remember, thread, touch};

use super::calls::{Kept, Made, Opened};
#[cfg(shuttle)]
use super::foreign_module;
use super::identity::{MEMORIES, MEMORY, OWNED, key};
use super::module::{Handed, Token};
use super::shared::{Memory, change};
use super::{Place, Run, recorder};
use crate::event::{Answer, Call, Callback, CallbackKind, Deed, Pair, RegId, Reply, Thing, What};
use crate::interpreter::{
    After, AnyHandle, Broken, Contexts, Done, Foreign, Function, Gate, Host, Interpreter, Issued,
    On, OpenCallback, PendingDetach, Returned, Script, Task, Which, admit,
};
use crate::invisible::lock;
use crate::milestone::{Milestone, Use};
use crate::permuted::ThreadNumber;

/// What a thread performs at a time: an operation of its own, or a callback, or a destructor.
pub(super) struct Frame<'a> {
    pub(super) run: &'a Arc<Run>,
    pub(super) thread: u8,
    tasks: Vec<Task<Own>>,
    callback: Option<OpenCallback>,
    /// Whether the callback that begins comes right after the first of the two cleanups of its binding.
    is_second: bool,
    /// What the thread knew when the callback began.
    remembered: Option<Remembered>,
    /// What a client's attach callback is given.
    pub(super) offer: Option<Offer<'a>>,
    /// What a provider's attach callback hands over.
    pub(super) attachment: Option<Attachment>,
    /// With what its provider refused a client.
    pub(super) refusal: Option<Status>,
    /// What a module in C hands over.
    pub(super) handed: Option<Handed>,
    /// What it is handed by its peer.
    pub(super) peer: Option<Handed>,
    /// What came of the last call.
    pub(super) returned: Option<Returned>,
    opened: Option<(Call, After, Opened<'a>)>,
    /// An owned registration that the next call is about, or the last one gave. Not to be dropped by itself: that
    /// would call the registrar.
    pub(super) kept: Option<ManuallyDrop<Kept>>,
    /// It has completed a pending detach.
    has_completed: bool,
}

/// What a frame has to do beside the interpreter's tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// The callback has its answer, and what came before it is forgotten.
    Answered,
}

impl Run {
    /// A frame of the calling thread.
    pub(super) fn frame<'a>(self: &'a Arc<Self>) -> Interpreter<'a, Frame<'a>> {
        let frame = Frame {
            run: self,
            thread: self.number(),
            tasks: Vec::new(),
            callback: None,
            is_second: false,
            remembered: None,
            offer: None,
            attachment: None,
            refusal: None,
            handed: None,
            peer: None,
            returned: None,
            opened: None,
            kept: None,
            has_completed: false,
        };
        Interpreter {
            prepared: &self.prepared,
            host: frame,
        }
    }

    /// Performs a script's operations, each of which is followed by `done`, given its index.
    pub(super) fn perform_each(self: &Arc<Self>, script: Script, done: impl Fn(usize)) {
        if self.prepared.ops(script).is_empty() {
            return;
        }
        let mut frame = self.frame();
        let performed = frame.perform_each(script, done);
        frame.host.run.stop_at(performed);
    }

    /// A thread stops at what breaks a rule.
    pub(super) fn stop_at(&self, done: Done) {
        if let Err(broken) = done {
            self.violated(broken.rule, broken.message);
            // Something was found before.
            resume_unwind(Box::new(recorder::Stop));
        }
    }
}

impl<'a> Interpreter<'_, Frame<'a>> {
    fn perform_each(&mut self, script: Script, done: impl Fn(usize)) -> Done {
        let (run, thread) = (self.host.run, self.host.thread);
        let depth = self.host.tasks.len();
        for index in 0..self.prepared.ops(script).len() {
            lock(&run.reached).enter(thread, script, index);
            self.then([Task::Op(script, index as u8)]);
            self.go_on(depth)?;
            lock(&run.reached).leave(thread);
            done(index);
        }
        Ok(())
    }

    /// Does what there is to do, but for what lies below.
    fn go_on(&mut self, depth: usize) -> Done {
        while self.host.tasks.len() > depth {
            let task = self.host.tasks.pop();
            self.carry_out(task.expect("there is one"))?;
        }
        Ok(())
    }

    /// Does all that there is to do.
    #[cfg(shuttle)]
    pub(super) fn go_on_to_the_end(&mut self) {
        let done = self.go_on(0);
        self.host.run.stop_at(done);
    }

    /// What a binding's handle was issued for.
    #[cfg(shuttle)]
    pub(super) fn pair_of(&mut self, binding: BindingHandle) -> Option<Pair> {
        self.host.issued(|issued| issued.pair(binding))
    }

    /// Runs a callback that has begun to its end; what it answers.
    pub(super) fn answer(&mut self) -> Reply {
        self.host.remembered = Some(remember());
        let done = self.go_on(0);
        self.host.run.stop_at(done);
        let callback = self.host.callback.take();
        callback.expect("it runs").reply
    }
}

impl Frame<'_> {
    /// The callback that it is.
    #[cfg(shuttle)]
    pub(super) fn open_callback(&self) -> OpenCallback {
        self.callback.expect("it is a callback's frame")
    }

    /// What it does with the places of a module that counts its bindings.
    fn taken<R: Hash>(&self, module: u8, how: impl FnOnce(&mut u8) -> R) -> R {
        let taken = self.run.modules[usize::from(module)].taken.as_ref();
        change(taken.expect("it counts them"), how)
    }

    /// What the last call gave, or the next one is about.
    pub(super) fn take_kept(&mut self) -> ManuallyDrop<Kept> {
        self.kept.take().expect("it was taken or given")
    }
}

/// The two cleanups of a binding come one right after the other.
fn is_second(last: Callback, callback: Callback) -> bool {
    (last.kind, last.side) == (CallbackKind::Cleanup, Side::Client) && last.pair == callback.pair
}

impl<'a> Host for Frame<'a> {
    type Task = Own;
    type Attachment = Attachment;

    fn tasks(&mut self) -> &mut Vec<Task<Own>> {
        &mut self.tasks
    }

    fn thread(&self) -> ThreadNumber {
        ThreadNumber(self.thread)
    }

    fn carry_out(interpreter: &mut Interpreter<'_, Self>, task: Own) -> Done {
        match task {
            Own::Answered => {
                let reply = interpreter.host.callback().reply;
                let answer = (reply != Reply::Panicked).then_some(reply);
                let remembered = interpreter.host.remembered.as_ref();
                remembered.expect("a callback runs").and(&answer);
            }
        }
        Ok(())
    }

    fn pass(&mut self, gate: Gate) {
        match gate {
            Gate::Lingering => linger(),
            Gate::Shared => {}
        }
    }

    fn perform(interpreter: &mut Interpreter<'_, Self>, script: Script) -> Done {
        let remembered = remember();
        interpreter.perform_each(script, |index| remembered.and(&index))
    }

    fn yield_now(&mut self) {
        thread::yield_now();
    }

    fn record(&mut self, what: What) -> Done {
        match what {
            What::Begin(callback) => {
                let about = callback.pair.registrations();
                let last = self.run.comes(self.thread, about);
                self.is_second = last.is_some_and(|last| is_second(last, callback));
            }
            What::Call(call) => drop(self.run.comes(self.thread, call.registrations())),
            What::DispatchBegin { pair, .. } | What::DispatchEnd { pair, .. } => {
                self.run.comes(self.thread, pair.registrations());
            }
            What::Did(Deed::Unload(module)) => {
                touch(MEMORIES | u32::from(module));
                let registered = lock(&self.run.modules[usize::from(module)].memories).len() as u8;
                let about = (0..registered).map(|nth| RegId { module, nth });
                self.run.comes(self.thread, about);
            }
            _ => {}
        }
        let is_ordered = matches!(
            what,
            What::Call(_) | What::Return(_) | What::Did(Deed::Unload(_))
        );
        let unloads = self.run.unloads.as_ref().filter(|_| is_ordered);
        drop(unloads.map(Mutex::lock));
        self.run.record(what);
        Ok(())
    }

    fn come_to(&mut self, one: Use) {
        self.run.passes(Milestone::Shared(one));
    }

    fn saw(&mut self, outcome: impl Hash) {
        self.run.came(outcome);
    }

    fn callback(&mut self) -> &mut OpenCallback {
        self.callback.as_mut().expect("it is a callback's frame")
    }

    fn enter_callback(&mut self, callback: Callback) {
        lock(&self.run.inside).push((self.thread, callback));
        self.callback = Some(OpenCallback {
            callback,
            reply: Reply::Success,
            second: self.is_second,
        });
    }

    fn leave_callback(&mut self) -> OpenCallback {
        let open = *self.callback();
        let (run, thread) = (self.run, self.thread);
        run.comes(thread, open.callback.pair.registrations());
        run.leave_callback(thread);
        lock(&run.last).push((thread, open.callback));
        open
    }

    /// A callback takes its time. To whoever judges it, it goes on as long as it may: whatever must not happen before
    /// its end must not happen before a later one.
    fn delay_end(interpreter: &mut Interpreter<'_, Self>) {
        if !interpreter.host.callback().second {
            interpreter.then([Task::Gate(Gate::Lingering)]);
        }
        interpreter.then([Task::Host(Own::Answered)]);
    }

    fn has_ended(interpreter: &mut Interpreter<'_, Self>, open: OpenCallback) {
        if open.reply == Reply::Panicked {
            *lock(&interpreter.host.run.unwinding) += 1;
        }
    }

    fn inside(&self) -> Option<RegId> {
        let inside = lock(&self.run.inside);
        let mut innermost = inside.iter().rev();
        let innermost = innermost.find(|&&(other, _)| other == self.thread);
        innermost.map(|&(_, callback)| callback.pair.side(callback.side))
    }

    fn is_destroying(&self, wanted: fn(Thing) -> bool) -> bool {
        let destroying = lock(&self.run.destroying);
        destroying
            .iter()
            .any(|&(other, thing)| other == self.thread && wanted(thing))
    }

    fn new_registration(&mut self, module: u8) -> RegId {
        touch(MEMORIES | u32::from(module));
        let mut memories = lock(&self.run.modules[usize::from(module)].memories);
        let nth = u8::try_from(memories.len());
        let nth = nth.expect("a module registers at most 255 times");
        let reg = RegId { module, nth };
        memories.push(Arc::new(Memory::new(MEMORY | key(reg))));
        reg
    }

    fn is_freed(&mut self, reg: RegId) -> bool {
        let memory = self.run.memory(reg);
        memory.is_some_and(|memory| memory.is_freed())
    }

    fn free(&mut self, reg: RegId) {
        let memory = self.run.memory(reg);
        memory.expect("it was registered").free();
    }

    fn contexts<R>(&mut self, how: impl FnOnce(&mut Contexts) -> R) -> R {
        how(&mut lock(&self.run.contexts))
    }

    fn issued<R>(&mut self, how: impl FnOnce(&mut Issued) -> R) -> R {
        how(&mut lock(&self.run.issued))
    }

    fn latest(&mut self, module: u8) -> Option<(RegId, AnyHandle)> {
        self.run.modules[usize::from(module)].latest.get()
    }

    fn set_latest(&mut self, reg: RegId, handle: AnyHandle) {
        let module = &self.run.modules[usize::from(reg.module)];
        module.latest.set(reg, handle);
    }

    fn last_binding(&mut self, module: u8) -> Option<(Pair, BindingHandle)> {
        self.run.modules[usize::from(module)].last_binding.get()
    }

    fn set_last_binding(&mut self, module: u8, pair: Pair, binding: BindingHandle) {
        let module = &self.run.modules[usize::from(module)];
        module.last_binding.set(pair, binding);
    }

    fn keep_owned(&mut self, reg: RegId, _: AnyHandle) {
        if let Kept::Owned(owned) = ManuallyDrop::into_inner(self.take_kept()) {
            touch(OWNED | u32::from(reg.module));
            let module = &self.run.modules[usize::from(reg.module)];
            lock(&module.owned).push((reg, ManuallyDrop::new(owned)));
        }
    }

    fn take_owned(&mut self, module: u8) -> Option<(RegId, AnyHandle)> {
        touch(OWNED | u32::from(module));
        let mut owned = lock(&self.run.modules[usize::from(module)].owned);
        let (reg, owned) = owned.pop()?;
        let handle = owned.handle();
        let kept = Kept::Owned(ManuallyDrop::into_inner(owned));
        self.kept = Some(ManuallyDrop::new(kept));
        Some((reg, handle))
    }

    fn push_pending(&mut self, detach: PendingDetach) {
        #[cfg(shuttle)]
        let is_over = || self.run.foreign.take_early(&detach);
        #[cfg(not(shuttle))]
        let is_over = || false;
        self.run.pending.push(detach, is_over);
    }

    fn next_pending(&mut self, which: Which) -> Option<PendingDetach> {
        if self.has_completed {
            // As between two operations: a completer is its thread's last one.
            forget(&Place::Completing(self.thread()));
        }
        let next = self.run.pending.next(which);
        self.has_completed = next.is_some();
        next
    }

    fn try_pending(&mut self, module: u8) -> Option<PendingDetach> {
        self.run.pending.try_next(module)
    }

    fn has_waited(&mut self, module: u8) {
        self.run.pending.has_waited(module);
    }

    fn admit(&mut self, module: u8, places: u8) -> bool {
        self.taken(module, |taken| admit(taken, places))
    }

    fn part(&mut self, module: u8) {
        self.taken(module, |taken| *taken -= 1);
    }

    fn block(&mut self, on: On) {
        let (run, thread) = (self.run, self.thread);
        lock(&run.blocked).push((thread, on));
        match on {
            On::Event(event) => run.events[usize::from(event)].wait_until(|is_set| {
                learn(&());
                is_set.then_some(())
            }),
            On::Lock(it) => run.locks[usize::from(it)].wait_until(|holder| {
                learn(&());
                holder.is_none().then(|| {
                    *holder = Some(ThreadNumber(thread));
                    *lock(&run.holders[usize::from(it)]) = Some(thread);
                })
            }),
        }
        lock(&run.blocked).retain(|&(other, _)| other != thread);
    }

    fn set(&mut self, event: u8) {
        self.run.events[usize::from(event)].enter_then_notify(|is_set| {
            *is_set = true;
            learn(&());
            ((), true)
        });
    }

    fn unlock(&mut self, it: u8) {
        let run = self.run;
        run.locks[usize::from(it)].enter_then_notify(|holder| {
            *holder = None;
            *lock(&run.holders[usize::from(it)]) = None;
            learn(&());
            ((), true)
        });
    }

    fn open_rundown(&mut self, module: u8, pair: Pair, binding: BindingHandle) {
        self.run.protection(module).open(pair, binding);
    }

    fn close_rundown(&mut self, module: u8, binding: BindingHandle, forgets: bool) -> bool {
        self.run.protection(module).close(binding, forgets)
    }

    fn enter_rundowns(&mut self, module: u8, side: Side) -> Vec<PendingDetach> {
        self.run.protection(module).enter_all(side)
    }

    fn leave_rundown(&mut self, module: u8, binding: BindingHandle) -> bool {
        self.run.protection(module).leave(binding)
    }

    /// It comes back only through the registrar. A null context cannot be seen to be dropped; the module keeps its token
    /// itself until it is done with the binding.
    fn attachment(&mut self, pair: Pair, side: Side) -> Attachment {
        let handed = self.handed.take().unwrap_or_default();
        let token = Arc::new(Token::new(self.run, pair, side, handed));
        let context = if self.run.script(pair.side(side)).null_context {
            lock(&self.run.kept).push(token);
            BindingContext::null()
        } else {
            BindingContext::from_arc(token)
        };
        Attachment {
            context,
            dispatch: Dispatch::new((pair, side)),
        }
    }

    fn no_attachment() -> Attachment {
        Attachment::default()
    }

    fn hand_over(&mut self, attachment: Attachment) {
        self.attachment = Some(attachment);
    }

    fn let_go(interpreter: &mut Interpreter<'_, Self>, pair: Pair, side: Side) {
        let run = interpreter.host.run;
        let kept = {
            let mut kept = lock(&run.kept);
            let index = kept.iter().position(|token| token.is_of(pair, side));
            index.map(|index| kept.swap_remove(index))
        };
        drop(kept);
    }

    fn foreign(
        interpreter: &mut Interpreter<'_, Self>,
        foreign: Foreign,
    ) -> Result<Option<Reply>, Broken> {
        #[cfg(shuttle)]
        return Ok(foreign_module::run(interpreter, foreign));
        #[cfg(not(shuttle))]
        unreachable!(
            "thread {} comes to {foreign:?}: a scenario with modules in C is refused here",
            interpreter.host.thread
        )
    }

    fn open(&mut self, call: Call, function: Function<Attachment>, after: After) {
        let opened = self.function(call, function, after);
        self.opened = Some((call, after, opened));
    }

    fn opened(&mut self) -> Call {
        self.opened.as_ref().expect("a call is opened").0
    }

    /// Makes the call. A callback's panic may come out of it.
    fn enter(interpreter: &mut Interpreter<'_, Self>) -> Done {
        let frame = &mut interpreter.host;
        let (call, after, function) = frame.opened.take().expect("a call is opened");
        let remembered = remember();
        let made = frame.run.catching(function);
        if made.is_none() {
            *lock(&frame.run.unwinding) -= 1;
        }
        frame.run.comes(frame.thread, call.registrations());
        let made = made.unwrap_or_else(|| Made::answered(Answer::Panicked));
        frame.returned = Some(made.returned);
        frame.peer = made.peer;
        // A handle in it is known by what it names.
        remembered.and(&made.returned.answer);
        frame.kept = made.kept.map(ManuallyDrop::new);
        frame.refusal = made.refusal.or(frame.refusal);
        interpreter.returned(call, made.returned, after)
    }
}
