//! Reading the members of an object with a fault for everything unexpected: unknown key, missing key, wrong type.
//!
//! A reader asks for its keys one by one, and [`Fields::finish`] reports what nobody asked for: the list of known keys
//! can't drift from the code that reads them. A wrong value is reported and then read as absent, so that one run
//! finds all faults; whoever reads an object checks afterwards whether there were any.

use std::ops::RangeInclusive;

use super::fault::Faults;
use super::nearest::suggestion;
use super::node::{Member, Node, NodeValue};

/// The types a setting may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Whole,
    Flag,
    List,
    Object,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Whole => "a whole number",
            Self::Flag => "`true` or `false`",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }

    /// How to write `node` so that it has this type: exactly, where that can be told.
    fn hint(self, node: &Node) -> String {
        let written = node.span.text();
        match (self, &node.value) {
            (Self::Text, NodeValue::Number(_) | NodeValue::Bool(_)) => format!("put it in quotes: `\"{written}\"`"),
            (Self::Number | Self::Whole, NodeValue::String(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
                format!("take away the quotes: `{text}`")
            }
            (Self::Flag, NodeValue::String(text)) if text == "true" || text == "false" => {
                format!("take away the quotes: `{text}`")
            }
            (Self::List, NodeValue::String(_) | NodeValue::Number(_)) => format!("put it in brackets: `[{written}]`"),
            (Self::Text, _) => "write a text in double quotes".to_owned(),
            (Self::Number, _) => "write a number without quotes".to_owned(),
            (Self::Whole, _) => "write a number without quotes and without a fraction".to_owned(),
            (Self::Flag, _) => "write `true` or `false` without quotes".to_owned(),
            (Self::List, _) => "write a list in brackets: `[ … ]`".to_owned(),
            (Self::Object, _) => "write an object in braces: `{ … }`".to_owned(),
        }
    }
}

/// Reports that `node`, which is called `name`, is not of the type it must be.
pub(super) fn wrong_type(name: &str, node: &Node, expected: Type, faults: &mut Faults) {
    let found = if expected == Type::Whole && matches!(node.value, NodeValue::Number(_)) {
        node.span.text()
    } else {
        node.type_name()
    };
    let message = format!("`{name}` is {found}, but must be {}", expected.name());
    let compound = matches!(node.value, NodeValue::Array(_) | NodeValue::Object(_));
    let span = if compound { node.span.first() } else { node.span.clone() };
    faults.error(&span, message, expected.hint(node));
}

/// A string with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) value: &'a str,
    pub(super) node: &'a Node,
}

/// The string in `node`, which must not be empty.
pub(super) fn text<'a>(name: &str, node: &'a Node, faults: &mut Faults) -> Option<Text<'a>> {
    match node.as_str() {
        None => wrong_type(name, node, Type::Text, faults),
        Some("") => {
            faults.error(&node.span, format!("`{name}` is empty"), "give it a value, or leave the key out");
        }
        Some(value) => return Some(Text { value, node }),
    }
    None
}

/// What a missing key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// A fault.
    Faults,
    /// A fault if this file alone can give it; the file that could give the others can't be read, which is reported.
    FaultsHere,
    /// No fault: another layer completes this one.
    Fine,
}

/// The members of one object, read one by one.
pub(super) struct Fields<'a, 'f> {
    node: &'a Node,
    members: &'a [Member],
    /// What the object is, for messages: `this environment file`.
    what: String,
    /// Where a missing key can be given instead, if there is such a place.
    elsewhere: Option<&'static str>,
    missing: Missing,
    known: Vec<&'a str>,
    pub(super) faults: &'f mut Faults,
}

impl<'a, 'f> Fields<'a, 'f> {
    /// The members of `node`, or a fault if it is no object.
    pub(super) fn of(name: &str, what: impl Into<String>, node: &'a Node, faults: &'f mut Faults) -> Option<Self> {
        let Some(members) = node.members() else {
            wrong_type(name, node, Type::Object, faults);
            return None;
        };
        Some(Self {
            node,
            members,
            what: what.into(),
            elsewhere: None,
            missing: Missing::Faults,
            known: Vec::new(),
            faults,
        })
    }

    /// Says what a missing key is; without this, a fault.
    pub(super) fn missing_are(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// Names another file that may give a missing key.
    pub(super) fn or_in(mut self, elsewhere: &'static str) -> Self {
        self.elsewhere = Some(elsewhere);
        self
    }

    /// The fields of an object inside this one: what is missing there is missing here.
    pub(super) fn inside<'b>(&'b mut self, what: &str, member: &'a Member) -> Option<Fields<'a, 'b>> {
        let (missing, elsewhere) = (self.missing, self.elsewhere);
        let inner = Fields::of(&member.key, what, &member.value, self.faults)?;
        Some(Fields { elsewhere, ..inner.missing_are(missing) })
    }

