//! Finds what was said to be there, and what that leads to, in rounds: an API leads to its functions, they to their roles.

use std::collections::BTreeSet;

use crate::aws::supposed::Supposed;
use crate::commands::work::Work;
use crate::error::{Failure, Result};
use crate::kinds::Kind as _;
use crate::kinds::deployment::Deployment;
use crate::kinds::domain_name::DomainName;
use crate::kinds::http_api::HttpApi;
use crate::kinds::rest_api::RestApi;
use crate::model::{Desired, Identity, Live, Ownership};
use crate::takeover::matching::{Settled, settle};
use crate::takeover::{Candidate, follow};

/// API, its children and functions, their roles: three rounds find something, and the next finds that there is no more.
const ROUNDS: usize = 8;

/// Whose resources are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Whose {
    /// Nobody's: those of others are refused.
    Nobody,
    /// Anybody's: nothing will be written.
    Anybody,
}

/// What was found: for each address, and all of it as AWS holds it.
pub(super) async fn search(work: &Work, said: &[Candidate], whose: Whose) -> Result<(Settled, Live)> {
    work.aws.read.check_account().await?;
    let mut said = said.to_vec();
    let mut supposed = Supposed::default();
    for _ in 0..ROUNDS {
        let live = observe(work, &said, &supposed, whose).await?;
        let settled = settle(&work.desired, &said, &live);
        let found = settled.taken.iter().chain(&settled.ours);
        let mut more: Vec<Candidate> =
            found.flat_map(|one| follow::candidates(&one.address, &one.live, &work.desired)).collect();
        more.sort();
        more.dedup();
        more.retain(|one| !said.contains(one));
        let now = supposing(work, &settled);
        if more.is_empty() && now.len() == supposed.len() {
            return Ok((settled, live));
        }
        said.extend(more);
        supposed = now;
    }
    Err(Failure::internal("what exists leads to ever more of it"))
}

/// Reads what is there, under every name that was said. What is supposed to be ours is told as it is.
async fn observe(work: &Work, said: &[Candidate], supposed: &Supposed, whose: Whose) -> Result<Live> {
    let read = work.aws.read.supposing(supposed).await?;
    let mut sought: Vec<Desired> = Vec::new();
    for one in &work.desired {
        let mut names: BTreeSet<String> = one.name().map(str::to_owned).into_iter().collect();
        for said in said.iter().filter(|said| said.address == one.address) {
            names.extend(match (&said.name, &said.id) {
                (Some(name), _) => Some(name.clone()),
                (None, Some(id)) => read.name_of(one.address.kind(), id).await?,
                (None, None) => None,
            });
        }
        if names.is_empty() {
            sought.push(one.clone());
        }
        for name in names {
            let mut one = one.clone();
            // Others have their names from what they belong to.
            if let Some(own) = one.spec.get_mut("name") {
                *own = name.into();
            }
            sought.push(one);
        }
    }
    let mut live = work.registry.observe(&read, &work.owner, &sought).await?;
    for (kind, all) in &mut live {
        for one in all.iter_mut() {
            let id = |name: &str| one.outputs.get(name).unwrap_or_default();
            let is_supposed = match *kind {
                RestApi::NAME => supposed.rest_apis.contains_key(id("id")),
                HttpApi::NAME => supposed.http_apis.contains_key(id("id")),
                DomainName::NAME => supposed.domain_names.contains_key(&one.name),
                _ => false,
            };
            let is_anybodys = whose == Whose::Anybody && *kind != Deployment::NAME;
            if is_supposed || is_anybodys {
                one.ownership = Ownership::Nobody;
            }
        }
        // One name may have been said of several addresses.
        let mut seen = Vec::new();
        all.retain(|one| {
            let new = !seen.contains(one);
            if new {
                seen.push(one.clone());
            }
            new
        });
    }
    Ok(live)
}

/// What other resources stand below, as it will be ours.
fn supposing(work: &Work, settled: &Settled) -> Supposed {
    let mut supposed = Supposed::default();
    for taken in &settled.taken {
        let (owner, place) = (work.owner.clone(), work.place.clone());
        let identity = Identity { owner, address: taken.address.clone(), place };
        let id = taken.live.outputs.get("id").unwrap_or_default().to_owned();
        match taken.address.kind() {
            RestApi::NAME => supposed.rest_apis.insert(id, identity),
            HttpApi::NAME => supposed.http_apis.insert(id, identity),
            DomainName::NAME => supposed.domain_names.insert(taken.live.name.clone(), identity),
            _ => None,
        };
    }
    supposed
}
