//! Everything the sandbox holds: accounts, and in each the Regions and their services.
//!
//! A service sees the world through a [`View`]: the account and the Region of its caller, the clock and a source of ids.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::wire::partition;
use super::{
    acm, apigateway, apigatewayv2, cloudtrail, cloudwatch, ec2, elbv2, firehose, iam, lambda, logs, route53, s3, sns,
    wafv2,
};

/// All accounts, by their twelve digits.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct World {
    /// The accounts that somebody has called as.
    pub accounts: BTreeMap<String, Account>,
    /// S3 by partition: the names of buckets are shared by all accounts and Regions of one.
    #[serde(default)]
    pub s3: BTreeMap<String, s3::State>,
    /// Who changed what. It tells of the past alone, and so is no part of the accounts.
    #[serde(default)]
    pub trail: cloudtrail::Trail,
    /// How many ids were given out; the next id is drawn from it, so that the same calls give the same ids.
    pub ids: u64,
    /// Code that was uploaded, by the hexadecimal SHA-256 of its zip. A world kept in a folder moves it to files of its
    /// own, so that one character more in a description does not write megabytes.
    #[serde(skip)]
    pub blobs: BTreeMap<String, Bytes>,
}

/// One account: what is global in it, and its Regions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    /// IAM is global in an account.
    pub iam: iam::State,
    /// Route 53 is global in an account, and there is one in each partition.
    #[serde(default)]
    pub route53: BTreeMap<String, route53::State>,
    /// Regions by name.
    pub regions: BTreeMap<String, Region>,
}

/// The services of one Region of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Region {
    /// API Gateway, REST APIs.
    pub apigateway: apigateway::State,
    /// API Gateway, HTTP APIs and their VPC links. A world that was kept before the sandbox had them has none.
    #[serde(default)]
    pub apigatewayv2: apigatewayv2::State,
    /// CloudWatch. A world that was kept before the sandbox had it has none.
    #[serde(default)]
    pub cloudwatch: cloudwatch::State,
    /// Lambda.
    pub lambda: lambda::State,
    /// Log groups.
    pub logs: logs::State,
    /// AWS WAF. A world that was kept before the sandbox had it has none.
    #[serde(default)]
    pub wafv2: wafv2::State,
    /// Networks and security groups.
    #[serde(default)]
    pub ec2: ec2::State,
    /// Load balancers.
    #[serde(default)]
    pub elbv2: elbv2::State,
    /// Certificates.
    #[serde(default)]
    pub acm: acm::State,
    /// Delivery streams.
    #[serde(default)]
    pub firehose: firehose::State,
    /// Topics.
    #[serde(default)]
    pub sns: sns::State,
}

/// What one call may see and change.
pub struct View<'a> {
    /// IAM of the caller's account.
    pub iam: &'a mut iam::State,
    /// Route 53 of the caller's account, in the partition of the Region that is called.
    pub route53: &'a mut route53::State,
    /// S3 of the partition of the Region that is called.
    pub s3: &'a mut s3::State,
    /// The Region that is called.
    pub region: &'a mut Region,
    /// Seconds since the epoch.
    pub now: f64,
    ids: &'a mut u64,
    blobs: &'a mut BTreeMap<String, Bytes>,
}

impl World {
    /// The world as the caller of one request sees it at `now` (seconds since the epoch).
    pub fn view(&mut self, account: &str, region: &str, now: f64) -> View<'_> {
        let s3 = self.s3.entry(partition(region).to_owned()).or_default();
        let account = self.accounts.entry(account.to_owned()).or_default();
        let route53 = account.route53.entry(partition(region).to_owned()).or_default();
        let region = account.regions.entry(region.to_owned()).or_default();
        View { iam: &mut account.iam, route53, s3, region, now, ids: &mut self.ids, blobs: &mut self.blobs }
    }

    /// The digests of all code that some function still runs.
    pub(crate) fn code_in_use(&self) -> BTreeSet<String> {
        let regions = self.accounts.values().flat_map(|account| account.regions.values());
        regions.flat_map(|region| region.lambda.code_in_use()).map(str::to_owned).collect()
    }
}

impl View<'_> {
    /// A new id of `length` lower-case letters and digits, as API Gateway's are. Never given out twice.
    pub fn new_id(&mut self, length: usize) -> String {
        self.draw(b"0123456789abcdefghijklmnopqrstuvwxyz", length)
    }

    /// A new id in IAM's alphabet, to stand behind a prefix such as `AROA`.
    pub fn new_iam_id(&mut self, prefix: &str, length: usize) -> String {
        prefix.to_owned() + &self.draw(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length)
    }

    /// A new UUID of version 4, as revision ids are.
    pub fn new_uuid(&mut self) -> String {
        let hex = self.draw(b"0123456789abcdef", 32);
        let variant = &self.draw(b"89ab", 1);
        format!("{}-{}-4{}-{variant}{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// Keeps uploaded code.
    pub(crate) fn keep(&mut self, digest: String, code: Bytes) {
        self.blobs.insert(digest, code);
    }

    /// The time of the call in whole milliseconds since the epoch.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since the epoch fit an i64 for ages to come")]
    pub fn millis(&self) -> i64 {
        (self.now * 1000.0) as i64
    }

    fn draw(&mut self, alphabet: &[u8], length: usize) -> String {
        *self.ids += 1;
        let digest = Sha256::digest(format!("gwctl sandbox id {}", *self.ids));
        digest
            .iter()
            .cycle()
            .take(length)
            .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
            .collect()
    }
}

/// A time in milliseconds since the epoch, written as `format` says (see `strftime`), in UTC.
#[must_use]
pub(crate) fn date(millis: i64, format: &str) -> String {
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default().strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_never_given_out_twice_and_the_same_calls_give_the_same() {
        let draw = || {
            let mut world = World::default();
            let mut view = world.view("123456789012", "eu-central-1", 0.0);
            (0..500).map(|_| view.new_id(10)).collect::<Vec<_>>()
        };
        let ids = draw();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 500);
        assert_eq!(ids, draw());
    }

    #[test]
    fn ids_have_the_form_of_their_service() {
        let mut world = World::default();
        let mut view = world.view("123456789012", "eu-central-1", 1.5);
        assert_eq!(view.millis(), 1500);
        let role = view.new_iam_id("AROA", 17);
        assert!(role.len() == 21 && role.starts_with("AROA"), "{role}");
        let uuid = view.new_uuid();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!(&uuid[14..15], "4");
    }
}
