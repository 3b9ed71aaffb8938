//! `nmr replay --step`: an execution, step by step, in a terminal.
//!
//! Each step is printed below the one before, and nothing is drawn over: what comes out follows from the trace and from the
//! lines that are read, so that it can be piped, kept, and read aloud. What there is to see is what the page of
//! `nmr report` shows.

use std::fmt::Write as _;
use std::io::{self, Write};

use nmr_models::render::{Row, picture};
use nmr_models::replay::Replayed;
use nmr_models::trace::{Binding, Interface, Registration, State, Step, Trace, Wait};

/// Lines of the picture that are shown, the present step being the last.
const SHOWN: usize = 12;

/// The lines above a picture's first row: the threads' names, and a rule.
const HEAD: usize = 2;

const HELP: &str = "[Enter] next, p previous, a number: that step, v where it breaks, o the other execution, q end";

/// What can be asked for, one a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Go(Go),
    Other,
    Quit,
}

/// Which step is shown next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Go {
    Next,
    Previous,
    /// A step, counted from 1.
    To(usize),
    Violation,
}

impl Command {
    fn parse(line: &str) -> Option<Self> {
        Some(match line.trim() {
            "" | "n" => Self::Go(Go::Next),
            "p" => Self::Go(Go::Previous),
            "v" => Self::Go(Go::Violation),
            "o" => Self::Other,
            "q" => Self::Quit,
            number => Self::Go(Go::To(number.parse().ok()?)),
        })
    }
}

/// An execution that is shown, and how far.
struct Shown<'a> {
    name: &'static str,
    trace: &'a Trace,
    /// Its picture, line by line.
    picture: Vec<String>,
    /// The present step, from 0.
    at: usize,
}

impl<'a> Shown<'a> {
    fn new(name: &'static str, trace: &'a Trace) -> Option<Self> {
        if trace.steps.is_empty() {
            return None;
        }
        let row = |step: &Step| Row {
            thread: trace.threads[usize::from(step.thread)].clone(),
            event: format!("{:1$}{2}", "", 2 * usize::from(step.depth), step.text),
        };
        let rows: Vec<Row> = trace.steps.iter().map(row).collect();
        Some(Self {
            name,
            trace,
            picture: picture(&rows).lines().map(str::to_owned).collect(),
            at: 0,
        })
    }

    const fn last(&self) -> usize {
        self.trace.steps.len() - 1
    }

    /// The present step, and what the registrar held after it.
    fn view(&self) -> String {
        let step = &self.trace.steps[self.at];
        let thread = &self.trace.threads[usize::from(step.thread)];
        let mut text = format!(
            "\n{}, step {} of {}: {thread}",
            self.name,
            self.at + 1,
            self.last() + 1
        );
        if let Some(other) = step.interrupts {
            let _ = write!(
                text,
                " interrupts {}",
                self.trace.threads[usize::from(other)]
            );
        }
        text.push('\n');
        let from = (self.at + 1).saturating_sub(SHOWN);
        for (number, line) in self.picture.iter().enumerate() {
            match number.checked_sub(HEAD) {
                None => _ = writeln!(text, "  {line}"),
                Some(row) if row == self.at => _ = writeln!(text, "> {line}"),
                Some(row) if (from..self.at).contains(&row) => _ = writeln!(text, "  {line}"),
                Some(_) => {}
            }
        }
        self.add_state(&mut text, &self.trace.states[step.state]);
        if let Some(broken) = &self.trace.violation
            && broken.step == self.at
        {
            let rule = broken.rule.map_or("a crash".to_owned(), |rule| {
                format!("violated {rule} ({})", rule.title())
            });
            let _ = writeln!(text, "{rule}: {}", broken.message);
        }
        text
    }

    fn add_state(&self, text: &mut String, state: &State) {
        let State {
            registrations,
            bindings,
            interfaces,
            left,
            waits,
        } = state;
        let rooms = [
            ("registrations", left.registrations),
            ("bindings", left.bindings),
        ];
        let lines =
            (registrations.iter().map(registration))
                .chain(bindings.iter().map(|it| self.binding(it)))
                .chain(interfaces.iter().map(interface))
                .chain(rooms.iter().filter_map(|(what, left)| {
                    left.map(|left| format!("room for {left} more {what}"))
                }))
                .chain(waits.iter().map(|it| self.wait(it)));
        let mut lines = lines.peekable();
        if lines.peek().is_none() {
            text.push_str("  the registrar holds nothing\n");
        }
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }

