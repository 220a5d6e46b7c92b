//! Routes and authorizers.

use serde_json::{Value, json};

use super::super::testing::Bench;

fn jwt(name: &str) -> Value {
    json!({
        "name": name, "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": { "audience": ["orders"], "issuer": "https://login.example.com/" },
    })
}

fn make(bench: &mut Bench, api: &str, body: &Value) -> String {
    bench.ok("POST", &format!("{api}/authorizers"), body)["authorizerId"].as_str().unwrap().to_owned()
}

#[test]
fn a_route_leads_to_an_integration_and_asks_an_authorizer() {
    let mut bench = Bench::default();
    let api = bench.api();
    let integration = bench.integration(&api);
    let authorizer = make(&mut bench, &api, &jwt("login"));
    let body = json!({
        "routeKey": "POST /orders", "target": format!("integrations/{integration}"), "authorizationType": "JWT",
        "authorizerId": authorizer, "authorizationScopes": ["orders.write"], "operationName": "createOrder",
    });
    let made = bench.ok("POST", &format!("{api}/routes"), &body);
    let mut expected = body;
    (expected["apiKeyRequired"], expected["routeId"]) = (json!(false), made["routeId"].clone());
    assert_eq!(made, expected);
    let path = format!("{api}/routes/{}", made["routeId"].as_str().unwrap());
    assert_eq!(bench.get(&path), made);
    let words = format!("{api}/integrations/{integration}");
    let (code, said) = bench.refused("DELETE", &words, &Value::Null);
    let id = made["routeId"].as_str().unwrap();
    assert_eq!(
        (code.as_str(), said),
        (
            "ConflictException",
            format!("Cannot delete Integration because it is referenced by the following Routes with Ids: [{id}]")
        )
    );
    let authorizers = format!("{api}/authorizers/{authorizer}");
    let (code, said) = bench.refused("DELETE", &authorizers, &Value::Null);
    assert_eq!(
        (code.as_str(), said.as_str()),
        ("ConflictException", "Cannot delete authorizer 'login', is referenced in route: POST /orders")
    );
    // Leaving both out changes nothing; `NONE` takes the authorizer and its scopes off.
    assert_eq!(bench.ok("PATCH", &path, &json!({ "operationName": "create" }))["authorizerId"], json!(authorizer));
    let changed = bench.ok("PATCH", &path, &json!({ "authorizationType": "NONE", "routeKey": "$default" }));
    assert_eq!((&changed["authorizerId"], &changed["authorizationScopes"]), (&Value::Null, &Value::Null));
    assert_eq!(changed["routeKey"], "$default");
    bench.delete(&authorizers);
    bench.delete(&path);
    bench.delete(&format!("{api}/integrations/{integration}"));
    assert_eq!(bench.get(&format!("{api}/routes"))["items"], json!([]));
}

#[test]
fn what_can_not_be_a_route_is_refused() {
    let mut bench = Bench::default();
    let api = bench.api();
    let integration = bench.integration(&api);
    bench.route(&api, "GET /a/{id}", &integration);
    let login = make(&mut bench, &api, &jwt("login"));
    let path = format!("{api}/routes");
    for (body, code, words) in [
        (json!({}), "BadRequestException", "routeKey"),
        (json!({ "routeKey": "GET a" }), "BadRequestException", "is not formatted properly"),
        (json!({ "routeKey": "GET /a/{id}" }), "ConflictException", "Route with key GET /a/{id} already exists"),
        (json!({ "routeKey": "GET /a/{name}/b" }), "ConflictException", "has a conflicting variable"),
        (json!({ "routeKey": "GET /b", "target": integration }), "BadRequestException", "Invalid target"),
        (json!({ "routeKey": "GET /b", "target": "integrations/none" }), "NotFoundException", "Integration identifier"),
        (json!({ "routeKey": "GET /b", "authorizationType": "TOKEN" }), "BadRequestException", "authorizationType"),
        (
            json!({ "routeKey": "GET /b", "authorizationType": "JWT" }),
            "BadRequestException",
            "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.",
        ),
        (
            json!({ "routeKey": "GET /b", "authorizationType": "CUSTOM", "authorizerId": login }),
            "BadRequestException",
            "requires a valid REQUEST authorizer",
        ),
        (json!({ "routeKey": "GET /b", "authorizerId": login }), "BadRequestException", "authorizer ID"),
        (json!({ "routeKey": "GET /b", "authorizationScopes": ["a"] }), "BadRequestException", "scopes"),
        (json!({ "routeKey": "GET /b", "apiKeyRequired": true }), "BadRequestException", "apiKeyRequired"),
    ] {
        let before = bench.state().apis.clone();
        let (said, message) = bench.refused("POST", &path, &body);
        assert_eq!(said, code, "{body}: {message}");
        assert!(message.contains(words), "{body}: {message}");
        assert_eq!(bench.state().apis, before, "{body}");
    }
    // A key may stay as it is.
    let id = bench.state().apis[0].definition.routes[0].route_id.clone();
    bench.ok("PATCH", &format!("{path}/{id}"), &json!({ "routeKey": "GET /a/{id}" }));
}

