//! The processes that wait for events, by function, and the code they were started from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use super::environment::Environment;
use super::unpack::Unpacked;
use super::{Code, House, InvokeError};

/// How often idle processes are looked at, at least.
const ROUND: Duration = Duration::from_secs(30);

/// The pools of all functions, by ARN.
#[derive(Debug, Default)]
pub(super) struct Pools {
    held: Mutex<Held>,
    /// Code on disk, by digest, as long as a process uses it.
    code: tokio::sync::Mutex<HashMap<String, Weak<Unpacked>>>,
    watched: OnceLock<()>,
}

#[derive(Debug, Default)]
struct Held {
    pools: HashMap<String, Pool>,
    closed: bool,
}

#[derive(Debug)]
struct Pool {
    /// The code and settings that new events run.
    fingerprint: u64,
    /// The one used last is at the end.
    idle: Vec<Environment>,
    turns: Arc<Semaphore>,
}

impl Pools {
    /// Waits until the function may have one more event under way. Processes of other code than this go.
    pub(super) async fn turn(&self, arn: &str, fingerprint: u64, limit: usize) -> Option<OwnedSemaphorePermit> {
        let (turns, old) = {
            let mut held = self.hold();
            let pool = held.pools.entry(arn.to_owned()).or_insert_with(|| Pool {
                fingerprint,
                idle: Vec::new(),
                turns: Arc::new(Semaphore::new(limit.max(1))),
            });
            let old = if pool.fingerprint == fingerprint { Vec::new() } else { std::mem::take(&mut pool.idle) };
            pool.fingerprint = fingerprint;
            (Arc::clone(&pool.turns), old)
        };
        drop(old);
        // The semaphore is never closed.
        turns.acquire_owned().await.ok()
    }

    /// The process that was used last and still runs.
    pub(super) fn take(&self, arn: &str, fingerprint: u64) -> Option<Environment> {
        loop {
            let mut environment = {
                let mut held = self.hold();
                let pool = held.pools.get_mut(arn).filter(|pool| pool.fingerprint == fingerprint)?;
                pool.idle.pop()?
            };
            if environment.is_alive() {
                return Some(environment);
            }
        }
    }

    /// Keeps a process for the next event, unless its code or settings are no longer the function's.
    pub(super) fn give_back(&self, arn: &str, environment: Environment) {
        let mut held = self.hold();
        if held.closed {
            return;
        }
        if let Some(pool) = held.pools.get_mut(arn).filter(|pool| pool.fingerprint == environment.fingerprint) {
            pool.idle.push(environment);
        }
    }

    /// The code on disk, unpacked once for all its processes.
    pub(super) async fn unpacked(&self, code: &Code) -> Result<Arc<Unpacked>, InvokeError> {
        let mut known = self.code.lock().await;
        if let Some(unpacked) = known.get(code.digest()).and_then(Weak::upgrade) {
            return Ok(unpacked);
        }
        known.retain(|_, unpacked| unpacked.strong_count() > 0);
        let wanted = code.clone();
        let unpacking = tokio::task::spawn_blocking(move || {
            let gone = |reason: String| InvokeError::entrypoint(reason, "deploy the function again");
            match wanted.zip() {
                Ok(Some(zip)) => Unpacked::new(&zip),
                Ok(None) => Err(gone("the code of the function is gone".to_owned())),
                Err(failure) => Err(gone(failure.to_string())),
            }
        });
        let unpacked = Arc::new(unpacking.await.unwrap_or(Err(InvokeError::ShutDown))?);
        known.insert(code.digest().to_owned(), Arc::downgrade(&unpacked));
        Ok(unpacked)
    }

    /// Stops processes that have had nothing to do for too long, until nobody needs them; then all.
    pub(super) fn watch(&self, house: &Arc<House>, mut closed: watch::Receiver<bool>) {
        let house = Arc::downgrade(house);
        self.watched.get_or_init(|| {
            tokio::spawn(async move {
                loop {
                    let Some(idle) = house.upgrade().map(|house| house.options.idle) else { return };
                    tokio::select! {
                        () = tokio::time::sleep(idle.div_f64(4.0).min(ROUND)) => {}
                        _ = closed.wait_for(|closed| *closed) => {}
                    }
                    let Some(house) = house.upgrade() else { return };
                    if *closed.borrow() || closed.has_changed().is_err() {
                        house.pools.clear();
                        return;
                    }
                    house.pools.stop_idle(idle);
                }
            });
        });
    }

    /// Drops every process, those that come back later included.
    pub(super) fn clear(&self) {
        let pools = {
            let mut held = self.hold();
            held.closed = true;
            std::mem::take(&mut held.pools)
        };
        drop(pools);
    }

    pub(super) fn idle(&self) -> usize {
        self.hold().pools.values().map(|pool| pool.idle.len()).sum()
    }

    fn stop_idle(&self, idle: Duration) {
        let now = Instant::now();
        let mut old = Vec::new();
        for pool in self.hold().pools.values_mut() {
            // The longest idle stand first.
            let from = pool.idle.partition_point(|each| now.duration_since(each.idle_since) >= idle);
            old.extend(pool.idle.drain(..from));
        }
        drop(old);
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        // A pool is a list of processes; it is whole whatever happened to a thread that held it.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
