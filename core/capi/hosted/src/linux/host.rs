//! The functions that a module in C calls: each comes out of the module's code, to whoever [hosts](crate::Host) it, and goes back.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use nmr::Side;

use super::Hosted;
use super::entry::{Came, come_out, strangers};
use super::layout::{Table, VERSION};
use super::memory::NotFreed;
use crate::abi::{
    HANDLE, NTSTATUS, PNPI_CLIENT_CHARACTERISTICS, PNPI_PROVIDER_CHARACTERISTICS, PVOID, ULONG,
    ULONGLONG,
};
use crate::check;
use crate::status::{STATUS_INTERNAL_ERROR, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};
use crate::writable::writable;
use crate::{Handed, Mistake, Registered};

/// What the module with this value is given.
pub(super) fn table(of: *const Hosted) -> Table {
    Table {
        size: size_of::<Table>() as ULONG,
        version: VERSION,
        of: of.cast_mut().cast(),
        register_client,
        register_provider,
        deregister,
        wait,
        complete,
        attach,
        call_peer,
        allocate,
        size_of: size_of_block,
        free,
        refuse,
    }
}

/// Whose function was called.
///
/// # Safety
/// It is what [`table`] was given.
unsafe fn hosted<'a>(of: PVOID) -> &'a Hosted {
    // SAFETY: the caller says so; values of this type are there for good.
    unsafe { &*of.cast::<Hosted>() }
}

/// Out of the module's code and back, where others come between: what the module has done to its memory until then is
/// looked at. What comes of a call by a stranger is `nothing`.
fn out<R>(hosted: &Hosted, nothing: R, body: impl FnOnce() -> R) -> R {
    out_for_memory(hosted, nothing, || {
        if let Some(outside) = hosted.memory.outside() {
            let mistake = Mistake::Outside(outside);
            hosted.host.mistaken(hosted.module, &mistake);
        }
        body()
    })
}

/// Out of the module's code and back, as a part of its step.
fn out_for_memory<R>(hosted: &Hosted, nothing: R, body: impl FnOnce() -> R) -> R {
    match come_out() {
        Came::Stranger => nothing,
        Came::Jumped => {
            hosted.host.mistaken(hosted.module, &Mistake::Jumped);
            nothing
        }
        Came::Out(out) => {
            if strangers() {
                refuse_strangers(hosted);
            }
            let answer = body();
            out.back(hosted.leave());
            answer
        }
    }
}

pub(super) fn refuse_strangers(hosted: &Hosted) {
    let why = "it calls the registrar from a thread of its own, which cannot be switched: give that thread's work to \
               an operation of the scenario (`Complete`, `Dispatch`)";
    hosted.host.refuse(hosted.module, why);
}

const fn side(number: ULONG) -> Side {
    match number {
        0 => Side::Client,
        _ => Side::Provider,
    }
}

fn bits(handle: HANDLE) -> u64 {
    handle.addr() as u64
}

unsafe extern "C-unwind" fn register_client(
    of: PVOID,
    characteristics: PNPI_CLIENT_CHARACTERISTICS,
    context: PVOID,
    handle: *mut HANDLE,
) -> NTSTATUS {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    // SAFETY: as for NmrRegisterClient, what the module registers is valid.
    let checked = unsafe { check::client(characteristics) };
    let instance = checked.map(|_| {
        // SAFETY: a pointer to a field of what is valid.
        unsafe { &raw const (*characteristics).ClientRegistrationInstance }
    });
    let registered = instance.map(|instance| Registered {
        characteristics: characteristics.expose_provenance(),
        instance: instance.expose_provenance(),
        context: context.expose_provenance(),
    });
    // SAFETY: as for NmrRegisterClient.
    unsafe { register(hosted, Side::Client, registered, handle) }
}

unsafe extern "C-unwind" fn register_provider(
    of: PVOID,
    characteristics: PNPI_PROVIDER_CHARACTERISTICS,
    context: PVOID,
    handle: *mut HANDLE,
) -> NTSTATUS {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    // SAFETY: as for NmrRegisterProvider, what the module registers is valid.
    let checked = unsafe { check::provider(characteristics) };
    let instance = checked.map(|_| {
        // SAFETY: a pointer to a field of what is valid.
        unsafe { &raw const (*characteristics).ProviderRegistrationInstance }
    });
    let registered = instance.map(|instance| Registered {
        characteristics: characteristics.expose_provenance(),
        instance: instance.expose_provenance(),
        context: context.expose_provenance(),
    });
    // SAFETY: as for NmrRegisterProvider.
    unsafe { register(hosted, Side::Provider, registered, handle) }
}

