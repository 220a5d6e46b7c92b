//! HTTP APIs as several kinds read them: lists with all their pages, and the Region's APIs, read once.

use std::sync::Arc;

use aws_sdk_apigatewayv2::types::{Api, ProtocolType};

use super::{ReadAws, failed};
use crate::error::Result;

/// Items a page. The service says no maximum; 100 is a guess that spares an API of the usual size all other pages.
pub(crate) const A_PAGE: &str = "100";

/// Every item of a list of API Gateway v2, for whose lists the SDK has no paginators: `Ok` with all, or the first error.
macro_rules! every_page {
    ($call:expr) => {{
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = $call.max_results($crate::aws::http_apis::A_PAGE).set_next_token(token.take());
            let answer = match call.send().await {
                Ok(answer) => answer,
                Err(error) => break Err(error),
            };
            all.extend(answer.items.unwrap_or_default());
            match answer.next_token.filter(|token| !token.is_empty()) {
                Some(next) => token = Some(next),
                None => break Ok(all),
            }
        }
    }};
}
pub(crate) use every_page;

impl ReadAws {
    /// All HTTP APIs of the account and Region, with their tags, read once. WebSocket APIs, which the same list has, are not
    /// among them.
    pub async fn http_apis(&self) -> Result<Arc<Vec<Api>>> {
        self.lists
            .http_apis
            .get_or_try_init(|| async {
                let all = every_page!(self.clients.apigatewayv2.get_apis());
                let mut all = all.map_err(|error| failed("list the HTTP APIs", error))?;
                all.retain(|api| api.protocol_type() != Some(&ProtocolType::Websocket));
                Ok(Arc::new(all))
            })
            .await
            .cloned()
    }
}
