//! The Resource Groups Tagging API in the sandbox: which resources of a Region carry which tags.
//!
//! It sees Lambda functions, log groups, certificates, what is taggable of API Gateway, alarms, what EC2 has, load balancers, what
//! AWS WAF has, delivery streams, topics, buckets, and, in the Region that Route 53 is signed for, hosted zones; IAM roles it does not see, as on AWS
//! (aws-facts A). It is
//! kinder than AWS in one thing: deleted resources are gone at once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{Answer, Fault, violation};
use super::route53;
use super::wire::{Request, Response};
use super::world::View;
use super::{apigateway, apigatewayv2};

const TARGET: &str = "ResourceGroupsTaggingAPI_20170126.GetResources";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    #[serde(default)]
    tag_filters: Vec<TagFilter>,
    #[serde(default)]
    resource_type_filters: Vec<String>,
    resources_per_page: Option<i64>,
    tags_per_page: Option<i64>,
    pagination_token: Option<String>,
    #[serde(rename = "ResourceARNList", default)]
    arns: Vec<String>,
    #[serde(default)]
    include_compliance_details: bool,
    #[serde(default)]
    exclude_compliant_resources: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagFilter {
    key: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

type Tagged = (String, BTreeMap<String, String>);

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    match act(view, request) {
        Ok(body) => Response {
            status: 200,
            headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
            body: body.to_string().into_bytes().into(),
        },
        Err(fault) => fault.json("Message"),
    }
}

fn act(view: &View<'_>, request: &Request) -> Answer<Value> {
    let target = request.header("x-amz-target").unwrap_or_default();
    if target != TARGET {
        let message = format!("The sandbox's tagging API has no operation {target}");
        return Err(Fault::new(400, "UnknownOperationException", message));
    }
    let query: Query = serde_json::from_slice(&request.body)
        .map_err(|error| Fault::new(400, "SerializationException", error.to_string()))?;
    query.check()?;
    let after = query.after()?;
    let mut found: Vec<Tagged> = apigateway::tagged(&view.region.apigateway, &request.caller);
    found.extend(apigatewayv2::tagged(&view.region.apigatewayv2, &request.caller));
    found.extend(view.region.lambda.tagged());
    found.extend(view.region.logs.tagged(&request.caller));
    found.extend(view.region.wafv2.tagged());
    found.extend(view.region.cloudwatch.tagged(&request.caller));
    found.extend(view.region.ec2.tagged(&request.caller));
    found.extend(view.region.elbv2.tagged());
    found.extend(view.region.acm.tagged());
    found.extend(view.region.firehose.tagged());
    found.extend(view.region.sns.tagged(&request.caller));
    found.extend(view.s3.tagged(&request.caller));
    if request.caller.region == route53::home(request.caller.partition()) {
        found.extend(view.route53.tagged(request.caller.partition()));
    }
    found.retain(|(arn, tags)| {
        !tags.is_empty() && query.wants(arn, tags) && after.as_ref().is_none_or(|after| arn > after)
    });
    found.sort();
    let whole = found.len();
    found.truncate(query.page(&found));
    let token = if found.len() < whole { found.last().map(|(arn, _)| BASE64.encode(arn)) } else { None };
    let list: Vec<Value> = found.iter().map(shown).collect();
    Ok(json!({ "PaginationToken": token.unwrap_or_default(), "ResourceTagMappingList": list }))
}

