//! Access logs, read back: a line that a stage wrote, decoded by the format that the stage writes by.
//!
//! The way there is the sandbox's (`sandbox::execute_api::access_log`) and AWS's; this is the way back, for `gwctl logs`.

mod filter;
mod format;
mod line;
mod tail;
mod template;

pub use filter::{Filter, Latency, Statuses};
pub use format::Format;
pub use line::Line;
pub use tail::Tail;

/// The streams of an environment's own log group in which gwctl keeps the history of applies begin so: they hold no requests.
pub const HISTORY: &str = "gwctl/";
