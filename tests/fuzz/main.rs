//! Nothing that a client sends brings the sandbox down, and nothing wrong leaves a trace in it.
//!
//! | file | what is made up |
//! |---|---|
//! | `wire` | whole requests to every service: targets, headers, bodies |
//! | `operations` | series of API Gateway's own operations, with right and wrong arguments |
//! | `patches` | patch operations on everything that can be patched |
//! | `documents` | documents to import, made by spoiling good ones |
//! | `sockets` | bytes on a connection, and heads of requests to a stage |
//! | `routes` | trees of routes, held against a model of their own |
//! | `texts` | mapping templates, expressions, policies and formats, compiled and run |
//! | `expectations` | files of expectations |
//!
//! A case takes milliseconds and each test few of them; `PROPTEST_CASES=5000 cargo test --test fuzz` looks longer.

mod bench;
mod documents;
mod expectations;
mod operations;
mod patches;
mod routes;
mod sockets;
mod strategies;
mod texts;
mod wire;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

/// Runs a property on that many cases, or on as many as `PROPTEST_CASES` says.
fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { cases: asked.unwrap_or(cases), failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(strategy, property) {
        panic!("{failure}");
    }
}
