//! The request rates that AWS grants to an account in a Region, as its documentation has them.
//!
//! The sandbox refuses by this table (`sandbox::conditions`), and sessions keep to it (`aws::pace`), or to less where
//! `targets.toml` says so ([`Allowance`]).

use std::collections::BTreeMap;

/// One row of AWS's tables.
#[derive(Debug)]
pub struct Quota {
    /// The service by the name that it signs with.
    pub service: &'static str,
    /// Which operations, each with a bucket of its own; for [`Share::Rest`], those left out.
    pub operations: &'static [&'static str],
    /// Which of their calls.
    pub calls: Calls,
    /// Who shares a bucket.
    pub share: Share,
    /// So many calls …
    pub count: u32,
    /// … in so many seconds.
    pub seconds: u32,
    /// The documented burst, else `count`.
    pub burst: u32,
}

/// Which calls of an operation a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// All.
    All,
    /// Those that make an edge-optimised API.
    Edge,
    /// Those that make any other API.
    NotEdge,
}

/// Which operations draw from one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Each operation has a bucket.
    Each,
    /// All operations of the service that no other row names share one.
    Rest,
    /// All operations of the service share one, beside those of other rows.
    All,
}

const fn each(service: &'static str, operations: &'static [&'static str], count: u32, seconds: u32) -> Quota {
    Quota { service, operations, calls: Calls::All, share: Share::Each, count, seconds, burst: count }
}

/// The table. API Gateway: "Amazon API Gateway quotas", section "for creating, deploying and managing an API" (fixed;
/// aws-facts A). Lambda: "Lambda quotas", section "API requests" (fixed). WAF: "one request per second, per account, per
/// Region for API calls to any individual Create, Put, or Update action". `CloudWatch`: "CloudWatch service quotas", the
/// operations named there; that of `PutMetricAlarm` was not found. Route 53: its quotas, of 2026-07-30 (aws-facts A).
/// Certificate Manager: "Quotas", section "API rate quotas". IAM documents no rates, and those of Logs and of
/// the tagging service were not found written down: they are unlimited here.
pub const QUOTAS: &[Quota] = &[
    each("acm", &["AddTagsToCertificate", "RemoveTagsFromCertificate", "RequestCertificate"], 5, 1),
    each("acm", &["DeleteCertificate", "DescribeCertificate", "GetCertificate", "ListTagsForCertificate"], 10, 1),
    each("acm", &["ImportCertificate", "ListCertificates"], 1, 1),
    each("apigateway", &["CreateApiKey", "DeleteApiKey"], 5, 1),
    each("apigateway", &["CreateDeployment"], 1, 5),
    each("apigateway", &["CreateDocumentationVersion"], 1, 20),
    each("apigateway", &["CreateDomainName", "UpdateDomainName", "DeleteDomainName"], 1, 30),
    each("apigateway", &["CreateResource", "DeleteResource"], 5, 1),
    Quota { calls: Calls::NotEdge, ..each("apigateway", &["CreateRestApi", "ImportRestApi"], 1, 3) },
    Quota { calls: Calls::Edge, ..each("apigateway", &["CreateRestApi", "ImportRestApi"], 1, 30) },
    each("apigateway", &["CreateVpcLink"], 1, 15),
    each("apigateway", &["DeleteVpcLink"], 1, 30),
    each("apigateway", &["DeleteRestApi"], 1, 30),
    each("apigateway", &["GetResources"], 5, 2),
    each("apigateway", &["ImportDocumentationParts"], 1, 30),
    each("apigateway", &["PutRestApi"], 1, 1),
    each("apigateway", &["UpdateAccount"], 1, 20),
    each("apigateway", &["UpdateUsagePlan"], 1, 20),
    Quota { share: Share::All, burst: 40, ..each("apigateway", &[], 10, 1) },
    each("lambda", &["GetFunction"], 100, 1),
    each("lambda", &["GetPolicy"], 15, 1),
    // Invocations have quotas by concurrency, which nothing here counts.
    Quota { share: Share::Rest, ..each("lambda", &["Invoke", "InvokeAsync", "InvokeWithResponseStream"], 15, 1) },
    each("monitoring", &["DescribeAlarms"], 9, 1),
    each("monitoring", &["DeleteAlarms", "DescribeAlarmsForMetric", "DisableAlarmActions"], 3, 1),
    each("monitoring", &["EnableAlarmActions", "SetAlarmState"], 3, 1),
    each("wafv2", &["CreateWebACL", "UpdateWebACL", "CreateIPSet", "UpdateIPSet"], 1, 1),
    each("wafv2", &["CreateRuleGroup", "UpdateRuleGroup", "CreateRegexPatternSet", "UpdateRegexPatternSet"], 1, 1),
    each("wafv2", &["PutLoggingConfiguration", "PutPermissionPolicy"], 1, 1),
    each("route53", &["CreateHostedZone"], 2, 1),
    each("route53", &["CreateHealthCheck"], 1, 2),
    Quota { share: Share::All, burst: 50, ..each("route53", &[], 10, 1) },
];

/// How much of it gwctl may use in an account: one that has other rates, or that other tools work on, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowance {
    /// So much of every rate that has none of its own below; none: all of it.
    pub percent: Option<u8>,
    /// Rates by [name](names).
    pub rates: BTreeMap<String, Rate>,
}

