//! A schedule: who goes on where, by names that people read and that outlive a change of the code.
//!
//! A step names a thread and the operation before which it has stopped, by what the operation does, on which
//! object, and how often the thread has done the like since the last [mark](nmr_sync::mark). So it needs
//! neither the search that found it nor what that knew: who follows it lets a thread run until it comes to
//! the operation that its next step names. It says nothing of the program; [`follow`](crate::checker::follow) carries it out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a thread does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It takes its first step.
    Begin,
    /// It takes a mutex.
    Acquire,
    /// It takes a mutex if it is free.
    TryAcquire,
    /// It releases a mutex that others try to take.
    Release,
    /// It takes its mutex again, woken by a notification.
    Reacquire,
    /// It takes its mutex again, woken by nobody.
    Wake,
    /// It wakes one sleeping thread.
    NotifyOne,
    /// It wakes all sleeping threads.
    NotifyAll,
    /// It chooses one of several values.
    Choose,
    /// It has let others go on.
    Linger,
    /// It reads an atomic.
    Load,
    /// It updates an atomic.
    Update,
    /// It waits for the end of another thread.
    Join,
    /// It has let others go first.
    Yield,
}

const ACTIONS: [(Action, &str); 14] = [
    (Action::Begin, "begin"),
    (Action::Acquire, "acquire"),
    (Action::TryAcquire, "try-acquire"),
    (Action::Release, "release"),
    (Action::Reacquire, "reacquire"),
    (Action::Wake, "wake"),
    (Action::NotifyOne, "notify-one"),
    (Action::NotifyAll, "notify-all"),
    (Action::Choose, "choose"),
    (Action::Linger, "linger"),
    (Action::Load, "load"),
    (Action::Update, "update"),
    (Action::Join, "join"),
    (Action::Yield, "yield"),
];

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, word) = ACTIONS
            .iter()
            .find(|(action, _)| action == self)
            .ok_or(fmt::Error)?;
        f.write_str(word)
    }
}

/// A place that the program has [named](nmr_sync::mark), and which of the visits to it, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Mark {
    /// Its name. Line breaks and backticks in it are written as `_`.
    pub place: String,
    /// Which visit of this thread.
    pub nth: u32,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.place)?;
        match self.nth {
            1 => Ok(()),
            nth => write!(f, " #{nth}"),
        }
    }
}

/// Which of several outcomes an operation has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The value that is chosen, from 0.
    Chosen(u32),
    /// The thread that is woken.
    Woken(String),
}

/// One choice: a thread goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub struct Step {
    /// The thread.
    pub thread: String,
    /// What it does when it goes on.
    pub action: Action,
    /// With which object, if with one: its type, with its number among those of that type that one thread has
    /// made. The maker stands before it unless that is the main thread.
    pub object: Option<String>,
    /// How often it has done that since `after`, this time included.
    pub nth: u32,
    /// The last place that it has named.
    pub after: Option<Mark>,
    /// What comes of it, where that is not determined.
    pub outcome: Option<Outcome>,
}

impl Step {
    /// Whether a thread is at the same place, whatever comes of its operation.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.object == other.object && self.is_like(other)
    }

    /// Whether a thread is at the same place but for the names of objects.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.action, self.nth, &self.after) == (other.action, other.nth, &other.after)
            && self.thread == other.thread
    }

    /// Without its thread and its outcome.
    fn place(&self) -> impl fmt::Display + '_ {
        struct Place<'a>(&'a Step);
        impl fmt::Display for Place<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let step = self.0;
                write!(f, "{}", step.action)?;
                if let Some(object) = &step.object {
                    write!(f, " {object}")?;
                }
                if step.nth != 1 {
                    write!(f, " #{}", step.nth)?;
                }
                match &step.after {
                    None => Ok(()),
                    Some(mark) => write!(f, " after {mark}"),
                }
            }
        }
        Place(self)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.thread, self.place())?;
        match &self.outcome {
            None => Ok(()),
            Some(Outcome::Chosen(value)) => write!(f, " -> {value}"),
            Some(Outcome::Woken(thread)) => write!(f, " -> {thread}"),
        }
    }
}

