//! Values while a template is rendered.
//!
//! Lists and maps are shared, as in Java: after `#set($a = $b)` both names mean the same list. They live in one heap that
//! goes when rendering ends, so a list that holds itself neither leaks nor is dropped recursively.

use std::fmt::Write;
use std::sync::Arc;

use super::super::json::{self, Json};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing: JSON's `null`, a member or parameter that is not there, a method that does not exist.
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Arc<str>),
    List(usize),
    Map(usize),
    /// What `#define` defined, by its number; it is rendered where it is printed.
    Block(usize),
    Input,
    Util,
    StageVariables,
    /// `$context`, and what is below it, by its name.
    Context(Arc<str>),
    /// `$foreach`, by the depth of its loop.
    Loop(usize),
}

/// A list or a map.
#[derive(Debug)]
pub(super) enum Cell {
    List {
        items: Vec<Value>,
        /// Whether it comes from JSON: then it prints as JSON.
        json: bool,
    },
    Map {
        entries: Vec<(Arc<str>, Value)>,
    },
}

/// All lists and maps of one rendering.
#[derive(Debug, Default)]
pub(super) struct Heap {
    cells: Vec<Cell>,
}

/// How deep a printed value may be: a list that holds itself has no end.
const MAX_DEPTH: usize = 128;

/// A value could not be printed: it is too deep, or its text too long.
#[derive(Debug)]
pub(super) struct Unprintable;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl Value {
    /// A length or a place.
    pub(super) fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Whether `#if` takes it for true: everything but `false` and nothing. An empty string is true (Velocity 1.7).
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }
}

impl Heap {
    pub(super) fn list(&mut self, items: Vec<Value>, json: bool) -> Value {
        self.cells.push(Cell::List { items, json });
        Value::List(self.cells.len() - 1)
    }

    pub(super) fn map(&mut self, entries: Vec<(Arc<str>, Value)>) -> Value {
        self.cells.push(Cell::Map { entries });
        Value::Map(self.cells.len() - 1)
    }

    pub(super) fn items(&self, list: usize) -> &[Value] {
        match self.cells.get(list) {
            Some(Cell::List { items, .. }) => items,
            _ => &[],
        }
    }

    pub(super) fn items_mut(&mut self, list: usize) -> Option<&mut Vec<Value>> {
        match self.cells.get_mut(list) {
            Some(Cell::List { items, .. }) => Some(items),
            _ => None,
        }
    }

    pub(super) fn entries(&self, map: usize) -> &[(Arc<str>, Value)] {
        match self.cells.get(map) {
            Some(Cell::Map { entries }) => entries,
            _ => &[],
        }
    }

    pub(super) fn entries_mut(&mut self, map: usize) -> Option<&mut Vec<(Arc<str>, Value)>> {
        match self.cells.get_mut(map) {
            Some(Cell::Map { entries }) => Some(entries),
            _ => None,
        }
    }

