//! `api-mapping`: what a path of a custom domain name leads to, for HTTP APIs.
//!
//! Base path mappings of REST APIs and these are the same things to AWS, and stand side by side on one domain name. A mapping
//! can't be tagged (aws-facts A): as with [`super::base_path_mapping`], its domain name carries a tag for it, and the address in
//! there tells which kind's it is.

use aws_sdk_apigatewayv2::types::ApiMapping as LiveMapping;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::base_path_mapping::{self as marks, SPREADS, base_path, name_of, set_mark};
use super::domain_name::{OwnName, own_names};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::http_apis::every_page;
use crate::aws::tags::Tags;
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct ApiMapping;

/// What gwctl decides about a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiMappingSpec {
    /// Domain name and key, as [`name_of`] puts them together: `api.example.com/orders`, `api.example.com/orders/v1`, or
    /// `api.example.com/` for all paths that no other key takes.
    pub name: String,
    /// The domain name: its output `name`, so that it is there first.
    pub domain: Input,
    /// The id of the API.
    pub api: Input,
    /// The name of its stage: the stage's output `name`, so that it is there first.
    pub stage: Input,
}

/// The texts that mean "not yet": a new domain name or stage spreads. The words are those of base path mappings; that these are
/// theirs, too, is a guess.
const NOT_YET: [retry::NotYet; 3] = [
    retry::CONCURRENT_MODIFICATION,
    ("NotFoundException", "Invalid domain name identifier specified"),
    ("BadRequestException", "Invalid stage identifier specified"),
];

/// What a create says of a key that is taken.
const TAKEN: &str = "already exists";

fn outputs(place: &Place, domain: &str, key: &str, id: Option<&str>) -> Outputs {
    let known = marks::outputs(place, domain, key);
    let known = known.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    known.chain(id.map(|id| ("id".to_owned(), id.to_owned()))).collect()
}

fn observed(aws: &ReadAws, domain: &OwnName, live: &LiveMapping) -> Result<Observed<ApiMappingSpec>> {
    let key = key(live);
    let name = name_of(&domain.name, key);
    Ok(Observed {
        name: name.clone(),
        within: Some(domain.address.clone()),
        spec: ApiMappingSpec {
            name,
            domain: Input::from(domain.name.as_str()),
            api: Input::from(given("API of a mapping", live.api_id())?),
            stage: Input::from(live.stage().unwrap_or_default()),
        },
        outputs: outputs(&aws.place, &domain.name, key, Some(given("id of a mapping", live.api_mapping_id())?)),
        ownership: marks::ownership(&domain.tags, key),
        created: None,
        in_use_by: None,
    })
}

/// A mark whose mapping is gone, to be taken away.
fn mark_alone(aws: &ReadAws, domain: &OwnName, key: &str, whose: Ownership) -> Observed<ApiMappingSpec> {
    let name = name_of(&domain.name, key);
    Observed {
        name: name.clone(),
        within: Some(domain.address.clone()),
        spec: ApiMappingSpec {
            name,
            domain: Input::from(domain.name.as_str()),
            api: Input::from(""),
            stage: Input::from(""),
        },
        outputs: outputs(&aws.place, &domain.name, key, None),
        ownership: whose,
        created: None,
        in_use_by: None,
    }
}

/// No key is an empty one, however AWS writes it.
fn key(live: &LiveMapping) -> &str {
    live.api_mapping_key().filter(|key| *key != marks::NO_PATH).unwrap_or_default()
}

/// Whether a mapping is for this kind to tell of: its own, one in the place of a wanted one, or one with a key of several parts,
/// which base path mappings can't have. All others are told of as base path mappings.
fn concerns(scope: &Scope, one: &Observed<ApiMappingSpec>) -> bool {
    match &one.ownership {
        Ownership::Ours { address, .. } => address.kind() == ApiMapping::NAME,
        _ => scope.names().any(|name| name == one.name) || base_path(&one.name).is_ok_and(|key| key.contains('/')),
    }
}

