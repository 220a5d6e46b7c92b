//! Channels: the kinds of tokens, and for each what to ask the auth service and how to read its answer. All of it is
//! configuration, so that a new kind of token needs no code.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::settings::{host, is_path};
use crate::fault::{Fault, step};

/// The channel of a request that names none.
pub const DEFAULT_CHANNEL: &str = "default";

/// The variable that holds the channels.
pub(super) const VARIABLE: &str = "AUTH_CHANNELS";

/// What the functions put into the context themselves.
const RESERVED: [&str; 3] = ["x-user-token", "x-user-id", "x-auth-channel"];

/// One kind of token and the part of the auth service that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The value of `x-auth-channel` that asks for it.
    pub name: String,
    /// A host of its own, in the form of `AUTH_HOST`.
    pub host: Option<String>,
    /// Path of the auth service, below its host.
    pub path: String,
    /// Where the token goes in the question.
    pub token_in: TokenPlace,
    /// What makes an answer a yes.
    pub yes_when: YesWhen,
    /// Pointer (RFC 6901) to the user's id in a yes: `/data/jwt`.
    pub user_id: String,
    /// Pointer to the scope in a yes: a string, or a list of strings. Without one, or where it leads nowhere
    /// or to null, `x-user-scope` of the context counts.
    pub scope: Option<String>,
    /// What the back end is told besides, the same for every user. `x-auth-type` is always in it.
    pub context: BTreeMap<String, String>,
}

/// Where the token goes in the question for the auth service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// A parameter of the query, percent-encoded: `query:token`.
    Query(String),
    /// A header: `header:x-token`. In `authorization` it follows `Bearer `.
    Header(String),
}

/// What makes an answer a yes: a member with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YesWhen {
    /// Pointer (RFC 6901) to the member.
    pub pointer: String,
    /// Its value in a yes: a string, a number, or a boolean. Another one of these is a no.
    pub equals: Value,
}

/// What to do with a channel that is not configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownChannel {
    /// 401: a token of one kind must not be checked by the rules of another.
    Refuse,
    /// Taken for the default channel.
    Default,
}

/// All channels of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channels {
    all: Vec<Channel>,
    /// What to do with any other.
    pub unknown: UnknownChannel,
    /// Whether a request has to name its channel, the default one included.
    pub required: bool,
}

impl Channels {
    /// The channels of an `AUTH_CHANNELS` object, each laid on what a channel is without further words: `path` of
    /// the auth service, the token in the query, a yes by `/code` = `"0"`, the id from `/data/jwt`.
    pub(super) fn read(object: &Value, path: &str, faults: &mut Vec<Fault>) -> Self {
        let fault = |pointer: &str, message: &str, hint: &str| Fault {
            variable: VARIABLE,
            pointer: pointer.to_owned(),
            message: message.to_owned(),
            hint: hint.to_owned(),
        };
        let mut channels = Self { all: Vec::new(), unknown: UnknownChannel::Refuse, required: false };
        let Some(object) = object.as_object() else {
            faults.push(fault("", "is no object", r#"write {"default": {}, "mobile-app": {…}}"#));
            return channels;
        };
        if object.is_empty() {
            faults.push(fault("", "is empty", "name a channel, or leave the whole of it out"));
        }
        for (name, value) in object {
            let pointer = format!("/{}", step(name));
            // What stands in a header, as it is; nothing that looks like another name at a glance.
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                faults.push(fault(&pointer, "can't name a channel", "use a-z, 0-9, `-`, `.` and `_`, at most 64"));
            }
            match value.as_object() {
                Some(members) => channels.all.push(Reader { members, pointer, faults: &mut *faults }.read(name, path)),
                None => faults.push(fault(&pointer, "is no object", "write {} for a channel like the default")),
            }
        }
        channels
    }

    /// The one channel of a function without `AUTH_CHANNELS`.
    pub(super) fn only_default(path: &str) -> Self {
        let context = [("x-auth-type", "standard"), ("x-user-scope", "customer")];
        let all = vec![Channel {
            name: DEFAULT_CHANNEL.to_owned(),
            host: None,
            path: path.to_owned(),
            token_in: TokenPlace::default(),
            yes_when: YesWhen::default(),
            user_id: USER_ID.to_owned(),
            scope: None,
            context: context.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }];
        Self { all, unknown: UnknownChannel::Refuse, required: false }
    }

    /// The channel of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Channel> {
        self.all.iter().find(|channel| channel.name == name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.all.iter()
    }

    /// The channel that a request asks for with its values of `x-auth-channel`; otherwise why it gets none.
    pub(super) fn choose(&self, names: &[&str]) -> Result<&Channel, &'static str> {
        let (name, missing) = match names {
            [] | [""] if self.required => return Err("no channel"),
            [] | [""] => (DEFAULT_CHANNEL, "no channel"),
            [name] => (*name, "unknown channel"),
            // Which of them the back end would look at is anybody's guess.
            _ => return Err("more than one x-auth-channel header"),
        };
        let default = || (self.unknown == UnknownChannel::Default).then(|| self.get(DEFAULT_CHANNEL)).flatten();
        self.get(name).or_else(default).ok_or(missing)
    }
}

const USER_ID: &str = "/data/jwt";

impl Default for TokenPlace {
    fn default() -> Self {
        Self::Query("token".to_owned())
    }
}

