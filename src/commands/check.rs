//! `gwctl check`: every fault of the configuration, what is probably not meant, and how environments differ. Offline.

use std::collections::BTreeSet;

use super::output::{self, data, notice};
use crate::cli::{CheckOptions, Global, WARNINGS};
use crate::config::{self, Configuration, Faults, LoadError};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::lint::{self, Checked, Levels, compare};
use crate::model::Found;
use crate::report::{self, Format};
use crate::stack::{self, Zips};

/// Runs the command.
pub(super) fn run(global: &Global, options: &CheckOptions) -> Result<u8> {
    if options.lints {
        return lints(global);
    }
    if !options.compare.is_empty() {
        return compare(global, options);
    }
    let (configuration, mut faults) = config::load(&global.root);
    look(&configuration, &mut faults)?;
    let levels = Levels {
        deny_warnings: options.deny.iter().any(|what| what == WARNINGS),
        deny: options.deny.clone(),
        allow: options.allow.clone(),
    };
    levels.apply(&mut faults);
    faults.sort();
    match global.output {
        Format::Json => output::json(global, &faults.to_json())?,
        Format::Text | Format::Markdown => {
            if !faults.is_empty() {
                notice(global, |out| writeln!(out, "{}", faults.render(true)))?;
            }
            if !faults.has_errors() {
                let names: BTreeSet<_> =
                    configuration.environments.iter().map(|one| (&one.product, &one.name)).collect();
                let environments = counted(names.len(), "environment");
                let warnings = match faults.len() {
                    0 => String::new(),
                    count => format!(", {}", counted(count, "warning")),
                };
                data(global, |out| writeln!(out, "{environments} checked, no faults{warnings}."))?;
            }
        }
    }
    if faults.has_errors() { Err(faults.to_failure()) } else { Ok(exit::DONE) }
}

/// Expands every environment and, where nothing is wrong, lints them.
fn look(configuration: &Configuration, faults: &mut Faults) -> Result<()> {
    let mut checked = Vec::new();
    for environment in &configuration.environments {
        match stack::expand(configuration, environment, &Zips::UNBUILT, &Found::nothing())? {
            Ok(expansion) => {
                faults.extend(expansion.warnings);
                checked.push(Checked { environment, gateways: expansion.gateways });
            }
            Err(found) => faults.extend(found),
        }
    }
    // An environment that is left out because of a fault would look as if it lacked routes.
    if !faults.has_errors() {
        faults.extend(lint::run(configuration, &checked));
    }
    Ok(())
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Lists the lints.
fn lints(global: &Global) -> Result<u8> {
    match global.output {
        Format::Json => output::json(global, &report::lints_json())?,
        Format::Text | Format::Markdown => data(global, |out| out.write_all(report::lints_text().as_bytes()))?,
    }
    Ok(exit::DONE)
}

/// Shows how environments differ.
fn compare(global: &Global, options: &CheckOptions) -> Result<u8> {
    let CheckOptions { compare: names, products, .. } = options;
    if names.len() < 2 || names.iter().enumerate().any(|(index, name)| names[..index].contains(name)) {
        let failure = Failure::new(FailureKind::Usage, "`--compare` takes two or more different environments");
        return Err(failure.hint("write `--compare dev,prod`"));
    }
    let configuration = config::load_selected(&global.root, products, names, true).map_err(|error| match error {
        LoadError::Faults(faults) => output::faulty(global, &faults),
        LoadError::Failure(failure) => failure,
    })?;
    let compared = compare::compare(&configuration, names);
    if compared.is_empty() {
        let message = format!("no product has two of the environments {}", names.join(", "));
        return Err(Failure::new(FailureKind::Usage, message).hint("name environments of one product"));
    }
    data(global, |out| report::comparisons(&compared, global.output, out))?;
    Ok(exit::DONE)
}
