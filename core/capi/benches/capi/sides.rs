//! The two ways to the registrar that are compared: modules that do the least that they can, in Rust and as C has them.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

use nmr::{
    Attachment, BindingContext, BindingHandle, ClientModule, Detach, Dispatch, ModuleId, NpiId,
    Offer, ProviderModule, Registrar, RegistrationInstance, Status,
};
use nmr_capi::abi::{
    GUID, HANDLE, MIT_GUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_ID,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NPIID, NTSTATUS,
    PNPI_REGISTRATION_INSTANCE, PVOID,
};
use nmr_capi::functions::*;
use nmr_capi::status::{STATUS_PENDING, STATUS_SUCCESS};

/// A registrar by one of the two ways.
pub(crate) trait Side: Sync + Sized {
    type Client: Sync;
    type Handle: Copy;
    fn new() -> Self;
    fn add_provider(&self, npi: u32);
    fn add_provider_with_contexts(&self, npi: u32);
    fn add_client(&self, npi: u32);
    fn client(&self, npi: u32, with_contexts: bool) -> Self::Client;
    fn come(client: &Self::Client) -> Self::Handle;
    fn leave(client: &Self::Client, handle: Self::Handle);
    fn wait(client: &Self::Client, handle: Self::Handle);

    fn visitor(&self, npi: u32, with_contexts: bool) -> Visitor<Self> {
        Visitor(self.client(npi, with_contexts))
    }

    /// Modules of both sides on interfaces of their own, one after the other.
    fn add_idle(&self, modules: u32) {
        for npi in 0x1000_0000..0x1000_0000 + modules {
            if npi % 2 == 0 {
                self.add_provider(npi);
            } else {
                self.add_client(npi);
            }
        }
    }
}

/// A client that comes and goes.
pub(crate) struct Visitor<S: Side>(S::Client);

impl<S: Side> Visitor<S> {
    #[inline]
    pub(crate) fn come(&self) -> S::Handle {
        S::come(&self.0)
    }

    #[inline]
    pub(crate) fn leave(&self, handle: S::Handle) {
        S::leave(&self.0, handle);
    }

    #[inline]
    pub(crate) fn wait(&self, handle: S::Handle) {
        S::wait(&self.0, handle);
    }
}

/// Through the Rust API, as `core/benches/registrar.rs`.
pub(crate) struct Rust(Registrar);

pub(crate) struct RustClient {
    registrar: Registrar,
    instance: Arc<RegistrationInstance>,
    module: Arc<dyn ClientModule>,
}

struct Module;
struct WithContexts;

fn handed() -> Attachment {
    Attachment {
        context: BindingContext::new(1_usize),
        dispatch: Dispatch::null(),
    }
}

fn attach(offer: Offer<'_>, ours: Attachment) -> Result<(), Status> {
    offer.attach(ours).map(drop).map_err(|error| error.status())
}

impl ClientModule for Module {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        attach(offer, Attachment::default())
    }
    fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        Detach::Complete
    }
}

impl ProviderModule for Module {
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

impl ClientModule for WithContexts {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        attach(offer, handed())
    }
    fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        Detach::Complete
    }
}

impl ProviderModule for WithContexts {
    fn attach_client(
        &self,
        _: BindingHandle,
        _: &RegistrationInstance,
        _: &Attachment,
    ) -> Result<Attachment, Status> {
        Ok(handed())
    }
    fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        Detach::Complete
    }
}

fn instance(npi: u32) -> Arc<RegistrationInstance> {
    Arc::new(RegistrationInstance::new(
        NpiId(u128::from(npi)),
        ModuleId(1),
    ))
}

impl Side for Rust {
    type Client = RustClient;
    type Handle = nmr::ClientHandle;

    fn new() -> Self {
        Self(Registrar::new())
    }

    fn add_provider(&self, npi: u32) {
        let added = self.0.register_provider(instance(npi), Arc::new(Module));
        added.expect("there is no limit");
    }

