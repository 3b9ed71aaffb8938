//! The memory that a module in C allocates: pages of their own for each block, which nobody can read any more once it is
//! freed. Addresses follow from the order of allocations alone, so that an execution that is repeated has the same ones.
//!
//! A block ends where its pages do (up to its alignment), and the page after them is never readable: who writes past its end is
//! seen as well.

use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Block;

/// So much can be allocated in one execution, freed or not.
const CAPACITY: usize = 1 << 28;
/// As `malloc`.
const ALIGNMENT: usize = 16;

/// See the [module's documentation](self).
pub(super) struct Memory {
    base: usize,
    page: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blocks: Vec<Block>,
    /// Bytes from the base on that were given out.
    used: usize,
}

/// Why a block was not freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFreed {
    Already(Block),
    Unknown,
}

impl Memory {
    /// Reserves room for it; `None` if the system has none.
    pub(super) fn reserve() -> Option<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, wherever the system likes.
        let base = unsafe { libc::mmap(ptr::null_mut(), CAPACITY, libc::PROT_NONE, flags, -1, 0) };
        // SAFETY: it only answers a number.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let reserved = base != libc::MAP_FAILED && page > 0;
        reserved.then(|| Self {
            base: base.expose_provenance(),
            page: page as usize,
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever panics between does so outside of it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of zeros; `None` if there is no room.
    pub(super) fn allocate(&self, size: usize) -> Option<usize> {
        let mut state = self.state();
        let rounded = size.max(1).checked_next_multiple_of(ALIGNMENT)?;
        let pages = rounded.checked_next_multiple_of(self.page)?;
        let start = state.used;
        let end = start.checked_add(pages)?.checked_add(self.page)?;
        if end > CAPACITY || !self.protect(start, pages, libc::PROT_READ | libc::PROT_WRITE) {
            return None;
        }
        state.used = end;
        let address = self.base + start + pages - rounded;
        state.blocks.push(Block {
            address,
            size,
            is_freed: false,
        });
        Some(address)
    }

    /// Frees the block by its address.
    pub(super) fn free(&self, address: usize) -> Result<(), NotFreed> {
        let mut state = self.state();
        let mut blocks = state.blocks.iter_mut();
        let block = blocks.find(|block| block.address == address);
        let block = block.ok_or(NotFreed::Unknown)?;
        if block.is_freed {
            return Err(NotFreed::Already(*block));
        }
        block.is_freed = true;
        let (start, pages) = self.pages(*block);
        self.protect(start, pages, libc::PROT_NONE);
        Ok(())
    }

    /// The block that an address lies in, or in whose pages.
    pub(super) fn at(&self, address: usize) -> Option<Block> {
        let state = self.state();
        let mut blocks = state.blocks.iter();
        let block = blocks.find(|block| {
            let (start, pages) = self.pages(**block);
            let start = self.base + start;
            (start..start + pages + self.page).contains(&address)
        });
        block.copied()
    }

    /// From the base on.
    fn pages(&self, block: Block) -> (usize, usize) {
        let end = (block.address - self.base + block.size.max(1)).next_multiple_of(self.page);
        let start = (block.address - self.base) / self.page * self.page;
        (start, end - start)
    }

    fn protect(&self, start: usize, bytes: usize, protection: i32) -> bool {
        let at = ptr::with_exposed_provenance_mut(self.base + start);
        // SAFETY: pages of the mapping, which is this value's own; nothing in Rust refers to what is in them.
        unsafe { libc::mprotect(at, bytes, protection) == 0 }
    }

    /// Takes all of it back.
    pub(super) fn reset(&self) {
        let mut state = self.state();
        let used = std::mem::take(&mut state.used);
        state.blocks.clear();
        if used > 0 {
            let at = ptr::with_exposed_provenance_mut(self.base);
            // SAFETY: pages of the mapping, to which nothing refers any more: the execution that did is over.
            unsafe { libc::madvise(at, used, libc::MADV_DONTNEED) };
            self.protect(0, used, libc::PROT_NONE);
        }
    }

    /// Shows the blocks that are there, and which were freed.
    pub(super) fn show(&self, to: &mut dyn FnMut(&[u8])) {
        for block in &self.state().blocks {
            to(&[u8::from(block.is_freed)]);
            to(&block.size.to_ne_bytes());
            if !block.is_freed {
                let at = ptr::with_exposed_provenance(block.address);
                // SAFETY: it is readable as long as it is not freed, and nobody writes to it: the module's code does not
                // run while this does.
                to(unsafe { std::slice::from_raw_parts(at, block.size) });
            }
        }
    }
}
