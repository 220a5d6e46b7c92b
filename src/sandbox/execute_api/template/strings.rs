//! The methods of Java's `String`.

use regex::{Regex, RegexBuilder};

use super::cursor::Fault;
use super::render::Renderer;
use super::value::Value;

/// Bytes of a compiled pattern. A pattern may come from the request.
const MAX_PATTERN: usize = 256 * 1024;

/// What compiling a pattern counts as, in steps.
const PATTERN_WORK: usize = 5_000;

impl Renderer<'_> {
    pub(super) fn call_text(&mut self, text: &str, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        self.work(1 + text.len() / 64)?;
        if let [Value::Int(begin), rest @ ..] = arguments
            && matches!(name, "substring" | "charAt")
        {
            return self.part(text, name, *begin, rest);
        }
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            given.push(self.string(argument)?);
        }
        let given: Vec<&str> = given.iter().map(|text| &**text).collect();
        Ok(match (name, given.as_slice()) {
            ("length", []) => Value::count(text.chars().count()),
            ("isEmpty", []) => Value::Bool(text.is_empty()),
            ("equalsIgnoreCase", [other]) => Value::Bool(text.to_lowercase() == other.to_lowercase()),
            ("contains", [part]) => Value::Bool(text.contains(part)),
            ("startsWith", [part]) => Value::Bool(text.starts_with(part)),
            ("endsWith", [part]) => Value::Bool(text.ends_with(part)),
            ("indexOf", [part]) => found(text, text.find(part)),
            ("lastIndexOf", [part]) => found(text, text.rfind(part)),
            ("toUpperCase", []) => return self.text(text.to_uppercase()),
            ("toLowerCase", []) => return self.text(text.to_lowercase()),
            ("trim", []) => return self.text(text.trim_matches(|c: char| c <= ' ')),
            ("concat", [other]) => return self.text(format!("{text}{other}")),
            ("replace", [old, new]) => return self.replaced(text, old, new, usize::MAX),
            ("replaceAll", [pattern, new]) => return self.replace(text, pattern, new, usize::MAX),
            ("replaceFirst", [pattern, new]) => return self.replace(text, pattern, new, 1),
            ("matches", [pattern]) => Value::Bool(self.pattern(&format!("^(?:{pattern})$"))?.is_match(text)),
            ("split", [pattern]) => return self.split(text, pattern),
            _ => Value::Null,
        })
    }

    fn part(&mut self, text: &str, name: &str, begin: i64, rest: &[Value]) -> Result<Value, Fault> {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let end = match (name, rest) {
            ("charAt", []) => begin.saturating_add(1),
            ("substring", []) => length,
            ("substring", [Value::Int(end)]) => *end,
            _ => return Ok(Value::Null),
        };
        if begin < 0 || end < begin || end > length {
            return Err(self.fault("the index is outside the string"));
        }
        let (begin, end) = (usize::try_from(begin).unwrap_or(0), usize::try_from(end).unwrap_or(0));
        self.text(text.chars().skip(begin).take(end - begin).collect::<String>())
    }

    fn pattern(&mut self, pattern: &str) -> Result<Regex, Fault> {
        self.work(PATTERN_WORK + pattern.len())?;
        RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN)
            .dfa_size_limit(MAX_PATTERN)
            .build()
            .map_err(|_| self.fault(format!("the sandbox can't use the pattern `{pattern}`")))
    }

    /// Replaces a plain text, unless the result would be too long.
    fn replaced(&mut self, text: &str, old: &str, new: &str, times: usize) -> Result<Value, Fault> {
        let occurrences = if old.is_empty() { text.len() + 1 } else { text.matches(old).take(times).count() };
        self.work(1 + text.len().saturating_add(occurrences.saturating_mul(new.len())) / 32)?;
        self.text(text.replacen(old, new, times))
    }

    fn replace(&mut self, text: &str, pattern: &str, new: &str, times: usize) -> Result<Value, Fault> {
        // Most patterns of templates are plain, such as `\\'`, and need no compiling.
        if let (Some(old), false) = (plain(pattern), new.contains(['$', '\\'])) {
            return self.replaced(text, &old, new, times);
        }
        let pattern = self.pattern(pattern)?;
        let mut out = String::new();
        let mut last = 0;
        for captures in pattern.captures_iter(text).take(times) {
            let Some(whole) = captures.get(0) else { break };
            out.push_str(&text[last..whole.start()]);
            let before = out.len();
            expand(&mut out, new, &captures);
            self.work(1 + (out.len() - before) / 32)?;
            last = whole.end();
        }
        out.push_str(&text[last..]);
        self.text(out)
    }

    /// Java's `split`: empty parts at the end are dropped.
    fn split(&mut self, text: &str, pattern: &str) -> Result<Value, Fault> {
        let mut parts: Vec<String> = match plain(pattern) {
            Some(sign) if !sign.is_empty() => text.split(&*sign).map(str::to_owned).collect(),
            _ => {
                let pattern = self.pattern(pattern)?;
                let mut parts: Vec<String> = pattern.split(text).map(str::to_owned).collect();
                // A match of nothing at the beginning parts nothing off.
                if parts.first().is_some_and(String::is_empty) && pattern.find(text).is_some_and(|m| m.end() == 0) {
                    parts.remove(0);
                }
                parts
            }
        };
        while parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        self.work(parts.len())?;
        let mut items = Vec::with_capacity(parts.len());
        for part in parts {
            items.push(self.text(part)?);
        }
        Ok(self.heap.list(items, false))
    }
}

/// The text that a pattern means, if it means only one.
fn plain(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.push(characters.next().filter(char::is_ascii_punctuation)?),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// A replacement as Java has it: `$1` is a group, a backslash takes the next character as it is.
fn expand(out: &mut String, replacement: &str, captures: &regex::Captures<'_>) {
    let mut characters = replacement.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.extend(characters.next()),
            '$' => match characters.peek().and_then(|c| c.to_digit(10)) {
                Some(group) => {
                    characters.next();
                    let group = usize::try_from(group).unwrap_or(0);
                    out.push_str(captures.get(group).map_or("", |found| found.as_str()));
                }
                None => out.push('$'),
            },
            c => out.push(c),
        }
    }
}

/// The place of a find in characters; -1 if there is none.
fn found(text: &str, at: Option<usize>) -> Value {
    at.map_or(Value::Int(-1), |at| Value::count(text[..at].chars().count()))
}