    pub(super) fn member(&self, map: usize, name: &str) -> Option<&Value> {
        self.entries(map).iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// Puts a member and gives the one that was there.
    pub(super) fn put(&mut self, map: usize, name: Arc<str>, value: Value) -> Value {
        let Some(entries) = self.entries_mut(map) else { return Value::Null };
        if let Some((_, old)) = entries.iter_mut().find(|(key, _)| *key == name) {
            return std::mem::replace(old, value);
        }
        entries.push((name, value));
        Value::Null
    }

    /// A JSON value with all that is in it. Depth is bounded by that of parsed JSON.
    pub(super) fn import(&mut self, json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Value::Int(whole),
                (None, Some(double)) => Value::Double(double),
                (None, None) => Value::Null,
            },
            Json::Text(text) => text.as_str().into(),
            Json::Array(items) => {
                let items = items.iter().map(|item| self.import(item)).collect();
                self.list(items, true)
            }
            Json::Object(members) => {
                let entries =
                    members.iter().map(|(name, value)| (Arc::from(name.as_str()), self.import(value))).collect();
                self.map(entries)
            }
        }
    }

    /// Prints a value as Java does: a map as `{a=1, b=x}`, a list as `[1, x]`; but a list that comes from JSON as JSON, as
    /// API Gateway does (seen by the tests of an emulator that are run against it). `limit` is in bytes.
    pub(super) fn print(&self, out: &mut String, value: &Value, limit: usize) -> Result<(), Unprintable> {
        self.write(out, value, limit, false, 0)
    }

    fn write(
        &self,
        out: &mut String,
        value: &Value,
        limit: usize,
        json: bool,
        depth: usize,
    ) -> Result<(), Unprintable> {
        if depth > MAX_DEPTH || out.len() > limit {
            return Err(Unprintable);
        }
        match value {
            Value::Null if json => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => write!(out, "{value}").map_err(|_| Unprintable)?,
            Value::Double(value) => out.push_str(&java_double(*value)),
            Value::Text(text) if json => json::quote(out, text).map_err(|_| Unprintable)?,
            Value::Text(text) => out.push_str(text),
            Value::List(list) => {
                let json = json || matches!(self.cells.get(*list), Some(Cell::List { json: true, .. }));
                out.push('[');
                for (index, item) in self.items(*list).iter().enumerate() {
                    if index > 0 {
                        out.push_str(if json { "," } else { ", " });
                    }
                    self.write_item(out, item, limit, json, depth)?;
                }
                out.push(']');
            }
            Value::Map(map) => {
                out.push('{');
                for (index, (name, item)) in self.entries(*map).iter().enumerate() {
                    if index > 0 {
                        out.push_str(if json { "," } else { ", " });
                    }
                    if json {
                        json::quote(out, name).map_err(|_| Unprintable)?;
                    } else {
                        out.push_str(name);
                    }
                    out.push(if json { ':' } else { '=' });
                    self.write_item(out, item, limit, json, depth)?;
                }
                out.push('}');
            }
            _ => {}
        }
        if out.len() > limit { Err(Unprintable) } else { Ok(()) }
    }

    fn write_item(
        &self,
        out: &mut String,
        item: &Value,
        limit: usize,
        json: bool,
        depth: usize,
    ) -> Result<(), Unprintable> {
        if matches!(item, Value::Null) {
            out.push_str("null");
            return Ok(());
        }
        self.write(out, item, limit, json, depth + 1)
    }
}

/// A double as Java's `Double.toString` writes it: `1.0`, `0.5`, `1.0E10`.
fn java_double(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) || !value.is_finite() {
        return if value.is_infinite() {
            if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
        } else {
            format!("{value:?}")
        };
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (value, text) in
            [(1.0, "1.0"), (0.5, "0.5"), (-0.25, "-0.25"), (1e10, "1.0E10"), (1.5e-5, "1.5E-5"), (0.0, "0.0")]
        {
            assert_eq!(java_double(value), text);
        }
        assert_eq!(java_double(f64::NAN), "NaN");
        assert_eq!(java_double(f64::INFINITY), "Infinity");
    }

    #[test]
    fn a_list_that_holds_itself_is_not_printed() {
        let mut heap = Heap::default();
        let list = heap.list(Vec::new(), false);
        heap.items_mut(0).expect("a list").push(list.clone());
        assert!(heap.print(&mut String::new(), &list, 1000).is_err());
    }

    #[test]
    fn maps_print_as_in_java_and_lists_of_json_as_json() {
        let mut heap = Heap::default();
        let json = Json::parse(br#"{"a":1,"b":[{"c":5,"d":null}],"e":{"f":"x"},"g":null}"#).expect("JSON");
        let value = heap.import(&json);
        let mut out = String::new();
        heap.print(&mut out, &value, 1000).expect("printed");
        assert_eq!(out, r#"{a=1, b=[{"c":5,"d":null}], e={f=x}, g=null}"#);
    }
}
