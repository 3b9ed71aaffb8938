//! What modules and threads are like without their names, as a few bits each: sorted by these, one encoding of a
//! state usually stands for all its images. It need not tell much apart: what is equal here is tried in each order.

use std::hash::{Hash, Hasher};

use super::state::{State, Thread};
use super::task::Task;
use crate::permuted::{MAX_SYMMETRIC, Symmetry};

/// The codes of all modules and threads of a state, of a scenario with symmetries.
pub(super) struct Codes {
    modules: [u8; MAX_SYMMETRIC],
    threads: [u8; MAX_SYMMETRIC],
}

impl Codes {
    /// What comes out of the threads if each stands in the place where the symmetry puts it.
    pub(super) fn threads_under(&self, symmetry: &Symmetry) -> u64 {
        placed(&self.threads, &symmetry.threads)
    }

    /// The same of the modules.
    pub(super) fn modules_under(&self, symmetry: &Symmetry) -> u64 {
        placed(&self.modules, &symmetry.modules)
    }
}

fn placed(codes: &[u8], places: &[u8]) -> u64 {
    let each = codes.iter().zip(places);
    each.fold(0, |all, (&code, &place)| {
        all ^ u64::from(code).rotate_left(8 * u32::from(place))
    })
}

impl State {
    pub(super) fn codes(&self) -> Codes {
        let mut codes = Codes {
            modules: [0; MAX_SYMMETRIC],
            threads: [0; MAX_SYMMETRIC],
        };
        for (code, module) in codes.modules.iter_mut().zip(&self.shared.modules) {
            let known =
                u8::from(module.latest.is_some()) << 1 | u8::from(module.last_binding.is_some());
            *code = known | (module.registrations & 7) << 5 | (module.freed.len() as u8 & 7) << 2;
        }
        self.table.outlines(|reg, outline| {
            let code = &mut codes.modules[usize::from(reg.module)];
            *code = code.wrapping_add((outline >> 56) as u8);
        });
        for (code, thread) in codes.threads.iter_mut().zip(&self.threads) {
            *code = thread.code();
        }
        codes
    }
}

impl Thread {
    /// Where it is, without the names of what it is about.
    fn code(&self) -> u8 {
        let mut code = Code(self.calls.len() as u64 ^ (self.tasks.len() as u64) << 8);
        for task in &self.tasks {
            std::mem::discriminant(task).hash(&mut code);
            if let Task::Host(driven) = task {
                std::mem::discriminant(driven).hash(&mut code);
            }
        }
        for open in &self.calls {
            std::mem::discriminant(&open.what).hash(&mut code);
            std::mem::discriminant(&open.act).hash(&mut code);
        }
        for open in &self.callbacks {
            (open.callback.kind, open.callback.side).hash(&mut code);
        }
        (code.0 >> 56) as u8
    }
}

/// A hash of a few small numbers.
struct Code(u64);

impl Hasher for Code {
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
