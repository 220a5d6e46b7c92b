//! Holds the sandbox's API Gateway to recordings of the real one.
//!
//! `tests/recordings/README.md` says where they come from and how they are written. Each folder is replayed against an
//! empty sandbox, and every recorded answer is compared field by field: a placeholder stands for one value, the same
//! wherever it appears, and two placeholders for two values. [`EXCEPTIONS`] is the whole list of what may differ.

#[path = "recordings/invoke.rs"]
mod invoke;
#[path = "recordings/wire.rs"]
mod wire;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use gwctl::sandbox::Sandbox;
use serde_json::{Map, Value, json};

/// What an answer may have that its recording does not: the last member of its path, and why.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("securityPolicy", "a member of RestApi that is newer than the recordings: their SDK did not know it"),
    ("responseTransferMode", "a member of Integration that is newer than the recordings: their SDK did not know it"),
];

/// The exceptions that a replay came across.
type Seen = RefCell<Vec<&'static str>>;

macro_rules! replays {
    ($($name:ident: $folder:literal,)*) => {
        $(
            #[test]
            fn $name() {
                replay($folder, &Seen::default());
            }
        )*

        #[test]
        fn every_exception_is_needed() {
            let seen = Seen::default();
            $(replay($folder, &seen);)*
            for (member, reason) in EXCEPTIONS {
                assert!(seen.borrow().contains(&member), "`{member}` ({reason}) no longer differs: take it off the list");
            }
        }

        #[test]
        fn every_folder_is_replayed() {
            let folders = fs::read_dir(root()).expect("the recordings");
            let mut folders: Vec<String> = folders
                .filter_map(|entry| entry.ok().filter(|entry| entry.path().is_dir()))
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            folders.sort();
            assert_eq!(folders, [$($folder),*]);
        }
    };
}

