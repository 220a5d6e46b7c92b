//! Request validators, models, documentation, copies of APIs; tags and old states.

use serde_json::{Value, json};

use super::super::state::State;
use super::super::tagged;
use super::super::testing::{Bench, caller};
use super::{deploy, document, mocked, patch, refuse, text};

#[test]
fn a_request_validator_lives_as_recorded() {
    let (mut bench, id, root) = mocked();
    let validators = format!("/restapis/{id}/requestvalidators");
    let made = bench.ok("POST", &validators, &json!({ "name": "v" }));
    let validator = text(&made, "/id");
    let mut expected =
        json!({ "id": validator, "name": "v", "validateRequestBody": false, "validateRequestParameters": false });
    assert_eq!(made, expected);
    let path = format!("{validators}/{validator}");
    expected["validateRequestBody"] = true.into();
    assert_eq!(bench.ok("PATCH", &path, &patch("/validateRequestBody", "true")), expected);
    expected["validateRequestBody"] = false.into();
    let without = json!({ "patchOperations": [{ "op": "replace", "path": "/validateRequestBody" }] });
    assert_eq!(bench.ok("PATCH", &path, &without), expected);

    let (bad, missing) = ("BadRequestException", "NotFoundException");
    let words = "Invalid Request Validator identifier specified";
    refuse(
        &mut bench,
        &[
            (
                "POST",
                "/restapis/none/requestvalidators",
                r#"{"name":"v"}"#,
                bad,
                "Invalid REST API identifier specified",
            ),
            ("POST", &validators, r#"{"name":""}"#, bad, "Request Validator name cannot be blank"),
            ("GET", &format!("/restapis/none/requestvalidators/{validator}"), "", missing, words),
            ("DELETE", &format!("/restapis/none/requestvalidators/{validator}"), "", missing, words),
            ("DELETE", &format!("{validators}/none"), "", missing, words),
            ("PATCH", &path, "replace /name", bad, "Request Validator name cannot be blank"),
            (
                "PATCH",
                &path,
                "add /validateRequestBody true",
                bad,
                "Invalid patch path  '/validateRequestBody' specified for op 'add'. Please choose supported operations",
            ),
            (
                "PATCH",
                &path,
                "replace /invalidPath true",
                bad,
                "Must be one of: [/name, /validateRequestParameters, /validateRequestBody]",
            ),
        ],
    );
    let method = format!("/restapis/{id}/resources/{root}/methods/GET");
    bench.ok("PATCH", &method, &patch("/requestValidatorId", &validator));
    refuse(&mut bench, &[("DELETE", &path, "", "ConflictException", "Cannot delete validator 'v'")]);
    bench.ok("PATCH", &method, &patch("/requestValidatorId", ""));
    assert_eq!(bench.send("DELETE", &path, &Value::Null).0, 202);
    assert_eq!(bench.ok("GET", &validators, &Value::Null)["item"], json!([]));
}

#[test]
fn a_model_is_changed_and_makes_a_template() {
    let (mut bench, id, _) = mocked();
    let models = format!("/restapis/{id}/models");
    let schema = json!({ "type": "object", "properties": {
        "id": { "type": "integer" }, "name": { "type": "string" }, "price": { "type": "number" },
        "sold": { "type": "boolean" }, "tags": { "type": "array", "items": { "type": "string" } },
        "whole": { "$ref": format!("https://apigateway.amazonaws.com{models}/Empty") },
    } });
    let body = json!({ "name": "Pet", "contentType": "application/json", "schema": schema.to_string() });
    bench.ok("POST", &models, &body);
    let template = |bench: &mut Bench, name: &str| {
        text(&bench.ok("GET", &format!("{models}/{name}/default_template"), &Value::Null), "/value")
    };
    assert_eq!(template(&mut bench, "Empty"), "#set($inputRoot = $input.path('$'))\n{ }");
    assert_eq!(
        template(&mut bench, "Pet"),
        "#set($inputRoot = $input.path('$'))\n{\n  \"id\" : 42,\n  \"name\" : \"foo\",\n  \"price\" : 42.0,\n  \
         \"sold\" : true,\n  \"tags\" : [\n#foreach($elem in $inputRoot.tags)\n    \"foo\"#if($foreach.hasNext),#end\n\
         #end\n  ],\n  \"whole\" : { }\n}"
    );
    // A model that refers to itself has an end.
    let own = format!(r#"{{"$ref":"https://apigateway.amazonaws.com{models}/Pet"}}"#);
    bench.ok("PATCH", &format!("{models}/Pet"), &patch("/schema", &own));
    assert!(template(&mut bench, "Pet").ends_with("{ }"));
    assert_eq!(bench.ok("PATCH", &format!("{models}/Pet"), &patch("/description", "d"))["description"], "d");

    let (bad, path) = ("BadRequestException", format!("{models}/Pet"));
    let empty = "Model schema must have at least 1 property or array items defined";
    refuse(
        &mut bench,
        &[
            (
                "PATCH",
                "/restapis/none/models/m",
                "replace /schema {}",
                "NotFoundException",
                "Invalid model name specified: m",
            ),
            ("GET", "/restapis/none/models/m", "", "NotFoundException", "Invalid model name specified: m"),
            ("DELETE", "/restapis/none/models/m", "", "NotFoundException", "Invalid model name specified: m"),
            ("GET", &format!("{models}/none/default_template"), "", "NotFoundException", "Invalid model name"),
            ("PATCH", &path, "replace /schema", bad, empty),
            ("PATCH", &path, "replace /schema no", bad, "Invalid model schema specified"),
            ("PATCH", &path, "add /wrong-path x", bad, "Please choose supported operations"),
            ("PATCH", &path, "replace /name x", bad, "Must be one of: [/description, /schema]"),
        ],
    );
}

#[test]
fn documentation_is_written_imported_and_versioned() {
    let (mut bench, id, _) = mocked();
    deploy(&mut bench, &id, "dev");
    let parts = format!("/restapis/{id}/documentation/parts");
    let body = json!({ "location": { "type": "METHOD", "method": "GET" }, "properties": "{\"description\":\"d\"}" });
    let made = bench.ok("POST", &parts, &body);
    assert_eq!(made["location"], json!({ "type": "METHOD", "method": "GET", "path": "/" }));
    let part = format!("{parts}/{}", text(&made, "/id"));
    assert_eq!(bench.ok("PATCH", &part, &patch("/properties", "{}"))["properties"], "{}");

    let document = json!({ "openapi": "3.0.1", "info": { "title": "t" }, "paths": {}, "x-amazon-apigateway-documentation": { "documentationParts": [
        { "location": { "type": "API" }, "properties": { "description": "a" } },
        { "location": { "type": "METHOD", "method": "GET" }, "properties": { "description": "m" } },
    ] } });
    let ids = |answer: &Value| answer["ids"].as_array().expect("ids").clone();
    let merged = ids(&bench.ok("PUT", &parts, &document));
    assert_eq!(merged[1], made["id"], "what is about the same place keeps its id");
    let replaced = ids(&bench.ok("PUT", &format!("{parts}?mode=overwrite"), &document));
    assert!(replaced.iter().all(|id| !merged.contains(id)));
    let count = |bench: &mut Bench, query: &str| {
        bench.ok("GET", &format!("{parts}{query}"), &Value::Null)["item"].as_array().map(Vec::len)
    };
    for (query, expected) in [
        ("", 2),
        ("?type=API", 1),
        ("?type=MODEL", 0),
        ("?path=/", 1),
        ("?locationStatus=UNDOCUMENTED", 0),
        ("?locationStatus=DOCUMENTED", 2),
    ] {
        assert_eq!(count(&mut bench, query), Some(expected), "{query}");
    }

    let versions = format!("/restapis/{id}/documentation/versions");
    let version = json!({ "documentationVersion": "v1", "stageName": "dev" });
    bench.ok("POST", &versions, &version);
    let one = format!("{versions}/v1");
    assert_eq!(bench.ok("PATCH", &one, &patch("/description", "d"))["description"], "d");
    let (bad, part) = ("BadRequestException", format!("{parts}/{}", replaced[0].as_str().expect("an id")));
    let no_part = "Invalid Documentation part identifier specified";
    refuse(
        &mut bench,
        &[
            (
                "POST",
                &parts,
                r#"{"location":{"type":"INVALID"},"properties":"{}"}"#,
                "ValidationException",
                "Value 'INVALID' at 'createDocumentationPartInput.location.type' failed to satisfy constraint: Member \
                 must satisfy enum value set: [RESPONSE_BODY, RESPONSE, METHOD, MODEL, AUTHORIZER, RESPONSE_HEADER, \
                 RESOURCE, PATH_PARAMETER, REQUEST_BODY, QUERY_PARAMETER, API, REQUEST_HEADER]",
            ),
            ("POST", &parts, r#"{"location":{},"properties":"{}"}"#, "ValidationException", "location.type"),
            ("POST", &parts, r#"{"location":{"type":"API"},"properties":"{}"}"#, "ConflictException", "already exists"),
            ("PATCH", &part, "add /properties {}", bad, "Please choose supported operations"),
            ("PATCH", &part, "replace /invalidPath {}", bad, "Must be one of: [/properties]"),
            ("PATCH", "/restapis/none/documentation/parts/x", "replace /properties {}", "NotFoundException", no_part),
            ("DELETE", &format!("{parts}/none"), "", "NotFoundException", no_part),
            (
                "PUT",
                &format!("{parts}?mode=replace"),
                "{\"openapi\":\"3.0.1\"}",
                "ValidationException",
                "[merge, overwrite]",
            ),
            ("DELETE", &one, "", bad, "Cannot delete documentation version 'v1'"),
            ("DELETE", &format!("{versions}/v9"), "", "NotFoundException", "Invalid Documentation version specified"),
            ("PATCH", &one, "replace /version x", bad, "Must be one of: [/description]"),
        ],
    );
    let broken = Value::String("{'key:value}".into());
    assert_eq!(bench.refused("PUT", &parts, &broken).1, "Unable to build importer with provided input.");
    bench.ok("DELETE", &format!("/restapis/{id}/stages/dev"), &Value::Null);
    assert_eq!(bench.send("DELETE", &one, &Value::Null).0, 202);
}

#[test]
fn a_clone_is_the_same_with_ids_of_its_own() {
    let mut bench = Bench::default();
    let original =
        text(&bench.ok("POST", "/restapis?mode=import&endpointConfigurationTypes=REGIONAL", &document()), "/id");
    let model = json!({ "name": "Pet", "contentType": "application/json",
        "schema": format!("{{\"$ref\":\"https://apigateway.amazonaws.com/restapis/{original}/models/Pet\"}}") });
    bench.ok("POST", &format!("/restapis/{original}/models"), &model);
    deploy(&mut bench, &original, "dev");
    let made = bench.ok("POST", "/restapis", &json!({ "name": "copy", "cloneFrom": original }));
    let copy = text(&made, "/id");
    assert_eq!((&made["name"], &made["binaryMediaTypes"]), (&json!("copy"), &json!(["multipart/form-data"])));

    let [old, new] = &bench.state().apis[..] else { panic!("two APIs") };
    assert!(new.stages.is_empty() && new.deployments.is_empty() && new.tags.is_empty());
    let (before, after) = (&old.definition, &new.definition);
    assert!(after.resources.keys().all(|id| !before.resources.contains_key(id)));
    assert_ne!(before.authorizers[0].id, after.authorizers[0].id);
    let paths = |definition: &super::super::state::Definition| {
        let mut paths: Vec<String> = definition.resources.values().map(|resource| resource.path.clone()).collect();
        paths.sort();
        paths
    };
    assert_eq!(paths(before), paths(after));
    let resource = after.at_path("/orders/{proxy+}").expect("the resource");
    let parent = resource.parent_id.as_deref().and_then(|id| after.resources.get(id)).expect("the parent");
    assert_eq!((parent.path.as_str(), parent.parent_id.as_ref()), ("/orders", Some(&after.root_resource_id)));
    let method = &resource.resource_methods["ANY"];
    assert_eq!(method.authorizer_id.as_ref(), Some(&after.authorizers[0].id));
    assert_eq!(method.method_integration.as_ref().map(|each| &each.cache_namespace), Some(&resource.id));
    assert!(after.models["Pet"].schema.contains(&format!("/restapis/{copy}/models/Pet")));
    let policy = after.policy.as_deref().expect("a policy");
    assert!(policy.contains(&copy) && !policy.contains(&original), "{policy}");
    deploy(&mut bench, &copy, "dev");

    let body = r#"{"name":"x","cloneFrom":"none"}"#;
    refuse(&mut bench, &[("POST", "/restapis", body, "NotFoundException", "Invalid API identifier specified")]);
}

#[test]
fn everything_taggable_is_tagged_by_its_arn() {
    let mut bench = Bench::default();
    let arn = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/n/1";
    let certificate = "arn:aws:acm:us-east-1:111111111111:certificate/c";
    bench.certify(certificate, &["a.example.com"]);
    let mut arns = Vec::new();
    for (collection, member, body) in [
        ("apikeys", "id", json!({})),
        ("clientcertificates", "clientCertificateId", json!({})),
        ("domainnames", "domainName", json!({ "domainName": "a.example.com", "certificateArn": certificate })),
        ("usageplans", "id", json!({ "name": "p" })),
        ("vpclinks", "id", json!({ "name": "l", "targetArns": [arn] })),
    ] {
        let mut body = body;
        body["tags"] = json!({ "made": "1" });
        let made = bench.ok("POST", &format!("/{collection}"), &body);
        assert_eq!(made["tags"], json!({ "made": "1" }), "{collection}");
        let path = format!("/{collection}/{}", text(&made, &format!("/{member}")));
        let arn = format!("arn:aws:apigateway:us-east-1::{path}");
        let tags = format!("/tags/{}", arn.replace('/', "%2F"));
        bench.ok("PUT", &tags, &json!({ "tags": { "later": "2" } }));
        bench.ok("DELETE", &format!("{tags}?tagKeys=made"), &Value::Null);
        assert_eq!(bench.ok("GET", &tags, &Value::Null)["tags"], json!({ "later": "2" }));
        assert_eq!(bench.ok("GET", &path, &Value::Null)["tags"], json!({ "later": "2" }), "{collection}");
        let missing = format!("/tags/arn:aws:apigateway:us-east-1::%2F{collection}%2Fnone");
        assert_eq!(bench.refused("GET", &missing, &Value::Null).0, "NotFoundException");
        arns.push(arn);
    }
    let found: Vec<String> = tagged(bench.state(), &caller()).into_iter().map(|(arn, _)| arn).collect();
    assert_eq!(found.len(), 5);
    assert!(arns.iter().all(|arn| found.contains(arn)), "{found:?}");
    bench.refused("GET", "/tags/arn:aws:apigateway:us-east-1::%2Faccount%2Fx", &Value::Null);
}

#[test]
fn a_state_from_before_these_collections_opens() {
    let state: State = serde_json::from_value(json!({ "apis": [] })).expect("an old state");
    assert!(state.vpc_links.is_empty() && state.usage_plan_keys.is_empty());
}
