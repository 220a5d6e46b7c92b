//! `function-version`: a function as it was at one time, published under a number.
//!
//! A version can't change and can't be tagged. It belongs to its tagged function, and its description says what it is: the
//! digest of the code and the configuration that were published. Its address carries the same digest, so that each state of
//! the function has one version: a state that was published before and is still kept is not published again. An alias refers
//! to the version and moves when it is there; only then are old ones pruned. An apply that dies in between leaves the alias
//! on the old version.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_lambda::types::{AliasConfiguration, FunctionConfiguration};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lambda_function::{LambdaFunctionSpec, NOT_YET, arn, invoke_arn, wait_until_usable};
use super::{Kind, Scope, function_alias};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct FunctionVersion;

/// What gwctl decides about a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FunctionVersionSpec {
    /// The name of its function, as a text: what to look for before the function exists.
    pub name: String,
    /// The name of its function, as its output: the version is published once the function is as wanted.
    pub function: Input,
    /// The code it is to have, as Lambda reports it: a version of other code is not published.
    pub code_sha256: String,
    /// The digest of what it holds: [`snapshot_of`] its function.
    pub snapshot: String,
}

/// How many versions of a function stay: the one in use and two to go back to.
const KEPT: usize = 3;

/// The words before the digest in a description. A version without them is not gwctl's.
const MARK: &str = "gwctl snapshot ";

/// How long an update of the function that is still under way may keep a version from being published.
const BECOMES_READY: Duration = Duration::from_mins(2);

/// The digest of everything that a version takes in from its function. References have to be filled in by then: a role of
/// another name is another version, or the version would go on with a role that is gone.
pub fn snapshot_of(function: &LambdaFunctionSpec) -> Result<Digest> {
    let LambdaFunctionSpec {
        name: _,        // is the function's, and part of the address
        description: _, // is replaced by the mark
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
        reserved_concurrency: _, // is the function's as a whole
        tags: _,                 // the same
        by_hand: _,              // is never wanted
    } = function;
    Ok(Digest::of(&json!({
        "role": role.known()?,
        "runtime": runtime,
        "handler": handler,
        "architecture": architecture,
        "memory_mb": memory_mb,
        "timeout_seconds": timeout_seconds,
        "code_sha256": code_sha256,
        "environment": environment,
        "vpc": vpc,
        "tracing": tracing,
    })))
}

/// The address of the version of a function that holds a state.
#[must_use]
pub fn address_of(function: &Address, snapshot: &Digest) -> Address {
    address(function, snapshot.short())
}

fn address(function: &Address, short: &str) -> Address {
    Address::new(function.stack(), FunctionVersion::NAME, &format!("{}-{short}", function.name()))
}

fn outputs(place: &Place, arn: &str, version: &str) -> Outputs {
    let invoke = invoke_arn(place, arn);
    Outputs::from_iter([("version", version.to_owned()), ("arn", arn.to_owned()), ("invoke_arn", invoke)])
}

/// One of the owner's functions: the parent of versions and aliases.
pub(super) struct OwnFunction {
    /// Its name.
    pub(super) name: String,
    /// The address in its tags.
    pub(super) address: Address,
}

