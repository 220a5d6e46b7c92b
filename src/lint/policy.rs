//! Lints of a stack's resource policy, over all gateways that are made with it.
//!
//! They speak of lines of `policy.json`, which all environments share, and so say nothing that only one of them would.
//! Only statements without a condition count: the others deny networks and callers rather than paths.

use super::catalogue::{ACTUATOR_NOT_DENIED, DENY_LIST_GAP, DENY_MATCHES_NOTHING};
use super::pattern::{Requests, below_api, covers};
use super::{Findings, Subject};
use crate::config::path::{SegmentKind, parse_path};
use crate::config::{GatewayStack, Node, NodeValue, Route, StackFiles};

/// What the frameworks of services serve unasked.
struct WellKnown {
    /// The path at the root of a service.
    path: &'static str,
    /// What is known below it.
    below: Option<&'static str>,
    /// Whether it matters on the public gateway alone: callers inside may read documentation.
    public_only: bool,
    /// What a client gets there.
    reason: &'static str,
}

/// From Spring Boot's reference ("Endpoints"), springdoc's ("swagger-ui.path", "api-docs.path") and springfox's documentation.
const WELL_KNOWN: [WellKnown; 5] = [
    WellKnown {
        path: "actuator",
        below: Some("heapdump"),
        public_only: false,
        reason: "Spring Boot's management endpoints: the environment, memory dumps, shutdown",
    },
    WellKnown {
        path: "swagger-ui.html",
        below: None,
        public_only: true,
        reason: "a page to read and try out every call of the service",
    },
    WellKnown {
        path: "swagger-resources",
        below: Some("configuration"),
        public_only: true,
        reason: "where the descriptions of the service's API are",
    },
    WellKnown {
        path: "v2/api-docs",
        below: None,
        public_only: true,
        reason: "the description of every call of the service",
    },
    WellKnown {
        path: "v3/api-docs",
        below: Some("swagger-config"),
        public_only: true,
        reason: "the description of every call of the service",
    },
];

/// The methods that well-known endpoints answer; with a policy that denies these, the others find nothing.
const METHODS: [&str; 2] = ["GET", "POST"];

pub(super) fn check(stack: GatewayStack, files: &StackFiles, subjects: &[Subject<'_>], findings: &mut Findings) {
    let private = |subject: &&Subject<'_>| subject.gateway.settings.endpoint_type == "PRIVATE";
    let (closed, open): (Vec<&Subject<'_>>, Vec<&Subject<'_>>) = subjects.iter().partition(private);
    let policies = [(Some(&files.policy), open), (files.policy_private.as_ref(), closed)];
    for (node, subjects) in policies {
        let Some(node) = node.filter(|_| !subjects.is_empty()) else { continue };
        let denied = denied(node);
        check_gaps(&denied, findings);
        check_reach(&denied, &subjects, findings);
        check_well_known(node, (stack, &denied), &subjects, findings);
    }
}

/// A resource that is denied to everybody: where it stands, and its pattern below the API.
struct Denied<'a> {
    node: &'a Node,
    pattern: &'a str,
}

/// What the policy denies to everybody without a condition.
fn denied(policy: &Node) -> Vec<Denied<'_>> {
    let Some(statements) = policy.get("Statement") else { return Vec::new() };
    let applies = |statement: &&Node| {
        let has = |key: &str, wanted: &str| {
            let texts = statement.get(key).map(|member| texts(&member.value)).unwrap_or_default();
            texts.iter().filter_map(|text| text.as_str()).any(|text| covers(text, wanted))
        };
        has("Effect", "Deny")
            && has("Principal", "*")
            && has("Action", "execute-api:Invoke")
            && statement.get("Condition").is_none()
    };
    let resources = items(&statements.value).filter(applies).filter_map(|statement| statement.get("Resource"));
    let nodes = resources.flat_map(|member| items(&member.value));
    nodes.filter_map(|node| Some(Denied { node, pattern: below_api(node.as_str()?) })).collect()
}

/// The items of a list, or the one value that stands in its place.
fn items(node: &Node) -> impl Iterator<Item = &Node> {
    node.items().unwrap_or(std::slice::from_ref(node)).iter()
}

/// The same with the values of an object, as in `{"AWS": "*"}`.
fn texts(node: &Node) -> Vec<&Node> {
    match &node.value {
        NodeValue::Object(members) => members.iter().flat_map(|member| items(&member.value)).collect(),
        _ => items(node).collect(),
    }
}

