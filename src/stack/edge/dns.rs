//! The domain name of the edge in a Region, and the records that lead to it: latency records beside those of the other
//! Regions, each with a health check of a real service, and the names that the load balancer knows its services by.

use super::{Edge, REGION};
use crate::config::Faults;
use crate::config::edge::{EdgeDomain, EdgeSettings, HealthCheck as Setting, Service, ZoneSetting};
use crate::error::Result;
use crate::kinds::Kind as _;
use crate::kinds::dns_record::DnsRecord;
use crate::kinds::dns_record::spec::{DnsRecordSpec, Latency, LeadsTo, RecordType};
use crate::kinds::domain_name::{DomainName, DomainNameSpec, MutualTls};
use crate::kinds::health_check::{CheckType, HealthCheck, HealthCheckSpec};
use crate::kinds::hosted_zone::{HostedZone, HostedZoneSpec};
use crate::kinds::http_stage::HttpStage;
use crate::model::{Desired, Input, LoadBalancerPart, Lookup};

/// The certificate of a domain name, by what it is for.
pub(super) fn certificate(domain: &EdgeDomain) -> Lookup {
    let covers = domain.certificate_domain.as_ref().unwrap_or(&domain.name);
    Lookup::Certificate { domain: covers.clone() }
}

/// The zone that gwctl makes, if the name lies in it.
pub(super) fn made_zone<'a>(settings: &'a EdgeSettings, name: &str) -> Option<&'a str> {
    let ZoneSetting::Made(zone) = &settings.domain.as_ref()?.zone else { return None };
    (name == zone || name.ends_with(&format!(".{zone}"))).then_some(zone)
}

