//! The keys of those who issue tokens: found through `/.well-known/openid-configuration`, and kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use aws_lc_rs::signature::{RsaParameters, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Refusal, invalid};
use crate::error::{Failure, FailureKind, Result};
use crate::sandbox::execute_api::integration::http::Backends;

/// How long an issuer may take, for each of two answers (API Gateway's quotas for HTTP APIs).
const PATIENCE: Duration = Duration::from_millis(1500);

/// The most that the keys of an issuer may be, in bytes (as above).
const LARGEST: usize = 150_000;

/// "API Gateway can cache the public key for two hours."
const KEPT: Duration = Duration::from_hours(2);

/// How soon an issuer is asked again about a key that it did not have. AWS does not say; without a limit, a client with
/// made-up names of keys could have the issuer asked for each request.
const ASKED_AGAIN: Duration = Duration::from_mins(1);

/// A public RSA key.
#[derive(Debug, Clone)]
pub(in crate::sandbox::execute_api) struct Key {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Keys by their names.
pub(super) type KeySet = HashMap<String, Key>;

/// Where issuers really are: an issuer has to be an https URL at AWS, and is a local one here.
#[derive(Debug, Clone, Default)]
pub struct Issuers(Vec<(String, String)>);

/// The keys that are known.
#[derive(Debug, Default)]
pub(in crate::sandbox::execute_api) struct Keys {
    issuers: Issuers,
    /// By issuer.
    known: std::sync::Mutex<HashMap<String, Arc<Issued>>>,
}

/// The keys of one issuer, and when they were fetched. Held while it is asked, so that a burst of requests asks once.
type Issued = Mutex<Option<(KeySet, Instant)>>;

#[derive(Deserialize)]
struct Discovery {
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    #[serde(default)]
    kid: String,
    n: String,
    e: String,
}

impl Issuers {
    /// Reads `ISSUER=URL`, and adds it: whatever is below the issuer is then asked for below the URL.
    pub fn add(&mut self, rule: &str) -> Result<()> {
        let wrong = |why: &str| {
            Failure::new(FailureKind::Usage, format!("`{rule}` does not say where an issuer is: {why}"))
                .hint("write for example `https://login.example.com=http://127.0.0.1:9003`")
        };
        let at = rule.find("=http").ok_or_else(|| wrong("it is an issuer, `=` and an http or https URL"))?;
        let (issuer, target) = (&rule[..at], &rule[at + 1..]);
        for url in [issuer, target] {
            let parsed = url::Url::parse(url).map_err(|error| wrong(&format!("`{url}`: {error}")))?;
            if !matches!(parsed.scheme(), "http" | "https") {
                return Err(wrong("both are http or https URLs"));
            }
        }
        self.0.push((issuer.trim_end_matches('/').to_owned(), target.trim_end_matches('/').to_owned()));
        Ok(())
    }

    /// The URL that is called instead of one; the first rule that fits.
    fn locate(&self, url: &str) -> String {
        let below = |issuer: &str| {
            url.strip_prefix(issuer).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?'])).map(str::to_owned)
        };
        let found = self.0.iter().find_map(|(issuer, target)| Some(format!("{target}{}", below(issuer)?)));
        found.unwrap_or_else(|| url.to_owned())
    }
}

impl Key {
    pub(super) fn verifies(&self, algorithm: &'static RsaParameters, message: &[u8], signature: &[u8]) -> bool {
        let components = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        components.verify(algorithm, message, signature).is_ok()
    }
}

impl Keys {
    pub(in crate::sandbox::execute_api) fn new(issuers: Issuers) -> Self {
        Self { issuers, known: std::sync::Mutex::default() }
    }

