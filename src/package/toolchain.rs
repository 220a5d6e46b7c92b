//! What this machine can build with, and what to install when it can't.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{Architecture, NAME_A_ZIP};
use crate::error::{Failure, FailureKind, Result};

/// The Rust toolchain that serves a folder.
#[derive(Debug, Clone)]
pub(super) struct Toolchain {
    /// All that `rustc -vV` says: two compilers that say the same give the same code.
    pub(super) version: String,
    /// The triple of this machine.
    pub(super) host: String,
    /// Where the toolchain lies.
    pub(super) sysroot: PathBuf,
    architecture: Architecture,
    /// Whether the standard library of the Linux target is installed.
    has_target: bool,
    /// Whether rustc brings its own linker.
    has_lld: bool,
}

/// What to build for, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) triple: String,
    /// C compiler and archiver for the C parts of `ring`; `None` leaves the choice to the build script.
    pub(super) cc: Option<String>,
    pub(super) ar: Option<String>,
    /// Linker; `None` for rustc's own choice.
    pub(super) linker: Option<String>,
    pub(super) notes: Vec<String>,
}

/// Finds a program by name, or reads an environment variable.
pub(super) enum Lookup<'a> {
    Program(&'a str),
    Variable(&'a str),
}

/// Looks on the `PATH` and in the environment of this process.
pub(super) fn on_this_machine(lookup: &Lookup<'_>) -> Option<String> {
    match lookup {
        Lookup::Variable(name) => env::var(name).ok().filter(|value| !value.is_empty()),
        Lookup::Program(name) => {
            let found = env::split_paths(&env::var_os("PATH")?).any(|folder| folder.join(name).is_file());
            found.then(|| (*name).to_owned())
        }
    }
}

/// The target that runs on Lambda: musl, so that the binary carries its C library and fits any runtime image.
fn linux_triple(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64-unknown-linux-musl",
        Architecture::X86_64 => "x86_64-unknown-linux-musl",
    }
}

/// How GCC calls the processor.
fn gcc_name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64",
        Architecture::X86_64 => "x86_64",
    }
}

