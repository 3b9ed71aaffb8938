//! What the programs use: the product, or a copy of it.

use std::num::NonZeroUsize;

use nmr::{Closing, Released, Rundown};

/// Rundown protection.
pub(crate) trait Protection: Send + Sync + 'static {
    fn try_acquire_many(&self, count: NonZeroUsize) -> bool;
    fn release_many(&self, count: NonZeroUsize) -> Released;
    fn close(&self) -> Closing;
    fn wait(&self);
    fn is_run_down(&self) -> bool;
    fn reinitialise(&self) -> bool;

    /// The owner frees its memory. Of a copy every use afterwards is a panic; the product is kept by an `Arc`.
    fn free(&self) {}

    fn try_acquire(&self) -> bool {
        self.try_acquire_many(NonZeroUsize::MIN)
    }

    fn release(&self) -> Released {
        self.release_many(NonZeroUsize::MIN)
    }
}

impl Protection for Rundown {
    fn try_acquire_many(&self, count: NonZeroUsize) -> bool {
        self.try_acquire_many(count)
    }

    fn release_many(&self, count: NonZeroUsize) -> Released {
        self.release_many(count)
    }

    fn close(&self) -> Closing {
        self.close()
    }

    fn wait(&self) {
        self.wait();
    }

    fn is_run_down(&self) -> bool {
        self.is_run_down()
    }

    fn reinitialise(&self) -> bool {
        self.reinitialise().is_ok()
    }
}
