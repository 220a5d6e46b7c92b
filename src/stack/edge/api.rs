//! The HTTP APIs of a Region: the link into its network, and for each service the API with its routes, its stage and its
//! mapping.

use std::collections::{BTreeMap, BTreeSet};

use super::{Edge, REGION};
use crate::config::edge::Service;
use crate::error::Result;
use crate::kinds::Kind as _;
use crate::kinds::api_mapping::{ApiMapping, ApiMappingSpec};
use crate::kinds::base_path_mapping;
use crate::kinds::domain_name::DomainName;
use crate::kinds::http_api::HttpApi;
use crate::kinds::http_api::spec::{Cors, HttpApiSpec, Integration, JwtAuthorizer, Route};
use crate::kinds::http_stage::{AccessLog, HttpStage, HttpStageSpec, RouteSettings, Throttling};
use crate::kinds::http_vpc_link::{HttpVpcLink, HttpVpcLinkSpec};
use crate::model::{Desired, Input, LoadBalancerPart};

/// The name of the authorizer of each API.
const AUTHORIZER: &str = "jwt";

/// The stage that stands in no path (aws-facts I).
const STAGE: &str = "$default";

/// The header that tells services who called. A client that sends one itself finds it overwritten: API Gateway takes the
/// address from the connection, unlike `X-Forwarded-For`, whose beginning is whatever the client wrote.
pub(super) const CLIENT_HEADER: &str = "client-ip";

impl Edge<'_> {
    pub(super) fn vpc_link(&self) -> Result<Desired> {
        let spec = HttpVpcLinkSpec {
            name: self.named("ingress"),
            subnet_ids: self.part(LoadBalancerPart::Subnets).into_iter().collect(),
            security_group_ids: self.part(LoadBalancerPart::SecurityGroups).into_iter().collect(),
            tags: self.tags(),
        };
        self.desired::<HttpVpcLink>("ingress", &spec)
    }

    /// The API of a service, its stage, and its mapping below the domain name.
    pub(super) fn service(&self, name: &str, service: &Service) -> Result<Vec<Desired>> {
        let mut all = vec![self.http_api(name, service)?, self.stage(name)?];
        if let Some(domain) = &self.settings.domain {
            let spec = ApiMappingSpec {
                name: base_path_mapping::name_of(&domain.name, &service.mapping),
                domain: Input::output(&self.address(DomainName::NAME, REGION), "name"),
                api: Input::output(&self.address(HttpApi::NAME, name), "id"),
                stage: Input::output(&self.address(HttpStage::NAME, name), "name"),
            };
            all.push(self.desired::<ApiMapping>(name, &spec)?);
        }
        Ok(all)
    }

    fn http_api(&self, name: &str, service: &Service) -> Result<Desired> {
        let guarded = self.settings.authorizer.is_some();
        let checked = self.settings.health_check.as_ref().filter(|check| check.service.as_deref() == Some(name));
        let routes = service.routes.iter().map(|route| {
            let mut integration = self.integration(service);
            if self.settings.allow_list.is_some() && checked.is_some_and(|check| check.asks(&route.key)) {
                // Route 53's checkers come from anywhere. Who has no such header is not asked for on the list.
                integration.parameters.remove(&format!("overwrite:header.{CLIENT_HEADER}"));
                integration.parameters.insert(format!("remove:header.{CLIENT_HEADER}"), "''".to_owned());
            }
            let made = if guarded && !route.open {
                Route::guarded(integration, AUTHORIZER, route.scopes.clone())
            } else {
                Route::open(integration)
            };
            (route.key.clone(), made)
        });
        let authorizer = self.settings.authorizer.as_ref().map(|jwt| JwtAuthorizer {
            issuer: jwt.issuer.clone(),
            audience: jwt.audience.clone(),
            identity_sources: jwt.identity_sources.iter().cloned().collect(),
        });
        let spec = HttpApiSpec {
            name: self.named(name),
            description: service.description.clone(),
            disable_execute_api_endpoint: service.disable_execute_api_endpoint,
            ip_address_type: "ipv4".to_owned(),
            cors: self.cors(),
            // One that no route asks would be there for nothing.
            authorizers: authorizer
                .filter(|_| service.routes.iter().any(|route| !route.open))
                .map(|authorizer| (AUTHORIZER.to_owned(), authorizer))
                .into_iter()
                .collect(),
            routes: routes.collect(),
            unused_integrations: BTreeSet::new(),
            foreign_authorizers: BTreeSet::new(),
            tags: self.tags(),
        };
        self.desired::<HttpApi>(name, &spec)
    }

    fn integration(&self, service: &Service) -> Integration {
        let link = Input::output(&self.address(HttpVpcLink::NAME, "ingress"), "id");
        let listener = self.part(LoadBalancerPart::Listener(self.settings.port)).into_iter().next().unwrap_or_default();
        let mut parameters = BTreeMap::from([
            ("overwrite:header.host".to_owned(), service.host.clone()),
            (format!("overwrite:header.{CLIENT_HEADER}"), "$context.identity.sourceIp".to_owned()),
        ]);
        parameters.extend(service.path.clone().map(|path| ("overwrite:path".to_owned(), path)));
        parameters.extend(service.parameters.clone());
        Integration {
            method: service.method.clone(),
            server_name_to_verify: Some(service.host.clone()),
            timeout_ms: service.timeout_ms,
            parameters,
            description: service.description.clone(),
            ..Integration::through(link, listener)
        }
    }

    fn cors(&self) -> Option<Cors> {
        let cors = self.settings.cors.as_ref()?;
        let cors = Cors {
            allow_credentials: cors.allow_credentials,
            allow_headers: cors.allow_headers.clone(),
            allow_methods: cors.allow_methods.clone(),
            allow_origins: cors.allow_origins.clone(),
            expose_headers: cors.expose_headers.clone(),
            max_age_seconds: cors.max_age_seconds.unwrap_or_default(),
        };
        Some(cors.normalised())
    }

    fn stage(&self, name: &str) -> Result<Desired> {
        let throttling =
            self.settings.throttling.map(|(rate_limit, burst_limit)| Throttling { burst_limit, rate_limit });
        let spec = HttpStageSpec {
            name: STAGE.to_owned(),
            api: Input::output(&self.address(HttpApi::NAME, name), "id"),
            auto_deploy: true,
            description: None,
            access_log: Some(AccessLog {
                destination: self.access_log_arn(),
                format: self.settings.log_format.to_line(),
            }),
            default_route_settings: RouteSettings { detailed_metrics: self.settings.detailed_metrics, throttling },
            route_settings: BTreeMap::new(),
            variables: BTreeMap::new(),
            tags: self.tags(),
        };
        self.desired::<HttpStage>(name, &spec)
    }
}
