use super::*;
use crate::sandbox::world::World;

const NOW: f64 = 1_795_300_000.0;

/// A request from eu-central-1.
pub(super) fn request(method: &str, path: &str, query: &[(&str, &str)], body: &str) -> Request {
    Request {
        method: method.into(),
        path: path.into(),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        headers: Vec::new(),
        body: bytes::Bytes::copy_from_slice(body.as_bytes()),
        caller: Caller {
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            service: "s3".into(),
            access_key: "123456789012".into(),
        },
    }
}

#[derive(Default)]
struct Bench(World);

impl Bench {
    fn carry_out(&mut self, request: &Request) -> (u16, String) {
        let Caller { account, region, .. } = &request.caller;
        let response = handle(&mut self.0.view(account, region, NOW), request);
        (response.status, String::from_utf8_lossy(&response.body).into_owned())
    }

    fn send(&mut self, method: &str, path: &str, query: &[(&str, &str)], body: &str) -> (u16, String) {
        self.carry_out(&request(method, path, query, body))
    }

    fn ok(&mut self, method: &str, path: &str, query: &[(&str, &str)], body: &str) -> String {
        let (status, answer) = self.send(method, path, query, body);
        assert!((200..300).contains(&status), "{method} {path} {query:?}: {status} {answer}");
        answer
    }

    fn refused(&mut self, method: &str, path: &str, sub: &str, body: &str, expected: (u16, &str)) {
        let query: &[(&str, &str)] = if sub.is_empty() { &[] } else { &[(sub, "")] };
        let (status, answer) = self.send(method, path, query, body);
        let code = format!("<Code>{}</Code>", expected.1);
        assert!(status == expected.0 && answer.contains(&code), "{method} {path} {sub}: {status} {answer}");
    }

    fn made() -> Self {
        let mut bench = Self::default();
        bench.ok("PUT", "/law-bucket", &[], &constraint("eu-central-1", ""));
        bench
    }
}

fn constraint(region: &str, more: &str) -> String {
    format!(
        "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>{more}</CreateBucketConfiguration>"
    )
}

#[test]
fn names_are_global_and_buckets_are_of_one_region() {
    let mut bench = Bench::made();
    bench.refused("PUT", "/law-bucket", "", &constraint("eu-central-1", ""), (409, "BucketAlreadyOwnedByYou"));
    bench.refused("PUT", "/second", "", "", (400, "IllegalLocationConstraintException"));
    bench.refused("PUT", "/second", "", &constraint("us-east-1", ""), (400, "InvalidLocationConstraint"));
    bench.refused("PUT", "/second", "", &constraint("eu-west-1", ""), (400, "IllegalLocationConstraintException"));
    for wrong in ["/ab", "/Upper", "/under_score", "/-dash", "/a..b", "/192.0.2.1", "/xn--abc", "/abc-s3alias"] {
        bench.refused("PUT", wrong, "", &constraint("eu-central-1", ""), (400, "InvalidBucketName"));
    }
    let mut other = request("PUT", "/law-bucket", &[], &constraint("eu-central-1", ""));
    other.caller.account = "210987654321".into();
    assert!(bench.carry_out(&other).1.contains("<Code>BucketAlreadyExists</Code>"));
    other.method = "GET".into();
    other.query = vec![("tagging".into(), String::new())];
    assert_eq!(bench.carry_out(&other).0, 403);
    let mut away = request("GET", "/law-bucket", &[("tagging", "")], "");
    away.caller.region = "us-east-1".into();
    let (status, answer) = bench.carry_out(&away);
    assert!(status == 301 && answer.contains("PermanentRedirect"), "{answer}");
    // Another partition has names of its own.
    let mut china = request("PUT", "/law-bucket", &[], &constraint("cn-north-1", ""));
    china.caller.region = "cn-north-1".into();
    assert_eq!(bench.carry_out(&china).0, 200);
    let location = bench.ok("GET", "/law-bucket", &[("location", "")], "");
    assert!(location.ends_with(">eu-central-1</LocationConstraint>"), "{location}");
    // In the first Region a second create is no error.
    for _ in 0..2 {
        let mut first = request("PUT", "/first-bucket", &[], "");
        first.caller.region = "us-east-1".into();
        assert_eq!(bench.carry_out(&first).0, 200);
    }
    let mut expecting = request("GET", "/law-bucket", &[("location", "")], "");
    expecting.headers.push(("x-amz-expected-bucket-owner".into(), "210987654321".into()));
    assert_eq!(bench.carry_out(&expecting).0, 403);
    let all = bench.ok("GET", "/", &[], "");
    assert!(all.contains("<Name>first-bucket</Name>") && all.contains("<Name>law-bucket</Name>"), "{all}");
}

