//! Calls, callbacks and answers in the contract's words.

use crate::event::{Answer, Call, Callback, Thing};
use crate::message::{Message, message};

use super::facts::{Facts, Frame};

fn named(target: Option<impl Into<Message>>) -> Message {
    target.map_or_else(|| "a handle that names nothing".into(), Into::into)
}

/// As in "deregister m0".
impl From<Call> for Message {
    fn from(call: Call) -> Self {
        match call {
            Call::Register { reg, side, npi } => message![
                "register " {side} " " {reg} " (interface " {usize::from(npi)} ")"
            ],
            Call::Deregister(reg) => message!["deregister " {named(reg)}],
            Call::Wait(reg) => message!["wait for " {named(reg)}],
            Call::Release(reg) => message!["release " {reg}],
            Call::AttachProvider(pair) => message!["client_attach_provider " {named(pair)}],
            Call::DetachComplete { side, pair } => {
                message![{side} "_detach_complete " {named(pair)}]
            }
        }
    }
}

/// As in "the client's detach callback for m0–m1".
impl From<Callback> for Message {
    fn from(Callback { kind, side, pair }: Callback) -> Self {
        message!["the " {side} "'s " {kind} " callback for " {pair}]
    }
}

/// As in "answered pending".
impl From<Answer> for Message {
    fn from(it: Answer) -> Self {
        answer(it).into()
    }
}

/// An answer, as in "answered pending".
pub(crate) const fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Registered => "a handle",
        Answer::Pending => "pending",
        Answer::WrongStatus => "a status that it never answers",
        Answer::Done => "done",
        Answer::Attached => "attached",
        Answer::Refused => "refused by the provider",
        Answer::NoInterface => "no-interface",
        Answer::InsufficientResources => "insufficient resources",
        Answer::InvalidParameter => "invalid parameter",
        Answer::InvalidState => "invalid state",
        Answer::WouldDeadlock => "would deadlock",
        Answer::Panicked => "a panic",
    }
}

/// What a thread is inside of, innermost first.
pub(super) fn open_calls(facts: &Facts, thread: u8) -> Message {
    let frames = facts.frames(thread).iter().enumerate().rev();
    let frames = frames.map(|(nth, frame)| match frame {
        Frame::Call(open) => open.call.into(),
        Frame::Callback(open) if facts.detaches_late_comer(thread, nth) => {
            message![{*open} ", a late comer"]
        }
        Frame::Callback(open) => (*open).into(),
        Frame::Destructor(Thing::Module(reg)) => message!["the destructor of " {*reg}],
        Frame::Destructor(Thing::Context { pair, side }) => {
            message!["the destructor of the " {*side} "'s binding context of " {*pair}]
        }
    });
    let frames: Vec<_> = frames.collect();
    match frames.is_empty() {
        true => "no call".into(),
        false => Message::joined(frames, ", inside "),
    }
}
