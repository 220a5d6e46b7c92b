//! Lints of a product's environments against each other.

use std::collections::BTreeMap;

use super::catalogue::ROUTE_IN_SOME_ENVIRONMENTS;
use super::{Findings, Subject};
use crate::config::Route;

/// The gateways of one stack in all environments. One that lacks the whole gateway lacks no route of it.
pub(super) fn check(subjects: &[Subject<'_>], findings: &mut Findings) {
    let mut products: BTreeMap<&str, Vec<&Subject<'_>>> = BTreeMap::new();
    for subject in subjects {
        products.entry(&subject.environment.product).or_default().push(subject);
    }
    for subjects in products.values() {
        let mut paths: BTreeMap<&str, Vec<(&str, &Route)>> = BTreeMap::new();
        for subject in subjects {
            for route in &subject.gateway.routes {
                paths.entry(&route.path).or_default().push((&subject.environment.name, route));
            }
        }
        for (path, there) in paths {
            let Some((_, first)) = there.first() else { continue };
            let has = |name: &str| there.iter().any(|(known, _)| *known == name);
            let names = subjects.iter().map(|subject| subject.environment.name.as_str());
            let missing: Vec<&str> = names.filter(|name| !has(name)).collect();
            if missing.is_empty() {
                continue;
            }
            let names: Vec<&str> = there.iter().map(|(name, _)| *name).collect();
            let routes: Vec<&Route> = there.iter().map(|(_, route)| *route).collect();
            let message = format!("`{path}` is in {} and not in {}", listed(&names), listed(&missing));
            let lint = &ROUTE_IN_SOME_ENVIRONMENTS;
            findings.add_for(lint, &routes, &first.path_span, message, lint.remedy.to_owned());
        }
    }
}

/// `a`, `a and b`, `a, b and c`
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
