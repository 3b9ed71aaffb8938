//! Who owes what and who waits for whom in a standstill, and what is left at an end.

use super::{ATTACHED, C_LEAVES, P_GOES, WAIT_C, history, judge, oracle, pair, reg};
use crate::event::Refusal;
use crate::event::Side;
use crate::message::{Message, message};
use crate::oracle::{Debtor, HeldUp, Leftover, Missing, Oracle, Outside, Scripts};

const C_PENDING: &str =
    "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } complete; < pending";
const X: &str = "1: > register x; < registered; > register y; { attach x:xy; > attach xy; { attach y:xy; } success; \
     < attached; } success; < registered";
const X_PENDING: &str =
    "2: > deregister x; { detach x:xy; } pending; { detach y:xy; } pending; < pending";

/// Each completion is owed by the thread beside it.
#[derive(Default)]
struct Scripted {
    owed: Vec<(&'static str, Side, u8)>,
    uncalled: bool,
    held_up: Option<(u8, HeldUp)>,
    spin: bool,
    /// What is waited for beside the registrar.
    outside: Vec<Awaited>,
}

/// A thread, what it waits for, and who would do that or has it.
type Awaited = (u8, &'static str, Option<(u8, &'static str)>);

impl Scripts for Scripted {
    fn debtors(&self, missing: Missing) -> Vec<Debtor> {
        let owed = self.owed.iter();
        let owed = owed.filter(|(of, side, _)| (pair(of), *side) == (missing.pair, missing.side));
        let debtor = |&(_, _, thread): &(_, _, u8)| Debtor {
            thread,
            with: "`complete` still to do".into(),
        };
        owed.map(debtor).collect()
    }

    fn uncalled(&self, missing: Missing) -> Vec<Message> {
        let owner = missing.owner();
        let callback = self
            .uncalled
            .then(|| message![{owner} "'s callback has it"]);
        callback.into_iter().collect()
    }

    fn outside(&self, thread: u8) -> Option<Outside> {
        let mut outside = self.outside.iter();
        let &(_, what, by) = outside.find(|&&(it, ..)| it == thread)?;
        let debtor = |(thread, with): (u8, &str)| Debtor {
            thread,
            with: with.into(),
        };
        Some(Outside {
            what: what.into(),
            debtors: by.map(debtor).into_iter().collect(),
            uncalled: Vec::new(),
        })
    }

    fn held_up(&self, thread: u8) -> Option<HeldUp> {
        let (held_up, why) = self.held_up?;
        (held_up == thread).then_some(why)
    }

    fn doing(&self, thread: u8) -> Option<Message> {
        (thread == 3).then(|| "`complete-all`".into())
    }

    fn spin(&self) -> bool {
        self.spin
    }
}

fn seen(lines: &[&str]) -> Oracle {
    let mut oracle = oracle(lines);
    for step in history(lines) {
        assert_eq!(judge(&mut oracle, &step), None);
    }
    oracle
}

