//! What API Gateway holds in one Region, in the shapes it shows on the wire.
//!
//! A [`RestApi`] is its editable [`Definition`], the deployments (each a frozen copy of the definition) and the stages
//! that point at them. Most types serialise to exactly the JSON of the API, so that an answer is the stored value itself.

mod access;
mod domain;
mod method;
mod network;
mod stage;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use access::{ApiKey, ApiStage, QuotaSettings, ThrottleSettings, UsagePlan};
pub use domain::{BasePathMapping, DomainName, MutualTls};
pub use method::{Integration, IntegrationResponse, Method, MethodResponse, TlsConfig};
pub use network::{ClientCertificate, VpcLink};
pub use stage::{AccessLogSettings, CanarySettings, MethodSetting, Stage};

/// A map from names to strings: tags, variables, parameter mappings, templates.
pub type Strings = BTreeMap<String, String>;

/// Everything of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The REST APIs, oldest first.
    pub apis: Vec<RestApi>,
    /// The role of the account settings that lets API Gateway write logs.
    #[serde(default)]
    pub logs_role: LogsRole,
    /// VPC links, oldest first.
    #[serde(default)]
    pub vpc_links: Vec<VpcLink>,
    /// How long a new VPC link is `PENDING`, in seconds. AWS takes minutes.
    #[serde(default)]
    pub vpc_link_delay: f64,
    /// Custom domain names by name.
    #[serde(default)]
    pub domain_names: BTreeMap<String, DomainName>,
    /// Client certificates, oldest first.
    #[serde(default)]
    pub client_certificates: Vec<ClientCertificate>,
    /// API keys, newest first.
    #[serde(default)]
    pub api_keys: Vec<ApiKey>,
    /// Usage plans, oldest first.
    #[serde(default)]
    pub usage_plans: Vec<UsagePlan>,
    /// The keys of the usage plans by plan, newest first.
    #[serde(default)]
    pub usage_plan_keys: BTreeMap<String, Vec<String>>,
}

/// The `CloudWatch` Logs role of the account settings (aws-facts F).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogsRole {
    /// The role that a new Region of the sandbox comes with, so that a first apply with access logging works.
    #[default]
    Prepared,
    /// A role set with `UpdateAccount`.
    Set(String),
    /// None: a stage can't turn logging on.
    Unset,
}

/// One REST API.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RestApi {
    /// Ten lower-case letters and digits.
    pub id: String,
    /// Seconds since the epoch.
    pub created: f64,
    /// Tags; they survive every put.
    pub tags: Strings,
    /// What is edited, and what a deployment freezes.
    pub definition: Definition,
    /// Deployments, oldest first.
    pub deployments: Vec<Deployment>,
    /// Stages by name.
    pub stages: BTreeMap<String, Stage>,
    /// How often the answers of a stage's authorizers were to be forgotten, by the stage's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorizer_flushes: BTreeMap<String, u64>,
    /// Documentation parts by id.
    pub documentation_parts: BTreeMap<String, DocumentationPart>,
    /// Documentation versions by their name.
    pub documentation_versions: BTreeMap<String, DocumentationVersion>,
}

/// The editable part of a REST API: all that a request is served by, once it is deployed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The name, from `CreateRestApi` or the document's title.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The version, from `CreateRestApi` or the document's `info.version`.
    pub version: Option<String>,
    /// `HEADER` or `AUTHORIZER`.
    pub api_key_source: String,
    /// Media types whose bodies travel as bytes, in the order they were added.
    pub binary_media_types: Vec<String>,
    /// Bytes from which a response is compressed.
    pub minimum_compression_size: Option<u32>,
    /// Endpoint type and its options.
    pub endpoint: EndpointConfiguration,
    /// The resource policy: compact JSON, its resources expanded to full ARNs.
    pub policy: Option<String>,
    /// Whether the execute-api host name is closed.
    pub disable_execute_api_endpoint: bool,
    /// The TLS policy, if one was chosen.
    pub security_policy: Option<String>,
    /// The endpoint access mode, if one was chosen.
    pub endpoint_access_mode: Option<String>,
    /// The resource of the path `/`.
    pub root_resource_id: String,
    /// Resources by id.
    pub resources: BTreeMap<String, Resource>,
    /// Models by name.
    pub models: BTreeMap<String, Model>,
    /// Request validators by id.
    pub request_validators: BTreeMap<String, RequestValidator>,
    /// Authorizers, oldest first.
    pub authorizers: Vec<Authorizer>,
    /// The gateway responses that were set, by type; the others are generated.
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
}

