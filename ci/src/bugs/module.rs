//! A scenario with one of its modules changed. Pure.

use std::collections::BTreeMap;
use std::path::Path;

use nmr_models::scenario::Scenario;
use toml::{Table, Value};

/// The lists of operations in a scenario, a module and a thread.
const LISTS: [&str; 9] = [
    "before",
    "after",
    "in-attach",
    "after-attach",
    "in-detach",
    "in-cleanup",
    "in-drop",
    "in-context-drop",
    "ops",
];

/// The scenario with other `keys` of the module, and with operations replaced wherever they stand.
///
/// # Errors
/// What makes no sense, in words.
pub fn change(
    scenario: &Scenario,
    module: &str,
    keys: &Table,
    replace: &BTreeMap<String, String>,
) -> Result<Scenario, String> {
    let mut table: Table =
        toml::from_str(&scenario.to_toml()).map_err(|error| error.to_string())?;
    for (old, new) in replace {
        let mut replaced = 0;
        for_each_list(&mut table, &mut |op| {
            if op.as_str() == Some(old) {
                *op = Value::from(new.as_str());
                replaced += 1;
            }
        });
        if replaced == 0 {
            return Err(format!("no thread and no callback does `{old}`"));
        }
    }
    let modules = table.get_mut("module").and_then(Value::as_array_mut);
    for changed in modules.into_iter().flatten() {
        if let Some(changed) = changed.as_table_mut()
            && changed.get("name").and_then(Value::as_str) == Some(module)
        {
            changed.extend(keys.clone());
        }
    }
    let text = table.to_string();
    let path = Path::new(&scenario.name);
    Scenario::from_toml(path, &text).map_err(|error| error.message().to_owned())
}

/// Calls `each` with every operation.
fn for_each_list(table: &mut Table, each: &mut dyn FnMut(&mut Value)) {
    for (key, value) in table.iter_mut() {
        let Value::Array(items) = value else {
            continue;
        };
        if LISTS.contains(&key.as_str()) {
            items.iter_mut().for_each(&mut *each);
        } else {
            for item in items.iter_mut().filter_map(Value::as_table_mut) {
                for_each_list(item, each);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::change;
    use nmr_models::scenario::{Detach, Scenario};
    use nmr_models::scenarios;
    use std::collections::BTreeMap;
    use toml::Table;

    fn scenario() -> Scenario {
        scenarios::named("callbacks-deregister-others").expect("it is there")
    }

    fn keys(text: &str) -> Table {
        text.parse().expect("TOML")
    }

    #[test]
    fn nothing_else_than_what_is_said_is_changed() {
        let none = BTreeMap::new();
        let before = scenario();
        assert_eq!(change(&before, "c", &keys(""), &none), Ok(before.clone()));
        let after = change(&before, "c", &keys("detach = \"pending\""), &none);
        let mut expected = before.clone();
        expected.modules[0].detach = Detach::Pending;
        assert_eq!(after, Ok(expected));
    }

    #[test]
    fn operations_are_replaced_wherever_they_stand() {
        let replace = |old: &str, new: &str| {
            let replace = BTreeMap::from([(old.to_owned(), new.to_owned())]);
            change(&scenario(), "c", &keys(""), &replace)
        };
        let after = replace("deregister d", "deregister-wrong d").expect("it makes sense");
        let text = after.to_toml();
        assert_eq!(text.matches("\"deregister-wrong d\"").count(), 2, "{text}");
        assert_eq!(
            replace("deregister x", "yield"),
            Err("no thread and no callback does `deregister x`".to_owned())
        );
        let error = replace("deregister d", "dance").expect_err("no operation");
        assert!(error.starts_with("`dance` is no operation"), "{error}");
    }

    #[test]
    fn what_a_module_does_not_have_is_refused() {
        let error = change(&scenario(), "c", &keys("mood = \"bad\""), &BTreeMap::new());
        let error = error.expect_err("no key");
        assert!(error.starts_with("unknown field `mood`"), "{error}");
    }
}
