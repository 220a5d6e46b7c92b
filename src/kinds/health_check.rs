//! `health-check`: a health check of Route 53 that watches an endpoint from several places of the world.
//!
//! Health checks are global: every Region of an environment sees those of the others. Those whose address begins with another
//! Region are left to that Region ([`crate::aws::tags::is_elsewhere`]).
//!
//! They have ids that Route 53 draws, and a `Name` only in their tags. One that can't be changed in place is made anew, records are
//! moved to it, and only then the old one goes.

use aws_sdk_route53::operation::update_health_check::builders::UpdateHealthCheckFluentBuilder;
use aws_sdk_route53::types::{
    HealthCheck as Live, HealthCheckConfig, HealthCheckType, ResettableElementName, TagResourceType,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::route53::{REFERENCES, change_tags, concerns, ownership, read_tags, reference, stem};
use super::{Kind, Scope};
use crate::aws::failure::is_not_found;
use crate::aws::tags::{self, Tags};
use crate::aws::{Aws, Clients, ReadAws, failed, given};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Digest, Identity, Input, Observed, Outputs, Ownership, Place};
use crate::permissions::Calls;

/// The kind.
#[derive(Debug, Clone, Copy)]
pub struct HealthCheck;

/// What gwctl decides about a health check of an endpoint. It is checked from all of Route 53's Regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCheckSpec {
    /// What the console shows: the tag `Name`.
    pub name: String,
    /// How the endpoint is asked. Can't be changed.
    pub check: CheckType,
    /// The host name to ask, and to send as `Host`. It must not be the name of the records that the check is for: what it says
    /// would be unpredictable (API reference, `HealthCheckConfig`). Wanted unless there is an `ip_address`.
    pub host: Option<Input>,
    /// The public address to ask, if not what DNS says. Route 53 can't add or remove it later; any change makes a new check.
    pub ip_address: Option<String>,
    /// The port.
    pub port: u16,
    /// The path with its query: `/health`. A TCP check has none.
    pub path: Option<String>,
    /// Seconds between two requests of one checker: 10 or 30. Can't be changed.
    pub interval_seconds: u8,
    /// So many checks in a row turn the endpoint healthy or unhealthy: 1 to 10.
    pub failure_threshold: u8,
    /// Whether the host is sent in the TLS handshake. API Gateway and most others need it. For HTTPS only.
    pub sni: bool,
    /// What the first 5,120 bytes of the answer must hold; for the `…_STR_MATCH` types, which need it.
    pub search: Option<String>,
    /// Whether the console shows graphs of the latency. Can't be changed.
    pub measure_latency: bool,
    /// The user's tags, without `Name`.
    pub tags: Tags,
}

/// How an endpoint is asked: Route 53's types of health checks that watch an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum CheckType {
    /// A status from 200 to 399 by HTTPS. Certificates are not verified.
    #[serde(rename = "HTTPS")]
    Https,
    /// The same, and a text in the answer.
    #[serde(rename = "HTTPS_STR_MATCH")]
    HttpsMatch,
    /// A status from 200 to 399 by HTTP.
    #[serde(rename = "HTTP")]
    Http,
    /// The same, and a text in the answer.
    #[serde(rename = "HTTP_STR_MATCH")]
    HttpMatch,
    /// A connection.
    #[serde(rename = "TCP")]
    Tcp,
}

impl CheckType {
    fn to_aws(self) -> HealthCheckType {
        match self {
            Self::Https => HealthCheckType::Https,
            Self::HttpsMatch => HealthCheckType::HttpsStrMatch,
            Self::Http => HealthCheckType::Http,
            Self::HttpMatch => HealthCheckType::HttpStrMatch,
            Self::Tcp => HealthCheckType::Tcp,
        }
    }

    /// Types that gwctl makes none of are nothing.
    fn of_aws(kind: &HealthCheckType) -> Option<Self> {
        [Self::Https, Self::HttpsMatch, Self::Http, Self::HttpMatch, Self::Tcp]
            .into_iter()
            .find(|one| one.to_aws() == *kind)
    }
}

/// The name of the tag that the console shows.
const NAME_TAG: &str = "Name";

const TAGGED: TagResourceType = TagResourceType::Healthcheck;

impl HealthCheckSpec {
    /// A check of a path by HTTPS with what AWS takes unless told otherwise: port 443, every 30 seconds, three failures, SNI.
    #[must_use]
    pub fn https(name: &str, host: Input, path: &str) -> Self {
        Self {
            name: name.to_owned(),
            check: CheckType::Https,
            host: Some(host),
            ip_address: None,
            port: 443,
            path: Some(path.to_owned()),
            interval_seconds: 30,
            failure_threshold: 3,
            sni: true,
            search: None,
            measure_latency: false,
            tags: Tags::new(),
        }
    }

