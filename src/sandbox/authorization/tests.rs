use serde_json::json;

use super::*;
use crate::sandbox::wire::Caller;

fn request(service: &str, method: &str, path: &str, body: &str) -> Request {
    let mut headers = Vec::new();
    let mut path = path;
    if let Some(target) = path.strip_prefix('#') {
        headers.push(("x-amz-target".to_owned(), format!("X.{target}")));
        path = "/";
    } else if body.starts_with("Action=") {
        headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request {
        method: method.into(),
        path: path.into(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers,
        body: body.as_bytes().to_vec().into(),
        caller: Caller {
            account: "123456789012".into(),
            region: "cn-north-1".into(),
            service: service.into(),
            access_key: "123456789012".into(),
        },
    }
}

fn lines(request: &Request) -> Vec<String> {
    let line = |asked: Asked| {
        let to = asked.passed_to.map(|service| format!(" to {service}")).unwrap_or_default();
        format!("{} {}{to}", asked.action, asked.resource)
    };
    asked(&World::default(), request).into_iter().map(line).collect()
}

#[test]
fn requests_ask_for_actions_on_resources() {
    for (request, expected) in [
        (
            request("apigateway", "GET", "/restapis?limit=500", ""),
            vec!["apigateway:GET arn:aws-cn:apigateway:cn-north-1::/restapis"],
        ),
        (
            request("apigateway", "PATCH", "/restapis/a", r#"{"patchOperations":[{"op":"replace","path":"/policy"}]}"#),
            vec![
                "apigateway:PATCH arn:aws-cn:apigateway:cn-north-1::/restapis/a",
                "apigateway:UpdateRestApiPolicy arn:aws-cn:apigateway:cn-north-1::/restapis/a",
            ],
        ),
        (
            request("apigateway", "DELETE", "/v2/apis/a/stages/b", ""),
            vec!["apigateway:DELETE arn:aws-cn:apigateway:cn-north-1::/apis/a/stages/b"],
        ),
        (
            request("apigateway", "PUT", "/tags/arn%3Aaws-cn%3Aapigateway", "{}"),
            vec!["apigateway:PUT arn:aws-cn:apigateway:cn-north-1::/tags/arn%3Aaws-cn%3Aapigateway"],
        ),
        (
            request("lambda", "DELETE", "/2015-03-31/functions/f?Qualifier=3", ""),
            vec!["lambda:DeleteFunction arn:aws-cn:lambda:cn-north-1:123456789012:function:f:3"],
        ),
        (
            request(
                "lambda",
                "POST",
                "/2015-03-31/functions",
                r#"{"FunctionName":"f","Role":"r","Tags":{"a":"b"},"Layers":["l"]}"#,
            ),
            vec![
                "lambda:CreateFunction arn:aws-cn:lambda:cn-north-1:123456789012:function:f",
                "iam:PassRole r to lambda.amazonaws.com",
                "lambda:TagResource arn:aws-cn:lambda:cn-north-1:123456789012:function:f",
                "lambda:GetLayerVersion l",
            ],
        ),
        (
            request("iam", "POST", "/", "Action=GetRole&RoleName=r"),
            vec!["iam:GetRole arn:aws-cn:iam::123456789012:role/r"],
        ),
        (
            request("iam", "POST", "/", "Action=CreateRole&RoleName=r&Path=/p/&Tags.member.1.Key=k"),
            vec![
                "iam:CreateRole arn:aws-cn:iam::123456789012:role/p/r",
                "iam:TagRole arn:aws-cn:iam::123456789012:role/p/r",
            ],
        ),
        (
            request("logs", "POST", "#CreateLogGroup", r#"{"logGroupName":"g","tags":{"a":"b"}}"#),
            vec![
                "logs:CreateLogGroup arn:aws-cn:logs:cn-north-1:123456789012:log-group:g:log-stream:",
                "logs:TagResource arn:aws-cn:logs:cn-north-1:123456789012:log-group:g",
            ],
        ),
        (
            request(
                "wafv2",
                "POST",
                "#AssociateWebACL",
                r#"{"WebACLArn":"w","ResourceArn":"arn:aws-cn:apigateway:s"}"#,
            ),
            vec![
                "wafv2:AssociateWebACL w",
                "wafv2:AssociateWebACL arn:aws-cn:apigateway:s",
                "apigateway:SetWebACL arn:aws-cn:apigateway:s",
            ],
        ),
        (
            request("route53", "GET", "/2013-04-01/healthcheck/h/status", ""),
            vec!["route53:GetHealthCheckStatus arn:aws-cn:route53:::healthcheck/h"],
        ),
        (
            request("ec2", "POST", "/", "Action=DeleteTags&ResourceId.1=sg-1&Tag.1.Key=a"),
            vec!["ec2:DeleteTags arn:aws-cn:ec2:cn-north-1:123456789012:security-group/sg-1"],
        ),
        (request("sts", "POST", "/", "Action=GetCallerIdentity"), vec![]),
        (request("tagging", "POST", "#GetResources", "{}"), vec!["tag:GetResources *"]),
        (
            request("firehose", "POST", "#DescribeDeliveryStream", r#"{"DeliveryStreamName":"s"}"#),
            vec!["firehose:DescribeDeliveryStream arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/s"],
        ),
    ] {
        assert_eq!(lines(&request), expected, "{} {}", request.caller.service, request.path);
    }
}

#[test]
fn every_action_is_needed_and_a_denial_wins() {
    let document = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let make =
        request("lambda", "POST", "/2015-03-31/functions", r#"{"FunctionName":"f","Role":"arn:aws-cn:iam::1:role/r"}"#);
    let missing = |text: &str| {
        let enforced = Enforced::parse("p.json", text).unwrap();
        enforced.missing(&World::default(), &make).map(|asked| asked.action)
    };
    let create =
        json!({"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "arn:aws-cn:lambda:*:*:function:f"});
    let pass = |service: &str| {
        json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
               "Condition": {"StringEquals": {"iam:PassedToService": service}}})
    };
    assert_eq!(missing(""), Some("lambda:CreateFunction".to_owned()), "without a policy, nothing is allowed");
    assert_eq!(missing(&document(json!([create]))), Some("iam:PassRole".to_owned()));
    assert_eq!(missing(&document(json!([create, pass("apigateway.amazonaws.com")]))), Some("iam:PassRole".to_owned()));
    let both = document(json!([create, pass("lambda.amazonaws.com")]));
    assert_eq!(missing(&both), None);
    let two = [document(json!([create])), document(json!([pass("lambda.amazonaws.com")]))];
    assert_eq!(missing(&two.join("\n")), None, "documents add up");
    let report =
        format!(r#"{{"policies": [{{"account": "1", "documents": [{}]}}, {{"documents": [{}]}}]}}"#, two[0], two[1]);
    assert_eq!(missing(&report), None);
    let deny = document(json!([{"Effect": "Deny", "Action": "lambda:*", "Resource": "*"}]));
    assert_eq!(missing(&format!("{both}{deny}")), Some("lambda:CreateFunction".to_owned()));
}

#[test]
fn tags_of_a_function_are_seen_by_those_who_may_list_them() {
    let get = request("lambda", "GET", "/2015-03-31/functions/f", "");
    let seen = |action: &str| {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        let mut response = Response::json(200, &json!({"Configuration": {}, "Tags": {"a": "b"}}));
        Enforced::parse("p", &policy.to_string()).unwrap().conceal(&get, &mut response);
        String::from_utf8(response.body.to_vec()).unwrap()
    };
    assert_eq!(seen("lambda:GetFunction"), r#"{"Configuration":{}}"#);
    assert_eq!(seen("lambda:*"), r#"{"Configuration":{},"Tags":{"a":"b"}}"#);
}

#[test]
fn what_is_no_policy_is_refused() {
    for text in ["{", r#"{"Statement": [{"Effect": "Perhaps", "Action": "a:b", "Resource": "*"}]}"#, "3"] {
        let failure = Enforced::parse("p.json", text).unwrap_err();
        assert!(failure.to_string().contains("p.json"), "{failure}");
    }
}
