//! Service Quotas in the sandbox: what an account may have of API Gateway's and Lambda's resources, over JSON 1.1, version
//! 2019-06-24. Every account has the defaults, and none is ever raised.
//!
//! Codes and names are AWS's own, as `gruntwork-io/terraform-aws-utilities` lists them from the live service
//! (`docs/quotas.md`); values are those of API Gateway's and Lambda's developer guides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fault::{Answer, Fault};
use super::wire::{Caller, Request, Response};

/// Service, its name, code and name of the quota, value, whether it can be raised.
type Quota = (&'static str, &'static str, &'static str, &'static str, f64, bool);

const APIGATEWAY: &str = "Amazon API Gateway (Amazon API Gateway)";
const LAMBDA: &str = "AWS Lambda";

/// In the order of their codes within a service.
const QUOTAS: [Quota; 9] = [
    ("apigateway", APIGATEWAY, "L-01C8A9E0", "Resources/Routes per REST/WebSocket API", 300.0, true),
    ("apigateway", APIGATEWAY, "L-379E48B0", "Stages per API", 10.0, true),
    ("apigateway", APIGATEWAY, "L-608BDCD4", "VPC links(V2)", 10.0, true),
    ("apigateway", APIGATEWAY, "L-65B5C802", "Routes per HTTP API", 300.0, true),
    ("apigateway", APIGATEWAY, "L-8A5B8E43", "Throttle rate", 10_000.0, true),
    ("apigateway", APIGATEWAY, "L-8B81B02C", "Maximum resource policy size in bytes", 8192.0, true),
    ("apigateway", APIGATEWAY, "L-A4C7274F", "VPC links", 20.0, true),
    ("apigateway", APIGATEWAY, "L-A93447B8", "Custom Domain Names", 120.0, true),
    ("lambda", LAMBDA, "L-B99A9384", "Concurrent executions", 1000.0, true),
];