/// The owner's functions of these names, and those that the tagging service knows as the owner's.
pub(super) async fn own_functions(aws: &ReadAws, owner: &Owner, names: BTreeSet<String>) -> Result<Vec<OwnFunction>> {
    let start = arn(&aws.place, "");
    let tagged = aws.tagged(owner).await;
    let tagged = tagged.keys().filter_map(|arn| arn.strip_prefix(&start)).map(str::to_owned);
    let names: BTreeSet<String> = names.into_iter().chain(tagged).collect();
    let reads = names.into_iter().map(|name| async move {
        let Some(answer) = aws.function(&name).await?.as_ref().clone() else { return Ok(None) };
        let all: Tags = answer.tags.unwrap_or_default().into_iter().collect();
        Ok::<_, Failure>(match tags::ownership(&all, owner) {
            Ownership::Ours { address, .. } => Some(OwnFunction { name, address }),
            _ => None,
        })
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

async fn observe_function(aws: &ReadAws, function: &OwnFunction) -> Result<Vec<Observed<FunctionVersionSpec>>> {
    let pages = aws.clients.lambda.list_versions_by_function().function_name(&function.name).into_paginator().items();
    let versions = async {
        match pages.send().try_collect().await {
            Ok(versions) => Ok(versions),
            // Deleted since it was read.
            Err(error) if is_not_found(&error) => Ok(Vec::new()),
            Err(error) => Err(failed(&format!("list the versions of function `{}`", function.name), error)),
        }
    };
    let (versions, aliases) = futures::try_join!(versions, aws.function_aliases(&function.name))?;
    // The newest first, so that of two with the same time it counts as the younger one.
    versions.iter().rev().filter_map(|live| observed(aws, function, live, &aliases).transpose()).collect()
}

fn observed(
    aws: &ReadAws,
    function: &OwnFunction,
    live: &FunctionConfiguration,
    aliases: &[AliasConfiguration],
) -> Result<Option<Observed<FunctionVersionSpec>>> {
    let Some(snapshot) = live.description().and_then(|text| text.strip_prefix(MARK)) else { return Ok(None) };
    let version = given(&format!("number of a version of function `{}`", function.name), live.version())?;
    let (Some(short), true) = (snapshot.get(..12), version != "$LATEST") else { return Ok(None) };
    let spec = FunctionVersionSpec {
        name: function.name.clone(),
        function: Input::from(function.name.as_str()),
        code_sha256: live.code_sha256().unwrap_or_default().to_owned(),
        snapshot: snapshot.to_owned(),
    };
    let user = aliases.iter().filter(|alias| !function_alias::is_ours(alias)).find(|alias| {
        let weights = alias.routing_config().and_then(|routing| routing.additional_version_weights());
        alias.function_version() == Some(version) || weights.is_some_and(|weights| weights.contains_key(version))
    });
    let digest = super::json::<FunctionVersion>(&spec).map(|spec| Digest::of(&spec))?;
    Ok(Some(Observed {
        name: format!("{}:{version}", function.name),
        within: Some(function.address.clone()),
        spec,
        outputs: outputs(&aws.place, &arn(&aws.place, &format!("{}:{version}", function.name)), version),
        ownership: Ownership::Ours {
            address: address(&function.address, short),
            // It can't have changed since it was published.
            digest: Some(digest.as_str().to_owned()),
        },
        created: live.last_modified().and_then(seconds),
        in_use_by: user.and_then(AliasConfiguration::name).map(|name| format!("alias `{name}`, which is not gwctl's,")),
    }))
}

/// Lambda's times: `2026-01-31T09:30:00.000+0000`.
fn seconds(time: &str) -> Option<i64> {
    let time = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", time).ok()?.to_timestamp().ok()?;
    Some(time.as_second())
}

impl Kind for FunctionVersion {
    type Spec = FunctionVersionSpec;
    const NAME: &'static str = "function-version";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &["lambda-function"],
        reads: &[
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:ListAliases",
            "lambda:ListVersionsByFunction",
        ],
        writes: &["lambda:DeleteFunction", "lambda:PublishVersion", "lambda:UpdateFunctionConfiguration"],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "function", "code_sha256", "snapshot"];
    const KEEP: usize = KEPT;

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<FunctionVersionSpec>>> {
        let names = scope.names().map(str::to_owned).collect();
        let functions = own_functions(aws, &scope.owner, names).await?;
        let all = try_join_all(functions.iter().map(|function| observe_function(aws, function))).await?;
        Ok(all.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, _identity: &Identity, spec: &FunctionVersionSpec) -> Result<Outputs> {
        let name = spec.function.known()?;
        let mut published = publish(aws, name, spec).await?;
        if !is_marked(&published, spec) {
            // Lambda gives the last version again while nothing was updated since. Somebody published this very state, and
            // it bears no mark of ours. An update that changes nothing makes it publish anew.
            touch(aws, name).await?;
            published = publish(aws, name, spec).await?;
        }
        let version = given(&format!("number of the new version of function `{name}`"), published.version.clone())?;
        if !is_marked(&published, spec) {
            let message = format!("version {version} of function `{name}` was published by somebody else meanwhile");
            return Err(Failure::new(FailureKind::Aws, message).hint("plan again"));
        }
        let qualified = format!("{name}:{version}");
        // A version in a VPC becomes usable only after a while; the alias must not move to it before.
        wait_until_usable(aws, &qualified).await?;
        Ok(outputs(&aws.place, &arn(&aws.place, &qualified), &version))
    }

    async fn update(&self, _: &Aws, _: &Observed<FunctionVersionSpec>, spec: &FunctionVersionSpec) -> Result<Outputs> {
        let FunctionVersionSpec { name, function: _, code_sha256: _, snapshot } = spec;
        Err(Failure::internal(format!("version {snapshot} of `{name}` was to be changed, but a version can't change")))
    }

    async fn delete(&self, aws: &Aws, live: &Observed<FunctionVersionSpec>) -> Result<()> {
        let version = live.outputs.required("version")?;
        let call = aws.write.lambda.delete_function().function_name(&live.spec.name).qualifier(version);
        match call.send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete version `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, _: &Aws, _: &Outputs, _: Tags) -> Result<()> {
        Err(Failure::internal("a version was to be tagged, but a version takes no tags"))
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("a version was to be untagged, but a version takes no tags"))
    }

    /// The description, written when the version is published, is the record.
    async fn record(&self, _: &Aws, _: &Identity, _: &Outputs, _: &Digest) -> Result<()> {
        Ok(())
    }
}

fn description(spec: &FunctionVersionSpec) -> String {
    format!("{MARK}{}", spec.snapshot)
}

/// What of an answer to `PublishVersion` matters.
struct Published {
    version: Option<String>,
    description: Option<String>,
}

fn is_marked(published: &Published, spec: &FunctionVersionSpec) -> bool {
    published.description.as_deref() == Some(&description(spec))
}

/// Safe to send twice: the second one gives what the first one made.
async fn publish(aws: &Aws, name: &str, spec: &FunctionVersionSpec) -> Result<Published> {
    let call = || {
        let publish = aws.write.lambda.publish_version().function_name(name);
        publish.code_sha256(&spec.code_sha256).description(description(spec)).send()
    };
    let answer = retry::until_ready(BECOMES_READY, &NOT_YET, call).await;
    let answer = answer.map_err(|error| failed(&format!("publish a version of function `{name}`"), error))?;
    Ok(Published { version: answer.version, description: answer.description })
}

/// An update that leaves everything as it is.
async fn touch(aws: &Aws, name: &str) -> Result<()> {
    let lambda = &aws.write.lambda;
    let doing = format!("prepare function `{name}` to be published");
    let live = lambda.get_function_configuration().function_name(name).send().await;
    let text = live.map_err(|error| failed(&doing, error))?.description.unwrap_or_default();
    let call = || lambda.update_function_configuration().function_name(name).description(&text).send();
    retry::until_ready(BECOMES_READY, &NOT_YET, call).await.map_err(|error| failed(&doing, error))?;
    wait_until_usable(aws, name).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_times_are_read() {
        assert_eq!(seconds("1970-01-02T00:00:01.500+0000"), Some(86_401));
        assert_eq!(seconds("yesterday"), None);
    }
}
