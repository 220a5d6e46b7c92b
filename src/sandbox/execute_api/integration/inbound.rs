//! What becomes of a backend's headers on their way to the client.
//!
//! Some are renamed to `x-amzn-remapped-…`, because the service sets them itself or they are no headers of answers. What a
//! backend sends is recorded of date, content-length, connection and x-amzn-requestid (in `http-proxy-mapping`) and of
//! server; what a mapping sets is recorded of all the others, in localstack's `test_apigateway_header_remapping_http`.

use hyper::HeaderMap;
use hyper::header::HeaderName;

/// Renamed.
const REMAPPED: [&str; 15] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "trailer",
    "upgrade",
    "user-agent",
    "www-authenticate",
    "x-amzn-requestid",
];

/// Dropped.
const DROPPED: [&str; 4] = ["keep-alive", "proxy-connection", "transfer-encoding", "via"];

/// The headers of the answer to the client.
pub(super) fn passed_back(headers: &HeaderMap) -> HeaderMap {
    let connection = headers.get_all("connection").iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = connection.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut passed = HeaderMap::with_capacity(headers.len() + 4);
    for (name, value) in headers {
        let of_connection = named.iter().any(|named| name.as_str().eq_ignore_ascii_case(named));
        if of_connection || DROPPED.contains(&name.as_str()) {
            continue;
        }
        passed.append(as_sent(name), value.clone());
    }
    passed
}

/// The name under which a client gets a header that a backend or a mapping set.
pub(super) fn as_sent(name: &HeaderName) -> HeaderName {
    if !REMAPPED.contains(&name.as_str()) {
        return name.clone();
    }
    // The prefix is made of characters of header names, so the whole is one.
    format!("x-amzn-remapped-{name}").parse().unwrap_or_else(|_| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_sets_itself_is_renamed() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("date", "d"), ("transfer-encoding", "chunked"), ("set-cookie", "a"), ("set-cookie", "b")]
        {
            headers.append(name, value.parse().unwrap());
        }
        let passed = passed_back(&headers);
        assert_eq!(passed["x-amzn-remapped-date"], "d");
        assert!(!passed.contains_key("date") && !passed.contains_key("transfer-encoding"));
        assert_eq!(passed.get_all("set-cookie").iter().count(), 2);
        let sent = |name: &'static str| as_sent(&HeaderName::from_static(name)).to_string();
        assert_eq!(sent("user-agent"), "x-amzn-remapped-user-agent");
        for kept in ["te", "via", "range", "age", "pragma", "content-encoding"] {
            assert_eq!(sent(kept), kept);
        }
    }
}
