//! API keys, usage plans and the keys of plans.

use serde_json::{Value, json};

use super::super::testing::Bench;
use super::{deploy, mocked, patch, refuse, text};

fn key(bench: &mut Bench, name: &str) -> Value {
    bench.ok("POST", "/apikeys", &json!({ "name": name }))
}

/// The bench, an API with the stage `dev`, and a plan with it.
fn planned() -> (Bench, String, String) {
    let (mut bench, api, _) = mocked();
    deploy(&mut bench, &api, "dev");
    let plan =
        bench.ok("POST", "/usageplans", &json!({ "name": "p", "apiStages": [{ "apiId": api, "stage": "dev" }] }));
    let plan = text(&plan, "/id");
    (bench, api, plan)
}

#[test]
fn a_key_shows_its_value_when_it_is_asked_for() {
    let mut bench = Bench::default();
    let made = key(&mut bench, "test-1");
    assert_eq!(text(&made, "/value").len(), 40);
    let expected = json!({
        "id": made["id"], "value": made["value"], "name": "test-1", "enabled": false, "stageKeys": [],
        "createdDate": 1_700_000_000.0, "lastUpdatedDate": 1_700_000_000.0,
    });
    assert_eq!(made, expected);
    let mut hidden = made.clone();
    hidden.as_object_mut().expect("a key").remove("value");
    assert_eq!(bench.ok("GET", "/apikeys", &Value::Null)["item"], json!([hidden]));
    assert_eq!(bench.ok("GET", "/apikeys?includeValues=true", &Value::Null)["item"], json!([made]));
    let (mut shown, mut open) = (hidden.clone(), made.clone());
    (shown["tags"], open["tags"]) = (json!({}), json!({}));
    let path = format!("/apikeys/{}", text(&made, "/id"));
    assert_eq!(bench.ok("GET", &path, &Value::Null), shown);
    assert_eq!(bench.ok("GET", &format!("{path}?includeValue=true"), &Value::Null), open);
    for (member, value, after) in [
        ("enabled", "true", json!(true)),
        ("enabled", "not-a-boolean", json!(false)),
        ("name", "n", json!("n")),
        ("description", "d", json!("d")),
        ("customerId", "c", json!("c")),
    ] {
        shown[member] = after;
        assert_eq!(bench.ok("PATCH", &path, &patch(&format!("/{member}"), value)), shown);
    }
    bench.ok("DELETE", &path, &Value::Null);
    bench.refused("GET", &path, &Value::Null);
}

#[test]
fn keys_are_listed_newest_first_and_found_by_the_start_of_their_name() {
    let mut bench = Bench::default();
    for name in ["test-1", "test-2", "other"] {
        key(&mut bench, name);
    }
    let mut names = |query: &str| -> Vec<String> {
        let list = bench.ok("GET", &format!("/apikeys{query}"), &Value::Null);
        list["item"].as_array().expect("items").iter().map(|key| text(key, "/name")).collect()
    };
    assert_eq!(names(""), ["other", "test-2", "test-1"]);
    assert_eq!(names("?name=test"), ["test-2", "test-1"]);
    for none in ["?name=TEST", "?name=est", "?customerId=c"] {
        assert!(names(none).is_empty(), "{none}");
    }
    assert_eq!(names("?limit=1"), ["other"]);
    assert_eq!(names("?limit=2&position=1"), ["test-2", "test-1"]);
}

#[test]
fn bad_keys_are_refused() {
    let mut bench = Bench::default();
    let value = "0123456789abcdefghij";
    bench.ok("POST", "/apikeys", &json!({ "value": value, "name": "" }));
    let path = format!("/apikeys/{}", bench.state().api_keys[0].id);
    let body = |member: &str, text: &str| json!({ member: text }).to_string();
    let bad = "BadRequestException";
    let long = format!("replace /description {}", "a".repeat(125_001));
    refuse(
        &mut bench,
        &[
            ("POST", "/apikeys", &body("value", value), "ConflictException", "API Key already exists"),
            ("POST", "/apikeys", &body("value", "short"), bad, "API Key value should be at least 20 characters"),
            ("POST", "/apikeys", &body("value", &"a".repeat(129)), bad, "exceeds maximum size of 128 characters"),
            ("POST", "/apikeys", &body("name", &"a".repeat(1025)), bad, "can be at most 1024 characters."),
            (
                "POST",
                "/apikeys",
                &body("description", &"a".repeat(125_001)),
                bad,
                "Invalid API Key description specified.",
            ),
            (
                "POST",
                "/apikeys",
                r#"{"stageKeys":[{"restApiId":"none","stageName":"x"}]}"#,
                "NotFoundException",
                "none",
            ),
            ("PATCH", &path, &long, bad, "Invalid API Key description specified."),
            (
                "PATCH",
                &path,
                "replace /id x",
                bad,
                "Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description, /enabled, /name, /customerId]",
            ),
            ("GET", "/apikeys/none", "", "NotFoundException", "Invalid API Key identifier specified"),
            ("DELETE", "/apikeys/none", "", "NotFoundException", "Invalid API Key identifier specified"),
        ],
    );
}

