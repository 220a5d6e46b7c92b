//! The same of an edge: HTTP APIs in two Regions.

use gwctl::sandbox::Sandbox;
use tokio::runtime::Runtime;

use super::*;

const SHOP: &str = "--sandbox --product shop --env prod";

#[test]
fn both_regions_of_an_edge_are_looked_at() {
    let project = edge::example();
    let runtime = Runtime::new().unwrap();
    let sandbox = Sandbox::open(&project.root().join(".gwctl/sandbox")).unwrap();
    runtime.block_on(edge::furnish(&sandbox));
    let gwctl = |line: &str| run(&project, line);
    gwctl(&format!("apply {SHOP} --yes --confirm prod --settle 0")).exits(0);

    let shown = gwctl(&format!("show {SHOP} --output json")).exits(0).json();
    for at in 0..2 {
        let here = &shown["environments"][at];
        assert_eq!(
            (&here["region"], &here["standing"]["cell"]),
            (&json!(edge::REGIONS[at]), &json!("in sync")),
            "{:#}",
            here["standing"]
        );
        assert_eq!(here["serving"]["in_service"], true);
        assert!(here["stages"][0]["settings"]["throttling"].is_string(), "{:#}", here["stages"]);
    }
    let text = gwctl(&format!("show {SHOP}")).exits(0);
    assert_eq!(text.stdout.matches("in service     yes, ").count(), 2, "{text:#?}");

    let routes = gwctl(&format!("routes {SHOP} --output json")).exits(0).json();
    for environment in routes["environments"].as_array().unwrap() {
        let lines = environment["routes"].as_array().unwrap();
        assert!(!lines.is_empty() && lines.iter().all(|line| line["state"] == "live"), "{lines:#?}");
    }
    let one = "--product shop --env prod --region eu-west-1";
    gwctl(&format!("routes {one} --desired")).exits(0).says(&["eu-west-1/edge/http-api/learn", "https://"]);
    gwctl(&format!("graph {one} --request")).exits(0).says(&[
        "authorizer<br/>jwt",
        "VPC link",
        "web ACL of the load balancer",
        "shop.example.com",
    ]);
    let live = gwctl(&format!("graph {one} --sandbox --live")).exits(0).says(&[":::good", "in sync"]);
    assert!(!live.stdout.contains(":::bad") && !live.stdout.contains(":::absent"), "{live:#?}");
    let several = gwctl(&format!("graph {SHOP}")).exits(1);
    assert!(several.stderr.contains("one --region"), "{several:#?}");

    // No request came yet: both logs are read, and there is nothing in them.
    let logs = gwctl(&format!("logs {SHOP}")).exits(0);
    assert_eq!(logs.stdout, "");
}
