//! Exports have the recorded form, show what is deployed, and can be put back.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::state::Definition;
use super::super::testing::Bench;

const PETSTORE: &str = include_str!("../../../../tests/recordings/import-petstore-authorizer/document.json");
const CORS: &str = include_str!("../../../../tests/recordings/import-mock-cors/document.json");
const PETS: &str = include_str!("../../../../tests/recordings/put-binary-media-types/document.json");

const LAMBDA: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:\
                      111111111111:function:authorizer/invocations";

/// The bench and the id of an API that was imported and deployed to the stage `local`.
fn deployed(document: &str) -> (Bench, String) {
    let mut bench = Bench::default();
    let api = bench.ok("POST", "/restapis?mode=import&endpointConfigurationTypes=REGIONAL", &Value::from(document));
    let id = api["id"].as_str().expect("an id").to_owned();
    bench.ok("POST", &format!("/restapis/{id}/deployments"), &json!({ "stageName": "local" }));
    (bench, id)
}

fn export(bench: &mut Bench, id: &str, kind: &str, extensions: &str) -> Value {
    bench.ok("GET", &format!("/restapis/{id}/stages/local/exports/{kind}?extensions={extensions}"), &Value::Null)
}

fn definition(bench: &Bench) -> Definition {
    let mut definition = bench.state().apis[0].definition.clone();
    // What has no version is exported with the time it was made as version (recorded).
    definition.version.get_or_insert_with(|| "2023-11-14T22:13:20Z".into());
    definition
}

/// Exports, puts the export in place of all there is, and compares.
fn assert_round_trip(document: &str, kind: &str) {
    let (mut bench, id) = deployed(document);
    let before = definition(&bench);
    let exported = export(&mut bench, &id, kind, "apigateway");
    let answer = bench.ok("PUT", &format!("/restapis/{id}?mode=overwrite&failonwarnings=true"), &exported);
    assert_eq!(answer.get("warnings"), None);
    assert_eq!(definition(&bench), before, "{kind}: {exported:#}");
    bench.ok("POST", &format!("/restapis/{id}/deployments"), &json!({ "stageName": "local" }));
    assert_eq!(export(&mut bench, &id, kind, "apigateway"), exported);
}

