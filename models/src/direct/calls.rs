//! Calls of the registrar, from the operation that makes one to what is done with its answer.

use nmr::machine::{
    Act, Answer, AttachFault, Call, CompleteFault, Dropped, Layout, Outcome, Table, WaitFault,
};
use nmr::{BindingHandle, HandleFault, Side};

use super::lent::{Context, Instance, Module, Plain};
use super::state::OpenCall;
use super::step::{Broken, Done, Step};
use super::task::{After, ByName, Piece, Task};
use crate::event::{self, Pair, RegId, Reply, Thing, What};
use crate::message::message;
use crate::permuted::{ModuleNumber, ThreadNumber};
use crate::rule::Rule;
use crate::run::AnyHandle;
use crate::scenario::Fault;

const VALIDITY: Rule = Rule::new(12);

/// A call, or why it comes to no section.
type Begun = Result<Call<Plain>, HandleFault>;

/// How calls begin.
impl Step<'_> {
    pub(super) fn register(&mut self, module: usize, owned: bool) {
        let script = &self.program.prepared.scenario.modules[module];
        let (side, npi) = (script.side, script.npi);
        let nth = self.module(module).registrations;
        self.module(module).registrations += 1;
        let reg = RegId {
            module: module as u8,
            nth,
        };
        let characteristics = nmr::machine::Characteristics {
            module: Module { reg, side },
            instance: Instance { reg, npi },
        };
        let call = Call::register(self.layout(), characteristics, self.thread_number());
        let what = event::Call::Register { reg, side, npi };
        self.open(what, call.ok(), After::Registered(reg, owned));
    }

    pub(super) fn deregister(&mut self, layout: Layout, reg: Option<RegId>, handle: AnyHandle) {
        let call = by_kind(layout, handle, self.thread_number(), Begin::Deregister);
        let mut call = call.ok();
        if let Some(call) = call.as_mut().filter(|_| layout != self.layout()) {
            let side = match handle {
                AnyHandle::Client(_) => Side::Client,
                AnyHandle::Provider(_) => Side::Provider,
            };
            among_strangers(call, side);
        }
        self.open(event::Call::Deregister(reg), call, After::Nothing);
    }

    pub(super) fn wait(&mut self, reg: Option<RegId>, handle: AnyHandle, after: After) {
        let call = by_kind(self.layout(), handle, self.thread_number(), Begin::Wait);
        self.open(event::Call::Wait(reg), call.ok(), after);
    }

    /// The first of the two steps in which an owned registration is left.
    pub(super) fn leave(&mut self, reg: RegId, handle: AnyHandle) {
        let call = by_kind(self.layout(), handle, self.thread_number(), Begin::Leave);
        let after = After::Left(reg, ByName(handle));
        self.open(event::Call::Deregister(Some(reg)), call.ok(), after);
    }

    pub(super) fn release(&mut self, reg: RegId, handle: AnyHandle) {
        let call = by_kind(self.layout(), handle, self.thread_number(), Begin::Release);
        self.open(event::Call::Release(reg), call.ok(), After::Released(reg));
    }

    /// A call of `client_attach_provider`; whether a script's own.
    pub(super) fn attach(&mut self, pair: Option<Pair>, binding: BindingHandle, scripted: bool) {
        let context = pair.map_or(Context::Null, |pair| self.attachment(pair, Side::Client));
        let call = Call::attach(self.layout(), binding, context, self.thread_number());
        let what = event::Call::AttachProvider(pair);
        self.open(what, call.ok(), After::Attach(pair, scripted));
        self.open_call().client = Some(context);
    }

    pub(super) fn detach_complete(
        &mut self,
        side: Side,
        pair: Option<Pair>,
        binding: BindingHandle,
        after: After,
    ) {
        let call = Call::detach_complete(self.layout(), binding, side, self.thread_number());
        self.open(event::Call::DetachComplete { side, pair }, call.ok(), after);
    }

    fn open(&mut self, what: event::Call, call: Option<Call<Plain>>, after: After) {
        self.me().calls.push(OpenCall {
            what,
            call,
            act: Act::Return,
            client: None,
            after,
            panicked: false,
        });
        // A call begins as late as it may: what the oracle allows for a call that is open, because it
        // may have come early, is then allowed only where it was.
        self.then([Task::Gate, Task::Begin]);
    }

    pub(super) fn layout(&self) -> Layout {
        self.program.layout
    }

    /// What a side gives out. A null context cannot be seen to be dropped; the module keeps what stands behind it.
    pub(super) fn attachment(&mut self, pair: Pair, side: Side) -> Context {
        self.take_context(pair, side);
        if self.script(pair.side(side)).null_context {
            self.state.shared.kept.push((pair, side));
            Context::Null
        } else {
            Context::Of(pair, side)
        }
    }
}

