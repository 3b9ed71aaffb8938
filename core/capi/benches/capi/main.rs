//! What the C functions cost beside the Rust API: the workloads W1 to W6 of `core/benches/registrar.rs` through both.
//!
//! Each sample is measured through both, one right after the other, the first one changing from sample to sample;
//! criterion is told the time of the C functions. At the end comes a table of the medians of both and of the ratio of
//! the samples, and the exit code is 1 if a ratio is more than is asked. Two more workloads have contexts and dispatch tables
//! that are not null, as most modules do; the C functions allocate for those, the Rust API's modules do so themselves.
//!
//! `cargo bench -p nmr-capi` for all, `cargo bench -p nmr-capi -- W1` for one.

#[cfg(not(any(loom, shuttle)))]
mod sides;

#[cfg(not(any(loom, shuttle)))]
fn main() -> std::process::ExitCode {
    bench::main()
}

#[cfg(any(loom, shuttle))]
fn main() {
    eprintln!("time is measured on real threads: build without --cfg loom and --cfg shuttle");
}

#[cfg(not(any(loom, shuttle)))]
mod bench {
    use std::process::ExitCode;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use criterion::{Criterion, SamplingMode, Throughput};

    use crate::sides::{C, Rust, Side, Visitor};

    const PROVIDERS: u32 = 100;
    /// The most that the C functions may take, as a multiple of the Rust API.
    const ASKED: f64 = 1.15;

    /// One workload through one side.
    type Run<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

    /// `pairs` times register, deregister and wait.
    fn visit<S: Side>(visitor: &Visitor<S>, pairs: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..pairs {
            let handle = visitor.come();
            visitor.leave(handle);
            visitor.wait(handle);
        }
        start.elapsed()
    }

