//! An interleaving as a picture: one column for each thread, one line for each event, time going
//! down.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::event::{
    Call, Callback, CallbackKind, Change, Deed, Event, Pair, Refusal, RegId, Reply, Side, Stage,
    Subject, Thing, What,
};
use crate::message::{Message, Part};
use crate::oracle::words;
use crate::scenario::Scenario;

/// The width of a column at most; what is longer is cut.
const WIDEST: usize = 44;

/// An event in words, indented by what its thread is inside of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Row {
    /// The thread.
    pub thread: String,
    /// What it did.
    pub event: String,
}

/// The events of a history, in order.
#[must_use]
pub fn rows(scenario: &Scenario, history: &[Event]) -> Vec<Row> {
    let lines = lines(scenario, history).into_iter();
    let row = |line: Line| Row {
        thread: scenario.thread_name(line.thread).to_owned(),
        event: line.indented(),
    };
    lines.map(row).collect()
}

/// Draws rows: threads have columns in the order in which they come.
#[must_use]
pub fn picture(rows: &[Row]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for row in rows {
        if !columns.contains(&&*row.thread) {
            columns.push(&row.thread);
        }
    }
    let width = |column: &&str| {
        let own = rows.iter().filter(|row| row.thread == *column);
        let own = own.map(|row| row.event.chars().count()).max();
        own.unwrap_or(0).max(column.chars().count()).min(WIDEST)
    };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let mut out = String::new();
    let mut draw = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            let cell: String = cell.chars().take(*width).collect();
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    };
    let rules: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
    draw(&mut columns.iter().copied());
    draw(&mut rules.iter().map(String::as_str));
    for row in rows {
        draw(
            &mut columns.iter().map(|column| match *column == row.thread {
                true => &*row.event,
                false => "",
            }),
        );
    }
    out
}

/// An event in words.
pub(crate) struct Line {
    pub(crate) thread: u8,
    /// How many calls and callbacks its thread is inside of.
    pub(crate) depth: u8,
    pub(crate) words: String,
}

impl Line {
    fn indented(self) -> String {
        let indent = usize::from(self.depth) * 2;
        format!("{:indent$}{}", "", self.words)
    }
}

/// Each event in words. What is let go of stands in the column of the thread that acted last.
pub(crate) fn lines(scenario: &Scenario, history: &[Event]) -> Vec<Line> {
    let lines = each_line(scenario, history).into_iter();
    lines.flatten().collect()
}

/// The same, one for each event; `None` for the end of a destructor, of which there is nothing to say.
pub(crate) fn each_line(scenario: &Scenario, history: &[Event]) -> Vec<Option<Line>> {
    let mut inside = Inside::default();
    let mut last = 0;
    let mut lines = Vec::new();
    for event in history {
        if event.what == What::Destroyed {
            inside.close(event.thread.unwrap_or(last), event.what);
            lines.push(None);
            continue;
        }
        let thread = event.thread.unwrap_or(last);
        last = thread;
        inside.close(thread, event.what);
        let depth = inside.of(thread).len() as u8;
        let (words, why) = (told(scenario, event.what), inside.why(thread, event.what));
        lines.push(Some(Line {
            thread,
            depth,
            words: words + why,
        }));
        // What a destructor does stands inside of what it destroys; most do nothing.
        if event.thread.is_some() {
            inside.open(thread, event.what);
        }
    }
    lines
}

/// What the threads are inside of, as far as a history has been read.
#[derive(Default)]
struct Inside {
    threads: BTreeMap<u8, Vec<Open>>,
    /// Pairs whose client has attached, and kept to it.
    attached: BTreeSet<Pair>,
}

/// Something that a thread is inside of.
struct Open {
    what: What,
    /// A callback that it made panicked.
    panicked: bool,
}

impl Inside {
    fn of(&self, thread: u8) -> &[Open] {
        self.threads.get(&thread).map_or(&[], Vec::as_slice)
    }

