//! Hand-written histories: good ones that the oracle must accept, and for each rule bad ones close
//! to them, which it must reject by exactly that rule and no earlier than at their last event.
//!
//! This file is their notation; see [`history`].

mod attaching;
mod concurrency;
mod destructors;
mod detaching;
mod lifetimes;
mod limits;
mod modules;
mod settled;
mod standstill;
mod terms;
mod words;

use super::{Oracle, Violation};
use crate::event::{
    Answer, Call, Callback, CallbackKind, Deed, Event, Pair, Quiet, Refusal, RegId, Reply, Side,
    Thing, What,
};
use crate::rule::Rule;
use crate::scenario::{Limits, Platform, Scenario};

/// c registers, then p, and they attach.
const ATTACHED: &str = "1: > register c; < registered; > register p; { attach c:cp; > attach cp; \
     { attach p:cp; } success; < attached; } success; < registered";
/// c deregisters; both sides detach at once.
const C_LEAVES: &str = "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete; \
     { cleanup c:cp; } success; { cleanup p:cp; } success; drop c:cp; drop p:cp; < pending";
const WAIT_C: &str = "1: > wait c; drop c; < done";
const P_GOES: &str = "1: > deregister p; < pending; > wait p; drop p; < done";

/// One step of a history.
enum Step {
    Event(Event),
    Quiet(Quiet),
    Stuck(Vec<u8>),
}

/// A registration: `c d` are clients and `p q` providers of interface 1, `x` and `y` a client and a
/// provider of interface 2, `n` a client of the nil interface. A capital is the same module's
/// second registration. `-` is a handle that names nothing.
fn reg(letter: char) -> RegId {
    let module = "cdpqxyn".find(letter.to_ascii_lowercase());
    RegId {
        module: module.unwrap_or_else(|| panic!("no module `{letter}`")) as u8,
        nth: u8::from(letter.is_ascii_uppercase()),
    }
}

fn is_client(letter: char) -> bool {
    "cdxn".contains(letter.to_ascii_lowercase())
}

fn letter(text: &str) -> char {
    text.chars().next().expect("a letter")
}

fn pair(text: &str) -> Pair {
    let mut letters = text.chars().map(reg);
    Pair {
        client: letters.next().expect("a client"),
        provider: letters.next().expect("a provider"),
    }
}

/// `c:cp`: c's side of the pair of c and p.
fn side_of(text: &str) -> (Side, Pair) {
    let (owner, of) = text.split_once(':').expect("`c:cp`");
    let pair = pair(of);
    let side = if pair.client == reg(letter(owner)) {
        Side::Client
    } else {
        Side::Provider
    };
    (side, pair)
}

fn call(verb: &str, target: &str) -> Call {
    let given = (target != "-").then_some(target);
    match verb {
        "register" => {
            let letter = letter(target);
            let side = if is_client(letter) {
                Side::Client
            } else {
                Side::Provider
            };
            let npi = match letter.to_ascii_lowercase() {
                'n' => 0,
                'x' | 'y' => 2,
                _ => 1,
            };
            Call::Register {
                reg: reg(letter),
                side,
                npi,
            }
        }
        "deregister" => Call::Deregister(given.map(|text| reg(letter(text)))),
        "wait" => Call::Wait(given.map(|text| reg(letter(text)))),
        "attach" => Call::AttachProvider(given.map(pair)),
        "release" => Call::Release(reg(letter(target))),
        "complete" => {
            let (side, pair) = given.map_or((Side::Client, None), |text| {
                let (side, pair) = side_of(text);
                (side, Some(pair))
            });
            Call::DetachComplete { side, pair }
        }
        other => panic!("no call `{other}`"),
    }
}

fn answer(text: &str) -> Answer {
    match text {
        "registered" => Answer::Registered,
        "pending" => Answer::Pending,
        "wrong-status" => Answer::WrongStatus,
        "done" => Answer::Done,
        "attached" => Answer::Attached,
        "refused" => Answer::Refused,
        "no-interface" => Answer::NoInterface,
        "no-memory" => Answer::InsufficientResources,
        "invalid" => Answer::InvalidParameter,
        "invalid-state" => Answer::InvalidState,
        "would-deadlock" => Answer::WouldDeadlock,
        "panic" => Answer::Panicked,
        other => panic!("no answer `{other}`"),
    }
}

