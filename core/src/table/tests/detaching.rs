//! C7 to C9 in the table.

use super::*;

#[test]
fn a_completion_before_the_callback_returned_is_not_lost() {
    for answer in [Detach::Pending, Detach::Complete] {
        let mut bench = Bench::new();
        bench.add(Provider);
        let (client, bindings) = bench.add_attached(Client);
        let asked = detach(bench.deregister(client, Client, bench.me));
        done(
            bench
                .complete(bindings[0], Client)
                .expect("it is detaching"),
        );
        assert!(
            bench.complete(bindings[0], Client).is_none(),
            "a second time"
        );
        assert!(
            bench.complete(bindings[0], Provider).is_none(),
            "not asked yet"
        );
        let job = Job::Deregister(client);
        let provider = detach(bench.detached(asked, answer, job));
        let step = bench.detached(provider, Detach::Complete, job);
        done(bench.cleaned_up(step, job));
    }
}

#[test]
fn the_last_of_two_pending_completions_cleans_up() {
    let mut bench = Bench::new();
    bench.add(Provider);
    let (client, bindings) = bench.add_attached(Client);
    let job = Job::Deregister(client);
    let asked = detach(bench.deregister(client, Client, bench.me));
    let asked = detach(bench.detached(asked, Detach::Pending, job));
    done(bench.detached(asked, Detach::Pending, job));
    assert_eq!(bench.table.bindings.get(bindings[0]).running, None);
    done(
        bench
            .complete(bindings[0], Provider)
            .expect("it is pending"),
    );
    assert!(
        bench.complete(bindings[0], Provider).is_none(),
        "it is complete"
    );
    let step = bench.complete(bindings[0], Client).expect("it is pending");
    assert!(
        bench.complete(bindings[0], Client).is_none(),
        "it is cleaning up"
    );
    done(bench.cleaned_up(step, Job::Complete));
    let gone = bench
        .table
        .detach_complete(bindings[0], Client, &mut Visit::new(bench.me));
    assert!(matches!(gone, Err(HandleFault::Dead)));
}

#[test]
fn the_second_side_to_deregister_waits_for_the_thread_of_the_first() {
    let mut bench = Bench::new();
    let (provider, _) = bench.add(Provider);
    let (client, _) = bench.add_attached(Client);
    let step = bench.deregister(client, Client, bench.me);
    done(bench.deregister(provider, Provider, bench.other));
    assert_eq!(
        bench
            .table
            .begin_wait(provider, Provider, false, bench.other),
        Ok(())
    );
    assert!(bench.table.end_wait(provider, &mut None).is_none());
    let inside = bench.table.begin_wait(provider, Provider, false, bench.me);
    assert_eq!(inside, Err(WaitFault::WouldDeadlock));
    done(bench.finish(step, Job::Deregister(client)));
    assert!(bench.table.end_wait(provider, &mut None).is_some());
}

#[test]
fn a_teardown_goes_on_when_the_binding_at_its_cursor_was_removed_by_another_thread() {
    let mut bench = Bench::new();
    let providers = [(); 3].map(|()| bench.add(Provider).0);
    let (client, bindings) = bench.add_attached(Client);
    let first = bench.deregister(client, Client, bench.me);
    // The other thread takes the second binding from beginning to end.
    let second = bench.deregister(providers[1], Provider, bench.other);
    done(bench.finish(second, Job::Deregister(providers[1])));
    assert_eq!(bench.table.count().bindings, 2);
    let third = bench.finish(first, Job::Deregister(client));
    assert_eq!(detach(third).0, bindings[2]);
}

#[test]
fn a_teardown_passes_over_what_another_thread_detaches_but_the_wait_does_not() {
    let mut bench = Bench::new();
    let (provider, _) = bench.add(Provider);
    bench.add(Provider);
    let (client, bindings) = bench.add_attached(Client);
    let taken = bench.deregister(provider, Provider, bench.other);
    let own = bench.deregister(client, Client, bench.me);
    bench
        .table
        .begin_wait(client, Client, false, bench.other)
        .unwrap_err();
    done(bench.finish(own, Job::Deregister(client)));
    assert_eq!(
        bench.table.count().bindings,
        1,
        "only the other thread's is left"
    );
    assert_eq!(
        bench.table.bindings.iter().next().map(|(key, _)| key),
        Some(bindings[0])
    );
    assert!(bench.table.end_wait(client, &mut None).is_none());
    done(bench.finish(taken, Job::Deregister(provider)));
    assert!(bench.table.end_wait(client, &mut None).is_some());
}

#[test]
#[should_panic(expected = "a registration lists exactly its bindings")]
fn the_check_sees_a_binding_that_is_not_listed() {
    let mut bench = Bench::new();
    let (provider, _) = bench.add(Provider);
    bench.add_attached(Client);
    bench.table.registrations.get_mut(provider).bindings = List::default();
    bench.leave();
}
