//! `firehose-stream`: an Amazon Data Firehose delivery stream that takes direct puts and delivers them to S3.
//!
//! Its name is unique in an account and Region, and its ARN follows from it. Making it and taking it away last a while, and
//! so does the change of its encryption; each is waited for.

mod read;
pub mod spec;
mod write;

use std::time::Duration;

use aws_sdk_firehose::operation::create_delivery_stream::CreateDeliveryStreamError;
use aws_sdk_firehose::operation::update_destination::UpdateDestinationError;
use aws_sdk_firehose::types::{
    DeliveryStreamDescription, DeliveryStreamEncryptionStatus, DeliveryStreamStatus, DeliveryStreamType,
    FailureDescription, Tag,
};
use futures::future::try_join_all;
use tokio::time::Instant;

use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed, given, retry, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Identity, Observed, Outputs, Place};
use crate::permissions::Calls;

use read::REMOVED;
use spec::StreamEncryption;

pub use spec::FirehoseStreamSpec;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct FirehoseStream;

/// A new role is not known everywhere at once: in these words, which hashicorp/terraform-provider-aws
/// (`internal/service/firehose/delivery_stream.go`) waits on, too.
const NOT_YET: [retry::NotYet; 2] = [
    ("InvalidArgumentException", "Firehose is unable to assume role"),
    ("InvalidArgumentException", "is not authorized to"),
];

/// How long that may last: as long as the same source waits.
const SPREADS: Duration = Duration::from_mins(2);

/// How long a stream may take to be made, changed or taken away. Terraform allows 30 minutes, of which private networks
/// and Kafka need the most; a direct put to S3 took about a minute in its tests (#48946).
const SETTLES: Duration = Duration::from_mins(10);

/// Something else is under way with the stream: "the resource is already in use and not available for this operation".
const BUSY: [retry::NotYet; 1] = [("ResourceInUseException", "")];

/// Tries of an update that meets other writers. Each reads the version again.
const TRIES: usize = 5;

fn arn(place: &Place, name: &str) -> String {
    place.arn("firehose", &place.region, &format!("deliverystream/{name}"))
}

fn outputs(place: &Place, name: &str) -> Outputs {
    Outputs::from_iter([("name", name.to_owned()), ("arn", arn(place, name))])
}

/// The stream; nothing if there is none.
async fn describe(clients: &Clients, name: &str) -> Result<Option<DeliveryStreamDescription>> {
    match clients.firehose.describe_delivery_stream().delivery_stream_name(name).send().await {
        Ok(answer) => Ok(answer.delivery_stream_description),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("read delivery stream `{name}`"), error)),
    }
}

/// All tags of a stream; none if it is gone.
async fn tags_of(clients: &Clients, name: &str) -> Result<Tags> {
    let mut all = Tags::new();
    loop {
        let call = clients.firehose.list_tags_for_delivery_stream().delivery_stream_name(name);
        let answer = match call.set_exclusive_start_tag_key(all.keys().last().cloned()).send().await {
            Ok(answer) => answer,
            Err(error) if is_not_found(&error) => return Ok(Tags::new()),
            Err(error) => return Err(failed(&format!("list the tags of delivery stream `{name}`"), error)),
        };
        let before = all.len();
        all.extend(answer.tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())));
        if !answer.has_more_tags || all.len() == before {
            return Ok(all);
        }
    }
}

fn tag_list(tags: Tags) -> Result<Vec<Tag>> {
    tags.into_iter().map(|(key, value)| write::built(Tag::builder().key(key).value(value).build())).collect()
}

/// Whether a stream is there to be worked with. One that is going, or never came to be, is none: a create finds it again,
/// and waits for its end or ends it.
fn is_there(live: &DeliveryStreamDescription) -> bool {
    !matches!(live.delivery_stream_status, DeliveryStreamStatus::Deleting | DeliveryStreamStatus::CreatingFailed)
}

