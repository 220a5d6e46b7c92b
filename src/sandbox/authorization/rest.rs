//! What Lambda, Route 53 and S3 ask for, whose operations stand in method and path.

use std::borrow::Cow;

use super::{Asked, arn, body, has, text};
use crate::sandbox::s3::operations::addressed;
use crate::sandbox::wire::Request;
use crate::sandbox::xml_reader;

/// Lambda. What is asked of a version or an alias is about `NAME:QUALIFIER`, which `NAME` alone does not cover (Lambda's guide,
/// "Resources and conditions for Lambda actions").
pub(super) fn lambda(request: &Request, operation: &str) -> Vec<Asked> {
    let action = format!("lambda:{operation}");
    let segments = request.segments();
    let body = body(request);
    let function = |name: &str| {
        let bare = name.rsplit("function:").next().unwrap_or(name);
        arn(request, "lambda", &format!("function:{bare}"))
    };
    let resource = match (operation, segments.get(1).map(String::as_str), segments.get(2)) {
        ("CreateFunction", ..) => text(&body, "/FunctionName").map_or_else(|| "*".to_owned(), function),
        (_, Some("functions"), Some(name)) => match request.parameter("Qualifier") {
            Some(qualifier) if !qualifier.is_empty() => function(&format!("{name}:{qualifier}")),
            _ => function(name),
        },
        (_, Some("tags"), Some(_)) => segments[2..].join("/"),
        _ => "*".to_owned(),
    };
    let mut all = vec![Asked::new(action, resource.clone())];
    if !["CreateFunction", "UpdateFunctionConfiguration"].contains(&operation) {
        return all;
    }
    all.extend(text(&body, "/Role").map(|role| Asked::pass(role, "lambda.amazonaws.com")));
    if has(&body, "/Tags") {
        all.push(Asked::new("lambda:TagResource", resource));
    }
    let layers = body.get("Layers").and_then(serde_json::Value::as_array).into_iter().flatten();
    all.extend(layers.filter_map(|layer| Some(Asked::new("lambda:GetLayerVersion", layer.as_str()?))));
    all
}

/// Route 53, which is global: its ARNs carry neither Region nor account.
pub(super) fn route53(request: &Request, operation: &str) -> Vec<Asked> {
    let action = format!("route53:{operation}");
    let global = |resource: &str| format!("arn:{}:route53:::{resource}", request.caller.partition());
    let segments = request.segments();
    let parts: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let resources = match parts.as_slice() {
        ["tags", kind] => {
            let ids = xml_reader::parse(&request.body).ok().and_then(|root| root.child("ResourceIds").cloned());
            let ids = ids.map(|list| list.children).unwrap_or_default();
            ids.iter().map(|id| global(&format!("{kind}/{}", id.text.trim()))).collect()
        }
        ["tags", kind, id] | [kind @ ("hostedzone" | "healthcheck" | "change"), id, ..] => {
            vec![global(&format!("{kind}/{id}"))]
        }
        _ => vec!["*".to_owned()],
    };
    resources.into_iter().map(|resource| Asked::new(action.clone(), resource)).collect()
}

/// S3, some of whose actions are not called as its operations are (user guide, "Required permissions for Amazon S3 API
/// operations").
pub(super) fn s3(request: &Request, operation: &str) -> Vec<Asked> {
    let action: Cow<'_, str> = match operation {
        "ListBuckets" => "ListAllMyBuckets".into(),
        "HeadBucket" | "ListObjectsV2" | "ListObjects" => "ListBucket".into(),
        "ListObjectVersions" => "ListBucketVersions".into(),
        "HeadObject" => "GetObject".into(),
        "DeleteBucketTagging" => "PutBucketTagging".into(),
        "GetBucketEncryption" => "GetEncryptionConfiguration".into(),
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration".into(),
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration".into(),
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration".into(),
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock".into(),
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock".into(),
        "DeleteBucketOwnershipControls" => "PutBucketOwnershipControls".into(),
        other => other.into(),
    };
    let (bucket, key) = addressed(request);
    let resource = match (bucket, key.is_empty()) {
        (None, _) => "*".to_owned(),
        (Some(bucket), true) => format!("arn:{}:s3:::{bucket}", request.caller.partition()),
        (Some(bucket), false) => format!("arn:{}:s3:::{bucket}/{key}", request.caller.partition()),
    };
    let mut all = vec![Asked::new(format!("s3:{action}"), resource.clone())];
    // API reference of CreateBucket, "Permissions".
    if operation == "CreateBucket" && request.header("x-amz-object-ownership").is_some() {
        all.push(Asked::new("s3:PutBucketOwnershipControls", resource));
    }
    all
}
