//! Who may pass the gateway: the decision, without the network.
//!
//! API Gateway sends a REQUEST event; [`ask`] turns it into a [`Question`] for the auth service of the company, the
//! caller carries that question over (the binary `bootstrap` does, over HTTPS), and [`Question::judge`] turns the reply
//! into an [`Allow`] or a [`Denial`]. Nothing here does I/O, so that every path can be tested in microseconds, and the
//! types leave no way to an `Allow` but through a reply that says yes.
//!
//! A [`Denial`] is one of two very different things. `Unauthorized` is a real no, and the only text that makes API
//! Gateway answer 401. Everything else (settings missing, auth service down or talking nonsense) is `Failed`, answers
//! 500, and is somebody's alarm, not the user's wrong password.
//!
//! Tokens and replies are secrets: no message and no `Debug` output of this crate holds any part of them.

mod allow;
mod arn;
mod bearer;
mod denial;
mod event;
mod question;
mod settings;

pub use allow::Allow;
pub use denial::Denial;
pub use question::{Question, Reply, ask};
pub use settings::{Channel, Settings, SettingsFaults};

/// The only error message that API Gateway turns into 401; any other gives 500.
pub const UNAUTHORIZED: &str = "Unauthorized";
