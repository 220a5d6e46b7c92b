//! How an environment stands: what is as it was applied, what somebody changed in AWS, and what the configuration wants and AWS
//! has not got.
//!
//! The digest in a resource's tag says whether AWS moved since the last apply, and needs nothing else. What is not applied yet
//! takes a plan.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::model::{Address, Digest, Live, Observed, Ownership};
use crate::plan::{Plan, Reason};

/// How one resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it was applied, and as the configuration wants it as far as that is known.
    InSync,
    /// Somebody changed it in AWS since the last apply.
    Drifted,
    /// The configuration wants it otherwise.
    Changes,
    /// Its first apply did not get to the end.
    Unfinished,
    /// The configuration wants it, and AWS has not got it.
    NotDeployed,
    /// It is no longer in the configuration.
    NotWanted,
}

impl State {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Drifted => "drifted",
            Self::Changes => "changes wait",
            Self::Unfinished => "not finished",
            Self::NotDeployed => "not deployed",
            Self::NotWanted => "no longer wanted",
        }
    }
}

/// How an environment stands, resource by resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Each resource that is there or wanted. Snapshots that are kept for a rollback are in sync.
    pub resources: BTreeMap<Address, State>,
    /// The configuration was compared too; else only what was applied and what is there.
    pub compared: bool,
    /// Why it was not, or what else the reader should know.
    pub notes: Vec<String>,
}

/// A live resource against the digest in its own tag.
#[must_use]
pub fn by_digest(live: &Observed) -> State {
    match &live.ownership {
        Ownership::Ours { digest: Some(digest), .. } if digest == Digest::of(&live.spec).as_str() => State::InSync,
        Ownership::Ours { digest: Some(_), .. } => State::Drifted,
        _ => State::Unfinished,
    }
}

impl Standing {
    /// What the tags alone tell. `only_if_missing`: kinds that belong to the whole Region and are compared with nothing.
    #[must_use]
    pub fn of_live(live: &Live, only_if_missing: &BTreeSet<&str>) -> Self {
        let ours = live.values().flatten().filter_map(|one| Some((one.address()?.clone(), one)));
        let mut resources = BTreeMap::new();
        for (address, one) in ours.filter(|(address, _)| !only_if_missing.contains(address.kind())) {
            let state = by_digest(one);
            // Two of one address: the worse one counts.
            resources.entry(address).and_modify(|known: &mut State| *known = (*known).max(state)).or_insert(state);
        }
        Self { resources, compared: false, notes: Vec::new() }
    }

    /// The same with what a plan says besides.
    #[must_use]
    pub fn with_plan(mut self, plan: &Plan) -> Self {
        self.compared = true;
        for step in &plan.steps {
            let state = match step.reason {
                // The tag told already.
                Reason::Drifted | Reason::ChangedAndDrifted => State::Drifted,
                Reason::Missing => State::NotDeployed,
                Reason::ConfigurationChanged
                | Reason::RecordOnly
                | Reason::RolledBack
                | Reason::CanaryPromoted
                | Reason::CanaryAborted => State::Changes,
                Reason::Unfinished => State::Unfinished,
                Reason::NotWanted | Reason::Destroy => State::NotWanted,
                // The next apply that has something to do takes it along.
                Reason::Superseded => continue,
            };
            self.resources.insert(step.address.clone(), state);
        }
        // What an apply would leave as it is, though a tag is older than a default that has since been learned.
        for one in &plan.unchanged {
            self.resources.insert(one.address.clone(), State::InSync);
        }
        self
    }

    /// How many resources stand so.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.resources.values().filter(|known| **known == state).count()
    }

    /// How one resource stands.
    #[must_use]
    pub fn of(&self, address: &Address) -> Option<State> {
        self.resources.get(address).copied()
    }

    /// What is not in sync and there, but for drift: an apply would do something about it.
    #[must_use]
    pub fn changes(&self) -> usize {
        let all = [State::Changes, State::Unfinished, State::NotDeployed, State::NotWanted];
        all.into_iter().map(|state| self.count(state)).sum()
    }

    /// Nothing of it is in AWS.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.resources.values().all(|state| *state == State::NotDeployed)
    }

    /// The whole in one cell of a table.
    #[must_use]
    pub fn cell(&self) -> Cell {
        match (self.is_absent(), self.count(State::Drifted), self.changes()) {
            (true, _, _) => Cell::NotDeployed,
            (_, 0, 0) => Cell::InSync,
            (_, 0, changes) => Cell::Changes(changes),
            (_, drifted, _) => Cell::Drifted(drifted),
        }
    }
}

