//! Searches every state of a transition system, told apart by 128-bit fingerprints of canonical encodings.
//!
//! Explicit-state search as in SPIN or Murphi: a [`System`] says how its states are made, copied and encoded, and
//! a [`Search`] goes through all of them, depth first, on one or several threads. It knows nothing of what
//! the states are of. Reductions, each with a switch: symmetry (Ip and Dill, 1996), and ample sets (Peled, 1993) that
//! the system claims, and whose claims [`Search::verify`] tries out.
//!
//! "Exhausted" is said only of a search that ended by itself.
//!
//! ```
//! use nmr_search::{Encoder, Search, System};
//!
//! /// Two counters that each count to three.
//! struct Counters;
//! impl System for Counters {
//!     type State = [u8; 2];
//!     type Action = usize;
//!     type Violation = String;
//!     type Permutation = ();
//!     fn identity(&self) -> String {
//!         "counters".to_owned()
//!     }
//!     fn initial(&self) -> [u8; 2] {
//!         [0; 2]
//!     }
//!     fn actions(&self, state: &[u8; 2], enabled: &mut Vec<usize>) {
//!         enabled.extend((0..2).filter(|&counter| state[counter] < 3));
//!     }
//!     fn apply(&self, state: &mut [u8; 2], counter: usize) -> Result<(), String> {
//!         state[counter] += 1;
//!         Ok(())
//!     }
//!     fn encode(&self, state: &[u8; 2], (): &(), encoder: &mut Encoder) {
//!         encoder.put_bytes(state);
//!     }
//!     fn permutations(&self) -> &[()] {
//!         &[()]
//!     }
//! }
//!
//! let report = Search::new().run(&Counters);
//! report.assert_exhausted();
//! assert_eq!(report.counts.states, 16);
//! ```

mod checkpoint;
mod claims;
mod encoder;
mod expand;
mod finding;
mod market;
mod memory;
mod replay;
mod report;
mod resume;
mod running;
mod search;
mod shared;
mod shortest;
mod stack;
mod system;
mod verify;
mod visited;
mod worker;

pub use claims::Claims;
pub use encoder::{Encoder, Fingerprint};
pub use finding::{Difference, Fault, WrongClaim};
pub use replay::{Replay, replay};
pub use report::{Assumptions, Choice, Counterexample, Counts, Cut, Effort, Outcome, Report};
pub use search::{Progress, Search};
pub use system::System;
