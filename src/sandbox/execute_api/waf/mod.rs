//! A web ACL as it decides about one request.
//!
//! [`Rules`] are compiled from a web ACL and what it refers to, and asked with a [`Subject`] for every request. What can't
//! be known here never decides: managed rule groups, the searches for SQL and scripts, networks, and countries that no
//! `x-gwctl-country` header names. The [`Outcome`] says so in its notes.

mod field;
mod forwarded;
mod limit;
mod rate;
mod statement;
mod transform;

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderMap;

use crate::sandbox::wafv2::rules::{self as wire, ContentType, CustomResponseBodies};
use crate::sandbox::wafv2::{Entity, State, WebAcl};

pub use rate::Counters;

use statement::{Test, Truth};

/// The header that names the client's country in tests, as `DE`.
pub const COUNTRY: &str = "x-gwctl-country";

/// A request, as far as a web ACL looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path as sent, still percent-encoded.
    pub path: &'a str,
    /// The query string as sent, without its question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The address of the connection.
    pub source_ip: IpAddr,
    /// The body.
    pub body: &'a [u8],
}

/// What a web ACL says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What happens.
    pub action: Action,
    /// The rule that decided, `group/rule` for one of a rule group; none where the default action did.
    pub rule: Option<String>,
    /// Rules that matched and only count.
    pub counted: Vec<String>,
    /// Labels that rules added, with their prefix.
    pub labels: Vec<String>,
    /// Headers to add to the request, their names with `x-amzn-waf-` in front.
    pub inserted: Vec<(String, String)>,
    /// What could not be evaluated here, and why.
    pub notes: Vec<String>,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Pass,
    /// It is answered at once.
    Block {
        /// The status: 403, that of a custom response, 405 for a CAPTCHA, 202 for a challenge.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// The body; empty unless a custom response has one.
        body: String,
        /// Whether this is the answer as it is. If not, API Gateway's gateway response `WAF_FILTERED` is.
        custom: bool,
    },
}

/// A compiled web ACL.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    default: Act,
}

#[derive(Debug)]
struct Rule {
    name: String,
    test: Test,
    then: Then,
    labels: Vec<String>,
}

/// What a match leads to.
#[derive(Debug)]
enum Then {
    Act(Act),
    /// The rules of a group decide; or are only counted.
    Group {
        rules: Vec<Rule>,
        counts: bool,
    },
}

#[derive(Debug, Clone)]
enum Act {
    Allow(Vec<(String, String)>),
    Count(Vec<(String, String)>),
    Block(Action),
}

/// Where rules stand: what their labels and names of bodies mean.
struct Home<'a> {
    state: &'a State,
    /// The prefix of their labels.
    namespace: String,
    bodies: &'a CustomResponseBodies,
    /// Tells the rates of one rule from those of every other, a changed one included.
    identity: String,
    /// Bytes of a body that are looked at.
    body_limit: usize,
}

/// One evaluation under way.
struct Run<'a> {
    subject: &'a Subject<'a>,
    counters: Option<&'a Counters>,
    now: Duration,
    counted: Vec<String>,
    labels: Vec<String>,
    inserted: Vec<(String, String)>,
    notes: Vec<String>,
}

impl Rules {
    /// Compiles a web ACL with the sets and rule groups that it refers to.
    #[must_use]
    pub fn compile(acl: &Entity<WebAcl>, state: &State) -> Self {
        let home = Home {
            state,
            namespace: namespace(&acl.arn),
            bodies: &acl.body.custom_response_bodies,
            identity: acl.arn.clone(),
            body_limit: body_limit(&acl.body),
        };
        let default = match (&acl.body.default_action.block, &acl.body.default_action.allow) {
            (Some(block), _) => Act::Block(home.blocked(block)),
            (None, allow) => Act::Allow(allow.as_ref().map(inserted).unwrap_or_default()),
        };
        Self { rules: home.compile(&acl.body.rules, &[]), default }
    }

    /// What the web ACL says to a request at `now`, a time since any fixed moment.
    ///
    /// Without `counters`, rate-based rules do not count and do not match; a note says what they would do.
    #[must_use]
    pub fn evaluate(&self, subject: &Subject<'_>, counters: Option<&Counters>, now: Duration) -> Outcome {
        let mut run = Run {
            subject,
            counters,
            now,
            counted: Vec::new(),
            labels: Vec::new(),
            inserted: Vec::new(),
            notes: Vec::new(),
        };
        let (rule, act) = match decide(&self.rules, &mut run, None) {
            Some((rule, act)) => (Some(rule), act),
            None => (None, &self.default),
        };
        let Run { counted, labels, mut inserted, notes, .. } = run;
        let action = match act {
            Act::Allow(headers) | Act::Count(headers) => {
                inserted.extend(headers.iter().cloned());
                Action::Pass
            }
            Act::Block(action) => action.clone(),
        };
        Outcome { action, rule, counted, labels, inserted, notes }
    }
}

/// The first rule that decides, and how.
fn decide<'r>(rules: &'r [Rule], run: &mut Run<'_>, group: Option<&str>) -> Option<(String, &'r Act)> {
    for rule in rules {
        let name = || group.map_or_else(|| rule.name.clone(), |group| format!("{group}/{}", rule.name));
        if rule.test.holds(run, &rule.name) != Truth::Yes {
            continue;
        }
        match &rule.then {
            Then::Act(act) => {
                run.labels.extend(rule.labels.iter().cloned());
                if let Act::Count(headers) = act {
                    run.inserted.extend(headers.iter().cloned());
                    run.counted.push(name());
                } else {
                    return Some((name(), act));
                }
            }
            Then::Group { rules, counts } => match decide(rules, run, Some(&rule.name)) {
                Some((inner, _)) if *counts => run.counted.push(inner),
                Some(decided) => return Some(decided),
                None => {}
            },
        }
    }
    None
}

