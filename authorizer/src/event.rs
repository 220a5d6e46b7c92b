//! The REQUEST event that API Gateway sends.

use serde_json::Value;

use crate::arn::MethodArn;
use crate::denial::{Cause, Denial};

/// A REQUEST event, read where it stands. A field of the wrong type is the same as a missing one.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a>(&'a Value);

impl<'a> Event<'a> {
    /// Wraps the payload, if it is a REQUEST event.
    pub(crate) fn read(payload: &'a Value) -> Result<Self, Denial> {
        let kind = payload.get("type").and_then(Value::as_str);
        let no = || Denial::failed(Cause::Event, "the event is not one of a REQUEST authorizer");
        (kind == Some("REQUEST")).then_some(Self(payload)).ok_or_else(no)
    }

    /// What an Allow covers: the stage if API Gateway keeps the answer, the called method otherwise.
    pub(crate) fn resource(self, cached: bool) -> Result<String, Denial> {
        let arn = self.0.get("methodArn").and_then(Value::as_str).and_then(MethodArn::read);
        let resource = arn.and_then(|arn| if cached { arn.stage() } else { arn.method() });
        resource.ok_or(Denial::failed(Cause::Event, "the event has no usable methodArn"))
    }

    /// Every value of a header, under whatever spelling of its name. `headers` holds only the last value of a header
    /// that the client repeated, `multiValueHeaders` all of them; a value that stands in both counts once.
    pub(crate) fn header(self, name: &str) -> Vec<&'a str> {
        let mut values: Vec<&str> = self
            .fields("multiValueHeaders", name)
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for value in self.fields("headers", name).filter_map(Value::as_str) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    fn fields(self, map: &str, name: &str) -> impl Iterator<Item = &'a Value> {
        let entries = self.0.get(map).and_then(Value::as_object).into_iter().flatten();
        entries.filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::Event;
    use serde_json::json;

    #[test]
    fn header_names_have_no_case_and_repeats_are_all_seen() {
        let payload = json!({
            "type": "REQUEST",
            "headers": {"AUTHORIZATION": "b", "x-one": "1", "X-Other": "only here"},
            "multiValueHeaders": {"Authorization": ["a", "b"], "X-One": ["1"]},
        });
        let event = Event::read(&payload).unwrap();
        assert_eq!(event.header("authorization"), ["a", "b"]);
        assert_eq!(event.header("x-ONE"), ["1"]);
        assert_eq!(event.header("x-other"), ["only here"]);
        assert!(event.header("x-none").is_empty());
    }

    #[test]
    fn a_repeat_with_the_same_value_still_counts_twice() {
        let payload = json!({"type": "REQUEST", "multiValueHeaders": {"a": ["x", "x"]}, "headers": {"a": "x"}});
        assert_eq!(Event::read(&payload).unwrap().header("a"), ["x", "x"]);
    }

    #[test]
    fn odd_shapes_are_the_same_as_nothing() {
        let payload = json!({"type": "REQUEST", "headers": null, "multiValueHeaders": {"a": "x", "b": [1, null]}});
        let event = Event::read(&payload).unwrap();
        assert!(event.header("a").is_empty() && event.header("b").is_empty());
        assert!(event.resource(true).is_err());
        for payload in [json!(null), json!([]), json!({}), json!({"type": "TOKEN"}), json!({"type": 1})] {
            assert!(Event::read(&payload).is_err(), "{payload}");
        }
    }
}
