//! Holds the sandbox's API Gateway to recordings of the real one.
//!
//! `tests/recordings/README.md` says where they come from and how they are written. Each folder is replayed against an
//! empty sandbox, and every recorded answer is compared field by field: a placeholder stands for one value, the same
//! wherever it appears, and two placeholders for two values. [`EXCEPTIONS`] is the whole list of what may differ.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::wire::{Caller, Request};
use serde_json::{Map, Value, json};

/// What an answer may have that its recording does not: the last member of its path, and why.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("securityPolicy", "a member of RestApi that is newer than the recordings: their SDK did not know it"),
    ("responseTransferMode", "a member of Integration that is newer than the recordings: their SDK did not know it"),
];

/// The exceptions that a replay came across.
type Seen = RefCell<Vec<&'static str>>;

/// Operation → method, path, parameters of the query string, whether one input is the whole body.
const OPERATIONS: [(&str, &str, &str, &[&str]); 28] = [
    ("CreateDeployment", "POST", "/restapis/{restApiId}/deployments", &[]),
    ("CreateDocumentationPart", "POST", "/restapis/{restApiId}/documentation/parts", &[]),
    ("CreateDocumentationVersion", "POST", "/restapis/{restApiId}/documentation/versions", &[]),
    ("CreateRestApi", "POST", "/restapis", &[]),
    ("CreateStage", "POST", "/restapis/{restApiId}/stages", &[]),
    ("DeleteDeployment", "DELETE", "/restapis/{restApiId}/deployments/{deploymentId}", &[]),
    ("DeleteStage", "DELETE", "/restapis/{restApiId}/stages/{stageName}", &[]),
    ("GetAuthorizers", "GET", "/restapis/{restApiId}/authorizers", &[]),
    ("GetDeployment", "GET", "/restapis/{restApiId}/deployments/{deploymentId}", &[]),
    ("GetDeployments", "GET", "/restapis/{restApiId}/deployments", &[]),
    ("GetGatewayResponses", "GET", "/restapis/{restApiId}/gatewayresponses", &[]),
    ("GetIntegration", "GET", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", &[]),
    (
        "GetIntegrationResponse",
        "GET",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        &[],
    ),
    ("GetMethod", "GET", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}", &[]),
    (
        "GetMethodResponse",
        "GET",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/responses/{statusCode}",
        &[],
    ),
    ("GetModels", "GET", "/restapis/{restApiId}/models", &[]),
    ("GetResources", "GET", "/restapis/{restApiId}/resources", &[]),
    ("GetRestApi", "GET", "/restapis/{restApiId}", &[]),
    ("GetRestApis", "GET", "/restapis", &[]),
    ("GetStage", "GET", "/restapis/{restApiId}/stages/{stageName}", &[]),
    ("GetStages", "GET", "/restapis/{restApiId}/stages", &["deploymentId"]),
    ("ImportRestApi", "POST", "/restapis", &["failOnWarnings", "mode"]),
    ("PutGatewayResponse", "PUT", "/restapis/{restApiId}/gatewayresponses/{responseType}", &[]),
    ("PutIntegration", "PUT", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", &[]),
    (
        "PutIntegrationResponse",
        "PUT",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        &[],
    ),
    ("PutMethod", "PUT", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}", &[]),
    (
        "PutMethodResponse",
        "PUT",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/responses/{statusCode}",
        &[],
    ),
    ("PutRestApi", "PUT", "/restapis/{restApiId}", &["failOnWarnings", "mode"]),
];

/// The updates: patched where they are read.
const UPDATES: [(&str, &str); 3] = [
    ("UpdateIntegration", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration"),
    ("UpdateRestApi", "/restapis/{restApiId}"),
    ("UpdateStage", "/restapis/{restApiId}/stages/{stageName}"),
];

/// The exceptions of the service model; the SDK shows the text of the others only once.
const MODELLED: [&str; 7] = [
    "BadRequestException",
    "ConflictException",
    "LimitExceededException",
    "NotFoundException",
    "ServiceUnavailableException",
    "TooManyRequestsException",
    "UnauthorizedException",
];

macro_rules! replays {
    ($($name:ident: $folder:literal,)*) => {
        $(
            #[test]
            fn $name() {
                replay($folder, &Seen::default());
            }
        )*

        #[test]
        fn every_exception_is_needed() {
            let seen = Seen::default();
            $(replay($folder, &seen);)*
            for (member, reason) in EXCEPTIONS {
                assert!(seen.borrow().contains(&member), "`{member}` ({reason}) no longer differs: take it off the list");
            }
        }

        #[test]
        fn every_folder_is_replayed() {
            let folders = fs::read_dir(root()).expect("the recordings");
            let mut folders: Vec<String> = folders
                .filter_map(|entry| entry.ok().filter(|entry| entry.path().is_dir()))
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            folders.sort();
            assert_eq!(folders, [$($folder),*]);
        }
    };
}

replays! {
    canary_by_stage_update: "canary-by-stage-update",
    canary_copy: "canary-copy",
    deployments: "deployments",
    gateway_responses: "gateway-responses",
    import_bad_document: "import-bad-document",
    import_mock_cors: "import-mock-cors",
    import_petstore_authorizer: "import-petstore-authorizer",
    method_validation: "method-validation",
    put_binary_media_types: "put-binary-media-types",
    rest_api_defaults: "rest-api-defaults",
    rest_api_patch: "rest-api-patch",
    rest_api_tags: "rest-api-tags",
    stage_access_logs: "stage-access-logs",
    stage_update: "stage-update",
    vpc_link_integration: "vpc-link-integration",
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

fn read(folder: &str, file: &str) -> Option<String> {
    fs::read_to_string(root().join(folder).join(file)).ok()
}

/// Replays one folder and compares every recorded answer.
fn replay(folder: &str, seen: &Seen) {
    let parse = |file: &str| -> Value {
        let text = read(folder, file).unwrap_or_else(|| panic!("{folder}/{file} is missing"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{folder}/{file}: {error}"))
    };
    let (steps, recorded) = (parse("steps.json"), parse("recorded.json"));
    let document = read(folder, "document.json");
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    let mut compared = 0;
    for step in steps.as_array().expect("a list of steps") {
        let run = runs.entry(text(step, "run")).or_insert_with(|| Run::new(document.clone()));
        let answer = run.play(step);
        if let Some(name) = step["step"].as_str() {
            let expected = recorded.get(name).unwrap_or_else(|| panic!("{folder}: {name} was not recorded"));
            let mut differences = Vec::new();
            run.compare(expected, &answer, name, &mut differences, seen);
            assert!(differences.is_empty(), "{folder}:\n  {}", differences.join("\n  "));
            compared += 1;
        }
    }
    assert_eq!(compared, recorded.as_object().map_or(0, Map::len), "{folder}: some answers were not compared");
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

/// One run: a sandbox, the answers that later steps refer to, and what the placeholders turned out to be.
struct Run {
    sandbox: Sandbox,
    answers: BTreeMap<String, Value>,
    placeholders: BTreeMap<String, String>,
}

impl Run {
    fn new(document: Option<String>) -> Self {
        let answers = document.map(|document| ("document".to_owned(), Value::from(document))).into_iter().collect();
        Self { sandbox: Sandbox::in_memory(), answers, placeholders: BTreeMap::new() }
    }

    /// Sends the request of a step and gives the answer as boto3 shows it.
    fn play(&mut self, step: &Value) -> Value {
        let operation = text(step, "operation");
        let input = self.fill_in(&step["input"]);
        let input = input.as_object().cloned().unwrap_or_default();
        let request =
            if step["service"] == "logs" { log_request(&operation, &input) } else { request(&operation, input) };
        let response = self.sandbox.handle(request);
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_else(|_| json!({}));
        let error = response.headers.iter().find(|(name, _)| name == "x-amzn-errortype").map(|(_, code)| code.clone());
        let expected_error = step["expect"] == "error";
        assert_eq!(response.status >= 400, expected_error, "{operation} {}: {body}", step["input"]);
        let answer = as_sdk(&operation, response.status, body, error);
        if let Some(name) = step["as"].as_str() {
            self.answers.insert(name.to_owned(), answer.clone());
        }
        answer
    }

    /// Puts earlier answers in place of references to them.
    fn fill_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.referred(text).unwrap_or_else(|| value.clone()),
            Value::Array(items) => items.iter().map(|item| self.fill_in(item)).collect(),
            Value::Object(members) => {
                let filled = members.iter().map(|(name, member)| (name.clone(), self.fill_in(member)));
                Value::Object(filled.collect())
            }
            other => other.clone(),
        }
    }

    /// What `$name.member.list[key=value].member` refers to; none if the text is plain.
    fn referred(&self, text: &str) -> Option<Value> {
        let reference = text.strip_prefix('$')?;
        let (name, path) = reference.split_once('.').unwrap_or((reference, ""));
        let mut value = self.answers.get(name)?.clone();
        for step in path.split('.').filter(|step| !step.is_empty()) {
            value = match step.split_once('[') {
                None => value[step].clone(),
                Some((list, filter)) => {
                    let (key, wanted) = filter.trim_end_matches(']').split_once('=').expect("[key=value]");
                    let items = value[list].as_array().cloned().unwrap_or_default();
                    items.into_iter().find(|item| item[key] == wanted).unwrap_or_else(|| panic!("nothing at {text}"))
                }
            };
        }
        assert!(!value.is_null(), "nothing at {text}");
        Some(value)
    }

    fn compare(&mut self, expected: &Value, actual: &Value, at: &str, differences: &mut Vec<String>, seen: &Seen) {
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(given)) => {
                for (name, value) in wanted {
                    match given.get(name) {
                        Some(other) => self.compare(value, other, &format!("{at}.{name}"), differences, seen),
                        None => differences.push(format!("{at}.{name}: is missing, recorded is {value}")),
                    }
                }
                for (name, value) in given.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
                    match EXCEPTIONS.iter().find(|(member, _)| member == name) {
                        Some((member, _)) => seen.borrow_mut().push(member),
                        None => differences.push(format!("{at}.{name}: {value} was not recorded")),
                    }
                }
            }
            (Value::Array(wanted), Value::Array(given)) if wanted.len() == given.len() => {
                for (index, (value, other)) in wanted.iter().zip(given).enumerate() {
                    self.compare(value, other, &format!("{at}[{index}]"), differences, seen);
                }
            }
            // An SDK shows dates as such; on the wire they are seconds.
            (Value::String(wanted), Value::Number(_)) if wanted == "datetime" => {}
            (Value::String(wanted), Value::String(given)) => {
                if let Err(why) = self.matches(wanted, given) {
                    differences.push(format!("{at}: {given:?}, recorded is {wanted:?}{why}"));
                }
            }
            (Value::Number(wanted), Value::Number(given)) if wanted.as_f64() == given.as_f64() => {}
            (wanted, given) if wanted == given => {}
            (wanted, given) => differences.push(format!("{at}: {given}, recorded is {wanted}")),
        }
    }

    /// Whether a text matches a recorded one, whose placeholders are bound as they come.
    fn matches(&mut self, recorded: &str, given: &str) -> Result<(), String> {
        let recorded = recorded
            .replace("<region>", "us-east-1")
            .replace("<partition>", "aws")
            .replace("<model-base-url>", "https://apigateway.amazonaws.com")
            .replace("<log-group-arn>", "arn:aws:logs:us-east-1:111111111111:log-group:gateway-access-logs");
        let (mut recorded, mut given) = (recorded.as_str(), given);
        while let Some((before, name, after)) = next_placeholder(recorded) {
            given = given.strip_prefix(before).ok_or("")?;
            let next = next_placeholder(after).map_or(after, |(literal, ..)| literal);
            let end = if next.is_empty() { given.len() } else { given.find(next).ok_or("")? };
            self.bind(name, &given[..end])?;
            (recorded, given) = (after, &given[end..]);
        }
        if recorded == given { Ok(()) } else { Err(String::new()) }
    }

    fn bind(&mut self, name: &str, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Err(", and an empty value is never masked".into());
        }
        if let Some(bound) = self.placeholders.get(name) {
            return if bound == value { Ok(()) } else { Err(format!(", which was {bound:?} before")) };
        }
        if let Some((other, _)) = self.placeholders.iter().find(|(_, bound)| *bound == value) {
            return Err(format!(", but the value is that of {other}"));
        }
        self.placeholders.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

/// The text before the first placeholder `<word:1>`, its name, and the text after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('<')?;
        let end = start + text[start..].find('>')?;
        let name = &text[start + 1..end];
        let numbered = name.split_once(':').is_some_and(|(word, number)| {
            word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && number.chars().all(|c| c.is_ascii_digit())
        });
        if numbered {
            return Some((&text[..start], name, &text[end + 1..]));
        }
        from = start + 1;
    }
}

/// The request of an API Gateway operation.
fn request(operation: &str, mut input: Map<String, Value>) -> Request {
    let known = OPERATIONS.iter().find(|(name, ..)| *name == operation).copied();
    let update = UPDATES.iter().find(|(name, _)| *name == operation);
    let (_, method, template, queries) = known
        .or_else(|| update.map(|(name, path)| (*name, "PATCH", *path, &[][..])))
        .unwrap_or_else(|| panic!("{operation} is not in the table"));
    if operation == "ImportRestApi" {
        input.insert("mode".into(), "import".into());
    }
    let segments: Vec<String> = template
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
            Some(name) => {
                input.remove(name).and_then(|value| value.as_str().map(str::to_owned)).expect("a path member")
            }
            None => segment.to_owned(),
        })
        .collect();
    let mut query = Vec::new();
    for name in queries {
        if let Some(value) = input.remove(*name) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            query.push((name.replace("failOnWarnings", "failonwarnings"), value));
        }
    }
    if let Some(verb) = input.remove("integrationHttpMethod") {
        input.insert("httpMethod".into(), verb);
    }
    let body = match input.remove("body") {
        Some(document) => document.as_str().unwrap_or_default().to_owned(),
        None if input.is_empty() => String::new(),
        None => Value::Object(input).to_string(),
    };
    envelope("apigateway", method, &segments.join("/"), query, &[], body)
}

