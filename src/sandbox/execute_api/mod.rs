//! The data plane: serves what is deployed on a stage of the sandbox's API Gateway.

mod address;
pub mod request;
mod route;
mod throttle;
pub mod variables;
