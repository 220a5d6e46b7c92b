//! The log: JSON, one line an entry, nothing secret. Lambda sends stdout to `CloudWatch`.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use authorizer::{Denial, Settings};
use serde_json::{Value, json};

use crate::Trail;

/// A cold start with good settings.
pub(crate) fn started(settings: &Settings) {
    write(&json!({
        "level": "INFO",
        "message": "authorizer started",
        "auth_host": settings.auth_host,
        "auth_path": settings.default_channel.path,
        "auth_timeout_ms": u64::try_from(settings.timeout.as_millis()).unwrap_or(u64::MAX),
        "result_cached": settings.result_cached,
        "private_ca": settings.ca_pem.is_some(),
    }));
}

/// A cold start with settings that let nobody pass.
pub(crate) fn misconfigured(faults: &str) {
    write(&json!({
        "level": "ERROR",
        "message": "authorizer misconfigured: every request will be answered with 500",
        "faults": faults,
    }));
}

/// One request. The channel is one that we know: what a client wrote there could be anything, its token included.
pub(crate) fn decided(request_id: &str, trail: &Trail, denial: Option<&Denial>, latency: Duration) {
    let (level, decision) = match denial {
        None => ("INFO", "allow"),
        Some(Denial::Unauthorized(_)) => ("INFO", "unauthorized"),
        Some(Denial::Failed(_)) => ("ERROR", "failed"),
    };
    write(&json!({
        "level": level,
        "message": "request decided",
        "request_id": request_id,
        "channel": trail.channel,
        "decision": decision,
        "reason": denial.map(Denial::reason),
        "retried": trail.retried,
        "latency_ms": u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
    }));
}

/// The process can't go on.
pub(crate) fn fatal(error: &dyn Error) -> ExitCode {
    write(&json!({"level": "ERROR", "message": "authorizer stopped", "error": error.to_string()}));
    ExitCode::FAILURE
}

fn write(entry: &Value) {
    // Nothing can be done about a log that can't be written, least of all refuse the request for it.
    let _ = writeln!(std::io::stdout().lock(), "{entry}");
}