impl Kind for ApiMapping {
    type Spec = ApiMappingSpec;
    const NAME: &'static str = "api-mapping";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetDomainNames"],
        with: &["domain-name"],
        reads: &["apigatewayv2:GetApiMappings"],
        writes: &[
            "apigateway:TagResource",
            "apigateway:UntagResource",
            "apigatewayv2:CreateApiMapping",
            "apigatewayv2:DeleteApiMapping",
            "apigatewayv2:UpdateApiMapping",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "domain"];
    // What a key leads to is changed in place (API reference, `UpdateApiMapping`), so that services that change places are never
    // without. That no request falls between the two is a guess.
    const NAME_IS_PLACE: bool = true;

    fn way_out(live: &Observed, address: &Address, _: &Owner) -> Vec<String> {
        marks::way_out(live, address, "give the service another `mapping`")
    }

    fn predict(&self, place: &Place, spec: &ApiMappingSpec) -> Outputs {
        spec.name.split_once('/').map(|(domain, key)| outputs(place, domain, key, None)).unwrap_or_default()
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<ApiMappingSpec>>> {
        let domains = own_names(aws, &scope.owner).await?;
        let reads = domains.iter().map(|domain| async move {
            let items = every_page!(aws.clients.apigatewayv2.get_api_mappings().domain_name(&domain.name));
            let items = items.map_err(|error| failed(&format!("read the mappings of `{}`", domain.name), error))?;
            let mut all = items.iter().map(|live| observed(aws, domain, live)).collect::<Result<Vec<_>>>()?;
            let there = items.iter().map(|live| key(live).to_owned()).collect();
            let left = marks::forsaken(scope, domain, Self::NAME, &there);
            all.extend(left.into_iter().map(|(key, whose)| mark_alone(aws, domain, &key, whose)));
            Ok::<_, Failure>(all)
        });
        let all = try_join_all(reads).await?.into_iter().flatten();
        Ok(all.filter(|one| concerns(scope, one)).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &ApiMappingSpec) -> Result<Outputs> {
        let ApiMappingSpec { name, domain, api, stage } = spec;
        let (domain, api, stage, key) = (domain.known()?, api.known()?, stage.known()?, base_path(name)?);
        let known = outputs(&aws.place, domain, key, None);
        refuse_taken(aws, identity, spec).await?;
        // First, so that a mapping whose answer is lost is known as ours.
        set_mark(aws, &known, key, marks::mark(&identity.address, None)).await?;
        let call = || {
            let create = aws.write.apigatewayv2.create_api_mapping().domain_name(domain).api_id(api).stage(stage);
            create.set_api_mapping_key((!key.is_empty()).then(|| key.to_owned())).send()
        };
        let id = match retry::until_ready(SPREADS, &NOT_YET, call).await {
            Ok(made) => given("id of the new mapping", made.api_mapping_id)?,
            Err(error) if error.message().is_some_and(|text| text.contains(TAKEN)) => {
                let adopted = adopt_same(aws, spec).await;
                if adopted.is_err() {
                    // What came in between is not ours, and the next plan must not think so.
                    marks::remove_mark(aws, known.required("domain_arn")?, key).await?;
                }
                adopted?
            }
            Err(error) => return Err(failed(&format!("map `{name}`"), error)),
        };
        Ok(outputs(&aws.place, domain, key, Some(&id)))
    }

    async fn update(&self, aws: &Aws, live: &Observed<ApiMappingSpec>, spec: &ApiMappingSpec) -> Result<Outputs> {
        let ApiMappingSpec { name, domain, api, stage } = spec;
        if live.spec.api != *api || live.spec.stage != *stage {
            let (domain, api, stage) = (domain.known()?, api.known()?, stage.known()?);
            let id = live.outputs.required("id")?;
            // API and stage go in one call: between two, the mapping would lead to a stage that the other API does not have.
            let call = || {
                let update = aws.write.apigatewayv2.update_api_mapping().domain_name(domain).api_mapping_id(id);
                update.api_id(api).stage(stage).send()
            };
            let answer = retry::until_ready(SPREADS, &NOT_YET, call).await;
            answer.map_err(|error| failed(&format!("change where `{name}` leads"), error))?;
        }
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<ApiMappingSpec>) -> Result<()> {
        // Of one that is gone, only its mark is left.
        if let Some(id) = live.outputs.get("id") {
            let domain = live.spec.domain.known()?;
            let call = || aws.write.apigatewayv2.delete_api_mapping().domain_name(domain).api_mapping_id(id).send();
            match retry::until_ready(SPREADS, &[retry::CONCURRENT_MODIFICATION], call).await {
                Err(error) if !is_not_found(&error) => return Err(failed(&format!("unmap `{}`", live.name), error)),
                _ => {}
            }
        }
        marks::remove_mark(aws, live.outputs.required("domain_arn")?, base_path(&live.name)?).await
    }

    async fn tag(&self, _: &Aws, _: &Outputs, _: Tags) -> Result<()> {
        Err(Failure::internal("an API mapping was to be tagged, but a mapping takes no tags"))
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("an API mapping was to be untagged, but a mapping takes no tags"))
    }

    /// Into the tags of its domain name.
    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        let key = base_path(outputs.required("name")?)?;
        set_mark(aws, outputs, key, marks::mark(&identity.address, Some(digest))).await
    }
}

