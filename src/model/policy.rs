//! IAM and resource policies in a form in which equal meaning is equal data.
//!
//! AWS gives a policy back otherwise than it was sent: lists of one become strings, `"*"` becomes `{"AWS":"*"}`, an
//! account id becomes the ARN of its root, the order changes, and API Gateway expands `execute-api:/…` (aws-facts C). Read
//! into a [`Policy`], both forms are the same, so that a plan shows a difference only where there is one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::Digest;

/// A policy document: its statements by Sid, or by a name drawn from their content where they have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// `2012-10-17`
    pub version: String,
    /// Statements in canonical form. Their order carries no meaning to AWS.
    #[serde(deserialize_with = "canonical_statements")]
    pub statements: BTreeMap<String, Value>,
}

/// A list that held references is in order again once they are filled in, and a name that is drawn from the content follows
/// it.
fn canonical_statements<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let statements = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let canonical = statements.into_values().map(|statement| {
        let statement = canonical_statement(&statement)?;
        Ok((name_of(&statement), statement))
    });
    canonical.collect::<Result<_, String>>().map_err(D::Error::custom)
}

impl Policy {
    /// Reads a policy document, or says what is wrong with it.
    pub fn parse(document: &Value) -> Result<Self, String> {
        let object = document.as_object().ok_or("a policy is a JSON object")?;
        if let Some(unknown) = object.keys().find(|key| !["Version", "Id", "Statement"].contains(&key.as_str())) {
            return Err(format!("a policy has no member `{unknown}`"));
        }
        let version = object.get("Version").and_then(Value::as_str).unwrap_or("2008-10-17").to_owned();
        if !["2012-10-17", "2008-10-17"].contains(&version.as_str()) {
            return Err(format!("there is no policy version `{version}`; write 2012-10-17"));
        }
        let list = match object.get("Statement") {
            Some(Value::Array(items)) => items.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => return Err("a policy has a list `Statement`".to_owned()),
        };
        let mut statements = BTreeMap::new();
        for statement in list {
            let statement = canonical_statement(&statement)?;
            let name = name_of(&statement);
            if statements.insert(name.clone(), statement).is_some() && !name.starts_with("statement-") {
                return Err(format!("two statements have the Sid `{name}`"));
            }
        }
        Ok(Self { version, statements })
    }

    /// The document to send: statements in the order of their names.
    #[must_use]
    pub fn to_document(&self) -> Value {
        serde_json::json!({
            "Version": self.version,
            "Statement": self.statements.values().map(collapse).collect::<Vec<_>>(),
        })
    }

    /// Writes the ARN of the API itself (`arn:P:execute-api:R:ACCOUNT:API-ID`) back as `execute-api:`, undoing what API
    /// Gateway does on save (aws-facts C). An API's own policy then reads the same before and after it has an id.
    pub fn contract(&mut self, api_arn: &str) {
        let statements = std::mem::take(&mut self.statements);
        // A name that is drawn from the content changes with it.
        self.statements = statements
            .into_values()
            .map(|mut statement| {
                contract_statement(&mut statement, api_arn);
                (name_of(&statement), statement)
            })
            .collect();
    }
}

fn contract_statement(statement: &mut Value, api_arn: &str) {
    for member in ["Resource", "NotResource"] {
        let Some(Value::Array(items)) = statement.get_mut(member) else { continue };
        for item in items.iter_mut() {
            if let Some(rest) = item.as_str().and_then(|text| text.strip_prefix(api_arn))
                && rest.starts_with('/')
            {
                *item = Value::String(format!("execute-api:{rest}"));
            }
        }
        items.sort_by_key(ToString::to_string);
        items.dedup();
    }
}

/// The Sid of a statement, or a name drawn from its content where it has none.
fn name_of(statement: &Value) -> String {
    match statement.get("Sid").and_then(Value::as_str) {
        Some(sid) if !sid.is_empty() => sid.to_owned(),
        _ => format!("statement-{}", Digest::of(statement).short()),
    }
}

/// The statement with every list a sorted list, principals spelled one way, condition values as strings.
fn canonical_statement(statement: &Value) -> Result<Value, String> {
    const KNOWN: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let object = statement.as_object().ok_or("a statement is a JSON object")?;
    let mut canonical = Map::new();
    for (key, value) in object {
        if !KNOWN.contains(&key.as_str()) {
            return Err(format!("a statement has no member `{key}`"));
        }
        let value = match key.as_str() {
            "Sid" if value.as_str() == Some("") => continue,
            "Sid" | "Effect" => value.clone(),
            "Principal" | "NotPrincipal" => canonical_principal(value),
            "Condition" => canonical_condition(value),
            _ => sorted_list(value, |item| item),
        };
        canonical.insert(key.clone(), value);
    }
    match canonical.get("Effect").and_then(Value::as_str) {
        Some("Allow" | "Deny") => Ok(Value::Object(canonical)),
        _ => Err("a statement has an `Effect`, `Allow` or `Deny`".to_owned()),
    }
}