impl From<Step> for String {
    fn from(step: Step) -> Self {
        step.to_string()
    }
}

/// A text that is no step of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no step of a schedule: {wrong}; expected `thread: action object #n after `place` #n -> outcome`, \
     as `other: acquire Mutex<Table>.1 after `deregister c``"
)]
pub struct NoStep {
    text: String,
    wrong: String,
}

impl NoStep {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for Step {
    type Error = NoStep;

    fn try_from(text: String) -> Result<Self, NoStep> {
        text.parse()
    }
}

impl FromStr for Step {
    type Err = NoStep;

    fn from_str(text: &str) -> Result<Self, NoStep> {
        parse(text).map_err(|wrong| NoStep {
            text: text.to_owned(),
            wrong,
        })
    }
}

fn parse(text: &str) -> Result<Step, String> {
    let (thread, rest) = text.split_once(": ").ok_or("it names no thread")?;
    let word = rest.split(' ').next().unwrap_or_default();
    let action = ACTIONS.iter().find(|(_, known)| *known == word);
    let &(action, _) = action.ok_or_else(|| format!("there is no action `{word}`"))?;
    let rest = &rest[word.len()..];
    let (operation, after, rest) = match rest.split_once(" after `") {
        None => match rest.split_once(" -> ") {
            None => (rest, None, None),
            Some((operation, outcome)) => (operation, None, Some(outcome)),
        },
        Some((operation, rest)) => {
            let (place, rest) = rest.split_once('`').ok_or("a place has no end")?;
            let (nth, outcome) = match rest.split_once(" -> ") {
                None => (rest, None),
                Some((nth, outcome)) => (nth, Some(outcome)),
            };
            let mark = Mark {
                place: place.to_owned(),
                nth: ordinal(nth)?,
            };
            (operation, Some(mark), outcome)
        }
    };
    let (object, nth) = match operation.split_once(" #") {
        None => (operation, 1),
        Some((object, _)) => (object, ordinal(&operation[object.len()..])?),
    };
    let object = object.strip_prefix(' ').filter(|object| !object.is_empty());
    let outcome = rest.map(|outcome| match outcome.parse() {
        Ok(value) if action != Action::NotifyOne => Outcome::Chosen(value),
        _ => Outcome::Woken(outcome.to_owned()),
    });
    Ok(Step {
        thread: thread.to_owned(),
        action,
        object: object.map(str::to_owned),
        nth,
        after,
        outcome,
    })
}

/// ` #n`, or nothing for the first.
fn ordinal(text: &str) -> Result<u32, String> {
    match text.strip_prefix(" #") {
        None if text.is_empty() => Ok(1),
        Some(number) => {
            let number = number.parse().ok().filter(|&number| number > 0);
            number.ok_or_else(|| format!("`{text}` is no ordinal"))
        }
        None => Err(format!("`{text}` is no ordinal")),
    }
}

/// The choices of one execution, by names that people read and that outlive a change of the code.
///
/// Its text form has one step a line. The steps at its end that begin with `stays before` are no choices: they
/// say where threads stood when it was over.
///
/// ```
/// # #[cfg(shuttle)] {
/// use nmr_explorer::Schedule;
///
/// let text = "main: acquire Mutex<i32>.1\nadding: acquire Mutex<i32>.1 #2 after `a call`\n";
/// let schedule: Schedule = text.parse().unwrap();
/// assert_eq!(schedule.threads(), ["main", "adding"]);
/// assert_eq!(schedule.to_string(), text);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub struct Schedule {
    pub(crate) steps: Vec<Step>,
    /// Where threads stood at the end.
    pub(crate) rest: Vec<Step>,
}

const STAYS: &str = "stays before ";

impl Schedule {
    /// The choices, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether it chooses nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The threads in the order in which they go on.
    #[must_use]
    pub fn threads(&self) -> Vec<&str> {
        self.steps.iter().map(|step| &*step.thread).collect()
    }

