//! Every setting by itself: what a plan names when nothing else changes, there and back, and nothing is left in the end.
//!
//! The table is `settings.json`. A group has an environment and what is laid on it to begin with (`from`); each row lays
//! `to` on that, and says which steps the plan has: `+` makes, `~` changes, `-` deletes, `-/+` and `+/-` replace. Both are
//! JSON merge patches (RFC 7386): `null` takes a member away. Addresses without a stack are the gate's. What the sandbox
//! holds before the first apply ([`furnish`]) stands in the table as `$NAME`.

use std::cell::RefCell;
use std::fmt::Write as _;

use gwctl::model::{Found, Place};
use gwctl::permissions::Purpose;
use gwctl::plan::{Action, Plan, Reason};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::state::LogsRole;
use gwctl::sandbox::authorization::Enforced;
use gwctl::sandbox::connector::Connector;
use gwctl::sandbox::world::World;
use gwctl::stack::{self, Zips};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::around::furnish;
use crate::support::policy::{granted, under};
use crate::support::project::{DEFAULTS, DEV, Project};
use crate::support::world::{accounts, counts};
use crate::support::{Session, connect, load};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(rename = "group")]
    name: String,
    /// Product and environment; the environment is `dev`.
    #[serde(default = "product_a")]
    product: String,
    /// With the system gateway.
    #[serde(default)]
    whole: bool,
    /// Every ARN is one of China.
    #[serde(default)]
    china: bool,
    /// The Region's role for logs is made, and stays when everything else goes.
    #[serde(default)]
    role_stays: bool,
    from: Value,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) set: String,
    pub(crate) to: Value,
    pub(crate) plan: Vec<String>,
    /// The steps of the way back; else those of the way there, turned round.
    pub(crate) back: Option<Vec<String>>,
}

fn product_a() -> String {
    "product-a".to_owned()
}

/// Lays a merge patch on a value.
pub(crate) fn lay(patch: &Value, on: &mut Value) {
    let Value::Object(members) = patch else { return *on = patch.clone() };
    if !on.is_object() {
        *on = json!({});
    }
    for (key, value) in members {
        let target = on.as_object_mut().unwrap();
        match value {
            Value::Null => drop(target.remove(key)),
            _ => lay(value, target.entry(key).or_insert(Value::Null)),
        }
    }
}

/// What a plan does, a line a step. Deployments and versions are named by what they hold, which says nothing here, and that
/// old ones go has tests of its own.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    let line = |step: &gwctl::plan::Step| {
        let action = match step.action {
            Action::Create => "+",
            Action::Update => "~",
            Action::ReplaceDeleteFirst => "-/+",
            Action::ReplaceCreateFirst => "+/-",
            Action::Delete => "-",
        };
        let address = step.address.to_string();
        let address = step.address.region().map_or(&*address, |region| &address[region.len() + "/edge/".len()..]);
        let address = address.strip_prefix("gate/").unwrap_or(address);
        match step.address.kind() {
            "deployment" | "function-version" => format!("{action} {}/*", address.rsplit_once('/').unwrap().0),
            _ => format!("{action} {address}"),
        }
    };
    let mut lines: Vec<String> = plan.steps.iter().filter(|step| step.reason != Reason::Superseded).map(line).collect();
    lines.sort_by(|one, other| one.split_once(' ').map(|it| it.1).cmp(&other.split_once(' ').map(|it| it.1)));
    lines
}

/// What is kept for a rollback may be there already on the way back, or not.
fn is_snapshot(line: &str) -> bool {
    line.ends_with("/*")
}

/// The way back of some steps.
pub(crate) fn turned_round(steps: &[String]) -> Vec<String> {
    let turned = |step: &String| match step.split_once(' ').expect("an action and an address") {
        ("+", address) => format!("- {address}"),
        ("-", address) => format!("+ {address}"),
        _ => step.clone(),
    };
    steps.iter().filter(|step| !is_snapshot(step)).map(turned).collect()
}

/// A group at work.
struct Bench {
    project: Project,
    sandbox: Sandbox,
    place: Place,
    product: String,
    /// The environment as it was before anything was laid on it.
    plain: Value,
    from: Value,
    /// What `gwctl policy` printed for the environment as it was at the last apply.
    granted: RefCell<Enforced>,
    /// The sandbox as the last session saw it.
    seen: RefCell<Sandbox>,
}

impl Bench {
    fn of(group: &Group) -> Self {
        let project = if group.whole { Project::whole() } else { Project::new() };
        project.zip("other.zip", "another authorizer");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        std::fs::write(project.root().join("ca.pem"), certificate.pem()).unwrap();
        let plain = project.read(&file(&group.product));
        let place = stack::place(&load(project.root(), &group.product, "dev").environments[0].target);
        let mut world = World::default();
        if group.role_stays {
            let account = world.accounts.entry(place.account.clone()).or_default();
            account.regions.entry(place.region.clone()).or_default().apigateway.logs_role = LogsRole::Unset;
        }
        Self {
            project,
            sandbox: Sandbox::holding(world),
            place,
            product: group.product.clone(),
            plain,
            from: group.from.clone(),
            granted: RefCell::default(),
            seen: RefCell::new(Sandbox::in_memory()),
        }
    }

