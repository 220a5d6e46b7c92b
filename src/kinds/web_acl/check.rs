//! What AWS WAF refuses wherever it is, although the types can say it: so that a configuration is refused before it is
//! applied. How much rules cost is AWS's to say.

use std::collections::{BTreeMap, BTreeSet};

use super::spec::{Action, DefaultAction, LOG_PREFIX, Logging, Response, ResponseBody, Rule, Statement, WebAclSpec};
use crate::kinds::wafv2::{description_fault, name_fault};
use crate::model::Input;

/// The group that looks for bots.
const BOT_CONTROL: &str = "AWSManagedRulesBotControlRuleSet";

/// Groups that have to be told about the application (API reference, `ManagedRuleGroupConfig`).
const NEED_MORE: [&str; 3] =
    ["AWSManagedRulesATPRuleSet", "AWSManagedRulesACFPRuleSet", "AWSManagedRulesAntiDDoSRuleSet"];

/// Bytes of a path prefix (developer guide, "AWS WAF quotas": the string of a string match).
const LONGEST_PREFIX: usize = 200;

/// Bytes of one body, and of all bodies of a web ACL (ditto).
const LARGEST_BODY: usize = 4 * 1024;
const LARGEST_BODIES: usize = 50 * 1024;

/// Headers of one answer (ditto).
const MOST_HEADERS: usize = 10;

/// The faults of a web ACL, each a sentence without a full stop.
#[must_use]
pub fn faults(acl: &WebAclSpec) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(name_fault("the web ACL", &acl.name));
    found.extend(acl.description.as_deref().and_then(description_fault));
    found.extend(metric_fault("the web ACL", &acl.visibility.metric));
    if let DefaultAction::Block { response: Some(response) } = &acl.default_action {
        found.extend(response_faults("the default action", &acl.response_bodies, response));
    }
    found.extend(rules_faults(&acl.rules, &acl.response_bodies));
    found.extend(body_faults(&acl.response_bodies));
    found.extend(acl.logging.as_ref().and_then(logging_fault));
    found
}

/// The faults of rules, which may answer with some bodies.
pub(in crate::kinds) fn rules_faults(
    rules: &BTreeMap<String, Rule>,
    bodies: &BTreeMap<String, ResponseBody>,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut priorities = BTreeSet::new();
    for (name, rule) in rules {
        let whose = format!("rule `{name}`");
        found.extend(name_fault(&whose, name));
        found.extend(metric_fault(&whose, &rule.visibility.metric));
        if !priorities.insert(rule.priority) {
            found.push(format!("{whose} has the priority {} of another rule", rule.priority));
        }
        found.extend(rule_faults(&whose, rule));
        for response in responses(&rule.statement) {
            found.extend(response_faults(&whose, bodies, response));
        }
    }
    found
}

fn rule_faults(whose: &str, rule: &Rule) -> Vec<String> {
    let mut found = Vec::new();
    let prefix = match &rule.statement {
        Statement::RateBased(one) => one.path_prefix.as_ref(),
        Statement::ManagedRuleGroup(one) => one.path_prefix.as_ref(),
        _ => None,
    };
    if prefix.is_some_and(|prefix| !(1..=LONGEST_PREFIX).contains(&prefix.len())) {
        found.push(format!("{whose} has a path prefix of other than 1 to {LONGEST_PREFIX} bytes"));
    }
    match &rule.statement {
        Statement::RateBased(one) => {
            if one.action == Action::Allow {
                found.push(format!("{whose} limits a rate and allows what is beyond it"));
            }
            if ![60, 120, 300, 600].contains(&one.window_seconds) {
                found.push(format!("{whose} counts over {} seconds, not 60, 120, 300 or 600", one.window_seconds));
            }
            if !(10..=2_000_000_000).contains(&one.limit) {
                found.push(format!("{whose} has the limit {}, not 10 to 2000000000", one.limit));
            }
        }
        Statement::ManagedRuleGroup(group) => {
            if (group.name == BOT_CONTROL) != group.bot_control.is_some() {
                found.push(format!("{whose}: a level of inspection goes with {BOT_CONTROL}, and only with it"));
            }
            if NEED_MORE.contains(&group.name.as_str()) {
                found.push(format!("{whose}: {} needs settings that gwctl makes none of", group.name));
            }
        }
        Statement::Geo(one) => {
            let code = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
            if !(1..=50).contains(&one.countries.len()) || !one.countries.iter().all(code) {
                found.push(format!("{whose} wants 1 to 50 countries, of two capital letters each"));
            }
        }
        Statement::Foreign { .. } => found.push(format!("{whose} is none that gwctl can make")),
        Statement::AllowList(one) => {
            if !(0..=21_474_836_480).contains(&one.longer_than) {
                found.push(format!("{whose} wants headers of more than {} bytes", one.longer_than));
            }
        }
        Statement::IpSet(_) | Statement::RuleGroup(_) => {}
    }
    found
}

/// The answers that a rule may give.
fn responses(statement: &Statement) -> Vec<&Response> {
    let actions: Vec<&Action> = match statement {
        Statement::RateBased(one) => vec![&one.action],
        Statement::IpSet(one) => vec![&one.action],
        Statement::Geo(one) => vec![&one.action],
        Statement::AllowList(one) => vec![&one.action],
        Statement::ManagedRuleGroup(group) => group.rule_actions.values().collect(),
        Statement::RuleGroup(group) => group.rule_actions.values().collect(),
        Statement::Foreign { .. } => Vec::new(),
    };
    let response = |action: &&'_ Action| matches!(action, Action::Block { response: Some(_) });
    actions
        .into_iter()
        .filter(response)
        .filter_map(|action| if let Action::Block { response } = action { response.as_ref() } else { None })
        .collect()
}

