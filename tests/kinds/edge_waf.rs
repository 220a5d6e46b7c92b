//! AWS WAF before a load balancer, with its rule group, its logs in a bucket and the delivery stream on the way there; where
//! others have a hand in them, too, or answers are lost.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_wafv2::types::Scope as WafScope;
use gwctl::error::FailureKind;
use gwctl::kinds::firehose_stream::spec::trust;
use gwctl::kinds::{Scope, Wanted};
use gwctl::model::{Address, Identity, Observed, Outputs, Owner, Ownership, without_nulls};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::Conditions;
use serde_json::{Value, json};

use crate::specs::{buckets, grouped_acl, ip_sets, roles, rule_groups, streams, web_acl_associations, web_acls};
use crate::support::project::{ENVIRONMENTS, Project};
use crate::support::{Session, world};
use crate::{Bench, laws, owner};

/// A session on a sandbox.
async fn session(sandbox: &Sandbox) -> (Project, Session) {
    let project = Project::new();
    let session = Session::open(project.root(), "product-a", "dev", sandbox).await;
    (project, session)
}

fn bench<'a>(session: &'a Session, kind: &str, spec: &Value) -> Bench<'a> {
    Bench::new(session, session.registry.kind(kind).unwrap(), spec)
}

fn arn(outputs: &Outputs) -> &str {
    outputs.get("arn").unwrap()
}

/// A role that Firehose may assume.
async fn role(session: &Session, name: &str) -> String {
    let mut role = roles().remove(0);
    role["name"] = json!(name);
    role["assume_role_policy"] = json!(trust(&session.place).unwrap());
    arn(&bench(session, "iam-role", &role).create_another(&role).await).to_owned()
}

/// A load balancer of somebody's.
async fn balancer(session: &Session, name: &str) -> String {
    use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum;
    let call = session.aws.write.elbv2.create_load_balancer().name(name).r#type(LoadBalancerTypeEnum::Application);
    let made = call.subnets("subnet-0a1b2c3d").subnets("subnet-9a8b7c6d").send().await.unwrap();
    made.load_balancers()[0].load_balancer_arn().unwrap().to_owned()
}

/// A web ACL without rules.
async fn acl(session: &Session, name: &str, of: &Owner) -> Observed {
    let mut spec = web_acls("", "").remove(2);
    (spec["name"], spec["rules"]) = (json!(name), json!({}));
    let spec = without_nulls(&spec);
    let mut bench = bench(session, "web-acl", &spec);
    bench.identity.owner = of.clone();
    bench.create_another(&spec).await;
    let wanted =
        vec![Wanted { address: bench.identity.address.clone(), name: Some(name.to_owned()), spec: spec.clone() }];
    let all = bench.kind.observe(&session.aws.read.anew(), &Scope { owner: of.clone(), wanted }).await.unwrap();
    all.into_iter().find(|one| one.name == name).unwrap()
}

async fn set(session: &Session) -> String {
    let spec = without_nulls(&ip_sets().remove(0));
    arn(&bench(session, "ip-set", &spec).create_another(&spec).await).to_owned()
}

/// The ARN of the web ACL that stands before a load balancer.
async fn before(session: &Session, balancer: &str) -> Option<String> {
    let answer = session.aws.write.wafv2.get_web_acl_for_resource().resource_arn(balancer).send().await.unwrap();
    answer.web_acl.map(|acl| acl.arn)
}

