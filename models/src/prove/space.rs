//! All programs of a size, by their numbers.

use std::collections::HashMap;

use super::act::Act;
use super::behaviours::Ground;
use super::cast::casts;
use super::facts::Facts;
use super::program::{Behaviour, Member, Program};
use super::size::Size;
use super::skeletons::skeletons;

/// The programs of a size, each once, in an order that hangs on nothing but the size. Any of them is there at once,
/// so that shares of them can be taken, and a run gone on with.
pub struct Space {
    size: Size,
    skeletons: Vec<Numbered>,
    /// The behaviours of skeletons that agree in what these hang on.
    behaviours: Vec<Vec<Behaviour>>,
    len: u64,
}

struct Numbered {
    /// The number of its first program.
    first: u64,
    cast: Vec<Member>,
    threads: Vec<Vec<Act>>,
    /// Which of the behaviours it has.
    behaviours: usize,
}

impl Space {
    /// All programs of a size.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let mut space = Self {
            size,
            skeletons: Vec::new(),
            behaviours: Vec::new(),
            len: 0,
        };
        let mut known = HashMap::new();
        for cast in casts(&size) {
            for skeleton in skeletons(&size, &cast) {
                let ground = Ground {
                    facts: Facts::new(&cast.members, &skeleton.threads),
                    renamings: skeleton
                        .fixed_by
                        .iter()
                        .map(|&it| cast.renamings[it].clone())
                        .collect(),
                    cast: cast.members.clone(),
                };
                let behaviours = *known.entry(ground).or_insert_with_key(|ground| {
                    space.behaviours.push(ground.behaviours(&size));
                    space.behaviours.len() - 1
                });
                let count = space.behaviours[behaviours].len() as u64;
                if count > 0 {
                    space.skeletons.push(Numbered {
                        first: space.len,
                        cast: cast.members.clone(),
                        threads: skeleton.threads,
                        behaviours,
                    });
                    space.len += count;
                }
            }
        }
        space
    }

    /// The size.
    #[must_use]
    pub const fn size(&self) -> &Size {
        &self.size
    }

    /// How many programs there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The program of that number, from 0.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn program(&self, number: u64) -> Program {
        assert!(number < self.len, "there are {} programs", self.len);
        let after = self
            .skeletons
            .partition_point(|skeleton| skeleton.first <= number);
        let skeleton = &self.skeletons[after - 1];
        let behaviour = (number - skeleton.first) as usize;
        Program {
            cast: skeleton.cast.clone(),
            threads: skeleton.threads.clone(),
            behaviour: self.behaviours[skeleton.behaviours][behaviour].clone(),
        }
    }
}
