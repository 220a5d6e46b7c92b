//! What templates, mappings and log formats may ask of a request: `$context`, stage variables, parameters, the body.

use std::borrow::Cow;

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// A header; names have no case.
    Header,
    /// The query string; names have case.
    QueryString,
    /// The path, by the names in the resource's braces.
    Path,
}

/// The values that expressions are evaluated with.
pub trait Variables {
    /// A context variable by its name without `context.`: `requestId`, `identity.sourceIp`, `authorizer.x-user-id`.
    fn context(&self, name: &str) -> Option<Cow<'_, str>>;

    /// A stage variable.
    fn stage_variable(&self, name: &str) -> Option<&str>;

    /// All stage variables, for templates that go through them.
    fn stage_variables(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    /// The context variables whose names begin with `prefix` and a dot, by what follows it: of `authorizer`, `principalId`
    /// and what the authorizer gave. For templates that go through them.
    fn context_members(&self, prefix: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        let _ = prefix;
        Vec::new()
    }

    /// The last value of a parameter.
    fn parameter(&self, location: Location, name: &str) -> Option<Cow<'_, str>>;

    /// All values of a parameter, in order.
    fn values(&self, location: Location, name: &str) -> Vec<Cow<'_, str>>;

    /// All parameters of a place, the last value of each.
    fn parameters(&self, location: Location) -> Vec<(Cow<'_, str>, Cow<'_, str>)>;

    /// The body: the client's in a request, the backend's in a response.
    fn body(&self) -> &[u8];
}
