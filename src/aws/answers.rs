//! What an answer has to be before anybody believes it: an end within bounds, and, where gwctl takes what is not in an answer for
//! what is not in AWS, the member that says so.
//!
//! To the SDK, every member of an answer is optional: a proxy's empty page with status 200 would be "there are no REST APIs",
//! and the plan would make a second one. It also reads a body to its end, however far that is.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::Value;
use tokio::time::{Sleep, sleep};

use super::guard::is_read;

/// The largest answer that is read. 500 REST APIs with policies of 8 KB each, the largest page of the calls that gwctl makes, are
/// about 5 MB; what is larger fills the memory of whoever reads it.
pub const LARGEST: usize = 64 << 20;

/// How long a body may take once it has begun. The SDK gives a transfer up that stands still, and not one that drips.
pub const LONGEST: Duration = Duration::from_mins(3);

/// What an answer in JSON holds, or it is not AWS's: the list that is taken for all there is, and what every item of it is known
/// by. AWS writes a list that is empty too: `"items": []` stands in the recordings of API Gateway (`tests/recordings`). That
/// the other services do so is a guess from the examples of their references. Answers in XML need no line: the SDK refuses one
/// whose root is another.
const HOLDS: [(&str, &str, &str, &[&str]); 29] = [
    ("API Gateway", "GetAuthorizers", "item", &["id", "name"]),
    ("API Gateway", "GetDeployments", "item", &["id"]),
    ("API Gateway", "GetDomainNames", "item", &["domainName"]),
    ("API Gateway", "GetGatewayResponses", "item", &["responseType"]),
    ("API Gateway", "GetResources", "item", &["id", "path"]),
    ("API Gateway", "GetRestApis", "item", &["id", "name"]),
    ("API Gateway", "GetStages", "item", &["stageName"]),
    ("API Gateway", "GetVpcLinks", "item", &["id", "name", "targetArns"]),
    ("ApiGatewayV2", "GetApis", "items", &["apiId", "name"]),
    ("ApiGatewayV2", "GetAuthorizers", "items", &["authorizerId", "name"]),
    ("ApiGatewayV2", "GetIntegrations", "items", &["integrationId"]),
    ("ApiGatewayV2", "GetRoutes", "items", &["routeId", "routeKey"]),
    ("ApiGatewayV2", "GetStages", "items", &["stageName"]),
    ("ApiGatewayV2", "GetVpcLinks", "items", &["vpcLinkId", "name", "securityGroupIds", "subnetIds"]),
    ("CloudWatch Logs", "DescribeLogGroups", "logGroups", &["logGroupName"]),
    ("CloudWatch Logs", "DescribeMetricFilters", "metricFilters", &["filterName"]),
    ("CloudWatch Logs", "DescribeSubscriptionFilters", "subscriptionFilters", &["filterName"]),
    ("Firehose", "DescribeDeliveryStream", "DeliveryStreamDescription", &["DeliveryStreamName"]),
    ("Lambda", "GetFunction", "Configuration", &[]),
    ("Lambda", "ListAliases", "Aliases", &["Name"]),
    ("Lambda", "ListFunctions", "Functions", &["FunctionName"]),
    ("Lambda", "ListVersionsByFunction", "Versions", &["Version", "CodeSha256"]),
    ("Resource Groups Tagging API", "GetResources", "ResourceTagMappingList", &["ResourceARN"]),
    ("WAFV2", "GetIPSet", "IPSet", &["Id", "Name", "ARN"]),
    ("WAFV2", "GetRuleGroup", "RuleGroup", &["Id", "Name", "ARN", "Capacity"]),
    ("WAFV2", "GetWebACL", "WebACL", &["Id", "Name", "ARN"]),
    ("WAFV2", "ListIPSets", "IPSets", &["Id", "Name", "ARN"]),
    ("WAFV2", "ListRuleGroups", "RuleGroups", &["Id", "Name", "ARN"]),
    ("WAFV2", "ListWebACLs", "WebACLs", &["Id", "Name", "ARN"]),
];

/// What AWS calls the token of the next page, in the members of JSON and in the elements of XML. Route 53 and S3 repeat the
/// caller's `Marker` in their answers; only IAM's is the next one.
const NEXT: [&str; 6] = ["position", "nextToken", "NextToken", "NextMarker", "PaginationToken", "Marker"];

/// Pages of one list, after which it is given up: 100 000 functions, a million REST APIs.
const MOST_PAGES: u32 = 2_000;

/// Bounds the answers of a client, and looks at those to its reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Sound {
    /// Pages in a row that were not the last, by operation.
    pages: Arc<Mutex<BTreeMap<String, u32>>>,
}

