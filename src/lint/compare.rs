//! How the environments of a product differ: settings after their layers were laid on each other, and routes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::config::{Configuration, Environment, Faults, Node, Route, layer, parse_json};

/// The keys of an environment file that are no settings: routes are compared by path, and a schema is the editor's.
const NO_SETTINGS: [&str; 4] = ["$schema", "gateway_api", "gateway_system", "system"];

/// The environments of one product next to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The product.
    pub product: String,
    /// The environments, in the order in which they were asked for: the columns.
    pub environments: Vec<String>,
    /// What is set otherwise somewhere, by key: `authorizer.memory_size`.
    pub settings: Vec<Row>,
    /// The routes that are missing or another type or target somewhere, by gateway and path: `gate /orders/{proxy+}`.
    pub routes: Vec<Row>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What differs.
    pub name: String,
    /// The value in each environment; nothing where it has none.
    pub values: Vec<Option<Value>>,
}

/// Compares the environments `names` of each product that has two of them at least.
#[must_use]
pub fn compare(configuration: &Configuration, names: &[String]) -> Vec<Comparison> {
    let mut products: BTreeMap<&str, Vec<&Environment>> = BTreeMap::new();
    for name in names {
        for environment in configuration.environments.iter().filter(|one| one.name == *name) {
            products.entry(&environment.product).or_default().push(environment);
        }
    }
    let compared = products.into_iter().filter(|(_, environments)| environments.len() > 1);
    compared
        .map(|(product, environments)| Comparison {
            product: product.to_owned(),
            environments: environments.iter().map(|environment| environment.name.clone()).collect(),
            settings: rows(environments.iter().map(|environment| settings(configuration, environment))),
            routes: rows(environments.iter().map(|environment| routes(environment))),
        })
        .collect()
}

/// What is not the same in all columns.
fn rows(columns: impl Iterator<Item = BTreeMap<String, Value>>) -> Vec<Row> {
    let columns: Vec<BTreeMap<String, Value>> = columns.collect();
    let names: BTreeSet<&String> = columns.iter().flat_map(BTreeMap::keys).collect();
    let rows = names.into_iter().map(|name| Row {
        name: name.clone(),
        values: columns.iter().map(|column| column.get(name).cloned()).collect(),
    });
    rows.filter(|row| row.values.windows(2).any(|pair| pair[0] != pair[1])).collect()
}

/// Where the environment goes and all it sets, by key.
fn settings(configuration: &Configuration, environment: &Environment) -> BTreeMap<String, Value> {
    let target = &environment.target;
    let mut found = BTreeMap::from([
        ("target.account".to_owned(), json!(target.account)),
        ("target.region".to_owned(), json!(target.region)),
    ]);
    // It was read without a fault before.
    let Some(own) = parse_json(&environment.file, &mut Faults::default()) else { return found };
    let node = match &environment.gate {
        Some(_) => layer(&configuration.stacks.gate.defaults, &own),
        None => own.clone(),
    };
    for member in node.members().unwrap_or_default() {
        if !NO_SETTINGS.contains(&member.key.as_str()) {
            flatten(&member.key, &member.value, &mut found);
        }
    }
    if let (Some(_), Some(files)) = (&environment.system, &configuration.stacks.system) {
        let defaults = &files.defaults;
        let node = own.get("system").map_or_else(|| defaults.clone(), |own| layer(defaults, &own.value));
        for member in node.members().unwrap_or_default().iter().filter(|member| member.key != "$schema") {
            flatten(&format!("system.{}", member.key), &member.value, &mut found);
        }
    }
    found
}

/// Objects key by key, everything else as it is.
fn flatten(key: &str, node: &Node, found: &mut BTreeMap<String, Value>) {
    match node.members() {
        Some(members) => {
            for member in members {
                flatten(&format!("{key}.{}", member.key), &member.value, found);
            }
        }
        None => drop(found.insert(key.to_owned(), node.to_json())),
    }
}

fn routes(environment: &Environment) -> BTreeMap<String, Value> {
    let named = |route: &Route| match &route.target {
        Some(target) => json!(format!("{} to {target}", route.kind)),
        None => json!(route.kind),
    };
    let gateways = environment.gateways();
    gateways
        .flat_map(|gateway| {
            let stack = gateway.stack.name();
            gateway.routes.iter().map(move |route| (format!("{stack} {}", route.path), named(route)))
        })
        .collect()
}
