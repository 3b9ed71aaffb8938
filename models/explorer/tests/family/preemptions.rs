//! A deadlock is reported with as few preemptions as the reference needs for it.

use std::collections::{HashSet, VecDeque};

use nmr_explorer::{Explorer, Reduction, Verdict};

use super::explored::without;
use super::generator::family;
use super::program::{Cover, Op, Program, Says};
use super::reference::{Machine, Rest, State, Step};
use super::running::write_external_state;

/// The preemptions of the reported deadlock, and whether they are said to be the fewest.
fn reported(program: &Program, off: &[Reduction]) -> Option<(u32, bool)> {
    let run = {
        let program = program.clone();
        move || drop(program.run())
    };
    let builder = without(Explorer::builder(), off).symmetries(program.symmetries());
    let report = match program.external_state {
        true => builder.external_state(write_external_state).check(run),
        false => builder.check(run),
    };
    match report.verdict {
        Verdict::Exhausted => None,
        Verdict::Violated(found) => Some((found.preemptions, found.is_minimal)),
        other => panic!("{program:?}: {other:?}"),
    }
}

/// The fewest switches away from a thread that could go on, in a run that gets stuck, if threads switch
/// only where they take a lock, notify, or may miss a notification. `None` if no run gets stuck. A search
/// by breadth in which only such switches count.
fn preemptions_to_stick(program: &Program) -> Option<u32> {
    let machine = Machine::new(program, false);
    let unlocked = unlocked(program);
    let mut seen = HashSet::new();
    let start = machine.settled(machine.start(program), &unlocked);
    let mut next: VecDeque<_> = start.into_iter().map(|state| (0, state, None)).collect();
    while let Some((preemptions, state, running)) = next.pop_front() {
        if !seen.insert((state.clone(), running)) {
            continue;
        }
        let after = |t: usize| (t, machine.go(&state, t));
        let moves: Vec<(usize, Vec<State>)> = machine.threads().map(after).collect();
        if machine.is_stuck(&state) && !machine.is_over(&state) {
            return Some(preemptions);
        }
        let goes_on = running.is_some_and(|running: usize| !moves[running].1.is_empty());
        for (t, after) in moves {
            let switch = goes_on && running != Some(t);
            for new in after
                .into_iter()
                .flat_map(|new| machine.settled(new, &unlocked))
            {
                match switch {
                    true => next.push_back((preemptions + 1, new, Some(t))),
                    false => next.push_front((preemptions, new, Some(t))),
                }
            }
        }
    }
    None
}

impl Machine {
    /// The state, or several, after all steps that no other thread can tell the time of.
    fn settled(&self, state: State, unlocked: &[bool]) -> Vec<State> {
        let unnoticed = |&t: &usize| {
            let goes_on = state.rest[t] == Rest::Awake && !self.go(&state, t).is_empty();
            goes_on && !is_noticed(&state, self.code[t][state.at[t]], unlocked)
        };
        match self.threads().find(unnoticed) {
            Some(t) => {
                let after = self.go(&state, t).into_iter();
                after.flat_map(|new| self.settled(new, unlocked)).collect()
            }
            None => vec![state],
        }
    }
}

/// Whether others can tell when this is done, if nobody only tries to take a lock.
fn is_noticed(state: &State, step: Step, unlocked: &[bool]) -> bool {
    match step {
        Step::Lock(_)
        | Step::LockIfSet(_)
        | Step::LockAndTouch(..)
        | Step::NotifyOne(_)
        | Step::NotifyAll(_) => true,
        Step::Update(..) | Step::Load(_) | Step::Put(_) => true,
        Step::Sleep(cell) => unlocked[cell],
        Step::Await(cell) => unlocked[cell] && state.numbers[cell] == 0,
        _ => false,
    }
}

/// For each cell, whether some thread notifies without its lock.
fn unlocked(program: &Program) -> Vec<bool> {
    let notifies = |cell| program.has(|op| op == Op::Notify(cell) || op == Op::Call(cell));
    (0..=program.cells.len()).map(notifies).collect()
}

#[test]
fn a_deadlock_is_reported_with_as_few_preemptions_as_it_needs() {
    let mut counts = [0; 2];
    // Whether a lock is held can be noticed by those who only try.
    let notices = |op| matches!(op, Op::Try(..) | Op::Doze(..) | Op::Hold(_));
    for program in family().iter().filter(|program| !program.has(notices)) {
        let Some(fewest) = preemptions_to_stick(program) else {
            continue;
        };
        // Locks at which no two threads can disagree would be no places to switch at.
        let found = reported(program, &[Reduction::LockAware]);
        assert_eq!(found, Some((fewest, true)), "{program:?}");
        counts[usize::from(fewest > 0)] += 1;
    }
    assert!(counts[0] > 200 && counts[1] > 5, "{counts:?}");
}

#[test]
fn a_deadlock_that_is_met_before_its_conflicts_are_known_has_its_preemptions_counted() {
    // The first execution takes the locks for ones of one thread each, and comes to the deadlock after
    // what it does not take for a switch.
    let program = Program {
        cells: vec![Cover::Mutex(Says::default()); 3],
        threads: vec![
            vec![Op::Change(1, 3)],
            vec![Op::Mix(1, 2)],
            vec![Op::Mix(2, 1)],
        ],
        has_child: false,
        main_takes_part: false,
        forgets: false,
        external_state: false,
        alike: 0,
    };
    assert_eq!(reported(&program, &[]), Some((1, true)));
}
