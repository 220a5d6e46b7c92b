//! Kinds of tokens: who is asked about each, what the backend is told, and what of an answer is kept for the next request.

use std::sync::OnceLock;

use serde_json::json;

use crate::ACCESS_LOG;
use crate::auth_service::INTROSPECT;
use crate::client::{Answer, Ask, Got};
use crate::project::{DEV, Project};
use crate::server::{Served, edit_dev};

const NORMAL: &str = "/dev/order-service/api/v1/orders";
const NON_TTL: &str = "/dev/user-bff-service/api/v1/account/status";
const WHITE: &str = "/dev/order-service/api/v1/public/menu";
const THROUGH: &str = "/dev/user-bff-service/api/v1/agreements";

const CHANNEL: &str = "x-auth-channel";

/// What a backend is told about who calls.
const IDENTITY: [&str; 5] = ["x-auth-channel", "x-auth-type", "x-user-scope", "x-user-id", "x-user-token"];

/// Four channels, each with a path of its own. The CA of the auth service comes from the configuration.
fn configure(project: &Project) {
    edit_dev(project, "authorizer_result_ttl", 300);
    project.edit(DEV, |environment| {
        let authorizer = &mut environment["authorizer"];
        authorizer["auth_ca"] = json!("ca.pem");
        authorizer["auth_path"] = json!("/default");
        authorizer["channels"] = json!({
            "wechat-mini": { "path": "/wechat" },
            "mobile-app": {
                "path": INTROSPECT,
                "token_in": "header:authorization",
                "yes_when": { "pointer": "/active", "equals": true },
                "user_id": "/sub",
                "scope": "/scope",
                "context": { "x-user-scope": null },
            },
            "third-party": { "path": "/partner", "context": { "x-user-scope": "partner" } },
        });
    });
}

/// A gateway whose clients may leave out the channel.
fn open() -> &'static Served {
    static OPEN: OnceLock<Served> = OnceLock::new();
    OPEN.get_or_init(|| Served::new(configure, &[]))
}

/// A gateway whose clients have to name it.
fn strict() -> &'static Served {
    static STRICT: OnceLock<Served> = OnceLock::new();
    STRICT.get_or_init(|| {
        let change = |project: &Project| {
            configure(project);
            project.edit(DEV, |environment| environment["authorizer"]["channel_required"] = json!(true));
        };
        Served::new(change, &["--access-log", ACCESS_LOG])
    })
}

/// Sends a token, with the channels that it is said to be of.
fn send(served: &Served, path: &str, token: &str, channels: &[&str]) -> Answer {
    let ask = Ask::get(path).bearer(token);
    channels.iter().fold(ask, |ask, channel| ask.header(CHANNEL, channel)).to(served.server.address)
}

/// Fails unless the backend was told this of who calls, and each of it once.
#[track_caller]
fn tells(got: &Got, identity: [&str; 5]) {
    for (name, value) in IDENTITY.iter().zip(identity) {
        assert_eq!(got.values(name), [value], "{name} of {}", got.line());
    }
}

/// What a backend is told of a token of a channel.
#[track_caller]
fn tells_of(answer: &Answer, channel: &str, token: &str) {
    let jwt = format!("jwt-of-{token}");
    let (kind, scope, id) = match channel {
        "default" => ("standard", "customer", jwt),
        "wechat-mini" => ("wechat", "customer", jwt),
        "mobile-app" => ("mobile", "orders:read orders:write", format!("sub-of-{token}")),
        "third-party" => ("third-party", "partner", jwt),
        other => panic!("no channel {other}"),
    };
    tells(&answer.got(), [channel, kind, scope, &id, token]);
}

/// The channels, and where each asks.
const CHANNELS: [(&str, &str); 4] =
    [("default", "/default"), ("wechat-mini", "/wechat"), ("mobile-app", INTROSPECT), ("third-party", "/partner")];

#[test]
fn each_channel_asks_at_its_own_path_and_tells_the_backend_who_calls() {
    for (channel, path) in CHANNELS {
        for (route, asked) in [(NORMAL, vec![path]), (NON_TTL, vec![path, path])] {
            let token = format!("each-{channel}");
            tells_of(&send(open(), route, &token, &[channel]), channel, &token);
            assert_eq!(open().auth.paths(&token), asked, "the second is asked again, for a cache of its own");
        }
    }
}

#[test]
fn without_a_channel_it_is_the_default_one() {
    for (token, channels) in [("unnamed", &[][..]), ("empty", &[""])] {
        tells_of(&send(open(), NORMAL, token, channels), "default", token);
        assert_eq!(open().auth.paths(token), ["/default"]);
    }
}

#[test]
fn nobody_is_asked_about_tokens_of_unknown_or_several_channels() {
    for (token, channels) in [
        ("unknown", &["no-such-channel"][..]),
        ("spelled", &["Mobile-App"]),
        ("listed", &["mobile-app, wechat-mini"]),
        ("twice", &["mobile-app", "wechat-mini"]),
        ("twice-the-same", &["mobile-app", "mobile-app"]),
    ] {
        for (served, route) in [(open(), NORMAL), (open(), NON_TTL), (strict(), NORMAL), (strict(), NON_TTL)] {
            let marked = format!("{route}?{token}");
            assert_eq!(send(served, &marked, token, channels).is(401).json()["message"], "Please login again");
            assert_eq!(served.auth.asked(token), 0, "{token}");
            assert_eq!(served.orders.count(&marked[4..]) + served.users.count(token), 0, "{token}");
        }
    }
}

