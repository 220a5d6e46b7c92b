//! What a call was about: the names by which its event is found.

use serde_json::Value;

use crate::sandbox::query::Call;
use crate::sandbox::wire::{Request, Response};

/// More names than this say nothing more.
const MOST: usize = 8;

/// Words of paths that are no names.
const WORDS: [&str; 26] = [
    "aliases",
    "apis",
    "authorizers",
    "basepathmappings",
    "code",
    "concurrency",
    "configuration",
    "deployments",
    "domainnames",
    "functions",
    "gatewayresponses",
    "healthcheck",
    "hostedzone",
    "integration",
    "integrations",
    "methods",
    "policy",
    "resources",
    "restapis",
    "routes",
    "rrset",
    "stages",
    "tags",
    "v2",
    "versions",
    "vpclinks",
];

/// The names, ids and ARNs in a request and in its answer.
pub(super) fn of(request: &Request, response: &Response) -> Vec<String> {
    let mut names = Vec::new();
    for segment in request.segments() {
        // `2015-03-31` is the version of an API.
        let version = segment.starts_with("20") && segment.matches('-').count() == 2;
        if !version && !WORDS.contains(&segment.as_str()) {
            add(&mut names, &segment);
            // A tag is put on an ARN, and its resource is known by its id.
            if segment.starts_with("arn:") {
                segment.rsplit(['/', ':']).take(3).for_each(|part| add(&mut names, part));
                segment
                    .split("/restapis/")
                    .nth(1)
                    .and_then(|rest| rest.split('/').next())
                    .into_iter()
                    .for_each(|id| add(&mut names, id));
            }
        }
    }
    if let Ok(Value::Object(members)) = serde_json::from_slice(&request.body) {
        members.iter().filter(|(name, _)| is_name(name)).filter_map(|(_, value)| value.as_str()).for_each(|text| {
            add(&mut names, text);
        });
    } else {
        Call::of(request).parameters().filter(|(name, _)| is_name(name)).for_each(|(_, text)| add(&mut names, text));
    }
    if let Ok(Value::Object(members)) = serde_json::from_slice(&response.body) {
        for id in ["id", "apiId", "FunctionArn"] {
            members.get(id).and_then(Value::as_str).into_iter().for_each(|text| add(&mut names, text));
        }
    }
    names
}

/// Whether a member of a request names a resource: `RoleName`, `logGroupName`, `resourceArn`, `Id`.
fn is_name(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    ["name", "arn", "id"].iter().any(|end| member.ends_with(end)) && !member.contains("policydocument")
}

fn add(names: &mut Vec<String>, name: &str) {
    let fits = !name.is_empty() && name.len() <= 256 && names.len() < MOST;
    if fits && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}
