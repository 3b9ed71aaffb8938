//! Which variant this process is. Only in the copy that `nmr bugs` makes of the registrar.

use std::sync::LazyLock;

/// All that there are, where that is known.
const NAMES: Option<&[&str]> = /* names */;

/// The name of the variant, empty for the registrar as it is.
#[inline]
pub(crate) fn chosen() -> &'static str {
    static CHOSEN: LazyLock<String> = LazyLock::new(|| {
        let name = std::env::var("/* chosen */").unwrap_or_default();
        if !name.is_empty() && NAMES.is_some_and(|names| !names.contains(&name.as_str())) {
            eprintln!("/* chosen */: there is no variant `{name}`");
            std::process::exit(2);
        }
        name
    });
    &CHOSEN
}

/// Whether the table does not check itself.
#[inline]
pub(crate) fn unchecked() -> bool {
    static UNCHECKED: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("/* unchecked */").is_some());
    *UNCHECKED
}
