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
use tokio::time::{Instant, sleep, timeout};

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

/// How often a holder looks at the clock.
const LOOKS_UP_EVERY: Duration = Duration::from_secs(5);

/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(250);

fn arn(place: &Place, name: &str) -> String {
    place.arn("logs", &place.region, &format!("log-group:{name}"))
}

/// Who holds the lock of an environment, if anybody does.
///
/// # Errors
///
/// What AWS refuses, and a log group of that name that is no lock.
pub async fn holder(aws: &ReadAws, owner: &Owner) -> Result<Option<Holder>> {
    match look(&aws.clients.logs, &arn(&aws.place, &lock::name(owner))).await? {
        Seen::Nobody => Ok(None),
        Seen::Held(holder) => Ok(Some(*holder)),
        Seen::NoLock => Err(no_lock(&lock::name(owner))),
    }
}

/// Takes the lock of an environment, if nobody has it or whoever has it gives no sign of life any more.
///
/// # Errors
///
/// What AWS refuses, and a log group of that name that is no lock. No lock is left then, unless what became of a call can't be told:
/// such a one expires as every other.
pub async fn take(aws: &Aws, owner: &Owner, mut holder: Holder) -> Result<Taken> {
    let (name, logs) = (lock::name(owner), &aws.write.logs);
    let arn = arn(&aws.place, &name);
    let mut from = None;
    let mut why = Failure::new(FailureKind::Aws, unverified(&name)).hint("run this again; nothing was changed");
    for _ in 0..TRIES {
        let made = make(logs, &name, &holder).await;
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
                let lock = Lock { logs: logs.clone(), place: aws.place.clone(), name, arn, holder: *other };
                return Ok(Taken::Ours { lock: Box::new(lock), from });
            }
            Seen::Held(other) if other.may_be_retired(Timestamp::now()) => {
                holder.after = Some(other.token.clone());
                if !inherit(aws, &name, &other, &holder).await? {
                    return Ok(Taken::Theirs(*other));
                }
                from = Some(*other);
                continue;
            }
            Seen::Held(other) => return Ok(Taken::Theirs(*other)),
            // Somebody who may make log groups and may not tag them makes one without tags; and those of one that was just made
            // may not be there for everybody yet.
            Seen::NoLock => why = no_lock(&name),
            Seen::Nobody => drop(made?),
        }
        sleep(PAUSE).await;
    }
    Err(why)
}

/// Takes a lock away from its holder, and whatever take-overs that were cut off left. False if it is not theirs any more.
///
/// # Errors
///
/// What AWS refuses; the lock may stand then.
pub async fn take_away(aws: &Aws, owner: &Owner, holder: &Holder) -> Result<bool> {
    clear(aws, &lock::name(owner), holder).await
}

/// Deletes what a holder holds, first whatever leads to it.
async fn clear(aws: &Aws, name: &str, holder: &Holder) -> Result<bool> {
    let logs = &aws.write.logs;
    let succession = lock::succession(name, &holder.token);
    if let Seen::Held(heir) = look(logs, &arn(&aws.place, &succession)).await? {
        Box::pin(clear(aws, &succession, &heir)).await?;
    }
    settle(logs, &aws.place, name, holder).await?;
    delete_if(logs, &aws.place, name, &holder.token).await
}

/// Takes over what a dead holder has: the heir's tags replace the dead one's. It never ceases to be there, so that nobody else gets it
/// meanwhile, and what is left when the heir dies too is known by its tags. False if somebody else is about to do so, or has done it.
async fn inherit(aws: &Aws, name: &str, dead: &Holder, heir: &Holder) -> Result<bool> {
    let logs = &aws.write.logs;
    let succession = lock::succession(name, &dead.token);
    make(logs, &succession, heir).await?;
    match look(logs, &arn(&aws.place, &succession)).await? {
        Seen::Held(other) if other.token == heir.token => {}
        // An heir that died before it came into its own.
        Seen::Held(other) if other.may_be_retired(Timestamp::now()) => {
            let heir = Holder { after: Some(other.token.clone()), ..heir.clone() };
            if !Box::pin(inherit(aws, &succession, &other, &heir)).await? {
                return Ok(false);
            }
        }
        _ => return Ok(false),
    }
    settle(logs, &aws.place, name, dead).await?;
    let arn = arn(&aws.place, name);
    let is_theirs = matches!(look(logs, &arn).await?, Seen::Held(other) if other.token == dead.token);
    if is_theirs {
        let tags = heir.tags().into_iter().collect();
        let tagged = logs.tag_resource().resource_arn(&arn).set_tags(Some(tags)).send().await;
        tagged.map_err(|error| failed(&format!("take over the lock `{name}`"), error))?;
    }
    // One that stays is known by the tags of the new holder, and goes with the lock.
    if let Err(failure) = delete_if(logs, &aws.place, &succession, &heir.token).await {
        tracing::warn!("{failure}");
    }
    Ok(is_theirs)
}

