//! Keeps calls to the rates that AWS grants to an account and Region, so that AWS never has to refuse one.
//!
//! Each operation with a quota of its own ([`crate::rates`]) has a token bucket, and so have all operations of a service
//! together; they are shared by all sessions of the process. A call without a token waits in a line ([`lane`]). Environments that
//! were begun first go first in it, so that some reach `CreateDeployment` early and its bucket never idles. Where somebody else
//! uses the account at the same time, AWS refuses all the same: then the bucket is empty, whatever it held, calls go as AWS says
//! (`Retry-After`), slower for a while ([`bucket`]), and the one that was refused is the first again. A refusal for the rate has
//! no effect, so it is no try that counts, not even of a create that is sent once. S3 and EC2 are called a few times by an apply,
//! and not paced.
//!
//! Only AWS itself has these rates: at a sandbox or an emulator nobody waits until a call is refused.
//!
//! The SDK has one place to wait in that comes before a request is signed and knows the operation: where it asks which
//! authentication the call takes. A wait after it could outlast the signature, which holds for five minutes.

mod bucket;
mod lane;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionsFuture;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::RetryConfig;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::model::Place;
use crate::rates::Allowance;
use lane::{Lane, Standing, Way};
pub use refusal::is_used_up;
use refusal::{Refusals, came_too_often, retry_after};

tokio::task_local! {
    /// The work that goes on is the last of a run.
    static LAST: ();
}

/// The lines of a process; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Lines>);

#[derive(Debug, Default)]
struct Lines {
    lanes: Mutex<BTreeMap<Site, Lane>>,
    /// Sessions that were opened, and calls.
    sessions: AtomicU64,
    numbers: AtomicU64,
    /// Whoever still waits then gives up.
    closes: watch::Sender<Option<Instant>>,
}

/// Account, Region (empty where a service is one for all Regions), service.
type Site = (String, String, &'static str);

/// Services that are one for all Regions of a partition.
const GLOBAL: [&str; 2] = ["iam", "route53"];

fn site(place: &Place, service: &'static str) -> Site {
    let region = if GLOBAL.contains(&service) { "" } else { &place.region };
    (place.account.clone(), region.to_owned(), service)
}

/// As often a call may be refused for the rate. At the slowest pace, a `CreateDeployment` is given up after eight minutes in
/// which others had every token.
const REFUSALS: u32 = 24;

/// What a waiting call ends with after [`Pace::close`].
#[derive(Debug)]
pub(super) struct GivenUp;

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted while it waited for AWS")
    }
}

impl std::error::Error for GivenUp {}

impl Pace {
    /// Lets nobody wait for longer than `grace` from now on: whoever has not got a turn by then ends with an error that says so.
    /// Calls that need not wait go as ever, so that what was begun can be ended.
    pub fn close(&self, grace: Duration) {
        self.0.closes.send_if_modified(|closes| {
            let first = closes.is_none();
            closes.get_or_insert(Instant::now() + grace);
            first
        });
    }

    /// Does work that [`Pace::close`] is not for: what has to be done to end well, however late its turn comes.
    pub async fn to_the_end<F: Future>(work: F) -> F::Output {
        LAST.scope((), work).await
    }

    /// A session's place among all: its calls go before those of later ones.
    pub(super) fn enter(&self) -> u64 {
        self.0.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of a call of a session.
    fn number(&self, session: u64) -> u64 {
        (session << 32) | (self.0.numbers.fetch_add(1, Ordering::Relaxed) & u64::from(u32::MAX))
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<Site, Lane>> {
        // Lines stay usable whatever happened to a thread that held them.
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, site: &Site, act: impl FnOnce(&mut Lane, Instant) -> T) -> T {
        let mut lanes = self.lanes();
        let lane = lanes.entry(site.clone()).or_insert_with(|| Lane::new(site.2));
        act(lane, Instant::now())
    }

    /// Waits for the call's turn: the moment at which it goes.
    async fn turn(&self, site: &Site, operation: &str, number: u64) -> Result<Instant, GivenUp> {
        let joined = self.with(site, |lane, now| {
            let way = lane.way(operation, now);
            let bell = (!way.is_empty()).then(|| lane.join(&way, number));
            bell.map(|bell| (way, bell))
        });
        let Some((way, bell)) = joined else { return Ok(Instant::now()) };
        let mut place = InLine { pace: self, site, way: &way, number, waits: true };
        let mut waited = false;
        loop {
            let standing = self.with(site, |lane, now| {
                lane.advance(now);
                (lane.standing(&way, number, now), now)
            });
            let next = match standing {
                (Standing::Goes, now) => {
                    place.waits = false;
                    return Ok(now);
                }
                (Standing::Next(at), _) => Some(at),
                (Standing::Behind, _) => None,
            };
            if !std::mem::replace(&mut waited, true) {
                tracing::debug!("{operation} waits for its turn");
            }
            tokio::select! {
                () = bell.notified() => {}
                () = until(next) => {}
                () = self.closed() => return Err(GivenUp),
            }
        }
    }

    /// Returns when nobody may wait any longer.
    async fn closed(&self) {
        if LAST.try_with(|()| ()).is_ok() {
            std::future::pending::<()>().await;
        }
        // The sender lives as long as `self`, so waiting can't fail.
        let closes = self.0.closes.subscribe().wait_for(Option::is_some).await.ok().and_then(|closes| *closes);
        until(closes).await;
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A place in a line, which others move up to when it is left, for whatever reason.
struct InLine<'a> {
    pace: &'a Pace,
    site: &'a Site,
    way: &'a Way,
    number: u64,
    waits: bool,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        if self.waits {
            self.pace.with(self.site, |lane, _| lane.leave(self.way, self.number));
        }
    }
}

/// A call's number and what became of its tries, kept with the SDK's own state of the call.
#[derive(Debug, Clone)]
struct Ticket(Arc<Tries>);

#[derive(Debug)]
struct Tries {
    number: u64,
    refusals: AtomicU32,
    went: Mutex<Option<Instant>>,
}

impl Storable for Ticket {
    type Storer = StoreReplace<Self>;
}

/// What one client does about it: waits before a call is signed, and hears of refusals.
#[derive(Debug, Clone)]
pub(super) struct Paced {
    pace: Pace,
    session: u64,
    site: Site,
}

/// What all clients of a session have in common.
#[derive(Debug)]
pub(super) struct Session<'a> {
    /// The lines of the process.
    pub(super) pace: &'a Pace,
    /// The session's place among all: [`Pace::enter`].
    pub(super) order: u64,
    /// Where it calls.
    pub(super) place: &'a Place,
    /// The rates hold from the first call on.
    pub(super) ahead: bool,
    /// What may be used of them.
    pub(super) allowance: &'a Allowance,
}

impl Paced {
    /// For a client that calls a service, by the name that it signs with.
    pub(super) fn new(session: &Session<'_>, service: &'static str) -> Self {
        let site = site(session.place, service);
        session.pace.with(&site, |lane, now| lane.admit(session.ahead, session.allowance, now));
        Self { pace: session.pace.clone(), session: session.order, site }
    }

