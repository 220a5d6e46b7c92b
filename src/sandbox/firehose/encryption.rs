//! Server-side encryption of what a stream holds until it is delivered.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ByName, State, argument, invalid, one_of};
use crate::sandbox::fault::{Answer, missing};
use crate::sandbox::wire::Caller;

/// Whose key it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Encryption {
    kind: String,
    key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    key_type: Option<String>,
    #[serde(rename = "KeyARN")]
    key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Starting {
    delivery_stream_name: Option<String>,
    delivery_stream_encryption_configuration_input: Option<Input>,
}

impl Encryption {
    pub(super) fn new(input: Input) -> Answer<Self> {
        let kind = input.key_type.ok_or_else(|| invalid(missing("keyType")))?;
        one_of(&kind, "keyType", &["AWS_OWNED_CMK", "CUSTOMER_MANAGED_CMK"])?;
        // "If you specify AWS_OWNED_CMK, KeyARN must not be" there; with the other, it must (API reference). The words are
        // a guess.
        match (kind.as_str(), &input.key) {
            ("AWS_OWNED_CMK", Some(_)) => Err(argument("KeyARN must not be specified when KeyType is AWS_OWNED_CMK.")),
            ("CUSTOMER_MANAGED_CMK", None) => {
                Err(argument("KeyARN must be specified when KeyType is CUSTOMER_MANAGED_CMK."))
            }
            _ => Ok(Self { kind, key: input.key }),
        }
    }

    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({ "KeyType": self.kind, "Status": "ENABLED" });
        if let Some(key) = &self.key {
            shown["KeyARN"] = json!(key);
        }
        shown
    }
}

/// Without a configuration it is a key of AWS's (API reference).
pub(super) fn start(state: &mut State, caller: &Caller, asked: Starting) -> Answer<Value> {
    let stream = state.stream(asked.delivery_stream_name.as_deref(), caller)?;
    let own = || Ok(Encryption { kind: "AWS_OWNED_CMK".to_owned(), key: None });
    stream.encryption = Some(asked.delivery_stream_encryption_configuration_input.map_or_else(own, Encryption::new)?);
    Ok(json!({}))
}

pub(super) fn stop(state: &mut State, caller: &Caller, asked: &ByName) -> Answer<Value> {
    state.stream(asked.delivery_stream_name.as_deref(), caller)?.encryption = None;
    Ok(json!({}))
}
