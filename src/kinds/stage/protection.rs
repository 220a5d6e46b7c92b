//! The web ACL before a stage. It is AWS WAF that associates the two; the stage only shows it (aws-facts F), a moment
//! later. The caller needs `apigateway:SetWebACL` beside the permission of AWS WAF's own call (aws-facts G).

use std::time::Duration;

use tokio::time::Instant;

use super::{StageSpec, all_tags, arn};
use crate::aws::tags::Tags;
use crate::aws::{Aws, ReadAws, failed, wait};
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::wafv2;
use crate::model::{Digest, Observed, Ownership};

/// How long a stage may take to show the web ACL that it was given. API Gateway answers from the past for a while (see
/// `rest_api`); how long it does so here is a guess.
const SHOWS: Duration = Duration::from_mins(1);

/// What API Gateway asks of the caller.
const PERMISSION: &str = "apigateway:SetWebACL";

/// Puts a web ACL before the stage; one that stood there goes.
pub(super) async fn set(aws: &Aws, api: &str, name: &str, acl: &str) -> Result<()> {
    let stage = arn(&aws.place, api, name);
    wafv2::associate(aws, &format!("stage `{name}`"), &stage, acl, PERMISSION).await?;
    aws.tolerate(shown(aws, api, name, Some(acl)).await)
}

/// Takes the web ACL from the stage, if it is ours to take: see [`refuse_anothers`].
pub(super) async fn remove(aws: &Aws, api: &str, live: &Observed<StageSpec>) -> Result<()> {
    refuse_anothers(aws, api, live).await?;
    let name = &live.name;
    wafv2::disassociate(aws, &format!("stage `{name}`"), &arn(&aws.place, api, name), PERMISSION).await?;
    aws.tolerate(shown(aws, api, name, None).await)
}

/// A stage whose configuration names no web ACL may have one all the same, because somebody who looks after the account
/// put it there: a firewall that nobody here asked to take down. It is taken away only if it is the owner's own, or if
/// the last apply put it there.
async fn refuse_anothers(aws: &Aws, api: &str, live: &Observed<StageSpec>) -> Result<()> {
    let Some(acl) = &live.spec.web_acl else { return Ok(()) };
    let acl = acl.known()?;
    if let Ownership::Ours { digest: Some(digest), .. } = &live.ownership
        && Digest::of(&crate::kinds::json::<super::Stage>(&live.spec)?).as_str() == digest
    {
        return Ok(());
    }
    let (theirs, own) = (wafv2::tags_of(&aws.write, acl).await, stage(aws, api, &live.name).await?);
    // A web ACL of another account can't be read.
    if theirs.ok().flatten().is_some_and(|theirs| wafv2::same_owner(&theirs, &own.1)) {
        return Ok(());
    }
    let message = format!("stage `{}` has the web ACL {acl}, which is not this environment's", live.name);
    Err(Failure::new(FailureKind::Refused, message)
        .hint("to keep it, name its ARN in the configuration; if nobody needs it, take it from the stage yourself"))
}

/// Waits until the stage shows the web ACL, so that the next plan sees what is.
async fn shown(aws: &Aws, api: &str, name: &str, acl: Option<&str>) -> Result<()> {
    let deadline = Instant::now() + SHOWS;
    let mut pause = Duration::from_secs(1);
    loop {
        let (found, _) = stage(aws, api, name).await?;
        if found.as_deref() == acl {
            return Ok(());
        }
        if aws.is_tolerant() || Instant::now() + pause > deadline {
            let message = format!("stage `{name}` does not show the web ACL that it was given");
            return Err(Failure::new(FailureKind::Aws, message)
                .cause(format!("it shows {}", found.as_deref().unwrap_or("none")))
                .hint("if somebody else changes it too, agree on who does; then run this again"));
        }
        wait::pause(pause).await?;
        pause *= 2;
    }
}

/// The web ACL and the tags that a stage shows now.
async fn stage(aws: &Aws, api: &str, name: &str) -> Result<(Option<String>, Tags)> {
    let answer = aws.write.apigateway.get_stage().rest_api_id(api).stage_name(name).send().await;
    let answer = answer.map_err(|error| failed(&format!("read stage `{name}`"), error))?;
    let acl = answer.web_acl_arn.filter(|arn| !arn.is_empty());
    Ok((acl, answer.tags.unwrap_or_default().into_iter().collect()))
}

/// The tags of the stage with an ARN; nothing for what is no stage of the place.
pub(in crate::kinds) async fn tags_of(aws: &ReadAws, of: &str) -> Result<Option<Tags>> {
    let start = format!("arn:{}:apigateway:{}::/restapis/", aws.place.partition, aws.place.region);
    let Some((api, name)) = of.strip_prefix(&start).and_then(|rest| rest.split_once("/stages/")) else {
        return Ok(None);
    };
    if aws.rest_apis().await?.iter().all(|one| one.id() != Some(api)) {
        return Ok(None);
    }
    let stages = aws.stages(api).await?;
    Ok(stages.iter().find(|stage| stage.stage_name() == Some(name)).map(all_tags))
}
