//! Rollbacks and canaries under requests: the binary moves the stage on a sandbox that serves it at the same time.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use crate::client::{Answer, Ask};
use crate::project::Project;
use crate::server::Server;
use crate::upstream::Upstream;

struct World {
    project: Project,
    server: Server,
    _upstream: Upstream,
    /// The id of the API.
    api: String,
}

impl World {
    /// product-a's `dev` on a sandbox that serves it.
    fn deployed() -> Self {
        let (project, upstream) = (Project::new(), Upstream::start("orders"));
        let rule = format!("*.k8s-internal.example.com={}", upstream.address);
        let server = Server::start(&project, &["sandbox", "--sandbox", "--listen", "127.0.0.1:0", "--upstream", &rule]);
        let mut world = Self { project, server, _upstream: upstream, api: String::new() };
        let applied: Value = serde_json::from_str(&world.gwctl("apply --yes --output json")).unwrap();
        let url = applied["outcomes"][0]["urls"][0].as_str().expect("a URL");
        let (host, _) = url.trim_start_matches("https://").split_once('.').expect("a host");
        host.clone_into(&mut world.api);
        world
    }

    fn address(&self) -> SocketAddr {
        self.server.address
    }

    #[track_caller]
    fn gwctl(&self, line: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
        command.current_dir(self.project.root()).env_clear().env("HOME", self.project.root());
        command.env("AWS_ACCESS_KEY_ID", "123456789012").env("AWS_SECRET_ACCESS_KEY", "sandbox");
        let url = format!("http://{}", self.address());
        command.args(line.split_whitespace()).args(["--product", "product-a", "--env", "dev", "--endpoint-url", &url]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn ask(&self, path: &str) -> Answer {
        Ask::get(&format!("/_sandbox/execute-api/{}/dev{path}", self.api)).to(self.address())
    }

    /// How many of a hundred requests for a path reach a backend.
    fn reached(&self, path: &str) -> usize {
        (0..100).filter(|_| self.ask(path).status == 200).count()
    }
}

const OLD: &str = "/order-service/api/v1/public/list";
const NEW: &str = "/new-service/list";

#[test]
fn a_canary_gets_its_share_of_the_requests_and_a_rollback_takes_it_back() {
    let world = World::deployed();
    assert_eq!((world.reached(OLD), world.reached(NEW)), (100, 0));

    world.project.add_route("white_path", "/new-service/{proxy+}");
    world.gwctl("apply --yes --canary 40");
    let share = world.reached(NEW);
    assert!((10..=70).contains(&share), "{share} of 100 requests went to a canary with 40 %");
    assert_eq!(world.reached(OLD), 100, "what both deployments have is always served");

    world.gwctl("canary promote --yes");
    assert_eq!((world.reached(OLD), world.reached(NEW)), (100, 100));

    world.gwctl("rollback --yes");
    assert_eq!((world.reached(OLD), world.reached(NEW)), (100, 0));

    world.gwctl("apply --yes");
    assert_eq!(world.reached(NEW), 100);
    assert!(world.gwctl("plan").contains("No changes."));
}

#[test]
fn a_canary_that_is_aborted_gets_nothing_any_more() {
    let world = World::deployed();
    world.project.add_route("white_path", "/new-service/{proxy+}");
    world.gwctl("apply --yes --canary 100");
    assert_eq!(world.reached(NEW), 100);
    world.gwctl("canary abort --yes");
    assert_eq!((world.reached(OLD), world.reached(NEW)), (100, 0));
}
