//! How AWS is reached: credentials, roles, endpoint, tries and time limits, for the two sessions of a place.

use std::sync::Mutex;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::calls::Notebook;
use super::clients::Clients;
use super::credentials::{self, MfaProfile, MfaSessions, Role, Source};
use super::pace::{Pace, Paced, Session};
use super::read::ReadAws;
use super::{Aws, endpoint, given};
use crate::error::{Failure, Result};
use crate::model::Place;
use crate::rates::Allowance;

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
/// minute. Refusals for the rate do not count ([`super::pace`]).
const ATTEMPTS: u32 = 6;

/// How long an answer may take to begin. The SDK would wait for ever; the longest call here uploads a zip of at most 50 MB.
/// That a transfer stands still in its midst is noticed by the SDK. It is no limit on the attempt as a whole, in which a call
/// may wait for its turn ([`super::pace`]).
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

impl Connection {
    /// Whether a code of an MFA device may have to be typed to open it. What is wrong with the profile says whoever opens it.
    pub async fn may_ask(&self) -> bool {
        let profile = async { matches!(credentials::mfa_profile(self.profile.as_deref()).await, Ok(Some(_))) };
        self.transport.is_none() && (self.role.is_some() && self.mfa_serial.is_some() || profile.await)
    }

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
            read: ReadAws::new(Clients::new(&config, self, &paced, true), place, self.profile.clone()),
            write: Clients::new(&config, self, &paced, false),
            pace: self.pace.clone(),
            place: place.clone(),
            elsewhere,
            tolerant: false,
            notes: Mutex::default(),
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