#[test]
fn a_bucket_is_born_closed_encrypted_and_tagged() {
    let mut bench = Bench::default();
    let tags = "<Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags>";
    bench.ok("PUT", "/born", &[], &constraint("eu-central-1", tags));
    assert!(bench.ok("GET", "/born", &[("tagging", "")], "").contains("<Key>a</Key><Value>1</Value>"));
    let block = bench.ok("GET", "/born", &[("publicAccessBlock", "")], "");
    assert_eq!(block.matches("true").count(), 4, "{block}");
    assert!(bench.ok("GET", "/born", &[("ownershipControls", "")], "").contains("BucketOwnerEnforced"));
    assert!(bench.ok("GET", "/born", &[("encryption", "")], "").contains("<SSEAlgorithm>AES256</SSEAlgorithm>"));
    assert!(!bench.ok("GET", "/born", &[("versioning", "")], "").contains("Status"));
    assert!(!bench.ok("GET", "/born", &[("logging", "")], "").contains("LoggingEnabled"));
    bench.refused("GET", "/born", "policy", "", (404, "NoSuchBucketPolicy"));
    bench.refused("GET", "/born", "lifecycle", "", (404, "NoSuchLifecycleConfiguration"));
    bench.refused("GET", "/none", "tagging", "", (404, "NoSuchBucket"));
    bench.ok("DELETE", "/born", &[("tagging", "")], "");
    bench.refused("GET", "/born", "tagging", "", (404, "NoSuchTagSet"));
    assert_eq!(bench.send("HEAD", "/born", &[], "").0, 200);
    assert_eq!(bench.send("HEAD", "/none", &[], ""), (404, String::new()));
}

#[test]
fn documents_are_checked_kept_and_shown() {
    let mut bench = Bench::made();
    let b = "/law-bucket";
    let kms = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms\
               </SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>\
               </ServerSideEncryptionConfiguration>";
    bench.ok("PUT", b, &[("encryption", "")], kms);
    let shown = bench.ok("GET", b, &[("encryption", "")], "");
    assert!(shown.contains("<KMSMasterKeyID>key<") && shown.contains("<BucketKeyEnabled>false<"), "{shown}");
    let wrong = kms.replace("aws:kms", "AES256");
    bench.refused("PUT", b, "encryption", &wrong, (400, "InvalidArgument"));
    bench.refused("PUT", b, "encryption", "<Rule/>", (400, "MalformedXML"));
    let log = |to: &str| {
        format!(
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{to}</TargetBucket><TargetPrefix>log/</TargetPrefix>\
             </LoggingEnabled></BucketLoggingStatus>"
        )
    };
    bench.refused("PUT", b, "logging", &log("none"), (400, "InvalidTargetBucketForLogging"));
    bench.ok("PUT", b, &[("logging", "")], &log("law-bucket"));
    assert!(bench.ok("GET", b, &[("logging", "")], "").contains("<TargetPrefix>log/</TargetPrefix>"));
    bench.ok("PUT", b, &[("logging", "")], "<BucketLoggingStatus/>");
    assert!(!bench.ok("GET", b, &[("logging", "")], "").contains("TargetPrefix"));
    let rule = |days: &str| {
        format!(
            "<LifecycleConfiguration><Rule><ID>x</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
             <Expiration><Days>{days}</Days></Expiration></Rule></LifecycleConfiguration>"
        )
    };
    bench.refused("PUT", b, "lifecycle", &rule("0"), (400, "InvalidArgument"));
    let idle = "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/></Rule></LifecycleConfiguration>";
    bench.refused("PUT", b, "lifecycle", idle, (400, "InvalidRequest"));
    bench.ok("PUT", b, &[("lifecycle", "")], &rule("30"));
    assert!(bench.ok("GET", b, &[("lifecycle", "")], "").contains("<Days>30</Days>"));
    bench.ok("DELETE", b, &[("lifecycle", "")], "");
    let wrong = "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>";
    bench.refused("PUT", b, "versioning", wrong, (400, "IllegalVersioningConfigurationException"));
    bench.refused("PUT", b, "ownershipControls", "<OwnershipControls/>", (400, "MalformedXML"));
    bench.refused("GET", b, "acl", "", (501, "NotImplemented"));
    bench.refused("GET", b, "", "", (501, "NotImplemented"));
    let two = "<Tagging><TagSet><Tag><Key>a</Key><Value/></Tag><Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>";
    bench.refused("PUT", b, "tagging", two, (400, "InvalidTag"));
}

