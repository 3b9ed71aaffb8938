//! What is said of an execution, in parts: text, and the modules and threads that it is about.
//!
//! Who says it knows numbers; whoever shows it puts the scenario's names in their places
//! ([`render`](crate::render)). Nothing is ever looked for in text, so foreign text (what a program says as it
//! panics) comes out as it went in.

use std::fmt;

use crate::event::{CallbackKind, Pair, RegId, Side};
use crate::permuted::{ModuleNumber, ThreadNumber};

/// A text for people, in which modules and threads stand by their numbers until it is shown. As it is, it
/// shows these: `m0`, `m1'2` (the module's third registration), `m0–m1`, and threads from 0, the main one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<Part>);

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It stands for itself. No two come one after the other.
    Text(String),
    /// A module's name.
    Module(u8),
    /// A module's name, and which of its registrations.
    Registration(RegId),
    /// The names of a binding's two registrations.
    Pair(Pair),
    /// A thread's name.
    Thread(u8),
}

/// A message of parts: literals, and values in braces, each of which can be made a [`Message`].
macro_rules! message {
    (@part { $value:expr }) => { $crate::message::Message::from($value) };
    (@part $text:literal) => { $crate::message::Message::from($text) };
    ($($part:tt)+) => {
        [$($crate::message::message!(@part $part)),+]
            .into_iter()
            .collect::<$crate::message::Message>()
    };
}
pub(crate) use message;

impl Message {
    /// Its parts, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Messages one after the other, with a text between any two.
    pub(crate) fn joined(messages: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut all = Self::default();
        for (nth, message) in messages.into_iter().enumerate() {
            if nth > 0 {
                all.extend([Self::from(between)]);
            }
            all.extend([message]);
        }
        all
    }

    fn push(&mut self, part: Part) {
        match (self.0.last_mut(), part) {
            (_, Part::Text(text)) if text.is_empty() => {}
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, part) => self.0.push(part),
        }
    }
}

impl Extend<Message> for Message {
    fn extend<I: IntoIterator<Item = Message>>(&mut self, messages: I) {
        let parts = messages.into_iter().flat_map(|message| message.0);
        parts.for_each(|part| self.push(part));
    }
}

impl FromIterator<Message> for Message {
    fn from_iter<I: IntoIterator<Item = Message>>(messages: I) -> Self {
        let mut all = Self::default();
        all.extend(messages);
        all
    }
}

impl From<Part> for Message {
    fn from(part: Part) -> Self {
        let mut message = Self::default();
        message.push(part);
        message
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Part::Text(text).into()
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A count. Modules and threads have types of their own, so that they cannot be taken for one.
impl From<usize> for Message {
    fn from(count: usize) -> Self {
        count.to_string().into()
    }
}

impl From<Side> for Message {
    fn from(side: Side) -> Self {
        side.to_string().into()
    }
}

impl From<CallbackKind> for Message {
    fn from(kind: CallbackKind) -> Self {
        kind.to_string().into()
    }
}

impl From<ModuleNumber> for Message {
    fn from(ModuleNumber(module): ModuleNumber) -> Self {
        Part::Module(module).into()
    }
}

impl From<ThreadNumber> for Message {
    fn from(ThreadNumber(thread): ThreadNumber) -> Self {
        Part::Thread(thread).into()
    }
}

impl From<RegId> for Message {
    fn from(reg: RegId) -> Self {
        Part::Registration(reg).into()
    }
}

impl From<Pair> for Message {
    fn from(pair: Pair) -> Self {
        Part::Pair(pair).into()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reg = |f: &mut fmt::Formatter<'_>, RegId { module, nth }| match nth {
            0 => write!(f, "m{module}"),
            nth => write!(f, "m{module}'{nth}"),
        };
        for part in &self.0 {
            match *part {
                Part::Text(ref text) => f.write_str(text)?,
                Part::Module(module) => write!(f, "m{module}")?,
                Part::Registration(it) => reg(f, it)?,
                Part::Pair(Pair { client, provider }) => {
                    reg(f, client)?;
                    f.write_str("–")?;
                    reg(f, provider)?;
                }
                Part::Thread(thread) => write!(f, "{thread}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: RegId = RegId { module: 0, nth: 0 };
    const PAIR: Pair = Pair {
        client: CLIENT,
        provider: RegId { module: 1, nth: 2 },
    };

    #[test]
    fn without_a_scenario_it_shows_numbers() {
        let message = message![
            {CLIENT} " of " {PAIR} ": thread " {ThreadNumber(1)} " calls the " {Side::Client} " in " {ModuleNumber(3)}
            "'s " {CallbackKind::Detach} " " {7}
        ];
        let expected = "m0 of m0–m1'2: thread 1 calls the client in m3's detach 7";
        assert_eq!(message.to_string(), expected);
    }

    #[test]
    fn text_in_several_parts_is_one() {
        let message = message!["a" {"".to_owned()} " b" {CLIENT} "c"];
        let [text, middle, last] = message.parts() else {
            panic!("{message:?}");
        };
        assert_eq!(*text, Part::Text("a b".to_owned()));
        assert_eq!(*middle, Part::Registration(CLIENT));
        assert_eq!(*last, Part::Text("c".to_owned()));
        assert_eq!(message, message!["a b" {CLIENT} "c"]);
    }

    #[test]
    fn what_stands_between_stands_nowhere_else() {
        let joined = |count: usize| {
            let all = (0..count).map(|_| CLIENT.into());
            Message::joined(all, ", ").to_string()
        };
        assert_eq!([0, 1, 2].map(joined), ["", "m0", "m0, m0"]);
    }
}