impl Default for YesWhen {
    fn default() -> Self {
        Self { pointer: "/code".to_owned(), equals: Value::String("0".to_owned()) }
    }
}

/// Reads one channel.
struct Reader<'a> {
    members: &'a Map<String, Value>,
    pointer: String,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn read(mut self, name: &str, path: &str) -> Channel {
        const KNOWN: [&str; 7] = ["host", "path", "token_in", "yes_when", "user_id", "scope", "context"];
        for key in self.members.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
            self.fault(key, "is unknown", &format!("a channel has {}", KNOWN.join(", ")));
        }
        let host_hint = "write a host with an optional port and path, such as auth.example.com/dev";
        let channel = Channel {
            name: name.to_owned(),
            host: self.text("host", host_hint, host),
            path: self
                .text("path", "write a path that begins with / and has no query", |text| {
                    is_path(text).then(|| text.to_owned())
                })
                .unwrap_or_else(|| path.to_owned()),
            token_in: self
                .text("token_in", "write `query:NAME` or `header:NAME`", TokenPlace::parse)
                .unwrap_or_default(),
            yes_when: self.yes_when(),
            user_id: self.pointer_at("user_id").unwrap_or_else(|| USER_ID.to_owned()),
            scope: self.pointer_at("scope"),
            context: self.context(name),
        };
        if channel.scope.is_none() && !channel.context.contains_key("x-user-scope") {
            // A route maps the header from the context; where there is nothing to map, a client's own would go through.
            let hint = "add `scope`, a pointer into the answer, or `x-user-scope` to `context`";
            self.fault_at(&[], "gives no scope", hint);
        }
        channel
    }

    fn fault(&mut self, key: &str, message: &str, hint: &str) {
        self.fault_at(&[key], message, hint);
    }

    fn fault_at(&mut self, steps: &[&str], message: &str, hint: &str) {
        let pointer = steps.iter().fold(self.pointer.clone(), |pointer, name| pointer + "/" + &step(name));
        self.faults.push(Fault { variable: VARIABLE, pointer, message: message.to_owned(), hint: hint.to_owned() });
    }

    /// A text that `parse` takes; `None` when it isn't there, or wrong.
    fn text<T>(&mut self, key: &str, hint: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.members.get(key)?;
        let parsed = value.as_str().and_then(parse);
        if parsed.is_none() {
            self.fault(key, &format!("is {value}"), hint);
        }
        parsed
    }

    fn pointer_at(&mut self, key: &str) -> Option<String> {
        self.text(key, "write a JSON pointer, such as /data/jwt", |text| is_pointer(text).then(|| text.to_owned()))
    }

    fn yes_when(&mut self) -> YesWhen {
        let hint = r#"write {"pointer": "/code", "equals": "0"}"#;
        let Some(value) = self.members.get("yes_when") else { return YesWhen::default() };
        let found = value.as_object().filter(|members| members.len() == 2).and_then(|members| {
            let pointer = members.get("pointer")?.as_str().filter(|text| is_pointer(text))?;
            let equals = members.get("equals").filter(|value| is_scalar(value))?;
            Some(YesWhen { pointer: pointer.to_owned(), equals: equals.clone() })
        });
        if found.is_none() {
            self.fault("yes_when", "is no pointer with a string, number or boolean to equal", hint);
        }
        found.unwrap_or_default()
    }

    fn context(&mut self, name: &str) -> BTreeMap<String, String> {
        let mut context = BTreeMap::from([("x-auth-type".to_owned(), name.to_owned())]);
        let Some(value) = self.members.get("context") else { return context };
        let Some(members) = value.as_object() else {
            self.fault("context", "is no object", r#"write {"x-auth-type": "wechat"}"#);
            return context;
        };
        let mut wrong = Vec::new();
        for (key, value) in members {
            let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if key.is_empty() || !key.bytes().all(name) {
                wrong.push((key, "can't name a value of the context", "use letters, digits, `-` and `_`"));
            } else if RESERVED.contains(&key.to_ascii_lowercase().as_str()) {
                wrong.push((key, "is set by the authorizer itself", "leave it out"));
            } else if !value.as_str().is_some_and(is_header_value) {
                wrong.push((key, "can't stand in a header", "write a string of visible ASCII, at most 1024"));
            }
            // A wrong one is there all the same, and is not said to be missing as well.
            context.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        for (key, message, hint) in wrong {
            self.fault_at(&["context", key], message, hint);
        }
        context
    }
}

impl TokenPlace {
    fn parse(text: &str) -> Option<Self> {
        let (place, name) = text.split_once(':')?;
        // The tokens of RFC 9110 that need no escape in a query either.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return None;
        }
        match place {
            "query" => Some(Self::Query(name.to_owned())),
            // What the client of the auth service sets itself.
            "header"
                if ["host", "connection", "content-length", "transfer-encoding", "x-amzn-trace-id"]
                    .contains(&name.to_ascii_lowercase().as_str()) =>
            {
                None
            }
            "header" => Some(Self::Header(name.to_ascii_lowercase())),
            _ => None,
        }
    }
}

/// RFC 6901; the empty one, which is the whole answer, is of no use here.
fn is_pointer(text: &str) -> bool {
    text.starts_with('/') && text.split('~').skip(1).all(|after| after.starts_with(['0', '1']))
}

pub(super) fn is_scalar(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

fn is_header_value(text: &str) -> bool {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (1..=1024).contains(&text.len()) && visible && text.trim() == text
}
