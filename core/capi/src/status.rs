//! The status codes that the functions answer, as C has them.

#[cfg(not(shuttle))]
use nmr::Detach;
use nmr::Status;

use crate::abi::NTSTATUS;
#[cfg(not(shuttle))]
use crate::log::warning;

/// Done.
pub const STATUS_SUCCESS: NTSTATUS = of(Status::SUCCESS);
/// Begun: the answer of every deregister call, and of a detach callback that completes later.
pub const STATUS_PENDING: NTSTATUS = of(Status::PENDING);
/// A bad argument: nothing was done, and nobody was called.
pub const STATUS_INVALID_PARAMETER: NTSTATUS = of(Status::INVALID_PARAMETER);
/// No memory, or a limit is reached: nothing was done, and nobody was called.
pub const STATUS_INSUFFICIENT_RESOURCES: NTSTATUS = of(Status::INSUFFICIENT_RESOURCES);
/// One of the two does not attach.
pub const STATUS_NOINTERFACE: NTSTATUS = of(Status::NOINTERFACE);
/// Not at this time.
pub const STATUS_INVALID_DEVICE_STATE: NTSTATUS = of(Status::INVALID_DEVICE_STATE);
/// The wait would have no end.
pub const STATUS_POSSIBLE_DEADLOCK: NTSTATUS = of(Status::POSSIBLE_DEADLOCK);
/// A Rust panic was caught. No other function answers it than those that say so.
pub const STATUS_INTERNAL_ERROR: NTSTATUS = 0xC000_00E5_u32.cast_signed();

/// A status of the Rust API, to C.
pub(crate) const fn of(status: Status) -> NTSTATUS {
    status.0.cast_signed()
}

/// A status of a module in C, to the Rust API.
#[cfg(not(shuttle))]
pub(crate) const fn to(status: NTSTATUS) -> Status {
    Status(status.cast_unsigned())
}

/// A detach callback's answer. netioddk.h knows two; whatever is not *pending* is over.
#[cfg(not(shuttle))]
pub(crate) fn detach(answer: NTSTATUS) -> Detach {
    match answer {
        STATUS_PENDING => Detach::Pending,
        STATUS_SUCCESS => Detach::Complete,
        other => {
            warning(format_args!(
                "a detach callback answers {}, neither success nor pending: taken for complete",
                to(other)
            ));
            Detach::Complete
        }
    }
}
