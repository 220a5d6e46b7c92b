//! `gwctl render`: what the configuration becomes, offline.

use std::collections::BTreeMap;

use super::output;
use super::work::{expand, load, load_rest};
use crate::cli::{Global, RenderOptions, Rendered, Stack};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::model::Found;
use crate::report;
use crate::stack::{Expansion, Gateway, Zips};

/// Runs the command.
pub(super) fn run(global: &Global, options: &RenderOptions) -> Result<u8> {
    let configuration = match options.what {
        Rendered::Resources => load(global, &options.selection)?,
        Rendered::Document | Rendered::Policy => load_rest(global, &options.selection)?,
    };
    let [environment] = configuration.environments.as_slice() else {
        let all = &configuration.environments;
        let message = format!("render prints one environment, and {} are selected", all.len());
        let several = all.iter().any(|one| one.regions().len() > 1);
        let hint =
            if several { "name one --product, one --env and one --region" } else { "name one --product and one --env" };
        return Err(Failure::new(FailureKind::Usage, message).hint(hint));
    };
    let expansion = expand(global, &configuration, environment, &Zips::UNBUILT, &Found::nothing())?;
    let value = match options.what {
        Rendered::Document => gateway(&expansion, options.stack)?.document.clone(),
        Rendered::Policy => gateway(&expansion, options.stack)?.policy.clone(),
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

fn gateway(expansion: &Expansion, stack: Stack) -> Result<&Gateway> {
    expansion.gateway(stack.into()).ok_or_else(|| {
        Failure::new(FailureKind::Usage, "the environment has no system gateway")
            .hint("list its routes in `gateway_system`, or leave `--stack` out")
    })
}
