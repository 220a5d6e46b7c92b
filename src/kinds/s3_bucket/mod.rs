//! `s3-bucket`: a private bucket for logs.
//!
//! **Names** are shared by all accounts and Regions of a partition, so every call says whose the bucket has to be
//! (`ExpectedBucketOwner`): nothing of ours goes into a bucket that somebody made under our name after ours was deleted.
//!
//! **Lost answers.** A bucket is born with its tags (`CreateBucketConfiguration.Tags`), so there is no time at which one of
//! ours has none. A create whose answer was lost is sent again and refused (`BucketAlreadyOwnedByYou`), and the tags say
//! whether the earlier try made it. In us-east-1 a second create is *not* refused (API reference, `CreateBucket`): there, as
//! everywhere, it is looked first whether the bucket exists, and the tags are read back after the create. A bucket that
//! somebody else in the same account makes between the two keeps its own tags, and is left alone then.
//!
//! **What it holds stays.** A bucket with objects, or versions of them, is never emptied and never deleted. When it is no
//! longer wanted, it keeps everything; its tag `gwctl:address` becomes `gwctl:kept`, so that later plans leave it alone, and
//! an apply that wants a bucket of its name and is of the same owner takes it up again.

mod settings;
pub mod spec;

use aws_sdk_s3::operation::create_bucket::CreateBucketError;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Tag, Tagging};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use futures::future::try_join_all;
use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::{Kind, Scope};
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Identity, Observed, Outputs, Owner, Ownership, Place};
use crate::permissions::Calls;

use settings::{NOT_YET, SPREADS, built, explained, tags_of};

pub use spec::S3BucketSpec;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct S3Bucket;

/// The tag of a bucket that was no longer wanted and held objects: the address that it had.
const KEPT: &str = "gwctl:kept";

/// The Region whose buckets have no location constraint (API reference, `CreateBucketConfiguration`).
const FIRST: &str = "us-east-1";

/// Only one change of a bucket at a time; also while S3 forgets a bucket of the same name.
const BUSY: [retry::NotYet; 1] = [("OperationAborted", "")];

/// `objects_arn` is that of everything in it, as policies want it.
fn outputs(place: &Place, name: &str) -> Outputs {
    let arn = spec::arn(place, name);
    let domain = format!("{name}.s3.{}.{}", place.region, place.dns_suffix());
    let objects = format!("{arn}/*");
    Outputs::from_iter([("name", name.to_owned()), ("arn", arn), ("objects_arn", objects), ("domain_name", domain)])
}

/// Whose a bucket is. One that was kept is its owner's again where the configuration wants one of its name.
fn ownership(all: &Tags, owner: &Owner, wanted: bool) -> Ownership {
    let of = |key: &str, value: &str| all.get(key).is_some_and(|found| found == value);
    let own = of(tags::PRODUCT, &owner.product) && of(tags::ENVIRONMENT, &owner.environment);
    match all.get(KEPT).and_then(|text| Address::parse(text)) {
        Some(address) if own && wanted && !all.contains_key(tags::ADDRESS) => Ownership::Ours { address, digest: None },
        _ => tags::ownership(all, owner),
    }
}

async fn read(aws: &ReadAws, scope: &Scope, name: &str) -> Result<Option<Observed<S3BucketSpec>>> {
    let Some(all) = tags_of(&aws.clients, &aws.place, name).await? else { return Ok(None) };
    let wanted = scope.names().any(|one| one == name);
    let ownership = ownership(&all, &scope.owner, wanted);
    if !wanted && !matches!(ownership, Ownership::Ours { .. }) {
        return Ok(None);
    }
    let spec = Box::pin(settings::read(&aws.clients, &aws.place, name, tags::of_user(&all))).await?;
    Ok(Some(Observed {
        name: name.to_owned(),
        within: None,
        spec,
        outputs: outputs(&aws.place, name),
        ownership,
        created: None,
        in_use_by: None,
    }))
}

