//! EC2 as its clients see it, below HTTP.

use crate::sandbox::Sandbox;
use crate::sandbox::wire::{Caller, Request};

/// Calls of one account in one Region.
struct Aws {
    sandbox: Sandbox,
    region: &'static str,
}

impl Aws {
    fn new() -> Self {
        Self { sandbox: Sandbox::in_memory(), region: "eu-central-1" }
    }

    fn call(&self, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", super::VERSION).extend_pairs(parameters);
        let response = self.sandbox.handle(Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
            body: form.finish().into_bytes().into(),
            caller: Caller {
                account: "123456789012".into(),
                region: self.region.into(),
                service: "ec2".into(),
                access_key: "123456789012".into(),
            },
        });
        (response.status, String::from_utf8(response.body.to_vec()).unwrap())
    }

    #[track_caller]
    fn done(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.call(action, parameters);
        assert_eq!(status, 200, "{body}");
        assert!(body.starts_with(&format!("<{action}Response xmlns=\"{}\"><requestId>", super::NAMESPACE)), "{body}");
        body
    }

    #[track_caller]
    fn refused(&self, action: &str, parameters: &[(&str, &str)], code: &str, words: &str) {
        let (status, body) = self.call(action, parameters);
        assert_eq!(status, 400, "{body}");
        let start = format!("<Response><Errors><Error><Code>{code}</Code><Message>");
        assert!(body.starts_with(&start), "{action}: {body}");
        assert!(body.contains(&words.replace('\'', "&apos;").replace('"', "&quot;")), "{action}: {body}");
        assert!(body.contains("</Error></Errors><RequestID>"), "{body}");
    }

    /// A new security group.
    fn group(&self, name: &str) -> String {
        let made = self
            .done("CreateSecurityGroup", &[("GroupName", name), ("GroupDescription", "d"), ("VpcId", "vpc-0a1b2c3d")]);
        text(&made, "groupId")
    }
}

/// The text of the first element of a name.
fn text(xml: &str, element: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{element}>")).unwrap_or_else(|| panic!("{element}: {xml}"));
    rest.split_once('<').unwrap().0.to_owned()
}

#[test]
fn a_group_is_born_with_the_way_out_and_takes_rules() {
    let aws = Aws::new();
    let id = aws.group("one");
    assert!(id.starts_with("sg-0") && id.len() == 20, "{id}");
    let shown = aws.done("DescribeSecurityGroups", &[("GroupId.1", &id)]);
    assert!(shown.contains(
        "<ipPermissions></ipPermissions><ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges><item>\
         <cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>"
    ));
    let rule = [
        ("GroupId", id.as_str()),
        ("IpPermissions.1.IpProtocol", "6"),
        ("IpPermissions.1.FromPort", "443"),
        ("IpPermissions.1.ToPort", "443"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "100.68.0.18/18"),
        ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0"),
        ("IpPermissions.1.Ipv6Ranges.1.Description", "all of it"),
    ];
    let made = aws.done("AuthorizeSecurityGroupIngress", &rule);
    assert!(made.contains("<return>true</return><securityGroupRuleSet><item><securityGroupRuleId>sgr-0"), "{made}");
    let shown = aws.done("DescribeSecurityGroups", &[("GroupId.1", &id)]);
    assert!(shown.contains("<ipProtocol>tcp</ipProtocol><fromPort>443</fromPort>"), "{shown}");
    assert!(shown.contains("<cidrIp>100.68.0.0/18</cidrIp>"), "ranges are canonical: {shown}");
    let words = "the specified rule \"peer: 100.68.0.0/18, TCP, from port: 443, to port: 443, ALLOW\" already exists";
    aws.refused("AuthorizeSecurityGroupIngress", &rule, "InvalidPermission.Duplicate", words);
    aws.refused("RevokeSecurityGroupEgress", &rule, "InvalidPermission.NotFound", "The specified rule does not exist");
    assert_eq!(aws.done("DescribeSecurityGroupRules", &[]).matches("<item>").count(), 3);
    aws.done("UpdateSecurityGroupRuleDescriptionsIngress", &rule[..6]);
    assert!(!aws.done("DescribeSecurityGroups", &[]).contains("all of it"));
    aws.done("RevokeSecurityGroupIngress", &rule);
    assert_eq!(
        aws.done("DescribeSecurityGroupRules", &[("Filter.1.Name", "group-id"), ("Filter.1.Value.1", &id)])
            .matches("<item>")
            .count(),
        1
    );
}

