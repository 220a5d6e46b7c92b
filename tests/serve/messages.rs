//! What becomes of paths, headers, bodies and connections on their way through.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use crate::client::{Answer, Ask, Connection};
use crate::served;
use crate::upstream::{BINARY, LIMIT};

const MENU: &str = "/dev/order-service/api/v1/public/menu";

fn send(ask: &Ask) -> Answer {
    ask.to(served().server.address)
}

#[test]
fn paths_and_query_strings_arrive_as_sent() {
    // The service in front has become the host.
    let (route, base) = ("/dev/order-service/api/v1/public", "/api/v1/public");
    for (path, expected) in [
        ("/menu?a=1&a=2&empty=&flag&b=%20x%2Fy+z", "/menu?a=1&a=2&empty=&flag&b=%20x%2Fy+z"),
        ("/menu?", "/menu"),
        ("/a/b/c", "/a/b/c"),
        ("/%7Ejo/a%2Fb;v=1", "/%7Ejo/a%2Fb;v=1"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        // A greedy parameter is what the client sent, but for a slash at its end.
        ("/menu/", "/menu"),
        ("/a//b", "/a//b"),
    ] {
        let got = send(&Ask::get(&format!("{route}{path}"))).got();
        assert_eq!(got.target(), format!("{base}{expected}"), "{path}");
    }
    // Doubled slashes in front lead to the same route.
    for doubled in ["/dev//order-service/api/v1/public/menu", "//dev/order-service/api/v1/public/menu"] {
        assert_eq!(send(&Ask::get(doubled)).got().target(), format!("{base}/menu"), "{doubled}");
    }
    // Inside they do not: the policy's deny list can't be walked around with them.
    send(&Ask::get("/dev//order-service/actuator/health")).is(403);
    let target = send(&Ask::get("/dev/user-bff-service/api/v1/agreements/?lang=de")).got();
    assert_eq!(target.target(), "/platform/api/v1/agreements?lang=de");
}

#[test]
fn headers_of_the_connection_stay_and_the_services_own_are_there() {
    let ask = Ask::post(MENU, "text/plain", "x")
        .header("connection", "keep-alive, x-hop")
        .header("x-hop", "1")
        .header("keep-alive", "timeout=5")
        .header("te", "trailers")
        .header("upgrade", "h2c")
        .header("expect", "nothing")
        .header("x-forwarded-for", "198.51.100.7")
        .header("x-gwctl-source-ip", "203.0.113.9")
        .header("x-own", "a")
        .header("X-Own", "b")
        .header("cookie", "a=b");
    let answer = send(&ask);
    let got = answer.got();
    for name in ["x-hop", "keep-alive", "te", "upgrade", "expect", "x-gwctl-source-ip", "transfer-encoding"] {
        assert_eq!(got.values(name), [""; 0], "{name}");
    }
    assert_eq!(got.values("x-own"), ["a", "b"]);
    assert_eq!(got.values("cookie"), ["a=b"]);
    assert_eq!(got.values("content-length"), ["1"]);
    // The backend still sees the integration's host, wherever it really is.
    assert_eq!(got.values("host"), ["order-service-dev.k8s-internal.example.com"]);
    assert_eq!(got.values("x-forwarded-for"), ["198.51.100.7, 203.0.113.9"]);
    assert_eq!(got.values("x-forwarded-proto"), ["https"]);
    assert_eq!(got.values("x-forwarded-port"), ["443"]);
    assert_eq!(got.values("x-amzn-apigateway-api-id").len(), 1);
    assert!(got.values("user-agent")[0].starts_with("AmazonAPIGateway_"), "{got:?}");
    assert_eq!((answer.header("server"), answer.header("x-amzn-remapped-server")), (None, Some("upstream")));
    assert_eq!(answer.header("x-kept"), Some("yes"));
}

#[test]
fn binary_bodies_pass_where_their_type_is_a_binary_one() {
    let spoilt = String::from_utf8_lossy(&BINARY).into_owned().into_bytes();
    for (kind, expected) in [
        ("multipart/form-data; boundary=x", BINARY.to_vec()),
        ("Multipart/Form-Data", BINARY.to_vec()),
        ("application/octet-stream", spoilt.clone()),
    ] {
        assert_eq!(send(&Ask::post(MENU, kind, BINARY)).got().body(), expected, "{kind} to the backend");
        let back = Ask::get(MENU).header("x-act", "binary").header("x-kind", kind);
        assert_eq!(send(&back).is(200).body, expected, "{kind} to the client");
    }
    let accepted = Ask::get(MENU).header("x-act", "binary").header("accept", "multipart/form-data");
    assert_eq!(send(&accepted).is(200).body, BINARY);
    let text = "naïve ☕";
    assert_eq!(send(&Ask::post(MENU, "text/plain", text)).got().body(), text.as_bytes());
}

#[test]
fn what_is_too_large_is_413_and_what_just_fits_passes() {
    let body = |length: usize| Ask::post(MENU, "text/plain", vec![b'x'; length]).header("x-act", "length");
    assert_eq!(send(&body(LIMIT)).is(200).json()["length"], LIMIT);
    for ask in [body(LIMIT + 1), body(LIMIT + 1).chunked(1 << 20), body(LIMIT + (1 << 22))] {
        let answer = send(&ask.header("origin", "https://a.example")).is(413);
        assert!(answer.text().contains("exceeded 10485760 bytes"), "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://a.example"));
    }
    let huge = send(&Ask::get(MENU).header("x-act", "huge")).is(500);
    assert_eq!(huge.json()["message"], "Internal server error");
}

#[test]
fn a_request_that_breaks_off_reaches_no_backend() {
    let path = "/order-service/api/v1/public/cut-short";
    let mut stream = TcpStream::connect(served().server.address).unwrap();
    write!(stream, "POST /dev{path} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nbegun").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    // The gateway is done with it once it closes the connection, whether or not it answers.
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(served().orders.count("cut-short"), 0);
}

#[test]
fn chunks_in_both_directions_become_whole_bodies() {
    let got = send(&Ask::post(MENU, "text/plain", "0123456789".repeat(100)).chunked(7)).got();
    assert_eq!(got.body(), "0123456789".repeat(100).into_bytes());
    let answer = send(&Ask::get(MENU).header("x-act", "chunked")).is(200);
    assert_eq!((answer.text().as_str(), answer.header("content-length")), ("abcdefg", Some("7")));
    assert_eq!((answer.header("keep-alive"), answer.header("x-kept")), (None, Some("yes")));
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let mut connection = Connection::open(served().server.address);
    for n in 0..3 {
        let path = format!("{MENU}?n={n}");
        assert!(connection.ask(&Ask::get(&path)).got().target().ends_with(&format!("?n={n}")));
        connection.ask(&Ask::get("/dev/nowhere")).is(404);
        connection.ask(&Ask::post("/dev/order-service/api/v1/orders", "text/plain", "unread")).is(401);
        let head = connection.ask(&Ask::new("HEAD", MENU).header("x-act", "head")).is(200);
        assert_eq!((head.header("x-kept"), head.body.len()), (Some("yes"), 0));
        let empty = connection.ask(&Ask::new("DELETE", MENU).header("x-act", "no-content")).is(204);
        assert_eq!(empty.header("content-length"), None);
        connection.ask(&Ask::get(MENU).header("x-act", "teapot")).is(418);
    }
}

#[test]
fn every_method_passes() {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(send(&Ask::new(method, MENU)).got().line().starts_with(&format!("{method} /")));
    }
}