/// What was sent: where the token of the page is in.
#[derive(Debug)]
struct Sent(String);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Sound {
    fn name(&self) -> &'static str {
        "Sound"
    }

    // The request is gone when its answer is there.
    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if cfg.load::<Metadata>().is_some_and(|call| is_read(call.name())) {
            let request = context.request();
            let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
            let sent = Sent(format!("{} {body}", request.uri()));
            cfg.interceptor_state().store_put(sent);
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = std::mem::replace(body, SdkBody::taken());
        // What is in memory is there already.
        *body = if whole.bytes().is_some() { whole } else { SdkBody::from_body_1_x(Bounded::new(whole)) };
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(call), Ok(_)) = (cfg.load::<Metadata>(), context.output_or_error()) else { return Ok(()) };
        let Some(body) = context.response().body().bytes().filter(|_| is_read(call.name())) else { return Ok(()) };
        let next = check(call.service(), call.name(), body)?;
        let sent = cfg.load::<Sent>().map_or("", |sent| sent.0.as_str());
        self.turn_page(call.name(), sent, next.as_deref()).map_err(Into::into)
    }
}

impl Sound {
    /// Refuses a list that leads to where it is, or nowhere.
    fn turn_page(&self, operation: &str, sent: &str, next: Option<&str>) -> Result<(), String> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(next) = next else {
            pages.remove(operation);
            return Ok(());
        };
        if !leads_on(sent, next) {
            return Err(format!("the answer to {operation} names itself as its next page"));
        }
        // Events are found page by page, most of them empty, for as long as somebody wants to wait.
        if operation.starts_with("Filter") || operation.starts_with("Lookup") {
            return Ok(());
        }
        let count = pages.entry(operation.to_owned()).or_default();
        *count += 1;
        if *count > MOST_PAGES {
            return Err(format!("the answers to {operation} have not come to an end after {MOST_PAGES} pages"));
        }
        Ok(())
    }
}

/// Whether a token is another one than that which was sent.
fn leads_on(sent: &str, next: &str) -> bool {
    let encoded: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let spaced = encoded.replace('+', "%20");
    let forms = [next, &encoded, &spaced];
    let before = |at: usize| sent[..at].ends_with(['=', '"', '>']);
    let after = |at: usize| matches!(sent[at..].chars().next(), None | Some('&' | '"' | '<' | ' '));
    !forms.iter().any(|token| sent.match_indices(*token).any(|(at, _)| before(at) && after(at + token.len())))
}

fn too_large() -> String {
    format!("the answer has more than {LARGEST} bytes")
}

/// Refuses the body of a good answer that is not what the operation answers. The token of the next page, if there is one.
fn check(service: &str, operation: &str, body: &[u8]) -> Result<Option<String>, String> {
    match body.first() {
        None => Err(format!("the answer to {operation} is empty")),
        Some(b'<') => Ok(next_in_xml(service, body)),
        Some(b'{') => {
            // The SDK has parsed it.
            let answer: Value = serde_json::from_slice(body).unwrap_or_default();
            if let Some((.., list, items)) = HOLDS.iter().find(|(of, name, ..)| (*of, *name) == (service, operation)) {
                holds(&answer, list, items).map_err(|what| format!("the answer to {operation} has {what}"))?;
            }
            let token = |name: &&str| answer.get(name)?.as_str().filter(|token| !token.is_empty()).map(str::to_owned);
            Ok(NEXT.iter().find_map(token))
        }
        // CBOR.
        _ => Ok(None),
    }
}

/// Refuses an answer without the list, or the one thing, or with an item that lacks what AWS writes of each: an item that nothing tells
/// from others would be taken for another one, and for one to be replaced.
fn holds(answer: &Value, list: &str, items: &[&str]) -> Result<(), String> {
    let list = match &answer[list] {
        Value::Null => return Err(format!("no `{list}`")),
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let known = |item: &Value, member: &str| match &item[member] {
        Value::String(text) => !text.is_empty(),
        value => !value.is_null(),
    };
    match list.iter().find_map(|item| items.iter().find(|member| !known(item, member))) {
        Some(member) => Err(format!("an item without `{member}`")),
        None => Ok(()),
    }
}

fn next_in_xml(service: &str, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let names = NEXT.iter().filter(|name| **name != "Marker" || service == "IAM");
    let inner = |name: &&str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(token, _)| token.to_owned()).filter(|token| !token.is_empty())
    };
    names.copied().find_map(|name| inner(&name))
}