#[test]
fn policies_are_of_the_bucket_and_not_public() {
    let mut bench = Bench::made();
    let b = "/law-bucket";
    let policy = |resource: &str, more: &str| {
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"{resource}"{more}}}]}}"#
        )
    };
    let own = "arn:aws:s3:::law-bucket/*";
    bench.refused("PUT", b, "policy", "x", (400, "MalformedPolicy"));
    bench.refused("PUT", b, "policy", &policy("arn:aws:s3:::other/*", ""), (400, "MalformedPolicy"));
    bench.refused("PUT", b, "policy", &policy(own, ""), (403, "AccessDenied"));
    let narrow = policy(own, r#","Condition":{"StringEquals":{"aws:SourceAccount":"1"}}"#);
    bench.ok("PUT", b, &[("policy", "")], &narrow);
    assert_eq!(bench.ok("GET", b, &[("policy", "")], ""), narrow);
    bench.ok("DELETE", b, &[("publicAccessBlock", "")], "");
    bench.ok("PUT", b, &[("policy", "")], &policy(own, ""));
}

#[test]
fn a_bucket_with_versions_is_not_empty() {
    let mut bench = Bench::made();
    let b = "/law-bucket";
    bench.ok("PUT", "/law-bucket/a/b%20c", &[("x-id", "PutObject")], "text");
    bench.ok("PUT", "/law-bucket/a/d", &[], "text");
    bench.ok("PUT", "/law-bucket/e", &[], "text");
    assert_eq!(bench.ok("GET", "/law-bucket/a/b%20c", &[], ""), "text");
    bench.refused("DELETE", b, "", "", (409, "BucketNotEmpty"));
    let list = bench.ok("GET", b, &[("list-type", "2"), ("delimiter", "/")], "");
    assert!(list.contains("<CommonPrefixes><Prefix>a/</Prefix>") && list.contains("<Key>e</Key>"), "{list}");
    let page = bench.ok("GET", b, &[("list-type", "2"), ("max-keys", "1"), ("encoding-type", "url")], "");
    assert!(page.contains("<Key>a/b%20c</Key>") && page.contains("<IsTruncated>true</IsTruncated>"), "{page}");
    let next = [("list-type", "2"), ("continuation-token", "a/b c")];
    let page = bench.ok("GET", b, &next, "");
    assert!(!page.contains("b c<") && page.contains("<KeyCount>2</KeyCount>"), "{page}");
    for key in ["a/b%20c", "a/d", "e"] {
        bench.ok("DELETE", &format!("/law-bucket/{key}"), &[], "");
    }
    bench.refused("GET", "/law-bucket/e", "", "", (404, "NoSuchKey"));
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    bench.ok("PUT", b, &[("versioning", "")], on);
    bench.ok("PUT", "/law-bucket/e", &[], "one");
    bench.ok("PUT", "/law-bucket/e", &[], "two");
    bench.ok("DELETE", "/law-bucket/e", &[], "");
    assert!(bench.ok("GET", b, &[("list-type", "2")], "").contains("<KeyCount>0</KeyCount>"));
    let versions = bench.ok("GET", b, &[("versions", "")], "");
    assert_eq!((versions.matches("<Version>").count(), versions.matches("<DeleteMarker>").count()), (2, 1));
    assert!(versions.contains("<IsLatest>true</IsLatest>"), "{versions}");
    bench.refused("DELETE", b, "", "", (409, "BucketNotEmpty"));
    let ids: Vec<String> =
        bench.0.s3["aws"].buckets["law-bucket"].versions.iter().map(|version| version.id.clone()).collect();
    let page = bench.ok("GET", b, &[("versions", ""), ("max-keys", "2")], "");
    assert!(page.contains(&format!("<NextVersionIdMarker>{}<", ids[1])), "{page}");
    let rest = [("versions", ""), ("key-marker", "e"), ("version-id-marker", ids[1].as_str())];
    assert_eq!(bench.ok("GET", b, &rest, "").matches("<Version>").count(), 1);
    assert_eq!(bench.ok("GET", "/law-bucket/e", &[("versionId", &ids[0])], ""), "one");
    for id in ids {
        bench.ok("DELETE", "/law-bucket/e", &[("versionId", &id)], "");
    }
    bench.ok("DELETE", b, &[], "");
    bench.refused("DELETE", b, "", "", (404, "NoSuchBucket"));
}
