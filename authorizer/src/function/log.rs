//! The log: JSON, one line an entry, nothing secret. Lambda sends stdout to `CloudWatch`, which reads the metrics in a line
//! of the embedded metric format out of it.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::milliseconds;
use crate::denial::Denial;
use crate::gate::Settings;
use crate::system::Callers;

/// The namespace of the metrics.
const NAMESPACE: &str = "gwctl/authorizer";

/// A request on its way, as the log will tell it.
#[derive(Default)]
pub(super) struct Trail {
    /// A channel that we know: what a client wrote there could be anything, its token included.
    pub(super) channel: Option<String>,
    pub(super) retried: bool,
    /// How long the auth service took, retry included.
    pub(super) auth_service: Option<Duration>,
}

/// The log of this process.
pub(super) struct Log {
    function: String,
    metrics: bool,
}

impl Log {
    /// The log of the function whose environment this is. `METRICS=false` leaves the metrics out, which `CloudWatch`
    /// charges for.
    pub(super) fn of_this_function() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        Self { function: variable("AWS_LAMBDA_FUNCTION_NAME"), metrics: variable("METRICS") != "false" }
    }

    /// A cold start with good settings.
    pub(super) fn gate_started(&self, settings: &Settings) {
        let channels: Vec<&str> = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
        self.write(&json!({
            "level": "INFO",
            "message": "authorizer started",
            "auth_host": settings.auth_host,
            "auth_timeout_ms": u64::try_from(settings.timeout.as_millis()).unwrap_or(u64::MAX),
            "channels": channels,
            "channel_required": settings.channels.required,
            "result_cached": settings.result_cached,
            "private_ca": settings.ca_pem.is_some(),
        }));
    }

    /// A cold start with good settings.
    pub(super) fn system_started(&self, callers: &Callers) {
        self.write(&json!({
            "level": "INFO",
            "message": "authorizer started",
            "callers": callers.names(),
            "result_cached": callers.result_cached,
        }));
    }

    /// A cold start with settings that let nobody pass.
    pub(super) fn misconfigured(&self, faults: &str) {
        self.write(&json!({
            "level": "ERROR",
            "message": "authorizer misconfigured: every request will be answered with 500",
            "faults": faults,
        }));
    }

    /// One request.
    pub(super) fn decided(&self, request_id: &str, trail: &Trail, denial: Option<&Denial>, latency: Duration) {
        let (level, decision, cause) = match denial {
            None => ("INFO", "allowed", None),
            Some(Denial::Unauthorized(_)) => ("INFO", "unauthorized", None),
            Some(Denial::Failed(cause, _)) => ("ERROR", "failed", Some(cause.name())),
        };
        let mut entry = json!({
            "level": level,
            "message": "request decided",
            "request_id": request_id,
            "channel": trail.channel,
            "decision": decision,
            "cause": cause,
            "reason": denial.map(Denial::reason),
            "retried": trail.retried,
            "latency_ms": milliseconds(latency),
            "auth_service_ms": trail.auth_service.map(milliseconds),
        });
        if self.metrics {
            self.measure(&mut entry, decision, trail);
        }
        self.write(&entry);
    }

    /// Adds what makes the entry one of the embedded metric format (its specification in the guide of `CloudWatch`). Each
    /// decision is a metric of 0 or 1, so that its average is a rate; a metric may name only what the entry holds.
    fn measure(&self, entry: &mut Value, decision: &str, trail: &Trail) {
        for metric in ["allowed", "unauthorized", "failed"] {
            entry[metric] = json!(u8::from(metric == decision));
        }
        entry["function"] = json!(self.function);
        let mut metrics = vec![
            json!({"Name": "latency_ms", "Unit": "Milliseconds"}),
            json!({"Name": "allowed", "Unit": "Count"}),
            json!({"Name": "unauthorized", "Unit": "Count"}),
            json!({"Name": "failed", "Unit": "Count"}),
        ];
        if trail.auth_service.is_some() {
            metrics.push(json!({"Name": "auth_service_ms", "Unit": "Milliseconds"}));
        }
        let mut dimensions = vec![json!(["function"])];
        if trail.channel.is_some() {
            dimensions.push(json!(["function", "channel"]));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        entry["_aws"] = json!({
            "Timestamp": u64::try_from(now).unwrap_or_default(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}],
        });
    }

    /// The process can't go on.
    pub(super) fn fatal(&self, error: &dyn Error) -> ExitCode {
        self.write(&json!({"level": "ERROR", "message": "authorizer stopped", "error": error.to_string()}));
        ExitCode::FAILURE
    }

    #[expect(clippy::unused_self, reason = "what is written is an entry of this log")]
    fn write(&self, entry: &Value) {
        // Nothing can be done about a log that can't be written, least of all refuse the request for it.
        let _ = writeln!(std::io::stdout().lock(), "{entry}");
    }
}
