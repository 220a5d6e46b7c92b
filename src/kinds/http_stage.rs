//! `http-stage`: a stage of an HTTP API: what it serves by itself, with which logs and throttles.
//!
//! A stage deploys by itself: each change of its API is served a moment after it was made. Stages without `auto_deploy` are not
//! supported: nothing here makes deployments for them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_apigatewayv2::types::{AccessLogSettings, RouteSettings as LiveSettings, Stage as LiveStage};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::http_api::{OwnApi, deployed, host, own_apis};
use super::http_vpc_link::{sorted, tag, untag};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::http_apis::every_page;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, ReadAws, failed, given, retry};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Identity, Input, Observed, Outputs, Place};
use crate::permissions::Calls;

pub use super::stage::AccessLog;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct HttpStage;

/// What gwctl decides about a stage of an HTTP API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpStageSpec {
    /// `$default`, which stands in no URL, or `dev`.
    pub name: String,
    /// The id of its API.
    pub api: Input,
    /// Whether it serves each change of its API at once. Always true: without it, changes wait for a deployment, and nothing here
    /// makes one. It is a field so that a stage where somebody switched it off is seen, and put right.
    pub auto_deploy: bool,
    /// What it is for.
    pub description: Option<String>,
    /// Where each request is logged: the ARN of a log group without a trailing `:*`, and one line (aws-facts F).
    pub access_log: Option<AccessLog>,
    /// The settings of all routes that have none of their own.
    pub default_route_settings: RouteSettings,
    /// The settings of routes by key. They take nothing over from the default ones.
    pub route_settings: BTreeMap<String, RouteSettings>,
    /// Stage variables.
    pub variables: BTreeMap<String, Input>,
    /// The user's tags.
    pub tags: Tags,
}

/// Settings of one route, or of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteSettings {
    /// Whether `CloudWatch` gets metrics by route.
    pub detailed_metrics: bool,
    /// What clients may ask of it. None: what the account allows.
    pub throttling: Option<Throttling>,
}

/// Both limits are sent, or none: one that is left out beside the other lets no request through (reported of stages that
/// other tools made: hashicorp/terraform-provider-aws, pull request 43307).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Throttling {
    /// Requests at once.
    pub burst_limit: i32,
    /// Requests per second.
    pub rate_limit: f64,
}

/// How long to go on when somebody else modifies the API at the same time, or a new log group is yet unknown.
const OTHERS_WRITE: Duration = Duration::from_mins(1);

/// Answers that had no effect: come back.
const NOT_YET: [retry::NotYet; 1] = [retry::CONCURRENT_MODIFICATION];

/// The key of the route that takes what no other route does.
const DEFAULT_ROUTE: &str = "$default";

fn outputs(place: &Place, api: &str, name: &str, deployment: Option<&str>) -> Outputs {
    let arn = format!("arn:{}:apigateway:{}::/apis/{api}/stages/{name}", place.partition, place.region);
    let endpoint = match name {
        // The default stage answers at the host's root (aws-facts I).
        "$default" => host(place, api),
        _ => format!("{}/{name}", host(place, api)),
    };
    let known =
        [("name", name.to_owned()), ("arn", arn), ("url", format!("https://{endpoint}")), ("endpoint", endpoint)];
    known.into_iter().chain(deployment.map(|id| ("deployment", id.to_owned()))).collect()
}

fn observed(aws: &ReadAws, scope: &Scope, api: &OwnApi, live: &LiveStage) -> Result<Observed<HttpStageSpec>> {
    let all = sorted(live.tags());
    let name = given("name of a stage", live.stage_name())?.to_owned();
    Ok(Observed {
        within: Some(api.address.clone()),
        spec: spec(&api.id, &name, live),
        outputs: outputs(&aws.place, &api.id, &name, live.deployment_id()),
        ownership: tags::ownership(&all, &scope.owner),
        created: live.created_date().map(aws_smithy_types::DateTime::secs),
        in_use_by: None,
        name,
    })
}

fn spec(api: &str, name: &str, live: &LiveStage) -> HttpStageSpec {
    let log = |log: &AccessLogSettings| {
        let destination = log.destination_arn().filter(|arn| !arn.is_empty())?.trim_end_matches(":*");
        Some(AccessLog { destination: Input::from(destination), format: log.format().unwrap_or_default().to_owned() })
    };
    let routes = live.route_settings().into_iter().flatten();
    HttpStageSpec {
        name: name.to_owned(),
        api: Input::from(api),
        auto_deploy: live.auto_deploy().unwrap_or_default(),
        description: live.description().filter(|text| !text.is_empty()).map(str::to_owned),
        access_log: live.access_log_settings().and_then(log),
        default_route_settings: live.default_route_settings().map(settings).unwrap_or_default(),
        route_settings: routes.map(|(key, one)| (key.clone(), settings(one))).collect(),
        variables: sorted(live.stage_variables())
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, Input::from(value)))
            .collect(),
        tags: tags::of_user(&sorted(live.tags())),
    }
}

