//! What a stage of an HTTP API serves, made ready once for all its requests.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;

use super::jwt::{Authorizer, IdentitySource};
use super::mapping::Mapping;
use super::routes::Pattern;
use crate::sandbox::apigatewayv2::state::{self, Cors};
use crate::sandbox::execute_api::access_log::Format;
use crate::sandbox::execute_api::expression::Interpolation;
use crate::sandbox::execute_api::stage::{AccessLog, Place, WebAcl};
use crate::sandbox::execute_api::throttle::Limits;
use crate::sandbox::wire::partition;
use crate::sandbox::world::{self, World};

/// What the account lets through where a stage sets one limit of two (API Gateway quotas: 10,000 requests per second, a burst
/// of 5,000).
const ACCOUNT: Limits = Limits { rate: 10_000.0, burst: 5_000 };

/// One stage.
#[derive(Debug)]
pub(in crate::sandbox::execute_api) struct Served {
    pub(super) place: Place,
    pub(super) api_id: String,
    pub(super) stage_name: String,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) routes: Vec<Route>,
    /// By id; the error says why one can't be asked.
    pub(super) authorizers: BTreeMap<String, Result<Authorizer, String>>,
    pub(super) cors: Option<Cors>,
    pub(super) access_log: Option<AccessLog>,
    /// Whether the API's own host name is closed.
    pub(in crate::sandbox::execute_api) host_closed: bool,
}

/// One route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) key: String,
    pub(super) pattern: Pattern,
    pub(super) access: Access,
    pub(super) limits: Option<Limits>,
    pub(super) integration: Result<Integration, String>,
}

/// Who may use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// Who has a token that the authorizer takes, with one of the scopes.
    Jwt { authorizer: String, scopes: Vec<String> },
    /// Who signs. The sandbox does not verify signatures anywhere.
    Iam,
    /// Whom a function lets, which is not served here.
    Function,
}

/// What is behind a route.
#[derive(Debug)]
pub(super) struct Integration {
    /// The method towards the backend; none passes the client's on.
    pub(super) method: Option<Method>,
    pub(super) target: Target,
    pub(super) requests: Vec<Mapping>,
    /// By the backend's status.
    pub(super) answers: BTreeMap<u16, Vec<Mapping>>,
    pub(super) timeout: Duration,
}

/// Where a backend is.
#[derive(Debug)]
pub(super) enum Target {
    /// At a URL, which may have stage variables and path parameters in it.
    Url(Interpolation),
    /// Behind a VPC link.
    Private(Private),
}

/// A backend behind a VPC link.
#[derive(Debug)]
pub(super) struct Private {
    /// The VPC link, and from when on it is available, in seconds since the epoch; none if it is gone.
    pub(super) link: String,
    pub(super) available_from: Option<f64>,
    /// The ARN of the listener, or of a Cloud Map service.
    pub(super) listener: String,
    /// The DNS name of its load balancer, if that is there.
    pub(super) dns_name: Option<String>,
    /// The name in the backend's certificate; none calls it without TLS.
    pub(super) server_name: Option<String>,
    /// The web ACL before the load balancer.
    pub(super) web_acl: Option<WebAcl>,
}

impl Served {
    /// A stage by the id of its API, which is the only one of all accounts and Regions, and its name. None before its first
    /// deployment.
    pub(in crate::sandbox::execute_api) fn find(world: &World, api: &str, stage: &str) -> Option<Self> {
        for (account, held) in &world.accounts {
            for (region, services) in &held.regions {
                let Some(api) = services.apigatewayv2.api(api) else { continue };
                let place =
                    Place { account: account.clone(), region: region.clone(), partition: partition(region).to_owned() };
                return Self::read(place, services, api, stage);
            }
        }
        None
    }

    fn read(place: Place, services: &world::Region, api: &state::Api, stage_name: &str) -> Option<Self> {
        let (stage, definition) = (api.stages.get(stage_name)?, api.served(stage_name)?);
        let authorizers = definition.authorizers.iter().map(|one| (one.authorizer_id.clone(), authorizer(one)));
        let access_log = stage.access_log_settings.as_ref().and_then(|settings| {
            let format = log_format(settings.format.as_deref()?, stage_name);
            Some(AccessLog::new(format, settings.destination_arn.as_deref(), &api.id, stage_name))
        });
        Some(Self {
            place,
            api_id: api.id.clone(),
            stage_name: stage_name.to_owned(),
            variables: stage.stage_variables.clone(),
            routes: definition
                .routes
                .iter()
                .filter_map(|route| Route::read(services, definition, stage, route))
                .collect(),
            authorizers: authorizers.collect(),
            cors: definition.cors.clone(),
            access_log,
            host_closed: api.disable_execute_api_endpoint,
        })
    }
}

/// The access log's format. A name that is none of API Gateway's is written as `-` there too, and nobody would notice.
fn log_format(text: &str, stage: &str) -> Format {
    let format = Format::parse(text);
    for name in format.unknown().into_iter().filter(|name| !super::context::OF_HTTP_APIS.contains(name)) {
        tracing::warn!("the access log of the stage {stage} names $context.{name}, which HTTP APIs do not know");
    }
    format
}

fn authorizer(one: &state::Authorizer) -> Result<Authorizer, String> {
    let missing = |what: &str| format!("the authorizer {} has no {what}", one.name);
    let jwt =
        one.jwt_configuration.as_ref().ok_or_else(|| missing("JWT configuration: functions are not asked here"))?;
    let source = one.identity_source.first().and_then(|source| IdentitySource::parse(source));
    Ok(Authorizer {
        name: one.name.clone(),
        source: source.ok_or_else(|| missing("identity source"))?,
        issuer: jwt.issuer.clone().ok_or_else(|| missing("issuer"))?,
        audience: jwt.audience.clone(),
    })
}

