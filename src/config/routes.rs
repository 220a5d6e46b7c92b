//! The path lists of an environment file: every entry against its template, and all paths against each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fault::Faults;
use super::fields::{Fields, Text, Type, wrong_type};
use super::limits;
use super::nearest::suggestion;
use super::node::{Node, NodeValue};
use super::path::{Segment, SegmentKind, parse_path};
use super::source::Span;
use super::stack_files::{RouteTemplate, StackFiles};
use super::target_url::check_target;

/// One route of a gateway.
#[derive(Debug, Clone)]
pub struct Route {
    /// The name of its template: `normal_path`.
    pub kind: String,
    /// The path clients call.
    pub path: String,
    /// Where the path stands.
    pub path_span: Span,
    /// The URL the requests go to, for a template that has one.
    pub target: Option<String>,
    /// Where the target stands.
    pub target_span: Option<Span>,
    /// The further members its template asks for, by key.
    pub values: BTreeMap<String, serde_json::Value>,
    /// The warnings that its entry says are not meant for it.
    pub allow: Vec<Allowed>,
    /// Where the whole entry stands.
    pub span: Span,
}

/// A warning that an entry allows, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The name of the lint. That there is such a one is for `check` to say.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
}

impl Allowed {
    fn new(text: Text<'_>) -> Self {
        Self { name: text.value.to_owned(), span: text.node.span.clone() }
    }
}

/// The member of an entry, whatever its template, that names the warnings it allows.
pub(super) const ALLOW: &str = "allow";

/// Reads the path lists of one gateway: `name` is `gateway_api` or `gateway_system`.
pub(super) fn read(name: &str, node: &Node, files: &StackFiles, faults: &mut Faults) -> Vec<Route> {
    let Some(lists) = node.members() else {
        wrong_type(name, node, Type::Object, faults);
        return Vec::new();
    };
    let mut routes = Vec::new();
    let mut checked = Vec::new();
    for list in lists {
        if matches!(list.value.value, NodeValue::Null) || files.broken.contains(&list.key) {
            continue;
        }
        let Some(template) = files.routes.get(&list.key) else {
            let known: Vec<&str> = files.routes.keys().map(String::as_str).collect();
            let message = format!("there is no route template `{}`", list.key);
            faults.error(&list.key_span, message, suggestion(&list.key, &known));
            continue;
        };
        let Some(entries) = list.value.items() else {
            wrong_type(&list.key, &list.value, Type::List, faults);
            continue;
        };
        for (index, entry) in entries.iter().enumerate() {
            if let Some((route, path)) = read_entry(template, index, entry, faults) {
                routes.push(route);
                checked.push(path);
            }
        }
    }
    check_together(&routes, &checked, faults);
    check_count(name, &checked, &node.span, faults);
    routes
}

/// A path that is right in itself, as the checks of all paths together need it.
struct CheckedPath<'a> {
    node: &'a Node,
    segments: Vec<Segment<'a>>,
}

fn read_entry<'a>(
    template: &'a RouteTemplate,
    index: usize,
    entry: &'a Node,
    faults: &mut Faults,
) -> Option<(Route, CheckedPath<'a>)> {
    let what = format!("a `{}` entry", template.name);
    let mut fields = Fields::of(&format!("{}[{index}]", template.name), what, entry, faults)?;
    let path = fields.required(&template.path_key);
    let path = fields.text(path);
    let target = template.target_key.as_ref().and_then(|key| fields.required(key));
    let target = fields.text(target);
    let values: BTreeMap<String, serde_json::Value> = template
        .value_keys
        .iter()
        .filter_map(|key| fields.required(key).map(|member| (key.clone(), member.value.to_json())))
        .collect();
    // Asked for only where it stands: whoever misspells a key means one that says where requests go.
    let allow = entry.get(ALLOW).and_then(|_| fields.get(ALLOW));
    let allow = fields.texts(allow).into_iter().map(Allowed::new).collect();
    fields.finish();
    let path = path?;
    let segments = segments_of(path, faults)?;
    if template.target_key.is_none() {
        check_service(path.node, &segments, faults);
    }
    if let Some(target) = target {
        let parameters: Vec<&str> = segments.iter().filter_map(Segment::parameter).collect();
        check_target(target, &parameters, faults);
    }
    let route = Route {
        kind: template.name.clone(),
        path: path.value.to_owned(),
        path_span: path.node.span.clone(),
        target: target.map(|target| target.value.to_owned()),
        target_span: target.map(|target| target.node.span.clone()),
        values,
        allow,
        span: entry.span.clone(),
    };
    Some((route, CheckedPath { node: path.node, segments }))
}

