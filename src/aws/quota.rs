//! Which quota it is that a create met, and how much of it the account has: a message that says "limit exceeded" says neither.

use super::{ReadAws, pace};
use crate::error::Failure;

/// The quota that creates of a kind meet: kind, service and code in Service Quotas, what it counts. Codes of API Gateway as in
/// `doctor`; Lambda's and IAM's as infrastructure tools name them (hashicorp/terraform-provider-aws,
/// `servicequotas/template_test.go`; `aws-quota-checker`).
const OF_KINDS: [(&str, &str, &str, &str); 6] = [
    ("stage", "apigateway", "L-379E48B0", "stages of an API"),
    ("vpc-link", "apigateway", "L-A4C7274F", "VPC links of a Region"),
    ("domain-name", "apigateway", "L-A93447B8", "custom domain names of a Region"),
    ("lambda-function", "lambda", "L-2ACBD22F", "storage of functions in a Region, in GB"),
    ("function-version", "lambda", "L-2ACBD22F", "storage of functions in a Region, in GB"),
    ("iam-role", "iam", "L-FE177D64", "roles of an account"),
];

impl ReadAws {
    /// Adds to a failure of a resource of `kind` which quota is used up, and its value where the account says it. Every other
    /// failure stays as it is.
    pub async fn name_quota(&self, kind: &str, failure: Failure) -> Failure {
        let code_of = |cause: &String| cause.split(':').next().is_some_and(pace::is_used_up);
        let known = OF_KINDS.iter().find(|(of, ..)| *of == kind);
        let (true, Some((_, service, code, what))) = (failure.causes().iter().any(code_of), known) else {
            return failure;
        };
        // Whoever may not ask is told the name all the same.
        let value = self.quotas(service).await.ok().and_then(|all| all.get(*code).copied());
        let value = value.map_or_else(|| "not known here".to_owned(), |value| value.to_string());
        failure.hint(format!(
            "the quota is {what} ({service} {code}): {value}. To raise it: aws service-quotas request-service-quota-increase \
             --service-code {service} --quota-code {code} --desired-value N --region {}",
            self.place.region
        ))
    }
}
