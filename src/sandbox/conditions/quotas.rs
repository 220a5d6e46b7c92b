//! The request rates that AWS grants, as token buckets for each account and Region.
//!
//! A bucket holds as many calls as its quota has in one period, unless AWS documents a burst, and fills evenly: "1 every
//! 5 s" means one call, then a wait of 5 s. A call needs a token of every bucket it belongs to; one that is refused takes
//! none. Whether a refused call counts on AWS is not documented. An operation that both versions of API Gateway have is one
//! operation here, with one bucket; AWS's table names most of them once.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::error::{Failure, FailureKind};
use crate::rates::{Calls, QUOTAS, Quota, Share};
use crate::sandbox::wire::Request;

/// Whose quotas hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotas {
    /// Those that AWS documents.
    Aws,
}

impl FromStr for Quotas {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text {
            "aws" => Ok(Self::Aws),
            _ => Err(Failure::new(FailureKind::Usage, format!("there are no quotas named `{text}`"))
                .hint("write `aws` for those that AWS documents")),
        }
    }
}

impl fmt::Display for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aws")
    }
}

/// The buckets of all accounts and Regions.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    levels: BTreeMap<Key, Level>,
}

/// Account, Region, row of the table, operation (empty where several share).
type Key = (String, String, usize, String);

#[derive(Debug, Clone, Copy)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    /// Takes a token for one call, or says how long it takes until there is one.
    pub(super) fn take(&mut self, request: &Request, operation: &str, now: Instant) -> Result<(), Duration> {
        let caller = &request.caller;
        let mut taken = Vec::new();
        let mut wait = Duration::ZERO;
        for (row, quota) in QUOTAS.iter().enumerate().filter(|(_, quota)| covers(quota, request, operation)) {
            let bucket = if quota.share == Share::Each { operation.to_owned() } else { String::new() };
            let key = (caller.account.clone(), caller.region.clone(), row, bucket);
            let level = self.levels.get(&key).map_or(f64::from(quota.burst), |level| level.now(quota, now));
            if level < 1.0 {
                wait = wait.max(Duration::from_secs_f64((1.0 - level) / quota.rate()));
            }
            taken.push((key, level - 1.0));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        self.levels.extend(taken.into_iter().map(|(key, tokens)| (key, Level { tokens, at: now })));
        Ok(())
    }
}

impl Level {
    fn now(self, quota: &Quota, now: Instant) -> f64 {
        let filled = self.tokens + now.saturating_duration_since(self.at).as_secs_f64() * quota.rate();
        // A token that lacks a billionth is there: time is whole nanoseconds, tokens are fractions.
        (filled + 1e-9).min(f64::from(quota.burst))
    }
}

/// Whether a call counts towards a quota.
fn covers(quota: &Quota, request: &Request, operation: &str) -> bool {
    quota.covers(&request.caller.service, operation)
        && match quota.calls {
            Calls::All => true,
            Calls::Edge => makes_edge(request),
            Calls::NotEdge => !makes_edge(request),
        }
}

/// Whether `CreateRestApi` or `ImportRestApi` makes an edge-optimised API: the default, except in China (aws-facts H).
fn makes_edge(request: &Request) -> bool {
    let asked = match request.parameter("endpointConfigurationTypes") {
        Some(asked) => Some(asked.to_owned()),
        // An import's body is an OpenAPI document; it has no such member at its top.
        None => serde_json::from_slice::<Value>(&request.body)
            .ok()
            .and_then(|body| body["endpointConfiguration"]["types"][0].as_str().map(str::to_owned)),
    };
    asked.map_or(request.caller.partition() != "aws-cn", |kind| kind == "EDGE")
}

#[cfg(test)]
mod tests {
    use super::super::testing::request;
    use super::*;

    /// How many of so many calls at once are let through.
    fn passed(buckets: &mut Buckets, request: &Request, operation: &str, calls: usize, now: Instant) -> usize {
        (0..calls).filter(|_| buckets.take(request, operation, now).is_ok()).count()
    }

