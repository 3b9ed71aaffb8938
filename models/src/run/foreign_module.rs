//! A module in C, in an execution: its functions run on the stack of the thread that calls them, and what it calls is a
//! frame of that thread like any callback of a script.
//!
//! Between two calls of the registrar C code is one step. An explorer has to know what that does: so a thread that comes to C
//! code does so through a lock, which is where others come between; the memory of all modules in C is one thing that
//! is [touched](nmr_sync::touch) then; it is a part of the state; and a thread that has run C code knows all that was there.

use std::hash::{Hash, Hasher};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use nmr::{BindingHandle, Status};
use nmr_hosted::abi::NTSTATUS;
use nmr_hosted::status::{
    STATUS_INSUFFICIENT_RESOURCES, STATUS_INTERNAL_ERROR, STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_POSSIBLE_DEADLOCK,
    STATUS_SUCCESS,
};
use nmr_hosted::{self as hosted, Hosted, Left, Mistake, Named, Outside, Registered};
use nmr_sync::{Mutex, describe, learn, touch};
use twox_hash::xxhash3_128;

use super::frame::Frame;
use super::module::Handed;
use super::{Run, recorder};
use crate::event::{Answer, CallbackKind, Pair, RegId, Reply, Side, Thing, What};
use crate::interpreter::{AnyHandle, Entry, Foreign, Interpreter, PendingDetach};
use crate::invisible::{Invisible, lock};
use crate::message::{Message, message};
use crate::permuted::ModuleNumber;
use crate::rule::Rule;
use crate::scenario::Scenario;

const LIFETIME: Rule = Rule::new(11);

/// See [`touch`]: the memory of all modules in C, which may share what they hand each other.
const C_MEMORY: u32 = 6 << 16;

/// What the address of a scripted peer's binding context is made of: of nothing that is there.
const PEERS: usize = 1 << 44;

/// The modules of a scenario that are in C, by their numbers.
pub(crate) type Modules = Vec<Option<&'static Hosted>>;

/// Loads the modules of a scenario that are in C. What was loaded before stays, and is taken again.
///
/// # Errors
/// One cannot be run, in words.
pub(crate) fn load(scenario: &Scenario) -> Result<Modules, String> {
    static LOADED: StdMutex<Vec<(u8, String, &'static Hosted)>> = StdMutex::new(Vec::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let modules = (0..).zip(&scenario.modules).map(|(number, module)| {
        let Some(c_module) = &module.c_module else {
            return Ok(None);
        };
        let (bytes, found) = c_module.read()?;
        let hash = found.hash.unwrap_or_default();
        let known = (loaded.iter()).find(|(other, its, _)| (*other, its) == (number, &hash));
        if let Some(&(.., hosted)) = known {
            return Ok(Some(hosted));
        }
        let peers = scenario.modules.len() as u8;
        let why = |why| format!("the C module {}: {why}", c_module.file.display());
        let hosted = Hosted::load(&bytes, number, peers, Box::new(Here));
        let hosted = hosted.map_err(|error| why(error.to_string()))?;
        missing(scenario, number, hosted).map_err(why)?;
        loaded.push((number, hash, hosted));
        Ok(Some(hosted))
    });
    modules.collect()
}

/// Whether a module has what the scenario asks of it.
fn missing(scenario: &Scenario, number: u8, hosted: &Hosted) -> Result<(), String> {
    use crate::op::Op;
    let name = &scenario.modules[usize::from(number)].name;
    for (_, op) in scenario.operations() {
        let (entry, function) = match op {
            Op::Register(_) => (hosted::Entry::Register, "Register"),
            Op::Deregister(_) => (hosted::Entry::Deregister, "Deregister"),
            Op::Wait(_) => (hosted::Entry::Wait, "Wait"),
            Op::Complete(_) | Op::TryComplete(_) => (hosted::Entry::Complete(0), "Complete"),
            Op::Dispatch(_) => (hosted::Entry::Dispatch, "Dispatch"),
            _ => continue,
        };
        if op.module() == Some(name) && !hosted.has(entry) {
            return Err(format!(
                "the scenario has `{op}`, and its NmrExModule has no {function}"
            ));
        }
    }
    Ok(())
}

/// The stack that a thread needs on which they run, in bytes.
pub(crate) fn stack(modules: &Modules) -> Option<usize> {
    // Beside what its functions need, for the registrar and the harness in between.
    const OWN: usize = 128 << 10;
    let most = modules.iter().flatten().map(|module| module.stack()).max();
    most.map(|most| most + OWN)
}

