//! Files that the command line names: a device or a pipe would be read for ever.

use std::path::Path;

use crate::error::{Failure, FailureKind, Result};

/// The text of a file of at most so many bytes; `what` it should be.
///
/// # Errors
///
/// It is not there, no file, larger, or not UTF-8.
pub(super) fn text(path: &Path, what: &str, most: u64) -> Result<String> {
    let name = path.display();
    let failed = |error: &std::io::Error| Failure::io(format!("failed to read {what} {name}"), error);
    let refused = |why: String| {
        Failure::new(FailureKind::Usage, format!("failed to read {what} {name}: {why}")).hint("is it the right one?")
    };
    let found = std::fs::metadata(path).map_err(|error| failed(&error).hint("is its name right?"))?;
    if !found.is_file() {
        return Err(refused("it is no file".to_owned()));
    }
    if found.len() > most {
        return Err(refused(format!("it has {} bytes, and at most {most} are read", found.len())));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|_| refused("it is no UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(text(&file, "the plan", 4).unwrap(), "text");
        assert!(text(&file, "the plan", 3).unwrap_err().to_string().contains("4 bytes"));
        std::fs::write(&file, [0xff]).unwrap();
        assert!(text(&file, "the plan", 4).unwrap_err().to_string().contains("no UTF-8"));
        for other in [folder.path(), Path::new("/dev/zero")] {
            let failure = text(other, "the plan", 4).unwrap_err();
            assert!(failure.to_string().contains("it is no file") && !failure.hints().is_empty(), "{failure}");
        }
    }
}
