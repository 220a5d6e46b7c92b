//! `gwctl package`: builds the authorizer's zips, reproducibly.

use serde_json::json;

use super::output::{data, notice};
use super::work::packager;
use crate::cli::{Global, PackageOptions};
use crate::error::{Failure, Result, exit};
use crate::report::Format;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &PackageOptions) -> Result<u8> {
    let mut built = Vec::new();
    for architecture in &options.architectures {
        let progress = |line: &str| {
            // Progress that can't be written is not worth stopping a build for.
            let _ = notice(global, |out| writeln!(out, "authorizer ({architecture}): {line}"));
        };
        let mut package = packager(global).package(*architecture, &progress).await?;
        for note in &package.notes {
            notice(global, |out| writeln!(out, "note: {note}"))?;
        }
        if let Some(dir) = &options.out {
            let copy = dir.join(format!("authorizer-{architecture}.zip"));
            std::fs::create_dir_all(dir)
                .and_then(|()| std::fs::copy(&package.zip, &copy))
                .map_err(|error| Failure::io(format!("failed to write {}", copy.display()), &error))?;
            package.zip = copy;
        }
        built.push(package);
    }
    data(global, |out| match global.output {
        Format::Json => {
            let list: Vec<_> = built
                .iter()
                .map(|one| {
                    json!({"architecture": one.architecture, "zip": one.zip, "code_sha256": one.sha256_base64,
                        "size": one.size, "source_digest": one.source_digest, "notes": one.notes})
                })
                .collect();
            serde_json::to_writer_pretty(&mut *out, &list)?;
            writeln!(out)
        }
        Format::Text | Format::Markdown => {
            for one in &built {
                writeln!(out, "{}", one.zip.display())?;
                writeln!(out, "  {} bytes for {}, CodeSha256 {}", one.size, one.architecture, one.sha256_base64)?;
            }
            Ok(())
        }
    })?;
    Ok(exit::DONE)
}
