//! gwctl deploys and reconciles AWS API Gateways straight through the AWS SDK, without a state file.
//!
//! # The pipeline
//!
//! 1. [`cli`] parses arguments into plain options; [`commands`] has one verb a file that receives them.
//! 2. [`config`] loads the stack and the environment files, keeps source spans, and reports every fault at once.
//! 3. [`stack`] expands them into desired resources: an address, a typed spec, and references to other resources' outputs.
//! 4. [`kinds`] read what AWS holds, in the type that desired wears, through a session of [`aws`] that can't write.
//! 5. [`plan`], pure, compares the two field by field, orders the steps by their references and applies the safety rules.
//! 6. [`report`] shows the plan as text, JSON or Markdown.
//! 7. [`apply`] walks the plan's graph, resolves references as outputs arrive, and tells of it in events.
//! 8. Reporters turn the events into progress, and a record of what was done is left in AWS ([`history`]).
//!
//! Beside it, [`lint`] warns of what is legal and probably not meant, [`drift`] tells what moved in AWS since the last
//! apply, and [`inspection`] makes data of what operators look at.
//!
//! What AWS holds is the state. Ownership, and the digest of what was last applied, stand in AWS tags. [`model`] has the
//! words that all of them share, [`error`] what can go wrong, [`rates`] how often AWS may be called, [`permissions`] what it has to allow.
//!
//! [`sandbox`] is an AWS inside the process, behind the SDK's HTTP client, and serves what is deployed in it; [`expectation`]
//! is what users expect of that; [`package`] builds the authorizer's zip.

pub mod apply;
pub mod aws;
pub mod cli;
pub mod commands;
pub mod config;
pub mod doctor;
pub mod drift;
pub mod error;
pub mod expectation;
pub mod history;
pub mod host;
pub mod inspection;
pub mod kinds;
pub mod lint;
pub mod lock;
pub mod model;
pub mod origin;
pub mod package;
pub mod permissions;
pub mod plan;
pub mod rates;
pub mod report;
pub mod sandbox;
pub mod secrets;
pub mod stack;
pub mod takeover;
