//! What the services of the JSON protocols ask for.

use serde_json::Value;

use super::{Asked, arn, body, has, text};
use crate::sandbox::cloudwatch;
use crate::sandbox::wire::Request;

/// CloudWatch Logs. The group is asked for as `NAME:log-stream:STREAM`, with nothing for the stream where the whole group is
/// meant, as denied calls say; only its tags are on the group as such (user guide, "CloudWatch Logs resources and operations").
pub(super) fn logs(request: &Request, operation: &str) -> Vec<Asked> {
    let body = body(request);
    let group = |name: &str, stream: &str| arn(request, "logs", &format!("log-group:{name}:log-stream:{stream}"));
    let action = format!("logs:{operation}");
    if let Some(resource) = text(&body, "/resourceArn") {
        return vec![Asked::new(action, resource)];
    }
    let Some(name) = text(&body, "/logGroupName") else {
        let identifier = text(&body, "/logGroupIdentifier");
        return vec![Asked::new(action, identifier.map_or_else(|| group("", ""), str::to_owned))];
    };
    let mut all = vec![Asked::new(action, group(name, text(&body, "/logStreamName").unwrap_or_default()))];
    if operation == "CreateLogGroup" && has(&body, "/tags") {
        all.push(Asked::new("logs:TagResource", arn(request, "logs", &format!("log-group:{name}"))));
    }
    all
}

/// CloudWatch, whatever its protocol.
pub(super) fn cloudwatch(request: &Request, operation: &str) -> Vec<Asked> {
    let input = cloudwatch::input(request);
    let action = format!("cloudwatch:{operation}");
    let alarm = |name: &str| arn(request, "cloudwatch", &format!("alarm:{name}"));
    let named = || {
        let names = input.get("AlarmNames").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(alarm).collect::<Vec<_>>()
    };
    let resources = match operation {
        "PutMetricAlarm" | "SetAlarmState" => vec![alarm(text(&input, "/AlarmName").unwrap_or("*"))],
        "DescribeAlarms" if named().is_empty() => vec![alarm("*")],
        "DescribeAlarms" | "DeleteAlarms" | "EnableAlarmActions" | "DisableAlarmActions" => named(),
        "TagResource" | "UntagResource" | "ListTagsForResource" => {
            vec![text(&input, "/ResourceARN").unwrap_or("*").to_owned()]
        }
        _ => vec!["*".to_owned()],
    };
    let tags = (operation == "PutMetricAlarm" && has(&input, "/Tags"))
        .then(|| Asked::new("cloudwatch:TagResource", resources[0].clone()));
    resources.into_iter().map(|resource| Asked::new(action.clone(), resource)).chain(tags).collect()
}

/// AWS WAF. ARNs end in an id that nobody knows before a create. What a rule refers to is asked for as well, and so is what a
/// web ACL is put before (Service Authorization Reference, dependent actions).
pub(super) fn wafv2(request: &Request, operation: &str) -> Vec<Asked> {
    let body = body(request);
    let action = format!("wafv2:{operation}");
    let one = |kind: &str| {
        let (name, id) = (text(&body, "/Name").unwrap_or("*"), text(&body, "/Id").unwrap_or("*"));
        arn(request, "wafv2", &format!("regional/{kind}/{name}/{id}"))
    };
    let kind = ["IPSet", "RuleGroup", "WebACL", "RegexPatternSet"]
        .into_iter()
        .find(|kind| ["Get", "Create", "Update", "Delete"].iter().any(|verb| operation == format!("{verb}{kind}")));
    if let Some(kind) = kind {
        let resource = one(&kind.to_lowercase());
        let mut all = vec![Asked::new(action.clone(), resource.clone())];
        if operation.starts_with("Create") && has(&body, "/Tags") {
            all.push(Asked::new("wafv2:TagResource", resource));
        }
        if ["WebACL", "RuleGroup"].contains(&kind) && !operation.starts_with("Get") {
            all.extend(referred(request, &body).into_iter().map(|resource| Asked::new(action.clone(), resource)));
        }
        return all;
    }
    match operation {
        "PutLoggingConfiguration" => logging(request, &body),
        "DeleteLoggingConfiguration" => vec![
            Asked::new(action, text(&body, "/ResourceArn").unwrap_or("*")),
            Asked::new("logs:DeleteLogDelivery", "*"),
        ],
        "AssociateWebACL" | "DisassociateWebACL" | "GetWebACLForResource" | "ListResourcesForWebACL" => {
            associations(&body, operation)
        }
        _ => {
            let resource = ["/ResourceARN", "/ResourceArn"].iter().find_map(|at| text(&body, at)).unwrap_or("*");
            vec![Asked::new(action, resource)]
        }
    }
}

