//! Lambda as its clients see it, below HTTP.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::runtime::{InvokeError, Program};
use super::*;
use crate::sandbox::Sandbox;
use crate::sandbox::wire::Caller;

const ROLE: &str = "arn:aws:iam::123456789012:role/auth";

/// A sandbox, and calls to one account in one Region of it.
pub(in crate::sandbox) struct Aws(pub(in crate::sandbox) Sandbox);

impl Aws {
    fn new() -> Self {
        Self(Sandbox::in_memory())
    }

    /// With a role that Lambda can assume.
    pub(in crate::sandbox) fn with_role() -> Self {
        let aws = Self::new();
        let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        aws.iam(&[("Action", "CreateRole"), ("RoleName", "auth"), ("AssumeRolePolicyDocument", trust)]);
        aws
    }

    pub(in crate::sandbox) fn iam(&self, parameters: &[(&str, &str)]) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Version", "2010-05-08").extend_pairs(parameters);
        let response =
            self.0.handle(Request { body: form.finish().into_bytes().into(), ..request("iam", "POST", "/") });
        assert_eq!(response.status, 200, "{response:?}");
    }

    fn call(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let response = self.0.handle(Request {
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body: body.to_string().into_bytes().into(),
            ..request("lambda", method, path)
        });
        let mut answer = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        if response.status >= 400 {
            answer["code"] = json!(response.header("x-amzn-errortype"));
        }
        (response.status, answer)
    }

    #[track_caller]
    pub(in crate::sandbox) fn done(&self, method: &str, target: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method, target, body);
        assert!(status < 300, "{status}: {answer}");
        answer
    }

    #[track_caller]
    fn refused(&self, method: &str, target: &str, body: &Value, status: u16, code: &str, message: &str) {
        let (actual, answer) = self.call(method, target, body);
        let text = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
        assert_eq!((actual, answer["code"].as_str()), (status, Some(code)), "{text}");
        assert!(text.contains(message), "{text}");
    }
}

pub(in crate::sandbox) fn request(service: &str, method: &str, path: &str) -> Request {
    Request {
        method: method.into(),
        path: path.into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        caller: Caller {
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            service: service.into(),
            access_key: "123456789012".into(),
        },
    }
}

fn zip(content: &str) -> String {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(content.as_bytes()).unwrap();
    BASE64.encode(writer.finish().unwrap().into_inner())
}

/// A creation with this zip as code.
pub(in crate::sandbox) fn creation_of(code: &[u8]) -> Value {
    with("Code.ZipFile", json!(BASE64.encode(code)))
}

fn creation() -> Value {
    json!({
        "FunctionName": "auth", "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": { "ZipFile": zip("one") }, "Architectures": ["arm64"], "Tags": { "gwctl:product": "a" },
        "Environment": { "Variables": { "ENV": "dev" } },
    })
}

/// A creation with one member changed; a path such as `Code.ZipFile`.
fn with(path: &str, value: Value) -> Value {
    let mut body = creation();
    let place = path.split('.').fold(&mut body, |place, key| &mut place[key]);
    *place = value;
    body
}

const FUNCTIONS: &str = "/2015-03-31/functions";
const AUTH: &str = "/2015-03-31/functions/auth";

