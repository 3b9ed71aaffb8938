//! Known bugs, looked for in the programs of a size: what `nmr prove` would miss.
//!
//! Each bug of the registrar is planted, and the programs are exhausted until one breaks a rule. Bugs of modules are none
//! here, for programs have modules of their own, and those that the engine which runs the programs cannot find are left out. A bug that no
//! program shows has to say why, in its `prove`.

use std::fmt::Write as _;
use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmr_models::engine_name::Build;
use nmr_models::process::supervise::{Limits, Stderr, supervise};
use nmr_models::prove::Size;
use nmr_models::prove::engine::ENGINE;
use nmr_models::report::{BugInPrograms, Line, Verdict};

use super::musts::{Fault, exit};
use super::plant::tree::CHOSEN;
use super::subject::Subject;
use crate::args::{self, Format};
use crate::cargo::{WORKER, run_error};
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::pool;
use crate::progress::Display;
use crate::prove::heard::{Heard, Then, judge};
use crate::style::{self, Cell, Flush, heading, paint, table};
use crate::words;
use crate::workers::Workers;

/// How long a worker may say nothing.
const SILENCE: Duration = Duration::from_secs(120);

/// The build that the worker is needed in.
pub(super) const BUILD: Build = ENGINE.build();

/// The sizes in which a bug has to show, or to say why it does not.
const ALL: [Size; 3] = [Size::SMALL, Size::CALLS, Size::CORNERS];

/// Looks for the bugs and prints what came of it to `out`.
///
/// # Errors
/// A worker cannot be run or does not do as agreed, or `out` cannot be written.
pub(super) fn run<'a>(
    args: &args::Bugs,
    subjects: &'a [Subject],
    workers: &Workers,
    stop: &AtomicBool,
    display: &Display,
    out: &mut dyn Write,
) -> Result<Exit, Error> {
    let start = Instant::now();
    let sizes: Vec<Size> = args.prove.iter().map(|choice| choice.size()).collect();
    let own = subjects.iter().filter(|subject| subject.chosen.is_some());
    let (subjects, hidden): (Vec<&'a Subject>, Vec<_>) =
        own.partition(|subject| subject.excuse(ENGINE).is_none());
    let looking = Looking {
        sizes: &sizes,
        time: args.budget,
        workers,
        stop,
    };
    let counter = display.counter(subjects.len() as u64, "bugs");
    let task = |subject: &&'a Subject| {
        let looked = looking.look_for(subject).transpose()?;
        counter.add_one();
        Some(looked.map(|bug| (*subject, bug)))
    };
    let (mut all, mut ended) = (Vec::new(), Ok(()));
    pool::in_order(usize::from(args.jobs), &subjects, task, |looked| {
        let added = looked.and_then(|(subject, bug)| {
            if args.format == Format::Json {
                json::print(out, &Line::BugInPrograms(bug.clone()))?;
            }
            all.push((subject, bug));
            Ok(())
        });
        if added.is_err() && ended.is_ok() {
            stop.store(true, Ordering::Relaxed);
            ended = added;
        }
    });
    ended?;
    let faults: Vec<Fault> = all
        .iter()
        .filter_map(|(subject, bug)| fault(subject, bug, &sizes))
        .collect();
    if args.format == Format::Human {
        let seconds = start.elapsed().as_secs_f64();
        out.write_all(report(&all, hidden.len(), &faults, seconds).as_bytes())?;
    }
    Ok(exit(&faults, stop.load(Ordering::Relaxed)))
}

struct Looking<'a> {
    sizes: &'a [Size],
    time: Option<Duration>,
    workers: &'a Workers,
    stop: &'a AtomicBool,
}

