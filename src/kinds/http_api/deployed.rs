//! Waits until the stages of an HTTP API that deploy by themselves serve what the API has become.
//!
//! A change of an API is a deployment of its own, which AWS makes a moment later and may fail to make. Until then a stage serves
//! what it served: integrations with a VPC link that must not go yet, for one.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_apigatewayv2::types::{DeploymentStatus, Stage};
use tokio::time::{Instant, sleep};

use crate::aws::failure::is_not_found;
use crate::aws::http_apis::every_page;
use crate::aws::{Aws, failed, wait};
use crate::error::{Failure, FailureKind, Result};

/// The deployments that stages served at some time, by stage.
pub(in crate::kinds) type Serving = BTreeMap<String, Option<String>>;

/// How long a deployment may take. Nobody tells; it takes seconds.
const DEPLOYS: Duration = Duration::from_mins(5);

/// How long a stage may stay where it was until there was nothing to deploy: not every change is one that stages serve.
const BEGINS: Duration = Duration::from_secs(15);

/// How long a failure may be that of the deployment before.
const FAILURE_LASTS: Duration = Duration::from_secs(10);

/// The first pause between two looks.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// How `lastDeploymentStatusMessage` begins where a deployment failed; what follows is why: `Unable to deploy API because no
/// routes exist in this API` (reported by users of the service; a success reads `Successfully deployed stage with deployment ID
/// 'abc123'`, AWS CLI's examples, `get-stages`).
const FAILED: &str = "Deployment attempt failed";

/// What the stages of an API serve now, where they deploy by themselves. None if there is no such API.
pub(in crate::kinds) async fn serving(aws: &Aws, api: &str) -> Result<Serving> {
    Ok(stages(aws, api).await?.into_iter().filter_map(|stage| Some((stage.stage_name?, stage.deployment_id))).collect())
}

async fn stages(aws: &Aws, api: &str) -> Result<Vec<Stage>> {
    match every_page!(aws.read.clients.apigatewayv2.get_stages().api_id(api)) {
        Ok(mut all) => {
            all.retain(|stage: &Stage| stage.auto_deploy() == Some(true));
            Ok(all)
        }
        Err(error) if is_not_found(&error) => Ok(Vec::new()),
        Err(error) => Err(failed(&format!("read the stages of API {api}"), error)),
    }
}

/// Where a stage is on its way.
#[derive(Debug, PartialEq)]
enum Progress {
    /// It serves this deployment, and nothing else is on its way.
    Serves(Option<String>),
    /// It serves what it served before.
    Waits,
    /// A deployment is being made.
    Deploys,
    /// A deployment failed.
    Failed(String),
}

/// Stages on their way, by name.
type Look = BTreeMap<String, Progress>;

/// What follows from a look.
#[derive(Debug, PartialEq)]
enum Verdict<'a> {
    /// Every stage serves what it is to serve.
    Done,
    /// This stage does not, for this reason.
    NotDeployed(&'a str, String),
    /// Look again.
    GoOn,
}

/// `moves` says that the stages are to serve something else than before; `spent` is the time since the change.
fn judge<'a>(now: &'a Look, last: Option<&Look>, moves: bool, spent: Duration) -> Verdict<'a> {
    let failure = now.iter().find_map(|(name, one)| match one {
        Progress::Failed(why) => Some((name, why)),
        _ => None,
    });
    if let Some((name, why)) = failure.filter(|_| spent >= FAILURE_LASTS) {
        return Verdict::NotDeployed(name, why.clone());
    }
    let deploys = now.iter().find(|(_, one)| **one == Progress::Deploys);
    if let Some((name, _)) = deploys.filter(|_| spent >= DEPLOYS) {
        return Verdict::NotDeployed(name, format!("it is not done after {} minutes", DEPLOYS.as_secs() / 60));
    }
    if failure.is_some() || deploys.is_some() {
        return Verdict::GoOn;
    }
    let waits = now.values().any(|one| *one == Progress::Waits);
    // Several changes are several deployments: what two looks see alike is the last of them.
    let settled = now.is_empty() || !moves || last == Some(now);
    if settled && (!waits || spent >= BEGINS) { Verdict::Done } else { Verdict::GoOn }
}

