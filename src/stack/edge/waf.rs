//! The web ACL on the load balancer of a Region: AWS WAF can't stand before an HTTP API (aws-facts I).

use std::collections::{BTreeMap, BTreeSet};

use super::api::CLIENT_HEADER;
use super::{Edge, REGION};
use crate::config::edge::{EdgeSettings, FirehoseLogs};
use crate::config::{Faults, LoadBalancer, WebAclSettings};
use crate::error::Result;
use crate::kinds::Kind as _;
use crate::kinds::firehose_stream::FirehoseStream;
use crate::kinds::firehose_stream::spec::{
    self as firehose, Buffering, Compression, FirehoseStreamSpec, StreamEncryption,
};
use crate::kinds::iam_role::{self, IamRole, IamRoleSpec};
use crate::kinds::s3_bucket::S3Bucket;
use crate::kinds::s3_bucket::spec::{self as s3, AccessLog, Encryption, S3BucketSpec, Versioning};
use crate::kinds::wafv2_rule_group::{self, RuleGroup, RuleGroupSpec};
use crate::kinds::web_acl::spec::{
    Action, AllowList, Fallback, ForwardedIn, LOG_PREFIX, LogFilter, Logging, Position, RuleGroup as Group, Statement,
    in_order,
};
use crate::kinds::web_acl_association::{WebAclAssociation, WebAclAssociationSpec};
use crate::model::{Desired, Input, Lookup};
use crate::stack::web_acl::{Added, Guarded, NamedRule, visibility};

/// The name in addresses of the log of the web ACL, and what it needs.
const WAF_LOGS: &str = "waf-logs";

/// The settings of the web ACL, if there is to be one.
pub(super) fn is_wanted(settings: &EdgeSettings) -> Option<WebAclSettings> {
    let bare = settings.allow_list.as_ref().map(|_| WebAclSettings::default());
    settings.web_acl.clone().or(bare)
}

impl Edge<'_> {
    /// The web ACL, its allow list, its log, and its place before the load balancer.
    pub(super) fn waf(&self, faults: &mut Faults) -> Result<Vec<Desired>> {
        let Some(settings) = is_wanted(self.settings) else { return Ok(Vec::new()) };
        let named = |what: &str| self.named(what);
        let guarded = Guarded {
            given: &|_, _| None,
            stack: &self.stack,
            name: REGION,
            named: &named,
            what: super::STACK,
            file: &self.environment.file.path,
            place: &self.place,
            retention_in_days: self.settings.retention_in_days,
            tags: &self.settings.tags,
        };
        let (mut all, first) = self.allow_list(&guarded, faults)?;
        let mut logging = None;
        if let Some(logs) = &self.settings.waf_logs {
            let (resources, destination) = self.waf_logs(logs)?;
            all.extend(resources);
            logging = Some(Logging {
                destination,
                redacted_headers: ["authorization".to_owned()].into(),
                redacted_parts: BTreeSet::new(),
                filter: if logs.only_blocked { LogFilter::Blocked } else { LogFilter::All },
            });
        }
        all.extend(guarded.web_acl(&settings, Added { first, logging }, faults)?);
        let load_balancer = match &self.settings.load_balancer {
            LoadBalancer::Arn(arn) => arn.clone(),
            LoadBalancer::Name(name) => self.found.get(&Lookup::AnyLoadBalancer { name: name.clone() }),
        };
        let spec = WebAclAssociationSpec { name: load_balancer, web_acl: guarded.arn() };
        all.push(self.desired::<WebAclAssociation>("ingress", &spec)?);
        Ok(all)
    }

    /// A rule group that refuses those who come through the APIs and are not on the list. Who comes by another way has no
    /// such header, and is the load balancer's own business.
    fn allow_list(&self, guarded: &Guarded<'_>, faults: &mut Faults) -> Result<(Vec<Desired>, Vec<NamedRule>)> {
        let Some(list) = &self.settings.allow_list else { return Ok((Vec::new(), Vec::new())) };
        let mut all = Vec::new();
        let mut rules = Vec::new();
        let mut groups = Vec::new();
        // One address is of one version of IP, and so is a set: who is in neither set is refused by the group of its own.
        for (name, set) in guarded.ip_sets("allowlist", &list.addresses, &mut all, faults)? {
            let header = ForwardedIn {
                header: CLIENT_HEADER.to_owned(),
                fallback: Fallback::NoMatch,
                position: Position::First,
            };
            let statement = Statement::AllowList(AllowList {
                set,
                header,
                longer_than: 1,
                action: Action::Block { response: None },
            });
            rules.push((name.clone(), statement, visibility(&name)));
        }
        if rules.len() > 1 {
            let message = "`allow_list` has addresses of both versions of IP";
            let hint = "a client has one address, which is missing from the other version's set: list one version";
            faults.file_error(&self.environment.file.path, message, hint);
        }
        let rules = in_order(rules);
        let capacity = wafv2_rule_group::capacity_of(&rules);
        let spec = RuleGroupSpec {
            name: self.named(&format!("{}-allowlist-{capacity}", super::STACK)),
            description: Some(format!("Who may come through {}", self.named(super::STACK))),
            capacity,
            rules,
            response_bodies: BTreeMap::new(),
            visibility: visibility("allowlist"),
            tags: self.tags(),
        };
        for fault in wafv2_rule_group::faults(&spec) {
            faults.file_error(&self.environment.file.path, format!("`allow_list`: {fault}"), "mend it in `edge`");
        }
        all.push(self.desired::<RuleGroup>("allowlist", &spec)?);
        let group = Input::output(&self.address(RuleGroup::NAME, "allowlist"), "arn");
        let statement = Statement::RuleGroup(Group { group, rule_actions: BTreeMap::new(), count_only: false });
        groups.push(("allowlist".to_owned(), statement, visibility("allowlist")));
        Ok((all, groups))
    }
}