/// A stage without limits answers neither; one limit without the other is read as what it does.
fn settings(live: &LiveSettings) -> RouteSettings {
    let throttling = match (live.throttling_burst_limit(), live.throttling_rate_limit()) {
        (None, None) => None,
        (burst, rate) => {
            Some(Throttling { burst_limit: burst.unwrap_or_default(), rate_limit: rate.unwrap_or_default() })
        }
    };
    RouteSettings { detailed_metrics: live.detailed_metrics_enabled().unwrap_or_default(), throttling }
}

fn live_settings(wanted: &RouteSettings) -> LiveSettings {
    let RouteSettings { detailed_metrics, throttling } = wanted;
    LiveSettings::builder()
        .detailed_metrics_enabled(*detailed_metrics)
        .set_throttling_burst_limit(throttling.as_ref().map(|limits| limits.burst_limit))
        .set_throttling_rate_limit(throttling.as_ref().map(|limits| limits.rate_limit))
        .build()
}

fn live_log(wanted: &AccessLog) -> Result<AccessLogSettings> {
    let AccessLog { destination, format } = wanted;
    Ok(AccessLogSettings::builder().destination_arn(destination.known()?).format(format).build())
}

fn known(variables: &BTreeMap<String, Input>) -> Result<HashMap<String, String>> {
    variables.iter().map(|(name, value)| Ok((name.clone(), value.known()?.to_owned()))).collect()
}

