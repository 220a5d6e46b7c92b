//! Rules and their statements, in the shapes of the wire: the same types are read, stored, shown and evaluated.
//!
//! Members that AWS knows and the sandbox does not are refused and not dropped: a rule that lost a member would be
//! another rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Declares structs of the wire: Pascal case, nothing unknown, absent options left out.
macro_rules! wire {
    ($($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $field:ident: $kind:ty,)* })*) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $name {
            $($(#[$inner])* pub $field: $kind,)*
        }
    )* };
}

/// Declares enums of the wire: names in capitals.
macro_rules! names {
    ($($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident,)* })*) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name { $($(#[$inner])* $variant,)* }
    )* };
}

wire! {
    /// One rule of a web ACL or a rule group.
    Rule {
        /// The name, unique in its list.
        name: String,
        /// Rules are evaluated from the lowest priority on.
        priority: u32,
        /// What the rule looks for.
        statement: Statement,
        /// What a match leads to, for statements that are no rule groups.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<RuleAction>,
        /// Whether a rule group's own actions count, for statements that are rule groups.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        override_action: Option<OverrideAction>,
        /// Labels that a match adds.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rule_labels: Vec<Label>,
        /// Metrics and samples.
        visibility_config: VisibilityConfig,
        /// How long a solved puzzle is good for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        captcha_config: Option<Value>,
        /// How long a passed challenge is good for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        challenge_config: Option<Value>,
    }
    /// A label.
    Label {
        /// Its name, without the prefix of the web ACL or rule group.
        name: String,
    }
    /// Metrics and samples.
    VisibilityConfig {
        /// Whether samples are kept.
        sampled_requests_enabled: bool,
        /// Whether metrics are sent.
        #[serde(rename = "CloudWatchMetricsEnabled")]
        metrics_enabled: bool,
        /// The name of the metric.
        metric_name: String,
    }
    /// What a match leads to: exactly one.
    #[derive(Default)]
    RuleAction {
        /// The request is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        block: Option<Block>,
        /// The request passes, and no further rule is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        allow: Option<Inserting>,
        /// The match is counted, and the next rule asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<Inserting>,
        /// The client has to solve a puzzle.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        captcha: Option<Inserting>,
        /// The client has to run a script.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        challenge: Option<Inserting>,
    }
    /// Whether a rule group's own actions count: exactly one.
    OverrideAction {
        /// Matches are only counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<Inserting>,
        /// The rule group's own actions count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        none: Option<Empty>,
    }
    /// What happens to a request that no rule decides about: exactly one.
    DefaultAction {
        /// It is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        block: Option<Block>,
        /// It passes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        allow: Option<Inserting>,
    }
    /// How a request is refused.
    Block {
        /// Instead of the 403 of the service.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_response: Option<CustomResponse>,
    }
    /// An answer of one's own.
    CustomResponse {
        /// The status, 200 to 599.
        response_code: u16,
        /// A key of `CustomResponseBodies`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_response_body_key: Option<String>,
        /// Headers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        response_headers: Vec<Header>,
    }
    /// A header.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    }
    /// A body for answers of one's own.
    CustomResponseBody {
        /// What it is.
        content_type: ContentType,
        /// The text.
        content: String,
    }
    /// An action that may add headers to the request.
    Inserting {
        /// The headers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_request_handling: Option<InsertHeaders>,
    }
    /// Headers that are added to a request, their names behind `x-amzn-waf-`.
    InsertHeaders {
        /// The headers.
        insert_headers: Vec<Header>,
    }
    /// An object without members.
    Empty {}
}