fn response_faults(whose: &str, bodies: &BTreeMap<String, ResponseBody>, response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    if !(200..=599).contains(&response.status) {
        found.push(format!("{whose} answers with status {}, not 200 to 599", response.status));
    }
    if let Some(key) = response.body.as_ref().filter(|key| !bodies.contains_key(*key)) {
        found.push(format!("{whose} answers with the body `{key}`, which does not exist"));
    }
    if response.headers.len() > MOST_HEADERS {
        found.push(format!("{whose} answers with more than {MOST_HEADERS} headers"));
    }
    found
}

pub(in crate::kinds) fn body_faults(bodies: &BTreeMap<String, ResponseBody>) -> Vec<String> {
    let mut found = Vec::new();
    for (key, body) in bodies {
        let whose = format!("body `{key}`");
        found.extend(name_fault(&whose, key));
        if !(1..=LARGEST_BODY).contains(&body.content.len()) {
            found.push(format!("{whose} has other than 1 to {LARGEST_BODY} bytes"));
        }
        if body.content_type == super::spec::ContentType::Json
            && serde_json::from_str::<serde_json::Value>(&body.content).is_err()
        {
            found.push(format!("{whose} is no JSON"));
        }
    }
    if bodies.values().map(|body| body.content.len()).sum::<usize>() > LARGEST_BODIES {
        found.push(format!("the bodies have more than {LARGEST_BODIES} bytes together"));
    }
    found
}

pub(in crate::kinds) fn metric_fault(whose: &str, name: &str) -> Option<String> {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-#:./".contains(&byte);
    let fits = (1..=255).contains(&name.len()) && name.bytes().all(sign) && !["All", "Default_Action"].contains(&name);
    let form = "1 to 255 letters, digits and _-#:./, and not All or Default_Action";
    (!fits).then(|| format!("{whose} has the metric `{name}`, which is not {form}"))
}

/// A destination whose ARN is known and whose name has not the prefix that AWS WAF asks for.
fn logging_fault(logging: &Logging) -> Option<String> {
    let Input::Known(arn) = &logging.destination else { return None };
    let name = arn.split_once(":log-group:").or_else(|| arn.split_once(":deliverystream/")).map(|(_, name)| name);
    let fits = name.is_some_and(|name| name.starts_with(LOG_PREFIX));
    (!fits).then(|| {
        format!("logs can't go to `{arn}`: it is no log group or Firehose whose name begins with {LOG_PREFIX}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::web_acl::spec::{ContentType, ResponseBody};
    use crate::kinds::web_acl::tests::acl;

    #[test]
    fn a_whole_web_acl_has_no_fault() {
        assert_eq!(faults(&acl()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_told() {
        let rate = |change: &dyn Fn(&mut super::super::spec::RateBased)| {
            let mut wrong = acl();
            let Some(Statement::RateBased(one)) = wrong.rules.get_mut("per-ip").map(|rule| &mut rule.statement) else {
                panic!("it limits a rate");
            };
            change(one);
            wrong
        };
        let json = ResponseBody { content_type: ContentType::Json, content: "{".into() };
        let response = Response { status: 99, body: Some("none".into()), headers: [].into() };
        let group = |change: &dyn Fn(&mut super::super::spec::ManagedRuleGroup)| {
            let mut wrong = acl();
            let Some(Statement::ManagedRuleGroup(one)) = wrong.rules.get_mut("core").map(|rule| &mut rule.statement)
            else {
                panic!("it is a group");
            };
            change(one);
            wrong
        };
        let mut double = acl();
        double.rules.values_mut().for_each(|rule| rule.priority = 7);
        let logs = acl().logging.map(|logs| Logging { destination: "arn:aws:s3:::aws-waf-logs-x".into(), ..logs });
        for (wrong, words) in [
            (WebAclSpec { name: "a b".into(), ..acl() }, "the web ACL has the name `a b`"),
            (WebAclSpec { description: Some("it's".into()), ..acl() }, "the description `it's`"),
            (WebAclSpec { logging: logs, ..acl() }, "logs can't go to"),
            (WebAclSpec { response_bodies: [("no".into(), json)].into(), ..acl() }, "body `no` is no JSON"),
            (
                WebAclSpec { default_action: DefaultAction::Block { response: Some(response) }, ..acl() },
                "the default action answers with status 99",
            ),
            (double, "of another rule"),
            (rate(&|one| one.limit = 9), "limit 9"),
            (rate(&|one| one.window_seconds = 61), "61 seconds"),
            (rate(&|one| one.action = Action::Allow), "allows what is beyond"),
            (rate(&|one| one.path_prefix = Some(String::new())), "path prefix"),
            (group(&|one| one.name = BOT_CONTROL.into()), "level of inspection"),
            (group(&|one| one.name = NEED_MORE[0].into()), "needs settings"),
        ] {
            let found = faults(&wrong);
            assert!(found.iter().any(|fault| fault.contains(words)), "{words}: {found:?}");
        }
    }
}