/// What is said of a standstill, line by line.
fn told(lines: &[&str], scripts: &Scripted, blocked: &[u8]) -> Vec<String> {
    let violation = seen(lines).stuck_in(scripts, blocked);
    let text = violation.message.to_string();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_ring_goes_over_two_completions_and_ends_where_it_began() {
    let scripts = Scripted {
        owed: vec![
            ("cp", Side::Client, 2),
            ("xy", Side::Client, 1),
            ("xy", Side::Provider, 3),
        ],
        ..Scripted::default()
    };
    let waits = "1: > wait c\n2: > wait x";
    let lines = [ATTACHED, X, C_PENDING, X_PENDING, waits];
    assert_eq!(
        told(&lines, &scripts, &[1, 2, 3]),
        [
            "the threads cannot go on: the client of m0–m2, the client of m4–m5 and the provider of m4–m5 answered \
             pending and never sent their completions (the modules' fault, not the registrar's); thread 1 is inside \
             wait for m0; thread 2 is inside wait for m4; thread 3 is inside `complete-all`",
            "m0 owes the completion of m0–m2: thread 2 has `complete` still to do, and is inside wait for m4",
            "m4 owes the completion of m4–m5: thread 1 has `complete` still to do, and is inside wait for m0",
            "m5 owes the completion of m4–m5: thread 3 has `complete` still to do, and is inside `complete-all`",
            "a ring: thread 1 waits for m0's completion of m0–m2, owed by thread 2, which waits for m4's completion \
             of m4–m5, owed by thread 1",
        ]
    );
}

#[test]
fn a_thread_that_is_held_up_is_part_of_the_ring() {
    let lines = [ATTACHED, C_PENDING, "1: > wait c"];
    for (thread, why, instead, then) in [
        (
            0,
            HeldUp::Joining,
            "waits for the other threads to end",
            "waits for the end of thread 1",
        ),
        (
            2,
            HeldUp::Unstarted,
            "has not begun",
            "waits to be started by thread 0",
        ),
    ] {
        let scripts = Scripted {
            owed: vec![("cp", Side::Client, thread)],
            held_up: Some((thread, why)),
            ..Scripted::default()
        };
        let told = told(&lines, &scripts, &[1]);
        assert!(
            told[1].ends_with(&format!("still to do, and {instead}")),
            "{told:?}"
        );
        let ring = told.get(2);
        // It is the main thread that starts others, and that is not what is blocked here.
        let expected = (why == HeldUp::Joining).then(|| {
            format!("a ring: thread 1 waits for m0's completion of m0–m2, owed by thread {thread}, which {then}")
        });
        assert_eq!(ring, expected.as_ref());
    }
}

#[test]
fn callbacks_that_were_not_called_owe_what_no_thread_does() {
    let lines = [ATTACHED, C_PENDING, "1: > wait c"];
    let mut scripts = Scripted {
        uncalled: true,
        ..Scripted::default()
    };
    let uncalled = "m0 owes the completion of m0–m2: m0's callback has it, and was not called";
    assert_eq!(told(&lines, &scripts, &[1])[1..], [uncalled]);
    scripts.uncalled = false;
    let nobody = "m0 owes the completion of m0–m2: no thread has it still to do";
    assert_eq!(told(&lines, &scripts, &[1])[1..], [nobody]);
}

#[test]
fn a_wait_that_hangs_on_nothing_is_a_lost_wake_up_whatever_else_is_missing() {
    let lines = [
        "1: > register d; < registered; > deregister d; < pending",
        ATTACHED,
        C_PENDING,
        "1: > wait c\n2: > wait d",
    ];
    let told = told(&lines, &Scripted::default(), &[1, 2]);
    assert!(told[0].contains("a wake-up was lost"), "{told:?}");
}

#[test]
fn a_livelock_is_no_lost_wake_up() {
    let lines = [ATTACHED, C_LEAVES, "1: > wait c"];
    let scripts = Scripted {
        spin: true,
        ..Scripted::default()
    };
    let spinning = told(&lines, &scripts, &[1]);
    let expected = "the threads go on for ever, and nothing changes: nothing is missing that a call could wait for: \
        somebody looks again and again, and does not see it; thread 1 is inside wait for m0";
    assert_eq!(spinning, [expected]);
    let asleep = told(&lines, &Scripted::default(), &[1]);
    assert!(asleep[0].ends_with("a wake-up was lost; thread 1 is inside wait for m0"));
}

#[test]
fn a_call_inside_which_a_thread_waits_is_part_of_the_ring() {
    let x = "1: > register x; < registered
        3: > deregister x; < pending";
    let in_drop = "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete; { cleanup c:cp; } success; \
         { cleanup p:cp; } success; drop c:cp; drop p:cp; > wait c";
    let told = told(&[ATTACHED, x, in_drop], &Scripted::default(), &[1]);
    let ring = "a ring: thread 1 waits for m0 and so for `deregister m0`, inside which is thread 1";
    assert_eq!(told[1..], [ring]);
}

#[test]
fn what_nobody_asked_to_end_is_left() {
    let c = Leftover::Registration(reg('c').module);
    let p = Leftover::Registration(reg('p').module);
    let left = |lines: &[&str]| Vec::from_iter(seen(lines).left());
    assert_eq!(left(&[ATTACHED]), [(c, 1), (p, 1)]);
    assert_eq!(
        left(&[ATTACHED, "1: > register C; drop C; < no-memory"]),
        [(c, 1), (p, 1)]
    );
    let unwaited = Leftover::Unwaited(reg('c').module);
    assert_eq!(left(&[ATTACHED, C_LEAVES]), [(p, 1), (unwaited, 1)]);
    assert_eq!(left(&[ATTACHED, C_LEAVES, WAIT_C, P_GOES]), []);
    let detach = Leftover::Detach(reg('c').module, reg('p').module);
    assert_eq!(
        left(&[ATTACHED, C_PENDING]),
        [(p, 1), (unwaited, 1), (detach, 1)]
    );
    let completed = "1: > complete c:cp; { cleanup c:cp; } success; { cleanup p:cp; } success; drop c:cp; drop p:cp; \
         < done";
    assert_eq!(
        left(&[ATTACHED, C_PENDING, completed]),
        [(p, 1), (unwaited, 1)]
    );
    let refused =
        "1: > deregister -; < invalid; refused deregister c; > wait -; < invalid; refused wait c";
    let of_c = |refusal| (Leftover::Refused(reg('c').module, refusal), 1);
    assert_eq!(
        left(&[refused]),
        [of_c(Refusal::Deregister), of_c(Refusal::Wait)]
    );
    let released = "1: > release c; { detach c:cp; } complete; { detach p:cp; } complete; { cleanup c:cp; } success; \
         { cleanup p:cp; } success; drop c:cp; drop p:cp; drop c; < done";
    assert_eq!(left(&[ATTACHED, released]), [(p, 1)]);
}

const IN_DETACH: &str = "1: > deregister c; { detach c:cp";

#[test]
fn a_callback_that_waits_for_what_its_own_thread_does_later_is_a_ring_and_nothing_of_the_registrars()
 {
    let scripts = Scripted {
        outside: vec![(1, "event `over`", Some((1, "`set over` still to do")))],
        ..Scripted::default()
    };
    let told = told(&[ATTACHED, IN_DETACH], &scripts, &[1]);
    assert!(told[0].contains("the threads wait for each other, in what the modules do"));
    assert_eq!(
        told[1..],
        ["a ring: thread 1 waits for event `over`, and thread 1 has `set over` still to do"]
    );
}

#[test]
fn a_ring_goes_over_a_lock_and_a_call_of_the_registrar() {
    let scripts = Scripted {
        outside: vec![(1, "lock `own`", Some((2, "lock `own`")))],
        ..Scripted::default()
    };
    // The one that has the lock waits for the client, whose callback waits for the lock.
    let told = told(&[ATTACHED, IN_DETACH, "2: > wait c"], &scripts, &[1, 2]);
    assert_eq!(
        told[1..],
        [
            "a ring: thread 1 waits for lock `own`, which thread 2 has, which waits for m0 and so for the client's \
             detach callback for m0–m2, inside which is thread 1"
        ]
    );
}

#[test]
fn what_nobody_does_any_more_is_the_modules_fault() {
    let scripts = Scripted {
        outside: vec![(2, "event `over`", None)],
        ..Scripted::default()
    };
    let told = told(&[ATTACHED], &scripts, &[2]);
    let why = "thread 2 waits for event `over`, and no thread has it still to do (the modules' fault, not the \
               registrar's)";
    assert!(told[0].contains(why), "{told:?}");
}

#[test]
fn a_detach_that_is_missing_is_told_although_a_thread_waits_for_what_it_would_do() {
    let scripts = Scripted {
        outside: vec![(2, "event `detached`", None)],
        ..Scripted::default()
    };
    let seen = seen(&[ATTACHED, "1: > deregister c; < pending; > wait c"]);
    let violation = seen.stuck_in(&scripts, &[1, 2]);
    assert_eq!(violation.rule, crate::rule::Rule::new(7));
}

/// A destructor inside the deregister call of the client.
const IN_DESTRUCTOR: &str = "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete; { cleanup c:cp; } success; \
     { cleanup p:cp; } success; drop c:cp";

#[test]
fn a_destructor_that_waits_for_what_nobody_does_is_the_modules_fault() {
    let scripts = Scripted {
        outside: vec![(1, "event `over`", None)],
        ..Scripted::default()
    };
    let told = told(&[ATTACHED, IN_DESTRUCTOR], &scripts, &[1]);
    let why = "thread 1 waits for event `over`, and no thread has it still to do (the modules' fault, not the \
               registrar's)";
    assert!(told[0].contains(why), "{told:?}");
}

#[test]
fn a_destructor_inside_a_callbacks_call_that_waits_outside_is_no_call_that_does_not_return() {
    let scripts = Scripted {
        outside: vec![(1, "event `over`", None)],
        ..Scripted::default()
    };
    let attaching = "1: > register x; < registered; > register y; { attach x:xy";
    let inside = IN_DESTRUCTOR.trim_start_matches("1: ");
    let seen = seen(&[ATTACHED, &format!("{attaching}; {inside}")]);
    let violation = seen.stuck_in(&scripts, &[1]);
    assert_eq!(violation.rule, crate::rule::Rule::new(16));
}

#[test]
fn a_ring_goes_over_the_call_that_a_destructor_is_inside_of() {
    let scripts = Scripted {
        outside: vec![(1, "event `over`", Some((2, "`set over` still to do")))],
        ..Scripted::default()
    };
    let told = told(&[ATTACHED, IN_DESTRUCTOR, "2: > wait c"], &scripts, &[1, 2]);
    assert_eq!(
        told[1..],
        [
            "a ring: thread 1 waits for event `over`, and thread 2 has `set over` still to do, which waits for m0 and \
             so for `deregister m0`, inside which is thread 1"
        ]
    );
}

#[test]
fn a_completion_whose_call_has_not_returned_is_not_missing() {
    let scripts = Scripted {
        outside: vec![(2, "event `over`", Some((1, "`set over` still to do")))],
        ..Scripted::default()
    };
    let completing = "2: > complete c:cp; { cleanup c:cp";
    let lines = [ATTACHED, C_PENDING, "1: > wait c", completing];
    let told = told(&lines, &scripts, &[1, 2]);
    assert_eq!(
        told[1..],
        [
            "a ring: thread 1 waits for m0 and so for the client's cleanup callback for m0–m2, inside which is thread 2, \
             which waits for event `over`, and thread 1 has `set over` still to do"
        ]
    );
}