wire! {
    /// What a rule looks for: exactly one member is set.
    #[derive(Default)]
    Statement {
        /// A string in a part of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        byte_match_statement: Option<ByteMatch>,
        /// SQL code; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sqli_match_statement: Option<Sqli>,
        /// Scripts; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        xss_match_statement: Option<Xss>,
        /// The size of a part of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size_constraint_statement: Option<SizeConstraint>,
        /// The country of the client.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        geo_match_statement: Option<GeoMatch>,
        /// The rules of a rule group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule_group_reference_statement: Option<GroupReference>,
        /// The address of the client.
        #[serde(default, rename = "IPSetReferenceStatement", skip_serializing_if = "Option::is_none")]
        ip_set_reference_statement: Option<IpSetReference>,
        /// One of the patterns of a set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        regex_pattern_set_reference_statement: Option<RegexSetReference>,
        /// Too many requests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate_based_statement: Option<Box<RateBased>>,
        /// All of several statements.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        and_statement: Option<Nested>,
        /// One of several statements.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        or_statement: Option<Nested>,
        /// The opposite of a statement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_statement: Option<Not>,
        /// The rules of a vendor; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        managed_rule_group_statement: Option<Box<Managed>>,
        /// A label that an earlier rule added.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label_match_statement: Option<LabelMatch>,
        /// A pattern.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        regex_match_statement: Option<RegexMatch>,
        /// The network of the client; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asn_match_statement: Option<AsnMatch>,
    }
    /// A string in a part of the request.
    ByteMatch {
        /// In base64.
        search_string: String,
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
        /// Where in the part.
        positional_constraint: Position,
    }
    /// SQL code in a part of the request.
    Sqli {
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
        /// How suspicious.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sensitivity_level: Option<Sensitivity>,
    }
    /// Scripts in a part of the request.
    Xss {
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// The size of a part of the request, in bytes.
    SizeConstraint {
        /// Of what.
        field_to_match: FieldToMatch,
        /// How it compares.
        comparison_operator: Comparison,
        /// With how much.
        size: u64,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// The country of the client.
    GeoMatch {
        /// Two capital letters each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        country_codes: Vec<String>,
        /// Where the address is, if not in the connection.
        #[serde(default, rename = "ForwardedIPConfig", skip_serializing_if = "Option::is_none")]
        forwarded: Option<Forwarded>,
    }
    /// The network of the client.
    AsnMatch {
        /// Numbers of networks.
        asn_list: Vec<u32>,
        /// Where the address is, if not in the connection.
        #[serde(default, rename = "ForwardedIPConfig", skip_serializing_if = "Option::is_none")]
        forwarded: Option<Forwarded>,
    }
    /// The rules of a rule group.
    GroupReference {
        /// Its ARN.
        #[serde(rename = "ARN")]
        arn: String,
        /// Rules that only count.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluded_rules: Vec<Label>,
        /// Rules with another action.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rule_action_overrides: Vec<ActionOverride>,
    }
    /// A rule with another action.
    ActionOverride {
        /// The rule.
        name: String,
        /// The action.
        action_to_use: RuleAction,
    }
    /// The address of the client in a set.
    IpSetReference {
        /// The ARN of the set.
        #[serde(rename = "ARN")]
        arn: String,
        /// Where the address is, if not in the connection.
        #[serde(default, rename = "IPSetForwardedIPConfig", skip_serializing_if = "Option::is_none")]
        forwarded: Option<ForwardedIn>,
    }
    /// A header with addresses.
    ForwardedIn {
        /// The header.
        header_name: String,
        /// What a header without a valid address means.
        fallback_behavior: Fallback,
        /// Which of its addresses count.
        position: Place,
    }
    /// A header with addresses, of which the first counts.
    Forwarded {
        /// The header.
        header_name: String,
        /// What a header without a valid address means.
        fallback_behavior: Fallback,
    }
    /// One of the patterns of a set.
    RegexSetReference {
        /// The ARN of the set.
        #[serde(rename = "ARN")]
        arn: String,
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// A pattern.
    RegexMatch {
        /// The pattern.
        regex_string: String,
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// Too many requests.
    RateBased {
        /// How many may come in the window.
        limit: u64,
        /// 60, 120, 300 or 600 seconds.
        #[serde(default = "five_minutes")]
        evaluation_window_sec: u64,
        /// What requests are counted together.
        aggregate_key_type: Aggregate,
        /// Which requests are counted at all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope_down_statement: Option<Statement>,
        /// Where the address is, if not in the connection.
        #[serde(default, rename = "ForwardedIPConfig", skip_serializing_if = "Option::is_none")]
        forwarded: Option<Forwarded>,
        /// What requests are counted together.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        custom_keys: Vec<CustomKey>,
    }
    /// A part of the request that requests are counted by: exactly one member is set.
    CustomKey {
        /// A header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<NamedKey>,
        /// A cookie.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cookie: Option<NamedKey>,
        /// An argument of the query string.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query_argument: Option<NamedKey>,
        /// The query string.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query_string: Option<PlainKey>,
        /// The path.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uri_path: Option<PlainKey>,
        /// The method.
        #[serde(default, rename = "HTTPMethod", skip_serializing_if = "Option::is_none")]
        method: Option<Empty>,
        /// The address in a header.
        #[serde(default, rename = "ForwardedIP", skip_serializing_if = "Option::is_none")]
        forwarded_ip: Option<Empty>,
        /// The address of the connection.
        #[serde(default, rename = "IP", skip_serializing_if = "Option::is_none")]
        ip: Option<Empty>,
        /// The labels of a namespace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label_namespace: Option<NamespaceKey>,
    }
    /// A part with a name.
    NamedKey {
        /// The name.
        name: String,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// A part without a name.
    PlainKey {
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// The labels of a namespace.
    NamespaceKey {
        /// The namespace, with a colon at its end.
        namespace: String,
    }
    /// Several statements.
    Nested {
        /// At least two.
        statements: Vec<Statement>,
    }
    /// The opposite of a statement.
    Not {
        /// The statement.
        statement: Box<Statement>,
    }
    /// The rules of a vendor.
    Managed {
        /// `AWS`, or a seller.
        vendor_name: String,
        /// `AWSManagedRulesCommonRuleSet`.
        name: String,
        /// The version, if it is pinned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// Rules that only count.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluded_rules: Vec<Label>,
        /// Which requests are looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope_down_statement: Option<Statement>,
        /// Settings of the group.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        managed_rule_group_configs: Vec<Value>,
        /// Rules with another action.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rule_action_overrides: Vec<ActionOverride>,
    }
    /// A label that an earlier rule added.
    LabelMatch {
        /// Whether the key is a label or a namespace.
        scope: LabelScope,
        /// The label or its end, or a namespace.
        key: String,
    }
}

wire! {
    /// A part of the request: exactly one member is set.
    FieldToMatch {
        /// A header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        single_header: Option<Named>,
        /// An argument of the query string.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        single_query_argument: Option<Named>,
        /// Every argument of the query string.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        all_query_arguments: Option<Empty>,
        /// The path.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uri_path: Option<Empty>,
        /// The query string.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query_string: Option<Empty>,
        /// The body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Body>,
        /// The method.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<Empty>,
        /// The body as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json_body: Option<JsonBody>,
        /// Headers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        headers: Option<Headers>,
        /// Cookies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cookies: Option<Cookies>,
    }
    /// A name.
    Named {
        /// The name.
        name: String,
    }
    /// The body.
    Body {
        /// What a body that is too large to be looked at means.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        oversize_handling: Option<Oversize>,
    }
    /// The body as JSON.
    JsonBody {
        /// Which members.
        match_pattern: JsonPattern,
        /// Names, values, or both.
        match_scope: MatchScope,
        /// What a body that is no JSON means.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invalid_fallback_behavior: Option<InvalidBody>,
        /// What a body that is too large to be looked at means.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        oversize_handling: Option<Oversize>,
    }
    /// Which members of a body.
    JsonPattern {
        /// All.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        all: Option<Empty>,
        /// Those at JSON pointers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        included_paths: Vec<String>,
    }
    /// Headers.
    Headers {
        /// Which.
        match_pattern: HeaderPattern,
        /// Names, values, or both.
        match_scope: MatchScope,
        /// What headers that are too many to be looked at mean.
        oversize_handling: Oversize,
    }
    /// Which headers.
    HeaderPattern {
        /// All.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        all: Option<Empty>,
        /// Only these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        included_headers: Vec<String>,
        /// All but these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluded_headers: Vec<String>,
    }
    /// Cookies.
    Cookies {
        /// Which.
        match_pattern: CookiePattern,
        /// Names, values, or both.
        match_scope: MatchScope,
        /// What cookies that are too many to be looked at mean.
        oversize_handling: Oversize,
    }
    /// Which cookies.
    CookiePattern {
        /// All.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        all: Option<Empty>,
        /// Only these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        included_cookies: Vec<String>,
        /// All but these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluded_cookies: Vec<String>,
    }
    /// What is done to a part of the request before it is looked at.
    Transformation {
        /// The lowest comes first.
        priority: u32,
        /// `NONE`, `LOWERCASE`, …
        #[serde(rename = "Type")]
        kind: String,
    }
}

names! {
    /// Where in a part of the request.
    Position {
        /// It is the part.
        Exactly,
        /// At its beginning.
        StartsWith,
        /// At its end.
        EndsWith,
        /// Anywhere.
        Contains,
        /// Anywhere, with no letter, digit or underscore around it.
        ContainsWord,
    }
    /// How sizes compare.
    Comparison {
        /// Equal.
        Eq,
        /// Not equal.
        Ne,
        /// Less or equal.
        Le,
        /// Less.
        Lt,
        /// Greater or equal.
        Ge,
        /// Greater.
        Gt,
    }
    /// What a header without a valid address means.
    Fallback {
        /// A match.
        Match,
        /// No match.
        NoMatch,
    }
    /// Which addresses of a header count.
    Place {
        /// The first.
        First,
        /// The last.
        Last,
        /// Any.
        Any,
    }
    /// What requests are counted together.
    Aggregate {
        /// Those of one address.
        Ip,
        /// Those of one address in a header.
        ForwardedIp,
        /// Those that are alike in several things.
        CustomKeys,
        /// All.
        Constant,
    }
    /// What a part that is too large means.
    Oversize {
        /// What was looked at decides.
        Continue,
        /// A match.
        Match,
        /// No match.
        NoMatch,
    }
    /// What a body that is no JSON means.
    InvalidBody {
        /// A match.
        Match,
        /// No match.
        NoMatch,
        /// It is taken for text.
        EvaluateAsString,
    }
    /// Names, values, or both.
    MatchScope {
        /// Both.
        All,
        /// Names.
        Key,
        /// Values.
        Value,
    }
    /// Whether a key is a label or a namespace.
    LabelScope {
        /// A label.
        Label,
        /// A namespace.
        Namespace,
    }
    /// How suspicious the search for SQL is.
    Sensitivity {
        /// A little.
        Low,
        /// Very.
        High,
    }
    /// What a body of one's own is.
    ContentType {
        /// `text/plain`.
        TextPlain,
        /// `text/html`.
        TextHtml,
        /// `application/json`.
        ApplicationJson,
    }
}

/// Bodies for answers of one's own, by their keys.
pub type CustomResponseBodies = BTreeMap<String, CustomResponseBody>;

const fn five_minutes() -> u64 {
    300
}

impl Statement {
    /// How many members are set; one is right.
    pub(in crate::sandbox) fn members(&self) -> usize {
        let Self {
            byte_match_statement,
            sqli_match_statement,
            xss_match_statement,
            size_constraint_statement,
            geo_match_statement,
            rule_group_reference_statement,
            ip_set_reference_statement,
            regex_pattern_set_reference_statement,
            rate_based_statement,
            and_statement,
            or_statement,
            not_statement,
            managed_rule_group_statement,
            label_match_statement,
            regex_match_statement,
            asn_match_statement,
        } = self;
        let set = [
            byte_match_statement.is_some(),
            sqli_match_statement.is_some(),
            xss_match_statement.is_some(),
            size_constraint_statement.is_some(),
            geo_match_statement.is_some(),
            rule_group_reference_statement.is_some(),
            ip_set_reference_statement.is_some(),
            regex_pattern_set_reference_statement.is_some(),
            rate_based_statement.is_some(),
            and_statement.is_some(),
            or_statement.is_some(),
            not_statement.is_some(),
            managed_rule_group_statement.is_some(),
            label_match_statement.is_some(),
            regex_match_statement.is_some(),
            asn_match_statement.is_some(),
        ];
        set.iter().filter(|set| **set).count()
    }

    /// The statements directly inside this one.
    pub(in crate::sandbox) fn inner(&self) -> impl Iterator<Item = &Self> {
        let lists = self.and_statement.iter().chain(&self.or_statement).flat_map(|nested| &nested.statements);
        let not = self.not_statement.iter().map(|not| &*not.statement);
        let rate = self.rate_based_statement.iter().filter_map(|rate| rate.scope_down_statement.as_ref());
        let managed = self.managed_rule_group_statement.iter().filter_map(|group| group.scope_down_statement.as_ref());
        lists.chain(not).chain(rate).chain(managed)
    }

    /// The ARNs that the statement and those inside it refer to.
    pub(super) fn references<'a>(&'a self, found: &mut Vec<&'a str>) {
        found.extend(self.ip_set_reference_statement.iter().map(|set| set.arn.as_str()));
        found.extend(self.regex_pattern_set_reference_statement.iter().map(|set| set.arn.as_str()));
        found.extend(self.rule_group_reference_statement.iter().map(|group| group.arn.as_str()));
        self.inner().for_each(|inner| inner.references(found));
    }

    /// The part of the request that the statement itself looks at, and what is done to it first.
    pub(in crate::sandbox) fn field(&self) -> Option<(&FieldToMatch, &[Transformation])> {
        let byte = self.byte_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let sqli = self.sqli_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let xss = self.xss_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let size = self.size_constraint_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let set = self.regex_pattern_set_reference_statement.as_ref();
        let set = set.map(|s| (&s.field_to_match, &s.text_transformations));
        let regex = self.regex_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        byte.or(sqli).or(xss).or(size).or(set).or(regex).map(|(field, list)| (field, list.as_slice()))
    }
}

impl FieldToMatch {
    /// How many members are set; one is right.
    pub(in crate::sandbox) fn members(&self) -> usize {
        let Self {
            single_header,
            single_query_argument,
            all_query_arguments,
            uri_path,
            query_string,
            body,
            method,
            json_body,
            headers,
            cookies,
        } = self;
        let set = [
            single_header.is_some(),
            single_query_argument.is_some(),
            all_query_arguments.is_some(),
            uri_path.is_some(),
            query_string.is_some(),
            body.is_some(),
            method.is_some(),
            json_body.is_some(),
            headers.is_some(),
            cookies.is_some(),
        ];
        set.iter().filter(|set| **set).count()
    }
}

impl CustomKey {
    /// How many members are set; one is right.
    pub(in crate::sandbox) fn members(&self) -> usize {
        let Self { header, cookie, query_argument, query_string, uri_path, method, forwarded_ip, ip, label_namespace } =
            self;
        let named = [header.is_some(), cookie.is_some(), query_argument.is_some(), label_namespace.is_some()];
        let plain =
            [query_string.is_some(), uri_path.is_some(), method.is_some(), forwarded_ip.is_some(), ip.is_some()];
        named.iter().chain(&plain).filter(|set| **set).count()
    }
}

impl RuleAction {
    /// How many members are set; one is right.
    pub(in crate::sandbox) fn members(&self) -> usize {
        let Self { block, allow, count, captcha, challenge } = self;
        let set = [block.is_some(), allow.is_some(), count.is_some(), captcha.is_some(), challenge.is_some()];
        set.iter().filter(|set| **set).count()
    }
}
