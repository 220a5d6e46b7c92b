//! AWS as the kinds see it: sessions that read, sessions that write, and what every call to AWS has in common.
//!
//! [`ReadAws`] and [`Aws`] are different types. The clients of a [`ReadAws`] refuse a call that is not a read before it
//! leaves the process ([`guard`]), so that a plan can't change anything, whatever a kind's code says.

pub mod answers;
pub mod calls;
pub mod certificates;
pub mod checkup;
mod clients;
mod connection;
pub mod credentials;
pub mod ec2;
mod endpoint;
mod existing;
pub mod failure;
pub mod guard;
pub mod health;
pub mod http_apis;
mod lists;
pub mod load_balancers;
pub mod lock;
pub mod log_events;
pub mod log_lines;
pub mod lookup;
pub mod notice;
pub mod pace;
mod quota;
mod read;
pub mod retry;
pub mod stage_state;
pub mod supposed;
pub mod tags;
pub mod trail;
pub mod wait;
pub mod zones;

use std::sync::{Mutex, PoisonError};

use crate::error::{Failure, FailureKind, Result};
use crate::model::Place;

pub use calls::Notebook;
pub use checkup::LinkState;
pub use clients::Clients;
pub use connection::Connection;
pub use credentials::{AskCode, MfaSessions, Role};
pub use failure::{failed, given};
pub use lists::Lists;
pub use pace::Pace;
pub use read::{ReadAws, SESSION_CALLS, TaggedArns};

/// A session that can write.
#[derive(Debug)]
pub struct Aws {
    /// Its reading half.
    pub read: ReadAws,
    /// Clients that write.
    pub write: Clients,
    /// The lines that its calls wait in.
    pub pace: Pace,
    /// The account and Region it works in.
    pub place: Place,
    /// Its API Gateway is none of AWS's: a sandbox, an emulator.
    elsewhere: bool,
    tolerant: bool,
    notes: Mutex<Vec<String>>,
}

impl Aws {
    /// Goes on where a service does not give back what it was given, warns that it will not, or takes no tags: for
    /// emulators.
    ///
    /// # Errors
    ///
    /// Refused where the other end is AWS itself: there it would mean an API without its policy or its authorizers.
    pub fn tolerate_differences(&mut self) -> Result<()> {
        if !self.elsewhere {
            return Err(Failure::new(FailureKind::Refused, "--no-verify is for emulators, and this is AWS itself")
                .hint("leave it out; or say where the emulator is, with --endpoint-url or AWS_ENDPOINT_URL"));
        }
        self.tolerant = true;
        Ok(())
    }

    /// Whether differences are tolerated.
    #[must_use]
    pub fn is_tolerant(&self) -> bool {
        self.tolerant
    }

    /// Reports a failure, unless this session tolerates it: then it becomes a note.
    pub fn tolerate(&self, result: Result<()>) -> Result<()> {
        match result {
            Err(failure) if self.tolerant => {
                self.note(failure.to_string());
                Ok(())
            }
            other => other,
        }
    }

    /// Keeps something that the reader of an apply should know, though the step went on.
    pub fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// The notes since the last time they were taken.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
