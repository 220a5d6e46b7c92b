//! What a stage serves, made ready once for all its requests: a deployment's snapshot, the stage's own settings, and the
//! canary beside them.

use std::collections::{BTreeMap, BTreeSet};

use super::access_log::Format;
use super::authorizer::Authorizer;
use super::gateway_response::GatewayResponses;
use super::integration::Integration;
use super::policy::Policy;
use super::route::Routes;
use super::throttle::Limits;
use super::waf;
use crate::sandbox::apigateway::state;
use crate::sandbox::logs::events;
use crate::sandbox::wire::partition;
use crate::sandbox::world::{Region, World};

/// Where an API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) partition: String,
}

/// One stage.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) place: Place,
    pub(super) api_id: String,
    pub(super) stage_name: String,
    pub(super) primary: Snapshot,
    pub(super) canary: Option<Canary>,
    pub(super) access_log: Option<AccessLog>,
    pub(super) web_acl: Option<WebAcl>,
    /// Whether the API's own host name is closed.
    pub(super) host_closed: bool,
    /// The API keys that open methods which ask for one.
    pub(super) keys: BTreeSet<String>,
    /// How often the answers of the authorizers were to be forgotten.
    pub(super) flushes: u64,
}

/// How and where requests to a stage are logged.
#[derive(Debug)]
pub(super) struct AccessLog {
    pub(super) format: Format,
    /// The log group; none where the lines go to a delivery stream.
    pub(super) group: Option<events::Place>,
    /// The log stream. AWS's have names of its own.
    pub(super) stream: String,
}

impl AccessLog {
    pub(super) fn new(format: Format, destination: Option<&str>, api: &str, stage: &str) -> Self {
        Self { format, group: destination.and_then(events::Place::of), stream: format!("{api}/{stage}") }
    }
}

/// The web ACL of a stage.
#[derive(Debug)]
pub(super) struct WebAcl {
    pub(super) arn: String,
    pub(super) rules: waf::Rules,
}

/// A deployment that gets a share of the requests.
#[derive(Debug)]
pub(super) struct Canary {
    /// 0 to 100.
    pub(super) percent: f64,
    pub(super) snapshot: Snapshot,
}

/// One deployment as a stage serves it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) deployment_id: String,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) routes: Routes<Method>,
    /// By id.
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    /// The resource policy, or why it can't be read.
    pub(super) policy: Option<Result<Policy, String>>,
    pub(super) responses: GatewayResponses,
    pub(super) binary: BinaryTypes,
    /// Whether API keys come from the authorizer, not from a header.
    pub(super) keys_by_authorizer: bool,
    /// A private API answers nobody without a policy (aws-facts E).
    pub(super) private: bool,
}

/// One method of one resource.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) resource_id: String,
    pub(super) resource_path: String,
    /// `GET`, … or `ANY`.
    pub(super) verb: String,
    pub(super) authorization: Authorization,
    pub(super) api_key_required: bool,
    /// The parameters that a request must have, as `method.request.…`; empty where none is asked for.
    pub(super) required: Vec<String>,
    pub(super) limits: Option<Limits>,
    pub(super) integration: Result<Integration, String>,
}

/// How a method is authorized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Authorization {
    /// Open.
    Open,
    /// By a Lambda authorizer, by its id.
    Custom(String),
    /// By IAM: a signature is asked for. The sandbox does not verify signatures anywhere.
    Iam,
}

/// Media types whose bodies travel as bytes; all others are text to API Gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BinaryTypes(Vec<String>);

impl BinaryTypes {
    /// Whether a media type, without its parameters and in any case, is one of them. `*/*` and `image/*` are patterns.
    pub(super) fn contains(&self, media_type: &str) -> bool {
        let media_type = media_type.split([';', ',']).next().unwrap_or_default().trim();
        self.0.iter().any(|binary| match binary.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => media_type.split('/').next().is_some_and(|given| given.eq_ignore_ascii_case(kind)),
            None => binary.eq_ignore_ascii_case(media_type),
        })
    }
}

impl Served {
    /// A stage by the id of its API, which is the only one of all accounts and Regions, and its name.
    pub(super) fn find(world: &World, api: &str, stage: &str) -> Option<Self> {
        for (account, held) in &world.accounts {
            for (region, services) in &held.regions {
                let Some(api) = services.apigateway.apis.iter().find(|known| known.id == api) else { continue };
                let place =
                    Place { account: account.clone(), region: region.clone(), partition: partition(region).to_owned() };
                let stage = api.stages.get(stage)?;
                let web_acl = stage.web_acl_arn.as_ref().and_then(|arn| WebAcl::find(services, arn));
                let keys = keys(&services.apigateway, &api.id, &stage.stage_name);
                return Self::read(place, api, stage, web_acl, keys);
            }
        }
        None
    }

