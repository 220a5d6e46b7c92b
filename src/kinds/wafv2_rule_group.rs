//! `wafv2-rule-group`: rules of AWS WAF that web ACLs share, with a capacity that is set for good.

use std::collections::BTreeMap;

use aws_sdk_wafv2::operation::create_rule_group::CreateRuleGroupError;
use aws_sdk_wafv2::operation::delete_rule_group::DeleteRuleGroupError;
use aws_sdk_wafv2::operation::update_rule_group::UpdateRuleGroupError;
use aws_sdk_wafv2::types::{RuleGroup as LiveGroup, Scope as WafScope};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wafv2::{self, Named};
use super::web_acl::spec::{Position, ResponseBody, Rule, Statement, Visibility};
use super::web_acl::{check, read, write};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed, given, retry};
use crate::error::{Failure, Result};
use crate::model::{Identity, Observed, Outputs, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct RuleGroup;

/// What gwctl decides about a rule group. It is one for regional resources.
///
/// A group can't change its capacity, and one in use can't be deleted: a name that has the capacity in it (`…-10`) lets the
/// new group be made before the old one goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleGroupSpec {
    /// `orders-allowlist-dev`: at most 128 letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for: 3 to 256 letters, digits, spaces and `_+=:#@/-,.`.
    pub description: Option<String>,
    /// Web ACL capacity units that its rules may use, and that it uses of a web ACL's 5,000: at least [`capacity_of`] the
    /// rules. More leaves room for rules to come.
    pub capacity: i64,
    /// The rules by their names; [`super::web_acl::spec::in_order`] makes them from a list. None of them may be a group.
    pub rules: BTreeMap<String, Rule>,
    /// Bodies that blocking actions may answer with, by their keys: as the names of rules.
    pub response_bodies: BTreeMap<String, ResponseBody>,
    /// Metrics and samples of the whole group.
    pub visibility: Visibility,
    /// The user's tags.
    pub tags: Tags,
}

/// The most units that a group may have (developer guide, "AWS WAF quotas").
const LARGEST: i64 = 5000;

/// What rules cost in web ACL capacity units, by the "WCUs" line of each statement's page in the developer guide. What AWS
/// itself says of them (`CheckCapacity`) is asked where it refuses. A group, or a rule that gwctl makes none of, counts as 0.
#[must_use]
pub fn capacity_of(rules: &BTreeMap<String, Rule>) -> i64 {
    // A string match at a path's beginning costs 2, and each of its two transformations 10.
    const PREFIX: i64 = 2 + 2 * 10;
    let addresses = |position: Option<Position>| if position == Some(Position::Any) { 5 } else { 1 };
    let cost = |rule: &Rule| match &rule.statement {
        Statement::RateBased(one) => 2 + if one.path_prefix.is_some() { PREFIX } else { 0 },
        Statement::IpSet(one) => addresses(one.forwarded.as_ref().map(|header| header.position)),
        // A size constraint without transformations costs 1.
        Statement::AllowList(one) => 1 + addresses(Some(one.header.position)),
        Statement::Geo(_) => 1,
        Statement::ManagedRuleGroup(_) | Statement::RuleGroup(_) | Statement::Foreign { .. } => 0,
    };
    rules.values().map(cost).sum()
}

/// What AWS WAF refuses of a group although its type can say it, each a sentence without a full stop.
#[must_use]
pub fn faults(group: &RuleGroupSpec) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(wafv2::name_fault("the rule group", &group.name));
    found.extend(group.description.as_deref().and_then(wafv2::description_fault));
    found.extend(check::metric_fault("the rule group", &group.visibility.metric));
    let cost = capacity_of(&group.rules);
    if !(1..=LARGEST).contains(&group.capacity) {
        found.push(format!("the rule group has the capacity {}, not 1 to {LARGEST}", group.capacity));
    } else if cost > group.capacity {
        found.push(format!("the rules cost {cost} capacity units, and the rule group has {}", group.capacity));
    }
    for (name, rule) in &group.rules {
        if matches!(rule.statement, Statement::ManagedRuleGroup(_) | Statement::RuleGroup(_)) {
            found.push(format!("rule `{name}` is a group, which a rule group can't have"));
        }
    }
    found.extend(check::rules_faults(&group.rules, &group.response_bodies));
    found.extend(check::body_faults(&group.response_bodies));
    found
}

