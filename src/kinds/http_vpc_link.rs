//! `http-vpc-link`: the way of a Region's HTTP APIs into a VPC, to what stands behind a load balancer's listener there.
//!
//! Links have ids that AWS draws and names that need not be unique. Neither subnets nor security groups can change
//! (aws-facts I), so a link that is to have others is made anew, integrations are moved to it, and only then the old one goes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_apigatewayv2::types::VpcLinkStatus;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Kind, Scope, vpc_link};
use crate::aws::failure::is_not_found;
use crate::aws::http_apis::every_page;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed, given, retry, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Identity, Observed, Outputs, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct HttpVpcLink;

/// What gwctl decides about a VPC link of HTTP APIs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpVpcLinkSpec {
    /// `product-a-ingress-dev`
    pub name: String,
    /// The subnets that API Gateway puts its network interfaces into. A link that failed to come up reads as one without any,
    /// so that it is replaced: AWS never mends one.
    pub subnet_ids: BTreeSet<String>,
    /// The security groups of these interfaces. None: the VPC's default group.
    pub security_group_ids: BTreeSet<String>,
    /// The user's tags.
    pub tags: Tags,
}

/// How long a link may take to come up: minutes (aws-facts I). Terraform waits 10
/// (hashicorp/terraform-provider-aws, `apigatewayv2/wait.go`).
const COMES_UP: Duration = Duration::from_mins(20);

/// How long a link that is deleted may be seen; Terraform waits 10 minutes.
const GOES: Duration = Duration::from_mins(20);

type Live = aws_sdk_apigatewayv2::types::VpcLink;

fn outputs(place: &Place, id: &str) -> Outputs {
    let arn = format!("arn:{}:apigateway:{}::/vpclinks/{id}", place.partition, place.region);
    Outputs::from_iter([("id", id.to_owned()), ("arn", arn)])
}

