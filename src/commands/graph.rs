//! `gwctl graph`: an environment's resources with what they refer to, or the way of requests through them, as a drawing.

use super::code::Code;
use super::explain;
use super::local::{Local, Programs};
use super::output::{self, data, notice};
use super::reading::{Compared, Reading};
use super::work::{Lookups, begin_all, expand, load};
use crate::aws::Lists;
use crate::cli::{Global, GraphFormat, GraphOptions};
use crate::config::{Configuration, Environment};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::inspection::graph::{self, Graph};
use crate::model::Found;
use crate::report::Format;
use crate::stack::{self, Zips};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &GraphOptions) -> Result<u8> {
    let graph = match options.request.as_deref() {
        Some([method, path]) => Box::pin(of_request(global, options, method, path)).await?,
        Some([_]) => {
            return Err(Failure::new(FailureKind::Usage, "--request takes a method and a path, or neither")
                .hint("write for example `--request GET /orders/1`"));
        }
        which => {
            let configuration = load(global, &options.selection)?;
            let environment = only(&configuration)?;
            if options.live {
                of_live(global, &configuration, environment).await?
            } else {
                of_configuration(global, &configuration, environment, which.is_some())?
            }
        }
    };
    if global.output == Format::Json {
        output::json(global, &serde_json::json!(graph))?;
        return Ok(exit::DONE);
    }
    let text = match options.format {
        GraphFormat::Mermaid if global.output == Format::Markdown => {
            format!("```mermaid\n{}```\n", graph::mermaid(&graph))
        }
        GraphFormat::Mermaid => graph::mermaid(&graph),
        GraphFormat::Dot => graph::dot(&graph),
        GraphFormat::Svg => graph::svg(&graph),
        GraphFormat::Html => graph::html(&graph),
    };
    match &options.out {
        None => data(global, |out| out.write_all(text.as_bytes()))?,
        Some(file) => {
            std::fs::write(file, text)
                .map_err(|error| Failure::io(format!("failed to write {}", file.display()), &error))?;
            notice(global, |out| writeln!(out, "wrote {}", file.display()))?;
        }
    }
    Ok(exit::DONE)
}

/// The one environment, in one Region, that is selected.
fn only(configuration: &Configuration) -> Result<&Environment> {
    let all = &configuration.environments;
    let [environment] = all.as_slice() else {
        let hint = if all.iter().any(|one| one.regions().len() > 1) {
            "name one --product, one --env and one --region"
        } else {
            "name one --product and one --env"
        };
        let message = format!("one environment is drawn, and {} are selected", all.len());
        return Err(Failure::new(FailureKind::Usage, message).hint(hint));
    };
    Ok(environment)
}

fn title(environment: &Environment) -> String {
    format!("{} in {} {}", stack::owner(environment), environment.target.account, environment.target.region)
}

fn of_configuration(
    global: &Global,
    configuration: &Configuration,
    environment: &Environment,
    requests: bool,
) -> Result<Graph> {
    let expansion = expand(global, configuration, environment, &Zips::UNBUILT, &Found::nothing())?;
    if requests {
        let title = format!("requests to {}", stack::owner(environment));
        return Ok(graph::requests(&title, &expansion.desired));
    }
    Ok(graph::resources(&title(environment), &expansion.desired))
}

async fn of_live(global: &Global, configuration: &Configuration, environment: &Environment) -> Result<Graph> {
    let members = begin_all(global, configuration, Code::of_none(configuration), Lookups::Open).await?;
    let Some(member) = members.into_iter().next() else {
        return Err(Failure::internal("one environment was selected, and none was begun"));
    };
    let (work, lists) = (member.work?, Lists::default());
    let reading = Reading { configuration, environment, work: &work, lists: &lists };
    let Compared { live, desired, standing } = Box::pin(reading.compared(&reading.session())).await?;
    for note in &standing.notes {
        notice(global, |out| writeln!(out, "note: {note}"))?;
    }
    Ok(graph::annotate(graph::resources(&title(environment), &desired), &desired, &live, &standing))
}

async fn of_request(global: &Global, options: &GraphOptions, method: &str, path: &str) -> Result<Graph> {
    let method = method.to_ascii_uppercase();
    let request = explain::request(&method, path, [], None)?;
    let local = Box::pin(Local::begin(global, &options.selection, &Programs::StandIn)).await?;
    let explanation = local.explain(&request, false)?;
    Ok(graph::request(&format!("{method} {path} to {}", local.owner), &explanation))
}
