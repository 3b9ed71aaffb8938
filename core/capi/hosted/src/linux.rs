//! Modules in C on Linux.

mod entry;
mod host;
mod image;
mod layout;
mod memory;

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::sync::OnceLock;

use nmr::Side;

use super::{Block, Entry, Handed, Host, Left, LoadError, Named, Registered, STACK};
use crate::abi::{
    GUID, MIT_GUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_ID,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, PVOID, ULONG, USHORT,
};
use crate::status::STATUS_SUCCESS;
use entry::Why;
use image::Image;
use layout::{Call, Kind, Shown, Table, VERSION};
use memory::Memory;

/// Where stdout goes to, for whoever writes there what somebody reads. What modules print goes to stderr from now on.
///
/// # Errors
/// The system does not let it.
pub fn take_stdout() -> std::io::Result<std::fs::File> {
    image::take_stdout()
}

/// A module that is loaded, for good.
pub struct Hosted {
    module: u8,
    host: Box<dyn Host>,
    image: Image,
    memory: Memory,
    shown: usize,
    /// What the module's own functions are given.
    table: OnceLock<Table>,
    /// What a peer says of itself that is no module in C: its number is that of its registration.
    peers: Vec<Peer>,
}

/// A registration instance, with what it points to.
struct Peer {
    instance: UnsafeCell<NPI_REGISTRATION_INSTANCE>,
}

// SAFETY: it points to what is there for good, and executions, which alone use it, are made on one thread at a time.
unsafe impl Send for Peer {}
// SAFETY: as above.
unsafe impl Sync for Peer {}

// SAFETY: its address is that of the value that it stands in, which is there for good; what it points to is only handed on.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}

impl Hosted {
    /// Loads a module from the bytes of a shared object, as the scenario's module of this number. It is told of up to `peers`
    /// other modules by their numbers.
    ///
    /// # Errors
    /// It is no such object, or cannot be driven.
    pub fn load(
        bytes: &[u8],
        module: u8,
        peers: u8,
        host: Box<dyn Host>,
    ) -> Result<&'static Self, LoadError> {
        let memory = Memory::reserve();
        let memory = memory.ok_or_else(|| LoadError("there is no room for its memory".into()))?;
        let (image, shown) = Image::load(bytes)?;
        let hosted = Self {
            module,
            host,
            image,
            memory,
            shown,
            table: OnceLock::new(),
            peers: (0..peers).map(peer).collect(),
        };
        hosted.check()?;
        let hosted = Box::leak(Box::new(hosted));
        let table = host::table(&raw const *hosted);
        let _ = hosted.table.set(table);
        let table = hosted.table.get().expect("it was set");
        let begin = hosted.shown().begin;
        // SAFETY: a function of nmrex_module.h, which keeps the pointer; both are there for good.
        unsafe { begin(&raw const *table) };
        hosted.image.keep();
        Ok(hosted)
    }

    fn check(&self) -> Result<(), LoadError> {
        let other = || {
            LoadError(
                "it was made with another nmrex_module.h: compile it with this one".to_owned(),
            )
        };
        let shown = self.shown();
        if shown.size as usize != size_of::<Shown>() || shown.version != VERSION {
            return Err(other());
        }
        match self.described().size as usize == size_of::<layout::Module>() {
            true => Ok(()),
            false => Err(LoadError(
                "the Size of its NmrExModule is not sizeof(NMREX_MODULE)".to_owned(),
            )),
        }
    }

    fn shown(&self) -> &Shown {
        let shown = ptr::with_exposed_provenance::<Shown>(self.shown);
        // SAFETY: `NmrExObject`, a constant of the object, which is loaded for good.
        unsafe { &*shown }
    }

    fn described(&self) -> &layout::Module {
        // SAFETY: `NmrExModule`, a constant of the object, which is loaded for good.
        unsafe { &*self.shown().module }
    }

    fn leave(&self) -> usize {
        (self.shown().leave as *const ()).expose_provenance()
    }

    /// The stack that the module's functions need, in bytes.
    #[must_use]
    pub fn stack(&self) -> usize {
        match self.described().stack_size {
            0 => STACK,
            bytes => bytes as usize,
        }
    }

    /// The dispatch table that a peer hands over which is no module in C.
    #[must_use]
    pub fn peer_dispatch(&self) -> usize {
        self.described().peer_dispatch.expose_provenance()
    }

    /// As it was when it was loaded: an execution begins, on this thread of the system.
    pub fn reset(&self) {
        entry::own();
        self.memory.reset();
        self.image.reset();
    }

    /// Shows its variables and its allocated memory.
    pub fn show(&self, to: &mut dyn FnMut(&[u8])) {
        self.image.show(to);
        self.memory.show(to);
    }

    /// The block of its memory that an address lies in, or right behind which.
    #[must_use]
    pub fn block_at(&self, address: usize) -> Option<Block> {
        self.memory.at(address)
    }

    /// Whether it has registered from the thread of somebody else since this was last asked; the host is told.
    pub fn refuse_strangers(&self) {
        if entry::strangers() {
            host::refuse_strangers(self);
        }
    }
}

