//! `gwctl render`: what the configuration becomes, offline.

use std::collections::BTreeMap;

use super::code::Code;
use super::output;
use super::work::{expand, load};
use crate::cli::{Global, RenderOptions, Rendered};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::report;

/// Runs the command.
pub(super) fn run(global: &Global, options: &RenderOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let [environment] = configuration.environments.as_slice() else {
        let message = format!("render prints one environment, and {} are selected", configuration.environments.len());
        return Err(Failure::new(FailureKind::Usage, message).hint("name one --product and one --env"));
    };
    let expansion = expand(global, &configuration, environment, Code::UNBUILT)?;
    let value = match options.what {
        Rendered::Document => expansion.document,
        Rendered::Policy => expansion.policy,
        Rendered::Resources => {
            let all: BTreeMap<String, _> = expansion
                .desired
                .into_iter()
                .map(|one| (one.address.to_string(), report::masked_spec(&one.spec)))
                .collect();
            serde_json::json!(all)
        }
    };
    output::json(global, &value)?;
    Ok(exit::DONE)
}
