//! From an event to a question for the auth service, and from its reply to a decision.

use std::fmt;

use serde_json::Value;

use super::channel::{Channel, TokenPlace, is_scalar};
use super::settings::Settings;
use crate::allow::Allow;
use crate::bearer;
use crate::denial::{Cause, Denial};
use crate::event::Event;

/// What to ask the auth service: one GET.
pub struct Question {
    url: String,
    header: Option<(String, String)>,
    token: String,
    resource: String,
    channel: Channel,
}

/// What the auth service said.
pub struct Reply<'a> {
    /// HTTP status.
    pub status: u16,
    /// Body, as it came.
    pub body: &'a [u8],
}

/// Turns an event into the question to ask, or denies at once.
pub fn ask(settings: &Settings, payload: &Value) -> Result<Question, Denial> {
    let event = Event::read(payload)?;
    let resource = event.resource(settings.result_cached)?;
    let channel = settings.channels.choose(&event.header("x-auth-channel")).map_err(Denial::Unauthorized)?;
    let token = bearer::token_of(event)?;
    let host = channel.host.as_ref().unwrap_or(&settings.auth_host);
    let mut url = format!("https://{host}{}", channel.path);
    let header = match &channel.token_in {
        TokenPlace::Query(name) => {
            url = format!("{url}?{name}={}", bearer::percent_encode(token));
            None
        }
        TokenPlace::Header(name) if name == "authorization" => Some((name.clone(), format!("Bearer {token}"))),
        TokenPlace::Header(name) => Some((name.clone(), token.to_owned())),
    };
    Ok(Question { url, header, token: token.to_owned(), resource, channel: channel.clone() })
}

impl Question {
    /// The URL to GET. It may hold the token: never log it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The header that holds the token, where it does not stand in the URL.
    #[must_use]
    pub fn header(&self) -> Option<(&str, &str)> {
        self.header.as_ref().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The name of the channel, for the log.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel.name
    }

    /// Turns the reply into the decision.
    ///
    /// Yes is status 200 with the channel's member at its value. No is status 401, or the member at another value with a
    /// status of 200 or 4xx. The rest decides nothing: a 403 of a proxy in between, say, must not send every user to the
    /// login page.
    pub fn judge(self, reply: &Reply<'_>) -> Result<Allow, Denial> {
        let status = reply.status;
        if status == 401 {
            return Err(Denial::Unauthorized("the auth service refused the token"));
        }
        let nonsense =
            |what: &str| Denial::failed(Cause::Nonsense, format!("the auth service answered {status} {what}"));
        if !matches!(status, 200 | 400..=499) {
            return Err(nonsense("instead of a decision"));
        }
        // The parser's own error quotes what it read, which may be a secret.
        let body: Value = serde_json::from_slice(reply.body).map_err(|_| nonsense("without a JSON body"))?;
        let yes = &self.channel.yes_when;
        match (status, body.pointer(&yes.pointer).filter(|value| is_scalar(value))) {
            (200, Some(value)) if *value == yes.equals => {}
            (_, Some(value)) if *value == yes.equals => return Err(nonsense("and yet says yes")),
            (_, Some(_)) => return Err(Denial::Unauthorized("the auth service refused the token")),
            (_, None) => return Err(nonsense(&format!("without a value at {}", yes.pointer))),
        }
        let Channel { name, user_id, scope, mut context, .. } = self.channel;
        let id = body.pointer(&user_id).and_then(text).filter(|id| is_plain(id, false));
        let id = id.ok_or_else(|| nonsense(&format!("without a usable user id at {user_id}")))?;
        if let Some(pointer) = scope {
            let found = match body.pointer(&pointer).filter(|value| !value.is_null()) {
                Some(value) => text(value).filter(|scope| is_plain(scope, true)),
                // Only where nothing is said: an empty list is no scope at all, and not the usual one.
                None => context.get("x-user-scope").cloned(),
            };
            match found {
                Some(scope) => context.insert("x-user-scope".to_owned(), scope),
                None => return Err(nonsense(&format!("without a usable scope at {pointer}"))),
            };
        }
        let principal = context.get("x-auth-type").unwrap_or(&name).clone();
        let own = [("x-user-token", self.token), ("x-user-id", id), ("x-auth-channel", name)];
        context.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Allow::new(principal, self.resource, context)
            .ok_or_else(|| nonsense("with more than API Gateway passes on to a back end"))
    }
}

/// A value of an answer as text: a string, a whole number, or the strings of a list with a space between, as OAuth
/// writes scopes.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            items.map(|items| items.join(" "))
        }
        _ => None,
    }
}

/// Whether a value can stand in a header as it is: visible ASCII, not empty. Blanks inside are for lists.
fn is_plain(text: &str, blanks: bool) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() || (blanks && byte == b' ');
    !text.is_empty() && text.bytes().all(plain) && text.trim() == text
}

/// Without the token, so without the URL too.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("channel", &self.channel.name)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// Without the body.
impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
