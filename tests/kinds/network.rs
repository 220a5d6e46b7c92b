//! Security groups, VPC links and functions in a VPC: what they wait for, and who stands in their way.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use gwctl::aws::lookup;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::world::World;
use serde_json::{Value, json};

use super::{Bench, functions, roles, security_groups, vpc_links};
use crate::support::Session;
use crate::support::project::Project;

/// A Network Load Balancer, made as somebody else would make it.
pub(super) async fn balancer(session: &Session, name: &str) -> String {
    use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum::Network;
    let call = session.aws.write.elbv2.create_load_balancer().name(name).r#type(Network).subnets("subnet-0a1b2c3d");
    let made = call.send().await.unwrap().load_balancers.unwrap().remove(0);
    made.load_balancer_arn.unwrap()
}

/// A sandbox whose network interfaces outlive their functions by so many looks.
async fn lingering(project: &Project, looks: u32) -> Session {
    let mut world = World::default();
    let session = Session::open(project.root(), "product-a", "dev", &Sandbox::in_memory()).await;
    let place = session.place.clone();
    let account = world.accounts.entry(place.account).or_default();
    account.regions.entry(place.region).or_default().ec2.interface_looks = looks;
    Session::open(project.root(), "product-a", "dev", &Sandbox::holding(world)).await
}

/// A function in a VPC with a security group of ours, and what it takes to remove both.
async fn in_a_vpc<'s>(session: &'s Session, project: &Project) -> (Bench<'s>, Bench<'s>) {
    let role = roles().remove(0);
    let iam = Bench::new(session, session.registry.kind("iam-role").unwrap(), &role);
    let role = iam.create_another(&role).await.get("arn").unwrap().to_owned();
    let spec = security_groups().remove(0);
    let group = Bench::new(session, session.registry.kind("security-group").unwrap(), &spec);
    let id = group.create_another(&spec).await.get("id").unwrap().to_owned();
    let mut spec = functions(project, [&role, &role]).remove(0);
    spec["vpc"] = json!({"subnet_ids": ["subnet-0a1b2c3d"], "security_group_ids": [id]});
    let function = Bench::new(session, session.registry.kind("lambda-function").unwrap(), &spec);
    function.create_another(&spec).await;
    (function, group)
}

