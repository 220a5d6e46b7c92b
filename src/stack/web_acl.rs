//! The web ACL in front of a stage or a load balancer, made of the few settings of `waf`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::config::{BlockResponse, Faults, RuleGroup, WebAclSettings};
use crate::error::Result;
use crate::kinds::ip_set::{self, IpSet, IpSetSpec, IpVersion};
use crate::kinds::log_group::{LogFilters, LogGroup, LogGroupSpec};
use crate::kinds::web_acl::spec::{
    Action, ContentType, DefaultAction, Fallback, Forwarded, ForwardedIn, GeoMatch, Inspection, IpSetMatch, LOG_PREFIX,
    LogFilter, Logging, ManagedRuleGroup, Position, RateBased, Response, ResponseBody, Statement, Visibility,
    WebAclSpec, in_order,
};
use crate::kinds::web_acl::{WebAcl, check, lacking};
use crate::kinds::{Kind as _, desired};
use crate::model::{Address, Desired, Input, Place};

/// The key of the body that refused clients get.
const BODY: &str = "refused";

/// A rule on its way into an order.
pub(super) type NamedRule = (String, Statement, Visibility);

/// What stands behind a web ACL: whose names it takes.
pub(super) struct Guarded<'a> {
    /// The stack in addresses.
    pub(super) stack: &'a str,
    /// The name in addresses.
    pub(super) name: &'a str,
    /// The names of its resources: `product-a-WHAT-dev`.
    pub(super) named: &'a dyn Fn(&str) -> String,
    /// The name that the environment gives to a resource of it, by kind and name in addresses.
    pub(super) given: &'a dyn Fn(&str, &str) -> Option<&'a str>,
    /// The middle of the name of what is guarded: `gateway`.
    pub(super) what: &'a str,
    /// The file that faults are found in.
    pub(super) file: &'a Path,
    /// Where it is.
    pub(super) place: &'a Place,
    /// Days that its log group keeps.
    pub(super) retention_in_days: i32,
    /// The user's tags.
    pub(super) tags: &'a BTreeMap<String, String>,
}

/// What a stack adds to the settings of a web ACL.
#[derive(Default)]
pub(super) struct Added {
    /// Rules that are asked before all others.
    pub(super) first: Vec<NamedRule>,
    /// Where it logs to, if the settings don't say.
    pub(super) logging: Option<Logging>,
}

impl Guarded<'_> {
    fn own_name(&self) -> String {
        self.name_of(WebAcl::NAME, self.name, || (self.named)(self.what))
    }

    fn name_of(&self, kind: &str, name: &str, made: impl FnOnce() -> String) -> String {
        (self.given)(kind, name).map_or_else(made, str::to_owned)
    }

    fn address(&self, kind: &str, name: &str) -> Address {
        Address::new(self.stack, kind, name)
    }

    /// The ARN of the web ACL.
    pub(super) fn arn(&self) -> Input {
        Input::output(&self.address(WebAcl::NAME, self.name), "arn")
    }

    /// The web ACL, its IP sets and its log group.
    pub(super) fn web_acl(&self, settings: &WebAclSettings, added: Added, faults: &mut Faults) -> Result<Vec<Desired>> {
        let mut all = Vec::new();
        let deny = self.ip_sets("deny", &settings.deny_addresses, &mut all, faults)?;
        let allow = self.ip_sets("allow", &settings.allow_addresses, &mut all, faults)?;
        let mut rules: Vec<NamedRule> = added.first;
        rules.extend(deny.into_iter().map(|(name, set)| address_rule(settings, name, set, block(settings))));
        rules.extend(allow.into_iter().map(|(name, set)| address_rule(settings, name, set, Action::Allow)));
        rules.extend(country_rules(settings));
        rules.extend(rate_rule(settings));
        rules.extend(settings.managed_rule_groups.iter().map(group_rule));
        let spec = WebAclSpec {
            name: self.own_name(),
            description: Some(format!("In front of {}", self.own_name())),
            default_action: match block(settings) {
                Action::Block { response } if settings.block_by_default => DefaultAction::Block { response },
                _ => DefaultAction::Allow,
            },
            rules: in_order(rules),
            response_bodies: settings.response.iter().map(|response| (BODY.to_owned(), body(response))).collect(),
            visibility: visibility(&self.own_name()),
            logging: self.logging(settings, &mut all)?.or(added.logging),
            foreign_settings: BTreeSet::new(),
            tags: self.tags.clone(),
        };
        for fault in check::faults(&spec) {
            faults.file_error(self.file, format!("`waf`: {fault}"), "mend it below `waf`");
        }
        for lacking in lacking::lacking(&self.place.partition, &spec) {
            let message = format!("`waf`: {lacking} ({})", self.place.region);
            faults.file_error(self.file, message, lacking.instead);
        }
        all.push(desired::<WebAcl>(self.stack, self.name, &spec)?);
        Ok(all)
    }

    /// The sets of a list of addresses, one for each version of IP that is in it: their rules' names, and their ARNs.
    pub(super) fn ip_sets(
        &self,
        what: &str,
        addresses: &[String],
        all: &mut Vec<Desired>,
        faults: &mut Faults,
    ) -> Result<Vec<(String, Input)>> {
        let mut ranges: BTreeMap<&str, (IpVersion, BTreeSet<String>)> = BTreeMap::new();
        // The configuration has checked that each is a range.
        for (version, range) in addresses.iter().filter_map(|text| ip_set::range(text)) {
            let name = if version == IpVersion::Ipv4 { "ipv4" } else { "ipv6" };
            ranges.entry(name).or_insert_with(|| (version, BTreeSet::new())).1.insert(range);
        }
        let mut sets = Vec::new();
        for (version_name, (ip_version, addresses)) in ranges {
            let name = format!("{what}-{version_name}");
            let spec = IpSetSpec {
                name: self.name_of(IpSet::NAME, &name, || (self.named)(&format!("{}-{name}", self.what))),
                description: Some(format!("Addresses to {what} before {}", self.own_name())),
                ip_version,
                addresses,
                tags: self.tags.clone(),
            };
            for fault in ip_set::faults(&spec) {
                faults.file_error(self.file, format!("`waf`: {fault}"), "mend it below `waf`");
            }
            all.push(desired::<IpSet>(self.stack, &name, &spec)?);
            sets.push((name.clone(), Input::output(&self.address(IpSet::NAME, &name), "arn")));
        }
        Ok(sets)
    }

    fn logging(&self, settings: &WebAclSettings, all: &mut Vec<Desired>) -> Result<Option<Logging>> {
        let Some(logging) = &settings.logging else { return Ok(None) };
        let destination = if let Some(arn) = &logging.destination_arn {
            Input::from(arn.as_str())
        } else {
            let spec = LogGroupSpec {
                name: self.name_of(LogGroup::NAME, "waf", || format!("{LOG_PREFIX}{}", self.own_name())),
                retention_in_days: Some(self.retention_in_days),
                tags: self.tags.clone(),
                filters: LogFilters::default(),
            };
            all.push(desired::<LogGroup>(self.stack, "waf", &spec)?);
            Input::output(&self.address(LogGroup::NAME, "waf"), "arn")
        };
        Ok(Some(Logging {
            destination,
            redacted_headers: logging.redacted_headers.clone(),
            redacted_parts: BTreeSet::new(),
            filter: if logging.only_blocked { LogFilter::Blocked } else { LogFilter::All },
        }))
    }
}

