//! C1 to C6 in the table.

use super::*;

#[test]
fn a_register_call_offers_the_pairs_one_by_one() {
    let mut bench = Bench::new();
    done(bench.add(Provider).1);
    done(bench.add(Provider).1);
    let (client, step) = bench.add(Client);
    assert_eq!(bench.count(), (3, 2));
    let first = attach(step);
    let second = attach(bench.attached(first, false, client));
    assert_ne!(first, second);
    assert_eq!(bench.count(), (3, 1));
    done(bench.attached(second, true, client));
    assert_eq!(bench.count(), (3, 0), "hollow success (C4)");
}

#[test]
fn a_registration_that_is_still_registering_is_met_by_the_next_one() {
    let mut bench = Bench::new();
    bench.add(Provider);
    let (_, step) = bench.add(Client);
    let first = attach(step);
    // The client's register call has not returned when a second provider comes, and offers itself.
    let (provider, step) = bench.add(Provider);
    let second = attach(step);
    assert_ne!(first, second);
    bench.accept(second);
    done(bench.attached(second, true, provider));
}

#[test]
fn the_one_attach_call_belongs_to_the_thread_inside_the_callback() {
    let mut bench = Bench::new();
    let (provider, _) = bench.add(Provider);
    let (_, step) = bench.add(Client);
    let binding = attach(step);
    let elsewhere = bench.ask(binding, NULL, bench.other);
    assert!(matches!(elsewhere, Ok(AttachCall::InvalidState)));
    done(bench.deregister(provider, Provider, bench.other));
    let closed = bench.ask(binding, NULL, bench.me);
    assert!(matches!(closed, Ok(AttachCall::NoInterface)));
    let again = bench.ask(binding, NULL, bench.me);
    assert!(matches!(again, Ok(AttachCall::InvalidState)));
}

#[test]
fn what_a_refused_client_handed_over_is_dropped_outside() {
    let mut bench = Bench::new();
    bench.add(Provider);
    let (client, step) = bench.add(Client);
    let binding = attach(step);
    let call = bench.ask(binding, SOME, bench.me);
    assert!(matches!(call, Ok(AttachCall::Provider)));
    bench
        .table
        .provider_returned(binding, None, &mut Visit::new(1));
    let mut dropped = None;
    bench.table.leave(&mut dropped);
    assert!(dropped.is_some_and(|dropped| dropped.context.is_some()));
    done(bench.attached(binding, true, client));
}

#[test]
fn a_late_comer_is_detached_and_the_register_call_goes_on() {
    let mut bench = Bench::new();
    let (first, _) = bench.add(Provider);
    bench.add(Provider);
    let (client, step) = bench.add(Client);
    let binding = attach(step);
    bench.accept(binding);
    done(bench.deregister(first, Provider, bench.other));
    bench
        .table
        .begin_wait(first, Provider, false, bench.other)
        .unwrap();
    let step = bench.attached(binding, true, client);
    assert!(
        bench.table.end_wait(first, &mut None).is_none(),
        "it is being detached"
    );
    let next = bench.finish(step, Job::Register(client));
    assert!(matches!(
        bench.table.end_wait(first, &mut None),
        Some(Waited::Alone)
    ));
    assert_ne!(attach(next), binding);
}

#[test]
fn a_change_of_mind_concerns_the_provider_alone() {
    let mut bench = Bench::new();
    bench.add(Provider);
    let (client, step) = bench.add(Client);
    let binding = attach(step);
    bench.accept(binding);
    let asked = detach(bench.attached(binding, false, client));
    assert_eq!(asked, (binding, Provider));
    assert!(
        bench.complete(binding, Client).is_none(),
        "the client is out"
    );
    let step = bench.detached(asked, Detach::Complete, Job::Register(client));
    assert_eq!(step, Step::CleanUp(binding));
    let at_hand = bench.hand.contexts.each_ref().map(Option::is_some);
    assert_eq!(at_hand, [false, true], "the provider cleans up alone");
    done(bench.cleaned_up(step, Job::Register(client)));
}

#[test]
fn pairs_not_yet_offered_are_withdrawn_and_the_offers_go_on_after_them() {
    let mut bench = Bench::new();
    let providers = [(); 4].map(|()| bench.add(Provider).0);
    let (client, step) = bench.add(Client);
    let first = attach(step);
    // The next one to offer, and the last one.
    done(bench.deregister(providers[1], Provider, bench.other));
    done(bench.deregister(providers[3], Provider, bench.other));
    assert_eq!(bench.count(), (5, 2));
    let third = attach(bench.attached(first, false, client));
    let end = bench.table.bindings.get(third).ends[Provider as usize].registration;
    assert_eq!(end, providers[2]);
    done(bench.attached(third, false, client));
}

#[test]
fn an_interface_is_forgotten_with_its_last_open_registration() {
    let mut bench = Bench::new();
    let (client, _) = bench.add(Client);
    let (provider, _) = bench.add_attached(Provider);
    bench.deregister(client, Client, bench.me);
    assert_eq!(bench.table.npis.len(), 1);
    bench.deregister(provider, Provider, bench.me);
    assert_eq!(bench.table.npis.len(), 0);
}

#[test]
#[should_panic(expected = "C6: proposals are withdrawn")]
fn the_check_sees_a_proposal_that_outlived_a_closing_door() {
    let mut bench = Bench::new();
    let (provider, _) = bench.add(Provider);
    bench.add(Provider);
    bench.add(Client);
    let second = bench.table.registrations.iter().map(|(key, _)| key).nth(1);
    assert_ne!(second, Some(provider));
    bench.table.registrations.get_mut(second.unwrap()).closing = true;
    bench.leave();
}
