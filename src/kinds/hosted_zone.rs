//! `hosted-zone`: a public hosted zone of Route 53, made where it is asked for.
//!
//! Others may write into the zone, too. It is deleted only when it holds nothing but what Route 53 put there; records of gwctl's
//! go before it.

use aws_sdk_route53::types::{HostedZone as Live, HostedZoneConfig, ResourceRecordSet, RrType, TagResourceType};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dns_record;
use super::route53::{REFERENCES, change_tags, concerns, ownership, read_tags, reference, stem};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::zones::{bare_id, plain_name};
use crate::aws::{Aws, Clients, ReadAws, failed, given};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Digest, Identity, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct HostedZone;

/// What gwctl decides about a hosted zone. It is public. Whoever has the domain above it has to delegate it to the zone's servers:
/// the output `name_servers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostedZoneSpec {
    /// `example.com`, in lower case, without a dot at its end.
    pub name: String,
    /// What it is for; at most 256 characters.
    pub comment: Option<String>,
    /// The user's tags.
    pub tags: Tags,
}

const TAGGED: TagResourceType = TagResourceType::Hostedzone;

/// Record sets in a message: enough to know whose they are.
const MOST_SHOWN: usize = 10;

fn outputs(place: &Place, id: &str, name: &str, servers: &[String]) -> Outputs {
    let arn = format!("arn:{}:route53:::hostedzone/{id}", place.partition);
    let mut servers = servers.to_vec();
    servers.sort();
    let own =
        [("zone_id", id.to_owned()), ("name", name.to_owned()), ("arn", arn), ("name_servers", servers.join(" "))];
    own.into_iter().collect()
}

async fn list(clients: &Clients) -> Result<Vec<Live>> {
    let pages = clients.route53.list_hosted_zones().into_paginator().items().send();
    pages.try_collect().await.map_err(|error| failed("list the hosted zones", error))
}

/// The servers of a zone; nothing if it is gone.
async fn servers(clients: &Clients, id: &str) -> Result<Option<Vec<String>>> {
    match clients.route53.get_hosted_zone().id(id).send().await {
        Ok(answer) => Ok(Some(answer.delegation_set.map(|set| set.name_servers).unwrap_or_default())),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("read hosted zone {id}"), error)),
    }
}

fn is_private(zone: &Live) -> bool {
    zone.config().is_some_and(HostedZoneConfig::private_zone)
}

impl Kind for HostedZone {
    type Spec = HostedZoneSpec;
    const NAME: &'static str = "hosted-zone";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetDomainNames", "apigatewayv2:GetApis"],
        with: &["domain-name", "http-api"],
        reads: &[
            "route53:GetHostedZone",
            "route53:ListHostedZones",
            "route53:ListResourceRecordSets",
            "route53:ListTagsForResource",
            "route53:ListTagsForResources",
        ],
        writes: &[
            "route53:ChangeTagsForResource",
            "route53:CreateHostedZone",
            "route53:DeleteHostedZone",
            "route53:UpdateHostedZoneComment",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];
    const NAMES_ARE_UNIQUE: bool = false;

