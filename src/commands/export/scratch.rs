//! A copy of the configuration in a folder of its own, in which an environment file is tried.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::config::{self, Configuration, ENVIRONMENTS, LoadError};
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::rest_api::RestApiSpec;
use crate::model::Found;
use crate::stack::{self, Zips};

/// The copy, gone with the value.
pub(super) struct Scratch {
    folder: TempDir,
    product: String,
    environment: String,
}

impl Scratch {
    /// Copies the stacks and the targets.
    pub(super) fn new(root: &Path, product: &str, environment: &str) -> Result<Self> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-'))
        };
        if let Some(wrong) = [product, environment].into_iter().find(|name| !is_name(name)) {
            let message = format!("`{wrong}` can't name a product or an environment");
            return Err(Failure::new(FailureKind::Usage, message).hint("use letters, digits, `_` and `-`"));
        }
        let folder = TempDir::new().map_err(|error| Failure::io("failed to make a folder", &error))?;
        for name in ["stacks", ENVIRONMENTS] {
            copy(&root.join(name), &folder.path().join(name))?;
        }
        let product_folder = folder.path().join(ENVIRONMENTS).join(product);
        fs::create_dir_all(product_folder).map_err(|error| Failure::io("failed to make a folder", &error))?;
        Ok(Self { folder, product: product.to_owned(), environment: environment.to_owned() })
    }

    /// The configuration with this for the environment's file.
    pub(super) fn load(&self, file: &Value) -> std::result::Result<Configuration, LoadError> {
        let path = self.folder.path().join(ENVIRONMENTS).join(&self.product).join(format!("{}.json", self.environment));
        let text = serde_json::to_string_pretty(file).unwrap_or_default();
        fs::write(path, text).map_err(|error| LoadError::Failure(Failure::io("failed to write a file", &error)))?;
        let one = |name: &String| vec![name.clone()];
        config::load_selected(self.folder.path(), &one(&self.product), &one(&self.environment), false)
    }

    /// The API that the file makes; none where it can't be made of it.
    pub(super) fn api(&self, file: &Value) -> Option<RestApiSpec> {
        let configuration = self.load(file).ok()?;
        let environment = configuration.environments.first()?;
        let expansion = stack::expand(&configuration, environment, &Zips::UNBUILT, &Found::nothing()).ok()?.ok()?;
        let address = stack::api_address(config::GatewayStack::Gate);
        let api = expansion.desired.into_iter().find(|one| one.address == address)?;
        serde_json::from_value(api.spec).ok()
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = |error: &std::io::Error| Failure::io(format!("failed to read {}", from.display()), error);
    fs::create_dir_all(to).map_err(|error| failed(&error))?;
    for entry in fs::read_dir(from).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied)?;
        } else {
            fs::copy(&path, copied).map_err(|error| failed(&error))?;
        }
    }
    Ok(())
}
