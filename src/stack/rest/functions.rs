//! The authorizer functions of a gateway: their roles, their place in a network, and the versions that are kept warm.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Authorizer, Function, RestGateway};
use crate::config::names::role_path;
use crate::error::{Failure, Result};
use crate::kinds::function_alias::{FunctionAlias, FunctionAliasSpec};
use crate::kinds::function_version::{self, FunctionVersion, FunctionVersionSpec};
use crate::kinds::iam_role::{self, IamRole, IamRoleSpec};
use crate::kinds::lambda_function::{ByHand, LambdaFunction, LambdaFunctionSpec, Vpc};
use crate::kinds::{Kind as _, Registry};
use crate::model::policy::Policy;
use crate::model::{Desired, Input};

/// The alias that API Gateway calls where functions are kept warm.
const ALIAS: &str = "live";

impl RestGateway<'_> {
    /// The roles, the functions, and their versions and aliases.
    pub(super) fn functions(&self) -> Result<Vec<Desired>> {
        let mut all = vec![self.execution_role()?];
        all.extend(self.security_group()?);
        for function in &self.blueprint.functions {
            let spec = self.function(function, &all[0])?;
            let (plain, known) = spec;
            all.push(self.desired::<LambdaFunction>(function.name, &plain)?);
            if self.is_kept_warm() {
                all.extend(self.version_and_alias(function, &known)?);
            }
        }
        all.push(self.invocation_role()?);
        Ok(all)
    }

    fn is_kept_warm(&self) -> bool {
        self.settings.authorizer.provisioned_concurrency.is_some()
    }

    /// What API Gateway calls: the function, or the alias of the version that is kept warm.
    pub(super) fn invoked(&self, authorizer: &Authorizer, output: &str) -> Input {
        let kind = if self.is_kept_warm() { FunctionAlias::NAME } else { LambdaFunction::NAME };
        Input::output(&self.address(kind, authorizer.function), output)
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
        let statement = |sid: &str, functions: Vec<Value>| {
            let action = "lambda:InvokeFunction";
            json!({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": functions})
        };
        // The aliases are allowed whether there are any or not: what is deployed goes on calling them until the API that
        // calls the functions is, and a role is changed long before that.
        let aliases = self.blueprint.functions.iter().map(|function| {
            let alias = format!("function:{}:{ALIAS}", self.function_name(function.name));
            json!(self.place.arn("lambda", &self.place.region, &alias))
        });
        let statements = vec![
            statement("CallAliases", aliases.collect()),
            statement("CallAuthorizers", self.outputs_of_functions(LambdaFunction::NAME, "arn")),
        ];
        let description = "Lets API Gateway call the authorizer functions";
        self.role("authorizer-invocation", description, "apigateway.amazonaws.com", statements)
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
        let (path, role) = match self.given_name(IamRole::NAME, name) {
            Some(given) => role_path(given),
            None => (iam_role::path(&self.owner, &self.place), ""),
        };
        let made = || {
            // Role names are global in an account.
            format!("{}-{}", self.named(&format!("{}{name}", self.blueprint.role_prefix)), self.place.region)
        };
        let spec = IamRoleSpec {
            name: if role.is_empty() { made() } else { role.to_owned() },
            path,
            description: Some(description.to_owned()),
            assume_role_policy: parse(vec![trust])?,
            inline_policies: BTreeMap::from([(name.to_owned(), parse(statements)?)]),
            managed_policies: BTreeSet::new(),
            max_session_seconds: None,
            tags: self.settings.tags.clone(),
        };
        self.desired::<IamRole>(name, &spec)
    }

    /// The network of the functions; none: outside a VPC.
    pub(super) fn vpc(&self) -> Option<Vpc> {
        let subnets: BTreeSet<String> = self.settings.private_subnet.iter().cloned().collect();
        if subnets.is_empty() {
            return None;
        }
        let given: BTreeSet<&String> = self.settings.security_group_ids.iter().collect();
        let groups = if self.makes_security_group() {
            vec![Input::output(&self.security_group_address(), "id")]
        } else {
            given.into_iter().map(|id| Input::from(id.as_str())).collect()
        };
        Some(Vpc { subnet_ids: subnets.into_iter().collect(), security_group_ids: groups })
    }

    /// The function's spec as it is wanted, and with the role's ARN filled in, as a version takes it in.
    fn function(&self, function: &Function<'_>, role: &Desired) -> Result<(LambdaFunctionSpec, LambdaFunctionSpec)> {
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
            reserved_concurrency: authorizer.reserved_concurrency,
            tags: self.settings.tags.clone(),
            by_hand: ByHand::default(),
        };
        let predicted = Registry::new(BTreeMap::new()).predict(&self.place, std::slice::from_ref(role))?;
        let arn = predicted.get(&role.address).and_then(|outputs| outputs.get("arn")).map(Input::from);
        let known = LambdaFunctionSpec { role: arn.unwrap_or_else(|| spec.role.clone()), ..spec.clone() };
        Ok((spec, known))
    }

    /// A version of the function as it is wanted, and the alias that leads to it. What another resource will only tell
    /// when it is there (an id of a security group) stands in the version's digest as what it refers to.
    fn version_and_alias(&self, function: &Function<'_>, spec: &LambdaFunctionSpec) -> Result<[Desired; 2]> {
        let address = self.address(LambdaFunction::NAME, function.name);
        let snapshot = function_version::snapshot_of(spec)?;
        let version_address = function_version::address_of(&address, &snapshot);
        let version = FunctionVersionSpec {
            name: spec.name.clone(),
            function: Input::output(&address, "name"),
            code_sha256: spec.code_sha256.clone(),
            snapshot: snapshot.as_str().to_owned(),
        };
        let alias = FunctionAliasSpec {
            provisioned_concurrency: self.settings.authorizer.provisioned_concurrency,
            ..FunctionAliasSpec::new(&spec.name, ALIAS, Input::output(&version_address, "version"))
        };
        Ok([
            self.desired::<FunctionVersion>(version_address.name(), &version)?,
            self.desired::<FunctionAlias>(function.name, &alias)?,
        ])
    }
}
