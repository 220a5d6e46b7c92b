//! `$input` and `$util`, as the mapping template reference has them.

use std::fmt::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::percent_decode;

use super::super::json::Json;
use super::super::json_path::JsonPath;
use super::super::variables::Location;
use super::cursor::Fault;
use super::render::Renderer;
use super::value::Value;

impl Renderer<'_> {
    /// `$input.body`: the body as it is; `{}` if there is none (seen by the tests of an emulator that are run against AWS).
    pub(super) fn input_body(&mut self) -> Result<Value, Fault> {
        let body = self.variables.body();
        if body.is_empty() {
            return Ok("{}".into());
        }
        self.text(String::from_utf8_lossy(body))
    }

    pub(super) fn input(&mut self, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        match (name, arguments) {
            ("json", [path]) => {
                let found = self.find(path)?;
                // What is not there is an empty string, not `null`.
                self.text(found.map_or_else(|| "\"\"".to_owned(), |found| found.to_string()))
            }
            ("path", [path]) => match self.find(path)? {
                Some(found) => {
                    self.work(size(&found))?;
                    Ok(self.heap.import(&found))
                }
                None => Ok(Value::Null),
            },
            ("params", []) => self.parameters(),
            ("params", [name]) => {
                let name = self.string(name)?;
                let places = [Location::Path, Location::QueryString, Location::Header];
                let variables = self.variables;
                match places.into_iter().find_map(|place| variables.parameter(place, &name)) {
                    Some(value) => self.text(value),
                    None => Ok("".into()),
                }
            }
            _ => Ok(Value::Null),
        }
    }

    /// All parameters: `path`, `querystring` and `header`, each a map.
    fn parameters(&mut self) -> Result<Value, Fault> {
        let places = [("path", Location::Path), ("querystring", Location::QueryString), ("header", Location::Header)];
        let mut all = Vec::with_capacity(places.len());
        for (name, place) in places {
            let variables = self.variables;
            let map = self.strings(variables.parameters(place))?;
            all.push((Arc::from(name), map));
        }
        Ok(self.heap.map(all))
    }

    /// A map of strings.
    pub(super) fn strings<N: AsRef<str>, T: AsRef<str>>(&mut self, members: Vec<(N, T)>) -> Result<Value, Fault> {
        let mut entries = Vec::with_capacity(members.len());
        for (name, value) in members {
            entries.push((Arc::from(name.as_ref()), self.text(value.as_ref())?));
        }
        Ok(self.heap.map(entries))
    }

    /// What a path finds in the body.
    fn find(&mut self, path: &Value) -> Result<Option<Json>, Fault> {
        let path = self.string(path)?;
        let path = JsonPath::parse(&path).ok_or_else(|| self.fault(format!("`{path}` is not a JSONPath")))?;
        let document = self.document()?;
        self.work(path.cost(|| size(&document)))?;
        Ok(path.find(&document))
    }

    /// The body as JSON. Without a body it is `{}`, and a body that begins like no object, array or string is a string:
    /// API Gateway was seen to answer `"a=b"` to `a=b`, and 400 `Could not process payload…` to `{a`.
    fn document(&mut self) -> Result<Arc<Json>, Fault> {
        if let Some(document) = &self.document {
            return Ok(document.clone());
        }
        let body = self.variables.body().trim_ascii();
        let document = match body.first() {
            None => Json::Object(Vec::new()),
            Some(b'{' | b'[' | b'"') => Json::parse(body).ok_or_else(|| {
                let message = "Could not process payload";
                Fault { at: self.at, message: message.to_owned(), of_body: true }
            })?,
            Some(_) => Json::Text(String::from_utf8_lossy(self.variables.body()).into_owned()),
        };
        let document = Arc::new(document);
        self.document = Some(document.clone());
        Ok(document)
    }

    pub(super) fn util(&mut self, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let [argument] = arguments else { return Ok(Value::Null) };
        if matches!(argument, Value::Null) {
            return Ok(Value::Null);
        }
        let text = self.string(argument)?;
        self.work(text.len() / 16)?;
        match name {
            "escapeJavaScript" => self.text(escape_java_script(&text)),
            "parseJson" => {
                let parsed = Json::parse(text.as_bytes()).ok_or_else(|| self.fault("`$util.parseJson` got no JSON"))?;
                self.work(size(&parsed))?;
                Ok(self.heap.import(&parsed))
            }
            "urlEncode" => self.text(form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()),
            "urlDecode" => {
                let spaced = text.replace('+', " ");
                self.text(percent_decode(spaced.as_bytes()).decode_utf8_lossy())
            }
            "base64Encode" => self.text(BASE64.encode(text.as_bytes())),
            "base64Decode" => match BASE64.decode(text.as_bytes()) {
                Ok(bytes) => self.text(String::from_utf8_lossy(&bytes)),
                Err(_) => Ok(Value::Null),
            },
            _ => Ok(Value::Null),
        }
    }
}

/// How many values a JSON value holds.
fn size(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| size(value)).sum::<usize>(),
        _ => 1,
    }
}

/// JavaScript's escapes, those of the library that Velocity's users have: `'` too, which the reference warns of, and `/`,
/// and everything that is not ASCII (the last two are a guess; JSON reads them as what they stand for).
fn escape_java_script(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' | '/' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
    }
    out
}