#[test]
fn an_api_has_three_hundred_routes_and_ten_authorizers() {
    let mut bench = Bench::default();
    let api = bench.api();
    for at in 0..300 {
        bench.ok("POST", &format!("{api}/routes"), &json!({ "routeKey": format!("GET /{at}") }));
    }
    let (code, _) = bench.refused("POST", &format!("{api}/routes"), &json!({ "routeKey": "$default" }));
    assert_eq!(code, "TooManyRequestsException");
    for at in 0..10 {
        make(&mut bench, &api, &jwt(&at.to_string()));
    }
    assert_eq!(bench.refused("POST", &format!("{api}/authorizers"), &jwt("more")).0, "TooManyRequestsException");
}

#[test]
fn authorizers_of_functions_have_their_own_members() {
    let mut bench = Bench::default();
    let api = bench.api();
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:\
               function:guard/invocations";
    let body = json!({
        "name": "guard", "authorizerType": "REQUEST", "authorizerUri": uri, "authorizerPayloadFormatVersion": "2.0",
        "identitySource": ["$request.header.a", "$context.routeKey"], "enableSimpleResponses": true,
    });
    let made = bench.ok("POST", &format!("{api}/authorizers"), &body);
    assert_eq!(made["authorizerResultTtlInSeconds"], 300);
    let path = format!("{api}/authorizers/{}", made["authorizerId"].as_str().unwrap());
    for (change, words) in [
        (json!({ "authorizerPayloadFormatVersion": "1.0" }), "Simple responses"),
        (json!({ "authorizerPayloadFormatVersion": "" }), "authorizerPayloadFormatVersion"),
        (json!({ "authorizerResultTtlInSeconds": 3601 }), "TTL"),
        (json!({ "authorizerUri": "https://example.com" }), "Invalid Authorizer URI"),
        (json!({ "identitySource": [] }), "Identity source is required"),
        (json!({ "identitySource": ["header.a"] }), "Invalid identity source"),
        (json!({ "jwtConfiguration": { "issuer": "https://a.example" } }), "jwtConfiguration"),
    ] {
        let (code, said) = bench.refused("PATCH", &path, &change);
        assert_eq!(code, "BadRequestException");
        assert!(said.contains(words), "{change}: {said}");
    }
    bench.ok("PATCH", &path, &json!({ "identitySource": [], "authorizerResultTtlInSeconds": 0 }));
}

#[test]
fn what_can_not_be_a_jwt_authorizer_is_refused() {
    let mut bench = Bench::default();
    let api = bench.api();
    make(&mut bench, &api, &jwt("login"));
    let issuer = |issuer: &str| json!({ "audience": ["a"], "issuer": issuer });
    for (member, value, words) in [
        ("name", json!("login"), "Authorizer name must be unique. Authorizer login already exists in this RestApi."),
        ("authorizerType", json!("TOKEN"), "authorizerType"),
        ("jwtConfiguration", Value::Null, "jwtConfiguration"),
        (
            "jwtConfiguration",
            issuer("http://login.example.com"),
            "Invalid issuer: http://login.example.com. Issuer must",
        ),
        ("jwtConfiguration", issuer("login.example.com"), "Invalid issuer"),
        ("jwtConfiguration", json!({ "issuer": "https://login.example.com" }), "audience"),
        ("identitySource", json!([]), "identity source"),
        ("identitySource", json!(["$request.header.a", "$request.header.b"]), "identity source"),
        ("identitySource", json!(["$context.a"]), "identity source"),
        ("authorizerResultTtlInSeconds", json!(60), "not supported"),
    ] {
        let mut body = jwt("other");
        body[member] = value.clone();
        let (code, said) = bench.refused("POST", &format!("{api}/authorizers"), &body);
        assert_eq!(code, "BadRequestException", "{member}");
        assert!(said.contains(words), "{member} {value}: {said}");
    }
    let mut local = jwt("local");
    local["jwtConfiguration"] = issuer("http://127.0.0.1:8080/realm");
    make(&mut bench, &api, &local);
}
