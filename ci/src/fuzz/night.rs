//! What is heard of all processes: findings as they come, progress, and the end.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmr_models::report::{Finding, FuzzBatch, Line};
use nmr_properties::campaign::batch::{Batch, Named, Skipped};
use nmr_properties::campaign::corpus::Corpus;
use nmr_properties::campaign::folder::{Folder, Run};
use nmr_properties::campaign::reached::{Places, Reached};
use nmr_properties::concurrent::identity::{Identity, Variant};

use super::broken::At;
use super::judge::Broke;
use super::worker::WORTHWHILE;
use super::{human, print, summary, tested};
use crate::args::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::progress::{Activity, Display};
use crate::words;

/// How often a log hears of progress, and the folder.
const LOG_EVERY: Duration = Duration::from_secs(60);
const SAVE_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Night<'a> {
    args: &'a args::Fuzz,
    folder: &'a Folder,
    known: Reached,
    reached: Reached,
    run: Run,
    start: Instant,
    display: &'a Display,
    activity: Option<Activity>,
    out: &'a mut (dyn Write + Send),
    /// The files of findings that were told.
    told: BTreeSet<PathBuf>,
    findings: Vec<Finding>,
    /// Programs that a process did not get over, for no finding.
    incomplete: u64,
    /// Those that were heard to be done.
    done: BTreeSet<u64>,
    executions: u64,
    next_log: Instant,
    next_save: Instant,
}

impl<'a> Night<'a> {
    pub(super) fn new(
        args: &'a args::Fuzz,
        folder: &'a Folder,
        corpus: &Corpus,
        run: Run,
        display: &'a Display,
        out: &'a mut (dyn Write + Send),
    ) -> Result<Self, Error> {
        let places = Places::default();
        let start = Instant::now();
        let night = Self {
            args,
            folder,
            known: places.reached(corpus.cells()),
            reached: Reached::default(),
            run,
            start,
            display,
            activity: Some(display.activity("fuzzing")),
            out,
            told: BTreeSet::new(),
            findings: Vec::new(),
            incomplete: 0,
            done: BTreeSet::new(),
            executions: 0,
            next_log: start + LOG_EVERY,
            next_save: start + SAVE_EVERY,
        };
        night.save()?;
        Ok(night)
    }

    /// A line of a process, which has made so many executions before.
    pub(super) fn hear(&mut self, line: &Line, before: &mut u64) -> Result<(), Error> {
        match line {
            Line::Progress { executions, .. } => {
                self.executions += executions.saturating_sub(*before);
                *before = *executions;
                self.progress()?;
            }
            Line::Finding(finding) => return self.found(finding.clone()),
            Line::FuzzBatch(batch) => return self.batch(batch),
            _ => {}
        }
        match (self.args.format, line) {
            (Format::Json, Line::Progress { .. }) if !self.args.quiet => {
                json::print(self.out, line)
            }
            _ => Ok(()),
        }
    }

    fn found(&mut self, finding: Finding) -> Result<(), Error> {
        // One that is told already may have got a smaller case: that is in its file.
        if let Some(case) = &finding.case
            && !self.told.insert(case.clone())
        {
            return Ok(());
        }
        match self.args.format {
            Format::Json => json::print(self.out, &Line::Finding(finding.clone()))?,
            Format::Human => {
                let text = human::finding(&finding);
                let out = &mut *self.out;
                self.display.beside(|| out.write_all(text.as_bytes()))?;
                self.out.flush()?;
            }
        }
        self.findings.push(finding);
        Ok(())
    }

    fn batch(&mut self, batch: &FuzzBatch) -> Result<(), Error> {
        if batch.programs >= batch.of {
            self.done.insert(batch.number);
        }
        if let Some(done) = self.folder.batch(&self.run.about, batch.number)? {
            let before = self.reached.len();
            self.reached.extend(&done.reached);
            if self.reached.len() > before {
                let seconds = self.start.elapsed().as_secs_f64();
                self.run.gained.push((seconds, self.reached.len() as u64));
            }
        }
        match self.args.format {
            Format::Json => json::print(self.out, &Line::FuzzBatch(batch.clone())),
            Format::Human => self.progress(),
        }
    }

    /// A process did not get over a program.
    pub(super) fn broke(&mut self, how: &Broke, at: At, stderr: &str) -> Result<Skipped, Error> {
        let mut skipped = Skipped {
            batch: at.batch,
            program: at.program,
            why: how.words(),
            finding: None,
        };
        let Some(rule) = how.rule() else {
            let Skipped {
                batch,
                program,
                why,
                ..
            } = &skipped;
            self.incomplete += 1;
            self.display.say(&format!(
                "incomplete: program {program} of batch {batch}: {why}"
            ));
            return Ok(skipped);
        };
        let mut message = how.words();
        if !stderr.is_empty() {
            message.push_str("\nlast on its stderr:\n");
            message.push_str(stderr);
        }
        let seed = at.seed;
        let batch = at.batch;
        let again = human::again(self.args, &self.run.about, batch);
        let case = at.case(rule, message.clone(), self.args.conditions);
        skipped.finding = Some(Named {
            rule,
            name: Identity::of(&case).name(),
            variant: Variant::of(&case).name(),
        });
        let path = self.folder.write_case(&case);
        let path = path.map_err(|source| unwritable(self.folder, source))?;
        self.found(Finding {
            rule,
            message: format!("{message}\nrepeat with: {again}"),
            seed,
            case: Some(path),
            repeats: 0,
        })?;
        Ok(skipped)
    }

