//! A session that reads some REST APIs, HTTP APIs and domain names as if they had tags that they are yet to get: what stands
//! below them is found by whose they are, and can be looked at before anything is tagged.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::ReadAws;
use super::lists::PlaceLists;
use super::tags::{self, Tags};
use crate::error::Result;
use crate::model::Identity;

/// What is supposed to be whose already.
#[derive(Debug, Clone, Default)]
pub struct Supposed {
    /// REST APIs by id.
    pub rest_apis: BTreeMap<String, Identity>,
    /// HTTP APIs by id.
    pub http_apis: BTreeMap<String, Identity>,
    /// Custom domain names.
    pub domain_names: BTreeMap<String, Identity>,
}

impl Supposed {
    /// Whether nothing is supposed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest_apis.is_empty() && self.http_apis.is_empty() && self.domain_names.is_empty()
    }

    /// How much is supposed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest_apis.len() + self.http_apis.len() + self.domain_names.len()
    }
}

/// The tags that `identity` is known by.
fn added(identity: &Identity) -> Tags {
    tags::at_birth(identity, &Tags::new())
}

impl ReadAws {
    /// The same session with nothing remembered but the lists that are supposed to be otherwise than AWS says.
    pub async fn supposing(&self, supposed: &Supposed) -> Result<Self> {
        let mut apis = self.rest_apis().await?.as_ref().clone();
        for api in &mut apis {
            if let Some(identity) = api.id.as_ref().and_then(|id| supposed.rest_apis.get(id)) {
                api.tags.get_or_insert_default().extend(added(identity));
            }
        }
        let mut lists = PlaceLists { rest_apis: OnceCell::new_with(Some(Arc::new(apis))), ..PlaceLists::default() };
        if !supposed.http_apis.is_empty() {
            let mut apis = self.http_apis().await?.as_ref().clone();
            for api in &mut apis {
                if let Some(identity) = api.api_id.as_ref().and_then(|id| supposed.http_apis.get(id)) {
                    api.tags.get_or_insert_default().extend(added(identity));
                }
            }
            lists.http_apis = OnceCell::new_with(Some(Arc::new(apis)));
        }
        if !supposed.domain_names.is_empty() {
            let mut names = self.domain_names().await?.as_ref().clone();
            for name in &mut names {
                if let Some(identity) = name.domain_name.as_ref().and_then(|name| supposed.domain_names.get(name)) {
                    name.tags.get_or_insert_default().extend(added(identity));
                }
            }
            lists.domain_names = OnceCell::new_with(Some(Arc::new(names)));
        }
        let mut session = self.anew();
        session.lists = Arc::new(lists);
        Ok(session)
    }
}
