//! The policies that `gwctl policy` prints, enforced by a sandbox.

use std::path::Path;

use gwctl::commands::needed;
use gwctl::model::Found;
use gwctl::permissions::Purpose;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::authorization::Enforced;
use gwctl::sandbox::conditions::Conditions;
use gwctl::stack::{self, Zips};
use serde_json::Value;

/// The documents for an environment as its files are now, in all its Regions.
pub(crate) fn documents(root: &Path, product: &str, env: &str, purpose: Purpose) -> Vec<Value> {
    let configuration = super::load(root, product, env);
    let mut all = Vec::new();
    for environment in &configuration.environments {
        let expansion = stack::expand(&configuration, environment, &Zips::UNBUILT, &Found::nothing()).unwrap();
        let expansion = expansion.unwrap_or_else(|faults| panic!("{}", faults.render(false)));
        all.extend(needed(environment, &expansion.desired, purpose).documents());
    }
    all
}

/// The same, to be enforced.
pub(crate) fn granted(root: &Path, product: &str, env: &str, purpose: Purpose) -> Enforced {
    enforced(&documents(root, product, env, purpose))
}

/// Documents, to be enforced.
pub(crate) fn enforced(documents: &[Value]) -> Enforced {
    let text: Vec<String> = documents.iter().map(Value::to_string).collect();
    Enforced::parse("the printed policy", &text.join("\n")).unwrap()
}

/// A sandbox to a caller who has these policies and no others.
pub(crate) fn under(sandbox: &Sandbox, policies: &Enforced) -> Sandbox {
    sandbox.clone().under(Conditions::none().enforce(policies))
}
