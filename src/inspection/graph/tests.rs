//! What is written is read again: Mermaid and DOT by small readers of what may be in them, pictures by an XML parser.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_xml::decode::Document;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::inspection::standing::Standing;
use crate::model::{Address, Desired, Input, Live, Observed, Outputs, Ownership};

fn desired(kind: &str, name: &str, spec: serde_json::Value) -> Desired {
    Desired { address: Address::new("gate", kind, name), spec, labels: BTreeMap::new() }
}

fn method(authorizer: Option<&str>, uri: &str) -> serde_json::Value {
    json!({"ANY": {
        "authorization": if authorizer.is_some() { "CUSTOM" } else { "NONE" }, "authorizer": authorizer, "api_key_required": false,
        "request_parameters": {}, "responses": {},
        "integration": {"type": "HTTP_PROXY", "http_method": "ANY", "uri": uri, "connection_type": "VPC_LINK", "connection_id": "l1",
            "passthrough_behavior": "WHEN_NO_MATCH", "timeout_ms": 29000, "request_parameters": {}, "request_templates": {},
            "cache_key_parameters": [], "responses": {}},
    }})
}

/// An API with two authorizers' worth of routes, its stage, and what they use.
fn gateway() -> Vec<Desired> {
    let address = |kind: &str, name: &str| Address::new("gate", kind, name);
    let mut api = desired(
        "rest-api",
        "gateway",
        json!({
            "name": "product-a-gateway-dev", "endpoint_type": "REGIONAL", "vpc_endpoint_ids": [], "api_key_source": "HEADER",
            "binary_media_types": [], "disable_execute_api_endpoint": false, "gateway_responses": {}, "tags": {},
            "policy": {"version": "2012-10-17", "statements": {"allow-all": {"Effect": "Allow"}}},
            "authorizers": {"guard": {"type": "REQUEST", "uri": Input::output(&address("lambda-function", "authorizer"), "invoke_arn"),
                "identity_source": [], "ttl_seconds": 10}},
            "routes": {
                "/orders/{proxy+}": method(Some("guard"), "http://orders.internal/{proxy}"),
                "/users/{proxy+}": method(Some("guard"), "http://users.internal/{proxy}"),
                "/open": method(None, "http://orders.internal/open"),
            },
        }),
    );
    api.labels = [("/orders/{proxy+}", "normal_path"), ("/users/{proxy+}", "normal_path"), ("/open", "white_path")]
        .map(|(path, kind)| (format!("routes.{path}"), kind.to_owned()))
        .into();
    let id = Input::output(&address("rest-api", "gateway"), "id");
    vec![
        desired("lambda-function", "authorizer", json!({"name": "product-a-api-authorizer-dev"})),
        desired("web-acl", "gateway", json!({"name": "product-a-acl-dev"})),
        api,
        desired("deployment", "82afb6c08656", json!({"rest_api": id})),
        desired(
            "stage",
            "gateway",
            json!({"name": "dev", "rest_api": id, "deployment": Input::output(&address("deployment", "82afb6c08656"), "id"),
                "web_acl": Input::output(&address("web-acl", "gateway"), "arn")}),
        ),
    ]
}

fn label(graph: &Graph, at: usize) -> &str {
    &graph.nodes[at].label
}

fn ways(graph: &Graph) -> BTreeSet<(&str, &str)> {
    graph.edges.iter().map(|edge| (label(graph, edge.from), label(graph, edge.to))).collect()
}

#[test]
fn resources_lead_to_what_they_refer_to() {
    let graph = resources("t", &gateway());
    assert_eq!(
        ways(&graph),
        BTreeSet::from([
            ("rest-api gateway", "lambda-function authorizer"),
            ("deployment 82afb6c08656", "rest-api gateway"),
            ("stage gateway", "rest-api gateway"),
            ("stage gateway", "deployment 82afb6c08656"),
            ("stage gateway", "web-acl gateway"),
        ])
    );
    assert_eq!(graph.nodes[0].details, ["product-a-api-authorizer-dev"]);
    assert_eq!(graph.edges[0].label.as_deref(), Some("invoke_arn"));
}

