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
            host: host(),
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

/// What this machine calls itself.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What tells a process from all others that ever were: the boot of the kernel, the namespace of its number, and when it began, in
/// ticks since the boot. None where the system has no `/proc` of Linux, or shows nothing of it.
#[must_use]
pub fn life(process: u32) -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let namespace: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    let (state, began) = state(process)?;
    // One that is dead and that nobody has asked for yet does nothing any more.
    (state != "Z").then(|| format!("{}/{namespace}/{began}", boot.trim()))
}

/// How a process stands, and when it began.
fn state(process: u32) -> Option<(String, String)> {
    let stat = std::fs::read(format!("/proc/{process}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name in brackets may hold anything; the state follows it, and nineteen fields later the beginning (proc_pid_stat(5)).
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.nth(18)?.to_owned()))
}

/// Whether a process, of which [`life`] was told, is over for certain. Only the machine it ran on can know, and only as far as the
/// process could be seen here.
#[must_use]
pub fn is_over(process: u32, life: &str) -> bool {
    let place = |life: &str| life.rsplit_once('/').map(|(place, _)| place.to_owned());
    let Some(here) = self::life(std::process::id()) else { return false };
    if place(&here) != place(life) {
        return false;
    }
    if let Some(now) = self::life(process) {
        return now != life;
    }
    // What the system hides is no proof: it has to say that there is no such process, or show it dead.
    let number = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    let there = number.is_none_or(|number| rustix::process::test_kill_process(number) != Err(rustix::io::Errno::SRCH));
    !there || matches!(state(process), Some((state, _)) if state == "Z")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_over_when_it_is_dead_and_when_its_number_is_another_ones() {
        let mut child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let (process, life) = (child.id(), life(child.id()).unwrap());
        assert!(!is_over(process, &life));
        let (place, began) = life.rsplit_once('/').unwrap();
        assert!(
            is_over(process, &format!("{place}/{}", began.parse::<u64>().unwrap() - 1)),
            "the number was used before"
        );
        assert!(!is_over(process, "another-boot/4026531836/17"), "nobody knows here");
        child.kill().unwrap();
        // Dead, and not asked for yet.
        while std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap().contains(") S ") {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(is_over(process, &life));
    }
}
