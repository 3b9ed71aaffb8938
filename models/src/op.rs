//! The operations of a scenario's threads and callbacks, and their text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One step of a thread, or of a callback, on a module, an event or a lock that is given by its name or, once that has
/// been looked up, in another way. Written as its words, for example `deregister c`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op<M = String> {
    /// `register M`: registers the module (again, under a new identity, if it was there before).
    Register(M),
    /// `deregister M`: deregisters its latest registration.
    Deregister(M),
    /// `wait M`: waits for its latest registration's deregistration, then frees its context.
    Wait(M),
    /// `complete M`: completes the module's pending detaches as they come, until no thread has a
    /// `wait M` left to do.
    Complete(M),
    /// `complete-all`: the same for the pending detaches of all modules, until no thread has a `wait`
    /// left to do.
    CompleteAll,
    /// `complete-any`: as `complete-all`, whichever of the pending detaches there are comes first: each of
    /// them is tried. (loom, which cannot choose, takes the oldest.)
    CompleteAny,
    /// `complete-wrong M`: as `complete M`, but with the handle of the module's registration in the place of
    /// the binding's (C12).
    CompleteWrong(M),
    /// `try-complete M`: completes the module's oldest pending detach, if there is one now.
    TryComplete(M),
    /// `complete-again M`: calls the detach-complete function for the binding that the module last
    /// completed or, if there is none, last attached (C8).
    CompleteAgain(M),
    /// `attach M`: calls `client_attach_provider` for the client's latest binding (C3).
    Attach(M),
    /// `dispatch M`: the module calls each of its peers through their dispatch tables, guarded by its
    /// rundown.
    Dispatch(M),
    /// `deregister-wrong M`: deregisters M's registration as one of the other side (C12).
    DeregisterWrong(M),
    /// `deregister-foreign M`: deregisters M's registration at another registrar (C12).
    DeregisterForeign(M),
    /// `deregister-forged`: deregisters handles with bits that nobody issued (C12).
    DeregisterForged,
    /// `wait-forged`: waits for handles with bits that nobody issued (C12).
    WaitForged,
    /// `complete-forged`: completes and attaches bindings that nobody issued (C12).
    CompleteForged,
    /// `own M`: registers the module through the owning API, and keeps the registration as a value.
    Own(M),
    /// `leave M`: deregisters such a registration, and waits, in the two steps of the owning API.
    Leave(M),
    /// `release M`: drops such a registration, which deregisters it and waits.
    Release(M),
    /// `set E`: an event is set, for good.
    Set(M),
    /// `await E`: waits until the event is set, inside a callback too.
    Await(M),
    /// `lock L`: takes a lock of the modules' own; waits while somebody has it, be it the same thread.
    Lock(M),
    /// `unlock L`: gives it back. Expected in the list of operations in which it was taken.
    Unlock(M),
    /// `unload M`: the module's driver is unloaded, and its code and data are gone.
    Unload(M),
    /// `yield`: lets another thread go first.
    Yield,
}

/// What a name in an operation is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noun {
    Module,
    Event,
    Lock,
}

impl<M> Op<M> {
    /// The words before the module's name, and the name.
    pub(crate) fn parts(&self) -> (&'static str, Option<&M>) {
        match self {
            Self::Register(module) => ("register", Some(module)),
            Self::Deregister(module) => ("deregister", Some(module)),
            Self::Wait(module) => ("wait", Some(module)),
            Self::Complete(module) => ("complete", Some(module)),
            Self::CompleteAll => ("complete-all", None),
            Self::CompleteAny => ("complete-any", None),
            Self::CompleteWrong(module) => ("complete-wrong", Some(module)),
            Self::TryComplete(module) => ("try-complete", Some(module)),
            Self::CompleteAgain(module) => ("complete-again", Some(module)),
            Self::Attach(module) => ("attach", Some(module)),
            Self::Dispatch(module) => ("dispatch", Some(module)),
            Self::DeregisterWrong(module) => ("deregister-wrong", Some(module)),
            Self::DeregisterForeign(module) => ("deregister-foreign", Some(module)),
            Self::DeregisterForged => ("deregister-forged", None),
            Self::WaitForged => ("wait-forged", None),
            Self::CompleteForged => ("complete-forged", None),
            Self::Own(module) => ("own", Some(module)),
            Self::Leave(module) => ("leave", Some(module)),
            Self::Release(module) => ("release", Some(module)),
            Self::Set(event) => ("set", Some(event)),
            Self::Await(event) => ("await", Some(event)),
            Self::Lock(lock) => ("lock", Some(lock)),
            Self::Unlock(lock) => ("unlock", Some(lock)),
            Self::Unload(module) => ("unload", Some(module)),
            Self::Yield => ("yield", None),
        }
    }

