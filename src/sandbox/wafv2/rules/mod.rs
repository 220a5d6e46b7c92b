//! Rules and their statements, in the shapes of the wire: the same types are read, stored, shown and evaluated.
//!
//! Members that AWS knows and the sandbox does not are refused and not dropped: a rule that lost a member would be
//! another rule.

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

mod field;
mod rate;
mod statement;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use field::*;
pub use rate::*;
pub use statement::*;

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

names! {
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

impl RuleAction {
    /// How many members are set; one is right.
    pub(in crate::sandbox) fn members(&self) -> usize {
        let Self { block, allow, count, captcha, challenge } = self;
        let set = [block.is_some(), allow.is_some(), count.is_some(), captcha.is_some(), challenge.is_some()];
        set.iter().filter(|set| **set).count()
    }
}
