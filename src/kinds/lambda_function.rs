//! `lambda-function`: a function made from a zip.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::operation::create_function::CreateFunctionError;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, Environment, FunctionCode, FunctionConfiguration, LastUpdateStatus, Runtime, State, TracingConfig,
    TracingMode, VpcConfig,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

pub use super::function_by_hand::ByHand;
use super::{Artifacts, Kind, Scope, function_by_hand, network_interfaces};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Identity, Input, Observed, Outputs, Place};
use crate::permissions::Calls;

/// The kind, with the zips at hand.
#[derive(Debug, Clone)]
pub struct LambdaFunction {
    artifacts: Artifacts,
}

/// What gwctl decides about a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LambdaFunctionSpec {
    /// `product-a-api-authorizer-dev`
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The ARN of its execution role.
    pub role: Input,
    /// `provided.al2023`
    pub runtime: String,
    /// `bootstrap`
    pub handler: String,
    /// `arm64` or `x86_64`.
    pub architecture: String,
    /// MiB.
    pub memory_mb: i32,
    /// Seconds.
    pub timeout_seconds: i32,
    /// Base64 of the SHA-256 of the zip, as Lambda reports it (aws-facts G).
    pub code_sha256: String,
    /// Environment variables.
    pub environment: BTreeMap<String, Input>,
    /// Where it has network interfaces, if in a VPC.
    pub vpc: Option<Vpc>,
    /// `Active` or `PassThrough`.
    pub tracing: String,
    /// How much of the account's concurrency is set aside for it, and how much it may use; 0 switches it off. Absent: what the
    /// account has left.
    pub reserved_concurrency: Option<i32>,
    /// The user's tags.
    pub tags: Tags,
    /// What somebody set by hand. Never wanted; read so that it is seen.
    #[serde(flatten)]
    pub by_hand: ByHand,
}

/// A function's place in a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vpc {
    /// Subnets, sorted.
    pub subnet_ids: Vec<String>,
    /// Security groups, sorted.
    pub security_group_ids: Vec<Input>,
}

/// How long a function may take to become usable: one in a VPC gets its network interfaces when it is made, which takes
/// minutes (aws-facts G).
const BECOMES_ACTIVE: Duration = Duration::from_mins(10);

/// How long a fresh role may take to be known to Lambda (aws-facts G: about ten seconds).
const ROLE_SPREADS: Duration = Duration::from_secs(90);

/// The texts of aws-facts G that mean "come back".
pub(super) const NOT_YET: [retry::NotYet; 4] = [
    ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda"),
    ("InvalidParameterValueException", "The provided execution role does not have permissions"),
    ("ResourceConflictException", "An update is in progress for resource"),
    // After an apply that died right behind the create: the function is there, and not ready to be updated.
    ("ResourceConflictException", "The function is currently in the following state: Pending"),
];

fn outputs(place: &Place, arn: &str, name: &str) -> Outputs {
    let invoke = invoke_arn(place, arn);
    Outputs::from_iter([("arn", arn.to_owned()), ("name", name.to_owned()), ("invoke_arn", invoke)])
}

/// The form in which API Gateway calls a function, or a version or an alias of one: a path in Lambda's own API.
pub(super) fn invoke_arn(place: &Place, arn: &str) -> String {
    let (partition, region) = (&place.partition, &place.region);
    format!("arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations")
}

pub(super) fn arn(place: &Place, name: &str) -> String {
    place.arn("lambda", &place.region, &format!("function:{name}"))
}

impl LambdaFunction {
    /// The kind; functions are made from these zips.
    #[must_use]
    pub fn new(artifacts: Artifacts) -> Self {
        Self { artifacts }
    }

    fn zip(&self, sha256: &str) -> Result<Blob> {
        let path = self.artifacts.get(sha256).ok_or_else(|| {
            Failure::internal(format!("no zip with SHA-256 {sha256} is at hand"))
                .hint("plan again: the code changed meanwhile")
        })?;
        let shown = path.display();
        let bytes = std::fs::read(path).map_err(|error| Failure::io(format!("failed to read {shown}"), &error))?;
        let found = STANDARD.encode(Sha256::digest(&bytes));
        // What the plan said is what is uploaded: a build that ran meanwhile was seen by nobody.
        if found != sha256 {
            let message = format!("{shown} is not the zip that was planned: it has changed since");
            return Err(Failure::new(FailureKind::Refused, message)
                .cause(format!("its SHA-256 is {found}, and the plan's is {sha256}"))
                .hint("plan again, and look at what it says"));
        }
        Ok(Blob::new(bytes))
    }