#[test]
fn what_aws_says_is_added() {
    let wanted = gateway();
    let live = |address: Address, name: &str| Observed {
        name: name.into(),
        within: None,
        spec: json!({}),
        outputs: Outputs::from_iter([("id", "abc123")]),
        ownership: Ownership::Ours { address, digest: Some("old".into()) },
        created: None,
        in_use_by: None,
    };
    let all = Live::from([
        ("rest-api", vec![live(Address::new("gate", "rest-api", "gateway"), "a")]),
        ("alarm", vec![live(Address::new("gate", "alarm", "old"), "an old alarm")]),
    ]);
    let mut standing = Standing::of_live(&all, &BTreeSet::new());
    standing.resources.insert(Address::new("gate", "alarm", "old"), crate::inspection::standing::State::NotWanted);
    standing.resources.insert(wanted[0].address.clone(), crate::inspection::standing::State::NotDeployed);
    let graph = annotate(resources("t", &wanted), &wanted, &all, &standing);
    assert_eq!(graph.nodes[2].details, ["product-a-gateway-dev", "abc123", "drifted"]);
    assert_eq!((graph.nodes[2].mood, graph.nodes[0].mood), (Some(Mood::Bad), Some(Mood::Absent)));
    let added = graph.nodes.last().unwrap();
    assert_eq!((added.label.as_str(), added.details[1].as_str()), ("alarm old", "no longer wanted"));
}

#[test]
fn requests_go_through_what_decides_about_them() {
    let graph = requests("t", &gateway());
    let (client, policy) = ("client", "resource policy");
    assert_eq!(
        ways(&graph),
        BTreeSet::from([
            (client, "web ACL"),
            ("web ACL", policy),
            (policy, "authorizer"),
            ("authorizer", "normal_path: 2 routes"),
            (policy, "white_path: 1 route"),
            ("normal_path: 2 routes", "VPC link"),
            ("white_path: 1 route", "VPC link"),
            ("VPC link", "orders.internal"),
            ("VPC link", "users.internal"),
        ])
    );
    let details = |label: &str| &graph.nodes.iter().find(|node| node.label == label).unwrap().details;
    assert_eq!(details("authorizer"), &["guard", "answers kept for 10 s"]);
    assert_eq!(details("normal_path: 2 routes"), &["ANY /orders/{proxy+}", "ANY /users/{proxy+}"]);
    assert_eq!(details("web ACL"), &["product-a-acl-dev"]);
}

/// Reads the part of Mermaid's grammar that is written: the nodes, and the edges between them. In quotes nothing may stand that ends
/// them, or that means something to Mermaid.
fn read_mermaid(text: &str) -> (BTreeSet<String>, Vec<(String, String)>) {
    let mut lines = text.lines();
    assert_eq!(
        (lines.next(), lines.next().map(|line| line.starts_with("title: \"")), lines.next()),
        (Some("---"), Some(true), Some("---"))
    );
    assert_eq!(lines.next(), Some("flowchart LR"));
    let (mut nodes, mut edges, mut depth) = (BTreeSet::new(), Vec::new(), 0);
    let quoted = |text: &str| {
        assert!(!text.contains(['"', '`', '\\']), "{text}");
        assert!(text.replace("<br/>", "").find(['<', '>', '&']).is_none(), "{text}");
    };
    let id = |text: &str| {
        assert!(text.strip_prefix('n').is_some_and(|rest| rest.parse::<usize>().is_ok()), "`{text}`");
        text.to_owned()
    };
    for line in lines {
        let line = line.trim();
        if line == "end" {
            depth -= 1;
        } else if let Some(rest) = line.strip_prefix("subgraph ") {
            depth += 1;
            quoted(rest.split_once("[\"").unwrap().1.strip_suffix("\"]").unwrap());
        } else if let Some(rest) = line.strip_prefix("classDef ") {
            assert_eq!(rest.split(' ').count(), 2, "{line}");
        } else if let Some((from, to)) = line.split_once(" -->") {
            let to = match to.strip_prefix("|\"") {
                Some(rest) => {
                    let (label, to) = rest.split_once("\"|").unwrap();
                    quoted(label);
                    to
                }
                None => to,
            };
            edges.push((id(from), id(to.trim())));
        } else {
            let at = line.find(['[', '(', '{']).unwrap_or_else(|| panic!("{line}"));
            let (name, rest) = line.split_at(at);
            // The class stands behind the label, which may have such signs too.
            let rest =
                rest.rsplit_once(":::").filter(|(_, class)| !class.contains('"')).map_or(rest, |(label, _)| label);
            let shapes = [("[\"", "\"]"), ("([\"", "\"])"), ("{{\"", "\"}}")];
            let label = shapes.iter().find_map(|(open, close)| rest.strip_prefix(open)?.strip_suffix(close));
            quoted(label.unwrap_or_else(|| panic!("{line}")));
            assert!(nodes.insert(id(name)), "{name} twice");
        }
    }
    assert_eq!(depth, 0);
    (nodes, edges)
}

