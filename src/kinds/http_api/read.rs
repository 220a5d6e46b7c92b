//! Reads an HTTP API as API Gateway holds it back into its spec: the API as it can be edited, not what a stage serves of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_apigatewayv2::types as sdk;

use super::spec::{Cors, DEFAULT_TIMEOUT_MS, HttpApiSpec, Integration, JwtAuthorizer, PAYLOAD_FORMAT, Route};
use crate::aws::http_apis::every_page;
use crate::aws::tags::{self, Tags};
use crate::aws::{Clients, failed, given};
use crate::error::Result;
use crate::model::Input;

/// What belongs to an API, with the ids that a spec does not have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Children {
    /// Authorizers by id.
    pub(super) authorizers: BTreeMap<String, LiveAuthorizer>,
    /// Integrations by id.
    pub(super) integrations: BTreeMap<String, Integration>,
    /// Routes by key.
    pub(super) routes: BTreeMap<String, LiveRoute>,
}

/// An authorizer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LiveAuthorizer {
    pub(super) name: String,
    /// Absent for one of another type.
    pub(super) jwt: Option<JwtAuthorizer>,
}

/// A route.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LiveRoute {
    pub(super) id: String,
    /// The id of its integration.
    pub(super) target: Option<String>,
    /// The id of its authorizer.
    pub(super) authorizer: Option<String>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) foreign_settings: BTreeSet<String>,
}

/// The tags of an API.
pub(super) fn all_tags(api: &sdk::Api) -> Tags {
    sorted(api.tags())
}