    #[test]
    fn the_table_says_what_the_documentation_says() {
        let second = Duration::from_secs(1);
        for (service, operation, at_once, wait) in [
            ("apigateway", "CreateDeployment", 1, 5 * second),
            ("apigateway", "PutRestApi", 1, second),
            ("apigateway", "DeleteRestApi", 1, 30 * second),
            ("apigateway", "UpdateAccount", 1, 20 * second),
            ("apigateway", "GetResources", 5, second * 2 / 5),
            ("apigateway", "CreateResource", 5, second / 5),
            ("apigateway", "UpdateDomainName", 1, 30 * second),
            ("apigateway", "CreateVpcLink", 1, 15 * second),
            ("apigateway", "DeleteVpcLink", 1, 30 * second),
            ("apigateway", "GetStages", 40, second / 10),
            ("lambda", "GetFunction", 100, second / 100),
            ("lambda", "GetPolicy", 15, second / 15),
            ("lambda", "CreateFunction", 15, second / 15),
            ("wafv2", "CreateWebACL", 1, second),
            ("monitoring", "DescribeAlarms", 9, second / 9),
            ("acm", "RequestCertificate", 5, second / 5),
            ("route53", "CreateHostedZone", 2, second / 2),
            ("route53", "GetChange", 50, second / 10),
        ] {
            let (request, now) = (request(service, "GET", "/", ""), Instant::now());
            let mut buckets = Buckets::default();
            assert_eq!(passed(&mut buckets, &request, operation, 200, now), at_once, "{operation}");
            let refused = buckets.take(&request, operation, now).unwrap_err();
            assert!(refused.abs_diff(wait) < Duration::from_micros(1), "{operation}: {refused:?}");
            assert!(buckets.take(&request, operation, now + wait).is_ok(), "{operation}");
            assert!(buckets.take(&request, operation, now + wait).is_err(), "{operation}");
        }
    }

    #[test]
    fn every_operation_of_the_table_is_one_that_requests_have() {
        let mut named = std::collections::BTreeSet::from(["ImportRestApi"]);
        for collection in ["restapis", "apikeys", "domainnames", "usageplans", "vpclinks", "account"] {
            for path in [format!("/{collection}"), format!("/{collection}/a")] {
                for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                    named.extend(super::super::operations::apigateway(method, &path));
                }
            }
        }
        for below in ["resources", "resources/b", "deployments", "documentation/parts", "documentation/versions"] {
            for method in ["GET", "POST", "PUT", "DELETE"] {
                named.extend(super::super::operations::apigateway(method, &format!("/restapis/a/{below}")));
            }
        }
        for quota in QUOTAS.iter().filter(|quota| quota.service == "apigateway") {
            for operation in quota.operations {
                assert!(named.contains(operation), "{operation}");
            }
        }
    }

    #[test]
    fn what_has_no_quota_is_not_limited() {
        let now = Instant::now();
        for (service, operation) in [("iam", "CreateRole"), ("lambda", "Invoke"), ("wafv2", "GetWebACL")] {
            let request = request(service, "POST", "/", "");
            assert_eq!(passed(&mut Buckets::default(), &request, operation, 500, now), 500, "{operation}");
        }
    }

    #[test]
    fn the_rest_of_lambda_shares_one_bucket_and_accounts_and_regions_share_none() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let mut request = request("lambda", "GET", "/", "");
        assert_eq!(passed(&mut buckets, &request, "ListFunctions", 10, now), 10);
        assert_eq!(passed(&mut buckets, &request, "CreateFunction", 10, now), 5);
        request.caller.region = "us-east-1".into();
        assert_eq!(passed(&mut buckets, &request, "CreateFunction", 10, now), 10);
        request.caller.account = "210987654321".into();
        assert_eq!(passed(&mut buckets, &request, "CreateFunction", 20, now), 15);
    }

    #[test]
    fn a_full_bucket_holds_no_more_than_its_burst() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let request = request("apigateway", "PUT", "/restapis/a", "");
        assert!(buckets.take(&request, "PutRestApi", now).is_ok());
        let later = now + Duration::from_mins(10);
        assert_eq!(passed(&mut buckets, &request, "PutRestApi", 5, later), 1);
    }

    #[test]
    fn edge_optimised_apis_are_made_slower() {
        let regional = r#"{"name":"a","endpointConfiguration":{"types":["REGIONAL"]}}"#;
        for (body, seconds) in [(regional, 3), (r#"{"name":"a"}"#, 30)] {
            let (mut buckets, now) = (Buckets::default(), Instant::now());
            let request = request("apigateway", "POST", "/restapis", body);
            assert!(buckets.take(&request, "CreateRestApi", now).is_ok());
            let refused = buckets.take(&request, "CreateRestApi", now).unwrap_err();
            assert!(refused.abs_diff(Duration::from_secs(seconds)) < Duration::from_micros(1), "{body}: {refused:?}");
        }
        let mut import = request("apigateway", "POST", "/restapis", "openapi: 3.0.1");
        assert!(makes_edge(&import));
        import.query = vec![("endpointConfigurationTypes".into(), "PRIVATE".into())];
        assert!(!makes_edge(&import));
        let mut china = request("apigateway", "POST", "/restapis", "{}");
        china.caller.region = "cn-north-1".into();
        assert!(!makes_edge(&china));
    }
}
