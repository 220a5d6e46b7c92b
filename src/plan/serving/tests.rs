//! What stages are moved to, and what is refused.

use super::*;
const STAGE: &str = "gate/stage/gateway";

struct World {
    live: Live,
    owner: Owner,
    place: Place,
}

fn observed(address: &str, name: &str, created: i64, spec: Value) -> Observed {
    let address = Address::parse(address).unwrap();
    let stack = address.stack().to_owned();
    let function = Address::new(&stack, "lambda-function", "authorizer");
    let api = Address::new(&stack, "rest-api", "gateway");
    let version = name.split_once(':').map(|(_, version)| ("version".to_owned(), version.to_owned()));
    Observed {
        name: name.to_owned(),
        within: Some(if address.kind().starts_with("function") { function } else { api }),
        outputs: version.into_iter().chain([("id".to_owned(), name.to_owned())]).collect(),
        ownership: Ownership::Ours { digest: Some(Digest::of(&spec).as_str().to_owned()), address },
        spec,
        created: Some(created),
        in_use_by: None,
    }
}

impl World {
    /// A stage that serves `served` of the deployments d1, d2, d3, made in this order; an alias at version 3 of three.
    fn new(served: &str) -> Self {
        let deployments =
            [1, 2, 3].map(|n| observed(&format!("gate/deployment/snap{n}"), &format!("d{n}"), n, json!({})));
        let versions = [1, 2, 3]
            .map(|n| observed(&format!("gate/function-version/authorizer-v{n}"), &format!("f:{n}"), n, json!({})));
        let alias = observed("gate/function-alias/authorizer", "f:live", 1, json!({ "version": "3" }));
        let live = BTreeMap::from([
            ("stage", vec![observed(STAGE, "dev", 0, json!({ "deployment": served, "xray": true }))]),
            ("deployment", deployments.into()),
            ("function-version", versions.into()),
            ("function-alias", vec![alias]),
        ]);
        Self {
            live,
            owner: Owner { product: "product-a".into(), environment: "dev".into() },
            place: Place { account: String::new(), region: String::new(), partition: "aws".into() },
        }
    }

    fn stage(&mut self) -> &mut Value {
        &mut self.live.get_mut("stage").unwrap()[0].spec
    }

    fn serving(&self) -> Serving<'_> {
        Serving { owner: &self.owner, place: &self.place, live: &self.live, stack: None }
    }

    fn back(&self, past: &[Past], to: Option<&str>, functions: bool) -> Result<Plan> {
        self.serving().roll_back(past, &Target { deployment: to.map(str::to_owned), functions })
    }
}

fn past(deployment: &str, version: &str) -> Past {
    let alias = Address::new("gate", "function-alias", "authorizer");
    Past {
        stage: Address::parse(STAGE).unwrap(),
        deployment: deployment.into(),
        aliases: BTreeMap::from([(alias, version.to_owned())]),
    }
}

/// Address and one member of the spec wanted, of each step.
fn wanted(plan: &Plan, member: &str) -> Vec<(String, Value)> {
    let value = |step: &Step| step.after.as_ref().and_then(|after| after.get(member)).cloned().unwrap_or_default();
    plan.steps.iter().map(|step| (step.address.to_string(), value(step))).collect()
}

#[test]
fn back_is_what_was_served_well_before() {
    let world = World::new("d3");
    let to = |past: &[Past]| wanted(&world.back(past, None, false).unwrap(), "deployment");
    // d2 failed half-way: no record of it is here.
    assert_eq!(to(&[past("d3", "3"), past("d1", "1")]), [(STAGE.to_owned(), json!("d1"))]);
    // What no record tells of is the one that was made before.
    assert_eq!(to(&[]), [(STAGE.to_owned(), json!("d2"))]);
    // What is gone can't be gone back to.
    assert_eq!(to(&[past("d3", "3"), past("d0", "1")]), [(STAGE.to_owned(), json!("d2"))]);
    let plan = world.back(&[], None, false).unwrap();
    assert_eq!(plan.steps[0].after.as_ref().unwrap()["xray"], true, "nothing else moves");
    assert_eq!((plan.steps[0].reason, plan.steps[0].changes.len()), (Reason::RolledBack, 1));
    assert_eq!(plan.unchanged.len(), 7);
    assert_eq!(plan.warnings.len(), 2);
}

