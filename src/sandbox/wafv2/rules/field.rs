//! The parts of a request, and what is done to them before they are looked at.

use serde::{Deserialize, Serialize};

use super::Empty;

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