/// Tags as the SDK's lists have them.
pub(super) fn sorted(tags: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    tags.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn observed(aws: &ReadAws, scope: &Scope, link: &Live) -> Result<Observed<HttpVpcLinkSpec>> {
    if let Some(note) = told_if_inactive(link) {
        aws.note(note);
    }
    let spec = spec(link);
    Ok(Observed {
        name: spec.name.clone(),
        within: None,
        outputs: outputs(&aws.place, given("id of a VPC link", link.vpc_link_id())?),
        ownership: tags::ownership(&sorted(link.tags()), &scope.owner),
        created: link.created_date().map(aws_smithy_types::DateTime::secs),
        in_use_by: None,
        spec,
    })
}

fn spec(link: &Live) -> HttpVpcLinkSpec {
    let failed = link.vpc_link_status() == Some(&VpcLinkStatus::Failed);
    HttpVpcLinkSpec {
        name: link.name().unwrap_or_default().to_owned(),
        subnet_ids: link.subnet_ids().iter().filter(|_| !failed).cloned().collect(),
        security_group_ids: link.security_group_ids().iter().cloned().collect(),
        tags: tags::of_user(&sorted(link.tags())),
    }
}

/// A link that no request went through for 60 days loses its network interfaces, and gets them again with the next one
/// (developer guide, "Working with VPC links for HTTP APIs"). Its spec is as it was, so a plan would say nothing.
fn told_if_inactive(link: &Live) -> Option<String> {
    if link.vpc_link_status() != Some(&VpcLinkStatus::Inactive) {
        return None;
    }
    let (name, id) = (link.name().unwrap_or_default(), link.vpc_link_id().unwrap_or_default());
    Some(format!(
        "VPC link `{name}` ({id}) is INACTIVE, as no request went through it for 60 days: the first ones fail until API \
         Gateway has put its network interfaces back, which takes minutes"
    ))
}

/// All links of the Region that are there to stay, as they are now.
async fn list(clients: &Clients) -> Result<Vec<Live>> {
    Ok(clients.http_vpc_links().await?.into_iter().filter(stays).collect())
}

fn stays(link: &Live) -> bool {
    link.vpc_link_status() != Some(&VpcLinkStatus::Deleting)
}

fn is_at(link: &Live, identity: &Identity) -> bool {
    let ownership = tags::ownership(&sorted(link.tags()), &identity.owner);
    matches!(ownership, Ownership::Ours { address, .. } if address == identity.address)
}

impl Kind for HttpVpcLink {
    type Spec = HttpVpcLinkSpec;
    const NAME: &'static str = "http-vpc-link";
    const CALLS: Calls = Calls {
        seeks: &["apigatewayv2:GetVpcLinks"],
        with: &[],
        reads: &[
            "apigateway:GetResources",
            "apigateway:GetRestApis",
            "apigatewayv2:GetApis",
            "apigatewayv2:GetIntegrations",
            "apigatewayv2:GetVpcLink",
        ],
        writes: &[
            "apigatewayv2:CreateVpcLink",
            "apigatewayv2:DeleteVpcLink",
            "apigatewayv2:TagResource",
            "apigatewayv2:UntagResource",
            "apigatewayv2:UpdateVpcLink",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["subnet_ids", "security_group_ids"];
    const NAMES_ARE_UNIQUE: bool = false;

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<HttpVpcLinkSpec>>> {
        let all = aws.http_vpc_links().await?;
        let ours = |link: &&Live| matches!(tags::ownership(&sorted(link.tags()), &scope.owner), Ownership::Ours { .. });
        // A link of the same name that is somebody else's does not stand in the way: names are not unique.
        all.iter().filter(|link| stays(link)).filter(ours).map(|link| observed(aws, scope, link)).collect()
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &HttpVpcLinkSpec) -> Result<Outputs> {
        let HttpVpcLinkSpec { name, subnet_ids, security_group_ids, tags: user } = spec;
        let all = tags::at_birth(identity, user);
        let before: BTreeSet<String> =
            list(&aws.write).await?.into_iter().filter_map(|link| link.vpc_link_id).collect();
        let create = || {
            let call = aws
                .write
                .apigatewayv2
                .create_vpc_link()
                .name(name)
                .set_subnet_ids(Some(subnet_ids.iter().cloned().collect()))
                .set_security_group_ids(Some(security_group_ids.iter().cloned().collect()))
                .set_tags(Some(all.clone().into_iter().collect()));
            let call = call.customize().config_override(retry::once_apigatewayv2());
            async move { call.send().await.map(|link| link.vpc_link_id) }
        };
        // The one that is to be replaced bears the same address: what was there before is not what was just made.
        let find = || async {
            let found = list(&aws.write)
                .await?
                .into_iter()
                .find(|link| is_at(link, identity) && link.vpc_link_id().is_some_and(|id| !before.contains(id)));
            Ok(found.map(|link| link.vpc_link_id))
        };
        let id = retry::create_once(&format!("create VPC link `{name}`"), create, find).await?;
        let id = given("id of the new VPC link", id)?;
        wait_until_up(aws, &id, name).await?;
        Ok(outputs(&aws.place, &id))
    }

    async fn update(&self, aws: &Aws, live: &Observed<HttpVpcLinkSpec>, spec: &HttpVpcLinkSpec) -> Result<Outputs> {
        let HttpVpcLinkSpec {
            name,
            subnet_ids: _,         // the plan replaces the link for others
            security_group_ids: _, // likewise
            tags: user,
        } = spec;
        let id = live.outputs.required("id")?;
        if live.spec.name != *name {
            let call = aws.write.apigatewayv2.update_vpc_link().vpc_link_id(id).name(name);
            call.send().await.map_err(|error| failed(&format!("update VPC link `{name}`"), error))?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        // A link whose first apply died while it was pending comes by here.
        wait_until_up(aws, id, name).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<HttpVpcLinkSpec>) -> Result<()> {
        let id = live.outputs.required("id")?;
        match aws.write.apigatewayv2.delete_vpc_link().vpc_link_id(id).send().await {
            Ok(_) => wait_until_gone(aws, id, &live.name).await,
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(refused(&live.name, error)),
        }
    }

    async fn others_using(&self, aws: &ReadAws, live: &Observed<HttpVpcLinkSpec>) -> Result<Vec<String>> {
        let id = live.outputs.required("id")?;
        let Some(link) = list(&aws.clients).await?.into_iter().find(|link| link.vpc_link_id() == Some(id)) else {
            return Ok(Vec::new());
        };
        // The owner's own APIs are no others: where the link goes, they go or are moved.
        let owner = vpc_link::owner(&sorted(link.tags()));
        let mut users = Vec::new();
        for api in aws.http_apis().await?.iter() {
            let theirs = vpc_link::owner(&sorted(api.tags()));
            if owner.is_some() && theirs == owner {
                continue;
            }
            let api_id = given("id of an HTTP API", api.api_id())?;
            let integrations = every_page!(aws.clients.apigatewayv2.get_integrations().api_id(api_id));
            let integrations =
                integrations.map_err(|error| failed(&format!("read the integrations of API {api_id}"), error))?;
            if integrations.iter().any(|one| one.connection_id() == Some(id)) {
                let of = theirs.map(|owner| format!(" of {owner}")).unwrap_or_default();
                users.push(format!("HTTP API `{}` ({api_id}){of}", api.name().unwrap_or_default()));
            }
        }
        // REST APIs can go through such a link as well (developer guide, "Private integrations for REST APIs").
        users.extend(vpc_link::rest_apis_using(aws, id, owner.as_ref()).await?);
        Ok(users)
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        untag(aws, outputs, keys).await
    }
}

/// Sets tags of a link, an HTTP API or its stage.
pub(super) async fn tag(aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
    let arn = outputs.required("arn")?;
    let call = aws.write.apigatewayv2.tag_resource().resource_arn(arn).set_tags(Some(tags.into_iter().collect()));
    call.send().await.map_err(|error| failed(&format!("tag {arn}"), error)).map(drop)
}

/// Removes tags of a link, an HTTP API or its stage.
pub(super) async fn untag(aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
    let arn = outputs.required("arn")?;
    let call = aws.write.apigatewayv2.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
    call.send().await.map_err(|error| failed(&format!("untag {arn}"), error)).map(drop)
}

/// AWS's own refusal names the users by ids: `Cannot delete vpc link. Vpc link 'l4er5c', is referenced in [ANY:qtfgl2b] in format
/// of [Method:Resource].` (hashicorp/terraform-provider-aws, issue 12195).
fn refused<E>(name: &str, error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let referenced = error.message().is_some_and(|text| text.contains("is referenced in"));
    let failure = failed(&format!("delete VPC link `{name}`"), error);
    if referenced { failure.hint("move these integrations to another link, then run this again") } else { failure }
}

async fn read(aws: &Aws, id: &str, name: &str) -> Result<Option<(VpcLinkStatus, String)>> {
    match aws.write.apigatewayv2.get_vpc_link().vpc_link_id(id).send().await {
        Ok(link) => {
            let status = given(&format!("status of VPC link `{name}`"), link.vpc_link_status)?;
            Ok(Some((status, link.vpc_link_status_message.unwrap_or_default())))
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
            // An inactive one was up, and comes up again by itself when requests come.
            Some((VpcLinkStatus::Available | VpcLinkStatus::Inactive, _)) => return Ok(()),
            Some((VpcLinkStatus::Failed, why)) => {
                let why = if why.is_empty() { "API Gateway gave no reason".to_owned() } else { why };
                return Err(broken(&why).hint(
                    "are the subnets and security groups of one VPC, in this account and Region? the next apply makes the \
                     link anew",
                ));
            }
            Some((VpcLinkStatus::Pending, _)) if Instant::now() + pause < deadline => {}
            Some((status, why)) => return Err(broken(format!("it is {} {why}", status.as_str()).trim())),
            None => return Err(broken("it is gone")),
        }
        wait::pause(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

/// A link that is being deleted is seen as such for a while, and holds its network interfaces.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn link(status: VpcLinkStatus) -> Live {
        Live::builder().name("ingress").vpc_link_id("abc123").subnet_ids("subnet-1").vpc_link_status(status).build()
    }

    #[test]
    fn a_link_that_failed_reads_as_one_that_has_to_be_replaced() {
        assert_eq!(spec(&link(VpcLinkStatus::Available)).subnet_ids.len(), 1);
        assert!(spec(&link(VpcLinkStatus::Failed)).subnet_ids.is_empty());
        assert!(HttpVpcLink::REPLACE_ON.contains(&"subnet_ids"));
    }

    #[test]
    fn a_link_without_traffic_is_told_of_and_stays_as_it_is() {
        let inactive = link(VpcLinkStatus::Inactive);
        let note = told_if_inactive(&inactive).unwrap();
        assert!(note.starts_with("VPC link `ingress` (abc123) is INACTIVE"), "{note}");
        assert_eq!(spec(&inactive), spec(&link(VpcLinkStatus::Available)));
        assert_eq!(told_if_inactive(&link(VpcLinkStatus::Available)), None);
    }
}
