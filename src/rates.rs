//! The request rates that AWS grants to an account in a Region, as its documentation has them.
//!
//! The sandbox refuses by this table (`sandbox::conditions`), and sessions slow down by it once AWS has refused
//! (`aws::pace`).

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

impl Quota {
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
