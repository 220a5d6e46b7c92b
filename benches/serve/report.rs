//! The figures of all rounds, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

/// Who, and which route.
type Place = (&'static str, &'static str);

/// One measurement under full load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Seconds of the gateway's processor time a request.
    pub(crate) processor: f64,
}

/// Everything measured, round by round.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// The version of node; empty without.
    pub(crate) node: String,
    /// Requests a second without a gateway: what the load generator and the upstream can do.
    pub(crate) direct: Vec<f64>,
    /// Resident memory at its highest, in MiB, by gateway.
    pub(crate) memory: BTreeMap<&'static str, f64>,
    /// How often gwctl asked the authorizer.
    pub(crate) authorizer_calls: u32,
    loads: BTreeMap<Place, Vec<Measured>>,
    calms: BTreeMap<Place, Vec<Vec<Duration>>>,
}

/// Smallest, median and largest.
#[derive(Debug, Clone, Copy)]
struct Spread([f64; 3]);

impl Spread {
    fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self([at(0), at(values.len() / 2), at(values.len().saturating_sub(1))])
    }

    fn text(self, digits: usize) -> String {
        let [least, median, most] = self.0;
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }

    fn json(self) -> Value {
        let [least, median, most] = self.0;
        json!({"median": median, "least": least, "most": most})
    }
}

impl Figures {
    /// The measurements of a gateway's route under full load.
    pub(crate) fn at(&mut self, gateway: &'static str, route: &'static str) -> &mut Vec<Measured> {
        self.loads.entry((gateway, route)).or_default()
    }

    /// The latencies of a gateway's route at the fixed rate, sorted in each round.
    pub(crate) fn calm(&mut self, gateway: &'static str, route: &'static str) -> &mut Vec<Vec<Duration>> {
        self.calms.entry((gateway, route)).or_default()
    }

    fn rate(&self, place: Place) -> Spread {
        Spread::of(self.loads.get(&place).into_iter().flatten().map(|measured| measured.rate))
    }

    /// How many times the requests of serverless-offline, round by round.
    fn ratio(&self, route: &'static str) -> Option<Spread> {
        let (ours, theirs) =
            (self.loads.get(&("gwctl serve", route))?, self.loads.get(&("serverless-offline", route))?);
        Some(Spread::of(ours.iter().zip(theirs).map(|(ours, theirs)| ours.rate / theirs.rate)))
    }

    /// A percentile of the latencies in milliseconds, round by round.
    fn percentile(&self, place: Place, percent: usize) -> Vec<f64> {
        let rounds = self.calms.get(&place).into_iter().flatten();
        let at = |sorted: &Vec<Duration>| sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default();
        rounds.map(|sorted| at(sorted).as_secs_f64() * 1000.0).collect()
    }

    /// What a gateway adds to a percentile of the upstream's own, round by round.
    fn added(&self, place: Place, percent: usize) -> Spread {
        let direct = self.percentile(("upstream alone", "direct"), percent);
        Spread::of(self.percentile(place, percent).into_iter().zip(direct).map(|(with, without)| with - without))
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}\nmedian of the rounds (least to most)\n\n", machine());
        let direct = Spread::of(self.direct.iter().copied());
        // Writing to a string does not fail.
        let _ = writeln!(text, "upstream alone: {} requests/s\n", direct.text(0));
        for (place @ (gateway, route), measured) in &self.loads {
            let processor = Spread::of(measured.iter().map(|measured| measured.processor * 1e6));
            let _ = writeln!(
                text,
                "{gateway}, {route}: {} requests/s; {} µs of processor a request",
                self.rate(*place).text(0),
                processor.text(0)
            );
        }
        for route in super::ROUTES {
            if let Some(ratio) = self.ratio(route) {
                let _ = writeln!(text, "gwctl / serverless-offline, {route}: {}", ratio.text(1));
            }
        }
        let _ = writeln!(text, "\nadded latency at {} requests/s, ms", super::CALM_RATE);
        for place @ (gateway, route) in self.calms.keys().filter(|(_, route)| *route != "direct") {
            let (half, most) = (self.added(*place, 50).text(3), self.added(*place, 99).text(3));
            let _ = writeln!(text, "{gateway}, {route}: p50 {half}; p99 {most}");
        }
        let own = Spread::of(self.percentile(("upstream alone", "direct"), 99));
        let _ = writeln!(text, "upstream alone: p99 {}\n", own.text(3));
        for (gateway, peak) in &self.memory {
            let _ = writeln!(text, "{gateway}: {peak:.1} MiB resident at most");
        }
        let _ = writeln!(text, "gwctl asked the authorizer {} times", self.authorizer_calls);
        text
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let load = |(place @ (gateway, route), measured): (&Place, &Vec<Measured>)| {
            let processor = Spread::of(measured.iter().map(|measured| measured.processor * 1e6));
            let rate = self.rate(*place).json();
            json!({"gateway": gateway, "route": route, "requests_per_second": rate, "processor_us": processor.json()})
        };
        let calm = |place: &Place| {
            let added = [50, 99].map(|percent| self.added(*place, percent).json());
            json!({"gateway": place.0, "route": place.1, "added_p50_ms": added[0], "added_p99_ms": added[1]})
        };
        let ratios = super::ROUTES.map(|route| (route, self.ratio(route).map(Spread::json)));
        json!({
            "machine": machine(),
            "node": self.node,
            "rounds": self.direct.len(),
            "upstream_requests_per_second": Spread::of(self.direct.iter().copied()).json(),
            "load": self.loads.iter().map(load).collect::<Vec<_>>(),
            "ratio": ratios.into_iter().collect::<BTreeMap<_, _>>(),
            "rate_for_latency": super::CALM_RATE,
            "latency": self.calms.keys().filter(|(_, route)| *route != "direct").map(calm).collect::<Vec<_>>(),
            "resident_mib": self.memory,
            "authorizer_calls": self.authorizer_calls,
        })
    }
}

/// The processor, how many, and how much else the machine had to do of late.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = info.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(": ")).map_or("?", |(_, model)| model);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("{} × {model}; load average {}", models.len(), load.split(' ').next().unwrap_or_default())
}
