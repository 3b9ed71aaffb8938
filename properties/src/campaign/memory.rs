//! How much memory this process has.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// What is resident, in bytes; `None` where the system does not say.
#[must_use]
pub fn used() -> Option<u64> {
    let own = sysinfo::get_current_pid().ok()?;
    let mut system = System::new();
    let only = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, only);
    system.process(own).map(sysinfo::Process::memory)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_some() {
        let used = super::used().expect("the system says so");
        assert!(used > 1 << 20, "{used}");
    }
}
