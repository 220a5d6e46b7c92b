//! Text to [`Node`]: JSON by `jsonc-parser`, TOML by `toml_edit`.
//!
//! JSON may have comments, because people who edit routes want to say why; nothing else is loosened, so that every
//! other JSON tool that skips comments reads the same. A key given twice is a fault: parsers differ in which one wins.

use std::ops::Range;
use std::sync::Arc;

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use toml_edit::{Document, InlineTable, Item, Table};

use super::fault::Faults;
use super::node::{Member, Node, NodeValue};
use super::source::{SourceFile, Span};

/// Parses a JSON file; a syntax error or an empty file becomes a fault and gives nothing.
pub fn parse_json(file: &Arc<SourceFile>, faults: &mut Faults) -> Option<Node> {
    let options = ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    match parse_to_ast(&file.text, &CollectOptions::default(), &options) {
        Ok(parsed) => {
            if let Some(value) = parsed.value {
                return from_json(file, value, faults);
            }
            let nothing = Span::new(file, file.text.len()..file.text.len());
            faults.error(&nothing, "the file holds no value", "write an object: `{ … }`");
            None
        }
        Err(error) => {
            let range = error.range();
            let span = Span::new(file, range.start..range.end);
            let opens = matches!(
                error.kind(),
                ParseErrorKind::UnterminatedObject
                    | ParseErrorKind::UnterminatedArray
                    | ParseErrorKind::UnterminatedCommentBlock
            );
            // An unterminated object spans the rest of the file; its brace is what to look at.
            let span = if opens { span.first() } else { span };
            faults.error(&span, syntax_message(&error), syntax_hint(error.kind()));
            None
        }
    }
}

fn syntax_message(error: &ParseError) -> String {
    let text = error.kind().to_string();
    let mut characters = text.chars();
    let lower = characters.next().map(|first| first.to_lowercase().collect::<String>()).unwrap_or_default();
    format!("not valid JSON: {lower}{}", characters.as_str())
}

fn syntax_hint(kind: &ParseErrorKind) -> &'static str {
    match kind {
        ParseErrorKind::TrailingCommasNotAllowed => "remove the last comma",
        ParseErrorKind::ExpectedComma => "put a comma between the two values",
        ParseErrorKind::SingleQuotedStringsNotAllowed => "JSON wants double quotes",
        ParseErrorKind::ExpectedStringObjectProperty => "put the key in double quotes",
        ParseErrorKind::UnterminatedObject => "this `{` has no `}`",
        ParseErrorKind::UnterminatedArray => "this `[` has no `]`",
        ParseErrorKind::MultipleRootJsonValues => "one file holds one value; is there a brace too many?",
        _ => "everything else in this file is checked once it parses",
    }
}

/// The tree of a value; nothing, with a fault, if a number in it has no meaning.
fn from_json(file: &Arc<SourceFile>, value: Value<'_>, faults: &mut Faults) -> Option<Node> {
    let range = value.range();
    let span = Span::new(file, range.start..range.end);
    let value = match value {
        Value::NullKeyword(_) => NodeValue::Null,
        Value::BooleanLit(literal) => NodeValue::Bool(literal.value),
        Value::StringLit(literal) => NodeValue::String(literal.value.into_owned()),
        Value::NumberLit(literal) => number(literal.value, &span, faults)?,
        Value::Array(list) => {
            let items = list.elements.into_iter().map(|item| from_json(file, item, faults));
            NodeValue::Array(items.collect::<Option<_>>()?)
        }
        Value::Object(object) => NodeValue::Object(from_properties(file, object.properties, faults)?),
    };
    Some(Node { span, value })
}

fn number(text: &str, span: &Span, faults: &mut Faults) -> Option<NodeValue> {
    // serde_json refuses what a double can't hold and what JSON does not allow, such as leading zeros.
    if let Ok(number) = text.parse::<serde_json::Number>() {
        return Some(NodeValue::Number(number));
    }
    faults.error(span, format!("`{text}` is not a number JSON can hold"), "write it in plain digits");
    None
}

