//! Modules that do as a test tells them, and write down what the registrar asks of them.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nmr::*;
use nmr_sync::{Monitor, Mutex};

/// What a binding of "c" and "p" comes to from its beginning to its end.
pub(crate) const WHOLE_LIFE: [&str; 6] = [
    "c attach",
    "p attach",
    "c detach",
    "p detach",
    "c cleanup",
    "p cleanup",
];

pub(crate) const NPI: NpiId = NpiId(0xA);
pub(crate) const OTHER_NPI: NpiId = NpiId(0xB);
pub(crate) const WHY: Status = Status(0xE000_0001);

/// What happened, oldest first: `"<module> <callback>"`.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, what: impl Into<String>) {
        self.0.lock().push(what.into());
    }

    /// What happened since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock())
    }
}

/// Ends a test that hangs with a failure instead.
pub(crate) fn in_time<R: Send + 'static>(test: impl FnOnce() -> R + Send + 'static) -> R {
    let (send, receive) = mpsc::channel();
    let thread = thread::spawn(move || send.send(test()));
    match receive.recv_timeout(Duration::from_secs(30)) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => std::panic::resume_unwind(payload),
            Ok(_) => unreachable!("a test that ends sends its answer"),
        },
    }
}

/// Something that one thread waits for and another makes happen, once.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Monitor<bool>>);

impl Gate {
    pub(crate) fn open(&self) {
        self.0.enter_then_notify(|open| {
            *open = true;
            ((), true)
        });
    }

    pub(crate) fn pass(&self) {
        self.0.wait_until(|open| open.then_some(()));
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.enter(|open| *open)
    }
}

/// What a module's detach callback is given.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) binding: BindingHandle,
    pub(crate) context: &'a BindingContext,
}

/// A provider's attach callback's arguments.
#[derive(Clone, Copy)]
pub(crate) struct Visitor<'a> {
    pub(crate) binding: BindingHandle,
    pub(crate) instance: &'a RegistrationInstance,
    pub(crate) peer: &'a Attachment,
}

