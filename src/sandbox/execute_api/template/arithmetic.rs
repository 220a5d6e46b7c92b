//! Numbers: arithmetic, order and equality, as Velocity has them.

use std::cmp::Ordering;

use super::ast::Operator;
use super::value::Value;

/// The result of an arithmetic operator; nothing where Java would throw, as at a division by zero.
pub(super) fn calculate(operator: Operator, left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => whole(operator, *left, *right).map_or(Value::Null, Value::Int),
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            let (Some(left), Some(right)) = (double(left), double(right)) else { return Value::Null };
            Value::Double(match operator {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
                Operator::Divide => left / right,
                Operator::Remainder => left % right,
                _ => return Value::Null,
            })
        }
        _ => Value::Null,
    }
}

fn whole(operator: Operator, left: i64, right: i64) -> Option<i64> {
    match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
        _ => None,
    }
}

/// Whether two numbers stand in an order; other values stand in none.
pub(super) fn ordered(operator: Operator, left: &Value, right: &Value) -> bool {
    let Some(ordering) = compare(left, right) else { return false };
    match operator {
        Operator::Less => ordering.is_lt(),
        Operator::AtMost => ordering.is_le(),
        Operator::Greater => ordering.is_gt(),
        Operator::AtLeast => ordering.is_ge(),
        _ => false,
    }
}

/// Whether two values are equal, if that can be told without printing them.
pub(super) fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left == right),
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, Value::Text(text)) | (Value::Text(text), Value::Null) => Some(text.is_empty()),
        (Value::Null, _) | (_, Value::Null) => Some(false),
        (Value::List(left), Value::List(right)) | (Value::Map(left), Value::Map(right)) if left == right => Some(true),
        _ => compare(left, right).map(Ordering::is_eq),
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        _ => double(left)?.partial_cmp(&double(right)?),
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "Java widens so too")]
        Value::Int(value) => Some(*value as f64),
        Value::Double(value) => Some(*value),
        _ => None,
    }
}
