//! Several variants of a crate in one: a function that some of them change gets a body that asks at run
//! time which variant is chosen, and goes on with that variant's body or with its own.
//!
//! These are mutant schemata (Untch, Offutt and Harrold, ISSTA 1993), with whole bodies as the alternatives.
//! Outside of bodies nothing can be chosen at run time, so nothing may be changed there; functions may be
//! added, which are then there for all. A function that is changed is not `const` any more, and neither is
//! one that calls it. Pure text: nothing is compiled here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::source::{Function, Key, Source, tokens};

/// One way in which the crate may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name, by which it is chosen.
    pub name: String,
    /// The files that it changes, as they are then.
    pub files: BTreeMap<String, String>,
}

/// What a function does before anything else.
#[derive(Clone, Copy, Debug)]
pub struct Guard<'a> {
    /// The file.
    pub file: &'a str,
    /// The function.
    pub function: &'a str,
    /// The code.
    pub code: &'a str,
}

/// A file with all variants in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spliced {
    /// The code.
    pub text: String,
    /// Which lines of it, from 1, are which variant's: an index into the variants.
    pub regions: Vec<(Range<usize>, usize)>,
}

/// A crate with all variants in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// Its files.
    pub files: BTreeMap<String, Spliced>,
    /// What each of the variants changes: files and functions.
    pub places: Vec<Vec<(String, String)>>,
}

/// Why a variant cannot be told from another at run time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// A file is no Rust.
    #[error("{file}:{line}: it cannot be parsed: {why}")]
    Unparsable {
        /// The file, as it is changed.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// Something else than bodies is changed.
    #[error(
        "{file}:{line}: it changes something outside a function's body: `{text}`; what is not inside a body \
         cannot be chosen at run time (functions may be added, and paths be written in full)"
    )]
    Outside {
        /// The file, as it is changed.
        file: String,
        /// The line, from 1.
        line: usize,
        /// That line.
        text: String,
    },
    /// Only comments and layout are changed, or functions are added that nobody calls.
    #[error("it changes nothing: every function does what it did")]
    Nothing,
    /// A function is added that would be there for all variants.
    #[error(
        "{file}: it adds {function} to a trait or to its implementation, where it would be in force for \
         all variants: add it elsewhere"
    )]
    InTrait {
        /// The file.
        file: String,
        /// The function.
        function: String,
    },
    /// Two variants add functions of the same name.
    #[error(
        "{file}: it adds {function}, and so does {other}, another one: give it a name of its own"
    )]
    AddedTwice {
        /// The file.
        file: String,
        /// The function.
        function: String,
        /// The other variant.
        other: String,
    },
    /// A function of the crate itself is not where it is expected.
    #[error("{file}: there is no function {function}")]
    NoFunction {
        /// The file.
        file: String,
        /// The function.
        function: String,
    },
}

/// Puts all variants into one crate. `files` is all of its code.
///
/// # Errors
/// The variant, by its index, that cannot be put in, and why. `None` if it is the crate itself.
pub fn splice(
    files: &BTreeMap<String, &str>,
    variants: &[Variant],
    guards: &[Guard<'_>],
) -> Result<Crate, (Option<usize>, SpliceError)> {
    let mut sources = BTreeMap::new();
    for (file, text) in files {
        let source = parse(file, text).map_err(|error| (None, error))?;
        sources.insert(file.as_str(), source);
    }
    let mut plan = Plan::default();
    for (number, variant) in variants.iter().enumerate() {
        plan.add(&sources, number, variant, variants)
            .map_err(|error| (Some(number), error))?;
    }
    plan.guard(&sources, guards)
        .map_err(|error| (None, error))?;
    let constant = plan.no_longer_const(&sources);
    let spliced = sources.iter().map(|(&file, source)| {
        let edits = plan.edits(file, source, variants, &constant);
        (file.to_owned(), apply(source.text, edits))
    });
    Ok(Crate {
        files: spliced.collect(),
        places: plan.places,
    })
}

fn parse<'a>(file: &str, text: &'a str) -> Result<Source<'a>, SpliceError> {
    Source::parse(text).map_err(|error| SpliceError::Unparsable {
        file: file.to_owned(),
        line: error.span().start().line,
        why: error.to_string(),
    })
}

