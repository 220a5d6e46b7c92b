//! A copy of the repository's configuration, to be edited.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The products and environments that the repository has.
pub(crate) const ENVIRONMENTS: [(&str, &str); 8] = [
    ("product-a", "dev"),
    ("product-a", "staging"),
    ("product-a", "preprod"),
    ("product-a", "prod"),
    ("product-b", "dev"),
    ("product-b", "staging"),
    ("product-b", "preprod"),
    ("product-b", "prod"),
];

/// The defaults of every environment.
pub(crate) const DEFAULTS: &str = "stacks/gate/defaults.json";

/// The environment that most tests work on.
pub(crate) const DEV: &str = "environments/product-a/dev.json";

/// A configuration of its own, gone with the value. Its functions run a ready-made zip, so that nothing is compiled.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// A copy of the repository's `stacks/` and `environments/`, without the system gateways: what most tests are about, the
    /// gate has all of.
    pub(crate) fn new() -> Self {
        let project = Self::whole();
        for (product, env) in ENVIRONMENTS {
            project.edit(&format!("environments/{product}/{env}.json"), |environment| {
                let members = environment.as_object_mut().unwrap();
                members.retain(|key, _| !["system", "gateway_system"].contains(&key.as_str()));
            });
        }
        project
    }

    /// A copy of all of it.
    pub(crate) fn whole() -> Self {
        let folder = TempDir::new().unwrap();
        for part in ["stacks", "environments"] {
            copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(part), &folder.path().join(part));
        }
        let project = Self { folder };
        project.zip("authorizer.zip", "the authorizer");
        for defaults in [DEFAULTS, "stacks/system/defaults.json"] {
            project.edit(defaults, |defaults| defaults["authorizer"]["zip"] = json!("authorizer.zip"));
        }
        project
    }

    /// Its folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Changes one of its JSON files.
    pub(crate) fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let mut value = self.read(file);
        change(&mut value);
        fs::write(self.root().join(file), serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    }

    /// One of its JSON files.
    pub(crate) fn read(&self, file: &str) -> Value {
        serde_json::from_slice(&fs::read(self.root().join(file)).unwrap()).unwrap()
    }

    /// Writes a zip with one file in it.
    pub(crate) fn zip(&self, name: &str, content: &str) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
        fs::write(self.root().join(name), zip.finish().unwrap().into_inner()).unwrap();
    }

    /// Puts a route at the end of a path list of product-a's `dev`.
    pub(crate) fn add_route(&self, list: &str, path: &str) {
        self.edit(DEV, |env| env["gateway_api"][list].as_array_mut().unwrap().push(json!({"service_path": path})));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}
