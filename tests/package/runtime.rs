//! A Runtime API that hands out one event, and the program of a zip that answers it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use gwctl::package::{Architecture, Package};
use serde_json::Value;
use tempfile::TempDir;

/// What has not come by then never will. Only a bound: nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program out of a zip, and what it takes to run it here.
pub(crate) struct Program {
    folder: TempDir,
    /// For another processor than this machine's: QEMU's user mode.
    emulator: Option<PathBuf>,
}

impl Program {
    /// Unpacks it. `None` if nothing here can run it.
    pub(crate) fn of(package: &Package) -> Option<Self> {
        let native = package.architecture == Architecture::of_this_machine()? || !package.notes.is_empty();
        let emulator = if native { None } else { Some(emulator(package.architecture)?) };
        let folder = tempfile::tempdir().unwrap();
        let mut zip = zip::ZipArchive::new(fs::File::open(&package.zip).unwrap()).unwrap();
        let mut entry = zip.by_name("bootstrap").unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let path = folder.path().join("bootstrap");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(entry.unix_mode().unwrap() & 0o777)).unwrap();
        Some(Self { folder, emulator })
    }

    /// Starts it with these variables and no others.
    fn start(&self, variables: &[(&str, String)]) -> Child {
        let path = self.folder.path().join("bootstrap");
        let mut command = Command::new(self.emulator.as_ref().unwrap_or(&path));
        command.args(self.emulator.is_some().then_some(&path)).current_dir(self.folder.path());
        command.env_clear().envs(variables.iter().map(|(name, value)| (name, value))).stdout(Stdio::null());
        loop {
            match command.spawn() {
                // Another thread that is about to start a program holds on to the file that was just written.
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                    thread::sleep(Duration::from_millis(10));
                }
                started => return started.unwrap(),
            }
        }
    }
}

fn emulator(architecture: Architecture) -> Option<PathBuf> {
    let processor = if architecture == Architecture::Arm64 { "aarch64" } else { "x86_64" };
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = [format!("qemu-{processor}"), format!("qemu-{processor}-static")];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// What a function answers when it is started with these variables and asked this.
pub(crate) fn answer(program: &Program, variables: &[(&str, String)], event: &Value) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut all = vec![
        ("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "authorizer".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
    ];
    all.extend_from_slice(variables);
    let (told, answers) = channel();
    let event = event.to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            if serve(BufReader::new(stream.unwrap()), &event, &told).is_err() {
                return;
            }
        }
    });
    let mut child = program.start(&all);
    let heard = answers.recv_timeout(PATIENCE);
    child.kill().unwrap();
    child.wait().unwrap();
    let (call, body) = heard.expect("the function answers");
    assert_eq!(call, "POST /2018-06-01/runtime/invocation/request-1/response", "{body}");
    body
}

/// Serves one connection: hands the event out until it is answered, and tells what came.
fn serve(mut stream: BufReader<TcpStream>, event: &str, told: &Sender<(String, Value)>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let call = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
        let mut body = vec![0; length(&mut stream)?];
        stream.read_exact(&mut body)?;
        if call == "GET /2018-06-01/runtime/invocation/next" {
            let length = event.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nlambda-runtime-aws-request-id: request-1\r\n\
                 lambda-runtime-deadline-ms: 99999999999999\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:authorizer\r\n\r\n"
            );
            stream.get_mut().write_all(format!("{head}{event}").as_bytes())?;
        } else {
            let _ = told.send((call, serde_json::from_slice(&body)?));
            // The test is over, and the process is about to be ended: it needs no second event.
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
}

/// The length of the body, by the headers, which it reads to their end.
fn length(stream: &mut impl BufRead) -> io::Result<usize> {
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header)?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            return Ok(length);
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
}
