//! What the sandbox can be told to be like: as slow, as limited, as unreliable and as eventual as AWS can be.
//!
//! A [`Conditions`] stands between the transports (the SDK's connector, the listener) and the services. Each call is
//! counted, and meets, in this order: latency, [faults](Fault), and [quotas](Quotas). What is told apart by chance is drawn
//! from a seed, so that the same calls fare the same. Without conditions, a call is counted and nothing else.
//!
//! What is [eventual](Conditions::eventual) is no matter of transport: [`Sandbox::handle`](super::Sandbox::handle) knows it too.

mod counters;
mod draw;
pub(crate) mod eventual;
mod fault;
mod operations;
mod quotas;
mod refusals;
#[cfg(test)]
mod testing;
mod time;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use counters::{Counters, Tally};
use eventual::Eventual;
use fault::Action;
pub use fault::Fault;
pub(crate) use fault::Moment;
pub(in crate::sandbox) use operations::name as operation_name;
use quotas::Buckets;
pub use quotas::Quotas;
use refusals::Why;
pub use time::Latency;

use super::authorization::Enforced;
use super::wire::{Request, Response};

/// What a sandbox is like. Clones share what was counted so far: calls, faults that happened, tokens of quotas.
///
/// ```
/// use gwctl::sandbox::Sandbox;
/// use gwctl::sandbox::conditions::{Conditions, Quotas};
/// let conditions = Conditions::none()
///     .quotas(Quotas::Aws)
///     .fault("cut-after:CreateRestApi#1".parse().unwrap())
///     .seed(7);
/// let sandbox = Sandbox::in_memory().under(conditions);
/// assert_eq!(sandbox.counters().total.calls, 0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    // Small, because every handle on a sandbox carries it, and every call a handle.
    told: Arc<Told>,
    shared: Arc<Shared>,
}

/// What was asked for.
#[derive(Debug, Clone, Default)]
struct Told {
    latency: Option<Latency>,
    quotas: Option<Quotas>,
    seed: u64,
    /// With the place of what is known of each in [`State::met`].
    faults: Vec<(usize, Fault)>,
    eventual: Option<Arc<Eventual>>,
    enforced: Option<Enforced>,
}

/// What clones have in common.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    crashed: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    counters: Counters,
    /// Calls by service and operation, which a reset of the counters leaves alone.
    numbers: BTreeMap<(String, String), u64>,
    met: Vec<Met>,
    buckets: Buckets,
}

/// What a fault has met so far.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    /// Calls that it selects.
    seen: u64,
    /// Calls that it hit.
    hits: u64,
}

/// What a transport is to do with a call.
#[derive(Debug)]
pub(crate) struct Meeting {
    /// How long to wait first.
    pub(crate) wait: Duration,
    /// And then.
    pub(crate) fate: Fate,
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is carried out and answered.
    Served,
    /// It is answered, and not carried out.
    Refused(Response),
    /// It is not answered.
    Lost(Loss, Moment),
}

/// Why a call is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection is gone.
    Cut,
    /// The client is gone.
    Crash,
}

impl Conditions {
    /// None: every call is carried out at once.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets every call take this long.
    #[must_use]
    pub fn latency(mut self, latency: Latency) -> Self {
        Arc::make_mut(&mut self.told).latency = Some(latency);
        self
    }

