//! The life of a client and a provider, from registering to the last cleanup.
//!
//! A provider offers greetings; a client attaches and calls it through its dispatch table. Then the
//! provider leaves. It has a greeting under way on another thread, so that it answers its detach
//! callback with *pending* and completes when that one is done. Run it with
//! `cargo run -p nmr --example lifecycle`.

#[cfg(not(any(loom, shuttle)))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    lifecycle::run()
}

#[cfg(any(loom, shuttle))]
fn main() {
    eprintln!("this example runs on real threads: build it without --cfg loom and --cfg shuttle");
}

#[cfg(not(any(loom, shuttle)))]
mod lifecycle {
    use std::sync::mpsc::{self, Receiver};
    use std::sync::{Arc, Mutex};
    use std::thread::{self, JoinHandle};

    use nmr::{
        Attachment, BindingContext, BindingHandle, ClientModule, Detach, Dispatch, ModuleId, NpiId,
        Offer, ProviderModule, Registrar, RegistrationInstance, Status,
    };

    /// The interface that both sides were written for. Its name stands for its definition: here, that
    /// a provider's dispatch table is a `Greetings`.
    const GREETING_NPI: NpiId = NpiId(0x8f1c_65a0_0b5e_4a57_9a57_3c2f_64f0_1d02);

    /// The provider's dispatch table: the functions that a client may call while it is attached.
    struct Greetings {
        greet: fn(name: &str) -> String,
    }

    fn greet(name: &str) -> String {
        format!("Hello, {name}!")
    }

    /// What the client remembers about the provider that it is attached to: its binding context.
    struct Attached {
        greetings: Dispatch,
    }

    /// Takes the first provider that it is offered.
    #[derive(Default)]
    struct Greeter {
        attached: Mutex<Option<Arc<Attached>>>,
    }

    impl Greeter {
        fn greet(&self, name: &str) {
            match &*self.attached.lock().expect("no callback panics") {
                Some(attached) => {
                    let greetings: &Greetings = attached
                        .greetings
                        .downcast_ref()
                        .expect("the interface says what its dispatch table is");
                    println!("client:    calls greet: {}", (greetings.greet)(name));
                }
                None => println!("client:    has no provider to greet with"),
            }
        }
    }

    impl ClientModule for Greeter {
        fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
            println!("client:    is offered provider {}", offer.provider().module);
            let mut attached = self.attached.lock().expect("no callback panics");
            if attached.is_some() {
                return Err(Status::NOINTERFACE);
            }
            let provider = offer
                .attach(Attachment::default())
                .map_err(|error| error.status())?;
            *attached = Some(Arc::new(Attached {
                greetings: provider.dispatch,
            }));
            println!("client:    is attached");
            Ok(())
        }

        fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
            // The lock makes sure that no call is under way: detached at once.
            *self.attached.lock().expect("no callback panics") = None;
            println!("client:    is asked to detach: complete");
            Detach::Complete
        }

        fn cleanup_binding_context(&self, _: &BindingContext) {
            println!("client:    cleans up");
        }
    }

    /// Takes every client, and detaches when its work for it is done.
    struct GreetingOffice {
        registrar: Registrar,
        /// Hears when the greeting that is under way is sent.
        sent: Mutex<Option<Receiver<()>>>,
        worker: Mutex<Option<JoinHandle<()>>>,
    }

    impl ProviderModule for GreetingOffice {
        fn attach_client(
            &self,
            _: BindingHandle,
            client: &RegistrationInstance,
            _: &Attachment,
        ) -> Result<Attachment, Status> {
            println!("provider:  takes client {}", client.module);
            Ok(Attachment {
                context: BindingContext::new(client.module),
                dispatch: Dispatch::new(Greetings { greet }),
            })
        }

        fn detach_client(&self, binding: BindingHandle, _: &BindingContext) -> Detach {
            println!("provider:  is asked to detach: pending, a greeting is still under way");
            let registrar = self.registrar.clone();
            let sent = self.sent.lock().expect("no callback panics").take();
            let worker = thread::spawn(move || {
                let sent = sent.expect("this provider has one client");
                sent.recv().expect("the greeting is sent in the end");
                println!("worker:    the greeting is sent, the provider's detach is complete");
                // The cleanup callbacks run in here.
                registrar
                    .provider_detach_complete(binding)
                    .expect("the provider's detach is pending");
            });
            *self.worker.lock().expect("no callback panics") = Some(worker);
            Detach::Pending
        }

        fn cleanup_binding_context(&self, context: &BindingContext) {
            let client: &ModuleId = context
                .downcast_ref()
                .expect("what attach_client handed over");
            println!("provider:  cleans up after client {client}");
        }
    }

    pub(super) fn run() -> Result<(), Box<dyn std::error::Error>> {
        let registrar = Registrar::new();
        let greeter = Arc::new(Greeter::default());
        let (send, sent) = mpsc::channel();
        let office = Arc::new(GreetingOffice {
            registrar: registrar.clone(),
            sent: Mutex::new(Some(sent)),
            worker: Mutex::new(None),
        });

        println!("main:      registers the client");
        let name = RegistrationInstance::new(GREETING_NPI, ModuleId(0xC));
        let client = registrar.client(name, greeter.clone())?;
        greeter.greet("nobody");

        println!("main:      registers the provider");
        let name = RegistrationInstance::new(GREETING_NPI, ModuleId(0xF));
        let provider = registrar.provider(name, office.clone())?;
        greeter.greet("world");

        println!("main:      deregisters the provider");
        let leaving = provider.deregister();
        greeter.greet("too late");
        println!("main:      sends the last greeting and waits for the provider");
        send.send(())?;
        leaving.wait()?;

        println!("main:      deregisters the client");
        client.deregister().wait()?;
        let left = registrar.count();
        println!(
            "main:      done, {} registrations and {} bindings are left",
            left.registrations, left.bindings
        );

        let worker = office.worker.lock().expect("no callback panics").take();
        if let Some(worker) = worker {
            worker.join().map_err(|_| "the worker panicked")?;
        }
        Ok(())
    }
}
