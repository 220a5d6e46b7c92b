//! What a program that runs commands inside itself, one after the other, puts in the place of the world outside: benchmarks and sweeps of
//! faults do, on a sandbox that they look into. Nobody can be asked there.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::sandbox::Sandbox;
use crate::sandbox::connector::{Client, Connector};

/// The world outside of a command.
#[derive(Debug, Clone)]
pub struct Host {
    /// Stands for the folder that `--sandbox` names, which has to be given as well.
    pub sandbox: Sandbox,
    /// The way to the sandbox, and to no other one.
    pub client: Client,
    /// What commands that come to an end write to stdout and stderr, if it shall not go there.
    pub pages: Option<[Page; 2]>,
    /// Turns true when the user wants the work to end. Signals are the program's.
    pub interrupt: watch::Receiver<bool>,
}

impl Host {
    /// Straight to a sandbox, and never interrupted.
    #[must_use]
    pub fn of(sandbox: Sandbox) -> Self {
        let client = Connector::new(sandbox.clone()).client();
        Self { sandbox, client, pages: None, interrupt: watch::channel(false).1 }
    }
}

/// What was written, without colours.
#[derive(Debug, Clone, Default)]
pub struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    /// All of it until now.
    #[must_use]
    pub fn text(&self) -> String {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        anstream::adapter::strip_str(&String::from_utf8_lossy(&text)).to_string()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
