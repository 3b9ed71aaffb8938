//! A child process under supervision: its lines as they come, a deadline, a way to stop it, and the
//! end of what it said on stderr.
//!
//! Knows nothing of what the lines mean.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often `stop` is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long a pipe may stay open after the child's end (a grandchild can hold it).
const LINGER: Duration = Duration::from_millis(500);

/// How many lines may be read before they are handed on: a child that floods is held up.
const AHEAD: usize = 256;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By itself.
    Exited(ExitStatus),
    /// Killed at the deadline, or for its silence.
    TimedOut,
    /// Killed because it was told to stop.
    Stopped,
}

/// The end of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How it ended.
    pub how: How,
    /// How long it ran.
    pub after: Duration,
    /// The last lines that it wrote to stderr, if they were to be kept.
    pub stderr: String,
}

/// What a child is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// It is killed when it has run for so long.
    pub deadline: Duration,
    /// It is killed when it has printed no line for so long.
    pub silence: Duration,
    /// When it is to be stopped it may go on for so long, to end by itself.
    pub parting: Duration,
    /// What becomes of its stderr.
    pub stderr: Stderr,
    /// Whether it takes the end of its standard input for being told to stop. Ctrl-C reaches it as well, a signal to this
    /// process alone does not.
    pub listens: bool,
}

impl Limits {
    /// No limit of time, and stderr goes where this process's goes.
    pub const NONE: Self = Self {
        deadline: Duration::MAX,
        silence: Duration::MAX,
        parting: Duration::ZERO,
        stderr: Stderr::Inherit,
        listens: false,
    };
}

/// What becomes of a child's stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stderr {
    /// It goes where this process's goes.
    Inherit,
    /// So many of its last lines are kept.
    Keep(usize),
}

/// Runs `command` without input, its standard input open as long as it is not to stop if it [listens](Limits::listens). Each line of its stdout goes to `line`, with the time since the
/// start; bytes that are not UTF-8 are replaced.
///
/// # Errors
/// The command cannot be started.
pub fn supervise(
    mut command: Command,
    limits: Limits,
    stop: &AtomicBool,
    line: &mut dyn FnMut(Duration, &str),
) -> io::Result<End> {
    let start = Instant::now();
    let stdin = if limits.listens {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    command.stdin(stdin).stdout(Stdio::piped());
    if let Stderr::Keep(_) = limits.stderr {
        command.stderr(Stdio::piped());
    }
    let mut child = command.spawn()?;
    let lines = lines_of(child.stdout.take().expect("stdout is a pipe"));
    let stderr = match (limits.stderr, child.stderr.take()) {
        (Stderr::Keep(size), Some(pipe)) => Some(tail_of(pipe, size)),
        _ => None,
    };
    let mut watched = Watched {
        stdin: child.stdin.take(),
        child,
        limits,
        stop,
        start,
        last_line: start,
        told_to_stop: None,
    };
    let how = watched.follow(&lines, line)?;
    if !matches!(how, How::Exited(_)) {
        // It may just have ended by itself; then there is nothing to kill.
        let _ = watched.child.kill();
        watched.child.wait()?;
    }
    Ok(End {
        how,
        after: start.elapsed(),
        stderr: stderr.map(|tail| tail.read()).unwrap_or_default(),
    })
}

struct Watched<'a> {
    child: Child,
    /// Of one that listens, until it has to stop.
    stdin: Option<ChildStdin>,
    limits: Limits,
    stop: &'a AtomicBool,
    start: Instant,
    last_line: Instant,
    /// When `stop` was seen to be true.
    told_to_stop: Option<Instant>,
}

impl Watched<'_> {
    /// Why it has to be killed, if it has.
    fn overdue(&mut self) -> Option<How> {
        let limits = &self.limits;
        if self.stop.load(Ordering::Relaxed) {
            self.stdin = None;
            let since = *self.told_to_stop.get_or_insert_with(Instant::now);
            (since.elapsed() >= limits.parting).then_some(How::Stopped)
        } else if self.start.elapsed() >= limits.deadline
            || self.last_line.elapsed() >= limits.silence
        {
            Some(How::TimedOut)
        } else {
            None
        }
    }

    /// Hands on its lines until it has ended or has to be killed.
    fn follow(
        &mut self,
        lines: &Receiver<String>,
        line: &mut dyn FnMut(Duration, &str),
    ) -> io::Result<How> {
        loop {
            if let Some(how) = self.overdue() {
                return Ok(how);
            }
            match lines.recv_timeout(TICK) {
                Ok(text) => {
                    self.last_line = Instant::now();
                    line(self.start.elapsed(), &text);
                }
                Err(RecvTimeoutError::Disconnected) => return self.wait(),
                Err(RecvTimeoutError::Timeout) => {
                    // With its stdout still open, somebody else has inherited that.
                    if let Some(status) = self.child.try_wait()? {
                        while let Ok(text) = lines.recv_timeout(LINGER) {
                            line(self.start.elapsed(), &text);
                        }
                        return Ok(How::Exited(status));
                    }
                }
            }
        }
    }

    /// Waits for a child that has closed its stdout.
    fn wait(&mut self) -> io::Result<How> {
        let mut pause = Duration::from_micros(200);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(How::Exited(status));
            }
            if let Some(how) = self.overdue() {
                return Ok(how);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(TICK);
        }
    }
}

fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = sync_channel(AHEAD);
    thread::spawn(move || each_line(pipe, |text| send.send(text).is_ok()));
    receive
}

/// Calls `each` until it answers false or the pipe ends.
fn each_line(pipe: impl Read, mut each: impl FnMut(String) -> bool) {
    let pieces = BufReader::new(pipe).split(b'\n').map_while(Result::ok);
    for piece in pieces {
        let text = String::from_utf8_lossy(&piece);
        if !each(text.trim_end_matches('\r').to_owned()) {
            break;
        }
    }
}

struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    /// Disconnected when the pipe has ended.
    ended: Receiver<()>,
}

fn tail_of(pipe: impl Read + Send + 'static, size: usize) -> Tail {
    let lines = Arc::new(Mutex::new(VecDeque::new()));
    let (alive, ended): (Sender<()>, _) = channel();
    let kept = Arc::clone(&lines);
    thread::spawn(move || {
        let _alive = alive;
        each_line(pipe, |text| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == size {
                kept.pop_front();
            }
            kept.push_back(text);
            true
        });
    });
    Tail { lines, ended }
}

impl Tail {
    fn read(&self) -> String {
        // Nothing is ever sent: this returns when the pipe has ended, or is held too long.
        let _ = self.ended.recv_timeout(LINGER);
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Vec::from_iter(lines.iter().map(String::as_str)).join("\n")
    }
}
