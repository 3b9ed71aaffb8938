//! The smallest program that breaks the same rule.
//!
//! What is smaller is a program of its own: well formed, and with its own frame. So it has fewer threads, modules,
//! operations, limits and departures from plain modules, and whoever reads it need not ask what else was there.
//! First one thing after the other is taken away, as long as the rule breaks. That may end where nothing can be
//! taken away from, and another program is smaller all the same; so then the lighter ones of the size are tried.

use super::act::Act;
use super::callable::{fits, normal, owners};
use super::facts::{Facts, Uses, is_well_formed};
use super::program::{Manner, Program};
use super::prover::{Outcome, Prover, Violation};
use super::run::name;
use super::space::Space;
use crate::minimize::{Variants, minimize, without_pairs, without_runs};
use crate::rule::Rule;
use crate::scenario::{Attach, Cleanup, Detach, Limits};

/// The most programs that are tried by taking something away.
const TRIED: usize = 10_000;

/// The most of the lighter ones that are tried then, the lightest first.
const LIGHTER: usize = 2_000;

/// A program that breaks a rule, as small as it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterexample {
    /// The program.
    pub program: Program,
    /// What is broken by it.
    pub violation: Violation,
}

/// Makes a program small that breaks a rule; `None` if it does not.
///
/// # Panics
/// If the space has no program of that number.
#[must_use]
pub fn smallest(
    space: &Space,
    number: u64,
    rule: Option<Rule>,
    prover: &impl Prover,
) -> Option<Counterexample> {
    let name = name(space, number);
    let breaks = |program: &Program| match prover.exhaust(&program.scenario(&name, "")).outcome {
        Outcome::Violated(violation) if violation.rule == rule => Some(Counterexample {
            program: program.clone(),
            violation,
        }),
        _ => None,
    };
    let mut smallest = breaks(&space.program(number))?;
    let less = |program: &Program| match breaks(program) {
        Some(less) => {
            smallest = less;
            true
        }
        None => false,
    };
    minimize(space.program(number), smaller, less, TRIED);
    let mut lighter = lighter(space, &smallest.program).into_iter().take(LIGHTER);
    Some(
        lighter
            .find_map(|number| breaks(&space.program(number)))
            .unwrap_or(smallest),
    )
}

/// The programs that are lighter than one, the lightest first.
fn lighter(space: &Space, than: &Program) -> Vec<u64> {
    let most = weight(than);
    let weights = (0..space.len()).map(|number| (weight(&space.program(number)), number));
    let mut lighter: Vec<_> = weights.filter(|(weight, _)| *weight < most).collect();
    lighter.sort_unstable();
    lighter.into_iter().map(|(_, number)| number).collect()
}

/// The smaller programs, the boldest first.
fn smaller(of: &Program) -> Variants<'_, Program> {
    let modules = (0..of.cast.len()).map(move |module| without_module(of, module as u8));
    let threads = (0..of.threads.len())
        .map(move |thread| with(of, |program| drop(program.threads.remove(thread))));
    let operations = (0..of.threads.len()).flat_map(move |thread| {
        let ops = &of.threads[thread];
        let fewer = without_runs(ops).chain(without_pairs(ops));
        fewer.map(move |ops| with(of, |program| program.threads[thread] = ops))
    });
    let all = modules.chain(threads).chain(operations).chain(plainer(of));
    let all = all
        .map(tidied)
        .filter(move |program| weight(program) < weight(of) && is_program(program));
    Box::new(all)
}

fn with(of: &Program, change: impl FnOnce(&mut Program)) -> Program {
    let mut program = of.clone();
    change(&mut program);
    program
}

/// The program without a module, and without all that is done to it.
fn without_module(of: &Program, module: u8) -> Program {
    let others = |act: &Act| !act.is_on(module);
    let places: Vec<u8> = (0..of.cast.len() as u8)
        .map(|other| other - u8::from(other > module))
        .collect();
    with(of, |program| {
        program.cast.remove(usize::from(module));
        program.behaviour.manners.remove(usize::from(module));
        for ops in &mut program.threads {
            ops.retain(others);
            ops.iter_mut().for_each(|act| *act = act.renamed(&places));
        }
        let inside = program.behaviour.inside.as_mut();
        if inside
            .as_ref()
            .is_some_and(|it| it.module == module || !others(&it.act))
        {
            program.behaviour.inside = None;
        } else if let Some(inside) = inside {
            inside.module = places[usize::from(inside.module)];
            inside.act = inside.act.renamed(&places);
        }
    })
}

/// The program with plainer modules, or without limits.
fn plainer(of: &Program) -> impl Iterator<Item = Program> {
    const PLAINER: [fn(&mut Manner); 7] = [
        |manner| *manner = Manner::default(),
        |manner| manner.attach = Attach::Accept,
        |manner| manner.attach = Attach::Decline,
        |manner| manner.detach = Detach::Complete,
        |manner| manner.cleanup = Cleanup::Return,
        |manner| manner.null_context = false,
        |manner| manner.owned = false,
    ];
    let modules = (0..of.cast.len()).flat_map(move |module| {
        PLAINER.map(|change| with(of, |program| change(&mut program.behaviour.manners[module])))
    });
    let interfaces =
        (0..of.cast.len()).map(move |module| with(of, |program| program.cast[module].npi = 1));
    let rest: [fn(&mut Program); 3] = [
        |program| program.cast.iter_mut().for_each(|member| member.npi = 1),
        |program| program.behaviour.inside = None,
        |program| program.behaviour.limits = Limits::default(),
    ];
    let rest = rest.map(|change| with(of, change));
    modules.chain(interfaces).chain(rest)
}

/// The program without threads that do nothing, and without behaviour that cannot matter.
fn tidied(mut program: Program) -> Program {
    program.threads.retain(|ops| !ops.is_empty());
    let facts = Facts::new(&program.cast, &program.threads);
    program.behaviour = normal(&program.cast, &facts, &program.behaviour);
    program
}

fn is_program(program: &Program) -> bool {
    let Program {
        cast,
        threads,
        behaviour,
    } = program;
    let uses: Vec<_> = threads.iter().map(|ops| Uses::new(ops)).collect();
    let facts = Facts::new(cast, threads);
    !threads.is_empty()
        && is_well_formed(cast.len(), &uses)
        && fits(cast, &facts, &behaviour.manners)
        && owners(&facts, &behaviour.manners, behaviour.inside)
}

/// How much there is to read. What is smaller has less. A plain module is as good as an operation less.
fn weight(program: &Program) -> usize {
    let Program {
        cast,
        threads,
        behaviour,
    } = program;
    let operations: usize = threads.iter().map(Vec::len).sum();
    let departures: usize = behaviour.manners.iter().map(manner_weight).sum();
    let interfaces = cast.iter().filter(|member| member.npi != 1).count();
    let rest = 4 * usize::from(behaviour.inside.is_some())
        + 3 * usize::from(behaviour.limits != Limits::default());
    10 * cast.len() + 5 * threads.len() + 3 * operations + departures + interfaces + rest
}

/// Of what departs from accepting, declining is the plainest.
fn manner_weight(manner: &Manner) -> usize {
    let more = !matches!(manner.attach, Attach::Accept | Attach::Decline);
    3 * manner.departures() + usize::from(more)
}
