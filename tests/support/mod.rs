//! What the tests of the whole pipeline share: a copy of the configuration that can be edited, and a way from it through
//! plan and apply to a sandbox.

#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod around;
pub(crate) mod edge;
pub(crate) mod failing;
pub(crate) mod policy;
pub(crate) mod project;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use gwctl::apply::{self, Applied};
use gwctl::aws::{Aws, Connection, Lists, Notebook, Pace};
use gwctl::config::{self, Configuration, Environment};
use gwctl::error::Result;
use gwctl::kinds::{Registry, dns_record};
use gwctl::model::{Address, Desired, Found, Live, Owner, Place};
use gwctl::package::read_zip;
use gwctl::plan::build::Input;
use gwctl::plan::{self, Plan};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use gwctl::stack::{self, Expansion, Zips};
use tokio::sync::watch;

/// The calls of all kinds in all tests of the process.
pub(crate) static NOTEBOOK: LazyLock<Notebook> = LazyLock::new(Notebook::default);

/// The configuration of one environment.
pub(crate) fn load(root: &Path, product: &str, env: &str) -> Configuration {
    match config::load_selected(root, &[product.to_owned()], &[env.to_owned()], false) {
        Ok(configuration) => configuration,
        Err(config::LoadError::Faults(faults)) => panic!("{}", faults.render(false)),
        Err(config::LoadError::Failure(failure)) => panic!("{failure}"),
    }
}

fn only(configuration: &Configuration) -> &Environment {
    let [environment] = configuration.environments.as_slice() else { panic!("one environment was asked for") };
    environment
}

/// What a configuration says about one environment, for the code its zip holds.
pub(crate) fn expand(root: &Path, product: &str, env: &str) -> (Owner, Place, Expansion) {
    let configuration = load(root, product, env);
    let environment = only(&configuration);
    let expansion = expand_with(root, &configuration, only(&configuration), &Found::nothing());
    (stack::owner(environment), stack::place(&environment.target), expansion)
}

/// The same with the answers to what it leaves to be looked up.
fn expand_with(root: &Path, configuration: &Configuration, environment: &Environment, found: &Found) -> Expansion {
    // An edge has no functions.
    let code = environment.gate.as_ref().map(|gate| {
        let zip = gate.settings.authorizer.zip.as_ref().expect("the configuration names a zip");
        read_zip(&root.join(zip)).unwrap().sha256_base64
    });
    let code = code.unwrap_or_default();
    let zips = Zips { gate: &code, system: &code };
    let expansion = stack::expand(configuration, environment, &zips, found).unwrap();
    expansion.unwrap_or_else(|faults| panic!("{}", faults.render(false)))
}

/// Sessions to an account and Region of a sandbox.
pub(crate) async fn connect(place: &Place, client: SharedHttpClient) -> Aws {
    connect_beside(place, client, Pace::default()).await
}

/// The same, in one process with others.
async fn connect_beside(place: &Place, client: SharedHttpClient, turns: impl Into<Turns>) -> Aws {
    let Turns { pace, keep_rates } = turns.into();
    let transport = Some((client, Credentials::new(&place.account, "sandbox", None, None, "test")));
    let notebook = Some(NOTEBOOK.clone());
    let region = place.region.clone();
    let connection = Connection { region, transport, pace, keep_rates, notebook, ..Connection::default() };
    connection.open(place).await.unwrap()
}

/// How a session's calls wait for each other.
#[derive(Clone)]
pub(crate) struct Turns {
    pace: Pace,
    /// From the first call on, as at AWS itself.
    keep_rates: bool,
}

impl From<Pace> for Turns {
    fn from(pace: Pace) -> Self {
        Self { pace, keep_rates: false }
    }
}