    fn binding(&self, binding: &Binding) -> String {
        let Binding {
            name,
            client,
            provider,
            stage,
            sides: [of_client, of_provider],
            running,
            contexts,
        } = binding;
        let mut text = format!("binding {name}: {stage}");
        if stage == "detaching" {
            let _ = write!(text, ", {client} {of_client}, {provider} {of_provider}");
        }
        if let Some(thread) = running {
            let thread = &self.trace.threads[usize::from(*thread)];
            let _ = write!(text, "; a callback runs on {thread}");
        }
        let held: Vec<&str> = [client, provider]
            .into_iter()
            .zip(contexts)
            .filter_map(|(side, &held)| held.then_some(&**side))
            .collect();
        if !held.is_empty() {
            let _ = write!(text, "; holds the context of {}", held.join(" and "));
        }
        text
    }

    fn wait(&self, wait: &Wait) -> String {
        let name = |thread: u8| &self.trace.threads[usize::from(thread)];
        let from = wait.from.map_or(String::new(), |from| {
            format!(", which is with {}", name(from))
        });
        format!("{} waits for {}{from}", name(wait.thread), wait.what)
    }
}

fn registration(registration: &Registration) -> String {
    let Registration {
        name,
        side,
        stage,
        bindings,
        offers,
        teardown,
        waiters,
        abandoned,
        has_module,
    } = registration;
    let mut text = format!("registration {name}: {side}, {stage}");
    if !bindings.is_empty() {
        let _ = write!(text, "; bindings {}", bindings.join(", "));
    }
    if let Some(next) = offers {
        let _ = write!(text, "; offers {next} next");
    }
    if let Some(next) = teardown {
        let _ = write!(text, "; detaches {next} next");
    }
    match waiters {
        0 => {}
        1 => text.push_str("; 1 waiter"),
        several => _ = write!(text, "; {several} waiters"),
    }
    if *abandoned {
        text.push_str("; nobody will wait for it");
    }
    if !has_module {
        text.push_str("; its module is taken out");
    }
    text
}

fn interface(interface: &Interface) -> String {
    let names = |all: &[String]| match all {
        [] => "none".to_owned(),
        all => all.join(" then "),
    };
    format!(
        "interface {}: clients {}; providers {}",
        interface.number,
        names(&interface.clients),
        names(&interface.providers)
    )
}

/// Shows what came of a replay: the first step, and then what each line asks for, until one ends it or there is none. With
/// `prompt`, what can be asked for is said each time. Answers whether there was anything to show.
///
/// # Errors
/// `out` cannot be written.
pub(super) fn walk(
    replayed: &Replayed,
    lines: impl Iterator<Item = String>,
    prompt: bool,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let name = match replayed.message.is_empty() {
        true => "what comes of it today",
        false => "the case",
    };
    let own = replayed.trace.as_deref();
    let passing = replayed.passing.as_deref();
    let passing = passing.and_then(|passing| passing.trace.as_ref());
    let Some(mut shown) = own.and_then(|trace| Shown::new(name, trace)) else {
        return Ok(false);
    };
    let mut other = passing.and_then(|trace| Shown::new("nearest that passes", trace));
    let ask = |out: &mut dyn Write| -> io::Result<()> {
        if prompt {
            writeln!(out, "{HELP}")?;
        }
        out.flush()
    };
    out.write_all(shown.view().as_bytes())?;
    ask(out)?;
    for line in lines {
        let moved = match (Command::parse(&line), &mut other) {
            (Some(Command::Quit), _) => break,
            (Some(Command::Go(go)), _) => place(&shown, go).map(|at| shown.at = at),
            (Some(Command::Other), Some(other)) => {
                std::mem::swap(&mut shown, other);
                Ok(())
            }
            (Some(Command::Other), None) => {
                Err("no execution near it is known that passes".to_owned())
            }
            (None, _) => Err(format!("`{}` is none of: {HELP}", line.trim())),
        };
        match moved {
            Ok(()) => out.write_all(shown.view().as_bytes())?,
            Err(why) => writeln!(out, "{why}")?,
        }
        ask(out)?;
    }
    Ok(true)
}

