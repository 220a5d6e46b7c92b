//! Who acts, and from where.

use serde::{Deserialize, Serialize};

/// Variables of the process's environment that hold the address of the CI run it is part of: Jenkins, GitLab.
const RUN_VARIABLES: [&str; 2] = ["BUILD_URL", "CI_JOB_URL"];

/// Who acts, and from where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// AWS's name for the caller, an ARN; empty where it could not be asked for.
    pub caller: String,
    /// The user of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The machine.
    pub host: String,
    /// The number of the process on the machine.
    pub process: u32,
    /// The address of the CI run that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl Origin {
    /// This process, acting as `caller`.
    #[must_use]
    pub fn here(caller: String) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let github = || {
            let server = variable("GITHUB_SERVER_URL")?;
            Some(format!("{server}/{}/actions/runs/{}", variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?))
        };
        Self {
            caller,
            user: variable("USER").or_else(|| variable("LOGNAME")),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            process: std::process::id(),
            run: github().or_else(|| RUN_VARIABLES.iter().find_map(|name| variable(name))),
        }
    }

    /// What a person would call the caller: `user/anna`, or the session of a role, `assumed-role/deploy/ci-4711`.
    #[must_use]
    pub fn who(&self) -> &str {
        self.caller.splitn(6, ':').nth(5).or(self.user.as_deref()).unwrap_or("somebody")
    }
}
