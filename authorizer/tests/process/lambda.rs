//! What the two Lambdas of these tests have in common, and the laws that every log obeys.

use serde_json::Value;

/// A trace as X-Ray writes it.
pub(crate) const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
/// The name of every function.
pub(crate) const NAME: &str = "product-a-dev-authorizer";

/// What the function gave: an answer, or an error.
pub(crate) type Outcome = Result<Value, Failure>;

/// What Lambda is told of an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// The functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Gate,
    System,
}

impl Program {
    /// The real binary.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Gate => env!("CARGO_BIN_EXE_gate-authorizer"),
            Self::System => env!("CARGO_BIN_EXE_system-authorizer"),
        }
    }
}

/// One execution environment with one function in it.
pub(crate) trait Lambda: Sized {
    /// The trace that every request has.
    const TRACE: Option<&'static str>;

    /// Starts the function with these environment variables and those that Lambda always sets, and no others.
    fn start(program: Program, variables: &[(&str, &str)]) -> Self;

    /// Sends one event, and waits for what comes back.
    fn invoke(&mut self, event: &Value) -> Outcome;

    /// Takes the Runtime API away, upon which the function has to end by itself, and reads what it wrote.
    fn end(self) -> Log;
}

/// Everything that a function wrote.
pub(crate) struct Log {
    /// The entry of the cold start.
    pub(crate) start: Value,
    /// The one entry of each request.
    pub(crate) requests: Vec<Value>,
}

impl Log {
    /// Reads a whole log, of these requests in this order.
    pub(crate) fn read(text: &str, request_ids: &[String]) -> Self {
        assert!(!text.contains("s3cret"), "a secret is in the log: {text}");
        let entries = text.lines().map(|line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("every line is JSON, but for: {line}"))
        });
        let mut entries: Vec<Value> = entries.collect();
        let end = entries.pop().expect("a log");
        assert_eq!(end["message"], "authorizer stopped", "the function ends by itself");
        let start = entries.remove(0);
        let said: Vec<&str> = entries.iter().filter_map(|entry| entry["request_id"].as_str()).collect();
        assert_eq!(said, request_ids, "one line a request, and nothing else: {text}");
        entries.iter().for_each(check);
        Self { start, requests: entries }
    }
}

/// What holds for the entry of every request, whatever became of it.
fn check(entry: &Value) {
    assert_eq!(entry["message"], "request decided");
    let failed = entry["decision"] == "failed";
    assert!(failed || entry["decision"] == "allowed" || entry["decision"] == "unauthorized", "{entry}");
    assert_eq!(entry["level"], if failed { "ERROR" } else { "INFO" });
    assert_eq!(entry["cause"].is_string(), failed, "{entry}");
    assert_eq!(entry["reason"].is_null(), entry["decision"] == "allowed", "{entry}");
    assert!(entry["retried"].is_boolean());
    let latency = entry["latency_ms"].as_f64().expect("a latency");
    if let Some(asked) = entry["auth_service_ms"].as_f64() {
        assert!((0.0..=latency).contains(&asked) && entry["channel"].is_string(), "{entry}");
    } else {
        assert!(entry["auth_service_ms"].is_null() && entry["retried"] == false, "{entry}");
    }
    if let Some(metadata) = entry.get("_aws") {
        check_metrics(entry, metadata);
    }
}

/// The embedded metric format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
/// `CloudWatch` drops what breaks it without a word.
fn check_metrics(entry: &Value, metadata: &Value) {
    assert!(metadata["Timestamp"].as_u64().is_some_and(|time| time > 1_700_000_000_000), "milliseconds: {metadata}");
    let directives = metadata["CloudWatchMetrics"].as_array().expect("a list of directives");
    assert_eq!(directives.len(), 1);
    for directive in directives {
        assert!(directive["Namespace"].as_str().is_some_and(|name| !name.is_empty() && !name.starts_with("AWS/")));
        let sets = directive["Dimensions"].as_array().expect("a list of sets of dimensions");
        assert!(!sets.is_empty());
        for set in sets {
            let set = set.as_array().expect("a set of dimensions");
            assert!((1..=30).contains(&set.len()));
            for name in set {
                let value = entry[name.as_str().expect("the name of a dimension")].as_str();
                assert!(value.is_some_and(|value| (1..=1024).contains(&value.len())), "{name} in {entry}");
            }
        }
        let metrics = directive["Metrics"].as_array().expect("a list of metrics");
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            assert!(entry[metric["Name"].as_str().expect("a name")].is_number(), "{metric} in {entry}");
            assert!(["Milliseconds", "Count"].contains(&metric["Unit"].as_str().expect("a unit")));
        }
    }
    assert_eq!(entry["function"], NAME);
    let counted = ["allowed", "unauthorized", "failed"].map(|name| entry[name] == 1);
    assert_eq!(counted.iter().filter(|is| **is).count(), 1, "{entry}");
    assert_eq!(entry[entry["decision"].as_str().expect("a decision")], 1, "{entry}");
}
