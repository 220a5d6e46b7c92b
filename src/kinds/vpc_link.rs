//! `vpc-link`: the way of a Region's REST APIs to a Network Load Balancer.
//!
//! Links have ids that AWS draws and names that need not be unique. One whose load balancer changes is made anew, APIs are
//! moved to it, and only then the old one goes.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_apigateway::types::{Op, PatchOperation, VpcLinkStatus};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Identity, Input, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct VpcLink;

/// What gwctl decides about a VPC link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VpcLinkSpec {
    /// `product-a-ingress-dev`
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// ARNs of Network Load Balancers. AWS takes exactly one (API reference, `CreateVpcLink`: "Network load balancer must be
    /// owned by the same account"; more are refused), and never another.
    pub target_arns: Vec<Input>,
    /// The user's tags.
    pub tags: Tags,
}

/// How long a link may take to come up: minutes (aws-facts I has it for the links of HTTP APIs; Terraform waits 20 for these).
const COMES_UP: Duration = Duration::from_mins(20);

/// How long a link that is deleted may be seen; Terraform waits as long.
const GOES: Duration = Duration::from_mins(20);

type Live = aws_sdk_apigateway::types::VpcLink;

fn arn(place: &Place, id: &str) -> String {
    format!("arn:{}:apigateway:{}::/vpclinks/{id}", place.partition, place.region)
}

fn outputs(place: &Place, id: &str) -> Outputs {
    Outputs::from_iter([("id", id.to_owned()), ("arn", arn(place, id))])
}

