//! `web-acl`: the rules of AWS WAF that stand before a stage or a load balancer, and where it logs.
//!
//! A web ACL is a list of rules and what happens to a request that none of them decides about. Its stage refers to it
//! ([`super::stage`]), as does its association with a load balancer ([`super::web_acl_association`]), so a web ACL outlives
//! its uses: a plan takes it from them first. An update replaces everything at once, under a lock token that says which
//! state it was made from.

pub mod check;
pub mod lacking;
pub(super) mod read;
pub mod spec;
pub(super) mod write;

use aws_sdk_wafv2::operation::create_web_acl::CreateWebACLError;
use aws_sdk_wafv2::operation::delete_web_acl::DeleteWebACLError;
use aws_sdk_wafv2::operation::list_resources_for_web_acl::ListResourcesForWebACLError;
use aws_sdk_wafv2::operation::update_web_acl::UpdateWebACLError;
use aws_sdk_wafv2::types::{LoggingConfiguration, ResourceType, Scope as WafScope, WebAcl as LiveAcl};
use futures::future::try_join_all;

use super::wafv2::{self, Named};
use super::{Kind, Scope, stage, web_acl_association};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed, given, retry};
use crate::error::Result;
use crate::model::{Identity, Observed, Outputs, Place};
use crate::permissions::Calls;

pub use spec::WebAclSpec;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct WebAcl;

/// What a regional web ACL can protect, beside stages, and what the SDK does not know yet.
const OTHER_USERS: [ResourceType; 7] = [
    ResourceType::ApplicationLoadBalancer,
    ResourceType::Appsync,
    ResourceType::CognitioUserPool,
    ResourceType::AppRunnerService,
    ResourceType::VerifiedAccessInstance,
    ResourceType::Amplify,
    ResourceType::AgentcoreGateway,
];

/// The web ACL and its lock token; nothing if it is gone.
async fn get(clients: &Clients, named: &Named) -> Result<Option<(LiveAcl, String)>> {
    let call = clients.wafv2.get_web_acl().name(&named.name).id(&named.id).scope(WafScope::Regional);
    match call.send().await {
        Ok(answer) => {
            let acl = given("web ACL where one was asked for", answer.web_acl)?;
            Ok(Some((acl, given("lock token of a web ACL", answer.lock_token)?)))
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("read web ACL `{}`", named.name), error)),
    }
}

/// All web ACLs of the Region.
async fn list(clients: &Clients) -> Result<Vec<Named>> {
    wafv2::all_pages(|limit, marker| async move {
        let call = clients.wafv2.list_web_acls().scope(WafScope::Regional).limit(limit).set_next_marker(marker);
        let answer = call.send().await.map_err(|error| failed("list the web ACLs", error))?;
        let acls = answer.web_acls.unwrap_or_default().into_iter();
        Ok((acls.filter_map(|one| Named::of(one.name, one.id, one.arn)).collect(), answer.next_marker))
    })
    .await
}

/// Where it logs, if it does.
async fn logging_of(clients: &Clients, named: &Named) -> Result<Option<LoggingConfiguration>> {
    match clients.wafv2.get_logging_configuration().resource_arn(&named.arn).send().await {
        Ok(answer) => Ok(answer.logging_configuration),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failed(&format!("read where web ACL `{}` logs", named.name), error)),
    }
}

async fn read(aws: &ReadAws, scope: &Scope, named: &Named) -> Result<Option<Observed<WebAclSpec>>> {
    let (found, logging, all) = futures::try_join!(
        get(&aws.clients, named),
        logging_of(&aws.clients, named),
        wafv2::tags_of(&aws.clients, &named.arn)
    )?;
    let (Some((live, _)), Some(all)) = (found, all) else { return Ok(None) };
    Ok(Some(Observed {
        name: named.name.clone(),
        within: None,
        spec: read::spec(&live, logging.as_ref(), tags::of_user(&all)),
        outputs: named.outputs(),
        ownership: tags::ownership(&all, &scope.owner),
        created: None,
        in_use_by: None,
    }))
}

