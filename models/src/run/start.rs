//! How the threads of a scenario set out.

/// Real threads start together, or the first would be over before the last has begun. In a model the
/// engine decides who begins.
pub(super) struct StartingLine {
    #[cfg(not(any(loom, shuttle)))]
    missing: std::sync::atomic::AtomicUsize,
}

impl StartingLine {
    #[cfg(not(any(loom, shuttle)))]
    pub(super) fn new(threads: usize) -> Self {
        Self {
            missing: std::sync::atomic::AtomicUsize::new(threads),
        }
    }

    #[cfg(any(loom, shuttle))]
    pub(super) fn new(_threads: usize) -> Self {
        Self {}
    }

    pub(super) fn wait(&self) {
        #[cfg(not(any(loom, shuttle)))]
        {
            use std::sync::atomic::Ordering;
            self.missing.fetch_sub(1, Ordering::AcqRel);
            while self.missing.load(Ordering::Acquire) > 0 {
                nmr_sync::thread::yield_now();
            }
        }
    }
}