type OnOffer = dyn Fn(Offer<'_>) -> Result<(), Status> + Send + Sync;
type OnVisit = dyn Fn(Visitor<'_>) -> Result<Attachment, Status> + Send + Sync;

macro_rules! detaching {
    ($module:ident) => {
        impl $module {
            /// The binding whose attach callback came last.
            pub(crate) fn binding(&self) -> BindingHandle {
                self.binding.lock().expect("it was asked to attach")
            }

            pub(crate) fn on_detach(
                mut self,
                f: impl Fn(Asked<'_>) -> Detach + Send + Sync + 'static,
            ) -> Self {
                self.detach = Box::new(f);
                self
            }

            pub(crate) fn on_cleanup(
                mut self,
                f: impl Fn(&BindingContext) + Send + Sync + 'static,
            ) -> Self {
                self.cleanup = Box::new(f);
                self
            }
        }
    };
}

/// A client that takes every provider and detaches at once, unless told otherwise.
pub(crate) struct Client {
    name: &'static str,
    log: Log,
    binding: Mutex<Option<BindingHandle>>,
    attach: Box<OnOffer>,
    detach: Box<dyn Fn(Asked<'_>) -> Detach + Send + Sync>,
    cleanup: Box<dyn Fn(&BindingContext) + Send + Sync>,
}

/// A provider that takes every client and detaches at once, unless told otherwise.
pub(crate) struct Provider {
    name: &'static str,
    log: Log,
    binding: Mutex<Option<BindingHandle>>,
    attach: Box<OnVisit>,
    detach: Box<dyn Fn(Asked<'_>) -> Detach + Send + Sync>,
    cleanup: Box<dyn Fn(&BindingContext) + Send + Sync>,
}

detaching!(Client);
detaching!(Provider);

/// What a well-behaved client does with an offer.
pub(crate) fn accept(offer: Offer<'_>) -> Result<(), Status> {
    offer
        .attach(Attachment::default())
        .map(drop)
        .map_err(AttachError::status)
}

impl Client {
    pub(crate) fn new(name: &'static str, log: &Log) -> Self {
        Self {
            name,
            log: log.clone(),
            binding: Mutex::new(None),
            attach: Box::new(accept),
            detach: Box::new(|_| Detach::Complete),
            cleanup: Box::new(|_| {}),
        }
    }

    pub(crate) fn on_attach(
        mut self,
        f: impl Fn(Offer<'_>) -> Result<(), Status> + Send + Sync + 'static,
    ) -> Self {
        self.attach = Box::new(f);
        self
    }
}

impl Provider {
    pub(crate) fn new(name: &'static str, log: &Log) -> Self {
        Self {
            name,
            log: log.clone(),
            binding: Mutex::new(None),
            attach: Box::new(|_| Ok(Attachment::default())),
            detach: Box::new(|_| Detach::Complete),
            cleanup: Box::new(|_| {}),
        }
    }

    pub(crate) fn on_attach(
        mut self,
        f: impl Fn(Visitor<'_>) -> Result<Attachment, Status> + Send + Sync + 'static,
    ) -> Self {
        self.attach = Box::new(f);
        self
    }
}

impl ClientModule for Client {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        self.log.add(format!("{} attach", self.name));
        *self.binding.lock() = Some(offer.binding());
        (self.attach)(offer)
    }

    fn detach_provider(&self, binding: BindingHandle, context: &BindingContext) -> Detach {
        self.log.add(format!("{} detach", self.name));
        (self.detach)(Asked { binding, context })
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        self.log.add(format!("{} cleanup", self.name));
        (self.cleanup)(context);
    }
}

impl ProviderModule for Provider {
    fn attach_client(
        &self,
        binding: BindingHandle,
        instance: &RegistrationInstance,
        peer: &Attachment,
    ) -> Result<Attachment, Status> {
        self.log.add(format!("{} attach", self.name));
        *self.binding.lock() = Some(binding);
        (self.attach)(Visitor {
            binding,
            instance,
            peer,
        })
    }

    fn detach_client(&self, binding: BindingHandle, context: &BindingContext) -> Detach {
        self.log.add(format!("{} detach", self.name));
        (self.detach)(Asked { binding, context })
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        self.log.add(format!("{} cleanup", self.name));
        (self.cleanup)(context);
    }
}

/// The instance of `NPI` that the tests' modules register with.
pub(crate) fn instance() -> RegistrationInstance {
    RegistrationInstance::new(NPI, ModuleId(1))
}

/// A registrar, and what its modules wrote down.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) registrar: Registrar,
    pub(crate) log: Log,
}

impl World {
    pub(crate) fn with(registrar: Builder) -> Self {
        Self {
            registrar: registrar.build(),
            log: Log::default(),
        }
    }

    pub(crate) fn client(&self, name: &'static str) -> Client {
        Client::new(name, &self.log)
    }

    pub(crate) fn provider(&self, name: &'static str) -> Provider {
        Provider::new(name, &self.log)
    }

    /// Registers with `NPI`.
    pub(crate) fn add_client(&self, client: Client) -> (ClientHandle, Arc<Client>) {
        let client = Arc::new(client);
        let handle = self.registrar.register_client(instance(), client.clone());
        (handle.expect("there is room"), client)
    }

    /// Registers with `NPI`.
    pub(crate) fn add_provider(&self, provider: Provider) -> (ProviderHandle, Arc<Provider>) {
        let provider = Arc::new(provider);
        let handle = self
            .registrar
            .register_provider(instance(), provider.clone());
        (handle.expect("there is room"), provider)
    }

    /// Deregisters and waits.
    pub(crate) fn end_client(&self, handle: ClientHandle) {
        assert_eq!(
            self.registrar.deregister_client(handle),
            Ok(Status::PENDING)
        );
        assert_eq!(self.registrar.wait_for_client_deregister(handle), Ok(()));
    }

    /// Deregisters and waits.
    pub(crate) fn end_provider(&self, handle: ProviderHandle) {
        assert_eq!(
            self.registrar.deregister_provider(handle),
            Ok(Status::PENDING)
        );
        assert_eq!(self.registrar.wait_for_provider_deregister(handle), Ok(()));
    }

    /// C19: nothing is left.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.registrar.count(), Count::default());
    }

    /// What the modules were asked since the last look.
    #[track_caller]
    pub(crate) fn assert_log<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(self.log.take(), expected);
    }
}
