//! What the configuration accepts, the authorizer has to accept too: a function that refuses its own environment answers
//! 500 to everybody.

#[path = "support/project.rs"]
mod project;

use std::path::Path;

use authorizer::gate::{Settings, UnknownChannel};
use gwctl::config::{self, Configuration, LoadError};
use gwctl::model::Found;
use gwctl::stack::{self, Zips};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use project::{DEFAULTS, DEV, Project};

const AUTH_HOST: &str = "abc123def4.execute-api.ap-southeast-1.amazonaws.com";

fn load() -> Configuration {
    let (configuration, faults) = config::load(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(!faults.has_errors(), "{}", faults.render(false));
    configuration
}

/// Product-a's `dev` of a project.
fn load_dev(project: &Project) -> Result<Configuration, LoadError> {
    config::load_selected(project.root(), &["product-a".to_owned()], &["dev".to_owned()], false)
}

/// What product-a's `dev` becomes with some settings of the authorizer, or the faults as `check` shows them.
fn with(settings: &Value) -> Result<Configuration, String> {
    let project = Project::new();
    project.edit(DEV, |environment| {
        let authorizer = environment["authorizer"].as_object_mut().unwrap();
        authorizer.extend(settings.as_object().unwrap().clone());
    });
    load_dev(&project).map_err(faults)
}

fn faults(error: LoadError) -> String {
    match error {
        LoadError::Faults(faults) => faults.render(false),
        LoadError::Failure(failure) => panic!("{failure}"),
    }
}

/// The environment variables of the functions of every environment.
fn variables(configuration: &Configuration) -> Vec<Value> {
    let mut found = Vec::new();
    for environment in &configuration.environments {
        let expansion = stack::expand(configuration, environment, &Zips::UNBUILT, &Found::nothing()).unwrap().unwrap();
        let functions = expansion.desired.into_iter();
        let functions =
            functions.filter(|one| (one.address.stack(), one.address.kind()) == ("gate", "lambda-function"));
        found.extend(functions.map(|one| one.spec["environment"].clone()));
    }
    found
}

fn read(variables: &Value) -> Result<Settings, String> {
    Settings::read(|name| variables[name].as_str().map(str::to_owned)).map_err(|faults| faults.to_string())
}

/// The settings of the functions, each read by the function itself.
fn settings(configuration: &Configuration) -> Vec<Settings> {
    let all = variables(configuration);
    all.iter().map(|one| read(one).unwrap_or_else(|faults| panic!("{faults}: {one}"))).collect()
}

#[test]
fn every_environment_of_the_repository_is_one_the_authorizer_takes() {
    let all = settings(&load());
    assert!(all.len() >= 16, "two functions in each of eight environments");
    for one in all {
        let known: Vec<(&str, &str, &str)> = one
            .channels
            .iter()
            .map(|channel| (&*channel.name, &*channel.context["x-auth-type"], &*channel.context["x-user-scope"]))
            .collect();
        let expected = [
            ("default", "standard", "customer"),
            ("mobile-app", "mobile", "customer"),
            ("third-party", "third-party", "customer"),
            ("wechat-mini", "wechat", "customer"),
        ];
        assert_eq!(known, expected);
        assert_eq!((one.channels.unknown, one.channels.required), (UnknownChannel::Refuse, false));
        assert!(one.channels.iter().all(|channel| channel.path.ends_with("/auth-service/api/v1/validate-token")));
    }
}

#[test]
fn the_two_functions_differ_in_what_is_kept_alone() {
    let all = variables(&with(&json!({})).unwrap());
    let [cached, uncached] = all.as_slice() else { panic!("two functions") };
    let mut same = uncached.clone();
    same["RESULT_CACHED"] = json!("true");
    assert_eq!((cached, &uncached["RESULT_CACHED"]), (&same, &json!("false")));
}

#[test]
fn what_is_set_arrives() {
    let configuration = with(&json!({
        "auth_host": format!("{AUTH_HOST}:8443/dev"),
        "auth_path": "/p",
        "unknown_channel": "default",
        "channel_required": true,
        "channels": {
            "wechat-mini": null,
            "mobile-app": { "host": "mobile.example.com", "token_in": "header:x-token" },
            "partner": { "yes_when": { "pointer": "/active", "equals": true }, "user_id": "/sub", "scope": "/scope" },
        },
    }));
    for one in settings(&configuration.unwrap()) {
        assert_eq!(one.auth_host, format!("{AUTH_HOST}:8443/dev"));
        assert_eq!((one.channels.unknown, one.channels.required), (UnknownChannel::Default, true));
        let names: Vec<&str> = one.channels.iter().map(|channel| channel.name.as_str()).collect();
        assert_eq!(names, ["default", "mobile-app", "partner", "third-party"]);
        let mobile = one.channels.get("mobile-app").unwrap();
        assert_eq!((mobile.host.as_deref(), mobile.path.as_str()), (Some("mobile.example.com"), "/p"));
        assert_eq!(mobile.context["x-auth-type"], "mobile", "what is not said stays");
        let partner = one.channels.get("partner").unwrap();
        assert_eq!((partner.user_id.as_str(), partner.scope.as_deref()), ("/sub", Some("/scope")));
        assert_eq!((partner.yes_when.pointer.as_str(), &partner.yes_when.equals), ("/active", &json!(true)));
    }
}

/// The time-outs at both ends of what the authorizer takes, and the first beyond them.
#[test]
fn the_ends_of_what_the_authorizer_takes_are_those_of_the_configuration() {
    for (milliseconds, taken) in [(99, false), (100, true), (14_000, true), (14_001, false)] {
        let variables = json!({ "AUTH_HOST": AUTH_HOST, "AUTH_TIMEOUT_MS": milliseconds.to_string() });
        assert_eq!(read(&variables).is_ok(), taken, "{milliseconds}");
        let configured = with(&json!({ "auth_timeout_ms": milliseconds }));
        assert_eq!(configured.is_ok(), taken, "{milliseconds}");
        if let Ok(configuration) = &configured {
            drop(settings(configuration));
        }
    }
}

/// One of the right values, and now and then one of the wrong ones.
fn mostly(right: &[Value], wrong: &[Value]) -> impl Strategy<Value = Value> + use<> {
    prop_oneof![12 => select(right.to_vec()), 1 => select(wrong.to_vec())]
}

fn channel() -> impl Strategy<Value = Value> {
    let context = mostly(
        &[json!({ "x-user-scope": "customer" }), json!({ "x-user-scope": "a b", "tenant": "\"quoted\\\"" })],
        &[
            json!({ "x-user-scope": "\u{fc}" }),
            json!({ "x-user-scope": "customer", "x-user-id": "me" }),
            json!({ "a": "x".repeat(1024) }),
            json!("customer"),
        ],
    );
    let yes_when = mostly(
        &[json!({ "pointer": "/ok", "equals": true }), json!({ "pointer": "/a~1b", "equals": 0 })],
        &[json!({ "pointer": "ok", "equals": true }), json!({ "pointer": "/ok", "equals": [] }), json!({})],
    );
    let path = mostly(&[json!("/a"), json!("/a/%7Eb"), json!(null)], &[json!("a"), json!("/a?b"), json!(1)]);
    let host = mostly(&[json!("b.example.com"), json!("b:8443/x")], &[json!("https://b"), json!("")]);
    let place = mostly(&[json!("query:t"), json!("header:Authorization")], &[json!("header:host"), json!("cookie:t")]);
    let member = prop_oneof![
        path.prop_map(|value| ("path", value)),
        host.prop_map(|value| ("host", value)),
        place.prop_map(|value| ("token_in", value)),
        yes_when.prop_map(|value| ("yes_when", value)),
        mostly(&[json!("/sub")], &[json!("sub"), json!("")]).prop_map(|value| ("user_id", value)),
        mostly(&[json!("/scope")], &[json!("/a~2"), json!(["/scope"])]).prop_map(|value| ("scope", value)),
    ];
    // One without any context has no scope, unless another member brings it.
    let context = prop_oneof![8 => context.prop_map(|value| vec![("context", value)]), 1 => Just(Vec::new())];
    let unknown = prop_oneof![15 => Just(Vec::new()), 1 => Just(vec![("pth", json!("/a"))])];
    let members = (context, prop::collection::vec(member, 0..4), unknown).prop_map(|(context, members, unknown)| {
        let all = context.into_iter().chain(members).chain(unknown);
        Value::Object(all.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    });
    prop_oneof![12 => members, 1 => select(vec![json!(null), json!("x"), json!([])])]
}

fn channels() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        6 => select(vec!["default", "wechat-mini", "partner", "a.b_c"]),
        1 => select(vec!["Partner", "a/b~c", ""]),
    ];
    let default = prop_oneof![6 => channel().prop_map(Some), 1 => Just(None)];
    (default, prop::collection::vec((name, channel()), 0..3)).prop_map(|(default, others)| {
        let all = default.map(|channel| ("default", channel)).into_iter().chain(others);
        Value::Object(all.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever channels a team writes: the function takes what the configuration takes, and what the configuration refuses
    /// is shown under `authorizer`, with a place and a hint.
    #[test]
    fn the_function_takes_whatever_channels_the_configuration_takes(
        channels in channels(),
        required in any::<bool>(),
        unknown in select(vec!["refuse", "default", "maybe"]),
    ) {
        let asked = json!({ "channels": channels, "channel_required": required, "unknown_channel": unknown });
        match with(&asked) {
            Ok(configuration) => {
                for one in settings(&configuration) {
                    prop_assert_eq!(one.channels.required, required);
                    let removed = |name: &str| channels[name].is_null() && channels.get(name).is_some();
                    prop_assert_eq!(one.channels.get("wechat-mini").is_none(), removed("wechat-mini"));
                }
            }
            Err(shown) => {
                prop_assert!(shown.contains("channel") || shown.contains("environment variables"), "{}", shown);
                prop_assert_eq!(shown.matches("error: ").count(), shown.matches("= hint: ").count(), "{}", shown);
                prop_assert_eq!(shown.matches("error: ").count(), shown.matches(&format!("--> {DEV}:")).count(), "{}", shown);
            }
        }
    }

    /// Where nothing is inherited, what is written is what is read: the configuration refuses what the function refuses, and
    /// nothing else.
    #[test]
    fn the_configuration_refuses_what_the_function_refuses(channels in channels()) {
        let project = Project::new();
        project.edit(DEFAULTS, |defaults| drop(defaults["authorizer"].as_object_mut().unwrap().remove("channels")));
        project.edit(DEV, |environment| environment["authorizer"]["channels"] = channels.clone());
        let variables = json!({ "AUTH_HOST": AUTH_HOST, "AUTH_CHANNELS": without_nulls(&channels).to_string() });
        let refused = load_dev(&project).map(drop).map_err(faults);
        prop_assert_eq!(refused.is_ok(), read(&variables).is_ok(), "{:?} {:?}", refused, read(&variables));
    }
}

/// What a layer takes away by `null` is not there.
fn without_nulls(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let kept = members.iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
}
