//! Everything gwctl decides about an HTTP API, its routes, integrations and authorizers included.
//!
//! A route carries its integration inline, so that a plan tells what changes for each route. How many integrations API Gateway
//! holds for that is a matter of [`super::change`]: routes whose integrations are equal share one.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::tags::Tags;
use crate::model::Input;

/// An HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpApiSpec {
    /// `product-a-orders-dev`
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether the default `execute-api` host is switched off.
    pub disable_execute_api_endpoint: bool,
    /// `ipv4`, or `dualstack` for clients with IPv6 as well.
    pub ip_address_type: String,
    /// Answers to preflight requests, and headers for all others. Absent: CORS is the backends' own business.
    pub cors: Option<Cors>,
    /// JWT authorizers by name.
    pub authorizers: BTreeMap<String, JwtAuthorizer>,
    /// Routes by key: `GET /orders/{id}`, `ANY /{proxy+}`, `$default`.
    pub routes: BTreeMap<String, Route>,
    /// Integrations that no route leads to, told in words. Never wanted; read so that one made by hand, or left by an apply that
    /// died, is seen and goes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unused_integrations: BTreeSet<String>,
    /// Names of authorizers that are no JWT authorizers. Never wanted; read so that one made by hand is seen and goes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub foreign_authorizers: BTreeSet<String>,
    /// The user's tags.
    pub tags: Tags,
}

/// What browsers may do from pages of other origins. All of it is always sent: what an update leaves out may stay as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cors {
    /// Whether cookies and the like may be sent.
    pub allow_credentials: bool,
    /// Request headers, in lower case; `*` for all.
    pub allow_headers: BTreeSet<String>,
    /// Methods, in upper case; `*` for all.
    pub allow_methods: BTreeSet<String>,
    /// Origins: `https://www.example.com`, `https://*`, `*`.
    pub allow_origins: BTreeSet<String>,
    /// Response headers that scripts may read, in lower case.
    pub expose_headers: BTreeSet<String>,
    /// Seconds that browsers keep the answer to a preflight request. 0: they ask each time; -1 to 86,400.
    pub max_age_seconds: i32,
}

impl Cors {
    /// The same with names in the case that the fields ask for: to HTTP, case means nothing in names of headers (Terraform
    /// compares these lists so: hashicorp/terraform-provider-aws, `apigatewayv2/api.go`).
    #[must_use]
    pub fn normalised(self) -> Self {
        let lower = |names: BTreeSet<String>| names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Self {
            allow_headers: lower(self.allow_headers),
            allow_methods: self.allow_methods.into_iter().map(|name| name.to_ascii_uppercase()).collect(),
            allow_origins: lower(self.allow_origins),
            expose_headers: lower(self.expose_headers),
            ..self
        }
    }
}

/// An authorizer that verifies JSON Web Tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JwtAuthorizer {
    /// The `iss` of its tokens, and where their keys are found: `https://login.example.com`.
    pub issuer: String,
    /// One of these has to be in a token's `aud`, or be its `client_id`.
    pub audience: BTreeSet<String>,
    /// Where the token stands: `$request.header.Authorization`.
    pub identity_sources: BTreeSet<String>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Where its requests go.
    pub integration: Integration,
    /// The name of the authorizer that its requests have to pass.
    pub authorizer: Option<String>,
    /// One of these has to be in a token's scopes. None: a valid token suffices.
    pub scopes: BTreeSet<String>,
    /// What somebody set by hand and no spec asks for, told in words. Never wanted; an update takes it away.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub foreign_settings: BTreeSet<String>,
}

impl Route {
    /// A route that everybody may call.
    #[must_use]
    pub fn open(integration: Integration) -> Self {
        Self { integration, authorizer: None, scopes: BTreeSet::new(), foreign_settings: BTreeSet::new() }
    }

    /// A route for those whose tokens pass an authorizer, with one of these scopes if there are any.
    #[must_use]
    pub fn guarded(integration: Integration, authorizer: &str, scopes: BTreeSet<String>) -> Self {
        Self { authorizer: Some(authorizer.to_owned()), scopes, ..Self::open(integration) }
    }
}

/// Where requests go: an HTTP backend, reached through a VPC link or the Internet. A route without a target reads as one to an
/// empty URI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Integration {
    /// Through a VPC link, the ARN of a load balancer's listener; else a URL.
    pub uri: Input,
    /// The method the backend is called with; `ANY` passes on the client's.
    pub method: String,
    /// The id of the VPC link. None: over the Internet.
    pub connection: Option<Input>,
    /// The name that the backend's certificate is checked for. It makes API Gateway speak HTTPS to a listener. Only with a VPC
    /// link: without one, API Gateway takes it and does not keep it.
    pub server_name_to_verify: Option<String>,
    /// Milliseconds until 503; 50 to 30,000 (API reference, `Integration`).
    pub timeout_ms: i32,
    /// What of a request is changed for the backend: `overwrite:path` to `$request.path`.
    pub parameters: BTreeMap<String, String>,
    /// `1.0`, the only one for HTTP backends.
    pub payload_format: String,
    /// What it is for.
    pub description: Option<String>,
    /// What somebody set by hand and no spec asks for, told in words. Never wanted; such an integration is replaced.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub foreign_settings: BTreeSet<String>,
}

/// API Gateway's limit on an integration of an HTTP API, and what it fills in (API reference, `Integration`).
pub const DEFAULT_TIMEOUT_MS: i32 = 30_000;

/// The format of what HTTP backends are sent.
pub const PAYLOAD_FORMAT: &str = "1.0";

impl Integration {
    /// An integration that passes on every request as it is, over the Internet, with API Gateway's own time limit.
    #[must_use]
    pub fn to(uri: impl Into<Input>) -> Self {
        Self {
            uri: uri.into(),
            method: "ANY".to_owned(),
            connection: None,
            server_name_to_verify: None,
            timeout_ms: DEFAULT_TIMEOUT_MS,
            parameters: BTreeMap::new(),
            payload_format: PAYLOAD_FORMAT.to_owned(),
            description: None,
            foreign_settings: BTreeSet::new(),
        }
    }

    /// The same through a VPC link, to a listener.
    #[must_use]
    pub fn through(link: Input, listener: impl Into<Input>) -> Self {
        Self { connection: Some(link), ..Self::to(listener) }
    }
}
