//! The data plane: serves what is deployed on a stage of the sandbox's API Gateway.

pub mod authorizer;
pub mod request;
pub mod variables;
