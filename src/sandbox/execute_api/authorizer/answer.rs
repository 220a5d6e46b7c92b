//! What an authorizer's function answers, read as strictly as API Gateway does (aws-facts D).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::sandbox::execute_api::policy::Policy;

/// The longest ARN that a policy may hold (aws-facts D).
const ARN_LIMIT: usize = 512;

/// A function's answer that can be used.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who the client is, `$context.authorizer.principalId`.
    pub principal_id: String,
    /// What the client may do.
    pub policy: Policy,
    /// What the function tells the backend, `$context.authorizer.NAME`.
    pub context: BTreeMap<String, String>,
    /// The API key, where keys come from the authorizer.
    pub usage_identifier_key: Option<String>,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in API Gateway's words where they are known from reports of its execution logs.
    pub fn parse(payload: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(payload).map_err(|error| format!("Invalid JSON in response: {error}"))?;
        let Value::Object(mut answer) = value else {
            return Err("Could not parse policy: the answer is no object".to_owned());
        };
        let principal_id = match answer.get("principalId") {
            None | Some(Value::Null) => return Err("Invalid response: it has no principalId".to_owned()),
            Some(id) => text(id).ok_or("Invalid response: principalId is no string")?,
        };
        let policy = answer.remove("policyDocument").unwrap_or_default();
        let unusable = |why: String| format!("Unable to parse given policy: {why}");
        check_policy(&policy).map_err(unusable)?;
        let policy = Policy::parse(&policy.to_string()).map_err(|error| unusable(error.to_string()))?;
        let context = match answer.get("context") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(context)) => read_context(context)?,
            Some(_) => return Err("Invalid JSON in response: context is no object".to_owned()),
        };
        let usage_identifier_key = match answer.get("usageIdentifierKey") {
            None | Some(Value::Null) => None,
            Some(key) => Some(text(key).ok_or("Invalid response: usageIdentifierKey is no string")?),
        };
        Ok(Self { principal_id, policy, context, usage_identifier_key })
    }
}

/// A string, or what becomes one.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn read_context(context: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let mut read = BTreeMap::new();
    for (name, value) in context {
        match (text(value), value) {
            (Some(text), _) => {
                read.insert(name.clone(), text);
            }
            // The same as not set.
            (None, Value::Null) => {}
            (None, other) => {
                let token = if other.is_array() { "START_ARRAY" } else { "START_OBJECT" };
                return Err(format!(
                    "Invalid JSON in response: Can not deserialize instance of java.lang.String out of {token} token \
                     (context.{name})"
                ));
            }
        }
    }
    Ok(read)
}

fn check_policy(policy: &Value) -> Result<(), String> {
    let policy = policy.as_object().ok_or("policyDocument is missing or no object")?;
    if let Some(version) = policy.get("Version")
        && !["2012-10-17", "2008-10-17"].iter().any(|known| version == known)
    {
        return Err(format!("Version is {version}"));
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => return Err("Statement is missing or no list".to_owned()),
    };
    statements.iter().try_for_each(check_statement)
}

fn check_statement(statement: &Value) -> Result<(), String> {
    let statement = statement.as_object().ok_or("a statement is no object")?;
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err("Effect is neither Allow nor Deny".to_owned());
    }
    strings(statement, "Action", "NotAction")?;
    match strings(statement, "Resource", "NotResource")?.iter().find(|arn| arn.len() > ARN_LIMIT) {
        Some(arn) => Err(format!("a resource has {} characters, more than {ARN_LIMIT}", arn.len())),
        None => Ok(()),
    }
}

/// The strings of one of two members.
fn strings<'a>(statement: &'a Map<String, Value>, name: &str, other: &str) -> Result<Vec<&'a str>, String> {
    let value = statement.get(name).or_else(|| statement.get(other));
    let strings = match value {
        Some(Value::String(one)) => Some(vec![one.as_str()]),
        Some(Value::Array(many)) if !many.is_empty() => many.iter().map(Value::as_str).collect(),
        _ => None,
    };
    strings.ok_or_else(|| format!("{name} is missing or no list of strings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::execute_api::policy::{NoKeys, Principal, Question, Verdict};
    use serde_json::json;

    fn good() -> Value {
        json!({
            "principalId": "user",
            "policyDocument": { "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": ["arn:aws:execute-api:a:b:c/d/*"] },
            ] },
            "context": { "string": "s", "number": 1.5, "boolean": true, "nothing": null },
            "usageIdentifierKey": "key",
        })
    }

    #[test]
    fn a_good_answer_is_read_with_strings_in_its_context() {
        let answer = Answer::parse(good().to_string().as_bytes()).unwrap();
        assert_eq!(answer.principal_id, "user");
        let allows = |arn: &str| {
            let question = Question {
                action: "execute-api:Invoke",
                resource: arn,
                principal: Principal::Anonymous,
                keys: &NoKeys,
            };
            matches!(answer.policy.evaluate(&question), Verdict::Allowed(_))
        };
        assert!(allows("arn:aws:execute-api:a:b:c/d/GET/x") && !allows("arn:aws:execute-api:a:b:c/e/GET/x"));
        let pairs = [("boolean", "true"), ("number", "1.5"), ("string", "s")];
        assert_eq!(answer.context, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(answer.usage_identifier_key.as_deref(), Some("key"));
        let least = json!({ "principalId": 7, "policyDocument": { "Statement": [] } });
        assert_eq!(Answer::parse(least.to_string().as_bytes()).unwrap().principal_id, "7");
    }

    #[test]
    fn what_api_gateway_would_not_take_is_refused() {
        let arn = "a".repeat(513);
        for (pointer, value, words) in [
            ("", json!(null), "Could not parse policy"),
            ("/principalId", json!(null), "principalId"),
            ("/policyDocument", json!("{}"), "Unable to parse given policy"),
            ("/policyDocument/Version", json!("2020-01-01"), "Version"),
            ("/policyDocument/Statement", json!(null), "Statement"),
            ("/policyDocument/Statement/0/Effect", json!("allow"), "Effect"),
            ("/policyDocument/Statement/0/Action", json!([]), "Action"),
            ("/policyDocument/Statement/0/Resource/0", json!(arn), "513 characters"),
            ("/context", json!([]), "context"),
            ("/context/string", json!([1]), "START_ARRAY"),
            ("/context/string", json!({}), "START_OBJECT"),
            ("/usageIdentifierKey", json!({}), "usageIdentifierKey"),
        ] {
            let mut answer = good();
            *answer.pointer_mut(pointer).unwrap() = value;
            let why = Answer::parse(answer.to_string().as_bytes()).unwrap_err();
            assert!(why.contains(words), "{pointer}: {why}");
        }
        assert!(Answer::parse(b"allow").unwrap_err().contains("Invalid JSON"));
    }
}
