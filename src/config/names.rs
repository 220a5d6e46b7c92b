//! `names`: what resources are called, by address, where the names that gwctl makes are not to be had: they were there before
//! gwctl, and AWS renames nothing.
//!
//! A name is checked here for what AWS takes of its kind; whether there is such a resource, only the stacks know, and
//! [`crate::stack::expand`] says it.

use std::collections::BTreeMap;

use super::fault::Faults;
use super::fields::Fields;
use super::limits;
use super::nearest::suggestion;
use super::source::Span;

/// The key of an environment file.
pub const KEY: &str = "names";

/// The kinds whose resources may be given a name. A stage has `gateway_stage_name`, a domain its own setting.
pub const NAMED_KINDS: [&str; 9] = [
    "alarm",
    "iam-role",
    "ip-set",
    "lambda-function",
    "log-group",
    "rest-api",
    "security-group",
    "vpc-link",
    "web-acl",
];

/// The kinds of which AWS has several of one name.
pub const MAY_BE_ALIKE: [&str; 3] = ["rest-api", "security-group", "vpc-link"];

/// The log groups that may be given a name, by their names in addresses: that of a function is called after the function.
const NAMED_LOG_GROUPS: [&str; 2] = ["access", "waf"];

/// A name that the file gives to a resource.
#[derive(Debug, Clone)]
pub struct GivenName {
    /// The name. That of a role may have its path in front: `service/authorizer`.
    pub name: String,
    /// Where its address stands.
    pub span: Span,
}

/// Names by address, as `gwctl render resources` writes them.
pub type Names = BTreeMap<String, GivenName>;

/// The stack, the kind and the name of an address; none if it does not have three parts.
#[must_use]
pub fn parts(address: &str) -> Option<[&str; 3]> {
    let parts: Vec<&str> = address.split('/').collect();
    let parts = <[&str; 3]>::try_from(parts).ok()?;
    parts.iter().all(|part| !part.is_empty()).then_some(parts)
}

/// What AWS takes for the name of a kind.
struct Rule {
    most: usize,
    takes: fn(char) -> bool,
    characters: &'static str,
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// The rules of the API references: `CreateFunction`, `CreateRole`, `CreateLogGroup`, `CreateSecurityGroup`, `CreateWebACL`,
/// `CreateIPSet`, `PutMetricAlarm`. API Gateway's gives none for APIs and links; that of alarms stands for both.
fn rule(kind: &str) -> Rule {
    let rule = |most, takes, characters| Rule { most, takes, characters };
    match kind {
        "lambda-function" => rule(limits::FUNCTION_NAME_CHARACTERS, is_word, "letters, digits, `_` and `-`"),
        "web-acl" | "ip-set" => rule(128, is_word, "letters, digits, `_` and `-`"),
        "iam-role" => rule(
            limits::ROLE_NAME_CHARACTERS,
            |one| is_word(one) || "+=,.@".contains(one),
            "letters, digits and any of `_+=,.@-`, after a path that ends in `/` if it has one",
        ),
        "log-group" => rule(512, |one| is_word(one) || "./#".contains(one), "letters, digits and any of `_-/.#`"),
        "security-group" => rule(
            255,
            |one| one.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(one),
            "letters, digits, spaces and any of `._-:/()#,@[]+=&;{}!$*`",
        ),
        _ => rule(255, |one| !one.is_control(), "no control characters"),
    }
}

/// Reads `names`.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Names {
    let mut names = Names::new();
    let member = fields.get(KEY);
    for (entry, name) in fields.text_map(member) {
        let Some(parts) = address(&entry.key, &entry.key_span, fields.faults) else { continue };
        let span = &entry.value.span;
        if let Some((message, hint)) = fault(&entry.key, parts[1], name) {
            fields.faults.error(span, message, hint);
            continue;
        }
        let given = GivenName { name: name.to_owned(), span: entry.key_span.clone() };
        names.insert(entry.key.clone(), given);
    }
    names
}

