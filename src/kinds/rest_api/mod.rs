//! `rest-api`: a REST API, imported from the OpenAPI document that its spec makes.
//!
//! `CreateRestApi` takes tags and `ImportRestApi` does not (aws-facts A), so an API is first created, tagged, and then put:
//! an orphan without tags can't come to be. After a put the API is read back and compared: a put is idempotent but not
//! atomic (aws-facts B), and an API that is not what was put is never deployed.

pub mod document;
mod read;
pub mod spec;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{
    ApiKeySourceType, EndpointConfiguration, EndpointType, Op, PatchOperation, PutMode, RestApi as LiveApi,
};
use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::diff::{FieldChange, diff};
use crate::model::{Digest, Identity, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

pub use document::document;
pub use spec::RestApiSpec;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct RestApi;

/// How long to go on when somebody else modifies the API at the same time.
const OTHERS_WRITE: Duration = Duration::from_mins(1);

/// The texts that mean that another change has not settled yet.
const NOT_YET: [retry::NotYet; 2] =
    [retry::CONCURRENT_MODIFICATION, ("BadRequestException", "already an update in progress")];

/// How long a put may take to show in every answer. API Gateway is eventually consistent (hashicorp/terraform-provider-aws
/// pull request 41375); a read right after the call can still be the old one.
const SETTLES: Duration = Duration::from_secs(30);

/// An API of the owner, among all of the Region.
pub(super) struct OwnApi {
    /// Its id.
    pub(super) id: String,
    /// Its address.
    pub(super) address: crate::model::Address,
}

/// The owner's APIs: the parents of stages and deployments.
pub(super) async fn own_apis(aws: &ReadAws, owner: &Owner) -> Result<Vec<OwnApi>> {
    let mut found = Vec::new();
    for api in aws.rest_apis().await?.iter() {
        if let Ownership::Ours { address, .. } = tags::ownership(&read::all_tags(api), owner) {
            found.push(OwnApi { id: given("id of a REST API", api.id())?.to_owned(), address });
        }
    }
    Ok(found)
}

fn arn(place: &Place, id: &str) -> String {
    format!("arn:{}:apigateway:{}::/restapis/{id}", place.partition, place.region)
}

fn outputs(place: &Place, id: &str) -> Outputs {
    Outputs::from_iter([
        ("id", id.to_owned()),
        ("arn", arn(place, id)),
        ("execution_arn", place.arn("execute-api", &place.region, id)),
    ])
}

async fn observe_one(aws: &ReadAws, scope: &Scope, api: &LiveApi) -> Result<Observed<RestApiSpec>> {
    let id = given("id of a REST API", api.id())?;
    Ok(Observed {
        name: given("name of a REST API", api.name())?.to_owned(),
        within: None,
        spec: read::read(&aws.clients, &aws.place, api).await?,
        outputs: outputs(&aws.place, id),
        ownership: tags::ownership(&read::all_tags(api), &scope.owner),
        created: api.created_date().map(aws_smithy_types::DateTime::secs),
        in_use_by: None,
    })
}

impl Kind for RestApi {
    type Spec = RestApiSpec;
    const NAME: &'static str = "rest-api";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetRestApis"],
        with: &[],
        reads: &[
            "apigateway:GetAuthorizers",
            "apigateway:GetGatewayResponses",
            "apigateway:GetResources",
            "apigateway:GetRestApi",
        ],
        writes: &[
            "apigateway:CreateRestApi",
            "apigateway:DeleteRestApi",
            "apigateway:PutRestApi",
            "apigateway:TagResource",
            "apigateway:UntagResource",
            "apigateway:UpdateRestApi",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &[];

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<RestApiSpec>>> {
        let all: Arc<Vec<LiveApi>> = aws.rest_apis().await?;
        let reads = all
            .iter()
            .filter(|api| {
                let ours = matches!(tags::ownership(&read::all_tags(api), &scope.owner), Ownership::Ours { .. });
                ours || scope.names().any(|name| api.name() == Some(name))
            })
            .map(|api| observe_one(aws, scope, api));
        try_join_all(reads).await
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &RestApiSpec) -> Result<Outputs> {
        let name = &spec.name;
        let endpoints = (!spec.vpc_endpoint_ids.is_empty()).then(|| spec.vpc_endpoint_ids.iter().cloned().collect());
        let endpoint = EndpointConfiguration::builder()
            .types(EndpointType::from(spec.endpoint_type.as_str()))
            .set_vpc_endpoint_ids(endpoints)
            .build();
        let all = tags::at_birth(identity, &spec.tags);
        let create = || {
            let call = aws
                .write
                .apigateway
                .create_rest_api()
                .name(name)
                .set_description(spec.description.clone())
                .api_key_source(ApiKeySourceType::from(spec.api_key_source.as_str()))
                .endpoint_configuration(endpoint.clone())
                .set_tags(Some(all.clone().into_iter().collect()));
            async move { call.customize().config_override(retry::once_apigateway()).send().await.map(|api| api.id) }
        };
        let find = || async {
            let found = own_apis(&aws.read.anew(), &identity.owner).await?;
            Ok(found.into_iter().find(|api| api.address == identity.address).map(|api| Some(api.id)))
        };
        let id = retry::create_once(&format!("create REST API `{name}`"), create, find).await?;
        let id = given("id of the new REST API", id)?;
        refuse_twin(aws, identity, &id).await?;
        if spec.disable_execute_api_endpoint {
            patch(aws, &id, vec![disable_endpoint(true)]).await?;
        }
        put(aws, &id, spec).await?;
        aws.tolerate(verify(aws, &id, spec).await)?;
        Ok(outputs(&aws.place, &id))
    }

    async fn update(&self, aws: &Aws, live: &Observed<RestApiSpec>, spec: &RestApiSpec) -> Result<Outputs> {
        let id = live.outputs.required("id")?;
        let RestApiSpec {
            endpoint_type,
            vpc_endpoint_ids,
            disable_execute_api_endpoint,
            tags: user,
            // The document carries the rest.
            name: _,
            description: _,
            api_key_source: _,
            binary_media_types: _,
            minimum_compression_size: _,
            policy: _,
            authorizers: _,
            gateway_responses: _,
            routes: _,
        } = spec;
        let old = &live.spec;
        let mut patches = Vec::new();
        if old.endpoint_type != *endpoint_type {
            patches.push(replace(&format!("/endpointConfiguration/types/{}", old.endpoint_type), endpoint_type));
        }
        patches.extend(endpoint_patches(&old.vpc_endpoint_ids, vpc_endpoint_ids));
        if old.disable_execute_api_endpoint != *disable_execute_api_endpoint {
            patches.push(disable_endpoint(*disable_execute_api_endpoint));
        }
        if !patches.is_empty() {
            patch(aws, id, patches).await?;
        }
        self.retag(aws, &live.outputs, &old.tags, user).await?;
        if carried_by_document(old) != carried_by_document(spec) {
            put(aws, id, spec).await?;
        }
        aws.tolerate(verify(aws, id, spec).await)?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<RestApiSpec>) -> Result<()> {
        let id = live.outputs.required("id")?;
        match aws.write.apigateway.delete_rest_api().rest_api_id(id).send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete REST API `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        untag(aws, outputs, keys).await
    }

    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        // There are emulators that take no tags for an API after it was made.
        let recorded = self.tag(aws, outputs, tags::record(identity, digest)).await;
        aws.tolerate(recorded.map_err(|failure| failure.context("failed to record the digest of REST API")))
    }
}

/// Sets tags of an API or a stage.
pub(super) async fn tag(aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
    let arn = outputs.required("arn")?;
    let call = aws.write.apigateway.tag_resource().resource_arn(arn).set_tags(Some(tags.into_iter().collect()));
    call.send().await.map_err(|error| failed(&format!("tag {arn}"), error)).map(drop)
}

/// Removes tags of an API or a stage.
pub(super) async fn untag(aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
    let arn = outputs.required("arn")?;
    let call = aws.write.apigateway.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
    call.send().await.map_err(|error| failed(&format!("untag {arn}"), error)).map(drop)
}

async fn patch(aws: &Aws, id: &str, operations: Vec<PatchOperation>) -> Result<()> {
    let call = aws.write.apigateway.update_rest_api().rest_api_id(id).set_patch_operations(Some(operations));
    call.send().await.map_err(|error| failed(&format!("update REST API {id}"), error)).map(drop)
}

fn disable_endpoint(disable: bool) -> PatchOperation {
    replace("/disableExecuteApiEndpoint", &disable.to_string())
}

/// Two applies at once would each make an API, because names are not unique. Both then see two; all but the first, by the
/// order in which AWS lists ids, take their own back.
async fn refuse_twin(aws: &Aws, identity: &Identity, id: &str) -> Result<()> {
    let own = own_apis(&aws.read.anew(), &identity.owner).await?;
    let first = own.iter().filter(|api| api.address == identity.address).map(|api| api.id.as_str()).min();
    if first.is_none_or(|first| first == id) {
        return Ok(());
    }
    let deleted = aws.write.apigateway.delete_rest_api().rest_api_id(id).send().await;
    deleted.map_err(|error| failed(&format!("take back REST API {id}, which is a second one"), error))?;
    Err(Failure::new(FailureKind::Refused, format!("another apply of {} is running", identity.owner))
        .hint("wait until it is done, then run this again"))
}

fn replace(path: &str, value: &str) -> PatchOperation {
    PatchOperation::builder().op(Op::Replace).path(path).value(value).build()
}

/// Each endpoint is added and removed by itself; the ids are no path of their own (API reference, "Patch operations").
fn endpoint_patches(live: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Vec<PatchOperation> {
    let patch = |op: Op, id: &String| PatchOperation::builder().op(op).path(VPC_ENDPOINTS).value(id).build();
    let added = wanted.difference(live).map(|id| patch(Op::Add, id));
    added.chain(live.difference(wanted).map(|id| patch(Op::Remove, id))).collect()
}

const VPC_ENDPOINTS: &str = "/endpointConfiguration/vpcEndpointIds";

/// The part of a spec that a put sets, models and validators added by hand included: an overwrite drops them.
fn carried_by_document(spec: &RestApiSpec) -> RestApiSpec {
    RestApiSpec { endpoint_type: String::new(), disable_execute_api_endpoint: false, tags: Tags::new(), ..spec.clone() }
}

/// Imports the document. A warning is a part of the document that would be left out, so it fails the import; a tolerant
/// session goes on, as it does when that part is missing afterwards: emulators warn of what is right on AWS, such as a
/// parameter `proxy` for a path that ends in `{proxy+}`.
async fn put(aws: &Aws, id: &str, spec: &RestApiSpec) -> Result<()> {
    let body = document(spec).to_string();
    let call = || {
        aws.write
            .apigateway
            .put_rest_api()
            .rest_api_id(id)
            .mode(PutMode::Overwrite)
            .fail_on_warnings(!aws.is_tolerant())
            .body(Blob::new(body.as_bytes()))
            .send()
    };
    let answer = retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await;
    answer.map_err(|error| {
        failed(&format!("import the document into REST API `{}`", spec.name), error)
            .hint("the stage still serves its old deployment; `gwctl render` prints the document that was refused")
    })?;
    Ok(())
}

/// Reads the API back and compares. What was put and did not arrive would otherwise be deployed: an API without its policy
/// or its authorizers is open to everybody.
async fn verify(aws: &Aws, id: &str, spec: &RestApiSpec) -> Result<()> {
    let deadline = Instant::now() + SETTLES;
    let mut pause = Duration::from_secs(1);
    loop {
        let differences = differences(aws, id, spec).await?;
        if differences.is_empty() {
            return Ok(());
        }
        if aws.is_tolerant() || Instant::now() + pause > deadline {
            return Err(not_as_imported(spec, &differences));
        }
        sleep(pause).await;
        pause *= 2;
    }
}

async fn differences(aws: &Aws, id: &str, spec: &RestApiSpec) -> Result<Vec<FieldChange>> {
    let answer = aws.read.clients.apigateway.get_rest_api().rest_api_id(id).send().await;
    let answer = answer.map_err(|error| failed(&format!("read REST API `{}` back", spec.name), error))?;
    let api = LiveApi::builder()
        .id(id)
        .set_name(answer.name)
        .set_description(answer.description)
        .set_endpoint_configuration(answer.endpoint_configuration)
        .set_api_key_source(answer.api_key_source)
        .set_binary_media_types(answer.binary_media_types)
        .set_minimum_compression_size(answer.minimum_compression_size)
        .disable_execute_api_endpoint(answer.disable_execute_api_endpoint)
        .set_policy(answer.policy)
        .set_tags(answer.tags)
        .build();
    let live = read::read(&aws.read.clients, &aws.place, &api).await?;
    Ok(diff(&super::json::<RestApi>(spec)?, &super::json::<RestApi>(&live)?))
}

fn not_as_imported(spec: &RestApiSpec, differences: &[FieldChange]) -> Failure {
    let mut names: Vec<String> = differences.iter().map(FieldChange::dotted).collect();
    let more = names.len().saturating_sub(SHOWN_DIFFERENCES);
    names.truncate(SHOWN_DIFFERENCES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    Failure::new(FailureKind::Aws, format!("REST API `{}` is not what was imported into it", spec.name))
        .cause(format!("these differ: {}", names.join(", ")))
        .hint("it was not deployed, and the stage still serves its old deployment")
        .hint("if somebody else edited it just now, run this again; else compare `gwctl render` with the console")
        .hint("only on an emulator that does not import everything: `apply --no-verify`")
}

/// As many as a reader takes in at once.
const SHOWN_DIFFERENCES: usize = 5;
