//! Who owes what to whom in an execution that cannot go on: every completion that is missing and who would
//! have sent it, and threads that wait for each other in a ring.
//!
//! What was observed says what a wait hangs on; what a thread would have done later only the
//! [scripts](Scripts) say. It judges nothing.

use crate::event::{Call, Callback, Pair, RegId, Side};
use crate::message::{Message, message};
use crate::permuted::ThreadNumber;

use super::facts::{Detached, Facts, Frame, Progress, involves};
use super::words;

/// A pending detach that was not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) pair: Pair,
    pub(crate) side: Side,
}

impl Missing {
    /// The registration whose module owes the completion.
    pub(crate) const fn owner(self) -> RegId {
        self.pair.side(self.side)
    }
}

/// Who would have sent a completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Debtor {
    pub(crate) thread: u8,
    /// What would have sent it, in words.
    pub(crate) with: Message,
}

/// What a thread waits for that is nothing of the registrar's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    /// An event or a lock, in words.
    pub(crate) what: Message,
    /// Threads that would have set it, later, or that have it.
    pub(crate) debtors: Vec<Debtor>,
    /// Callbacks that would have set it, had they been called; in words.
    pub(crate) uncalled: Vec<Message>,
}

/// What the threads of the execution have still to do.
pub(crate) trait Scripts {
    /// Threads that would have sent it, later.
    fn debtors(&self, missing: Missing) -> Vec<Debtor>;

    /// Callbacks that would have sent it, had they been called; in words.
    fn uncalled(&self, missing: Missing) -> Vec<Message>;

    /// What a thread waits for beside the registrar, if it does.
    fn outside(&self, _thread: u8) -> Option<Outside> {
        None
    }

    /// Why a thread that is not blocked does not come to what it has to do, if it has anything.
    fn held_up(&self, thread: u8) -> Option<HeldUp>;

    /// What a thread does that is inside no call, in words.
    fn doing(&self, thread: u8) -> Option<Message>;

    /// Whether threads go on for ever, and nothing changes: a livelock.
    fn spin(&self) -> bool {
        false
    }
}

/// Why a thread that waits inside no call does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldUp {
    /// The main thread has not started it yet.
    Unstarted,
    /// It is the main thread, and waits for the others to end.
    Joining,
}

/// Nothing is known of any script.
impl Scripts for () {
    fn debtors(&self, _: Missing) -> Vec<Debtor> {
        Vec::new()
    }

    fn uncalled(&self, _: Missing) -> Vec<Message> {
        Vec::new()
    }

    fn held_up(&self, _: u8) -> Option<HeldUp> {
        None
    }

    fn doing(&self, _: u8) -> Option<Message> {
        None
    }
}

/// An execution that cannot go on.
#[derive(Clone, Copy)]
pub(super) struct Standstill<'a> {
    pub(super) facts: &'a Facts,
    /// The threads that have not ended.
    pub(super) blocked: &'a [u8],
    pub(super) scripts: &'a dyn Scripts,
}

/// Why a thread does not go on, as far as that is another thread's matter, and whose.
#[derive(Clone)]
struct Edge {
    why: Why,
    thread: u8,
}

#[derive(Clone)]
enum Why {
    Outside(Message, Message),
    Completion(Missing),
    Callback(RegId, Callback),
    Call(RegId, Call),
    Start,
    End,
}

