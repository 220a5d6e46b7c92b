//! What the reports look like, and what holds for all of them.

mod fixtures;

use serde_json::{Value, json};

use self::fixtures::{
    Scenario, api_address, create, destroy, function, lambda_address, plan, scenarios, stage, stage_address, update,
};
use super::*;
use crate::error::{Failure, FailureKind};
use crate::model::Address;
use crate::plan::{Plan, Reason, Warning};

fn text(plan: &Plan) -> String {
    text_with(plan, TextOptions::default())
}

fn text_with(plan: &Plan, options: TextOptions) -> String {
    let mut out = Vec::new();
    plan_text(plan, &mut out, &options).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn an_added_route() {
    insta::assert_snapshot!(text(&fixtures::added_route()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ rest-api gateway (product-a-gateway-dev): the configuration changed
        │    + ANY /refund-service/{proxy+}  normal_path
        │        → http://refund-service-dev.k8s-internal.example.com/{proxy}
        │
        ├─ + deployment gateway: the configuration changed
        │      a snapshot of the API for the stage to serve
        │
        └─ ~ stage gateway (dev): the configuration changed
             ~ deployment: dep111 → (known after apply)

        Plan: 1 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn a_removed_route_and_a_changed_one() {
    insta::assert_snapshot!(text(&fixtures::changed_routes()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ rest-api gateway (product-a-gateway-dev): the configuration changed
        │    - ANY /auth-service/api/v1/oauth/{proxy+}
        │        → http://auth-service-dev.k8s-internal.example.com/api/v1/oauth/{proxy}
        │    ~ ANY /order-service/{proxy+}  white_path
        │      ~ authorization:    CUSTOM → NONE
        │      - authorizer:       product-a-api-authorizer-dev
        │      ~ header x-user-id: context.authorizer.x-user-id → ''
        │    ~ ANY /user-bff-service/api/v1/account/merge  timeout 29000 → 10000
        │    ~ ANY, OPTIONS /user-bff-service/api/v1/agreements
        │        uri https://internal-api.example.com/platform/api/v1/agreements
        │          → https://internal-api.example.com/platform/api/v2/agreements
        │
        ├─ + deployment gateway: the configuration changed
        │      a snapshot of the API for the stage to serve
        │
        └─ ~ stage gateway (dev): the configuration changed
             ~ deployment: dep111 → (known after apply)

        Plan: 1 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn a_change_of_every_route_is_told_once() {
    insta::assert_snapshot!(text(&fixtures::template_change()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ rest-api gateway (product-a-gateway-dev): the configuration changed
        │    ~ 4 routes
        │      + header x-user-scope: context.authorizer.x-user-scope
        │        ANY /auth-service/api/v1/oauth/{proxy+}
        │        ANY /order-service/{proxy+}
        │        ANY /user-bff-service/api/v1/account/merge
        │        ANY /user-bff-service/api/v1/agreements
        │
        ├─ + deployment gateway: the configuration changed
        │      a snapshot of the API for the stage to serve
        │
        └─ ~ stage gateway (dev): the configuration changed
             ~ deployment: dep111 → (known after apply)

        Plan: 1 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn another_ttl() {
    insta::assert_snapshot!(text(&fixtures::ttl()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ rest-api gateway (product-a-gateway-dev): the configuration changed
        │    ~ authorizer product-a-api-authorizer-dev  ttl_seconds 10 → 60
        │
        ├─ + deployment gateway: the configuration changed
        │      a snapshot of the API for the stage to serve
        │
        └─ ~ stage gateway (dev): the configuration changed
             ~ deployment: dep111 → (known after apply)

        Plan: 1 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn a_policy_change() {
    insta::assert_snapshot!(text(&fixtures::policy()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ rest-api gateway (product-a-gateway-dev): the configuration changed
        │    ~ policy deny-list
        │      - Deny execute-api:/*/*/*/internal/**
        │      + Deny execute-api:/*/*/*/metrics
        │    + policy office-only  Deny execute-api:Invoke for *
        │      + Deny execute-api:/*/*/admin/**
        │      + Deny execute-api:/*/*/console/**
        │      + if NotIpAddress aws:SourceIp 198.51.100.0/24
        │      + if NotIpAddress aws:SourceIp 203.0.113.0/24
        │
        ├─ + deployment gateway: the configuration changed
        │      a snapshot of the API for the stage to serve
        │
        └─ ~ stage gateway (dev): the configuration changed
             ~ deployment: dep111 → (known after apply)

        Plan: 1 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn another_throttle() {
    insta::assert_snapshot!(text(&fixtures::throttle()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        └─ ~ stage gateway (dev): the configuration changed
             ~ method_settings.*/*.throttling_rate_limit: 10000 → 5000

        Plan: 0 to add, 1 to change, 0 to destroy.
        ");
}

#[test]
fn other_binary_types() {
    insta::assert_snapshot!(text(&fixtures::binary_types()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ rest-api gateway (product-a-gateway-dev): the configuration changed
        │    ~ binary_media_types:
        │      + application/pdf
        │      + image/png
        │
        ├─ + deployment gateway: the configuration changed
        │      a snapshot of the API for the stage to serve
        │
        └─ ~ stage gateway (dev): the configuration changed
             ~ deployment: dep111 → (known after apply)

        Plan: 1 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn another_log_format() {
    insta::assert_snapshot!(text(&fixtures::log_format()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        └─ ~ stage gateway (dev): the configuration changed
             ~ access_log.format:
               ~ requestId: $context.requestId → $context.extendedRequestId
               + userAgent: $context.identity.userAgent

        Plan: 0 to add, 1 to change, 0 to destroy.
        ");
}

#[test]
fn other_code() {
    insta::assert_snapshot!(text(&fixtures::code()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        └─ ~ lambda-function authorizer (product-a-api-authorizer-dev):
               the configuration changed
             ~ code_sha256: 47DEQpj8HBSa… → uU0nuZNNPgil…
             ~ memory_mb:   128 → 256

        Plan: 0 to add, 1 to change, 0 to destroy.
        ");
}

#[test]
fn another_tag() {
    insta::assert_snapshot!(text(&fixtures::tag()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ stage gateway (dev): the configuration changed
        │    + tags.cost-centre: 4711
        │    ~ tags.team:        gateway → 平台网关
        │
        └─ ~ log-group authorizer (/aws/lambda/x): an earlier apply did not finish
             - tags.old: x

        Plan: 0 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn everything_is_new() {
    insta::assert_snapshot!(text(&fixtures::full_create()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ + log-group authorizer (/aws/lambda/product-a-api-authorizer-dev):
        │      not in AWS yet
        │    + retention_in_days: 7
        │
        ├─ + iam-role authorizer (product-a-authorizer-dev): not in AWS yet
        │    + path: /
        │    + trust policy  Allow sts:AssumeRole for Service lambda.amazonaws.com
        │    + inline policy logs write  Allow logs:CreateLogStream, logs:PutLogEvents
        │        on (known after apply)
        │
        ├─ + lambda-function authorizer (product-a-api-authorizer-dev): not in AWS yet
        │    + architecture:           arm64
        │    + code_sha256:            47DEQpj8HBSa…
        │    + environment.AUTH_TOKEN: (sensitive)
        │    + environment.ENV:        dev
        │    + handler:                bootstrap
        │    + memory_mb:              128
        │    + runtime:                provided.al2023
        │    + timeout_seconds:        15
        │
        ├─ + rest-api gateway (product-a-gateway-dev): not in AWS yet
        │    + api_key_source:               HEADER
        │    + binary_media_types:           multipart/form-data
        │    + description:                  the gate of product-a
        │    + disable_execute_api_endpoint: false
        │    + endpoint_type:                REGIONAL
        │    + ANY /auth-service/api/v1/oauth/{proxy+}  white_path
        │        → http://auth-service-dev.k8s-internal.example.com/api/v1/oauth/{proxy}
        │    + ANY /order-service/{proxy+}  normal_path
        │        → http://order-service-dev.k8s-internal.example.com/{proxy}
        │    + ANY /user-bff-service/api/v1/account/merge  normal_non_ttl_path
        │        → http://user-bff-service-dev.k8s-internal.example.com/api/v1/account/
        │          merge
        │    + ANY /user-bff-service/api/v1/agreements  through_path
        │        → https://internal-api.example.com/platform/api/v1/agreements
        │    + authorizer product-a-api-authorizer-dev  type REQUEST, ttl_seconds 10
        │    + authorizer product-a-api-non-ttl-authorizer-dev
        │        type REQUEST, ttl_seconds 0
        │    + gateway response ACCESS_DENIED  status_code 403
        │    + gateway response UNAUTHORIZED  status_code 401
        │    + policy allow-all-traffic  Allow execute-api:Invoke for *
        │        on execute-api:/*
        │    + policy deny-list  Deny execute-api:Invoke for *
        │      + Deny execute-api:/*/*/*/actuator
        │      + Deny execute-api:/*/*/*/actuator/**
        │      + Deny execute-api:/*/*/*/internal/**
        │      + Deny execute-api:/*/*/*/swagger-ui.html
        │
        ├─ + deployment gateway: not in AWS yet
        │      a snapshot of the API for the stage to serve
        │
        └─ + stage gateway (dev): not in AWS yet
             + access_log.destination:
                   arn:aws:logs:ap-southeast-1:111111111111:log-group:product-a
             + method_settings.*/*.data_trace:             true
             + method_settings.*/*.logging_level:          INFO
             + method_settings.*/*.metrics:                true
             + method_settings.*/*.throttling_burst_limit: 10000
             + method_settings.*/*.throttling_rate_limit:  10000
             + xray:                                       true

        Plan: 6 to add, 0 to change, 0 to destroy.
        ");
}

#[test]
fn everything_goes() {
    insta::assert_snapshot!(text(&destroy()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ - stage gateway (dev): everything is to go
        ├─ - deployment gateway: everything is to go
        │
        ├─ - rest-api gateway (product-a-gateway-dev): everything is to go
        │      with its 4 routes
        │
        ├─ - lambda-function authorizer (product-a-api-authorizer-dev):
        │      everything is to go
        └─ - iam-role authorizer (product-a-authorizer-dev): everything is to go

        Plan: 0 to add, 0 to change, 5 to destroy.
        ");
}

#[test]
fn somebody_changed_aws() {
    insta::assert_snapshot!(text(&fixtures::drift()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ stage gateway (dev): changed in AWS by somebody else
        │    ~ method_settings.*/*.throttling_burst_limit: 1 → 10000
        │    ~ xray:                                       false → true
        │
        └─ ~ rest-api gateway (product-a-gateway-dev):
               the configuration changed, and AWS was changed by somebody else
             - ANY /debug  → http://debug.example.com/
             ~ gateway response UNAUTHORIZED
               ~ templates.application/json:
                 + data:    null
                 ~ message: no → Please login again

        Plan: 0 to add, 2 to change, 0 to destroy.
        ");
}

#[test]
fn a_replacement_says_what_forces_it() {
    insta::assert_snapshot!(text(&fixtures::replacement()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        └─ -/+ iam-role authorizer (product-a-authorizer-role-dev):
                 the configuration changed
               ~ name: product-a-authorizer-dev → product-a-authorizer-role-dev
                     (forces replacement)

        Plan: 1 to add, 0 to change, 1 to destroy.
        ");
}

#[test]
fn long_texts_are_compared_by_line_and_by_word() {
    insta::assert_snapshot!(text(&fixtures::long_texts()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        └─ ~ stage gateway (dev): the configuration changed
             ~ access_log.format:
                 …
                 $context.field16
               - $context.field17
               + $context.authorizer.principalId
                 $context.field18
                 …
             ~ variables.banner:
                 …
                 two
               - three
               + 3
                 four
                 …
             ~ variables.url:
                   http://a.example.com/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                   xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                 → http://b.example.com/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                   xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx

        Plan: 0 to add, 1 to change, 0 to destroy.
        ");
}

#[test]
fn no_changes() {
    assert_eq!(text(&plan(Vec::new())), "No changes. product-a/dev matches the configuration.\n");
}

#[test]
fn warnings_stand_below() {
    insta::assert_snapshot!(text(&fixtures::warned()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ rest-api gateway (product-a-gateway-dev): the configuration changed
        │    + ANY /refund-service/{proxy+}  normal_path
        │        → http://refund-service-dev.k8s-internal.example.com/{proxy}
        │
        ├─ + deployment gateway: the configuration changed
        │      a snapshot of the API for the stage to serve
        │
        └─ ~ stage gateway (dev): the configuration changed
             ~ deployment: dep111 → (known after apply)

        warning: the deployment history of the API is long, and the oldest two snapshots
          will be deleted after this apply
          hint: `gwctl history` lists them; keep more with `keep_deployments` in
                stacks/gate/defaults.json

        Plan: 1 to add, 2 to change, 0 to destroy.
        ");
    let mut quiet = plan(Vec::new());
    quiet.warnings = vec![Warning { message: "the account has no log role".to_owned(), hint: None }];
    let text = text(&quiet);
    assert!(text.starts_with("No changes. product-a/dev"), "{text}");
    assert!(text.ends_with("\nwarning: the account has no log role\n"), "{text}");
}

#[test]
fn secrets_are_shown_nowhere() {
    let old =
        function(&json!({"AUTH_TOKEN": "tok-old", "db_password": "pw-same", "ENV": "dev", "API_KEY": "key-gone"}));
    let new =
        function(&json!({"AUTH_TOKEN": "tok-new", "db_password": "pw-same", "ENV": "test", "MY_SECRET": "sec-new"}));
    let mut from_nothing = function(&json!({}));
    from_nothing.as_object_mut().unwrap().remove("environment");
    let mut changed = plan(vec![
        update(&lambda_address(), Reason::ConfigurationChanged, &old, &new),
        update(&Address::new("gate", "lambda-function", "other"), Reason::Drifted, &from_nothing, &new),
        create(&Address::new("gate", "lambda-function", "third"), &new),
    ]);
    changed.unchanged = vec![fixtures::unchanged(&Address::new("gate", "lambda-function", "fourth"), &old)];
    let everything = [
        text(&changed),
        text_with(&changed, TextOptions { verbose: true, ..TextOptions::default() }),
        plan_markdown(&changed),
        plan_json(&changed).to_string(),
        several_json(&planned(&[changed.clone(), changed.clone()])).to_string(),
    ];
    for shown in everything {
        for secret in ["tok-", "pw-", "sec-", "key-"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("(sensitive)") && shown.contains("(sensitive, changed)"), "{shown}");
    }
    changed.steps.truncate(1);
    insta::assert_snapshot!(text(&changed), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        └─ ~ lambda-function authorizer (product-a-api-authorizer-dev):
               the configuration changed
             - environment.API_KEY:    (sensitive)
             ~ environment.AUTH_TOKEN: (sensitive, changed)
             ~ environment.ENV:        dev → test
             + environment.MY_SECRET:  (sensitive)

        Plan: 0 to add, 1 to change, 0 to destroy.
        ");
    let json = plan_json(&changed);
    let change = &json["resource_changes"][0]["change"];
    assert_eq!(
        change["before_sensitive"],
        json!({"environment": {"AUTH_TOKEN": true, "db_password": true, "API_KEY": true}})
    );
    assert_eq!(change["after"]["environment"]["AUTH_TOKEN"], "(sensitive, changed)");
    assert_eq!(change["after"]["environment"]["db_password"], "(sensitive)");
    assert_eq!(change["after"]["environment"]["ENV"], "test");
}

#[test]
fn every_line_fits_and_colour_adds_nothing() {
    for Scenario { name, plan } in scenarios() {
        for (width, verbose) in [(80, false), (80, true), (52, false), (120, true)] {
            let options = TextOptions { width, color: false, verbose };
            let plain = text_with(&plan, options);
            for line in plain.lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                assert!(columns <= width, "{name}: {columns} columns: {line}");
                assert_eq!(line.trim_end(), line, "{name}: blanks at the end");
            }
            let coloured = text_with(&plan, TextOptions { color: true, ..options });
            assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain, "{name}");
            assert!(coloured.contains("\u{1b}["), "{name}");
        }
    }
}

#[test]
fn verbose_text_leaves_nothing_out() {
    for Scenario { name, plan } in scenarios() {
        let text = text_with(&plan, TextOptions { verbose: true, ..TextOptions::default() });
        assert!(!text.contains("-v shows all"), "{name}:\n{text}");
    }
    let full = text_with(&fixtures::full_create(), TextOptions { verbose: true, width: 400, color: false });
    for told in ["OPTIONS", "$context.identity.sourceIp", "(known after apply: gate/rest-api/gateway#id)", "tags.team"]
    {
        assert!(full.contains(told), "{told} is not in\n{full}");
    }
}

#[test]
fn parts_without_words_of_their_own_are_still_told() {
    insta::assert_snapshot!(text(&fixtures::odds_and_ends()), @r"
        product-a/dev in 111111111111 ap-southeast-1

        gate
        ├─ ~ iam-role authorizer (product-a-authorizer-dev): the configuration changed
        │    ~ managed_policies:
        │      + arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole
        │    ~ trust policy
        │      + Allow principal Service apigateway.amazonaws.com
        │    - inline policy logs write  Allow logs:CreateLogStream, logs:PutLogEvents
        │        on (known after apply)
        │
        ├─ ~ rest-api gateway (product-a-gateway-dev):
        │      as wanted; only the record in its tags is missing or old
        │    + GET /solo  through_path → MOCK
        │    + POST /user-bff-service/api/v1/agreements  through_path
        │        → (known after apply)
        │    ~ OPTIONS /user-bff-service/api/v1/agreements  timeout 29000 → 5000
        │    + authorizer fresh
        │      + credentials:     (known after apply)
        │      + identity_source:
        │            method.request.header.Authorization, context.httpMethod
        │      + ttl_seconds:     300
        │      + type:            REQUEST
        │      + uri:             (known after apply)
        │    - policy allow-all-traffic  Allow execute-api:Invoke for *
        │        on execute-api:/*
        │    - policy deny-list  Deny execute-api:Invoke for *
        │      - Deny execute-api:/*/*/*/actuator
        │      - Deny execute-api:/*/*/*/actuator/**
        │      - Deny execute-api:/*/*/*/internal/**
        │      - Deny execute-api:/*/*/*/swagger-ui.html
        │
        └─ - deployment old (dep007): an old snapshot, beyond those kept for a rollback

        Plan: 0 to add, 2 to change, 1 to destroy.
        ");
}

#[test]
fn the_footer_counts() {
    let footer = |plan: &Plan| text(plan).lines().last().unwrap_or_default().to_owned();
    assert_eq!(footer(&fixtures::added_route()), "Plan: 1 to add, 2 to change, 0 to destroy.");
    assert_eq!(footer(&fixtures::replacement()), "Plan: 1 to add, 0 to change, 1 to destroy.");
}

#[test]
fn json_has_the_shape_of_terraform() {
    let mut added = fixtures::added_route();
    added.unchanged = vec![fixtures::unchanged(&lambda_address(), &function(&json!({"ENV": "dev"})))];
    let json = plan_json(&added);
    assert_eq!(json["format_version"], "1.2");
    assert_eq!(json["gwctl_version"], env!("CARGO_PKG_VERSION"));
    assert!(json.get("terraform_version").is_none());
    assert_eq!(json["gwctl"]["summary"], json!({"add": 1, "change": 2, "destroy": 0}));
    assert_eq!(json["gwctl"]["product"], "product-a");
    assert_eq!(json["gwctl"]["account"], "111111111111");
    let changes = json["resource_changes"].as_array().unwrap();
    let shown: Vec<Value> =
        changes.iter().map(|change| json!([change["address"], change["change"]["actions"]])).collect();
    assert_eq!(
        shown,
        [
            json!(["gate/rest-api/gateway", ["update"]]),
            json!(["gate/deployment/gateway", ["create"]]),
            json!(["gate/stage/gateway", ["update"]]),
            json!(["gate/lambda-function/authorizer", ["no-op"]]),
        ]
    );
    for change in changes {
        assert_eq!(change["mode"], "managed");
        for member in ["type", "name", "change"] {
            assert!(change.get(member).is_some(), "{member} in {change}");
        }
        for member in ["before", "after", "after_unknown", "before_sensitive", "after_sensitive"] {
            assert!(change["change"].get(member).is_some(), "{member} in {change}");
        }
    }
    assert_eq!(changes[3]["change"]["before"], changes[3]["change"]["after"]);
    // The stage will serve a deployment that has no id yet.
    let stage = &changes[2]["change"];
    assert_eq!(stage["after_unknown"], json!({"deployment": true}));
    assert!(stage["after"].get("deployment").is_none());
    assert_eq!(stage["before"]["deployment"], "dep111");
    // A create has nothing before, and Terraform says so in these two ways.
    assert_eq!(changes[1]["change"]["before"], Value::Null);
    assert_eq!(changes[1]["change"]["before_sensitive"], false);
    assert_eq!(json["resource_drift"], json!([]));
}

#[test]
fn json_tells_of_drift_and_replacement() {
    let json = plan_json(&fixtures::drift());
    let drift = json["resource_drift"].as_array().unwrap();
    assert_eq!(drift[0]["address"], "gate/stage/gateway");
    assert_eq!(drift[0]["change"]["before"]["xray"], true);
    assert_eq!(drift[0]["change"]["after"]["xray"], false);
    assert_eq!(json["resource_changes"][0]["change"]["after"]["xray"], true);
    assert_eq!(json["resource_changes"][0]["gwctl"]["reason"], "drifted");

    let json = plan_json(&fixtures::replacement());
    let change = &json["resource_changes"][0];
    assert_eq!(change["change"]["actions"], json!(["delete", "create"]));
    assert_eq!(change["change"]["replace_paths"], json!([["name"]]));
    assert_eq!(change["action_reason"], "replace_because_cannot_update");

    let json = plan_json(&destroy());
    for change in json["resource_changes"].as_array().unwrap() {
        assert_eq!(change["change"]["actions"], json!(["delete"]));
        assert_eq!(change["change"]["after"], Value::Null);
        assert_eq!(change["change"]["after_sensitive"], false);
    }
}

#[test]
fn an_unknown_item_of_a_list_keeps_its_place() {
    let spec = json!({"list": ["a", {"$output": "gate/rest-api/gateway#id"}, {"b": 1}]});
    let json = plan_json(&plan(vec![create(&api_address(), &spec)]));
    let change = &json["resource_changes"][0]["change"];
    assert_eq!(change["after"], json!({"list": ["a", null, {"b": 1}]}));
    assert_eq!(change["after_unknown"], json!({"list": [false, true, false]}));
}

#[test]
fn several_plans_are_one_object_with_longer_addresses() {
    let mut second = fixtures::throttle();
    second.owner.product = "product-b".to_owned();
    let plans = [fixtures::added_route(), second];
    let json = several_json(&planned(&plans));
    let addresses: Vec<&str> =
        json["resource_changes"].as_array().unwrap().iter().filter_map(|change| change["address"].as_str()).collect();
    assert_eq!(
        addresses,
        [
            "product-a/dev/gate/rest-api/gateway",
            "product-a/dev/gate/deployment/gateway",
            "product-a/dev/gate/stage/gateway",
            "product-b/dev/gate/stage/gateway",
        ]
    );
    assert_eq!(json["gwctl"]["summary"], json!({"add": 1, "change": 3, "destroy": 0}));
    assert_eq!(json["gwctl"]["plans"][1]["product"], "product-b");
    assert_eq!(several_json(&planned(&plans[..1])), plan_json(&plans[0]));
    assert_eq!((&json["complete"], &json["errored"]), (&json!(true), &json!(false)));
}

#[test]
fn an_environment_without_a_plan_keeps_its_place_in_json() {
    let manner = Manner { format: Format::Json, options: TextOptions::default(), several: true };
    let (first, second) = (fixtures::added_route(), fixtures::throttle());
    let why = Failure::new(FailureKind::Aws, "failed to ask").hint("log in");
    let all = [Planned::new(&first.owner, &first.place, Err(&why), manner), Planned::of(&second, manner)];
    let several = several_json(&all);
    let statuses: Vec<&Value> =
        several["gwctl"]["plans"].as_array().unwrap().iter().map(|plan| &plan["status"]).collect();
    assert_eq!(statuses, ["failed", "changes"]);
    let failed = json!({"message": "failed to ask", "hints": ["log in"]});
    assert_eq!(several["gwctl"]["plans"][0]["failure"], failed);
    assert_eq!((&several["complete"], &several["errored"]), (&json!(false), &json!(true)));
    let alone = several_json(&all[..1]);
    assert_eq!((&alone["gwctl"]["failure"], &alone["resource_changes"]), (&failed, &json!([])));
}

fn planned(plans: &[Plan]) -> Vec<Planned> {
    planned_as(Format::Json, plans)
}

fn planned_as(format: Format, plans: &[Plan]) -> Vec<Planned> {
    let manner = Manner { format, options: TextOptions::default(), several: plans.len() > 1 };
    plans.iter().map(|plan| Planned::of(plan, manner)).collect()
}

fn plan_json(plan: &Plan) -> Value {
    serde_json::to_value(PlanJson::of(plan)).unwrap()
}

fn several_json(planned: &[Planned]) -> Value {
    serde_json::to_value(plans_json(planned)).unwrap()
}

#[test]
fn every_format_is_written_through_one_door() {
    let plans = [fixtures::added_route(), fixtures::throttle()];
    let shown = |format| {
        let mut out = Vec::new();
        super::plans(&planned_as(format, &plans), format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(serde_json::from_str::<Value>(&shown(Format::Json)).unwrap(), several_json(&planned(&plans)));
    assert_eq!(shown(Format::Text), format!("{}\n{}", text(&plans[0]), text(&plans[1])));
    assert_eq!(shown(Format::Markdown), format!("{}\n{}", plan_markdown(&plans[0]), plan_markdown(&plans[1])));
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert_eq!("yaml".parse::<Format>(), Err("`yaml` is not one of text, json, markdown".to_owned()));
}

#[test]
fn markdown_for_a_pull_request() {
    insta::assert_snapshot!(plan_markdown(&fixtures::warned()), @r"
        ### `product-a/dev`: 1 to add, 2 to change, 0 to destroy

        Account `111111111111`, `ap-southeast-1`

        |   | Resource | Name in AWS | Why |
        |:-:|---|---|---|
        | `~` | `gate/rest-api/gateway` | `product-a-gateway-dev` | the configuration changed |
        | `+` | `gate/deployment/gateway` |  | the configuration changed |
        | `~` | `gate/stage/gateway` | `dev` | the configuration changed |

        > **Warning:** the deployment history of the API is long, and the oldest two snapshots will be deleted after this apply
        >
        > Hint: `gwctl history` lists them; keep more with `keep_deployments` in stacks/gate/defaults.json

        <details><summary>Details</summary>

        ```diff
          gate
        ! rest-api gateway (product-a-gateway-dev): the configuration changed
        +   ANY /refund-service/{proxy+}  normal_path
        +     → http://refund-service-dev.k8s-internal.example.com/{proxy}
        + deployment gateway: the configuration changed
            a snapshot of the API for the stage to serve
        ! stage gateway (dev): the configuration changed
        !   deployment: dep111 → (known after apply)
        ```

        </details>
        ");
}

#[test]
fn markdown_cannot_be_broken_out_of() {
    let mut old = stage("dep111");
    old["variables"] = json!({"note": "x"});
    let mut new = old.clone();
    new["variables"]["note"] = json!("```\n</details><script>");
    let mut broken = plan(vec![update(&stage_address(), Reason::ConfigurationChanged, &old, &new)]);
    broken.warnings = vec![Warning { message: "<img src=x>\n# big".to_owned(), hint: None }];
    let page = plan_markdown(&broken);
    assert!(page.contains("\n````diff\n"), "{page}");
    assert!(!page.contains("<img"), "{page}");
    assert!(!page.lines().any(|line| line == "# big"), "{page}");
    assert_eq!(page.lines().filter(|line| line.starts_with("```")).count(), 2, "{page}");
}
