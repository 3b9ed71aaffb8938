//! Which programs there are.

#[cfg(shuttle)]
mod explored;
mod naive;
mod runs;
mod sessions;
mod shrinking;

use std::collections::BTreeSet;
use std::path::Path;

use super::{Act, Size, Space, Verb};
use crate::scenario::{Attach, Cleanup, Detach};

/// A size of next to nothing.
const TINY: Size = Size {
    name: "tiny",
    summary: "",
    modules_a_side: 1,
    modules: 2,
    interfaces: 1,
    numbers: Size::SMALL.numbers,
    threads: 2,
    operations: 2,
    operations_in_all: 3,
    verbs: &[Verb::Register, Verb::Deregister, Verb::Wait],
    attach: &[Attach::Accept],
    detach: &[Detach::Complete],
    cleanup: &[Cleanup::Return],
    providers_dispatch: false,
    owned: false,
    null_contexts: false,
    inside: &[],
    limits: false,
    departures: usize::MAX,
};

/// Small sizes that together have everything that a size can have.
const SAMPLES: [Size; 12] = [
    Size {
        attach: Size::MEDIUM.attach,
        detach: &[Detach::Complete, Detach::Pending],
        ..TINY
    },
    Size {
        operations: 3,
        verbs: Size::SMALL.verbs,
        detach: Size::SMALL.detach,
        attach: &[Attach::Accept, Attach::Hollow],
        ..TINY
    },
    Size {
        attach: &[Attach::Accept, Attach::Decline],
        null_contexts: true,
        inside: Size::SMALL.inside,
        limits: true,
        departures: 2,
        ..TINY
    },
    Size {
        modules_a_side: 2,
        modules: 3,
        interfaces: 2,
        verbs: &[Verb::Register, Verb::Deregister],
        attach: &[Attach::Accept, Attach::Decline, Attach::Twice],
        ..TINY
    },
    Size {
        modules_a_side: 2,
        modules: 3,
        threads: 3,
        verbs: &[Verb::Register],
        cleanup: Size::SMALL.cleanup,
        inside: &[Verb::Deregister],
        departures: 2,
        ..TINY
    },
    // Two of a side that may take each other's places.
    Size {
        modules_a_side: 2,
        modules: 3,
        verbs: &[
            Verb::Register,
            Verb::DeregisterWrong,
            Verb::DeregisterForged,
            Verb::WaitForged,
        ],
        ..TINY
    },
    Size {
        verbs: &[
            Verb::Register,
            Verb::Attach,
            Verb::DeregisterForeign,
            Verb::CompleteForged,
        ],
        attach: Size::CORNERS.attach,
        detach: Size::CORNERS.detach,
        ..TINY
    },
    Size {
        operations: 3,
        operations_in_all: 4,
        verbs: &[Verb::Register, Verb::Dispatch],
        attach: Size::CALLS.attach,
        detach: Size::CALLS.detach,
        providers_dispatch: true,
        ..TINY
    },
    Size {
        operations_in_all: 4,
        verbs: &[Verb::Register, Verb::Wait, Verb::Leave, Verb::Release],
        detach: &[Detach::Complete, Detach::Pending],
        owned: true,
        inside: Size::CORNERS.inside,
        departures: 1,
        ..TINY
    },
    Size {
        operations: 3,
        verbs: &[Verb::Register, Verb::Deregister, Verb::Leave, Verb::Release],
        attach: Size::CORNERS.attach,
        owned: true,
        limits: true,
        ..TINY
    },
    Size {
        threads: 1,
        operations: 5,
        operations_in_all: 5,
        verbs: &[Verb::Register, Verb::Deregister],
        attach: &[Attach::Accept, Attach::Decline],
        ..TINY
    },
    Size {
        modules_a_side: 2,
        modules: 4,
        interfaces: 2,
        operations_in_all: 4,
        verbs: &[Verb::Register],
        ..TINY
    },
];

#[test]
fn they_are_those_that_one_finds_without_any_thought() {
    for size in SAMPLES {
        let space = Space::new(size);
        let programs = (0..space.len()).map(|number| space.program(number));
        let forms: BTreeSet<_> = programs.map(|program| naive::form(&program)).collect();
        assert_eq!(
            forms.len() as u64,
            space.len(),
            "one comes twice in {size:?}"
        );
        let expected = naive::programs(&size);
        assert_eq!(forms.len(), expected.len(), "{size:?}");
        assert!(forms == expected, "{size:?}");
    }
}