    /// Refuses calls that come too fast.
    #[must_use]
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        Arc::make_mut(&mut self.told).quotas = Some(quotas);
        self
    }

    /// Whether calls that come too fast are refused.
    #[must_use]
    pub fn has_quotas(&self) -> bool {
        self.told.quotas.is_some()
    }

    /// Lets something go wrong. Of several that hit one call, the first counts; slowness adds up.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        let at = {
            let mut state = self.state();
            state.met.push(Met::default());
            state.met.len() - 1
        };
        Arc::make_mut(&mut self.told).faults.push((at, fault));
        self
    }

    /// Lets what is new stay unknown for so many tries: roles, functions and their changes, web ACLs.
    #[must_use]
    pub fn eventual(mut self, tries: u32) -> Self {
        Arc::make_mut(&mut self.told).eventual = (tries > 0).then(|| Arc::new(Eventual::new(tries)));
        self
    }

    /// Carries out only what these policies allow the caller.
    #[must_use]
    pub fn enforce(mut self, policies: &Enforced) -> Self {
        let told = Arc::make_mut(&mut self.told);
        told.enforced = Some(told.enforced.take().map_or_else(|| policies.clone(), |before| before.and(policies)));
        self
    }

    /// What all chance is drawn from, 0 unless set.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        Arc::make_mut(&mut self.told).seed = seed;
        self
    }

    /// Returns when a crash was due: the client is to die now. Until then it waits, for ever if need be.
    pub async fn crashed(&self) {
        // The sender lives as long as `self`, so waiting can't fail.
        let _ = self.shared.crashed.subscribe().wait_for(|crashed| *crashed).await;
    }

    /// What was asked so far, and what became of it.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state().counters.clone()
    }

    /// Begins to count anew. The numbers of calls that faults go by, and the tokens of quotas, go on.
    pub fn reset_counters(&self) {
        self.state().counters = Counters::default();
    }

    /// The faults that hit no call so far. One of them at the end may be a misspelt one.
    #[must_use]
    pub fn unmet_faults(&self) -> Vec<Fault> {
        let state = self.state();
        let unmet = self.told.faults.iter().filter(|(at, _)| state.met[*at].hits == 0);
        unmet.map(|(_, fault)| fault.clone()).collect()
    }

    /// Counts a call, and says what is to be done with it. `request` has its id; `writes`: it may change something.
    pub(crate) fn meet(&self, request: &Request, writes: bool) -> Meeting {
        let operation = operations::name(request);
        let service = request.caller.service.as_str();
        let mut state = self.state();
        state.counters.count(service, &operation, |tally| {
            tally.calls += 1;
            tally.writes += u64::from(writes);
        });
        let Told { latency, quotas, faults, .. } = &*self.told;
        if latency.is_none() && quotas.is_none() && faults.is_empty() {
            return Meeting { wait: Duration::ZERO, fate: Fate::Served };
        }
        let (mut wait, action) = self.chance(&mut state, service, &operation, writes);
        if let Some(latency) = latency {
            let number = state.number(service, &operation).to_string();
            wait += latency.drawn(draw::of(self.told.seed, &["latency", service, &operation, &number]));
        }
        if action.is_some() {
            state.counters.count(service, &operation, |tally| tally.faults += 1);
        }
        let refused = |why| Fate::Refused(refusals::response(why, request, &operation));
        let fate = match action {
            Some(Action::Throttle) => refused(Why::Throttled { after: 1 }),
            Some(Action::Error) => refused(Why::Broken),
            Some(Action::Deny) => refused(Why::Denied),
            Some(Action::Cut(Moment::Before)) => Fate::Lost(Loss::Cut, Moment::Before),
            Some(Action::Crash(Moment::Before)) => Fate::Lost(Loss::Crash, Moment::Before),
            Some(Action::Cut(Moment::After)) => self.arrived(&mut state, request, &operation, Some(Loss::Cut)),
            Some(Action::Crash(Moment::After)) => self.arrived(&mut state, request, &operation, Some(Loss::Crash)),
            Some(Action::Slow(_)) | None => self.arrived(&mut state, request, &operation, None),
        };
        Meeting { wait, fate }
    }

    /// What the faults have in store for a call: how much longer it takes, and what goes wrong.
    fn chance(&self, state: &mut State, service: &str, operation: &str, writes: bool) -> (Duration, Option<Action>) {
        let number = state.next_number(service, operation).to_string();
        let (mut wait, mut action) = (Duration::ZERO, None);
        for (at, fault) in self.told.faults.iter().filter(|(_, fault)| fault.selects(service, operation, writes)) {
            let met = &mut state.met[*at];
            met.seen += 1;
            let draw = draw::of(self.told.seed, &["fault", &at.to_string(), service, operation, &number]);
            let due = fault.numbers.contains(&met.seen) && met.hits < fault.most && draw::fraction(draw) < fault.share;
            match fault.action {
                _ if !due => continue,
                Action::Slow(time) => wait += time.drawn(draw),
                _ if action.is_some() => continue,
                other => action = Some(other),
            }
            met.hits += 1;
            tracing::debug!(%fault, %service, %operation, "a fault hits a call");
        }
        (wait, action)
    }

    /// The policies that every call is held against, if there are any.
    pub(crate) fn enforced(&self) -> Option<&Enforced> {
        self.told.enforced.as_ref()
    }

    /// The refusal of a call that the caller has no permission for.
    pub(crate) fn forbidden(&self, request: &Request, action: &str, resource: &str) -> Response {
        let operation = operations::name(request);
        self.state().counters.count(&request.caller.service, &operation, |tally| tally.denied += 1);
        refusals::forbidden(request, action, resource)
    }

    /// What becomes of a call that reached the service; `loss` is what becomes of its answer.
    fn arrived(&self, state: &mut State, request: &Request, operation: &str, loss: Option<Loss>) -> Fate {
        if self.told.quotas == Some(Quotas::Aws)
            && let Err(wait) = state.buckets.take(request, operation, Instant::now())
        {
            state.counters.count(&request.caller.service, operation, |tally| tally.throttles += 1);
            // A second too late is harmless, one too early is another refusal.
            let after = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            return match loss {
                Some(loss) => Fate::Lost(loss, Moment::Before),
                None => Fate::Refused(refusals::response(Why::Throttled { after: after.max(1) }, request, operation)),
            };
        }
        loss.map_or(Fate::Served, |loss| Fate::Lost(loss, Moment::After))
    }

    /// The refusal of a call that comes too early after something was made.
    pub(crate) fn too_early(&self, request: &Request) -> Option<Response> {
        let operation = operations::name(request);
        let refusal = self.told.eventual.as_ref()?.refusal(request, &operation)?;
        self.state().counters.count(&request.caller.service, &operation, |tally| tally.not_yet += 1);
        Some(refusal)
    }

    /// Learns from an answer what is new now, and shows it as new.
    pub(crate) fn settle(&self, request: &Request, response: &mut Response) {
        if let Some(eventual) = &self.told.eventual {
            eventual.settle(request, &operations::name(request), response);
        }
    }

    /// The client is to die: nothing is answered from now on.
    pub(crate) fn crash(&self) {
        self.shared.crashed.send_replace(true);
    }

    /// Whether the client is to be dead already.
    pub(crate) fn has_crashed(&self) -> bool {
        *self.shared.crashed.borrow()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Counters stay usable whatever happened to a thread that held them.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a call of an operation: the first is 1.
    fn next_number(&mut self, service: &str, operation: &str) -> u64 {
        let number = self.numbers.entry((service.to_owned(), operation.to_owned())).or_default();
        *number += 1;
        *number
    }

    fn number(&self, service: &str, operation: &str) -> u64 {
        self.numbers.get(&(service.to_owned(), operation.to_owned())).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
