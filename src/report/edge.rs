//! What came of taking a Region out of DNS, or of putting it back.

use std::io::{self, Write};

use serde_json::{Value, json};

/// A Region that is in service or out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The Region.
    pub region: String,
    /// The domain name that leads clients there, or no longer.
    pub domain: String,
    /// Whether clients are led there now.
    pub in_service: bool,
    /// It was so before, and nothing was done.
    pub already: bool,
}

impl Moved {
    /// What is done while somebody waits for it.
    #[must_use]
    pub fn doing(&self) -> String {
        let Self { region, domain, in_service, already: _ } = self;
        if *in_service {
            format!("putting {region} back into {domain} …")
        } else {
            format!("taking {region} out of {domain}, and waiting until nobody is led there …")
        }
    }
}

/// Writes it for people.
pub fn moved_text(moved: &Moved, out: &mut dyn Write) -> io::Result<()> {
    let region = &moved.region;
    match (moved.in_service, moved.already) {
        (true, true) => writeln!(out, "{region} is in service already."),
        (false, true) => writeln!(out, "{region} is drained already."),
        (true, false) => writeln!(out, "{region} is in service again."),
        (false, false) => {
            writeln!(out, "{region} is drained; applies leave it so until `gwctl edge restore {region}`.")
        }
    }
}

/// The same for programs.
#[must_use]
pub fn moved_json(moved: &Moved) -> Value {
    let Moved { region, domain, in_service, already } = moved;
    json!({ "region": region, "domain": domain, "in_service": in_service, "changed": !already })
}