#[test]
fn a_second_rollback_goes_further_back() {
    let world = World::new("d2");
    let records = [past("d3", "3"), past("d2", "2"), past("d1", "1")];
    assert_eq!(wanted(&world.back(&records, None, false).unwrap(), "deployment")[0].1, "d1");
    // What was served again later has what was before that time behind it.
    let again = [past("d2", "2"), past("d3", "3"), past("d2", "2"), past("d1", "1")];
    assert_eq!(wanted(&world.back(&again, None, false).unwrap(), "deployment")[0].1, "d3");
}

/// A rollback that died between its call and its record is finished by the same command, and not gone on with.
#[test]
fn a_rollback_that_was_cut_off_is_finished() {
    let mut world = World::new("d3");
    world.stage()["deployment"] = json!("d2");
    for (past, to) in [(vec![past("d3", "3"), past("d2", "2"), past("d1", "1")], None), (Vec::new(), Some("d2"))] {
        let plan = world.back(&past, to, false).unwrap();
        assert!(plan.steps.len() == 1 && plan.steps[0].only_records(), "{:?}", plan.steps);
        assert!(plan.warnings[0].message.contains("was moved back from d3 already"), "{:?}", plan.warnings);
    }
    assert_eq!(wanted(&world.back(&[], Some("d1"), false).unwrap(), "deployment")[0].1, "d1");
    // An apply that died before its record is no rollback: one goes back from what it deployed.
    let mut world = World::new("d2");
    world.stage()["deployment"] = json!("d3");
    assert_eq!(wanted(&world.back(&[], None, false).unwrap(), "deployment")[0].1, "d2");
}

#[test]
fn what_somebody_changed_by_hand_is_said() {
    let mut world = World::new("d3");
    world.stage()["xray"] = json!(false);
    let plan = world.back(&[], None, false).unwrap();
    assert_eq!(plan.steps[0].after.as_ref().unwrap()["xray"], false);
    assert!(plan.warnings[0].message.contains("somebody changed gate/stage/gateway"), "{:?}", plan.warnings);
}

#[test]
fn a_chosen_deployment_is_found_by_id_and_by_snapshot() {
    let world = World::new("d3");
    for to in ["d1", "snap1"] {
        assert_eq!(wanted(&world.back(&[], Some(to), false).unwrap(), "deployment")[0].1, "d1");
    }
    let unknown = world.back(&[], Some("d9"), false).unwrap_err();
    assert!(unknown.to_string().contains("no deployment `d9`") && unknown.hints().len() == 3, "{unknown}");
    assert!(unknown.hints()[0].contains("d3 (snapshot snap3") && unknown.hints()[0].contains("served now"));
    let served = world.back(&[], Some("d3"), false).unwrap_err();
    assert!(served.to_string().contains("serves deployment d3 already"), "{served}");
    let oldest = World::new("d1").back(&[], None, false).unwrap_err();
    assert!(oldest.to_string().contains("no earlier deployment"), "{oldest}");
    assert!(oldest.hints().len() == 2 && oldest.hints().iter().all(|hint| hint.contains("--to")), "{oldest:?}");
}

#[test]
fn aliases_go_back_to_where_the_last_apply_had_them() {
    let world = World::new("d3");
    // Between the two applies of d1, its functions changed alone.
    let records = [past("d3", "3"), past("d2", "3"), past("d1", "2"), past("d1", "1")];
    let same = world.back(&records, None, true).unwrap();
    assert_eq!(wanted(&same, "deployment").len(), 1, "the version was the same then");
    let both = world.back(&records, Some("d1"), true).unwrap();
    let alias = "gate/function-alias/authorizer".to_owned();
    assert_eq!(wanted(&both, "version"), [(STAGE.to_owned(), Value::Null), (alias.clone(), json!("2"))]);
    // First the stage, then the functions too: the usual order at night.
    let after = World::new("d1").back(&records, Some("d1"), true).unwrap();
    assert_eq!(wanted(&after, "version"), [(alias, json!("2"))]);
    let nothing = world.back(&[past("d3", "3")], Some("d3"), true).unwrap_err();
    assert!(nothing.to_string().contains("are where deployment d3 had them"), "{nothing}");
    let unknown = world.back(&[], None, true).unwrap_err();
    assert!(unknown.to_string().contains("no record says"), "{unknown}");
    let gone = world.back(&[past("d3", "3"), past("d2", "9")], None, true).unwrap_err();
    assert!(gone.to_string().contains("is gone"), "{gone}");
    let mut bare = World::new("d3");
    bare.live.remove("function-alias");
    assert!(bare.back(&[], None, true).unwrap_err().to_string().contains("no aliases"));
}

