//! A registration that is dropped while its thread unwinds deregisters and waits, whatever the other threads are in: what
//! the panic said is reported, and the process lives.
#![cfg(shuttle)]

use std::sync::Arc;

use nmr::{
    Attachment, BindingContext, BindingHandle, ClientModule, Detach, ModuleId, NpiId, Offer,
    ProviderModule, Registrar, RegistrationInstance, Status,
};
use nmr_explorer::{Counterexample, Explorer, Replayed, Verdict, Violation};
use nmr_sync::{Monitor, thread};

/// Takes each provider, and says when its attach callback has begun.
struct Client(Arc<Monitor<bool>>);

impl ClientModule for Client {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        self.0.enter_then_notify(|begun| {
            *begun = true;
            ((), true)
        });
        nmr_sync::linger();
        let attached = offer.attach(Attachment::default());
        attached.map(drop).map_err(|error| error.status())
    }

    fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        Detach::Complete
    }
}

/// Takes each client, and detaches so.
struct Provider(fn() -> Detach);

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
        (self.0)()
    }
}

fn named(module: u128) -> RegistrationInstance {
    RegistrationInstance::new(NpiId(1), ModuleId(module))
}

/// The main thread panics with a client's registration on its stack, while another thread is in the client's callback.
fn program(detach: fn() -> Detach) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        let registrar = Registrar::new();
        let begun = Arc::new(Monitor::new(false));
        let client = Client(begun.clone());
        let _client = registrar.client(named(1), Arc::new(client)).unwrap();
        let provider = {
            let registrar = registrar.clone();
            thread::spawn(move || {
                let provider = Provider(detach);
                let provider = registrar.provider(named(2), Arc::new(provider)).unwrap();
                drop(provider);
            })
        };
        begun.wait_until(|begun| begun.then_some(()));
        drop(provider);
        panic!("the first failure");
    }
}

/// What one worker and three find.
fn found(program: impl Fn() + Clone + Send + Sync + 'static) -> [Counterexample; 2] {
    [1, 3].map(|workers| {
        let report = Explorer::builder().workers(workers).check(program.clone());
        let Verdict::Violated(found) = &report.verdict else {
            panic!("{report}");
        };
        let again = Explorer::replay(program.clone(), &found.schedule);
        let Replayed::Violated(again) = again.outcome else {
            panic!("{again:?} after {report}");
        };
        assert_eq!(again.violation, found.violation, "{report}");
        found.clone()
    })
}

#[test]
fn a_registration_that_is_dropped_while_its_thread_unwinds_hides_nothing() {
    for found in found(program(|| Detach::Complete)) {
        assert_eq!(found.message(), "the first failure");
    }
}

#[test]
fn a_registration_whose_end_never_comes_does_not_hide_what_its_thread_said() {
    for found in found(program(|| Detach::Pending)) {
        let Violation::Panic(panic) = &found.violation else {
            panic!("{found:?}");
        };
        assert_eq!(panic.message, "the first failure", "{found:?}");
        let then = panic.then.as_deref().expect("it is stuck");
        assert!(then.starts_with("deadlock: "), "{then}");
        assert!(then.contains("thread main sleeps on condvar "), "{then}");
    }
}
