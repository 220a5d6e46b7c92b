//! `dns-record`: the records of one name in Route 53: aliases, `A`, `AAAA` or both, or a `CNAME`.
//!
//! Record sets can't be tagged. Beside them stands a TXT record set that says whose they are, the [`marker`]; both are
//! changed in one batch, which Route 53 carries out as a whole. A record without a marker is somebody else's and never
//! overwritten: new records are made with `CREATE`, which Route 53 refuses where there is one, and `UPSERT` is for what a
//! marker was just read for.
//!
//! Where an environment spans Regions, each has latency records of its own under the same name, told apart by a set identifier,
//! and a marker with the same one. A Region sees and touches its own only. It is taken out of service by `in_service: false`: the
//! record sets go and the marker stays, with who did it and when ([`standing`] reads that of all Regions).
//!
//! When record sets went or lead elsewhere, a step is done only once all name servers know it and no resolver keeps the old
//! answer, so that whatever is deleted next has no clients any more. A deletion takes them out of service first and the marker
//! last: one that dies half-way is waited for again.
//!
//! Records are found where they can be: in the zones that hold a wanted name, or the name of a domain name of ours, which is
//! always deleted after its record. Those of services behind HTTP APIs may stand in any zone of the account, and whose host is no
//! longer wanted is known by its marker alone: owners that have HTTP APIs have all public zones looked through for theirs.

mod held;
mod marker;
mod sets;
pub mod spec;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_apigatewayv2::types::Api;
use futures::future::{join_all, try_join_all};

