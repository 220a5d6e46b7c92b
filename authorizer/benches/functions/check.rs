//! Nothing is timed that does not do the same: every event of the table has to get the answer or the error that is expected,
//! and the same from all functions, and the same line in the log.

use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};

use super::auth_service::AuthService;
use super::events::{self, Outcome};
use super::lambda::Function;
use super::peers::Peer;
use super::{Result, variables, wrong};

/// What a function makes of an event: its answer or error, and what it writes down.
type Made = (Value, Value);

/// Puts the table to all functions, once for a gateway that keeps answers and once for one that does not.
pub(crate) fn check(peers: &[Peer], service: &AuthService) -> Result<usize> {
    let mut events = 0;
    for cached in [true, false] {
        let mut first = None;
        for peer in peers {
            let made = ask(peer, service, cached)?;
            let (by, expected) = first.get_or_insert_with(|| (&peer.name, made.clone()));
            for ((name, _, _), (made, expected)) in events::table().iter().zip(made.iter().zip(expected.iter())) {
                if made != expected {
                    let (made, expected) = (show(made), show(expected));
                    return Err(wrong(&format!("{name}:\n{} gives {made}\n{by} gives {expected}", peer.name)));
                }
            }
            events += made.len();
        }
    }
    Ok(events)
}

fn show((outcome, log): &Made) -> String {
    format!("{outcome}\nand logs {log}")
}

/// What one function makes of the table.
fn ask(peer: &Peer, service: &AuthService, cached: bool) -> Result<Vec<Made>> {
    let table = events::table();
    let payloads: Vec<Arc<[u8]>> = table.iter().map(|(_, event, _)| event.to_string().into_bytes().into()).collect();
    let command = &mut peer.command(&variables(service, cached, 500));
    let function = Function::start(command, Stdio::piped(), &payloads)?;
    let done = function.finish(payloads.len()).map_err(|error| wrong(&format!("{}: {error}", peer.name)))?;
    let lines = function.end()?;
    let started = lines.first().map(steady).unwrap_or_default();
    let mut decided = lines.iter().filter(|line| line["message"] == "request decided").map(steady);
    let mut all = Vec::new();
    for ((name, _, expected), done) in table.iter().zip(done) {
        let log = decided.next().ok_or_else(|| wrong(&format!("{}, {name}: no line in the log", peer.name)))?;
        let outcome = match &done.outcome {
            Ok(answer) => json!({"answer": serde_json::from_slice::<Value>(answer)?}),
            Err(error) => {
                let error: Value = serde_json::from_slice(error)?;
                json!({"error": error["errorMessage"], "type": error["errorType"]})
            }
        };
        let is = match (&outcome["error"], log["cause"].as_str()) {
            (Value::Null, None) => json!("allowed"),
            (error, None) => error.clone(),
            (_, Some(cause)) => json!(format!("failed: {cause}")),
        };
        let wanted = match expected {
            Outcome::Allowed => "allowed".to_owned(),
            Outcome::Unauthorized => "Unauthorized".to_owned(),
            Outcome::Failed(cause) => format!("failed: {cause}"),
        };
        if is != wanted {
            return Err(wrong(&format!("{}, {name}: {is}, and not {wanted}: {outcome}", peer.name)));
        }
        all.push((outcome, log));
    }
    all.push((json!("start"), started));
    Ok(all)
}

/// A line of the log without what differs between two runs.
fn steady(line: &Value) -> Value {
    let mut line = line.clone();
    for name in ["latency_ms", "auth_service_ms"] {
        line[name] = json!(line[name].is_number());
    }
    if let Some(timestamp) = line.pointer_mut("/_aws/Timestamp") {
        *timestamp = json!(timestamp.is_number());
    }
    line
}
