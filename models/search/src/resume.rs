//! What is left of a saved search, with its states: the paths to them are followed again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::checkpoint::{SavedFrame, SavedStack};
use crate::stack::{Frame, Stack};
use crate::system::System;

/// The stack, with a state wherever an action is left.
///
/// # Errors
/// Where the path cannot be followed.
pub(crate) fn stack<S: System>(
    system: &S,
    saved: SavedStack<S::Action>,
) -> Result<Stack<S>, String> {
    let followed = catch_unwind(AssertUnwindSafe(|| follow(system, saved)));
    followed.unwrap_or_else(|_| Err("the system panicked on a path of the checkpoint".to_owned()))
}

fn follow<S: System>(system: &S, saved: SavedStack<S::Action>) -> Result<Stack<S>, String> {
    let mut state = system.initial();
    for &action in &saved.prefix {
        step(system, &mut state, action)?;
    }
    let mut frames = Vec::with_capacity(saved.frames.len());
    for saved in saved.frames {
        let under_way = saved.under_way;
        frames.push(frame(system, &state, saved)?);
        if let Some(action) = under_way {
            step(system, &mut state, action)?;
        }
    }
    Ok(Stack {
        prefix: saved.prefix,
        frames,
    })
}

fn enabled<S: System>(system: &S, state: &S::State) -> Vec<S::Action> {
    let mut enabled = Vec::new();
    system.actions(state, &mut enabled);
    enabled
}

fn step<S: System>(system: &S, state: &mut S::State, action: S::Action) -> Result<(), String> {
    if !enabled(system, state).contains(&action) {
        return Err(format!("{action:?} of the checkpoint is not enabled"));
    }
    let applied = system.apply(state, action);
    applied
        .map_err(|violation| format!("{action:?} of the checkpoint breaks something: {violation}"))
}

fn frame<S: System>(
    system: &S,
    state: &S::State,
    saved: SavedFrame<S::Action>,
) -> Result<Frame<S>, String> {
    let enabled = enabled(system, state);
    if let Some(action) = saved.left.iter().find(|action| !enabled.contains(action)) {
        return Err(format!(
            "{action:?} is left in the checkpoint and not enabled"
        ));
    }
    let is_done = saved.left.is_empty();
    let actions: Vec<_> = saved.under_way.into_iter().chain(saved.left).collect();
    let whole = saved.share * actions.len() as f64;
    let mut frame = Frame::new(system, state.clone(), actions, saved.before, whole);
    frame.next = usize::from(saved.under_way.is_some());
    if is_done {
        frame.state = None;
    }
    Ok(frame)
}
