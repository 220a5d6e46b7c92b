//! Policy documents: IAM's grammar and its refusals, how IAM sends documents back, and what they allow.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::sandbox::execute_api::policy::{NoKeys, Policy, Principal, Question, Verdict};
use crate::sandbox::fault::{Answer, Fault};

/// IAM sends documents URL-encoded as RFC 3986 says.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const SYNTAX: &str = "Syntax errors in policy.";

/// A document as IAM sends it.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A JSON document without the white space between its tokens: IAM does not count it, and stores trust policies so.
pub(super) fn compact(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    text.chars()
        .filter(|character| {
            let keep = quoted || !character.is_whitespace();
            if quoted {
                quoted = escaped || *character != '"';
                escaped = !escaped && *character == '\\';
            } else {
                quoted = *character == '"';
            }
            keep
        })
        .collect()
}

/// Refuses what IAM would not take as a trust policy.
pub(super) fn check_trust(text: &str, partition: &str) -> Answer<()> {
    for statement in statements(text, "This policy contains invalid Json")? {
        for prohibited in ["Resource", "NotResource"] {
            if statement.contains_key(prohibited) {
                return Err(malformed(format!("Has prohibited field {prohibited}")));
            }
        }
        for required in [["Effect", "Effect"], ["Principal", "NotPrincipal"], ["Action", "NotAction"]] {
            if !required.iter().any(|name| statement.contains_key(*name)) {
                return Err(malformed(format!("Missing required field {}", required[0])));
            }
        }
        check_common(&statement)?;
        for action in actions(&statement)? {
            if !action.to_ascii_lowercase().starts_with("sts:") {
                return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
            }
        }
        for name in ["Principal", "NotPrincipal"] {
            statement.get(name).map_or(Ok(()), |principal| check_principal(principal, partition))?;
        }
    }
    Ok(())
}

/// Refuses what IAM would not take as an inline policy.
pub(super) fn check_permissions(text: &str, partition: &str) -> Answer<()> {
    for statement in statements(text, SYNTAX)? {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(malformed("Policy document should not specify a principal."));
        }
        if !statement.contains_key("Action") && !statement.contains_key("NotAction") {
            return Err(malformed("Policy statement must contain actions."));
        }
        if !statement.contains_key("Resource") && !statement.contains_key("NotResource") {
            return Err(malformed("Policy statement must contain resources."));
        }
        check_common(&statement)?;
        let actions = actions(&statement)?;
        if actions.is_empty() {
            return Err(malformed("Policy statement must contain actions."));
        }
        for action in actions {
            if action != "*" && action.split_once(':').is_none_or(|(vendor, name)| vendor.is_empty() || name.is_empty())
            {
                return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
            }
        }
        let resources = one_of(&statement, "Resource", "NotResource")?;
        if resources.is_empty() {
            return Err(malformed("Policy statement must contain resources."));
        }
        resources.into_iter().try_for_each(|resource| check_resource(resource, partition))?;
    }
    Ok(())
}

/// The statements of a document whose outer form is right.
fn statements(text: &str, no_json: &str) -> Answer<Vec<Map<String, Value>>> {
    let document: Value = serde_json::from_str(text).map_err(|_| malformed(no_json))?;
    let Value::Object(document) = document else { return Err(malformed(SYNTAX)) };
    if document.keys().any(|key| !["Version", "Id", "Statement"].contains(&key.as_str())) {
        return Err(malformed(SYNTAX));
    }
    match document.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        _ => return Err(malformed("The policy must contain a valid version string")),
    }
    let statements = match document.get("Statement") {
        Some(Value::Object(one)) => vec![one.clone()],
        Some(Value::Array(many)) if !many.is_empty() => many
            .iter()
            .map(|statement| statement.as_object().cloned().ok_or_else(|| malformed(SYNTAX)))
            .collect::<Answer<_>>()?,
        _ => return Err(malformed(SYNTAX)),
    };
    let mut sids: Vec<&str> = statements
        .iter()
        .filter_map(|statement| statement.get("Sid")?.as_str())
        .filter(|sid| !sid.is_empty())
        .collect();
    sids.sort_unstable();
    if sids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
    }
    Ok(statements)
}

