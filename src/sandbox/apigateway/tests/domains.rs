//! Custom domain names and base path mappings.

use serde_json::{Value, json};

use super::super::testing::Bench;
use super::{deploy, mocked, patch, refuse, text};

const CERTIFICATE: &str = "arn:aws:acm:us-east-1:111111111111:certificate/c1";
const OTHER: &str = "arn:aws:acm:us-east-1:111111111111:certificate/c2";
const NAME: &str = "/domainnames/api.example.com";

/// A Region with two certificates for the names that are used here.
fn certified() -> Bench {
    let mut bench = Bench::default();
    bench.certify(CERTIFICATE, &["example.com", "*.example.com"]);
    bench.certify(OTHER, &["api.example.com"]);
    bench
}

fn regional(bench: &mut Bench) -> Value {
    let input = json!({
        "domainName": "api.example.com", "regionalCertificateArn": CERTIFICATE,
        "endpointConfiguration": { "types": ["REGIONAL"] }, "tags": { "a": "b" },
    });
    bench.ok("POST", "/domainnames", &input)
}

#[test]
fn a_regional_name_has_a_host_and_its_zone() {
    let mut bench = certified();
    let made = regional(&mut bench);
    let host = text(&made, "/regionalDomainName");
    let id = host.strip_prefix("d-").and_then(|rest| rest.strip_suffix(".execute-api.us-east-1.amazonaws.com"));
    assert_eq!(id.map(str::len), Some(10), "{host}");
    let expected = json!({
        "domainName": "api.example.com",
        "domainNameArn": "arn:aws:apigateway:us-east-1::/domainnames/api.example.com",
        "domainNameStatus": "AVAILABLE",
        "endpointConfiguration": { "types": ["REGIONAL"], "ipAddressType": "ipv4" },
        "regionalCertificateArn": CERTIFICATE,
        "regionalDomainName": host,
        "regionalHostedZoneId": "Z1UJRXOUMOOFQ8",
        "routingMode": "BASE_PATH_MAPPING_ONLY",
        "securityPolicy": "TLS_1_2",
        "tags": { "a": "b" },
    });
    assert_eq!(made, expected);
    assert_eq!(bench.ok("GET", NAME, &Value::Null), expected);
    assert_eq!(bench.ok("GET", "/domainnames", &Value::Null)["item"], json!([expected]));
    assert_eq!(bench.send("DELETE", NAME, &Value::Null).0, 202);
    bench.refused("GET", NAME, &Value::Null);
}

#[test]
fn an_edge_name_becomes_regional_in_two_steps() {
    let mut bench = certified();
    let made =
        bench.ok("POST", "/domainnames", &json!({ "domainName": "api.example.com", "certificateArn": CERTIFICATE }));
    assert_eq!(made["endpointConfiguration"]["types"], json!(["EDGE"]));
    assert_eq!(made["distributionHostedZoneId"], "Z2FDTNDATAQYW2");
    assert!(text(&made, "/distributionDomainName").ends_with(".cloudfront.net"));
    assert_eq!((made.get("regionalDomainName"), &made["certificateUploadDate"]), (None, &json!(1_700_000_000.0)));

    let add = |path: &str, value: &str| json!({ "op": "add", "path": path, "value": value });
    let types = "/endpointConfiguration/types";
    let both = json!({ "patchOperations": [add(types, "REGIONAL"), add("/regionalCertificateArn", CERTIFICATE)] });
    let both = bench.ok("PATCH", NAME, &both);
    assert_eq!(both["endpointConfiguration"]["types"], json!(["EDGE", "REGIONAL"]));
    assert_eq!(both["distributionDomainName"], made["distributionDomainName"]);
    let remove = json!({ "patchOperations": [{ "op": "remove", "path": types, "value": "EDGE" }] });
    let after = bench.ok("PATCH", NAME, &remove);
    assert_eq!(after["endpointConfiguration"]["types"], json!(["REGIONAL"]));
    assert_eq!(after["regionalDomainName"], both["regionalDomainName"]);
    for gone in ["certificateArn", "certificateUploadDate", "distributionDomainName", "distributionHostedZoneId"] {
        assert_eq!(after.get(gone), None, "{gone}");
    }
}