/// # Safety
/// The place is NULL or may be written to.
unsafe fn register(
    hosted: &Hosted,
    side: Side,
    registered: Result<Registered, check::Fault>,
    handle: *mut HANDLE,
) -> NTSTATUS {
    let registered = match writable(handle) {
        true => registered,
        false => Err("there is no place for its handle"),
    };
    let (status, bits) = out(hosted, (STATUS_INTERNAL_ERROR, None), || match registered {
        Ok(registered) => hosted.host.register(hosted.module, side, registered),
        Err(fault) => {
            hosted
                .host
                .mistaken(hosted.module, &Mistake::Registers(fault));
            (STATUS_INVALID_PARAMETER, None)
        }
    });
    if let Some(bits) = bits {
        // SAFETY: not NULL, so the caller says that it may be written to.
        unsafe { handle.write(ptr::without_provenance_mut(bits as usize)) };
    }
    status
}

unsafe extern "C-unwind" fn deregister(of: PVOID, number: ULONG, handle: HANDLE) -> NTSTATUS {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    out(hosted, STATUS_INTERNAL_ERROR, || {
        (hosted.host).deregister(hosted.module, side(number), bits(handle))
    })
}

unsafe extern "C-unwind" fn wait(of: PVOID, number: ULONG, handle: HANDLE) -> NTSTATUS {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    out(hosted, STATUS_INTERNAL_ERROR, || {
        hosted.host.wait(hosted.module, side(number), bits(handle))
    })
}

unsafe extern "C-unwind" fn complete(of: PVOID, number: ULONG, handle: HANDLE) {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    out(hosted, (), || {
        (hosted.host).complete(hosted.module, side(number), bits(handle));
    });
}

unsafe extern "C-unwind" fn attach(
    of: PVOID,
    binding: HANDLE,
    context: PVOID,
    dispatch: *const c_void,
    peer_context: *mut PVOID,
    peer_dispatch: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    if !writable(peer_context) || !writable(peer_dispatch) {
        return STATUS_INVALID_PARAMETER;
    }
    let own = Handed {
        context: context.expose_provenance(),
        dispatch: dispatch.expose_provenance(),
    };
    let answer = out(hosted, Err(STATUS_INTERNAL_ERROR), || {
        hosted.host.attach(hosted.module, bits(binding), own)
    });
    let peer = match answer {
        Ok(peer) => peer,
        Err(status) => return status,
    };
    // SAFETY: not NULL, so the module says that it may be written to.
    unsafe { peer_context.write(ptr::with_exposed_provenance_mut(peer.context)) };
    // SAFETY: as above.
    unsafe { peer_dispatch.write(ptr::with_exposed_provenance(peer.dispatch)) };
    STATUS_SUCCESS
}

unsafe extern "C-unwind" fn call_peer(of: PVOID, context: PVOID) {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    out(hosted, (), || {
        hosted.host.call_peer(hosted.module, context.addr());
    });
}

unsafe extern "C-unwind" fn allocate(of: PVOID, size: ULONGLONG, alignment: ULONGLONG) -> PVOID {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    let (size, alignment) = (size as usize, alignment as usize);
    let address = out_for_memory(hosted, None, || {
        let can_be = alignment.is_power_of_two();
        can_be.then(|| hosted.memory.allocate(size, alignment))?
    });
    address.map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
}

unsafe extern "C-unwind" fn size_of_block(of: PVOID, block: PVOID) -> ULONGLONG {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    out_for_memory(hosted, 0, || match hosted.memory.at(block.addr()) {
        Some(block) => block.size as ULONGLONG,
        None => 0,
    })
}

unsafe extern "C-unwind" fn free(of: PVOID, block: PVOID) {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    let address = block.addr();
    out_for_memory(hosted, (), || {
        let mistake = match hosted.memory.free(address) {
            Ok(()) => return,
            Err(NotFreed::Elsewhere) if !hosted.image.has(address) => {
                let why = "it frees what its own malloc has not returned: memory of other functions of libc's (asprintf, getline) is \
                           libc's, and is neither seen nor put back; allocate it by malloc, calloc, realloc, strdup, strndup, \
                           aligned_alloc or posix_memalign";
                return hosted.host.refuse(hosted.module, why);
            }
            Err(NotFreed::NoBlock | NotFreed::Elsewhere) => Mistake::FreesNothing(address),
            Err(NotFreed::Already(block)) => Mistake::FreesTwice(block),
            Err(NotFreed::Outside(outside)) => Mistake::Outside(outside),
        };
        hosted.host.mistaken(hosted.module, &mistake);
    });
}

unsafe extern "C-unwind" fn refuse(of: PVOID, why: *const c_char) {
    // SAFETY: the module hands on what it was given.
    let hosted = unsafe { hosted(of) };
    // SAFETY: a string of nmrex_module.h.
    let why = unsafe { CStr::from_ptr(why) }.to_string_lossy();
    out(hosted, (), || hosted.host.refuse(hosted.module, &why));
}
