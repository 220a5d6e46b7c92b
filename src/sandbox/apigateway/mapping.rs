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
        let name = named(parameter, "method.request.", &locations).ok_or_else(|| expression(parameter))?;
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
            return Err(expression(part));
        }
    }
    Ok(())
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
fn is_declared(parameter: &str, declared: Option<&BTreeMap<String, bool>>) -> bool {
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
}
