//! The modules of programs, without their names: so many of each side on each interface; and which of them may
//! take each other's places.

use nmr::Side;

use super::program::Member;
use super::size::Size;

/// Modules, clients first, and every renaming that keeps sides, and keeps on one interface what is on one.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    pub(super) members: Vec<Member>,
    /// For each renaming the places of the modules. The first one changes nothing.
    pub(super) renamings: Vec<Vec<u8>>,
}

/// How many clients and providers an interface has.
type Count = (usize, usize);

/// All casts of a size, each up to renaming: interfaces are ordered by how many modules they have.
pub(super) fn casts(size: &Size) -> Vec<Cast> {
    let most = size.modules_a_side;
    let one: Vec<Count> = (0..=most)
        .flat_map(|clients| (0..=most).map(move |providers| (clients, providers)))
        .filter(|&(clients, providers)| clients + providers > 0)
        .collect();
    let mut all: Vec<Vec<Count>> = Vec::new();
    let mut longest: Vec<Vec<Count>> = vec![Vec::new()];
    for _ in 0..size.interfaces {
        let longer = longest.iter().flat_map(|counts| {
            let last = counts.last().copied();
            let next = one
                .iter()
                .filter(move |&&next| last.is_none_or(|last| next <= last));
            next.map(|&next| [counts.as_slice(), &[next]].concat())
        });
        longest = longer.filter(|counts| fits(size, counts)).collect();
        all.extend(longest.iter().cloned());
    }
    let mut numbered: Vec<(&[u8], &Vec<Count>)> = Vec::new();
    for numbers in size.numbers {
        for counts in all.iter().filter(|counts| counts.len() <= numbers.len()) {
            let one = (&numbers[..counts.len()], counts);
            if !numbered.contains(&one) {
                numbered.push(one);
            }
        }
    }
    let casts = numbered.into_iter();
    casts
        .map(|(numbers, counts)| Cast::new(counts, numbers))
        .collect()
}

fn fits(size: &Size, counts: &[Count]) -> bool {
    let clients: usize = counts.iter().map(|count| count.0).sum();
    let providers: usize = counts.iter().map(|count| count.1).sum();
    clients.max(providers) <= size.modules_a_side && clients + providers <= size.modules
}

impl Cast {
    fn new(counts: &[Count], numbers: &[u8]) -> Self {
        let of = |side, count: fn(&Count) -> usize| {
            let each = numbers.iter().zip(counts);
            each.flat_map(move |(&npi, counts)| vec![Member { side, npi }; count(counts)])
        };
        let clients = of(Side::Client, |count| count.0);
        let members: Vec<_> = clients.chain(of(Side::Provider, |count| count.1)).collect();
        Self {
            renamings: renamings(&members),
            members,
        }
    }
}

/// All renamings, in the order of their places, which begins with the one that changes nothing.
fn renamings(members: &[Member]) -> Vec<Vec<u8>> {
    let longer = |all: Vec<Vec<u8>>, _: &Member| {
        let more = |places: Vec<u8>| {
            let free = (0..members.len() as u8).filter(|place| !places.contains(place));
            let longer = free.map(|place| [places.as_slice(), &[place]].concat());
            longer.collect::<Vec<_>>()
        };
        all.into_iter().flat_map(more).collect()
    };
    let all: Vec<Vec<u8>> = members.iter().fold(vec![Vec::new()], longer);
    all.into_iter()
        .filter(|places| keeps(members, places))
        .collect()
}

fn keeps(members: &[Member], places: &[u8]) -> bool {
    let moved = |index: usize| members[usize::from(places[index])];
    let all = 0..members.len();
    all.clone().all(|one| {
        let side = members[one].side == moved(one).side;
        let is_on_one = |member: Member| member.npi != 0;
        let side = side && is_on_one(members[one]) == is_on_one(moved(one));
        let together = |other: usize| {
            (members[one].npi == members[other].npi) == (moved(one).npi == moved(other).npi)
        };
        side && all.clone().all(together)
    })
}
