//! Where AWS's console shows a resource.
//!
//! The console documents no addresses. These are the ones it leads to itself (seen in 2024 and 2025); that they stay is a guess, and a
//! wrong one costs a click.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{Observed, Place};

/// The console of a Region. That of China has one host for all Regions, and `GovCloud` another one.
fn host(place: &Place) -> String {
    match place.partition.as_str() {
        "aws-cn" => "https://console.amazonaws.cn".to_owned(),
        "aws-us-gov" => "https://console.amazonaws-us-gov.com".to_owned(),
        _ => format!("https://{}.console.aws.amazon.com", place.region),
    }
}

/// What is encoded in a path: all but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as part of a path.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A name behind the `#` of `CloudWatch`'s pages: encoded twice, `$` for `%`.
fn fragment(text: &str) -> String {
    encoded(&encoded(text)).replace('%', "$")
}

/// The page of a resource that is ours, if its kind has one.
#[must_use]
pub fn link(place: &Place, live: &Observed) -> Option<String> {
    let (kind, region, name) = (live.address()?.kind(), place.region.as_str(), live.name.as_str());
    let output = |name: &str| live.outputs.get(name);
    let parent = |field: &str| live.spec.get(field).and_then(serde_json::Value::as_str);
    let path = match kind {
        "rest-api" => {
            let id = output("id")?;
            format!("apigateway/main/apis/{id}/resources?api={id}&region={region}")
        }
        "stage" | "deployment" => {
            let api = parent("rest_api")?;
            format!("apigateway/main/apis/{api}/stages?api={api}&region={region}")
        }
        "http-api" => {
            let id = output("id")?;
            format!("apigateway/main/api-detail?api={id}&region={region}")
        }
        "http-stage" => {
            let api = parent("api")?;
            format!("apigateway/main/stages?api={api}&region={region}")
        }
        "vpc-link" | "http-vpc-link" => format!("apigateway/main/vpc-links/list?region={region}"),
        "domain-name" => format!("apigateway/main/publish/domain-names?domain={}&region={region}", encoded(name)),
        "lambda-function" => format!("lambda/home?region={region}#/functions/{}", encoded(name)),
        "log-group" | "execution-log-group" => {
            format!("cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}", fragment(name))
        }
        "alarm" => format!("cloudwatch/home?region={region}#alarmsV2:alarm/{}", encoded(name)),
        "iam-role" => format!("iam/home#/roles/details/{}", encoded(name)),
        "security-group" => format!("ec2/home?region={region}#SecurityGroup:groupId={}", output("id")?),
        "web-acl" => format!("wafv2/homev2/web-acl/{}/{}/overview?region={region}", encoded(name), output("id")?),
        "s3-bucket" => format!("s3/buckets/{}?region={region}", encoded(name)),
        "hosted-zone" => format!("route53/v2/hostedzones#ListRecordSets/{}", output("id")?),
        "firehose-stream" => format!("firehose/home?region={region}#/details/{}/monitoring", encoded(name)),
        _ => return None,
    };
    Some(format!("{}/{path}", host(place)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Address, Outputs, Ownership};

    fn live(kind: &str, name: &str, outputs: &[(&str, &str)]) -> Observed {
        Observed {
            name: name.into(),
            within: None,
            spec: json!({"rest_api": "abc"}),
            outputs: outputs.iter().copied().collect::<Outputs>(),
            ownership: Ownership::Ours { address: Address::new("gate", kind, "x"), digest: None },
            created: None,
            in_use_by: None,
        }
    }

    #[test]
    fn the_console_is_that_of_the_partition() {
        let place = |region: &str, partition: &str| Place {
            account: "1".into(),
            region: region.into(),
            partition: partition.into(),
        };
        let api = live("rest-api", "a", &[("id", "abc")]);
        assert_eq!(
            link(&place("eu-west-1", "aws"), &api).unwrap(),
            "https://eu-west-1.console.aws.amazon.com/apigateway/main/apis/abc/resources?api=abc&region=eu-west-1"
        );
        let china = place("cn-north-1", "aws-cn");
        assert!(link(&china, &api).unwrap().starts_with("https://console.amazonaws.cn/apigateway/"));
        assert_eq!(
            link(&china, &live("log-group", "/aws/lambda/f", &[])).unwrap(),
            "https://console.amazonaws.cn/cloudwatch/home?region=cn-north-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Ff"
        );
        assert!(link(&china, &live("stage", "dev", &[])).unwrap().contains("/apis/abc/stages?"));
        assert_eq!(link(&china, &live("dns-record", "a", &[])), None);
    }

    #[test]
    fn what_is_nobodys_has_no_page() {
        let place = Place { account: "1".into(), region: "eu-west-1".into(), partition: "aws".into() };
        let other = Observed { ownership: Ownership::Nobody, ..live("rest-api", "a", &[("id", "abc")]) };
        assert_eq!(link(&place, &other), None);
    }
}
