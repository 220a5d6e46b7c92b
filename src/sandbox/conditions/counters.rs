//! What was asked of a sandbox, and what became of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The calls of a sandbox since it was opened, or since the counters were reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// All calls together.
    pub total: Tally,
    /// The calls by service, `apigateway`, and operation, `CreateRestApi`.
    pub services: BTreeMap<String, BTreeMap<String, Tally>>,
}

/// The calls of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many there were, whatever became of them.
    pub calls: u64,
    /// How many of them may change something.
    pub writes: u64,
    /// How many were over a quota and refused for it.
    pub throttles: u64,
    /// How many a fault hit, injected throttles included and mere slowness not.
    pub faults: u64,
    /// How many were refused because something was too new.
    pub not_yet: u64,
    /// How many the caller's policies do not allow.
    #[serde(default)]
    pub denied: u64,
}

impl Counters {
    /// Changes the tally of one operation and that of all.
    pub(super) fn count(&mut self, service: &str, operation: &str, change: impl Fn(&mut Tally)) {
        change(&mut self.total);
        if let Some(tally) = self.services.get_mut(service).and_then(|operations| operations.get_mut(operation)) {
            change(tally);
            return;
        }
        let operations = self.services.entry(service.to_owned()).or_default();
        change(operations.entry(operation.to_owned()).or_default());
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, writes, throttles, faults, not_yet, denied } = self;
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        write!(f, "{calls} call{}, {writes} write{}", plural(*calls), plural(*writes))?;
        let refused =
            [(throttles, "throttled"), (faults, "failed on purpose"), (not_yet, "too early"), (denied, "not allowed")];
        for (count, what) in refused {
            if *count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}
