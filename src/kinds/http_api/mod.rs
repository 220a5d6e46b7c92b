//! `http-api`: an HTTP API with its routes, integrations, authorizers and CORS.
//!
//! Only the API takes tags (aws-facts A), so all that belongs to it is one resource. An API is created, tagged, with one call;
//! its children follow one by one ([`change`]), in an order in which every state on the way answers every request. An apply that
//! dies in between leaves an API without a digest, whose children the next one looks at before it goes on.

mod change;
mod deployed;
mod read;
pub mod spec;
mod write;

use std::time::Duration;

use aws_sdk_apigatewayv2::types::{Api as LiveApi, Cors as LiveCors, IpAddressType, ProtocolType};
use futures::future::try_join_all;

use super::http_vpc_link::{tag, untag};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

pub(super) use deployed::deployed;
use deployed::serving;
use spec::Cors;
pub use spec::HttpApiSpec;
use write::Work;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct HttpApi;

/// How long to go on when somebody else modifies the API at the same time.
const OTHERS_WRITE: Duration = Duration::from_mins(1);

/// Answers that had no effect: come back.
const NOT_YET: [retry::NotYet; 1] = [retry::CONCURRENT_MODIFICATION];

/// An API of the owner, among all of the Region.
pub(super) struct OwnApi {
    /// Its id.
    pub(super) id: String,
    /// Its address.
    pub(super) address: Address,
}

/// The owner's APIs: the parents of stages.
pub(super) async fn own_apis(aws: &ReadAws, owner: &Owner) -> Result<Vec<OwnApi>> {
    let mut found = Vec::new();
    for api in aws.http_apis().await?.iter() {
        if let Ownership::Ours { address, .. } = tags::ownership(&read::all_tags(api), owner) {
            found.push(OwnApi { id: given("id of an HTTP API", api.api_id())?.to_owned(), address });
        }
    }
    Ok(found)
}

/// The host that an API has by itself.
pub(super) fn host(place: &Place, id: &str) -> String {
    format!("{id}.execute-api.{}.{}", place.region, place.dns_suffix())
}

fn outputs(place: &Place, id: &str) -> Outputs {
    Outputs::from_iter([
        ("id", id.to_owned()),
        ("arn", format!("arn:{}:apigateway:{}::/apis/{id}", place.partition, place.region)),
        ("execution_arn", place.arn("execute-api", &place.region, id)),
        ("api_endpoint", format!("https://{}", host(place, id))),
    ])
}

async fn observe_one(aws: &ReadAws, scope: &Scope, api: &LiveApi) -> Result<Observed<HttpApiSpec>> {
    let id = given("id of an HTTP API", api.api_id())?;
    let children = read::children(&aws.clients, id).await?;
    Ok(Observed {
        name: given("name of an HTTP API", api.name())?.to_owned(),
        within: None,
        spec: read::spec(api, &children)?,
        outputs: outputs(&aws.place, id),
        ownership: tags::ownership(&read::all_tags(api), &scope.owner),
        created: api.created_date().map(aws_smithy_types::DateTime::secs),
        in_use_by: None,
    })
}

