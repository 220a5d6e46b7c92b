//! The files that run gwctl on a schedule: each is held against the schema of what reads it, and every command line in them against
//! gwctl's own parser.

#[path = "support/python.rs"]
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use gwctl::cli::Cli;
use python::Python;
use serde_json::Value;

/// What holds files against schemas. The schemas are in the packages: nothing is fetched when they run.
const CHECKERS: [&str; 3] = ["check-jsonschema==0.39.0", "kubernetes-validate==1.37.0", "cfn-lint==1.58.0"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schedules")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn checkers() -> Python {
    Python::with("schedules", &CHECKERS)
}

#[track_caller]
fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?}: {said}");
}

#[track_caller]
fn fails(command: &mut Command) {
    assert!(!command.output().unwrap().status.success(), "{command:?}");
}

#[track_caller]
fn parses(arguments: &[String]) -> Cli {
    let line = std::iter::once("gwctl".to_owned()).chain(arguments.iter().cloned());
    Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

/// The command lines in a file: what follows `gwctl ` at the beginning of a line or after a separator, up to where the shell takes over.
fn lines(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let line = line.trim_start_matches("run: ").trim_start_matches("ExecStart=/usr/local/bin/");
        let Some(rest) = line.strip_prefix("gwctl ") else { continue };
        let rest = rest.split([';', '|', '>', '#']).next().unwrap_or_default();
        let words = rest.split_whitespace().map(|word| word.replace('"', "").replace("$SHARD", "0"));
        found.push(words.collect());
    }
    found
}

#[test]
fn every_command_line_is_one() {
    for (file, least) in [("github-actions.yml", 4), ("gwctl-drift.service", 1)] {
        let lines = lines(&text(file));
        assert!(lines.len() >= least, "{file}: {lines:?}");
        for line in &lines {
            parses(line);
        }
    }
    let manifests = text("kubernetes.yaml");
    let args: Vec<Vec<String>> = manifests
        .lines()
        .filter_map(|line| line.trim().strip_prefix("args: "))
        // The index that Kubernetes tells a pod.
        .map(|list| serde_json::from_str(&list.replace("\"/4\"", "\"0/4\"")).unwrap())
        .collect();
    assert_eq!(args.len(), 2);
    for line in &args {
        assert!(parses(line).command.only_reads(), "{line:?}");
    }
    let template = text("lambda.yaml");
    let input = template.lines().find_map(|line| line.trim().strip_prefix("Input: ")).unwrap();
    let event: Value = serde_json::from_str(input.trim_matches('\'')).unwrap();
    let arguments: Vec<String> = serde_json::from_value(event["arguments"].clone()).unwrap();
    assert!(parses(&arguments).command.only_reads());
    let guide = fs::read_to_string(folder().join("../schedules.md")).unwrap();
    for line in &lines(&guide) {
        parses(line);
    }
}

#[test]
fn the_workflow_is_what_github_reads() {
    let python = checkers();
    let check = |path: &Path| {
        let mut command = python.program("check-jsonschema");
        command.args(["--builtin-schema", "vendor.github-workflows"]).arg(path);
        command
    };
    passes(&mut check(&folder().join("github-actions.yml")));
    let broken = tempfile::TempDir::new().unwrap();
    let path = broken.path().join("broken.yml");
    fs::write(&path, text("github-actions.yml").replace("runs-on: ", "run-on: ")).unwrap();
    fails(&mut check(&path));
}

#[test]
fn the_manifests_are_what_kubernetes_reads() {
    let python = checkers();
    let check = |path: &Path| {
        let mut command = python.program("kubernetes-validate");
        command.args(["--strict"]).arg(path);
        command
    };
    passes(&mut check(&folder().join("kubernetes.yaml")));
    let broken = tempfile::TempDir::new().unwrap();
    let path = broken.path().join("broken.yaml");
    fs::write(&path, text("kubernetes.yaml").replace("completionMode", "completionsMode")).unwrap();
    fails(&mut check(&path));
}

#[test]
fn the_template_is_what_cloudformation_reads() {
    let python = checkers();
    let check = |path: &Path| {
        let mut command = python.program("cfn-lint");
        command.args(["--regions", "eu-central-1", "--"]).arg(path);
        command
    };
    passes(&mut check(&folder().join("lambda.yaml")));
    let broken = tempfile::TempDir::new().unwrap();
    let path = broken.path().join("broken.yaml");
    fs::write(&path, text("lambda.yaml").replace("MemorySize: 512", "MemorySise: 512")).unwrap();
    fails(&mut check(&path));
}

#[test]
fn the_units_are_what_systemd_reads() {
    for (name, sections) in
        [("gwctl-drift.service", ["[Unit]", "[Service]"]), ("gwctl-drift.timer", ["[Unit]", "[Timer]"])]
    {
        let text = text(name);
        for section in sections {
            assert!(text.lines().any(|line| line == section), "{name}: {section}");
        }
    }
    // systemd looks whether the program is there; its own check is made with one that is.
    let place = tempfile::TempDir::new().unwrap();
    let program = env!("CARGO_BIN_EXE_gwctl");
    for name in ["gwctl-drift.service", "gwctl-drift.timer"] {
        fs::write(place.path().join(name), text(name).replace("/usr/local/bin/gwctl", program)).unwrap();
    }
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--recursive-errors=no"]).arg(place.path().join("gwctl-drift.timer"));
    verify.arg(place.path().join("gwctl-drift.service"));
    match verify.output() {
        Err(_) => eprintln!("systemd-analyze is not here: the units' sections were looked at, and no more"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("gwctl-drift"), "{said}");
        }
    }
}

#[test]
fn the_image_takes_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = text("Dockerfile.dockerignore");
    for line in text("Dockerfile").lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from")) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let (_, sources) = words.split_last().unwrap();
        for source in sources {
            assert!(root.join(source).exists(), "{line}");
            assert!(ignored.lines().any(|kept| kept == format!("!{source}")), "{source} is left out of the context");
        }
    }
}
