//! The text of a case file, written anew: what has changed is put in, what is no longer true goes, and all else stays as
//! a person has written it.
//!
//! A comment above what goes stays; one on the same line goes with it, and so does one between steps of a
//! schedule that are not there any more.

use nmr_models::case::Case;
use toml::Table as Data;
use toml_edit::{Array, DocumentMut, Item, RawString, Table, Value};

/// Puts what differs between the case in `text` and `updated` into the text, the scenario left out.
///
/// # Errors
/// The text is no TOML.
pub(super) fn rewrite(text: &str, updated: &Case) -> Result<String, toml_edit::TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let new: DocumentMut = updated.to_toml().parse()?;
    let (was, is) = (data(text), data(&updated.to_toml()));
    let gone: Vec<&String> = was.keys().filter(|key| !is.contains_key(*key)).collect();
    for key in gone {
        remove(&mut document, key);
    }
    for (key, item) in new.iter() {
        if let Item::Value(value) = item
            && was.get(key) != is.get(key)
            && key != "scenario"
        {
            put(&mut document, key, value.clone());
        }
    }
    Ok(document.to_string())
}

fn data(text: &str) -> Data {
    text.parse().unwrap_or_default()
}

/// Removes a value. The comments above it are then above what follows it.
fn remove(document: &mut DocumentMut, key: &str) {
    let above = document.key(key).and_then(|key| key.leaf_decor().prefix());
    let above = written(above).to_owned();
    let keys = document.iter().map(|(key, _)| key.to_owned());
    let next = keys.skip_while(|other| other != key).nth(1);
    document.remove(key);
    if !above.contains('#') {
        return;
    }
    let Some(next) = next else {
        let below = format!("{above}{}", written(Some(document.trailing())));
        document.set_trailing(below);
        return;
    };
    let table: &mut Table = document.as_table_mut();
    let decor = match table.get_mut(&next) {
        Some(Item::Table(table)) => Some(table.decor_mut()),
        _ => None,
    };
    match decor {
        Some(decor) => decor.set_prefix(above + written(decor.prefix())),
        None => {
            let Some(mut key) = table.key_mut(&next) else {
                return;
            };
            let decor = key.leaf_decor_mut();
            decor.set_prefix(above + written(decor.prefix()));
        }
    }
}

fn written(text: Option<&RawString>) -> &str {
    text.and_then(RawString::as_str).unwrap_or_default()
}

/// Puts a value where another one of the same name is, with what is written beside it; at the end if there is none.
fn put(document: &mut DocumentMut, key: &str, mut value: Value) {
    let Some(old) = document.get_mut(key).and_then(Item::as_value_mut) else {
        document.insert(key, Item::Value(value));
        return;
    };
    if let (Value::Array(new), Value::Array(old)) = (&mut value, &*old) {
        keep_comments(new, old);
    }
    *value.decor_mut() = old.decor().clone();
    *old = value;
}

/// A step, and the comments that belong to it.
struct Commented<'a> {
    step: &'a Value,
    /// From the end of the line before to the step.
    above: &'a str,
    /// From its comma to the end of the line.
    beside: &'a str,
}

/// The steps of a schedule that has one a line, and what is between the last one's line and the end.
fn commented(steps: &Array) -> Option<(Vec<Commented<'_>>, &str)> {
    let before = steps.iter().map(|step| step.decor().prefix());
    let texts = before.chain([Some(steps.trailing())]);
    let lines: Vec<(&str, &str)> = texts
        .map(|text| {
            let text = written(text);
            text.split_at(text.find('\n').unwrap_or(0))
        })
        .collect();
    let (_, first) = lines.first()?;
    let (_, end) = lines.last()?;
    let pairs = steps.iter().zip(lines.windows(2));
    let all = pairs.map(|(step, pair)| Commented {
        step,
        above: pair[0].1,
        beside: pair[1].0,
    });
    first.contains('\n').then(|| (all.collect(), *end))
}

