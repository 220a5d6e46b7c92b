//! What gwctl decides about a web ACL, typed. It names no type of the AWS SDK. Rule groups
//! ([`crate::kinds::wafv2_rule_group`]) are made of the same rules.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::tags::Tags;
use crate::model::Input;

/// What gwctl decides about a web ACL. It is one for regional resources: stages and load balancers can have no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebAclSpec {
    /// `product-a-gateway-dev`: at most 128 letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for: 3 to 256 letters, digits, spaces and `_+=:#@/-,.`.
    pub description: Option<String>,
    /// What happens to a request that no rule decides about.
    pub default_action: DefaultAction,
    /// The rules by their names: at most 128 letters, digits, `_` and `-` each. [`in_order`] makes them from a list.
    pub rules: BTreeMap<String, Rule>,
    /// Bodies that blocking actions may answer with, by their keys: as the names of rules.
    pub response_bodies: BTreeMap<String, ResponseBody>,
    /// Metrics and samples of requests that no rule decides about.
    pub visibility: Visibility,
    /// Where requests are logged.
    pub logging: Option<Logging>,
    /// Settings of the web ACL that gwctl makes none of, by AWS's names. Never wanted; read so that they are seen. An
    /// update removes them.
    pub foreign_settings: BTreeSet<String>,
    /// The user's tags.
    pub tags: Tags,
}

/// What happens to a request that no rule decides about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DefaultAction {
    /// It passes.
    Allow,
    /// It is refused.
    Block {
        /// With this answer; else with API Gateway's 403.
        response: Option<Response>,
    },
}

/// One rule. Rules are asked in the order of their priorities, until one decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Its place: the lowest comes first, and no two are the same.
    pub priority: i32,
    /// What it looks for, and what happens to a request that is it.
    pub statement: Statement,
    /// Its metrics and samples.
    pub visibility: Visibility,
}

/// What a rule looks for, and what happens to a request that is it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Statement {
    /// Too many requests of one address.
    RateBased(RateBased),
    /// What the rules of a vendor find.
    ManagedRuleGroup(ManagedRuleGroup),
    /// What the rules of a group of one's own find. Only web ACLs have groups.
    RuleGroup(RuleGroup),
    /// An address in, or not in, an IP set.
    IpSet(IpSetMatch),
    /// A header that names an address which is not in an IP set.
    AllowList(AllowList),
    /// A country.
    Geo(GeoMatch),
    /// A rule that gwctl makes none of. Never wanted; read so that one is seen.
    Foreign {
        /// AWS's name of the statement.
        statement: String,
    },
}

/// Too many requests of one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateBased {
    /// Requests of one address that may come in the window: 10 to 2,000,000,000.
    pub limit: i64,
    /// Seconds over which requests are counted: 60, 120, 300 or 600.
    pub window_seconds: i64,
    /// The header in which the address is; absent: the address of the connection.
    pub forwarded: Option<Forwarded>,
    /// Only requests whose path begins so are counted, and limited: see [`ManagedRuleGroup::path_prefix`].
    pub path_prefix: Option<String>,
    /// What happens to requests beyond the limit; not [`Action::Allow`].
    pub action: Action,
}

/// What the rules of a vendor find. They have their own actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManagedRuleGroup {
    /// `AWS`, or a seller of the marketplace to whom the account has subscribed.
    pub vendor: String,
    /// `AWSManagedRulesCommonRuleSet`
    pub name: String,
    /// `Version_1.0`; absent: the vendor's default, which moves.
    pub version: Option<String>,
    /// Rules of the group that have another action than the vendor's, by their names. A rule that is excluded is one that
    /// counts: what AWS calls excluded is read as [`Action::Count`].
    pub rule_actions: BTreeMap<String, Action>,
    /// Whether the whole group only counts.
    pub count_only: bool,
    /// Only requests whose path begins so are looked at. The path is the one that the client sends, which on the host
    /// `execute-api` begins with the stage: `/dev/order-service/`. It is compared after percent-decoding and after `//`
    /// and `/../` are resolved, so that no other way of writing it goes around the rule. 1 to 200 bytes.
    pub path_prefix: Option<String>,
    /// How deeply `AWSManagedRulesBotControlRuleSet` looks, which only that group has, and needs.
    pub bot_control: Option<Inspection>,
}

/// What the rules of a group of one's own find. They have their own actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleGroup {
    /// The ARN of the group: the output `arn` of a `wafv2-rule-group`.
    pub group: Input,
    /// Rules of the group that have another action than its own, by their names; see [`ManagedRuleGroup::rule_actions`].
    pub rule_actions: BTreeMap<String, Action>,
    /// Whether the whole group only counts.
    pub count_only: bool,
}

/// How deeply Bot Control looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inspection {
    /// For bots that say what they are.
    Common,
    /// For those that don't, too, with machine learning. It costs more, and China has none of it.
    Targeted,
}

