//! Each lint on a smallest configuration that it speaks of, and on one that it has nothing to say to.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::Found;
use crate::stack::Zips;

const DEV: &str = "environments/product-a/dev.json";
const POLICY: &str = "stacks/gate/policy.json";

/// The repository's stacks with environments of one's own.
struct Root(TempDir);

impl Root {
    /// One environment, `dev`, with these path lists.
    fn new(lists: &Value) -> Self {
        let root = Self(TempDir::new().unwrap());
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks"), &root.0.path().join("stacks"));
        let targets = ["dev", "prod"]
            .map(|name| format!("[{name}]\naccount = \"123456789012\"\nregion = \"eu-central-1\"\n"))
            .concat();
        root.write("environments/targets.toml", &targets);
        root.environment("dev", lists, &json!({}));
        root
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn environment(&self, name: &str, lists: &Value, settings: &Value) {
        let mut environment = json!({
            "app_group": "product-a", "gateway_stage_name": name, "vpc_link_id": "abc123",
            "authorizer": {"auth_host": "auth.example.com"}, "gateway_api": lists,
        });
        let members = settings.as_object().unwrap().clone();
        environment.as_object_mut().unwrap().extend(members);
        let text = serde_json::to_string_pretty(&environment).unwrap();
        self.write(&format!("environments/product-a/{name}.json"), &text);
    }

    /// A policy that denies these resources, of the gate.
    fn deny(&self, resources: &[&str]) {
        let statement = |effect: &str, resource: Value| json!({"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource});
        let mut statements = vec![statement("Allow", json!("execute-api:/*"))];
        if !resources.is_empty() {
            statements.push(statement("Deny", json!(resources)));
        }
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        self.write(POLICY, &serde_json::to_string_pretty(&policy).unwrap());
    }

    fn faults(&self) -> Faults {
        let (configuration, faults) = config::load(self.0.path());
        assert!(!faults.has_errors(), "{}", faults.render(false));
        let checked: Vec<Checked<'_>> = configuration
            .environments
            .iter()
            .map(|environment| {
                let expanded = stack::expand(&configuration, environment, &Zips::UNBUILT, &Found::nothing()).unwrap();
                let gateways = expanded.unwrap_or_else(|faults| panic!("{}", faults.render(false))).gateways;
                Checked { environment, gateways }
            })
            .collect();
        run(&configuration, &checked)
    }

    /// Findings as `lint: the text they point at`.
    fn found(&self) -> Vec<String> {
        let faults = self.faults();
        let shown = |fault: &Fault| {
            let span = fault.span.as_ref().expect("a lint speaks of a line");
            assert!(fault.hint.is_some(), "{fault:?}");
            format!("{}: {}", fault.lint.unwrap_or("-"), span.text().trim_matches('"'))
        };
        faults.iter().map(shown).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn service(paths: &[&str]) -> Value {
    paths.iter().map(|path| json!({"service_path": path})).collect()
}

fn through(target: &str, allow: &[&str]) -> Value {
    let mut entry = json!({"pass_through_source_path": "/a/b", "pass_through_target_path": target});
    if !allow.is_empty() {
        entry["allow"] = json!(allow);
    }
    json!({"through_path": [entry]})
}

#[test]
fn an_open_through_route_is_told_unless_its_entry_says_so() {
    let root = Root::new(&through("https://x.example.com/b", &[]));
    assert_eq!(root.found(), ["unauthenticated-through: /a/b"]);
    let fault = root.faults().into_iter().next().unwrap();
    assert_eq!(fault.file, Path::new(DEV));
    assert_eq!(fault.message, "`/a/b` is open to everybody and goes to `x.example.com`");

    let allowed = Root::new(&through("https://x.example.com/b", &["unauthenticated-through"]));
    assert_eq!(allowed.found(), [""; 0]);

    // The template decides, and not its name.
    let file = "stacks/gate/routes/through_path.json";
    let mut template: Value = serde_json::from_slice(&fs::read(root.0.path().join(file)).unwrap()).unwrap();
    let any = &mut template["path_item"]["x-amazon-apigateway-any-method"];
    any["security"] = json!([{"${authorizer}": []}]);
    root.write(file, &template.to_string());
    assert_eq!(root.found(), [""; 0]);
}

#[test]
fn what_is_allowed_in_vain_is_told() {
    let stale = Root::new(&json!({"normal_path": [{"service_path": "/a/{p+}", "allow": ["shadowed-route"]}]}));
    assert_eq!(stale.found(), ["unused-allow: shadowed-route"]);
    let other = Root::new(&json!({"normal_path": [{"service_path": "/a/{p+}", "allow": ["deny-list-gap"]}]}));
    assert_eq!(other.found(), ["unused-allow: deny-list-gap"]);
    let unknown = Root::new(&json!({"normal_path": [{"service_path": "/a/{p+}", "allow": ["shadowed-rout"]}]}));
    let faults = unknown.faults();
    assert_eq!(faults.errors(), 1);
    assert!(faults.render(false).contains("shadowed-route"), "{}", faults.render(false));
}

#[test]
fn a_target_over_plain_http_is_told() {
    let allow = ["unauthenticated-through"];
    assert_eq!(
        Root::new(&through("http://x.example.com/b", &allow)).found(),
        ["plain-http-target: http://x.example.com/b"]
    );
    assert_eq!(Root::new(&through("https://x.example.com/http://", &allow)).found(), [""; 0]);
}

#[test]
fn a_kept_answer_before_what_sounds_like_a_change_is_told() {
    let paths = ["/user/api/account/merge", "/user/api/resetPassword/{id}", "/refund-service/api/orders", "/user/{p+}"];
    let root = Root::new(&json!({"normal_path": service(&paths)}));
    let expected =
        ["cached-state-change: /user/api/account/merge", "cached-state-change: /user/api/resetPassword/{id}"];
    assert_eq!(root.found(), expected);
    let fresh = Root::new(&json!({"normal_non_ttl_path": service(&paths)}));
    assert_eq!(fresh.found(), [""; 0]);
    root.environment("dev", &json!({"normal_path": service(&paths)}), &json!({"authorizer_result_ttl": 0}));
    assert_eq!(root.found(), [""; 0]);
}

#[test]
fn a_route_that_another_takes_requests_from_is_told() {
    let root = Root::new(&json!({"normal_path": service(&["/a/{id}/x"]), "white_path": service(&["/a/b/{rest+}"])}));
    assert_eq!(root.found(), ["shadowed-route: /a/{id}/x"]);
    let fault = root.faults().into_iter().next().unwrap();
    assert!(fault.message.contains("`/a/b/x`"), "{}", fault.message);
    assert_eq!(fault.related.unwrap().0.text(), "\"/a/b/{rest+}\"");
    // Who may call it is the same, whoever gets it.
    let same = Root::new(&json!({"normal_path": service(&["/a/{id}/x", "/a/b/{rest+}"])}));
    assert_eq!(same.found(), [""; 0]);
    let open = json!({"normal_path": service(&["/a/{rest+}"]), "white_path": service(&["/a/login"])});
    assert_eq!(Root::new(&open).found(), [""; 0]);
}

#[test]
fn a_route_with_authentication_inside_an_open_one_is_told() {
    let lists = json!({"normal_path": service(&["/a/secret"]), "white_path": service(&["/a/{rest+}"])});
    assert_eq!(Root::new(&lists).found(), ["protected-in-open: /a/secret"]);
    // Another host is another service.
    let lists = json!({"normal_path": service(&["/a/secret"]), "white_path": service(&["/{rest+}"])});
    assert_eq!(Root::new(&lists).found(), [""; 0]);
}

#[test]
fn a_route_that_an_environment_lacks_is_told_once() {
    let root = Root::new(&json!({"normal_path": service(&["/a/{p+}", "/b/{p+}"])}));
    assert_eq!(root.found(), [""; 0], "one environment has nothing to be compared with");
    root.environment("prod", &json!({"normal_path": service(&["/a/{p+}"])}), &json!({}));
    assert_eq!(root.found(), ["route-in-some-environments: /b/{p+}"]);
    let fault = root.faults().into_iter().next().unwrap();
    assert_eq!(fault.message, "`/b/{p+}` is in dev and not in prod");
    let entry = json!({"service_path": "/b/{p+}", "allow": ["route-in-some-environments"]});
    root.environment("dev", &json!({"normal_path": [{"service_path": "/a/{p+}"}, entry]}), &json!({}));
    assert_eq!(root.found(), [""; 0]);
    root.environment("prod", &json!({"normal_path": service(&["/a/{p+}", "/b/{p+}"])}), &json!({}));
    assert_eq!(root.found(), ["unused-allow: route-in-some-environments"]);
}

/// Denies that keep the lint of well-known endpoints silent.
const WELL: [&str; 3] = ["execute-api:/*/actuator*", "execute-api:/*/swagger-*", "execute-api:/*/api-docs*"];

#[test]
fn a_gap_in_the_deny_list_is_told() {
    let root = Root::new(&json!({"normal_path": service(&["/a/{p+}"])}));
    let check = |resources: &[&str]| {
        root.deny(&[resources, &WELL].concat());
        root.found()
    };
    assert_eq!(check(&["execute-api:/*/*/internal"]), ["deny-list-gap: execute-api:/*/*/internal"]);
    let fault = root.faults().into_iter().next().unwrap();
    assert_eq!(fault.file, Path::new(POLICY));
    assert!(fault.hint.unwrap().contains("`execute-api:/*/*/internal/*`"));
    assert_eq!(check(&["execute-api:/*/*/internal/*"]), ["deny-list-gap: execute-api:/*/*/internal/*"]);
    // Less is denied below the path than at it.
    let narrow = check(&["execute-api:/*/*/internal", "execute-api:/*/GET/a/internal/*"]);
    assert_eq!(narrow, ["deny-list-gap: execute-api:/*/*/internal"]);
    assert_eq!(check(&["execute-api:/*/*/internal", "execute-api:/*/*/internal/*"]), [""; 0]);
    assert_eq!(check(&["execute-api:/*/*/internal*", "execute-api:/*/DELETE/*"]), [""; 0]);
}

#[test]
fn a_deny_that_nothing_meets_is_told() {
    let root = Root::new(&json!({"normal_path": service(&["/a/{p+}", "/b"])}));
    let check = |resources: &[&str]| {
        root.deny(&[resources, &WELL].concat());
        root.found()
    };
    for pattern in ["execute-api:/a/x*", "execute-api:/dev/get/a*", "execute-api:/prod/*", "execute-api:/dev/*/b/c*"] {
        // The last lies inside `/a/{p+}` too.
        let expected: &[String] =
            if pattern.ends_with("/c*") { &[] } else { &[format!("deny-matches-nothing: {pattern}")] };
        assert_eq!(check(&[pattern]), expected, "{pattern}");
    }
    assert_eq!(check(&["execute-api:/dev/?ET/c/x*"]), ["deny-matches-nothing: execute-api:/dev/?ET/c/x*"]);
    // A precaution for whatever route may come.
    assert_eq!(check(&["execute-api:/*/*/b/never*"]), [""; 0]);
    assert_eq!(check(&["execute-api:/${stage}/*/a/x*"]), [""; 0]);
    // One environment that it is for is enough.
    root.environment("prod", &json!({"normal_path": service(&["/a/{p+}", "/b"])}), &json!({}));
    assert_eq!(check(&["execute-api:/prod/*"]), [""; 0]);
}

#[test]
fn endpoints_of_frameworks_that_are_not_denied_are_told() {
    let root = Root::new(&json!({"normal_path": service(&["/a/{p+}"])}));
    root.deny(&[]);
    assert_eq!(root.found().len(), 5, "{:?}", root.found());
    root.deny(&WELL);
    assert_eq!(root.found(), [""; 0]);
    root.deny(&["execute-api:/*/*/actuator", WELL[1], WELL[2]]);
    let messages: Vec<String> = root.faults().iter().map(|fault| fault.message.clone()).collect();
    assert!(messages.iter().any(|message| message.contains("`/actuator/heapdump`")), "{messages:?}");
    // Nobody gets to the root of a service here.
    root.environment("dev", &json!({"normal_path": service(&["/a/api/{p+}", "/a/x"])}), &json!({}));
    root.deny(&[]);
    assert_eq!(root.found(), [""; 0]);
}

#[test]
fn the_internal_gateway_is_looked_at_too() {
    let root = Root::new(&json!({"normal_path": service(&["/a/{p+}"])}));
    let system = json!({
        "gateway_system": {"normal_path": service(&["/a/api/delete"])},
        "system": {"authorizer": {"callers": {"b": ["35143aa28b90670d1195b67bc9a43aeb134619695f0a8387c8409af9c5d8051b"]}}},
    });
    root.environment("dev", &json!({"normal_path": service(&["/a/{p+}"])}), &system);
    assert!(root.found().contains(&"cached-state-change: /a/api/delete".to_owned()), "{:?}", root.found());
}

#[test]
fn levels_make_errors_of_warnings_or_take_them_away() {
    let root = Root::new(&through("http://x.example.com/b", &[]));
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let count = |deny_warnings, deny: &[&str], allow: &[&str]| {
        let mut faults = root.faults();
        Levels { deny_warnings, deny: names(deny), allow: names(allow) }.apply(&mut faults);
        (faults.len(), faults.errors())
    };
    assert_eq!(count(false, &[], &[]), (2, 0));
    assert_eq!(count(false, &["plain-http-target"], &[]), (2, 1));
    assert_eq!(count(true, &[], &["plain-http-target"]), (1, 1));
    assert_eq!(count(false, &[], &["plain-http-target", "unauthenticated-through"]), (0, 0));
}

#[test]
fn names_are_names_and_sentences_are_sentences() {
    let mut seen = HashSet::new();
    for lint in LINTS {
        assert!(seen.insert(lint.name), "{} is there twice", lint.name);
        assert!(lint.name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'), "{}", lint.name);
        for text in [lint.summary, lint.why, lint.remedy] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
        }
    }
}

#[test]
fn differences_are_by_key_after_layering_and_by_path() {
    let root = Root::new(&json!({"normal_path": service(&["/a/{p+}", "/b/{p+}"])}));
    let settings = json!({"throttling_rate_limit": 10000, "authorizer_result_ttl": 5});
    root.environment("prod", &json!({"white_path": service(&["/a/{p+}"])}), &settings);
    let names = ["prod".to_owned(), "dev".to_owned()];
    let configuration = config::load_selected(root.0.path(), &[], &names, true).unwrap();
    let [compared] = &compare::compare(&configuration, &names)[..] else { panic!("one product") };
    assert_eq!(compared.environments, names);
    let row = |name: &str, values: [Option<Value>; 2]| compare::Row { name: name.to_owned(), values: values.into() };
    // The rate is what the defaults say anyway.
    let expected = [
        row("authorizer_result_ttl", [Some(json!(5)), Some(json!(300))]),
        row("gateway_stage_name", [Some(json!("prod")), Some(json!("dev"))]),
    ];
    assert_eq!(compared.settings, expected);
    let expected = [
        row("gate /a/{p+}", [Some(json!("white_path")), Some(json!("normal_path"))]),
        row("gate /b/{p+}", [None, Some(json!("normal_path"))]),
    ];
    assert_eq!(compared.routes, expected);
}
