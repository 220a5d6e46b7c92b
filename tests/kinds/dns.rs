//! Route 53 across Regions: health checks, hosted zones, and records of several Regions under one name.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use gwctl::aws::{Aws, health};
use gwctl::kinds::dns_record::{DnsRecordSpec, Latency, LeadsTo, standing};
use gwctl::kinds::health_check::{HealthCheck, HealthCheckSpec};
use gwctl::kinds::{AnyKind, Scope, Wanted};
use gwctl::model::{Address, Identity, Input, Observed, Ownership, Place};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::Conditions;
use gwctl::sandbox::connector::Connector;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::domains::{by_hand, change, unwanted, zone};
use super::specs::{cname_records, dns_records, health_checks, hosted_zones, latency_records, values};
use super::support::project::Project;
use super::support::{Session, connect};
use super::{Bench, laws, owner};

const NAME: &str = "api.example.com";

/// Hosts of API Gateway in two Regions, with their hosted zones (General Reference, "API Gateway endpoints and quotas").
const EU: (&str, &str) = ("d-1.execute-api.eu-west-1.amazonaws.com", "ZLY8HYME6SFDD");
const US: (&str, &str) = ("d-2.execute-api.us-east-1.amazonaws.com", "Z1UJRXOUMOOFQ8");

struct World {
    project: Project,
    sandbox: Sandbox,
    session: Session,
    zone: String,
}

async fn world() -> World {
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    let zone = zone(&session, "example.com").await;
    World { project, sandbox, session, zone }
}

/// One Region of an environment, at work on its records of [`NAME`].
struct Member<'a> {
    world: &'a World,
    kind: &'a dyn AnyKind,
    aws: Aws,
    identity: Identity,
    check: String,
    spec: Value,
}

impl World {
    async fn check(&self, reference: &str) -> String {
        use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
        let config =
            HealthCheckConfig::builder().r#type(HealthCheckType::Https).fully_qualified_domain_name("x.example.org");
        let call = self.session.aws.write.route53.create_health_check().caller_reference(reference);
        call.health_check_config(config.build().unwrap()).send().await.unwrap().health_check.unwrap().id
    }

    async fn member(&self, region: &str, target: (&str, &str)) -> Member<'_> {
        self.member_on(&self.sandbox, region, target).await
    }

    async fn member_on(&self, sandbox: &Sandbox, region: &str, target: (&str, &str)) -> Member<'_> {
        let place = Place { region: region.into(), ..self.session.place.clone() };
        let check = self.check(region).await;
        let spec = latency_records(NAME, &self.zone, region, target, [&check, &check]).remove(0);
        let address = Address::new(&format!("{region}/edge"), "dns-record", "api");
        let aws = connect(&place, Connector::new(sandbox.clone()).client()).await;
        let identity = Identity { owner: owner(), address, place };
        Member { world: self, kind: self.session.registry.kind("dns-record").unwrap(), aws, identity, check, spec }
    }

    /// The set identifier that answers clients in a Region.
    fn answers(&self, client_region: &str) -> Option<String> {
        let answer = self.sandbox.resolve(&self.session.place.account, NAME, "A", client_region).unwrap();
        answer.map(|answer| answer.set_identifier.unwrap_or_default())
    }

    /// Name, type and identifier of everything in the zone but its own NS and SOA.
    async fn listed(&self) -> Vec<String> {
        let call = self.session.aws.write.route53.list_resource_record_sets().hosted_zone_id(&self.zone);
        let sets = call.send().await.unwrap().resource_record_sets;
        let shown = |set: &ResourceRecordSet| {
            format!("{} {} {}", set.name(), set.r#type().as_str(), set.set_identifier().unwrap_or("-"))
        };
        sets.iter().map(shown).filter(|text| !text.contains(" NS ") && !text.contains(" SOA ")).collect()
    }
}

