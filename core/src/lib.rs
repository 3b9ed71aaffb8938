//! The Network Module Registrar: clients and providers of named interfaces register, are attached
//! to each other through callbacks, detach (at once or pending) and deregister, and a wait returns
//! when nothing of them is in use any more.
//!
//! The behaviour is that of the Windows functions `NmrRegisterClient` and its family; the rules
//! C1–C19 that the documentation of this crate refers to are the [`contract`].
//! There are two ways in, besides the [`machine`] for who has no threads:
//!
//! - the functions of [`Registrar`] with plain [handles](Handle), which have Windows' names and
//!   answers;
//! - [`Registrar::client`] and [`Registrar::provider`], which give a [`Registration`] that owns its
//!   place and deregisters itself.
//!
//! ```
//! # #[cfg(not(any(loom, shuttle)))] {
//! use std::sync::Arc;
//! use nmr::*;
//!
//! /// A provider that offers a number and takes any client.
//! struct Answer;
//! impl ProviderModule for Answer {
//!     fn attach_client(
//!         &self,
//!         _binding: BindingHandle,
//!         _client: &RegistrationInstance,
//!         _peer: &Attachment,
//!     ) -> Result<Attachment, Status> {
//!         Ok(Attachment { context: BindingContext::null(), dispatch: Dispatch::new(42_u32) })
//!     }
//!     fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
//!         Detach::Complete
//!     }
//! }
//!
//! /// A client that takes any provider.
//! struct Asker;
//! impl ClientModule for Asker {
//!     fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
//!         let provider = offer.attach(Attachment::default()).map_err(|error| error.status())?;
//!         assert_eq!(provider.dispatch.downcast_ref(), Some(&42_u32));
//!         Ok(())
//!     }
//!     fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
//!         Detach::Complete
//!     }
//! }
//!
//! let registrar = Registrar::new();
//! let npi = NpiId(1);
//! let provider = registrar.provider(RegistrationInstance::new(npi, ModuleId(1)), Arc::new(Answer))?;
//! let client = registrar.client(RegistrationInstance::new(npi, ModuleId(2)), Arc::new(Asker))?;
//! assert_eq!(registrar.count().bindings, 1);
//! client.deregister().wait()?;
//! provider.deregister().wait()?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In its two model builds (`--cfg loom`, `--cfg shuttle`) it also says, through `nmr-sync`, what counts of its
//! state and what a thread learns of it. It does not know who asks.

#[doc = include_str!("../CONTRACT.md")]
pub mod contract {}

mod builder;
mod calls;
mod drive;
mod error;
mod handle;
mod lent;
pub mod machine;
mod module;
mod npi;
mod offer;
mod owned;
mod registrar;
mod reserve;
mod rundown;
mod status;
mod table;

pub use builder::Builder;
pub use error::{
    AttachError, DeregisterError, DetachCompleteError, InsufficientResources, RegisterError,
    Resource, WaitError,
};
pub use handle::{
    BindingHandle, ClientHandle, Handle, HandleFault, HandleKind, OfBinding, OfClient, OfProvider,
    ProviderHandle,
};
pub use module::{
    Attachment, BindingContext, ClientModule, Detach, Dispatch, Opaque, ProviderModule,
};
pub use npi::{ModuleId, NpiId, RegistrationInstance, Side};
pub use offer::Offer;
pub use owned::{ClientRegistration, Deregistering, ProviderRegistration, Registration};
pub use registrar::{Count, Registrar, RegistrationKind};
pub use rundown::{Closing, Guard, NotRunDown, Released, Rundown};
pub use status::Status;
#[cfg(shuttle)]
#[doc(hidden)]
pub use table::{Seen, Translation, observe};
