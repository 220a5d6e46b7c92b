//! AWS as the kinds see it: sessions that read, sessions that write, and what every call to AWS has in common.
//!
//! [`ReadAws`] and [`Aws`] are different types. The clients of a [`ReadAws`] refuse a call that is not a read before it
//! leaves the process ([`guard`]), so that a plan can't change anything, whatever a kind's code says.

pub mod answers;
pub mod calls;
pub mod certificates;
pub mod checkup;
pub mod credentials;
pub mod ec2;
mod endpoint;
mod existing;
pub mod failure;
pub mod guard;
pub mod health;
pub mod http_apis;
mod lists;
pub mod load_balancers;
pub mod lock;
pub mod log_events;
pub mod log_lines;
pub mod lookup;
pub mod notice;
pub mod pace;
mod quota;
pub mod retry;
pub mod stage_state;
pub mod supposed;
pub mod tags;
pub mod trail;
pub mod wait;
pub mod zones;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_apigateway::types::{DomainName, RestApi, Stage};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::AliasConfiguration;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use futures::future::try_join_all;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};

use crate::error::{Failure, FailureKind, Result};
use crate::model::{Address, Found, Lookup, Owner, Ownership, Place};
use crate::rates::Allowance;

pub use calls::Notebook;
pub use checkup::LinkState;
pub use credentials::{AskCode, MfaSessions, Role};
pub use failure::{failed, given};
pub use lists::Lists;
pub use pace::Pace;

use answers::Sound;
use calls::Declared;
use credentials::{MfaProfile, Source};
use lists::PlaceLists;
use pace::{Paced, Session};

/// How to reach AWS.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The Region to work in.
    pub region: String,
    /// The profile of the AWS configuration files to use.
    pub profile: Option<String>,
    /// A role to assume with the profile's credentials.
    pub role: Option<String>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// The name of the role's session.
    pub session_name: Option<String>,
    /// The MFA device whose code the role's trust policy asks for.
    pub mfa_serial: Option<String>,
    /// The sessions that were opened with a code of such a device, shared by all connections.
    pub mfa_sessions: MfaSessions,
    /// Whose turn it is where calls keep to AWS's rates, shared by all connections.
    pub pace: Pace,
    /// Where the calls of kinds are noted down.
    pub notebook: Option<Notebook>,
    /// What may be used of those rates.
    pub allowance: Allowance,
    /// Whether they hold from the first call on wherever it leads. Else that is so at AWS itself, and elsewhere once a call is
    /// refused.
    pub keep_rates: bool,
    /// Another endpoint for every service. `AWS_ENDPOINT_URL` and its kin work without it.
    pub endpoint_url: Option<String>,
    /// Another transport and its credentials: the sandbox in the process.
    pub transport: Option<(SharedHttpClient, aws_credential_types::Credentials)>,
}

/// Attempts per call, with pauses that double up to [`LONGEST_WAIT`]: a host that refuses connections is given up within half a
/// minute. Refusals for the rate do not count ([`pace`]).
const ATTEMPTS: u32 = 6;

/// How long an answer may take to begin. The SDK would wait for ever; the longest call here uploads a zip of at most 50 MB.
/// That a transfer stands still in its midst is noticed by the SDK. It is no limit on the attempt as a whole, in which a call
/// may wait for its turn ([`pace`]).
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What every session asks for its own sake: whose it is, and what role the Region's logs are written with.
pub const SESSION_CALLS: &[&str] = &["apigateway:GetAccount", "sts:GetCallerIdentity"];

/// What AWS says of credentials that it does not know, and of those of another partition, which are the same to it.
const UNKNOWN_CREDENTIALS: [&str; 2] = ["InvalidClientTokenId", "UnrecognizedClientException"];

impl Connection {
    /// Loads credentials and settings as every AWS tool does, and opens the two sessions.
    pub async fn open(&self, place: &Place) -> Result<Aws> {
        // The SDK's loaders make futures of many kilobytes, which every caller's would hold.
        Box::pin(self.establish(place)).await
    }

