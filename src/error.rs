//! What can go wrong, said so that somebody on call at three in the morning can act on it.
//!
//! Every fallible function of the library returns [`Result`]. A [`Failure`] carries what kind of failure it is (which
//! decides nothing but the wording and the exit code), one sentence in lower case without a full stop, the causes below
//! it, and hints: what to do now. `main` prints it; nothing else does.

use std::error::Error;
use std::fmt;

/// The result of everything that can fail here.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// The exit codes of the process, as `docs/guide.md` lists them.
pub mod exit {
    /// Done; for `plan`: nothing to do, or the plan was shown.
    pub const DONE: u8 = 0;
    /// Failed, a usage error included.
    pub const FAILED: u8 = 1;
    /// With `--detailed-exitcode`: changes are pending.
    pub const CHANGES: u8 = 2;
    /// Interrupted by Ctrl-C.
    pub const INTERRUPTED: u8 = 130;
}

/// What kind of failure this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The command line asks for something impossible.
    Usage,
    /// A file of the configuration is wrong.
    Configuration,
    /// A resource bears our name but not our tags.
    Ownership,
    /// AWS refused, or could not be reached.
    Aws,
    /// The plan no longer fits what AWS holds, or is too dangerous to carry out unasked.
    Refused,
    /// A build step on this machine failed.
    Build,
    /// Reading or writing a file failed.
    Io,
    /// Stopped by the user.
    Interrupted,
    /// A fault of gwctl itself.
    Internal,
}

/// One failure: kind, sentence, causes, hints.
///
/// ```
/// use gwctl::error::{Failure, FailureKind};
/// let failure = Failure::new(FailureKind::Usage, "no product named `product-z`").hint("known: product-a, product-b");
/// assert_eq!(failure.to_string(), "no product named `product-z`");
/// ```
#[derive(Debug, Clone)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A failure with its sentence: lower case, no full stop.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// A fault of gwctl itself.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Internal, message)
            .hint("this is a bug in gwctl; please report it with the output of `-v`")
    }

    /// A file could not be read or written.
    #[must_use]
    pub fn io(doing: impl Into<String>, error: &std::io::Error) -> Self {
        Self::new(FailureKind::Io, doing).cause(error.to_string())
    }

    /// Adds an error, and everything below it, as cause.
    #[must_use]
    pub fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // SDK errors repeat the text of the error below them; saying it once is enough.
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds one sentence as cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Puts what was being done in front: `failed to create …`, with the old sentence as the first cause.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        let below = std::mem::replace(&mut self.message, doing.into());
        self.causes.insert(0, below);
        self
    }

    /// Adds what went wrong besides, with what to do about it.
    ///
    /// ```
    /// use gwctl::error::{Failure, FailureKind};
    /// let lock = Failure::new(FailureKind::Aws, "the lock was not given back").hint("gwctl unlock");
    /// let failure = Failure::new(FailureKind::Refused, "AWS changed meanwhile").beside(lock);
    /// assert_eq!(failure.to_string(), "AWS changed meanwhile: the lock was not given back");
    /// assert_eq!(failure.hints(), ["gwctl unlock"]);
    /// ```
    #[must_use]
    pub fn beside(self, other: Self) -> Self {
        let failure = self.cause(other.to_string());
        other.hints.into_iter().fold(failure, Self::hint)
    }

    /// The same with `hide` over all its texts.
    #[must_use]
    pub fn without(self, hide: &dyn Fn(&str) -> String) -> Self {
        let all = |texts: Vec<String>| texts.iter().map(|text| hide(text)).collect();
        Self { kind: self.kind, message: hide(&self.message), causes: all(self.causes), hints: all(self.hints) }
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The causes, nearest first.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The exit code of the process that ends with this failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            FailureKind::Interrupted => exit::INTERRUPTED,
            _ => exit::FAILED,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl Error for Failure {}
