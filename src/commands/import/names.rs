//! The lines for `names` by which what is taken over keeps its name.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::names::NAMED_KINDS;
use crate::kinds::Kind as _;
use crate::kinds::log_group::LogGroup;
use crate::kinds::rest_api::RestApi;
use crate::model::{Address, Desired, Observed};
use crate::takeover::matching::Settled;

/// Names by address, for what has another name than the configuration makes.
pub(in crate::commands) fn lines(desired: &[Desired], settled: &Settled) -> BTreeMap<Address, String> {
    let mut lines = BTreeMap::new();
    for left in &settled.left {
        // A function's log group is called after the function, and follows it.
        let follows = left.address.kind() == LogGroup::NAME && !matches!(left.address.name(), "access" | "waf");
        if let Some(found) = left.found.as_ref().filter(|_| left.by_name && !follows && is_named(&left.address)) {
            lines.insert(left.address.clone(), name(found));
        }
    }
    for taken in settled.taken.iter().filter(|taken| taken.address.kind() == RestApi::NAME) {
        let wanted = desired.iter().find(|one| one.address == taken.address).and_then(Desired::name);
        if wanted != Some(taken.live.name.as_str()) {
            lines.insert(taken.address.clone(), taken.live.name.clone());
        }
    }
    lines
}

fn is_named(address: &Address) -> bool {
    NAMED_KINDS.contains(&address.kind())
}

/// The name as `names` takes it: a role's with its path.
fn name(live: &Observed) -> String {
    let path = live.spec.get("path").and_then(Value::as_str).unwrap_or_default();
    format!("{}{}", path.trim_start_matches('/'), live.name)
}