/// What holds for the statements of both kinds of policies.
fn check_common(statement: &Map<String, Value>) -> Answer<()> {
    const KEYS: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    if statement.keys().any(|key| !KEYS.contains(&key.as_str())) {
        return Err(malformed(SYNTAX));
    }
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(malformed(SYNTAX));
    }
    match statement.get("Sid") {
        None => {}
        Some(Value::String(sid)) if sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {}
        Some(Value::String(_)) => {
            return Err(malformed(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression \
                 [0-9A-Za-z]*",
            ));
        }
        Some(_) => return Err(malformed(SYNTAX)),
    }
    let Some(condition) = statement.get("Condition") else { return Ok(()) };
    let operators = condition.as_object().ok_or_else(|| malformed(SYNTAX))?;
    for keys in operators.values() {
        let keys = keys.as_object().ok_or_else(|| malformed(SYNTAX))?;
        if keys.values().any(|value| value.is_object() || value.is_null()) {
            return Err(malformed(SYNTAX));
        }
    }
    Ok(())
}

fn actions(statement: &Map<String, Value>) -> Answer<Vec<&str>> {
    one_of(statement, "Action", "NotAction")
}

/// The strings of one of two members that exclude each other.
fn one_of<'a>(statement: &'a Map<String, Value>, name: &str, other: &str) -> Answer<Vec<&'a str>> {
    match (statement.get(name), statement.get(other)) {
        (Some(value), None) | (None, Some(value)) => strings(value).ok_or_else(|| malformed(SYNTAX)),
        (None, None) => Ok(Vec::new()),
        (Some(_), Some(_)) => Err(malformed(SYNTAX)),
    }
}

