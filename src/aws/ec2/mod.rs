//! A narrow client for EC2: the calls that functions in a VPC need, and no more.
//!
//! `aws-sdk-ec2` takes minutes and 7 GB to compile for its 700 operations. This client is made of the same parts as every
//! SDK crate (`plugin`: credentials, signing, retries, time-outs, endpoints, the orchestrator), so that a call behaves as
//! those of the other clients do, under the read-only guard too. What is ours is the form that goes out (`form`) and the
//! XML that comes back (`read`): EC2's Query protocol, version 2016-11-15 (smithy.io, "AWS EC2 query protocol").

mod error;
mod form;
mod operation;
mod plugin;
mod read;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugins;

use super::calls::Declared;
pub use error::Ec2Error;
use form::Form;
use operation::Decode;
pub use types::{Direction, Filter, NetworkInterface, Peer, Permission, SecurityGroup, Subnet, VpcEndpoint};

/// What a call that failed gives, as with the SDK's own clients.
pub type CallError = SdkError<Ec2Error, HttpResponse>;

/// The result of a call.
pub type Called<T> = std::result::Result<T, CallError>;

/// Entries of a page, for every list here: EC2 takes 5 to 1000.
const PAGE: u32 = 1000;

/// The client; clones share its connections and credentials.
#[derive(Debug, Clone)]
pub struct Client {
    plugins: RuntimePlugins,
}

impl Client {
    /// A client with the settings that all clients share. One that only reads refuses every other call before it leaves.
    #[must_use]
    pub(super) fn new(config: &SdkConfig, read_only: bool, declared: Declared) -> Self {
        Self { plugins: plugin::plugins(config, read_only, declared) }
    }

    /// All security groups that every filter lets through.
    pub async fn describe_security_groups(&self, filters: &[Filter]) -> Called<Vec<SecurityGroup>> {
        self.pages("DescribeSecurityGroups", filters, read::security_groups).await
    }

    /// Makes a security group, tagged from its birth. Gives its id.
    pub async fn create_security_group(
        &self,
        name: &str,
        description: &str,
        vpc_id: &str,
        tags: &BTreeMap<String, String>,
    ) -> Called<String> {
        let mut form = Form::new("CreateSecurityGroup");
        form.put("GroupName", name);
        form.put("GroupDescription", description);
        form.put("VpcId", vpc_id);
        form.tag_specification("security-group", tags);
        self.call("CreateSecurityGroup", form, read::group_id).await
    }

    /// Removes a security group.
    pub async fn delete_security_group(&self, id: &str) -> Called<()> {
        let mut form = Form::new("DeleteSecurityGroup");
        form.put("GroupId", id);
        self.call("DeleteSecurityGroup", form, read::nothing).await
    }

    /// Adds rules to a security group.
    pub async fn authorize(&self, id: &str, direction: Direction, rules: &[Permission]) -> Called<()> {
        self.change_rules(direction.authorize(), id, rules).await
    }

    /// Takes rules from a security group. One that is not there is refused, and then none is taken.
    pub async fn revoke(&self, id: &str, direction: Direction, rules: &[Permission]) -> Called<()> {
        self.change_rules(direction.revoke(), id, rules).await
    }

    /// Gives rules that are there another description.
    pub async fn describe_rules_anew(&self, id: &str, direction: Direction, rules: &[Permission]) -> Called<()> {
        self.change_rules(direction.update_descriptions(), id, rules).await
    }

    async fn change_rules(&self, action: &'static str, id: &str, rules: &[Permission]) -> Called<()> {
        let mut form = Form::new(action);
        form.put("GroupId", id);
        form.permissions(rules);
        self.call(action, form, read::nothing).await
    }

    /// Sets tags of any resource of EC2; others stay.
    pub async fn create_tags(&self, id: &str, tags: &BTreeMap<String, String>) -> Called<()> {
        let mut form = Form::new("CreateTags");
        form.put("ResourceId.1", id);
        form.tags("Tag", tags);
        self.call("CreateTags", form, read::nothing).await
    }

    /// Removes tags of any resource of EC2, whatever their values.
    pub async fn delete_tags(&self, id: &str, keys: &[String]) -> Called<()> {
        let mut form = Form::new("DeleteTags");
        form.put("ResourceId.1", id);
        // A key without a value: with an empty one, only a tag of an empty value would go (API reference, DeleteTags).
        keys.iter().enumerate().for_each(|(at, key)| form.put(&format!("Tag.{}.Key", at + 1), key));
        self.call("DeleteTags", form, read::nothing).await
    }

    /// All subnets that every filter lets through.
    pub async fn describe_subnets(&self, filters: &[Filter]) -> Called<Vec<Subnet>> {
        self.pages("DescribeSubnets", filters, read::subnets).await
    }

    /// All network interfaces that every filter lets through.
    pub async fn describe_network_interfaces(&self, filters: &[Filter]) -> Called<Vec<NetworkInterface>> {
        self.pages("DescribeNetworkInterfaces", filters, read::network_interfaces).await
    }

    /// All VPC endpoints that every filter lets through.
    pub async fn describe_vpc_endpoints(&self, filters: &[Filter]) -> Called<Vec<VpcEndpoint>> {
        self.pages("DescribeVpcEndpoints", filters, read::vpc_endpoints).await
    }

    /// The VPC endpoints with these ids, at most a hundred or so. One that does not exist is refused.
    pub async fn vpc_endpoints(&self, ids: &[String]) -> Called<Vec<VpcEndpoint>> {
        let mut form = Form::new("DescribeVpcEndpoints");
        ids.iter().enumerate().for_each(|(at, id)| form.put(&format!("VpcEndpointId.{}", at + 1), id));
        self.call("DescribeVpcEndpoints", form, read::vpc_endpoints).await.map(|(all, _)| all)
    }

    /// Every page of a list.
    async fn pages<T>(
        &self,
        action: &'static str,
        filters: &[Filter],
        decode: Decode<(Vec<T>, Option<String>)>,
    ) -> Called<Vec<T>>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut form = Form::new(action);
            form.filters(filters);
            form.put("MaxResults", &PAGE.to_string());
            if let Some(token) = &token {
                form.put("NextToken", token);
            }
            let (page, next) = self.call(action, form, decode).await?;
            all.extend(page);
            token = next;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    async fn call<T>(&self, action: &'static str, form: Form, decode: Decode<T>) -> Called<T>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        operation::invoke(&self.plugins, action, form, decode).await
    }
}
