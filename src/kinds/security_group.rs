//! `security-group`: a VPC security group with its rules.
//!
//! Names are unique in a VPC only. A group is found by its name in its VPC, and by its tags in any. What AWS can't change
//! (name, description, VPC) makes a new group before the old one goes, because functions are in the old one until they are
//! moved; so a new description in the same VPC needs a new name.

use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::time::Duration;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::network_interfaces::{INTERFACES_LEAVE, interfaces};
use super::{Kind, Scope};
use crate::aws::ec2::{
    CallError, Client, Direction, Filter, NetworkInterface, Peer, Permission, SecurityGroup as LiveGroup,
};
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Identity, Observed, Outputs, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct SecurityGroup;

/// What gwctl decides about a security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecurityGroupSpec {
    /// `product-a-api-authorizer-dev`: at most 255 of AWS's characters, unique in its VPC.
    pub name: String,
    /// What it is for. AWS wants one, and never changes it.
    pub description: String,
    /// `vpc-…`
    pub vpc_id: String,
    /// Who may come in. A function that nobody calls through the network needs none.
    pub ingress: BTreeSet<Rule>,
    /// Where to its members may go. [`Rule::everywhere`] is what AWS gives to a new group; an empty set is nowhere.
    pub egress: BTreeSet<Rule>,
    /// The user's tags.
    pub tags: Tags,
}

/// One way through a security group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// `-1` for all, `tcp`, `udp`, `icmp`, `icmpv6`, or a protocol's number.
    pub protocol: String,
    /// The first port, or the ICMP type; absent for all protocols.
    pub from_port: Option<i32>,
    /// The last port, or the ICMP code.
    pub to_port: Option<i32>,
    /// The other end: `10.0.0.0/8`, `::/0`, a prefix list `pl-…`, or another security group `sg-…`.
    pub peer: String,
    /// What it is for.
    pub description: Option<String>,
}

impl Rule {
    /// All protocols and ports, to and from a peer.
    #[must_use]
    pub fn all(peer: &str) -> Self {
        Self { protocol: "-1".into(), from_port: None, to_port: None, peer: canonical(peer), description: None }
    }

    /// TCP at one port.
    #[must_use]
    pub fn tcp(port: u16, peer: &str) -> Self {
        let port = Some(i32::from(port));
        Self { protocol: "tcp".into(), from_port: port, to_port: port, ..Self::all(peer) }
    }

    /// Everything to everywhere. AWS gives a new group the rule for IPv4, and in a VPC with IPv6 the one for that too; both
    /// are taken in every VPC, so that one specification fits all.
    #[must_use]
    pub fn everywhere() -> BTreeSet<Self> {
        ["0.0.0.0/0", "::/0"].map(Self::all).into()
    }

    fn permission(&self) -> Permission {
        Permission {
            protocol: self.protocol.clone(),
            from_port: self.from_port,
            to_port: self.to_port,
            peer: Peer::parse(&self.peer),
            description: self.description.clone(),
        }
    }

    /// Whether two rules open the same way: EC2 knows a rule by this, whatever its description.
    fn opens_like(&self, other: &Self) -> bool {
        (&self.protocol, self.from_port, self.to_port, &self.peer)
            == (&other.protocol, other.from_port, other.to_port, &other.peer)
    }
}

/// A range as EC2 keeps it: `100.68.0.18/18` becomes `100.68.0.0/18` (EC2 user guide, "Security group rules").
fn canonical(peer: &str) -> String {
    IpNet::from_str(peer).map_or_else(|_| peer.to_owned(), |net| net.trunc().to_string())
}

fn rules(live: &[Permission]) -> BTreeSet<Rule> {
    live.iter()
        .map(|rule| Rule {
            protocol: rule.protocol.clone(),
            // For all protocols EC2 answers no ports, or -1 (emulators do).
            from_port: rule.from_port.filter(|_| rule.protocol != "-1"),
            to_port: rule.to_port.filter(|_| rule.protocol != "-1"),
            peer: canonical(rule.peer.as_str()),
            description: rule.description.clone(),
        })
        .collect()
}

/// How long what refused the deletion may stay unseen: the two calls need not see the same moment.
const UNSEEN: Duration = Duration::from_mins(1);

fn arn(place: &Place, id: &str) -> String {
    place.arn("ec2", &place.region, &format!("security-group/{id}"))
}

fn outputs(place: &Place, id: &str, name: &str) -> Outputs {
    Outputs::from_iter([("id", id.to_owned()), ("name", name.to_owned()), ("arn", arn(place, id))])
}

fn is_code(error: &CallError, codes: &[&str]) -> bool {
    error.code().is_some_and(|code| codes.contains(&code))
}

fn is_gone(error: &CallError) -> bool {
    is_code(error, &["InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound", "InvalidGroupId.NotFound"])
}

