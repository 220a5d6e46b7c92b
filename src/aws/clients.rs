//! One client per service, with what every call has in common: its turn, its declaration, the check of its answer.

use aws_config::SdkConfig;

use super::answers::Sound;
use super::calls::Declared;
use super::connection::Connection;
use super::pace::Paced;
use super::{ec2, endpoint, guard};

/// One client per service.
#[derive(Debug, Clone)]
pub struct Clients {
    /// API Gateway, REST APIs.
    pub apigateway: aws_sdk_apigateway::Client,
    /// API Gateway, HTTP APIs.
    pub apigatewayv2: aws_sdk_apigatewayv2::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Resource Groups Tagging.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// Security Token Service.
    pub sts: aws_sdk_sts::Client,
    /// AWS WAF.
    pub wafv2: aws_sdk_wafv2::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Certificate Manager.
    pub acm: aws_sdk_acm::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// Load balancers.
    pub elbv2: aws_sdk_elasticloadbalancingv2::Client,
    /// EC2: security groups and what stands around them.
    pub ec2: ec2::Client,
    /// Data Firehose.
    pub firehose: aws_sdk_firehose::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// CloudTrail.
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    /// Simple Notification Service.
    pub sns: aws_sdk_sns::Client,
    /// Service Quotas.
    pub quotas: aws_sdk_servicequotas::Client,
}

impl Clients {
    pub(super) fn new(
        config: &SdkConfig,
        connection: &Connection,
        paced: &dyn Fn(&'static str) -> Paced,
        read_only: bool,
    ) -> Self {
        let declared = Declared(connection.notebook.clone());
        macro_rules! client {
            ($service:ident, $signs:literal) => {{
                let paced = paced($signs);
                let mut builder = $service::config::Builder::from(config)
                    .interceptor(paced.clone())
                    .interceptor(declared.clone())
                    .interceptor(Sound::default())
                    .retry_classifier(Paced::refusals())
                    .retry_partition(paced.partition())
                    .auth_scheme_resolver(paced);
                if read_only {
                    builder = builder.interceptor(guard::ReadOnly);
                }
                $service::Client::from_conf(builder.build())
            }};
        }
        Self {
            apigateway: client!(aws_sdk_apigateway, "apigateway"),
            lambda: client!(aws_sdk_lambda, "lambda"),
            apigatewayv2: client!(aws_sdk_apigatewayv2, "apigateway"),
            iam: client!(aws_sdk_iam, "iam"),
            logs: client!(aws_sdk_cloudwatchlogs, "logs"),
            tagging: client!(aws_sdk_resourcegroupstagging, "tagging"),
            sts: client!(aws_sdk_sts, "sts"),
            wafv2: client!(aws_sdk_wafv2, "wafv2"),
            cloudwatch: client!(aws_sdk_cloudwatch, "monitoring"),
            acm: client!(aws_sdk_acm, "acm"),
            route53: client!(aws_sdk_route53, "route53"),
            elbv2: client!(aws_sdk_elasticloadbalancingv2, "elasticloadbalancing"),
            ec2: ec2::Client::new(config, read_only, declared.clone()),
            firehose: client!(aws_sdk_firehose, "firehose"),
            s3: s3(config, read_only, declared.clone()),
            cloudtrail: client!(aws_sdk_cloudtrail, "cloudtrail"),
            sns: client!(aws_sdk_sns, "sns"),
            quotas: client!(aws_sdk_servicequotas, "servicequotas"),
        }
    }
}

/// S3 takes the name of a bucket into the host, `logs.s3.eu-central-1.amazonaws.com`. Of another endpoint it would make
/// `logs.localhost` or `logs.minio.example`, which no DNS may know: there, the name goes into the path.
fn s3(config: &SdkConfig, read_only: bool, declared: Declared) -> aws_sdk_s3::Client {
    let elsewhere = endpoint::of(config, "S3").is_some();
    let builder = aws_sdk_s3::config::Builder::from(config).force_path_style(elsewhere);
    let mut builder = builder.interceptor(declared).interceptor(Sound::default());
    if read_only {
        builder = builder.interceptor(guard::ReadOnly);
    }
    aws_sdk_s3::Client::from_conf(builder.build())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_credential_types::Credentials;
    use aws_smithy_runtime_api::client::http::{HttpConnectorFuture, SharedHttpConnector, http_client_fn};
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::model::Place;

    /// The URL that a read of a bucket goes to.
    async fn url_of_bucket(endpoint: Option<&str>) -> String {
        #[derive(Debug, Clone)]
        struct Listening(Arc<Mutex<String>>);
        impl aws_smithy_runtime_api::client::http::HttpConnector for Listening {
            fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
                request.uri().clone_into(&mut self.0.lock().unwrap());
                let status = 404.try_into().expect("a status");
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
            }
        }
        let listening = Listening(Arc::default());
        let connector = listening.clone();
        let client = http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
        let place = Place { account: "111122223333".into(), region: "eu-central-1".into(), partition: "aws".into() };
        let transport = Some((client, Credentials::new("AKIA", "x", None, None, "test")));
        let endpoint_url = endpoint.map(str::to_owned);
        let connection = Connection { region: place.region.clone(), transport, endpoint_url, ..Connection::default() };
        let aws = connection.open(&place).await.unwrap();
        let _ = aws.read.clients.s3.get_bucket_tagging().bucket("logs").send().await;
        let url = listening.0.lock().unwrap();
        url.clone()
    }

    #[tokio::test]
    async fn only_aws_gets_the_name_of_a_bucket_in_its_host() {
        assert_eq!(url_of_bucket(None).await, "https://logs.s3.eu-central-1.amazonaws.com/?tagging");
        for endpoint in ["http://127.0.0.1:4566", "http://localhost:4566", "http://minio.example"] {
            assert_eq!(url_of_bucket(Some(endpoint)).await, format!("{endpoint}/logs/?tagging"));
        }
    }
}
