//! The kinds of AWS resources, one a file, and the registry that knows them all.
//!
//! A kind reads live state in the type that desired state wears, and creates, updates and deletes. Adding one touches its
//! own file, its `mod` line here and one line in [`Registry::new`]. The laws that every kind keeps are tested once, for all
//! of them, in `tests/kinds/`.

pub mod account_logging;
pub mod alarm;
pub mod api_mapping;
pub mod base_path_mapping;
pub mod deployment;
pub mod dns_record;
pub mod domain_name;
pub mod execution_log_group;
pub mod firehose_stream;
pub mod function_alias;
mod function_by_hand;
pub mod function_version;
pub mod health_check;
pub mod hosted_zone;
pub mod http_api;
pub mod http_stage;
pub mod http_vpc_link;
pub mod iam_role;
pub mod ip_set;
pub mod lambda_function;
mod log_filters;
pub mod log_group;
mod network_interfaces;
pub mod rest_api;
mod route53;
pub mod s3_bucket;
pub mod security_group;
pub mod stage;
pub mod vpc_link;
mod wafv2;
pub mod wafv2_rule_group;
pub mod web_acl;
pub mod web_acl_association;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;

use futures::future::{BoxFuture, FutureExt as _, join_all, try_join_all};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, calls};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{
    Address, Desired, Digest, Identity, KindRules, Live, Observed, Outputs, Owner, Ownership, Place, Rules, WayOut,
    drop_nulls, references,
};
use crate::permissions::Calls;

/// What a kind is asked to read: everything of this owner, and everything that bears a wanted name.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose resources.
    pub owner: Owner,
    /// The resources of this kind that the stack names.
    pub wanted: Vec<Wanted>,
}

/// A resource that the stack names.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its address.
    pub address: Address,
    /// The name AWS would know it by, where the kind has names.
    pub name: Option<String>,
    /// What is wanted, for kinds that need more than a name to be found by. References in it are open.
    pub spec: Value,
}

impl Scope {
    /// The names that the stack gives to resources of the kind.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().filter_map(|wanted| wanted.name.as_deref())
    }
}

