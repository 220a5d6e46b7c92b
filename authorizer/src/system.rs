//! The authorizer of an internal gateway: callers are known by keys, and keys by their digests. It asks nobody, so that
//! it needs no VPC and can't be kept waiting.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::allow::Allow;
use crate::bearer;
use crate::denial::{Cause, Denial};
use crate::event::Event;
use crate::fault::{Fault, Faults, step};

/// The variable that holds the callers.
const VARIABLE: &str = "CALLERS";

/// Who may call, and how the answers are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Callers {
    /// SHA-256 of a key, and whose it is. A caller may have several keys, so that one can be exchanged for another
    /// without a moment in which neither works.
    keys: Vec<([u8; 32], String)>,
    /// `RESULT_CACHED`: whether API Gateway caches this function's answers.
    pub result_cached: bool,
}

impl Callers {
    /// Reads `CALLERS`, a JSON object of lists of SHA-256 digests in hex by the names of the callers, and `RESULT_CACHED`,
    /// from `variable`, usually the process environment; reports all faults together.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut faults = Vec::new();
        let keys = match variable(VARIABLE).as_deref().map(serde_json::from_str) {
            Some(Ok(Value::Object(callers))) => {
                callers.iter().flat_map(|(name, digests)| keys(name, digests, &mut faults)).collect()
            }
            found => {
                let message = if found.is_none() { "is not set" } else { "is no JSON object" };
                faults.push(Fault::of(VARIABLE, message, r#"write {"order-service": ["SHA-256 in hex"]}"#));
                Vec::new()
            }
        };
        if keys.is_empty() && faults.is_empty() {
            faults.push(Fault::of(VARIABLE, "names no caller", r#"write {"order-service": ["SHA-256 in hex"]}"#));
        }
        check_shared(&keys, &mut faults);
        let result_cached = match variable("RESULT_CACHED").as_deref() {
            Some("true") => true,
            Some("false") | None => false,
            Some(_) => {
                faults.push(Fault::of("RESULT_CACHED", "is neither true nor false", "write `true` or `false`"));
                false
            }
        };
        if faults.is_empty() { Ok(Self { keys, result_cached }) } else { Err(Faults(faults)) }
    }

    /// Decides about one event: the caller's key stands in `Authorization: Bearer KEY`, and the back end is told whose it
    /// is in `x-caller`.
    pub fn decide(&self, payload: &Value) -> Result<Allow, Denial> {
        let event = Event::read(payload)?;
        let resource = event.resource(self.result_cached)?;
        let key = bearer::token_of(event)?;
        let caller = self.caller(key).ok_or(Denial::Unauthorized("unknown key"))?;
        let context = BTreeMap::from([("x-caller".to_owned(), caller.to_owned())]);
        Allow::new(caller.to_owned(), resource, context)
            .ok_or(Denial::failed(Cause::Settings, "the caller's name is too long"))
    }

    /// The callers, each once, for the log.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.keys.iter().map(|(_, name)| name.as_str()).collect();
        names.dedup();
        names
    }

    /// Whose key it is. Every digest is compared, each in constant time: how long it takes tells nobody how near a key was.
    fn caller(&self, key: &str) -> Option<&str> {
        let digest = Sha256::digest(key.as_bytes());
        let mut found = None;
        for (known, name) in &self.keys {
            if bool::from(known.as_slice().ct_eq(digest.as_slice())) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

/// Without the digests: a short key can be guessed from its digest.
impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").field("result_cached", &self.result_cached).finish_non_exhaustive()
    }
}

fn keys(name: &str, digests: &Value, faults: &mut Vec<Fault>) -> Vec<([u8; 32], String)> {
    let mut fault = |pointer: String, message: &str, hint: &str| {
        faults.push(Fault { variable: VARIABLE, pointer, message: message.to_owned(), hint: hint.to_owned() });
    };
    let pointer = format!("/{}", step(name));
    // It becomes a header of the back end's request and the principal in the access log.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if name.is_empty() || name.len() > 128 || !name.bytes().all(plain) {
        fault(pointer.clone(), "can't name a caller", "use letters, digits, `-`, `.` and `_`, at most 128");
    }
    let Some(list) = digests.as_array().filter(|list| !list.is_empty()) else {
        fault(pointer, "is no list of digests", r#"write ["SHA-256 in hex"]"#);
        return Vec::new();
    };
    let mut keys = Vec::new();
    for (index, digest) in list.iter().enumerate() {
        if let Some(digest) = digest.as_str().and_then(from_hex) {
            keys.push((digest, name.to_owned()));
        } else {
            let hint = "write the 64 hex digits of `printf %s KEY | sha256sum`";
            fault(format!("{pointer}/{index}"), "is no SHA-256 in hex", hint);
        }
    }
    keys
}

/// A key of two callers would make its holder either of them.
fn check_shared(keys: &[([u8; 32], String)], faults: &mut Vec<Fault>) {
    for (index, (digest, name)) in keys.iter().enumerate() {
        if let Some((_, other)) = keys[..index].iter().find(|(known, _)| known == digest) {
            let message = format!("has a key that stands twice, the other time at {other}");
            let hint = "give each caller keys of its own, each once".to_owned();
            faults.push(Fault { variable: VARIABLE, pointer: format!("/{}", step(name)), message, hint });
        }
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Callers;
    use crate::denial::Denial;

    /// The digest of some key.
    const ONE: &str = "1ad0d57d3ac1ee1ed5db0df5b7ac8ab1e8b5af64e3a25cb5ecf3fc2a0b8ac1ea";

    fn digest(key: &str) -> String {
        use sha2::{Digest as _, Sha256};
        Sha256::digest(key).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    fn read(callers: &str, cached: &str) -> Result<Callers, String> {
        let variable = |name: &str| match name {
            "CALLERS" => Some(callers.to_owned()),
            "RESULT_CACHED" => Some(cached.to_owned()),
            _ => None,
        };
        Callers::read(variable).map_err(|faults| faults.to_string())
    }

    fn event(authorization: &str) -> Value {
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/order-service/orders";
        json!({"type": "REQUEST", "methodArn": arn, "headers": {"authorization": authorization}})
    }

    #[test]
    fn a_known_key_names_its_caller() {
        let callers = json!({"order-service": [digest("key-one"), digest("key-two").to_uppercase()], "b": [ONE]});
        for (cached, end) in [("true", "/dev/*"), ("", "/dev/GET/order-service/orders")] {
            let callers = read(&callers.to_string(), cached).unwrap();
            for key in ["key-one", "key-two"] {
                let answer = callers.decide(&event(&format!("Bearer {key}"))).unwrap().response();
                assert_eq!(answer["context"], json!({"x-caller": "order-service"}));
                assert_eq!(answer["principalId"], "order-service");
                assert!(answer["policyDocument"]["Statement"][0]["Resource"].as_str().unwrap().ends_with(end));
                assert!(!answer.to_string().contains(key));
            }
        }
    }

    #[test]
    fn other_keys_are_refused() {
        let callers = read(&json!({"order-service": [digest("key-one")]}).to_string(), "true").unwrap();
        for header in ["Bearer key-on", "Bearer key-one2", "Bearer KEY-ONE", "key-one", "Basic key-one", "Bearer", ""] {
            let denial = callers.decide(&event(header)).unwrap_err();
            assert!(matches!(denial, Denial::Unauthorized(_)), "{header}: {denial:?}");
        }
        // The digest is no key.
        assert!(callers.decide(&event(&format!("Bearer {}", digest("key-one")))).is_err());
        assert!(matches!(callers.decide(&json!({"type": "TOKEN"})), Err(Denial::Failed(..))));
    }

    #[test]
    fn every_fault_has_its_place() {
        for (callers, said) in [
            ("", "CALLERS is not set"),
            ("[]", "CALLERS is no JSON object"),
            ("{", "CALLERS is no JSON object"),
            ("{}", "CALLERS names no caller"),
            (r#"{"a": []}"#, "CALLERS/a is no list of digests"),
            (r#"{"a": "x"}"#, "CALLERS/a is no list of digests"),
            (r#"{"a": ["x"]}"#, "CALLERS/a/0 is no SHA-256 in hex"),
            (&json!({ "a b": [ONE] }).to_string(), "CALLERS/a b can't name a caller"),
            (&json!({"a": [ONE], "b": [ONE.to_uppercase()]}).to_string(), "CALLERS/b has a key that stands twice"),
        ] {
            let faults = read(callers, "").unwrap_err();
            assert!(faults.contains(said), "{callers}: {faults}");
        }
        assert!(read(&json!({ "a": [ONE] }).to_string(), "yes").unwrap_err().contains("RESULT_CACHED is neither"));
        let shown = format!("{:?}", read(&json!({ "a": [ONE] }).to_string(), "").unwrap());
        assert!(!shown.contains("1ad0") && !shown.contains("26"), "{shown}");
    }
}
