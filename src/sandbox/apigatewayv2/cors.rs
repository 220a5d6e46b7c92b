//! The CORS configuration of an API.

use super::call::{Call, no_content};
use super::errors::{Answer, bad_request};
use super::state::Cors;

const METHODS: [&str; 8] = ["*", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "DELETE"];

/// `DeleteCorsConfiguration`.
pub(super) fn delete(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let mut definition = call.definition(api)?.clone();
    definition.cors = None;
    call.define(api, definition)?;
    Ok(no_content())
}

/// Checks a configuration, which takes the place of the old one as a whole (a guess). One without any member is none.
pub(super) fn checked(mut cors: Cors) -> Answer<Option<Cors>> {
    // Header names are shown in lower case: Terraform compares them so, because the service changes their case.
    for name in cors.allow_headers.iter_mut().chain(&mut cors.expose_headers) {
        name.make_ascii_lowercase();
    }
    if cors.allow_credentials == Some(true) && cors.allow_origins.iter().any(|origin| origin == "*") {
        // Reported.
        return Err(bad_request("allow-credentials is not supported if 'allow-origin' is *"));
    }
    // That these are refused is documented ("Configuring CORS for an HTTP API") or follows from the model; the words are
    // guesses.
    if let Some(method) = cors.allow_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        return Err(bad_request(format!("Invalid CORS method specified: {method}")));
    }
    if let Some(origin) = cors.allow_origins.iter().find(|origin| !is_origin(origin)) {
        return Err(bad_request(format!(
            "Invalid CORS origin specified: {origin}. It must be * or a scheme and a host"
        )));
    }
    if let Some(name) = cors.allow_headers.iter().chain(&cors.expose_headers).find(|name| !is_header(name)) {
        return Err(bad_request(format!("Invalid CORS header specified: {name}")));
    }
    if cors.max_age.is_some_and(|age| !(-1..=86_400).contains(&age)) {
        return Err(bad_request("Invalid CORS max age specified. It must be between -1 and 86400"));
    }
    Ok(Some(cors).filter(|cors| *cors != Cors::default()))
}

fn is_origin(origin: &str) -> bool {
    let host = origin.split_once("://").filter(|(scheme, _)| !scheme.is_empty()).map(|(_, host)| host);
    origin == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ']))
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