/// One kind of AWS resource.
pub trait Kind: Send + Sync + 'static {
    /// Everything gwctl decides about such a resource.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync;

    /// The name in addresses: `lambda-function`.
    const NAME: &'static str;

    /// Every call that the kind makes, whatever it is asked to do.
    const CALLS: Calls;

    /// Dotted spec paths whose change AWS can't make in place.
    const REPLACE_ON: &'static [&'static str];

    /// How many resources of the kind stay when no longer wanted, the wanted one included; of those that live in another
    /// resource, so many in each.
    const KEEP: usize = 0;

    /// Whether it is made where it is missing and otherwise left as it is, whoever made it: settings that a whole Region
    /// shares.
    const ONLY_IF_MISSING: bool = false;

    /// Kinds whose resources have to stand before one of this kind is made or changed, although no output of theirs goes
    /// into it.
    const AFTER: &'static [&'static str] = &[];

    /// Whether AWS refuses a second one of the same name. Where it does not, a replacement is made before the old one goes,
    /// so that what uses it can be moved.
    const NAMES_ARE_UNIQUE: bool = true;

    /// Whether a name is a place that one resource after the other may take, as the paths of a domain name are: whatever is
    /// ours there is turned into what is wanted there, so that two can change places.
    const NAME_IS_PLACE: bool = false;

    /// What helps where somebody else's resource stands under a wanted name. Without such hints, it is tags or another name.
    #[must_use]
    fn way_out(live: &Observed, address: &Address, owner: &Owner) -> Vec<String> {
        let _ = (live, address, owner);
        Vec::new()
    }

    /// The outputs that follow from the spec alone, before the resource exists.
    fn predict(&self, place: &Place, spec: &Self::Spec) -> Outputs {
        let _ = (place, spec);
        Outputs::default()
    }

    /// Reads every resource in scope: what is ours by its tags, and what bears a wanted name, ours or not.
    fn observe(&self, aws: &ReadAws, scope: &Scope) -> impl Future<Output = Result<Vec<Observed<Self::Spec>>>> + Send;

    /// Makes the resource, tagged with its owner and address. After an ambiguous failure it looks before it makes again.
    fn create(&self, aws: &Aws, identity: &Identity, spec: &Self::Spec)
    -> impl Future<Output = Result<Outputs>> + Send;

    /// Turns the live resource into what the spec says.
    fn update(
        &self,
        aws: &Aws,
        live: &Observed<Self::Spec>,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Outputs>> + Send;

    /// Removes the resource. One that is gone already is no error.
    fn delete(&self, aws: &Aws, live: &Observed<Self::Spec>) -> impl Future<Output = Result<()>> + Send;

    /// Others that use the resource and would break if it went, each named so that a reader finds them. Asked when a plan
    /// would delete it; kinds that nobody else can share have no answer to give.
    fn others_using(
        &self,
        aws: &ReadAws,
        live: &Observed<Self::Spec>,
    ) -> impl Future<Output = Result<Vec<String>>> + Send {
        let _ = (aws, live);
        async { Ok(Vec::new()) }
    }

    /// Sets tags of the resource; others stay.
    fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> impl Future<Output = Result<()>> + Send;

    /// Removes tags of the resource.
    fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> impl Future<Output = Result<()>> + Send;

    /// Turns the user's tags on the resource into those wanted.
    fn retag(
        &self,
        aws: &Aws,
        outputs: &Outputs,
        live: &Tags,
        wanted: &Tags,
    ) -> impl Future<Output = Result<()>> + Send {
        async move {
            let (set, remove) = tags::changes(live, wanted);
            if !set.is_empty() {
                self.tag(aws, outputs, set).await?;
            }
            if !remove.is_empty() {
                self.untag(aws, outputs, remove).await?;
            }
            Ok(())
        }
    }

    /// Writes owner, address and the digest of what was applied into the resource's tags: the last call of every step.
    fn record(
        &self,
        aws: &Aws,
        identity: &Identity,
        outputs: &Outputs,
        digest: &Digest,
    ) -> impl Future<Output = Result<()>> + Send {
        self.tag(aws, outputs, tags::record(identity, digest))
    }

    /// Writes the same into a resource that was nobody's until now, and changes nothing else of it.
    fn adopt(
        &self,
        aws: &Aws,
        identity: &Identity,
        outputs: &Outputs,
        digest: &Digest,
    ) -> impl Future<Output = Result<()>> + Send {
        self.record(aws, identity, outputs, digest)
    }
}

/// A kind with its spec as JSON, so that all kinds can stand in one list.
pub trait AnyKind: Send + Sync {
    /// See [`Kind::NAME`].
    fn name(&self) -> &'static str;
    /// See [`Kind::CALLS`].
    fn calls(&self) -> Calls;
    /// See [`Kind::REPLACE_ON`].
    fn replace_on(&self) -> &'static [&'static str];
    /// See [`Kind::KEEP`].
    fn keep(&self) -> usize;
    /// See [`Kind::ONLY_IF_MISSING`].
    fn only_if_missing(&self) -> bool;
    /// See [`Kind::AFTER`].
    fn after(&self) -> &'static [&'static str];
    /// See [`Kind::NAMES_ARE_UNIQUE`].
    fn names_are_unique(&self) -> bool;
    /// See [`Kind::NAME_IS_PLACE`].
    fn name_is_place(&self) -> bool;
    /// See [`Kind::way_out`].
    fn way_out(&self) -> WayOut;
    /// Reads a spec and writes it again.
    fn canonical(&self) -> fn(Value) -> Result<Value>;
    /// The JSON Schema of the spec.
    fn schema(&self) -> Schema;
    /// See [`Kind::predict`]. A spec whose references are open gives what can be known all the same.
    fn predict(&self, place: &Place, spec: &Value) -> Result<Outputs>;
    /// See [`Kind::observe`].
    fn observe<'a>(&'a self, aws: &'a ReadAws, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<Observed>>>;
    /// See [`Kind::create`].
    fn create<'a>(&'a self, aws: &'a Aws, identity: &'a Identity, spec: &'a Value) -> BoxFuture<'a, Result<Outputs>>;
    /// See [`Kind::update`].
    fn update<'a>(&'a self, aws: &'a Aws, live: &'a Observed, spec: &'a Value) -> BoxFuture<'a, Result<Outputs>>;
    /// See [`Kind::delete`].
    fn delete<'a>(&'a self, aws: &'a Aws, live: &'a Observed) -> BoxFuture<'a, Result<()>>;
    /// See [`Kind::others_using`].
    fn others_using<'a>(&'a self, aws: &'a ReadAws, live: &'a Observed) -> BoxFuture<'a, Result<Vec<String>>>;
    /// See [`Kind::record`].
    fn record<'a>(
        &'a self,
        aws: &'a Aws,
        identity: &'a Identity,
        outputs: &'a Outputs,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<()>>;
    /// See [`Kind::adopt`].
    fn adopt<'a>(
        &'a self,
        aws: &'a Aws,
        identity: &'a Identity,
        outputs: &'a Outputs,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<()>>;
}

