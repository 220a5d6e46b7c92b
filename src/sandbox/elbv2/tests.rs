//! Load balancers as their clients see them, below HTTP.

use serde_json::json;

use crate::sandbox::Sandbox;
use crate::sandbox::wire::{Caller, Request};

struct Aws {
    sandbox: Sandbox,
    region: &'static str,
}

impl Aws {
    fn caller(&self, service: &str) -> Caller {
        Caller {
            account: "123456789012".into(),
            region: self.region.into(),
            service: service.into(),
            access_key: "123456789012".into(),
        }
    }

    fn call(&self, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", "2015-12-01").extend_pairs(parameters);
        let response = self.sandbox.handle(Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
            body: form.finish().into_bytes().into(),
            caller: self.caller("elasticloadbalancing"),
        });
        (response.status, String::from_utf8(response.body.to_vec()).unwrap())
    }

    #[track_caller]
    fn done(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.call(action, parameters);
        assert_eq!(status, 200, "{body}");
        body
    }

    #[track_caller]
    fn refused(&self, action: &str, parameters: &[(&str, &str)], code: &str, words: &str) {
        let (status, body) = self.call(action, parameters);
        assert_eq!(status, 400, "{body}");
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
        assert!(body.contains(&words.replace('\'', "&apos;")), "{body}");
    }
}

const NETWORK: [(&str, &str); 3] = [("Name", "one"), ("Type", "network"), ("Subnets.member.1", "subnet-0a1b2c3d")];

fn arn(body: &str) -> String {
    body.split_once("<LoadBalancerArn>").unwrap().1.split_once('<').unwrap().0.to_owned()
}

