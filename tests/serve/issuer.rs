//! An issuer of tokens on this machine: its discovery document, its keys, and tokens that they signed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What it is called in tokens, which is not where it is.
pub(crate) const ISSUER: &str = "https://login.example.com/tenant";

pub(crate) struct Issuer {
    pub(crate) address: SocketAddr,
    pair: KeyPair,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let der = der.as_ref();
        // A modulus of 2048 bits, and the exponent 65537 as an integer of five bytes, end the document.
        let modulus = URL_SAFE_NO_PAD.encode(&der[der.len() - 5 - 256..der.len() - 5]);
        let keys = json!({ "keys": [{ "kty": "RSA", "kid": "one", "use": "sig", "n": modulus, "e": "AQAB" }] });
        let discovery = json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys") });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                answer(stream.unwrap(), &discovery, &keys);
            }
        });
        Self { address, pair, asked }
    }

    /// How often it was asked for something.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A token that is good for a minute, with these claims besides or instead.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_of("one", claims)
    }

    /// A token that says to be signed by the key of another name.
    pub(crate) fn token_of(&self, kid: &str, claims: &Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut all = json!({ "iss": ISSUER, "aud": "orders", "iat": now - 1, "exp": now + 60, "sub": "u-7" });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encoded(&json!({ "alg": "RS256", "kid": kid })), encoded(&all));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Answers one request, and ends the connection.
fn answer(stream: TcpStream, discovery: &Value, keys: &Value) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    while !line.trim_end().is_empty() {
        line.clear();
        stream.read_line(&mut line).unwrap();
    }
    let (status, body) = match target.as_str() {
        "/t/.well-known/openid-configuration" => ("200 OK", discovery.to_string()),
        "/t/keys" => ("200 OK", keys.to_string()),
        _ => ("404 Not Found", String::new()),
    };
    let length = body.len();
    // Whoever asked may be gone already.
    let _ =
        write!(stream.get_mut(), "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
}