/// Where that leads, or why nowhere.
fn place(shown: &Shown, go: Go) -> Result<usize, String> {
    let last = shown.last();
    match go {
        Go::Next if shown.at == last => Err("that was the last step".to_owned()),
        Go::Next => Ok(shown.at + 1),
        Go::Previous => (shown.at.checked_sub(1)).ok_or("this is the first step".to_owned()),
        Go::To(number) => match number.checked_sub(1) {
            Some(at) if at <= last => Ok(at),
            _ => Err(format!("there are the steps 1 to {}", last + 1)),
        },
        Go::Violation => match &shown.trace.violation {
            Some(broken) => Ok(broken.step),
            None => Err("nothing breaks in it".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use nmr_models::case::Case;
    use nmr_models::replay::Verdict;
    use nmr_models::rule::Rule;
    use nmr_models::trace::{Kind, Left, Passing, Violation};

    fn trace(texts: &[(u8, &str)], violation: Option<Violation>) -> Trace {
        let step = |(number, &(thread, text)): (usize, &(u8, &str))| Step {
            thread,
            kind: Kind::Call,
            text: text.to_owned(),
            depth: u8::from(number == 1),
            state: usize::from(number > 0),
            interrupts: (number == 2).then_some(0),
            scheduled: number,
        };
        let full = State {
            registrations: vec![Registration {
                name: "c".to_owned(),
                side: "client".to_owned(),
                stage: "closing".to_owned(),
                bindings: vec!["c–p".to_owned()],
                offers: None,
                teardown: Some("c–p".to_owned()),
                waiters: 1,
                abandoned: false,
                has_module: true,
            }],
            bindings: vec![Binding {
                name: "c–p".to_owned(),
                client: "c".to_owned(),
                provider: "p".to_owned(),
                stage: "detaching".to_owned(),
                sides: ["asked".to_owned(), "complete".to_owned()],
                running: Some(1),
                contexts: [true, false],
            }],
            interfaces: vec![Interface {
                number: 1,
                clients: Vec::new(),
                providers: vec!["p".to_owned()],
            }],
            left: Left {
                registrations: Some(2),
                bindings: None,
            },
            waits: vec![Wait {
                thread: 0,
                what: "c".to_owned(),
                from: Some(1),
            }],
        };
        Trace {
            threads: vec!["main".to_owned(), "other".to_owned()],
            steps: texts.iter().enumerate().map(step).collect(),
            states: vec![State::default(), full],
            violation,
            ..Trace::default()
        }
    }

    fn replayed() -> Replayed {
        let case = Case::from_toml(
            Path::new("case.toml"),
            "kind = \"schedule\"\nengine = \"explorer\"\nrule = \"C16\"\nmessage = \"m\"\nexecutions = 1\n\
             scenario = { name = \"s\", summary = \"s\", module = [{ name = \"c\", side = \"client\" }] }\n",
        )
        .expect("it is a case");
        let broken = Violation {
            rule: Some(Rule::new(16)),
            message: "it has no end".to_owned(),
            step: 2,
            by_step: false,
        };
        let texts = [(0, "deregister c"), (1, "detach"), (1, "wait for c")];
        Replayed {
            message: "it has no end".to_owned(),
            trace: Some(Box::new(trace(&texts, Some(broken)))),
            passing: Some(Box::new(Passing {
                tried: 1,
                trace: Some(trace(&[(0, "wait for c")], None)),
            })),
            ..Replayed::of(&case, Verdict::Reproduces)
        }
    }

    fn walked(lines: &[&str]) -> String {
        let mut out = Vec::new();
        let lines = lines.iter().map(|&line| line.to_owned());
        assert!(walk(&replayed(), lines, false, &mut out).expect("memory can be written"));
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn a_step_has_its_lane_what_the_registrar_holds_and_who_waits() {
        insta::assert_snapshot!(walked(&["2"]));
    }

    #[test]
    fn lines_lead_to_steps() {
        let heads = |lines: &[&str]| -> Vec<String> {
            let text = walked(lines);
            let heads = text.lines().filter(|line| line.contains(", step "));
            heads.map(str::to_owned).collect()
        };
        let case = |step, thread| format!("the case, step {step} of 3: {thread}");
        let first = case(1, "main");
        let last = case(3, "other interrupts main");
        let second = case(2, "other");
        assert_eq!(heads(&[""]), [&*first, &second]);
        assert_eq!(heads(&["n", "p"]), [&*first, &second, &first]);
        assert_eq!(heads(&["v"]), [&*first, &last]);
        let other = "nearest that passes, step 1 of 1: main";
        assert_eq!(heads(&["v", "o", "o"]), [&*first, &last, other, &last]);
        assert_eq!(heads(&["q", "n"]), [&*first]);
    }

    #[test]
    fn what_leads_nowhere_is_said() {
        for (line, expected) in [
            ("p", "this is the first step"),
            ("4", "there are the steps 1 to 3"),
            ("0", "there are the steps 1 to 3"),
            ("x", "`x` is none of: [Enter] next"),
        ] {
            assert!(walked(&[line]).contains(expected), "{line}");
        }
        assert!(walked(&["3", ""]).contains("that was the last step"));
        assert!(walked(&["o", "v"]).contains("nothing breaks in it"));
    }

    #[test]
    fn without_a_trace_there_is_nothing_to_show() {
        let nothing = Replayed {
            trace: None,
            ..replayed()
        };
        let mut out = Vec::new();
        let shown = walk(&nothing, std::iter::empty(), true, &mut out);
        assert!(!shown.expect("memory can be written"));
        assert_eq!(out, b"");
    }
}
