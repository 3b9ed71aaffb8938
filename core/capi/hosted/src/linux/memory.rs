//! The memory that a module in C allocates: pages of their own for each block, which nobody can read any more once it is
//! freed. Addresses follow from the order of allocations alone, so that an execution that is repeated has the same ones.
//!
//! A block ends where its pages do (up to its alignment), and the page after them is never readable: who goes past it is seen at
//! once. The rest of its pages, before it and up to its alignment behind it, is filled: who has written there is seen when it is
//! [looked for](Memory::outside).

use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Block, Outside};

/// So much can be allocated in one execution, freed or not.
const CAPACITY: usize = 1 << 28;
/// What a block's pages are filled with outside of it: a canary.
const FILL: u8 = 0xA5;

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
    /// It lies here, and no block begins there.
    NoBlock,
    /// It lies elsewhere.
    Elsewhere,
    /// Its surroundings were written to.
    Outside(Outside),
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

    /// A block of zeros with this alignment, a power of two; `None` if there is no room.
    pub(super) fn allocate(&self, size: usize, alignment: usize) -> Option<usize> {
        let mut state = self.state();
        let unit = alignment.min(self.page);
        let rounded = size.max(1).checked_next_multiple_of(unit)?;
        let pages = rounded.checked_next_multiple_of(self.page)?;
        let from = self.base.checked_add(state.used)?;
        let start = from.checked_next_multiple_of(alignment.max(self.page))? - self.base;
        let end = start.checked_add(pages)?.checked_add(self.page)?;
        if end > CAPACITY || !self.protect(start, pages, libc::PROT_READ | libc::PROT_WRITE) {
            return None;
        }
        state.used = end;
        let address = self.base + start + pages - rounded;
        let block = Block {
            address,
            size,
            is_freed: false,
        };
        for (at, length) in self.around(block) {
            let at = ptr::with_exposed_provenance_mut::<u8>(at);
            // SAFETY: of the pages that were just made writable, which nobody has been given yet.
            unsafe { at.write_bytes(FILL, length) };
        }
        state.blocks.push(block);
        Some(address)
    }

    /// Frees the block by its address.
    pub(super) fn free(&self, address: usize) -> Result<(), NotFreed> {
        let mut state = self.state();
        let mut blocks = state.blocks.iter_mut();
        let block = blocks.find(|block| block.address == address);
        let is_here = (self.base..self.base + CAPACITY).contains(&address);
        let block = block.ok_or(match is_here {
            true => NotFreed::NoBlock,
            false => NotFreed::Elsewhere,
        })?;
        if block.is_freed {
            return Err(NotFreed::Already(*block));
        }
        if let Some(outside) = self.outside_of(*block) {
            return Err(NotFreed::Outside(outside));
        }
        block.is_freed = true;
        let (start, pages) = self.pages(*block);
        self.protect(start, pages, libc::PROT_NONE);
        Ok(())
    }

    /// What was written outside of a block that is not freed, if anything.
    pub(super) fn outside(&self) -> Option<Outside> {
        let state = self.state();
        let mut blocks = state.blocks.iter().filter(|block| !block.is_freed);
        blocks.find_map(|block| self.outside_of(*block))
    }

    fn outside_of(&self, block: Block) -> Option<Outside> {
        let [before, behind] = self.around(block).map(|(at, length)| {
            let there = ptr::with_exposed_provenance::<u8>(at);
            // SAFETY: of the block's pages, which are readable as long as it is not freed; nobody writes to them: the module's
            // code does not run while this does.
            let bytes = unsafe { std::slice::from_raw_parts(there, length) };
            (at, bytes)
        });
        let is_written = |byte: &u8| *byte != FILL;
        // That which is next to the block.
        let behind = (behind.1.iter().position(is_written)).map(|nth| behind.0 + nth);
        let written =
            behind.or_else(|| (before.1.iter().rposition(is_written)).map(|nth| before.0 + nth))?;
        Some(Outside {
            block,
            byte: written as i64 - block.address as i64,
        })
    }

    /// What is of a block's pages and not of the block: addresses and lengths of what lies before it and behind it.
    fn around(&self, block: Block) -> [(usize, usize); 2] {
        let (start, pages) = self.pages(block);
        let (start, end) = (self.base + start, block.address + block.size);
        [(start, block.address - start), (end, start + pages - end)]
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
