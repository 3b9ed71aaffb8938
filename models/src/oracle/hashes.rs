//! The facts of which a state has most, hashed in a few numbers: a search hashes them for each transition. All that is there
//! counts, as if it were derived.

use std::hash::{Hash, Hasher};

use nmr_sync::bits;

use super::facts::{End, OpenCall, Registration};

impl Hash for OpenCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let &Self {
            call,
            standing,
            begun,
            valid,
            detaching,
            complete,
            called_back,
            panicked,
            late,
        } = self;
        let flags = [begun, valid, detaching, complete, called_back, panicked];
        (call, standing, bits(flags) as u8, late).hash(state);
    }
}

impl Hash for Registration {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let &Self {
            side,
            npi,
            issue,
            closing,
            begun,
            unaware,
            deregisters_open,
            contested,
            deregistered,
            released,
            waits_open,
            over,
            abandoned,
            called,
            module_dropped,
            by_fault,
            most,
        } = self;
        let flags = bits([
            closing,
            begun,
            contested,
            deregistered,
            released,
            over,
            abandoned,
            called,
            module_dropped,
            by_fault,
        ]);
        let small = u32::from_le_bytes([npi, deregisters_open, waits_open, side as u8]);
        (flags, small, issue, unaware, most).hash(state);
    }
}

impl Hash for End {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let &Self {
            detach,
            completions_open,
            completed,
            cleanup,
            handed,
            dropped,
            dispatches,
        } = self;
        let small = u32::from_le_bytes([completions_open, handed, dropped, dispatches]);
        (small, completed, detach, cleanup).hash(state);
    }
}
