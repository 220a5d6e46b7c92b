//! The data plane on a socket: reads requests for it off connections, and writes its answers.

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::Either;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Request, Response, Version};

use super::gateway::{Answer, AnswerBody, Gateway};

/// What is written to a connection.
pub(in crate::sandbox) type Written = Response<BoxBody<Bytes, hyper::Error>>;

/// Answers a request for a stage, or gives back one for the control plane.
pub(in crate::sandbox) async fn respond(
    gateway: &Gateway,
    request: Request<Incoming>,
    client: IpAddr,
) -> Either<Written, Request<Incoming>> {
    let kept = keeps_connection(&request);
    match gateway.answer(request, client).await {
        Ok(Answer { status, headers, body }) => {
            let body = match body {
                AnswerBody::Whole(bytes) => whole(bytes),
                AnswerBody::Stream(stream) => stream.boxed(),
            };
            let mut written = Response::new(body);
            *written.status_mut() = status;
            *written.headers_mut() = headers;
            if kept {
                // HTTP/1.1 means it anyway, and the service says it (recorded).
                written.headers_mut().insert(CONNECTION, HeaderValue::from_static("keep-alive"));
            }
            Either::Left(written)
        }
        Err(request) => Either::Right(*request),
    }
}

/// Whether the connection stays open after the answer.
fn keeps_connection<B>(request: &Request<B>) -> bool {
    let said = request.headers().get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let close = said.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("close"));
    request.version() == Version::HTTP_11 && !close
}

/// A body that is here.
pub(in crate::sandbox) fn whole(bytes: Bytes) -> BoxBody<Bytes, hyper::Error> {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}