fn typed<K: Kind>(spec: &Value) -> Result<K::Spec> {
    K::Spec::deserialize(spec)
        .map_err(|error| Failure::internal(format!("a {} spec does not have its own type", K::NAME)).because(&error))
}

fn json<K: Kind>(spec: &K::Spec) -> Result<Value> {
    let mut value = serde_json::to_value(spec)
        .map_err(|error| Failure::internal(format!("a {} spec is no JSON", K::NAME)).because(&error))?;
    drop_nulls(&mut value);
    Ok(value)
}

/// Every call in it is one of the kind's.
fn at_work<K: Kind, F: Future>(work: F) -> impl Future<Output = F::Output> {
    calls::as_kind(K::NAME, K::CALLS, work)
}

impl<K: Kind> AnyKind for K {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn calls(&self) -> Calls {
        K::CALLS
    }

    fn replace_on(&self) -> &'static [&'static str] {
        K::REPLACE_ON
    }

    fn keep(&self) -> usize {
        K::KEEP
    }

    fn only_if_missing(&self) -> bool {
        K::ONLY_IF_MISSING
    }

    fn after(&self) -> &'static [&'static str] {
        K::AFTER
    }

    fn names_are_unique(&self) -> bool {
        K::NAMES_ARE_UNIQUE
    }

    fn name_is_place(&self) -> bool {
        K::NAME_IS_PLACE
    }

    fn way_out(&self) -> WayOut {
        <K as Kind>::way_out
    }

    fn canonical(&self) -> fn(Value) -> Result<Value> {
        |spec| {
            let typed: K::Spec = typed::<K>(&spec)?;
            serde_json::to_value(typed).map_err(|error| Failure::internal("a spec can't be written").because(&error))
        }
    }

    fn schema(&self) -> Schema {
        schemars::schema_for!(K::Spec)
    }

    fn predict(&self, place: &Place, spec: &Value) -> Result<Outputs> {
        Ok(Kind::predict(self, place, &typed::<K>(spec)?))
    }

    fn observe<'a>(&'a self, aws: &'a ReadAws, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<Observed>>> {
        at_work::<K, _>(async move {
            let mut all = Vec::new();
            for one in Kind::observe(self, aws, scope).await? {
                let spec = json::<K>(&one.spec)?;
                all.push(one.map(|_| spec));
            }
            Ok(all)
        })
        .boxed()
    }

    fn create<'a>(&'a self, aws: &'a Aws, identity: &'a Identity, spec: &'a Value) -> BoxFuture<'a, Result<Outputs>> {
        at_work::<K, _>(async move { Kind::create(self, aws, identity, &typed::<K>(spec)?).await }).boxed()
    }

    fn update<'a>(&'a self, aws: &'a Aws, live: &'a Observed, spec: &'a Value) -> BoxFuture<'a, Result<Outputs>> {
        at_work::<K, _>(async move {
            let before = typed::<K>(&live.spec)?;
            Kind::update(self, aws, &live.clone().map(|_| before), &typed::<K>(spec)?).await
        })
        .boxed()
    }

    fn delete<'a>(&'a self, aws: &'a Aws, live: &'a Observed) -> BoxFuture<'a, Result<()>> {
        at_work::<K, _>(async move {
            let before = typed::<K>(&live.spec)?;
            Kind::delete(self, aws, &live.clone().map(|_| before)).await
        })
        .boxed()
    }

    fn others_using<'a>(&'a self, aws: &'a ReadAws, live: &'a Observed) -> BoxFuture<'a, Result<Vec<String>>> {
        at_work::<K, _>(async move {
            let before = typed::<K>(&live.spec)?;
            Kind::others_using(self, aws, &live.clone().map(|_| before)).await
        })
        .boxed()
    }

    fn record<'a>(
        &'a self,
        aws: &'a Aws,
        identity: &'a Identity,
        outputs: &'a Outputs,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<()>> {
        at_work::<K, _>(Kind::record(self, aws, identity, outputs, digest)).boxed()
    }

    fn adopt<'a>(
        &'a self,
        aws: &'a Aws,
        identity: &'a Identity,
        outputs: &'a Outputs,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<()>> {
        at_work::<K, _>(Kind::adopt(self, aws, identity, outputs, digest)).boxed()
    }
}

