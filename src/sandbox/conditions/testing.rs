//! Requests for the tests of conditions.

use bytes::Bytes;

use crate::sandbox::wire::{Caller, Request};

/// A request of one account in one Region. `place` is its path, or its target if it is no path.
pub(super) fn request(service: &str, method: &str, place: &str, body: &str) -> Request {
    let header = match service {
        _ if !place.starts_with('/') => Some(("x-amz-target", place)),
        "iam" | "sts" => Some(("content-type", "application/x-www-form-urlencoded")),
        _ => None,
    };
    Request {
        method: method.into(),
        path: if place.starts_with('/') { place } else { "/" }.into(),
        query: Vec::new(),
        headers: header.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        caller: Caller {
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            service: service.into(),
            access_key: "123456789012".into(),
        },
    }
}
