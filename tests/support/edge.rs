//! The example of `docs/edge`, and what its Regions have before gwctl comes.

use std::fs;
use std::path::Path;

use aws_credential_types::Credentials;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, FixedResponseActionConfig, LoadBalancerTypeEnum, ProtocolEnum,
};
use gwctl::aws::{Aws, Connection};
use gwctl::model::Place;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;

use super::project::Project;

/// The environment file of the example.
pub(crate) const FILE: &str = "environments/shop/prod.json";

/// Its Regions.
pub(crate) const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// Its account.
pub(crate) const ACCOUNT: &str = "444455556666";

/// The configuration of the example, on the repository's stacks.
pub(crate) fn example() -> Project {
    let project = Project::new();
    let environments = project.root().join("environments");
    fs::remove_dir_all(&environments).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/edge/environments");
    fs::create_dir_all(environments.join("shop")).unwrap();
    for file in ["targets.toml", "shop/prod.json"] {
        fs::copy(example.join(file), environments.join(file)).unwrap();
    }
    project
}

/// Load balancers with listeners and certificates in both Regions, and hosted zones.
pub(crate) async fn furnish(sandbox: &Sandbox) {
    for region in REGIONS {
        balancers(&session(sandbox, region).await).await;
    }
    let aws = session(sandbox, REGIONS[0]).await;
    for zone in ["shop.example.com", "example.org"] {
        aws.write.route53.create_hosted_zone().name(zone).caller_reference(zone).send().await.unwrap();
    }
}

async fn session(sandbox: &Sandbox, region: &str) -> Aws {
    let place = Place { account: ACCOUNT.into(), region: region.into(), partition: "aws".into() };
    let credentials = Credentials::new(ACCOUNT, "sandbox", None, None, "test");
    let transport = Some((Connector::new(sandbox.clone()).client(), credentials));
    let connection = Connection { region: region.into(), transport, ..Connection::default() };
    connection.open(&place).await.unwrap()
}

async fn balancers(aws: &Aws) {
    let clients = &aws.write;
    let group = clients.ec2.create_security_group("ingress", "x", "vpc-0a1b2c3d", &[].into()).await.unwrap();
    for name in ["ingress", "other"] {
        let call = clients.elbv2.create_load_balancer().name(name).r#type(LoadBalancerTypeEnum::Application);
        let call = call.subnets("subnet-0a1b2c3d").subnets("subnet-0a1b2c3e").security_groups(&group);
        let balancer = call.send().await.unwrap().load_balancers.unwrap().remove(0);
        let certificate = clients.acm.request_certificate().domain_name("*.shop.example.com").send().await.unwrap();
        let certificate = Certificate::builder().set_certificate_arn(certificate.certificate_arn).build();
        for port in [443, 8443] {
            let answer = FixedResponseActionConfig::builder().status_code("404").build();
            let action = Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(answer).build();
            let call = clients.elbv2.create_listener().load_balancer_arn(balancer.load_balancer_arn().unwrap());
            let call = call.protocol(ProtocolEnum::Https).port(port).certificates(certificate.clone());
            call.default_actions(action).send().await.unwrap();
        }
    }
}