fn spec(live: &LiveGroup, user: Tags) -> RuleGroupSpec {
    RuleGroupSpec {
        name: live.name.clone(),
        description: live.description.clone().filter(|text| !text.is_empty()),
        capacity: live.capacity,
        rules: read::rules(live.rules()),
        response_bodies: read::bodies(live.custom_response_bodies()),
        visibility: read::visibility(live.visibility_config()),
        tags: user,
    }
}

/// The group and its lock token; nothing if it is gone.
async fn get(clients: &Clients, named: &Named) -> Result<Option<(LiveGroup, String)>> {
    let call = clients.wafv2.get_rule_group().name(&named.name).id(&named.id).scope(WafScope::Regional);
    match call.send().await {
        Ok(answer) => {
            let group = given("rule group where one was asked for", answer.rule_group)?;
            Ok(Some((group, given("lock token of a rule group", answer.lock_token)?)))
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("read rule group `{}`", named.name), error)),
    }
}

/// All rule groups of the Region.
async fn list(clients: &Clients) -> Result<Vec<Named>> {
    wafv2::all_pages(|limit, marker| async move {
        let call = clients.wafv2.list_rule_groups().scope(WafScope::Regional).limit(limit).set_next_marker(marker);
        let answer = call.send().await.map_err(|error| failed("list the rule groups", error))?;
        let groups = answer.rule_groups.unwrap_or_default().into_iter();
        Ok((groups.filter_map(|one| Named::of(one.name, one.id, one.arn)).collect(), answer.next_marker))
    })
    .await
}

async fn read_one(aws: &ReadAws, scope: &Scope, named: &Named) -> Result<Option<Observed<RuleGroupSpec>>> {
    let (found, all) = futures::try_join!(get(&aws.clients, named), wafv2::tags_of(&aws.clients, &named.arn))?;
    let (Some((live, _)), Some(all)) = (found, all) else { return Ok(None) };
    Ok(Some(Observed {
        name: named.name.clone(),
        within: None,
        spec: spec(&live, tags::of_user(&all)),
        outputs: named.outputs(),
        ownership: tags::ownership(&all, &scope.owner),
        created: None,
        in_use_by: None,
    }))
}

impl Kind for RuleGroup {
    type Spec = RuleGroupSpec;
    const NAME: &'static str = "wafv2-rule-group";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &["wafv2:GetRuleGroup", "wafv2:ListRuleGroups", "wafv2:ListTagsForResource"],
        writes: &[
            "wafv2:CheckCapacity",
            "wafv2:CreateRuleGroup",
            "wafv2:DeleteRuleGroup",
            "wafv2:TagResource",
            "wafv2:UntagResource",
            "wafv2:UpdateRuleGroup",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "capacity"];