impl Edge<'_> {
    /// A Firehose, the bucket that it writes to and its role; and the Firehose's ARN.
    fn waf_logs(&self, logs: &FirehoseLogs) -> Result<(Vec<Desired>, Input)> {
        let in_region = |name: &str| name.replace("${region}", &self.place.region);
        let name = in_region(&logs.bucket);
        let bucket = S3BucketSpec {
            encryption: Encryption::S3,
            versioning: if logs.versioning { Versioning::Enabled } else { Versioning::Suspended },
            access_log: logs
                .access_log_bucket
                .as_deref()
                .map(|bucket| AccessLog { bucket: in_region(bucket).into(), prefix: format!("{name}/") }),
            policy: Some(s3::policy(&self.place, &name, false)?),
            expire_after_days: logs.expire_days,
            foreign_settings: BTreeSet::new(),
            tags: self.tags(),
            name,
        };
        let of = |kind: &str, output: &str| Input::output(&self.address(kind, WAF_LOGS), output);
        let permissions = firehose::permissions(&of(S3Bucket::NAME, "arn"), &of(S3Bucket::NAME, "objects_arn"))?;
        let role = IamRoleSpec {
            // Role names are global in an account.
            name: format!("{}-{}", self.named(WAF_LOGS), self.place.region),
            path: iam_role::path(&self.owner, &self.place),
            description: Some("Lets Firehose write the log of the web ACL".to_owned()),
            assume_role_policy: firehose::trust(&self.place)?,
            inline_policies: BTreeMap::from([("write".to_owned(), permissions)]),
            managed_policies: BTreeSet::new(),
            max_session_seconds: None,
            tags: self.tags(),
        };
        let stream = FirehoseStreamSpec {
            name: format!("{LOG_PREFIX}{}", self.named(super::STACK)),
            role: of(IamRole::NAME, "arn"),
            bucket: of(S3Bucket::NAME, "arn"),
            prefix: logs.prefix.clone(),
            error_prefix: None,
            buffering: Buffering { size_mib: 5, interval_seconds: 300 },
            compression: Compression::Gzip,
            object_key: None,
            log: None,
            encryption: StreamEncryption::AwsOwned,
            foreign_settings: BTreeSet::new(),
            tags: self.tags(),
        };
        let all = vec![
            self.desired::<S3Bucket>(WAF_LOGS, &bucket)?,
            self.desired::<IamRole>(WAF_LOGS, &role)?,
            self.desired::<FirehoseStream>(WAF_LOGS, &stream)?,
        ];
        Ok((all, of(FirehoseStream::NAME, "arn")))
    }
}
