//! HTTP APIs and what stands around them: the laws, and what they keep beyond the laws: that no route is ever without its backend,
//! and what was made by hand.

use aws_sdk_apigatewayv2::types::{AuthorizerType, IntegrationType, ProtocolType};
use gwctl::model::{Desired, Input, Ownership};
use gwctl::plan::Action;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigatewayv2::state::{Api, State};
use gwctl::sandbox::conditions::Conditions;
use gwctl::sandbox::connector::Connector;
use serde_json::{Value, json};

use super::domains::{domain_name, served, unwanted};
use super::specs::{
    api_mappings, base_path_mappings, http_apis, http_stages, http_vpc_links, log_groups, security_groups,
};
use super::support::failing::{Failing, Mode};
use super::support::project::Project;
use super::support::{Session, connect};
use super::{Address, Bench, laws, session};

fn listener(session: &Session) -> String {
    session.place.arn(
        "elasticloadbalancing",
        &session.place.region,
        "listener/app/law/0123456789abcdef/fedcba9876543210",
    )
}

/// Two links that somebody has.
async fn links(session: &Session) -> [String; 2] {
    let mut ids = Vec::new();
    for name in ["one", "two"] {
        let call = session.aws.write.apigatewayv2.create_vpc_link().name(name).subnet_ids("subnet-0a1b2c3d");
        ids.push(call.send().await.unwrap().vpc_link_id.unwrap());
    }
    [ids.remove(0), ids.remove(0)]
}