impl Member<'_> {
    async fn observe_all(&self, spec: &Value) -> Vec<Observed> {
        let wanted = Wanted { address: self.identity.address.clone(), name: Some(NAME.into()), spec: spec.clone() };
        let scope = Scope { owner: owner(), wanted: vec![wanted] };
        self.kind.observe(&self.aws.read.anew(), &scope).await.unwrap()
    }

    /// What it sees of the name: its own.
    async fn observe(&self) -> Option<Observed> {
        let mut all = self.observe_all(&self.spec).await;
        assert!(all.len() <= 1, "{all:#?}");
        all.pop()
    }

    async fn create(&self) {
        self.kind.create(&self.aws, &self.identity, &self.spec).await.unwrap_or_else(|why| panic!("{why:?}"));
    }

    async fn turn_into(&self, spec: &Value) {
        let live = self.observe().await.unwrap();
        self.kind.update(&self.aws, &live, spec).await.unwrap_or_else(|why| panic!("{why:?}"));
    }

    fn with(&self, change: impl FnOnce(&mut DnsRecordSpec)) -> Value {
        let mut spec: DnsRecordSpec = serde_json::from_value(self.spec.clone()).unwrap();
        change(&mut spec);
        serde_json::to_value(spec).unwrap()
    }

    fn out_of_service(&self) -> Value {
        self.with(|spec| spec.in_service = false)
    }

    /// Why its records can't be made.
    async fn refused(&self, spec: &Value) -> String {
        let before = self.world.listed().await;
        let failure = self.kind.create(&self.aws, &self.identity, spec).await.unwrap_err();
        assert_eq!(self.world.listed().await, before);
        format!("{failure}: {}", failure.causes().join("; "))
    }
}

