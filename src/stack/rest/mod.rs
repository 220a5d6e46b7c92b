//! What every REST API has, whatever stack it is of: log groups, authorizer functions and their roles, the API itself, its
//! deployment and its stage. A stack says the rest in a [`Blueprint`].

mod api;
mod domain;
mod functions;
mod limits;
mod names;
mod network;
mod watch;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::api::{gateway_responses, policy, snapshot};
pub use self::limits::resource_count;
pub(super) use self::names::check_names;
use super::ingress::{ingress_url, target_url};
use super::openapi::{Context, methods};
use super::template::{Values, fill};
use super::web_acl::{Added, Guarded};
use super::{Gateway, owner, place};
use crate::config::{self, Environment, Faults, GatewayStack, Node, Route, Settings, StackFiles};
use crate::error::Result;
use crate::kinds::deployment::{self, Deployment, DeploymentSpec};
use crate::kinds::log_group::{LogFilters, LogGroup, LogGroupSpec};
use crate::kinds::rest_api::spec::{self, Method};
use crate::kinds::rest_api::{RestApi, RestApiSpec, document};
use crate::kinds::stage::{AccessLog, ByHand, MethodSettings, Stage, StageSpec};
use crate::kinds::{Kind as _, Registry, desired};
use crate::model::policy::Policy;
use crate::model::{Address, Desired, Found, Input, Lookup, Outputs, Owner, Place};

/// The name of the API and of its stage in addresses.
pub(super) const GATEWAY: &str = "gateway";

/// What is particular to a stack.
pub(super) struct Blueprint<'a> {
    /// The stack.
    pub(super) stack: GatewayStack,
    /// The middle of the API's name: `product-a-WHAT-dev`.
    pub(super) gateway: &'static str,
    /// Stands before the names of authorizers and functions.
    pub(super) function_prefix: &'static str,
    /// Stands before the names of roles.
    pub(super) role_prefix: &'static str,
    /// The authorizers of the API.
    pub(super) authorizers: &'static [Authorizer],
    /// The functions behind them.
    pub(super) functions: Vec<Function<'a>>,
}

/// An authorizer of the API.
pub(super) struct Authorizer {
    /// Its name, and its placeholder in route templates with `_` for `-`.
    pub(super) name: &'static str,
    /// The function that decides.
    pub(super) function: &'static str,
    /// Whether API Gateway keeps its answers.
    pub(super) cached: bool,
}

/// A function behind authorizers.
pub(super) struct Function<'a> {
    /// Its name in addresses.
    pub(super) name: &'static str,
    /// Lambda's `CodeSha256` of its zip.
    pub(super) code_sha256: &'a str,
    /// The variables that its code reads.
    pub(super) environment: BTreeMap<String, Input>,
}

/// What has to be looked up in AWS for a gateway.
pub(super) fn lookups(gateway: &config::Gateway) -> Vec<Lookup> {
    network::lookups(gateway).into_iter().chain(domain::lookups(gateway)).collect()
}

/// One gateway on its way from settings to resources.
pub(super) struct RestGateway<'a> {
    environment: &'a Environment,
    gateway: &'a config::Gateway,
    settings: &'a Settings,
    files: &'a StackFiles,
    blueprint: &'a Blueprint<'a>,
    found: &'a Found,
    place: Place,
    owner: Owner,
}

impl<'a> RestGateway<'a> {
    pub(super) fn new(
        environment: &'a Environment,
        gateway: &'a config::Gateway,
        files: &'a StackFiles,
        blueprint: &'a Blueprint<'a>,
        found: &'a Found,
    ) -> Self {
        Self {
            environment,
            gateway,
            settings: &gateway.settings,
            files,
            blueprint,
            found,
            place: place(&environment.target),
            owner: owner(environment),
        }
    }

    /// The resources, and the documents among them.
    pub(super) fn expand(&self, faults: &mut Faults) -> Result<(Vec<Desired>, Gateway)> {
        let api = self.rest_api(faults);
        let (desired, gateway) = self.assemble(api, faults)?;
        self.check(&desired, &gateway, faults);
        Ok((desired, gateway))
    }

    /// The address of a resource of the stack.
    fn address(&self, kind: &str, name: &str) -> Address {
        Address::new(self.blueprint.stack.name(), kind, name)
    }

    fn desired<K: crate::kinds::Kind>(&self, name: &str, spec: &K::Spec) -> Result<Desired> {
        desired::<K>(self.blueprint.stack.name(), name, spec)
    }

    /// `product-a-WHAT-dev`
    fn named(&self, what: &str) -> String {
        format!("{}-{what}-{}", self.settings.app_group, self.environment.name)
    }

    /// The web ACL that stands before the stage, if there is one: its resources, and its ARN.
    fn web_acl(&self, faults: &mut Faults) -> Result<Vec<Desired>> {
        let Some(settings) = &self.settings.web_acl else { return Ok(Vec::new()) };
        self.guarded(&|what| self.named(what), &|kind, name| self.given_name(kind, name)).web_acl(
            settings,
            Added::default(),
            faults,
        )
    }