impl Toolchain {
    /// Asks the `rustc` that serves `root`, which may differ from folder to folder.
    pub(super) async fn probe(rustc: &[OsString], root: &Path, architecture: Architecture) -> Result<Self> {
        let triple = linux_triple(architecture);
        let folders = ["--print", "sysroot", "--print", "target-libdir", "--target", triple];
        let (version, folders) = tokio::try_join!(ask(rustc, root, &["-vV"]), ask(rustc, root, &folders))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let mut lines = folders.lines().map(PathBuf::from);
        let (Some(host), Some(sysroot), Some(library)) = (host, lines.next(), lines.next()) else {
            return Err(Failure::new(FailureKind::Build, "`rustc` did not say what it is").cause(version));
        };
        let has_target = std::fs::read_dir(&library).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
        });
        let linker = format!("rust-lld{}", env::consts::EXE_SUFFIX);
        let has_lld = sysroot.join("lib/rustlib").join(host).join("bin").join(linker).is_file();
        Ok(Self { host: host.to_owned(), version, sysroot, architecture, has_target, has_lld })
    }

    /// Chooses what to build for: Linux if everything for it is here, this machine if that is allowed, and otherwise a
    /// failure that says what to install.
    pub(super) fn choose(
        &self,
        allow_host_build: bool,
        look: &dyn Fn(&Lookup<'_>) -> Option<String>,
    ) -> Result<Target> {
        let triple = linux_triple(self.architecture);
        let cc = self.find_cc(look);
        let mut missing = Vec::new();
        if !self.has_target {
            missing.push((format!("Rust's standard library for {triple}"), format!("rustup target add {triple}")));
        }
        if cc.is_none() {
            let compiler = format!("a C compiler for {} Linux", self.architecture);
            missing.push((compiler, format!("apt-get install {}", self.debian_package())));
        }
        if let (Some(cc), true) = (cc, missing.is_empty()) {
            let gcc_ar = format!("{}-linux-gnu-ar", gcc_name(self.architecture));
            // The archiver beside the compiler knows its object files; that of the host may not.
            let ar = cc.contains("-linux-gnu-").then(|| look(&Lookup::Program(&gcc_ar))).flatten();
            let linker = if self.has_lld { "rust-lld".to_owned() } else { cc.clone() };
            return Ok(Target { triple: triple.to_owned(), cc: Some(cc), ar, linker: Some(linker), notes: Vec::new() });
        }
        let what = missing.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>().join(" and ");
        if allow_host_build {
            let commands = missing.iter().map(|(_, command)| format!("`{command}`")).collect::<Vec<_>>().join(" and ");
            let note = format!(
                "built for this machine ({}) instead of {} Lambda, because {what} is missing: it serves the sandbox only; \
                 for AWS run {commands}",
                self.host, self.architecture
            );
            let triple = self.host.clone();
            return Ok(Target { triple, cc: None, ar: None, linker: None, notes: vec![note] });
        }
        let failure =
            Failure::new(FailureKind::Build, format!("the authorizer can't be built for {}", self.architecture))
                .cause(format!("{what} is missing"));
        let failure = missing.iter().fold(failure, |failure, (_, command)| failure.hint(format!("run `{command}`")));
        Err(failure.hint(NAME_A_ZIP))
    }

    /// A C compiler for the target: the user's choice, one made for musl, or one whose headers are near enough. `ring`
    /// needs only headers that are alike in both C libraries.
    fn find_cc(&self, look: &dyn Fn(&Lookup<'_>) -> Option<String>) -> Option<String> {
        let variable = format!("CC_{}", linux_triple(self.architecture).replace('-', "_"));
        let processor = gcc_name(self.architecture);
        let cross = ["musl", "gnu"].map(|library| format!("{processor}-linux-{library}-gcc"));
        let native = self.host.starts_with(processor) && self.host.contains("-linux-");
        let names = cross.iter().map(String::as_str).chain(native.then_some("gcc")).chain(native.then_some("cc"));
        look(&Lookup::Variable(&variable)).or_else(|| names.into_iter().find_map(|name| look(&Lookup::Program(name))))
    }

    fn debian_package(&self) -> String {
        let native = self.host.starts_with(gcc_name(self.architecture)) && self.host.contains("-linux-");
        if native {
            "gcc".to_owned()
        } else {
            format!("gcc-{}-linux-gnu", gcc_name(self.architecture).replace('_', "-"))
        }
    }
}

async fn ask(rustc: &[OsString], root: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = command(rustc, root);
    let output = command.args(arguments).output().await.map_err(|error| not_started("rustc", &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(FailureKind::Build, format!("`rustc {}` failed", arguments.join(" ")))
        .cause(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// A command line that starts in `root`, reads nothing, and ends with its caller.
pub(super) fn command(program: &[OsString], root: &Path) -> Command {
    let mut command = Command::new(program.first().map_or("".as_ref(), OsString::as_os_str));
    command.args(program.iter().skip(1)).current_dir(root).stdin(std::process::Stdio::null()).kill_on_drop(true);
    command
}

/// The failure of a program that did not start.
pub(super) fn not_started(program: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::new(FailureKind::Build, format!("failed to start `{program}`")).cause(error.to_string());
    failure.hint("install Rust: https://rustup.rs").hint(NAME_A_ZIP)
}

#[cfg(test)]
mod tests {
    use super::{Architecture, Lookup, Toolchain};

    fn toolchain(architecture: Architecture, has_target: bool) -> Toolchain {
        Toolchain {
            version: "rustc 1".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            sysroot: "/rust".into(),
            architecture,
            has_target,
            has_lld: true,
        }
    }

    /// A machine that has these programs.
    fn machine(programs: &'static [&'static str]) -> impl Fn(&Lookup<'_>) -> Option<String> {
        move |lookup| match lookup {
            Lookup::Program(name) => programs.contains(name).then(|| (*name).to_owned()),
            Lookup::Variable(_) => None,
        }
    }

    #[test]
    fn a_complete_machine_builds_for_linux() {
        let look = machine(&["gcc", "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-ar"]);
        let target = toolchain(Architecture::Arm64, true).choose(true, &look).unwrap();
        assert_eq!(target.triple, "aarch64-unknown-linux-musl");
        assert_eq!(target.cc.as_deref(), Some("aarch64-linux-gnu-gcc"));
        assert_eq!(target.ar.as_deref(), Some("aarch64-linux-gnu-ar"));
        assert_eq!(target.linker.as_deref(), Some("rust-lld"));
        assert!(target.notes.is_empty());
        let target = toolchain(Architecture::X86_64, true).choose(false, &look).unwrap();
        assert_eq!((target.triple.as_str(), target.cc.as_deref()), ("x86_64-unknown-linux-musl", Some("gcc")));
    }

    #[test]
    fn the_users_compiler_comes_first() {
        let look = |lookup: &Lookup<'_>| match lookup {
            Lookup::Variable("CC_aarch64_unknown_linux_musl") => Some("clang".to_owned()),
            _ => None,
        };
        let mut toolchain = toolchain(Architecture::Arm64, true);
        toolchain.has_lld = false;
        let target = toolchain.choose(false, &look).unwrap();
        assert_eq!((target.cc.as_deref(), target.linker.as_deref()), (Some("clang"), Some("clang")));
    }

    #[test]
    fn what_is_missing_is_said_with_the_commands() {
        let failure = toolchain(Architecture::Arm64, false).choose(false, &machine(&["gcc"])).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "the authorizer can't be built for arm64: Rust's standard library for aarch64-unknown-linux-musl and \
             a C compiler for arm64 Linux is missing"
        );
        assert_eq!(
            failure.hints()[..2],
            ["run `rustup target add aarch64-unknown-linux-musl`", "run `apt-get install gcc-aarch64-linux-gnu`"]
        );
        assert!(failure.hints()[2].contains("zip in the configuration"));

        let failure = toolchain(Architecture::X86_64, true).choose(false, &machine(&[])).unwrap_err();
        assert_eq!(failure.hints()[0], "run `apt-get install gcc`");
        assert_eq!(failure.hints().len(), 2);
    }

    #[test]
    fn a_host_build_stands_in_only_where_allowed_and_says_so() {
        let target = toolchain(Architecture::Arm64, false).choose(true, &machine(&["gcc"])).unwrap();
        assert_eq!((target.triple.as_str(), target.linker), ("x86_64-unknown-linux-gnu", None));
        let [note] = &target.notes[..] else { panic!("one note") };
        for word in ["x86_64-unknown-linux-gnu", "sandbox only", "rustup target add aarch64-unknown-linux-musl"] {
            assert!(note.contains(word), "{note}");
        }
    }
}
