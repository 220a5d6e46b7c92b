use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::*;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::World;

/// 2026-11-22
const NOW: f64 = 1_795_300_000.0;

struct Bench {
    world: World,
    region: &'static str,
    now: f64,
}

impl Bench {
    fn new() -> Self {
        Self { world: World::default(), region: "eu-central-1", now: NOW }
    }

    fn send(&mut self, operation: &str, body: &Value) -> (u16, Value) {
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("x-amz-target".into(), format!("CertificateManager.{operation}"))],
            body: body.to_string().into(),
            caller: Caller {
                account: "123456789012".into(),
                region: self.region.into(),
                service: "acm".into(),
                access_key: "123456789012".into(),
            },
        };
        let response = handle(&mut self.world.view("123456789012", self.region, self.now), &request);
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }

    fn ok(&mut self, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.send(operation, body);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    fn refused(&mut self, operation: &str, body: &Value, code: &str, words: &str) {
        let (status, answer) = self.send(operation, body);
        assert_eq!((status, answer["__type"].as_str()), (400, Some(code)), "{operation}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
    }

    fn request(&mut self, name: &str) -> String {
        let made = self.ok("RequestCertificate", &json!({ "DomainName": name, "ValidationMethod": "DNS" }));
        made["CertificateArn"].as_str().unwrap().to_owned()
    }

    fn listed(&mut self, query: &Value) -> Vec<String> {
        let answer = self.ok("ListCertificates", query);
        let list = answer["CertificateSummaryList"].as_array().unwrap().clone();
        list.iter().map(|one| one["DomainName"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_requested_certificate_is_issued_at_once() {
    let mut bench = Bench::new();
    let input = json!({
        "DomainName": "example.com", "SubjectAlternativeNames": ["*.example.com", "example.com"],
        "ValidationMethod": "DNS", "IdempotencyToken": "t", "Tags": [{ "Key": "a", "Value": "1" }],
    });
    let arn = bench.ok("RequestCertificate", &input)["CertificateArn"].clone();
    assert!(arn.as_str().unwrap().starts_with("arn:aws:acm:eu-central-1:123456789012:certificate/"), "{arn}");
    assert_eq!(bench.ok("RequestCertificate", &input)["CertificateArn"], arn, "the same request");
    let shown = bench.ok("DescribeCertificate", &json!({ "CertificateArn": arn }))["Certificate"].clone();
    assert_eq!(shown["SubjectAlternativeNames"], json!(["example.com", "*.example.com"]));
    assert_eq!((&shown["Status"], &shown["Type"]), (&json!("ISSUED"), &json!("AMAZON_ISSUED")));
    assert!((shown["NotAfter"].as_f64().unwrap() - NOW - 198.0 * 86_400.0).abs() < 1.0);
    let records = shown["DomainValidationOptions"].as_array().unwrap();
    assert_eq!(records[0]["ResourceRecord"], records[1]["ResourceRecord"], "a wildcard is proved by the same record");
    let tags = bench.ok("ListTagsForCertificate", &json!({ "CertificateArn": arn }));
    assert_eq!(tags, json!({ "Tags": [{ "Key": "a", "Value": "1" }] }));
    bench.now += 3_601.0;
    assert_ne!(bench.ok("RequestCertificate", &input)["CertificateArn"], arn, "an hour later");
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let mut bench = Bench::new();
    for name in ["a.example.com", "b.example.com", "c.example.com"] {
        bench.request(name);
        bench.now += 1.0;
    }
    bench.ok("RequestCertificate", &json!({ "DomainName": "ec.example.com", "KeyAlgorithm": "EC_prime256v1" }));
    let sorted = json!({ "SortBy": "CREATED_AT", "SortOrder": "DESCENDING" });
    assert_eq!(bench.listed(&sorted), ["c.example.com", "b.example.com", "a.example.com"], "no EC keys unasked");
    assert_eq!(bench.listed(&json!({ "Includes": { "keyTypes": ["EC_prime256v1"] } })), ["ec.example.com"]);
    assert!(bench.listed(&json!({ "CertificateStatuses": ["PENDING_VALIDATION"] })).is_empty());
    let page = bench.ok("ListCertificates", &json!({ "MaxItems": 2 }));
    assert_eq!(page["CertificateSummaryList"].as_array().unwrap().len(), 2);
    assert_eq!(bench.listed(&json!({ "MaxItems": 2, "NextToken": page["NextToken"] })).len(), 1);
    bench.now += 199.0 * 86_400.0;
    assert_eq!(bench.listed(&json!({ "CertificateStatuses": ["EXPIRED"] })).len(), 3);
    bench.region = "eu-west-1";
    assert!(bench.listed(&json!({})).is_empty());
}

#[test]
fn what_is_imported_is_read() {
    let mut bench = Bench::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters =
        rcgen::CertificateParams::new(vec!["api.example.com".to_owned(), "*.x.example.com".into()]).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "somebody");
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 2);
    parameters.not_after = rcgen::date_time_ymd(2060, 1, 2);
    let pem = parameters.self_signed(&key).unwrap().pem();
    let input = json!({ "Certificate": BASE64.encode(&pem), "PrivateKey": BASE64.encode(key.serialize_pem()) });
    let arn = bench.ok("ImportCertificate", &input)["CertificateArn"].clone();
    let shown = bench.ok("DescribeCertificate", &json!({ "CertificateArn": arn }))["Certificate"].clone();
    assert_eq!(shown["SubjectAlternativeNames"], json!(["api.example.com", "*.x.example.com"]));
    assert_eq!((&shown["Type"], &shown["Issuer"]), (&json!("IMPORTED"), &json!("somebody")));
    assert_eq!(shown["KeyAlgorithm"], "EC_prime256v1");
    // 2026-01-02 and 2060-01-02, of which only the second is written with four digits.
    assert_eq!((&shown["NotBefore"], &shown["NotAfter"]), (&json!(1_767_312_000.0), &json!(2_840_227_200.0)));
    assert_eq!(bench.ok("GetCertificate", &json!({ "CertificateArn": arn }))["Certificate"], pem);
    let mut again = input.clone();
    again["CertificateArn"] = arn.clone();
    assert_eq!(bench.ok("ImportCertificate", &again)["CertificateArn"], arn);

    let invalid = "ValidationException";
    let with = |member: &str, text: &str| {
        let mut input = input.clone();
        input[member] = BASE64.encode(text).into();
        input
    };
    bench.refused("ImportCertificate", &with("Certificate", "x"), invalid, "not a valid PEM");
    let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    bench.refused("ImportCertificate", &with("Certificate", broken), invalid, "can't be parsed");
    bench.refused("ImportCertificate", &with("PrivateKey", "x"), invalid, "private key");
    bench.refused("ImportCertificate", &json!({ "PrivateKey": "" }), invalid, "'certificate'");
    bench.refused(
        "ImportCertificate",
        &json!({ "Certificate": "!", "PrivateKey": "" }),
        "SerializationException",
        "base64",
    );
    again["Tags"] = json!([{ "Key": "a" }]);
    bench.refused("ImportCertificate", &again, invalid, "Tagging is not permitted");
    bench.now = 3_000_000_000.0;
    bench.refused("ImportCertificate", &input, invalid, "not valid now");
}

#[test]
fn no_bytes_make_the_reader_fall() {
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(vec!["a.example.com".to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = made.der().to_vec();
    assert_eq!(x509::read(&der).unwrap().names, ["a.example.com"]);
    for length in 0..der.len() {
        assert_eq!(x509::read(&der[..length]), None, "{length}");
    }
    for at in 0..der.len() {
        let mut spoilt = der.clone();
        spoilt[at] ^= 0xff;
        // Whatever it says, it says something.
        let _ = x509::read(&spoilt);
    }
}

#[test]
fn certificates_are_tagged_and_deleted_unless_used() {
    let mut bench = Bench::new();
    let arn = bench.request("api.example.com");
    let at = json!({ "CertificateArn": arn });
    let tags = |tags: Value| json!({ "CertificateArn": arn, "Tags": tags });
    bench.ok("AddTagsToCertificate", &tags(json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }])));
    bench.ok("RemoveTagsFromCertificate", &tags(json!([{ "Key": "a" }, { "Key": "b", "Value": "other" }])));
    assert_eq!(bench.ok("ListTagsForCertificate", &at)["Tags"], json!([{ "Key": "b", "Value": "2" }]));
    let region = bench.world.accounts.get_mut("123456789012").unwrap().regions.get_mut("eu-central-1").unwrap();
    assert_eq!(region.acm.tagged()[0].0, arn);
    let name = apigateway::state::DomainName {
        domain_name: "api.example.com".into(),
        regional_certificate_arn: Some(arn.clone()),
        ..Default::default()
    };
    region.apigateway.domain_names.insert("api.example.com".into(), name);
    let shown = bench.ok("DescribeCertificate", &at);
    assert_eq!(
        shown["Certificate"]["InUseBy"],
        json!(["arn:aws:apigateway:eu-central-1::/domainnames/api.example.com"])
    );
    bench.refused("DeleteCertificate", &at, "ResourceInUseException", "in account 123456789012 is in use.");
    let region = bench.world.accounts.get_mut("123456789012").unwrap().regions.get_mut("eu-central-1").unwrap();
    region.apigateway.domain_names.clear();
    assert_eq!(bench.send("DeleteCertificate", &at), (200, Value::Null));
    for operation in ["DeleteCertificate", "DescribeCertificate", "GetCertificate", "ListTagsForCertificate"] {
        bench.refused(operation, &at, "ResourceNotFoundException", "Could not find certificate arn:aws:acm:");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let mut bench = Bench::new();
    let invalid = "ValidationException";
    for (operation, body, code, words) in [
        ("RequestCertificate", json!({}), invalid, "Value null at 'domainName'"),
        ("RequestCertificate", json!({ "DomainName": "localhost" }), invalid, "regular expression pattern"),
        ("RequestCertificate", json!({ "DomainName": "a.*.com" }), invalid, "regular expression pattern"),
        ("RequestCertificate", json!({ "DomainName": "a.com", "KeyAlgorithm": "RSA" }), invalid, "enum value set"),
        (
            "RequestCertificate",
            json!({ "DomainName": "a.com", "ValidationMethod": "FAX" }),
            invalid,
            "[EMAIL, DNS, HTTP]",
        ),
        ("RequestCertificate", json!({ "DomainName": "a.com", "CertificateAuthorityArn": "x" }), invalid, "public"),
        (
            "RequestCertificate",
            json!({ "DomainName": "a.com", "Tags": [{ "Key": "aws:x" }] }),
            "InvalidTagException",
            "reserved",
        ),
        (
            "RequestCertificate",
            json!({ "DomainName": "a.com", "SubjectAlternativeNames": (0..10).map(|at| format!("{at}.com")).collect::<Vec<_>>() }),
            "LimitExceededException",
            "limit of 10",
        ),
        ("ListCertificates", json!({ "MaxItems": 0 }), invalid, "between 1 and 1000"),
        ("ListCertificates", json!({ "SortBy": "CREATED_AT" }), invalid, "together"),
        ("ListCertificates", json!({ "Includes": { "keyUsage": ["ANY"] } }), invalid, "no filter keyUsage"),
        ("ListCertificates", json!({ "NextToken": "x" }), "InvalidArgsException", "NextToken"),
        ("DescribeCertificate", json!({ "CertificateArn": "x" }), "InvalidArnException", "not valid"),
        ("ExportCertificate", json!({}), "UnknownOperationException", "ExportCertificate"),
    ] {
        bench.refused(operation, &body, code, words);
    }
}

#[test]
fn a_wildcard_stands_for_one_label() {
    let mut bench = Bench::new();
    let arn = bench.request("*.example.com");
    let one = &bench.world.accounts["123456789012"].regions["eu-central-1"].acm.certificates[&arn];
    for (host, covered) in
        [("api.example.com", true), ("API.Example.com", true), ("example.com", false), ("a.b.example.com", false)]
    {
        assert_eq!(one.covers(host), covered, "{host}");
    }
}
