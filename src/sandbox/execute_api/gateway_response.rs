//! Gateway responses: what API Gateway itself answers when a request does not get to its integration, or back from it.
//!
//! They are compiled from what is in effect on a deployed API (`apigateway::gateway_responses`), so that a set response,
//! a set `DEFAULT_4XX` or `DEFAULT_5XX` and the generated ones come out as the control plane shows them. Their templates
//! are not Velocity: "simple variable substitution" of `$context…`, `$stageVariables…` and `$method.request…` (developer
//! guide, gateway responses).

mod texts;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};

pub use self::texts::{
    DENIED_BY_AUTHORIZER, DENIED_EXPLICITLY_BY_AUTHORIZER, default_message, denied_by_policy, error_type,
    missing_parameters,
};
pub use crate::sandbox::apigateway::ResponseType;

use super::expression::Expression;
use super::json;
use super::substitution::{Names, Substitution};
use super::variables::Variables;
use crate::sandbox::apigateway::gateway_responses::effective;
use crate::sandbox::apigateway::state::{Definition, GatewayResponse};

const JSON: &str = "application/json";
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The gateway responses of a deployed API.
#[derive(Debug)]
pub struct GatewayResponses {
    responses: BTreeMap<ResponseType, Response>,
}

/// One gateway response.
#[derive(Debug)]
struct Response {
    /// The status that somebody set.
    status: Option<u16>,
    headers: Vec<(HeaderName, Expression)>,
    /// By content type.
    templates: Vec<(String, Substitution)>,
}

impl GatewayResponses {
    /// Compiles what is in effect.
    #[must_use]
    pub fn compile(definition: &Definition) -> Self {
        let compile = |kind: ResponseType| {
            let response = effective(definition, kind);
            let set = [kind, kind.base()].iter().any(|kind| definition.gateway_responses.contains_key(kind.name()));
            (kind, Response::compile(kind, &response, set))
        };
        Self { responses: ResponseType::ALL.into_iter().map(compile).collect() }
    }

    /// The answer in one case: its status, headers and body.
    ///
    /// `own_status` is what the case itself has, where that is not the type's: WAF's status, or that of a fault that only
    /// `DEFAULT_4XX` or `DEFAULT_5XX` covers. `accept` is the client's header. The message is `$context.error.message`, and
    /// [`default_message`] where the variables have none.
    #[must_use]
    pub fn answer(
        &self,
        kind: ResponseType,
        own_status: Option<u16>,
        variables: &dyn Variables,
        accept: Option<&str>,
    ) -> (u16, Vec<(HeaderName, HeaderValue)>, Bytes) {
        let type_status = || kind.status().and_then(|status| status.parse().ok());
        let fallback = if kind.is_server_error() { 500 } else { 400 };
        let variables = &WithError { kind, variables };
        let mut headers = vec![(ERROR_TYPE, HeaderValue::from_static(error_type(kind)))];
        let Some(response) = self.responses.get(&kind) else {
            return (own_status.or_else(type_status).unwrap_or(fallback), headers, Bytes::new());
        };
        // "AWS WAF custom responses take precedence over custom gateway responses" (developer guide).
        let of_waf = own_status.filter(|_| kind == ResponseType::WafFiltered);
        let status = of_waf.or(response.status).or(own_status).or_else(type_status).unwrap_or(fallback);
        let mut body = Bytes::new();
        if let Some((content_type, template)) = response.template(accept) {
            body = template.text(|name| variable(variables, name)).into();
            headers.extend(HeaderValue::from_str(content_type).ok().map(|value| (CONTENT_TYPE, value)));
        }
        for (name, expression) in &response.headers {
            let values: Vec<_> =
                expression.values(variables).iter().filter_map(|value| HeaderValue::from_str(value).ok()).collect();
            if !values.is_empty() {
                headers.retain(|(there, _)| there != name);
                headers.extend(values.into_iter().map(|value| (name.clone(), value)));
            }
        }
        (status, headers, body)
    }
}

