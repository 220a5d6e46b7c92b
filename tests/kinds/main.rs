//! The laws that every kind keeps, tested over the registry.

mod dns;
mod domains;
mod edge_waf;
mod http;
mod network;
mod specs;
#[path = "../support/mod.rs"]
mod support;
mod waf;

use std::collections::{BTreeMap, BTreeSet};

use gwctl::kinds::account_logging::{AccountLogging, AccountLoggingSpec, name_of};
use gwctl::kinds::deployment::{Deployment, DeploymentSpec};
use gwctl::kinds::function_version::{FunctionVersion, FunctionVersionSpec, address_of, snapshot_of};
use gwctl::kinds::lambda_function::LambdaFunctionSpec;
use gwctl::kinds::{AnyKind, Registry, Scope, Wanted};
use gwctl::model::diff::diff;
use gwctl::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, references, without_nulls};
use gwctl::sandbox::Sandbox;
use serde_json::{Value, json};
use specs::{
    alarms, aliases, apis, execution_log_groups, functions, ip_sets, log_groups, roles, security_groups, stages,
    values, vpc_links, web_acls,
};
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
    spec: Value,
}

fn owner() -> Owner {
    Owner { product: "laws".into(), environment: "test".into() }
}

impl<'a> Bench<'a> {
    fn new(session: &'a Session, kind: &'a dyn AnyKind, spec: &Value) -> Self {
        let address = Address::new("gate", kind.name(), "law");
        let identity = Identity { owner: owner(), address, place: session.place.clone() };
        let name = spec.get("name").and_then(Value::as_str).map(str::to_owned);
        Self { session, kind, identity, name, spec: spec.clone() }
    }

    /// The resource as it is read, if it is there.
    async fn observe(&self) -> Option<Observed> {
        let wanted =
            vec![Wanted { address: self.identity.address.clone(), name: self.name.clone(), spec: self.spec.clone() }];
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

/// What nobody wants of a log group: read, so that it is seen, and taken away (`tests/drift`).
const LOG_FILTERS: [&str; 2] = ["metric_filters", "subscription_filters"];

/// The same of a function.
const FUNCTION_BY_HAND: [&str; 7] =
    ["dead_letters", "ephemeral_storage_mb", "kms_key", "layers", "log_format", "log_group", "permissions"];

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
    laws(&session, "log-group", &log_groups(), &LOG_FILTERS).await;
}

#[tokio::test(start_paused = true)]
async fn roles_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "iam-role", &roles(), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn security_groups_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "security-group", &security_groups(), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn vpc_links_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "vpc-link", &vpc_links(&network::balancer(&session, "law").await), &[]).await;
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
    laws(&session, "lambda-function", &functions(&project, roles), &FUNCTION_BY_HAND).await;
}

/// A function, and the specs it can have.
async fn function(project: &Project, session: &Session) -> (Vec<Value>, Outputs) {
    let mut role = roles().remove(1);
    role["assume_role_policy"] = roles()[0]["assume_role_policy"].clone();
    let kind = session.registry.kind("iam-role").unwrap();
    let made = Bench::new(session, kind, &role).create_another(&role).await;
    let mut specs = functions(project, [made.get("arn").unwrap(); 2]);
    for spec in &mut specs {
        spec["vpc"] = Value::Null;
    }
    let kind = session.registry.kind("lambda-function").unwrap();
    let outputs = Bench::new(session, kind, &specs[0]).create_another(&specs[0]).await;
    (specs, outputs)
}

/// Publishes the function in a state that it is given first. The name of what it is, its outputs and its spec.
async fn published(session: &Session, spec: &Value) -> (Address, Outputs, Value) {
    let kind = session.registry.kind("lambda-function").unwrap();
    let bench = Bench::new(session, kind, spec);
    let live = bench.observe().await.unwrap();
    kind.update(&session.aws, &live, &without_nulls(spec)).await.unwrap();
    let function: LambdaFunctionSpec = serde_json::from_value(spec.clone()).unwrap();
    let snapshot = snapshot_of(&function).unwrap();
    let version = FunctionVersionSpec {
        function: Input::from(function.name.as_str()),
        name: function.name,
        code_sha256: function.code_sha256,
        snapshot: snapshot.as_str().to_owned(),
    };
    let version = values::<FunctionVersion>(&[version]).remove(0);
    let kind = session.registry.kind("function-version").unwrap();
    let outputs = Bench::new(session, kind, &version).create_another(&version).await;
    (address_of(&bench.identity.address, &snapshot), outputs, version)
}