fn all_tags(link: &Live) -> Tags {
    link.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn observed(aws: &ReadAws, scope: &Scope, link: &Live) -> Result<Observed<VpcLinkSpec>> {
    let all = all_tags(link);
    let id = given("id of a VPC link", link.id())?;
    let name = link.name().unwrap_or_default().to_owned();
    Ok(Observed {
        within: None,
        outputs: outputs(&aws.place, id),
        ownership: tags::ownership(&all, &scope.owner),
        created: None,
        in_use_by: None,
        spec: VpcLinkSpec {
            name: name.clone(),
            description: link.description().filter(|text| !text.is_empty()).map(str::to_owned),
            target_arns: link.target_arns().iter().map(|arn| arn.as_str().into()).collect(),
            tags: tags::of_user(&all),
        },
        name,
    })
}

/// All links of the Region that are there to stay, as they are now.
async fn list(clients: &crate::aws::Clients) -> Result<Vec<Live>> {
    Ok(clients.vpc_links().await?.into_iter().filter(stays).collect())
}

fn stays(link: &Live) -> bool {
    link.status() != Some(&VpcLinkStatus::Deleting)
}

fn is_at(link: &Live, identity: &Identity) -> bool {
    matches!(tags::ownership(&all_tags(link), &identity.owner), Ownership::Ours { address, .. } if address == identity.address)
}

fn patch(path: &str, value: &str) -> PatchOperation {
    PatchOperation::builder().op(Op::Replace).path(path).value(value).build()
}

impl Kind for VpcLink {
    type Spec = VpcLinkSpec;
    const NAME: &'static str = "vpc-link";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetVpcLinks"],
        with: &[],
        reads: &["apigateway:GetResources", "apigateway:GetRestApis", "apigateway:GetVpcLink"],
        writes: &[
            "apigateway:CreateVpcLink",
            "apigateway:DeleteVpcLink",
            "apigateway:TagResource",
            "apigateway:UntagResource",
            "apigateway:UpdateVpcLink",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["target_arns"];
    const NAMES_ARE_UNIQUE: bool = false;

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<VpcLinkSpec>>> {
        let all = aws.vpc_links().await?;
        let ours = |link: &&Live| matches!(tags::ownership(&all_tags(link), &scope.owner), Ownership::Ours { .. });
        // A link of the same name that is somebody else's does not stand in the way: names are not unique.
        all.iter().filter(|link| stays(link)).filter(ours).map(|link| observed(aws, scope, link)).collect()
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &VpcLinkSpec) -> Result<Outputs> {
        let VpcLinkSpec { name, description, target_arns, tags: user } = spec;
        let targets = target_arns.iter().map(|arn| arn.known().map(str::to_owned)).collect::<Result<Vec<_>>>()?;
        let all = tags::at_birth(identity, user);
        let before: BTreeSet<String> = list(&aws.write).await?.into_iter().filter_map(|link| link.id).collect();
        let create = || {
            let call = aws
                .write
                .apigateway
                .create_vpc_link()
                .name(name)
                .set_description(description.clone())
                .set_target_arns(Some(targets.clone()))
                .set_tags(Some(all.clone().into_iter().collect()));
            async move { call.customize().config_override(retry::once_apigateway()).send().await.map(|link| link.id) }
        };
        // The one that is to be replaced bears the same address: what was there before is not what was just made.
        let find = || async {
            let found = list(&aws.write).await?.into_iter().find(|link| {
                is_at(link, identity)
                    && link.id().is_some_and(|id| !before.contains(id))
                    && link.target_arns() == targets
            });
            Ok(found.map(|link| link.id))
        };
        let id = retry::create_once(&format!("create VPC link `{name}`"), create, find).await?;
        let id = given("id of the new VPC link", id)?;
        wait_until_up(aws, &id, name).await?;
        Ok(outputs(&aws.place, &id))
    }

    async fn update(&self, aws: &Aws, live: &Observed<VpcLinkSpec>, spec: &VpcLinkSpec) -> Result<Outputs> {
        // The plan replaces the link for another target.
        let VpcLinkSpec { name, description, target_arns: _, tags: user } = spec;
        let id = live.outputs.required("id")?;
        let mut patches = Vec::new();
        if live.spec.name != *name {
            patches.push(patch("/name", name));
        }
        if live.spec.description != *description {
            patches.push(patch("/description", description.as_deref().unwrap_or_default()));
        }
        if !patches.is_empty() {
            let call = aws.write.apigateway.update_vpc_link().vpc_link_id(id).set_patch_operations(Some(patches));
            call.send().await.map_err(|error| failed(&format!("update VPC link `{name}`"), error))?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        // A link whose first apply died while it was pending comes by here.
        wait_until_up(aws, id, name).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<VpcLinkSpec>) -> Result<()> {
        let id = live.outputs.required("id")?;
        match aws.write.apigateway.delete_vpc_link().vpc_link_id(id).send().await {
            Ok(_) => wait_until_gone(aws, id, &live.name).await,
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(refused(&live.name, error)),
        }
    }

    async fn others_using(&self, aws: &ReadAws, live: &Observed<VpcLinkSpec>) -> Result<Vec<String>> {
        let id = live.outputs.required("id")?;
        let Some(link) = list(&aws.clients).await?.into_iter().find(|link| link.id() == Some(id)) else {
            return Ok(Vec::new());
        };
        // The owner's own APIs are no others: where the link goes, they go or are moved.
        rest_apis_using(aws, id, owner(&all_tags(&link)).as_ref()).await
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.apigateway.tag_resource().resource_arn(arn).set_tags(Some(tags.into_iter().collect()));
        call.send().await.map_err(|error| failed(&format!("tag {arn}"), error)).map(drop)
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        let arn = outputs.required("arn")?;
        let call = aws.write.apigateway.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        call.send().await.map_err(|error| failed(&format!("untag {arn}"), error)).map(drop)
    }
}

/// The REST APIs that go through a link and are not its owner's.
pub(super) async fn rest_apis_using(aws: &ReadAws, link: &str, owner: Option<&Owner>) -> Result<Vec<String>> {
    let mut users = Vec::new();
    let all = aws.rest_apis().await?;
    let others = all.iter().filter(|api| owner.is_none() || self::owner(&api_tags(api)).as_ref() != owner);
    for api in others {
        let api_id = given("id of a REST API", api.id())?;
        if is_used(aws, api_id, link).await? {
            users.push(described(api, api_id));
        }
    }
    Ok(users)
}

/// Whether a method of the API, deployed or not, goes through the link.
async fn is_used(aws: &ReadAws, api: &str, link: &str) -> Result<bool> {
    let call = aws.clients.apigateway.get_resources().rest_api_id(api).embed("methods").limit(500);
    let mut pages = call.into_paginator().items().send();
    while let Some(resource) =
        pages.try_next().await.map_err(|error| failed(&format!("read the resources of API {api}"), error))?
    {
        let methods = resource.resource_methods.unwrap_or_default();
        let used = |method: &aws_sdk_apigateway::types::Method| {
            method.method_integration().and_then(|integration| integration.connection_id()) == Some(link)
        };
        if methods.values().any(used) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn api_tags(api: &aws_sdk_apigateway::types::RestApi) -> Tags {
    api.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// `REST API product-b-api-dev (abc123) of product-b/dev`
fn described(api: &aws_sdk_apigateway::types::RestApi, id: &str) -> String {
    let name = api.name().unwrap_or_default();
    match owner(&api_tags(api)) {
        Some(owner) => format!("REST API `{name}` ({id}) of {owner}"),
        None => format!("REST API `{name}` ({id})"),
    }
}

/// Whose a resource is by its tags, whoever that is.
pub(super) fn owner(all: &Tags) -> Option<Owner> {
    let (product, environment) = (all.get(tags::PRODUCT)?, all.get(tags::ENVIRONMENT)?);
    Some(Owner { product: product.clone(), environment: environment.clone() })
}

/// AWS's own refusal names the methods: `Vpc link 'abc123', is referenced in [API:METHOD:RESOURCE:STAGE]`. It also sees
/// deployments that stages serve, which the editable APIs do not show.
fn refused<E>(name: &str, error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let referenced = error.message().is_some_and(|text| text.contains("is referenced in"));
    let failure = failed(&format!("delete VPC link `{name}`"), error);
    if referenced { failure.hint("deploy these REST APIs without the link, then run this again") } else { failure }
}

async fn read(aws: &Aws, id: &str, name: &str) -> Result<Option<(VpcLinkStatus, String)>> {
    match aws.write.apigateway.get_vpc_link().vpc_link_id(id).send().await {
        Ok(link) => {
            let status = given(&format!("status of VPC link `{name}`"), link.status)?;
            Ok(Some((status, link.status_message.unwrap_or_default())))
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("read VPC link `{name}`"), error)),
    }
}

async fn wait_until_up(aws: &Aws, id: &str, name: &str) -> Result<()> {
    let broken = |why: &str| {
        let failure = Failure::new(FailureKind::Aws, format!("VPC link `{name}` ({id}) did not come up"));
        failure.cause(why.to_owned())
    };
    let deadline = Instant::now() + COMES_UP;
    let mut pause = Duration::from_secs(1);
    loop {
        match read(aws, id, name).await? {
            Some((VpcLinkStatus::Available, _)) => return Ok(()),
            Some((VpcLinkStatus::Failed, why)) => {
                let why = if why.is_empty() { "API Gateway gave no reason".to_owned() } else { why };
                return Err(broken(&why).hint("is the target a Network Load Balancer of this account and Region?"));
            }
            Some((VpcLinkStatus::Pending, _)) if Instant::now() + pause < deadline => {}
            Some((status, why)) => return Err(broken(format!("it is {} {why}", status.as_str()).trim())),
            None => return Err(broken("it is gone")),
        }
        wait::pause(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

/// A link that is being deleted is seen as such for a while, and holds its load balancer.
async fn wait_until_gone(aws: &Aws, id: &str, name: &str) -> Result<()> {
    let deadline = Instant::now() + GOES;
    let mut pause = Duration::from_secs(1);
    while let Some((status, why)) = read(aws, id, name).await? {
        if status == VpcLinkStatus::Failed || Instant::now() + pause > deadline {
            let failure = Failure::new(FailureKind::Aws, format!("VPC link `{name}` ({id}) did not go"));
            return Err(failure.cause(format!("it is {} {why}", status.as_str()).trim().to_owned()));
        }
        wait::pause(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
    Ok(())
}
