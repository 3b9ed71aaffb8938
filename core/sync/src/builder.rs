//! How a thread is started, the same in every build.

use std::io;

use crate::backend::thread::{JoinHandle, start};

/// Starts a thread with a name, or as a daemon; as `std::thread::Builder` does.
///
/// ```
/// # #[cfg(not(any(loom, shuttle)))] {
/// use nmr_sync::thread;
///
/// let thread = thread::Builder::new().name("counting").spawn(|| 1 + 1).unwrap();
/// assert_eq!(thread.join().unwrap(), 2);
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "it starts nothing by itself"]
pub struct Builder {
    pub(crate) name: Option<String>,
    pub(crate) is_daemon: bool,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the thread: in an explorer's schedules and messages, and to the operating system. Names that are
    /// given twice are told apart by numbers there.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The program is over without it: under an explorer it is no deadlock that this thread waits for work when
    /// all others have ended. It is unwound then, wherever it is, so that its destructors run; a panic of it is one
    /// like any other's. An explorer refuses a daemon that catches what unwinds it, or that waits in a destructor then;
    /// a destructor that panics then aborts the process. On real threads it ends with the process, as any thread does
    /// that nobody joins, and its destructors do not run. loom and shuttle's own schedulers know no daemons: there it
    /// has to end.
    ///
    /// ```
    /// # #[cfg(not(any(loom, shuttle)))] {
    /// use nmr_sync::{Condvar, Mutex, thread};
    ///
    /// static WORK: (Mutex<Vec<u32>>, Condvar) = (Mutex::new(Vec::new()), Condvar::new());
    /// let serving = thread::Builder::new().daemon().spawn(|| {
    ///     loop {
    ///         let mut work = WORK.0.lock();
    ///         while work.pop().is_none() {
    ///             WORK.1.wait(&mut work);
    ///         }
    ///     }
    /// });
    /// # drop(serving.unwrap());
    /// # }
    /// ```
    pub fn daemon(mut self) -> Self {
        self.is_daemon = true;
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system cannot start another thread; none in a model.
    #[cfg_attr(any(loom, shuttle), track_caller)]
    pub fn spawn<F, T>(self, body: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        start(self, body)
    }
}

/// Starts a thread without a name.
///
/// # Panics
/// If the operating system cannot start another thread.
#[cfg_attr(any(loom, shuttle), track_caller)]
pub fn spawn<F, T>(body: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(body).expect("a thread can be started")
}
