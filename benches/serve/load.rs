//! The load: as many requests as get through, and few at fixed times.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Builder;

use super::http::{header, message};
use super::{Result, wrong};

/// Connections that are kept while requests are sent one after the other on each.
pub(crate) const CONNECTIONS: usize = 32;

/// Connections under a fixed rate.
const CALM_CONNECTIONS: u32 = 4;

/// What is asked of whom.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    /// Where.
    pub(crate) address: SocketAddr,
    /// The request as it is written.
    request: Vec<u8>,
}

impl Aim {
    /// A GET with the headers of a usual client, and further ones.
    pub(crate) fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: bench\r\naccept: */*\r\n");
        for (name, value) in headers {
            // Writing to a string does not fail.
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request.push_str("\r\n");
        Self { address, request: request.into_bytes() }
    }
}

/// Requests that were answered with 200 in a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    /// Requests.
    pub(crate) requests: u32,
    /// The time.
    pub(crate) taken: Duration,
}

impl Throughput {
    /// Requests a second.
    pub(crate) fn rate(self) -> f64 {
        f64::from(self.requests) / self.taken.as_secs_f64()
    }
}

/// Sends on all connections as fast as answers come. Any answer but a 200 ends it: what is refused is quickly answered.
pub(crate) fn saturate(aim: &Aim, time: Duration) -> Result<Throughput> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let begun = Instant::now();
        let senders: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(send(aim.clone(), begun + time))).collect();
        let mut requests = 0;
        for sender in senders {
            requests += sender.await??;
        }
        Ok(Throughput { requests, taken: begun.elapsed() })
    })
}

async fn send(aim: Aim, until: Instant) -> Result<u32> {
    let mut stream = tokio::net::TcpStream::connect(aim.address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(8192);
    let mut requests = 0;
    while Instant::now() < until {
        stream.write_all(&aim.request).await?;
        buffer.clear();
        while !complete(&buffer)? {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(wrong("a connection was closed under load"));
            }
        }
        requests += 1;
    }
    Ok(requests)
}

/// Sends at fixed times, `rate` requests a second over all connections; how long each answer took, sorted. A request whose
/// time came while the one before was unanswered counts from its time, not from when it could be sent at last.
///
/// Threads that block: the clock of an event loop goes by milliseconds.
pub(crate) fn calmly(aim: &Aim, rate: u32, time: Duration) -> Result<Vec<Duration>> {
    let begun = Instant::now() + Duration::from_millis(50);
    let interval = Duration::from_secs(1) * CALM_CONNECTIONS / rate;
    let sender = |number: u32| {
        let (aim, first) = (aim.clone(), begun + interval * number / CALM_CONNECTIONS);
        thread::spawn(move || paced(&aim, first, interval, begun + time))
    };
    let senders: Vec<_> = (0..CALM_CONNECTIONS).map(sender).collect();
    let mut latencies = Vec::new();
    for sender in senders {
        latencies.extend(sender.join().map_err(|_| wrong("a sender failed"))??);
    }
    latencies.sort_unstable();
    Ok(latencies)
}

fn paced(aim: &Aim, first: Instant, interval: Duration, until: Instant) -> Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(aim.address)?;
    stream.set_nodelay(true)?;
    // The first answer also waits for connections to be made; it is not counted.
    exchange(&mut stream, aim)?;
    let mut latencies = Vec::new();
    let mut due = first;
    while due < until {
        let wait = due.saturating_duration_since(Instant::now());
        thread::sleep(wait);
        let counted_from = if wait.is_zero() { due } else { Instant::now() };
        exchange(&mut stream, aim)?;
        latencies.push(counted_from.elapsed());
        due += interval;
    }
    Ok(latencies)
}

/// One request whose answer has to be a 200; the answer.
pub(crate) fn probe(aim: &Aim) -> Result<String> {
    let answer = exchange(&mut TcpStream::connect(aim.address)?, aim)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The status of one request.
pub(crate) fn status(aim: &Aim) -> Result<u16> {
    let mut stream = TcpStream::connect(aim.address)?;
    stream.write_all(&aim.request)?;
    let answer = read(&mut stream, |buffer| Ok(message(buffer)?.is_some()))?;
    Ok(message(&answer)?.map_or(0, |message| message.status))
}

/// The `x-user-id` in an answer that is a request.
pub(crate) fn user(answer: &str) -> Option<&str> {
    let (_, request) = answer.split_once("\r\n\r\n")?;
    header(request.as_bytes(), "x-user-id")
}

fn exchange(stream: &mut TcpStream, aim: &Aim) -> Result<Vec<u8>> {
    stream.write_all(&aim.request)?;
    read(stream, complete)
}

fn read(stream: &mut TcpStream, enough: impl Fn(&[u8]) -> Result<bool>) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 16 * 1024];
    let mut length = 0;
    while !enough(&buffer[..length])? {
        match stream.read(&mut buffer[length..])? {
            0 => return Err(wrong("a connection was closed without an answer")),
            more => length += more,
        }
    }
    buffer.truncate(length);
    Ok(buffer)
}

/// Whether an answer is here; it has to be a 200.
fn complete(buffer: &[u8]) -> Result<bool> {
    match message(buffer)? {
        None => Ok(false),
        Some(message) if message.status == 200 => Ok(true),
        Some(_) => Err(wrong(&format!("not answered with 200: {}", String::from_utf8_lossy(buffer)))),
    }
}
