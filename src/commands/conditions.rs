//! What the command line says the sandbox is to be like, and what is told of it at the end.

use super::files;
use crate::cli::{ConditionOptions, Global};
use crate::error::{Failure, FailureKind, Result};
use crate::sandbox::Sandbox;
use crate::sandbox::authorization::Enforced;
use crate::sandbox::conditions::{Conditions, Fault};

/// Files of faults and policies that are larger, in bytes, are not read.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The exit code after a crash on purpose: that of a process that was killed.
const KILLED: i32 = 137;

/// Refuses conditions that nothing would meet. `served`: the command is the one that serves the sandbox.
pub(super) fn check(global: &Global, served: bool) -> Result<()> {
    match global.conditions.given() {
        Some(option) if global.sandbox.is_none() && !served => {
            Err(Failure::new(FailureKind::Usage, format!("{option} is about the sandbox, and this command calls AWS"))
                .hint("add --sandbox, or leave it out"))
        }
        _ => Ok(()),
    }
}

/// The conditions that the options ask for.
pub(super) fn read(global: &Global) -> Result<Conditions> {
    let ConditionOptions { latency, quotas, faults, fault_file, eventual, policies, seed } = &global.conditions;
    let mut conditions = Conditions::none().eventual(eventual.unwrap_or_default()).seed(seed.unwrap_or_default());
    if let Some(latency) = latency {
        conditions = conditions.latency(*latency);
    }
    if let Some(quotas) = quotas {
        conditions = conditions.quotas(*quotas);
    }
    let mut all = faults.clone();
    if let Some(path) = fault_file {
        let name = path.display().to_string();
        let text = files::text(path, "the faults", LARGEST).map_err(|failure| {
            failure.hint("--sandbox-faults takes a file with one fault a line; one fault goes with --sandbox-fault")
        })?;
        all.extend(Fault::list(&name, &text)?);
    }
    for path in policies {
        let name = path.display().to_string();
        let text = files::text(path, "the policies", LARGEST).map_err(|failure| {
            failure.hint(
                "--sandbox-policy takes a file with IAM policies; `gwctl policy` prints what an environment needs",
            )
        })?;
        conditions = conditions.enforce(&Enforced::parse(&name, &text)?);
    }
    Ok(all.into_iter().fold(conditions, Conditions::fault))
}

/// Lets this process die when a crash is due, as if somebody had killed it.
pub(super) fn die_when_due(sandbox: &Sandbox) {
    let sandbox = sandbox.clone();
    tokio::spawn(async move {
        sandbox.conditions().crashed().await;
        tell(&sandbox);
        std::process::exit(KILLED);
    });
}

/// Tells at the end of a command, however it ends, what was asked of the sandbox.
#[derive(Debug)]
pub(super) struct Summary(pub(super) Sandbox);

impl Drop for Summary {
    fn drop(&mut self) {
        tell(&self.0);
    }
}

fn tell(sandbox: &Sandbox) {
    let counters = sandbox.counters();
    for (service, operations) in &counters.services {
        for (operation, tally) in operations {
            tracing::info!("sandbox: {service} {operation}: {tally}");
        }
    }
    tracing::info!("sandbox: all: {}", counters.total);
    for fault in sandbox.conditions().unmet_faults() {
        tracing::warn!("sandbox: the fault `{fault}` met no call");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use std::fs;

    use super::*;
    use crate::cli::Cli;

    fn global(line: &str) -> Global {
        Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}")).global
    }

    #[test]
    fn conditions_need_a_sandbox_to_be_of() {
        let failure = check(&global("gwctl plan --sandbox-quotas aws"), false).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Usage);
        assert!(failure.to_string().starts_with("--sandbox-quotas is about the sandbox"), "{failure}");
        assert!(failure.hints()[0].contains("--sandbox"));
        check(&global("gwctl plan --sandbox --sandbox-quotas aws"), false).unwrap();
        check(&global("gwctl sandbox --sandbox-quotas aws"), true).unwrap();
        check(&global("gwctl plan"), false).unwrap();
    }

    #[test]
    fn faults_come_from_the_line_and_from_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bad-day");
        let line = format!("gwctl plan --sandbox --sandbox-fault error:* --sandbox-faults {}", path.display());
        let failure = read(&global(&line)).unwrap_err();
        assert!(failure.to_string().contains("failed to read") && failure.to_string().contains("bad-day"), "{failure}");
        fs::write(&path, "# a bad day\nthrottle:CreateDeployment:2\n").unwrap();
        let faults: Vec<String> = read(&global(&line)).unwrap().unmet_faults().iter().map(Fault::to_string).collect();
        assert_eq!(faults, ["error:*", "throttle:CreateDeployment:2"]);
        fs::write(&path, "error\n").unwrap();
        let failure = read(&global(&line)).unwrap_err();
        assert!(failure.to_string().contains("bad-day:1 is wrong"), "{failure}");
    }
}
