//! Mapping expressions: what may be mapped to what, and that a mapped parameter is declared.

use std::collections::BTreeMap;

use super::errors::{Answer, Refusal, bad_request};
use super::state::Strings;

/// Checks the request parameters of an integration against what its method declares.
pub(super) fn request(mappings: &Strings, declared: Option<&BTreeMap<String, bool>>) -> Answer<()> {
    for (target, source) in mappings {
        named(target, "integration.request.", &["path", "querystring", "header"]).ok_or_else(|| expression(target))?;
        let locations = ["path", "querystring", "header", "multivaluequerystring", "multivalueheader"];
        if let Some(parameter) = source.strip_prefix("method.request.") {
            if parameter == "body" || parameter.starts_with("body.") {
                continue;
            }
            named(source, "method.request.", &locations).ok_or_else(|| expression(source))?;
            if !is_declared(source, declared) {
                return Err(undeclared(source));
            }
        } else if !is_free(source) {
            return Err(expression(source));
        }
    }
    Ok(())
}

/// Checks the response parameters of an integration response against what its method response declares.
pub(super) fn response(mappings: &Strings, declared: Option<&BTreeMap<String, bool>>) -> Answer<()> {
    for (target, source) in mappings {
        named(target, "method.response.", &["header"]).ok_or_else(|| expression(target))?;
        if !is_declared(target, declared) {
            return Err(undeclared(target));
        }
        let from_backend = source == "integration.response.body"
            || source.starts_with("integration.response.body.")
            || named(source, "integration.response.", &["header", "multivalueheader"]).is_some();
        if !from_backend && !is_free(source) {
            return Err(expression(source));
        }
    }
    Ok(())
}

/// Checks the response parameters of a gateway response. There is no method to declare anything (recorded).
pub(super) fn gateway_response(mappings: &Strings) -> Answer<()> {
    let locations = ["path", "querystring", "header", "multivaluequerystring", "multivalueheader"];
    for (target, source) in mappings {
        named(target, "gatewayresponse.", &["header"]).ok_or_else(|| expression(target))?;
        if named(source, "method.request.", &locations).is_none() && !is_free(source) {
            return Err(expression(source));
        }
    }
    Ok(())
}

/// Checks the parameters that a method declares: `method.request.LOCATION.NAME`, each name once.
pub(super) fn declared_request(parameters: &BTreeMap<String, bool>) -> Answer<()> {
    let locations = ["path", "querystring", "header", "multivaluequerystring", "multivalueheader"];
    let mut names = std::collections::BTreeSet::new();
    for parameter in parameters.keys() {
        let name = parameter.strip_prefix("method.request.").and_then(|rest| rest.split_once('.'));
        let name = name.filter(|(location, _)| locations.contains(location)).map(|(_, name)| name);
        let name = name.ok_or_else(|| undeclared(parameter))?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || ":._$-".contains(c)) {
            return Err(refusal("Parameter name should match the following regular expression: ^[a-zA-Z0-9:._$-]+$"));
        }
        if !names.insert(name) {
            return Err(bad_request("Parameter names must be unique across querystring, header and path"));
        }
    }
    Ok(())
}

/// Checks the headers that a method response declares.
pub(super) fn declared_response(parameters: &BTreeMap<String, bool>) -> Answer<()> {
    for parameter in parameters.keys() {
        named(parameter, "method.response.", &["header"]).ok_or_else(|| expression(parameter))?;
    }
    Ok(())
}

/// Checks the identity source of a `REQUEST` authorizer: expressions, parted by commas.
pub(super) fn identity_source(source: &str) -> Answer<()> {
    for part in source.split(',').map(str::trim) {
        let from_request = named(part, "method.request.", &["header", "querystring", "multivalueheader"]).is_some();
        if !from_request && !is_variable(part) {
            return Err(bad_request(format!("Invalid request identity source expression: {part}")));
        }
    }
    Ok(())
}

/// Refuses templates for what is no content type (recorded).
pub(super) fn content_types(templates: Option<&Strings>) -> Answer<()> {
    match templates.iter().flat_map(|templates| templates.keys()).find(|kind| !is_content_type(kind)) {
        Some(kind) => Err(bad_request(format!(
            "Validation Result: warnings : [], errors : [Invalid content type specified: {kind}]"
        ))),
        None => Ok(()),
    }
}