impl Query {
    fn check(&self) -> Answer<()> {
        let filtered = !self.tag_filters.is_empty() || !self.resource_type_filters.is_empty();
        if !self.arns.is_empty() && (filtered || self.resources_per_page.is_some() || self.tags_per_page.is_some()) {
            return Err(invalid("ResourceARNList cannot be combined with other filters or with paging parameters"));
        }
        if self.arns.len() > 100 {
            return Err(invalid("ResourceARNList can have at most 100 members"));
        }
        if self.include_compliance_details || self.exclude_compliant_resources {
            return Err(invalid("The sandbox has no tag policies, so it knows no compliance"));
        }
        if self.tag_filters.len() > 50 {
            return Err(invalid("TagFilters can have at most 50 members"));
        }
        for filter in &self.tag_filters {
            if filter.key.as_deref().is_none_or(str::is_empty) {
                return Err(invalid("A tag filter needs a key"));
            }
            if filter.values.len() > 20 {
                return Err(invalid("A tag filter can have at most 20 values"));
            }
        }
        for (value, member, low, high) in
            [(self.resources_per_page, "resourcesPerPage", 1, 100), (self.tags_per_page, "tagsPerPage", 100, 500)]
        {
            if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
                let constraint = format!("Member must have value between {low} and {high}");
                return Err(invalid(violation(&value.to_string(), member, &constraint)));
            }
        }
        if self.tags_per_page.is_some_and(|tags| tags % 100 != 0) {
            return Err(invalid("TagsPerPage must be a multiple of 100"));
        }
        Ok(())
    }

    /// The ARN that the last page ended with.
    fn after(&self) -> Answer<Option<String>> {
        let Some(token) = self.pagination_token.as_deref().filter(|token| !token.is_empty()) else { return Ok(None) };
        let arn = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        arn.map(Some).ok_or_else(|| invalid("The PaginationToken is not valid"))
    }

    fn wants(&self, arn: &str, tags: &BTreeMap<String, String>) -> bool {
        let kind =
            self.resource_type_filters.is_empty() || self.resource_type_filters.iter().any(|kind| is_of(arn, kind));
        let tagged = self.tag_filters.iter().all(|filter| {
            let value = filter.key.as_ref().and_then(|key| tags.get(key));
            value.is_some_and(|value| filter.values.is_empty() || filter.values.contains(value))
        });
        let listed = self.arns.is_empty() || self.arns.iter().any(|one| one == arn);
        kind && tagged && listed
    }

    /// How many of the resources make the page: so many, or so many that their tags fit, but at least one.
    fn page(&self, found: &[Tagged]) -> usize {
        let most =
            |limit: Option<i64>, otherwise: usize| limit.map_or(otherwise, |limit| usize::try_from(limit).unwrap_or(0));
        let resources = most(self.resources_per_page, 50).min(found.len());
        let mut tags = most(self.tags_per_page, usize::MAX);
        for (at, (_, own)) in found.iter().take(resources).enumerate() {
            match tags.checked_sub(own.len()) {
                Some(left) => tags = left,
                None => return at.max(1),
            }
        }
        resources
    }
}

/// Whether a resource is of a type such as `lambda`, `lambda:function`, `logs:log-group` or `apigateway:restapis`.
fn is_of(arn: &str, kind: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, service, _, _, resource] = parts[..] else { return false };
    let (wanted, name) = kind.split_once(':').map_or((kind, None), |(service, name)| (service, Some(name)));
    // API Gateway's resources are paths; those of the others have a type and a name, AWS WAF's a scope before them.
    let typed = resource.strip_prefix("regional/").or(resource.strip_prefix("global/")).unwrap_or(resource);
    let own = typed.trim_start_matches('/').split([':', '/']).next();
    service == wanted && name.is_none_or(|name| own == Some(name.trim_start_matches('/')))
}

fn shown((arn, tags): &Tagged) -> Value {
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    json!({ "ResourceARN": arn, "Tags": tags })
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidParameterException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_from_arns() {
        let stage = "arn:aws:apigateway:eu-central-1::/restapis/abc/stages/dev";
        let group = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/a:b";
        let function = "arn:aws:lambda:eu-central-1:123456789012:function:a";
        for (arn, kind, expected) in [
            (stage, "apigateway", true),
            (stage, "apigateway:restapis", true),
            (stage, "lambda", false),
            (group, "logs:log-group", true),
            (group, "logs:destination", false),
            (function, "lambda:function", true),
            (function, "lam", false),
        ] {
            assert_eq!(is_of(arn, kind), expected, "{arn} {kind}");
        }
    }

    #[test]
    fn pages_end_at_resources_or_at_tags() {
        let tagged = |count: usize| {
            let tags = (0..count).map(|at| (at.to_string(), String::new())).collect();
            (format!("arn:{count}"), tags)
        };
        let found = [tagged(60), tagged(40), tagged(1)];
        let query = |text: &str| serde_json::from_str::<Query>(text).unwrap();
        assert_eq!(query("{}").page(&found), 3);
        assert_eq!(query(r#"{"ResourcesPerPage":1}"#).page(&found), 1);
        assert_eq!(query(r#"{"TagsPerPage":100}"#).page(&found), 2);
        assert!(query(r#"{"TagsPerPage":150}"#).check().is_err());
        assert!(query(r#"{"ResourcesPerPage":0}"#).check().is_err());
        assert!(query(r#"{"TagFilters":[{"Values":["a"]}]}"#).check().is_err());
    }
}
