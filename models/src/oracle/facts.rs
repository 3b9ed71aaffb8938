//! What was observed of a registrar so far, in the contract's terms.
//!
//! Data and questions about it; [`record`](super::record) keeps it up to date, the rules judge it.
//! Times are never kept, only what follows from an order, so that histories which leave the same
//! future open are equal. They hash alike also if they differ by nothing but a
//! [symmetry](crate::symmetry) under which they are hashed; all that is there counts.

use std::hash::{Hash, Hasher};

use crate::event::{
    Answer, Call, Callback, CallbackKind, Event, Pair, Refusal, RegId, Reply, Side, Thing, What,
};
use crate::flat::{FlatMap, Threads, clone_in_place};
use crate::message::{Message, message};
use crate::permuted::{ModuleNumber, ThreadNumber};
use crate::scenario::{Limits, Terms};

/// Everything observed so far.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Facts {
    pub(super) registrations: FlatMap<RegId, Registration>,
    /// By their registrations; a pair that nobody was called for is not there.
    pub(super) bindings: FlatMap<Pair, Binding>,
    /// Pairs whose binding is over and of which nothing else is kept.
    pub(super) gone: Gone,
    /// What each thread is inside of, innermost last. A thread that is inside of nothing is not
    /// there.
    pub(super) threads: FlatMap<ThreadNumber, Vec<Frame>>,
    /// How many spin locks each thread has that has any; kept under the rules of Windows.
    pub(super) raised: FlatMap<ThreadNumber, u8>,
    /// Calls of modules for what they have not registered, or not any more.
    pub(super) refused: FlatMap<(ModuleNumber, Refusal), ()>,
    pub(super) known: Known,
}

clone_in_place!(Facts {
    registrations,
    bindings,
    gone,
    threads,
    raised,
    refused,
    known,
});

/// What is known beforehand. The same throughout an execution, and so no part of what tells states apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The limits of the registrar that is observed; `None` if they are not known.
    pub(super) limits: Option<Limits>,
    /// The rules in force besides the contract's.
    pub(super) terms: Terms,
}

impl Hash for Known {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// The most that there may have been at some time during a register call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Most {
    /// Other registrations that held a place.
    pub(super) registrations: usize,
    /// Bindings, those that the call wanted included.
    pub(super) bindings: usize,
}

impl Most {
    /// Whether a register call may have found no room.
    pub(super) fn fills(&self, limits: Limits) -> bool {
        let Self {
            registrations,
            bindings,
        } = *self;
        limits
            .max_registrations
            .is_some_and(|limit| registrations >= limit)
            || limits.max_bindings.is_some_and(|limit| bindings > limit)
    }
}

/// A pair that is gone is judged like one that was never called for, but for its handle: that counts
/// only where handles are used that outlive what they name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gone {
    pairs: FlatMap<Pair, ()>,
    /// Whether that counts.
    counts: bool,
}

clone_in_place!(Gone { pairs, counts });

impl Gone {
    pub(super) fn counting(counts: bool) -> Self {
        Self {
            counts,
            ..Self::default()
        }
    }

    pub(super) fn insert(&mut self, pair: Pair) {
        self.pairs.insert(pair, ());
    }

    pub(super) fn contains(&self, pair: Pair) -> bool {
        self.pairs.contains_key(&pair)
    }

    /// Whether any binding is gone.
    pub(super) fn any(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// Whether a binding of `reg` is gone.
    pub(super) fn any_of(&self, reg: RegId) -> bool {
        self.pairs.iter().any(|(&pair, ())| involves(pair, reg))
    }
}

impl Hash for Gone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.counts {
            self.pairs.hash(state);
        }
    }
}

/// Something that a thread is inside of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Frame {
    Call(OpenCall),
    Callback(Callback),
    /// The destructor of something that was let go of.
    Destructor(Thing),
}

/// A call that has not returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenCall {
    pub(super) call: Call,
    /// What its handle named when the call began.
    pub(super) standing: Standing,
    /// Wait: the deregistration had certainly begun before the call.
    pub(super) begun: bool,
    /// Attach: this is the one call that C3 allows.
    pub(super) valid: bool,
    /// Detach-complete: the side's detach callback had begun before the call.
    pub(super) detaching: bool,
    /// Detach-complete: the side was certainly complete before the call.
    pub(super) complete: bool,
    /// A callback began inside.
    pub(super) called_back: bool,
    /// A callback directly inside panicked.
    pub(super) panicked: bool,
    /// The latest pair that attached inside when a deregistration of one of its sides had certainly begun (C6).
    pub(super) late: Option<Pair>,
}