fn reply(text: &str) -> Reply {
    match text {
        "success" => Reply::Success,
        "failure" => Reply::Failure,
        "complete" => Reply::Complete,
        "pending" => Reply::Pending,
        "panic" => Reply::Panicked,
        other => panic!("no reply `{other}`"),
    }
}

fn callback(kind: &str, target: &str) -> Callback {
    let (side, pair) = side_of(target);
    let kind = match kind {
        "attach" => CallbackKind::Attach,
        "detach" => CallbackKind::Detach,
        "cleanup" => CallbackKind::Cleanup,
        other => panic!("no callback `{other}`"),
    };
    Callback { kind, side, pair }
}

/// `c`, or `c:cp`.
fn thing(target: &str) -> Thing {
    if target.contains(':') {
        let (side, pair) = side_of(target);
        Thing::Context { pair, side }
    } else {
        Thing::Module(reg(letter(target)))
    }
}

fn event(thread: u8, text: &str) -> Event {
    let words: Vec<_> = text.split_whitespace().collect();
    let what = match words[..] {
        [">", verb, target] => What::Call(call(verb, target)),
        ["<", text] => What::Return(answer(text)),
        ["{", kind, target] => What::Begin(callback(kind, target)),
        ["}", text] => What::End(reply(text)),
        ["dispatch", target] => {
            let (by, pair) = side_of(target);
            What::DispatchBegin { pair, by }
        }
        ["dispatched", target] => {
            let (by, pair) = side_of(target);
            What::DispatchEnd { pair, by }
        }
        ["uses-freed", target] => What::UsedAfterFree(thing(target)),
        ["not-ready", target] => What::NotReady {
            reg: reg(letter(target)),
        },
        ["misused", verb, target, text] => What::Misused {
            call: call(verb, target),
            answer: answer(text),
        },
        ["drop", target] | ["destroy", target] => What::Dropped(thing(target)),
        ["destroyed"] => What::Destroyed,
        ["refused", verb, target] => What::Refused {
            module: reg(letter(target)).module,
            refusal: match verb {
                "deregister" => Refusal::Deregister,
                _ => Refusal::Wait,
            },
        },
        ["await"] => What::Did(Deed::Await(0)),
        ["lock"] => What::Did(Deed::Lock(0)),
        ["spin-lock"] => What::Did(Deed::SpinLock(0)),
        ["spin-unlock"] => What::Did(Deed::SpinUnlock(0)),
        ["unload", target] => What::Did(Deed::Unload(reg(letter(target)).module)),
        _ => panic!("no event `{text}`"),
    };
    let anywhere = words[0] == "drop";
    Event {
        thread: (!anywhere).then_some(thread),
        what,
    }
}

/// Reads lines: `1: event; event` of a thread (`> call x`, `< answer`, `{ callback c:cp`, `} reply`,
/// `dispatch c:cp`, `dispatched c:cp`, `drop c`, `drop c:cp`, `destroy c:cp` and `destroyed` where a destructor does something, `uses-freed c`, `uses-freed c:cp`, `not-ready c`,
/// `misused x y answer`, `refused deregister c`, `await`, `lock`, `spin-lock`, `spin-unlock`, `unload c`), and at the end `quiet`, `quiet leaked c:cp`,
/// `quiet undrained`, `quiet registrations bindings`, or `stuck thread thread`. Lines of limits and of what is in
/// force are read by [`oracle`].
fn history(lines: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in lines.iter().flat_map(|lines| lines.lines()).map(str::trim) {
        let words: Vec<_> = line.split_whitespace().collect();
        let number = |text: &&str| text.parse::<usize>().expect("a number");
        match words[..] {
            [] | ["limits", ..] | ["strict"] | ["windows"] => {}
            ["quiet", ref rest @ ..] => {
                let drained = rest != ["undrained"];
                let leaked = match rest {
                    ["leaked", target] => {
                        let (side, pair) = side_of(target);
                        Some((pair, side))
                    }
                    _ => None,
                };
                let counted = drained && leaked.is_none();
                let counts: Vec<_> = rest.iter().filter(|_| counted).map(number).collect();
                steps.push(Step::Quiet(Quiet {
                    registrations: counts.first().copied().unwrap_or(0),
                    bindings: counts.get(1).copied().unwrap_or(0),
                    instances: counts.get(2).copied().unwrap_or(0),
                    drained,
                    leaked,
                }));
            }
            ["stuck", ref threads @ ..] => {
                steps.push(Step::Stuck(
                    threads.iter().map(|it| number(it) as u8).collect(),
                ));
            }
            _ => {
                let (thread, events) = line.split_once(':').expect("`thread: events`");
                let thread = thread.parse().expect("a thread's number");
                let events = events
                    .split(';')
                    .map(|text| Step::Event(event(thread, text)));
                steps.extend(events);
            }
        }
    }
    steps
}

