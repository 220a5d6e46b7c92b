//! The figures, as tables and as JSON, and how they grow with the fleet.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gwctl::sandbox::conditions::Counters;
use serde_json::{Value, json};

use super::bound::{self, as_f64};
use super::estate::{Shape, Spread};
use super::run::{Alone, Phase};

/// One command on one fleet.
#[derive(Debug)]
pub(crate) struct Row {
    /// Which fleet.
    pub(crate) shape: Shape,
    /// Which command.
    pub(crate) phase: Phase,
    /// How long it took on the clock that jumps, in seconds.
    pub(crate) seconds: f64,
    /// The least that the quotas, or the chain of calls of one environment, allow.
    pub(crate) bound: f64,
    /// What decides the bound.
    pub(crate) decides: String,
    counters: Counters,
    alone: Alone,
}

/// What one command on one fleet costs the machine.
#[derive(Debug)]
pub(crate) struct Cost {
    shape: Shape,
    phase: Phase,
    /// In seconds.
    processor: Option<f64>,
    /// Resident at its highest, in MiB.
    memory: Option<f64>,
}

/// Everything measured.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// A row for each fleet and command.
    pub(crate) rows: Vec<Row>,
    /// The same, for the machine.
    pub(crate) costs: Vec<Cost>,
}

impl Row {
    /// From what the fleet's own process wrote.
    pub(crate) fn new(shape: Shape, phase: Phase, measured: &Value, alone: Alone) -> Self {
        let counters: Counters = serde_json::from_value(measured["calls"].clone()).unwrap_or_default();
        let number = |name: &str| measured[name].as_f64();
        let quotas = bound::of(&counters, &shape).filter(|bound| bound.seconds > alone.seconds);
        let (bound, decides) = match quotas {
            Some(bound) => (bound.seconds, bound.bucket),
            None => (alone.seconds, format!("{:.0} rounds", alone.rounds)),
        };
        Self { shape, phase, seconds: number("seconds").unwrap_or(f64::NAN), bound, decides, counters, alone }
    }

    /// How much longer it took than the least.
    fn ratio(&self) -> f64 {
        self.seconds / self.bound
    }

    fn totals(&self) -> Totals {
        Totals {
            environments: self.shape.environments,
            of: vec![("calls", precise(self.counters.total.calls)), ("time", self.seconds)],
        }
    }

    /// One line of a table.
    pub(crate) fn line(&self) -> String {
        let calls = self.counters.total.calls;
        format!(
            "{:>4} {:<17} {calls:>7} {:>7.1} {:>5} {:>9.1} {:>9.1} {:>5.2}  {}",
            self.shape.environments,
            self.phase.name(),
            precise(calls) / as_f64(self.shape.environments),
            self.counters.total.throttles,
            self.seconds,
            self.bound,
            self.ratio(),
            self.decides,
        )
    }

    fn json(&self) -> Value {
        let Shape { environments, routes, spread, gateways } = self.shape;
        json!({
            "environments": environments,
            "routes": routes,
            "spread": spread.to_string(),
            "gateways": gateways,
            "phase": self.phase.name(),
            "seconds": self.seconds,
            "bound_seconds": self.bound,
            "bound_by": self.decides,
            "times_the_bound": self.ratio(),
            "rounds_of_one_environment": self.alone.rounds,
            "seconds_of_one_environment": self.alone.seconds,
            "calls": self.counters,
        })
    }
}

impl Cost {
    /// From what the command's own process wrote.
    pub(crate) fn new(shape: Shape, phase: Phase, measured: &Value) -> Self {
        let number = |name: &str| measured[name].as_f64();
        Self { shape, phase, processor: number("processor_seconds"), memory: number("memory_mib") }
    }

    fn totals(&self) -> Totals {
        let all = [("processor", self.processor), ("memory", self.memory)];
        let known = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Totals { environments: self.shape.environments, of: known.collect() }
    }

    /// One line of a table.
    pub(crate) fn line(&self) -> String {
        let environments = as_f64(self.shape.environments);
        let (processor, memory) = (self.processor.unwrap_or(f64::NAN), self.memory.unwrap_or(f64::NAN));
        format!(
            "{:>4} {:<17} {processor:>8.2} {:>7.3} {memory:>7.0} {:>7.2}",
            self.shape.environments,
            self.phase.name(),
            processor / environments,
            memory / environments,
        )
    }

    fn json(&self) -> Value {
        json!({
            "environments": self.shape.environments,
            "routes": self.shape.routes,
            "phase": self.phase.name(),
            "processor_seconds": self.processor,
            "memory_peak_mib": self.memory,
        })
    }
}

const HEAD: &str = "envs command             calls    each   429      time     bound times  bound by";

const COST_HEAD: &str = "envs command           cpu s all    each MiB all    each";

