//! AWS WAF v2 in the sandbox: web ACLs, IP sets, regex pattern sets, rule groups, their associations with stages and
//! application load balancers, tags and logging configurations, over JSON 1.1.
//!
//! It is the control plane; what a web ACL says to a request is `execute_api::waf`'s to tell. A web ACL is associated by
//! writing its ARN into the stage of the sandbox's API Gateway, so the association ends with the stage; that with a load
//! balancer is kept here and counts as long as the load balancer is there. Other resources that AWS could protect do not
//! exist here.

mod associations;
mod capacity;
mod check;
mod entities;
mod faults;
mod kinds;
mod logging;
mod managed;
pub mod rules;
mod tags;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::entities::Page;
use self::faults::Answer;
use super::wire::{Caller, Request, Response};
use super::world::View;

pub use self::entities::Entity;
pub(in crate::sandbox) use self::kinds::label_namespace;
pub use self::kinds::{IpSet, RegexPatternSet, RuleGroup, WebAcl};

/// AWS WAF of one Region of one account. What is for `CloudFront` is in us-east-1.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    web_acls: Vec<Entity<WebAcl>>,
    ip_sets: Vec<Entity<IpSet>>,
    regex_pattern_sets: Vec<Entity<RegexPatternSet>>,
    rule_groups: Vec<Entity<RuleGroup>>,
    /// Logging configurations by the ARN of their web ACL.
    logging: BTreeMap<String, Value>,
    /// Web ACLs by the ARN of the load balancer that they stand before.
    #[serde(default)]
    balancers: BTreeMap<String, String>,
}

impl State {
    /// A web ACL by its ARN.
    #[must_use]
    pub fn web_acl(&self, arn: &str) -> Option<&Entity<WebAcl>> {
        self.web_acls.iter().find(|one| one.arn == arn)
    }

    /// The ARN of the web ACL that stands before a load balancer.
    #[must_use]
    pub fn of_balancer(&self, arn: &str) -> Option<&str> {
        self.balancers.get(arn).map(String::as_str)
    }

    /// An IP set by its ARN.
    #[must_use]
    pub fn ip_set(&self, arn: &str) -> Option<&Entity<IpSet>> {
        self.ip_sets.iter().find(|one| one.arn == arn)
    }

    /// A regex pattern set by its ARN.
    #[must_use]
    pub fn regex_pattern_set(&self, arn: &str) -> Option<&Entity<RegexPatternSet>> {
        self.regex_pattern_sets.iter().find(|one| one.arn == arn)
    }

    /// A rule group by its ARN.
    #[must_use]
    pub fn rule_group(&self, arn: &str) -> Option<&Entity<RuleGroup>> {
        self.rule_groups.iter().find(|one| one.arn == arn)
    }

    /// The ARNs of all resources that have tags, and their tags.
    #[must_use]
    pub fn tagged(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let found = self.web_acls.iter().map(|one| (&one.arn, &one.tags));
        let found = found.chain(self.ip_sets.iter().map(|one| (&one.arn, &one.tags)));
        let found = found.chain(self.regex_pattern_sets.iter().map(|one| (&one.arn, &one.tags)));
        let found = found.chain(self.rule_groups.iter().map(|one| (&one.arn, &one.tags)));
        found.filter(|(_, tags)| !tags.is_empty()).map(|(arn, tags)| (arn.clone(), tags.clone())).collect()
    }

    /// Whether a set or a rule group with an ARN exists.
    fn has(&self, arn: &str) -> bool {
        self.ip_set(arn).is_some() || self.regex_pattern_set(arn).is_some() || self.rule_group(arn).is_some()
    }

    /// Whether a rule refers to an ARN.
    fn refers(&self, arn: &str) -> bool {
        let acls = self.web_acls.iter().flat_map(|acl| &acl.body.rules);
        let groups = self.rule_groups.iter().flat_map(|group| &group.body.rules);
        let mut found = Vec::new();
        acls.chain(groups).for_each(|rule| rule.statement.references(&mut found));
        found.contains(&arn)
    }

    /// What rules cost.
    fn capacity_of(&self, rules: &[rules::Rule]) -> u64 {
        capacity::of_rules(rules, &|arn| self.rule_group(arn).map_or(0, |group| group.body.capacity))
    }
}

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    match act(view, request) {
        Ok(body) => Response {
            status: 200,
            headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
            body: body.to_string().into_bytes().into(),
        },
        Err(refusal) => refusal.into_response(),
    }
}

