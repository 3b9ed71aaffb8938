//! What it costs to acquire and to release rundown protection, by one thread and by two at once, beside what could stand
//! in its place: a count under a `Mutex` with a `Condvar`, and a `RwLock` that users read and the owner writes.
//!
//! `cargo bench -p nmr --bench rundown`. It ends with a table of medians and their ratios to the first line of as many
//! threads.
//!
//! On two virtual cores of an Intel Xeon, with a dozen other programs that wanted them, three runs had of one thread 18 to 19 ns
//! for a pair under a `Rundown`, 25 to 27 ns (1.3 to 1.5 times as long) under `Mutex` and `Condvar`, and 17 to 19 ns under a
//! `RwLock`. Of two threads that do nothing else they had no order: 72 to 748, 61 to 1,838 and 73 to 405 ns, for there it counts
//! whether both run at the same time. A mutex, which lets one go on while the other sleeps, may well be the faster one then.

#[cfg(not(any(loom, shuttle)))]
fn main() {
    bench::main();
}

#[cfg(any(loom, shuttle))]
fn main() {
    eprintln!("time is measured on real threads: build without --cfg loom and --cfg shuttle");
}

#[cfg(not(any(loom, shuttle)))]
mod bench {
    use std::hint::{black_box, spin_loop};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use criterion::{Criterion, SamplingMode};
    use nmr::Rundown;
    use parking_lot::{Condvar, Mutex, RwLock};

    /// How often one thread acquires and releases in an iteration.
    const PAIRS: u32 = 100;

    /// Lets users in until its owner comes.
    trait Protection: Sync {
        /// Acquires, and releases again; whether it was let in.
        fn pair(&self) -> bool;
    }

    struct Guarded(Rundown);

    impl Protection for Guarded {
        fn pair(&self) -> bool {
            self.0.acquire().is_some()
        }
    }

    struct Raw(Rundown);

    impl Protection for Raw {
        fn pair(&self) -> bool {
            let acquired = self.0.try_acquire();
            if acquired {
                black_box(self.0.release());
            }
            acquired
        }
    }

    /// References, whether it is closed, and where its owner waits.
    #[derive(Default)]
    struct Counted {
        state: Mutex<(usize, bool)>,
        is_over: Condvar,
    }

    impl Protection for Counted {
        fn pair(&self) -> bool {
            let mut state = self.state.lock();
            if state.1 {
                return false;
            }
            state.0 += 1;
            drop(state);
            let mut state = self.state.lock();
            state.0 -= 1;
            if *state == (0, true) {
                self.is_over.notify_all();
            }
            true
        }
    }

    /// Whether it is open. A reader holds it as long as it uses the object.
    struct Read(RwLock<bool>);

    impl Protection for Read {
        fn pair(&self) -> bool {
            *black_box(self.0.read())
        }
    }

    /// `threads` at the same time, each so many pairs: from the first one's start to the last one's end.
    fn together(threads: usize, pairs: u64, protection: &dyn Protection) -> Duration {
        let ready = AtomicUsize::new(0);
        let run = || {
            ready.fetch_add(1, Ordering::SeqCst);
            // To wake one up takes longer than many pairs.
            while ready.load(Ordering::SeqCst) < threads {
                spin_loop();
            }
            let begun = Instant::now();
            for _ in 0..pairs {
                assert!(black_box(protection).pair());
            }
            (begun, Instant::now())
        };
        let times: Vec<_> = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
            let own = run();
            let others = others.into_iter().map(|other| other.join());
            let others = others.map(|times| times.expect("no panic"));
            others.chain([own]).collect()
        });
        let begun = times.iter().map(|(begun, _)| *begun).min();
        let ended = times.iter().map(|(_, ended)| *ended).max();
        ended.expect("there are threads") - begun.expect("there are threads")
    }

    /// The median time of a pair in nanoseconds; none if the name was not asked for.
    fn measure(
        criterion: &mut Criterion,
        name: &str,
        threads: usize,
        protection: &dyn Protection,
    ) -> Option<f64> {
        let mut samples = Vec::new();
        let mut group = criterion.benchmark_group("rundown");
        // Samples of the same length: a median of samples is then one of the time measured.
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function(format!("{name}, threads: {threads}"), |bencher| {
            bencher.iter_custom(|iterations| {
                let pairs = iterations * u64::from(PAIRS);
                let time = together(threads, pairs, protection);
                samples.push(time.as_secs_f64() * 1e9 / pairs as f64);
                time
            });
        });
        group.finish();
        samples.sort_by(f64::total_cmp);
        samples.get(samples.len() / 2).copied()
    }

    pub(super) fn main() {
        let mut criterion = Criterion::default()
            // Many short samples: on a busy machine most of them are undisturbed.
            .sample_size(500)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .configure_from_args();
        let guarded = Guarded(Rundown::new());
        let raw = Raw(Rundown::new());
        let counted = Counted::default();
        let read = Read(RwLock::new(true));
        let all: [(&str, &dyn Protection); 4] = [
            ("Rundown, guard", &guarded),
            ("Rundown, no guard", &raw),
            ("Mutex and Condvar", &counted),
            ("RwLock, read", &read),
        ];
        let mut lines = Vec::new();
        for threads in [1, 2] {
            let mut first = None;
            for (name, protection) in all {
                let Some(time) = measure(&mut criterion, name, threads, protection) else {
                    continue;
                };
                let ratio = time / *first.get_or_insert(time);
                lines.push(format!("{name:20} {threads:>7} {time:>9.1} {ratio:>6.2}"));
            }
        }
        criterion.final_summary();
        println!(
            "{:20} {:>7} {:>9} {:>6}",
            "protection", "threads", "ns/pair", "ratio"
        );
        lines.iter().for_each(|line| println!("{line}"));
    }
}
