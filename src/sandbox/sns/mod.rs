//! SNS in the sandbox: standard topics, their tags, and what was published to them, over the query protocol, version
//! 2010-03-31.
//!
//! Nothing is delivered: there are no subscriptions. What was published is kept with its topic, so that tests can read it
//! ([`State::published`]). FIFO topics, attributes of messages and batches are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::{Answer, Fault};
use super::query::{Call, Dialect};
use super::wire::{Caller, Request, Response};
use super::world::View;
use super::xml::Xml;

const DIALECT: Dialect = Dialect { namespace: "http://sns.amazonaws.com/doc/2010-03-31/", version: "2010-03-31" };

/// The longest message in bytes (API reference of Publish: 256 KB).
const LONGEST: usize = 256 * 1024;

/// Messages of a topic that are kept.
const KEPT: usize = 100;

/// Topics a page (API reference of `ListTopics`).
const PAGE: usize = 100;

/// Topics of one Region of one account, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    topics: BTreeMap<String, Topic>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Topic {
    tags: BTreeMap<String, String>,
    published: Vec<Message>,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The subject, if it has one.
    pub subject: Option<String>,
    /// The text.
    pub text: String,
}

impl State {
    /// What was published to the topic of a name, the oldest first.
    #[must_use]
    pub fn published(&self, topic: &str) -> &[Message] {
        self.topics.get(topic).map_or(&[], |topic| &topic.published)
    }

    /// The ARNs of all topics that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self, caller: &Caller) -> Vec<(String, BTreeMap<String, String>)> {
        let tagged = self.topics.iter().filter(|(_, topic)| !topic.tags.is_empty());
        tagged.map(|(name, topic)| (arn(name, caller), topic.tags.clone())).collect()
    }

    fn topic(&mut self, arn: &str, caller: &Caller) -> Answer<&mut Topic> {
        let own = self::arn("", caller);
        let Some(name) = arn.strip_prefix(&own).filter(|name| !name.is_empty() && !name.contains(':')) else {
            return Err(invalid("Invalid parameter: TopicArn"));
        };
        self.topics.get_mut(name).ok_or_else(|| Fault::new(404, "NotFound", "Topic does not exist"))
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let call = Call::of(request);
    let answer = call.check_version(&DIALECT).and_then(|()| act(view, &request.caller, &call));
    call.respond(&DIALECT, request, answer)
}

fn act(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    match call.action() {
        "CreateTopic" => create(&mut view.region.sns, caller, call),
        "DeleteTopic" => delete(&mut view.region.sns, caller, call),
        "ListTopics" => list(&view.region.sns, caller, call),
        "GetTopicAttributes" => attributes(&mut view.region.sns, caller, call),
        "Publish" => publish(view, caller, call),
        "TagResource" => tag(&mut view.region.sns, caller, call),
        "UntagResource" => untag(&mut view.region.sns, caller, call),
        "ListTagsForResource" => tags(&mut view.region.sns, caller, call),
        _ => Err(call.unknown(DIALECT.version)),
    }
}

/// Making a topic that is there gives its ARN, unless its tags are others (API reference of `CreateTopic`).
fn create(state: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let name = needed(call, "Name")?;
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if name.is_empty() || name.len() > 256 || !name.bytes().all(letters) {
        return Err(invalid("Invalid parameter: Topic Name"));
    }
    if let Some((parameter, _)) = call.parameters().find(|(name, _)| name.starts_with("Attributes.")) {
        return Err(invalid(format!("The sandbox's SNS does not support {parameter}")));
    }
    let tags = checked(call.tags("Tags"))?;
    match state.topics.get(name) {
        Some(topic) if topic.tags != tags && !tags.is_empty() => {
            return Err(invalid("Invalid parameter: Tags Reason: Topic already exists with different tags"));
        }
        Some(_) => {}
        None => drop(state.topics.insert(name.to_owned(), Topic { tags, published: Vec::new() })),
    }
    let mut xml = Xml::new();
    xml.leaf("TopicArn", arn(name, caller));
    Ok(Some(xml))
}

