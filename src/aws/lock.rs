//! The lock of an environment in AWS: a log group whose tags say whose it is ([`crate::lock`]).
//!
//! AWS makes a log group once under a name, and refuses the second. It states no guarantee of how soon everybody sees that
//! (aws-facts J), and a call that is sent again after a lost answer is refused because of itself: so a lock is held only once its
//! own token was read back from it, and is looked at again every minute while it is held.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::failure::{is_ambiguous, is_not_found};
use super::{Aws, ReadAws, failed};
use crate::error::{Failure, FailureKind, Result};
use crate::lock::{self, HELD_BLINDLY, Holder, RENEWED_EVERY, VALID_FOR};
use crate::model::{Owner, Place};

/// A lock that is held.
#[derive(Debug)]
pub struct Lock {
    logs: aws_sdk_cloudwatchlogs::Client,
    place: Place,
    name: String,
    arn: String,
    holder: Holder,
}

/// What came of trying to take a lock.
#[derive(Debug)]
pub enum Taken {
    /// It is held now; `from` is whoever held it and gave no sign of life any more.
    Ours {
        /// The lock.
        lock: Box<Lock>,
        /// Who lost it.
        from: Option<Holder>,
    },
    /// Somebody else holds it.
    Theirs(Holder),
}

/// What is asked of AWS for it, by calls of the SDK.
pub const CALLS: &[&str] =
    &["logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:ListTagsForResource", "logs:TagResource"];

/// How often a lock is tried that is neither taken nor free: somebody gives it back at this moment, or others ask for it.
const TRIES: u32 = 8;

/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(250);

fn arn(place: &Place, name: &str) -> String {
    place.arn("logs", &place.region, &format!("log-group:{name}"))
}

/// Who holds the lock of an environment, if anybody does.
pub async fn holder(aws: &ReadAws, owner: &Owner) -> Result<Option<Holder>> {
    match look(&aws.clients.logs, &arn(&aws.place, &lock::name(owner))).await? {
        Seen::Nobody => Ok(None),
        Seen::Held(holder) => Ok(Some(*holder)),
        Seen::NoLock => Err(no_lock(&lock::name(owner))),
    }
}

/// Takes the lock of an environment, if nobody has it or whoever has it gives no sign of life any more.
pub async fn take(aws: &Aws, owner: &Owner, holder: Holder) -> Result<Taken> {
    let (name, logs) = (lock::name(owner), &aws.write.logs);
    let arn = arn(&aws.place, &name);
    let mut from = None;
    for _ in 0..TRIES {
        let made = make(logs, &name, &holder).await;
        let refused = matches!(made, Ok(false));
        // Whatever AWS answered: the token tells whose it is.
        let seen = match look(logs, &arn).await {
            Ok(seen) => seen,
            Err(failure) => {
                // Nobody else made it, and nobody can hold what can't be read.
                if matches!(made, Ok(true)) {
                    drop(delete(logs, &name).await);
                }
                return Err(failure.context(unverified(&name)));
            }
        };
        match seen {
            Seen::Held(other) if other.token == holder.token => {
                let lock = Lock { logs: logs.clone(), place: aws.place.clone(), name, arn, holder };
                return Ok(Taken::Ours { lock: Box::new(lock), from });
            }
            Seen::Held(other) if other.may_be_retired(Timestamp::now()) => {
                if !retire(aws, owner, &other, &holder).await? {
                    return Ok(Taken::Theirs(*other));
                }
                from = Some(*other);
            }
            Seen::Held(other) => return Ok(Taken::Theirs(*other)),
            // Somebody who may make log groups and may not tag them makes one without tags.
            Seen::NoLock if refused => return Err(no_lock(&name)),
            Seen::NoLock | Seen::Nobody => {
                made?;
                sleep(PAUSE).await;
            }
        }
    }
    Err(Failure::new(FailureKind::Aws, unverified(&name)).hint("run this again; nothing was changed"))
}

/// Takes a lock away from its holder, and whatever a succession that was cut off left. False if it is not theirs any more.
pub async fn take_away(aws: &Aws, owner: &Owner, holder: &Holder) -> Result<bool> {
    let logs = &aws.write.logs;
    let succession = lock::succession(owner, &holder.token);
    if let Seen::Held(heir) = look(logs, &arn(&aws.place, &succession)).await? {
        delete_if(logs, &aws.place, &succession, &heir.token).await?;
    }
    delete_if(logs, &aws.place, &lock::name(owner), &holder.token).await
}

/// Takes an expired lock away. False if somebody else is about to do so, or has done it.
async fn retire(aws: &Aws, owner: &Owner, expired: &Holder, heir: &Holder) -> Result<bool> {
    let logs = &aws.write.logs;
    let succession = lock::succession(owner, &expired.token);
    make(logs, &succession, heir).await?;
    let seen = look(logs, &arn(&aws.place, &succession)).await?;
    if !matches!(seen, Seen::Held(other) if other.token == heir.token) {
        return Ok(false);
    }
    let retired = delete_if(logs, &aws.place, &lock::name(owner), &expired.token).await;
    // Only now: as long as it stands, nobody else takes away what may be the next holder's.
    delete_if(logs, &aws.place, &succession, &heir.token).await?;
    retired
}

/// Whether the log group was made; false if it was there.
async fn make(logs: &aws_sdk_cloudwatchlogs::Client, name: &str, holder: &Holder) -> Result<bool> {
    let tags = holder.tags().into_iter().collect();
    match logs.create_log_group().log_group_name(name).set_tags(Some(tags)).send().await {
        Ok(_) => Ok(true),
        // The second is what it answers when requests race (API reference of CreateLogGroup).
        Err(error) if matches!(error.code(), Some("ResourceAlreadyExistsException" | "OperationAbortedException")) => {
            Ok(false)
        }
        Err(error) => Err(failed(&format!("take the lock `{name}`"), error)),
    }
}

