//! Each misuse is refused, and what is next to it is not; and of each it is said where it stands.

use std::path::Path;

use crate::scenario::Scenario;

/// The complaint about a scenario with these lines, after its name and summary.
fn complaint(lines: &str) -> String {
    let text = format!("name = \"s\"\nsummary = \"s\"\n{lines}");
    let scenario = Scenario::from_toml(Path::new("s.toml"), &text);
    scenario.map_or_else(|error| error.to_string(), |_| "none".to_owned())
}

fn module(name: &str, side: &str, rest: &str) -> String {
    format!("[[module]]\nname = \"{name}\"\nside = \"{side}\"\n{rest}\n")
}

fn thread(name: &str, ops: &str) -> String {
    format!("[[thread]]\nname = \"{name}\"\nops = {ops}\n")
}

#[test]
fn names_are_unique_and_none_is_the_main_threads() {
    let twice = module("c", "client", "") + &thread("c", "[]");
    assert_eq!(
        complaint(&twice),
        "s.toml:8:8: `c` is taken: expected another name"
    );
    let main = module("main", "client", "");
    assert!(complaint(&main).contains("`main` is taken"));
}

#[test]
fn seven_threads_are_one_too_many() {
    let threads: String = (1..=7).map(|n| thread(&format!("t{n}"), "[]")).collect();
    let complaint = complaint(&(module("c", "client", "") + &threads));
    assert!(
        complaint.contains("at most 6 threads, this is one more"),
        "{complaint}"
    );
}

#[test]
fn a_list_of_operations_is_not_longer_than_their_numbers_reach() {
    let ops = |count| format!("[{}]", vec!["\"yield\""; count].join(", "));
    let scenario = |count| module("c", "client", "") + &thread("t", &ops(count));
    assert_eq!(complaint(&scenario(250)), "none");
    assert_eq!(
        complaint(&scenario(251)),
        "s.toml:9:2258: `t` has a list of more than 250 operations: expected a shorter one"
    );
    let inside = module("c", "client", &format!("in-attach = {}", ops(251)));
    assert!(complaint(&inside).contains("`c` has a list of more than 250 operations"));
}

#[test]
fn events_and_locks_are_named_at_the_top() {
    let one =
        |top: &str, ops: &str| top.to_owned() + &module("c", "client", "") + &thread("t", ops);
    let lost = complaint(&one("events = [\"ready\"]\n", "[\"await reddy\"]"));
    assert!(
        lost.contains("`await reddy` names no event: expected one of ready"),
        "{lost}"
    );
    let lost = complaint(&one("", "[\"lock own\", \"unlock own\"]"));
    assert!(
        lost.contains("`lock own` names no lock: expected it in `locks = [...]`, at the top"),
        "{lost}"
    );
    // A module is no event.
    let lost = complaint(&one("", "[\"set c\"]"));
    assert!(lost.contains("`set c` names no event"), "{lost}");
    let twice = complaint(&one("events = [\"c\"]\n", "[]"));
    assert!(twice.contains("`c` is taken"), "{twice}");
}

#[test]
fn events_and_locks_are_no_more_than_an_operation_can_tell_apart() {
    for key in ["events", "locks"] {
        let scenario = |count| {
            let names: Vec<_> = (0..count).map(|n| format!("\"n{n}\"")).collect();
            format!("{key} = [{}]\n", names.join(", ")) + &module("c", "client", "")
        };
        assert_eq!(complaint(&scenario(255)), "none");
        let most = complaint(&scenario(256));
        let expected = format!("at most 255 {key}, this is one more");
        assert!(most.contains(&expected), "{most}");
    }
}

#[test]
fn a_name_is_one_word() {
    for name in ["", "a b"] {
        let refused = format!("`{name}` is no name");
        let event = format!("events = [\"{name}\"]\n") + &module("c", "client", "");
        let lock = event.replace("events", "locks");
        let thread = module("c", "client", "") + &thread(name, "[]");
        for text in [event, lock, module(name, "client", ""), thread] {
            let complaint = complaint(&text);
            assert!(complaint.contains(&refused), "{complaint}");
        }
    }
}

#[test]
fn a_scenario_is_named_as_its_cases_files_can_be() {
    let complaint = |name: &str| {
        let text = format!(
            "name = \"{name}\"\nsummary = \"s\"\n{}",
            module("c", "client", "")
        );
        let scenario = Scenario::from_toml(Path::new("s.toml"), &text);
        scenario.map_or_else(|error| error.to_string(), |_| "none".to_owned())
    };
    assert_eq!(complaint("mine-2"), "none");
    for name in ["", "../mine", "my/own", "my own", ".mine"] {
        let expected = format!("s.toml:1:8: `{name}` is no name of a scenario");
        assert!(
            complaint(name).starts_with(&expected),
            "{}",
            complaint(name)
        );
    }
}

