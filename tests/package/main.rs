//! The real authorizers, built with the real cargo: the same bytes wherever it happens, small, and programs that answer.

#[allow(dead_code, reason = "the tests of `gwctl serve` ask it more")]
#[path = "../serve/auth_service.rs"]
mod auth_service;
mod runtime;

use std::fs;
use std::path::Path;
use std::time::Instant;

use gwctl::package::{Architecture, Function, Package, Packager};
use serde_json::json;

use auth_service::AuthService;
use runtime::{Program, answer};

const BOTH: [Function; 2] = [Function::Gate, Function::System];

/// SHA-256 of `k3y`.
const KEY_SHA256: &str = "a49b1287870c10a76f1f46552aca4431842ced5dedf0ee3f28ffa12855a4e86a";

/// Copies the repository without what was built and what is hidden.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == "target" || name.starts_with('.') {
            continue;
        }
        let (path, copied) = (entry.path(), to.join(name));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(path, copied).unwrap();
        }
    }
}

/// A packager for a copy of the repository in this folder.
fn checkout(folder: &Path) -> Packager {
    copy(Path::new(env!("CARGO_MANIFEST_DIR")), folder);
    Packager::new(folder, folder.join("target/gwctl-package")).allow_host_build(true)
}

/// What no zip may exceed, because a cold start loads it; and what each function answers when it is asked.
fn small_and_alive(packages: &[Package]) {
    let [gate, system] = packages else { panic!("a zip of each function: {packages:?}") };
    assert!(gate.size <= 1_300_000, "{} bytes", gate.size);
    assert!(system.size <= 600_000, "{} bytes", system.size);
    let (Some(gate), Some(system)) = (Program::of(gate), Program::of(system)) else {
        let architecture = gate.architecture;
        return say(&format!("not run: the functions for {architecture}, for want of QEMU's user mode (qemu-user)"));
    };
    let arn = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/orders";
    let event = |token: &str| {
        let headers = json!({ "Authorization": format!("Bearer {token}") });
        json!({ "type": "REQUEST", "methodArn": arn, "headers": headers })
    };

    // Over TLS, so that the parts that are written in C and assembly for each processor have to work too.
    let auth = AuthService::start();
    let variables = [("AUTH_HOST", auth.host()), ("AUTH_CA_PEM", auth.ca_pem.clone())];
    let answered = answer(&gate, &variables, &event("t0ken"));
    assert_eq!(answered["policyDocument"]["Statement"][0]["Effect"], "Allow", "{answered}");
    assert_eq!(answered["policyDocument"]["Statement"][0]["Resource"], arn, "{answered}");
    assert_eq!(answered["context"]["x-user-id"], "jwt-of-t0ken", "{answered}");
    assert_eq!(auth.asked("t0ken"), 1);

    let callers = json!({ "order-service": [KEY_SHA256] }).to_string();
    let answered = answer(&system, &[("CALLERS", callers)], &event("k3y"));
    assert_eq!(answered["policyDocument"]["Statement"][0]["Effect"], "Allow", "{answered}");
    assert_eq!(answered["context"], json!({ "x-caller": "order-service" }), "{answered}");
}

/// Tells people what was not tested. The test harness keeps what goes through the macros to itself.
fn say(line: &str) {
    eprintln!("{line}");
}

fn here() -> Architecture {
    Architecture::of_this_machine().expect("a processor that Lambda has")
}

#[tokio::test]
async fn two_checkouts_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    // Names of different length, one with a space, at different depths.
    let (one, other) = (checkout(&folder.path().join("a")), checkout(&folder.path().join("another one/deep/down")));
    // In one both by one call of cargo, in the other each by its own.
    let together = async { one.packages(&BOTH, here(), &|_| ()).await.unwrap() };
    let apart = async {
        let system = other.package(Function::System, here(), &|_| ()).await.unwrap();
        [other.package(Function::Gate, here(), &|_| ()).await.unwrap(), system]
    };
    let (together, apart) = tokio::join!(together, apart);
    for (one, other) in together.iter().zip(&apart) {
        assert!(!one.cached && !other.cached);
        assert_eq!((one.function, &one.source_digest), (other.function, &other.source_digest));
        assert_eq!(fs::read(&one.zip).unwrap(), fs::read(&other.zip).unwrap());
        assert_eq!(one.sha256_base64, other.sha256_base64);
    }
    assert_ne!(together[0].sha256_base64, together[1].sha256_base64);
    small_and_alive(&together);

    let started = Instant::now();
    let cached: Vec<_> = together.into_iter().map(|package| Package { cached: true, ..package }).collect();
    assert_eq!(one.packages(&BOTH, here(), &|_| ()).await.unwrap(), cached);
    assert!(started.elapsed().as_secs() < 2, "the cache took {:?}", started.elapsed());
}

#[tokio::test]
async fn the_other_processor_is_served_as_well() {
    let other = if here() == Architecture::Arm64 { Architecture::X86_64 } else { Architecture::Arm64 };
    // Kept from run to run: what is in there is found only as long as nothing changes.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gwctl-package");
    let packager = Packager::new(env!("CARGO_MANIFEST_DIR"), cache);
    match packager.packages(&BOTH, other, &|_| ()).await {
        Ok(built) => small_and_alive(&built),
        Err(failure) => {
            let text = failure.to_string();
            assert!(text.starts_with("the authorizer can't be built for"), "{text}");
            say(&format!("not built: {text}"));
        }
    }
}
