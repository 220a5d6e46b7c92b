//! What AWS holds of an environment, for operators.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::layout::Page;
use super::style::{Entry, Text, Tone};
use super::text::TextOptions;
use crate::history::Record;
use crate::inspection::console;
use crate::inspection::standing::{DeploymentView, StageView, Standing, State, age};
use crate::model::{Address, Health, Live, Observed, Owner, Place};

/// The live resources of one environment that are its own, and how it stands.
#[derive(Debug, Clone)]
pub struct Inventory {
    owner: Owner,
    place: Place,
    resources: Vec<Observed>,
    serving: Option<Serving>,
    standing: Option<Standing>,
    stages: Vec<StageView>,
    log_groups: Vec<LogGroupView>,
    last_deed: Option<Record>,
    /// The time of the look, in seconds since the epoch.
    now: i64,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroupView {
    /// Its name.
    pub name: String,
    /// How many days events are kept; none: for ever.
    pub days: Option<i64>,
    /// How large it is.
    pub bytes: Option<i64>,
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

/// Columns of the names in front of the lines.
const NAMES: usize = 14;

impl Inventory {
    /// Everything among the live resources that carries the owner's tags.
    #[must_use]
    pub fn new(owner: &Owner, place: &Place, live: Live) -> Self {
        let mut resources: Vec<Observed> = live.into_values().flatten().filter(|one| one.address().is_some()).collect();
        resources.sort_by(|a, b| (a.address(), &a.name).cmp(&(b.address(), &b.name)));
        Self {
            owner: owner.clone(),
            place: place.clone(),
            resources,
            serving: None,
            standing: None,
            stages: Vec::new(),
            log_groups: Vec::new(),
            last_deed: None,
            now: jiff::Timestamp::now().as_second(),
        }
    }

    /// The same with how it serves, for a Region of an edge.
    #[must_use]
    pub fn serving(self, serving: Option<Serving>) -> Self {
        Self { serving, ..self }
    }

    /// The same with how it stands.
    #[must_use]
    pub fn standing(self, standing: Standing) -> Self {
        Self { standing: Some(standing), ..self }
    }

    /// The same with its stages.
    #[must_use]
    pub fn stages(self, stages: Vec<StageView>) -> Self {
        Self { stages, ..self }
    }

    /// The same with its log groups.
    #[must_use]
    pub fn log_groups(self, log_groups: Vec<LogGroupView>) -> Self {
        Self { log_groups, ..self }
    }

    /// The same with the last thing that was done to it.
    #[must_use]
    pub fn last_deed(self, last_deed: Option<Record>) -> Self {
        Self { last_deed, ..self }
    }

    /// The same with what the reader should know besides.
    #[must_use]
    pub fn noted(mut self, notes: Vec<String>) -> Self {
        if let Some(standing) = &mut self.standing {
            standing.notes.extend(notes);
        }
        self
    }

    /// How it stands, where that was looked at.
    #[must_use]
    pub fn stands(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    fn urls(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().filter_map(|one| one.outputs.get("url"))
    }

    /// The deployments that are served, by id.
    fn serves(&self, one: &Observed) -> bool {
        let id = one.outputs.get("id");
        id.is_some() && self.resources.iter().any(|stage| stage.spec.get("deployment").and_then(Value::as_str) == id)
    }

    fn ago(&self, seconds: i64) -> String {
        let at = jiff::Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default();
        format!("{at} ({} ago)", age(self.now - seconds))
    }

    /// How it stands, in lines.
    fn summary(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(standing) = &self.standing {
            lines.push(("state", state_line(standing)));
            let named = standing.resources.iter().filter(|(_, state)| **state != State::InSync);
            lines.extend(named.map(|(address, state)| ("", format!("{address}: {}", state.words()))));
            lines.extend(standing.notes.iter().map(|note| ("note", note.clone())));
        }
        if let Some(record) = &self.last_deed {
            let Record { deed, result, by, gwctl, summary, .. } = record;
            let when = record.began.parse::<jiff::Timestamp>().map(|at| self.ago(at.as_second()));
            let when = when.unwrap_or_else(|_| record.began.clone());
            let what = format!("{} added, {} changed, {} destroyed", summary.add, summary.change, summary.destroy);
            let who = format!("{} on {} with gwctl {gwctl}", by.who(), by.host);
            lines.push(("last done", format!("{} {}: {what}; {when} by {who}", deed.name(), result.name())));
        }
        lines
    }

    fn deployment(&self, view: &DeploymentView) -> String {
        let made = view.created.map(|seconds| format!(", made {}", self.ago(seconds))).unwrap_or_default();
        // Nobody reads 64 digits; the address of the deployment has the first twelve too.
        let short = |text: &String| match text.strip_prefix("gwctl snapshot ").and_then(|digest| digest.get(..12)) {
            Some(digest) => format!(": snapshot {digest}"),
            None => format!(": {text}"),
        };
        let what = view.description.as_ref().map(short).unwrap_or_default();
        format!("{}{made}{what}", view.id)
    }
}

fn state_line(standing: &Standing) -> String {
    let all = [State::Drifted, State::Changes, State::Unfinished, State::NotDeployed, State::NotWanted];
    let (synced, count) = (standing.count(State::InSync), standing.resources.len());
    let others = all.into_iter().filter_map(|state| match standing.count(state) {
        0 => None,
        count => Some(format!("{count} {}", state.words())),
    });
    let first = format!("{synced} of {count} in sync");
    let line = std::iter::once(first).chain(others).collect::<Vec<_>>().join(", ");
    if standing.compared { line } else { format!("{line}, by the tags alone") }
}

/// Writes an inventory for people.
pub fn inventory_text(inventory: &Inventory, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    let Inventory { owner, place, resources, serving, .. } = inventory;
    let place = format!(" in {} {}", place.account, place.region);
    page.paragraph(&Text::of(Tone::Strong, &owner.to_string()).plain(&place), out)?;
    if resources.is_empty() {
        return page.paragraph(&Text::of(Tone::Plain, "Nothing here carries its tags."), out);
    }
    for url in inventory.urls() {
        writeln!(out, "Endpoint: {url}")?;
    }
    for (name, value) in inventory.summary().into_iter().chain(serving.iter().flat_map(Serving::lines)) {
        line(page, "", name, &value, out)?;
    }
    stages_text(inventory, page, out)?;
    log_groups_text(&inventory.log_groups, page, out)?;
    let mut stacks: Vec<&str> = resources.iter().filter_map(Observed::address).map(Address::stack).collect();
    stacks.dedup();
    for stack in stacks {
        writeln!(out)?;
        page.paragraph(&Text::of(Tone::Strong, stack), out)?;
        let tops = resources.iter().filter(|one| one.address().is_some_and(|at| at.stack() == stack));
        let tops = tops.filter(|one| !one.within.as_ref().is_some_and(|parent| has(resources, parent)));
        page.tree(&tops.map(|one| entry(inventory, one)).collect::<Vec<_>>(), out)?;
    }
    Ok(())
}

fn line(page: Page, lead: &str, name: &str, value: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = Text::of(Tone::Faint, &format!("{lead}{name:<NAMES$}")).plain(&format!(" {value}"));
    page.paragraph(&text.hanging(lead.len() + NAMES + 1), out)
}

fn stages_text(inventory: &Inventory, page: Page, out: &mut dyn Write) -> io::Result<()> {
    for StageView { address, name, url: _, settings, deployment } in &inventory.stages {
        writeln!(out)?;
        let title = Text::of(Tone::Strong, &format!("stage {name}")).plain(&format!(" ({address})"));
        page.paragraph(&title, out)?;
        if let Some(deployment) = deployment {
            line(page, "  ", "deployment", &inventory.deployment(deployment), out)?;
        }
        for (name, value) in settings {
            line(page, "  ", name, value, out)?;
        }
    }
    Ok(())
}

fn log_groups_text(groups: &[LogGroupView], page: Page, out: &mut dyn Write) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    page.paragraph(&Text::of(Tone::Strong, "log groups"), out)?;
    for LogGroupView { name, days, bytes } in groups {
        let days = days.map_or("kept for ever".to_owned(), |days| format!("kept for {days} days"));
        let size = bytes.map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
        let text = Text::of(Tone::Plain, "  ").plain(name).segment("  ", 4, 4);
        page.paragraph(&text.push(Tone::Faint, &format!("{days}{size}")), out)?;
    }
    Ok(())
}

fn has(resources: &[Observed], address: &Address) -> bool {
    resources.iter().any(|one| one.address() == Some(address))
}

/// Bytes as people say them.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut rest, mut unit) = (bytes.max(0), 0);
    while rest >= 10_240 && unit + 1 < UNITS.len() {
        rest /= 1024;
        unit += 1;
    }
    format!("{rest} {}", UNITS[unit])
}

/// A resource with what there is to say about it, and those that live in it.
fn entry(inventory: &Inventory, one: &Observed) -> Entry {
    let Some(address) = one.address() else { return Entry::new(None, Text::new()) };
    let state = inventory.standing.as_ref().and_then(|standing| standing.of(address));
    let tone = match state {
        Some(State::InSync) | None => Tone::Added,
        Some(State::Drifted) => Tone::Removed,
        Some(_) => Tone::Changed,
    };
    let mut text = Text::of(Tone::Strong, address.as_str());
    if let Some(state) = state {
        text = text.plain("  ").push(tone, state.words());
    }
    if address.kind() == "deployment" && inventory.serves(one) {
        text = text.plain("  served");
    }
    let mut below: Vec<Entry> = lines(inventory, one)
        .into_iter()
        .map(|(name, value)| {
            let text = Text::of(Tone::Faint, &format!("{name:<NAMES$}")).plain(&format!(" {value}"));
            Entry::new(None, text.hanging(NAMES + 1))
        })
        .collect();
    let inside = inventory.resources.iter().filter(|other| other.within.as_ref() == Some(address));
    below.extend(inside.map(|other| entry(inventory, other)));
    Entry::new(None, text).with(below)
}

/// What an operator asks about a resource: how it is called, where it is, how it is set.
fn lines(inventory: &Inventory, one: &Observed) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![("name", one.name.clone())];
    for name in ["id", "arn"] {
        if let Some(value) = one.outputs.get(name) {
            lines.push((name, value.to_owned()));
        }
    }
    lines.extend(one.created.map(|seconds| ("created", inventory.ago(seconds))));
    let spec = &one.spec;
    for (name, pointer) in [
        ("deployment", "/deployment"),
        ("runtime", "/runtime"),
        ("code", "/code_sha256"),
        ("retention", "/retention_in_days"),
    ] {
        match spec.pointer(pointer) {
            Some(Value::String(text)) => lines.push((name, text.clone())),
            Some(Value::Null) | None => {}
            Some(other) => lines.push((name, other.to_string())),
        }
    }
    if let Some(routes) = spec.get("routes").and_then(Value::as_object) {
        lines.push(("routes", routes.len().to_string()));
    }
    lines.extend(console::link(&inventory.place, one).map(|link| ("console", link)));
    lines
}