/// A binding context of a module in C.
#[derive(Clone, Copy, Hash)]
struct Context {
    pair: Pair,
    side: Side,
    address: usize,
    /// Its owner was asked to clean up.
    is_cleaned_up: bool,
}

/// What the lock protects by which threads come to C code: by its name schedules say so. What it stands for is beside it.
#[derive(Hash)]
struct CCode;

/// What an execution keeps of modules in C.
pub(super) struct State {
    modules: Modules,
    /// Others come between where a thread comes to C code.
    order: Mutex<CCode>,
    registered: Invisible<Vec<(RegId, Registered)>>,
    /// Binding contexts that they have handed over.
    contexts: Invisible<Vec<Context>>,
    /// Detaches that were completed before the callback had answered pending.
    early: Invisible<Vec<(Pair, Side)>>,
    /// What cannot be driven.
    refused: Invisible<Option<String>>,
}

impl State {
    /// For a new execution.
    pub(super) fn new(modules: Modules) -> Self {
        modules.iter().flatten().for_each(|module| module.reset());
        Self {
            modules,
            order: Mutex::new(CCode),
            registered: Invisible::default(),
            contexts: Invisible::default(),
            early: Invisible::default(),
            refused: Invisible::default(),
        }
    }

    fn of(&self, module: u8) -> &'static Hosted {
        self.modules[usize::from(module)].expect("it is a module in C")
    }

    /// All that their code can find, but for what it keeps on a stack.
    fn fingerprint(&self) -> u128 {
        let mut hasher = xxhash3_128::Hasher::new();
        for module in self.modules.iter().flatten() {
            module.show(&mut |bytes| hasher.write(bytes));
        }
        hasher.finish_128()
    }

    pub(super) fn registered(&self, reg: RegId) -> Registered {
        let registered = lock(&self.registered);
        let found = registered.iter().find(|(other, _)| *other == reg);
        found
            .expect("a callback comes after the register call has begun")
            .1
    }

    fn context(&self, pair: Pair, side: Side) -> usize {
        let contexts = lock(&self.contexts);
        let found = contexts
            .iter()
            .find(|it| (it.pair, it.side) == (pair, side));
        found.map(|it| it.address).unwrap_or_default()
    }

    fn hand_over(&self, pair: Pair, side: Side, address: usize) {
        let mut contexts = lock(&self.contexts);
        contexts.retain(|it| (it.pair, it.side) != (pair, side));
        contexts.push(Context {
            pair,
            side,
            address,
            is_cleaned_up: false,
        });
    }

    fn is_cleaned_up(&self, pair: Pair, side: Side) {
        let mut contexts = lock(&self.contexts);
        let mut its = contexts
            .iter_mut()
            .filter(|it| (it.pair, it.side) == (pair, side));
        if let Some(context) = its.next() {
            context.is_cleaned_up = true;
        }
    }

    /// Whether a side completed this detach before its callback had answered.
    pub(super) fn take_early(&self, detach: &PendingDetach) -> bool {
        let mut early = lock(&self.early);
        let place = early
            .iter()
            .position(|it| *it == (detach.pair, detach.side));
        place.map(|place| early.swap_remove(place)).is_some()
    }

    /// A binding context that its owner has not freed and was never asked to, where both registrations have ended.
    pub(super) fn leaked(&self, has_ended: impl Fn(RegId) -> bool) -> Option<(Pair, Side)> {
        let contexts = lock(&self.contexts);
        let is_there = |it: &&Context| {
            let block = self.of(it.pair.side(it.side).module).block_at(it.address);
            block.is_some_and(|block| !block.is_freed)
        };
        let mut all = contexts
            .iter()
            .filter(|it| !it.is_cleaned_up && it.pair.registrations().into_iter().all(&has_ended));
        all.find(is_there).map(|it| (it.pair, it.side))
    }

    pub(super) fn take_refusal(&self) -> Option<String> {
        lock(&self.refused).take()
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.modules.iter().all(Option::is_none) {
            return;
        }
        self.fingerprint().hash(state);
        nmr_sync::unordered(lock(&self.registered).iter(), state);
        nmr_sync::unordered(lock(&self.contexts).iter(), state);
        nmr_sync::unordered(lock(&self.early).iter(), state);
    }
}

