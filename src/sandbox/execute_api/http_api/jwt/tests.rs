use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://login.example.com";
const NOW: f64 = 1_700_000_000.0;

static PAIR: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

/// The public half as an issuer publishes it.
fn published(pair: &KeyPair) -> Value {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let der = der.as_ref();
    // A modulus of 2048 bits, and the exponent 65537 as an integer of five bytes, end the document.
    let modulus = &der[der.len() - 5 - 256..der.len() - 5];
    json!({ "kty": "RSA", "kid": "one", "use": "sig", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" })
}

fn key() -> Key {
    keys::read(&json!({ "keys": [published(&PAIR)] }).to_string().into_bytes()).unwrap().remove("one").unwrap()
}

fn signed(header: &Value, claims: &Value) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let mut signature = vec![0; PAIR.public_modulus_len()];
    PAIR.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn good() -> Value {
    json!({ "iss": ISSUER, "aud": "orders", "exp": NOW + 60.0, "iat": NOW - 1.0, "scope": "read write", "sub": "u" })
}

fn authorizer() -> Authorizer {
    Authorizer {
        name: "jwt".into(),
        source: IdentitySource::Header("authorization".into()),
        issuer: ISSUER.into(),
        audience: vec!["users".into(), "orders".into()],
    }
}

fn verified(token: &str) -> Result<Claims, Refusal> {
    Token::read(token)?.verify(&key(), &authorizer(), NOW)
}

#[track_caller]
fn refused(token: &str, words: &str) {
    assert_eq!(verified(token).unwrap_err(), Refusal::Invalid(words.to_owned()));
}

#[test]
fn a_good_token_is_taken() {
    let token = signed(&json!({ "alg": "RS256", "kid": "one" }), &good());
    assert_eq!(Token::read(&token).unwrap().kid, "one");
    assert_eq!(verified(&token).unwrap()["sub"], "u");
    assert_eq!(bare(&format!("Bearer {token}")), token);
    assert_eq!(bare(&format!("bearer  {token} ")), token);
    assert_eq!(bare(&token), token);
}

#[test]
fn claims_are_asked_in_turn() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = good();
        change(&mut claims);
        signed(&json!({ "alg": "RS256", "kid": "one" }), &claims)
    };
    refused(&with(&|claims| claims["iss"] = "https://login.example.com/".into()), "issuer does not match");
    let audience = "the token does not have a valid audience";
    refused(&with(&|claims| claims["aud"] = "other".into()), audience);
    refused(&with(&|claims| claims["aud"] = json!(5)), audience);
    // The client id counts only where there is no audience.
    refused(&with(&|claims| (claims["aud"], claims["client_id"]) = ("other".into(), "orders".into())), audience);
    let of_client = with(&|claims| {
        claims.as_object_mut().unwrap().remove("aud");
        claims["client_id"] = "orders".into();
    });
    assert!(verified(&of_client).is_ok());
    assert!(verified(&with(&|claims| claims["aud"] = json!(["other", "users"]))).is_ok());
    refused(&with(&|claims| claims["exp"] = json!(NOW)), "the token has expired");
    refused(&with(&|claims| claims["exp"] = Value::Null), "the token's exp is no time");
    refused(&with(&|claims| claims["nbf"] = json!(NOW + 1.0)), "the token is not valid yet");
    refused(&with(&|claims| claims["iat"] = json!(NOW + 1.0)), "the token is not valid yet");
    refused(&with(&|claims| drop(claims.as_object_mut().unwrap().remove("exp"))), "the token has expired");
}

#[test]
fn what_is_not_signed_by_the_key_is_refused() {
    let header = json!({ "alg": "RS256", "kid": "one" });
    let token = signed(&header, &good());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut claims = good();
    claims["sub"] = "admin".into();
    let forged = signed(&header, &claims);
    let forged = format!("{}.{signature}", forged.rsplit_once('.').unwrap().0);
    refused(&forged, "the signature of the token is invalid");
    refused(&format!("{message}."), "the signature of the token is invalid");
    // The same bytes, said to be signed in another way.
    refused(&signed(&json!({ "alg": "RS384", "kid": "one" }), &good()), "the signature of the token is invalid");
    for algorithm in ["none", "HS256", "ES256"] {
        let words = format!("signing method {algorithm} is invalid");
        refused(&signed(&json!({ "alg": algorithm, "kid": "one" }), &good()), &words);
    }
    refused(&signed(&json!({ "alg": "RS256" }), &good()), "the token has no kid");
    for malformed in ["", "a", "a.b", "a.b.c", "e30.e30.", "..", "é.é.é"] {
        refused(malformed, "the token is malformed");
    }
}

#[test]
fn one_of_the_scopes_is_enough() {
    let has = |claims: Value, wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|scope| (*scope).to_owned()).collect();
        has_scope(claims.as_object().unwrap(), &wanted)
    };
    assert!(has(json!({}), &[]));
    assert!(has(json!({ "scope": "read write" }), &["admin", "write"]));
    assert!(has(json!({ "scp": ["read", "write"] }), &["write"]));
    assert!(has(json!({ "scp": "read" }), &["read"]));
    assert!(!has(json!({ "scope": "read write" }), &["rea", "read write"]));
    assert!(!has(json!({}), &["read"]));
}
