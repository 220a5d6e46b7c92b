//! IAM policies, as they are pasted or piped.

use std::io::{self, Write};

use serde_json::{Value, json};

/// What has to be allowed in one account.
#[derive(Debug, Clone)]
pub struct AccountPolicy {
    /// `aws`, `aws-cn`
    pub partition: String,
    /// Its twelve digits.
    pub account: String,
    /// The environments that it is for.
    pub environments: Vec<String>,
    /// The policy documents, all of which are needed.
    pub documents: Vec<Value>,
}

/// The documents alone, one after the other.
pub fn policies(all: &[AccountPolicy], out: &mut dyn Write) -> io::Result<()> {
    for document in all.iter().flat_map(|one| &one.documents) {
        serde_json::to_writer_pretty(&mut *out, document)?;
        writeln!(out)?;
    }
    Ok(())
}

/// What the documents do not say of themselves: whose they are, and that there are several.
pub fn policies_notes(all: &[AccountPolicy], out: &mut dyn Write) -> io::Result<()> {
    for AccountPolicy { account, environments, documents, .. } in all {
        let how_many = match documents.len() {
            1 => "one policy".to_owned(),
            several => format!("{several} policies, because IAM takes 6,144 characters of each: attach all of them"),
        };
        writeln!(out, "account {account}, {}: {how_many}", environments.join(", "))?;
    }
    Ok(())
}

/// The same as one object.
#[must_use]
pub fn policies_json(all: &[AccountPolicy]) -> Value {
    let one = |policy: &AccountPolicy| {
        let AccountPolicy { partition, account, environments, documents } = policy;
        json!({ "partition": partition, "account": account, "environments": environments, "documents": documents })
    };
    json!({ "policies": all.iter().map(one).collect::<Vec<_>>() })
}
