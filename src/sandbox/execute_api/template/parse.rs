//! Text, references and directives.

use super::ast::{Access, Node, Reference};
use super::cursor::{Cursor, Fault};

/// How a list of nodes ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Text,
    End,
    Else,
    ElseIf,
}

/// A whole template, or the whole inside of a string.
pub(super) fn all(cursor: &mut Cursor<'_>) -> Result<Vec<Node>, Fault> {
    let (nodes, ending) = nodes(cursor)?;
    match ending {
        Ending::Text => Ok(nodes),
        Ending::End => Err(cursor.fault("`#end` without a directive to end")),
        Ending::Else | Ending::ElseIf => Err(cursor.fault("`#else` without `#if`")),
    }
}

/// Nodes up to the end of the text, or up to a directive that ends them.
fn nodes(cursor: &mut Cursor<'_>) -> Result<(Vec<Node>, Ending), Fault> {
    let mut nodes = Vec::new();
    let mut text = String::new();
    loop {
        text.push_str(cursor.take_while(|c| !matches!(c, '$' | '#' | '\\')));
        let Some(sign) = cursor.peek() else {
            flush(&mut nodes, &mut text);
            return Ok((nodes, Ending::Text));
        };
        match sign {
            '\\' => escaped(cursor, &mut nodes, &mut text)?,
            '$' => match reference(cursor, 0)? {
                Some(reference) => {
                    flush(&mut nodes, &mut text);
                    nodes.push(Node::Reference(reference));
                }
                None => text.push_str(cursor.one()),
            },
            _ => match directive(cursor, &mut text)? {
                Found::Nothing => text.push_str(cursor.one()),
                Found::Text(literal) => text.push_str(&literal),
                Found::Ending(ending) => {
                    flush(&mut nodes, &mut text);
                    return Ok((nodes, ending));
                }
                Found::Node(node) => {
                    flush(&mut nodes, &mut text);
                    nodes.push(node);
                }
            },
        }
    }
}

fn flush(nodes: &mut Vec<Node>, text: &mut String) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}

/// Backslashes: before a reference or a directive they escape it, elsewhere they are text.
fn escaped(cursor: &mut Cursor<'_>, nodes: &mut Vec<Node>, text: &mut String) -> Result<(), Fault> {
    let slashes = cursor.take_while(|c| c == '\\');
    if cursor.peek() == Some('$') {
        if let Some(reference) = reference(cursor, slashes.len())? {
            flush(nodes, text);
            nodes.push(Node::Reference(reference));
            return Ok(());
        }
    } else if cursor.peek() == Some('#') {
        let start = cursor.at;
        cursor.take("#");
        if word(cursor).is_some_and(|word| KNOWN.contains(&word)) {
            text.push_str(&slashes[..slashes.len() / 2]);
            // An even number of backslashes escapes itself, not the directive.
            if slashes.len().is_multiple_of(2) {
                cursor.at = start;
            } else {
                text.push_str(&cursor.text[start..cursor.at]);
            }
            return Ok(());
        }
        cursor.at = start;
    }
    text.push_str(slashes);
    Ok(())
}

/// The reference that begins here. Nothing, and no step taken, if the `$` is text.
pub(super) fn reference(cursor: &mut Cursor<'_>, backslashes: usize) -> Result<Option<Reference>, Fault> {
    let (start, at) = (cursor.at, cursor.place());
    cursor.take("$");
    let quiet = cursor.take("!");
    let formal = cursor.take("{");
    let Some(name) = cursor.name() else {
        cursor.at = start;
        return Ok(None);
    };
    let mut path = Vec::new();
    while let Some(access) = access(cursor, formal)? {
        path.push(access);
    }
    if formal {
        cursor.expect("}")?;
    }
    let source = cursor.text[start..cursor.at].to_owned();
    Ok(Some(Reference { name: name.to_owned(), path, quiet, source, backslashes, at }))
}

/// The next step of a reference, if there is one.
fn access(cursor: &mut Cursor<'_>, formal: bool) -> Result<Option<Access>, Fault> {
    let start = cursor.at;
    if cursor.take(".") {
        let Some(name) = cursor.name() else {
            // A full stop that ends a sentence.
            cursor.at = start;
            return Ok(None);
        };
        if !cursor.take("(") {
            return Ok(Some(Access::Property(name.to_owned())));
        }
        let arguments = cursor.deeper(|cursor| super::parse_expression::list(cursor, ")"))?;
        return Ok(Some(Access::Method(name.to_owned(), arguments)));
    }
    if cursor.take("[") {
        let index = cursor.deeper(|cursor| {
            let index = super::parse_expression::expression(cursor)?;
            cursor.whitespace();
            cursor.expect("]")?;
            Ok(index)
        });
        return match index {
            Ok(index) => Ok(Some(Access::Index(index))),
            Err(fault) if formal => Err(fault),
            // A bracket that is text, as in `$name[draft]`.
            Err(_) => {
                cursor.at = start;
                Ok(None)
            }
        };
    }
    Ok(None)
}

/// What a `#` turned out to be.
enum Found {
    Nothing,
    Text(String),
    Node(Node),
    Ending(Ending),
}

const KNOWN: [&str; 9] = ["set", "if", "elseif", "else", "end", "foreach", "break", "stop", "define"];

/// Directives of Velocity that are not here. Refused, because their absence would change what a template prints.
const REFUSED: [&str; 4] = ["macro", "parse", "include", "evaluate"];