/// Calls.
impl Hosted {
    /// Calls one of its functions, if it has it.
    ///
    /// # Errors
    /// It did not come back.
    pub fn call(&self, entry: Entry) -> Result<NTSTATUS, Left> {
        let module = self.described();
        let (function, kind, context) = match entry {
            Entry::Register => (module.register, Kind::Answers, 0),
            Entry::Deregister => (module.deregister, Kind::Plain, 0),
            Entry::Wait => (module.wait, Kind::Plain, 0),
            Entry::Complete(context) => (module.complete, Kind::Takes, context),
            Entry::Dispatch => (module.dispatch, Kind::Plain, 0),
            Entry::Called(context) => (module.called, Kind::Takes, context),
        };
        let function = function.map(|function| function as usize);
        self.invoke(kind, function, [context, 0, 0, 0, 0])
            .map(|(status, _)| status)
    }

    /// Whether it has such a function.
    #[must_use]
    pub fn has(&self, entry: Entry) -> bool {
        let module = self.described();
        let function = match entry {
            Entry::Register => module.register,
            Entry::Deregister => module.deregister,
            Entry::Wait => module.wait,
            Entry::Complete(_) => module.complete,
            Entry::Dispatch => module.dispatch,
            Entry::Called(_) => module.called,
        };
        function.is_some()
    }

    /// Its client's attach callback: what it answers.
    ///
    /// # Errors
    /// It did not come back.
    pub fn attach_provider(
        &self,
        what: Registered,
        binding: u64,
        provider: Named,
    ) -> Result<NTSTATUS, Left> {
        let client = characteristics::<NPI_CLIENT_CHARACTERISTICS>(what);
        // SAFETY: what it registered is valid (see `Registered`).
        let function = unsafe { (*client).ClientAttachProvider };
        let function = function.map(|function| function as usize);
        let provider = self.named(what, provider);
        let arguments = [binding as usize, what.context, provider, 0, 0];
        let answer = self.invoke(Kind::AttachProvider, function, arguments);
        answer.map(|(status, _)| status)
    }

    /// Its provider's attach callback: what it answers and hands over.
    ///
    /// # Errors
    /// It did not come back.
    pub fn attach_client(
        &self,
        what: Registered,
        binding: u64,
        client: Named,
        peer: Handed,
    ) -> Result<(NTSTATUS, Handed), Left> {
        let provider = characteristics::<NPI_PROVIDER_CHARACTERISTICS>(what);
        // SAFETY: what it registered is valid (see `Registered`).
        let function = unsafe { (*provider).ProviderAttachClient };
        let function = function.map(|function| function as usize);
        let client = self.named(what, client);
        let arguments = [
            binding as usize,
            what.context,
            client,
            peer.context,
            peer.dispatch,
        ];
        self.invoke(Kind::AttachClient, function, arguments)
    }

    /// A side's detach callback: what it answers.
    ///
    /// # Errors
    /// It did not come back.
    pub fn detach(&self, side: Side, what: Registered, context: usize) -> Result<NTSTATUS, Left> {
        let function = match side {
            Side::Client => {
                let client = characteristics::<NPI_CLIENT_CHARACTERISTICS>(what);
                // SAFETY: what it registered is valid (see `Registered`).
                let function = unsafe { (*client).ClientDetachProvider };
                function.map(|function| function as usize)
            }
            Side::Provider => {
                let provider = characteristics::<NPI_PROVIDER_CHARACTERISTICS>(what);
                // SAFETY: what it registered is valid (see `Registered`).
                let function = unsafe { (*provider).ProviderDetachClient };
                function.map(|function| function as usize)
            }
        };
        let answer = self.invoke(Kind::TakesAndAnswers, function, [context, 0, 0, 0, 0]);
        answer.map(|(status, _)| status)
    }

