//! The packager with a cargo and a rustc of its own, so that a build takes milliseconds and can be counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::TempDir;

use super::{Architecture, Function, Package, Packager};
use crate::error::{FailureKind, Result};

/// Finds out what `rustc` is asked, and answers as one with everything installed would.
const RUSTC: &str = r#"
case "$1" in
-vV) printf 'rustc 1.0.0\nhost: x86_64-unknown-linux-gnu\n' ;;
*) printf '%s/sysroot\n%s/sysroot/lib/rustlib/%s/lib\n' "$HERE" "$HERE" "$6" ;;
esac
"#;

/// Writes "binaries" that are made of the source, and counts its calls.
const CARGO: &str = r#"
echo "$*" >> "$HERE/calls"
echo '   Compiling authorizer v0.1.0' >&2
if grep -q broken authorizer/src/lib.rs; then
    echo 'error: expected item' >&2
    echo ' --> authorizer/src/lib.rs:1:1' >&2
    exit 101
fi
while [ $# -gt 0 ]; do
    case "$1" in
    --target) target=$2; shift ;;
    --target-dir) folder=$2; shift ;;
    --bin) programs="$programs $2"; shift ;;
    esac
    shift
done
mkdir -p "$folder/$target/lambda"
[ -z "$SLOW" ] || sleep "$SLOW"
for program in $programs; do
    [ ! -e authorizer/only ] || grep -q "$program" authorizer/only || {
        echo "error: no bin target named \`$program\` in \`authorizer\` package" >&2
        exit 101
    }
    cat authorizer/src/lib.rs > "$folder/$target/lambda/$program"
    [ "$program" = gate-authorizer ] || printf ' of %s' "$program" >> "$folder/$target/lambda/$program"
done
echo '    Finished `lambda` profile' >&2
"#;

struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(slow: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        let here = format!("HERE='{}'; SLOW={slow}", machine.path("").display());
        machine.write("rustc", &format!("{here}{RUSTC}"));
        machine.write("cargo", &format!("{here}{CARGO}"));
        machine.write("root/authorizer/Cargo.toml", "[package]\nname = \"authorizer\"\n");
        machine.write("root/authorizer/src/lib.rs", "first");
        machine.write("sysroot/lib/rustlib/x86_64-unknown-linux-musl/lib/libstd-1.rlib", "");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn packager(&self) -> Packager {
        // A shell that reads a script, and not the script itself: a file just written can't always be executed.
        let start = |name: &str| vec!["sh".into(), self.path(name).into()];
        let packager = Packager::new(self.path("root"), self.path("cache")).allow_host_build(true);
        Packager { cargo: start("cargo"), rustc: start("rustc"), ..packager }
    }

    async fn package(&self) -> Result<Package> {
        self.packager().package(Function::Gate, Architecture::X86_64, &|_| ()).await
    }

    async fn packages(&self) -> Result<Vec<Package>> {
        self.packager().packages(&[Function::Gate, Function::System], Architecture::X86_64, &|_| ()).await
    }

    fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.path("calls")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

fn unzip(zip: &Path) -> String {
    let mut archive = zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
    std::io::read_to_string(archive.by_name("bootstrap").unwrap()).unwrap()
}

#[tokio::test]
async fn the_same_source_is_built_once() {
    let machine = Machine::new("");
    let lines = Mutex::new(Vec::new());
    let on_progress = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let first = machine.packager().package(Function::Gate, Architecture::X86_64, &on_progress).await.unwrap();
    assert_eq!(*lines.lock().unwrap(), ["Compiling authorizer v0.1.0", "Finished `lambda` profile"]);
    assert_eq!((first.cached, unzip(&first.zip).as_str()), (false, "first"));
    assert_eq!(super::read_zip(&first.zip).unwrap().sha256_base64, first.sha256_base64);

    let second = machine.package().await.unwrap();
    assert_eq!(second, Package { cached: true, ..first });
    assert_eq!(machine.calls().len(), 1);
}

#[tokio::test]
async fn a_change_is_built_and_the_old_zip_stays() {
    let machine = Machine::new("");
    let first = machine.package().await.unwrap();
    machine.write("root/authorizer/src/lib.rs", "second");
    let second = machine.package().await.unwrap();
    assert_eq!((second.cached, unzip(&second.zip).as_str()), (false, "second"));
    assert_ne!((&first.zip, &first.sha256_base64), (&second.zip, &second.sha256_base64));
    machine.write("root/authorizer/src/lib.rs", "first");
    assert_eq!(machine.package().await.unwrap(), Package { cached: true, ..first });
    assert_eq!(machine.calls().len(), 2);
}

#[tokio::test]
async fn only_what_reaches_the_crate_counts() {
    let machine = Machine::new("");
    let manifest = |dependency: &str, profile: &str| {
        let text = format!("[workspace]\nmembers = []\n[dependencies]\n{dependency}\n[profile.lambda]\n{profile}\n");
        machine.write("root/Cargo.toml", &text);
    };
    manifest("", "opt-level = 1");
    let first = machine.package().await.unwrap();
    for other in ["root/README.md", "root/src/main.rs", "root/authorizer/target/x", "root/authorizer/.swp"] {
        machine.write(other, "other");
    }
    manifest("serde = '1'", "opt-level = 1");
    assert!(machine.package().await.unwrap().cached);
    manifest("", "opt-level = 2");
    let second = machine.package().await.unwrap();
    machine.write("root/Cargo.lock", "version = 4");
    let third = machine.package().await.unwrap();
    machine.write("root/authorizer/build.rs", "");
    let fourth = machine.package().await.unwrap();
    let packages = [first, second, third, fourth];
    assert!(packages.iter().all(|package| !package.cached), "{packages:?}");
    assert_eq!(machine.calls().len(), 4);
}

#[tokio::test]
async fn a_workspace_and_a_lone_crate_are_both_built() {
    let machine = Machine::new("");
    machine.package().await.unwrap();
    machine.write("root/Cargo.toml", "[workspace]\n[profile.lambda]\ninherits = 'release'\n");
    machine.package().await.unwrap();
    let calls = machine.calls();
    assert!(calls[0].contains("--manifest-path authorizer/Cargo.toml --config profile.lambda.inherits="), "{calls:?}");
    assert!(calls[1].contains("--package authorizer") && !calls[1].contains("--config"), "{calls:?}");
    for call in calls {
        assert!(
            call.starts_with("build --locked --profile lambda --color never --bin gate-authorizer --target"),
            "{call}"
        );
    }
}

#[tokio::test]
async fn two_functions_are_built_by_one_call_and_kept_apart() {
    let machine = Machine::new("");
    let both = machine.packages().await.unwrap();
    let calls = machine.calls();
    assert!(calls[0].contains("--bin gate-authorizer --bin system-authorizer --target "), "{calls:?}");
    let found: Vec<_> = both.iter().map(|package| (package.function, unzip(&package.zip))).collect();
    let expected = [(Function::Gate, "first"), (Function::System, "first of system-authorizer")];
    assert_eq!(found, expected.map(|(function, text)| (function, text.to_owned())));

    // In what order and how often does not matter, and neither does it whether one is asked for or both.
    let functions = [Function::System, Function::Gate, Function::System];
    let again = machine.packager().packages(&functions, Architecture::X86_64, &|_| ()).await.unwrap();
    let cached: Vec<_> = both.into_iter().map(|package| Package { cached: true, ..package }).collect();
    assert_eq!(again, cached);
    assert_eq!(machine.package().await.unwrap(), cached[0]);
    assert_eq!(machine.calls().len(), 1);
}

#[tokio::test]
async fn only_the_function_that_is_missing_is_built() {
    let machine = Machine::new("");
    machine.package().await.unwrap();
    let both = machine.packages().await.unwrap();
    assert_eq!(both.iter().map(|package| package.cached).collect::<Vec<_>>(), [true, false]);
    let calls = machine.calls();
    assert!(calls[1].contains(" --bin system-authorizer --target ") && !calls[1].contains("gate"), "{calls:?}");
}

#[tokio::test]
async fn a_crate_with_one_of_the_functions_serves_for_that_one() {
    let machine = Machine::new("");
    machine.write("root/authorizer/only", "gate-authorizer");
    let failure = machine.packages().await.unwrap_err();
    let text = failure.to_string();
    assert!(text.starts_with("failed to build gate-authorizer and system-authorizer: "), "{text}");
    assert!(text.contains("no bin target named `system-authorizer`"), "{text}");
    assert!(failure.hints()[0].contains("gwctl package --function gate"), "{failure:?}");
    assert_eq!(unzip(&machine.package().await.unwrap().zip), "first");
}

#[tokio::test]
async fn a_damaged_zip_is_built_again() {
    let machine = Machine::new("");
    let first = machine.package().await.unwrap();
    fs::write(&first.zip, "damaged").unwrap();
    assert_eq!(machine.package().await.unwrap(), first);
    fs::remove_file(first.zip.with_file_name("package.json")).unwrap();
    assert_eq!(machine.package().await.unwrap(), first);
}

#[tokio::test]
async fn two_at_once_build_once() {
    let machine = Machine::new("0.3");
    let waited = Mutex::new(0);
    let on_progress = |line: &str| *waited.lock().unwrap() += usize::from(line.starts_with("waiting for another"));
    let (one, other) = (machine.packager(), machine.packager());
    let (one, other) = tokio::join!(
        one.package(Function::Gate, Architecture::X86_64, &on_progress),
        other.package(Function::Gate, Architecture::X86_64, &on_progress)
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.cached, other.cached);
    assert_eq!(one.sha256_base64, other.sha256_base64);
    assert_eq!((machine.calls().len(), *waited.lock().unwrap()), (1, 1));
}

#[tokio::test]
async fn a_host_build_says_so_again_from_the_cache() {
    let machine = Machine::new("");
    for cached in [false, true] {
        let package = machine.packager().package(Function::Gate, Architecture::Arm64, &|_| ()).await.unwrap();
        assert_eq!((package.cached, package.architecture, package.notes.len()), (cached, Architecture::Arm64, 1));
    }
    assert!(machine.calls()[0].contains("--target x86_64-unknown-linux-gnu"));
    let strict = machine.packager().allow_host_build(false);
    let failure = strict.package(Function::Gate, Architecture::Arm64, &|_| ()).await.unwrap_err();
    assert!(failure.hints()[0].contains("rustup target add aarch64-unknown-linux-musl"), "{failure:?}");
}

#[tokio::test]
async fn a_failed_build_shows_the_compilers_words() {
    let machine = Machine::new("");
    machine.write("root/authorizer/src/lib.rs", "broken");
    let failure = machine.package().await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Build);
    let text = failure.to_string();
    assert!(text.contains("exit status: 101") && text.contains("error: expected item\n --> authorizer"), "{text}");
    assert!(!text.contains("Compiling"), "{text}");
}

