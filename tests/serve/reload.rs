//! The working tree changes while it is served.

use std::fs;

use serde_json::json;

use crate::client::Ask;
use crate::project::DEV;
use crate::server::{Served, until};

const OLD: &str = "/dev/order-service/api/v1/public/menu";
const NEW: &str = "/dev/refund-service/open";
const LATER: &str = "/dev/later-service/open";

#[test]
fn what_is_edited_is_served_and_what_is_broken_changes_nothing() {
    let served = Served::new(|_| {}, &[]);
    let status = |path: &str| Ask::get(path).to(served.server.address).status;
    assert_eq!((status(OLD), status(NEW)), (200, 404));

    served.project.add_route("white_path", "/refund-service/{proxy+}");
    until("the new route", || {
        // There is no moment at which the gateway is not there.
        assert_eq!(status(OLD), 200);
        (status(NEW) == 200).then_some(())
    });
    assert_eq!(Ask::get(NEW).to(served.server.address).got().target(), "/open");
    until("the tale of it", || served.server.said().contains("reloaded: ").then_some(()));

    let whole = fs::read_to_string(served.project.root().join(DEV)).unwrap();
    served.project.edit(DEV, |environment| {
        environment["gateway_api"]["white_path"] = json!([{ "service_path": "no-slash" }]);
    });
    until("the fault", || {
        let said = served.server.said();
        (said.contains("leading slash") && said.contains("the gateway goes on as it was")).then_some(())
    });
    assert_eq!((status(OLD), status(NEW)), (200, 200));

    fs::write(served.project.root().join(DEV), whole).unwrap();
    served.project.add_route("white_path", "/later-service/{proxy+}");
    until("the route after the mend", || (status(LATER) == 200).then_some(()));
    assert_eq!((status(OLD), status(NEW)), (200, 200));
}

#[test]
fn with_no_reload_nothing_changes() {
    let served = Served::new(|_| {}, &["--no-reload"]);
    served.project.add_route("white_path", "/refund-service/{proxy+}");
    // Another server on the same tree has read the edit by the time it answers; this one never will.
    let other = crate::server::Server::start(
        &served.project,
        &[
            "serve",
            "--product",
            "product-a",
            "--env",
            "dev",
            "--upstream",
            &format!("*.example.com={}", served.users.address),
        ],
    );
    assert_eq!(Ask::get(NEW).to(other.address).status, 200);
    assert_eq!(Ask::get(NEW).to(served.server.address).status, 404);
}