impl Edge<'_> {
    pub(super) fn domain(&self, faults: &mut Faults) -> Result<Vec<Desired>> {
        let mut all = Vec::new();
        if let Some(domain) = &self.settings.domain {
            all.push(self.domain_name(domain)?);
            all.extend(self.zone(domain)?);
            all.extend(self.health_check()?);
            if domain.zone != ZoneSetting::None {
                all.push(self.latency_record(domain, faults)?);
            }
        }
        for (name, service) in &self.settings.services {
            all.extend(self.service_record(name, service, faults)?);
        }
        Ok(all)
    }

    fn domain_name(&self, domain: &EdgeDomain) -> Result<Desired> {
        let certificate = domain.certificate_arn.clone().unwrap_or_else(|| self.found.get(&certificate(domain)));
        let spec = DomainNameSpec {
            name: domain.name.clone(),
            certificate: certificate.into(),
            security_policy: "TLS_1_2".to_owned(),
            ip_address_type: if domain.ipv6 { "dualstack" } else { "ipv4" }.to_owned(),
            mutual_tls: domain.mutual_tls.as_ref().map(|tls| MutualTls {
                truststore_uri: tls.truststore_uri.clone(),
                truststore_version: tls.truststore_version.clone(),
            }),
            tags: self.tags(),
        };
        self.desired::<DomainName>(REGION, &spec)
    }

    /// A zone that gwctl makes is made with the first Region, and stays with it.
    fn zone(&self, domain: &EdgeDomain) -> Result<Option<Desired>> {
        let ZoneSetting::Made(name) = &domain.zone else { return Ok(None) };
        if self.settings.regions.first() != Some(&self.place.region) {
            return Ok(None);
        }
        let comment = format!("Of {}/{}", self.owner.product, self.owner.environment);
        let spec = HostedZoneSpec { name: name.clone(), comment: Some(comment), tags: self.tags() };
        self.desired::<HostedZone>(REGION, &spec).map(Some)
    }

    /// The zone of a name: made with this Region, or found.
    fn zone_id(&self, name: &str) -> Input {
        let first = self.settings.regions.first() == Some(&self.place.region);
        match made_zone(self.settings, name) {
            Some(_) if first => Input::output(&self.address(HostedZone::NAME, REGION), "zone_id"),
            Some(zone) => self.found.get(&Lookup::HostedZone { domain: zone.to_owned() }).into(),
            None => self.found.get(&Lookup::HostedZone { domain: name.to_owned() }).into(),
        }
    }

    fn health_check(&self) -> Result<Option<Desired>> {
        let Some(setting) = &self.settings.health_check else { return Ok(None) };
        let Setting { service, host, path, interval_seconds, failure_threshold } = setting;
        let asked = match (host, service) {
            (Some(host), _) => Some(Input::from(host.as_str())),
            // The endpoint of the API itself is the one way to a Region that DNS does not choose.
            (None, Some(service)) => Some(Input::output(&self.address(HttpStage::NAME, service), "endpoint")),
            (None, None) => None,
        };
        let spec = HealthCheckSpec {
            name: format!("{}-{}", self.named(super::STACK), self.place.region),
            check: CheckType::Https,
            host: asked,
            ip_address: None,
            port: 443,
            path: Some(path.clone()),
            interval_seconds: u8::try_from(*interval_seconds).unwrap_or(30),
            failure_threshold: u8::try_from(*failure_threshold).unwrap_or(3),
            sni: true,
            search: None,
            measure_latency: false,
            tags: self.tags(),
        };
        self.desired::<HealthCheck>(REGION, &spec).map(Some)
    }

    fn latency(&self) -> Latency {
        let check = self.settings.health_check.as_ref();
        Latency {
            region: self.place.region.clone(),
            set_identifier: self.place.region.clone(),
            health_check: check.map(|_| Input::output(&self.address(HealthCheck::NAME, REGION), "id")),
        }
    }

    fn latency_record(&self, domain: &EdgeDomain, faults: &mut Faults) -> Result<Desired> {
        let name = self.address(DomainName::NAME, REGION);
        let mut types = [RecordType::A].into_iter().collect::<std::collections::BTreeSet<_>>();
        types.extend(domain.ipv6.then_some(RecordType::Aaaa));
        let spec = DnsRecordSpec {
            name: domain.name.clone(),
            zone_id: self.zone_id(&domain.name),
            leads_to: LeadsTo::Alias {
                types,
                target: Input::output(&name, "regional_domain_name"),
                target_zone_id: Input::output(&name, "regional_hosted_zone_id"),
                // Unhealthy only when API Gateway itself is down in the Region (aws-facts I): the health check sees more.
                evaluate_target_health: true,
            },
            latency: Some(self.latency()),
            in_service: self.in_service(),
        };
        self.check(&spec, domain.zone_name(), faults);
        self.desired::<DnsRecord>(REGION, &spec)
    }

    /// The name that the load balancer knows a service by leads to the load balancer of the nearest Region.
    fn service_record(&self, name: &str, service: &Service, faults: &mut Faults) -> Result<Option<Desired>> {
        let Some(ttl) = service.cname_ttl else { return Ok(None) };
        let host = self.part(LoadBalancerPart::DnsName).into_iter().next().unwrap_or_default();
        let spec = DnsRecordSpec {
            name: service.host.to_lowercase(),
            zone_id: self.zone_id(&service.host),
            leads_to: LeadsTo::Cname { value: host.into(), ttl: u32::try_from(ttl).unwrap_or(u32::MAX) },
            // Also with one Region, so that others can come and go. An internal load balancer can't be asked by Route 53's
            // checkers, and the domain's check has asked the service.
            latency: Some(Latency { health_check: None, ..self.latency() }),
            in_service: true,
        };
        self.check(&spec, None, faults);
        self.desired::<DnsRecord>(name, &spec).map(Some)
    }

    fn check(&self, spec: &DnsRecordSpec, zone: Option<&str>, faults: &mut Faults) {
        if let Err(failure) = spec.check(zone) {
            faults.file_error(&self.environment.file.path, failure.to_string(), "mend it below `edge`");
        }
    }

    /// Whether DNS leads clients to the Region. An operator takes it out, and the apply after that leaves it so.
    fn in_service(&self) -> bool {
        self.found.drained(&self.place.region).is_none()
    }
}