/// An environment in a table of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Nothing to do.
    InSync,
    /// So many resources were changed in AWS.
    Drifted(usize),
    /// So many resources would be changed by an apply.
    Changes(usize),
    /// Nothing of it is there.
    NotDeployed,
    /// It could not be read.
    Unreachable,
}

impl Cell {
    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::InSync => "in sync".to_owned(),
            Self::Drifted(count) => format!("drifted {count}"),
            Self::Changes(count) => format!("changes {count}"),
            Self::NotDeployed => "not deployed".to_owned(),
            Self::Unreachable => "unreachable".to_owned(),
        }
    }

    /// The worse of two: an environment in several Regions stands as its worst one.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |cell: &Self| match cell {
            Self::InSync => 0,
            Self::NotDeployed => 1,
            Self::Changes(_) => 2,
            Self::Drifted(_) => 3,
            Self::Unreachable => 4,
        };
        match (self, other) {
            (Self::Drifted(one), Self::Drifted(two)) => Self::Drifted(one + two),
            (Self::Changes(one), Self::Changes(two)) => Self::Changes(one + two),
            (one, two) if rank(&one) >= rank(&two) => one,
            (_, two) => two,
        }
    }
}

/// A stage, as an operator asks about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageView {
    /// Its address.
    pub address: Address,
    /// Its name.
    pub name: String,
    /// Where it answers.
    pub url: Option<String>,
    /// Its settings, name and words.
    pub settings: BTreeMap<&'static str, String>,
    /// The deployment it serves.
    pub deployment: Option<DeploymentView>,
}

/// A deployment that a stage serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentView {
    /// Its id.
    pub id: String,
    /// When it was made, in seconds since the epoch.
    pub created: Option<i64>,
    /// How its maker described it.
    pub description: Option<String>,
}

/// A number as people write it: `100`, not `100.0`.
fn number(value: &Value, name: &str) -> Option<String> {
    Some(value.get(name)?.as_f64()?.to_string())
}

fn limits(settings: &Value, rate: &str, burst: &str) -> Option<String> {
    Some(format!("{} requests a second, {} at once", number(settings, rate)?, number(settings, burst)?))
}

/// The settings of a stage by its spec: a REST API's or an HTTP API's.
#[must_use]
pub fn stage_settings(spec: &Value) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    let all = spec.pointer("/method_settings/*~1*");
    if let Some(all) = all {
        found.extend(limits(all, "throttling_rate_limit", "throttling_burst_limit").map(|text| ("throttling", text)));
        let level = all.get("logging_level").and_then(Value::as_str).unwrap_or("OFF");
        let bodies = if all.get("data_trace") == Some(&Value::Bool(true)) { ", whole requests" } else { "" };
        found.insert("execution log", format!("{level}{bodies}"));
    }
    let own = spec.get("method_settings").and_then(Value::as_object).into_iter().flatten();
    let own: Vec<&str> = own.map(|(path, _)| path.as_str()).filter(|path| *path != "*/*").collect();
    if !own.is_empty() {
        found.insert("own settings", own.join(", "));
    }
    if let Some(defaults) = spec.get("default_route_settings") {
        let throttling = defaults.get("throttling").and_then(|all| limits(all, "rate_limit", "burst_limit"));
        found.insert("throttling", throttling.unwrap_or_else(|| "what the account allows".to_owned()));
    }
    let log = spec.pointer("/access_log/destination").and_then(Value::as_str);
    found.insert(
        "access log",
        log.map_or("none", |arn| arn.rsplit_once(":log-group:").map_or(arn, |(_, name)| name)).to_owned(),
    );
    if let Some(traced) = spec.get("xray").and_then(Value::as_bool) {
        found.insert("tracing", if traced { "X-Ray" } else { "off" }.to_owned());
    }
    if let Some(canary) = spec.get("canary").filter(|canary| !canary.is_null()) {
        let percent = number(canary, "percent").unwrap_or_default();
        let deployment = canary.get("deployment").and_then(Value::as_str).unwrap_or_default();
        found.insert("canary", format!("{percent} % to deployment {deployment}"));
    }
    if let Some(acl) = spec.get("web_acl").and_then(Value::as_str) {
        found.insert("web ACL", acl.to_owned());
    }
    found
}