/// One string, or a list of strings.
fn strings(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(one) => Some(vec![one]),
        Value::Array(many) => many.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn check_resource(resource: &str, partition: &str) -> Answer<()> {
    if resource == "*" {
        return Ok(());
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    // A wildcard may stand for several parts: `arn:aws:s3*`, `arn:*`.
    let whole = parts.len() == 6 || parts.last().is_some_and(|last| last.ends_with('*'));
    if parts[0] != "arn" || parts.len() < 2 || !whole {
        return Err(malformed(format!("Resource {resource} must be in ARN format or \"*\".")));
    }
    if !matches(parts[1], partition) {
        return Err(malformed(format!("Partition \"{}\" is not valid for resource \"{resource}\".", parts[1])));
    }
    Ok(())
}

fn check_principal(principal: &Value, partition: &str) -> Answer<()> {
    let kinds = match principal {
        Value::String(all) if all == "*" => return Ok(()),
        Value::String(other) => return Err(malformed(format!("Invalid principal in policy: \"STAR\":\"{other}\""))),
        Value::Object(kinds) => kinds,
        _ => return Err(malformed(SYNTAX)),
    };
    for (kind, values) in kinds {
        for value in strings(values).ok_or_else(|| malformed(SYNTAX))? {
            let valid = match kind.as_str() {
                "Service" => is_service(value),
                "AWS" => is_aws_principal(value, partition),
                "Federated" | "CanonicalUser" => !value.is_empty(),
                _ => return Err(malformed(SYNTAX)),
            };
            if !valid {
                let kind = kind.to_ascii_uppercase();
                return Err(malformed(format!("Invalid principal in policy: \"{kind}\":\"{value}\"")));
            }
        }
    }
    Ok(())
}

fn is_service(value: &str) -> bool {
    let name = value.strip_suffix(".amazonaws.com").or_else(|| value.strip_suffix(".amazonaws.com.cn"));
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(allowed))
}

fn is_aws_principal(value: &str, partition: &str) -> bool {
    let account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    match parts[..] {
        [one] => one == "*" || account(one),
        ["arn", own, "iam" | "sts", "", id, name] => own == partition && account(id) && !name.is_empty(),
        _ => false,
    }
}

/// Whether a trust policy lets a service assume the role.
pub(super) fn trusts(text: &str, service: &str) -> bool {
    let Ok(statements) = statements(text, SYNTAX) else { return false };
    let concerns = |statement: &&Map<String, Value>| {
        let action = actions(statement).is_ok_and(|all| all.iter().any(|one| matches(one, "sts:AssumeRole")));
        let principal = match statement.get("Principal") {
            Some(Value::String(all)) => all == "*",
            Some(Value::Object(kinds)) => {
                kinds.get("Service").and_then(strings).is_some_and(|services| services.contains(&service))
            }
            _ => false,
        };
        action && principal
    };
    verdict_of(statements.iter().filter(concerns)) == Some(true)
}

/// Whether a policy allows an action (`Some(true)`), denies it, or says nothing of it.
pub(super) fn verdict(text: &str, action: &str) -> Option<bool> {
    let statements = statements(text, SYNTAX).ok()?;
    verdict_of(statements.iter().filter(|statement| {
        let named = actions(statement).is_ok_and(|all| all.iter().any(|pattern| matches(pattern, action)));
        named != statement.contains_key("NotAction")
    }))
}

/// [`verdict`] of an action on one resource, an ARN or `*`; conditions are taken as met.
pub(super) fn verdict_on(text: &str, action: &str, resource: &str) -> Option<bool> {
    let policy = Policy::parse(text).ok()?.without_conditions();
    // The policy of a role names no principal, and so decides for whoever it is.
    let question = Question { action, resource, principal: Principal::Anonymous, keys: &NoKeys };
    match policy.evaluate(&question) {
        Verdict::Denied(_) => Some(false),
        Verdict::Allowed(_) => Some(true),
        Verdict::Silent => None,
    }
}

/// A denial wins over any permission.
fn verdict_of<'a>(mut statements: impl Iterator<Item = &'a Map<String, Value>>) -> Option<bool> {
    statements
        .try_fold(None, |_, statement| match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Ok(Some(true)),
            _ => Err(Some(false)),
        })
        .unwrap_or_else(|denied| denied)
}

