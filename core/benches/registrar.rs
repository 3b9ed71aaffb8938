//! What a registration costs: the workloads W1 to W6, measured by criterion.
//!
//! The callbacks do the least that they can, and modules and instances are made once and shared, so
//! that the registrar's own work is measured. What a registration holds is in `memory.rs`.
//!
//! `cargo bench -p nmr` for all, `cargo bench -p nmr -- W1` for one. `cargo nmr bench registrar` makes one
//! table of all, and compares two revisions: it compiles this file against each, so nothing is used here but
//! the registrar's public API.

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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use criterion::{Criterion, SamplingMode, Throughput};
    use nmr::{
        Attachment, BindingContext, BindingHandle, ClientModule, Detach, ModuleId, NpiId, Offer,
        ProviderModule, Registrar, RegistrationInstance, Status,
    };

    const PROVIDERS: u32 = 100;

    struct Client;

    impl ClientModule for Client {
        fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
            offer
                .attach(Attachment::default())
                .map(drop)
                .map_err(|error| error.status())
        }

        fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            Detach::Complete
        }
    }

    struct Provider;

    impl ProviderModule for Provider {
        fn attach_client(
            &self,
            _: BindingHandle,
            _: &RegistrationInstance,
            _: &Attachment,
        ) -> Result<Attachment, Status> {
            Ok(Attachment::default())
        }

        fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            Detach::Complete
        }
    }

    fn instance(npi: u128) -> Arc<RegistrationInstance> {
        Arc::new(RegistrationInstance::new(NpiId(npi), ModuleId(1)))
    }

    /// A client that comes and goes.
    struct Visitor {
        registrar: Registrar,
        instance: Arc<RegistrationInstance>,
        module: Arc<Client>,
    }

    impl Visitor {
        fn new(registrar: &Registrar, npi: u128) -> Self {
            Self {
                registrar: registrar.clone(),
                instance: instance(npi),
                module: Arc::new(Client),
            }
        }

        fn come(&self) -> nmr::ClientHandle {
            let (instance, module) = (Arc::clone(&self.instance), self.module.clone());
            let handle = self.registrar.register_client(instance, module);
            handle.expect("there is no limit")
        }

        fn leave(&self, handle: nmr::ClientHandle) {
            let begun = self.registrar.deregister_client(handle);
            begun.expect("the handle is valid");
        }

        fn wait(&self, handle: nmr::ClientHandle) {
            let waited = self.registrar.wait_for_client_deregister(handle);
            waited.expect("it is deregistering");
        }

        /// `pairs` times register, deregister and wait.
        fn visit(&self, pairs: u64) -> Duration {
            let start = Instant::now();
            for _ in 0..pairs {
                let handle = self.come();
                self.leave(handle);
                self.wait(handle);
            }
            start.elapsed()
        }

        /// `pairs` times register and deregister; the wait in between is not counted.
        fn visit_without_wait(&self, pairs: u64) -> Duration {
            let mut total = Duration::ZERO;
            for _ in 0..pairs {
                let start = Instant::now();
                let handle = self.come();
                self.leave(handle);
                total += start.elapsed();
                self.wait(handle);
            }
            total
        }
    }

    fn add_provider(registrar: &Registrar, npi: u128) {
        let added = registrar.register_provider(instance(npi), Arc::new(Provider));
        added.expect("there is no limit");
    }

    /// Modules of both sides on interfaces of their own, one after the other.
    fn add_idle(registrar: &Registrar, modules: u128) {
        for npi in 0..modules {
            let npi = 0x1_0000_0000 + npi;
            if npi % 2 == 0 {
                add_provider(registrar, npi);
            } else {
                let added = registrar.register_client(instance(npi), Arc::new(Client));
                added.expect("there is no limit");
            }
        }
    }

    /// Where threads meet.
    #[derive(Clone, Copy)]
    enum Interface {
        /// Nowhere: each has an interface of its own, with a provider of its own.
        Own,
        /// On one interface, with the one provider that it has.
        Shared,
    }

    /// `threads` threads, each with a visitor of its own, at the same time: from the first one's start
    /// to the last one's end.
    ///
    /// Each brings its own modules, made by itself, as parts of a program that know nothing of each
    /// other do; modules made side by side would share cache lines. They start by spinning, for to
    /// wake one up takes longer than many pairs.
    fn visit_together(threads: usize, interface: Interface, pairs: u64) -> Duration {
        let registrar = Registrar::new();
        let ready = AtomicUsize::new(0);
        let run = |thread: usize| {
            let npi = match interface {
                Interface::Own => thread as u128,
                Interface::Shared => 1,
            };
            if npi != 1 || thread == 1 {
                add_provider(&registrar, npi);
            }
            let visitor = Visitor::new(&registrar, npi);
            visitor.visit(1);
            ready.fetch_add(1, Ordering::SeqCst);
            while ready.load(Ordering::SeqCst) < threads {
                std::hint::spin_loop();
            }
            let begun = Instant::now();
            visitor.visit(pairs);
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

    /// Measures `name`, of which one iteration has `elements`.
    fn measure(
        criterion: &mut Criterion,
        name: &str,
        elements: u32,
        mut run: impl FnMut(u64) -> Duration,
    ) {
        let mut group = criterion.benchmark_group("registrar");
        group.throughput(Throughput::Elements(elements.into()));
        // Samples of the same length: a median of samples is then one of the time measured.
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function(name, |bencher| bencher.iter_custom(&mut run));
        group.finish();
    }

    pub(super) fn main() {
        let mut criterion = Criterion::default()
            // Many short samples: on a busy machine most of them are undisturbed.
            .sample_size(1_000)
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(3))
            .configure_from_args();
        let criterion = &mut criterion;

        let visitor = Visitor::new(&Registrar::new(), 1);
        measure(criterion, "W1 alone", 1, |pairs| visitor.visit(pairs));

        for (name, idle) in [
            ("W2 one provider", 0),
            ("W3 1,000 idle", 1_000),
            ("W4 10,000 idle", 10_000),
        ] {
            let registrar = Registrar::new();
            add_idle(&registrar, idle);
            add_provider(&registrar, 1);
            let visitor = Visitor::new(&registrar, 1);
            measure(criterion, name, 1, |pairs| visitor.visit(pairs));
        }

        let registrar = Registrar::new();
        for _ in 0..PROVIDERS {
            add_provider(&registrar, 1);
        }
        let visitor = Visitor::new(&registrar, 1);
        measure(criterion, "W5 100 providers", PROVIDERS, |pairs| {
            visitor.visit_without_wait(pairs)
        });

        for (name, threads, interface) in [
            ("W6 one thread", 1, Interface::Own),
            ("W6 two threads", 2, Interface::Own),
            ("W6 two threads on one interface", 2, Interface::Shared),
        ] {
            measure(criterion, name, threads, |pairs| {
                visit_together(threads as usize, interface, pairs)
            });
        }

        criterion.final_summary();
    }
}
