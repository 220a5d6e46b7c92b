//! Slows calls down once AWS has said that they come too often.
//!
//! Until then nothing waits: most runs never meet a quota. After a refusal, calls of that operation in that account and
//! Region form a line and go at the documented rate ([`crate::rates`]), whichever session of the process they come from, until
//! the line has been empty for as long as AWS takes to grant a burst again. Retries with random pauses alone starve: of
//! eight environments that list APIs at the same time, one in five runs had a call that met a full bucket six times.
//!
//! The SDK has one place to wait in that comes before a request is signed and knows the operation: where it asks which
//! authentication the call takes. A wait after it could outlast the signature, which holds for five minutes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionsFuture;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::time::{Instant, sleep_until};

use crate::model::Place;
use crate::rates::{Calls, QUOTAS, Quota, Share};

/// The lines of a process; clones share them. There are none until AWS refuses.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Mutex<BTreeMap<Key, Instant>>>);

/// Account, Region, row of the table, operation (empty where several share). The value is when the next call may go.
type Key = (String, String, usize, String);

/// Calls that leave on the stroke may arrive a little closer together.
const MARGIN: f64 = 1.02;

fn period(quota: &Quota) -> Duration {
    Duration::from_secs_f64(MARGIN / quota.rate())
}

impl Pace {
    /// The lines that a call would stand in, those of the operation alone first: a slot in a line that all share is not to
    /// pass by while the call waits in another.
    fn lines(place: &Place, service: &str, operation: &str) -> impl Iterator<Item = (Key, &'static Quota)> {
        // Route 53 is one for all Regions.
        let region = if service == "route53" { "" } else { &place.region };
        let covering = QUOTAS.iter().enumerate().filter(move |(_, quota)| {
            // gwctl makes no edge-optimised API.
            quota.calls != Calls::Edge && quota.covers(service, operation)
        });
        let mut lines: Vec<_> = covering
            .map(|(row, quota)| {
                let own = if quota.share == Share::Each { operation } else { "" };
                ((place.account.clone(), region.to_owned(), row, own.to_owned()), quota)
            })
            .collect();
        lines.sort_by_key(|(_, quota)| quota.share != Share::Each);
        lines.into_iter()
    }

    /// Waits for the call's turn, if there is a line.
    async fn turn(&self, place: &Place, service: &str, operation: &str) {
        for (key, quota) in Self::lines(place, service, operation) {
            let Some(at) = self.place_in_line(key, quota) else { continue };
            tracing::debug!("{operation} waits {:?} for its turn", at.saturating_duration_since(Instant::now()));
            sleep_until(at).await;
        }
    }

    fn place_in_line(&self, key: Key, quota: &Quota) -> Option<Instant> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let next = *lines.get(&key)?;
        if now >= next + period(quota) * quota.burst {
            lines.remove(&key);
            return None;
        }
        let at = next.max(now);
        lines.insert(key, at + period(quota));
        Some(at)
    }

    /// AWS refused a call: it and its like have to wait.
    fn refused(&self, place: &Place, service: &str, operation: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, quota) in Self::lines(place, service, operation) {
            lines.entry(key).or_insert_with(|| Instant::now() + period(quota));
        }
    }
}

/// What one client does about it: waits before a call is signed, and hears of refusals.
#[derive(Debug, Clone)]
pub(super) struct Paced {
    /// The lines of the process.
    pub(super) pace: Pace,
    /// Where the client calls.
    pub(super) place: Place,
    /// Which service, by the name that it signs with.
    pub(super) service: &'static str,
}

impl Paced {
    /// Waits for the turn of the call that `cfg` is about.
    pub(super) async fn turn(&self, cfg: &ConfigBag) {
        if let Some(operation) = cfg.load::<Metadata>() {
            self.pace.turn(&self.place, self.service, operation.name()).await;
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Paced {
    fn name(&self) -> &'static str {
        "Paced"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(operation), true) = (cfg.load::<Metadata>(), context.response().is_some_and(came_too_often)) {
            self.pace.refused(&self.place, self.service, operation.name());
        }
        Ok(())
    }
}

/// Whether AWS refused a call for its rate. A quota that time does not fill again has the same status in API Gateway.
fn came_too_often(response: &HttpResponse) -> bool {
    let code = response.headers().get("x-amzn-errortype").unwrap_or_default();
    let body = || response.body().bytes().is_some_and(|body| body.windows(10).any(|part| part == b"Throttling"));
    match response.status().as_u16() {
        429 => !code.starts_with("LimitExceeded"),
        400 => code.starts_with("Throttling") || body(),
        _ => false,
    }
}

/// Makes the clients of SDK crates wait: each has a type of its own for the same question.
macro_rules! wait_before_signing {
    ($($service:ident),*) => {$(
        impl $service::config::auth::ResolveAuthScheme for Paced {
            fn resolve_auth_scheme<'a>(
                &'a self,
                params: &'a $service::config::auth::Params,
                cfg: &'a ConfigBag,
                components: &'a RuntimeComponents,
            ) -> AuthSchemeOptionsFuture<'a> {
                AuthSchemeOptionsFuture::new(async move {
                    self.turn(cfg).await;
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
    aws_sdk_cloudwatch,
    aws_sdk_lambda,
    aws_sdk_route53,
    aws_sdk_wafv2
);

#[cfg(test)]
mod tests {
    use super::*;

    fn place(region: &str) -> Place {
        Place { account: "123456789012".into(), region: region.into(), partition: "aws".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_until_aws_refuses_and_then_all_in_line() {
        let (pace, here, there) = (Pace::default(), place("eu-west-1"), place("eu-west-2"));
        let begun = Instant::now();
        for _ in 0..3 {
            pace.turn(&here, "apigateway", "CreateDeployment").await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.refused(&here, "apigateway", "CreateDeployment");
        pace.turn(&there, "apigateway", "CreateDeployment").await;
        pace.turn(&here, "lambda", "CreateFunction").await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "other Regions and services have lines of their own");
        let all = (0..4).map(|_| pace.turn(&here, "apigateway", "CreateDeployment"));
        futures::future::join_all(all).await;
        // The first waits a period, and the last three more.
        let least = Duration::from_secs(20);
        assert!((least..least + Duration::from_secs(2)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_line_goes_away() {
        let (pace, here) = (Pace::default(), place("eu-west-1"));
        pace.refused(&here, "apigateway", "PutRestApi");
        tokio::time::sleep(Duration::from_secs(10)).await;
        let begun = Instant::now();
        for _ in 0..3 {
            pace.turn(&here, "apigateway", "PutRestApi").await;
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }

    #[test]
    fn refusals_for_the_rate_are_told_from_others() {
        for (status, code, body, expected) in [
            (429, "TooManyRequestsException", "", true),
            (429, "LimitExceededException:", "", false),
            (400, "", "<Error><Code>Throttling</Code></Error>", true),
            (400, "ThrottlingException", "", true),
            (400, "", "{\"__type\":\"WAFUnavailableEntityException\"}", false),
            (200, "", "Throttling", false),
        ] {
            let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
            if !code.is_empty() {
                response.headers_mut().insert("x-amzn-errortype", code);
            }
            assert_eq!(came_too_often(&response), expected, "{status} {code} {body}");
        }
    }
}
