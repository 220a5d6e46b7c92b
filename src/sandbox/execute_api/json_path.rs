//! `JSONPath` as API Gateway's users write it: `$`, `.name`, `['name']`, `[n]`, `[a:b]`, `[*]`, `..name` and simple filters.
//!
//! It follows Jayway's `JsonPath`, which API Gateway names in its mapping template reference: a path that can only mean
//! one value gives that value, any other path gives the array of all it finds, and `.length()` counts.

use super::json::Json;

/// A path, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Member(String),
    Members(Vec<String>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
    Descend,
    Filter(Filter),
    Length,
}

/// `[?(@.name OP literal)]`, or `[?(@.name)]`.
#[derive(Debug, Clone, PartialEq)]
struct Filter {
    member: Vec<String>,
    test: Option<(Comparison, Json)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Values a path may visit in one evaluation: more than a body of 10 MB is likely to have. `$..*..*` on a deep body would
/// visit for minutes without it.
const MAX_VISITED: usize = 1_000_000;

impl JsonPath {
    /// Parses a path; a leading `$` may be missing. Nothing, if it is not one of the known forms.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        if !text.starts_with('$') && !rest.starts_with(['.', '[']) && !rest.is_empty() {
            let (name, after) = name(rest)?;
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        }
        while !rest.is_empty() {
            rest = step(rest, &mut steps)?;
        }
        Some(Self { steps })
    }

    /// What one evaluation costs on a document of so many values, about.
    pub(super) fn cost(&self, size: impl FnOnce() -> usize) -> usize {
        let descents = self.steps.iter().filter(|step| **step == Step::Descend).count();
        match descents {
            _ if self.steps.iter().all(Step::is_definite) => self.steps.len(),
            0 | 1 => size() / 2,
            _ => MAX_VISITED / 20,
        }
    }

    /// What the path means in a document: one value, an array of all that match, or nothing. Nothing too, if there
    /// is far too much to visit.
    #[must_use]
    pub fn find(&self, root: &Json) -> Option<Json> {
        let (steps, length) = match self.steps.split_last() {
            Some((Step::Length, steps)) => (steps, true),
            _ => (self.steps.as_slice(), false),
        };
        let found = if steps.iter().all(Step::is_definite) {
            steps.iter().try_fold(root, |value, step| step.one(value))?.clone()
        } else {
            let mut visited = 0;
            let mut values = vec![root];
            for step in steps {
                values = step.all(&values, &mut visited)?;
            }
            Json::Array(values.into_iter().cloned().collect())
        };
        if length { length_of(&found) } else { Some(found) }
    }
}

impl Step {
    fn is_definite(&self) -> bool {
        matches!(self, Self::Member(_) | Self::Index(_))
    }

    fn one<'j>(&self, value: &'j Json) -> Option<&'j Json> {
        match (self, value) {
            (Self::Member(name), value) => value.member(name),
            (Self::Index(index), Json::Array(items)) => items.get(place(*index, items.len())?),
            _ => None,
        }
    }

    /// All values that one step leads to. Nothing, when that would be too many.
    fn all<'j>(&self, values: &[&'j Json], visited: &mut usize) -> Option<Vec<&'j Json>> {
        let mut found = Vec::new();
        for value in values {
            match (self, value) {
                (Self::Member(_) | Self::Index(_), value) => found.extend(self.one(value)),
                (Self::Members(names), value) => found.extend(names.iter().filter_map(|name| value.member(name))),
                (Self::Indexes(indexes), Json::Array(items)) => {
                    found.extend(indexes.iter().filter_map(|index| items.get(place(*index, items.len())?)));
                }
                (Self::Slice(from, to), Json::Array(items)) => found.extend(slice(items, *from, *to)),
                (Self::All, value) => found.extend(children(value)),
                (Self::Descend, value) => descend(value, &mut found, visited)?,
                (Self::Filter(filter), Json::Array(items)) => {
                    found.extend(items.iter().filter(|item| filter.holds(item)));
                }
                (Self::Filter(filter), value) if filter.holds(value) => found.push(value),
                _ => {}
            }
            *visited += 1 + found.len();
            if *visited > MAX_VISITED {
                return None;
            }
        }
        Some(found)
    }
}

