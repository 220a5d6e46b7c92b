//! The resource policies of functions: who may invoke them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::aliases::no_alias;
use super::function::stale;
use super::names::Named;
use super::requests::{self, Permission, refuse_unsupported};
use super::settings::validation;
use super::versions::{LATEST, is_number};
use super::{Function, State, invalid, names, no_function};
use crate::sandbox::fault::{Answer, Fault, missing, violation};
use crate::sandbox::iam;
use crate::sandbox::wire::{Caller, Request};
use crate::sandbox::world::View;

/// 20 KB.
const LIMIT: usize = 20_480;

/// One statement, its members in Lambda's order: clients compare the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    sid: String,
    effect: String,
    principal: Principal,
    action: String,
    resource: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    condition: BTreeMap<String, BTreeMap<String, String>>,
}

/// Who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Principal {
    Everybody(String),
    One(BTreeMap<String, String>),
}

/// The policy of a version or an alias.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Policy {
    statements: Vec<Statement>,
    revision: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: &'a str,
    id: &'a str,
    statement: &'a [Statement],
}

impl Function {
    /// The statements behind a qualifier, and their revision. `$LATEST` has those of the function as a whole.
    fn policy_of(&self, qualifier: Option<&str>) -> (&[Statement], &str) {
        match qualifier.filter(|text| *text != LATEST) {
            None => (&self.policy, &self.policy_revision),
            Some(text) => {
                self.policies.get(text).map_or((&[], ""), |policy| (&policy.statements[..], policy.revision.as_str()))
            }
        }
    }

    fn set_policy(&mut self, qualifier: Option<&str>, statements: Vec<Statement>, revision: String) {
        match qualifier.filter(|text| *text != LATEST) {
            None => (self.policy, self.policy_revision) = (statements, revision),
            Some(text) => drop(self.policies.insert(text.to_owned(), Policy { statements, revision })),
        }
    }
}

/// The function of a request, whose qualifier leads somewhere.
fn function_at<'a>(lambda: &'a mut State, named: &Named, caller: &Caller) -> Answer<&'a mut Function> {
    let function = lambda.function_mut(&named.name, caller)?;
    match named.qualifier.as_deref() {
        Some(text) if function.resolve(Some(text)).is_none() => {
            let number = is_number(text);
            let qualified = named.qualified();
            Err(if number { no_function(&qualified, caller) } else { no_alias(&qualified, caller) })
        }
        _ => Ok(function),
    }
}

pub(super) fn add(view: &mut View<'_>, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    let body = requests::body(request)?;
    refuse_unsupported(&body, &["FunctionUrlAuthType", "InvokedViaFunctionUrl"])?;
    let asked: Permission = requests::parse(&body)?;
    let revision = view.new_uuid();
    let function = function_at(&mut view.region.lambda, named, &request.caller)?;
    let qualifier = named.qualifier.as_deref();
    let (current, of) = function.policy_of(qualifier);
    check_revision(of, asked.revision_id.as_deref())?;
    let arn = match qualifier.filter(|text| *text != LATEST) {
        None => function.configuration.function_arn.clone(),
        Some(_) => names::arn(&named.qualified(), &request.caller),
    };
    let statement = statement(asked, &arn, &request.caller)?;
    if current.iter().any(|other| other.sid == statement.sid) {
        return Err(Fault::new(
            409,
            "ResourceConflictException",
            format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, or remove the \
                 existing statement.",
                statement.sid
            ),
        ));
    }
    let answer = serde_json::to_string(&statement).unwrap_or_default();
    let mut policy = current.to_vec();
    policy.push(statement);
    let size = text(&policy).len();
    if size > LIMIT {
        let message = format!("The final policy size ({size}) is bigger than the limit ({LIMIT}).");
        return Err(Fault::new(400, "PolicyLengthExceededException", message));
    }
    function.set_policy(qualifier, policy, revision);
    Ok((201, json!({ "Statement": answer })))
}

pub(super) fn get(lambda: &State, request: &Request, named: &Named) -> Answer<(u16, Value)> {
    let function = lambda.function(&named.name, &request.caller)?;
    let (statements, revision) = function.policy_of(named.qualifier.as_deref());
    if statements.is_empty() {
        return Err(Fault::new(404, "ResourceNotFoundException", "The resource you requested does not exist."));
    }
    Ok((200, json!({ "Policy": text(statements), "RevisionId": revision })))
}