impl Figures {
    /// Tables, one for each spread and number of routes, and how what an environment costs grows.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (spread, routes) in self.groups() {
            let _ = writeln!(text, "{routes} routes, {spread} (accounts x Regions); times in seconds\n{HEAD}");
            for row in self.group(spread, routes) {
                let _ = writeln!(text, "{}", row.line());
            }
            for growth in self.growths(spread, routes) {
                let _ = writeln!(text, "{growth}");
            }
            text.push('\n');
        }
        for routes in self.cost_groups() {
            let _ = writeln!(text, "{routes} routes, an account for each environment\n{COST_HEAD}");
            for cost in self.costs.iter().filter(|cost| cost.shape.routes == routes) {
                let _ = writeln!(text, "{}", cost.line());
            }
            for growth in self.cost_growths(routes) {
                let _ = writeln!(text, "{growth}");
            }
            text.push('\n');
        }
        text
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        let growth = self.groups().into_iter().flat_map(|(spread, routes)| {
            let all = self.growths(spread, routes);
            all.into_iter().map(move |growth| growth.json(Some(spread), routes)).collect::<Vec<_>>()
        });
        let cost_growth = self.cost_groups().into_iter().flat_map(|routes| {
            self.cost_growths(routes).into_iter().map(move |growth| growth.json(None, routes)).collect::<Vec<_>>()
        });
        let profile = if cfg!(debug_assertions) { "without optimisations" } else { "optimised" };
        json!({
            "profile": profile,
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "costs": self.costs.iter().map(Cost::json).collect::<Vec<_>>(),
            "growth": growth.chain(cost_growth).collect::<Vec<_>>(),
        })
    }

    /// Spreads and numbers of routes, each pair once.
    pub(crate) fn groups(&self) -> Vec<(Spread, usize)> {
        let mut groups: Vec<_> = self.rows.iter().map(|row| (row.shape.spread, row.shape.routes)).collect();
        groups.dedup();
        groups
    }

    /// The rows of a pair.
    pub(crate) fn group(&self, spread: Spread, routes: usize) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.shape.spread == spread && row.shape.routes == routes)
    }

    fn cost_groups(&self) -> Vec<usize> {
        let mut groups: Vec<usize> = self.costs.iter().map(|cost| cost.shape.routes).collect();
        groups.dedup();
        groups
    }

    fn growths(&self, spread: Spread, routes: usize) -> Vec<Growth> {
        let of = |phase| self.group(spread, routes).filter(move |row| row.phase == phase).map(Row::totals);
        Phase::ALL.into_iter().filter_map(|phase| Growth::over(phase, of(phase).collect())).collect()
    }

    fn cost_growths(&self, routes: usize) -> Vec<Growth> {
        let of = |phase| {
            let mine = self.costs.iter().filter(move |cost| cost.shape.routes == routes && cost.phase == phase);
            mine.map(Cost::totals)
        };
        Phase::ALL.into_iter().filter_map(|phase| Growth::over(phase, of(phase).collect())).collect()
    }
}

/// What a whole fleet costs, by what it is measured in.
struct Totals {
    environments: usize,
    of: Vec<(&'static str, f64)>,
}

/// How what one environment costs grows from the smallest fleet of at least ten to the largest.
struct Growth {
    phase: Phase,
    least: usize,
    most: usize,
    /// How many times as much an environment costs in the largest, by what it is measured in.
    ratios: BTreeMap<&'static str, f64>,
    /// The exponent of the whole fleet's cost by its size, fitted: 1 is linear.
    exponents: BTreeMap<&'static str, f64>,
}

impl Growth {
    fn over(phase: Phase, mut all: Vec<Totals>) -> Option<Self> {
        all.retain(|totals| totals.environments >= 10);
        let (first, last) = (all.first()?, all.last()?);
        if first.environments == last.environments {
            return None;
        }
        let (mut ratios, mut exponents) = (BTreeMap::new(), BTreeMap::new());
        for (name, _) in &first.of {
            let points = all.iter().filter_map(|totals| {
                let (_, value) = totals.of.iter().find(|(other, _)| other == name)?;
                Some((as_f64(totals.environments), *value))
            });
            let points: Vec<(f64, f64)> = points.collect();
            let (Some(small), Some(large)) = (points.first(), points.last()) else { continue };
            ratios.insert(*name, (large.1 / large.0) / (small.1 / small.0));
            let logarithms: Vec<(f64, f64)> = points.iter().map(|(size, value)| (size.ln(), value.ln())).collect();
            exponents.insert(*name, slope(&logarithms));
        }
        Some(Self { phase, least: first.environments, most: last.environments, ratios, exponents })
    }

    fn json(&self, spread: Option<Spread>, routes: usize) -> Value {
        let Self { phase, least, most, ratios, exponents } = self;
        json!({
            "spread": spread.map(|spread| spread.to_string()),
            "routes": routes,
            "phase": phase.name(),
            "from": least,
            "to": most,
            "ratio_for_each_environment": ratios,
            "exponent": exponents,
        })
    }
}

impl std::fmt::Display for Growth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { phase, least, most, ratios, exponents } = self;
        write!(f, "{}: an environment of {most} costs, beside one of {least},", phase.name())?;
        for (name, ratio) in ratios {
            let exponent = exponents.get(name).copied().unwrap_or(f64::NAN);
            write!(f, " {ratio:.2} times the {name} (exponent {exponent:.2})")?;
        }
        Ok(())
    }
}

/// Of the straight line nearest to the points.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = as_f64(points.len());
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let rise: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let run: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    rise / run
}

#[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls")]
fn precise(calls: u64) -> f64 {
    calls as f64
}
