//! The authorizer step of REST APIs: who asks, what the authorizer's function says of them, and for how long that holds
//! (aws-facts D).
//!
//! The pipeline asks in three steps: [`Authorizer::identity`] reads the request and may refuse it without a call;
//! [`Authorizer::authorize`] takes the answer from the [`Cache`] or calls the function through a [`Backend`]; the policy in
//! the [`Authorization`] is evaluated by the pipeline, on every request anew, because a cached policy is asked about other
//! methods than the one it was made for.

mod answer;
mod backend;
mod cache;
mod event;
mod identity;
mod permission;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use regex::Regex;
use tokio::time::Instant;

pub use answer::Answer;
pub use backend::{Backend, Endpoint};
pub use cache::{Cache, Whose};
pub use event::Asked;
pub use identity::{Identity, Key};
pub use permission::may_invoke;

use super::variables::Variables;
use crate::sandbox::apigateway::state::{self, Strings};
use backend::Called;
use identity::Source;

/// 401: an identity source is missing, or the function said `Unauthorized`.
pub const UNAUTHORIZED: &str = "UNAUTHORIZED";

/// 500: the function failed. So the documentation of gateway responses is read here (aws-facts D); some reports from the
/// live service have `AuthorizerConfigurationException` for any error of the function.
pub const FAILURE: &str = "AUTHORIZER_FAILURE";

/// 500: the function can't be called, or its answer can't be used.
pub const CONFIGURATION_ERROR: &str = "AUTHORIZER_CONFIGURATION_ERROR";

/// The only error message that API Gateway knows (aws-facts D).
const REFUSED: &str = "Unauthorized";

/// Seconds an answer is kept unless the authorizer says otherwise (aws-facts D).
const DEFAULT_TTL: i64 = 300;

/// An authorizer, ready to be asked.
#[derive(Debug, Clone)]
pub struct Authorizer {
    id: String,
    name: String,
    kind: Kind,
    uri: String,
    credentials: Option<String>,
    ttl: Duration,
}

#[derive(Debug, Clone)]
enum Kind {
    Request(Vec<Source>),
    Token(Source, Option<Regex>),
    /// What keeps it from being asked.
    Unusable(String),
}

/// A request that the authorizer knows something about.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// What the function answered: principal, policy, context, API key.
    pub answer: Arc<Answer>,
    /// Whether the answer was kept from an earlier request.
    pub cached: bool,
    /// How long the call took; none for a kept answer.
    pub latency: Option<Duration>,
}

/// A request that goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The type of the gateway response: [`UNAUTHORIZED`], [`FAILURE`] or [`CONFIGURATION_ERROR`].
    pub response_type: &'static str,
    /// Why, for the log. The client is not told.
    pub message: String,
    /// The status that Lambda answered with, if it did.
    pub status: Option<u16>,
    /// How long the call took, if there was one.
    pub latency: Option<Duration>,
}

impl Refusal {
    fn without_call(response_type: &'static str, message: impl Into<String>) -> Self {
        Self { response_type, message: message.into(), status: None, latency: None }
    }
}

/// What an authorizer is asked through.
pub struct Means<'a> {
    /// Answers of before.
    pub cache: &'a Cache,
    /// Where the function is.
    pub backend: &'a Backend,
    /// Whether the function with this ARN may be called, and why not: [`may_invoke`].
    pub permission: &'a (dyn Fn(&str) -> Result<(), String> + Sync),
    /// The X-Ray trace header of the request.
    pub trace_id: Option<&'a str>,
}

