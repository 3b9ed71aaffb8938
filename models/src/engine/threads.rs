//! Real threads over `parking_lot`: many rounds, and a watchdog that turns a hang into a finding that
//! names who waits for what.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Exploration, Request, is_sequential};
use crate::report::Extent;
use crate::run::{Run, Watch};

/// A round takes microseconds; one that takes so long hangs.
const HANG: Duration = Duration::from_secs(5);

/// What the thread that makes the rounds tells the watchdog.
enum Report {
    Begins(Arc<Run>),
    Over,
}

pub(super) fn explore(
    request: &Request,
    end: impl Fn(Exploration) + Send + Sync + 'static,
) -> Exploration {
    let watch = Arc::new(Watch::new(request.executions.clone(), move |watch| {
        end(Exploration::new(watch, Extent::Sampled));
    }));
    let (reports, inbox) = channel();
    let rounds = thread::spawn({
        let (request, watch) = (request.clone(), watch.clone());
        move || {
            let deadline = Instant::now() + request.budget;
            loop {
                watch.begin();
                let run = Run::new(&request.scenario, &watch);
                if reports.send(Report::Begins(run.clone())).is_err() {
                    return;
                }
                run.to_the_end();
                let over = is_sequential(&request.scenario) || Instant::now() >= deadline;
                if over || watch.finding().is_some() {
                    // The watchdog may have left.
                    let _ = reports.send(Report::Over);
                    return;
                }
            }
        }
    });
    watch_over(&inbox);
    if watch.finding().is_none() && rounds.join().is_err() {
        return Exploration {
            error: Some("the thread that makes the rounds panicked".to_owned()),
            ..Exploration::new(&watch, Extent::Sampled)
        };
    }
    let extent = match is_sequential(&request.scenario) {
        true => Extent::Complete,
        false => Extent::Sampled,
    };
    Exploration::new(&watch, extent)
}

fn watch_over(inbox: &std::sync::mpsc::Receiver<Report>) {
    let mut current: Option<Arc<Run>> = None;
    loop {
        match inbox.recv_timeout(HANG) {
            Ok(Report::Begins(run)) => current = Some(run),
            Ok(Report::Over) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                if let Some(run) = current.take() {
                    run.stuck("");
                }
                return;
            }
        }
    }
}
