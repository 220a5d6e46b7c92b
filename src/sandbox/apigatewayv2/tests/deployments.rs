//! Deployments, made by a call and by themselves.

use serde_json::{Value, json};

use super::super::testing::Bench;

fn served(bench: &mut Bench, stage: &str) -> Vec<String> {
    let definition = bench.state().apis[0].served(stage);
    definition.map(|one| one.routes.iter().map(|route| route.route_key.clone()).collect()).unwrap_or_default()
}

#[test]
fn a_stage_serves_a_frozen_copy() {
    let mut bench = Bench::default();
    let api = bench.api();
    let path = format!("{api}/deployments");
    let (code, said) = bench.refused("POST", &path, &json!({}));
    assert_eq!(
        (code.as_str(), said.as_str()),
        ("BadRequestException", "Unable to deploy API because no routes exist in this API")
    );
    let integration = bench.integration(&api);
    bench.route(&api, "GET /a", &integration);
    assert_eq!(bench.refused("POST", &path, &json!({ "stageName": "dev" })).0, "NotFoundException");
    bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "dev" }));
    let made = bench.ok("POST", &path, &json!({ "stageName": "dev", "description": "first" }));
    let id = made["deploymentId"].as_str().unwrap().to_owned();
    let expected = json!({
        "autoDeployed": false, "createdDate": "2023-11-14T22:13:20Z", "deploymentId": id,
        "deploymentStatus": "DEPLOYED", "description": "first",
    });
    assert_eq!(made, expected);
    bench.route(&api, "GET /b", &integration);
    assert_eq!(served(&mut bench, "dev"), ["GET /a"]);
    let (code, said) = bench.refused("DELETE", &format!("{path}/{id}"), &Value::Null);
    assert_eq!(code, "BadRequestException");
    assert!(said.starts_with("Active stages pointing to this deployment"), "{said}");

    let second = bench.ok("POST", &path, &json!({}))["deploymentId"].as_str().unwrap().to_owned();
    assert_eq!(served(&mut bench, "dev"), ["GET /a"]);
    bench.ok("PATCH", &format!("{api}/stages/dev"), &json!({ "deploymentId": second }));
    assert_eq!(served(&mut bench, "dev"), ["GET /a", "GET /b"]);
    let renamed = bench.ok("PATCH", &format!("{path}/{id}"), &json!({ "description": "old" }));
    assert_eq!(renamed["description"], "old");
    bench.delete(&format!("{path}/{id}"));
    assert_eq!(bench.get(&path)["items"].as_array().unwrap().len(), 1);
    assert_eq!(bench.refused("GET", &format!("{path}/{id}"), &Value::Null).0, "NotFoundException");
}

#[test]
fn a_stage_that_deploys_by_itself_follows_each_change() {
    let mut bench = Bench::default();
    let api = bench.api();
    let made = bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "$default", "autoDeploy": true }));
    assert_eq!((&made["autoDeploy"], &made["deploymentId"]), (&json!(true), &Value::Null));
    let path = format!("{api}/stages/$default");
    assert!(bench.get(&path)["lastDeploymentStatusMessage"].as_str().unwrap().contains("no routes exist"));
    let integration = bench.integration(&api);
    let route = bench.route(&api, "GET /a", &integration);
    let stage = bench.get(&path);
    let id = stage["deploymentId"].as_str().unwrap().to_owned();
    let message = format!("Successfully deployed stage with deployment ID '{id}'");
    assert_eq!(stage["lastDeploymentStatusMessage"], message);
    let deployment = bench.get(&format!("{api}/deployments/{id}"));
    assert_eq!(
        (&deployment["autoDeployed"], &deployment["description"]),
        (&json!(true), &json!("Automatic deployment triggered by changes to the Api configuration"))
    );
    // What changes nothing, and what is the stage's own, deploys nothing.
    bench.ok("PATCH", &format!("{api}/routes/{route}"), &json!({ "routeKey": "GET /a" }));
    bench.ok("PATCH", &path, &json!({ "stageVariables": { "a": "b" } }));
    bench.ok("PATCH", &api, &json!({ "description": "d" }));
    assert_eq!(bench.get(&path)["deploymentId"], id);
    let changes = [
        ("PATCH", format!("{api}/integrations/{integration}"), json!({ "timeoutInMillis": 100 })),
        ("PATCH", api.clone(), json!({ "corsConfiguration": { "allowOrigins": ["*"] } })),
        ("PATCH", format!("{api}/routes/{route}"), json!({ "routeKey": "GET /b" })),
        ("DELETE", format!("{api}/cors"), Value::Null),
    ];
    let mut seen = vec![id];
    for (verb, at, body) in changes {
        bench.ok(verb, &at, &body);
        let now = bench.get(&path)["deploymentId"].as_str().unwrap().to_owned();
        assert!(!seen.contains(&now), "{verb} {at}");
        seen.push(now);
    }
    // The last route's going leaves what was served.
    bench.delete(&format!("{api}/routes/{route}"));
    assert_eq!(served(&mut bench, "$default"), ["GET /b"]);

    let chosen = bench.refused("PATCH", &path, &json!({ "deploymentId": seen[0] }));
    assert_eq!(chosen.0, "BadRequestException");
    assert!(chosen.1.starts_with("Deployment ID cannot be set on this stage 111111111111:"), "{}", chosen.1);
    let moved = bench.refused("POST", &format!("{api}/deployments"), &json!({ "stageName": "$default" }));
    assert_eq!(moved.0, "BadRequestException");
}

#[test]
fn turning_it_on_deploys_and_old_deployments_are_not_kept_for_ever() {
    let mut bench = Bench::default();
    let api = bench.api();
    let integration = bench.integration(&api);
    bench.route(&api, "GET /a", &integration);
    bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "dev" }));
    let by_hand = bench.ok("POST", &format!("{api}/deployments"), &json!({}))["deploymentId"].clone();
    bench.ok("PATCH", &format!("{api}/stages/dev"), &json!({ "autoDeploy": true }));
    assert_eq!(served(&mut bench, "dev"), ["GET /a"]);
    for at in 0..40 {
        bench.route(&api, &format!("GET /{at}"), &integration);
    }
    assert_eq!(served(&mut bench, "dev").len(), 41);
    let deployments = &bench.state().apis[0].deployments;
    assert!(deployments.len() <= 12, "{}", deployments.len());
    assert!(deployments.iter().any(|one| by_hand == one.id.as_str()), "one that was made by hand stays");
}