/// Whether a pattern with `*` and `?` matches a text, without regard to case, as actions are compared.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    glob(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// Whether a pattern with `*` and `?` matches a text, with regard to case, as ARNs are compared.
pub(in crate::sandbox) fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // Where to go on when a match fails: at the last star, one character further in the text.
    let (mut at, mut seen, mut retry) = (0, 0, None);
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at, seen));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    at = star + 1;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::new(400, "MalformedPolicyDocument", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

    #[test]
    fn compact_takes_white_space_out_but_not_from_strings() {
        assert_eq!(compact("{ \"a b\" :\n[ \"c\\\" d\" , 1 ] }"), r#"{"a b":["c\" d",1]}"#);
        assert_eq!(encode("{\"a\": ~}"), "%7B%22a%22%3A%20~%7D");
    }

    #[test]
    fn trust_policies_are_held_to_their_grammar() {
        assert_eq!(check_trust(TRUST, "aws"), Ok(()));
        for (old, new, words) in [
            ("{\"Version", "\"Version", "This policy contains invalid Json"),
            ("2012-10-17", "2012-10-18", "The policy must contain a valid version string"),
            ("\"Effect\":\"Allow\",", "", "Missing required field Effect"),
            ("Allow", "Permit", SYNTAX),
            ("sts:AssumeRole", "lambda:Invoke", "AssumeRole policy may only specify STS AssumeRole actions."),
            ("lambda.amazonaws.com", "lambda", "Invalid principal in policy: \"SERVICE\":\"lambda\""),
            ("\"Action\"", "\"Resource\":\"*\",\"Action\"", "Has prohibited field Resource"),
            ("Service", "Servant", SYNTAX),
            (
                r#""Service":"lambda.amazonaws.com""#,
                r#""AWS":"arn:aws-cn:iam::123456789012:root""#,
                "Invalid principal in policy: \"AWS\":\"arn:aws-cn:iam::123456789012:root\"",
            ),
        ] {
            let fault = check_trust(&TRUST.replace(old, new), "aws").unwrap_err();
            assert_eq!((fault.code.as_str(), fault.message.as_str()), ("MalformedPolicyDocument", words), "{new}");
        }
    }

    #[test]
    fn permissions_are_held_to_their_grammar() {
        let policy = |statement: &str| format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        let good = r#"{"Sid":"Logs","Effect":"Allow","Action":["logs:Put*"],"Resource":"arn:aws:logs:*:*:*"}"#;
        assert_eq!(check_permissions(&policy(good), "aws"), Ok(()));
        for (statement, words) in [
            (
                good.replace("logs:Put*", "PutLogs"),
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ),
            (good.replace("arn:aws:logs:*:*:*", "logs"), "Resource logs must be in ARN format or \"*\"."),
            (
                good.replace("arn:aws:", "arn:aws-cn:"),
                "Partition \"aws-cn\" is not valid for resource \"arn:aws-cn:logs:*:*:*\".",
            ),
            (good.replace("\"Resource\":", "\"Principal\":"), "Policy document should not specify a principal."),
            (r#"{"Effect":"Allow","Action":"a:b"}"#.to_owned(), "Policy statement must contain resources."),
            (r#"{"Effect":"Allow","Resource":"*"}"#.to_owned(), "Policy statement must contain actions."),
            (format!("[{good},{good}]"), "Statement IDs (SID) in a single policy must be unique."),
            ("[]".to_owned(), SYNTAX),
            (good.replace("Resource", "Resources"), "Policy statement must contain resources."),
        ] {
            assert_eq!(check_permissions(&policy(&statement), "aws").unwrap_err().message, words);
        }
        assert_eq!(check_permissions("{", "aws").unwrap_err().message, SYNTAX);
    }

    #[test]
    fn patterns_match_as_actions_are_compared() {
        for (pattern, text, expected) in [
            ("*", "ec2:Anything", true),
            ("EC2:create*interface", "ec2:CreateNetworkInterface", true),
            ("ec2:Create?", "ec2:Created", true),
            ("ec2:Create?", "ec2:Create", false),
            ("*a*b", "xaxxbxb", true),
            ("*a*b", "xaxxbx", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_permission_is_for_its_resources() {
        let one = r#"{"Statement":[{"Effect":"Allow","Action":"lambda:Invoke*","Resource":"arn:aws:lambda:*:*:function:a*"}]}"#;
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:auth";
        assert_eq!(verdict_on(one, "lambda:InvokeFunction", arn), Some(true));
        assert_eq!(verdict_on(one, "lambda:InvokeFunction", &arn.replace("auth", "Auth")), None);
        assert_eq!(verdict_on(one, "lambda:GetFunction", arn), None);
        let but = one.replace("\"Resource\"", "\"NotResource\"");
        assert_eq!(verdict_on(&but, "lambda:InvokeFunction", arn), None);
        assert_eq!(verdict_on(&but, "lambda:InvokeFunction", "arn:aws:lambda:x:y:function:b"), Some(true));
    }

    #[test]
    fn a_denial_wins() {
        assert!(trusts(TRUST, "lambda.amazonaws.com"));
        assert!(!trusts(TRUST, "apigateway.amazonaws.com"));
        let both = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","NotAction":"logs:*","Resource":"*"}]}"#;
        assert_eq!(verdict(both, "logs:PutLogEvents"), Some(true));
        assert_eq!(verdict(both, "ec2:CreateNetworkInterface"), Some(false));
        assert_eq!(verdict(r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}"#, "c:d"), None);
    }
}
