//! The Lambda Runtime API of one process: where it asks for events and hands in answers, version 2018-06-01.
//!
//! Every process has an address of its own, as in Lambda, so that what it sends needs no other mark of whose it is.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::PAYLOAD_LIMIT;

const VERSION: &str = "/2018-06-01/runtime/";

/// One event for a process.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    /// Milliseconds since the epoch.
    pub(super) deadline: u128,
    pub(super) function: String,
    pub(super) trace: String,
    pub(super) client_context: Option<String>,
    pub(super) payload: Bytes,
}

/// What a process answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) payload: Bytes,
    pub(super) failed: bool,
}

/// How far a process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not asked for an event yet.
    Starting,
    /// It has.
    Ready,
    /// It said that it can't.
    Failed,
}

/// What the process and its callers leave for each other.
#[derive(Debug)]
pub(super) struct Desk {
    state: Mutex<State>,
    stage: watch::Sender<Stage>,
}

#[derive(Debug, Default)]
struct State {
    /// The process waits here for its next event.
    waiting: Option<oneshot::Sender<Event>>,
    /// An event came before the process asked.
    queued: Option<Event>,
    /// The event that is not answered yet, and who waits for the answer.
    open: Option<(String, oneshot::Sender<Answer>)>,
    init_error: Option<Bytes>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), stage: watch::Sender::new(Stage::Starting) }
    }

    pub(super) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// What the process said when it could not start.
    pub(super) fn init_error(&self) -> Option<Bytes> {
        self.hold().init_error.take()
    }

    /// Hands the process its next event. The answer comes through the receiver, which fails when the desk is gone.
    pub(super) fn hand_out(&self, event: Event) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let mut state = self.hold();
        state.open = Some((event.id.clone(), answer));
        state.queued = match state.waiting.take() {
            // The process hung up while it waited; it gets the event when it asks again.
            Some(waiting) => waiting.send(event).err(),
            None => Some(event),
        };
        answered
    }

    /// Serves the process. Ends only by being dropped, and with it every connection.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        // An answer of a few bytes must not wait for more to fill its packet.
                        let _ = stream.set_nodelay(true);
                        let desk = Arc::clone(&self);
                        let service = service_fn(move |request| {
                            let desk = Arc::clone(&desk);
                            async move { Ok::<_, Infallible>(desk.respond(request).await) }
                        });
                        // Lambda's own server writes headers so, and shell scripts search for them so.
                        let mut http = hyper::server::conn::http1::Builder::new();
                        http.title_case_headers(true);
                        connections.spawn(http.serve_connection(TokioIo::new(stream), service));
                    }
                    // No file descriptors left, most likely; the process will try again.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        // Read in any case: a refusal sent before the body came would cost the process its connection.
        let Ok(body) = read(body).await else {
            return refusal(400, "TruncatedHTTPRequest", "the request ended early");
        };
        let Some(place) = parts.uri.path().strip_prefix(VERSION) else {
            return refusal(404, "NotFound", "the Runtime API here is that of 2018-06-01");
        };
        let segments: Vec<&str> = place.split('/').collect();
        match (&parts.method, segments.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.answer(id, body, false),
            (&Method::POST, ["invocation", id, "error"]) => self.answer(id, body, true),
            (&Method::POST, ["init", "error"]) => self.fail(body),
            _ => refusal(404, "NotFound", "the Runtime API has no such resource"),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let waiting = {
            let mut state = self.hold();
            if let Some(event) = state.queued.take() {
                drop(state);
                self.stage.send_replace(Stage::Ready);
                return event.into_response();
            }
            if state.open.is_some() {
                return refusal(403, "InvalidStateTransition", "the event before this one is not answered yet");
            }
            let (sender, waiting) = oneshot::channel();
            state.waiting = Some(sender);
            waiting
        };
        self.stage.send_replace(Stage::Ready);
        match waiting.await {
            Ok(event) => event.into_response(),
            // Another connection of the process asked as well; the newest gets the event.
            Err(_) => refusal(403, "InvalidStateTransition", "the process asked again meanwhile"),
        }
    }

    /// Takes the answer to the open event: 400 for a wrong id, 403 when nothing is open (as Lambda's own emulator).
    fn answer(&self, id: &str, body: Option<Bytes>, failed: bool) -> Response<Full<Bytes>> {
        let open = {
            let mut state = self.hold();
            match state.open.take() {
                Some((open, answer)) if open == id => answer,
                Some(other) => {
                    state.open = Some(other);
                    return refusal(400, "InvalidRequestID", "Invalid request ID");
                }
                None => return refusal(403, "InvalidStateTransition", "no event waits for an answer"),
            }
        };
        let too_large = body.is_none();
        let answer = body.map_or_else(Answer::too_large, |payload| Answer { payload, failed });
        // Nobody waits any more when the time is up; the process is being killed then.
        let _ = open.send(answer);
        if too_large {
            let text = format!("Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).");
            return refusal(413, "RequestEntityTooLarge", &text);
        }
        accepted()
    }

    fn fail(&self, body: Option<Bytes>) -> Response<Full<Bytes>> {
        if *self.stage.borrow() != Stage::Starting {
            return refusal(403, "InvalidStateTransition", "the process has started already");
        }
        self.hold().init_error = body;
        self.stage.send_replace(Stage::Failed);
        accepted()
    }

    fn hold(&self) -> MutexGuard<'_, State> {
        // Every change of the state is one assignment, so it is whole whatever happened to a thread that held it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    fn too_large() -> Self {
        let text = format!("Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).");
        let body = json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": text });
        Self { payload: body.to_string().into(), failed: true }
    }
}

impl Event {
    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", self.id)
            .header("lambda-runtime-deadline-ms", self.deadline.to_string())
            .header("lambda-runtime-invoked-function-arn", self.function)
            .header("lambda-runtime-trace-id", self.trace);
        if let Some(context) = self.client_context {
            response = response.header("lambda-runtime-client-context", context);
        }
        response.body(Full::new(self.payload)).unwrap_or_else(|error| {
            refusal(500, "InternalServerError", &format!("the event has a header that can't be sent: {error}"))
        })
    }
}

/// A body, or none if it is larger than Lambda takes.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut whole = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        size += data.len();
        if size <= PAYLOAD_LIMIT {
            whole.extend_from_slice(&data);
        }
    }
    Ok((size <= PAYLOAD_LIMIT).then(|| whole.freeze()))
}

fn accepted() -> Response<Full<Bytes>> {
    json_response(202, &json!({ "status": "OK" }))
}

fn refusal(status: u16, kind: &str, message: &str) -> Response<Full<Bytes>> {
    json_response(status, &json!({ "errorType": kind, "errorMessage": message }))
}

fn json_response(status: u16, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
