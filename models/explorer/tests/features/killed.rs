//! A search whose process is killed goes on from its last checkpoint: the test runs itself, kills itself,
//! and runs itself again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use nmr_explorer::{Explorer, Report, Verdict};

use super::programs::adders;

/// Says to the process that is started where the checkpoint is.
const VARIABLE: &str = "NMR_EXPLORER_TEST_CHECKPOINT";

/// 14⁴ − 1 − 4·13: how far each of the four threads is, but where fewer than two have something left.
const STATES: u64 = 38_363;

fn search(workers: usize, checkpoint: Option<&Path>) -> Report {
    let mut builder = Explorer::builder().name("killed").workers(workers);
    if let Some(checkpoint) = checkpoint {
        builder = builder
            .checkpoint(checkpoint)
            .checkpoint_interval(Duration::from_millis(5));
    }
    builder.check(|| {
        adders(4, 13);
    })
}

/// This test in another process, which searches and does nothing else.
fn start(test: &str, checkpoint: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program)
        .args(["--exact", test])
        .env(VARIABLE, checkpoint)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn written(checkpoint: &Path) -> Option<SystemTime> {
    std::fs::metadata(checkpoint)
        .and_then(|data| data.modified())
        .ok()
}

/// Kills the process as soon as it has written another checkpoint; whether it was still running.
fn kill_after_a_checkpoint(mut child: Child, checkpoint: &Path) -> bool {
    let before = written(checkpoint);
    let begun = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "the search went wrong");
            break true;
        }
        if written(checkpoint) != before {
            break false;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoint");
        thread::sleep(Duration::from_millis(1));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    !ended
}

fn goes_on_after_it_was_killed(test: &str, workers: usize) {
    if let Some(checkpoint) = std::env::var_os(VARIABLE) {
        let _ = search(workers, Some(&PathBuf::from(checkpoint)));
        return;
    }
    let undisturbed = search(workers, None);
    assert_eq!(undisturbed.states, STATES, "{undisturbed}");
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint");
    let killed = (0..4).filter(|_| kill_after_a_checkpoint(start(test, &checkpoint), &checkpoint));
    assert!(killed.count() >= 2, "it was too fast to be killed");
    let rest = search(workers, Some(&checkpoint));
    assert_eq!(rest.verdict, Verdict::Exhausted, "{rest}");
    assert_eq!(rest.states, STATES, "{rest}");
    // What the killed ones had done is not done again.
    assert!(rest.transitions < undisturbed.transitions, "{rest}");
    let left = std::fs::read_dir(folder.path()).unwrap();
    assert!(
        left.count() <= 5,
        "a file is left behind by each that was killed at most"
    );
}

#[test]
fn a_search_goes_on_after_it_was_killed() {
    goes_on_after_it_was_killed("killed::a_search_goes_on_after_it_was_killed", 1);
}

#[test]
fn a_search_by_two_workers_goes_on_after_it_was_killed() {
    goes_on_after_it_was_killed(
        "killed::a_search_by_two_workers_goes_on_after_it_was_killed",
        2,
    );
}
