//! What is hashed of the table, and of what a thread learns: all that counts, and nothing else.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use super::*;

fn hash(value: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(value)
}

/// The states that one table has been in.
struct History {
    bench: Bench,
    states: Vec<u64>,
}

impl History {
    fn of(bench: Bench) -> Self {
        let states = vec![hash(&bench.table)];
        Self { bench, states }
    }

    fn after<R>(&mut self, transition: impl FnOnce(&mut Bench) -> R) -> (R, u64) {
        let answer = transition(&mut self.bench);
        self.bench.leave();
        (answer, hash(&self.bench.table))
    }

    /// A transition into a state that has not been there before.
    #[track_caller]
    fn changes<R>(&mut self, transition: impl FnOnce(&mut Bench) -> R) -> R {
        let (answer, state) = self.after(transition);
        assert!(!self.states.contains(&state), "the state is another one");
        self.states.push(state);
        answer
    }

    /// A transition that changes nothing, for the answer is that it comes at the wrong time.
    #[track_caller]
    fn refuses<R>(&mut self, transition: impl FnOnce(&mut Bench) -> R) -> R {
        let (answer, state) = self.after(transition);
        assert_eq!(self.states.last(), Some(&state), "the state is the same");
        answer
    }
}

impl Bench {
    fn label(&mut self, key: Key, label: u32) {
        self.table.registrations.get_mut(key).name = label;
    }

    /// Registers somebody who can be told from others, and attaches to everybody.
    fn add_labelled(&mut self, side: Side, label: u32) -> Key {
        let (key, _) = self.add_attached(side);
        self.label(key, label);
        key
    }

    /// A thread waits, and need not.
    fn wait(&mut self, key: Key, side: Side) {
        self.table.begin_wait(key, side, false, self.me).unwrap();
        let waited = self.table.end_wait(key, &mut None);
        assert!(matches!(waited, Some(Waited::Alone)));
        self.leave();
    }

    /// What the thread has learnt whose visit this is.
    fn lesson(&self, step: Step, visit: &Visit) -> u64 {
        hash(&(
            In(&self.table, &step),
            In(&self.table, visit),
            In(&self.table, &self.table.dropped),
        ))
    }
}

/// A provider and a client that attached: the client's key, and the binding's.
fn attached(history: &mut History) -> (Key, Key) {
    history.changes(|bench| bench.add(Provider));
    let (client, step) = history.changes(|bench| bench.add(Client));
    let binding = attach(step);
    let at_large = history.refuses(|bench| bench.ask(binding, NULL, bench.other));
    assert!(matches!(at_large, Ok(AttachCall::InvalidState)));
    let call = history.changes(|bench| bench.ask(binding, NULL, bench.me));
    assert!(matches!(call, Ok(AttachCall::Provider)));
    let again = history.refuses(|bench| bench.ask(binding, NULL, bench.me));
    assert!(matches!(again, Ok(AttachCall::InvalidState)));
    history.changes(|bench| {
        bench
            .table
            .provider_returned(binding, Some(NULL), &mut Visit::new(1))
    });
    done(history.changes(|bench| bench.attached(binding, true, client)));
    (client, binding)
}

#[test]
fn each_transition_from_registering_to_the_end_of_a_binding_changes_the_state() {
    let mut history = History::of(Bench::new());
    let (client, binding) = attached(&mut history);
    let job = Job::Deregister(client);
    let early = history.refuses(|bench| bench.complete(binding, Client));
    assert!(early.is_none());
    let asked = detach(history.changes(|bench| bench.deregister(client, Client, bench.me)));
    let asked = detach(history.changes(|bench| bench.detached(asked, Detach::Pending, job)));
    let step = history.changes(|bench| bench.complete(binding, Provider));
    done(step.expect("it is being asked"));
    done(history.changes(|bench| bench.detached(asked, Detach::Pending, job)));
    let step = history.changes(|bench| bench.complete(binding, Client));
    let step = step.expect("it is pending");
    done(history.changes(|bench| bench.cleaned_up(step, Job::Complete)));
    let dead = history.refuses(|bench| {
        let visit = &mut Visit::new(bench.me);
        bench.table.detach_complete(binding, Client, visit)
    });
    assert_eq!(dead, Err(HandleFault::Dead));
}

#[test]
fn each_transition_from_deregistering_to_the_end_of_a_wait_changes_the_state() {
    let mut history = History::of(Bench::new());
    let (client, _) = attached(&mut history);
    let wait = |bench: &mut Bench| bench.table.begin_wait(client, Client, false, bench.me);
    assert_eq!(history.refuses(wait), Err(WaitFault::NotDeregistered));
    let step = history.changes(|bench| bench.deregister(client, Client, bench.me));
    let again = history.refuses(|bench| {
        let visit = &mut Visit::new(bench.me);
        bench.table.deregister(client, Client, visit)
    });
    assert_eq!(again, Ok(None));
    assert_eq!(history.refuses(wait), Err(WaitFault::WouldDeadlock));
    done(history.changes(|bench| bench.finish(step, Job::Deregister(client))));
    assert_eq!(history.changes(wait), Ok(()));
    let (over, state) = history.after(|bench| bench.table.end_wait(client, &mut None));
    assert!(matches!(over, Some(Waited::Alone)));
    assert_eq!(state, history.states[1], "the provider is alone again");
}

