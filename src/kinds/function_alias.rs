//! `function-alias`: a name that callers use, pointing at one version of a function.
//!
//! An alias can't be tagged. It belongs to its tagged function, and its description is its record: address and digest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_lambda::operation::create_alias::CreateAliasError;
use aws_sdk_lambda::types::{AliasConfiguration, AliasRoutingConfiguration, ProvisionedConcurrencyStatusEnum};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::function_version::{OwnFunction, own_functions};
use super::lambda_function::{NOT_YET, arn, invoke_arn};
use super::{Kind, Scope, function_by_hand};
use crate::aws::failure::is_not_found;
use crate::aws::tags::Tags;
use crate::aws::{Aws, ReadAws, failed, given, retry, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct FunctionAlias;

/// What gwctl decides about an alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FunctionAliasSpec {
    /// Function and alias as Lambda names them together: `product-a-api-authorizer-dev:live`.
    pub name: String,
    /// The number of the version it points at.
    pub version: Input,
    /// How many executions are kept warm for it; absent: none.
    pub provisioned_concurrency: Option<i32>,
    /// Other versions and their share of the calls. Never wanted; read so that they are seen.
    pub shifting_to: BTreeMap<String, f64>,
    /// Statements of its resource policy, by their ids. Never wanted; read so that they are seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<String, serde_json::Value>,
}

impl FunctionAliasSpec {
    /// The alias of a function; no concurrency.
    #[must_use]
    pub fn new(function: &str, alias: &str, version: Input) -> Self {
        let name = format!("{function}:{alias}");
        let (shifting_to, permissions) = (BTreeMap::new(), BTreeMap::new());
        Self { name, version, provisioned_concurrency: None, shifting_to, permissions }
    }

    /// Function and alias apart.
    fn parts(&self) -> Result<(&str, &str)> {
        split(&self.name)
    }
}

/// How long provisioned concurrency may take. AWS starts some hundreds of environments a minute, and one of them takes a few
/// seconds: ten minutes are enough for what an authorizer needs, and an end for what does not come.
const BECOMES_WARM: Duration = Duration::from_mins(10);

/// How long an update of the function that is still under way may keep an alias from moving.
const BECOMES_READY: Duration = Duration::from_mins(2);

/// The word before address and digest in a description. An alias without it is not gwctl's.
const MARK: &str = "gwctl ";

fn split(name: &str) -> Result<(&str, &str)> {
    name.split_once(':').ok_or_else(|| Failure::internal(format!("`{name}` names no alias of a function")))
}

fn outputs(place: &Place, name: &str) -> Outputs {
    let arn = arn(place, name);
    let invoke = invoke_arn(place, &arn);
    Outputs::from_iter([("name", name.to_owned()), ("arn", arn), ("invoke_arn", invoke)])
}

/// Whether an alias bears our mark.
pub(super) fn is_ours(alias: &AliasConfiguration) -> bool {
    alias.description().is_some_and(|text| record_of(text).is_some())
}

/// The address and the digest in a description.
fn record_of(description: &str) -> Option<(Address, Option<String>)> {
    let (address, digest) = match description.strip_prefix(MARK)?.split_once(' ') {
        Some((address, digest)) => (address, Some(digest.to_owned())),
        None => (description.strip_prefix(MARK)?, None),
    };
    Some((Address::parse(address)?, digest))
}

async fn observe_function(aws: &ReadAws, function: &OwnFunction) -> Result<Vec<Observed<FunctionAliasSpec>>> {
    let aliases = aws.function_aliases(&function.name).await?;
    try_join_all(aliases.iter().map(|alias| observed(aws, function, alias))).await
}

async fn observed(
    aws: &ReadAws,
    function: &OwnFunction,
    live: &AliasConfiguration,
) -> Result<Observed<FunctionAliasSpec>> {
    let alias = given(&format!("name of an alias of function `{}`", function.name), live.name())?;
    let record = live.description().and_then(record_of);
    let weights = live.routing_config().and_then(|routing| routing.additional_version_weights());
    let name = format!("{}:{alias}", function.name);
    let (provisioned_concurrency, permissions) = futures::try_join!(
        provisioned(&aws.clients.lambda, &function.name, alias),
        function_by_hand::permissions(aws, &function.name, Some(alias)),
    )?;
    Ok(Observed {
        within: Some(function.address.clone()),
        spec: FunctionAliasSpec {
            name: name.clone(),
            version: Input::from(live.function_version().unwrap_or_default()),
            provisioned_concurrency,
            shifting_to: weights.cloned().unwrap_or_default().into_iter().collect(),
            permissions,
        },
        outputs: outputs(&aws.place, &name),
        ownership: record.map_or(Ownership::Nobody, |(address, digest)| Ownership::Ours { address, digest }),
        created: None,
        in_use_by: None,
        name,
    })
}