    fn add_provider_with_contexts(&self, npi: u32) {
        let added = self
            .0
            .register_provider(instance(npi), Arc::new(WithContexts));
        added.expect("there is no limit");
    }

    fn add_client(&self, npi: u32) {
        let added = self.0.register_client(instance(npi), Arc::new(Module));
        added.expect("there is no limit");
    }

    fn client(&self, npi: u32, with_contexts: bool) -> RustClient {
        RustClient {
            registrar: self.0.clone(),
            instance: instance(npi),
            module: if with_contexts {
                Arc::new(WithContexts)
            } else {
                Arc::new(Module)
            },
        }
    }

    #[inline]
    fn come(client: &RustClient) -> nmr::ClientHandle {
        let (instance, module) = (client.instance.clone(), client.module.clone());
        let handle = client.registrar.register_client(instance, module);
        handle.expect("there is no limit")
    }

    #[inline]
    fn leave(client: &RustClient, handle: nmr::ClientHandle) {
        client
            .registrar
            .deregister_client(handle)
            .expect("the handle is valid");
    }

    #[inline]
    fn wait(client: &RustClient, handle: nmr::ClientHandle) {
        let waited = client.registrar.wait_for_client_deregister(handle);
        waited.expect("it is deregistering");
    }
}

/// Through the C functions and the default registrar, in which nothing is left when this is dropped.
pub(crate) struct C {
    clients: Mutex<Vec<(CClient, usize)>>,
    providers: Mutex<Vec<CProvider>>,
}

/// A provider that stays, and its handle.
struct CProvider {
    _characteristics: Box<NPI_PROVIDER_CHARACTERISTICS>,
    _npi: Box<NPIID>,
    handle: usize,
}

// SAFETY: the pointers in it are constant.
unsafe impl Sync for C {}

pub(crate) struct CClient {
    characteristics: Box<NPI_CLIENT_CHARACTERISTICS>,
    _npi: Box<NPIID>,
}

// SAFETY: the pointers in it are constant.
unsafe impl Sync for CClient {}

static MODULE: NPI_MODULEID = NPI_MODULEID {
    Length: size_of::<NPI_MODULEID>() as u16,
    Type: MIT_GUID,
    Id: NPI_MODULEID_ID { Guid: guid(1) },
};

/// What contexts and dispatch tables point to.
static SOMETHING: u8 = 0;

const fn guid(number: u32) -> GUID {
    GUID {
        Data1: 0,
        Data2: 0,
        Data3: 0,
        Data4: (number as u64).to_be_bytes(),
    }
}

fn c_instance(npi: &NPIID) -> NPI_REGISTRATION_INSTANCE {
    NPI_REGISTRATION_INSTANCE {
        Version: 0,
        Size: size_of::<NPI_REGISTRATION_INSTANCE>() as u16,
        NpiId: npi,
        ModuleId: &raw const MODULE,
        Number: 0,
        NpiSpecificCharacteristics: ptr::null(),
    }
}

/// A registration context that is not null says that binding contexts are not either.
fn given(context: PVOID) -> PVOID {
    if context.is_null() {
        context
    } else {
        (&raw const SOMETHING).cast_mut().cast()
    }
}

unsafe extern "C-unwind" fn attach_provider(
    binding: HANDLE,
    context: PVOID,
    _: PNPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let (mut peer, mut dispatch) = (ptr::null_mut(), ptr::null());
    let ours = given(context);
    // SAFETY: both places may be written to.
    unsafe { NmrClientAttachProvider(binding, ours, ours, &raw mut peer, &raw mut dispatch) }
}

unsafe extern "C-unwind" fn attach_client(
    _: HANDLE,
    context: PVOID,
    _: PNPI_REGISTRATION_INSTANCE,
    _: PVOID,
    _: *const c_void,
    ours: *mut PVOID,
    dispatch: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the registrar gives two places to write to.
    unsafe { *ours = given(context) };
    // SAFETY: as above.
    unsafe { *dispatch = given(context) };
    STATUS_SUCCESS
}

