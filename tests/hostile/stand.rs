//! Environments that stand in a sandbox, with most of what they can have.

use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use gwctl::stack;
use serde_json::json;

use crate::support::edge::{example, furnish};
use crate::support::project::{DEV, Project};
use crate::support::{Session, connect, load};

/// An environment that stands.
pub(crate) struct Stand {
    pub(crate) project: Project,
    pub(crate) sandbox: Sandbox,
    pub(crate) product: &'static str,
    pub(crate) env: &'static str,
    pub(crate) account: String,
}

impl Stand {
    /// The gate and the system gateway.
    pub(crate) async fn rest() -> Self {
        let project = Project::whole();
        project.edit(DEV, |env| {
            env["waf"] = json!({
                "deny_addresses": ["192.0.2.0/24"],
                "managed_rule_groups": [{ "name": "AWSManagedRulesCommonRuleSet" }],
                "logging": {},
            });
            env["domain"] = json!({ "name": "api.example.org" });
            env.as_object_mut().unwrap().remove("vpc_link_id");
            env["vpc_link"] = json!({ "nlb_name": "ingress" });
            env["alarms"] = json!({ "error_rate_percent": 1, "authorizer_errors": 5 });
            env["authorizer"]["provisioned_concurrency"] = json!(1);
            env["private_subnet"] = json!(["subnet-0aaaaaaaaaaaaaaaa"]);
            env["vpc_id"] = json!("vpc-0aaaaaaaaaaaaaaaa");
        });
        let sandbox = Sandbox::in_memory();
        let place = stack::place(&load(project.root(), "product-a", "dev").environments[0].target);
        let clients = connect(&place, Connector::new(sandbox.clone()).client()).await.write;
        let balancer = clients.elbv2.create_load_balancer().name("ingress").r#type(LoadBalancerTypeEnum::Network);
        balancer.subnets("subnet-0a1b2c3d").send().await.unwrap();
        clients.acm.request_certificate().domain_name("*.example.org").send().await.unwrap();
        clients.route53.create_hosted_zone().name("example.org").caller_reference("x").send().await.unwrap();
        Self::applied(project, sandbox, "product-a", "dev").await
    }

    /// HTTP APIs in two Regions.
    pub(crate) async fn edge() -> Self {
        let sandbox = Sandbox::in_memory();
        furnish(&sandbox).await;
        Self::applied(example(), sandbox, "shop", "prod").await
    }

    async fn applied(project: Project, sandbox: Sandbox, product: &'static str, env: &'static str) -> Self {
        let client = Connector::new(sandbox.clone()).client();
        let mut account = String::new();
        for session in Session::in_regions(project.root(), product, env, client).await {
            session.apply().await;
            session.assert_converged("undisturbed").await;
            session.place.account.clone_into(&mut account);
        }
        Self { project, sandbox, product, env, account }
    }
}
