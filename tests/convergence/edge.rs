//! The edge stack in two Regions: the example of `docs/edge`, from nothing to nothing, each setting changed alone.
//!
//! The table is `edge.json`, in the form of that of `settings`; its lines leave the Region out, because both have the same.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, ResourceRecordSetRegion, RrType,
};
use aws_sdk_wafv2::types::{AllowAction, DefaultAction, Scope, VisibilityConfig};
use bytes::Bytes;
use gwctl::permissions::Purpose;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::Conditions;
use gwctl::sandbox::connector::Connector;
use gwctl::sandbox::execute_api::{Gateway, Options, Site};
use serde_json::{Value, json};

use super::settings::{Row, lay, lines, turned_round};
use crate::support::edge::{ACCOUNT, FILE, example, furnish};
use crate::support::failing::{Failing, Mode};
use crate::support::policy::{granted, under};
use crate::support::project::Project;
use crate::support::world::counts;
use crate::support::{Session, connect};

async fn world() -> Sandbox {
    let sandbox = Sandbox::in_memory();
    furnish(&sandbox).await;
    sandbox
}

/// Sessions that may do what `gwctl policy` prints for the environment as it is written now, and nothing else.
async fn allowed(project: &Project, sandbox: &Sandbox) -> Vec<Session> {
    sessions(project, &under(sandbox, &granted(project.root(), "shop", "prod", Purpose::Change))).await
}

async fn sessions(project: &Project, sandbox: &Sandbox) -> Vec<Session> {
    Session::in_regions(project.root(), "shop", "prod", Connector::new(sandbox.clone()).client()).await
}

/// Applies each Region, and says what it took; both take the same, and nothing is left to do.
async fn apply(project: &Project, sandbox: &Sandbox) -> Result<Vec<String>, String> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for session in sessions(project, sandbox).await {
        let plan = session.plan().await.map_err(|failure| failure.to_string())?;
        if let Some(failure) = session.carry_out(&plan).await.into_failure() {
            return Err(format!("{:?}: {failure}", lines(&plan)));
        }
        let again = session.plan().await.map_err(|failure| failure.to_string())?;
        if !again.is_empty() || !again.warnings.is_empty() {
            let changes: Vec<_> = again.steps.iter().map(|step| (&step.address, &step.changes)).collect();
            return Err(format!("{:?} leaves {changes:?} {:?}", lines(&plan), again.warnings));
        }
        all.push(lines(&plan));
    }
    let first = all.remove(0);
    if all.iter().all(|other| *other == first) { Ok(first) } else { Err(format!("{first:?} but {all:?}")) }
}

#[tokio::test(start_paused = true)]
async fn two_regions_from_nothing_to_nothing() {
    let (project, sandbox) = (example(), world().await);
    let before = counts(&sandbox);
    let allowed_world = under(&sandbox, &granted(project.root(), "shop", "prod", Purpose::Change));
    let plan = apply(&project, &allowed_world).await.unwrap();
    let expected = include_str!("edge_first.txt");
    assert_eq!(plan.join("\n"), expected.trim_end());
    for session in allowed(&project, &sandbox).await.iter().rev() {
        session.destroy().await;
    }
    assert_eq!(counts(&sandbox), before);
}

#[tokio::test(start_paused = true)]
async fn each_setting_changed_alone_makes_the_least_plan() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("edge.json")).unwrap();
    let (project, sandbox) = (example(), world().await);
    let plain = project.read(FILE);
    apply(&project, &sandbox).await.unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let write = |to: Option<&Value>| {
            let mut value = plain.clone();
            if let Some(to) = to {
                lay(&json!({ "edge": to }), &mut value);
            }
            project.edit(FILE, |file| *file = value);
        };
        write(Some(&row.to));
        let there = apply(&project, &sandbox).await;
        write(None);
        let back = apply(&project, &sandbox).await;
        let expected = row.back.clone().unwrap_or_else(|| {
            let mut turned = turned_round(&row.plan);
            turned.sort_by(|one, other| one.split_once(' ').map(|it| it.1).cmp(&other.split_once(' ').map(|it| it.1)));
            turned
        });
        if there.as_ref() != Ok(&row.plan) || back.as_ref() != Ok(&expected) {
            wrong.push(format!("{}: {there:?}, back {back:?}", row.set));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for session in sessions(&project, &sandbox).await.iter().rev() {
        session.destroy().await;
    }
}

/// Where clients near a Region are led.
fn led_to(sandbox: &Sandbox, near: &str) -> Option<String> {
    let answer = sandbox.resolve(ACCOUNT, "api.shop.example.com", "A", near).unwrap()?;
    answer.set_identifier
}

fn health_check(live: &gwctl::model::Live) -> String {
    live["health-check"][0].outputs.required("id").unwrap().to_owned()
}

