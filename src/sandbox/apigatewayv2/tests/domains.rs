//! Custom domain names and API mappings, beside the first version's.

use serde_json::{Value, json};

use super::super::testing::Bench;

fn make(bench: &mut Bench) -> Value {
    let certificate = bench.certify("*.example.com");
    let configuration =
        json!({ "certificateArn": certificate, "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2" });
    let body = json!({
        "domainName": "api.example.com", "domainNameConfigurations": [configuration], "tags": { "a": "b" },
        "mutualTlsAuthentication": { "truststoreUri": "s3://trust/store.pem" },
    });
    bench.ok("POST", "/v2/domainnames", &body)
}

/// An API with a stage, of this version and of the first; their ids.
fn apis(bench: &mut Bench) -> (String, String) {
    let http = bench.api();
    bench.ok("POST", &format!("{http}/stages"), &json!({ "stageName": "$default" }));
    let regional = json!({ "name": "rest", "endpointConfiguration": { "types": ["REGIONAL"] } });
    let rest = bench.ok("POST", "/restapis", &regional);
    let (id, root) = (rest["id"].as_str().unwrap().to_owned(), rest["rootResourceId"].as_str().unwrap());
    let method = format!("/restapis/{id}/resources/{root}/methods/GET");
    bench.ok("PUT", &method, &json!({ "authorizationType": "NONE" }));
    bench.ok("PUT", &format!("{method}/integration"), &json!({ "type": "MOCK" }));
    bench.ok("POST", &format!("/restapis/{id}/deployments"), &json!({ "stageName": "prod" }));
    (http.trim_start_matches("/v2/apis/").to_owned(), id)
}

#[test]
fn a_name_of_one_version_is_one_of_the_other() {
    let mut bench = Bench::default();
    let made = make(&mut bench);
    let configuration = &made["domainNameConfigurations"][0];
    let host = configuration["apiGatewayDomainName"].as_str().unwrap();
    assert!(host.starts_with("d-") && host.ends_with(".execute-api.us-east-1.amazonaws.com"), "{host}");
    assert_eq!(
        made,
        json!({
            "apiMappingSelectionExpression": "$request.basepath",
            "domainName": "api.example.com",
            "domainNameArn": "arn:aws:apigateway:us-east-1::/domainnames/api.example.com",
            "domainNameConfigurations": [{
                "apiGatewayDomainName": host,
                "certificateArn": configuration["certificateArn"],
                "domainNameStatus": "AVAILABLE",
                "endpointType": "REGIONAL",
                "hostedZoneId": "Z1UJRXOUMOOFQ8",
                "ipAddressType": "ipv4",
                "securityPolicy": "TLS_1_2",
            }],
            "mutualTlsAuthentication": { "truststoreUri": "s3://trust/store.pem" },
            "routingMode": "API_MAPPING_ONLY",
            "tags": { "a": "b" },
        })
    );
    let first = bench.get("/domainnames/api.example.com");
    assert_eq!(
        (&first["regionalDomainName"], &first["regionalHostedZoneId"]),
        (&json!(host), &json!("Z1UJRXOUMOOFQ8"))
    );
    let again = json!({
        "domainName": "api.example.com", "regionalCertificateArn": configuration["certificateArn"],
        "endpointConfiguration": { "types": ["REGIONAL"] },
    });
    let (code, said) = bench.refused("POST", "/domainnames", &again);
    assert_eq!((code.as_str(), said.as_str()), ("BadRequestException", "The domain name you provided already exists."));
    let path = "/v2/domainnames/api.example.com";
    let changed = bench.ok("PATCH", path, &json!({ "mutualTlsAuthentication": { "truststoreUri": "" } }));
    assert_eq!(changed["mutualTlsAuthentication"], Value::Null);
    assert_eq!(changed["domainNameConfigurations"], made["domainNameConfigurations"]);
    let ip = json!({ "domainNameConfigurations": [{ "ipAddressType": "dualstack" }] });
    bench.ok("PATCH", path, &ip);
    assert_eq!(bench.get("/domainnames/api.example.com")["endpointConfiguration"]["ipAddressType"], "dualstack");
    bench.ok("DELETE", "/domainnames/api.example.com", &Value::Null);
    let (code, said) = bench.refused("GET", path, &Value::Null);
    assert_eq!((code.as_str(), said.as_str()), ("NotFoundException", "Invalid domain name identifier specified"));
}

#[test]
fn what_can_not_be_a_name_is_refused() {
    let mut bench = Bench::default();
    let certificate = bench.certify("*.example.com");
    let body =
        |configurations: Value| json!({ "domainName": "api.example.com", "domainNameConfigurations": configurations });
    let with = |member: &str, value: &str| body(json!([{ "certificateArn": certificate, member: value }]));
    let elsewhere = certificate.replace("us-east-1", "eu-west-1");
    for (body, words) in [
        (body(json!([])), "Expected one domain name configuration"),
        (body(json!([{}, {}])), "Expected one domain name configuration"),
        (body(json!([{}])), "A certificate was not provided for the endpoint type REGIONAL."),
        (body(json!([{ "certificateArn": elsewhere }])), "Certificate must be in 'us-east-1'"),
        (with("endpointType", "EDGE"), "Only REGIONAL domain names"),
        (with("securityPolicy", "SSL_3"), "securityPolicy"),
        (with("ipAddressType", "ipv6"), "ipAddressType"),
        (json!({ "domainName": "api" }), "Invalid domain name specified"),
    ] {
        let (code, said) = bench.refused("POST", "/v2/domainnames", &body);
        assert_eq!(code, "BadRequestException", "{body}");
        assert!(said.contains(words), "{body}: {said}");
    }
    let mut routed = with("endpointType", "REGIONAL");
    routed["routingMode"] = json!("ROUTING_RULE_ONLY");
    assert_eq!(bench.refused("POST", "/v2/domainnames", &routed).0, "NotImplementedException");
}

