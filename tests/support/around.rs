//! What an account has before gwctl comes.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum::Network;
use aws_sdk_firehose::types::ExtendedS3DestinationConfiguration;
use gwctl::aws::Aws;
use serde_json::json;

/// Makes load balancers, a VPC link, certificates, a Firehose stream and hosted zones; what is known of each by the name that
/// tables have for it.
pub(crate) async fn furnish(aws: &Aws) -> BTreeMap<&'static str, String> {
    let clients = &aws.write;
    let mut made = BTreeMap::new();
    for (key, name) in [("$balancer-one", "ingress-one"), ("$balancer-two", "ingress-two")] {
        let call = clients.elbv2.create_load_balancer().name(name).r#type(Network).subnets("subnet-0a1b2c3d");
        let balancer = call.send().await.unwrap().load_balancers.unwrap().remove(0);
        made.insert(key, balancer.load_balancer_arn.unwrap());
    }
    let link = clients.apigateway.create_vpc_link().name("shared").target_arns(&made["$balancer-one"]);
    made.insert("$link", link.send().await.unwrap().id.unwrap());
    let certificates = [
        ("$certificate-one", "*.example.com"),
        ("$certificate-two", "api.example.com"),
        ("$certificate", "*.example.org"),
    ];
    for (key, name) in certificates {
        let certificate = clients.acm.request_certificate().domain_name(name).send().await.unwrap();
        made.insert(key, certificate.certificate_arn.unwrap());
    }
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole",
    }]});
    let role = clients.iam.create_role().role_name("firehose").assume_role_policy_document(trust.to_string());
    let role = role.send().await.unwrap().role.unwrap().arn;
    let bucket = format!("arn:{}:s3:::logs", aws.place.partition);
    let destination = ExtendedS3DestinationConfiguration::builder().role_arn(role).bucket_arn(bucket);
    let stream = clients.firehose.create_delivery_stream().delivery_stream_name("aws-waf-logs-edge");
    let stream = stream.extended_s3_destination_configuration(destination.build().unwrap());
    Box::pin(stream.send()).await.unwrap();
    for name in ["example.com", "example.org"] {
        clients.route53.create_hosted_zone().name(name).caller_reference(name).send().await.unwrap();
    }
    made
}
