//! Mapping templates: Velocity as API Gateway uses it.
//!
//! A [`Template`] is parsed once, when its stage is deployed, and rendered for each request that it maps. It has the
//! references, directives and literals of Velocity 1.7, the variables of API Gateway's mapping template reference, and the
//! methods of Java that its users call. Work is bounded: loops, output, nesting, and what all of it makes together.
//!
//! What is not there:
//!
//! - A variable that nobody set is printed as it is written, `$name`; `$!name` prints nothing. But what is missing below a
//!   variable that is there (`$input.path('$.missing')`, `$context.identity.user`, `$map.none`) prints nothing either way:
//!   so API Gateway was seen to do. It is false in `#if`, and it equals `""`.
//! - `#if` takes everything else for true, an empty string too (Velocity 1.7).
//! - A loop ends without a word after 1,000 turns. That is the documented quota; what happens beyond is not documented,
//!   but Velocity's own limit works so.
//! - `#macro`, `#parse`, `#include` and `#evaluate` are refused when a template is parsed.
//!
//! Patterns (`replaceAll`, `matches`, `split`) are those of the regex crate: Java's without look-around and
//! back-references.

mod arithmetic;
mod ast;
mod cursor;
mod evaluate;
mod functions;
mod methods;
mod overrides;
mod parse;
mod parse_expression;
mod render;
mod strings;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

pub use self::overrides::Overrides;

use self::ast::Node;
use self::cursor::Cursor;
use self::render::Renderer;
use super::variables::Variables;

/// Turns of one `#foreach` (the quotas of the developer guide, "`#foreach` … `#end` loop in mapping templates").
const MAX_ITERATIONS: usize = 1_000;

/// Bytes of a rendered body: API Gateway's limit for a payload. Without it a template could fill the memory.
const MAX_OUTPUT: usize = 10 * 1024 * 1024;

/// A mapping template, parsed.
#[derive(Debug)]
pub struct Template {
    source: String,
    nodes: Vec<Node>,
    blocks: Vec<Vec<Node>>,
}

/// What a template gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub body: String,
    /// What it set below `$context.requestOverride` and `$context.responseOverride`.
    pub overrides: Overrides,
}

/// What is wrong with a template, or with what it was rendered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The line in the template, from 1.
    pub line: usize,
    /// The column in the line, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// Whether the body is at fault: API Gateway answers 400 then, and 500 to a fault of the template.
    pub of_body: bool,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut cursor = Cursor::new(text);
        let nodes = parse::all(&mut cursor).map_err(|fault| fault.in_template(text))?;
        Ok(Self { source: text.to_owned(), nodes, blocks: cursor.blocks })
    }

    /// Renders the template with the values of a request, or of a backend's answer.
    pub fn render(&self, variables: &dyn Variables) -> Result<Rendered, TemplateError> {
        let mut body = String::with_capacity(self.source.len());
        let mut renderer = Renderer::new(variables, &self.blocks);
        renderer.nodes(&self.nodes, &mut body).map_err(|fault| fault.in_template(&self.source))?;
        Ok(Rendered { body, overrides: renderer.overrides })
    }
}
