//! `gwctl graph`.

use std::fs;

use super::*;

#[test]
fn the_configuration_is_drawn_offline() {
    let project = Project::whole();
    let draw = |more: &str| run(&project, &format!("graph {DEV} {more}")).exits(0);
    let mermaid = draw("");
    let mermaid = mermaid.says(&["flowchart LR\n", "[\"gate\"]", "stage gateway<br/>dev", "|\"id\"|"]);
    assert!(!mermaid.stdout.contains("```"));
    draw("--output markdown").says(&["```mermaid\n---\ntitle: \"product-a/dev in 123456789012"]);
    draw("--format dot").says(&["digraph gwctl {", "label=\"gate\"", " -> "]);
    let svg = draw("--format svg").says(&["<svg xmlns=", "prefers-color-scheme:dark", ">stage gateway</text>"]);
    draw("--format html").says(&["<!DOCTYPE html>", "<svg xmlns=", "<td>rest-api gateway</td>"]);
    assert!(!project.root().join(".gwctl").exists(), "it leaves nothing behind");

    let json = draw("--output json").json();
    let label = |at: &Value| json["nodes"][usize::try_from(at.as_u64().unwrap()).unwrap()]["label"].clone();
    let edges: Vec<(Value, Value)> =
        json["edges"].as_array().unwrap().iter().map(|edge| (label(&edge["from"]), label(&edge["to"]))).collect();
    assert!(edges.contains(&(json!("stage gateway"), json!("rest-api gateway"))), "{edges:?}");
    assert_eq!(svg.stdout.matches("class=\"node").count(), json["nodes"].as_array().unwrap().len());

    let file = run(&project, &format!("graph {DEV} --format svg --out graph.svg")).exits(0);
    assert_eq!(file.stdout, "");
    assert_eq!(fs::read_to_string(project.root().join("graph.svg")).unwrap(), svg.stdout);
}

#[test]
fn a_request_is_drawn_as_far_as_it_comes() {
    let project = Project::new();
    let draw = |more: &str| run(&project, &format!("graph {DEV} {more}")).exits(0);
    draw("--request").says(&[
        "resource policy<br/>",
        "authorizer<br/>product-a-api-authorizer-dev",
        "normal_path: 3 routes",
        "VPC link<br/>xxxxxx",
    ]);
    let one = draw("--request GET /order-service/api/v1/public/items");
    one.says(&[
        "GET /order-service/api/v1/public/items",
        "backend<br/>GET http://order-service-dev.k8s-internal.example.com/",
        ":::good",
    ]);
    let refused = draw("--request GET /order-service/actuator/health");
    let refused = refused.says(&["the client gets 403 ACCESS_DENIED", ":::bad"]);
    assert!(!refused.stdout.contains("backend"), "{refused:#?}");
    let half = run(&project, &format!("graph {DEV} --request GET")).exits(1);
    assert!(half.stderr.contains("a method and a path"), "{half:#?}");
}

#[test]
fn what_aws_says_stands_in_the_drawing() {
    let served = Served::applied(None);
    let draw = || served.run(&format!("graph {DEV} --live --output json")).exits(0).json();
    let node = |graph: &Value, label: &str| {
        let nodes = graph["nodes"].as_array().unwrap().clone();
        nodes.into_iter().find(|node| node["label"] == label).unwrap_or_else(|| panic!("{label} in {graph:#}"))
    };
    let graph = draw();
    let api = node(&graph, "rest-api gateway");
    assert_eq!(
        (&api["details"], &api["mood"]),
        (&json!(["product-a-gateway-dev", served.api(), "in sync"]), &json!("good"))
    );
    served.patch(&format!("/restapis/{}/stages/dev", served.api()), "/tracingEnabled", "false");
    assert_eq!(node(&draw(), "stage gateway")["mood"], "bad");
    let several = served.run("graph --all").exits(1);
    assert!(several.stderr.contains("one environment is drawn"), "{several:#?}");
}
