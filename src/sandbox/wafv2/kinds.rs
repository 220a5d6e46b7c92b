//! The four kinds of resource, and what is special about each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::{self, Around};
use super::entities::{Entity, Kind};
use super::faults::{self, Answer, unreadable};
use super::rules::{CustomResponseBodies, DefaultAction, Rule, VisibilityConfig};
use super::{State, capacity};
use crate::sandbox::wire::Caller;

/// Rules, and what happens to a request that none of them decides about.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct WebAcl {
    /// What happens to a request that no rule decides about.
    pub default_action: DefaultAction,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Metrics and samples.
    pub visibility_config: VisibilityConfig,
    /// Bodies that blocking rules may answer with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_response_bodies: CustomResponseBodies,
    /// How long a solved puzzle is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captcha_config: Option<Value>,
    /// How long a passed challenge is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_config: Option<Value>,
    /// Domains that tokens are good for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_domains: Vec<String>,
    /// How much of a body is looked at, by type of resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association_config: Option<Value>,
    /// What logs leave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_protection_config: Option<Value>,
}

/// Ranges of addresses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct IpSet {
    /// `IPV4` or `IPV6`.
    #[serde(rename = "IPAddressVersion")]
    pub version: String,
    /// The ranges, each with its prefix.
    pub addresses: Vec<String>,
}

/// Patterns.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RegexPatternSet {
    /// The patterns.
    pub regular_expression_list: Vec<Pattern>,
}

/// A pattern.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Pattern {
    /// The pattern.
    pub regex_string: String,
}

/// Rules that web ACLs share.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RuleGroup {
    /// What its rules may cost, and what it costs a web ACL.
    pub capacity: u64,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Metrics and samples.
    pub visibility_config: VisibilityConfig,
    /// Bodies that blocking rules may answer with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_response_bodies: CustomResponseBodies,
}

/// Patterns that one set may have (developer guide, "AWS WAF quotas").
const PATTERNS: usize = 10;

impl Kind for WebAcl {
    const NAME: &'static str = "WebACL";
    const PLURAL: &'static str = "WebACLs";
    const WORD: &'static str = "webacl";
    const LIMIT: usize = 100;

    fn store(state: &State) -> &Vec<Entity<Self>> {
        &state.web_acls
    }

    fn store_mut(state: &mut State) -> &mut Vec<Entity<Self>> {
        &mut state.web_acls
    }

    fn read(input: Map<String, Value>, _: Option<&Self>, state: &State) -> Answer<Self> {
        let acl: Self = body(input)?;
        check::bodies(&acl.custom_response_bodies)?;
        check::default_action(&acl.default_action, &acl.custom_response_bodies)?;
        check::visibility(&acl.visibility_config)?;
        let exists = |arn: &str| state.has(arn);
        check::rules(
            &acl.rules,
            &Around { exists: &exists, bodies: Some(&acl.custom_response_bodies), in_group: false },
        )?;
        if state.capacity_of(&acl.rules) > capacity::LIMIT {
            return Err(faults::limit("WEBACL_CAPACITY"));
        }
        Ok(acl)
    }

    fn shown(entity: &Entity<Self>, caller: &Caller, state: &State) -> Map<String, Value> {
        let mut members = object(&entity.body);
        members.insert("Capacity".into(), json!(state.capacity_of(&entity.body.rules)));
        members.insert("ManagedByFirewallManager".into(), json!(false));
        members.insert("RetrofittedByFirewallManager".into(), json!(false));
        members.insert("LabelNamespace".into(), json!(label_namespace("webacl", &caller.account, &entity.name)));
        members
    }
}

impl Kind for IpSet {
    const NAME: &'static str = "IPSet";
    const PLURAL: &'static str = "IPSets";
    const WORD: &'static str = "ipset";
    const LIMIT: usize = 100;

    fn store(state: &State) -> &Vec<Entity<Self>> {
        &state.ip_sets
    }

    fn store_mut(state: &mut State) -> &mut Vec<Entity<Self>> {
        &mut state.ip_sets
    }

    fn read(mut input: Map<String, Value>, previous: Option<&Self>, _: &State) -> Answer<Self> {
        keep(&mut input, "IPAddressVersion", previous.map(|set| json!(set.version)))?;
        let set: Self = body(input)?;
        if !["IPV4", "IPV6"].contains(&set.version.as_str()) {
            let allowed = "satisfy enum value set: [IPV4, IPV6]".to_owned();
            return Err(faults::violations(&set.version, "iPAddressVersion", &[allowed]));
        }
        check::addresses(&set.addresses, &set.version)?;
        Ok(set)
    }

