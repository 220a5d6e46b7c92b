//! IAM as its clients see it, below HTTP.

use super::*;
use crate::sandbox::world::World;

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;

const POLICY: &str = r#"{"Statement": {"Effect": "Allow", "Action": "ec2:CreateNetworkInterface", "Resource": "*"}}"#;

/// One account in one Region.
struct Account {
    world: World,
    region: &'static str,
}

impl Account {
    fn new() -> Self {
        Self { world: World::default(), region: "us-east-1" }
    }

    /// Calls with `Name=value` parameters, which are encoded here.
    fn call(&mut self, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", "2010-05-08").extend_pairs(parameters);
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("x-amzn-requestid".into(), "the-id".into())],
            body: form.finish().into_bytes().into(),
            caller: Caller {
                account: "123456789012".into(),
                region: self.region.into(),
                service: "iam".into(),
                access_key: "123456789012".into(),
            },
        };
        let response = handle(&mut self.world.view("123456789012", self.region, 1_763_774_640.0), &request);
        (response.status, String::from_utf8(response.body.to_vec()).unwrap())
    }

    fn done(&mut self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.call(action, parameters);
        assert_eq!(status, 200, "{action}: {body}");
        body
    }

    #[track_caller]
    fn refused(&mut self, action: &str, parameters: &[(&str, &str)], status: u16, code: &str, message: &str) {
        let (actual, body) = self.call(action, parameters);
        assert_eq!(actual, status, "{body}");
        assert!(body.contains(&format!("<Type>Sender</Type><Code>{code}</Code>")), "{body}");
        assert!(body.contains(&format!("<Message>{message}")), "{body}");
    }

    fn with_role() -> Self {
        let mut account = Self::new();
        account.done("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)]);
        account
    }
}

#[test]
fn a_role_comes_back_as_it_was_made() {
    let mut account = Account::new();
    account.region = "cn-north-1";
    let created = account.done(
        "CreateRole",
        &[
            ("RoleName", "auth"),
            ("Path", "/gwctl/"),
            ("AssumeRolePolicyDocument", TRUST),
            ("Description", "a <b> & c"),
            ("Tags.member.1.Key", "gwctl:product"),
            ("Tags.member.1.Value", "a"),
        ],
    );
    assert!(
        created.starts_with("<CreateRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"),
        "{created}"
    );
    assert!(created.contains("<Arn>arn:aws-cn:iam::123456789012:role/gwctl/auth</Arn>"), "{created}");
    assert!(
        created.ends_with("<ResponseMetadata><RequestId>the-id</RequestId></ResponseMetadata></CreateRoleResponse>")
    );
    let got = account.done("GetRole", &[("RoleName", "auth")]);
    for part in [
        "<Tags><member><Key>gwctl:product</Key><Value>a</Value></member></Tags>",
        "<Description>a &lt;b&gt; &amp; c</Description>",
        "<MaxSessionDuration>3600</MaxSessionDuration>",
        "<CreateDate>2025-11-22T01:24:00Z</CreateDate>",
        // Stored without white space, sent URL-encoded.
        "<AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow",
    ] {
        assert!(got.contains(part), "{part} in {got}");
    }
    let listed = account.done("ListRoles", &[("PathPrefix", "/gwctl/")]);
    assert!(listed.contains("<RoleName>auth</RoleName>") && !listed.contains("<Tags>"), "{listed}");
    assert!(!account.done("ListRoles", &[("PathPrefix", "/other/")]).contains("<member>"));
}

#[test]
fn names_paths_and_documents_are_checked() {
    let mut account = Account::with_role();
    let role = |name| [("RoleName", name), ("AssumeRolePolicyDocument", TRUST)];
    account.refused("CreateRole", &role("R"), 409, "EntityAlreadyExists", "Role with name R already exists.");
    account.refused("CreateRole", &role("a b"), 400, "ValidationError", "The specified value for roleName is invalid.");
    let long = "x".repeat(65);
    account.refused("CreateRole", &role(&long), 400, "ValidationError", "1 validation error detected");
    let path = [role("new")[0], role("new")[1], ("Path", "no")];
    account.refused("CreateRole", &path, 400, "ValidationError", "The specified value for path is invalid.");
    let bad = [("RoleName", "new"), ("AssumeRolePolicyDocument", POLICY)];
    account.refused("CreateRole", &bad, 400, "MalformedPolicyDocument", "Has prohibited field Resource");
    account.refused(
        "CreateRole",
        &[("RoleName", "new")],
        400,
        "ValidationError",
        "1 validation error detected: Value null",
    );
    account.refused("GetRole", &[("RoleName", "new")], 404, "NoSuchEntity", "The role with name new cannot be found.");
    account.refused("CreateUser", &[], 400, "InvalidAction", "Could not find operation CreateUser");
}