#[test]
fn what_ec2_refuses_is_refused_in_its_words() {
    let aws = Aws::new();
    let id = aws.group("one");
    let create = |name: &'static str, description: &'static str, vpc: &'static str| {
        [("GroupName", name), ("GroupDescription", description), ("VpcId", vpc)]
    };
    let vpc = "vpc-0a1b2c3d";
    for (parameters, code, words) in [
        (
            create("one", "d", vpc),
            "InvalidGroup.Duplicate",
            "The security group 'one' already exists for VPC 'vpc-0a1b2c3d'",
        ),
        (create("sg-x", "d", vpc), "InvalidParameterValue", "Group names may not be in the format sg-*."),
        (create("é", "d", vpc), "InvalidParameterValue", "Value (é) for parameter GroupName is invalid."),
        (create("a", "d?", vpc), "InvalidParameterValue", "Value (d?) for parameter GroupDescription is invalid."),
        (create("default", "d", vpc), "InvalidParameterValue", "Cannot use reserved security group name: default"),
        (create("a", "", vpc), "MissingParameter", "The request must contain the parameter GroupDescription"),
        (create("a", "d", "vpc-x"), "InvalidVpcId.Malformed", "Invalid id: \"vpc-x\" (expecting \"vpc-...\")"),
    ] {
        aws.refused("CreateSecurityGroup", &parameters, code, words);
    }
    aws.refused(
        "CreateSecurityGroup",
        &create("a", "d", vpc)[..2],
        "VPCIdNotSpecified",
        "No default VPC for this user",
    );
    aws.refused(
        "DeleteSecurityGroup",
        &[("GroupId", "sg-0a1b2c3d")],
        "InvalidGroup.NotFound",
        "'sg-0a1b2c3d' does not exist",
    );
    aws.refused("DeleteSecurityGroup", &[("GroupId", "x")], "InvalidGroupId.Malformed", "Invalid id: \"x\"");
    aws.refused("RunInstances", &[], "InvalidAction", "The action RunInstances is not valid");
    let unknown = [("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")];
    aws.refused("DescribeSecurityGroups", &unknown, "InvalidParameterValue", "The filter 'colour' is invalid");
    aws.refused(
        "DescribeSecurityGroups",
        &[("MaxResults", "4")],
        "InvalidParameterValue",
        "Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5",
    );
    let rule = |protocol: &'static str, cidr: &'static str| {
        [
            ("GroupId".to_owned(), id.clone()),
            ("IpPermissions.1.IpProtocol".into(), protocol.into()),
            ("IpPermissions.1.IpRanges.1.CidrIp".into(), cidr.into()),
        ]
    };
    for (protocol, cidr, words) in [
        ("tcp", "10.0.0.0/8", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."),
        ("-1", "10.0.0.0", "CIDR block 10.0.0.0 is malformed"),
        ("-1", "::/0", "CIDR block ::/0 is malformed"),
        ("tls", "10.0.0.0/8", "Invalid value 'tls' for IP protocol"),
    ] {
        let parameters = rule(protocol, cidr);
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        aws.refused("AuthorizeSecurityGroupEgress", &parameters, "InvalidParameterValue", words);
    }
    let (status, body) = aws.call("DeleteSecurityGroup", &[("GroupId", &id), ("DryRun", "true")]);
    assert_eq!(status, 412, "{body}");
    assert!(body.contains("DryRunOperation"));
    aws.done("DeleteSecurityGroup", &[("GroupId", &id)]);
}

