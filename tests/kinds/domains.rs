//! The laws for a custom domain name and what belongs to it, and what they keep beyond the laws: what is somebody else's.

use aws_sdk_apigateway::types::IntegrationType;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use gwctl::aws::certificates::certificate_for;
use gwctl::aws::zones::zone_for;
use gwctl::kinds::{Scope, Wanted};
use gwctl::model::{Address, Outputs, Ownership};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use serde_json::{Value, json};

use super::specs::{base_path_mappings, dns_records, domain_names};
use super::support::Session;
use super::support::project::Project;
use super::{Bench, laws, owner, session};

pub(super) async fn certificate(session: &Session, name: &str) -> String {
    let made = session.aws.write.acm.request_certificate().domain_name(name).send().await.unwrap();
    made.certificate_arn.unwrap()
}

pub(super) async fn zone(session: &Session, name: &str) -> String {
    let call = session.aws.write.route53.create_hosted_zone().name(name).caller_reference(name);
    call.send().await.unwrap().hosted_zone.unwrap().id.rsplit('/').next().unwrap().to_owned()
}

/// An API with the stages `one` and `two`.
pub(super) async fn served(session: &Session) -> String {
    let client = &session.aws.write.apigateway;
    let api = client.create_rest_api().name("served").send().await.unwrap();
    let (id, root) = (api.id.unwrap(), api.root_resource_id.unwrap());
    let method = client.put_method().rest_api_id(&id).resource_id(&root).http_method("GET");
    method.authorization_type("NONE").send().await.unwrap();
    let mock = client.put_integration().rest_api_id(&id).resource_id(&root).http_method("GET");
    mock.r#type(IntegrationType::Mock).send().await.unwrap();
    for stage in ["one", "two"] {
        client.create_deployment().rest_api_id(&id).stage_name(stage).send().await.unwrap();
    }
    id
}

pub(super) async fn domain_name(session: &Session) -> Outputs {
    let certificates = [certificate(session, "*.example.com").await, certificate(session, "law.example.com").await];
    laws(session, "domain-name", &domain_names([&certificates[0], &certificates[1]]), &[]).await
}

fn target(domain: &Outputs) -> (&str, &str) {
    (domain.get("regional_domain_name").unwrap(), domain.get("regional_hosted_zone_id").unwrap())
}

