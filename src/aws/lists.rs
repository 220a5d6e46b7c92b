//! What an account and Region hold, listed once for all who ask in one round of reading.
//!
//! API Gateway has no way to ask for an API by its name or its tags: whoever looks for one lists all. Environments that are
//! planned, looked at or checked for drift together share these lists, so that their number makes no more calls of them. Whoever
//! has to see what is there *now* (a second look before a create, another plan after a question) takes a new round.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_apigateway::types::{DomainName, RestApi, VpcLink};
use aws_sdk_apigatewayv2::types::{Api as HttpApi, VpcLink as HttpVpcLink};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::http_apis::every_page;
use super::zones::HostedZone;
use super::{Clients, ReadAws, failed};
use crate::error::Result;
use crate::model::Place;

/// The lists of one account and Region. A list that could not be read is read again by whoever asks next.
#[derive(Debug, Default)]
pub(super) struct PlaceLists {
    pub(super) rest_apis: OnceCell<Arc<Vec<RestApi>>>,
    pub(super) http_apis: OnceCell<Arc<Vec<HttpApi>>>,
    pub(super) domain_names: OnceCell<Arc<Vec<DomainName>>>,
    pub(super) zones: OnceCell<Arc<Vec<HostedZone>>>,
    pub(super) vpc_links: OnceCell<Arc<Vec<VpcLink>>>,
    pub(super) http_vpc_links: OnceCell<Arc<Vec<HttpVpcLink>>>,
    /// The role of API Gateway's logs, if there is one.
    pub(super) logging_role: OnceCell<Option<String>>,
}

/// Whoever begins so long after the first who shared lists shares new ones: the last environments of a fleet begin long after the first.
const FRESH_FOR: Duration = Duration::from_mins(1);

/// The lists of a round, by account and Region.
#[derive(Debug, Default)]
pub struct Lists(Mutex<BTreeMap<(String, String), Shared>>);

/// The lists of one place, and since when they are shared.
type Shared = (Instant, Arc<PlaceLists>);

impl Lists {
    pub(super) fn of(&self, place: &Place) -> Arc<PlaceLists> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let new = || (now, Arc::default());
        let known = lists.entry((place.account.clone(), place.region.clone())).or_insert_with(new);
        if now.duration_since(known.0) > FRESH_FOR {
            *known = new();
        }
        known.1.clone()
    }
}

impl Clients {
    /// All VPC links of REST APIs in the Region, as they are now.
    pub async fn vpc_links(&self) -> Result<Vec<VpcLink>> {
        let pages = self.apigateway.get_vpc_links().limit(500).into_paginator().items().send();
        pages.try_collect().await.map_err(|error| failed("list the VPC links", error))
    }

    /// All VPC links of HTTP APIs in the Region, as they are now.
    pub async fn http_vpc_links(&self) -> Result<Vec<HttpVpcLink>> {
        let all = every_page!(self.apigatewayv2.get_vpc_links());
        all.map_err(|error| failed("list the VPC links of HTTP APIs", error))
    }
}

impl ReadAws {
    /// All VPC links of REST APIs in the Region, read once.
    pub async fn vpc_links(&self) -> Result<Arc<Vec<VpcLink>>> {
        let read = || async { Ok(Arc::new(self.clients.vpc_links().await?)) };
        self.lists.vpc_links.get_or_try_init(read).await.cloned()
    }

    /// All VPC links of HTTP APIs in the Region, read once.
    pub async fn http_vpc_links(&self) -> Result<Arc<Vec<HttpVpcLink>>> {
        let read = || async { Ok(Arc::new(self.clients.http_vpc_links().await?)) };
        self.lists.http_vpc_links.get_or_try_init(read).await.cloned()
    }
}