/// A Region whose calls all fail half-way through its first apply: the other one serves everybody, and the next apply
/// finishes the work, with one of each.
#[tokio::test(start_paused = true)]
async fn an_outage_of_one_region_leaves_the_other_serving() {
    let (project, sandbox) = (example(), world().await);
    let [first, second] = &sessions(&project, &sandbox).await[..] else { panic!("two Regions") };
    first.apply().await;
    assert_eq!(led_to(&sandbox, "us-east-1").as_deref(), Some("eu-west-1"), "there is no other");
    for at in [3, 9, 15] {
        let cut = Failing::new(Connector::new(sandbox.clone()), Mode::CutAfterEffect, at);
        let [_, dying] = &Session::in_regions(project.root(), "shop", "prod", cut.client()).await[..] else { panic!() };
        let plan = dying.plan().await.unwrap();
        assert!(!dying.carry_out(&plan).await.is_done(), "it was to die at write {at}");
        first.assert_converged("the Region that was left alone").await;
        assert_eq!(led_to(&sandbox, "us-east-1").as_deref(), Some("eu-west-1"));
    }
    second.apply().await;
    second.assert_converged("the Region that had its outage").await;
    for near in ["us-east-1", "us-west-2", "sa-east-1"] {
        assert_eq!(led_to(&sandbox, near).as_deref(), Some("us-east-1"));
    }
    assert_eq!(led_to(&sandbox, "eu-central-1").as_deref(), Some("eu-west-1"));
    let whole = counts(&sandbox);
    assert_eq!((whole["http-api"], whole["http-vpc-link"], whole["health-check"]), (4, 2, 2));
    // The service of the Region is down: its health check says so, and nobody is led there.
    let check = health_check(&first.observe().await.unwrap());
    assert!(sandbox.set_health(&check, false).unwrap());
    assert_eq!(led_to(&sandbox, "eu-central-1").as_deref(), Some("us-east-1"));
    assert!(sandbox.set_health(&check, true).unwrap());
    assert_eq!(led_to(&sandbox, "eu-central-1").as_deref(), Some("eu-west-1"));
}

/// A Region that is drained gets nobody, is left out by the applies after that, and is put back by its own command alone.
#[tokio::test(start_paused = true)]
async fn a_drained_region_stays_out_until_it_is_restored() {
    let (project, sandbox) = (example(), world().await);
    apply(&project, &sandbox).await.unwrap();
    let [first, _] = &sessions(&project, &sandbox).await[..] else { panic!("two Regions") };
    for in_service in [false, true] {
        let live = first.observe().await.unwrap();
        let record = live["dns-record"].iter().find(|one| one.name == "api.shop.example.com").unwrap();
        let mut spec = record.spec.clone();
        spec["in_service"] = json!(in_service);
        let kind = first.registry.kind("dns-record").unwrap();
        let begun = tokio::time::Instant::now();
        let made = kind.update(&first.aws, record, &spec).await.unwrap();
        let identity = gwctl::model::Identity {
            owner: first.owner.clone(),
            address: record.address().unwrap().clone(),
            place: first.place.clone(),
        };
        kind.record(&first.aws, &identity, &made, &gwctl::model::Digest::of(&spec)).await.unwrap();
        if !in_service {
            assert!(begun.elapsed().as_secs() >= 60, "resolvers keep the record for a minute: {:?}", begun.elapsed());
        }
        let expected = if in_service { "eu-west-1" } else { "us-east-1" };
        assert_eq!(led_to(&sandbox, "eu-central-1").as_deref(), Some(expected));
        let steps = apply(&project, &sandbox).await.unwrap();
        assert_eq!(steps, Vec::<String>::new());
        assert_eq!(led_to(&sandbox, "eu-central-1").as_deref(), Some(expected), "an apply leaves it as it is");
    }
}