#[test]
fn a_stage_is_chosen_where_there_are_several() {
    let mut world = World::new("d3");
    let system = observed("system/stage/gateway", "dev", 0, json!({ "deployment": "d1" }));
    world.live.get_mut("stage").unwrap().push(system);
    let several = world.back(&[], None, false).unwrap_err();
    assert!(several.hints()[0].contains("--stack: gate, system"), "{several}");
    let gate = Serving { stack: Some("gate"), ..world.serving() };
    assert_eq!(gate.roll_back(&[], &Target::default()).unwrap().steps.len(), 1);
    world.live.clear();
    assert!(world.back(&[], None, false).unwrap_err().to_string().contains("no stage of a REST API"));
}

/// A plan that deploys d4.
fn deploys(world: &World) -> Plan {
    let live = world.live["stage"][0].clone();
    let mut after = without_canary(&live.spec);
    after["deployment"] = json!({ "$output": "gate/deployment/snap4#id" });
    let mut plan = world.serving().plan(Vec::new(), Vec::new());
    plan.unchanged.retain(|one| one.address.kind() != "stage");
    let old = &world.live["deployment"][0];
    let prune = Step {
        action: Action::Delete,
        after: None,
        ..moved(old.address().unwrap(), old, json!({}), Reason::Superseded)
    };
    plan.steps = vec![moved(&Address::parse(STAGE).unwrap(), &live, after, Reason::ConfigurationChanged), prune];
    plan
}

#[test]
fn a_canary_keeps_what_is_served() {
    let world = World::new("d1");
    let plan = as_canary(deploys(&world), 10.0).unwrap();
    let after = plan.steps[0].after.as_ref().unwrap();
    assert_eq!(after["deployment"], "d1");
    assert_eq!(after["canary"]["deployment"], json!({ "$output": "gate/deployment/snap4#id" }));
    assert_eq!(after["canary"]["percent"], 10.0);
    assert_eq!(plan.steps.len(), 1, "what is still served is not pruned");

    let mut with_role = deploys(&world);
    let role = observed("gate/iam-role/authorizer", "r", 0, json!({}));
    with_role.steps.push(moved(role.address().unwrap(), &role, json!({ "a": 1 }), Reason::ConfigurationChanged));
    with_role.steps[0].after.as_mut().unwrap()["xray"] = json!(false);
    let warning = as_canary(with_role, 10.0).unwrap().warnings.remove(0).message;
    let all = "for all of them changes: gate/stage/gateway (xray), gate/iam-role/authorizer";
    assert!(warning.contains(all), "{warning}");
}

#[test]
fn a_canary_needs_something_new_and_something_that_serves() {
    let world = World::new("d1");
    let mut first = deploys(&world);
    first.steps[0].action = Action::Create;
    first.steps[0].live = None;
    assert!(as_canary(first, 10.0).unwrap_err().to_string().contains("can't begin with a canary"));
    let mut same = deploys(&world);
    same.steps.remove(0);
    assert!(as_canary(same, 10.0).unwrap_err().to_string().contains("nothing new for a canary"));
}

#[test]
fn a_canary_goes_on_with_another_share_and_ends_either_way() {
    let mut world = World::new("d1");
    world.stage()["canary"] = json!({ "deployment": "d3", "percent": 10.0, "use_stage_cache": false, "variables": {} });
    let recorded = Digest::of(world.stage()).as_str().to_owned();
    let address = Address::parse(STAGE).unwrap();
    world.live.get_mut("stage").unwrap()[0].ownership = Ownership::Ours { address, digest: Some(recorded) };
    let mut plan = deploys(&world);
    let other = as_canary(plan.clone(), 50.0).unwrap_err();
    assert!(other.to_string().contains("a canary of another deployment"), "{other}");
    plan.steps[0].after.as_mut().unwrap()["deployment"] = json!("d3");
    let more = as_canary(plan.clone(), 50.0).unwrap();
    assert_eq!(more.steps[0].changes.len(), 1, "{:?}", more.steps[0].changes);
    let same = as_canary(plan, 10.0).unwrap();
    assert!(same.is_empty(), "{:?}", same.steps);

    let promoted = world.serving().promote().unwrap();
    assert_eq!(promoted.steps[0].after, Some(json!({ "deployment": "d3", "xray": true })));
    let aborted = world.serving().abort().unwrap();
    assert_eq!(aborted.steps[0].after, Some(json!({ "deployment": "d1", "xray": true })));
    assert!(world.back(&[], None, false).unwrap_err().to_string().contains("has a canary"));
    world.stage()["canary"]["variables"] = json!({ "a": "b" });
    assert!(world.serving().promote().unwrap_err().to_string().contains("overrides stage variables"));
    let without = World::new("d1");
    assert!(without.serving().promote().is_err() && without.serving().abort().is_err());
}