replays! {
    api_keys: "api-keys",
    canary_by_stage_update: "canary-by-stage-update",
    canary_copy: "canary-copy",
    deployments: "deployments",
    documentation_parts: "documentation-parts",
    export_petstore: "export-petstore",
    gateway_responses: "gateway-responses",
    http_proxy_mapping: "http-proxy-mapping",
    import_bad_document: "import-bad-document",
    import_mock_cors: "import-mock-cors",
    import_petstore_authorizer: "import-petstore-authorizer",
    method_responses: "method-responses",
    method_validation: "method-validation",
    models: "models",
    put_binary_media_types: "put-binary-media-types",
    request_validators: "request-validators",
    resources: "resources",
    rest_api_defaults: "rest-api-defaults",
    rest_api_patch: "rest-api-patch",
    rest_api_tags: "rest-api-tags",
    stage_access_logs: "stage-access-logs",
    stage_update: "stage-update",
    usage_plans: "usage-plans",
    vpc_link_integration: "vpc-link-integration",
    vpc_links: "vpc-links",
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

fn read(folder: &str, file: &str) -> Option<String> {
    fs::read_to_string(root().join(folder).join(file)).ok()
}

/// Replays one folder and compares every recorded answer.
fn replay(folder: &str, seen: &Seen) {
    let parse = |file: &str| -> Value {
        let text = read(folder, file).unwrap_or_else(|| panic!("{folder}/{file} is missing"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{folder}/{file}: {error}"))
    };
    let (steps, recorded) = (parse("steps.json"), parse("recorded.json"));
    let document = read(folder, "document.json");
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    let (mut compared, mut differences) = (0, Vec::new());
    for step in steps.as_array().expect("a list of steps") {
        let run = runs.entry(text(step, "run")).or_insert_with(|| Run::new(document.clone()));
        let answer = run.play(step, &mut differences);
        if let Some(name) = step["step"].as_str() {
            let expected = recorded.get(name).unwrap_or_else(|| panic!("{folder}: {name} was not recorded"));
            // Of this answer only the id was kept.
            let shown = if name == "api_id" { json!({ "rest_api_id": answer["id"] }) } else { answer };
            run.compare(expected, &shown, &format!("{folder}: {name}"), &mut differences, seen);
            compared += 1;
        }
    }
    assert!(differences.is_empty(), "\n  {}", differences.join("\n  "));
    assert_eq!(compared, recorded.as_object().map_or(0, Map::len), "{folder}: some answers were not compared");
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

/// One run: a sandbox, the answers that later steps refer to, and what the placeholders turned out to be.
struct Run {
    sandbox: Sandbox,
    answers: BTreeMap<String, Value>,
    placeholders: BTreeMap<String, String>,
}

impl Run {
    fn new(document: Option<String>) -> Self {
        let answers = document.map(|document| ("document".to_owned(), Value::from(document))).into_iter().collect();
        Self { sandbox: Sandbox::in_memory(), answers, placeholders: BTreeMap::new() }
    }

    /// Sends the request of a step and gives the answer as boto3 shows it.
    fn play(&mut self, step: &Value, differences: &mut Vec<String>) -> Value {
        let operation = text(step, "operation");
        let input = self.fill_in(&step["input"]);
        if step["service"] == "execute-api" {
            return invoke::invoke(&self.sandbox, &input);
        }
        let input = input.as_object().cloned().unwrap_or_default();
        let response = self.sandbox.handle(wire::request(step["service"].as_str(), &operation, input));
        let answer = wire::as_sdk(&operation, &response);
        if (response.status >= 400) != (step["expect"] == "error") {
            differences.push(format!("{operation} {}: {answer}, expected is {}", step["input"], step["expect"]));
        }
        if let Some(name) = step["as"].as_str() {
            self.answers.insert(name.to_owned(), answer.clone());
        }
        answer
    }

    /// Puts earlier answers in place of references to them.
    fn fill_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.referred(text).unwrap_or_else(|| value.clone()),
            Value::Array(items) => items.iter().map(|item| self.fill_in(item)).collect(),
            Value::Object(members) if members.contains_key("$join") => {
                let parts = members["$join"].as_array().into_iter().flatten();
                parts.map(|part| text(&json!({ "": self.fill_in(part) }), "")).collect::<String>().into()
            }
            Value::Object(members) if members.contains_key("$repeat") => {
                let times = members["$repeat"][1].as_u64().and_then(|times| usize::try_from(times).ok());
                members["$repeat"][0].as_str().unwrap_or_default().repeat(times.expect("how often")).into()
            }
            Value::Object(members) => {
                let filled = members.iter().map(|(name, member)| (name.clone(), self.fill_in(member)));
                Value::Object(filled.collect())
            }
            other => other.clone(),
        }
    }

    /// What `$name.member.list[key=value].member` refers to; none if the text is plain.
    fn referred(&self, text: &str) -> Option<Value> {
        let reference = text.strip_prefix('$')?;
        let (name, path) = reference.split_once('.').unwrap_or((reference, ""));
        let mut value = self.answers.get(name)?.clone();
        for step in path.split('.').filter(|step| !step.is_empty()) {
            value = match step.split_once('[') {
                None => value[step].clone(),
                Some((list, filter)) => {
                    let (key, wanted) = filter.trim_end_matches(']').split_once('=').expect("[key=value]");
                    let items = value[list].as_array().cloned().unwrap_or_default();
                    items.into_iter().find(|item| item[key] == wanted).unwrap_or_else(|| panic!("nothing at {text}"))
                }
            };
        }
        assert!(!value.is_null(), "nothing at {text}");
        Some(value)
    }

    fn compare(&mut self, expected: &Value, actual: &Value, at: &str, differences: &mut Vec<String>, seen: &Seen) {
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(given)) => {
                for (name, value) in wanted {
                    match given.get(name) {
                        Some(other) => self.compare(value, other, &format!("{at}.{name}"), differences, seen),
                        None => differences.push(format!("{at}.{name}: is missing, recorded is {value}")),
                    }
                }
                for (name, value) in given.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
                    match EXCEPTIONS.iter().find(|(member, _)| member == name) {
                        Some((member, _)) => seen.borrow_mut().push(member),
                        None => differences.push(format!("{at}.{name}: {value} was not recorded")),
                    }
                }
            }
            (Value::Array(wanted), Value::Array(given)) if wanted.len() == given.len() => {
                for (index, (value, other)) in wanted.iter().zip(given).enumerate() {
                    self.compare(value, other, &format!("{at}[{index}]"), differences, seen);
                }
            }
            // The framework that recorded it left the number out, and the date of the header it names differs from ours.
            (Value::String(wanted), Value::String(given)) if wanted == "<date>" && given.ends_with(" GMT") => {}
            // An SDK shows dates as such; on the wire they are seconds.
            (Value::String(wanted), Value::Number(_)) if wanted == "datetime" => {}
            (Value::String(wanted), Value::String(given)) => {
                if let Err(why) = self.matches(wanted, given) {
                    differences.push(format!("{at}: {given:?}, recorded is {wanted:?}{why}"));
                }
            }
            (Value::Number(wanted), Value::Number(given)) if wanted.as_f64() == given.as_f64() => {}
            (wanted, given) if wanted == given => {}
            (wanted, given) => differences.push(format!("{at}: {given}, recorded is {wanted}")),
        }
    }

    /// Whether a text matches a recorded one, whose placeholders are bound as they come.
    fn matches(&mut self, recorded: &str, given: &str) -> Result<(), String> {
        let recorded = recorded
            .replace("<region>", "us-east-1")
            .replace("<partition>", "aws")
            .replace("<model-base-url>", "https://apigateway.amazonaws.com")
            .replace("<log-group-arn>", "arn:aws:logs:us-east-1:111111111111:log-group:gateway-access-logs");
        if recorded.contains("date") && dates_masked(given) == recorded {
            return Ok(());
        }
        let (mut recorded, mut given) = (recorded.as_str(), given);
        while let Some((before, name, after)) = next_placeholder(recorded) {
            given = given.strip_prefix(before).ok_or("")?;
            let next = next_placeholder(after).map_or(after, |(literal, ..)| literal);
            let end = if next.is_empty() { given.len() } else { given.find(next).ok_or("")? };
            self.bind(name, &given[..end])?;
            (recorded, given) = (after, &given[end..]);
        }
        if recorded == given { Ok(()) } else { Err(String::new()) }
    }

    fn bind(&mut self, name: &str, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Err(", and an empty value is never masked".into());
        }
        if let Some(bound) = self.placeholders.get(name) {
            return if bound == value { Ok(()) } else { Err(format!(", which was {bound:?} before")) };
        }
        if let Some((other, _)) = self.placeholders.iter().find(|(_, bound)| *bound == value) {
            return Err(format!(", but the value is that of {other}"));
        }
        self.placeholders.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

/// A text with the word `date` for every date and time in it, as exports were recorded.
fn dates_masked(text: &str) -> String {
    let pattern = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    pattern.replace_all(text, "date").into_owned()
}

/// The text before the first placeholder `<word:1>`, its name, and the text after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('<')?;
        let end = start + text[start..].find('>')?;
        let name = &text[start + 1..end];
        let numbered = name.split_once(':').is_some_and(|(word, number)| {
            word.chars().all(|c| c.is_ascii_lowercase() || "-_".contains(c))
                && number.chars().all(|c| c.is_ascii_digit())
        });
        if numbered {
            return Some((&text[..start], name, &text[end + 1..]));
        }
        from = start + 1;
    }
}