/// A function of a file.
type Place = (String, Key);

/// What is to be done to the crate.
#[derive(Default)]
struct Plan {
    /// The bodies that variants have instead.
    bodies: BTreeMap<Place, Vec<(usize, String)>>,
    /// Functions that a variant adds, and the one after which it does so.
    added: BTreeMap<Place, (usize, String, Option<Key>)>,
    guards: BTreeMap<Place, String>,
    places: Vec<Vec<(String, String)>>,
}

impl Plan {
    fn add(
        &mut self,
        sources: &BTreeMap<&str, Source<'_>>,
        number: usize,
        variant: &Variant,
        all: &[Variant],
    ) -> Result<(), SpliceError> {
        let mut places = Vec::new();
        for (file, text) in &variant.files {
            let before = &sources[file.as_str()];
            let after = parse(file, text)?;
            same_outside(file, before, &after)?;
            let mut last: Option<&Key> = None;
            for function in &after.functions {
                let key = &function.key;
                match before.function(key) {
                    Some(old) => {
                        last = Some(key);
                        let body = after.body(function);
                        if tokens(body) != tokens(before.body(old)) {
                            places.push((file.clone(), key.name.clone()));
                            let bodies = self.bodies.entry((file.clone(), key.clone()));
                            bodies.or_default().push((number, body.to_owned()));
                        }
                    }
                    None => {
                        let near = last.filter(|last| last.container == key.container);
                        self.add_function(file, &after, function, near, number, all)?;
                    }
                }
            }
        }
        if places.is_empty() {
            return Err(SpliceError::Nothing);
        }
        self.places.push(places);
        Ok(())
    }

    fn add_function(
        &mut self,
        file: &str,
        source: &Source<'_>,
        function: &Function,
        near: Option<&Key>,
        number: usize,
        all: &[Variant],
    ) -> Result<(), SpliceError> {
        let (file, key) = (file.to_owned(), function.key.clone());
        let name = key.name.clone();
        if function.of_trait {
            return Err(SpliceError::InTrait {
                file,
                function: name,
            });
        }
        let text = &source.text[function.whole.clone()];
        match self.added.get(&(file.clone(), key.clone())) {
            Some((_, there, _)) if tokens(there) == tokens(text) => Ok(()),
            Some((other, _, _)) => Err(SpliceError::AddedTwice {
                file,
                function: name,
                other: all[*other].name.clone(),
            }),
            None => {
                let added = (number, text.to_owned(), near.cloned());
                self.added.insert((file, key), added);
                Ok(())
            }
        }
    }

