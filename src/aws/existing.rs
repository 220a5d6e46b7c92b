//! The names of what is known by an id alone.

use super::ec2::Filter;
use super::{ReadAws, failed};
use crate::error::Result;

impl ReadAws {
    /// The name of the resource of a kind that AWS knows by `id`, for the kinds whose ids say nothing of their names; none if
    /// there is no such resource, or no such kind.
    pub async fn name_of(&self, kind: &str, id: &str) -> Result<Option<String>> {
        match kind {
            "rest-api" => {
                let all = self.rest_apis().await?;
                Ok(all.iter().find(|api| api.id() == Some(id)).and_then(|api| api.name().map(str::to_owned)))
            }
            "http-api" => {
                let all = self.http_apis().await?;
                Ok(all.iter().find(|api| api.api_id() == Some(id)).and_then(|api| api.name().map(str::to_owned)))
            }
            "security-group" => {
                // A filter finds nothing where an id in the call would be an error.
                let answer = self.clients.ec2.describe_security_groups(&[Filter::new("group-id", [id])]).await;
                let groups = answer.map_err(|error| failed(&format!("describe security group {id}"), error))?;
                Ok(groups.into_iter().next().map(|group| group.name))
            }
            _ => Ok(None),
        }
    }
}