#[test]
fn a_role_with_policies_is_not_deleted() {
    let mut account = Account::with_role();
    let arn = ("PolicyArn", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole");
    let (role, name) = (("RoleName", "r"), ("PolicyName", "p"));
    account.done("PutRolePolicy", &[role, name, ("PolicyDocument", POLICY)]);
    account.done("AttachRolePolicy", &[role, arn]);
    account.done("AttachRolePolicy", &[role, arn]);
    let attached = account.done("ListAttachedRolePolicies", &[role]);
    assert_eq!(attached.matches("<PolicyName>AWSLambdaBasicExecutionRole</PolicyName>").count(), 1, "{attached}");
    account.refused(
        "DeleteRole",
        &[role],
        409,
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    );
    account.done("DetachRolePolicy", &[role, arn]);
    account.refused("DeleteRole", &[role], 409, "DeleteConflict", "Cannot delete entity, must delete policies first.");
    let got = account.done("GetRolePolicy", &[role, name]);
    assert!(
        got.contains("<PolicyDocument>%7B%22Statement%22%3A%20%7B"),
        "inline policies keep their white space: {got}"
    );
    account.done("DeleteRolePolicy", &[role, name]);
    account.refused(
        "DeleteRolePolicy",
        &[role, name],
        404,
        "NoSuchEntity",
        "The role policy with name p cannot be found.",
    );
    account.refused("DetachRolePolicy", &[role, arn], 404, "NoSuchEntity", "Policy arn:aws:iam");
    account.done("DeleteRole", &[role]);
    account.refused("DeleteRole", &[role], 404, "NoSuchEntity", "The role with name r cannot be found.");
}

#[test]
fn only_policies_that_exist_are_attached() {
    let mut account = Account::with_role();
    for arn in ["arn:aws:iam::aws:policy/NoSuchPolicy", "arn:aws-cn:iam::aws:policy/AdministratorAccess"] {
        let parameters = [("RoleName", "r"), ("PolicyArn", arn)];
        let message = format!("Policy {arn} does not exist or is not attachable.");
        account.refused("AttachRolePolicy", &parameters, 404, "NoSuchEntity", &message);
    }
    let parameters = [("RoleName", "r"), ("PolicyArn", "AdministratorAccess-by-name")];
    account.refused(
        "AttachRolePolicy",
        &parameters,
        400,
        "InvalidInput",
        "ARN AdministratorAccess-by-name is not valid.",
    );
}

#[test]
fn quotas_hold() {
    let mut account = Account::with_role();
    let long = POLICY.replace("\"*\"", &format!("[{}]", vec!["\"arn:aws:ec2:::x\""; 700].join(" , ")));
    let parameters = [("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", long.as_str())];
    let message = "Maximum policy size of 10240 bytes exceeded for role r";
    account.refused("PutRolePolicy", &parameters, 409, "LimitExceeded", message);
    let keys: Vec<(String, String)> =
        (1..=30).map(|at| (format!("Tags.member.{at}.Key"), format!("Tags.member.{at}.Value"))).collect();
    for (round, fits) in [("a", true), ("b", false)] {
        let names: Vec<String> = (0..30).map(|at| format!("{round}{at}")).collect();
        let mut parameters = vec![("RoleName", "r")];
        for ((key, value), name) in keys.iter().zip(&names) {
            parameters.extend([(key.as_str(), name.as_str()), (value.as_str(), "")]);
        }
        assert_eq!(account.call("TagRole", &parameters).0 == 200, fits);
    }
    let role = ("RoleName", "r");
    let twice = [role, ("Tags.member.1.Key", "x"), ("Tags.member.2.Key", "X")];
    account.refused("TagRole", &twice, 400, "InvalidInput", "Duplicate tag keys found.");
    account.done("UntagRole", &[role, ("TagKeys.member.1", "A0")]);
    let first = account.done("ListRoleTags", &[role, ("MaxItems", "28")]);
    assert!(first.contains("<IsTruncated>true</IsTruncated><Marker>"), "{first}");
    let start = first.find("<Marker>").unwrap() + 8;
    let marker = first[start..start + first[start..].find('<').unwrap()].to_owned();
    let second = account.done("ListRoleTags", &[role, ("MaxItems", "28"), ("Marker", &marker)]);
    assert_eq!(second.matches("<Key>").count(), 1, "{second}");
}

#[test]
fn other_services_learn_what_a_role_may() {
    let mut account = Account::with_role();
    let arn = "arn:aws:iam::123456789012:role/r";
    let role = |account: &Account| account.world.accounts["123456789012"].iam.role_with_arn(arn).unwrap().clone();
    assert!(role(&account).trusts("lambda.amazonaws.com"));
    assert!(!role(&account).allows("ec2:CreateNetworkInterface"));
    account.done("PutRolePolicy", &[("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", POLICY)]);
    assert!(role(&account).allows("ec2:CreateNetworkInterface"));
    let name = "service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    assert!(!role(&account).has_managed_policy(name));
    account.done("AttachRolePolicy", &[("RoleName", "r"), ("PolicyArn", &format!("arn:aws:iam::aws:policy/{name}"))]);
    assert!(role(&account).has_managed_policy(name));
    assert!(account.world.accounts["123456789012"].iam.role_with_arn("arn:aws:iam::123456789012:role/x/r").is_none());
}