fn segments_of<'a>(path: Text<'a>, faults: &mut Faults) -> Option<Vec<Segment<'a>>> {
    match parse_path(path.value) {
        Ok(segments) => Some(segments),
        Err(wrong) => {
            for fault in wrong {
                faults.error(&path.node.span_within(fault.range), fault.message, fault.hint);
            }
            None
        }
    }
}

/// The ingress host is made from the first part of a path, so that part must be a name. A path of one part is the
/// exception: it goes to the default host, whatever the part is.
fn check_service(node: &Node, segments: &[Segment<'_>], faults: &mut Faults) {
    let [first, _, ..] = segments else { return };
    let span = node.span_within(first.range.clone());
    if first.kind != SegmentKind::Literal {
        let message = format!("the path begins with the parameter `{}`, so that no service name is known", first.text);
        faults.error(&span, message, "begin it with the name of the service: `/order-service/…`");
    } else if let Some(character) = first.text.chars().find(|character| matches!(character, ':' | ',' | '$')) {
        let message =
            format!("the service name `{}` can't be part of a host name because of `{character}`", first.text);
        faults.error(&span, message, "use letters, digits and `-`");
    }
}

/// What can only be wrong between paths: the same path twice, two parameter names at one place.
fn check_together(routes: &[Route], paths: &[CheckedPath<'_>], faults: &mut Faults) {
    let mut claimed: HashMap<&str, &Route> = HashMap::new();
    let mut parameters: HashMap<&str, (&str, Span)> = HashMap::new();
    let mut reported: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (route, CheckedPath { node, segments }) in routes.iter().zip(paths) {
        if let Some(first) = claimed.get(route.path.as_str()) {
            let (claims, hint) = if first.kind == route.kind {
                ("is listed twice", "take one away")
            } else {
                ("has two route types", "a path has one type: take it out of the other list")
            };
            let message = format!(
                "the path `{}` {claims}: `{}` here and `{}` at {}",
                route.path, route.kind, first.kind, first.path_span
            );
            faults
                .error(&route.path_span, message, hint)
                .relate(&first.path_span, format!("`{}` first here", first.kind));
            continue;
        }
        claimed.insert(&route.path, route);
        for segment in segments.iter().filter(|segment| segment.parameter().is_some()) {
            let Some(path) = node.as_str() else { continue };
            let parent = &path[..segment.range.start];
            let span = node.span_within(segment.range.clone());
            let (first, first_span) = parameters.entry(parent).or_insert_with(|| (segment.text, span.clone()));
            if *first == segment.text || !reported.insert((parent, segment.text)) {
                continue;
            }
            let message =
                format!("two parameters stand below `{parent}`: `{}` here and `{first}` at {first_span}", segment.text);
            let hint = format!("API Gateway allows one at a place: write `{first}` in both paths");
            faults.error(&span, message, hint).relate(first_span, "the first one");
        }
    }
}

/// Every distinct beginning of a path is one resource of the API, and the root is one.
fn check_count(name: &str, paths: &[CheckedPath<'_>], span: &Span, faults: &mut Faults) {
    let mut resources: BTreeSet<&str> = BTreeSet::from(["/"]);
    for CheckedPath { node, segments } in paths {
        let path = node.as_str().unwrap_or_default();
        resources.extend(segments.iter().map(|segment| &path[..segment.range.end]));
    }
    if resources.len() > limits::RESOURCES_PER_API {
        let message = format!(
            "the routes of `{name}` make {} resources, and a REST API may have {}",
            resources.len(),
            limits::RESOURCES_PER_API
        );
        faults.error(&span.first(), message, "join routes that share a beginning into one that ends in `{proxy+}`");
    }
}