async fn versions(session: &Session) -> Vec<Observed> {
    let wanted = vec![Wanted {
        address: Address::new("gate", "function-version", "x"),
        name: Some("law".into()),
        spec: json!({}),
    }];
    let kind = session.registry.kind("function-version").unwrap();
    kind.observe(&session.aws.read.anew(), &Scope { owner: owner(), wanted }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_state_of_a_function_has_one_version_that_never_changes() {
    let (project, session) = session().await;
    let (mut specs, _) = function(&project, &session).await;
    let (first, made, spec) = published(&session, &specs[0]).await;
    assert_eq!(made.get("version"), Some("1"));
    let all = versions(&session).await;
    let [live] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!((live.address(), &live.outputs, live.name.as_str()), (Some(&first), &made, "law:1"));
    assert_eq!(diff(&live.spec, &spec), []);
    assert!(live.created.is_some_and(|seconds| seconds > 1_700_000_000), "{live:?}");
    let kind = session.registry.kind("function-version").unwrap();
    assert!(kind.update(&session.aws, live, &spec).await.is_err());
    let schema = kind.schema().to_value();
    let mut fields: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut forcing = kind.replace_on().to_vec();
    fields.sort_unstable();
    forcing.sort_unstable();
    assert_eq!(fields, forcing, "so that a change of any field is a replacement");

    // Published again while nothing changed, it is the same one; tags and reservations are no part of it.
    specs[0]["tags"] = json!({"team": "c"});
    specs[0]["reserved_concurrency"] = json!(3);
    let (same, again, _) = published(&session, &specs[0]).await;
    assert_eq!((&same, &again), (&first, &made));
    let (second, made, _) = published(&session, &specs[1]).await;
    assert_ne!(second, first);
    assert_eq!((made.get("version"), versions(&session).await.len()), (Some("2"), 2));
    assert!(made.get("invoke_arn").unwrap().ends_with(":function:law:2/invocations"), "{made:?}");

    for _ in 0..2 {
        kind.delete(&session.aws, live).await.unwrap();
        assert_eq!(versions(&session).await.len(), 1, "one that is gone is no error");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_somebody_published_by_hand_is_not_ours_and_in_nobodys_way() {
    let (project, session) = session().await;
    let (specs, _) = function(&project, &session).await;
    let lambda = &session.aws.write.lambda;
    lambda.publish_version().function_name("law").description("by hand").send().await.unwrap();
    assert_eq!(versions(&session).await, []);
    // Lambda would give theirs again and again.
    let (address, made, _) = published(&session, &specs[0]).await;
    assert_eq!(made.get("version"), Some("2"));
    lambda.create_alias().function_name("law").name("theirs").function_version("2").send().await.unwrap();
    let all = versions(&session).await;
    assert_eq!(all[0].address(), Some(&address));
    assert!(all[0].in_use_by.as_ref().is_some_and(|user| user.contains("`theirs`")), "{all:?}");
    let wanted = vec![Wanted {
        address: Address::new("gate", "function-alias", "law"),
        name: Some("law:live".into()),
        spec: json!({}),
    }];
    let kind = session.registry.kind("function-alias").unwrap();
    let found = kind.observe(&session.aws.read.anew(), &Scope { owner: owner(), wanted }).await.unwrap();
    let [alias] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((alias.address(), alias.name.as_str()), (None, "law:theirs"));
    assert_eq!(alias.within, Some(Address::new("gate", "lambda-function", "law")));
}

#[tokio::test(start_paused = true)]
async fn aliases_keep_the_laws() {
    let (project, session) = session().await;
    let (mut specs, _) = function(&project, &session).await;
    for spec in &mut specs {
        spec["reserved_concurrency"] = Value::Null;
    }
    published(&session, &specs[0]).await;
    published(&session, &specs[1]).await;
    // Traffic that somebody shifts to another version is read so that it is seen; the sandbox has none.
    laws(&session, "function-alias", &aliases("law", ["1", "2"]), &["permissions", "shifting_to"]).await;
}

#[tokio::test(start_paused = true)]
async fn execution_log_groups_keep_the_laws_and_take_over_what_aws_made() {
    let (_project, session) = session().await;
    let api = laws(&session, "rest-api", &apis(&session), &[]).await;
    let specs = execution_log_groups(api.get("id").unwrap());
    let outputs = laws(&session, "execution-log-group", &specs, &LOG_FILTERS).await;
    let name = outputs.get("name").unwrap();
    assert_eq!(name, format!("API-Gateway-Execution-Logs_{}/dev", api.get("id").unwrap()));
    // A log group of this kind is none of the other kind, whoever looks.
    let scope = Scope { owner: owner(), wanted: Vec::new() };
    let kind = session.registry.kind("log-group").unwrap();
    assert_eq!(kind.observe(&session.aws.read.anew(), &scope).await.unwrap(), []);

    let logs = &session.aws.write.logs;
    logs.delete_log_group().log_group_name(name).send().await.unwrap();
    logs.create_log_group().log_group_name(name).send().await.unwrap();
    let bench = Bench::new(&session, session.registry.kind("execution-log-group").unwrap(), &specs[0]);
    // What AWS made is seen, and taken over.
    let addresses = async || {
        let found = bench.kind.observe(&session.aws.read.anew(), &scope).await.unwrap();
        found.iter().map(|one| one.address().cloned()).collect::<Vec<_>>()
    };
    assert_eq!(addresses().await, [None]);
    bench.kind.create(&session.aws, &bench.identity, &specs[0]).await.unwrap();
    assert_eq!(addresses().await, [Some(bench.identity.address.clone())]);
    logs.delete_log_group().log_group_name(name).send().await.unwrap();
    let theirs = [("gwctl:product", "other"), ("gwctl:environment", "test"), ("gwctl:address", "gate/log-group/x")];
    let theirs = theirs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    logs.create_log_group().log_group_name(name).set_tags(Some(theirs)).send().await.unwrap();
    assert!(bench.kind.create(&session.aws, &bench.identity, &specs[0]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn alarms_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "alarm", &alarms(), &[]).await;
    // Somebody's alarm of the same name is not replaced, though CloudWatch would do it.
    let kind = session.registry.kind("alarm").unwrap();
    let mut other = alarms().remove(0);
    other["name"] = json!("theirs");
    let bench = Bench::new(&session, kind, &other);
    bench.create_another(&other).await;
    let stranger = Identity { address: Address::new("gate", "alarm", "another"), ..bench.identity.clone() };
    assert!(kind.create(&session.aws, &stranger, &other).await.is_err());
}

async fn set_logging_role(session: &Session, arn: &str) {
    use aws_sdk_apigateway::types::{Op, PatchOperation};
    let patch = PatchOperation::builder().op(Op::Replace).path("/cloudwatchRoleArn").value(arn).build();
    session.aws.write.apigateway.update_account().patch_operations(patch).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_regions_logging_role_is_made_where_there_is_none_and_left_alone_where_there_is_one() {
    let (_project, session) = session().await;
    let kind = session.registry.kind("account-logging").unwrap();
    assert!(session.registry.rules()["account-logging"].only_if_missing);
    let spec = AccountLoggingSpec { name: name_of("ap-southeast-1") };
    let spec = values::<AccountLogging>(&[spec]).remove(0);
    let bench = Bench::new(&session, kind, &spec);
    let theirs = bench.observe().await.expect("the sandbox's Regions come with one");
    assert_eq!(theirs.ownership, Ownership::Nobody, "so that nothing deletes it");
    set_logging_role(&session, "").await;
    let made = bench.create(&spec).await;
    assert!(made.get("role").unwrap().ends_with(":role/gwctl/gwctl-api-gateway-logs-ap-southeast-1"), "{made:?}");
    // Another environment comes at the same time, or the answer was lost.
    assert_eq!(kind.create(&session.aws, &bench.identity, &spec).await.unwrap(), made);
    let live = bench.observe().await.unwrap();
    assert_eq!(live.ownership, Ownership::Nobody);
    assert!(kind.delete(&session.aws, &live).await.is_err());
    assert!(kind.update(&session.aws, &live, &spec).await.is_err());
    // A role that is gone is as good as none.
    let policy = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    let name = name_of("ap-southeast-1");
    let iam = &session.aws.write.iam;
    iam.detach_role_policy().role_name(&name).policy_arn(policy).send().await.unwrap();
    iam.delete_role().role_name(&name).send().await.unwrap();
    assert_eq!(bench.observe().await, None);
    // A role of the name that was made for something else is not used.
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    iam.create_role().role_name(&name).assume_role_policy_document(trust).send().await.unwrap();
    assert!(kind.create(&session.aws, &bench.identity, &spec).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn apis_keep_the_laws() {
    let (_project, session) = session().await;
    laws(&session, "rest-api", &apis(&session), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn deployments_and_stages_keep_the_laws() {
    let (_project, session) = session().await;
    let group = laws(&session, "log-group", &log_groups(), &LOG_FILTERS).await;
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
    let web_acl = session.registry.kind("web-acl").unwrap();
    let mut web_acl_arns = Vec::new();
    for name in ["one", "two"] {
        let mut spec = web_acls("", "").remove(2);
        (spec["name"], spec["rules"]) = (json!(name), json!({}));
        let outputs = Bench::new(&session, web_acl, &spec).create_another(&spec).await;
        web_acl_arns.push(outputs.get("arn").unwrap().to_owned());
    }
    let web_acl_arns = [web_acl_arns[0].as_str(), &web_acl_arns[1]];
    let specs = stages(api, [&ids[0], &ids[1]], group.get("arn").unwrap(), web_acl_arns);
    // A canary is read so that one is seen, and an update over it is refused.
    laws(&session, "stage", &specs, &["cache_size", "canary", "client_certificate"]).await;
}

#[tokio::test(start_paused = true)]
async fn ip_sets_and_web_acls_keep_the_laws() {
    let (_project, session) = session().await;
    let set = laws(&session, "ip-set", &ip_sets(), &[]).await;
    let mut group = log_groups().remove(0);
    group["name"] = json!("aws-waf-logs-law");
    let logs = Bench::new(&session, session.registry.kind("log-group").unwrap(), &group).create_another(&group).await;
    let specs = web_acls(set.get("arn").unwrap(), logs.get("arn").unwrap());
    // What gwctl makes none of is read so that it is seen.
    laws(&session, "web-acl", &specs, &["foreign_settings"]).await;
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
    let expected = [
        "log-group",
        "s3-bucket",
        "iam-role",
        "firehose-stream",
        "ip-set",
        "wafv2-rule-group",
        "web-acl",
        "web-acl-association",
        "account-logging",
        "security-group",
        "vpc-link",
        "http-vpc-link",
        "lambda-function",
        "function-version",
        "function-alias",
        "rest-api",
        "execution-log-group",
        "deployment",
        "stage",
        "http-api",
        "http-stage",
        "alarm",
        "domain-name",
        "base-path-mapping",
        "hosted-zone",
        "health-check",
        "api-mapping",
        "dns-record",
    ];
    assert_eq!(names, expected);
}

impl Bench<'_> {
    /// Creates one of several resources; the laws are held elsewhere.
    async fn create_another(&self, spec: &Value) -> Outputs {
        self.kind.create(&self.session.aws, &self.identity, &without_nulls(spec)).await.unwrap()
    }
}

/// The tests above that between them do everything that kinds do.
const LAWS: &[fn()] = &[
    a_version_that_somebody_published_by_hand_is_not_ours_and_in_nobodys_way,
    alarms_keep_the_laws,
    aliases_keep_the_laws,
    apis_keep_the_laws,
    deployments_and_stages_keep_the_laws,
    dns::a_deletion_waits_for_resolvers_even_after_one_that_died,
    dns::a_new_target_is_waited_for_and_a_new_health_check_is_not,
    dns::zones_checks_and_every_form_of_record_keep_the_laws,
    domains::answers_that_are_lost_leave_one_of_each,
    domains::domain_names_mappings_and_records_keep_the_laws,
    domains::what_is_no_longer_wanted_is_found,
    each_state_of_a_function_has_one_version_that_never_changes,
    edge_waf::a_stream_that_does_more_by_hand_is_put_right,
    edge_waf::associations_keep_the_laws,
    edge_waf::buckets_keep_the_laws,
    edge_waf::delivery_streams_keep_the_laws,
    edge_waf::lost_answers_leave_one_of_each,
    edge_waf::rule_groups_keep_the_laws,
    edge_waf::what_was_opened_by_hand_is_seen_and_closed,
    execution_log_groups_keep_the_laws_and_take_over_what_aws_made,
    functions_keep_the_laws,
    http::a_link_that_others_apis_use_stays_and_says_whose_they_are,
    http::a_stage_that_could_not_be_deployed_says_why,
    http::apis_and_stages_keep_the_laws,
    http::links_keep_the_laws,
    http::mappings_keep_the_laws,
    http::what_was_made_by_hand_is_seen_and_goes,
    ip_sets_and_web_acls_keep_the_laws,
    log_groups_keep_the_laws,
    network::a_function_s_deletion_ends_when_its_network_interfaces_are_gone,
    network::a_group_waits_for_interfaces_and_says_who_holds_it,
    network::a_link_that_others_use_stays_and_says_who_they_are,
    network::interfaces_that_another_function_shares_are_not_waited_for,
    roles_keep_the_laws,
    security_groups_keep_the_laws,
    the_regions_logging_role_is_made_where_there_is_none_and_left_alone_where_there_is_one,
    vpc_links_keep_the_laws,
    waf::a_web_acl_that_others_use_says_who_they_are,
    waf::lost_answers_cost_nothing,
    waf::what_was_made_by_hand_is_seen_and_replaced,
];

/// Declared and not made in them, and when it is made.
const NEVER_MADE: [(&str, &str, &str); 17] = [
    ("execution-log-group", "logs:DeleteMetricFilter", "filters that somebody set"),
    ("execution-log-group", "logs:DeleteSubscriptionFilter", "filters that somebody set"),
    ("execution-log-group", "logs:DescribeMetricFilters", "filters that somebody set"),
    ("function-alias", "lambda:GetAlias", "an alias that came up after the plan"),
    ("function-alias", "lambda:RemovePermission", "a resource policy that somebody set"),
    ("health-check", "apigatewayv2:GetApis", "who owns the domain name or the APIs that lead here"),
    ("health-check", "route53:ListTagsForResource", "tags of an id that went between two calls"),
    ("hosted-zone", "apigateway:GetDomainNames", "who owns the domain name or the APIs that lead here"),
    ("hosted-zone", "apigatewayv2:GetApis", "who owns the domain name or the APIs that lead here"),
    ("hosted-zone", "route53:ListTagsForResource", "tags of an id that went between two calls"),
    ("http-vpc-link", "apigateway:GetResources", "REST APIs of others that use the link"),
    ("lambda-function", "lambda:ListTags", "a function that came up after the plan"),
    ("lambda-function", "lambda:RemovePermission", "a resource policy that somebody set"),
    ("log-group", "logs:DeleteMetricFilter", "filters that somebody set"),
    ("log-group", "logs:DeleteSubscriptionFilter", "filters that somebody set"),
    ("log-group", "logs:DescribeMetricFilters", "filters that somebody set"),
    ("security-group", "tag:GetResources", "no group wanted, and perhaps an old one to go"),
];

/// What is declared is asked for by somebody: a permission that nobody needs is one too many. They are run
/// once more, one after the other, with all that the others note meanwhile.
#[test]
fn every_declared_call_is_made() {
    for test in LAWS {
        test();
    }
    let made = support::NOTEBOOK.calls();
    let registry = registry();
    let declared = registry.kinds().flat_map(|kind| {
        let name = kind.name();
        kind.calls().all().map(move |call| (name, call)).collect::<Vec<_>>()
    });
    let declared: BTreeSet<(&str, &str)> = declared.collect();
    let excused: BTreeSet<(&str, &str)> = NEVER_MADE.iter().map(|(kind, call, _)| (*kind, *call)).collect();
    let never = declared.iter().filter(|(kind, call)| !made.contains(&(*kind, (*call).to_owned())));
    let never: Vec<_> = never.filter(|one| !excused.contains(*one)).collect();
    assert!(never.is_empty(), "declared and never made: {never:?}");
    let gone: Vec<_> = excused.difference(&declared).collect();
    assert!(gone.is_empty(), "excused and not declared: {gone:?}");
}
