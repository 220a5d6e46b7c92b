use serde_json::json;

use super::*;

fn facts(target: &str) -> Facts {
    Facts {
        integration: "HTTP_PROXY".into(),
        backend_method: Some("ANY".into()),
        target: Some(target.into()),
        timeout_ms: 29_000,
        ..Facts::default()
    }
}

fn routes(all: &[(&str, &str)], whole: bool) -> Routes {
    let route = |target: &str| Route { facts: facts(target), whole: whole.then(|| json!({"uri": target})) };
    all.iter().map(|(path, target)| (((*path).to_owned(), "ANY".to_owned()), route(target))).collect()
}

fn api(wanted: &[(&str, &str)], edited: &[(&str, &str)], served: &[(&str, &str)]) -> Api {
    Api {
        address: Address::new("gate", "rest-api", "gateway"),
        name: "product-a-gateway-dev".into(),
        wanted: Some(routes(wanted, true)),
        edited: Some(routes(edited, true)),
        served: Some(routes(served, false)),
        looked: true,
        types: BTreeMap::from([("/a".to_owned(), "normal_path".to_owned())]),
        stage: None,
    }
}

fn states(api: &Api) -> Vec<(String, State)> {
    api.lines().into_iter().map(|line| (line.path, line.state)).collect()
}

#[test]
fn wanted_edited_and_served_tell_how_a_route_stands() {
    let one = api(
        &[("/a", "http://a"), ("/b", "http://b"), ("/c", "http://c"), ("/d", "http://d"), ("/e", "http://e")],
        &[("/a", "http://a"), ("/b", "http://x"), ("/c", "http://c"), ("/d", "http://old"), ("/g", "http://g")],
        &[("/a", "http://a"), ("/b", "http://b"), ("/d", "http://old"), ("/e", "http://e"), ("/f", "http://f")],
    );
    let expected = [
        ("/a", State::Live),
        ("/b", State::Differs),
        ("/c", State::NotDeployed),
        ("/d", State::Differs),
        ("/e", State::Differs),
        ("/f", State::OnlyInAws),
        ("/g", State::OnlyInAws),
    ];
    assert_eq!(states(&one), expected.map(|(path, state)| (path.to_owned(), state)));
    let lines = one.lines();
    assert_eq!(lines[1].differences, ["edited, and not deployed: target http://x instead of http://b"]);
    assert_eq!(lines[3].differences, ["target http://old instead of http://d"]);
    assert_eq!(lines[4].differences, ["deleted, and still served"]);
    assert_eq!(lines[6].differences, ["not deployed"]);
    assert_eq!((lines[0].kind.as_deref(), lines[1].kind.as_deref()), (Some("normal_path"), None));
}

#[test]
fn what_was_not_looked_at_is_only_wanted() {
    let one = Api { edited: None, served: None, looked: false, ..api(&[("/a", "http://a")], &[], &[]) };
    assert_eq!(states(&one), [("/a".to_owned(), State::Wanted)]);
    let gone = Api { edited: None, served: None, ..api(&[("/a", "http://a")], &[], &[]) };
    assert_eq!(states(&gone), [("/a".to_owned(), State::NotDeployed)]);
}

#[test]
fn an_http_api_serves_what_is_edited() {
    let mut one = api(&[("/a", "http://a"), ("/b", "http://b")], &[("/a", "http://a")], &[]);
    one.edited = Some(routes(&[("/a", "http://a"), ("/b", "http://b")], true));
    one.served = one.edited.clone();
    assert_eq!(states(&one), [("/a".to_owned(), State::Live), ("/b".to_owned(), State::Live)]);
    one.served.as_mut().unwrap().get_mut(&("/b".to_owned(), "ANY".to_owned())).unwrap().whole =
        Some(json!({"uri": "x"}));
    assert_eq!(one.lines()[1].differences, ["settings of the route"]);
}

