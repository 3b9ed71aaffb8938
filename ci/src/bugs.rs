//! `nmr bugs`: known bugs, planted into a copy of the registrar and into modules, are found.
//!
//! The bugs are in `models/bugs` ([`data`]). Those of the registrar are all in one build, chosen at run time
//! ([`plant`], [`garden`]), those of modules are scenarios ([`module`]). Each bug is looked for by itself ([`hunt`]), and
//! so is something wrong in what is correct in its place, its twin. What must come of that is in [`musts`].
//!
//! Lines come by bug, whichever ends first: as JSON as soon as those before are there, for people all at the
//! end. Nothing is written but below cargo's target folder.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use nmr_models::engine_name::Engine;
use nmr_models::report::{Line, Verdict};

use crate::args::{self, Format};
use crate::cargo::Workspace;
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::outputs::Tested;
use crate::pool;
use crate::progress::Display;
use crate::select;
use crate::words;
use crate::workers::Workers;

pub mod data;
pub mod garden;
pub mod human;
pub mod hunt;
pub mod lines;
pub mod module;
pub mod musts;
pub mod plan;
pub mod plant;
mod programs;
pub mod subject;

#[cfg(test)]
mod samples;

use data::Bug;
use garden::Garden;
use hunt::{Hunted, Hunter};
use plan::Effort;
use subject::Subject;

/// Where the bugs are, from the top of the workspace.
const BUGS: &str = "models/bugs";

/// What the names are of.
const NAMES: select::Of = select::Of {
    what: "bug",
    option: "--name",
    all: "all are in models/bugs",
};

/// Looks for the bugs and prints what came of it to `out`; soon after `stop` becomes true it kills its
/// workers and prints what it has.
///
/// # Errors
/// A bug makes no sense, does not apply or does not compile; a worker cannot be built; a file or `out`
/// cannot be written.
pub fn run(args: &args::Bugs, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    args.outputs.check(args.format)?;
    let display = Display::new();
    let workspace = Workspace::find()?;
    let folder = args.from.clone();
    let folder = folder.unwrap_or_else(|| workspace.root().join(BUGS));
    // So that what is wrong with a file is told with a short path.
    let bugs = data::read(Path::new(&words::path(&folder)))?;
    let garden = Garden::plant(&workspace, &bugs)?;
    let subjects = garden.subjects(&chosen(args, &bugs)?)?;
    let engines = args.engine.iter().flat_map(|choice| choice.engines());
    let engines: BTreeSet<Engine> = engines.copied().collect();
    let engines = Vec::from_iter(engines);
    let builds = match args.prove.is_empty() {
        true => engines.iter().map(|engine| engine.build()).collect(),
        false => BTreeSet::from([programs::BUILD]),
    };
    let workers = match &args.worker {
        Some(path) => Workers::given(path, builds),
        None => garden.build(&builds, stop, &display)?,
    };
    display.say(&format!(
        "looking for {}",
        words::plural(subjects.len() as u64, "bug")
    ));
    if !args.prove.is_empty() {
        return programs::run(args, &subjects, &workers, stop, &display, out);
    }
    let hunter = Hunter {
        workers: &workers,
        engines: &engines,
        effort: Effort {
            budget: args.budget,
            deep: args.deep,
        },
        stop,
    };
    let start = Instant::now();
    let all = hunt_all(&hunter, &subjects, args, &display, out)?;
    let faults = all
        .iter()
        .flat_map(|(subject, hunted)| musts::faults(subject, hunted));
    let faults: Vec<_> = faults.collect();
    if args.format == Format::Human {
        let report = human::Report {
            all: &all,
            engines: &engines,
            faults: &faults,
            findings: !args.name.is_empty(),
            seconds: start.elapsed().as_secs_f64(),
        };
        out.write_all(human::report(&report).as_bytes())?;
    }
    let tested: Vec<Tested> = (all.iter())
        .flat_map(|(subject, hunted)| tested(subject, hunted))
        .collect();
    args.outputs.write("bugs", workspace.root(), &tested, out)?;
    Ok(musts::exit(&faults, stop.load(Ordering::Relaxed)))
}

/// What other programs are told of a bug: that each engine has looked for it, and what is not as it must be.
fn tested(subject: &Subject, hunted: &Hunted) -> Vec<Tested> {
    let one = |name: String, verdict, message, seconds| Tested {
        suite: subject.name.clone(),
        name,
        verdict,
        rule: None,
        message,
        seconds,
        case: None,
        scenario: None,
    };
    let engines = hunted.bugs.iter();
    let engines = engines.map(|bug| {
        one(
            bug.engine.to_string(),
            Verdict::Holds,
            String::new(),
            bug.seconds,
        )
    });
    let faults = musts::faults(subject, hunted);
    let faults = (1..)
        .zip(faults)
        .map(|(number, fault)| one(format!("fault {number}"), fault.verdict, fault.text, 0.0));
    engines.chain(faults).collect()
}

fn chosen<'a>(args: &args::Bugs, bugs: &'a [Bug]) -> Result<Vec<&'a Bug>, Error> {
    let names: Vec<&str> = bugs.iter().map(|bug| bug.name.as_str()).collect();
    let names = select::matching_of(NAMES, &names, &args.name)?;
    let chosen = bugs.iter();
    let chosen = chosen.filter(|bug| names.contains(&bug.name.as_str()));
    let chosen = chosen.filter(|bug| !args.shows || bug.shows.is_some());
    let chosen: Vec<&Bug> = chosen.collect();
    if chosen.is_empty() {
        let none =
            "no bug of these shows itself whoever runs it: leave out `--shows`, or name others";
        return Err(Error::Usage(none.to_owned()));
    }
    Ok(chosen)
}

/// One bug after the other, several at a time; the lines of each as soon as those before are there.
fn hunt_all<'a>(
    hunter: &Hunter<'_>,
    subjects: &'a [Subject],
    args: &args::Bugs,
    display: &Display,
    out: &mut dyn Write,
) -> Result<Vec<(&'a Subject, Hunted)>, Error> {
    let counter = display.counter(subjects.len() as u64, "bugs");
    let task = |subject: &&'a Subject| {
        let activity = display.activity(&subject.name);
        let hunted = hunter.hunt(subject, &activity)?;
        counter.add_one();
        for fault in musts::faults(subject, &hunted) {
            display.say(&fault.text);
        }
        Some((*subject, hunted))
    };
    let subjects: Vec<&Subject> = subjects.iter().collect();
    let (mut all, mut printed) = (Vec::new(), Ok(()));
    pool::in_order(
        usize::from(args.jobs),
        &subjects,
        task,
        |(subject, hunted)| {
            if args.format == Format::Json && printed.is_ok() {
                printed = print(&hunted, out);
                // Nobody reads any more: the rest would be for nothing.
                hunter.stop.fetch_or(printed.is_err(), Ordering::Relaxed);
            }
            all.push((subject, hunted));
        },
    );
    printed.map(|()| all)
}

fn print(hunted: &Hunted, out: &mut dyn Write) -> Result<(), Error> {
    let bugs = hunted.bugs.iter().cloned().map(Line::Bug);
    let twins = hunted.twins.iter().cloned().map(Line::Twin);
    let mut lines = bugs.chain(twins);
    lines.try_for_each(|line| json::print(out, &line))
}
