//! What all calls have in common, put together of the SDK's own parts in the way in which every SDK crate does it.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::defaults::{DefaultPluginParams, default_plugins};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::endpoints::StaticUriEndpointResolver;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::endpoint::{EndpointResolverParams, SharedEndpointResolver};
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_types::config_bag::{FrozenLayer, Layer};
use aws_types::SigningName;
use aws_types::endpoint_config::EndpointUrl;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;

use super::error::Ec2Error;
use crate::aws::answers::Sound;
use crate::aws::calls::Declared;
use crate::aws::guard;

/// The service as the SDK knows it: in profiles (`services` sections) and in logs.
pub(super) const SERVICE: &str = "EC2";

/// What the components are called in the SDK's own messages.
const NAME: &str = "gwctl-ec2";

/// The plugins of a client.
pub(super) fn plugins(config: &SdkConfig, read_only: bool, declared: Declared) -> RuntimePlugins {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let params = DefaultPluginParams::new()
        // Calls that are retried in one Region use up no retries of another's.
        .with_retry_partition_name(format!("ec2-{region}"))
        .with_behavior_version(config.behavior_version().unwrap_or_else(BehaviorVersion::latest))
        .with_is_aws_sdk(true);
    let own = StaticRuntimePlugin::new()
        .with_config(settings(config))
        .with_runtime_components(components(config, &region, read_only, declared));
    RuntimePlugins::new().with_client_plugins(default_plugins(params)).with_client_plugin(own)
}

/// Settings that are values.
fn settings(config: &SdkConfig) -> FrozenLayer {
    let mut layer = Layer::new(NAME);
    layer.store_put(ApiMetadata::new("ec2", env!("CARGO_PKG_VERSION")));
    layer.store_put(SigningName::from_static("ec2"));
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(EndpointResolverParams::new(()));
    if let Some(region) = config.region() {
        layer.store_put(region.clone());
        layer.store_put(SigningRegion::from(region.clone()));
    }
    if let Some(url) = endpoint_override(config) {
        layer.store_put(EndpointUrl(url));
    }
    layer.store_or_unset(config.retry_config().cloned());
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    if let Some(protection) = config.stalled_stream_protection() {
        layer.store_put(protection);
    }
    layer.store_or_unset(config.app_name().cloned());
    layer.freeze()
}

/// Settings that do something.
fn components(config: &SdkConfig, region: &str, read_only: bool, declared: Declared) -> RuntimeComponentsBuilder {
    let mut components = RuntimeComponentsBuilder::new(NAME);
    components.set_http_client(config.http_client());
    components.set_sleep_impl(config.sleep_impl());
    components.set_time_source(Some(config.time_source().unwrap_or_default()));
    // One cache for all calls: without it, each would log in anew.
    components.set_identity_cache(Some(config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build())));
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
        StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
    )));
    let url = endpoint_override(config).unwrap_or_else(|| {
        endpoint(region, config.use_fips().unwrap_or_default(), config.use_dual_stack().unwrap_or_default())
    });
    components.set_endpoint_resolver(Some(SharedEndpointResolver::new(StaticUriEndpointResolver::uri(url))));
    components.push_retry_classifier(HttpStatusCodeClassifier::default());
    components.push_retry_classifier(TransientErrorClassifier::<Ec2Error>::new());
    components.push_retry_classifier(AwsErrorCodeClassifier::<Ec2Error>::new());
    components.push_retry_classifier(ServiceClockSkewClassifier::<Ec2Error>::new());
    components.push_interceptor(SharedInterceptor::permanent(ConnectionPoisoningInterceptor::new()));
    components.push_interceptor(ServiceClockSkewInterceptor::new());
    components.push_interceptor(RequestInfoInterceptor::new());
    components.push_interceptor(UserAgentInterceptor::new());
    components.push_interceptor(InvocationIdInterceptor::new());
    components.push_interceptor(SharedInterceptor::permanent(RecursionDetectionInterceptor::new()));
    components.push_interceptor(declared);
    components.push_interceptor(Sound::default());
    if read_only {
        components.push_interceptor(guard::ReadOnly);
    }
    components
}

/// `--endpoint-url`, else `AWS_ENDPOINT_URL_EC2` or the profile's own for EC2, else `AWS_ENDPOINT_URL`: the order in which
/// the SDK's own clients look.
fn endpoint_override(config: &SdkConfig) -> Option<String> {
    let general = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general();
    }
    let key = ServiceConfigKey::builder().service_id(SERVICE).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
    own.or_else(general)
}

/// The endpoint of a Region (botocore, `data/ec2/2016-11-15/endpoint-rule-set-1.json`).
fn endpoint(region: &str, fips: bool, dual_stack: bool) -> String {
    let china = region.starts_with("cn-");
    let suffix = match (dual_stack, china) {
        (false, false) => "amazonaws.com",
        (false, true) => "amazonaws.com.cn",
        (true, false) => "api.aws",
        (true, true) => "api.amazonwebservices.com.cn",
    };
    // GovCloud's plain endpoints are FIPS endpoints.
    let service = if fips && !region.starts_with("us-gov-") { "ec2-fips" } else { "ec2" };
    format!("https://{service}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_follow_region_and_partition() {
        for (region, fips, dual, expected) in [
            ("ap-southeast-1", false, false, "https://ec2.ap-southeast-1.amazonaws.com"),
            ("cn-north-1", false, false, "https://ec2.cn-north-1.amazonaws.com.cn"),
            ("us-east-1", true, false, "https://ec2-fips.us-east-1.amazonaws.com"),
            ("us-gov-west-1", true, false, "https://ec2.us-gov-west-1.amazonaws.com"),
            ("eu-west-1", false, true, "https://ec2.eu-west-1.api.aws"),
            ("cn-northwest-1", false, true, "https://ec2.cn-northwest-1.api.amazonwebservices.com.cn"),
        ] {
            assert_eq!(endpoint(region, fips, dual), expected);
        }
    }
}
