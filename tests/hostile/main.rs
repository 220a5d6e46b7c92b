//! Whatever comes in by any door (answers of AWS, files of a configuration, saved plans, states, zips) gives a result or an
//! error that says where and what: no panic, nothing half-read taken for true, nothing written that was not wanted.
//!
//! | file | door |
//! |---|---|
//! | `answers` | answers of AWS to the reads of a plan, each spoilt in turn (`spoil`, on their way: `transport`) |
//! | `applies` | the same for a first apply; lists without end |
//! | `files` | every file of a configuration, and what stands in a file's place |
//! | `inputs` | saved plans, Terraform states, the sandbox's own folder, zips that changed since the plan |
//!
//! A run takes a part of the cases of the first two, spread evenly; `GWCTL_HOSTILE=all cargo test --profile sweep --test hostile` takes
//! all, in twenty minutes. With `GWCTL_HOSTILE_ONLY` it takes those to the first with this text in their names, to repeat one.
//! `PROPTEST_CASES` is for the others what it is for `fuzz`.

mod answers;
mod applies;
mod files;
mod inputs;
mod spoil;
mod stand;
#[path = "../fuzz/strategies.rs"]
mod strategies;
#[path = "../support/mod.rs"]
mod support;
mod transport;

use gwctl::error::Failure;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

/// Whether everything is to be looked at.
fn all() -> bool {
    std::env::var("GWCTL_HOSTILE").is_ok_and(|asked| asked == "all")
}

/// What of the answers to a plan is asked for by name.
fn asked_for(name: &str) -> bool {
    std::env::var("GWCTL_HOSTILE_ONLY").map_or(true, |text| name.contains(&text))
}

/// About so many of the cases, spread evenly; all of them if that is asked for.
fn chosen<T>(cases: Vec<T>, few: usize) -> impl Iterator<Item = T> {
    // Odd, so that what comes in twos and fours is not met at the same place each time.
    let step = if all() { 1 } else { (cases.len() / few).max(1) | 1 };
    cases.into_iter().step_by(step)
}

/// What an error lacks that somebody needs: what was being done, and why it failed.
fn words(failure: &Failure) -> Option<&'static str> {
    let said = failure.to_string();
    if said.contains("this is a bug") || failure.hints().iter().any(|hint| hint.contains("a bug in gwctl")) {
        return Some("it is called a fault of gwctl");
    }
    if said.ends_with("unhandled error") || said.ends_with("service error") {
        return Some("it does not say why");
    }
    let told = [
        "failed to",
        "AWS gave",
        "there is no",
        "can't",
        "is not",
        "no longer",
        "exists",
        "but targets",
        "belongs",
        "no public",
        "no usable",
        "has no",
        "is no",
    ];
    (!told.iter().any(|word| said.contains(word))).then_some("it does not say what failed")
}

/// Runs a property on that many cases, or on as many as `PROPTEST_CASES` says.
fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { cases: asked.unwrap_or(cases), failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(strategy, property) {
        panic!("{failure}");
    }
}