    /// Refuses what Route 53 would refuse (API reference, `HealthCheckConfig`), without asking it.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub fn check(&self) -> Result<()> {
        let secure = matches!(self.check, CheckType::Https | CheckType::HttpsMatch);
        let matches = matches!(self.check, CheckType::HttpsMatch | CheckType::HttpMatch);
        let problem = if self.host.is_none() && self.ip_address.is_none() {
            "it has neither a host nor an address"
        } else if matches != self.search.is_some() {
            "a text to search for goes with the types whose names end in _STR_MATCH, and these need one"
        } else if self.check == CheckType::Tcp && self.path.is_some() {
            "a TCP check has no path"
        } else if self.sni && !secure {
            "only HTTPS has SNI"
        } else if ![10, 30].contains(&self.interval_seconds) {
            "the interval is 10 or 30 seconds"
        } else if !(1..=10).contains(&self.failure_threshold) {
            "the threshold is 1 to 10"
        } else {
            return Ok(());
        };
        let message = format!("health check `{}` can't be made: {problem}", self.name);
        Err(Failure::new(FailureKind::Configuration, message))
    }

    /// The digest of what can't change.
    fn immutable(&self) -> Digest {
        let Self { check, interval_seconds, measure_latency, ip_address, .. } = self;
        Digest::of(&json!([check, interval_seconds, measure_latency, ip_address]))
    }

    fn config(&self) -> Result<HealthCheckConfig> {
        let Self { name: _, check, host, ip_address, port, path, interval_seconds, failure_threshold, .. } = self;
        let Self { sni, search, measure_latency, tags: _, .. } = self;
        let host = host.as_ref().map(Input::known).transpose()?;
        HealthCheckConfig::builder()
            .r#type(check.to_aws())
            .set_fully_qualified_domain_name(host.map(str::to_owned))
            .set_ip_address(ip_address.clone())
            .port((*port).into())
            .set_resource_path(path.clone())
            .request_interval((*interval_seconds).into())
            .failure_threshold((*failure_threshold).into())
            .enable_sni(*sni)
            .set_search_string(search.clone())
            .measure_latency(*measure_latency)
            .build()
            .map_err(|error| Failure::internal("a health check is incomplete").because(&error))
    }

    fn all_tags(&self, user: Tags) -> Tags {
        let mut all = user;
        all.insert(NAME_TAG.to_owned(), self.name.clone());
        all
    }
}

fn outputs(place: &Place, id: &str) -> Outputs {
    let arn = format!("arn:{}:route53:::healthcheck/{id}", place.partition);
    Outputs::from_iter([("id", id.to_owned()), ("arn", arn)])
}

/// All health checks of the account.
async fn list(clients: &Clients) -> Result<Vec<Live>> {
    let pages = clients.route53.list_health_checks().into_paginator().items().send();
    pages.try_collect().await.map_err(|error| failed("list the health checks", error))
}

