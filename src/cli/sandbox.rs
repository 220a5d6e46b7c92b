//! Options of the sandbox and of the gateways that it serves.

use std::path::PathBuf;

use clap::Args;

use super::Selection;
use crate::error::Failure;
use crate::sandbox::conditions::{Fault, Latency, Quotas};

/// What the sandbox is like. They need `--sandbox`, except for the verb that serves it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sandbox options")]
pub struct ConditionOptions {
    /// How long each call takes: 50ms, 2s, or 50ms..200ms
    #[arg(long = "sandbox-latency", global = true, value_name = "TIME", value_parser = latency)]
    pub latency: Option<Latency>,

    /// Whose request rates hold: aws
    #[arg(long = "sandbox-quotas", global = true, value_name = "WHOSE", value_parser = quotas)]
    pub quotas: Option<Quotas>,

    /// What goes wrong: `throttle:CreateDeployment:2`, `cut-after:write#17`, `error:*:5%`; may be repeated
    #[arg(long = "sandbox-fault", global = true, value_name = "FAULT", value_parser = fault)]
    pub faults: Vec<Fault>,

    /// File with one such fault a line
    #[arg(long = "sandbox-faults", global = true, value_name = "FILE")]
    pub fault_file: Option<PathBuf>,

    /// Tries for which something new is not ready yet
    #[arg(long = "sandbox-eventual", global = true, value_name = "TRIES")]
    pub eventual: Option<u32>,

    /// File with the policies of the caller, as `gwctl policy` prints them: what they do not allow is denied; may be repeated
    #[arg(long = "sandbox-policy", global = true, value_name = "FILE")]
    pub policies: Vec<PathBuf>,

    /// What chance is drawn from
    #[arg(long = "sandbox-seed", global = true, value_name = "NUMBER")]
    pub seed: Option<u64>,
}

impl ConditionOptions {
    /// The first option that was given, by its name on the command line.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let Self { latency, quotas, faults, fault_file, eventual, policies, seed } = self;
        let all = [
            (latency.is_some(), "--sandbox-latency"),
            (quotas.is_some(), "--sandbox-quotas"),
            (!faults.is_empty(), "--sandbox-fault"),
            (fault_file.is_some(), "--sandbox-faults"),
            (eventual.is_some(), "--sandbox-eventual"),
            (!policies.is_empty(), "--sandbox-policy"),
            (seed.is_some(), "--sandbox-seed"),
        ];
        all.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }
}

fn latency(text: &str) -> Result<Latency, String> {
    text.parse().map_err(|failure| said(&failure))
}

fn quotas(text: &str) -> Result<Quotas, String> {
    text.parse().map_err(|failure| said(&failure))
}

fn fault(text: &str) -> Result<Fault, String> {
    text.parse().map_err(|failure| said(&failure))
}

/// A failure as clap can show it, on one line with what to do.
fn said(failure: &Failure) -> String {
    failure.hints().iter().fold(failure.to_string(), |text, hint| format!("{text}; {hint}"))
}

/// Options of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// Address to listen on; only loopback addresses are taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: String,

    /// How stages are served.
    #[command(flatten)]
    pub data_plane: DataPlaneOptions,
}

/// How stages are served.
#[derive(Debug, Clone, Default, Args)]
pub struct DataPlaneOptions {
    /// Where a host of an integration really is: `*.k8s-internal.example.com=127.0.0.1:9001`; may be repeated
    #[arg(long = "upstream", value_name = "PATTERN=HOST:PORT")]
    pub upstreams: Vec<String>,

    /// Ask a URL instead of an authorizer's function; may be repeated
    #[arg(long = "authorizer", value_name = "NAME=URL")]
    pub authorizers: Vec<String>,

    /// Where the issuer of tokens really is: `https://login.example.com=http://127.0.0.1:9003`; may be repeated
    #[arg(long = "issuer", value_name = "ISSUER=URL")]
    pub issuers: Vec<String>,

    /// Write the access log to a file, or to stdout with `-`
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<String>,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Which environment.
    #[command(flatten)]
    pub selection: Selection,

    /// Address to listen on; only loopback addresses are taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: String,

    /// How it is served.
    #[command(flatten)]
    pub data_plane: DataPlaneOptions,

    /// Set a variable of the functions, to a file's content with `NAME=@FILE`; may be repeated
    #[arg(long = "function-env", value_name = "NAME=VALUE")]
    pub function_env: Vec<String>,

    /// Go on serving what was there at the start when a file changes
    #[arg(long)]
    pub no_reload: bool,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn conditions(line: &str) -> ConditionOptions {
        Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}")).global.conditions
    }

    #[test]
    fn conditions_are_taken_before_and_after_the_verb() {
        let line = "gwctl --sandbox-quotas aws --sandbox-fault error:* plan --sandbox --sandbox-latency 50ms..200ms \
                    --sandbox-fault cut-before:#3 --sandbox-eventual 2 --sandbox-seed 7 --sandbox-faults bad-day";
        let before = conditions("gwctl --sandbox-quotas aws --sandbox-fault error:* plan");
        assert_eq!((before.quotas, before.faults.len()), (Some(Quotas::Aws), 1));
        let all = conditions(line);
        assert_eq!(all.latency.unwrap().to_string(), "50ms..200ms");
        assert_eq!((all.eventual, all.seed, all.fault_file), (Some(2), Some(7), Some("bad-day".into())));
        // Of one option given on both sides, clap keeps what stands after the verb.
        assert_eq!(all.faults.iter().map(Fault::to_string).collect::<Vec<_>>(), ["cut-before:#3"]);
    }

    #[test]
    fn the_first_condition_is_known_by_its_name() {
        assert_eq!(conditions("gwctl plan --sandbox").given(), None);
        assert_eq!(conditions("gwctl plan --sandbox-seed 1").given(), Some("--sandbox-seed"));
        assert_eq!(conditions("gwctl plan --sandbox-seed 1 --sandbox-fault error:*").given(), Some("--sandbox-fault"));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (option, words) in [
            ("--sandbox-latency=50", "has no unit; write a number with the unit ms or s"),
            ("--sandbox-quotas=azure", "no quotas named `azure`; write `aws`"),
            ("--sandbox-fault=throtle:*", "`throtle` is none of throttle, error"),
            ("--sandbox-fault=throttle", "write ACTION:WHICH[:HOW]"),
            ("--sandbox-eventual=-1", "invalid value"),
        ] {
            let error = Cli::try_parse_from(["gwctl", "plan", "--sandbox", option]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