async fn find(aws: &Aws, domain: &str, key: &str) -> Result<Option<LiveMapping>> {
    let all: Vec<LiveMapping> = match every_page!(aws.write.apigatewayv2.get_api_mappings().domain_name(domain)) {
        Ok(all) => all,
        // A new domain name is not known everywhere yet, and has no mappings.
        Err(error) if is_not_found(&error) => return Ok(None),
        Err(error) => return Err(failed(&format!("read the mappings of `{domain}`"), error)),
    };
    Ok(all.into_iter().find(|live| self::key(live) == key))
}

fn taken(spec: &ApiMappingSpec, live: &LiveMapping, whose: &Ownership) -> Failure {
    let (api, stage) = (live.api_id().unwrap_or_default(), live.stage().unwrap_or_default());
    let whose = match whose {
        Ownership::Ours { address, .. } => format!("by {address}"),
        _ => "by somebody else".to_owned(),
    };
    Failure::new(FailureKind::Ownership, format!("`{}` is mapped already, {whose}", spec.name))
        .cause(format!("it leads to stage `{stage}` of API {api}"))
        .hint("give one of them another key; or remove the mapping that is there, if nobody needs it")
}

fn leads_there(spec: &ApiMappingSpec, live: &LiveMapping) -> Result<bool> {
    Ok(live.api_id() == Some(spec.api.known()?) && live.stage() == Some(spec.stage.known()?))
}

/// A key that somebody else took since the plan was made, or that another resource of the owner has: the base path of a REST
/// API, say.
async fn refuse_taken(aws: &Aws, identity: &Identity, spec: &ApiMappingSpec) -> Result<()> {
    let (domain, key) = (spec.domain.known()?, base_path(&spec.name)?);
    let Some(live) = find(aws, domain, key).await? else { return Ok(()) };
    let names = own_names(&aws.read.anew(), &identity.owner).await?;
    let own = names.into_iter().find(|own| own.name == domain);
    let whose = own.map_or(Ownership::Nobody, |own| marks::ownership(&own.tags, key));
    let others = matches!(&whose, Ownership::Ours { address, .. } if *address != identity.address);
    if others || !leads_there(spec, &live)? { Err(taken(spec, &live, &whose)) } else { Ok(()) }
}

/// A mapping that is there although nobody saw it before: fine if it leads where ours is to lead, else somebody's.
async fn adopt_same(aws: &Aws, spec: &ApiMappingSpec) -> Result<String> {
    let live = find(aws, spec.domain.known()?, base_path(&spec.name)?).await?;
    let live = given("mapping, though one is in the way", live)?;
    if leads_there(spec, &live)? {
        given("id of a mapping", live.api_mapping_id)
    } else {
        Err(taken(spec, &live, &Ownership::Nobody))
    }
}
