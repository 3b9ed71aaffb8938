//! Ample sets: steps that come to the same before or after whatever the other threads do meanwhile.
//!
//! Claims, made of what the next critical section is ([`Call::is_independent`](nmr::machine::Call::is_independent))
//! and of what the scenario's own shared things are. A scenario in which anything is done out of turn makes none.

use nmr::Side;
use nmr::machine::{Others, Outcome};
use nmr_search::Claims;

use super::state::{Phase, State, Thread};
use super::task::{Driven, Task};
use super::{Action, Program};
use crate::event::{Call, CallbackKind, Reply};
use crate::interpreter::{Context, OpenCallback, Piece, Script, Which};
use crate::op::Op;
use crate::scenario::{Attach, Cleanup, Detach, Limits, Scenario, is_wait};

/// Whether claims can be made of a scenario: each registration is deregistered and waited for once, by the thread
/// that registers it, nothing is done inside callbacks, and one thread completes.
pub(super) fn may_claim(scenario: &Scenario) -> bool {
    let in_turn = |op: &Op| {
        matches!(
            op,
            Op::Register(_) | Op::Deregister(_) | Op::Wait(_) | Op::CompleteAll | Op::CompleteAny
        )
    };
    let ops = || scenario.operations().map(|(_, op)| op);
    let once = |module: &str| {
        let of_it = |op: &&Op| op.module() == Some(module);
        let counts = [
            ops()
                .filter(of_it)
                .filter(|op| matches!(op, Op::Register(_)))
                .count(),
            ops()
                .filter(of_it)
                .filter(|op| matches!(op, Op::Deregister(_)))
                .count(),
            ops().filter(of_it).filter(|op| is_wait(op)).count(),
        ];
        counts.iter().all(|&count| count <= 1) && !scenario.is_raced(module)
    };
    // Whose detach is still being asked for is known not to be the last then.
    let detach = scenario.modules.first().map(|module| module.detach);
    let plain =
        |own: Detach| Some(own) == detach && matches!(own, Detach::Complete | Detach::Pending);
    scenario.limits == Limits::default()
        && ops().all(in_turn)
        && ops().filter(|op| op.completes_pending()).count() <= 1
        && scenario.modules.iter().all(|module| {
            once(&module.name)
                && plain(module.detach)
                && matches!(module.attach, Attach::Accept | Attach::Decline)
                && module.cleanup == Cleanup::Return
                && module.fault.is_none()
                && module.scripts().iter().all(|script| script.is_empty())
        })
}

impl Program {
    pub(super) fn claim(&self, state: &State, enabled: &[Action], claims: &mut Claims<Action>) {
        let registering = self.registering(state);
        for &action in enabled {
            let mut of_it = enabled.iter().filter(|other| other.thread == action.thread);
            let is_only = of_it.nth(1).is_none();
            let others = || Others {
                may_register: registering.but(Some(action.thread)),
            };
            if is_only && self.is_independent(state, action.thread, others) {
                claims.add(&[action]);
            }
        }
        for &completion in enabled {
            if let Some(callback) = self.races_with_callback(state, enabled, completion) {
                claims.add(&[completion, callback]);
            }
        }
    }

    /// The step with which a detach callback ends while its detach is being completed: who of the two is the last is
    /// between them.
    fn races_with_callback(
        &self,
        state: &State,
        enabled: &[Action],
        completion: Action,
    ) -> Option<Action> {
        let completing = &state.threads[usize::from(completion.thread)];
        let [.., Task::Begin, Task::Gate(_)] = completing.tasks.as_slice() else {
            return None;
        };
        let Call::DetachComplete {
            pair: Some(pair), ..
        } = completing.calls.last()?.what
        else {
            return None;
        };
        enabled.iter().copied().find(|action| {
            let thread = &state.threads[usize::from(action.thread)];
            let ends = matches!(thread.tasks.as_slice(), [.., Task::End, Task::Gate(_)]);
            let (Some(open), Some(inside)) = (thread.calls.last(), thread.callbacks.last()) else {
                return false;
            };
            let of_it =
                inside.callback.pair == pair && inside.callback.kind == CallbackKind::Detach;
            let call = open.call.as_ref();
            ends && of_it && call.is_some_and(|call| call.takes_nothing(&state.table))
        })
    }