fn sorted(map: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    map.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Reads everything below an API, side by side.
pub(super) async fn children(clients: &Clients, id: &str) -> Result<Children> {
    let client = &clients.apigatewayv2;
    let authorizers = async {
        let all = every_page!(client.get_authorizers().api_id(id));
        all.map_err(|error| failed(&format!("read the authorizers of API {id}"), error))
    };
    let routes = async {
        let all = every_page!(client.get_routes().api_id(id));
        all.map_err(|error| failed(&format!("read the routes of API {id}"), error))
    };
    let (authorizers, integrations, routes) = futures::try_join!(authorizers, integrations(clients, id), routes)?;
    let authorizers = authorizers.iter().map(|live| {
        let id = given("id of an authorizer", live.authorizer_id())?.to_owned();
        Ok((id, LiveAuthorizer { name: live.name().unwrap_or_default().to_owned(), jwt: jwt(live) }))
    });
    Ok(Children {
        authorizers: authorizers.collect::<Result<_>>()?,
        integrations,
        routes: routes.iter().map(route).collect::<Result<_>>()?,
    })
}

/// The integrations of an API, by id.
pub(super) async fn integrations(clients: &Clients, id: &str) -> Result<BTreeMap<String, Integration>> {
    let all = every_page!(clients.apigatewayv2.get_integrations().api_id(id));
    let all = all.map_err(|error| failed(&format!("read the integrations of API {id}"), error))?;
    all.iter()
        .map(|live| Ok((given("id of an integration", live.integration_id())?.to_owned(), integration(live))))
        .collect()
}

fn jwt(live: &sdk::Authorizer) -> Option<JwtAuthorizer> {
    if live.authorizer_type() != Some(&sdk::AuthorizerType::Jwt) {
        return None;
    }
    let configuration = live.jwt_configuration();
    Some(JwtAuthorizer {
        issuer: configuration.and_then(sdk::JwtConfiguration::issuer).unwrap_or_default().to_owned(),
        audience: configuration.map(sdk::JwtConfiguration::audience).unwrap_or_default().iter().cloned().collect(),
        identity_sources: live.identity_source().iter().cloned().collect(),
    })
}

fn integration(live: &sdk::Integration) -> Integration {
    let mut foreign = BTreeSet::new();
    match live.integration_type() {
        None | Some(sdk::IntegrationType::HttpProxy) => {}
        Some(other) => drop(foreign.insert(format!("type {}", other.as_str()))),
    }
    if let Some(subtype) = text(live.integration_subtype()) {
        foreign.insert(format!("subtype {subtype}"));
    }
    if let Some(role) = text(live.credentials_arn()) {
        foreign.insert(format!("credentials {role}"));
    }
    if let Some(statuses) = live.response_parameters() {
        let changed = statuses.iter().filter(|(_, parameters)| !parameters.is_empty());
        foreign.extend(changed.map(|(status, _)| format!("response parameters of {status}")));
    }
    Integration {
        uri: Input::from(live.integration_uri().unwrap_or_default()),
        method: live.integration_method().unwrap_or("ANY").to_owned(),
        connection: text(live.connection_id()).map(Input::from),
        server_name_to_verify: text(live.tls_config().and_then(sdk::TlsConfig::server_name_to_verify)),
        timeout_ms: live.timeout_in_millis().filter(|limit| *limit > 0).unwrap_or(DEFAULT_TIMEOUT_MS),
        parameters: sorted(live.request_parameters()).into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        payload_format: live.payload_format_version().unwrap_or(PAYLOAD_FORMAT).to_owned(),
        description: text(live.description()),
        foreign_settings: foreign,
    }
}

fn route(live: &sdk::Route) -> Result<(String, LiveRoute)> {
    let key = given("key of a route", live.route_key())?.to_owned();
    let authorization = live.authorization_type().unwrap_or(&sdk::AuthorizationType::None);
    let mut foreign = BTreeSet::new();
    let guarded = match authorization {
        sdk::AuthorizationType::None => false,
        sdk::AuthorizationType::Jwt => true,
        other => {
            foreign.insert(format!("authorization {}", other.as_str()));
            true
        }
    };
    if let Some(name) = text(live.operation_name()) {
        foreign.insert(format!("operation name {name}"));
    }
    let target = live.target().and_then(|target| target.strip_prefix("integrations/")).map(str::to_owned);
    let route = LiveRoute {
        id: given("id of a route", live.route_id())?.to_owned(),
        target,
        // What stays behind on an open route means nothing.
        authorizer: text(live.authorizer_id()).filter(|_| guarded),
        scopes: live.authorization_scopes().iter().filter(|_| guarded).cloned().collect(),
        foreign_settings: foreign,
    };
    Ok((key, route))
}

impl Children {
    /// The integrations that no route leads to, by id.
    pub(super) fn unused(&self) -> impl Iterator<Item = (&String, &Integration)> {
        let used: BTreeSet<&String> = self.routes.values().filter_map(|route| route.target.as_ref()).collect();
        self.integrations.iter().filter(move |(id, _)| !used.contains(id))
    }

    fn route(&self, live: &LiveRoute) -> Route {
        let target = live.target.as_ref().and_then(|id| self.integrations.get(id));
        let name = |id: &String| self.authorizers.get(id).map_or(id, |authorizer| &authorizer.name).clone();
        Route {
            integration: target.cloned().unwrap_or_else(|| Integration::to("")),
            authorizer: live.authorizer.as_ref().map(name),
            scopes: live.scopes.clone(),
            foreign_settings: live.foreign_settings.clone(),
        }
    }
}

/// An API and what belongs to it, as a spec.
pub(super) fn spec(api: &sdk::Api, children: &Children) -> Result<HttpApiSpec> {
    let authorizers = children.authorizers.values();
    let told = |(id, integration): (&String, &Integration)| {
        let uri = integration.uri.known().unwrap_or_default();
        format!("{id} to {uri}")
    };
    Ok(HttpApiSpec {
        name: given("name of an HTTP API", api.name())?.to_owned(),
        description: text(api.description()),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint().unwrap_or_default(),
        ip_address_type: api.ip_address_type().unwrap_or(&sdk::IpAddressType::Ipv4).as_str().to_owned(),
        cors: api.cors_configuration().and_then(cors),
        authorizers: authorizers.clone().filter_map(|one| Some((one.name.clone(), one.jwt.clone()?))).collect(),
        routes: children.routes.iter().map(|(key, live)| (key.clone(), children.route(live))).collect(),
        unused_integrations: children.unused().map(told).collect(),
        foreign_authorizers: authorizers.filter(|one| one.jwt.is_none()).map(|one| one.name.clone()).collect(),
        tags: tags::of_user(&all_tags(api)),
    })
}

/// A configuration that says nothing is none.
fn cors(live: &sdk::Cors) -> Option<Cors> {
    let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<String>>();
    let cors = Cors {
        allow_credentials: live.allow_credentials().unwrap_or_default(),
        allow_headers: set(live.allow_headers()),
        allow_methods: set(live.allow_methods()),
        allow_origins: set(live.allow_origins()),
        expose_headers: set(live.expose_headers()),
        max_age_seconds: live.max_age().unwrap_or_default(),
    };
    let nothing = Cors {
        allow_credentials: false,
        allow_headers: BTreeSet::new(),
        allow_methods: BTreeSet::new(),
        allow_origins: BTreeSet::new(),
        expose_headers: BTreeSet::new(),
        max_age_seconds: 0,
    };
    (cors != nothing).then(|| cors.normalised())
}
