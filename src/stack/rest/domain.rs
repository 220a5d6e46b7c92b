//! The custom domain name of a gateway: the name with its certificate, the mapping of a base path to the stage, and the DNS
//! record.

use super::{GATEWAY, RestGateway};
use crate::config;
use crate::error::Result;
use crate::kinds::Kind as _;
use crate::kinds::base_path_mapping::{self, BasePathMapping, BasePathMappingSpec};
use crate::kinds::dns_record::{DnsRecord, DnsRecordSpec};
use crate::kinds::domain_name::{DomainName, DomainNameSpec};
use crate::model::{Desired, Input, Lookup};

/// What has to be looked up for the domain of a gateway.
pub(super) fn lookups(gateway: &config::Gateway) -> Vec<Lookup> {
    let Some(domain) = &gateway.settings.domain else { return Vec::new() };
    let certificate = domain.certificate_arn.is_none().then(|| Lookup::Certificate { domain: domain.name.clone() });
    let zone = domain.dns_record.then(|| Lookup::HostedZone { domain: domain.name.clone() });
    certificate.into_iter().chain(zone).collect()
}

impl RestGateway<'_> {
    pub(super) fn domain(&self) -> Result<Vec<Desired>> {
        let Some(domain) = &self.settings.domain else { return Ok(Vec::new()) };
        let address = self.address(DomainName::NAME, GATEWAY);
        let looked_up = || self.found.get(&Lookup::Certificate { domain: domain.name.clone() });
        let name = DomainNameSpec {
            name: domain.name.clone(),
            certificate: domain.certificate_arn.clone().unwrap_or_else(looked_up).into(),
            security_policy: domain.security_policy.clone(),
            ip_address_type: "ipv4".to_owned(),
            mutual_tls: None,
            tags: self.settings.tags.clone(),
        };
        let mapping = BasePathMappingSpec {
            name: base_path_mapping::name_of(&domain.name, &domain.base_path),
            domain: Input::output(&address, "name"),
            rest_api: Input::output(&self.address("rest-api", GATEWAY), "id"),
            stage: Input::output(&self.address("stage", GATEWAY), "name"),
        };
        let mut all =
            vec![self.desired::<DomainName>(GATEWAY, &name)?, self.desired::<BasePathMapping>(GATEWAY, &mapping)?];
        if domain.dns_record {
            let zone = self.found.get(&Lookup::HostedZone { domain: domain.name.clone() });
            let target = Input::output(&address, "regional_domain_name");
            let target_zone = Input::output(&address, "regional_hosted_zone_id");
            let record = DnsRecordSpec::alias(&domain.name, zone.into(), target, target_zone);
            all.push(self.desired::<DnsRecord>(GATEWAY, &record)?);
        }
        Ok(all)
    }
}