/// An address in, or not in, an IP set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IpSetMatch {
    /// The ARN of the set.
    pub set: Input,
    /// Whether the rule is for addresses that are *not* in the set.
    pub outside: bool,
    /// The header in which the address is; absent: the address of the connection.
    pub forwarded: Option<ForwardedIn>,
    /// What happens to such a request.
    pub action: Action,
}

/// A header that names an address which is not in an IP set: a list of those who may come in, where a gateway in front
/// writes the client's address into a header. A request without the header, which has not come through that gateway, is
/// none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllowList {
    /// The ARN of the set of those who may.
    pub set: Input,
    /// The header: `client-ip`. With [`Fallback::NoMatch`], a header without a valid address is one that is *not* in the set.
    pub header: ForwardedIn,
    /// The rule is for headers of more bytes than this; 1 in the module that the articles publish.
    pub longer_than: i64,
    /// What happens to such a request: as a rule, [`Action::Block`].
    pub action: Action,
}

/// A country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GeoMatch {
    /// Two capital letters each (ISO 3166): 1 to 50.
    pub countries: BTreeSet<String>,
    /// Whether the rule is for all *other* countries: with [`Action::Block`], only the listed ones may come in.
    pub outside: bool,
    /// The header in which the address is; absent: the address of the connection.
    pub forwarded: Option<Forwarded>,
    /// What happens to such a request.
    pub action: Action,
}

/// A header with addresses, of which the first counts. The client writes it, unless a proxy in front of the gateway does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forwarded {
    /// `X-Forwarded-For`
    pub header: String,
    /// What a header without a valid address is.
    pub fallback: Fallback,
}

/// A header with addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForwardedIn {
    /// `X-Forwarded-For`
    pub header: String,
    /// What a header without a valid address is.
    pub fallback: Fallback,
    /// Which of its addresses count.
    pub position: Position,
}

/// What a header without a valid address is. A request without the header is none in either case (developer guide, "Using
/// forwarded IP addresses").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// What the rule looks for.
    Match,
    /// Not what it looks for.
    NoMatch,
}

/// Which addresses of a header count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The first.
    First,
    /// The last: the one that the nearest proxy wrote.
    Last,
    /// Any of the last ten.
    Any,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// It passes, and no further rule is asked.
    Allow,
    /// It is refused.
    Block {
        /// With this answer; else with API Gateway's 403.
        response: Option<Response>,
    },
    /// It is counted, and the next rule is asked.
    Count,
    /// The client has to solve a puzzle.
    Captcha,
    /// The client has to run a script.
    Challenge,
}

/// An answer of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// 200 to 599.
    pub status: i32,
    /// A key of [`WebAclSpec::response_bodies`].
    pub body: Option<String>,
    /// Headers, at most ten.
    pub headers: BTreeMap<String, String>,
}

/// A body for answers of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseBody {
    /// What it is.
    pub content_type: ContentType,
    /// The text, 1 to 10,240 bytes.
    pub content: String,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// `text/plain`
    Text,
    /// `text/html`
    Html,
    /// `application/json`
    Json,
}

/// Metrics and samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Visibility {
    /// The name of the metric in the namespace `AWS/WAFV2`: 1 to 255 letters, digits and `_-#:./`; not `All`, not
    /// `Default_Action`.
    pub metric: String,
    /// Whether `CloudWatch` gets it.
    pub metrics: bool,
    /// Whether requests are kept for three hours, to be looked at in the console.
    pub sampled_requests: bool,
}

/// Where requests are logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Logging {
    /// The ARN of a log group, without a trailing `:*`, or of a Firehose delivery stream, whose name begins with
    /// [`LOG_PREFIX`].
    pub destination: Input,
    /// Headers whose values are left out, in lower case.
    pub redacted_headers: BTreeSet<String>,
    /// Other parts of the request that are left out.
    pub redacted_parts: BTreeSet<RequestPart>,
    /// Which requests are logged.
    pub filter: LogFilter,
}

/// How the name of a place for AWS WAF's logs begins (aws-facts I).
pub const LOG_PREFIX: &str = "aws-waf-logs-";

/// A part of a request that logs can leave out, beside headers (API reference, `LoggingConfiguration`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestPart {
    /// The method.
    Method,
    /// The path.
    Path,
    /// The query string.
    QueryString,
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFilter {
    /// All.
    All,
    /// Those that a rule blocked.
    Blocked,
    /// Others, by a filter that gwctl makes none of. Never wanted; read so that one is seen.
    Foreign,
}

/// Rules from a list in the order in which they are to be asked: their priorities are their places in it.
#[must_use]
pub fn in_order(rules: impl IntoIterator<Item = (String, Statement, Visibility)>) -> BTreeMap<String, Rule> {
    (0..)
        .zip(rules)
        .map(|(priority, (name, statement, visibility))| (name, Rule { priority, statement, visibility }))
        .collect()
}
