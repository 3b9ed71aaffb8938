//! The matrices of coverage as a person reads them: what is reached, and what never, with the reason of what cannot be.
//!
//! A reason is a claim, and tested: no program of the corpus reaches what has one. What is not reached and has none is open.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nmr_models::coverage::{Cell, Matrix, NO_BINDING};

use super::reached::{Places, Reached};

/// Why a cell cannot be reached by generated programs and a registrar that keeps its contract; `None` if it is, or if nobody
/// knows.
#[must_use]
pub fn reason(cell: &Cell) -> Option<&'static str> {
    let (row, column) = (cell.row.as_ref(), cell.column.as_ref());
    if row == "release" || column == "release" {
        return Some("generated programs own no registrations");
    }
    match column {
        "answer: wrong status" | "used after free" => {
            return Some("only a registrar with a fault does so");
        }
        "not ready" | "misused" => return Some("only a module with a fault does so"),
        "module unloaded" => return Some("generated programs unload no modules"),
        "destroyed" => return Some("generated programs do nothing in destructors"),
        _ => {}
    }
    match cell.matrix {
        Matrix::States if row != NO_BINDING => of_a_binding(column),
        Matrix::Rules if row.starts_with(['S', 'W']) => {
            Some("it is in force only where a scenario or an option says so")
        }
        Matrix::States | Matrix::Overlaps | Matrix::Rules => None,
    }
}

fn of_a_binding(column: &str) -> Option<&'static str> {
    match column {
        "answer: insufficient resources" => {
            Some("a register call that is refused leaves no registration that could have one")
        }
        "event awaited" | "event set" | "lock taken" | "lock given back" | "refused call" => {
            Some("it is about no binding")
        }
        _ => None,
    }
}

/// All rows of all matrices, each with what is reached of it and what is not.
///
/// # Panics
/// Never: text can be written to.
#[must_use]
pub fn text(places: &Places, reached: &Reached) -> String {
    let there: std::collections::BTreeSet<&Cell> = places.cells(reached).collect();
    let mut text = String::new();
    for (matrix, title) in [
        (Matrix::States, "a binding's state × what happens then"),
        (
            Matrix::Overlaps,
            "an operation in a critical section × another one between two of its own",
        ),
        (Matrix::Rules, "a rule × what it judges"),
    ] {
        let of_it = || places.all().iter().filter(|cell| cell.matrix == matrix);
        let count = of_it().filter(|cell| there.contains(cell)).count();
        let cannot = of_it().filter(|cell| !there.contains(cell) && reason(cell).is_some());
        let (all, cannot) = (of_it().count(), cannot.count());
        writeln!(
            text,
            "{title}: {count} of {all} reached, {cannot} cannot be, {} open",
            all - count - cannot
        )
        .expect("it is text");
        let mut rows: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
        for cell in of_it() {
            rows.entry(&cell.row).or_default().push(cell);
        }
        for (row, cells) in rows {
            let named = |is: &dyn Fn(&Cell) -> bool| {
                let named = cells.iter().filter(|cell| is(cell));
                let named: Vec<&str> = named.map(|cell| cell.column.as_ref()).collect();
                named.join(", ")
            };
            let reached = named(&|cell| there.contains(cell));
            let open = named(&|cell| !there.contains(cell) && reason(cell).is_none());
            if reached.is_empty() {
                // Of a row of which nothing is reached, the columns say nothing.
                writeln!(text, "  {row}\n    never").expect("it is text");
                continue;
            }
            writeln!(text, "  {row}\n    reached: {reached}").expect("it is text");
            if !open.is_empty() {
                writeln!(text, "    open: {open}").expect("it is text");
            }
        }
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        let never = of_it().filter(|cell| !there.contains(cell));
        for why in never.filter_map(reason) {
            *reasons.entry(why).or_default() += 1;
        }
        for (why, count) in reasons {
            writeln!(text, "  {count} cannot be: {why}").expect("it is text");
        }
    }
    text
}
