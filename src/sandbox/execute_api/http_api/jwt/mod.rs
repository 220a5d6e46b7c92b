//! JSON Web Tokens, as JWT authorizers take them (API Gateway Developer Guide, "Control access to HTTP APIs with JWT
//! authorizers"): signed by an RSA key that the issuer publishes under the token's `kid`, from the issuer, for one of the
//! audiences, in its time. Pure: [`keys`] fetches what is needed for it.
//!
//! Of the words of refusals, the guide has those about the audience, and logs that people published have those about the
//! issuer, a missing token, and keys that can't be fetched. All others are guesses.

pub(in crate::sandbox::execute_api) mod keys;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use keys::Key;

/// What a token says.
pub(super) type Claims = Map<String, Value>;

/// What a JWT authorizer asks of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authorizer {
    pub(super) name: String,
    pub(super) source: IdentitySource,
    pub(super) issuer: String,
    pub(super) audience: Vec<String>,
}

/// Where a token stands in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IdentitySource {
    Header(String),
    Query(String),
}

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is none.
    Missing,
    /// It is not good; the words are told to the client.
    Invalid(String),
    /// It lacks the scopes that a route asks for.
    Scope,
}

/// A token, taken apart and not verified.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// The name of the key that signed it.
    pub(super) kid: String,
    algorithm: &'static RsaParameters,
    signed: &'t str,
    signature: Vec<u8>,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

fn invalid<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Invalid(why.into()))
}

impl IdentitySource {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let header = text.strip_prefix("$request.header.").map(|name| Self::Header(name.to_owned()));
        header.or_else(|| text.strip_prefix("$request.querystring.").map(|name| Self::Query(name.to_owned())))
    }
}

/// The token in an identity: alone, or behind `Bearer`.
pub(super) fn bare(identity: &str) -> &str {
    let identity = identity.trim();
    match identity.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => identity,
    }
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    pub(super) fn read(token: &'t str) -> Result<Self, Refusal> {
        let malformed = || Refusal::Invalid("the token is malformed".to_owned());
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| malformed())?;
        let claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| malformed())?;
        let Some(algorithm) = algorithm(&header.alg) else {
            return invalid(format!("signing method {} is invalid", plain(&header.alg)));
        };
        let Some(kid) = header.kid else { return invalid("the token has no kid") };
        Ok(Self { kid, algorithm, signed, signature: decoded(signature)?, claims })
    }

    /// What the token says, if it is one that the authorizer takes at `now`, in seconds since the epoch.
    pub(super) fn verify(self, key: &Key, authorizer: &Authorizer, now: f64) -> Result<Claims, Refusal> {
        if !key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature) {
            return invalid("the signature of the token is invalid");
        }
        self.admitted(authorizer, now)
    }

    /// What the token says, if it is one that the authorizer takes at `now`, whoever signed it.
    pub(super) fn admitted(self, authorizer: &Authorizer, now: f64) -> Result<Claims, Refusal> {
        let claims = self.claims;
        if claims.get("iss").and_then(Value::as_str) != Some(&authorizer.issuer) {
            return invalid("issuer does not match");
        }
        // "API Gateway validates client_id only if aud is not present."
        let audience = claims.get("aud").or_else(|| claims.get("client_id")).map(words).unwrap_or_default();
        if !audience.iter().any(|given| authorizer.audience.iter().any(|known| known == given)) {
            return invalid("the token does not have a valid audience");
        }
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(seconds) => Ok(Some(seconds)),
                None => Err(Refusal::Invalid(format!("the token's {name} is no time"))),
            },
        };
        // That a token has to say when it expires follows from "exp – Must be after the current time".
        if time("exp")?.is_none_or(|expires| expires <= now) {
            return invalid("the token has expired");
        }
        for name in ["nbf", "iat"] {
            if time(name)?.is_some_and(|begins| begins > now) {
                return invalid("the token is not valid yet");
            }
        }
        Ok(claims)
    }
}

/// "Currently, only RSA-based algorithms are supported." Whether that includes those with a probabilistic padding is not said.
fn algorithm(name: &str) -> Option<&'static RsaParameters> {
    Some(match name {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// Whether a token has one of the scopes that a route asks for: "the token must include at least one of the route's scopes",
/// in `scope` or `scp`.
pub(super) fn has_scope(claims: &Claims, wanted: &[String]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let given = claims.get("scope").or_else(|| claims.get("scp")).map(words).unwrap_or_default();
    let mut given = given.iter().flat_map(|scopes| scopes.split(' '));
    given.any(|scope| wanted.iter().any(|wanted| wanted == scope))
}

/// A claim that is a text or a list of texts.
fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What of a text of the client's may stand in a header within quotes.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(32).collect()
}

#[cfg(test)]
mod tests;
