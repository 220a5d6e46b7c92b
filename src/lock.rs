//! The lock of an environment: who changes it now. [`crate::aws::lock`] keeps it in AWS.
//!
//! A lock is a log group: its name is unique in an account and Region, so that of two that are made at the same time one is
//! refused, and it takes tags, which say whose it is (aws-facts J). Each Region of an environment has a lock of its own: one that
//! stood elsewhere would keep everybody from changing a Region while another one is down.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::error::{Failure, FailureKind};
use crate::model::{Owner, Place};
use crate::origin::{self, Origin};

/// How long a lock stands without a sign of life from its holder. AWS refuses signatures whose time is off by more than five
/// minutes, so that the clocks of two that both reach AWS differ by ten at most. The five minutes that are left are the holder's:
/// it uses one between two signs, and ends after four without any ([`HELD_BLINDLY`]).
pub const VALID_FOR: Duration = Duration::from_mins(15);

/// How often its holder gives a sign of life.
pub const RENEWED_EVERY: Duration = Duration::from_mins(1);

/// How long a holder that can't reach its lock goes on: what it begins before has to be over before others may begin.
pub const HELD_BLINDLY: Duration = Duration::from_mins(4);

/// What the names of all locks begin with.
pub const PREFIX: &str = "gwctl/lock/";

/// The name of the lock of an environment in an account and Region.
#[must_use]
pub fn name(owner: &Owner) -> String {
    format!("{PREFIX}{}/{}", owner.product, owner.environment)
}

/// The name of what says who may take over what stands under a name and was held with a token. There is one such heir for each
/// token, and a slow loser can't take away what is the next one's.
#[must_use]
pub fn succession(name: &str, token: &str) -> String {
    format!("{name}/after-{token}")
}

/// The tags of a lock.
mod key {
    pub(super) const TOKEN: &str = "gwctl:lock";
    pub(super) const PURPOSE: &str = "gwctl:lock-purpose";
    pub(super) const CALLER: &str = "gwctl:lock-caller";
    pub(super) const USER: &str = "gwctl:lock-user";
    pub(super) const HOST: &str = "gwctl:lock-host";
    pub(super) const PROCESS: &str = "gwctl:lock-process";
    pub(super) const LIFE: &str = "gwctl:lock-life";
    pub(super) const RUN: &str = "gwctl:lock-run";
    pub(super) const SINCE: &str = "gwctl:lock-since";
    pub(super) const SEEN: &str = "gwctl:lock-seen";
    pub(super) const AFTER: &str = "gwctl:lock-after";
}

/// Who holds a lock, or held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Tells this holding from every other one.
    pub token: String,
    /// What it is held for: `apply`.
    pub purpose: String,
    /// By whom.
    pub by: Origin,
    /// What tells the process from all others on its machine, where the machine says that ([`origin::life`]).
    pub life: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// The last sign of life.
    pub seen: Timestamp,
    /// The token of the dead holder that it was taken over from. Whoever comes after knows by it what a take-over that was cut
    /// off may have left ([`succession`]).
    pub after: Option<String>,
}

impl Holder {
    /// A new holding, by this process.
    #[must_use]
    pub fn new(purpose: &str, by: Origin, now: Timestamp) -> Self {
        let token = std::iter::repeat_with(|| fastrand::digit(36)).take(24).collect();
        let life = origin::life(by.process);
        Self { token, purpose: purpose.to_owned(), by, life, since: now, seen: now, after: None }
    }

