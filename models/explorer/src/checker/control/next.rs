//! Who can go on next, and who does where the search has nothing to choose.

use nmr_sync::hook::{self, Operation};
use shuttle::scheduler::Task;

use super::led::Led;
use super::{Choices, Execution, Lead, Phase, State, Stopped};
use crate::checker::program::{Choice, Next, Thread};
use crate::checker::{deadlock, livelock};

impl State {
    /// The thread that goes next; `None` if none can, or none should.
    pub(super) fn pick(
        &mut self,
        tasks: &[&Task],
        runnable: &[Thread],
        current: Option<Thread>,
    ) -> Option<Thread> {
        self.is_picking = true;
        let picked = self.pick_next(tasks, runnable, current);
        self.is_picking = false;
        self.is_torn_down |= picked.is_none();
        picked
    }

    fn pick_next(
        &mut self,
        tasks: &[&Task],
        runnable: &[Thread],
        current: Option<Thread>,
    ) -> Option<Thread> {
        if self.stopped.is_some() || self.alarm.raised().is_some() || hook::is_abandoned() {
            return None;
        }
        if self.execution.is_over {
            return self.next_to_leave(runnable);
        }
        if let Some(next) = self.probed_next(runnable) {
            return next;
        }
        if let Some(next) = self.next_without_choice(runnable, current) {
            return Some(self.go_on(next));
        }
        if let Some(error) = self.out_of_control(runnable) {
            return self.stop(Stopped::Error(error));
        }
        let options = self.options(runnable);
        // That a sleeper may wake without a reason does not mean that it ever will.
        let spurious = self.options.spurious;
        let is_last = |&one: &Choice| spurious && self.is_spurious(one) || self.rests(one.thread());
        if options.iter().all(is_last) {
            let current = self.execution.current;
            let next = self.next_that_rests(runnable);
            return match next.or_else(|| self.execution.program.next_round(current)) {
                Some(next) => Some(self.go_on(next)),
                None => self.cannot_go_on(),
            };
        }
        // Whoever makes a round because nobody else can go on chooses nothing.
        if let &[only] = &*options
            && self.execution.program.spins.is_fruitless()
        {
            return Some(self.go_on(only.thread()));
        }
        let choice = match self.execution.phase {
            Phase::Redundant => self.next_in_turn(&options),
            Phase::Led => match self.led(&options, tasks)? {
                Led::Choice(choice) => choice,
                Led::GoesOn(thread) => return Some(self.go_on(thread)),
            },
            _ => self.choose(&options)?,
        };
        self.go(choice);
        Some(choice.thread())
    }

    /// Whether a thread goes on without anybody noticing when.
    fn has_waited(&self, thread: Thread, next: Next) -> bool {
        let program = &self.execution.program;
        match next {
            Next::Operation(Operation::JoinAll) => !program.has_daemons(),
            Next::Operation(Operation::Join(_)) => true,
            Next::Operation(Operation::Yield) => !program.threads[thread].rests,
            _ => false,
        }
    }

    /// A thread that does nothing that others can notice: it is not at a scheduling point, or at one at
    /// which it has waited for another one's end, or for a change.
    fn next_without_choice(&self, runnable: &[Thread], current: Option<Thread>) -> Option<Thread> {
        let program = &self.execution.program;
        let goes_on = |thread: &Thread| match program.stop_of(*thread) {
            None => program.has_started(*thread),
            Some(stop) => self.has_waited(*thread, stop.next) && program.ways(stop.next) > 0,
        };
        let current = current.filter(|thread| runnable.contains(thread) && goes_on(thread));
        current.or_else(|| runnable.iter().copied().find(goes_on))
    }

    /// A thread that the search knows nothing of, or that waits for something that it knows nothing of.
    fn out_of_control(&self, runnable: &[Thread]) -> Option<String> {
        let program = &self.execution.program;
        let threads = &program.threads;
        if let Some(thread) = runnable
            .iter()
            .find(|&&thread| !program.has_started(thread))
        {
            return Some(format!(
                "thread {thread} was not started with nmr_sync::thread::spawn: the explorer does not know \
                 what it does"
            ));
        }
        let mut all = threads.iter().enumerate();
        let (thread, _) = all.find(|&(thread, state)| {
            !state.ended && state.stop.is_none() && !runnable.contains(&thread)
        })?;
        Some(format!(
            "thread {thread} waits for something that is not of nmr-sync (one of shuttle's own primitives, \
             perhaps): the explorer does not know what for"
        ))
    }

