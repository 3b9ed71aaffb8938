//! Planting: all variants of the registrar in one copy of it, to be chosen at run time.
//!
//! A variant is a diff that applies ([`diff`]); its bodies are put beside those that are there ([`splice`]);
//! what comes of it is built in a workspace of its own ([`tree`]). Nothing here touches the working tree.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nmr_models::scenario::FormatError;

use crate::cargo::Complaint;

pub mod diff;
mod source;
pub mod splice;
pub mod tree;

use splice::{Crate, Variant};

/// A variant as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The variant's name.
    pub name: String,
    /// The file, for messages.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// Puts all of the diffs into the code.
///
/// # Errors
/// The first one that does not apply or cannot be chosen at run time.
pub fn plant(code: &BTreeMap<String, &str>, diffs: &[Diff]) -> Result<Crate, FormatError> {
    let read = |file: &str| code.get(file).copied().filter(|_| may_be_changed(file));
    let mut variants = Vec::new();
    for diff in diffs {
        let files = diff::apply(&diff.text, read).map_err(|error| {
            FormatError::new(&diff.path, error.to_string()).at_line(error.line(), 1)
        })?;
        let name = diff.name.clone();
        variants.push(Variant { name, files });
    }
    splice::splice(code, &variants, &[tree::CHECK]).map_err(|(number, error)| {
        let path = number.map_or_else(
            || PathBuf::from("core"),
            |number| diffs[number].path.clone(),
        );
        FormatError::new(&path, error.to_string())
    })
}

/// The registrar, and the monitor beneath it.
fn may_be_changed(file: &str) -> bool {
    file.starts_with("core/src/") || file == "core/sync/src/monitor.rs"
}

/// Which diff each of rustc's errors is about, where one is.
#[must_use]
pub fn blame<'a>(
    planted: &Crate,
    diffs: &'a [Diff],
    complaints: &'a [Complaint],
) -> Vec<(&'a Diff, &'a Complaint)> {
    let owner = |complaint: &Complaint| {
        let mut places = complaint.places.iter();
        places.find_map(|(file, line)| {
            let file = planted.files.get(&*file.to_string_lossy())?;
            let mut regions = file.regions.iter();
            let (_, variant) = regions.find(|(lines, _)| lines.contains(line))?;
            diffs.get(*variant)
        })
    };
    let blamed = complaints.iter();
    blamed
        .filter_map(|complaint| Some((owner(complaint)?, complaint)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Diff, blame, plant};
    use crate::cargo::Complaint;
    use std::collections::BTreeMap;

    const CODE: &str = "fn a() {\n    b()\n}\nfn c() {\n    d()\n}\n";

    fn code() -> BTreeMap<String, &'static str> {
        let check = "impl Table {\n    fn check(&self) {}\n}\n";
        BTreeMap::from([
            ("core/src/a.rs".to_owned(), CODE),
            ("core/src/table/check.rs".to_owned(), check),
            ("core/sync/src/told.rs".to_owned(), CODE),
        ])
    }

    fn diff(name: &str, file: &str, line: &str, instead: &str) -> Diff {
        Diff {
            name: name.to_owned(),
            path: format!("bugs/{name}/change.diff").into(),
            text: format!("--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n-{line}\n+{instead}\n"),
        }
    }

    #[test]
    fn a_diff_that_is_no_good_is_named_with_what_is_wrong() {
        for (bad, expected) in [
            (
                diff("v", "core/src/a.rs", "    x()", "    y()"),
                "bugs/v/change.diff:3:1: hunk 1 does not apply: ",
            ),
            (
                diff("v", "core/sync/src/told.rs", "    b()", "    y()"),
                "bugs/v/change.diff:1:1: it changes core/sync/src/told.rs: bugs are planted into",
            ),
            (
                diff("v", "core/src/a.rs", "    b()", "    b( )"),
                "bugs/v/change.diff: it changes nothing",
            ),
            (
                diff("v", "core/src/a.rs", "fn a() {", "fn b() {"),
                "bugs/v/change.diff: core/src/a.rs:4: it changes something outside",
            ),
        ] {
            let good = diff("good", "core/src/a.rs", "    d()", "    e()");
            let error = plant(&code(), &[good, bad]).expect_err("it is no good");
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }

    #[test]
    fn an_error_of_the_compiler_is_the_variant_s_whose_line_it_is() {
        let diffs = [
            diff("one", "core/src/a.rs", "    b()", "    one()"),
            diff("two", "core/src/a.rs", "    b()", "    two()"),
        ];
        let planted = plant(&code(), &diffs).expect("they apply");
        let text = &planted.files["core/src/a.rs"].text;
        let line = text.lines().position(|line| line.contains("two()"));
        let at = |file: &str, line| Complaint {
            text: format!("error in {file}"),
            places: vec![(file.into(), line)],
        };
        let complaints = [
            at("core/src/a.rs", line.expect("it is there") + 1),
            at("core/src/b.rs", 2),
        ];
        let blamed = blame(&planted, &diffs, &complaints);
        let names: Vec<&str> = blamed.iter().map(|(diff, _)| diff.name.as_str()).collect();
        assert_eq!(names, ["two"]);
    }
}
