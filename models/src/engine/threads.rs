//! Real threads over `parking_lot`: many rounds, and a watchdog that turns a hang into a finding that
//! names who waits for what.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Exploration, Request, is_sequential};
use crate::interpreter::Prepared;
use crate::invisible::{Invisible, lock};
use crate::report::Extent;
use crate::run::{Finding, Run, Watch};

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
    let watch = Arc::new(Watch::new(
        request.executions.clone(),
        move |watch, finding| {
            end(Exploration::new(
                watch,
                Extent::Sampled,
                Some(finding.clone()),
            ));
        },
    ));
    let found = Arc::new(Invisible::new(None));
    let (reports, inbox) = channel();
    let rounds = thread::spawn({
        let (request, watch, found) = (request.clone(), watch.clone(), found.clone());
        move || {
            let deadline = Instant::now() + request.budget;
            let prepared = Prepared::new(&request.scenario);
            loop {
                watch.begin();
                let run = Run::new(&prepared, &watch);
                if reports.send(Report::Begins(run.clone())).is_err() {
                    return;
                }
                run.clone().to_the_end();
                let finding = run.take_finding();
                let over = is_sequential(&request.scenario) || Instant::now() >= deadline;
                if over || finding.is_some() {
                    *lock(&found) = finding;
                    // The watchdog may have left.
                    let _ = reports.send(Report::Over);
                    return;
                }
            }
        }
    });
    let hung = watch_over(&inbox);
    let finding = hung.or_else(|| lock(&found).take());
    if finding.is_none() && rounds.join().is_err() {
        return Exploration {
            error: Some("the thread that makes the rounds panicked".to_owned()),
            ..Exploration::new(&watch, Extent::Sampled, None)
        };
    }
    let extent = match is_sequential(&request.scenario) {
        true => Extent::Complete,
        false => Extent::Sampled,
    };
    Exploration::new(&watch, extent, finding)
}

/// Until the rounds are over, or one of them hangs: what is found then.
fn watch_over(inbox: &std::sync::mpsc::Receiver<Report>) -> Option<Finding> {
    let mut current: Option<Arc<Run>> = None;
    loop {
        match inbox.recv_timeout(HANG) {
            Ok(Report::Begins(run)) => current = Some(run),
            Ok(Report::Over) | Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                let run = current.take()?;
                run.stuck("");
                return run.take_finding();
            }
        }
    }
}