/// Where their code runs.
impl Run {
    /// A thread comes to C code, from the scenario or from a call of the registrar.
    fn come_to_c(&self) {
        let order = self.foreign.order.lock();
        describe(&order);
        if nmr_sync::is_explored() {
            learn(&self.foreign.fingerprint());
        }
        drop(order);
        touch(C_MEMORY);
    }

    /// What came of C code that was called by `doing`.
    fn came_back<R>(&self, module: u8, doing: Message, result: Result<R, Left>) -> R {
        self.foreign.of(module).refuse_strangers();
        match result {
            Ok(result) => result,
            Err(left) => self.left(module, doing, left),
        }
    }

    /// A function of a module did not come back.
    fn left(&self, module: u8, doing: Message, left: Left) -> ! {
        let name = ModuleNumber(module);
        let (rule, message) = match left {
            Left::Fault {
                signal,
                address: Some(address),
                block: Some(block),
            } => {
                let (rule, what) = self.block(module, block, address);
                (rule, message![{what} ": " {doing} " ends with " {signal}])
            }
            Left::Fault {
                signal, address, ..
            } => {
                let at = address.map_or_else(String::new, |at| format!(" for address {at:#x}"));
                let what = match address.and_then(|address| self.peer_at(address)) {
                    Some(pair) => {
                        message![" for the binding context that a peer handed over for " {pair}]
                    }
                    None => message![{ at }],
                };
                (None, message![{doing} " ends with " {signal} {what}])
            }
            Left::Overflow(stack) => (
                None,
                message![
                    {doing} " needs more than the " {stack} " bytes of stack that it has: say how much in the StackSize \
                    of " {name} "'s NmrExModule"
                ],
            ),
            Left::Stuck(seconds) => (
                None,
                message![
                    {doing} " has not come back for " {seconds as usize} " s, and called nothing of the registrar's: it loops, or \
                    waits for something that only another thread could bring about"
                ],
            ),
            Left::Jumped => (None, jumped(name)),
            Left::Outside(outside) => (
                None,
                message![{written(name, outside)} ": it is seen after " {doing}],
            ),
        };
        let message = message![{message} " (the module's fault, not the registrar's)"];
        self.fails(rule, message)
    }

    /// A block of memory that was used and cannot be.
    fn block(&self, module: u8, block: hosted::Block, address: usize) -> (Option<Rule>, Message) {
        let size = block.size;
        if !block.is_freed {
            let at = (address as i128 - block.address as i128).to_string();
            return (
                None,
                message![{ModuleNumber(module)} " uses byte " {at.as_str()} " of a block of " {size} " bytes"],
            );
        }
        let is_in = |address: usize| (block.address..=block.address + size).contains(&address);
        let contexts = lock(&self.foreign.contexts);
        let context = contexts
            .iter()
            .find(|it| it.pair.side(it.side).module == module && is_in(it.address));
        if let Some(&Context { pair, side, .. }) = context {
            return (
                Some(LIFETIME),
                message![
                    "the binding context of the " {side} " of " {pair} " is used, which its owner has freed"
                ],
            );
        }
        let registered = lock(&self.foreign.registered);
        let registration = registered
            .iter()
            .find(|(reg, what)| reg.module == module && is_in(what.context()));
        match registration {
            Some(&(reg, _)) => (
                Some(LIFETIME),
                message!["the registration context of " {reg} " is used, which its owner has freed"],
            ),
            None => (
                None,
                message![{ModuleNumber(module)} " uses a block of " {size} " bytes that it has freed"],
            ),
        }
    }

    /// Something that is no event ends the execution.
    fn fails(&self, rule: Option<Rule>, message: Message) -> ! {
        let found = match rule {
            Some(rule) => self.recorder.violated(rule, message),
            None => self.recorder.crashed(None, message),
        };
        if let Some(found) = found {
            self.found(found);
        }
        resume_unwind(Box::new(recorder::Stop))
    }

    /// The binding for whose scripted side's context an address stands.
    fn peer_at(&self, address: usize) -> Option<Pair> {
        let number = address.checked_sub(PEERS)? >> 4;
        let [provider_nth, provider, client_nth, client, 0, ..] = number.to_le_bytes() else {
            return None;
        };
        let reg = |module, nth| RegId { module, nth };
        let pair = Pair {
            client: reg(client, client_nth),
            provider: reg(provider, provider_nth),
        };
        let modules = self.foreign.modules.len();
        let is_there = |reg: RegId| usize::from(reg.module) < modules;
        pair.registrations()
            .into_iter()
            .all(is_there)
            .then_some(pair)
    }