#[test]
fn a_list_gives_back_the_locks_that_it_takes() {
    let one = |ops: &str| {
        "locks = [\"own\"]\n".to_owned() + &module("c", "client", "") + &thread("t", ops)
    };
    assert_eq!(
        complaint(&one("[\"lock own\", \"register c\", \"unlock own\"]")),
        "none"
    );
    let kept = complaint(&one("[\"lock own\", \"register c\"]"));
    assert!(
        kept.contains("`lock own` in a list of `t` that keeps it"),
        "{kept}"
    );
    let free = complaint(&one("[\"unlock own\", \"lock own\"]"));
    assert!(
        free.contains("`unlock own` in a list of `t` that has not taken it"),
        "{free}"
    );
}

#[test]
fn what_follows_an_attach_follows_one() {
    let after = |rest: &str| complaint(&module("m", "client", rest));
    assert_eq!(
        after("after-attach = [\"yield\"]\nattach = \"twice\""),
        "none"
    );
    let never = after("after-attach = [\"yield\"]\nattach = \"decline\"");
    assert!(never.contains("expected a client that attaches"), "{never}");
    let provider = module("p", "provider", "after-attach = [\"yield\"]");
    assert!(complaint(&provider).contains("expected a client that attaches"));
}

#[test]
fn a_module_is_chosen_among_its_peers() {
    let two = |peer: &str| {
        module("c", "client", &format!("peers = [\"{peer}\"]")) + &module("p", "provider", "")
    };
    assert_eq!(complaint(&two("p")), "none");
    for stranger in ["c", "q"] {
        let complaint = complaint(&two(stranger));
        assert!(complaint.contains("is no peer of `c`"), "{complaint}");
    }
}

#[test]
fn a_provider_does_not_change_its_mind() {
    let provider = module("p", "provider", "attach = \"change-of-mind\"");
    assert!(
        complaint(&provider).contains("expected attach = accept, decline, one-at-a-time or panic")
    );
}

#[test]
fn only_a_module_with_a_rundown_dispatches() {
    for side in ["client", "provider"] {
        let plain = module("m", side, "") + &thread("t", "[\"dispatch m\"]");
        assert!(complaint(&plain).contains("expected a module with detach = \"rundown\""));
        let guarded = module("m", side, "detach = \"rundown\"");
        let guarded = guarded + &thread("t", "[\"dispatch m\"]");
        assert_eq!(complaint(&guarded), "none");
    }
}

#[test]
fn what_is_owned_is_left_by_its_owner_alone() {
    let owned = format!("before = [\"own c\"]\n{}", module("c", "client", ""));
    let both = thread("t", "[\"leave c\"]") + &thread("u", "[\"deregister c\"]");
    assert!(complaint(&(owned.clone() + &both)).contains("expected `release c`"));
    let right = thread("t", "[\"release c\"]") + &thread("u", "[\"deregister c\"]");
    assert_eq!(complaint(&(owned + &right)), "none");
}

#[test]
fn a_completer_ends_its_thread_and_waits_for_nobody() {
    let modules = module("p", "provider", "detach = \"pending\"");
    let early = modules.clone() + &thread("t", "[\"complete p\", \"yield\"]");
    assert!(complaint(&early).contains("expected it at the end of a thread"));
    let waiting = modules.clone() + &thread("t", "[\"wait p\", \"complete p\"]");
    assert!(complaint(&waiting).contains("a thread that does not wait"));
    let main = format!("after = [\"complete-all\"]\n{modules}");
    assert!(complaint(&main).contains("expected it in a thread"));
    let right = modules + &thread("t", "[\"yield\", \"complete p\"]");
    assert_eq!(complaint(&right), "none");
}

#[test]
fn null_contexts_have_one_binding() {
    let nulls = module("c", "client", "null-context = true");
    let peers = module("p", "provider", "") + &module("q", "provider", "");
    let before = "before = [\"register c\", \"register p\", \"register q\"]\n";
    let two = format!("{before}{nulls}{peers}");
    assert!(complaint(&two).contains("`c` has null contexts: expected"));
    assert_eq!(complaint(&two.replace(", \"register q\"", "")), "none");
}

