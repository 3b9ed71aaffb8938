//! The registrar without threads: its table, and its calls as values.
//!
//! A public function of [`Registrar`](crate::Registrar) is a few critical sections, with callbacks between
//! them. Here it is a [`Call`]: [`Call::section`] does one critical section on the [`Table`] and answers the
//! next [`Act`]; whoever drives the call carries that out, says with [`Call::resume`] what came of it, and goes
//! on with the next section. [`Registrar`](crate::Registrar) does so under a monitor, with real modules; a
//! simulator, an event loop or a checker does it as it likes. Nothing is written twice: who explores calls
//! explores what the registrar runs.
//!
//! What modules lend is a type parameter ([`Lent`]), so that a table and its calls can be plain values that are
//! cloned, hashed and compared.
//!
//! Nothing here blocks, calls anybody, or knows the time. Which of several calls goes on is up to the driver,
//! and so is what a [`Layout`] of several stripes means: a call goes to the table of its
//! [`stripe`](Call::stripe).
//!
//! Two calls, driven by hand: a provider and a client register, and attach.
//!
//! ```
//! use nmr::machine::{Act, Answer, Call, Characteristics, Layout, Lent, Outcome, Table};
//! use nmr::{NpiId, Side};
//!
//! /// Modules are their sides, callers are numbers, and nothing stands behind a context.
//! #[derive(Clone, Debug)]
//! enum Plain {}
//! impl Lent for Plain {
//!     type Module = Side;
//!     type Instance = NpiId;
//!     type Context = ();
//!     type Thread = u8;
//!     type Name = ();
//!     fn side(module: &Side) -> Side {
//!         *module
//!     }
//!     fn npi(instance: &NpiId) -> NpiId {
//!         *instance
//!     }
//!     fn is_null(_: &()) -> bool {
//!         false
//!     }
//!     fn name(_: &Side) {}
//! }
//!
//! let layout = Layout::new(1, 1);
//! let mut table = Table::<Plain>::unlimited();
//! let register = |module| {
//!     let characteristics = Characteristics { module, instance: NpiId(7) };
//!     Call::register(layout, characteristics, 0).expect("not the nil interface")
//! };
//!
//! let mut provider = register(Side::Provider);
//! assert_eq!(provider.section(&mut table).act, Act::Return);
//!
//! let mut client = register(Side::Client);
//! let Act::Offer(binding) = client.section(&mut table).act else { panic!("there is a provider") };
//! // The client's attach callback would run now. It asks the provider:
//! let mut attach = Call::attach(layout, binding, (), 0).expect("a handle of this registrar");
//! assert_eq!(attach.section(&mut table).act, Act::Ask(binding));
//! // The provider's attach callback would run now, and take the client.
//! attach.resume(Outcome::Asked(Some(())));
//! assert_eq!(attach.section(&mut table).act, Act::Return);
//! assert_eq!(attach.answer(), Some(&Answer::Attach(Ok(()))));
//! // The client's callback answers success, and there is nobody else.
//! client.resume(Outcome::Offered { success: true });
//! assert_eq!(client.section(&mut table).act, Act::Return);
//! assert_eq!(table.count().bindings, 1);
//! ```

mod call;
mod independence;
mod layout;

pub use crate::drive::Real;
pub use crate::lent::Lent;
pub use crate::registrar::Count;
pub use crate::reserve::{Left, Reserve};
pub use crate::table::{
    BindingView, Characteristics, Dropped, Hand, InterfaceView, RegistrationView, Table, View,
    WaitFault,
};
pub use call::{Act, Answer, AttachFault, Call, CompleteFault, DeregisterFault, Outcome, Section};
pub use independence::Others;
pub use layout::Layout;
