//! What fixes a batch, besides its number.

use nmr_models::case::version;
use nmr_models::conditions::Conditions;
use serde::{Deserialize, Serialize};

use crate::concurrent::identity::hash;
use crate::concurrent::series::VERSION;

/// See the [module's documentation](self).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct About {
    /// The seed.
    pub seed: u64,
    /// Programs in a batch.
    pub programs: u64,
    /// What may happen besides.
    pub conditions: Conditions,
    /// The version of the generator, the version of the code, its commit, and a hash of its sources, which may not be committed.
    pub version: String,
    /// Which corpus it starts from: a hash of its programs' names.
    pub corpus: String,
}

/// Of all that decides on a batch: see `build.rs`.
const SOURCES: &str = env!("NMR_SOURCES");

impl About {
    /// A campaign of this version.
    #[must_use]
    pub fn new(seed: u64, programs: u64, conditions: Conditions, corpus: String) -> Self {
        Self {
            seed,
            programs,
            conditions,
            version: format!("{VERSION}, {}, sources {SOURCES}", version()),
            corpus,
        }
    }

    /// A short name: the same for the same.
    ///
    /// # Panics
    /// Never: it has a text form.
    #[must_use]
    pub fn id(&self) -> String {
        let text = serde_json::to_string(self).expect("it is plain data");
        format!("{:016x}", hash(&text))
    }
}

/// A seed as it is given: a number, or a commit's hash of 7 to 40 hexadecimal digits, of which the first 16 count.
///
/// Only digits are a number, so a hash without a letter is taken for one; it is a seed all the same.
///
/// # Errors
/// It is neither.
pub fn seed(text: &str) -> Result<u64, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let is_hexadecimal = text.chars().all(|c| c.is_ascii_hexdigit());
    if !(is_hexadecimal && (7..=40).contains(&text.len())) {
        return Err(
            "expected a number, or a commit's hash of 7 to 40 hexadecimal digits".to_owned(),
        );
    }
    let first = &text[..text.len().min(16)];
    u64::from_str_radix(first, 16).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{About, seed};
    use nmr_models::conditions::Conditions;

    #[test]
    fn a_seed_is_a_number_or_a_commit() {
        assert_eq!(seed("7"), Ok(7));
        assert_eq!(seed("965c6f2"), Ok(0x0965_c6f2));
        let long = "965c6f2d0123456789abcdef0123456789abcdef";
        assert_eq!(seed(long), Ok(0x965c_6f2d_0123_4567));
        assert_eq!(seed(&long[..16]), seed(long));
        for wrong in ["", "head", "abc", "-1", &format!("{long}0")] {
            assert!(seed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn whatever_differs_gives_another_name() {
        let about = About::new(7, 100, Conditions::default(), "0".to_owned());
        let other = About {
            seed: 8,
            ..about.clone()
        };
        assert_eq!(about.id(), about.clone().id());
        assert_ne!(about.id(), other.id());
    }
}
