//! A shared object as it is loaded: from a copy of the file that nobody else has, so that two modules never share their
//! variables; what can be written in it is put back as it was for each execution.

use std::ffi::{CStr, CString, c_void};
use std::fs;
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd};
use std::ptr::{self, NonNull};

use crate::LoadError;

/// Program headers of an ELF file that count.
const PT_LOAD: u32 = 1;
const PT_TLS: u32 = 7;
const PT_GNU_EH_FRAME: u32 = 0x6474_E550;

/// See the [module's documentation](self).
pub(super) struct Image {
    handle: NonNull<c_void>,
    /// Where it is.
    range: Range<usize>,
    /// What can be written, by address, as it was when the object was loaded.
    kept: Vec<(usize, Vec<u8>)>,
}

// SAFETY: the handle is only looked symbols up in, which the system lets every thread do.
unsafe impl Send for Image {}
// SAFETY: as above.
unsafe impl Sync for Image {}

/// What the file's headers say of it.
struct Headers {
    /// The bytes from its first to its last one in memory.
    span: usize,
}

impl Image {
    /// Loads a shared object.
    pub(super) fn load(bytes: &[u8]) -> Result<(Self, usize), LoadError> {
        let headers = headers(bytes)?;
        let path = copy(bytes)?;
        // SAFETY: what runs now are the object's own initialisers: whoever gives a module gives it to be run.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        let handle = NonNull::new(handle).ok_or_else(|| LoadError(refused()))?;
        let mut image = Self {
            handle,
            range: 0..0,
            kept: Vec::new(),
        };
        let shown = image.symbol(c"NmrExObject").ok_or_else(|| {
            LoadError(
                "it does not say how it is driven: one of its files has to define NMREX_IMPLEMENTATION and \
                 include nmrex_module.h"
                    .to_owned(),
            )
        })?;
        let base = base_of(shown).ok_or_else(|| LoadError("it has no address".to_owned()))?;
        image.range = base..base + headers.span;
        image.kept = writable(image.range.start, image.range.end)?;
        Ok((image, shown))
    }

    /// Whether an address is one of the object's.
    pub(super) fn has(&self, address: usize) -> bool {
        self.range.contains(&address)
    }

    fn symbol(&self, name: &CStr) -> Option<usize> {
        // SAFETY: the handle is of an object that is loaded, for good.
        let symbol = unsafe { libc::dlsym(self.handle.as_ptr(), name.as_ptr()) };
        NonNull::new(symbol).map(|symbol| symbol.as_ptr().expose_provenance())
    }

    /// Keeps what can be written as it is now.
    pub(super) fn keep(&mut self) {
        for (at, bytes) in &mut self.kept {
            let (there, length) = (ptr::with_exposed_provenance::<u8>(*at), bytes.len());
            // SAFETY: readable and writable as long as the object is loaded, which is for good; its code does not run.
            let now = unsafe { std::slice::from_raw_parts(there, length) };
            bytes.copy_from_slice(now);
        }
    }

    /// Puts back what was kept.
    pub(super) fn reset(&self) {
        for (at, bytes) in &self.kept {
            let there = ptr::with_exposed_provenance_mut::<u8>(*at);
            // SAFETY: as in `keep`; the two do not overlap.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), there, bytes.len()) };
        }
    }

    /// Shows what can be written.
    pub(super) fn show(&self, to: &mut dyn FnMut(&[u8])) {
        for (at, bytes) in &self.kept {
            let there = ptr::with_exposed_provenance::<u8>(*at);
            // SAFETY: as in `keep`.
            to(unsafe { std::slice::from_raw_parts(there, bytes.len()) });
        }
    }
}