    /// What a side is given of its peer.
    fn handed_by(&self, pair: Pair, by: Side, handed: Handed) -> hosted::Handed {
        let (peer, own) = (pair.side(by).module, pair.side(by.peer()).module);
        if self.prepared.is_in_c(peer) {
            return handed.into();
        }
        let reg = |reg: RegId| usize::from(reg.module) << 8 | usize::from(reg.nth);
        let number = reg(pair.client) << 16 | reg(pair.provider);
        hosted::Handed {
            context: PEERS + (number << 4),
            dispatch: self.foreign.of(own).peer_dispatch(),
        }
    }

    /// As whom a side is told of its peer.
    fn named_to(&self, pair: Pair, peer: Side) -> Named {
        let reg = pair.side(peer);
        match self.prepared.is_in_c(reg.module) {
            true => Named::Registered(self.foreign.registered(reg)),
            false => Named::Number(reg.module),
        }
    }
}

fn jumped(name: ModuleNumber) -> Message {
    message![{name} " has left a callback by a jump, over the registrar's call that is to go on after it"]
}

/// A byte was written outside of a block.
fn written(name: ModuleNumber, Outside { block, byte }: Outside) -> Message {
    let size = block.size;
    let which = match byte < 0 {
        true => "an underrun",
        false => "an overrun",
    };
    let byte = byte.to_string();
    message![{name} " has written byte " {byte.as_str()} " of a block of " {size} " bytes, " {which}]
}

impl From<Handed> for hosted::Handed {
    fn from(Handed { context, dispatch }: Handed) -> Self {
        Self { context, dispatch }
    }
}

/// Runs code of a module in C, in a frame of its thread.
pub(super) fn run(interpreter: &mut Interpreter<'_, Frame<'_>>, foreign: Foreign) -> Option<Reply> {
    let run = interpreter.host.run;
    match foreign {
        Foreign::Entry(name, entry) => {
            let (doing, entry) = match entry {
                Entry::Register => ("register", hosted::Entry::Register),
                Entry::Deregister => ("deregister", hosted::Entry::Deregister),
                Entry::Wait => ("wait", hosted::Entry::Wait),
                Entry::Dispatch => ("dispatch", hosted::Entry::Dispatch),
            };
            run.enters(name.0, entry, message!["`" {doing} " " {name} "`"]);
            None
        }
        Foreign::Complete(PendingDetach { pair, side, .. }) => {
            let name = ModuleNumber(pair.side(side).module);
            let entry = hosted::Entry::Complete(run.foreign.context(pair, side));
            run.enters(name.0, entry, message!["the completion of " {name}]);
            None
        }
        Foreign::Called(pair, side) => {
            called(interpreter, pair, side);
            None
        }
        Foreign::Callback(binding) => Some(callback(interpreter, binding.0)),
    }
}

fn called(interpreter: &mut Interpreter<'_, Frame<'_>>, pair: Pair, side: Side) {
    let run = interpreter.host.run;
    let name = ModuleNumber(pair.side(side).module);
    let context = run.foreign.context(pair, side);
    run.come_to_c();
    let block = run.foreign.of(name.0).block_at(context);
    if block.is_some_and(|block| block.is_freed) {
        run.record(What::UsedAfterFree(Thing::Context { pair, side }));
    }
    let result = run.foreign.of(name.0).call(hosted::Entry::Called(context));
    let doing = message!["the function of " {name} "'s dispatch table"];
    run.came_back(name.0, doing, result);
}

