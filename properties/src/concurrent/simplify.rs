//! What is simpler than a failing scenario: fewer threads, modules and operations, plainer modules.
//! Every variant is valid and fair.

use std::collections::BTreeMap;

use nmr::Side;
use nmr_models::op::Op;
use nmr_models::scenario::{Attach, Cleanup, Detach, Limits, Module, Scenario};

use super::fair;
use crate::minimize::{Variants, without_runs};

/// The simpler variants, the boldest first.
pub fn variants(of: &Scenario) -> Variants<'_, Scenario> {
    let threads = (0..of.threads.len()).map(move |index| {
        with(of, |s| {
            s.threads.remove(index);
        })
    });
    let modules = of
        .modules
        .iter()
        .map(|module| without_module(of, &module.name));
    let limits = std::iter::once_with(move || with(of, |s| s.limits = Limits::default()));
    let one_limit = LIMITS
        .into_iter()
        .map(move |clear| with(of, |s| clear(&mut s.limits)));
    let all = threads
        .chain(modules)
        .chain(limits)
        .chain(one_limit)
        .chain(shorter(of))
        .chain(plainer(of));
    Box::new(
        all.map(fair::mended)
            .filter(move |variant| size(variant) < size(of) && fair::is_fair(variant)),
    )
}

fn with(of: &Scenario, change: impl FnOnce(&mut Scenario)) -> Scenario {
    let mut variant = of.clone();
    change(&mut variant);
    variant
}

const LIMITS: [fn(&mut Limits); 4] = [
    |limits| limits.max_registrations = None,
    |limits| limits.max_bindings = None,
    |limits| limits.fail_reservation = None,
    |limits| limits.last_generation = None,
];

/// One of the lists of operations.
type List = Box<dyn Fn(&mut Scenario) -> &mut Vec<Op>>;

fn lists(of: &Scenario) -> Vec<List> {
    let mut lists: Vec<List> = vec![Box::new(|s| &mut s.after), Box::new(|s| &mut s.before)];
    for index in 0..of.threads.len() {
        lists.push(Box::new(move |s| &mut s.threads[index].ops));
    }
    for index in 0..of.modules.len() {
        for script in 0..of.modules[index].scripts().len() {
            let list: List = Box::new(move |s| {
                let scripts = s.modules[index].scripts_mut();
                scripts.into_iter().nth(script).expect("one of them")
            });
            lists.push(list);
        }
    }
    lists
}

fn shorter(of: &Scenario) -> impl Iterator<Item = Scenario> {
    lists(of).into_iter().flat_map(move |list| {
        let ops = list(&mut of.clone()).clone();
        let fewer: Vec<_> = without_runs(&ops).collect();
        fewer
            .into_iter()
            .map(move |ops| with(of, |s| *list(s) = ops))
    })
}

fn without_module(of: &Scenario, name: &str) -> Scenario {
    let mut variant = of.clone();
    variant.modules.retain(|module| module.name != name);
    for list in lists(&variant) {
        list(&mut variant).retain(|op| op.module() != Some(name));
    }
    variant.threads.retain(|thread| !thread.ops.is_empty());
    variant
}

fn plainer(of: &Scenario) -> impl Iterator<Item = Scenario> {
    let changes: [fn(&mut Module); 8] = [
        |module| {
            *module = Module::new(module.name.clone(), module.side, module.npi);
        },
        |module| module.attach = Attach::default(),
        |module| module.detach = Detach::default(),
        |module| module.detach = Detach::Pending,
        |module| module.cleanup = Cleanup::default(),
        |module| module.null_context = false,
        |module| module.npi = 1,
        |module| module.peers.clear(),
    ];
    (0..of.modules.len()).flat_map(move |index| {
        let changes = changes.into_iter();
        changes.map(move |change| with(of, |s| change(&mut s.modules[index])))
    })
}

/// The same scenario with its modules and threads numbered as they come, so that failures which are
/// the same look the same.
#[must_use]
pub fn renumbered(of: &Scenario) -> Scenario {
    let mut variant = of.clone();
    let (mut clients, mut providers) = (1.., 1..);
    let renamed: BTreeMap<String, String> = of
        .modules
        .iter()
        .map(|module| {
            let (letter, numbers) = match module.side {
                Side::Client => ('c', &mut clients),
                Side::Provider => ('p', &mut providers),
            };
            let number: u32 = numbers.next().expect("there are few");
            (module.name.clone(), format!("{letter}{number}"))
        })
        .collect();
    for module in &mut variant.modules {
        module.name.clone_from(&renamed[&module.name]);
        for peer in &mut module.peers {
            peer.clone_from(&renamed[peer]);
        }
    }
    for (index, thread) in variant.threads.iter_mut().enumerate() {
        thread.name = format!("t{}", index + 1);
    }
    for list in lists(of) {
        for op in list(&mut variant) {
            op.rename(|name| renamed[name].clone());
        }
    }
    variant
}

/// How much there is to read: what is simpler has less.
#[must_use]
pub fn size(scenario: &Scenario) -> usize {
    let limits = scenario.limits;
    let limits = usize::from(limits.max_registrations.is_some())
        + usize::from(limits.max_bindings.is_some())
        + usize::from(limits.fail_reservation.is_some())
        + usize::from(limits.last_generation.is_some());
    let module = |module: &Module| {
        let detach = match module.detach {
            Detach::Complete => 0,
            Detach::Pending => 1,
            _ => 2,
        };
        10 + detach
            + usize::from(module.attach != Attach::default())
            + usize::from(module.cleanup != Cleanup::default())
            + usize::from(module.null_context)
            + usize::from(module.npi != 1)
            + module.peers.len()
            + 2 * module.scripts().map(Vec::len).iter().sum::<usize>()
    };
    let modules: usize = scenario.modules.iter().map(module).sum();
    let threads: usize = scenario
        .threads
        .iter()
        .map(|thread| 5 + 2 * thread.ops.len())
        .sum();
    limits + modules + threads + scenario.before.len() * 2 + scenario.after.len()
}
