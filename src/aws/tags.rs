//! Ownership and state, in tags. What AWS holds is the state; there is no other record.

use std::collections::BTreeMap;

use crate::model::{Address, Digest, Identity, Owner, Ownership, Place};

/// The product that owns a resource.
pub const PRODUCT: &str = "gwctl:product";
/// The environment that owns it.
pub const ENVIRONMENT: &str = "gwctl:environment";
/// Its address inside the environment.
pub const ADDRESS: &str = "gwctl:address";
/// The digest of the spec that was last applied in full.
pub const DIGEST: &str = "gwctl:digest";

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Reads whose a resource is from its tags.
#[must_use]
pub fn ownership(tags: &Tags, owner: &Owner) -> Ownership {
    let (Some(product), Some(environment)) = (tags.get(PRODUCT), tags.get(ENVIRONMENT)) else {
        return Ownership::Nobody;
    };
    let theirs = Owner { product: product.clone(), environment: environment.clone() };
    match tags.get(ADDRESS).and_then(|text| Address::parse(text)) {
        Some(address) if theirs == *owner => Ownership::Ours { address, digest: tags.get(DIGEST).cloned() },
        None if theirs == *owner => Ownership::Nobody,
        _ => Ownership::Others { owner: theirs },
    }
}

/// Whether the address in the tags begins with another Region than the place's. What is global in an account (health checks,
/// records) is seen from every Region of an environment, and belongs to one.
#[must_use]
pub fn is_elsewhere(tags: &Tags, place: &Place) -> bool {
    let address = tags.get(ADDRESS).and_then(|text| Address::parse(text));
    address.is_some_and(|address| address.region().is_some_and(|region| region != place.region))
}

/// The user's own tags: neither ours nor AWS's.
#[must_use]
pub fn of_user(tags: &Tags) -> Tags {
    tags.iter()
        .filter(|(key, _)| !key.starts_with("gwctl:") && !key.starts_with("aws:"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The tags a resource is born with: whose it is, and the user's. The digest follows once it is whole.
#[must_use]
pub fn at_birth(identity: &Identity, user: &Tags) -> Tags {
    let mut tags = user.clone();
    tags.insert(PRODUCT.to_owned(), identity.owner.product.clone());
    tags.insert(ENVIRONMENT.to_owned(), identity.owner.environment.clone());
    tags.insert(ADDRESS.to_owned(), identity.address.to_string());
    tags
}

/// The tags that record a finished step.
#[must_use]
pub fn record(identity: &Identity, digest: &Digest) -> Tags {
    let mut tags = at_birth(identity, &Tags::new());
    tags.insert(DIGEST.to_owned(), digest.as_str().to_owned());
    tags
}

/// What turns one set of the user's tags into another: tags to set, and keys to remove.
#[must_use]
pub fn changes(live: &Tags, wanted: &Tags) -> (Tags, Vec<String>) {
    let set = wanted
        .iter()
        .filter(|(key, value)| live.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let remove = live.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
    (set, remove)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tags_tell_whose_a_resource_is() {
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        let mut mine = tags(&[(PRODUCT, "product-a"), (ENVIRONMENT, "dev"), (ADDRESS, "gate/stage/gateway")]);
        assert!(matches!(ownership(&mine, &owner), Ownership::Ours { digest: None, .. }));
        mine.insert(DIGEST.into(), "abc".into());
        assert!(matches!(ownership(&mine, &owner), Ownership::Ours { digest: Some(_), .. }));
        mine.insert(ENVIRONMENT.into(), "prod".into());
        assert!(matches!(ownership(&mine, &owner), Ownership::Others { .. }));
        assert_eq!(ownership(&tags(&[("team", "x")]), &owner), Ownership::Nobody);
    }

    #[test]
    fn an_address_that_begins_with_another_region_is_elsewhere() {
        let place = Place { account: "1".repeat(12), region: "eu-west-1".into(), partition: "aws".into() };
        let is = |address: &str| is_elsewhere(&tags(&[(ADDRESS, address)]), &place);
        for elsewhere in ["us-east-1/edge/dns-record/api", "us-gov-west-1/edge/dns-record/api", "eu-west-2/x/y/z"] {
            assert!(is(elsewhere), "{elsewhere}");
        }
        for here in ["eu-west-1/edge/dns-record/api", "gate/dns-record/gateway", "gate-1/x/y", ""] {
            assert!(!is(here), "{here}");
        }
    }

    #[test]
    fn changes_set_and_remove() {
        let (set, remove) = changes(&tags(&[("a", "1"), ("b", "2")]), &tags(&[("b", "3"), ("c", "4")]));
        assert_eq!(set, tags(&[("b", "3"), ("c", "4")]));
        assert_eq!(remove, ["a"]);
    }
}