/// Where stdout goes to, from now on for whoever is given this; all else that is written there goes to stderr.
pub(super) fn take_stdout() -> std::io::Result<fs::File> {
    let stdout = std::io::stdout().as_fd().try_clone_to_owned()?;
    // SAFETY: both are open for as long as the process is there.
    match unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) } {
        0.. => Ok(stdout.into()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Whether such an object can be driven.
fn headers(bytes: &[u8]) -> Result<Headers, LoadError> {
    let wrong = || LoadError("it is no shared object of this machine".to_owned());
    let number = |at: usize, size: usize| -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        let number = bytes.iter().rev();
        Some(number.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    };
    let is_elf64 = bytes.starts_with(b"\x7fELF\x02\x01");
    let (Some(first), Some(size), Some(count)) = (number(32, 8), number(54, 2), number(56, 2))
    else {
        return Err(wrong());
    };
    if !is_elf64 {
        return Err(wrong());
    }
    let (mut span, mut unwinds) = (0, false);
    for nth in 0..count {
        let at = (first + nth * size) as usize;
        let (Some(kind), Some(address), Some(length)) =
            (number(at, 4), number(at + 16, 8), number(at + 40, 8))
        else {
            return Err(wrong());
        };
        match kind as u32 {
            PT_LOAD => span = span.max(address.saturating_add(length) as usize),
            PT_GNU_EH_FRAME => unwinds = true,
            PT_TLS => {
                let why = "it has variables of threads (`__thread`, `_Thread_local`): the threads of a scenario are \
                           none of the system's, and would share them";
                return Err(LoadError(why.to_owned()));
            }
            _ => {}
        }
    }
    match unwinds {
        true => Ok(Headers { span }),
        false => Err(LoadError(
            "it cannot be unwound: compile it with -fasynchronous-unwind-tables".to_owned(),
        )),
    }
}

/// A file with these bytes that has no name; how it is opened. It stays open: the path is the object's name.
fn copy(bytes: &[u8]) -> Result<CString, LoadError> {
    let failed = |error: std::io::Error| LoadError(format!("it cannot be copied: {error}"));
    // SAFETY: a new file, with a name that means nothing.
    let file = unsafe { libc::memfd_create(c"nmr-c-module".as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(failed(std::io::Error::last_os_error()));
    }
    // SAFETY: it was just made, and is nobody else's.
    let mut file = unsafe { fs::File::from_raw_fd(file) };
    file.write_all(bytes).map_err(failed)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let _ = file.into_raw_fd();
    Ok(CString::new(path).expect("a path without zeros"))
}

/// Why the system did not load it.
fn refused() -> String {
    // SAFETY: it answers NULL or a string that lives until the next call.
    let said = unsafe { libc::dlerror() };
    if said.is_null() {
        return "the system does not load it".to_owned();
    }
    // SAFETY: as above.
    let said = unsafe { CStr::from_ptr(said) }.to_string_lossy();
    let said = match said.split_once(": ") {
        Some((path, why)) if path.starts_with("/proc/self/fd/") => why.to_owned(),
        _ => said.into_owned(),
    };
    let hint = match said.split_once("undefined symbol: ") {
        Some((_, name)) if name.starts_with("NmrExModule") => {
            "one of its files has to define it: `const NMREX_MODULE NmrExModule`, which says how the module is driven"
        }
        Some((_, name)) if name.starts_with("Nmr") => {
            "one of its files has to define NMREX_IMPLEMENTATION and include nmrex_module.h"
        }
        _ => return said,
    };
    format!("{said}: {hint}")
}

/// Where the object begins that has something at this address.
fn base_of(address: usize) -> Option<usize> {
    let mut info = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: it fills in what it is given, or answers 0.
    let found = unsafe { libc::dladdr(ptr::with_exposed_provenance(address), info.as_mut_ptr()) };
    if found == 0 {
        return None;
    }
    // SAFETY: it was filled in.
    let info = unsafe { info.assume_init() };
    Some(info.dli_fbase.addr())
}

/// What can be written between two addresses: the object's variables.
fn writable(from: usize, to: usize) -> Result<Vec<(usize, Vec<u8>)>, LoadError> {
    let maps = fs::read_to_string("/proc/self/maps")
        .map_err(|error| LoadError(format!("/proc/self/maps cannot be read: {error}")))?;
    let regions = maps.lines().filter_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let start = usize::from_str_radix(start, 16).ok()?.max(from);
        let end = usize::from_str_radix(end, 16).ok()?.min(to);
        (rest.starts_with("rw") && start < end).then(|| (start, vec![0; end - start]))
    });
    Ok(regions.collect())
}