    fn guard(
        &mut self,
        sources: &BTreeMap<&str, Source<'_>>,
        guards: &[Guard<'_>],
    ) -> Result<(), SpliceError> {
        for guard in guards {
            let functions = sources.get(guard.file).map(|source| &source.functions);
            let mut functions = functions.into_iter().flatten();
            let function = functions.find(|function| function.key.name == guard.function);
            let Some(function) = function else {
                return Err(SpliceError::NoFunction {
                    file: guard.file.to_owned(),
                    function: guard.function.to_owned(),
                });
            };
            let place = (guard.file.to_owned(), function.key.clone());
            self.guards.insert(place, guard.code.to_owned());
        }
        Ok(())
    }

    /// The names of functions that cannot be `const` any more: they ask what is chosen, or they may call
    /// one that does. By name alone, which may take in too many: that costs nothing.
    fn no_longer_const(&self, sources: &BTreeMap<&str, Source<'_>>) -> BTreeSet<String> {
        let changed = self.bodies.keys().map(|(_, key)| key.name.clone());
        let mut names: BTreeSet<String> = changed.collect();
        let functions = sources.values().flat_map(|source| {
            let all = source.functions.iter();
            let constant = all.filter(|function| function.constness.is_some());
            constant.map(|function| (&function.key.name, tokens(source.body(function))))
        });
        let functions: Vec<_> = functions.collect();
        loop {
            let calls =
                |body: &[super::source::Token]| body.iter().any(|word| names.contains(&word.text));
            let more = functions
                .iter()
                .filter(|(name, body)| !names.contains(*name) && calls(body));
            let more: Vec<String> = more.map(|(name, _)| (*name).clone()).collect();
            if more.is_empty() {
                return names;
            }
            names.extend(more);
        }
    }

    fn edits(
        &self,
        file: &str,
        source: &Source<'_>,
        variants: &[Variant],
        not_const: &BTreeSet<String>,
    ) -> Vec<Edit> {
        let mut edits = Vec::new();
        for function in &source.functions {
            let place = (file.to_owned(), function.key.clone());
            if let Some(word) = &function.constness
                && not_const.contains(&function.key.name)
            {
                edits.push(Edit::new(word.clone(), String::new(), None));
            }
            let guard = self.guards.get(&place).map_or("", String::as_str);
            if let Some(bodies) = self.bodies.get(&place) {
                let bodies = bodies
                    .iter()
                    .map(|(number, body)| (variants[*number].name.as_str(), body, *number));
                edits.push(choice(function, source.body(function), bodies, guard));
            } else if !guard.is_empty() {
                let inside = function.body.start + 1;
                edits.push(Edit::new(inside..inside, guard.to_owned(), None));
            }
        }
        for ((of, key), (number, text, near)) in &self.added {
            if of == file {
                let at = place_for(source, key, near.as_ref());
                let text = format!("\n\n{text}\n");
                edits.push(Edit::new(at..at, text, Some(*number)));
            }
        }
        edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
        edits
    }
}

/// Where a function is added: after the one that it follows, or else before all others of its container.
/// At the top of a file it may also be the first one.
fn place_for(source: &Source<'_>, key: &Key, near: Option<&Key>) -> usize {
    let near = near.and_then(|near| source.function(near));
    let beside = |function: &&Function| function.key.container == key.container;
    match (near, source.functions.iter().find(beside)) {
        (Some(near), _) => near.whole.end,
        (None, Some(first)) => first.whole.start,
        (None, None) => source.text.len(),
    }
}

/// A body that goes on with the one that is chosen.
fn choice<'a>(
    function: &Function,
    own: &str,
    bodies: impl Iterator<Item = (&'a str, &'a String, usize)>,
    guard: &str,
) -> Edit {
    let bodies: Vec<_> = bodies.collect();
    let names = Vec::from_iter(bodies.iter().map(|(name, ..)| name));
    let mut pieces = vec![(
        format!("{{ {guard}match crate::planted::chosen(&{names:?}) {{ "),
        None,
    )];
    for (name, body, number) in bodies {
        let arm = format!("{name:?} => ");
        pieces.push((arm, None));
        pieces.push((body.clone(), Some(number)));
        pieces.push((" ".to_owned(), None));
    }
    pieces.push((format!("_ => {own} }} }}"), None));
    Edit {
        at: function.body.clone(),
        pieces,
    }
}

/// Text instead of other text.
struct Edit {
    at: Range<usize>,
    /// Each is its variant's, or nobody's.
    pieces: Vec<(String, Option<usize>)>,
}

impl Edit {
    fn new(at: Range<usize>, text: String, variant: Option<usize>) -> Self {
        Self {
            at,
            pieces: vec![(text, variant)],
        }
    }
}

/// Makes the edits, which are in order and apart.
fn apply(text: &str, edits: Vec<Edit>) -> Spliced {
    let mut spliced = Spliced::default();
    let mut at = 0;
    for edit in edits {
        spliced.text.push_str(&text[at..edit.at.start]);
        for (piece, variant) in edit.pieces {
            let first = line_of(&spliced.text);
            spliced.text.push_str(&piece);
            if let Some(variant) = variant {
                let lines = first..line_of(&spliced.text) + 1;
                spliced.regions.push((lines, variant));
            }
        }
        at = edit.at.end;
    }
    spliced.text.push_str(&text[at..]);
    spliced
}