#[test]
fn a_plan_takes_every_patch() {
    let (mut bench, api, plan) = planned();
    let path = format!("/usageplans/{plan}");
    let mut expected = json!({ "id": plan, "name": "p", "apiStages": [{ "apiId": api, "stage": "dev" }] });
    assert_eq!(bench.ok("GET", "/usageplans", &Value::Null)["item"], json!([expected]));
    expected["tags"] = json!({});
    assert_eq!(bench.ok("GET", &path, &Value::Null), expected);

    let operation = |op: &str, path: &str, value: &str| json!({ "op": op, "path": path, "value": value });
    let throttle = format!("/apiStages/{api}:dev/throttle");
    let patches = json!({ "patchOperations": [
        operation("replace", "/throttle/burstLimit", "100"),
        operation("replace", "/throttle/rateLimit", "200"),
        operation("replace", "/quota/period", "MONTH"),
        operation("replace", "/quota/limit", "5000"),
        operation("add", "/productCode", "code"),
        operation("replace", "/name", "q"),
        operation("replace", "/description", "d"),
        operation("add", &format!("{throttle}//pets/GET/rateLimit"), "5"),
        operation("replace", &format!("{throttle}/~1pets/GET/burstLimit"), "7"),
    ] });
    expected["throttle"] = json!({ "burstLimit": 100, "rateLimit": 200.0 });
    expected["quota"] = json!({ "limit": 5000, "offset": 0, "period": "MONTH" });
    (expected["productCode"], expected["name"], expected["description"]) = (json!("code"), json!("q"), json!("d"));
    expected["apiStages"][0]["throttle"] = json!({ "/pets/GET": { "burstLimit": 7, "rateLimit": 5.0 } });
    assert_eq!(bench.ok("PATCH", &path, &patches), expected);

    let removals = json!({ "patchOperations": [
        operation("remove", "/throttle", ""),
        operation("remove", "/quota", ""),
        operation("remove", "/productCode", ""),
        operation("remove", &format!("{throttle}/~1pets/GET"), ""),
        operation("remove", "/apiStages", &format!("{api}:dev")),
        operation("add", "/apiStages", &format!("{api}:dev")),
    ] });
    let expected = json!({
        "id": plan, "name": "q", "description": "d", "apiStages": [{ "apiId": api, "stage": "dev" }], "tags": {},
    });
    assert_eq!(bench.ok("PATCH", &path, &removals), expected);
}