#[tokio::test(start_paused = true)]
pub(crate) async fn rule_groups_keep_the_laws() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let set = set(&session).await;
    laws(&session, "wafv2-rule-group", &rule_groups(&set), &[]).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn delivery_streams_keep_the_laws() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let roles = [role(&session, "one").await, role(&session, "two").await];
    let specs = streams("aws-waf-logs-law", [&roles[0], &roles[1]]);
    // What gwctl makes none of is read so that it is seen.
    laws(&session, "firehose-stream", &specs, &["foreign_settings"]).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn buckets_keep_the_laws() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    // What is not as gwctl makes it is read so that it is seen.
    laws(&session, "s3-bucket", &buckets(&session.place, "aws-waf-logs-law"), &["foreign_settings"]).await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn associations_keep_the_laws() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let acls = [acl(&session, "one", &owner()).await, acl(&session, "two", &owner()).await];
    let specs = web_acl_associations(&balancer(&session, "orders").await, acls.each_ref().map(|one| arn(&one.outputs)));
    let kind = session.registry.kind("web-acl-association").unwrap();
    let bench = Bench::new(&session, kind, &specs[0]);
    let outputs = bench.create(&specs[0]).await;
    bench.record(&specs[0], &outputs).await;
    // Another web ACL: the output that names it changes with it.
    for (from, to) in [(0, 1), (1, 0)] {
        let live = bench.assert_is(&specs[from], "before an update").await;
        let outputs = kind.update(&session.aws, &live, &specs[to]).await.unwrap();
        bench.record(&specs[to], &outputs).await;
        assert_eq!(bench.assert_is(&specs[to], "after an update").await.outputs, outputs);
    }
    let schema = kind.schema().to_value();
    assert_eq!(schema["properties"].as_object().unwrap().len(), 2, "every field is changed or forces a replacement");
    // What is no longer wanted is found by the web ACL's tag.
    let scope = Scope { owner: owner(), wanted: Vec::new() };
    let found = kind.observe(&session.aws.read.anew(), &scope).await.unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    bench.delete().await;
    assert!(kind.observe(&session.aws.read.anew(), &scope).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_modules_web_acl_stands_before_its_load_balancer_and_logs_into_its_bucket() {
    let sandbox = Sandbox::in_memory().under(Conditions::none().eventual(3));
    let (_project, session) = session(&sandbox).await;
    let balancer = balancer(&session, "orders").await;
    let group_spec = &rule_groups(&set(&session).await)[0];
    let group = bench(&session, "wafv2-rule-group", group_spec);
    let group_arn = arn(&group.create(group_spec).await).to_owned();
    let bucket_spec = &buckets(&session.place, "aws-waf-logs-law")[1];
    let bucket = bench(&session, "s3-bucket", bucket_spec);
    let bucket_arn = arn(&bucket.create(bucket_spec).await).to_owned();
    let mut stream_spec = streams("aws-waf-logs-law", [&role(&session, "one").await; 2]).remove(0);
    stream_spec["bucket"] = json!(bucket_arn);
    let stream = bench(&session, "firehose-stream", &stream_spec);
    let logs = arn(&stream.create(&stream_spec).await).to_owned();
    let acl_spec = without_nulls(&grouped_acl("law", &group_arn, &logs));
    let acl = bench(&session, "web-acl", &acl_spec);
    let acl_arn = arn(&acl.create(&acl_spec).await).to_owned();
    let spec = &web_acl_associations(&balancer, [&acl_arn; 2])[0];
    let association = bench(&session, "web-acl-association", spec);
    let outputs = association.create(spec).await;
    association.record(spec, &outputs).await;
    assert_eq!(before(&session, &balancer).await, Some(acl_arn));
    assert!(sandbox.counters().total.not_yet > 0, "everything was known at once");
    // The association of an apply is no other user of the web ACL.
    let live = acl.observe().await.unwrap();
    assert!(acl.kind.others_using(&session.aws.read.anew(), &live).await.unwrap().is_empty());
    association.delete().await;
    acl.delete().await;
    group.delete().await;
    stream.delete().await;
    bucket.delete().await;
    let left = world::counts(&sandbox);
    for kind in ["web-acl", "wafv2-rule-group", "web-acl-association", "firehose-stream", "s3-bucket"] {
        assert_eq!(left.get(kind).copied().unwrap_or_default(), 0, "{kind}: {left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_firewall_that_somebody_put_before_a_load_balancer_stays() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let security = Owner { product: "security".into(), environment: "all".into() };
    let (own, theirs) = (acl(&session, "own", &owner()).await, acl(&session, "theirs", &security).await);
    let balancer = balancer(&session, "orders").await;
    let waf = &session.aws.write.wafv2;
    let their_arn = arn(&theirs.outputs).to_owned();
    waf.associate_web_acl().web_acl_arn(&their_arn).resource_arn(&balancer).send().await.unwrap();
    let spec = &web_acl_associations(&balancer, [arn(&own.outputs); 2])[0];
    let bench = bench(&session, "web-acl-association", spec);
    let live = bench.observe().await.unwrap();
    assert_eq!(
        (&live.ownership, live.spec["web_acl"].as_str()),
        (&Ownership::Others { owner: security }, Some(&*their_arn))
    );
    let failure = bench.kind.create(&session.aws, &bench.identity, spec).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Ownership, "{failure}");
    assert!(failure.to_string().contains(&their_arn), "{failure}");
    assert_eq!(before(&session, &balancer).await, Some(their_arn.clone()));
    // Put there after ours was, it is neither replaced nor taken away.
    waf.disassociate_web_acl().resource_arn(&balancer).send().await.unwrap();
    bench.create(spec).await;
    let ours = bench.observe().await.unwrap();
    waf.associate_web_acl().web_acl_arn(&their_arn).resource_arn(&balancer).send().await.unwrap();
    let other = acl(&session, "other", &owner()).await;
    let wanted = &web_acl_associations(&balancer, [arn(&other.outputs); 2])[0];
    let failure = bench.kind.update(&session.aws, &ours, wanted).await.unwrap_err();
    assert!(failure.to_string().contains("is not this environment's"), "{failure}");
    bench.kind.delete(&session.aws, &ours).await.unwrap();
    assert_eq!(before(&session, &balancer).await, Some(their_arn));
}

/// Whoever died between the end of an association and that of its mark left the mark: the same web ACL, put there again by somebody
/// else, would pass for ours.
#[tokio::test(start_paused = true)]
async fn a_mark_whose_association_is_gone_is_taken_away() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let own = acl(&session, "own", &owner()).await;
    let balancer = balancer(&session, "orders").await;
    let spec = &web_acl_associations(&balancer, [arn(&own.outputs); 2])[0];
    let association = bench(&session, "web-acl-association", spec);
    let outputs = association.create(spec).await;
    association.record(spec, &outputs).await;
    session.aws.write.wafv2.disassociate_web_acl().resource_arn(&balancer).send().await.unwrap();
    // Where the load balancer is wanted, there is nothing: the next apply puts the web ACL before it.
    assert!(association.observe().await.is_none());
    let scope = Scope { owner: owner(), wanted: Vec::new() };
    let left = association.kind.observe(&session.aws.read.anew(), &scope).await.unwrap();
    let [mark] = left.as_slice() else { panic!("{left:#?}") };
    // The plan must not say that a firewall is taken down.
    assert_eq!(mark.spec["web_acl"], "none: only the tag of the association is left");
    assert_eq!((mark.name.as_str(), mark.address()), (balancer.as_str(), Some(&association.identity.address)));
    association.kind.delete(&session.aws, mark).await.unwrap();
    assert!(association.kind.observe(&session.aws.read.anew(), &scope).await.unwrap().is_empty());
    let tags = session.aws.read.clients.wafv2.list_tags_for_resource().resource_arn(arn(&own.outputs)).send().await;
    let tags = tags.unwrap().tag_info_for_resource.unwrap().tag_list.unwrap();
    assert!(tags.iter().all(|tag| !tag.key().starts_with("gwctl:association:")), "{tags:?}");
}

/// Whoever died while one web ACL took the place of another left both marked: what stands there goes, and both marks do.
#[tokio::test(start_paused = true)]
async fn of_two_web_acls_that_are_marked_the_one_that_stands_there_is_taken_away() {
    for last in [0, 1] {
        let (_project, session) = session(&Sandbox::in_memory()).await;
        let acls = [acl(&session, "one", &owner()).await, acl(&session, "two", &owner()).await];
        let balancer = balancer(&session, "orders").await;
        for own in [1 - last, last].map(|place| arn(&acls[place].outputs).to_owned()) {
            let spec = &web_acl_associations(&balancer, [&own, &own])[0];
            let association = bench(&session, "web-acl-association", spec);
            let outputs = association.kind.create(&session.aws, &association.identity, spec).await.unwrap();
            association.record(spec, &outputs).await;
        }
        let stands = before(&session, &balancer).await.unwrap();
        assert_eq!(stands, arn(&acls[last].outputs));
        let kind = session.registry.kind("web-acl-association").unwrap();
        let scope = Scope { owner: owner(), wanted: Vec::new() };
        let seen = kind.observe(&session.aws.read.anew(), &scope).await.unwrap();
        let [one] = seen.as_slice() else { panic!("{seen:#?}") };
        assert_eq!(one.spec["web_acl"], stands.as_str());
        kind.delete(&session.aws, one).await.unwrap();
        assert_eq!(before(&session, &balancer).await, None);
        assert!(kind.observe(&session.aws.read.anew(), &scope).await.unwrap().is_empty(), "a mark is left");
    }
}

#[tokio::test(start_paused = true)]
async fn our_web_acl_before_somebody_elses_load_balancer_is_theirs_and_keeps_the_web_acl() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let own = acl(&session, "own", &owner()).await;
    let balancer = balancer(&session, "theirs").await;
    let call = session.aws.write.wafv2.associate_web_acl().web_acl_arn(arn(&own.outputs)).resource_arn(&balancer);
    call.send().await.unwrap();
    let kind = session.registry.kind("web-acl-association").unwrap();
    let scope = Scope { owner: owner(), wanted: Vec::new() };
    assert!(kind.observe(&session.aws.read.anew(), &scope).await.unwrap().is_empty());
    let acls = session.registry.kind("web-acl").unwrap();
    assert_eq!(acls.others_using(&session.aws.read.anew(), &own).await.unwrap(), std::slice::from_ref(&balancer));
    // Once the configuration names the load balancer, it is an apply's that has not come to its end.
    let spec = &web_acl_associations(&balancer, [arn(&own.outputs); 2])[0];
    let live = bench(&session, "web-acl-association", spec).observe().await.unwrap();
    assert!(matches!(live.ownership, Ownership::Ours { digest: None, .. }), "{live:?}");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_too_small_says_what_its_rules_cost() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let mut spec = rule_groups(&set(&session).await).remove(0);
    spec["capacity"] = json!(1);
    let bench = bench(&session, "wafv2-rule-group", &spec);
    let failure = bench.kind.create(&session.aws, &bench.identity, &spec).await.unwrap_err();
    assert!(failure.causes().iter().any(|cause| cause.contains("cost 2 capacity units")), "{:?}", failure.causes());
}

