//! `gwctl test`: holds a file of expectations against the configuration. Nothing is sent, nothing is built.

use std::collections::BTreeSet;

use super::explain::request;
use super::local::{Local, Programs, served};
use super::output::{self, data, text_options};
use super::work::load;
use crate::cli::{Global, TestOptions};
use crate::config;
use crate::error::{Failure, FailureKind, Result, exit};
use crate::expectation::{self, Expectations};
use crate::report::{self, Format, Tried};

/// Where expectations stand unless told otherwise, below the root; the first that exists.
const USUAL: [&str; 4] = ["tests/requests.toml", "tests/requests.json", "tests/requests.yaml", "tests/requests.yml"];

/// Runs the command. It fails when something is not as expected.
pub(super) async fn run(global: &Global, options: &TestOptions) -> Result<u8> {
    let usual = || USUAL.iter().map(|path| global.root.join(path)).find(|path| path.exists());
    let path = options.file.clone().or_else(usual).ok_or_else(|| {
        Failure::new(FailureKind::Usage, "there is no file of expectations")
            .hint(format!("write {}, or name one with --file", USUAL[0]))
    })?;
    let expectations = expectation::read(&path)?;
    let configuration = load(global, &options.selection)?;
    known_names(global, &expectations)?;
    let mut tried = Vec::new();
    for parts in served(&configuration) {
        let Some(environment) = parts.first() else { continue };
        let about: Vec<_> =
            expectations.requests.iter().filter(|one| one.is_about(&environment.product, &environment.name)).collect();
        if about.is_empty() {
            continue;
        }
        let local = Box::pin(Local::of(global, &configuration, &parts, &Programs::StandIn)).await?;
        for one in about {
            let (method, target) = one.request_line().map_err(Failure::internal)?;
            let headers = one.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let explanation = local.explain(&request(method, target, headers, one.source_ip)?, one.edge)?;
            tried.push(Tried {
                owner: local.owner.to_string(),
                title: one.title().to_owned(),
                send: one.send.clone(),
                mismatches: one.expect.compare(&explanation),
            });
        }
    }
    if tried.is_empty() {
        return Err(Failure::new(FailureKind::Usage, "no expectation is about what is selected")
            .hint(format!("{} names other products or environments", path.display())));
    }
    if global.output == Format::Json {
        output::json(global, &report::tried_json(&tried))?;
    } else {
        data(global, |out| report::tried_text(&tried, out, &text_options(global)))?;
    }
    let failed = tried.iter().any(|tried| !tried.mismatches.is_empty());
    Ok(if failed { exit::FAILED } else { exit::DONE })
}

/// Refuses expectations about products or environments that there are none of: they would never be held against anything.
fn known_names(global: &Global, expectations: &Expectations) -> Result<()> {
    // Only the names: a fault in another environment's file is no reason to test none.
    let all = config::known(&global.root)?;
    let products: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    let environments: BTreeSet<&str> = all.values().flatten().map(String::as_str).collect();
    for one in &expectations.requests {
        for (kind, names, known) in
            [("product", &one.products, &products), ("environment", &one.environments, &environments)]
        {
            if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
                let text = format!("`{}` is about a {kind} `{name}`, which there is not", one.title());
                let known = known.iter().copied().collect::<Vec<_>>().join(", ");
                return Err(Failure::new(FailureKind::Configuration, text).hint(format!("there are {known}")));
            }
        }
    }
    Ok(())
}