/// The sets and groups that rules name, and those that somebody manages.
fn referred(request: &Request, body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(rules) = body.get("Rules") {
        statements(request, rules, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn statements(request: &Request, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| statements(request, item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "IPSetReferenceStatement" | "RuleGroupReferenceStatement" | "RegexPatternSetReferenceStatement" => {
                        found.extend(text(member, "/ARN").map(str::to_owned));
                    }
                    "ManagedRuleGroupStatement" => {
                        let (vendor, name) = (text(member, "/VendorName"), text(member, "/Name"));
                        let place = (request.caller.partition(), &request.caller.region);
                        found.push(format!(
                            "arn:{}:wafv2:{}:aws:regional/managedruleset/{}/{}",
                            place.0,
                            place.1,
                            vendor.unwrap_or("*"),
                            name.unwrap_or("*")
                        ));
                    }
                    _ => statements(request, member, found),
                }
            }
        }
        _ => {}
    }
}

/// Developer guide, "Logging AWS WAF web ACL traffic": permissions by destination.
fn logging(request: &Request, body: &Value) -> Vec<Asked> {
    let acl = text(body, "/LoggingConfiguration/ResourceArn").unwrap_or("*");
    let destination = text(body, "/LoggingConfiguration/LogDestinationConfigs/0").unwrap_or_default();
    let mut all = vec![Asked::new("wafv2:PutLoggingConfiguration", acl)];
    if destination.contains(":firehose:") {
        all.push(Asked::linked(request, "wafv2.amazonaws.com", "AWSServiceRoleForWAFV2Logging"));
        all.push(Asked::new("firehose:ListDeliveryStreams", "*"));
        return all;
    }
    all.push(Asked::new("logs:CreateLogDelivery", "*"));
    if destination.contains(":s3:") {
        let bucket = ["s3:GetBucketPolicy", "s3:PutBucketPolicy"];
        all.extend(bucket.map(|action| Asked::new(action, destination)));
    } else {
        let more = ["logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"];
        all.extend(more.map(|action| Asked::new(action, "*")));
    }
    all
}

/// Web ACLs before stages and load balancers. Which ACL goes or is there is in no request, so that only what it stands before
/// is asked for.
fn associations(body: &Value, operation: &str) -> Vec<Asked> {
    let resource = text(body, "/ResourceArn");
    let acl = text(body, "/WebACLArn");
    let action = format!("wafv2:{operation}");
    let mut all: Vec<Asked> =
        [acl, resource].into_iter().flatten().map(|arn| Asked::new(action.clone(), arn)).collect();
    let balancer = resource.is_some_and(|arn| arn.contains(":elasticloadbalancing:"));
    let beside: &[&str] = match (operation, balancer) {
        ("AssociateWebACL", true) => {
            &["elasticloadbalancing:CreateWebACLAssociation", "elasticloadbalancing:SetWebAcl"]
        }
        ("DisassociateWebACL", true) => {
            &["elasticloadbalancing:DeleteWebACLAssociation", "elasticloadbalancing:SetWebAcl"]
        }
        ("GetWebACLForResource", true) => &["elasticloadbalancing:GetLoadBalancerWebACL"],
        ("ListResourcesForWebACL", _) => match text(body, "/ResourceType").unwrap_or("APPLICATION_LOAD_BALANCER") {
            "APPLICATION_LOAD_BALANCER" => &["elasticloadbalancing:DescribeWebACLAssociation"],
            "COGNITO_USER_POOL" => &["cognito-idp:ListResourcesForWebACL"],
            "APP_RUNNER_SERVICE" => &["apprunner:ListAssociatedServicesForWebAcl"],
            "VERIFIED_ACCESS_INSTANCE" => &["ec2:DescribeVerifiedAccessInstanceWebAclAssociations"],
            _ => &[],
        },
        _ => &[],
    };
    all.extend(beside.iter().map(|action| Asked::new(*action, "*")));
    if let (Some(stage), "AssociateWebACL" | "DisassociateWebACL", false) = (resource, operation, balancer) {
        all.push(Asked::new("apigateway:SetWebACL", stage));
    }
    all
}

/// Data Firehose.
pub(super) fn firehose(request: &Request, operation: &str) -> Vec<Asked> {
    let body = body(request);
    let stream = text(&body, "/DeliveryStreamName");
    let resource =
        stream.map_or_else(|| "*".to_owned(), |name| arn(request, "firehose", &format!("deliverystream/{name}")));
    let mut all = vec![Asked::new(format!("firehose:{operation}"), resource.clone())];
    if operation == "CreateDeliveryStream" && has(&body, "/Tags") {
        all.push(Asked::new("firehose:TagDeliveryStream", resource));
    }
    let role = ["/ExtendedS3DestinationConfiguration/RoleARN", "/ExtendedS3DestinationUpdate/RoleARN"];
    let role = role.iter().find_map(|at| text(&body, at));
    all.extend(role.map(|role| Asked::pass(role, "firehose.amazonaws.com")));
    all
}

/// Certificate Manager.
pub(super) fn acm(request: &Request, operation: &str) -> Vec<Asked> {
    let body = body(request);
    vec![Asked::new(format!("acm:{operation}"), text(&body, "/CertificateArn").unwrap_or("*"))]
}
