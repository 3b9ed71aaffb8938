//! What a standstill is told in, through the whole path: a scenario's text, the worker, its message.

mod common;

use nmr_models::engine_name::{Build, Engine};
use nmr_models::report::{RunResult, Verdict};
use nmr_models::rule::Rule;

use common::{module, result, worker};

/// The engines of this build that are asked: one that searches, and one that samples where it has both.
fn engines() -> &'static [Engine] {
    match Build::current() {
        Build::Shuttle => &[Engine::Explorer, Engine::Random],
        Build::Loom => &[Engine::Loom],
        Build::Native => &[Engine::Direct, Engine::Threads],
    }
}

fn run(engine: Engine, text: &str) -> RunResult {
    run_with(engine, text, &[])
}

fn run_with(engine: Engine, text: &str, rest: &[&str]) -> RunResult {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, text).unwrap();
    let fixed = [
        "run",
        "--engine",
        engine.name(),
        "--budget-ms",
        "500",
        "--file",
        path.to_str().unwrap(),
    ];
    result(&worker(&[&fixed[..], rest].concat()))
}

fn thread(name: &str, ops: &str) -> String {
    let ops: Vec<String> = ops.split(", ").map(|op| format!("{op:?}")).collect();
    format!(
        "[[thread]]\nname = \"{name}\"\nops = [{}]\n",
        ops.join(", ")
    )
}

/// A client and a provider that answers pending, on an interface of their own for each of the names.
fn pairs(names: &[[&str; 2]]) -> String {
    let register = names.iter().flatten();
    let register: Vec<String> = register
        .map(|name| format!("\"register {name}\""))
        .collect();
    let pair = |(npi, [client, provider]): (u8, &[&str; 2])| {
        module(client, "client", npi, "")
            + &module(provider, "provider", npi, "detach = \"pending\"")
    };
    let modules: String = (1..).zip(names).map(pair).collect();
    format!(
        "name = \"s\"\nsummary = \"s\"\nbefore = [{}]\n{modules}",
        register.join(", ")
    )
}

/// Each engine finds that progress is broken, and says all of it.
#[track_caller]
fn says(text: &str, expected: &[&str]) {
    for &engine in engines() {
        let result = run(engine, text);
        let found = (result.verdict, result.rule);
        let message = &result.message;
        assert_eq!(found, (Verdict::Violated, Some(Rule::new(16))), "{message}");
        for words in expected {
            assert!(
                message.contains(words),
                "{engine} says\n{message}\nwithout: {words}"
            );
        }
    }
}

#[test]
fn two_threads_that_owe_each_other_a_completion_are_a_ring() {
    let text = pairs(&[["c", "p"], ["d", "q"]])
        + &thread("driver", "deregister c, wait c, try-complete q")
        + &thread("service", "deregister d, wait d, try-complete p");
    says(
        &text,
        &[
            "the provider of c–p and the provider of d–q answered pending and never sent their completions",
            "p owes the completion of c–p: thread service has `try-complete p` still to do, and is inside wait \
             for d",
            "q owes the completion of d–q: thread driver has `try-complete q` still to do, and is inside wait \
             for c",
            "a ring: thread driver waits for p's completion of c–p, owed by thread service, which waits for \
             q's completion of d–q, owed by thread driver",
        ],
    );
}

#[test]
fn a_ring_of_three_is_told_from_its_first_thread_to_its_first_thread() {
    let text = pairs(&[["c", "p"], ["d", "q"], ["e", "r"]])
        + &thread("one", "deregister c, wait c, try-complete r")
        + &thread("two", "deregister d, wait d, try-complete p")
        + &thread("three", "deregister e, wait e, try-complete q");
    says(
        &text,
        &[
            "a ring: thread one waits for p's completion of c–p, owed by thread two, which waits for q's \
           completion of d–q, owed by thread three, which waits for r's completion of e–r, owed by thread one",
        ],
    );
}

#[test]
fn a_thread_that_waits_for_its_own_completion_is_a_ring_of_one() {
    let text = pairs(&[["c", "p"]])
        + &thread("alone", "deregister c, wait c, try-complete p")
        + &thread("idle", "yield");
    says(
        &text,
        &["a ring: thread alone waits for p's completion of c–p, owed by thread alone"],
    );
}