/// A client near a Region: it keeps what DNS answers for as long as it may, and asks the API there what a page of another
/// origin may do, which API Gateway answers itself: `learn` with 204, and `orders`, whose route takes every method, with 401.
/// Gives how often it was answered from where.
async fn ask_for_ever(
    sandbox: &Sandbox,
    gateway: &Gateway,
    near: &str,
    answers: &[u16],
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> BTreeMap<String, usize> {
    let (mut seen, mut kept) = (BTreeMap::new(), None);
    while !*stop.borrow() {
        let now = tokio::time::Instant::now();
        let region = match &kept {
            Some((until, region)) if *until > now => String::clone(region),
            _ => {
                let name = "api.shop.example.com";
                let answer = sandbox.resolve(ACCOUNT, name, "A", near).unwrap().expect("the name is in DNS");
                let region = answer.set_identifier.expect("a Region answers");
                kept = Some((now + Duration::from_secs(answer.ttl.into()), region.clone()));
                region
            }
        };
        let site = Site { account: ACCOUNT.into(), region: region.clone() };
        let request = http::Request::options("/learn/aws-courses")
            .header("host", "api.shop.example.com")
            .header("origin", "https://www.shop.example.com")
            .header("access-control-request-method", "GET")
            .body(Bytes::new())
            .unwrap();
        let answer = gateway.send(&site, request, [192, 0, 2, 7].into()).await;
        let status = answer.map_or(0, |answer| answer.status().as_u16());
        assert!(answers.contains(&status), "{near} was led to {region}, and answered {status}");
        *seen.entry(region).or_default() += 1;
        let _ = tokio::time::timeout(Duration::from_secs(1), stop.changed()).await;
    }
    seen
}

/// Every client is led away before anything goes that served it: not one request fails while a Region is destroyed.
#[tokio::test(start_paused = true)]
async fn a_region_goes_without_one_failed_request() {
    let (project, sandbox) = (example(), world().await);
    apply(&project, &sandbox).await.unwrap();
    let gateway = Gateway::new(sandbox.clone(), Options::default()).unwrap();
    let [first, second] = &sessions(&project, &sandbox).await[..] else { panic!("two Regions") };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let near = ["eu-west-2", "eu-central-1", "us-west-2"];
    let clients = near.map(|near| ask_for_ever(&sandbox, &gateway, near, &[204], stopped.clone()));
    let destroy = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        first.destroy().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        stop.send(true).unwrap();
    };
    let (seen, ()) = futures::join!(futures::future::join_all(clients), destroy);
    for (near, seen) in near.iter().zip(&seen) {
        assert_eq!(seen.contains_key("eu-west-1"), near.starts_with("eu-"), "{near}: {seen:?}");
        assert!(seen["us-east-1"] > 0, "{near}: {seen:?}");
    }
    second.assert_converged("the Region that stays").await;
}

/// The API that each key of the domain name leads to in a Region.
fn mappings(sandbox: &Sandbox, region: &str) -> BTreeMap<String, String> {
    let world = sandbox.world().unwrap();
    let region = &world.accounts[ACCOUNT].regions[region];
    let names = region.apigateway.domain_names.values();
    let mappings = names.flat_map(|name| name.mappings.values());
    let name = |id: &str| region.apigatewayv2.api(id).unwrap().name.clone();
    mappings.map(|mapping| (mapping.base_path.clone(), name(&mapping.rest_api_id))).collect()
}

/// Services change places below the domain name, and no request is without an answer of one or the other, however long each
/// call takes. An apply that dies half-way is finished by the next one.
#[tokio::test(start_paused = true)]
async fn services_that_change_places_are_never_without() {
    let (project, sandbox) = (example(), world().await);
    apply(&project, &sandbox).await.unwrap();
    let of = |learn: &str, orders: &str| {
        BTreeMap::from([(learn.to_owned(), "shop-learn-prod".into()), (orders.to_owned(), "shop-orders-prod".into())])
    };
    assert_eq!(mappings(&sandbox, "eu-west-1"), of("learn", "orders"));
    project.edit(FILE, |file| {
        file["edge"]["services"]["learn"]["mapping"] = json!("orders");
        file["edge"]["services"]["orders"]["mapping"] = json!("learn");
    });
    let gateway = Gateway::new(sandbox.clone(), Options::default()).unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let slow = sandbox.clone().under(Conditions::none().latency("2s".parse().unwrap()));
    let swap = async {
        let [slow, _] = &sessions(&project, &slow).await[..] else { panic!("two Regions") };
        slow.apply().await;
        stop.send(true).unwrap();
    };
    let (seen, ()) = futures::join!(ask_for_ever(&sandbox, &gateway, "eu-central-1", &[204, 401], stopped), swap);
    assert!(seen["eu-west-1"] > 3, "{seen:?}");
    assert_eq!(mappings(&sandbox, "eu-west-1"), of("orders", "learn"));
    // In the other Region, each of the writes is the last one of an apply.
    for at in 1..=4 {
        let cut = Failing::new(Connector::new(sandbox.clone()), Mode::CutAfterEffect, at);
        let [_, second] = &mut sessions(&project, &sandbox).await[..] else { panic!("two Regions") };
        let plan = second.plan().await.unwrap();
        second.aws = connect(&second.place, cut.client()).await;
        second.carry_out(&plan).await;
        let keys: Vec<String> = mappings(&sandbox, "us-east-1").into_keys().collect();
        assert_eq!(keys, ["learn", "orders"], "both lead somewhere");
    }
    for session in sessions(&project, &sandbox).await {
        session.apply().await;
        session.assert_converged("after all").await;
    }
    assert_eq!(mappings(&sandbox, "us-east-1"), of("orders", "learn"));
}