impl Route {
    fn read(
        services: &world::Region,
        definition: &state::Definition,
        stage: &state::Stage,
        route: &state::Route,
    ) -> Option<Self> {
        let access = match route.authorization_type.as_str() {
            "NONE" => Access::Open,
            "JWT" => Access::Jwt {
                // One that names no authorizer finds none, and lets nobody pass.
                authorizer: route.authorizer_id.clone().unwrap_or_default(),
                scopes: route.authorization_scopes.clone(),
            },
            "AWS_IAM" => Access::Iam,
            _ => Access::Function,
        };
        let integration = route.integration_id().and_then(|id| definition.integration(id));
        let integration = integration.ok_or_else(|| "the route has no integration".to_owned());
        Some(Self {
            key: route.route_key.clone(),
            pattern: Pattern::parse(&route.route_key)?,
            access,
            limits: limits(stage, &route.route_key),
            integration: integration.and_then(|integration| Integration::read(services, integration)),
        })
    }
}

/// The limits of a route: its own, else those of all routes.
fn limits(stage: &state::Stage, key: &str) -> Option<Limits> {
    let (own, all) = (stage.route_settings.get(key), &stage.default_route_settings);
    let rate = own.and_then(|own| own.throttling_rate_limit).or(all.throttling_rate_limit);
    let burst = own.and_then(|own| own.throttling_burst_limit).or(all.throttling_burst_limit);
    (rate.is_some() || burst.is_some())
        .then(|| Limits { rate: rate.unwrap_or(ACCOUNT.rate), burst: burst.unwrap_or(ACCOUNT.burst) })
}

impl Integration {
    fn read(services: &world::Region, integration: &state::Integration) -> Result<Self, String> {
        if integration.integration_type != "HTTP_PROXY" {
            return Err(format!("the sandbox serves no integrations of type {}", integration.integration_type));
        }
        let method = match integration.integration_method.as_str() {
            "" | "ANY" => None,
            name => Some(name.parse().map_err(|_| format!("`{name}` is no HTTP method"))?),
        };
        let mappings = |held: &state::Strings| -> Result<Vec<Mapping>, String> {
            held.iter().map(|(key, value)| Mapping::parse(key, value)).collect()
        };
        let answers = integration.response_parameters.iter().map(|(status, held)| {
            let status = status.parse().map_err(|_| format!("`{status}` is no status"))?;
            Ok((status, mappings(held)?))
        });
        let target = if integration.is_private() {
            Target::Private(Private::read(services, integration))
        } else {
            Target::Url(Interpolation::of_uri(&integration.integration_uri))
        };
        Ok(Self {
            method,
            target,
            requests: mappings(&integration.request_parameters)?,
            answers: answers.collect::<Result<_, String>>()?,
            timeout: Duration::from_millis(u64::try_from(integration.timeout_in_millis).unwrap_or(30_000)),
        })
    }
}

impl Private {
    fn read(services: &world::Region, integration: &state::Integration) -> Self {
        let link = integration.connection_id.clone().unwrap_or_default();
        let listener = integration.integration_uri.clone();
        let balancer = balancer_of(&listener);
        let acl = balancer.as_deref().and_then(|arn| services.wafv2.of_balancer(arn));
        Self {
            available_from: services.apigatewayv2.vpc_link(&link).map(|link| link.pending_until),
            link,
            dns_name: balancer.and_then(|arn| services.elbv2.dns_name(&arn).map(str::to_owned)),
            server_name: integration.tls_config.as_ref().and_then(|tls| tls.server_name_to_verify.clone()),
            web_acl: acl.and_then(|arn| WebAcl::find(services, arn)),
            listener,
        }
    }
}

/// The ARN of the load balancer that has a listener: `…:listener/app/NAME/ID/LISTENER` → `…:loadbalancer/app/NAME/ID`.
fn balancer_of(listener: &str) -> Option<String> {
    let (before, rest) = listener.split_once(":listener/")?;
    let (balancer, _) = rest.rsplit_once('/')?;
    Some(format!("{before}:loadbalancer/{balancer}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::apigatewayv2::state::{RouteSettings, Stage};

    #[test]
    fn a_listener_names_its_balancer() {
        let listener = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/main/50dc/f2f7";
        assert_eq!(
            balancer_of(listener).unwrap(),
            "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/main/50dc"
        );
        assert_eq!(balancer_of("arn:aws:servicediscovery:eu-west-1:1:service/srv-1"), None);
    }

    #[test]
    fn limits_that_are_not_set_are_the_accounts_and_zero_is_a_limit() {
        let settings = |rate, burst| RouteSettings {
            throttling_rate_limit: rate,
            throttling_burst_limit: burst,
            ..RouteSettings::default()
        };
        let mut stage = Stage::default();
        assert_eq!(limits(&stage, "GET /a"), None);
        stage.default_route_settings = settings(Some(5.0), None);
        assert_eq!(limits(&stage, "GET /a"), Some(Limits { rate: 5.0, burst: 5_000 }));
        stage.route_settings.insert("GET /a".into(), settings(None, Some(0)));
        assert_eq!(limits(&stage, "GET /a"), Some(Limits { rate: 5.0, burst: 0 }));
        assert_eq!(limits(&stage, "GET /b"), Some(Limits { rate: 5.0, burst: 5_000 }));
    }
}
