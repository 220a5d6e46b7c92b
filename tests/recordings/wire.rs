//! Operations on the wire: the request that an SDK would send, and the answer as boto3 shows it.

use gwctl::sandbox::wire::{Caller, Request, Response};
use serde_json::{Map, Value, json};

/// One operation a line: name, method, path, and parameters of the query string. `a=b` is the input `a` under the name `b`;
/// `mode=import` is always there.
const OPERATIONS: &str = include_str!("operations.txt");

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

/// The account of the caller.
const ACCOUNT: &str = "111111111111";

/// The request of an operation of a service.
pub(crate) fn request(service: Option<&str>, operation: &str, input: Map<String, Value>) -> Request {
    if service == Some("logs") {
        let target = format!("Logs_20140328.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        return envelope("logs", "POST", "/", Vec::new(), &headers, Value::Object(input).to_string());
    }
    rest(operation, input)
}

fn rest(operation: &str, mut input: Map<String, Value>) -> Request {
    let line = OPERATIONS.lines().find(|line| line.split(' ').next() == Some(operation));
    let words: Vec<&str> = line.unwrap_or_else(|| panic!("{operation} is not in the table")).split(' ').collect();
    let [_, method, template, parameters @ ..] = words.as_slice() else { panic!("{operation}: {words:?}") };
    let segments: Vec<String> = template
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
            Some(name) => text(&input.remove(name).expect("a path member")),
            None => segment.to_owned(),
        })
        .collect();
    let mut query = Vec::new();
    for parameter in parameters {
        let (name, sent) = parameter.split_once('=').unwrap_or((parameter, parameter));
        if (name, sent) == ("mode", "import") {
            query.push((name.to_owned(), sent.to_owned()));
        } else if let Some(value) = input.remove(name) {
            query.push((sent.to_owned(), text(&value)));
        }
    }
    if let Some(Value::Object(parameters)) = input.remove("parameters") {
        query.extend(parameters.iter().map(|(name, value)| (name.clone(), text(value))));
    }
    if let Some(verb) = input.remove("integrationHttpMethod") {
        input.insert("httpMethod".into(), verb);
    }
    let body = match input.remove("body") {
        Some(document) => text(&document),
        None if input.is_empty() => String::new(),
        None => Value::Object(input).to_string(),
    };
    envelope("apigateway", method, &segments.join("/"), query, &[], body)
}

/// A value as it stands in a path or a query string.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
            account: ACCOUNT.into(),
            region: "us-east-1".into(),
            service: service.into(),
            access_key: ACCOUNT.into(),
        },
    }
}

/// An answer as boto3 shows it, and as the recordings were sorted.
pub(crate) fn as_sdk(operation: &str, response: &Response) -> Value {
    let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_else(|_| json!({}));
    let mut answer = match header("x-amzn-errortype") {
        Some(code) => {
            let mut answer = json!({ "Error": { "Code": code, "Message": body["message"] } });
            if MODELLED.contains(&code.as_str()) {
                answer["message"] = body["message"].clone();
            }
            answer
        }
        None if operation == "GetExport" => json!({
            "body": body,
            "contentDisposition": header("content-disposition"),
            "contentType": header("content-type"),
        }),
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
                items.sort_by_key(|item| text(&item[key]));
            }
            members.insert("items".into(), items);
        }
        let metadata = json!({ "HTTPHeaders": {}, "HTTPStatusCode": response.status });
        members.insert("ResponseMetadata".into(), metadata);
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