/// A Region comes and goes, and the records of the other one stay what they are.
#[tokio::test(start_paused = true)]
async fn one_region_is_no_other_form_of_record() {
    let (project, sandbox) = (example(), world().await);
    apply(&project, &sandbox).await.unwrap();
    let whole = counts(&sandbox);
    let [_, second] = &sessions(&project, &sandbox).await[..] else { panic!("two Regions") };
    let one_region = |project: &Project| {
        project.edit(FILE, |file| {
            file["edge"]["regions"].as_object_mut().unwrap().remove("us-east-1");
        });
    };
    // What still stands in the other Region is in nobody's way.
    one_region(&project);
    let [alone] = &sessions(&project, &sandbox).await[..] else { panic!("one Region") };
    alone.assert_converged("with the records of the other Region").await;
    second.destroy().await;
    alone.assert_converged("without them").await;
    project.edit(FILE, |file| file["edge"]["regions"]["us-east-1"] = json!({}));
    let [first, second] = &sessions(&project, &sandbox).await[..] else { panic!("two Regions") };
    second.apply().await;
    first.assert_converged("with a new Region").await;
    assert_eq!(counts(&sandbox), whole);
}

/// What of somebody else's stands in the way is told by the plan, with what helps.
#[tokio::test(start_paused = true)]
async fn a_plan_sees_what_stands_in_the_way() {
    let (project, sandbox) = (example(), world().await);
    let [first, second] = &sessions(&project, &sandbox).await[..] else { panic!("two Regions") };
    let route53 = &first.aws.write.route53;
    let zones = route53.list_hosted_zones().send().await.unwrap().hosted_zones;
    let zone = zones.iter().find(|zone| zone.name == "shop.example.com.").unwrap().id.clone();
    let change = async |action: ChangeAction, set: &ResourceRecordSet| {
        let change = Change::builder().action(action).resource_record_set(set.clone()).build().unwrap();
        let batch = ChangeBatch::builder().changes(change).build().unwrap();
        route53.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch).send().await.unwrap();
    };
    let refused = async |session: &Session| {
        let failure = session.plan().await.unwrap_err();
        format!("{failure}; {}", failure.hints().join("; "))
    };
    let address = || ResourceRecord::builder().value("192.0.2.1").build().unwrap();
    let set = ResourceRecordSet::builder().name("api.shop.example.com").r#type(RrType::A).ttl(60);
    let set = set.set_identifier("theirs").resource_records(address());
    let latency = set.clone().region(ResourceRecordSetRegion::EuWest1).build().unwrap();
    change(ChangeAction::Create, &latency).await;
    let text = refused(first).await;
    assert!(text.contains("dns-record `api.shop.example.com` exists already"), "{text}");
    assert!(text.contains("delete what is there (A to 192.0.2.1) if nobody needs it"), "{text}");
    assert!(!text.contains("tag it") && !text.contains("app_group"), "{text}");
    // Beside the other Region's, theirs is one more.
    second.plan().await.unwrap();
    change(ChangeAction::Delete, &latency).await;
    first.plan().await.unwrap();
    // Records that are chosen from in another way stand beside none of ours.
    let weighted = set.weight(1).build().unwrap();
    change(ChangeAction::Create, &weighted).await;
    for session in [first, second] {
        assert!(refused(session).await.contains("exists already"));
    }
    change(ChangeAction::Delete, &weighted).await;
    let balancer = first.desired.iter().find(|one| one.address.kind() == "web-acl-association").unwrap();
    let balancer = balancer.name().unwrap();
    by_hand(first, balancer).await;
    let text = refused(first).await;
    assert!(text.contains("a load balancer has one web ACL at most, and this one is never replaced"), "{text}");
    assert!(text.contains("take it from the load balancer yourself") && !text.contains("tag it"), "{text}");
}

/// Puts a web ACL before a load balancer that nobody's configuration names.
async fn by_hand(session: &Session, balancer: &str) {
    let wafv2 = &session.aws.write.wafv2;
    let visibility = VisibilityConfig::builder().sampled_requests_enabled(false).cloud_watch_metrics_enabled(false);
    let acl = wafv2.create_web_acl().name("theirs").scope(Scope::Regional);
    let acl = acl.default_action(DefaultAction::builder().allow(AllowAction::builder().build()).build());
    let acl = acl.visibility_config(visibility.metric_name("theirs").build().unwrap()).send().await.unwrap();
    let arn = acl.summary.unwrap().arn.unwrap();
    wafv2.associate_web_acl().web_acl_arn(arn).resource_arn(balancer).send().await.unwrap();
}