/// How calls go on.
impl Step<'_> {
    pub(super) fn begin(&mut self) -> Done {
        let what = self.open_call().what;
        self.record(What::Call(what))?;
        match &self.open_call().call {
            Some(call) if call.answer().is_none() => self.then([Task::Section]),
            _ => self.over(),
        }
        Ok(())
    }

    pub(super) fn section(&mut self) {
        let thread = &mut self.state.threads[usize::from(self.number)];
        let open = thread
            .calls
            .last_mut()
            .expect("the thread is inside a call");
        let call = open.call.as_mut().expect("it comes to a section");
        let section = call.section(&mut self.state.table);
        open.act = section.act;
        let dropped = call.take_dropped();
        self.state.table.check();
        let (act, wake) = (section.act, section.wake);
        self.section_ends();
        if wake {
            for thread in &mut self.state.threads {
                thread.is_asleep = false;
            }
        }
        match act {
            Act::Return => self.over(),
            Act::Sleep => {
                self.me().is_asleep = true;
                self.then([Task::Woken, Task::Section]);
            }
            // What it is to let go of is nothing that its owner sees: others may come before its next section.
            Act::LetGo if dropped.as_ref().is_none_or(is_unseen) => self.gated(true, Task::Make),
            _ => self.then([Task::Make]),
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
    fn over(&mut self) {
        self.then([Task::Return]);
        let open = self.open_call();
        let hand = open.call.as_mut().map(Call::hand_mut);
        let left = hand.map(|hand| std::mem::take(&mut hand.contexts));
        let [client, provider] = left.unwrap_or_default();
        let own = open.client.take();
        for context in [provider, client, own] {
            self.lets_go_of(context);
        }
        let open = self.open_call();
        // Without a section, nobody has taken what a register call was given.
        if let (None, event::Call::Register { reg, .. }) = (&open.call, open.what) {
            self.lets_go(Thing::Module(reg));
        }
    }

    pub(super) fn lets_go(&mut self, thing: Thing) {
        self.gated(!self.program.drops_at_once, Task::Drop(thing));
    }

    pub(super) fn lets_go_of(&mut self, context: Option<Context>) {
        if let Some(Context::Of(pair, side)) = context {
            self.lets_go(Thing::Context { pair, side });
        }
    }

    pub(super) fn resume(&mut self, outcome: Outcome<Context>) {
        let open = self.open_call();
        let call = open.call.as_mut().expect("it comes to a section");
        if open.panicked {
            call.panicked();
        }
        call.resume(outcome);
        self.then([Task::Section]);
    }

    pub(super) fn returns(&mut self) -> Done {
        let open = self.me().calls.pop().expect("the thread is inside a call");
        let answer = answer_of(&open);
        self.program.saw((self.thread_number(), open.what, answer));
        self.record(What::Return(answer))?;
        let callback = self.me().callbacks.last().copied();
        if let Some(inside) = callback {
            let callback = inside.callback;
            if self.script(callback.pair.side(callback.side)).strict {
                self.misused(open.what, answer)?;
            }
        }
        self.follow_up(&open, answer)
    }

    /// A call that somebody counts on was answered.
    fn misused(&mut self, call: event::Call, answer: event::Answer) -> Done {
        match answer {
            event::Answer::InvalidParameter
            | event::Answer::InvalidState
            | event::Answer::WouldDeadlock => self.record(What::Misused { call, answer }),
            _ => Ok(()),
        }
    }

    fn follow_up(&mut self, open: &OpenCall, answer: event::Answer) -> Done {
        match open.after {
            After::Nothing => {}
            After::Registered(reg, owned) => return self.registered(open, reg, owned, answer),
            After::Waited(ModuleNumber(module), reg) => {
                if let (event::Answer::Done, Some(reg)) = (answer, reg) {
                    self.free(reg);
                }
                self.has_waited(module);
            }
            After::Left(reg, ByName(handle)) => match answer {
                event::Answer::Panicked => self.has_waited(reg.module),
                _ => self.finish(reg, handle),
            },
            After::Released(reg) => {
                // Inside a callback it may not have waited for the end of it.
                if !self.is_inside_callback() {
                    self.free(reg);
                }
                self.has_waited(reg.module);
            }
            After::Attach(pair, scripted) => self.attached(pair, scripted, answer),
            After::Completed(pair, side) => {
                if self.script(pair.side(side)).fault == Some(Fault::UsesAfterComplete) {
                    return self.use_context(pair, side);
                }
            }
            After::Mistaken(ModuleNumber(module), side) => {
                if self.program.prepared.scenario.modules[usize::from(module)].strict {
                    let call = event::Call::DetachComplete { side, pair: None };
                    return self.misused(call, answer);
                }
            }
        }
        Ok(())
    }

    fn registered(
        &mut self,
        open: &OpenCall,
        reg: RegId,
        owned: bool,
        answer: event::Answer,
    ) -> Done {
        let bits = open.call.as_ref().and_then(Call::answer);
        if answer == event::Answer::Panicked && !self.is_inside_callback() {
            // It has taken the registration back; inside a callback it may not have waited for the end of it.
            self.free(reg);
        }
        let (event::Answer::Registered, Some(&Answer::Register(Ok(bits)))) = (answer, bits) else {
            return Ok(());
        };
        let handle = AnyHandle::from_raw(self.script(reg).side, bits);
        let handles = &mut self.state.shared.handles;
        if handles.iter().any(|&(other, _)| other == handle) {
            let message = message!["the handle of " {reg} " was issued before"];
            return Err(Broken {
                rule: VALIDITY,
                message,
            });
        }
        handles.push((handle, reg));
        if owned {
            self.then([Task::Piece(Piece::Keep(reg, handle))]);
        }
        let raced = self.program.prepared.races[usize::from(reg.module)].registration;
        self.gated(raced, Task::Piece(Piece::SetLatest(reg, handle)));
        Ok(())
    }

    /// The second of the two steps in which an owned registration is left.
    fn finish(&mut self, reg: RegId, handle: AnyHandle) {
        let call = by_kind(self.layout(), handle, self.thread_number(), Begin::Finish);
        let after = After::Waited(ModuleNumber(reg.module), Some(reg));
        self.open(event::Call::Wait(Some(reg)), call.ok(), after);
    }

    fn has_waited(&mut self, module: u8) {
        if self.program.prepared.has_completer && self.number > 0 && !self.is_inside_callback() {
            self.gated(true, Task::Piece(Piece::Waited(module)));
        }
    }

    fn attached(&mut self, pair: Option<Pair>, scripted: bool, answer: event::Answer) {
        if scripted {
            self.open_callback().reply = match answer {
                event::Answer::Attached => Reply::Success,
                event::Answer::Panicked => Reply::Panicked,
                _ => Reply::Failure,
            };
        }
        if let (Some(pair), false) = (pair, answer == event::Answer::Attached) {
            self.then([Task::Piece(Piece::LetGo(pair, Side::Client))]);
        }
    }
}

/// Makes a call in another registrar that has taken the handle for one of its own: there it names a module that is alone,
/// and nobody is called.
fn among_strangers(call: &mut Call<Plain>, side: Side) {
    let mut table = Table::unlimited();
    for nth in 0..4 {
        let reg = RegId { module: 0, nth };
        let characteristics = nmr::machine::Characteristics {
            module: Module { reg, side },
            instance: Instance { reg, npi: 1 },
        };
        let made = Call::register(Layout::new(2, 1), characteristics, call.thread());
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