    /// The key of an issuer under a name.
    pub(in crate::sandbox::execute_api::http_api) async fn find(
        &self,
        issuer: &str,
        kid: &str,
        backends: &Backends,
    ) -> Result<Key, Refusal> {
        let kept_for_it = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(issuer.to_owned()).or_default())
        };
        let mut held = kept_for_it.lock().await;
        if let Some((keys, fetched)) = &*held {
            match keys.get(kid) {
                Some(key) if fetched.elapsed() < KEPT => return Ok(key.clone()),
                None if fetched.elapsed() < ASKED_AGAIN => return unknown_key(),
                _ => {}
            }
        }
        // What failed is not kept: the next request asks again.
        let keys = self.fetch(issuer, backends).await?;
        let found = keys.get(kid).cloned();
        *held = Some((keys, Instant::now()));
        found.map_or_else(unknown_key, Ok)
    }

    async fn fetch(&self, issuer: &str, backends: &Backends) -> Result<KeySet, Refusal> {
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovery = self.issuers.locate(&discovery);
        let failed = |words: &str, url: &str, why: &str| {
            tracing::warn!(
                "the keys of the issuer {issuer} can't be fetched from {url}: {why}; --issuer says where it is"
            );
            Refusal::Invalid(words.to_owned())
        };
        let words = "OIDC discovery endpoint communication error";
        let found = backends.get(&discovery, PATIENCE, LARGEST).await.map_err(|why| failed(words, &discovery, &why))?;
        let Discovery { jwks_uri } =
            serde_json::from_slice(&found).map_err(|error| failed(words, &discovery, &error.to_string()))?;
        let url = self.issuers.locate(&jwks_uri);
        let words = "JWKS communication error";
        let found = backends.get(&url, PATIENCE, LARGEST).await.map_err(|why| failed(words, &url, &why))?;
        read(&found).map_err(|why| failed(words, &url, &why))
    }
}

fn unknown_key<T>() -> Result<T, Refusal> {
    invalid("the issuer has no key of the token's kid")
}

/// Reads what an issuer publishes. Keys that are no RSA keys, or can't be read, are passed over.
pub(super) fn read(published: &[u8]) -> Result<KeySet, String> {
    let Published { keys } = serde_json::from_slice(published).map_err(|error| error.to_string())?;
    let keys = keys.into_iter().filter_map(|key| {
        let key: PublishedKey = serde_json::from_value(key).ok().filter(|key: &PublishedKey| key.kty == "RSA")?;
        let number = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        Some((key.kid, Key { modulus: number(&key.n)?, exponent: number(&key.e)? }))
    });
    Ok(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_found_elsewhere_with_all_that_is_below_them() {
        let mut issuers = Issuers::default();
        issuers.add("https://login.example.com/tenant/=http://127.0.0.1:9003").unwrap();
        issuers.add("https://login.example.com=http://127.0.0.1:9004/other/").unwrap();
        for (url, expected) in [
            ("https://login.example.com/tenant/keys", "http://127.0.0.1:9003/keys"),
            ("https://login.example.com/tenants/keys", "http://127.0.0.1:9004/other/tenants/keys"),
            ("https://login.example.com.evil/keys", "https://login.example.com.evil/keys"),
        ] {
            assert_eq!(issuers.locate(url), expected);
        }
        for wrong in ["https://login.example.com", "https://a.example=127.0.0.1", "login=http://127.0.0.1", "=http://a"]
        {
            assert!(Issuers::default().add(wrong).unwrap_err().to_string().contains("where an issuer is"), "{wrong}");
        }
    }

    #[test]
    fn only_rsa_keys_are_read() {
        let text = br#"{"keys":[{"kty":"EC","kid":"ec","crv":"P-256","x":"AA","y":"AA"},{"kty":"RSA","kid":"bad","n":"*","e":"AQAB"},
            {"kty":"RSA","kid":"good","n":"AAEC","e":"AQAB"},{"kty":"RSA"}]}"#;
        let keys = read(text).unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["good"]);
        assert_eq!(keys["good"].modulus, [1, 2], "without the zeros in front");
        assert!(read(b"[]").is_err());
    }
}