/// What a handle is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    /// It names nothing, or nothing any more.
    Dead,
    /// It may not have been handed out yet: nothing is expected of it.
    Unknown,
    /// It names something.
    Live,
}

/// How a register call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Issue {
    Calling,
    Registered,
    Refused,
    /// It panicked, which takes the registration back (C18).
    Withdrawn,
}

/// A registration, or an attempt at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub(super) side: Side,
    pub(super) npi: u8,
    pub(super) issue: Issue,
    /// Its deregistration may have begun: a deregister call was made, or its register call has a
    /// panic to pass on.
    pub(super) closing: bool,
    /// Its deregistration has certainly begun.
    pub(super) begun: bool,
    /// Threads that have been in a call which can attach, and in nothing inside of it, since before that,
    /// without any event: what they do next they may have decided before.
    pub(super) unaware: Threads,
    pub(super) deregisters_open: u8,
    /// Two deregister calls were open at the same time.
    pub(super) contested: bool,
    /// A deregister call was accepted.
    pub(super) deregistered: bool,
    /// An owner has dropped it: that deregistered it, unless a call that was open at the same time did.
    pub(super) released: bool,
    pub(super) waits_open: u8,
    /// A wait for it returned done: its handle is dead.
    pub(super) over: bool,
    /// Its owner dropped it where it could not be waited for: it goes when it can.
    pub(super) abandoned: bool,
    /// A callback of one of its bindings has begun.
    pub(super) called: bool,
    pub(super) module_dropped: bool,
    /// It was refused, and there was room: that was the reservation which is made to fail.
    pub(super) by_fault: bool,
    /// While its register call is open, and there are limits.
    pub(super) most: Most,
}

/// What the client's attach callback came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// Attached; `late` if a deregistration of a side had been called by then (C6).
    Attached { late: bool },
    /// The provider attached, the client then did not (C5).
    ChangedMind,
    /// The client answered success without having attached (C4).
    Hollow,
    /// The client answered failure.
    Declined,
    /// The client panicked without having attached (C18).
    Panicked,
}

/// How far something that happens once has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Progress<T> {
    #[default]
    NotBegun,
    Running,
    Ended(T),
}

impl<T> Progress<T> {
    pub(super) const fn has_begun(&self) -> bool {
        !matches!(self, Self::NotBegun)
    }
}

/// How a detach callback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Detached {
    Pending,
    /// Complete, but the thread that made the callback may not have told the registrar yet.
    Completing(ThreadNumber),
    Complete,
}

/// One side of a binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) detach: Progress<Detached>,
    pub(super) completions_open: u8,
    /// A detach-complete call was accepted.
    pub(super) completed: bool,
    pub(super) cleanup: Progress<()>,
    /// Binding contexts that this side gave out for the binding: one, unless it attaches twice.
    pub(super) handed: u8,
    /// How many of these the registrar let go of.
    pub(super) dropped: u8,
    /// Calls of the peer in progress that use this side's binding context.
    pub(super) dispatches: u8,
}

/// A pair whose client was called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Binding {
    /// The client's attach callback.
    pub(super) attach: Progress<Outcome>,
    /// The one call that C3 allows was made.
    pub(super) tried: bool,
    /// The provider's attach callback.
    pub(super) provider: Progress<Reply>,
    ends: [End; 2],
    /// The thread whose next step is after the end of this binding.
    pub(super) leaving: Option<ThreadNumber>,
    /// Certainly gone.
    pub(super) dead: bool,
}

impl Frame {
    /// Whether an attach callback may be what comes next in it.
    const fn may_attach(&self) -> bool {
        let Self::Call(open) = self else { return false };
        matches!(open.call, Call::Register { .. } | Call::AttachProvider(_))
    }
}

/// Whether an attach callback may be what comes next of a thread that is inside of this, whatever a destructor
/// does before.
pub(super) fn may_attach_next(frames: &[Frame]) -> bool {
    let inner = frames.iter().skip(1).map(Some).chain([None]);
    let mut each = frames.iter().zip(inner);
    each.any(|(frame, inner)| {
        frame.may_attach() && matches!(inner, None | Some(Frame::Destructor(_)))
    })
}

