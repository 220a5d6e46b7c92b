//! What AWS WAF lacks in some places, so that a configuration can be refused before it is applied.

use std::fmt;

use super::spec::{Inspection, Statement, WebAclSpec};

/// A feature that a place lacks, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The rule that asks for it.
    pub rule: String,
    /// What is lacking.
    pub feature: String,
    /// What is there instead.
    pub instead: &'static str,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}` asks for {}, which AWS WAF does not have there", self.rule, self.feature)
    }
}

/// What a web ACL asks for that AWS WAF does not have in a partition.
///
/// Known of China, from "Amazon WAF" in "Getting Started with Amazon Web Services in China": no rule groups from the
/// marketplace, and Bot Control only at its common level. Other rule groups and actions are not mentioned there, so
/// nothing is said of them here; where AWS lacks one, it answers `WAFNonexistentItemException` or
/// `WAFInvalidParameterException` itself. No Region of the partition `aws` that has AWS WAF is known to lack anything
/// that a spec can say.
#[must_use]
pub fn lacking(partition: &str, acl: &WebAclSpec) -> Vec<Lacking> {
    if partition != "aws-cn" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (rule, one) in &acl.rules {
        let Statement::ManagedRuleGroup(group) = &one.statement else { continue };
        if group.vendor != "AWS" {
            found.push(Lacking {
                rule: rule.clone(),
                feature: format!("the rule group `{}` of {}", group.name, group.vendor),
                instead: "AWS's own rule groups are there: vendor `AWS`",
            });
        }
        if group.bot_control == Some(Inspection::Targeted) {
            found.push(Lacking {
                rule: rule.clone(),
                feature: "Bot Control at its targeted level".to_owned(),
                instead: "the common level is there",
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::web_acl::spec::{self, ManagedRuleGroup, Visibility};
    use crate::kinds::web_acl::tests::acl;

    #[test]
    fn china_has_fewer_rule_groups() {
        let group = |vendor: &str, bot_control| {
            Statement::ManagedRuleGroup(ManagedRuleGroup {
                vendor: vendor.into(),
                name: "Group".into(),
                version: None,
                rule_actions: [].into(),
                count_only: false,
                path_prefix: None,
                bot_control,
            })
        };
        let seen = Visibility { metric: "m".into(), metrics: true, sampled_requests: false };
        let rule = |name: &str, statement| (name.to_owned(), statement, seen.clone());
        let mut wanted = acl();
        wanted.rules = spec::in_order([
            rule("common", group("AWS", Some(Inspection::Common))),
            rule("targeted", group("AWS", Some(Inspection::Targeted))),
            rule("sold", group("Seller", None)),
        ]);
        let rules: Vec<String> = lacking("aws-cn", &wanted).into_iter().map(|one| one.rule).collect();
        assert_eq!(rules, ["sold", "targeted"]);
        let text = lacking("aws-cn", &wanted)[1].to_string();
        assert!(text.starts_with("rule `targeted` asks for Bot Control at its targeted level"), "{text}");
        assert!(lacking("aws", &wanted).is_empty());
    }
}