#[test]
fn each_transition_of_a_binding_that_does_not_come_about_changes_the_state() {
    let mut history = History::of(Bench::new());
    let (first, _) = history.changes(|bench| bench.add(Provider));
    history.changes(|bench| bench.add(Provider));
    history.changes(|bench| bench.add(Provider));
    let (client, step) = history.changes(|bench| bench.add(Client));
    // Refused by the provider.
    let binding = attach(step);
    let call = history.changes(|bench| bench.ask(binding, NULL, bench.me));
    assert!(matches!(call, Ok(AttachCall::Provider)));
    history.changes(|bench| {
        bench
            .table
            .provider_returned(binding, None, &mut Visit::new(1))
    });
    let step = history.changes(|bench| bench.attached(binding, false, client));
    // A change of mind.
    let binding = attach(step);
    history.changes(|bench| bench.accept(binding));
    let asked = detach(history.changes(|bench| bench.attached(binding, false, client)));
    assert_eq!(asked, (binding, Provider));
    let job = Job::Register(client);
    let step = history.changes(|bench| bench.detached(asked, Detach::Complete, job));
    let binding = attach(history.changes(|bench| bench.cleaned_up(step, job)));
    // A door that closes.
    done(history.changes(|bench| bench.deregister(client, Client, bench.other)));
    let call = history.changes(|bench| bench.ask(binding, NULL, bench.me));
    assert!(matches!(call, Ok(AttachCall::NoInterface)));
    done(history.changes(|bench| bench.attached(binding, true, client)));
    done(history.changes(|bench| bench.deregister(first, Provider, bench.me)));
    let wrong = |bench: &mut Bench| bench.table.begin_wait(first, Client, false, bench.me);
    let fault = WaitFault::Handle(HandleFault::WrongKind);
    assert_eq!(history.refuses(wrong), Err(fault));
}

#[test]
fn each_waiter_counts_and_whether_the_module_is_taken_out_and_whether_nobody_will_wait() {
    let mut history = History::of(Bench::new());
    let (client, _) = history.changes(|bench| bench.add(Client));
    done(history.changes(|bench| bench.deregister(client, Client, bench.me)));
    for _ in 0..2 {
        let wait = |bench: &mut Bench| bench.table.begin_wait(client, Client, false, bench.me);
        assert_eq!(history.changes(wait), Ok(()));
    }
    let first = history.changes(|bench| bench.table.end_wait(client, &mut None));
    assert!(matches!(first, Some(Waited::First)));
    let second = history.refuses(|bench| bench.table.end_wait(client, &mut None));
    assert!(second.is_none());
    let ((), state) = history.after(|bench| bench.table.let_go(client));
    assert_eq!(state, history.states[0], "nothing is left");
    history.after(|bench| bench.add(Provider));
    let (client, _) = history.changes(|bench| bench.add_attached(Client));
    history.changes(|bench| bench.deregister(client, Client, bench.me));
    history.changes(|bench| bench.table.abandon(client));
}

/// When a pair leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Never,
    BeforeAll,
    Between,
    AfterAll,
}

/// Two providers and a client attached to both; and another pair, which takes slots before them and
/// gives them back at some moment.
fn three_after_a_pair(leaves: Moment) -> Bench {
    let mut bench = Bench::new();
    let pair = (leaves != Moment::Never).then(|| {
        let (provider, _) = bench.add(Provider);
        let (client, _) = bench.add_attached(Client);
        let step = bench.deregister(client, Client, bench.me);
        done(bench.deregister(provider, Provider, bench.me));
        (client, provider, step)
    });
    let leave = |bench: &mut Bench, moment| {
        if let Some((client, provider, step)) = pair
            && moment == leaves
        {
            done(bench.finish(step, Job::Deregister(client)));
            bench.wait(client, Client);
            bench.wait(provider, Provider);
        }
    };
    leave(&mut bench, Moment::BeforeAll);
    bench.add_labelled(Provider, 1);
    leave(&mut bench, Moment::Between);
    bench.add_labelled(Provider, 2);
    bench.add_labelled(Client, 3);
    leave(&mut bench, Moment::AfterAll);
    bench
}

