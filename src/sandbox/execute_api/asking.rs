//! Asks authorizers for the gateway: keeps their answers, and knows where their functions are.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::authorizer::{
    Asked, Authorization, Authorizer, Backend, Cache, Endpoint, Identity, Means, Refusal, may_invoke,
};
use super::context::Context;
use crate::error::{Failure, FailureKind, Result};
use crate::sandbox::Sandbox;

/// How long a URL that stands in for a function may take: as long as a function could at most.
const PATIENCE: Duration = Duration::from_secs(29);

/// What authorizers are asked through.
#[derive(Debug)]
pub(super) struct Asking {
    sandbox: Sandbox,
    cache: Cache,
    functions: Backend,
    /// URLs that are asked instead of functions, by the authorizer's name.
    urls: HashMap<String, Backend>,
}

impl Asking {
    /// Asks the functions of a sandbox, and for the authorizers of these names the URLs.
    pub(super) fn new(sandbox: &Sandbox, urls: HashMap<String, String>) -> Result<Self> {
        let urls = urls.into_iter().map(|(name, url)| match Endpoint::new(&url, PATIENCE) {
            Ok(endpoint) => Ok((name, Backend::Url(Box::new(endpoint)))),
            Err(why) => {
                let text = format!("the authorizer `{name}` can't be asked at `{url}`");
                Err(Failure::new(FailureKind::Usage, text).cause(why))
            }
        });
        Ok(Self {
            cache: Cache::default(),
            functions: Backend::Sandbox { functions: sandbox.functions().clone(), sandbox: sandbox.clone() },
            urls: urls.collect::<Result<_>>()?,
            sandbox: sandbox.clone(),
        })
    }

    /// Asks an authorizer about a request, or takes what it said before.
    pub(super) async fn ask(
        &self,
        authorizer: &Authorizer,
        identity: &Identity,
        context: &Context<'_>,
    ) -> Result<Authorization, Refusal> {
        let (served, arn) = (context.served, context.arn());
        let decoded = |value: &String| percent_decode_str(value).decode_utf8_lossy().into_owned();
        let path_parameters: BTreeMap<String, String> =
            context.path_parameters.iter().map(|(name, value)| ((*name).to_owned(), decoded(value))).collect();
        let asked = Asked {
            request: context.request,
            method_arn: &arn,
            account: &served.place.account,
            api: &served.api_id,
            stage: &served.stage_name,
            deployment: &context.snapshot.deployment_id,
            resource: context.method.map_or("", |method| &method.resource_id),
            resource_path: context.method.map_or("", |method| &method.resource_path),
            path_parameters: &path_parameters,
            stage_variables: &context.snapshot.variables,
            request_id: &context.ids.request,
            extended_request_id: &context.ids.extended,
        };
        let permission = |function: &str| self.permission(authorizer, function, context);
        let means = Means {
            cache: &self.cache,
            backend: self.urls.get(authorizer.name()).unwrap_or(&self.functions),
            permission: &permission,
            trace_id: Some(&context.ids.trace),
        };
        authorizer.authorize(identity, &asked, &means).await
    }

    /// Forgets what the authorizers of a stage said.
    pub(super) fn forget(&self, api: &str, stage: &str) {
        self.cache.flush(api, stage);
    }

    /// Whether API Gateway may call the function, by the authorizer's role or the function's policy.
    fn permission(&self, authorizer: &Authorizer, function: &str, context: &Context<'_>) -> Result<(), String> {
        let place = &context.served.place;
        let source = format!(
            "arn:{}:execute-api:{}:{}:{}/authorizers/{}",
            place.partition,
            place.region,
            place.account,
            context.served.api_id,
            authorizer.id()
        );
        // arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME
        let parts: Vec<&str> = function.splitn(6, ':').collect();
        let [_, _, _, region, account, _] = parts.as_slice() else {
            return Err(format!("`{function}` is no ARN of a function"));
        };
        let looked = self.sandbox.look(|world| {
            let iam = world.accounts.get(&place.account).map(|account| &account.iam);
            let home = world.accounts.get(*account).and_then(|account| account.regions.get(*region));
            match (iam, home) {
                (Some(iam), Some(home)) => may_invoke(iam, &home.lambda, authorizer.credentials(), function, &source),
                _ => Err(format!("the sandbox has no function {function}")),
            }
        });
        looked.unwrap_or_else(|failure| Err(failure.to_string()))
    }
}
