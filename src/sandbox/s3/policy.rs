//! Bucket policies. They are kept, and not asked: whoever reaches the sandbox may do everything.

use serde_json::Value;

use super::Bucket;
use super::settings::blocks;
use crate::sandbox::fault::{Answer, Fault};
use crate::sandbox::wire::{Request, Response};

/// Bytes that a policy may have ("Bucket policies and user policies").
const LARGEST: usize = 20 * 1024;

pub(super) fn get(bucket: &Bucket) -> Answer<Response> {
    let none = || Fault::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist");
    let text = bucket.policy.clone().ok_or_else(none)?;
    let headers = vec![("content-type".into(), "application/json".into())];
    Ok(Response { status: 200, headers, body: text.into_bytes().into() })
}

pub(super) fn put(bucket: &mut Bucket, request: &Request, partition: &str, name: &str) -> Answer<Response> {
    let malformed = |message: &str| Fault::new(400, "MalformedPolicy", message);
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let read: Option<Value> = serde_json::from_str(&text).ok().filter(Value::is_object);
    let read = read.ok_or_else(|| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    if text.len() > LARGEST {
        return Err(malformed("Policy exceeds the maximum allowed document size."));
    }
    let statements = list(&read["Statement"]);
    if statements.is_empty() {
        return Err(malformed("Missing required field Statement"));
    }
    let arn = format!("arn:{partition}:s3:::{name}");
    for statement in &statements {
        for (member, other) in [("Effect", ""), ("Principal", "NotPrincipal"), ("Action", "NotAction")] {
            if statement[member].is_null() && (other.is_empty() || statement[other].is_null()) {
                return Err(malformed(&format!("Missing required field {member}")));
            }
        }
        let resources = list(&statement["Resource"]);
        let own = |one: &Value| one.as_str().is_some_and(|one| one == arn || one.starts_with(&format!("{arn}/")));
        if resources.is_empty() && statement["NotResource"].is_null() {
            return Err(malformed("Missing required field Resource"));
        }
        if !resources.iter().all(own) {
            return Err(malformed("Policy has invalid resource"));
        }
    }
    if blocks(bucket, "BlockPublicPolicy") && statements.iter().any(is_public) {
        let caller = &request.caller;
        let message = format!(
            "User: arn:{partition}:iam::{}:user/sandbox is not authorized to perform: s3:PutBucketPolicy on resource: \
             \"{arn}\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            caller.account
        );
        return Err(Fault::new(403, "AccessDenied", message));
    }
    bucket.policy = Some(text);
    Ok(Response::empty(204))
}

/// Whether a statement lets everybody in. AWS looks at which conditions there are; here any is taken for a narrow one.
fn is_public(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    let all = |value: &Value| list(value).iter().any(|one| one == "*");
    statement["Effect"] == "Allow" && statement["Condition"].is_null() && (all(principal) || all(&principal["AWS"]))
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}