/// Endpoint type and its options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointConfiguration {
    /// Exactly one of `EDGE`, `REGIONAL`, `PRIVATE`.
    pub types: Vec<String>,
    /// `ipv4` or `dualstack`.
    pub ip_address_type: String,
    /// The VPC endpoints of a private API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vpc_endpoint_ids: Vec<String>,
}

/// One resource of the path tree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Six lower-case letters and digits (ten at the root).
    pub id: String,
    /// The parent; none at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The last segment of the path; none at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_part: Option<String>,
    /// The full path.
    pub path: String,
    /// Methods by HTTP method, `ANY` included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_methods: BTreeMap<String, Method>,
}

/// A JSON schema with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Six lower-case letters and digits.
    pub id: String,
    /// Letters and digits.
    pub name: String,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The schema, as text.
    pub schema: String,
    /// `application/json`.
    pub content_type: String,
}

/// What is checked before the integration is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestValidator {
    /// Six lower-case letters and digits.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether the body is checked against its model.
    pub validate_request_body: bool,
    /// Whether required parameters are asked for.
    pub validate_request_parameters: bool,
}

/// A Lambda or Cognito authorizer (aws-facts D).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    /// Six lower-case letters and digits.
    pub id: String,
    /// The name, unique in its API.
    pub name: String,
    /// `TOKEN`, `REQUEST` or `COGNITO_USER_POOLS`.
    pub r#type: String,
    /// The user pools of a Cognito authorizer.
    #[serde(rename = "providerARNs", default, skip_serializing_if = "Vec::is_empty")]
    pub provider_arns: Vec<String>,
    /// A free text that documents carry along: `custom`, `oauth2`.
    pub auth_type: String,
    /// The invocation ARN of the Lambda function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    /// The role to assume for the invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials: Option<String>,
    /// Cache key and presence check: mapping expressions, parted by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<String>,
    /// The pattern a token must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_validation_expression: Option<String>,
    /// Seconds an answer is cached; 300 if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_result_ttl_in_seconds: Option<i64>,
}

/// What API Gateway itself answers in one case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayResponse {
    /// `UNAUTHORIZED`, `DEFAULT_4XX`, …
    pub response_type: String,
    /// Three digits; none leaves each case its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    /// `gatewayresponse.header.NAME` → mapping expression.
    pub response_parameters: Strings,
    /// Templates by content type.
    pub response_templates: Strings,
    /// Whether it was generated.
    pub default_response: bool,
}

/// A frozen copy of a definition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Deployment {
    /// Six lower-case letters and digits.
    pub id: String,
    /// The description.
    pub description: Option<String>,
    /// Seconds since the epoch.
    pub created: f64,
    /// The API as it was.
    pub snapshot: Definition,
}

/// A piece of documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentationPart {
    /// Six lower-case letters and digits.
    pub id: String,
    /// What it is about.
    pub location: serde_json::Value,
    /// JSON, as text.
    pub properties: String,
}

/// A named state of the documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentationVersion {
    /// The name.
    pub version: String,
    /// Seconds since the epoch.
    pub created_date: f64,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl RestApi {
    /// A deployment by its id.
    #[must_use]
    pub fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.id == id)
    }
}

impl Definition {
    /// The resource of a path.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Option<&Resource> {
        self.resources.values().find(|resource| resource.path == path)
    }

    /// An authorizer by its id.
    #[must_use]
    pub fn authorizer(&self, id: &str) -> Option<&Authorizer> {
        self.authorizers.iter().find(|authorizer| authorizer.id == id)
    }
}