fn project() -> Project {
    let project = Project::new();
    project.zip("other.zip", "another authorizer");
    project
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_function_s_deletion_ends_when_its_network_interfaces_are_gone() {
    let project = project();
    let session = lingering(&project, 30).await;
    let (function, group) = in_a_vpc(&session, &project).await;
    let aws = &session.aws;
    let live = function.observe().await.unwrap();
    function.kind.delete(aws, &live).await.unwrap();
    assert_eq!(aws.write.ec2.describe_network_interfaces(&[]).await.unwrap(), []);
    let live = group.observe().await.unwrap();
    group.kind.delete(aws, &live).await.unwrap();
    assert!(group.observe().await.is_none());
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_group_waits_for_interfaces_and_says_who_holds_it() {
    let project = project();
    let session = lingering(&project, 30).await;
    let (function, group) = in_a_vpc(&session, &project).await;
    let aws = &session.aws;
    let live = group.observe().await.unwrap();
    // The function is there, so its interface does not go, however long one waits.
    let failure = group.kind.delete(aws, &live).await.unwrap_err().to_string();
    assert!(failure.contains("DependencyViolation") && failure.contains("AWS Lambda VPC ENI-law-"), "{failure}");
    let function = function.observe().await.unwrap();
    aws.write.lambda.delete_function().function_name(&function.name).send().await.unwrap();
    group.kind.delete(aws, &live).await.unwrap();
    assert!(group.observe().await.is_none());
}

#[tokio::test(start_paused = true)]
pub(crate) async fn interfaces_that_another_function_shares_are_not_waited_for() {
    let project = project();
    let session = lingering(&project, 1_000_000).await;
    let (function, _group) = in_a_vpc(&session, &project).await;
    let live = function.observe().await.unwrap();
    let mut twin = live.spec.clone();
    twin["name"] = json!("twin");
    function.create_another(&twin).await;
    function.kind.delete(&session.aws, &live).await.unwrap();
    assert_eq!(session.aws.write.ec2.describe_network_interfaces(&[]).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_function_whose_interfaces_stay_is_an_error_that_says_why() {
    let project = project();
    let session = lingering(&project, 1_000_000).await;
    let (function, _group) = in_a_vpc(&session, &project).await;
    let live = function.observe().await.unwrap();
    let failure = function.kind.delete(&session.aws, &live).await.unwrap_err();
    assert!(failure.to_string().contains("network interfaces are left after 25 minutes: Lambda has not removed eni-"));
}

#[tokio::test(start_paused = true)]
async fn a_group_of_the_name_in_the_vpc_is_not_taken_over() {
    let project = project();
    let session = lingering(&project, 0).await;
    let mut specs = security_groups();
    let group = Bench::new(&session, session.registry.kind("security-group").unwrap(), &specs[0]);
    let ec2 = &session.aws.write.ec2;
    let foreign = ec2.create_security_group("law", "x", "vpc-0a1b2c3d", &[].into()).await.unwrap();
    ec2.create_security_group("law", "x", "vpc-99999999", &[].into()).await.unwrap();
    // One in another VPC is none of our business.
    assert_eq!(group.observe().await.unwrap().outputs.get("id"), Some(foreign.as_str()));
    let failure = group.kind.create(&session.aws, &group.identity, &specs[0]).await.unwrap_err();
    assert!(failure.to_string().contains("was made by somebody else"), "{failure}");
    ec2.delete_security_group(&foreign).await.unwrap();
    group.create_another(&specs[0]).await;
    // A create whose answer was lost finds its own; another description can't be had under the same name.
    group.create_another(&specs[0]).await;
    specs[0]["description"] = json!("other");
    let failure = group.kind.create(&session.aws, &group.identity, &specs[0]).await.unwrap_err();
    assert!(failure.to_string().contains("with another description"), "{failure}");
}

/// A link of another owner than the environments'.
async fn shared_link(project: &Project, sandbox: &Sandbox) -> (Session, Value, String) {
    let session = Session::open(project.root(), "product-a", "dev", sandbox).await;
    let spec = vpc_links(&balancer(&session, "shared").await).remove(0);
    let link = Bench::new(&session, session.registry.kind("vpc-link").unwrap(), &spec);
    let id = link.create_another(&spec).await.get("id").unwrap().to_owned();
    drop(link);
    (session, spec, id)
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_link_that_others_use_stays_and_says_who_they_are() {
    let project = project();
    let sandbox = Sandbox::in_memory();
    let (session, spec, id) = shared_link(&project, &sandbox).await;
    let link = Bench::new(&session, session.registry.kind("vpc-link").unwrap(), &spec);
    let live = link.observe().await.unwrap();
    assert_eq!(link.kind.others_using(&session.aws.read.anew(), &live).await.unwrap(), [""; 0]);

    project.edit("environments/product-a/dev.json", |environment| environment["vpc_link_id"] = json!(id));
    let theirs = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    theirs.apply().await;
    let others = link.kind.others_using(&session.aws.read.anew(), &live).await.unwrap();
    let [other] = others.as_slice() else { panic!("{others:?}") };
    assert!(other.starts_with("REST API `") && other.ends_with("of product-a/dev"), "{other}");
    let failure = link.kind.delete(&session.aws, &live).await.unwrap_err();
    assert!(failure.to_string().contains("is referenced in ["), "{failure}");
    assert!(failure.hints()[0].contains("deploy these REST APIs without the link"), "{:?}", failure.hints());
    theirs.destroy().await;
    link.kind.delete(&session.aws, &live).await.unwrap();
    assert!(link.observe().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_link_that_can_t_come_up_says_why() {
    let project = project();
    let session = lingering(&project, 0).await;
    let target = balancer(&session, "one").await.replace("/net/", "/app/");
    let spec = vpc_links(&target).remove(0);
    let link = Bench::new(&session, session.registry.kind("vpc-link").unwrap(), &spec);
    let failure = link.kind.create(&session.aws, &link.identity, &spec).await.unwrap_err();
    assert!(failure.to_string().contains("did not come up: NLB ARN is malformed"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn lookups_find_by_name_and_say_what_there_is() {
    let project = project();
    let session = lingering(&project, 0).await;
    // Lists are read once in a session.
    let read = || session.aws.read.anew();
    let failure = lookup::network_load_balancer(&read(), "one").await.unwrap_err();
    assert!(failure.to_string().starts_with("there is no Network Load Balancer named `one` in account"), "{failure}");
    assert!(failure.hints()[0].contains("none at all"), "{:?}", failure.hints());
    let arn = balancer(&session, "one").await;
    assert_eq!(lookup::network_load_balancer(&read(), "one").await.unwrap(), arn);
    assert_eq!(lookup::network_load_balancer(&read(), "on").await.unwrap_err().hints(), ["there are one"]);

    let spec = vpc_links(&arn).remove(0);
    let link = Bench::new(&session, session.registry.kind("vpc-link").unwrap(), &spec);
    assert!(lookup::vpc_link(&read(), "law").await.is_err());
    let id = link.create_another(&spec).await.get("id").unwrap().to_owned();
    assert_eq!(lookup::vpc_link(&read(), "law").await.unwrap(), id);
    assert_eq!(lookup::vpc_link(&read(), "lav").await.unwrap_err().hints(), ["there are law"]);
    link.create_another(&spec).await;
    let failure = lookup::vpc_link(&read(), "law").await.unwrap_err();
    assert!(failure.to_string().starts_with("2 VPC links are named `law`: their ids are "), "{failure}");

    let endpoint = "vpce-0a1b2c3d".to_owned();
    assert_eq!(lookup::execute_api_endpoints(&read(), std::slice::from_ref(&endpoint)).await.unwrap().len(), 1);
    let failure = lookup::execute_api_endpoints(&read(), &[endpoint, "vpce-none".into()]).await.unwrap_err();
    assert!(failure.to_string().contains("The Vpc Endpoint Id 'vpce-none' does not exist"), "{failure}");
    assert_eq!(lookup::execute_api_endpoints(&read(), &[]).await.unwrap(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_the_sandbox_s_ec2_refuses_has_ec2_s_code() {
    let project = project();
    let session = lingering(&project, 0).await;
    let ec2 = &session.aws.write.ec2;
    let error = ec2.delete_security_group("sg-0a1b2c3d").await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Some("InvalidGroup.NotFound"), Some("The security group 'sg-0a1b2c3d' does not exist"))
    );
    let error = session.aws.read.clients.ec2.delete_security_group("sg-0a1b2c3d").await.unwrap_err();
    assert_eq!(error.code(), None, "a session that reads sends no write");
}
