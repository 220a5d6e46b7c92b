//! VPC links.

use serde_json::{Value, json};

use super::super::testing::{Bench, LISTENER};

#[test]
fn a_link_is_pending_and_then_available_and_never_moves() {
    let mut bench = Bench::default();
    bench.here().apigateway.vpc_link_delay = 120.0;
    let body = json!({ "name": "link", "subnetIds": ["subnet-0b", "subnet-0a"], "tags": { "a": "b" } });
    let made = bench.ok("POST", "/v2/vpclinks", &body);
    let path = format!("/v2/vpclinks/{}", made["vpcLinkId"].as_str().unwrap());
    let expected = json!({
        "createdDate": "2023-11-14T22:13:20Z", "name": "link", "securityGroupIds": [],
        "subnetIds": ["subnet-0b", "subnet-0a"], "tags": { "a": "b" }, "vpcLinkId": made["vpcLinkId"],
        "vpcLinkStatus": "PENDING", "vpcLinkStatusMessage": "VPC link is provisioning ENIs", "vpcLinkVersion": "V2",
    });
    assert_eq!(made, expected);
    for (passed, status) in [(119.0, "PENDING"), (121.0, "AVAILABLE")] {
        bench.passed = passed;
        assert_eq!(bench.get(&path)["vpcLinkStatus"], status);
        assert_eq!(bench.get("/v2/vpclinks")["items"][0]["vpcLinkStatus"], status);
    }
    assert_eq!(bench.ok("PATCH", &path, &json!({ "name": "other" }))["name"], "other");
    assert_eq!(bench.refused("PATCH", &path, &json!({ "subnetIds": ["subnet-0c"] })).0, "BadRequestException");
    // Each version has links of its own.
    assert_eq!(bench.get("/vpclinks")["item"], json!([]));
    let (_, response) = bench.send("DELETE", &path, &Value::Null);
    assert_eq!(response.status, 202);
    assert_eq!(bench.refused("GET", &path, &Value::Null).0, "NotFoundException");
}

#[test]
fn a_link_in_use_stays_until_its_integrations_have_moved() {
    let mut bench = Bench::default();
    let (api, old, new) = (bench.api(), bench.link(), bench.link());
    let body = json!({
        "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "integrationUri": LISTENER,
        "payloadFormatVersion": "1.0", "connectionType": "VPC_LINK", "connectionId": old,
    });
    let made = bench.ok("POST", &format!("{api}/integrations"), &body);
    let integration = made["integrationId"].as_str().unwrap();
    let route = bench.route(&api, "ANY /{proxy+}", integration);
    bench.ok("POST", &format!("{api}/stages"), &json!({ "stageName": "dev" }));
    bench.ok("POST", &format!("{api}/deployments"), &json!({ "stageName": "dev" }));
    let path = format!("/v2/vpclinks/{old}");
    let (code, said) = bench.refused("DELETE", &path, &Value::Null);
    let words = format!(
        "Cannot delete vpc link. Vpc link '{old}', is referenced in [ANY:{route}] in format of [Method:Resource]."
    );
    assert_eq!((code.as_str(), said), ("BadRequestException", words));
    bench.ok("PATCH", &format!("{api}/integrations/{integration}"), &json!({ "connectionId": new }));
    // What is served goes through it still.
    assert!(bench.refused("DELETE", &path, &Value::Null).1.contains(&format!("ANY:{route}:dev")));
    bench.ok("POST", &format!("{api}/deployments"), &json!({ "stageName": "dev" }));
    bench.delete(&path);
}

#[test]
fn networks_are_those_of_ec2() {
    let mut bench = Bench::default();
    let made = bench.ec2("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
    let between = |text: &str, tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("{text}"));
        rest.split('<').next().unwrap().to_owned()
    };
    let vpc = between(&made, "vpcId");
    let made = bench.ec2("CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.1.0/24")]);
    let subnet = between(&made, "subnetId");
    let mut group = |vpc: &str| {
        let parameters = [("GroupName", "link"), ("GroupDescription", "link"), ("VpcId", vpc)];
        between(&bench.ec2("CreateSecurityGroup", &parameters), "groupId")
    };
    let (own, other) = (group(&vpc), group("vpc-0123456789abcdef0"));
    let body =
        |subnets: &[&str], groups: &[&str]| json!({ "name": "link", "subnetIds": subnets, "securityGroupIds": groups });
    for (subnets, groups, words) in [
        (&[][..], &[][..], "subnetIds"),
        (&["10.0.1.0/24"], &[], "The subnet ID '10.0.1.0/24' does not exist"),
        (&[&*subnet], &["sg-0123456789abcdef0"], "The security group 'sg-0123456789abcdef0' does not exist"),
        (&[&*subnet], &[&*other], "same VPC"),
    ] {
        let (code, said) = bench.refused("POST", "/v2/vpclinks", &body(subnets, groups));
        assert_eq!(code, "BadRequestException");
        assert!(said.contains(words), "{said}");
    }
    let made = bench.ok("POST", "/v2/vpclinks", &body(&[&subnet, "subnet-0a"], &[&own]));
    assert!(bench.ec2("DeleteSecurityGroup", &[("GroupId", &own)]).contains("DependencyViolation"));
    assert!(bench.ec2("DeleteSubnet", &[("SubnetId", &subnet)]).contains("DependencyViolation"));
    bench.delete(&format!("/v2/vpclinks/{}", made["vpcLinkId"].as_str().unwrap()));
    assert!(!bench.ec2("DeleteSecurityGroup", &[("GroupId", &own)]).contains("DependencyViolation"));
    assert!(!bench.ec2("DeleteSubnet", &[("SubnetId", &subnet)]).contains("DependencyViolation"));
}

#[test]
fn a_region_has_ten_links() {
    let mut bench = Bench::default();
    for _ in 0..10 {
        bench.link();
    }
    let body = json!({ "name": "more", "subnetIds": ["subnet-0a"] });
    assert_eq!(bench.refused("POST", "/v2/vpclinks", &body).0, "TooManyRequestsException");
}
