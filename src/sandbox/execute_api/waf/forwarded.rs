//! Addresses that a proxy wrote into a header.

use std::net::IpAddr;

use super::Subject;
use crate::sandbox::wafv2::rules::{Fallback, Forwarded, ForwardedIn, Place};

/// Addresses of a header that are looked at, at most (API reference, `IPSetForwardedIPConfig`).
const ADDRESSES: usize = 10;

/// A header with addresses.
#[derive(Debug)]
pub(super) struct Header {
    name: String,
    fallback: Fallback,
    place: Place,
}

impl Header {
    pub(super) fn new(config: &ForwardedIn) -> Self {
        let name = config.header_name.to_ascii_lowercase();
        Self { name, fallback: config.fallback_behavior, place: config.position }
    }

    pub(super) fn first(config: &Forwarded) -> Self {
        let name = config.header_name.to_ascii_lowercase();
        Self { name, fallback: config.fallback_behavior, place: Place::First }
    }

    /// Whether one of the addresses that count passes a test. Without the header the statement does not apply; a text
    /// that is no address means what the fallback says (API reference).
    pub(super) fn any(&self, subject: &Subject<'_>, test: impl Fn(&IpAddr) -> bool) -> bool {
        let Some(line) = subject.headers.get(&self.name).and_then(|line| line.to_str().ok()) else { return false };
        let parse = |text: &str| text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical());
        let check = |text: &str| parse(text).map_or(self.fallback == Fallback::Match, |address| test(&address));
        match self.place {
            Place::First => line.split(',').next().is_some_and(check),
            Place::Last => line.rsplit(',').next().is_some_and(check),
            // Of more than ten, the last ten count.
            Place::Any => line.rsplit(',').take(ADDRESSES).any(check),
        }
    }

    /// The first address, or what a header that has none means.
    pub(super) fn address(&self, subject: &Subject<'_>) -> Option<Result<IpAddr, Fallback>> {
        let line = subject.headers.get(&self.name)?.to_str().ok()?;
        let first = line.split(',').next().unwrap_or_default().trim();
        Some(first.parse().map_err(|_| self.fallback))
    }
}