/// Keeps what is written beside the steps that are in both, in this order, and one step a line if that was so.
fn keep_comments(new: &mut Array, old: &Array) {
    let Some((mut rest, end)) = commented(old) else {
        return;
    };
    let mut beside = "";
    for step in new.iter_mut() {
        let same = |old: &Commented<'_>| old.step.as_str() == step.as_str();
        let known = rest.iter().position(same);
        let known = known.and_then(|at| rest.drain(..=at).next_back());
        let above = known.as_ref().map_or("\n    ", |known| known.above);
        step.decor_mut().set_prefix(format!("{beside}{above}"));
        beside = known.map_or("", |known| known.beside);
    }
    new.set_trailing(format!("{beside}{end}"));
    new.set_trailing_comma(true);
}

#[cfg(test)]
mod tests {
    use super::rewrite;
    use nmr_models::case::Case;
    use std::path::Path;

    const WRITTEN: &str = r#"# Why it is here.

kind = "schedule" # always
# Above the seed.
seed = 7 # of the seed
engine = "pct"
rule = "C16"
message = "it was" # what was said
# Above the executions.
executions = 12
# Above the bound.
bound = 2
schedule = [
    # The first step.
    "t: begin",
    "t: release Mutex<u8>.1", # where it hangs
    "main: join", # for ever
] # up to here

# About the scenario.
[scenario]
name = "s" # its name
summary = "s"

[[scenario.module]] # the client
name = "c"
side = "client"
# The end.
"#;

    fn read(text: &str) -> Case {
        Case::from_toml(Path::new("case.toml"), text).expect("it is a case")
    }

    fn updated(text: &str, schedule: &[&str]) -> Case {
        let mut case = read(text);
        case.message = "it is".to_owned();
        (case.seed, case.executions, case.bound) = (None, None, None);
        case.version = Some("9".to_owned());
        case.schedule = schedule.iter().map(|&step| step.to_owned()).collect();
        case
    }

    #[test]
    fn comments_stay_and_what_is_no_longer_true_goes() {
        let updated = updated(WRITTEN, &["t: begin", "u: begin", "main: join"]);
        let text = rewrite(WRITTEN, &updated).expect("it is TOML");
        assert_eq!(read(&text), updated, "{text}");
        let expected = r#"# Why it is here.

kind = "schedule" # always
# Above the seed.
engine = "pct"
rule = "C16"
message = "it is" # what was said
# Above the executions.
# Above the bound.
schedule = [
    # The first step.
    "t: begin",
    "u: begin",
    "main: join", # for ever
] # up to here
version = "9"

# About the scenario.
[scenario]
name = "s" # its name
summary = "s"

[[scenario.module]] # the client
name = "c"
side = "client"
# The end.
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_above_the_last_value_is_above_the_scenario_then() {
        let text = WRITTEN.replace("bound = 2\n", "");
        let (before, after) = text.split_once("executions = 12\n").expect("it is there");
        let (schedule, scenario) = after.split_once("\n\n").expect("it is there");
        let text = format!("{before}{schedule}\n# The last.\nexecutions = 12\n\n{scenario}");
        let updated = updated(&text, &["t: begin"]);
        let text = rewrite(&text, &updated).expect("it is TOML");
        assert_eq!(read(&text), updated, "{text}");
        assert!(
            text.contains("# The last.\n\n# About the scenario.\n[scenario]"),
            "{text}"
        );
    }

    #[test]
    fn what_is_above_the_last_line_is_at_the_end_then() {
        let text = r#"kind = "schedule"
engine = "pct"
message = "it was"
scenario = { name = "s", summary = "s", module = [{ name = "c", side = "client" }] }
# The last.
executions = 1
"#;
        let updated = updated(text, &["t: begin"]);
        let text = rewrite(text, &updated).expect("it is TOML");
        assert_eq!(read(&text), updated, "{text}");
        assert!(text.ends_with("# The last.\n"), "{text}");
    }
}
