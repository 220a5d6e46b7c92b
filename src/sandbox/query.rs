//! The query protocol of IAM, STS and load balancers: a form in, XML out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::fault::{Answer, Fault, Protocol, missing, violation};
use super::wire::{Request, Response};
use super::xml::Xml;

/// What tells one query service from another on the wire.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The XML namespace of its answers.
    pub(crate) namespace: &'static str,
    /// The version of its API.
    pub(crate) version: &'static str,
}

/// One call: the action and its parameters.
#[derive(Debug)]
pub(crate) struct Call {
    parameters: BTreeMap<String, String>,
}

impl Call {
    /// The call in the body of a POST, or in the query string of a GET.
    pub(crate) fn of(request: &Request) -> Self {
        let mut parameters: BTreeMap<String, String> = request.query.iter().cloned().collect();
        parameters.extend(form_urlencoded::parse(&request.body).into_owned());
        Self { parameters }
    }

    /// The name of the operation.
    pub(crate) fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// All parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A parameter that has to be there.
    pub(crate) fn need(&self, name: &str) -> Answer<&str> {
        self.get(name).ok_or_else(|| invalid(missing(&member(name))))
    }

    /// A whole number within a range.
    pub(crate) fn number(&self, name: &str, low: u32, high: u32) -> Answer<Option<u32>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let Ok(number) = text.parse::<i64>() else {
            return Err(Fault::new(400, "MalformedInput", format!("{name} must be an integer, but is '{text}'")));
        };
        if number < i64::from(low) {
            let constraint = format!("Member must have value greater than or equal to {low}");
            return Err(invalid(violation(text, &member(name), &constraint)));
        }
        u32::try_from(number).ok().filter(|number| *number <= high).map(Some).ok_or_else(|| {
            invalid(violation(text, &member(name), &format!("Member must have value less than or equal to {high}")))
        })
    }

    /// The strings of a list: `TagKeys.member.1`, `.2`, …
    pub(crate) fn strings(&self, list: &str) -> Vec<String> {
        (1..).map_while(|at| self.get(&format!("{list}.member.{at}")).map(str::to_owned)).collect()
    }

    /// The pairs of a list of tags: `Tags.member.1.Key`, `Tags.member.1.Value`, …
    pub(crate) fn tags(&self, list: &str) -> Vec<(String, String)> {
        (1..)
            .map_while(|at| {
                let key = self.get(&format!("{list}.member.{at}.Key"));
                let value = self.get(&format!("{list}.member.{at}.Value"));
                (key.is_some() || value.is_some())
                    .then(|| (key.unwrap_or_default().to_owned(), value.unwrap_or_default().to_owned()))
            })
            .collect()
    }

    /// Refuses a version of the API that does not exist.
    pub(crate) fn check_version(&self, dialect: &Dialect) -> Answer<()> {
        let version = self.get("Version").unwrap_or_default();
        if version == dialect.version && !self.action().is_empty() { Ok(()) } else { Err(self.unknown(version)) }
    }

    /// The fault for an operation that is not here.
    pub(crate) fn unknown(&self, version: &str) -> Fault {
        Fault::new(
            400,
            "InvalidAction",
            format!("Could not find operation {} for version {version} in the sandbox", self.action()),
        )
    }

    /// The answer: a result, nothing to say, or a fault.
    pub(crate) fn respond(&self, dialect: &Dialect, request: &Request, answer: Answer<Option<Xml>>) -> Response {
        let result = match answer {
            Ok(result) => result,
            Err(fault) => return fault.wrapped(Protocol::Query, Some(dialect.namespace), request.id()),
        };
        let mut xml = Xml::new();
        xml.root(&format!("{}Response", self.action()), Some(dialect.namespace), |xml| {
            if let Some(result) = &result {
                xml.node(&format!("{}Result", self.action()), |xml| xml.append(result));
            }
            xml.node("ResponseMetadata", |xml| xml.leaf("RequestId", request.id()));
        });
        xml.response(200)
    }

    /// The page of a sorted list that `Marker` and `MaxItems` ask for, and the marker of the page after it.
    pub(crate) fn page<T>(&self, items: Vec<(String, T)>) -> Answer<(Vec<T>, Option<String>)> {
        let size = self.number("MaxItems", 1, 1000)?.unwrap_or(100) as usize;
        let after = self.get("Marker").map(unmark).transpose()?;
        let mut page = Vec::new();
        let mut last = String::new();
        for (key, item) in items {
            if after.as_ref().is_some_and(|after| key <= *after) {
                continue;
            }
            if page.len() == size {
                return Ok((page, Some(BASE64.encode(last))));
            }
            last = key;
            page.push(item);
        }
        Ok((page, None))
    }
}

/// Writes the end of a paged answer.
pub(crate) fn end_page(xml: &mut Xml, marker: Option<&str>) {
    xml.leaf("IsTruncated", if marker.is_some() { "true" } else { "false" });
    if let Some(marker) = marker {
        xml.leaf("Marker", marker);
    }
}

/// IAM's and STS's fault for a value outside its model.
pub(crate) fn invalid(message: String) -> Fault {
    Fault::new(400, "ValidationError", message)
}

/// Refuses a text that is too short, too long, or has characters it may not have.
pub(crate) fn check(
    name: &str,
    text: &str,
    length: (usize, usize),
    pattern: &str,
    allowed: fn(char) -> bool,
) -> Answer<()> {
    let count = text.chars().count();
    let constraint = if count < length.0 {
        format!("Member must have length greater than or equal to {}", length.0)
    } else if count > length.1 {
        format!("Member must have length less than or equal to {}", length.1)
    } else if !text.chars().all(allowed) {
        format!("Member must satisfy regular expression pattern: {pattern}")
    } else {
        return Ok(());
    };
    Err(invalid(violation(text, &member(name), &constraint)))
}

/// The name of a member as messages write it: `RoleName` → `roleName`.
fn member(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn unmark(marker: &str) -> Answer<String> {
    BASE64
        .decode(marker)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| invalid("Invalid Marker.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(pairs: &[(&str, &str)]) -> Call {
        Call { parameters: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect() }
    }

    #[test]
    fn pages_follow_their_markers_to_the_end() {
        let items = || ["a", "b", "c"].map(|key| (key.to_owned(), key)).to_vec();
        let (first, marker) = call(&[("MaxItems", "2")]).page(items()).unwrap();
        assert_eq!(first, ["a", "b"]);
        let (second, end) = call(&[("MaxItems", "2"), ("Marker", &marker.unwrap())]).page(items()).unwrap();
        assert_eq!((second, end), (vec!["c"], None));
        assert!(call(&[("Marker", "?")]).page(items()).is_err());
    }

    #[test]
    fn a_number_out_of_range_is_refused_in_awss_words() {
        let fault = call(&[("MaxItems", "0")]).number("MaxItems", 1, 1000).unwrap_err();
        assert_eq!(
            fault.message,
            "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: \
             Member must have value greater than or equal to 1"
        );
        assert!(call(&[("MaxItems", "1001")]).number("MaxItems", 1, 1000).is_err());
        assert_eq!(call(&[("MaxItems", "x")]).number("MaxItems", 1, 1000).unwrap_err().code, "MalformedInput");
    }

    #[test]
    fn tags_are_read_in_order_until_the_first_gap() {
        let call = call(&[
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", "1"),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.4.Key", "lost"),
        ]);
        assert_eq!(call.tags("Tags"), [("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
    }
}