/// Answers one request.
pub fn handle(request: &Request) -> Response {
    match act(request) {
        Ok(body) => Response {
            status: 200,
            headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
            body: body.to_string().into_bytes().into(),
        },
        Err(fault) => fault.json("Message"),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    service_code: Option<String>,
    quota_code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Page {
    service_code: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

fn act(request: &Request) -> Answer<Value> {
    let target = request.header("x-amz-target").unwrap_or_default();
    match target.strip_prefix("ServiceQuotasV20190624.").unwrap_or_default() {
        "GetServiceQuota" | "GetAWSDefaultServiceQuota" => get(&request.caller, &input(request)?),
        "ListServiceQuotas" | "ListAWSDefaultServiceQuotas" => list(&request.caller, &input(request)?),
        _ => {
            let message = format!("The sandbox's Service Quotas has no operation {target}");
            Err(Fault::new(400, "UnknownOperationException", message))
        }
    }
}

fn input<T: DeserializeOwned>(request: &Request) -> Answer<T> {
    serde_json::from_slice(&request.body).map_err(|error| {
        let text = error.to_string();
        if text.contains("unknown field") {
            let name = text.split('`').nth(1).unwrap_or_default();
            return illegal(format!("The sandbox's Service Quotas does not support {name}"));
        }
        Fault::new(400, "SerializationException", text)
    })
}

fn illegal(message: impl Into<String>) -> Fault {
    Fault::new(400, "IllegalArgumentException", message)
}

/// The quotas of a service, which has to be one that the sandbox knows.
fn of(service: Option<&str>) -> Answer<Vec<&'static Quota>> {
    let service = service.ok_or_else(|| illegal("ServiceCode is required"))?;
    let all: Vec<&Quota> = QUOTAS.iter().filter(|(code, ..)| *code == service).collect();
    if all.is_empty() {
        let message = format!("The request failed because the specified service does not exist: {service}");
        return Err(Fault::new(400, "NoSuchResourceException", message));
    }
    Ok(all)
}

fn get(caller: &Caller, one: &One) -> Answer<Value> {
    let all = of(one.service_code.as_deref())?;
    let wanted = one.quota_code.as_deref().ok_or_else(|| illegal("QuotaCode is required"))?;
    let found = all.into_iter().find(|(_, _, code, ..)| *code == wanted).ok_or_else(|| {
        let message = format!("The request failed because the specified quota does not exist: {wanted}");
        Fault::new(400, "NoSuchResourceException", message)
    })?;
    Ok(json!({"Quota": shown(caller, found)}))
}

fn list(caller: &Caller, page: &Page) -> Answer<Value> {
    let all = of(page.service_code.as_deref())?;
    let size = page.max_results.unwrap_or(100);
    let size = usize::try_from(size).ok().filter(|size| (1..=100).contains(size));
    let size = size.ok_or_else(|| illegal("MaxResults must be between 1 and 100"))?;
    let after = match &page.next_token {
        None => None,
        Some(token) => {
            let bytes = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(bytes.ok_or_else(|| Fault::new(400, "InvalidPaginationTokenException", "The token is not valid"))?)
        }
    };
    let mut rest = all.into_iter().filter(|(_, _, code, ..)| after.as_deref().is_none_or(|after| *code > after));
    let shown_here: Vec<&Quota> = rest.by_ref().take(size).collect();
    let next = rest.next().and(shown_here.last()).map(|(_, _, code, ..)| BASE64.encode(code));
    let quotas: Vec<Value> = shown_here.iter().map(|quota| shown(caller, quota)).collect();
    let mut answer = json!({ "Quotas": quotas });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

fn shown(caller: &Caller, (service, name, code, quota, value, adjustable): &Quota) -> Value {
    let (partition, region, account) = (caller.partition(), &caller.region, &caller.account);
    json!({
        "ServiceCode": service,
        "ServiceName": name,
        "QuotaArn": format!("arn:{partition}:servicequotas:{region}:{account}:{service}/{code}"),
        "QuotaCode": code,
        "QuotaName": quota,
        "Value": value,
        "Unit": "None",
        "Adjustable": adjustable,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(operation: &str, body: &str) -> (u16, Value) {
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("x-amz-target".into(), format!("ServiceQuotasV20190624.{operation}"))],
            body: body.to_owned().into_bytes().into(),
            caller: Caller {
                account: "123456789012".into(),
                region: "cn-north-1".into(),
                service: "servicequotas".into(),
                access_key: "123456789012".into(),
            },
        };
        let response = handle(&request);
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    #[test]
    fn a_quota_is_found_by_its_code() {
        for operation in ["GetServiceQuota", "GetAWSDefaultServiceQuota"] {
            let (status, body) = ask(operation, r#"{"ServiceCode": "apigateway", "QuotaCode": "L-A4C7274F"}"#);
            assert_eq!((status, &body["Quota"]["Value"]), (200, &json!(20.0)));
            assert_eq!(
                body["Quota"]["QuotaArn"],
                "arn:aws-cn:servicequotas:cn-north-1:123456789012:apigateway/L-A4C7274F"
            );
        }
    }

    #[test]
    fn pages_lead_to_the_end() {
        let (mut token, mut found) = (None::<String>, Vec::new());
        loop {
            let input = json!({"ServiceCode": "apigateway", "MaxResults": 3, "NextToken": token});
            let (status, body) = ask("ListServiceQuotas", &input.to_string());
            assert_eq!(status, 200, "{body}");
            let codes = body["Quotas"].as_array().unwrap().iter();
            found.extend(codes.map(|one| one["QuotaCode"].as_str().unwrap().to_owned()));
            token = body["NextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), 8);
        assert!(found.is_sorted());
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for (operation, body, code) in [
            ("GetServiceQuota", r#"{"ServiceCode": "ec2", "QuotaCode": "L-1"}"#, "NoSuchResourceException"),
            ("GetServiceQuota", r#"{"ServiceCode": "lambda", "QuotaCode": "L-1"}"#, "NoSuchResourceException"),
            ("GetServiceQuota", r#"{"ServiceCode": "lambda"}"#, "IllegalArgumentException"),
            ("GetServiceQuota", r#"{"ServiceCode": "lambda", "ContextId": "x"}"#, "IllegalArgumentException"),
            ("ListServiceQuotas", "{}", "IllegalArgumentException"),
            ("ListServiceQuotas", r#"{"ServiceCode": "lambda", "MaxResults": 0}"#, "IllegalArgumentException"),
            ("ListServiceQuotas", r#"{"ServiceCode": "lambda", "NextToken": "?"}"#, "InvalidPaginationTokenException"),
            ("RequestServiceQuotaIncrease", "{}", "UnknownOperationException"),
            ("GetServiceQuota", "nonsense", "SerializationException"),
        ] {
            let (status, answer) = ask(operation, body);
            assert_eq!((status, answer["__type"].as_str()), (400, Some(code)), "{operation} {body}");
        }
    }
}
