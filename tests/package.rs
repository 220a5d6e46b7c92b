//! The real authorizer, built with the real cargo in two folders: the zips must be the same, byte for byte.

use std::fs;
use std::path::Path;
use std::time::Instant;

use gwctl::package::{Architecture, Package, Packager};

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

async fn build(folder: &Path, architecture: Architecture) -> Package {
    copy(Path::new(env!("CARGO_MANIFEST_DIR")), folder);
    let packager = Packager::new(folder, folder.join("target/gwctl-package")).allow_host_build(true);
    packager.package(architecture, &|_| ()).await.unwrap()
}

#[tokio::test]
async fn two_checkouts_give_the_same_bytes() {
    let architecture = if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X86_64 };
    let folder = tempfile::tempdir().unwrap();
    // Names of different length, one with a space, at different depths.
    let (here, there) = (folder.path().join("a"), folder.path().join("another one/deep/down"));
    let (one, other) = tokio::join!(build(&here, architecture), build(&there, architecture));
    assert!(!one.cached && !other.cached);
    assert_eq!(fs::read(&one.zip).unwrap(), fs::read(&other.zip).unwrap());
    assert_eq!((&one.source_digest, &one.sha256_base64), (&other.source_digest, &other.sha256_base64));
    assert!(one.size < 1_300_000, "{} bytes", one.size);

    let started = Instant::now();
    let packager = Packager::new(&here, here.join("target/gwctl-package")).allow_host_build(true);
    assert_eq!(packager.package(architecture, &|_| ()).await.unwrap(), Package { cached: true, ..one });
    assert!(started.elapsed().as_secs() < 2, "the cache took {:?}", started.elapsed());
}
