//! The client of EC2, the kinds of the network and the look-ups against an AWS that somebody else wrote: `moto_server`, over
//! a socket. What moto gets wrong stands where it shows.

#[allow(dead_code, reason = "the tests that go through the binary take the rest")]
mod clients;
#[path = "moto/edge.rs"]
mod edge;

use std::collections::BTreeSet;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use clients::Server;
use clients::python::Python;
use gwctl::aws::{Aws, Connection, ec2, lookup};
use gwctl::kinds::http_vpc_link::{HttpVpcLink, HttpVpcLinkSpec};
use gwctl::kinds::security_group::{Rule, SecurityGroup, SecurityGroupSpec};
use gwctl::kinds::vpc_link::{VpcLink, VpcLinkSpec};
use gwctl::kinds::{Kind, Scope, Wanted, desired};
use gwctl::model::{Address, Digest, Identity, Observed, Owner, Ownership, Place};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Socket;
use hyper_util::rt::TokioExecutor;

const PACKAGES: [&str; 3] = ["moto[server]==5.2.5", "boto3==1.44.5", "botocore==1.44.5"];

/// Plain HTTP, as `--endpoint-url` would bring it.
#[derive(Debug, Clone)]
struct Plain(Client<Socket, Full<bytes::Bytes>>);

impl HttpConnector for Plain {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (head, body) = request.into_parts();
            let body = Full::new(bytes::Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            let answer = client.request(http::Request::from_parts(head, body)).await;
            let (head, body) = answer.map_err(|error| ConnectorError::io(error.into()))?.into_parts();
            let body = body.collect().await.map_err(|error| ConnectorError::io(error.into()))?.to_bytes();
            let answer = http::Response::from_parts(head, SdkBody::from(body.to_vec()));
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl HttpClient for Plain {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

struct World {
    aws: Aws,
    owner: Owner,
    _server: Server,
}

impl World {
    async fn new(region: &str, partition: &str) -> Self {
        let python = Python::with("moto", &PACKAGES);
        let server = Server::start(python.program("moto_server").args(["-H", "127.0.0.1", "-p", "0"]));
        let place = Place { account: "123456789012".into(), region: region.into(), partition: partition.into() };
        let client = SharedHttpClient::new(Plain(Client::builder(TokioExecutor::new()).build_http()));
        let connection = Connection {
            region: region.into(),
            endpoint_url: Some(server.url.clone()),
            transport: Some((client, Credentials::new("testing", "testing", None, None, "test"))),
            ..Connection::default()
        };
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        Self { aws: connection.open(&place).await.unwrap(), owner, _server: server }
    }

    fn identity<K: Kind>(&self) -> Identity {
        let address = Address::new("gate", K::NAME, "one");
        Identity { owner: self.owner.clone(), address, place: self.aws.place.clone() }
    }

    async fn observe<K: Kind>(&self, kind: &K, spec: &K::Spec) -> Option<Observed<K::Spec>> {
        let one = desired::<K>("gate", "one", spec).unwrap();
        let wanted = Wanted { address: one.address.clone(), name: one.name().map(str::to_owned), spec: one.spec };
        let scope = Scope { owner: self.owner.clone(), wanted: vec![wanted] };
        let mut all = kind.observe(&self.aws.read.anew(), &scope).await.unwrap();
        assert!(all.len() <= 1, "{}", all.len());
        all.pop()
    }

    /// A load balancer in the default VPC.
    async fn balancer(&self) -> String {
        use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum::Network;
        let subnet = self.aws.write.ec2.describe_subnets(&[]).await.unwrap().remove(0).id;
        let call = self.aws.write.elbv2.create_load_balancer().name("one").r#type(Network).subnets(subnet);
        call.send().await.unwrap().load_balancers.unwrap().remove(0).load_balancer_arn.unwrap()
    }
}

async fn a_group_lives_and_goes(region: &str, partition: &str) {
    let world = World::new(region, partition).await;
    let vpc_id = world.aws.read.clients.ec2.describe_subnets(&[]).await.unwrap().remove(0).vpc_id;
    let first = SecurityGroupSpec {
        name: "one".into(),
        description: "for a test".into(),
        vpc_id,
        ingress: BTreeSet::new(),
        egress: Rule::everywhere(),
        tags: [("team".to_owned(), "a".to_owned())].into(),
    };
    let told = Rule { description: Some("all of it".into()), ..Rule::tcp(443, "10.0.0.0/8") };
    let second = SecurityGroupSpec {
        ingress: [told, Rule::tcp(80, "fd00::/8")].into(),
        egress: [Rule::tcp(443, "0.0.0.0/0"), Rule::all("::/0")].into(),
        tags: [("team".to_owned(), "b".to_owned()), ("x".to_owned(), "y z".to_owned())].into(),
        ..first.clone()
    };
    let (kind, aws) = (SecurityGroup, &world.aws);
    assert!(world.observe(&kind, &first).await.is_none());
    let outputs = kind.create(aws, &world.identity::<SecurityGroup>(), &first).await.unwrap();
    assert!(outputs.get("arn").unwrap().starts_with(&format!("arn:{partition}:ec2:{region}:")), "{outputs:?}");
    // A create whose answer was lost.
    assert_eq!(kind.create(aws, &world.identity::<SecurityGroup>(), &first).await.unwrap(), outputs);
    for spec in [&first, &second, &first] {
        let live = world.observe(&kind, spec).await.unwrap();
        kind.update(aws, &live, spec).await.unwrap();
        let live = world.observe(&kind, spec).await.unwrap();
        assert_eq!((&live.spec, &live.outputs), (spec, &outputs));
    }
    // moto 5.2.5 says that it took an IPv6 rule out, and keeps it, where the VPC has no IPv6 range of its own.
    let id = outputs.get("id").unwrap();
    let ways = |group: &ec2::SecurityGroup| -> Vec<ec2::Permission> {
        group.egress.iter().filter(|rule| rule.peer.as_str() == "::/0").cloned().collect()
    };
    let by_id = [ec2::Filter::new("group-id", [id])];
    let before = ways(&aws.write.ec2.describe_security_groups(&by_id).await.unwrap()[0]);
    aws.write.ec2.revoke(id, ec2::Direction::Egress, &before).await.unwrap();
    let after = ways(&aws.write.ec2.describe_security_groups(&by_id).await.unwrap()[0]);
    assert_eq!((before.len(), after.len()), (1, 1), "moto no longer has this fault");
    let digest = Digest::of_bytes(b"one");
    kind.record(aws, &world.identity::<SecurityGroup>(), &outputs, &digest).await.unwrap();
    let live = world.observe(&kind, &first).await.unwrap();
    let Ownership::Ours { digest: Some(tag), .. } = &live.ownership else { panic!("{live:?}") };
    assert_eq!(tag, digest.as_str());
    for _ in 0..2 {
        kind.delete(aws, &live).await.unwrap();
        assert!(world.observe(&kind, &first).await.is_none());
    }
}

#[tokio::test]
async fn a_security_group_lives_and_goes_on_motos_aws() {
    a_group_lives_and_goes("us-east-1", "aws").await;
}

#[tokio::test]
async fn a_security_group_lives_and_goes_in_motos_china() {
    a_group_lives_and_goes("cn-north-1", "aws-cn").await;
}

#[tokio::test]
async fn a_link_is_made_and_looked_up_on_motos_aws() {
    let world = World::new("us-east-1", "aws").await;
    let arn = world.balancer().await;
    // moto 5.2.5 gives a Network Load Balancer the ARN of an application one.
    assert!(arn.contains(":loadbalancer/app/one/"), "moto no longer has this fault: {arn}");
    let read = &world.aws.read;
    assert_eq!(lookup::network_load_balancer(read, "one").await.unwrap(), arn);
    let failure = lookup::network_load_balancer(read, "two").await.unwrap_err();
    assert_eq!(failure.hints(), ["there are one"], "{failure}");

    let spec = VpcLinkSpec {
        name: "one".into(),
        description: Some("for a test".into()),
        target_arns: vec![arn.as_str().into()],
        tags: [("team".to_owned(), "a".to_owned())].into(),
    };
    let (kind, aws) = (VpcLink, &world.aws);
    let outputs = kind.create(aws, &world.identity::<VpcLink>(), &spec).await.unwrap();
    let live = world.observe(&kind, &spec).await.unwrap();
    assert_eq!((&live.spec, &live.outputs), (&spec, &outputs));
    assert_eq!(lookup::vpc_link(read, "one").await.unwrap(), outputs.get("id").unwrap());
    assert_eq!(lookup::vpc_link(read, "two").await.unwrap_err().hints(), ["there are one"]);
    for _ in 0..2 {
        kind.delete(aws, &live).await.unwrap();
        assert!(world.observe(&kind, &spec).await.is_none());
    }
    let failure = lookup::execute_api_endpoints(read, &["vpce-0a1b2c3d".to_owned()]).await.unwrap_err();
    assert!(failure.to_string().contains("vpce-0a1b2c3d"), "{failure}");
}

#[tokio::test]
async fn a_link_of_http_apis_lives_and_goes_on_motos_aws() {
    let world = World::new("us-east-1", "aws").await;
    let (kind, aws) = (HttpVpcLink, &world.aws);
    let subnet = aws.write.ec2.describe_subnets(&[]).await.unwrap().remove(0).id;
    let first = HttpVpcLinkSpec {
        name: "one".into(),
        subnet_ids: [subnet].into(),
        security_group_ids: BTreeSet::new(),
        tags: [("team".to_owned(), "a".to_owned())].into(),
    };
    let second =
        HttpVpcLinkSpec { name: "two".into(), tags: [("x".to_owned(), "y".to_owned())].into(), ..first.clone() };
    let outputs = kind.create(aws, &world.identity::<HttpVpcLink>(), &first).await.unwrap();
    for spec in [&first, &second, &first] {
        let live = world.observe(&kind, spec).await.unwrap();
        kind.update(aws, &live, spec).await.unwrap();
        let live = world.observe(&kind, spec).await.unwrap();
        assert_eq!((&live.spec, &live.outputs), (spec, &outputs));
    }
    let live = world.observe(&kind, &first).await.unwrap();
    for _ in 0..2 {
        kind.delete(aws, &live).await.unwrap();
        assert!(world.observe(&kind, &first).await.is_none());
    }
    // moto 5.2.5 has authorizers and no list of them, so that the APIs themselves can't be read there.
    let client = &aws.write.apigatewayv2;
    let call = client.create_api().name("one").protocol_type(aws_sdk_apigatewayv2::types::ProtocolType::Http);
    let api = call.send().await.unwrap().api_id.unwrap();
    assert!(client.get_authorizers().api_id(api).send().await.is_err(), "moto no longer has this fault");
}