/// A document with all that the recorded ones do not have.
fn rich() -> Value {
    let private = json!({
        "type": "http_proxy", "httpMethod": "ANY", "uri": "http://orders.example.com/{proxy}",
        "connectionType": "VPC_LINK", "connectionId": "link01", "timeoutInMillis": 5000,
        "requestParameters": {
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.x-user-id": "context.authorizer.user",
        },
        "cacheKeyParameters": ["method.request.path.proxy"], "cacheNamespace": "orders",
        "tlsConfig": { "insecureSkipVerification": true },
    });
    let function = json!({
        "type": "aws_proxy", "httpMethod": "POST", "uri": LAMBDA, "passthroughBehavior": "never",
        "contentHandling": "CONVERT_TO_TEXT", "credentials": "arn:aws:iam::111111111111:role/invoke",
        "responses": {
            "default": { "statusCode": "200", "responseParameters": { "method.response.header.x-a": "'1'" } },
            "5\\d{2}": { "statusCode": "500", "contentHandling": "CONVERT_TO_BINARY" },
        },
    });
    json!({
        "openapi": "3.0.1",
        "info": { "title": "gate", "version": "7", "description": "all there is" },
        "paths": {
            "/orders/{proxy+}": {
                "x-amazon-apigateway-any-method": {
                    "security": [{ "request": [] }, { "key": [] }], "x-amazon-apigateway-integration": private,
                },
            },
            "/pets/{id}": {
                "get": {
                    "operationId": "GetPet",
                    "security": [{ "token": [] }],
                    "x-amazon-apigateway-request-validator": "all",
                    "parameters": [
                        { "name": "q", "in": "query", "required": true }, { "name": "x-h", "in": "header" },
                    ],
                    "responses": { "200": {
                        "headers": { "x-a": {} },
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pets" } } },
                    }, "500": {} },
                    "x-amazon-apigateway-integration": function,
                },
                "post": {
                    "security": [{ "iam": [] }],
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } } },
                    "x-amazon-apigateway-integration": { "type": "mock" },
                },
                "delete": {
                    "security": [{ "cognito": ["a/b"] }], "x-amazon-apigateway-integration": { "type": "mock" },
                },
            },
        },
        "components": {
            "schemas": {
                "Pets": { "type": "array", "items": { "$ref": "#/components/schemas/Pet" } },
                "Pet": { "type": "object", "properties": { "name": { "type": "string" } } },
            },
            "securitySchemes": {
                "key": { "type": "apiKey", "name": "x-api-key", "in": "header" },
                "iam": { "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4" },
                "request": {
                    "type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authtype": "custom",
                    "x-amazon-apigateway-authorizer": {
                        "type": "request", "authorizerUri": LAMBDA, "authorizerResultTtlInSeconds": 60,
                        "authorizerCredentials": "arn:aws:iam::111111111111:role/invoke",
                        "identitySource": "method.request.header.Authorization, method.request.querystring.t",
                    },
                },
                "token": {
                    "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "oauth2",
                    "x-amazon-apigateway-authorizer": {
                        "type": "token", "authorizerUri": LAMBDA, "identityValidationExpression": "^x-.*",
                    },
                },
                "cognito": {
                    "type": "apiKey", "name": "Authorization", "in": "header",
                    "x-amazon-apigateway-authtype": "cognito_user_pools",
                    "x-amazon-apigateway-authorizer": {
                        "type": "cognito_user_pools",
                        "providerARNs": ["arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_x"],
                    },
                },
            },
        },
        "servers": [{ "url": "/", "x-amazon-apigateway-endpoint-configuration": { "disableExecuteApiEndpoint": true } }],
        "x-amazon-apigateway-request-validators": {
            "all": { "validateRequestBody": true, "validateRequestParameters": true },
        },
        "x-amazon-apigateway-gateway-responses": {
            "UNAUTHORIZED": { "statusCode": 401, "responseParameters": { "gatewayresponse.header.A": "'*'" } },
            "DEFAULT_5XX": { "responseTemplates": { "application/json": "{}" } },
        },
        "x-amazon-apigateway-binary-media-types": ["multipart/form-data", "image/png"],
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        "x-amazon-apigateway-minimum-compression-size": 1024,
        "x-amazon-apigateway-policy": { "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*"],
        }] },
    })
}

#[test]
fn an_export_put_back_is_the_same_api() {
    for kind in ["oas30", "swagger"] {
        for document in [PETSTORE, CORS, PETS, &rich().to_string()] {
            assert_round_trip(document, kind);
        }
    }
}

#[test]
fn integrations_and_authorizers_alone_bring_back_paths_and_authorizers() {
    let (mut bench, id) = deployed(&rich().to_string());
    let before = definition(&bench);
    let exported = export(&mut bench, &id, "oas30", "integrations,authorizers");
    let extensions: Vec<&String> = exported.as_object().expect("an object").keys().collect();
    assert_eq!(extensions, ["components", "info", "openapi", "paths", "servers"]);
    bench.ok("PUT", &format!("/restapis/{id}?mode=overwrite"), &exported);
    let mut after = definition(&bench);
    assert_eq!(after.authorizers, before.authorizers);
    let get = |definition: &mut Definition| {
        let pet = definition.resources.values_mut().find(|resource| resource.path == "/pets/{id}").expect("a resource");
        pet.resource_methods.get_mut("GET").map(|method| method.request_validator_id.take())
    };
    // Validators belong to the API, so they come with `apigateway` only (developer guide).
    let mut expected = before;
    assert!(get(&mut expected).flatten().is_some());
    assert_eq!(get(&mut after), Some(None));
    assert_eq!(after.resources, expected.resources);
}

