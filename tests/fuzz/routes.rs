//! Trees of routes, deployed through the control plane and asked, against a model of matching that has no tree.

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::execute_api::explain::explain;
use gwctl::sandbox::execute_api::request::ClientRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::bench::{done, id};
use super::check;

/// A resource's path and the verb of one of its methods.
type Route = (Vec<&'static str>, &'static str);

const VERBS: [&str; 3] = ["GET", "POST", "ANY"];

fn routes() -> impl Strategy<Value = Vec<Route>> {
    let part = select(&["a", "b", "c", "{p}", "{p}"][..]);
    let route = (vec(part, 0..4), any::<bool>(), select(&VERBS[..])).prop_map(|(mut path, greedy, verb)| {
        if greedy {
            path.push("{g+}");
        }
        (path, verb)
    });
    vec(route, 1..10).prop_map(|mut routes| {
        routes.sort_unstable();
        routes.dedup();
        // A parameter and a greedy one can't be siblings.
        let before = routes.clone();
        routes.retain(|(path, _)| {
            let clash = |other: &Vec<&str>| {
                other.len() >= path.len()
                    && other[..path.len() - 1] == path[..path.len() - 1]
                    && other[path.len() - 1] == "{p}"
            };
            path.last() != Some(&"{g+}") || !before.iter().any(|(other, _)| clash(other))
        });
        routes
    })
}

/// How well a resource fits a path, segment by segment: 0 for an exact one, 1 for a parameter, 2 for a greedy one. Of all
/// that fit, the least in this order serves. None, if it does not fit.
fn rank(resource: &[&str], path: &[&str]) -> Option<Vec<u8>> {
    match (resource.split_first(), path.split_first()) {
        (None, None) => Some(Vec::new()),
        // It takes all that is left, and at least one segment.
        (Some((&"{g+}", _)), Some(_)) => Some(vec![2]),
        (Some((part, parts)), Some((segment, rest))) => {
            let kind = if part == segment {
                0
            } else if *part == "{p}" {
                1
            } else {
                return None;
            };
            Some([vec![kind], rank(parts, rest)?].concat())
        }
        _ => None,
    }
}

/// The path of the resource that serves, and the verb of its method; its own goes before `ANY`.
fn model(routes: &[Route], verb: &str, path: &[&str]) -> Option<(String, &'static str)> {
    let fitting = routes.iter().filter(|(_, known)| *known == verb || *known == "ANY");
    let ranked =
        fitting.filter_map(|(resource, known)| Some((rank(resource, path)?, *known == "ANY", resource, *known)));
    let best = ranked.min_by_key(|(rank, any, ..)| (rank.clone(), *any));
    best.map(|(_, _, resource, known)| (format!("/{}", resource.join("/")), known))
}

fn document(routes: &[Route]) -> Value {
    let mut paths = json!({});
    for (resource, verb) in routes {
        let verb = if *verb == "ANY" { "x-amazon-apigateway-any-method".to_owned() } else { verb.to_lowercase() };
        let template = json!({ "application/json": "{\"statusCode\": 200}" });
        paths[format!("/{}", resource.join("/"))][verb] =
            json!({ "x-amazon-apigateway-integration": { "type": "mock", "requestTemplates": template } });
    }
    json!({ "openapi": "3.0.1", "info": { "title": "routes" }, "paths": paths })
}

#[test]
fn routes_match_as_the_model_has_it() {
    let segment = select(&["a", "b", "c", "d", "%20", "{p}", "a%2Fb"][..]);
    let request = (select(&["GET", "POST", "PUT"][..]), vec(segment, 0..6), any::<bool>());
    let seen = std::cell::Cell::new((0_u32, 0_u32));
    check(150, &(routes(), vec(request, 1..24)), |(routes, requests)| {
        if routes.is_empty() {
            return Ok(());
        }
        let sandbox = Sandbox::in_memory();
        let api = id(&done(&sandbox, "POST", "/restapis?mode=import", &document(&routes)));
        done(&sandbox, "POST", &format!("/restapis/{api}/deployments"), &json!({ "stageName": "live" }));
        for (verb, path, slash) in requests {
            let request = ClientRequest {
                method: verb.parse().unwrap(),
                path: format!("/{}{}", path.join("/"), if slash { "/" } else { "" }),
                query: String::new(),
                headers: http::HeaderMap::new(),
                body: bytes::Bytes::new(),
                host: String::new(),
                source_ip: [127, 0, 0, 1].into(),
                version: http::Version::HTTP_11,
                received: std::time::SystemTime::UNIX_EPOCH,
            };
            let explanation = explain(&sandbox, &api, "live", &request).unwrap();
            let route = explanation.layers.iter().find(|layer| layer.name == "route").expect("a layer");
            let expected = model(&routes, verb, &path);
            let (found, missing) = seen.get();
            seen.set(if expected.is_some() { (found + 1, missing) } else { (found, missing + 1) });
            let expected = expected.map(|(path, verb)| format!("{verb} {path}"));
            let actual = route.passes.then(|| route.why.clone());
            prop_assert_eq!(actual, expected, "{} {} in {:?}", verb, request.path, routes);
        }
        Ok(())
    });
    let (found, missing) = seen.get();
    assert!(found > 50 && missing > 50, "{found} requests had a route, {missing} had none");
}