#[test]
fn bad_plans_are_refused() {
    let (mut bench, api, plan) = planned();
    let path = format!("/usageplans/{plan}");
    let (bad, missing) = ("BadRequestException", "NotFoundException");
    let stage = |text: &str| format!("remove /apiStages {text}");
    refuse(
        &mut bench,
        &[
            ("POST", "/usageplans", "{}", "ValidationException", "createUsagePlanInput.name"),
            ("POST", "/usageplans", r#"{"name":""}"#, bad, "Usage Plan name cannot be blank"),
            (
                "POST",
                "/usageplans",
                r#"{"name":"x","quota":{"limit":1,"period":"YEAR"}}"#,
                "ValidationException",
                "createUsagePlanInput.quota.period",
            ),
            ("POST", "/usageplans", r#"{"name":"x","quota":{"limit":1}}"#, bad, "Invalid quota period"),
            (
                "POST",
                "/usageplans",
                r#"{"name":"x","quota":{"limit":1,"offset":7,"period":"WEEK"}}"#,
                bad,
                "between zero and six inclusively in the WEEK period",
            ),
            ("POST", "/usageplans", r#"{"name":"x","throttle":{"rateLimit":-1}}"#, bad, "must not be negative"),
            (
                "POST",
                "/usageplans",
                r#"{"name":"x","apiStages":[{"apiId":"none","stage":"dev"}]}"#,
                missing,
                "API Stage not found: none:dev",
            ),
            ("GET", "/usageplans/none", "", missing, "Invalid Usage Plan ID specified"),
            ("PATCH", "/usageplans/none", "replace /name x", missing, "Invalid Usage Plan ID specified"),
            ("PATCH", &path, &stage(""), bad, "Invalid API Stage specified"),
            ("PATCH", &path, &stage("fakevalue"), bad, "Invalid API Stage specified"),
            (
                "PATCH",
                &path,
                &stage(&format!("{api}:none")),
                missing,
                &format!("Invalid API Stage {{api: {api}, stage: none}} specified for usageplan {plan}"),
            ),
            (
                "PATCH",
                &path,
                &format!("remove /apiStages/{api}:dev"),
                bad,
                "Must be one of: [/apiStages, /quota, /throttle, /productCode, \
                 /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, \
                 /apiStages/<apidId:stageName>/throttle]",
            ),
            ("PATCH", &path, "replace /throttle/burstLimit many", bad, "Invalid value 'many'"),
            ("PATCH", &path, "replace /quota/offset 1", bad, "Invalid quota period"),
            (
                "DELETE",
                &path,
                "",
                bad,
                &format!("because there are API Stages associated with it, including {api}:dev"),
            ),
        ],
    );
}

#[test]
fn a_key_opens_a_stage_through_one_plan_only() {
    let (mut bench, api, plan) = planned();
    let (one, two) = (key(&mut bench, "test-1"), key(&mut bench, "test-2"));
    let keys = format!("/usageplans/{plan}/keys");
    let input = |key: &Value| json!({ "keyId": key["id"], "keyType": "API_KEY" });
    let shown = |key: &Value| json!({ "id": key["id"], "name": key["name"], "type": "API_KEY", "value": key["value"] });
    assert_eq!(bench.ok("POST", &keys, &input(&one)), shown(&one));
    bench.ok("POST", &keys, &input(&two));
    assert_eq!(bench.ok("GET", &keys, &Value::Null)["item"], json!([shown(&two), shown(&one)]));
    assert_eq!(bench.ok("GET", &format!("{keys}?name=test-1"), &Value::Null)["item"], json!([shown(&one)]));
    let path = format!("{keys}/{}", text(&one, "/id"));
    assert_eq!(bench.ok("GET", &path, &Value::Null), shown(&one));
    assert_eq!(bench.ok("GET", "/usageplans/none/keys", &Value::Null)["item"], json!([]));

    let other = bench.ok("POST", "/usageplans", &json!({ "name": "other" }));
    let other = format!("/usageplans/{}", text(&other, "/id"));
    bench.ok("POST", &format!("{other}/keys"), &input(&one));
    let found = bench.ok("GET", &format!("/usageplans?keyId={}", text(&two, "/id")), &Value::Null);
    assert_eq!(found["item"].as_array().map(Vec::len), Some(1));
    let (again, missing) = (input(&one).to_string(), "NotFoundException");
    refuse(
        &mut bench,
        &[
            ("POST", &keys, "{}", "ValidationException", "createUsagePlanKeyInput.keyId"),
            ("POST", &keys, r#"{"keyId":"x","keyType":"USER"}"#, "BadRequestException", "Valid options are API_KEY"),
            ("POST", &keys, r#"{"keyId":"x","keyType":"API_KEY"}"#, missing, "Invalid API Key identifier specified"),
            ("POST", &keys, &again, "ConflictException", "already exists"),
            ("POST", "/usageplans/none/keys", &again, missing, "Invalid Usage Plan ID specified"),
            ("GET", &format!("{keys}/none"), "", missing, "Invalid Usage Plan Key identifier specified"),
            ("PATCH", &other, &format!("add /apiStages {api}:dev"), "ConflictException", "multiple Usage Plans"),
        ],
    );
    bench.ok("DELETE", &path, &Value::Null);
    bench.refused("GET", &path, &Value::Null);
    bench.ok("DELETE", &format!("/apikeys/{}", text(&two, "/id")), &Value::Null);
    assert_eq!(bench.ok("GET", &keys, &Value::Null)["item"], json!([]));
}

#[test]
fn a_deleted_stage_leaves_its_plans() {
    let (mut bench, api, plan) = planned();
    deploy(&mut bench, &api, "prod");
    let path = format!("/usageplans/{plan}");
    let add = json!({ "patchOperations": [{ "op": "add", "path": "/apiStages", "value": format!("{api}:prod") }] });
    bench.ok("PATCH", &path, &add);
    bench.ok("POST", "/apikeys", &json!({ "stageKeys": [{ "restApiId": api, "stageName": "prod" }] }));
    assert_eq!(bench.state().api_keys[0].stage_keys, [format!("{api}/prod")]);
    bench.ok("DELETE", &format!("/restapis/{api}/stages/dev"), &Value::Null);
    let stages = bench.ok("GET", &path, &Value::Null)["apiStages"].clone();
    assert_eq!(stages, json!([{ "apiId": api, "stage": "prod" }]));
    bench.ok("DELETE", &format!("/restapis/{api}"), &Value::Null);
    assert_eq!(bench.ok("GET", &path, &Value::Null)["apiStages"], json!([]));
    assert!(bench.state().api_keys[0].stage_keys.is_empty());
    bench.ok("DELETE", &path, &Value::Null);
}
