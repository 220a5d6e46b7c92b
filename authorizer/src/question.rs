//! From an event to a question for the auth service, and from its reply to a decision.

use std::fmt;

use serde_json::Value;

use crate::arn::MethodArn;
use crate::bearer;
use crate::event::Event;
use crate::{Allow, Channel, Denial, Settings};

/// `x-user-id` becomes a header of the request to the back end, where API Gateway takes 10,240 bytes of headers together.
const MAX_USER_ID: usize = 8192;

/// What to ask the auth service: one GET.
pub struct Question {
    url: String,
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
    let event = Event::read(payload).ok_or(Denial::failed("the event is not one of a REQUEST authorizer"))?;
    let arn = event.method_arn().and_then(MethodArn::read);
    let resource = arn.and_then(|arn| if settings.result_cached { arn.stage() } else { arn.method() });
    let resource = resource.ok_or(Denial::failed("the event has no usable methodArn"))?;

    let channel = settings.channel(&event.header("x-auth-channel"));
    let channel = channel.ok_or(Denial::Unauthorized("unknown channel"))?;
    let token = match event.header("authorization")[..] {
        [] => Err(Denial::Unauthorized("no token")),
        [header] => bearer::token(header).ok_or(Denial::Unauthorized("malformed token")),
        // Which of them the back end would look at is anybody's guess.
        _ => Err(Denial::Unauthorized("more than one authorization header")),
    }?;
    let url = format!("https://{}{}?token={}", settings.auth_host, channel.path, bearer::percent_encode(token));
    Ok(Question { url, token: token.to_owned(), resource, channel: channel.clone() })
}

impl Question {
    /// The URL to GET. It holds the token: never log it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of the channel, for the log.
    #[must_use]
    pub fn channel(&self) -> &'static str {
        self.channel.name
    }

    /// Turns the reply into the decision.
    ///
    /// Yes is status 200 with `{"code":"0","data":{"jwt":"…"}}`. No is status 401, or any other code with a status below
    /// 500. The rest decides nothing: a 403 of a proxy in between, say, must not send every user to the login page.
    pub fn judge(self, reply: &Reply<'_>) -> Result<Allow, Denial> {
        let status = reply.status;
        if status == 401 {
            return Err(Denial::Unauthorized("the auth service refused the token"));
        }
        let nonsense = |what: &str| Denial::failed(format!("the auth service answered {status} {what}"));
        if !matches!(status, 200 | 400..=499) {
            return Err(nonsense("instead of a decision"));
        }
        // The parser's own error quotes what it read, which may be a secret.
        let body: Value = serde_json::from_slice(reply.body).map_err(|_| nonsense("without a JSON body"))?;
        match (status, body.get("code").and_then(Value::as_str)) {
            (200, Some("0")) => {}
            (_, Some("0")) => return Err(nonsense("with the code of a success")),
            (_, Some(_)) => return Err(Denial::Unauthorized("the auth service refused the token")),
            (_, None) => return Err(nonsense("without a code")),
        }
        let user_id = body.pointer("/data/jwt").and_then(Value::as_str).filter(|jwt| is_header_value(jwt));
        let user_id = user_id.ok_or_else(|| nonsense("without a usable jwt"))?.to_owned();
        let Channel { auth_type, scope, .. } = self.channel;
        Ok(Allow { resource: self.resource, token: self.token, user_id, auth_type, scope })
    }
}

/// Whether a value can stand in a header as it is: visible ASCII, not empty, not too long.
fn is_header_value(text: &str) -> bool {
    (1..=MAX_USER_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
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