    fn open(&mut self, thread: u8, what: What) {
        if let What::Call(_) | What::Begin(_) | What::DispatchBegin { .. } | What::Dropped(_) = what
        {
            let panicked = false;
            let stack = self.threads.entry(thread).or_default();
            stack.push(Open { what, panicked });
        }
    }

    fn close(&mut self, thread: u8, what: What) {
        let (What::Return(_) | What::End(_) | What::DispatchEnd { .. } | What::Destroyed) = what
        else {
            return;
        };
        let stack = self.threads.entry(thread).or_default();
        let closed = stack.pop();
        if let (What::End(Reply::Panicked), Some(outer)) = (what, stack.last_mut()) {
            outer.panicked = true;
        }
        if let (What::End(Reply::Success), Some(What::Begin(callback))) =
            (what, closed.map(|closed| closed.what))
            && (callback.kind, callback.side) == (CallbackKind::Attach, Side::Client)
        {
            self.attached.insert(callback.pair);
        }
    }

    /// Why something happens that a reader would not expect there. With a panic a register call takes its
    /// registration back, and detaches what is no late comer.
    fn why(&self, thread: u8, what: What) -> &'static str {
        match (what, self.of(thread).last()) {
            (
                What::Begin(Callback { kind, pair, .. }),
                Some(&Open {
                    what: What::Call(Call::Register { .. }),
                    panicked: false,
                }),
            ) if kind == CallbackKind::Detach && self.attached.contains(&pair) => " late comer",
            _ => "",
        }
    }
}

/// A message with the scenario's names for its modules and threads.
pub(crate) fn with_names(scenario: &Scenario, message: &Message) -> String {
    let named = |part: &Part| match *part {
        Part::Text(ref text) => text.clone(),
        Part::Module(module) => scenario.modules[usize::from(module)].name.clone(),
        Part::Registration(reg) => name(scenario, reg),
        Part::Pair(pair) => pair_name(scenario, pair),
        Part::Thread(thread) => scenario.thread_name(thread).to_owned(),
    };
    message.parts().iter().map(named).collect()
}

/// What happened, in words.
pub(crate) struct InWords<'a>(pub(crate) &'a Scenario, pub(crate) What);

impl std::fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&told(self.0, self.1))
    }
}

fn told(scenario: &Scenario, what: What) -> String {
    let reg = |reg: RegId| name(scenario, reg);
    let of_pair = |pair: Pair| pair_name(scenario, pair);
    let some_pair = |pair: Option<Pair>| pair.map_or("nothing".to_owned(), of_pair);
    let some_reg = |target: Option<RegId>| target.map_or("nothing".to_owned(), reg);
    match what {
        What::Call(Call::Register { reg: new, .. }) => format!("register {}", reg(new)),
        What::Call(Call::Deregister(target)) => format!("deregister {}", some_reg(target)),
        What::Call(Call::Wait(target)) => format!("wait for {}", some_reg(target)),
        What::Call(Call::Release(owned)) => format!("release {}", reg(owned)),
        What::Call(Call::AttachProvider(pair)) => format!("attach {}", some_pair(pair)),
        What::Call(Call::DetachComplete { side, pair }) => {
            format!("{side} detach complete {}", some_pair(pair))
        }
        What::Return(answer) => format!("= {}", words::answer(answer)),
        What::Begin(Callback { kind, side, pair }) => {
            format!(
                "⟨{}: {kind} {}⟩",
                reg(pair.side(side)),
                reg(pair.side(side.peer()))
            )
        }
        What::End(reply) => format!("⟨= {}⟩", reply_words(reply)),
        What::DispatchBegin { pair, by } => {
            format!("{} calls {}", reg(pair.side(by)), reg(pair.side(by.peer())))
        }
        What::DispatchEnd { .. } => "= called".to_owned(),
        What::UsedAfterFree(Thing::Module(owner)) => {
            format!("uses the freed context of {}", reg(owner))
        }
        What::UsedAfterFree(Thing::Context { pair, side }) => {
            format!(
                "uses the {side}'s freed binding context of {}",
                of_pair(pair)
            )
        }
        What::Did(deed) => {
            let event = |it: u8| &scenario.events[usize::from(it)];
            let lock = |it: u8| &scenario.locks[usize::from(it)];
            match deed {
                Deed::Await(it) => format!("await {}", event(it)),
                Deed::Set(it) => format!("set {}", event(it)),
                Deed::Lock(it) => format!("lock {}", lock(it)),
                Deed::Unlock(it) => format!("unlock {}", lock(it)),
                Deed::SpinLock(it) => format!("lock {} (spin lock)", lock(it)),
                Deed::SpinUnlock(it) => format!("unlock {} (spin lock)", lock(it)),
                Deed::Unload(it) => format!("unload {}", scenario.modules[usize::from(it)].name),
            }
        }
        What::NotReady { reg: owner } => format!("{} is not ready", reg(owner)),
        What::Misused { answer, .. } => format!("counted on it ({})", words::answer(answer)),
        What::Refused { module, refusal } => {
            let module = &scenario.modules[usize::from(module)].name;
            let not = match refusal {
                Refusal::Deregister => "no registration",
                Refusal::Wait => "no deregistration",
            };
            format!("· {module} has {not} for it")
        }
        What::Changed(change) => changed(scenario, change),
        What::Destroyed => "· destroyed".to_owned(),
        What::Dropped(Thing::Module(owner)) => format!("· module of {} let go", reg(owner)),
        What::Dropped(Thing::Context { pair, side }) => {
            format!(
                "· {}'s context of {} let go",
                reg(pair.side(side)),
                of_pair(pair)
            )
        }
    }
}

