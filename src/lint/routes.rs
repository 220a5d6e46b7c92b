//! Lints of one route by itself.

use super::catalogue::{CACHED_STATE_CHANGE, PLAIN_HTTP_TARGET, UNAUTHENTICATED_THROUGH};
use super::{Access, Findings, Subject};
use crate::config::Route;
use crate::config::path::{SegmentKind, parse_path};

/// Words that stand for a change, or for something after which an old answer of the authorizer is wrong. A guess from the
/// names of paths, and no more: what a path does is the service's affair.
const STATE_CHANGING: [&str; 29] = [
    "approve",
    "bind",
    "block",
    "cancel",
    "close",
    "confirm",
    "deactivate",
    "delete",
    "destroy",
    "disable",
    "freeze",
    "lock",
    "logout",
    "merge",
    "password",
    "payout",
    "purge",
    "refund",
    "remove",
    "reset",
    "revoke",
    "signout",
    "status",
    "transfer",
    "unbind",
    "unlock",
    "unsubscribe",
    "withdraw",
    "withdrawal",
];

/// How many parts of a path, from its end, may be the word.
const LAST_PARTS: usize = 2;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for route in &subject.gateway.routes {
        let access = subject.access(route);
        if let (Some(target), Access::Open) = (&route.target, access) {
            let message = format!("`{}` is open to everybody and goes to {}", route.path, host(target));
            let lint = &UNAUTHENTICATED_THROUGH;
            findings.add_for(lint, &[route], &route.path_span, message, lint.remedy.to_owned());
        }
        if let (Some(target), Some(span)) = (&route.target, &route.target_span)
            && let Some(rest) = strip_http(target)
        {
            let message = format!("`{}` goes to {} over plain HTTP", route.path, host(target));
            findings.add_for(&PLAIN_HTTP_TARGET, &[route], span, message, format!("write `https://{rest}`"));
        }
        if let Access::Authorized { ttl: ttl @ 1.. } = access
            && let Some(word) = state_changing(route)
        {
            let unit = if ttl == 1 { "second" } else { "seconds" };
            let message = format!(
                "`{}` sounds as if it changed something (`{word}`), and the authorizer's answer is kept for {ttl} {unit}",
                route.path
            );
            let lint = &CACHED_STATE_CHANGE;
            findings.add_for(lint, &[route], &route.path_span, message, lint.remedy.to_owned());
        }
    }
}

fn host(target: &str) -> String {
    let authority = target.split_once("://").map_or(target, |(_, rest)| rest);
    format!("`{}`", authority.split(['/', '?']).next().unwrap_or(authority))
}

/// What follows `http://`, in any case.
fn strip_http(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    scheme.eq_ignore_ascii_case("http").then_some(rest)
}

/// The word that makes a path sound so. The name of the service is none: a refund service is not a refund.
fn state_changing(route: &Route) -> Option<&'static str> {
    let segments = parse_path(&route.path).ok()?;
    let literals: Vec<&str> = segments
        .iter()
        .skip(1)
        .filter(|segment| segment.kind == SegmentKind::Literal)
        .map(|segment| segment.text)
        .collect();
    let last = literals.iter().rev().take(LAST_PARTS);
    last.flat_map(|text| words(text)).find_map(|word| STATE_CHANGING.into_iter().find(|known| *known == word))
}

/// The words of a part in lower case: `reset-password`, `resetPassword`, `orders:cancel`.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in text.chars() {
        let starts = character.is_ascii_uppercase() || !character.is_ascii_alphanumeric();
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && character.is_ascii_alphanumeric()
        {
            word.push(character.to_ascii_lowercase());
        }
    }
    words
}
