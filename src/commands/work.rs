//! What `plan`, `apply`, `destroy` and `show` have in common: from a selection to sessions, live state and plans.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_credential_types::Credentials;
use futures::future::LocalBoxFuture;
use futures::stream;
use futures::{FutureExt as _, StreamExt as _};

use super::code::Code;
use super::conditions::{self, Summary};
use super::output::faulty;
use super::question::Terminal;
use super::regions::{about_regions, in_region, standing};
use super::stand_ins;
use crate::aws::{Aws, Connection, Lists, MfaSessions, Pace, ReadAws};
use crate::cli::{Global, Selection};
use crate::config::{self, Configuration, Environment, LoadError, Severity, VpcLink, names};
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::Kind as _;
use crate::kinds::Registry;
use crate::kinds::account_logging::AccountLogging;
use crate::kinds::stage::{LOGGING_ROLE_HINT, Stage};
use crate::kinds::vpc_link::VpcLink as VpcLinkKind;
use crate::model::{Desired, Found, Live, Owner, Place};
use crate::plan::build::Input;
use crate::plan::{self, Action, Plan, Warning};
use crate::sandbox::Sandbox;
use crate::sandbox::connector::Connector;
use crate::stack::{self, Expansion, Zips};

/// Loads what is selected, or shows what is wrong with it.
pub(super) fn load(global: &Global, selection: &Selection) -> Result<Configuration> {
    let Selection { environments, products, all, shard } = selection;
    let mut configuration =
        config::load_selected(&global.root, products, environments, *all).map_err(|error| match error {
            LoadError::Faults(faults) => faulty(global, &faults),
            LoadError::Failure(failure) => failure,
        })?;
    if let Some(shard) = shard {
        shard.keep(&mut configuration.environments);
    }
    if let Some(region) = &global.region {
        in_region(region, &mut configuration)?;
    }
    Ok(configuration)
}

/// Loads the REST APIs of what is selected: an edge has none, and a REST API is in one Region.
pub(super) fn load_rest(global: &Global, selection: &Selection) -> Result<Configuration> {
    let mut configuration = load(global, selection)?;
    let names: Vec<String> = configuration.environments.iter().map(|one| stack::owner(one).to_string()).collect();
    configuration.environments.retain(|environment| environment.gate.is_some());
    match (configuration.environments.as_slice(), names.first()) {
        ([], Some(name)) => {
            let message = format!("{name} has no REST API, and this command knows no others");
            Err(Failure::new(FailureKind::Usage, message).hint("select an environment with `gateway_api`"))
        }
        _ => Ok(configuration),
    }
}

/// Expands one environment, or shows what is wrong with it.
pub(super) fn expand(
    global: &Global,
    configuration: &Configuration,
    environment: &Environment,
    zips: &Zips<'_>,
    found: &Found,
) -> Result<Expansion> {
    stack::expand(configuration, environment, zips, found)?.map_err(|faults| faulty(global, &faults))
}

/// Looks up in AWS what the configuration leaves to it. In a foreign account it would find other things, or nothing.
pub(super) async fn look_up(read: &ReadAws, environment: &Environment) -> Result<Found> {
    let lookups = stack::lookups(environment);
    if lookups.is_empty() {
        return Ok(Found::nothing());
    }
    read.check_account().await?;
    let (found, standing) = futures::join!(read.find(&lookups), standing(read, environment));
    let mut found = found?;
    for (region, drained) in standing? {
        found.set_drained(&region, drained);
    }
    Ok(found)
}

/// One environment at work: what is wanted, and the sessions to get there.
pub(super) struct Work {
    /// Whose.
    pub(super) owner: Owner,
    /// Where.
    pub(super) place: Place,
    /// The environment needs more care than others.
    pub(super) protected: bool,
    /// What is wanted.
    pub(super) desired: Vec<Desired>,
    /// The kinds.
    pub(super) registry: Registry,
    /// The sessions.
    pub(super) aws: Aws,
    /// What all environments of the run list together, once, for their first look.
    lists: Arc<Lists>,
    /// Whether it was looked at. What is read again, after a question or under the lock, is read from AWS.
    looked: AtomicBool,
    /// What the configuration leaves to AWS, and what AWS said.
    looked_up: Option<Box<(Environment, Found)>>,
    warnings: Vec<Warning>,
    /// Speaks when the last one goes.
    _summary: Option<Arc<Summary>>,
}

