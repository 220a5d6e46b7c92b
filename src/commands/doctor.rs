//! `gwctl doctor`: what will fail, before it does. Every check is made by itself, side by side with the others, and none
//! stops another.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{BoxFuture, FutureExt as _, join_all};
use serde_json::Value;

use super::code::Code;
use super::output::{self, data, text_options};
use super::policy::needed;
use super::work::{Lookups, Member, Work, begin_all, load, side_by_side};
use crate::aws::{ReadAws, certificates};
use crate::cli::{DoctorOptions, Global};
use crate::config::{Environment, VpcLink};
use crate::doctor::{self, Check, Quota, Verdict};
use crate::error::{Failure, Result, exit};
use crate::kinds::Kind as _;
use crate::kinds::account_logging::AccountLogging;
use crate::kinds::domain_name::DomainName;
use crate::kinds::lambda_function::LambdaFunction;
use crate::kinds::rest_api::RestApi;
use crate::kinds::stage::{LOGGING_ROLE_HINT, Stage};
use crate::kinds::vpc_link::VpcLink as VpcLinkKind;
use crate::model::{Desired, Live, Lookup};
use crate::permissions::Purpose;
use crate::report::{self, Checked, Format};
use crate::stack::rest_resources;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &DoctorOptions) -> Result<u8> {
    let configuration = load(global, &options.selection)?;
    let none = || Code::of_none(&configuration);
    let members = begin_all(global, &configuration, none(), Lookups::Required).await?;
    // What can't be looked up is a finding, and the rest is looked at all the same.
    let open = if members.iter().any(|member| member.work.is_err()) {
        begin_all(global, &configuration, none(), Lookups::Open).await?
    } else {
        Vec::new()
    };
    let mut open: Vec<Option<Member>> = open.into_iter().map(Some).collect();
    open.resize_with(members.len(), || None);
    let turns = members.into_iter().zip(open).zip(&configuration.environments);
    let checked = side_by_side(turns.map(async |((member, open), environment)| {
        let Member { owner, place, work, .. } = member;
        let checks = match (work, open.map(|open| open.work)) {
            (Ok(work), _) => check(&work, environment).await,
            (Err(failure), Some(Ok(work))) => {
                let mut checks = vec![Check::of_failure("what is looked up", Verdict::Failed, &failure)];
                checks.extend(check(&work, environment).await);
                checks
            }
            (Err(failure), _) => vec![Check::of_failure("credentials", Verdict::Failed, &failure)],
        };
        Checked { owner, place, checks }
    }))
    .await;
    if global.output == Format::Json {
        output::json(global, &report::checks_json(&checked))?;
    } else {
        data(global, |out| report::checks(&checked, global.output, out, &text_options(global)))?;
    }
    let failed = checked.iter().flat_map(|one| &one.checks).any(|check| check.verdict == Verdict::Failed);
    Ok(if failed { exit::FAILED } else { exit::DONE })
}

/// All checks of one environment, in the order in which they are told.
async fn check(work: &Work, environment: &Environment) -> Vec<Check> {
    // In a foreign account, whatever else is found is of no use.
    if let Err(failure) = work.aws.read.check_account().await {
        let clock = clock(&work.aws.read).await;
        return [vec![Check::of_failure("credentials", Verdict::Failed, &failure)], clock].concat();
    }
    let account = format!("those of account {}, as targets.toml says", work.place.account);
    let (live, notes) = match work.observe().await {
        Ok((live, notes)) => (Ok(live), notes),
        Err(failure) => (Err(failure), Vec::new()),
    };
    let read = &work.aws.read;
    let empty = Live::new();
    let seen = live.as_ref().unwrap_or(&empty);
    let all: Vec<BoxFuture<'_, Vec<Check>>> = vec![
        clock(read).boxed(),
        permissions(read, work, environment).boxed(),
        logging_role(read, &work.desired).boxed(),
        links(read, environment).boxed(),
        certificates_of(read, &work.desired).boxed(),
        quotas(read, work, seen).boxed(),
    ];
    let mut checks = vec![Check::new("credentials", Verdict::Ok, account)];
    checks.extend(join_all(all).await.into_iter().flatten());
    checks.extend(functions(&work.desired, seen));
    match &live {
        Ok(_) => checks.push(Check::new("state", Verdict::Ok, "every resource can be read")),
        Err(failure) => checks.push(Check::of_failure("state", Verdict::Failed, failure)),
    }
    checks.extend(
        notes.into_iter().map(|note| Check { hint: note.hint, ..Check::new("tags", Verdict::Unknown, note.message) }),
    );
    checks
}