#[tokio::test]
async fn what_is_absent_is_named_with_the_way_out() {
    let machine = Machine::new("");
    let nowhere = Packager::new(machine.path("elsewhere"), machine.path("cache"));
    let no_rust = Packager { rustc: vec![machine.path("none").into()], ..machine.packager() };
    let no_cargo = Packager { cargo: vec![machine.path("none").into()], ..machine.packager() };
    let cases = [(nowhere, "no crate to build"), (no_rust, "start `rustc`"), (no_cargo, "start `cargo`")];
    for (packager, said) in cases {
        let failure = packager.package(Function::Gate, Architecture::X86_64, &|_| ()).await.unwrap_err();
        assert!(failure.to_string().contains(said), "{failure}");
        assert!(failure.hints().iter().any(|hint| hint.contains("zip in the configuration")), "{failure:?}");
    }
}

#[test]
fn functions_have_a_name_for_the_command_line_and_a_program() {
    for (function, text) in [(Function::Gate, "gate"), (Function::System, "system")] {
        assert_eq!((function.to_string().as_str(), text.parse()), (text, Ok(function)));
        assert_eq!(function.program(), format!("{text}-authorizer"));
    }
    assert_eq!("edge".parse::<Function>().unwrap_err(), "choose gate or system");
}

#[test]
fn architectures_are_spelled_as_lambda_does() {
    for (architecture, text) in [(Architecture::Arm64, "arm64"), (Architecture::X86_64, "x86_64")] {
        assert_eq!(architecture.to_string(), text);
        assert_eq!(serde_json::to_value(architecture).unwrap(), text);
    }
}
