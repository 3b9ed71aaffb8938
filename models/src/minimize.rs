//! Making a failure small: tries simpler variants until none of them fails any more.
//!
//! proptest shrinks as it generates, in one pass, and never returns to what it has tried: a wait
//! stays in a sequence because it was tried before the deregistration that it belonged to had gone.
//! Here any accepted step starts the search again, so that the result is a fixed point. What is
//! simpler is the caller's to say; this module knows nothing of cases.

/// The simpler variants of something, the boldest first.
pub type Variants<'a, T> = Box<dyn Iterator<Item = T> + 'a>;

/// Replaces `failing` by the first of its simpler variants that still `fails`, as long as there is
/// one, trying at most `budget` variants.
pub fn minimize<T>(
    mut failing: T,
    simpler: impl for<'a> Fn(&'a T) -> Variants<'a, T>,
    mut fails: impl FnMut(&T) -> bool,
    budget: usize,
) -> T {
    let mut left = budget;
    loop {
        let next = simpler(&failing).take(left).find(|variant| {
            left -= 1;
            fails(variant)
        });
        match next {
            Some(variant) => failing = variant,
            None => return failing,
        }
    }
}

/// A list without one run of its items: without long runs first, down to single items.
pub fn without_runs<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    let halves = std::iter::successors(Some(items.len()), |length| Some(length / 2));
    halves
        .take_while(|&length| length > 0)
        .flat_map(move |length| {
            let starts = (0..items.len()).step_by(length).rev();
            starts.map(move |start| {
                let end = (start + length).min(items.len());
                [&items[..start], &items[end..]].concat()
            })
        })
}

/// A list without two of its items: for those that only make sense together.
pub fn without_pairs<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    let without = |index: usize, of: &[T]| [&of[..index], &of[index + 1..]].concat();
    (0..items.len())
        .flat_map(|second| (0..second).map(move |first| (first, second)))
        .map(move |(first, second)| without(first, &without(second, items)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_left_and_nothing_else() {
        let start: Vec<u32> = (0..60).collect();
        let fails = |items: &Vec<u32>| [3, 40, 41].iter().all(|needed| items.contains(needed));
        let least = minimize(start, |items| Box::new(without_runs(items)), fails, 10_000);
        assert_eq!(least, [3, 40, 41]);
    }

    #[test]
    fn items_that_only_go_together_go_together() {
        let fails = |items: &Vec<u32>| items.contains(&1) == items.contains(&2);
        let least = minimize(
            vec![0, 1, 2],
            |items| Box::new(without_pairs(items)),
            fails,
            9,
        );
        assert_eq!(least, [0]);
    }

    #[test]
    fn no_more_variants_are_tried_than_the_budget_allows() {
        let mut tried = 0;
        let fails = |_: &u32| {
            tried += 1;
            true
        };
        let least = minimize(100, |n| Box::new((0..*n).rev()), fails, 7);
        assert_eq!((least, tried), (93, 7));
    }
}
