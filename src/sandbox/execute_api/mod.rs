//! The data plane: serves what is deployed on a stage of the sandbox's API Gateway, as `execute-api` does.
//!
//! [`Gateway`] finds the stage that a request is for ([`address`]), makes it ready if it changed since the last request
//! ([`stage`]), and takes the request through the layers ([`pipeline`]). What is edited and not deployed does not serve.
//!
//! | file | what |
//! |---|---|
//! | `address`, `domain`, `directory` | which stage a host or path means |
//! | `arrival` | requests, as they come |
//! | `stage` | a stage, compiled: routes, authorizers, policy, integrations, log format |
//! | `context` | what is known of a request, and how `$context` and mappings see it |
//! | `pipeline` | the layers, in AWS's order |
//! | `waf`, `policy`, `route`, `authorizer` (asked through `asking`), `throttle`, `integration` | a layer each |
//! | `expression`, `template`, `gateway_response`, `access_log` | what a configuration may say in them |
//! | `explain` | what each layer decides about a request that is not sent |
//! | `http_api` | all of this for HTTP APIs |

pub mod access_log;
mod address;
mod arrival;
mod asking;
pub mod authorizer;
mod context;
mod directory;
mod domain;
pub mod explain;
pub mod expression;
mod gateway;
pub mod gateway_response;
mod http_api;
mod integration;
pub mod json;
pub mod json_path;
mod listener;
mod pipeline;
pub mod policy;
pub mod request;
mod route;
mod stage;
mod substitution;
pub mod template;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod throttle;
pub mod variables;
pub mod waf;

pub use address::{StageAddress, authorizer_names, stages};
pub use gateway::{Answer, AnswerBody, Fallback, Gateway, Options, Site};
pub use http_api::explain_domain;
pub use http_api::jwt::keys::Issuers;
pub use integration::http::Upstreams;
pub(in crate::sandbox) use listener::{Written, respond, whole};