fn observed(place: &Place, scope: &Scope, group: LiveGroup) -> Observed<SecurityGroupSpec> {
    Observed {
        within: None,
        outputs: outputs(place, &group.id, &group.name),
        ownership: tags::ownership(&group.tags, &scope.owner),
        created: None,
        in_use_by: None,
        name: group.name.clone(),
        spec: SecurityGroupSpec {
            name: group.name,
            description: group.description,
            vpc_id: group.vpc_id,
            ingress: rules(&group.ingress),
            egress: rules(&group.egress),
            tags: tags::of_user(&group.tags),
        },
    }
}

async fn list(client: &Client, filters: &[Filter]) -> Result<Vec<LiveGroup>> {
    let answer = client.describe_security_groups(filters).await;
    answer.map_err(|error| failed("describe the security groups", error))
}

/// The group of that name in a VPC.
async fn find(client: &Client, name: &str, vpc_id: &str) -> Result<Option<LiveGroup>> {
    let filters = [Filter::new("group-name", [name]), Filter::new("vpc-id", [vpc_id])];
    Ok(list(client, &filters).await?.into_iter().next())
}

impl Kind for SecurityGroup {
    type Spec = SecurityGroupSpec;
    const NAME: &'static str = "security-group";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"],
        writes: &[
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ec2:CreateTags",
            "ec2:DeleteSecurityGroup",
            "ec2:DeleteTags",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
            "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
            "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "description", "vpc_id"];
    const NAMES_ARE_UNIQUE: bool = false;

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<SecurityGroupSpec>>> {
        let ec2 = &aws.clients.ec2;
        let ours = async {
            // Who wants no group is not asked for the permission to see them, unless there are leftovers.
            let start = arn(&aws.place, "");
            if scope.wanted.is_empty() && !aws.tagged(&scope.owner).await.keys().any(|arn| arn.starts_with(&start)) {
                return Ok(Vec::new());
            }
            let filter = |key: &str, value: &str| Filter::new(format!("tag:{key}"), [value]);
            let owner = &scope.owner;
            list(ec2, &[filter(tags::PRODUCT, &owner.product), filter(tags::ENVIRONMENT, &owner.environment)]).await
        };
        let named = async {
            let mut found = Vec::new();
            for wanted in &scope.wanted {
                let vpc = wanted.spec.get("vpc_id").and_then(serde_json::Value::as_str);
                if let (Some(name), Some(vpc)) = (&wanted.name, vpc) {
                    found.extend(find(ec2, name, vpc).await?);
                }
            }
            Ok(found)
        };
        let (ours, named) = futures::try_join!(ours, named)?;
        let mut all: Vec<LiveGroup> = ours;
        all.extend(named);
        all.sort_by(|one, two| one.id.cmp(&two.id));
        all.dedup_by(|one, two| one.id == two.id);
        Ok(all.into_iter().map(|group| observed(&aws.place, scope, group)).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &SecurityGroupSpec) -> Result<Outputs> {
        let SecurityGroupSpec { name, description, vpc_id, ingress: _, egress: _, tags: user } = spec;
        let all = tags::at_birth(identity, user);
        let id = match aws.write.ec2.create_security_group(name, description, vpc_id, &all).await {
            Ok(id) => id,
            Err(error) if is_code(&error, &["InvalidGroup.Duplicate"]) => adopt_own(aws, identity, spec).await?,
            Err(error) => return Err(failed(&format!("create security group `{name}`"), error)),
        };
        settle_rules(aws, &id, spec).await?;
        Ok(outputs(&aws.place, &id, name))
    }

    async fn update(&self, aws: &Aws, live: &Observed<SecurityGroupSpec>, spec: &SecurityGroupSpec) -> Result<Outputs> {
        // The plan replaces the group for the first three.
        let SecurityGroupSpec { name: _, description: _, vpc_id: _, ingress, egress, tags: user } = spec;
        if (&live.spec.ingress, &live.spec.egress) != (ingress, egress) {
            settle_rules(aws, live.outputs.required("id")?, spec).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<SecurityGroupSpec>) -> Result<()> {
        let id = live.outputs.required("id")?;
        let doing = format!("delete security group `{}`", live.name);
        let deadline = Instant::now() + INTERFACES_LEAVE;
        let mut seen = Instant::now();
        loop {
            let error = match aws.write.ec2.delete_security_group(id).await {
                Ok(()) => return Ok(()),
                Err(error) if is_gone(&error) => return Ok(()),
                Err(error) => error,
            };
            // `DependencyViolation` is what EC2 answers in a VPC, `InvalidGroup.InUse` what it answered before there were any.
            if !is_code(&error, &["DependencyViolation", "InvalidGroup.InUse"]) {
                return Err(failed(&doing, error));
            }
            let left = interfaces(aws, id, &[]).await?;
            if left.iter().any(NetworkInterface::is_of_lambda) {
                seen = Instant::now();
            }
            let others: Vec<&NetworkInterface> = left.iter().filter(|one| !one.is_of_lambda()).collect();
            if !others.is_empty() || Instant::now() > deadline || seen.elapsed() > UNSEEN {
                return Err(in_use(failed(&doing, error), &left));
            }
            tracing::debug!("waiting for {} network interfaces of {id}", left.len());
            wait::pause(Duration::from_secs(10)).await?;
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let id = outputs.required("id")?;
        let answer = aws.write.ec2.create_tags(id, &tags).await;
        answer.map_err(|error| failed(&format!("tag security group {id}"), error))
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        let id = outputs.required("id")?;
        let answer = aws.write.ec2.delete_tags(id, &keys).await;
        answer.map_err(|error| failed(&format!("untag security group {id}"), error))
    }
}

/// Says who holds a group that would not go.
fn in_use(failure: Failure, left: &[NetworkInterface]) -> Failure {
    if left.is_empty() {
        return failure
            .hint("a rule of another security group, or something else in the VPC, refers to it: remove that first");
    }
    let names: Vec<String> = left.iter().map(|one| format!("{} ({})", one.id, one.description)).collect();
    let failure = failure.cause(format!("it is in use by {}", names.join(", ")));
    if left.iter().all(NetworkInterface::is_of_lambda) {
        failure.hint("Lambda removes these within 20 minutes of the last function that uses them: run this again later")
    } else {
        failure.hint("take the group off these network interfaces, then run this again")
    }
}

/// The group that exists although the plan did not see it: ours if its tags say so and it is what was to be made.
async fn adopt_own(aws: &Aws, identity: &Identity, spec: &SecurityGroupSpec) -> Result<String> {
    let SecurityGroupSpec { name, description, vpc_id, .. } = spec;
    let found = find(&aws.write.ec2, name, vpc_id).await?;
    let Some(group) = found else {
        let message = format!("security group `{name}` exists in {vpc_id} and can't be read");
        return Err(Failure::new(FailureKind::Aws, message).hint("run this again"));
    };
    super::own_after_conflict(&tags::ownership(&group.tags, &identity.owner), identity, name)?;
    if group.description != *description {
        let message = format!("security group `{name}` exists in {vpc_id} with another description");
        return Err(Failure::new(FailureKind::Refused, message)
            .cause("AWS never changes the description of a security group, and takes no two of one name in a VPC")
            .hint("change the name with the description, or leave the description as it was"));
    }
    Ok(group.id)
}

/// Two answers that come of an answer that was lost, or of somebody else who changes the same group.
const MET: [&str; 2] = ["InvalidPermission.Duplicate", "InvalidPermission.NotFound"];

/// Makes the rules of a group what they are to be. It begins from what is there: a new group has a rule from AWS, and a try
/// before this one may have done a part.
async fn settle_rules(aws: &Aws, id: &str, spec: &SecurityGroupSpec) -> Result<()> {
    let ec2 = &aws.write.ec2;
    let doing = format!("set the rules of security group `{}`", spec.name);
    let mut tries = 0;
    'again: loop {
        let live = list(ec2, &[Filter::new("group-id", [id])]).await?.into_iter().next();
        let live = live.ok_or_else(|| {
            Failure::new(FailureKind::Aws, format!("security group `{}` ({id}) is not there", spec.name))
        })?;
        for (direction, old, wanted) in
            [(Direction::Egress, &live.egress, &spec.egress), (Direction::Ingress, &live.ingress, &spec.ingress)]
        {
            if let Err(error) = turn(ec2, id, direction, &rules(old), wanted).await {
                tries += 1;
                if tries < 3 && is_code(&error, &MET) {
                    continue 'again;
                }
                return Err(failed(&doing, error));
            }
        }
        return Ok(());
    }
}

/// New ways are opened before old ones are closed, so that what is to stay open is never shut.
async fn turn(
    ec2: &Client,
    id: &str,
    direction: Direction,
    old: &BTreeSet<Rule>,
    wanted: &BTreeSet<Rule>,
) -> std::result::Result<(), CallError> {
    let within = |rule: &Rule, set: &BTreeSet<Rule>| set.iter().any(|other| other.opens_like(rule));
    let pick = |from: &BTreeSet<Rule>, choose: &dyn Fn(&Rule) -> bool| -> Vec<Permission> {
        from.iter().filter(|rule| choose(rule)).map(Rule::permission).collect()
    };
    let new = pick(wanted, &|rule| !within(rule, old));
    if !new.is_empty() {
        ec2.authorize(id, direction, &new).await?;
    }
    let renamed = pick(wanted, &|rule| within(rule, old) && !old.contains(rule));
    if !renamed.is_empty() {
        ec2.describe_rules_anew(id, direction, &renamed).await?;
    }
    let gone = pick(old, &|rule| !within(rule, wanted));
    if !gone.is_empty() {
        ec2.revoke(id, direction, &gone).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_that_ec2_keeps() {
        assert_eq!(Rule::all("100.68.0.18/18").peer, "100.68.0.0/18");
        assert_eq!(Rule::tcp(443, "sg-0a1b2c3d").peer, "sg-0a1b2c3d");
        assert_eq!(Rule::everywhere().len(), 2);
    }
}
