//! What the services of the query protocol ask for.

use super::{Asked, arn};
use crate::sandbox::query::Call;
use crate::sandbox::wire::Request;
use crate::sandbox::world::World;

/// IAM. A role is asked for by its ARN, path and all; one that does not exist has none, and is asked for by its name: seen in
/// reports of denied calls, documented nowhere.
pub(super) fn iam(world: &World, request: &Request) -> Vec<Asked> {
    let call = Call::of(request);
    let action = format!("iam:{}", call.action());
    let caller = &request.caller;
    let role = |rest: &str| format!("arn:{}:iam::{}:role{rest}", caller.partition(), caller.account);
    let path = |name: &str| call.get(name).unwrap_or("/").to_owned();
    let Some(name) = call.get("RoleName") else {
        let resource = match call.action() {
            "ListRoles" => role(&path("PathPrefix")),
            "SimulatePrincipalPolicy" => call.get("PolicySourceArn").unwrap_or("*").to_owned(),
            _ => "*".to_owned(),
        };
        return vec![Asked::new(action, resource)];
    };
    let resource = match call.action() {
        "CreateRole" => role(&format!("{}{name}", path("Path"))),
        _ => world
            .accounts
            .get(&caller.account)
            .and_then(|account| account.iam.arn_of(name))
            .map_or_else(|| role(&format!("/{name}")), str::to_owned),
    };
    let mut all = vec![Asked::new(action, resource.clone())];
    // IAM's guide, "Tagging IAM roles": "to create a role with tags".
    if call.action() == "CreateRole" && !call.tags("Tags").is_empty() {
        all.push(Asked::new("iam:TagRole", resource));
    }
    all
}

/// EC2. What is described has no resources in policies.
pub(super) fn ec2(request: &Request) -> Vec<Asked> {
    let call = Call::of(request);
    let name = call.action();
    let group = |id: &str| arn(request, "ec2", &format!("security-group/{id}"));
    let action = format!("ec2:{name}");
    match name {
        "CreateSecurityGroup" => {
            let vpc = arn(request, "ec2", &format!("vpc/{}", call.get("VpcId").unwrap_or("*")));
            let mut all = vec![Asked::new(action.clone(), group("*")), Asked::new(action, vpc)];
            if call.get("TagSpecification.1.ResourceType").is_some() {
                all.push(Asked::new("ec2:CreateTags", group("*")));
            }
            all
        }
        "CreateTags" | "DeleteTags" => {
            let ids = (1..).map_while(|at| call.get(&format!("ResourceId.{at}")).map(str::to_owned));
            ids.map(|id| Asked::new(action.clone(), arn(request, "ec2", &tagged(&id)))).collect()
        }
        _ => {
            let resource = call.get("GroupId").map_or_else(|| "*".to_owned(), group);
            let resource = if name.starts_with("Describe") { "*".to_owned() } else { resource };
            vec![Asked::new(action, resource)]
        }
    }
}

/// The kind of a resource, by what its id begins with.
fn tagged(id: &str) -> String {
    let kind = match id.rsplit_once('-').map_or(id, |(kind, _)| kind) {
        "sg" => "security-group",
        "subnet" => "subnet",
        "vpc" => "vpc",
        "vpce" => "vpc-endpoint",
        "eni" => "network-interface",
        _ => "instance",
    };
    format!("{kind}/{id}")
}

/// STS. Who one is may everybody ask, whatever policies say (API reference of `GetCallerIdentity`).
pub(super) fn sts(request: &Request) -> Vec<Asked> {
    let call = Call::of(request);
    match call.action() {
        "GetCallerIdentity" => Vec::new(),
        name => vec![Asked::new(format!("sts:{name}"), call.get("RoleArn").unwrap_or("*"))],
    }
}

/// SNS.
pub(super) fn sns(request: &Request) -> Vec<Asked> {
    let call = Call::of(request);
    let resource = ["TopicArn", "ResourceArn"].iter().find_map(|name| call.get(name)).unwrap_or("*").to_owned();
    vec![Asked::new(format!("sns:{}", call.action()), resource)]
}
