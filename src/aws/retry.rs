//! Waits for what AWS makes true only after a while: a new role that Lambda can't assume yet, an update in progress.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::{Instant, sleep};

use super::failure::{failed, is_ambiguous};
use super::pace::GivenUp;
use super::wait;
use crate::error::{Failure, Result};

/// An answer that means "not yet": an error code, and a part of its message.
pub type NotYet = (&'static str, &'static str);

/// Two writers met (aws-facts A): API Gateway asks to come back.
pub const CONCURRENT_MODIFICATION: NotYet = ("ConflictException", "concurrent modification");

/// Calls `operation` until it answers something other than one of `not_yet`, for at most `budget`. The pauses double from
/// half a second up to five: a role spreads through IAM in about ten seconds (aws-facts G). They end when the user wants the work
/// to end: what was not ready has had no effect.
pub async fn until_ready<T, E, R, F, Fut>(
    budget: Duration,
    not_yet: &[NotYet],
    mut operation: F,
) -> std::result::Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + Error,
    F: FnMut() -> Fut,
    Fut: Future<Output = std::result::Result<T, SdkError<E, R>>>,
{
    let deadline = Instant::now() + budget;
    let mut pause = Duration::from_millis(500);
    loop {
        let error = match operation().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let waits = not_yet
            .iter()
            .any(|(code, text)| error.code() == Some(code) && error.message().unwrap_or_default().contains(text));
        if !waits || Instant::now() + pause > deadline {
            return Err(error);
        }
        tracing::debug!("not ready yet, trying again in {pause:?}: {}", error.message().unwrap_or_default());
        if wait::pause(pause).await.is_err() {
            return Err(SdkError::construction_failure(GivenUp));
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// SDK-level retries off, for a create that would make a second resource if it were sent twice.
#[must_use]
pub fn once_apigateway() -> aws_sdk_apigateway::config::Builder {
    aws_sdk_apigateway::config::Builder::new().retry_config(aws_smithy_types::retry::RetryConfig::disabled())
}

/// The same for HTTP APIs.
#[must_use]
pub fn once_apigatewayv2() -> aws_sdk_apigatewayv2::config::Builder {
    aws_sdk_apigatewayv2::config::Builder::new().retry_config(aws_smithy_types::retry::RetryConfig::disabled())
}

/// Tries of a create whose answer is lost, within a minute. A refusal for the rate is no try ([`super::pace`]).
const CREATE_TRIES: u32 = 8;

/// Makes a resource exactly once, although AWS would make another one each time it is asked.
///
/// After an ambiguous failure (time-out, connection cut, 5xx) the create may have taken effect, so `find` looks for its result
/// before it is sent again.
pub async fn create_once<T, E, F, Fut, G, GFut>(doing: &str, mut create: F, find: G) -> Result<T>
where
    E: ProvideErrorMetadata + Error + 'static,
    F: FnMut() -> Fut,
    Fut: Future<Output = std::result::Result<T, SdkError<E, HttpResponse>>>,
    G: Fn() -> GFut,
    GFut: Future<Output = Result<Option<T>>>,
{
    let mut pause = Duration::from_secs(1);
    for attempt in 1.. {
        let error = match create().await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        let broken = error.raw_response().is_some_and(|response| response.status().is_server_error());
        if attempt == CREATE_TRIES || !(broken || is_ambiguous(&error)) {
            return Err(failed(doing, error));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
        if let Some(made) = find().await? {
            return Ok(made);
        }
    }
    Err(Failure::internal("a loop without end ended"))
}
