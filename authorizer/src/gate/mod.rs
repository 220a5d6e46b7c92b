//! The authorizer of a public gateway: many kinds of tokens, each checked by the company's auth service.

mod channel;
mod question;
mod settings;

pub use channel::{Channel, Channels, DEFAULT_CHANNEL, TokenPlace, UnknownChannel, YesWhen};
pub use question::{Question, Reply, ask};
pub use settings::Settings;