#[test]
fn a_completion_that_nobody_has_left_to_do_is_owed_by_no_thread() {
    let text = pairs(&[["c", "p"]])
        + &thread("leaving", "deregister c, wait c")
        + &thread("idle", "yield");
    says(
        &text,
        &["p owes the completion of c–p: no thread has it still to do"],
    );
}

#[test]
fn a_completion_that_is_left_to_the_main_thread_comes_after_all_others() {
    let text = pairs(&[["c", "p"]]).replacen("before", "after = [\"try-complete p\"]\nbefore", 1)
        + &thread("leaving", "deregister c, wait c")
        + &thread("idle", "yield");
    says(
        &text,
        &[
            "thread main has `try-complete p` still to do, and waits for the other threads to end",
            "a ring: thread leaving waits for p's completion of c–p, owed by thread main, which waits for the end of \
             thread leaving",
        ],
    );
}

#[test]
fn a_completion_of_a_thread_that_has_not_begun_waits_for_the_main_thread() {
    let text = pairs(&[["c", "p"]]).replacen("\"]\n", "\", \"deregister c\", \"wait c\"]\n", 1)
        + &thread("late", "try-complete p")
        + &thread("idle", "yield");
    says(
        &text,
        &[
            "thread late has `try-complete p` still to do, and has not begun",
            "a ring: thread main waits for p's completion of c–p, owed by thread late, which waits to be started by \
             thread main",
        ],
    );
}

#[test]
fn a_completion_in_a_callback_is_owed_by_the_thread_inside_it_or_by_a_callback_that_was_not_called()
{
    let in_callback = pairs(&[["c", "p"]])
        + &module(
            "d",
            "client",
            2,
            "in-detach = [\"wait c\", \"try-complete p\"]",
        )
        + &module("q", "provider", 2, "");
    let in_callback = in_callback.replacen("\"]\n", "\", \"register d\", \"register q\"]\n", 1)
        + &thread("one", "deregister c")
        + &thread("two", "deregister d");
    says(
        &in_callback,
        &[
            "thread two has `try-complete p` still to do in d's detach callback, and is inside wait for c",
        ],
    );
    let not_called = pairs(&[["c", "p"]]).replacen(
        "side = \"client\"\n",
        "side = \"client\"\nin-cleanup = [\"try-complete p\"]\n",
        1,
    ) + &thread("leaving", "deregister c, wait c")
        + &thread("idle", "yield");
    says(
        &not_called,
        &[
            "p owes the completion of c–p: c's cleanup callback has `try-complete p` to do, and was not called",
        ],
    );
}

/// The callback that waits is the one that would do it, when it has attached.
#[test]
fn what_the_same_callback_does_after_attaching_is_still_to_do() {
    let client = "in-attach = [\"await ready\"]\nafter-attach = [\"set ready\"]";
    let waits_in = |client: &str, provider: &str| {
        [
            "name = \"s\"\nsummary = \"s\"\nevents = [\"ready\"]\nbefore = [\"register p\"]\n",
            &module("c", "client", 1, client),
            &module("p", "provider", 1, provider),
            &thread("one", "register c"),
            &thread("idle", "yield"),
        ]
        .concat()
    };
    let ring = "a ring: thread one waits for event `ready`, and thread one has `set ready` still to do in c's attach \
         callback, after attaching";
    says(&waits_in(client, ""), &[ring]);
    let (_, after) = client.split_once('\n').unwrap();
    says(&waits_in(after, "in-attach = [\"await ready\"]"), &[ring]);
    // What it has done already it does not do again.
    let done = "after-attach = [\"set ready\", \"await never\"]\nin-drop = [\"set never\"]";
    let text = waits_in(done, "").replace("[\"ready\"]", "[\"ready\", \"never\"]");
    says(
        &text,
        &["waits for event `never`, and no thread has it still to do"],
    );
}