/// A desired resource from its typed spec.
pub fn desired<K: Kind>(stack: &str, name: &str, spec: &K::Spec) -> Result<Desired> {
    Ok(Desired { address: Address::new(stack, K::NAME, name), spec: json::<K>(spec)?, labels: BTreeMap::new() })
}

/// The zips that functions are made from, by Lambda's `CodeSha256`.
pub type Artifacts = BTreeMap<String, PathBuf>;

/// Every kind there is.
pub struct Registry {
    kinds: Vec<Box<dyn AnyKind>>,
}

impl Registry {
    /// The registry. Kinds stand in the order in which they build on each other; deletions run the other way.
    #[must_use]
    pub fn new(artifacts: Artifacts) -> Self {
        Self {
            kinds: vec![
                Box::new(log_group::LogGroup),
                Box::new(s3_bucket::S3Bucket),
                Box::new(iam_role::IamRole),
                // Web ACLs log to delivery streams, which have a role; what stands before load balancers comes last.
                Box::new(firehose_stream::FirehoseStream),
                Box::new(ip_set::IpSet),
                Box::new(wafv2_rule_group::RuleGroup),
                Box::new(web_acl::WebAcl),
                Box::new(web_acl_association::WebAclAssociation),
                Box::new(account_logging::AccountLogging),
                // After the role, so that on the way back the role outlives the network interfaces that a group waits for.
                Box::new(security_group::SecurityGroup),
                Box::new(vpc_link::VpcLink),
                Box::new(http_vpc_link::HttpVpcLink),
                Box::new(lambda_function::LambdaFunction::new(artifacts)),
                Box::new(function_version::FunctionVersion),
                Box::new(function_alias::FunctionAlias),
                Box::new(rest_api::RestApi),
                Box::new(execution_log_group::ExecutionLogGroup),
                Box::new(deployment::Deployment),
                Box::new(stage::Stage),
                Box::new(http_api::HttpApi),
                Box::new(http_stage::HttpStage),
                Box::new(alarm::Alarm),
                Box::new(domain_name::DomainName),
                Box::new(base_path_mapping::BasePathMapping),
                Box::new(hosted_zone::HostedZone),
                Box::new(health_check::HealthCheck),
                Box::new(api_mapping::ApiMapping),
                Box::new(dns_record::DnsRecord),
            ],
        }
    }

    /// The kinds in order.
    pub fn kinds(&self) -> impl Iterator<Item = &dyn AnyKind> {
        self.kinds.iter().map(AsRef::as_ref)
    }