impl Looking<'_> {
    /// In one size after the other, until it is found; `None` once everything has to stop.
    fn look_for(&self, subject: &Subject) -> Result<Option<BugInPrograms>, Error> {
        let mut bug = BugInPrograms {
            name: subject.name.clone(),
            expected: subject.rule,
            size: None,
            program: None,
            rule: None,
            programs: 0,
            seconds: 0.0,
            verdict: Verdict::Holds,
            message: String::new(),
        };
        for size in self.sizes {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let limits = Limits {
                silence: SILENCE,
                stderr: Stderr::Keep(20),
                ..Limits::NONE
            };
            let (mut heard, mut broken) = (Heard::default(), None);
            let command = self.command(subject, size);
            let end = supervise(command, limits, self.stop, &mut |_, text| {
                if let Some(Line::Broken(first)) = heard.take(text) {
                    broken.get_or_insert(first);
                }
            });
            let end = end.map_err(|source| run_error(WORKER.name, source))?;
            let summary = match judge(heard, &end) {
                Then::Done(summary) => *summary,
                Then::Interrupted => return Ok(None),
                Then::Refused(why) | Then::Harness(why) => return Err(Error::Harness(why)),
            };
            bug.programs += summary.programs;
            bug.seconds += summary.seconds;
            bug.verdict = summary.verdict;
            bug.message = summary.how.unwrap_or_default();
            if let Some(broken) = broken {
                return Ok(Some(BugInPrograms {
                    size: Some(size.name.to_owned()),
                    program: Some(broken.program),
                    rule: broken.rule,
                    message: broken.message,
                    ..bug
                }));
            }
        }
        Ok(Some(bug))
    }

    fn command(&self, subject: &Subject, size: &Size) -> Command {
        let mut command = Command::new(self.workers.of(BUILD));
        command.args(["prove", "--first", "--size", size.name]);
        command.args(subject.conditions.arguments());
        if let Some(time) = self.time {
            command.args(["--time-ms", &time.as_millis().to_string()]);
        }
        if let Some([wrong, _]) = &subject.chosen {
            command.env(CHOSEN, wrong);
        }
        command
    }
}

/// What is not as it must be. Where not all sizes were looked at, nobody knows of a bug that was not found.
fn fault(subject: &Subject, bug: &BugInPrograms, sizes: &[Size]) -> Option<Fault> {
    let is_all = ALL.iter().all(|size| sizes.contains(size));
    let text = match (&bug.size, subject.prove.as_deref()) {
        (None, _) if bug.verdict != Verdict::Holds => {
            return Some(Fault {
                verdict: bug.verdict,
                text: format!(
                    "{}: not found, and not all was looked at: {}",
                    bug.name, bug.message
                ),
            });
        }
        (None, None) if is_all => format!(
            "not found in {}: add what shows it to a size, or say in `prove` why there is none",
            words::plural(bug.programs, "program")
        ),
        (Some(size), Some(why)) => format!(
            "{size} finds it, although it is said that no size does ({why}): take the reason out"
        ),
        _ => return None,
    };
    Some(Fault {
        verdict: Verdict::Violated,
        text: format!("{}: {text}", bug.name),
    })
}