/// What is provisioned or about to be. What failed counts as nothing, so that a plan shows it and an apply tries again.
async fn provisioned(lambda: &aws_sdk_lambda::Client, function: &str, alias: &str) -> Result<Option<i32>> {
    let call = lambda.get_provisioned_concurrency_config().function_name(function).qualifier(alias);
    match call.send().await {
        Ok(answer) if answer.status() == Some(&ProvisionedConcurrencyStatusEnum::Failed) => Ok(None),
        Ok(answer) => Ok(answer.requested_provisioned_concurrent_executions),
        // Nothing is provisioned, or the alias went since it was listed. An emulator without this operation says 404, too.
        Err(error) if error.raw_response().is_some_and(|answer| answer.status().as_u16() == 404) => Ok(None),
        Err(error) => Err(failed(&format!("read the provisioned concurrency of `{function}:{alias}`"), error)),
    }
}

impl Kind for FunctionAlias {
    type Spec = FunctionAliasSpec;
    const NAME: &'static str = "function-alias";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &["lambda-function"],
        reads: &[
            "lambda:GetAlias",
            "lambda:GetFunction",
            "lambda:GetPolicy",
            "lambda:GetProvisionedConcurrencyConfig",
            "lambda:ListAliases",
        ],
        writes: &[
            "lambda:CreateAlias",
            "lambda:DeleteAlias",
            "lambda:DeleteProvisionedConcurrencyConfig",
            "lambda:PutProvisionedConcurrencyConfig",
            "lambda:RemovePermission",
            "lambda:UpdateAlias",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, place: &Place, spec: &FunctionAliasSpec) -> Outputs {
        outputs(place, &spec.name)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<FunctionAliasSpec>>> {
        let names: Result<BTreeSet<String>> =
            scope.names().map(|name| split(name).map(|(function, _)| function.to_owned())).collect();
        let functions = own_functions(aws, &scope.owner, names?).await?;
        let all = try_join_all(functions.iter().map(|function| observe_function(aws, function))).await?;
        Ok(all.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &FunctionAliasSpec) -> Result<Outputs> {
        let (function, alias) = spec.parts()?;
        let version = spec.version.known()?;
        let call = aws.write.lambda.create_alias().function_name(function).name(alias).function_version(version);
        match call.description(format!("{MARK}{}", identity.address)).send().await {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(CreateAliasError::is_resource_conflict_exception) => {
                adopt_own(aws, identity, spec).await?;
                point(aws, function, alias, version).await?;
            }
            Err(error) => return Err(failed(&format!("create alias `{}`", spec.name), error)),
        }
        let live = provisioned(&aws.write.lambda, function, alias).await?;
        provision(aws, spec, live).await?;
        Ok(outputs(&aws.place, &spec.name))
    }

    async fn update(&self, aws: &Aws, live: &Observed<FunctionAliasSpec>, spec: &FunctionAliasSpec) -> Result<Outputs> {
        let (function, alias) = spec.parts()?;
        let FunctionAliasSpec { name: _, version, provisioned_concurrency, shifting_to, permissions } = spec;
        if live.spec.version != *version || live.spec.shifting_to != *shifting_to {
            point(aws, function, alias, version.known()?).await?;
        }
        let extra = live.spec.permissions.keys().filter(|id| !permissions.contains_key(*id));
        function_by_hand::revoke(aws, function, Some(alias), extra).await?;
        if provisioned_concurrency.is_some() || live.spec.provisioned_concurrency.is_some() {
            provision(aws, spec, live.spec.provisioned_concurrency).await?;
        }
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<FunctionAliasSpec>) -> Result<()> {
        let (function, alias) = live.spec.parts()?;
        if live.spec.provisioned_concurrency.is_some() {
            unprovision(aws, function, alias).await?;
        }
        match aws.write.lambda.delete_alias().function_name(function).name(alias).send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete alias `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, _: &Aws, _: &Outputs, _: Tags) -> Result<()> {
        Err(Failure::internal("an alias was to be tagged, but an alias takes no tags"))
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("an alias was to be untagged, but an alias takes no tags"))
    }

    /// Writes address and digest into the description: an alias takes no tags.
    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        let name = outputs.required("name")?;
        let (function, alias) = split(name)?;
        let text = format!("{MARK}{} {digest}", identity.address);
        let call = aws.write.lambda.update_alias().function_name(function).name(alias).description(text);
        call.send().await.map_err(|error| failed(&format!("describe alias `{name}`"), error)).map(drop)
    }
}

/// An alias that the plan did not see: ours if its description says so, else an error.
async fn adopt_own(aws: &Aws, identity: &Identity, spec: &FunctionAliasSpec) -> Result<()> {
    let (function, alias) = spec.parts()?;
    let answer = aws.write.lambda.get_alias().function_name(function).name(alias).send().await;
    let answer = answer.map_err(|error| failed(&format!("read alias `{}`", spec.name), error))?;
    let found = match answer.description.as_deref().and_then(record_of) {
        Some((address, digest)) => Ownership::Ours { address, digest },
        None => Ownership::Nobody,
    };
    super::own_after_conflict(&found, identity, &spec.name)
}

/// Sends all calls to one version.
async fn point(aws: &Aws, function: &str, alias: &str, version: &str) -> Result<()> {
    let all = AliasRoutingConfiguration::builder().set_additional_version_weights(Some([].into())).build();
    let call = || {
        let update = aws.write.lambda.update_alias().function_name(function).name(alias);
        update.function_version(version).routing_config(all.clone()).send()
    };
    let answer = retry::until_ready(BECOMES_READY, &NOT_YET, call).await;
    answer.map_err(|error| failed(&format!("move alias `{function}:{alias}` to version {version}"), error)).map(drop)
}

/// Makes what is provisioned what is wanted, and waits for it. An alias that moved has to be waited for as well: Lambda then
/// warms the new version up.
async fn provision(aws: &Aws, spec: &FunctionAliasSpec, live: Option<i32>) -> Result<()> {
    let (function, alias) = spec.parts()?;
    let Some(wanted) = spec.provisioned_concurrency else {
        return if live.is_some() { unprovision(aws, function, alias).await } else { Ok(()) };
    };
    if live != Some(wanted) {
        let call = || {
            let put = aws.write.lambda.put_provisioned_concurrency_config().function_name(function).qualifier(alias);
            put.provisioned_concurrent_executions(wanted).send()
        };
        let answer = retry::until_ready(BECOMES_READY, &NOT_YET, call).await;
        answer.map_err(|error| failed(&format!("provision concurrency for `{}`", spec.name), error))?;
    }
    wait_until_warm(aws, function, alias).await
}

async fn unprovision(aws: &Aws, function: &str, alias: &str) -> Result<()> {
    let call = aws.write.lambda.delete_provisioned_concurrency_config().function_name(function).qualifier(alias);
    match call.send().await {
        Err(error) if !is_not_found(&error) => {
            Err(failed(&format!("end the provisioned concurrency of `{function}:{alias}`"), error))
        }
        _ => Ok(()),
    }
}

async fn wait_until_warm(aws: &Aws, function: &str, alias: &str) -> Result<()> {
    let deadline = Instant::now() + BECOMES_WARM;
    let mut pause = Duration::from_millis(500);
    loop {
        let call = aws.write.lambda.get_provisioned_concurrency_config().function_name(function).qualifier(alias);
        let doing = format!("read the provisioned concurrency of `{function}:{alias}`");
        let answer = call.send().await.map_err(|error| failed(&doing, error))?;
        let cold = |reason: &str| {
            let message = format!("provisioned concurrency of `{function}:{alias}` did not become ready");
            Failure::new(FailureKind::Aws, message).cause(reason.to_owned())
        };
        match answer.status() {
            Some(ProvisionedConcurrencyStatusEnum::Ready) => return Ok(()),
            Some(ProvisionedConcurrencyStatusEnum::Failed) => {
                return Err(cold(answer.status_reason().unwrap_or("Lambda gave no reason")));
            }
            _ if Instant::now() + pause > deadline => return Err(cold("it was still in progress after ten minutes")),
            _ => {}
        }
        wait::pause(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_a_record_only_with_our_word_and_an_address() {
        let address = Address::parse("gate/function-alias/authorizer").unwrap();
        assert_eq!(record_of("gwctl gate/function-alias/authorizer"), Some((address.clone(), None)));
        assert_eq!(record_of("gwctl gate/function-alias/authorizer abc"), Some((address, Some("abc".into()))));
        assert_eq!(record_of("gwctl is nice"), None);
        assert_eq!(record_of("live traffic"), None);
    }
}