    async fn read(&self, aws: &ReadAws, scope: &Scope, name: &str) -> Result<Option<Observed<LambdaFunctionSpec>>> {
        // The name is known before the function is, so that both questions travel at once.
        let (answer, permissions) =
            futures::try_join!(aws.function(name), function_by_hand::permissions(aws, name, None))?;
        answer.as_ref().clone().map(|answer| observed(aws, scope, name, answer, permissions)).transpose()
    }
}

fn observed(
    aws: &ReadAws,
    scope: &Scope,
    name: &str,
    answer: GetFunctionOutput,
    permissions: BTreeMap<String, serde_json::Value>,
) -> Result<Observed<LambdaFunctionSpec>> {
    let all: Tags = answer.tags.unwrap_or_default().into_iter().collect();
    let configuration = given(&format!("configuration of function `{name}`"), answer.configuration)?;
    let reserved = answer.concurrency.and_then(|one| one.reserved_concurrent_executions);
    let arn = given(&format!("ARN of function `{name}`"), configuration.function_arn())?.to_owned();
    Ok(Observed {
        name: name.to_owned(),
        within: None,
        spec: spec(name, configuration, reserved, tags::of_user(&all), permissions),
        outputs: outputs(&aws.place, &arn, name),
        ownership: tags::ownership(&all, &scope.owner),
        created: None,
        in_use_by: None,
    })
}

fn spec(
    name: &str,
    live: FunctionConfiguration,
    reserved: Option<i32>,
    user: Tags,
    permissions: BTreeMap<String, serde_json::Value>,
) -> LambdaFunctionSpec {
    let by_hand = function_by_hand::of(name, &live, permissions);
    let vpc = live.vpc_config.and_then(|vpc| {
        let mut subnet_ids = vpc.subnet_ids.unwrap_or_default();
        let mut security_group_ids = vpc.security_group_ids.unwrap_or_default();
        subnet_ids.sort();
        security_group_ids.sort();
        let security_group_ids = security_group_ids.into_iter().map(Input::from).collect();
        (!subnet_ids.is_empty()).then_some(Vpc { subnet_ids, security_group_ids })
    });
    LambdaFunctionSpec {
        name: name.to_owned(),
        description: live.description.filter(|text| !text.is_empty()),
        role: live.role.unwrap_or_default().into(),
        runtime: live.runtime.map(|runtime| runtime.as_str().to_owned()).unwrap_or_default(),
        handler: live.handler.unwrap_or_default(),
        architecture: live
            .architectures
            .unwrap_or_default()
            .first()
            .map_or_else(|| "x86_64".to_owned(), |architecture| architecture.as_str().to_owned()),
        memory_mb: live.memory_size.unwrap_or_default(),
        timeout_seconds: live.timeout.unwrap_or_default(),
        code_sha256: live.code_sha256.unwrap_or_default(),
        environment: live
            .environment
            .and_then(|environment| environment.variables)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect(),
        vpc,
        tracing: live
            .tracing_config
            .and_then(|tracing| tracing.mode)
            .map_or_else(|| "PassThrough".to_owned(), |mode| mode.as_str().to_owned()),
        reserved_concurrency: reserved,
        tags: user,
        by_hand,
    }
}

