//! What the registrar's functions answer, as an event tells it: by their status, for who calls from C sees
//! nothing else of an error.

use nmr::{
    AttachError, DeregisterError, DetachCompleteError, HandleKind, RegisterError, Status, WaitError,
};

use super::module::DECLINED;
use crate::event::Answer;

pub(super) fn registered<R>(answer: &Result<R, RegisterError>) -> Answer {
    told(
        answer
            .as_ref()
            .map(|_| Answer::Registered)
            .map_err(|error| error.status()),
    )
}

pub(super) fn deregistered<K: HandleKind>(answer: Result<Status, DeregisterError<K>>) -> Answer {
    let accepted = |status| match status {
        Status::PENDING => Answer::Pending,
        _ => Answer::WrongStatus,
    };
    told(answer.map(accepted).map_err(|error| error.status()))
}

pub(super) fn waited<K: HandleKind>(answer: Result<(), WaitError<K>>) -> Answer {
    told(
        answer
            .map(|()| Answer::Done)
            .map_err(|error| error.status()),
    )
}

pub(super) fn attached(answer: &Result<(), AttachError>) -> Answer {
    told(
        answer
            .map(|()| Answer::Attached)
            .map_err(|error| error.status()),
    )
}

pub(super) fn completed(answer: Result<(), DetachCompleteError>) -> Answer {
    told(
        answer
            .map(|()| Answer::Done)
            .map_err(|error| error.status()),
    )
}

fn told(answer: Result<Answer, Status>) -> Answer {
    answer.unwrap_or_else(|status| match status {
        DECLINED => Answer::Refused,
        Status::INVALID_PARAMETER => Answer::InvalidParameter,
        Status::INVALID_DEVICE_STATE => Answer::InvalidState,
        Status::INSUFFICIENT_RESOURCES => Answer::InsufficientResources,
        Status::NOINTERFACE => Answer::NoInterface,
        Status::POSSIBLE_DEADLOCK => Answer::WouldDeadlock,
        _ => Answer::WrongStatus,
    })
}