#[test]
fn openapi_has_the_recorded_form() {
    let (mut bench, id) = deployed(PETS);
    let exported = export(&mut bench, &id, "oas30", "apigateway");
    let integration = |uri: &str| {
        json!({
            "httpMethod": "GET", "uri": uri, "passthroughBehavior": "when_no_match", "type": "http",
            "responses": { "default": { "statusCode": "200" } },
        })
    };
    let mut with_id = integration("http://petstore-demo-endpoint.execute-api.com/petstore/pets/{id}");
    with_id["requestParameters"] = json!({ "integration.request.path.id": "method.request.path.petId" });
    let responses = json!({ "200": { "description": "200 response", "content": {} } });
    let expected = json!({
        "openapi": "3.0.1",
        "info": { "title": "Simple PetStore (Swagger)", "version": "1.0.0" },
        "servers": [{
            "url": format!("https://{id}.execute-api.us-east-1.amazonaws.com/{{basePath}}"),
            "variables": { "basePath": { "default": "local" } },
        }],
        "paths": {
            "/pets": { "get": {
                "responses": responses,
                "x-amazon-apigateway-integration":
                    integration("http://petstore-demo-endpoint.execute-api.com/petstore/pets"),
            } },
            "/pets/{petId}": { "get": {
                "parameters": [{ "name": "petId", "in": "path", "required": true, "schema": { "type": "string" } }],
                "responses": responses,
                "x-amazon-apigateway-integration": with_id,
            } },
        },
        "components": {},
        "x-amazon-apigateway-binary-media-types": ["image/png", "image/jpg"],
    });
    assert_eq!(exported, expected);
}

#[test]
fn swagger_has_the_recorded_form() {
    let mut petstore: Value = serde_json::from_str(PETSTORE).expect("JSON");
    petstore["info"].as_object_mut().and_then(|info| info.remove("version"));
    let (mut bench, id) = deployed(&petstore.to_string());
    let exported = export(&mut bench, &id, "swagger", "");
    assert_eq!(exported["host"], format!("{id}.execute-api.us-east-1.amazonaws.com"));
    assert_eq!((&exported["basePath"], &exported["schemes"]), (&json!("/local"), &json!(["https"])));
    assert_eq!(exported["info"]["version"], "2023-11-14T22:13:20Z");
    let post = &exported["paths"]["/pets"]["post"];
    let body = json!([{
        "in": "body", "name": "NewPet", "required": true, "schema": { "$ref": "#/definitions/NewPet" },
    }]);
    assert_eq!(post["parameters"], body);
    assert_eq!(exported["paths"]["/"]["get"]["produces"], json!(["text/html"]));
    assert_eq!(exported["paths"]["/"]["get"]["consumes"], json!(["application/json"]));
    let get = &exported["paths"]["/pets"]["get"];
    assert_eq!(get["parameters"][0], json!({ "name": "page", "in": "query", "required": false, "type": "string" }));
    assert_eq!(get.get("consumes"), None);
    assert_eq!(exported["definitions"]["Pets"]["items"], json!({ "$ref": "#/definitions/Pet" }));
    assert!(!exported.to_string().contains("x-amazon"), "{exported:#}");
}

#[test]
fn what_is_edited_is_not_exported_before_it_is_deployed() {
    let (mut bench, id) = deployed(PETS);
    let before = export(&mut bench, &id, "oas30", "apigateway");
    let edit = json!({ "patchOperations": [{ "op": "replace", "path": "/name", "value": "other" }] });
    bench.ok("PATCH", &format!("/restapis/{id}"), &edit);
    assert_eq!(export(&mut bench, &id, "oas30", "apigateway"), before);
    bench.ok("POST", &format!("/restapis/{id}/deployments"), &json!({ "stageName": "local" }));
    assert_eq!(export(&mut bench, &id, "oas30", "apigateway")["info"]["title"], "other");
}

#[test]
fn the_client_chooses_json_or_yaml() {
    let (mut bench, id) = deployed(&rich().to_string());
    let path = format!("/restapis/{id}/stages/local/exports/oas30?extensions=apigateway");
    let mut get = |accept| bench.send_with(&[("accept", accept)], "GET", &path, &Value::Null);
    let (_, json, response) = get("application/json");
    assert_eq!(response.header("content-type"), Some("application/octet-stream"));
    assert_eq!(response.header("content-disposition"), Some("attachment; filename=\"oas30_7.json\""));
    let (status, _, response) = get("application/yaml");
    assert_eq!((status, response.header("content-disposition")), (200, Some("attachment; filename=\"oas30_7.yaml\"")));
    let text = std::str::from_utf8(&response.body).expect("text");
    let yaml: Value = serde_saphyr::from_str(text).expect("YAML");
    assert_eq!(yaml, json, "{text}");
    assert_eq!(get("text/html").0, 400);
}