    /// The tags that say so: all of them, empty where there is nothing to say, so that they can be written over another
    /// holder's.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, String> {
        let Self { token, purpose, by, life, since, seen: _, after } = self;
        let Origin { caller, user, host, process, run } = by;
        let tags = [
            (key::TOKEN, token.clone()),
            (key::PURPOSE, purpose.clone()),
            (key::CALLER, caller.clone()),
            (key::USER, user.clone().unwrap_or_default()),
            (key::HOST, host.clone()),
            (key::PROCESS, process.to_string()),
            (key::LIFE, life.clone().unwrap_or_default()),
            (key::RUN, run.clone().unwrap_or_default()),
            (key::SINCE, seconds(*since)),
            (key::AFTER, after.clone().unwrap_or_default()),
        ];
        let all = tags.into_iter().chain(self.sign_of_life());
        all.map(|(key, value)| (key.to_owned(), writable(&value))).collect()
    }

    /// The tag that changes while the lock is held.
    pub fn sign_of_life(&self) -> impl Iterator<Item = (&'static str, String)> {
        std::iter::once((key::SEEN, seconds(self.seen)))
    }

    /// Reads the tags back; none if they are not a lock's. What can't be read of the rest is left open, but never the times: a lock
    /// whose age nobody knows would stand for ever, so that it counts from the beginning of time.
    #[must_use]
    pub fn from_tags(tags: &BTreeMap<String, String>) -> Option<Self> {
        let text = |key: &str| tags.get(key).filter(|value| !value.is_empty()).cloned();
        let time = |key: &str| tags.get(key).and_then(|text| text.parse::<Timestamp>().ok());
        let since = time(key::SINCE).or_else(|| time(key::SEEN)).unwrap_or(Timestamp::UNIX_EPOCH);
        Some(Self {
            token: text(key::TOKEN)?,
            purpose: text(key::PURPOSE).unwrap_or_default(),
            by: Origin {
                caller: text(key::CALLER).unwrap_or_default(),
                user: text(key::USER),
                host: text(key::HOST).unwrap_or_default(),
                process: text(key::PROCESS).and_then(|text| text.parse().ok()).unwrap_or_default(),
                run: text(key::RUN),
            },
            life: text(key::LIFE),
            since,
            seen: time(key::SEEN).unwrap_or(since),
            after: text(key::AFTER),
        })
    }

    /// Whether it has given no sign of life for so long that others may take the lock.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen) > SignedDuration::try_from(VALID_FOR).unwrap_or(SignedDuration::MAX)
    }

    /// Whether its process ran on this machine and is over: others may take the lock at once.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        // Copies of one snapshot of a machine may share the name of its boot.
        let is_here = self.by.host == writable(&origin::host());
        is_here && self.life.as_ref().is_some_and(|life| origin::is_over(self.by.process, life))
    }

    /// Whether others may take the lock.
    #[must_use]
    pub fn may_be_retired(&self, now: Timestamp) -> bool {
        self.is_expired(now) || self.is_gone()
    }

    /// Who it is, in half a sentence: `apply by user/anna (anna on laptop, process 4711)`.
    #[must_use]
    pub fn who(&self) -> String {
        let Origin { user, host, process, run, .. } = &self.by;
        let machine = match user {
            Some(user) => format!("{user} on {host}, process {process}"),
            None => format!("{host}, process {process}"),
        };
        let run = run.as_ref().map(|run| format!(", {run}")).unwrap_or_default();
        format!("{} by {} ({machine}{run})", self.purpose, self.by.who())
    }

    /// Since when, in half a sentence: `since 2026-11-22T14:03:22Z, last sign of life 20 s ago`.
    #[must_use]
    pub fn since_when(&self, now: Timestamp) -> String {
        let end = match (self.is_expired(now), self.is_gone()) {
            (true, _) => ", expired",
            (false, true) => ", its process is over",
            (false, false) => "",
        };
        format!("since {}, last sign of life {}{end}", seconds(self.since), ago(now.duration_since(self.seen)))
    }

    /// Why somebody else can't change the environment.
    #[must_use]
    pub fn refuses(&self, owner: &Owner, place: &Place, now: Timestamp) -> Failure {
        let message = format!("{owner} in {} {} is locked", place.account, place.region);
        let Owner { product, environment } = owner;
        Failure::new(FailureKind::Refused, message)
            .cause(self.who())
            .cause(self.since_when(now))
            .hint("wait for it: --lock-timeout SECONDS")
            .hint(format!("if that process is gone: gwctl unlock --product {product} --env {environment}"))
    }
}