    /// Writes the environment: `from`, and on that `to`.
    fn write(&self, to: Option<&Value>) {
        let mut environment = self.plain.clone();
        lay(&self.from, &mut environment);
        if let Some(to) = to {
            lay(to, &mut environment);
        }
        self.project.edit(&file(&self.product), |value| *value = environment);
    }

    /// A session that may do what `gwctl policy` prints for what is written now and for what was before, and nothing else.
    async fn session(&self) -> Session {
        let now = granted(self.project.root(), &self.product, "dev", Purpose::Change);
        let before = self.granted.replace(now.clone());
        let sandbox = under(&self.sandbox, &now.and(&before));
        self.seen.replace(sandbox.clone());
        Session::open(self.project.root(), &self.product, "dev", &sandbox).await
    }

    /// Applies what is written, and says what that took and whether there was anything left to do.
    async fn apply(&self) -> Result<Vec<String>, String> {
        let session = self.session().await;
        let plan = session.plan().await.map_err(|failure| failure.to_string())?;
        if let Some(failure) = session.carry_out(&plan).await.into_failure() {
            return Err(format!("{:?}: {failure}", lines(&plan)));
        }
        let again = session.plan().await.map_err(|failure| failure.to_string())?;
        // A denial that was done without is one all the same.
        let denied = self.seen.borrow().counters();
        if denied.total.denied > 0 {
            let of = denied.services.into_values().flatten().filter(|(_, tally)| tally.denied > 0);
            return Err(format!("{:?}: denied {:?}", lines(&plan), of.map(|(name, _)| name).collect::<Vec<_>>()));
        }
        if again.is_empty() && again.warnings.is_empty() {
            Ok(lines(&plan))
        } else {
            Err(format!("after {:?} there is still {:#?} {:?}", lines(&plan), again.steps, again.warnings))
        }
    }

    /// One row, there and back; what is wrong with it.
    async fn check(&self, row: &Row) -> String {
        let mut wrong = String::new();
        self.write(Some(&row.to));
        match self.apply().await {
            Ok(steps) if steps == row.plan => {}
            Ok(steps) => drop(writeln!(wrong, "  {}: {}", row.set, json!(steps))),
            Err(why) => drop(writeln!(wrong, "  {}: {why}", row.set)),
        }
        self.write(None);
        let expected = row.back.clone().unwrap_or_else(|| turned_round(&row.plan));
        match self.apply().await.map(|steps| steps.into_iter().filter(|step| !is_snapshot(step)).collect::<Vec<_>>()) {
            Ok(steps) if steps == expected => {}
            Ok(steps) => drop(writeln!(wrong, "  {}, back: {}", row.set, json!(steps))),
            Err(why) => drop(writeln!(wrong, "  {}, back: {why}", row.set)),
        }
        wrong
    }
}

fn file(product: &str) -> String {
    format!("environments/{product}/dev.json")
}

/// Everything that looks like an ARN in what the sandbox holds.
fn arns(sandbox: &Sandbox) -> Vec<String> {
    let text = accounts(sandbox).to_string();
    text.match_indices("arn:aws").map(|(at, _)| text[at..].chars().take(60).collect()).collect()
}

/// What a sandbox holds, byte for byte, without what tells of the past alone; `but_role`: without that Region's role for
/// logs, which has to be there.
fn held(sandbox: &Sandbox, but_role: Option<&Place>) -> Value {
    let mut all = accounts(sandbox);
    for account in all.as_object_mut().unwrap().values_mut() {
        for partition in account["route53"].as_object_mut().unwrap().values_mut() {
            partition["changes"] = Value::Null;
        }
    }
    if let Some(Place { account, region, .. }) = but_role {
        let role = format!("gwctl-api-gateway-logs-{region}");
        let account = &mut all[account];
        let set = account["regions"][region]["apigateway"]["logs_role"].take();
        assert!(set.to_string().contains(&format!("/{role}\"")), "{set}");
        account["regions"][region]["apigateway"]["logs_role"] = json!(LogsRole::Unset);
        account["iam"]["roles"].as_object_mut().unwrap().remove(&role).expect("the role stays");
    }
    all
}

/// One group from the first apply to the destroy; what is wrong with it.
async fn run(group: &Value) -> String {
    let draft: Group = serde_json::from_value(group.clone()).unwrap();
    let mut bench = Bench::of(&draft);
    let made = furnish(&connect(&bench.place, Connector::new(bench.sandbox.clone()).client()).await).await;
    let text = made.iter().rev().fold(group.to_string(), |text, (key, value)| text.replace(key, value));
    let group: Group = serde_json::from_str(&text).unwrap();
    bench.from = group.from.clone();

    let before = held(&bench.sandbox, None);
    bench.write(None);
    let mut wrong = String::new();
    if let Err(why) = bench.apply().await {
        return format!("{}:\n  {why}\n", group.name);
    }
    for row in &group.rows {
        wrong += &Box::pin(bench.check(row)).await;
    }
    if group.china {
        let arns = arns(&bench.sandbox);
        assert!(arns.len() > 50, "{arns:?}");
        for arn in arns.iter().filter(|arn| !arn.starts_with("arn:aws-cn:")) {
            wrong = format!("{wrong}  {arn}\n");
        }
    }
    bench.session().await.destroy().await;
    let after = held(&bench.sandbox, group.role_stays.then_some(&bench.place));
    if after != before {
        wrong = format!("{wrong}  left: {:?}\n  {after}\n  {before}\n", counts(&bench.sandbox));
    }
    if wrong.is_empty() { wrong } else { format!("{}:\n{wrong}", group.name) }
}

