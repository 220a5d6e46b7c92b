use serde_json::json;

use super::*;
use crate::sandbox::world::World;

/// 2026-11-22
const NOW: f64 = 1_795_300_000.0;

struct Bench {
    world: World,
    region: &'static str,
}

impl Bench {
    /// With a role that Firehose may assume.
    fn new(region: &'static str) -> Self {
        let mut bench = Self { world: World::default(), region };
        let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "Service": "firehose.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "CreateRole")
            .append_pair("Version", "2010-05-08")
            .append_pair("RoleName", "delivery")
            .append_pair("AssumeRolePolicyDocument", &trust.to_string())
            .finish();
        let mut request = bench.request("", body);
        request.headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
        let response = crate::sandbox::iam::handle(&mut bench.world.view("123456789012", region, NOW), &request);
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        bench
    }

    fn partition(&self) -> &'static str {
        crate::sandbox::wire::partition(self.region)
    }

    fn role(&self) -> String {
        format!("arn:{}:iam::123456789012:role/delivery", self.partition())
    }

    fn request(&self, operation: &str, body: String) -> Request {
        Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers: vec![("x-amz-target".into(), format!("Firehose_20150804.{operation}"))],
            body: body.into(),
            caller: Caller {
                account: "123456789012".into(),
                region: self.region.into(),
                service: "firehose".into(),
                access_key: "123456789012".into(),
            },
        }
    }

    fn send(&mut self, operation: &str, body: &Value) -> (u16, Value) {
        let request = self.request(operation, body.to_string());
        let response = handle(&mut self.world.view("123456789012", self.region, NOW), &request);
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

    fn stream(&self, name: &str) -> Value {
        json!({ "DeliveryStreamName": name, "ExtendedS3DestinationConfiguration":
            { "RoleARN": self.role(), "BucketARN": format!("arn:{}:s3:::logs", self.partition()) } })
    }

    fn described(&mut self, name: &str) -> Value {
        self.ok("DescribeDeliveryStream", &json!({ "DeliveryStreamName": name }))["DeliveryStreamDescription"].take()
    }
}

#[test]
fn a_stream_is_made_with_what_is_taken_for_granted() {
    let mut bench = Bench::new("cn-north-1");
    let arn = "arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/aws-waf-logs-a";
    let made = bench.ok("CreateDeliveryStream", &bench.stream("aws-waf-logs-a"));
    assert_eq!(made, json!({ "DeliveryStreamARN": arn }));
    let shown = bench.described("aws-waf-logs-a");
    assert_eq!(
        (&shown["DeliveryStreamStatus"], &shown["VersionId"], &shown["DeliveryStreamType"]),
        (&json!("ACTIVE"), &json!("1"), &json!("DirectPut"))
    );
    let extended = &shown["Destinations"][0]["ExtendedS3DestinationDescription"];
    assert_eq!(
        extended,
        &json!({
            "RoleARN": bench.role(), "BucketARN": "arn:aws-cn:s3:::logs", "Prefix": "",
            "BufferingHints": { "SizeInMBs": 5, "IntervalInSeconds": 300 }, "CompressionFormat": "UNCOMPRESSED",
            "EncryptionConfiguration": { "NoEncryptionConfig": "NoEncryption" },
            "CloudWatchLoggingOptions": { "Enabled": false }, "S3BackupMode": "Disabled",
        })
    );
    let stream = bench.stream("aws-waf-logs-a");
    bench.refused("CreateDeliveryStream", &stream, "ResourceInUseException", "already exists");
    bench.ok("DeleteDeliveryStream", &json!({ "DeliveryStreamName": "aws-waf-logs-a" }));
    let gone = json!({ "DeliveryStreamName": "aws-waf-logs-a" });
    bench.refused("DescribeDeliveryStream", &gone, "ResourceNotFoundException", "under account 123456789012 not found");
    bench.refused("DeleteDeliveryStream", &gone, "ResourceNotFoundException", "not found");
}

#[test]
fn an_update_merges_and_needs_the_current_version() {
    let mut bench = Bench::new("eu-central-1");
    bench.ok("CreateDeliveryStream", &bench.stream("s"));
    let update = |version: &str, update: Value| {
        json!({ "DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": version,
            "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": update })
    };
    bench.ok("UpdateDestination", &update("1", json!({ "Prefix": "a/", "CompressionFormat": "GZIP" })));
    bench.ok("UpdateDestination", &update("2", json!({ "Prefix": "b/" })));
    let shown = bench.described("s");
    let extended = &shown["Destinations"][0]["ExtendedS3DestinationDescription"];
    assert_eq!((&extended["Prefix"], &extended["CompressionFormat"]), (&json!("b/"), &json!("GZIP")));
    assert_eq!((&shown["VersionId"], &shown["LastUpdateTimestamp"]), (&json!("3"), &json!(NOW)));
    let stale = update("2", json!({ "Prefix": "c/" }));
    bench.refused("UpdateDestination", &stale, "ConcurrentModificationException", "current version id: 3");
}