impl Response {
    fn compile(kind: ResponseType, response: &GatewayResponse, set: bool) -> Self {
        let status = response.status_code.as_deref().filter(|status| Some(*status) != kind.status());
        let headers = response.response_parameters.iter().filter_map(|(target, source)| {
            let name = target.strip_prefix("gatewayresponse.header.")?;
            Some((name.parse().ok()?, Expression::parse(source)?))
        });
        let templates = response.response_templates.iter().map(|(content_type, template)| {
            // Where nobody set a response, clients of the real service see a capital letter in this one case.
            let capital = kind == ResponseType::AccessDenied && !set;
            let template = if capital { "{\"Message\":$context.error.messageString}" } else { template };
            (content_type.clone(), Substitution::parse(template, Names::OfTemplates))
        });
        Self {
            status: status.and_then(|status| status.parse().ok()),
            headers: headers.collect(),
            templates: templates.collect(),
        }
    }

    /// The template for what the client accepts; for JSON if it accepts none of them.
    fn template(&self, accept: Option<&str>) -> Option<&(String, Substitution)> {
        let fallback = || {
            let json = self.templates.iter().find(|(content_type, _)| content_type.eq_ignore_ascii_case(JSON));
            json.or(self.templates.first())
        };
        if self.templates.len() < 2 {
            return fallback();
        }
        let mut ranges: Vec<(&str, f32)> = accept.unwrap_or_default().split(',').map(range).collect();
        // Stable: of two with the same weight the first counts.
        ranges.sort_by(|one, other| other.1.total_cmp(&one.1));
        let mut accepted = ranges.into_iter().filter(|(_, weight)| *weight > 0.0);
        let chosen = accepted.find_map(|(range, _)| {
            if range == "*/*" {
                return fallback();
            }
            let family = range.strip_suffix('*').map(str::to_lowercase);
            let fits = |kind: &str| match &family {
                Some(family) => kind.to_lowercase().starts_with(family),
                None => kind.eq_ignore_ascii_case(range),
            };
            self.templates.iter().find(|(content_type, _)| fits(content_type))
        });
        chosen.or_else(fallback)
    }
}

/// A media range of an `Accept` header, and its weight.
fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse().ok());
    (range, weight.unwrap_or(1.0))
}

/// The value of a variable in a template. A message that is not there is `null`, as clients of the real service have seen;
/// anything else that is not there is empty (a guess).
fn variable<'v>(variables: &'v WithError<'_>, name: &'v str) -> Cow<'v, str> {
    if let Some(name) = name.strip_prefix("context.") {
        let missing = if name == "error.messageString" { "null" } else { "" };
        return variables.context(name).unwrap_or(Cow::Borrowed(missing));
    }
    let value = Expression::parse(name).and_then(|found| found.value(variables).map(Cow::into_owned));
    Cow::Owned(value.unwrap_or_default())
}

/// The variables of a request, with what is known of the fault where they do not tell.
struct WithError<'v> {
    kind: ResponseType,
    variables: &'v dyn Variables,
}

