//! The life of a client and a provider, from registering to the last cleanup, with rundown protection as drivers have it.
//!
//! A provider offers greetings; a client attaches and calls it through its dispatch table, and the provider sends
//! letters through the client's. Each of them calls under a [`Rundown`] of its own, without a lock. Then the provider
//! leaves while a call and a letter are under way: each side closes its rundown in its detach callback and answers
//! *pending*, and whoever releases the last reference completes the detach. Run it with
//! `cargo run -p nmr --example lifecycle`.
//!
//! [`Rundown`]: nmr::Rundown

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
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::sync::{Arc, Mutex, OnceLock};
    use std::thread::{self, JoinHandle};

    use nmr::{
        Attachment, BindingContext, BindingHandle, ClientModule, Closing, Detach, Dispatch,
        ModuleId, NpiId, Offer, ProviderModule, Registrar, RegistrationInstance, Released, Rundown,
        Status,
    };

    /// The interface that both sides were written for. Its name stands for its definition: here, that
    /// a provider's dispatch table is a `Greetings` and a client's a `Letterbox`.
    const GREETING_NPI: NpiId = NpiId(0x8f1c_65a0_0b5e_4a57_9a57_3c2f_64f0_1d02);

    /// The provider's dispatch table: the functions that a client may call while it is attached. Each is given the
    /// provider's binding context.
    struct Greetings {
        greet: fn(context: &BindingContext, name: &str) -> String,
        /// Takes its time.
        recite: fn(context: &BindingContext) -> String,
        /// Asks for a letter, which comes later.
        order: fn(context: &BindingContext),
    }

    /// The client's dispatch table.
    struct Letterbox {
        deliver: fn(letter: &str),
    }

    fn dispatch<T: 'static>(table: &Dispatch) -> &T {
        let table = table.downcast_ref();
        table.expect("the interface says what a dispatch table is")
    }

    /// What the client remembers about the provider that it is attached to: its binding context.
    struct Attached {
        registrar: Registrar,
        binding: BindingHandle,
        /// The calls that run in the provider.
        calls: Rundown,
        /// Known when it is attached.
        provider: OnceLock<Attachment>,
    }

    /// A call into the provider. It ends when this is dropped, also in a panic.
    struct Call<'a>(&'a Attached);

    impl Attached {
        /// Nothing once the detach callback has begun.
        fn call(&self) -> Option<Call<'_>> {
            // Not `then_some`: a call that is made is dropped, and releases.
            self.calls.try_acquire().then(|| Call(self))
        }
    }

    impl Drop for Call<'_> {
        fn drop(&mut self) {
            if self.0.calls.release() == Released::Last {
                println!("client:    the last call is over, the client's detach is complete");
                self.0
                    .registrar
                    .client_detach_complete(self.0.binding)
                    .expect("the client's detach is pending");
            }
        }
    }

    /// Takes the first provider that it is offered.
    #[derive(Default)]
    struct Greeter {
        attached: Mutex<Option<Arc<Attached>>>,
    }

    impl Greeter {
        /// Calls the provider, if there is one. Nothing is locked meanwhile: the rundown keeps it there.
        fn call(&self, call: impl FnOnce(&Greetings, &BindingContext)) {
            let attached = self.attached.lock().expect("no callback panics").clone();
            let running = attached.as_deref().and_then(Attached::call);
            let provider = running.as_ref().and_then(|call| call.0.provider.get());
            match provider {
                Some(provider) => call(dispatch(&provider.dispatch), &provider.context),
                None => println!("client:    has no provider to greet with"),
            }
        }

        fn greet(&self, name: &str) {
            self.call(|greetings, context| {
                println!(
                    "client:    calls greet: {}",
                    (greetings.greet)(context, name)
                );
            });
        }
    }

    impl ClientModule for Greeter {
        fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
            println!("client:    is offered provider {}", offer.provider().module);
            let mut slot = self.attached.lock().expect("no callback panics");
            if slot.is_some() {
                return Err(Status::NOINTERFACE);
            }
            let attached = Arc::new(Attached {
                registrar: offer.registrar().clone(),
                binding: offer.binding(),
                calls: Rundown::new(),
                provider: OnceLock::new(),
            });
            let client = Attachment {
                context: BindingContext::from_arc(attached.clone()),
                dispatch: Dispatch::new(Letterbox {
                    deliver: |letter| println!("client:    receives a letter: {letter}"),
                }),
            };
            let provider = offer.attach(client).map_err(|error| error.status())?;
            attached.provider.get_or_init(|| provider);
            *slot = Some(attached);
            println!("client:    is attached");
            Ok(())
        }

        fn detach_provider(&self, _: BindingHandle, context: &BindingContext) -> Detach {
            let attached: &Attached = context.downcast_ref().expect("what was handed over");
            match attached.calls.close() {
                Closing::RunDown => {
                    println!("client:    is asked to detach: complete");
                    Detach::Complete
                }
                Closing::Running => {
                    println!("client:    is asked to detach: pending, a call is under way");
                    Detach::Pending
                }
            }
        }

        fn cleanup_binding_context(&self, _: &BindingContext) {
            *self.attached.lock().expect("no callback panics") = None;
            println!("client:    cleans up");
        }
    }

    /// What the provider remembers about a client: its binding context.
    struct Correspondence {
        registrar: Registrar,
        binding: BindingHandle,
        client: ModuleId,
        /// The client's dispatch table.
        letterbox: Dispatch,
        /// The letters on their way to the client.
        letters: Rundown,
        desk: Arc<Desk>,
    }

    /// A letter on its way. It has arrived when this is dropped, on whatever thread.
    struct Letter(Arc<Correspondence>);

    impl Letter {
        fn deliver(&self, text: &str) {
            let letterbox: &Letterbox = dispatch(&self.0.letterbox);
            (letterbox.deliver)(text);
        }
    }

    impl Drop for Letter {
        fn drop(&mut self) {
            if self.0.letters.release() == Released::Last {
                println!("provider:  the last letter is there, the provider's detach is complete");
                // The cleanup callbacks run in here.
                self.0
                    .registrar
                    .provider_detach_complete(self.0.binding)
                    .expect("the provider's detach is pending");
            }
        }
    }

    impl Correspondence {
        fn of(context: &BindingContext) -> &Arc<Self> {
            let correspondence = context.downcast_ref();
            correspondence.expect("what attach_client handed over")
        }

        fn order(self: &Arc<Self>) {
            if !self.letters.try_acquire() {
                return;
            }
            let letter = Letter(Arc::clone(self));
            let postman = thread::spawn(move || {
                let desk = Arc::clone(&letter.0.desk);
                let post = desk.post.lock().expect("no postman panics");
                post.recv().expect("the letter is posted in the end");
                letter.deliver("Dear client, goodbye!");
            });
            let mut postmen = self.desk.postmen.lock().expect("nobody panics");
            postmen.push(postman);
        }
    }

    /// What decides, in this example, how long a call and a letter take.
    struct Desk {
        begun: Sender<()>,
        recited: Mutex<Receiver<()>>,
        post: Mutex<Receiver<()>>,
        postmen: Mutex<Vec<JoinHandle<()>>>,
    }

    fn greet(_: &BindingContext, name: &str) -> String {
        format!("Hello, {name}!")
    }

    fn recite(context: &BindingContext) -> String {
        let desk = &Correspondence::of(context).desk;
        desk.begun.send(()).expect("main listens");
        let recited = desk.recited.lock().expect("no call panics");
        recited.recv().expect("main lets it end");
        "the whole poem".to_owned()
    }

    /// Takes every client.
    struct GreetingOffice {
        registrar: Registrar,
        desk: Arc<Desk>,
    }

    impl ProviderModule for GreetingOffice {
        fn attach_client(
            &self,
            binding: BindingHandle,
            client: &RegistrationInstance,
            peer: &Attachment,
        ) -> Result<Attachment, Status> {
            println!("provider:  takes client {}", client.module);
            let correspondence = Arc::new(Correspondence {
                registrar: self.registrar.clone(),
                binding,
                client: client.module,
                letterbox: peer.dispatch.clone(),
                letters: Rundown::new(),
                desk: self.desk.clone(),
            });
            Ok(Attachment {
                context: BindingContext::new(correspondence),
                dispatch: Dispatch::new(Greetings {
                    greet,
                    recite,
                    order: |context| Correspondence::of(context).order(),
                }),
            })
        }

        fn detach_client(&self, _: BindingHandle, context: &BindingContext) -> Detach {
            match Correspondence::of(context).letters.close() {
                Closing::RunDown => {
                    println!("provider:  is asked to detach: complete");
                    Detach::Complete
                }
                Closing::Running => {
                    println!("provider:  is asked to detach: pending, a letter is under way");
                    Detach::Pending
                }
            }
        }

        fn cleanup_binding_context(&self, context: &BindingContext) {
            let client = Correspondence::of(context).client;
            println!("provider:  cleans up after client {client}");
        }
    }

    pub(super) fn run() -> Result<(), Box<dyn std::error::Error>> {
        let registrar = Registrar::new();
        let greeter = Arc::new(Greeter::default());
        let (begun, has_begun) = mpsc::channel();
        let (end_call, recited) = mpsc::channel();
        let (send_letter, post) = mpsc::channel();
        let desk = Arc::new(Desk {
            begun,
            recited: Mutex::new(recited),
            post: Mutex::new(post),
            postmen: Mutex::default(),
        });
        let office = Arc::new(GreetingOffice {
            registrar: registrar.clone(),
            desk: desk.clone(),
        });

        println!("main:      registers the client");
        let name = RegistrationInstance::new(GREETING_NPI, ModuleId(0xC));
        let client = registrar.client(name, greeter.clone())?;
        greeter.greet("nobody");

        println!("main:      registers the provider");
        let name = RegistrationInstance::new(GREETING_NPI, ModuleId(0xF));
        let provider = registrar.provider(name, office)?;
        greeter.greet("world");
        greeter.call(|greetings, context| (greetings.order)(context));

        println!("main:      has another thread make a long call");
        let calling = greeter.clone();
        let caller = thread::spawn(move || {
            calling.call(|greetings, context| {
                println!("client:    has heard {}", (greetings.recite)(context));
            });
        });
        has_begun.recv()?;

        println!("main:      deregisters the provider");
        let leaving = provider.deregister();
        greeter.greet("too late");
        println!("main:      lets the call end");
        end_call.send(())?;
        caller.join().map_err(|_| "the caller panicked")?;
        println!("main:      posts the letter and waits for the provider");
        send_letter.send(())?;
        leaving.wait()?;

        println!("main:      deregisters the client");
        client.deregister().wait()?;
        let left = registrar.count();
        println!(
            "main:      done, {} registrations and {} bindings are left",
            left.registrations, left.bindings
        );

        let postmen = std::mem::take(&mut *desk.postmen.lock().expect("nobody panics"));
        for postman in postmen {
            postman.join().map_err(|_| "a postman panicked")?;
        }
        Ok(())
    }
}
