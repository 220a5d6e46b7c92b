//! A function as the runtime needs it: its code and its settings.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Functions, InvokeError};
use crate::error::Result;
use crate::sandbox::{Sandbox, hex};

/// A function that can be run.
#[derive(Debug, Clone)]
pub struct Program {
    /// The ARN by which it is called, with the version or the alias if it is called by one.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The version, `$LATEST` or a number.
    pub version: String,
    /// The handler, as it was configured.
    pub handler: String,
    /// The environment variables that the user set.
    pub environment: BTreeMap<String, String>,
    /// The memory in MB. It is told to the function, not enforced.
    pub memory_mb: u32,
    /// How long one event may take.
    pub timeout: Duration,
    /// The Region.
    pub region: String,
    /// The account.
    pub account: String,
    /// `x86_64` or `arm64`.
    pub architectures: Vec<String>,
    /// The log group, which the function is told.
    pub log_group: String,
    /// The zip.
    pub code: Code,
}

/// The zip of a function, fetched when a process is started and not before.
#[derive(Clone)]
pub struct Code {
    digest: Arc<str>,
    fetch: Arc<dyn Fn() -> Result<Option<Bytes>> + Send + Sync>,
}

impl Code {
    /// A zip that is at hand.
    #[must_use]
    pub fn of_zip(zip: Bytes) -> Self {
        let digest = hex(&Sha256::digest(&zip));
        Self::stored(digest, move || Ok(Some(zip.clone())))
    }

    /// A zip that lies somewhere else, and its digest.
    pub fn stored(
        digest: impl Into<Arc<str>>,
        fetch: impl Fn() -> Result<Option<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        Self { digest: digest.into(), fetch: Arc::new(fetch) }
    }

    /// The hexadecimal SHA-256 of the zip.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The zip; may read a file.
    pub(super) fn zip(&self) -> Result<Option<Bytes>> {
        (self.fetch)()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Program {
    /// The function of a sandbox with an ARN, or the version that a qualifier behind the ARN means. May wait for the disk if
    /// the sandbox is kept in a folder.
    pub fn of(sandbox: &Sandbox, arn: &str) -> Result<Self, InvokeError> {
        let not_found = || InvokeError::NotFound(arn.to_owned());
        let parts: Vec<&str> = arn.split(':').collect();
        let (region, account, name, qualifier) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", name] => (*region, *account, *name, None),
            ["arn", _, "lambda", region, account, "function", name, qualifier] => {
                (*region, *account, *name, Some(*qualifier))
            }
            _ => return Err(not_found()),
        };
        let found = sandbox.look(|world| {
            let place = world.accounts.get(account)?.regions.get(region)?;
            place.lambda.program(name, qualifier)
        });
        let found = found.map_err(|failure| InvokeError::CannotStart {
            kind: "Runtime.Unknown",
            reason: failure.to_string(),
            hint: failure.hints().first().cloned().unwrap_or_default(),
        })?;
        let (configuration, code, reserved) = found.ok_or_else(not_found)?;
        if arn.trim_end_matches(":$LATEST") != configuration.function_arn {
            return Err(not_found());
        }
        if reserved == Some(0) {
            return Err(InvokeError::Throttled);
        }
        // Without the processes: one that works on an event must not keep the handle alive that stops it.
        let held = Sandbox { functions: Functions::default(), ..sandbox.clone() };
        let digest = code.clone();
        Ok(Self {
            arn: configuration.function_arn,
            name: configuration.function_name,
            version: configuration.version,
            handler: configuration.handler,
            environment: configuration.environment.map(|environment| environment.variables).unwrap_or_default(),
            memory_mb: configuration.memory_size,
            timeout: Duration::from_secs(configuration.timeout.into()),
            region: region.to_owned(),
            account: account.to_owned(),
            architectures: configuration.architectures,
            log_group: configuration.logging_config.log_group,
            code: Code::stored(code, move || held.code(&digest)),
        })
    }

    /// Tells apart what needs a process of its own: any change of code or settings, as in Lambda.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.code.digest, &self.version, &self.handler, &self.environment, self.memory_mb).hash(&mut hasher);
        (self.timeout, &self.region, &self.account, &self.log_group, &self.architectures).hash(&mut hasher);
        hasher.finish()
    }
}
