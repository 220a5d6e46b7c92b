//! The working tree as a gateway in this process: an environment applied to a sandbox in memory, by the same plan and the
//! same calls as to AWS, so that what `serve`, `explain` and `test` show is what an apply would make.

use std::collections::BTreeMap;

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

use super::code::Code;
use super::work::{Work, load_rest};
use crate::apply;
use crate::cli::{Global, Selection};
use crate::config::{Configuration, Environment, GatewayStack};
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::Kind as _;
use crate::kinds::lambda_function::LambdaFunction;
use crate::model::{Address, Owner};
use crate::package::Architecture;
use crate::plan::Plan;
use crate::sandbox::Sandbox;
use crate::sandbox::execute_api::{self, StageAddress};
use crate::stack;

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
    pub(super) stage: StageAddress,
    /// The list of the environment file that each route is in, by the route's path.
    pub(super) route_types: BTreeMap<String, String>,
}

impl Local {
    /// Applies the one environment that is selected to a new sandbox.
    pub(super) async fn begin(global: &Global, selection: &Selection, programs: &Programs<'_>) -> Result<Self> {
        let configuration = load_rest(global, selection)?;
        let [environment] = configuration.environments.as_slice() else {
            let count = configuration.environments.len();
            return Err(Failure::new(FailureKind::Usage, format!("one gateway is served, and {count} are selected"))
                .hint("name one --product and one --env"));
        };
        Self::of(global, &configuration, environment, programs).await
    }

    /// Applies an environment to a new sandbox.
    pub(super) async fn of(
        global: &Global,
        configuration: &Configuration,
        environment: &Environment,
        programs: &Programs<'_>,
    ) -> Result<Self> {
        let sandbox = Sandbox::in_memory();
        let work = work(global, configuration, environment, programs, &sandbox).await?;
        let (_, stage) = carry_out(&work.0, &sandbox).await?;
        let labels = work.0.desired.into_iter().flat_map(|desired| desired.labels);
        let route_types = labels.filter_map(|(field, kind)| Some((field.strip_prefix("routes.")?.to_owned(), kind)));
        Ok(Self { sandbox, owner: work.0.owner, stage, route_types: route_types.collect() })
    }

    /// Applies the environment as it is now; the plan says what changed. The stage is another one if the API or the stage has
    /// another name or place now.
    pub(super) async fn renew(
        &mut self,
        global: &Global,
        selection: &Selection,
        programs: &Programs<'_>,
    ) -> Result<Plan> {
        let configuration = load_rest(global, selection)?;
        let environment = configuration.environments.first().ok_or_else(|| {
            Failure::new(FailureKind::Configuration, format!("{} is no longer in the configuration", self.owner))
        })?;
        let work = work(global, &configuration, environment, programs, &self.sandbox).await?;
        let (plan, stage) = carry_out(&work.0, &self.sandbox).await?;
        self.stage = stage;
        Ok(plan)
    }
}

/// The environment at work on a sandbox. The folder of a stand-in has to live until the work is done.
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

/// Applies, and finds the stage that serves then.
async fn carry_out(work: &Work, sandbox: &Sandbox) -> Result<(Plan, StageAddress)> {
    let plan = work.plan().await?;
    // Nobody waits to interrupt what takes a tenth of a second.
    let (_never, interrupt) = watch::channel(false);
    let applied = apply::apply(&plan, &work.registry, &work.aws, interrupt, &mut |_| {}).await;
    let output = |address: &Address, name: &str| applied.outputs.get(address)?.get(name).map(str::to_owned);
    let api = output(&stack::api_address(GatewayStack::Gate), "id");
    let stage = output(&stack::stage_address(GatewayStack::Gate), "name");
    if let Some(failure) = applied.into_failure() {
        return Err(failure);
    }
    let found = execute_api::stages(sandbox)?.into_iter().find(|known| {
        api.as_ref().is_some_and(|api| *api == known.api) && stage.as_ref().is_some_and(|stage| *stage == known.stage)
    });
    let stage = found.ok_or_else(|| Failure::internal("the environment was applied, and no stage serves it"))?;
    Ok((plan, stage))
}
