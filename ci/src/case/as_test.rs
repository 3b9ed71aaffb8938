//! A case as a test to be pasted. Pure.

use std::path::Path;

use nmr_models::case::{Case, Expectation};

use crate::replay::Saved;

/// Prints it.
pub(super) fn print(path: &Path, saved: &Saved) -> String {
    match saved {
        Saved::Schedule(case) => of_schedule(case),
        Saved::Sequence { text, .. } => of_sequence(path, text),
    }
}

fn of_schedule(case: &Case) -> String {
    let rule = case
        .rule
        .map_or("crash".to_owned(), |rule| rule.to_string());
    let name = identifier(&format!("{}_{rule}", case.scenario.name));
    let about = match case.expect.unwrap_or_default() {
        Expectation::Fixed => format!("{rule} once broke in {}", case.scenario.name),
        Expectation::Reproduces => format!("{rule} breaks in {}", case.scenario.name),
    };
    let first_line = case.message.lines().next().unwrap_or_default();
    let about = one_line(&format!("{about}: {first_line}"));
    let text = raw(&case.to_toml());
    format!(
        "/// {about}\n\
         #[cfg(shuttle)]\n\
         #[test]\n\
         fn {name}() {{\n    \
             let text = {text};\n    \
             let path = \"{name}\".as_ref();\n    \
             let case = nmr_models::case::Case::from_toml(path, text).unwrap();\n    \
             let replayed = nmr_models::replay::replay(&case, &Default::default(), |_| {{}});\n    \
             let is_expected = replayed.verdict.is(case.expect.unwrap_or_default());\n    \
             assert!(is_expected, \"{{}}\", replayed.text());\n\
         }}\n"
    )
}

fn of_sequence(path: &Path, text: &str) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let (name, text) = (identifier(&stem), raw(text));
    format!(
        "#[cfg(not(any(loom, shuttle)))]\n\
         #[test]\n\
         fn {name}() {{\n    \
             let text = {text};\n    \
             let replayed = nmr_properties::replay_text(\"{name}\", text).unwrap();\n    \
             assert!(!replayed.reproduced, \"{{}}\", replayed.text);\n\
         }}\n"
    )
}

/// As it may stand in a comment.
fn one_line(text: &str) -> String {
    let char = |char: char| if char.is_control() { ' ' } else { char };
    text.chars().map(char).collect()
}

fn identifier(text: &str) -> String {
    let char = |char: char| match char.is_ascii_alphanumeric() {
        true => char.to_ascii_lowercase(),
        false => '_',
    };
    let name: String = text.chars().map(char).collect();
    // A name of one word may be one of the language's.
    let is_plain = name.starts_with(|first: char| first.is_ascii_alphabetic());
    match is_plain && name.contains('_') {
        true => name,
        false => format!("case_{name}"),
    }
}

/// A raw string literal, with as many hashes as it takes.
fn raw(text: &str) -> String {
    let mut hashes = "#".to_owned();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"\n{text}\"{hashes}")
}

#[cfg(test)]
mod tests {
    use super::{identifier, raw};

    #[test]
    fn a_name_is_one_of_rust() {
        assert_eq!(identifier("late-comer_C6"), "late_comer_c6");
        assert_eq!(identifier("2-lives"), "case_2_lives");
        assert_eq!(
            ["fn", "_", "é"].map(identifier),
            ["case_fn", "case__", "case__"]
        );
    }

    #[test]
    fn a_text_is_put_into_as_many_hashes_as_it_takes() {
        assert_eq!(raw("a \"b\" c"), "r#\"\na \"b\" c\"#");
        assert_eq!(raw("a \"# c"), "r##\"\na \"# c\"##");
    }
}