#[test]
fn slots_and_generations_do_not_count() {
    let mut keys = Vec::new();
    for leaves in [Moment::BeforeAll, Moment::Between, Moment::AfterAll] {
        let bench = three_after_a_pair(leaves);
        let plain = three_after_a_pair(Moment::Never);
        assert_eq!(hash(&bench.table), hash(&plain.table));
        let list = bench.table.registrations.iter();
        let mut list: Vec<_> = list.map(|(key, it)| (it.name, key)).collect();
        list.sort_unstable_by_key(|&(label, _)| label);
        keys.push(list);
    }
    assert_ne!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[test]
fn slots_count_where_they_are_retired() {
    let state = |leaves: bool| {
        let mut bench = Bench::retiring(NonZeroU32::MIN, Reserve::unlimited());
        if leaves {
            let (other, _) = bench.add(Client);
            done(bench.deregister(other, Client, bench.me));
            bench.wait(other, Client);
        }
        bench.add(Client);
        hash(&bench.table)
    };
    assert_ne!(state(true), state(false));
}

#[test]
fn names_and_the_order_of_offers_count() {
    let state = |labels: [u32; 3]| {
        let mut bench = Bench::new();
        for label in labels {
            bench.add_labelled(Provider, label);
        }
        hash(&bench.table)
    };
    let states = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [1, 2, 4]].map(state);
    for (index, state) in states.iter().enumerate() {
        assert!(!states[..index].contains(state));
    }
}

#[test]
fn the_interface_counts_and_which_thread_runs_a_callback() {
    let state = |thread: fn(&Bench) -> u8| {
        let mut bench = Bench::new();
        let (provider, _) = bench.add(Provider);
        bench.add_attached(Client);
        let thread = thread(&bench);
        detach(bench.deregister(provider, Provider, thread));
        hash(&bench.table)
    };
    assert_ne!(state(|bench| bench.me), state(|bench| bench.other));
    let mut bench = Bench::new();
    bench.add(Client);
    let before = hash(&bench.table);
    let lists = bench.table.npis.remove(&NPI).expect("it has a client");
    bench.table.npis.insert(NpiId(NPI.0 + 1), lists);
    assert_ne!(hash(&bench.table), before);
}

/// A provider and a client that attach with these contexts, and detach up to the cleanup, which
/// falls to a detach-complete call; the table, and what that call's thread has learnt.
fn up_to_cleanup([own, peers]: [bool; 2], success: bool) -> [u64; 2] {
    let mut bench = Bench::new();
    bench.add(Provider);
    let (client, step) = bench.add(Client);
    let binding = attach(step);
    let call = bench.ask(binding, own, bench.me);
    assert!(matches!(call, Ok(AttachCall::Provider)));
    bench
        .table
        .provider_returned(binding, Some(peers), &mut Visit::new(1));
    let step = bench.attached(binding, success, client);
    if success {
        done(step);
        let job = Job::Deregister(client);
        let asked = detach(bench.deregister(client, Client, bench.me));
        let asked = detach(bench.detached(asked, Detach::Complete, job));
        done(bench.detached(asked, Detach::Pending, job));
    } else {
        done(bench.detached(detach(step), Detach::Pending, Job::Register(client)));
        done(bench.deregister(client, Client, bench.me));
    }
    let visit = &mut Visit::new(bench.me);
    let step = bench.table.detach_complete(binding, Provider, visit);
    bench.leave();
    assert_eq!(step, Ok(Some(Step::CleanUp(binding))));
    [
        hash(&bench.table),
        bench.lesson(step.unwrap().unwrap(), visit),
    ]
}

#[test]
fn whose_context_is_to_be_cleaned_up_is_no_more_in_the_table_but_learnt() {
    let [table, learnt] = up_to_cleanup([NULL, NULL], true);
    let others = [
        up_to_cleanup([SOME, NULL], true),
        up_to_cleanup([NULL, SOME], true),
        up_to_cleanup([NULL, NULL], false),
    ];
    for [other_table, other_learnt] in others {
        assert_eq!(other_table, table);
        assert_ne!(other_learnt, learnt);
    }
}

#[test]
fn whether_a_context_is_null_counts() {
    let state = |context: bool| {
        let mut bench = Bench::new();
        bench.add(Provider);
        let binding = attach(bench.add(Client).1);
        assert!(bench.ask(binding, context, bench.me).is_ok());
        hash(&bench.table)
    };
    assert_ne!(state(NULL), state(SOME));
}

#[test]
fn a_thread_learns_names_and_not_slots() {
    let learnt = |leaves, label| {
        let mut bench = three_after_a_pair(leaves);
        let (client, step) = bench.add(Client);
        bench.label(client, label);
        let visit = bench.visit(Job::Register(client));
        bench.lesson(step, &visit)
    };
    let plain = learnt(Moment::Never, 4);
    assert_eq!(learnt(Moment::AfterAll, 4), plain);
    let other = learnt(Moment::Never, 5);
    assert_ne!(other, plain);
}

#[test]
fn a_thread_learns_that_it_has_to_drop_a_module() {
    let learnt = |abandoned: bool| {
        let mut bench = Bench::new();
        bench.add(Provider);
        let (client, _) = bench.add_attached(Client);
        let step = bench.deregister(client, Client, bench.me);
        if abandoned {
            bench.table.abandon(client);
        }
        let job = Job::Deregister(client);
        let step = bench.detached(detach(step), Detach::Complete, job);
        let step = bench.detached(detach(step), Detach::Complete, job);
        let visit = &mut bench.visit(job);
        let returned = Returned::CleanUp(cleanup(step));
        let step = bench.table.returned(returned, visit);
        done(step);
        bench.lesson(step, visit)
    };
    assert_ne!(learnt(true), learnt(false));
}
