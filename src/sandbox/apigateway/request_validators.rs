//! Request validators: what is checked before the integration is called.

use super::errors::{Answer, Refusal, bad_request, not_found};
use super::{Call, ok};

/// `/restapis/{api}/requestvalidators…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(call.definition(api)?.request_validators.values()),
        ("GET", [id]) => {
            let found = call.definition(api).ok().and_then(|definition| definition.request_validators.get(*id));
            Ok(ok(found.ok_or_else(|| not_found("Invalid Request Validator identifier specified"))?))
        }
        _ => Err(call.unknown()),
    }
}

/// A method names a validator that its API does not have.
pub(super) fn invalid() -> Refusal {
    bad_request("Invalid Request Validator identifier specified")
}