#[test]
fn mappings_lead_to_apis_of_either_kind() {
    let mut bench = Bench::default();
    make(&mut bench);
    let (http, rest) = apis(&mut bench);
    let path = "/v2/domainnames/api.example.com/apimappings";
    let root = bench.ok("POST", path, &json!({ "apiId": http, "stage": "$default" }));
    let expected =
        json!({ "apiId": http, "apiMappingId": root["apiMappingId"], "apiMappingKey": "", "stage": "$default" });
    assert_eq!(root, expected);
    let deep = bench.ok("POST", path, &json!({ "apiId": rest, "stage": "prod", "apiMappingKey": "orders/v1" }));
    // The first version shows both as base path mappings, and makes such as this version shows.
    let base = "/domainnames/api.example.com/basepathmappings";
    assert_eq!(
        bench.get(&format!("{base}/(none)")),
        json!({ "basePath": "(none)", "restApiId": http, "stage": "$default" })
    );
    bench.ok("POST", base, &json!({ "basePath": "pets", "restApiId": rest, "stage": "prod" }));
    let items = bench.get(path)["items"].clone();
    let keys: Vec<&str> = items.as_array().unwrap().iter().map(|one| one["apiMappingKey"].as_str().unwrap()).collect();
    assert_eq!(keys, ["", "orders/v1", "pets"]);
    let pets = items[2]["apiMappingId"].as_str().unwrap();
    assert_eq!(bench.get(&format!("{path}/{pets}"))["apiId"], rest);

    let at = format!("{path}/{}", deep["apiMappingId"].as_str().unwrap());
    assert_eq!(bench.refused("PATCH", &at, &json!({ "apiMappingKey": "x" })).1, "apiId is a required parameter");
    let (code, said) = bench.refused("PATCH", &at, &json!({ "apiId": rest, "apiMappingKey": "pets" }));
    assert_eq!(
        (code.as_str(), said.as_str()),
        ("ConflictException", "ApiMapping key already exists for this domain name")
    );
    let moved = bench.ok("PATCH", &at, &json!({ "apiId": http, "stage": "$default", "apiMappingKey": "orders/v2" }));
    assert_eq!(moved["apiMappingId"], deep["apiMappingId"]);

    let (code, said) = bench.refused("DELETE", &format!("/v2/apis/{http}"), &Value::Null);
    assert_eq!(code, "BadRequestException");
    assert!(said.contains("Please remove all API mappings for the API from your custom domain names."), "{said}");
    assert!(
        bench.refused("DELETE", &format!("/v2/apis/{http}/stages/$default"), &Value::Null).1.contains("Deleting stage")
    );
    let (_, response) = bench.send("DELETE", &format!("/restapis/{rest}"), &Value::Null);
    assert_eq!(response.status, 400);
    for mapping in [&root, &moved] {
        bench.delete(&format!("{path}/{}", mapping["apiMappingId"].as_str().unwrap()));
    }
    bench.delete(&format!("/v2/apis/{http}"));
    bench.delete(&format!("{path}/{pets}"));
    assert_eq!(bench.refused("GET", &at, &Value::Null).0, "NotFoundException");
    bench.delete(&format!("/restapis/{rest}"));
}

#[test]
fn what_can_not_be_a_mapping_is_refused() {
    let mut bench = Bench::default();
    make(&mut bench);
    let (http, _) = apis(&mut bench);
    let path = "/v2/domainnames/api.example.com/apimappings";
    let key = |key: &str| json!({ "apiId": http, "stage": "$default", "apiMappingKey": key });
    let letters = "An ApiMapping key may contain only letters, numbers and one of $-_.+!*'(),";
    for (body, words) in [
        (json!({ "stage": "$default" }), "apiId"),
        (json!({ "apiId": http }), "stage"),
        (json!({ "apiId": "none", "stage": "$default" }), "Invalid API identifier specified"),
        (json!({ "apiId": http, "stage": "none" }), "Invalid stage identifier specified"),
        (key("/"), letters),
        (key("a/"), letters),
        (key("/a"), letters),
        (key("a b"), letters),
        (key(&"a".repeat(301)), letters),
    ] {
        let (code, said) = bench.refused("POST", path, &body);
        assert_eq!(code, "BadRequestException", "{body}");
        assert!(said.contains(words), "{body}: {said}");
    }
    let old = json!({
        "mutualTlsAuthentication": { "truststoreUri": "" }, "domainNameConfigurations": [{ "securityPolicy": "TLS_1_0" }],
    });
    bench.ok("PATCH", "/v2/domainnames/api.example.com", &old);
    assert!(bench.refused("POST", path, &key("a/b")).1.contains("TLS 1.2"));
    assert!(bench.refused("POST", path, &key("a")).1.contains("TLS 1.2"));
    assert_eq!(
        bench.refused("GET", "/v2/domainnames/none.example.com/apimappings", &Value::Null).0,
        "NotFoundException"
    );
}