impl Work {
    /// Expands an environment on a sandbox that holds nothing else. What a REST API leaves to be looked up stays unknown, and
    /// what hangs on it (domain names, a link to a load balancer) is left out: no request served needs it. HTTP APIs find
    /// stand-ins there. No DNS records are made, which nobody resolves and whose end would be waited for.
    pub(super) async fn alone(
        sandbox: &Sandbox,
        global: &Global,
        configuration: &Configuration,
        environment: &Environment,
        code: &Code,
    ) -> Result<Self> {
        let mut environment = environment.clone();
        for gateway in environment.gateways_mut() {
            if let VpcLink::Made { .. } = gateway.settings.vpc_link {
                gateway.settings.vpc_link = VpcLink::Id("made-by-apply".to_owned());
            }
            gateway.settings.domain = None;
        }
        // A link that is not made has no name.
        environment.names.retain(|address, _| names::parts(address).is_none_or(|parts| parts[1] != VpcLinkKind::NAME));
        let connection = connection(global, &environment, Some(sandbox));
        let mut found = Found::nothing();
        if let Some(edge) = &mut environment.edge {
            stand_ins::leave_dns_out(edge);
            let edge_alone = Environment { gate: None, system: None, ..environment.clone() };
            let place = stack::place(&environment.target);
            sandbox.furnish(&place.account, &place.region, &stand_ins::of(&edge_alone))?;
            found = look_up(&connection.open(&place).await?.read, &edge_alone).await?;
        }
        let lists = Arc::default();
        Self::through(&connection, global, configuration, &environment, (code, lists), Some(found)).await
    }

    /// Expands an environment and opens sessions to its account and Region. `found` answers what has to be looked up;
    /// without it, AWS does.
    async fn through(
        connection: &Connection,
        global: &Global,
        configuration: &Configuration,
        environment: &Environment,
        (code, lists): (&Code, Arc<Lists>),
        found: Option<Found>,
    ) -> Result<Self> {
        let place = stack::place(&environment.target);
        let aws = connection.open(&place).await?;
        let asks = found.is_none();
        let found = match found {
            Some(found) => found,
            None => look_up(&aws.read.anew_beside(&lists), environment).await?,
        };
        let regions = about_regions(environment, &found);
        let expansion = expand(global, configuration, environment, &code.zips(environment), &found)?;
        let faults = configuration.warnings.iter().chain(expansion.warnings.iter());
        let warnings = faults
            .filter(|fault| fault.severity == Severity::Warning)
            .map(|fault| Warning {
                message: format!("{}: {}", fault.file.display(), fault.message),
                hint: fault.hint.clone(),
            })
            .chain(regions)
            .collect();
        Ok(Self {
            owner: stack::owner(environment),
            place,
            protected: environment.target.protected,
            desired: expansion.desired,
            registry: Registry::new(code.artifacts().clone()),
            aws,
            lists,
            looked: AtomicBool::new(false),
            looked_up: (asks && !stack::lookups(environment).is_empty())
                .then(|| Box::new((environment.clone(), found))),
            warnings,
            _summary: None,
        })
    }

    /// Its sessions, without what is wanted, which is large.
    pub(super) fn let_go(self) -> Self {
        Self { desired: Vec::new(), looked_up: None, warnings: Vec::new(), ..self }
    }

    /// Asks AWS again what the configuration leaves to it: what is wanted was made of the answers.
    ///
    /// # Errors
    ///
    /// Refused where an answer is another one by now.
    pub(super) async fn look_up_again(&self) -> Result<()> {
        let Some((environment, found)) = self.looked_up.as_deref() else { return Ok(()) };
        let changed = look_up(&self.aws.read.anew(), environment).await?.changed_since(found);
        if changed.is_empty() {
            return Ok(());
        }
        let failure = Failure::new(FailureKind::Refused, "what the configuration leaves to AWS changed meanwhile");
        Err(changed.into_iter().fold(failure, Failure::cause).hint("nothing was changed; run this again"))
    }

    /// Reads AWS afresh, and says what could not be read and was done without. The account is checked at the same time, so
    /// that it costs no time.
    pub(super) async fn observe(&self) -> Result<(Live, Vec<Warning>)> {
        self.observe_through(&self.session()).await
    }

    /// A session that remembers nothing, but for what the environments of the run list together for their first look.
    pub(super) fn session(&self) -> ReadAws {
        if self.looked.swap(true, Ordering::Relaxed) {
            self.aws.read.anew()
        } else {
            self.aws.read.anew_beside(&self.lists)
        }
    }

    async fn observe_through(&self, read: &ReadAws) -> Result<(Live, Vec<Warning>)> {
        let observed = self.registry.observe(read, &self.owner, &self.desired);
        let (account, live) = futures::join!(read.check_account(), observed);
        // Whatever else failed in a foreign account is beside the point.
        account?;
        let hint = "resources that are no longer in the configuration may have been missed";
        let notes = read.take_notes().into_iter().map(|message| Warning { message, hint: Some(hint.to_owned()) });
        Ok((live?, notes.collect()))
    }

