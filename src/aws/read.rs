//! The session that can only read, and what it reads once for all who want it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use aws_sdk_apigateway::types::{DomainName, RestApi, Stage};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::AliasConfiguration;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use tokio::sync::{Mutex, OnceCell};

use super::clients::Clients;
use super::lists::{Lists, PlaceLists};
use super::{failed, failure, given, tags};
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Owner, Place};

/// What every session asks for its own sake: whose it is, and what role the Region's logs are written with.
pub const SESSION_CALLS: &[&str] = &["apigateway:GetAccount", "sts:GetCallerIdentity"];

/// What AWS says of credentials that it does not know, and of those of another partition, which are the same to it.
const UNKNOWN_CREDENTIALS: [&str; 2] = ["InvalidClientTokenId", "UnrecognizedClientException"];

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
    pub(super) lists: Arc<PlaceLists>,
    tagged: OnceCell<Arc<TaggedArns>>,
    stages: Mutex<BTreeMap<String, Shared<Stage>>>,
    functions: Mutex<BTreeMap<String, SharedFunction>>,
    aliases: Mutex<BTreeMap<String, Shared<AliasConfiguration>>>,
    pub(super) load_balancers: Mutex<BTreeMap<String, Arc<OnceCell<Arc<LoadBalancer>>>>>,
    notes: std::sync::Mutex<Vec<String>>,
}

/// A function, or that there is none, read once.
type SharedFunction = Arc<OnceCell<Arc<Option<GetFunctionOutput>>>>;

/// A list that is read once, however many ask for it at the same time.
type Shared<T> = Arc<OnceCell<Arc<Vec<T>>>>;

impl ReadAws {
    pub(super) fn new(clients: Clients, place: &Place, profile: Option<String>) -> Self {
        Self {
            clients,
            place: place.clone(),
            profile,
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
        Self::new(self.clients.clone(), &self.place, self.profile.clone())
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

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_smithy_runtime_api::client::http::{
        HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::aws::Connection;

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