impl Registration {
    /// No attach callback of it may begin any more (C6).
    pub(super) fn is_shut(&self) -> bool {
        self.begun && self.unaware.is_empty()
    }

    /// It may hold a place that counts for a limit.
    pub(super) fn may_hold_a_place(&self) -> bool {
        match self.issue {
            Issue::Calling => true,
            Issue::Registered | Issue::Withdrawn => {
                // What nobody waits for has given its place back before its module is let go of.
                !(self.over || self.abandoned && self.module_dropped)
            }
            Issue::Refused => false,
        }
    }

    /// It certainly holds a place that counts for a limit.
    pub(super) fn holds_a_place(&self) -> bool {
        self.issue == Issue::Registered && !self.over && !self.abandoned && self.waits_open == 0
    }

    /// Its wait has returned, and nothing is going on for it any more.
    pub(super) fn is_settled(&self) -> bool {
        self.over && self.module_dropped && self.deregisters_open == 0 && self.waits_open == 0
    }
}

impl End {
    /// It may be that this side is detached by now.
    pub(super) fn may_be_complete(&self) -> bool {
        match self.detach {
            Progress::NotBegun | Progress::Running => false,
            Progress::Ended(Detached::Pending) => self.completed || self.completions_open > 0,
            Progress::Ended(_) => true,
        }
    }

    /// Everything was said that makes this side detached.
    pub(super) fn is_complete(&self) -> bool {
        match self.detach {
            Progress::NotBegun | Progress::Running => false,
            Progress::Ended(Detached::Pending) => self.completed,
            Progress::Ended(_) => true,
        }
    }
}

impl Binding {
    pub(super) fn end(&self, side: Side) -> &End {
        &self.ends[side as usize]
    }