/// Deletes what says that a holder might take over what it has now.
async fn settle(logs: &aws_sdk_cloudwatchlogs::Client, place: &Place, name: &str, holder: &Holder) -> Result<()> {
    let Some(before) = &holder.after else { return Ok(()) };
    delete_if(logs, place, &lock::succession(name, before), &holder.token).await.map(drop)
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
        match look(logs, &arn(place, name)).await? {
            Seen::Held(other) if other.token == token => match delete(logs, name).await? {
                Sent::Done => return Ok(true),
                Sent::Unknown(failure) => last = Some(failure),
            },
            // Gone after a delete whose answer was lost is gone by our hand, as far as anybody can tell.
            Seen::Held(_) | Seen::Nobody => return Ok(last.is_some()),
            Seen::NoLock => last = Some(no_lock(name)),
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

    /// Gives signs of life until the lock is lost, and says why it is. What AWS does not answer for a while may pass; what took
    /// longer, be it that AWS could not be reached or that the machine slept, may have cost the lock.
    pub async fn kept_alive(&self) -> Failure {
        let mut certain = Moment::now();
        let mut next = certain.later(RENEWED_EVERY);
        loop {
            let left = HELD_BLINDLY.saturating_sub(certain.elapsed());
            if left.is_zero() {
                let minutes = certain.elapsed().as_secs() / 60;
                let message = format!("the lock `{}` could not be seen for {minutes} min", self.name);
                return Failure::new(FailureKind::Aws, message)
                    .hint("somebody else may be at work there: look before you run this again");
            }
            if Instant::now() < next {
                // Timers stand still while a machine sleeps: a short one tells soon that it has.
                sleep(LOOKS_UP_EVERY).await;
                continue;
            }
            let begun = Moment::now();
            next = begun.later(RENEWED_EVERY);
            match timeout(left, self.renew()).await {
                // As of when it was begun: that is what the sign of life says.
                Ok(Ok(true)) => certain = begun,
                Ok(Ok(false)) => return self.is_lost(),
                Ok(Err(failure)) => tracing::warn!("the lock `{}` could not be renewed: {failure}", self.name),
                Err(_) => tracing::warn!("the lock `{}` could not be renewed: AWS does not answer", self.name),
            }
        }
    }

    /// Why work under it ends: it is another's.
    #[must_use]
    pub fn is_lost(&self) -> Failure {
        let message = format!("the lock `{}` was taken away or taken over", self.name);
        Failure::new(FailureKind::Refused, message)
            .hint("somebody else may be at work there: look before you run this again")
    }

    /// Whether it is still there, with a new sign of life in it.
    async fn renew(&self) -> Result<bool> {
        let holder = Holder { seen: Timestamp::now(), ..self.holder.clone() };
        if !self.stands().await? {
            return Ok(false);
        }
        let tag = self.logs.tag_resource().resource_arn(&self.arn);
        let tag = holder.sign_of_life().fold(tag, |tag, (key, value)| tag.tags(key, value));
        tag.send().await.map_err(|error| failed(&format!("renew the lock `{}`", self.name), error))?;
        Ok(true)
    }

    async fn stands(&self) -> Result<bool> {
        let seen = look(&self.logs, &self.arn).await?;
        Ok(matches!(seen, Seen::Held(other) if other.token == self.holder.token))
    }

    /// Gives it back. One that is no longer ours is left as it is, and false.
    ///
    /// # Errors
    ///
    /// What AWS refuses; the lock may stand then, until it expires.
    pub async fn give_back(self) -> Result<bool> {
        let Self { logs, place, name, holder, .. } = &self;
        let given = async {
            settle(logs, place, name, holder).await?;
            delete_if(logs, place, name, &holder.token).await
        };
        given.await.map_err(|failure| {
            let minutes = VALID_FOR.as_secs() / 60;
            failure
                .context(format!("the lock `{name}` was not given back"))
                .hint(format!("it expires in {minutes} min; `gwctl unlock` takes it away at once"))
        })
    }
}

/// A moment, by a clock that nobody sets and by one that does not stand still while the machine sleeps.
#[derive(Debug, Clone, Copy)]
struct Moment(Instant, Timestamp);

impl Moment {
    fn now() -> Self {
        Self(Instant::now(), Timestamp::now())
    }

    fn later(&self, by: Duration) -> Instant {
        self.0 + by
    }

    /// How long ago it was, by the clock that says more.
    fn elapsed(&self) -> Duration {
        let wall = Duration::try_from(Timestamp::now().duration_since(self.1)).unwrap_or_default();
        self.0.elapsed().max(wall)
    }
}

#[cfg(test)]
mod tests;