    fn read(
        place: Place,
        api: &state::RestApi,
        stage: &state::Stage,
        web_acl: Option<WebAcl>,
        keys: BTreeSet<String>,
    ) -> Option<Self> {
        let primary = Snapshot::read(api, stage, &stage.deployment_id, &stage.variables)?;
        let canary = stage.canary_settings.as_ref().and_then(|canary| {
            let mut variables = stage.variables.clone();
            variables.extend(canary.stage_variable_overrides.clone());
            let snapshot = Snapshot::read(api, stage, &canary.deployment_id, &variables)?;
            Some(Canary { percent: canary.percent_traffic, snapshot })
        });
        let access_log = stage.access_log_settings.as_ref().and_then(|settings| {
            let format = log_format(settings.format.as_deref()?, &stage.stage_name);
            Some(AccessLog::new(format, settings.destination_arn.as_deref(), &api.id, &stage.stage_name))
        });
        Some(Self {
            place,
            api_id: api.id.clone(),
            stage_name: stage.stage_name.clone(),
            primary,
            canary,
            access_log,
            web_acl,
            host_closed: api.definition.disable_execute_api_endpoint,
            keys,
            flushes: api.authorizer_flushes.get(&stage.stage_name).copied().unwrap_or_default(),
        })
    }
}

/// The access log's format. A name that is none of API Gateway's is written as `-` there too, and nobody would notice.
fn log_format(text: &str, stage: &str) -> Format {
    let format = Format::parse(text);
    for name in format.unknown() {
        tracing::warn!("the access log of the stage {stage} names $context.{name}, which API Gateway does not know");
    }
    format
}

/// The values of the enabled keys whose usage plans have a stage. What the plans let a key do in a second or a month is
/// not kept to here.
fn keys(services: &state::State, api: &str, stage: &str) -> BTreeSet<String> {
    let plans = services.usage_plans.iter().filter(|plan| plan.api_stages.iter().any(|known| known.is(api, stage)));
    let ids: BTreeSet<&String> = plans.filter_map(|plan| services.usage_plan_keys.get(&plan.id)).flatten().collect();
    let keys = services.api_keys.iter().filter(|key| key.enabled && ids.contains(&key.id));
    keys.map(|key| key.value.clone()).collect()
}

impl WebAcl {
    pub(super) fn find(services: &Region, arn: &str) -> Option<Self> {
        let acl = services.wafv2.web_acl(arn)?;
        Some(Self { arn: arn.to_owned(), rules: waf::Rules::compile(acl, &services.wafv2) })
    }
}

impl Snapshot {
    fn read(
        api: &state::RestApi,
        stage: &state::Stage,
        deployment: &str,
        variables: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let deployment = api.deployment(deployment)?;
        let definition = &deployment.snapshot;
        let mut routes = Routes::default();
        for resource in definition.resources.values() {
            for (verb, method) in &resource.resource_methods {
                routes.add(&resource.path, verb, Method::read(definition, stage, resource, verb, method));
            }
        }
        let policy = definition.policy.as_deref().map(|text| Policy::parse(text).map_err(|error| error.to_string()));
        Some(Self {
            deployment_id: deployment.id.clone(),
            variables: variables.clone(),
            routes,
            authorizers: definition
                .authorizers
                .iter()
                .map(|authorizer| (authorizer.id.clone(), Authorizer::compile(authorizer)))
                .collect(),
            policy,
            responses: GatewayResponses::compile(definition),
            binary: BinaryTypes(definition.binary_media_types.clone()),
            keys_by_authorizer: definition.api_key_source == "AUTHORIZER",
            private: definition.endpoint.types.iter().any(|kind| kind == "PRIVATE"),
        })
    }
}

impl Method {
    fn read(
        definition: &state::Definition,
        stage: &state::Stage,
        resource: &state::Resource,
        verb: &str,
        method: &state::Method,
    ) -> Self {
        let validator = method.request_validator_id.as_ref().and_then(|id| definition.request_validators.get(id));
        let validated = validator.is_some_and(|validator| validator.validate_request_parameters);
        let declared = method.request_parameters.iter().flatten();
        let required = declared.filter(|(_, required)| validated && **required).map(|(name, _)| name.clone());
        let authorization = match (method.authorization_type.as_str(), &method.authorizer_id) {
            ("AWS_IAM", _) => Authorization::Iam,
            ("NONE", _) => Authorization::Open,
            // One that names no authorizer finds none, and answers nobody.
            (_, id) => Authorization::Custom(id.clone().unwrap_or_default()),
        };
        Self {
            resource_id: resource.id.clone(),
            resource_path: resource.path.clone(),
            verb: verb.to_owned(),
            authorization,
            api_key_required: method.api_key_required,
            required: required.collect(),
            limits: limits(stage, &resource.path, verb),
            integration: Integration::compile(method.method_integration.as_ref()),
        }
    }

    /// The name under which the method is throttled.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.verb, self.resource_path)
    }
}

/// The limits of a method: its own settings, or those of all methods.
fn limits(stage: &state::Stage, path: &str, verb: &str) -> Option<Limits> {
    let escaped = path.replace('~', "~0").replace('/', "~1");
    let setting = stage
        .method_settings
        .get(&format!("{escaped}/{verb}"))
        .or_else(|| stage.method_settings.get(&format!("{}/{verb}", path.trim_start_matches('/'))))
        .or_else(|| stage.method_settings.get("*/*"))?;
    Some(Limits { rate: setting.throttling_rate_limit, burst: setting.throttling_burst_limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_types_are_patterns_without_case_and_parameters() {
        let types = BinaryTypes(vec!["multipart/form-data".into(), "image/*".into()]);
        assert!(types.contains("multipart/form-data; boundary=x"));
        assert!(types.contains("Image/PNG"));
        assert!(types.contains("image/webp,*/*;q=0.8"), "only the first of an Accept header counts");
        assert!(!types.contains("application/json"));
        assert!(!types.contains(""));
        assert!(BinaryTypes(vec!["*/*".into()]).contains("application/json"));
    }
}