impl Authorizer {
    /// Reads an authorizer. One that can't be asked is one whose requests all end in [`CONFIGURATION_ERROR`].
    #[must_use]
    pub fn compile(authorizer: &state::Authorizer) -> Self {
        let ttl = authorizer.authorizer_result_ttl_in_seconds.unwrap_or(DEFAULT_TTL);
        Self {
            id: authorizer.id.clone(),
            name: authorizer.name.clone(),
            kind: kind(authorizer).unwrap_or_else(Kind::Unusable),
            uri: authorizer.authorizer_uri.clone().unwrap_or_default(),
            credentials: authorizer.authorizer_credentials.clone().filter(|role| !role.is_empty()),
            ttl: Duration::from_secs(ttl.try_into().unwrap_or_default()),
        }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role that API Gateway assumes for the call.
    #[must_use]
    pub fn credentials(&self) -> Option<&str> {
        self.credentials.as_deref()
    }

    /// The identity sources, as the authorizer names them.
    pub fn identity_sources(&self) -> impl Iterator<Item = &str> {
        let sources = match &self.kind {
            Kind::Request(sources) => sources.as_slice(),
            Kind::Token(source, _) => std::slice::from_ref(source),
            Kind::Unusable(_) => &[],
        };
        sources.iter().map(|source| source.text.as_str())
    }

    /// How long an answer is kept.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// The ARN of the function, once the stage variables in it are known; none if one of them is not set.
    #[must_use]
    pub fn function(&self, stage_variables: &Strings) -> Option<String> {
        let (_, path) = self.uri.split_once("/functions/")?;
        let mut rest = path.strip_suffix("/invocations")?;
        let mut arn = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once("${stageVariables.") {
            let (name, behind) = after.split_once('}')?;
            arn.push_str(before);
            arn.push_str(stage_variables.get(name)?);
            rest = behind;
        }
        arn.push_str(rest);
        Some(arn)
    }

    /// What a request says of who sent it. Pure; the first step.
    #[must_use]
    pub fn identity(&self, variables: &dyn Variables) -> Identity {
        match &self.kind {
            Kind::Unusable(_) => Identity::Present(Key::default()),
            Kind::Request(sources) => {
                let mut key = Vec::with_capacity(sources.len());
                match sources.iter().find(|source| !source.collect(variables, &mut key)) {
                    Some(missing) => Identity::Missing { expression: missing.text.clone() },
                    None => Identity::Present(Key(key)),
                }
            }
            Kind::Token(source, validation) => {
                let mut key = Vec::with_capacity(1);
                if !source.collect(variables, &mut key) {
                    return Identity::Missing { expression: source.text.clone() };
                }
                match validation {
                    Some(expression) if !key.first().is_some_and(|token| expression.is_match(token)) => {
                        Identity::NotValid
                    }
                    _ => Identity::Present(Key(key)),
                }
            }
        }
    }

    /// Finds out what the function says of a request: from the cache, or by calling it.
    ///
    /// # Errors
    ///
    /// The gateway response that the client gets instead.
    pub async fn authorize(
        &self,
        identity: &Identity,
        asked: &Asked<'_>,
        means: &Means<'_>,
    ) -> Result<Authorization, Refusal> {
        let key = match identity {
            Identity::Missing { expression } => {
                let message = format!("the identity source {expression} is missing or empty");
                return Err(Refusal::without_call(UNAUTHORIZED, message));
            }
            Identity::NotValid => {
                let message = "the token does not match the authorizer's validation expression";
                return Err(Refusal::without_call(UNAUTHORIZED, message));
            }
            Identity::Present(key) => key,
        };
        if let Kind::Unusable(why) = &self.kind {
            return Err(Refusal::without_call(CONFIGURATION_ERROR, why));
        }
        let whose = Whose { api: asked.api.into(), stage: asked.stage.into(), authorizer: self.id.clone() };
        if !self.ttl.is_zero()
            && let Some(answer) = means.cache.get(&whose, key)
        {
            return Ok(Authorization { answer, cached: true, latency: None });
        }
        let (answer, latency) = self.call(key, asked, means).await?;
        // Answers count from when they came, and only answers: an error is asked again.
        means.cache.put(&whose, key, Arc::clone(&answer), self.ttl);
        Ok(Authorization { answer, cached: false, latency: Some(latency) })
    }

    async fn call(&self, key: &Key, asked: &Asked<'_>, means: &Means<'_>) -> Result<(Arc<Answer>, Duration), Refusal> {
        let function = self.function(asked.stage_variables).ok_or_else(|| {
            let message = format!("{} names no function on stage {}", self.uri, asked.stage);
            Refusal::without_call(CONFIGURATION_ERROR, message)
        })?;
        if matches!(means.backend, Backend::Sandbox { .. }) {
            (means.permission)(&function).map_err(|why| Refusal::without_call(CONFIGURATION_ERROR, why))?;
        }
        let event = match &self.kind {
            Kind::Token(..) => event::token(asked, key.token()),
            Kind::Request(_) | Kind::Unusable(_) => event::request(asked),
        };
        let begun = Instant::now();
        let called = means.backend.call(&function, Bytes::from(event.to_string()), means.trace_id).await;
        let latency = begun.elapsed();
        let refused =
            |response_type, message, status| Refusal { response_type, message, status, latency: Some(latency) };
        match called {
            // Lambda's own status is 200 for a function that failed, too.
            Called::Answered(payload) => match Answer::parse(&payload) {
                Ok(answer) => Ok((Arc::new(answer), latency)),
                Err(why) => Err(refused(CONFIGURATION_ERROR, why, Some(200))),
            },
            Called::Failed(error) if error.error_message == REFUSED => {
                Err(refused(UNAUTHORIZED, "the authorizer said Unauthorized".to_owned(), Some(200)))
            }
            Called::Failed(error) => {
                let message = format!("the authorizer failed: {}: {}", error.error_type, error.error_message);
                Err(refused(FAILURE, message, Some(200)))
            }
            Called::Lost(why) => Err(refused(FAILURE, why, None)),
            Called::Nowhere(why) => Err(refused(CONFIGURATION_ERROR, why, None)),
        }
    }
}

fn kind(authorizer: &state::Authorizer) -> Result<Kind, String> {
    let sources = authorizer.identity_source.as_deref().unwrap_or_default();
    let parse = |text: &str| Source::parse(text).ok_or_else(|| format!("`{text}` is no identity source"));
    match authorizer.r#type.as_str() {
        "REQUEST" => {
            let sources = sources.split(',').filter(|source| !source.trim().is_empty());
            Ok(Kind::Request(sources.map(parse).collect::<Result<_, _>>()?))
        }
        "TOKEN" => {
            let expression = authorizer.identity_validation_expression.as_deref().filter(|text| !text.is_empty());
            // The whole token has to match: the guide's own example is `Bearer.*`.
            // Compiled bare as well: a bracket that closes nothing must not close the one around it.
            let compile = |text| Regex::new(text).and_then(|_| Regex::new(&format!("^(?:{text})$")));
            let expression = expression.map(compile).transpose().map_err(|error| {
                format!("the validation expression of the authorizer is not one that can be used here: {error}")
            })?;
            Ok(Kind::Token(parse(sources)?, expression))
        }
        other => Err(format!("authorizers of type {other} can't be asked here: the sandbox has no user pools")),
    }
}

#[cfg(test)]
mod tests;