    /// What it is on, if it is on anything.
    pub(crate) const fn noun(&self) -> Noun {
        match self {
            Self::Set(_) | Self::Await(_) => Noun::Event,
            Self::Lock(_) | Self::Unlock(_) => Noun::Lock,
            _ => Noun::Module,
        }
    }

    /// The module.
    pub(crate) fn target(&self) -> Option<&M> {
        self.parts().1.filter(|_| self.noun() == Noun::Module)
    }

    /// The same operation on another module, event or lock, if it is on one.
    #[must_use]
    pub(crate) fn map<N>(&self, other: impl FnOnce(Noun, &M) -> N) -> Op<N> {
        let noun = self.noun();
        let other = |name| other(noun, name);
        match self {
            Self::Register(module) => Op::Register(other(module)),
            Self::Deregister(module) => Op::Deregister(other(module)),
            Self::Wait(module) => Op::Wait(other(module)),
            Self::Complete(module) => Op::Complete(other(module)),
            Self::CompleteAll => Op::CompleteAll,
            Self::CompleteAny => Op::CompleteAny,
            Self::CompleteWrong(module) => Op::CompleteWrong(other(module)),
            Self::TryComplete(module) => Op::TryComplete(other(module)),
            Self::CompleteAgain(module) => Op::CompleteAgain(other(module)),
            Self::Attach(module) => Op::Attach(other(module)),
            Self::Dispatch(module) => Op::Dispatch(other(module)),
            Self::DeregisterWrong(module) => Op::DeregisterWrong(other(module)),
            Self::DeregisterForeign(module) => Op::DeregisterForeign(other(module)),
            Self::DeregisterForged => Op::DeregisterForged,
            Self::WaitForged => Op::WaitForged,
            Self::CompleteForged => Op::CompleteForged,
            Self::Own(module) => Op::Own(other(module)),
            Self::Leave(module) => Op::Leave(other(module)),
            Self::Release(module) => Op::Release(other(module)),
            Self::Set(event) => Op::Set(other(event)),
            Self::Await(event) => Op::Await(other(event)),
            Self::Lock(lock) => Op::Lock(other(lock)),
            Self::Unlock(lock) => Op::Unlock(other(lock)),
            Self::Unload(module) => Op::Unload(other(module)),
            Self::Yield => Op::Yield,
        }
    }

    /// Whether it takes pending detaches, to complete them.
    pub(crate) const fn completes_pending(&self) -> bool {
        matches!(
            self,
            Self::Complete(_)
                | Self::CompleteAll
                | Self::CompleteAny
                | Self::CompleteWrong(_)
                | Self::TryComplete(_)
        )
    }

    /// Whether it passes handles that are made of some module's, whichever has one.
    pub(crate) const fn is_forging(&self) -> bool {
        matches!(
            self,
            Self::DeregisterForged | Self::WaitForged | Self::CompleteForged
        )
    }
}

impl Op {
    /// The words of all operations, and whether a name follows.
    #[cfg(any(test, feature = "schema"))]
    pub(crate) const VERBS: [(&'static str, bool); 25] = [
        ("register", true),
        ("deregister", true),
        ("wait", true),
        ("complete", true),
        ("complete-all", false),
        ("complete-any", false),
        ("complete-wrong", true),
        ("try-complete", true),
        ("complete-again", true),
        ("attach", true),
        ("dispatch", true),
        ("deregister-wrong", true),
        ("deregister-foreign", true),
        ("deregister-forged", false),
        ("wait-forged", false),
        ("complete-forged", false),
        ("own", true),
        ("leave", true),
        ("release", true),
        ("set", true),
        ("await", true),
        ("lock", true),
        ("unlock", true),
        ("unload", true),
        ("yield", false),
    ];

    /// Gives its module another name, if it is on one.
    pub fn rename(&mut self, other: impl FnOnce(&str) -> String) {
        *self = self.map(|noun, name| match noun {
            Noun::Module => other(name),
            Noun::Event | Noun::Lock => name.clone(),
        });
    }

    /// The module that it names.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        self.target().map(String::as_str)
    }
}

