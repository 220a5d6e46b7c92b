//! Whether the other end is AWS itself, for the options that must not be used there.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// The names below which AWS answers, in all its partitions (the endpoint rules of the SDK's `partitions.json`).
const AWS: [&str; 9] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.aws",
    "api.amazonwebservices.com.cn",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// Whether API Gateway is asked somewhere else than at AWS: by an option, a variable or a profile.
pub(super) fn is_elsewhere(config: &SdkConfig) -> bool {
    of(config, "API Gateway").is_some_and(|url| !is_of_aws(&url))
}

/// The endpoint that somebody set for a service, by its id in the SDK, or for all.
pub(super) fn of(config: &SdkConfig, service: &str) -> Option<String> {
    // In the order of the SDK: what was said in code, then what is said for the service, then for all.
    let key =
        ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok();
    let of_service = || config.service_config().zip(key).and_then(|(config, key)| config.load_config(key));
    let in_code = config.get_origin("endpoint_url").is_client_config();
    let general = || config.endpoint_url().map(str::to_owned);
    if in_code { general() } else { of_service().or_else(general) }
}

/// What is no URL is nobody's, and refused by the first call.
fn is_of_aws(url: &str) -> bool {
    let url = url::Url::parse(url).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default().trim_end_matches('.');
    AWS.iter().any(|suffix| host.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_is_known_by_its_names() {
        for aws in [
            "https://apigateway.eu-central-1.amazonaws.com",
            "https://apigateway.cn-north-1.amazonaws.com.cn/",
            "https://vpce-1-2.apigateway.eu-central-1.vpce.amazonaws.com:443",
            "https://apigateway.eu-central-1.api.aws",
            "https://APIGATEWAY.eu-central-1.AMAZONAWS.com.",
        ] {
            assert!(is_of_aws(aws), "{aws}");
        }
        for other in [
            "http://127.0.0.1:4566",
            "http://localhost",
            "https://notamazonaws.com",
            "https://amazonaws.com.example.com",
        ] {
            assert!(!is_of_aws(other), "{other}");
        }
    }
}
