//! What Ctrl-C means while AWS is being changed: once, what is in flight is finished, a record is left and the lock given back; twice, the
//! process ends at once.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::output::notice;
use crate::cli::Global;
use crate::error::exit;
use crate::lock::VALID_FOR;

/// What the user's wish to end the work reaches it by. Until something is changed, Ctrl-C ends the process, as it does anywhere.
pub(super) struct Interruption {
    receive: watch::Receiver<bool>,
    /// Gone once signals are listened to.
    send: Mutex<Option<watch::Sender<bool>>>,
}

impl Interruption {
    /// Nobody listens yet.
    pub(super) fn new(global: &Global) -> Self {
        if let Some(host) = &global.host {
            return Self { receive: host.interrupt.clone(), send: Mutex::new(None) };
        }
        let (send, receive) = watch::channel(false);
        Self { receive, send: Mutex::new(Some(send)) }
    }

    /// Turns true once the user wants the work to end.
    pub(super) fn told(&self) -> watch::Receiver<bool> {
        self.receive.clone()
    }

    /// From now on something is changed. The first Ctrl-C, SIGTERM (which Kubernetes, systemd and cancelled CI jobs send) or SIGHUP (a
    /// terminal that went away) is told, and the second ends the process at once. Once nobody listens any more, the work is over, and
    /// the first does.
    pub(super) fn listen(&self, global: &Global) {
        let send = self.send.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(send), global) = (send, global.clone()) else { return };
        tokio::spawn(async move {
            let mut interrupted = false;
            let Some(mut signals) = Signals::listen() else { return };
            while signals.next().await {
                // Only what is told of the work is left, perhaps.
                if interrupted && !send.is_closed() {
                    tell_what_stays(&global);
                }
                if interrupted || send.send(true).is_err() {
                    std::process::exit(i32::from(exit::INTERRUPTED));
                }
                interrupted = true;
            }
        });
    }
}

fn tell_what_stays(global: &Global) {
    let minutes = VALID_FOR.as_secs() / 60;
    // The process ends, whoever reads this.
    let _ = notice(global, |out| {
        writeln!(out, "ended at once, in the midst of the work: the next run of this command finishes it")?;
        writeln!(out, "hint: on this machine the next run takes the lock over; elsewhere it stays for {minutes} min,")?;
        writeln!(out, "      unless `gwctl unlock` takes it away")
    });
}

/// What tells a process to end. Listening begins once: what comes between two looks is not lost.
#[cfg(unix)]
struct Signals {
    all: [tokio::signal::unix::Signal; 3],
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind| signal(kind).ok();
        let all = [on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?];
        Some(Self { all })
    }

    async fn next(&mut self) -> bool {
        let [interrupt, terminate, hang_up] = &mut self.all;
        tokio::select! {
            told = interrupt.recv() => told.is_some(),
            told = terminate.recv() => told.is_some(),
            told = hang_up.recv() => told.is_some(),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
