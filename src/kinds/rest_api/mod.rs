//! `rest-api`: a REST API, imported from the OpenAPI document that its spec makes.
//!
//! `CreateRestApi` takes tags and `ImportRestApi` does not (aws-facts A), so an API is first created, tagged, and then put:
//! an orphan without tags can't come to be. After a put the API is read back and compared: a put is idempotent but not
//! atomic (aws-facts B), and an API that is not what was put is never deployed.

pub mod document;
mod read;
pub mod spec;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{
    ApiKeySourceType, EndpointConfiguration, EndpointType, Op, PatchOperation, PutMode, RestApi as LiveApi,
};
use futures::future::try_join_all;

use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::{Aws, ReadAws, failed, retry, tags};
use crate::error::{Failure, FailureKind, Result};
use crate::model::diff::{FieldChange, diff};
use crate::model::{Digest, Identity, Observed, Outputs, Owner, Ownership, Place};

pub use document::document;
pub use spec::RestApiSpec;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct RestApi;

/// How long to go on when somebody else modifies the API at the same time.
const OTHERS_WRITE: Duration = Duration::from_mins(1);

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
            found.push(OwnApi { id: api.id().unwrap_or_default().to_owned(), address });
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
    let id = api.id().unwrap_or_default();
    Ok(Observed {
        name: api.name().unwrap_or_default().to_owned(),
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
        let endpoint = EndpointConfiguration::builder().types(EndpointType::from(spec.endpoint_type.as_str())).build();
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
        let id = id.ok_or_else(|| Failure::new(FailureKind::Aws, format!("AWS gave REST API `{name}` no id")))?;
        put(aws, &id, spec).await?;
        aws.tolerate(verify(aws, &id, spec).await)?;
        Ok(outputs(&aws.place, &id))
    }

    async fn update(&self, aws: &Aws, live: &Observed<RestApiSpec>, spec: &RestApiSpec) -> Result<Outputs> {
        let id = live.outputs.get("id").unwrap_or_default();
        let mut patches = Vec::new();
        if live.spec.endpoint_type != spec.endpoint_type {
            patches.push(replace(
                &format!("/endpointConfiguration/types/{}", live.spec.endpoint_type),
                &spec.endpoint_type,
            ));
        }
        if live.spec.disable_execute_api_endpoint != spec.disable_execute_api_endpoint {
            patches.push(replace("/disableExecuteApiEndpoint", &spec.disable_execute_api_endpoint.to_string()));
        }
        if !patches.is_empty() {
            let call = aws.write.apigateway.update_rest_api().rest_api_id(id).set_patch_operations(Some(patches));
            call.send().await.map_err(|error| failed(&format!("update REST API `{}`", spec.name), error))?;
        }
        let arn = arn(&aws.place, id);
        let (set, remove) = tags::changes(&live.spec.tags, &spec.tags);
        if !set.is_empty() {
            let call = aws.write.apigateway.tag_resource().resource_arn(&arn).set_tags(Some(set.into_iter().collect()));
            call.send().await.map_err(|error| failed(&format!("tag REST API `{}`", spec.name), error))?;
        }
        if !remove.is_empty() {
            let call = aws.write.apigateway.untag_resource().resource_arn(&arn).set_tag_keys(Some(remove));
            call.send().await.map_err(|error| failed(&format!("untag REST API `{}`", spec.name), error))?;
        }
        // The document carries everything else. The old one is written from what was read, so that a change by hand
        // to anything in it is put right too.
        if document(&live.spec) != document(spec) || differs_beyond_document(&live.spec, spec) {
            put(aws, id, spec).await?;
        }
        aws.tolerate(verify(aws, id, spec).await)?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<RestApiSpec>) -> Result<()> {
        let id = live.outputs.get("id").unwrap_or_default();
        match aws.write.apigateway.delete_rest_api().rest_api_id(id).send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete REST API `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        let id = outputs.get("id").unwrap_or_default();
        let all = tags::record(identity, digest).into_iter().collect();
        let call = aws.write.apigateway.tag_resource().resource_arn(arn(&aws.place, id)).set_tags(Some(all));
        let answer = call.send().await.map_err(|error| failed(&format!("record the digest of REST API {id}"), error));
        aws.tolerate(answer.map(drop))
    }
}

fn replace(path: &str, value: &str) -> PatchOperation {
    PatchOperation::builder().op(Op::Replace).path(path).value(value).build()
}

/// What a document does not show but an overwrite puts right: models and validators added by hand.
fn differs_beyond_document(live: &RestApiSpec, spec: &RestApiSpec) -> bool {
    live.routes != spec.routes
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
            .fail_on_warnings(!aws.tolerant)
            .body(Blob::new(body.as_bytes()))
            .send()
    };
    let answer = retry::until_ready(OTHERS_WRITE, &[retry::CONCURRENT_MODIFICATION], call).await;
    answer.map_err(|error| {
        failed(&format!("import the document into REST API `{}`", spec.name), error)
            .hint("the stage still serves its old deployment; `gwctl render` prints the document that was refused")
    })?;
    Ok(())
}

/// Reads the API back and compares. What was put and did not arrive would otherwise be deployed: an API without its policy
/// or its authorizers is open to everybody.
async fn verify(aws: &Aws, id: &str, spec: &RestApiSpec) -> Result<()> {
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
    let json = |spec: &RestApiSpec| {
        serde_json::to_value(spec).map_err(|error| Failure::internal("a REST API spec is no JSON").because(&error))
    };
    let differences = diff(&json(spec)?, &json(&live)?);
    if differences.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = differences.iter().map(FieldChange::dotted).collect();
    let more = names.len().saturating_sub(SHOWN_DIFFERENCES);
    names.truncate(SHOWN_DIFFERENCES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    Err(Failure::new(FailureKind::Aws, format!("REST API `{}` is not what was imported into it", spec.name))
        .cause(format!("these differ: {}", names.join(", ")))
        .hint("it was not deployed, and the stage still serves its old deployment")
        .hint("if somebody else edited it just now, run this again; else compare `gwctl render` with the console")
        .hint("an emulator that does not import everything needs `apply --no-verify`"))
}

/// As many as a reader takes in at once.
const SHOWN_DIFFERENCES: usize = 5;
