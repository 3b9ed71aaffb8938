//! Whether a scenario uses handles that may have outlived what they named. Only there does it count
//! which slots and generations the registrar gives out.
//!
//! From the scripts alone, so the answer may be yes where no handle is ever stale.

use super::{Attach, Cleanup, Detach, Limits, Scenario, is_wait};
use crate::op::Op;

impl Scenario {
    /// Whether some operation may use the handle of a registration or of a binding after what it named
    /// is gone, or bits that nobody issued. If in doubt, yes.
    ///
    /// A handle that names nothing because there was none yet (all zeros) is not a stale one: no slot
    /// has anything to do with it. Nor is that of a binding whose side answered pending and has yet to
    /// complete.
    #[must_use]
    pub fn uses_stale_handles(&self) -> bool {
        self.limits.last_generation.is_some()
            || self.modules.iter().any(|m| m.attach == Attach::Twice)
            || self.operations().any(|(by, op)| match by {
                Some(_) => is_suspect(op),
                None => is_suspect_in_a_callback(op),
            })
            || self.modules.iter().any(|m| self.may_outlive(&m.name))
    }

    /// Whether the module's handle may be used after a wait for it is over. Not so if one thread alone
    /// does all of the deregistering and waiting, and what follows a wait is another registration.
    fn may_outlive(&self, module: &str) -> bool {
        let deregisters = |op: &Op| match op {
            Op::Deregister(name) | Op::Wait(name) | Op::Leave(name) | Op::Release(name) => {
                name == module
            }
            _ => false,
        };
        // In a callback what is owned goes at any time.
        let by_handle =
            |op: &Op| matches!(op, Op::Deregister(name) | Op::Wait(name) if name == module);
        let mut all = self.operations();
        if all.any(|(by, op)| by.is_none() && deregisters(op))
            && self
                .operations()
                .any(|(by, op)| by.is_some() && by_handle(op))
        {
            return true;
        }
        let threads = self.threads.iter().map(|thread| &thread.ops);
        let threads: Vec<_> = threads.filter(|ops| ops.iter().any(deregisters)).collect();
        if threads.len() > 1 {
            return true;
        }
        let own = threads.into_iter().flatten();
        let all = self.before.iter().chain(own).chain(&self.after);
        let uses = all.filter(|op| {
            deregisters(op) || matches!(op, Op::Register(name) | Op::Own(name) if name == module)
        });
        let uses: Vec<_> = uses.collect();
        uses.windows(2).any(|two| match two {
            [one, other] if is_wait(one) => match other {
                Op::Register(_) | Op::Own(_) => self.may_refuse(module),
                _ => true,
            },
            _ => false,
        })
    }

    /// Whether registering the module may fail, so that its earlier handle stays the latest.
    fn may_refuse(&self, module: &str) -> bool {
        let nil = |m: &super::Module| m.name == module && m.npi == 0;
        let panics = |m: &super::Module| {
            matches!(m.attach, Attach::Panic | Attach::PanicAfterAttach)
                || m.detach == Detach::Panic
                || m.cleanup == Cleanup::Panic
        };
        self.limits != Limits::default() || self.modules.iter().any(|m| nil(m) || panics(m))
    }
}

/// Whether an operation alone is reason enough.
const fn is_suspect(op: &Op) -> bool {
    match op {
        Op::Register(_)
        | Op::Deregister(_)
        | Op::Wait(_)
        | Op::Complete(_)
        | Op::CompleteAll
        | Op::CompleteAny
        | Op::TryComplete(_)
        | Op::Dispatch(_)
        | Op::Own(_)
        | Op::Leave(_)
        | Op::Release(_)
        | Op::Set(_)
        | Op::Await(_)
        | Op::Lock(_)
        | Op::Unlock(_)
        | Op::Unload(_)
        | Op::Yield => false,
        Op::CompleteAgain(_)
        | Op::CompleteWrong(_)
        | Op::Attach(_)
        | Op::DeregisterWrong(_)
        | Op::DeregisterForeign(_)
        | Op::DeregisterForged
        | Op::WaitForged
        | Op::CompleteForged => true,
    }
}

/// The same in a callback, of which nobody knows when it runs.
fn is_suspect_in_a_callback(op: &Op) -> bool {
    let takes_no_handle = matches!(
        op,
        Op::Register(_) | Op::Own(_) | Op::Leave(_) | Op::Release(_)
    );
    is_suspect(op) || (op.module().is_some() && !takes_no_handle)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenarios;

    #[track_caller]
    fn uses_stale_handles(name: &str) -> bool {
        scenarios::named(name)
            .expect("a scenario")
            .uses_stale_handles()
    }

    #[test]
    fn what_lives_once_leaves_no_stale_handle() {
        for name in [
            "two-lives",
            "two-lives-twice",
            "four-lives",
            "both-pending",
            "callbacks-register-others",
            "change-of-mind-pending",
            "dispatch-while-both-leave",
            "no-memory-3",
        ] {
            assert!(!uses_stale_handles(name), "{name}");
        }
    }

    #[test]
    fn what_is_used_twice_or_invented_may_be_stale() {
        for name in [
            "attach-outside-the-callback",
            "attach-twice",
            "callbacks-deregister-others",
            "completed-twice",
            "deregister-again",
            "deregister-twice",
            "foreign-handles",
            "forged-handles",
            "retired-slots",
            "stale-binding",
            "stale-handle",
            "two-waiters",
            "wait-before-deregister",
        ] {
            assert!(uses_stale_handles(name), "{name}");
        }
    }

    #[test]
    fn a_second_registration_that_may_fail_leaves_the_first_handle() {
        let scenario = |more: &str| {
            let text = format!(
                "name = \"s\"\nsummary = \"s\"\nbefore = [\"register c\", \"deregister c\", \"wait c\", \
                 \"register c\", \"deregister c\", \"wait c\"]\n\
                 [[module]]\nname = \"c\"\nside = \"client\"\n{more}"
            );
            Scenario::from_toml(Path::new("s.toml"), &text).unwrap_or_else(|e| panic!("{e}"))
        };
        assert!(!scenario("").uses_stale_handles());
        assert!(scenario("[limits]\nmax-bindings = 1\n").uses_stale_handles());
        assert!(scenario("npi = 0\n").uses_stale_handles());
        assert!(scenario("cleanup = \"panic\"\n").uses_stale_handles());
    }
}