fn address<'a>(key: &'a str, span: &Span, faults: &mut Faults) -> Option<[&'a str; 3]> {
    let Some([stack, kind, name]) = parts(key) else {
        let message = format!("`{key}` is no address of a resource");
        faults.error(span, message, "write it as `gwctl render resources` does: `gate/iam-role/authorizer`");
        return None;
    };
    let (message, hint) = match kind {
        "stage" => ("a stage is named by `gateway_stage_name`".to_owned(), "set that instead".to_owned()),
        "domain-name" | "base-path-mapping" | "dns-record" => {
            (format!("a {kind} is named by `domain`"), "set that instead".to_owned())
        }
        "log-group" if !NAMED_LOG_GROUPS.contains(&name) => (
            "the log group of a function is called after the function".to_owned(),
            format!("name the function: `{stack}/lambda-function/{name}`"),
        ),
        _ if !NAMED_KINDS.contains(&kind) => {
            (format!("a resource of the kind `{kind}` can't be given a name"), suggestion(kind, &NAMED_KINDS))
        }
        _ => return Some([stack, kind, name]),
    };
    faults.error(span, message, hint);
    None
}

/// What is wrong with a name, and what to do about it.
fn fault(address: &str, kind: &str, whole: &str) -> Option<(String, String)> {
    let Rule { most, takes, characters } = rule(kind);
    let name = if kind == "iam-role" { role_path(whole).1 } else { whole };
    if name.is_empty() {
        return Some((format!("the name of {address} is empty"), "give it one, or take the line away".to_owned()));
    }
    let length = name.chars().count();
    if length > most {
        let message = format!("the name of {address} has {length} characters; AWS takes {most}");
        return Some((message, "AWS has no resource of that name: look it up again".to_owned()));
    }
    if !name.chars().all(takes) {
        return Some((format!("`{whole}` can't name a {kind}"), format!("AWS takes {characters}")));
    }
    let printable = |one: char| ('\u{21}'..='\u{7e}').contains(&one);
    if kind == "iam-role" && (!whole.chars().all(printable) || whole.contains("//") || whole.len() > 512) {
        return Some((format!("`{whole}` has no path that IAM takes"), format!("AWS takes {characters}")));
    }
    None
}

/// The path of a role, and its name: `service/authorizer` is `authorizer` below `/service/`.
#[must_use]
pub fn role_path(given: &str) -> (String, &str) {
    match given.trim_start_matches('/').rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), given.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(address: &str, name: &str) -> Option<String> {
        fault(address, parts(address).unwrap()[1], name).map(|(message, hint)| format!("{message}; {hint}"))
    }

    #[test]
    fn a_name_is_what_aws_takes_of_its_kind() {
        for (address, name) in [
            ("gate/iam-role/authorizer", "ApiGatewayAuthorizerRole"),
            ("gate/iam-role/authorizer", "/service/team@x/Role+1"),
            ("gate/lambda-function/authorizer", "token_validator-1"),
            ("gate/log-group/access", "/my/log.group#1"),
            ("gate/security-group/authorizer", "lambda sg (dev)"),
            ("gate/rest-api/gateway", "Orders API"),
            ("gate/alarm/4xx", "Too many 4xx!"),
        ] {
            assert_eq!(wrong(address, name), None, "{address} {name}");
        }
        for (address, name, why) in [
            ("gate/iam-role/authorizer", "a b", "can't name a iam-role"),
            ("gate/iam-role/authorizer", "path/", "is empty"),
            ("gate/iam-role/authorizer", "a//b", "no path"),
            ("gate/lambda-function/authorizer", "a.b", "letters, digits, `_` and `-`"),
            ("gate/lambda-function/authorizer", &"a".repeat(65), "has 65 characters; AWS takes 64"),
            ("gate/log-group/access", "a b", "can't name a log-group"),
            ("gate/web-acl/gateway", "a/b", "can't name a web-acl"),
            ("gate/rest-api/gateway", "", "is empty"),
            ("gate/rest-api/gateway", "a\nb", "control characters"),
        ] {
            assert!(wrong(address, name).is_some_and(|text| text.contains(why)), "{address} {name}: {why}");
        }
    }

    #[test]
    fn a_role_has_a_path() {
        assert_eq!(role_path("Role"), ("/".to_owned(), "Role"));
        assert_eq!(role_path("/Role"), ("/".to_owned(), "Role"));
        assert_eq!(role_path("a/b/Role"), ("/a/b/".to_owned(), "Role"));
        assert_eq!(role_path("/a/Role"), ("/a/".to_owned(), "Role"));
    }
}
