//! Lines that gwctl itself keeps in CloudWatch Logs.

use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use super::failure::is_not_found;
use super::{Aws, ReadAws, failed};
use crate::error::{Failure, Result};

/// What adding a line asks.
pub const APPEND: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

/// Adds a line to a log stream, which is made if it is not there. An answer that was lost leaves the line there twice: the
/// reader has to know it again.
pub async fn append(aws: &Aws, group: &str, stream: &str, line: &str) -> Result<()> {
    let doing = format!("write to the log stream `{stream}` of `{group}`");
    let event = InputLogEvent::builder().timestamp(jiff::Timestamp::now().as_millisecond()).message(line).build();
    let event = event.map_err(|error| Failure::internal("a log event can't be built").because(&error))?;
    let logs = &aws.write.logs;
    let put = || logs.put_log_events().log_group_name(group).log_stream_name(stream).log_events(event.clone()).send();
    let rejected = match put().await {
        Ok(answer) => answer.rejected_log_events_info,
        Err(error) if is_not_found(&error) => {
            let made = logs.create_log_stream().log_group_name(group).log_stream_name(stream).send().await;
            match made {
                Err(error)
                    if error.as_service_error().is_some_and(aws_sdk_cloudwatchlogs::operation::create_log_stream::CreateLogStreamError::is_resource_already_exists_exception) => {}
                made => drop(made.map_err(|error| failed(&doing, error))?),
            }
            put().await.map_err(|error| failed(&doing, error))?.rejected_log_events_info
        }
        Err(error) => return Err(failed(&doing, error)),
    };
    match rejected {
        None => Ok(()),
        // The clock of this machine is more than two hours fast or two weeks slow (API reference of PutLogEvents).
        Some(_) => {
            Err(Failure::new(crate::error::FailureKind::Aws, format!("failed to {doing}: AWS rejected its time"))
                .hint("set the clock of this machine"))
        }
    }
}

/// How many pages of a log stream are read back, each of 1 MB at most: a bound, for a stream that somebody fills with other things.
const PAGES: usize = 20;

/// What reading lines asks.
pub const LAST: &[&str] = &["logs:GetLogEvents"];

/// The last lines of a log stream that are wanted, at least `most` if there are so many, the oldest first; nothing where there is no
/// such group or stream.
pub async fn last(
    aws: &ReadAws,
    group: &str,
    stream: &str,
    most: usize,
    is_wanted: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..PAGES {
        let limit = i32::try_from(most.clamp(100, 10_000)).unwrap_or(10_000);
        let ask = aws.clients.logs.get_log_events().log_group_name(group).log_stream_name(stream);
        let ask = ask.start_from_head(false).limit(limit).set_next_token(token.clone());
        let answer = match ask.send().await {
            Ok(answer) => answer,
            Err(error) if is_not_found(&error) => return Ok(lines),
            Err(error) => return Err(failed(&format!("read the log stream `{stream}` of `{group}`"), error)),
        };
        let events = answer.events.unwrap_or_default();
        let messages = events.into_iter().filter_map(|event| event.message);
        let mut page: Vec<String> = messages.filter(|message| is_wanted(message)).collect();
        page.append(&mut lines);
        lines = page;
        if lines.len() >= most {
            return Ok(lines);
        }
        // The same token again says that there is nothing more that way (API reference of GetLogEvents). Pages may be empty
        // before that.
        if answer.next_backward_token.is_none() || answer.next_backward_token == token {
            return Ok(lines);
        }
        token = answer.next_backward_token;
    }
    Ok(lines)
}