#[tokio::test(start_paused = true)]
async fn a_bucket_keeps_what_it_holds() {
    let sandbox = Sandbox::in_memory();
    let (_project, session) = session(&sandbox).await;
    let spec = &buckets(&session.place, "aws-waf-logs-law")[0];
    let bench = bench(&session, "s3-bucket", spec);
    let outputs = bench.create(spec).await;
    bench.record(spec, &outputs).await;
    let s3 = &session.aws.write.s3;
    let put = s3.put_object().bucket("aws-waf-logs-law").key("waf/1").body(ByteStream::from_static(b"{}"));
    put.send().await.unwrap();
    let live = bench.observe().await.unwrap();
    bench.kind.delete(&session.aws, &live).await.unwrap();
    let notes = session.aws.take_notes();
    assert!(notes.iter().any(|note| note.contains("`aws-waf-logs-law` holds objects, so it stays")), "{notes:?}");
    assert_eq!(world::counts(&sandbox)["s3-bucket"], 1);
    // No plan asks for it again: nobody wants it.
    let scope = Scope { owner: owner(), wanted: Vec::new() };
    assert!(bench.kind.observe(&session.aws.read.anew(), &scope).await.unwrap().is_empty());
    // An apply that wants it takes it up; another owner's does not.
    let again = bench.assert_is(spec, "when it is wanted again").await;
    assert_eq!(again.ownership, Ownership::Ours { address: bench.identity.address.clone(), digest: None });
    let stranger = Identity { owner: Owner { product: "others".into(), ..owner() }, ..bench.identity.clone() };
    assert_eq!(bench.kind.create(&session.aws, &stranger, spec).await.unwrap_err().kind(), FailureKind::Ownership);
    bench.record(spec, &outputs).await;
    s3.delete_object().bucket("aws-waf-logs-law").key("waf/1").send().await.unwrap();
    bench.delete().await;
    assert!(!world::counts(&sandbox).contains_key("s3-bucket"));
}

