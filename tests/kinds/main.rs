//! The laws that every kind keeps, tested over the registry.

mod domains;
mod specs;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use gwctl::kinds::deployment::{Deployment, DeploymentSpec};
use gwctl::kinds::{AnyKind, Registry, Scope, Wanted};
use gwctl::model::diff::diff;
use gwctl::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, references, without_nulls};
use gwctl::sandbox::Sandbox;
use serde_json::{Value, json};
use specs::{apis, functions, log_groups, roles, stages, values};
use support::Session;
use support::project::{ENVIRONMENTS, Project};

fn registry() -> Registry {
    Registry::new(BTreeMap::new())
}

#[test]
fn names_are_unique() {
    let registry = registry();
    let names: Vec<&str> = registry.kinds().map(AnyKind::name).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len(), "{names:?}");
    for name in names {
        assert_eq!(registry.kind(name).unwrap().name(), name);
        assert!(Address::parse(&Address::new("gate", name, "x").to_string()).is_some(), "{name} fits an address");
    }
    assert!(registry.kind("no-such-kind").is_err());
}

/// The schema at a dotted path of members.
fn at<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(schema, |node, member| {
        let node = match node.get("$ref").and_then(Value::as_str) {
            Some(reference) => schema.pointer(reference.trim_start_matches('#'))?,
            None => node,
        };
        node.get("properties")?.get(member)
    })
}

#[test]
fn what_forces_a_replacement_is_in_the_schema() {
    let mut checked = 0;
    for kind in registry().kinds() {
        let schema = kind.schema().to_value();
        assert!(at(&schema, "no_such_member").is_none());
        for path in kind.replace_on() {
            assert!(at(&schema, path).is_some(), "{} has no `{path}`", kind.name());
            checked += 1;
        }
    }
    assert!(checked > 0);
}

/// Kinds are made in the registry's order and deleted against it. A reference may point forward only at what follows
/// from names alone, such as a function's ARN in a role's policy: that needs nothing to exist.
#[test]
fn references_point_backwards() {
    let project = Project::new();
    let registry = registry();
    let rules = registry.rules();
    let mut checked = 0;
    for (product, env) in ENVIRONMENTS {
        let (_, place, expansion) = support::expand(project.root(), product, env);
        let predicted = registry.predict(&place, &expansion.desired).unwrap();
        for one in &expansion.desired {
            for reference in references(&one.spec) {
                let known = predicted[&reference.address].get(&reference.output).is_some();
                let backwards = rules[reference.address.kind()].rank < rules[one.address.kind()].rank;
                assert!(backwards || known, "{} refers forward to {reference}", one.address);
                checked += usize::from(!known);
            }
        }
    }
    assert!(checked >= ENVIRONMENTS.len(), "no reference was open: {checked}");
}

/// A kind under test, with an owner and address of its own.
struct Bench<'a> {
    session: &'a Session,
    kind: &'a dyn AnyKind,
    identity: Identity,
    name: Option<String>,
}

fn owner() -> Owner {
    Owner { product: "laws".into(), environment: "test".into() }
}

impl<'a> Bench<'a> {
    fn new(session: &'a Session, kind: &'a dyn AnyKind, spec: &Value) -> Self {
        let address = Address::new("gate", kind.name(), "law");
        let identity = Identity { owner: owner(), address, place: session.place.clone() };
        Self { session, kind, identity, name: spec.get("name").and_then(Value::as_str).map(str::to_owned) }
    }

    /// The resource as it is read, if it is there.
    async fn observe(&self) -> Option<Observed> {
        let wanted = vec![Wanted { address: self.identity.address.clone(), name: self.name.clone() }];
        let scope = Scope { owner: owner(), wanted };
        let mut all = self.kind.observe(&self.session.aws.read.anew(), &scope).await.unwrap();
        assert!(all.len() <= 1, "{}: {all:#?}", self.kind.name());
        all.pop()
    }

    async fn assert_is(&self, wanted: &Value, when: &str) -> Observed {
        let live = self.observe().await.unwrap_or_else(|| panic!("{} {when}: it is there", self.kind.name()));
        assert_eq!(diff(&live.spec, wanted), [], "{} {when}", self.kind.name());
        assert_eq!(Digest::of(&live.spec), Digest::of(wanted), "{} {when}", self.kind.name());
        live
    }

    /// Creates it, and holds the laws of creating and of observing.
    async fn create(&self, spec: &Value) -> Outputs {
        let name = self.kind.name();
        assert!(self.observe().await.is_none(), "{name}: nothing is there yet");
        let aws = &self.session.aws;
        let outputs = self.kind.create(aws, &self.identity, spec).await.unwrap_or_else(|why| panic!("{name}: {why}"));
        let live = self.assert_is(spec, "after a create").await;
        assert_eq!(live.outputs, outputs, "{name}: what a create gives is what is read");
        assert_eq!(Some(&live), self.observe().await.as_ref(), "{name}: observed twice");
        for (output, value) in self.kind.predict(&self.session.place, spec).unwrap().iter() {
            assert_eq!(outputs.get(output), Some(value), "{name}: `{output}` was foretold");
        }
        outputs
    }

    /// Records the digest, and holds that it is read again and changes nothing else.
    async fn record(&self, spec: &Value, outputs: &Outputs) {
        let digest = Digest::of(spec);
        self.kind.record(&self.session.aws, &self.identity, outputs, &digest).await.unwrap();
        let live = self.assert_is(spec, "after a record").await;
        let address = self.identity.address.clone();
        let expected = Ownership::Ours { address, digest: Some(digest.as_str().to_owned()) };
        assert_eq!(live.ownership, expected, "{}", self.kind.name());
    }

