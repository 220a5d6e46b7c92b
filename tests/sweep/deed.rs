//! Runs gwctl's own commands, from the command line on, in this process.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use clap::Parser as _;
use gwctl::aws::lock;
use gwctl::cli::Cli;
use gwctl::commands;
use gwctl::host::{Host, Page};
use gwctl::lock::Holder;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::Conditions;
use gwctl::sandbox::connector::Connector;
use gwctl::stack;
use tokio::sync::watch;

use crate::scenario::Scenario;
use crate::support::{connect, load};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Make AWS what the configuration says.
    Apply {
        /// With `--allow-deletes`.
        allow_deletes: bool,
    },
    /// Remove everything.
    Destroy,
}

impl Deed {
    const fn line(self) -> &'static [&'static str] {
        match self {
            Self::Apply { allow_deletes: false } => &["apply", "--yes"],
            Self::Apply { allow_deletes: true } => &["apply", "--yes", "--allow-deletes"],
            Self::Destroy => &["destroy", "--yes"],
        }
    }

    /// A command that ends with 0 if nothing is left to do, and changes nothing. Nobody can be asked here: who has nothing to destroy
    /// does not ask.
    const fn look(self) -> &'static [&'static str] {
        match self {
            Self::Apply { .. } => &["plan", "--detailed-exitcode"],
            Self::Destroy => &["destroy"],
        }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: u8,
    /// What it warned of.
    pub(crate) warnings: Vec<String>,
    /// All that it said.
    pub(crate) said: String,
}

impl Ended {
    /// It did all it should, and had nothing to add.
    pub(crate) fn is_well(&self) -> bool {
        self.code == 0 && self.warnings.is_empty()
    }
}

/// Who runs a command: which way leads to the sandbox, and what tells that the user wants it to end.
#[derive(Debug)]
pub(crate) struct By {
    pub(crate) client: SharedHttpClient,
    pub(crate) interrupt: watch::Receiver<bool>,
}

impl By {
    /// Somebody whom nothing disturbs.
    pub(crate) fn nobody_in_particular(sandbox: &Sandbox) -> Self {
        Self { client: Connector::new(sandbox.clone()).client(), interrupt: watch::channel(false).1 }
    }
}

impl Scenario {
    /// Does what is to be done.
    pub(crate) async fn carry_out(&self, sandbox: &Sandbox, by: By) -> Ended {
        let protected = ["--confirm", self.env];
        self.command(self.deed.line(), &protected, sandbox, by).await
    }

    /// What is left to do.
    pub(crate) async fn left(&self, sandbox: &Sandbox) -> Vec<String> {
        let ended = self.command(self.deed.look(), &[], sandbox, By::nobody_in_particular(sandbox)).await;
        let more = (ended.code != 0).then(|| format!("something is left to do: {}", ended.said));
        more.into_iter().chain(ended.warnings).collect()
    }

    async fn command(&self, line: &[&str], more: &[&str], sandbox: &Sandbox, by: By) -> Ended {
        let root = self.project.root().display().to_string();
        let common = ["--no-progress", "--sandbox", "--root", &root, "--product", self.product, "--env", self.env];
        let mut cli = Cli::try_parse_from(["gwctl"].iter().chain(line).chain(&common).chain(more)).unwrap();
        let pages = [Page::default(), Page::default()];
        let By { client, interrupt } = by;
        cli.global.host = Some(Host { sandbox: sandbox.clone(), client, pages: Some(pages.clone()), interrupt });
        let ended = Box::pin(commands::run(cli)).await;
        let mut said = pages.map(|page| page.text()).concat();
        let code = ended.unwrap_or_else(|failure| {
            said = format!("{said}\n{failure}; {}", failure.hints().join("; "));
            failure.exit_code()
        });
        // What is said of a file is about no run.
        let warns = |line: &&str| line.starts_with("warning: ") && !line.starts_with("warning: environments/");
        let warnings = said.lines().filter(warns).map(str::to_owned).collect();
        Ended { code, warnings, said }
    }

    /// Does what an operator does who finds the environment locked by a process that is gone: takes the lock away, or lets the time
    /// pass in which it expires.
    pub(crate) async fn unlock(&self, sandbox: &Sandbox, waits: bool) {
        let sandbox = sandbox.clone().under(Conditions::none());
        if waits {
            return self.let_locks_expire(&sandbox).await;
        }
        let more = ["--confirm", self.env];
        let by = By::nobody_in_particular(&sandbox);
        let ended = self.command(&["unlock", "--yes"], &more, &sandbox, by).await;
        assert_eq!(ended.code, 0, "{}", ended.said);
    }

    async fn let_locks_expire(&self, sandbox: &Sandbox) {
        for environment in &load(self.project.root(), self.product, self.env).environments {
            let (owner, place) = (stack::owner(environment), stack::place(&environment.target));
            let aws = connect(&place, Connector::new(sandbox.clone()).client()).await;
            let Some(holder) = lock::holder(&aws.read, &owner).await.unwrap() else { continue };
            // Time passes for whatever a take-over left, too.
            let logs = &aws.write.logs;
            let prefix = gwctl::lock::name(&owner);
            let groups = logs.describe_log_groups().log_group_name_prefix(&prefix).send().await.unwrap();
            for group in groups.log_groups() {
                let name = group.log_group_name().unwrap();
                if name != prefix && !name.starts_with(&format!("{prefix}/")) {
                    continue;
                }
                let arn = place.arn("logs", &place.region, &format!("log-group:{name}"));
                let old = holder.seen - gwctl::lock::VALID_FOR - Duration::from_secs(2);
                let old = Holder { seen: old, ..holder.clone() };
                let tag = logs.tag_resource().resource_arn(arn);
                old.sign_of_life().fold(tag, |tag, (key, value)| tag.tags(key, value)).send().await.unwrap();
            }
        }
    }
}
