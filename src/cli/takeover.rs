//! Options of the verbs that meet what exists: `import`, `export`, `doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{LockOptions, Selection};

/// Options of `import`.
#[derive(Debug, Args)]
pub struct ImportOptions {
    /// Environment
    #[arg(long = "env", value_name = "ENV")]
    pub environment: String,

    /// Product
    #[arg(long, value_name = "PRODUCT")]
    pub product: String,

    /// The resource for an address, by AWS's id, ARN or name for it; may be repeated
    #[arg(long = "id", value_name = "ADDRESS=ID")]
    pub ids: Vec<String>,

    /// Terraform state, version 4, to find the resources by; only ids and names are read from it
    #[arg(long, value_name = "FILE")]
    pub tfstate: Option<PathBuf>,

    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Protected environment that may be changed without a question, ENV or PRODUCT/ENV
    #[arg(long, value_name = "ENV", requires = "yes")]
    pub confirm: Vec<String>,

    /// What to do while somebody else changes it.
    #[command(flatten)]
    pub lock: LockOptions,
}

impl ImportOptions {
    /// The one environment, as the other verbs select it.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            environments: vec![self.environment.clone()],
            products: vec![self.product.clone()],
            ..Selection::default()
        }
    }
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// Environment that the file is for; it has to have a target
    #[arg(long = "env", value_name = "ENV")]
    pub environment: String,

    /// Product that the file is for
    #[arg(long, value_name = "PRODUCT")]
    pub product: String,

    /// Id of the REST API
    #[arg(long, value_name = "API")]
    pub id: String,

    /// Stage of it, where it has several
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,

    /// Where to write the file, instead of stdout; one that is there is not overwritten
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorOptions {
    /// Which environments.
    #[command(flatten)]
    pub selection: Selection,
}
