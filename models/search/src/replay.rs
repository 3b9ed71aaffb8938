//! A counterexample done again, action by action, from the initial state.

use crate::system::System;

/// What came of doing some actions, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says what went wrong, and whether the actions can be done"]
pub enum Replay<T, A, V> {
    /// All were done, and nothing was wrong. The state after the last one.
    Reached(T),
    /// Something was wrong.
    Violated {
        /// What.
        violation: V,
        /// Actions that were done until then, the violating one included. All of them, if it is the end that is wrong.
        steps: usize,
    },
    /// An action was not enabled.
    NotEnabled {
        /// Actions that were done before it.
        steps: usize,
        /// The action.
        action: A,
    },
}

/// Does `actions` from the initial state of `system` on. If nothing is enabled after the last one, that end is judged too.
pub fn replay<S: System>(
    system: &S,
    actions: &[S::Action],
) -> Replay<S::State, S::Action, S::Violation> {
    let mut state = system.initial();
    let mut enabled = Vec::new();
    for (before, &action) in actions.iter().enumerate() {
        enabled.clear();
        system.actions(&state, &mut enabled);
        if !enabled.contains(&action) {
            return Replay::NotEnabled {
                steps: before,
                action,
            };
        }
        if let Err(violation) = system.apply(&mut state, action) {
            let steps = before + 1;
            return Replay::Violated { violation, steps };
        }
    }
    enabled.clear();
    system.actions(&state, &mut enabled);
    if enabled.is_empty()
        && let Err(violation) = system.finished(&state)
    {
        let steps = actions.len();
        return Replay::Violated { violation, steps };
    }
    Replay::Reached(state)
}