/// One of ours: it is of a type that gwctl makes, and AWS writes its interval.
fn spec(live: &Live, all: &Tags) -> Result<HealthCheckSpec> {
    let of = |what: &str| format!("{what} of health check {}", live.id());
    let config = given(&of("configuration"), live.health_check_config())?;
    let small = |number: Option<i32>, usual: u8| number.and_then(|number| u8::try_from(number).ok()).unwrap_or(usual);
    let mut user = tags::of_user(all);
    Ok(HealthCheckSpec {
        name: user.remove(NAME_TAG).unwrap_or_default(),
        check: given(&of("type"), CheckType::of_aws(config.r#type()))?,
        host: config.fully_qualified_domain_name().filter(|host| !host.is_empty()).map(Input::from),
        ip_address: config.ip_address().filter(|ip| !ip.is_empty()).map(str::to_owned),
        port: config.port().and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
        path: config.resource_path().filter(|path| !path.is_empty()).map(str::to_owned),
        interval_seconds: small(Some(given(&of("interval"), config.request_interval())?), 30),
        failure_threshold: small(config.failure_threshold(), 3),
        sni: config.enable_sni().unwrap_or_default(),
        search: config.search_string().filter(|text| !text.is_empty()).map(str::to_owned),
        measure_latency: config.measure_latency().unwrap_or_default(),
        tags: user,
    })
}

impl Kind for HealthCheck {
    type Spec = HealthCheckSpec;
    const NAME: &'static str = "health-check";
    const CALLS: Calls = Calls {
        seeks: &["apigateway:GetDomainNames", "apigatewayv2:GetApis"],
        with: &["domain-name", "http-api"],
        reads: &["route53:ListHealthChecks", "route53:ListTagsForResource", "route53:ListTagsForResources"],
        writes: &[
            "route53:ChangeTagsForResource",
            "route53:CreateHealthCheck",
            "route53:DeleteHealthCheck",
            "route53:UpdateHealthCheck",
        ],
    };
    const REPLACE_ON: &'static [&'static str] = &["check", "ip_address", "interval_seconds", "measure_latency"];
    const NAMES_ARE_UNIQUE: bool = false;

    async fn observe(&self, aws: &ReadAws, scope: &Scope) -> Result<Vec<Observed<HealthCheckSpec>>> {
        if !concerns(aws, scope).await? {
            return Ok(Vec::new());
        }
        let all = list(&aws.clients).await?;
        let ids: Vec<String> = all.iter().map(|live| live.id().to_owned()).collect();
        let tagged = read_tags(&aws.clients.route53, &TAGGED, &ids).await?;
        let mut found = Vec::new();
        for live in &all {
            let Some(all) = tagged.get(live.id()) else { continue };
            let ownership = ownership(all, live.caller_reference(), scope);
            // Others' are in nobody's way: health checks have no names.
            if !matches!(ownership, Ownership::Ours { .. }) || tags::is_elsewhere(all, &aws.place) {
                continue;
            }
            let spec = spec(live, all)?;
            found.push(Observed {
                name: spec.name.clone(),
                within: None,
                spec,
                outputs: outputs(&aws.place, live.id()),
                ownership,
                created: None,
                in_use_by: None,
            });
        }
        Ok(found)
    }

    async fn create(&self, aws: &Aws, identity: &Identity, spec: &HealthCheckSpec) -> Result<Outputs> {
        spec.check()?;
        let (config, stem) = (spec.config()?, stem(&identity.owner, &identity.address));
        for n in 0..REFERENCES {
            let reference = reference(&stem, &spec.immutable(), n);
            let call = aws.write.route53.create_health_check().caller_reference(&reference);
            let id = match call.health_check_config(config.clone()).send().await {
                Ok(answer) => given("new health check", answer.health_check)?.id,
                Err(error) if error.code() == Some("HealthCheckAlreadyExists") => {
                    // An earlier try of this create made one for what was wanted then; or one was made and deleted.
                    let found = list(&aws.write).await?.into_iter().find(|one| one.caller_reference() == reference);
                    let Some(found) = found else { continue };
                    update(aws, found.id(), spec).await?;
                    found.id
                }
                Err(error) => return Err(failed(&format!("create health check `{}`", spec.name), error)),
            };
            let all = spec.all_tags(tags::at_birth(identity, &spec.tags));
            change_tags(&aws.write.route53, &TAGGED, &id, all, &[]).await?;
            return Ok(outputs(&aws.place, &id));
        }
        let message =
            format!("failed to create health check `{}`: Route 53 takes none of {REFERENCES} references", spec.name);
        Err(Failure::new(FailureKind::Aws, message)
            .cause("it takes no reference again for days after what it stood for was deleted")
            .hint("wait for some days, or give the resource another name in the configuration"))
    }

    async fn update(&self, aws: &Aws, live: &Observed<HealthCheckSpec>, spec: &HealthCheckSpec) -> Result<Outputs> {
        spec.check()?;
        let id = live.outputs.required("id")?;
        let same = HealthCheckSpec { name: spec.name.clone(), tags: spec.tags.clone(), ..live.spec.clone() };
        if same != *spec {
            update(aws, id, spec).await?;
        }
        let (before, after) = (live.spec.all_tags(live.spec.tags.clone()), spec.all_tags(spec.tags.clone()));
        self.retag(aws, &live.outputs, &before, &after).await?;
        Ok(live.outputs.clone())
    }

    async fn delete(&self, aws: &Aws, live: &Observed<HealthCheckSpec>) -> Result<()> {
        let id = live.outputs.required("id")?;
        match aws.write.route53.delete_health_check().health_check_id(id).send().await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete health check `{}`", live.name), error)),
            _ => Ok(()),
        }
    }

    async fn tag(&self, aws: &Aws, outputs: &Outputs, tags: Tags) -> Result<()> {
        change_tags(&aws.write.route53, &TAGGED, outputs.required("id")?, tags, &[]).await
    }

    async fn untag(&self, aws: &Aws, outputs: &Outputs, keys: Vec<String>) -> Result<()> {
        change_tags(&aws.write.route53, &TAGGED, outputs.required("id")?, Tags::new(), &keys).await
    }
}

/// Sets everything that can change.
async fn update(aws: &Aws, id: &str, spec: &HealthCheckSpec) -> Result<()> {
    let HealthCheckSpec {
        name,
        check: _,      // the plan replaces the check for another type,
        ip_address: _, // address,
        interval_seconds: _,
        measure_latency: _,
        host,
        port,
        path,
        failure_threshold,
        sni,
        search,
        tags: _, // have calls of their own
    } = spec;
    let mut call: UpdateHealthCheckFluentBuilder = aws.write.route53.update_health_check().health_check_id(id);
    call = call.port((*port).into()).failure_threshold((*failure_threshold).into()).enable_sni(*sni);
    call = call.set_search_string(search.clone());
    call = match host {
        Some(host) => call.fully_qualified_domain_name(host.known()?),
        None => call.reset_elements(ResettableElementName::FullyQualifiedDomainName),
    };
    call = match path {
        Some(path) => call.resource_path(path),
        None => call.reset_elements(ResettableElementName::ResourcePath),
    };
    call.send().await.map_err(|error| failed(&format!("update health check `{name}`"), error)).map(drop)
}
