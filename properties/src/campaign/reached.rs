//! A set of cells of [coverage](nmr_models::coverage), as short as it can be written: a bit for each cell that there could be.

use std::collections::BTreeSet;

use nmr_models::coverage::{Cell, END, EVENTS, Matrix, OPERATIONS, states};
use nmr_models::rule::Rule;
use serde::{Deserialize, Serialize};

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reached(BTreeSet<u16>);

/// All cells, in their order.
pub fn universe() -> impl Iterator<Item = Cell> {
    let cell = |matrix, row, column: &'static str| Cell {
        matrix,
        row,
        column: column.into(),
    };
    let of_states = states()
        .flat_map(move |row| EVENTS.map(|column| cell(Matrix::States, row.clone(), column)));
    let of_overlaps = OPERATIONS
        .into_iter()
        .flat_map(move |row| OPERATIONS.map(|column| cell(Matrix::Overlaps, row.into(), column)));
    let of_rules = Rule::every().flat_map(move |rule| {
        let columns = EVENTS.into_iter().chain([END]);
        columns.map(move |column| cell(Matrix::Rules, rule.to_string().into(), column))
    });
    of_states.chain(of_overlaps).chain(of_rules)
}

/// The place of each cell.
#[derive(Clone, Debug)]
pub struct Places(Vec<Cell>);

impl Default for Places {
    fn default() -> Self {
        let mut cells: Vec<Cell> = universe().collect();
        cells.sort_unstable();
        Self(cells)
    }
}

impl Places {
    /// The set of these cells.
    ///
    /// # Panics
    /// If one of them could not be: a defect of the list of all.
    #[must_use]
    pub fn reached<'a>(&self, cells: impl IntoIterator<Item = &'a Cell>) -> Reached {
        let place = |cell: &Cell| {
            let place = self.0.binary_search(cell);
            let place = place.unwrap_or_else(|_| panic!("{cell} is in no matrix"));
            place as u16
        };
        Reached(cells.into_iter().map(place).collect())
    }

    /// The cells of a set.
    pub fn cells<'a>(&'a self, reached: &'a Reached) -> impl Iterator<Item = &'a Cell> {
        let places = reached.0.iter();
        places.filter_map(|&place| self.0.get(usize::from(place)))
    }

    /// All that there could be.
    #[must_use]
    pub fn all(&self) -> &[Cell] {
        &self.0
    }
}

impl Reached {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// Those that the other set does not have.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }
}

/// As hexadecimal digits, four cells each.
impl From<Reached> for String {
    fn from(reached: Reached) -> Self {
        let digits = reached
            .0
            .last()
            .map_or(0, |last| usize::from(*last) / 4 + 1);
        let digit = |number: usize| {
            let bits = (0..4).filter(|bit| reached.0.contains(&((4 * number + bit) as u16)));
            let value: u32 = bits.map(|bit| 1 << bit).sum();
            char::from_digit(value, 16).unwrap_or('0')
        };
        (0..digits).map(digit).collect()
    }
}

impl TryFrom<String> for Reached {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut places = BTreeSet::new();
        for (number, digit) in text.chars().enumerate() {
            let value = digit
                .to_digit(16)
                .ok_or_else(|| format!("`{digit}` is no hexadecimal digit"))?;
            let bits = (0..4).filter(|bit| value & (1 << bit) != 0);
            let place = |bit| u16::try_from(4 * number + bit);
            for place in bits.map(place) {
                places.insert(place.map_err(|_| "there are not so many cells".to_owned())?);
            }
        }
        Ok(Self(places))
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, Reached};

    #[test]
    fn a_set_goes_through_its_text_form_unchanged() {
        let places = Places::default();
        let some = places.all().iter().step_by(7);
        let reached = places.reached(some.clone());
        let text = String::from(reached.clone());
        assert_eq!(Reached::try_from(text), Ok(reached.clone()));
        assert!(places.cells(&reached).eq(some));
        assert!(Reached::try_from("0g".to_owned()).is_err());
        assert_eq!(String::from(Reached::default()), "");
    }
}
