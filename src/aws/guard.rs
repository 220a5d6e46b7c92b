//! Refuses, in a session that only reads, every call that is not a read, before it leaves the process.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// An interceptor for the clients of a read-only session.
#[derive(Debug, Clone, Copy)]
pub struct ReadOnly;

/// AWS names its operations by verb. These verbs change nothing in the services that gwctl uses. `GetExport` and
/// `GetResources` are reads too, `FilterLogEvents`, `LookupEvents` (CloudTrail) and `SimulatePrincipalPolicy` (IAM);
/// nothing that begins so writes.
const READING_VERBS: [&str; 6] = ["Get", "List", "Describe", "Filter", "Lookup", "Simulate"];

/// Whether an operation of AWS, by its name, changes nothing.
#[must_use]
pub fn is_read(operation: &str) -> bool {
    READING_VERBS.iter().any(|verb| {
        operation.strip_prefix(verb).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    })
}

#[dyn_dispatch_hint]
impl Intercept for ReadOnly {
    fn name(&self) -> &'static str {
        "ReadOnly"
    }

    // The operation's name is in the configuration from here on; nothing has been sent yet.
    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let name = cfg.load::<Metadata>().map(|metadata| metadata.name().to_owned()).unwrap_or_default();
        if is_read(&name) {
            return Ok(());
        }
        Err(format!("`{name}` was refused: this session only reads").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_reads_from_writes_by_the_verb() {
        for read in ["GetRole", "ListRoleTags", "DescribeLogGroups", "GetRestApis", "FilterLogEvents", "LookupEvents"] {
            assert!(is_read(read), "{read}");
        }
        for write in
            ["CreateRole", "PutRestApi", "TagResource", "UpdateStage", "DeleteStage", "Getaway", "", "ImportRestApi"]
        {
            assert!(!is_read(write), "{write}");
        }
    }
}
