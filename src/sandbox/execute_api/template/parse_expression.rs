//! Expressions: what stands in directives, in brackets and between a method's parentheses.

use super::ast::{Expression, Operator};
use super::cursor::{Cursor, Fault};
use super::parse;

/// Operands in one chain of operators. Each makes the tree one deeper, and evaluation goes down the tree.
const MAX_CHAIN: usize = 100;

/// An expression; whitespace before it is stepped over.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    let mut operators = 0;
    cursor.deeper(|cursor| binary(cursor, 1, &mut operators))
}

/// Expressions parted by commas, up to a closing sign, which is stepped over.
pub(super) fn list(cursor: &mut Cursor<'_>, close: &str) -> Result<Vec<Expression>, Fault> {
    let mut items = Vec::new();
    cursor.whitespace();
    if cursor.take(close) {
        return Ok(items);
    }
    loop {
        items.push(expression(cursor)?);
        cursor.whitespace();
        if cursor.take(close) {
            return Ok(items);
        }
        cursor.expect(",")?;
    }
}

/// An expression of operators that bind at least as strongly as `weakest`.
fn binary(cursor: &mut Cursor<'_>, weakest: u8, operators: &mut usize) -> Result<Expression, Fault> {
    let mut left = unary(cursor)?;
    loop {
        cursor.whitespace();
        let start = cursor.at;
        let Some(operator) = operator(cursor) else { return Ok(left) };
        if operator.strength() < weakest {
            cursor.at = start;
            return Ok(left);
        }
        *operators += 1;
        if *operators > MAX_CHAIN {
            return Err(cursor.fault("too many operators in one expression"));
        }
        let right = binary(cursor, operator.strength() + 1, operators)?;
        left = Expression::Binary(operator, Box::new((left, right)));
    }
}

fn operator(cursor: &mut Cursor<'_>) -> Option<Operator> {
    const SIGNS: [(&str, Operator); 13] = [
        ("||", Operator::Or),
        ("&&", Operator::And),
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("+", Operator::Add),
        ("-", Operator::Subtract),
        ("*", Operator::Multiply),
        ("/", Operator::Divide),
        ("%", Operator::Remainder),
    ];
    const WORDS: [(&str, Operator); 8] = [
        ("or", Operator::Or),
        ("and", Operator::And),
        ("eq", Operator::Equal),
        ("ne", Operator::Unequal),
        ("le", Operator::AtMost),
        ("ge", Operator::AtLeast),
        ("lt", Operator::Less),
        ("gt", Operator::Greater),
    ];
    if let Some((_, operator)) = SIGNS.into_iter().find(|(sign, _)| cursor.take(sign)) {
        return Some(operator);
    }
    let start = cursor.at;
    let word = cursor.name();
    let found = WORDS.into_iter().find(|(name, _)| word == Some(name)).map(|(_, operator)| operator);
    if found.is_none() {
        cursor.at = start;
    }
    found
}

fn unary(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    cursor.whitespace();
    if cursor.take("!") {
        return Ok(Expression::Not(Box::new(cursor.deeper(unary)?)));
    }
    let start = cursor.at;
    if cursor.name() == Some("not") {
        return Ok(Expression::Not(Box::new(cursor.deeper(unary)?)));
    }
    cursor.at = start;
    if cursor.take("-") {
        return Ok(Expression::Negated(Box::new(cursor.deeper(unary)?)));
    }
    primary(cursor)
}

fn primary(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    match cursor.peek() {
        Some('$') => match parse::reference(cursor, 0)? {
            Some(reference) => Ok(Expression::Reference(Box::new(reference))),
            None => Err(cursor.fault("expected the name of a variable")),
        },
        Some('\'') => Ok(Expression::Text(quoted(cursor, '\'')?.0.into())),
        Some('"') => interpolated(cursor),
        Some('0'..='9') => number(cursor),
        Some('(') => {
            cursor.take("(");
            let inner = expression(cursor)?;
            cursor.whitespace();
            cursor.expect(")")?;
            Ok(inner)
        }
        Some('[') => brackets(cursor),
        Some('{') => map(cursor),
        _ => match cursor.name() {
            Some("true") => Ok(Expression::Bool(true)),
            Some("false") => Ok(Expression::Bool(false)),
            Some(word) => Err(cursor.fault(format!("`{word}` is no value"))),
            None => Err(cursor.fault("expected a value")),
        },
    }
}

/// The inside of a string, and whether quotes in it were doubled, which is how Velocity escapes them. A backslash is just
/// a backslash.
fn quoted(cursor: &mut Cursor<'_>, quote: char) -> Result<(String, bool), Fault> {
    let start = cursor.place();
    cursor.one();
    let mut text = String::new();
    let mut doubled = false;
    loop {
        text.push_str(cursor.take_while(|c| c != quote));
        if cursor.one().is_empty() {
            return Err(Fault::new(start, "the string does not end"));
        }
        if cursor.peek() != Some(quote) {
            return Ok((text, doubled));
        }
        doubled = true;
        text.push(quote);
        cursor.one();
    }
}

fn interpolated(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    let base = cursor.at + 1;
    let (text, doubled) = quoted(cursor, '"')?;
    if !text.contains(['$', '#']) {
        return Ok(Expression::Text(text.into()));
    }
    cursor.within(&text, base, doubled, parse::all).map(Expression::Interpolated)
}

fn number(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    let start = cursor.at;
    cursor.take_while(|c| c.is_ascii_digit());
    let rest = cursor.rest();
    // Two full stops are a range.
    let fraction = rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    if fraction {
        cursor.take(".");
        cursor.take_while(|c| c.is_ascii_digit());
    }
    let text = &cursor.text[start..cursor.at];
    let parsed =
        if fraction { text.parse().ok().map(Expression::Double) } else { text.parse().ok().map(Expression::Int) };
    parsed.ok_or_else(|| cursor.fault("the number is too large"))
}

/// A list or a range.
fn brackets(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    cursor.take("[");
    cursor.whitespace();
    if cursor.take("]") {
        return Ok(Expression::List(Vec::new()));
    }
    let first = expression(cursor)?;
    cursor.whitespace();
    if cursor.take("..") {
        let last = expression(cursor)?;
        cursor.whitespace();
        cursor.expect("]")?;
        return Ok(Expression::Range(Box::new((first, last))));
    }
    if cursor.take("]") {
        return Ok(Expression::List(vec![first]));
    }
    cursor.expect(",")?;
    let mut items = vec![first];
    items.extend(list(cursor, "]")?);
    Ok(Expression::List(items))
}

fn map(cursor: &mut Cursor<'_>) -> Result<Expression, Fault> {
    cursor.take("{");
    let mut entries = Vec::new();
    cursor.whitespace();
    if cursor.take("}") {
        return Ok(Expression::Map(entries));
    }
    loop {
        let key = expression(cursor)?;
        cursor.whitespace();
        cursor.expect(":")?;
        let value = expression(cursor)?;
        entries.push((key, value));
        cursor.whitespace();
        if cursor.take("}") {
            return Ok(Expression::Map(entries));
        }
        cursor.expect(",")?;
    }
}