/// Deleting a topic that is not there is no error (API reference of `DeleteTopic`).
fn delete(state: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let topic = needed(call, "TopicArn")?;
    let Some(name) = topic.strip_prefix(&arn("", caller)) else { return Err(invalid("Invalid parameter: TopicArn")) };
    state.topics.remove(name);
    Ok(None)
}

// One of several answers of one type.
#[allow(clippy::unnecessary_wraps)]
fn list(state: &State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let after = call.get("NextToken").unwrap_or_default();
    let mut rest = state.topics.keys().filter(|name| name.as_str() > after);
    let page: Vec<&String> = rest.by_ref().take(PAGE).collect();
    let mut xml = Xml::new();
    xml.node("Topics", |xml| {
        for name in &page {
            xml.node("member", |xml| xml.leaf("TopicArn", arn(name, caller)));
        }
    });
    if let (Some(last), Some(_)) = (page.last(), rest.next()) {
        xml.leaf("NextToken", last);
    }
    Ok(Some(xml))
}

fn attributes(state: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let topic = needed(call, "TopicArn")?;
    state.topic(topic, caller)?;
    let mut xml = Xml::new();
    xml.node("Attributes", |xml| {
        let all = [
            ("TopicArn", topic),
            ("Owner", &caller.account),
            ("DisplayName", ""),
            ("SubscriptionsConfirmed", "0"),
            ("SubscriptionsPending", "0"),
            ("SubscriptionsDeleted", "0"),
        ];
        for (name, value) in all {
            xml.node("entry", |xml| {
                xml.leaf("key", name);
                xml.leaf("value", value);
            });
        }
    });
    Ok(Some(xml))
}

fn publish(view: &mut View<'_>, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let message = needed(call, "Message")?.to_owned();
    for parameter in ["TargetArn", "PhoneNumber", "MessageStructure", "MessageGroupId", "MessageDeduplicationId"] {
        if call.get(parameter).is_some() {
            return Err(invalid(format!("The sandbox's SNS does not support {parameter}")));
        }
    }
    if call.parameters().any(|(name, _)| name.starts_with("MessageAttributes.")) {
        return Err(invalid("The sandbox's SNS does not support MessageAttributes"));
    }
    if message.is_empty() {
        return Err(invalid("Invalid parameter: Empty message"));
    }
    if message.len() > LONGEST {
        return Err(invalid("Invalid parameter: Message too long"));
    }
    let subject = call.get("Subject").map(str::to_owned);
    // "Must be ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or control
    // characters; and must be less than 100 characters long" (API reference of Publish). 100 are taken, as reported.
    let fits = |text: &String| {
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_graphic());
        begins && text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    };
    if subject.as_ref().is_some_and(|text| !fits(text)) {
        return Err(invalid("Invalid parameter: Subject"));
    }
    let topic = needed(call, "TopicArn")?.to_owned();
    view.region.sns.topic(&topic, caller)?;
    let id = view.new_uuid();
    let topic = view.region.sns.topic(&topic, caller)?;
    topic.published.push(Message { id: id.clone(), subject, text: message });
    let over = topic.published.len().saturating_sub(KEPT);
    topic.published.drain(..over);
    let mut xml = Xml::new();
    xml.leaf("MessageId", id);
    Ok(Some(xml))
}

fn tag(state: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let new = checked(call.tags("Tags"))?;
    let topic = tagged_topic(state, caller, call)?;
    let mut all = topic.tags.clone();
    all.extend(new);
    topic.tags = limited(all)?;
    Ok(Some(Xml::new()))
}

fn untag(state: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let keys = call.strings("TagKeys");
    tagged_topic(state, caller, call)?.tags.retain(|key, _| !keys.contains(key));
    Ok(Some(Xml::new()))
}

fn tags(state: &mut State, caller: &Caller, call: &Call) -> Answer<Option<Xml>> {
    let topic = tagged_topic(state, caller, call)?;
    let mut xml = Xml::new();
    xml.node("Tags", |xml| {
        for (key, value) in &topic.tags {
            xml.node("member", |xml| {
                xml.leaf("Key", key);
                xml.leaf("Value", value);
            });
        }
    });
    Ok(Some(xml))
}

