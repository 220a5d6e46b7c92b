//! The verbs, one a file. Each receives plain options, calls the pipeline and hands what came of it to a reporter.

mod apply;
mod canary;
mod carrying_out;
mod check;
mod code;
mod conditions;
mod destroy;
mod doctor;
mod drift;
mod edge;
mod execution;
mod explain;
mod export;
mod files;
mod graph;
mod history;
mod import;
mod interruption;
mod journal;
mod lambda;
mod local;
mod locking;
mod logs;
mod output;
mod package;
mod plan;
mod policy;
mod question;
mod reading;
mod regions;
mod reload;
mod render;
mod rollback;
mod routes;
mod sandbox;
mod serve;
mod show;
mod show_plan;
mod stand_ins;
mod test;
mod unlock;
mod verb;
mod work;

pub use policy::needed;

use crate::cli::{Cli, Command};
use crate::error::Result;

/// Runs one command. The number is the exit code.
pub async fn run(cli: Cli) -> Result<u8> {
    let Cli { global, command } = cli;
    conditions::check(&global, matches!(command, Command::Sandbox(_)))?;
    match command {
        Command::Check(options) => check::run(&global, &options),
        Command::Render(options) => render::run(&global, &options),
        Command::Package(options) => package::run(&global, &options).await,
        Command::Plan(options) => plan::run(&global, &options).await,
        Command::Apply(options) => apply::run(&global, &options).await,
        Command::Destroy(options) => destroy::run(&global, &options).await,
        Command::ShowPlan(options) => show_plan::run(&global, &options),
        Command::Rollback(options) => rollback::run(&global, &options).await,
        Command::Canary(options) => canary::run(&global, &options).await,
        Command::Edge(options) => edge::run(&global, &options).await,
        Command::Drift(options) => Box::pin(drift::run(&global, &options)).await,
        Command::Show(options) => show::run(&global, &options).await,
        Command::Unlock(options) => unlock::run(&global, &options).await,
        Command::History(options) => history::run(&global, &options).await,
        Command::Import(options) => Box::pin(import::run(&global, &options)).await,
        Command::Export(options) => Box::pin(export::run(&global, &options)).await,
        Command::Doctor(options) => Box::pin(doctor::run(&global, &options)).await,
        Command::Policy(options) => policy::run(&global, &options),
        Command::Routes(options) => routes::run(&global, &options).await,
        Command::Logs(options) => logs::run(&global, &options).await,
        Command::Graph(options) => Box::pin(graph::run(&global, &options)).await,
        Command::Serve(options) => Box::pin(serve::run(&global, &options)).await,
        Command::Explain(options) => Box::pin(explain::run(&global, &options)).await,
        Command::Test(options) => Box::pin(test::run(&global, &options)).await,
        Command::Sandbox(options) => sandbox::run(&global, &options).await,
        Command::Lambda => Box::pin(lambda::run(&global)).await,
    }
}