/// Reads the part of DOT's grammar that is written, token by token.
fn read_dot(text: &str) -> (BTreeSet<String>, Vec<(String, String)>) {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.expect("the quotes are closed") + 2
            }
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            }
            '-' => 2,
            _ => first.len_utf8(),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    assert_eq!((tokens[0].as_str(), tokens[2].as_str()), ("digraph", "{"));
    let (mut nodes, mut edges, mut depth) = (BTreeSet::new(), Vec::new(), 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "->" => edges.push((tokens[at - 1].clone(), tokens[at + 1].clone())),
            "[" if tokens[at + 1] == "label" && tokens[at - 2] != "->" => drop(nodes.insert(tokens[at - 1].clone())),
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    (nodes, edges)
}

/// Reads a document to its end, and gives its text.
fn read_xml(text: &str) -> String {
    let text = text.strip_prefix("<!DOCTYPE html>").unwrap_or(text);
    let tokens = Document::new(text).map(|token| token.unwrap_or_else(|error| panic!("{error}: {text}")).0);
    let words: Vec<String> = tokens.map(|token| format!("{token:?}")).collect();
    let words = words.concat();
    // Elements are closed in the order in which they were opened.
    let mut open = Vec::new();
    for tag in text.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{text}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    words
}

fn check(graph: &Graph) {
    let places: Vec<(String, String)> =
        graph.edges.iter().map(|edge| (format!("n{}", edge.from), format!("n{}", edge.to))).collect();
    let names: BTreeSet<String> = (0..graph.nodes.len()).map(|at| format!("n{at}")).collect();
    assert_eq!(read_mermaid(&mermaid(graph)), (names.clone(), places.clone()));
    assert_eq!(read_dot(&dot(graph)), (names, places));
    for picture in [svg(graph), html(graph)] {
        read_xml(&picture);
        for loads in ["href", "src=", "@import", "<script", "<link", "url(h"] {
            let says = graph
                .nodes
                .iter()
                .any(|node| node.label.contains(loads) || node.details.iter().any(|one| one.contains(loads)));
            assert!(says || !picture.contains(loads), "{loads}");
        }
        assert!(picture.contains("prefers-color-scheme:dark"));
    }
}

#[test]
fn every_form_can_be_read_again() {
    check(&resources("product-a/dev in 1 r", &gateway()));
    check(&requests("a \"title\" <with> {all} & [more]", &gateway()));
    check(&Graph::new("nothing"));
    let graph = requests("t", &gateway());
    assert!(svg(&graph).contains(">ANY /orders/{proxy+}</text>"));
    assert!(dot(&graph).contains(r#"label="authorizer\nguard\nanswers kept for 10 s""#));
    assert!(mermaid(&graph).contains(r#"{{"authorizer<br/>guard<br/>answers kept for 10 s"}}"#));
}

/// Not everything that is long may make a picture wide; all of it stands in the tooltip.
#[test]
fn long_lines_are_cut_and_kept() {
    let mut graph = Graph::new("t");
    let long = "x".repeat(200);
    graph.node(Node::new(Shape::Resource, "a").with([long.clone()]).with((0..10).map(|at| format!("line {at}"))));
    let picture = svg(&graph);
    assert!(!picture.contains(&format!(">{long}<")) && picture.contains(&format!("<title>a | {long}")));
    assert!(picture.contains(">…<") && !picture.contains(">line 9<"));
}

proptest! {
    #[test]
    fn any_text_is_escaped(
        title in ".{0,20}",
        texts in prop::collection::vec((r#"(["'`\\<>&#{}\[\]()|;:\n\u{0}-]|--|end|%%|\PC){0,12}"#, ".{0,12}"), 1..8),
        pairs in prop::collection::vec((0_usize..8, 0_usize..8, prop::option::of(".{0,8}")), 0..12),
        grouped in any::<bool>(),
    ) {
        let mut graph = Graph::new(title);
        for (label, detail) in &texts {
            let group = grouped.then_some(detail.as_str());
            graph.node(Node::new(Shape::Decision, label.clone()).with([detail.clone()]).within(group));
        }
        for (from, to, label) in pairs {
            if from < texts.len() && to < texts.len() {
                graph.edge(from, to, label);
            }
        }
        check(&graph);
    }
}