fn callback(interpreter: &mut Interpreter<'_, Frame<'_>>, binding: Option<BindingHandle>) -> Reply {
    let run = interpreter.host.run;
    let open = interpreter.host.open_callback();
    let (pair, side, kind) = (open.callback.pair, open.callback.side, open.callback.kind);
    let reg = pair.side(side);
    let (module, what) = (run.foreign.of(reg.module), run.foreign.registered(reg));
    let doing = message![{ModuleNumber(reg.module)} "'s " {kind.to_string()} " callback"];
    let bits = binding.map_or(0, |binding| binding.to_raw().1);
    run.come_to_c();
    match (kind, side) {
        (CallbackKind::Attach, Side::Client) => {
            let provider = run.named_to(pair, Side::Provider);
            let result = module.attach_provider(what, bits, provider);
            let status = run.came_back(reg.module, doing, result);
            attach_reply(interpreter, status)
        }
        (CallbackKind::Attach, Side::Provider) => {
            let client = run.named_to(pair, Side::Client);
            let peer = interpreter.host.peer.take().unwrap_or_default();
            let peer = run.handed_by(pair, Side::Client, peer);
            let result = module.attach_client(what, bits, client, peer);
            let (status, own) = run.came_back(reg.module, doing, result);
            let reply = attach_reply(interpreter, status);
            if reply == Reply::Success {
                run.foreign.hand_over(pair, side, own.context);
                interpreter.host.handed = Some(Handed {
                    context: own.context,
                    dispatch: own.dispatch,
                });
                let attachment = interpreter.attachment(pair, side);
                interpreter.host.attachment = Some(attachment);
            }
            reply
        }
        (CallbackKind::Detach, _) => {
            let result = module.detach(side, what, run.foreign.context(pair, side));
            match run.came_back(reg.module, doing, result) {
                STATUS_PENDING => Reply::Pending,
                // As everywhere: what is not pending is over.
                _ => Reply::Complete,
            }
        }
        (CallbackKind::Cleanup, _) => {
            run.foreign.is_cleaned_up(pair, side);
            let result = module.clean_up(side, what, run.foreign.context(pair, side));
            run.came_back(reg.module, doing, result);
            Reply::Success
        }
    }
}

fn attach_reply(interpreter: &mut Interpreter<'_, Frame<'_>>, status: NTSTATUS) -> Reply {
    match status {
        STATUS_SUCCESS => Reply::Success,
        other => {
            interpreter.host.refusal = Some(Status(other.cast_unsigned()));
            Reply::Failure
        }
    }
}

impl Run {
    fn enters(&self, module: u8, entry: hosted::Entry, doing: Message) {
        self.come_to_c();
        let result = self.foreign.of(module).call(entry);
        self.came_back(module, doing, result);
    }
}

/// Where the calls of modules in C come to: the execution that the thread of the system is in.
struct Here;

impl Here {
    fn run() -> Arc<Run> {
        Run::current().expect("C code runs inside of executions")
    }

    /// Makes a call of a module's, in a frame of its own; then others come between, before its code goes on.
    fn call<R>(
        of: impl FnOnce(&mut Interpreter<'_, Frame<'_>>) -> R,
        then: impl FnOnce(R, &mut Frame<'_>),
    ) -> (NTSTATUS, Option<u64>) {
        let run = Self::run();
        let answer = {
            let mut frame = run.frame();
            let made = of(&mut frame);
            frame.go_on_to_the_end();
            then(made, &mut frame.host);
            let returned = frame.host.returned;
            let refused = frame.host.refusal;
            returned.map_or((STATUS_INTERNAL_ERROR, None), |returned| {
                let bits = returned.handle.map(|handle| handle.to_raw().1);
                (status(returned.answer, refused), bits)
            })
        };
        run.come_to_c();
        answer
    }

    fn handle(side: Side, bits: u64) -> AnyHandle {
        AnyHandle::from_raw(side, (Self::run().registrar.number(), bits))
    }

    fn binding(bits: u64) -> BindingHandle {
        BindingHandle::from_raw(Self::run().registrar.number(), bits)
    }
}

/// What a module is answered.
fn status(answer: Answer, refused: Option<Status>) -> NTSTATUS {
    match answer {
        Answer::Registered | Answer::Done | Answer::Attached => STATUS_SUCCESS,
        Answer::Pending => STATUS_PENDING,
        Answer::Refused => refused.map_or(STATUS_NOINTERFACE, |status| status.0.cast_signed()),
        Answer::NoInterface => STATUS_NOINTERFACE,
        Answer::InsufficientResources => STATUS_INSUFFICIENT_RESOURCES,
        Answer::InvalidParameter => STATUS_INVALID_PARAMETER,
        Answer::InvalidState => STATUS_INVALID_DEVICE_STATE,
        Answer::WouldDeadlock => STATUS_POSSIBLE_DEADLOCK,
        Answer::WrongStatus | Answer::Panicked => STATUS_INTERNAL_ERROR,
    }
}

impl hosted::Host for Here {
    fn register(&self, module: u8, side: Side, what: Registered) -> (NTSTATUS, Option<u64>) {
        let run = Self::run();
        if side != run.prepared.scenario.modules[usize::from(module)].side {
            let why = format!(
                "it registers a {side}, and in the scenario it is a {}",
                side.peer()
            );
            self.refuse(module, &why);
        }
        Self::call(
            |frame| {
                let reg = frame.registers(module);
                lock(&frame.host.run.foreign.registered).push((reg, what));
            },
            |(), _| {},
        )
    }