impl Kind for HttpStage {
    type Spec = HttpStageSpec;
    const NAME: &'static str = "http-stage";
    const CALLS: Calls = Calls {
        seeks: &["apigatewayv2:GetApis"],
        with: &["http-api"],
        reads: &["apigatewayv2:GetDeployment", "apigatewayv2:GetStage", "apigatewayv2:GetStages"],
        writes: &[
            "apigatewayv2:CreateStage",
            "apigatewayv2:DeleteAccessLogSettings",
            "apigatewayv2:DeleteRouteSettings",
            "apigatewayv2:DeleteStage",
            "apigatewayv2:TagResource",
            "apigatewayv2:UntagResource",
            "apigatewayv2:UpdateStage",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name", "api"];

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<HttpStageSpec>>> {
        let apis = own_apis(aws, &scope.owner).await?;
        let reads = apis.iter().map(|api| async move {
            let stages = match every_page!(aws.clients.apigatewayv2.get_stages().api_id(&api.id)) {
                Ok(stages) => stages,
                // The API was deleted since it was listed, and its stages with it.
                Err(error) if is_not_found(&error) => Vec::new(),
                Err(error) => return Err(failed(&format!("read the stages of API {}", api.id), error)),
            };
            stages.iter().map(|stage| observed(aws, scope, api, stage)).collect::<Result<Vec<_>>>()
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &HttpStageSpec) -> Result<Outputs> {
        let (api, name) = (spec.api.known()?, &spec.name);
        let all: HashMap<String, String> = tags::at_birth(identity, &spec.tags).into_iter().collect();
        let log = spec.access_log.as_ref().map(live_log).transpose()?;
        let routes = spec.route_settings.iter().map(|(key, one)| (key.clone(), live_settings(one)));
        let (routes, variables) = (routes.collect::<HashMap<_, _>>(), known(&spec.variables)?);
        let call = || {
            let call = aws.write.apigatewayv2.create_stage().api_id(api).stage_name(name).auto_deploy(spec.auto_deploy);
            let call = call.set_description(spec.description.clone()).set_access_log_settings(log.clone());
            let call = call.default_route_settings(live_settings(&spec.default_route_settings));
            let call = call.set_route_settings((!routes.is_empty()).then(|| routes.clone()));
            let call = call.set_stage_variables((!variables.is_empty()).then(|| variables.clone()));
            call.set_tags(Some(all.clone())).send()
        };
        match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
            Ok(_) => {}
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_apigatewayv2::operation::create_stage::CreateStageError::is_conflict_exception,
                ) =>
            {
                let live = read(aws, api, name).await?;
                super::own_after_conflict(&tags::ownership(&sorted(live.tags()), &identity.owner), identity, name)?;
                change(aws, &self::spec(api, name, &live), spec).await?;
            }
            Err(error) => return Err(failed(&format!("create stage `{name}`"), error)),
        }
        served(aws, api, name).await
    }

    async fn update(&self, aws: &Aws, live: &Observed<HttpStageSpec>, spec: &HttpStageSpec) -> Result<Outputs> {
        change(aws, &live.spec, spec).await?;
        self.retag(aws, &live.outputs, &live.spec.tags, &spec.tags).await?;
        served(aws, spec.api.known()?, &spec.name).await
    }

    async fn delete(&self, aws: &Aws, live: &Observed<HttpStageSpec>) -> Result<()> {
        let api = live.spec.api.known()?;
        let call = || aws.write.apigatewayv2.delete_stage().api_id(api).stage_name(&live.name).send();
        match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete stage `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        untag(aws, outputs, keys).await
    }
}

async fn read(aws: &Aws, api: &str, name: &str) -> Result<LiveStage> {
    let answer = aws.write.apigatewayv2.get_stage().api_id(api).stage_name(name).send().await;
    let answer = answer.map_err(|error| failed(&format!("read stage `{name}`"), error))?;
    Ok(LiveStage::builder()
        .stage_name(name)
        .set_access_log_settings(answer.access_log_settings)
        .set_auto_deploy(answer.auto_deploy)
        .set_default_route_settings(answer.default_route_settings)
        .set_deployment_id(answer.deployment_id)
        .set_description(answer.description)
        .set_route_settings(answer.route_settings)
        .set_stage_variables(answer.stage_variables)
        .set_tags(answer.tags)
        .build())
}

/// What the stage is once nothing is on its way to it any more.
async fn served(aws: &Aws, api: &str, name: &str) -> Result<Outputs> {
    deployed(aws, api, Some(name), None).await?;
    let live = read(aws, api, name).await?;
    Ok(outputs(&aws.place, api, name, live.deployment_id()))
}

/// Turns a stage from one state into another, all but its tags.
async fn change(aws: &Aws, live: &HttpStageSpec, wanted: &HttpStageSpec) -> Result<()> {
    let HttpStageSpec {
        name,
        api,
        auto_deploy,
        description,
        access_log,
        default_route_settings,
        route_settings,
        variables,
        tags: _, // have calls of their own
    } = wanted;
    let api = api.known()?;
    // First, because an update is refused while there are settings of a route that is gone: `Unable to find Route by key GET
    // /world within the provided RouteSettings` (DianaIonita/serverless-api-gateway-throttling, issue 33).
    for key in live.route_settings.keys().filter(|key| loses_settings(live, wanted, key)) {
        delete_route_settings(aws, api, name, key).await?;
    }
    if access_log.is_none() && live.access_log.is_some() {
        delete_access_log(aws, api, name).await?;
    }
    let routes = route_settings.iter().filter(|(key, one)| live.route_settings.get(*key) != Some(one));
    let routes: HashMap<_, _> = routes.map(|(key, one)| (key.clone(), live_settings(one))).collect();
    // A variable goes by getting an empty value (hashicorp/terraform-provider-aws, `apigatewayv2/stage.go`).
    let gone = live.variables.keys().filter(|name| !variables.contains_key(*name));
    let mut set: HashMap<String, String> = gone.map(|name| (name.clone(), String::new())).collect();
    let changed = variables.iter().filter(|(name, value)| live.variables.get(*name) != Some(value));
    set.extend(known(&changed.map(|(name, value)| (name.clone(), value.clone())).collect())?);
    let log = access_log.as_ref().filter(|_| live.access_log != *access_log).map(live_log).transpose()?;
    let defaults = live.default_route_settings != *default_route_settings;
    let bare = aws.write.apigatewayv2.update_stage().api_id(api).stage_name(name);
    let call = bare.clone().set_auto_deploy((live.auto_deploy != *auto_deploy).then_some(*auto_deploy));
    let described = (live.description != *description).then(|| description.clone().unwrap_or_default());
    let call = call.set_description(described).set_access_log_settings(log);
    let call = call.set_default_route_settings(defaults.then(|| live_settings(default_route_settings)));
    let call = call.set_route_settings((!routes.is_empty()).then_some(routes));
    let call = call.set_stage_variables((!set.is_empty()).then_some(set));
    if call.as_input() != bare.as_input() {
        let answer = retry::until_ready(OTHERS_WRITE, &NOT_YET, || call.clone().send()).await;
        answer.map_err(|error| failed(&format!("update stage `{name}`"), error))?;
    }
    if default_route_settings.throttling.is_none() && live.default_route_settings.throttling.is_some() {
        lift_default_limits(aws, api, name, wanted).await?;
    }
    Ok(())
}

/// Whether the settings of a route go, wholly or so that they can be set without limits.
fn loses_settings(live: &HttpStageSpec, wanted: &HttpStageSpec, key: &str) -> bool {
    let limited = live.route_settings.get(key).is_some_and(|one| one.throttling.is_some());
    wanted.route_settings.get(key).is_none_or(|one| one.throttling.is_none() && limited)
}

/// Sees to it that the default limits are gone. An update that names none is not documented to take them away, and the command
/// that AWS's support names for limits that the console can't remove is documented for routes (serverless/serverless, pull request
/// 8590): that it does so here is a guess, so that the stage is read after each.
async fn lift_default_limits(aws: &Aws, api: &str, name: &str, wanted: &HttpStageSpec) -> Result<()> {
    let limits = || async {
        let live = read(aws, api, name).await?;
        Ok::<_, Failure>(spec(api, name, &live).default_route_settings.throttling)
    };
    if limits().await?.is_none() {
        return Ok(());
    }
    if !wanted.route_settings.contains_key(DEFAULT_ROUTE) {
        delete_route_settings(aws, api, name, DEFAULT_ROUTE).await?;
    }
    match limits().await? {
        None => Ok(()),
        Some(Throttling { burst_limit, rate_limit }) => {
            let message =
                format!("stage `{name}` keeps its limits of {rate_limit} requests per second, {burst_limit} at once");
            Err(Failure::new(FailureKind::Aws, message)
                .cause("API Gateway did not take them away, and there is no other call that does")
                .hint("write the limits that the account has (10000 and 5000, unless AWS raised them) instead of none"))
        }
    }
}

async fn delete_route_settings(aws: &Aws, api: &str, name: &str, key: &str) -> Result<()> {
    let call = || aws.write.apigatewayv2.delete_route_settings().api_id(api).stage_name(name).route_key(key).send();
    match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
        Err(error) if !is_not_found(&error) => {
            Err(failed(&format!("delete the settings of route `{key}` from stage `{name}`"), error))
        }
        _ => Ok(()),
    }
}

async fn delete_access_log(aws: &Aws, api: &str, name: &str) -> Result<()> {
    let call = || aws.write.apigatewayv2.delete_access_log_settings().api_id(api).stage_name(name).send();
    match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
        Err(error) if !is_not_found(&error) => Err(failed(&format!("end the access log of stage `{name}`"), error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_both_or_not_at_all() {
        let live = LiveSettings::builder().detailed_metrics_enabled(true).build();
        assert_eq!(settings(&live), RouteSettings { detailed_metrics: true, throttling: None });
        let zero = Throttling { burst_limit: 0, rate_limit: 0.0 };
        let live = LiveSettings::builder().throttling_burst_limit(0).throttling_rate_limit(0.0).build();
        assert_eq!(settings(&live).throttling, Some(zero), "which lets nothing through, and is no absence of limits");
        let half = LiveSettings::builder().throttling_rate_limit(5.0).build();
        assert_eq!(settings(&half).throttling, Some(Throttling { burst_limit: 0, rate_limit: 5.0 }));
    }

    #[test]
    fn limits_are_sent_both_or_not_at_all() {
        let none = live_settings(&RouteSettings { detailed_metrics: true, throttling: None });
        assert_eq!((none.throttling_burst_limit(), none.throttling_rate_limit()), (None, None));
        let limits = Throttling { burst_limit: 5, rate_limit: 2.5 };
        let both = live_settings(&RouteSettings { detailed_metrics: false, throttling: Some(limits) });
        assert_eq!((both.throttling_burst_limit(), both.throttling_rate_limit()), (Some(5), Some(2.5)));
    }

    #[test]
    fn only_the_default_stage_answers_at_the_root() {
        let place = Place { account: "1".repeat(12), region: "cn-north-1".into(), partition: "aws-cn".into() };
        let url = |name: &str| outputs(&place, "abc", name, None).required("url").unwrap().to_owned();
        assert_eq!(url("$default"), "https://abc.execute-api.cn-north-1.amazonaws.com.cn");
        assert_eq!(url("dev"), "https://abc.execute-api.cn-north-1.amazonaws.com.cn/dev");
    }
}