    /// A side's cleanup callback, if it has one.
    ///
    /// # Errors
    /// It did not come back.
    pub fn clean_up(&self, side: Side, what: Registered, context: usize) -> Result<(), Left> {
        let function = match side {
            Side::Client => {
                let client = characteristics::<NPI_CLIENT_CHARACTERISTICS>(what);
                // SAFETY: what it registered is valid (see `Registered`).
                let function = unsafe { (*client).ClientCleanupBindingContext };
                function.map(|function| function as usize)
            }
            Side::Provider => {
                let provider = characteristics::<NPI_PROVIDER_CHARACTERISTICS>(what);
                // SAFETY: what it registered is valid (see `Registered`).
                let function = unsafe { (*provider).ProviderCleanupBindingContext };
                function.map(|function| function as usize)
            }
        };
        let answer = self.invoke(Kind::Takes, function, [context, 0, 0, 0, 0]);
        answer.map(drop)
    }

    fn invoke(
        &self,
        kind: Kind,
        function: Option<usize>,
        arguments: [usize; 5],
    ) -> Result<(NTSTATUS, Handed), Left> {
        let Some(function) = function else {
            return Ok((STATUS_SUCCESS, Handed::default()));
        };
        let (mut context, mut dispatch): (PVOID, *const c_void) = (ptr::null_mut(), ptr::null());
        let mut call = Call {
            kind,
            answer: STATUS_SUCCESS,
            function,
            arguments: arguments.map(ptr::with_exposed_provenance_mut),
            context: &raw mut context,
            dispatch: &raw mut dispatch,
            back: ptr::null_mut(),
        };
        // SAFETY: the function is of that kind, and both functions are those of the object.
        let left = unsafe { entry::enter(&mut call, self.shown().invoke, self.leave()) };
        if left.is_ok()
            && let Some(outside) = self.memory.outside()
        {
            return Err(Left::Outside(outside));
        }
        match left {
            Ok(()) => Ok((
                call.answer,
                Handed {
                    context: context.expose_provenance(),
                    dispatch: dispatch.expose_provenance(),
                },
            )),
            Err(Why::Stuck) => Err(Left::Stuck(entry::SECONDS)),
            Err(Why::Jumped) => Err(Left::Jumped),
            Err(Why::Fault(signal, address)) => Err(self.fault(signal, address, &raw const call)),
        }
    }

    fn fault(&self, signal: i32, address: usize, call: *const Call) -> Left {
        let address = (signal != libc::SIGABRT).then_some(address);
        let block = address.and_then(|address| self.memory.at(address));
        let (stack, below) = (
            self.stack(),
            address.and_then(|it| call.addr().checked_sub(it)),
        );
        let is_below = below.is_some_and(|below| below < stack + (1 << 20));
        match signal {
            libc::SIGSEGV if block.is_none() && is_below => Left::Overflow(stack),
            _ => Left::Fault {
                signal: name(signal),
                address,
                block,
            },
        }
    }

    /// The registration instance of a peer.
    fn named(&self, what: Registered, peer: Named) -> usize {
        match peer {
            Named::Registered(peer) => peer.instance,
            Named::Number(number) => {
                let own = ptr::with_exposed_provenance::<NPI_REGISTRATION_INSTANCE>(what.instance);
                let peer = self.peers[usize::from(number)].instance.get();
                // SAFETY: what it registered is valid (see `Registered`).
                let npi = unsafe { (*own).NpiId };
                // The interface is the module's own: it meets nobody else.
                // SAFETY: nobody reads it meanwhile: executions are made on one thread at a time.
                unsafe { (*peer).NpiId = npi };
                peer.expose_provenance()
            }
        }
    }
}

const fn characteristics<T>(what: Registered) -> *const T {
    ptr::with_exposed_provenance(what.characteristics)
}

fn peer(number: u8) -> Peer {
    let id = NPI_MODULEID {
        Length: size_of::<NPI_MODULEID>() as USHORT,
        Type: MIT_GUID,
        Id: NPI_MODULEID_ID {
            Guid: GUID {
                Data1: u32::from(number) + 1,
                Data2: 0,
                Data3: 0,
                Data4: [0; 8],
            },
        },
    };
    Peer {
        instance: UnsafeCell::new(NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: size_of::<NPI_REGISTRATION_INSTANCE>() as USHORT,
            NpiId: ptr::null(),
            ModuleId: Box::leak(Box::new(id)),
            Number: ULONG::from(number),
            NpiSpecificCharacteristics: ptr::null(),
        }),
    }
}

const fn name(signal: i32) -> &'static str {
    match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGABRT => "SIGABRT",
        _ => "a signal",
    }
}
