//! Into a module's code and out of it: calls that come back whatever the module does.
//!
//! While C code runs, a fault in it, or a time in which it does not come back, leaves the call to where it was made
//! (`longjmp`, in the file of the module's own that made it): only C code lies in between, which has nothing to take apart. That is
//! known by statics, for a signal knows nothing else; executions are made on one thread of the system at a time.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::layout::{Call, Invoke};

/// How long a module's code may take to come back, in ticks of the clock.
const PATIENCE: u32 = 8;
/// A tick.
const TICK: libc::timeval = libc::timeval {
    tv_sec: 0,
    tv_usec: 250_000,
};
/// Seconds of the two.
pub(super) const SECONDS: u32 = 2;

/// The innermost call of a module, while its code runs.
static INSIDE: AtomicPtr<Call> = AtomicPtr::new(ptr::null_mut());
/// The function that leaves it.
static LEAVE: AtomicUsize = AtomicUsize::new(0);
/// The thread of the system on which executions are made.
static OWNER: AtomicUsize = AtomicUsize::new(0);
/// How often a module's code was come to.
static ENTERED: AtomicU64 = AtomicU64::new(0);
/// Another thread of the system has called the registrar.
static STRANGERS: AtomicBool = AtomicBool::new(false);

/// What there was at the last tick, and for how many it has been so.
static SEEN: AtomicU64 = AtomicU64::new(0);
static TICKS: AtomicU32 = AtomicU32::new(0);

/// The fault that a call was left for.
static SIGNAL: AtomicU32 = AtomicU32::new(0);
static ADDRESS: AtomicUsize = AtomicUsize::new(0);

/// Why a call was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// By a signal of the system, for an address.
    Fault(i32, usize),
    /// It did not come back.
    Stuck,
    /// It has left a function that it was called by, by a jump of its own.
    Jumped,
}

const FAULT: c_int = 1;
const STUCK: c_int = 2;

/// Signals by which C code ends.
const FAULTS: [c_int; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGABRT,
];

type Action = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Executions are made on this thread from now on.
pub(super) fn own() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        FAULTS
            .into_iter()
            .for_each(|signal| listen(signal, on_fault));
        listen(libc::SIGALRM, on_tick);
        let timer = libc::itimerval {
            it_interval: TICK,
            it_value: TICK,
        };
        // SAFETY: a timer of the process, of which it has no other.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) };
    });
    OWNER.store(this_thread(), Ordering::Relaxed);
    INSIDE.store(ptr::null_mut(), Ordering::Relaxed);
}

/// Whether another thread of the system has called the registrar since this was last asked.
pub(super) fn strangers() -> bool {
    STRANGERS.swap(false, Ordering::Relaxed)
}

fn this_thread() -> usize {
    // SAFETY: it only answers who is asking.
    unsafe { libc::pthread_self() as usize }
}

fn errno() -> c_int {
    // SAFETY: it only answers where the variable is.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: a variable of this thread's own.
    unsafe { *place }
}

fn set_errno(value: c_int) {
    // SAFETY: as in `errno`.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as in `errno`.
    unsafe { *place = value };
}

fn listen(signal: c_int, action: Action) {
    let mut all = MaybeUninit::<libc::sigaction>::zeroed();
    let new = all.as_mut_ptr();
    // SAFETY: zeros are a valid value: no flags, no signals blocked.
    let new = unsafe { &mut *new };
    new.sa_sigaction = action as *const () as usize;
    // Not blocked meanwhile, for it is left by a jump; and on a stack of its own, for that of the module may be used up.
    new.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: a handler that does only what a signal may do.
    unsafe { libc::sigaction(signal, new, ptr::null_mut()) };
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    if INSIDE.load(Ordering::Relaxed).is_null() || this_thread() != OWNER.load(Ordering::Relaxed) {
        // Nothing of a module's: it ends the process as it always does.
        // SAFETY: what it was before.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        // SAFETY: to this process.
        unsafe { libc::raise(signal) };
        return;
    }
    // SAFETY: the system gives it.
    let info = unsafe { &*info };
    // SAFETY: these signals have an address, or something else in its place.
    let address = unsafe { info.si_addr() };
    let address = if signal == libc::SIGABRT {
        ptr::null_mut()
    } else {
        address
    };
    SIGNAL.store(signal as u32, Ordering::Relaxed);
    ADDRESS.store(address.addr(), Ordering::Relaxed);
    leave(FAULT);
}

