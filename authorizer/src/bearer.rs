//! The token in an `Authorization` header, after RFC 6750.

use crate::denial::Denial;
use crate::event::Event;

/// API Gateway takes at most 10,240 bytes of headers together; a token of more than this can't come back out to a
/// back end beside the other headers.
const MAX_TOKEN: usize = 8192;

/// The token of a request.
pub(crate) fn token_of(event: Event<'_>) -> Result<&str, Denial> {
    match event.header("authorization")[..] {
        [] => Err(Denial::Unauthorized("no token")),
        [header] => token(header).ok_or(Denial::Unauthorized("malformed token")),
        // Which of them the back end would look at is anybody's guess.
        _ => Err(Denial::Unauthorized("more than one authorization header")),
    }
}

/// Reads `Bearer TOKEN`: the scheme in any case, one space, then a `b64token` and nothing else.
///
/// Anything looser (several spaces, quotes, a list of schemes) is read differently by different servers, and such a
/// difference between the gateway and a back end is how tokens get smuggled past one of them.
pub(crate) fn token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.len() > MAX_TOKEN {
        return None;
    }
    let body = token.trim_end_matches('=');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    (!body.is_empty() && body.bytes().all(plain)).then_some(token)
}

/// Encodes everything but RFC 3986's unreserved characters, so that no token can add a parameter to the query.
pub(crate) fn percent_encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{MAX_TOKEN, percent_encode, token};

    #[test]
    fn reads_what_rfc_6750_allows() {
        assert_eq!(token("Bearer abc"), Some("abc"));
        assert_eq!(token("bearer abc"), Some("abc"));
        assert_eq!(token("BEARER a.b-c_d~e+f/g=="), Some("a.b-c_d~e+f/g=="));
        let longest = "x".repeat(MAX_TOKEN);
        assert_eq!(token(&format!("Bearer {longest}")), Some(longest.as_str()));
    }

    #[test]
    fn refuses_everything_else() {
        let too_long = format!("Bearer {}", "x".repeat(MAX_TOKEN + 1));
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  abc",
            " Bearer abc",
            "Bearer abc ",
            "Bearer\tabc",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a=b",
            "Bearer ===",
            "Bearer \"abc\"",
            "Bearer a\r\nx: y",
            "Bearer tökén",
            "Basic abc",
            "abc",
            too_long.as_str(),
        ] {
            assert_eq!(token(header), None, "{header:?}");
        }
    }

    #[test]
    fn encodes_all_but_unreserved() {
        assert_eq!(percent_encode("aZ9-._~"), "aZ9-._~");
        assert_eq!(percent_encode("a+b/c=&?#% ü"), "a%2Bb%2Fc%3D%26%3F%23%25%20%C3%BC");
    }
}