/// So many calls in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub count: u32,
    /// Seconds.
    pub seconds: u32,
}

impl Rate {
    /// Calls a second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        f64::from(self.count) / f64::from(self.seconds)
    }

    /// Reads `1/5s`, `10/s`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, seconds) = text.strip_suffix('s')?.split_once('/')?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
        let seconds = if seconds.is_empty() { 1 } else { number(seconds)? };
        let rate = Self { count: number(count)?, seconds };
        (rate.count > 0 && seconds > 0).then_some(rate)
    }
}

impl Allowance {
    /// Calls a second and calls at once that are allowed of a quota; `operation` is empty where operations share it.
    #[must_use]
    pub fn of(&self, service: &str, operation: &str, quota: &Quota) -> (f64, f64) {
        if let Some(own) = self.rates.get(&name(service, operation)) {
            // It says how often, and not how many at once: no more than AWS grants.
            return (own.per_second(), f64::from(own.count.min(quota.burst)));
        }
        let share = f64::from(self.percent.unwrap_or(100)) / 100.0;
        (quota.rate() * share, (f64::from(quota.burst) * share).floor().max(1.0))
    }

    /// Makes it as strict as another one, too.
    pub fn restrict(&mut self, other: &Self) {
        self.percent = match (self.percent, other.percent) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        for (name, rate) in &other.rates {
            let own = self.rates.entry(name.clone()).or_insert(*rate);
            if rate.per_second() < own.per_second() {
                *own = *rate;
            }
        }
    }
}

/// `apigateway:CreateDeployment`; `apigateway` for what its operations share.
fn name(service: &str, operation: &str) -> String {
    if operation.is_empty() { service.to_owned() } else { format!("{service}:{operation}") }
}

/// The names of everything in the table, as an [`Allowance`] knows them.
#[must_use]
pub fn names() -> Vec<String> {
    let of = |quota: &Quota| match quota.share {
        Share::Each => quota.operations.iter().map(|operation| name(quota.service, operation)).collect(),
        Share::Rest | Share::All => vec![quota.service.to_owned()],
    };
    let mut names: Vec<String> = QUOTAS.iter().flat_map(of).collect();
    names.sort();
    names.dedup();
    names
}

/// The rows that a call of gwctl's draws on, with their places in the table, those of the operation alone first. gwctl makes
/// no edge-optimised API.
pub fn covering(service: &str, operation: &str) -> impl Iterator<Item = (usize, &'static Quota)> {
    let rows = || QUOTAS.iter().enumerate().filter(|(_, quota)| quota.calls != Calls::Edge);
    let covers = move |(_, quota): &(usize, &Quota)| quota.covers(service, operation);
    let own = rows().filter(covers).filter(|(_, quota)| !quota.is_shared());
    own.chain(rows().filter(covers).filter(|(_, quota)| quota.is_shared()))
}

impl Quota {
    /// Whether several operations draw on one bucket.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.share != Share::Each
    }

    /// Tokens a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        f64::from(self.count) / f64::from(self.seconds)
    }

    /// Whether calls of the operation draw from it, as far as the name tells.
    #[must_use]
    pub fn covers(&self, service: &str, operation: &str) -> bool {
        let named = self.operations.contains(&operation);
        self.service == service
            && match self.share {
                Share::All => true,
                Share::Each => named,
                Share::Rest => {
                    !named
                        && !QUOTAS.iter().any(|other| {
                            other.service == self.service
                                && other.share == Share::Each
                                && other.operations.contains(&operation)
                        })
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        let rate = |count, seconds| Some(Rate { count, seconds });
        for (text, expected) in [
            ("1/5s", rate(1, 5)),
            ("10/s", rate(10, 1)),
            ("5/2s", rate(5, 2)),
            ("0/s", None),
            ("1/0s", None),
            ("1/5", None),
            ("/5s", None),
            ("-1/5s", None),
            ("1.5/s", None),
            ("1/5ms", None),
            ("99999999999/s", None),
        ] {
            assert_eq!(Rate::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn an_allowance_is_a_part_of_every_rate_or_a_rate_of_its_own() {
        let quota = |operation| covering("apigateway", operation).next().unwrap().1;
        let half = Allowance { percent: Some(50), ..Allowance::default() };
        assert_eq!(half.of("apigateway", "CreateDeployment", quota("CreateDeployment")), (0.1, 1.0));
        assert_eq!(half.of("apigateway", "", quota("GetStages")), (5.0, 20.0));
        let own = BTreeMap::from([("apigateway:CreateDeployment".to_owned(), Rate { count: 1, seconds: 20 })]);
        let mut both = Allowance { percent: Some(80), rates: own };
        assert_eq!(both.of("apigateway", "CreateDeployment", quota("CreateDeployment")), (0.05, 1.0));
        both.restrict(&half);
        assert_eq!((both.percent, both.rates.len()), (Some(50), 1));
        assert_eq!(Allowance::default().of("apigateway", "", quota("GetStages")), (10.0, 40.0));
    }

    #[test]
    fn an_operation_s_own_rate_comes_before_what_all_share() {
        let rows: Vec<bool> = covering("apigateway", "PutRestApi").map(|(_, quota)| quota.is_shared()).collect();
        assert_eq!(rows, [false, true]);
        assert!(names().contains(&"apigateway:PutRestApi".to_owned()) && names().contains(&"lambda".to_owned()));
    }
}