#[test]
fn patches_reach_every_setting() {
    let mut bench = certified();
    regional(&mut bench);
    for (path, value) in [
        ("/regionalCertificateArn", OTHER),
        ("/securityPolicy", "SecurityPolicy_TLS13_1_2_2021_06"),
        ("/endpointAccessMode", "STRICT"),
        ("/routingMode", "ROUTING_RULE_THEN_BASE_PATH_MAPPING"),
        ("/ownershipVerificationCertificateArn", CERTIFICATE),
        ("/endpointConfiguration/ipAddressType", "dualstack"),
        ("/mutualTlsAuthentication/truststoreUri", "s3://bucket/trust.pem"),
        ("/mutualTlsAuthentication/truststoreVersion", "v2"),
    ] {
        let shown = bench.ok("PATCH", NAME, &patch(path, value));
        assert_eq!(shown.pointer(path), Some(&json!(value)));
    }
    let shown = bench.ok("PATCH", NAME, &patch("/mutualTlsAuthentication/truststoreUri", ""));
    assert_eq!(shown.get("mutualTlsAuthentication"), None);
}

#[test]
fn bad_names_are_refused() {
    let mut bench = certified();
    regional(&mut bench);
    let create = |rest: &str| format!(r#"{{"domainName":"x.example.com",{rest}}}"#);
    let arn = |arn: &str| {
        create(&format!(r#""regionalCertificateArn":"{arn}","endpointConfiguration":{{"types":["REGIONAL"]}}"#))
    };
    let tls = |uri: &str, more: &str| {
        create(&format!(
            r#""regionalCertificateArn":"{CERTIFICATE}","endpointConfiguration":{{"types":["REGIONAL"]}},
               "mutualTlsAuthentication":{{"truststoreUri":"{uri}"}}{more}"#
        ))
    };
    let (bad, invalid) = ("BadRequestException", "ValidationException");
    let bodies = [
        ("{}".to_owned(), invalid, "createDomainNameInput.domainName"),
        (create(r#""securityPolicy":"SSL""#), invalid, "createDomainNameInput.securityPolicy"),
        (create(r#""routingMode":"NONE""#), invalid, "[BASE_PATH_MAPPING_ONLY, "),
        (create(r#""endpointConfiguration":{"types":["LOCAL"]}"#), invalid, "createDomainNameInput.endpointConfiguration"),
        (create(r#""endpointConfiguration":{"types":[]}"#), bad, "cannot be both DISABLED."),
        (create(r#""tags":{}"#), bad, "A certificate was not provided for the endpoint type EDGE."),
        (
            create(r#""endpointConfiguration":{"types":["REGIONAL"]}"#),
            bad,
            "A certificate was not provided for the endpoint type REGIONAL.",
        ),
        (
            create(&format!(r#""certificateArn":"{CERTIFICATE}","endpointConfiguration":{{"types":["REGIONAL"]}}"#)),
            bad,
            "Cannot import certificates for EDGE while REGIONAL is active.",
        ),
        (
            create(&format!(r#""regionalCertificateArn":"{CERTIFICATE}""#)),
            bad,
            "Cannot import certificates for REGIONAL while EDGE is active.",
        ),
        (arn("arn:aws:acm:eu-west-1:111111111111:certificate/c1"), bad, "Certificate must be in 'us-east-1'."),
        (arn("arn:aws:acm:us-east-1:222222222222:certificate/c1"), bad, "must be owned by the account"),
        (arn("arn:aws:acm:us-east-1:111111111111:certificate/c9"), bad, "The provided certificate does not exist."),
        (arn(OTHER), bad, "The domain name to be created is not covered by the provided certificate."),
        (arn("arn:aws:iam::111111111111:server-certificate/c1"), bad, "Invalid certificate ARN: arn:aws:iam"),
        (tls("https://bucket/key", ""), bad, "Invalid truststore URI: https://bucket/key"),
        (tls("s3://bucket/key", r#","securityPolicy":"TLS_1_0""#), bad, "minimum TLS version of 1.2"),
        (
            r#"{"domainName":"api.example.com","regionalCertificateArn":"ARN","endpointConfiguration":{"types":["REGIONAL"]}}"#
                .replace("ARN", CERTIFICATE),
            bad,
            "The domain name you provided already exists.",
        ),
        (r#"{"domainName":"localhost"}"#.to_owned(), bad, "Invalid domain name specified: localhost"),
        (create(r#""endpointConfiguration":{"types":["PRIVATE"]}"#), "NotImplementedException", "private APIs"),
    ];
    for (body, code, words) in &bodies {
        refuse(&mut bench, &[("POST", "/domainnames", body, code, words)]);
    }
    refuse(
        &mut bench,
        &[
            ("GET", "/domainnames/none", "", "NotFoundException", "Invalid domain name identifier specified"),
            ("PATCH", "/domainnames/none", "replace /routingMode x", "NotFoundException", "Invalid domain name"),
            ("DELETE", "/domainnames/none", "", "NotFoundException", "Invalid domain name identifier specified"),
            ("PATCH", NAME, "replace /endpointConfiguration/types/0 EDGE", bad, "types/0 Invalid request input"),
            ("PATCH", NAME, "replace /domainName x", bad, "Must be one of: [/certificateName, /certificateArn, "),
            ("PATCH", NAME, "copy /routingMode", bad, "Please choose supported operations"),
            ("PATCH", NAME, "add /endpointConfiguration/types EDGE", bad, "endpoint type EDGE"),
            ("PATCH", NAME, "remove /regionalCertificateArn", bad, "endpoint type REGIONAL"),
            ("PATCH", NAME, "replace /securityPolicy SSL", bad, "Invalid securityPolicy specified"),
        ],
    );
}

#[test]
fn mappings_lead_to_stages_that_exist() {
    let (mut bench, id, _) = mocked();
    bench.certify(CERTIFICATE, &["*.example.com"]);
    deploy(&mut bench, &id, "dev");
    regional(&mut bench);
    let mappings = format!("{NAME}/basepathmappings");
    let root = json!({ "basePath": "(none)", "restApiId": id, "stage": "dev" });
    let (status, made, _) = bench.send("POST", &mappings, &json!({ "restApiId": id, "stage": "dev" }));
    assert_eq!((status, &made), (201, &root));
    let staged = bench.ok("POST", &mappings, &json!({ "restApiId": id, "basePath": "v1", "stage": "(none)" }));
    assert_eq!(staged, json!({ "basePath": "v1", "restApiId": id }));
    assert_eq!(bench.ok("GET", &format!("{mappings}/(none)"), &Value::Null), root);
    assert_eq!(bench.ok("GET", &mappings, &Value::Null)["item"], json!([root, staged]));

    let (bad, body) = ("BadRequestException", |path: &str| format!(r#"{{"restApiId":"{id}","basePath":"{path}"}}"#));
    let one = format!("{mappings}/v1");
    let (stage, api) = (format!("/restapis/{id}/stages/dev"), format!("/restapis/{id}"));
    refuse(
        &mut bench,
        &[
            ("POST", &mappings, "{}", "ValidationException", "createBasePathMappingInput.restApiId"),
            ("POST", &mappings, &body("v1"), "ConflictException", "Base path already exists for this domain name"),
            ("POST", &mappings, &body(""), "ConflictException", "Base path already exists for this domain name"),
            ("POST", &mappings, &body("a/b"), bad, "API Gateway V1 doesn't support the slash character (/)"),
            ("POST", &mappings, &body("a b"), bad, "Base path can only contain"),
            ("POST", &mappings, r#"{"restApiId":"none"}"#, bad, "Invalid REST API identifier specified"),
            (
                "POST",
                &mappings,
                &body("v2").replace('}', r#","stage":"none"}"#),
                bad,
                "Invalid stage identifier specified",
            ),
            ("PATCH", &one, "replace /stage none", bad, "Invalid stage identifier specified"),
            ("PATCH", &one, "replace /basePath ", "ConflictException", "Base path already exists"),
            ("PATCH", &one, "replace /restApiId x", bad, "Must be one of: [/basePath, /restapiId, /stage]"),
            (
                "GET",
                &format!("{mappings}/v9"),
                "",
                "NotFoundException",
                "Invalid base path mapping identifier specified",
            ),
            ("GET", "/domainnames/none/basepathmappings", "", "NotFoundException", "Invalid domain name identifier"),
            (
                "DELETE",
                &stage,
                "",
                bad,
                "Deleting stage dev failed. Please remove all base path mappings related to the stage in your domains: api.example.com",
            ),
            (
                "DELETE",
                &api,
                "",
                bad,
                "failed. Please remove all base path mappings related to the RestApi in your domains: api.example.com",
            ),
        ],
    );
    bench.ok("PATCH", &one, &patch("/basePath", "v2"));
    assert_eq!(bench.send("DELETE", &format!("{mappings}/(none)"), &Value::Null).0, 202);
    bench.ok("DELETE", &stage, &Value::Null);
    bench.refused("DELETE", &api, &Value::Null);
    bench.ok("DELETE", NAME, &Value::Null);
    bench.ok("DELETE", &api, &Value::Null);
}
