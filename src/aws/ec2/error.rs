//! How EC2 says no.

use std::fmt;

use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A refusal of EC2, with its code and message: `InvalidGroup.NotFound`.
#[derive(Debug, Clone)]
pub struct Ec2Error {
    metadata: ErrorMetadata,
}

impl Ec2Error {
    pub(super) fn new(metadata: ErrorMetadata) -> Self {
        Self { metadata }
    }
}

impl ProvideErrorMetadata for Ec2Error {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

impl fmt::Display for Ec2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.metadata, f)
    }
}

impl std::error::Error for Ec2Error {}