#[test]
fn a_token_is_good_for_its_own_channel_alone() {
    for (token, good) in [("only-wechat-alone", "wechat-mini"), ("only-introspect-alone", "mobile-app")] {
        for (channel, path) in CHANNELS {
            let before = open().auth.asked(token);
            let answer = send(open(), NON_TTL, token, &[channel]);
            if channel == good {
                tells_of(&answer, channel, token);
            } else {
                drop(answer.is(401));
            }
            assert_eq!(open().auth.paths(token)[before..], [path], "{channel}");
        }
    }
}

#[test]
fn what_a_client_says_of_itself_is_replaced() {
    for (route, token) in [(NORMAL, "forger-kept"), (NON_TTL, "forger-asked")] {
        let ask =
            IDENTITY[1..].iter().fold(Ask::get(route).bearer(token).header(CHANNEL, "wechat-mini"), |ask, name| {
                ask.header(name, "admin").header(&name.to_ascii_uppercase(), "admin")
            });
        tells_of(&ask.to(open().server.address), "wechat-mini", token);
    }
    // With an answer that is kept, what the header claims is worth no more.
    tells_of(&send(open(), NORMAL, "forger-kept", &["admin"]), "wechat-mini", "forger-kept");
}

/// An answer that is kept is found by the token alone. Whatever channel the next request claims, its backend is told the one
/// that was verified.
#[test]
fn a_kept_answer_stays_of_the_channel_that_was_verified() {
    let token = "only-wechat-carried";
    tells_of(&send(open(), NORMAL, token, &["wechat-mini"]), "wechat-mini", token);
    for claimed in [&["mobile-app"][..], &["third-party"], &["default"], &["no-such-channel"], &[], &["a", "b"]] {
        tells_of(&send(open(), NORMAL, token, claimed), "wechat-mini", token);
    }
    assert_eq!(open().auth.paths(token), ["/wechat"]);
    // Where nothing is kept, the claim is looked into.
    send(open(), NON_TTL, token, &["mobile-app"]).is(401);
    assert_eq!(open().auth.paths(token), ["/wechat", INTROSPECT]);
    // A no is not kept, so it does not stand in the way of the channel that says yes.
    let late = "only-wechat-late";
    send(open(), NORMAL, late, &["mobile-app"]).is(401);
    tells_of(&send(open(), NORMAL, late, &["wechat-mini"]), "wechat-mini", late);
}

#[test]
fn with_required_channels_an_answer_is_kept_for_its_channel_alone() {
    let (served, token) = (strict(), "only-wechat-strict");
    for _ in 0..2 {
        tells_of(&send(served, NORMAL, token, &["wechat-mini"]), "wechat-mini", token);
    }
    assert_eq!(served.auth.paths(token), ["/wechat"], "kept");
    let marked = format!("{NORMAL}?carried-over");
    send(served, &marked, token, &["mobile-app"]).is(401);
    assert_eq!(served.auth.paths(token), ["/wechat", INTROSPECT], "the other channel is asked, and says no");
    assert_eq!(served.orders.count("?carried-over"), 0);
    // A token that two channels take is two answers.
    for channel in ["third-party", "default", "third-party", "default"] {
        tells_of(&send(served, NORMAL, "both", &[channel]), channel, "both");
    }
    assert_eq!(served.auth.paths("both"), ["/partner", "/default"]);
}

#[test]
fn with_required_channels_a_request_without_one_is_refused_unasked() {
    let served = strict();
    for route in [NORMAL, NON_TTL] {
        for channels in [&[][..], &[""]] {
            let answer = send(served, &format!("{route}?nameless"), "nameless", channels).is(401);
            assert_eq!(answer.json()["message"], "Please login again");
            let line = served.logged(&answer);
            assert_eq!(line["authorizerLatency"], "-", "the function is not called either: {line}");
        }
        tells_of(&send(served, route, "named", &["default"]), "default", "named");
    }
    assert_eq!(served.auth.asked("nameless"), 0);
    assert_eq!(served.orders.count("?nameless") + served.users.count("?nameless"), 0);
}

/// Where nobody is asked, a channel is what the client says, and nothing else about it is said.
#[test]
fn open_methods_pass_the_channel_on_or_empty_it() {
    for (method, path, channel) in [
        ("GET", WHITE, "wechat-mini"),
        ("OPTIONS", WHITE, "wechat-mini"),
        ("GET", THROUGH, "wechat-mini"),
        ("OPTIONS", THROUGH, "wechat-mini"),
        ("OPTIONS", NORMAL, ""),
        ("OPTIONS", NON_TTL, ""),
    ] {
        let ask = Ask::new(method, path).header(CHANNEL, "wechat-mini").header("x-auth-type", "wechat");
        tells(&ask.to(open().server.address).got(), [channel, "", "", "", ""]);
    }
}
