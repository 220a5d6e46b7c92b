//! Web ACLs, IP sets and the stages behind them, where others have a hand in them, too, or answers are lost.

use aws_sdk_wafv2::types::Scope as WafScope;
use gwctl::aws::Aws;
use gwctl::error::{FailureKind, Result};
use gwctl::kinds::AnyKind;
use gwctl::model::{Address, Digest, Identity, Observed, Outputs, Owner, without_nulls};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::Conditions;
use serde_json::{Value, json};

use crate::Bench;
use crate::specs::{ip_sets, web_acls};
use crate::support::Session;
use crate::support::project::Project;

/// A session on a sandbox, and the whole gateway of product-a in dev to put things before.
async fn session(sandbox: &Sandbox) -> (Project, Session) {
    let project = Project::new();
    let session = Session::open(project.root(), "product-a", "dev", sandbox).await;
    (project, session)
}

fn bench<'a>(session: &'a Session, kind: &str, spec: &Value) -> Bench<'a> {
    Bench::new(session, session.registry.kind(kind).unwrap(), spec)
}

/// A web ACL without rules, so that it refers to nothing.
fn plain_acl(name: &str) -> Value {
    let mut spec = web_acls("", "").remove(2);
    (spec["name"], spec["rules"]) = (json!(name), json!({}));
    without_nulls(&spec)
}

/// What an update to the web ACL's description would be.
fn described(spec: &Value, text: &str) -> Value {
    let mut spec = spec.clone();
    spec["description"] = json!(text);
    spec
}

/// Somebody's update through the console: the same but for the description.
async fn edit(aws: &Aws, outputs: &Outputs, text: Option<&str>) {
    let waf = &aws.write.wafv2;
    let (name, id) = (outputs.get("name").unwrap(), outputs.get("id").unwrap());
    let got = waf.get_web_acl().name(name).id(id).scope(WafScope::Regional).send().await.unwrap();
    let acl = got.web_acl.unwrap();
    waf.update_web_acl()
        .name(name)
        .id(id)
        .scope(WafScope::Regional)
        .lock_token(got.lock_token.unwrap())
        .set_default_action(acl.default_action)
        .set_rules(acl.rules)
        .set_visibility_config(acl.visibility_config)
        .set_description(text.map(str::to_owned).or(acl.description))
        .send()
        .await
        .unwrap();
}

async fn update(session: &Session, kind: &dyn AnyKind, live: &Observed, to: &Value) -> Result<Outputs> {
    kind.update(&session.aws, live, to).await
}

#[tokio::test(start_paused = true)]
async fn an_update_over_somebody_elses_change_is_refused() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let spec = plain_acl("law");
    let bench = bench(&session, "web-acl", &spec);
    let outputs = bench.create(&spec).await;
    let live = bench.observe().await.unwrap();
    // A save that changes nothing makes a new lock token, and that is no reason to stop.
    edit(&session.aws, &outputs, None).await;
    update(&session, bench.kind, &live, &described(&spec, "by gwctl")).await.unwrap();
    let live = bench.observe().await.unwrap();
    edit(&session.aws, &outputs, Some("by hand")).await;
    let failure = update(&session, bench.kind, &live, &described(&spec, "by gwctl again")).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Refused, "{failure}");
    assert!(failure.to_string().contains("`law` was changed by somebody else"), "{failure}");
    assert_eq!(bench.observe().await.unwrap().spec["description"], "by hand");
}

