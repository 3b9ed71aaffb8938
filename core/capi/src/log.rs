//! What there is to say that no status says: to `tracing`, and to the function that a program in C has given.

use std::ffi::CString;
use std::fmt;

use nmr_sync::Mutex;
use tracing::{error, warn};

use crate::abi::NMREX_LOG_FN;

static LOG: Mutex<NMREX_LOG_FN> = Mutex::new(None);

/// Gives the function to which a program listens, or takes it away.
pub(crate) fn listen(log: NMREX_LOG_FN) {
    *LOG.lock() = log;
}

/// A call was refused, or ignored.
#[cold]
pub(crate) fn warning(message: fmt::Arguments<'_>) {
    warn!("{message}");
    tell(message);
}

/// Something is wrong that was not the caller's fault.
#[cold]
pub(crate) fn failure(message: fmt::Arguments<'_>) {
    error!("{message}");
    tell(message);
}

fn tell(message: fmt::Arguments<'_>) {
    // Out of the lock: the function may give another one.
    let log = *LOG.lock();
    let Some(log) = log else { return };
    let text = message.to_string().replace('\0', "\u{fffd}");
    if let Ok(text) = CString::new(text) {
        // SAFETY: a function that the program has given for this (`NmrExSetLog`), with a string that lives longer than
        // the call.
        unsafe { log(text.as_ptr()) }
    }
}