async fn find(aws: &ReadAws, scope: &Scope, name: &str) -> Result<Option<Observed<FirehoseStreamSpec>>> {
    let (found, all) = futures::try_join!(describe(&aws.clients, name), tags_of(&aws.clients, name))?;
    let Some(live) = found.filter(is_there) else { return Ok(None) };
    Ok(Some(Observed {
        name: name.to_owned(),
        within: None,
        spec: read::spec(&live, tags::of_user(&all)),
        outputs: outputs(&aws.place, name),
        ownership: tags::ownership(&all, &scope.owner),
        created: live.create_timestamp.map(|time| time.secs()),
        in_use_by: None,
    }))
}

impl Kind for FirehoseStream {
    type Spec = FirehoseStreamSpec;
    const NAME: &'static str = "firehose-stream";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &["firehose:DescribeDeliveryStream", "firehose:ListTagsForDeliveryStream"],
        writes: &[
            "firehose:CreateDeliveryStream",
            "firehose:DeleteDeliveryStream",
            "firehose:StartDeliveryStreamEncryption",
            "firehose:StopDeliveryStreamEncryption",
            "firehose:TagDeliveryStream",
            "firehose:UntagDeliveryStream",
            "firehose:UpdateDestination",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, place: &Place, spec: &FirehoseStreamSpec) -> Outputs {
        outputs(place, &spec.name)
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<FirehoseStreamSpec>>> {
        let wanted = try_join_all(scope.names().map(|name| find(aws, scope, name)));
        let (wanted, tagged) = futures::join!(wanted, aws.tagged(&scope.owner));
        let start = arn(&aws.place, "");
        let others = tagged.keys().filter_map(|arn| arn.strip_prefix(&start));
        let others = others.filter(|name| !scope.names().any(|wanted| wanted == *name));
        let others = try_join_all(others.map(|name| find(aws, scope, name))).await?;
        let ours = others.into_iter().flatten().filter(|one| one.address().is_some());
        Ok(wanted?.into_iter().flatten().chain(ours).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &FirehoseStreamSpec) -> Result<Outputs> {
        let name = &spec.name;
        // A second round is for what an earlier one left behind: a stream that is going, or never came to be.
        for last in [false, true] {
            match Box::pin(make(aws, identity, spec)).await? {
                Made::Ours => {
                    settled(aws, name, is_active).await?;
                    return Ok(outputs(&aws.place, name));
                }
                Made::InTheWay if !last => remove(aws, name).await?,
                Made::InTheWay => {}
            }
        }
        Err(Failure::new(FailureKind::Aws, format!("delivery stream `{name}` does not come to be"))
            .cause("an earlier one of its name failed, was removed, and is there again")
            .hint("look at it in the console of Amazon Data Firehose; then run this again"))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Observed<FirehoseStreamSpec>,
        spec: &FirehoseStreamSpec,
    ) -> Result<Outputs> {
        let FirehoseStreamSpec {
            name,
            // Go in one call: `delivered`.
            role: _,
            bucket: _,
            prefix: _,
            error_prefix: _,
            buffering: _,
            compression: _,
            object_key: _,
            log: _,
            foreign_settings: _,
            encryption,
            tags: user,
        } = spec;
        if let Some(foreign) = live.spec.foreign_settings.iter().find(|one| !REMOVED.contains(&one.as_str())) {
            let message =
                format!("delivery stream `{name}` has a {foreign} that gwctl makes none of and can't take away");
            return Err(Failure::new(FailureKind::Refused, message)
                .hint("delete the stream if nobody else needs it, and run this again; or choose another name"));
        }
        if delivered(&live.spec) != delivered(spec) {
            Box::pin(change(aws, live, spec)).await?;
        }
        if live.spec.encryption != *encryption {
            encrypt(aws, name, encryption).await?;
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<FirehoseStreamSpec>) -> Result<()> {
        remove(aws, &live.name).await
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        let name = outputs.required("name")?;
        let call = aws.write.firehose.tag_delivery_stream().delivery_stream_name(name).set_tags(Some(tag_list(tags)?));
        call.send().await.map_err(|error| failed(&format!("tag delivery stream `{name}`"), error)).map(drop)
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        let name = outputs.required("name")?;
        let call = aws.write.firehose.untag_delivery_stream().delivery_stream_name(name).set_tag_keys(Some(keys));
        call.send().await.map_err(|error| failed(&format!("untag delivery stream `{name}`"), error)).map(drop)
    }
}

/// The part of a spec that an update of the destination carries.
fn delivered(spec: &FirehoseStreamSpec) -> FirehoseStreamSpec {
    FirehoseStreamSpec { encryption: StreamEncryption::None, tags: Tags::new(), ..spec.clone() }
}

/// What became of a create.
enum Made {
    /// The stream is ours, and on its way.
    Ours,
    /// One that is ours and useless has the name.
    InTheWay,
}

/// Makes the stream, or finds the one that an earlier try of the same call made.
async fn make(aws: &Aws, identity: &Identity, spec: &FirehoseStreamSpec) -> Result<Made> {
    let FirehoseStreamSpec { name, encryption, tags: user, .. } = spec;
    let (to, sse) = (write::configuration(spec)?, write::sse(encryption)?);
    let all = tag_list(tags::at_birth(identity, user))?;
    let call = || {
        let create = aws.write.firehose.create_delivery_stream().delivery_stream_name(name);
        create
            .delivery_stream_type(DeliveryStreamType::DirectPut)
            .extended_s3_destination_configuration(to.clone())
            .set_delivery_stream_encryption_configuration_input(sse.clone())
            .set_tags(Some(all.clone()))
            .send()
    };
    match Box::pin(retry::until_ready(SPREADS, &NOT_YET, call)).await {
        Ok(_) => Ok(Made::Ours),
        Err(error) if error.as_service_error().is_some_and(CreateDeliveryStreamError::is_resource_in_use_exception) => {
            let all = tags_of(&aws.write, name).await?;
            super::own_after_conflict(&tags::ownership(&all, &identity.owner), identity, name)?;
            let found = describe(&aws.write, name).await?;
            Ok(if found.as_ref().is_some_and(is_there) { Made::Ours } else { Made::InTheWay })
        }
        Err(error) => Err(failed(&format!("create delivery stream `{name}`"), error)),
    }
}

/// Changes the destination under the newest version, as long as it still is what the plan was made from.
async fn change(aws: &Aws, live: &Observed<FirehoseStreamSpec>, wanted: &FirehoseStreamSpec) -> Result<()> {
    let name = &live.name;
    for _ in 0..TRIES {
        let now = given("delivery stream that was there a moment ago", describe(&aws.write, name).await?)?;
        let seen = delivered(&read::spec(&now, Tags::new()));
        if seen == delivered(wanted) {
            return Ok(());
        }
        if seen != delivered(&live.spec) {
            let message = format!("delivery stream `{name}` was changed by somebody else while this apply ran");
            return Err(Failure::new(FailureKind::Refused, message).hint("look at who changed it; then plan again"));
        }
        let id = given("destination of a delivery stream", now.destinations.first())?.destination_id.clone();
        let update = write::update(&live.spec, wanted)?;
        let call = || {
            let call = aws.write.firehose.update_destination().delivery_stream_name(name);
            let call = call.current_delivery_stream_version_id(&now.version_id).destination_id(&id);
            call.extended_s3_destination_update(update.clone()).send()
        };
        let waits = [NOT_YET[0], NOT_YET[1], BUSY[0]];
        match Box::pin(retry::until_ready(SPREADS, &waits, call)).await {
            Ok(_) => return Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateDestinationError::is_concurrent_modification_exception) => {}
            Err(error) => return Err(failed(&format!("update delivery stream `{name}`"), error)),
        }
    }
    Err(Failure::new(
        FailureKind::Aws,
        format!("delivery stream `{name}` is being changed by somebody else all the time"),
    )
    .cause(format!("ConcurrentModificationException, {TRIES} times in a row"))
    .hint("wait until nobody else edits it, then run this again"))
}

/// Begins, changes or ends encryption, and waits until it is so.
async fn encrypt(aws: &Aws, name: &str, wanted: &StreamEncryption) -> Result<()> {
    let doing = format!("change the encryption of delivery stream `{name}`");
    let firehose = &aws.write.firehose;
    if let Some(input) = write::sse(wanted)? {
        let call = || {
            let call = firehose.start_delivery_stream_encryption().delivery_stream_name(name);
            call.delivery_stream_encryption_configuration_input(input.clone()).send()
        };
        retry::until_ready(SPREADS, &BUSY, call).await.map_err(|error| failed(&doing, error))?;
    } else {
        let call = || firehose.stop_delivery_stream_encryption().delivery_stream_name(name).send();
        retry::until_ready(SPREADS, &BUSY, call).await.map_err(|error| failed(&doing, error))?;
    }
    settled(aws, name, is_encrypted_or_not).await
}

async fn remove(aws: &Aws, name: &str) -> Result<()> {
    let call = || aws.write.firehose.delete_delivery_stream().delivery_stream_name(name).send();
    // One that is still being made can't be deleted until it is (API reference, `DeleteDeliveryStream`).
    match retry::until_ready(SETTLES, &BUSY, call).await {
        Err(error) if is_not_found(&error) => return Ok(()),
        Err(error) => return Err(failed(&format!("delete delivery stream `{name}`"), error)),
        Ok(_) => {}
    }
    // It delivers what it holds before it goes, with its role: that may go only after it.
    settled(aws, name, |live| Ok(live.is_none())).await
}

/// Whether a stream has come to be.
fn is_active(live: Option<&DeliveryStreamDescription>) -> Result<bool> {
    let Some(live) = live else { return Ok(false) };
    match live.delivery_stream_status {
        DeliveryStreamStatus::Active => Ok(true),
        DeliveryStreamStatus::CreatingFailed => Err(why("was not made", live.failure_description())),
        _ => Ok(false),
    }
}

/// Whether a change of the encryption has come to its end.
fn is_encrypted_or_not(live: Option<&DeliveryStreamDescription>) -> Result<bool> {
    use DeliveryStreamEncryptionStatus::{Disabling, DisablingFailed, Enabling, EnablingFailed};
    let found = live.and_then(DeliveryStreamDescription::delivery_stream_encryption_configuration);
    match found.and_then(|found| found.status()) {
        Some(Enabling | Disabling) => Ok(false),
        Some(EnablingFailed | DisablingFailed) => {
            Err(why("kept its encryption", found.and_then(|found| found.failure_description())))
        }
        _ => Ok(true),
    }
}

fn why(what: &str, failure: Option<&FailureDescription>) -> Failure {
    let told = failure
        .map_or_else(|| "Firehose gave no reason".to_owned(), |one| format!("{:?}: {}", one.r#type, one.details));
    Failure::new(FailureKind::Aws, format!("a delivery stream {what}")).cause(told)
}

/// Waits until a stream is as it should be; the question is asked of nothing while it is not there.
async fn settled(
    aws: &Aws,
    name: &str,
    is_so: impl Fn(Option<&DeliveryStreamDescription>) -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + SETTLES;
    let mut pause = Duration::from_secs(1);
    loop {
        let live = describe(&aws.write, name).await?;
        if is_so(live.as_ref()).map_err(|failure| failure.context(format!("delivery stream `{name}`")))? {
            return Ok(());
        }
        let status = live.as_ref().map(|live| &live.delivery_stream_status);
        if status == Some(&DeliveryStreamStatus::DeletingFailed) || Instant::now() + pause > deadline {
            let shown = status.map_or("not there", DeliveryStreamStatus::as_str);
            return Err(why("does not settle", live.as_ref().and_then(|live| live.failure_description()))
                .cause(format!("delivery stream `{name}` is {shown}"))
                .hint("look at it in the console of Amazon Data Firehose; then run this again"));
        }
        wait::pause(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}
