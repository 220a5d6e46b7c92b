//! What is wrong with a function's environment variables.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The environment variable.
    pub variable: &'static str,
    /// Where in its JSON, as a pointer after RFC 6901; empty for the whole of it, and for what is no JSON.
    pub pointer: String,
    /// What is wrong: follows the name of the variable or of the place in it.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Fault {
    /// A fault of a whole variable.
    pub(crate) fn of(variable: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { variable, pointer: String::new(), message: message.into(), hint: hint.into() }
    }
}

/// `AUTH_CHANNELS/wechat-mini/path has no leading slash (write …)`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} {} ({})", self.variable, self.pointer, self.message, self.hint)
    }
}

/// Everything that is wrong, in one report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// `/` and `~` of one step, as a pointer writes them.
pub(crate) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
