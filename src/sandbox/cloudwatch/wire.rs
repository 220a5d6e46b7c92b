//! CloudWatch's three protocols: RPC v2 over CBOR (the Rust SDK, boto3 of today), JSON 1.0 (boto3 of yesterday) and the query
//! protocol (everything older). The service behind them sees JSON.
//!
//! The service model says `smithy-rpc-v2-cbor, json, query`, and `awsQueryCompatible`: errors carry their old code in the
//! header `x-amzn-query-error`. Sources: Smithy's specifications of the three, botocore's parsers.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use crate::sandbox::cbor;
use crate::sandbox::fault::{Answer, Fault, Protocol};
use crate::sandbox::query::{Call, Dialect};
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::world::date;
use crate::sandbox::xml::Xml;

const DIALECT: Dialect =
    Dialect { namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/", version: "2010-08-01" };

/// What begins `x-amz-target`, and names the service in RPC v2's paths.
const SERVICE: &str = "GraniteServiceVersion20100801";

/// More parts than any name of a parameter has.
const DEEPEST: usize = 16;

/// A request, whatever protocol it came in.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) input: Value,
}

fn is_cbor(request: &Request) -> bool {
    request.header("smithy-protocol") == Some("rpc-v2-cbor")
}

fn is_json(request: &Request) -> bool {
    request.header("x-amz-target").is_some()
}

pub(super) fn read(request: &Request) -> Answer<Asked> {
    let unreadable = |why: String| Fault::new(400, "SerializationException", why);
    if is_cbor(request) {
        let segments = request.segments();
        let [service, name, operation, asked] = segments.as_slice() else {
            return Err(Fault::new(404, "UnknownOperationException", format!("no operation at {}", request.path)));
        };
        if [service, operation] != ["service", "operation"] || name != SERVICE {
            return Err(Fault::new(404, "UnknownOperationException", format!("no operation at {}", request.path)));
        }
        let input = if request.body.is_empty() {
            Value::Object(Map::new())
        } else {
            cbor::decode(&request.body).map_err(unreadable)?
        };
        return Ok(Asked { operation: asked.clone(), input });
    }
    if let Some(target) = request.header("x-amz-target") {
        let operation = target.strip_prefix(SERVICE).and_then(|rest| rest.strip_prefix('.')).unwrap_or(target);
        let input = serde_json::from_slice(&request.body).map_err(|error| unreadable(error.to_string()))?;
        return Ok(Asked { operation: operation.to_owned(), input });
    }
    let call = Call::of(request);
    call.check_version(&DIALECT)?;
    Ok(Asked { operation: call.action().to_owned(), input: tree(&call) })
}

pub(super) fn answer(request: &Request, operation: &str, output: &Value) -> Response {
    if is_cbor(request) {
        return in_cbor(200, output);
    }
    if is_json(request) {
        return json(200, output);
    }
    let result = output.as_object().filter(|members| !members.is_empty()).map(|members| {
        let mut xml = Xml::new();
        members.iter().for_each(|(name, value)| element(&mut xml, name, value));
        xml
    });
    let call = Call::of(request);
    debug_assert_eq!(call.action(), operation);
    call.respond(&DIALECT, request, Ok(result))
}

pub(super) fn refuse(request: &Request, fault: &Fault) -> Response {
    let mut response = if is_cbor(request) || is_json(request) {
        let kind = format!("com.amazonaws.cloudwatch#{}", shape(&fault.code));
        let body = serde_json::json!({ "__type": kind, "message": fault.message });
        if is_cbor(request) { in_cbor(fault.status, &body) } else { json(fault.status, &body) }
    } else {
        return fault.wrapped(Protocol::Query, Some(DIALECT.namespace), request.id());
    };
    let whose = if fault.status >= 500 { "Receiver" } else { "Sender" };
    response.headers.push(("x-amzn-query-error".into(), format!("{};{whose}", fault.code)));
    response
}

