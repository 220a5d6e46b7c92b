//! The parts of a request that statements look at.

use std::borrow::Cow;

use serde_json::Value;

use super::Subject;
use super::statement::Truth;
use crate::sandbox::wafv2::rules::{FieldToMatch, InvalidBody, MatchScope, Oversize};

/// Bytes, and number, of headers or of cookies that are looked at (developer guide, "Oversize web request components").
const LIST_BYTES: usize = 8 * 1024;
const LIST_ITEMS: usize = 200;

/// A part of a request.
#[derive(Debug)]
pub(super) enum Field {
    Header(String),
    Argument(String),
    Arguments,
    Path,
    Query,
    Method,
    Body { limit: usize, oversize: Oversize },
    Json { limit: usize, oversize: Oversize, paths: Vec<String>, scope: MatchScope, invalid: Option<InvalidBody> },
    Headers(Listed),
    Cookies(Listed),
}

/// Some of the headers or cookies.
#[derive(Debug)]
pub(super) struct Listed {
    /// Only these, or all but these; all if there are none.
    names: Vec<String>,
    excluded: bool,
    scope: MatchScope,
    oversize: Oversize,
}

impl Field {
    pub(super) fn compile(field: &FieldToMatch, limit: usize) -> Option<Self> {
        // What a body or a list that is too large means if nothing is said: what was looked at decides.
        let or = |oversize: Option<Oversize>| oversize.unwrap_or(Oversize::Continue);
        let header = field.single_header.as_ref().map(|one| Self::Header(one.name.to_ascii_lowercase()));
        let argument = field.single_query_argument.as_ref().map(|one| Self::Argument(one.name.clone()));
        let body = field.body.as_ref().map(|body| Self::Body { limit, oversize: or(body.oversize_handling) });
        let json = field.json_body.as_ref().map(|json| Self::Json {
            limit,
            oversize: or(json.oversize_handling),
            paths: json.match_pattern.included_paths.clone(),
            scope: json.match_scope,
            invalid: json.invalid_fallback_behavior,
        });
        let listed = |included: &[String], excluded: &[String], scope: MatchScope, oversize: Oversize| Listed {
            names: included.iter().chain(excluded).cloned().collect(),
            excluded: included.is_empty(),
            scope,
            oversize,
        };
        let headers = field.headers.as_ref().map(|one| {
            let names = &one.match_pattern;
            let list = listed(&names.included_headers, &names.excluded_headers, one.match_scope, one.oversize_handling);
            Self::Headers(list)
        });
        let cookies = field.cookies.as_ref().map(|one| {
            let names = &one.match_pattern;
            let list = listed(&names.included_cookies, &names.excluded_cookies, one.match_scope, one.oversize_handling);
            Self::Cookies(list)
        });
        let plain = [
            (&field.all_query_arguments, Self::Arguments),
            (&field.uri_path, Self::Path),
            (&field.query_string, Self::Query),
            (&field.method, Self::Method),
        ];
        let plain = plain.into_iter().find(|(set, _)| set.is_some()).map(|(_, field)| field);
        header.or(argument).or(body).or(json).or(headers).or(cookies).or(plain)
    }

