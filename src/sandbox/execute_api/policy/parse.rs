//! Policy documents, from JSON to what is evaluated.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::glob::{Glob, Reading};
use super::{Either, Policy, Principal, Statement};

type Parsed<T> = Result<T, String>;

/// The principals that a statement lists.
#[derive(Debug, Clone, Default)]
pub(super) struct Principals {
    everyone: bool,
    accounts: Vec<String>,
    arns: Vec<String>,
    services: Vec<String>,
}

impl Principals {
    /// Whether a principal is among them.
    ///
    /// An account stands for everybody in it. ARNs are compared whole: "You can't use a wildcard to match part of a
    /// principal name or ARN" (IAM user guide, "Principal").
    pub(super) fn include(&self, principal: Principal<'_>) -> bool {
        if self.everyone {
            return true;
        }
        match principal {
            Principal::Anonymous => false,
            Principal::Aws { account, arn, role } => {
                let listed = |wanted: &String| wanted == arn || role == Some(wanted.as_str());
                self.accounts.iter().any(|wanted| wanted == account) || self.arns.iter().any(listed)
            }
            Principal::Service(name) => self.services.iter().any(|wanted| wanted == name),
        }
    }

    fn read(value: &Value) -> Parsed<Self> {
        let mut found = Self::default();
        match value {
            Value::String(text) if text == "*" => found.everyone = true,
            Value::Object(kinds) if !kinds.is_empty() => {
                for (kind, names) in kinds {
                    let names = strings(names).ok_or("a principal is no string")?;
                    match kind.as_str() {
                        "AWS" => names.into_iter().for_each(|name| found.add(name)),
                        "Service" => found.services.extend(names.into_iter().map(str::to_owned)),
                        // Nobody comes to API Gateway as one of these, so they match nobody.
                        "Federated" | "CanonicalUser" => {}
                        other => return Err(format!("`{other}` is no kind of principal")),
                    }
                }
            }
            _ => return Err("a principal is `*` or an object".into()),
        }
        Ok(found)
    }

    fn add(&mut self, name: &str) {
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        match parts.as_slice() {
            ["*"] => self.everyone = true,
            [account] | ["arn", _, "iam", "", account, "root"] => self.accounts.push((*account).to_owned()),
            _ => self.arns.push(name.to_owned()),
        }
    }
}

/// Compiles a document.
pub(super) fn policy(text: &str) -> Parsed<Policy> {
    let document: Value = serde_json::from_str(text).map_err(|error| format!("the policy is no JSON: {error}"))?;
    let Value::Object(document) = document else { return Err("the policy is no object".into()) };
    known(&document, &["Version", "Id", "Statement"])?;
    let variables = match document.get("Version") {
        None => false,
        Some(Value::String(version)) if version == "2008-10-17" => false,
        Some(Value::String(version)) if version == "2012-10-17" => true,
        Some(other) => return Err(format!("{other} is no version of the policy language")),
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => return Err("the policy has no Statement".into()),
    };
    let compile = |(at, value): (usize, &Value)| {
        statement(value, variables).map_err(|why| format!("statement {}: {why}", at + 1))
    };
    Ok(Policy { statements: statements.iter().enumerate().map(compile).collect::<Parsed<_>>()? })
}

fn statement(value: &Value, variables: bool) -> Parsed<Statement> {
    let Value::Object(members) = value else { return Err("it is no object".into()) };
    known(
        members,
        &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"],
    )?;
    let denies = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => false,
        Some("Deny") => true,
        _ => return Err("Effect is neither `Allow` nor `Deny`".into()),
    };
    let sid = match members.get("Sid") {
        None => None,
        Some(Value::String(sid)) => Some(sid.clone()).filter(|sid| !sid.is_empty()),
        Some(_) => return Err("Sid is no string".into()),
    };
    let principals = either(members, "Principal", "NotPrincipal")?
        .map(|found| Ok::<_, String>(Either { negated: found.negated, listed: Principals::read(found.listed)? }))
        .transpose()?;
    // An action is a name and not an ARN, and holds no variables.
    let actions = globs(members, "Action", "NotAction", Reading::AnyCase, false)?;
    let resources = globs(members, "Resource", "NotResource", Reading::Resource, variables)?;
    let conditions = members.get("Condition").map_or(Ok(Vec::new()), |value| conditions(value, variables))?;
    Ok(Statement { sid, denies, principals, actions, resources, conditions })
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Parsed<()> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("`{name}` is no element of the policy language")),
        None => Ok(()),
    }
}

fn either<'a>(members: &'a Map<String, Value>, name: &str, not: &str) -> Parsed<Option<Either<&'a Value>>> {
    match (members.get(name), members.get(not)) {
        (Some(_), Some(_)) => Err(format!("{name} and {not} exclude each other")),
        (Some(listed), None) => Ok(Some(Either { negated: false, listed })),
        (None, Some(listed)) => Ok(Some(Either { negated: true, listed })),
        (None, None) => Ok(None),
    }
}

fn globs(
    members: &Map<String, Value>,
    name: &str,
    not: &str,
    reading: Reading,
    variables: bool,
) -> Parsed<Either<Vec<Glob>>> {
    let found = either(members, name, not)?.ok_or_else(|| format!("there is neither {name} nor {not}"))?;
    let texts = strings(found.listed).ok_or_else(|| format!("{name} is no string and no list of strings"))?;
    let listed = texts.into_iter().map(|text| Glob::new(text, reading, variables)).collect::<Parsed<_>>()?;
    Ok(Either { negated: found.negated, listed })
}

fn conditions(value: &Value, variables: bool) -> Parsed<Vec<Condition>> {
    let Value::Object(operators) = value else { return Err("Condition is no object".into()) };
    let mut found = Vec::new();
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else { return Err(format!("`{operator}` has no keys")) };
        for (key, values) in keys {
            found.push(Condition::new(operator, key, values, variables)?);
        }
    }
    Ok(found)
}

fn strings(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}
