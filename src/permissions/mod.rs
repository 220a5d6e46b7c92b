//! What gwctl asks of AWS, and the IAM policies that allow just that.
//!
//! Kinds, and everything else that asks AWS, declare their calls in the SDK's words ([`Calls`]). Here they become IAM's
//! actions, on the ARNs of what an environment is made of, and these the documents that `gwctl policy` prints and
//! `gwctl doctor` goes by. Pure: no type of AWS's SDK, and nothing is asked.

mod document;
mod needs;
mod resources;

use std::collections::BTreeSet;

use serde_json::Value;

use document::Grant;
pub use document::LIMIT;
use needs::On;
pub use resources::Subject;

/// The calls of a kind, or of something else that asks AWS, by service and operation of the SDK: `lambda:GetFunction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// Reads that are made for every environment, those too that want nothing of the kind: to find what is no longer wanted.
    pub seeks: &'static [&'static str],
    /// Kinds beside which the other reads are made, though nothing of this one is wanted: those that it lives in.
    pub with: &'static [&'static str],
    /// The other reads.
    pub reads: &'static [&'static str],
    /// What changes something.
    pub writes: &'static [&'static str],
}

impl Calls {
    /// Whether a call is one of them.
    #[must_use]
    pub fn contain(&self, call: &str) -> bool {
        self.all().any(|one| one == call)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.looks().chain(self.writes.iter().copied())
    }

    /// Those that change nothing.
    pub fn looks(&self) -> impl Iterator<Item = &'static str> {
        self.seeks.iter().chain(self.reads).copied()
    }
}

/// What a policy is to allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look: `plan`, `drift`, `show`, `history`.
    Look,
    /// To change as well: `apply`, `destroy`, `rollback`, `canary`.
    Change,
}

/// Everything that is to be allowed, each thing once.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    grants: BTreeSet<Grant>,
}

impl Permissions {
    /// Adds what kinds do with an environment. Kinds that it has nothing of only seek.
    pub fn add_kinds<'k>(
        &mut self,
        subject: &Subject<'_>,
        kinds: impl IntoIterator<Item = (&'k str, Calls)>,
        purpose: Purpose,
    ) {
        let wanted = subject.kinds();
        for (kind, calls) in kinds {
            match (wanted.contains(kind), purpose) {
                (true, Purpose::Change) => self.add(subject, kind, calls.all()),
                (true, Purpose::Look) => self.add(subject, kind, calls.looks()),
                (false, _) if calls.with.iter().any(|other| wanted.contains(other)) => {
                    self.add(subject, kind, calls.looks());
                }
                (false, _) => self.add(subject, kind, calls.seeks.iter().copied()),
            }
        }
    }

    /// Adds the calls of a kind, or of somebody else, for whom `kind` is empty. A call that nobody knows is left out: a test
    /// holds that there is none.
    pub fn add<'c>(&mut self, subject: &Subject<'_>, kind: &str, calls: impl IntoIterator<Item = &'c str>) {
        for call in calls {
            for (action, on) in needs_of(kind, call).unwrap_or_default() {
                let resources = subject.arns(kind, on);
                if resources.is_empty() {
                    continue;
                }
                let passed_to = if let On::Passed(service) = on { Some(service) } else { None };
                self.grants.insert(Grant { topic: topic(on, action), passed_to, action, resources });
            }
        }
    }

    /// The actions, sorted.
    #[must_use]
    pub fn actions(&self) -> BTreeSet<&'static str> {
        self.grants.iter().map(|grant| grant.action).collect()
    }

    /// The policy documents: one, unless IAM would not take so long a one.
    #[must_use]
    pub fn documents(&self) -> Vec<Value> {
        document::documents(document::statements(self.grants.iter().cloned()))
    }
}

/// Whether a call is known here.
#[must_use]
pub fn is_known(call: &str) -> bool {
    needs::of(call).is_some()
}

/// What a call needs that a kind makes: some calls are about one thing or another.
fn needs_of(kind: &str, call: &str) -> Option<Vec<needs::Need>> {
    if kind == "web-acl-association"
        && let Some(needs) = needs::before_balancers(call)
    {
        return Some(needs);
    }
    let needs = needs::of(call)?;
    let instead = |on: On| match (kind, call.split_once(':').map(|(_, name)| name).unwrap_or_default()) {
        ("lock", _) => On::Lock,
        ("doctor", "GetRole") => On::Caller,
        ("account-logging", "GetRole") => On::AnyRole,
        ("ip-set", "TagResource" | "UntagResource" | "ListTagsForResource") => On::IpSet,
        ("wafv2-rule-group", "TagResource" | "UntagResource" | "ListTagsForResource") => On::RuleGroup,
        ("hosted-zone", "ChangeTagsForResource" | "ListTagsForResource" | "ListTagsForResources") => On::Zone,
        _ => on,
    };
    Some(needs.into_iter().map(|(action, on)| (action, instead(on))).collect())
}

/// The word that a statement is named by.
fn topic(on: On, action: &str) -> &'static str {
    match on {
        On::Path("/account") => "ApiGatewayAccount",
        On::Path("/tags/*") => "ApiGatewayTags",
        On::Path(path) if path.starts_with("/restapis") => "RestApis",
        On::Path(path) if path.starts_with("/apis") => "HttpApis",
        On::Path(path) if path.starts_with("/vpclinks") => "VpcLinks",
        On::Path(_) => "DomainNames",
        On::Everything if is_reading(action) => "Lists",
        On::Everything => "WithoutResources",
        On::Alarm | On::AnyAlarm => "Alarms",
        On::Bucket => "Buckets",
        On::Certificate => "Certificates",
        On::Change | On::Zone => "Dns",
        On::Function | On::Qualified => "Functions",
        On::Layer => "Layers",
        On::HealthCheck => "HealthChecks",
        On::IpSet => "IpSets",
        On::LoadBalancer | On::WebAcl | On::Stage | On::Referred => "WebAcls",
        On::Lock => "Lock",
        On::LogGroup => "LogGroups",
        On::Role | On::AnyRole => "Roles",
        On::Passed(_) => "PassRoles",
        On::Linked(..) => "ServiceRoles",
        On::RuleGroup => "RuleGroups",
        On::SecurityGroup | On::Vpc => "SecurityGroups",
        On::Stream => "Streams",
        On::Topic => "Topics",
        On::Caller => "Caller",
    }
}

/// Whether an action only looks, by its name.
fn is_reading(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    ["Get", "List", "Describe", "Lookup", "Simulate", "Filter"].iter().any(|verb| name.starts_with(verb))
}