    /// Only the steps at which another thread goes on than before, or something is chosen: those between are
    /// where a thread runs on by itself. Whoever follows it does the same.
    ///
    /// ```
    /// # #[cfg(shuttle)] {
    /// use nmr_explorer::Schedule;
    ///
    /// let whole: Schedule = "a: load Atomic.1\na: load Atomic.1 #2\nb: load Atomic.1\n".parse().unwrap();
    /// assert_eq!(whole.condensed().to_string(), "a: load Atomic.1\nb: load Atomic.1\n");
    /// # }
    /// ```
    #[must_use]
    pub fn condensed(&self) -> Self {
        let mut before: Option<&str> = None;
        let steps = self.steps.iter().filter(|step| {
            let runs_on = before == Some(&*step.thread) && step.outcome.is_none();
            before = Some(&*step.thread);
            !runs_on || matches!(step.action, Action::Reacquire | Action::Wake)
        });
        Self {
            steps: steps.cloned().collect(),
            rest: self.rest.clone(),
        }
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let rest = self.rest.iter();
        let rest = rest.map(|step| format!("{}: {STAYS}{}", step.thread, step.place()));
        self.steps.iter().map(ToString::to_string).chain(rest)
    }

    fn from_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, NoStep> {
        let mut schedule = Self::default();
        for line in lines {
            let stays = line.split_once(": ").and_then(|(thread, rest)| {
                Some(format!("{thread}: {}", rest.strip_prefix(STAYS)?))
            });
            match stays {
                Some(line) => schedule.rest.push(line.parse()?),
                None => schedule.steps.push(line.parse()?),
            }
        }
        Ok(schedule)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Schedule {
    type Err = NoStep;

    fn from_str(text: &str) -> Result<Self, NoStep> {
        Self::from_lines(text.lines())
    }
}

impl From<Schedule> for Vec<String> {
    fn from(schedule: Schedule) -> Self {
        schedule.lines().collect()
    }
}

impl TryFrom<Vec<String>> for Schedule {
    type Error = NoStep;

    fn try_from(lines: Vec<String>) -> Result<Self, NoStep> {
        Self::from_lines(lines.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_as_it_was_written() {
        for text in [
            "main: begin",
            "a thread: acquire Mutex<Vec<(u32,u8)>>.2 #3 after `c: attach p` #2",
            "1: notify-one Condvar.1 after `wait c` -> 2",
            "1: notify-one Condvar.1 -> leaving, slowly",
            "1: choose #4 after `x -> y` -> 7",
            "1: yield #2",
            "1: linger after `⟨c: detach p⟩`",
        ] {
            let step: Step = text.parse().unwrap();
            assert_eq!(step.to_string(), text, "{step:?}");
        }
        let step: Step = "1: notify-one Condvar.1 -> 2".parse().unwrap();
        assert_eq!(step.outcome, Some(Outcome::Woken("2".to_owned())));
        let step: Step = "1: choose -> 2".parse().unwrap();
        assert_eq!(step.outcome, Some(Outcome::Chosen(2)));
    }

    #[test]
    fn what_is_no_step_is_refused_with_what_is_wrong() {
        let wrong = |text: &str| text.parse::<Step>().unwrap_err().to_string();
        assert!(wrong("acquire").contains("it names no thread"));
        assert!(wrong("a: steal it").contains("there is no action `steal`"));
        assert!(wrong("a: acquire M.1 after `x").contains("a place has no end"));
        assert!(wrong("a: acquire M.1 #0").contains("` #0` is no ordinal"));
        assert!(wrong("a: acquire M.1 after `x` # 2").contains("no ordinal"));
    }

    #[test]
    fn where_threads_stay_is_no_choice() {
        let text = "a: load Atomic.1\nb: stays before acquire Mutex<()>.1 #2\n";
        let schedule: Schedule = text.parse().unwrap();
        assert_eq!((schedule.steps.len(), schedule.rest.len()), (1, 1));
        assert_eq!(schedule.to_string(), text);
        let json = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule);
    }

    #[test]
    fn what_is_chosen_is_kept_when_it_is_condensed() {
        let text = "a: choose -> 1\na: choose #2 -> 0\na: load Atomic.1\na: wake Mutex<()>.1\n";
        let schedule: Schedule = text.parse().unwrap();
        let condensed = "a: choose -> 1\na: choose #2 -> 0\na: wake Mutex<()>.1\n";
        assert_eq!(schedule.condensed().to_string(), condensed);
    }
}