use self::held::{Held, Wish};
use self::marker::Marker;
use self::sets::{ALIAS_TTL, change, listed, spread};
pub use self::spec::{DnsRecordSpec, Latency, LeadsTo, RecordType};
pub use self::standing::{Drained, Standing, regions, standing};
pub(super) use self::standing::{all_sets, sets_of_others};
use super::domain_name::own_names;
use super::http_vpc_link::sorted;
use super::{Kind, Scope};
use crate::aws::tags::{self, Tags};
use crate::aws::zones::HostedZone;
use crate::aws::{Aws, ReadAws, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Digest, Identity, Input, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct DnsRecord;

/// How long name servers usually take to know a change (developer guide, "How Route 53 works").
const USUALLY_SPREADS: Duration = Duration::from_mins(1);

fn outputs(name: &str, zone: &str, identifier: Option<&str>) -> Outputs {
    let identifier = identifier.map(|identifier| ("set_identifier", identifier));
    [("name", name), ("zone_id", zone)].into_iter().chain(identifier).collect()
}

fn outputs_of(spec: &DnsRecordSpec) -> Result<Outputs> {
    Ok(outputs(&spec.name, spec.zone_id.known()?, spec.set_identifier()))
}

/// What the Region of `aws` has to see of a name: what is its own, and what is in the way of what it wants.
fn seen(aws: &ReadAws, scope: &Scope, zone: &HostedZone, held: &Held, name: &str) -> Vec<Observed<DnsRecordSpec>> {
    // Identifier and Region of what is wanted there.
    let text = |spec: &'_ serde_json::Value, path: &str| spec.pointer(path)?.as_str().map(str::to_owned);
    let wanted: Vec<(Option<String>, Option<String>)> = scope
        .wanted
        .iter()
        .filter(|wanted| wanted.name.as_deref() == Some(name))
        .map(|wanted| (text(&wanted.spec, "/latency/set_identifier"), text(&wanted.spec, "/latency/region")))
        .collect();
    let one = |identifier: Option<&str>| {
        let tags = held.marker(identifier).map(|marker| marker.tags.clone()).unwrap_or_default();
        let mut ownership = tags::ownership(&tags, &scope.owner);
        if tags::is_elsewhere(&tags, &aws.place) && matches!(ownership, Ownership::Ours { .. }) {
            ownership = Ownership::Others { owner: scope.owner.clone() };
        }
        let is_ours = matches!(ownership, Ownership::Ours { .. });
        // A name has one latency record for each Region, and no records that are chosen otherwise beside them.
        let region = held.region(identifier);
        let in_the_way = wanted.iter().any(|(own, own_region)| {
            own.as_deref() == identifier || own.is_none() || region.is_none() || region == own_region.as_deref()
        });
        let there = is_ours || in_the_way && !held.sets(identifier).is_empty();
        there.then(|| Observed {
            name: name.to_owned(),
            within: None,
            spec: held.spec(&zone.id, identifier),
            outputs: outputs(name, &zone.id, identifier),
            ownership,
            created: None,
            in_use_by: None,
        })
    };
    held.identifiers().into_iter().filter_map(one).collect()
}

/// The names to look at in a zone: those wanted, and those with a marker.
async fn observe_zone(aws: &ReadAws, scope: &Scope, zone: &HostedZone) -> Result<Vec<Observed<DnsRecordSpec>>> {
    let client = &aws.clients.route53;
    let mut marks: BTreeMap<String, Vec<Marker>> = BTreeMap::new();
    for (name, marker) in marker::all(client, zone).await? {
        marks.entry(name).or_default().push(marker);
    }
    let is_ours = |marker: &Marker| matches!(tags::ownership(&marker.tags, &scope.owner), Ownership::Ours { .. });
    let ours = marks.iter().filter(|(_, markers)| markers.iter().any(is_ours)).map(|(name, _)| name.as_str());
    let names: BTreeSet<&str> = scope.names().filter(|name| zone.covers(name)).chain(ours).collect();
    let reads = names.into_iter().map(|name| {
        let markers = marks.get(name).cloned().unwrap_or_default();
        async move {
            let sets = listed(client, &zone.id, name, |other| other == name).await?;
            Ok::<_, Failure>(seen(aws, scope, zone, &Held::of(&zone.name, name, sets, markers), name))
        }
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Zones that are looked through for records that nothing names any more: one call each, of which Route 53 takes ten a second.
const MOST_ZONES: usize = 100;

/// Zones that are looked through at the same time.
const AT_ONCE: usize = 8;

/// Whether HTTP APIs of the Region are the owner's.
async fn has_http_apis(aws: &ReadAws, owner: &Owner) -> Result<bool> {
    let apis = aws.http_apis().await?;
    let is_ours = |api: &Api| matches!(tags::ownership(&sorted(api.tags()), owner), Ownership::Ours { .. });
    Ok(apis.iter().any(is_ours))
}

/// The owner's records in zones that hold no wanted name. Whoever may not read such a zone has none there.
async fn left_behind(aws: &ReadAws, scope: &Scope, others: Vec<&HostedZone>) -> Vec<Observed<DnsRecordSpec>> {
    let public: Vec<&HostedZone> = others.into_iter().filter(|zone| !zone.private).collect();
    if public.len() > MOST_ZONES {
        aws.note(format!(
            "the account has {} more hosted zones, of which {MOST_ZONES} were looked through",
            public.len()
        ));
    }
    let mut found = Vec::new();
    for some in public[..public.len().min(MOST_ZONES)].chunks(AT_ONCE) {
        let reads = join_all(some.iter().map(|zone| observe_zone(aws, scope, zone))).await;
        for (zone, read) in some.iter().zip(reads) {
            match read {
                Ok(all) => found.extend(all.into_iter().filter(|one| one.address().is_some())),
                Err(failure) => tracing::info!("zone `{}` was not looked through: {failure}", zone.name),
            }
        }
    }
    found
}

impl Kind for DnsRecord {
    type Spec = DnsRecordSpec;
    const NAME: &'static str = "dns-record";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetDomainNames", "apigatewayv2:GetApis"],
        with: &["domain-name", "http-api"],
        reads: &[
            "route53:GetChange",
            "route53:GetHostedZone",
            "route53:ListHostedZones",
            "route53:ListResourceRecordSets",
            "sts:GetCallerIdentity",
        ],
        writes: &["route53:ChangeResourceRecordSets"],
    };
    // Nobody is led to what does not answer yet.
    const AFTER: &'static [&'static str] = &["api-mapping", "base-path-mapping", "http-stage", "web-acl-association"];
    const REPLACE_ON: &'static [&'static str] = &["name", "zone_id"];

    fn way_out(live: &Observed, _: &Address, _: &Owner) -> Vec<String> {
        // A tag can't hand records over, nor another `app_group` choose another name.
        let there = live.spec.get("leads_to").map(shown).unwrap_or_default();
        let first = match &live.ownership {
            Ownership::Others { owner } => {
                format!("the name can be led to one of the two: take it from {owner}, or choose another one")
            }
            _ => format!("delete what is there ({there}) if nobody needs it, or choose another name"),
        };
        vec![first, "or leave the records out of the configuration, and lead clients here yourself".to_owned()]
    }

    fn predict(&self, _: &Place, spec: &DnsRecordSpec) -> Outputs {
        match &spec.zone_id {
            Input::Known(zone) => outputs(&spec.name, zone, spec.set_identifier()),
            Input::From { .. } => Outputs::from_iter([("name", spec.name.as_str())]),
        }
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<DnsRecordSpec>>> {
        let mut names: BTreeSet<String> = scope.names().map(str::to_owned).collect();
        names.extend(own_names(aws, &scope.owner).await?.into_iter().map(|own| own.name));
        let has_services = has_http_apis(aws, &scope.owner).await?;
        if names.is_empty() && !has_services {
            // Route 53 is nothing to those without a domain name.
            return Ok(Vec::new());
        }
        let zones = aws.zones().await?;
        let (holding, others): (Vec<&HostedZone>, Vec<&HostedZone>) =
            zones.iter().partition(|zone| names.iter().any(|name| zone.covers(name)));
        let all = try_join_all(holding.into_iter().map(|zone| observe_zone(aws, scope, zone))).await?;
        let mut found: Vec<Observed<DnsRecordSpec>> = all.into_iter().flatten().collect();
        if has_services {
            found.extend(left_behind(aws, scope, others).await);
        }
        // Several zones can hold one name. What is somebody else's in one of them is no matter if ours is in another.
        let own: BTreeSet<(String, Input)> = found
            .iter()
            .filter(|one| one.address().is_some())
            .map(|one| (one.name.clone(), one.spec.zone_id.clone()))
            .collect();
        found.retain(|one| {
            one.address().is_some() || !own.iter().any(|(name, zone)| *name == one.name && *zone != one.spec.zone_id)
        });
        Ok(found)
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &DnsRecordSpec) -> Result<Outputs> {
        let birth = tags::at_birth(identity, &Tags::new());
        converge(aws, spec, spec.set_identifier(), &birth, |found| match tags::ownership(found, &identity.owner) {
            Ownership::Ours { address, .. } => address == identity.address,
            _ => false,
        })
        .await?;
        outputs_of(spec)
    }

    async fn update(&self, aws: &Aws, live: &Observed<DnsRecordSpec>, spec: &DnsRecordSpec) -> Result<Outputs> {
        let DnsRecordSpec {
            name: _,
            zone_id: _,
            leads_to: _,
            latency: _,
            in_service: _, // all of them in `Held::batch`
        } = spec;
        let address = live.address().map(ToString::to_string);
        let from = live.outputs.get("set_identifier");
        if live.spec.in_service && spec.in_service {
            refuse_to_restore(aws, live).await?;
        }
        converge(aws, spec, from, &Tags::new(), |found| found.get(tags::ADDRESS) == address.as_ref()).await?;
        outputs_of(spec)
    }

    async fn delete(&self, aws: &Aws, live: &Observed<DnsRecordSpec>) -> Result<()> {
        let zone = live.spec.zone_id.known()?;
        let identifier = live.outputs.get("set_identifier");
        let doing = format!("delete the records of `{}`", live.name);
        for last in [false, true] {
            let Some(held) = Held::read(&aws.write.route53, zone, &live.name).await? else { return Ok(()) };
            let Some(marker) = held.marker(identifier) else { return Ok(()) };
            if marker.tags.get(tags::ADDRESS) != live.address().map(ToString::to_string).as_ref() {
                // Somebody else's by now.
                return Ok(());
            }
            let sets = held.sets(identifier);
            if sets.is_empty() {
                wait::pause(still_known(marker)).await?;
            } else {
                let spec = DnsRecordSpec { in_service: false, ..held.spec(zone, identifier) };
                let mut tags = marker.tags.clone();
                marker::drain(&mut tags, &spec, Some(&now_by(A_DELETION)))?;
                let lingers = sets::lingers(&sets, &[]);
                let mut changes = sets.into_iter().cloned().map(sets::delete).collect::<Result<Vec<_>>>()?;
                changes.push(sets::upsert(marker.written(&tags)?)?);
                let Some(sent) = change(aws, zone, &doing, changes, !last).await? else { continue };
                spread(aws, sent, lingers).await?;
            }
            if forget(aws, zone, &live.name, identifier, &doing, !last).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Into the marker.
    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let (name, zone) = (outputs.required("name")?, outputs.required("zone_id")?);
        let held = Held::read(&aws.write.route53, zone, name).await?.ok_or_else(|| no_zone(zone))?;
        let marker = held.marker(outputs.get("set_identifier"));
        let gone =
            || Failure::new(FailureKind::Ownership, format!("the marker of `{name}` is gone")).hint("plan again");
        let marker = marker.ok_or_else(gone)?;
        let mut all = marker.tags.clone();
        all.extend(tags);
        let doing = format!("record whose `{name}` is");
        change(aws, zone, &doing, vec![sets::upsert(marker.written(&all)?)?], false).await.map(drop)
    }

    async fn untag(&self, _: &Aws, _: &Outputs, _: Vec<String>) -> Result<()> {
        Err(Failure::internal("a DNS record was to be untagged, but it takes no tags of the user's"))
    }

    async fn record(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        self.tag(aws, outputs, tags::record(identity, digest)).await
    }

    /// Records that nobody has marked get a marker. Elsewhere, one that is missing was taken away, and is not made again.
    async fn adopt(&self, aws: &Aws, identity: &Identity, outputs: &Outputs, digest: &Digest) -> Result<()> {
        let (name, zone) = (outputs.required("name")?, outputs.required("zone_id")?);
        let identifier = outputs.get("set_identifier");
        let held = Held::read(&aws.write.route53, zone, name).await?.ok_or_else(|| no_zone(zone))?;
        if held.marker(identifier).is_some() {
            return self.record(aws, identity, outputs, digest).await;
        }
        let marker = held.first_marker(identifier, &tags::record(identity, digest))?;
        let doing = format!("write whose `{name}` is");
        change(aws, zone, &doing, vec![sets::create(marker)?], false).await.map(drop)
    }
}

/// Where records lead, for a person.
fn shown(leads_to: &serde_json::Value) -> String {
    match serde_json::from_value(leads_to.clone()) {
        Ok(LeadsTo::Cname { value: Input::Known(value), .. }) => format!("CNAME to {value}"),
        Ok(LeadsTo::Alias { types, target: Input::Known(target), .. }) => {
            let types: Vec<&str> = types.iter().map(|one| if *one == RecordType::A { "A" } else { "AAAA" }).collect();
            format!("{} to {target}", types.join(" and "))
        }
        _ => "records".to_owned(),
    }
}

/// A plan may be old by the time it is carried out: what an operator took out meanwhile stays out.
async fn refuse_to_restore(aws: &Aws, live: &Observed<DnsRecordSpec>) -> Result<()> {
    let zone = live.spec.zone_id.known()?;
    let held = Held::read(&aws.write.route53, zone, &live.name).await?;
    let marker = held.as_ref().and_then(|held| held.marker(live.outputs.get("set_identifier")));
    match marker.and_then(|marker| Drained::read(&marker.tags)) {
        Some(Drained { since, by }) => {
            let message = format!("the records of `{}` were taken out of service by {by} at {since}", live.name);
            Err(Failure::new(FailureKind::Refused, message).hint("plan again"))
        }
        None => Ok(()),
    }
}

/// Who takes records out on the way to their deletion.
const A_DELETION: &str = "a deletion";

/// Deletes a marker that stands without records. Gives whether it is gone; with `again`, it may have changed meanwhile.
async fn forget(aws: &Aws, zone: &str, name: &str, identifier: Option<&str>, doing: &str, again: bool) -> Result<bool> {
    let Some(held) = Held::read(&aws.write.route53, zone, name).await? else { return Ok(true) };
    let Some(set) = held.marker(identifier).and_then(|marker| marker.set.clone()) else { return Ok(true) };
    Ok(change(aws, zone, doing, vec![sets::delete(set)?], again).await?.is_some())
}

/// How long resolvers may still know records that are out of service.
fn still_known(marker: &Marker) -> Duration {
    let since = Drained::read(&marker.tags).and_then(|drained| drained.since.parse::<jiff::Timestamp>().ok());
    let Some(since) = since else { return Duration::ZERO };
    let ttl = match marker.remembered() {
        Some((LeadsTo::Cname { ttl, .. }, _)) => ttl,
        _ => ALIAS_TTL,
    };
    let elapsed = Duration::try_from(jiff::Timestamp::now().duration_since(since)).unwrap_or_default();
    (USUALLY_SPREADS + Duration::from_secs(ttl.into())).saturating_sub(elapsed)
}

/// The tag of records that go out of service now.
fn now_by(who: &str) -> String {
    format!("{} {who}", jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// AWS's name for the caller, without its account, which is nobody's business in public DNS.
async fn caller(aws: &Aws) -> String {
    let identity = aws.write.sts.get_caller_identity().send().await;
    let arn = identity.ok().and_then(|identity| identity.arn).unwrap_or_default();
    let name = arn.splitn(6, ':').nth(5).unwrap_or("somebody").to_owned();
    name.chars().filter(char::is_ascii_graphic).take(100).collect()
}

/// Turns the records of a name into what the spec says, if they are `ours` or there are none.
async fn converge(
    aws: &Aws,
    spec: &DnsRecordSpec,
    from: Option<&str>,
    birth: &Tags,
    ours: impl Fn(&Tags) -> bool,
) -> Result<()> {
    spec.check(None)?;
    let (name, zone) = (&spec.name, spec.zone_id.known()?);
    let drained = if spec.in_service { None } else { Some(now_by(&caller(aws).await)) };
    let wish = Wish { spec, from, birth, drained: drained.as_deref() };
    for last in [false, true] {
        let held = Held::read(&aws.write.route53, zone, name).await?.ok_or_else(|| no_zone(zone))?;
        let batch = held.batch(&wish, &ours)?;
        if batch.changes.is_empty() {
            return Ok(());
        }
        let doing = format!("write the records of `{name}`");
        if let Some(sent) = change(aws, zone, &doing, batch.changes, !last).await? {
            return spread(aws, sent, batch.lingers).await;
        }
    }
    Ok(())
}

fn no_zone(id: &str) -> Failure {
    Failure::new(FailureKind::Configuration, format!("there is no hosted zone {id} in the account"))
        .hint("a zone of another account can't be written to: make the record there")
}