    fn shown(entity: &Entity<Self>, _: &Caller, _: &State) -> Map<String, Value> {
        object(&entity.body)
    }
}

impl Kind for RegexPatternSet {
    const NAME: &'static str = "RegexPatternSet";
    const PLURAL: &'static str = "RegexPatternSets";
    const WORD: &'static str = "regexpatternset";
    const LIMIT: usize = 10;

    fn store(state: &State) -> &Vec<Entity<Self>> {
        &state.regex_pattern_sets
    }

    fn store_mut(state: &mut State) -> &mut Vec<Entity<Self>> {
        &mut state.regex_pattern_sets
    }

    fn read(input: Map<String, Value>, _: Option<&Self>, _: &State) -> Answer<Self> {
        let set: Self = body(input)?;
        if set.regular_expression_list.len() > PATTERNS {
            return Err(faults::limit("REGEX_PATTERN_SET"));
        }
        for pattern in &set.regular_expression_list {
            check::regex(&pattern.regex_string, "REGEX_PATTERN_SET")?;
        }
        Ok(set)
    }

    fn shown(entity: &Entity<Self>, _: &Caller, _: &State) -> Map<String, Value> {
        object(&entity.body)
    }
}

impl Kind for RuleGroup {
    const NAME: &'static str = "RuleGroup";
    const PLURAL: &'static str = "RuleGroups";
    const WORD: &'static str = "rulegroup";
    const LIMIT: usize = 100;

    fn store(state: &State) -> &Vec<Entity<Self>> {
        &state.rule_groups
    }

    fn store_mut(state: &mut State) -> &mut Vec<Entity<Self>> {
        &mut state.rule_groups
    }

    fn read(mut input: Map<String, Value>, previous: Option<&Self>, state: &State) -> Answer<Self> {
        keep(&mut input, "Capacity", previous.map(|group| json!(group.capacity)))?;
        let group: Self = body(input)?;
        if !(1..=capacity::LIMIT).contains(&group.capacity) {
            return Err(faults::limit("RULE_GROUP_CAPACITY"));
        }
        check::bodies(&group.custom_response_bodies)?;
        check::visibility(&group.visibility_config)?;
        let exists = |arn: &str| state.has(arn);
        check::rules(
            &group.rules,
            &Around { exists: &exists, bodies: Some(&group.custom_response_bodies), in_group: true },
        )?;
        if state.capacity_of(&group.rules) > group.capacity {
            return Err(faults::limit("RULE_GROUP_CAPACITY"));
        }
        Ok(group)
    }

    fn shown(entity: &Entity<Self>, caller: &Caller, _: &State) -> Map<String, Value> {
        let mut members = object(&entity.body);
        let namespace = label_namespace("rulegroup", &caller.account, &entity.name);
        let labels = entity.body.rules.iter().flat_map(|rule| &rule.rule_labels);
        let labels: Vec<Value> = labels.map(|label| json!({ "Name": format!("{namespace}{}", label.name) })).collect();
        if !labels.is_empty() {
            members.insert("AvailableLabels".into(), json!(labels));
        }
        members.insert("LabelNamespace".into(), json!(namespace));
        members
    }
}

/// What stands before the labels that the rules of a web ACL or a rule group add.
pub(in crate::sandbox) fn label_namespace(word: &str, account: &str, name: &str) -> String {
    format!("awswaf:{account}:{word}:{name}:")
}

/// Puts a member that can't be changed into the input of an update, which must not have it.
fn keep(input: &mut Map<String, Value>, member: &str, previous: Option<Value>) -> Answer<()> {
    let Some(previous) = previous else { return Ok(()) };
    match input.insert(member.to_owned(), previous) {
        None => Ok(()),
        Some(_) => Err(faults::operation(format!("The sandbox's AWS WAF does not support {member} in an update"))),
    }
}

fn body<T: serde::de::DeserializeOwned>(input: Map<String, Value>) -> Answer<T> {
    serde_json::from_value(Value::Object(input)).map_err(|error| unreadable(&error))
}

/// The bodies are structs with string keys, so they always become objects.
fn object<T: Serialize>(body: &T) -> Map<String, Value> {
    match serde_json::to_value(body) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
