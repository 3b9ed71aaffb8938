//! Two saved cases as `nmr case CASE` prints them: they compile, and each comes to what is expected.

/// C16 breaks in never-completes: the threads cannot go on: the provider of c–p answered pending and never sent its completion (the module's fault, not the registrar's); thread leaving is inside wait for c
#[cfg(shuttle)]
#[test]
fn never_completes_c16() {
    let text = r#"
kind = "schedule"
engine = "random"
seed = 3
rule = "C16"
message = """
the threads cannot go on: the provider of c–p answered pending and never sent its completion (the module's fault, not the registrar's); thread leaving is inside wait for c
deadlock: 2 threads cannot go on
  thread main waits for thread leaving to end at models/src/run/mod.rs:193:42
  thread leaving sleeps on condvar Condvar.3 at core/src/calls.rs:79:59: nobody is left to notify it"""
executions = 1
version = "0.1.0"
expect = "reproduces"
schedule = ["main: linger", "idle: linger", "leaving: linger", "idle: acquire Mutex<PendingState>.1 after `⟨p: detach c⟩`", "leaving: linger after `= pending`", "idle: notify-all Condvar.5 after `⟨p: detach c⟩`"]

[scenario]
name = "never-completes"
summary = "a provider answers pending and leaves it at that"
before = ["register c", "register p"]

[[scenario.module]]
name = "c"
side = "client"

[[scenario.module]]
name = "p"
side = "provider"
detach = "pending"

[[scenario.thread]]
name = "leaving"
ops = ["deregister c", "wait c"]

[[scenario.thread]]
name = "idle"
ops = ["deregister p"]
"#;
    let path = "never_completes_c16".as_ref();
    let case = nmr_models::case::Case::from_toml(path, text).unwrap();
    let replayed = nmr_models::replay::replay(&case, &Default::default(), |_| {});
    let is_expected = replayed.verdict.is(case.expect.unwrap_or_default());
    assert!(is_expected, "{}", replayed.text());
}

#[cfg(not(any(loom, shuttle)))]
#[test]
fn sequential_late_comer() {
    let text = r#"
# cargo nmr replay properties/regressions/sequential-late-comer.toml
#
# Written by hand, as an example of the form. The provider's registration deregisters the client
# from inside the provider's attach callback, so that the new binding is a late comer (C6): it is
# detached by the register call that made it. The provider's detach is pending and completed later.
kind = "sequential"

[[op]]
register = { module = "c1", npi = 1 }

[[op]]
register = { module = "p1", npi = 1, detach = "pending", before-attach = [{ deregister-client = "c1" }, { wait-client = "c1" }] }

[[op]]
wait-client = "c1"

[[op]]
provider-detach-complete = "c1/p1"

[[op]]
provider-detach-complete = "c1/p1"

[[op]]
wait-client = "c1"

[[op]]
wait-client = "c1"
"#;
    let replayed = nmr_properties::replay_text("sequential_late_comer", text).unwrap();
    assert!(!replayed.reproduced, "{}", replayed.text);
}
