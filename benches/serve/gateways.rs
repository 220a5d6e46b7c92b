//! The gateways, started as their users start them, and what they cost the machine.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::{Aim, status};
use super::{MENU, Result, wrong};

/// serverless-offline needs this to be up on a busy machine; it is given more.
const PATIENCE: Duration = Duration::from_mins(2);

/// Clock ticks a second in `/proc`, on every Linux that is around.
const TICKS: f64 = 100.0;

/// A gateway at work; it is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// How it is called in the figures.
    pub(crate) name: &'static str,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process holds and has used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Resident memory at its highest, in MiB.
    pub(crate) peak: f64,
    /// Seconds of processor time so far.
    pub(crate) processor: f64,
}

impl Gateway {
    /// Memory and processor time, from `/proc`.
    pub(crate) fn cost(&self) -> Result<Cost> {
        let folder = PathBuf::from(format!("/proc/{}", self.process.id()));
        let held = fs::read_to_string(folder.join("status"))?;
        let line = held.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or_else(|| wrong("no VmHWM"))?;
        let peak: u32 = line.trim().trim_end_matches(" kB").parse()?;
        let used = fs::read_to_string(folder.join("stat"))?;
        // Behind the name in brackets, which may have anything in it: state is field 3, utime and stime are 14 and 15.
        let (_, fields) = used.rsplit_once(") ").ok_or_else(|| wrong("no fields in stat"))?;
        let ticks: Vec<u32> = fields.split(' ').skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        let processor = ticks.into_iter().map(f64::from).sum::<f64>() / TICKS;
        Ok(Cost { peak: f64::from(peak) / 1024.0, processor })
    }
}

/// `gwctl serve` on a working tree of its own below `folder`. A URL stands in for the authorizer's function: which one it is
/// makes no difference to requests whose answer is kept.
pub(crate) fn gwctl(program: &Path, folder: &Path, upstream: SocketAddr) -> Result<Gateway> {
    let root = folder.join("tree");
    write_tree(&root)?;
    let mut process = Command::new(program)
        .args(["serve", "--product", "product-a", "--env", "dev", "--no-reload", "--listen", "127.0.0.1:0", "--root"])
        .arg(&root)
        .arg(format!("--upstream=*.k8s-internal.example.com={upstream}"))
        .arg(format!("--authorizer=product-a-api-authorizer-dev=http://{upstream}/authorize"))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| wrong(&format!("{}: {error}", program.display())))?;
    let mut line = String::new();
    if let Some(output) = process.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    let address = line.trim().rsplit_once("http://").and_then(|(_, rest)| rest.strip_suffix("/dev")?.parse().ok());
    let Some(address) = address else {
        process.kill()?;
        return Err(wrong(&format!("gwctl serve did not say where it listens: `{line}`")));
    };
    Ok(Gateway { name: "gwctl serve", address, process })
}

/// The repository's `product-a` `dev` with two routes, and a throttle that nothing here reaches.
fn write_tree(root: &Path) -> Result<()> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&repository.join("stacks"), &root.join("stacks"))?;
    copy(&repository.join("environments"), &root.join("environments"))?;
    let file = root.join("environments/product-a/dev.json");
    let mut environment: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    environment["throttling_rate_limit"] = json!(10_000_000);
    environment["throttling_burst_limit"] = json!(10_000_000);
    environment["authorizer_result_ttl"] = json!(300);
    environment["authorizer"]["zip"] = json!("authorizer.zip");
    environment["gateway_api"] = json!({
        "normal_path": [{"service_path": "/order-service/{proxy+}"}],
        "normal_non_ttl_path": [],
        "white_path": [{"service_path": "/menu-service/{proxy+}"}],
        "through_path": [],
    });
    fs::write(file, environment.to_string())?;
    let mut zip = zip::ZipWriter::new(File::create(root.join("authorizer.zip"))?);
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default())?;
    zip.write_all(b"#!/bin/sh\n")?;
    zip.finish()?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copy(&path, &copied)? } else { fs::copy(path, copied).map(drop)? }
    }
    Ok(())
}

/// The version of node; none if it, or npm, is not there.
pub(crate) fn node() -> Option<String> {
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    version("npm").and(version("node"))
}

/// serverless-offline, installed below `folder` in the versions of the lock file. Its functions run in threads of their own,
/// which is its default, or in its process, which is faster.
pub(crate) fn offline(folder: &Path, upstream: SocketAddr, in_process: bool) -> Result<Gateway> {
    let folder = folder.join("offline");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/serve/offline"), &folder)?;
    if !folder.join("node_modules/serverless-offline").is_dir() {
        let install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        if !Command::new("npm").args(install).current_dir(&folder).stdout(Stdio::null()).status()?.success() {
            return Err(wrong("npm failed to install serverless-offline"));
        }
    }
    let ports = [free_port()?, free_port()?];
    let log = File::create(folder.join("offline.log"))?;
    let process = Command::new("node")
        .args(["node_modules/serverless/bin/serverless.js", "offline", "start"])
        .args(in_process.then_some("--useInProcess"))
        .current_dir(&folder)
        .env("HTTP_PORT", ports[0].to_string())
        .env("LAMBDA_PORT", ports[1].to_string())
        .env("UPSTREAM", upstream.to_string())
        .env("SLS_TELEMETRY_DISABLED", "1")
        .env("SLS_NOTIFICATIONS_MODE", "off")
        .stdout(Stdio::null())
        // It logs several lines a request; a file takes them faster than a terminal.
        .stderr(log)
        .spawn()?;
    let gateway =
        Gateway { name: "serverless-offline", address: SocketAddr::from(([127, 0, 0, 1], ports[0])), process };
    let aim = Aim::get(gateway.address, MENU, &[]);
    let begun = Instant::now();
    while status(&aim).is_err() {
        if begun.elapsed() > PATIENCE {
            return Err(wrong(&format!("serverless-offline does not answer; its log is in {}", folder.display())));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(gateway)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
