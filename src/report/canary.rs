//! Which deployments the stages of an environment serve, and who gets the canary.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::style::{Text, Tone};
use super::text::TextOptions;
use crate::model::{Address, Live, Observed, Owner, Place};

/// The stages of one environment.
#[derive(Debug, Clone)]
pub struct Stages {
    owner: Owner,
    place: Place,
    all: Vec<Stage>,
}

#[derive(Debug, Clone)]
struct Stage {
    address: Address,
    deployment: Deployed,
    /// Percent of the requests, and what they get.
    canary: Option<(f64, Deployed)>,
}

/// A deployment.
#[derive(Debug, Clone)]
struct Deployed {
    id: String,
    /// Seconds since the epoch.
    made: Option<i64>,
}

impl Deployed {
    fn find(id: &str, live: &Live) -> Self {
        let one = live.get("deployment").into_iter().flatten().find(|one| one.name == id);
        Self { id: id.to_owned(), made: one.and_then(|one| one.created) }
    }

    fn made(&self) -> Option<String> {
        Some(jiff::Timestamp::from_second(self.made?).ok()?.to_string())
    }

    fn words(&self) -> String {
        self.made().map_or_else(|| self.id.clone(), |made| format!("{} (made {made})", self.id))
    }

    fn to_json(&self) -> Value {
        json!({ "deployment": self.id, "made": self.made() })
    }
}

impl Stages {
    /// The stages among the live resources that are the owner's.
    #[must_use]
    pub fn new(owner: &Owner, place: &Place, live: &Live) -> Self {
        let text = |spec: &Value| spec.as_str().unwrap_or_default().to_owned();
        let stage = |one: &Observed| {
            let canary = one.spec.get("canary").filter(|canary| !canary.is_null()).map(|canary| {
                let percent = canary["percent"].as_f64().unwrap_or_default();
                (percent, Deployed::find(&text(&canary["deployment"]), live))
            });
            let deployment = Deployed::find(&text(&one.spec["deployment"]), live);
            Some(Stage { address: one.address()?.clone(), deployment, canary })
        };
        let stages = live.get("stage").into_iter().flatten().filter_map(stage).collect();
        Self { owner: owner.clone(), place: place.clone(), all: stages }
    }
}

/// Writes them for people.
pub fn stages_text(stages: &Stages, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    let Stages { owner, place, all: stages } = stages;
    let place = format!(" in {} {}", place.account, place.region);
    page.paragraph(&Text::of(Tone::Strong, &owner.to_string()).plain(&place), out)?;
    if stages.is_empty() {
        page.paragraph(&Text::of(Tone::Plain, "No stage here carries its tags."), out)?;
    }
    for Stage { address, deployment, canary } in stages {
        let text = match canary {
            None => format!("{address}: all requests go to {}; no canary", deployment.words()),
            Some((percent, canary)) => format!(
                "{address}: {percent} % of the requests go to the canary {}, the others to {}",
                canary.words(),
                deployment.words()
            ),
        };
        page.paragraph(&Text::of(Tone::Plain, &text).hanging(2), out)?;
    }
    Ok(())
}

/// The same for programs.
#[must_use]
pub fn stages_json(all: &[Stages]) -> Value {
    let all: Vec<Value> = all
        .iter()
        .map(|Stages { owner, place, all: stages }| {
            let stages: Vec<Value> = stages
                .iter()
                .map(|Stage { address, deployment, canary }| {
                    let canary = canary.as_ref().map(|(percent, canary)| {
                        let mut canary = canary.to_json();
                        canary["percent"] = json!(percent);
                        canary
                    });
                    json!({ "address": address, "serves": deployment.to_json(), "canary": canary })
                })
                .collect();
            json!({
                "product": owner.product, "environment": owner.environment, "account": place.account,
                "region": place.region, "stages": stages,
            })
        })
        .collect();
    json!({ "gwctl_version": env!("CARGO_PKG_VERSION"), "environments": all })
}