#[tokio::test(start_paused = true)]
pub(crate) async fn lost_answers_cost_nothing() {
    for fault in [
        "cut-after:CreateIPSet:1",
        "cut-after:CreateWebACL:1",
        "cut-after:UpdateIPSet:1",
        "cut-after:UpdateWebACL:1",
        "cut-after:DeleteIPSet:1",
        "cut-after:DeleteWebACL:1",
        "cut-after:PutLoggingConfiguration:1",
        "cut-after:DeleteLoggingConfiguration:1",
    ] {
        let sandbox = Sandbox::in_memory().under(Conditions::none().fault(fault.parse().unwrap()));
        let (_project, session) = session(&sandbox).await;
        let sets = ip_sets();
        let set = bench(&session, "ip-set", &sets[0]);
        let arn = set.create(&sets[0]).await.get("arn").unwrap().to_owned();
        let logs = json!({"name": "aws-waf-logs-law", "tags": {}});
        let logs = bench(&session, "log-group", &logs).create_another(&logs).await;
        let specs = web_acls(&arn, logs.get("arn").unwrap());
        let acl = bench(&session, "web-acl", &specs[0]);
        acl.create(&specs[0]).await;
        set.update(&sets[0], &sets[1]).await;
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            acl.update(&specs[from], &specs[to]).await;
        }
        acl.delete().await;
        set.delete().await;
        assert_eq!(sandbox.counters().total.faults, 1, "{fault} hit nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_day_of_aws_waf_costs_tries_and_nothing_else() {
    let conditions = ["throttle:wafv2.*:5%", "error:wafv2.*:5%", "cut-before:wafv2.*:5%", "cut-after:wafv2.*:5%"]
        .into_iter()
        .fold(Conditions::none().eventual(3), |all, fault| all.fault(fault.parse().unwrap()));
    for seed in 0..8 {
        let sandbox = Sandbox::in_memory().under(conditions.clone().seed(seed));
        let (_project, session) = session(&sandbox).await;
        let sets = ip_sets();
        let set = bench(&session, "ip-set", &sets[0]);
        let arn = set.create(&sets[0]).await.get("arn").unwrap().to_owned();
        let mut specs = web_acls(&arn, "");
        for spec in &mut specs {
            spec["logging"] = Value::Null;
        }
        let acl = bench(&session, "web-acl", &specs[0]);
        acl.create(&specs[0]).await;
        acl.update(&specs[0], &specs[1]).await;
        set.update(&sets[0], &sets[2]).await;
        acl.delete().await;
        set.delete().await;
        assert!(sandbox.counters().total.faults > 0, "seed {seed}: nothing went wrong");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_somebody_else_took_is_left_alone() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    for (kind, spec) in [("ip-set", without_nulls(&ip_sets().remove(0))), ("web-acl", plain_acl("law"))] {
        let bench = bench(&session, kind, &spec);
        let outputs = bench.create(&spec).await;
        // Made again for the same address: an earlier try, whose answer was lost.
        assert_eq!(bench.kind.create(&session.aws, &bench.identity, &spec).await.unwrap(), outputs);
        let owner = Owner { product: "others".into(), environment: "test".into() };
        let identity = Identity { owner, ..bench.identity.clone() };
        let failure = bench.kind.create(&session.aws, &identity, &spec).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Ownership, "{failure}");
    }
}

#[tokio::test(start_paused = true)]
pub(crate) async fn what_was_made_by_hand_is_seen_and_replaced() {
    let (_project, session) = session(&Sandbox::in_memory()).await;
    let spec = plain_acl("law");
    let bench = bench(&session, "web-acl", &spec);
    let outputs = bench.create(&spec).await;
    let waf = &session.aws.write.wafv2;
    let named = (outputs.get("name").unwrap(), outputs.get("id").unwrap());
    let got = waf.get_web_acl().name(named.0).id(named.1).scope(WafScope::Regional).send().await.unwrap();
    let acl = got.web_acl.unwrap();
    let label = aws_sdk_wafv2::types::LabelMatchStatement::builder()
        .scope(aws_sdk_wafv2::types::LabelMatchScope::Label)
        .key("x")
        .build()
        .unwrap();
    let count = aws_sdk_wafv2::types::CountAction::builder().build();
    let rule = aws_sdk_wafv2::types::Rule::builder()
        .name("by-hand")
        .priority(5)
        .statement(aws_sdk_wafv2::types::Statement::builder().label_match_statement(label).build())
        .action(aws_sdk_wafv2::types::RuleAction::builder().count(count).build())
        .set_visibility_config(acl.visibility_config.clone())
        .build()
        .unwrap();
    waf.update_web_acl()
        .name(named.0)
        .id(named.1)
        .scope(WafScope::Regional)
        .lock_token(got.lock_token.unwrap())
        .set_default_action(acl.default_action)
        .set_visibility_config(acl.visibility_config)
        .set_description(acl.description)
        .rules(rule)
        .token_domains("example.com")
        .send()
        .await
        .unwrap();
    let live = bench.observe().await.unwrap();
    assert_eq!(
        live.spec["rules"]["by-hand"]["statement"],
        json!({"type": "foreign", "statement": "LabelMatchStatement"})
    );
    assert_eq!(live.spec["foreign_settings"], json!(["TokenDomains"]));
    update(&session, bench.kind, &live, &spec).await.unwrap();
    bench.assert_is(&spec, "after an update over it").await;
}

/// A stage of the applied gateway, with a spec that names a web ACL or none.
struct Gate {
    session: Session,
    identity: Identity,
    _project: Project,
}

impl Gate {
    async fn applied(sandbox: &Sandbox) -> Self {
        let (project, session) = session(sandbox).await;
        session.apply().await;
        let address = Address::new("gate", "stage", "gateway");
        let identity = Identity { owner: session.owner.clone(), address, place: session.place.clone() };
        Self { session, identity, _project: project }
    }

    fn stages(&self) -> &dyn AnyKind {
        self.session.registry.kind("stage").unwrap()
    }

    async fn stage(&self) -> Observed {
        self.session.observe().await.unwrap()["stage"].first().unwrap().clone()
    }

    /// The stage's spec with a web ACL or without one.
    async fn spec(&self, web_acl: Option<&str>) -> Value {
        let mut spec = self.stage().await.spec;
        spec["web_acl"] = json!(web_acl);
        without_nulls(&spec)
    }

    async fn protect(&self, web_acl: Option<&str>) -> Result<Outputs> {
        let spec = self.spec(web_acl).await;
        self.stages().update(&self.session.aws, &self.stage().await, &spec).await
    }

    async fn record(&self) {
        let live = self.stage().await;
        let digest = Digest::of(&live.spec);
        self.stages().record(&self.session.aws, &self.identity, &live.outputs, &digest).await.unwrap();
    }

    /// A web ACL of an owner.
    async fn acl(&self, name: &str, owner: &Owner) -> Observed {
        let spec = plain_acl(name);
        let mut bench = bench(&self.session, "web-acl", &spec);
        bench.identity.owner = owner.clone();
        bench.create_another(&spec).await;
        bench.observe().await.unwrap()
    }

    async fn users(&self, acl: &Observed) -> Vec<String> {
        let kind = self.session.registry.kind("web-acl").unwrap();
        kind.others_using(&self.session.aws.read.anew(), acl).await.unwrap()
    }
}

fn arn(one: &Observed) -> &str {
    one.outputs.get("arn").unwrap()
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_web_acl_that_others_use_says_who_they_are() {
    let gate = Gate::applied(&Sandbox::in_memory()).await;
    let others = Owner { product: "others".into(), environment: "dev".into() };
    let own = gate.acl("own", &gate.session.owner.clone()).await;
    let shared = gate.acl("shared", &others).await;
    assert!(gate.users(&own).await.is_empty());
    gate.protect(Some(arn(&own))).await.unwrap();
    assert!(gate.users(&own).await.is_empty(), "its owner's stage is no other");
    gate.protect(Some(arn(&shared))).await.unwrap();
    assert_eq!(gate.users(&shared).await, [arn(&gate.stage().await)]);
    // Whoever does not ask is told by AWS.
    let kind = gate.session.registry.kind("web-acl").unwrap();
    let failure = kind.delete(&gate.session.aws, &shared).await.unwrap_err();
    let text = failure.to_string();
    assert!(text.contains("failed to delete web ACL `shared`"), "{text}");
    assert_eq!(gate.users(&shared).await.len(), 1);
    kind.delete(&gate.session.aws, &own).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_firewall_that_somebody_put_up_is_not_taken_down() {
    let gate = Gate::applied(&Sandbox::in_memory()).await;
    let security = Owner { product: "security".into(), environment: "all".into() };
    let theirs = gate.acl("theirs", &security).await;
    let stage = gate.stage().await;
    let associate = gate.session.aws.write.wafv2.associate_web_acl();
    associate.web_acl_arn(arn(&theirs)).resource_arn(arn(&stage)).send().await.unwrap();
    let failure = gate.protect(None).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Refused, "{failure}");
    assert!(failure.to_string().contains("is not this environment's"), "{failure}");
    assert_eq!(gate.stage().await.spec["web_acl"], arn(&theirs));
    // Once it stands in the configuration and was applied, it may leave the configuration again.
    gate.record().await;
    gate.protect(None).await.unwrap();
    assert_eq!(gate.stage().await.spec.get("web_acl"), None);
    // The environment's own is its own to take, whoever put it there.
    let own = gate.acl("own", &gate.session.owner.clone()).await;
    let associate = gate.session.aws.write.wafv2.associate_web_acl();
    associate.web_acl_arn(arn(&own)).resource_arn(arn(&stage)).send().await.unwrap();
    gate.protect(None).await.unwrap();
    assert_eq!(gate.stage().await.spec.get("web_acl"), None);
}

#[tokio::test(start_paused = true)]
async fn a_new_web_acl_may_be_unknown_for_a_while() {
    let sandbox = Sandbox::in_memory().under(Conditions::none().eventual(4));
    let gate = Gate::applied(&sandbox).await;
    let before = sandbox.counters().total.not_yet;
    let own = gate.acl("own", &gate.session.owner.clone()).await;
    gate.protect(Some(arn(&own))).await.unwrap();
    assert!(sandbox.counters().total.not_yet > before, "it was known at once");
    assert_eq!(gate.stage().await.spec["web_acl"], arn(&own));
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_aws_waf_asks_it_nothing() {
    let sandbox = Sandbox::in_memory();
    let gate = Gate::applied(&sandbox).await;
    gate.session.destroy().await;
    assert!(!sandbox.counters().services.contains_key("wafv2"), "{:?}", sandbox.counters().services.keys());
}

#[tokio::test(start_paused = true)]
async fn china_has_its_own_arns() {
    let project = Project::new();
    let sandbox = Sandbox::in_memory();
    let session = Session::open(project.root(), "product-b", "prod", &sandbox).await;
    let spec = without_nulls(&ip_sets().remove(0));
    let outputs = bench(&session, "ip-set", &spec).create(&spec).await;
    assert_eq!(session.place.partition, "aws-cn");
    let start = format!("arn:aws-cn:wafv2:{}:{}:regional/ipset/law/", session.place.region, session.place.account);
    assert!(outputs.get("arn").unwrap().starts_with(&start), "{outputs:?}");
}