/// Whether a text is a type and a subtype, whatever parameters follow.
pub(super) fn is_content_type(text: &str) -> bool {
    let token =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"()<>@,:\\\"/[]?=".contains(c));
    let bare = text.split(';').next().unwrap_or_default().trim();
    bare.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// Whether a pattern can be a regular expression. The service's dialect is Java's, which no crate here reads, so only what
/// no dialect takes is refused: groups and classes that are not closed, and a repetition of nothing.
pub(super) fn is_pattern(pattern: &str) -> bool {
    let (mut depth, mut class) = (0_usize, false);
    let mut characters = pattern.chars();
    if pattern.starts_with(['*', '+', '?']) {
        return false;
    }
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.next().is_none() => return false,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            _ => {}
        }
    }
    depth == 0 && !class
}

/// The name in `PREFIX LOCATION . NAME`, if the text has that form.
fn named<'t>(text: &'t str, prefix: &str, locations: &[&str]) -> Option<&'t str> {
    let (location, name) = text.strip_prefix(prefix)?.split_once('.')?;
    let printable = !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && !"'\"{}(),/".contains(c));
    (locations.contains(&location) && printable).then_some(name)
}

/// A static value, a stage variable or a context variable.
fn is_free(source: &str) -> bool {
    let quoted = source.len() >= 2 && source.starts_with('\'') && source.ends_with('\'');
    quoted || is_variable(source)
}

fn is_variable(source: &str) -> bool {
    let name = source.strip_prefix("stageVariables.").or_else(|| source.strip_prefix("context."));
    name.is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace))
}

/// A parameter with several values is declared by its plain name as well.
pub(super) fn is_declared(parameter: &str, declared: Option<&BTreeMap<String, bool>>) -> bool {
    declared.is_some_and(|declared| {
        declared.contains_key(parameter) || declared.contains_key(&parameter.replacen(".multivalue", ".", 1))
    })
}

fn expression(text: &str) -> Refusal {
    refusal(&format!("Invalid mapping expression specified: {text}"))
}

fn undeclared(text: &str) -> Refusal {
    refusal(&format!("Invalid mapping expression parameter specified: {text}"))
}

fn refusal(error: &str) -> Refusal {
    bad_request(format!("Invalid mapping expression specified: Validation Result: warnings : [], errors : [{error}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(target: &str, source: &str) -> Strings {
        Strings::from([(target.to_owned(), source.to_owned())])
    }

    #[test]
    fn a_mapped_parameter_is_declared() {
        let declared = BTreeMap::from([("method.request.path.proxy".to_owned(), true)]);
        let mappings = one("integration.request.path.proxy", "method.request.path.proxy");
        assert_eq!(request(&mappings, Some(&declared)), Ok(()));
        let refusal = request(&mappings, None).expect_err("undeclared");
        assert!(
            refusal.message.ends_with("[Invalid mapping expression parameter specified: method.request.path.proxy]")
        );
    }

    #[test]
    fn values_of_every_form_are_taken() {
        for source in ["''", "'x y'", "context.authorizer.x-user-id", "context.requestId", "stageVariables.v"] {
            assert_eq!(request(&one("integration.request.header.h", source), None), Ok(()), "{source}");
        }
        for source in ["", "'", "true", "x", "method.request.cookie.c", "context.", "stageVariables.a b"] {
            assert!(request(&one("integration.request.header.h", source), None).is_err(), "{source}");
        }
        assert!(request(&one("integration.request.cookie.h", "'v'"), None).is_err());
    }

    #[test]
    fn parameter_names_are_unique_across_locations() {
        let parameters = |names: [&str; 2]| names.map(|name| (format!("method.request.{name}"), false)).into();
        assert_eq!(declared_request(&parameters(["header.a", "querystring.b"])), Ok(()));
        assert!(declared_request(&parameters(["header.a", "querystring.a"])).is_err());
    }

    #[test]
    fn patterns_are_closed() {
        for pattern in ["", ".*", "4\\d{2}", "(a|b)+", "[(]", "\\(", "(?s).*Not found.*"] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for pattern in ["(", ")", "[a", "*", "a\\", "(]"] {
            assert!(!is_pattern(pattern), "{pattern}");
        }
    }

    #[test]
    fn content_types_have_a_subtype() {
        for kind in ["application/json", "text/html; charset=utf-8", "*/*", "application/vnd.a+json"] {
            assert!(is_content_type(kind), "{kind}");
        }
        for kind in ["", "json", "123", "a/", "/b", "a b/c", "a/b/c"] {
            assert!(!is_content_type(kind), "{kind}");
        }
    }
}