unsafe extern "C-unwind" fn detach(_: PVOID) -> NTSTATUS {
    STATUS_SUCCESS
}

impl C {
    fn provider(&self, npi: u32, context: PVOID) {
        let npi = Box::new(guid(npi));
        let characteristics = Box::new(NPI_PROVIDER_CHARACTERISTICS {
            Version: 0,
            Length: size_of::<NPI_PROVIDER_CHARACTERISTICS>() as u16,
            ProviderAttachClient: Some(attach_client),
            ProviderDetachClient: Some(detach),
            ProviderCleanupBindingContext: None,
            ProviderRegistrationInstance: c_instance(&npi),
        });
        let mut handle = ptr::null_mut();
        // SAFETY: kept until its deregistration is over.
        let status =
            unsafe { NmrRegisterProvider(&raw const *characteristics, context, &raw mut handle) };
        assert_eq!(status, STATUS_SUCCESS);
        let kept = CProvider {
            _characteristics: characteristics,
            _npi: npi,
            handle: handle.addr(),
        };
        self.providers.lock().expect("no panic").push(kept);
    }
}

impl Side for C {
    type Client = (CClient, usize);
    type Handle = HANDLE;

    fn new() -> Self {
        Self {
            clients: Mutex::default(),
            providers: Mutex::default(),
        }
    }

    fn add_provider(&self, npi: u32) {
        self.provider(npi, ptr::null_mut());
    }

    fn add_provider_with_contexts(&self, npi: u32) {
        self.provider(npi, (&raw const SOMETHING).cast_mut().cast());
    }

    fn add_client(&self, npi: u32) {
        let client = self.client(npi, false);
        let handle = Self::come(&client);
        self.clients
            .lock()
            .expect("no panic")
            .push((client.0, handle.addr()));
    }

    fn client(&self, npi: u32, with_contexts: bool) -> (CClient, usize) {
        let npi = Box::new(guid(npi));
        let characteristics = Box::new(NPI_CLIENT_CHARACTERISTICS {
            Version: 0,
            Length: size_of::<NPI_CLIENT_CHARACTERISTICS>() as u16,
            ClientAttachProvider: Some(attach_provider),
            ClientDetachProvider: Some(detach),
            ClientCleanupBindingContext: None,
            ClientRegistrationInstance: c_instance(&npi),
        });
        let client = CClient {
            characteristics,
            _npi: npi,
        };
        (client, usize::from(with_contexts))
    }

    #[inline]
    fn come((client, context): &Self::Client) -> HANDLE {
        let mut handle = ptr::null_mut();
        let context = ptr::without_provenance_mut(*context);
        // SAFETY: the client is kept until its deregistration is over.
        let status = unsafe {
            NmrRegisterClient(&raw const *client.characteristics, context, &raw mut handle)
        };
        assert_eq!(status, STATUS_SUCCESS);
        handle
    }

    #[inline]
    fn leave(_: &Self::Client, handle: HANDLE) {
        assert_eq!(NmrDeregisterClient(handle), STATUS_PENDING);
    }

    #[inline]
    fn wait(_: &Self::Client, handle: HANDLE) {
        assert_eq!(NmrWaitForClientDeregisterComplete(handle), STATUS_SUCCESS);
    }
}

impl Drop for C {
    fn drop(&mut self) {
        for (_, handle) in self.clients.get_mut().expect("no panic") {
            let handle = ptr::without_provenance_mut(*handle);
            assert_eq!(NmrDeregisterClient(handle), STATUS_PENDING);
            assert_eq!(NmrWaitForClientDeregisterComplete(handle), STATUS_SUCCESS);
        }
        for provider in self.providers.get_mut().expect("no panic") {
            let handle = ptr::without_provenance_mut(provider.handle);
            assert_eq!(NmrDeregisterProvider(handle), STATUS_PENDING);
            assert_eq!(NmrWaitForProviderDeregisterComplete(handle), STATUS_SUCCESS);
        }
    }
}