#[test]
fn a_group_that_another_s_rule_names_stays() {
    let aws = Aws::new();
    let (one, two) = (aws.group("one"), aws.group("two"));
    let rule =
        [("GroupId", two.as_str()), ("IpPermissions.1.IpProtocol", "-1"), ("IpPermissions.1.Groups.1.GroupId", &one)];
    aws.done("AuthorizeSecurityGroupIngress", &rule);
    aws.refused(
        "DeleteSecurityGroup",
        &[("GroupId", &one)],
        "DependencyViolation",
        &format!("resource {one} has a dependent object"),
    );
    aws.done("DeleteSecurityGroup", &[("GroupId", &two)]);
    aws.done("DeleteSecurityGroup", &[("GroupId", &one)]);
}

#[test]
fn tags_are_set_listed_filtered_and_removed() {
    let aws = Aws::new();
    let made = aws.done(
        "CreateSecurityGroup",
        &[
            ("GroupName", "one"),
            ("GroupDescription", "d"),
            ("VpcId", "vpc-0a1b2c3d"),
            ("TagSpecification.1.ResourceType", "security-group"),
            ("TagSpecification.1.Tag.1.Key", "gwctl:product"),
            ("TagSpecification.1.Tag.1.Value", "a*b"),
        ],
    );
    let id = text(&made, "groupId");
    let by = |value: &str| {
        aws.done("DescribeSecurityGroups", &[("Filter.1.Name", "tag:gwctl:product"), ("Filter.1.Value.1", value)])
    };
    assert!(by("a\\*b").contains(&id) && by("a?b").contains(&id) && !by("a").contains(&id));
    aws.done("CreateTags", &[("ResourceId.1", &id), ("Tag.1.Key", "x"), ("Tag.1.Value", "")]);
    aws.done("DeleteTags", &[("ResourceId.1", &id), ("Tag.1.Key", "gwctl:product"), ("Tag.1.Value", "other")]);
    assert_eq!(aws.done("DescribeTags", &[]).matches("<item>").count(), 2);
    aws.done("DeleteTags", &[("ResourceId.1", &id), ("Tag.1.Key", "gwctl:product")]);
    assert_eq!(aws.done("DescribeTags", &[]).matches("<item>").count(), 1);
    aws.refused(
        "CreateTags",
        &[("ResourceId.1", &id), ("Tag.1.Key", "aws:x"), ("Tag.1.Value", "")],
        "InvalidParameterValue",
        "'aws:'",
    );
    aws.refused(
        "CreateTags",
        &[("ResourceId.1", "sg-0a1b2c3d"), ("Tag.1.Key", "x")],
        "InvalidGroup.NotFound",
        "sg-0a1b2c3d",
    );
    let wrong = [
        ("GroupName", "b"),
        ("GroupDescription", "d"),
        ("VpcId", "vpc-0a1b2c3d"),
        ("TagSpecification.1.ResourceType", "vpc"),
    ];
    aws.refused("CreateSecurityGroup", &wrong, "InvalidParameterValue", "'vpc' is not a valid taggable resource type");
}

#[test]
fn lists_come_in_pages() {
    let aws = Aws::new();
    for at in 0..7 {
        aws.group(&format!("g{at}"));
    }
    let first = aws.done("DescribeSecurityGroups", &[("MaxResults", "5")]);
    let rest = aws.done("DescribeSecurityGroups", &[("MaxResults", "5"), ("NextToken", &text(&first, "nextToken"))]);
    assert_eq!((first.matches("<groupName>").count(), rest.matches("<groupName>").count()), (5, 2));
    assert!(!rest.contains("nextToken"));
    aws.refused("DescribeSecurityGroups", &[("NextToken", "?")], "InvalidNextToken", "is invalid");
}