fn word<'t>(cursor: &mut Cursor<'t>) -> Option<&'t str> {
    let start = cursor.at;
    let braced = cursor.take("{");
    let word = cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
    if word.is_empty() || (braced && !cursor.take("}")) {
        cursor.at = start;
        return None;
    }
    Some(word)
}

/// The directive or comment that begins here. No step is taken for [`Found::Nothing`].
fn directive(cursor: &mut Cursor<'_>, before: &mut String) -> Result<Found, Fault> {
    let start = cursor.at;
    cursor.take("#");
    if cursor.take("#") {
        cursor.take_while(|c| c != '\n' && c != '\r');
        cursor.line_end();
        return Ok(Found::Text(String::new()));
    }
    if cursor.take("*") {
        return through(cursor, "*#").map(|_| Found::Text(String::new()));
    }
    if cursor.take("[[") {
        return through(cursor, "]]#").map(|literal| Found::Text(literal.to_owned()));
    }
    match word(cursor) {
        Some("set") => {
            before.truncate(before.trim_end_matches([' ', '\t']).len());
            set(cursor).map(Found::Node)
        }
        Some("if") => conditional(cursor).map(Found::Node),
        Some("foreach") => foreach(cursor).map(Found::Node),
        Some("define") => define(cursor).map(Found::Node),
        Some("break") => Ok(Found::Node(Node::Break)),
        Some("stop") => Ok(Found::Node(Node::Stop)),
        Some("elseif") => Ok(Found::Ending(Ending::ElseIf)),
        Some("else") => {
            cursor.line_end();
            Ok(Found::Ending(Ending::Else))
        }
        Some("end") => {
            cursor.line_end();
            Ok(Found::Ending(Ending::End))
        }
        Some(word) if REFUSED.contains(&word) => {
            cursor.at = start;
            Err(cursor.fault(format!("the sandbox does not have `#{word}`")))
        }
        _ => {
            cursor.at = start;
            Ok(Found::Nothing)
        }
    }
}

/// The text up to a mark, which is stepped over.
fn through<'t>(cursor: &mut Cursor<'t>, mark: &str) -> Result<&'t str, Fault> {
    let rest = cursor.rest();
    let end = rest.find(mark).ok_or_else(|| cursor.fault(format!("`{mark}` is missing")))?;
    cursor.at += end + mark.len();
    Ok(&rest[..end])
}

fn open(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    cursor.blanks();
    cursor.expect("(")?;
    cursor.whitespace();
    Ok(())
}

fn close(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    cursor.whitespace();
    cursor.expect(")")?;
    cursor.line_end();
    Ok(())
}

fn variable(cursor: &mut Cursor<'_>) -> Result<Reference, Fault> {
    let reference = if cursor.peek() == Some('$') { reference(cursor, 0)? } else { None };
    reference.ok_or_else(|| cursor.fault("expected a variable"))
}

fn set(cursor: &mut Cursor<'_>) -> Result<Node, Fault> {
    open(cursor)?;
    let target = variable(cursor)?;
    if matches!(target.path.last(), Some(Access::Method(..))) {
        return Err(cursor.fault("what a method gives can't be set"));
    }
    cursor.whitespace();
    cursor.expect("=")?;
    let value = super::parse_expression::expression(cursor)?;
    close(cursor)?;
    Ok(Node::Set { target, value })
}

fn conditional(cursor: &mut Cursor<'_>) -> Result<Node, Fault> {
    let start = cursor.place();
    let mut branches = Vec::new();
    let mut otherwise = Vec::new();
    let mut ending = Ending::ElseIf;
    while ending == Ending::ElseIf {
        open(cursor)?;
        let condition = super::parse_expression::expression(cursor)?;
        close(cursor)?;
        let body;
        (body, ending) = cursor.deeper(nodes)?;
        branches.push((condition, body));
    }
    if ending == Ending::Else {
        (otherwise, ending) = cursor.deeper(nodes)?;
    }
    match ending {
        Ending::End => Ok(Node::If { branches, otherwise }),
        Ending::Text => Err(Fault::new(start, "`#if` without `#end`")),
        _ => Err(cursor.fault("`#else` is the last branch of an `#if`")),
    }
}

fn foreach(cursor: &mut Cursor<'_>) -> Result<Node, Fault> {
    let at = cursor.place();
    open(cursor)?;
    let item = variable(cursor)?;
    cursor.whitespace();
    if cursor.name() != Some("in") {
        return Err(cursor.fault("expected `in`"));
    }
    let items = super::parse_expression::expression(cursor)?;
    close(cursor)?;
    let body = block(cursor, at, "foreach")?;
    Ok(Node::Foreach { name: item.name, items, body, at })
}

fn define(cursor: &mut Cursor<'_>) -> Result<Node, Fault> {
    let at = cursor.place();
    open(cursor)?;
    let name = variable(cursor)?.name;
    close(cursor)?;
    let body = block(cursor, at, "define")?;
    cursor.blocks.push(body);
    Ok(Node::Define { name, block: cursor.blocks.len() - 1 })
}

fn block(cursor: &mut Cursor<'_>, start: usize, directive: &str) -> Result<Vec<Node>, Fault> {
    match cursor.deeper(nodes)? {
        (body, Ending::End) => Ok(body),
        (_, Ending::Text) => Err(Fault::new(start, format!("`#{directive}` without `#end`"))),
        _ => Err(cursor.fault("`#else` without `#if`")),
    }
}