    /// `pairs` times register and deregister; the wait in between is not counted.
    fn visit_without_wait<S: Side>(visitor: &Visitor<S>, pairs: u64) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..pairs {
            let start = Instant::now();
            let handle = visitor.come();
            visitor.leave(handle);
            total += start.elapsed();
            visitor.wait(handle);
        }
        total
    }

    /// `threads` threads, each with a visitor of its own, from the first one's start to the last one's end. See
    /// `core/benches/registrar.rs`.
    fn visit_together<S: Side>(threads: usize, shared: bool, pairs: u64) -> Duration {
        let side = S::new();
        let ready = AtomicUsize::new(0);
        let run = |thread: usize| {
            let npi = if shared { 1 } else { thread as u32 };
            if npi != 1 || thread == 1 {
                side.add_provider(npi);
            }
            let visitor = side.visitor(npi, false);
            visit(&visitor, 1);
            ready.fetch_add(1, Ordering::SeqCst);
            while ready.load(Ordering::SeqCst) < threads {
                std::hint::spin_loop();
            }
            let begun = Instant::now();
            visit(&visitor, pairs);
            (begun, Instant::now())
        };
        let times: Vec<_> = thread::scope(|scope| {
            let run = &run;
            let threads: Vec<_> = (1..=threads)
                .map(|thread| scope.spawn(move || run(thread)))
                .collect();
            let times = threads.into_iter().map(|thread| thread.join());
            times.map(|time| time.expect("no panic")).collect()
        });
        let begun = times.iter().map(|(begun, _)| *begun).min();
        let ended = times.iter().map(|(_, ended)| *ended).max();
        ended.expect("there are threads") - begun.expect("there are threads")
    }

    /// A visitor of a side with `providers` providers on its interface and `idle` modules on others.
    fn alone<'a, S: Side + 'a>(providers: u32, idle: u32, with_contexts: bool) -> Run<'a> {
        let side = S::new();
        side.add_idle(idle);
        for _ in 0..providers {
            if with_contexts {
                side.add_provider_with_contexts(1);
            } else {
                side.add_provider(1);
            }
        }
        let visitor = side.visitor(1, with_contexts);
        Box::new(move |pairs| {
            let _ = &side;
            if providers == PROVIDERS {
                visit_without_wait(&visitor, pairs)
            } else {
                visit(&visitor, pairs)
            }
        })
    }

    fn together<'a, S: Side + 'a>(threads: usize, shared: bool) -> Run<'a> {
        Box::new(move |pairs| visit_together::<S>(threads, shared, pairs))
    }

    struct Row {
        name: &'static str,
        rust: f64,
        c: f64,
        ratio: f64,
        asked: bool,
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    /// Measures a workload through both sides; `None` if it is not chosen.
    fn measure(
        criterion: &mut Criterion,
        name: &'static str,
        elements: u32,
        asked: bool,
        make: impl Fn() -> (Run<'static>, Run<'static>),
    ) -> Option<Row> {
        let mut samples = Vec::new();
        let mut runs = None;
        let mut group = criterion.benchmark_group("capi");
        group.throughput(Throughput::Elements(elements.into()));
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function(name, |bencher| {
            // Made for who is chosen only.
            let (rust, c) = runs.get_or_insert_with(&make);
            bencher.iter_custom(|pairs| {
                let (of_rust, of_c);
                if samples.len() % 2 == 0 {
                    of_rust = rust(pairs);
                    of_c = c(pairs);
                } else {
                    of_c = c(pairs);
                    of_rust = rust(pairs);
                }
                let each =
                    |time: Duration| time.as_secs_f64() * 1e9 / pairs as f64 / f64::from(elements);
                samples.push((each(of_rust), each(of_c)));
                of_c
            });
        });
        group.finish();
        if samples.is_empty() {
            return None;
        }
        // What warms up is among them; a median does not mind.
        Some(Row {
            name,
            rust: median(samples.iter().map(|(rust, _)| *rust).collect()),
            c: median(samples.iter().map(|(_, c)| *c).collect()),
            ratio: median(samples.iter().map(|(rust, c)| c / rust).collect()),
            asked,
        })
    }

    pub(super) fn main() -> ExitCode {
        let mut criterion = Criterion::default()
            .sample_size(500)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .configure_from_args();
        let criterion = &mut criterion;
        let mut rows = Vec::new();
        for (name, elements, providers, idle, contexts) in [
            ("W1 alone", 1, 0, 0, false),
            ("W2 one provider", 1, 1, 0, false),
            ("W3 1,000 idle", 1, 1, 1_000, false),
            ("W4 10,000 idle", 1, 1, 10_000, false),
            ("W5 100 providers", PROVIDERS, PROVIDERS, 0, false),
            ("W2 with contexts", 1, 1, 0, true),
            ("W5 with contexts", PROVIDERS, PROVIDERS, 0, true),
        ] {
            rows.extend(measure(criterion, name, elements, !contexts, || {
                (
                    alone::<Rust>(providers, idle, contexts),
                    alone::<C>(providers, idle, contexts),
                )
            }));
        }
        for (name, threads, shared) in [
            ("W6 one thread", 1, false),
            ("W6 two threads", 2, false),
            ("W6 two threads on one interface", 2, true),
        ] {
            rows.extend(measure(criterion, name, threads, true, || {
                let threads = threads as usize;
                (
                    together::<Rust>(threads, shared),
                    together::<C>(threads, shared),
                )
            }));
        }
        criterion.final_summary();
        report(&rows)
    }

    fn report(rows: &[Row]) -> ExitCode {
        println!(
            "{:32} {:>9} {:>9} {:>6}  asked",
            "workload, ns each", "Rust", "C", "C/Rust"
        );
        let mut met = true;
        for row in rows {
            let verdict = match (row.asked, row.ratio <= ASKED) {
                (false, _) => "",
                (true, true) => "at most 1.15",
                (true, false) => "at most 1.15  not met",
            };
            met &= !row.asked || row.ratio <= ASKED;
            println!(
                "{:32} {:9.1} {:9.1} {:6.3}  {verdict}",
                row.name, row.rust, row.c, row.ratio
            );
        }
        if met {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
