//! The client, against a transport that answers what it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;

use super::*;

/// Answers in order, the last one again and again, and remembers what it was asked.
#[derive(Debug, Clone)]
struct Script {
    answers: Arc<Vec<(u16, String)>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Debug, Clone)]
struct Asked {
    uri: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut asked = self.asked.lock().unwrap();
        let (status, body) = &self.answers[asked.len().min(self.answers.len() - 1)];
        asked.push(Asked {
            uri: request.uri().to_owned(),
            headers: request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap(),
        });
        let status = (*status).try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body.clone()))))
    }
}

impl HttpClient for Script {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn script(answers: &[(u16, &str)]) -> Script {
    let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    Script { answers: Arc::new(answers), asked: Arc::default() }
}

fn config(script: &Script, region: &'static str) -> aws_types::sdk_config::Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(region))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKIA", "secret", None, None, "test")))
        .app_name(aws_config::AppName::new("gwctl-test").unwrap())
        .http_client(script.clone())
}

fn client(script: &Script) -> Client {
    Client::new(&config(script, "cn-north-1").build(), false, Declared(None))
}

impl Script {
    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

const GROUPS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>1d62eae0-acdd-481d-88c9-example</requestId>
  <securityGroupInfo>
    <item>
      <ownerId>123456789012</ownerId>
      <groupId>sg-9bf6ceff</groupId>
      <groupName>a &amp; b</groupName>
      <groupDescription>for &lt;functions&gt;</groupDescription>
      <vpcId>vpc-31896b55</vpcId>
      <ipPermissions/>
      <ipPermissionsEgress>
        <item>
          <ipProtocol>-1</ipProtocol>
          <groups/>
          <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>
          <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6><description>all</description></item></ipv6Ranges>
          <prefixListIds/>
        </item>
        <item>
          <ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>
          <groups><item><userId>123456789012</userId><groupId>sg-1</groupId></item></groups>
          <ipRanges/><prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds>
        </item>
      </ipPermissionsEgress>
      <tagSet><item><key>Name</key><value>x</value></item><item><key>empty</key><value/></item></tagSet>
    </item>
  </securityGroupInfo>
  <nextToken>abc</nextToken>
</DescribeSecurityGroupsResponse>"#;

const NONE: &str = "<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>";

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{message}\
         </Message></Error></Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"
    )
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page() {
    let script = script(&[(200, GROUPS), (200, NONE)]);
    let all = client(&script).describe_security_groups(&[Filter::new("group-name", ["a & b"])]).await.unwrap();
    let [group] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((group.id.as_str(), group.name.as_str()), ("sg-9bf6ceff", "a & b"));
    assert_eq!((group.description.as_str(), group.vpc_id.as_str()), ("for <functions>", "vpc-31896b55"));
    assert!(group.ingress.is_empty());
    let rules: Vec<_> = group.egress.iter().map(|rule| (rule.from_port, rule.peer.as_str())).collect();
    assert_eq!(rules, [(None, "0.0.0.0/0"), (None, "::/0"), (Some(443), "sg-1"), (Some(443), "pl-1")]);
    assert_eq!(group.egress[1].description.as_deref(), Some("all"));
    assert_eq!(group.tags, BTreeMap::from([("Name".into(), "x".into()), ("empty".into(), String::new())]));
    let asked = script.asked();
    assert_eq!(asked.len(), 2);
    assert!(!asked[0].body.contains("NextToken") && asked[1].body.ends_with("NextToken=abc"), "{asked:?}");
}

#[tokio::test]
async fn a_call_is_signed_for_its_region_and_says_who_asks() {
    let script = script(&[(200, NONE)]);
    client(&script).describe_security_groups(&[]).await.unwrap();
    let [asked] = script.asked().try_into().unwrap();
    assert_eq!(asked.uri, "https://ec2.cn-north-1.amazonaws.com.cn/");
    assert!(asked.headers["authorization"].contains("/cn-north-1/ec2/aws4_request"), "{asked:?}");
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(asked.headers["user-agent"].contains("aws-sdk-rust"), "{asked:?}");
    assert!(asked.headers["x-amz-user-agent"].contains("app/gwctl-test"), "{asked:?}");
    assert_eq!(asked.body, "Action=DescribeSecurityGroups&Version=2016-11-15&MaxResults=1000");
}

#[tokio::test]
async fn another_endpoint_is_taken() {
    let script = script(&[(200, NONE)]);
    let config = config(&script, "us-east-1").endpoint_url("http://127.0.0.1:4566").build();
    Client::new(&config, false, Declared(None)).describe_security_groups(&[]).await.unwrap();
    assert_eq!(script.asked()[0].uri, "http://127.0.0.1:4566/");
}

#[tokio::test]
async fn a_refusal_keeps_ec2_s_code_and_words() {
    let body = refusal("InvalidGroup.NotFound", "The security group &apos;sg-1&apos; does not exist");
    let script = script(&[(400, &body)]);
    let error = client(&script).delete_security_group("sg-1").await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidGroup.NotFound"));
    assert_eq!(error.message(), Some("The security group 'sg-1' does not exist"));
    assert_eq!(script.asked().len(), 1, "nothing is retried that can't become better");
    let failure = crate::aws::failed("delete it", error);
    assert_eq!(
        failure.to_string(),
        "failed to delete it: InvalidGroup.NotFound: The security group 'sg-1' does not exist"
    );
}

#[tokio::test]
async fn throttles_and_broken_services_are_tried_again() {
    let throttled = refusal("RequestLimitExceeded", "Request limit exceeded.");
    let script = script(&[(503, &throttled), (500, "<html>"), (200, NONE)]);
    client(&script).describe_security_groups(&[]).await.unwrap();
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test]
async fn a_client_that_only_reads_sends_no_write() {
    let script = script(&[(200, NONE)]);
    let reading = Client::new(&config(&script, "us-east-1").build(), true, Declared(None));
    let error = reading.delete_security_group("sg-1").await.unwrap_err();
    let failure = crate::aws::failed("delete it", error).to_string();
    assert!(failure.contains("`DeleteSecurityGroup` was refused: this session only reads"), "{failure}");
    assert!(script.asked().is_empty());
    reading.describe_security_groups(&[]).await.unwrap();
}

#[tokio::test]
async fn tags_are_set_and_removed() {
    let script = script(&[(200, "<CreateTagsResponse><return>true</return></CreateTagsResponse>")]);
    let client = client(&script);
    client.create_tags("sg-1", &BTreeMap::from([("a".into(), "1".into())])).await.unwrap();
    client.delete_tags("sg-1", &["a".into(), "b".into()]).await.unwrap();
    let bodies: Vec<String> = script.asked().into_iter().map(|asked| asked.body).collect();
    assert!(bodies[0].ends_with("ResourceId.1=sg-1&Tag.1.Key=a&Tag.1.Value=1"), "{bodies:?}");
    assert!(bodies[1].ends_with("ResourceId.1=sg-1&Tag.1.Key=a&Tag.2.Key=b"), "{bodies:?}");
}

#[tokio::test]
async fn answers_that_make_no_sense_are_errors() {
    let odd = "<DescribeSecurityGroupsResponse><other/></DescribeSecurityGroupsResponse>";
    for body in ["", "{}", "<html>", odd, "<A><securityGroupInfo><item>"] {
        let script = script(&[(200, body)]);
        let answer = client(&script).describe_security_groups(&[]).await;
        assert!(answer.is_err() || body.starts_with("<A>"), "{body}: {answer:?}");
    }
    let script = script(&[(200, "<R><return>false</return></R>")]);
    assert!(client(&script).delete_security_group("sg-1").await.is_err());
    let script = self::script(&[(502, "<html>bad gateway</html>")]);
    let error = client(&script).delete_security_group("sg-1").await.unwrap_err();
    assert_eq!(error.code(), None);
}
