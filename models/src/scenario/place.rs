//! Where in a scenario something is said, as a path of keys; and where that is in its text.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key after the other, from the scenario on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(Vec<Step>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Key(&'static str),
    Nth(usize),
}

impl Place {
    /// What stands under a key of the scenario.
    pub(super) fn of(key: &'static str) -> Self {
        Self::default().key(key)
    }

    /// The module with that index.
    pub(super) fn module(index: usize) -> Self {
        Self::of("module").nth(index)
    }

    /// The thread with that index, of those beside the main one.
    pub(super) fn thread(index: usize) -> Self {
        Self::of("thread").nth(index)
    }

    /// What stands under a key of it.
    #[must_use]
    pub(super) fn key(mut self, key: &'static str) -> Self {
        self.0.push(Step::Key(key));
        self
    }

    /// The item with that index in it.
    #[must_use]
    pub(super) fn nth(mut self, index: usize) -> Self {
        self.0.push(Step::Nth(index));
        self
    }

    /// The bytes of `text` in which it stands; of what is not there, those of what it would be in. `within` is the key of the
    /// scenario itself, where the text is more than a scenario.
    pub(super) fn span(&self, text: &str, within: Option<&str>) -> Option<Range<usize>> {
        let document = DeTable::parse(text).ok()?;
        let mut table = document.get_ref();
        if let Some(key) = within {
            table = table.get(key)?.get_ref().as_table()?;
        }
        let mut steps = self.0.iter();
        let mut at = match steps.next()? {
            Step::Key(key) => table.get(*key)?,
            Step::Nth(_) => return None,
        };
        for step in steps {
            let next = match step {
                Step::Key(key) => at.get_ref().get(*key),
                Step::Nth(index) => at.get_ref().get(*index),
            };
            let Some(next) = next else {
                break;
            };
            at = next;
        }
        Some(named(at).span())
    }
}

/// A module or a thread as a whole is shown by its name.
fn named<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> &'a Spanned<DeValue<'i>> {
    match value.get_ref() {
        DeValue::Table(table) => table.get("name").unwrap_or(value),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"s\"\nlimits = { max-bindings = 1 }\n[[module]]\nname = \"c\"\nin-detach = [\"yield\", \"set e\"]\n";

    fn found(place: &Place) -> Option<&'static str> {
        place.span(TEXT, None).map(|span| &TEXT[span])
    }

    #[test]
    fn what_is_there_is_found_and_what_is_not_there_where_it_would_be() {
        let module = Place::module(0);
        let list = module.clone().key("in-detach");
        assert_eq!(found(&Place::of("name")), Some("\"s\""));
        assert_eq!(found(&list.clone().nth(1)), Some("\"set e\""));
        assert_eq!(found(&list.nth(2)), Some("[\"yield\", \"set e\"]"));
        assert_eq!(found(&module), Some("\"c\""));
        assert_eq!(found(&module.key("attach")), Some("\"c\""));
        assert_eq!(found(&Place::of("locks").nth(0)), None);
        let limits = Place::of("limits").key("max-bindings");
        assert_eq!(found(&limits), Some("1"));
    }

    #[test]
    fn a_scenario_may_be_a_part_of_its_text() {
        let text =
            "kind = \"schedule\"\n[scenario]\nname = \"s\"\n[[scenario.module]]\nname = \"c\"\n";
        let span = Place::module(0).span(text, Some("scenario"));
        assert_eq!(span.map(|span| &text[span]), Some("\"c\""));
        assert_eq!(Place::module(0).span(text, None), None);
    }
}