#[test]
fn a_function_comes_back_with_lambdas_defaults() {
    let aws = Aws::with_role();
    let created = aws.done("POST", FUNCTIONS, &creation());
    let code = BASE64.decode(zip("one")).unwrap();
    for (member, expected) in [
        ("FunctionArn", json!("arn:aws:lambda:eu-central-1:123456789012:function:auth")),
        ("CodeSize", json!(code.len())),
        ("Timeout", json!(3)),
        ("MemorySize", json!(128)),
        ("Architectures", json!(["arm64"])),
        ("TracingConfig", json!({ "Mode": "PassThrough" })),
        ("LoggingConfig", json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/auth" })),
        ("State", json!("Active")),
        ("VpcConfig", Value::Null),
    ] {
        assert_eq!(created[member], expected, "{member}");
    }
    let modified = created["LastModified"].as_str().unwrap();
    assert!(modified.ends_with("+0000") && modified.len() == 28, "{modified}");
    let got = aws.done("GET", AUTH, &Value::Null);
    assert_eq!(got["Configuration"], created);
    assert_eq!(got["Tags"], json!({ "gwctl:product": "a" }));
    let location = got["Code"]["Location"].as_str().unwrap();
    assert_eq!(aws.0.code(location.rsplit('/').next().unwrap()).unwrap().unwrap(), code);
    let listed = aws.done("GET", "/2015-03-31/functions/", &Value::Null);
    assert_eq!(listed["Functions"][0]["FunctionName"], "auth");
    assert_eq!(listed["Functions"][0]["State"], Value::Null);
}

#[test]
fn functions_are_refused_in_lambdas_words() {
    let aws = Aws::with_role();
    let invalid = "InvalidParameterValueException";
    let unassumable = "The role defined for the function cannot be assumed by Lambda.";
    for (body, code, message) in [
        (with("Role", json!("arn:aws:iam::123456789012:role/none")), invalid, unassumable),
        (with("Role", json!("auth")), "ValidationException", "at 'role' failed to satisfy constraint"),
        (with("Runtime", json!("go1.x")), invalid, "The runtime parameter of go1.x is no longer supported"),
        (with("Runtime", json!("rust")), invalid, "Value rust at 'runtime' failed to satisfy constraint"),
        (with("Handler", Value::Null), invalid, "Runtime and Handler are mandatory parameters"),
        (with("Code.ZipFile", json!(BASE64.encode("no zip"))), invalid, "Could not unzip uploaded file."),
        (with("Code.ZipFile", json!("")), invalid, "Uploaded file must be a non-empty zip"),
        (with("Code.ZipFile", json!("?")), "SerializationException", "base64"),
        (with("Code.S3Bucket", json!("b")), invalid, "does not support Code.S3Bucket"),
        (with("Layers", json!(["arn"])), invalid, "does not support Layers"),
        (with("MemorySize", json!(64)), "ValidationException", "greater than or equal to 128"),
        (with("MemorySize", json!(10_241)), "ValidationException", "less than or equal to 10240"),
        (with("Timeout", json!(901)), "ValidationException", "less than or equal to 900"),
        (with("Architectures", json!(["arm64", "x86_64"])), "ValidationException", "length less than or equal to 1"),
        (with("Architectures", json!(["arm"])), "ValidationException", "[x86_64, arm64]"),
        (with("FunctionName", json!("a b")), "ValidationException", "at 'functionName'"),
        (
            with("Environment.Variables", json!({ "AWS_REGION": "x" })),
            invalid,
            "Reserved keys used in this request: AWS_REGION",
        ),
        (with("Tags", json!({ "aws:x": "x" })), invalid, "System tags cannot be added"),
        (with("Timeout", json!("long")), "SerializationException", "Could not parse request body into json"),
    ] {
        aws.refused("POST", FUNCTIONS, &body, 400, code, message);
    }
    aws.done("POST", FUNCTIONS, &creation());
    aws.refused("POST", FUNCTIONS, &creation(), 409, "ResourceConflictException", "Function already exist: auth");
    let foreign = with("Role", json!("arn:aws:iam::210987654321:role/auth"));
    aws.refused("POST", FUNCTIONS, &foreign, 403, "AccessDeniedException", "Cross-account pass role is not allowed.");
    aws.refused(
        "POST",
        &format!("{AUTH}/invocations"),
        &json!({}),
        501,
        "ServiceException",
        "runs functions for clients that come through",
    );
}

#[test]
fn a_network_needs_permission() {
    let aws = Aws::with_role();
    let body = with("VpcConfig", json!({ "SubnetIds": ["subnet-0a"], "SecurityGroupIds": ["sg-0b"] }));
    let message = "The provided execution role does not have permissions to call CreateNetworkInterface on EC2";
    aws.refused("POST", FUNCTIONS, &body, 400, "InvalidParameterValueException", message);
    let policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole";
    aws.iam(&[("Action", "AttachRolePolicy"), ("RoleName", "auth"), ("PolicyArn", policy)]);
    let created = aws.done("POST", FUNCTIONS, &body);
    assert_eq!(created["VpcConfig"]["SubnetIds"], json!(["subnet-0a"]));
    assert!(created["VpcConfig"]["VpcId"].as_str().unwrap().starts_with("vpc-"));
    let emptied = json!({ "VpcConfig": { "SubnetIds": [], "SecurityGroupIds": [] } });
    let updated = aws.done("PUT", &format!("{AUTH}/configuration"), &emptied);
    assert_eq!(updated["VpcConfig"]["VpcId"], "");
}

#[test]
fn updates_change_what_they_name_and_the_revision() {
    let aws = Aws::with_role();
    let created = aws.done("POST", FUNCTIONS, &creation());
    let target = format!("{AUTH}/configuration");
    let updated = aws.done("PUT", &target, &json!({ "MemorySize": 256, "LoggingConfig": { "LogFormat": "JSON" } }));
    assert_eq!((updated["MemorySize"].as_u64(), &updated["Environment"]), (Some(256), &created["Environment"]));
    assert_eq!(updated["LoggingConfig"]["ApplicationLogLevel"], "INFO");
    assert_ne!(updated["RevisionId"], created["RevisionId"]);
    let stale = json!({ "MemorySize": 512, "RevisionId": created["RevisionId"] });
    aws.refused("PUT", &target, &stale, 412, "PreconditionFailedException", "The Revision Id provided does not match");
    let target = format!("{AUTH}/code");
    let tried = aws.done("PUT", &target, &json!({ "ZipFile": zip("two"), "DryRun": true }));
    assert_ne!(tried["CodeSha256"], created["CodeSha256"]);
    assert_eq!(aws.done("GET", AUTH, &Value::Null)["Configuration"], updated, "a dry run changes nothing");
    aws.done("PUT", &target, &json!({ "ZipFile": zip("two"), "Architectures": ["x86_64"] }));
    let got = aws.done("GET", &format!("{AUTH}/configuration"), &Value::Null);
    assert_eq!((&got["CodeSha256"], &got["Architectures"]), (&tried["CodeSha256"], &json!(["x86_64"])));
    aws.done("DELETE", AUTH, &Value::Null);
    let message = "Function not found: arn:aws:lambda:eu-central-1:123456789012:function:auth";
    aws.refused("GET", AUTH, &Value::Null, 404, "ResourceNotFoundException", message);
}

#[test]
fn a_function_answers_to_its_arn_but_not_to_another_place() {
    let aws = Aws::with_role();
    aws.done("POST", FUNCTIONS, &creation());
    let at = |text: &str| format!("{FUNCTIONS}/{}", text.replace(':', "%3A"));
    for name in ["arn:aws:lambda:eu-central-1:123456789012:function:auth", "123456789012:function:auth", "auth:$LATEST"]
    {
        assert_eq!(aws.call("GET", &at(name), &Value::Null).0, 200, "{name}");
    }
    let far = at("arn:aws:lambda:us-east-1:123456789012:function:auth");
    aws.refused("GET", &far, &Value::Null, 404, "ResourceNotFoundException", "are not reachable in this region");
    aws.refused("GET", &at("210987654321:function:auth"), &Value::Null, 403, "AccessDeniedException", "not authorized");
    aws.refused("GET", &format!("{AUTH}?Qualifier=live"), &Value::Null, 404, "ResourceNotFoundException", "auth:live");
}

#[test]
fn permissions_are_kept_as_a_policy_in_lambdas_order() {
    let aws = Aws::with_role();
    aws.done("POST", FUNCTIONS, &creation());
    let target = format!("{AUTH}/policy");
    aws.refused(
        "GET",
        &target,
        &Value::Null,
        404,
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    );
    let source = "arn:aws:execute-api:eu-central-1:123456789012:abc/authorizers/def";
    let asked = json!({
        "StatementId": "gate", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": source, "SourceAccount": "123456789012",
    });
    let added = aws.done("POST", &target, &asked);
    let expected = format!(
        "{{\"Sid\":\"gate\",\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"apigateway.amazonaws.com\"}},\
         \"Action\":\"lambda:InvokeFunction\",\"Resource\":\"arn:aws:lambda:eu-central-1:123456789012:function:auth\",\
         \"Condition\":{{\"ArnLike\":{{\"AWS:SourceArn\":\"{source}\"}},\
         \"StringEquals\":{{\"AWS:SourceAccount\":\"123456789012\"}}}}}}"
    );
    assert_eq!(added["Statement"], expected);
    let got = aws.done("GET", &target, &Value::Null);
    let policy = format!("{{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{expected}]}}");
    assert_eq!(got["Policy"], policy);
    aws.refused(
        "POST",
        &target,
        &asked,
        409,
        "ResourceConflictException",
        "The statement id (gate) provided already exists.",
    );
    let nobody = json!({ "StatementId": "x", "Action": "lambda:InvokeFunction", "Principal": "nobody" });
    aws.refused("POST", &target, &nobody, 400, "InvalidParameterValueException", "The provided principal was invalid.");
    let gone = format!("{target}/x");
    aws.refused(
        "DELETE",
        &gone,
        &Value::Null,
        404,
        "ResourceNotFoundException",
        "Statement x is not found in resource policy.",
    );
    aws.done("DELETE", &format!("{target}/gate"), &Value::Null);
    assert_eq!(aws.call("GET", &target, &Value::Null).0, 404);
}

#[test]
fn tags_are_added_removed_and_counted() {
    let aws = Aws::with_role();
    aws.done("POST", FUNCTIONS, &creation());
    let target = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-central-1%3A123456789012%3Afunction%3Aauth";
    aws.done("POST", target, &json!({ "Tags": { "b": "1", "c": "2" } }));
    aws.done("DELETE", &format!("{target}?tagKeys=gwctl%3Aproduct&tagKeys=c"), &Value::Null);
    assert_eq!(aws.done("GET", target, &Value::Null)["Tags"], json!({ "b": "1" }));
    let many: BTreeMap<String, String> = (0..50).map(|at| (at.to_string(), String::new())).collect();
    let body = json!({ "Tags": many });
    aws.refused("POST", target, &body, 400, "InvalidParameterValueException", "tag limit of 50");
    aws.refused("GET", "/2017-03-31/tags/auth", &Value::Null, 400, "ValidationException", "at 'resource'");
}

#[test]
fn lists_come_in_pages() {
    let aws = Aws::with_role();
    for name in ["a", "b", "c"] {
        aws.done("POST", FUNCTIONS, &with("FunctionName", json!(name)));
    }
    let first = aws.done("GET", &format!("{FUNCTIONS}/?MaxItems=2"), &Value::Null);
    assert_eq!((first["Functions"].as_array().unwrap().len(), &first["NextMarker"]), (2, &json!("b")));
    let second = aws.done("GET", &format!("{FUNCTIONS}/?MaxItems=2&Marker=b"), &Value::Null);
    assert_eq!((&second["Functions"][0]["FunctionName"], &second["NextMarker"]), (&json!("c"), &Value::Null));
}

const VERSIONS: &str = "/2015-03-31/functions/auth/versions";
const ALIASES: &str = "/2015-03-31/functions/auth/aliases";
const NOT_FOUND: &str = "ResourceNotFoundException";
const INVALID: &str = "InvalidParameterValueException";

fn at(path: &str, qualifier: &str) -> String {
    format!("{path}?Qualifier={qualifier}")
}

#[test]
fn a_version_is_what_the_function_was_and_changes_no_more() {
    let aws = Aws::with_role();
    let created = aws.done("POST", FUNCTIONS, &creation());
    let first = aws.done("POST", VERSIONS, &json!({ "Description": "first" }));
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:auth";
    assert_eq!((&first["Version"], &first["FunctionArn"]), (&json!("1"), &json!(format!("{arn}:1"))));
    assert_eq!(first["Description"], "first");
    let latest = aws.done("GET", &format!("{AUTH}/configuration"), &Value::Null);
    assert_ne!(latest["RevisionId"], created["RevisionId"], "publishing gives a new revision");
    assert_eq!(aws.done("POST", VERSIONS, &json!({ "Description": "again" })), first, "nothing changed since");
    aws.done("PUT", &format!("{AUTH}/configuration"), &json!({ "Timeout": 9 }));
    aws.done("PUT", &format!("{AUTH}/code"), &json!({ "ZipFile": zip("two") }));
    let stale = json!({ "CodeSha256": first["CodeSha256"] });
    aws.refused("POST", VERSIONS, &stale, 400, INVALID, "is different from current CodeSHA256 in $LATEST");
    let stale = json!({ "RevisionId": first["RevisionId"] });
    aws.refused("POST", VERSIONS, &stale, 412, "PreconditionFailedException", "latest Revision Id");
    let second = aws.done("POST", VERSIONS, &json!({}));
    assert_eq!((&second["Version"], &second["Timeout"]), (&json!("2"), &json!(9)));
    assert_eq!(aws.done("GET", &at(AUTH, "1"), &Value::Null)["Configuration"], first);
    let code = aws.done("GET", &at(AUTH, "1"), &Value::Null)["Code"]["Location"].clone();
    let code = aws.0.code(code.as_str().unwrap().rsplit('/').next().unwrap()).unwrap().unwrap();
    assert_eq!(BASE64.encode(code), zip("one"), "with its own code");
    let page = aws.done("GET", &format!("{VERSIONS}?MaxItems=2"), &Value::Null);
    assert_eq!(page["Versions"][0]["FunctionArn"], format!("{arn}:$LATEST"));
    let marker = page["NextMarker"].as_str().unwrap().replace(':', "%3A");
    let rest = aws.done("GET", &format!("{VERSIONS}?Marker={marker}"), &Value::Null);
    assert_eq!((rest["Versions"][0]["Version"].as_str(), rest["Versions"][1].is_null()), (Some("2"), true));
    let all = aws.done("GET", &format!("{FUNCTIONS}/?FunctionVersion=ALL"), &Value::Null);
    assert_eq!(all["Functions"].as_array().unwrap().len(), 3);

    aws.refused("PUT", &format!("{AUTH}%3A1/code"), &json!({ "ZipFile": zip("x") }), 404, NOT_FOUND, "auth:1");
    aws.refused("DELETE", &at(AUTH, "$LATEST"), &Value::Null, 400, INVALID, "cannot be deleted without deleting");
    aws.refused("GET", &at(AUTH, "7"), &Value::Null, 404, NOT_FOUND, &format!("Function not found: {arn}:7"));
    aws.done("DELETE", &at(AUTH, "2"), &Value::Null);
    let third = aws.done("POST", VERSIONS, &json!({}));
    assert_eq!(third["Version"], "3", "no number is given out twice");
    aws.done("DELETE", AUTH, &Value::Null);
    aws.done("POST", FUNCTIONS, &creation());
    aws.refused("GET", &at(AUTH, "1"), &Value::Null, 404, NOT_FOUND, "auth:1");
}

#[test]
fn an_alias_points_at_a_version_and_keeps_it() {
    let aws = Aws::with_role();
    aws.done("POST", FUNCTIONS, &creation());
    aws.done("POST", VERSIONS, &json!({}));
    let live = |version: &str| json!({ "Name": "live", "FunctionVersion": version });
    aws.refused("POST", ALIASES, &live("7"), 404, NOT_FOUND, "function:auth:7");
    aws.refused("POST", ALIASES, &live("one"), 400, "ValidationException", "at 'functionVersion'");
    let numbered = json!({ "Name": "12", "FunctionVersion": "1" });
    aws.refused("POST", ALIASES, &numbered, 400, "ValidationException", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)");
    let split = json!({ "Name": "live", "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.1 } } });
    aws.refused("POST", ALIASES, &split, 400, INVALID, "does not support RoutingConfig");
    let made = aws.done("POST", ALIASES, &live("1"));
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:auth:live";
    assert_eq!((&made["AliasArn"], &made["Description"]), (&json!(arn), &json!("")));
    aws.refused("POST", ALIASES, &live("1"), 409, "ResourceConflictException", &format!("Alias already exists: {arn}"));
    let place = format!("{ALIASES}/live");
    assert_eq!(aws.done("GET", &place, &Value::Null), made);
    let seen = aws.done("GET", &format!("{AUTH}%3Alive/configuration"), &Value::Null);
    assert_eq!((&seen["Version"], &seen["FunctionArn"]), (&json!("1"), &json!(arn)));
    let message = "Unable to delete version because the following aliases reference it: [live]";
    aws.refused("DELETE", &at(AUTH, "1"), &Value::Null, 409, "ResourceConflictException", message);
    aws.refused(
        "DELETE",
        &at(AUTH, "live"),
        &Value::Null,
        400,
        INVALID,
        "Deletion of aliases is not currently supported",
    );

    aws.done("PUT", &format!("{AUTH}/configuration"), &json!({ "Timeout": 9 }));
    aws.done("POST", VERSIONS, &json!({}));
    let stale = json!({ "FunctionVersion": "2", "RevisionId": "x" });
    aws.refused("PUT", &place, &stale, 412, "PreconditionFailedException", "latest Revision Id");
    let empty = json!({ "FunctionVersion": "2", "RoutingConfig": { "AdditionalVersionWeights": {} } });
    let moved = aws.done("PUT", &place, &empty);
    assert_eq!(moved["FunctionVersion"], "2");
    assert_ne!(moved["RevisionId"], made["RevisionId"]);
    aws.done("DELETE", &at(AUTH, "1"), &Value::Null);
    aws.done("POST", ALIASES, &json!({ "Name": "next", "FunctionVersion": "$LATEST" }));
    let of = |version: &str| aws.done("GET", &format!("{ALIASES}?FunctionVersion={version}"), &Value::Null);
    assert_eq!(of("2")["Aliases"], json!([moved]));
    let first = aws.done("GET", &format!("{ALIASES}?MaxItems=1"), &Value::Null);
    assert_eq!(first["NextMarker"], "live");
    for _ in 0..2 {
        aws.done("DELETE", &place, &Value::Null);
    }
    aws.refused("GET", &place, &Value::Null, 404, NOT_FOUND, &format!("Cannot find alias arn: {arn}"));
    aws.refused("PUT", &place, &json!({}), 404, NOT_FOUND, &format!("Alias not found: {arn}"));
}

#[test]
fn a_policy_belongs_to_the_qualifier_that_it_was_added_to() {
    let aws = Aws::with_role();
    aws.done("POST", FUNCTIONS, &creation());
    aws.done("POST", VERSIONS, &json!({}));
    aws.done("POST", ALIASES, &json!({ "Name": "live", "FunctionVersion": "1" }));
    let (policy, service) = (format!("{AUTH}/policy"), "apigateway.amazonaws.com");
    let asked = json!({ "StatementId": "gate", "Action": "lambda:InvokeFunction", "Principal": service });
    let added = aws.done("POST", &at(&policy, "live"), &asked);
    assert!(added["Statement"].as_str().unwrap().contains(":function:auth:live\""), "{added}");
    assert_eq!(aws.call("GET", &policy, &Value::Null).0, 404);
    assert_eq!(aws.call("GET", &at(&policy, "live"), &Value::Null).0, 200);
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:auth";
    let source = "arn:aws:execute-api:eu-central-1:123456789012:abc/authorizers/def";
    let world = aws.0.world().unwrap();
    let lambda = &world.accounts["123456789012"].regions["eu-central-1"].lambda;
    let lets = |function: &str| lambda.lets_invoke(function, service, source);
    assert_eq!(lets(&format!("{arn}:live")), Some(true));
    assert_eq!((lets(arn), lets(&format!("{arn}:1")), lets(&format!("{arn}:none"))), (Some(false), Some(false), None));
    aws.refused("POST", &at(&policy, "none"), &asked, 404, NOT_FOUND, "Cannot find alias arn");
    aws.done("DELETE", &format!("{policy}/gate?Qualifier=live"), &Value::Null);
    assert_eq!(aws.call("GET", &at(&policy, "live"), &Value::Null).0, 404);
}

#[test]
fn concurrency_is_reserved_within_the_accounts_limit() {
    let aws = Aws::with_role();
    aws.done("POST", FUNCTIONS, &creation());
    aws.done("POST", FUNCTIONS, &with("FunctionName", json!("other")));
    let place = |name: &str| format!("/2017-10-31/functions/{name}/concurrency");
    let reserve = |number: i64| json!({ "ReservedConcurrentExecutions": number });
    assert_eq!(aws.done("GET", "/2019-09-30/functions/auth/concurrency", &Value::Null), json!({}));
    aws.done("PUT", &place("auth"), &reserve(800));
    assert_eq!(aws.done("GET", AUTH, &Value::Null)["Concurrency"], reserve(800));
    let message = "decreases account's UnreservedConcurrentExecution below its minimum value of [100]";
    aws.refused("PUT", &place("other"), &reserve(101), 400, INVALID, message);
    aws.done("PUT", &place("other"), &reserve(100));
    aws.done("PUT", &place("auth"), &reserve(800));
    aws.done("PUT", &place("other"), &reserve(0));
    aws.refused("PUT", &place("auth"), &reserve(-1), 400, "ValidationException", "greater than or equal to 0");
    let settings = aws.done("GET", "/2016-08-19/account-settings", &Value::Null);
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 200);
    aws.done("DELETE", &place("auth"), &Value::Null);
    assert_eq!(aws.done("GET", "/2019-09-30/functions/auth/concurrency", &Value::Null), json!({}));
    let off = Program::of(&aws.0, "arn:aws:lambda:eu-central-1:123456789012:function:other").unwrap_err();
    assert_eq!(off, InvokeError::Throttled);
}

#[test]
fn concurrency_is_provisioned_for_what_is_published_and_once() {
    let aws = Aws::with_role();
    aws.done("POST", FUNCTIONS, &creation());
    aws.done("POST", VERSIONS, &json!({}));
    for (name, version) in [("live", "1"), ("next", "$LATEST")] {
        aws.done("POST", ALIASES, &json!({ "Name": name, "FunctionVersion": version }));
    }
    let place = "/2019-09-30/functions/auth/provisioned-concurrency";
    let wanted = |number: i64| json!({ "ProvisionedConcurrentExecutions": number });
    let unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
    for qualifier in ["$LATEST", "next"] {
        aws.refused("PUT", &at(place, qualifier), &wanted(1), 400, INVALID, unpublished);
    }
    aws.refused("PUT", place, &wanted(1), 400, "ValidationException", "Value null at 'qualifier'");
    aws.refused("PUT", &at(place, "none"), &wanted(1), 404, NOT_FOUND, "Cannot find alias arn");
    aws.refused("PUT", &at(place, "live"), &wanted(0), 400, "ValidationException", "greater than or equal to 1");
    aws.refused("PUT", &at(place, "live"), &wanted(901), 400, INVALID, "minimum value of [100]");
    let missing = "No Provisioned Concurrency Config found for this function";
    let code = "ProvisionedConcurrencyConfigNotFoundException";
    aws.refused("GET", &at(place, "live"), &Value::Null, 404, code, missing);
    let put = aws.done("PUT", &at(place, "live"), &wanted(5));
    assert_eq!((&put["Status"], &put["AvailableProvisionedConcurrentExecutions"]), (&json!("IN_PROGRESS"), &json!(0)));
    let got = aws.done("GET", &at(place, "live"), &Value::Null);
    assert_eq!((&got["Status"], &got["AllocatedProvisionedConcurrentExecutions"]), (&json!("READY"), &json!(5)));
    let twice = "Version is pointed by a Provisioned Concurrency alias";
    aws.refused("PUT", &at(place, "1"), &wanted(1), 409, "ResourceConflictException", twice);
    aws.refused("PUT", &format!("{ALIASES}/live"), &json!({ "FunctionVersion": "$LATEST" }), 400, INVALID, unpublished);
    let reserved = "/2017-10-31/functions/auth/concurrency";
    let message = "should not be lower than function's total provisioned concurrency [5]";
    aws.refused("PUT", reserved, &json!({ "ReservedConcurrentExecutions": 4 }), 400, INVALID, message);
    aws.done("PUT", reserved, &json!({ "ReservedConcurrentExecutions": 6 }));
    let message = "should not be greater than the reservedConcurrentExecution";
    aws.refused("PUT", &at(place, "live"), &wanted(7), 400, INVALID, message);
    let all = aws.done("GET", &format!("{place}?List=ALL"), &Value::Null);
    assert!(all["ProvisionedConcurrencyConfigs"][0]["FunctionArn"].as_str().unwrap().ends_with(":auth:live"), "{all}");
    for _ in 0..2 {
        aws.done("DELETE", &at(place, "live"), &Value::Null);
    }
    aws.done("PUT", &at(place, "live"), &wanted(5));
    aws.done("DELETE", &format!("{ALIASES}/live"), &Value::Null);
    let all = aws.done("GET", &format!("{place}?List=ALL"), &Value::Null);
    assert_eq!(all["ProvisionedConcurrencyConfigs"], json!([]), "it goes with its alias");
}
