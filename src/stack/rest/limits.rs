//! What only the whole can break: AWS's limits on an API.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value;

use super::RestGateway;
use super::network::LINK_VARIABLE;
use crate::config::{Faults, GatewayStack, Span, limits};
use crate::kinds::Kind as _;
use crate::kinds::iam_role::IamRole;
use crate::model::Desired;
use crate::stack::Gateway;

impl RestGateway<'_> {
    /// Adds a fault for every limit that the expanded stack breaks, and for settings that don't fit each other.
    pub(super) fn check(&self, desired: &[Desired], gateway: &Gateway, faults: &mut Faults) {
        self.check_api(gateway, faults);
        self.check_policy(&gateway.policy, faults);
        self.check_role_names(desired, faults);
        self.check_settings(faults);
    }

    fn check_api(&self, gateway: &Gateway, faults: &mut Faults) {
        let file = &self.environment.file.path;
        let resources = resource_count(self.gateway.routes.iter().map(|route| route.path.as_str()));
        if resources > limits::RESOURCES_PER_API {
            let message =
                format!("the paths need {resources} resources; an API has at most {}", limits::RESOURCES_PER_API);
            let hint = "let `{proxy+}` stand for what is below a path, or ask AWS for a higher quota";
            faults.file_error(file, message, hint);
        }
        let bytes = json_bytes(&gateway.document);
        if bytes > limits::DOCUMENT_BYTES {
            let message =
                format!("the OpenAPI document has {bytes} bytes; API Gateway takes {}", limits::DOCUMENT_BYTES);
            faults.file_error(file, message, "shorten the templates, or let `{proxy+}` stand for many routes");
        }
        if self.gateway.routes.is_empty() {
            let message = "`gateway_api` has no route, and API Gateway deploys no API without one";
            faults.file_error(file, message, "add a route, such as `{\"service_path\": \"/order-service/{proxy+}\"}`");
        }
    }

    fn check_policy(&self, policy: &Value, faults: &mut Faults) {
        let arn = self.place.arn("execute-api", &self.place.region, "0123456789");
        let policy = policy.to_string().replace("\"execute-api:/", &format!("\"{arn}/"));
        let length = policy.chars().count();
        if length > limits::POLICY_CHARACTERS {
            let message = format!(
                "the resource policy has {length} characters as AWS counts them; {} are allowed",
                limits::POLICY_CHARACTERS
            );
            let private = self.settings.endpoint_type == "PRIVATE";
            let file = self.blueprint.stack.file(if private { "policy_private.json" } else { "policy.json" });
            let hint = format!("shorten {}: AWS writes the API's whole ARN for each `execute-api:/`", file.display());
            faults.file_error(&file, message, hint);
        }
    }

    fn check_role_names(&self, desired: &[Desired], faults: &mut Faults) {
        for role in desired.iter().filter(|one| one.address.kind() == IamRole::NAME) {
            let name = role.name().unwrap_or_default();
            if name.len() > limits::ROLE_NAME_CHARACTERS {
                let (length, most) = (name.len(), limits::ROLE_NAME_CHARACTERS);
                let message = format!("the role name `{name}` has {length} characters; IAM takes {most}");
                faults.file_error(
                    &self.environment.file.path,
                    message,
                    "shorten `app_group`, or the environment's name",
                );
            }
        }
    }

    fn check_settings(&self, faults: &mut Faults) {
        let span = Span::new(&self.environment.file, 0..1);
        let authorizer = &self.settings.authorizer;
        let validates = authorizer.zip.is_some() || authorizer.auth_host.is_some() || authorizer.auth_gateway.is_some();
        if self.blueprint.stack == GatewayStack::Gate && !validates {
            let message =
                "there is no `authorizer.auth_host`: every request behind the authorizer will be answered with 500";
            faults.warning(&span, message, "name the host that validates tokens");
        }
        let alarmed = self.settings.alarms.as_ref().is_some_and(|alarms| alarms.authorizer_errors.is_some());
        if alarmed && (!authorizer.metrics || authorizer.zip.is_some()) {
            let message =
                "`alarms.authorizer_errors` watches a metric that only gwctl's authorizer writes, with `metrics` on";
            faults.warning(&span, message, "turn `authorizer.metrics` on, or leave the alarm out: it would never ring");
        }
        let grouped = !self.settings.security_group_ids.is_empty() || self.makes_security_group();
        if !self.settings.private_subnet.is_empty() && !grouped {
            let message =
                "`private_subnet` without `vpc_id` or `security_group_ids`: the functions would have no security group";
            let hint = "add `vpc_id` to have a group made, `security_group_ids`, or leave `private_subnet` out";
            faults.error(&span, message, hint);
        }
        if self.made_vpc_link().is_some() && self.settings.stage_variables.contains_key(LINK_VARIABLE) {
            let message =
                format!("the stage variable `{LINK_VARIABLE}` is gwctl's own: it holds the id of the VPC link");
            faults.error(&span, message, "give your variable another name");
        }
    }
}

/// How long a value is as JSON. It is counted and not kept: a document may have megabytes.
fn json_bytes(value: &Value) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // A value is JSON, and counting takes every write.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// The nodes of the tree that the paths span, the root included: the resources that an API has.
#[must_use]
pub fn resource_count<'a>(paths: impl Iterator<Item = &'a str>) -> usize {
    let mut nodes = BTreeSet::from(["/"]);
    for path in paths {
        nodes.extend(path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(end, _)| &path[..end]));
        nodes.insert(path);
    }
    nodes.len()
}

#[cfg(test)]
mod tests {
    use super::{json_bytes, resource_count};
    use serde_json::json;

    #[test]
    fn a_document_is_as_long_as_its_bytes() {
        let value = json!({"a": [1, "\u{7f51}\n"]});
        assert_eq!(json_bytes(&value), value.to_string().len());
    }

    #[test]
    fn every_part_of_a_path_is_a_resource() {
        assert_eq!(resource_count([].into_iter()), 1);
        assert_eq!(resource_count(["/"].into_iter()), 1);
        assert_eq!(resource_count(["/a/b/{c+}", "/a/d"].into_iter()), 5);
    }
}
