//! The data plane on a socket: reads requests for it off connections, and writes its answers.

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::Either;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};

use super::gateway::{Answer, AnswerBody, Gateway};

/// What is written to a connection.
pub(in crate::sandbox) type Written = Response<BoxBody<Bytes, hyper::Error>>;

/// Answers a request for a stage, or gives back one for the control plane.
pub(in crate::sandbox) async fn respond(
    gateway: &Gateway,
    request: Request<Incoming>,
    client: IpAddr,
) -> Either<Written, Request<Incoming>> {
    match gateway.answer(request, client).await {
        Ok(Answer { status, headers, body }) => {
            let body = match body {
                AnswerBody::Whole(bytes) => whole(bytes),
                AnswerBody::Stream(stream) => stream.boxed(),
            };
            let mut written = Response::new(body);
            *written.status_mut() = status;
            *written.headers_mut() = headers;
            Either::Left(written)
        }
        Err(request) => Either::Right(*request),
    }
}

/// A body that is here.
pub(in crate::sandbox) fn whole(bytes: Bytes) -> BoxBody<Bytes, hyper::Error> {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}