    /// Plans to make live what is wanted.
    pub(super) async fn plan(&self) -> Result<Plan> {
        let read = self.session();
        let (observed, logging_role) = futures::join!(self.observe_through(&read), read.logging_role());
        let (live, notes) = observed?;
        let mut plan = self.plan_from(&live, plan::build)?;
        self.refuse_to_take_from_others(&plan).await?;
        plan.warnings.extend(self.warnings.iter().cloned().chain(notes));
        let stages = plan.steps.iter().filter(|step| step.address.kind() == Stage::NAME);
        let logs = stages.into_iter().any(|step| matches!(step.action, Action::Create | Action::Update));
        let made = self.desired.iter().any(|one| one.address.kind() == AccountLogging::NAME);
        if logging_role == Some(None) && logs && !made {
            let message = format!(
                "account {} has no role for API Gateway's logs in {}: the stage will be refused",
                self.place.account, self.place.region
            );
            plan.warnings.push(Warning { message, hint: Some(LOGGING_ROLE_HINT.to_owned()) });
        }
        Ok(plan)
    }

    /// Plans to remove everything.
    pub(super) async fn plan_destroy(&self) -> Result<Plan> {
        let (live, notes) = self.observe().await?;
        let mut plan = self.plan_from(&live, plan::build_destroy)?;
        self.refuse_to_take_from_others(&plan).await?;
        plan.warnings.extend(notes);
        Ok(plan)
    }

    /// What others use is not deleted under them: the plan is refused before anything is done, and says who they are.
    async fn refuse_to_take_from_others(&self, plan: &Plan) -> Result<()> {
        let deletes = plan.steps.iter().filter(|step| {
            matches!(step.action, Action::Delete | Action::ReplaceDeleteFirst | Action::ReplaceCreateFirst)
        });
        // What was read before the question may be old by now.
        let read = self.aws.read.anew();
        for (step, live) in deletes.filter_map(|step| Some((step, step.live.as_ref()?))) {
            let others = self.registry.kind(step.address.kind())?.others_using(&read, live).await?;
            if !others.is_empty() {
                let message = format!("{} `{}` is used by others and can't go", step.address.kind(), live.name);
                let failure = Failure::new(FailureKind::Refused, message).hint("move them to another one first");
                return Err(others.into_iter().fold(failure, Failure::cause));
            }
        }
        Ok(())
    }

    /// A plan from what was read, or is supposed.
    pub(super) fn plan_from(&self, live: &Live, build: fn(&Input<'_>) -> Result<Plan>) -> Result<Plan> {
        let predicted = self.registry.predict(&self.place, &self.desired)?;
        build(&Input {
            owner: &self.owner,
            place: &self.place,
            desired: &self.desired,
            predicted: &predicted,
            live,
            rules: &self.registry.rules(),
        })
    }
}

/// Environments that are worked on at the same time. Those of one account and Region wait for each other's deployments, of which
/// AWS grants one in 5 s: sixteen keep that line filled for the 80 s that a new role and a function may take to come up. Where
/// they take 25 s, eight are enough and four are not (10 % more time for two dozen environments), and more gain nothing.
pub(super) const AT_ONCE: usize = 16;

/// One environment of a run: at work, or what kept it from that.
pub(super) struct Member {
    /// What the reader knows it by: the owner, and the Region where there are several.
    pub(super) label: String,
    /// Whose.
    pub(super) owner: Owner,
    /// Where.
    pub(super) place: Place,
    /// What keeps it from work is its own: the others go on.
    pub(super) work: Result<Work>,
}

/// What the configuration leaves to AWS: certificates, zones, load balancers, other products' gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookups {
    /// Is looked up, and has to be there.
    Required,
    /// Stays open: whoever removes or shows what there is needs names only, and what they named may be gone.
    Open,
}

/// One environment that is selected. It holds next to nothing until it begins.
pub(super) struct Selected<'a> {
    /// What the reader knows it by.
    pub(super) label: String,
    /// Whose.
    pub(super) owner: Owner,
    /// Whether somebody may have to type a code for it.
    pub(super) asks: bool,
    /// Where.
    pub(super) place: Place,
    work: LocalBoxFuture<'a, Result<Work>>,
}

impl Selected<'_> {
    /// Opens its sessions, and works out what is wanted.
    pub(super) async fn begin(self) -> Member {
        let Self { label, owner, place, work, .. } = self;
        Member { label, owner, place, work: work.await }
    }
}

/// Every environment that is selected, with its sessions, in the order of the configuration. `code` is that of each.
pub(super) async fn begin_all(
    global: &Global,
    configuration: &Configuration,
    code: Vec<Result<Code>>,
    lookups: Lookups,
) -> Result<Vec<Member>> {
    let selected = select(global, configuration, code, lookups).await?;
    Ok(side_by_side(selected.into_iter().map(Selected::begin)).await)
}