    /// The SDK's budget of retries, in which refusals for the rate cost nothing: the line sees to it that they stay few. Each
    /// client has its own, so that one environment uses up no other's.
    pub(super) fn partition(&self) -> RetryPartition {
        let budget = TokenBucket::builder().throttling_retry_cost(0).build();
        RetryPartition::custom(self.site.2).token_bucket(budget).build()
    }

    /// What tells the SDK which refusals are worth another try.
    pub(super) fn refusals() -> impl aws_smithy_runtime_api::client::retries::classifiers::ClassifyRetry + 'static {
        Refusals
    }

    async fn turn(&self, cfg: &ConfigBag) -> Result<(), GivenUp> {
        let (Some(operation), Some(Ticket(tries))) = (cfg.load::<Metadata>(), cfg.load::<Ticket>()) else {
            return Ok(());
        };
        let went = self.pace.turn(&self.site, operation.name(), tries.number).await?;
        *tries.went.lock().unwrap_or_else(PoisonError::into_inner) = Some(went);
        Ok(())
    }
}

#[dyn_dispatch_hint]
impl Intercept for Paced {
    fn name(&self) -> &'static str {
        "Paced"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let number = self.pace.number(self.session);
        let tries = Tries { number, refusals: AtomicU32::new(0), went: Mutex::default() };
        cfg.interceptor_state().store_put(Ticket(Arc::new(tries)));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(response) = context.response().filter(|response| came_too_often(response)) else { return Ok(()) };
        let (Some(operation), Some(Ticket(tries))) = (cfg.load::<Metadata>(), cfg.load::<Ticket>()) else {
            return Ok(());
        };
        let went = *tries.went.lock().unwrap_or_else(PoisonError::into_inner);
        let (operation, after) = (operation.name(), retry_after(response));
        tracing::debug!("{operation} came too often; AWS says to come back after {after:?}");
        self.pace.with(&self.site, |lane, now| lane.refused(operation, went.unwrap_or(now), after, now));
        // A try that had no effect does not count.
        if tries.refusals.fetch_add(1, Ordering::Relaxed) < REFUSALS
            && let Some(config) = cfg.load::<RetryConfig>().cloned()
        {
            let attempts = config.max_attempts() + 1;
            cfg.interceptor_state().store_put(config.with_max_attempts(attempts));
        }
        Ok(())
    }
}

/// Makes the clients of SDK crates wait: each has a type of its own for the same question.
macro_rules! wait_before_signing {
    ($($service:ident),* $(,)?) => {$(
        impl $service::config::auth::ResolveAuthScheme for Paced {
            fn resolve_auth_scheme<'a>(
                &'a self,
                params: &'a $service::config::auth::Params,
                cfg: &'a ConfigBag,
                components: &'a RuntimeComponents,
            ) -> AuthSchemeOptionsFuture<'a> {
                AuthSchemeOptionsFuture::new(async move {
                    self.turn(cfg).await?;
                    let default = $service::config::auth::DefaultAuthSchemeResolver::default();
                    default.resolve_auth_scheme(params, cfg, components).await
                })
            }
        }
    )*};
}

wait_before_signing!(
    aws_sdk_acm,
    aws_sdk_apigateway,
    aws_sdk_apigatewayv2,
    aws_sdk_cloudtrail,
    aws_sdk_cloudwatch,
    aws_sdk_cloudwatchlogs,
    aws_sdk_elasticloadbalancingv2,
    aws_sdk_firehose,
    aws_sdk_iam,
    aws_sdk_lambda,
    aws_sdk_resourcegroupstagging,
    aws_sdk_route53,
    aws_sdk_servicequotas,
    aws_sdk_sns,
    aws_sdk_sts,
    aws_sdk_wafv2,
);
