//! The system authorizer.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::channels::{METHOD, STAGE};
use crate::gate::{assert_failed, event, unauthorized};
use crate::lambda::{Lambda, Program};

fn digest(key: &str) -> String {
    Sha256::digest(key).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn function<L: Lambda>(callers: &Value, cached: &str) -> L {
    L::start(Program::System, &[("CALLERS", &callers.to_string()), ("RESULT_CACHED", cached)])
}

fn call(key: &str) -> Value {
    event(&json!({"Authorization": format!("Bearer {key}")}))
}

fn allow(caller: &str, resource: &str) -> Value {
    let statement = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    json!({"principalId": caller, "policyDocument": policy, "context": {"x-caller": caller}})
}

pub(crate) fn known_keys_name_their_callers<L: Lambda>() {
    let callers = json!({"order-service": [digest("s3cret-1")], "billing": [digest("s3cret-2").to_uppercase()]});
    for (cached, resource) in [("true", STAGE), ("false", METHOD)] {
        let mut function: L = function(&callers, cached);
        for (key, caller) in [("s3cret-1", "order-service"), ("s3cret-2", "billing"), ("s3cret-1", "order-service")] {
            assert_eq!(function.invoke(&call(key)), Ok(allow(caller, resource)));
        }
        let log = function.end();
        assert_eq!(log.start["callers"], json!(["billing", "order-service"]));
        assert!(!log.start.to_string().contains(&digest("s3cret-1")));
        assert!(log.requests.iter().all(|entry| entry["decision"] == "allowed" && entry["_aws"].is_object()));
    }
}

pub(crate) fn other_keys_are_refused<L: Lambda>() {
    let mut function: L = function(&json!({"order-service": [digest("s3cret-1")]}), "true");
    let digest = digest("s3cret-1");
    for key in ["s3cret-2", "s3cret-", "s3cret-11", "S3CRET-1", "order-service", digest.as_str()] {
        assert_eq!(function.invoke(&call(key)), unauthorized(), "{key}");
    }
    for headers in [json!({}), json!({"authorization": "s3cret-1"}), json!({"authorization": "Basic s3cret-1"})] {
        assert_eq!(function.invoke(&event(&headers)), unauthorized(), "{headers}");
    }
    assert_failed(function.invoke(&json!({"type": "TOKEN"})), "the event is not");
    assert_eq!(function.invoke(&call("s3cret-1")), Ok(allow("order-service", STAGE)));
    let log = function.end();
    let reasons: Vec<&Value> = log.requests.iter().map(|entry| &entry["reason"]).collect();
    assert!(reasons[..6].iter().all(|reason| **reason == "unknown key"), "{reasons:?}");
    assert_eq!(reasons[6..9], ["no token", "malformed token", "malformed token"]);
    assert_eq!(log.requests[9]["cause"], "event");
}

pub(crate) fn a_key_can_be_exchanged_for_another<L: Lambda>() {
    let (old, new) = (digest("s3cret-old"), digest("s3cret-new"));
    for (keys, old_works, new_works) in
        [(json!([old]), true, false), (json!([old, new]), true, true), (json!([new]), false, true)]
    {
        let mut function: L = function(&json!({ "order-service": keys }), "true");
        for (key, works) in [("s3cret-old", old_works), ("s3cret-new", new_works)] {
            let expected = if works { Ok(allow("order-service", STAGE)) } else { unauthorized() };
            assert_eq!(function.invoke(&call(key)), expected, "{key}");
        }
        assert_eq!(function.end().start["callers"], json!(["order-service"]));
    }
}

pub(crate) fn wrong_settings_start_and_let_no_caller_pass<L: Lambda>() {
    let twice = json!({"a": [digest("s3cret-1")], "b": [digest("s3cret-1")]}).to_string();
    let good = json!({"a": [digest("s3cret-1")]}).to_string();
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "CALLERS is not set"),
        (&[("CALLERS", "{}")], "CALLERS names no caller"),
        (&[("CALLERS", r#"{"a": ["s3cret-1"]}"#)], "CALLERS/a/0 is no SHA-256 in hex"),
        (&[("CALLERS", &twice)], "CALLERS/b has a key that stands twice"),
        (&[("CALLERS", &good), ("RESULT_CACHED", "maybe")], "RESULT_CACHED is neither"),
    ];
    for (variables, said) in cases {
        let mut function = L::start(Program::System, variables);
        assert_failed(function.invoke(&call("s3cret-1")), said);
        assert_failed(function.invoke(&call("s3cret-1")), said);
        let log = function.end();
        assert!(log.start["faults"].as_str().unwrap().contains(said), "{}", log.start);
        assert!(log.requests.iter().all(|entry| entry["cause"] == "settings"));
    }
}

/// Its only connection is the one to Lambda; the gate authorizer's second one shows that this test would see another.
#[cfg(target_os = "linux")]
#[test]
fn no_network_is_used() {
    use crate::auth_service::AuthService;
    use crate::simulated::Simulated;

    let mut system: Simulated = function(&json!({"order-service": [digest("s3cret-1")]}), "true");
    for key in ["s3cret-1", "s3cret-2"] {
        let _ = system.invoke(&call(key));
        assert_eq!(system.peers(), [system.runtime_api()]);
    }
    system.end();

    let service = AuthService::start(|_, _| crate::gate::yes());
    let mut gate: Simulated = crate::gate::function(&service, &[]);
    gate.invoke(&crate::gate::login()).unwrap();
    let mut ends = [gate.runtime_api(), service.host().rsplit(':').next().unwrap().parse().unwrap()];
    let mut peers = gate.peers();
    ends.sort_unstable();
    peers.sort_unstable();
    assert_eq!(peers, ends);
    gate.end();
}