    async fn establish(&self, place: &Place) -> Result<Aws> {
        let mut loader = self.loader(self.profile.as_deref())?;
        if let Some((client, credentials)) = &self.transport {
            loader = loader.http_client(client.clone()).credentials_provider(credentials.clone());
        }
        let mut config = loader.load().await;
        if self.transport.is_none() {
            config = self.become_role(config).await?;
        }
        let elsewhere = self.transport.is_some() || endpoint::is_elsewhere(&config);
        let session = Session {
            pace: &self.pace,
            order: self.pace.enter(),
            place,
            ahead: self.keep_rates || !elsewhere,
            allowance: &self.allowance,
        };
        let paced = |service| Paced::new(&session, service);
        Ok(Aws {
            read: ReadAws::new(Clients::new(&config, self, &paced, true), place, self),
            write: Clients::new(&config, self, &paced, false),
            pace: self.pace.clone(),
            place: place.clone(),
            elsewhere,
            tolerant: false,
            notes: std::sync::Mutex::default(),
        })
    }

    fn loader(&self, profile: Option<&str>) -> Result<aws_config::ConfigLoader> {
        let retry = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(LONGEST_WAIT);
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(ANSWER_TIMEOUT).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .retry_config(retry)
            .timeout_config(timeouts)
            .app_name(app_name()?);
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        Ok(loader)
    }

    /// The roles on the way to the account: that of a profile which the SDK can't assume, then the target's.
    async fn become_role(&self, mut config: SdkConfig) -> Result<SdkConfig> {
        let profile = self.profile.as_deref();
        if let Some(MfaProfile { role, source }) = credentials::mfa_profile(profile).await? {
            let provider = match &source {
                Source::Profile(name) => self.loader(Some(name))?.load().await.credentials_provider(),
                Source::Keys(keys) => Some(SharedCredentialsProvider::new(keys.clone())),
            };
            config = config.into_builder().credentials_provider(given("credentials provider", provider)?).build();
            config = credentials::assume(config, &role, profile, &self.mfa_sessions).await?;
        }
        let Some(arn) = self.role.clone() else { return Ok(config) };
        let role = Role {
            arn,
            session_name: self.session_name.clone(),
            external_id: self.external_id.clone(),
            mfa_serial: self.mfa_serial.clone(),
            seconds: None,
        };
        credentials::assume(config, &role, profile, &self.mfa_sessions).await
    }
}

fn app_name() -> Result<aws_config::AppName> {
    aws_config::AppName::new(concat!("gwctl-", env!("CARGO_PKG_VERSION")))
        .map_err(|error| Failure::internal("gwctl's own name is no application name").because(&error))
}

/// One client per service.
#[derive(Debug, Clone)]
pub struct Clients {
    /// API Gateway, REST APIs.
    pub apigateway: aws_sdk_apigateway::Client,
    /// API Gateway, HTTP APIs.
    pub apigatewayv2: aws_sdk_apigatewayv2::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Resource Groups Tagging.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// Security Token Service.
    pub sts: aws_sdk_sts::Client,
    /// AWS WAF.
    pub wafv2: aws_sdk_wafv2::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Certificate Manager.
    pub acm: aws_sdk_acm::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// Load balancers.
    pub elbv2: aws_sdk_elasticloadbalancingv2::Client,
    /// EC2: security groups and what stands around them.
    pub ec2: ec2::Client,
    /// Data Firehose.
    pub firehose: aws_sdk_firehose::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// CloudTrail.
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    /// Simple Notification Service.
    pub sns: aws_sdk_sns::Client,
    /// Service Quotas.
    pub quotas: aws_sdk_servicequotas::Client,
}

