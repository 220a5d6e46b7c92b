//! AWS WAF as its clients see it, below HTTP.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::sandbox::wire::{Caller, Request};

/// Calls of one account in one Region.
struct Aws {
    sandbox: Sandbox,
    region: &'static str,
}

impl Aws {
    fn new(region: &'static str) -> Self {
        Self { sandbox: Sandbox::in_memory(), region }
    }

    fn send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: Vec<(String, String)>,
        body: &Value,
    ) -> (u16, Value) {
        let caller = Caller {
            account: "123456789012".into(),
            region: self.region.into(),
            service: service.into(),
            access_key: "123456789012".into(),
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (method, path) = (method.into(), path.into());
        let request = Request { method, path, query: Vec::new(), headers, body: body.into_bytes().into(), caller };
        let response = self.sandbox.handle(request);
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    fn call(&self, operation: &str, body: &Value) -> (u16, Value) {
        let target = ("x-amz-target".to_owned(), format!("AWSWAF_20190729.{operation}"));
        self.send("wafv2", "POST", "/", vec![target], body)
    }

    #[track_caller]
    fn done(&self, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.call(operation, body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    #[track_caller]
    fn refused(&self, operation: &str, body: &Value, code: &str, words: &str) -> Value {
        let (status, answer) = self.call(operation, body);
        assert_eq!((status, answer["__type"].as_str()), (400, Some(code)), "{answer}");
        let text = answer["Message"].as_str().or(answer["message"].as_str()).unwrap();
        assert!(text.contains(words), "{text}");
        answer
    }

    /// Creates a set, a group or a web ACL, and gives its summary.
    #[track_caller]
    fn create(&self, kind: &str, name: &str, members: &Value) -> Value {
        self.done(&format!("Create{kind}"), &merged(&json!({ "Name": name, "Scope": "REGIONAL" }), members))["Summary"]
            .clone()
    }

    /// An API with a stage; the ARN of the stage.
    fn stage(&self) -> (String, String) {
        let plain = |method: &str, path: &str, body: Value| {
            let (status, answer) = self.send("apigateway", method, path, Vec::new(), &body);
            assert!(status < 300, "{answer}");
            answer
        };
        let api = plain("POST", "/restapis", json!({ "name": "a" }))["id"].as_str().unwrap().to_owned();
        let root = plain("GET", &format!("/restapis/{api}/resources"), Value::Null)["item"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let method = format!("/restapis/{api}/resources/{root}/methods/GET");
        plain("PUT", &method, json!({ "authorizationType": "NONE" }));
        plain("PUT", &format!("{method}/integration"), json!({ "type": "MOCK" }));
        plain("POST", &format!("/restapis/{api}/deployments"), json!({ "stageName": "dev" }));
        let partition = if self.region.starts_with("cn-") { "aws-cn" } else { "aws" };
        (api.clone(), format!("arn:{partition}:apigateway:{}::/restapis/{api}/stages/dev", self.region))
    }
}

fn merged(one: &Value, other: &Value) -> Value {
    let mut all = one.clone();
    all.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    all
}

/// The members that name a resource in a call.
fn named(summary: &Value) -> Value {
    json!({ "Name": summary["Name"], "Id": summary["Id"], "Scope": "REGIONAL" })
}

fn locked(summary: &Value) -> Value {
    merged(&named(summary), &json!({ "LockToken": summary["LockToken"] }))
}

fn visible() -> Value {
    json!({ "SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": "m" })
}

fn rule(name: &str, priority: u32, statement: &Value) -> Value {
    let group =
        statement["ManagedRuleGroupStatement"].is_object() || statement["RuleGroupReferenceStatement"].is_object();
    let (member, action) =
        if group { ("OverrideAction", json!({ "None": {} })) } else { ("Action", json!({ "Block": {} })) };
    json!({ "Name": name, "Priority": priority, "Statement": statement, member: action, "VisibilityConfig": visible() })
}

fn acl(rules: &[Value]) -> Value {
    json!({ "DefaultAction": { "Allow": {} }, "Rules": rules, "VisibilityConfig": visible() })
}

fn rate() -> Value {
    json!({ "RateBasedStatement": { "Limit": 100, "AggregateKeyType": "IP" } })
}

const ADDRESSES: &str = r#"{"IPAddressVersion":"IPV4","Addresses":["10.0.0.0/8"]}"#;

#[test]
fn a_web_acl_comes_back_as_it_was_made() {
    let aws = Aws::new("cn-north-1");
    let body = merged(
        &acl(&[rule("rate", 1, &rate())]),
        &json!({ "Description": "for the shop", "Tags": [{ "Key": "a", "Value": "b" }] }),
    );
    let summary = aws.create("WebACL", "shop", &body);
    let arn = summary["ARN"].as_str().unwrap();
    assert_eq!(
        arn,
        format!("arn:aws-cn:wafv2:cn-north-1:123456789012:regional/webacl/shop/{}", summary["Id"].as_str().unwrap())
    );
    let got = aws.done("GetWebACL", &named(&summary));
    assert_eq!(got["LockToken"], summary["LockToken"]);
    let shown = &got["WebACL"];
    let mut rule = rule("rate", 1, &rate());
    rule["Statement"]["RateBasedStatement"]["EvaluationWindowSec"] = json!(300);
    assert_eq!(shown["Rules"], json!([rule]), "with the default that AWS fills in");
    assert_eq!((&shown["Capacity"], &shown["Description"]), (&json!(2), &json!("for the shop")));
    assert_eq!(shown["LabelNamespace"], "awswaf:123456789012:webacl:shop:");
    assert_eq!(aws.done("GetWebACL", &json!({ "ARN": arn }))["WebACL"], *shown);
    let listed = aws.done("ListWebACLs", &json!({ "Scope": "REGIONAL" }));
    assert_eq!(listed["WebACLs"], json!([summary]));
    let tags = aws.done("ListTagsForResource", &json!({ "ResourceARN": arn }));
    assert_eq!(tags["TagInfoForResource"]["TagList"], json!([{ "Key": "a", "Value": "b" }]));
    aws.refused(
        "CreateWebACL",
        &merged(&json!({ "Name": "shop", "Scope": "REGIONAL" }), &acl(&[])),
        "WAFDuplicateItemException",
        "duplicate of an existing one",
    );
}

#[test]
fn an_update_replaces_everything_and_needs_the_newest_token() {
    let aws = Aws::new("eu-central-1");
    let summary =
        aws.create("WebACL", "shop", &merged(&acl(&[rule("rate", 1, &rate())]), &json!({ "Description": "one two" })));
    let update = merged(&locked(&summary), &acl(&[]));
    let next = aws.done("UpdateWebACL", &update)["NextLockToken"].clone();
    let got = aws.done("GetWebACL", &named(&summary));
    assert_eq!(
        (&got["LockToken"], &got["WebACL"]["Rules"], &got["WebACL"]["Description"]),
        (&next, &json!([]), &Value::Null)
    );
    aws.refused("UpdateWebACL", &update, "WAFOptimisticLockException", "Reapply your changes");
    aws.refused("DeleteWebACL", &locked(&summary), "WAFOptimisticLockException", "Reapply your changes");
    aws.done("DeleteWebACL", &merged(&named(&summary), &json!({ "LockToken": next })));
    aws.refused("GetWebACL", &named(&summary), "WAFNonexistentItemException", "doesn’t exist");
}

#[test]
fn sets_and_groups_in_use_stay() {
    let aws = Aws::new("eu-central-1");
    let set = aws.create("IPSet", "office", &serde_json::from_str(ADDRESSES).unwrap());
    let patterns =
        aws.create("RegexPatternSet", "bad", &json!({ "RegularExpressionList": [{ "RegexString": "^/old" }] }));
    let inside = json!({ "NotStatement": { "Statement": { "IPSetReferenceStatement": { "ARN": set["ARN"] } } } });
    let matches = json!({ "RegexPatternSetReferenceStatement": { "ARN": patterns["ARN"], "FieldToMatch": { "UriPath": {} },
        "TextTransformations": [{ "Priority": 0, "Type": "NONE" }] } });
    let group = json!({ "Capacity": 26, "Rules": [rule("in", 0, &inside), rule("bad", 1, &matches)], "VisibilityConfig": visible() });
    let group = aws.create("RuleGroup", "shared", &group);
    let acl = aws.create(
        "WebACL",
        "shop",
        &acl(&[rule("group", 0, &json!({ "RuleGroupReferenceStatement": { "ARN": group["ARN"] } }))]),
    );
    assert_eq!(aws.done("GetWebACL", &named(&acl))["WebACL"]["Capacity"], 26);
    for (kind, summary) in [("IPSet", &set), ("RegexPatternSet", &patterns), ("RuleGroup", &group)] {
        aws.refused(
            &format!("Delete{kind}"),
            &locked(summary),
            "WAFAssociatedItemException",
            "being used by another resource",
        );
    }
    aws.done("DeleteWebACL", &locked(&acl));
    for (kind, summary) in [("RuleGroup", &group), ("IPSet", &set), ("RegexPatternSet", &patterns)] {
        aws.done(&format!("Delete{kind}"), &locked(summary));
    }
    let update = aws.create("IPSet", "again", &serde_json::from_str(ADDRESSES).unwrap());
    aws.done("UpdateIPSet", &merged(&locked(&update), &json!({ "Addresses": [] })));
    let got = aws.done("GetIPSet", &named(&update))["IPSet"].clone();
    assert_eq!((&got["Addresses"], &got["IPAddressVersion"]), (&json!([]), &json!("IPV4")));
}

#[test]
fn an_association_is_the_stages_and_ends_with_it() {
    let aws = Aws::new("eu-central-1");
    let (api, stage) = aws.stage();
    let (one, other) = (aws.create("WebACL", "one", &acl(&[])), aws.create("WebACL", "other", &acl(&[])));
    let shown = || aws.send("apigateway", "GET", &format!("/restapis/{api}/stages/dev"), Vec::new(), &Value::Null).1;
    let of_stage = || aws.done("GetWebACLForResource", &json!({ "ResourceArn": stage }));
    assert_eq!((shown()["webAclArn"].clone(), of_stage()), (Value::Null, json!({})));
    for acl in [&one, &other] {
        aws.done("AssociateWebACL", &json!({ "WebACLArn": acl["ARN"], "ResourceArn": stage }));
        assert_eq!(shown()["webAclArn"], acl["ARN"]);
        assert_eq!(of_stage()["WebACL"]["ARN"], acl["ARN"]);
    }
    let resources = |acl: &Value, kind: Value| {
        aws.done("ListResourcesForWebACL", &json!({ "WebACLArn": acl["ARN"], "ResourceType": kind }))["ResourceArns"]
            .clone()
    };
    assert_eq!(resources(&other, json!("API_GATEWAY")), json!([stage]));
    assert_eq!(resources(&one, json!("API_GATEWAY")), json!([]));
    assert_eq!(resources(&other, Value::Null), json!([]), "load balancers, unless asked for others");
    aws.refused("DeleteWebACL", &locked(&other), "WAFAssociatedItemException", "associated with another resource");
    aws.done("DisassociateWebACL", &json!({ "ResourceArn": stage }));
    assert_eq!(of_stage(), json!({}));
    aws.done("AssociateWebACL", &json!({ "WebACLArn": other["ARN"], "ResourceArn": stage }));
    assert_eq!(
        aws.send("apigateway", "DELETE", &format!("/restapis/{api}/stages/dev"), Vec::new(), &Value::Null).0,
        202
    );
    aws.refused(
        "GetWebACLForResource",
        &json!({ "ResourceArn": stage }),
        "WAFNonexistentItemException",
        "doesn’t exist",
    );
    aws.done("DeleteWebACL", &locked(&other));
    let wrong = json!({ "WebACLArn": one["ARN"], "ResourceArn": stage.replace("restapis", "apis") });
    let refusal = aws.refused("AssociateWebACL", &wrong, "WAFInvalidParameterException", "field: RESOURCE_ARN");
    assert!(
        refusal["Reason"].as_str().unwrap().starts_with("The ARN isn't valid") && refusal["Field"] == "RESOURCE_ARN"
    );
}

#[test]
fn rules_are_refused_as_aws_refuses_them() {
    let aws = Aws::new("eu-central-1");
    let invalid = "WAFInvalidParameterException";
    let with = |member: &str, value: Value| {
        let mut rule = rule("one", 0, &rate());
        rule[member] = value;
        rule
    };
    let missing = "arn:aws:wafv2:eu-central-1:123456789012:regional/ipset/none/00000000-0000-4000-8000-000000000000";
    let limit = |limit: u64| json!({ "RateBasedStatement": { "Limit": limit, "AggregateKeyType": "IP" } });
    let one_value = "You have used none or multiple values for a field that requires exactly one value., field: ";
    for (rules, code, words) in [
        (vec![with("Statement", json!({}))], invalid, format!("{one_value}STATEMENT, parameter: Statement")),
        (vec![with("Action", json!({}))], invalid, format!("{one_value}RULE_ACTION")),
        (vec![with("OverrideAction", json!({ "None": {} }))], invalid, format!("{one_value}RULE, parameter: Rule")),
        (vec![with("Action", json!({ "Allow": {} }))], invalid, "Allow".into()),
        (vec![rule("one", 0, &rate()), rule("two", 0, &rate())], "WAFDuplicateItemException", "duplicate".into()),
        (vec![rule("one", 0, &limit(9))], invalid, "RATE_BASED_STATEMENT, parameter: Limit".into()),
        (vec![rule("one", 0, &json!({ "NotStatement": { "Statement": rate() } }))], invalid, "nest".into()),
        (vec![rule("one", 0, &json!({ "AndStatement": { "Statements": [rate()] } }))], invalid, "AND_STATEMENT".into()),
        (
            vec![rule("one", 0, &json!({ "IPSetReferenceStatement": { "ARN": "arn:aws:s3:::a-bucket" } }))],
            invalid,
            "RESOURCE_ARN".into(),
        ),
        (
            vec![rule("one", 0, &json!({ "IPSetReferenceStatement": { "ARN": missing } }))],
            "WAFNonexistentItemException",
            "exist".into(),
        ),
        (
            vec![rule("one", 0, &json!({ "ManagedRuleGroupStatement": { "VendorName": "AWS", "Name": "None" } }))],
            "WAFNonexistentItemException",
            "exist".into(),
        ),
        (vec![with("Name", json!("a b"))], "ValidationException", "Value 'a b' at 'name'".into()),
        (vec![with("Name", Value::Null)], "SerializationException", "invalid type".into()),
        (vec![with("Surprise", json!(1))], "ValidationException", "does not support Surprise".into()),
        (vec![json!({ "Name": "x" })], "ValidationException", "Value null at 'priority'".into()),
        (
            vec![with(
                "Action",
                json!({ "Block": { "CustomResponse": { "ResponseCode": 200, "CustomResponseBodyKey": "no" } } }),
            )],
            invalid,
            "CUSTOM_RESPONSE_BODY".into(),
        ),
    ] {
        aws.refused(
            "CreateWebACL",
            &merged(&json!({ "Name": "shop", "Scope": "REGIONAL" }), &acl(&rules)),
            code,
            &words,
        );
    }
    let many = |count: u32| {
        (0..count).map(|at| rule(&format!("r{at}"), at, &json!({ "ManagedRuleGroupStatement": { "VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet" } }))).collect::<Vec<_>>()
    };
    assert_eq!(
        aws.done("CheckCapacity", &json!({ "Scope": "REGIONAL", "Rules": many(8) })),
        json!({ "Capacity": 5600 })
    );
    aws.refused(
        "CreateWebACL",
        &merged(&json!({ "Name": "shop", "Scope": "REGIONAL" }), &acl(&many(8))),
        "WAFLimitsExceededException",
        "exceeded your resource limit",
    );
}

#[test]
fn names_scopes_addresses_and_descriptions_are_checked() {
    let aws = Aws::new("cn-north-1");
    let set = |members: Value| {
        merged(
            &merged(&json!({ "Name": "office", "Scope": "REGIONAL" }), &serde_json::from_str(ADDRESSES).unwrap()),
            &members,
        )
    };
    aws.refused(
        "CreateIPSet",
        &set(json!({ "Scope": "CLOUDFRONT" })),
        "WAFInvalidParameterException",
        "field: SCOPE_VALUE, parameter: CLOUDFRONT",
    );
    aws.refused("CreateIPSet", &set(json!({ "Scope": "GLOBAL" })), "ValidationException", "enum value set");
    aws.refused("CreateIPSet", &set(json!({ "Description": "" })), "ValidationException", "2 validation errors detected: Value '' at 'description' failed to satisfy constraint: Member must have length greater than or equal to 1; Value ''");
    for address in ["10.0.0.1", "0.0.0.0/0", "2001:db8::/32", "10.0.0.0/33", "a"] {
        aws.refused(
            "CreateIPSet",
            &set(json!({ "Addresses": [address] })),
            "WAFInvalidParameterException",
            &format!("field: IP_ADDRESS, parameter: {address}"),
        );
    }
    aws.refused(
        "CreateRegexPatternSet",
        &json!({ "Name": "p", "Scope": "REGIONAL", "RegularExpressionList": [{ "RegexString": "(" }] }),
        "WAFInvalidParameterException",
        "REGEX_PATTERN_SET",
    );
    aws.refused("CreateIPSet", &json!({ "Scope": "REGIONAL" }), "ValidationException", "Value null at 'name'");
    aws.refused("CreateAPIKey", &json!({}), "UnknownOperationException", "has no operation");
    let global = Aws::new("us-east-1").done("CreateIPSet", &set(json!({ "Scope": "CLOUDFRONT" })));
    assert!(global["Summary"]["ARN"].as_str().unwrap().contains(":global/ipset/office/"));
}

#[test]
fn lists_have_pages_and_tags_go_by_arn() {
    let aws = Aws::new("eu-central-1");
    for name in ["c", "a", "b"] {
        aws.create("IPSet", name, &serde_json::from_str(ADDRESSES).unwrap());
    }
    let first = aws.done("ListIPSets", &json!({ "Scope": "REGIONAL", "Limit": 2 }));
    assert_eq!((&first["IPSets"][0]["Name"], &first["NextMarker"]), (&json!("a"), &json!("b")));
    let second = aws.done("ListIPSets", &json!({ "Scope": "REGIONAL", "Limit": 2, "NextMarker": "b" }));
    assert_eq!((&second["IPSets"][0]["Name"], &second["NextMarker"]), (&json!("c"), &Value::Null));
    let arn = &second["IPSets"][0]["ARN"];
    aws.done(
        "TagResource",
        &json!({ "ResourceARN": arn, "Tags": [{ "Key": "x", "Value": "1" }, { "Key": "y", "Value": "2" }] }),
    );
    aws.done("UntagResource", &json!({ "ResourceARN": arn, "TagKeys": ["x"] }));
    let tags = aws.done("ListTagsForResource", &json!({ "ResourceARN": arn }));
    assert_eq!(
        tags,
        json!({ "TagInfoForResource": { "ResourceARN": arn, "TagList": [{ "Key": "y", "Value": "2" }] } })
    );
    aws.refused(
        "TagResource",
        &json!({ "ResourceARN": arn, "Tags": [{ "Key": "aws:x", "Value": "" }] }),
        "WAFTagOperationException",
        "aws:",
    );
    let target = ("x-amz-target".to_owned(), "ResourceGroupsTaggingAPI_20170126.GetResources".to_owned());
    let found = aws.send("tagging", "POST", "/", vec![target], &json!({ "ResourceTypeFilters": ["wafv2:ipset"] })).1;
    assert_eq!(found["ResourceTagMappingList"][0]["ResourceARN"], *arn);
    let managed = aws.done("ListAvailableManagedRuleGroups", &json!({ "Scope": "REGIONAL", "Limit": 1 }));
    assert_eq!(managed["ManagedRuleGroups"][0]["VendorName"], "AWS");
    assert!(managed["NextMarker"].is_string());
}

#[test]
fn logs_go_to_one_place_that_exists() {
    let aws = Aws::new("eu-central-1");
    let acl = aws.create("WebACL", "shop", &acl(&[]));
    let group = |name: &str| format!("arn:aws:logs:eu-central-1:123456789012:log-group:{name}");
    let put = |destinations: Value| json!({ "LoggingConfiguration": { "ResourceArn": acl["ARN"], "LogDestinationConfigs": destinations } });
    let target = ("x-amz-target".to_owned(), "Logs_20140328.CreateLogGroup".to_owned());
    aws.send("logs", "POST", "/", vec![target], &json!({ "logGroupName": "aws-waf-logs-shop" }));
    aws.refused(
        "PutLoggingConfiguration",
        &put(json!([group("shop")])),
        "WAFInvalidParameterException",
        "field: LOG_DESTINATION",
    );
    aws.refused(
        "PutLoggingConfiguration",
        &put(json!([group("aws-waf-logs-none")])),
        "WAFLogDestinationPermissionIssueException",
        "permissions",
    );
    aws.refused("PutLoggingConfiguration", &put(json!([])), "WAFLimitsExceededException", "limit");
    aws.done("PutLoggingConfiguration", &put(json!([group("aws-waf-logs-shop")])));
    let one = json!({ "ResourceArn": acl["ARN"] });
    let got = aws.done("GetLoggingConfiguration", &one)["LoggingConfiguration"].clone();
    assert_eq!(
        (&got["LogDestinationConfigs"], &got["LogType"]),
        (&json!([group("aws-waf-logs-shop")]), &json!("WAF_LOGS"))
    );
    assert_eq!(
        aws.done("ListLoggingConfigurations", &json!({ "Scope": "REGIONAL" }))["LoggingConfigurations"],
        json!([got])
    );
    aws.done("DeleteLoggingConfiguration", &one);
    aws.refused("GetLoggingConfiguration", &one, "WAFNonexistentItemException", "exist");
}
