//! Options of the verbs that say what AWS holds.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::TypedValueParser as _;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{Selection, Stack};
use crate::inspection::Glob;
use crate::inspection::access_log::{Latency, Statuses};

/// Options of `show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Show it again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "5",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub watch: Option<u64>,
}

/// Options of `routes`.
#[derive(Debug, Args)]
pub struct RoutesOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// Only what the configuration says: offline, without credentials
    #[arg(long, conflicts_with = "live")]
    pub desired: bool,

    /// Only what the stages serve: the snapshots of their deployments
    #[arg(long)]
    pub live: bool,

    /// Only paths like this: `*` stands for any text, slashes included
    #[arg(long, value_name = "GLOB")]
    pub path: Option<Glob>,

    /// Only routes of a type: the list of the environment file, such as `normal_path`; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,

    /// Only routes to a backend whose host, or the service in whose name the path begins, is like this
    #[arg(long, value_name = "GLOB")]
    pub service: Option<Glob>,

    /// Only routes of a method, and those that take any; may be repeated
    #[arg(long = "method", value_name = "METHOD")]
    pub methods: Vec<String>,
}

/// Options of `logs`.
#[derive(Debug, Args)]
pub struct LogsOptions {
    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,

    /// Gateway of the environment; without it, all that log
    #[arg(long, value_name = "STACK")]
    pub stack: Option<Stack>,

    /// From when on: `10m`, `2h`, `1d`, or a time such as `2026-01-31T08:00:00Z`
    #[arg(long, value_name = "WHEN", default_value = "10m")]
    pub since: Since,

    /// Go on until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,

    /// Only these statuses: `403`, `5xx`, `400-499`, several with commas between
    #[arg(long, value_name = "STATUS")]
    pub status: Option<Statuses>,

    /// Only paths like this, with or without the stage, or the route's; `*` stands for any text
    #[arg(long, value_name = "GLOB")]
    pub path: Option<Glob>,

    /// Only requests that took so long: `>500ms`, `<=2s`
    // The sandbox has an option of that id too.
    #[arg(long, id = "log-latency", value_name = "BOUND")]
    pub latency: Option<Latency>,

    /// Only the request with this id
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,

    /// Only requests of a method
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,

    /// The lines as they stand in the log
    #[arg(long)]
    pub raw: bool,

    /// The log of a function instead, by its name in addresses, such as `authorizer`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["status", "path", "log-latency", "method"])]
    pub function: Option<String>,
}

/// A time in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        let wrong = || format!("`{text}` is no time: write 10m, 2h, 1d, or 2026-01-31T08:00:00Z");
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        number.checked_mul(seconds).map(|all| Self::Ago(Duration::from_secs(all))).ok_or_else(wrong)
    }
}

impl Since {
    /// The time in milliseconds since the epoch.
    #[must_use]
    pub fn start(self, now: Timestamp) -> i64 {
        match self {
            Self::At(at) => at.as_millisecond(),
            Self::Ago(long) => {
                let long = i64::try_from(long.as_millis()).unwrap_or(i64::MAX);
                now.as_millisecond().saturating_sub(long).max(0)
            }
        }
    }
}

/// Options of `graph`.
#[derive(Debug, Args)]
pub struct GraphOptions {
    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,

    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    pub format: GraphFormat,

    /// The way of requests instead of resources; with a method and a path, of that one
    #[arg(long, value_names = ["METHOD", "PATH"], num_args = 0..=2)]
    pub request: Option<Vec<String>>,

    /// Add what AWS says: ids, and how each resource stands
    #[arg(long, conflicts_with = "request")]
    pub live: bool,

    /// Write to a file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How a graph is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Markdown: GitHub and others draw it.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// A picture that needs nothing else.
    Svg,
    /// The picture on a page.
    Html,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_span_or_a_time() {
        let now: Timestamp = "2026-01-31T08:00:00Z".parse().unwrap();
        let from = |text: &str| text.parse::<Since>().unwrap().start(now);
        assert_eq!(from("10m"), now.as_millisecond() - 600_000);
        assert_eq!(from("2h"), now.as_millisecond() - 7_200_000);
        assert_eq!(from("1d"), now.as_millisecond() - 86_400_000);
        assert_eq!(from("2026-01-31T07:59:59Z"), now.as_millisecond() - 1000);
        assert_eq!(from("999999999999d"), 0, "before all logs");
        for wrong in ["", "m", "10", "-5m", "10 m", "ten", "99999999999999999999d", "5é"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }
}

/// Options of `history`.
#[derive(Debug, Args)]
pub struct HistoryOptions {
    /// Show this one record in full: its id, or the letters at its end
    #[arg(value_name = "RECORD")]
    pub record: Option<String>,

    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,

    /// How many records of each environment are listed
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub last: usize,
}
