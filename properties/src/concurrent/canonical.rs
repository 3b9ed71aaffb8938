//! The canonical form of a scenario: one and the same for all that differ in names and in the order of modules and
//! threads alone.
//!
//! What the main thread does keeps its order, and so does each list of operations. Names of locks stay.

use std::collections::BTreeMap;

use nmr_models::op::Op;
use nmr_models::scenario::Scenario;
use nmr_models::symmetry::orders;

use super::simplify::renumbered;

/// More orders of modules and threads than this are not tried: minimal programs are smaller. A scenario that has more
/// keeps the order of its modules.
const MOST_ORDERS: usize = 2_880;

/// The form whose text comes first, of all orders of modules and threads, each [`renumbered`]. Name and summary stay.
#[must_use]
pub fn canonical(of: &Scenario) -> Scenario {
    let (count, threads) = (of.modules.len() as u8, orders(of.threads.len() as u8));
    let many = (1..=of.modules.len()).fold(threads.len(), usize::saturating_mul);
    let modules = match many {
        0..=MOST_ORDERS => orders(count),
        _ => vec![(1..=count).collect()],
    };
    let forms = modules.iter().flat_map(|modules| {
        let ordered = threads.iter().map(|threads| in_order(of, modules, threads));
        ordered.map(|scenario| renumbered(&with_numbered_events(scenario)))
    });
    // Each text is made once.
    let texts = forms.map(|form| (program(&form), form));
    let least = texts.min_by(|(one, _), (other, _)| one.cmp(other));
    least.map_or_else(|| of.clone(), |(_, form)| form)
}

/// The text of a scenario without what only a reader needs.
#[must_use]
pub fn program(scenario: &Scenario) -> String {
    let nameless = Scenario {
        name: String::new(),
        summary: String::new(),
        ..scenario.clone()
    };
    nameless.to_toml()
}

fn in_order(of: &Scenario, modules: &[u8], threads: &[u8]) -> Scenario {
    let place = |&number: &u8| usize::from(number) - 1;
    let mut ordered = of.clone();
    let placed = modules.iter().map(place);
    ordered.modules = placed.map(|at| of.modules[at].clone()).collect();
    let placed = threads.iter().map(place);
    ordered.threads = placed.map(|at| of.threads[at].clone()).collect();
    ordered
}

/// Events as they come, from `e1`; those that nothing names are gone, and so are such locks.
fn with_numbered_events(mut scenario: Scenario) -> Scenario {
    let mut events: BTreeMap<String, String> = BTreeMap::new();
    let mut locks = Vec::new();
    for op in scenario.operations_mut() {
        match op {
            Op::Set(event) | Op::Await(event) => {
                let next = format!("e{}", events.len() + 1);
                let name = events.entry(event.clone()).or_insert(next);
                event.clone_from(name);
            }
            Op::Lock(lock) => locks.push(lock.clone()),
            _ => {}
        }
    }
    scenario.events = (1..=events.len())
        .map(|number| format!("e{number}"))
        .collect();
    scenario.locks.retain(|lock| locks.contains(lock));
    scenario.spin_locks.retain(|lock| locks.contains(lock));
    scenario
}

#[cfg(test)]
mod tests {
    use super::{canonical, program};
    use nmr_models::scenario::Scenario;
    use std::path::Path;

    fn scenario(text: &str) -> Scenario {
        let text = format!("name = \"s\"\nsummary = \"s\"\n{text}");
        Scenario::from_toml(Path::new("s.toml"), &text).unwrap_or_else(|error| panic!("{error}"))
    }

    const ONE: &str = r#"
        events = ["e7"]
        before = ["register b"]
        [[module]]
        name = "a"
        side = "client"
        detach = "pending"
        [[module]]
        name = "b"
        side = "client"
        [[thread]]
        name = "x"
        ops = ["deregister b", "set e7"]
        [[thread]]
        name = "y"
        ops = ["await e7", "register a"]
    "#;

    const OTHER: &str = r#"
        events = ["told"]
        before = ["register one"]
        [[module]]
        name = "one"
        side = "client"
        [[module]]
        name = "two"
        side = "client"
        detach = "pending"
        [[thread]]
        name = "late"
        ops = ["await told", "register two"]
        [[thread]]
        name = "early"
        ops = ["deregister one", "set told"]
    "#;

    #[test]
    fn names_and_order_make_no_difference() {
        let one = canonical(&scenario(ONE));
        assert_eq!(program(&one), program(&canonical(&scenario(OTHER))));
        assert_eq!(canonical(&one), one);
    }

    #[test]
    fn what_is_done_makes_one() {
        let changed = OTHER.replace(
            "\"deregister one\", \"set told\"",
            "\"set told\", \"deregister one\"",
        );
        let changed = canonical(&scenario(&changed));
        assert_ne!(program(&canonical(&scenario(ONE))), program(&changed));
    }
}