/// Waits until every stage of an API that deploys by itself serves something else than `before`, or until nothing begins to
/// change. Without a `before`, it is enough that nothing is on its way. `only` is the stage to wait for; none: all.
pub(in crate::kinds) async fn deployed(
    aws: &Aws,
    api: &str,
    only: Option<&str>,
    before: Option<&Serving>,
) -> Result<()> {
    let start = Instant::now();
    let mut pause = LOOKS_EVERY;
    let mut last = None;
    loop {
        let mut now = Look::new();
        for stage in stages(aws, api).await? {
            let name = stage.stage_name().unwrap_or_default().to_owned();
            if only.is_none_or(|only| only == name) {
                now.insert(name, progress(aws, api, &stage, before).await?);
            }
        }
        match judge(&now, last.as_ref(), before.is_some(), start.elapsed()) {
            Verdict::Done => return Ok(()),
            Verdict::NotDeployed(stage, why) => return Err(not_deployed(api, stage).cause(why)),
            Verdict::GoOn => {}
        }
        last = Some(now);
        if before.is_some() && start.elapsed() < BEGINS {
            // What has not begun, the next run would take for done: this is waited for, whatever the user wants.
            sleep(pause).await;
        } else {
            wait::pause(pause).await?;
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn progress(aws: &Aws, api: &str, stage: &Stage, before: Option<&Serving>) -> Result<Progress> {
    let (name, message) = (stage.stage_name().unwrap_or_default(), stage.last_deployment_status_message());
    if let Some(message) = message.filter(|message| message.starts_with(FAILED)) {
        return Ok(Progress::Failed(message.to_owned()));
    }
    let now = stage.deployment_id();
    if before.and_then(|before| before.get(name)).is_some_and(|before| before.as_deref() == now) {
        return Ok(Progress::Waits);
    }
    // A new stage that serves nothing yet.
    let Some(id) = now else { return Ok(Progress::Deploys) };
    match aws.read.clients.apigatewayv2.get_deployment().api_id(api).deployment_id(id).send().await {
        Ok(deployment) => Ok(match deployment.deployment_status() {
            Some(DeploymentStatus::Pending) => Progress::Deploys,
            Some(DeploymentStatus::Failed) => {
                let why = deployment.deployment_status_message().unwrap_or("AWS gave no reason");
                Progress::Failed(why.to_owned())
            }
            _ => Progress::Serves(Some(id.to_owned())),
        }),
        // The next one took its place between two calls.
        Err(error) if is_not_found(&error) => Ok(Progress::Deploys),
        Err(error) => Err(failed(&format!("read deployment {id} of API {api}"), error)),
    }
}

fn not_deployed(api: &str, stage: &str) -> Failure {
    Failure::new(FailureKind::Aws, format!("stage `{stage}` of HTTP API {api} was not deployed"))
        .hint("it serves what it served before; mend what AWS names, then run this again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(progress: Progress) -> Look {
        Look::from([("$default".to_owned(), progress)])
    }

    fn serves(id: &str) -> Look {
        look(Progress::Serves(Some(id.to_owned())))
    }

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn the_last_of_several_deployments_is_waited_for() {
        assert_eq!(judge(&serves("d1"), None, true, AT_ONCE), Verdict::GoOn);
        assert_eq!(judge(&serves("d2"), Some(&serves("d1")), true, AT_ONCE), Verdict::GoOn);
        assert_eq!(judge(&serves("d2"), Some(&serves("d2")), true, AT_ONCE), Verdict::Done);
        assert_eq!(
            judge(&serves("d2"), None, false, AT_ONCE),
            Verdict::Done,
            "where nothing has to move, one look is enough"
        );
        assert_eq!(judge(&Look::new(), None, true, AT_ONCE), Verdict::Done, "an API without stages serves nobody");
    }

    #[test]
    fn a_stage_gets_some_time_to_begin() {
        let waits = look(Progress::Waits);
        assert_eq!(judge(&waits, Some(&waits), true, AT_ONCE), Verdict::GoOn);
        assert_eq!(judge(&waits, Some(&waits), true, BEGINS), Verdict::Done);
    }

    #[test]
    fn a_failure_counts_once_it_is_not_that_of_the_deployment_before() {
        let failed = look(Progress::Failed("no routes".into()));
        assert_eq!(judge(&failed, None, true, AT_ONCE), Verdict::GoOn);
        assert_eq!(judge(&failed, None, true, FAILURE_LASTS), Verdict::NotDeployed("$default", "no routes".into()));
        let deploys = look(Progress::Deploys);
        assert_eq!(judge(&deploys, Some(&deploys), false, BEGINS), Verdict::GoOn);
        assert!(matches!(judge(&deploys, None, true, DEPLOYS), Verdict::NotDeployed("$default", _)));
    }
}
