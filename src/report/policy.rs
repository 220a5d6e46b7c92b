//! Policies by statement: which come, which go, and which items of a statement do.

use serde_json::Value;

use super::field::{Change, fields, grouped, taken_apart};
use super::style::{Detail, Entry, LINES, Mark, Text, Tone, limited};
use super::value::words;

/// What a reader calls the policy, and the policy itself as it will be or was.
pub(super) struct Subject<'a> {
    pub(super) noun: String,
    pub(super) before: Option<&'a Value>,
    pub(super) after: Option<&'a Value>,
}

impl Subject<'_> {
    /// The effect of a statement, after the change where it has one.
    fn effect(&self, statement: &str) -> &str {
        let find = |policy: Option<&'_ Value>| -> Option<String> {
            Some(policy?.get("statements")?.get(statement)?.get("Effect")?.as_str()?.to_owned())
        };
        match find(self.after).or_else(|| find(self.before)).as_deref() {
            Some("Deny") => "Deny",
            Some("Allow") => "Allow",
            _ => "",
        }
    }
}

/// Entries for the changes of one policy; their paths begin inside it.
pub(super) fn entries(subject: &Subject, changes: Vec<Change>, detail: Detail) -> Vec<Entry> {
    let changes = taken_apart(changes, 2);
    let (statements, others): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(|change| change.first() == "statements" && change.path.len() > 1);
    let mut entries = Vec::new();
    for (name, changes) in grouped(&statements.iter().map(|change| change.below(1)).collect::<Vec<_>>()) {
        entries.push(statement(subject, &name, changes, detail));
    }
    // The version of a policy that comes or goes is the one every policy has.
    let others: Vec<Change> =
        others.into_iter().filter(|change| detail.verbose || change.mark() == Mark::Change).collect();
    let noun = subject.noun.clone();
    entries.extend(super::field::named_fields(
        others,
        &|change| format!("{noun} {}", change.path.join(".")),
        &[],
        detail,
    ));
    entries
}

/// The words that name a statement. Those without a Sid bear a name drawn from their content, which says nothing.
fn title(subject: &Subject, name: &str) -> Text {
    let text = Text::of(Tone::Plain, &subject.noun);
    if name.starts_with("statement-") { text } else { text.plain(" ").push(Tone::Strong, name) }
}

fn statement(subject: &Subject, name: &str, changes: Vec<Change>, detail: Detail) -> Entry {
    if let [change] = changes.as_slice()
        && let (true, Some(value)) = (change.path.is_empty(), change.only())
    {
        return whole_statement(title(subject, name), change.mark(), value, detail);
    }
    let effect = subject.effect(name);
    let mut below = Vec::new();
    for change in taken_apart(changes, 3) {
        below.extend(member_change(effect, &change, detail));
    }
    Entry::new(Mark::Change, title(subject, name)).with(limited(below, LINES, "line", detail))
}

/// A statement that comes or goes: what it does on its line, and to what below.
fn whole_statement(title: Text, mark: Mark, value: &Value, detail: Detail) -> Entry {
    let text = title.segment("  ", 2, 4).plain(&sentence(value, detail));
    let effect = value.get("Effect").and_then(Value::as_str).unwrap_or_default();
    let condition = value.get("Condition").map(|_| part("Condition", value, mark));
    let conditions = taken_apart(condition.into_iter().collect(), 3);
    let conditions = conditions.iter().flat_map(|change| member_change(effect, change, detail));
    let what = ["Resource", "NotResource"].into_iter().find_map(|member| Some((member, value.get(member)?)));
    let (text, mut below) = match what {
        Some(("Resource", Value::Array(items))) if items.len() == 1 => {
            (text.segment(" ", 2, 4).plain(&format!("on {}", words(&items[0], detail))), Vec::new())
        }
        Some((member, _)) => (text, member_change(effect, &part(member, value, mark), detail)),
        None => (text, Vec::new()),
    };
    below.extend(conditions);
    Entry::new(mark, text).with(limited(below, LINES, "line", detail))
}

/// `Allow execute-api:Invoke for *`
fn sentence(statement: &Value, detail: Detail) -> String {
    let who = |who| principal(who, detail);
    let list = |list| words(list, detail);
    let parts = [
        statement.get("Effect").map(list),
        statement.get("Action").map(list),
        statement.get("NotAction").map(|actions| format!("all but {}", list(actions))),
        statement.get("Principal").map(|value| format!("for {}", who(value))),
        statement.get("NotPrincipal").map(|value| format!("for all but {}", who(value))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The member of a statement as a change of its own.
fn part(member: &str, statement: &Value, mark: Mark) -> Change {
    let value = statement.get(member).cloned();
    let (before, after) = if mark == Mark::Remove { (value, None) } else { (None, value) };
    Change { path: vec![member.to_owned()], before, after }
}

/// `*`, or kind and name: `Service lambda.amazonaws.com`.
fn principal(who: &Value, detail: Detail) -> String {
    let Some(kinds) = who.as_object() else { return words(who, detail) };
    let kinds = kinds.iter().map(|(kind, who)| {
        let who = words(who, detail);
        if who == "*" { who } else { format!("{kind} {who}") }
    });
    kinds.collect::<Vec<_>>().join(", ")
}

/// One line for each item of a list that comes or goes; one line for anything else.
fn member_change(effect: &str, change: &Change, detail: Detail) -> Vec<Entry> {
    let listed = |value: &Option<Value>| match value {
        None => Some(Vec::new()),
        Some(Value::Array(items)) => Some(items.clone()),
        Some(_) => None,
    };
    let path: Vec<&str> = change.path.iter().map(String::as_str).collect();
    let front = match path.as_slice() {
        ["Resource"] => effect.to_owned(),
        ["NotResource"] => format!("{effect} all but"),
        ["Action"] => format!("{effect} action"),
        ["NotAction"] => format!("{effect} all actions but"),
        ["Principal", kind] => format!("{effect} principal {kind}"),
        ["NotPrincipal", kind] => format!("{effect} all principals but {kind}"),
        ["Condition", operator, key] => format!("if {operator} {key}"),
        _ => return fields(vec![change.clone()], detail),
    };
    let (Some(before), Some(after)) = (listed(&change.before), listed(&change.after)) else {
        return fields(vec![change.clone()], detail);
    };
    let line =
        |mark, item: &Value| Entry::new(mark, Text::of(Tone::Plain, &format!("{front} {}", words(item, detail))));
    // The lists are sets: an item that is in both has not changed, wherever it stands.
    let gone = before.iter().filter(|item| !after.contains(item)).map(|item| line(Mark::Remove, item));
    let new = after.iter().filter(|item| !before.contains(item)).map(|item| line(Mark::Add, item));
    gone.chain(new).collect()
}