fn from_properties(
    file: &Arc<SourceFile>,
    properties: Vec<ObjectProp<'_>>,
    faults: &mut Faults,
) -> Option<Vec<Member>> {
    let mut members: Vec<Member> = Vec::with_capacity(properties.len());
    for property in properties {
        let range = property.name.range();
        let key_span = Span::new(file, range.start..range.end);
        let key = property.name.into_string();
        let value = from_json(file, property.value, faults)?;
        if let Some(first) = members.iter().find(|member| member.key == key) {
            faults
                .error(&key_span, format!("`{key}` is given twice"), "keep one of the two")
                .relate(&first.key_span, "first given here");
            continue;
        }
        members.push(Member { key, key_span, value });
    }
    Some(members)
}

/// Parses a TOML file; a syntax error becomes a fault and gives nothing.
pub fn parse_toml(file: &Arc<SourceFile>, faults: &mut Faults) -> Option<Node> {
    match Document::parse(file.text.as_str()) {
        Ok(document) => {
            let span = Span::new(file, 0..file.text.len());
            Some(TomlReader { file }.node_of_table(span, document.as_table()))
        }
        Err(error) => {
            let span = Span::new(file, error.span().unwrap_or(0..0));
            let message = error.message().trim().replace('\n', ", ");
            faults.error(&span, format!("not valid TOML: {message}"), "see https://toml.io for the syntax");
            None
        }
    }
}

struct TomlReader<'a> {
    file: &'a Arc<SourceFile>,
}

impl TomlReader<'_> {
    fn node_of_table(&self, span: Span, table: &Table) -> Node {
        let members = table
            .iter()
            .map(|(key, item)| {
                let key_span = self.span_or(table.key(key).and_then(toml_edit::Key::span), &span);
                let value = self.item(&key_span, item);
                Member { key: key.to_owned(), key_span, value }
            })
            .collect();
        Node { span, value: NodeValue::Object(members) }
    }

    fn node_of_inline(&self, span: Span, table: &InlineTable) -> Node {
        let members = table
            .iter()
            .map(|(key, value)| {
                let key_span = self.span_or(table.key(key).and_then(toml_edit::Key::span), &span);
                let value = self.value(&key_span, value);
                Member { key: key.to_owned(), key_span, value }
            })
            .collect();
        Node { span, value: NodeValue::Object(members) }
    }

    fn item(&self, key: &Span, item: &Item) -> Node {
        match item {
            Item::None => Node { span: key.clone(), value: NodeValue::Null },
            Item::Value(value) => self.value(key, value),
            Item::Table(table) => self.node_of_table(self.span_or(table.span(), key), table),
            Item::ArrayOfTables(tables) => {
                let span = self.span_or(tables.span(), key);
                let items = tables.iter().map(|table| self.node_of_table(self.span_or(table.span(), key), table));
                Node { value: NodeValue::Array(items.collect()), span }
            }
        }
    }

    fn value(&self, key: &Span, value: &toml_edit::Value) -> Node {
        let span = self.span_or(value.span(), key);
        let value = match value {
            toml_edit::Value::String(text) => NodeValue::String(text.value().clone()),
            toml_edit::Value::Integer(number) => NodeValue::Number((*number.value()).into()),
            // No setting is infinite; as text it is reported as a value of the wrong type.
            toml_edit::Value::Float(number) => serde_json::Number::from_f64(*number.value())
                .map_or_else(|| NodeValue::String(number.value().to_string()), NodeValue::Number),
            toml_edit::Value::Boolean(flag) => NodeValue::Bool(*flag.value()),
            toml_edit::Value::Datetime(time) => NodeValue::String(time.value().to_string()),
            toml_edit::Value::Array(list) => {
                NodeValue::Array(list.iter().map(|item| self.value(&span, item)).collect())
            }
            toml_edit::Value::InlineTable(table) => return self.node_of_inline(span, table),
        };
        Node { span, value }
    }

    fn span_or(&self, range: Option<Range<usize>>, or: &Span) -> Span {
        range.map_or_else(|| or.clone(), |range| Span::new(self.file, range))
    }
}
