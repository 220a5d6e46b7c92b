//! What holds for any valid configuration, and for any bytes in its files.

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gwctl::config::{self, GatewayStack};
use gwctl::drift;
use gwctl::model::Found;
use gwctl::sandbox::Sandbox;
use gwctl::stack::{self, Expansion, Zips};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use support::project::{DEFAULTS, DEV, Project};
use support::{Session, expand};

/// A route of one of the four types.
#[derive(Debug, Clone)]
struct Route {
    list: &'static str,
    path: String,
    /// For a through route.
    target: Option<String>,
}

/// Everything that is made up about an environment.
#[derive(Debug, Clone)]
struct Env {
    routes: Vec<Route>,
    ttl: i32,
    rate: f64,
    burst: i32,
    media: BTreeSet<String>,
}

/// How a path goes on behind its service: parameters have one name at one place, as API Gateway wants it.
const TAILS: [&str; 6] = ["", "/{id}", "/{id}/parts", "/{id}/parts/{part}", "/{id}/parts/{part}/{proxy+}", "/{proxy+}"];

fn lists() -> impl Strategy<Value = &'static str> {
    select(&["normal_path", "normal_non_ttl_path", "white_path", "through_path"][..])
}

/// Routes below a few services, so that they share beginnings; each has a part of its own, so that no two collide.
fn routes() -> impl Strategy<Value = Vec<Route>> {
    let one = (lists(), select(&["order-service", "user.service_2", "x"][..]), select(&TAILS[..]), any::<bool>());
    vec(one, 1..12).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(number, (list, service, tail, slash))| {
                let path = format!("/{service}/r{number}{tail}");
                let slash = if slash { "/" } else { "" };
                let target = format!("https://api-{number}.example.com:8443/v{number}{slash}");
                Route { list, path, target: (list == "through_path").then_some(target) }
            })
            .collect()
    })
}

fn environments() -> impl Strategy<Value = Env> {
    let media = select(&["image/png", "multipart/form-data", "*/*", "application/x-thing+zip"][..]);
    let media = vec(media, 0..4).prop_map(|all| all.into_iter().map(str::to_owned).collect());
    let rate = (0_i32..40_000).prop_map(|quarter| f64::from(quarter) / 4.0);
    (routes(), 0..=3600, rate, 0..10_000, media).prop_map(|(routes, ttl, rate, burst, media)| Env {
        routes,
        ttl,
        rate,
        burst,
        media,
    })
}

/// The configuration with that environment as product-a's `dev`.
fn project(env: &Env) -> Project {
    let project = Project::new();
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for Route { list, path, target } in &env.routes {
        let entry = match target {
            Some(target) => json!({"pass_through_source_path": path, "pass_through_target_path": target}),
            None => json!({"service_path": path}),
        };
        lists.entry(list).or_default().push(entry);
    }
    project.edit(DEV, |file| {
        file["gateway_api"] = json!(lists);
        file["authorizer_result_ttl"] = json!(env.ttl);
        file["throttling_rate_limit"] = json!(env.rate);
        file["throttling_burst_limit"] = json!(env.burst);
        file["binary_media_types"] = json!(env.media);
    });
    project
}

/// The headers that tell a backend who calls.
const IDENTITY: [&str; 4] = ["x-user-token", "x-user-id", "x-user-scope", "x-auth-type"];

/// What the kind of token is on an open method is the client's word, and stays that.
const CHANNEL: &str = "integration.request.header.x-auth-channel";

fn assert_identity(method: &Value, known: bool) {
    for header in IDENTITY {
        let parameter = format!("integration.request.header.{header}");
        let value = &method["x-amazon-apigateway-integration"]["requestParameters"][&parameter];
        let expected = if known { format!("context.authorizer.{header}") } else { "''".to_owned() };
        assert_eq!(value, &json!(expected), "{header}");
    }
}

fn document(expansion: &Expansion) -> &Value {
    &expansion.gateway(GatewayStack::Gate).unwrap().document
}