impl Kind for LambdaFunction {
    type Spec = LambdaFunctionSpec;
    const NAME: &'static str = "lambda-function";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &[
            "ec2:DescribeNetworkInterfaces",
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:GetPolicy",
            "lambda:ListFunctions",
            "lambda:ListTags",
        ],
        writes: &[
            "lambda:CreateFunction",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionConcurrency",
            "lambda:PutFunctionConcurrency",
            "lambda:RemovePermission",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, place: &Place, spec: &LambdaFunctionSpec) -> Outputs {
        outputs(place, &arn(place, &spec.name), &spec.name)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<LambdaFunctionSpec>>> {
        let wanted = try_join_all(scope.names().map(|name| self.read(aws, scope, name)));
        let (wanted, tagged) = futures::join!(wanted, aws.tagged(&scope.owner));
        let mut found: Vec<_> = wanted?.into_iter().flatten().collect();
        let start = arn(&aws.place, "");
        let others = tagged
            .keys()
            .filter_map(|arn| arn.strip_prefix(&start))
            .filter(|name| !scope.names().any(|wanted| wanted == *name));
        let others = try_join_all(others.map(|name| self.read(aws, scope, name))).await?;
        found.extend(others.into_iter().flatten().filter(|one| one.address().is_some()));
        Ok(found)
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &LambdaFunctionSpec) -> Result<Outputs> {
        let Parts { name, code_sha256, architecture, tags: user, reserved, configuration } = parts(spec)?;
        let code = FunctionCode::builder().zip_file(self.zip(code_sha256)?).build();
        let all = tags::at_birth(identity, user);
        let call = || {
            let Configuration {
                description,
                role,
                runtime,
                handler,
                memory_mb,
                timeout_seconds,
                environment,
                vpc,
                tracing,
            } = configuration.clone();
            aws.write
                .lambda
                .create_function()
                .function_name(name)
                .description(description)
                .role(role)
                .runtime(runtime)
                .handler(handler)
                .memory_size(memory_mb)
                .timeout(timeout_seconds)
                .environment(environment)
                .vpc_config(vpc)
                .tracing_config(tracing)
                .architectures(architecture.clone())
                .code(code.clone())
                .set_tags(Some(all.clone().into_iter().collect()))
                .send()
        };
        match retry::until_ready(ROLE_SPREADS, &NOT_YET, call).await {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(CreateFunctionError::is_resource_conflict_exception) => {
                adopt_own(aws, identity, name).await?;
            }
            Err(error) => return Err(failed(&format!("create function `{name}`"), error)),
        }
        wait_until_usable(aws, name).await?;
        if reserved.is_some() {
            reserve(aws, name, reserved).await?;
        }
        Ok(outputs(&aws.place, &arn(&aws.place, name), name))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Observed<LambdaFunctionSpec>,
        spec: &LambdaFunctionSpec,
    ) -> Result<Outputs> {
        let Parts { name, code_sha256, architecture, tags: user, reserved, configuration } = parts(spec)?;
        let old = parts(&live.spec)?;
        if old.configuration != configuration {
            update_configuration(aws, name, &configuration).await?;
        }
        if (old.code_sha256, &old.architecture) != (code_sha256, &architecture) {
            self.update_code(aws, name, code_sha256, &architecture).await?;
        }
        if live.spec.by_hand != spec.by_hand {
            function_by_hand::remove(aws, name, &live.spec.by_hand).await?;
        }
        if old.reserved != reserved {
            reserve(aws, name, reserved).await?;
        }
        self.retag(aws, &live.outputs, old.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<LambdaFunctionSpec>) -> Result<()> {
        match aws.write.lambda.delete_function().function_name(&live.name).send().await {
            Err(error) if !is_not_found(&error) => {
                return Err(failed(&format!("delete function `{}`", live.name), error));
            }
            _ => {}
        }
        match &live.spec.vpc {
            Some(vpc) => network_interfaces::wait_until_left(aws, &live.name, vpc).await,
            None => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.lambda.tag_resource().resource(arn).set_tags(Some(tags.into_iter().collect()));
        call.send().await.map_err(|error| failed(&format!("tag {arn}"), error)).map(drop)
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.lambda.untag_resource().resource(arn).set_tag_keys(Some(keys));
        call.send().await.map_err(|error| failed(&format!("untag {arn}"), error)).map(drop)
    }
}

impl LambdaFunction {
    async fn update_code(&self, aws: &Aws, name: &str, sha256: &str, architecture: &Architecture) -> Result<()> {
        let zip = self.zip(sha256)?;
        let call = || {
            let update = aws.write.lambda.update_function_code().function_name(name);
            update.zip_file(zip.clone()).architectures(architecture.clone()).send()
        };
        let answer = retry::until_ready(ROLE_SPREADS, &NOT_YET, call).await;
        answer.map_err(|error| failed(&format!("update the code of function `{name}`"), error))?;
        wait_until_usable(aws, name).await
    }
}

/// A spec by the calls that carry it: a new field has to find its place here, and then travels with every one of them.
struct Parts<'a> {
    name: &'a str,
    code_sha256: &'a str,
    architecture: Architecture,
    tags: &'a Tags,
    reserved: Option<i32>,
    configuration: Configuration<'a>,
}

/// What `CreateFunction` and `UpdateFunctionConfiguration` take alike.
#[derive(Clone, PartialEq)]
struct Configuration<'a> {
    description: &'a str,
    role: &'a str,
    runtime: Runtime,
    handler: &'a str,
    memory_mb: i32,
    timeout_seconds: i32,
    environment: Environment,
    vpc: VpcConfig,
    tracing: TracingConfig,
}

