//! VPC links: the way of an API into a VPC.

use serde::{Deserialize, Serialize};

use super::Strings;

/// A VPC link. Its subnets and security groups never change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VpcLink {
    /// Six lower-case letters and digits.
    pub vpc_link_id: String,
    /// The name; several links may have it.
    pub name: String,
    /// Seconds since the epoch.
    pub created: f64,
    /// Subnets, in the order they were given.
    pub subnet_ids: Vec<String>,
    /// Security groups, in the order they were given.
    pub security_group_ids: Vec<String>,
    /// Until when the link is `PENDING`, in seconds since the epoch.
    pub pending_until: f64,
    /// Tags.
    pub tags: Strings,
}

impl VpcLink {
    /// Whether requests can go through it.
    #[must_use]
    pub fn is_available(&self, now: f64) -> bool {
        now >= self.pending_until
    }
}