impl Kind for WebAcl {
    type Spec = WebAclSpec;
    const NAME: &'static str = "web-acl";
    const CALLS: Calls = Calls {
        seeks: &["tag:GetResources"],
        with: &[],
        reads: &[
            "apigateway:GetRestApis",
            "apigateway:GetStages",
            "wafv2:GetLoggingConfiguration",
            "wafv2:GetWebACL",
            "wafv2:ListResourcesForWebACL",
            "wafv2:ListTagsForResource",
            "wafv2:ListWebACLs",
        ],
        writes: &[
            "wafv2:CreateWebACL",
            "wafv2:DeleteLoggingConfiguration",
            "wafv2:DeleteWebACL",
            "wafv2:PutLoggingConfiguration",
            "wafv2:TagResource",
            "wafv2:UntagResource",
            "wafv2:UpdateWebACL",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["name"];

    fn predict(&self, _: &Place, spec: &WebAclSpec) -> Outputs {
        Outputs::from_iter([("name", &spec.name)])
    }

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<WebAclSpec>>> {
        let all = wafv2::candidates(aws, scope, "webacl", list(&aws.clients)).await?;
        let found = try_join_all(all.iter().map(|named| read(aws, scope, named))).await?;
        let asked = |one: &Observed<WebAclSpec>| one.address().is_some() || scope.names().any(|name| name == one.name);
        Ok(found.into_iter().flatten().filter(asked).collect())
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &WebAclSpec) -> Result<Outputs> {
        let named = make(aws, identity, spec).await?;
        if let Some(logging) = &spec.logging {
            log(aws, &named, logging).await?;
        }
        Ok(named.outputs())
    }

    async fn update(&self, aws: &Aws, live: &Observed<WebAclSpec>, spec: &WebAclSpec) -> Result<Outputs> {
        let WebAclSpec {
            name: _, // can't change in place
            // Go in one call: `carried_by_update`.
            description: _,
            default_action: _,
            rules: _,
            response_bodies: _,
            visibility: _,
            foreign_settings: _,
            logging,
            tags: user,
        } = spec;
        if carried_by_update(&live.spec) != carried_by_update(spec) {
            change(aws, live, spec).await?;
        }
        if live.spec.logging != *logging {
            let named = Named::from_outputs(&live.outputs)?;
            match logging {
                Some(logging) => log(aws, &named, logging).await?,
                None => stop_logging(aws, &named).await?,
            }
        }
        self.retag(aws, &live.outputs, &live.spec.tags, user).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<WebAclSpec>) -> Result<()> {
        let named = Named::from_outputs(&live.outputs)?;
        if live.spec.logging.is_some() {
            stop_logging(aws, &named).await?;
        }
        for _ in 0..wafv2::TRIES {
            let Some((_, token)) = get(&aws.write, &named).await? else { return Ok(()) };
            let call = || {
                let call = aws.write.wafv2.delete_web_acl().name(&named.name).id(&named.id);
                call.scope(WafScope::Regional).lock_token(&token).send()
            };
            match retry::until_ready(wafv2::USE_ENDS, &wafv2::STILL_USED, call).await {
                Ok(_) => return Ok(()),
                Err(error) if is_not_found(&error) => return Ok(()),
                Err(error) => {
                    let why = error.as_service_error();
                    if why.is_some_and(DeleteWebACLError::is_waf_optimistic_lock_exception) {
                        continue;
                    }
                    let used = why.is_some_and(DeleteWebACLError::is_waf_associated_item_exception);
                    let failure = failed(&format!("delete web ACL `{}`", live.name), error);
                    return Err(if used { failure.hint(wafv2::IN_USE_HINT) } else { failure });
                }
            }
        }
        Err(wafv2::never_ours(Self::NAME, &live.name))
    }

    /// Everything that the web ACL protects, but for the owner's own stages and the load balancers that it was put before:
    /// it is taken from those, or they go, before it does.
    async fn others_using(&self, aws: &ReadAws, live: &Observed<WebAclSpec>) -> Result<Vec<String>> {
        let arn = live.outputs.required("arn")?;
        let Some(own) = wafv2::tags_of(&aws.clients, arn).await? else { return Ok(Vec::new()) };
        // Where nothing is known of stages, the service does not have the question at all.
        let Some(stages) = protected(aws, arn, ResourceType::ApiGateway).await? else { return Ok(Vec::new()) };
        let users = try_join_all(OTHER_USERS.map(|kind| protected(aws, arn, kind))).await?;
        let mut others = Vec::new();
        for user in stages.into_iter().chain(users.into_iter().flatten().flatten()) {
            let ours = web_acl_association::is_marked(&own, &user)
                || stage::tags_of(aws, &user).await?.is_some_and(|all| wafv2::same_owner(&own, &all));
            if !ours {
                others.push(user);
            }
        }
        Ok(others)
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        wafv2::tag(aws, outputs, tags).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        wafv2::untag(aws, outputs, keys).await
    }
}

/// The part of a spec that an update replaces.
fn carried_by_update(spec: &WebAclSpec) -> WebAclSpec {
    WebAclSpec { logging: None, tags: Tags::new(), ..spec.clone() }
}

/// Makes the web ACL, or finds the one that an earlier try of the same call made.
async fn make(aws: &Aws, identity: &Identity, spec: &WebAclSpec) -> Result<Named> {
    let name = &spec.name;
    let body = write::body(spec)?;
    let all = wafv2::tag_list(tags::at_birth(identity, &spec.tags))?;
    let call = || {
        aws.write
            .wafv2
            .create_web_acl()
            .name(name)
            .scope(WafScope::Regional)
            .set_description(spec.description.clone())
            .default_action(body.default_action.clone())
            .set_rules(Some(body.rules.clone()))
            .set_custom_response_bodies(body.bodies.clone())
            .visibility_config(body.visibility.clone())
            .set_tags(Some(all.clone()))
            .send()
    };
    let error = match retry::until_ready(wafv2::SPREADS, &wafv2::NOT_YET, call).await {
        Ok(answer) => {
            let made = answer.summary.and_then(|one| Named::of(one.name, one.id, one.arn));
            return given("summary of the new web ACL", made);
        }
        Err(error) => error,
    };
    // Two rules of one priority are a duplicate too; then there is no web ACL of the name.
    let twice = error.as_service_error().is_some_and(CreateWebACLError::is_waf_duplicate_item_exception);
    let found = if twice { list(&aws.write).await? } else { Vec::new() };
    let Some(found) = found.into_iter().find(|one| one.name == *name) else {
        return Err(failed(&format!("create web ACL `{name}`"), error));
    };
    let all = wafv2::tags_of(&aws.write, &found.arn).await?.unwrap_or_default();
    super::own_after_conflict(&tags::ownership(&all, &identity.owner), identity, name)?;
    Ok(found)
}

/// Replaces the rules and what goes with them, with the newest lock token, as long as the web ACL still is what the plan
/// was made from. An update whose answer was lost leaves it as wanted, under a token that we do not know.
async fn change(aws: &Aws, live: &Observed<WebAclSpec>, wanted: &WebAclSpec) -> Result<()> {
    let named = Named::from_outputs(&live.outputs)?;
    let body = write::body(wanted)?;
    for _ in 0..wafv2::TRIES {
        let found = get(&aws.write, &named).await?;
        let (now, token) = given("web ACL that was there a moment ago", found)?;
        let now = carried_by_update(&read::spec(&now, None, Tags::new()));
        if now == carried_by_update(wanted) {
            return Ok(());
        }
        if now != carried_by_update(&live.spec) {
            return Err(wafv2::changed_meanwhile(WebAcl::NAME, &live.name));
        }
        let call = || {
            aws.write
                .wafv2
                .update_web_acl()
                .name(&named.name)
                .id(&named.id)
                .scope(WafScope::Regional)
                .set_description(wanted.description.clone())
                .default_action(body.default_action.clone())
                .set_rules(Some(body.rules.clone()))
                .set_custom_response_bodies(body.bodies.clone())
                .visibility_config(body.visibility.clone())
                .lock_token(&token)
                .send()
        };
        match retry::until_ready(wafv2::SPREADS, &wafv2::NOT_YET, call).await {
            Ok(_) => return Ok(()),
            Err(error) if error.as_service_error().is_some_and(UpdateWebACLError::is_waf_optimistic_lock_exception) => {
            }
            Err(error) => return Err(failed(&format!("update web ACL `{}`", live.name), error)),
        }
    }
    Err(wafv2::never_ours(WebAcl::NAME, &live.name))
}

async fn log(aws: &Aws, named: &Named, logging: &spec::Logging) -> Result<()> {
    let configuration = write::logging(&named.arn, logging)?;
    let call = || aws.write.wafv2.put_logging_configuration().logging_configuration(configuration.clone()).send();
    let answer = retry::until_ready(wafv2::SPREADS, &LOGGING_NOT_YET, call).await;
    let hint = if logging.destination.known()?.contains(":firehose:") { STREAM_HINT } else { LOGGING_HINT };
    answer.map(drop).map_err(|error| failed(&format!("let web ACL `{}` log", named.name), error).hint(hint))
}

/// "AWS WAF is not able to access the service linked role. This can be caused by a previous `PutLoggingConfiguration`
/// request, which can lock the service linked role for about 20 seconds" (API reference, the exception's description).
const LOGGING_NOT_YET: [retry::NotYet; 2] = [wafv2::NOT_YET[0], ("WAFServiceLinkedRoleErrorException", "")];

/// What a caller needs where logs go to a delivery stream (developer guide, "Logging AWS WAF traffic", the page on
/// Firehose).
const STREAM_HINT: &str = "AWS WAF writes into the delivery stream by a service-linked role that it makes with the \
                           caller's own permissions: iam:CreateServiceLinkedRole and firehose:ListDeliveryStreams";

/// What a caller needs, and what a log group of an account can lack (developer guide, "Logging AWS WAF traffic", the page
/// on `CloudWatch` Logs).
const LOGGING_HINT: &str = "AWS WAF writes into the log group by a resource policy that it adds with the caller's own \
                            permissions: logs:CreateLogDelivery, logs:PutResourcePolicy, logs:DescribeResourcePolicies \
                            and logs:DescribeLogGroups";

async fn stop_logging(aws: &Aws, named: &Named) -> Result<()> {
    match aws.write.wafv2.delete_logging_configuration().resource_arn(&named.arn).send().await {
        Err(error) if !is_not_found(&error) => {
            Err(failed(&format!("stop the logging of web ACL `{}`", named.name), error))
        }
        _ => Ok(()),
    }
}

/// The resources of one type that a web ACL protects. Where a Region does not know the type, there are none. Nothing for
/// an answer without an error code, which AWS does not give and an emulator without the operation does: then AWS WAF
/// itself has the last word, which deletes no web ACL that is in use.
async fn protected(aws: &ReadAws, acl: &str, kind: ResourceType) -> Result<Option<Vec<String>>> {
    let call = aws.clients.wafv2.list_resources_for_web_acl().web_acl_arn(acl).resource_type(kind);
    let error = match call.send().await {
        Ok(answer) => return Ok(Some(answer.resource_arns.unwrap_or_default())),
        Err(error) => error,
    };
    let why = error.as_service_error();
    if is_not_found(&error) || why.is_some_and(ListResourcesForWebACLError::is_waf_invalid_parameter_exception) {
        return Ok(Some(Vec::new()));
    }
    if why.is_some_and(|why| why.meta().code().is_none()) {
        tracing::warn!("{}", failed(&format!("ask what {acl} protects"), error));
        return Ok(None);
    }
    Err(failed(&format!("ask what {acl} protects"), error))
}

#[cfg(test)]
mod tests;
