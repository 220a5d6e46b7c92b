//! Ways to spoil an answer, made from the answer itself: each member left out, null, of another type; each list doubled;
//! and the whole of it replaced by what a proxy, a cut connection or another server would send.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::transport::{Answer, Change, with_body};

/// One way to spoil an answer.
#[derive(Clone)]
pub(crate) struct Way {
    /// In words.
    pub(crate) label: String,
    /// What is done to the part of the answer.
    pub(crate) deed: Deed,
    pub(crate) change: Change,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A member is left out.
    Without,
    /// A member is null, or an empty element.
    Null,
    /// A member is of another type.
    OtherType,
    /// The items of a list come twice.
    Doubled,
    /// The whole answer is another one.
    Whole,
}

/// The page of a proxy that wants a login.
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome to the network</body></html>";

/// The account of somebody else.
const STRANGER: &str = "999988887777";

/// All ways to spoil an answer of that account.
pub(crate) fn ways(answer: &Answer, account: &str) -> Vec<Way> {
    let mut ways = whole(answer, account);
    match answer.body.first() {
        Some(b'{') => ways.extend(of_json(&serde_json::from_slice(&answer.body).unwrap())),
        Some(b'<') => ways.extend(of_xml(&String::from_utf8(answer.body.clone()).unwrap())),
        _ => {}
    }
    ways
}

fn way(label: impl Into<String>, deed: Deed, body: impl Into<Vec<u8>>) -> Way {
    let body: Vec<u8> = body.into();
    Way { label: label.into(), deed, change: Arc::new(move |answer| with_body(answer, SdkBody::from(body.clone()))) }
}

/// What needs no look into the answer.
fn whole(answer: &Answer, account: &str) -> Vec<Way> {
    let half = answer.body[..answer.body.len() / 2].to_vec();
    let mut ways: Vec<Way> = [
        ("an empty body", Vec::new()),
        ("`{}`", b"{}".to_vec()),
        ("`null`", b"null".to_vec()),
        ("`[]`", b"[]".to_vec()),
        ("a text", b"\"yes\"".to_vec()),
        ("an empty element", b"<Response/>".to_vec()),
        ("NUL and bytes that are no UTF-8", b"{\"\0\":\xff\xfe}".to_vec()),
        ("brackets without end", vec![b'['; 100_000]),
        ("objects without end", b"{\"a\":".repeat(100_000)),
        ("elements without end", b"<a>".repeat(100_000)),
        ("its first half", half),
    ]
    .into_iter()
    .map(|(label, body)| way(label, Deed::Whole, body))
    .collect();
    let page: Change = Arc::new(|answer| {
        let mut answer = with_body(answer, SdkBody::from(PAGE));
        answer.headers_mut().insert("content-type", "text/html");
        answer
    });
    ways.push(Way { label: "the page of a proxy".into(), deed: Deed::Whole, change: page });
    for status in [204_u16, 301, 307, 418] {
        let change: Change = Arc::new(move |answer| {
            let mut other = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
            *other.headers_mut() = with_body(answer, SdkBody::empty()).headers().clone();
            other.headers_mut().insert("location", "https://elsewhere.example.com/");
            other
        });
        ways.push(Way { label: format!("status {status}"), deed: Deed::Whole, change });
    }
    if let Ok(text) = std::str::from_utf8(&answer.body)
        && text.contains(account)
    {
        ways.push(way("another account", Deed::Whole, text.replace(account, STRANGER)));
    }
    ways
}

fn of_json(body: &Value) -> Vec<Way> {
    let mut places = Vec::new();
    list(body, String::new(), &mut places);
    let mut ways = Vec::new();
    for at in places.iter().filter(|at| !at.is_empty()) {
        let (holder, name) = at.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/").replace("~0", "~");
        let value = body.pointer(at).unwrap();
        let put = |new: Value| {
            let mut spoilt = body.clone();
            *spoilt.pointer_mut(at).unwrap() = new;
            spoilt.to_string()
        };
        if body.pointer(holder).unwrap().is_object() {
            let mut spoilt = body.clone();
            spoilt.pointer_mut(holder).unwrap().as_object_mut().unwrap().remove(&name);
            ways.push(way(format!("without {at}"), Deed::Without, spoilt.to_string()));
        }
        if !value.is_null() {
            ways.push(way(format!("{at} null"), Deed::Null, put(Value::Null)));
        }
        for other in [json!("many"), json!(7), json!({ "a": [] }), json!([{}])] {
            if std::mem::discriminant(value) != std::mem::discriminant(&other) {
                ways.push(way(format!("{at} is {other}"), Deed::OtherType, put(other)));
            }
        }
        if let Value::Array(items) = value
            && !items.is_empty()
        {
            ways.push(way(format!("{at} twice"), Deed::Doubled, put([items.clone(), items.clone()].concat().into())));
        }
    }
    ways
}

/// The pointers of a value and of all in it.
fn list(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                list(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            // The others are of the same make.
            let looked = if crate::all() { items.len() } else { 1 };
            for (index, item) in items.iter().enumerate().take(looked) {
                list(item, format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

/// An element: its path of names, where it stands, and what is in it.
struct Element {
    path: String,
    whole: std::ops::Range<usize>,
    inner: std::ops::Range<usize>,
}

fn of_xml(body: &str) -> Vec<Way> {
    let mut ways = Vec::new();
    for Element { path, whole, inner } in elements(body).into_iter().filter(|element| element.whole.start > 0) {
        let with =
            |range: &std::ops::Range<usize>, new: &str| format!("{}{new}{}", &body[..range.start], &body[range.end..]);
        ways.push(way(format!("without {path}"), Deed::Without, with(&whole, "")));
        if !inner.is_empty() {
            ways.push(way(format!("{path} empty"), Deed::Null, with(&inner, "")));
            ways.push(way(format!("{path} is `many`"), Deed::OtherType, with(&inner, "many")));
            ways.push(way(format!("{path} is an element"), Deed::OtherType, with(&inner, "<a/>")));
        }
        ways.push(way(format!("{path} twice"), Deed::Doubled, with(&whole, &body[whole.clone()].repeat(2))));
    }
    ways
}

/// The elements of a text that a machine wrote: no comments, no character data sections.
fn elements(body: &str) -> Vec<Element> {
    let (mut found, mut open, mut at) = (Vec::new(), Vec::<(String, usize, usize)>::new(), 0);
    while let Some(start) = body[at..].find('<').map(|next| at + next) {
        let end = start + body[start..].find('>').expect("a tag ends") + 1;
        let tag = &body[start + 1..end - 1];
        at = end;
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if tag.starts_with('/') {
            let path = open.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join("/");
            let (_, first, inner) = open.pop().expect("an element is open");
            found.push(Element { path, whole: first..end, inner: inner..start });
            continue;
        }
        let name = tag.trim_end_matches('/').split_whitespace().next().unwrap_or_default().to_owned();
        if tag.ends_with('/') {
            let mut path: Vec<&str> = open.iter().map(|(name, ..)| name.as_str()).collect();
            path.push(&name);
            found.push(Element { path: path.join("/"), whole: start..end, inner: end..end });
        } else {
            open.push((name, start, end));
        }
    }
    found
}