impl Clients {
    fn new(
        config: &SdkConfig,
        connection: &Connection,
        paced: &dyn Fn(&'static str) -> Paced,
        read_only: bool,
    ) -> Self {
        let declared = Declared(connection.notebook.clone());
        macro_rules! client {
            ($service:ident, $signs:literal) => {{
                let paced = paced($signs);
                let mut builder = $service::config::Builder::from(config)
                    .interceptor(paced.clone())
                    .interceptor(declared.clone())
                    .interceptor(Sound::default())
                    .retry_classifier(Paced::refusals())
                    .retry_partition(paced.partition())
                    .auth_scheme_resolver(paced);
                if read_only {
                    builder = builder.interceptor(guard::ReadOnly);
                }
                $service::Client::from_conf(builder.build())
            }};
        }
        Self {
            apigateway: client!(aws_sdk_apigateway, "apigateway"),
            lambda: client!(aws_sdk_lambda, "lambda"),
            apigatewayv2: client!(aws_sdk_apigatewayv2, "apigateway"),
            iam: client!(aws_sdk_iam, "iam"),
            logs: client!(aws_sdk_cloudwatchlogs, "logs"),
            tagging: client!(aws_sdk_resourcegroupstagging, "tagging"),
            sts: client!(aws_sdk_sts, "sts"),
            wafv2: client!(aws_sdk_wafv2, "wafv2"),
            cloudwatch: client!(aws_sdk_cloudwatch, "monitoring"),
            acm: client!(aws_sdk_acm, "acm"),
            route53: client!(aws_sdk_route53, "route53"),
            elbv2: client!(aws_sdk_elasticloadbalancingv2, "elasticloadbalancing"),
            ec2: ec2::Client::new(config, read_only, declared.clone()),
            firehose: client!(aws_sdk_firehose, "firehose"),
            s3: s3(config, read_only, declared.clone()),
            cloudtrail: client!(aws_sdk_cloudtrail, "cloudtrail"),
            sns: client!(aws_sdk_sns, "sns"),
            quotas: client!(aws_sdk_servicequotas, "servicequotas"),
        }
    }
}

/// S3 takes the name of a bucket into the host, `logs.s3.eu-central-1.amazonaws.com`. Of another endpoint it would make
/// `logs.localhost` or `logs.minio.example`, which no DNS may know: there, the name goes into the path.
fn s3(config: &SdkConfig, read_only: bool, declared: Declared) -> aws_sdk_s3::Client {
    let elsewhere = endpoint::of(config, "S3").is_some();
    let builder = aws_sdk_s3::config::Builder::from(config).force_path_style(elsewhere);
    let mut builder = builder.interceptor(declared).interceptor(Sound::default());
    if read_only {
        builder = builder.interceptor(guard::ReadOnly);
    }
    aws_sdk_s3::Client::from_conf(builder.build())
}

/// A resource that the tagging service knows, by ARN, with its tags.
pub type TaggedArns = BTreeMap<String, BTreeMap<String, String>>;

/// A session that can only read. Lists that several kinds want are read once.
#[derive(Debug)]
pub struct ReadAws {
    /// Clients that refuse to write.
    pub clients: Clients,
    /// The account and Region it reads.
    pub place: Place,
    /// The profile its credentials are to come from, for messages.
    profile: Option<String>,
    lists: Arc<PlaceLists>,
    tagged: OnceCell<Arc<TaggedArns>>,
    stages: Mutex<BTreeMap<String, Shared<Stage>>>,
    functions: Mutex<BTreeMap<String, SharedFunction>>,
    aliases: Mutex<BTreeMap<String, Shared<AliasConfiguration>>>,
    load_balancers: Mutex<BTreeMap<String, Arc<OnceCell<Arc<LoadBalancer>>>>>,
    notes: std::sync::Mutex<Vec<String>>,
}

/// A function, or that there is none, read once.
type SharedFunction = Arc<OnceCell<Arc<Option<GetFunctionOutput>>>>;

/// A list that is read once, however many ask for it at the same time.
type Shared<T> = Arc<OnceCell<Arc<Vec<T>>>>;

impl ReadAws {
    fn new(clients: Clients, place: &Place, connection: &Connection) -> Self {
        Self {
            clients,
            place: place.clone(),
            profile: connection.profile.clone(),
            lists: Arc::default(),
            tagged: OnceCell::new(),
            stages: Mutex::default(),
            functions: Mutex::default(),
            aliases: Mutex::default(),
            load_balancers: Mutex::default(),
            notes: std::sync::Mutex::default(),
        }
    }