    pub(super) fn end_mut(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    pub(super) fn ends_mut(&mut self) -> impl Iterator<Item = &mut End> {
        self.ends.iter_mut()
    }

    pub(super) const fn outcome(&self) -> Option<Outcome> {
        match self.attach {
            Progress::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether this side has something to detach and to clean up.
    pub(super) const fn is_due(&self, side: Side) -> bool {
        match self.outcome() {
            Some(Outcome::Attached { .. }) => true,
            Some(Outcome::ChangedMind) => matches!(side, Side::Provider),
            _ => false,
        }
    }

    /// The registrar still holds the binding context that this side gave out. One that was never
    /// passed on to the provider may still be on its way out of the client's call.
    pub(super) fn is_holding(&self, side: Side) -> bool {
        let end = self.end(side);
        self.provider.has_begun() && end.handed > 0 && end.dropped == 0
    }

    pub(super) fn due(&self) -> impl Iterator<Item = (Side, &End)> {
        let sides = Side::BOTH.into_iter().filter(|&side| self.is_due(side));
        sides.map(|side| (side, self.end(side)))
    }

    /// It is over, and whatever was handed over for it is let go of.
    pub(super) fn is_settled(&self) -> bool {
        let is_quiet = |end: &End| {
            end.dropped >= end.handed && end.completions_open == 0 && end.dispatches == 0
        };
        self.dead && self.may_be_gone() && self.ends.iter().all(is_quiet)
    }

    /// It was attached and detached, or declined: there is no rule of its own for how it ended.
    pub(super) const fn is_plain(&self) -> bool {
        let outcome = self.outcome();
        matches!(outcome, Some(Outcome::Attached { .. } | Outcome::Declined))
    }

    /// No callback is due or running any more: the registrar may have removed the binding.
    pub(super) fn may_be_gone(&self) -> bool {
        let cleaned = |(_, end): (Side, &End)| end.cleanup == Progress::Ended(());
        self.outcome().is_some() && self.due().all(cleaned)
    }
}

impl Facts {
    pub(super) fn frames(&self, thread: u8) -> &[Frame] {
        let frames = self.threads.get(&ThreadNumber(thread));
        frames.map_or(&[], Vec::as_slice)
    }

    /// The callbacks that a thread is inside of, outermost first.
    pub(super) fn callbacks(&self, thread: u8) -> impl Iterator<Item = &Callback> {
        self.frames(thread).iter().filter_map(|frame| match frame {
            Frame::Callback(callback) => Some(callback),
            Frame::Call(_) | Frame::Destructor(_) => None,
        })
    }

    /// Whether the callback that is the `nth` thing a thread is inside of detaches a late comer: the register
    /// call that attached the binding does so itself (C6).
    pub(super) fn detaches_late_comer(&self, thread: u8, nth: usize) -> bool {
        let frames = self.frames(thread);
        let (Some(Frame::Callback(callback)), Some(Frame::Call(open))) = (
            frames.get(nth),
            nth.checked_sub(1).map(|outer| &frames[outer]),
        ) else {
            return false;
        };
        let outcome = self.bindings.get(&callback.pair).and_then(Binding::outcome);
        // With a panic the call takes its registration back, and all that it attached.
        callback.kind == CallbackKind::Detach
            && matches!(open.call, Call::Register { .. })
            && !open.panicked
            && matches!(outcome, Some(Outcome::Attached { .. }))
    }

    /// Whether a thread is inside a destructor. What it does there says nothing of how far the call is that runs it.
    pub(super) fn is_destroying(&self, thread: u8) -> bool {
        let mut frames = self.frames(thread).iter();
        frames.any(|frame| matches!(frame, Frame::Destructor(_)))
    }

    /// Whether the registrar may take a thread for one inside a callback for a binding of `reg`: it is, or it is inside
    /// the destructor of a context of that binding, which goes on after the cleanup callback and may be a part of it.
    pub(super) fn may_be_inside(&self, thread: u8, reg: RegId) -> bool {
        let mut frames = self.frames(thread).iter();
        let its = |frame: &Frame| matches!(frame, Frame::Destructor(Thing::Context { pair, .. }) if involves(*pair, reg));
        self.is_inside(thread, reg) || frames.any(its)
    }

    /// Whether a thread is inside a callback of either side for a binding of `reg`.
    pub(super) fn is_inside(&self, thread: u8, reg: RegId) -> bool {
        self.callbacks(thread)
            .any(|callback| involves(callback.pair, reg))
    }

    /// The innermost thing that a thread is inside of, if that is a call.
    pub(super) fn innermost_call(&self, thread: u8) -> Option<&OpenCall> {
        match self.frames(thread).last() {
            Some(Frame::Call(open)) => Some(open),
            _ => None,
        }
    }

    /// The call that `event` answers.
    pub(super) fn returning(&self, event: &Event) -> Option<(u8, &OpenCall, Answer)> {
        let (Some(thread), What::Return(answer)) = (event.thread, event.what) else {
            return None;
        };
        Some((thread, self.innermost_call(thread)?, answer))
    }

    /// The registration of a wait that `event` says is done, or of a register call whose panic
    /// includes that wait (C18). Inside a callback of its own nobody waits for a registration.
    pub(super) fn waited(&self, event: &Event) -> Option<(u8, RegId)> {
        let (thread, open, answer) = self.returning(event)?;
        let reg = match (open.call, answer) {
            (Call::Wait(Some(reg)) | Call::Release(reg), Answer::Done) => reg,
            // Inside a callback that wait may have been impossible.
            (Call::Register { reg, .. }, Answer::Panicked)
                if self.callbacks(thread).next().is_none() =>
            {
                reg
            }
            _ => return None,
        };
        (!self.may_be_inside(thread, reg)).then_some((thread, reg))
    }

    /// The callback that `event` ends.
    pub(super) fn ending(&self, event: &Event) -> Option<(Callback, Reply)> {
        let (Some(thread), What::End(reply)) = (event.thread, event.what) else {
            return None;
        };
        match self.frames(thread).last() {
            Some(&Frame::Callback(callback)) => Some((callback, reply)),
            _ => None,
        }
    }

    /// The most bindings that there can be now, those that `calling` is about to make included.
    pub(super) fn possible_bindings(&self, calling: RegId) -> usize {
        let may_be = |side| {
            let all = self.registrations.iter();
            all.filter(move |(_, one)| one.side == side && one.may_hold_a_place())
        };
        let pairs = may_be(Side::Client).flat_map(|(&client, one)| {
            let providers = may_be(Side::Provider).filter(|(_, other)| other.npi == one.npi);
            providers.map(move |(&provider, _)| Pair { client, provider })
        });
        pairs
            .filter(|&pair| self.may_be_bound(pair, calling))
            .count()
    }

    fn may_be_bound(&self, pair: Pair, calling: RegId) -> bool {
        let regs = pair.registrations();
        let mut others = regs.iter().filter(|&&reg| reg != calling);
        let of = |reg: &RegId| &self.registrations[reg];
        if regs.contains(&calling) {
            // A peer that had begun to leave before is offered to nobody.
            return others.all(|reg| !of(reg).begun);
        }
        match self.bindings.get(&pair) {
            Some(binding) => !binding.dead,
            // Never called for: a proposal is withdrawn when one of the two leaves.
            None => !self.gone.contains(pair) && !regs.iter().any(|reg| of(reg).is_shut()),
        }
    }

    pub(super) fn is_closing(&self, reg: RegId) -> bool {
        self.registrations.get(&reg).is_some_and(|reg| reg.closing)
    }

    /// Whether either side may be deregistering.
    pub(super) fn is_either_closing(&self, pair: Pair) -> bool {
        self.is_closing(pair.client) || self.is_closing(pair.provider)
    }

    /// Whether a deregistration of either side has certainly begun.
    pub(super) fn has_either_begun_to_close(&self, pair: Pair) -> bool {
        let sides = [pair.client, pair.provider].map(|reg| self.registrations.get(&reg));
        sides.into_iter().flatten().any(|side| side.begun)
    }

    /// Whether a pair is attached, and a side has not been asked to detach.
    pub(super) fn is_forgotten(&self, pair: Pair) -> bool {
        self.bindings.get(&pair).is_some_and(|binding| {
            matches!(binding.outcome(), Some(Outcome::Attached { .. }))
                && binding.due().any(|(_, end)| !end.detach.has_begun())
        })
    }

    pub(super) fn bindings_of(&self, reg: RegId) -> impl Iterator<Item = (Pair, &Binding)> {
        self.pairs().filter(move |&(pair, _)| involves(pair, reg))
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (Pair, &Binding)> {
        self.bindings.iter().map(|(&pair, binding)| (pair, binding))
    }

    /// Why the deregistration of `reg` cannot be over yet (C10).
    pub(super) fn unfinished(&self, reg: RegId) -> Option<Message> {
        self.bindings_of(reg)
            .find_map(|(pair, binding)| match binding.attach {
                Progress::NotBegun => None,
                Progress::Running => Some(message!["an attach callback for " {pair} " is running"]),
                Progress::Ended(_) => {
                    (!binding.may_be_gone()).then(|| message![{pair} " is not cleaned up"])
                }
            })
    }

    /// Whether the registrar may be asking that side to detach, seen from outside before the
    /// callback has begun.
    pub(super) fn may_detach(&self, pair: Pair, side: Side) -> bool {
        self.bindings.get(&pair).is_some_and(|binding| {
            binding.is_due(side)
                && (self.is_either_closing(pair) || binding.outcome() == Some(Outcome::ChangedMind))
        })
    }

    /// What a registration's handle is worth now.
    pub(super) fn standing(&self, reg: Option<RegId>) -> Standing {
        match reg.map(|reg| self.registrations.get(&reg)) {
            None | Some(None) => Standing::Dead,
            Some(Some(reg)) => match reg.issue {
                Issue::Calling => Standing::Unknown,
                Issue::Registered if !reg.over => Standing::Live,
                _ => Standing::Dead,
            },
        }
    }

    /// What a binding's handle is worth now.
    pub(super) fn binding_standing(&self, pair: Option<Pair>) -> Standing {
        let Some(pair) = pair else {
            return Standing::Dead;
        };
        if self.gone.contains(pair) {
            return Standing::Dead;
        }
        match self.bindings.get(&pair) {
            None => Standing::Unknown,
            Some(binding) if binding.dead => Standing::Dead,
            Some(_) => Standing::Live,
        }
    }
}

/// Whether a registration is one of a pair's two.
pub(super) fn involves(pair: Pair, reg: RegId) -> bool {
    pair.client == reg || pair.provider == reg
}

/// The callback that `event` begins, and the thread.
pub(super) fn beginning(event: &Event) -> Option<(u8, Callback)> {
    match (event.thread, event.what) {
        (Some(thread), What::Begin(callback)) => Some((thread, callback)),
        _ => None,
    }
}

/// The same, if it is of that kind.
pub(super) fn beginning_of(event: &Event, kind: CallbackKind) -> Option<(u8, Callback)> {
    beginning(event).filter(|(_, callback)| callback.kind == kind)
}