/// What the registrar's table has of something now. Of a binding that goes on to be detached, the sides that
/// have got farther.
fn changed(scenario: &Scenario, Change { subject, from, to }: Change) -> String {
    let subject_words = match subject {
        Subject::Registration(reg) => format!("· registration {}", name(scenario, reg)),
        Subject::Binding(pair) => format!("· binding {}", pair_name(scenario, pair)),
    };
    let stage = |stage: Option<Stage>| stage.map_or("gone", |it| it.stage);
    if let (Subject::Binding(pair), Some(from), Some(to)) = (subject, from, to)
        && from.stage == to.stage
    {
        let sides = Side::BOTH.into_iter().filter_map(|side| {
            let (was, is) = (from.sides[side as usize], to.sides[side as usize]);
            (was != is).then(|| format!("{} {is}", name(scenario, pair.side(side))))
        });
        let sides: Vec<_> = sides.collect();
        return format!("{subject_words}: {}", sides.join(", "));
    }
    match from {
        Some(_) => format!("{subject_words}: {} → {}", stage(from), stage(to)),
        None => format!("{subject_words}: {}", stage(to)),
    }
}

pub(crate) fn name(scenario: &Scenario, reg: RegId) -> String {
    let module = &scenario.modules[usize::from(reg.module)].name;
    match reg.nth {
        0 => module.clone(),
        nth => format!("{module}'{nth}"),
    }
}

fn pair_name(scenario: &Scenario, Pair { client, provider }: Pair) -> String {
    format!("{}–{}", name(scenario, client), name(scenario, provider))
}

