//! A deadlock's report says of a thread that sleeps which notifications have woken it, and what it did with each.

use std::sync::Arc;

use nmr_explorer::{Explorer, Replayed, Report, Then, Violation, Waits, WakeUps};
use nmr_sync::{Condvar, Mutex, mark, thread};

use super::programs::found;

/// This place, in a line that is further down by `down`, or up.
macro_rules! place {
    ($down:expr) => {
        format!("{}:{}:", file!(), line!() as i32 + $down)
    };
}

fn check(program: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::builder().check(program)
}

/// What the only thread that sleeps was sent.
fn heard(report: &Report) -> &WakeUps {
    let Violation::Deadlock(deadlock) = &found(report).violation else {
        panic!("{report}");
    };
    let mut heard = deadlock
        .blocked
        .iter()
        .filter_map(|blocked| match &blocked.waits {
            Waits::Notification { heard, .. } => Some(heard),
            _ => None,
        });
    let only = heard.next().expect("a thread sleeps");
    assert!(heard.next().is_none(), "{report}");
    only
}

#[derive(Default)]
struct Gate(Mutex<u32>, Condvar);

impl Gate {
    /// Sleeps, in this one place, as long as fewer have come.
    fn wait(&self, number: u32) {
        let mut come = self.0.lock();
        while *come < number {
            self.1.wait(&mut come);
        }
    }

    /// One more comes.
    fn come(&self) {
        *self.0.lock() += 1;
        self.1.notify_one();
    }
}