/// Whether a request only looks.
pub(super) fn is_read(request: &Request) -> bool {
    ["Check", "Describe", "Get", "List"].iter().any(|verb| request.operation().starts_with(verb))
}

fn act(view: &mut View<'_>, request: &Request) -> Answer<Value> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let caller = &request.caller;
    let operation = target.strip_prefix("AWSWAF_20190729.").unwrap_or_default();
    let input = || -> Answer<Map<String, Value>> { parse(request) };
    match operation {
        "CreateWebACL" => entities::create::<WebAcl>(view, caller, input()?),
        "GetWebACL" => entities::get::<WebAcl>(view, caller, input()?),
        "ListWebACLs" => entities::list::<WebAcl>(view, caller, input()?),
        "UpdateWebACL" => entities::update::<WebAcl>(view, caller, input()?),
        "DeleteWebACL" => entities::delete::<WebAcl>(view, caller, input()?),
        "CreateIPSet" => entities::create::<IpSet>(view, caller, input()?),
        "GetIPSet" => entities::get::<IpSet>(view, caller, input()?),
        "ListIPSets" => entities::list::<IpSet>(view, caller, input()?),
        "UpdateIPSet" => entities::update::<IpSet>(view, caller, input()?),
        "DeleteIPSet" => entities::delete::<IpSet>(view, caller, input()?),
        "CreateRegexPatternSet" => entities::create::<RegexPatternSet>(view, caller, input()?),
        "GetRegexPatternSet" => entities::get::<RegexPatternSet>(view, caller, input()?),
        "ListRegexPatternSets" => entities::list::<RegexPatternSet>(view, caller, input()?),
        "UpdateRegexPatternSet" => entities::update::<RegexPatternSet>(view, caller, input()?),
        "DeleteRegexPatternSet" => entities::delete::<RegexPatternSet>(view, caller, input()?),
        "CreateRuleGroup" => entities::create::<RuleGroup>(view, caller, input()?),
        "GetRuleGroup" => entities::get::<RuleGroup>(view, caller, input()?),
        "ListRuleGroups" => entities::list::<RuleGroup>(view, caller, input()?),
        "UpdateRuleGroup" => entities::update::<RuleGroup>(view, caller, input()?),
        "DeleteRuleGroup" => entities::delete::<RuleGroup>(view, caller, input()?),
        "AssociateWebACL" => associations::associate(view, caller, parse(request)?),
        "DisassociateWebACL" => associations::disassociate(view, caller, &parse(request)?),
        "GetWebACLForResource" => associations::web_acl_of(view, caller, &parse(request)?),
        "ListResourcesForWebACL" => associations::resources_of(view, caller, &parse(request)?),
        "TagResource" => tags::tag(&mut view.region.wafv2, parse(request)?),
        "UntagResource" => tags::untag(&mut view.region.wafv2, &parse(request)?),
        "ListTagsForResource" => tags::list(&mut view.region.wafv2, &parse(request)?),
        "PutLoggingConfiguration" => logging::put(view, caller, parse(request)?),
        "GetLoggingConfiguration" => logging::get(&view.region.wafv2, &parse(request)?),
        "DeleteLoggingConfiguration" => logging::delete(&mut view.region.wafv2, &parse(request)?),
        "ListLoggingConfigurations" => logging::list(&view.region.wafv2, caller, &parse(request)?),
        "CheckCapacity" => check_capacity(&view.region.wafv2, caller, &parse(request)?),
        "ListAvailableManagedRuleGroups" => managed_groups(caller, &parse(request)?),
        _ => Err(faults::unknown_operation(target)),
    }
}

/// What rules would cost, if they were in a web ACL.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Costing {
    scope: String,
    rules: Vec<rules::Rule>,
}

/// A page of a list of one scope.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    scope: String,
    #[serde(flatten)]
    page: Page,
}

fn check_capacity(state: &State, caller: &Caller, asked: &Costing) -> Answer<Value> {
    entities::scope(&asked.scope, caller)?;
    let around = check::Around { exists: &|arn| state.has(arn), bodies: None, in_group: false };
    check::rules(&asked.rules, &around)?;
    Ok(json!({ "Capacity": state.capacity_of(&asked.rules) }))
}

fn managed_groups(caller: &Caller, asked: &Listing) -> Answer<Value> {
    entities::scope(&asked.scope, caller)?;
    asked.page.of("ManagedRuleGroups", managed::summaries())
}

fn parse<T: DeserializeOwned>(request: &Request) -> Answer<T> {
    serde_json::from_slice(&request.body).map_err(|error| faults::unreadable(&error))
}

#[cfg(test)]
mod tests;
