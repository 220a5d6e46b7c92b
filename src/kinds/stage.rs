//! `stage`: a stage of a REST API: which deployment it serves, with which logs, tracing and throttles.

mod by_hand;
mod canary;
mod protection;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_apigateway::types::{CanarySettings, MethodSetting, Op, PatchOperation, Stage as LiveStage};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rest_api::{self, OwnApi, own_apis};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::Result;
use crate::model::{Identity, Input, Observed, Outputs, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct Stage;

/// What gwctl decides about a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageSpec {
    /// `dev`
    pub name: String,
    /// The id of its API.
    pub rest_api: Input,
    /// The id of the deployment it serves.
    pub deployment: Input,
    /// What it is for.
    pub description: Option<String>,
    /// Whether requests are traced with X-Ray.
    pub xray: bool,
    /// Stage variables.
    pub variables: BTreeMap<String, Input>,
    /// Where each request is logged.
    pub access_log: Option<AccessLog>,
    /// Settings by method path: `*/*`, or `~1orders~1{id}/GET`.
    pub method_settings: BTreeMap<String, MethodSettings>,
    /// A share of the requests on another deployment: while `apply --canary` tries it.
    pub canary: Option<Canary>,
    /// The ARN of the web ACL before it.
    pub web_acl: Option<Input>,
    /// The user's tags.
    pub tags: Tags,
    /// What somebody set by hand. Never wanted; read so that it is seen.
    #[serde(flatten)]
    pub by_hand: ByHand,
}

/// Where each request is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLog {
    /// The log group's ARN, without a trailing `:*` (aws-facts F).
    pub destination: Input,
    /// One line with `$context` variables.
    pub format: String,
}

/// Settings of one method, or of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MethodSettings {
    /// Whether CloudWatch gets metrics by method.
    pub metrics: bool,
    /// `OFF`, `ERROR` or `INFO`.
    pub logging_level: String,
    /// Whether whole requests and answers are logged.
    pub data_trace: bool,
    /// Requests per second.
    pub throttling_rate_limit: f64,
    /// Requests at once.
    pub throttling_burst_limit: i32,
    /// Whether answers are cached.
    pub caching: bool,
}

/// A share of the traffic on another deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Canary {
    /// Percent of the requests.
    pub percent: f64,
    /// The id of the deployment they go to.
    pub deployment: Input,
    /// Stage variables that it sees with other values. Never wanted; read so that they are seen.
    pub variables: BTreeMap<String, String>,
    /// Whether it shares the stage's cache. Never wanted: answers of one deployment would be given for the other.
    pub use_stage_cache: bool,
}

/// How long the account's logging role may take to be usable after it was made (aws-facts F).
const LOGGING_ROLE_SPREADS: Duration = Duration::from_mins(1);

/// The texts of aws-facts A and F that mean "come back".
const NOT_YET: [retry::NotYet; 2] =
    [retry::CONCURRENT_MODIFICATION, ("BadRequestException", "could not successfully write to CloudWatch Logs")];

/// The tags of a stage.
pub(super) fn all_tags(stage: &LiveStage) -> Tags {
    stage.tags().map(|tags| tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()).unwrap_or_default()
}

pub use by_hand::ByHand;
pub(super) use protection::tags_of;

fn arn(place: &Place, api: &str, name: &str) -> String {
    format!("arn:{}:apigateway:{}::/restapis/{api}/stages/{name}", place.partition, place.region)
}

fn outputs(place: &Place, api: &str, name: &str) -> Outputs {
    // `endpoint` is the URL without its scheme, for those who add their own path.
    let endpoint = format!("{api}.execute-api.{}.{}/{name}", place.region, place.dns_suffix());
    let url = format!("https://{endpoint}");
    Outputs::from_iter([
        ("name", name.to_owned()),
        ("arn", arn(place, api, name)),
        ("url", url),
        ("endpoint", endpoint),
    ])
}

fn observed(aws: &ReadAws, scope: &Scope, api: &OwnApi, live: &LiveStage) -> Result<Observed<StageSpec>> {
    let all = all_tags(live);
    let name = given("name of a stage", live.stage_name())?.to_owned();
    Ok(Observed {
        within: Some(api.address.clone()),
        spec: spec(&api.id, &name, live, tags::of_user(&all))?,
        outputs: outputs(&aws.place, &api.id, &name),
        ownership: tags::ownership(&all, &scope.owner),
        created: live.created_date().map(aws_smithy_types::DateTime::secs),
        in_use_by: None,
        name,
    })
}

