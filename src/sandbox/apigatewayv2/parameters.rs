//! Parameter mappings of integrations: `overwrite:header.host` → `$request.header.x`, and the like.
//!
//! Keys, values and reserved headers are those of the developer guide ("Transforming API requests and responses for HTTP
//! APIs"). How a bad one is refused is reported up to the text in brackets, which is a guess.

use std::collections::BTreeMap;

use super::errors::{Answer, bad_request};
use super::state::Strings;
use crate::sandbox::fault::Fault;

/// Headers that no mapping may name; a `*` stands for any ending.
const RESERVED: [&str; 22] = [
    "access-control-*",
    "apigw-*",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "x-amz-*",
    "x-amzn-*",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "via",
];

/// What a mapping's value may be read from, for requests and for answers.
const OF_REQUESTS: [&str; 5] =
    ["$request.header.", "$request.querystring.", "$request.body.", "$request.path.", "$context."];
const OF_RESPONSES: [&str; 3] = ["$response.header.", "$response.body.", "$context."];

/// Takes in mappings of requests: an empty value takes one away (developer guide, "Remove configured parameter mappings").
pub(super) fn merge_requests(held: &mut Strings, given: Strings) -> Answer<()> {
    for (key, value) in given {
        check_request_key(&key)?;
        if value.is_empty() {
            held.remove(&key);
        } else {
            check_value(&key, &value, &OF_REQUESTS, &["$request.path", "$request.body"])?;
            held.insert(key, value);
        }
    }
    Ok(())
}

/// Takes in mappings of answers, those of one status code at a time: an empty map takes them away (as above).
pub(super) fn merge_responses(held: &mut BTreeMap<String, Strings>, given: BTreeMap<String, Strings>) -> Answer<()> {
    for (status, mappings) in given {
        if !status.parse::<u16>().is_ok_and(|code| (200..=599).contains(&code)) {
            return Err(refuse(&format!("Invalid status code specified: {status}. It must be between 200 and 599")));
        }
        for (key, value) in &mappings {
            check_response_key(key)?;
            if key == "overwrite:statuscode" {
                check_status(value)?;
            } else {
                check_value(key, value, &OF_RESPONSES, &["$response.body"])?;
            }
        }
        if mappings.is_empty() {
            held.remove(&status);
        } else {
            held.insert(status, mappings);
        }
    }
    Ok(())
}

fn refuse(error: &str) -> Fault {
    bad_request(format!("Invalid mapping expression specified: Validation Result: warnings : [], errors : [{error}]"))
}

fn check_request_key(key: &str) -> Answer<()> {
    let invalid = || refuse(&format!("Invalid Request Actioned Parameter specified: {key}"));
    match parts(key).ok_or_else(invalid)? {
        ("overwrite", "path", None) => Ok(()),
        (_, "header", Some(name)) if is_token(name) => check_header(name),
        (_, "querystring", Some(name)) if !name.is_empty() => Ok(()),
        _ => Err(invalid()),
    }
}

fn check_response_key(key: &str) -> Answer<()> {
    let invalid = || refuse(&format!("Invalid Response Actioned Parameter specified: {key}"));
    match parts(key).ok_or_else(invalid)? {
        ("overwrite", "statuscode", None) => Ok(()),
        (_, "header", Some(name)) if is_token(name) => check_header(name),
        _ => Err(invalid()),
    }
}

/// Action, place and name of a key.
fn parts(key: &str) -> Option<(&str, &str, Option<&str>)> {
    let (action, target) = key.split_once(':')?;
    let (place, name) = target.split_once('.').map_or((target, None), |(place, name)| (place, Some(name)));
    matches!(action, "append" | "overwrite" | "remove").then_some((action, place, name))
}

fn check_header(name: &str) -> Answer<()> {
    let lower = name.to_ascii_lowercase();
    let reserved = RESERVED.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => lower.starts_with(start),
        None => lower == *pattern,
    });
    if reserved { Err(refuse(&format!("Operations on header {name} are restricted"))) } else { Ok(()) }
}

