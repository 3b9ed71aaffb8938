//! Calls, callbacks and answers in the contract's words.

use crate::event::{Answer, Call, Callback, Pair, RegId};

use super::facts::{Facts, Frame};

fn named<T: std::fmt::Display>(target: Option<T>) -> String {
    target.map_or_else(
        || "a handle that names nothing".to_owned(),
        |it| it.to_string(),
    )
}

/// A call, as in "deregister m0".
pub(super) fn call(call: Call) -> String {
    match call {
        Call::Register { reg, side, npi } => format!("register {side} {reg} (interface {npi})"),
        Call::Deregister(reg) => format!("deregister {}", named::<RegId>(reg)),
        Call::Wait(reg) => format!("wait for {}", named::<RegId>(reg)),
        Call::Release(reg) => format!("release {reg}"),
        Call::AttachProvider(pair) => format!("client_attach_provider {}", named::<Pair>(pair)),
        Call::DetachComplete { side, pair } => {
            format!("{side}_detach_complete {}", named::<Pair>(pair))
        }
    }
}

/// A callback, as in "the client's detach callback for m0–m1".
pub(super) fn callback(callback: Callback) -> String {
    let Callback { kind, side, pair } = callback;
    format!("the {side}'s {kind} callback for {pair}")
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
pub(super) fn open_calls(facts: &Facts, thread: u8) -> String {
    let frames = facts.frames(thread).iter().enumerate().rev();
    let frames = frames.map(|(nth, frame)| match frame {
        Frame::Call(open) => call(open.call),
        Frame::Callback(open) if facts.detaches_late_comer(thread, nth) => {
            format!("{}, a late comer", callback(*open))
        }
        Frame::Callback(open) => callback(*open),
    });
    let frames: Vec<_> = frames.collect();
    if frames.is_empty() {
        "no call".to_owned()
    } else {
        frames.join(", inside ")
    }
}