    fn predict(&self, _: &Place, spec: &RuleGroupSpec) -> Outputs {
        Outputs::from_iter([("name", &spec.name)])
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<RuleGroupSpec>>> {
        let all = wafv2::candidates(aws, scope, "rulegroup", list(&aws.clients)).await?;
        let found = try_join_all(all.iter().map(|named| read_one(aws, scope, named))).await?;
        let asked =
            |one: &Observed<RuleGroupSpec>| one.address().is_some() || scope.names().any(|name| name == one.name);
        Ok(found.into_iter().flatten().filter(asked).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &RuleGroupSpec) -> Result<Outputs> {
        let RuleGroupSpec { name, description, capacity, rules, response_bodies, visibility, tags: user } = spec;
        let doing = format!("create rule group `{name}`");
        let (rules, bodies) = (write::rules(rules)?, write::bodies(response_bodies)?);
        let (seen, all) = (write::visibility(visibility)?, wafv2::tag_list(tags::at_birth(identity, user))?);
        let call = || {
            let create = aws.write.wafv2.create_rule_group().name(name).scope(WafScope::Regional);
            create
                .set_description(description.clone())
                .capacity(*capacity)
                .set_rules(Some(rules.clone()))
                .set_custom_response_bodies(bodies.clone())
                .visibility_config(seen.clone())
                .set_tags(Some(all.clone()))
                .send()
        };
        let error = match retry::until_ready(wafv2::SPREADS, &wafv2::NOT_YET, call).await {
            Ok(answer) => {
                let made = answer.summary.and_then(|one| Named::of(one.name, one.id, one.arn));
                return Ok(given("summary of the new rule group", made)?.outputs());
            }
            Err(error) => error,
        };
        // Two rules of one priority are a duplicate too; then there is no group of the name.
        let why = error.as_service_error();
        let twice = why.is_some_and(CreateRuleGroupError::is_waf_duplicate_item_exception);
        let over = why.is_some_and(CreateRuleGroupError::is_waf_limits_exceeded_exception);
        let found = if twice { list(&aws.write).await? } else { Vec::new() };
        let Some(found) = found.into_iter().find(|one| one.name == *name) else {
            let failure = failed(&doing, error);
            return Err(if over { with_cost(aws, spec, failure).await } else { failure });
        };
        let all = wafv2::tags_of(&aws.write, &found.arn).await?.unwrap_or_default();
        super::own_after_conflict(&tags::ownership(&all, &identity.owner), identity, name)?;
        Ok(found.outputs())
    }

    async fn update(&self, aws: &Aws, live: &Observed<RuleGroupSpec>, spec: &RuleGroupSpec) -> Result<Outputs> {
        let RuleGroupSpec {
            // Can't change in place.
            name: _,
            capacity: _,
            // Go in one call: `change`.
            description: _,
            rules: _,
            response_bodies: _,
            visibility: _,
            tags: user,
        } = spec;
        if without_tags(&live.spec) != without_tags(spec) {
            change(aws, live, spec).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<RuleGroupSpec>) -> Result<()> {
        let named = Named::from_outputs(&live.outputs)?;
        for _ in 0..wafv2::TRIES {
            let Some((_, token)) = get(&aws.write, &named).await? else { return Ok(()) };
            let call = || {
                let call = aws.write.wafv2.delete_rule_group().name(&named.name).id(&named.id);
                call.scope(WafScope::Regional).lock_token(&token).send()
            };
            match retry::until_ready(wafv2::USE_ENDS, &wafv2::STILL_USED, call).await {
                Ok(_) => return Ok(()),
                Err(error) if is_not_found(&error) => return Ok(()),
                Err(error) => {
                    let why = error.as_service_error();
                    if why.is_some_and(DeleteRuleGroupError::is_waf_optimistic_lock_exception) {
                        continue;
                    }
                    let used = why.is_some_and(DeleteRuleGroupError::is_waf_associated_item_exception);
                    let failure = failed(&format!("delete rule group `{}`", live.name), error);
                    return Err(if used { failure.hint(wafv2::IN_USE_HINT) } else { failure });
                }
            }
        }
        Err(wafv2::never_ours(Self::NAME, &live.name))
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        wafv2::tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        wafv2::untag(aws, outputs, keys).await
    }
}

/// The part of a spec that an update replaces.
fn without_tags(spec: &RuleGroupSpec) -> RuleGroupSpec {
    RuleGroupSpec { tags: Tags::new(), ..spec.clone() }
}

/// Replaces the rules and what goes with them, with the newest lock token, as long as the group still is what the plan was
/// made from. An update whose answer was lost leaves it as wanted, under a token that we do not know.
async fn change(aws: &Aws, live: &Observed<RuleGroupSpec>, wanted: &RuleGroupSpec) -> Result<()> {
    let named = Named::from_outputs(&live.outputs)?;
    let (rules, bodies) = (write::rules(&wanted.rules)?, write::bodies(&wanted.response_bodies)?);
    let seen = write::visibility(&wanted.visibility)?;
    for _ in 0..wafv2::TRIES {
        let found = get(&aws.write, &named).await?;
        let (now, token) = given("rule group that was there a moment ago", found)?;
        let now = spec(&now, Tags::new());
        if now == without_tags(wanted) {
            return Ok(());
        }
        if now != without_tags(&live.spec) {
            return Err(wafv2::changed_meanwhile(RuleGroup::NAME, &live.name));
        }
        let call = || {
            let update = aws.write.wafv2.update_rule_group().name(&named.name).id(&named.id);
            update
                .scope(WafScope::Regional)
                .set_description(wanted.description.clone())
                .set_rules(Some(rules.clone()))
                .set_custom_response_bodies(bodies.clone())
                .visibility_config(seen.clone())
                .lock_token(&token)
                .send()
        };
        let Err(error) = retry::until_ready(wafv2::SPREADS, &wafv2::NOT_YET, call).await else { return Ok(()) };
        let why = error.as_service_error();
        if why.is_some_and(UpdateRuleGroupError::is_waf_optimistic_lock_exception) {
            continue;
        }
        let over = why.is_some_and(UpdateRuleGroupError::is_waf_limits_exceeded_exception);
        let failure = failed(&format!("update rule group `{}`", live.name), error);
        return Err(if over { with_cost(aws, wanted, failure).await } else { failure });
    }
    Err(wafv2::never_ours(RuleGroup::NAME, &live.name))
}

/// A refusal for its size, with what AWS itself takes the rules to cost.
async fn with_cost(aws: &Aws, spec: &RuleGroupSpec, failure: Failure) -> Failure {
    let Ok(rules) = write::rules(&spec.rules) else { return failure };
    let call = aws.write.wafv2.check_capacity().scope(WafScope::Regional).set_rules(Some(rules));
    match call.send().await {
        Ok(answer) if answer.capacity > spec.capacity => failure
            .cause(format!("the rules cost {} capacity units, and the group has {}", answer.capacity, spec.capacity))
            .hint("give the group that capacity, and another name with it: a group in use can't be made anew in its place"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::web_acl::spec::{self as rules, Action, AllowList, Fallback, ForwardedIn};

    fn group() -> RuleGroupSpec {
        let seen = |metric: &str| Visibility { metric: metric.into(), metrics: true, sampled_requests: true };
        let rule = Statement::AllowList(AllowList {
            set: "arn:aws:wafv2:eu-central-1:123456789012:regional/ipset/office/1".into(),
            header: ForwardedIn { header: "client-ip".into(), fallback: Fallback::NoMatch, position: Position::First },
            longer_than: 1,
            action: Action::Block { response: None },
        });
        RuleGroupSpec {
            name: "allowlist".into(),
            description: None,
            capacity: 10,
            rules: rules::in_order([("rule-1".to_owned(), rule, seen("rule-1"))]),
            response_bodies: BTreeMap::new(),
            visibility: seen("allowlist"),
            tags: Tags::new(),
        }
    }

    #[test]
    fn rules_of_a_group_are_written_and_read_back() {
        let written = write::rules(&group().rules).unwrap();
        assert_eq!(read::rules(&written), group().rules);
        let mut turned = written.clone();
        let both = turned[0].statement.as_mut().unwrap().and_statement.as_mut().unwrap();
        both.statements.reverse();
        assert_eq!(read::rules(&turned), group().rules, "the order of the halves means nothing");
        let both = turned[0].statement.as_mut().unwrap().and_statement.as_mut().unwrap();
        both.statements[1].size_constraint_statement.as_mut().unwrap().comparison_operator =
            aws_sdk_wafv2::types::ComparisonOperator::Ge;
        assert!(
            matches!(&read::rules(&turned)["rule-1"].statement, Statement::Foreign { statement } if statement == "AndStatement")
        );
    }

    #[test]
    fn faults_are_told() {
        assert_eq!(faults(&group()), Vec::<String>::new());
        assert_eq!(capacity_of(&group().rules), 2);
        let mut grouped = group();
        grouped.rules.get_mut("rule-1").unwrap().statement =
            Statement::RuleGroup(rules::RuleGroup { group: "arn".into(), rule_actions: [].into(), count_only: false });
        for (wrong, words) in [
            (RuleGroupSpec { name: "a b".into(), ..group() }, "name `a b`"),
            (RuleGroupSpec { capacity: 1, ..group() }, "cost 2 capacity units"),
            (RuleGroupSpec { capacity: 0, ..group() }, "not 1 to 5000"),
            (grouped, "is a group"),
        ] {
            let found = faults(&wrong);
            assert!(matches!(found.as_slice(), [one] if one.contains(words)), "{words}: {found:?}");
        }
    }
}
