//! The rules in the contract's own words.

use nmr_models::rule::Rule;
use serde::Serialize;

const CONTRACT: &str = include_str!("../../../core/CONTRACT.md");

/// A rule, as the contract states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// Its name.
    pub rule: Rule,
    /// Its title.
    pub title: &'static str,
    /// What it says, in plain text.
    pub text: String,
}

/// All rules, in order.
#[must_use]
pub fn rules() -> Vec<Stated> {
    Rule::all().map(stated).collect()
}

fn stated(rule: Rule) -> Stated {
    let head = format!("| **{rule} {}** | ", rule.title());
    let row = CONTRACT.lines().find_map(|line| line.strip_prefix(&head));
    let text = row.map(|row| row.trim_end_matches('|').trim());
    Stated {
        rule,
        title: rule.title(),
        text: text.unwrap_or_default().replace(['*', '`'], ""),
    }
}

#[cfg(test)]
mod tests {
    use super::rules;

    #[test]
    fn each_rule_is_stated_in_the_words_of_the_contract() {
        let rules = rules();
        let empty = rules.iter().filter(|stated| stated.text.is_empty());
        assert_eq!(empty.count(), 0, "{rules:?}");
        assert_eq!(
            rules[15].text,
            "If callbacks return and pending detaches are completed, every call returns."
        );
    }
}
