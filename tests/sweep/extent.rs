//! How much is tried: a sample in which every operation meets every fault, or everything.

use std::collections::BTreeSet;
use std::env;

use sha2::{Digest as _, Sha256};

use crate::sweep::{Case, Fault, Point, Trial, operations};

/// Pairs of faults a scenario, of each sort, in a sample and in the whole.
const PAIRS: [usize; 2] = [3, 60];

/// Trials of a sample at most, evenly spread over scenarios, operations and faults; the seed says which.
const SAMPLE: usize = 100;

/// One in so many deaths is died really, and held against the trace.
const REALLY: [usize; 2] = [16, 8];

/// What `GWCTL_SWEEP` and its kin ask for.
#[derive(Debug)]
pub(crate) struct Extent {
    /// `GWCTL_SWEEP`: `all`, or percent of all. None: the sample.
    percent: Option<usize>,
    /// `GWCTL_SWEEP_ONLY`: trials whose label has this text, of all there are.
    only: Option<String>,
    /// `GWCTL_SWEEP_SEED`: what is drawn from.
    pub(crate) seed: u64,
}

impl Extent {
    pub(crate) fn asked() -> Self {
        let percent = env::var("GWCTL_SWEEP").ok().map(|text| match text.as_str() {
            "all" => 100,
            number => number.parse().expect("GWCTL_SWEEP is `all`, or percent of all"),
        });
        let only = env::var("GWCTL_SWEEP_ONLY").ok();
        let seed = env::var("GWCTL_SWEEP_SEED").map_or(8, |text| text.parse().expect("GWCTL_SWEEP_SEED is a number"));
        Self { percent, only, seed }
    }

    /// In words.
    pub(crate) fn told(&self) -> String {
        match (self.percent, &self.only) {
            (_, Some(only)) => format!("what has `{only}` in its name"),
            (Some(100), None) => "every call of every run".to_owned(),
            (Some(percent), None) => format!("{percent} % of the calls, seed {}", self.seed),
            (None, None) => format!("an even sample of operations and faults, seed {}", self.seed),
        }
    }

    /// The trials, by the case's place.
    pub(crate) fn trials(&self, cases: &[Case]) -> Vec<(usize, Trial)> {
        let mut trials = if self.percent.is_some() || self.only.is_some() { every(cases) } else { self.sample(cases) };
        let pairs = PAIRS[usize::from(self.percent.is_some())];
        for (place, case) in cases.iter().enumerate() {
            for number in 0..pairs {
                trials.push((place, Trial::Two(self.point(case, number, "one"), self.point(case, number, "other"))));
                trials
                    .push((place, Trial::Again(self.point(case, number, "first"), self.point(case, number, "second"))));
            }
        }
        let really = REALLY[usize::from(self.percent.is_some())];
        let deaths: Vec<(usize, Trial)> = trials
            .iter()
            .filter_map(|(place, trial)| match trial {
                Trial::One(point @ (Fault::DiesBefore | Fault::DiesAfter, _)) => Some((*place, Trial::Really(*point))),
                _ => None,
            })
            .filter(|(place, trial)| self.draw(&[&cases[*place].label(trial)]).is_multiple_of(really))
            .collect();
        trials.extend(deaths);
        if self.percent.is_none() && self.only.is_none() {
            let every = trials.len().div_ceil(SAMPLE);
            let first = self.draw(&["sample"]) % every;
            trials = trials.into_iter().skip(first).step_by(every).collect();
        }
        if let Some(percent) = self.percent {
            trials.retain(|(place, trial)| self.draw(&["percent", &cases[*place].label(trial)]) % 100 < percent);
        }
        if let Some(only) = &self.only {
            trials.retain(|(place, trial)| cases[*place].label(trial).contains(only));
        }
        trials
    }

    /// What a sample is drawn from: every operation with every fault, in the first case that has it. What a run bears, it bears of all of them at once.
    fn sample(&self, cases: &[Case]) -> Vec<(usize, Trial)> {
        let (mut trials, mut known) = (Vec::new(), BTreeSet::new());
        for (place, case) in cases.iter().enumerate() {
            let mut new = operations(case);
            new.retain(|operation, _| known.insert(operation.clone()));
            for fault in Fault::ALL {
                let chosen =
                    new.iter().map(|(operation, calls)| calls[self.draw(&[operation, fault.title()]) % calls.len()]);
                let chosen: Vec<usize> = chosen.collect();
                match fault.is_borne() {
                    _ if chosen.is_empty() => {}
                    true => trials.push((place, Trial::Each(fault, chosen))),
                    false => trials.extend(chosen.into_iter().map(|call| (place, Trial::One((fault, call))))),
                }
            }
        }
        trials
    }

    fn point(&self, case: &Case, number: usize, which: &str) -> Point {
        let draw = |what: &str| self.draw(&[case.scenario.name, &number.to_string(), which, what]);
        (Fault::ALL[draw("fault") % Fault::ALL.len()], draw("call") % case.trace.calls.len())
    }

    fn draw(&self, what: &[&str]) -> usize {
        let digest = Sha256::digest(format!("{} {}", self.seed, what.join(" ")));
        usize::from_be_bytes(digest[..size_of::<usize>()].try_into().unwrap()) >> 1
    }
}

fn every(cases: &[Case]) -> Vec<(usize, Trial)> {
    let of_case = |(place, case): (usize, &Case)| {
        let calls = 0..case.trace.calls.len();
        calls.flat_map(move |call| Fault::ALL.map(|fault| (place, Trial::One((fault, call)))))
    };
    cases.iter().enumerate().flat_map(of_case).collect()
}
