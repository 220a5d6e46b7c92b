//! What is done to which world, and what clients ask meanwhile.

use std::sync::Arc;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::state::LogsRole;
use gwctl::sandbox::connector::Connector;
use gwctl::sandbox::world::World;
use gwctl::stack;
use serde_json::{Value, json};

use crate::deed::{By, Deed};
use crate::support::project::{DEV, Project};
use crate::support::{around, connect, edge, load};
use crate::watch::{Probe, To};

/// Requests that one address may send in five minutes, in every web ACL: more than the probes of a run that waits long.
const MOST_REQUESTS: u64 = 1_000_000;

/// One deed on one world.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) project: Arc<Project>,
    pub(crate) product: &'static str,
    pub(crate) env: &'static str,
    pub(crate) deed: Deed,
    /// As it is before.
    pub(crate) world: World,
    pub(crate) probes: Vec<Probe>,
}

/// What there is of a product in one environment at three times.
struct Story {
    names: [&'static str; 3],
    product: &'static str,
    env: &'static str,
    /// The configuration of before, and the present one.
    versions: [Project; 2],
    /// What gwctl finds at first.
    found: World,
    probes: Vec<Probe>,
}

/// All scenarios, those first whose calls cost least.
pub(crate) async fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for story in [gate(), gates().await, active_active().await] {
        all.extend(Box::pin(story.told()).await);
    }
    all
}

impl Story {
    async fn told(self) -> Vec<Scenario> {
        let Self { names, product, env, versions, found, probes } = self;
        let [before, after] = versions.map(Arc::new);
        let scenario = |name, project: &Arc<Project>, deed, world: &World| Scenario {
            name,
            project: Arc::clone(project),
            product,
            env,
            deed,
            world: world.clone(),
            probes: probes.clone(),
        };
        let plain = Deed::Apply { allow_deletes: false };
        let first = scenario(names[0], &after, plain, &found);
        let older = scenario("an older version", &before, plain, &found).done().await;
        let change = scenario(names[1], &after, Deed::Apply { allow_deletes: true }, &older);
        let applied = first.done().await;
        let destroy = scenario(names[2], &after, Deed::Destroy, &applied);
        vec![first, change, destroy]
    }
}

impl Scenario {
    /// The world when it is done, undisturbed.
    async fn done(&self) -> World {
        let sandbox = Sandbox::holding(self.world.clone());
        let ended = self.carry_out(&sandbox, By::nobody_in_particular(&sandbox)).await;
        assert!(ended.is_well(), "{}: {ended:?}", self.name);
        sandbox.world().unwrap()
    }
}

fn write(project: &Project, file: &str, value: &Value) {
    project.edit(file, |all| {
        let members = value.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(members);
        all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    });
}

/// The name of the public API, and the one that it had before.
const GATES: [&str; 2] = ["product-a-gateway-dev", "older-gateway-dev"];
const PREFLIGHT: Probe = Probe {
    name: "a preflight",
    either: None,
    to: To::Stage { apis: &GATES, stage: "dev" },
    method: "OPTIONS",
    path: "/order-service/x",
    from: [192, 0, 2, 7],
};

/// The public gateway alone, with a web ACL.
fn gate() -> Story {
    let versions = [Project::new(), Project::new()];
    for project in &versions {
        write(project, DEV, &json!({"waf": {"deny_addresses": ["198.51.100.0/24"]}}));
    }
    let [before, after] = &versions;
    older_routes(before);
    before.zip("authorizer.zip", "an older authorizer");
    write(
        before,
        DEV,
        &json!({
            "throttling_rate_limit": 500,
            "authorizer_result_ttl": 60,
            "tags": {"team": "others"},
            "waf": {"deny_addresses": ["203.0.113.0/24"], "rate_limit": {"limit": MOST_REQUESTS}},
        }),
    );
    after.add_route("white_path", "/new-service/{proxy+}");
    Story {
        names: ["gate + WAF, from nothing", "gate + WAF, from an older version", "gate + WAF, destroyed"],
        product: "product-a",
        env: "dev",
        versions,
        found: World::default(),
        probes: [vec![PREFLIGHT], of_routes()].concat(),
    }
}

/// Routes of before: one that is gone since, and none of those that came.
fn older_routes(project: &Project) {
    project.add_route("white_path", "/old-service/{proxy+}");
    project.edit(DEV, |env| drop(env["gateway_api"]["normal_non_ttl_path"].as_array_mut().unwrap().pop()));
}

fn of_routes() -> Vec<Probe> {
    vec![
        Probe { name: "a route that comes", path: "/new-service/x", ..PREFLIGHT },
        Probe { name: "a route that goes", path: "/old-service/x", ..PREFLIGHT },
        Probe { name: "no token", method: "GET", ..PREFLIGHT },
        Probe { name: "no route", path: "/nobody/x", ..PREFLIGHT },
        Probe { name: "from an address that is denied", from: [198, 51, 100, 7], ..PREFLIGHT },
    ]
}

