//! What every REST API has, whatever stack it is of: log groups, authorizer functions and their roles, the API itself, its
//! deployment and its stage. A stack says the rest in a [`Blueprint`].

mod api;
mod limits;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::api::{gateway_responses, policy, snapshot};
use super::ingress::{ingress_url, target_url};
use super::openapi::{Context, methods};
use super::template::{Values, fill};
use super::{Gateway, owner, place};
use crate::config::{self, Environment, Faults, GatewayStack, Route, Settings, StackFiles};
use crate::error::{Failure, Result};
use crate::kinds::deployment::{self, Deployment, DeploymentSpec};
use crate::kinds::iam_role::{self, IamRole, IamRoleSpec};
use crate::kinds::lambda_function::{LambdaFunction, LambdaFunctionSpec, Vpc};
use crate::kinds::log_group::{LogGroup, LogGroupSpec};
use crate::kinds::rest_api::spec::{self, Method};
use crate::kinds::rest_api::{RestApi, RestApiSpec, document};
use crate::kinds::stage::{AccessLog, MethodSettings, Stage, StageSpec};
use crate::kinds::{Registry, desired};
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
pub(super) fn lookups(_gateway: &config::Gateway) -> Vec<Lookup> {
    Vec::new()
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
        let (desired, gateway) = self.assemble(api)?;
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

    fn function_name(&self, authorizer: &str) -> String {
        self.named(&format!("{}{authorizer}", self.blueprint.function_prefix))
    }

    fn gateway_name(&self) -> String {
        self.named(self.blueprint.gateway)
    }

    /// All resources, and the documents among them.
    fn assemble(&self, api: RestApiSpec) -> Result<(Vec<Desired>, Gateway)> {
        let functions = &self.blueprint.functions;
        let mut all = vec![self.log_group("access", format!("/aws/apigateway/{}", self.gateway_name()))?];
        for function in functions {
            let group = format!("/aws/lambda/{}", self.function_name(function.name));
            all.push(self.log_group(function.name, group)?);
        }
        all.push(self.execution_role()?);
        for function in functions {
            all.push(self.function(function)?);
        }
        all.push(self.invocation_role()?);
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
        all.push(self.stage(deployment::name_of(&snapshot))?);
        let policy = known.policy.as_ref().map_or(Value::Null, Policy::to_document);
        Ok((all, Gateway { stack: self.blueprint.stack, document: document(&known), policy }))
    }

    fn log_group(&self, name: &str, group: String) -> Result<Desired> {
        let spec = LogGroupSpec {
            name: group,
            retention_in_days: Some(self.settings.retention_in_days),
            tags: self.settings.tags.clone(),
        };
        self.desired::<LogGroup>(name, &spec)
    }

    /// An output of the resource of each function, of one kind.
    fn outputs_of_functions(&self, kind: &str, output: &str) -> Vec<Value> {
        let functions = self.blueprint.functions.iter();
        functions.map(|function| Input::output(&self.address(kind, function.name), output).to_value()).collect()
    }

    /// What the functions may do: write their logs and traces, and have network interfaces where they are in a VPC. Lambda
    /// makes log groups by itself if it may; gwctl makes them, so it may not.
    fn execution_role(&self) -> Result<Desired> {
        let groups: Vec<Value> = self.outputs_of_functions("log-group", "streams_arn");
        let mut statements = vec![json!({
            "Sid": "WriteLogs", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": groups,
        })];
        if self.settings.xray_tracing {
            statements.push(json!({
                "Sid": "WriteTraces", "Effect": "Allow", "Resource": "*",
                "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            }));
        }
        if self.vpc().is_some() {
            statements.push(json!({
                "Sid": "UseNetwork", "Effect": "Allow", "Resource": "*",
                "Action": ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
                    "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
            }));
        }
        let description = "Lets the authorizer functions write their logs and traces";
        self.role("authorizer", description, "lambda.amazonaws.com", statements)
    }

    /// API Gateway assumes this role to call the functions.
    fn invocation_role(&self) -> Result<Desired> {
        let functions = self.outputs_of_functions("lambda-function", "arn");
        let statement = json!({"Sid": "CallAuthorizers", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": functions});
        let description = "Lets API Gateway call the authorizer functions";
        self.role("authorizer-invocation", description, "apigateway.amazonaws.com", vec![statement])
    }

    /// Service principals end in `.amazonaws.com` in every partition (aws-facts H).
    fn role(&self, name: &str, description: &str, service: &str, statements: Vec<Value>) -> Result<Desired> {
        let parse = |statements: Vec<Value>| {
            Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}))
                .map_err(|why| Failure::internal("a role's policy can't be read").cause(why))
        };
        let trust = json!({
            "Sid": "AssumedByService", "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole",
        });
        let spec = IamRoleSpec {
            // Role names are global in an account.
            name: format!("{}-{}", self.named(&format!("{}{name}", self.blueprint.role_prefix)), self.place.region),
            path: iam_role::path(&self.owner, &self.place),
            description: Some(description.to_owned()),
            assume_role_policy: parse(vec![trust])?,
            inline_policies: BTreeMap::from([(name.to_owned(), parse(statements)?)]),
            managed_policies: BTreeSet::new(),
            tags: self.settings.tags.clone(),
        };
        self.desired::<IamRole>(name, &spec)
    }

    fn vpc(&self) -> Option<Vpc> {
        let Settings { private_subnet, security_group_ids, .. } = self.settings;
        if private_subnet.is_empty() || security_group_ids.is_empty() {
            return None;
        }
        let sorted = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        Some(Vpc { subnet_ids: sorted(private_subnet), security_group_ids: sorted(security_group_ids) })
    }

    fn function(&self, function: &Function<'_>) -> Result<Desired> {
        let authorizer = &self.settings.authorizer;
        let spec = LambdaFunctionSpec {
            name: self.function_name(function.name),
            description: Some(format!("Decides who may call {}", self.gateway_name())),
            role: Input::output(&self.address("iam-role", "authorizer"), "arn"),
            runtime: authorizer.runtime.clone(),
            handler: authorizer.handler.clone(),
            architecture: authorizer.architecture.clone(),
            memory_mb: authorizer.memory_size,
            timeout_seconds: authorizer.timeout,
            code_sha256: function.code_sha256.to_owned(),
            environment: function.environment.clone(),
            vpc: self.vpc(),
            tracing: if self.settings.xray_tracing { "Active" } else { "PassThrough" }.to_owned(),
            reserved_concurrency: None,
            tags: self.settings.tags.clone(),
        };
        self.desired::<LambdaFunction>(function.name, &spec)
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
            variables: settings.stage_variables.clone(),
            access_log: Some(AccessLog {
                destination: Input::output(&self.address("log-group", "access"), "arn"),
                format: settings.log_format.to_line(),
            }),
            method_settings: BTreeMap::from([("*/*".to_owned(), all_methods)]),
            canary: None,
            web_acl: None,
            tags: settings.tags.clone(),
        };
        self.desired::<Stage>(GATEWAY, &spec)
    }

    fn rest_api(&self, faults: &mut Faults) -> RestApiSpec {
        let values = self.values();
        let kind = match self.blueprint.stack {
            GatewayStack::Gate => "Gateway",
            GatewayStack::System => "Internal gateway",
        };
        let description = format!("{kind} of {} in {}", self.settings.app_group, self.environment.name);
        RestApiSpec {
            name: self.gateway_name(),
            description: Some(self.settings.description.clone().unwrap_or(description)),
            endpoint_type: self.settings.endpoint_type.clone(),
            api_key_source: "HEADER".to_owned(),
            binary_media_types: self.settings.binary_media_types.iter().cloned().collect(),
            minimum_compression_size: self.settings.minimum_compression_size,
            disable_execute_api_endpoint: false,
            policy: policy(&self.files.policy, &values, faults),
            authorizers: self.blueprint.authorizers.iter().map(|authorizer| self.authorizer(authorizer)).collect(),
            gateway_responses: gateway_responses(&self.files.gateway_responses, &values, faults),
            routes: self.routes(&values, faults),
            tags: self.settings.tags.clone(),
        }
    }

    fn authorizer(&self, authorizer: &Authorizer) -> (String, spec::Authorizer) {
        let spec = spec::Authorizer {
            kind: "REQUEST".to_owned(),
            uri: Input::output(&self.address("lambda-function", authorizer.function), "invoke_arn"),
            credentials: Some(Input::output(&self.address("iam-role", "authorizer-invocation"), "arn")),
            identity_source: self.settings.authorizer.identity_source.clone(),
            ttl_seconds: if authorizer.cached { self.settings.authorizer_result_ttl } else { 0 },
            identity_validation: None,
        };
        (self.function_name(authorizer.name), spec)
    }

    fn routes(&self, values: &Values, faults: &mut Faults) -> BTreeMap<String, BTreeMap<String, Method>> {
        let names = self.blueprint.authorizers.iter();
        let authorizers = names.map(|authorizer| self.function_name(authorizer.name)).collect();
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
        let Settings { app_group, gateway_stage_name, vpc_link_id, .. } = self.settings;
        let Place { account, region, partition } = &self.place;
        let names = [
            ("product", self.environment.product.as_str()),
            ("env", &self.environment.name),
            ("app_group", app_group),
            ("stage", gateway_stage_name),
            ("account_id", account),
            ("region", region),
            ("partition", partition),
            ("vpc_link_id", vpc_link_id),
        ];
        let names = names.into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
        let authorizers = self.blueprint.authorizers.iter();
        let authorizers = authorizers
            .map(|authorizer| (authorizer.name.replace('-', "_"), json!(self.function_name(authorizer.name))));
        names.chain(authorizers).collect()
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