    fn predict(&self, _: &Place, spec: &HostedZoneSpec) -> Outputs {
        Outputs::from_iter([("name", spec.name.as_str())])
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<HostedZoneSpec>>> {
        if !concerns(aws, scope).await? {
            return Ok(Vec::new());
        }
        let zones: Vec<Live> = list(&aws.clients).await?.into_iter().filter(|zone| !is_private(zone)).collect();
        let ids: Vec<String> = zones.iter().map(|zone| bare_id(zone.id()).to_owned()).collect();
        let tagged = read_tags(&aws.clients.route53, &TAGGED, &ids).await?;
        let mut found = Vec::new();
        for (zone, id) in zones.iter().zip(&ids) {
            let Some(all) = tagged.get(id) else { continue };
            let (name, mut ownership) = (plain_name(zone.name()), ownership(all, zone.caller_reference(), scope));
            if tags::is_elsewhere(all, &aws.place) {
                ownership = match ownership {
                    Ownership::Ours { .. } => Ownership::Others { owner: scope.owner.clone() },
                    other => other,
                };
            }
            // A second zone of the name would answer nobody, or other questions than the first: that one is in the way.
            if !matches!(ownership, Ownership::Ours { .. }) && !scope.names().any(|wanted| wanted == name) {
                continue;
            }
            let Some(servers) = servers(&aws.clients, id).await? else { continue };
            let comment = zone.config().and_then(HostedZoneConfig::comment).filter(|comment| !comment.is_empty());
            let comment = comment.map(str::to_owned);
            found.push(Observed {
                within: None,
                spec: HostedZoneSpec { name: name.clone(), comment, tags: tags::of_user(all) },
                outputs: outputs(&aws.place, id, &name, &servers),
                ownership,
                created: None,
                in_use_by: None,
                name,
            });
        }
        Ok(found)
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &HostedZoneSpec) -> Result<Outputs> {
        let HostedZoneSpec { name, comment, tags: user } = spec;
        let (stem, digest) = (stem(&identity.owner, &identity.address), Digest::of(&json!([name])));
        let config = comment.as_ref().map(|comment| HostedZoneConfig::builder().comment(comment).build());
        for n in 0..REFERENCES {
            let reference = reference(&stem, &digest, n);
            let call = aws.write.route53.create_hosted_zone().name(name).caller_reference(&reference);
            let zone = match call.set_hosted_zone_config(config.clone()).send().await {
                Ok(answer) => given("new hosted zone", answer.hosted_zone)?,
                Err(error) if error.code() == Some("HostedZoneAlreadyExists") => {
                    // The answer to an earlier try was lost; or one was made and deleted.
                    let found = list(&aws.write).await?.into_iter().find(|one| one.caller_reference() == reference);
                    let Some(found) = found else { continue };
                    set_comment(aws, bare_id(found.id()), comment.as_deref()).await?;
                    found
                }
                Err(error) => return Err(failed(&format!("create hosted zone `{name}`"), error)),
            };
            let id = bare_id(zone.id());
            change_tags(&aws.write.route53, &TAGGED, id, tags::at_birth(identity, user), &[]).await?;
            let servers = servers(&aws.write, id).await?.unwrap_or_default();
            return Ok(outputs(&aws.place, id, name, &servers));
        }
        let message = format!("failed to create hosted zone `{name}`: Route 53 takes none of {REFERENCES} references");
        Err(Failure::new(FailureKind::Aws, message)
            .cause("it takes no reference a second time")
            .hint("give the resource another name in the configuration"))
    }

    async fn update(&self, aws: &Aws, live: &Observed<HostedZoneSpec>, spec: &HostedZoneSpec) -> Result<Outputs> {
        // Another name is another zone.
        let HostedZoneSpec { name: _, comment, tags: user } = spec;
        if live.spec.comment != *comment {
            set_comment(aws, live.outputs.required("zone_id")?, comment.as_deref()).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<HostedZoneSpec>) -> Result<()> {
        let id = live.outputs.required("zone_id")?;
        let error = match aws.write.route53.delete_hosted_zone().id(id).send().await {
            Ok(_) => return Ok(()),
            Err(error) if is_not_found(&error) => return Ok(()),
            Err(error) => error,
        };
        let holds_more = error.code() == Some("HostedZoneNotEmpty");
        let failure = failed(&format!("delete hosted zone `{}`", live.name), error);
        if !holds_more {
            return Err(failure);
        }
        let sets = dns_record::all_sets(&aws.write.route53, id).await?;
        Err(failure
            .cause(format!("it holds {}", listed(sets.iter().filter(|set| !is_born(set, &live.name)))))
            .hint("gwctl deletes only its own records: delete these if nobody needs them, or keep the zone"))
    }

    async fn others_using(&self, aws: &ReadAws, live: &Observed<HostedZoneSpec>) -> Result<Vec<String>> {
        let id = live.outputs.required("zone_id")?;
        if servers(&aws.clients, id).await?.is_none() {
            return Ok(Vec::new());
        }
        let all = read_tags(&aws.clients.route53, &TAGGED, &[id.to_owned()]).await?.remove(id).unwrap_or_default();
        let (Some(product), Some(environment)) = (all.get(tags::PRODUCT), all.get(tags::ENVIRONMENT)) else {
            return Ok(Vec::new());
        };
        let owner = Owner { product: product.clone(), environment: environment.clone() };
        // The owner's own records go before the zone.
        let sets = dns_record::sets_of_others(&aws.clients.route53, id, &live.name, &owner).await?;
        Ok(sets.iter().filter(|set| !is_born(set, &live.name)).map(shown).collect())
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        change_tags(&aws.write.route53, &TAGGED, outputs.required("zone_id")?, tags, &[]).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        change_tags(&aws.write.route53, &TAGGED, outputs.required("zone_id")?, Tags::new(), &keys).await
    }
}

async fn set_comment(aws: &Aws, id: &str, comment: Option<&str>) -> Result<()> {
    let call = aws.write.route53.update_hosted_zone_comment().id(id).comment(comment.unwrap_or_default());
    call.send().await.map_err(|error| failed(&format!("update hosted zone {id}"), error)).map(drop)
}

/// Whether Route 53 put a record set there, and does not let it go.
fn is_born(set: &ResourceRecordSet, zone: &str) -> bool {
    plain_name(set.name()) == zone && matches!(set.r#type(), RrType::Ns | RrType::Soa)
}

/// `A record api.example.com`
fn shown(set: &ResourceRecordSet) -> String {
    let identifier = set.set_identifier().map(|identifier| format!(" ({identifier})")).unwrap_or_default();
    format!("{} record `{}`{identifier}", set.r#type().as_str(), plain_name(set.name()))
}

fn listed<'a>(sets: impl Iterator<Item = &'a ResourceRecordSet>) -> String {
    let all: Vec<String> = sets.map(shown).collect();
    let more = all.len().saturating_sub(MOST_SHOWN);
    let first = all[..all.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}
