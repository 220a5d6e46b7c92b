//! Where a value was written: files and spans.
//!
//! Every node of a parsed file keeps its [`Span`], so that a fault found much later (while a template is filled, say)
//! still points at the line a person has to change.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file of the configuration, read once and shared by everything that points into it.
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    /// The path as shown to the user: relative to the configuration root.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// A file with its text, ready to be shared.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), text: text.into() })
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text would drown everything else in a debug print.
        write!(f, "SourceFile({})", self.path.display())
    }
}

/// A stretch of a file, in bytes.
#[derive(Clone)]
pub struct Span {
    /// The file.
    pub file: Arc<SourceFile>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The stretch `range` of `file`, clipped to the file and to character boundaries.
    #[must_use]
    pub fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Self {
        let text = &file.text;
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.ceil_char_boundary(range.end.clamp(start, text.len()));
        Self { file: Arc::clone(file), start, end }
    }

    /// Line and column of the first character, both counted from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        position(&self.file.text, self.start)
    }

    /// Line and column one past the last character, both counted from 1.
    #[must_use]
    pub fn end_line_column(&self) -> (usize, usize) {
        position(&self.file.text, self.end)
    }

    /// The first character alone: enough to point at a value that spans many lines.
    #[must_use]
    pub fn first(&self) -> Self {
        let end = if self.end > self.start { self.start + 1 } else { self.start };
        Self::new(&self.file, self.start..end)
    }

    /// The path of the file, as shown to the user.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The text of the stretch.
    #[must_use]
    pub fn text(&self) -> &str {
        self.file.text.get(self.start..self.end).unwrap_or_default()
    }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.end == other.end && self.file.path == other.file.path
    }
}

impl Eq for Span {}

/// `environments/product-a/dev.json:3:5`, the form editors and terminals make into a link.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.file.path.display())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_not_bytes() {
        let file = SourceFile::new("a.json", "one\n网关 x\n");
        let start = file.text.find('x').expect("the text has an x");
        assert_eq!(Span::new(&file, start..start + 1).line_column(), (2, 4));
        assert_eq!(Span::new(&file, start..start + 1).to_string(), "a.json:2:4");
    }

    #[test]
    fn a_span_never_leaves_the_file_nor_splits_a_character() {
        let file = SourceFile::new("a.json", "网");
        assert_eq!(Span::new(&file, 1..2).text(), "网");
        assert_eq!(Span::new(&file, 7..99).text(), "");
        assert_eq!(Span::new(&file, 0..3).first().text(), "网");
    }
}