/// What the configuration leaves to AWS.
async fn look_up(aws: &Aws, owner: &Owner, environment: &Environment) -> Result<Found> {
    let mut found = aws.read.find(&stack::lookups(environment)).await?;
    if let Some(domain) = environment.edge.as_ref().and_then(|edge| edge.domain.as_ref()) {
        for (region, by) in dns_record::regions(&aws.read, owner, &domain.name).await? {
            found.set_drained(&region, by);
        }
    }
    Ok(found)
}

/// One environment at work: what is wanted, and the sessions to get there.
pub(crate) struct Session {
    pub(crate) owner: Owner,
    pub(crate) place: Place,
    pub(crate) desired: Vec<Desired>,
    pub(crate) registry: Registry,
    pub(crate) aws: Aws,
    /// Nobody interrupts; an apply listens all the same.
    quiet: watch::Sender<bool>,
}

impl Session {
    /// Loads the configuration as it is now, and connects to a sandbox.
    pub(crate) async fn open(root: &Path, product: &str, env: &str, sandbox: &Sandbox) -> Self {
        Self::through(root, product, env, Connector::new(sandbox.clone()).client()).await
    }

    /// The same through a transport of one's own.
    pub(crate) async fn through(root: &Path, product: &str, env: &str, client: SharedHttpClient) -> Self {
        Self::found(root, product, env, client).await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The same, in one process with others that are worked on.
    pub(crate) async fn beside(root: &Path, product: &str, env: &str, sandbox: &Sandbox, pace: Pace) -> Self {
        let client = Connector::new(sandbox.clone()).client();
        Self::paced(root, product, env, client, pace).await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The same, with calls that keep to AWS's rates.
    pub(crate) async fn keeping_rates(root: &Path, product: &str, env: &str, sandbox: &Sandbox, pace: Pace) -> Self {
        let (client, turns) = (Connector::new(sandbox.clone()).client(), Turns { pace, keep_rates: true });
        Self::paced(root, product, env, client, turns).await.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The same, unless something that the configuration names is not there.
    pub(crate) async fn found(root: &Path, product: &str, env: &str, client: SharedHttpClient) -> Result<Self> {
        Self::paced(root, product, env, client, Pace::default()).await
    }

    async fn paced(
        root: &Path,
        product: &str,
        env: &str,
        client: SharedHttpClient,
        turns: impl Into<Turns>,
    ) -> Result<Self> {
        let configuration = load(root, product, env);
        Self::of(root, &configuration, only(&configuration), client, turns.into(), None).await
    }

    /// An environment in each of its Regions.
    pub(crate) async fn in_regions(root: &Path, product: &str, env: &str, client: SharedHttpClient) -> Vec<Self> {
        let each = Self::found_in_regions(root, product, env, client).await;
        each.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The same, unless something that the configuration names is not there.
    pub(crate) async fn found_in_regions(
        root: &Path,
        product: &str,
        env: &str,
        client: SharedHttpClient,
    ) -> Result<Vec<Self>> {
        Self::each(root, &load(root, product, env), client, None).await
    }

    /// All environments of a configuration in one process. `found` is what there is of what they leave to AWS; without it, AWS is
    /// asked.
    pub(crate) async fn each(
        root: &Path,
        configuration: &Configuration,
        client: SharedHttpClient,
        found: Option<&Found>,
    ) -> Result<Vec<Self>> {
        let pace = Pace::default();
        let each = configuration
            .environments
            .iter()
            .map(|environment| Self::of(root, configuration, environment, client.clone(), pace.clone().into(), found));
        futures::future::try_join_all(each).await
    }

    async fn of(
        root: &Path,
        configuration: &Configuration,
        environment: &Environment,
        client: SharedHttpClient,
        turns: Turns,
        found: Option<&Found>,
    ) -> Result<Self> {
        let (owner, place) = (stack::owner(environment), stack::place(&environment.target));
        let aws = connect_beside(&place, client, turns).await;
        let found = match found {
            Some(found) => found.clone(),
            None => look_up(&aws, &owner, environment).await?,
        };
        let expansion = expand_with(root, configuration, environment, &found);
        let mut artifacts = BTreeMap::new();
        for file in std::fs::read_dir(root).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "zip") {
                artifacts.insert(read_zip(&path).unwrap().sha256_base64, path);
            }
        }
        Ok(Self {
            aws,
            registry: Registry::new(artifacts),
            desired: expansion.desired,
            quiet: watch::Sender::new(false),
            owner,
            place,
        })
    }

    /// What AWS holds.
    pub(crate) async fn observe(&self) -> Result<Live> {
        self.registry.observe(&self.aws.read.anew(), &self.owner, &self.desired).await
    }

    /// What an apply would do.
    pub(crate) async fn plan(&self) -> Result<Plan> {
        self.plan_from(&self.observe().await?, plan::build)
    }

    /// The same, in one round of reading with other sessions.
    pub(crate) async fn plan_beside(&self, lists: &Lists) -> Plan {
        let read = self.aws.read.anew_beside(lists);
        let observed = self.registry.observe(&read, &self.owner, &self.desired);
        let (live, _) = futures::join!(observed, read.logging_role());
        self.plan_from(&live.unwrap(), plan::build).unwrap()
    }

    /// What a destroy would do.
    pub(crate) async fn plan_destroy(&self) -> Result<Plan> {
        self.plan_from(&self.observe().await?, plan::build_destroy)
    }

    /// A plan from what was read, or made up.
    pub(crate) fn plan_from(&self, live: &Live, build: fn(&Input<'_>) -> Result<Plan>) -> Result<Plan> {
        build(&Input {
            owner: &self.owner,
            place: &self.place,
            desired: &self.desired,
            predicted: &self.registry.predict(&self.place, &self.desired)?,
            live,
            rules: &self.registry.rules(),
        })
    }

    /// Carries a plan out, as far as it goes.
    pub(crate) async fn carry_out(&self, plan: &Plan) -> Applied {
        apply::apply(plan, &self.registry, &self.aws, self.quiet.subscribe(), &mut |_| {}).await
    }

    /// Plans and applies; the plan that was carried out.
    pub(crate) async fn apply(&self) -> Plan {
        let plan = self.plan().await.unwrap_or_else(|failure| panic!("{failure}"));
        self.must(&plan).await;
        plan
    }

    /// Removes everything.
    pub(crate) async fn destroy(&self) -> Plan {
        let plan = self.plan_destroy().await.unwrap_or_else(|failure| panic!("{failure}"));
        self.must(&plan).await;
        plan
    }

    /// What goes is nobody else's: commands ask that of every plan.
    async fn must(&self, plan: &Plan) {
        let read = self.aws.read.anew();
        let goes = plan.steps.iter().filter(|step| !matches!(step.action, plan::Action::Create | plan::Action::Update));
        for (step, live) in goes.filter_map(|step| Some((step, step.live.as_ref()?))) {
            let kind = self.registry.kind(step.address.kind()).unwrap();
            assert_eq!(kind.others_using(&read, live).await.unwrap(), [""; 0], "{}", step.address);
        }
        if let Some(failure) = self.carry_out(plan).await.into_failure() {
            panic!("{failure}");
        }
    }

    /// Fails the test unless there is nothing to do.
    pub(crate) async fn assert_converged(&self, when: &str) {
        let plan = self.plan().await.unwrap_or_else(|failure| panic!("{when}: {failure}"));
        assert!(plan.is_empty(), "{when}: {:#?}", plan.steps);
        assert_eq!(plan.warnings, [], "{when}");
    }
}

/// The addresses in a plan. Deployments are named by what they hold; here they are all `gate/deployment/*`.
pub(crate) fn addresses(plan: &Plan) -> BTreeSet<String> {
    let name = |address: &Address| match address.kind() {
        "deployment" => "gate/deployment/*".to_owned(),
        _ => address.to_string(),
    };
    plan.steps.iter().map(|step| name(&step.address)).collect()
}
