//! What an environment sets: the typed form of defaults and environment file laid on each other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::network::{DomainSettings, VpcLink};
use super::operation::AlarmSettings;
use super::web_acl::WebAclSettings;

/// Everything an environment sets apart from its routes and its target.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct Settings {
    /// The first part of every name: `product-a` in `product-a-gateway-dev`.
    pub app_group: String,
    /// The name of the stage, which is the first part of every URL.
    pub gateway_stage_name: String,
    /// The VPC link the ingress is reached through.
    pub vpc_link: VpcLink,
    /// The VPC that a security group for the functions is made in.
    pub vpc_id: Option<String>,
    /// The subnets the authorizer functions run in; empty: outside a VPC.
    pub private_subnet: Vec<String>,
    /// The security groups of the authorizer functions; empty, and there are subnets: one is made in `vpc_id`.
    pub security_group_ids: Vec<String>,
    /// Requests per second the stage lets through; at least 0.
    pub throttling_rate_limit: f64,
    /// Requests the stage lets through at once; at least 0.
    pub throttling_burst_limit: i32,
    /// Seconds an authorizer's answer is kept: 0 (never) to 3600.
    pub authorizer_result_ttl: i32,
    /// What one line of the access log holds.
    pub log_format: LogFormat,
    /// Days log events are kept: one of the values `CloudWatch` Logs takes.
    pub retention_in_days: i32,
    /// Media types whose bodies are passed on as bytes.
    pub binary_media_types: Vec<String>,
    /// The description of the API.
    pub description: Option<String>,
    /// The user's own tags on every resource.
    pub tags: BTreeMap<String, String>,
    /// The variables of the stage.
    pub stage_variables: BTreeMap<String, String>,
    /// Whether X-Ray follows requests.
    pub xray_tracing: bool,
    /// How much the execution log says: `OFF`, `ERROR` or `INFO`.
    pub logging_level: String,
    /// Whether the execution log holds whole requests and responses.
    pub data_trace: bool,
    /// Whether there are metrics for each method.
    pub metrics: bool,
    /// Where requests go behind the VPC link.
    pub ingress: Ingress,
    /// The authorizer functions.
    pub authorizer: AuthorizerSettings,
    /// How clients reach the API: `REGIONAL`, or `PRIVATE` through VPC endpoints alone.
    pub endpoint_type: String,
    /// The VPC endpoints that lead to a private API.
    pub vpc_endpoint_ids: Vec<String>,
    /// The web ACL in front of the stage.
    pub web_acl: Option<WebAclSettings>,
    /// What is watched.
    pub alarms: Option<AlarmSettings>,
    /// Whether the Region's role for API Gateway's logs is made where there is none.
    pub makes_logging_role: bool,
    /// The custom domain name.
    pub domain: Option<DomainSettings>,
    /// Bytes from which on answers are compressed; none: never.
    pub minimum_compression_size: Option<i32>,
}

/// The hosts behind the VPC link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingress {
    /// The host of a service, with `${service}` and `${env}` in it.
    pub service_host: String,
    /// The host for a path of at most one part, which names no service.
    pub default_host: String,
    /// `http` or `https`.
    pub scheme: String,
}

/// How the authorizer functions are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizerSettings {
    /// `arm64` or `x86_64`.
    pub architecture: String,
    /// Memory in MiB: 128 to 10240.
    pub memory_size: i32,
    /// Seconds until Lambda gives up: 1 to 900.
    pub timeout: i32,
    /// The Lambda runtime: `provided.al2023`.
    pub runtime: String,
    /// The handler; the provided runtimes ignore it, Lambda still wants one.
    pub handler: String,
    /// A zip to use instead of the authorizer gwctl builds: absolute, or relative to the configuration root, which it
    /// then does not leave. As written; join it to the root.
    pub zip: Option<PathBuf>,
    /// What an answer is cached by, and what must be in a request: `method.request.header.Authorization`, and
    /// [`CHANNEL_SOURCE`] where every request has to name its channel.
    pub identity_source: Vec<String>,
    /// Executions of each function that are kept warm; none: no version and no alias is made.
    pub provisioned_concurrency: Option<i32>,
    /// Executions of each function that the account keeps for it, and that it may have at most.
    pub reserved_concurrency: Option<i32>,
    /// Further environment variables of the functions.
    pub environment: BTreeMap<String, String>,
    /// The host of the service that knows tokens, with a port if need be.
    pub auth_host: Option<String>,
    /// The gateway whose endpoint is that host, in its place.
    pub auth_gateway: Option<AuthGateway>,
    /// The path on it that validates a token.
    pub auth_path: Option<String>,
    /// Milliseconds to wait for its answer.
    pub auth_timeout_ms: Option<u64>,
    /// For the system's authorizer: SHA-256 of each caller's keys in lower-case hex.
    pub callers: BTreeMap<String, Vec<String>>,
    /// The certificates to trust besides the public ones, in PEM form: what is in the file that `auth_ca` names.
    pub auth_ca: Option<String>,
    /// The kinds of tokens by name, as the functions read them; none: the default one alone.
    pub channels: Option<serde_json::Value>,
    /// What becomes of a channel that is none of these: `refuse` or `default`.
    pub unknown_channel: Option<String>,
    /// Whether every request has to name its channel.
    pub channel_required: bool,
    /// Whether the functions write metrics into their log.
    pub metrics: bool,
}