fn log_request(operation: &str, input: &Map<String, Value>) -> Request {
    let target = format!("Logs_20140328.{operation}");
    let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
    envelope("logs", "POST", "/", Vec::new(), &headers, Value::Object(input.clone()).to_string())
}

fn envelope(
    service: &str,
    method: &str,
    path: &str,
    query: Vec<(String, String)>,
    headers: &[(&str, &str)],
    body: String,
) -> Request {
    Request {
        method: method.into(),
        path: path.into(),
        query,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.into(),
        caller: Caller {
            account: "111111111111".into(),
            region: "us-east-1".into(),
            service: service.into(),
            access_key: "111111111111".into(),
        },
    }
}

/// An answer as boto3 shows it, and as the recordings were sorted.
fn as_sdk(operation: &str, status: u16, body: Value, error: Option<String>) -> Value {
    let mut answer = match error {
        Some(code) => {
            let mut answer = json!({ "Error": { "Code": code, "Message": body["message"] } });
            if MODELLED.contains(&code.as_str()) {
                answer["message"] = body["message"].clone();
            }
            answer
        }
        None => parse_strings(body),
    };
    if let Some(members) = answer.as_object_mut() {
        if operation != "GetStages"
            && let Some(mut items) = members.remove("item")
        {
            let key = match operation {
                "GetModels" | "GetAuthorizers" => Some("name"),
                "GetResources" => Some("path"),
                "GetGatewayResponses" => Some("responseType"),
                _ => None,
            };
            if let (Some(key), Some(items)) = (key, items.as_array_mut()) {
                items.sort_by_key(|item| text(item, key));
            }
            members.insert("items".into(), items);
        }
        members.insert("ResponseMetadata".into(), json!({ "HTTPHeaders": {}, "HTTPStatusCode": status }));
    }
    answer
}

/// A string that holds a JSON object is shown as that object.
fn parse_strings(value: Value) -> Value {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(&text) {
            Ok(parsed @ Value::Object(_)) => parsed,
            _ => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(parse_strings).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, member)| (name, parse_strings(member))).collect())
        }
        other => other,
    }
}