/// Deletes a log group, sending the call once: sent again after a lost answer, it could meet what somebody else made meanwhile.
async fn delete(logs: &aws_sdk_cloudwatchlogs::Client, name: &str) -> Result<Sent> {
    let once = aws_sdk_cloudwatchlogs::config::Builder::new().retry_config(RetryConfig::disabled());
    match logs.delete_log_group().log_group_name(name).customize().config_override(once).send().await {
        Ok(_) => Ok(Sent::Done),
        Err(error) if is_not_found(&error) => Ok(Sent::Done),
        Err(error) if is_ambiguous(&error) || is_passing(&error) => {
            Ok(Sent::Unknown(failed(&format!("take the lock `{name}` away"), error)))
        }
        Err(error) => Err(failed(&format!("take the lock `{name}` away"), error)),
    }
}

/// Whether the same call may go through a moment later.
fn is_passing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    status.is_some_and(|status| status == 429 || status >= 500)
        || matches!(error.code(), Some("ThrottlingException" | "OperationAbortedException"))
}

/// What came of a call that is sent once.
enum Sent {
    Done,
    /// It may have taken effect or not, and is worth sending again.
    Unknown(Failure),
}

/// Deletes a log group as long as it is the lock of one token.
async fn delete_if(logs: &aws_sdk_cloudwatchlogs::Client, place: &Place, name: &str, token: &str) -> Result<bool> {
    let mut last = None;
    for _ in 0..TRIES {
        if !matches!(look(logs, &arn(place, name)).await?, Seen::Held(other) if other.token == token) {
            // Gone after a delete whose answer was lost is gone by our hand, as far as anybody can tell.
            return Ok(last.is_some());
        }
        match delete(logs, name).await? {
            Sent::Done => return Ok(true),
            Sent::Unknown(failure) => last = Some(failure),
        }
        sleep(PAUSE).await;
    }
    Err(last.unwrap_or_else(|| Failure::internal("a lock that was tried to be deleted and never was")))
}

/// What stands under the name of a lock.
enum Seen {
    Nobody,
    Held(Box<Holder>),
    /// Something without the tags of a lock.
    NoLock,
}

async fn look(logs: &aws_sdk_cloudwatchlogs::Client, arn: &str) -> Result<Seen> {
    match logs.list_tags_for_resource().resource_arn(arn).send().await {
        Ok(answer) => {
            let tags = answer.tags.unwrap_or_default().into_iter().collect();
            Ok(Holder::from_tags(&tags).map_or(Seen::NoLock, |holder| Seen::Held(Box::new(holder))))
        }
        Err(error) if is_not_found(&error) => Ok(Seen::Nobody),
        Err(error) => Err(failed(&format!("read the lock `{arn}`"), error)),
    }
}

fn unverified(name: &str) -> String {
    format!("failed to take the lock `{name}`: what stands there can't be told")
}

fn no_lock(name: &str) -> Failure {
    Failure::new(FailureKind::Ownership, format!("the log group `{name}` is no lock of gwctl"))
        .hint("it has not the tags of one: look who made it, and delete it if nobody needs it")
}

impl Lock {
    /// Whose it is.
    #[must_use]
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Gives signs of life until the lock is lost, and says why it is. What AWS does not answer for a while may pass.
    pub async fn kept_alive(&self) -> Failure {
        let mut certain = Instant::now();
        loop {
            sleep(RENEWED_EVERY).await;
            match self.renew().await {
                Ok(true) => certain = Instant::now(),
                Ok(false) => {
                    let message = format!("the lock `{}` was taken away or taken over", self.name);
                    return Failure::new(FailureKind::Refused, message)
                        .hint("somebody else may be at work there: look before you run this again");
                }
                Err(failure) if certain.elapsed() > HELD_BLINDLY => {
                    let minutes = certain.elapsed().as_secs() / 60;
                    return failure.context(format!("the lock `{}` could not be seen for {minutes} min", self.name));
                }
                Err(failure) => tracing::warn!("the lock `{}` could not be renewed: {failure}", self.name),
            }
        }
    }

    /// Whether it is still there, with a new sign of life in it.
    async fn renew(&self) -> Result<bool> {
        if !self.stands().await? {
            return Ok(false);
        }
        let holder = Holder { seen: Timestamp::now(), ..self.holder.clone() };
        let tag = self.logs.tag_resource().resource_arn(&self.arn);
        let tag = holder.sign_of_life().fold(tag, |tag, (key, value)| tag.tags(key, value));
        tag.send().await.map_err(|error| failed(&format!("renew the lock `{}`", self.name), error))?;
        Ok(true)
    }

    async fn stands(&self) -> Result<bool> {
        let seen = look(&self.logs, &self.arn).await?;
        Ok(matches!(seen, Seen::Held(other) if other.token == self.holder.token))
    }

    /// Gives it back. One that is no longer ours is left as it is.
    pub async fn give_back(self) -> Result<()> {
        let Self { logs, place, name, holder, .. } = &self;
        let given = delete_if(logs, place, name, &holder.token).await;
        given.map(drop).map_err(|failure| {
            let minutes = VALID_FOR.as_secs() / 60;
            failure
                .context(format!("the lock `{name}` was not given back"))
                .hint(format!("it expires in {minutes} min; `gwctl unlock` takes it away at once"))
        })
    }
}

#[cfg(test)]
mod tests;
