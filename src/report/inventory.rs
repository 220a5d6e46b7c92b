//! What AWS holds of an environment, for operators.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::style::{Text, Tone};
use super::text::TextOptions;
use crate::model::{Health, Live, Observed, Owner, Place};

/// The live resources of one environment that are its own.
#[derive(Debug, Clone)]
pub struct Inventory {
    owner: Owner,
    place: Place,
    resources: Vec<Observed>,
    serving: Option<Serving>,
}

/// How a Region of an edge serves.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The domain name.
    pub domain: String,
    /// DNS leads nobody to it; who took it out and when, where that is known.
    pub drained: Option<Option<String>>,
    /// What its health check says.
    pub health: Option<Health>,
    /// Service, deployment and digest of each API.
    pub deployed: Vec<(String, String, Option<String>)>,
    /// When its certificate expires, in seconds since the epoch.
    pub expires: Option<i64>,
}

impl Serving {
    fn lines(&self) -> Vec<Line> {
        let service = match &self.drained {
            None => format!("yes, {} leads here", self.domain),
            Some(Some(by)) => format!("no, drained by {by}"),
            Some(None) => "no, its records are gone".to_owned(),
        };
        let health = match &self.health {
            None => "unknown, there is no health check".to_owned(),
            Some(Health { checkers: 0, .. }) => "unknown, no checker has answered yet".to_owned(),
            Some(Health { healthy: true, checkers, failing, .. }) => {
                format!("yes, {} of {checkers} checkers reach it", checkers - failing)
            }
            Some(health) => format!("no, {health}"),
        };
        let mut lines = vec![("in service", service), ("healthy", health)];
        for (service, deployment, digest) in &self.deployed {
            let digest = digest.as_deref().map_or("unknown", |digest| &digest[..digest.len().min(12)]);
            lines.push(("deployed", format!("{service}: {deployment}, digest {digest}")));
        }
        if let Some(time) = self.expires.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
            lines.push(("certificate", format!("until {time}")));
        }
        lines
    }

    fn to_json(&self) -> Value {
        let Self { domain, drained, health, deployed, expires } = self;
        let deployed: BTreeMap<_, _> = deployed
            .iter()
            .map(|(service, deployment, digest)| (service, json!({"deployment": deployment, "digest": digest})))
            .collect();
        json!({"domain": domain, "in_service": drained.is_none(), "drained_by": drained.clone().flatten(),
            "healthy": health.as_ref().map(|health| health.healthy), "deployed": deployed, "certificate_expires": expires})
    }
}

/// A name, and what stands behind it.
type Line = (&'static str, String);

impl Inventory {
    /// Everything among the live resources that carries the owner's tags.
    #[must_use]
    pub fn new(owner: &Owner, place: &Place, live: Live) -> Self {
        let mut resources: Vec<Observed> = live.into_values().flatten().filter(|one| one.address().is_some()).collect();
        resources.sort_by(|a, b| (a.address(), &a.name).cmp(&(b.address(), &b.name)));
        Self { owner: owner.clone(), place: place.clone(), resources, serving: None }
    }

    /// The same with how it serves, for a Region of an edge.
    #[must_use]
    pub fn serving(self, serving: Option<Serving>) -> Self {
        Self { serving, ..self }
    }

    fn url(&self) -> Option<&str> {
        self.resources.iter().find_map(|one| one.outputs.get("url"))
    }

    /// The deployment that is served, by id.
    fn served(&self) -> Option<&str> {
        self.resources.iter().find_map(|one| one.spec.get("deployment").and_then(Value::as_str))
    }
}

/// Writes an inventory for people.
pub fn inventory_text(inventory: &Inventory, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    let Inventory { owner, place, resources, serving } = inventory;
    let place = format!(" in {} {}", place.account, place.region);
    page.paragraph(&Text::of(Tone::Strong, &owner.to_string()).plain(&place), out)?;
    if resources.is_empty() {
        return page.paragraph(&Text::of(Tone::Plain, "Nothing here carries its tags."), out);
    }
    if let Some(url) = inventory.url() {
        writeln!(out, "Endpoint: {url}")?;
    }
    for (name, value) in serving.iter().flat_map(Serving::lines) {
        page.paragraph(&Text::of(Tone::Faint, &format!("{name:<12}")).plain(&format!(" {value}")).hanging(13), out)?;
    }
    for one in resources {
        let Some(address) = one.address() else { continue };
        writeln!(out)?;
        let served = inventory.served() == one.outputs.get("id");
        let note = if address.kind() == "deployment" && served { "  served" } else { "" };
        page.paragraph(&Text::of(Tone::Strong, address.as_str()).plain(note), out)?;
        for (name, value) in lines(one) {
            page.paragraph(&Text::of(Tone::Faint, &format!("  {name:<12}")).plain(&format!(" {value}")), out)?;
        }
    }
    Ok(())
}

/// What an operator asks about a resource: how it is called, where it is, how it is set.
fn lines(one: &Observed) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![("name", one.name.clone())];
    for name in ["id", "arn"] {
        if let Some(value) = one.outputs.get(name) {
            lines.push((if name == "id" { "id" } else { "arn" }, value.to_owned()));
        }
    }
    if let Some(created) = one.created.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
        lines.push(("created", created.to_string()));
    }
    let spec = &one.spec;
    for (name, pointer) in [
        ("deployment", "/deployment"),
        ("rate limit", "/method_settings/*~1*/throttling_rate_limit"),
        ("burst limit", "/method_settings/*~1*/throttling_burst_limit"),
        ("runtime", "/runtime"),
        ("code", "/code_sha256"),
        ("retention", "/retention_in_days"),
    ] {
        match spec.pointer(pointer) {
            Some(Value::String(text)) => lines.push((name, text.clone())),
            Some(other) => lines.push((name, other.to_string())),
            None => {}
        }
    }
    if let Some(routes) = spec.get("routes").and_then(Value::as_object) {
        lines.push(("routes", routes.len().to_string()));
    }
    lines
}

/// Inventories as JSON: every resource with its spec and outputs.
#[must_use]
pub fn inventories_json(inventories: &[Inventory]) -> Value {
    let all: Vec<Value> = inventories
        .iter()
        .map(|inventory| {
            let resources: BTreeMap<String, Value> = inventory
                .resources
                .iter()
                .filter_map(|one| {
                    let value = json!({"name": one.name, "spec": super::masked_spec(&one.spec), "outputs": one.outputs,
                        "ownership": one.ownership, "created": one.created});
                    Some((one.address()?.to_string(), value))
                })
                .collect();
            json!({
                "product": inventory.owner.product,
                "environment": inventory.owner.environment,
                "account": inventory.place.account,
                "region": inventory.place.region,
                "url": inventory.url(),
                "serving": inventory.serving.as_ref().map(Serving::to_json),
                "resources": resources,
            })
        })
        .collect();
    json!({ "gwctl_version": env!("CARGO_PKG_VERSION"), "environments": all })
}
