//! Imports run one way, the SDK stays in its layer, and nothing but a reporter prints. Held by reading the source, so that
//! a shortcut fails here and not in a review.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each part of the crate may import of it, besides itself.
const MAY_IMPORT: [(&str, &[&str]); 23] = [
    ("error", &[]),
    ("rates", &[]),
    // Words by which secrets are known.
    ("secrets", &[]),
    ("model", &["error"]),
    ("origin", &[]),
    ("lock", &["error", "model", "origin"]),
    ("config", &["error", "rates", "secrets"]),
    // What is asked of AWS, as policies: pure.
    ("permissions", &["model"]),
    ("aws", &["error", "lock", "model", "origin", "permissions", "rates"]),
    ("kinds", &["aws", "error", "model", "permissions"]),
    ("plan", &["error", "model"]),
    ("drift", &["error", "model", "plan"]),
    ("stack", &["config", "error", "kinds", "model"]),
    // What exists, held against what stacks become: pure.
    ("takeover", &["config", "error", "kinds", "model", "stack"]),
    // How numbers become verdicts.
    ("doctor", &["error"]),
    // What stacks become is looked at, and never changed.
    ("lint", &["config", "stack"]),
    ("apply", &["aws", "error", "kinds", "model", "plan"]),
    ("history", &["apply", "error", "model", "origin", "plan"]),
    // What a request comes to, what was expected of it, and how environments differ, are shown like a plan.
    (
        "report",
        &[
            "apply",
            "doctor",
            "drift",
            "error",
            "expectation",
            "history",
            "inspection",
            "lint",
            "lock",
            "model",
            "plan",
            "sandbox",
            "secrets",
            "takeover",
        ],
    ),
    ("inspection", &["kinds", "model", "plan", "sandbox"]),
    ("sandbox", &["error", "rates"]),
    ("expectation", &["error", "sandbox"]),
    // The world outside of commands that another program runs.
    ("host", &["sandbox"]),
];

/// Who may not be imported at all by the parts in the first table: they stand above everything.
const ABOVE: [&str; 3] = ["cli", "commands", "package"];

/// Where the AWS SDK may be named: kinds and sessions, and the two places that put the sandbox behind its HTTP client.
const MAY_NAME_SDK: [&str; 4] = ["aws/", "kinds/", "sandbox/connector.rs", "commands/work.rs"];

/// The crates of the AWS SDK, as code names them.
const SDK: [&str; 5] = ["aws_sdk_", "aws_smithy_", "aws_config", "aws_credential_types", "aws_types"];

/// Where the crate of the functions may be named, which is called like much else here: by one of its modules.
const MAY_NAME_AUTHORIZER: &str = "config/";

/// Who may open a standard stream: the program's end, the place where commands write, and progress.
const MAY_OPEN_STREAMS: [&str; 3] = ["main.rs", "commands/output.rs", "report/progress.rs"];

/// One source file without its tests and comments.
struct Source {
    /// Relative to `src/`.
    name: String,
    code: String,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code = code.lines().map(|line| line.split("//").next().unwrap_or_default());
        Self { name: name.to_owned(), code: code.collect::<Vec<_>>().join("\n") }
    }

    /// The modules that lead to it: `kinds`, `stage`.
    fn modules(&self) -> Vec<&str> {
        let path = self.name.strip_suffix(".rs").unwrap_or(&self.name);
        path.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).collect()
    }

    /// The part of the crate it belongs to.
    fn part(&self) -> &str {
        self.modules().first().copied().unwrap_or_default()
    }

    /// The top-level modules it names, by `crate::…`, by `super::…` that reaches the root, or by the crate's own name.
    fn imports(&self) -> BTreeSet<String> {
        let depth = self.modules().len();
        let to_root = "super::".repeat(depth);
        let mut found = BTreeSet::new();
        for root in ["crate::", "gwctl::", &to_root] {
            for (at, _) in self.code.match_indices(root).filter(|_| !root.is_empty()) {
                let before = self.code[..at].chars().next_back();
                if before.is_some_and(|character| character.is_alphanumeric() || "_:".contains(character)) {
                    continue;
                }
                found.extend(names(&self.code[at + root.len()..]));
            }
        }
        found.remove(self.part());
        // Names of the root that are no modules come from `super::` inside inline modules.
        found.into_iter().filter(|name| is_module(name)).collect()
    }
}

