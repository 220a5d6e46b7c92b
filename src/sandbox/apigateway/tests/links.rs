//! VPC links and client certificates.

use serde_json::{Value, json};

use super::super::testing::Bench;
use super::{deploy, imported, mocked, patch, refuse, text};

const BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/nlb/50dc6c495c0c9188";

fn link(bench: &mut Bench) -> String {
    text(&bench.ok("POST", "/vpclinks", &json!({ "name": "a", "targetArns": [BALANCER] })), "/id")
}

#[test]
fn a_link_is_pending_and_then_available() {
    let mut bench = Bench::default();
    let input = json!({ "name": "a", "description": "to the cluster", "targetArns": [BALANCER] });
    let (status, made, _) = bench.send("POST", "/vpclinks", &input);
    let id = text(&made, "/id");
    let mut expected = input.clone();
    expected["id"] = id.as_str().into();
    expected["status"] = "PENDING".into();
    assert_eq!((status, &made), (202, &expected));

    expected["status"] = "AVAILABLE".into();
    expected["statusMessage"] = "Your vpc link is ready for use".into();
    assert_eq!(bench.ok("GET", "/vpclinks", &Value::Null)["item"], json!([expected]));
    expected["tags"] = json!({});
    let path = format!("/vpclinks/{id}");
    assert_eq!(bench.ok("GET", &path, &Value::Null), expected);
    expected["name"] = "b".into();
    assert_eq!(bench.ok("PATCH", &path, &patch("/name", "b")), expected);
    expected.as_object_mut().expect("a link").remove("description");
    assert_eq!(bench.ok("PATCH", &path, &patch("/description", "")), expected);
    assert_eq!(bench.send("DELETE", &path, &Value::Null).0, 202);
    bench.refused("GET", &path, &Value::Null);
}

#[test]
fn a_slow_link_stays_pending() {
    let mut bench = Bench::default();
    bench.state_mut().vpc_link_delay = 60.0;
    let path = format!("/vpclinks/{}", link(&mut bench));
    let shown = bench.ok("GET", &path, &Value::Null);
    assert_eq!((&shown["status"], shown.get("statusMessage")), (&json!("PENDING"), None));
    bench.state_mut().vpc_links[0].pending_until -= 60.0;
    assert_eq!(bench.ok("GET", &path, &Value::Null)["status"], "AVAILABLE");
}

#[test]
fn a_link_to_anything_but_an_own_network_load_balancer_fails_later() {
    let mut bench = Bench::default();
    for wrong in [
        BALANCER.replace("/net/", "/app/"),
        BALANCER.replace(":111111111111:", ":222222222222:"),
        BALANCER.replace("us-east-1", "eu-west-1"),
        BALANCER.replace("arn:aws:", "arn:aws-cn:"),
        "arn:aws:lambda:us-east-1:111111111111:function:f".to_owned(),
    ] {
        let made = bench.ok("POST", "/vpclinks", &json!({ "name": "a", "targetArns": [wrong] }));
        let shown = bench.ok("GET", &format!("/vpclinks/{}", text(&made, "/id")), &Value::Null);
        assert_eq!((&shown["status"], &shown["statusMessage"]), (&json!("FAILED"), &json!("NLB ARN is malformed")));
    }
}