fn tagged_topic<'s>(state: &'s mut State, caller: &Caller, call: &Call) -> Answer<&'s mut Topic> {
    let arn = needed(call, "ResourceArn")?;
    state.topic(arn, caller).map_err(|fault| match fault.code.as_str() {
        "NotFound" => Fault::new(404, "ResourceNotFound", "Resource does not exist"),
        _ => invalid("Invalid parameter: ResourceArn"),
    })
}

fn checked(pairs: Vec<(String, String)>) -> Answer<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !fits || key.to_ascii_lowercase().starts_with("aws:") || tags.insert(key, value).is_some() {
            return Err(invalid("Invalid parameter: Tags"));
        }
    }
    limited(tags)
}

fn limited(tags: BTreeMap<String, String>) -> Answer<BTreeMap<String, String>> {
    if tags.len() > 50 {
        return Err(Fault::new(
            400,
            "TagLimitExceeded",
            "Could not complete request: tag quota of per resource exceeded",
        ));
    }
    Ok(tags)
}

fn needed<'c>(call: &'c Call, name: &str) -> Answer<&'c str> {
    call.get(name).ok_or_else(|| invalid(format!("Invalid parameter: {name}")))
}

fn arn(name: &str, caller: &Caller) -> String {
    format!("arn:{}:sns:{}:{}:{name}", caller.partition(), caller.region, caller.account)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidParameter", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Sandbox;

    fn ask(sandbox: &Sandbox, parameters: &[(&str, &str)]) -> (u16, String) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Version", DIALECT.version).extend_pairs(parameters);
        let response = sandbox.handle(Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
            body: form.finish().into_bytes().into(),
            caller: Caller {
                account: "123456789012".into(),
                region: "cn-north-1".into(),
                service: "sns".into(),
                access_key: "123456789012".into(),
            },
        });
        (response.status, String::from_utf8(response.body.to_vec()).unwrap())
    }

    const TOPIC: &str = "arn:aws-cn:sns:cn-north-1:123456789012:drift";

    #[test]
    fn what_is_published_is_kept_with_its_topic() {
        let sandbox = Sandbox::in_memory();
        let publish = |subject: &str, message: &str| {
            ask(&sandbox, &[("Action", "Publish"), ("TopicArn", TOPIC), ("Subject", subject), ("Message", message)])
        };
        assert_eq!(publish("s", "m").0, 404);
        for _ in 0..2 {
            let (status, body) = ask(&sandbox, &[("Action", "CreateTopic"), ("Name", "drift")]);
            assert!(status == 200 && body.contains(TOPIC), "{body}");
        }
        assert_eq!(publish("two words", "message").0, 200);
        let world = sandbox.world().unwrap();
        let kept = world.accounts["123456789012"].regions["cn-north-1"].sns.published("drift").to_vec();
        assert_eq!((kept[0].subject.as_deref(), kept[0].text.as_str()), (Some("two words"), "message"));
        for subject in [&"x".repeat(101), " x", "é", "a\nb", ""] {
            assert_eq!(publish(subject, "m").0, 400, "{subject}");
        }
        assert_eq!(publish("x", &"x".repeat(LONGEST + 1)).0, 400);
        assert!(ask(&sandbox, &[("Action", "ListTopics")]).1.contains(TOPIC));
        assert_eq!(ask(&sandbox, &[("Action", "Subscribe"), ("TopicArn", TOPIC)]).0, 400);
    }

    #[test]
    fn topics_have_tags() {
        let sandbox = Sandbox::in_memory();
        let tagged =
            [("Action", "CreateTopic"), ("Name", "drift"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")];
        assert_eq!(ask(&sandbox, &tagged).0, 200);
        let list = [("Action", "ListTagsForResource"), ("ResourceArn", TOPIC)];
        assert!(ask(&sandbox, &list).1.contains("<Key>a</Key><Value>1</Value>"));
        let untag = [("Action", "UntagResource"), ("ResourceArn", TOPIC), ("TagKeys.member.1", "a")];
        assert_eq!(ask(&sandbox, &untag).0, 200);
        assert!(!ask(&sandbox, &list).1.contains("<Key>"));
        assert_eq!(ask(&sandbox, &[("Action", "DeleteTopic"), ("TopicArn", TOPIC)]).0, 200);
        assert!(ask(&sandbox, &list).1.contains("ResourceNotFound"));
    }
}