/// Every environment that is selected, to begin with when its turn comes.
pub(super) async fn select<'a>(
    global: &'a Global,
    configuration: &'a Configuration,
    code: Vec<Result<Code>>,
    lookups: Lookups,
) -> Result<Vec<Selected<'a>>> {
    let found = (lookups == Lookups::Open).then(Found::nothing);
    let summary = open_sandbox(global)?.map(|sandbox| Arc::new(Summary(sandbox)));
    let sessions = MfaSessions::asking(Arc::new(Terminal::of(global)));
    let (pace, lists) = (Pace::default(), Arc::<Lists>::default());
    let mut all = Vec::with_capacity(configuration.environments.len());
    for (environment, code) in configuration.environments.iter().zip(code) {
        let mut connection = connection(global, environment, summary.as_ref().map(|summary| &summary.0));
        connection.mfa_sessions = sessions.clone();
        connection.pace = pace.clone();
        let asks = connection.may_ask().await;
        let (found, summary, lists) = (found.clone(), summary.clone(), lists.clone());
        let work = async move {
            let code = code?;
            let with = (&code, lists);
            let work = Work::through(&connection, global, configuration, environment, with, found).await?;
            Ok(Work { _summary: summary, ..work })
        };
        let owner = stack::owner(environment);
        let label = match environment.regions().len() {
            0 | 1 => owner.to_string(),
            _ => format!("{owner} {}", environment.target.region),
        };
        all.push(Selected { label, owner, asks, place: stack::place(&environment.target), work: work.boxed_local() });
    }
    Ok(all)
}

/// Does all of it, at most [`AT_ONCE`] at the same time; what comes of it stands in the order of what was asked.
pub(super) async fn side_by_side<F: Future>(all: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    // Whoever is done makes room, also before one that takes long: `buffered` would count what waits to be handed over.
    let numbered = all.into_iter().enumerate().map(async |(number, one)| (number, one.await));
    let mut done: Vec<(usize, F::Output)> = stream::iter(numbered).buffer_unordered(AT_ONCE).collect().await;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, one)| one).collect()
}

/// Variables that say where credentials come from. They beat the profile of `targets.toml`, which a CI job has not got;
/// the check of the account keeps that from going wrong.
const CREDENTIAL_VARIABLES: [&str; 5] = [
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

fn connection(global: &Global, environment: &Environment, sandbox: Option<&Sandbox>) -> Connection {
    let target = &environment.target;
    let from_environment = CREDENTIAL_VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
    // An access key of twelve digits names its account in the sandbox.
    let transport = sandbox.map(|sandbox| {
        let credentials = Credentials::new(&target.account, "sandbox", None, None, "sandbox");
        let client = global.host.as_ref().map(|host| host.client.clone());
        (client.unwrap_or_else(|| Connector::new(sandbox.clone()).client()), credentials)
    });
    Connection {
        region: target.region.clone(),
        profile: global.profile.clone().or_else(|| target.profile.clone().filter(|_| !from_environment)),
        role: target.role.clone(),
        external_id: target.external_id.clone(),
        session_name: target.session_name.clone(),
        mfa_serial: target.mfa_serial.clone(),
        mfa_sessions: MfaSessions::default(),
        pace: Pace::default(),
        notebook: None,
        allowance: target.rates.clone(),
        // A sandbox with AWS's quotas has its rates.
        keep_rates: sandbox.is_some_and(|sandbox| sandbox.conditions().has_quotas()),
        endpoint_url: global.endpoint_url.clone().or_else(|| target.endpoint_url.clone()),
        transport,
    }
}

/// Which AWS the command line leads to: none for AWS itself, and for what the targets say.
pub(super) fn world(global: &Global) -> Option<String> {
    let sandbox = global.sandbox.as_ref().map(|folder| format!("sandbox {}", folder.display()));
    sandbox.or_else(|| global.endpoint_url.clone())
}

/// The sandbox of the command, if it is to work on one: one for all environments, so that all their calls are numbered
/// together, and quotas and crashes are those of one client.
fn open_sandbox(global: &Global) -> Result<Option<Sandbox>> {
    let Some(dir) = &global.sandbox else { return Ok(None) };
    if let Some(host) = &global.host {
        return Ok(Some(host.sandbox.clone()));
    }
    let sandbox = Sandbox::open(&global.root.join(dir))?.under(conditions::read(global)?);
    conditions::die_when_due(&sandbox);
    Ok(Some(sandbox))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_long_holds_up_nobody() {
        let begun = Instant::now();
        let all = (0..200).map(async |number: u64| {
            sleep(Duration::from_secs(if number == 0 { 100 } else { 1 })).await;
            number
        });
        assert!(side_by_side(all).await.is_sorted());
        assert_eq!(begun.elapsed().as_secs(), 100, "the others are done long before");
    }
}
