//! `gwctl package`: builds the authorizers' zips, reproducibly.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::code::build;
use super::output::{self, data};
use crate::cli::{Global, PackageOptions};
use crate::error::{Failure, Result, exit};
use crate::package::Package;
use crate::report::Format;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &PackageOptions) -> Result<u8> {
    let mut built = Vec::new();
    for architecture in &options.architectures {
        built.extend(build(global, &options.functions, *architecture, false).await?);
    }
    if let Some(dir) = &options.out {
        for package in &mut built {
            package.zip = copy(package, dir)?;
        }
    }
    if global.output == Format::Json {
        output::json(global, &built.iter().map(describe).collect::<Vec<_>>())?;
        return Ok(exit::DONE);
    }
    data(global, |out| {
        for one in &built {
            writeln!(out, "{}", one.zip.display())?;
            let Package { size, function, architecture, sha256_base64, .. } = one;
            writeln!(out, "  {} for {architecture}: {size} bytes, CodeSha256 {sha256_base64}", function.program())?;
        }
        Ok(())
    })?;
    Ok(exit::DONE)
}

fn copy(package: &Package, dir: &Path) -> Result<PathBuf> {
    let copy = dir.join(format!("{}-{}.zip", package.function.program(), package.architecture));
    std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::copy(&package.zip, &copy))
        .map_err(|error| Failure::io(format!("failed to write {}", copy.display()), &error))?;
    Ok(copy)
}

fn describe(package: &Package) -> Value {
    json!({
        "function": package.function.to_string(),
        "architecture": package.architecture,
        "zip": package.zip,
        "code_sha256": package.sha256_base64,
        "size": package.size,
        "source_digest": package.source_digest,
        "notes": package.notes,
    })
}
