//! The working tree as a gateway in this process: an environment applied to a sandbox in memory, by the same plan and the
//! same calls as to AWS, so that what `serve`, `explain` and `test` show is what an apply would make.

use std::collections::BTreeMap;

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

use super::code::Code;
use super::work::{Work, load};
use crate::apply;
use crate::cli::{Global, Selection};
use crate::config::edge::EdgeSettings;
use crate::config::{Configuration, Environment, GatewayStack};
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::Kind as _;
use crate::kinds::http_api::HttpApi;
use crate::kinds::http_stage::HttpStage;
use crate::kinds::lambda_function::LambdaFunction;
use crate::model::{Address, Outputs, Owner};
use crate::package::Architecture;
use crate::plan::Plan;
use crate::sandbox::Sandbox;
use crate::sandbox::execute_api::{self, Fallback, StageAddress};
use crate::stack::{self, edge};

/// The code that the functions get.
pub(super) enum Programs<'a> {
    /// The real one, for this machine's processor, with these variables laid over the functions' own.
    Real(&'a BTreeMap<String, String>),
    /// A stand-in, where no function is called: nothing is built.
    StandIn,
}

/// One environment of the working tree, applied.
pub(super) struct Local {
    pub(super) sandbox: Sandbox,
    pub(super) owner: Owner,
    pub(super) gateways: Gateways,
    /// The list of the environment file that each route is in, by the route's path.
    pub(super) route_types: BTreeMap<String, String>,
}

/// What of an environment answers requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Gateways {
    /// The stage of the public REST API.
    pub(super) stage: Option<StageAddress>,
    /// The HTTP APIs.
    pub(super) edge: Option<LocalEdge>,
}

/// The HTTP APIs of a Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalEdge {
    pub(super) region: String,
    /// The domain name in front of them.
    pub(super) domain: Option<String>,
    /// The only addresses that may come in; none: all.
    pub(super) allowed: Vec<String>,
    pub(super) services: Vec<LocalService>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalService {
    pub(super) name: String,
    /// The first part of its paths below the domain name.
    pub(super) mapping: String,
    pub(super) stage: StageAddress,
}

impl Gateways {
    /// What requests are for whose host says nothing.
    pub(super) fn fallback(&self) -> Fallback {
        let domain = self.edge.as_ref().and_then(|edge| Some((edge.domain.clone()?, edge.region.clone())));
        Fallback { stage: self.stage.clone(), domain }
    }
}

impl Local {
    /// Applies the one environment that is selected to a new sandbox.
    pub(super) async fn begin(global: &Global, selection: &Selection, programs: &Programs<'_>) -> Result<Self> {
        let configuration = load(global, selection)?;
        let parts = only(&configuration)?;
        Box::pin(Self::of(global, &configuration, &parts, programs)).await
    }

    /// Applies what is one environment, in one Region or two, to a new sandbox.
    pub(super) async fn of(
        global: &Global,
        configuration: &Configuration,
        parts: &[Environment],
        programs: &Programs<'_>,
    ) -> Result<Self> {
        let owner = parts.first().map(stack::owner);
        let owner = owner.ok_or_else(|| Failure::internal("no environment was to be served"))?;
        let sandbox = Sandbox::in_memory();
        let mut local = Self { sandbox, owner, gateways: Gateways::default(), route_types: BTreeMap::new() };
        Box::pin(local.apply(global, configuration, parts, programs)).await?;
        Ok(local)
    }

    /// Applies the environment as it is now; the plans say what changed.
    pub(super) async fn renew(
        &mut self,
        global: &Global,
        selection: &Selection,
        programs: &Programs<'_>,
    ) -> Result<Vec<Plan>> {
        let configuration = load(global, selection)?;
        let parts = only(&configuration)?;
        if parts.iter().any(|part| stack::owner(part) != self.owner) {
            let message = format!("{} is no longer in the configuration", self.owner);
            return Err(Failure::new(FailureKind::Configuration, message));
        }
        Box::pin(self.apply(global, &configuration, &parts, programs)).await
    }

    async fn apply(
        &mut self,
        global: &Global,
        configuration: &Configuration,
        parts: &[Environment],
        programs: &Programs<'_>,
    ) -> Result<Vec<Plan>> {
        let (mut plans, mut gateways) = (Vec::new(), Gateways::default());
        for part in parts {
            let (work, _folder) = Box::pin(work(global, configuration, part, programs, &self.sandbox)).await?;
            let (plan, outputs) = carry_out(&work).await?;
            plans.push(plan);
            let stages = execute_api::stages(&self.sandbox)?;
            if part.gate.is_some() {
                let (api, stage) = (stack::api_address(GatewayStack::Gate), stack::stage_address(GatewayStack::Gate));
                gateways.stage = Some(serving(&stages, &outputs, &api, &stage)?);
            }
            if let Some(settings) = &part.edge {
                gateways.edge = Some(LocalEdge::of(settings, &part.target.region, &stages, &outputs)?);
            }
            let labels = work.desired.into_iter().flat_map(|desired| desired.labels);
            let types = labels.filter_map(|(field, kind)| Some((field.strip_prefix("routes.")?.to_owned(), kind)));
            self.route_types.extend(types);
        }
        self.gateways = gateways;
        Ok(plans)
    }
}