impl Kind for S3Bucket {
    type Spec = S3BucketSpec;
    const NAME: &'static str = "s3-bucket";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &[
            "s3:GetBucketEncryption",
            "s3:GetBucketLifecycleConfiguration",
            "s3:GetBucketLogging",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPolicy",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetPublicAccessBlock",
            "s3:ListObjectVersions",
        ],
        writes: &[
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketLifecycle",
            "s3:DeleteBucketPolicy",
            "s3:PutBucketEncryption",
            "s3:PutBucketLifecycleConfiguration",
            "s3:PutBucketLogging",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutPublicAccessBlock",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, place: &Place, spec: &S3BucketSpec) -> Outputs {
        outputs(place, &spec.name)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<S3BucketSpec>>> {
        let wanted = try_join_all(scope.names().map(|name| read(aws, scope, name)));
        let (wanted, tagged) = futures::join!(wanted, aws.tagged(&scope.owner));
        let start = spec::arn(&aws.place, "");
        let others = tagged.keys().filter_map(|arn| arn.strip_prefix(&start));
        let others = others.filter(|name| !scope.names().any(|wanted| wanted == *name));
        let others = try_join_all(others.map(|name| read(aws, scope, name))).await?;
        Ok(wanted?.into_iter().chain(others).flatten().collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &S3BucketSpec) -> Result<Outputs> {
        let name = &spec.name;
        let own = |all: &Tags| super::own_after_conflict(&ownership(all, &identity.owner, true), identity, name);
        if let Some(all) = tags_of(&aws.write, &aws.place, name).await? {
            own(&all)?;
        } else {
            make(aws, identity, spec).await?;
            own(&born(aws, identity, spec).await?)?;
        }
        let live = Box::pin(settings::read(&aws.write, &aws.place, name, Tags::new())).await?;
        settings::write(aws, &live, spec).await?;
        Ok(outputs(&aws.place, name))
    }

    async fn update(&self, aws: &Aws, live: &Observed<S3BucketSpec>, spec: &S3BucketSpec) -> Result<Outputs> {
        settings::write(aws, &live.spec, spec).await?;
        self.retag(aws, &live.outputs, &live.spec.tags, &spec.tags).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<S3BucketSpec>) -> Result<()> {
        let (name, owner) = (&live.name, &aws.place.account);
        let doing = format!("delete bucket `{name}`");
        let list = aws.write.s3.list_object_versions().bucket(name).expected_bucket_owner(owner).max_keys(1);
        match list.send().await {
            Ok(answer) if !answer.versions().is_empty() || !answer.delete_markers().is_empty() => {
                return keep(aws, name).await;
            }
            Ok(_) => {}
            Err(error) if error.code() == Some("NoSuchBucket") => return Ok(()),
            Err(error) => return Err(explained(name, &format!("list what is in bucket `{name}`"), error)),
        }
        let call = || aws.write.s3.delete_bucket().bucket(name).expected_bucket_owner(owner).send();
        match retry::until_ready(SPREADS, &BUSY, call).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NoSuchBucket") => Ok(()),
            // Something came in since the question.
            Err(error) if error.code() == Some("BucketNotEmpty") => keep(aws, name).await,
            Err(error) => Err(explained(name, &doing, error)),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        retagged(aws, outputs.required("name")?, |all| {
            // It is wanted again.
            if tags.contains_key(tags::ADDRESS) {
                all.remove(KEPT);
            }
            all.extend(tags);
        })
        .await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        retagged(aws, outputs.required("name")?, |all| all.retain(|key, _| !keys.contains(key))).await
    }
}

fn tag_list(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

async fn make(aws: &Aws, identity: &Identity, spec: &S3BucketSpec) -> Result<()> {
    let name = &spec.name;
    let place = Some(aws.place.region.as_str()).filter(|region| *region != FIRST).map(BucketLocationConstraint::from);
    let configuration = CreateBucketConfiguration::builder()
        .set_location_constraint(place)
        .set_tags(Some(tag_list(&tags::at_birth(identity, &spec.tags))?))
        .build();
    let call = || aws.write.s3.create_bucket().bucket(name).create_bucket_configuration(configuration.clone()).send();
    let Err(error) = retry::until_ready(SPREADS, &BUSY, call).await else { return Ok(()) };
    let why = error.as_service_error();
    // An earlier try of the same call made it, perhaps; its tags are read next.
    if why.is_some_and(CreateBucketError::is_bucket_already_owned_by_you) {
        return Ok(());
    }
    let taken = why.is_some_and(CreateBucketError::is_bucket_already_exists);
    let failure = explained(name, &format!("create bucket `{name}`"), error);
    Err(if taken {
        failure.hint("all accounts share the names of buckets, and this one is somebody else's: choose another one")
    } else {
        failure.hint("this takes the permissions s3:CreateBucket and s3:TagResource")
    })
}

/// The tags of a new bucket, once it shows any. Emulators may take a bucket and not its tags.
async fn born(aws: &Aws, identity: &Identity, spec: &S3BucketSpec) -> Result<Tags> {
    let name = &spec.name;
    let wanted = tags::at_birth(identity, &spec.tags);
    if let Some(all) = shown(aws, name, |all| !all.is_empty()).await? {
        return Ok(all);
    }
    let message = format!("bucket `{name}` was made and does not show its tags");
    let untagged = Failure::new(FailureKind::Aws, message)
        .hint("look at whose it is; if it is nobody's and empty, delete it and run this again");
    aws.tolerate(Err(untagged))?;
    retagged(aws, name, |all| all.extend(wanted.clone())).await?;
    Ok(wanted)
}

/// Waits until the tags of a bucket are as expected; nothing if they never are.
async fn shown(aws: &Aws, name: &str, expected: impl Fn(&Tags) -> bool) -> Result<Option<Tags>> {
    let deadline = Instant::now() + SPREADS;
    let mut pause = Duration::from_millis(500);
    loop {
        let found = tags_of(&aws.write, &aws.place, name).await?;
        if let Some(all) = found.filter(&expected) {
            return Ok(Some(all));
        }
        if aws.is_tolerant() || Instant::now() + pause > deadline {
            return Ok(None);
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Changes the tags of a bucket. S3 replaces them all at once, so that all are read first, AWS's own included, and waited
/// for afterwards: a later change that read the old ones would undo this one.
async fn retagged(aws: &Aws, name: &str, change: impl FnOnce(&mut Tags)) -> Result<()> {
    let mut all = given("tags of a bucket that was there a moment ago", tags_of(&aws.write, &aws.place, name).await?)?;
    let before = all.clone();
    change(&mut all);
    if all == before {
        return Ok(());
    }
    let tagging = built(Tagging::builder().set_tag_set(Some(tag_list(&all)?)).build())?;
    let call = || {
        let call = aws.write.s3.put_bucket_tagging().bucket(name).expected_bucket_owner(&aws.place.account);
        call.tagging(tagging.clone()).send()
    };
    let answer = retry::until_ready(SPREADS, &NOT_YET, call).await;
    answer.map_err(|error| explained(name, &format!("tag bucket `{name}`"), error))?;
    let seen = shown(aws, name, |found| *found == all).await?;
    let message = format!("bucket `{name}` does not show the tags that it was given");
    let unseen = Failure::new(FailureKind::Aws, message)
        .hint("if somebody else tags it too, agree on who does; then run this again");
    if seen.is_some() { Ok(()) } else { aws.tolerate(Err(unseen)) }
}

/// Leaves a bucket with what it holds, and lets go of it.
async fn keep(aws: &Aws, name: &str) -> Result<()> {
    retagged(aws, name, |all| {
        all.remove(tags::DIGEST);
        if let Some(address) = all.remove(tags::ADDRESS) {
            all.insert(KEPT.to_owned(), address);
        }
    })
    .await?;
    aws.note(format!(
        "bucket `{name}` holds objects, so it stays: empty and delete it yourself if nobody needs them (gwctl never does)"
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_bucket_is_taken_up_again_by_its_owner_alone() {
        let owner = Owner { product: "shop".into(), environment: "dev".into() };
        let mut all = Tags::from([
            (tags::PRODUCT.to_owned(), "shop".to_owned()),
            (tags::ENVIRONMENT.to_owned(), "dev".to_owned()),
            (KEPT.to_owned(), "edge/s3-bucket/logs".to_owned()),
        ]);
        let address = Address::new("edge", "s3-bucket", "logs");
        assert_eq!(ownership(&all, &owner, true), Ownership::Ours { address, digest: None });
        assert_eq!(ownership(&all, &owner, false), Ownership::Nobody, "no plan deletes it");
        let other = Owner { environment: "prod".into(), ..owner.clone() };
        assert!(!matches!(ownership(&all, &other, true), Ownership::Ours { .. }));
        all.insert(tags::ADDRESS.to_owned(), "edge/s3-bucket/other".to_owned());
        assert!(matches!(ownership(&all, &owner, true), Ownership::Ours { address, .. } if address.name() == "other"));
    }
}
