//! The data plane of HTTP APIs, beside that of REST APIs: what is deployed on a stage serves, the stage's own settings at
//! once.
//!
//! | file | what |
//! |---|---|
//! | `served` | a stage, compiled: routes, authorizers, integrations, CORS, log format |
//! | `routes` | which route a request is for |
//! | `jwt` | tokens, and the keys of those who issue them |
//! | `mapping`, `outbound`, `inbound` | what a backend gets of a request, and a client of its answer |
//! | `balancer` | the web ACL of the load balancer behind a VPC link |
//! | `cors` | what browsers ask before they ask |
//! | `context` | what is known of a request, and how `$context` shows it |
//! | `pipeline` | the layers, in their order: route, throttle, authorizer, CORS, integration |
//! | `explain` | what each layer decides about a request that is not sent |
//!
//! Served are HTTP integrations, through a VPC link or the internet, and JWT authorizers. Functions, as integrations and as
//! authorizers, are not: a request to one is answered with 500, and the log says why.

mod balancer;
mod context;
mod cors;
mod explain;
mod inbound;
pub(super) mod jwt;
mod mapping;
mod outbound;
mod pipeline;
mod routes;
mod served;
#[cfg(test)]
mod tests;

pub use explain::explain_domain;
pub(super) use pipeline::not_found;
pub(super) use served::Served;

/// The stage that serves what no other stage does, and is in no path.
pub(super) const DEFAULT_STAGE: &str = "$default";