impl Home<'_> {
    fn compile(&self, rules: &[wire::Rule], overrides: &[wire::ActionOverride]) -> Vec<Rule> {
        let mut rules: Vec<&wire::Rule> = rules.iter().collect();
        rules.sort_by_key(|rule| rule.priority);
        rules.into_iter().map(|rule| self.rule(rule, overrides)).collect()
    }

    fn rule(&self, rule: &wire::Rule, overrides: &[wire::ActionOverride]) -> Rule {
        let labels = rule.rule_labels.iter().map(|label| format!("{}{}", self.namespace, label.name)).collect();
        let (test, then) = if let Some(reference) = &rule.statement.rule_group_reference_statement {
            self.group(rule, reference)
        } else {
            let other = overrides.iter().find(|over| over.name == rule.name).map(|over| &over.action_to_use);
            let action = other.or(rule.action.as_ref());
            (Test::compile(&rule.statement, self, &rule.name), Then::Act(self.act(action)))
        };
        Rule { name: rule.name.clone(), test, then, labels }
    }

    fn group(&self, rule: &wire::Rule, reference: &wire::GroupReference) -> (Test, Then) {
        let counts = rule.override_action.as_ref().is_some_and(|over| over.count.is_some());
        let Some(group) = self.state.rule_group(&reference.arn) else {
            let note = format!("rule `{}` refers to {}, which does not exist", rule.name, reference.arn);
            return (Test::Unknown(note), Then::Act(Act::Count(Vec::new())));
        };
        let mut overrides = reference.rule_action_overrides.clone();
        let empty = wire::Inserting { custom_request_handling: None };
        let counting = wire::RuleAction { count: Some(empty), ..wire::RuleAction::default() };
        let excluded = reference.excluded_rules.iter();
        overrides.extend(
            excluded.map(|rule| wire::ActionOverride { name: rule.name.clone(), action_to_use: counting.clone() }),
        );
        let home = Home {
            state: self.state,
            namespace: namespace(&group.arn),
            bodies: &group.body.custom_response_bodies,
            // Each use of a group counts for itself (developer guide, "Using rate-based rule statements").
            identity: format!("{}/{}", self.identity, rule.name),
            body_limit: self.body_limit,
        };
        (Test::Always, Then::Group { rules: home.compile(&group.body.rules, &overrides), counts })
    }

    fn act(&self, action: Option<&wire::RuleAction>) -> Act {
        let Some(action) = action else { return Act::Count(Vec::new()) };
        let wire::RuleAction { block, allow, count, captcha, challenge } = action;
        if let Some(block) = block {
            return Act::Block(self.blocked(block));
        }
        // A client without a token is asked for one; nobody here could check it.
        if captcha.is_some() {
            return Act::Block(asked_for_token(405, "captcha"));
        }
        if challenge.is_some() {
            return Act::Block(asked_for_token(202, "challenge"));
        }
        if let Some(allow) = allow {
            return Act::Allow(inserted(allow));
        }
        Act::Count(count.as_ref().map(inserted).unwrap_or_default())
    }

    fn blocked(&self, block: &wire::Block) -> Action {
        let Some(custom) = &block.custom_response else {
            return Action::Block { status: 403, headers: Vec::new(), body: String::new(), custom: false };
        };
        let body = custom.custom_response_body_key.as_ref().and_then(|key| self.bodies.get(key));
        let mut headers: Vec<(String, String)> =
            custom.response_headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
        if let Some(body) = body {
            let kind = match body.content_type {
                ContentType::TextPlain => "text/plain",
                ContentType::TextHtml => "text/html",
                ContentType::ApplicationJson => "application/json",
            };
            headers.push(("content-type".into(), kind.into()));
        }
        let body = body.map(|body| body.content.clone()).unwrap_or_default();
        Action::Block { status: custom.response_code, headers, body, custom: true }
    }
}

/// The answer to a client without a token: `x-amzn-waf-action` tells it what is wanted (developer guide, "CAPTCHA and
/// Challenge action behavior"). AWS adds a page that does it, which is not reproduced.
fn asked_for_token(status: u16, wanted: &str) -> Action {
    let headers = vec![("x-amzn-waf-action".into(), wanted.into()), ("cache-control".into(), "no-store".into())];
    Action::Block { status, headers, body: String::new(), custom: true }
}

fn inserted(action: &wire::Inserting) -> Vec<(String, String)> {
    let headers = action.custom_request_handling.iter().flat_map(|handling| &handling.insert_headers);
    headers.map(|header| (format!("x-amzn-waf-{}", header.name), header.value.clone())).collect()
}

/// The prefix of labels, from an ARN: `awswaf:ACCOUNT:webacl:NAME:`.
fn namespace(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let path: Vec<&str> = parts.get(5).unwrap_or(&"").split('/').collect();
    let (account, word, name) = (parts.get(4), path.get(1), path.get(2));
    let text = |part: Option<&&str>| part.copied().unwrap_or_default().to_owned();
    crate::sandbox::wafv2::label_namespace(&text(word), &text(account), &text(name))
}

/// Bytes of a body that are looked at: 16 KB for API Gateway, or what the web ACL asks for (API reference,
/// `AssociationConfig`).
fn body_limit(acl: &WebAcl) -> usize {
    let size = acl.association_config.as_ref().map(|config| &config["RequestBody"]["API_GATEWAY"]);
    match size.and_then(|size| size["DefaultSizeInspectionLimit"].as_str()) {
        Some("KB_32") => 32 * 1024,
        Some("KB_48") => 48 * 1024,
        Some("KB_64") => 64 * 1024,
        _ => 16 * 1024,
    }
}

#[cfg(test)]
mod tests;
