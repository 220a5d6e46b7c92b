//! Python with the packages a test needs, in an environment of its own below `target/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Written last, so that an environment whose making was cut short is made again.
const COMPLETE: &str = "complete";

/// A virtual environment.
pub(crate) struct Python {
    pub(crate) folder: PathBuf,
}

impl Python {
    /// The environment of that name with exactly these packages, made if it is not there yet. Tests that want the same
    /// one at the same time wait for the first.
    pub(crate) fn with(name: &str, packages: &[&str]) -> Self {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("python");
        fs::create_dir_all(&all).unwrap();
        let lock = File::create(all.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        let folder = all.join(name);
        let wanted = format!("{}{}\n", version(), packages.join("\n"));
        if fs::read_to_string(folder.join(COMPLETE)).ok().as_deref() != Some(wanted.as_str()) {
            make(&folder, packages);
            fs::write(folder.join(COMPLETE), wanted).unwrap();
        }
        Self { folder }
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.folder.join("bin").join(name))
    }
}

/// Python's own version: an environment of another one is of no use.
fn version() -> String {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.version)"]).output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        other => panic!(
            "this test uses an AWS client in Python, and `python3` does not run: {other:?}\n\
             install Python 3.10 or later with venv and pip (Debian: apt install python3 python3-venv; macOS: brew \
             install python3), and have it on PATH"
        ),
    }
}

fn make(folder: &Path, packages: &[&str]) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    let mut venv = Command::new("python3");
    ran(
        venv.args(["-m", "venv"]).arg(folder),
        "python3 can't make a virtual environment: install its venv and ensurepip (Debian: apt install python3-venv)",
    );
    let mut pip = Command::new(folder.join("bin/python"));
    // Compiling all that comes along takes longer than downloading it, and most of it is never imported.
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]);
    ran(
        pip.args(packages),
        "pip can't install what this test needs: it wants PyPI, or a mirror named by PIP_INDEX_URL; once it has \
         succeeded, no network is needed any more",
    );
}

fn ran(command: &mut Command, hint: &str) {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{hint}\n{command:?}:\n{out}{err}");
}
