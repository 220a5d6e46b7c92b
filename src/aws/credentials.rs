//! Becoming somebody else: a role, with a session's name, an external id, and the code of an MFA device.
//!
//! The SDK finds credentials as every AWS tool does: in the environment, in a profile (keys, SSO, `credential_process`, a
//! role of a `source_profile`), by a web identity, from a container or an instance. It asks nobody anything: the profile's
//! `mfa_serial` is not among the keys that it reads (awslabs/aws-sdk-rust issue 527), so that AWS would refuse the role.
//! Whatever needs a code is therefore done here, and a code is asked for once in a process.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_config::profile::{Profile, ProfileSet};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use tokio::sync::Mutex;

use super::failure::{failed, given};
use crate::error::{Failure, FailureKind, Result};

/// The name of a session where the configuration gives none.
const SESSION: &str = "gwctl";

/// A session with less time left is not begun with: an apply may take minutes.
const FRESH: Duration = Duration::from_mins(5);

/// How long a renewal may take. The SDK would wait five seconds, in which nobody types six digits.
const TYPING: Duration = Duration::from_mins(2);

/// A role, and how it is assumed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The name of the session.
    pub session_name: Option<String>,
    /// The external id that its trust policy asks for.
    pub external_id: Option<String>,
    /// The MFA device whose code its trust policy asks for.
    pub mfa_serial: Option<String>,
    /// How long a session lasts; an hour if nothing is said.
    pub seconds: Option<i32>,
}

/// Asks a person for the code that an MFA device shows.
pub trait AskCode: Debug + Send + Sync {
    /// The code of `device`, which the role wants. An error if nobody can be asked.
    fn ask(&self, device: &str, role: &str) -> Result<String>;
}

/// Sessions that were opened with a code, for all environments of a process: a code opens one session and is used up.
#[derive(Debug, Clone, Default)]
pub struct MfaSessions {
    ask: Option<Arc<dyn AskCode>>,
    open: Arc<Mutex<Opened>>,
}

/// By role, and by the profile whose credentials assumed it.
type Opened = BTreeMap<(Role, Option<String>), Credentials>;

impl MfaSessions {
    /// No session yet; whoever needs one is asked by `ask`.
    #[must_use]
    pub fn asking(ask: Arc<dyn AskCode>) -> Self {
        Self { ask: Some(ask), open: Arc::default() }
    }

    /// The session of a role, opened if it is not open yet. One question is asked at a time.
    async fn of(&self, role: &Role, device: &str, base: &SdkConfig, profile: Option<&str>) -> Result<Credentials> {
        let mut open = self.open.lock().await;
        let key = (role.clone(), profile.map(str::to_owned));
        let fresh = |one: &&Credentials| one.expiry().is_none_or(|at| at > SystemTime::now() + FRESH);
        if let Some(found) = open.get(&key).filter(fresh) {
            return Ok(found.clone());
        }
        let code = self.code(role, device).await?;
        let call = aws_sdk_sts::Client::new(base)
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(role.seconds)
            .serial_number(device)
            .token_code(code);
        let answer = call.send().await.map_err(|error| {
            failed(&format!("assume {} with a code of {device}", role.arn), error)
                .hint("a code works once: wait for the next one; and the role has to trust whoever uses it")
        })?;
        let session = given("credentials of a role", answer.credentials)?;
        let until = SystemTime::try_from(session.expiration).ok();
        let (key_id, secret, token) = (session.access_key_id, session.secret_access_key, session.session_token);
        let credentials = Credentials::new(key_id, secret, Some(token), until, "AssumeRole with MFA");
        open.insert(key, credentials.clone());
        Ok(credentials)
    }

    async fn code(&self, role: &Role, device: &str) -> Result<String> {
        let Some(ask) = self.ask.clone() else {
            return Err(Failure::new(FailureKind::Refused, format!("{} wants a code of {device}", role.arn))
                .cause("nobody can be asked for it"));
        };
        let (device, arn) = (device.to_owned(), role.arn.clone());
        // Whoever types must not hold up the environments that need no code.
        let asked = tokio::task::spawn_blocking(move || ask.ask(&device, &arn)).await;
        let code = asked.map_err(|error| Failure::internal("the question for a code ended").because(&error))??;
        let code = code.trim();
        if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(code.to_owned());
        }
        Err(Failure::new(FailureKind::Refused, "that is no code of an MFA device")
            .hint("it has six digits; run this again"))
    }
}

