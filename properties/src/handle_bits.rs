//! Random handles.