#[test]
fn a_load_balancer_lives_and_goes() {
    let aws = Aws { sandbox: Sandbox::in_memory(), region: "cn-north-1" };
    let made = aws.done("CreateLoadBalancer", &NETWORK);
    assert!(made.contains("<Code>provisioning</Code>"), "{made}");
    let arn = arn(&made);
    assert!(arn.starts_with("arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/net/one/"), "{arn}");
    let shown = aws.done("DescribeLoadBalancers", &[("Names.member.1", "one")]);
    assert!(shown.contains("<Code>active</Code>") && shown.contains("<Type>network</Type>"), "{shown}");
    assert!(shown.contains(".elb.cn-north-1.amazonaws.com.cn</DNSName>"), "{shown}");
    // The same again is what is there; another under the name is refused.
    assert_eq!(self::arn(&aws.done("CreateLoadBalancer", &NETWORK)), arn);
    let mut other = NETWORK.to_vec();
    other.push(("Scheme", "internal"));
    aws.refused(
        "CreateLoadBalancer",
        &other,
        "DuplicateLoadBalancerName",
        "same name 'one' exists, but with different settings",
    );
    aws.refused(
        "DescribeLoadBalancers",
        &[("Names.member.1", "two")],
        "LoadBalancerNotFound",
        "Load balancers '[two]' not found",
    );
    aws.done("DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]);
    aws.done("DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]);
    assert!(!aws.done("DescribeLoadBalancers", &[]).contains(&arn));
}

#[test]
fn lists_come_in_pages_and_tags_belong_to_balancers() {
    let aws = Aws { sandbox: Sandbox::in_memory(), region: "eu-central-1" };
    let make = |name: &str| {
        arn(&aws.done(
            "CreateLoadBalancer",
            &[("Name", name), NETWORK[1], NETWORK[2], ("Tags.member.1.Key", "x"), ("Tags.member.1.Value", name)],
        ))
    };
    let (one, two) = (make("a"), make("b"));
    let first = aws.done("DescribeLoadBalancers", &[("PageSize", "1")]);
    let marker = first.split_once("<NextMarker>").unwrap().1.split_once('<').unwrap().0;
    let second = aws.done("DescribeLoadBalancers", &[("PageSize", "1"), ("Marker", marker)]);
    assert!(first.contains(&one) && second.contains(&two) && !second.contains("NextMarker"));
    aws.done("AddTags", &[("ResourceArns.member.1", &one), ("Tags.member.1.Key", "y"), ("Tags.member.1.Value", "z")]);
    aws.done("RemoveTags", &[("ResourceArns.member.1", &one), ("TagKeys.member.1", "x")]);
    let tags = aws.done("DescribeTags", &[("ResourceArns.member.1", &one)]);
    assert!(tags.contains("<Key>y</Key><Value>z</Value>") && !tags.contains("<Key>x</Key>"), "{tags}");
    aws.refused("DescribeTags", &[("ResourceArns.member.1", "arn:x")], "LoadBalancerNotFound", "arn:x");
    for name in ["-a", "internal-a", "a_b", &"a".repeat(33)] {
        aws.refused(
            "CreateLoadBalancer",
            &[("Name", name), NETWORK[1], NETWORK[2]],
            "ValidationError",
            "The load balancer name",
        );
    }
    aws.refused("CreateLoadBalancer", &[("Name", "c"), NETWORK[2]], "ValidationError", "At least two subnets");
    let (status, body) = aws.call("CreateTargetGroup", &[]);
    assert!(status == 400 && body.contains("InvalidAction"), "{body}");
}

#[test]
fn listeners_belong_to_their_load_balancer() {
    let aws = Aws { sandbox: Sandbox::in_memory(), region: "eu-central-1" };
    let balancer = arn(&aws.done("CreateLoadBalancer", &NETWORK));
    let at = |port: &'static str| {
        [
            ("LoadBalancerArn", balancer.as_str()),
            ("Protocol", "TCP"),
            ("Port", port),
            ("DefaultActions.member.1.Type", "redirect"),
            ("DefaultActions.member.1.RedirectConfig.StatusCode", "HTTP_301"),
        ]
    };
    let made = aws.done("CreateListener", &at("80"));
    let listener = made.split("<ListenerArn>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(listener.starts_with(&balancer.replace(":loadbalancer/", ":listener/")), "{listener}");
    aws.refused("CreateListener", &at("80"), "DuplicateListener", "already exists on this port");
    aws.done("CreateListener", &at("81"));
    let mut secure = at("443");
    secure[1] = ("Protocol", "TLS");
    aws.refused("CreateListener", &secure, "CertificateNotFound", "A certificate must be specified");
    secure[1] = ("Protocol", "HTTPS");
    aws.refused("CreateListener", &secure, "ValidationError", "must be one of 'TCP, TLS, UDP, TCP_UDP'");
    let of = [("LoadBalancerArn", balancer.as_str())];
    let all = aws.done("DescribeListeners", &of);
    assert_eq!(all.matches("<ListenerArn>").count(), 2, "{all}");
    let first = aws.done("DescribeListeners", &[of[0], ("PageSize", "1")]);
    assert!(first.matches("<ListenerArn>").count() == 1 && first.contains("<NextMarker>"), "{first}");
    aws.done("DeleteListener", &[("ListenerArn", &listener)]);
    aws.refused("DeleteListener", &[("ListenerArn", &listener)], "ListenerNotFound", "not found");
    aws.refused("DescribeListeners", &[], "ValidationError", "You must specify either");
    aws.done("DeleteLoadBalancer", &of);
    aws.refused("DescribeListeners", &of, "LoadBalancerNotFound", "not found");
}

#[test]
fn a_vpc_link_holds_its_load_balancer() {
    let aws = Aws { sandbox: Sandbox::in_memory(), region: "eu-central-1" };
    let arn = arn(&aws.done("CreateLoadBalancer", &NETWORK));
    let link = json!({ "name": "l", "targetArns": [arn] });
    let made = aws.sandbox.handle(Request {
        method: "POST".into(),
        path: "/vpclinks".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: link.to_string().into_bytes().into(),
        caller: aws.caller("apigateway"),
    });
    assert_eq!(made.status, 202);
    aws.refused(
        "DeleteLoadBalancer",
        &[("LoadBalancerArn", &arn)],
        "ResourceInUse",
        "currently associated with another service",
    );
}