    /// The same session with nothing remembered: what is read next is read from AWS.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self {
            clients: self.clients.clone(),
            place: self.place.clone(),
            profile: self.profile.clone(),
            lists: Arc::default(),
            tagged: OnceCell::new(),
            stages: Mutex::default(),
            functions: Mutex::default(),
            aliases: Mutex::default(),
            load_balancers: Mutex::default(),
            notes: std::sync::Mutex::default(),
        }
    }

    /// The same, with the lists that all sessions of an account and Region share: for those who look at many environments at one
    /// time.
    #[must_use]
    pub fn anew_beside(&self, lists: &Lists) -> Self {
        Self { lists: lists.of(&self.place), ..self.anew() }
    }

    /// All REST APIs of the account and Region, read once.
    pub async fn rest_apis(&self) -> Result<Arc<Vec<RestApi>>> {
        self.lists
            .rest_apis
            .get_or_try_init(|| async {
                let pages = self.clients.apigateway.get_rest_apis().limit(500).into_paginator().items().send();
                let apis = pages.try_collect().await.map_err(|error| failed("list the REST APIs", error))?;
                Ok(Arc::new(apis))
            })
            .await
            .cloned()
    }

    /// Looks up what a configuration names, side by side.
    pub async fn find(&self, lookups: &[Lookup]) -> Result<Found> {
        let answers = lookups
            .iter()
            .map(|lookup| async move { Ok::<_, Failure>((lookup.clone(), self.find_one(lookup).await?)) });
        Ok(try_join_all(answers).await?.into_iter().collect())
    }

    /// The calls that a lookup makes. Names of what there is are listed where a wanted one is not there.
    #[must_use]
    pub const fn calls_of(wanted: &Lookup) -> &'static [&'static str] {
        match wanted {
            Lookup::SystemGateway { .. } => &["apigateway:GetRestApis", "apigateway:GetStages"],
            Lookup::VpcLink { .. } => &["apigateway:GetVpcLinks"],
            Lookup::LoadBalancer { .. } | Lookup::AnyLoadBalancer { .. } => {
                &["elasticloadbalancing:DescribeLoadBalancers"]
            }
            Lookup::LoadBalancerPart { .. } => {
                &["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers"]
            }
            Lookup::Certificate { .. } => certificates::CALLS,
            Lookup::HostedZone { .. } => zones::CALLS,
        }
    }

    async fn find_one(&self, wanted: &Lookup) -> Result<Vec<String>> {
        if let Lookup::LoadBalancerPart { load_balancer, part } = wanted {
            return load_balancers::part(self, load_balancer, *part).await;
        }
        let one = match wanted {
            Lookup::SystemGateway { product, environment } => self.system_gateway(product, environment).await,
            Lookup::VpcLink { name } => lookup::vpc_link(self, name).await,
            Lookup::LoadBalancer { name } => lookup::network_load_balancer(self, name).await,
            Lookup::Certificate { domain } => certificates::certificate_for(self, domain).await,
            Lookup::HostedZone { domain } => zones::zone_for(self, domain).await.map(|zone| zone.id),
            Lookup::AnyLoadBalancer { name } => load_balancers::arn(self, name).await,
            Lookup::LoadBalancerPart { .. } => Err(Failure::internal("a part of a load balancer has several answers")),
        };
        one.map(|one| vec![one])
    }

    /// Where the system gateway of another product answers.
    async fn system_gateway(&self, product: &str, environment: &str) -> Result<String> {
        let owner = Owner { product: product.to_owned(), environment: environment.to_owned() };
        let address = Address::new("system", "rest-api", "gateway");
        let none = || {
            let message = format!("{owner} has no system gateway in {} {}", self.place.account, self.place.region);
            Failure::new(FailureKind::Configuration, message)
                .hint(format!("apply it first: gwctl apply --product {product} --env {environment}"))
        };
        let is_it = |api: &&RestApi| {
            let all = api.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
            matches!(tags::ownership(&all, &owner), Ownership::Ours { address: of, .. } if of == address)
        };
        let apis = self.rest_apis().await?;
        let id = given("id of a REST API", apis.iter().find(is_it).ok_or_else(none)?.id())?;
        let stages = self.stages(id).await?;
        // An apply that died before the stage: the gateway is not there yet either.
        let stage = given("name of a stage", stages.first().ok_or_else(none)?.stage_name())?;
        Ok(format!("{id}.execute-api.{}.{}/{stage}", self.place.region, self.place.dns_suffix()))
    }

    /// All custom domain names of the account and Region, read once.
    pub async fn domain_names(&self) -> Result<Arc<Vec<DomainName>>> {
        self.lists
            .domain_names
            .get_or_try_init(|| async {
                let pages = self.clients.apigateway.get_domain_names().limit(500).into_paginator().items().send();
                let names = pages.try_collect().await.map_err(|error| failed("list the custom domain names", error))?;
                Ok(Arc::new(names))
            })
            .await
            .cloned()
    }

    /// Keeps something that the reader of a plan should know, though reading went on.
    pub(crate) fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// What could not be read, and was done without.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stages of an API, read once.
    pub async fn stages(&self, api: &str) -> Result<Arc<Vec<Stage>>> {
        let cell = self.stages.lock().await.entry(api.to_owned()).or_default().clone();
        cell.get_or_try_init(|| async {
            let answer = self.clients.apigateway.get_stages().rest_api_id(api).send().await;
            let answer = answer.map_err(|error| failed(&format!("read the stages of API {api}"), error))?;
            Ok(Arc::new(answer.item.unwrap_or_default()))
        })
        .await
        .cloned()
    }

    /// A function with its tags, if there is one of that name, read once.
    pub async fn function(&self, name: &str) -> Result<Arc<Option<GetFunctionOutput>>> {
        let cell = self.functions.lock().await.entry(name.to_owned()).or_default().clone();
        cell.get_or_try_init(|| async {
            match self.clients.lambda.get_function().function_name(name).send().await {
                Ok(answer) => Ok(Arc::new(Some(answer))),
                Err(error) if failure::is_not_found(&error) => Ok(Arc::new(None)),
                Err(error) => Err(failed(&format!("read function `{name}`"), error)),
            }
        })
        .await
        .cloned()
    }

    /// The aliases of a function, read once; none if there is no such function.
    pub async fn function_aliases(&self, name: &str) -> Result<Arc<Vec<AliasConfiguration>>> {
        let cell = self.aliases.lock().await.entry(name.to_owned()).or_default().clone();
        cell.get_or_try_init(|| async {
            let pages = self.clients.lambda.list_aliases().function_name(name).into_paginator().items().send();
            match pages.try_collect().await {
                Ok(aliases) => Ok(Arc::new(aliases)),
                Err(error) if failure::is_not_found(&error) => Ok(Arc::default()),
                Err(error) => Err(failed(&format!("list the aliases of function `{name}`"), error)),
            }
        })
        .await
        .cloned()
    }

    /// What the tagging service knows of an owner's resources, read once. It lags, and it does not know every kind: a hit
    /// is a place to look, and absence proves nothing (aws-facts A).
    pub async fn tagged(&self, owner: &Owner) -> Arc<TaggedArns> {
        self.tagged
            .get_or_init(|| async {
                match self.read_tagged(owner).await {
                    Ok(found) => Arc::new(found),
                    Err(failure) => {
                        self.note(failure.to_string());
                        Arc::default()
                    }
                }
            })
            .await
            .clone()
    }

    async fn read_tagged(&self, owner: &Owner) -> Result<TaggedArns> {
        use aws_sdk_resourcegroupstagging::types::TagFilter;
        let filter = |key: &str, value: &str| TagFilter::builder().key(key).values(value).build();
        let mut found = TaggedArns::new();
        let mut pages = self
            .clients
            .tagging
            .get_resources()
            .tag_filters(filter(tags::PRODUCT, &owner.product))
            .tag_filters(filter(tags::ENVIRONMENT, &owner.environment))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.try_next().await.map_err(|error| failed("list tagged resources", error))? {
            let Some(arn) = item.resource_arn else { continue };
            let tags = item.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
            found.insert(arn, tags);
        }
        Ok(found)
    }

    /// The role that API Gateway writes its logs with in this account and Region: `Some(None)` if there is none, `None` if
    /// we may not ask.
    pub async fn logging_role(&self) -> Option<Option<String>> {
        let role = self.lists.logging_role.get_or_try_init(|| async {
            match self.clients.apigateway.get_account().send().await {
                Ok(account) => Ok(account.cloudwatch_role_arn.filter(|arn| !arn.is_empty())),
                Err(error) => Err(failed("read API Gateway's account settings", error)),
            }
        });
        match role.await {
            Ok(role) => Some(role.clone()),
            Err(failure) => {
                tracing::warn!("{failure}");
                None
            }
        }
    }

    /// AWS's name for whoever the session acts as: an ARN.
    pub async fn caller(&self) -> Result<String> {
        let identity = self.clients.sts.get_caller_identity().send().await;
        let identity = identity.map_err(|error| failed("ask AWS whose credentials these are", error))?;
        given("ARN of the caller", identity.arn)
    }

    /// Checks that the credentials are the account's that the configuration names.
    pub async fn check_account(&self) -> Result<()> {
        let identity = self.clients.sts.get_caller_identity().send().await.map_err(|error| {
            let unknown = error.code().is_some_and(|code| UNKNOWN_CREDENTIALS.contains(&code));
            let mut failure = failed("ask AWS whose credentials these are", error);
            if unknown {
                let Place { region, partition, .. } = &self.place;
                failure = failure.hint(format!(
                    "{region} is in the partition `{partition}`, which knows no credentials of any other one"
                ));
            }
            match &self.profile {
                Some(profile) => {
                    failure.hint(format!("the profile to use is `{profile}`: is it in ~/.aws/config, and logged in?"))
                }
                None => failure,
            }
        })?;
        let account = identity.account.unwrap_or_default();
        if account == self.place.account {
            return Ok(());
        }
        let arn = identity.arn.unwrap_or_default();
        let mut failure = Failure::new(
            FailureKind::Refused,
            format!("the credentials are for account {account}, but targets.toml says {}", self.place.account),
        )
        .cause(format!("they belong to {arn}"));
        if let Some(partition) = arn.split(':').nth(1).filter(|partition| *partition != self.place.partition) {
            let Place { region, partition: wanted, .. } = &self.place;
            failure = failure.cause(format!("their partition is `{partition}`, and {region} is in `{wanted}`"));
        }
        Err(failure
            .hint("choose the right credentials with --profile or AWS_PROFILE, or mend environments/targets.toml"))
    }
}