/// An oracle of a registrar with the limits in the first line, if it is one of them: `limits`, and then
/// `registrations n`, `bindings n`, `fail k`, as many of these as there are limits. Or of a scenario, if the first line is `strict` or
/// `windows`.
fn oracle(lines: &[&str]) -> Oracle {
    let mut scenario = Scenario::default();
    match lines.first() {
        Some(&"strict") => scenario.strict = true,
        Some(&"windows") => scenario.platform = Some(Platform::Windows),
        _ => {}
    }
    if !scenario.terms().is_plain() {
        return Oracle::of_scenario(&scenario);
    }
    let Some(text) = lines.first().and_then(|line| line.strip_prefix("limits")) else {
        return Oracle::new();
    };
    let mut limits = Limits::default();
    let words: Vec<_> = text.split_whitespace().collect();
    for pair in words.chunks(2) {
        let number = pair[1].parse().ok();
        match pair[0] {
            "registrations" => limits.max_registrations = number,
            "bindings" => limits.max_bindings = number,
            "fail" => limits.fail_reservation = number,
            other => panic!("no limit `{other}`"),
        }
    }
    Oracle::with_limits(limits)
}

fn judge(oracle: &mut Oracle, step: &Step) -> Option<Violation> {
    match step {
        Step::Event(event) => oracle.step(event),
        Step::Quiet(quiet) => oracle.quiet(quiet),
        Step::Stuck(blocked) => Some(oracle.stuck(blocked)),
    }
}

/// The oracle accepts the history, and the rule could have failed in it.
#[track_caller]
fn holds(rule: u8, lines: &[&str]) {
    holds_by(Rule::new(rule), lines);
}

#[track_caller]
fn holds_by(rule: Rule, lines: &[&str]) {
    let mut oracle = oracle(lines);
    for (at, step) in history(lines).iter().enumerate() {
        if let Some(violation) = judge(&mut oracle, step) {
            panic!("step {at}: {violation}");
        }
    }
    let exercised = oracle.exercised()[rule.index()];
    assert!(exercised > 0, "{rule} was never put to the test");
}

/// The oracle rejects the history at its last step, by this rule.
#[track_caller]
fn breaks(rule: u8, lines: &[&str]) {
    breaks_by(Rule::new(rule), lines);
}

#[track_caller]
fn breaks_by(rule: Rule, lines: &[&str]) {
    let mut oracle = oracle(lines);
    let steps = history(lines);
    let last = steps.len() - 1;
    for (at, step) in steps.iter().enumerate() {
        match judge(&mut oracle, step) {
            Some(violation) if at < last => panic!("step {at} of {last} already: {violation}"),
            Some(violation) => assert_eq!(violation.rule, rule, "{violation}"),
            None => assert!(at < last, "nothing was found"),
        }
    }
}

/// Both histories leave the oracle in equal states.
#[track_caller]
fn same_state(one: &[&str], other: &[&str]) {
    let [one, other] = [one, other].map(|lines| {
        let mut oracle = oracle(lines);
        for step in history(lines) {
            assert_eq!(judge(&mut oracle, &step), None);
        }
        oracle
    });
    assert_eq!(one, other);
}
