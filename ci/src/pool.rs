//! Tasks on a few threads, their answers in the order of the tasks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

/// Runs `task` on each item, `width` at a time, and hands the answers to `each` in the order of the
/// items, each as soon as all before it are there. An item without an answer is left out.
pub fn in_order<T: Sync, A: Send>(
    width: usize,
    items: &[T],
    task: impl Fn(&T) -> Option<A> + Sync,
    mut each: impl FnMut(A),
) {
    let next = AtomicUsize::new(0);
    let (send, receive) = channel();
    thread::scope(|scope| {
        for _ in 0..width.min(items.len()) {
            let (send, next, task) = (send.clone(), &next, &task);
            scope.spawn(move || {
                while let Some((index, item)) = take(next, items) {
                    let answer = task(item);
                    if send.send((index, answer)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, answer) in receive {
            early.insert(index, answer);
            while let Some(answer) = early.remove(&due) {
                due += 1;
                answer.into_iter().for_each(&mut each);
            }
        }
    });
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, items.get(index)?))
}

#[cfg(test)]
mod tests {
    use super::in_order;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn answers_come_in_the_order_of_the_items() {
        // The first item is done last: it waits for the other thread to be through with the rest.
        let items: Vec<usize> = (0..20).collect();
        let done = AtomicUsize::new(0);
        let task = |&item: &usize| {
            while item == 0 && done.load(Ordering::SeqCst) < items.len() - 1 {
                std::thread::yield_now();
            }
            done.fetch_add(1, Ordering::SeqCst);
            (item % 5 != 3).then_some(item)
        };
        let mut answers = Vec::new();
        in_order(2, &items, task, |answer| answers.push(answer));
        let expected: Vec<usize> = items.iter().copied().filter(|item| item % 5 != 3).collect();
        assert_eq!(answers, expected);
    }

    #[test]
    fn so_many_at_a_time_as_allowed() {
        // Hangs unless two tasks run together; finds a third one that does.
        let together = Barrier::new(2);
        let running = AtomicUsize::new(0);
        let task = |_: &()| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            together.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            Some(now)
        };
        let mut most = 0;
        in_order(2, &[(); 8], task, |now| most = most.max(now));
        assert_eq!(most, 2);
    }

    #[test]
    fn nothing_to_do_is_done() {
        in_order(2, &[], |_: &()| Some(()), |()| panic!("there is no item"));
    }
}