#[tokio::test(start_paused = true)]
pub(crate) async fn zones_checks_and_every_form_of_record_keep_the_laws() {
    let world = world().await;
    let checks = [world.check("one").await, world.check("two").await];
    let bench = |spec: &Value| Bench::new(&world.session, world.session.registry.kind("dns-record").unwrap(), spec);
    let region = &world.session.place.region;
    for name in ["law.example.com", "example.com", "*.example.com"] {
        let specs = latency_records(name, &world.zone, region, EU, [&checks[0], &checks[1]]);
        laws(&world.session, "dns-record", &specs, &[]).await;
        bench(&specs[0]).delete().await;
    }
    let specs = cname_records("law.example.com", &world.zone);
    laws(&world.session, "dns-record", &specs, &["latency"]).await;
    bench(&specs[0]).delete().await;
    assert_eq!(world.listed().await, Vec::<String>::new(), "records go with their markers");
    laws(&world.session, "hosted-zone", &hosted_zones(), &[]).await;
    laws(&world.session, "health-check", &health_checks(), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn two_regions_share_a_name_and_neither_sees_or_touches_the_other() {
    let world = world().await;
    let (eu, us) = (world.member("eu-west-1", EU).await, world.member("us-east-1", US).await);
    eu.create().await;
    assert!(us.observe().await.is_none(), "the other Region's records are none of its business");
    us.create().await;
    for member in [&eu, &us] {
        let live = member.observe().await.unwrap();
        assert_eq!((live.address(), &live.spec), (Some(&member.identity.address), &member.spec));
    }
    assert_eq!(world.listed().await.len(), 4, "a record and a marker each: {:?}", world.listed().await);
    for (client, region) in [("eu-central-1", "eu-west-1"), ("us-west-2", "us-east-1"), ("sa-east-1", "us-east-1")] {
        assert_eq!(world.answers(client).as_deref(), Some(region), "{client}");
    }
    let before = us.observe().await;
    let both = eu.with(|spec| {
        let LeadsTo::Alias { evaluate_target_health, .. } = &mut spec.leads_to else { panic!("an alias") };
        *evaluate_target_health = !*evaluate_target_health;
    });
    eu.turn_into(&both).await;
    eu.turn_into(&eu.spec).await;
    eu.kind.delete(&eu.aws, &eu.observe().await.unwrap()).await.unwrap();
    assert!(eu.observe().await.is_none());
    assert_eq!(us.observe().await, before);
    assert_eq!(world.answers("eu-central-1").as_deref(), Some("us-east-1"));
}

#[tokio::test(start_paused = true)]
async fn clients_go_where_it_is_healthy_and_if_nothing_is_where_it_is_near() {
    let world = world().await;
    let (eu, us) = (world.member("eu-west-1", EU).await, world.member("us-east-1", US).await);
    eu.create().await;
    us.create().await;
    let health = async |member: &Member<'_>| health::of(&member.aws.read, &member.check).await.unwrap().unwrap();
    assert!(health(&eu).await.healthy);
    assert!(world.sandbox.set_health(&eu.check, false).unwrap());
    let down = health(&eu).await;
    assert!(!down.healthy && down.failing == down.checkers && down.reason.unwrap().starts_with("Failure"));
    assert_eq!(world.answers("eu-central-1").as_deref(), Some("us-east-1"));
    world.sandbox.set_health(&us.check, false).unwrap();
    assert_eq!(world.answers("eu-central-1").as_deref(), Some("eu-west-1"), "all unhealthy is as good as all healthy");
    world.sandbox.set_health(&eu.check, true).unwrap();
    assert_eq!(world.answers("us-west-2").as_deref(), Some("eu-west-1"));
    assert_eq!(health::of(&eu.aws.read, "none").await.unwrap(), None);
    assert!(!world.sandbox.set_health("none", true).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_drain_moves_all_clients_and_says_who_did_it_and_when() {
    let world = world().await;
    let (eu, us) = (world.member("eu-west-1", EU).await, world.member("us-east-1", US).await);
    eu.create().await;
    us.create().await;
    let started = Instant::now();
    eu.turn_into(&eu.out_of_service()).await;
    assert!(
        started.elapsed() >= Duration::from_mins(1),
        "resolvers keep an alias for a minute: {:?}",
        started.elapsed()
    );
    assert_eq!(world.answers("eu-central-1").as_deref(), Some("us-east-1"));
    let live = eu.observe().await.unwrap();
    assert_eq!(live.spec, eu.out_of_service(), "the marker remembers what is to be put back");
    let names: BTreeSet<String> = [NAME.to_owned()].into();
    // Either Region is told of both.
    let all = standing(&us.aws.read.anew(), &owner(), &names).await.unwrap();
    let shown: Vec<(&str, bool, bool)> =
        all.iter().map(|one| (one.address.as_str(), one.spec.in_service, one.drained.is_some())).collect();
    assert_eq!(shown, [("eu-west-1/edge/dns-record/api", false, true), ("us-east-1/edge/dns-record/api", true, false)]);
    let drained = all[0].drained.as_ref().unwrap();
    assert!(drained.since.ends_with('Z') && !drained.by.is_empty(), "{drained:?}");
    assert!(!drained.by.contains(&world.session.place.account), "accounts stay out of public DNS: {drained:?}");
    assert_eq!(all[0].spec.latency.as_ref().unwrap().region, "eu-west-1");
    // A change of what is out of service leaves it out, and since when.
    let other = eu.with(|spec| {
        spec.in_service = false;
        spec.latency.as_mut().unwrap().health_check = None;
    });
    eu.turn_into(&other).await;
    let again = standing(&us.aws.read.anew(), &owner(), &names).await.unwrap();
    assert_eq!((again[0].drained.as_ref(), again[0].spec.in_service), (Some(drained), false));
    let back = Instant::now();
    eu.turn_into(&eu.spec).await;
    assert!(back.elapsed() < Duration::from_mins(1), "nobody has to be waited for on the way back");
    assert_eq!(world.answers("eu-central-1").as_deref(), Some("eu-west-1"));
    assert_eq!(standing(&us.aws.read.anew(), &owner(), &names).await.unwrap()[0].drained, None);
    let stranger = gwctl::model::Owner { product: "other".into(), environment: "test".into() };
    assert_eq!(standing(&us.aws.read.anew(), &stranger, &names).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_deletion_waits_for_resolvers_even_after_one_that_died() {
    let world = world().await;
    let eu = world.member("eu-west-1", EU).await;
    eu.create().await;
    let live = eu.observe().await.unwrap();
    assert!(timeout(Duration::from_secs(30), eu.kind.delete(&eu.aws, &live)).await.is_err(), "it waits");
    assert_eq!(world.answers("eu-central-1"), None, "the records are gone by then");
    let half = eu.observe().await.unwrap();
    assert_eq!(half.spec["in_service"], false);
    let started = Instant::now();
    eu.kind.delete(&eu.aws, &half).await.unwrap();
    assert!(started.elapsed() >= Duration::from_mins(1), "{:?}", started.elapsed());
    assert_eq!(world.listed().await, Vec::<String>::new());
    // Long after, there is nothing to wait for.
    eu.create().await;
    let cname = DnsRecordSpec {
        leads_to: LeadsTo::Cname { value: "b.example.org".into(), ttl: 300 },
        ..serde_json::from_value(eu.spec.clone()).unwrap()
    };
    eu.turn_into(&json!(cname)).await;
    let started = Instant::now();
    eu.kind.delete(&eu.aws, &eu.observe().await.unwrap()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_mins(5), "its own TTL counts: {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_new_target_is_waited_for_and_a_new_health_check_is_not() {
    let world = world().await;
    let eu = world.member("eu-west-1", EU).await;
    eu.create().await;
    let other = world.check("other").await;
    let checked = eu.with(|spec| spec.latency.as_mut().unwrap().health_check = Some(other.as_str().into()));
    let started = Instant::now();
    eu.turn_into(&checked).await;
    assert!(started.elapsed() < Duration::from_mins(1));
    let moved = eu.with(|spec| {
        let LeadsTo::Alias { target, .. } = &mut spec.leads_to else { panic!("an alias") };
        *target = "d-9.execute-api.eu-west-1.amazonaws.com".into();
    });
    eu.turn_into(&moved).await;
    assert!(started.elapsed() >= Duration::from_mins(1), "what it led to may be deleted next");
}

#[tokio::test(start_paused = true)]
async fn simple_records_become_latency_records_in_one_batch_and_back() {
    let world = world().await;
    let eu = world.member("eu-west-1", EU).await;
    let simple = eu.with(|spec| spec.latency = None);
    eu.kind.create(&eu.aws, &eu.identity, &simple).await.unwrap();
    let found = eu.observe_all(&eu.spec).await;
    assert_eq!((found.len(), &found[0].spec), (1, &gwctl::model::without_nulls(&simple)));
    eu.turn_into(&eu.spec).await;
    assert_eq!(eu.observe().await.unwrap().spec, eu.spec);
    let marked = ["api._gwctl.example.com. TXT eu-west-1", "api.example.com. A eu-west-1"];
    assert_eq!(world.listed().await, marked);
    let renamed = eu.with(|spec| spec.latency.as_mut().unwrap().set_identifier = "blue".into());
    eu.turn_into(&renamed).await;
    assert_eq!(world.listed().await, ["api._gwctl.example.com. TXT blue", "api.example.com. A blue"]);
    let live = eu.observe_all(&simple).await.remove(0);
    eu.kind.update(&eu.aws, &live, &gwctl::model::without_nulls(&simple)).await.unwrap();
    assert_eq!(world.listed().await, ["api._gwctl.example.com. TXT -", "api.example.com. A -"]);
}

fn set(action: ChangeAction, identifier: &str, region: &str) -> ChangeBatch {
    let set = ResourceRecordSet::builder().name(NAME).r#type(RrType::A).ttl(60).set_identifier(identifier);
    let set = set.region(region.into()).resource_records(ResourceRecord::builder().value("192.0.2.1").build().unwrap());
    let change = Change::builder().action(action).resource_record_set(set.build().unwrap()).build().unwrap();
    ChangeBatch::builder().changes(change).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_stands_there_and_is_not_ours_is_named_and_left_alone() {
    let world = world().await;
    let session = &world.session;
    let (eu, us) = (world.member("eu-west-1", EU).await, world.member("us-east-1", US).await);
    // Somebody's simple record where a latency record is wanted.
    change(session, &world.zone, by_hand(ChangeAction::Create, NAME, RrType::A, "192.0.2.1")).await;
    assert_eq!(eu.observe().await.unwrap().ownership, Ownership::Nobody, "so that a plan refuses");
    let why = eu.refused(&eu.spec).await;
    assert!(why.contains("by latency or not") && why.contains("A to 192.0.2.1"), "{why}");
    change(session, &world.zone, by_hand(ChangeAction::Delete, NAME, RrType::A, "192.0.2.1")).await;
    // Somebody's latency record for our Region, under another identifier and then under ours.
    change(session, &world.zone, set(ChangeAction::Create, "theirs", "eu-west-1")).await;
    let why = eu.refused(&eu.spec).await;
    assert!(why.contains("one latency record for each Region") && why.contains("(theirs)"), "{why}");
    change(session, &world.zone, set(ChangeAction::Delete, "theirs", "eu-west-1")).await;
    change(session, &world.zone, set(ChangeAction::Create, "eu-west-1", "eu-west-1")).await;
    assert_eq!(eu.observe().await.unwrap().ownership, Ownership::Nobody);
    let why = eu.refused(&eu.spec).await;
    assert!(why.contains("are somebody else's") && why.contains("A to 192.0.2.1 (eu-west-1)"), "{why}");
    // Beside it, the other Region may stand.
    us.create().await;
    change(session, &world.zone, set(ChangeAction::Delete, "eu-west-1", "eu-west-1")).await;
    // A Region that is out of service keeps its place, and a simple record may not take the name.
    us.turn_into(&us.out_of_service()).await;
    let simple = eu.with(|spec| spec.latency = None);
    let why = eu.refused(&simple).await;
    assert!(why.contains("another marker") && why.contains("laws/test's us-east-1/edge/dns-record/api"), "{why}");
    us.turn_into(&us.spec).await;
    let why = eu.refused(&simple).await;
    assert!(why.contains("by latency or not") && why.contains("us-east-1/edge/dns-record/api"), "{why}");
    let found = eu.observe_all(&simple).await;
    assert_eq!(found[0].ownership, Ownership::Others { owner: owner() }, "it is not taken over either");
}

#[tokio::test(start_paused = true)]
async fn a_cname_stands_alone_and_below_the_apex() {
    let world = world().await;
    let kind = world.session.registry.kind("dns-record").unwrap();
    let try_it = async |spec: &Value| {
        let failure = kind.create(&world.session.aws, &Bench::new(&world.session, kind, spec).identity, spec).await;
        failure.map_err(|failure| format!("{failure}: {}", failure.causes().join("; "))).map(drop)
    };
    let why = try_it(&cname_records("example.com", &world.zone)[0]).await.unwrap_err();
    assert!(why.contains("apex of a zone"), "{why}");
    change(&world.session, &world.zone, by_hand(ChangeAction::Create, NAME, RrType::Txt, "\"x\"")).await;
    let why = try_it(&cname_records(NAME, &world.zone)[0]).await.unwrap_err();
    assert!(why.contains("can't stand beside records of other types") && why.contains("TXT to \"x\""), "{why}");
    change(&world.session, &world.zone, by_hand(ChangeAction::Delete, NAME, RrType::Txt, "\"x\"")).await;
    change(&world.session, &world.zone, by_hand(ChangeAction::Create, NAME, RrType::Cname, "b.example.org")).await;
    let why = try_it(&dns_records(NAME, &world.zone, EU)[0]).await.unwrap_err();
    assert!(why.contains("are somebody else's") && why.contains("CNAME to b.example.org"), "{why}");
    change(&world.session, &world.zone, by_hand(ChangeAction::Delete, NAME, RrType::Cname, "b.example.org")).await;
    // CNAME records of several Regions can share a name, too.
    for region in ["eu-west-1", "us-east-1"] {
        let mut spec: DnsRecordSpec = serde_json::from_value(cname_records(NAME, &world.zone).remove(0)).unwrap();
        spec.latency = Some(Latency { region: region.into(), set_identifier: region.into(), health_check: None });
        let address = Address::new(&format!("{region}/edge"), "dns-record", "service");
        let identity = Identity { owner: owner(), address, place: world.session.place.clone() };
        kind.create(&world.session.aws, &identity, &json!(spec)).await.unwrap();
    }
    let answer = world.sandbox.resolve(&world.session.place.account, NAME, "A", "us-west-1").unwrap().unwrap();
    assert_eq!((answer.set_identifier.as_deref(), answer.kind.as_str(), answer.ttl), (Some("us-east-1"), "CNAME", 60));
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_others_use_is_not_deleted() {
    let world = world().await;
    let kind = world.session.registry.kind("hosted-zone").unwrap();
    let bench = Bench::new(&world.session, kind, &hosted_zones()[0]);
    let made = bench.create(&bench.spec).await;
    let id = made.get("zone_id").unwrap();
    assert_eq!(made.get("name_servers").unwrap().split(' ').count(), 4, "{made:?}");
    let live = bench.observe().await.unwrap();
    let others = async || kind.others_using(&world.session.aws.read.anew(), &live).await.unwrap();
    assert_eq!(others().await, Vec::<String>::new());
    // Our own record goes before the zone.
    let record = &dns_records("api.law.example.org", id, EU)[0];
    let records = Bench::new(&world.session, world.session.registry.kind("dns-record").unwrap(), record);
    records.create(record).await;
    assert_eq!(others().await, Vec::<String>::new());
    records.delete().await;
    change(&world.session, id, by_hand(ChangeAction::Create, "www.law.example.org", RrType::A, "192.0.2.1")).await;
    assert_eq!(others().await, ["A record `www.law.example.org`"]);
    let failure = kind.delete(&world.session.aws, &live).await.unwrap_err();
    assert!(failure.to_string().contains("failed to delete hosted zone `law.example.org`"), "{failure}");
    assert!(failure.causes().join(" ").contains("it holds A record `www.law.example.org`"), "{:?}", failure.causes());
    change(&world.session, id, by_hand(ChangeAction::Delete, "www.law.example.org", RrType::A, "192.0.2.1")).await;
    bench.delete().await;
    // Somebody's zone of the name is in the way, because a second one would answer nobody.
    let mut spec = hosted_zones().remove(0);
    spec["name"] = json!("example.com");
    assert_eq!(Bench::new(&world.session, kind, &spec).observe().await.unwrap().ownership, Ownership::Nobody);
}

#[tokio::test(start_paused = true)]
async fn health_checks_of_other_regions_are_left_to_them() {
    let world = world().await;
    let kind = world.session.registry.kind("health-check").unwrap();
    let spec =
        values::<HealthCheck>(&[HealthCheckSpec::https("api", Input::from("api.example.org"), "/health")]).remove(0);
    let elsewhere = Identity {
        owner: owner(),
        address: Address::new("eu-west-1/edge", "health-check", "api"),
        place: world.session.place.clone(),
    };
    kind.create(&world.session.aws, &elsewhere, &spec).await.unwrap();
    let bench = Bench::new(&world.session, kind, &spec);
    assert!(bench.observe().await.is_none());
    bench.create(&spec).await;
    assert!(unwanted(&world.session, "health-check").await.is_empty(), "without a domain name nobody asks Route 53");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_and_deaths_leave_one_of_each() {
    let world = world().await;
    let mut conditions = Conditions::none();
    for operation in ["CreateHealthCheck", "CreateHostedZone", "ChangeResourceRecordSets", "ChangeTagsForResource"] {
        conditions = conditions.fault(format!("cut-after:{operation}#1").parse().unwrap());
    }
    conditions = conditions.fault("deny:ChangeTagsForResource#3".parse().unwrap());
    let unreliable = world.sandbox.clone().under(conditions.clone());
    let session = Session::open(world.project.root(), "product-a", "dev", &unreliable).await;
    let zones = Bench::new(&session, session.registry.kind("hosted-zone").unwrap(), &hosted_zones()[0]);
    zones.create(&zones.spec).await;
    // One dies between the create and the tags: it is known by its reference, and taken up by the next create.
    let checks = Bench::new(&session, session.registry.kind("health-check").unwrap(), &health_checks()[0]);
    assert!(checks.kind.create(&session.aws, &checks.identity, &checks.spec).await.is_err());
    let orphan = checks.observe().await.unwrap();
    let address = checks.identity.address.clone();
    assert_eq!(orphan.ownership, Ownership::Ours { address, digest: None });
    let made = checks.kind.create(&session.aws, &checks.identity, &health_checks()[1]).await.unwrap();
    assert_eq!(made, orphan.outputs);
    checks.assert_is(&health_checks()[1], "after it was taken up").await;
    let eu = world.member_on(&unreliable, "eu-west-1", EU).await;
    eu.create().await;
    assert_eq!(eu.observe().await.unwrap().spec, eu.spec);
    assert_eq!(conditions.unmet_faults(), []);
}
