//! `gwctl routes`.

use super::*;

/// The state of each route, by method and path.
fn states(run: &Run) -> Vec<(String, String)> {
    let json = run.json();
    let routes = json["environments"][0]["routes"].as_array().unwrap_or_else(|| panic!("{json:#}"));
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    routes.iter().map(|line| (text(line, "path"), text(line, "state"))).collect()
}

fn state(run: &Run, path: &str) -> Option<String> {
    states(run).into_iter().find(|(known, _)| known == path).map(|(_, state)| state)
}

#[test]
fn the_configuration_tells_its_routes_offline() {
    let project = Project::whole();
    let all = run(&project, &format!("routes {DEV} --desired")).exits(0);
    let all = all.says(&["gate/rest-api/gateway (product-a-gateway-dev)", "system/rest-api/gateway", "white_path"]);
    assert!(!all.stdout.contains("STATE") && !all.stdout.contains("LIMITS"), "{all:#?}");
    assert!(!project.root().join(".gwctl").exists(), "it leaves nothing behind");
    let lines = |more: &str| {
        let run = run(&project, &format!("routes {DEV} --desired --output json {more}")).exits(0);
        let mut paths: Vec<String> = states(&run).into_iter().map(|(path, _)| path).collect();
        // There are several methods of one path.
        paths.dedup();
        paths
    };
    assert_eq!(lines("--type through_path"), ["/user-bff-service/api/v1/agreements"]);
    assert_eq!(lines("--type normal_path --service payment-service"), ["/payment-service/{proxy+}"]);
    assert_eq!(lines("--service internal-api.example.com"), ["/user-bff-service/api/v1/agreements"]);
    assert_eq!(lines("--path */account/*").len(), 2);
    assert_eq!(lines("--path /nowhere"), [""; 0]);
    assert!(lines("--method PUT").contains(&"/order-service/{proxy+}".to_owned()), "it takes any");
    let markdown = run(&project, &format!("routes {DEV} --desired --output markdown")).exits(0);
    markdown.says(&["| method | path | type | target | authorizer |", "### product-a/dev in 123456789012"]);
    let both = run(&project, &format!("routes {DEV} --desired --live")).exits(1);
    assert!(both.stderr.contains("cannot be used with"), "{both:#?}");
}

#[test]
fn each_route_says_how_it_stands() {
    const ORDERS: &str = "/order-service/{proxy+}";
    const NEW: &str = "/refund-service/{proxy+}";
    let served = Served::applied(None);
    let routes = |more: &str| served.run(&format!("routes {DEV} --output json {more}")).exits(0);
    let all = routes("");
    assert!(states(&all).iter().all(|(_, state)| state == "live"), "{all:#?}");
    assert_eq!(states(&routes("--live")).len(), states(&all).len());
    let first = &all.json()["environments"][0]["routes"][0];
    assert!(first["target"].as_str().unwrap().starts_with("http://") && first["served"] == true, "{first:#}");

    served.project.add_route("normal_path", NEW);
    assert_eq!(state(&routes(""), NEW).as_deref(), Some("not_deployed"));
    assert_eq!(state(&routes("--live"), NEW), None, "no stage serves it");
    served.run(&format!("routes {DEV}")).exits(0).says(&["not deployed yet"]);

    // Somebody edits the API, and only later deploys it.
    served.send_to(ORDERS, "http://elsewhere.example/{proxy}");
    let edited = routes("");
    assert_eq!(state(&edited, ORDERS).as_deref(), Some("differs"));
    served.run(&format!("routes {DEV} --path {ORDERS}")).exits(0).says(&[
        "edited, and not deployed: target http://elsewhere.example/{proxy} instead of http://order-service-dev",
    ]);
    served.call(Ask::post(
        &format!("/restapis/{}/deployments", served.api()),
        "application/json",
        r#"{"stageName":"dev"}"#,
    ));
    let deployed = served.run(&format!("routes {DEV} --path {ORDERS}")).exits(0);
    let deployed = deployed
        .says(&["differs", "        target http://elsewhere.example/{proxy} instead of http://order-service-dev"]);
    assert!(!deployed.stdout.contains("not deployed"), "{deployed:#?}");

    // The configuration drops a route that is served.
    served.project.edit(project::DEV, |env| {
        env["gateway_api"]["normal_path"]
            .as_array_mut()
            .unwrap()
            .retain(|route| route["service_path"] != "/payment-service/{proxy+}");
    });
    let left = routes("");
    assert_eq!(state(&left, "/payment-service/{proxy+}").as_deref(), Some("only_in_aws"));
    served.run(&format!("apply {DEV} --yes --allow-deletes")).exits(0);
    let all = routes("");
    assert!(states(&all).iter().all(|(_, state)| state == "live"), "{all:#?}");
    assert_eq!(state(&all, "/payment-service/{proxy+}"), None);
}

#[test]
fn nothing_is_served_where_nothing_is_applied() {
    let project = Project::new();
    let all = run(&project, &format!("routes --sandbox {DEV} --output json")).exits(0);
    assert!(!states(&all).is_empty() && states(&all).iter().all(|(_, state)| state == "not_deployed"), "{all:#?}");
    run(&project, &format!("routes --sandbox {DEV} --live")).exits(0).says(&["No routes."]);
}
