//! Expands stack and environment into desired resources.
//!
//! Stage 3 of the pipeline in [`crate`], and pure. What a team edits (templates, defaults, policy, gateway responses) is
//! data in `stacks/`; which resources there are and how they refer to each other is one typed function a stack.

pub mod gate;
mod ingress;
mod openapi;
mod template;

use serde_json::Value;

use crate::config::Faults;
use crate::model::Desired;

/// What a stack becomes for one environment.
#[derive(Debug, Clone)]
pub struct Expansion {
    /// Every resource, with references between them.
    pub desired: Vec<Desired>,
    /// The OpenAPI document, with every ARN that follows from names filled in.
    pub document: Value,
    /// The resource policy in it.
    pub policy: Value,
    /// What is legal but worth a look.
    pub warnings: Faults,
}
