//! The threads of programs, without what callbacks do: every set of sequences of operations, each once up to
//! renaming.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::act::{Act, Verb};
use super::cast::Cast;
use super::facts::{Modules, Uses, is_well_formed};
use super::size::Size;

/// The threads of programs.
#[derive(Clone, Debug)]
pub(super) struct Skeleton {
    pub(super) threads: Vec<Vec<Act>>,
    /// The renamings of its cast that leave the threads as they are, by their numbers.
    pub(super) fixed_by: Vec<usize>,
}

/// All well-formed skeletons of a cast, the shortest first.
///
/// Threads are a set: they are ordered by their sequences, which are ordered by length. Of the skeletons that are the
/// same up to a renaming of modules the least stands for all.
pub(super) fn skeletons(size: &Size, cast: &Cast) -> Vec<Skeleton> {
    let sequences = sequences(size, cast.members.len());
    let numbers: HashMap<&[Act], usize> = (sequences.iter().zip(0..))
        .map(|(sequence, number)| (sequence.as_slice(), number))
        .collect();
    let renamed = |places: &Vec<u8>| {
        let of = |sequence: &Vec<Act>| {
            let renamed: Vec<_> = sequence.iter().map(|act| act.renamed(places)).collect();
            numbers[renamed.as_slice()]
        };
        sequences.iter().map(of).collect()
    };
    let mut search = Search {
        size,
        modules: cast.members.len(),
        sequences: &sequences,
        uses: sequences.iter().map(|ops| Uses::new(ops)).collect(),
        renamed: cast.renamings.iter().map(renamed).collect(),
        found: Vec::new(),
    };
    search.extend(&mut Chosen::default(), size.operations_in_all);
    search.found
}

/// Every sequence of operations that a thread may have, the shortest first.
fn sequences(size: &Size, modules: usize) -> Vec<Vec<Act>> {
    let verbs = size.verbs.iter();
    let acts: Vec<Act> = verbs
        .flat_map(|&verb: &Verb| {
            let on = if verb.has_module() { modules as u8 } else { 1 };
            (0..on).map(move |module| Act::new(verb, module))
        })
        .collect();
    let mut all: Vec<Vec<Act>> = Vec::new();
    let mut longest: Vec<Vec<Act>> = vec![Vec::new()];
    for _ in 0..size.operations.min(size.operations_in_all) {
        let longer = longest.iter().flat_map(|sequence| {
            acts.iter()
                .map(move |&act| [sequence.as_slice(), &[act]].concat())
        });
        longest = longer.collect();
        all.extend(longest.iter().cloned());
    }
    all
}

struct Search<'a> {
    size: &'a Size,
    modules: usize,
    sequences: &'a [Vec<Act>],
    uses: Vec<Uses>,
    /// For each renaming what becomes of each sequence.
    renamed: Vec<Vec<usize>>,
    found: Vec<Skeleton>,
}

/// The sequences of the threads so far.
#[derive(Default)]
struct Chosen {
    numbers: Vec<usize>,
    uses: Vec<Uses>,
}

impl Search<'_> {
    fn extend(&mut self, chosen: &mut Chosen, left: usize) {
        if is_well_formed(self.modules, &chosen.uses) {
            self.take(&chosen.numbers);
        }
        if chosen.numbers.len() == self.size.threads {
            return;
        }
        let registered = chosen
            .uses
            .iter()
            .fold(0, |all: Modules, uses| all | uses.registered);
        let from = chosen.numbers.last().copied().unwrap_or_default();
        for next in from..self.sequences.len() {
            let Some(left) = left.checked_sub(self.sequences[next].len()) else {
                return;
            };
            // Those that are not registered yet take an operation each.
            let all = registered | self.uses[next].registered;
            if self.modules - all.count_ones() as usize > left {
                continue;
            }
            chosen.numbers.push(next);
            chosen.uses.push(self.uses[next]);
            self.extend(chosen, left);
            chosen.numbers.pop();
            chosen.uses.pop();
        }
    }

    fn take(&mut self, chosen: &[usize]) {
        let mut fixed_by = Vec::new();
        for (number, renamed) in self.renamed.iter().enumerate() {
            let mut other: Vec<usize> = chosen.iter().map(|&index| renamed[index]).collect();
            other.sort_unstable();
            match other.as_slice().cmp(chosen) {
                Ordering::Less => return,
                Ordering::Equal => fixed_by.push(number),
                Ordering::Greater => {}
            }
        }
        let threads = chosen.iter().map(|&index| self.sequences[index].clone());
        self.found.push(Skeleton {
            threads: threads.collect(),
            fixed_by,
        });
    }
}