    /// What can come next. The thread that ran comes first: few preemptions are tried before many.
    fn options(&self, runnable: &[Thread]) -> Choices {
        let Execution {
            program, running, ..
        } = &self.execution;
        let mut options = Choices::new();
        let mut add = |thread: Thread| {
            let stop = program.stop_of(thread).expect("it has stopped");
            for variant in 0..program.ways(stop.next) {
                options.push(Choice::new(thread, variant));
            }
            !options.is_empty()
        };
        let rests = |thread: Thread| program.threads[thread].rests;
        let threads = || runnable.iter().copied();
        // A choice of the thread's own is nobody else's business.
        let own = runnable.iter().find(|&&thread| self.is_own_choice(thread));
        if let Some(&own) = own {
            add(own);
            return options;
        }
        let goes_on = running.filter(|running| {
            runnable.contains(running) && !rests(*running) && program.is_interrupted(*running)
        });
        let can_go_on = goes_on.is_some_and(&mut add);
        let bound = self.options.preemptions;
        if can_go_on && bound.is_some_and(|most| self.execution.preemptions >= most) {
            return options;
        }
        let others = || threads().filter(|&thread| Some(thread) != goes_on);
        for thread in others().filter(|&thread| !rests(thread)) {
            add(thread);
        }
        for thread in others().filter(|&thread| rests(thread)) {
            add(thread);
        }
        options
    }

    fn rests(&self, thread: Thread) -> bool {
        self.execution.program.threads[thread].rests
    }

    fn is_spurious(&self, choice: Choice) -> bool {
        self.execution.program.sleeps(choice.thread())
    }

    pub(super) fn is_own_choice(&self, thread: Thread) -> bool {
        // A schedule says when, whoever else could go on.
        if matches!(self.lead, Lead::Schedule(_)) {
            return false;
        }
        let program = &self.execution.program;
        let stop = program
            .stop_of(thread)
            .filter(|_| !program.threads[thread].rests);
        match stop.map(|stop| stop.next) {
            Some(Next::Operation(Operation::Choose(_))) => !self.is_disputed(thread),
            Some(Next::Operation(operation @ Operation::NotifyOne(_))) => {
                !self.is_visible(operation)
            }
            _ => false,
        }
    }

    /// The rest of an execution that is redundant is run with each thread in turn.
    pub(super) fn next_in_turn(&self, options: &[Choice]) -> Choice {
        let running = self.execution.running.unwrap_or(0);
        let options = options.iter().copied();
        let sensible = options.filter(|&choice| !self.is_spurious(choice));
        let later = |choice: &Choice| choice.thread() <= running;
        let next = sensible.min_by_key(|choice| (later(choice), choice.thread));
        next.expect("there is an option with a reason")
    }

    /// Of the threads that rest, the one whose turn it is.
    fn next_that_rests(&self, runnable: &[Thread]) -> Option<Thread> {
        let Execution {
            program, current, ..
        } = &self.execution;
        let resting = runnable.iter().copied();
        let resting = resting.filter(|&thread| program.threads[thread].rests);
        resting.min_by_key(|thread| (thread <= current, *thread))
    }

    /// Who comes to its end when the program is over: daemons that are still there, then the main thread. A coroutine
    /// that does not come to its end cannot be used again, and its stack is made anew.
    fn next_to_leave(&mut self, runnable: &[Thread]) -> Option<Thread> {
        let threads = &self.execution.program.threads;
        let has_ended = |thread: Thread| threads.get(thread).is_some_and(|state| state.ended);
        let mut there = runnable.iter().copied();
        let daemon = there.find(|&thread| !has_ended(thread));
        let next = daemon.or_else(|| runnable.first().copied())?;
        self.execution.current = next;
        Some(next)
    }

    /// No thread can go on, or all that can have looked again and again.
    fn cannot_go_on<T>(&mut self) -> Option<T> {
        let Execution {
            program, labels, ..
        } = &self.execution;
        let names = labels.as_ref();
        let livelock = livelock::describe(program, names).map(Stopped::Livelock);
        let deadlock = || Stopped::Deadlock(deadlock::describe(program, names));
        let why = livelock.unwrap_or_else(deadlock);
        self.stop(why)
    }
}
