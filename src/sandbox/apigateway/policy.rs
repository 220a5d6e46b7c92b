//! Resource policies: what is accepted, how it is stored, how it is shown (aws-facts C and E).

use serde_json::Value;

use super::errors::{Answer, Refusal, bad_request};
use crate::sandbox::execute_api::policy::Policy;
use crate::sandbox::wire::Caller;

/// Characters a policy may have (aws-facts A).
const LIMIT: usize = 8192;

/// Checks a policy and gives it as it is stored: compact, with `execute-api:/…` expanded to this API's ARN.
pub(super) fn accept(text: &str, caller: &Caller, api: &str) -> Answer<String> {
    if text.chars().count() > LIMIT {
        return Err(bad_request(format!("Resource policy document exceeds the maximum size of {LIMIT} characters")));
    }
    let mut policy: Value = serde_json::from_str(text).map_err(|_| invalid())?;
    let statements = policy.get_mut("Statement").ok_or_else(invalid)?;
    let statements = match statements {
        Value::Array(statements) => statements.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    let prefix = format!("arn:{}:execute-api:{}:{}:{api}", caller.partition(), caller.region, caller.account);
    for statement in statements {
        check(statement)?;
        for member in ["Resource", "NotResource"] {
            if let Some(resource) = statement.get_mut(member) {
                expand(resource, &prefix);
            }
        }
    }
    let policy = policy.to_string();
    // What can't be evaluated would not be there for the data plane, its denials included.
    Policy::parse(&policy).map_err(|_| invalid())?;
    Ok(policy)
}

/// The policy as `GetRestApi` shows it: the JSON text escaped once more, slashes included.
pub(super) fn shown(policy: &str) -> String {
    policy.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/")
}

fn invalid() -> Refusal {
    bad_request("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.")
}

/// A statement of a resource policy has an effect, a principal, an action and a resource.
fn check(statement: &Value) -> Answer<()> {
    let has = |member: &str| statement.get(member).is_some_and(|value| !value.is_null());
    let effect = statement.get("Effect").and_then(Value::as_str);
    let complete = matches!(effect, Some("Allow" | "Deny"))
        && (has("Principal") != has("NotPrincipal"))
        && (has("Action") != has("NotAction"))
        && (has("Resource") != has("NotResource"));
    if complete { Ok(()) } else { Err(invalid()) }
}

fn expand(resource: &mut Value, prefix: &str) {
    match resource {
        Value::String(text) => {
            if let Some(path) = text.strip_prefix("execute-api:/") {
                *text = format!("{prefix}/{path}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| expand(item, prefix)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::caller;
    use super::*;

    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
        "Action":"execute-api:Invoke","Resource":["execute-api:/*/GET/x","arn:aws:execute-api:r:a:i/*"]}]}"#;

    #[test]
    fn short_resources_are_expanded_in_the_callers_partition() {
        let mut china = caller();
        china.region = "cn-north-1".into();
        let stored = accept(POLICY, &china, "abc").expect("accepted");
        assert!(stored.contains("\"arn:aws-cn:execute-api:cn-north-1:111111111111:abc/*/GET/x\""), "{stored}");
        assert!(stored.contains("\"arn:aws:execute-api:r:a:i/*\""), "a full ARN stays: {stored}");
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for wrong in ["", "{", "[]", "{}", r#"{"Statement":[{"Effect":"Maybe"}]}"#] {
            assert_eq!(accept(wrong, &caller(), "abc"), Err(invalid()), "{wrong}");
        }
        let with = |member: &str| POLICY.replacen("\"Principal\"", &format!("{member},\"Principal\""), 1);
        for unread in [r#""Sid":1"#, r#""Condition":[]"#, r#""Condition":{"DateLessThan":{"aws:CurrentTime":{}}}"#] {
            assert_eq!(accept(&with(unread), &caller(), "abc"), Err(invalid()), "{unread}");
        }
        let long = format!("{POLICY}{}", " ".repeat(LIMIT));
        assert!(accept(&long, &caller(), "abc").expect_err("too long").message.contains("8192"));
    }

    #[test]
    fn the_shown_form_is_escaped_once_more() {
        assert_eq!(shown(r#"{"a":"b/c"}"#), r#"{\"a\":\"b\/c\"}"#);
    }
}
