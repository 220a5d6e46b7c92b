//! Imports and puts: what they make, keep and drop.

use serde_json::{Value, json};

use super::super::state::RestApi;
use super::super::testing::Bench;
use super::{deploy, document, imported, private};

#[test]
fn an_import_makes_the_whole_api() {
    let (mut bench, id) = imported();
    let api = bench.ok("GET", &format!("/restapis/{id}"), &Value::Null);
    assert_eq!(api["endpointConfiguration"]["types"], json!(["REGIONAL"]));
    assert_eq!(api["binaryMediaTypes"], json!(["multipart/form-data"]));
    let policy = api["policy"].as_str().expect("a policy");
    assert!(policy.contains(&format!(r#"\"arn:aws:execute-api:us-east-1:111111111111:{id}\/*\""#)), "{policy}");

    let resources = bench.ok("GET", &format!("/restapis/{id}/resources?embed=methods"), &Value::Null);
    let paths: Vec<&str> =
        resources["item"].as_array().expect("items").iter().filter_map(|item| item["path"].as_str()).collect();
    assert_eq!(paths, ["/", "/orders", "/orders/{proxy+}"]);
    let methods = &resources["item"][2]["resourceMethods"];
    assert_eq!(methods["OPTIONS"]["authorizationType"], "NONE");
    assert_eq!(methods["ANY"]["authorizationType"], "CUSTOM");
    assert_eq!(methods["ANY"]["requestParameters"], json!({ "method.request.path.proxy": true }));
    let integration = &methods["ANY"]["methodIntegration"];
    assert_eq!(integration["connectionId"], "link01");
    assert_eq!(integration["timeoutInMillis"], 29000);
    assert_eq!(integration["cacheNamespace"], resources["item"][2]["id"]);

    let authorizers = bench.ok("GET", &format!("/restapis/{id}/authorizers"), &Value::Null);
    assert_eq!(authorizers["item"][0]["id"], methods["ANY"]["authorizerId"]);
    assert_eq!(authorizers["item"][0]["type"], "REQUEST");
    let unauthorized = bench.ok("GET", &format!("/restapis/{id}/gatewayresponses/UNAUTHORIZED"), &Value::Null);
    assert_eq!(unauthorized["statusCode"], "401");
    assert_eq!(unauthorized["defaultResponse"], false);
}

#[test]
fn an_overwrite_drops_what_the_document_does_not_carry_and_keeps_the_ids() {
    let (mut bench, id) = imported();
    bench.ok(
        "PUT",
        &format!("/tags/arn:aws:apigateway:us-east-1::%2Frestapis%2F{id}"),
        &json!({ "tags": { "a": "b" } }),
    );
    deploy(&mut bench, &id, "dev");
    let before = bench.state().apis[0].clone();

    let mut smaller = document();
    smaller["paths"]["/orders/{proxy+}"]["get"] = smaller["paths"]["/orders/{proxy+}"]["options"].take();
    smaller["paths"]["/orders/{proxy+}"].as_object_mut().expect("a path").remove("options");
    smaller["paths"]["/new"] = json!({ "get": { "x-amazon-apigateway-integration": { "type": "mock" } } });
    for name in ["policy", "binary-media-types", "gateway-responses"] {
        smaller.as_object_mut().expect("a document").remove(&format!("x-amazon-apigateway-{name}"));
    }
    bench.ok("PUT", &format!("/restapis/{id}?mode=overwrite"), &smaller);

    let after = &bench.state().apis[0];
    assert_eq!(after.definition.policy, None);
    assert!(after.definition.binary_media_types.is_empty() && after.definition.gateway_responses.is_empty());
    assert_eq!((&after.tags, &after.stages), (&before.tags, &before.stages));
    assert_eq!(after.definition.endpoint, before.definition.endpoint);
    let resource = |api: &RestApi| api.definition.at_path("/orders/{proxy+}").cloned().expect("the resource");
    assert_eq!(resource(after).id, resource(&before).id);
    assert_eq!(resource(after).resource_methods.keys().collect::<Vec<_>>(), ["ANY", "GET"]);
    assert_eq!(after.definition.authorizers, before.definition.authorizers);
    assert_eq!(after.deployments[0].snapshot, before.definition, "a deployment is a frozen copy");
}

#[test]
fn an_overwrite_frees_the_place_of_what_goes() {
    let (mut bench, id) = imported();
    let mut renamed = document();
    let item = renamed["paths"]["/orders/{proxy+}"].take();
    let text = item.to_string().replace("proxy", "rest").replace("http_rest", "http_proxy");
    let item: Value = serde_json::from_str(&text).expect("a path item");
    renamed["paths"] = json!({ "/orders/{rest+}": item });
    let (code, words) = bench.refused("PUT", &format!("/restapis/{id}?mode=merge"), &renamed);
    assert_eq!(code, "BadRequestException");
    assert!(words.contains("A sibling ({proxy+}) of this resource already has a variable path part"), "{words}");
    bench.ok("PUT", &format!("/restapis/{id}?mode=overwrite"), &renamed);
    assert!(bench.state().apis[0].definition.at_path("/orders/{proxy+}").is_none());
}

#[test]
fn a_merge_keeps_what_the_document_does_not_name() {
    let (mut bench, id) = imported();
    let other = json!({
        "swagger": "2.0", "info": { "title": "gate" },
        "paths": { "/b": { "get": { "x-amazon-apigateway-integration": { "type": "mock" } } } },
    });
    bench.ok("PUT", &format!("/restapis/{id}"), &other);
    let definition = &bench.state().apis[0].definition;
    assert!(definition.at_path("/b").is_some() && definition.at_path("/orders/{proxy+}").is_some());
    assert!(definition.policy.is_some() && definition.authorizers.len() == 1);
    assert_eq!(definition.version.as_deref(), Some("1"));
}

#[test]
fn the_same_document_twice_is_the_same_api() {
    let (mut bench, id) = imported();
    let before = bench.state().apis[0].clone();
    bench.ok("PUT", &format!("/restapis/{id}?mode=overwrite"), &document());
    assert_eq!(bench.state().apis[0].definition, before.definition);
}

#[test]
fn faults_of_a_document_are_all_named_and_nothing_is_left_behind() {
    let mut bad = document();
    bad["paths"]["/orders/{id}"] = json!({ "get": {} });
    bad["paths"]["/x/{all+}/y"] = json!({ "get": {} });
    bad["paths"]["/z"] = json!({ "get": { "x-amazon-apigateway-integration": private("http://z.example.com") } });
    let expected = "Errors found during import:\n\tUnable to create resource at path '/orders/{proxy+}': A sibling ({id}) \
        of this resource already has a variable path part -- only one is allowed\n\tUnable to create resource at path \
        '/x/{all+}/y': Cannot create a child of a resource with a greedy path variable: {all+}\n\tUnable to put \
        integration on 'GET' for resource at path '/z': Invalid mapping expression specified: Validation Result: warnings \
        : [], errors : [Invalid mapping expression parameter specified: method.request.path.proxy]";
    let mut bench = Bench::default();
    let (code, words) = bench.refused("POST", "/restapis?mode=import", &bad);
    assert_eq!((code.as_str(), words.as_str()), ("BadRequestException", expected));
    assert!(bench.state().apis.is_empty());

    let (mut bench, id) = imported();
    let before = bench.state().apis[0].definition.clone();
    bench.refused("PUT", &format!("/restapis/{id}?mode=overwrite"), &bad);
    assert_eq!(bench.state().apis[0].definition, before);
}

#[test]
fn warnings_are_shown_or_fail_the_import() {
    let mut odd = document();
    let integration = &mut odd["paths"]["/orders/{proxy+}"]["options"]["x-amazon-apigateway-integration"];
    integration["requestParameters"]["integration.request.header.flag"] = json!(true);
    let warning = "Invalid format for 'requestParameters'. Expected type string for property \
        'integration.request.header.flag' of resource '/orders/{proxy+}' and method 'OPTIONS' but got 'true'";
    let mut bench = Bench::default();
    let (_, words) = bench.refused("POST", "/restapis?mode=import&failonwarnings=true", &odd);
    assert_eq!(words, format!("Warnings found during import:\n\t{warning}"));
    assert!(bench.state().apis.is_empty());
    let api = bench.ok("POST", "/restapis?mode=import", &odd);
    assert_eq!(api["warnings"], json!([warning]));
}

#[test]
fn yaml_is_read_and_base_paths_are_kept_where_asked_for() {
    let yaml = "swagger: '2.0'\ninfo: {title: y}\nbasePath: /v1/shop\npaths:\n  /a:\n    get:\n      responses: {200: {description: d}}\n      \
        x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}\n";
    for (mode, path) in [("ignore", "/a"), ("prepend", "/v1/shop/a"), ("split", "/shop/a")] {
        let mut bench = Bench::default();
        bench.ok("POST", &format!("/restapis?mode=import&basepath={mode}"), &yaml.into());
        let definition = &bench.state().apis[0].definition;
        let method = &definition.at_path(path).unwrap_or_else(|| panic!("{mode}: no {path}")).resource_methods["GET"];
        assert!(method.method_responses.contains_key("200"));
        assert!(method.method_integration.as_ref().is_some_and(|each| each.integration_responses.contains_key("200")));
    }
}

#[test]
fn schemas_may_refer_to_each_other_in_a_circle() {
    let mut document = document();
    document["components"]["schemas"] = json!({
        "Person": { "type": "object", "properties": { "home": { "$ref": "#/components/schemas/House" } } },
        "House": { "type": "array", "items": { "$ref": "#/components/schemas/Person" } },
    });
    let mut bench = Bench::default();
    let api = bench.ok("POST", "/restapis?mode=import&failonwarnings=true", &document);
    let id = api["id"].as_str().expect("an id");
    let model = bench.ok("GET", &format!("/restapis/{id}/models/House"), &Value::Null);
    let reference = format!("https://apigateway.amazonaws.com/restapis/{id}/models/Person");
    assert!(model["schema"].as_str().is_some_and(|schema| schema.contains(&reference)), "{model}");
}

#[test]
fn a_scheme_without_its_authorizer_costs_its_methods() {
    let mut document = document();
    document["components"]["securitySchemes"]["odd"] =
        json!({ "type": "apiKey", "name": "A", "in": "header", "x-amazon-apigateway-authtype": "custom" });
    document["components"]["securitySchemes"]["basic"] = json!({ "type": "http", "scheme": "basic" });
    let mock = |scheme: &str| json!({ "get": { "security": [{ scheme: [] }], "x-amazon-apigateway-integration": { "type": "mock" } } });
    document["paths"]["/odd"] = mock("odd");
    document["paths"]["/basic"] = mock("basic");
    let mut bench = Bench::default();
    let api = bench.ok("POST", "/restapis?mode=import", &document);
    let warnings = api["warnings"].as_array().expect("warnings");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(warnings[0], "Unsupported security definition type 'http' for 'basic'. Ignoring.");
    let methods = |path: &str| {
        let resource = bench.state().apis[0].definition.at_path(path).expect("a resource");
        resource.resource_methods.values().map(|method| method.authorization_type.clone()).collect::<Vec<_>>()
    };
    assert!(methods("/odd").is_empty(), "a method must not stand open because its authorizer is missing");
    assert_eq!(methods("/basic"), ["NONE"]);
}

#[test]
fn a_token_authorizer_without_a_source_has_the_header_of_its_scheme() {
    let mut document = document();
    let extension = "/components/securitySchemes/authorizer/x-amazon-apigateway-authorizer";
    let authorizer = document.pointer_mut(extension).expect("an authorizer");
    authorizer["type"] = "token".into();
    authorizer["identitySource"] = "".into();
    let mut bench = Bench::default();
    bench.ok("POST", "/restapis?mode=import", &document);
    let source = bench.state().apis[0].definition.authorizers[0].identity_source.clone();
    assert_eq!(source.as_deref(), Some("method.request.header.Unused"));
}
