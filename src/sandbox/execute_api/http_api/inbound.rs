//! What a client gets of a backend's answer.

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName};

use super::context::Context;
use super::mapping::{Action, Mapping, Place, Source, in_body};
use super::outbound::put;
use super::served::Integration;
use crate::sandbox::execute_api::integration::http::{Answered, Body};

/// Headers of the connection to the backend, and the length, which may be another one by now.
const DROPPED: [&str; 6] =
    ["connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// Takes off what is not for the client, and maps what is mapped for the backend's status.
pub(super) fn map(answered: &mut Answered, integration: &Integration, context: &Context<'_>) -> Result<(), String> {
    let named = answered.headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        named.flat_map(|all| all.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    for name in named {
        answered.headers.remove(name);
    }
    for name in DROPPED {
        // A HEAD request is answered with the length that the body would have.
        if name != "content-length" || context.request.method != hyper::Method::HEAD {
            answered.headers.remove(name);
        }
    }
    let Some(mappings) = integration.answers.get(&answered.status.as_u16()) else { return Ok(()) };
    let (before, body) = (answered.headers.clone(), &answered.body);
    let body = if let Body::Whole(body) = body { body.clone() } else { bytes::Bytes::new() };
    for mapping in mappings {
        let value = mapping.value.text(|source| found(source, &before, &body, context));
        apply(&mut answered.headers, &mut answered.status, mapping, value)?;
    }
    Ok(())
}

fn apply(
    headers: &mut HeaderMap,
    status: &mut StatusCode,
    mapping: &Mapping,
    value: Option<String>,
) -> Result<(), String> {
    match (&mapping.place, mapping.action, value) {
        (Place::Header(name), Action::Remove, _) => {
            headers.remove(name.as_str());
        }
        (Place::Header(name), action, Some(value)) => {
            let name = name.parse().map_err(|_| format!("`{name}` is no name of a header"))?;
            put(headers, name, action, &value)?;
        }
        (Place::Status, _, Some(value)) => {
            let code = value.trim().parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
            *status = code.ok_or_else(|| format!("`{value}` is no status"))?;
        }
        _ => {}
    }
    Ok(())
}

/// What a mapping of an answer finds: headers and the body are the answer's, everything else is the request's.
fn found(source: &Source, headers: &HeaderMap, body: &[u8], context: &Context<'_>) -> Option<String> {
    match source {
        Source::Header(name) => {
            let values: Vec<&str> =
                headers.get_all(name.as_str()).iter().filter_map(|value| value.to_str().ok()).collect();
            (!values.is_empty()).then(|| values.join(","))
        }
        Source::Body => Some(String::from_utf8_lossy(body).into_owned()),
        Source::BodyPart(path) => in_body(path, body),
        other => context.source(other),
    }
}
