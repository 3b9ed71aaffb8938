//! What goes on, on stderr: lines that move on a terminal, a plain line now and then elsewhere.
//!
//! Never on stdout, which is for results.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How often a log hears of progress.
const LOG_EVERY: Duration = Duration::from_secs(30);

/// The display. Shared between threads.
pub struct Display {
    bars: Option<MultiProgress>,
    quiet: bool,
}

/// One line of the display: something that goes on.
pub struct Activity {
    bar: ProgressBar,
}

/// The line that counts.
pub struct Counter {
    bar: Option<ProgressBar>,
    what: &'static str,
    log: Mutex<Log>,
}

struct Log {
    done: u64,
    of: u64,
    next: Instant,
}

impl Display {
    /// Moving lines if stderr is a terminal.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bars: io::stderr().is_terminal().then(MultiProgress::new),
            quiet: false,
        }
    }

    /// The same, but says nothing that stays.
    #[must_use]
    pub fn quiet() -> Self {
        Self {
            quiet: true,
            ..Self::new()
        }
    }

    /// Says nothing at all, and nothing moves.
    #[must_use]
    pub const fn silent() -> Self {
        Self {
            bars: None,
            quiet: true,
        }
    }

    /// Whether lines move. Elsewhere somebody reads a log.
    #[must_use]
    pub const fn moves(&self) -> bool {
        self.bars.is_some()
    }

    /// Says something once.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.beside(|| eprintln!("{text}"));
        }
    }

    /// Does something that prints, without the moving lines in its way.
    pub fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    /// A new line, gone when the activity is dropped.
    #[must_use]
    pub fn activity(&self, name: &str) -> Activity {
        let bar = ProgressBar::new_spinner();
        let Some(bars) = &self.bars else {
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
            return Activity { bar };
        };
        let bar = bars.add(bar.with_style(style("{spinner} {prefix} {wide_msg:.dim}")));
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Activity { bar }
    }

    /// A new line that counts to `of`.
    #[must_use]
    pub fn counter(&self, of: u64, what: &'static str) -> Counter {
        let bar = self.bars.as_ref().map(|bars| {
            let template = "{bar:30} {pos} of {len} {msg}, {elapsed} so far, {eta} to go";
            let bar = bars.add(ProgressBar::new(of).with_style(style(template)));
            bar.set_message(what);
            bar
        });
        let next = Instant::now() + LOG_EVERY;
        let log = Mutex::new(Log { done: 0, of, next });
        Counter { bar, what, log }
    }
}

impl Default for Display {
    fn default() -> Self {
        Self::new()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well-formed")
}

impl Activity {
    /// What it is at.
    pub fn at(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Counter {
    /// So many are done, of which the first may have been done long ago.
    pub fn set(&self, done: u64) {
        if let Some(bar) = &self.bar {
            if bar.position() == 0 {
                bar.set_position(done);
                bar.reset_eta();
            }
            bar.set_position(done);
            return;
        }
        self.log(|_| done);
    }

    /// One more is done.
    pub fn add_one(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return;
        }
        self.log(|done| done + 1);
    }

    fn log(&self, done: impl FnOnce(u64) -> u64) {
        let mut log = self.log.lock().expect("nobody panics while counting");
        log.done = done(log.done);
        if Instant::now() >= log.next && log.done < log.of {
            log.next = Instant::now() + LOG_EVERY;
            eprintln!("{} of {} {} done", log.done, log.of, self.what);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
