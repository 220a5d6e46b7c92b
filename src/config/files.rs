//! Reading files and folders below the configuration root, with a fault for what can't be read.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::fault::Faults;
use super::source::SourceFile;

/// Reads `path`, which is relative to `root`; `hint` is for the case that it is missing.
pub(super) fn read(root: &Path, path: &Path, hint: &str, faults: &mut Faults) -> Option<Arc<SourceFile>> {
    let bytes = match std::fs::read(root.join(path)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            faults.file_error(path, "the file is missing", hint);
            return None;
        }
        Err(error) => {
            faults.file_error(path, format!("the file can't be read: {error}"), "make it readable");
            return None;
        }
    };
    let Ok(text) = String::from_utf8(bytes) else {
        faults.file_error(path, "the file is not UTF-8", "save it as UTF-8");
        return None;
    };
    // Editors on Windows put a byte order mark in front; it is no part of the text.
    Some(SourceFile::new(path, text.strip_prefix('\u{feff}').unwrap_or(&text)))
}

/// The names in a folder, sorted, hidden ones left out; nothing, with a fault, if it can't be read.
pub(super) fn list(root: &Path, folder: &Path, faults: &mut Faults) -> Option<Vec<String>> {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let hint = "run gwctl where stacks/ and environments/ are, or name that folder with --root";
            faults.file_error(folder, "the folder is missing", hint);
            return None;
        }
        Err(error) => {
            faults.file_error(folder, format!("the folder can't be read: {error}"), "make it readable");
            return None;
        }
    };
    let mut names = Vec::new();
    for entry in entries {
        match entry.map(|entry| entry.file_name().into_string()) {
            Ok(Ok(name)) if name.starts_with('.') => {}
            Ok(Ok(name)) => names.push(name),
            Ok(Err(name)) => {
                let shown = name.to_string_lossy().into_owned();
                faults.file_error(folder, format!("the name {shown:?} is not UTF-8"), "rename it");
            }
            Err(error) => {
                faults.file_error(folder, format!("the folder can't be read: {error}"), "make it readable");
                return None;
            }
        }
    }
    names.sort();
    Some(names)
}
