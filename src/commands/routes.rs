//! `gwctl routes`: the routes that the configuration wants beside those that AWS holds and its stages serve.

use std::collections::BTreeMap;

use super::code::Code;
use super::output::{self, data, notice, text_options};
use super::reading::Reading;
use super::work::{Lookups, Member, begin_all, expand, load, side_by_side};
use crate::aws::{Lists, ReadAws, stage_state};
use crate::cli::{Global, RoutesOptions};
use crate::config::{Configuration, Environment};
use crate::error::{Failure, Result, exit};
use crate::inspection::routes::{Api, Filter, of_export, of_http_api, of_rest_api};
use crate::kinds::Kind as _;
use crate::kinds::http_api::HttpApi;
use crate::kinds::rest_api::RestApi;
use crate::model::{Address, Desired, Found, Live, Observed, resolve};
use crate::report::{self, RouteTable};
use crate::stack::{self, Zips};

/// Runs the command.
pub(super) async fn run(global: &Global, options: &RoutesOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let filter = Filter {
        served: options.live,
        path: options.path.clone(),
        types: options.types.clone(),
        service: options.service.clone(),
        methods: options.methods.clone(),
    };
    if options.desired {
        let tables = configuration.environments.iter().map(|one| wanted(global, &configuration, one, &filter));
        let tables = tables.collect::<Result<Vec<_>>>()?;
        data(global, |out| report::route_tables(&tables, global.output, out, &text_options(global)))?;
        return Ok(exit::DONE);
    }
    let members = begin_all(global, &configuration, Code::of_none(&configuration), Lookups::Open).await?;
    let (several, lists) = (members.len() > 1, Lists::default());
    let reads = configuration.environments.iter().zip(&members).map(async |(environment, member)| {
        (member.label.clone(), Box::pin(table(&configuration, environment, member, &lists, &filter)).await)
    });
    let (mut tables, mut failures) = (Vec::new(), Vec::new());
    for (label, table) in side_by_side(reads).await {
        match table {
            Ok((table, notes)) => {
                for note in notes {
                    notice(global, |out| writeln!(out, "note: {label}: {note}"))?;
                }
                tables.push(table);
            }
            Err(failure) => failures.push((label, failure)),
        }
    }
    if several || failures.is_empty() {
        data(global, |out| report::route_tables(&tables, global.output, out, &text_options(global)))?;
    }
    Ok(if output::failures(global, failures, several)? { exit::FAILED } else { exit::DONE })
}

/// The routes of the configuration alone.
fn wanted(
    global: &Global,
    configuration: &Configuration,
    environment: &Environment,
    filter: &Filter,
) -> Result<RouteTable> {
    let expansion = expand(global, configuration, environment, &Zips::UNBUILT, &Found::nothing())?;
    let apis = expansion.desired.iter().filter_map(|one| {
        let wanted = of_spec(&one.address, &one.spec)?;
        let stage = stage_of(&expansion.desired, &one.address).map(|stage| stage.spec.clone());
        Some(Api { wanted: Some(wanted), stage, ..bare(&one.address, one.name().unwrap_or_default(), one) })
    });
    let (owner, place) = (stack::owner(environment), stack::place(&environment.target));
    Ok(RouteTable { owner, place, lines: lines(apis, filter) })
}

fn lines(apis: impl Iterator<Item = Api>, filter: &Filter) -> Vec<crate::inspection::routes::Line> {
    apis.flat_map(|api| api.lines()).filter(|line| filter.wants(line)).collect()
}

fn of_spec(address: &Address, spec: &serde_json::Value) -> Option<crate::inspection::routes::Routes> {
    match address.kind() {
        RestApi::NAME => of_rest_api(spec),
        HttpApi::NAME => of_http_api(spec),
        _ => None,
    }
}

