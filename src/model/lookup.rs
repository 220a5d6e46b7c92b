//! What a configuration names and AWS identifies: found by a read before the stacks are expanded.

use std::collections::BTreeMap;
use std::fmt;

/// One thing to look up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// The id of the VPC link of that name.
    VpcLink {
        /// Its name.
        name: String,
    },
    /// The ARN of the Network Load Balancer of that name.
    LoadBalancer {
        /// Its name.
        name: String,
    },
    /// The ARN of a certificate of the Region that is issued and covers the domain.
    Certificate {
        /// The domain.
        domain: String,
    },
    /// The id of the public hosted zone that the domain belongs to.
    HostedZone {
        /// The domain.
        domain: String,
    },
    /// Host and stage of the system gateway of another product: `abc.execute-api.eu-west-1.amazonaws.com/dev`.
    SystemGateway {
        /// The product.
        product: String,
        /// Its environment.
        environment: String,
    },
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VpcLink { name } => write!(f, "VPC link {name}"),
            Self::LoadBalancer { name } => write!(f, "load balancer {name}"),
            Self::Certificate { domain } => write!(f, "certificate of {domain}"),
            Self::HostedZone { domain } => write!(f, "hosted zone of {domain}"),
            Self::SystemGateway { product, environment } => write!(f, "system gateway of {product}/{environment}"),
        }
    }
}

/// The answers.
#[derive(Debug, Clone, Default)]
pub struct Found(BTreeMap<Lookup, String>);

impl Found {
    /// For whoever works offline: every answer is the question in angle brackets.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The answer.
    #[must_use]
    pub fn get(&self, lookup: &Lookup) -> String {
        self.0.get(lookup).cloned().unwrap_or_else(|| format!("<{lookup}>"))
    }
}

impl FromIterator<(Lookup, String)> for Found {
    fn from_iter<I: IntoIterator<Item = (Lookup, String)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}