#[tokio::test(start_paused = true)]
pub(crate) async fn links_keep_the_laws() {
    let (_project, session) = session().await;
    let group = &security_groups()[0];
    let kind = session.registry.kind("security-group").unwrap();
    let group = Bench::new(&session, kind, group).create_another(group).await;
    laws(&session, "http-vpc-link", &http_vpc_links(&[group.get("id").unwrap()]), &[]).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn apis_and_stages_keep_the_laws() {
    let (_project, session) = session().await;
    let links = links(&session).await;
    let specs = http_apis([&links[0], &links[1]], &listener(&session));
    // What somebody makes by hand is read so that it is seen.
    let api = laws(&session, "http-api", &specs, &["unused_integrations", "foreign_authorizers"]).await;
    let group = &log_groups()[0];
    let logs = Bench::new(&session, session.registry.kind("log-group").unwrap(), group).create_another(group).await;
    // A stage without auto-deploy is never wanted; one where it was switched off is seen.
    let specs = http_stages(api.get("id").unwrap(), logs.get("arn").unwrap());
    laws(&session, "http-stage", &specs, &["auto_deploy"]).await;
}

/// An HTTP API with the stages `one` and `two`.
async fn http_served(session: &Session) -> String {
    let client = &session.aws.write.apigatewayv2;
    let api = client.create_api().name("served").protocol_type(ProtocolType::Http).send().await.unwrap();
    let id = api.api_id.unwrap();
    client.create_route().api_id(&id).route_key("$default").send().await.unwrap();
    for stage in ["one", "two"] {
        client.create_stage().api_id(&id).stage_name(stage).auto_deploy(true).send().await.unwrap();
    }
    id
}

#[tokio::test(start_paused = true)]
pub(crate) async fn mappings_keep_the_laws() {
    let (_project, session) = session().await;
    domain_name(&session).await;
    let apis = [http_served(&session).await, http_served(&session).await];
    let kind = session.registry.kind("api-mapping").unwrap();
    for key in ["", "orders", "orders/v1", "a$b"] {
        let specs = api_mappings(key, [&apis[0], &apis[1]]);
        laws(&session, "api-mapping", &specs, &[]).await;
        Bench::new(&session, kind, &specs[0]).delete().await;
    }
}

#[tokio::test(start_paused = true)]
async fn mappings_of_both_kinds_stand_on_one_domain_name_and_leave_each_other_alone() {
    let (_project, session) = session().await;
    domain_name(&session).await;
    let (rest, http) = (served(&session).await, http_served(&session).await);
    let kind = |name: &str| session.registry.kind(name).unwrap();
    let of_rest = &base_path_mappings("v1", [&rest, &rest])[0];
    Bench::new(&session, kind("base-path-mapping"), of_rest).create(of_rest).await;
    for key in ["orders", "orders/v1"] {
        let spec = &api_mappings(key, [&http, &http])[0];
        let bench = Bench::new(&session, kind("api-mapping"), spec);
        bench.kind.create(&session.aws, &bench.identity, spec).await.unwrap();
    }
    let client = &session.aws.write.apigatewayv2;
    for key in ["by-hand", "by/hand"] {
        let call = client.create_api_mapping().domain_name("law.example.com").api_id(&http).stage("one");
        call.api_mapping_key(key).send().await.unwrap();
    }
    let names = async |kind: &str| {
        let found = unwanted(&session, kind).await;
        let told = found.iter().map(|one| (one.name.clone(), one.ownership == Ownership::Nobody));
        let mut told: Vec<(String, bool)> = told.collect();
        told.sort();
        told
    };
    let mapped = |key: &str, strange: bool| (format!("law.example.com/{key}"), strange);
    // Each is told of once, a stranger's as well.
    assert_eq!(
        names("api-mapping").await,
        [mapped("by/hand", true), mapped("orders", false), mapped("orders/v1", false)]
    );
    let base_paths = names("base-path-mapping").await;
    assert!(
        base_paths.contains(&mapped("v1", false)) && base_paths.contains(&mapped("by-hand", true)),
        "{base_paths:?}"
    );
    assert!(base_paths.iter().all(|(name, _)| !name.ends_with("/orders")), "{base_paths:?}");

    // A key that is taken is an error that says by whom, and nobody's mark is overwritten.
    let failed = async |key: &str| {
        let spec = &api_mappings(key, [&http, &http])[2];
        let bench = Bench::new(&session, kind("api-mapping"), spec);
        let failure = bench.kind.create(&session.aws, &bench.identity, spec).await.unwrap_err();
        format!("{failure} {:?}", failure.causes())
    };
    let failure = failed("v1").await;
    assert!(failure.contains("is mapped already, by gate/base-path-mapping/law"), "{failure}");
    let failure = failed("by-hand").await;
    assert!(
        failure.contains("by somebody else") && failure.contains(&format!("stage `one` of API {http}")),
        "{failure}"
    );
    assert!(names("base-path-mapping").await.contains(&mapped("by-hand", true)), "it is not taken for ours afterwards");
}

/// What an edge in one Region is made of, with a link into these subnets.
fn edge(session: &Session, subnets: &[&str], routes: &[(&str, &str)]) -> Vec<Desired> {
    let wanted = |kind: &str, mut spec: Value| {
        if let Value::Object(members) = &mut spec {
            members.retain(|_, member| !member.is_null());
        }
        let labels = std::collections::BTreeMap::new();
        Desired { address: Address::new("edge", kind, "law"), spec, labels }
    };
    let mut link = http_vpc_links(&[]).remove(0);
    link["subnet_ids"] = json!(subnets);
    let link = wanted("http-vpc-link", link);
    let mut api = http_apis(["", ""], &listener(session)).remove(0);
    let (guarded, open) = (api["routes"]["GET /orders"].clone(), api["routes"]["$default"].clone());
    let route = |key: &str, path: &str| {
        let mut route = if key == "$default" { open.clone() } else { guarded.clone() };
        route["integration"]["connection"] = Input::output(&link.address, "id").to_value();
        route["integration"]["parameters"]["overwrite:path"] = json!(path);
        (key.to_owned(), route)
    };
    api["routes"] = routes.iter().map(|(key, path)| route(key, path)).collect();
    let api = wanted("http-api", api);
    let mut stage = http_stages("", "").remove(0);
    stage["api"] = Input::output(&api.address, "id").to_value();
    (stage["access_log"], stage["route_settings"]) = (Value::Null, json!({}));
    let stage = wanted("http-stage", stage);
    vec![link, api, stage]
}

const SUBNETS: [&str; 2] = ["subnet-0a1b2c3d", "subnet-9a8b7c6d"];
const ROUTES: [(&str, &str); 3] = [("GET /orders", "/a"), ("POST /orders", "/a"), ("$default", "/b")];

fn held(sandbox: &Sandbox) -> State {
    let world = sandbox.world().unwrap();
    let mut regions = world.accounts.into_values().flat_map(|account| account.regions.into_values());
    regions.find(|region| !region.apigatewayv2.apis.is_empty()).map(|region| region.apigatewayv2).unwrap_or_default()
}

fn only(sandbox: &Sandbox) -> (Api, Vec<String>) {
    let mut state = held(sandbox);
    assert_eq!(state.apis.len(), 1, "one API");
    let links = state.vpc_links.into_iter().map(|link| link.vpc_link_id).collect();
    (state.apis.remove(0), links)
}

/// An edge that is applied, and its sandbox.
async fn applied(project: &Project) -> (Sandbox, Session) {
    let sandbox = Sandbox::in_memory();
    let mut session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    session.desired = edge(&session, &SUBNETS[..1], &ROUTES);
    session.apply().await;
    session.assert_converged("after a first apply").await;
    (sandbox, session)
}

/// What is served is what is edited.
fn assert_deployed(api: &Api, when: &str) {
    let stage = &api.stages["$default"];
    let deployment = api.deployments.iter().find(|one| Some(&one.id) == stage.deployment_id.as_ref());
    assert_eq!(deployment.expect("the stage serves a deployment").snapshot, api.definition, "{when}");
}

#[tokio::test(start_paused = true)]
async fn another_subnet_is_a_new_link_that_integrations_move_to_before_the_old_one_goes() {
    let project = Project::new();
    let (sandbox, mut session) = applied(&project).await;
    let (before, old_links) = only(&sandbox);
    assert_eq!((before.definition.integrations.len(), old_links.len()), (2, 1), "equal integrations are shared");
    assert_deployed(&before, "after a first apply");
    session.desired = edge(&session, &SUBNETS, &ROUTES);
    let plan = session.apply().await;
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.address.kind(), step.action)).collect();
    assert_eq!(steps, [("http-vpc-link", Action::ReplaceCreateFirst), ("http-api", Action::Update)]);
    session.assert_converged("after the move").await;
    let (after, links) = only(&sandbox);
    assert!(links.len() == 1 && links != old_links, "{links:?} {old_links:?}");
    let ids = |api: &Api| -> Vec<String> {
        api.definition.integrations.iter().map(|one| one.integration_id.clone()).collect()
    };
    assert_eq!(ids(&after), ids(&before), "moved in place");
    assert!(after.definition.integrations.iter().all(|one| one.connection_id.as_ref() == Some(&links[0])));
    assert_eq!(after.definition.routes, before.definition.routes, "no route was touched");
    assert_deployed(&after, "after the move");
    session.destroy().await;
    let left = held(&sandbox);
    assert!(left.apis.is_empty() && left.vpc_links.is_empty(), "{left:?}");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn what_was_made_by_hand_is_seen_and_goes() {
    let project = Project::new();
    let (sandbox, session) = applied(&project).await;
    let (before, _) = only(&sandbox);
    let (id, client) = (&before.id, &session.aws.write.apigatewayv2);
    let call = client.create_integration().api_id(id).integration_type(IntegrationType::HttpProxy);
    let call = call.integration_method("ANY").integration_uri("https://x.example.com").payload_format_version("1.0");
    let unused = call.send().await.unwrap().integration_id.unwrap();
    let target = before.definition.routes[0].target.clone().unwrap();
    client.create_route().api_id(id).route_key("GET /by-hand").target(target).send().await.unwrap();
    let function = "arn:aws:apigateway:ap-southeast-1:lambda:path/2015-03-31/functions/arn:aws:lambda:ap-southeast-1:123456789012:function:f/invocations";
    let call = client.create_authorizer().api_id(id).name("by-hand").authorizer_type(AuthorizerType::Request);
    let call = call.authorizer_uri(function).identity_source("$request.header.Authorization");
    let foreign = call.authorizer_payload_format_version("2.0").send().await.unwrap().authorizer_id.unwrap();
    // A route of ours that somebody opened with that authorizer.
    let ours = before.definition.routes.iter().find(|route| route.route_key == "POST /orders").unwrap();
    let call = client.update_route().api_id(id).route_id(&ours.route_id).authorizer_id(foreign);
    let call = call.authorization_type(aws_sdk_apigatewayv2::types::AuthorizationType::Custom);
    call.authorization_scopes("x").send().await.unwrap_err();
    let call = client.update_route().api_id(id).route_id(&ours.route_id).operation_name("by-hand");
    call.authorization_type(aws_sdk_apigatewayv2::types::AuthorizationType::None).send().await.unwrap();
    client.update_stage().api_id(id).stage_name("$default").auto_deploy(false).send().await.unwrap();

    let plan = session.plan().await.unwrap();
    let changed = |kind: &str| -> Vec<String> {
        let step = plan.steps.iter().find(|step| step.address.kind() == kind).unwrap();
        step.changes.iter().map(gwctl::model::diff::FieldChange::dotted).collect()
    };
    let expected = [
        "foreign_authorizers",
        "routes.GET /by-hand",
        "routes.POST /orders.authorizer",
        "routes.POST /orders.foreign_settings",
        "routes.POST /orders.scopes",
        "unused_integrations",
    ];
    assert_eq!(changed("http-api"), expected);
    assert_eq!(changed("http-stage"), ["auto_deploy"]);
    let step = plan.steps.iter().find(|step| step.address.kind() == "http-api").unwrap();
    let told = format!("{unused} to https://x.example.com");
    assert_eq!(step.live.as_ref().unwrap().spec["unused_integrations"], json!([told]));
    session.apply().await;
    session.assert_converged("after all by hand is gone").await;
    let (after, _) = only(&sandbox);
    let shape = |api: &Api| (api.definition.integrations.clone(), api.definition.routes.len());
    assert_eq!(shape(&after), shape(&before));
    assert_deployed(&after, "after all by hand is gone");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_stage_that_could_not_be_deployed_says_why() {
    let project = Project::new();
    let (sandbox, mut session) = applied(&project).await;
    session.desired = edge(&session, &SUBNETS[..1], &[]);
    let plan = session.plan().await.unwrap();
    let failure = session.carry_out(&plan).await.into_failure().expect("an API without routes is not deployed");
    let told = format!("{failure} {:?}", failure.causes());
    assert!(told.contains("stage `$default` of HTTP API") && told.contains("no routes exist in this API"), "{told}");
    let (api, _) = only(&sandbox);
    assert!(api.served("$default").is_some_and(|served| !served.routes.is_empty()), "it serves what it served");
    // The next apply does not take it for done, so that nothing goes that the stage still needs.
    let again = session.plan().await.unwrap();
    assert!(!again.is_empty());
    assert!(session.carry_out(&again).await.into_failure().is_some());
    session.desired = edge(&session, &SUBNETS[..1], &ROUTES);
    session.apply().await;
    session.assert_converged("once it has routes again").await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_link_that_others_apis_use_stays_and_says_whose_they_are() {
    let project = Project::new();
    let (sandbox, session) = applied(&project).await;
    let (_, links) = only(&sandbox);
    let live = session.observe().await.unwrap();
    let link = &live["http-vpc-link"][0];
    let kind = session.registry.kind("http-vpc-link").unwrap();
    assert_eq!(kind.others_using(&session.aws.read.anew(), link).await.unwrap(), [""; 0], "its owner's are no others");
    let client = &session.aws.write.apigatewayv2;
    let api = http_served(&session).await;
    let call = client.create_integration().api_id(&api).integration_type(IntegrationType::HttpProxy);
    let call = call.integration_method("ANY").integration_uri(listener(&session)).payload_format_version("1.0");
    let call = call.connection_type(aws_sdk_apigatewayv2::types::ConnectionType::VpcLink).connection_id(&links[0]);
    call.send().await.unwrap();
    let others = kind.others_using(&session.aws.read.anew(), link).await.unwrap();
    assert_eq!(others, [format!("HTTP API `served` ({api})")]);
    let failure = kind.delete(&session.aws, link).await.unwrap_err();
    assert!(failure.to_string().contains("is referenced in ["), "{failure}");
}

/// Applies through a transport that fails at one write. Whether the apply got to its end, and how many writes it took.
async fn apply_failing(session: &mut Session, sandbox: &Sandbox, mode: Mode, at: u64) -> (bool, u64) {
    let transport = Failing::new(Connector::new(sandbox.clone()), mode, at);
    session.aws = connect(&session.place, transport.client()).await;
    let done = match session.plan().await {
        Ok(plan) => session.carry_out(&plan).await.into_failure().is_none(),
        Err(_) => false,
    };
    (done, transport.writes())
}

/// Subnets and routes.
type Target = (&'static [&'static str], &'static [(&'static str, &'static str)]);

/// Another link, a route that leaves its integration, one that is new, and one that goes.
const OTHER: Target = (&SUBNETS, &[("GET /orders", "/c"), ("POST /orders", "/a"), ("ANY /new", "/b")]);

/// Every state on the way serves each route that is wanted before and after, by an integration whose link is there.
fn assert_served(sandbox: &Sandbox, when: &str) {
    let state = held(sandbox);
    let links: Vec<&String> = state.vpc_links.iter().map(|link| &link.vpc_link_id).collect();
    let Some(served) = state.apis.first().and_then(|api| api.served("$default")) else { panic!("{when}: nothing") };
    for key in ["GET /orders", "POST /orders"] {
        let route =
            served.routes.iter().find(|route| route.route_key == key).unwrap_or_else(|| panic!("{when}: {key}"));
        let target = route.target.as_deref().and_then(|target| target.strip_prefix("integrations/"));
        let integration = served.integrations.iter().find(|one| Some(one.integration_id.as_str()) == target);
        let link = integration.unwrap_or_else(|| panic!("{when}: {key} leads nowhere")).connection_id.as_ref();
        assert!(link.is_some_and(|link| links.contains(&link)), "{when}: {key} goes through a link that is gone");
        assert!(route.authorizer_id.is_some(), "{when}: {key} is open");
    }
}

#[tokio::test(start_paused = true)]
async fn an_apply_may_die_anywhere_and_the_next_one_finishes_while_every_route_is_served() {
    let project = Project::new();
    let (sandbox, mut session) = applied(&project).await;
    let first = Sandbox::in_memory();
    let begun: [(&Sandbox, Target); 2] = [(&first, (&SUBNETS[..1], &ROUTES)), (&sandbox, OTHER)];
    for (start, target) in begun {
        session.desired = edge(&session, target.0, target.1);
        let again = || Sandbox::holding(start.world().unwrap());
        let (done, writes) = apply_failing(&mut session, &again(), Mode::Cut, 0).await;
        assert!(done && writes > 8, "{writes}");
        for mode in Mode::AFTER_EFFECT {
            for at in 1..=writes {
                let (sandbox, when) = (again(), format!("{mode:?} at write {at} of {writes}"));
                let (done, _) = apply_failing(&mut session, &sandbox, mode, at).await;
                assert!(done || mode != Mode::LostAnswer, "{when}: one lost answer is no reason to give up");
                if target == OTHER {
                    assert_served(&sandbox, &when);
                }
                session.aws = connect(&session.place, Connector::new(sandbox.clone()).client()).await;
                session.apply().await;
                session.assert_converged(&when).await;
                let (api, links) = only(&sandbox);
                let children = (api.definition.integrations.len(), api.definition.authorizers.len(), links.len());
                assert_eq!(children, (if target == OTHER { 3 } else { 2 }, 2, 1), "{when}");
                assert_deployed(&api, &when);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mapping_whose_answer_is_lost_is_ours() {
    let (project, sandbox) = (Project::new(), Sandbox::in_memory());
    let plain = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    domain_name(&plain).await;
    let api = http_served(&plain).await;
    let conditions = Conditions::none().fault("cut-after:CreateApiMapping#1".parse().unwrap());
    let session = Session::open(project.root(), "product-a", "dev", &sandbox.clone().under(conditions.clone())).await;
    let spec = &api_mappings("orders", [&api, &api])[0];
    Bench::new(&session, session.registry.kind("api-mapping").unwrap(), spec).create(spec).await;
    assert_eq!(conditions.unmet_faults(), []);
}
