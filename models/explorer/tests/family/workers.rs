//! Several workers come to the same as one.

use super::explored::{builder, explored};
use super::generator::family;

#[test]
fn verdict_ends_and_states_do_not_depend_on_the_number_of_workers() {
    for program in family().iter().step_by(8) {
        let alone = explored(program, builder(program));
        for workers in [2, 3] {
            let found = explored(program, builder(program).workers(workers));
            let about = format!("{program:?}\n{}\n{}", alone.report, found.report);
            assert_eq!(found.sticks(), alone.sticks(), "{about}");
            if alone.sticks() == Ok(Some(true)) {
                continue;
            }
            assert_eq!(found.finals, alone.finals, "{about}");
            // That the main thread waits for the others in some order makes them less than alike: which
            // states are met depends on who is first.
            if program.alike == 0 {
                assert_eq!(found.report.states, alone.report.states, "{about}");
            }
        }
    }
}
