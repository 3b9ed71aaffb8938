//! The end of a registration: waiting, letting go, and giving back.

use super::*;

#[test]
fn waiters_are_woken_only_when_there_are_any() {
    let mut bench = Bench::new();
    let (provider, _) = bench.add(Provider);
    let (client, _) = bench.add_attached(Client);
    let job = Job::Deregister(client);
    let step = bench.deregister(client, Client, bench.me);
    bench.deregister(provider, Provider, bench.me);
    bench
        .table
        .begin_wait(provider, Provider, false, bench.other)
        .unwrap();
    let step = bench.detached(detach(step), Detach::Complete, job);
    let step = bench.detached(detach(step), Detach::Complete, job);
    let binding = cleanup(step);
    assert!(!bench.leave(), "nothing has finished");
    let visit = &mut bench.visit(job);
    done(bench.table.returned(Returned::CleanUp(binding), visit));
    assert!(bench.leave(), "the provider's waiter goes on");
    let (lone, _) = bench.add(Client);
    bench
        .table
        .deregister(lone, Client, &mut Visit::new(bench.me))
        .unwrap();
    assert!(!bench.leave(), "nobody waits for it yet");
}

#[test]
fn of_two_waiters_the_first_lets_go_of_the_module_and_then_both_leave() {
    let mut bench = Bench::new();
    let (client, _) = bench.add(Client);
    bench.deregister(client, Client, bench.me);
    bench
        .table
        .begin_wait(client, Client, false, bench.me)
        .unwrap();
    bench
        .table
        .begin_wait(client, Client, false, bench.other)
        .unwrap();
    assert!(matches!(
        bench.table.end_wait(client, &mut None),
        Some(Waited::First)
    ));
    assert!(
        bench.table.end_wait(client, &mut None).is_none(),
        "the module is being dropped"
    );
    let late = bench.table.begin_wait(client, Client, false, bench.other);
    assert_eq!(late, Err(WaitFault::Handle(HandleFault::Dead)));
    bench.table.let_go(client);
    assert!(bench.leave(), "the other waiter goes on");
    assert!(matches!(
        bench.table.end_wait(client, &mut None),
        Some(Waited::Gone)
    ));
    assert_eq!(bench.count(), (0, 0));
}

#[test]
fn who_waits_beside_an_owner_that_has_not_come_yet_lets_go_of_the_module_first() {
    let mut bench = Bench::new();
    let client = bench.add_owned(Client);
    bench.deregister(client, Client, bench.other);
    let by_handle = bench.table.begin_wait(client, Client, false, bench.other);
    by_handle.unwrap();
    assert!(matches!(
        bench.table.end_wait(client, &mut None),
        Some(Waited::First)
    ));
    let owner = bench.table.begin_wait(client, Client, true, bench.me);
    owner.expect("its wait is over only when the module is dropped");
    assert!(bench.table.end_wait(client, &mut None).is_none());
    bench.table.let_go(client);
    assert!(bench.leave(), "the owner goes on");
    assert!(matches!(
        bench.table.end_wait(client, &mut None),
        Some(Waited::Gone)
    ));
    assert_eq!(bench.count(), (0, 0));
}

#[test]
fn an_owner_that_must_not_wait_is_not_waited_for() {
    let mut bench = Bench::new();
    let client = bench.add_owned(Client);
    bench.deregister(client, Client, bench.me);
    bench.table.abandon(client);
    assert_eq!(bench.count(), (0, 0));
}

#[test]
fn an_abandoned_registration_frees_itself_when_it_is_finished() {
    let mut bench = Bench::new();
    bench.add(Provider);
    let (client, _) = bench.add_attached(Client);
    let step = bench.deregister(client, Client, bench.me);
    bench.table.abandon(client);
    assert_eq!(bench.count(), (2, 1));
    let job = Job::Deregister(client);
    let step = bench.detached(detach(step), Detach::Complete, job);
    let step = bench.detached(detach(step), Detach::Complete, job);
    let visit = &mut bench.visit(job);
    let returned = Returned::CleanUp(cleanup(step));
    done(bench.table.returned(returned, visit));
    let mut dropped = None;
    bench.table.leave(&mut dropped);
    assert!(dropped.is_some_and(|it| it.modules[Client as usize].is_some()));
    assert_eq!(bench.count(), (1, 0));
}

#[test]
fn what_was_freed_is_back_in_the_limits_when_the_section_ends() {
    let mut bench = Bench::with(Reserve::own(Some(2), Some(1), None));
    bench.add(Provider);
    let (client, step) = bench.add(Client);
    let refused = bench.try_add(Client).map(drop);
    let (wanted, what) = (1, Resource::Registration);
    assert_eq!(refused, Err(InsufficientResources { wanted, what }));
    let binding = attach(step);
    done(bench.attached(binding, false, client));
    bench.deregister(client, Client, bench.me);
    bench
        .table
        .begin_wait(client, Client, false, bench.me)
        .unwrap();
    assert!(matches!(
        bench.table.end_wait(client, &mut None),
        Some(Waited::Alone)
    ));
    bench.leave();
    assert!(
        bench.try_add(Client).is_ok(),
        "one registration and one binding are free"
    );
}