#[test]
fn networks_are_made_and_those_of_others_are_taken_to_exist() {
    let aws = Aws { region: "cn-north-1", ..Aws::new() };
    let vpc = text(&aws.done("CreateVpc", &[("CidrBlock", "10.1.0.0/16")]), "vpcId");
    let subnet = |cidr: &str| aws.call("CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", cidr)]);
    let (status, made) = subnet("10.1.2.0/24");
    assert_eq!(status, 200, "{made}");
    assert_eq!(text(&made, "availabilityZone"), "cn-north-1a");
    assert!(text(&made, "subnetArn").starts_with("arn:aws-cn:ec2:cn-north-1:123456789012:subnet/subnet-0"));
    assert!(subnet("10.1.2.128/25").1.contains("InvalidSubnet.Conflict"));
    assert!(subnet("10.2.0.0/24").1.contains("InvalidSubnet.Range"));
    assert!(subnet("10.1.0.0/29").1.contains("InvalidVpc.Range"));
    aws.refused("DeleteVpc", &[("VpcId", &vpc)], "DependencyViolation", "has dependencies and cannot be deleted");
    let listed = aws.done("DescribeSubnets", &[("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", &vpc)]);
    assert_eq!(listed.matches("<subnetId>").count(), 1);
    assert!(aws.done("DescribeSecurityGroups", &[]).contains("<groupName>default</groupName>"));

    for (action, parameter, id) in [
        ("DescribeVpcs", "VpcId.1", "vpc-0a1b2c3d"),
        ("DescribeSubnets", "SubnetId.1", "subnet-0a1b2c3d"),
        ("DescribeVpcEndpoints", "VpcEndpointId.1", "vpce-0a1b2c3d"),
    ] {
        assert!(aws.done(action, &[(parameter, id)]).contains(id), "{action}");
        assert!(!aws.done(action, &[]).contains(id), "{action}");
    }
    aws.refused(
        "DescribeSubnets",
        &[("SubnetId.1", "subnet-x")],
        "InvalidSubnetID.NotFound",
        "'subnet-x' does not exist",
    );
    aws.done("DeleteSubnet", &[("SubnetId", &text(&made, "subnetId"))]);
    aws.done("DeleteVpc", &[("VpcId", &vpc)]);
    assert!(!aws.done("DescribeSecurityGroups", &[]).contains("default"));
}

#[test]
fn endpoints_live_and_go() {
    let aws = Aws::new();
    let service = "com.amazonaws.eu-central-1.execute-api";
    let create = [
        ("VpcId", "vpc-0a1b2c3d"),
        ("ServiceName", service),
        ("VpcEndpointType", "Interface"),
        ("SubnetId.1", "subnet-0a1b2c3d"),
    ];
    let id = text(&aws.done("CreateVpcEndpoint", &create), "vpcEndpointId");
    assert!(aws.done("DescribeVpcEndpoints", &[]).contains(&format!("<serviceName>{service}</serviceName>")));
    let gone = aws.done("DeleteVpcEndpoints", &[("VpcEndpointId.1", &id), ("VpcEndpointId.2", "vpce-0000000a")]);
    assert!(gone.contains("<resourceId>vpce-0000000a</resourceId>") && !gone.contains(&id), "{gone}");
    let elsewhere = [("VpcId", "vpc-0a1b2c3d"), ("ServiceName", "com.amazonaws.us-east-1.s3")];
    aws.refused("CreateVpcEndpoint", &elsewhere, "InvalidServiceName", "does not exist");
}

#[test]
fn the_state_outlives_the_process_and_the_tagging_api_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let aws = Aws { sandbox: Sandbox::open(dir.path()).unwrap(), region: "eu-central-1" };
    let id = aws.group("one");
    aws.done("CreateTags", &[("ResourceId.1", &id), ("Tag.1.Key", "x"), ("Tag.1.Value", "y")]);
    let again = Aws { sandbox: Sandbox::open(dir.path()).unwrap(), region: "eu-central-1" };
    assert!(again.done("DescribeSecurityGroups", &[]).contains(&id));
    let mut world = again.sandbox.world().unwrap();
    let caller = Caller {
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        service: "tagging".into(),
        access_key: "123456789012".into(),
    };
    let view = world.view(&caller.account, &caller.region, 0.0);
    let tagged = view.region.ec2.tagged(&caller);
    assert_eq!(tagged[0].0, format!("arn:aws:ec2:eu-central-1:123456789012:security-group/{id}"));
}