    /// The kind of that name.
    pub fn kind(&self, name: &str) -> Result<&dyn AnyKind> {
        self.kinds()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Failure::internal(format!("no resource kind is named `{name}`")))
    }

    /// What the planner has to know about the kinds.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.kinds()
            .enumerate()
            .map(|(rank, kind)| {
                let rules = KindRules {
                    replace_on: kind.replace_on(),
                    keep: kind.keep(),
                    only_if_missing: kind.only_if_missing(),
                    after: kind.after(),
                    names_are_unique: kind.names_are_unique(),
                    name_is_place: kind.name_is_place(),
                    way_out: kind.way_out(),
                    rank,
                    canonical: kind.canonical(),
                };
                (kind.name(), rules)
            })
            .collect()
    }

    /// The outputs of every desired resource that follow from its spec alone.
    pub fn predict(&self, place: &Place, desired: &[Desired]) -> Result<BTreeMap<Address, Outputs>> {
        desired
            .iter()
            .map(|one| Ok((one.address.clone(), self.kind(one.address.kind())?.predict(place, &one.spec)?)))
            .collect()
    }

    /// Reads all kinds, side by side.
    pub async fn observe(&self, aws: &ReadAws, owner: &Owner, desired: &[Desired]) -> Result<Live> {
        let reads = self
            .kinds()
            .map(|kind| async move { Ok::<_, Failure>((kind.name(), read(kind, aws, owner, desired).await?)) });
        Ok(try_join_all(reads).await?.into_iter().collect())
    }

    /// The same; what one kind could not read is its own, and the others are read all the same.
    pub async fn observe_each(&self, aws: &ReadAws, owner: &Owner, desired: &[Desired]) -> (Live, Unread) {
        let reads = self.kinds().map(|kind| async move { (kind.name(), read(kind, aws, owner, desired).await) });
        let (mut live, mut unread) = (Live::new(), Unread::new());
        for (name, read) in join_all(reads).await {
            match read {
                Ok(found) => drop(live.insert(name, found)),
                Err(failure) => drop(unread.insert(name, failure)),
            }
        }
        (live, unread)
    }
}

/// Why kinds could not be read.
pub type Unread = BTreeMap<&'static str, Failure>;

async fn read(kind: &dyn AnyKind, aws: &ReadAws, owner: &Owner, desired: &[Desired]) -> Result<Vec<Observed>> {
    let wanted = desired
        .iter()
        .filter(|one| one.address.kind() == kind.name())
        .map(|one| Wanted { address: one.address.clone(), name: one.name().map(str::to_owned), spec: one.spec.clone() })
        .collect();
    let scope = Scope { owner: owner.clone(), wanted };
    let mut live = kind.observe(aws, &scope).await?;
    // What is global (a role, a DNS record) is seen from every Region, and belongs to the one in its address.
    let elsewhere = |region: &str| region != aws.place.region;
    live.retain(|one| !one.address().and_then(Address::region).is_some_and(elsewhere));
    Ok(live)
}

/// Checks that every reference of the desired resources points at one of them: a fault of a stack's code.
pub fn check_references(desired: &[Desired]) -> Result<()> {
    let known: BTreeSet<&Address> = desired.iter().map(|one| &one.address).collect();
    for one in desired {
        for reference in references(&one.spec) {
            if !known.contains(&reference.address) {
                return Err(Failure::internal(format!("{} refers to {reference}, which does not exist", one.address)));
            }
        }
    }
    Ok(())
}

/// A create that met a resource of the same name which the plan had not seen: fine if the tags say that an earlier try of
/// this very create made it, whose answer was lost. Anything else is somebody else's, and is left alone.
fn own_after_conflict(found: &Ownership, identity: &Identity, name: &str) -> Result<()> {
    match found {
        Ownership::Ours { address, .. } if address == &identity.address => Ok(()),
        _ => Err(Failure::new(
            FailureKind::Ownership,
            format!("{} `{name}` was made by somebody else while this apply ran", identity.address.kind()),
        )
        .hint("look at who made it; then plan again")),
    }
}