#[test]
fn registering_in_attach_callbacks_comes_to_an_end() {
    let client = module("c", "client", "in-attach = [\"register d\"]");
    let ends = client.clone() + &module("d", "client", "") + &module("p", "provider", "");
    assert_eq!(complaint(&ends), "none");
    let again = client + &module("d", "client", "in-attach = [\"register c\"]");
    assert!(complaint(&again).contains("the attach callback of `c` registers modules"));
    let by_peer =
        module("p", "provider", "in-attach = [\"register e\"]") + &module("e", "client", "");
    assert!(complaint(&by_peer).contains("the attach callback of `p` registers modules"));
}

/// A client and a provider, after these lines at the top, with what else the client says, and a thread.
fn two(top: &str, client: &str, ops: &str) -> String {
    let modules = module("c", "client", client) + &module("p", "provider", "");
    format!("{top}\n{modules}{}", thread("t", ops))
}

/// What is refused, where (between the marks), and with which words.
fn misuses() -> Vec<(String, &'static str)> {
    let top = |top: &str| two(top, "", "[]");
    let client = |client: &str| two("", client, "[]");
    let ops = |ops: &str| two("events = [\"e\"]\nlocks = [\"l\"]", "", ops);
    vec![
        // Words that are none, which the reader of TOML tells.
        (
            ops("[\"yield\", «\"dance\"»]"),
            "`dance` is no operation: expected `register M`",
        ),
        (
            client("attach = «\"perhaps\"»"),
            "unknown variant `perhaps`, expected one of `accept`",
        ),
        (
            client("«mood» = \"bad\""),
            "unknown field `mood`, expected one of",
        ),
        (
            top("platform = «\"dos\"»"),
            "unknown variant `dos`, expected `windows`",
        ),
        (
            top("strict = «1»"),
            "invalid type: integer `1`, expected a boolean",
        ),
        // Names.
        (
            top("events = [\"e\", «\"a b\"»]"),
            "`a b` is no name of a module, thread, event or lock",
        ),
        (
            top("events = [\"e\", «\"e\"»]"),
            "`e` is taken: expected another name",
        ),
        (
            top("locks = [«\"c\"»]"),
            "`c` is taken: expected another name",
        ),
        (
            top("locks = [\"l\"]\nspin-locks = [\"l\", «\"m\"»]"),
            "`m` names no lock: expected it in `locks = [...]`, too",
        ),
        (
            top("").replace("\"t\"", "«\"main\"»"),
            "`main` is taken: expected another name",
        ),
        (
            top("locks = [\"l\"]\nspin-locks = [\"l\", «\"l\"»]"),
            "`l` is there already: expected it once",
        ),
        // What is counted from 1.
        (
            top("limits = { fail-reservation = «0» }"),
            "there is no reservation 0: expected 1 or more",
        ),
        (
            top("limits = { last-generation = «0» }"),
            "there is no generation 0: expected 1 or more",
        ),
        // What a module may be.
        (
            client("peers = [\"p\", «\"p\"»]"),
            "`p` is there already: expected it once",
        ),
        (
            two("", "", "[]").replace("\"provider\"", "\"provider\"\nattach = «\"hollow\"»"),
            "`p` is a provider: expected attach = accept, decline,",
        ),
        (
            client("peers = [\"p\", «\"q\"»]"),
            "`q` is no peer of `c`: expected a module of the other side",
        ),
        (
            client("attach = \"decline\"\nafter-attach = «[\"yield\"]»"),
            "`c` does something after attaching: expected a client that attaches",
        ),
        (
            client("fault = «\"unguarded-dispatch\"»"),
            "the fault of `c`: expected a module with detach = \"rundown\"",
        ),
        (
            client("fault = «\"calls-in-attach\"»"),
            "the fault of `c`: expected a provider",
        ),
        (
            client("fault = «\"leaks-context\"»"),
            "the fault of `c`: expected attach = \"change-of-mind\"",
        ),
        (
            client("fault = «\"frees-in-detach\"»\nnull-context = true"),
            "the fault of `c`: expected no null context",
        ),
        (
            client("null-context = «true»\nattach = \"hollow\""),
            "`c` has null contexts: expected attach = accept or decline",
        ),
        (
            client("first = «1»\nattach = \"one-at-a-time\""),
            "`c` attaches to the first ones alone: expected attach = \"accept\"",
        ),
        (
            client("first = «0»"),
            "invalid value: integer `0`, expected a nonzero u8",
        ),
        (
            client("fault = «\"calls-after-detach\"»"),
            "the fault of `c`: expected a module with detach = \"rundown\"",
        ),
        // What has no end.
        (
            client("in-attach = [\"yield\", «\"register c\"»]"),
            "the attach callback of `c` registers modules whose attaching calls it again",
        ),
        // What may stand in a list.
        (
            ops("[«\"complete-all\"», \"yield\"]"),
            "`complete-all` goes on until the other threads' waits are done",
        ),
        (
            ops("[\"wait c\", «\"complete c\"»]"),
            "`complete c` goes on until the other threads' waits are done",
        ),
        (
            top("before = [\"yield\", «\"complete-any\"»]"),
            "`complete-any` goes on until the threads' waits are done: expected it in a thread",
        ),
        (
            client("in-detach = [«\"complete-wrong c\"»]"),
            "`complete-wrong c` goes on until the threads' waits are done: expected it in a thread",
        ),
        (
            ops("[\"yield\", «\"unlock l\"», \"lock l\"]"),
            "`unlock l` in a list of `t` that has not taken it",
        ),
        (
            ops("[\"lock l\", \"unlock l\", «\"lock l\"»]"),
            "`lock l` in a list of `t` that keeps it: expected `unlock l` after it",
        ),
        (
            two(
                "locks = [\"l\"]",
                "in-cleanup = [«\"lock l\"»]",
                "[\"lock l\", \"unlock l\"]",
            ),
            "`lock l` in a list of `c` that keeps it",
        ),
        // On what.
        (
            ops("[\"register c\", «\"wait d\"»]"),
            "`wait d` names no module: expected one of c, p",
        ),
        (
            client("in-drop = [«\"unload d\"»]"),
            "`unload d` names no module: expected one of c, p",
        ),
        (
            ops("[«\"set f\"»]"),
            "`set f` names no event: expected one of e",
        ),
        (
            client("in-detach = [«\"await e\"»]"),
            "`await e` names no event: expected it in `events = [...]`",
        ),
        (
            ops("[«\"await e\"»]"),
            "`await e`: nobody sets it: expected `set e` somewhere",
        ),
        (
            ops("[«\"dispatch c\"»]"),
            "`dispatch c`: expected a module with detach = \"rundown\"",
        ),
        (
            two("before = [\"own c\"]", "", "[«\"register c\"»]"),
            "`register c`: `c` is registered with `own` elsewhere",
        ),
        (
            ops("[«\"leave c\"»]"),
            "`leave c`: expected a module that is registered with `own c`",
        ),
        (
            ops("[«\"release c\"»]"),
            "`release c`: expected a module that is registered with `own c`",
        ),
        (
            two(
                "before = [\"own c\"]",
                "",
                "[«\"leave c\"», \"deregister c\"]",
            ),
            "`leave c` beside `deregister c`: nobody could tell which of the two was accepted",
        ),
        (
            ops("[«\"attach p\"»]"),
            "`attach p`: expected a client, which attaches",
        ),
    ]
}