impl Kind for HttpApi {
    type Spec = HttpApiSpec;
    const NAME: &'static str = "http-api";
    const CALLS: Calls = Calls {
        seeks: &["apigatewayv2:GetApis"],
        with: &[],
        reads: &[
            "apigatewayv2:GetAuthorizers",
            "apigatewayv2:GetDeployment",
            "apigatewayv2:GetIntegrations",
            "apigatewayv2:GetRoutes",
            "apigatewayv2:GetStages",
        ],
        writes: &[
            "apigatewayv2:CreateApi",
            "apigatewayv2:CreateAuthorizer",
            "apigatewayv2:CreateIntegration",
            "apigatewayv2:CreateRoute",
            "apigatewayv2:DeleteApi",
            "apigatewayv2:DeleteAuthorizer",
            "apigatewayv2:DeleteCorsConfiguration",
            "apigatewayv2:DeleteIntegration",
            "apigatewayv2:DeleteRoute",
            "apigatewayv2:TagResource",
            "apigatewayv2:UntagResource",
            "apigatewayv2:UpdateApi",
            "apigatewayv2:UpdateAuthorizer",
            "apigatewayv2:UpdateIntegration",
            "apigatewayv2:UpdateRoute",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &[];

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<HttpApiSpec>>> {
        let all = aws.http_apis().await?;
        let reads = all
            .iter()
            .filter(|api| {
                let ours = matches!(tags::ownership(&read::all_tags(api), &scope.owner), Ownership::Ours { .. });
                ours || scope.names().any(|name| api.name() == Some(name))
            })
            .map(|api| observe_one(aws, scope, api));
        try_join_all(reads).await
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &HttpApiSpec) -> Result<Outputs> {
        let name = &spec.name;
        let all = tags::at_birth(identity, &spec.tags);
        let create = || {
            let call = aws
                .write
                .apigatewayv2
                .create_api()
                .name(name)
                .protocol_type(ProtocolType::Http)
                .set_description(spec.description.clone())
                .disable_execute_api_endpoint(spec.disable_execute_api_endpoint)
                .ip_address_type(IpAddressType::from(spec.ip_address_type.as_str()))
                .set_cors_configuration(spec.cors.as_ref().map(cors))
                .set_tags(Some(all.clone().into_iter().collect()));
            async move { call.customize().config_override(retry::once_apigatewayv2()).send().await.map(|api| api.api_id) }
        };
        let find = || async {
            let found = own_apis(&aws.read.anew(), &identity.owner).await?;
            Ok(found.into_iter().find(|api| api.address == identity.address).map(|api| Some(api.id)))
        };
        let id = retry::create_once(&format!("create HTTP API `{name}`"), create, find).await?;
        let id = given("id of the new HTTP API", id)?;
        refuse_twin(aws, identity, &id).await?;
        Box::pin(bring_up(aws, &id, spec)).await?;
        Ok(outputs(&aws.place, &id))
    }

    async fn update(&self, aws: &Aws, live: &Observed<HttpApiSpec>, spec: &HttpApiSpec) -> Result<Outputs> {
        let id = live.outputs.required("id")?;
        let HttpApiSpec {
            name,
            description,
            disable_execute_api_endpoint,
            ip_address_type,
            cors: sharing,
            authorizers: _, // these are compared with what is there now
            routes: _,
            unused_integrations: _,
            foreign_authorizers: _,
            tags: user,
        } = spec;
        let old = &live.spec;
        let before = serving(aws, id).await?;
        let call = aws.write.apigatewayv2.update_api().api_id(id);
        let call = call.set_name((old.name != *name).then(|| name.clone()));
        // An empty text takes a description away (hashicorp/terraform-provider-aws, `apigatewayv2/api.go`).
        let call =
            call.set_description((old.description != *description).then(|| description.clone().unwrap_or_default()));
        let call = call.set_disable_execute_api_endpoint(
            (old.disable_execute_api_endpoint != *disable_execute_api_endpoint)
                .then_some(*disable_execute_api_endpoint),
        );
        let call = call.set_ip_address_type(
            (old.ip_address_type != *ip_address_type).then(|| IpAddressType::from(ip_address_type.as_str())),
        );
        let shared = sharing.as_ref().filter(|_| old.cors != *sharing);
        let call = call.set_cors_configuration(shared.map(cors));
        // Whether there is anything in it but the id.
        if *call.as_input() != aws.write.apigatewayv2.update_api().api_id(id).as_input().clone() {
            let answer = retry::until_ready(OTHERS_WRITE, &NOT_YET, || call.clone().send()).await;
            answer.map_err(|error| failed(&format!("update HTTP API `{name}`"), error))?;
        }
        if sharing.is_none() && old.cors.is_some() {
            remove_cors(aws, id, name).await?;
        }
        self.retag(aws, &live.outputs, &old.tags, user).await?;
        let moved = Box::pin(bring_up(aws, id, spec)).await?;
        if moved || old.cors != *sharing {
            deployed(aws, id, None, Some(&before)).await?;
        }
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<HttpApiSpec>) -> Result<()> {
        let id = live.outputs.required("id")?;
        let call = || aws.write.apigatewayv2.delete_api().api_id(id).send();
        match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete HTTP API `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    /// The digest says that the work is done. It is not while a stage could not take it over: the next apply would go on, and
    /// take away the VPC link that the stage still sends its requests through.
    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        deployed(aws, outputs.required("id")?, None, None).await?;
        self.tag(aws, outputs, tags::record(identity, digest)).await
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        untag(aws, outputs, keys).await
    }
}

/// All of it, each time: whether an update keeps what it does not name is nowhere written.
fn cors(wanted: &Cors) -> LiveCors {
    let Cors { allow_credentials, allow_headers, allow_methods, allow_origins, expose_headers, max_age_seconds } =
        wanted;
    LiveCors::builder()
        .allow_credentials(*allow_credentials)
        .set_allow_headers(Some(allow_headers.iter().cloned().collect()))
        .set_allow_methods(Some(allow_methods.iter().cloned().collect()))
        .set_allow_origins(Some(allow_origins.iter().cloned().collect()))
        .set_expose_headers(Some(expose_headers.iter().cloned().collect()))
        .max_age(*max_age_seconds)
        .build()
}

async fn remove_cors(aws: &Aws, id: &str, name: &str) -> Result<()> {
    let call = || aws.write.apigatewayv2.delete_cors_configuration().api_id(id).send();
    match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
        Err(error) if !is_not_found(&error) => {
            Err(failed(&format!("delete the CORS configuration of HTTP API `{name}`"), error))
        }
        _ => Ok(()),
    }
}

/// Turns the children that are there now into those that are wanted: what a plan saw of them may be older, and what an apply
/// that died has left has ids that no spec has. Whether anything had to be done.
async fn bring_up(aws: &Aws, id: &str, spec: &HttpApiSpec) -> Result<bool> {
    let live = read::children(&aws.read.clients, id).await?;
    let changes = change::changes(&live, spec);
    let moved = !changes.steps.is_empty();
    Box::pin(Work::carry_out(aws, id, changes)).await?;
    Ok(moved)
}

/// Two applies at once would each make an API, because names are not unique. Both then see two; all but the first, by the
/// order of their ids, take their own back.
async fn refuse_twin(aws: &Aws, identity: &Identity, id: &str) -> Result<()> {
    let own = own_apis(&aws.read.anew(), &identity.owner).await?;
    let first = own.iter().filter(|api| api.address == identity.address).map(|api| api.id.as_str()).min();
    if first.is_none_or(|first| first == id) {
        return Ok(());
    }
    let call = || aws.write.apigatewayv2.delete_api().api_id(id).send();
    let deleted = retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await;
    deleted.map_err(|error| failed(&format!("take back HTTP API {id}, which is a second one"), error))?;
    Err(Failure::new(FailureKind::Refused, format!("another apply of {} is running", identity.owner))
        .hint("wait until it is done, then run this again"))
}
