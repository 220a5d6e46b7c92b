//! One fleet through its commands, as users run them, on a sandbox in memory and on a clock that jumps.

use std::path::Path;
use std::time::Duration;

use clap::Parser as _;
use gwctl::cli::Cli;
use gwctl::commands;
use gwctl::host::Host;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::{Conditions, Counters, Latency, Quotas};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::estate::{Estate, Shape};
use super::{Result, wrong};

/// How far away AWS is.
const LATENCY: Duration = Duration::from_millis(50);

/// So far away that calls decide how long everything takes, and no rate does. A call is given up after a minute of silence.
const FAR: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(8)];

/// What is measured of a fleet, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everything is made.
    FirstApply,
    /// A plan that has to find nothing to do.
    Plan,
    /// A look at drift, of which there is none.
    Drift,
    /// An apply after one route of every environment has changed.
    OneRoute,
}

impl Phase {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::FirstApply, Self::Plan, Self::Drift, Self::OneRoute];

    /// How it is called in the figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FirstApply => "first apply",
            Self::Plan => "no-op plan",
            Self::Drift => "drift",
            Self::OneRoute => "one route changed",
        }
    }

    /// What users type. A plan or a drift that finds something ends with 2, which is a failure here.
    fn line(self) -> &'static [&'static str] {
        match self {
            Self::FirstApply | Self::OneRoute => &["apply", "--yes"],
            Self::Plan => &["plan", "--detailed-exitcode"],
            Self::Drift => &["drift"],
        }
    }
}

/// What one environment takes alone, where nothing limits it but its own chain of calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alone {
    /// Calls on the longest chain.
    pub(crate) rounds: f64,
    /// Seconds, at the latency of the measurement.
    pub(crate) seconds: f64,
}

/// One command, and what came of it.
struct Ran {
    phase: Phase,
    time: Duration,
    counters: Counters,
}

/// All phases, with AWS's quotas, as JSON by the name of the phase.
pub(crate) fn measure(shape: &Shape) -> Result<Value> {
    let conditions = || Conditions::none().quotas(Quotas::Aws).latency(Latency::fixed(LATENCY));
    let mut all = serde_json::Map::new();
    for ran in phases(shape, conditions)? {
        let figures = json!({"seconds": ran.time.as_secs_f64(), "calls": ran.counters});
        all.insert(ran.phase.name().to_owned(), figures);
    }
    Ok(all.into())
}

/// What one environment takes, by how its time grows with the distance to AWS, as JSON by the name of the phase.
pub(crate) fn alone(shape: &Shape) -> Result<Value> {
    let at = |latency| phases(shape, move || Conditions::none().latency(Latency::fixed(latency)));
    let (near, far) = (at(FAR[0])?, at(FAR[1])?);
    let mut all = serde_json::Map::new();
    for (near, far) in near.iter().zip(&far) {
        let rounds = (far.time.as_secs_f64() - near.time.as_secs_f64()) / (FAR[1].as_secs_f64() - FAR[0].as_secs_f64());
        let seconds = near.time.as_secs_f64() - rounds * (FAR[0].as_secs_f64() - LATENCY.as_secs_f64());
        all.insert(near.phase.name().to_owned(), json!({"rounds": rounds, "seconds": seconds}));
    }
    Ok(all.into())
}

impl From<&Value> for Alone {
    fn from(measured: &Value) -> Self {
        let number = |name: &str| measured[name].as_f64().unwrap_or(f64::NAN);
        Self { rounds: number("rounds"), seconds: number("seconds") }
    }
}

fn phases(shape: &Shape, conditions: impl Fn() -> Conditions) -> Result<Vec<Ran>> {
    let estate = Estate::write(shape)?;
    let sandbox = Sandbox::in_memory();
    let mut all = Vec::with_capacity(Phase::ALL.len());
    for phase in Phase::ALL {
        if phase == Phase::OneRoute {
            estate.open_a_route()?;
        }
        // Counters and full buckets of its own.
        all.push(ran(phase, &estate, &sandbox.clone().under(conditions()))?);
    }
    Ok(all)
}

/// The command as users type it.
pub(crate) fn command(phase: Phase, root: &Path, more: &[&str]) -> Result<Cli> {
    let root = root.display().to_string();
    let common = ["--all", "--output", "json", "--no-progress", "--root", &root];
    Ok(Cli::try_parse_from(["gwctl"].iter().chain(phase.line()).chain(&common).chain(more))?)
}

/// What the command ended with has to be that all is well.
pub(crate) fn well(phase: Phase, ended: gwctl::error::Result<u8>) -> Result<()> {
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => Err(wrong(&format!("{} ended with {code}", phase.name()))),
        Err(failure) => Err(wrong(&format!("{}: {failure}", phase.name()))),
    }
}

fn ran(phase: Phase, estate: &Estate, sandbox: &Sandbox) -> Result<Ran> {
    let mut cli = command(phase, estate.root(), &["--sandbox"])?;
    cli.global.host = Some(Host::of(sandbox.clone()));
    // With one thread the clock can be paused: it jumps to the next timer when everything waits.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let (ended, time) = runtime.block_on(async {
        let begun = Instant::now();
        (commands::run(cli).await, begun.elapsed())
    });
    well(phase, ended)?;
    Ok(Ran { phase, time, counters: sandbox.counters() })
}
