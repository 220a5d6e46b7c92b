//! Cross-origin requests, where an API has a CORS configuration.
//!
//! "If you configure CORS for an API, API Gateway automatically sends a response to preflight OPTIONS requests, even if there
//! isn't an OPTIONS route configured for your API. For a CORS request, API Gateway adds the configured CORS headers to the
//! response from an integration" and "ignores CORS headers returned from your backend integration"; a request has to have an
//! `origin` (API Gateway Developer Guide, "Configure CORS for HTTP APIs"). That a preflight which a route with an authorizer
//! takes has to be authorized is in the guide's words on `$default` routes. That an origin which is not allowed gets no
//! headers at all, and 204 all the same, is a guess.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use crate::sandbox::apigatewayv2::state::Cors;
use crate::sandbox::execute_api::integration::http::{Answered, Body};
use crate::sandbox::execute_api::request::ClientRequest;

/// Whether a request is a browser's question before another one.
pub(super) fn is_preflight(request: &ClientRequest) -> bool {
    let asks = |name: &str| request.headers.contains_key(name);
    request.method == Method::OPTIONS && asks("origin") && asks("access-control-request-method")
}

/// The answer to a preflight.
pub(super) fn preflight(cors: &Cors, request: &ClientRequest) -> Answered {
    let mut headers = HeaderMap::new();
    if let Some(origin) = allowed(cors, request) {
        add_origin(&mut headers, cors, &origin);
        set(&mut headers, "access-control-allow-methods", &cors.allow_methods.join(","));
        set(&mut headers, "access-control-allow-headers", &cors.allow_headers.join(","));
        set(&mut headers, "access-control-expose-headers", &cors.expose_headers.join(","));
        set(&mut headers, "access-control-max-age", &cors.max_age.map(|age| age.to_string()).unwrap_or_default());
    }
    Answered { status: StatusCode::NO_CONTENT, headers, body: Body::Whole(bytes::Bytes::new()) }
}

/// Puts the API's headers in the place of the backend's.
pub(super) fn replace(headers: &mut HeaderMap, cors: &Cors, request: &ClientRequest) {
    let theirs = headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
    for name in theirs.cloned().collect::<Vec<HeaderName>>() {
        headers.remove(name);
    }
    if let Some(origin) = allowed(cors, request) {
        add_origin(headers, cors, &origin);
        set(headers, "access-control-expose-headers", &cors.expose_headers.join(","));
    }
}

/// What `access-control-allow-origin` is for a request, if its origin is allowed.
fn allowed(cors: &Cors, request: &ClientRequest) -> Option<String> {
    let origin = request.header("origin")?;
    if cors.allow_origins.iter().any(|allowed| allowed == "*") {
        return Some("*".to_owned());
    }
    let fits = |allowed: &String| match allowed.strip_suffix("://*") {
        Some(scheme) => origin.split_once("://").is_some_and(|(given, _)| given.eq_ignore_ascii_case(scheme)),
        None => allowed.eq_ignore_ascii_case(origin),
    };
    cors.allow_origins.iter().any(fits).then(|| origin.to_owned())
}

fn add_origin(headers: &mut HeaderMap, cors: &Cors, origin: &str) {
    set(headers, "access-control-allow-origin", origin);
    if cors.allow_credentials == Some(true) {
        set(headers, "access-control-allow-credentials", "true");
    }
}

/// Sets a header that has something to say.
fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Some(value) = HeaderValue::from_str(value).ok().filter(|value| !value.is_empty()) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, origin: &str) -> ClientRequest {
        let mut request = ClientRequest::bare(method, "/a");
        request.headers.insert("origin", origin.parse().unwrap());
        request
    }

    fn cors(origins: &[&str]) -> Cors {
        Cors {
            allow_credentials: Some(true),
            allow_headers: vec!["x-a".into(), "authorization".into()],
            allow_methods: vec!["GET".into(), "PUT".into()],
            allow_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            expose_headers: vec!["x-b".into()],
            max_age: Some(60),
        }
    }

    #[test]
    fn preflights_are_told_what_is_allowed() {
        let mut request = asked(Method::OPTIONS, "https://app.example.com");
        assert!(!is_preflight(&request));
        request.headers.insert("access-control-request-method", "PUT".parse().unwrap());
        assert!(is_preflight(&request));
        let answer = preflight(&cors(&["https://app.example.com"]), &request);
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example.com"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET,PUT"),
            ("access-control-allow-headers", "x-a,authorization"),
            ("access-control-max-age", "60"),
        ] {
            assert_eq!(answer.headers[name], value);
        }
        assert!(preflight(&cors(&["https://other.example.com"]), &request).headers.is_empty());
    }

    #[test]
    fn origins_are_names_schemes_or_all() {
        for (allowed_origin, origin, expected) in [
            ("*", "https://a.example", Some("*")),
            ("https://*", "https://a.example", Some("https://a.example")),
            ("https://*", "http://a.example", None),
            ("https://A.example", "https://a.example", Some("https://a.example")),
            ("https://a.example", "https://a.example.evil", None),
        ] {
            let found = allowed(&cors(&[allowed_origin]), &asked(Method::GET, origin));
            assert_eq!(found.as_deref(), expected, "{allowed_origin} {origin}");
        }
    }

    #[test]
    fn the_backends_headers_make_way() {
        let mut headers = HeaderMap::new();
        headers.insert("access-control-allow-origin", "https://evil.example".parse().unwrap());
        headers.insert("access-control-allow-methods", "*".parse().unwrap());
        headers.insert("x-kept", "1".parse().unwrap());
        replace(&mut headers, &cors(&["https://*"]), &asked(Method::GET, "http://a.example"));
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
        replace(&mut headers, &cors(&["https://*"]), &asked(Method::GET, "https://a.example"));
        assert_eq!(headers["access-control-allow-origin"], "https://a.example");
        assert_eq!(headers["access-control-expose-headers"], "x-b");
    }
}