/// A body that ends, or is given up.
struct Bounded {
    body: SdkBody,
    left: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Bounded {
    fn new(body: SdkBody) -> Self {
        Self { body, left: LARGEST, deadline: Box::pin(sleep(LONGEST)) }
    }
}

impl Body for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.deadline.as_mut().poll(context).is_ready() {
            let text = format!("the answer has not come to its end within {} seconds", LONGEST.as_secs());
            return Poll::Ready(Some(Err(text.into())));
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        let length = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len)).unwrap_or(0);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(frame)
            }
            None => Poll::Ready(Some(Err(too_large().into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(service: &str, operation: &str, body: &str) -> Result<Option<String>, String> {
        check(service, operation, body.as_bytes())
    }

    #[test]
    fn what_does_not_say_that_there_is_nothing_does_not_mean_it() {
        let apis = |body: &str| said("API Gateway", "GetRestApis", body);
        assert_eq!(apis(r#"{"item":[]}"#), Ok(None));
        assert_eq!(apis(""), Err("the answer to GetRestApis is empty".into()));
        for body in ["{}", r#"{"item":null}"#, r#"{"items":[]}"#] {
            assert_eq!(apis(body), Err("the answer to GetRestApis has no `item`".into()), "{body}");
        }
        let nameless = r#"{"item":[{"id":"a","name":"b"},{"id":"c"}]}"#;
        assert_eq!(apis(nameless), Err("the answer to GetRestApis has an item without `name`".into()));
        assert_eq!(said("WAFV2", "GetWebACLForResource", "{}"), Ok(None));
    }

    #[test]
    fn tokens_are_found_in_both_forms() {
        let found = |service: &str, operation: &str, body: &str| said(service, operation, body).unwrap();
        assert_eq!(found("API Gateway", "GetVpcLinks", r#"{"item":[],"position":"a"}"#).as_deref(), Some("a"));
        assert_eq!(found("Lambda", "ListTags", r#"{"NextMarker":""}"#), None);
        assert_eq!(found("IAM", "ListRoles", "<R><Marker>m</Marker></R>").as_deref(), Some("m"));
        // Route 53 repeats the caller's.
        assert_eq!(found("Route 53", "ListHostedZones", "<R><Marker>m</Marker></R>"), None);
        assert_eq!(found("CloudWatch", "DescribeAlarms", "\u{bf}"), None);
    }

    #[test]
    fn a_list_that_leads_to_itself_or_nowhere_is_given_up() {
        assert!(!leads_on("https://h/restapis?position=a%3D%3D&limit=1 ", "a=="));
        assert!(!leads_on(r#"https://h/ {"nextToken":"a b"}"#, "a b"));
        assert!(leads_on(r#"https://h/ {"nextToken":"abc"}"#, "b"));
        assert!(leads_on("https://h/restapis?limit=500 ", "500x"));
        let sound = Sound::default();
        for page in 0..MOST_PAGES {
            assert_eq!(sound.turn_page("ListTags", "", Some(&page.to_string())), Ok(()));
        }
        assert!(sound.turn_page("ListTags", "", Some("x")).unwrap_err().contains("2000 pages"));
        assert_eq!(sound.turn_page("ListTags", "", None), Ok(()));
        assert_eq!(sound.turn_page("ListTags", "", Some("x")), Ok(()));
    }

    async fn read(body: impl Body<Data = Bytes, Error = BoxError> + Send + Sync + 'static) -> Result<usize, String> {
        use http_body_util::BodyExt as _;
        let collected = Bounded::new(SdkBody::from_body_1_x(body)).collect().await;
        collected.map(|all| all.to_bytes().len()).map_err(|error| error.to_string())
    }

    /// A body of so many chunks of a mebibyte, one each so often.
    fn chunks(count: usize, pause: Duration) -> impl Body<Data = Bytes, Error = BoxError> + Send + Sync {
        let chunk = Bytes::from(vec![b' '; 1 << 20]);
        let stream = futures::stream::unfold(0, move |at| {
            let chunk = chunk.clone();
            async move {
                tokio::time::sleep(pause).await;
                (at < count).then(|| (Ok::<_, BoxError>(Frame::data(chunk)), at + 1))
            }
        });
        http_body_util::StreamBody::new(Box::pin(futures::StreamExt::fuse(stream)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_ends_or_is_given_up() {
        assert_eq!(read(chunks(3, Duration::ZERO)).await, Ok(3 << 20));
        assert_eq!(read(chunks(usize::MAX, Duration::ZERO)).await, Err(too_large()));
        let dripping = read(chunks(usize::MAX, Duration::from_secs(10))).await.unwrap_err();
        assert!(dripping.contains("within 180 seconds"), "{dripping}");
    }
}
