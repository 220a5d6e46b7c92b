//! Taking over what exists: whose it is to be, and how it is found.
//!
//! Beside the pipeline in [`crate`], and pure: `commands::import` reads AWS and writes tags, `commands::export` writes a
//! file; what is decided between is decided here. A resource is found by what somebody says of it ([`Source`]), best word
//! first; [`matching`] makes of all words, and of what AWS holds, the one resource for each address, or says why there is none.

pub mod export;
pub mod follow;
pub mod ids;
pub mod matching;
pub mod state;
pub mod tfstate;

use std::fmt;

use crate::model::Address;

/// Who says that a resource is the one for an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The command line, by `--id`.
    Given,
    /// A Terraform state: the resource's address there.
    State(String),
    /// The configuration: it has the name that the plan looks for.
    Named,
    /// Something that is taken over, and uses it.
    Used(Address),
}

impl Source {
    /// A word of a lower rank is heard only where none of a higher one led to anything.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Given => 0,
            Self::State(_) | Self::Named => 1,
            Self::Used(_) => 2,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("by --id"),
            Self::State(resource) => write!(f, "by {resource} of the state"),
            Self::Named => f.write_str("by its name"),
            Self::Used(by) => write!(f, "because {by} uses it"),
        }
    }
}

/// A word on which resource belongs to an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The address.
    pub address: Address,
    /// Who says it.
    pub source: Source,
    /// The name AWS knows the resource by, where that is known.
    pub name: Option<String>,
    /// The id or ARN that AWS gave it, where names do not tell resources of its kind apart.
    pub id: Option<String>,
}

impl Candidate {
    /// What the word calls the resource.
    #[must_use]
    pub fn said(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }
}