/// A session that can write.
#[derive(Debug)]
pub struct Aws {
    /// Its reading half.
    pub read: ReadAws,
    /// Clients that write.
    pub write: Clients,
    /// The lines that its calls wait in.
    pub pace: Pace,
    /// The account and Region it works in.
    pub place: Place,
    /// Its API Gateway is none of AWS's: a sandbox, an emulator.
    elsewhere: bool,
    tolerant: bool,
    notes: std::sync::Mutex<Vec<String>>,
}

impl Aws {
    /// Goes on where a service does not give back what it was given, warns that it will not, or takes no tags: for
    /// emulators.
    ///
    /// # Errors
    ///
    /// Refused where the other end is AWS itself: there it would mean an API without its policy or its authorizers.
    pub fn tolerate_differences(&mut self) -> Result<()> {
        if !self.elsewhere {
            return Err(Failure::new(FailureKind::Refused, "--no-verify is for emulators, and this is AWS itself")
                .hint("leave it out; or say where the emulator is, with --endpoint-url or AWS_ENDPOINT_URL"));
        }
        self.tolerant = true;
        Ok(())
    }

    /// Whether differences are tolerated.
    #[must_use]
    pub fn is_tolerant(&self) -> bool {
        self.tolerant
    }

    /// Reports a failure, unless this session tolerates it: then it becomes a note.
    pub fn tolerate(&self, result: Result<()>) -> Result<()> {
        match result {
            Err(failure) if self.tolerant => {
                self.note(failure.to_string());
                Ok(())
            }
            other => other,
        }
    }

