//! Who may pass a gateway: two decisions, without the network.
//!
//! [`gate`] decides for a public gateway. API Gateway sends a REQUEST event; [`gate::ask`] turns it into a
//! [`gate::Question`] for the auth service of the company, the caller carries that question over ([`function`] does, over
//! HTTPS), and [`gate::Question::judge`] turns the reply into an [`Allow`] or a [`Denial`]. [`system`] decides for an internal
//! gateway, by the digests of its callers' keys, and asks nobody. Nothing in the two does I/O, so that every path can be
//! tested in microseconds, and the types leave no way to an `Allow` but through a reply that says yes or a key that is known.
//!
//! A [`Denial`] is one of two very different things. `Unauthorized` is a real no, and the only text that makes API
//! Gateway answer 401. Everything else (settings missing, auth service down or talking nonsense) is `Failed`, answers
//! 500, and is somebody's alarm, not the user's wrong password.
//!
//! The settings of both come from environment variables, and are read by [`gate::Settings::read`] and
//! [`system::Callers::read`]: by the functions at a cold start, and by gwctl before it deploys them.
//!
//! Tokens, keys and replies are secrets: no message and no `Debug` output of this crate holds any part of them.

mod allow;
mod arn;
mod bearer;
mod denial;
mod event;
mod fault;
#[cfg(feature = "function")]
pub mod function;
pub mod gate;
pub mod system;

pub use allow::{Allow, MAX_CONTEXT_BYTES};
pub use denial::{Cause, Denial};
pub use fault::{Fault, Faults};

/// The only error message that API Gateway turns into 401; any other gives 500.
pub const UNAUTHORIZED: &str = "Unauthorized";
