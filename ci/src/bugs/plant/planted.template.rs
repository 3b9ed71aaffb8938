//! Which variants this process has, separated by commas. Only in the copy that `nmr bugs` makes of the registrar.

use std::sync::LazyLock;

/// All that there are, where that is known.
const NAMES: Option<&[&str]> = /* names */;

/// Which of these variants of a function this process has; empty for the function as it is. Where it has several of them, the
/// first one counts.
#[inline]
pub(crate) fn chosen(of: &[&'static str]) -> &'static str {
    static CHOSEN: LazyLock<Vec<String>> = LazyLock::new(|| {
        let names = std::env::var("/* chosen */").unwrap_or_default();
        let names = names.split(',').filter(|name| !name.is_empty());
        let chosen: Vec<String> = names.map(str::to_owned).collect();
        let is_there = |name: &&String| NAMES.is_none_or(|names| names.contains(&name.as_str()));
        if let Some(name) = chosen.iter().find(|name| !is_there(name)) {
            eprintln!("/* chosen */: there is no variant `{name}`");
            std::process::exit(2);
        }
        chosen
    });
    let is_chosen = |name: &&&str| CHOSEN.iter().any(|chosen| chosen == **name);
    of.iter().find(is_chosen).copied().unwrap_or_default()
}

/// Whether the table does not check itself.
#[inline]
pub(crate) fn unchecked() -> bool {
    static UNCHECKED: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("/* unchecked */").is_some());
    *UNCHECKED
}