#[test]
fn what_can_not_be_exported_is_refused() {
    let (mut bench, id) = deployed(PETS);
    let stage = format!("/restapis/{id}/stages/local/exports");
    for (path, code) in [
        (format!("{stage}/raml"), "BadRequestException"),
        (format!("{stage}/oas30?extensions=all"), "BadRequestException"),
        (format!("{stage}/oas30?extensions=postman"), "NotImplementedException"),
        (format!("/restapis/{id}/stages/none/exports/oas30"), "NotFoundException"),
        ("/restapis/none/stages/local/exports/oas30".into(), "NotFoundException"),
    ] {
        assert_eq!(bench.refused("GET", &path, &Value::Null).0, code, "{path}");
    }
}

/// An operation with a few things that may be there or not.
fn operation() -> impl Strategy<Value = Value> {
    let guards = prop_oneof![
        Just(None),
        Just(Some(json!([{ "token": [] }]))),
        Just(Some(json!([{ "request": [] }, { "key": [] }]))),
        Just(Some(json!([{ "iam": [] }]))),
        Just(Some(json!([{ "cognito": ["x/read"] }]))),
    ];
    let integrations = prop_oneof![
        Just(json!({ "type": "mock", "requestTemplates": { "application/json": "{\"statusCode\": 200}" } })),
        (50_u32..=29_000).prop_map(|timeout| json!({
            "type": "http_proxy", "httpMethod": "GET", "uri": "http://e.example", "timeoutInMillis": timeout,
        })),
        Just(json!({ "type": "aws_proxy", "httpMethod": "POST", "uri": LAMBDA, "passthroughBehavior": "never" })),
        Just(json!({
            "type": "http", "httpMethod": "ANY", "uri": "https://e.example/x", "connectionType": "VPC_LINK",
            "connectionId": "${stageVariables.link}", "contentHandling": "CONVERT_TO_BINARY",
            "responses": { "default": { "statusCode": "200" }, "4..": { "statusCode": "400" } },
        })),
    ];
    let parameters = prop::collection::btree_map("[a-z]{1,4}", (prop::bool::ANY, prop::bool::ANY), 0..4);
    let body = prop::option::of(prop_oneof![Just("Pet"), Just("Pets")]);
    let answers = prop::collection::btree_map(200_u16..=599, prop::option::of(Just("Pets")), 0..3);
    (guards, integrations, parameters, body, answers, prop::bool::ANY).prop_map(
        |(guard, integration, parameters, body, answers, validated)| {
            let schema = |name: &str| json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } });
            let mut operation = json!({ "x-amazon-apigateway-integration": integration });
            if let Some(guard) = guard {
                operation["security"] = guard;
            }
            if let Some(body) = body {
                operation["requestBody"] = json!({ "content": schema(body) });
            }
            if validated {
                operation["x-amazon-apigateway-request-validator"] = "all".into();
            }
            operation["parameters"] = parameters
                .into_iter()
                .map(|(name, (query, required))| json!({
                    "name": name, "in": if query { "query" } else { "header" }, "required": required,
                }))
                .collect();
            for (status, model) in answers {
                operation["responses"][status.to_string()] = model.map_or(json!({}), |name| json!({ "content": schema(name) }));
            }
            operation
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_export_put_back_is_the_same_api(
        operations in prop::collection::btree_map(
            ("(/[a-z]{1,3}){1,3}", prop_oneof![Just("get"), Just("post"), Just("x-amazon-apigateway-any-method")]),
            operation(),
            1..5,
        ),
        swagger in prop::bool::ANY,
    ) {
        let mut document = rich();
        document["paths"] = json!({});
        for ((path, verb), operation) in operations {
            document["paths"][path][verb] = operation;
        }
        // Models that nothing uses are not exported, so something uses both.
        document["paths"]["/used"]["get"] = rich()["paths"]["/pets/{id}"]["get"].clone();
        document["paths"]["/used"]["get"]["security"] = json!([]);
        assert_round_trip(&document.to_string(), if swagger { "swagger" } else { "oas30" });
    }
}