#[test]
fn an_export_is_read_as_far_as_it_goes() {
    let document = json!({
        "paths": {"/a/{proxy+}": {
            "x-amazon-apigateway-any-method": {
                "security": [{"product-a-api-authorizer-dev": []}, {"api_key": []}],
                "x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "ANY", "uri": "http://a/{proxy}",
                    "connectionType": "VPC_LINK", "connectionId": "l1", "timeoutInMillis": 500},
            },
            "options": {"x-amazon-apigateway-integration": {"type": "mock"}},
            "get": {"security": [{"sigv4": []}]},
            "parameters": [],
        }},
        "components": {"securitySchemes": {
            "product-a-api-authorizer-dev": {"x-amazon-apigateway-authtype": "custom"},
            "api_key": {"type": "apiKey"},
            "sigv4": {"x-amazon-apigateway-authtype": "awsSigv4"},
        }},
    });
    let routes = of_export(&document);
    assert_eq!(routes.len(), 3);
    let of = |method: &str| &routes[&("/a/{proxy+}".to_owned(), method.to_owned())].facts;
    let any = of("ANY");
    assert_eq!((any.integration.as_str(), any.target.as_deref()), ("HTTP_PROXY", Some("http://a/{proxy}")));
    assert_eq!((any.link.as_deref(), any.timeout_ms, any.api_key), (Some("l1"), 500, true));
    assert_eq!(any.authorizer.as_deref(), Some("product-a-api-authorizer-dev"));
    assert_eq!((of("OPTIONS").integration.as_str(), of("OPTIONS").timeout_ms), ("MOCK", 29_000));
    assert_eq!(of("GET").authorizer.as_deref(), Some("AWS_IAM"));
}

#[test]
fn settings_of_a_route_are_found_by_their_escaped_path() {
    let mut one = api(&[("/a", "http://a")], &[("/a", "http://a")], &[("/a", "http://a")]);
    one.stage = Some(json!({"method_settings": {
        "*/*": {"caching": false, "throttling_rate_limit": 9.0, "throttling_burst_limit": 9},
        "~1a/ANY": {"caching": true, "throttling_rate_limit": 2.5, "throttling_burst_limit": 5},
    }}));
    let line = &one.lines()[0];
    assert_eq!((line.throttling.as_deref(), line.cached), (Some("2.5/s, 5 at once"), true));
    one.stage = Some(json!({"route_settings": {"ANY /a": {"throttling": {"rate_limit": 1.0, "burst_limit": 2}}}}));
    assert_eq!(one.lines()[0].throttling.as_deref(), Some("1/s, 2 at once"));
    one.stage = Some(json!({"route_settings": {"ANY /a": {"detailed_metrics": true}}}));
    assert_eq!(one.lines()[0].throttling, None);
}

#[test]
fn filters_narrow_the_table() {
    let one = api(
        &[("/a", "http://orders.internal:80/x"), ("/b/c", "http://users.internal/")],
        &[],
        &[("/a", "http://orders.internal:80/x")],
    );
    let paths = |filter: &Filter| {
        one.lines().into_iter().filter(|line| filter.wants(line)).map(|line| line.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(&Filter::default()), ["/a", "/b/c"]);
    assert_eq!(paths(&Filter { served: true, ..Filter::default() }), ["/a"]);
    assert_eq!(paths(&Filter { path: Some("/b*".parse().unwrap()), ..Filter::default() }), ["/b/c"]);
    assert_eq!(paths(&Filter { types: vec!["normal_path".into()], ..Filter::default() }), ["/a"]);
    assert_eq!(paths(&Filter { service: Some("orders.internal".parse().unwrap()), ..Filter::default() }), ["/a"]);
    assert_eq!(paths(&Filter { service: Some("b".parse().unwrap()), ..Filter::default() }), ["/b/c"]);
    assert_eq!(paths(&Filter { methods: vec!["get".into()], ..Filter::default() }), ["/a", "/b/c"], "which take any");
}