impl Variables for WithError<'_> {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        let given = self.variables.context(name);
        match name {
            "error.responseType" => given.or(Some(Cow::Borrowed(self.kind.name()))),
            "error.message" => given.or_else(|| default_message(self.kind).map(Cow::Borrowed)),
            "error.messageString" => given.or_else(|| self.context("error.message").map(|text| quoted(&text).into())),
            _ => given,
        }
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.variables.stage_variable(name)
    }

    fn parameter(&self, location: super::variables::Location, name: &str) -> Option<Cow<'_, str>> {
        self.variables.parameter(location, name)
    }

    fn values(&self, location: super::variables::Location, name: &str) -> Vec<Cow<'_, str>> {
        self.variables.values(location, name)
    }

    fn parameters(&self, location: super::variables::Location) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        self.variables.parameters(location)
    }

    fn body(&self) -> &[u8] {
        self.variables.body()
    }
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    // Writing to a string does not fail.
    let _ = json::quote(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fake;
    use super::super::variables::Location;
    use super::*;
    use crate::sandbox::apigateway::state::Strings;

    fn strings(pairs: &[(&str, &str)]) -> Strings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn with(set: &[(ResponseType, Option<&str>, Strings, Strings)]) -> GatewayResponses {
        let mut definition = Definition::default();
        for (kind, status, parameters, templates) in set {
            let response = GatewayResponse {
                response_type: kind.name().to_owned(),
                status_code: status.map(str::to_owned),
                response_parameters: parameters.clone(),
                response_templates: templates.clone(),
                default_response: false,
            };
            definition.gateway_responses.insert(kind.name().to_owned(), response);
        }
        GatewayResponses::compile(&definition)
    }

    fn answer(
        responses: &GatewayResponses,
        kind: ResponseType,
        fake: &Fake,
    ) -> (u16, BTreeMap<String, String>, String) {
        let (status, headers, body) = responses.answer(kind, None, fake, None);
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        (status, headers.collect(), String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn each_type_answers_by_itself() {
        let responses = with(&[]);
        for kind in ResponseType::ALL {
            let (status, headers, body) = answer(&responses, kind, &Fake::default());
            let expected = kind.status().unwrap_or(if kind == ResponseType::Default5xx { "500" } else { "400" });
            assert_eq!(status.to_string(), expected, "{kind}");
            assert_eq!(headers["content-type"], "application/json");
            assert_eq!(headers["x-amzn-errortype"], error_type(kind));
            let member = if kind == ResponseType::AccessDenied { "Message" } else { "message" };
            let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(body[member].as_str(), default_message(kind), "{kind}");
        }
        let (_, headers, body) = answer(&responses, ResponseType::MissingAuthenticationToken, &Fake::default());
        assert_eq!(body, r#"{"message":"Missing Authentication Token"}"#);
        assert_eq!(headers["x-amzn-errortype"], "MissingAuthenticationTokenException");
        assert_eq!(answer(&responses, ResponseType::AuthorizerFailure, &Fake::default()).2, r#"{"message":null}"#);
    }

    #[test]
    fn the_message_of_the_case_is_told() {
        let fake = Fake::default().context("error.message", "say \"no\"");
        let (.., body) = answer(&with(&[]), ResponseType::BadRequestBody, &fake);
        assert_eq!(body, r#"{"message":"say \"no\""}"#);
    }

    #[test]
    fn what_is_set_counts() {
        // As recorded to be set, and with the answer that the developer guide shows for it.
        let template = "{\n     \"message\": $context.error.messageString,\n     \"type\":  \"$context.error.responseType\",\n     \"stage\":  \"$context.stage\",\n     \"stageVariables.a\":  \"$stageVariables.a\",\n     \"statusCode\": \"'404'\"\n}";
        let parameters = strings(&[
            ("gatewayresponse.header.Access-Control-Allow-Origin", "'a.b.c'"),
            ("gatewayresponse.header.x-request-header", "method.request.header.Accept"),
            ("gatewayresponse.header.x-request-path", "method.request.path.petId"),
            ("gatewayresponse.header.x-request-query", "method.request.querystring.q"),
        ]);
        let kind = ResponseType::MissingAuthenticationToken;
        let responses = with(&[(kind, Some("404"), parameters, strings(&[("application/json", template)]))]);
        let fake = Fake::default()
            .context("stage", "prod")
            .stage("a", "1")
            .parameter(Location::Header, "accept", "*/*")
            .parameter(Location::QueryString, "q", "x");
        let (status, headers, body) = answer(&responses, kind, &fake);
        assert_eq!(status, 404);
        assert_eq!(
            body,
            "{\n     \"message\": \"Missing Authentication Token\",\n     \"type\":  \"MISSING_AUTHENTICATION_TOKEN\",\n     \"stage\":  \"prod\",\n     \"stageVariables.a\":  \"1\",\n     \"statusCode\": \"'404'\"\n}"
        );
        assert_eq!(headers["access-control-allow-origin"], "a.b.c");
        assert_eq!(headers["x-request-header"], "*/*");
        assert_eq!(headers["x-request-query"], "x");
        assert!(!headers.contains_key("x-request-path"), "a missing source is not sent");
    }

    #[test]
    fn the_defaults_stand_in() {
        let cors = strings(&[("gatewayresponse.header.access-control-allow-origin", "'*'")]);
        let json = strings(&[("application/json", "{\"message\":$context.error.messageString}")]);
        let responses = with(&[
            (ResponseType::Default4xx, None, cors.clone(), json.clone()),
            (ResponseType::Default5xx, Some("599"), cors, json),
        ]);
        let (status, headers, body) = answer(&responses, ResponseType::AccessDenied, &Fake::default());
        assert_eq!((status, headers["access-control-allow-origin"].as_str()), (403, "*"));
        assert_eq!(body, r#"{"message":"User is not authorized to access this resource"}"#);
        assert_eq!(answer(&responses, ResponseType::IntegrationTimeout, &Fake::default()).0, 599);
    }

    #[test]
    fn a_case_may_have_a_status_of_its_own() {
        let responses = with(&[]);
        let status = |kind, own| responses.answer(kind, own, &Fake::default(), None).0;
        assert_eq!(status(ResponseType::Default5xx, Some(502)), 502);
        assert_eq!(status(ResponseType::WafFiltered, Some(418)), 418);
        assert_eq!(status(ResponseType::WafFiltered, None), 403);
        let set = with(&[
            (ResponseType::WafFiltered, Some("404"), Strings::new(), Strings::new()),
            (ResponseType::Default5xx, Some("503"), Strings::new(), Strings::new()),
        ]);
        let status = |kind, own| set.answer(kind, own, &Fake::default(), None).0;
        assert_eq!(status(ResponseType::WafFiltered, Some(418)), 418);
        assert_eq!(status(ResponseType::WafFiltered, None), 404);
        assert_eq!(status(ResponseType::Default5xx, Some(502)), 503);
    }

    #[test]
    fn the_client_chooses_the_template() {
        let templates = strings(&[("application/json", "json"), ("application/xml", "xml"), ("text/plain", "text")]);
        let kind = ResponseType::Unauthorized;
        let responses = with(&[(kind, None, Strings::new(), templates)]);
        for (accept, expected) in [
            (None, "json"),
            (Some("*/*"), "json"),
            (Some("application/xml"), "xml"),
            (Some("application/xml;q=0.5, text/plain"), "text"),
            (Some("text/*"), "text"),
            (Some("image/png"), "json"),
            (Some("application/json;q=0, TEXT/plain;q=0.1"), "text"),
        ] {
            let (_, headers, body) = responses.answer(kind, None, &Fake::default(), accept);
            assert_eq!(body, expected, "{accept:?}");
            let (_, value) = headers.iter().find(|(name, _)| name == CONTENT_TYPE).expect("a content type");
            assert!(value.to_str().unwrap().ends_with(expected) || expected == "text");
        }
    }

    #[test]
    fn headers_that_are_set_replace_generated_ones() {
        let parameters = strings(&[
            ("gatewayresponse.header.Content-Type", "'application/problem+json'"),
            ("gatewayresponse.header.x-broken", "context.broken"),
        ]);
        let kind = ResponseType::Throttled;
        let responses = with(&[(kind, None, parameters, strings(&[("application/json", "{}")]))]);
        let fake = Fake::default().context("broken", "a\nb");
        let (_, headers, _) = responses.answer(kind, None, &fake, None);
        let types: Vec<_> = headers.iter().filter(|(name, _)| name == CONTENT_TYPE).map(|(_, value)| value).collect();
        assert_eq!(types, ["application/problem+json"]);
        assert!(headers.iter().all(|(name, _)| name != "x-broken"), "a value that is no header's is not sent");
    }
}
