//! What was tried and survived: a table for `docs/reliability.md`, or JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sweep::{Case, Fault, Trial};

/// Tried and survived.
#[derive(Debug, Clone, Copy, Default)]
struct Score {
    tried: usize,
    survived: usize,
}

/// The scores of all cases, by column.
#[derive(Debug, Default)]
pub(crate) struct Report {
    scores: BTreeMap<(usize, &'static str), Score>,
}

/// The columns after those of the single faults.
const MORE: [&str; 3] = ["died really", "two faults", "again in the repair"];

fn column(trial: &Trial) -> &'static str {
    match trial {
        Trial::One((fault, _)) | Trial::Each(fault, _) => fault.title(),
        Trial::Really(_) => MORE[0],
        Trial::Two(..) => MORE[1],
        Trial::Again(..) => MORE[2],
    }
}

impl Report {
    pub(crate) fn add(&mut self, case: usize, trial: &Trial, survived: bool) {
        let score = self.scores.entry((case, column(trial))).or_default();
        let calls = if let Trial::Each(_, calls) = trial { calls.len() } else { 1 };
        score.tried += calls;
        score.survived += if survived { calls } else { 0 };
    }

    fn columns() -> impl Iterator<Item = &'static str> {
        Fault::ALL.map(Fault::title).into_iter().chain(MORE)
    }

    fn total(&self) -> Score {
        self.scores.values().fold(Score::default(), |total, score| Score {
            tried: total.tried + score.tried,
            survived: total.survived + score.survived,
        })
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let Score { tried, survived } = self.total();
        format!("{survived} of {tried} survived")
    }

    pub(crate) fn markdown(&self, cases: &[Case], extent: &str, elapsed: Duration) -> String {
        let mut out = format!("{extent}: {}, in {} s\n\n| scenario | calls | worlds |", self.line(), elapsed.as_secs());
        let _ = writeln!(out, " {} |", Self::columns().collect::<Vec<_>>().join(" | "));
        let _ = writeln!(out, "|{}", "---|".repeat(3 + Self::columns().count()));
        for (place, case) in cases.iter().enumerate() {
            let _ = write!(out, "| {} | {} | {} |", case.scenario.name, case.trace.calls.len(), case.repairs());
            for column in Self::columns() {
                let Score { tried, survived } = self.scores.get(&(place, column)).copied().unwrap_or_default();
                let _ = match tried {
                    0 => write!(out, " - |"),
                    _ if tried == survived => write!(out, " {tried} |"),
                    _ => write!(out, " **{survived} of {tried}** |"),
                };
            }
            out.push('\n');
        }
        out
    }

    fn json(&self, cases: &[Case], extent: &str, elapsed: Duration) -> Value {
        let scenario = |(place, case): (usize, &Case)| {
            let scores = Self::columns().filter_map(|column| {
                let Score { tried, survived } = self.scores.get(&(place, column))?;
                Some((column.to_owned(), json!({"tried": tried, "survived": survived})))
            });
            json!({
                "scenario": case.scenario.name,
                "calls": case.trace.calls.len(),
                "worlds_repaired": case.repairs(),
                "faults": scores.collect::<serde_json::Map<_, _>>(),
            })
        };
        let Score { tried, survived } = self.total();
        json!({
            "extent": extent,
            "seconds": elapsed.as_secs(),
            "tried": tried,
            "survived": survived,
            "scenarios": cases.iter().enumerate().map(scenario).collect::<Vec<_>>(),
        })
    }

    /// Writes it where `GWCTL_SWEEP_REPORT` says: JSON if the name ends so, Markdown otherwise.
    pub(crate) fn write(&self, to: &Path, cases: &[Case], extent: &str, elapsed: Duration) {
        let text = match to.extension() {
            Some(extension) if extension == "json" => format!("{:#}\n", self.json(cases, extent, elapsed)),
            _ => self.markdown(cases, extent, elapsed),
        };
        std::fs::write(to, text).unwrap();
    }
}