    /// The object that is read.
    pub(super) fn node(&self) -> &'a Node {
        self.node
    }

    /// What a missing key is.
    pub(super) fn missing_keys(&self) -> Missing {
        self.missing
    }

    /// The member `key`, if it is there and not `null`.
    pub(super) fn get(&mut self, key: &'a str) -> Option<&'a Member> {
        self.known.push(key);
        self.members.iter().find(|member| member.key == key && !matches!(member.value.value, NodeValue::Null))
    }

    /// The member `key`, or a fault if it is missing from this file, the only place it can stand in.
    pub(super) fn required_here(&mut self, key: &'a str) -> Option<&'a Member> {
        let member = self.get(key);
        if member.is_none() && self.missing != Missing::Fine {
            let hint = format!("add {} to it", self.example(key));
            self.is_missing(key, hint);
        }
        member
    }

    /// The member `key`, or a fault if it is missing from all layers.
    pub(super) fn required(&mut self, key: &'a str) -> Option<&'a Member> {
        let member = self.get(key);
        if member.is_none() && self.missing == Missing::Faults {
            let example = self.example(key);
            let hint = match self.elsewhere {
                Some(file) => format!("add {example} to it, or to {file} for every environment"),
                None => format!("add {example} to it"),
            };
            self.is_missing(key, hint);
        }
        member
    }

    /// How the key looks in the syntax of the file.
    fn example(&self, key: &str) -> String {
        let toml = self.node.span.path().extension().is_some_and(|extension| extension == "toml");
        if toml { format!("`{key} = …`") } else { format!("`\"{key}\": …`") }
    }

    fn is_missing(&mut self, key: &str, hint: String) {
        self.faults.error(&self.node.span.first(), format!("`{key}` is missing from {}", self.what), hint);
    }

    /// The string in a member.
    pub(super) fn text(&mut self, member: Option<&'a Member>) -> Option<Text<'a>> {
        let member = member?;
        text(&member.key, &member.value, self.faults)
    }

    /// The string in a member, which must be one of `allowed`.
    pub(super) fn choice(&mut self, member: Option<&'a Member>, allowed: &[&str]) -> Option<&'a str> {
        let text = self.text(member)?;
        if allowed.contains(&text.value) {
            return Some(text.value);
        }
        let message = format!("`{}` can't be `{}`", member?.key, text.value);
        let list = allowed.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ");
        self.faults.error(&text.node.span, message, format!("write {list}"));
        None
    }

    /// The boolean in a member.
    pub(super) fn flag(&mut self, member: Option<&'a Member>) -> Option<bool> {
        let member = member?;
        if let NodeValue::Bool(value) = member.value.value {
            return Some(value);
        }
        wrong_type(&member.key, &member.value, Type::Flag, self.faults);
        None
    }

    /// The number in a member.
    pub(super) fn number(&mut self, member: Option<&'a Member>) -> Option<f64> {
        let member = member?;
        if let NodeValue::Number(number) = &member.value.value {
            return number.as_f64();
        }
        wrong_type(&member.key, &member.value, Type::Number, self.faults);
        None
    }

    /// The whole number in a member, inside `range`.
    pub(super) fn whole(
        &mut self,
        member: Option<&'a Member>,
        range: &RangeInclusive<i64>,
        unit: &str,
        hint: &str,
    ) -> Option<i64> {
        let member = member?;
        let Some(value) = (match &member.value.value {
            NodeValue::Number(number) => whole(number),
            _ => None,
        }) else {
            wrong_type(&member.key, &member.value, Type::Whole, self.faults);
            return None;
        };
        if range.contains(&value) {
            return Some(value);
        }
        let bound = if *range.end() >= i64::from(i32::MAX) && value < *range.start() {
            format!("at least {}", range.start())
        } else {
            format!("between {} and {}", range.start(), range.end())
        };
        let message = format!("`{}` is {value}, but must be {bound}{unit}", member.key);
        self.faults.error(&member.value.span, message, hint);
        None
    }

    /// The strings in a member: none of them empty or given twice.
    pub(super) fn texts(&mut self, member: Option<&'a Member>) -> Vec<Text<'a>> {
        let Some(member) = member else { return Vec::new() };
        let Some(items) = member.value.items() else {
            wrong_type(&member.key, &member.value, Type::List, self.faults);
            return Vec::new();
        };
        let mut texts: Vec<Text<'a>> = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Some(text) = text(&format!("{}[{index}]", member.key), item, self.faults) else { continue };
            if let Some(first) = texts.iter().find(|known| known.value == text.value) {
                self.faults
                    .error(&item.span, format!("`{}` is listed twice", text.value), "keep one of the two")
                    .relate(&first.node.span, "first listed here");
                continue;
            }
            texts.push(text);
        }
        texts
    }

    /// The strings by key in a member; a string may be empty.
    pub(super) fn text_map(&mut self, member: Option<&'a Member>) -> Vec<(&'a Member, &'a str)> {
        let Some(member) = member else { return Vec::new() };
        let Some(members) = member.value.members() else {
            wrong_type(&member.key, &member.value, Type::Object, self.faults);
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(members.len());
        for entry in members {
            match (&entry.value.value, entry.value.as_str()) {
                (NodeValue::Null, _) => {}
                (_, Some(value)) => texts.push((entry, value)),
                (_, None) => {
                    wrong_type(&format!("{}.{}", member.key, entry.key), &entry.value, Type::Text, self.faults);
                }
            }
        }
        texts
    }

    /// Reports every member nobody asked for.
    pub(super) fn finish(self) {
        // A member that came from a layer below is checked there.
        let own = |member: &&Member| member.key_span.path() == self.node.span.path();
        for member in self.members.iter().filter(own) {
            if !self.known.contains(&member.key.as_str()) {
                let message = format!("`{}` is not a key of {}", member.key, self.what);
                // A key that stands there already is not what was meant.
                let free: Vec<&str> = self
                    .known
                    .iter()
                    .copied()
                    .filter(|known| !self.members.iter().filter(own).any(|member| member.key == *known))
                    .collect();
                let hint = if free.is_empty() {
                    format!("take it away; the keys are {}", self.known.join(", "))
                } else {
                    suggestion(&member.key, &free)
                };
                self.faults.error(&member.key_span, message, hint);
            }
        }
    }
}

/// The number, if it is whole: `10` and `10.0`, not `10.5`.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let value = number.as_f64()?;
        // Within 2^53 a double holds every whole number exactly.
        let exact = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
        exact.then_some(value as i64)
    })
}