/// A value is a place that is known, or a text; `remove` has an empty one, often written as two quotes.
fn check_value(key: &str, value: &str, places: &[&str], whole: &[&str]) -> Answer<()> {
    let invalid = || refuse(&format!("Invalid mapping expression specified: {value}"));
    if key.starts_with("remove:") {
        return if matches!(value, "" | "''" | "\"\"") { Ok(()) } else { Err(invalid()) };
    }
    if value.is_empty() || value.len() > 512 {
        return Err(invalid());
    }
    // Several places may be put together as `${…}`; what is in them is not looked at.
    if !value.starts_with('$') || value.starts_with("${") {
        return Ok(());
    }
    let named = |place: &&str| value.strip_prefix(*place).is_some_and(|name| !name.is_empty());
    let body = value.starts_with("$request.body") || value.starts_with("$response.body");
    if body && (value.contains("..") || value.contains("?(")) {
        return Err(invalid());
    }
    let known = places.iter().any(&named) || named(&"$stageVariables.") || whole.contains(&value);
    if known { Ok(()) } else { Err(invalid()) }
}

fn check_status(value: &str) -> Answer<()> {
    if value.starts_with('$') || value.parse::<u16>().is_ok_and(|code| (200..=599).contains(&code)) {
        return Ok(());
    }
    Err(refuse(&format!("Invalid status code specified: {value}")))
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> Strings {
        Strings::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn mappings_of_requests_have_known_keys_and_values() {
        for (key, value, taken) in [
            ("overwrite:header.host", "api.example.com", true),
            ("overwrite:header.client-ip", "$context.identity.sourceIp", true),
            ("overwrite:path", "$request.path", true),
            ("overwrite:path", "/orders/$request.path.id", true),
            ("append:querystring.a", "$stageVariables.a", true),
            ("append:header.h", "$request.body.user.id", true),
            ("remove:querystring.q", "''", true),
            ("remove:header.x", "x", false),
            ("append:path", "/a", false),
            ("overwrite.path", "/a", false),
            ("overwrite:body.a", "b", false),
            ("set:header.a", "b", false),
            ("overwrite:statuscode", "200", false),
            ("overwrite:header.", "b", false),
            ("overwrite:header.Authorization", "b", false),
            ("append:header.X-Amzn-Trace", "b", false),
            ("overwrite:header.x-forwarded-for", "b", false),
            ("overwrite:header.a", "$response.header.b", false),
            ("overwrite:header.a", "$request.header.", false),
            ("overwrite:header.a", "$request.body..a", false),
        ] {
            assert_eq!(merge_requests(&mut Strings::new(), one(key, value)).is_ok(), taken, "{key} {value}");
        }
    }

    #[test]
    fn mappings_of_answers_go_by_status() {
        for (status, key, value, taken) in [
            ("500", "overwrite:statuscode", "403", true),
            ("404", "append:header.error", "$stageVariables.environmentId", true),
            ("404", "append:header.error", "$response.header.x", true),
            ("404", "append:header.error", "$request.header.x", false),
            ("200", "append:overwrite.static", "x", false),
            ("200", "overwrite:statuscode", "ok", false),
            ("99", "append:header.a", "b", false),
            ("default", "append:header.a", "b", false),
        ] {
            let given = BTreeMap::from([(status.to_owned(), one(key, value))]);
            assert_eq!(merge_responses(&mut BTreeMap::new(), given).is_ok(), taken, "{status} {key} {value}");
        }
    }

    #[test]
    fn what_is_not_named_stays_and_what_is_emptied_goes() {
        let mut held = one("overwrite:path", "/a");
        merge_requests(&mut held, one("append:header.h", "1")).unwrap();
        merge_requests(&mut held, one("overwrite:path", "")).unwrap();
        assert_eq!(held, one("append:header.h", "1"));
        let mut held = BTreeMap::from([("200".to_owned(), one("append:header.h", "1"))]);
        merge_responses(&mut held, BTreeMap::from([("404".to_owned(), one("append:header.h", "2"))])).unwrap();
        merge_responses(&mut held, BTreeMap::from([("200".to_owned(), Strings::new())])).unwrap();
        assert_eq!(held.keys().collect::<Vec<_>>(), ["404"]);
    }
}
