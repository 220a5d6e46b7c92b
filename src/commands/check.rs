//! `gwctl check`: every fault of the configuration, offline.

use super::output::{self, data, notice};
use crate::cli::{CheckOptions, Deny, Global};
use crate::config;
use crate::error::{Result, exit};
use crate::model::Found;
use crate::report::Format;
use crate::stack::{self, Zips};

/// Runs the command.
pub(super) fn run(global: &Global, options: &CheckOptions) -> Result<u8> {
    let (configuration, mut faults) = config::load(&global.root);
    for environment in &configuration.environments {
        match stack::expand(&configuration, environment, &Zips::UNBUILT, &Found::nothing())? {
            Ok(expansion) => faults.extend(expansion.warnings),
            Err(found) => faults.extend(found),
        }
    }
    faults.sort();
    let count = configuration.environments.len();
    match global.output {
        Format::Json => output::json(global, &faults.to_json())?,
        Format::Text | Format::Markdown => {
            if !faults.is_empty() {
                notice(global, |out| writeln!(out, "{}", faults.render(true)))?;
            }
            if !faults.has_errors() {
                let noun = if count == 1 { "environment" } else { "environments" };
                data(global, |out| writeln!(out, "{count} {noun} checked, no faults."))?;
            }
        }
    }
    if faults.has_errors() {
        return Err(faults.to_failure());
    }
    let denied = options.deny == Some(Deny::Warnings) && !faults.is_empty();
    Ok(if denied { exit::FAILED } else { exit::DONE })
}
