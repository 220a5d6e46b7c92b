//! The one call of cargo, and everything that keeps this machine's folders out of the binaries.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::Function;
use super::sources::{PROFILE, Source};
use super::toolchain::{self, Target, Toolchain};
use crate::error::{Failure, FailureKind, Result};

/// How much of the compiler's output a failure shows: enough for an error with its place.
const LAST_LINES: usize = 30;

/// The words that begin cargo's own lines, as opposed to those of the compiler.
const PROGRESS: [&str; 9] =
    ["Adding", "Blocking", "Compiling", "Downloaded", "Downloading", "Finished", "Fresh", "Locking", "Updating"];

/// The profile for a crate that does not define it: small first, because Lambda loads the zip at every cold start.
const DEFAULT_PROFILE: [&str; 6] =
    [r#"inherits="release""#, r#"opt-level="z""#, r#"lto="fat""#, "codegen-units=1", r#"panic="abort""#, "strip=true"];

/// A build to run.
pub(super) struct Build<'a> {
    pub(super) cargo: &'a [OsString],
    pub(super) source: &'a Source,
    pub(super) toolchain: &'a Toolchain,
    pub(super) target: &'a Target,
    /// Whose programs to build.
    pub(super) functions: &'a [Function],
    /// Where cargo may put its files.
    pub(super) folder: PathBuf,
}

impl Build<'_> {
    /// Runs cargo, and reads the binaries.
    pub(super) async fn run(&self, on_progress: &(dyn Fn(&str) + Send + Sync)) -> Result<Vec<(Function, Vec<u8>)>> {
        let mut command = toolchain::command(self.cargo, &self.source.root);
        self.arguments(&mut command);
        self.environment(&mut command);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| toolchain::not_started("cargo", &error))?;
        let mut last = VecDeque::with_capacity(LAST_LINES);
        let failed = |error: std::io::Error| Failure::io("failed to follow `cargo build`", &error);
        if let Some(stderr) = child.stderr.take() {
            let mut lines = BufReader::new(stderr).lines();
            while let Some(line) = lines.next_line().await.map_err(failed)? {
                if PROGRESS.iter().any(|word| line.trim_start().starts_with(word)) {
                    on_progress(line.trim());
                } else {
                    if last.len() == LAST_LINES {
                        last.pop_front();
                    }
                    last.push_back(line);
                }
            }
        }
        let status = child.wait().await.map_err(failed)?;
        if !status.success() {
            return Err(self.failure(status, Vec::from(last).join("\n").trim()));
        }
        self.functions.iter().map(|function| Ok((*function, self.read(*function)?))).collect()
    }

    fn failure(&self, status: ExitStatus, output: &str) -> Failure {
        let programs = self.functions.iter().map(|function| function.program()).collect::<Vec<_>>().join(" and ");
        let failure = Failure::new(FailureKind::Build, format!("failed to build {programs}"))
            .cause(format!("`cargo build` ended with {status}"))
            .cause(output);
        // A crate of the user's own need not have both.
        let lacks_one = output.contains("no bin target named");
        if lacks_one { failure.hint("choose what the crate has: `gwctl package --function gate`") } else { failure }
    }

    fn read(&self, function: Function) -> Result<Vec<u8>> {
        let suffix = if self.target.triple.contains("-windows-") { ".exe" } else { "" };
        let name = format!("{}{suffix}", function.program());
        let binary = self.folder.join(&self.target.triple).join(PROFILE).join(name);
        std::fs::read(&binary).map_err(|error| Failure::io(format!("failed to read {}", binary.display()), &error))
    }

    fn arguments(&self, command: &mut Command) {
        command.args(["build", "--locked", "--profile", PROFILE, "--color", "never"]);
        for function in self.functions {
            command.args(["--bin", function.program()]);
        }
        command.arg("--target").arg(&self.target.triple).arg("--target-dir").arg(&self.folder);
        if self.source.workspace {
            command.args(["--package", "authorizer"]);
        } else {
            command.args(["--manifest-path", "authorizer/Cargo.toml"]);
        }
        if !self.source.has_profile {
            for setting in DEFAULT_PROFILE {
                command.arg("--config").arg(format!("profile.{PROFILE}.{setting}"));
            }
        }
    }

    fn environment(&self, command: &mut Command) {
        // Settings of this machine or this shell that would make another binary from the same source.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            let changes = ["CARGO_PROFILE_", "CARGO_BUILD_"].iter().any(|prefix| text.starts_with(prefix));
            if changes || text == "CARGO_INCREMENTAL" || text == "TARGET_CFLAGS" || text.starts_with("CFLAGS") {
                command.env_remove(&name);
            }
        }
        let variable = self.target.triple.replace('-', "_");
        let folders = self.folders();
        let mut flags = OsString::new();
        for (index, (from, to)) in folders.iter().enumerate() {
            flags.push(if index == 0 { "" } else { "\x1f" });
            flags.push("--remap-path-prefix=");
            flags.push(from);
            flags.push(format!("={to}"));
        }
        // Encoded, because a folder may have a space in its name; it also takes precedence over every other setting.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags);
        command.env(format!("CFLAGS_{variable}"), self.c_flags(&folders)).env("CC_SHELL_ESCAPED_FLAGS", "1");
        let Target { triple: _, cc, ar, linker, notes: _ } = self.target;
        let linker_variable = format!("CARGO_TARGET_{}_LINKER", variable.to_uppercase());
        let tools = [(format!("CC_{variable}"), cc), (format!("AR_{variable}"), ar), (linker_variable, linker)];
        for (name, value) in tools {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
    }

    /// Folders that the compilers see, and what they are to be called. Where two fit, rustc takes the last.
    fn folders(&self) -> Vec<(PathBuf, &'static str)> {
        let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo = cargo.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        let mut folders: Vec<_> = cargo.into_iter().map(|folder| (folder, "/cargo")).collect();
        folders.push((self.toolchain.sysroot.clone(), "/rust"));
        folders.push((self.source.root.clone(), "/source"));
        folders.push((self.folder.clone(), "/target"));
        folders
    }

    fn c_flags(&self, folders: &[(PathBuf, &'static str)]) -> String {
        let quote = |path: &Path| path.display().to_string().replace('\'', r"'\''");
        let mut flags: Vec<_> =
            folders.iter().map(|(from, to)| format!("'-ffile-prefix-map={}={to}'", quote(from))).collect();
        if self.target.triple.ends_with("-musl") {
            // Some distributions turn this on by default, and then want functions that only glibc has.
            flags.push("-U_FORTIFY_SOURCE".to_owned());
        }
        flags.join(" ")
    }
}