impl Inventory {
    pub(super) fn to_json(&self) -> Value {
        let state = |address: &Address| self.standing.as_ref().and_then(|standing| standing.of(address));
        let resources: BTreeMap<String, Value> = self
            .resources
            .iter()
            .filter_map(|one| {
                let address = one.address()?;
                let value = json!({"name": one.name, "spec": super::masked_spec(&one.spec), "outputs": one.outputs,
                    "ownership": one.ownership, "created": one.created, "state": state(address),
                    "within": one.within, "console": console::link(&self.place, one)});
                Some((address.to_string(), value))
            })
            .collect();
        let groups = self.log_groups.iter().map(|LogGroupView { name, days, bytes }| {
            json!({"name": name, "retention_in_days": days, "stored_bytes": bytes})
        });
        json!({
            "product": self.owner.product,
            "environment": self.owner.environment,
            "account": self.place.account,
            "region": self.place.region,
            "url": self.urls().next(),
            "urls": self.urls().collect::<Vec<_>>(),
            "serving": self.serving.as_ref().map(Serving::to_json),
            "standing": self.standing.as_ref().map(standing_json),
            "last_done": self.last_deed.as_ref().map(super::record_json),
            "stages": self.stages,
            "log_groups": groups.collect::<Vec<_>>(),
            "resources": resources,
        })
    }
}

fn standing_json(standing: &Standing) -> Value {
    json!({
        "cell": standing.cell().words(), "compared": standing.compared, "in_sync": standing.count(State::InSync),
        "drifted": standing.count(State::Drifted), "changes": standing.changes(), "resources": standing.resources,
        "notes": standing.notes,
    })
}