fn could_not(name: &str, failure: &Failure) -> Vec<Check> {
    vec![Check::of_failure(name, Verdict::Unknown, failure)]
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

async fn clock(read: &ReadAws) -> Vec<Check> {
    match read.clock().await {
        Some(theirs) => vec![doctor::clock(now(), theirs)],
        None => vec![Check::new("clock", Verdict::Unknown, "the answers here have no date")],
    }
}

fn kinds(desired: &[Desired]) -> BTreeSet<&str> {
    desired.iter().map(|one| one.address.kind()).collect()
}

async fn permissions(read: &ReadAws, work: &Work, environment: &Environment) -> Vec<Check> {
    let simulated = async {
        let principal = read.principal().await?;
        // What `gwctl policy` prints, and no other list.
        let actions: Vec<&str> = needed(environment, &work.desired, Purpose::Change).actions().into_iter().collect();
        let decisions = read.simulate(&principal, &actions).await?;
        Ok::<_, Failure>(doctor::permissions(&principal, &decisions))
    };
    match simulated.await {
        Ok(check) => vec![check],
        Err(failure) => could_not("permissions", &failure.context("failed to simulate what the caller may do")),
    }
}

/// A stage that logs is refused while its Region has no role for that.
async fn logging_role(read: &ReadAws, desired: &[Desired]) -> Vec<Check> {
    if !kinds(desired).contains(Stage::NAME) {
        return Vec::new();
    }
    let made = kinds(desired).contains(AccountLogging::NAME);
    vec![match read.logging_role().await {
        Some(Some(role)) => Check::new("logging role", Verdict::Ok, role),
        Some(None) if made => Check::new("logging role", Verdict::Ok, "there is none yet; the next apply makes it"),
        Some(None) => {
            Check::new("logging role", Verdict::Failed, "the Region has none, and a stage that logs is refused")
                .hint(LOGGING_ROLE_HINT)
        }
        None => Check::new("logging role", Verdict::Unknown, "API Gateway's account settings can't be read")
            .hint("it takes apigateway:GET on /account"),
    }]
}

/// The links that the configuration names.
async fn links(read: &ReadAws, environment: &Environment) -> Vec<Check> {
    let named: BTreeSet<&VpcLink> = environment.gateways().map(|gateway| &gateway.settings.vpc_link).collect();
    let each = named.into_iter().map(async |link| {
        let id = match link {
            VpcLink::Id(id) => id.clone(),
            VpcLink::Name(name) => match read.find(&[Lookup::VpcLink { name: name.clone() }]).await {
                Ok(found) => found.get(&Lookup::VpcLink { name: name.clone() }),
                Err(failure) => return Some(Check::of_failure("VPC link", Verdict::Failed, &failure)),
            },
            VpcLink::Made { .. } => return None,
        };
        Some(match read.vpc_link(&id).await {
            Ok(Some(state)) => link_check(&id, &state.status, state.message),
            Ok(None) => Check::new("VPC link", Verdict::Failed, format!("there is no link {id} in the Region"))
                .hint("set `vpc_link_id` to one of `aws apigateway get-vpc-links`"),
            Err(failure) => Check::of_failure("VPC link", Verdict::Unknown, &failure),
        })
    });
    join_all(each).await.into_iter().flatten().collect()
}

fn link_check(id: &str, status: &str, message: Option<String>) -> Check {
    let verdict = match status {
        "AVAILABLE" => Verdict::Ok,
        "PENDING" => Verdict::Warning,
        _ => Verdict::Failed,
    };
    let why = message.map(|message| format!(": {message}")).unwrap_or_default();
    let check = Check::new("VPC link", verdict, format!("{id} is {status}{why}"));
    if verdict == Verdict::Failed { check.hint("make another one: requests through it end in 500") } else { check }
}

async fn certificates_of(read: &ReadAws, desired: &[Desired]) -> Vec<Check> {
    let names = desired.iter().filter(|one| one.address.kind() == DomainName::NAME);
    let each = names.map(async |one| {
        let domain = one.name().unwrap_or_default();
        let arn = one.spec.get("certificate").and_then(Value::as_str).filter(|arn| arn.starts_with("arn:"))?;
        Some(match certificates::expires(read, arn).await {
            Ok(Some(expires)) => doctor::certificate(domain, expires, now()),
            Ok(None) => Check::new(
                "certificate",
                Verdict::Unknown,
                format!("AWS does not say how long that of {domain} is good"),
            ),
            Err(failure) => Check::of_failure("certificate", Verdict::Unknown, &failure),
        })
    });
    join_all(each).await.into_iter().flatten().collect()
}

/// The runtimes of what runs, or is to run.
fn functions(desired: &[Desired], live: &Live) -> Vec<Check> {
    let found = live.get(LambdaFunction::NAME).map(Vec::as_slice).unwrap_or_default();
    let running = |one: &&Desired| found.iter().find(|live| live.address() == Some(&one.address));
    let all = desired.iter().filter(|one| one.address.kind() == LambdaFunction::NAME);
    all.filter_map(|one| {
        let spec = running(&one).map_or(&one.spec, |live| &live.spec);
        Some(doctor::runtime(one.name()?, spec.get("runtime")?.as_str()?))
    })
    .collect()
}

/// What is counted against quotas: of the Region, and of each API of the environment.
async fn quotas(read: &ReadAws, work: &Work, live: &Live) -> Vec<Check> {
    let (gateway, lambda) = futures::join!(read.quotas("apigateway"), read.quotas("lambda"));
    let mut checks = Vec::new();
    let mut applied: BTreeMap<String, f64> = BTreeMap::new();
    for (service, quotas) in [("API Gateway", gateway), ("Lambda", lambda)] {
        match quotas {
            Ok(quotas) => applied.extend(quotas),
            Err(failure) => {
                let failure = failure.context(format!("{service}'s quotas are taken to be AWS's defaults"));
                checks.push(Check::of_failure("quota", Verdict::Unknown, &failure));
            }
        }
    }
    let limit = |quota: Quota| {
        quota.code.and_then(|code| applied.get(code)).copied().unwrap_or_else(|| f64::from(quota.default))
    };
    let own = live.get(RestApi::NAME).map(Vec::as_slice).unwrap_or_default();
    let wanted = |kind: &str| work.desired.iter().filter(|one| one.address.kind() == kind).collect::<Vec<_>>();
    let new = |kind: &str| {
        let there =
            |one: &&&Desired| live.get(kind).into_iter().flatten().any(|live| live.address() == Some(&one.address));
        wanted(kind).iter().filter(|one| !there(one)).count()
    };
    let counted = [
        (doctor::APIS, RestApi::NAME, read.rest_apis().await.map(|all| all.len())),
        (doctor::VPC_LINKS, VpcLinkKind::NAME, read.count_vpc_links().await),
        (doctor::DOMAIN_NAMES, DomainName::NAME, read.domain_names().await.map(|all| all.len())),
    ];
    for (quota, kind, there) in counted {
        match there {
            Ok(there) => checks.push(doctor::headroom(quota, "the Region", there + new(kind), limit(quota))),
            Err(failure) => checks.push(Check::of_failure("quota", Verdict::Unknown, &failure)),
        }
    }
    for one in wanted(RestApi::NAME) {
        let paths = one.spec.get("routes").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys);
        let resources = rest_resources(paths.map(String::as_str));
        checks.push(doctor::headroom(
            doctor::RESOURCES,
            one.name().unwrap_or_default(),
            resources,
            limit(doctor::RESOURCES),
        ));
    }
    for api in own.iter().filter(|api| api.address().is_some()) {
        let Some(id) = api.outputs.get("id") else { continue };
        match read.stages(id).await {
            Ok(stages) => checks.push(doctor::headroom(doctor::STAGES, &api.name, stages.len(), limit(doctor::STAGES))),
            Err(failure) => checks.push(Check::of_failure("quota", Verdict::Unknown, &failure)),
        }
    }
    let functions = wanted(LambdaFunction::NAME);
    let reserved = functions.iter().filter_map(|one| one.spec.get("reserved_concurrency")?.as_u64());
    let reserved: u64 = reserved.sum();
    if reserved > 0 {
        let reserved = u32::try_from(reserved).unwrap_or(u32::MAX);
        checks.push(doctor::reservations(reserved, limit(doctor::CONCURRENCY)));
    }
    checks
}