/// The configuration with the role's credentials in the place of its own. `profile` tells whose those are.
pub(super) async fn assume(
    config: SdkConfig,
    role: &Role,
    profile: Option<&str>,
    sessions: &MfaSessions,
) -> Result<SdkConfig> {
    let Some(device) = &role.mfa_serial else {
        let mut assume = aws_config::sts::AssumeRoleProvider::builder(&role.arn)
            .configure(&config)
            .session_name(role.session_name.as_deref().unwrap_or(SESSION));
        if let Some(id) = &role.external_id {
            assume = assume.external_id(id);
        }
        let provider = SharedCredentialsProvider::new(assume.build().await);
        return Ok(config.into_builder().credentials_provider(provider).build());
    };
    let provider = MfaProvider {
        sessions: sessions.clone(),
        role: role.clone(),
        device: device.clone(),
        base: config.clone(),
        profile: profile.map(str::to_owned),
    };
    // Now, and not in the middle of the first call: what goes wrong here is said as what it is.
    provider.session().await?;
    let cache = IdentityCache::lazy().load_timeout(TYPING).build();
    let provider = SharedCredentialsProvider::new(provider);
    Ok(config.into_builder().credentials_provider(provider).identity_cache(cache).build())
}

/// Gives the SDK the session of a role that wants a code, and opens the next one when it ends.
#[derive(Debug)]
struct MfaProvider {
    sessions: MfaSessions,
    role: Role,
    device: String,
    base: SdkConfig,
    profile: Option<String>,
}

impl MfaProvider {
    async fn session(&self) -> Result<Credentials> {
        self.sessions.of(&self.role, &self.device, &self.base, self.profile.as_deref()).await
    }
}

impl ProvideCredentials for MfaProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.session().await.map_err(CredentialsError::provider_error) })
    }
}

/// A profile that wants a code: its role, and whose credentials assume it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MfaProfile {
    pub(super) role: Role,
    pub(super) source: Source,
}

/// Where a profile says that the credentials for its role are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// In another profile.
    Profile(String),
    /// In itself: a profile may name itself as its source, and then has keys.
    Keys(Credentials),
}

/// Whether the profile that the SDK would use wants a code. Files that can't be read are the SDK's to report.
pub(super) async fn mfa_profile(profile: Option<&str>) -> Result<Option<MfaProfile>> {
    // Keys in the environment beat every profile, in the SDK's chain as in every AWS tool.
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        return Ok(None);
    }
    let selected = profile.map(|name| Cow::Owned(name.to_owned()));
    let files = EnvConfigFiles::default();
    match aws_config::profile::load(&Fs::real(), &Env::real(), &files, selected).await {
        Ok(set) => mfa_profile_in(&set),
        Err(_) => Ok(None),
    }
}

fn mfa_profile_in(set: &ProfileSet) -> Result<Option<MfaProfile>> {
    let Some(profile) = set.get_profile(set.selected_profile()) else { return Ok(None) };
    let name = profile.name();
    let (Some(device), Some(arn)) = (profile.get("mfa_serial"), profile.get("role_arn")) else { return Ok(None) };
    let refused = |message: String| Failure::new(FailureKind::Usage, message);
    let Some(source) = profile.get("source_profile") else {
        return Err(refused(format!("the profile `{name}` wants an MFA code and has no `source_profile`"))
            .hint("name the profile of the user whose device it is, in ~/.aws/config"));
    };
    let wants_code = |one: &Profile| one.get("mfa_serial").is_some() && one.get("role_arn").is_some();
    if source != name && set.get_profile(source).is_some_and(wants_code) {
        return Err(refused(format!("the profile `{name}` and its source `{source}` both want an MFA code"))
            .hint("let one of the two roles be assumed without a code, or log in by SSO"));
    }
    let own = |key: &str| profile.get(key).map(str::to_owned);
    let role = Role {
        arn: arn.to_owned(),
        session_name: own("role_session_name"),
        external_id: own("external_id"),
        mfa_serial: Some(device.to_owned()),
        seconds: profile.get("duration_seconds").and_then(|text| text.parse().ok()),
    };
    let source = if source == name { Source::Keys(keys(profile)?) } else { Source::Profile(source.to_owned()) };
    Ok(Some(MfaProfile { role, source }))
}

