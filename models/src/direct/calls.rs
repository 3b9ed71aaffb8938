//! Calls of the registrar as values: made, driven section by section, and answered.

use nmr::machine::{
    Act, Answer, AttachFault, Call, Characteristics, CompleteFault, Dropped, Layout, Outcome,
    Table, WaitFault,
};
use nmr::{HandleFault, Side};

use super::lent::{Instance, Module, Plain};
use super::state::OpenCall;
use super::step::Step;
use super::task::{Driven, Task};
use crate::event::{self, RegId, Thing};
use crate::interpreter::{After, AnyHandle, Context, Done, Function, Host, Interpreter, Returned};
use crate::permuted::ThreadNumber;

/// A call, or why it comes to no section.
type Begun = Result<Call<Plain>, HandleFault>;

/// How calls are made.
impl Step<'_> {
    /// `None` if the bits of its handle are not this registrar's, so that it comes to no section.
    pub(super) fn call(
        &self,
        what: event::Call,
        function: Function<Context>,
    ) -> Option<Call<Plain>> {
        let (layout, thread) = (self.program.layout, self.thread());
        match function {
            Function::Register { owned } => {
                let event::Call::Register { reg, side, npi } = what else {
                    unreachable!("it is a register call")
                };
                let lent = Characteristics {
                    module: Module { reg, side },
                    instance: Instance { reg, npi },
                };
                let begin = if owned { Call::own } else { Call::register };
                begin(layout, lent, thread).ok()
            }
            Function::Deregister(handle) => by_kind(layout, handle, thread, Begin::Deregister).ok(),
            Function::DeregisterForeign(_, handle) => {
                let call = by_kind(foreign(), handle, thread, Begin::Deregister);
                let mut call = call.ok()?;
                among_strangers(&mut call, handle.side());
                Some(call)
            }
            Function::Wait(handle) => by_kind(layout, handle, thread, Begin::Wait).ok(),
            Function::Leave(handle) => by_kind(layout, handle, thread, Begin::Leave).ok(),
            Function::Finish(handle) => by_kind(layout, handle, thread, Begin::Finish).ok(),
            Function::Release(handle) => by_kind(layout, handle, thread, Begin::Release).ok(),
            Function::Attach(binding, context) => {
                Call::attach(layout, binding, context, thread).ok()
            }
            Function::Complete(binding) => {
                let event::Call::DetachComplete { side, .. } = what else {
                    unreachable!("it is a detach-complete call")
                };
                Call::detach_complete(layout, binding, side, thread).ok()
            }
        }
    }
}

/// How calls go on.
impl Interpreter<'_, Step<'_>> {
    pub(super) fn section(&mut self) {
        let step = &mut self.host;
        let thread = &mut step.state.threads[usize::from(step.number)];
        let open = thread.calls.last_mut();
        let open = open.expect("the thread is inside a call");
        let call = open.call.as_mut().expect("it comes to a section");
        let section = call.section(&mut step.state.table);
        open.act = section.act;
        let dropped = call.take_dropped();
        step.state.table.check();
        let (act, wake) = (section.act, section.wake);
        step.section_ends();
        if wake {
            for thread in &mut step.state.threads {
                thread.is_asleep = false;
            }
        }
        match act {
            Act::Return => self.over(),
            Act::Sleep => {
                self.host.me().is_asleep = true;
                self.then([Task::Host(Driven::Woken), Task::Host(Driven::Section)]);
            }
            // What it is to let go of is nothing that its owner sees: others may come before its next section.
            Act::LetGo if dropped.as_ref().is_none_or(is_unseen) => {
                self.gated(true, Task::Host(Driven::Make));
            }
            _ => self.then([Task::Host(Driven::Make)]),
        }
        if let Some(dropped) = dropped {
            let [client, provider] = dropped.modules;
            for module in [provider, client].into_iter().flatten() {
                self.lets_go(Thing::Module(module.module.reg));
            }
            self.lets_go_of(dropped.context);
        }
    }

    /// The call is over. What it holds to the end is dropped before it returns.
    pub(super) fn over(&mut self) {
        self.then([Task::Host(Driven::Return)]);
        let open = self.host.open_call();
        let hand = open.call.as_mut().map(Call::hand_mut);
        let left = hand.map(|hand| std::mem::take(&mut hand.contexts));
        let [client, provider] = left.unwrap_or_default();
        let own = open.client.take();
        for context in [provider, client, own] {
            self.lets_go_of(context);
        }
        let open = self.host.open_call();
        // Without a section, nobody has taken what a register call was given.
        if let (None, event::Call::Register { reg, .. }) = (&open.call, open.what) {
            self.lets_go(Thing::Module(reg));
        }
    }

    pub(super) fn lets_go(&mut self, thing: Thing) {
        let gate = !self.host.program.drops_at_once;
        self.gated(gate, Task::Host(Driven::Drop(thing)));
    }

