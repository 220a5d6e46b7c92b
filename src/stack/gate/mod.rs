//! The gate stack: a public REST API behind a Lambda authorizer with and without result cache.

mod api;
mod limits;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::api::{gateway_responses, policy, snapshot};
use super::Expansion;
use super::ingress::{ingress_url, target_url};
use super::openapi::{Context, methods};
use super::template::{Values, fill};
use crate::config::{Configuration, Environment, Faults, GateStack, Route, Settings, Target};
use crate::error::{Failure, Result};
use crate::kinds::deployment::{self, Deployment, DeploymentSpec};
use crate::kinds::iam_role::{self, IamRole, IamRoleSpec};
use crate::kinds::lambda_function::{LambdaFunction, LambdaFunctionSpec, Vpc};
use crate::kinds::log_group::{LogGroup, LogGroupSpec};
use crate::kinds::rest_api::spec::{Authorizer, Method};
use crate::kinds::rest_api::{RestApi, RestApiSpec, document};
use crate::kinds::stage::{AccessLog, MethodSettings, Stage, StageSpec};
use crate::kinds::{Registry, check_references, desired};
use crate::model::policy::Policy;
use crate::model::{Address, Desired, Input, Outputs, Owner, Place};

/// The name of the stack in addresses.
pub const NAME: &str = "gate";

/// The address of a resource of the stack.
fn address(kind: &str, name: &str) -> Address {
    Address::new(NAME, kind, name)
}

/// The address of the stage: where the endpoint's URL is.
#[must_use]
pub fn stage_address() -> Address {
    address("stage", "gateway")
}

/// The address of the API.
#[must_use]
pub fn api_address() -> Address {
    address("rest-api", "gateway")
}

/// Whose the resources of an environment are.
#[must_use]
pub fn owner(environment: &Environment) -> Owner {
    Owner { product: environment.product.clone(), environment: environment.name.clone() }
}

/// Where an environment goes.
#[must_use]
pub fn place(target: &Target) -> Place {
    Place { account: target.account.clone(), region: target.region.clone(), partition: target.partition.clone() }
}

/// The two authorizers: same code, told apart by whether API Gateway keeps what they answer.
const AUTHORIZERS: [(&str, bool); 2] = [("authorizer", true), ("non-ttl-authorizer", false)];

/// The stack for one environment, or what is wrong with the files it is made from. `code_sha256` is Lambda's `CodeSha256`
/// of the authorizer's zip.
pub fn expand(
    configuration: &Configuration,
    environment: &Environment,
    code_sha256: &str,
) -> Result<std::result::Result<Expansion, Faults>> {
    let mut faults = Faults::default();
    let gate = Gate::new(environment, code_sha256);
    let api = gate.rest_api(&configuration.stacks.gate, &mut faults);
    let expansion = gate.assemble(api)?;
    gate.check(&expansion, &mut faults);
    faults.sort();
    if faults.has_errors() {
        return Ok(Err(faults));
    }
    Ok(Ok(Expansion { warnings: faults, ..expansion }))
}

struct Gate<'a> {
    environment: &'a Environment,
    settings: &'a Settings,
    place: Place,
    owner: Owner,
    code_sha256: &'a str,
}

impl<'a> Gate<'a> {
    fn new(environment: &'a Environment, code_sha256: &'a str) -> Self {
        Self {
            environment,
            settings: &environment.settings,
            place: place(&environment.target),
            owner: owner(environment),
            code_sha256,
        }
    }

    /// `product-a-WHAT-dev`
    fn named(&self, what: &str) -> String {
        format!("{}-{what}-{}", self.settings.app_group, self.environment.name)
    }

    fn function_name(&self, authorizer: &str) -> String {
        self.named(&format!("api-{authorizer}"))
    }

    /// All resources, and the documents among them.
    fn assemble(&self, api: RestApiSpec) -> Result<Expansion> {
        let mut all = vec![self.log_group("access", format!("/aws/apigateway/{}", self.named("gateway")))?];
        for (name, _) in AUTHORIZERS {
            all.push(self.log_group(name, format!("/aws/lambda/{}", self.function_name(name)))?);
        }
        all.push(self.execution_role()?);
        for (name, cached) in AUTHORIZERS {
            all.push(self.function(name, cached)?);
        }
        all.push(self.invocation_role()?);
        let known_outputs = Registry::new(BTreeMap::new()).predict(&self.place, &all)?;
        let mut gateway = desired::<RestApi>(NAME, "gateway", &api)?;
        gateway.labels = self
            .environment
            .routes
            .iter()
            .map(|route| (format!("routes.{}", route.path), route.kind.clone()))
            .collect();
        let known = with_known_outputs(api, &known_outputs);
        let snapshot = snapshot(&gateway.spec, &known.authorizers)?;
        all.push(gateway);
        let spec =
            DeploymentSpec { rest_api: Input::output(&api_address(), "id"), snapshot: snapshot.as_str().to_owned() };
        all.push(desired::<Deployment>(NAME, deployment::name_of(&snapshot), &spec)?);
        all.push(self.stage(deployment::name_of(&snapshot))?);
        check_references(&all)?;
        let policy = known.policy.as_ref().map_or(Value::Null, Policy::to_document);
        Ok(Expansion { desired: all, document: document(&known), policy, warnings: Faults::default() })
    }

    fn log_group(&self, name: &str, group: String) -> Result<Desired> {
        let spec = LogGroupSpec {
            name: group,
            retention_in_days: Some(self.settings.retention_in_days),
            tags: self.settings.tags.clone(),
        };
        desired::<LogGroup>(NAME, name, &spec)
    }