/// A span of time as people say it: `3 h`.
#[must_use]
pub fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Outputs, Owner, Place};
    use crate::plan::{Action, Step, Unchanged};

    fn live(name: &str, digest: Option<&str>) -> Observed {
        let spec = json!({"name": name});
        let digest = digest.map(|word| if word == "own" { Digest::of(&spec).to_string() } else { word.to_owned() });
        Observed {
            name: name.into(),
            within: None,
            outputs: Outputs::default(),
            ownership: Ownership::Ours { address: Address::new("gate", "stage", name), digest },
            created: None,
            in_use_by: None,
            spec,
        }
    }

    fn step(name: &str, reason: Reason) -> Step {
        Step {
            address: Address::new("gate", "stage", name),
            name: None,
            action: Action::Update,
            reason,
            forced_by: Vec::new(),
            changes: Vec::new(),
            after: None,
            live: None,
            after_steps: Vec::new(),
            retires_after: Vec::new(),
            old_ones_first: Vec::new(),
            labels: BTreeMap::new(),
        }
    }

    fn plan(steps: Vec<Step>, unchanged: Vec<Unchanged>) -> Plan {
        Plan {
            owner: Owner { product: "p".into(), environment: "e".into() },
            place: Place { account: "1".into(), region: "r".into(), partition: "aws".into() },
            steps,
            unchanged,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn tags_tell_drift_and_a_plan_tells_the_rest() {
        let all = Live::from([("stage", vec![live("a", Some("own")), live("b", Some("other")), live("c", None)])]);
        let standing = Standing::of_live(&all, &BTreeSet::new());
        let states: Vec<State> = standing.resources.values().copied().collect();
        assert_eq!(states, [State::InSync, State::Drifted, State::Unfinished]);
        assert_eq!(standing.cell(), Cell::Drifted(1));
        let steps =
            vec![step("a", Reason::ConfigurationChanged), step("d", Reason::Missing), step("e", Reason::Superseded)];
        let unchanged = vec![Unchanged { address: Address::new("gate", "stage", "b"), live: live("b", None) }];
        let standing = standing.with_plan(&plan(steps, unchanged));
        assert_eq!((standing.count(State::Drifted), standing.changes()), (0, 3));
        assert_eq!(standing.cell(), Cell::Changes(3));
        assert!(Standing::of_live(&all, &BTreeSet::from(["stage"])).resources.is_empty());
    }

    #[test]
    fn nothing_that_is_there_is_not_deployed() {
        assert_eq!(Standing::default().cell(), Cell::NotDeployed);
        let wanted = Standing::default().with_plan(&plan(vec![step("a", Reason::Missing)], Vec::new()));
        assert_eq!(wanted.cell(), Cell::NotDeployed);
    }

    #[test]
    fn the_worst_region_counts() {
        assert_eq!(Cell::InSync.worse(Cell::NotDeployed), Cell::NotDeployed);
        assert_eq!(Cell::Changes(2).worse(Cell::Changes(3)), Cell::Changes(5));
        assert_eq!(Cell::Drifted(2).worse(Cell::Changes(3)), Cell::Drifted(2));
        assert_eq!(Cell::InSync.worse(Cell::Unreachable).words(), "unreachable");
    }

    #[test]
    fn settings_of_both_kinds_of_stages_are_told() {
        let rest = json!({"method_settings": {"*/*": {"throttling_rate_limit": 100.0, "throttling_burst_limit": 50,
            "logging_level": "INFO", "data_trace": true}, "~1a/GET": {}}, "xray": true, "canary": {"percent": 10.0, "deployment": "d"},
            "access_log": {"destination": "arn:aws:logs:r:1:log-group:/a/b", "format": "x"}, "web_acl": "arn:w"});
        let settings = stage_settings(&rest);
        assert_eq!(settings["throttling"], "100 requests a second, 50 at once");
        assert_eq!(settings["execution log"], "INFO, whole requests");
        assert_eq!((settings["access log"].as_str(), settings["tracing"].as_str()), ("/a/b", "X-Ray"));
        assert_eq!(
            (settings["canary"].as_str(), settings["own settings"].as_str()),
            ("10 % to deployment d", "~1a/GET")
        );
        let http = stage_settings(&json!({"default_route_settings": {"detailed_metrics": true}}));
        assert_eq!((http["throttling"].as_str(), http["access log"].as_str()), ("what the account allows", "none"));
    }

    #[test]
    fn ages_are_said_as_people_say_them() {
        let all = [-5, 59, 60, 3600, 172_799, 172_800].map(age);
        assert_eq!(all, ["0 s", "59 s", "1 min", "1 h", "47 h", "2 days"]);
    }
}
