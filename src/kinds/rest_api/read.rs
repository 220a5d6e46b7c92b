//! Reads a REST API as API Gateway holds it back into its spec.
//!
//! What is read is the *editable* API, not the deployed snapshot (aws-facts B): a method changed by hand in the console is
//! seen even before anybody deploys it. What API Gateway fills in by itself reads as the value it fills in.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_apigateway::types as sdk;
use serde_json::Value;

use super::spec::{
    Authorizer, DEFAULT_TIMEOUT_MS, DEFAULT_TTL_SECONDS, GatewayResponse, Integration, IntegrationResponse, Method,
    MethodResponse, RestApiSpec,
};
use crate::aws::tags::{self, Tags};
use crate::aws::{Clients, failed, given};
use crate::error::{Failure, FailureKind, Result};
use crate::model::policy::Policy;
use crate::model::{Input, Place};

/// The tags of an API.
pub(super) fn all_tags(api: &sdk::RestApi) -> Tags {
    api.tags().map(|tags| tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()).unwrap_or_default()
}

/// Reads everything below the API, side by side.
pub(super) async fn read(clients: &Clients, place: &Place, api: &sdk::RestApi) -> Result<RestApiSpec> {
    let id = given("id of a REST API", api.id())?;
    let (resources, authorizers, responses) = futures::try_join!(
        read_resources(clients, id),
        read_authorizers(clients, id),
        read_gateway_responses(clients, id),
    )?;
    let names: BTreeMap<&str, &str> = authorizers.iter().filter_map(|one| Some((one.id()?, one.name()?))).collect();
    let mut routes = BTreeMap::new();
    for resource in resources {
        let methods: BTreeMap<String, Method> = resource
            .resource_methods()
            .map(|methods| methods.iter().map(|(name, live)| (name.clone(), method(live, &names))).collect())
            .unwrap_or_default();
        routes.insert(given("path of a resource", resource.path)?, methods);
    }
    drop_ways(&mut routes);
    Ok(RestApiSpec {
        name: given("name of a REST API", api.name())?.to_owned(),
        description: api.description().filter(|text| !text.is_empty()).map(str::to_owned),
        endpoint_type: endpoint_type(api),
        vpc_endpoint_ids: endpoints(api),
        api_key_source: api.api_key_source().map_or("HEADER", sdk::ApiKeySourceType::as_str).to_owned(),
        binary_media_types: api.binary_media_types().iter().cloned().collect(),
        minimum_compression_size: api.minimum_compression_size(),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint(),
        policy: policy(place, id, api.policy())?,
        authorizers: authorizers.iter().map(authorizer).collect::<Result<_>>()?,
        gateway_responses: responses.iter().filter_map(gateway_response).collect(),
        routes,
        tags: tags::of_user(&all_tags(api)),
    })
}

/// A resource without methods that only leads to others comes and goes with them, and the root is always there. One that
/// leads nowhere was made by hand: an import makes none.
fn drop_ways(routes: &mut BTreeMap<String, BTreeMap<String, Method>>) {
    let paths: Vec<String> = routes.keys().cloned().collect();
    let leads =
        |path: &str| paths.iter().any(|other| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')));
    routes.retain(|path, methods| !methods.is_empty() || path != "/" && !leads(path));
}

fn endpoint_type(api: &sdk::RestApi) -> String {
    let types = api.endpoint_configuration().map(sdk::EndpointConfiguration::types).unwrap_or_default();
    types.first().map_or("EDGE", sdk::EndpointType::as_str).to_owned()
}

fn endpoints(api: &sdk::RestApi) -> BTreeSet<String> {
    let ids = api.endpoint_configuration().map(sdk::EndpointConfiguration::vpc_endpoint_ids).unwrap_or_default();
    ids.iter().cloned().collect()
}

async fn read_resources(clients: &Clients, id: &str) -> Result<Vec<sdk::Resource>> {
    // 500 a page: an API has 300 resources unless AWS raised it (aws-facts A), so one call reads them all.
    let pages = clients.apigateway.get_resources().rest_api_id(id).embed("methods").limit(500);
    let items = pages.into_paginator().items().send().try_collect().await;
    items.map_err(|error| failed(&format!("read the resources of API {id}"), error))
}

async fn read_authorizers(clients: &Clients, id: &str) -> Result<Vec<sdk::Authorizer>> {
    let answer = clients.apigateway.get_authorizers().rest_api_id(id).limit(500).send().await;
    Ok(answer.map_err(|error| failed(&format!("read the authorizers of API {id}"), error))?.items.unwrap_or_default())
}

async fn read_gateway_responses(clients: &Clients, id: &str) -> Result<Vec<sdk::GatewayResponse>> {
    let answer = clients.apigateway.get_gateway_responses().rest_api_id(id).limit(500).send().await;
    let answer = answer.map_err(|error| failed(&format!("read the gateway responses of API {id}"), error))?;
    Ok(answer.items.unwrap_or_default())
}

/// API Gateway answers the policy as an escaped JSON string: `{\"Version\":…`, with `\/` for a slash (aws-facts C).
fn policy(place: &Place, id: &str, text: Option<&str>) -> Result<Option<Policy>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let broken =
        |why: String| Failure::new(FailureKind::Aws, format!("the policy of API {id} can't be read")).cause(why);
    let plain: Value = if let Ok(value) = serde_json::from_str(text) {
        value
    } else {
        let unescaped: String =
            serde_json::from_str(&format!("\"{text}\"")).map_err(|error| broken(error.to_string()))?;
        serde_json::from_str(&unescaped).map_err(|error| broken(error.to_string()))?
    };
    let mut policy = Policy::parse(&plain).map_err(broken)?;
    policy.contract(&place.arn("execute-api", &place.region, id));
    Ok(Some(policy))
}