/// The main thread sleeps at the gate, and other threads do this, each when the last one is over.
fn sleeps_at(number: u32, others: &'static [fn(&Gate)]) -> impl Fn() + Send + Sync + 'static {
    move || {
        let gate: Arc<Gate> = Arc::default();
        let own = gate.clone();
        let coming = thread::spawn(move || {
            for other in others {
                let gate = own.clone();
                let next = thread::Builder::new().name("next".to_owned());
                let next = next.spawn(move || other(&gate)).unwrap();
                next.join().unwrap();
            }
        });
        gate.wait(number);
        coming.join().unwrap();
    }
}

/// The first execution, in which the main thread sleeps as soon as it can, and is woken before anybody else goes on.
fn first(program: impl Fn() + Send + Sync + 'static) -> Report {
    let report = check(program);
    assert_eq!(found(&report).preemptions, 0, "{report}");
    report
}

#[test]
fn each_notification_is_told_with_its_sender_its_place_and_what_came_of_it() {
    let (notifies, comes) = (place!(3), place!(-31));
    fn knocks(gate: &Gate) {
        mark(&"knock");
        gate.1.notify_all();
    }
    let report = first(sleeps_at(2, &[knocks, Gate::come]));
    let heard = heard(&report);
    assert_eq!((heard.count, heard.missed.as_ref()), (2, None), "{report}");
    let [knock, come] = &heard.last[..] else {
        panic!("{report}");
    };
    let senders = [&knock.sent, &come.sent].map(|sent| (&*sent.by, sent.after.as_deref()));
    assert_eq!(senders, [("next", Some("`knock`")), ("next#2", None)]);
    assert!(knock.sent.from.starts_with(&notifies), "{report}");
    assert!(come.sent.from.starts_with(&comes), "{report}");
    assert_eq!([knock.then, come.then], [Then::SleptAgain; 2], "{report}");
    let message = found(&report).message();
    let told = format!(
        ": it was woken twice, and nobody is left to notify it again\n    \
         by thread next from {} after `knock`: it looked and slept again at the same wait\n    \
         by thread next#2 from {}: it looked and slept again at the same wait\n",
        knock.sent.from, come.sent.from
    );
    assert!(format!("{message}\n").contains(&told), "{message}");
}

#[test]
fn who_went_on_with_a_notification_and_slept_again_later_is_told_so() {
    let report = first(|| {
        let gate: Arc<Gate> = Arc::default();
        let other = gate.clone();
        let coming = thread::spawn(move || other.come());
        gate.wait(1);
        coming.join().unwrap();
        gate.wait(2);
    });
    let heard = heard(&report);
    assert_eq!(heard.count, 1, "{report}");
    assert_eq!(heard.last[0].then, Then::WentOn, "{report}");
    assert!(
        found(&report).message().ends_with(": it went on"),
        "{report}"
    );
}

#[test]
fn who_sleeps_elsewhere_without_a_release_went_on() {
    let report = first(|| {
        let gate: Arc<Gate> = Arc::default();
        let other = gate.clone();
        let coming = thread::spawn(move || other.come());
        let mut come = gate.0.lock();
        gate.1.wait(&mut come);
        gate.1.wait(&mut come);
        drop(come);
        coming.join().unwrap();
    });
    let heard = heard(&report);
    assert_eq!(heard.count, 1, "{report}");
    assert_eq!(heard.last[0].then, Then::WentOn, "{report}");
}

#[test]
fn a_notification_that_comes_while_a_woken_thread_looks_is_one_that_it_missed() {
    let report = check(|| {
        let gate: Arc<Gate> = Arc::default();
        let other = gate.clone();
        let coming = thread::spawn(move || {
            other.come();
            // Without the mutex.
            other.1.notify_one();
        });
        let mut come = gate.0.lock();
        for _ in 0..2 {
            gate.1.wait(&mut come);
        }
        drop(come);
        coming.join().unwrap();
    });
    let heard = heard(&report);
    assert_eq!(heard.count, 1, "{report}");
    assert_eq!(heard.last[0].then, Then::SleptAgain, "{report}");
    assert!(heard.missed.is_some(), "{report}");
    let message = found(&report).message();
    let last = message.lines().last().expect("a line");
    assert!(
        last.starts_with("    then it missed the notification that thread 1 sent from ")
            && last.ends_with(" when nobody slept"),
        "{message}"
    );
}

#[test]
fn what_was_missed_before_a_thread_was_woken_is_not_told() {
    let report = first(|| {
        let gate: Arc<Gate> = Arc::default();
        // Nobody sleeps.
        gate.1.notify_one();
        let other = gate.clone();
        let coming = thread::spawn(move || other.come());
        gate.wait(2);
        coming.join().unwrap();
    });
    let heard = heard(&report);
    assert_eq!((heard.count, heard.missed.as_ref()), (1, None), "{report}");
}

#[test]
fn only_the_last_notifications_are_told_of_many() {
    const COMES: [fn(&Gate); 6] = [Gate::come; 6];
    let report = first(sleeps_at(7, &COMES));
    let heard = heard(&report);
    assert_eq!((heard.count, heard.last.len()), (6, WakeUps::MOST));
    let last = heard.last.last().expect("there are some");
    assert_eq!(last.sent.by, "next#6", "{report}");
    let told = format!("woken 6 times (the last {} are told), and", WakeUps::MOST);
    assert!(found(&report).message().contains(&told), "{report}");
}

#[test]
fn as_data_there_is_all_of_it() {
    let report = first(sleeps_at(2, &[Gate::come]));
    let data = serde_json::to_value(&report).expect("it is data");
    let blocked = &data["verdict"]["violated"]["violation"]["deadlock"]["blocked"];
    let main = blocked.as_array().expect("a list");
    let main = main.iter().find(|blocked| blocked["thread"] == "main");
    let heard = &main.expect("it sleeps")["waits"]["notification"]["heard"];
    assert_eq!(heard["count"], 1, "{data:#}");
    assert_eq!(heard["last"][0]["by"], "next", "{data:#}");
    assert_eq!(heard["last"][0]["then"], "slept-again", "{data:#}");
    assert!(heard["missed"].is_null(), "{data:#}");
}

#[test]
fn a_schedule_that_is_followed_tells_the_same() {
    let program = || sleeps_at(2, &[Gate::come]);
    let report = first(program());
    let found = found(&report);
    let Replayed::Violated(again) =
        Explorer::replay(program(), &found.schedule.condensed()).outcome
    else {
        panic!("{report}");
    };
    assert_eq!(again.violation, found.violation);
}
