//! Numbers, times, verdicts and paths in words.

use std::env;
use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;
use nmr_models::conditions::Conditions;
use nmr_models::engine_name::Build;
use nmr_models::report::{Extent, RunResult, Verdict};

/// `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 run`, `2 runs`, `2 searches`.
#[must_use]
pub fn plural(number: u64, one: &str) -> String {
    let s = match number {
        1 => "",
        _ if one.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {one}{s}", count(number))
}

/// `; with spurious wake-ups`; nothing where none is in force.
#[must_use]
pub fn conditions(conditions: Conditions) -> String {
    match conditions.is_default() {
        true => String::new(),
        false => format!("; {conditions}"),
    }
}

/// `2.8 ms`, `0.07 s`, `1.3 s`, `3 min 1 s`, `2 h 5 min`.
#[must_use]
pub fn time(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    match whole {
        0 if seconds < 0.01 => format!("{:.1} ms", seconds.max(0.0) * 1000.0),
        0 => format!("{seconds:.2} s"),
        1..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `today`, `1 day`, `12 days`.
#[must_use]
pub fn age(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => "today".to_owned(),
        days => plural(days, "day"),
    }
}

/// `12.5 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// The verdict of a run as it stands in the table.
#[must_use]
pub fn verdict(result: &RunResult) -> String {
    let how = result.how.as_deref();
    match (result.verdict, result.extent) {
        (Verdict::Holds, Extent::Complete) => "holds, complete".to_owned(),
        (Verdict::Holds, Extent::Bounded) => {
            format!("holds, bounded ({})", how.unwrap_or("how is not known"))
        }
        (Verdict::Holds, Extent::Sampled) => {
            format!("holds, sampled ({})", count(result.executions))
        }
        (Verdict::Violated, _) => match result.rule {
            Some(rule) => format!("violated {rule}"),
            None => "violated (crash)".to_owned(),
        },
        (Verdict::Incomplete, _) => {
            format!("incomplete ({})", how.unwrap_or("why is not known"))
        }
        (Verdict::HarnessError, _) => "harness error".to_owned(),
    }
}

/// The name of a build.
#[must_use]
pub const fn build(build: Build) -> &'static str {
    match build.cfg() {
        None => "native",
        Some(cfg) => cfg,
    }
}

/// A path as seen from the current folder, if it is below that.
#[must_use]
pub fn path(path: &Path) -> String {
    let here = env::current_dir().ok();
    let below = here
        .as_deref()
        .and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::{age, count, path, plural, size, time, verdict};
    use nmr_models::engine_name::Engine;
    use nmr_models::report::{Extent, RunResult, Verdict};
    use nmr_models::rule::Rule;
    use std::env;

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            (plural(1, "run"), plural(1_000, "run")),
            ("1 run".into(), "1,000 runs".into())
        );
        assert_eq!(plural(2, "search"), "2 searches");
    }

    #[test]
    fn ages_are_counted_in_days() {
        assert_eq!([5, 86_400, 200_000].map(age), ["today", "1 day", "2 days"]);
    }

    #[test]
    fn sizes_have_their_unit() {
        assert_eq!([12 << 20, 3 << 29].map(size), ["12.0 MiB", "1.5 GiB"]);
    }

    #[test]
    fn times_are_as_exact_as_one_reads_them() {
        assert_eq!(
            [0.0028, 0.04, 0.66, 59.0, 181.2, 7_500.0].map(time),
            [
                "2.8 ms",
                "0.04 s",
                "0.66 s",
                "59.0 s",
                "3 min 1 s",
                "2 h 5 min"
            ]
        );
    }

    #[test]
    fn paths_below_the_current_folder_are_short() {
        let here = env::current_dir().expect("there is one");
        assert_eq!(path(&here.join("a/b.toml")), "a/b.toml");
        assert_eq!(path("/elsewhere/b.toml".as_ref()), "/elsewhere/b.toml");
    }

    #[test]
    fn verdicts_say_how_far_they_go() {
        let say = |verdict_, extent, how: Option<&str>, rule| {
            verdict(&RunResult {
                conditions: Default::default(),
                scenario: "s".into(),
                engine: Engine::Loom,
                verdict: verdict_,
                extent,
                how: how.map(str::to_owned),
                rule,
                message: String::new(),
                executions: 1234,
                seconds: 0.5,
                seed: None,
                case: None,
                states: None,
                certificate: None,
                preemptions: None,
                in_force: Vec::new(),
                notes: Vec::new(),
                report: None,
                exercised: Vec::new(),
            })
        };
        use Extent::{Bounded, Complete, Sampled};
        use Verdict::{HarnessError, Holds, Incomplete, Violated};
        assert_eq!(say(Holds, Complete, None, None), "holds, complete");
        assert_eq!(
            say(Holds, Bounded, Some("preemptions ≤ 2"), None),
            "holds, bounded (preemptions ≤ 2)"
        );
        assert_eq!(say(Holds, Sampled, None, None), "holds, sampled (1,234)");
        assert_eq!(
            say(Violated, Sampled, None, Some(Rule::new(7))),
            "violated C7"
        );
        assert_eq!(say(Violated, Complete, None, None), "violated (crash)");
        assert_eq!(
            say(Incomplete, Sampled, Some("out of time"), None),
            "incomplete (out of time)"
        );
        assert_eq!(say(HarnessError, Sampled, None, None), "harness error");
    }
}