fn spec(api: &str, name: &str, live: &LiveStage, user: Tags) -> Result<StageSpec> {
    let access_log = live.access_log_settings().and_then(|log| {
        let destination = log.destination_arn()?.trim_end_matches(":*");
        Some(AccessLog { destination: Input::from(destination), format: log.format().unwrap_or_default().to_owned() })
    });
    let settings =
        live.method_settings().map(|all| all.iter().map(|(path, one)| (path.clone(), settings(one))).collect());
    Ok(StageSpec {
        name: name.to_owned(),
        rest_api: Input::from(api),
        deployment: Input::from(given("deployment of a stage", live.deployment_id())?),
        description: live.description().filter(|text| !text.is_empty()).map(str::to_owned),
        xray: live.tracing_enabled(),
        variables: live
            .variables()
            .map(|all| all.iter().map(|(key, value)| (key.clone(), Input::from(value.as_str()))).collect())
            .unwrap_or_default(),
        access_log,
        method_settings: settings.unwrap_or_default(),
        canary: live.canary_settings().map(canary_of),
        web_acl: live.web_acl_arn().filter(|arn| !arn.is_empty()).map(Input::from),
        tags: user,
        by_hand: by_hand::of(live),
    })
}

fn canary_of(live: &CanarySettings) -> Canary {
    let variables = live.stage_variable_overrides().into_iter().flatten();
    Canary {
        percent: live.percent_traffic(),
        deployment: Input::from(live.deployment_id().unwrap_or_default()),
        variables: variables.map(|(key, value)| (key.clone(), value.clone())).collect(),
        use_stage_cache: live.use_stage_cache(),
    }
}

fn settings(live: &MethodSetting) -> MethodSettings {
    MethodSettings {
        metrics: live.metrics_enabled(),
        logging_level: live.logging_level().unwrap_or("OFF").to_owned(),
        data_trace: live.data_trace_enabled(),
        throttling_rate_limit: live.throttling_rate_limit(),
        throttling_burst_limit: live.throttling_burst_limit(),
        caching: live.caching_enabled(),
    }
}