/// The number of the line at which a text ends, from 1.
fn line_of(text: &str) -> usize {
    text.matches('\n').count() + 1
}

/// Whether two states of a file are the same but for bodies and added functions.
fn same_outside(file: &str, before: &Source<'_>, after: &Source<'_>) -> Result<(), SpliceError> {
    let old = tokens(&before.skeleton(|_| false));
    let new = tokens(&after.skeleton(|key| before.function(key).is_none()));
    if old == new {
        return Ok(());
    }
    let differ = old.iter().zip(&new).position(|(one, other)| one != other);
    let differ = differ.unwrap_or(old.len().min(new.len()));
    let line = new.get(differ).or(new.last()).map_or(1, |token| token.line);
    let shown = after.text.lines().nth(line - 1).unwrap_or_default();
    Err(SpliceError::Outside {
        file: file.to_owned(),
        line,
        text: shown.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Crate, Guard, SpliceError, Variant, splice};
    use std::collections::BTreeMap;

    const FILE: &str = "\
//! A file.
use std::fmt;
const LIMIT: u8 = 3;
fn one(a: u8) -> u8 {
    a + 1
}
impl S {
    const fn two(&self) -> u8 { self.0 }
    const fn three(&self) -> u8 { self.two() }
    const fn four() -> u8 { 4 }
}
impl fmt::Display for S {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(\"s\") }
}
";

    fn variant(name: &str, from: &str, to: &str) -> Variant {
        assert!(FILE.contains(from), "{from}");
        Variant {
            name: name.to_owned(),
            files: BTreeMap::from([("a.rs".to_owned(), FILE.replace(from, to))]),
        }
    }

    fn spliced(variants: &[Variant]) -> Result<Crate, (Option<usize>, SpliceError)> {
        splice(&BTreeMap::from([("a.rs".to_owned(), FILE)]), variants, &[])
    }

    fn text(variants: &[Variant]) -> String {
        let made = spliced(variants).unwrap_or_else(|(_, error)| panic!("{error}"));
        let text = &made.files["a.rs"].text;
        syn::parse_file(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        text.clone()
    }

    fn refused(variants: &[Variant]) -> (Option<usize>, String) {
        let (number, error) = spliced(variants).expect_err("it cannot be spliced");
        (number, error.to_string())
    }

    #[test]
    fn without_variants_nothing_changes() {
        assert_eq!(text(&[]), FILE);
    }

    #[test]
    fn several_variants_of_a_function_are_told_apart_at_run_time() {
        let variants = [
            variant("plus", "a + 1", "a + 2"),
            variant(
                "two",
                "a + 1",
                "// another\n    if a > 1 { return 7 }\n    a",
            ),
        ];
        let made = spliced(&variants).unwrap();
        let file = &made.files["a.rs"];
        assert!(
            file.text.contains(
                "fn one(a: u8) -> u8 { match crate::planted::chosen(&[\"plus\", \"two\"]) { \"plus\" => {\n    a + 2\n} \
                 \"two\" => {\n    // another\n    if a > 1 { return 7 }\n    a\n} _ => {\n    a + 1\n} } }"
            ),
            "{}",
            file.text
        );
        assert_eq!(file.regions, [(4..7, 0), (6..11, 1)]);
        let place = vec![("a.rs".to_owned(), "one".to_owned())];
        assert_eq!(made.places, [place.clone(), place]);
    }

    #[test]
    fn methods_of_traits_are_bodies_like_others() {
        let text = text(&[variant("bang", "f.write_str(\"s\")", "f.write_str(\"!\")")]);
        assert!(
            text.contains("\"bang\" => { f.write_str(\"!\") }"),
            "{text}"
        );
    }

    #[test]
    fn what_asks_and_what_calls_it_is_not_const_any_more() {
        let text = text(&[variant("zero", "{ self.0 }", "{ 0 }")]);
        for expected in [
            "     fn two(&self) -> u8 { match",
            "     fn three(&self) -> u8 { self.two() }",
            "    const fn four() -> u8 { 4 }",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }

    #[test]
    fn functions_may_be_added() {
        let to = "{ self.five() }\n    /// Five.\n    fn five(&self) -> u8 { 5 }";
        let made = spliced(&[variant("five", "{ self.0 }", to)]).unwrap();
        let file = &made.files["a.rs"];
        let (before, _) = file.text.split_once("fn three").expect("it is there");
        assert!(before.contains("/// Five."), "{}", file.text);
        assert_eq!(made.places[0].len(), 1, "the one that is changed");
        let twice = [
            variant("five", "{ self.0 }", to),
            variant("six", "{ self.0 }", to),
        ];
        assert_eq!(
            text(&twice).matches("/// Five.").count(),
            1,
            "they are the same"
        );
        let other = variant("six", "{ self.0 }", &to.replace("{ 5 }", "{ 6 }"));
        let (number, error) = refused(&[twice[0].clone(), other]);
        assert_eq!(number, Some(1));
        assert_eq!(
            error,
            "a.rs: it adds five, and so does five, another one: give it a name of its own"
        );
    }

    #[test]
    fn a_change_outside_of_bodies_is_refused_with_its_line() {
        for (from, to, line, shown) in [
            ("LIMIT: u8 = 3", "LIMIT: u8 = 4", 3, "const LIMIT: u8 = 4;"),
            ("one(a: u8)", "one(a: u16)", 4, "fn one(a: u16) -> u8 {"),
            (
                "use std::fmt;",
                "use std::fmt; use std::io;",
                2,
                "use std::fmt; use std::io;",
            ),
            ("    const fn four() -> u8 { 4 }\n", "", 10, "}"),
        ] {
            let (number, error) = refused(&[variant("v", from, to)]);
            assert_eq!(number, Some(0));
            let expected =
                format!("a.rs:{line}: it changes something outside a function's body: `{shown}`;");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn a_method_added_to_a_trait_is_refused() {
        let from = "impl fmt::Display for S {";
        let error = refused(&[variant("v", from, &format!("{from} fn more() {{}}"))]).1;
        assert!(error.contains("it adds more to a trait"), "{error}");
    }

    #[test]
    fn a_change_of_nothing_is_refused() {
        for (from, to) in [
            ("a + 1", "a /* more */ + 1"),
            ("fn one", "fn unused() {}\nfn one"),
        ] {
            let (number, error) = refused(&[variant("v", from, to)]);
            assert_eq!(number, Some(0));
            assert!(error.starts_with("it changes nothing"), "{error}");
        }
    }

    #[test]
    fn what_is_no_rust_is_refused_with_its_line() {
        let (number, error) = refused(&[variant("v", "a + 1", "a + ")]);
        assert_eq!(number, Some(0));
        assert!(
            error.starts_with("a.rs:6: it cannot be parsed: "),
            "{error}"
        );
    }

    #[test]
    fn a_guard_comes_before_everything_else() {
        let files = BTreeMap::from([("a.rs".to_owned(), FILE)]);
        let guard = |function| Guard {
            file: "a.rs",
            function,
            code: "if off() { return 0; } ",
        };
        let plus = [variant("plus", "a + 1", "a + 2")];
        let text = |variants: &[Variant]| {
            let made = splice(&files, variants, &[guard("one")]).unwrap();
            made.files["a.rs"].text.clone()
        };
        assert!(text(&plus).contains("{ if off() { return 0; } match crate::planted"));
        assert!(text(&[]).contains("-> u8 {if off() { return 0; } \n    a + 1"));
        let none = splice(&files, &[], &[guard("none")]).unwrap_err();
        assert_eq!(none.1.to_string(), "a.rs: there is no function none");
    }
}