/// The modules' own deadlock without any completion, which no answer of the registrar could prevent.
#[test]
fn callbacks_that_wait_for_each_others_registrations_are_a_ring_and_no_lost_wake_up() {
    let text = [
        "name = \"s\"\nsummary = \"s\"\n",
        "before = [\"register c\", \"register p\", \"register d\", \"register q\"]\n",
        &module("c", "client", 1, "in-detach = [\"wait d\"]"),
        &module("p", "provider", 1, ""),
        &module("d", "client", 2, "in-detach = [\"wait c\"]"),
        &module("q", "provider", 2, ""),
        &thread("one", "deregister c"),
        &thread("two", "deregister d"),
    ]
    .concat();
    // On real threads the two have to come together, which they need not in a run.
    if Build::current() == Build::Native {
        return;
    }
    says(
        &text,
        &[
            "the threads wait for each other",
            "a ring: thread one waits for d and so for the client's detach callback for d–q, inside which is thread two, \
             which waits for c and so for the client's detach callback for c–p, inside which is thread one",
        ],
    );
}

/// Of the two that sleep on the one condvar of an interface, both are woken when one of them can go on.
#[cfg(shuttle)]
#[test]
fn a_thread_that_was_woken_and_slept_again_is_not_said_to_have_been_left_alone() {
    let text = [
        "name = \"s\"\nsummary = \"s\"\n",
        "before = [\"register c\", \"register d\", \"register p\"]\n",
        &module("c", "client", 1, "detach = \"pending\""),
        &module("d", "client", 1, "detach = \"pending\""),
        &module("p", "provider", 1, ""),
        &thread("slept", "deregister c, wait c"),
        &thread("left", "deregister d, wait d"),
        &thread("waker", "complete d"),
    ]
    .concat();
    let message = run(Engine::Explorer, &text).message;
    let mut lines = message
        .lines()
        .skip_while(|line| !line.contains("thread slept sleeps on"));
    let slept = lines.next().unwrap_or_else(|| panic!("{message}"));
    let expected = ": it was woken once, and nobody is left to notify it again";
    assert!(slept.ends_with(expected), "{message}");
    let woken = lines.next().unwrap_or_else(|| panic!("{message}"));
    let sender = "    by thread waker from core/src/calls.rs:";
    assert!(woken.starts_with(sender), "{message}");
    let then = " after `⟨= success⟩` #2: it looked and slept again at the same wait";
    assert!(woken.ends_with(then), "{message}");
}

/// The rows of the interleaving that a replay of what an engine has found shows.
#[cfg(shuttle)]
fn interleaving(engine: Engine, text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let cases = ["--case-dir", folder.path().to_str().unwrap()];
    let case = run_with(engine, text, &cases).case;
    let case = case.expect("a finding is saved");
    let replayed = worker(&["replay", case.to_str().unwrap()]);
    let line: serde_json::Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(line["verdict"], "reproduces");
    let rows = line["interleaving"].as_array().expect("rows");
    let events = rows.iter().map(|row| row["event"].as_str().expect("words"));
    events.map(|event| event.trim().to_owned()).collect()
}

/// The client leaves while the provider attaches to it, and nobody completes what it answers pending.
#[cfg(shuttle)]
#[test]
fn the_interleaving_of_a_late_comer_says_what_it_is() {
    let text = [
        "name = \"s\"\nsummary = \"s\"\nbefore = [\"register c\"]\n",
        &module("c", "client", 1, ""),
        &module(
            "p",
            "provider",
            1,
            "in-attach = [\"deregister c\"]\ndetach = \"pending\"",
        ),
        &thread("arriving", "register p, wait c"),
        &thread("idle", "yield"),
    ]
    .concat();
    let rows = interleaving(Engine::Explorer, &text);
    for late in ["⟨p: detach c⟩ late comer", "⟨c: detach p⟩ late comer"] {
        assert!(rows.iter().any(|row| row == late), "{rows:#?}");
    }
}

/// What is noted of a scenario that holds, which must be the same by each engine.
#[track_caller]
fn notes(text: &str, expected: &[&str]) {
    for &engine in engines() {
        let result = run(engine, text);
        assert_eq!(result.verdict, Verdict::Holds, "{}", result.message);
        assert_eq!(result.notes, expected, "{engine}");
    }
}