fn authorizer(live: &sdk::Authorizer) -> Result<(String, Authorizer)> {
    let source = live.identity_source().unwrap_or_default();
    let authorizer = Authorizer {
        kind: live.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        uri: Input::from(live.authorizer_uri().unwrap_or_default()),
        credentials: live.authorizer_credentials().map(Input::from),
        identity_source: source.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        ttl_seconds: live.authorizer_result_ttl_in_seconds().unwrap_or(DEFAULT_TTL_SECONDS),
        identity_validation: live.identity_validation_expression().map(str::to_owned),
    };
    Ok((given("name of an authorizer", live.name())?.to_owned(), authorizer))
}

/// A response that API Gateway generated is nobody's decision.
fn gateway_response(live: &sdk::GatewayResponse) -> Option<(String, GatewayResponse)> {
    if live.default_response() {
        return None;
    }
    let kind = live.response_type()?.as_str().to_owned();
    let response = GatewayResponse {
        status_code: live.status_code().filter(|status| !status.is_empty()).map(str::to_owned),
        parameters: sorted(live.response_parameters()),
        templates: sorted(live.response_templates()),
    };
    Some((kind, response))
}

fn sorted<V: Clone>(map: Option<&std::collections::HashMap<String, V>>) -> BTreeMap<String, V> {
    map.map(|map| map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()).unwrap_or_default()
}

fn method(live: &sdk::Method, authorizers: &BTreeMap<&str, &str>) -> Method {
    Method {
        authorization: live.authorization_type().unwrap_or("NONE").to_owned(),
        authorizer: live.authorizer_id().map(|id| authorizers.get(id).copied().unwrap_or(id).to_owned()),
        api_key_required: live.api_key_required().unwrap_or_default(),
        request_parameters: sorted(live.request_parameters()),
        request_models: sorted(live.request_models()),
        request_validator: live.request_validator_id().map(str::to_owned),
        integration: live.method_integration().map(integration),
        responses: live
            .method_responses()
            .map(|all| all.iter().map(|(status, one)| (status.clone(), method_response(one))).collect())
            .unwrap_or_default(),
    }
}

fn method_response(live: &sdk::MethodResponse) -> MethodResponse {
    MethodResponse { parameters: sorted(live.response_parameters()), models: sorted(live.response_models()) }
}

fn integration(live: &sdk::Integration) -> Integration {
    let kind = live.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default();
    // API Gateway fills in INTERNET for the kinds that call over HTTP (recorded), and nothing for the others.
    let connection_type = live.connection_type().map(|kind| kind.as_str().to_owned());
    let connection_type = connection_type.or_else(|| kind.starts_with("HTTP").then(|| "INTERNET".to_owned()));
    Integration {
        http_method: live.http_method().map(str::to_owned),
        uri: live.uri().map(str::to_owned),
        connection_type,
        connection_id: live.connection_id().map(str::to_owned),
        credentials: live.credentials().map(str::to_owned),
        passthrough_behavior: live.passthrough_behavior().unwrap_or("WHEN_NO_MATCH").to_owned(),
        timeout_ms: match live.timeout_in_millis() {
            0 => DEFAULT_TIMEOUT_MS,
            milliseconds => milliseconds,
        },
        request_parameters: sorted(live.request_parameters()),
        request_templates: sorted(live.request_templates()),
        content_handling: live.content_handling().map(|handling| handling.as_str().to_owned()),
        cache_key_parameters: live.cache_key_parameters().iter().cloned().collect(),
        insecure_skip_verification: live.tls_config().is_some_and(sdk::TlsConfig::insecure_skip_verification),
        responses: live
            .integration_responses()
            .map(|all| all.iter().map(|(status, one)| (status.clone(), integration_response(one))).collect())
            .unwrap_or_default(),
        kind,
    }
}

fn integration_response(live: &sdk::IntegrationResponse) -> IntegrationResponse {
    IntegrationResponse {
        selection_pattern: live.selection_pattern().filter(|pattern| !pattern.is_empty()).map(str::to_owned),
        parameters: sorted(live.response_parameters()),
        templates: sorted(live.response_templates()),
        content_handling: live.content_handling().map(|handling| handling.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escaped_policy_reads_like_the_plain_one() {
        let place = Place { account: "123456789012".into(), region: "eu-central-1".into(), partition: "aws".into() };
        let plain = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:eu-central-1:123456789012:abc/*/*/actuator"}]}"#;
        let escaped = plain.replace('"', "\\\"").replace('/', "\\/");
        let read = policy(&place, "abc", Some(&escaped)).unwrap().unwrap();
        assert_eq!(Some(&read), policy(&place, "abc", Some(plain)).unwrap().as_ref());
        assert_eq!(read.statements["a"]["Resource"][0], "execute-api:/*/*/actuator");
        assert!(policy(&place, "abc", Some("{\\")).is_err());
    }
}