/// The table.
#[test]
fn each_setting_alone_makes_a_minimal_plan_there_and_back() {
    let groups: Vec<Value> = serde_json::from_str(include_str!("settings.json")).unwrap();
    // Each group has a sandbox of its own, and so a thread with a clock of its own.
    let alone = |group| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(run(group))
    };
    let wrong: String = std::thread::scope(|scope| {
        let threads: Vec<_> = groups.iter().map(|group| scope.spawn(move || alone(group))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The configuration of the article that gwctl grew from, as it stands there: it names no host to ask for tokens, and no
/// security group.
#[tokio::test(start_paused = true)]
async fn the_article_s_own_configuration_plans_applies_and_goes() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    std::fs::write(project.root().join(DEV), include_str!("article.json")).unwrap();
    // A ready-made zip may know by itself whom to ask; the authorizer that gwctl builds does not.
    let built = Project::new();
    std::fs::write(built.root().join(DEV), include_str!("article.json")).unwrap();
    built.edit(DEFAULTS, |defaults| drop(defaults["authorizer"].as_object_mut().unwrap().remove("zip")));
    let configuration = load(built.root(), "product-a", "dev");
    let environment = &configuration.environments[0];
    let expansion = stack::expand(&configuration, environment, &Zips::UNBUILT, &Found::nothing()).unwrap().unwrap();
    let warnings: Vec<&str> = expansion.warnings.iter().map(|fault| fault.message.as_str()).collect();
    let no_host = "there is no `authorizer.auth_host`: every request behind the authorizer will be answered with 500";
    assert_eq!(warnings, [no_host]);

    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    let plan = session.apply().await;
    let expected = [
        "+ deployment/*",
        "+ execution-log-group/gateway",
        "+ iam-role/authorizer",
        "+ iam-role/authorizer-invocation",
        "+ lambda-function/authorizer",
        "+ lambda-function/non-ttl-authorizer",
        "+ log-group/access",
        "+ log-group/authorizer",
        "+ log-group/non-ttl-authorizer",
        "+ rest-api/gateway",
        "+ security-group/authorizer",
        "+ stage/gateway",
    ];
    assert_eq!(lines(&plan), expected);
    Session::open(project.root(), "product-a", "dev", &sandbox).await.assert_converged("the article's").await;
    session.destroy().await;
    assert!(counts(&sandbox).values().all(|count| *count == 0), "{:?}", counts(&sandbox));
}

/// A gate may ask for tokens behind the system gateway of another product, which has to be there first.
#[tokio::test(start_paused = true)]
async fn the_system_gateway_of_another_product_is_looked_up() {
    let (project, sandbox) = (Project::whole(), Sandbox::in_memory());
    let targets = "[dev]\naccount = \"123456789012\"\nregion = \"ap-southeast-1\"\n";
    for env in ["staging", "preprod", "prod"] {
        for product in ["product-a", "product-b"] {
            std::fs::remove_file(project.root().join(format!("environments/{product}/{env}.json"))).unwrap();
        }
    }
    std::fs::write(project.root().join("environments/targets.toml"), targets).unwrap();
    project.edit(DEV, |env| env["authorizer"]["auth_host"] = json!({"gateway": "system", "product": "product-b"}));
    let client = || Connector::new(sandbox.clone()).client();
    let failure = Session::found(project.root(), "product-a", "dev", client()).await.err().expect("it is not there");
    assert_eq!(failure.to_string(), "product-b/dev has no system gateway in 123456789012 ap-southeast-1");
    assert_eq!(failure.hints(), ["apply it first: gwctl apply --product product-b --env dev"]);

    let other = Session::open(project.root(), "product-b", "dev", &sandbox).await;
    other.apply().await;
    let id = other.observe().await.unwrap()["rest-api"]
        .iter()
        .find(|api| api.name == "product-b-system-gateway-dev")
        .and_then(|api| api.outputs.get("id").map(str::to_owned))
        .unwrap();
    let session = Session::found(project.root(), "product-a", "dev", client()).await.unwrap();
    session.apply().await;
    session.assert_converged("with the host of another product").await;
    let host = format!("{id}.execute-api.ap-southeast-1.amazonaws.com/dev");
    let functions = &accounts(&sandbox)["123456789012"]["regions"]["ap-southeast-1"]["lambda"];
    assert!(functions.to_string().contains(&format!(r#""AUTH_HOST":"{host}""#)), "{host} in {functions:#}");
    session.destroy().await;
    other.assert_converged("the other product").await;
}
