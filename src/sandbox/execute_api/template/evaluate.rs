//! The values of expressions.

use super::arithmetic::{calculate, equal, ordered};
use super::ast::{Expression, Operator};
use super::cursor::Fault;
use super::render::Renderer;
use super::value::Value;

/// Elements of a range. `[0..2000000000]` would otherwise fill the memory.
const MAX_RANGE: u64 = 100_000;

impl<'r> Renderer<'r> {
    pub(super) fn expression(&mut self, expression: &'r Expression) -> Result<Value, Fault> {
        self.work(1)?;
        Ok(match expression {
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Interpolated(nodes) => {
                let mut text = String::new();
                self.nodes(nodes, &mut text)?;
                return self.text(text);
            }
            Expression::Int(value) => Value::Int(*value),
            Expression::Double(value) => Value::Double(*value),
            Expression::Bool(value) => Value::Bool(*value),
            Expression::List(items) => {
                let items = items.iter().map(|item| self.expression(item)).collect::<Result<_, _>>()?;
                self.heap.list(items, false)
            }
            Expression::Range(ends) => return self.range(&ends.0, &ends.1),
            Expression::Map(entries) => {
                let map = self.heap.map(Vec::new());
                for (key, value) in entries {
                    let key = self.expression(key)?;
                    let key = self.string(&key)?;
                    let value = self.expression(value)?;
                    if let Value::Map(map) = map {
                        self.heap.put(map, key, value);
                    }
                }
                map
            }
            Expression::Reference(reference) => return self.reference(reference),
            Expression::Not(inner) => Value::Bool(!self.expression(inner)?.is_true()),
            Expression::Negated(inner) => match self.expression(inner)? {
                Value::Int(value) => value.checked_neg().map_or(Value::Null, Value::Int),
                Value::Double(value) => Value::Double(-value),
                _ => Value::Null,
            },
            Expression::Binary(operator, sides) => return self.binary(*operator, &sides.0, &sides.1),
        })
    }

    fn range(&mut self, first: &'r Expression, last: &'r Expression) -> Result<Value, Fault> {
        let (Value::Int(first), Value::Int(last)) = (self.expression(first)?, self.expression(last)?) else {
            return Ok(Value::Null);
        };
        if first.abs_diff(last) >= MAX_RANGE {
            return Err(self.fault("the range is too long"));
        }
        let items: Vec<Value> = if first <= last {
            (first..=last).map(Value::Int).collect()
        } else {
            (last..=first).rev().map(Value::Int).collect()
        };
        self.work(items.len())?;
        Ok(self.heap.list(items, false))
    }

    fn binary(&mut self, operator: Operator, left: &'r Expression, right: &'r Expression) -> Result<Value, Fault> {
        let left = self.expression(left)?;
        match operator {
            Operator::Or if left.is_true() => return Ok(Value::Bool(true)),
            Operator::And if !left.is_true() => return Ok(Value::Bool(false)),
            _ => {}
        }
        let right = self.expression(right)?;
        Ok(match operator {
            Operator::Or | Operator::And => Value::Bool(right.is_true()),
            Operator::Equal => Value::Bool(self.equal(&left, &right)?),
            Operator::Unequal => Value::Bool(!self.equal(&left, &right)?),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                Value::Bool(ordered(operator, &left, &right))
            }
            Operator::Add if is_text(&left) || is_text(&right) => {
                let (left, right) = (self.string(&left)?, self.string(&right)?);
                return self.text(format!("{left}{right}"));
            }
            _ => calculate(operator, &left, &right),
        })
    }

    /// Equality as Velocity 1.7 has it: numbers by value, everything else by what it prints. Nothing equals an empty text:
    /// the templates of API Gateway's users ask `== ""` for what is not there.
    pub(super) fn equal(&mut self, left: &Value, right: &Value) -> Result<bool, Fault> {
        if let Some(told) = equal(left, right) {
            return Ok(told);
        }
        Ok(self.string(left)? == self.string(right)?)
    }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(_))
}