fn report(
    all: &[(&Subject, BugInPrograms)],
    hidden: usize,
    faults: &[Fault],
    seconds: f64,
) -> String {
    let mut rows = vec![heading(&[
        "bug", "rule", "found", "size", "programs", "time",
    ])];
    rows.extend(all.iter().map(|(subject, bug)| {
        let found: Cell = match (&bug.size, bug.rule) {
            (Some(_), Some(rule)) if rule == bug.expected => {
                Cell::styled(rule.to_string(), style::GOOD)
            }
            (Some(_), Some(rule)) => Cell::styled(rule.to_string(), style::OPEN),
            (Some(_), None) => Cell::styled("crash", style::OPEN),
            (None, _) if subject.prove.is_some() => "cannot".into(),
            (None, _) => Cell::styled("missed", style::BAD),
        };
        let name = bug.name.as_str().into();
        let size = bug.size.as_deref().unwrap_or_default().into();
        let programs = words::count(bug.programs).into();
        let time = words::time(bug.seconds).into();
        vec![
            name,
            bug.expected.to_string().into(),
            found,
            size,
            programs,
            time,
        ]
    }));
    let columns = [
        Flush::Left,
        Flush::Left,
        Flush::Left,
        Flush::Left,
        Flush::Right,
        Flush::Right,
    ];
    let mut text = table(&columns, &rows) + "\n";
    for (subject, bug) in all {
        if let (None, Some(why)) = (&bug.size, &subject.prove) {
            let programs = words::plural(bug.programs, "program");
            let _ = writeln!(text, "{}: not found in {programs}: {why}", bug.name);
        }
    }
    if hidden > 0 {
        let bugs = words::plural(hidden as u64, "bug");
        let _ = writeln!(
            text,
            "left out: {bugs} that the {ENGINE} engine, which runs the programs, cannot find; `direct` in each `bug.toml` says why"
        );
    }
    for fault in faults {
        let failed = paint(style::of(fault.verdict), "failed");
        let _ = writeln!(text, "{failed}: {}", fault.text);
    }
    let found = all.iter().filter(|(_, bug)| bug.size.is_some()).count();
    let _ = writeln!(
        text,
        "{} in {}: {found} found",
        words::plural(all.len() as u64, "bug"),
        words::time(seconds)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::{ALL, BugInPrograms, Size, Verdict, fault, report};
    use crate::bugs::samples::subject;
    use crate::bugs::subject::Subject;

    fn bug(size: Option<&str>) -> BugInPrograms {
        let subject = subject(&[]);
        BugInPrograms {
            name: subject.name,
            expected: subject.rule,
            size: size.map(str::to_owned),
            program: size.map(|_| 7),
            rule: size.map(|_| subject.rule),
            programs: 117_226,
            seconds: 62.0,
            verdict: match size {
                Some(_) => Verdict::Violated,
                None => Verdict::Holds,
            },
            message: String::new(),
        }
    }

    fn excused() -> Subject {
        Subject {
            prove: Some("it takes three peers".to_owned()),
            ..subject(&[])
        }
    }

    #[test]
    fn a_bug_is_found_or_says_why_not() {
        let wrong = |subject: &Subject, bug: &BugInPrograms, sizes: &[Size]| {
            fault(subject, bug, sizes).map(|fault| fault.text)
        };
        let plain = subject(&[]);
        assert_eq!(wrong(&plain, &bug(Some("small")), &ALL), None);
        assert_eq!(wrong(&excused(), &bug(None), &ALL), None);
        assert_eq!(wrong(&plain, &bug(None), &ALL[..1]), None, "of part of it");
        let missed = wrong(&plain, &bug(None), &ALL).expect("it is missed");
        assert!(
            missed.contains("not found in 117,226 programs: add"),
            "{missed}"
        );
        let found = wrong(&excused(), &bug(Some("calls")), &ALL[..1]);
        let found = found.expect("it is found");
        assert!(found.contains("calls finds it, although"), "{found}");
        let cut = BugInPrograms {
            verdict: Verdict::Incomplete,
            message: "the time was over".to_owned(),
            ..bug(None)
        };
        let fault = fault(&excused(), &cut, &ALL).expect("nobody knows");
        assert_eq!(fault.verdict, Verdict::Incomplete);
    }

    #[test]
    fn what_no_program_shows_is_told_with_its_reason() {
        let excused = excused();
        let plain = subject(&[]);
        let all = [(&plain, bug(Some("small"))), (&excused, bug(None))];
        let text = anstream::adapter::strip_str(&report(&all, 3, &[], 124.0)).to_string();
        let expected = "\
bug              rule  found   size   programs       time
stranded-attach  C6    C6      small   117,226  1 min 2 s
stranded-attach  C6    cannot          117,226  1 min 2 s

stranded-attach: not found in 117,226 programs: it takes three peers
left out: 3 bugs that the direct engine, which runs the programs, cannot find; `direct` in each `bug.toml` says why
2 bugs in 2 min 4 s: 1 found
";
        assert_eq!(text, expected);
    }
}