impl Standstill<'_> {
    /// Every completion that is missing.
    pub(super) fn missing(self) -> Vec<Missing> {
        let pending = Progress::Ended(Detached::Pending);
        let of_pair = |(pair, binding): (Pair, &super::facts::Binding)| {
            let missing = binding.due();
            let missing = missing.filter(|(_, end)| end.detach == pending && !end.completed);
            missing
                .map(|(side, _)| Missing { pair, side })
                .collect::<Vec<_>>()
        };
        let all = self.facts.pairs().flat_map(of_pair);
        all.filter(|&it| !self.is_being_sent(it)).collect()
    }

    /// Whether a thread is inside the call that sends it, which makes callbacks.
    fn is_being_sent(self, Missing { pair, side }: Missing) -> bool {
        let pair = Some(pair);
        let call = Call::DetachComplete { side, pair };
        let sends = |frame: &Frame| matches!(frame, Frame::Call(open) if open.call == call);
        let mut blocked = self.blocked.iter();
        blocked.any(|&thread| self.facts.frames(thread).iter().any(sends))
    }

    /// Whether a thread waits for what is nothing of the registrar's.
    pub(super) fn is_outside(self, thread: u8) -> bool {
        self.scripts.outside(thread).is_some()
    }

    /// The call that a thread waits in. A destructor that waits for something beside the registrar is inside a call
    /// too, and that call waits for nothing.
    pub(super) fn call(self, thread: u8) -> Option<Call> {
        let open = self.facts.innermost_call(thread)?;
        (!self.is_outside(thread)).then_some(open.call)
    }

    /// What a thread waits for, if that is the end of a deregistration.
    fn awaited(self, thread: u8) -> Option<RegId> {
        match self.call(thread)? {
            Call::Wait(Some(reg)) | Call::Release(reg) => Some(reg),
            _ => None,
        }
    }

    /// A wait that hangs on nothing.
    pub(super) fn groundless(self) -> Option<RegId> {
        let waits = self
            .blocked
            .iter()
            .filter_map(|&thread| self.awaited(thread));
        let mut waits = waits.filter(|&reg| {
            !self.missing().iter().any(|it| involves(it.pair, reg)) && self.inside(reg).is_empty()
        });
        waits.next()
    }

    /// The threads that are inside something that has to end before the deregistration of `reg` does, and do
    /// something else inside it.
    fn inside(self, reg: RegId) -> Vec<Edge> {
        let bound = |other: RegId| {
            other == reg
                || self
                    .facts
                    .bindings_of(reg)
                    .any(|(pair, _)| involves(pair, other))
        };
        let why = |frame: &Frame| match frame {
            &Frame::Callback(callback) if involves(callback.pair, reg) => {
                Some(Why::Callback(reg, callback))
            }
            Frame::Call(open) if open.call.registrations().any(bound) => {
                Some(Why::Call(reg, open.call))
            }
            _ => None,
        };
        let edges = self.blocked.iter().filter_map(|&thread| {
            let (innermost, outer) = self.facts.frames(thread).split_last()?;
            // A callback that is innermost is one that goes on, and so is a call whose destructor waits.
            let goes_on = matches!(innermost, Frame::Callback(_)) || self.is_outside(thread);
            let own = goes_on.then(|| why(innermost)).flatten();
            // A callback says more than the call that makes it.
            let why = own.or_else(|| outer.iter().rev().find_map(why))?;
            Some(Edge { why, thread })
        });
        edges.collect()
    }

    fn edges(self, thread: u8) -> Vec<Edge> {
        if let Some(Outside { what, debtors, .. }) = self.scripts.outside(thread) {
            let edges = debtors.into_iter().map(|Debtor { thread, with }| Edge {
                why: Why::Outside(what.clone(), with),
                thread,
            });
            return edges.collect();
        }
        if let Some(reg) = self.awaited(thread) {
            let missing = self.missing().into_iter();
            let missing = missing.filter(|it| involves(it.pair, reg));
            let owed = missing.flat_map(|it| {
                let debtors = self.scripts.debtors(it).into_iter();
                debtors.map(move |Debtor { thread, .. }| Edge {
                    why: Why::Completion(it),
                    thread,
                })
            });
            return owed.chain(self.inside(reg)).collect();
        }
        match self.scripts.held_up(thread) {
            Some(HeldUp::Unstarted) => vec![Edge {
                why: Why::Start,
                thread: 0,
            }],
            Some(HeldUp::Joining) => {
                let end = |&thread: &u8| Edge {
                    why: Why::End,
                    thread,
                };
                self.blocked.iter().map(end).collect()
            }
            None => Vec::new(),
        }
    }

    /// The shortest ring through a thread: why it does not go on, and so on to itself.
    fn ring_through(self, start: u8) -> Option<Vec<Edge>> {
        let mut paths: Vec<Vec<Edge>> = vec![Vec::new()];
        let mut seen = Vec::new();
        while !paths.is_empty() {
            let mut longer = Vec::new();
            for path in &paths {
                for edge in self.edges(path.last().map_or(start, |edge| edge.thread)) {
                    let thread = edge.thread;
                    let path = [path.as_slice(), &[edge]].concat();
                    if thread == start {
                        return Some(path);
                    }
                    if !seen.contains(&thread) {
                        seen.push(thread);
                        longer.push(path);
                    }
                }
            }
            paths = longer;
        }
        None
    }

    /// Whether threads wait for each other, and one of them for what is nothing of the registrar's.
    pub(super) fn has_ring_outside(self) -> bool {
        let mut outside = self.blocked.iter();
        outside.any(|&thread| self.is_outside(thread) && self.ring_through(thread).is_some())
    }

    /// What threads wait for beside the registrar that nobody does any more: the first thread, and what.
    pub(super) fn unset(self) -> Option<(u8, Outside)> {
        let mut blocked = self.blocked.iter();
        blocked.find_map(|&thread| {
            let outside = self.scripts.outside(thread)?;
            outside.debtors.is_empty().then_some((thread, outside))
        })
    }

    /// The rings, each in words, and each thread in one at most.
    pub(super) fn rings(self) -> Vec<Message> {
        let mut told: Vec<u8> = Vec::new();
        let mut rings = Vec::new();
        for &thread in self.blocked {
            let ring = (!told.contains(&thread)).then(|| self.ring_through(thread));
            let Some(ring) = ring.flatten() else { continue };
            told.extend(ring.iter().map(|edge| edge.thread));
            let edges = Message::joined(ring.into_iter().map(in_words), ", which ");
            let thread = ThreadNumber(thread);
            rings.push(message!["a ring: thread " {thread} " " {edges}]);
        }
        rings
    }

    /// Who owes a completion, in words.
    pub(super) fn debt(self, missing: Missing) -> Message {
        let debtors = self.scripts.debtors(missing).into_iter();
        let threads = debtors.map(|Debtor { thread, with }| {
            let (thread, instead) = (ThreadNumber(thread), self.instead(thread));
            message!["thread " {thread} " has " {with} ", and " {instead}]
        });
        let uncalled = self.scripts.uncalled(missing).into_iter();
        let uncalled = uncalled.map(|callback| message![{callback} ", and was not called"]);
        let mut owing: Vec<_> = threads.collect();
        if owing.is_empty() {
            owing.extend(uncalled);
        }
        if owing.is_empty() {
            owing.push("no thread has it still to do".into());
        }
        let Missing { pair, .. } = missing;
        let owing = Message::joined(owing, "; or ");
        message![{missing.owner()} " owes the completion of " {pair} ": " {owing}]
    }

    /// What a thread does, who would do something else.
    fn instead(self, thread: u8) -> Message {
        match self.scripts.held_up(thread) {
            Some(HeldUp::Unstarted) => "has not begun".into(),
            Some(HeldUp::Joining) => "waits for the other threads to end".into(),
            None => message!["is inside " {self.doing(thread)}],
        }
    }

    /// What a thread is inside of, in words.
    pub(super) fn doing(self, thread: u8) -> Message {
        let open = || words::open_calls(self.facts, thread);
        let op = self.scripts.doing(thread);
        match (self.facts.frames(thread).last(), op) {
            (None, Some(op)) => op,
            (Some(Frame::Call(_)), Some(op)) if self.is_outside(thread) => {
                message![{op} " of a destructor, inside " {open()}]
            }
            _ => open(),
        }
    }
}

fn in_words(edge: Edge) -> Message {
    let Edge { why, thread } = edge;
    let thread = ThreadNumber(thread);
    match why {
        Why::Outside(what, with) if what == with => {
            message!["waits for " {what} ", which thread " {thread} " has"]
        }
        Why::Outside(what, with) => {
            message!["waits for " {what} ", and thread " {thread} " has " {with}]
        }
        Why::Completion(missing) => message![
            "waits for " {missing.owner()} "'s completion of " {missing.pair} ", owed by thread " {thread}
        ],
        Why::Callback(reg, callback) => message![
            "waits for " {reg} " and so for " {callback} ", inside which is thread " {thread}
        ],
        Why::Call(reg, call) => message![
            "waits for " {reg} " and so for `" {call} "`, inside which is thread " {thread}
        ],
        Why::Start => message!["waits to be started by thread " {thread}],
        Why::End => message!["waits for the end of thread " {thread}],
    }
}