    fn web_acl_arn(&self) -> Option<Input> {
        self.settings.web_acl.as_ref().map(|_| self.guarded(&|what| self.named(what), &|_, _| None).arn())
    }

    fn guarded<'g>(
        &'g self,
        named: &'g dyn Fn(&str) -> String,
        given: &'g dyn Fn(&str, &str) -> Option<&'g str>,
    ) -> Guarded<'g> {
        Guarded {
            stack: self.blueprint.stack.name(),
            name: GATEWAY,
            named,
            given,
            what: self.blueprint.gateway,
            file: &self.environment.file.path,
            place: &self.place,
            retention_in_days: self.settings.retention_in_days,
            tags: &self.settings.tags,
        }
    }

    /// All resources, and the documents among them.
    fn assemble(&self, api: RestApiSpec, faults: &mut Faults) -> Result<(Vec<Desired>, Gateway)> {
        let functions = &self.blueprint.functions;
        let access = self.name_of(LogGroup::NAME, "access", || format!("/aws/apigateway/{}", self.gateway_name()));
        let mut all = vec![self.log_group("access", access)?];
        for function in functions {
            let group = format!("/aws/lambda/{}", self.function_name(function.name));
            all.push(self.log_group(function.name, group)?);
        }
        all.extend(self.functions()?);
        all.extend(self.vpc_link()?);
        all.extend(self.account_logging()?);
        all.extend(self.web_acl(faults)?);
        let known_outputs = Registry::new(BTreeMap::new()).predict(&self.place, &all)?;
        let mut gateway = self.desired::<RestApi>(GATEWAY, &api)?;
        let routes = self.gateway.routes.iter();
        gateway.labels = routes.map(|route| (format!("routes.{}", route.path), route.kind.clone())).collect();
        let known = with_known_outputs(api, &known_outputs);
        let snapshot = snapshot(&gateway.spec, &known.authorizers)?;
        all.push(gateway);
        let rest_api = Input::output(&self.address("rest-api", GATEWAY), "id");
        let spec = DeploymentSpec { rest_api, snapshot: snapshot.as_str().to_owned() };
        all.push(self.desired::<Deployment>(deployment::name_of(&snapshot), &spec)?);
        all.extend(self.execution_log_group()?);
        all.push(self.stage(deployment::name_of(&snapshot))?);
        all.extend(self.alarms()?);
        all.extend(self.domain()?);
        let policy = known.policy.as_ref().map_or(Value::Null, Policy::to_document);
        Ok((all, Gateway { stack: self.blueprint.stack, document: document(&known), policy }))
    }

    fn log_group(&self, name: &str, group: String) -> Result<Desired> {
        let spec = LogGroupSpec {
            name: group,
            retention_in_days: Some(self.settings.retention_in_days),
            tags: self.settings.tags.clone(),
            filters: LogFilters::default(),
        };
        self.desired::<LogGroup>(name, &spec)
    }

    fn stage(&self, deployment: &str) -> Result<Desired> {
        let settings = self.settings;
        let all_methods = MethodSettings {
            metrics: settings.metrics,
            logging_level: settings.logging_level.clone(),
            data_trace: settings.data_trace,
            throttling_rate_limit: settings.throttling_rate_limit,
            throttling_burst_limit: settings.throttling_burst_limit,
            caching: false,
        };
        let spec = StageSpec {
            name: settings.gateway_stage_name.clone(),
            rest_api: Input::output(&self.address("rest-api", GATEWAY), "id"),
            deployment: Input::output(&self.address("deployment", deployment), "id"),
            description: None,
            xray: settings.xray_tracing,
            variables: self.stage_variables(),
            access_log: Some(AccessLog {
                destination: Input::output(&self.address("log-group", "access"), "arn"),
                format: settings.log_format.to_line(),
            }),
            method_settings: BTreeMap::from([("*/*".to_owned(), all_methods)]),
            canary: None,
            web_acl: self.web_acl_arn(),
            tags: settings.tags.clone(),
            by_hand: ByHand::default(),
        };
        self.desired::<Stage>(GATEWAY, &spec)
    }

    fn stage_variables(&self) -> BTreeMap<String, Input> {
        let own = self.settings.stage_variables.iter().map(|(name, value)| (name.clone(), Input::from(value.as_str())));
        own.chain(self.made_vpc_link().map(|link| (network::LINK_VARIABLE.to_owned(), link))).collect()
    }

    fn rest_api(&self, faults: &mut Faults) -> RestApiSpec {
        let values = self.values();
        let kind = match self.blueprint.stack {
            GatewayStack::Gate => "Gateway",
            GatewayStack::System => "Internal gateway",
        };
        let description = format!("{kind} of {} in {}", self.settings.app_group, self.environment.name);
        RestApiSpec {
            name: self.api_name(),
            description: Some(self.settings.description.clone().unwrap_or(description)),
            endpoint_type: self.settings.endpoint_type.clone(),
            api_key_source: "HEADER".to_owned(),
            binary_media_types: self.settings.binary_media_types.iter().cloned().collect(),
            minimum_compression_size: self.settings.minimum_compression_size,
            disable_execute_api_endpoint: self
                .settings
                .domain
                .as_ref()
                .is_some_and(|domain| !domain.keep_default_endpoint),
            policy: policy(self.policy_file(faults), &values, faults),
            vpc_endpoint_ids: self.settings.vpc_endpoint_ids.iter().cloned().collect(),
            authorizers: self.blueprint.authorizers.iter().map(|authorizer| self.authorizer(authorizer)).collect(),
            gateway_responses: gateway_responses(&self.files.gateway_responses, &values, faults),
            routes: self.routes(&values, faults),
            tags: self.settings.tags.clone(),
        }
    }

    /// The resource policy: a private API has another one, which lets only its own networks in.
    fn policy_file(&self, faults: &mut Faults) -> &Node {
        if self.settings.endpoint_type != "PRIVATE" {
            return &self.files.policy;
        }
        self.files.policy_private.as_ref().unwrap_or_else(|| {
            let file = self.blueprint.stack.file("policy_private.json");
            let hint = format!("write {}, with a condition on `aws:SourceVpce`", file.display());
            let message = "the API is private, and its stack has no resource policy for that";
            faults.file_error(&self.environment.file.path, message, hint);
            &self.files.policy
        })
    }

    fn authorizer(&self, authorizer: &Authorizer) -> (String, spec::Authorizer) {
        let spec = spec::Authorizer {
            kind: "REQUEST".to_owned(),
            uri: self.invoked(authorizer, "invoke_arn"),
            credentials: Some(Input::output(&self.address("iam-role", "authorizer-invocation"), "arn")),
            identity_source: self.settings.authorizer.identity_source.clone(),
            ttl_seconds: if authorizer.cached { self.settings.authorizer_result_ttl } else { 0 },
            identity_validation: None,
        };
        (self.authorizer_name(authorizer.name), spec)
    }

    fn routes(&self, values: &Values, faults: &mut Faults) -> BTreeMap<String, BTreeMap<String, Method>> {
        let names = self.blueprint.authorizers.iter();
        let authorizers = names.map(|authorizer| self.authorizer_name(authorizer.name)).collect();
        let mut routes = BTreeMap::new();
        for route in &self.gateway.routes {
            // The configuration has checked that the template is there.
            let Some(template) = self.files.routes.get(&route.kind) else { continue };
            let values = self.route_values(route, values);
            let item = fill(&template.path_item, &values, faults);
            let context = Context { path: &route.path, authorizers: &authorizers };
            routes.insert(route.path.clone(), methods(&item, &context, faults));
        }
        routes
    }

    /// The placeholders of every file of the stack.
    fn values(&self) -> Values {
        let Settings { app_group, gateway_stage_name, .. } = self.settings;
        let vpc_link_id = self.vpc_link_id();
        let Place { account, region, partition } = &self.place;
        let names = [
            ("product", self.environment.product.as_str()),
            ("env", &self.environment.name),
            ("app_group", app_group),
            ("stage", gateway_stage_name),
            ("account_id", account),
            ("region", region),
            ("partition", partition),
            ("vpc_link_id", &vpc_link_id),
        ];
        let names = names.into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
        let authorizers = self.blueprint.authorizers.iter();
        let authorizers = authorizers
            .map(|authorizer| (authorizer.name.replace('-', "_"), json!(self.authorizer_name(authorizer.name))));
        let endpoints = ("vpc_endpoint_ids".to_owned(), json!(self.settings.vpc_endpoint_ids));
        names.chain(authorizers).chain([endpoints]).collect()
    }

    /// The placeholders of one route, besides.
    fn route_values(&self, route: &Route, common: &Values) -> Values {
        let mut values = common.clone();
        values.insert("path".to_owned(), json!(route.path));
        let url = match target_url(route) {
            Some(url) => ("target_url", url),
            None => ("ingress_url", ingress_url(&self.settings.ingress, &self.environment.name, &route.path)),
        };
        values.insert(url.0.to_owned(), json!(url.1));
        values.extend(route.values.clone());
        values
    }
}

/// The API with every ARN that follows from names filled in: what `render` shows and the snapshot's digest covers. A
/// function that gets another name thus leads to another deployment. Only authorizers refer to other resources.
fn with_known_outputs(mut api: RestApiSpec, known: &BTreeMap<Address, Outputs>) -> RestApiSpec {
    let fill = |input: &mut Input| {
        let reference = input.reference();
        if let Some(value) = reference.and_then(|reference| known.get(&reference.address)?.get(&reference.output)) {
            *input = Input::from(value);
        }
    };
    for authorizer in api.authorizers.values_mut() {
        fill(&mut authorizer.uri);
        authorizer.credentials.iter_mut().for_each(fill);
    }
    api
}
