//! Which kind asks AWS what: known while a kind is at work, so that none makes a call that it did not declare.
//!
//! `gwctl policy` is derived from what the kinds declare ([`Calls`]). A call that is missing there would be denied in an
//! account that grants no more than the policy says, on the day when it is made for the first time. So a build for
//! development and tests stops at it at once; and tests note down all calls, to find what is declared and never asked.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::permissions::Calls;

tokio::task_local! {
    static AT_WORK: (&'static str, Calls);
}

/// Does something as a kind: the calls in it are those of that kind.
pub(crate) async fn as_kind<F: Future>(kind: &'static str, calls: Calls, work: F) -> F::Output {
    AT_WORK.scope((kind, calls), work).await
}

/// The calls that kinds made; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Notebook(Arc<Mutex<BTreeSet<(&'static str, String)>>>);

impl Notebook {
    /// The calls so far, each once, by kind: `("stage", "apigateway:CreateStage")`.
    #[must_use]
    pub fn calls(&self) -> BTreeSet<(&'static str, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, kind: &'static str, call: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, call));
    }
}

/// An interceptor for the clients of all sessions.
#[derive(Debug, Clone)]
pub(super) struct Declared(pub(super) Option<Notebook>);

/// The names that services have in declarations, by the names that the SDK has for them. They are those of IAM, but for HTTP
/// APIs, whose operations share some names with those of REST APIs.
const SERVICES: [(&str, &str); 18] = [
    ("ACM", "acm"),
    ("API Gateway", "apigateway"),
    ("ApiGatewayV2", "apigatewayv2"),
    ("CloudTrail", "cloudtrail"),
    ("CloudWatch", "cloudwatch"),
    ("CloudWatch Logs", "logs"),
    ("EC2", "ec2"),
    ("Elastic Load Balancing v2", "elasticloadbalancing"),
    ("Firehose", "firehose"),
    ("IAM", "iam"),
    ("Lambda", "lambda"),
    ("Resource Groups Tagging API", "tag"),
    ("Route 53", "route53"),
    ("S3", "s3"),
    ("SNS", "sns"),
    ("STS", "sts"),
    ("Service Quotas", "servicequotas"),
    ("WAFV2", "wafv2"),
];

/// `lambda:GetFunction`.
fn name(call: &Metadata) -> String {
    let service = SERVICES.iter().find(|(sdk, _)| *sdk == call.service()).map_or(call.service(), |(_, name)| name);
    format!("{service}:{}", call.name())
}

#[dyn_dispatch_hint]
impl Intercept for Declared {
    fn name(&self) -> &'static str {
        "Declared"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = cfg.load::<Metadata>().map(name) else { return Ok(()) };
        // Sessions ask for themselves, too.
        let _ = AT_WORK.try_with(|(kind, calls)| {
            if let Some(notebook) = &self.0 {
                notebook.note(kind, call.clone());
            }
            debug_assert!(calls.contain(&call), "{kind} makes the call {call}, and does not declare it");
        });
        Ok(())
    }
}
