//! What operators look at, as data: how an environment stands, its routes, its access log, and the graph of its resources.
//!
//! Beside the pipeline in [`crate`], and pure: `commands` reads AWS and hands over what it read; `report` shows what comes of
//! it. No AWS type is named here, and nothing here asks for the time or the terminal.

pub mod access_log;
pub mod console;
mod glob;
pub mod graph;
pub mod routes;
pub mod standing;

pub use glob::Glob;