/// The text without its marks, and where they stood: line, column, and how many characters are between them.
fn marked(text: &str) -> (String, (usize, usize, usize)) {
    let (before, rest) = text.split_once('«').expect("a mark");
    let (meant, after) = rest.split_once('»').expect("another mark");
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&it| it != '\n').count() + 1;
    let place = (line, column, meant.chars().count());
    (format!("{before}{meant}{after}"), place)
}

#[test]
fn each_misuse_is_told_with_its_line_and_column() {
    for (text, words) in misuses() {
        let (text, (line, column, width)) =
            marked(&format!("name = \"s\"\nsummary = \"s\"\n{text}"));
        let error = Scenario::from_toml(Path::new("s.toml"), &text);
        let error = error.map(|_| ()).expect_err(words);
        let told = error.to_string();
        let expected = format!("s.toml:{line}:{column}: {words}");
        assert!(told.starts_with(&expected), "{told}\nand not\n{expected}");
        let excerpt = error.excerpt().expect("it is known where");
        let carets = format!(" | {}{}\n", " ".repeat(column - 1), "^".repeat(width));
        assert!(excerpt.ends_with(&carets), "{words}:\n{excerpt}");
    }
}

#[test]
fn what_is_next_to_a_misuse_is_none() {
    for right in [
        two(
            "events = [\"e\"]",
            "in-detach = [\"await e\"]",
            "[\"set e\"]",
        ),
        two(
            "locks = [\"l\"]\nspin-locks = [\"l\"]",
            "",
            "[\"lock l\", \"unlock l\", \"unload c\"]",
        ),
        two(
            "strict = true\nplatform = \"windows\"",
            "peers = [\"p\"]",
            "[\"yield\", \"complete-all\"]",
        ),
        two("before = [\"own c\"]", "", "[\"leave c\", \"attach c\"]"),
    ] {
        assert_eq!(complaint(&right), "none", "{right}");
    }
}