fn parts(spec: &LambdaFunctionSpec) -> Result<Parts<'_>> {
    let LambdaFunctionSpec {
        name,
        description,
        role,
        runtime,
        handler,
        architecture,
        memory_mb,
        timeout_seconds,
        code_sha256,
        environment,
        vpc,
        tracing,
        reserved_concurrency,
        tags,
        by_hand: _, // is never wanted, and removed by a call of its own
    } = spec;
    // Empty lists take a function out of its VPC; leaving them out would leave it in.
    let subnets = vpc.as_ref().map(|vpc| vpc.subnet_ids.clone()).unwrap_or_default();
    let groups = vpc.iter().flat_map(|vpc| &vpc.security_group_ids);
    let groups = groups.map(|id| id.known().map(str::to_owned)).collect::<Result<Vec<_>>>()?;
    let variables = environment.iter().map(|(name, value)| Ok((name.clone(), value.known()?.to_owned())));
    let variables = variables.collect::<Result<std::collections::HashMap<_, _>>>()?;
    let configuration = Configuration {
        description: description.as_deref().unwrap_or_default(),
        role: role.known()?,
        runtime: Runtime::from(runtime.as_str()),
        handler,
        memory_mb: *memory_mb,
        timeout_seconds: *timeout_seconds,
        environment: Environment::builder().set_variables(Some(variables)).build(),
        vpc: VpcConfig::builder().set_subnet_ids(Some(subnets)).set_security_group_ids(Some(groups)).build(),
        tracing: TracingConfig::builder().mode(TracingMode::from(tracing.as_str())).build(),
    };
    let (architecture, reserved) = (Architecture::from(architecture.as_str()), *reserved_concurrency);
    Ok(Parts { name, code_sha256, architecture, tags, reserved, configuration })
}

async fn update_configuration(aws: &Aws, name: &str, configuration: &Configuration<'_>) -> Result<()> {
    let call = || {
        let Configuration {
            description,
            role,
            runtime,
            handler,
            memory_mb,
            timeout_seconds,
            environment,
            vpc,
            tracing,
        } = configuration.clone();
        aws.write
            .lambda
            .update_function_configuration()
            .function_name(name)
            .description(description)
            .role(role)
            .runtime(runtime)
            .handler(handler)
            .memory_size(memory_mb)
            .timeout(timeout_seconds)
            .environment(environment)
            .vpc_config(vpc)
            .tracing_config(tracing)
            .send()
    };
    let answer = retry::until_ready(ROLE_SPREADS, &NOT_YET, call).await;
    answer.map_err(|error| failed(&format!("update the configuration of function `{name}`"), error))?;
    wait_until_usable(aws, name).await
}

/// Sets concurrency aside for a function, or gives it back.
async fn reserve(aws: &Aws, name: &str, concurrency: Option<i32>) -> Result<()> {
    let lambda = &aws.write.lambda;
    let doing = format!("reserve concurrency for function `{name}`");
    if let Some(number) = concurrency {
        let call =
            || lambda.put_function_concurrency().function_name(name).reserved_concurrent_executions(number).send();
        let answer = retry::until_ready(ROLE_SPREADS, &NOT_YET, call).await;
        return answer.map(drop).map_err(|error| {
            let too_low = aws_smithy_types::error::metadata::ProvideErrorMetadata::message(&error)
                .is_some_and(|message| message.contains("total provisioned concurrency"));
            let failure = failed(&doing, error);
            // The alias comes after the function, so that more can be provisioned of what was reserved before.
            if too_low {
                failure.hint("lower what is provisioned first, apply, and then what is reserved")
            } else {
                failure
            }
        });
    }
    let call = || lambda.delete_function_concurrency().function_name(name).send();
    retry::until_ready(ROLE_SPREADS, &NOT_YET, call).await.map_err(|error| failed(&doing, error)).map(drop)
}

/// While a function is pending, updates fail; while an update runs, so does the next (aws-facts G). The name may have a
/// version behind it.
pub(super) async fn wait_until_usable(aws: &Aws, name: &str) -> Result<()> {
    let deadline = Instant::now() + BECOMES_ACTIVE;
    let mut pause = Duration::from_millis(500);
    loop {
        let answer = aws.write.lambda.get_function_configuration().function_name(name).send().await;
        let answer = answer.map_err(|error| failed(&format!("read function `{name}`"), error))?;
        let broken = |reason: Option<&str>| {
            Failure::new(FailureKind::Aws, format!("function `{name}` did not become usable"))
                .cause(reason.unwrap_or("Lambda gave no reason").to_owned())
        };
        match (answer.state(), answer.last_update_status()) {
            (Some(State::Failed), _) => return Err(broken(answer.state_reason())),
            (_, Some(LastUpdateStatus::Failed)) => return Err(broken(answer.last_update_status_reason())),
            (Some(State::Pending), _) | (_, Some(LastUpdateStatus::InProgress)) => {}
            _ => return Ok(()),
        }
        if Instant::now() + pause > deadline {
            return Err(broken(Some("it was still pending after ten minutes")));
        }
        wait::pause(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn adopt_own(aws: &Aws, identity: &Identity, name: &str) -> Result<()> {
    let answer = aws.write.lambda.list_tags().resource(arn(&aws.place, name)).send().await;
    let answer = answer.map_err(|error| failed(&format!("list the tags of function `{name}`"), error))?;
    let all: Tags = answer.tags.unwrap_or_default().into_iter().collect();
    super::own_after_conflict(&tags::ownership(&all, &identity.owner), identity, name)
}