pub(super) fn visibility(name: &str) -> Visibility {
    Visibility { metric: name.to_owned(), metrics: true, sampled_requests: true }
}

fn block(settings: &WebAclSettings) -> Action {
    let response = settings.response.as_ref().map(|response| Response {
        status: response.status,
        body: Some(BODY.to_owned()),
        headers: BTreeMap::new(),
    });
    Action::Block { response }
}

fn body(response: &BlockResponse) -> ResponseBody {
    let content_type = match response.content_type.as_str() {
        "html" => ContentType::Html,
        "text" => ContentType::Text,
        _ => ContentType::Json,
    };
    ResponseBody { content_type, content: response.body.clone() }
}

/// A header without a valid address matches no rule: what a client writes must not get it in, and a broken proxy must not
/// shut everybody out.
fn forwarded(settings: &WebAclSettings) -> Option<Forwarded> {
    let header = settings.forwarded_header.clone()?;
    Some(Forwarded { header, fallback: Fallback::NoMatch })
}

fn address_rule(settings: &WebAclSettings, name: String, set: Input, action: Action) -> NamedRule {
    // The client writes the first addresses of the header, the nearest proxy the last: where an address opens the door only
    // the last counts, where it shuts it any does.
    let position = if action == Action::Allow { Position::Last } else { Position::Any };
    let forwarded = settings.forwarded_header.clone();
    let forwarded = forwarded.map(|header| ForwardedIn { header, fallback: Fallback::NoMatch, position });
    let statement = Statement::IpSet(IpSetMatch { set, outside: false, forwarded, action });
    let visibility = visibility(&name);
    (name, statement, visibility)
}

fn country_rules(settings: &WebAclSettings) -> Vec<NamedRule> {
    let lists =
        [("deny-countries", &settings.deny_countries, false), ("other-countries", &settings.allow_countries, true)];
    let lists = lists.into_iter().filter(|(_, countries, _)| !countries.is_empty());
    let rule = |(name, countries, outside): (&str, &BTreeSet<String>, bool)| {
        let action = block(settings);
        let statement =
            Statement::Geo(GeoMatch { countries: countries.clone(), outside, forwarded: forwarded(settings), action });
        (name.to_owned(), statement, visibility(name))
    };
    lists.map(rule).collect()
}

fn rate_rule(settings: &WebAclSettings) -> Option<NamedRule> {
    let limit = settings.rate_limit.as_ref()?;
    let statement = Statement::RateBased(RateBased {
        limit: limit.limit,
        window_seconds: limit.window_seconds,
        forwarded: forwarded(settings),
        path_prefix: limit.path_prefix.clone(),
        action: block(settings),
    });
    Some(("rate-limit".to_owned(), statement, visibility("rate-limit")))
}

fn group_rule(group: &RuleGroup) -> NamedRule {
    let action = |name: &str| match name {
        "allow" => Action::Allow,
        "block" => Action::Block { response: None },
        "captcha" => Action::Captcha,
        "challenge" => Action::Challenge,
        _ => Action::Count,
    };
    let statement = Statement::ManagedRuleGroup(ManagedRuleGroup {
        vendor: group.vendor.clone(),
        name: group.name.clone(),
        version: group.version.clone(),
        rule_actions: group.rules.iter().map(|(rule, name)| (rule.clone(), action(name))).collect(),
        count_only: group.count_only,
        path_prefix: group.path_prefix.clone(),
        bot_control: group.bot_control.as_deref().map(|level| match level {
            "targeted" => Inspection::Targeted,
            _ => Inspection::Common,
        }),
    });
    let name = if group.vendor == "AWS" { group.name.clone() } else { format!("{}-{}", group.vendor, group.name) };
    let visibility = visibility(&name);
    (name, statement, visibility)
}