/// One module, one thread, and so many operations. The first one registers. Of each later one there are two kinds,
/// or three: a wait has to have a deregister somewhere. Of n more operations there are 3ⁿ sequences of the three
/// kinds, of which those with a wait and without a deregister are left out: 3ⁿ − (2ⁿ − 1). For up to 4 operations:
/// 1 + (3 − 1) + (9 − 3) + (27 − 7) = 29, for a client and for a provider.
#[test]
fn the_programs_of_one_module_are_counted_by_hand() {
    let size = Size {
        modules: 1,
        threads: 1,
        operations: 4,
        operations_in_all: 4,
        ..TINY
    };
    assert_eq!(Space::new(size).len(), 2 * 29);
}

/// Two threads that each register one of the two modules: c and p by one each. With every attach and detach
/// behaviour there are, for a client that
/// - declines, is hollow or panics: 1 each, 3;
/// - accepts, also twice: a provider that declines or panics, or 4 · 4 ways of both to detach: 2 · 18;
/// - changes its mind or panics after it has attached: a provider that declines or panics, or its 4 ways: 2 · 6.
#[test]
fn the_behaviours_of_two_modules_are_counted_by_hand() {
    let size = Size {
        operations: 1,
        operations_in_all: 2,
        verbs: &[Verb::Register],
        ..Size::MEDIUM
    };
    let space = Space::new(size);
    let programs = (0..space.len()).map(|number| space.program(number));
    let both = programs.filter(|program| program.cast.len() == 2);
    assert_eq!(both.count(), 3 + 36 + 12);
}

#[test]
fn sizes_have_as_many_programs_as_is_said() {
    let counts = Size::ALL.map(|size| Space::new(size).len());
    assert_eq!(counts, [117_226, 15_586, 267_440, 208_560, 1_433_096]);
}

#[test]
fn programs_are_valid_scenarios() {
    for size in Size::ALL {
        let space = Space::new(size);
        for number in (0..space.len()).step_by(97) {
            let scenario = space.program(number).scenario("program", "");
            let valid = scenario.check(Path::new("program"), &scenario.to_toml());
            assert!(
                valid.is_ok(),
                "{}: {valid:?}\n{}",
                size.name,
                scenario.to_toml()
            );
        }
    }
}

#[test]
fn what_is_registered_after_the_other_has_gone_is_never_called() {
    let size = Size {
        threads: 1,
        operations: 4,
        operations_in_all: 4,
        attach: &[Attach::Accept, Attach::Panic],
        ..TINY
    };
    let space = Space::new(size);
    let programs: Vec<_> = (0..space.len())
        .map(|number| space.program(number))
        .collect();
    let [register, deregister] = [Verb::Register, Verb::Deregister];
    let apart = [(register, 0), (deregister, 0), (register, 1)];
    let together = [(register, 0), (register, 1), (deregister, 0)];
    let behaviours_of = |acts: [(Verb, u8); 3]| {
        let ops = acts.map(|(verb, module)| Act::new(verb, module));
        programs
            .iter()
            .filter(|program| program.threads == [ops.to_vec()])
            .count()
    };
    assert_eq!(behaviours_of(apart), 1);
    assert_eq!(
        behaviours_of(together),
        3,
        "the client panics, the provider, or none"
    );
}

/// Two modules that one thread registers, or one each, in one operation each: `c, p` and `p, c` in one thread, and a thread
/// each. Of interfaces that have them both there is one, with one list of numbers; on two of their own they are in five lists,
/// and with none of them on an interface that there is in two more, where the first or the second is on none. An interface that
/// is none is there with both modules, too.
#[test]
fn interfaces_are_numbered_in_each_of_the_ways() {
    let size = Size {
        interfaces: 2,
        numbers: Size::CORNERS.numbers,
        verbs: &[Verb::Register],
        ..TINY
    };
    let space = Space::new(size);
    let programs = (0..space.len()).map(|number| space.program(number));
    let both = programs.filter(|it| it.cast.len() == 2 && it.threads.iter().flatten().count() == 2);
    let (mut together, mut apart, mut on_none) = (0, 0, 0);
    for program in both {
        match [program.cast[0].npi, program.cast[1].npi] {
            [0, _] | [_, 0] => on_none += 1,
            [one, other] if one == other => together += 1,
            _ => apart += 1,
        }
    }
    assert_eq!((together, apart, on_none), (3, 5 * 3, 3 * 3));
}
