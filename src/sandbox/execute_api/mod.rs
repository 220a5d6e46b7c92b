//! The data plane: serves what is deployed on a stage of the sandbox's API Gateway.

pub mod access_log;
mod address;
pub mod expression;
pub mod gateway_response;
pub mod json;
pub mod json_path;
pub mod request;
mod route;
mod substitution;
pub mod template;
#[cfg(test)]
pub(crate) mod testing;
mod throttle;
pub mod variables;
