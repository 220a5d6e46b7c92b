//! What the second version of API Gateway holds in one Region.
//!
//! Custom domain names and API mappings are not here: they are the first version's objects too, and it keeps them.

mod authorizer;
mod integration;
mod stage;
mod vpc_link;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use authorizer::{Authorizer, AuthorizerType, JwtConfiguration};
pub use integration::{Integration, TlsConfig};
pub use stage::{AccessLogSettings, RouteSettings, Stage};
pub use vpc_link::VpcLink;

/// A map from names to strings: tags, variables, parameter mappings.
pub type Strings = BTreeMap<String, String>;

/// Everything of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The HTTP APIs, oldest first.
    pub apis: Vec<Api>,
    /// VPC links, oldest first.
    pub vpc_links: Vec<VpcLink>,
}

/// One HTTP API.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// Ten lower-case letters and digits.
    pub id: String,
    /// Seconds since the epoch.
    pub created: f64,
    /// The name; several APIs may have it.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// Whether the execute-api host name is closed.
    pub disable_execute_api_endpoint: bool,
    /// `ipv4` or `dualstack`.
    pub ip_address_type: String,
    /// Tags.
    pub tags: Strings,
    /// What is edited, and what a deployment freezes.
    pub definition: Definition,
    /// Deployments, oldest first.
    pub deployments: Vec<Deployment>,
    /// Stages by name.
    pub stages: BTreeMap<String, Stage>,
}

/// The editable part of an API: all that a request is served by, once it is deployed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// How requests of other origins are answered; none leaves that to the integrations.
    pub cors: Option<Cors>,
    /// Routes, oldest first.
    pub routes: Vec<Route>,
    /// Integrations, oldest first.
    pub integrations: Vec<Integration>,
    /// Authorizers, oldest first.
    pub authorizers: Vec<Authorizer>,
}

/// A CORS configuration, as the service shows it: what was not given is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cors {
    /// Whether credentials may come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
    /// Headers that a request may have, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Methods that a request may have, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Origins that a request may come from, or `*`; also `https://*` and `http://*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
    /// Headers of answers that a script may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// Seconds that a browser may keep the answer to a preflight; -1 forbids it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
}

/// A route: which requests go to which integration, and who may send them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Seven lower-case letters and digits.
    pub route_id: String,
    /// `GET /pets/{id}`, `ANY /{proxy+}` or `$default`.
    pub route_key: String,
    /// `integrations/ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `NONE`, `JWT`, `CUSTOM` or `AWS_IAM`.
    pub authorization_type: String,
    /// The authorizer of `JWT` and `CUSTOM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<String>,
    /// Scopes of which a token needs one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_scopes: Vec<String>,
    /// The operation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// Always false: HTTP APIs have no API keys.
    pub api_key_required: bool,
}

/// A frozen copy of a definition, which a stage serves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Six lower-case letters and digits.
    pub id: String,
    /// Seconds since the epoch.
    pub created: f64,
    /// The description.
    pub description: Option<String>,
    /// Whether a stage that deploys by itself made it.
    pub auto_deployed: bool,
    /// The API as it was.
    pub snapshot: Definition,
}

impl State {
    /// An API by its id.
    #[must_use]
    pub fn api(&self, id: &str) -> Option<&Api> {
        self.apis.iter().find(|api| api.id == id)
    }

    /// A VPC link by its id.
    #[must_use]
    pub fn vpc_link(&self, id: &str) -> Option<&VpcLink> {
        self.vpc_links.iter().find(|link| link.vpc_link_id == id)
    }

    /// Whether a VPC link is in a security group.
    #[must_use]
    pub fn uses_group(&self, id: &str) -> bool {
        self.vpc_links.iter().any(|link| link.security_group_ids.iter().any(|group| group == id))
    }

    /// Whether a VPC link is in a subnet.
    #[must_use]
    pub fn uses_subnet(&self, id: &str) -> bool {
        self.vpc_links.iter().any(|link| link.subnet_ids.iter().any(|subnet| subnet == id))
    }
}

impl Api {
    /// A deployment by its id.
    #[must_use]
    pub fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.id == id)
    }

    /// What a stage serves; none before its first deployment.
    #[must_use]
    pub fn served(&self, stage: &str) -> Option<&Definition> {
        let deployment = self.stages.get(stage)?.deployment_id.as_deref()?;
        self.deployment(deployment).map(|deployment| &deployment.snapshot)
    }
}

impl Definition {
    /// An integration by its id.
    #[must_use]
    pub fn integration(&self, id: &str) -> Option<&Integration> {
        self.integrations.iter().find(|integration| integration.integration_id == id)
    }

    /// An authorizer by its id.
    #[must_use]
    pub fn authorizer(&self, id: &str) -> Option<&Authorizer> {
        self.authorizers.iter().find(|authorizer| authorizer.authorizer_id == id)
    }

    /// A route by its id.
    #[must_use]
    pub fn route(&self, id: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.route_id == id)
    }
}

impl Route {
    /// The id of the integration that it leads to.
    #[must_use]
    pub fn integration_id(&self) -> Option<&str> {
        self.target.as_deref()?.strip_prefix("integrations/")
    }
}
