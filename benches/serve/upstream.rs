//! What stands behind the gateways: the same small answer to everything, from a thread of its own.
//!
//! It is the auth service too: a POST to `/authorize` gets an authorizer's answer, and is counted. A path with `probe`
//! in it gets its own request back, so that it can be seen what a gateway made of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use super::http::message;
use super::{Result, USER};

/// An upstream at work; it ends with the process.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicU32>,
}

impl Upstream {
    /// Starts one on a free port.
    pub(crate) fn start() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let asked = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&asked);
        thread::Builder::new().name("upstream".to_owned()).spawn(move || {
            runtime.block_on(async {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, Arc::clone(&counter)));
                }
            });
        })?;
        Ok(Self { address, asked })
    }

    /// How often an authorizer's answer was asked for.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn connection(mut stream: TcpStream, asked: Arc<AtomicU32>) -> Result<()> {
    stream.set_nodelay(true)?;
    let usual = answer(&orders());
    let mut buffer = Vec::with_capacity(4096);
    while stream.read_buf(&mut buffer).await? > 0 {
        while let Some(request) = message(&buffer)? {
            let head = &buffer[request.head.clone()];
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            if line.starts_with(b"POST /authorize") {
                asked.fetch_add(1, Ordering::Relaxed);
                stream.write_all(&answer(&yes())).await?;
            } else if line.windows(5).any(|window| window == b"probe") {
                stream.write_all(&answer(&String::from_utf8_lossy(head))).await?;
            } else {
                stream.write_all(&usual).await?;
            }
            buffer.drain(..request.length);
        }
    }
    Ok(())
}

fn answer(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
    format!("{head}: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A small page of a list: about 300 bytes.
fn orders() -> String {
    let order = |id: u32| json!({"id": id, "state": "shipped", "total": "12.50", "currency": "EUR"});
    json!({"orders": [order(1), order(2), order(3), order(4), order(5)]}).to_string()
}

/// An authorizer's answer that allows everything, as the authorizer of this repository writes it.
fn yes() -> String {
    let statement = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ["arn:aws:execute-api:*"]});
    json!({
        "principalId": USER,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"x-user-id": USER, "x-user-token": "t", "x-user-scope": "s", "x-auth-type": "bearer"},
    })
    .to_string()
}
