//! The figures of all rounds, as a table and as JSON.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::peers::Peer;

/// Everything measured of one function.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// From just before the process is started to its first answer, in milliseconds.
    pub(crate) starts: Vec<f64>,
    /// Processor time until then, in milliseconds.
    pub(crate) start_processor: Vec<f64>,
    /// Resident memory at its highest after one answer, in MiB.
    pub(crate) start_memory: Vec<f64>,
    /// Invocations a second, warm.
    pub(crate) rates: Vec<f64>,
    /// Processor time an invocation, warm, in microseconds.
    pub(crate) processor: Vec<f64>,
    /// Latencies of a warm round, sorted, in microseconds.
    pub(crate) latencies: Vec<Vec<f64>>,
    /// Resident memory at its highest after all, in MiB.
    pub(crate) memory: f64,
}

/// Least, median, 95th percentile and most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread([f64; 4]);

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self([0, 50, 95, 100].map(|percent| percentile(&values, percent)))
    }

    fn with_tail(self, digits: usize) -> String {
        let [_, median, tail, _] = self.0;
        format!("{median:.digits$} ({tail:.digits$})")
    }

    fn with_range(self, digits: usize) -> String {
        let [least, median, _, most] = self.0;
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }

    fn json(self) -> Value {
        let [least, median, tail, most] = self.0;
        json!({"least": least, "median": median, "p95": tail, "most": most})
    }
}

/// A percentile of sorted values, by the nearest rank.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

impl Figures {
    fn latency(&self, percent: usize) -> Spread {
        Spread::of(self.latencies.iter().map(|sorted| percentile(sorted, percent)))
    }
}

/// How many times as long a peer takes, or as much, round by round.
fn ratio(peer: &[f64], ours: &[f64]) -> Spread {
    Spread::of(peer.iter().zip(ours).map(|(peer, ours)| peer / ours))
}

/// For people. The first peer is the one that the others are compared to.
pub(crate) fn table(all: &[(&Peer, Figures)]) -> String {
    let mut text = format!("{}\n\n", machine());
    let Some((_, ours)) = all.first() else { return text };
    let mut row = |title: &str, cell: &dyn Fn(&Peer, &Figures) -> String| {
        let cells: Vec<String> = all.iter().map(|(peer, figures)| cell(peer, figures)).collect();
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {title} | {} |", cells.join(" | "));
    };
    row("", &|peer, _| peer.name.clone());
    row("---", &|_, _| "---".to_owned());
    row("start to first answer, ms: median (p95)", &|_, figures| Spread::of(figures.starts.clone()).with_tail(2));
    row("times as long, round by round", &|_, figures| ratio(&figures.starts, &ours.starts).with_range(1));
    row("processor time until then, ms", &|_, figures| Spread::of(figures.start_processor.clone()).with_range(2));
    row("memory after the first answer, MiB", &|_, figures| Spread::of(figures.start_memory.clone()).with_range(1));
    row("warm invocations a second", &|_, figures| Spread::of(figures.rates.clone()).with_range(0));
    row("times as many here", &|_, figures| ratio(&ours.rates, &figures.rates).with_range(1));
    row("warm latency p50, µs", &|_, figures| figures.latency(50).with_range(0));
    row("warm latency p99, µs", &|_, figures| figures.latency(99).with_range(0));
    row("processor time an invocation, µs", &|_, figures| Spread::of(figures.processor.clone()).with_range(0));
    row("memory at the end, MiB", &|_, figures| format!("{:.1}", figures.memory));
    row("zip, bytes", &|peer, _| peer.zip.to_string());
    for (peer, _) in all {
        let _ = writeln!(text, "\n{}: {}", peer.name, peer.made_with);
    }
    text
}

/// For programs.
pub(crate) fn json(all: &[(&Peer, Figures)]) -> Value {
    let Some((_, ours)) = all.first() else { return Value::Null };
    let one = |(peer, figures): &(&Peer, Figures)| {
        json!({
            "name": peer.name,
            "made_with": peer.made_with,
            "zip_bytes": peer.zip,
            "start_ms": Spread::of(figures.starts.clone()).json(),
            "start_ratio": ratio(&figures.starts, &ours.starts).json(),
            "start_processor_ms": Spread::of(figures.start_processor.clone()).json(),
            "start_memory_mib": Spread::of(figures.start_memory.clone()).json(),
            "warm_per_second": Spread::of(figures.rates.clone()).json(),
            "warm_ratio": ratio(&ours.rates, &figures.rates).json(),
            "warm_p50_us": figures.latency(50).json(),
            "warm_p99_us": figures.latency(99).json(),
            "warm_processor_us": Spread::of(figures.processor.clone()).json(),
            "memory_mib": figures.memory,
        })
    };
    let starts = ours.starts.len();
    let rounds = json!({"starts": starts, "warm": ours.rates.len()});
    json!({"machine": machine(), "rounds": rounds, "functions": all.iter().map(one).collect::<Vec<_>>()})
}

/// Milliseconds of a duration.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The processor, how many, and how much else the machine had to do of late.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = info.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(": ")).map_or("?", |(_, model)| model);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("{} × {model}; load average {}", models.len(), load.split(' ').next().unwrap_or_default())
}
