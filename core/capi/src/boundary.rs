//! Where Rust ends: no panic goes on into C.
//!
//! What is caught is counted, logged, and answered as a status.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::log::failure;

static CAUGHT: AtomicU64 = AtomicU64::new(0);

/// How many panics were caught.
pub(crate) fn caught() -> u64 {
    CAUGHT.load(Ordering::Relaxed)
}

/// Runs the body of the function by this name; its answer, or after a panic `after_panic`.
///
/// The registrar is consistent after a panic of a callback (C18), and nothing else is shared.
pub(crate) fn guard<R>(function: &'static str, after_panic: R, body: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(answer) => answer,
        Err(payload) => {
            note(function, payload);
            after_panic
        }
    }
}

#[cold]
fn note(function: &'static str, payload: Box<dyn Any + Send>) {
    CAUGHT.fetch_add(1, Ordering::Relaxed);
    // Who listens, and a payload's own drop, are foreign code, which may panic in turn.
    let noting = AssertUnwindSafe(|| {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        failure(format_args!("{function}: a panic was caught: {message}"));
        drop(payload);
    });
    if let Err(another) = catch_unwind(noting) {
        std::mem::forget(another);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a payload's drop");
        }
    }

    #[test]
    fn a_panic_is_counted_and_answered_also_if_its_payload_panics_in_turn() {
        let before = caught();
        assert_eq!(guard("a", 1, || 2), 2);
        assert_eq!(guard("b", 1, || panic!("with a message")), 1);
        assert_eq!(guard("c", 1, || std::panic::panic_any(Bomb)), 1);
        assert_eq!(caught() - before, 2);
    }
}
