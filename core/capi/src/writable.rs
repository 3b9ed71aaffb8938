//! Places that a caller gives for what a function has to say.

/// Whether something can be written to where this points, as far as one can see.
pub(crate) fn writable<T>(out: *mut T) -> bool {
    !out.is_null() && out.is_aligned()
}
