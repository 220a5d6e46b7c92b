//! What somebody can set on a stage by hand and no stack ever wants. It is read so that it is seen, and taken away by an
//! apply.

use aws_sdk_apigateway::types::{CacheClusterSize, PatchOperation, Stage as LiveStage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replace;

/// Settings that are never wanted; each absent where it is as API Gateway makes it by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByHand {
    /// The size of its cache in GB, which costs by the hour; absent: no cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_size: Option<String>,
    /// The certificate that it shows to backends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
}

/// Reads them.
pub(super) fn of(live: &LiveStage) -> ByHand {
    let size = live.cache_cluster_size().map(CacheClusterSize::as_str);
    ByHand {
        cache_size: live.cache_cluster_enabled().then(|| size.unwrap_or("0.5").to_owned()),
        client_certificate: live.client_certificate_id().filter(|id| !id.is_empty()).map(str::to_owned),
    }
}

/// What takes away what somebody set by hand. That an empty value takes a certificate away is a guess: the reference lists
/// `replace` as the only operation.
pub(super) fn without(live: &ByHand, wanted: &ByHand) -> Vec<PatchOperation> {
    let ByHand { cache_size, client_certificate } = live;
    let mut list = Vec::new();
    if cache_size.is_some() && wanted.cache_size.is_none() {
        list.push(replace("/cacheClusterEnabled", "false"));
    }
    if client_certificate.is_some() && wanted.client_certificate.is_none() {
        list.push(replace("/clientCertificateId", ""));
    }
    list
}
