//! Lambda as its clients see it, below HTTP.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

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
