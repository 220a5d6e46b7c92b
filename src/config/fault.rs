//! What is wrong with a configuration: collected, sorted, and shown all at once.

use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use serde_json::json;

use super::hidden;
use super::source::Span;
use crate::error::{Failure, FailureKind};

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is planned or applied with it.
    Error,
    /// Legal, but probably not what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands; nothing for a file that is missing or can't be read.
    pub span: Option<Span>,
    /// The file, relative to the configuration root.
    pub file: PathBuf,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong: lower case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The lint that found it, by name; nothing for a fault that no option can turn into a warning or away.
    pub lint: Option<&'static str>,
    /// A second place that belongs to it (the first of two equal paths, say), with a word on it.
    pub related: Option<(Span, String)>,
}

impl Fault {
    /// Adds the second place that belongs to this fault, with a word on it.
    pub fn relate(&mut self, span: &Span, label: impl Into<String>) {
        self.related = Some((span.clone(), label.into()));
    }

    fn to_json(&self) -> serde_json::Value {
        let place = |span: &Span| {
            let ((line, column), (end_line, end_column)) = (span.line_column(), span.end_line_column());
            json!({ "line": line, "column": column, "end_line": end_line, "end_column": end_column })
        };
        json!({
            "severity": self.severity.name(),
            "file": self.file.display().to_string(),
            "span": self.span.as_ref().map(place),
            "message": self.message,
            "hint": self.hint,
            "lint": self.lint,
            "related": self.related.as_ref().map(|(span, label)| {
                json!({ "file": span.path().display().to_string(), "span": place(span), "label": label })
            }),
        })
    }

    fn render(&self, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut elements: Vec<Element<'_>> = Vec::new();
        match &self.span {
            Some(span) => {
                let mut snippet = snippet(span).annotation(AnnotationKind::Primary.span(span.start..span.end));
                if let Some((related, label)) = &self.related {
                    let annotation = AnnotationKind::Context.span(related.start..related.end).label(label.as_str());
                    if related.path() == span.path() {
                        snippet = snippet.annotation(annotation);
                        elements.push(snippet.into());
                    } else {
                        elements.push(snippet.into());
                        elements.push(self::snippet(related).annotation(annotation).into());
                    }
                } else {
                    elements.push(snippet.into());
                }
            }
            None => elements.push(Origin::path(self.file.display().to_string()).into()),
        }
        if let Some(hint) = &self.hint {
            elements.push(Level::HELP.with_name("hint").message(hint.as_str()).into());
        }
        let title = level.primary_title(self.message.as_str());
        let title = match self.lint {
            Some(lint) => title.id(lint),
            None => title,
        };
        renderer.render(&[title.elements(elements)])
    }
}

fn snippet(span: &Span) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(span.file.text.as_str()).path(span.path().display().to_string())
}

/// All faults of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds an error; give the returned fault a second place with [`Fault::relate`] if it has one.
    pub fn error(&mut self, span: &Span, message: impl Into<String>, hint: impl Into<String>) -> &mut Fault {
        self.add(Severity::Error, Some(span), span.path(), message.into(), hint.into())
    }

    /// Adds a warning.
    pub fn warning(&mut self, span: &Span, message: impl Into<String>, hint: impl Into<String>) -> &mut Fault {
        self.add(Severity::Warning, Some(span), span.path(), message.into(), hint.into())
    }

    /// Adds an error about a file or folder as a whole; `file` is relative to the root.
    pub fn file_error(&mut self, file: &Path, message: impl Into<String>, hint: impl Into<String>) -> &mut Fault {
        self.add(Severity::Error, None, file, message.into(), hint.into())
    }

    fn add(
        &mut self,
        severity: Severity,
        span: Option<&Span>,
        file: &Path,
        message: String,
        hint: String,
    ) -> &mut Fault {
        let index = self.0.len();
        let (span, file) = (span.cloned(), file.to_owned());
        self.0.push(Fault { span, file, severity, message, hint: Some(hint), lint: None, related: None });
        &mut self.0[index]
    }

    /// Adds a fault made elsewhere.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Adds all faults of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Keeps the faults for which `keep` says so, after it may have changed them.
    pub fn retain_mut(&mut self, keep: impl FnMut(&mut Fault) -> bool) {
        self.0.retain_mut(keep);
    }

    /// Sorts by file and place, and keeps one of those that say the same of the same place: the defaults are read once
    /// for each environment, and a fault in them is still one fault.
    pub fn sort(&mut self) {
        let place = |fault: &Fault| fault.span.as_ref().map_or((0, 0), |span| (span.start, span.end));
        self.0.sort_by(|a, b| (&a.file, place(a), &a.message, &a.hint).cmp(&(&b.file, place(b), &b.message, &b.hint)));
        self.0.dedup_by(|a, b| a.file == b.file && a.span == b.span && a.message == b.message);
    }

    /// Whether there is none, not even a warning.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are, warnings included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.iter().filter(|fault| fault.severity == Severity::Error).count()
    }

    /// Whether one is an error, so that nothing may be planned.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// The faults, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }

    /// All faults for a terminal, in the manner of rustc: message, place with its line, hint. Ends with a newline
    /// unless there is nothing to say. Secrets of the files are masked.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let blocks: Vec<String> = hidden::masked(self).iter().map(|fault| fault.render(&renderer)).collect();
        if blocks.is_empty() { String::new() } else { blocks.join("\n\n") + "\n" }
    }

    /// All faults as data, for `--output json`: a list of objects. Secrets of the files are masked.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        hidden::masked(self).iter().map(Fault::to_json).collect()
    }

    /// The failure a command ends with after it has printed [`Faults::render`]: it only counts.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        let errors = self.errors();
        let noun = if errors == 1 { "fault" } else { "faults" };
        Failure::new(FailureKind::Configuration, format!("{errors} {noun} in the configuration"))
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        faults.to_failure()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::SourceFile;

    fn two_places() -> Faults {
        let file = SourceFile::new("environments/p/dev.json", "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
        let mut faults = Faults::default();
        faults
            .error(&Span::new(&file, 14..17), "`b` is wrong", "take it away")
            .relate(&Span::new(&file, 4..7), "because of this");
        faults
    }

    #[test]
    fn a_fault_is_shown_with_its_line_its_second_place_and_its_hint() {
        let shown = two_places().render(false);
        let expected = "\
error: `b` is wrong
 --> environments/p/dev.json:3:3
  |
2 |   \"a\": 1,
  |   --- because of this
3 |   \"b\": 2
  |   ^^^
  |
  = hint: take it away
";
        assert_eq!(shown, expected);
        assert!(two_places().render(true).contains('\u{1b}'));
    }

    #[test]
    fn the_json_form_has_every_place() {
        let json = two_places().to_json();
        assert_eq!(json[0]["span"], json!({ "line": 3, "column": 3, "end_line": 3, "end_column": 6 }));
        assert_eq!(json[0]["related"]["span"]["line"], 2);
        assert_eq!(json[0]["hint"], "take it away");
    }

    #[test]
    fn the_same_fault_twice_is_one_and_the_failure_counts_errors_only() {
        let mut faults = two_places();
        faults.extend(two_places());
        let first = faults.iter().next().and_then(|fault| fault.span.clone()).expect("a span");
        faults.warning(&first, "odd", "look again");
        faults.sort();
        assert_eq!((faults.len(), faults.errors()), (2, 1));
        assert_eq!(Failure::from(faults).to_string(), "1 fault in the configuration");
    }
}
