//! What an account and Region hold, listed once for all who ask in one round of reading.
//!
//! API Gateway has no way to ask for an API by its name or its tags: whoever looks for one lists all. Environments that are
//! planned, looked at or checked for drift together share these lists, so that their number makes no more calls of them. Whoever
//! has to see what is there *now* (a second look before a create, another plan after a question) takes a new round.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_apigateway::types::{DomainName, RestApi};
use aws_sdk_apigatewayv2::types::Api as HttpApi;
use tokio::sync::OnceCell;

use super::zones::HostedZone;
use crate::model::Place;

/// The lists of one account and Region. A list that could not be read is read again by whoever asks next.
#[derive(Debug, Default)]
pub(super) struct PlaceLists {
    pub(super) rest_apis: OnceCell<Arc<Vec<RestApi>>>,
    pub(super) http_apis: OnceCell<Arc<Vec<HttpApi>>>,
    pub(super) domain_names: OnceCell<Arc<Vec<DomainName>>>,
    pub(super) zones: OnceCell<Arc<Vec<HostedZone>>>,
    /// The role of API Gateway's logs, if there is one.
    pub(super) logging_role: OnceCell<Option<String>>,
}

/// The lists of a round, by account and Region.
#[derive(Debug, Default)]
pub struct Lists(Mutex<BTreeMap<(String, String), Arc<PlaceLists>>>);

impl Lists {
    pub(super) fn of(&self, place: &Place) -> Arc<PlaceLists> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.entry((place.account.clone(), place.region.clone())).or_default().clone()
    }
}
