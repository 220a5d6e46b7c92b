//! Reading files and folders below the configuration root, with a fault for what can't be read.

use std::io::ErrorKind;
use std::path::{Component, Path};
use std::sync::Arc;

use super::fault::Faults;
use super::source::SourceFile;

/// The largest file that is read: a hundred times what the longest list of routes takes.
const LARGEST: u64 = 16 << 20;

/// Reads `path`, which is relative to `root`; `hint` is for the case that it is missing.
pub(super) fn read(root: &Path, path: &Path, hint: &str, faults: &mut Faults) -> Option<Arc<SourceFile>> {
    let bytes = match bytes(root, path) {
        Ok(bytes) => bytes,
        Err(Unread::Missing) => {
            faults.file_error(path, "the file is missing", hint);
            return None;
        }
        Err(Unread::Not(why, hint)) => {
            faults.file_error(path, format!("the file {why}"), hint);
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

/// Why a file was not read.
pub(super) enum Unread {
    /// There is none.
    Missing,
    /// What it is or does, and what to do about it.
    Not(String, &'static str),
}

/// The bytes of a file whose path is relative to `root`. Somebody who may only propose changes could make a link of it that
/// leads to a file of the machine, whose lines a fault would then show; and a pipe would be read for ever.
pub(super) fn bytes(root: &Path, path: &Path) -> Result<Vec<u8>, Unread> {
    let full = root.join(path);
    let unreadable = |error: &std::io::Error| Unread::Not(format!("can't be read: {error}"), "make it readable");
    let found = match std::fs::metadata(&full) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Unread::Missing),
        found => found.map_err(|error| unreadable(&error))?,
    };
    if leaves(root, path) {
        let hint = "put a copy in its place, or name with --root the folder that holds both";
        return Err(Unread::Not("is a link that leads out of the configuration root".to_owned(), hint));
    }
    if !found.is_file() {
        return Err(Unread::Not("is no file".to_owned(), "put a file in its place, or correct its name"));
    }
    if found.len() > LARGEST {
        let why = format!("has {} bytes, and at most {LARGEST} are read", found.len());
        return Err(Unread::Not(why, "is it the right one?"));
    }
    std::fs::read(&full).map_err(|error| unreadable(&error))
}

/// Whether what stands at `path`, relative to `root`, lies outside of `root`: by its name, or by a link on the way.
#[must_use]
pub fn leaves(root: &Path, path: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    // What is not there leads nowhere.
    leads_out(path)
        || matches!((real(root), real(&root.join(path))), (Some(root), Some(path)) if !path.starts_with(&root))
}

/// Whether a path leads out of the folder that it is relative to.
#[must_use]
pub fn leads_out(path: &Path) -> bool {
    let mut depth = 0_i32;
    path.components().any(|component| {
        depth += match component {
            Component::ParentDir => -1,
            Component::Normal(_) => 1,
            Component::CurDir => 0,
            Component::RootDir | Component::Prefix(_) => return true,
        };
        depth < 0
    })
}

/// The names in a folder, sorted, hidden ones left out; nothing, with a fault, if it can't be read.
pub(super) fn list(root: &Path, folder: &Path, faults: &mut Faults) -> Option<Vec<String>> {
    if leaves(root, folder) {
        let hint = "put a copy in its place, or name with --root the folder that holds both";
        faults.file_error(folder, "the folder is a link that leads out of the configuration root", hint);
        return None;
    }
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
