//! What checkpoints of `nmr prove` add up to. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nmr_models::prove::Size;
use nmr_models::prove::Space;
use nmr_models::prove::Totals;
use nmr_models::prove::checkpoint::Checkpoint;
use nmr_models::report::Verdict;

use crate::words;

/// A line for each size and number of shards: shards of another version, or under other conditions, are not added up.
pub(super) fn text(proofs: Vec<Checkpoint>) -> String {
    let mut all: BTreeMap<(String, u32), BTreeMap<u32, Checkpoint>> = BTreeMap::new();
    for proof in proofs {
        let shard = proof.shard();
        let shares = all.entry((proof.of(), shard.count())).or_default();
        // Of a share that is there twice, the one that is further.
        let there = shares.get(&shard.index());
        if there.is_none_or(|there| there.totals.programs < proof.totals.programs) {
            shares.insert(shard.index(), proof);
        }
    }
    let mut text = String::new();
    for ((_, count), shares) in all {
        let mut totals = Totals::default();
        for share in shares.values() {
            totals.merge(share.totals.clone());
        }
        let size = shares.values().next().map_or("", |share| share.size());
        let of = Size::named(size).map_or(u64::MAX, |size| Space::new(size).len());
        let verdict = match totals.verdict(of) {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Violated => format!("{} violated", words::count(totals.violated)),
            Verdict::Incomplete => "incomplete".to_owned(),
            Verdict::HarnessError => "the harness failed".to_owned(),
        };
        writeln!(
            text,
            "prove {size}: {} of {count} shards, {} of {}: {verdict}",
            shares.len(),
            words::count(totals.programs),
            words::plural(of, "program"),
        )
        .expect("it is text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Checkpoint, Size, text};
    use nmr_models::conditions::Conditions;
    use nmr_models::prove::checkpoint::About;

    fn share(index: u32, programs: u64) -> Checkpoint {
        let shard = format!("{index}/2").parse().expect("a shard");
        let about = About::new(&Size::CALLS, shard, Conditions::default());
        let mut share = Checkpoint::new(about);
        share.totals.programs = programs;
        share
    }

    #[test]
    fn shares_add_up_whatever_their_order_and_how_often_they_are_there() {
        let [one, other] = [share(1, 7_793), share(2, 7_793)];
        let whole = "prove calls: 2 of 2 shards, 15,586 of 15,586 programs: holds\n";
        assert_eq!(text(vec![one.clone(), other.clone()]), whole);
        assert_eq!(
            text(vec![other, one.clone(), share(2, 9), one.clone()]),
            whole
        );
        let part = "prove calls: 1 of 2 shards, 7,793 of 15,586 programs: incomplete\n";
        assert_eq!(text(vec![one]), part);
    }
}