const fn reply_words(reply: Reply) -> &'static str {
    match reply {
        Reply::Success => "success",
        Reply::Failure => "failure",
        Reply::Complete => "complete",
        Reply::Pending => "pending",
        Reply::Panicked => "panicked",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::event::Answer;
    use crate::message::message;
    use crate::permuted::{ModuleNumber, ThreadNumber};

    fn scenario() -> Scenario {
        let text = r#"
name = "one"
summary = "one"
[[module]]
name = "c"
side = "client"
[[module]]
name = "p"
side = "provider"
[[thread]]
name = "left"
ops = ["deregister c"]
[[thread]]
name = "right"
ops = ["wait c"]
"#;
        Scenario::from_toml(Path::new("one.toml"), text).unwrap()
    }

    const C: RegId = RegId { module: 0, nth: 0 };
    const PAIR: Pair = Pair {
        client: C,
        provider: RegId { module: 1, nth: 0 },
    };

    fn begin(kind: CallbackKind, side: Side) -> What {
        let pair = PAIR;
        What::Begin(Callback { kind, side, pair })
    }

    /// What one thread does in a call that attaches the pair with this reply, and how it asks the provider to
    /// detach then.
    fn detach_after(call: Call, reply: Reply) -> String {
        let history = [
            What::Call(call),
            begin(CallbackKind::Attach, Side::Client),
            What::End(reply),
            begin(CallbackKind::Detach, Side::Provider),
        ];
        let thread = Some(1);
        let lines = lines(&scenario(), &history.map(|what| Event { thread, what }));
        lines.into_iter().next_back().unwrap().indented()
    }

    #[test]
    fn modules_and_threads_get_their_names_and_text_stays() {
        let p = ModuleNumber(1);
        let again = RegId { nth: 2, ..C };
        let message = message![
            {again} " of " {PAIR} " on thread " {ThreadNumber(1)} "; thread " {ThreadNumber(0)} " is in " {p}
            "'s m0, m1'2 of thread 1"
        ];
        assert_eq!(
            with_names(&scenario(), &message),
            "c'2 of c–p on thread left; thread main is in p's m0, m1'2 of thread 1"
        );
    }

    #[test]
    fn what_a_register_call_detaches_that_it_attached_is_a_late_comer() {
        let register = Call::Register {
            reg: PAIR.provider,
            side: Side::Provider,
            npi: 1,
        };
        let late = "  ⟨p: detach c⟩ late comer";
        assert_eq!(detach_after(register, Reply::Success), late);
        let plain = "  ⟨p: detach c⟩";
        assert_eq!(detach_after(register, Reply::Failure), plain);
        assert_eq!(detach_after(register, Reply::Panicked), plain);
        let other = Call::Deregister(Some(C));
        assert_eq!(detach_after(other, Reply::Success), plain);
    }

    #[test]
    fn a_change_in_the_table_is_told_by_what_is_new_of_it() {
        let stage = |stage, sides| Some(Stage { stage, sides });
        let told_of = |subject, from, to| changed(&scenario(), Change { subject, from, to });
        let reg = Subject::Registration(C);
        let (open, closing) = (stage("open", [""; 2]), stage("closing", [""; 2]));
        assert_eq!(told_of(reg, None, open), "· registration c: open");
        assert_eq!(
            told_of(reg, open, closing),
            "· registration c: open → closing"
        );
        assert_eq!(
            told_of(reg, closing, None),
            "· registration c: closing → gone"
        );
        let binding = Subject::Binding(PAIR);
        let attached = stage("attached", [""; 2]);
        let asked = stage("detaching", ["asked", "to be asked"]);
        let next = stage("detaching", ["pending", "asked"]);
        assert_eq!(
            told_of(binding, attached, asked),
            "· binding c–p: attached → detaching"
        );
        assert_eq!(
            told_of(binding, asked, next),
            "· binding c–p: c pending, p asked"
        );
    }

    #[test]
    fn each_thread_has_a_column_and_what_is_inside_is_indented() {
        let scenario = scenario();
        let c = RegId { module: 0, nth: 0 };
        let pair = Pair {
            client: c,
            provider: RegId { module: 1, nth: 1 },
        };
        let event = |thread, what| Event { thread, what };
        let history = [
            event(Some(1), What::Call(Call::Deregister(Some(c)))),
            event(Some(2), What::Call(Call::Wait(Some(c)))),
            event(
                Some(1),
                What::Begin(Callback {
                    kind: CallbackKind::Detach,
                    side: Side::Client,
                    pair,
                }),
            ),
            event(Some(1), What::End(Reply::Complete)),
            event(None, What::Dropped(Thing::Module(c))),
            event(Some(1), What::Return(Answer::Pending)),
            event(Some(2), What::Return(Answer::Done)),
        ];
        assert_eq!(
            picture(&rows(&scenario, &history)),
            "\
left                    right
──────────────────────  ──────────
deregister c
                        wait for c
  ⟨c: detach p'1⟩
  ⟨= complete⟩
  · module of c let go
= pending
                        = done
"
        );
    }
}