extern "C" fn on_tick(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    let owner = OWNER.load(Ordering::Relaxed);
    if this_thread() != owner {
        // SAFETY: the thread of executions is there as long as one is made; else it is told of nothing.
        unsafe { libc::pthread_kill(owner as libc::pthread_t, libc::SIGALRM) };
        return;
    }
    let entered = ENTERED.load(Ordering::Relaxed);
    let is_inside = !INSIDE.load(Ordering::Relaxed).is_null();
    if !is_inside || SEEN.swap(entered, Ordering::Relaxed) != entered {
        TICKS.store(0, Ordering::Relaxed);
    } else if TICKS.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
        TICKS.store(0, Ordering::Relaxed);
        leave(STUCK);
    }
}

/// Leaves the call that the module's code runs in.
fn leave(why: c_int) {
    let call = INSIDE.swap(ptr::null_mut(), Ordering::Relaxed);
    // SAFETY: it was set by `enter`, whose frame is still there: the module's code runs inside of it. (One that is not, because
    // the module jumped, is a frame of the same stack.)
    let back = unsafe { (*call).back };
    let leave = LEAVE.load(Ordering::Relaxed);
    // SAFETY: `enter` stored a function of this type.
    let leave: unsafe extern "C" fn(*mut c_void, c_int) -> ! =
        unsafe { std::mem::transmute::<usize, _>(leave) };
    // SAFETY: to a place in a frame of C that is still there, over frames of C.
    unsafe { leave(back, why) }
}

/// Calls into a module; why the call was left, if the module did not come back by itself.
///
/// # Safety
/// The call has a function of its kind, with what it takes; the two functions are those of the module's object.
pub(super) unsafe fn enter(call: &mut Call, invoke: Invoke, leave: usize) -> Result<(), Why> {
    let here = Here;
    ENTERED.fetch_add(1, Ordering::Relaxed);
    LEAVE.store(leave, Ordering::Relaxed);
    let call = &raw mut *call;
    // Each call finds the same: it is no place to keep anything from one to the next.
    set_errno(0);
    INSIDE.store(call, Ordering::Relaxed);
    // SAFETY: the caller says so.
    let left = unsafe { invoke(call) };
    let inside = INSIDE.load(Ordering::Relaxed);
    drop(here);
    match left {
        0 if inside == call => Ok(()),
        0 => Err(Why::Jumped),
        FAULT => Err(Why::Fault(
            SIGNAL.load(Ordering::Relaxed) as i32,
            ADDRESS.load(Ordering::Relaxed),
        )),
        _ => Err(Why::Stuck),
    }
}

/// The module's code runs, as long as this is there.
struct Here;

impl Drop for Here {
    fn drop(&mut self) {
        INSIDE.store(ptr::null_mut(), Ordering::Relaxed);
    }
}

/// What a call of the registrar from a module's code is.
pub(super) enum Came {
    /// One from inside of a call of the module, which the answer [goes back](Out::back) to.
    Out(Out),
    /// One after the module has jumped out of a function that it was called by.
    Jumped,
    /// One by another thread of the system.
    Stranger,
}

/// The module's code has called something.
pub(super) struct Out {
    call: *mut Call,
    /// The module's, for others run before it goes on.
    errno: c_int,
}

/// A function of the table is called.
pub(super) fn come_out() -> Came {
    if this_thread() != OWNER.load(Ordering::Relaxed) {
        STRANGERS.store(true, Ordering::Relaxed);
        return Came::Stranger;
    }
    let errno = errno();
    let here = 0_u8;
    let call = INSIDE.swap(ptr::null_mut(), Ordering::Relaxed);
    // Stacks grow downwards: what lies below this frame is none of a frame that is still there.
    match call.addr() < (&raw const here).addr() {
        true => Came::Jumped,
        false => Came::Out(Out { call, errno }),
    }
}

impl Out {
    /// The module's code goes on.
    pub(super) fn back(self, leave: usize) {
        LEAVE.store(leave, Ordering::Relaxed);
        ENTERED.fetch_add(1, Ordering::Relaxed);
        set_errno(self.errno);
        INSIDE.store(self.call, Ordering::Relaxed);
    }
}
