//! Reading along a template's text.

use super::TemplateError;
use super::ast::{At, Node};

/// How deep directives, parentheses and strings may stand in one another. A hostile template would otherwise exhaust the
/// stack, which ends the process.
const MAX_DEPTH: usize = 40;

/// A place in a text, and what parsing has gathered.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) at: At,
    /// Where the text begins in the template, for the text of a string.
    base: At,
    /// Whether `base` is all that is known, because quotes in the string were doubled.
    fixed: bool,
    depth: usize,
    pub(super) blocks: Vec<Vec<Node>>,
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: At,
    pub(super) message: String,
    /// Whether the body is at fault and not the template.
    pub(super) of_body: bool,
}

impl Fault {
    pub(super) fn new(at: At, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), of_body: false }
    }

    /// The fault with line and column in the template.
    pub(super) fn in_template(self, text: &str) -> TemplateError {
        let mut at = self.at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        TemplateError { line, column, message: self.message, of_body: self.of_body }
    }
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, base: 0, fixed: false, depth: 0, blocks: Vec::new() }
    }

    /// Parses the inside of a string that begins at `base` with a cursor of its own.
    pub(super) fn within<T>(
        &mut self,
        text: &str,
        base: At,
        fixed: bool,
        parse: impl FnOnce(&mut Cursor<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let base = self.place_of(base);
        let fixed = fixed || self.fixed;
        let mut inner =
            Cursor { text, at: 0, base, fixed, depth: self.depth, blocks: std::mem::take(&mut self.blocks) };
        let parsed = inner.deeper(parse);
        self.blocks = inner.blocks;
        parsed
    }

    /// Parses something that stands in something else.
    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fault("nested too deeply"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// The place in the template.
    pub(super) fn place(&self) -> At {
        self.place_of(self.at)
    }

    fn place_of(&self, at: At) -> At {
        if self.fixed { self.base } else { self.base + at }
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.place(), message)
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Steps over a text, if it stands here.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let there = self.rest().starts_with(expected);
        if there {
            self.at += expected.len();
        }
        there
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<(), Fault> {
        if self.take(expected) {
            return Ok(());
        }
        let found = self.peek().map_or_else(|| "the end".to_owned(), |c| format!("`{c}`"));
        Err(self.fault(format!("expected `{expected}`, found {found}")))
    }

    pub(super) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Steps over one character and gives it.
    pub(super) fn one(&mut self) -> &'t str {
        let rest = self.rest();
        let end = self.peek().map_or(0, char::len_utf8);
        self.at += end;
        &rest[..end]
    }

    pub(super) fn blanks(&mut self) {
        self.take_while(|c| c == ' ' || c == '\t');
    }

    pub(super) fn whitespace(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// The name of a variable or property: Velocity has hyphens in names.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        self.peek().filter(|c| c.is_ascii_alphabetic() || *c == '_')?;
        Some(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'))
    }

    /// The rest of a line that a directive ends, if there is nothing but blanks on it: Velocity prints no empty line for it.
    pub(super) fn line_end(&mut self) {
        let start = self.at;
        self.blanks();
        if !(self.take("\r\n") || self.take("\n") || self.take("\r")) {
            self.at = start;
        }
    }
}