/// `x` without `x/*`, or the other way round.
fn check_gaps(denied: &[Denied<'_>], findings: &mut Findings) {
    let lint = &DENY_LIST_GAP;
    let covered = |pattern: &str| denied.iter().any(|other| covers(other.pattern, pattern));
    for one in denied {
        let written = one.node.as_str().unwrap_or_default();
        let without_stars = one.pattern.trim_end_matches('*');
        let Some(base) = without_stars.strip_suffix('/').filter(|base| base.len() + 1 < one.pattern.len()) else {
            let whole = has_path(one.pattern) && without_stars == one.pattern && !one.pattern.ends_with('/');
            if whole && !covered(&format!("{}/*", one.pattern)) {
                let message = format!("`{written}` is denied, and what is below it is not");
                let hint = format!("deny `{written}/*` too: a slash at the end of a path may lead around the list");
                findings.add(lint, &one.node.span, message, hint);
            }
            continue;
        };
        if has_path(base) && !covered(base) {
            let written = &written[..written.len() - (one.pattern.len() - base.len())];
            let message = format!("what is below `{written}` is denied, and the path itself is not");
            findings.add(lint, &one.node.span, message, format!("deny `{written}` too"));
        }
    }
}

/// Whether a pattern names a path, after stage and method.
fn has_path(pattern: &str) -> bool {
    pattern.splitn(3, '/').nth(2).is_some_and(|path| !path.is_empty())
}

/// What no request can meet.
fn check_reach(denied: &[Denied<'_>], subjects: &[&Subject<'_>], findings: &mut Findings) {
    let requests: Vec<(&Subject<'_>, Requests)> = subjects
        .iter()
        .flat_map(|subject| {
            let stage = &subject.gateway.settings.gateway_stage_name;
            subject.gateway.routes.iter().map(|route| (*subject, Requests::of(stage, route)))
        })
        .collect();
    // What begins with a star is a precaution, whatever routes there are or will be.
    for one in denied.iter().filter(|one| !one.pattern.starts_with('*')) {
        let met = requests.iter().any(|(subject, requests)| requests.meet(&filled(one.pattern, subject)));
        if !met {
            let written = one.node.as_str().unwrap_or_default();
            let message = format!("no request to a route matches `{written}`");
            let lint = &DENY_MATCHES_NOTHING;
            findings.add(lint, &one.node.span, message, lint.remedy.to_owned());
        }
    }
}

/// The pattern with its placeholders filled; one that is not about stages stands for anything.
fn filled(pattern: &str, subject: &Subject<'_>) -> String {
    let mut filled = pattern.replace("${stage}", &subject.gateway.settings.gateway_stage_name);
    filled = filled.replace("${env}", &subject.environment.name);
    while let Some(start) = filled.find("${") {
        let end = filled[start..].find('}').map_or(filled.len(), |end| start + end + 1);
        filled.replace_range(start..end, "*");
    }
    filled
}

/// What clients reach of [`WELL_KNOWN`]: one finding for each, however many routes lead there.
fn check_well_known(
    policy: &Node,
    (stack, denied): (GatewayStack, &[Denied<'_>]),
    subjects: &[&Subject<'_>],
    findings: &mut Findings,
) {
    let lint = &ACTUATOR_NOT_DENIED;
    let span = denied.first().map_or_else(|| policy.span.first(), |first| first.node.span.clone());
    for known in WELL_KNOWN.iter().filter(|known| stack == GatewayStack::Gate || !known.public_only) {
        let whole = known.path.to_owned();
        let below = known.below.map(|below| format!("{whole}/{below}"));
        for path in [Some(whole), below].into_iter().flatten() {
            let reached = subjects.iter().find_map(|subject| {
                let passes = |route: &&Route| passes(route, &path, denied, subject);
                subject.gateway.routes.iter().find(passes)
            });
            let Some(route) = reached else { continue };
            let message = format!("`/{path}` of services is not denied: {}", known.reason);
            let hint = format!("deny `execute-api:/*/*/{0}` and `execute-api:/*/*/{0}/*`", known.path);
            findings.add(lint, &span, message, hint).relate(&route.path_span, "lets requests through to it");
            break;
        }
    }
}

/// Whether a route passes every path of a service on, and the policy lets this one through.
fn passes(route: &Route, path: &str, denied: &[Denied<'_>], subject: &Subject<'_>) -> bool {
    let segments = parse_path(&route.path).unwrap_or_default();
    let all = segments.len() <= 2 && segments.last().is_some_and(|last| matches!(last.kind, SegmentKind::Greedy(_)));
    if route.target.is_some() || !all {
        return false;
    }
    let prefix = route.path.rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let stage = &subject.gateway.settings.gateway_stage_name;
    METHODS.iter().any(|method| {
        let request = format!("{stage}/{method}{prefix}/{path}");
        !denied.iter().any(|one| covers(&filled(one.pattern, subject), &request))
    })
}