    /// Keeps something that the reader of an apply should know, though the step went on.
    pub fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// The notes since the last time they were taken.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_smithy_runtime_api::client::http::{HttpConnectorFuture, SharedHttpConnector, http_client_fn};
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// An STS that always answers this.
    fn sts(status: u16, body: &'static str) -> SharedHttpClient {
        #[derive(Debug)]
        struct Answer(u16, &'static str);
        impl aws_smithy_runtime_api::client::http::HttpConnector for Answer {
            fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
                let status = self.0.try_into().expect("a status");
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.1))))
            }
        }
        http_client_fn(move |_, _| SharedHttpConnector::new(Answer(status, body)))
    }

    async fn check(region: &str, client: SharedHttpClient) -> Failure {
        let place = Place {
            account: "111122223333".into(),
            region: region.into(),
            partition: crate::config::partition_of(region).into(),
        };
        let transport = Some((client, Credentials::new("AKIA", "x", None, None, "test")));
        let connection = Connection { region: region.into(), transport, ..Connection::default() };
        connection.open(&place).await.unwrap().read.check_account().await.unwrap_err()
    }

    /// The URL that a read of a bucket goes to.
    async fn url_of_bucket(endpoint: Option<&str>) -> String {
        #[derive(Debug, Clone)]
        struct Listening(Arc<std::sync::Mutex<String>>);
        impl aws_smithy_runtime_api::client::http::HttpConnector for Listening {
            fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
                request.uri().clone_into(&mut self.0.lock().unwrap());
                let status = 404.try_into().expect("a status");
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
            }
        }
        let listening = Listening(Arc::default());
        let connector = listening.clone();
        let client = http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
        let place = Place { account: "111122223333".into(), region: "eu-central-1".into(), partition: "aws".into() };
        let transport = Some((client, Credentials::new("AKIA", "x", None, None, "test")));
        let endpoint_url = endpoint.map(str::to_owned);
        let connection = Connection { region: place.region.clone(), transport, endpoint_url, ..Connection::default() };
        let aws = connection.open(&place).await.unwrap();
        let _ = aws.read.clients.s3.get_bucket_tagging().bucket("logs").send().await;
        let url = listening.0.lock().unwrap();
        url.clone()
    }

    #[tokio::test]
    async fn only_aws_gets_the_name_of_a_bucket_in_its_host() {
        assert_eq!(url_of_bucket(None).await, "https://logs.s3.eu-central-1.amazonaws.com/?tagging");
        for endpoint in ["http://127.0.0.1:4566", "http://localhost:4566", "http://minio.example"] {
            assert_eq!(url_of_bucket(Some(endpoint)).await, format!("{endpoint}/logs/?tagging"));
        }
    }

    /// AWS does not say that credentials are of another partition; it does not know them.
    #[tokio::test]
    async fn credentials_that_aws_does_not_know_may_be_of_another_partition() {
        const UNKNOWN: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>\
                               <Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>";
        let failure = check("cn-north-1", sts(403, UNKNOWN)).await;
        assert!(failure.to_string().contains("InvalidClientTokenId"), "{failure}");
        let hints = failure.hints().join("\n");
        assert!(hints.contains("cn-north-1 is in the partition `aws-cn`"), "{hints}");
    }

    #[tokio::test]
    async fn a_wrong_account_in_another_partition_is_said_to_be_there() {
        const OTHER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                             <Arn>arn:aws:iam::999988887777:user/anna</Arn><UserId>x</UserId><Account>999988887777</Account>\
                             </GetCallerIdentityResult></GetCallerIdentityResponse>";
        let failure = check("cn-north-1", sts(200, OTHER)).await.to_string();
        for words in ["999988887777", "111122223333", "their partition is `aws`, and cn-north-1 is in `aws-cn`"] {
            assert!(failure.contains(words), "{failure}");
        }
        assert!(!check("eu-central-1", sts(200, OTHER)).await.to_string().contains("partition"));
    }
}
