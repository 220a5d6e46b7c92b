//! Rate-based statements.

use serde::{Deserialize, Serialize};

use super::{Empty, Fallback, Statement, Transformation};

wire! {
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
    /// A header with addresses, of which the first counts.
    Forwarded {
        /// The header.
        header_name: String,
        /// What a header without a valid address means.
        fallback_behavior: Fallback,
    }
}

names! {
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
}

const fn five_minutes() -> u64 {
    300
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