fn is_module(name: &str) -> bool {
    MAY_IMPORT.iter().any(|(part, _)| *part == name) || ABOVE.contains(&name)
}

/// The first names of a path, or of each path of a group: `model::diff` is `model`, `{a::B, c}` is `a` and `c`.
fn names(path: &str) -> Vec<String> {
    let word = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(word(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(word(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// All source files of the library and the binary, tests left out.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            let is_test = name.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "testing.rs"));
            if is_test {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 100, "only {} files found", found.len());
    found
}

#[test]
fn imports_run_one_way() {
    let rules: BTreeMap<&str, &[&str]> = MAY_IMPORT.into();
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    for source in sources() {
        let Some(allowed) = rules.get(source.part()) else { continue };
        seen.insert(source.part().to_owned());
        for import in source.imports().into_iter().filter(|import| !allowed.contains(&import.as_str())) {
            broken.push(format!("src/{} imports `{import}`", source.name));
        }
    }
    assert_eq!(seen.len(), rules.len(), "a part of the table has no files: {seen:?}");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A rule for a part that nobody wrote down would hold nothing.
#[test]
fn every_part_is_in_the_table() {
    let parts: BTreeSet<String> = sources().iter().map(|source| source.part().to_owned()).collect();
    let unknown: Vec<&String> = parts.iter().filter(|part| !part.is_empty() && !is_module(part)).collect();
    assert!(unknown.is_empty(), "say in the table what these may import: {unknown:?}");
}

#[test]
fn the_sdk_stays_in_its_layer() {
    let mut named = 0;
    let mut broken = Vec::new();
    for source in sources() {
        for sdk in SDK.into_iter().filter(|sdk| source.code.contains(sdk)) {
            named += 1;
            if !MAY_NAME_SDK.iter().any(|place| source.name.starts_with(place)) {
                broken.push(format!("src/{} names `{sdk}…`", source.name));
            }
        }
    }
    assert!(named > 10, "the SDK is named {named} times: is it called something else now?");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_functions_are_asked_by_the_configuration_alone() {
    let asks = |code: &str| {
        code.match_indices("authorizer::").any(|(at, found)| {
            let (before, after) = (code[..at].chars().next_back(), &code[at + found.len()..]);
            let whole = !before.is_some_and(|character| character.is_alphanumeric() || "_:".contains(character));
            whole && ["gate", "system", "Fault", "UNAUTHORIZED"].iter().any(|part| after.starts_with(part))
        })
    };
    let named: Vec<String> =
        sources().into_iter().filter(|source| asks(&source.code)).map(|source| source.name).collect();
    assert!(!named.is_empty(), "nobody asks the functions any more");
    let broken: Vec<&String> = named.iter().filter(|name| !name.starts_with(MAY_NAME_AUTHORIZER)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn nothing_prints_but_reporters() {
    let mut broken = Vec::new();
    for source in sources() {
        for print in ["println!", "print!", "dbg!"] {
            // `eprintln!` ends in `println!`.
            if source.code.contains(print) {
                broken.push(format!("src/{} has `{print}`", source.name));
            }
        }
        for stream in ["stdout()", "stderr()"] {
            if source.code.contains(stream) && !MAY_OPEN_STREAMS.contains(&source.name.as_str()) {
                broken.push(format!("src/{} opens `{stream}`", source.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The reading above sees what it should.
#[test]
fn imports_are_found_however_they_are_written() {
    let found = |name: &str, text: &str| Source::new(name, text).imports().into_iter().collect::<Vec<_>>();
    assert_eq!(
        found("kinds/stage.rs", "use crate::{aws::{self, Aws}, sandbox,\n model::diff};"),
        ["aws", "model", "sandbox"]
    );
    assert_eq!(found("kinds/stage.rs", "let x = super::super::config::load(); super::Kind"), ["config"]);
    assert_eq!(found("plan/mod.rs", "fn f() { crate::report::plans() }"), ["report"]);
    assert_eq!(found("config/mod.rs", "// crate::aws\nuse super::aws::Aws;"), ["aws"]);
    let tests = "use crate::model::Plan;\n#[cfg(test)]\nmod tests { use crate::sandbox::Sandbox; }";
    assert_eq!(found("plan/build.rs", tests), ["model"]);
}