#[test]
fn registrations_that_nobody_deregistered_are_noted() {
    let text = [
        "name = \"s\"\nsummary = \"s\"\nbefore = [\"register p\"]\n",
        &module("c", "client", 1, ""),
        &module("p", "provider", 1, ""),
        &thread(
            "connections",
            "register c, register c, register c, deregister c, wait c",
        ),
        &thread("provider", "deregister p, wait p"),
    ]
    .concat();
    notes(
        &text,
        &["2 registrations of c are left at the end: nobody deregistered them"],
    );
    let all_gone = text.replace("\"register c\", \"register c\", ", "");
    notes(&all_gone, &[]);
}

#[test]
fn pending_detaches_that_nobody_completed_are_noted() {
    let text = pairs(&[["c", "p"]]) + &thread("leaving", "deregister c") + &thread("idle", "yield");
    notes(
        &text,
        &[
            "1 registration of p is left at the end: nobody deregistered it",
            "1 deregistered registration of c is left at the end: nobody waited for it",
            "1 detach that p answered pending, from c, is not completed at the end",
        ],
    );
}

#[test]
fn calls_for_what_is_not_registered_are_noted() {
    let text = [
        "name = \"s\"\nsummary = \"s\"\nlimits = { max-registrations = 1 }\n",
        &module("c", "client", 1, ""),
        &module("p", "provider", 1, ""),
        &thread("starting", "register c, deregister c, wait c"),
        &thread("idle", "yield"),
    ]
    .concat();
    notes(&text, &[]);
    // There is no room for the client, and its teardown does not know.
    let failed = text.replacen(
        "limits",
        "before = [\"register p\"]\nafter = [\"deregister p\", \"wait p\"]\nlimits",
        1,
    );
    notes(
        &failed,
        &[
            "c is deregistered where it is not registered, or not any more: the call is refused",
            "c is waited for where it is not registered, or not any more: the call is refused",
        ],
    );
}

/// A client that registers once more than it deregisters, and whose provider nobody waits for.
fn leaving_something() -> String {
    [
        "name = \"s\"\nsummary = \"s\"\nbefore = [\"register p\"]\n",
        &module("c", "client", 1, ""),
        &module("p", "provider", 1, ""),
        &thread("client", "register c, register c, deregister c, wait c"),
        &thread("provider", "deregister p"),
    ]
    .concat()
}

/// The rule is in force by the option and by the scenario itself, and the result says so.
#[track_caller]
fn violates(text: &str, option: &[&str], key: &str, rule: Rule, words: &str) {
    for &engine in engines() {
        let plain = run(engine, text);
        assert_eq!(plain.verdict, Verdict::Holds, "{}", plain.message);
        assert_eq!(plain.in_force, [""; 0]);
        for result in [
            run_with(engine, text, option),
            run(engine, &format!("{key}\n{text}")),
        ] {
            let message = &result.message;
            assert_eq!(result.rule, Some(rule), "{engine}: {message}");
            assert!(message.contains(words), "{engine}: {message}");
            assert_eq!(result.in_force.len(), 1, "{engine}: {:?}", result.in_force);
        }
    }
}

#[test]
fn what_is_left_over_is_a_violation_where_a_check_is_strict() {
    let words = "nobody has deregistered c";
    let strict = (&["--strict"][..], "strict = true");
    violates(
        &leaving_something(),
        strict.0,
        strict.1,
        Rule::strict(1),
        words,
    );
    let unwaited = leaving_something().replacen("\"register c\", ", "", 1);
    let words = "nobody has waited for the end of p, which was deregistered";
    violates(&unwaited, strict.0, strict.1, Rule::strict(2), words);
}

#[test]
fn a_detach_callback_that_waits_is_a_violation_on_windows() {
    let text = [
        "name = \"s\"\nsummary = \"s\"\nevents = [\"over\"]\nbefore = [\"set over\", \"register c\", \"register p\"]\n",
        &module("c", "client", 1, "in-detach = [\"await over\"]"),
        &module("p", "provider", 1, ""),
        &thread("client", "deregister c, wait c"),
        &thread("provider", "deregister p, wait p"),
    ]
    .concat();
    violates(
        &text,
        &["--platform", "windows"],
        "platform = \"windows\"",
        Rule::windows(1),
        "the client's detach callback for c–p waits for an event",
    );
}

