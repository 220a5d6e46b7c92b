//! `gwctl package`: builds the authorizer's zips, reproducibly.

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
        let mut package = build(global, *architecture, false).await?;
        if let Some(dir) = &options.out {
            let copy = dir.join(format!("authorizer-{architecture}.zip"));
            std::fs::create_dir_all(dir)
                .and_then(|()| std::fs::copy(&package.zip, &copy))
                .map_err(|error| Failure::io(format!("failed to write {}", copy.display()), &error))?;
            package.zip = copy;
        }
        built.push(package);
    }
    if global.output == Format::Json {
        output::json(global, &built.iter().map(describe).collect())?;
        return Ok(exit::DONE);
    }
    data(global, |out| {
        for one in &built {
            writeln!(out, "{}", one.zip.display())?;
            writeln!(out, "  {} bytes for {}, CodeSha256 {}", one.size, one.architecture, one.sha256_base64)?;
        }
        Ok(())
    })?;
    Ok(exit::DONE)
}

fn describe(package: &Package) -> Value {
    json!({
        "architecture": package.architecture,
        "zip": package.zip,
        "code_sha256": package.sha256_base64,
        "size": package.size,
        "source_digest": package.source_digest,
        "notes": package.notes,
    })
}