    fn deregister(&self, module: u8, side: Side, handle: u64) -> NTSTATUS {
        let handle = Self::handle(side, handle);
        let (status, _) = Self::call(|frame| frame.deregisters(module, handle), |(), _| {});
        match status {
            // A callback's panic comes when everything is done (C18).
            STATUS_INTERNAL_ERROR => STATUS_PENDING,
            status => status,
        }
    }

    fn wait(&self, module: u8, side: Side, handle: u64) -> NTSTATUS {
        let handle = Self::handle(side, handle);
        Self::call(|frame| frame.waits(module, handle), |(), _| {}).0
    }

    fn complete(&self, _: u8, side: Side, binding: u64) {
        let binding = Self::binding(binding);
        Self::call(
            |frame| {
                let run = frame.host.run;
                let pair = frame.pair_of(binding);
                if let Some(pair) = pair {
                    run.pending
                        .complete(pair, side, || run.completes_early(pair, side));
                }
                frame.completes_detach(side, binding);
            },
            |(), _| {},
        );
    }

    fn attach(&self, _: u8, binding: u64, own: hosted::Handed) -> Result<hosted::Handed, NTSTATUS> {
        let binding = Self::binding(binding);
        let mut peer = hosted::Handed::default();
        let (status, _) = Self::call(
            |frame| {
                let pair = frame.pair_of(binding);
                if let Some(pair) = pair {
                    (frame.host.run.foreign).hand_over(pair, Side::Client, own.context);
                }
                frame.host.handed = Some(Handed {
                    context: own.context,
                    dispatch: own.dispatch,
                });
                frame.attaches(binding);
                pair
            },
            |pair, frame| {
                if let (Some(pair), Some(given)) = (pair, frame.peer.take()) {
                    peer = frame.run.handed_by(pair, Side::Provider, given);
                }
            },
        );
        match status {
            STATUS_SUCCESS => Ok(peer),
            status => Err(status),
        }
    }

    fn call_peer(&self, module: u8, context: usize) {
        let run = Self::run();
        let side = run.prepared.scenario.modules[usize::from(module)].side;
        match run.peer_at(context) {
            Some(pair) if pair.side(side).module == module => {
                Self::call(|frame| frame.calls_peer(pair, side), |(), _| {});
            }
            _ => {
                let at = format!("{context:#x}");
                let message = message![
                    {ModuleNumber(module)} " calls NmrExCallPeer with " {at.as_str()} ", which no peer has handed over \
                    (the module's fault, not the registrar's)"
                ];
                run.fails(None, message);
            }
        }
    }

    fn mistaken(&self, module: u8, mistake: &Mistake) {
        let run = Self::run();
        let name = ModuleNumber(module);
        let (rule, message) = match mistake {
            Mistake::Registers(fault) => (
                None,
                message![{name} " registers what is not as documented: " {*fault}],
            ),
            Mistake::FreesTwice(block) => {
                let (rule, what) = run.block(module, *block, block.address);
                (rule, message![{what} ": it is freed again"])
            }
            Mistake::FreesNothing(address) => {
                let at = format!("{address:#x}");
                (
                    None,
                    message![{name} " frees " {at.as_str()} ", which is no block of its memory"],
                )
            }
            Mistake::Outside(outside) => (None, written(name, *outside)),
            Mistake::Jumped => (None, jumped(name)),
        };
        run.fails(
            rule,
            message![{message} " (the module's fault, not the registrar's)"],
        )
    }

    fn refuse(&self, module: u8, why: &str) {
        let run = Self::run();
        let name = &run.prepared.scenario.modules[usize::from(module)].name;
        let why = format!("the C module {name} cannot be driven: {why}");
        lock(&run.foreign.refused).get_or_insert(why);
        run.recorder.freeze();
        nmr_sync::hook::abandon_execution();
        resume_unwind(Box::new(recorder::Stop))
    }
}

impl Run {
    /// A side completes a detach that is not pending yet, if its callback runs.
    fn completes_early(&self, pair: Pair, side: Side) {
        let inside = lock(&self.inside);
        let runs = |callback: &crate::event::Callback| {
            (callback.kind, callback.pair, callback.side) == (CallbackKind::Detach, pair, side)
        };
        if inside.iter().any(|(_, callback)| runs(callback)) {
            lock(&self.foreign.early).push((pair, side));
        }
    }
}