impl LocalEdge {
    fn of(
        settings: &EdgeSettings,
        region: &str,
        stages: &[StageAddress],
        outputs: &BTreeMap<Address, Outputs>,
    ) -> Result<Self> {
        let services = settings.services.iter().map(|(name, service)| {
            let address = |kind| edge::address(region, kind, name);
            let stage = serving(stages, outputs, &address(HttpApi::NAME), &address(HttpStage::NAME))?;
            Ok(LocalService { name: name.clone(), mapping: service.mapping.clone(), stage })
        });
        Ok(Self {
            region: region.to_owned(),
            domain: settings.domain.as_ref().map(|domain| domain.name.clone()),
            allowed: settings.allow_list.as_ref().map(|list| list.addresses.clone()).unwrap_or_default(),
            services: services.collect::<Result<_>>()?,
        })
    }
}

/// What is served of each environment that is selected: its REST API, and its HTTP APIs in the first of its Regions that is
/// selected. Only where these are two Regions it is in two parts.
pub(super) fn served(configuration: &Configuration) -> Vec<Vec<Environment>> {
    let mut owners: Vec<Owner> = configuration.environments.iter().map(stack::owner).collect();
    owners.dedup();
    owners.iter().map(|owner| parts(configuration, owner)).collect()
}

fn parts(configuration: &Configuration, owner: &Owner) -> Vec<Environment> {
    let all = || configuration.environments.iter().filter(|one| stack::owner(one) == *owner);
    let is_first =
        |one: &&Environment| one.edge.as_ref().is_some_and(|edge| edge.regions.first() == Some(&one.target.region));
    let edge = all().find(is_first).or_else(|| all().find(|one| one.edge.is_some()));
    let gate = all().find(|one| one.gate.is_some());
    match (gate, edge) {
        (Some(gate), Some(edge)) if gate.target.region == edge.target.region => vec![gate.clone()],
        (Some(gate), edge) => {
            let alone = Environment { edge: None, ..gate.clone() };
            [alone].into_iter().chain(edge.cloned()).collect()
        }
        (None, edge) => edge.cloned().into_iter().collect(),
    }
}

/// What is served of the one environment that is selected.
fn only(configuration: &Configuration) -> Result<Vec<Environment>> {
    let mut each = served(configuration);
    match (each.pop(), each.len()) {
        (Some(parts), 0) => Ok(parts),
        (_, others) => {
            let message = format!("one gateway is served, and {} are selected", others + 1);
            Err(Failure::new(FailureKind::Usage, message).hint("name one --product and one --env"))
        }
    }
}

/// An environment at work on a sandbox. The folder of a stand-in has to live until the work is done.
async fn work(
    global: &Global,
    configuration: &Configuration,
    environment: &Environment,
    programs: &Programs<'_>,
    sandbox: &Sandbox,
) -> Result<(Work, Option<TempDir>)> {
    match programs {
        Programs::StandIn => {
            let folder = TempDir::new().map_err(|error| Failure::io("failed to make a temporary folder", &error))?;
            let code = Code::stand_in(folder.path(), environment)?;
            Ok((Work::alone(sandbox, global, configuration, environment, &code).await?, Some(folder)))
        }
        Programs::Real(variables) => {
            let environment = for_this_machine(environment.clone());
            let code = Code::of(global, std::slice::from_ref(&environment), true).await?;
            let mut work = Work::alone(sandbox, global, configuration, &environment, &code).await?;
            for desired in &mut work.desired {
                if desired.address.kind() == LambdaFunction::NAME {
                    for (name, value) in *variables {
                        desired.spec["environment"][name] = json!(value);
                    }
                }
            }
            Ok((work, None))
        }
    }
}

/// A function that is built here has to run here. A zip that the configuration names stays as it is.
fn for_this_machine(mut environment: Environment) -> Environment {
    let Some(here) = Architecture::of_this_machine() else { return environment };
    for gateway in environment.gateways_mut() {
        let authorizer = &mut gateway.settings.authorizer;
        if authorizer.zip.is_none() {
            authorizer.architecture = here.to_string();
        }
    }
    environment
}

/// Applies, and gives what came of it.
async fn carry_out(work: &Work) -> Result<(Plan, BTreeMap<Address, Outputs>)> {
    let plan = work.plan().await?;
    // Nobody waits to interrupt what takes a tenth of a second.
    let (_never, interrupt) = watch::channel(false);
    let mut applied = apply::apply(&plan, &work.registry, &work.aws, interrupt, &mut |_| {}).await;
    let outputs = std::mem::take(&mut applied.outputs);
    match applied.into_failure() {
        Some(failure) => Err(failure),
        None => Ok((plan, outputs)),
    }
}

/// The stage that serves after an apply. It is another one if the API or the stage has another name or place now.
fn serving(
    stages: &[StageAddress],
    outputs: &BTreeMap<Address, Outputs>,
    api: &Address,
    stage: &Address,
) -> Result<StageAddress> {
    let output = |address: &Address, name: &str| outputs.get(address)?.get(name).map(str::to_owned);
    let (api_id, name) = (output(api, "id"), output(stage, "name"));
    let found = stages.iter().find(|known| {
        api_id.as_ref().is_some_and(|id| *id == known.api) && name.as_ref().is_some_and(|name| *name == known.stage)
    });
    found.cloned().ok_or_else(|| Failure::internal(format!("{api} was applied, and no stage serves it")))
}
