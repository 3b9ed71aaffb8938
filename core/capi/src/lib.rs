//! The Network Module Registrar under the names of netioddk.h: a C ABI over [`nmr`], so that client and provider
//! modules written for Windows compile and run in user mode, on Linux, macOS and Windows of 64 bits.
//!
//! `README.md` beside this crate is for who has such a module. The functions are [`functions`] and [`extra`], the types
//! [`abi`], and the header `include/nmr.h` is generated from them. With `hosted`, which runs
//! modules in C inside of an explorer, this is the only crate with `unsafe`, and it decides nothing: it checks and translates what comes from C, and the registrar is [`nmr::Registrar`].
//!
//! # What is unsafe here, and why it is sound
//!
//! - **A module's structure** is read through the pointer that it registered, from the register call to the end of the
//!   deregistration. The module keeps it valid that long (netioddk.h), and the registrar calls nobody later (C10, C11).
//!   Nothing of it is copied but the NPIID, the registrar's key.
//! - **A module's callbacks** are called with what netioddk.h says that they are given. No lock is held (C15), and a
//!   panic in one, if it is written in Rust, is the registrar's to account for (C18).
//! - **Registration contexts, binding contexts and dispatch tables** are the modules', handed on and never looked into.
//! - **Out parameters** are checked for NULL and alignment, and written once, on success.
//! - **HANDLEs** are numbers, looked up and never dereferenced (C12): functions that take nothing else are safe.

#![cfg(not(any(loom, shuttle)))]

pub mod abi;
mod boundary;
mod check;
mod client;
pub mod extra;
pub mod functions;
mod handed;
mod handle;
mod log;
mod provider;
mod register;
mod registrars;
pub mod status;
mod writable;