impl<M: fmt::Display> fmt::Display for Op<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (verb, Some(module)) => write!(f, "{verb} {module}"),
            (verb, None) => f.write_str(verb),
        }
    }
}

/// A text that is no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no operation: expected `register M`, `deregister M`, `wait M`, `complete M`, \
     `complete-all`, `complete-any`, `complete-wrong M`, `try-complete M`, `complete-again M`, `attach M`, \
     `dispatch M`, `deregister-wrong M`, `deregister-foreign M`, `deregister-forged`, `wait-forged`, \
     `complete-forged`, `own M`, `leave M`, `release M`, `set E`, `await E`, `lock L`, `unlock L`, `unload M` or `yield`, where M is \
     a module's name, E an event's and L a lock's"
)]
pub struct UnknownOp(String);

impl FromStr for Op {
    type Err = UnknownOp;

    fn from_str(text: &str) -> Result<Self, UnknownOp> {
        let mut words = text.split_whitespace();
        let (verb, module) = (words.next().unwrap_or(""), words.next().map(str::to_owned));
        let op = match (verb, module) {
            ("register", Some(module)) => Self::Register(module),
            ("deregister", Some(module)) => Self::Deregister(module),
            ("wait", Some(module)) => Self::Wait(module),
            ("complete", Some(module)) => Self::Complete(module),
            ("complete-all", None) => Self::CompleteAll,
            ("complete-any", None) => Self::CompleteAny,
            ("complete-wrong", Some(module)) => Self::CompleteWrong(module),
            ("try-complete", Some(module)) => Self::TryComplete(module),
            ("complete-again", Some(module)) => Self::CompleteAgain(module),
            ("attach", Some(module)) => Self::Attach(module),
            ("dispatch", Some(module)) => Self::Dispatch(module),
            ("deregister-wrong", Some(module)) => Self::DeregisterWrong(module),
            ("deregister-foreign", Some(module)) => Self::DeregisterForeign(module),
            ("deregister-forged", None) => Self::DeregisterForged,
            ("wait-forged", None) => Self::WaitForged,
            ("complete-forged", None) => Self::CompleteForged,
            ("own", Some(module)) => Self::Own(module),
            ("leave", Some(module)) => Self::Leave(module),
            ("release", Some(module)) => Self::Release(module),
            ("set", Some(event)) => Self::Set(event),
            ("await", Some(event)) => Self::Await(event),
            ("lock", Some(lock)) => Self::Lock(lock),
            ("unlock", Some(lock)) => Self::Unlock(lock),
            ("unload", Some(module)) => Self::Unload(module),
            ("yield", None) => Self::Yield,
            _ => return Err(UnknownOp(text.to_owned())),
        };
        if words.next().is_some() {
            return Err(UnknownOp(text.to_owned()));
        }
        Ok(op)
    }
}

impl Serialize for Op {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Op {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Words)
    }
}

/// What fails while the text is visited is told where that text is, and not where the list is that has it.
struct Words;

impl de::Visitor<'_> for Words {
    type Value = Op;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an operation such as `register M`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Op, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_goes_through_its_text_form_unchanged() {
        for (verb, takes_a_name) in Op::VERBS {
            let text = if takes_a_name {
                format!("{verb} c")
            } else {
                verb.to_owned()
            };
            let op: Op = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(op.to_string(), text);
        }
    }

    #[test]
    fn words_too_few_or_too_many_are_refused() {
        for text in ["", "register", "yield c", "wait c d", "Register c"] {
            assert_eq!(text.parse::<Op>(), Err(UnknownOp(text.to_owned())));
        }
    }
}
