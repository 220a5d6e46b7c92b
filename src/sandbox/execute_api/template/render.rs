//! Rendering: the walk along a template.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::json::Json;
use super::super::variables::Variables;
use super::ast::{Access, At, Expression, Node, Reference};
use super::cursor::Fault;
use super::overrides::Overrides;
use super::value::{Heap, Value};
use super::{MAX_ITERATIONS, MAX_OUTPUT};

/// Steps of one rendering. Loops in loops would otherwise hold a worker for hours.
const MAX_STEPS: usize = 2_000_000;

/// Blocks of `#define` in one another; one that prints itself has no end.
const MAX_BLOCKS: usize = 32;

/// What comes after a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Break,
    Stop,
}

/// A loop that is running.
#[derive(Debug)]
struct Turn {
    index: usize,
    length: usize,
}

/// One rendering.
pub(super) struct Renderer<'r> {
    pub(super) variables: &'r dyn Variables,
    blocks: &'r [Vec<Node>],
    pub(super) heap: Heap,
    scope: HashMap<&'r str, Value>,
    turns: Vec<Turn>,
    open_blocks: usize,
    steps: usize,
    /// Bytes of all texts that were made.
    made: usize,
    pub(super) overrides: Overrides,
    pub(super) document: Option<Arc<Json>>,
    /// Where the walk is, for faults.
    pub(super) at: At,
}