/// Everything that one file can switch on, for both gateways, and names that change.
async fn gates() -> Story {
    let versions = [Project::whole(), Project::whole()];
    let rich = json!({
        "vpc_link_id": null,
        "vpc_link": {"nlb_name": "ingress-one"},
        "vpc_id": "vpc-0aaaaaaaaaaaaaaaa",
        "private_subnet": ["subnet-0aaaaaaaaaaaaaaaa"],
        "account_logging_role": "make",
        "waf": {
            "deny_addresses": ["198.51.100.0/24"],
            "rate_limit": {"limit": MOST_REQUESTS},
            "managed_rule_groups": [{"name": "AWSManagedRulesCommonRuleSet"}],
            "logging": {},
        },
        "alarms": {"error_rate_percent": 1, "authorizer_errors": 5, "latency_p99_ms": 2000},
        "domain": {"name": "api.example.org"},
    });
    for project in &versions {
        write(project, DEV, &rich);
        project.edit(DEV, |env| env["authorizer"]["provisioned_concurrency"] = json!(3));
    }
    let [before, after] = &versions;
    older_routes(before);
    before.zip("authorizer.zip", "an older authorizer");
    write(
        before,
        DEV,
        &json!({
            "app_group": "older",
            "gateway_stage_name": "v1",
            "vpc_link": {"nlb_name": "ingress-two"},
            "throttling_rate_limit": 500,
            "alarms": {"error_rate_percent": 2, "authorizer_throttles": 5},
            "waf": {"allow_addresses": ["203.0.113.0/24"]},
            "tags": {"team": "others"},
        }),
    );
    after.add_route("white_path", "/new-service/{proxy+}");
    let place = stack::place(&load(after.root(), "product-a", "dev").environments[0].target);
    let mut world = World::default();
    let account = world.accounts.entry(place.account.clone()).or_default();
    account.regions.entry(place.region.clone()).or_default().apigateway.logs_role = LogsRole::Unset;
    let sandbox = Sandbox::holding(world);
    around::furnish(&connect(&place, Connector::new(sandbox.clone()).client()).await).await;
    let name = To::Name { host: "api.example.org", account: "123456789012", near: "ap-southeast-1" };
    let at_name = [
        Probe { name: "at its name", to: name.clone(), ..PREFLIGHT },
        Probe { name: "at its name, no token", to: name, method: "GET", ..PREFLIGHT },
    ];
    let either = Some("by its old or its new URL");
    let of_before = To::Stage { apis: &GATES, stage: "v1" };
    let urls =
        [Probe { either, ..PREFLIGHT }, Probe { name: "a preflight of before", either, to: of_before, ..PREFLIGHT }];
    Story {
        names: [
            "both gateways with everything, from nothing",
            "both gateways with everything, from an older version",
            "both gateways with everything, destroyed",
        ],
        product: "product-a",
        env: "dev",
        versions,
        found: sandbox.world().unwrap(),
        probes: [urls.to_vec(), of_routes(), at_name.to_vec()].concat(),
    }
}

/// Two HTTP APIs in two Regions behind one name: the example of `docs/edge`.
async fn active_active() -> Story {
    let versions = [edge::example(), edge::example()];
    let [before, _] = &versions;
    before.edit(edge::FILE, |file| {
        let edge = &mut file["edge"];
        edge["services"]["blog"] = edge["services"]["learn"].clone();
        edge["services"]["blog"]["host"] = json!("blog.svc.shop.example.com");
        edge["services"]["learn"]["timeout_ms"] = json!(5000);
        edge["services"]["learn"]["routes"].as_array_mut().unwrap().pop();
        edge["services"]["learn"]["routes"].as_array_mut().unwrap().push(json!("GET /old-courses"));
        edge["throttling_rate_limit"] = json!(100);
        edge["authorizer"]["issuer"] = json!("https://id.example.com");
        edge["health_check"]["interval_seconds"] = json!(30);
        edge["allow_list"] = json!({"addresses": ["203.0.113.0/24"]});
        edge["waf"] = json!({"rate_limit": {"limit": MOST_REQUESTS}});
        edge["load_balancer"]["name"] = json!("other");
        edge["waf_logs"]["versioning"] = json!(false);
    });
    let sandbox = Sandbox::in_memory();
    edge::furnish(&sandbox).await;
    let near = |near| To::Name { host: "api.shop.example.com", account: edge::ACCOUNT, near };
    let learn = Probe {
        path: "/learn/aws-courses",
        to: near("eu-central-1"),
        name: "learn near the first Region",
        ..PREFLIGHT
    };
    let there = |name, path| Probe { name, path, to: near("us-west-2"), ..learn.clone() };
    let probes = vec![
        learn.clone(),
        there("learn near the second Region", "/learn/aws-courses"),
        there("orders near the second Region", "/orders/1"),
        Probe { name: "orders near the first Region", path: "/orders/1", ..learn.clone() },
        Probe { name: "a service that goes", path: "/blog/aws-courses", ..learn.clone() },
        Probe { name: "no token for a course", method: "GET", ..learn },
    ];
    Story {
        names: [
            "edge in two Regions, from nothing",
            "edge in two Regions, from an older version",
            "edge in two Regions, destroyed",
        ],
        product: "shop",
        env: "prod",
        versions,
        found: sandbox.world().unwrap(),
        probes,
    }
}