    /// Whether the step of a thread that can go on commutes with whatever the others do.
    fn is_independent(&self, state: &State, number: u8, others: impl Fn() -> Others) -> bool {
        let thread = &state.threads[usize::from(number)];
        let has_pending = !state.shared.pending.detaches().is_empty();
        let [.., next, gate] = thread.tasks.as_slice() else {
            return matches!(thread.tasks.last(), Some(Task::Pending(Which::Oldest, _)) if has_pending);
        };
        match (gate, next) {
            (Task::Pending(Which::Oldest, _), _) => has_pending,
            (Task::Host(Driven::Woken), _) | (Task::Gate(_), Task::Begin) => {
                let open = thread.calls.last();
                // Only the order tells who came first where nobody will be met.
                let orders =
                    |what: &Call| !self.forgets_orders && matches!(what, Call::Register { .. });
                let open = open.filter(|open| !orders(&open.what));
                let call = open.and_then(|open| open.call.as_ref());
                call.is_some_and(|call| call.is_independent(&state.table, others()))
            }
            (Task::Gate(_), Task::End) => self.end_is_independent(state, thread, others),
            (Task::Gate(_), Task::Piece(Piece::Waited(_))) => true,
            (Task::Gate(_), Task::Piece(Piece::Push(_))) => self.prepared.completes_any,
            _ => false,
        }
    }

    fn end_is_independent(
        &self,
        state: &State,
        thread: &Thread,
        others: impl Fn() -> Others,
    ) -> bool {
        let (Some(open), Some(callback)) = (thread.calls.last(), thread.callbacks.last()) else {
            return false;
        };
        let Some(mut call) = open.call.clone() else {
            return false;
        };
        if open.panicked || callback.reply == Reply::Panicked {
            return false;
        }
        call.resume(self.outcome(callback));
        call.is_independent(&state.table, others())
    }

    /// With what a call goes on when its innermost callback has ended, and nothing is left to be cleaned up.
    pub(super) fn outcome(&self, open: &OpenCallback) -> Outcome<Context> {
        let OpenCallback {
            callback, reply, ..
        } = open;
        match (callback.kind, callback.side) {
            (CallbackKind::Attach, Side::Client) => Outcome::Offered {
                success: *reply == Reply::Success,
            },
            (CallbackKind::Attach, Side::Provider) => {
                let provider = usize::from(callback.pair.provider.module);
                let context = match self.prepared.scenario.modules[provider].null_context {
                    true => Context::Null,
                    false => Context::Of(callback.pair, Side::Provider),
                };
                Outcome::Asked((*reply == Reply::Success).then_some(context))
            }
            (CallbackKind::Detach, _) => Outcome::Detached(match reply {
                Reply::Pending => nmr::Detach::Pending,
                _ => nmr::Detach::Complete,
            }),
            (CallbackKind::Cleanup, _) => Outcome::CleanedUp,
        }
    }

    /// How much is left to do, at most: each step that is claimed makes it less.
    pub(super) fn distance(&self, state: &State) -> u64 {
        let of_ops = |script: Script, from: u8| {
            10_000 * (self.prepared.ops(script).len() as u64 - u64::from(from))
        };
        let of_task = |task: &Task| match *task {
            Task::Script(script) => of_ops(script, 0),
            Task::Host(Driven::Ops(script, from)) => of_ops(script, from),
            Task::Op(..) | Task::Now(..) => 10_000,
            Task::Piece(Piece::Push(_)) => 120,
            Task::Piece(_) => 40,
            _ => 0,
        };
        let of_thread = |thread: &Thread| {
            let tasks = thread.tasks.iter().map(of_task).sum::<u64>();
            tasks + 20 * (thread.calls.len() + thread.callbacks.len()) as u64
        };
        let threads = state.threads.iter().map(of_thread).sum::<u64>();
        // What begins when the others have ended, in whose last step.
        let scripts = (1..=self.prepared.scenario.threads.len() as u8).map(Script::Thread);
        let to_come = match state.phase {
            Phase::Before => scripts
                .chain([Script::After])
                .map(|script| of_ops(script, 0))
                .sum(),
            Phase::Threads => of_ops(Script::After, 0),
            Phase::After => 0,
        };
        let pending = &state.shared.pending;
        let pending = 60 * pending.waits() + 80 * pending.detaches().len() as u64;
        threads + to_come + pending + 100 * state.table.distance()
    }
}