#[test]
fn bad_links_are_refused() {
    let mut bench = Bench::default();
    let one = format!("/vpclinks/{}", link(&mut bench));
    let two = format!(r#"{{"name":"x","targetArns":["{BALANCER}","{BALANCER}"]}}"#);
    let tagged = format!(r#"{{"name":"x","targetArns":["{BALANCER}"],"tags":{{"aws:x":"y"}}}}"#);
    let bad = "BadRequestException";
    refuse(
        &mut bench,
        &[
            ("POST", "/vpclinks", "", "ValidationException", "createVpcLinkInput.name"),
            ("POST", "/vpclinks", r#"{"name":"x"}"#, "ValidationException", "createVpcLinkInput.targetArns"),
            ("POST", "/vpclinks", r#"{"name":"","targetArns":[]}"#, bad, "Name cannot be empty"),
            ("POST", "/vpclinks", r#"{"name":"x","targetArns":[]}"#, bad, "No target arn specified for vpc link."),
            ("POST", "/vpclinks", &two, bad, "More than one target arn specified for vpc link."),
            (
                "POST",
                "/vpclinks",
                r#"{"name":"x","targetArns":["invalid-arn"]}"#,
                bad,
                "Invalid ARN. ARN is not well formed invalid-arn",
            ),
            ("POST", "/vpclinks", &tagged, bad, "aws: prefixed tag key names"),
            ("GET", "/vpclinks/none", "", "NotFoundException", "Invalid Vpc Link identifier specified"),
            (
                "PATCH",
                "/vpclinks/none",
                "replace /name b",
                "NotFoundException",
                "Invalid Vpc Link identifier specified",
            ),
            ("DELETE", "/vpclinks/none", "", "NotFoundException", "Invalid Vpc Link identifier specified"),
            ("PATCH", &one, "add /targetArns x", bad, "Target arns are not allowed to be changed/added."),
            ("PATCH", &one, "replace /name ", bad, "Name cannot be empty"),
            ("PATCH", &one, "replace /status x", bad, "Must be one of: [/name, /description]"),
            ("PATCH", &one, "remove /description", bad, "Please choose supported operations"),
        ],
    );
    for _ in 1..20 {
        link(&mut bench);
    }
    let another = json!({ "name": "a", "targetArns": [BALANCER] });
    assert_eq!(bench.refused("POST", "/vpclinks", &another).0, "LimitExceededException");
}

#[test]
fn a_link_that_an_integration_names_is_kept() {
    let (mut bench, id) = imported();
    // The document names a link that nobody made, which is taken; here it comes into being after all.
    let made = link(&mut bench);
    bench.state_mut().vpc_links[0].id = "link01".into();
    let path = "/vpclinks/link01";
    let resource = bench.state().apis[0].definition.at_path("/orders/{proxy+}").expect("the resource").id.clone();
    let said = |form: &str, uses: [String; 2]| {
        let uses = uses.join(", ");
        format!("Cannot delete vpc link. Vpc link 'link01', is referenced in [{uses}] in format of [{form}].")
    };
    let edited =
        said("RESTApiId:Method:Resource", [format!("{id}:ANY:{resource}"), format!("{id}:OPTIONS:{resource}")]);
    assert_eq!(bench.refused("DELETE", path, &Value::Null), ("BadRequestException".into(), edited));
    deploy(&mut bench, &id, "dev");
    let deployed = said(
        "RESTApiId:Method:Resource:Stage",
        [format!("{id}:ANY:{resource}:dev"), format!("{id}:OPTIONS:{resource}:dev")],
    );
    assert_eq!(bench.refused("DELETE", path, &Value::Null).1, deployed);

    // What is edited away is still served.
    for verb in ["ANY", "OPTIONS"] {
        let integration = format!("/restapis/{id}/resources/{resource}/methods/{verb}/integration");
        bench.ok("PATCH", &integration, &patch("/connectionId", "other1"));
    }
    assert_eq!(bench.refused("DELETE", path, &Value::Null).1, deployed);
    deploy(&mut bench, &id, "dev");
    bench.ok("DELETE", path, &Value::Null);
    assert_ne!(made, "link01");
}

#[test]
fn a_client_certificate_is_a_certificate_and_its_key_stays_secret() {
    let (mut bench, id, _) = mocked();
    deploy(&mut bench, &id, "dev");
    let input = json!({ "description": "for backends", "tags": { "a": "b" } });
    let made = bench.ok("POST", "/clientcertificates", &input);
    let certificate = text(&made, "/clientCertificateId");
    assert!(text(&made, "/pemEncodedCertificate").starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!((&made["createdDate"], &made["expirationDate"]), (&json!(1_700_000_000.0), &json!(1_731_536_000.0)));
    let path = format!("/clientcertificates/{certificate}");
    let shown = bench.ok("GET", &path, &Value::Null);
    assert_eq!((&shown, shown.get("privateKey")), (&made, None));
    assert!(bench.state().client_certificates[0].private_key.contains("PRIVATE KEY"));
    let second = bench.ok("POST", "/clientcertificates", &json!({}));
    assert_ne!(second["pemEncodedCertificate"], made["pemEncodedCertificate"]);
    assert_eq!(bench.ok("GET", "/clientcertificates", &Value::Null)["item"], json!([made, second]));
    assert_eq!(bench.ok("PATCH", &path, &patch("/description", "d"))["description"], "d");

    let stage = format!("/restapis/{id}/stages/dev");
    assert_eq!(
        bench.ok("PATCH", &stage, &patch("/clientCertificateId", &certificate))["clientCertificateId"],
        certificate.as_str()
    );
    refuse(
        &mut bench,
        &[
            ("DELETE", &path, "", "BadRequestException", "is referenced in stage"),
            ("PATCH", &path, "add /description x", "BadRequestException", "Please choose supported operations"),
            ("PATCH", &stage, "replace /clientCertificateId none", "BadRequestException", "Invalid client certificate"),
            ("GET", "/clientcertificates/none", "", "NotFoundException", "Invalid Client Certificate identifier"),
        ],
    );
    bench.ok("PATCH", &stage, &patch("/clientCertificateId", ""));
    bench.ok("DELETE", &path, &Value::Null);
}