fn sorted_list(value: &Value, each: impl Fn(Value) -> Value) -> Value {
    let mut items: Vec<Value> = match value {
        Value::Array(items) => items.iter().cloned().map(each).collect(),
        one => vec![each(one.clone())],
    };
    items.sort_by_key(ToString::to_string);
    items.dedup();
    Value::Array(items)
}

/// `"*"` is `{"AWS": "*"}`, and `arn:aws:iam::123456789012:root` is `123456789012` (aws-facts C).
fn canonical_principal(value: &Value) -> Value {
    let account = |item: Value| -> Value {
        let id = item.as_str().and_then(|text| {
            let (front, rest) = text.split_once(":iam::")?;
            let id = rest.strip_suffix(":root")?;
            (front.starts_with("arn:") && id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))
                .then(|| id.to_owned())
        });
        id.map_or(item, Value::String)
    };
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(kind, who)| (kind.clone(), sorted_list(who, account))).collect())
        }
        other => serde_json::json!({ "AWS": sorted_list(other, account) }),
    }
}

fn canonical_condition(value: &Value) -> Value {
    let as_text = |item: Value| match item {
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        other => other,
    };
    let Some(operators) = value.as_object() else { return value.clone() };
    let operators = operators.iter().map(|(operator, keys)| {
        let keys = match keys.as_object() {
            Some(keys) => {
                Value::Object(keys.iter().map(|(key, values)| (key.clone(), sorted_list(values, as_text))).collect())
            }
            None => keys.clone(),
        };
        (operator.clone(), keys)
    });
    Value::Object(operators.collect())
}

/// Lists of one as strings and `{"AWS": "*"}` as `"*"`: the shortest form, and the one API Gateway insists on for a
/// principal with non-IAM authorizers (aws-facts E).
fn collapse(statement: &Value) -> Value {
    fn single(value: &Value) -> Value {
        match value {
            Value::Array(items) if items.len() == 1 => items[0].clone(),
            other => other.clone(),
        }
    }
    let Some(object) = statement.as_object() else { return statement.clone() };
    let members = object.iter().map(|(key, value)| {
        let value = match (key.as_str(), value) {
            ("Principal" | "NotPrincipal", Value::Object(kinds)) => {
                if kinds.len() == 1 && kinds.get("AWS").map(single) == Some(Value::String("*".into())) {
                    Value::String("*".into())
                } else {
                    Value::Object(kinds.iter().map(|(kind, who)| (kind.clone(), single(who))).collect())
                }
            }
            ("Condition", other) => other.clone(),
            (_, other) => single(other),
        };
        (key.clone(), value)
    });
    Value::Object(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(statement: &Value) -> Policy {
        Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement})).unwrap()
    }

    #[test]
    fn forms_of_one_meaning_are_equal() {
        let sent = json!([
            {"Sid": "b", "Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*/*/x", "execute-api:/*/*/a"]},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws-cn:iam::123456789012:root"}, "Action": ["sts:AssumeRole"], "Condition": {"Bool": {"aws:SecureTransport": true}}},
        ]);
        let got = json!([
            {"Effect": "Allow", "Principal": {"AWS": ["123456789012"]}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:SecureTransport": ["true"]}}},
            {"Sid": "b", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["execute-api:Invoke"],
             "Resource": ["arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/*/*/a", "arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/*/*/x"]},
        ]);
        let mut live = policy(&got);
        live.contract("arn:aws-cn:execute-api:cn-north-1:123456789012:abc123");
        assert_eq!(policy(&sent), live);
        assert_eq!(Policy::parse(&live.to_document()).unwrap(), live);
    }

    #[test]
    fn a_statement_without_a_sid_keeps_its_name_through_aws() {
        let sent = json!([{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}]);
        let mut got = sent.clone();
        got[0]["Resource"] = json!("arn:aws:execute-api:eu-central-1:123456789012:abc123/*");
        let mut live = policy(&got);
        live.contract("arn:aws:execute-api:eu-central-1:123456789012:abc123");
        assert_eq!(policy(&sent), live);
    }

    #[test]
    fn another_api_is_not_contracted() {
        let text = "arn:aws:execute-api:eu-central-1:123456789012:abc1234/*";
        let mut live =
            policy(&json!([{"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": text}]));
        live.contract("arn:aws:execute-api:eu-central-1:123456789012:abc123");
        assert_eq!(live.statements["a"]["Resource"], json!([text]));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for wrong in [
            json!([]),
            json!({"Statement": "x"}),
            json!({"Statement": [{"Effect": "Maybe"}]}),
            json!({"Statement": [{"Effect": "Allow", "Resorce": "*"}]}),
            json!({"Statement": [{"Sid": "a", "Effect": "Allow"}, {"Sid": "a", "Effect": "Deny"}]}),
            json!({"Statements": []}),
        ] {
            assert!(Policy::parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn everyone_is_written_as_a_star() {
        let open = policy(
            &json!({"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}),
        );
        assert_eq!(open.to_document()["Statement"][0]["Principal"], "*");
    }
}