#[tokio::test(start_paused = true)]
async fn names_of_buckets_are_shared_with_everybody() {
    let sandbox = Sandbox::in_memory();
    let (project, session) = session(&sandbox).await;
    let name = "aws-waf-logs-law";
    // Somebody of the same account made one by hand.
    let region = aws_sdk_s3::types::BucketLocationConstraint::from(session.place.region.as_str());
    let configuration = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(region).build();
    let s3 = &session.aws.write.s3;
    s3.create_bucket().bucket(name).create_bucket_configuration(configuration).send().await.unwrap();
    let spec = &buckets(&session.place, name)[0];
    let bench = bench(&session, "s3-bucket", spec);
    assert_eq!(bench.observe().await.unwrap().ownership, Ownership::Nobody);
    let failure = bench.kind.create(&session.aws, &bench.identity, spec).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Ownership, "{failure}");
    // Another account of the partition has no more luck.
    for (product, env) in ENVIRONMENTS {
        let other = Session::open(project.root(), product, env, &sandbox).await;
        if other.place.account == session.place.account || other.place.partition != session.place.partition {
            continue;
        }
        let address = Address::new("edge", "s3-bucket", "x");
        let identity = Identity { owner: owner(), address, place: other.place.clone() };
        let kind = other.registry.kind("s3-bucket").unwrap();
        let failure = kind.create(&other.aws, &identity, spec).await.unwrap_err();
        assert!(failure.hints().iter().any(|hint| hint.contains("share the names of buckets")), "{failure}");
        return;
    }
    panic!("no environment is in another account of the partition");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn what_was_opened_by_hand_is_seen_and_closed() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let name = "aws-waf-logs-law";
    let spec = &buckets(&session.place, name)[0];
    let bench = bench(&session, "s3-bucket", spec);
    bench.create(spec).await;
    let s3 = &session.aws.write.s3;
    s3.delete_public_access_block().bucket(name).send().await.unwrap();
    s3.delete_bucket_ownership_controls().bucket(name).send().await.unwrap();
    let live = bench.observe().await.unwrap();
    let expected = [
        "BlockPublicAcls=false",
        "BlockPublicPolicy=false",
        "IgnorePublicAcls=false",
        "ObjectOwnership=none",
        "RestrictPublicBuckets=false",
    ];
    assert_eq!(live.spec["foreign_settings"], json!(expected));
    bench.kind.update(&session.aws, &live, spec).await.unwrap();
    bench.assert_is(spec, "after an update over it").await;
}

