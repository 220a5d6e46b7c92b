//! What `gwctl doctor` asks that nobody else does: who calls, what they may do, what time it is at AWS, how much an account may
//! have, how a VPC link is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use super::failure::is_not_found;
use super::{ReadAws, failed};
use crate::error::{Failure, FailureKind, Result};

/// What it asks beside what a plan asks.
pub const CALLS: &[&str] = &[
    "apigateway:GetVpcLink",
    "apigateway:GetVpcLinks",
    "iam:GetRole",
    "iam:SimulatePrincipalPolicy",
    "servicequotas:ListServiceQuotas",
];

/// Keeps the `Date` of an answer, whatever the answer is.
#[derive(Debug, Clone, Default)]
struct DateOfAnswer(Arc<Mutex<Option<String>>>);

#[dyn_dispatch_hint]
impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "DateOfAnswer"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

/// How a VPC link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// `AVAILABLE`, `PENDING`, `DELETING`, `FAILED`.
    pub status: String,
    /// Why, where AWS says it.
    pub message: Option<String>,
}

impl ReadAws {
    /// The time at AWS, in seconds since the epoch, by the answer to a call; none where the answer has none.
    pub async fn clock(&self) -> Option<i64> {
        let date = DateOfAnswer::default();
        // A refusal tells the time as well.
        let _ = self.clients.sts.get_caller_identity().customize().interceptor(date.clone()).send().await;
        let text = date.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        DateTime::from_str(&text, Format::HttpDate).ok().map(|date| date.secs())
    }

    /// The ARN of the user or role whose policies decide for the caller. A session's role is looked up: its ARN has the path.
    pub async fn principal(&self) -> Result<String> {
        let answer = self.clients.sts.get_caller_identity().send().await;
        let arn = answer.map_err(|error| failed("ask AWS whose credentials these are", error))?.arn.unwrap_or_default();
        let Some((_, session)) = arn.split_once(":assumed-role/") else { return Ok(arn) };
        let name = session.split('/').next().unwrap_or_default();
        let answer = self.clients.iam.get_role().role_name(name).send().await;
        let role = answer.map_err(|error| failed(&format!("read role `{name}`"), error))?.role;
        Ok(role.map(|role| role.arn).unwrap_or_default())
    }

    /// What a principal's policies say to actions on every resource: action and decision.
    pub async fn simulate(&self, principal: &str, actions: &[&str]) -> Result<Vec<(String, String)>> {
        let mut decisions = Vec::new();
        let mut marker = None;
        loop {
            let names = actions.iter().map(|action| (*action).to_owned()).collect();
            let call = self.clients.iam.simulate_principal_policy().policy_source_arn(principal);
            let answer = call.set_action_names(Some(names)).set_marker(marker).send().await;
            let answer = answer.map_err(|error| failed(&format!("simulate the policies of {principal}"), error))?;
            for one in answer.evaluation_results.unwrap_or_default() {
                decisions.push((one.eval_action_name, one.eval_decision.as_str().to_owned()));
            }
            marker = answer.marker.filter(|_| answer.is_truncated);
            if marker.is_none() {
                return Ok(decisions);
            }
        }
    }

    /// The quotas of a service that are applied in the account and Region, by code.
    pub async fn quotas(&self, service: &str) -> Result<BTreeMap<String, f64>> {
        let pages = self.clients.quotas.list_service_quotas().service_code(service).into_paginator().items().send();
        let all: Vec<_> =
            pages.try_collect().await.map_err(|error| failed(&format!("list the quotas of {service}"), error))?;
        Ok(all.into_iter().filter_map(|quota| Some((quota.quota_code?, quota.value?))).collect())
    }

    /// How many VPC links REST APIs have in the Region.
    pub async fn count_vpc_links(&self) -> Result<usize> {
        Ok(self.vpc_links().await?.len())
    }

    /// How a VPC link is; none if there is no such link.
    pub async fn vpc_link(&self, id: &str) -> Result<Option<LinkState>> {
        let answer = match self.clients.apigateway.get_vpc_link().vpc_link_id(id).send().await {
            Ok(answer) => answer,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(failed(&format!("read VPC link {id}"), error)),
        };
        let status = answer
            .status
            .ok_or_else(|| Failure::new(FailureKind::Aws, format!("AWS did not say how VPC link {id} is")))?;
        let message = answer.status_message.filter(|text| !text.is_empty());
        Ok(Some(LinkState { status: status.as_str().to_owned(), message }))
    }
}
