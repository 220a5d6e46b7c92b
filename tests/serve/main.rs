//! `gwctl serve`, `gwctl explain` and `gwctl test` from end to end: the binary, the real authorizer behind its Lambda Runtime
//! API, an auth service and backends on this machine, and a client that sends exactly what it is told.
//!
//! | file | what |
//! |---|---|
//! | `routes` | every type of route: what the backend gets, who is refused, and how |
//! | `messages` | what becomes of paths, headers, bodies and connections |
//! | `channels` | kinds of tokens: who is asked, what the backend is told, and what of it is kept |
//! | `trouble` | throttles, time-outs, what is down, caches that end, authorizers behind a URL |
//! | `reload` | the working tree changes while it is served |
//! | `http_apis` | HTTP APIs in two Regions: routes, mappings, tokens, browsers, trouble, domain names, web ACLs |
//! | `edge` | the HTTP APIs of the working tree, by the files of an environment with `edge` |
//! | `sandbox` | the control plane and the data plane on one listener |
//! | `canary` | rollbacks and canaries under requests |
//! | `explained`, `explained_edge` | `gwctl explain` and `gwctl test`, of REST and of HTTP APIs |

mod auth_service;
mod canary;
mod channels;
mod client;
mod edge;
mod explained;
mod explained_edge;
mod http_apis;
mod issuer;
mod messages;
#[path = "../support/project.rs"]
mod project;
mod reload;
mod routes;
mod sandbox;
mod server;
mod trouble;
mod upstream;

use std::sync::OnceLock;

use server::Served;

/// The file in the project to which a server writes its access log, where it writes one.
const ACCESS_LOG: &str = "access.log";

/// One server for all tests that need nothing special. It keeps the authorizer's answers for five minutes: longer than the
/// tests take.
fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let long = |project: &project::Project| server::edit_dev(project, "authorizer_result_ttl", 300);
        Served::new(long, &["--access-log", ACCESS_LOG])
    })
}