/// A system gateway behind which the service that knows tokens stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthGateway {
    /// The product whose gateway it is, in the environment of the same name; none: the product's own.
    pub product: Option<String>,
}

/// What makes the channel a part of the cache's key, and lets API Gateway refuse a request without one (aws-facts D).
pub const CHANNEL_SOURCE: &str = "method.request.header.x-auth-channel";

impl AuthorizerSettings {
    /// The environment variables of a function; `cached` says whether API Gateway keeps its answers, which then have to
    /// hold for every route (aws-facts D).
    #[must_use]
    pub fn variables(&self, cached: bool) -> BTreeMap<String, String> {
        let Self { auth_host, auth_path, auth_ca, unknown_channel, .. } = self;
        let channels = self.channels.as_ref().map(|channels| sorted(channels).to_string());
        let known = [
            ("AUTH_HOST", auth_host.clone()),
            ("AUTH_PATH", auth_path.clone()),
            ("AUTH_TIMEOUT_MS", self.auth_timeout_ms.map(|milliseconds| milliseconds.to_string())),
            ("AUTH_CA_PEM", auth_ca.clone()),
            ("AUTH_CHANNELS", channels),
            ("AUTH_UNKNOWN_CHANNEL", unknown_channel.clone()),
            // What a function does without being told is left unsaid: all variables together have 4 KB.
            ("AUTH_CHANNEL_REQUIRED", self.channel_required.then(|| true.to_string())),
            ("CALLERS", (!self.callers.is_empty()).then(|| serde_json::json!(self.callers).to_string())),
            ("METRICS", (!self.metrics).then(|| false.to_string())),
            ("RESULT_CACHED", Some(cached.to_string())),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.environment.clone().into_iter().chain(known).collect()
    }
}

/// What one line of the access log holds.
#[derive(Debug, Clone, PartialEq)]
pub enum LogFormat {
    /// Fields by name.
    Json(serde_json::Map<String, serde_json::Value>),
    /// The line as it is.
    Line(String),
}

impl LogFormat {
    /// The format as API Gateway takes it, on one line.
    ///
    /// An object is written as Terraform's `jsonencode` writes it (compact, keys sorted, `<`, `>` and `&` escaped), so
    /// that a gateway moved over from Terraform shows no difference.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self {
            Self::Line(line) => line.clone(),
            Self::Json(fields) => sorted(&serde_json::Value::Object(fields.clone()))
                .to_string()
                // These stand inside strings only, so that replacing them in the text is replacing them in the strings.
                .replace('<', "\\u003c")
                .replace('>', "\\u003e")
                .replace('&', "\\u0026")
                .replace('\u{2028}', "\\u2028")
                .replace('\u{2029}', "\\u2029"),
        }
    }
}

/// `serde_json` keeps insertion order if any crate of the build asks it to, so that sorting can't be left to it.
fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let fields: BTreeMap<&String, &serde_json::Value> = fields.iter().collect();
            serde_json::Value::Object(fields.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        serde_json::Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_log_format_is_written_as_terraform_writes_it() {
        let fields = json!({"requestId": "$context.requestId", "b": {"z": 1, "a": "<&>"}, "ip": "x"});
        let serde_json::Value::Object(fields) = fields else { panic!("an object") };
        let line = LogFormat::Json(fields).to_line();
        let expected = r#"{"b":{"a":"\u003c\u0026\u003e","z":1},"ip":"x","requestId":"$context.requestId"}"#;
        assert_eq!(line, expected);
    }
}
