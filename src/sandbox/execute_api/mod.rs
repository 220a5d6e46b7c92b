//! The sandbox's data plane: policies and web ACLs, as they decide about one request.

pub mod policy;
pub mod waf;