    /// Turns it from one spec into another, and holds that it becomes that.
    async fn update(&self, from: &Value, to: &Value) {
        let name = self.kind.name();
        let live = self.assert_is(from, "before an update").await;
        let outputs =
            self.kind.update(&self.session.aws, &live, to).await.unwrap_or_else(|why| panic!("{name}: {why}"));
        let after = self.assert_is(to, "after an update").await;
        assert_eq!(outputs, live.outputs, "{name}: an update changes no output");
        assert_eq!(after.outputs, live.outputs, "{name}: an update changes no output");
        assert_eq!(after.ownership, live.ownership, "{name}: an update leaves our tags alone");
    }

    async fn delete(&self) {
        let live = self.observe().await.expect("it is there");
        for _ in 0..2 {
            // Gone already is no error.
            self.kind.delete(&self.session.aws, &live).await.unwrap();
            assert!(self.observe().await.is_none(), "{}: it is gone", self.kind.name());
        }
    }
}

/// Holds all laws for one kind: `all` are specs of one resource, each turned into each other.
async fn laws(session: &Session, kind: &str, all: &[Value], never_wanted: &[&str]) -> Outputs {
    let kind = session.registry.kind(kind).unwrap();
    let bench = Bench::new(session, kind, &all[0]);
    let outputs = bench.create(&all[0]).await;
    bench.record(&all[0], &outputs).await;
    let mut touched = BTreeSet::new();
    for (index, from) in all.iter().enumerate() {
        for to in all.iter().skip(index + 1) {
            touched.extend(diff(from, to).into_iter().map(|change| change.path[0].clone()));
            for (from, to) in [(&all[0], from), (from, to), (to, from), (from, &all[0])] {
                bench.update(from, to).await;
            }
        }
    }
    // A spec that no pair changes would be a field that no law holds.
    let schema = kind.schema().to_value();
    let fields = schema["properties"].as_object().unwrap().keys().map(String::as_str);
    let expected: BTreeSet<String> = fields
        .filter(|field| !kind.replace_on().contains(field) && !never_wanted.contains(field))
        .map(str::to_owned)
        .collect();
    assert_eq!(touched, expected, "{}: the pairs change every field that can change", kind.name());
    bench.delete().await;
    bench.create(&all[0]).await
}

async fn session() -> (Project, Session) {
    let project = Project::new();
    project.zip("other.zip", "another authorizer");
    let session = Session::open(project.root(), "product-a", "dev", &Sandbox::in_memory()).await;
    (project, session)
}

#[tokio::test(start_paused = true)]
async fn log_groups_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "log-group", &log_groups(), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn roles_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "iam-role", &roles(), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn functions_keep_the_laws() {
    let (project, session) = session().await;
    let mut made = Vec::new();
    for name in ["one", "two"] {
        let mut role = roles().remove(0);
        role["name"] = json!(name);
        made.push(Bench::new(&session, session.registry.kind("iam-role").unwrap(), &role).create_another(&role).await);
    }
    let roles = [made[0].get("arn").unwrap(), made[1].get("arn").unwrap()];
    laws(&session, "lambda-function", &functions(&project, roles), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn apis_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "rest-api", &apis(&session), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn deployments_and_stages_keep_the_laws() {
    let (_project, session) = session().await;
    let group = laws(&session, "log-group", &log_groups(), &[]).await;
    let api = laws(&session, "rest-api", &apis(&session), &[]).await;
    let api = api.get("id").unwrap();
    let deployment = session.registry.kind("deployment").unwrap();
    let mut ids = Vec::new();
    for digit in ["a", "b"] {
        let spec = DeploymentSpec { rest_api: Input::from(api), snapshot: digit.repeat(64) };
        let spec = values::<Deployment>(&[spec]).remove(0);
        let outputs = Bench::new(&session, deployment, &spec).create_another(&spec).await;
        ids.push(outputs.get("id").unwrap().to_owned());
    }
    let specs = stages(api, [&ids[0], &ids[1]], group.get("arn").unwrap());
    // A canary is read so that one is seen, and an update over it is refused.
    laws(&session, "stage", &specs, &["canary"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_never_changes() {
    let (_project, session) = session().await;
    let api = laws(&session, "rest-api", &apis(&session), &[]).await;
    let spec = DeploymentSpec { rest_api: Input::from(api.get("id").unwrap()), snapshot: "c".repeat(64) };
    let spec = values::<Deployment>(&[spec]).remove(0);
    let kind = session.registry.kind("deployment").unwrap();
    let bench = Bench::new(&session, kind, &spec);
    bench.create(&spec).await;
    let live = bench.observe().await.unwrap();
    assert!(kind.update(&session.aws, &live, &spec).await.is_err());
    let schema = kind.schema().to_value();
    let fields: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, kind.replace_on(), "so that a change of any field is a replacement");
    bench.delete().await;
}

/// Every kind has a test of the laws above.
#[test]
fn no_kind_is_left_out() {
    let names: Vec<&str> = registry().kinds().map(AnyKind::name).collect();
    assert_eq!(
        names,
        [
            "log-group",
            "iam-role",
            "lambda-function",
            "rest-api",
            "deployment",
            "stage",
            "domain-name",
            "base-path-mapping",
            "dns-record"
        ]
    );
}

impl Bench<'_> {
    /// Creates one of several resources; the laws are held elsewhere.
    async fn create_another(&self, spec: &Value) -> Outputs {
        self.kind.create(&self.session.aws, &self.identity, &without_nulls(spec)).await.unwrap()
    }
}