/// A time as it is written: to the second, which is what people compare.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `20 s ago`, `4 min ago`, `3 h ago`. Clocks differ: what lies ahead of this one is now.
fn ago(elapsed: SignedDuration) -> String {
    match elapsed.as_secs() {
        seconds if seconds < 1 => "just now".to_owned(),
        seconds if seconds < 120 => format!("{seconds} s ago"),
        seconds if seconds < 7200 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3600),
    }
}

/// What the value of a tag may hold: letters, digits, white space and `_.:/=+-@`, 256 of them (API reference of
/// `CreateLogGroup`). A user name of Windows, `CORP\anna`, has others.
fn writable(value: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    value.chars().map(|c| if fits(c) { c } else { '_' }).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn anna() -> Holder {
        let by = Origin {
            caller: "arn:aws:sts::111122223333:assumed-role/deploy/ci-4711".into(),
            user: Some("CORP\\anna".into()),
            host: "ci-7".into(),
            process: 42,
            run: Some("https://ci.example/runs/9?attempt=2".into()),
        };
        Holder::new("apply", by, time("2026-11-22T14:00:00.7Z"))
    }

    #[test]
    fn tags_say_who_it_is_in_the_letters_that_aws_takes() {
        let tags = anna().tags();
        let allowed = |value: &String| value.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
        assert!(tags.values().all(allowed), "{tags:?}");
        let read = Holder::from_tags(&tags).unwrap();
        assert_eq!(read.token.len(), 24);
        assert_eq!(read.since, time("2026-11-22T14:00:00Z"));
        assert_eq!(
            read.who(),
            "apply by assumed-role/deploy/ci-4711 (CORP_anna on ci-7, process 42, https://ci.example/runs/9_attempt=2)"
        );
        assert_ne!(anna().token, anna().token);
        assert!(writable(&"x".repeat(1000)).len() == 256);
    }

    #[test]
    fn a_log_group_without_a_token_is_no_lock() {
        let mut tags = anna().tags();
        tags.remove("gwctl:lock");
        assert_eq!(Holder::from_tags(&tags), None);
    }

    #[test]
    fn it_expires_a_quarter_of_an_hour_after_the_last_sign_of_life() {
        let mut holder = anna();
        holder.seen = time("2026-11-22T14:10:00Z");
        for (now, expired) in
            [("2026-11-22T14:09:00Z", false), ("2026-11-22T14:25:00Z", false), ("2026-11-22T14:25:01Z", true)]
        {
            assert_eq!(holder.is_expired(time(now)), expired, "{now}");
        }
        let read = Holder::from_tags(&BTreeMap::from([("gwctl:lock".to_owned(), "x".to_owned())])).unwrap();
        assert!(read.is_expired(time("2026-11-22T14:00:00Z")), "of no age that anybody knows");
    }

    #[test]
    fn who_is_refused_learns_by_whom_since_when_and_what_to_do() {
        let owner = Owner { product: "shop".into(), environment: "prod".into() };
        let place = Place { account: "111122223333".into(), region: "eu-west-1".into(), partition: "aws".into() };
        let failure = anna().refuses(&owner, &place, time("2026-11-22T14:04:01Z"));
        assert!(
            failure.to_string().starts_with("shop/prod in 111122223333 eu-west-1 is locked: apply by"),
            "{failure}"
        );
        assert_eq!(failure.causes()[1], "since 2026-11-22T14:00:00Z, last sign of life 4 min ago");
        assert!(failure.hints()[1].ends_with("gwctl unlock --product shop --env prod"), "{:?}", failure.hints());
    }

    #[test]
    fn ages_are_as_exact_as_they_are_worth_reading() {
        for (seconds, text) in
            [(-5, "just now"), (0, "just now"), (119, "119 s ago"), (120, "2 min ago"), (7200, "2 h ago")]
        {
            assert_eq!(ago(SignedDuration::from_secs(seconds)), text);
        }
    }
}