fn assert_route(item: &Value, route: &Route) {
    let verbs: BTreeSet<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(verbs, BTreeSet::from(["options", "x-amazon-apigateway-any-method"]), "{route:?}");
    assert!(item["options"].get("security").is_none(), "{route:?}");
    assert_identity(&item["options"], false);
    let any = &item["x-amazon-apigateway-any-method"];
    let authorizer = match route.list {
        "normal_path" => Some("product-a-api-authorizer-dev"),
        "normal_non_ttl_path" => Some("product-a-api-non-ttl-authorizer-dev"),
        _ => None,
    };
    assert_eq!(any.get("security"), authorizer.map(|name| json!([{ name: [] }])).as_ref(), "{route:?}");
    assert_identity(any, authorizer.is_some());
    let channel = |method: &Value| method["x-amazon-apigateway-integration"]["requestParameters"].get(CHANNEL).cloned();
    let known = authorizer.is_some();
    assert_eq!(channel(any), known.then(|| json!("context.authorizer.x-auth-channel")), "{route:?}");
    assert_eq!(channel(&item["options"]), known.then(|| json!("''")), "{route:?}");
    let uri = any["x-amazon-apigateway-integration"]["uri"].as_str().unwrap();
    let link = any["x-amazon-apigateway-integration"].get("connectionId").is_some();
    assert_eq!(link, route.target.is_none(), "{route:?}");
    assert_eq!(uri.contains("{proxy}"), route.path.ends_with("{proxy+}"), "what a proxy takes is passed on: {uri}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn a_document_says_what_the_configuration_says(env in environments()) {
        let project = project(&env);
        let (_, _, expansion) = expand(project.root(), "product-a", "dev");
        let document = self::document(&expansion);
        let text = document.to_string();
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), document);
        let (_, _, again) = expand(project.root(), "product-a", "dev");
        prop_assert_eq!(&text, &self::document(&again).to_string(), "the same bytes twice");

        let paths = document["paths"].as_object().unwrap();
        let declared: BTreeSet<&str> = env.routes.iter().map(|route| route.path.as_str()).collect();
        prop_assert_eq!(declared.len(), env.routes.len());
        prop_assert_eq!(paths.keys().map(String::as_str).collect::<BTreeSet<_>>(), declared);
        for route in &env.routes {
            // Once, in the bytes as well, where a parser would keep the last of two.
            prop_assert_eq!(text.matches(&format!("{}:{{", json!(route.path))).count(), 1);
            assert_route(&paths[&route.path], route);
        }
        let schemes = &document["components"]["securitySchemes"];
        let cached = &schemes["product-a-api-authorizer-dev"]["x-amazon-apigateway-authorizer"];
        prop_assert_eq!(&cached["authorizerResultTtlInSeconds"], &json!(env.ttl));
        let uncached = &schemes["product-a-api-non-ttl-authorizer-dev"]["x-amazon-apigateway-authorizer"];
        prop_assert_eq!(&uncached["authorizerResultTtlInSeconds"], &json!(0));
        let media = document["x-amazon-apigateway-binary-media-types"].as_array();
        let media: BTreeSet<&str> = media.into_iter().flatten().filter_map(Value::as_str).collect();
        prop_assert_eq!(media, env.media.iter().map(String::as_str).collect::<BTreeSet<_>>());
    }

    #[test]
    fn files_of_any_bytes_are_faults_and_no_panic(
        file in select(&FILES[..]),
        bytes in prop_oneof![vec(any::<u8>(), 0..200), "\\PC{0,100}".prop_map(String::into_bytes)],
    ) {
        let project = Project::new();
        fs::write(project.root().join(file), &bytes).unwrap();
        load_and_expand(&project);
    }

    #[test]
    fn files_with_some_bytes_changed_are_no_panic(
        file in select(&FILES[..]),
        edits in vec((any::<Index>(), select(&SPLINTERS[..]), 0_usize..12), 1..6),
    ) {
        let project = Project::new();
        let path = project.root().join(file);
        let mut bytes = fs::read(&path).unwrap();
        for (at, splinter, removed) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, splinter.bytes());
        }
        fs::write(&path, bytes).unwrap();
        load_and_expand(&project);
    }

    #[test]
    fn a_value_of_another_type_is_no_panic(
        file in select(&FILES[..FILES.len() - 1]),
        at in any::<Index>(),
        value in select(&["null", "true", "-1", "1e99", "\"\"", "\"${\"", "[]", "[[null]]", "{}", "{\"\": {}}"][..]),
    ) {
        let project = Project::new();
        let mut document = project.read(file);
        let mut pointers = Vec::new();
        collect(&document, String::new(), &mut pointers);
        let pointer = &pointers[at.index(pointers.len())];
        *document.pointer_mut(pointer).unwrap() = serde_json::from_str(value).unwrap();
        fs::write(project.root().join(file), document.to_string()).unwrap();
        load_and_expand(&project);
    }
}

proptest! {
    // Each case is an apply of ten resources.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn what_was_applied_reads_back_the_same(first in environments(), second in environments()) {
        let sandbox = Sandbox::in_memory();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            for (env, when) in [(&first, "after the first"), (&second, "after the second")] {
                let project = project(env);
                let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
                session.apply().await;
                session.assert_converged(when).await;
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_was_applied_and_left_alone_has_not_drifted(env in environments()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (project, sandbox) = (project(&env), Sandbox::in_memory());
            let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
            session.apply().await;
            let live = session.observe().await.unwrap();
            let drift = drift::classify(&drift::Input {
                owner: &session.owner,
                place: &session.place,
                desired: &session.desired,
                predicted: &session.registry.predict(&session.place, &session.desired).unwrap(),
                live: &live,
                rules: &session.registry.rules(),
                unread: &BTreeMap::new(),
                applied: None,
            });
            let drift = drift.unwrap();
            let found: Vec<_> = drift.found().collect();
            assert!(found.is_empty() && drift.pending.is_empty(), "{found:#?} {:#?}", drift.pending);
            assert_eq!(drift.summary().in_sync, session.desired.len());
        });
    }
}

/// The files that are made wrong; the last one is no JSON.
const FILES: [&str; 6] = [
    DEV,
    DEFAULTS,
    "stacks/gate/policy.json",
    "stacks/gate/gateway_responses.json",
    "stacks/gate/routes/normal_path.json",
    "environments/targets.toml",
];

/// What files tend to break at.
const SPLINTERS: [&str; 16] =
    ["", "{", "}", "[", "]", "\"", ",", ":", "${", "}+", "/", "//", "é", "\u{0}", "9999999999999999999999", "\\u12"];

fn load_and_expand(project: &Project) {
    let (configuration, faults) = config::load(project.root());
    // Whatever is wrong can be shown.
    assert_eq!(faults.render(false).is_empty(), faults.is_empty());
    for environment in &configuration.environments {
        if let Ok(Err(faults)) = stack::expand(&configuration, environment, &Zips::UNBUILT, &Found::nothing()) {
            assert!(faults.has_errors() && !faults.render(true).is_empty());
        }
    }
}

/// JSON pointers to every value.
fn collect(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                collect(member, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(at);
}