    /// Whether a piece of the part passes a test. A part that the request does not have passes none.
    pub(super) fn any(&self, subject: &Subject<'_>, test: &mut dyn FnMut(Cow<'_, [u8]>) -> bool) -> Truth {
        let found = match self {
            Self::Header(name) => {
                subject.headers.get_all(name.as_str()).iter().any(|value| test(Cow::Borrowed(value.as_bytes())))
            }
            Self::Argument(name) => arguments(subject.query)
                .any(|(key, value)| key.eq_ignore_ascii_case(name) && test(Cow::Borrowed(value.as_bytes()))),
            Self::Arguments => arguments(subject.query).any(|(_, value)| test(Cow::Borrowed(value.as_bytes()))),
            Self::Path => test(Cow::Borrowed(subject.path.as_bytes())),
            Self::Query => test(Cow::Borrowed(subject.query.as_bytes())),
            Self::Method => test(Cow::Borrowed(subject.method.as_bytes())),
            Self::Body { limit, oversize } => {
                if let Some(decided) = too_large(subject.body.len() > *limit, *oversize) {
                    return decided;
                }
                test(Cow::Borrowed(&subject.body[..subject.body.len().min(*limit)]))
            }
            Self::Json { limit, oversize, paths, scope, invalid } => {
                if let Some(decided) = too_large(subject.body.len() > *limit, *oversize) {
                    return decided;
                }
                let body = &subject.body[..subject.body.len().min(*limit)];
                return json(body, paths, *scope, *invalid, test);
            }
            Self::Headers(listed) => {
                let all = subject.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
                return listed.any(all, test);
            }
            Self::Cookies(listed) => {
                return listed.any(cookies(subject).map(|(name, value)| (name, value.as_bytes())), test);
            }
        };
        Truth::from(found)
    }
}

impl Listed {
    fn any<'a>(
        &self,
        all: impl Iterator<Item = (&'a str, &'a [u8])>,
        test: &mut dyn FnMut(Cow<'_, [u8]>) -> bool,
    ) -> Truth {
        let (mut bytes, mut found) = (0, false);
        for (at, (name, value)) in all.enumerate() {
            bytes += name.len() + value.len();
            if at >= LIST_ITEMS || bytes > LIST_BYTES {
                if let Some(decided) = too_large(true, self.oversize) {
                    return decided;
                }
                break;
            }
            let named = self.names.iter().any(|one| one.eq_ignore_ascii_case(name));
            if named == self.excluded {
                continue;
            }
            let key = self.scope != MatchScope::Value && test(Cow::Borrowed(name.as_bytes()));
            found |= key || (self.scope != MatchScope::Key && test(Cow::Borrowed(value)));
        }
        Truth::from(found)
    }
}

fn too_large(is: bool, oversize: Oversize) -> Option<Truth> {
    match oversize {
        Oversize::Match if is => Some(Truth::Yes),
        Oversize::NoMatch if is => Some(Truth::No),
        _ => None,
    }
}

/// The arguments of a query string as they were sent.
pub(super) fn arguments(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The cookies of a request.
pub(super) fn cookies<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let lines = subject.headers.get_all(http::header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.trim(), value.trim())
    })
}

/// Looks through a body of JSON. Of one that is none, AWS looks at what comes before the fault; here that is nothing.
fn json(
    body: &[u8],
    paths: &[String],
    scope: MatchScope,
    invalid: Option<InvalidBody>,
    test: &mut dyn FnMut(Cow<'_, [u8]>) -> bool,
) -> Truth {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return match invalid {
            Some(InvalidBody::Match) => Truth::Yes,
            Some(InvalidBody::NoMatch) => Truth::No,
            Some(InvalidBody::EvaluateAsString) => Truth::from(test(Cow::Borrowed(body))),
            None if body.is_empty() => Truth::No,
            None => Truth::Unknown,
        };
    };
    if paths.is_empty() {
        return Truth::from(walk(&value, scope, test));
    }
    // The pointer `/` alone means the whole document to AWS.
    let at = |path: &String| if path == "/" { Some(&value) } else { value.pointer(path) };
    Truth::from(paths.iter().filter_map(at).any(|part| walk(part, scope, test)))
}

fn walk(value: &Value, scope: MatchScope, test: &mut dyn FnMut(Cow<'_, [u8]>) -> bool) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            (scope != MatchScope::Value && test(Cow::Borrowed(name.as_bytes()))) || walk(value, scope, test)
        }),
        Value::Array(items) => items.iter().any(|item| walk(item, scope, test)),
        _ if scope == MatchScope::Key => false,
        Value::String(string) => test(Cow::Borrowed(string.as_bytes())),
        Value::Null | Value::Bool(_) | Value::Number(_) => test(Cow::Owned(value.to_string().into_bytes())),
    }
}