/// A case made under an option knows it: it breaks the same rule when it is replayed, and is plain without it.
#[cfg(shuttle)]
#[test]
fn a_case_knows_what_was_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().to_str().unwrap();
    let options = ["--strict", "--platform", "windows", "--case-dir", cases];
    let found = run_with(Engine::Explorer, &leaving_something(), &options);
    assert_eq!(found.rule, Some(Rule::strict(1)), "{}", found.message);
    let case = found.case.expect("it was saved");
    let text = std::fs::read_to_string(&case).unwrap();
    assert!(
        text.contains("strict = true") && text.contains("platform = \"windows\""),
        "{text}"
    );
    let replayed = |case: &std::path::Path| {
        let output = worker(&["replay", case.to_str().unwrap()]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let again = replayed(&case);
    assert!(again.contains("\"verdict\":\"reproduces\""), "{again}");
    assert!(again.contains("\"broken\":\"S1\""), "{again}");
    std::fs::write(&case, text.replace("strict = true\n", "")).unwrap();
    let plain = replayed(&case);
    assert!(plain.contains("\"verdict\":\"fixed\""), "{plain}");
}

#[test]
fn a_certificate_names_what_was_in_force() {
    let engine = match Build::current() {
        Build::Shuttle => Engine::Explorer,
        Build::Native => Engine::Direct,
        Build::Loom => return,
    };
    let text = leaving_something();
    let certificate = |options: &[&str]| run_with(engine, &text, options).certificate.unwrap();
    let named = certificate(&["--platform", "windows"]);
    assert!(
        named.contains("; in force: platform windows (W1–W4)"),
        "{named}"
    );
    assert!(!certificate(&[]).contains("in force"));
}

/// Whether the completion finds something to complete is a matter of who comes first; real threads and samples
/// come to both, if not by need.
#[test]
fn what_is_left_in_some_executions_only_is_said_to_be() {
    let text = pairs(&[["c", "p"]]).replacen("before", "after = [\"deregister p\"]\nbefore", 1)
        + &thread("leaving", "deregister c")
        + &thread("completing", "try-complete p");
    if Build::current() != Build::Native {
        notes(
            &text,
            &[
                "1 deregistered registration of c is left at the end: nobody waited for it",
                "1 deregistered registration of p is left at the end: nobody waited for it",
                "in some executions 1 detach that p answered pending, from c, is not completed at the end",
            ],
        );
    }
}

/// Two modules that can take each other's places: the explorer looks at one of two mirrored ends only.
#[test]
fn what_may_be_left_of_either_of_two_that_are_alike_is_noted_of_both() {
    let text = [
        "name = \"s\"\nsummary = \"s\"\nlimits = { max-registrations = 1 }\n",
        &module("c", "client", 1, ""),
        &module("d", "client", 1, ""),
        &thread("one", "register c"),
        &thread("two", "register d"),
    ]
    .concat();
    if Build::current() != Build::Native {
        notes(
            &text,
            &[
                "in some executions 1 registration of c is left at the end: nobody deregistered it",
                "in some executions 1 registration of d is left at the end: nobody deregistered it",
            ],
        );
    }
}

/// Without the source: what a call does to the table stands below it, in its thread's column.
#[cfg(shuttle)]
#[test]
fn an_interleaving_says_what_changes_in_the_table() {
    let text = pairs(&[["c", "p"]])
        + &thread("leaving", "deregister c, wait c")
        + &thread("idle", "yield");
    for engine in [Engine::Explorer, Engine::Random] {
        let rows = interleaving(engine, &text);
        let expected = [
            "deregister c",
            "· registration c: open → closing",
            "· binding c–p: attached → detaching",
            "⟨c: detach p⟩",
            "⟨= complete⟩",
            "· binding c–p: c complete, p asked",
            "⟨p: detach c⟩",
            "⟨= pending⟩",
            "· binding c–p: p pending",
            "= pending",
        ];
        let found = rows.windows(expected.len()).any(|rows| rows == expected);
        assert!(found, "{engine}: {rows:#?}");
    }
}
