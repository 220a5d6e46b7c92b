//! Stand-ins for what an environment finds in its account and does not make itself, so that it can be applied to an empty
//! sandbox. They lead nowhere: a load balancer is only what a VPC link and an integration point at.

use std::time::{SystemTime, UNIX_EPOCH};

use super::wire::Caller;
use super::{Sandbox, acm, elbv2, s3};
use crate::error::Result;

/// Something that is to be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StandIn {
    /// A load balancer in two subnets and a security group, with a listener that ends TLS.
    LoadBalancer {
        /// Its name, or its ARN.
        which: String,
        /// The port of the listener.
        port: u16,
    },
    /// An issued certificate.
    Certificate {
        /// The domain name that it is for.
        domain: String,
        /// Its ARN, where that is known.
        arn: Option<String>,
    },
    /// A bucket.
    Bucket {
        /// Its name.
        name: String,
    },
}

impl Sandbox {
    /// Puts what is missing of these into a Region of an account. What is there stays as it is.
    ///
    /// # Errors
    ///
    /// Fails when the sandbox's state can't be read or written.
    pub fn furnish(&self, account: &str, region: &str, all: &[StandIn]) -> Result<()> {
        let caller = Caller {
            account: account.to_owned(),
            region: region.to_owned(),
            service: String::new(),
            access_key: account.to_owned(),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        self.hold().turn(false, |world| {
            let view = &mut world.view(account, region, now);
            for one in all {
                match one {
                    StandIn::LoadBalancer { which, port } => elbv2::stand_in(view, &caller, which, *port),
                    StandIn::Certificate { domain, arn } => acm::stand_in(view, &caller, domain, arn.as_deref()),
                    StandIn::Bucket { name } => s3::stand_in(view, &caller, name),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";
    const REGION: &str = "eu-west-1";

    fn named(which: &str) -> StandIn {
        StandIn::LoadBalancer { which: which.into(), port: 443 }
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let sandbox = Sandbox::in_memory();
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/main/50dc6c495c0c9188";
        let certificate = StandIn::Certificate { domain: "*.example.com".into(), arn: None };
        let all = [named("ingress"), named(arn), certificate, StandIn::Bucket { name: "audit".into() }];
        let looked = || {
            let world = sandbox.world().unwrap();
            serde_json::to_value((&world.accounts, &world.s3)).unwrap()
        };
        sandbox.furnish(ACCOUNT, REGION, &all).unwrap();
        let first = looked();
        assert!(first.to_string().contains(arn), "{first}");
        sandbox.furnish(ACCOUNT, REGION, &all).unwrap();
        assert_eq!(looked(), first);
        // Another listener of the same load balancer is one more.
        sandbox.furnish(ACCOUNT, REGION, &[StandIn::LoadBalancer { which: "ingress".into(), port: 8443 }]).unwrap();
        let listeners = |world: &serde_json::Value| {
            let all = world.pointer("/0/123456789012/regions/eu-west-1/elbv2/listeners").unwrap();
            all.as_object().unwrap().len()
        };
        assert_eq!((listeners(&first), listeners(&looked())), (2, 3));
    }

    #[test]
    fn a_certificate_covers_its_name_and_has_the_arn_that_is_asked_for() {
        let sandbox = Sandbox::in_memory();
        let arn = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-4333-8444-555555555555";
        let one = StandIn::Certificate { domain: "api.example.com".into(), arn: Some(arn.into()) };
        sandbox.furnish(ACCOUNT, REGION, &[one]).unwrap();
        let world = sandbox.world().unwrap();
        let held = &world.accounts[ACCOUNT].regions[REGION].acm;
        assert!(held.certificates[arn].covers("api.example.com"));
    }
}