    fn progress(&mut self) -> Result<(), Error> {
        let seconds = self.start.elapsed().as_secs_f64();
        let left = self
            .args
            .time
            .map(|time| (time.as_secs_f64() - seconds).max(0.0));
        let text = format!(
            "{}, {} ({:.0}/s), {} reached, {}{}",
            words::plural(self.done.len() as u64, "batch"),
            words::plural(self.executions, "execution"),
            self.executions as f64 / seconds.max(0.001),
            words::plural(self.reached.len() as u64, "cell"),
            words::plural(self.told.len() as u64, "finding"),
            left.map(|left| format!(", {} to go", words::time(left)))
                .unwrap_or_default(),
        );
        if let Some(activity) = &self.activity {
            activity.at(text.clone());
        }
        if Instant::now() >= self.next_log {
            self.next_log = Instant::now() + LOG_EVERY;
            if !self.display.moves() {
                self.display.say(&text);
            }
        }
        if Instant::now() >= self.next_save {
            self.next_save = Instant::now() + SAVE_EVERY;
            self.run.seconds = seconds;
            self.save()?;
        }
        Ok(())
    }

    fn save(&self) -> Result<(), Error> {
        let saved = self.folder.write_run(&self.run);
        saved.map_err(|source| unwritable(self.folder, source))
    }

    /// The summary, also of a night that ended badly.
    pub(super) fn close(
        &mut self,
        ended: Result<(), Error>,
        stop: &AtomicBool,
        root: &Path,
    ) -> Result<Exit, Error> {
        self.activity = None;
        self.run.seconds = self.start.elapsed().as_secs_f64();
        // With less time left nobody begins anything.
        let late = self.start.elapsed() + WORTHWHILE;
        let is_late = self.args.time.is_some_and(|time| late >= time);
        let interrupted = stop.load(Ordering::Relaxed);
        let batches = self.folder.batches()?;
        let own = batches.iter().filter(|batch| batch.about == self.run.about);
        let own: Vec<_> = own.collect();
        let ended = match ended {
            Ok(()) if !interrupted && !is_late => self.all_is_done(&own),
            ended => ended,
        };
        self.run.state = match &ended {
            Err(error) => format!("failed: {error}"),
            Ok(()) if interrupted => "interrupted".to_owned(),
            Ok(()) if is_late => "the time was over".to_owned(),
            Ok(()) => "done".to_owned(),
        };
        self.save()?;
        self.tell_of_what_was_there(&own);
        let mut summary = summary(&own, std::slice::from_ref(&self.run), &self.known);
        // What a process did not get over is in no batch, if there was no time for another one.
        summary.findings = summary.findings.max(self.told.len() as u64);
        let incomplete = &mut summary.campaign.incomplete;
        *incomplete = self.incomplete.max(*incomplete);
        let exit = summary::exit(&summary);
        let tested = tested::tested(&own, &self.findings, self.folder, &summary);
        print(self.folder, summary, self.args.format, self.out)?;
        (self.args.outputs).write("fuzz", root, &tested, self.out)?;
        match (exit, ended) {
            _ if interrupted => Err(Error::Interrupted),
            (Exit::Holds, Ok(())) => Ok(Exit::Holds),
            (Exit::Violated, Err(error)) => {
                self.display.say(&error.to_string());
                Ok(Exit::Violated)
            }
            (_, Err(error)) => Err(error),
            (exit, Ok(())) => Ok(exit),
        }
    }
}

impl Night<'_> {
    /// What was asked for was done now, or was there, whatever the processes say by their exit codes.
    fn all_is_done(&self, own: &[&Batch]) -> Result<(), Error> {
        let shard = self.args.shard;
        let (first, step, end) = match (self.args.replay_batch, self.args.batches) {
            (Some(one), _) => (one, 1, one.saturating_add(1)),
            (None, Some(end)) => (u64::from(shard.index()) - 1, u64::from(shard.count()), end),
            // Only the end of its time ends it.
            (None, None) => {
                let message = "the fuzzer ended before its time was over";
                return Err(Error::Harness(message.to_owned()));
            }
        };
        let asked = end.saturating_sub(first).div_ceil(step);
        let is_asked_for =
            |number: &u64| (first..end).contains(number) && (number - first).is_multiple_of(step);
        let there = own.iter().filter(|batch| batch.is_whole());
        let numbers = there.map(|batch| batch.number).chain(self.done.clone());
        let numbers: BTreeSet<u64> = numbers.filter(is_asked_for).collect();
        let done = numbers.len() as u64;
        match done == asked {
            true => Ok(()),
            false => Err(Error::Harness(format!(
                "the fuzzer ended with {done} of {}",
                words::plural(asked, "batch")
            ))),
        }
    }

    /// That a batch is not run again is no news of the code, and has to be known.
    fn tell_of_what_was_there(&self, own: &[&Batch]) {
        let before = own
            .iter()
            .filter(|batch| !self.done.contains(&batch.number));
        let before = before.filter(|batch| batch.is_whole()).count() as u64;
        if before > 0 {
            let before = words::plural(before, "batch");
            self.display.say(&format!(
                "{before} of this campaign and of these sources were there and count, but were not run again"
            ));
        }
    }
}

fn unwritable(folder: &Folder, source: std::io::Error) -> Error {
    Error::Unwritable {
        path: folder.path().to_owned(),
        source,
    }
}
