//! The error of every text that should be a name of this crate's and is none.

/// A text that is not the name of a rule, an engine, …
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {expected}")]
pub struct UnknownName {
    given: String,
    expected: &'static str,
}

impl UnknownName {
    pub(crate) fn new(given: &str, expected: &'static str) -> Self {
        Self {
            given: given.to_owned(),
            expected,
        }
    }
}
