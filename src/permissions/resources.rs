//! What actions are on, as ARNs: as narrow as names allow.
//!
//! What has a name is named. What AWS gives an id (APIs, VPC links, security groups, zones that are looked up) is every one
//! of its kind in the account and Region. Shapes of ARNs are those of the Service Authorization Reference.

use std::collections::BTreeSet;

use serde_json::Value;

use super::needs::On;
use crate::model::{Address, Desired, Owner, Place, references};

/// An environment in one Region, and what it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Whose.
    pub owner: &'a Owner,
    /// Where.
    pub place: &'a Place,
    /// Everything that is wanted.
    pub desired: &'a [Desired],
}

impl Subject<'_> {
    /// The kinds of what is wanted.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<&str> {
        self.desired.iter().map(|one| one.address.kind()).collect()
    }

    /// The ARNs of what an action of a kind is on; none where the environment has nothing of it.
    pub(super) fn arns(&self, kind: &str, on: On) -> Vec<String> {
        let mut arns = match on {
            On::Everything => vec!["*".to_owned()],
            On::Path(path) => self.paths(path),
            On::Role | On::Passed(_) => self.roles(kind, matches!(on, On::Passed(_))),
            On::LogGroup => self.log_groups(kind),
            On::Lock => {
                let Owner { product, environment } = self.owner;
                // The second is what says who takes an expired one over.
                let names = ["", "/after-*"].map(|rest| format!("gwctl/lock/{product}/{environment}{rest}"));
                names.iter().flat_map(|name| self.log_group(name)).collect()
            }
            On::WebAcl | On::IpSet | On::RuleGroup | On::Referred => self.waf(on),
            On::Stage => vec![self.api_gateway("/restapis/*/stages/*")],
            On::AnyRole => vec![self.place.arn("iam", "", "role/*")],
            On::SecurityGroup | On::Vpc => self.network(on),
            On::Linked(service, name) => {
                let global = self.place.arn("iam", "", "role");
                vec![format!("{global}/aws-service-role/{service}/{name}")]
            }
            On::Caller => vec![self.place.arn("iam", "", "role/*"), self.place.arn("iam", "", "user/*")],
            _ => self.regional(on),
        };
        arns.sort();
        arns.dedup();
        arns
    }

    /// The names of what is wanted of a kind.
    fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.desired.iter().filter(move |one| one.address.kind() == kind).filter_map(Desired::name)
    }

    /// The ARNs of a service that stand in specs, of those kinds or of all: what somebody else made and the environment uses.
    fn mentioned(&self, service: &str, kind: Option<&str>) -> Vec<String> {
        let wanted = self.desired.iter().filter(|one| kind.is_none_or(|kind| one.address.kind() == kind));
        let start = format!("arn:{}:{service}:", self.place.partition);
        let mut found = Vec::new();
        for one in wanted {
            texts(&one.spec, &mut |text| {
                if text.starts_with(&start) {
                    found.push(text.to_owned());
                }
            });
        }
        found
    }

    fn here(&self, service: &str, resource: &str) -> String {
        self.place.arn(service, &self.place.region, resource)
    }

    /// API Gateway's ARNs carry no account.
    fn api_gateway(&self, path: &str) -> String {
        format!("arn:{}:apigateway:{}::{path}", self.place.partition, self.place.region)
    }

    fn paths(&self, path: &str) -> Vec<String> {
        if !path.contains("{domain}") {
            return vec![self.api_gateway(path)];
        }
        // Mappings may be made below a name that somebody else made.
        let of_mappings = ["base-path-mapping", "api-mapping"].into_iter().flat_map(|kind| self.names(kind));
        let of_mappings = of_mappings.map(|name| name.split('/').next().unwrap_or_default());
        let domains: BTreeSet<&str> = self.names("domain-name").chain(of_mappings).collect();
        domains.into_iter().map(|domain| self.api_gateway(&path.replace("{domain}", domain))).collect()
    }

    /// A role that is not there yet has no path: IAM then asks for the plain name. That it does is what denied calls of others
    /// show, and is written down nowhere.
    fn roles(&self, kind: &str, passed: bool) -> Vec<String> {
        let role = |rest: String| self.place.arn("iam", "", &format!("role{rest}"));
        let of_kind = if kind == "account-logging" { kind } else { "iam-role" };
        // Of a kind that hands roles on, those that it refers to.
        let referred: BTreeSet<Address> = self
            .desired
            .iter()
            .filter(|one| one.address.kind() == kind)
            .flat_map(|one| references(&one.spec))
            .map(|reference| reference.address)
            .collect();
        let wanted = self.desired.iter().filter(|one| one.address.kind() == of_kind);
        let wanted = wanted.filter(|one| !passed || of_kind == kind || referred.contains(&one.address));
        let mut arns = Vec::new();
        for one in wanted {
            let Some(name) = one.name() else { continue };
            let path = one.spec.get("path").and_then(Value::as_str).unwrap_or("/gwctl/");
            arns.push(role(format!("{path}{name}")));
            if !passed {
                arns.push(role(format!("/{name}")));
            }
        }
        if passed {
            let roles = self.mentioned("iam", Some(kind));
            arns.extend(roles.into_iter().filter(|arn| arn.contains(":role/")));
        }
        arns
    }

    /// With and without what stands below: tags are on the group, and everything else, says the guide, on `NAME:*`.
    fn log_group(&self, name: &str) -> Vec<String> {
        let arn = self.here("logs", &format!("log-group:{name}"));
        vec![format!("{arn}:*"), arn]
    }

    fn log_groups(&self, kind: &str) -> Vec<String> {
        if kind == "execution-log-group" {
            return vec![self.here("logs", "log-group:API-Gateway-Execution-Logs_*")];
        }
        self.names("log-group").flat_map(|name| self.log_group(name)).collect()
    }

    fn waf(&self, on: On) -> Vec<String> {
        let named = |kind: &str, what: &str| {
            self.names(kind).map(|name| self.here("wafv2", &format!("regional/{what}/{name}/*"))).collect::<Vec<_>>()
        };
        match on {
            On::WebAcl => {
                let others = self.mentioned("wafv2", None).into_iter().filter(|arn| arn.contains("/webacl/"));
                [named("web-acl", "webacl"), others.collect()].concat()
            }
            On::IpSet => named("ip-set", "ipset"),
            On::RuleGroup => named("wafv2-rule-group", "rulegroup"),
            _ => {
                // Groups that AWS and others manage have an account of their own in their ARNs.
                let Place { partition, region, .. } = self.place;
                let managed = ["managedruleset", "rulegroup"]
                    .map(|what| format!("arn:{partition}:wafv2:{region}:*:regional/{what}/*"));
                [
                    managed.to_vec(),
                    vec![self.here("wafv2", "regional/ipset/*"), self.here("wafv2", "regional/regexpatternset/*")],
                ]
                .concat()
            }
        }
    }

    fn network(&self, on: On) -> Vec<String> {
        if on == On::SecurityGroup {
            return vec![self.here("ec2", "security-group/*")];
        }
        let groups = self.desired.iter().filter(|one| one.address.kind() == "security-group");
        let vpcs = groups.filter_map(|one| one.spec.get("vpc_id")?.as_str());
        vpcs.map(|vpc| self.here("ec2", &format!("vpc/{vpc}"))).collect()
    }

    fn regional(&self, on: On) -> Vec<String> {
        let named = |kind: &str, shape: &dyn Fn(&str) -> String| self.names(kind).map(shape).collect::<Vec<_>>();
        let global = |resource: &str| format!("arn:{}:route53:::{resource}", self.place.partition);
        match on {
            On::Alarm => named("alarm", &|name| self.here("cloudwatch", &format!("alarm:{name}"))),
            On::AnyAlarm => vec![self.here("cloudwatch", "alarm:*")],
            On::Bucket => named("s3-bucket", &|name| format!("arn:{}:s3:::{name}", self.place.partition)),
            On::Certificate => vec![self.here("acm", "certificate/*")],
            On::Change => vec![global("change/*")],
            On::Function => named("lambda-function", &|name| self.here("lambda", &format!("function:{name}"))),
            On::Qualified => {
                let qualified = named("lambda-function", &|name| self.here("lambda", &format!("function:{name}:*")));
                [self.regional(On::Function), qualified].concat()
            }
            On::Layer => self
                .mentioned("lambda", Some("lambda-function"))
                .into_iter()
                .filter(|arn| arn.contains(":layer:"))
                .collect(),
            On::HealthCheck => vec![global("healthcheck/*")],
            On::Zone => vec![global("hostedzone/*")],
            On::LoadBalancer => vec![self.here("elasticloadbalancing", "loadbalancer/app/*")],
            On::Stream => named("firehose-stream", &|name| self.here("firehose", &format!("deliverystream/{name}"))),
            On::Topic => vec![self.here("sns", "*")],
            _ => Vec::new(),
        }
    }
}

/// Visits every text in a value.
fn texts<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, visit)),
        Value::Object(members) => members.values().for_each(|member| texts(member, visit)),
        _ => {}
    }
}