pub(super) fn remove(view: &mut View<'_>, request: &Request, named: &Named, sid: &str) -> Answer<(u16, Value)> {
    let revision = view.new_uuid();
    let function = function_at(&mut view.region.lambda, named, &request.caller)?;
    let qualifier = named.qualifier.as_deref();
    let (current, of) = function.policy_of(qualifier);
    check_revision(of, request.parameter("RevisionId"))?;
    let mut policy = current.to_vec();
    let Some(at) = policy.iter().position(|statement| statement.sid == sid) else {
        let message = format!("Statement {sid} is not found in resource policy.");
        return Err(Fault::new(404, "ResourceNotFoundException", message));
    };
    policy.remove(at);
    function.set_policy(qualifier, policy, revision);
    Ok((204, Value::Null))
}

/// Whether the policy of a function, or of that version or alias of it by which it is called, lets a service invoke it on
/// behalf of a resource, `source`.
pub(super) fn lets_invoke(function: &Function, qualifier: Option<&str>, service: &str, source: &str) -> bool {
    let account = source.split(':').nth(4).unwrap_or_default();
    function.policy_of(qualifier).0.iter().any(|statement| {
        let principal = match &statement.principal {
            Principal::Everybody(_) => true,
            Principal::One(kinds) => kinds.get("Service").is_some_and(|name| name == service),
        };
        let action = ["*", "lambda:*", "lambda:InvokeFunction"].contains(&statement.action.as_str());
        let mut conditions = statement.condition.values().flatten();
        principal
            && action
            && conditions.all(|(key, value)| match key.as_str() {
                "AWS:SourceArn" => iam::glob(value, source),
                "AWS:SourceAccount" => value == account,
                // API Gateway sends neither a token nor an organisation.
                _ => false,
            })
    })
}

fn check_revision(current: &str, asked: Option<&str>) -> Answer<()> {
    if asked.is_none_or(|revision| revision == current) { Ok(()) } else { Err(stale()) }
}

fn text(statements: &[Statement]) -> String {
    let policy = Document { version: "2012-10-17", id: "default", statement: statements };
    serde_json::to_string(&policy).unwrap_or_default()
}

fn statement(asked: Permission, function: &str, caller: &Caller) -> Answer<Statement> {
    let required = |member: &str| validation(missing(member));
    let sid = asked.statement_id.ok_or_else(|| required("statementId"))?;
    let action = asked.action.ok_or_else(|| required("action"))?;
    let who = asked.principal.ok_or_else(|| required("principal"))?;
    let id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if sid.is_empty() || sid.len() > 100 || !sid.bytes().all(id) {
        let constraint = "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)";
        return Err(validation(violation(&sid, "statementId", constraint)));
    }
    let verb = action.strip_prefix("lambda:").unwrap_or_default();
    let letters = !verb.is_empty() && verb.bytes().all(|byte| byte.is_ascii_alphabetic());
    if action != "*" && verb != "*" && !letters {
        let constraint = "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])";
        return Err(validation(violation(&action, "action", constraint)));
    }
    let mut condition: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (operator, key, value) in [
        ("ArnLike", "AWS:SourceArn", asked.source_arn),
        ("StringEquals", "AWS:SourceAccount", asked.source_account),
        ("StringEquals", "lambda:EventSourceToken", asked.event_source_token),
        ("StringEquals", "aws:PrincipalOrgID", asked.principal_org_id),
    ] {
        if let Some(value) = value {
            condition.entry(operator.to_owned()).or_default().insert(key.to_owned(), value);
        }
    }
    if let Some(bad) = condition.get("ArnLike").and_then(|keys| keys.values().next()).filter(|arn| !is_arn(arn)) {
        let constraint = "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:\
                          ([a-z]{2}(-gov)?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)";
        return Err(validation(violation(bad, "sourceArn", constraint)));
    }
    Ok(Statement {
        sid,
        effect: "Allow".to_owned(),
        principal: principal(&who, caller)?,
        action,
        resource: function.to_owned(),
        condition,
    })
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:aws") && text.splitn(6, ':').count() == 6
}

fn principal(who: &str, caller: &Caller) -> Answer<Principal> {
    let one = |kind: &str, value: String| Principal::One(BTreeMap::from([(kind.to_owned(), value)]));
    if who == "*" {
        return Ok(Principal::Everybody(who.to_owned()));
    }
    if who.len() == 12 && who.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(one("AWS", format!("arn:{}:iam::{who}:root", caller.partition())));
    }
    if who.starts_with(&format!("arn:{}:iam::", caller.partition())) {
        return Ok(one("AWS", who.to_owned()));
    }
    if who.ends_with(".amazonaws.com") || who.ends_with(".amazonaws.com.cn") {
        return Ok(one("Service", who.to_owned()));
    }
    Err(invalid("The provided principal was invalid. Please check the principal and try again."))
}