    pub(super) fn lets_go_of(&mut self, context: Option<Context>) {
        if let Some(Context::Of(pair, side)) = context {
            self.lets_go(Thing::Context { pair, side });
        }
    }

    pub(super) fn resume(&mut self, outcome: Outcome<Context>) {
        let open = self.host.open_call();
        let call = open.call.as_mut().expect("it comes to a section");
        if open.panicked {
            call.panicked();
        }
        call.resume(outcome);
        self.then([Task::Host(Driven::Section)]);
    }

    pub(super) fn returns(&mut self) -> Done {
        let open = self.host.me().calls.pop();
        let open = open.expect("the thread is inside a call");
        let answer = answer_of(&open);
        let handle = match (open.what, open.call.as_ref().and_then(Call::answer)) {
            (event::Call::Register { side, .. }, Some(&Answer::Register(Ok(bits))))
                if !open.panicked =>
            {
                Some(AnyHandle::from_raw(side, bits))
            }
            _ => None,
        };
        self.returned(open.what, Returned { answer, handle }, open.after)
    }
}

/// The layout of another registrar.
fn foreign() -> Layout {
    Layout::new(2, 1)
}

/// Makes a call in another registrar that has taken the handle for one of its own: there it names a module that is alone,
/// and nobody is called.
fn among_strangers(call: &mut Call<Plain>, side: Side) {
    let mut table = Table::unlimited();
    for nth in 0..4 {
        let reg = RegId { module: 0, nth };
        let characteristics = Characteristics {
            module: Module { reg, side },
            instance: Instance { reg, npi: 1 },
        };
        let made = Call::register(foreign(), characteristics, call.thread());
        let mut made = made.expect("it is of an interface");
        let _ = made.section(&mut table);
    }
    while call.answer().is_none() {
        if call.section(&mut table).act == Act::LetGo {
            call.resume(Outcome::LetGo);
        }
    }
}

/// Whether nobody hears of it.
fn is_unseen(dropped: &Dropped<Plain>) -> bool {
    let context = dropped
        .context
        .is_none_or(|context| context == Context::Null);
    context && dropped.modules.iter().all(Option::is_none)
}

/// Which call is made of a handle of either side.
enum Begin {
    Deregister,
    Wait,
    Leave,
    Finish,
    Release,
}

fn by_kind(layout: Layout, handle: AnyHandle, thread: ThreadNumber, begin: Begin) -> Begun {
    match (handle, begin) {
        (AnyHandle::Client(it), Begin::Deregister) => Call::deregister(layout, it, thread),
        (AnyHandle::Provider(it), Begin::Deregister) => Call::deregister(layout, it, thread),
        (AnyHandle::Client(it), Begin::Wait) => Call::wait(layout, it, thread),
        (AnyHandle::Provider(it), Begin::Wait) => Call::wait(layout, it, thread),
        (AnyHandle::Client(it), Begin::Leave) => Call::leave(layout, it, thread),
        (AnyHandle::Provider(it), Begin::Leave) => Call::leave(layout, it, thread),
        (AnyHandle::Client(it), Begin::Finish) => Call::finish(layout, it, thread),
        (AnyHandle::Provider(it), Begin::Finish) => Call::finish(layout, it, thread),
        (AnyHandle::Client(it), Begin::Release) => Call::release(layout, it, thread),
        (AnyHandle::Provider(it), Begin::Release) => Call::release(layout, it, thread),
    }
}

/// A call's answer, as an event tells it.
fn answer_of(open: &OpenCall) -> event::Answer {
    use event::Answer as Told;
    if open.panicked {
        return Told::Panicked;
    }
    match open.after {
        After::Left(..) => return Told::Pending,
        After::Released(_) => return Told::Done,
        _ => {}
    }
    let Some(answer) = open.call.as_ref().and_then(Call::answer) else {
        return Told::InvalidParameter;
    };
    match answer {
        Answer::Register(Ok(_)) => Told::Registered,
        Answer::Register(Err(_)) => Told::InsufficientResources,
        Answer::Deregister(Ok(())) => Told::Pending,
        Answer::Wait(Ok(())) | Answer::Complete(Ok(())) => Told::Done,
        Answer::Attach(Ok(())) => Told::Attached,
        Answer::Attach(Err(AttachFault::Refused)) => Told::Refused,
        Answer::Attach(Err(AttachFault::NoInterface)) => Told::NoInterface,
        Answer::Attach(Err(AttachFault::InvalidState))
        | Answer::Complete(Err(CompleteFault::InvalidState)) => Told::InvalidState,
        Answer::Wait(Err(WaitFault::WouldDeadlock)) => Told::WouldDeadlock,
        Answer::Deregister(Err(_))
        | Answer::Wait(Err(_))
        | Answer::Attach(Err(AttachFault::Handle(_)))
        | Answer::Complete(Err(CompleteFault::Handle(_))) => Told::InvalidParameter,
    }
}