fn bare(address: &Address, name: &str, desired: &Desired) -> Api {
    let types =
        desired.labels.iter().filter_map(|(at, kind)| Some((at.strip_prefix("routes.")?.to_owned(), kind.clone())));
    Api {
        address: address.clone(),
        name: name.to_owned(),
        wanted: None,
        edited: None,
        served: None,
        looked: false,
        types: types.collect(),
        stage: None,
    }
}

/// The stage of an API: it has the API's own name in addresses.
fn stage_of<'d>(desired: &'d [Desired], api: &Address) -> Option<&'d Desired> {
    let kind = if api.kind() == RestApi::NAME { "stage" } else { "http-stage" };
    desired.iter().find(|one| one.address == Address::new(api.stack(), kind, api.name()))
}

/// The routes of one environment, and what the reader should know besides.
async fn table(
    configuration: &Configuration,
    environment: &Environment,
    member: &Member,
    lists: &Lists,
    filter: &Filter,
) -> Result<(RouteTable, Vec<String>)> {
    let work = member.work.as_ref().map_err(Failure::clone)?;
    let reading = Reading { configuration, environment, work, lists };
    let read = reading.session();
    let compared = reading.compared(&read).await?;
    let notes = if compared.standing.compared { Vec::new() } else { compared.standing.notes.clone() };
    let own: Vec<&Observed> = compared.live.values().flatten().filter(|one| one.address().is_some()).collect();
    let outputs: BTreeMap<&Address, &Observed> = own.iter().filter_map(|one| Some((one.address()?, *one))).collect();
    let mut apis = Vec::new();
    for one in &compared.desired {
        let known = |reference: &crate::model::Reference| {
            Some(outputs.get(&reference.address)?.outputs.get(&reference.output)?.to_owned())
        };
        let Some(wanted) = of_spec(&one.address, &resolve(&one.spec, &known)) else { continue };
        let live = outputs.get(&one.address).copied();
        let api = Api { wanted: Some(wanted), ..bare(&one.address, one.name().unwrap_or_default(), one) };
        apis.push(seen(&read, &compared.live, api, live).await?);
    }
    // An API that is ours and in no configuration any more serves all the same.
    for one in
        own.into_iter().filter(|one| [RestApi::NAME, HttpApi::NAME].contains(&one.address().map_or("", Address::kind)))
    {
        let Some(address) = one.address().filter(|at| !apis.iter().any(|api| api.address == **at)) else { continue };
        let nothing = Desired { address: address.clone(), spec: serde_json::Value::Null, labels: BTreeMap::new() };
        let api = bare(address, &one.name, &nothing);
        apis.push(seen(&read, &compared.live, api, Some(one)).await?);
    }
    let (owner, place) = (member.owner.clone(), member.place.clone());
    Ok((RouteTable { owner, place, lines: lines(apis.into_iter(), filter) }, notes))
}

/// The API with what AWS holds of it, and what its stage serves.
async fn seen(read: &ReadAws, live: &Live, api: Api, one: Option<&Observed>) -> Result<Api> {
    let Some(one) = one else { return Ok(Api { looked: true, ..api }) };
    let edited = of_spec(&api.address, &one.spec);
    if api.address.kind() == HttpApi::NAME {
        let stage = child(live, "http-stage", &api.address).map(|stage| stage.spec.clone());
        let served = stage.as_ref().and(edited.clone());
        return Ok(Api { looked: true, edited, served, stage, ..api });
    }
    let stage = child(live, "stage", &api.address);
    let served = match (stage, one.outputs.get("id")) {
        (Some(stage), Some(id)) => Some(of_export(&stage_state::export(read, id, &stage.name).await?)),
        _ => None,
    };
    Ok(Api { looked: true, edited, served, stage: stage.map(|stage| stage.spec.clone()), ..api })
}

/// Our stage of an API.
fn child<'l>(live: &'l Live, kind: &str, api: &Address) -> Option<&'l Observed> {
    live.get(kind)?.iter().find(|one| one.address().is_some() && one.within.as_ref() == Some(api))
}
