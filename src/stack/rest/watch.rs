//! What watches a gateway: alarms, the log of its execution, and the role that API Gateway writes its logs with.

use std::collections::{BTreeMap, BTreeSet};

use super::{GATEWAY, RestGateway};
use crate::config::{AlarmSettings, GatewayStack};
use crate::error::Result;
use crate::kinds::Kind as _;
use crate::kinds::account_logging::{self, AccountLogging, AccountLoggingSpec};
use crate::kinds::alarm::{Alarm, AlarmSpec, Metric, Watched};
use crate::kinds::execution_log_group::{ExecutionLogGroup, ExecutionLogGroupSpec};
use crate::kinds::log_group::LogFilters;
use crate::model::{Desired, Input};

/// The namespace of what the authorizer functions count themselves (`docs/authorizer.md`).
const AUTHORIZER: &str = "gwctl/authorizer";

/// An alarm on its way: its name, what it means, what it watches, and the threshold.
type Draft = (String, String, Watched, f64);

impl RestGateway<'_> {
    fn writes_execution_log(&self) -> bool {
        self.settings.logging_level != "OFF"
    }

    /// The group that API Gateway writes the execution log to. Without this it would be kept for ever.
    pub(super) fn execution_log_group(&self) -> Result<Option<Desired>> {
        if !self.writes_execution_log() {
            return Ok(None);
        }
        let spec = ExecutionLogGroupSpec {
            rest_api: Input::output(&self.address("rest-api", GATEWAY), "id"),
            stage: self.settings.gateway_stage_name.clone(),
            retention_in_days: Some(self.settings.retention_in_days),
            tags: self.settings.tags.clone(),
            filters: LogFilters::default(),
        };
        self.desired::<ExecutionLogGroup>(GATEWAY, &spec).map(Some)
    }

    /// The Region's role for logs, once an environment: with the gate.
    pub(super) fn account_logging(&self) -> Result<Option<Desired>> {
        if !self.settings.makes_logging_role || self.blueprint.stack != GatewayStack::Gate {
            return Ok(None);
        }
        let spec = AccountLoggingSpec { name: account_logging::name_of(&self.place.region) };
        self.desired::<AccountLogging>("region", &spec).map(Some)
    }

    pub(super) fn alarms(&self) -> Result<Vec<Desired>> {
        let Some(settings) = &self.settings.alarms else { return Ok(Vec::new()) };
        let mut drafts = self.gateway_alarms(settings);
        for function in &self.blueprint.functions {
            drafts.extend(self.function_alarms(settings, function.name));
        }
        drafts
            .into_iter()
            .map(|(name, means, watches, threshold)| self.alarm(settings, &name, means, watches, threshold))
            .collect()
    }

    fn alarm(
        &self,
        settings: &AlarmSettings,
        name: &str,
        means: String,
        watches: Watched,
        threshold: f64,
    ) -> Result<Desired> {
        let actions: BTreeSet<Input> = settings.actions.iter().map(|arn| Input::from(arn.as_str())).collect();
        let spec = AlarmSpec {
            name: self.name_of(Alarm::NAME, name, || format!("{}-{name}", self.gateway_name())),
            description: Some(means),
            watches,
            comparison: "GreaterThanThreshold".to_owned(),
            threshold,
            evaluation_periods: settings.evaluation_periods,
            datapoints_to_alarm: settings.datapoints_to_alarm,
            // A gateway that nobody calls is not broken.
            treat_missing_data: "notBreaching".to_owned(),
            actions_enabled: true,
            alarm_actions: actions.clone(),
            ok_actions: actions,
            insufficient_data_actions: BTreeSet::new(),
            tags: self.settings.tags.clone(),
        };
        self.desired::<Alarm>(name, &spec)
    }

    /// Metrics of the stage: API Gateway's guide, "Amazon API Gateway dimensions and metrics".
    fn gateway_alarms(&self, settings: &AlarmSettings) -> Vec<Draft> {
        let metric = |name: &str, statistic: &str| Metric {
            namespace: "AWS/ApiGateway".to_owned(),
            metric: name.to_owned(),
            dimensions: BTreeMap::from([
                ("ApiName".to_owned(), Input::from(self.api_name())),
                ("Stage".to_owned(), Input::from(self.settings.gateway_stage_name.as_str())),
            ]),
            statistic: statistic.to_owned(),
            period_seconds: settings.period_seconds,
        };
        let gateway = self.api_name();
        let mut drafts = Vec::new();
        if let Some(percent) = settings.error_rate_percent {
            let watches = Watched::Math {
                expression: "100 * errors / requests".to_owned(),
                label: Some("percent of requests that end in 5xx".to_owned()),
                metrics: BTreeMap::from([
                    ("errors".to_owned(), metric("5XXError", "Sum")),
                    ("requests".to_owned(), metric("Count", "Sum")),
                ]),
            };
            let means = format!("More than {percent} % of the requests to {gateway} end in 5xx");
            drafts.push(("5xx-rate".to_owned(), means, watches, percent));
        }
        if let Some(milliseconds) = settings.latency_p99_ms {
            let means = format!("One request to {gateway} in a hundred takes longer than {milliseconds} ms");
            drafts.push(("latency-p99".to_owned(), means, Watched::Metric(metric("Latency", "p99")), milliseconds));
        }
        if let Some(count) = settings.client_errors {
            let means =
                format!("More than {count} requests to {gateway} in a period end in 4xx, throttled ones among them");
            drafts.push(("4xx".to_owned(), means, Watched::Metric(metric("4XXError", "Sum")), count));
        }
        drafts
    }

    /// Lambda counts a refused token as an error of the function, because `Unauthorized` is one; the functions themselves
    /// count what kept them from a decision.
    fn function_alarms(&self, settings: &AlarmSettings, function: &str) -> Vec<Draft> {
        let name = self.function_name(function);
        let metric = |namespace: &str, metric: &str, dimension: &str| {
            Watched::Metric(Metric {
                namespace: namespace.to_owned(),
                metric: metric.to_owned(),
                dimensions: BTreeMap::from([(dimension.to_owned(), Input::from(name.as_str()))]),
                statistic: "Sum".to_owned(),
                period_seconds: settings.period_seconds,
            })
        };
        let mut drafts = Vec::new();
        if let Some(count) = settings.authorizer_errors {
            let means = format!("{name} could not decide more than {count} times in a period: its log says why");
            drafts.push((format!("{function}-failed"), means, metric(AUTHORIZER, "failed", "function"), count));
        }
        if let Some(count) = settings.authorizer_throttles {
            let means = format!("Lambda refused to run {name} more than {count} times in a period");
            let watches = metric("AWS/Lambda", "Throttles", "FunctionName");
            drafts.push((format!("{function}-throttled"), means, watches, count));
        }
        drafts
    }
}