impl Kind for Stage {
    type Spec = StageSpec;
    const NAME: &'static str = "stage";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetRestApis"],
        with: &["rest-api"],
        reads: &["apigateway:GetStage", "apigateway:GetStages", "wafv2:ListTagsForResource"],
        writes: &[
            "apigateway:CreateStage",
            "apigateway:DeleteStage",
            "apigateway:TagResource",
            "apigateway:UntagResource",
            "apigateway:UpdateStage",
            "wafv2:AssociateWebACL",
            "wafv2:DisassociateWebACL",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "rest_api"];
    /// A stage that logs is refused while the Region has no role for it (aws-facts F).
    const AFTER: &'static [&'static str] = &["account-logging"];

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<StageSpec>>> {
        let apis = own_apis(aws, &scope.owner).await?;
        let reads = apis.iter().map(|api| async move {
            let stages = aws.stages(&api.id).await?;
            stages.iter().map(|stage| observed(aws, scope, api, stage)).collect::<Result<Vec<_>>>()
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &StageSpec) -> Result<Outputs> {
        let (api, name) = (spec.rest_api.known()?, &spec.name);
        let all = tags::at_birth(identity, &spec.tags);
        let call = aws
            .write
            .apigateway
            .create_stage()
            .rest_api_id(api)
            .stage_name(name)
            .deployment_id(spec.deployment.known()?)
            .set_description(spec.description.clone())
            .tracing_enabled(spec.xray)
            .set_variables((!spec.variables.is_empty()).then(|| known(&spec.variables)).transpose()?)
            .set_tags(Some(all.into_iter().collect()));
        match call.send().await {
            Ok(_) => {}
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_apigateway::operation::create_stage::CreateStageError::is_conflict_exception,
                ) =>
            {
                adopt_own(aws, identity, api, name).await?;
            }
            Err(error) => return Err(failed(&format!("create stage `{name}`"), error)),
        }
        // What the call above carried. CreateStage takes neither access logs nor method settings (aws-facts F).
        let born = StageSpec {
            name: name.clone(),
            rest_api: spec.rest_api.clone(),
            deployment: spec.deployment.clone(),
            description: spec.description.clone(),
            xray: spec.xray,
            variables: spec.variables.clone(),
            access_log: None,
            method_settings: BTreeMap::new(),
            canary: None,
            web_acl: None,
            tags: spec.tags.clone(),
            by_hand: ByHand::default(),
        };
        // Before anything else: until then, the stage serves without it.
        if let Some(acl) = &spec.web_acl {
            protection::set(aws, api, name, acl.known()?).await?;
        }
        patch(aws, api, name, patches(&born, spec)?).await?;
        Ok(outputs(&aws.place, api, name))
    }

    async fn update(&self, aws: &Aws, live: &Observed<StageSpec>, spec: &StageSpec) -> Result<Outputs> {
        let (api, name) = (spec.rest_api.known()?, &spec.name);
        canary::before(aws, api, &live.spec, spec).await?;
        match (&live.spec.web_acl, &spec.web_acl) {
            (before, after) if before == after => {}
            (_, Some(acl)) => protection::set(aws, api, name, acl.known()?).await?,
            (_, None) => protection::remove(aws, api, live).await?,
        }
        patch(aws, api, name, patches(&live.spec, spec)?).await?;
        canary::verify(aws, api, &live.spec, spec).await?;
        self.retag(aws, &live.outputs, &live.spec.tags, &spec.tags).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<StageSpec>) -> Result<()> {
        let api = live.spec.rest_api.known()?;
        match aws.write.apigateway.delete_stage().rest_api_id(api).stage_name(&live.name).send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete stage `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        rest_api::tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        rest_api::untag(aws, outputs, keys).await
    }
}

fn known(variables: &BTreeMap<String, Input>) -> Result<std::collections::HashMap<String, String>> {
    variables.iter().map(|(name, value)| Ok((name.clone(), value.known()?.to_owned()))).collect()
}

async fn adopt_own(aws: &Aws, identity: &Identity, api: &str, name: &str) -> Result<()> {
    let answer = aws.write.apigateway.get_stage().rest_api_id(api).stage_name(name).send().await;
    let answer = answer.map_err(|error| failed(&format!("read stage `{name}`"), error))?;
    let all: Tags = answer.tags.unwrap_or_default().into_iter().collect();
    super::own_after_conflict(&tags::ownership(&all, &identity.owner), identity, name)
}

async fn patch(aws: &Aws, api: &str, name: &str, operations: Vec<PatchOperation>) -> Result<()> {
    if operations.is_empty() {
        return Ok(());
    }
    let call = || {
        let update = aws.write.apigateway.update_stage().rest_api_id(api).stage_name(name);
        update.set_patch_operations(Some(operations.clone())).send()
    };
    let answer = retry::until_ready(LOGGING_ROLE_SPREADS, &NOT_YET, call).await;
    answer.map_err(|error| {
        let no_role = aws_smithy_types::error::metadata::ProvideErrorMetadata::message(&error)
            .is_some_and(|message| message.contains("CloudWatch Logs role ARN must be set"));
        let failure = failed(&format!("update stage `{name}`"), error);
        if no_role { failure.hint(LOGGING_ROLE_HINT) } else { failure }
    })?;
    Ok(())
}

/// What to do where a Region has no role for API Gateway's logs. It is the account's, so gwctl does not make it unasked.
pub const LOGGING_ROLE_HINT: &str = "write `\"account_logging_role\": \"make\"` to have it made, or set it once per Region: aws apigateway update-account --patch-operations \
     op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN, with a role that apigateway.amazonaws.com may assume and the \
     policy service-role/AmazonAPIGatewayPushToCloudWatchLogs";

fn operation(op: Op, path: impl Into<String>, value: Option<String>) -> PatchOperation {
    PatchOperation::builder().op(op).path(path).set_value(value).build()
}

fn replace(path: impl Into<String>, value: &(impl ToString + ?Sized)) -> PatchOperation {
    operation(Op::Replace, path, Some(value.to_string()))
}

/// The patch operations that turn one state of a stage into another, in API Gateway's paths (aws-facts F).
fn patches(live: &StageSpec, wanted: &StageSpec) -> Result<Vec<PatchOperation>> {
    let StageSpec {
        name: _,     // can't change in place
        rest_api: _, // can't change in place
        deployment,
        description,
        xray,
        variables,
        access_log,
        method_settings,
        canary,
        web_acl: _, // these two have calls of their own
        tags: _,
        by_hand,
    } = wanted;
    let mut list = by_hand::without(&live.by_hand, by_hand);
    if live.deployment != *deployment && !canary::is_promoted(live, wanted) {
        list.push(replace("/deploymentId", deployment.known()?));
    }
    list.extend(canary::patches(live.canary.as_ref(), canary.as_ref())?);
    if live.description != *description {
        list.push(replace("/description", description.as_deref().unwrap_or_default()));
    }
    if live.xray != *xray {
        list.push(replace("/tracingEnabled", xray));
    }
    for (key, value) in variables {
        if live.variables.get(key) != Some(value) {
            list.push(replace(format!("/variables/{}", escaped(key)), value.known()?));
        }
    }
    for key in live.variables.keys().filter(|key| !variables.contains_key(*key)) {
        list.push(operation(Op::Remove, format!("/variables/{}", escaped(key)), None));
    }
    match access_log {
        Some(AccessLog { destination, format }) if live.access_log != *access_log => {
            list.push(replace("/accessLogSettings/destinationArn", destination.known()?));
            list.push(replace("/accessLogSettings/format", format));
        }
        None if live.access_log.is_some() => list.push(operation(Op::Remove, "/accessLogSettings", None)),
        _ => {}
    }
    for (path, settings) in method_settings {
        if live.method_settings.get(path) != Some(settings) {
            list.extend(setting_patches(path, settings));
        }
    }
    // A single field of a setting can't be removed; the whole key can.
    for path in live.method_settings.keys().filter(|path| !method_settings.contains_key(*path)) {
        list.push(operation(Op::Remove, format!("/{path}"), None));
    }
    Ok(list)
}

fn setting_patches(path: &str, settings: &MethodSettings) -> [PatchOperation; 6] {
    let MethodSettings { metrics, logging_level, data_trace, throttling_rate_limit, throttling_burst_limit, caching } =
        settings;
    [
        replace(format!("/{path}/metrics/enabled"), metrics),
        replace(format!("/{path}/logging/loglevel"), logging_level),
        replace(format!("/{path}/logging/dataTrace"), data_trace),
        replace(format!("/{path}/throttling/rateLimit"), throttling_rate_limit),
        replace(format!("/{path}/throttling/burstLimit"), throttling_burst_limit),
        replace(format!("/{path}/caching/enabled"), caching),
    ]
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> StageSpec {
        StageSpec {
            name: "dev".into(),
            rest_api: "abc".into(),
            deployment: "d1".into(),
            description: None,
            xray: true,
            variables: BTreeMap::from([("a/b".into(), "1".into())]),
            access_log: Some(AccessLog { destination: "arn".into(), format: "$context.requestId".into() }),
            method_settings: BTreeMap::from([(
                "*/*".into(),
                MethodSettings {
                    metrics: true,
                    logging_level: "INFO".into(),
                    data_trace: true,
                    throttling_rate_limit: 100.5,
                    throttling_burst_limit: 10,
                    caching: false,
                },
            )]),
            canary: None,
            web_acl: None,
            tags: Tags::new(),
            by_hand: ByHand::default(),
        }
    }

    fn shown(list: &[PatchOperation]) -> Vec<String> {
        list.iter()
            .map(|one| {
                let op = one.op().map(Op::as_str).unwrap_or_default();
                format!("{op} {} {}", one.path().unwrap_or_default(), one.value().unwrap_or_default())
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    #[test]
    fn nothing_changed_means_no_patch() {
        assert!(patches(&stage(), &stage()).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_longer_wanted_is_removed_by_its_whole_key() {
        let bare =
            StageSpec { access_log: None, method_settings: BTreeMap::new(), variables: BTreeMap::new(), ..stage() };
        let list = shown(&patches(&stage(), &bare).unwrap());
        assert_eq!(list, ["remove /variables/a~1b", "remove /accessLogSettings", "remove /*/*"]);
    }

    #[test]
    fn a_throttle_is_one_setting_of_the_whole_key() {
        let mut slower = stage();
        slower.method_settings.get_mut("*/*").unwrap().throttling_rate_limit = 5.0;
        let list = shown(&patches(&stage(), &slower).unwrap());
        assert!(list.contains(&"replace /*/*/throttling/rateLimit 5".to_owned()), "{list:?}");
        assert!(list.iter().all(|line| line.starts_with("replace /*/*/")), "{list:?}");
    }
}