#[test]
fn what_is_wrong_is_refused() {
    let mut bench = Bench::new("eu-central-1");
    for (member, value, code, words) in [
        ("RoleARN", json!("arn:aws:iam::123456789012:role/none"), "InvalidArgumentException", "unable to assume role"),
        ("RoleARN", Value::Null, "ValidationException", "extendedS3DestinationConfiguration.roleARN"),
        ("BucketARN", json!("logs"), "ValidationException", "'bucketARN'"),
        ("BufferingHints", json!({ "SizeInMBs": 5 }), "InvalidArgumentException", "both"),
        (
            "BufferingHints",
            json!({ "SizeInMBs": 129, "IntervalInSeconds": 60 }),
            "ValidationException",
            "between 1 and 128",
        ),
        ("CompressionFormat", json!("gzip"), "ValidationException", "compressionFormat"),
        ("Prefix", json!("!{timestamp:yyyy}/"), "InvalidArgumentException", "ErrorOutputPrefix"),
        ("ErrorOutputPrefix", json!("!{timestamp:yyyy}/"), "InvalidArgumentException", "error-output-type"),
        ("S3BackupMode", json!("Enabled"), "InvalidArgumentException", "no backups"),
        ("CloudWatchLoggingOptions", json!({ "Enabled": true }), "InvalidArgumentException", "LogGroupName"),
        ("Shape", json!("round"), "ValidationException", "does not support Shape"),
    ] {
        let mut stream = bench.stream("s");
        stream["ExtendedS3DestinationConfiguration"][member] = value;
        bench.refused("CreateDeliveryStream", &stream, code, words);
    }
    let mut stream = bench.stream("no spaces");
    bench.refused("CreateDeliveryStream", &stream, "ValidationException", "deliveryStreamName");
    stream = bench.stream("s");
    stream["DeliveryStreamType"] = json!("KinesisStreamAsSource");
    bench.refused("CreateDeliveryStream", &stream, "InvalidArgumentException", "no streams of type");
    stream = bench.stream("s");
    stream["DeliveryStreamEncryptionConfigurationInput"] = json!({ "KeyType": "CUSTOMER_MANAGED_CMK" });
    bench.refused("CreateDeliveryStream", &stream, "InvalidArgumentException", "KeyARN");
    let nothing = json!({ "DeliveryStreamName": "s" });
    bench.refused("CreateDeliveryStream", &nothing, "InvalidArgumentException", "destination configuration");
    bench.refused("PutRecord", &nothing, "UnknownOperationException", "Firehose_20150804.PutRecord");
    assert!(bench.world.accounts["123456789012"].regions["eu-central-1"].firehose.streams.is_empty());
}

#[test]
fn streams_are_encrypted_tagged_and_listed_by_pages() {
    let mut bench = Bench::new("eu-central-1");
    for name in ["c", "a", "b"] {
        bench.ok("CreateDeliveryStream", &bench.stream(name));
    }
    let page = bench.ok("ListDeliveryStreams", &json!({ "Limit": 2 }));
    assert_eq!(page, json!({ "DeliveryStreamNames": ["a", "b"], "HasMoreDeliveryStreams": true }));
    let page = bench.ok("ListDeliveryStreams", &json!({ "ExclusiveStartDeliveryStreamName": "b" }));
    assert_eq!(page, json!({ "DeliveryStreamNames": ["c"], "HasMoreDeliveryStreams": false }));
    let a = json!({ "DeliveryStreamName": "a" });
    bench.ok("StartDeliveryStreamEncryption", &a);
    let encryption = bench.described("a")["DeliveryStreamEncryptionConfiguration"].take();
    assert_eq!(encryption, json!({ "KeyType": "AWS_OWNED_CMK", "Status": "ENABLED" }));
    bench.ok("StopDeliveryStreamEncryption", &a);
    assert_eq!(bench.described("a")["DeliveryStreamEncryptionConfiguration"], json!({ "Status": "DISABLED" }));
    let tags = json!([{ "Key": "x", "Value": "1" }, { "Key": "y" }, { "Key": "z", "Value": "3" }]);
    bench.ok("TagDeliveryStream", &json!({ "DeliveryStreamName": "a", "Tags": tags }));
    bench.ok("UntagDeliveryStream", &json!({ "DeliveryStreamName": "a", "TagKeys": ["z"] }));
    let page = bench.ok("ListTagsForDeliveryStream", &json!({ "DeliveryStreamName": "a", "Limit": 1 }));
    assert_eq!(page, json!({ "Tags": [{ "Key": "x", "Value": "1" }], "HasMoreTags": true }));
    let rest = json!({ "DeliveryStreamName": "a", "ExclusiveStartTagKey": "x" });
    let page = bench.ok("ListTagsForDeliveryStream", &rest);
    assert_eq!(page, json!({ "Tags": [{ "Key": "y", "Value": "" }], "HasMoreTags": false }));
    let reserved = json!({ "DeliveryStreamName": "a", "Tags": [{ "Key": "aws:x", "Value": "1" }] });
    bench.refused("TagDeliveryStream", &reserved, "InvalidArgumentException", "reserved");
    let region = &bench.world.accounts["123456789012"].regions["eu-central-1"];
    assert_eq!(region.firehose.tagged().len(), 1);
}