impl<'r> Renderer<'r> {
    pub(super) fn new(variables: &'r dyn Variables, blocks: &'r [Vec<Node>]) -> Self {
        Self {
            variables,
            blocks,
            heap: Heap::default(),
            scope: HashMap::new(),
            turns: Vec::new(),
            open_blocks: 0,
            steps: 0,
            made: 0,
            overrides: Overrides::default(),
            document: None,
            at: 0,
        }
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.at, message)
    }

    /// Counts work against what one rendering may do.
    pub(super) fn work(&mut self, steps: usize) -> Result<(), Fault> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS { Err(self.fault("the template does too much work")) } else { Ok(()) }
    }

    /// A text as a value, counted against what one rendering may make.
    pub(super) fn text(&mut self, text: impl Into<Arc<str>>) -> Result<Value, Fault> {
        let text = text.into();
        self.made += text.len();
        if self.made > 4 * MAX_OUTPUT {
            return Err(self.fault("the template makes too much text"));
        }
        self.work(1 + text.len() / 64)?;
        Ok(Value::Text(text))
    }

    pub(super) fn nodes(&mut self, nodes: &'r [Node], out: &mut String) -> Result<Flow, Fault> {
        for node in nodes {
            self.work(1)?;
            let flow = self.node(node, out)?;
            if out.len() > MAX_OUTPUT {
                return Err(self.fault(format!("the output is larger than {MAX_OUTPUT} bytes")));
            }
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'r Node, out: &mut String) -> Result<Flow, Fault> {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Reference(reference) => self.insert(reference, out)?,
            Node::Set { target, value } => self.set(target, value)?,
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.expression(condition)?.is_true() {
                        return self.nodes(body, out);
                    }
                }
                return self.nodes(otherwise, out);
            }
            Node::Foreach { name, items, body, at } => {
                self.at = *at;
                return self.foreach(name, items, body, out);
            }
            Node::Define { name, block } => {
                self.scope.insert(name, Value::Block(*block));
            }
            Node::Break => return Ok(Flow::Break),
            Node::Stop => return Ok(Flow::Stop),
        }
        Ok(Flow::On)
    }

    /// Prints a reference.
    fn insert(&mut self, reference: &'r Reference, out: &mut String) -> Result<(), Fault> {
        let known = self.root(&reference.name).is_some();
        // Half of the backslashes are escaped themselves; an odd one escapes the reference.
        let slashes = if known { reference.backslashes / 2 } else { reference.backslashes };
        out.extend(std::iter::repeat_n('\\', slashes));
        if !known {
            if !reference.quiet || reference.backslashes > 0 {
                out.push_str(&reference.source);
            }
            return Ok(());
        }
        if !reference.backslashes.is_multiple_of(2) {
            out.push_str(&reference.source);
            return Ok(());
        }
        let value = self.reference(reference)?;
        self.at = reference.at;
        self.print(&value, out)
    }

    /// Prints a value; a block is rendered.
    fn print(&mut self, value: &Value, out: &mut String) -> Result<(), Fault> {
        if let Value::Block(block) = value {
            if self.open_blocks >= MAX_BLOCKS {
                return Err(self.fault("the block prints itself"));
            }
            let blocks = self.blocks;
            self.open_blocks += 1;
            self.nodes(blocks.get(*block).map_or(&[], Vec::as_slice), out)?;
            self.open_blocks -= 1;
            return Ok(());
        }
        let before = out.len();
        let printed = self.heap.print(out, value, MAX_OUTPUT);
        self.work(1 + (out.len() - before) / 16)?;
        printed.map_err(|_| self.fault("the value is too deep or too large to print"))
    }

    /// A value as text.
    pub(super) fn string(&mut self, value: &Value) -> Result<Arc<str>, Fault> {
        if let Value::Text(text) = value {
            return Ok(text.clone());
        }
        let mut text = String::new();
        self.print(value, &mut text)?;
        self.made += text.len();
        Ok(text.into())
    }

    /// A variable, if somebody set it or it is one of API Gateway's.
    fn root(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.scope.get(name) {
            return Some(value.clone());
        }
        match name {
            "input" => Some(Value::Input),
            "util" => Some(Value::Util),
            "context" => Some(Value::Context("".into())),
            "stageVariables" => Some(Value::StageVariables),
            "foreach" => self.turns.len().checked_sub(1).map(Value::Loop),
            "velocityCount" => self.turns.last().map(|turn| Value::count(turn.index + 1)),
            "velocityHasNext" => self.turns.last().map(|turn| Value::Bool(turn.index + 1 < turn.length)),
            _ => None,
        }
    }

    /// The value of a reference; nothing, if any step of it leads nowhere.
    pub(super) fn reference(&mut self, reference: &'r Reference) -> Result<Value, Fault> {
        let Some(root) = self.root(&reference.name) else { return Ok(Value::Null) };
        let value = self.walk(root, &reference.path, reference.at)?;
        Ok(self.settle(value))
    }

    fn walk(&mut self, mut value: Value, path: &'r [Access], at: At) -> Result<Value, Fault> {
        for access in path {
            self.work(1)?;
            value = match access {
                Access::Property(name) => self.property(&value, name)?,
                Access::Index(index) => {
                    let index = self.expression(index)?;
                    self.at = at;
                    self.index(&value, &index)?
                }
                Access::Method(name, arguments) => {
                    let mut values = Vec::with_capacity(arguments.len());
                    for argument in arguments {
                        values.push(self.expression(argument)?);
                    }
                    self.at = at;
                    self.call(&value, name, &values)?
                }
            };
        }
        Ok(value)
    }

    /// The variable that a name below `$context` means; the name itself is only good for going on.
    fn settle(&self, value: Value) -> Value {
        match value {
            Value::Context(name) if !name.is_empty() => self.context(&name),
            other => other,
        }
    }

    pub(super) fn context(&self, name: &str) -> Value {
        if let Some(set) = self.overrides.get(name) {
            return set.into();
        }
        self.variables.context(name).map_or(Value::Null, |text| (*text).into())
    }

    fn property(&mut self, value: &Value, name: &str) -> Result<Value, Fault> {
        Ok(match value {
            Value::Map(map) => {
                self.work(self.heap.entries(*map).len() / 16)?;
                self.heap.member(*map, name).cloned().unwrap_or(Value::Null)
            }
            Value::Context(path) if path.is_empty() => Value::Context(name.into()),
            Value::Context(path) => Value::Context(format!("{path}.{name}").into()),
            Value::StageVariables => self.variables.stage_variable(name).map_or(Value::Null, Value::from),
            Value::Input if name == "body" => return self.input_body(),
            Value::Loop(depth) => self.turn(*depth, name),
            _ => Value::Null,
        })
    }

    fn turn(&self, depth: usize, name: &str) -> Value {
        let Some(turn) = self.turns.get(depth) else { return Value::Null };
        match name {
            "index" => Value::count(turn.index),
            "count" => Value::count(turn.index + 1),
            "hasNext" => Value::Bool(turn.index + 1 < turn.length),
            "first" => Value::Bool(turn.index == 0),
            "last" => Value::Bool(turn.index + 1 == turn.length),
            "parent" => depth.checked_sub(1).map_or(Value::Null, Value::Loop),
            _ => Value::Null,
        }
    }

    pub(super) fn index(&mut self, value: &Value, index: &Value) -> Result<Value, Fault> {
        match (value, index) {
            (Value::List(list), Value::Int(index)) => {
                let items = self.heap.items(*list);
                let place = place(*index, items.len());
                Ok(place.and_then(|place| items.get(place)).cloned().unwrap_or(Value::Null))
            }
            (Value::List(_), _) => Ok(Value::Null),
            _ => {
                let name = self.string(index)?;
                self.property(value, &name)
            }
        }
    }

    fn set(&mut self, target: &'r Reference, value: &'r Expression) -> Result<(), Fault> {
        let value = self.expression(value)?;
        self.at = target.at;
        let Some((end, path)) = target.path.split_last() else {
            self.scope.insert(&target.name, value);
            return Ok(());
        };
        let Some(root) = self.root(&target.name) else { return Ok(()) };
        let holder = self.walk(root, path, target.at)?;
        let key = match end {
            Access::Property(name) => name.as_str().into(),
            Access::Index(index) => self.expression(index)?,
            // The parser lets no method stand here.
            Access::Method(..) => return Ok(()),
        };
        self.at = target.at;
        match (holder, key) {
            (Value::Map(map), key) => {
                let key = self.string(&key)?;
                self.work(self.heap.entries(map).len() / 16)?;
                self.heap.put(map, key, value);
            }
            (Value::List(list), Value::Int(index)) => {
                let items = self.heap.items_mut(list);
                let slot = items.and_then(|items| place(index, items.len()).and_then(|place| items.get_mut(place)));
                if let Some(slot) = slot {
                    *slot = value;
                }
            }
            (Value::Context(path), key) => {
                let key = self.string(&key)?;
                self.set_override(&path, &key, &value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn set_override(&mut self, path: &str, key: &str, value: &Value) -> Result<(), Fault> {
        let values = match value {
            Value::List(list) => self.heap.items(*list).to_vec(),
            other => vec![other.clone()],
        };
        let mut texts = Vec::with_capacity(values.len());
        for value in &values {
            texts.push(self.string(value)?.to_string());
        }
        self.overrides.set(path, key, texts).map_err(|message| self.fault(message))
    }

    fn foreach(
        &mut self,
        name: &'r str,
        items: &'r Expression,
        body: &'r [Node],
        out: &mut String,
    ) -> Result<Flow, Fault> {
        let items: Vec<Value> = match self.expression(items)? {
            Value::List(list) => self.heap.items(list).to_vec(),
            Value::Map(map) => self.heap.entries(map).iter().map(|(_, value)| value.clone()).collect(),
            _ => return Ok(Flow::On),
        };
        self.work(items.len())?;
        let outer = self.scope.remove(name);
        self.turns.push(Turn { index: 0, length: items.len() });
        let mut flow = Flow::On;
        for (index, item) in items.into_iter().take(MAX_ITERATIONS).enumerate() {
            if let Some(turn) = self.turns.last_mut() {
                turn.index = index;
            }
            self.scope.insert(name, item);
            flow = self.nodes(body, out)?;
            if flow != Flow::On {
                break;
            }
        }
        self.turns.pop();
        self.scope.remove(name);
        if let Some(outer) = outer {
            self.scope.insert(name, outer);
        }
        Ok(if flow == Flow::Stop { Flow::Stop } else { Flow::On })
    }
}

/// A place in a list; negative ones count from its end.
pub(super) fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}
