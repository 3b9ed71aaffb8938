//! How a program is run: on real threads many times, under loom and under the explorer in every interleaving.

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is exhausted, or was run often enough: so many executions, and so many states if anybody counts them.
    Holds(Size),
    /// An execution went wrong, in these words.
    #[cfg_attr(not(any(loom, shuttle)), expect(dead_code, reason = "a panic ends it"))]
    Broken(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    executions: u64,
    states: u64,
}

/// Here a violation is a panic of the test itself.
#[cfg(not(any(loom, shuttle)))]
pub(crate) fn search(program: impl Fn() + Send + Sync + 'static, _is_large: bool) -> End {
    const EXECUTIONS: u64 = 200;
    (0..EXECUTIONS).for_each(|_| program());
    End::Holds(Size {
        executions: EXECUTIONS,
        states: 0,
    })
}

/// Every interleaving, and what C11 lets each load read. Of a large program those with at most so many preemptions;
/// `LOOM_MAX_PREEMPTIONS` is another bound.
#[cfg(loom)]
const PREEMPTIONS: usize = 3;

#[cfg(loom)]
pub(crate) fn search(program: impl Fn() + Send + Sync + 'static, is_large: bool) -> End {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let executions = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&executions);
    // None of loom's other limits: they would end it as if it were exhausted.
    let mut builder = loom::model::Builder::new();
    let bound = is_large.then_some(PREEMPTIONS);
    builder.preemption_bound = builder.preemption_bound.or(bound);
    let check = || {
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            program();
        });
    };
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(()) => End::Holds(Size {
            executions: executions.load(Ordering::Relaxed),
            states: 0,
        }),
        Err(panic) => End::Broken(text(&*panic)),
    }
}

#[cfg(loom)]
fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.expect("it panics with words").to_owned()
}

/// What holds without spurious wake-ups has to hold with them too; a bug is looked for without, for they would wake whom
/// it forgets.
#[cfg(shuttle)]
pub(crate) fn search(program: impl Fn() + Send + Sync + 'static, _is_large: bool) -> End {
    use std::sync::Arc;

    use nmr_explorer::Explorer;

    let program = Arc::new(program);
    let again = Arc::clone(&program);
    let end = end(&Explorer::builder().check(move || again()));
    let End::Holds(size) = end else { return end };
    match self::end(
        &Explorer::builder()
            .spurious_wakeups()
            .check(move || program()),
    ) {
        End::Holds(_) => End::Holds(size),
        broken => broken,
    }
}

#[cfg(shuttle)]
fn end(report: &nmr_explorer::Report) -> End {
    use nmr_explorer::Verdict;

    match &report.verdict {
        Verdict::Exhausted => End::Holds(Size {
            executions: report.executions,
            states: report.states,
        }),
        Verdict::Violated(found) => End::Broken(found.message()),
        _ => panic!("neither exhausted nor violated: {report}"),
    }
}