fn keys(profile: &Profile) -> Result<Credentials> {
    let (id, secret) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"));
    let (Some(id), Some(secret)) = (id, secret) else {
        let message = format!("the profile `{}` is its own `source_profile` and has no keys", profile.name());
        return Err(Failure::new(FailureKind::Usage, message).hint("put them into ~/.aws/credentials"));
    };
    Ok(Credentials::new(id, secret, profile.get("aws_session_token").map(str::to_owned), None, "profile"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_config::{BehaviorVersion, Region};
    use aws_runtime::env_config::file::EnvConfigFileKind;

    use super::*;
    use crate::sandbox::Sandbox;
    use crate::sandbox::connector::Connector;

    const ROLE: &str = "arn:aws:iam::444455556666:role/deployer";
    const DEVICE: &str = "arn:aws:iam::111122223333:mfa/anna";

    #[derive(Debug, Default)]
    struct Person {
        says: &'static str,
        asked: AtomicUsize,
    }

    impl AskCode for Person {
        fn ask(&self, device: &str, role: &str) -> Result<String> {
            assert_eq!((device, role), (DEVICE, ROLE));
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(self.says.to_owned())
        }
    }

    fn base(sandbox: &Sandbox) -> SdkConfig {
        let credentials = Credentials::new("111122223333", "sandbox", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .http_client(Connector::new(sandbox.clone()).client())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    fn role() -> Role {
        Role {
            arn: ROLE.to_owned(),
            session_name: Some("night-shift".to_owned()),
            external_id: None,
            mfa_serial: Some(DEVICE.to_owned()),
            seconds: None,
        }
    }

    fn assumed(sandbox: &Sandbox) -> u64 {
        let counters = sandbox.counters();
        counters.services.get("sts").and_then(|sts| sts.get("AssumeRole")).map_or(0, |tally| tally.calls)
    }

    #[tokio::test]
    async fn a_code_is_asked_for_once_for_all_environments() {
        let (sandbox, person) = (Sandbox::in_memory(), Arc::new(Person { says: "123456\n", ..Person::default() }));
        let sessions = MfaSessions::asking(person.clone());
        let role = role();
        let both = [base(&sandbox), base(&sandbox)].map(|config| assume(config, &role, Some("anna"), &sessions));
        let [one, two] = futures::future::try_join_all(both).await.unwrap().try_into().unwrap();
        assert_eq!((person.asked.load(Ordering::Relaxed), assumed(&sandbox)), (1, 1));
        for config in [one, two] {
            let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap();
            assert_eq!(identity.account(), Some("444455556666"));
            assert_eq!(identity.arn(), Some("arn:aws:sts::444455556666:assumed-role/deployer/night-shift"));
        }
        // Another person's credentials open a session of their own.
        assume(base(&sandbox), &role, Some("berta"), &sessions).await.unwrap();
        assert_eq!((person.asked.load(Ordering::Relaxed), assumed(&sandbox)), (2, 2));
    }

    #[tokio::test]
    async fn without_a_code_nothing_is_sent() {
        let sandbox = Sandbox::in_memory();
        let failure = assume(base(&sandbox), &role(), None, &MfaSessions::default()).await.unwrap_err();
        assert!(failure.to_string().contains("nobody can be asked"), "{failure}");
        for says in ["", "12345", "1234567", "12345a"] {
            let person = Arc::new(Person { says, ..Person::default() });
            let failure = assume(base(&sandbox), &role(), None, &MfaSessions::asking(person)).await.unwrap_err();
            assert_eq!(failure.to_string(), "that is no code of an MFA device", "`{says}`");
        }
        assert_eq!(assumed(&sandbox), 0);
    }

    async fn read(config: &str, profile: &'static str) -> Result<Option<MfaProfile>> {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, config).build();
        let (no_files, no_variables) = (Fs::from_slice(&[]), Env::from_slice(&[]));
        let set = aws_config::profile::load(&no_files, &no_variables, &files, Some(profile.into())).await;
        mfa_profile_in(&set.unwrap())
    }

    #[tokio::test]
    async fn a_profile_that_wants_a_code_is_told_from_others() {
        let config = format!(
            "[profile anna]\naws_access_key_id = a\naws_secret_access_key = b\n\
             [profile plain]\nrole_arn = {ROLE}\nsource_profile = anna\n\
             [profile prod]\nrole_arn = {ROLE}\nsource_profile = anna\nmfa_serial = {DEVICE}\n\
             role_session_name = night-shift\nexternal_id = e-1\nduration_seconds = 900\n\
             [profile twice]\nrole_arn = {ROLE}\nsource_profile = prod\nmfa_serial = {DEVICE}\n\
             [profile self]\nrole_arn = {ROLE}\nsource_profile = self\nmfa_serial = {DEVICE}\n\
             aws_access_key_id = a\naws_secret_access_key = b\n\
             [profile keyless]\nrole_arn = {ROLE}\nsource_profile = keyless\nmfa_serial = {DEVICE}\n\
             [profile nobody]\nrole_arn = {ROLE}\ncredential_source = Environment\nmfa_serial = {DEVICE}\n"
        );
        for without in ["anna", "plain", "unknown"] {
            assert_eq!(read(&config, without).await.unwrap(), None, "{without}");
        }
        let found = read(&config, "prod").await.unwrap().unwrap();
        let expected = Role { external_id: Some("e-1".to_owned()), seconds: Some(900), ..role() };
        assert_eq!(found, MfaProfile { role: expected, source: Source::Profile("anna".to_owned()) });
        let found = read(&config, "self").await.unwrap().unwrap();
        assert_eq!(found.source, Source::Keys(Credentials::new("a", "b", None, None, "profile")));
        for (refused, words) in
            [("twice", "both want an MFA code"), ("nobody", "has no `source_profile`"), ("keyless", "has no keys")]
        {
            let failure = read(&config, refused).await.unwrap_err();
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }
}