impl Filter {
    fn holds(&self, value: &Json) -> bool {
        let Some(member) = self.member.iter().try_fold(value, |value, name| value.member(name)) else { return false };
        let Some((comparison, literal)) = &self.test else { return true };
        let ordering = match (member, literal) {
            (Json::Number(left), Json::Number(right)) => left.as_f64().partial_cmp(&right.as_f64()),
            (Json::Text(left), Json::Text(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match comparison {
            Comparison::Equal => ordering.map_or(member == literal, std::cmp::Ordering::is_eq),
            Comparison::Unequal => ordering.map_or(member != literal, std::cmp::Ordering::is_ne),
            Comparison::Less => ordering.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::AtMost => ordering.is_some_and(std::cmp::Ordering::is_le),
            Comparison::Greater => ordering.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::AtLeast => ordering.is_some_and(std::cmp::Ordering::is_ge),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("?(")?.strip_suffix(')')?.trim();
        let operators = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let split = |(sign, comparison)| Some((inner.split_once(sign)?, comparison));
        let (left, right) = match operators.into_iter().find_map(split) {
            Some(((left, right), comparison)) => (left.trim(), Some((comparison, literal(right.trim())?))),
            None => (inner, None),
        };
        let member = left.strip_prefix("@.")?.split('.').map(str::to_owned).collect();
        Some(Self { member, test: right })
    }
}

/// One step of the text, added to `steps`; what is left of the text.
fn step<'t>(text: &'t str, steps: &mut Vec<Step>) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix("..") {
        steps.push(Step::Descend);
        return if rest.starts_with('[') { Some(rest) } else { dotted(rest, steps) };
    }
    if let Some(rest) = text.strip_prefix('.') {
        return dotted(rest, steps);
    }
    let inside = text.strip_prefix('[')?;
    let end = closing(inside)?;
    steps.push(bracket(inside[..end].trim())?);
    Some(&inside[end + 1..])
}

fn dotted<'t>(text: &'t str, steps: &mut Vec<Step>) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix('*') {
        steps.push(Step::All);
        return Some(rest);
    }
    let (name, rest) = name(text)?;
    if let Some(rest) = rest.strip_prefix("()") {
        // Functions end a path in Jayway's grammar.
        return if matches!(name, "length" | "size") && rest.is_empty() {
            steps.push(Step::Length);
            Some(rest)
        } else {
            None
        };
    }
    steps.push(Step::Member(name.to_owned()));
    Some(rest)
}

/// A name up to the next sign that ends one.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(['.', '[', '(', ' ']).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Where the bracket ends that was opened before the text; brackets in quotes don't count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            // Everything else in quotes, and every other sign outside, just goes by.
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(inside: &str) -> Option<Step> {
    if inside == "*" {
        return Some(Step::All);
    }
    if inside.starts_with('?') {
        return Filter::parse(inside).map(Step::Filter);
    }
    if inside.starts_with(['\'', '"']) {
        let mut names = inside.split(',').map(|part| quoted(part.trim())).collect::<Option<Vec<_>>>();
        // A comma may stand inside one name.
        if names.is_none() {
            names = quoted(inside).map(|name| vec![name]);
        }
        let mut names = names?;
        return if names.len() == 1 { names.pop().map(Step::Member) } else { Some(Step::Members(names)) };
    }
    let number = |text: &str| text.trim().parse::<i64>().ok();
    if let Some((from, to)) = inside.split_once(':') {
        let end = |text: &str| if text.trim().is_empty() { Some(None) } else { number(text).map(Some) };
        return Some(Step::Slice(end(from)?, end(to)?));
    }
    let mut numbers = inside.split(',').map(number).collect::<Option<Vec<_>>>()?;
    if numbers.len() == 1 { numbers.pop().map(Step::Index) } else { Some(Step::Indexes(numbers)) }
}

fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.replace(&format!("\\{quote}"), "").contains(quote))
        .then(|| inner.replace(&format!("\\{quote}"), &quote.to_string()))
}

fn literal(text: &str) -> Option<Json> {
    quoted(text).map(Json::Text).or_else(|| Json::parse(text.as_bytes()))
}

fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn slice(items: &[Json], from: Option<i64>, to: Option<i64>) -> &[Json] {
    let end = |index: Option<i64>, default: usize| match index {
        None => default,
        Some(index) => place(index, items.len()).unwrap_or(0).min(items.len()),
    };
    items.get(end(from, 0)..end(to, items.len())).unwrap_or_default()
}

fn children(value: &Json) -> Box<dyn Iterator<Item = &Json> + '_> {
    match value {
        Json::Array(items) => Box::new(items.iter()),
        Json::Object(members) => Box::new(members.iter().map(|(_, value)| value)),
        _ => Box::new(std::iter::empty()),
    }
}

/// The value and everything in it, in document order. Depth is bounded by that of parsed JSON.
fn descend<'j>(value: &'j Json, found: &mut Vec<&'j Json>, visited: &mut usize) -> Option<()> {
    *visited += 1;
    if *visited > MAX_VISITED {
        return None;
    }
    found.push(value);
    children(value).try_for_each(|child| descend(child, found, visited))
}

fn length_of(value: &Json) -> Option<Json> {
    match value {
        Json::Array(items) => Some(Json::Number(items.len().into())),
        Json::Object(members) => Some(Json::Number(members.len().into())),
        Json::Text(text) => Some(Json::Number(text.chars().count().into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STORE: &str = r#"{"store":{"book":[{"t":"a","price":8},{"t":"b","price":12,"isbn":"x"},{"t":"c","price":9}],
        "bicycle":{"color":"red","price":20}},"a.b":{"c d":1},"text":"abc"}"#;

    fn find(path: &str) -> Option<String> {
        let store = Json::parse(STORE.as_bytes()).expect("JSON");
        Some(JsonPath::parse(path)?.find(&store)?.to_string())
    }

    #[test]
    fn definite_paths_give_one_value() {
        for (path, expected) in [
            ("$.store.book[0].t", r#""a""#),
            ("$.store.book[-1].t", r#""c""#),
            ("$['store']['bicycle']", r#"{"color":"red","price":20}"#),
            ("$[\"a.b\"]['c d']", "1"),
            ("store.bicycle.color", r#""red""#),
            ("text", r#""abc""#),
        ] {
            assert_eq!(find(path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(find("$.missing"), None);
        assert_eq!(find("$.store.book[7]"), None);
        assert_eq!(find("$.text.x"), None);
    }

    #[test]
    fn other_paths_give_an_array() {
        for (path, expected) in [
            ("$.store.book[*].t", r#"["a","b","c"]"#),
            ("$..t", r#"["a","b","c"]"#),
            ("$..price", "[8,12,9,20]"),
            ("$.store.book[0:2].t", r#"["a","b"]"#),
            ("$.store.book[-2:].t", r#"["b","c"]"#),
            ("$.store.book[0,2].t", r#"["a","c"]"#),
            ("$.store.bicycle['color','price']", r#"["red",20]"#),
            ("$.store.book[?(@.price < 10)].t", r#"["a","c"]"#),
            ("$.store.book[?(@.isbn)].t", r#"["b"]"#),
            ("$.store.book[?(@.t == 'c')].price", "[9]"),
            ("$.store.bicycle.*", r#"["red",20]"#),
            ("$..missing", "[]"),
        ] {
            assert_eq!(find(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn length_counts() {
        assert_eq!(find("$.store.book.length()").as_deref(), Some("3"));
        assert_eq!(find("$.text.length()").as_deref(), Some("3"));
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for path in ["$.", "$..", "$[", "$[']", "$x y", "$.a[?(1)]", "$.a.keys()", "$.a[b]"] {
            assert_eq!(JsonPath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_greedy_path_ends() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        let wide = format!("[{}]", vec![deep; 300].join(","));
        let json = Json::parse(wide.as_bytes()).expect("JSON");
        assert_eq!(JsonPath::parse("$..*..*..*").expect("a path").find(&json), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_not(text in "\\$?[.\\[\\]'\"*?@()<=a-c0-9:,\\- é]{0,24}") {
            let store = Json::parse(STORE.as_bytes()).expect("JSON");
            if let Some(path) = JsonPath::parse(&text) {
                let _ = path.find(&store);
            }
        }
    }
}
