//! Takes requests in: reads their bodies, and finds out what no layer could read.

use std::error::Error;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::Body as HttpBody;
use hyper::header::HeaderMap;

use super::context::Problem;
use super::gateway_response::ResponseType;
use super::integration::http::PAYLOAD_LIMIT;
use super::request::ClientRequest;

/// The header by which a test says from which address a request comes: here all come from this machine.
const SOURCE_IP: &str = "x-gwctl-source-ip";

/// How long a request's body may take to come: as long as an integration may (aws-facts A).
const BODY_COMES: Duration = Duration::from_secs(29);

/// A request that is here as a whole, or why it is not.
pub(super) struct Arrived {
    pub(super) request: ClientRequest,
    pub(super) unread: Option<Problem>,
    pub(super) started: Instant,
}

/// Takes in a request, whose path below the stage is `path`.
pub(super) async fn arrive<B>(path: String, host: &str, request: Request<B>, client: IpAddr) -> Arrived
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let (body, unread) = read(body).await;
    let unread = unread.or_else(|| unreadable(&head.headers));
    let named = head.headers.get(SOURCE_IP).and_then(|address| address.to_str().ok()?.parse().ok());
    let request = ClientRequest {
        method: head.method,
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        host: host.split(':').next().unwrap_or(host).to_owned(),
        source_ip: named.unwrap_or(client),
        version: head.version,
        received: SystemTime::now(),
    };
    Arrived { request, unread, started }
}

/// Reads a body, or says why it is not there as a whole: no backend may take a part of a request for all of it.
async fn read<B>(mut body: B) -> (Bytes, Option<Problem>)
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let whole = tokio::time::timeout(BODY_COMES, Limited::new(&mut body, PAYLOAD_LIMIT).collect()).await;
    let why = match whole {
        Ok(Ok(whole)) => return (whole.to_bytes(), None),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            // A client that is cut off while it sends never reads the answer, so the rest is let come; within reason.
            let mut rest = 10 * PAYLOAD_LIMIT;
            while let Ok(Some(Ok(frame))) = tokio::time::timeout(BODY_COMES, body.frame()).await {
                rest = rest.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if rest == 0 {
                    break;
                }
            }
            let message = format!("HTTP content length exceeded {PAYLOAD_LIMIT} bytes.");
            return (Bytes::new(), Some(Problem::saying(ResponseType::RequestTooLarge, message)));
        }
        Ok(Err(error)) => format!("the request broke off: {error}"),
        Err(_) => format!("the request's body did not come within {} s", BODY_COMES.as_secs()),
    };
    (Bytes::new(), Some(Problem::new(ResponseType::Default4xx).because(why)))
}

/// Refuses headers that the layers would read in different ways. What AWS makes of bytes beyond ASCII is not known; a layer
/// that does not see them, in front of a backend that does, would be a way around it.
fn unreadable(headers: &HeaderMap) -> Option<Problem> {
    let (name, _) = headers.iter().find(|(_, value)| value.to_str().is_err())?;
    let why = format!("the header {name} has characters that are not ASCII, which this gateway does not judge");
    Some(Problem::new(ResponseType::Default4xx).because(why))
}