#[tokio::test(start_paused = true)]
pub(crate) async fn domain_names_mappings_and_records_keep_the_laws() {
    let (_project, session) = session().await;
    let domain = domain_name(&session).await;
    let apis = [served(&session).await, served(&session).await];
    for path in ["", "v1", "a$b"] {
        let specs = base_path_mappings(path, [&apis[0], &apis[1]]);
        laws(&session, "base-path-mapping", &specs, &[]).await;
        let kind = session.registry.kind("base-path-mapping").unwrap();
        Bench::new(&session, kind, &specs[0]).delete().await;
    }
    let zone = zone(&session, "example.com").await;
    for name in ["law.example.com", "*.example.com", "example.com"] {
        let specs = dns_records(name, &zone, target(&domain));
        laws(&session, "dns-record", &specs, &["latency"]).await;
        Bench::new(&session, session.registry.kind("dns-record").unwrap(), &specs[0]).delete().await;
    }
    let sets = session.aws.write.route53.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    let left: Vec<&str> = sets.resource_record_sets.iter().map(|set| set.r#type().as_str()).collect();
    assert_eq!(left, ["NS", "SOA"], "records go with their markers");
}

/// Everything of a kind that is seen by an owner who wants nothing.
pub(super) async fn unwanted(session: &Session, kind: &str) -> Vec<gwctl::model::Observed> {
    let scope = Scope { owner: owner(), wanted: Vec::new() };
    session.registry.kind(kind).unwrap().observe(&session.aws.read.anew(), &scope).await.unwrap()
}

#[tokio::test(start_paused = true)]
pub(crate) async fn what_is_no_longer_wanted_is_found() {
    let (_project, session) = session().await;
    let domain = domain_name(&session).await;
    let (api, zone) = (served(&session).await, zone(&session, "example.com").await);
    let kind = |name: &str| session.registry.kind(name).unwrap();
    let mapping = &base_path_mappings("", [&api, &api])[0];
    Bench::new(&session, kind("base-path-mapping"), mapping).create(mapping).await;
    let record = &dns_records("law.example.com", &zone, target(&domain))[0];
    Bench::new(&session, kind("dns-record"), record).create(record).await;
    for name in ["domain-name", "base-path-mapping", "dns-record"] {
        let found = unwanted(&session, name).await;
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].address(), Some(&Address::new("gate", name, "law")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_mapping_made_by_hand_is_shown_and_not_ours() {
    let (_project, session) = session().await;
    domain_name(&session).await;
    let api = served(&session).await;
    let call = session.aws.write.apigateway.create_base_path_mapping().domain_name("law.example.com");
    call.rest_api_id(&api).base_path("by-hand").stage("one").send().await.unwrap();
    let found = unwanted(&session, "base-path-mapping").await;
    assert_eq!(found[0].ownership, Ownership::Nobody);
    assert_eq!(
        found[0].within,
        Some(Address::new("gate", "domain-name", "law")),
        "so that the domain is not deleted over it"
    );
    // One that leads elsewhere is not taken for ours, one that leads where ours is to lead is.
    let specs = base_path_mappings("by-hand", [&api, &api]);
    let kind = session.registry.kind("base-path-mapping").unwrap();
    let bench = Bench::new(&session, kind, &specs[0]);
    let failure = kind.create(&session.aws, &bench.identity, &specs[2]).await.unwrap_err();
    assert!(failure.to_string().contains("was made by somebody else"), "{failure}");
    assert_eq!(unwanted(&session, "base-path-mapping").await[0].ownership, Ownership::Nobody, "nor is it afterwards");
    kind.create(&session.aws, &bench.identity, &specs[0]).await.unwrap();
}

pub(super) fn by_hand(action: ChangeAction, name: &str, kind: RrType, value: &str) -> ChangeBatch {
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(60);
    let set = set.resource_records(ResourceRecord::builder().value(value).build().unwrap()).build().unwrap();
    let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
    ChangeBatch::builder().changes(change).build().unwrap()
}

pub(super) async fn change(session: &Session, zone: &str, batch: ChangeBatch) {
    let call = session.aws.write.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    call.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_record_is_never_overwritten() {
    let (_project, session) = session().await;
    let zone = zone(&session, "example.com").await;
    let kind = session.registry.kind("dns-record").unwrap();
    let spec = &dns_records("law.example.com", &zone, ("x.elb.amazonaws.com", "Z1"))[0];
    let bench = Bench::new(&session, kind, spec);
    change(&session, &zone, by_hand(ChangeAction::Create, "law.example.com", RrType::A, "192.0.2.1")).await;
    let found = bench.observe().await.unwrap();
    assert_eq!((found.ownership, &found.spec["leads_to"]["alias"]["target"]), (Ownership::Nobody, &json!("192.0.2.1")));
    let failure = kind.create(&session.aws, &bench.identity, spec).await.unwrap_err();
    assert!(failure.to_string().contains("are somebody else's"), "{failure}");
    assert!(failure.causes()[0].contains("A to 192.0.2.1"), "{:?}", failure.causes());
    change(&session, &zone, by_hand(ChangeAction::Delete, "law.example.com", RrType::A, "192.0.2.1")).await;

    // A marker of another owner keeps the name, too.
    let marker = "law._gwctl.example.com";
    change(&session, &zone, by_hand(ChangeAction::Create, marker, RrType::Txt, "\"gwctl:product=other\"")).await;
    assert!(kind.create(&session.aws, &bench.identity, spec).await.is_err());
    change(&session, &zone, by_hand(ChangeAction::Delete, marker, RrType::Txt, "\"gwctl:product=other\"")).await;
    bench.create(spec).await;
    // What is ours and was made something else by hand is drift, and put right.
    let live = bench.observe().await.unwrap();
    bench.delete().await;
    bench.create(spec).await;
    change(&session, &zone, by_hand(ChangeAction::Upsert, "law.example.com", RrType::A, "192.0.2.2")).await;
    let drifted = bench.observe().await.unwrap();
    assert_eq!(drifted.spec["leads_to"]["alias"]["target"], "192.0.2.2");
    kind.update(&session.aws, &drifted, spec).await.unwrap();
    assert_eq!(bench.observe().await.unwrap().spec, live.spec);
    // Once somebody else has marked it as theirs, it is theirs.
    change(&session, &zone, by_hand(ChangeAction::Upsert, marker, RrType::Txt, "\"gwctl:product=other\"")).await;
    assert!(kind.update(&session.aws, &live, spec).await.is_err());
    kind.delete(&session.aws, &live).await.unwrap();
    assert!(bench.observe().await.is_some(), "it stays");
}

#[tokio::test(start_paused = true)]
async fn without_a_domain_name_nobody_asks_route_53() {
    let project = Project::new();
    let connector = Connector::new(Sandbox::in_memory());
    let session = Session::through(project.root(), "product-a", "dev", connector.client()).await;
    assert!(unwanted(&session, "dns-record").await.is_empty());
    let counts = connector.counts();
    // The lists of domain names and of HTTP APIs, which other kinds read as well.
    assert_eq!((counts.get("route53"), counts.get("apigateway")), (None, Some(&2)), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn certificates_and_zones_are_looked_up() {
    let (_project, session) = session().await;
    let failure = certificate_for(&session.aws.read, "api.example.com").await.unwrap_err();
    assert!(failure.to_string().contains("no usable certificate for `api.example.com`"), "{failure}");
    let arn = certificate(&session, "*.example.com").await;
    assert_eq!(certificate_for(&session.aws.read, "api.example.com").await.unwrap(), arn);
    assert!(zone_for(&session.aws.read.anew(), "api.example.com").await.is_err());
    let (_, deep) = (zone(&session, "example.com").await, zone(&session, "a.example.com").await);
    let found = zone_for(&session.aws.read.anew(), "api.a.example.com").await.unwrap();
    assert_eq!((found.id, found.name, found.private), (deep, "a.example.com".into(), false));
}

#[tokio::test(start_paused = true)]
pub(crate) async fn answers_that_are_lost_leave_one_of_each() {
    use gwctl::sandbox::conditions::Conditions;
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    let plain = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    let (arn, zone) = (certificate(&plain, "*.example.com").await, zone(&plain, "example.com").await);
    let api = served(&plain).await;
    let mut conditions = Conditions::none();
    for operation in ["CreateDomainName", "CreateBasePathMapping", "ChangeResourceRecordSets"] {
        conditions = conditions.fault(format!("cut-after:{operation}#1").parse().unwrap());
    }
    let session = Session::open(project.root(), "product-a", "dev", &sandbox.clone().under(conditions.clone())).await;
    let specs: [(&str, Value); 2] = [
        ("domain-name", domain_names([&arn, &arn]).remove(0)),
        ("base-path-mapping", base_path_mappings("", [&api, &api]).remove(0)),
    ];
    let mut domain = Outputs::default();
    for (name, spec) in &specs {
        let made = Bench::new(&session, session.registry.kind(name).unwrap(), spec).create(spec).await;
        if *name == "domain-name" {
            domain = made;
        }
    }
    let record = &dns_records("law.example.com", &zone, target(&domain))[0];
    let bench = Bench::new(&session, session.registry.kind("dns-record").unwrap(), record);
    bench.create(record).await;
    assert_eq!(conditions.unmet_faults(), []);
    let wanted = vec![Wanted { address: bench.identity.address.clone(), name: bench.name.clone(), spec: json!({}) }];
    let scope = Scope { owner: owner(), wanted };
    assert_eq!(bench.kind.observe(&session.aws.read.anew(), &scope).await.unwrap().len(), 1);
}