#[tokio::test(start_paused = true)]
pub(crate) async fn lost_answers_leave_one_of_each() {
    for fault in [
        "cut-after:CreateRuleGroup:1",
        "cut-after:UpdateRuleGroup:1",
        "cut-after:DeleteRuleGroup:1",
        "cut-after:CreateBucket:1",
        "cut-after:PutBucketTagging:1",
        "cut-after:DeleteBucket:1",
        "cut-after:CreateDeliveryStream:1",
        "cut-after:UpdateDestination:1",
        "cut-after:DeleteDeliveryStream:1",
        "cut-after:AssociateWebACL:1",
        "cut-after:DisassociateWebACL:1",
    ] {
        let sandbox = Sandbox::in_memory().under(Conditions::none().fault(fault.parse().unwrap()));
        let (_project, session) = session(&sandbox).await;
        let role = role(&session, "one").await;
        let kinds = [
            ("wafv2-rule-group", rule_groups(&set(&session).await)),
            ("s3-bucket", buckets(&session.place, "aws-waf-logs-law")),
            ("firehose-stream", streams("aws-waf-logs-law", [&role; 2])),
        ];
        for (kind, specs) in &kinds {
            let bench = bench(&session, kind, &specs[0]);
            let outputs = bench.create(&specs[0]).await;
            bench.record(&specs[0], &outputs).await;
            bench.update(&specs[0], &specs[1]).await;
            bench.delete().await;
        }
        let own = acl(&session, "own", &owner()).await;
        let specs = web_acl_associations(&balancer(&session, "orders").await, [arn(&own.outputs); 2]);
        let association = bench(&session, "web-acl-association", &specs[0]);
        association.create(&specs[0]).await;
        association.delete().await;
        assert_eq!(sandbox.counters().total.faults, 1, "{fault} hit nothing");
    }
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_stream_that_does_more_by_hand_is_put_right() {
    use aws_sdk_firehose::types::ExtendedS3DestinationUpdate;
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let spec = &streams("aws-waf-logs-law", [&role(&session, "one").await; 2])[0];
    let bench = bench(&session, "firehose-stream", spec);
    bench.create(spec).await;
    let live = bench.observe().await.unwrap();
    let by_hand = ExtendedS3DestinationUpdate::builder().file_extension(".json").custom_time_zone("Asia/Tokyo").build();
    let call = session.aws.write.firehose.update_destination().delivery_stream_name("aws-waf-logs-law");
    let call = call.current_delivery_stream_version_id("1").destination_id("destinationId-000000000001");
    Box::pin(call.extended_s3_destination_update(by_hand).send()).await.unwrap();
    // A plan that was made before is refused.
    let mut other = spec.clone();
    other["prefix"] = json!("other/");
    let failure = bench.kind.update(&session.aws, &live, &other).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Refused, "{failure}");
    let drifted = bench.observe().await.unwrap();
    assert_eq!(drifted.spec["foreign_settings"], json!(["CustomTimeZone", "FileExtension"]));
    bench.kind.update(&session.aws, &drifted, spec).await.unwrap();
    bench.assert_is(spec, "after an update over it").await;
}

#[tokio::test(start_paused = true)]
async fn china_has_its_own_arns() {
    let project = Project::new();
    let session = Session::open(project.root(), "product-b", "prod", &Sandbox::in_memory()).await;
    assert_eq!(session.place.partition, "aws-cn");
    let spec = &buckets(&session.place, "aws-waf-logs-law")[1];
    let outputs = bench(&session, "s3-bucket", spec).create(spec).await;
    assert_eq!(arn(&outputs), "arn:aws-cn:s3:::aws-waf-logs-law");
    assert!(outputs.get("domain_name").unwrap().ends_with(".amazonaws.com.cn"), "{outputs:?}");
    let mut spec = streams("aws-waf-logs-law", [&role(&session, "one").await; 2]).remove(0);
    spec["bucket"] = json!(arn(&outputs));
    let outputs = bench(&session, "firehose-stream", &spec).create(&spec).await;
    assert!(arn(&outputs).starts_with("arn:aws-cn:firehose:cn-"), "{outputs:?}");
    let groups = session.aws.write.wafv2.list_rule_groups().scope(WafScope::Regional).send().await.unwrap();
    assert!(groups.rule_groups().is_empty());
}