/// The name of an exception in the model, by its code in the query protocol.
fn shape(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "LimitExceeded" => "LimitExceededFault",
        "InvalidFormat" => "InvalidFormatFault",
        "InternalServiceError" => "InternalServiceFault",
        other => other,
    }
}

fn json(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("content-type".into(), "application/x-amz-json-1.0".into())],
        body: body.to_string().into_bytes().into(),
    }
}

fn in_cbor(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![
            ("content-type".into(), "application/cbor".into()),
            ("smithy-protocol".into(), "rpc-v2-cbor".into()),
        ],
        body: cbor::encode(body, is_time).into(),
    }
}

/// Members that are times: seconds since the epoch here, each protocol's own form on the wire.
fn is_time(member: &str) -> bool {
    member.ends_with("Timestamp") || member == "Timestamps"
}

/// Members that are numbers or flags: the query protocol has only text.
fn typed(member: &str, text: &str) -> Value {
    let parsed = match member {
        "Period" | "EvaluationPeriods" | "DatapointsToAlarm" | "MaxRecords" | "StorageResolution" | "MaxDatapoints" => {
            text.parse::<i64>().ok().map(Value::from)
        }
        "Threshold" | "Sum" | "SampleCount" | "Minimum" | "Maximum" => {
            text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
        }
        "ActionsEnabled" | "ReturnData" => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

/// The parameters of a query as the tree that their dotted names describe: `Dimensions.member.1.Name`.
fn tree(call: &Call) -> Value {
    let mut root = Node::default();
    for (name, value) in call.parameters() {
        if name != "Action" && name != "Version" {
            // Names have few parts; a longer one is cut, and its rest refused as an unknown member.
            let mut parts = name.splitn(DEEPEST, '.');
            let node = parts.by_ref().fold(&mut root, |node, part| node.below.entry(part.to_owned()).or_default());
            node.text = Some(value.to_owned());
        }
    }
    root.value("")
}

#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    below: BTreeMap<String, Self>,
}

impl Node {
    fn value(&self, member: &str) -> Value {
        if let Some(text) = self.text.as_ref().filter(|_| self.below.is_empty()) {
            // An empty list is written as an empty parameter.
            let list = text.is_empty() && (member.ends_with('s') || member.ends_with("Keys"));
            return if list { Value::Array(Vec::new()) } else { typed(member, text) };
        }
        if let Some(list) = self.below.get("member").filter(|_| self.below.len() == 1) {
            let mut items: Vec<(u64, &Self)> =
                list.below.iter().filter_map(|(at, item)| Some((at.parse().ok()?, item))).collect();
            items.sort_by_key(|(at, _)| *at);
            items.into_iter().map(|(_, item)| item.value("")).collect::<Vec<_>>().into()
        } else {
            let members = self.below.iter().map(|(name, node)| (name.clone(), node.value(name)));
            members.collect::<Map<String, Value>>().into()
        }
    }
}

fn element(xml: &mut Xml, name: &str, value: &Value) {
    match value {
        Value::Array(times) if is_time(name) => {
            xml.node(name, |xml| {
                for time in times {
                    #[expect(clippy::cast_possible_truncation, reason = "as below")]
                    let millis = (time.as_f64().unwrap_or_default() * 1000.0) as i64;
                    xml.leaf("member", date(millis, "%Y-%m-%dT%H:%M:%SZ"));
                }
            });
        }
        Value::Null => {}
        Value::Bool(flag) => xml.leaf(name, flag.to_string()),
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since the epoch fit an i64 for ages to come")]
        Value::Number(number) if is_time(name) => {
            let millis = (number.as_f64().unwrap_or_default() * 1000.0) as i64;
            xml.leaf(name, date(millis, "%Y-%m-%dT%H:%M:%S.%3fZ"));
        }
        Value::Number(number) => xml.leaf(name, number.to_string()),
        Value::String(text) => xml.leaf(name, text),
        Value::Array(items) => xml.node(name, |xml| items.iter().for_each(|item| element(xml, "member", item))),
        Value::Object(members) => {
            xml.node(name, |xml| members.iter().for_each(|(name, value)| element(xml, name, value)));
        }
    }
}