    /// What the functions may do: write their logs and traces, and have network interfaces where they are in a VPC. Lambda
    /// makes log groups by itself if it may; gwctl makes them, so it may not.
    fn execution_role(&self) -> Result<Desired> {
        let groups: Vec<Value> = AUTHORIZERS
            .iter()
            .map(|(name, _)| Input::output(&address("log-group", name), "streams_arn").to_value())
            .collect();
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
        let functions: Vec<Value> = AUTHORIZERS
            .iter()
            .map(|(name, _)| Input::output(&address("lambda-function", name), "arn").to_value())
            .collect();
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
            name: format!("{}-{}", self.named(name), self.place.region),
            path: iam_role::path(&self.owner, &self.place),
            description: Some(description.to_owned()),
            assume_role_policy: parse(vec![trust])?,
            inline_policies: BTreeMap::from([(name.to_owned(), parse(statements)?)]),
            managed_policies: BTreeSet::new(),
            tags: self.settings.tags.clone(),
        };
        desired::<IamRole>(NAME, name, &spec)
    }

    fn vpc(&self) -> Option<Vpc> {
        let Settings { private_subnet, security_group_ids, .. } = self.settings;
        if private_subnet.is_empty() || security_group_ids.is_empty() {
            return None;
        }
        let sorted = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        Some(Vpc { subnet_ids: sorted(private_subnet), security_group_ids: sorted(security_group_ids) })
    }

    fn function(&self, name: &str, cached: bool) -> Result<Desired> {
        let authorizer = &self.settings.authorizer;
        let mut environment = authorizer.environment.clone();
        let known = [
            ("AUTH_HOST", authorizer.auth_host.clone()),
            ("AUTH_PATH", authorizer.auth_path.clone()),
            ("AUTH_TIMEOUT_MS", authorizer.auth_timeout_ms.map(|milliseconds| milliseconds.to_string())),
            // Tells the function whether its answer is kept, and so has to hold for every route (aws-facts D).
            ("RESULT_CACHED", Some(cached.to_string())),
        ];
        environment.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let spec = LambdaFunctionSpec {
            name: self.function_name(name),
            description: Some(format!("Decides who may call {}", self.named("gateway"))),
            role: Input::output(&address("iam-role", "authorizer"), "arn"),
            runtime: authorizer.runtime.clone(),
            handler: authorizer.handler.clone(),
            architecture: authorizer.architecture.clone(),
            memory_mb: authorizer.memory_size,
            timeout_seconds: authorizer.timeout,
            code_sha256: self.code_sha256.to_owned(),
            environment,
            vpc: self.vpc(),
            tracing: if self.settings.xray_tracing { "Active" } else { "PassThrough" }.to_owned(),
            reserved_concurrency: None,
            tags: self.settings.tags.clone(),
        };
        desired::<LambdaFunction>(NAME, name, &spec)
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
            rest_api: Input::output(&api_address(), "id"),
            deployment: Input::output(&address("deployment", deployment), "id"),
            description: None,
            xray: settings.xray_tracing,
            variables: settings.stage_variables.clone(),
            access_log: Some(AccessLog {
                destination: Input::output(&address("log-group", "access"), "arn"),
                format: settings.log_format.to_line(),
            }),
            method_settings: BTreeMap::from([("*/*".to_owned(), all_methods)]),
            canary: None,
            tags: settings.tags.clone(),
        };
        desired::<Stage>(NAME, "gateway", &spec)
    }

    fn rest_api(&self, files: &GateStack, faults: &mut Faults) -> RestApiSpec {
        let values = self.values();
        let description = format!("Gateway of {} in {}", self.settings.app_group, self.environment.name);
        RestApiSpec {
            name: self.named("gateway"),
            description: Some(self.settings.description.clone().unwrap_or(description)),
            endpoint_type: self.settings.endpoint_type.clone(),
            api_key_source: "HEADER".to_owned(),
            binary_media_types: self.settings.binary_media_types.iter().cloned().collect(),
            minimum_compression_size: self.settings.minimum_compression_size,
            disable_execute_api_endpoint: false,
            policy: policy(&files.policy, &values, faults),
            authorizers: AUTHORIZERS.iter().map(|(name, cached)| self.authorizer(name, *cached)).collect(),
            gateway_responses: gateway_responses(&files.gateway_responses, &values, faults),
            routes: self.routes(files, &values, faults),
            tags: self.settings.tags.clone(),
        }
    }

    fn authorizer(&self, name: &str, cached: bool) -> (String, Authorizer) {
        let authorizer = Authorizer {
            kind: "REQUEST".to_owned(),
            uri: Input::output(&address("lambda-function", name), "invoke_arn"),
            credentials: Some(Input::output(&address("iam-role", "authorizer-invocation"), "arn")),
            identity_source: self.settings.authorizer.identity_source.clone(),
            ttl_seconds: if cached { self.settings.authorizer_result_ttl } else { 0 },
            identity_validation: None,
        };
        (self.function_name(name), authorizer)
    }

    fn routes(
        &self,
        files: &GateStack,
        values: &Values,
        faults: &mut Faults,
    ) -> BTreeMap<String, BTreeMap<String, Method>> {
        let authorizers = AUTHORIZERS.iter().map(|(name, _)| self.function_name(name)).collect();
        let mut routes = BTreeMap::new();
        for route in &self.environment.routes {
            // The configuration has checked that the template is there.
            let Some(template) = files.routes.get(&route.kind) else { continue };
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
        [
            ("product", self.environment.product.as_str()),
            ("env", &self.environment.name),
            ("app_group", app_group),
            ("stage", gateway_stage_name),
            ("account_id", account),
            ("region", region),
            ("partition", partition),
            ("vpc_link_id", vpc_link_id),
            ("authorizer", &self.function_name("authorizer")),
            ("non_ttl_authorizer", &self.function_name("non-ttl-authorizer")),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
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
